//! Path building and validation (RFC 5280 section 6): depth first, trusted roots first, within a budget.

use alloc::vec::Vec;

use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};

use super::constraints::{NameConstraints, Violation};
use super::usage::Demands;
use super::{
    Budget, Certificate, Chain, Expected, Matched, Moment, NoPath, Purpose, Rejected, RevocationCheck,
    RevocationNote, SignedWith, VerifiedPath, Verifier, VerifyError, names, policies, unix_time,
};
use crate::identity::{Fingerprint, Fingerprints};

/// How many refused candidates are told.
const REJECTED: usize = 8;

/// See [`Verifier::verify`].
pub(super) fn verify(
    verifier: &Verifier,
    chain: &Chain<'_>,
    purpose: Purpose,
    expected: &Expected,
    moment: Moment,
) -> Result<VerifiedPath, VerifyError> {
    if chain.intermediates.len() >= verifier.budget.certificates {
        return Err(VerifyError::Budget("certificates"));
    }
    let leaf = Certificate::parse(chain.leaf)?;
    let matched = expected.find(&leaf)?;
    let mut skipped = Vec::new();
    let mut sent = Vec::with_capacity(chain.intermediates.len());
    for (position, der) in chain.intermediates.iter().enumerate() {
        match Certificate::parse(der) {
            Ok(certificate) => sent.push(certificate),
            //= testvectors/requirements/rfc9846.txt#section-4.5.1
            //# with the exception of the end-entity certificate which MUST be first
            // RFC 9846 section 4.5.1 wants extraneous certificates tolerated.
            Err(why) if skipped.len() < REJECTED => {
                let place = position.saturating_add(2);
                skipped.push(Rejected::new(alloc::format!("certificate {place} of those sent"), why));
            }
            Err(_) => {}
        }
    }
    let anchors = anchors(verifier, &leaf, &sent);
    let demands = Demands { purpose, profile: verifier.profile, moment };
    let everyone = || core::iter::once(&leaf).chain(&sent).chain(&anchors);
    demands.check_leaf(&leaf).map_err(|error| moment.suspect_clock(error, everyone()))?;
    let mut search = Search {
        verifier,
        chain,
        sent: &sent,
        anchors: &anchors,
        demands,
        budget: verifier.budget,
        rejected: Vec::new(),
        missing: None,
        unchecked: Vec::new(),
    };
    let mut path = Vec::from([&leaf]);
    if verifier.roots.has(&leaf) {
        search.complete(&path)?;
        return Ok(verified(&path, matched, search.unchecked));
    }
    if search.extend(&mut path)? {
        return Ok(verified(&path, matched, search.unchecked));
    }
    Err(search.failure(&leaf, skipped))
}

/// The roots that the chain names, parsed.
fn anchors<'v>(
    verifier: &'v Verifier,
    leaf: &Certificate<'_>,
    sent: &[Certificate<'_>],
) -> Vec<Certificate<'v>> {
    let mut anchors: Vec<Certificate<'v>> = Vec::new();
    for issuer in core::iter::once(leaf).chain(sent).map(|certificate| certificate.issuer_der) {
        if anchors.iter().any(|anchor| anchor.subject_der == issuer) {
            continue;
        }
        anchors.extend(verifier.roots.named(issuer).iter().filter_map(|der| Certificate::parse(der).ok()));
    }
    anchors
}

/// The SHA-256 hash of a certificate or a key.
pub(crate) fn fingerprint(der: &[u8]) -> Fingerprint {
    Fingerprint(Sha256::digest(der).into())
}

