//! Authenticated encryption as a provider sees it: nonce, additional data and bytes.

use alloc::boxed::Box;

use super::Failed;

/// Length in bytes of a nonce: the `iv_length` of every suite here (RFC 9846 section 5.3).
//= testvectors/requirements/rfc9846.txt#section-5.3
//# An AEAD algorithm where N_MAX is less than 8 bytes MUST NOT be used with TLS.
pub const NONCE_LEN: usize = 12;

/// Length in bytes of the authentication tag of every suite here (RFC 9846 section 5.2).
//= testvectors/requirements/rfc9846.txt#section-5.2
//# An AEAD algorithm used in TLS 1.3 MUST NOT produce an expansion greater than 255 octets.
pub const TAG_LEN: usize = 16;

/// A nonce, used once under its key.
#[derive(Clone, Copy)]
pub struct Nonce(pub [u8; NONCE_LEN]);

/// An AEAD algorithm (RFC 5116) with a 12-byte nonce and a 16-byte tag.
pub trait Aead: Send + Sync {
    /// Length of a key in bytes, at most 32.
    fn key_len(&self) -> usize;

    /// Prepares a key of [`Aead::key_len`] bytes.
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when `key` has another length.
    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed>;

    /// How many full-size records may be sealed under one key (RFC 9846 section 5.5); at most 2^64-1.
    fn record_limit(&self) -> u64;

    /// Whether this processor has instructions for this algorithm.
    fn accelerated(&self) -> bool;
}

/// A prepared AEAD key; its material is wiped when it is dropped.
pub trait AeadKey: Send + Sync {
    /// Encrypts `body` where it lies and writes its tag.
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when the body is longer than the algorithm can take.
    fn seal_in_place(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        body: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), Failed>;

    /// Decrypts `body_and_tag` where it lies and gives the length of the plaintext at its front.
    ///
    /// # Errors
    ///
    /// [`Failed::Input`] when the tag does not match or is missing; then the buffer holds nothing of use.
    fn open_in_place(&self, nonce: &Nonce, aad: &[u8], body_and_tag: &mut [u8]) -> Result<usize, Failed>;

    /// Encrypts the concatenation of `parts` into `out`, which is exactly as long as they and a tag.
    ///
    /// By default a copy and [`AeadKey::seal_in_place`]; a provider that can encrypt from one buffer into another
    /// saves the copy.
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when the lengths do not fit each other.
    fn seal_parts(&self, nonce: &Nonce, aad: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        let (body, tag) = out.split_last_chunk_mut::<TAG_LEN>().ok_or(Failed::Provider)?;
        let mut rest = &mut *body;
        for part in parts {
            let (here, after) = rest.split_at_mut_checked(part.len()).ok_or(Failed::Provider)?;
            here.copy_from_slice(part);
            rest = after;
        }
        if !rest.is_empty() {
            return Err(Failed::Provider);
        }
        self.seal_in_place(nonce, aad, body, tag)
    }
}
