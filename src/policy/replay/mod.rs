//! Replay guards: whether a first flight was seen before (RFC 9846 section 8).
//!
//! A guard is made together with the proof that switches early data on; a configuration without it accepts none.

mod filter;
mod register;
mod shards;
mod table;

pub use filter::RotatingFilter;
pub use register::ReplayRegister;

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::time::Duration;

use crate::config::{Reach, ReplayGuarded};
use crate::question::{FirstFlight, Seen};

/// How long before and after the expected moment a first flight is fresh, unless told otherwise (RFC 9846 section 8.3:
/// "windows on the order of ten seconds").
pub const DEFAULT_WINDOW: Duration = Duration::from_secs(10);

/// Remembers first flights, and answers at once.
///
/// A guard says [`Seen::Never`] at most once for an id until the flight's `expires` has passed, whatever else happens;
/// where it cannot promise that, it says [`Seen::Unknown`].
//= testvectors/requirements/rfc9846.txt#section-8
//# The server MUST ensure that any instance of it (be it a machine, a thread, or any other entity within
//# the relevant serving infrastructure) would accept 0-RTT for the same 0-RTT handshake at most once
pub trait ReplayGuard: Send + Sync {
    /// Looks for the flight, and remembers it.
    fn check(&self, flight: &FirstFlight) -> Seen;
}

/// Remembers first flights in a store elsewhere, under the rules of [`ReplayGuard`].
///
/// The question may have waited: `now` is when the flight arrived. A store that forgets a flight some time after it
/// `expires` is asked only while its guard's own clock says that this has not passed; also while the answer is on its way.
pub trait AsyncReplayGuard: Send + Sync {
    /// Looks for the flight, and remembers it, before a deadline of its own.
    fn check(&self, flight: FirstFlight) -> Pin<Box<dyn Future<Output = Seen> + Send + '_>>;
}

/// A replay guard with the proof that it is one.
pub struct Guard<G: ?Sized = dyn ReplayGuard> {
    proof: ReplayGuarded,
    guard: G,
}

impl<G> Guard<G> {
    /// Vouches for `guard`: what it sees is of this `reach`, and first flights are fresh for `window` before and after the
    /// moment at which they are expected.
    #[must_use]
    pub fn vouched(guard: G, reach: Reach, window: Duration) -> Self {
        Self { proof: ReplayGuarded::new(window, reach), guard }
    }
}

impl<G: ?Sized> Guard<G> {
    /// What switches early data on: for [`early_data`](crate::config::ServerConfigBuilder::early_data).
    #[must_use]
    pub fn proof(&self) -> &ReplayGuarded {
        &self.proof
    }

    /// The guard itself.
    #[must_use]
    pub fn guard(&self) -> &G {
        &self.guard
    }
}

impl<G: ?Sized> fmt::Debug for Guard<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("proof", &self.proof).finish_non_exhaustive()
    }
}
