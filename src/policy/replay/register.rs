//! An exact register of first flights in memory (RFC 9846 section 8.2).
//!
//! It never takes a new flight for an old one; when it has no room it refuses rather than forgets.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use super::shards::{Forgotten, Scope, Shards};
use super::table::Table;
use super::{Guard, ReplayGuard};
use crate::config::Reach;
use crate::moment::Moment;
use crate::psk::Unknowable;
use crate::question::{FirstFlight, Seen};

/// How many places a check looks at for flights that have expired: some remain for a while, and take up room.
const LOOKED_AT: usize = 6;

/// How many more when there is no room: a check is never much work.
const LOOKED_AT_WHEN_FULL: usize = 256;

/// Remembers the first flights of this process exactly, until they expire; refuses when full.
///
/// Its memory is allocated when it is made, about 60 bytes a flight. The clock may jump: a flight that was forgotten
/// after a jump forward is unknowable after the jump back. Only what happened before it was made is beyond it: `since`
/// must not lie before the moment at which an earlier process last took early data.
///
/// ```
/// use std::sync::Arc;
/// use symbolon::Moment;
/// use symbolon::policy::replay::{DEFAULT_WINDOW, Guard, ReplayGuard, ReplayRegister};
/// use symbolon::question::{FirstFlight, Seen};
///
/// let now = Moment::from_secs(1_800_000_000);
/// let guard: Arc<Guard<dyn ReplayGuard>> =
///     ReplayRegister::new(ReplayRegister::DEFAULT_CAPACITY, DEFAULT_WINDOW, now);
/// let flight = FirstFlight::new([7; 32], now, now, now.plus(DEFAULT_WINDOW));
/// assert_eq!(guard.guard().check(&flight), Seen::Never);
/// assert_eq!(guard.guard().check(&flight), Seen::Before);
/// ```
pub struct ReplayRegister {
    scope: Scope,
    shards: Shards<Shard>,
}

impl ReplayRegister {
    /// How many flights a register remembers unless told otherwise: 5,000 a second with the default window.
    pub const DEFAULT_CAPACITY: usize = 100_000;

    /// Remembers `capacity` flights, from 1 to 2^26 (what lies outside is cut to that), and some more by chance. They are
    /// fresh for `window` before and after they are expected. Tickets issued before `since`, the present moment, are
    /// refused.
    #[must_use]
    pub fn new(capacity: usize, window: Duration, since: Moment) -> Arc<Guard<Self>> {
        let register =
            Self { scope: Scope::new(window, since), shards: Shards::new(capacity, Shard::with_capacity) };
        Arc::new(Guard::vouched(register, Reach::Process, window))
    }
}

impl ReplayGuard for ReplayRegister {
    fn check(&self, flight: &FirstFlight) -> Seen {
        if let Err(why) = self.scope.admit(flight) {
            return Seen::Unknown(why);
        }
        let Some(mut shard) = self.shards.of(&flight.id) else { return Seen::Unknown(Unknowable::Full) };
        shard.check(flight, &self.scope).unwrap_or_else(Seen::Unknown)
    }
}

impl fmt::Debug for ReplayRegister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayRegister").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// A part of the register.
struct Shard {
    known: Table,
    /// No flight in it expires later.
    latest: Moment,
    forgotten: Forgotten,
}

impl Shard {
    fn with_capacity(capacity: usize) -> Self {
        let known = Table::with_capacity(capacity);
        Self { known, latest: Moment::default(), forgotten: Forgotten::default() }
    }

    fn check(&mut self, flight: &FirstFlight, scope: &Scope) -> Result<Seen, Unknowable> {
        if self.known.holds(&flight.id) {
            return Ok(Seen::Before);
        }
        if self.forgotten.covers(flight.expires) {
            return Err(Unknowable::BeforeMemory);
        }
        self.forget_expired(LOOKED_AT, flight.now);
        if self.known.is_full() {
            self.forget_expired(LOOKED_AT_WHEN_FULL, flight.now);
            self.forget_ahead(flight.now, scope.horizon(flight.now));
        }
        if !self.known.insert(&flight.id, flight.expires) {
            return Err(Unknowable::Full);
        }
        self.latest = self.latest.max(flight.expires);
        Ok(Seen::Never)
    }

