//! A point in time, to the millisecond: what the ages of tickets are counted in.

use core::time::Duration;

use rustls_pki_types::UnixTime;

/// Milliseconds since 1970, without leap seconds.
///
/// Nothing in this library but [`SystemClock`](crate::policy::SystemClock) reads a clock: moments are handed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// So many milliseconds after 1970 began.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// So many seconds after 1970 began.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The same without its milliseconds.
    #[must_use]
    pub const fn unix_time(self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_millis(self.0))
    }

    /// `duration` later; the end of time where there is no such moment.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// `duration` earlier; 1970 where there is no such moment.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long ago `earlier` was; `None` when it lies in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_millis)
    }
}

impl From<UnixTime> for Moment {
    fn from(time: UnixTime) -> Self {
        Self::from_secs(time.as_secs())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_time_are_reached_and_not_passed() {
        let (first, last) = (Moment::from_millis(0), Moment::from_millis(u64::MAX));
        assert_eq!(first.minus(Duration::from_secs(1)), first);
        assert_eq!(last.plus(Duration::MAX), last);
        assert_eq!(Moment::from_secs(u64::MAX), last);
        assert_eq!(last.unix_time().as_secs(), u64::MAX / 1000);
    }

    #[test]
    fn the_future_has_no_age() {
        let (early, late) = (Moment::from_millis(1), Moment::from_millis(3));
        assert_eq!(late.since(early), Some(Duration::from_millis(2)));
        assert_eq!(early.since(late), None);
    }
}
