//! When a verification happens, and what it makes of times.

use alloc::collections::BTreeSet;
use core::time::Duration;

use rustls_pki_types::UnixTime;

use super::{Certificate, VerifyError};

/// An instant, in seconds since 1970, and how far clocks may differ.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: i64,
    pub(super) tolerance: i64,
}

impl Moment {
    pub(super) fn new(now: UnixTime, tolerance: Duration) -> Self {
        let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        Self { now: seconds(now.as_secs()), tolerance: seconds(tolerance.as_secs()) }
    }

    /// RFC 5280 section 4.1.2.5: the validity period is "the period of time from notBefore through notAfter, inclusive".
    pub(super) fn check(self, certificate: &Certificate<'_>) -> Result<(), VerifyError> {
        if self.is_early(certificate) || self.is_late(certificate) {
            return Err(VerifyError::Time {
                subject: certificate.subject(),
                not_before: certificate.not_before,
                not_after: certificate.not_after,
                now: self.now,
            });
        }
        Ok(())
    }

    fn is_early(self, certificate: &Certificate<'_>) -> bool {
        self.now.saturating_add(self.tolerance) < certificate.not_before
    }

    fn is_late(self, certificate: &Certificate<'_>) -> bool {
        self.now.saturating_sub(self.tolerance) > certificate.not_after
    }

    /// Where several certificates are there, and all of them are too early or all of them too late, it is rather the clock
    /// that is wrong than each of them.
    pub(super) fn suspect_clock<'c, 'd: 'c>(
        self,
        error: VerifyError,
        certificates: impl Iterator<Item = &'c Certificate<'d>> + Clone,
    ) -> VerifyError {
        // One that is both leaf and root, or was sent twice, is one witness.
        let count = certificates.clone().map(|certificate| certificate.der).collect::<BTreeSet<_>>().len();
        let all = certificates.clone().all(|certificate| self.is_early(certificate))
            || certificates.clone().all(|certificate| self.is_late(certificate));
        if count < 2 || !all {
            return error;
        }
        VerifyError::Clock { certificates: count, now: self.now, why: alloc::boxed::Box::new(error) }
    }
}

/// Seconds since 1970 as the common type has them; nothing expires before 1970.
pub(super) fn unix_time(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}
