//! What both guards in memory are made of: parts that lock by themselves, and what they know of what they forgot.
//!
//! Clocks are not trusted to go forward: a flight that was dropped stays unknowable, whatever the clock says later.

use alloc::boxed::Box;
use core::time::Duration;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::moment::Moment;
use crate::psk::Unknowable;
use crate::question::FirstFlight;

/// How far the clocks of those who answer for one guard may differ without any flight being refused for it.
const MARGIN: Duration = Duration::from_secs(1);

/// The most flights that are asked to be remembered at once; more are cut to this.
const MOST: usize = 1 << 26;

/// The most parts: many more than cores that meet in them.
const MOST_SHARDS: usize = 64;

/// The fewest flights a part is worth.
const LEAST_SHARE: usize = 256;

/// Which flights a guard judges at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    window: Duration,
    since: Moment,
}

impl Scope {
    pub(super) fn new(window: Duration, since: Moment) -> Self {
        Self { window, since }
    }

    /// How far after now a fresh flight may expire. A flight that arrives `window` before it is expected expires two
    /// windows later.
    pub(super) fn reach(&self) -> Duration {
        self.window.saturating_mul(2).saturating_add(MARGIN)
    }

    /// The last moment at which a flight that is fresh at `now` may expire.
    pub(super) fn horizon(&self, now: Moment) -> Moment {
        now.plus(self.reach())
    }

    /// Refuses what no memory can tell anything about.
    pub(super) fn admit(&self, flight: &FirstFlight) -> Result<(), Unknowable> {
        // RFC 9846 section 8.2: "When implementations are freshly started, they SHOULD reject 0-RTT as long as any
        // portion of their recording window overlaps the startup time." A ticket that was issued later was not used
        // before.
        if flight.issued < self.since {
            return Err(Unknowable::BeforeMemory);
        }
        // It is not fresh, and may have been forgotten.
        if flight.expires < flight.now {
            return Err(Unknowable::BeforeMemory);
        }
        if flight.expires > self.horizon(flight.now) {
            return Err(Unknowable::TooLong);
        }
        Ok(())
    }
}

/// The expiries of which some flights were dropped. What lies here can never be said to be new again.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    /// All before this moment: dropped because the clock had passed them.
    before: Moment,
    /// All from the first to the last, both among them: dropped because a clock that had run ahead was set back.
    ahead: Option<(Moment, Moment)>,
}

impl Forgotten {
    pub(super) fn covers(&self, expires: Moment) -> bool {
        expires < self.before || self.ahead.is_some_and(|(first, last)| (first..=last).contains(&expires))
    }

    /// Flights that had expired, the latest at `last`, are dropped.
    pub(super) fn drop_until(&mut self, last: Moment) {
        self.before = self.before.max(last.plus(Duration::from_millis(1)));
    }

    /// Flights that expire from `first` to `last`, too late for any that is fresh `now`, are dropped.
    pub(super) fn drop_ahead(&mut self, first: Moment, last: Moment, now: Moment) {
        self.ahead = Some(match self.ahead {
            None => (first, last),
            // The time of an earlier gap is over: joined to this one, it would cover all the time between them.
            Some((_, over)) if over < now => {
                self.drop_until(over);
                (first, last)
            }
            Some((from, to)) => (from.min(first), to.max(last)),
        });
    }
}

/// Parts of a memory, each under its own lock; nobody outside can tell which flight belongs to which.
pub(super) struct Shards<T> {
    hasher: RandomState,
    parts: Box<[Mutex<T>]>,
}

impl<T> Shards<T> {
    /// Divides `capacity` flights among parts; `make` gets the share of one.
    pub(super) fn new(capacity: usize, make: impl Fn(usize) -> T) -> Self {
        let capacity = capacity.clamp(1, MOST);
        let count = capacity.checked_div(LEAST_SHARE).unwrap_or(1).clamp(1, MOST_SHARDS);
        let share = capacity.div_ceil(count);
        // Chance fills the parts unevenly: by a square root in the mean, hardly ever by six.
        let slack = if count > 1 { share.isqrt().saturating_mul(6) } else { 0 };
        let parts = (0..count).map(|_| Mutex::new(make(share.saturating_add(slack)))).collect();
        Self { hasher: RandomState::new(), parts }
    }

