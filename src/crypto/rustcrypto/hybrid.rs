//! X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem section 3.1): ML-KEM-768 first, X25519 behind it, everywhere.
//!
//! Draws from the `Rng`: the client 64 bytes, d and z of ML-KEM key generation (FIPS 203 section 6.1), then 32
//! for X25519; the server 32 bytes, m of encapsulation (FIPS 203 section 6.2), then 32 for X25519.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ml_kem::kem::{Decapsulate, KeyExport};
use ml_kem::{B32, DecapsulationKey768, EncapsulationKey768, Key, Seed};
use zeroize::{Zeroize, Zeroizing};

use super::ec::{X25519_LEN, XKey};
use crate::codepoint::NamedGroup;
use crate::crypto::{Exchange, Failed, Group, Response, Rng, SharedSecret};

pub(super) static X25519MLKEM768: HybridGroup = HybridGroup;

/// Length in bytes of an ML-KEM-768 encapsulation key.
const KEM_KEY_LEN: usize = 1184;

/// Length in bytes of an ML-KEM-768 ciphertext.
const CIPHERTEXT_LEN: usize = 1088;

pub(super) struct HybridGroup;

impl Group for HybridGroup {
    fn id(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }

    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        let mut seed = Zeroizing::new(Seed::default());
        rng.fill(seed.as_mut_slice())?;
        let kem = DecapsulationKey768::from_seed(*seed);
        let x25519 = XKey::generate(rng)?;
        let mut share = Vec::with_capacity(KEM_KEY_LEN + X25519_LEN);
        share.extend_from_slice(&kem.encapsulation_key().to_bytes());
        share.extend_from_slice(x25519.public());
        Ok(Box::new(HybridExchange { kem, x25519, share }))
    }

    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        let (kem_peer, x25519_peer) = split(peer, KEM_KEY_LEN)?;
        let kem_peer = <&Key<EncapsulationKey768>>::try_from(kem_peer).map_err(|_| Failed::Input)?;
        // FIPS 203 section 7.2: the modulus check.
        let kem_peer = EncapsulationKey768::new(kem_peer).map_err(|_| Failed::Input)?;
        let mut m = Zeroizing::new(B32::default());
        rng.fill(m.as_mut_slice())?;
        let (ciphertext, mut kem_secret) = kem_peer.encapsulate_deterministic(&m);
        let x25519 = XKey::generate(rng)?;
        let secret = x25519.agree(x25519_peer).and_then(|shared| join(&kem_secret, shared.as_bytes()));
        kem_secret.as_mut_slice().zeroize();
        let mut share = Vec::with_capacity(CIPHERTEXT_LEN + X25519_LEN);
        share.extend_from_slice(&ciphertext);
        share.extend_from_slice(x25519.public());
        Ok(Response { share, secret: secret? })
    }
}

struct HybridExchange {
    kem: DecapsulationKey768,
    x25519: XKey,
    share: Vec<u8>,
}

impl Exchange for HybridExchange {
    /// Both shares hold the same X25519 key: draft-ietf-tls-hybrid-design section 3.2 allows that.
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        [Some((NamedGroup::X25519MLKEM768, &self.share)), Some((NamedGroup::X25519, self.x25519.public()))]
    }

    fn complete(self: Box<Self>, chosen: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        match chosen {
            NamedGroup::X25519 => Box::new(self.x25519).complete(chosen, peer),
            NamedGroup::X25519MLKEM768 => {
                let (ciphertext, x25519_peer) = split(peer, CIPHERTEXT_LEN)?;
                let shared = self.x25519.agree(x25519_peer)?;
                let mut kem_secret = self.kem.decapsulate_slice(ciphertext).map_err(|_| Failed::Input)?;
                let secret = join(&kem_secret, shared.as_bytes());
                kem_secret.as_mut_slice().zeroize();
                secret
            }
            _ => Err(Failed::Provider),
        }
    }
}

/// Splits a share of exactly `kem_len` and 32 bytes.
fn split(share: &[u8], kem_len: usize) -> Result<(&[u8], &[u8]), Failed> {
    let (kem, x25519) = share.split_at_checked(kem_len).ok_or(Failed::Input)?;
    if x25519.len() == X25519_LEN { Ok((kem, x25519)) } else { Err(Failed::Input) }
}

/// The concatenation of both secrets (draft-ietf-tls-ecdhe-mlkem section 3.1.3).
fn join(kem: &[u8], x25519: &[u8]) -> Result<SharedSecret, Failed> {
    let mut secret = SharedSecret::zeroed(kem.len().saturating_add(x25519.len()));
    let (front, back) = secret.expose_mut().split_at_mut_checked(kem.len()).ok_or(Failed::Provider)?;
    if back.len() != x25519.len() {
        return Err(Failed::Provider);
    }
    front.copy_from_slice(kem);
    back.copy_from_slice(x25519);
    Ok(secret)
}
