//! A provider whose records, hashes and key schedule are real, and whose public-key operations cost nothing: key
//! exchanges are sums, and a signature is a hash that anybody can make.

use std::sync::{Arc, OnceLock};

use symbolon::codepoint::{NamedGroup, SignatureScheme};
use symbolon::config::Credential;
use symbolon::crypto::{
    Exchange, Failed, Group, Provider, Response, Rng, SharedSecret, SignatureAlgorithm, SigningKey, Verifier,
};

use rustls_pki_types::CertificateDer;

use crate::support::forge::{seeded, suite};

const LEN: usize = 32;
const SCHEMES: &[SignatureScheme] = &[SignatureScheme::ECDSA_SECP256R1_SHA256];

/// A group by name alone.
struct Sum(NamedGroup);

struct Share {
    group: NamedGroup,
    public: [u8; LEN],
}

/// A key that anybody has.
struct Open {
    spki: Vec<u8>,
}

struct ByHash;

/// Draws the same from the same seed.
pub fn provider(seed: u64) -> Provider {
    Provider {
        groups: &[&Sum(NamedGroup::X25519), &Sum(NamedGroup::SECP256R1)],
        verifiers: &[&ByHash],
        ..seeded(seed)
    }
}

/// A credential with a certificate, which is a label.
pub fn certified() -> Arc<Credential> {
    static MADE: OnceLock<Arc<Credential>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let leaf = CertificateDer::from(b"certificate".to_vec());
        Arc::new(Credential::new(vec![leaf], key()).unwrap())
    });
    Arc::clone(made)
}

/// A credential that is its public key.
pub fn raw() -> Arc<Credential> {
    static MADE: OnceLock<Arc<Credential>> = OnceLock::new();
    Arc::clone(MADE.get_or_init(|| Arc::new(Credential::raw_public_key(key()).unwrap())))
}

fn key() -> Arc<dyn SigningKey> {
    Arc::new(Open { spki: b"certificate".to_vec() })
}

fn sum(one: &[u8], other: &[u8]) -> Result<SharedSecret, Failed> {
    if one.len() != LEN || other.len() != LEN {
        return Err(Failed::Input);
    }
    let bytes: Vec<u8> = one.iter().zip(other).map(|(one, other)| one.wrapping_add(*other)).collect();
    SharedSecret::copy_of(&bytes).ok_or(Failed::Provider)
}

impl Group for Sum {
    fn id(&self) -> NamedGroup {
        self.0
    }

    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        let mut public = [0; LEN];
        rng.fill(&mut public)?;
        Ok(Box::new(Share { group: self.0, public }))
    }

    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        let mut share = vec![0; LEN];
        rng.fill(&mut share)?;
        let secret = sum(&share, peer)?;
        Ok(Response { share, secret })
    }
}

impl Exchange for Share {
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        [Some((self.group, &self.public)), None]
    }

    fn complete(self: Box<Self>, _: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        sum(&self.public, peer)
    }
}

impl SigningKey for Open {
    fn schemes(&self) -> &[SignatureScheme] {
        SCHEMES
    }

    fn public_key(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, _: &dyn Rng, _: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Failed> {
        Ok(suite().hash.hash(&[message]).as_ref().to_vec())
    }
}

impl Verifier for ByHash {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::EcdsaP256Sha256
    }

    fn verify(&self, _: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Failed> {
        if suite().hash.hash(&[message]).as_ref() == signature { Ok(()) } else { Err(Failed::Input) }
    }
}
