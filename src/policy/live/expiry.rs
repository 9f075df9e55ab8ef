//! When what is loaded expires, and when to renew it. Reads no clock.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};

use crate::config::Credential;
use crate::pki::{Certificate, Crl, OcspResponse};

/// What a thing that expires is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The certificate that an endpoint authenticates with.
    Leaf,
    /// A certificate that is sent beside it.
    Intermediate,
    /// A root: trusted here, or sent at the end of a chain.
    Anchor,
    /// A list of what was revoked.
    Crl,
    /// An OCSP response that is sent beside a certificate.
    Staple,
}

/// When something that is loaded expires.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// What it is for.
    pub role: Role,
    /// Its subject in the form of RFC 4514; of a CRL its issuer, of an OCSP response the certificate's subject.
    pub subject: String,
    /// The DNS names and URIs that it is for.
    pub names: Vec<String>,
    /// When it is last valid.
    pub not_after: UnixTime,
    /// Seconds until then; negative when it has expired.
    pub seconds_left: i64,
}

impl Expiry {
    /// `None` for what cannot be parsed, which no store holds.
    pub(super) fn of(der: &CertificateDer<'_>, role: Role, now: UnixTime) -> Option<Self> {
        let certificate = Certificate::parse(der).ok()?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        Some(Self {
            role,
            subject: certificate.subject(),
            names: certificate.dns_names().chain(certificate.uris()).map(ToString::to_string).collect(),
            not_after: time(certificate.not_after),
            seconds_left: certificate.not_after.saturating_sub(now),
        })
    }
}

impl Expiry {
    pub(super) fn of_crl(crl: &Crl, now: UnixTime) -> Self {
        let not_after = crl.next_update();
        let (role, subject, names) = (Role::Crl, crl.issuer(), Vec::new());
        Self { role, subject, names, not_after, seconds_left: left(not_after, now) }
    }
}

fn left(until: UnixTime, now: UnixTime) -> i64 {
    let seconds = |time: UnixTime| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    seconds(until).saturating_sub(seconds(now))
}

/// Everything in a chain, and what is stapled to it.
pub(super) fn expiries_of(credential: &Credential, now: UnixTime) -> Vec<Expiry> {
    let role = |position: usize, der: &CertificateDer<'_>| match position {
        0 => Role::Leaf,
        _ if Certificate::parse(der).is_ok_and(|certificate| certificate.is_self_issued()) => Role::Anchor,
        _ => Role::Intermediate,
    };
    let chain = credential.chain().iter().enumerate();
    let certificates = chain.filter_map(|(position, der)| Expiry::of(der, role(position, der), now));
    let staples = credential.staples().iter().zip(credential.chain()).filter_map(|(staple, der)| {
        let (_, not_after) = OcspResponse::parse(staple.as_ref()?).ok()?.window()?;
        let certified = Expiry::of(der, Role::Staple, now)?;
        Some(Expiry { not_after, seconds_left: left(not_after, now), ..certified })
    });
    certificates.chain(staples).collect()
}

/// When a credential is to be renewed: after two thirds of its life, so that a third is left for whatever goes wrong.
///
/// ```
/// use std::time::Duration;
/// use rustls_pki_types::UnixTime;
/// use symbolon::policy::Renewal;
///
/// let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
/// let renewal = Renewal::within(at(1_000), at(1_090));
/// assert_eq!(renewal.due, at(1_060));
/// // The jitter is the caller's, who can draw it: it spreads a fleet that was started at once.
/// assert_eq!(renewal.wait(at(1_000), Duration::from_secs(7)), Duration::from_secs(53));
/// assert_eq!(renewal.wait(at(1_070), Duration::ZERO), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renewal {
    /// When to renew.
    pub due: UnixTime,
    /// When it is too late.
    pub not_after: UnixTime,
}

impl Renewal {
    /// Of what is valid for this time.
    #[must_use]
    pub fn within(not_before: UnixTime, not_after: UnixTime) -> Self {
        let life = not_after.as_secs().saturating_sub(not_before.as_secs());
        let third = life.div_ceil(3);
        let due = not_after.as_secs().saturating_sub(third);
        Self { due: UnixTime::since_unix_epoch(Duration::from_secs(due)), not_after }
    }

    /// Of a chain: it begins with its leaf and ends with the first certificate that expires. `None` when one cannot be
    /// parsed.
    #[must_use]
    pub fn of(credential: &Credential) -> Option<Self> {
        let chain: Vec<Certificate<'_>> =
            credential.chain().iter().map(|der| Certificate::parse(der).ok()).collect::<Option<_>>()?;
        let not_after = chain.iter().map(|certificate| certificate.not_after).min()?;
        Some(Self::within(time(chain.first()?.not_before), time(not_after)))
    }

    /// How long to wait for it at `now`, less `jitter`; nothing when it is due.
    #[must_use]
    pub fn wait(&self, now: UnixTime, jitter: Duration) -> Duration {
        Duration::from_secs(self.due.as_secs().saturating_sub(now.as_secs())).saturating_sub(jitter)
    }
}

/// Times before 1970 are 1970.
fn time(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn renewal_is_due_at_two_thirds_and_never_after_the_end() {
        assert_eq!(Renewal::within(at(0), at(6)).due, at(4));
        assert_eq!(Renewal::within(at(0), at(1)).due, at(0));
        assert_eq!(Renewal::within(at(10), at(10)).due, at(10));
        assert_eq!(Renewal::within(at(10), at(5)).due, at(5), "ended before it began");
        assert_eq!(Renewal::within(at(0), at(u64::MAX)).due, at(u64::MAX / 3 * 2));
    }

    #[test]
    fn jitter_renews_earlier_and_never_waits_below_zero() {
        let renewal = Renewal::within(at(0), at(90));
        assert_eq!(renewal.wait(at(0), Duration::from_secs(10)), Duration::from_secs(50));
        assert_eq!(renewal.wait(at(55), Duration::from_secs(10)), Duration::ZERO);
    }
}
