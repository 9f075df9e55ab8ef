//! Path building and validation (RFC 5280 section 6): depth first, trusted roots first, within a budget.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};

use super::names::{self, GeneralName};
use super::parse::{Authority, SignedWith};
use super::{Budget, Certificate, Purpose, Rejected, Root, VerifiedPath, Verifier, VerifyError};
use crate::crypto::Provider;

/// How many refused candidates are told.
const REJECTED: usize = 8;

/// See [`Verifier::verify`].
pub(super) fn verify(
    verifier: &Verifier,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    purpose: Purpose<'_>,
    now: UnixTime,
) -> Result<VerifiedPath, VerifyError> {
    if intermediates.len() >= verifier.budget.certificates {
        return Err(VerifyError::Budget("certificates"));
    }
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let leaf = Certificate::parse(leaf)?;
    check_leaf(&leaf, purpose, now)?;
    // A certificate that cannot be parsed is no candidate; RFC 9846 section 4.5.1 wants extraneous ones tolerated.
    let sent: Vec<Certificate<'_>> =
        intermediates.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    let is_named = |root: &&Root| {
        let issuers = sent.iter().map(|certificate| certificate.issuer_der).chain([leaf.issuer_der]);
        issuers.into_iter().any(|issuer| issuer == root.subject_der)
    };
    let roots: Vec<Certificate<'_>> = verifier
        .roots
        .iter()
        .filter(is_named)
        .filter_map(|root| Certificate::parse(&root.der).ok())
        .collect();
    let expires = |not_after: i64| {
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(not_after).unwrap_or(0)))
    };
    if verifier.roots.iter().any(|root| *root.der == *leaf.der) {
        return Ok(VerifiedPath { subject: leaf.subject, expires: expires(leaf.not_after), len: 1 });
    }

    let mut search = Search {
        provider: &verifier.provider,
        sent: &sent,
        roots: &roots,
        purpose,
        now,
        budget: verifier.budget,
        rejected: Vec::new(),
        missing: None,
    };
    let mut path = Vec::from([&leaf]);
    match search.extend(&mut path)? {
        Some(not_after) => {
            let len = path.len().saturating_add(1);
            Ok(VerifiedPath { subject: leaf.subject.clone(), expires: expires(not_after), len })
        }
        None => Err(VerifyError::NoPath {
            issuer: search.missing.unwrap_or_else(|| leaf.issuer.clone()),
            subject: leaf.subject.clone(),
            sent: intermediates.len(),
            roots: verifier.roots.len(),
            rejected: search.rejected,
        }),
    }
}

/// What the leaf must satisfy whoever issued it.
fn check_leaf(leaf: &Certificate<'_>, purpose: Purpose<'_>, now: i64) -> Result<(), VerifyError> {
    let dns = leaf.dns_names.iter().map(|name| GeneralName::Dns(name.as_bytes()));
    let presented: Vec<_> = dns.chain(leaf.ip_addresses.iter().map(|bytes| GeneralName::Ip(bytes))).collect();
    if let Purpose::Server(name) = purpose
        && !names::matches(&presented, name)
    {
        let presented = names::listed(&presented);
        return Err(VerifyError::WrongName { wanted: name.to_str().to_string(), presented });
    }
    check_any(leaf, purpose, now)?;
    // RFC 9846 section 4.5.1.2: "The certificate type MUST be X.509v3".
    if leaf.version != 3 {
        return Err(usage(leaf, "is of an X.509 version other than 3"));
    }
    // RFC 9846 section 4.5.1.2: "the digitalSignature bit MUST be set if the Key Usage extension is present".
    if leaf.key_usage.is_some_and(|usage| !usage.digital_signature) {
        return Err(usage(leaf, "may not sign: its key usage lacks digitalSignature"));
    }
    Ok(())
}

/// What every certificate of a path must satisfy.
fn check_any(certificate: &Certificate<'_>, purpose: Purpose<'_>, now: i64) -> Result<(), VerifyError> {
    let subject = || certificate.subject.clone();
    if !(certificate.not_before..=certificate.not_after).contains(&now) {
        return Err(VerifyError::Time {
            subject: subject(),
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            now,
        });
    }
    if let Some(what) = &certificate.not_evaluated {
        return Err(VerifyError::NotEvaluated { subject: subject(), what: what.clone() });
    }
    let (permitted, why) = match (purpose, certificate.extended_key_usage) {
        (_, None) => (true, ""),
        (Purpose::Server(_), Some(usage)) => {
            (usage.server, "is not for servers: its extended key usage lacks serverAuth")
        }
        (Purpose::Client, Some(usage)) => {
            (usage.client, "is not for clients: its extended key usage lacks clientAuth")
        }
    };
    if permitted { Ok(()) } else { Err(usage(certificate, why)) }
}