    /// The part that knows `id`, locked; `None` never happens.
    pub(super) fn of(&self, id: &[u8; 32]) -> Option<MutexGuard<'_, T>> {
        let count = u64::try_from(self.parts.len()).ok()?;
        let place = usize::try_from(self.hasher.hash_one(id).checked_rem(count)?).ok()?;
        // A part is whole between any two of its steps.
        Some(self.parts.get(place)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const WINDOW: Duration = Duration::from_secs(10);

    pub(in super::super) fn at(millis: u64) -> Moment {
        Moment::from_millis(millis)
    }

    /// The flight `name` at `now`, which expires at `expires`.
    pub(in super::super) fn flight(name: u64, now: u64, expires: u64) -> FirstFlight {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&name.to_be_bytes());
        FirstFlight::new(id, at(now), at(now), at(expires))
    }

    #[test]
    fn nothing_is_forgotten_at_first() {
        assert!(!Forgotten::default().covers(at(0)));
    }

    #[test]
    fn what_expired_until_a_moment_is_forgotten_with_it() {
        let mut forgotten = Forgotten::default();
        forgotten.drop_until(at(7));
        forgotten.drop_until(at(5));
        assert!(forgotten.covers(at(7)) && !forgotten.covers(at(8)));
    }

    #[test]
    fn a_gap_ahead_is_forgotten_with_its_ends() {
        let mut forgotten = Forgotten::default();
        forgotten.drop_ahead(at(100), at(200), at(1));
        assert_eq!([99, 100, 200, 201].map(|m| forgotten.covers(at(m))), [false, true, true, false]);
    }

    #[test]
    fn gaps_ahead_are_joined() {
        let mut forgotten = Forgotten::default();
        forgotten.drop_ahead(at(100), at(200), at(1));
        forgotten.drop_ahead(at(300), at(400), at(200));
        forgotten.drop_ahead(at(50), at(60), at(2));
        assert_eq!(
            [49, 50, 250, 400, 401].map(|m| forgotten.covers(at(m))),
            [false, true, true, true, false]
        );
    }

    #[test]
    fn a_gap_that_time_has_passed_is_not_joined_but_not_remembered_either() {
        let mut forgotten = Forgotten::default();
        forgotten.drop_ahead(at(100), at(200), at(1));
        forgotten.drop_ahead(at(300), at(400), at(201));
        assert_eq!(
            [100, 200, 201, 299, 300].map(|m| forgotten.covers(at(m))),
            [true, true, false, false, true]
        );
    }

    #[test]
    fn parts_hold_the_capacity_and_a_little_more() {
        for capacity in [0, 1, 100, 255] {
            let shards = Shards::new(capacity, |share| share);
            assert_eq!(shards.parts.len(), 1);
            assert_eq!(*shards.of(&[7; 32]).unwrap(), capacity.max(1));
        }
        let shards = Shards::new(100_000, |share| share);
        assert_eq!(shards.parts.len(), MOST_SHARDS);
        let all: usize = shards.parts.iter().map(|part| *part.lock().unwrap()).sum();
        assert!((100_000..120_000).contains(&all), "{all}");
    }

    #[test]
    fn an_absurd_capacity_is_cut() {
        let shards = Shards::new(usize::MAX, |share| share);
        assert!(*shards.of(&[7; 32]).unwrap() < 2 * MOST / MOST_SHARDS);
    }

    #[test]
    fn a_flight_always_belongs_to_the_same_part() {
        let shards = Shards::new(100_000, |_| 0);
        for name in 0..100 {
            *shards.of(&flight(name, 0, 0).id).unwrap() = name;
            assert_eq!(*shards.of(&flight(name, 0, 0).id).unwrap(), name);
        }
    }
}
