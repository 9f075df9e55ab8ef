//! Randomness from a seed, and what a network does to bytes: it splits them, and may cut or damage them.

use std::ops::Range;

/// A small generator of numbers that need not be secret (splitmix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn within(&mut self, range: Range<usize>) -> usize {
        range.start + (self.roll() as usize) % (range.end - range.start)
    }

    /// Whether something happens that happens once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.roll().is_multiple_of(n)
    }
}

/// A one-way wire.
#[derive(Default)]
pub struct Wire {
    pub under_way: Vec<u8>,
    /// Everything that was ever put in.
    pub recorded: Vec<u8>,
}

impl Wire {
    pub fn put(&mut self, bytes: &[u8]) {
        self.under_way.extend_from_slice(bytes);
        self.recorded.extend_from_slice(bytes);
    }

    /// Some of what is under way, at least a byte.
    pub fn deliver(&mut self, dice: &mut Dice) -> Vec<u8> {
        let len = match dice.within(0..3) {
            0 => dice.within(1..self.under_way.len() + 1),
            _ => self.under_way.len(),
        };
        self.under_way.drain(..len).collect()
    }
}