fn verified(path: &[&Certificate<'_>], matched: Matched, unchecked: Vec<RevocationNote>) -> VerifiedPath {
    let hash = fingerprint;
    let certificates: Vec<_> = path.iter().map(|certificate| hash(certificate.der)).collect();
    let spkis: Vec<_> = path.iter().map(|certificate| hash(certificate.spki)).collect();
    let zero = Fingerprint([0; 32]);
    let fingerprints = Fingerprints {
        certificate: certificates.first().copied().unwrap_or(zero),
        spki: spkis.first().copied().unwrap_or(zero),
    };
    let expires = path.iter().map(|certificate| certificate.not_after).min().unwrap_or(0);
    let leaf = path.first();
    VerifiedPath {
        chain: path.iter().map(|certificate| CertificateDer::from(certificate.der.to_vec())).collect(),
        subject: leaf.map(|leaf| leaf.subject()).unwrap_or_default(),
        serial: leaf.map(|leaf| leaf.serial.to_vec()).unwrap_or_default(),
        names: leaf.map(|leaf| names::presented(&leaf.subject_names)).unwrap_or_default(),
        fingerprints,
        expires: unix_time(expires),
        matched,
        spkis,
        certificates,
        unchecked,
    }
}

/// A search for one path.
struct Search<'a> {
    verifier: &'a Verifier,
    chain: &'a Chain<'a>,
    sent: &'a [Certificate<'a>],
    anchors: &'a [Certificate<'a>],
    demands: Demands,
    budget: Budget,
    rejected: Vec<Rejected>,
    /// The certificate for whose issuer nothing was found.
    missing: Option<&'a Certificate<'a>>,
    /// What passed the last check of revocation only because its policy lets it.
    unchecked: Vec<RevocationNote>,
}

impl<'a> Search<'a> {
    /// Extends `path`, leaf first, to a root; whether it got there. Without success `path` is as before.
    fn extend(&mut self, path: &mut Vec<&'a Certificate<'a>>) -> Result<bool, VerifyError> {
        let Some(&last) = path.last() else { return Ok(false) };
        let mut found = false;
        for (pool, place) in [(self.anchors, Place::Root), (self.sent, Place::Between)] {
            // What the key identifiers say is a hint (RFC 4158 section 3.5.12): the others come later.
            for fitting in [true, false] {
                for issuer in pool {
                    if issuer.subject_der != last.issuer_der || fits(issuer, last) != fitting {
                        continue;
                    }
                    // Its key under the same name is in the path already: that leads in circles.
                    if path
                        .iter()
                        .any(|seen| seen.subject_der == issuer.subject_der && seen.spki == issuer.spki)
                    {
                        continue;
                    }
                    found = true;
                    if self.try_issuer(issuer, place, path)? {
                        return Ok(true);
                    }
                }
            }
        }
        if !found {
            self.missing = Some(last);
        }
        Ok(false)
    }

    /// Goes on with `issuer` above the last one of `path`; a refusal is noted.
    fn try_issuer(
        &mut self,
        issuer: &'a Certificate<'a>,
        place: Place,
        path: &mut Vec<&'a Certificate<'a>>,
    ) -> Result<bool, VerifyError> {
        let checked = self.check_step(issuer, place, path);
        if self.noted(issuer, checked)?.is_none() {
            return Ok(false);
        }
        path.push(issuer);
        let reached = match place {
            Place::Between => self.extend(path)?,
            Place::Root => {
                let checked = self.complete(path);
                self.noted(issuer, checked)?.is_some()
            }
        };
        if !reached {
            path.pop();
        }
        Ok(reached)
    }

