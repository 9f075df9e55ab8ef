//! Whether the certificates of a path were revoked: CRLs that the operator holds (RFC 5280 sections 5 and 6.3) and OCSP
//! responses that the peer staples (RFC 6960, RFC 5019), by a policy; and the demand for such responses (RFC 7633).
//!
//! Nothing is fetched here: who holds the [`Revocation`] puts a new one in its place.

mod context;
mod crl;
mod crl_outline;
mod ocsp;
mod policy;
mod scope;
mod staple;
#[cfg(all(test, feature = "rustcrypto"))]
mod tests;
#[cfg(all(test, feature = "rustcrypto"))]
mod tests_of_forgeries;
#[cfg(test)]
mod tests_of_forms;

pub(super) use context::RevocationCheck;
pub use crl::Crl;
pub use ocsp::{OcspResponse, OcspStatus};
pub use policy::{Extent, OnFailure, RevocationError, RevocationNote, RevocationPolicy};
pub use staple::{StapleInfo, check_staple};

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use std::collections::HashMap;

use super::{Certificate, VerifyError, fingerprint};
use crate::identity::Fingerprint;

/// The sources that say which certificates were revoked, and what follows where they do not say. Immutable.
///
/// ```no_run
/// # use symbolon::pki::{Crl, Revocation, RevocationPolicy};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let crls = Crl::from_pem_or_der(&std::fs::read("ca.crl")?)?;
/// let revocation = Revocation::new(RevocationPolicy::hard_fail()).crls(crls);
/// # let _ = revocation;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Revocation {
    policy: RevocationPolicy,
    /// By the DER of the issuer's name; a list that is kept for the time being comes right before the newer one.
    crls: HashMap<Vec<u8>, Vec<Arc<Crl>>>,
    unreachable: Vec<String>,
    staples: Staples,
}

/// Whether peers are counted on to send OCSP responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Staples {
    Expected,
    Optional,
    /// They were judged when the session began that is resumed, and are not sent again.
    Earlier,
}

impl Default for Revocation {
    /// No source: only what peers send of themselves is judged, by [`RevocationPolicy::soft_fail`].
    fn default() -> Self {
        Self::new(RevocationPolicy::soft_fail())
    }
}

impl Revocation {
    /// No source yet. Without any, a certificate needs no information, unless it demands an OCSP response itself (RFC 7633).
    #[must_use]
    pub fn new(policy: RevocationPolicy) -> Self {
        Self { policy, crls: HashMap::new(), unreachable: Vec::new(), staples: Staples::Optional }
    }

    /// Takes CRLs as sources. Of two of the same issuer, key and scope, only the one with the higher number counts.
    #[must_use]
    pub fn crls(mut self, crls: impl IntoIterator<Item = Crl>) -> Self {
        for crl in crls {
            if self.like(&crl).is_none_or(|had| crl.compare_age(had) != Ordering::Less) {
                self.put(crl);
            }
        }
        self
    }

    /// Takes what peers staple as a source: a certificate for which neither a response comes nor a CRL is there is
    /// [missing](RevocationPolicy::missing) information.
    #[must_use]
    pub fn expect_staples(mut self) -> Self {
        self.staples = Staples::Expected;
        self
    }

    /// Notes that a source could not be had, and why: what no other source covers is then
    /// [unreachable](RevocationPolicy::unreachable).
    #[must_use]
    pub fn unreachable(mut self, why: String) -> Self {
        self.unreachable.push(why);
        self
    }

    /// The same sources with newer CRLs in the places of those of the same issuer, key and scope; others stay. What was
    /// unreachable counts as tried again, with success.
    ///
    /// # Errors
    ///
    /// [`RevocationError::CrlRollback`] where one is older than the one that it would replace.
    pub fn replace_crls(&self, crls: impl IntoIterator<Item = Crl>) -> Result<Self, RevocationError> {
        let mut next = Self { unreachable: Vec::new(), ..self.clone() };
        for crl in crls {
            if let Some(had) = next.like(&crl)
                && crl.compare_age(had) == Ordering::Less
            {
                let (had, offered) = (had.age(), crl.age());
                return Err(RevocationError::CrlRollback { issuer: crl.issuer(), had, offered });
            }
            next.put(crl);
        }
        Ok(next)
    }

