//! The store of trust: who is relied on, exchanged while connections run.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::super::credentials::LoadError;
use super::expiry::{Expiry, Role};
use crate::identity::{SpiffeId, TrustDomain};
use crate::pki::{Certificate, Verifier, VerifyError};

/// How many trust domains an error names: peers cause it, and there may be thousands.
const DOMAINS_TOLD: usize = 8;

/// Whom a policy trusts, exchanged while connections run. Cheap to clone; clones are the same store.
///
/// A verifier is exchanged as a whole, so roots and revocation change together, and two authorities can be trusted while
/// one replaces the other. What is added keeps the generation, and with it the tickets of clients that were verified
/// before; what is taken away raises it, and their next connection is a full handshake.
///
/// ```no_run
/// # #[cfg(feature = "rustcrypto")] {
/// use symbolon::crypto::rustcrypto::provider;
/// use symbolon::pki::Verifier;
/// use symbolon::policy::{TrustStore, certificates_from_file};
///
/// let [old, new] = ["old.pem", "new.pem"];
/// let trust = TrustStore::new(Verifier::new(provider(), certificates_from_file(old)?)?);
/// // The rotation: both, then the new one alone.
/// let both = certificates_from_file(old)?.into_iter().chain(certificates_from_file(new)?);
/// assert_eq!(trust.replace(Verifier::new(provider(), both)?)?, 0);
/// assert_eq!(trust.replace(Verifier::new(provider(), certificates_from_file(new)?)?)?, 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TrustStore(Arc<Inner>);

struct Inner {
    current: ArcSwap<Trust>,
    /// Held by who exchanges, never by a handshake.
    exchanging: Mutex<()>,
}

/// Whom a [`TrustStore`] trusts at one moment.
#[derive(Clone)]
pub struct Trust {
    generation: u64,
    bundles: Bundles,
}

#[derive(Clone)]
enum Bundles {
    /// One for every peer.
    Sole(Arc<Verifier>),
    /// One for each trust domain.
    ByDomain(BTreeMap<TrustDomain, Arc<Verifier>>),
}

impl TrustStore {
    /// Trusts by this verifier, in generation 0.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        Self::of(Bundles::Sole(Arc::new(verifier)))
    }

    /// Trusts the workloads of each SPIFFE trust domain by its own verifier, and nobody else. In generation 0.
    ///
    /// A bundle speaks for its own domain alone: which one verifies a peer is told by the SPIFFE ID of its leaf.
    #[must_use]
    pub fn by_trust_domain(bundles: impl IntoIterator<Item = (TrustDomain, Verifier)>) -> Self {
        let bundles = bundles.into_iter().map(|(domain, verifier)| (domain, Arc::new(verifier)));
        Self::of(Bundles::ByDomain(bundles.collect()))
    }

    /// Begins with this generation. Where tickets outlive the process or are shared, it must be higher than any that a
    /// process had which trusted more; otherwise tickets of clients that are not trusted any more are good again.
    #[must_use]
    pub fn starting_at(self, generation: u64) -> Self {
        self.0.current.rcu(|trust| Trust { generation, bundles: trust.bundles.clone() });
        self
    }

    fn of(bundles: Bundles) -> Self {
        let current = ArcSwap::from_pointee(Trust { generation: 0, bundles });
        Self(Arc::new(Inner { current, exchanging: Mutex::new(()) }))
    }

    /// Trusts by this verifier from now on, and gives the generation: the same one if all roots of before are still
    /// trusted, by the same profile and the same sources of revocation, else the next.
    ///
    /// # Errors
    ///
    /// [`LoadError`] where trust is by trust domain; nothing is changed.
    pub fn replace(&self, verifier: Verifier) -> Result<u64, LoadError> {
        self.exchange(|trust| match &trust.bundles {
            Bundles::Sole(old) => {
                let change = change(old, &verifier);
                Ok((Bundles::Sole(Arc::new(verifier)), change))
            }
            Bundles::ByDomain(_) => {
                Err(LoadError::new("trust is by trust domain: say for which one the bundle is"))
            }
        })
    }

    /// Trusts the workloads of this trust domain by this verifier from now on, and gives the generation, as
    /// [`TrustStore::replace`] does. A domain that was not there is added.
    ///
    /// # Errors
    ///
    /// [`LoadError`] where trust is not by trust domain; nothing is changed.
    pub fn replace_domain(&self, domain: &TrustDomain, verifier: Verifier) -> Result<u64, LoadError> {
        let verifier = Arc::new(verifier);
        self.exchange_domains(|bundles| {
            let old = bundles.insert(domain.clone(), Arc::clone(&verifier));
            Ok(old.map_or(Change::Added, |old| change(&old, &verifier)))
        })
    }

    /// Trusts nobody of this trust domain any more, and gives the generation.
    ///
    /// # Errors
    ///
    /// [`LoadError`] where there is no bundle for it; nothing is changed.
    pub fn remove_domain(&self, domain: &TrustDomain) -> Result<u64, LoadError> {
        self.exchange_domains(|bundles| match bundles.remove(domain) {
            Some(_) => Ok(Change::TakenAway),
            None => Err(LoadError::new(format!("there is no bundle for the trust domain {domain}"))),
        })
    }

    /// Refuses the tickets of all clients that were verified so far, and gives the new generation.
    pub fn refuse_tickets(&self) -> u64 {
        let _exchanging = self.exchanging();
        let next = |trust: &Arc<Trust>| Trust::clone(trust).with(Change::TakenAway);
        self.0.current.rcu(next).next()
    }

    /// The generation, which tickets have inside.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.current.load().generation
    }

    /// Whom it trusts now. What belongs together must come of one call.
    #[must_use]
    pub fn now(&self) -> Arc<Trust> {
        self.0.current.load_full()
    }

    /// What verifies a peer with this chain, leaf first. See [`Trust::verifier_for`].
    #[must_use]
    pub fn verifier_for(&self, chain: &[CertificateDer<'_>]) -> Option<Arc<Verifier>> {
        self.0.current.load().verifier_for(chain).cloned()
    }

    /// When each root and each CRL expires.
    #[must_use]
    pub fn expiries(&self, now: UnixTime) -> Vec<Expiry> {
        let trust = self.now();
        let roots = trust.verifiers().flat_map(|verifier| verifier.roots().iter());
        let crls = trust.verifiers().flat_map(|verifier| verifier.sources().held());
        let roots = roots.filter_map(|root| Expiry::of(root, Role::Anchor, now));
        roots.chain(crls.map(|crl| Expiry::of_crl(crl, now))).collect()
    }

    fn exchanging(&self) -> MutexGuard<'_, ()> {
        // It guards no data.
        self.0.exchanging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exchange(
        &self,
        next: impl FnOnce(&Trust) -> Result<(Bundles, Change), LoadError>,
    ) -> Result<u64, LoadError> {
        let _exchanging = self.exchanging();
        let old = self.now();
        let (bundles, change) = next(&old)?;
        let new = Trust { generation: old.generation, bundles }.with(change);
        let generation = new.generation;
        self.0.current.store(Arc::new(new));
        Ok(generation)
    }

    fn exchange_domains(
        &self,
        edit: impl FnOnce(&mut BTreeMap<TrustDomain, Arc<Verifier>>) -> Result<Change, LoadError>,
    ) -> Result<u64, LoadError> {
        self.exchange(|trust| match &trust.bundles {
            Bundles::ByDomain(bundles) => {
                let mut bundles = bundles.clone();
                let change = edit(&mut bundles)?;
                Ok((Bundles::ByDomain(bundles), change))
            }
            Bundles::Sole(_) => Err(LoadError::new("trust is not by trust domain: one bundle is for all")),
        })
    }
}