    /// Whether `issuer` issued the last one of `path` and may stand where it stands.
    fn check_step(
        &mut self,
        issuer: &Certificate<'_>,
        place: Place,
        path: &[&Certificate<'_>],
    ) -> Result<(), VerifyError> {
        let Some(last) = path.last() else { return Ok(()) };
        let counted = path.iter().skip(1).chain(if place == Place::Root { None } else { Some(&issuer) });
        let intermediates = counted.filter(|certificate| !certificate.is_self_issued()).count();
        // The leaf and the root count.
        if intermediates.saturating_add(2) > self.budget.path {
            let why = "would make the path longer than is permitted here";
            return Err(VerifyError::Usage { subject: issuer.subject(), why });
        }
        self.demands.check_issuer(issuer, path)?;
        self.demands.check_below_root(last)?;
        if place == Place::Root {
            self.demands.check_root(issuer)?;
        }
        self.check_signature(issuer, last)?;
        self.check_names(issuer, path)
    }

    /// What is judged over a whole path, leaf first, root last.
    fn complete(&mut self, path: &[&Certificate<'_>]) -> Result<(), VerifyError> {
        policies::check(path, &mut self.budget)?;
        let Verifier { provider, revocation, .. } = self.verifier;
        let mut cx = RevocationCheck { provider, moment: self.demands.moment, budget: &mut self.budget };
        self.unchecked = revocation.check(path, self.chain.staples, &mut cx)?;
        Ok(())
    }

    /// RFC 5280 section 6.1.3 (b) and (c), for the name constraints of `issuer` over all certificates below it.
    fn check_names(
        &mut self,
        issuer: &Certificate<'_>,
        below: &[&Certificate<'_>],
    ) -> Result<(), VerifyError> {
        let Some(value) = issuer.name_constraints else { return Ok(()) };
        let constraints = NameConstraints::parse(value).map_err(|why| VerifyError::Malformed(why.into()))?;
        self.demands.check_constraints(issuer, &constraints)?;
        for (position, certificate) in below.iter().enumerate() {
            // "If certificate i is self-issued and it is not the final certificate in the path, skip this step".
            if position > 0 && certificate.is_self_issued() {
                continue;
            }
            let names = &certificate.subject_names;
            constraints.check(names, certificate.subject_der, &mut self.budget).map_err(|violation| {
                match violation {
                    Violation::Budget(error) => error,
                    Violation::Refused(why) => VerifyError::NotPermitted {
                        subject: certificate.subject(),
                        authority: issuer.subject(),
                        why,
                    },
                }
            })?;
        }
        Ok(())
    }

    fn check_signature(
        &mut self,
        issuer: &Certificate<'_>,
        certificate: &Certificate<'_>,
    ) -> Result<(), VerifyError> {
        let signed_with = &certificate.signed_with;
        let subject = || certificate.subject();
        match signed_with {
            SignedWith::Md5 => return Err(VerifyError::BrokenHash { subject: subject(), hash: "MD5" }),
            SignedWith::Sha1 => return Err(VerifyError::BrokenHash { subject: subject(), hash: "SHA-1" }),
            _ => {}
        }
        if let Some(why) = issuer.key.weakness() {
            return Err(VerifyError::Key { subject: issuer.subject(), key: issuer.key.clone(), why });
        }
        let provider = &self.verifier.provider;
        let verifier = signed_with.by(&issuer.key).and_then(|algorithm| provider.verifier(algorithm));
        let Some(verifier) = verifier else {
            return Err(VerifyError::NotEvaluated {
                subject: subject(),
                what: alloc::format!("a signature by {signed_with} under a key that is {}", issuer.key),
            });
        };
        self.budget.pay()?;
        verifier
            .verify(issuer.spki, certificate.tbs, certificate.signature)
            .map_err(|_| VerifyError::NotSignedBy { subject: subject(), issuer: issuer.subject() })
    }

    /// Notes why `candidate` was refused; only an empty budget ends the search.
    fn noted(
        &mut self,
        candidate: &Certificate<'_>,
        checked: Result<(), VerifyError>,
    ) -> Result<Option<()>, VerifyError> {
        match checked {
            Ok(()) => Ok(Some(())),
            Err(error @ VerifyError::Budget(_)) => Err(error),
            Err(why) => {
                // The peer chooses how many there are; a person wants to read a few.
                if self.rejected.len() < REJECTED {
                    self.rejected.push(Rejected::new(candidate.subject(), why));
                }
                Ok(None)
            }
        }
    }

    /// Why there is no path.
    fn failure(self, leaf: &'a Certificate<'a>, skipped: Vec<Rejected>) -> VerifyError {
        let missing = self.missing.unwrap_or(leaf);
        let error = VerifyError::NoPath(alloc::boxed::Box::new(NoPath {
            subject: leaf.subject(),
            self_signed: leaf.is_self_issued(),
            issuer: missing.issuer(),
            below: missing.subject(),
            // The peer chose it: a log may be read on a terminal.
            issuer_url: missing
                .aia_issuers
                .first()
                .map(|url| url.chars().take(200).flat_map(char::escape_debug).collect()),
            sent: self.chain.intermediates.len(),
            roots: self.verifier.roots.len(),
            store: self.verifier.roots.description().map(Into::into),
            rejected: self.rejected,
            skipped,
        }));
        let everyone = core::iter::once(leaf).chain(self.sent).chain(self.anchors);
        self.demands.moment.suspect_clock(error, everyone)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Between,
}

/// Whether the key identifiers do not say that `issuer` is another one.
fn fits(issuer: &Certificate<'_>, certificate: &Certificate<'_>) -> bool {
    match (issuer.ski, certificate.aki) {
        (Some(issuer), Some(wanted)) => issuer == wanted,
        _ => true,
    }
}
