//! Certificates: who a chain speaks for, and whether that is to be believed (RFC 5280, RFC 9525).
//!
//! A chain is verified against trusted roots, for a purpose and a name, at a time, by a profile of rules, within a
//! budget. What is not evaluated refuses the path: nothing is believed for want of a check.

mod algorithm;
mod budget;
mod common_name;
mod constraints;
mod der;
mod directory;
mod dn;
mod error;
mod expected;
mod extension;
mod moment;
mod names;
#[cfg(feature = "native-roots")]
mod native;
mod outline;
mod parse;
mod path;
mod policies;
mod profile;
mod revocation;
mod roots;
mod subtrees;
#[cfg(all(test, feature = "rustcrypto"))]
mod tests;
mod time;
mod usage;

pub use algorithm::KeyKind;
pub(crate) use algorithm::{SignedWith, key_of};
pub use budget::Budget;
pub use error::{NoPath, Rejected, VerifyError};
pub use expected::{Expected, Matched};
pub(crate) use extension::{Authority, ExtendedKeyUsage, KeyUsage};
use moment::{Moment, unix_time};
pub(crate) use names::dns_matches;
#[cfg(feature = "native-roots")]
pub use native::{NativeRoots, NoNativeRoots};
pub(crate) use parse::Certificate;
pub(crate) use path::fingerprint;
pub use profile::{Profile, Rule};
use revocation::RevocationCheck;
pub use revocation::{
    Crl, Extent, OcspResponse, OcspStatus, OnFailure, Revocation, RevocationError, RevocationNote,
    RevocationPolicy, StapleInfo, check_staple,
};
pub use roots::Roots;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};

use crate::crypto::Provider;
use crate::identity::{Fingerprint, Fingerprints, Names};

/// The most that clocks are let differ: who needs more has a wrong clock.
const MOST_TOLERANCE: Duration = Duration::from_secs(86_400);

/// What a leaf certificate is to be used for (RFC 5280 section 4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To authenticate a server: serverAuth.
    Server,
    /// To authenticate a client: clientAuth.
    Client,
}

/// What a peer presents.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// Its own certificate.
    pub leaf: &'a CertificateDer<'a>,
    /// What it sent besides, in any order.
    pub intermediates: &'a [CertificateDer<'a>],
    /// The OCSP response that came with each certificate, leaf first; may be shorter.
    pub staples: &'a [Option<Vec<u8>>],
}

impl<'a> Chain<'a> {
    /// Certificates as they are sent, leaf first; `None` without any.
    #[must_use]
    pub fn of(chain: &'a [CertificateDer<'a>]) -> Option<Self> {
        let (leaf, intermediates) = chain.split_first()?;
        Some(Self { leaf, intermediates, staples: &[] })
    }

    /// The same with OCSP responses.
    #[must_use]
    pub fn with_staples(self, staples: &'a [Option<Vec<u8>>]) -> Self {
        Self { staples, ..self }
    }
}

/// A path from a leaf to a trusted root that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedPath {
    /// The certificates of the path, leaf first, the root last.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's subject, in the form of RFC 4514.
    pub subject: String,
    /// The leaf's serial number: the content of its INTEGER, most significant byte first.
    pub serial: Vec<u8>,
    /// All alternative names of the leaf.
    pub names: Names,
    /// The fingerprints of the leaf.
    pub fingerprints: Fingerprints,
    /// When the first certificate of the path expires.
    pub expires: UnixTime,
    /// Which of the expected ones the leaf speaks for.
    pub matched: Matched,
    /// The fingerprint of each certificate's key, in the order of `chain`, for pins.
    pub spkis: Vec<Fingerprint>,
    /// The fingerprint of each certificate, in the order of `chain`.
    pub certificates: Vec<Fingerprint>,
    /// Which certificates passed although it could not be told whether they were revoked.
    pub unchecked: Vec<RevocationNote>,
}