impl From<Verifier> for TrustStore {
    fn from(verifier: Verifier) -> Self {
        Self::new(verifier)
    }
}

impl Trust {
    /// Its generation, which tickets have inside.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What verifies a peer with this chain, leaf first. By trust domain that is the bundle of the SPIFFE ID in the
    /// leaf, and none without exactly one URI that is one.
    ///
    /// Nothing of the chain is verified yet: the verifier must be told to expect this trust domain.
    #[must_use]
    pub fn verifier_for(&self, chain: &[CertificateDer<'_>]) -> Option<&Arc<Verifier>> {
        self.select(chain).ok().map(|(verifier, _)| verifier)
    }

    /// The same, with the trust domain that the verifier must be told to expect.
    pub(in crate::policy) fn select(
        &self,
        chain: &[CertificateDer<'_>],
    ) -> Result<(&Arc<Verifier>, Option<TrustDomain>), VerifyError> {
        let bundles = match &self.bundles {
            Bundles::Sole(verifier) => return Ok((verifier, None)),
            Bundles::ByDomain(bundles) => bundles,
        };
        let domain = chain.first().and_then(trust_domain);
        match domain.as_ref().and_then(|domain| bundles.get(domain)) {
            Some(verifier) => Ok((verifier, domain)),
            None => Err(VerifyError::UnknownTrustDomain {
                domain: domain.map(|domain| domain.to_string()),
                trusted: bundles.keys().take(DOMAINS_TOLD).map(ToString::to_string).collect(),
                bundles: bundles.len(),
            }),
        }
    }

    /// All verifiers, one for each bundle.
    pub fn verifiers(&self) -> impl Iterator<Item = &Arc<Verifier>> {
        let (sole, many) = match &self.bundles {
            Bundles::Sole(verifier) => (Some(verifier), None),
            Bundles::ByDomain(bundles) => (None, Some(bundles.values())),
        };
        sole.into_iter().chain(many.into_iter().flatten())
    }

    fn next(&self) -> u64 {
        self.generation.saturating_add(1)
    }

    fn with(mut self, change: Change) -> Self {
        if change == Change::TakenAway {
            self.generation = self.next();
        }
        self
    }
}

/// What an exchange does to those who were trusted before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// They still are.
    Added,
    /// Some may not be.
    TakenAway,
}

fn change(old: &Verifier, new: &Verifier) -> Change {
    let kept = old.roots().iter().all(|root| new.roots().contains(root));
    match kept && old.rules() == new.rules() {
        true => Change::Added,
        false => Change::TakenAway,
    }
}

/// The trust domain that a leaf says it is of.
fn trust_domain(leaf: &CertificateDer<'_>) -> Option<TrustDomain> {
    let leaf = Certificate::parse(leaf).ok()?;
    let mut uris = leaf.uris();
    // The X.509-SVID specification, section 2: "An X.509 SVID MUST contain exactly one URI SAN".
    let (uri, None) = (uris.next()?, uris.next()) else { return None };
    Some(uri.parse::<SpiffeId>().ok()?.trust_domain().clone())
}

impl fmt::Debug for TrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.current.load().fmt(f)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots: usize = self.verifiers().map(|verifier| verifier.roots().len()).sum();
        f.debug_struct("Trust")
            .field("generation", &self.generation)
            .field("roots", &roots)
            .finish_non_exhaustive()
    }
}
