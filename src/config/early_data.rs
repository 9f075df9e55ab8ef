//! Whether a server accepts early data, and for whom (RFC 9846 section 8).

use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::time::Duration;

use crate::psk::NoEarlyData;

/// Proof that first flights are checked for replays: without one, early data cannot be switched on.
///
/// Only a replay guard of [`policy`](crate::policy) makes one, together with itself.
///
/// ```compile_fail,E0451
/// let unguarded = symbolon::config::ReplayGuarded { window: loop {}, ..loop {} };
/// ```
#[derive(Clone, Debug)]
pub struct ReplayGuarded {
    window: Duration,
    reach: Reach,
    guard: Arc<GuardId>,
}

/// Which guard a proof belongs to: equal only to itself.
#[derive(Debug)]
pub(crate) struct GuardId(());

/// Whose first flights a guard sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of this process.
    Process,
    /// Those of all servers that take the same tickets.
    Fleet,
}

impl ReplayGuarded {
    /// For a guard that is made in the same breath; first flights are fresh for `window` before and after they are
    /// expected.
    #[cfg_attr(
        not(any(feature = "std", all(test, feature = "rustcrypto"))),
        expect(dead_code, reason = "policies are made with the standard library")
    )]
    pub(crate) fn new(window: Duration, reach: Reach) -> Self {
        Self { window, reach, guard: Arc::new(GuardId(())) }
    }

    /// How long before and after the moment at which it is expected a first flight is fresh.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.window
    }

    /// Whose first flights the guard sees.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Which guard it is, for as long as a proof of it is in use.
    #[cfg_attr(
        not(feature = "std"),
        expect(dead_code, reason = "policies are made with the standard library")
    )]
    pub(crate) fn guard(&self) -> Weak<GuardId> {
        Arc::downgrade(&self.guard)
    }

    /// Whether both proofs are of one guard.
    #[must_use]
    pub fn is_of_same_guard(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.guard, &other.guard)
    }
}

/// What a server accepts as early data.
pub(crate) struct EarlyDataPolicy {
    /// In bytes, at least 1.
    pub(crate) max: u32,
    pub(crate) proof: ReplayGuarded,
    /// `None` permits every name; compared without case.
    pub(crate) names: Option<Vec<String>>,
    /// `None` permits every protocol.
    pub(crate) protocols: Option<Vec<Vec<u8>>>,
}

impl EarlyDataPolicy {
    /// Whether early data is accepted on connections to `name` that speak `protocol`.
    pub(crate) fn permits(&self, name: Option<&str>, protocol: Option<&[u8]>) -> Result<(), NoEarlyData> {
        if let Some(names) = &self.names
            && !name.is_some_and(|name| names.iter().any(|permitted| permitted.eq_ignore_ascii_case(name)))
        {
            return Err(NoEarlyData::ServerName);
        }
        if let Some(protocols) = &self.protocols
            && !protocol.is_some_and(|protocol| protocols.iter().any(|permitted| permitted == protocol))
        {
            return Err(NoEarlyData::Protocol);
        }
        Ok(())
    }
}