    /// The same without a demand for responses, by the policy or by certificates: for who showed them earlier.
    pub(super) fn after_staples(&self) -> Self {
        Self { staples: Staples::Earlier, ..self.clone() }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &RevocationPolicy {
        &self.policy
    }

    /// The CRLs that count, in no order.
    pub fn held(&self) -> impl Iterator<Item = &Crl> {
        self.crls.values().flat_map(|held| {
            let newer = held.iter().skip(1).map(Some).chain([None]);
            let counts = |(crl, newer): &(&Arc<Crl>, Option<&Arc<Crl>>)| {
                newer.is_none_or(|newer| !newer.replaces(crl))
            };
            held.iter().zip(newer).filter(counts).map(|(crl, _)| crl.as_ref())
        })
    }

    /// What tells it from others that judge otherwise.
    pub(crate) fn digest(&self) -> Fingerprint {
        let Self { policy, staples, unreachable, .. } = self;
        let mut crls: Vec<Fingerprint> = self.held().map(Crl::digest).collect();
        crls.sort_unstable();
        let unreachable = unreachable.is_empty();
        fingerprint(alloc::format!("{policy:?} {staples:?} {unreachable} {crls:?}").as_bytes())
    }

    /// What the age of `crl` is compared with: one whose signature was right, if there is such a one.
    fn like(&self, crl: &Crl) -> Option<&Crl> {
        let held = self.crls.get(crl.issuer_der())?;
        held.iter().map(AsRef::as_ref).filter(|had| had.replaces(crl)).max_by_key(|had| had.was_right())
    }

    /// Whether a new list is its issuer's is not known before a path needs it, and anyone can write a high number: the last
    /// one whose signature was right is kept beside it until then.
    fn put(&mut self, crl: Crl) {
        let held = self.crls.entry(crl.issuer_der().to_vec()).or_default();
        let right = held.iter().rfind(|had| had.replaces(&crl) && had.was_right()).cloned();
        held.retain(|had| !had.replaces(&crl));
        held.extend(right);
        held.push(Arc::new(crl));
    }

    fn has_sources(&self) -> bool {
        !self.crls.is_empty() || !self.unreachable.is_empty() || self.staples == Staples::Expected
    }

    /// Judges a verified path, leaf first, root last, with the OCSP responses that came with it, the leaf's first; what
    /// passed only because the policy lets it is returned.
    pub(super) fn check(
        &self,
        path: &[&Certificate<'_>],
        staples: &[Option<Vec<u8>>],
        cx: &mut RevocationCheck<'_>,
    ) -> Result<Vec<RevocationNote>, VerifyError> {
        check_features(path)?;
        let mut notes = Vec::new();
        for (position, certificate) in path.iter().enumerate() {
            let above = path.get(position.saturating_add(1));
            let issuer = match above {
                Some(issuer) => issuer,
                // A leaf that is trusted by itself; it may demand a response all the same.
                None if position == 0 && certificate.must_staple => certificate,
                None => break,
            };
            let mut evidence = Evidence::default();
            let mut newer: Option<&Crl> = None;
            for crl in self.of(issuer).rev() {
                // Where the one that came after it is the issuer's, it counts no more.
                if newer.is_none_or(|newer| !newer.replaces(crl) || !newer.is_right_by(issuer)) {
                    evidence.add(certificate, "CRL", crl.judge(certificate, issuer, cx)?)?;
                }
                newer = Some(crl);
            }
            let place = if position == 0 { Place::Leaf } else { Place::Above };
            self.take_staples(&mut evidence, (certificate, issuer, place), staples, cx)?;
            notes.extend(self.weigh(certificate, place, evidence)?);
        }
        Ok(notes)
    }

    fn of(&self, issuer: &Certificate<'_>) -> impl DoubleEndedIterator<Item = &Crl> {
        self.crls.get(issuer.subject_der).map(Vec::as_slice).unwrap_or_default().iter().map(AsRef::as_ref)
    }

    /// What the responses say about a certificate.
    fn take_staples(
        &self,
        evidence: &mut Evidence,
        (certificate, issuer, place): (&Certificate<'_>, &Certificate<'_>, Place),
        staples: &[Option<Vec<u8>>],
        cx: &mut RevocationCheck<'_>,
    ) -> Result<(), VerifyError> {
        let (leaf, others) = staples.split_first().map_or((None, staples), |(leaf, rest)| (Some(leaf), rest));
        let mine = if place == Place::Leaf { leaf.map_or(&[][..], core::slice::from_ref) } else { others };
        for staple in mine.iter().flatten() {
            let response = match OcspResponse::parse(staple) {
                Ok(response) => response,
                Err(why) if place == Place::Leaf => {
                    return evidence.add(certificate, "OCSP", Finding::Bad(why.to_string()));
                }
                // It is not known which certificate above the leaf it is for: a peer may send them in any order.
                Err(_) => continue,
            };
            if place == Place::Above && !staple::concerns(&response, certificate, issuer) {
                continue;
            }
            evidence.stapled = Stapled::Something;
            let verdict = staple::verify(&response, certificate, issuer, cx)?;
            if let Some(serial) = verdict.delegate
                && self.of(issuer).any(|crl| crl.find(&serial).is_some())
            {
                let why = "its responder's certificate was revoked".to_owned();
                return evidence.add(certificate, "OCSP", Finding::Bad(why));
            }
            if verdict.finding == Finding::Good {
                evidence.stapled = Stapled::Good;
            }
            evidence.add(certificate, "OCSP", verdict.finding)?;
        }
        Ok(())
    }

    /// Whether a certificate of which nobody says that it was revoked passes, and with which note.
    fn weigh(
        &self,
        certificate: &Certificate<'_>,
        place: Place,
        evidence: Evidence,
    ) -> Result<Option<RevocationNote>, VerifyError> {
        // RFC 7633 section 4.2.3.1: "it SHOULD reject the TLS configuration". For a CA the feature is a constraint on what is
        // below it, not a demand for a response.
        let demanded = self.staples != Staples::Earlier && certificate.must_staple;
        if place == Place::Leaf && demanded && evidence.stapled != Stapled::Good {
            // The response comes after all lists, whose troubles are not its own.
            let why = match evidence.troubles.into_iter().next_back() {
                Some((_, why)) if evidence.stapled == Stapled::Something => why,
                _ => "the certificate demands one, and none came; have the server staple it".to_owned(),
            };
            return Err(VerifyError::BadStaple { subject: certificate.subject(), why });
        }
        let beyond = place == Place::Above && self.policy.extent == Extent::LeafOnly;
        let asked = self.has_sources() || evidence.stapled != Stapled::Nothing;
        if evidence.covered || beyond || !asked {
            return Ok(None);
        }
        let mut troubles = evidence.troubles;
        troubles.extend(self.unreachable.iter().map(|why| (Trouble::Unreachable, why.clone())));
        if troubles.is_empty() {
            let why = "there is neither a CRL that covers it nor an OCSP response".to_owned();
            troubles.push((Trouble::Missing, why));
        }
        let hard = troubles.iter().find(|(trouble, _)| self.on(*trouble) == OnFailure::HardFail);
        if let Some((_, why)) = hard {
            return Err(VerifyError::RevocationUnknown { subject: certificate.subject(), why: why.clone() });
        }
        let why = troubles.into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ");
        Ok(Some(RevocationNote { subject: certificate.subject(), why }))
    }

    fn on(&self, trouble: Trouble) -> OnFailure {
        match trouble {
            Trouble::Missing => self.policy.missing,
            Trouble::Stale => self.policy.stale,
            Trouble::Unreachable => self.policy.unreachable,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Leaf,
    Above,
}

/// What one source says about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    Good,
    Revoked {
        since: i64,
        reason: Option<u8>,
    },
    /// Nothing to rely on.
    Missing(String),
    Stale(String),
    /// It is about others.
    Elsewhere,
    /// The peer sent something that is wrong.
    Bad(String),
}

impl Finding {
    fn missing(why: &str) -> Self {
        Self::Missing(why.to_owned())
    }

    /// For people.
    fn why(self) -> String {
        match self {
            Self::Missing(why) | Self::Stale(why) | Self::Bad(why) => why,
            Self::Good => "it is good".to_owned(),
            Self::Revoked { .. } => "the certificate was revoked".to_owned(),
            Self::Elsewhere => "it is about others".to_owned(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Missing,
    Stale,
    Unreachable,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stapled {
    #[default]
    Nothing,
    Something,
    Good,
}

/// What all sources say about one certificate that none of them says was revoked.
#[derive(Debug, Default)]
struct Evidence {
    /// A source that can be relied on says that it was not revoked.
    covered: bool,
    stapled: Stapled,
    troubles: Vec<(Trouble, String)>,
}

impl Evidence {
    fn add(
        &mut self,
        certificate: &Certificate<'_>,
        source: &'static str,
        finding: Finding,
    ) -> Result<(), VerifyError> {
        let trouble = match finding {
            Finding::Good => {
                self.covered = true;
                return Ok(());
            }
            Finding::Elsewhere => return Ok(()),
            Finding::Revoked { since, reason } => {
                return Err(VerifyError::Revoked { subject: certificate.subject(), source, since, reason });
            }
            Finding::Bad(why) => {
                return Err(VerifyError::BadStaple { subject: certificate.subject(), why });
            }
            Finding::Missing(why) => (Trouble::Missing, why),
            Finding::Stale(why) => (Trouble::Stale, why),
        };
        self.troubles.push(trouble);
        Ok(())
    }
}

/// RFC 7633 section 4.2.2: "a certificate that is signed by a Certificate Signing Certificate that contains a TLS feature
/// extension MUST contain a TLS feature extension that offers the same set or a superset of the features advertised in the
/// signing certificate." Of the features, only status_request is looked at.
fn check_features(path: &[&Certificate<'_>]) -> Result<(), VerifyError> {
    for (certificate, issuer) in path.iter().zip(path.iter().skip(1)) {
        if issuer.must_staple && !certificate.must_staple {
            let why = "lacks the TLS feature status_request, which its issuer demands of all that it issues";
            return Err(VerifyError::Usage { subject: certificate.subject(), why });
        }
    }
    Ok(())
}
