//! Hash functions, HMAC and HKDF as a provider sees them.

use alloc::boxed::Box;

use super::Failed;

/// The longest hash output that a suite can have, in bytes (SHA-512).
pub const MAX_HASH_LEN: usize = 64;

/// The output of a hash function. Not secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    bytes: [u8; MAX_HASH_LEN],
    len: usize,
}

impl Digest {
    /// Copies `bytes`, of which there are at most [`MAX_HASH_LEN`]; more are cut off.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut digest = Self { bytes: [0; MAX_HASH_LEN], len: bytes.len().min(MAX_HASH_LEN) };
        for (to, from) in digest.bytes.iter_mut().zip(bytes) {
            *to = *from;
        }
        digest
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

/// One HKDF-Expand (RFC 5869 section 2.3) of a batch: `info` in, as many bytes as `out` has out.
pub struct Expansion<'a> {
    /// The context string, already encoded.
    pub info: &'a [u8],
    /// At most 255 hash lengths.
    pub out: &'a mut [u8],
}

/// A hash function with HMAC (RFC 2104) and HKDF (RFC 5869) on it.
pub trait Hash: Send + Sync {
    /// Output length in bytes: 32 or 48 for the suites of RFC 9846.
    fn output_len(&self) -> usize;

    /// A running hash; one allocation.
    fn start(&self) -> Box<dyn HashContext>;

    /// The hash of the concatenation of `parts`.
    fn hash(&self, parts: &[&[u8]]) -> Digest;

    /// HMAC of the concatenation of `parts`, into the first [`Hash::output_len`] bytes of `out`.
    ///
    /// HKDF-Extract is this with the salt as `key`.
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when `out` is shorter than the output.
    fn hmac(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed>;

    /// Prepares an HMAC key that is used more than once; one allocation.
    fn hmac_key(&self, key: &[u8]) -> Box<dyn HmacKey>;

    /// HKDF-Expand for each of `batch` under the one key `prk`, which is prepared once and allocates nothing.
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when an output is longer than 255 hash lengths.
    fn expand(&self, prk: &[u8], batch: &mut [Expansion<'_>]) -> Result<(), Failed>;
}

/// A running hash.
pub trait HashContext: Send + Sync {
    /// Appends `bytes` to what is hashed.
    fn update(&mut self, bytes: &[u8]);

    /// The hash of everything so far; hashing can go on. Nothing is allocated.
    fn digest(&self) -> Digest;

    /// The hash of everything so far with `suffix` behind it; hashing goes on without it. Nothing is allocated.
    fn digest_with(&self, suffix: &[u8]) -> Digest;
}

/// An HMAC key whose padded blocks are hashed once; wiped when it is dropped.
pub trait HmacKey: Send + Sync {
    /// HMAC of the concatenation of `parts`, into the first bytes of `out`.
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when `out` is shorter than the output.
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed>;
}
