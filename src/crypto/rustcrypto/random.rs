//! Randomness: the operating system's as our `Rng`, and our `Rng` as the crates want it.

use rand_core::{TryCryptoRng, TryRng};

use crate::crypto::{Failed, Rng};

/// The operating system's source.
pub(super) struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        getrandom::fill(out).map_err(|_| Failed::Provider)
    }
}

/// Lends an [`Rng`] to a crate that wants a fallible generator of `rand_core`.
pub(super) struct Lent<'a>(pub(super) &'a dyn Rng);

impl TryRng for Lent<'_> {
    type Error = Failed;

    fn try_next_u32(&mut self) -> Result<u32, Failed> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Failed> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Failed> {
        self.0.fill(out)
    }
}

impl TryCryptoRng for Lent<'_> {}
