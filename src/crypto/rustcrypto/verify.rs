//! Signature verification by a key in a `SubjectPublicKeyInfo`.

use ecdsa::signature::Verifier as _;
use ecdsa::signature::hazmat::PrehashVerifier;
use ecdsa::{EcdsaCurve, Signature, VerifyingKey};
use p256::NistP256;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize};
use p256::pkcs8::der::Decode;
use p256::pkcs8::{AssociatedOid, ObjectIdentifier, SubjectPublicKeyInfoRef};
use p384::NistP384;
use p521::NistP521;
use rsa::pss::VerifyingKey as PssKey;
use rsa::traits::PublicKeyParts;
use rsa::{RsaPublicKey, pkcs1v15, pss};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::ec::uncompressed_point;
use crate::crypto::{Failed, SignatureAlgorithm, Verifier};

pub(super) const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Sizes of an RSA modulus in bits; the upper bound keeps a peer from buying our time.
pub(super) const RSA_MIN_BITS: u32 = 2048;
pub(super) const RSA_MAX_BITS: u32 = 8192;

//= testvectors/requirements/rfc9846.txt#section-4.3.3
//# They MUST NOT be offered or negotiated by any implementation.
//= testvectors/requirements/rfc9846.txt#section-4.3.3
//# In particular, MD5 [SLOTH], SHA-224, and DSA MUST NOT be used.
//= testvectors/requirements/rfc9846.txt#section-9.1
//# A TLS-compliant application MUST support digital signatures with rsa_pkcs1_sha256 (for certificates),
//# rsa_pss_rsae_sha256 (for CertificateVerify and certificates), and ecdsa_secp256r1_sha256.
//= testvectors/requirements/rfc9846.txt#section-4.5.2
//# The SHA-1 algorithm MUST NOT be used in any signatures of CertificateVerify messages.
pub(super) static ALL: &[&dyn Verifier] = &[
    &Algorithm(SignatureAlgorithm::EcdsaP256Sha256, ecdsa::<NistP256, Sha256>),
    &Algorithm(SignatureAlgorithm::EcdsaP256Sha384, ecdsa::<NistP256, Sha384>),
    &Algorithm(SignatureAlgorithm::EcdsaP256Sha512, ecdsa::<NistP256, Sha512>),
    &Algorithm(SignatureAlgorithm::EcdsaP384Sha256, ecdsa::<NistP384, Sha256>),
    &Algorithm(SignatureAlgorithm::EcdsaP384Sha384, ecdsa::<NistP384, Sha384>),
    &Algorithm(SignatureAlgorithm::EcdsaP384Sha512, ecdsa::<NistP384, Sha512>),
    &Algorithm(SignatureAlgorithm::EcdsaP521Sha256, ecdsa::<NistP521, Sha256>),
    &Algorithm(SignatureAlgorithm::EcdsaP521Sha384, ecdsa::<NistP521, Sha384>),
    &Algorithm(SignatureAlgorithm::EcdsaP521Sha512, ecdsa::<NistP521, Sha512>),
    &Algorithm(SignatureAlgorithm::Ed25519, ed25519),
    &Algorithm(SignatureAlgorithm::RsaPkcs1Sha256, rsa_pkcs1::<Sha256>),
    &Algorithm(SignatureAlgorithm::RsaPkcs1Sha384, rsa_pkcs1::<Sha384>),
    &Algorithm(SignatureAlgorithm::RsaPkcs1Sha512, rsa_pkcs1::<Sha512>),
    &Algorithm(SignatureAlgorithm::RsaPssSha256, rsa_pss::<Sha256>),
    &Algorithm(SignatureAlgorithm::RsaPssSha384, rsa_pss::<Sha384>),
    &Algorithm(SignatureAlgorithm::RsaPssSha512, rsa_pss::<Sha512>),
];

/// Verifies a signature over a message by a key: key, message, signature.
type Verify = fn(&SubjectPublicKeyInfoRef<'_>, &[u8], &[u8]) -> Result<(), Failed>;

struct Algorithm(SignatureAlgorithm, Verify);

impl Verifier for Algorithm {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.0
    }

    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Failed> {
        let key = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| Failed::Input)?;
        (self.1)(&key, message, signature)
    }
}