/// What a certificate must satisfy to issue the one below it; `below` is the path so far, leaf first.
fn check_issuer(
    issuer: &Certificate<'_>,
    below: &[&Certificate<'_>],
    purpose: Purpose<'_>,
    now: i64,
) -> Result<(), VerifyError> {
    check_any(issuer, purpose, now)?;
    let Authority::Yes { path_len } = issuer.authority else {
        return Err(usage(issuer, "is no certification authority: its basic constraints do not say so"));
    };
    // RFC 5280 section 4.2.1.9: self-issued certificates and the leaf do not count.
    let intermediates = below.iter().skip(1).filter(|certificate| !certificate.is_self_issued()).count();
    if path_len.is_some_and(|longest| usize::try_from(longest).is_ok_and(|longest| intermediates > longest)) {
        return Err(usage(issuer, "permits fewer intermediate certificates below it than there are"));
    }
    if issuer.key_usage.is_some_and(|usage| !usage.key_cert_sign) {
        return Err(usage(issuer, "may not issue certificates: its key usage lacks keyCertSign"));
    }
    Ok(())
}

fn usage(certificate: &Certificate<'_>, why: &'static str) -> VerifyError {
    VerifyError::Usage { subject: certificate.subject.clone(), why }
}

/// A search for one path.
struct Search<'a> {
    provider: &'a Provider,
    sent: &'a [Certificate<'a>],
    roots: &'a [Certificate<'a>],
    purpose: Purpose<'a>,
    now: i64,
    budget: Budget,
    rejected: Vec<Rejected>,
    /// The issuer for which nothing was found.
    missing: Option<alloc::string::String>,
}

impl<'a> Search<'a> {
    /// Extends `path`, leaf first, to a root; gives the earliest expiry of the whole path.
    fn extend(&mut self, path: &mut Vec<&'a Certificate<'a>>) -> Result<Option<i64>, VerifyError> {
        if path.len() >= self.budget.path {
            return Ok(None);
        }
        let Some(&last) = path.last() else { return Ok(None) };
        let (roots, sent) = (self.roots, self.sent);
        let mut found = false;
        for root in roots.iter().filter(|root| root.subject_der == last.issuer_der) {
            found = true;
            if self.issues(root, last, path)? {
                return Ok(path
                    .iter()
                    .map(|certificate| certificate.not_after)
                    .chain([root.not_after])
                    .min());
            }
        }
        for issuer in sent.iter().filter(|issuer| issuer.subject_der == last.issuer_der) {
            // A certificate that is in the path already, or its key under the same name, leads in circles.
            if path.iter().any(|seen| seen.subject_der == issuer.subject_der && seen.spki == issuer.spki) {
                continue;
            }
            found = true;
            if self.issues(issuer, last, path)? {
                path.push(issuer);
                if let Some(expires) = self.extend(path)? {
                    return Ok(Some(expires));
                }
                path.pop();
            }
        }
        if !found {
            self.missing = Some(last.issuer.clone());
        }
        Ok(None)
    }

    /// Whether `issuer` issued `certificate`, the last one of `path`; a refusal is noted.
    fn issues(
        &mut self,
        issuer: &Certificate<'_>,
        certificate: &Certificate<'_>,
        path: &[&Certificate<'_>],
    ) -> Result<bool, VerifyError> {
        let checked = check_issuer(issuer, path, self.purpose, self.now)
            .and_then(|()| self.check_signature(issuer, certificate));
        match checked {
            Ok(()) => Ok(true),
            Err(error @ VerifyError::Budget(_)) => Err(error),
            Err(why) => {
                // The peer chooses how many there are; a person wants to read a few.
                if self.rejected.len() < REJECTED {
                    self.rejected.push(Rejected { subject: issuer.subject.clone(), why: Box::new(why) });
                }
                Ok(false)
            }
        }
    }

    fn check_signature(
        &mut self,
        issuer: &Certificate<'_>,
        certificate: &Certificate<'_>,
    ) -> Result<(), VerifyError> {
        let signed_with = &certificate.signed_with;
        let subject = || certificate.subject.clone();
        match signed_with {
            SignedWith::Md5 => return Err(VerifyError::BrokenHash { subject: subject(), hash: "MD5" }),
            SignedWith::Sha1 => return Err(VerifyError::BrokenHash { subject: subject(), hash: "SHA-1" }),
            _ => {}
        }
        let verifier = signed_with.by(&issuer.key).and_then(|algorithm| self.provider.verifier(algorithm));
        let Some(verifier) = verifier else {
            return Err(VerifyError::NotEvaluated {
                subject: subject(),
                what: alloc::format!("a signature by {signed_with} under a key that is {}", issuer.key),
            });
        };
        self.budget.pay()?;
        verifier
            .verify(issuer.spki, certificate.tbs, certificate.signature)
            .map_err(|_| VerifyError::NotSignedBy { subject: subject(), issuer: issuer.subject.clone() })
    }
}