    fn forget_expired(&mut self, looked_at: usize, now: Moment) {
        self.known.sweep(looked_at, |expires| {
            let keeps = expires >= now;
            if !keeps {
                self.forgotten.drop_until(expires);
            }
            keeps
        });
    }

    /// A clock that ran ahead leaves flights behind that would take up room until it gets there again: they are forgotten,
    /// once there is need. Looks at every flight, but only after a clock was set back.
    fn forget_ahead(&mut self, now: Moment, horizon: Moment) {
        if self.latest <= horizon || !self.known.is_full() {
            return;
        }
        let mut first: Option<Moment> = None;
        self.known.sweep(usize::MAX, |expires| {
            let keeps = expires <= horizon;
            if !keeps {
                first = Some(first.map_or(expires, |first| first.min(expires)));
            }
            keeps
        });
        if let Some(first) = first {
            self.forgotten.drop_ahead(first, self.latest, now);
        }
        self.latest = horizon;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::shards::tests::{WINDOW, at, flight};
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn register(capacity: usize) -> Arc<Guard<ReplayRegister>> {
        ReplayRegister::new(capacity, WINDOW, at(0))
    }

    fn check(register: &Guard<ReplayRegister>, flight: FirstFlight) -> Seen {
        register.guard().check(&flight)
    }

    const BEFORE_MEMORY: Seen = Seen::Unknown(Unknowable::BeforeMemory);

    #[test]
    fn a_flight_is_new_once() {
        let register = register(10);
        assert_eq!(check(&register, flight(1, 0, 10_000)), Seen::Never);
        assert_eq!(check(&register, flight(1, 10_000, 10_000)), Seen::Before);
        assert_eq!(check(&register, flight(2, 10_000, 10_000)), Seen::Never);
    }

    #[test]
    fn ids_that_share_their_front_are_different_flights() {
        let register = register(10);
        let (one, mut other) = (flight(1, 0, 10), flight(1, 0, 10));
        other.id[31] ^= 1;
        assert_eq!([check(&register, one), check(&register, other)], [Seen::Never; 2]);
    }

    #[test]
    fn a_full_register_refuses() {
        let register = register(2);
        assert_eq!(check(&register, flight(1, 0, 10)), Seen::Never);
        assert_eq!(check(&register, flight(2, 0, 10)), Seen::Never);
        assert_eq!(check(&register, flight(3, 10, 20)), Seen::Unknown(Unknowable::Full));
        assert_eq!(check(&register, flight(1, 10, 10)), Seen::Before);
    }

    #[test]
    fn what_expired_makes_room() {
        let register = register(1);
        assert_eq!(check(&register, flight(1, 0, 10)), Seen::Never);
        assert_eq!(check(&register, flight(2, 10, 20)), Seen::Unknown(Unknowable::Full));
        assert_eq!(check(&register, flight(2, 11, 20)), Seen::Never);
    }

    #[test]
    fn a_flight_that_is_not_fresh_is_unknowable() {
        assert_eq!(check(&register(1), flight(1, 11, 10)), BEFORE_MEMORY);
    }

    #[test]
    fn a_ticket_from_before_the_memory_is_refused() {
        let register = ReplayRegister::new(10, WINDOW, at(1000));
        let mut old = flight(1, 1001, 2000);
        old.issued = at(999);
        assert_eq!(check(&register, old), BEFORE_MEMORY);
        old.issued = at(1000);
        assert_eq!(check(&register, old), Seen::Never);
    }

    #[test]
    fn nothing_is_remembered_for_longer_than_a_flight_can_be_fresh() {
        let register = register(10);
        assert_eq!(check(&register, flight(1, 0, 21_001)), Seen::Unknown(Unknowable::TooLong));
        assert_eq!(check(&register, flight(1, 0, 21_000)), Seen::Never);
    }

    #[test]
    fn a_flight_forgotten_by_a_clock_that_jumped_is_not_new_when_it_jumps_back() {
        let register = register(10);
        assert_eq!(check(&register, flight(1, 0, 5000)), Seen::Never);
        assert_eq!(check(&register, flight(2, HOUR, HOUR + 5000)), Seen::Never);
        assert_eq!(check(&register, flight(1, 1, 5000)), BEFORE_MEMORY);
        // Flights that expire later than any that was forgotten are told apart at once.
        assert_eq!(check(&register, flight(3, 1, 5001)), Seen::Never);
        assert_eq!(check(&register, flight(2, HOUR, HOUR + 5000)), Seen::Before);
    }

    #[test]
    fn flights_of_a_clock_that_ran_ahead_give_way_but_are_never_new_again() {
        let register = register(2);
        assert_eq!(check(&register, flight(1, HOUR, HOUR + 1000)), Seen::Never);
        assert_eq!(check(&register, flight(2, HOUR, HOUR + 2000)), Seen::Never);
        assert_eq!(check(&register, flight(3, 1, 5000)), Seen::Never);
        assert_eq!(check(&register, flight(4, 1, 5000)), Seen::Never);
        assert_eq!(check(&register, flight(5, 1, 5000)), Seen::Unknown(Unknowable::Full));
        for (name, expires) in [(1, 1000), (2, 2000), (6, 1500)] {
            assert_eq!(check(&register, flight(name, HOUR, HOUR + expires)), BEFORE_MEMORY);
        }
        assert_eq!(check(&register, flight(7, HOUR, HOUR + 2001)), Seen::Never);
        assert_eq!(check(&register, flight(8, HOUR, HOUR + 999)), Seen::Never);
    }

    #[test]
    fn the_ends_of_time_are_no_special_moments() {
        let register = register(2);
        assert_eq!(check(&register, flight(1, u64::MAX, u64::MAX)), Seen::Never);
        assert_eq!(check(&register, flight(1, u64::MAX, u64::MAX)), Seen::Before);
        assert_eq!(check(&register, flight(2, 0, 0)), Seen::Never);
        assert_eq!(check(&register, flight(3, 0, 1)), Seen::Never);
        assert_eq!(check(&register, flight(1, u64::MAX, u64::MAX)), BEFORE_MEMORY);
        assert_eq!(check(&register, flight(2, 0, 0)), Seen::Before);
    }

    #[test]
    fn a_steady_rate_within_the_capacity_is_never_refused() {
        let register = register(100_000);
        // 10,000 flights a second, each to be remembered for 8 seconds: room enough, as long as what expired is found.
        for name in 0..400_000 {
            let now = name / 10;
            assert_eq!(check(&register, flight(name, now, now + 8_000)), Seen::Never, "{name}");
        }
    }

    #[test]
    fn flights_within_the_capacity_are_not_refused_for_chance() {
        let register = register(100_000);
        let refused = (0..100_000).filter(|name| check(&register, flight(*name, 0, 10)) != Seen::Never);
        assert_eq!(refused.count(), 0);
    }

    #[test]
    fn of_two_threads_only_one_is_told_that_a_flight_is_new() {
        const FLIGHTS: u64 = 20_000;
        let register = register(100_000);
        let count = |register: &Guard<ReplayRegister>| {
            (0..FLIGHTS).filter(|name| check(register, flight(*name, 0, 10)) == Seen::Never).count()
        };
        let counts = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| count(&register))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(counts.iter().sum::<usize>(), FLIGHTS as usize, "{counts:?}");
    }