/// Verifies chains against a set of trusted roots. Usable without a connection.
///
/// ```no_run
/// # use symbolon::pki::{Chain, Expected, Purpose, Verifier};
/// # use rustls_pki_types::{CertificateDer, ServerName};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (root, sent): (CertificateDer<'static>, Vec<CertificateDer<'static>>) = (vec![0].into(), Vec::new());
/// let verifier = Verifier::new(symbolon::crypto::rustcrypto::provider(), [root])?;
/// let chain = Chain::of(&sent).ok_or("no certificate")?;
/// let expected = Expected::from(ServerName::try_from("example.test")?);
/// let path = verifier.verify(&chain, Purpose::Server, &expected, rustls_pki_types::UnixTime::now())?;
/// println!("good until {:?}", path.expires);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    provider: Provider,
    roots: Arc<Roots>,
    profile: Profile,
    budget: Budget,
    clock_tolerance: Duration,
    revocation: Arc<Revocation>,
}

impl Verifier {
    /// Trusts `roots`, which are whole certificates.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Malformed`] for a root that cannot be parsed, [`VerifyError::NoRoots`] without any.
    pub fn new(
        provider: Provider,
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, VerifyError> {
        Self::with_roots(provider, Arc::new(Roots::new(roots)?))
    }

    /// Trusts `roots`, which many verifiers may share.
    ///
    /// # Errors
    ///
    /// [`VerifyError::NoRoots`] where there is none.
    pub fn with_roots(provider: Provider, roots: Arc<Roots>) -> Result<Self, VerifyError> {
        if roots.is_empty() {
            return Err(VerifyError::NoRoots);
        }
        let (profile, budget) = (Profile::default(), Budget::default());
        let revocation = Arc::default();
        Ok(Self { provider, roots, profile, budget, clock_tolerance: Duration::ZERO, revocation })
    }

    /// Verifies by another profile than [`Profile::private_pki`].
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Verifies with other limits than the default ones.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// How far the clocks of those who issue may differ from ours: every period of validity is longer by this at both
    /// ends. Nothing by default, a day at most.
    #[must_use]
    pub fn clock_tolerance(mut self, tolerance: Duration) -> Self {
        self.clock_tolerance = tolerance.min(MOST_TOLERANCE);
        self
    }

    /// Asks these sources whether certificates were revoked. By default, only what the peer staples is judged.
    #[must_use]
    pub fn revocation(mut self, revocation: Arc<Revocation>) -> Self {
        self.revocation = revocation;
        self
    }

    /// The sources that are asked.
    pub(crate) fn sources(&self) -> &Revocation {
        &self.revocation
    }

    /// What tells its rules and sources, all but the roots, from those of others.
    pub(crate) fn rules(&self) -> Fingerprint {
        let Self { profile, clock_tolerance, revocation, .. } = self;
        let said = alloc::format!("{profile:?} {clock_tolerance:?} {}", revocation.digest());
        fingerprint(said.as_bytes())
    }

    /// The roots that are trusted.
    #[must_use]
    pub fn roots(&self) -> &Arc<Roots> {
        &self.roots
    }

    /// The crypto provider that checks signatures.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The same for a peer whose session is resumed: what it stapled was judged when the session began, and no more comes.
    pub(crate) fn after_staples(&self) -> Self {
        Self { revocation: Arc::new(self.revocation.after_staples()), ..self.clone() }
    }

    /// Verifies `chain` for `purpose` at `now`, over any of the certificates sent, to one of the roots.
    ///
    /// A leaf that is byte for byte one of the roots needs no issuer: a self-signed server, trusted by itself.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] says whose fault it is, what was offered, what was wanted, and what would mend it.
    pub fn verify(
        &self,
        chain: &Chain<'_>,
        purpose: Purpose,
        expected: &Expected,
        now: UnixTime,
    ) -> Result<VerifiedPath, VerifyError> {
        path::verify(self, chain, purpose, expected, Moment::new(now, self.clock_tolerance))
    }
}
