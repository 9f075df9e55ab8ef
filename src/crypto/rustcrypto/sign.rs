//! Private keys that sign.

use alloc::vec::Vec;
use core::marker::PhantomData;

use ecdsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use rsa::pss::Pss;
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use rsa::traits::SignatureScheme as _;
use rsa::{RsaPrivateKey, RsaPublicKey};

use super::random::Lent;
use crate::codepoint::SignatureScheme;
use crate::crypto::{Failed, Rng, SigningKey};

/// An ECDSA key `K` whose DER signatures are of type `S`.
///
/// The nonce is derived from key and message (RFC 6979 section 3.6) with fresh random bytes mixed in, so that
/// neither a weak source nor a fault in a repeated signature gives the key away.
pub(super) struct EcdsaKey<K, S> {
    key: K,
    scheme: [SignatureScheme; 1],
    spki: Vec<u8>,
    signature: PhantomData<fn() -> S>,
}

impl<K, S> EcdsaKey<K, S> {
    pub(super) fn new(key: K, scheme: SignatureScheme, spki: Vec<u8>) -> Self {
        Self { key, scheme: [scheme], spki, signature: PhantomData }
    }
}

impl<K, S> SigningKey for EcdsaKey<K, S>
where
    K: RandomizedSigner<S> + Send + Sync,
    S: SignatureEncoding,
{
    fn schemes(&self) -> &[SignatureScheme] {
        &self.scheme
    }

    fn public_key(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, rng: &dyn Rng, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Failed> {
        if !self.scheme.contains(&scheme) {
            return Err(Failed::Provider);
        }
        let signature = self.key.try_sign_with_rng(&mut Lent(rng), message).map_err(|_| Failed::Provider)?;
        Ok(signature.to_vec())
    }
}

/// An Ed25519 key; its signatures are deterministic (RFC 8032 section 5.1.6).
pub(super) struct Ed25519Key {
    key: ed25519_dalek::SigningKey,
    spki: Vec<u8>,
}

impl Ed25519Key {
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        // RFC 8410 section 4: a sequence of the algorithm, without parameters, and a bit string of 32 bytes.
        const SPKI_HEAD: [u8; 12] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00];
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let spki = [&SPKI_HEAD[..], key.verifying_key().as_bytes()].concat();
        Self { key, spki }
    }
}

impl SigningKey for Ed25519Key {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ED25519]
    }

    fn public_key(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, _: &dyn Rng, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Failed> {
        if scheme != SignatureScheme::ED25519 {
            return Err(Failed::Provider);
        }
        let signature = self.key.try_sign(message).map_err(|_| Failed::Provider)?;
        Ok(signature.to_vec())
    }
}

/// An RSA key for RSASSA-PSS. From 2048 bits on every hash and its salt fit (RFC 9846 section 4.3.3).
pub(super) struct RsaKey {
    key: RsaPrivateKey,
    public: RsaPublicKey,
    spki: Vec<u8>,
}

impl RsaKey {
    pub(super) fn new(key: RsaPrivateKey, spki: Vec<u8>) -> Self {
        let public = key.to_public_key();
        Self { key, public, spki }
    }

    /// Signs with blinding and a fresh salt, and verifies: a fault in the CRT computation would give the factors
    /// away (RFC 9846 appendix C.3).
    fn sign_pss<D>(&self, rng: &dyn Rng, message: &[u8]) -> Result<Vec<u8>, Failed>
    where
        Pss<D>: rsa::traits::SignatureScheme,
        D: Digest,
    {
        let hash = D::digest(message);
        let signature = Pss::<D>::new_blinded()
            .sign(Some(&mut Lent(rng)), &self.key, &hash)
            .map_err(|_| Failed::Provider)?;
        Pss::<D>::new().verify(&self.public, &hash, &signature).map_err(|_| Failed::Provider)?;
        Ok(signature)
    }
}

impl SigningKey for RsaKey {
    fn schemes(&self) -> &[SignatureScheme] {
        &[
            SignatureScheme::RSA_PSS_RSAE_SHA256,
            SignatureScheme::RSA_PSS_RSAE_SHA384,
            SignatureScheme::RSA_PSS_RSAE_SHA512,
        ]
    }

    fn public_key(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, rng: &dyn Rng, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Failed> {
        match scheme {
            SignatureScheme::RSA_PSS_RSAE_SHA256 => self.sign_pss::<Sha256>(rng, message),
            SignatureScheme::RSA_PSS_RSAE_SHA384 => self.sign_pss::<Sha384>(rng, message),
            SignatureScheme::RSA_PSS_RSAE_SHA512 => self.sign_pss::<Sha512>(rng, message),
            _ => Err(Failed::Provider),
        }
    }
}
