//! Bytes that must not leak: wiped when dropped, never printed, compared in constant time.
//!
//! A secret lives in one heap block from its derivation to its end, so that moving its owner leaves no copy
//! behind on the stack.

use alloc::boxed::Box;
use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// At most `CAP` secret bytes in one heap block that is wiped on drop.
///
/// There is no `Clone`, no `PartialEq` and no access to the bytes outside this crate and its providers other
/// than [`Secret::expose`], whose name marks the spot in a review.
///
/// ```compile_fail,E0599
/// fn copy(secret: symbolon::crypto::HashSecret) { let _ = secret.clone(); }
/// ```
/// ```compile_fail,E0277
/// fn print(secret: symbolon::crypto::HashSecret) -> String { format!("{secret}") }
/// ```
/// ```compile_fail,E0369
/// fn compare(a: symbolon::crypto::HashSecret, b: symbolon::crypto::HashSecret) -> bool { a == b }
/// ```
/// ```
/// fn compare(a: symbolon::crypto::HashSecret, b: symbolon::crypto::HashSecret) -> bool { a.matches(b.expose()) }
/// fn print(secret: symbolon::crypto::HashSecret) -> String { format!("{secret:?}") } // its length alone
/// ```
pub struct Secret<const CAP: usize> {
    bytes: Box<[u8; CAP]>,
    len: usize,
}

/// The output of a TLS 1.3 hash function: at most 48 bytes (RFC 9846 section 7.1).
pub type HashSecret = Secret<48>;

/// The output of a key exchange, at most 96 bytes (RFC 9846 section 7.4).
pub type SharedSecret = Secret<96>;

impl<const CAP: usize> Secret<CAP> {
    /// A secret of `len` zero bytes, to be filled through [`Secret::expose_mut`].
    ///
    /// `len` above `CAP` gives a secret of `CAP` bytes.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        Self { bytes: Box::new([0; CAP]), len: len.min(CAP) }
    }

    /// A secret that holds a copy of `bytes`; `None` when there are more than `CAP` of them.
    ///
    /// The caller remains responsible for the original.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self { bytes: Box::new([0; CAP]), len: bytes.len() };
        secret.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(secret)
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// The bytes themselves, to be written.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or(&mut [])
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Constant-time comparison; only the lengths, which are public, are compared early.
    #[must_use]
    pub fn matches(&self, other: &[u8]) -> bool {
        matches(self.expose(), other)
    }
}

impl<const CAP: usize> Drop for Secret<CAP> {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl<const CAP: usize> fmt::Debug for Secret<CAP> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len)
    }
}

/// Compares two byte strings in constant time; lengths are public.
pub(crate) fn matches(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn debug_shows_the_length_alone() {
        let secret = HashSecret::copy_of(&[0xAB; 32]).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(32 bytes)");
    }

    #[test]
    fn too_many_bytes_are_refused() {
        assert!(HashSecret::copy_of(&[1; 49]).is_none());
        assert_eq!(HashSecret::zeroed(200).len(), 48);
    }

    #[test]
    fn comparison_sees_every_byte_and_the_length() {
        let secret = HashSecret::copy_of(&[1, 2, 3]).unwrap();
        assert!(secret.matches(&[1, 2, 3]));
        assert!(!secret.matches(&[1, 2, 4]));
        assert!(!secret.matches(&[1, 2]));
    }
}
