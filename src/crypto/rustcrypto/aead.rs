//! AES-GCM and ChaCha20-Poly1305, in place, with nothing allocated per operation.

use alloc::boxed::Box;
use core::marker::PhantomData;

use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use chacha20poly1305::ChaCha20Poly1305;

use crate::crypto::{Aead, AeadKey, Failed, Nonce, TAG_LEN};

/// 2^24.5, rounded down (RFC 9846 section 5.5).
const GCM_RECORDS: u64 = 23_726_566;

pub(super) static AES_128_GCM: Algorithm<Aes128Gcm> = Algorithm::new(GCM_RECORDS, has_gcm_instructions);
pub(super) static AES_256_GCM: Algorithm<Aes256Gcm> = Algorithm::new(GCM_RECORDS, has_gcm_instructions);
// RFC 9846 section 5.5: the sequence number would wrap before a limit is reached.
pub(super) static CHACHA20_POLY1305: Algorithm<ChaCha20Poly1305> = Algorithm::new(u64::MAX, || false);

/// An AEAD and what the library must know of it.
pub(super) struct Algorithm<C> {
    record_limit: u64,
    accelerated: fn() -> bool,
    cipher: PhantomData<fn() -> C>,
}

impl<C> Algorithm<C> {
    const fn new(record_limit: u64, accelerated: fn() -> bool) -> Self {
        Self { record_limit, accelerated, cipher: PhantomData }
    }
}

impl<C> Aead for Algorithm<C>
where
    C: AeadInOut<NonceSize = U12, TagSize = U16> + KeyInit + Send + Sync + 'static,
{
    fn key_len(&self) -> usize {
        C::key_size()
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        let cipher = C::new_from_slice(key).map_err(|_| Failed::Provider)?;
        Ok(Box::new(Key(cipher)))
    }

    fn record_limit(&self) -> u64 {
        self.record_limit
    }

    fn accelerated(&self) -> bool {
        (self.accelerated)()
    }
}

struct Key<C>(C);

impl<C> AeadKey for Key<C>
where
    C: AeadInOut<NonceSize = U12, TagSize = U16> + Send + Sync,
{
    fn seal_in_place(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        body: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), Failed> {
        let sealed = self.0.encrypt_inout_detached(&nonce.0.into(), aad, body.into());
        *tag = sealed.map_err(|_| Failed::Provider)?.into();
        Ok(())
    }

    fn open_in_place(&self, nonce: &Nonce, aad: &[u8], body_and_tag: &mut [u8]) -> Result<usize, Failed> {
        let (body, tag) = body_and_tag.split_last_chunk_mut::<TAG_LEN>().ok_or(Failed::Input)?;
        let len = body.len();
        self.0
            .decrypt_inout_detached(&nonce.0.into(), aad, body.into(), &(*tag).into())
            .map_err(|_| Failed::Input)?;
        Ok(len)
    }
}

/// Whether AES and carry-less multiplication are instructions here; without `std` only what the build target
/// promises is known.
fn has_gcm_instructions() -> bool {
    #[cfg(all(feature = "std", any(target_arch = "x86", target_arch = "x86_64")))]
    return std::is_x86_feature_detected!("aes") && std::is_x86_feature_detected!("pclmulqdq");
    #[cfg(all(feature = "std", target_arch = "aarch64"))]
    return std::arch::is_aarch64_feature_detected!("aes")
        && std::arch::is_aarch64_feature_detected!("pmull");
    #[cfg(not(all(
        feature = "std",
        any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")
    )))]
    cfg!(all(target_feature = "aes", any(target_feature = "pclmulqdq", target_arch = "aarch64")))
}
