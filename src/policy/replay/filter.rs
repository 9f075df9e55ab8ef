//! A Bloom filter that forgets by generations, for rates at which a register would take too much memory.
//!
//! A generation holds the flights that expire within a span of time, so that a flight's place never depends on the clock.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use core::fmt;
use core::num::NonZeroU32;
use core::time::Duration;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::shards::{Forgotten, Scope, Shards};
use super::{Guard, ReplayGuard};
use crate::config::Reach;
use crate::moment::Moment;
use crate::psk::Unknowable;
use crate::question::{FirstFlight, Seen};

/// How many generations are remembered. One lasts for half the time for which a flight may be fresh, so that flights that
/// are fresh at one moment belong to three of them at most.
const GENERATIONS: usize = 3;

/// How many generations before and after a fresh flight's own another fresh flight's may be.
const NEAR: u64 = 2;

/// The most bits that are set for one flight: one in 2^32 new flights is taken for an old one.
const MOST_BITS: u32 = 32;

/// Remembers the first flights of this process in little memory, until they expire; takes a few new ones for old ones.
///
/// A new flight that is taken for an old one loses its early data and a round trip, nothing else (RFC 9846 section 8.2:
/// such stores "MUST respond to apparent replay by rejecting 0-RTT but MUST NOT abort the handshake"). The memory is
/// allocated when it is made: with one in 1,000 about 6 bytes for each of the expected flights, and 15 with one in 10^7.
/// Clocks may jump as they may for a [`ReplayRegister`](super::ReplayRegister).
///
/// ```
/// use std::sync::Arc;
/// use symbolon::Moment;
/// use symbolon::policy::replay::{DEFAULT_WINDOW, Guard, ReplayGuard, RotatingFilter};
///
/// const ONE_IN: std::num::NonZeroU32 = std::num::NonZeroU32::new(1000).unwrap();
/// let guard: Arc<Guard<dyn ReplayGuard>> =
///     RotatingFilter::new(10_000, ONE_IN, DEFAULT_WINDOW, Moment::from_secs(1_800_000_000));
/// ```
//= testvectors/requirements/rfc9846.txt#section-8.2
//# in which case they MUST respond to apparent replay by rejecting 0-RTT but MUST NOT abort the handshake
pub struct RotatingFilter {
    scope: Scope,
    shards: Shards<Shard>,
    hasher: RandomState,
    /// How many milliseconds a generation lasts; at least 1.
    lasts: u64,
    /// How many bits stand for a flight.
    bits: u32,
}

impl RotatingFilter {
    /// Expects at most `flights` first flights in any span of `window` (of a second, if that is longer), from 1 to 2^26
    /// (what lies outside is cut to that), and takes at most one new flight in `one_in` for an old one; when more come it
    /// refuses them. Flights are fresh for `window` before and after they are expected. Tickets issued before `since`, the
    /// present moment, are refused.
    #[must_use]
    pub fn new(flights: usize, one_in: NonZeroU32, window: Duration, since: Moment) -> Arc<Guard<Self>> {
        let scope = Scope::new(window, since);
        let lasts = millis(scope.reach()).div_ceil(2).max(1);
        let bits = bits_for(one_in);
        let window_lasts = millis(window).max(1000);
        let shards = Shards::new(flights, |share| {
            // So many come while a generation lasts.
            let flights =
                u64::try_from(share).unwrap_or(u64::MAX).saturating_mul(lasts).div_ceil(window_lasts);
            Shard::new(flights, bits)
        });
        let filter = Self { scope, shards, hasher: RandomState::new(), lasts, bits };
        Arc::new(Guard::vouched(filter, Reach::Process, window))
    }

    /// Which bits stand for a flight: each number modulo the size of its generation.
    fn places(&self, id: &[u8; 32]) -> impl Iterator<Item = u64> + Clone + use<> {
        let step = self.hasher.hash_one((1_u8, id));
        (0..self.bits).scan(self.hasher.hash_one((0_u8, id)), move |place, n| {
            let this = *place;
            // The step grows, so that no two flights share all their bits because they share two.
            *place = place.wrapping_add(step).wrapping_add(u64::from(n));
            Some(this)
        })
    }
}