/// ECDSA with a DER signature (RFC 9846 section 4.3.3); the curve is named by the key (RFC 5480 section 2.1.1).
fn ecdsa<C, D>(spki: &SubjectPublicKeyInfoRef<'_>, message: &[u8], signature: &[u8]) -> Result<(), Failed>
where
    C: EcdsaCurve + CurveArithmetic + AssociatedOid,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    D: Digest,
    VerifyingKey<C>: PrehashVerifier<Signature<C>>,
    Signature<C>: DerSignature,
{
    if spki.algorithm.oids().map_err(|_| Failed::Input)? != (EC_PUBLIC_KEY, Some(C::OID)) {
        return Err(Failed::Input);
    }
    let point = uncompressed_point::<C>(key_bytes(spki)?)?;
    VerifyingKey::from(point)
        .verify_prehash(&D::digest(message), &Signature::parse(signature)?)
        .map_err(|_| Failed::Input)
}

/// Parses a DER signature; a trait because the crate's own function has bounds that name its buffer arithmetic.
trait DerSignature: Sized {
    fn parse(bytes: &[u8]) -> Result<Self, Failed>;
}

impl DerSignature for p256::ecdsa::Signature {
    fn parse(bytes: &[u8]) -> Result<Self, Failed> {
        Self::from_der(bytes).map_err(|_| Failed::Input)
    }
}

impl DerSignature for p384::ecdsa::Signature {
    fn parse(bytes: &[u8]) -> Result<Self, Failed> {
        Self::from_der(bytes).map_err(|_| Failed::Input)
    }
}

impl DerSignature for p521::ecdsa::Signature {
    fn parse(bytes: &[u8]) -> Result<Self, Failed> {
        Self::from_der(bytes).map_err(|_| Failed::Input)
    }
}

/// Ed25519 (RFC 8410 section 3: no parameters), strict: small-order keys and non-canonical encodings are refused.
fn ed25519(spki: &SubjectPublicKeyInfoRef<'_>, message: &[u8], signature: &[u8]) -> Result<(), Failed> {
    if spki.algorithm.oid != ED25519 || spki.algorithm.parameters.is_some() {
        return Err(Failed::Input);
    }
    let key = key_bytes(spki)?.try_into().map_err(|_| Failed::Input)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| Failed::Input)?;
    let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| Failed::Input)?;
    key.verify_strict(message, &signature).map_err(|_| Failed::Input)
}

fn rsa_pkcs1<D>(spki: &SubjectPublicKeyInfoRef<'_>, message: &[u8], signature: &[u8]) -> Result<(), Failed>
where
    D: Digest + AssociatedOid,
{
    let signature = pkcs1v15::Signature::try_from(signature).map_err(|_| Failed::Input)?;
    pkcs1v15::VerifyingKey::<D>::new(rsa_key(spki)?).verify(message, &signature).map_err(|_| Failed::Input)
}

//= testvectors/requirements/rfc9846.txt#section-4.3.3
//# The length of the Salt MUST be equal to the length of the output of the digest algorithm.
/// RSASSA-PSS with MGF1 of the same hash and a salt as long as the digest (RFC 9846 section 4.3.3).
fn rsa_pss<D>(spki: &SubjectPublicKeyInfoRef<'_>, message: &[u8], signature: &[u8]) -> Result<(), Failed>
where
    D: Digest,
    PssKey<D>: ecdsa::signature::Verifier<pss::Signature>,
{
    let signature = pss::Signature::try_from(signature).map_err(|_| Failed::Input)?;
    PssKey::<D>::new(rsa_key(spki)?).verify(message, &signature).map_err(|_| Failed::Input)
}

/// An rsaEncryption key (RFC 5280, by way of RFC 4055 section 1.2: the parameters are NULL).
fn rsa_key(spki: &SubjectPublicKeyInfoRef<'_>) -> Result<RsaPublicKey, Failed> {
    if spki.algorithm.oid != RSA_ENCRYPTION {
        return Err(Failed::Input);
    }
    let key = RsaPublicKey::try_from(spki.clone()).map_err(|_| Failed::Input)?;
    if (RSA_MIN_BITS..=RSA_MAX_BITS).contains(&key.n().bits_vartime()) { Ok(key) } else { Err(Failed::Input) }
}

fn key_bytes<'a>(spki: &SubjectPublicKeyInfoRef<'a>) -> Result<&'a [u8], Failed> {
    spki.subject_public_key.as_bytes().ok_or(Failed::Input)
}
