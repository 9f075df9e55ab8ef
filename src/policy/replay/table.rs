//! A hash table of first flights whose size is fixed when it is made: one list a hash, through one array of places.
//!
//! A hand goes round the places, and drops a few flights at a time that are not to be kept.

use alloc::boxed::Box;
use alloc::vec;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use crate::moment::Moment;

/// No place.
const NONE: u32 = u32::MAX;

pub(super) struct Table {
    hasher: RandomState,
    /// Where the list of each hash begins; as many as a power of two.
    heads: Box<[u32]>,
    places: Box<[Place]>,
    /// Where the list of free places begins.
    free: u32,
    /// The place that is looked at next.
    hand: u32,
}

#[derive(Clone, Copy)]
struct Place {
    id: [u8; 32],
    expires: Moment,
    /// Which list it is in; [`NONE`] while it is free.
    home: u32,
    /// The next in its list.
    next: u32,
}

impl Table {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let empty = Place { id: [0; 32], expires: Moment::default(), home: NONE, next: NONE };
        let mut places: Box<[Place]> = vec![empty; capacity].into();
        for (next, place) in (1..).zip(places.iter_mut().rev().skip(1).rev()) {
            place.next = next;
        }
        let heads = vec![NONE; capacity.checked_next_power_of_two().unwrap_or(capacity)].into();
        let free = if capacity == 0 { NONE } else { 0 };
        Self { hasher: RandomState::new(), heads, places, free, hand: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.free == NONE
    }

    pub(super) fn holds(&self, id: &[u8; 32]) -> bool {
        let mut at = self.head(self.home(id));
        while let Some(place) = self.place(at) {
            if place.id == *id {
                return true;
            }
            at = place.next;
        }
        false
    }

    /// Puts a flight that it does not hold into a free place; `false` where there is none.
    pub(super) fn insert(&mut self, id: &[u8; 32], expires: Moment) -> bool {
        let (at, home) = (self.free, self.home(id));
        let next = self.head(home);
        let Some(place) = self.place_mut(at) else { return false };
        self.free = core::mem::replace(place, Place { id: *id, expires, home, next }).next;
        self.set_head(home, at);
        true
    }

    /// Looks at the next `count` places, at each once at most, and drops the flights that `keeps` does not want.
    pub(super) fn sweep(&mut self, count: usize, mut keeps: impl FnMut(Moment) -> bool) {
        for _ in 0..count.min(self.places.len()) {
            let at = self.hand;
            let Some(place) = self.place(at).copied() else { return };
            let after = at.wrapping_add(1);
            self.hand = if self.place(after).is_some() { after } else { 0 };
            if place.home != NONE && !keeps(place.expires) {
                self.drop_at(at, &place);
            }
        }
    }

    fn drop_at(&mut self, at: u32, dropped: &Place) {
        let mut before = self.head(dropped.home);
        if before == at {
            self.set_head(dropped.home, dropped.next);
        } else {
            while let Some(place) = self.place_mut(before) {
                if place.next == at {
                    place.next = dropped.next;
                    break;
                }
                before = place.next;
            }
        }
        let free = self.free;
        if let Some(place) = self.place_mut(at) {
            (place.home, place.next) = (NONE, free);
            self.free = at;
        }
    }

    fn home(&self, id: &[u8; 32]) -> u32 {
        let mask = u64::try_from(self.heads.len().saturating_sub(1)).unwrap_or(0);
        u32::try_from(self.hasher.hash_one(id) & mask).unwrap_or(0)
    }

    fn head(&self, home: u32) -> u32 {
        index(home).and_then(|home| self.heads.get(home)).copied().unwrap_or(NONE)
    }

    fn set_head(&mut self, home: u32, at: u32) {
        if let Some(head) = index(home).and_then(|home| self.heads.get_mut(home)) {
            *head = at;
        }
    }

    fn place(&self, at: u32) -> Option<&Place> {
        self.places.get(index(at)?)
    }

    fn place_mut(&mut self, at: u32) -> Option<&mut Place> {
        self.places.get_mut(index(at)?)
    }
}

fn index(at: u32) -> Option<usize> {
    usize::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::shards::tests::{at, flight};
    use super::*;

    #[test]
    fn a_table_holds_what_its_capacity_says() {
        for capacity in [0, 1, 2, 3, 64, 100] {
            let mut table = Table::with_capacity(capacity);
            for name in 0..capacity as u64 {
                assert!(!table.is_full());
                assert!(table.insert(&flight(name, 0, 0).id, at(name)));
            }
            assert!(table.is_full());
            assert!(!table.insert(&[7; 32], at(0)));
            assert!((0..capacity as u64).all(|name| table.holds(&flight(name, 0, 0).id)));
            assert!(!table.holds(&[7; 32]));
        }
    }

    #[test]
    fn a_sweep_looks_at_each_place_once_and_goes_on_where_it_stopped() {
        let mut table = Table::with_capacity(5);
        for name in 0..5 {
            table.insert(&flight(name, 0, 0).id, at(name));
        }
        let mut seen = [0; 5];
        for count in [3, 2, 100] {
            table.sweep(count, |expires| {
                seen[expires.as_millis() as usize] += 1;
                true
            });
        }
        assert_eq!(seen, [2; 5]);
    }

    #[test]
    fn a_table_is_a_map_however_often_places_are_used_again() {
        let (mut table, mut model) = (Table::with_capacity(50), HashMap::new());
        for name in 0..5000_u64 {
            assert_eq!(table.insert(&flight(name, 0, 0).id, at(name)), model.len() < 50);
            if model.len() < 50 {
                model.insert(name, ());
            }
            // What is dropped is drawn from all the lists' ends and middles.
            table.sweep(7, |expires| {
                let keeps = expires.as_millis() * 31 % 7 > name % 5;
                if !keeps {
                    assert!(model.remove(&expires.as_millis()).is_some());
                }
                keeps
            });
            if name % 50 == 0 {
                for other in 0..=name {
                    assert_eq!(table.holds(&flight(other, 0, 0).id), model.contains_key(&other));
                }
            }
        }
    }
}
