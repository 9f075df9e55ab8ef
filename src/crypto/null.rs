//! A provider without cryptography, for fuzzing and for tests of structure: nothing that it does is secret.
//!
//! No feature compiles it: it exists in this crate's own tests, under `--cfg symbolon_internals` and `--cfg fuzzing` alone.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use super::{
    Aead, AeadKey, Digest, Exchange, Expansion, Failed, Group, Hash, HashContext, HmacKey, Nonce, Provider,
    Response, Rng, SharedSecret, SignatureAlgorithm, SigningKey, Suite, TAG_LEN, Verifier,
};
use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};

/// The null provider: TLS_AES_128_GCM_SHA256, x25519 and ed25519 by name alone, and an `Rng` that counts.
///
/// Any bytes are a private key, and the same bytes are its public key.
#[must_use]
pub fn provider() -> Provider {
    Provider {
        name: "null",
        suites: &[&Suite { id: CipherSuite::TLS_AES_128_GCM_SHA256, hash: &Null, aead: &Null }],
        groups: &[&Null],
        verifiers: &[&Null],
        load_key: |key| Ok(Arc::new(key.secret_der().to_vec())),
        rng: Arc::new(AtomicU64::new(1)),
    }
}

/// Every stateless algorithm of this provider.
struct Null;

/// A running hash, an HMAC key and an AEAD key: four lanes of FNV-1a with different starts.
#[derive(Clone)]
struct Lanes([u64; 4]);

impl Lanes {
    fn over(parts: &[&[u8]]) -> Self {
        Self([0xCBF2_9CE4_8422_2325, 1, 2, 3]).and(parts)
    }

    fn and(&self, parts: &[&[u8]]) -> Self {
        let mut lanes = self.0;
        for byte in parts.iter().copied().flatten() {
            for lane in &mut lanes {
                *lane = (*lane ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3).rotate_left(5);
            }
        }
        Self(lanes)
    }

    fn write(&self, out: &mut [u8]) {
        let bytes = self.0.into_iter().flat_map(u64::to_be_bytes);
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.write(&mut out);
        out
    }
}

impl Hash for Null {
    fn output_len(&self) -> usize {
        32
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Lanes::over(&[]))
    }

    fn hash(&self, parts: &[&[u8]]) -> Digest {
        Lanes::over(parts).digest()
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        Lanes::over(&[key]).sign(parts, out)
    }

    fn hmac_key(&self, key: &[u8]) -> Box<dyn HmacKey> {
        Box::new(Lanes::over(&[key]))
    }

    fn expand(&self, prk: &[u8], batch: &mut [Expansion<'_>]) -> Result<(), Failed> {
        for expansion in batch {
            for (chunk, counter) in expansion.out.chunks_mut(32).zip((0..=u8::MAX).cycle()) {
                Lanes::over(&[prk, expansion.info, &[counter]]).write(chunk);
            }
        }
        Ok(())
    }
}

impl HashContext for Lanes {
    fn update(&mut self, bytes: &[u8]) {
        *self = self.and(&[bytes]);
    }

    fn digest(&self) -> Digest {
        Digest::new(&self.bytes::<32>())
    }

    fn digest_with(&self, suffix: &[u8]) -> Digest {
        self.and(&[suffix]).digest()
    }
}

impl HmacKey for Lanes {
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        self.and(parts).write(out.get_mut(..32).ok_or(Failed::Provider)?);
        Ok(())
    }
}

impl Aead for Null {
    fn key_len(&self) -> usize {
        16
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        if key.len() == 16 { Ok(Box::new(Lanes::over(&[key]))) } else { Err(Failed::Provider) }
    }

    fn record_limit(&self) -> u64 {
        1 << 24
    }

    fn accelerated(&self) -> bool {
        false
    }
}

/// Bodies stay as they are. Tags depend on key and nonce alone, so that a fuzzer can change records.
impl AeadKey for Lanes {
    fn seal_in_place(
        &self,
        n: &Nonce,
        _: &[u8],
        _: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), Failed> {
        *tag = self.and(&[&n.0]).bytes();
        Ok(())
    }

    fn open_in_place(&self, nonce: &Nonce, _: &[u8], body_and_tag: &mut [u8]) -> Result<usize, Failed> {
        let (body, tag) = body_and_tag.split_last_chunk().ok_or(Failed::Input)?;
        if self.and(&[&nonce.0]).bytes::<TAG_LEN>() == *tag { Ok(body.len()) } else { Err(Failed::Input) }
    }
}

impl Group for Null {
    fn id(&self) -> NamedGroup {
        NamedGroup::X25519
    }

    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        let mut share = [0; 32];
        rng.fill(&mut share)?;
        Ok(Box::new(share))
    }

    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        let exchange = Group::start(self, rng)?;
        let share = exchange.shares().into_iter().flatten().flat_map(|(_, share)| share).copied().collect();
        Ok(Response { share, secret: exchange.complete(NamedGroup::X25519, peer)? })
    }
}

/// A share; the secret is the sum of both, and a share of zeros is refused, as X25519 does.
impl Exchange for [u8; 32] {
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        [Some((NamedGroup::X25519, self)), None]
    }

    fn complete(mut self: Box<Self>, chosen: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        if chosen != NamedGroup::X25519 || peer.len() != 32 || *peer == [0; 32] {
            return Err(Failed::Input);
        }
        self.iter_mut().zip(peer).for_each(|(own, peer)| *own = own.wrapping_add(*peer));
        SharedSecret::copy_of(&*self).ok_or(Failed::Provider)
    }
}

impl SigningKey for Vec<u8> {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ED25519]
    }

    fn public_key(&self) -> &[u8] {
        self
    }

    fn sign(&self, _: &dyn Rng, _: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Failed> {
        Ok(Lanes::over(&[self, message]).bytes::<32>().to_vec())
    }
}

impl Verifier for Null {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Ed25519
    }

    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Failed> {
        if Lanes::over(&[spki, message]).bytes::<32>() == signature { Ok(()) } else { Err(Failed::Input) }
    }
}

impl Rng for AtomicU64 {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        for chunk in out.chunks_mut(32) {
            Lanes::over(&[&self.fetch_add(1, Ordering::Relaxed).to_be_bytes()]).write(chunk);
        }
        Ok(())
    }
}
