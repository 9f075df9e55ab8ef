//! Groups beside the library's own: ML-KEM-1024 alone (draft-ietf-tls-mlkem) and secp521r1, on request only.

use ml_kem::kem::{Decapsulate, KeyExport};
use ml_kem::{B32, DecapsulationKey1024, EncapsulationKey1024, Key, Seed};
use p521::elliptic_curve::sec1::{FromSec1Point, Sec1Point, ToSec1Point};
use p521::{NistP521, PublicKey, SecretKey};
use symbolon::codepoint::NamedGroup;
use symbolon::crypto::{Exchange, Failed, Group, Provider, Response, Rng, SharedSecret};

/// ML-KEM-1024 alone.
pub const MLKEM1024: NamedGroup = NamedGroup(514);

static EVERY: [&dyn Group; 2] = [&MlKem1024, &Secp521r1];

/// The provider, with its groups and those of this file: for configurations that say which ones they want.
pub fn extended(provider: &Provider) -> Provider {
    let groups: Vec<&'static dyn Group> = provider.groups.iter().copied().chain(EVERY).collect();
    Provider { groups: groups.leak(), ..provider.clone() }
}

struct MlKem1024;

impl Group for MlKem1024 {
    fn id(&self) -> NamedGroup {
        MLKEM1024
    }

    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        let mut seed = Seed::default();
        rng.fill(seed.as_mut_slice())?;
        let key = DecapsulationKey1024::from_seed(seed);
        let share = key.encapsulation_key().to_bytes().to_vec();
        Ok(Box::new(MlKemExchange { key, share }))
    }

    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        let peer = <&Key<EncapsulationKey1024>>::try_from(peer).map_err(|_| Failed::Input)?;
        let peer = EncapsulationKey1024::new(peer).map_err(|_| Failed::Input)?;
        let mut m = B32::default();
        rng.fill(m.as_mut_slice())?;
        let (ciphertext, secret) = peer.encapsulate_deterministic(&m);
        Ok(Response { share: ciphertext.to_vec(), secret: shared(&secret)? })
    }
}

struct MlKemExchange {
    key: DecapsulationKey1024,
    share: Vec<u8>,
}

impl Exchange for MlKemExchange {
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        [Some((MLKEM1024, &self.share)), None]
    }

    fn complete(self: Box<Self>, _: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        shared(&self.key.decapsulate_slice(peer).map_err(|_| Failed::Input)?)
    }
}

struct Secp521r1;

impl Group for Secp521r1 {
    fn id(&self) -> NamedGroup {
        NamedGroup::SECP521R1
    }

    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        let secret = draw(rng)?;
        let share = share_of(&secret);
        Ok(Box::new(Secp521r1Exchange { secret, share }))
    }

    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        let key = draw(rng)?;
        Ok(Response { share: share_of(&key), secret: agree(&key, peer)? })
    }
}

struct Secp521r1Exchange {
    secret: SecretKey,
    share: Vec<u8>,
}

impl Exchange for Secp521r1Exchange {
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        [Some((NamedGroup::SECP521R1, &self.share)), None]
    }

    fn complete(self: Box<Self>, _: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        agree(&self.secret, peer)
    }
}

/// A scalar of 521 bits, drawn anew while it is zero or not below the order.
fn draw(rng: &dyn Rng) -> Result<SecretKey, Failed> {
    for _ in 0..64 {
        let mut bytes = [0; 66];
        rng.fill(&mut bytes)?;
        bytes[0] &= 1;
        if let Ok(secret) = SecretKey::from_slice(&bytes) {
            return Ok(secret);
        }
    }
    Err(Failed::Provider)
}

fn share_of(secret: &SecretKey) -> Vec<u8> {
    secret.public_key().to_sec1_point(false).as_bytes().to_vec()
}

fn agree(secret: &SecretKey, peer: &[u8]) -> Result<SharedSecret, Failed> {
    if peer.first() != Some(&4) {
        return Err(Failed::Input);
    }
    let point = Sec1Point::<NistP521>::from_bytes(peer).map_err(|_| Failed::Input)?;
    let peer = PublicKey::from_sec1_point(&point).into_option().ok_or(Failed::Input)?;
    shared(secret.diffie_hellman(&peer).raw_secret_bytes())
}

fn shared(bytes: &[u8]) -> Result<SharedSecret, Failed> {
    SharedSecret::copy_of(bytes).ok_or(Failed::Provider)
}