    /// The register as a map that never forgets, and what time it was at last.
    #[derive(Default)]
    struct Model {
        new: HashMap<u64, u64>,
        latest_now: u64,
        latest_expiry: u64,
        went_back: bool,
    }

    impl Model {
        /// What the register must say; `None` where it may refuse.
        fn expect(&mut self, name: u64, now: u64, expires: u64, capacity: usize) -> Option<Seen> {
            self.went_back |= now < self.latest_now;
            self.latest_now = self.latest_now.max(now);
            let live = self.new.values().filter(|expires| **expires >= now).count();
            match self.new.contains_key(&name) {
                // It is within its time, so that a steady clock has not forgotten it.
                true if !self.went_back => Some(Seen::Before),
                true => None,
                // No jump ever dropped what expires later than all that was ever seen.
                false if expires > self.latest_expiry && self.new.len() < capacity => Some(Seen::Never),
                false if !self.went_back && live < capacity => Some(Seen::Never),
                false if !self.went_back => Some(Seen::Unknown(Unknowable::Full)),
                false => None,
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Act {
        /// The clock goes on, or jumps.
        Clock(i64),
        /// A new flight comes that expires so much later.
        New(u64),
        /// One of the earlier flights comes again, if it is fresh, or the clock is set so that it is.
        Again(prop::sample::Index, bool),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => (0_i64..3_000).prop_map(Act::Clock),
            1 => (-100_000_i64..100_000).prop_map(Act::Clock),
            8 => (0_u64..=20_000).prop_map(Act::New),
            4 => (any::<prop::sample::Index>(), prop::bool::weighted(0.2)).prop_map(|(which, jump)| Act::Again(which, jump)),
        ]
    }

    fn forward() -> impl Strategy<Value = Act> {
        act().prop_map(|act| match act {
            Act::Clock(by) => Act::Clock(by.abs()),
            Act::Again(which, _) => Act::Again(which, false),
            act => act,
        })
    }

    /// Plays `acts`; how often the model knew what had to be said.
    fn play(acts: Vec<Act>, capacity: usize) -> Result<usize, TestCaseError> {
        let register = register(capacity);
        let (mut model, mut now, mut flights, mut known) = (Model::default(), 1_000_000_u64, Vec::new(), 0);
        for act in acts {
            let (name, expires) = match act {
                Act::Clock(by) => {
                    now = now.saturating_add_signed(by);
                    continue;
                }
                Act::New(later) => {
                    flights.push(now + later);
                    (flights.len() - 1, now + later)
                }
                Act::Again(which, jump) => {
                    if flights.is_empty() {
                        continue;
                    }
                    let name = which.index(flights.len());
                    let expires = flights[name];
                    if jump {
                        now = expires;
                    }
                    if now > expires || expires > now + 20_000 {
                        continue;
                    }
                    (name, expires)
                }
            };
            let expected = model.expect(name as u64, now, expires, capacity);
            let seen = check(&register, flight(name as u64, now, expires));
            if let Some(expected) = expected {
                known += 1;
                prop_assert_eq!(seen, expected);
            }
            if seen == Seen::Never {
                prop_assert!(model.new.insert(name as u64, expires).is_none(), "{} was new twice", name);
            }
            model.latest_expiry = model.latest_expiry.max(expires);
        }
        Ok(known)
    }

    proptest! {
        #[test]
        fn no_flight_is_new_twice_however_the_clock_jumps(acts in prop::collection::vec(act(), 0..200), capacity in 1_usize..20) {
            play(acts, capacity)?;
        }

        #[test]
        fn a_register_with_a_steady_clock_is_exact(acts in prop::collection::vec(forward(), 0..200), capacity in 1_usize..20) {
            let flights = acts.iter().filter(|act| matches!(act, Act::New(_))).count();
            let known = play(acts, capacity)?;
            prop_assert!(known >= flights);
        }
    }
}
