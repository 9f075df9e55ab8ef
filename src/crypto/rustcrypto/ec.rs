//! Diffie-Hellman on curves: X25519, and secp256r1 and secp384r1 with uncompressed points alone.
//!
//! Draws from the `Rng`: X25519 32 bytes, taken as they are; secp256r1 32 and secp384r1 48 bytes, a big-endian
//! scalar, drawn anew while it is zero or not below the group's order.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::marker::PhantomData;

use p256::NistP256;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, Sec1Point, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytes, FieldBytesSize, PublicKey, SecretKey};
use p384::NistP384;
use x25519_dalek::{PublicKey as XPublicKey, SharedSecret as XShared, StaticSecret};
use zeroize::Zeroizing;

use crate::codepoint::NamedGroup;
use crate::crypto::{Exchange, Failed, Group, Response, Rng, SharedSecret};

pub(super) static X25519: X25519Group = X25519Group;
pub(super) static SECP256R1: NistGroup<NistP256> = NistGroup(NamedGroup::SECP256R1, PhantomData);
pub(super) static SECP384R1: NistGroup<NistP384> = NistGroup(NamedGroup::SECP384R1, PhantomData);

/// Length in bytes of an X25519 share and of its secret.
pub(super) const X25519_LEN: usize = 32;

/// How often a scalar is drawn before the source counts as broken: both curves' orders are so near to a power of
/// two that a second draw is already rarer than one in 2^31.
const DRAWS: usize = 8;

/// X25519 (RFC 7748 section 6.1).
pub(super) struct X25519Group;

impl Group for X25519Group {
    fn id(&self) -> NamedGroup {
        NamedGroup::X25519
    }

    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        Ok(Box::new(XKey::generate(rng)?))
    }

    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        let key = XKey::generate(rng)?;
        let secret = SharedSecret::copy_of(key.agree(peer)?.as_bytes()).ok_or(Failed::Provider)?;
        Ok(Response { share: key.public().to_vec(), secret })
    }
}

/// An ephemeral X25519 key with its share.
pub(super) struct XKey {
    secret: StaticSecret,
    public: XPublicKey,
}

impl XKey {
    pub(super) fn generate(rng: &dyn Rng) -> Result<Self, Failed> {
        let mut bytes = Zeroizing::new([0; X25519_LEN]);
        rng.fill(bytes.as_mut())?;
        let secret = StaticSecret::from(*bytes);
        let public = XPublicKey::from(&secret);
        Ok(Self { secret, public })
    }

    pub(super) fn public(&self) -> &[u8; X25519_LEN] {
        self.public.as_bytes()
    }

    /// RFC 9846 section 7.4.2: the all-zero secret is refused.
    pub(super) fn agree(&self, peer: &[u8]) -> Result<XShared, Failed> {
        let peer: [u8; X25519_LEN] = peer.try_into().map_err(|_| Failed::Input)?;
        let shared = self.secret.diffie_hellman(&XPublicKey::from(peer));
        //= testvectors/requirements/rfc9846.txt#section-7.4.2
        //# Implementations MUST check whether the computed Diffie-Hellman shared secret is the all-zero
        //# value and abort if so, as described in Section 6 of [RFC7748].
        if shared.was_contributory() { Ok(shared) } else { Err(Failed::Input) }
    }
}

impl Exchange for XKey {
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        [Some((NamedGroup::X25519, self.public())), None]
    }

    fn complete(self: Box<Self>, chosen: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        if chosen != NamedGroup::X25519 {
            return Err(Failed::Provider);
        }
        SharedSecret::copy_of(self.agree(peer)?.as_bytes()).ok_or(Failed::Provider)
    }
}

/// A prime curve of NIST (RFC 9846 section 4.3.8.2).
pub(super) struct NistGroup<C>(NamedGroup, PhantomData<fn() -> C>);

impl<C> Group for NistGroup<C>
where
    C: CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
{
    fn id(&self) -> NamedGroup {
        self.0
    }

    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        let secret = draw::<C>(rng)?;
        let share = share_of(&secret);
        Ok(Box::new(NistExchange { group: self.0, secret, share }))
    }

    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        let key = draw::<C>(rng)?;
        let secret = agree(&key, peer)?;
        Ok(Response { share: share_of(&key), secret })
    }
}

struct NistExchange<C: CurveArithmetic> {
    group: NamedGroup,
    secret: SecretKey<C>,
    share: Vec<u8>,
}

impl<C> Exchange for NistExchange<C>
where
    C: CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
{
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        [Some((self.group, &self.share)), None]
    }

    fn complete(self: Box<Self>, chosen: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        if chosen != self.group {
            return Err(Failed::Provider);
        }
        agree(&self.secret, peer)
    }
}

fn draw<C: CurveArithmetic>(rng: &dyn Rng) -> Result<SecretKey<C>, Failed> {
    let mut bytes = Zeroizing::new(FieldBytes::<C>::default());
    for _ in 0..DRAWS {
        rng.fill(bytes.as_mut_slice())?;
        if let Ok(secret) = SecretKey::from_bytes(&bytes) {
            return Ok(secret);
        }
    }
    Err(Failed::Provider)
}

fn share_of<C>(secret: &SecretKey<C>) -> Vec<u8>
where
    C: CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
{
    secret.public_key().to_sec1_point(false).as_bytes().to_vec()
}

fn agree<C>(secret: &SecretKey<C>, peer: &[u8]) -> Result<SharedSecret, Failed>
where
    C: CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
{
    let peer = uncompressed_point::<C>(peer)?;
    let shared = secret.diffie_hellman(&peer);
    //= testvectors/requirements/rfc9846.txt#section-7.4.2
    //# leading zeros found in this octet string MUST NOT be truncated
    SharedSecret::copy_of(shared.raw_secret_bytes()).ok_or(Failed::Provider)
}

//= testvectors/requirements/rfc9846.txt#section-4.3.8.2
//# For the curves secp256r1, secp384r1, and secp521r1, peers MUST validate each other's public value Q by
//# ensuring that the point is a valid point on the elliptic curve.
/// A point in the only legal form (RFC 9846 section 4.3.8.2), checked to be on the curve and not at infinity.
pub(super) fn uncompressed_point<C>(bytes: &[u8]) -> Result<PublicKey<C>, Failed>
where
    C: CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
{
    const LEGACY_FORM: u8 = 4;
    if bytes.first() != Some(&LEGACY_FORM) {
        return Err(Failed::Input);
    }
    // The length is checked by the parser: 0x04 is followed by exactly two coordinates.
    let point = Sec1Point::<C>::from_bytes(bytes).map_err(|_| Failed::Input)?;
    PublicKey::from_sec1_point(&point).into_option().ok_or(Failed::Input)
}
