//! Clocks, handed in by whoever runs a policy.

use rustls_pki_types::UnixTime;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in seconds since 1970.
    fn now(&self) -> UnixTime;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        UnixTime::now()
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
