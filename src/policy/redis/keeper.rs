//! Keeps a line to Redis: connects, examines, publishes what was found, and begins again when the line is lost.

use alloc::sync::Arc;
use core::time::Duration;
use std::time::Instant;

use ::tokio::sync::{Notify, watch};
use ::tokio::time::{sleep, timeout};

use super::examine::{Found, examine};
use super::line::{Line, Replies};
use super::settings::RedisSettings;
use super::status::RedisStatus;

/// The first pause between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The state that checks find.
#[derive(Clone)]
pub(super) enum State {
    /// Nothing can be checked.
    Down(RedisStatus),
    /// The store can be asked.
    Up(Arc<Open>),
}

/// A line to a store that was examined.
pub(super) struct Open {
    pub(super) replies: Replies,
    pub(super) found: Found,
    pub(super) calls: Arc<Calls>,
}

/// What the checks on a line ask its keeper for.
#[derive(Default)]
pub(super) struct Calls {
    /// The store is to be examined now.
    pub(super) examine: Notify,
    /// The line is to be given up.
    pub(super) hang_up: Notify,
}

/// Keeps the line.
pub(super) struct Keeper {
    pub(super) settings: RedisSettings,
    pub(super) state: watch::Sender<State>,
    /// What the server's clock is compared with.
    pub(super) began: Instant,
}

impl Keeper {
    /// Keeps the line for as long as it is polled.
    pub(super) async fn keep(self) {
        let mut before = None;
        let mut pause = FIRST_PAUSE;
        loop {
            let why = match Line::dial(&self.settings).await {
                Ok(line) => {
                    let attempted = Instant::now();
                    let why = self.attend(line, &mut before).await;
                    // A line that lasted is no failed attempt.
                    if attempted.elapsed() > self.settings.longest_pause {
                        pause = FIRST_PAUSE;
                    }
                    why
                }
                Err(why) => why,
            };
            self.state.send_replace(State::Down(why));
            sleep(pause.min(self.settings.longest_pause)).await;
            pause = self.longer(pause);
        }
    }

    /// Examines the server now and then until something is wrong with it; says what.
    async fn attend(&self, mut line: Line, before: &mut Option<Found>) -> RedisStatus {
        let calls = Arc::new(Calls::default());
        loop {
            let examined = examine(line.replies(), &self.settings, self.began, before.as_ref());
            let found = match timeout(self.settings.patience, examined).await {
                Err(_) => return RedisStatus::Unreachable,
                Ok(Err(why)) => return why,
                Ok(Ok(found)) => before.insert(found),
            };
            let open =
                Open { replies: line.replies().clone(), found: found.clone(), calls: Arc::clone(&calls) };
            self.state.send_replace(State::Up(Arc::new(open)));
            ::tokio::select! {
                why = line.closed() => return why,
                () = calls.hang_up.notified() => return RedisStatus::Nonsense,
                () = calls.examine.notified() => {}
                () = sleep(self.settings.period) => {}
            }
        }
    }

    /// The pause after this one: twice as long, give or take a fourth, so that a fleet does not come at once.
    fn longer(&self, pause: Duration) -> Duration {
        let mut random = [0; 2];
        // Without entropy the fleet comes at once.
        let _ = self.settings.rng.fill(&mut random);
        let pause = pause.saturating_mul(2).min(self.settings.longest_pause);
        let fourth = pause.checked_div(4).unwrap_or_default();
        let part = u32::from(u16::from_le_bytes(random));
        let less = fourth.saturating_mul(part).checked_div(1 << 15).unwrap_or_default();
        pause.saturating_add(fourth).saturating_sub(less)
    }
}
