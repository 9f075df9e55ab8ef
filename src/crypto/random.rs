//! Randomness.

use super::Failed;

/// A cryptographically secure source of random bytes (RFC 9846 appendix C.1).
pub trait Rng: Send + Sync {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when there is no entropy to be had; then `out` must not be used.
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed>;
}
