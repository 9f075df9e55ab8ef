//! Clocks, handed in by whoever runs a policy.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls_pki_types::UnixTime;

use crate::moment::Moment;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in seconds since 1970.
    fn now(&self) -> UnixTime;

    /// Now, to the millisecond where the clock can tell.
    fn moment(&self) -> Moment {
        self.now().into()
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        self.moment().unix_time()
    }

    fn moment(&self) -> Moment {
        // A clock before 1970 knows no time at all: nothing is valid then.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment::from_millis(0).plus(since)
    }
}

/// A clock that stands still, for tests and for looking at the past.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub UnixTime);

impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        self.0
    }
}
