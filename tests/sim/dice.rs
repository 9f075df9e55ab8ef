//! Randomness from a seed: everything that happens in a story is drawn from one of these.

use std::ops::Range;
use std::sync::Mutex;

use symbolon::crypto::{Failed, Rng};

/// A small generator of numbers that need not be secret (splitmix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    pub fn within(&mut self, range: Range<usize>) -> usize {
        range.start + (self.roll() % (range.end - range.start) as u64) as usize
    }

    /// Whether something happens that happens once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.roll().is_multiple_of(n)
    }

    pub fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.within(0..list.len())]
    }

    /// Some of `list` in some order, at least one, and `wanted` among them.
    pub fn some_of<T: Copy + PartialEq>(&mut self, list: &[T], wanted: T) -> Vec<T> {
        let mut chosen: Vec<T> =
            list.iter().copied().filter(|entry| *entry == wanted || self.once_in(2)).collect();
        for at in (1..chosen.len()).rev() {
            chosen.swap(at, self.within(0..at + 1));
        }
        chosen
    }
}

/// Changes every bit with every bit (the end of splitmix64).
pub fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// A provider's randomness.
pub struct Drawing(Mutex<Dice>);

impl Drawing {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(Dice::new(seed)))
    }
}

impl Rng for Drawing {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        super::toy::work()?;
        let mut dice = self.0.lock().unwrap();
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&dice.roll().to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
