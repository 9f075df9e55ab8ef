//! The replay guard of a fleet: one store remembers all first flights (RFC 9846 section 8.2).

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use std::time::Instant;

use ::tokio::runtime::Handle;
use ::tokio::sync::{Notify, Semaphore, watch};
use ::tokio::task::JoinHandle;
use ::tokio::time::timeout;

use super::judge::{Check, Then};
use super::keeper::{Keeper, Open, State};
use super::settings::{BadSettings, RedisSettings};
use super::status::RedisStatus;
use crate::config::Reach;
use crate::policy::replay::{AsyncReplayGuard, Guard};
use crate::psk::Unknowable;
use crate::question::{FirstFlight, Seen};

/// Remembers the first flights of a fleet in one Redis server: `SET id 1 NX PX life` for each.
///
/// It refuses early data, and connections go on without, whenever it cannot tell: while the server is away, slow, no
/// master, or may evict keys; and for tickets that were issued before the store's memory begins, which is when it was last
/// found restarted, replaced or emptied. A marker among the keys, read with every check, tells that.
///
/// Role, eviction policy and evicted keys are read by INFO with each examination ([`RedisSettings::period`], and whenever a
/// reply is odd), not with each check: that would cost the server more than the check itself. A restart ends the
/// connection, a replica takes no writes, and a flushed store has lost the marker, so that the check notices these by
/// itself. What is left is a store whose eviction policy is changed while it is full: what it evicts can be accepted again
/// until the next examination. Whoever cannot rule that out shortens the period.
///
/// What it cannot see: single keys that somebody deletes, a master that was cut off and goes on taking writes for
/// longer than [`RedisSettings::skew`], and a replica that was made to take writes (`replica-read-only no`), until it is
/// examined. It needs the commands SET, GET, INFO, TIME and ECHO.
pub struct RedisGuard {
    settings: RedisSettings,
    state: watch::Receiver<State>,
    in_flight: Semaphore,
    began: Instant,
    keeping: JoinHandle<()>,
}

impl RedisGuard {
    /// Starts to keep a connection in a task of the current tokio runtime, whose time and I/O must be enabled. The task
    /// ends with the guard. Until the server is reached all flights are refused.
    ///
    /// # Errors
    ///
    /// [`BadSettings::NoRuntime`].
    pub fn start(settings: RedisSettings) -> Result<Guard<Self>, BadSettings> {
        let runtime = Handle::try_current().map_err(|_| BadSettings::NoRuntime)?;
        let (sender, state) = watch::channel(State::Down(RedisStatus::Connecting));
        let began = Instant::now();
        let keeper = Keeper { settings: settings.clone(), state: sender, began };
        let window = settings.window;
        let in_flight = Semaphore::new(settings.most_in_flight);
        let keeping = runtime.spawn(keeper.keep());
        let guard = Self { settings, state, in_flight, began, keeping };
        Ok(Guard::vouched(guard, Reach::Fleet, window))
    }

    /// What state the store is in.
    #[must_use]
    pub fn status(&self) -> RedisStatus {
        status(&self.state.borrow())
    }

    /// Waits until `wanted` is true of the store's state, and gives it.
    pub async fn until(&self, mut wanted: impl FnMut(RedisStatus) -> bool) -> RedisStatus {
        let mut state = self.state.clone();
        match state.wait_for(|state| wanted(status(state))).await {
            Ok(state) => status(&state),
            // Only a runtime that ends takes the keeper away from its guard.
            Err(_) => RedisStatus::Unreachable,
        }
    }

    async fn look(&self, flight: &FirstFlight) -> Result<Seen, Unknowable> {
        let open: Arc<Open> = match &*self.state.borrow() {
            State::Up(open) => Arc::clone(open),
            State::Down(status) => return Err(status.unknowable()),
        };
        // RFC 9846 section 8.2: "they SHOULD reject 0-RTT as long as any portion of their recording window overlaps the
        // startup time." A flight with a ticket that is younger was not sent before.
        if flight.issued < open.found.memory.since.plus(self.settings.skew) {
            return Err(Unknowable::BeforeMemory);
        }
        let check = Check::new(flight, &open.found, &self.settings)?;
        let _permit = self.in_flight.try_acquire().map_err(|_| Unknowable::Full)?;
        let commands = check.commands(&self.settings);
        // A reply that comes after the deadline is lost: that flight is never new again.
        let replies = match timeout(self.settings.deadline, open.replies.ask(&commands)).await {
            Err(_) => return Err(call(&open.calls.examine, Unknowable::Late)),
            Ok(Err(status)) => return Err(call(&open.calls.examine, status.unknowable())),
            Ok(Ok(replies)) => replies,
        };
        let (seen, then) = check.judge(&replies, open.found.ahead, self.began);
        match then {
            Then::GoOn => {}
            Then::Examine => open.calls.examine.notify_one(),
            Then::HangUp => open.calls.hang_up.notify_one(),
        }
        Ok(seen)
    }
}

fn call(whom: &Notify, why: Unknowable) -> Unknowable {
    whom.notify_one();
    why
}

impl AsyncReplayGuard for RedisGuard {
    fn check(&self, flight: FirstFlight) -> Pin<Box<dyn Future<Output = Seen> + Send + '_>> {
        Box::pin(async move { self.look(&flight).await.unwrap_or_else(Seen::Unknown) })
    }
}

impl Drop for RedisGuard {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

impl fmt::Debug for RedisGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisGuard")
            .field("settings", &self.settings)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

fn status(state: &State) -> RedisStatus {
    match state {
        State::Down(status) => *status,
        State::Up(open) => RedisStatus::Guarding { since: open.found.memory.since },
    }
}