/// At its fullest half of a filter's bits are set, and one flight in 2^k has all of its k bits set by others.
fn bits_for(one_in: NonZeroU32) -> u32 {
    one_in.get().checked_next_power_of_two().map_or(MOST_BITS, u32::trailing_zeros).max(1)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl ReplayGuard for RotatingFilter {
    fn check(&self, flight: &FirstFlight) -> Seen {
        if let Err(why) = self.scope.admit(flight) {
            return Seen::Unknown(why);
        }
        // Hashed before the lock is taken.
        let places = self.places(&flight.id);
        let Some(mut shard) = self.shards.of(&flight.id) else { return Seen::Unknown(Unknowable::Full) };
        shard.check(flight, self.lasts, places).unwrap_or_else(Seen::Unknown)
    }
}

impl fmt::Debug for RotatingFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotatingFilter").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// A part of the filter.
struct Shard {
    generations: [Generation; GENERATIONS],
    /// How many flights a generation holds.
    capacity: u64,
    forgotten: Forgotten,
}

/// The flights that expire within a span of time.
struct Generation {
    /// Which span it is, counted from 1970; `None` before there was any.
    number: Option<u64>,
    held: u64,
    words: Box<[u64]>,
}

impl Shard {
    fn new(capacity: u64, bits: u32) -> Self {
        // Half of n bits are set when n * ln 2 were drawn: 1 / ln 2 is below 1.443.
        let size = capacity.saturating_mul(u64::from(bits)).saturating_mul(1443).div_ceil(1000);
        let words = usize::try_from(size.div_ceil(64).max(1)).unwrap_or(usize::MAX);
        let generations =
            [(); GENERATIONS].map(|()| Generation { number: None, held: 0, words: vec![0; words].into() });
        Self { generations, capacity, forgotten: Forgotten::default() }
    }

    fn check(
        &mut self,
        flight: &FirstFlight,
        lasts: u64,
        places: impl Iterator<Item = u64> + Clone,
    ) -> Result<Seen, Unknowable> {
        let number = flight.expires.as_millis().checked_div(lasts).unwrap_or(0);
        let known = self.generations.iter().position(|generation| generation.number == Some(number));
        let known = known.and_then(|place| self.generations.get(place));
        if known.is_some_and(|generation| generation.holds(places.clone())) {
            return Ok(Seen::Before);
        }
        if self.forgotten.covers(flight.expires) {
            return Err(Unknowable::BeforeMemory);
        }
        if known.is_none() {
            self.begin(number, lasts, flight.now);
        }
        let mut generations = self.generations.iter_mut();
        let generation = generations.find(|generation| generation.number == Some(number));
        let generation = generation.ok_or(Unknowable::Full)?;
        if generation.held >= self.capacity {
            return Err(Unknowable::Full);
        }
        generation.insert(places);
        Ok(Seen::Never)
    }

    /// Begins the generation `number` in the place of one that no flight that is fresh now can belong to.
    fn begin(&mut self, number: u64, lasts: u64, now: Moment) {
        let highest = self.generations.iter().filter_map(|generation| generation.number).max();
        let lowest = self.generations.iter().map(|generation| generation.number).min().flatten();
        // "None" is the lowest of all: an unused place comes first.
        let leaves = match (lowest, highest) {
            // The clock ran ahead and was set back, and no earlier generation is over.
            (Some(lowest), Some(highest))
                if lowest >= number.saturating_sub(NEAR) && highest > number.saturating_add(NEAR) =>
            {
                let (first, last) = span(highest, lasts);
                self.forgotten.drop_ahead(first, last, now);
                Some(highest)
            }
            (Some(lowest), _) => {
                self.forgotten.drop_until(span(lowest, lasts).1);
                Some(lowest)
            }
            (None, _) => None,
        };
        if let Some(generation) = self.generations.iter_mut().find(|generation| generation.number == leaves) {
            generation.number = Some(number);
            generation.held = 0;
            generation.words.fill(0);
        }
    }
}

/// The first and the last moment of a generation.
fn span(number: u64, lasts: u64) -> (Moment, Moment) {
    let first = number.saturating_mul(lasts);
    (Moment::from_millis(first), Moment::from_millis(first.saturating_add(lasts.saturating_sub(1))))
}

impl Generation {
    fn holds(&self, mut places: impl Iterator<Item = u64>) -> bool {
        places.all(|place| {
            let (word, bit) = self.find(place);
            self.words.get(word).is_some_and(|word| word & bit != 0)
        })
    }

    fn insert(&mut self, places: impl Iterator<Item = u64>) {
        for place in places {
            let (word, bit) = self.find(place);
            if let Some(word) = self.words.get_mut(word) {
                *word |= bit;
            }
        }
        self.held = self.held.saturating_add(1);
    }

    /// The word of a bit, and the bit in it.
    fn find(&self, place: u64) -> (usize, u64) {
        let words = u64::try_from(self.words.len()).unwrap_or(u64::MAX);
        // The low bits choose the bit, the others the word.
        let word = place.wrapping_shr(6).checked_rem(words).unwrap_or(0);
        let bit = 1_u64.rotate_left(u32::try_from(place & 63).unwrap_or(0));
        (usize::try_from(word).unwrap_or(usize::MAX), bit)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::shards::tests::{WINDOW, at, flight};
    use super::*;

    const HOUR: u64 = 3_600_000;
    /// Of a generation with the window of these tests.
    const LASTS: u64 = 10_500;

    const BEFORE_MEMORY: Seen = Seen::Unknown(Unknowable::BeforeMemory);

    fn one_in(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).unwrap()
    }

    fn filter(flights: usize) -> Arc<Guard<RotatingFilter>> {
        RotatingFilter::new(flights, one_in(1 << 30), WINDOW, at(0))
    }

    fn check(filter: &Guard<RotatingFilter>, flight: FirstFlight) -> Seen {
        filter.guard().check(&flight)
    }

    #[test]
    fn a_flight_is_new_once() {
        let filter = filter(10);
        assert_eq!(filter.guard().lasts, LASTS);
        assert_eq!(check(&filter, flight(1, 0, 20_000)), Seen::Never);
        assert_eq!(check(&filter, flight(1, 20_000, 20_000)), Seen::Before);
        assert_eq!(check(&filter, flight(2, 20_000, 20_000)), Seen::Never);
    }

    #[test]
    fn flights_are_remembered_until_they_expire() {
        let filter = filter(200);
        // A steady clock, flights of every age: each comes again at its last moment.
        for now in (0..200_000).step_by(250) {
            for later in [0, 7_000, 20_000] {
                assert_eq!(check(&filter, flight(now * 4 + later % 3, now, now + later)), Seen::Never);
                if let Some(then) = now.checked_sub(later) {
                    assert_eq!(check(&filter, flight(then * 4 + later % 3, now, now)), Seen::Before);
                }
            }
        }
    }

    #[test]
    fn a_full_generation_refuses() {
        let filter = filter(10);
        // 10 in 10 seconds are 11 while a generation lasts.
        for name in 0..11 {
            assert_eq!(check(&filter, flight(name, 0, 10)), Seen::Never);
        }
        assert_eq!(check(&filter, flight(11, 0, 10)), Seen::Unknown(Unknowable::Full));
        assert_eq!(check(&filter, flight(3, 0, 10)), Seen::Before);
        assert_eq!(check(&filter, flight(11, 0, LASTS)), Seen::Never);
    }

    #[test]
    fn a_ticket_from_before_the_memory_is_refused() {
        let filter = RotatingFilter::new(10, one_in(1000), WINDOW, at(1000));
        let mut old = flight(1, 1001, 2000);
        old.issued = at(999);
        assert_eq!(check(&filter, old), BEFORE_MEMORY);
    }

    #[test]
    fn what_is_not_fresh_or_too_far_ahead_is_unknowable() {
        let filter = filter(10);
        assert_eq!(check(&filter, flight(1, 11, 10)), BEFORE_MEMORY);
        assert_eq!(check(&filter, flight(1, 0, 21_001)), Seen::Unknown(Unknowable::TooLong));
    }

    #[test]
    fn a_flight_forgotten_by_a_clock_that_jumped_is_not_new_when_it_jumps_back() {
        let filter = filter(10);
        assert_eq!(check(&filter, flight(1, 0, 5000)), Seen::Never);
        for n in 0..GENERATIONS as u64 {
            assert_eq!(check(&filter, flight(2 + n, HOUR, HOUR + n * LASTS)), Seen::Never);
        }
        assert_eq!(check(&filter, flight(1, 1, 5000)), BEFORE_MEMORY);
        // The next generation is told apart at once.
        assert_eq!(check(&filter, flight(9, 1, LASTS)), Seen::Never);
        assert_eq!(check(&filter, flight(9, 1, LASTS)), Seen::Before);
    }

    #[test]
    fn generations_of_a_clock_that_ran_ahead_give_way_but_are_never_new_again() {
        let filter = filter(10);
        for n in 0..GENERATIONS as u64 {
            assert_eq!(check(&filter, flight(n, HOUR, HOUR + n * LASTS)), Seen::Never);
        }
        for n in 0..GENERATIONS as u64 {
            assert_eq!(check(&filter, flight(10 + n, 0, n * LASTS)), Seen::Never);
        }
        for n in 0..GENERATIONS as u64 {
            assert_eq!(check(&filter, flight(10 + n, 0, n * LASTS)), Seen::Before);
            assert_eq!(check(&filter, flight(n, HOUR, HOUR + n * LASTS)), BEFORE_MEMORY);
        }
        // Time gets past what was forgotten.
        let later = HOUR + 4 * LASTS;
        assert_eq!(check(&filter, flight(20, later, later)), Seen::Never);
    }

    #[test]
    fn the_ends_of_time_are_no_special_moments() {
        for window in [Duration::ZERO, WINDOW, Duration::MAX] {
            let filter = RotatingFilter::new(2, one_in(u32::MAX), window, at(0));
            for _ in 0..3 {
                check(&filter, flight(1, u64::MAX, u64::MAX));
                check(&filter, flight(2, 0, 0));
                assert_ne!(check(&filter, flight(1, u64::MAX, u64::MAX)), Seen::Never);
                assert_ne!(check(&filter, flight(2, 0, 0)), Seen::Never);
            }
        }
    }

    #[test]
    fn as_many_bits_stand_for_a_flight_as_its_error_rate_needs() {
        let cases = [(1, 1), (2, 1), (3, 2), (1000, 10), (1024, 10), (1025, 11), (u32::MAX, 32)];
        for (rate, bits) in cases {
            assert_eq!(bits_for(one_in(rate)), bits, "one in {rate}");
        }
    }

    #[test]
    fn new_flights_are_seldom_taken_for_old_ones() {
        const FLIGHTS: u64 = 50_000;
        const ONE_IN: u32 = 64;
        let filter = RotatingFilter::new(FLIGHTS as usize, one_in(ONE_IN), WINDOW, at(0));
        let wrong = (0..FLIGHTS).filter(|name| check(&filter, flight(*name, 0, 10)) != Seen::Never).count();
        // While it fills it is better than at its fullest, about six times.
        assert!(wrong < FLIGHTS as usize / ONE_IN as usize / 2, "{wrong}");
        let full: usize = (FLIGHTS..2 * FLIGHTS)
            .filter(|name| {
                let guard = filter.guard();
                let id = flight(*name, 0, 10).id;
                let shard = guard.shards.of(&id).unwrap();
                shard.generations.iter().any(|generation| generation.holds(guard.places(&id)))
            })
            .count();
        assert!(full < FLIGHTS as usize / ONE_IN as usize, "{full}");
    }

    #[test]
    fn of_two_threads_only_one_is_told_that_a_flight_is_new() {
        const FLIGHTS: u64 = 20_000;
        let filter = filter(100_000);
        let new = |filter: &Guard<RotatingFilter>| {
            (0..FLIGHTS).filter(|name| check(filter, flight(*name, 0, 10)) == Seen::Never).collect::<Vec<_>>()
        };
        let all = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| new(&filter))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let different: HashSet<_> = all.iter().collect();
        assert_eq!(all.len(), different.len());
        assert!(all.len() as u64 > FLIGHTS - 10, "{}", all.len());
    }

    #[derive(Clone, Debug)]
    enum Act {
        /// The clock goes on, or jumps.
        Clock(i64),
        /// A new flight comes that expires so much later.
        New(u64),
        /// One of the earlier flights comes again; the clock is set so that it is fresh.
        Again(prop::sample::Index),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => (0_i64..5_000).prop_map(Act::Clock),
            2 => (-100_000_i64..100_000).prop_map(Act::Clock),
            8 => (0_u64..=20_000).prop_map(Act::New),
            4 => any::<prop::sample::Index>().prop_map(Act::Again),
        ]
    }

    proptest! {
        #[test]
        fn no_flight_is_new_twice_however_the_clock_jumps(acts in prop::collection::vec(act(), 0..200)) {
            let filter = filter(1000);
            let (mut now, mut flights, mut new) = (1_000_000_u64, Vec::new(), HashSet::new());
            for act in acts {
                let name = match act {
                    Act::Clock(by) => {
                        now = now.saturating_add_signed(by);
                        continue;
                    }
                    Act::New(later) => {
                        flights.push(now + later);
                        flights.len() - 1
                    }
                    Act::Again(_) if flights.is_empty() => continue,
                    Act::Again(which) => {
                        let name = which.index(flights.len());
                        now = now.clamp(flights[name].saturating_sub(20_000), flights[name]);
                        name
                    }
                };
                let seen = check(&filter, flight(name as u64, now, flights[name]));
                prop_assert!(seen != Seen::Never || new.insert(name), "{} was new twice", name);
            }
        }
    }
}
