//! SHA-256 and SHA-384 with HMAC and HKDF-Expand. Only `start` and `hmac_key` allocate.

use alloc::boxed::Box;
use core::marker::PhantomData;

use hmac::digest::{FixedOutput, Output};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384};
use zeroize::Zeroize;

use crate::crypto::{Digest, Expansion, Failed, Hash, HashContext, HmacKey};

pub(super) static SHA256: Sha2<Sha256> = Sha2(PhantomData);
pub(super) static SHA384: Sha2<Sha384> = Sha2(PhantomData);

/// A hash function of the SHA-2 family.
pub(super) struct Sha2<D>(PhantomData<fn() -> D>);

impl<D> Hash for Sha2<D>
where
    D: EagerHash + Send + Sync + 'static,
    Hmac<D>: Send + Sync,
{
    fn output_len(&self) -> usize {
        <D as sha2::Digest>::output_size()
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Context(D::new()))
    }

    fn hash(&self, parts: &[&[u8]]) -> Digest {
        let mut hash = D::new();
        for part in parts {
            hash.update(part);
        }
        Digest::new(&hash.finalize())
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        finish(prepare::<D>(key)?, parts, out)
    }

    fn hmac_key(&self, key: &[u8]) -> Box<dyn HmacKey> {
        Box::new(Prepared(prepare::<D>(key)))
    }

    fn expand(&self, prk: &[u8], batch: &mut [Expansion<'_>]) -> Result<(), Failed> {
        let key = prepare::<D>(prk)?;
        batch.iter_mut().try_for_each(|expansion| expand(&key, expansion.info, expansion.out))
    }
}

struct Context<D>(D);

impl<D> HashContext for Context<D>
where
    D: EagerHash + Send + Sync,
{
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn digest(&self) -> Digest {
        Digest::new(&self.0.clone().finalize())
    }

    fn digest_with(&self, suffix: &[u8]) -> Digest {
        Digest::new(&self.0.clone().chain_update(suffix).finalize())
    }
}

struct Prepared<D: EagerHash>(Result<Hmac<D>, Failed>);

impl<D> HmacKey for Prepared<D>
where
    D: EagerHash,
    Hmac<D>: Send + Sync,
{
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        finish(self.0.clone()?, parts, out)
    }
}

/// Hashes the padded blocks of `key`. HMAC takes keys of any length, so that this does not fail in practice.
fn prepare<D: EagerHash>(key: &[u8]) -> Result<Hmac<D>, Failed> {
    Hmac::new_from_slice(key).map_err(|_| Failed::Provider)
}

fn finish<D: EagerHash>(mut mac: Hmac<D>, parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
    for part in parts {
        mac.update(part);
    }
    let mut tag = Output::<Hmac<D>>::default();
    mac.finalize_into(&mut tag);
    let written = out.get_mut(..tag.len()).map(|out| out.copy_from_slice(&tag));
    tag.as_mut_slice().zeroize();
    written.ok_or(Failed::Provider)
}

/// HKDF-Expand (RFC 5869 section 2.3).
fn expand<D: EagerHash>(key: &Hmac<D>, info: &[u8], out: &mut [u8]) -> Result<(), Failed> {
    let mut block = Output::<Hmac<D>>::default();
    let block_len = block.len();
    if out.len().div_ceil(block_len) > usize::from(u8::MAX) {
        return Err(Failed::Provider);
    }
    for (chunk, counter) in out.chunks_mut(block_len).zip(1..=u8::MAX) {
        let mut mac = key.clone();
        if counter > 1 {
            mac.update(&block);
        }
        mac.update(info);
        mac.update(&[counter]);
        mac.finalize_into(&mut block);
        for (to, from) in chunk.iter_mut().zip(&block) {
            *to = *from;
        }
    }
    block.as_mut_slice().zeroize();
    Ok(())
}
