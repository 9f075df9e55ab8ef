//! Keys and signature algorithms of certificates (RFC 3279, RFC 4055, RFC 5480, RFC 8410).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::der::{BIT_STRING, Elements, INTEGER, OID, SEQUENCE, dotted, whole_bytes};
use super::outline::is_shortest;
use crate::codepoint::SignatureScheme;
use crate::crypto::SignatureAlgorithm;

const NULL: &[u8] = &[0x05, 0x00];
const RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1];
const MGF1: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 8];
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];
const DSA: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x38, 4, 1];
const SHA1: &[u8] = &[0x2B, 0x0E, 3, 2, 0x1A];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];

/// What kind of public key a certificate holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// ECDSA on secp256r1.
    EcdsaP256,
    /// ECDSA on secp384r1.
    EcdsaP384,
    /// ECDSA on secp521r1.
    EcdsaP521,
    /// Ed25519.
    Ed25519,
    /// RSA, with the length of its modulus in bits.
    Rsa(usize),
    /// Anything else, by its object identifier.
    Other(String),
}

impl KeyKind {
    /// Whether such a key can sign a handshake by `scheme` (RFC 9846 section 4.3.3).
    //= testvectors/requirements/rfc9846.txt#section-4.3.3
    //# The keys found in certificates MUST also be of appropriate type for the signature algorithms they
    //# are used with.
    #[must_use]
    pub fn signs(&self, scheme: SignatureScheme) -> bool {
        match scheme {
            SignatureScheme::ECDSA_SECP256R1_SHA256 => *self == Self::EcdsaP256,
            SignatureScheme::ECDSA_SECP384R1_SHA384 => *self == Self::EcdsaP384,
            SignatureScheme::ECDSA_SECP521R1_SHA512 => *self == Self::EcdsaP521,
            SignatureScheme::ED25519 => *self == Self::Ed25519,
            SignatureScheme::RSA_PSS_RSAE_SHA256
            | SignatureScheme::RSA_PSS_RSAE_SHA384
            | SignatureScheme::RSA_PSS_RSAE_SHA512 => matches!(self, Self::Rsa(_)),
            _ => false,
        }
    }

    /// Why such a key is not relied on, whatever it signs.
    pub(super) fn weakness(&self) -> Option<&'static str> {
        match self {
            Self::Rsa(..2048) => Some("is too short; RSA is relied on from 2048 bits"),
            Self::Rsa(8193..) => Some("is too long; RSA is checked up to 8192 bits"),
            Self::Other(_) => Some("is of a kind that is not relied on"),
            _ => None,
        }
    }

    /// Of the content of an AlgorithmIdentifier, and the key's bits.
    pub(super) fn read(algorithm: &[u8], bits: &[u8]) -> Self {
        let mut parts = Elements::of(algorithm);
        let oid = parts.expect(OID).unwrap_or_default();
        match oid {
            ED25519 if parts.is_empty() => Self::Ed25519,
            //= testvectors/requirements/rfc9846.txt#section-4.3.3
            //# If the public key is carried in an X.509 certificate, it MUST use the rsaEncryption OID
            //# [RFC3279].
            RSA_ENCRYPTION => {
                modulus(bits).map_or_else(|| Self::Other("malformed RSA".to_owned()), Self::Rsa)
            }
            // RFC 5480 section 2.1.1: "implicitCurve and specifiedCurve MUST NOT be used in PKIX".
            EC_PUBLIC_KEY => match parts.only().filter(|curve| curve.tag == OID).map(|curve| curve.content) {
                Some([0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7]) => Self::EcdsaP256,
                Some([0x2B, 0x81, 0x04, 0, 0x22]) => Self::EcdsaP384,
                Some([0x2B, 0x81, 0x04, 0, 0x23]) => Self::EcdsaP521,
                Some(curve) => Self::Other(alloc::format!("ECDSA on the curve {}", dotted(curve))),
                None => Self::Other("ECDSA with explicit parameters".to_owned()),
            },
            DSA => Self::Other("DSA".to_owned()),
            _ => Self::Other(dotted(oid)),
        }
    }
}

/// Whether it is the content of an AlgorithmIdentifier: an object identifier and at most one element for parameters.
pub(super) fn is_identifier(content: &[u8]) -> bool {
    let mut parts = Elements::of(content);
    parts.expect(OID).is_some_and(|oid| !oid.is_empty()) && (parts.is_empty() || parts.only().is_some())
}

/// The length in bits of the modulus of an RSAPublicKey.
fn modulus(bits: &[u8]) -> Option<usize> {
    let mut key = Elements::inside(bits, SEQUENCE)?;
    let modulus = key.expect(INTEGER)?;
    let exponent = key.expect(INTEGER)?;
    key.end()?;
    // RFC 8017 section A.1.1: both are positive; DER has one form of each.
    let natural =
        |number: &[u8]| is_shortest(number) && number.first().is_some_and(|first| first & 0x80 == 0);
    if !natural(modulus) || !natural(exponent) {
        return None;
    }
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let digits = modulus.get(zeros..)?;
    let short = usize::try_from(digits.first()?.leading_zeros()).ok()?;
    digits.len().checked_mul(8)?.checked_sub(short)
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ECDSA P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA P-384"),
            Self::EcdsaP521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA of {bits} bits"),
            Self::Other(kind) => write!(f, "a key of the kind {kind}"),
        }
    }
}

/// How a certificate was signed; the curve of ECDSA is the issuer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignedWith {
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    Ed25519,
    RsaPkcs1Sha256,
    RsaPkcs1Sha384,
    RsaPkcs1Sha512,
    RsaPssSha256,
    RsaPssSha384,
    RsaPssSha512,
    /// RFC 9846 section 4.5.1.3: broken hashes are refused by name.
    Md5,
    Sha1,
    Other(String),
}

impl SignedWith {
    /// The provider's algorithm, for an issuer's key of this kind.
    pub(crate) fn by(&self, issuer: &KeyKind) -> Option<SignatureAlgorithm> {
        use SignatureAlgorithm as A;
        Some(match (self, issuer) {
            (Self::EcdsaSha256, KeyKind::EcdsaP256) => A::EcdsaP256Sha256,
            (Self::EcdsaSha384, KeyKind::EcdsaP256) => A::EcdsaP256Sha384,
            (Self::EcdsaSha512, KeyKind::EcdsaP256) => A::EcdsaP256Sha512,
            (Self::EcdsaSha256, KeyKind::EcdsaP384) => A::EcdsaP384Sha256,
            (Self::EcdsaSha384, KeyKind::EcdsaP384) => A::EcdsaP384Sha384,
            (Self::EcdsaSha512, KeyKind::EcdsaP384) => A::EcdsaP384Sha512,
            (Self::EcdsaSha256, KeyKind::EcdsaP521) => A::EcdsaP521Sha256,
            (Self::EcdsaSha384, KeyKind::EcdsaP521) => A::EcdsaP521Sha384,
            (Self::EcdsaSha512, KeyKind::EcdsaP521) => A::EcdsaP521Sha512,
            (Self::Ed25519, KeyKind::Ed25519) => A::Ed25519,
            (Self::RsaPkcs1Sha256, KeyKind::Rsa(_)) => A::RsaPkcs1Sha256,
            (Self::RsaPkcs1Sha384, KeyKind::Rsa(_)) => A::RsaPkcs1Sha384,
            (Self::RsaPkcs1Sha512, KeyKind::Rsa(_)) => A::RsaPkcs1Sha512,
            (Self::RsaPssSha256, KeyKind::Rsa(_)) => A::RsaPssSha256,
            (Self::RsaPssSha384, KeyKind::Rsa(_)) => A::RsaPssSha384,
            (Self::RsaPssSha512, KeyKind::Rsa(_)) => A::RsaPssSha512,
            _ => return None,
        })
    }

    /// Its code point in signature_algorithms_cert (RFC 9846 section 4.3.3).
    pub(crate) fn scheme(&self) -> Option<SignatureScheme> {
        Some(match self {
            Self::EcdsaSha256 => SignatureScheme::ECDSA_SECP256R1_SHA256,
            Self::EcdsaSha384 => SignatureScheme::ECDSA_SECP384R1_SHA384,
            Self::EcdsaSha512 => SignatureScheme::ECDSA_SECP521R1_SHA512,
            Self::Ed25519 => SignatureScheme::ED25519,
            Self::RsaPkcs1Sha256 => SignatureScheme::RSA_PKCS1_SHA256,
            Self::RsaPkcs1Sha384 => SignatureScheme::RSA_PKCS1_SHA384,
            Self::RsaPkcs1Sha512 => SignatureScheme::RSA_PKCS1_SHA512,
            Self::RsaPssSha256 => SignatureScheme::RSA_PSS_RSAE_SHA256,
            Self::RsaPssSha384 => SignatureScheme::RSA_PSS_RSAE_SHA384,
            Self::RsaPssSha512 => SignatureScheme::RSA_PSS_RSAE_SHA512,
            Self::Md5 | Self::Sha1 | Self::Other(_) => return None,
        })
    }

    /// Of a whole AlgorithmIdentifier.
    pub(super) fn read(identifier: &[u8]) -> Self {
        let Some(mut parts) = Elements::inside(identifier, SEQUENCE) else {
            return Self::Other("malformed".to_owned());
        };
        let oid = parts.expect(OID).unwrap_or_default();
        // RFC 4055 section 5: "the parameters MUST be NULL"; some omit them.
        let bare = parts.is_empty();
        let null = parts.clone().only().is_some_and(|parameters| parameters.whole == NULL) || bare;
        match oid {
            // RFC 5758 section 3.2 and RFC 8410 section 3: ECDSA and Ed25519 have no parameters.
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2] if bare => Self::EcdsaSha256,
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3] if bare => Self::EcdsaSha384,
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 4] if bare => Self::EcdsaSha512,
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 1] => Self::Sha1,
            ED25519 if bare => Self::Ed25519,
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11] if null => Self::RsaPkcs1Sha256,
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 12] if null => Self::RsaPkcs1Sha384,
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 13] if null => Self::RsaPkcs1Sha512,
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 4] => Self::Md5,
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 5] => Self::Sha1,
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 10] => {
                let parameters = parts.only().and_then(|parameters| pss(parameters.whole));
                parameters
                    .unwrap_or_else(|| Self::Other(alloc::format!("{} with its parameters", dotted(oid))))
            }
            [0x2A, 0x86, 0x48, 0xCE, 0x38, 4, 3] | [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 1..=4] => {
                Self::Other("DSA".to_owned())
            }
            _ => Self::Other(dotted(oid)),
        }
    }
}

/// RFC 9846 section 4.3.3: one hash for message and mask, and a salt as long as its output. The fields that are
/// absent have SHA-1 and 20 for their default (RFC 4055 section 3.1).
//= testvectors/requirements/rfc9846.txt#section-4.3.3
//# When used in certificate signatures, the algorithm parameters MUST be DER encoded.
fn pss(parameters: &[u8]) -> Option<SignedWith> {
    let (mut hash, mut mask, mut salt) = (SHA1, SHA1, &[20][..]);
    let mut fields = Elements::inside(parameters, SEQUENCE)?;
    let mut last = 0x9F;
    while !fields.is_empty() {
        let field = fields.next()?;
        if field.tag <= last {
            return None;
        }
        last = field.tag;
        let value = Elements::of(field.content).only()?;
        match field.tag {
            0xA0 => hash = named_hash(value.whole)?,
            0xA1 => {
                let mut function = Elements::inside(value.whole, SEQUENCE)?;
                if function.expect(OID)? != MGF1 {
                    return None;
                }
                mask = named_hash(function.only()?.whole)?;
            }
            0xA2 if value.tag == INTEGER => salt = value.content,
            0xA3 if value.tag == INTEGER && value.content == [1] => {}
            _ => return None,
        }
    }
    Some(match (hash, salt) {
        _ if hash != mask => return None,
        (SHA256, [32]) => SignedWith::RsaPssSha256,
        (SHA384, [48]) => SignedWith::RsaPssSha384,
        (SHA512, [64]) => SignedWith::RsaPssSha512,
        (SHA1, _) => SignedWith::Sha1,
        _ => return None,
    })
}

/// The object identifier of a hash without parameters.
fn named_hash(identifier: &[u8]) -> Option<&[u8]> {
    let mut parts = Elements::inside(identifier, SEQUENCE)?;
    let oid = parts.expect(OID)?;
    (parts.is_empty() || parts.only()?.whole == NULL).then_some(oid)
}

impl fmt::Display for SignedWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5 => f.write_str("MD5, which is broken"),
            Self::Sha1 => f.write_str("SHA-1, which is broken"),
            Self::Other(name) => write!(f, "the algorithm {name}"),
            known => match known.scheme() {
                Some(scheme) => write!(f, "{scheme}"),
                None => f.write_str("an unknown algorithm"),
            },
        }
    }
}

/// The kind and the bits of the key in a DER `SubjectPublicKeyInfo`; two encodings of one key have equal bits.
pub(crate) fn key_of(spki: &[u8]) -> Option<(KeyKind, Vec<u8>)> {
    let (kind, bits) = key_in(spki)?;
    Some((kind, bits.to_vec()))
}

/// The same, borrowed.
pub(super) fn key_in(spki: &[u8]) -> Option<(KeyKind, &[u8])> {
    let mut parts = Elements::inside(spki, SEQUENCE)?;
    let algorithm = parts.expect(SEQUENCE)?;
    let bits = whole_bytes(parts.expect(BIT_STRING)?)?;
    parts.end()?;
    if !is_identifier(algorithm) {
        return None;
    }
    Some((KeyKind::read(algorithm, bits), bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    //= testvectors/requirements/rfc9846.txt#section-4.3.3
    //= type=test
    //# If the public key is carried in an X.509 certificate, it MUST use the rsaEncryption OID [RFC3279].
    #[test]
    fn an_rsa_key_with_another_identifier_is_not_relied_on() {
        let key = |last| {
            let identifier = [OID, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, last];
            KeyKind::read(&identifier, &[0x30, 7, 2, 2, 0, 0x80, 2, 1, 3])
        };
        assert_eq!(key(1), KeyKind::Rsa(8));
        // id-RSAES-OAEP and id-RSASSA-PSS
        for other in [7, 10] {
            assert!(matches!(key(other), KeyKind::Other(_)), "{other}");
            assert!(key(other).weakness().is_some());
        }
    }

    //= testvectors/requirements/rfc9846.txt#section-4.3.3
    //= type=test
    //# When used in certificate signatures, the algorithm parameters MUST be DER encoded.
    #[test]
    fn parameters_of_pss_are_der() {
        let element =
            |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
        let hash = element(SEQUENCE, &element(OID, SHA256));
        let mask = element(SEQUENCE, &[element(OID, MGF1), hash.clone()].concat());
        let salt = element(INTEGER, &[32]);
        let [hash, mask, salt] =
            [(0xA0, hash), (0xA1, mask), (0xA2, salt)].map(|(tag, value)| element(tag, &value));
        let whole = [&hash[..], &mask, &salt].concat();
        assert_eq!(pss(&element(SEQUENCE, &whole)), Some(SignedWith::RsaPssSha256));
        let long = [&[SEQUENCE, 0x81, u8::try_from(whole.len()).unwrap()], &whole[..]].concat();
        assert_eq!(pss(&long), None, "a length that is not the shortest");
        let indefinite = [&[SEQUENCE, 0x80], &whole[..], &[0, 0]].concat();
        assert_eq!(pss(&indefinite), None, "an indefinite length");
        let swapped = [&mask[..], &hash, &salt].concat();
        assert_eq!(pss(&element(SEQUENCE, &swapped)), None, "another order");
        let padded = [&hash[..], &mask, &element(0xA2, &element(INTEGER, &[0, 32]))].concat();
        assert_eq!(pss(&element(SEQUENCE, &padded)), None, "an integer that is not the shortest");
    }

    #[test]
    fn explicit_curves_and_other_keys_are_named_and_not_relied_on() {
        let explicit = [&[OID, 7][..], EC_PUBLIC_KEY, &[0x30, 0]].concat();
        let kind = KeyKind::read(&explicit, &[]);
        assert_eq!(kind, KeyKind::Other("ECDSA with explicit parameters".to_owned()));
        assert!(kind.weakness().is_some());
        let ed25519 = short(OID, ED25519);
        assert_eq!(KeyKind::read(&ed25519, &[]), KeyKind::Ed25519);
        assert!(KeyKind::read(&[&ed25519, NULL].concat(), &[]).weakness().is_some(), "with parameters");
        let dsa = KeyKind::read(&[&[OID, 7][..], DSA].concat(), &[]);
        assert_eq!(dsa, KeyKind::Other("DSA".to_owned()));
    }

    #[test]
    fn short_and_overlong_rsa_is_weak() {
        for (bits, weak) in [(1024, true), (2047, true), (2048, false), (8192, false), (8193, true)] {
            assert_eq!(KeyKind::Rsa(bits).weakness().is_some(), weak, "{bits}");
        }
    }

    #[test]
    fn the_length_of_a_modulus_counts_its_bits() {
        assert_eq!(modulus(&[0x30, 7, 2, 2, 0, 0x80, 2, 1, 3]), Some(8));
        assert_eq!(modulus(&[0x30, 6, 2, 1, 0x7F, 2, 1, 3]), Some(7));
        assert_eq!(modulus(&[0x30, 6, 2, 1, 0x80, 2, 1, 3]), None, "negative");
        assert_eq!(modulus(&[0x30, 7, 2, 2, 0, 0x7F, 2, 1, 3]), None, "not in its shortest form");
        assert_eq!(modulus(&[0x30, 6, 2, 1, 0x7F, 2, 1, 0x81]), None, "a negative exponent");
    }

    #[test]
    fn an_algorithm_is_an_identifier_and_at_most_one_parameter() {
        for good in [&[6, 1, 0x2A][..], &[6, 1, 0x2A, 5, 0]] {
            assert!(is_identifier(good), "{good:02x?}");
        }
        for bad in [&[][..], &[6, 0], &[5, 0], &[6, 1, 0x2A, 5, 1], &[6, 1, 0x2A, 5, 0, 5, 0]] {
            assert!(!is_identifier(bad), "{bad:02x?}");
        }
    }

    fn kinds() -> [KeyKind; 6] {
        let other = KeyKind::Other("DSA".to_owned());
        [
            KeyKind::EcdsaP256,
            KeyKind::EcdsaP384,
            KeyKind::EcdsaP521,
            KeyKind::Ed25519,
            KeyKind::Rsa(2048),
            other,
        ]
    }

    #[test]
    fn a_scheme_is_signed_by_one_kind_of_key() {
        use SignatureScheme as S;
        let table = [
            (S::ECDSA_SECP256R1_SHA256, 0),
            (S::ECDSA_SECP384R1_SHA384, 1),
            (S::ECDSA_SECP521R1_SHA512, 2),
            (S::ED25519, 3),
            (S::RSA_PSS_RSAE_SHA256, 4),
            (S::RSA_PSS_RSAE_SHA384, 4),
            (S::RSA_PSS_RSAE_SHA512, 4),
            // RFC 9846 section 4.3.3: PKCS #1 v1.5 is "not defined for use in signed TLS handshake messages".
            (S::RSA_PKCS1_SHA256, 9),
        ];
        for (scheme, signer) in table {
            for (position, kind) in kinds().iter().enumerate() {
                assert_eq!(kind.signs(scheme), position == signer, "{scheme}, {kind:?}");
            }
        }
    }

    #[test]
    fn a_certificate_is_signed_by_a_key_of_its_algorithm() {
        use SignatureAlgorithm as A;
        let ecdsa = |p256, p384, p521| [Some(p256), Some(p384), Some(p521), None, None, None];
        let rsa = |algorithm| [None, None, None, None, Some(algorithm), None];
        let table = [
            (SignedWith::EcdsaSha256, ecdsa(A::EcdsaP256Sha256, A::EcdsaP384Sha256, A::EcdsaP521Sha256)),
            (SignedWith::EcdsaSha384, ecdsa(A::EcdsaP256Sha384, A::EcdsaP384Sha384, A::EcdsaP521Sha384)),
            (SignedWith::EcdsaSha512, ecdsa(A::EcdsaP256Sha512, A::EcdsaP384Sha512, A::EcdsaP521Sha512)),
            (SignedWith::Ed25519, [None, None, None, Some(A::Ed25519), None, None]),
            (SignedWith::RsaPkcs1Sha256, rsa(A::RsaPkcs1Sha256)),
            (SignedWith::RsaPkcs1Sha384, rsa(A::RsaPkcs1Sha384)),
            (SignedWith::RsaPkcs1Sha512, rsa(A::RsaPkcs1Sha512)),
            (SignedWith::RsaPssSha256, rsa(A::RsaPssSha256)),
            (SignedWith::RsaPssSha384, rsa(A::RsaPssSha384)),
            (SignedWith::RsaPssSha512, rsa(A::RsaPssSha512)),
            (SignedWith::Md5, [None; 6]),
            (SignedWith::Sha1, [None; 6]),
        ];
        for (signed, by) in table {
            assert_eq!(kinds().map(|kind| signed.by(&kind)), by, "{signed}");
        }
    }

    /// An AlgorithmIdentifier of short parts.
    fn identifier(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
        let len = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
        let oid = [&[OID, len(oid)][..], oid].concat();
        [&[SEQUENCE, len(&oid) + len(parameters)][..], &oid, parameters].concat()
    }

    #[test]
    fn algorithms_are_read_with_the_parameters_that_they_may_have() {
        const ECDSA: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4];
        const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1];
        let read = |arc: &[u8], last: &[u8], parameters| {
            SignedWith::read(&identifier(&[arc, last].concat(), parameters)).to_string()
        };
        let bare = [
            (ECDSA, &[3, 2][..], "ecdsa_secp256r1_sha256"),
            (ECDSA, &[3, 3], "ecdsa_secp384r1_sha384"),
            (ECDSA, &[3, 4], "ecdsa_secp521r1_sha512"),
            (ED25519, &[], "ed25519"),
        ];
        for (arc, last, name) in bare {
            assert_eq!(read(arc, last, &[]), name);
            assert!(read(arc, last, NULL).starts_with("the algorithm"), "{name} with parameters");
        }
        let null = [(11, "rsa_pkcs1_sha256"), (12, "rsa_pkcs1_sha384"), (13, "rsa_pkcs1_sha512")];
        for (last, name) in null {
            assert_eq!(read(RSA, &[last], NULL), name);
            assert_eq!(read(RSA, &[last], &[]), name);
            assert!(
                read(RSA, &[last], &[5, 1, 0]).starts_with("the algorithm"),
                "{name} with other parameters"
            );
        }
        assert_eq!(read(ECDSA, &[1], &[]), "SHA-1, which is broken");
        assert_eq!(read(RSA, &[5], NULL), "SHA-1, which is broken");
        assert_eq!(read(RSA, &[4], NULL), "MD5, which is broken");
    }

    fn short(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn pss_has_one_hash_a_salt_as_long_and_the_one_trailer() {
        let read = |hash: &[u8], mask: &[u8], salt: u8, trailer: &[u8]| {
            let function = [short(OID, MGF1), identifier(mask, &[])].concat();
            let fields = [
                short(0xA0, &identifier(hash, &[])),
                short(0xA1, &short(SEQUENCE, &function)),
                short(0xA2, &[INTEGER, 1, salt]),
                trailer.to_vec(),
            ];
            pss(&short(SEQUENCE, &fields.concat()))
        };
        for (hash, salt, algorithm) in [
            (SHA256, 32, SignedWith::RsaPssSha256),
            (SHA384, 48, SignedWith::RsaPssSha384),
            (SHA512, 64, SignedWith::RsaPssSha512),
        ] {
            assert_eq!(read(hash, hash, salt, &[]).as_ref(), Some(&algorithm));
            assert_eq!(read(hash, hash, salt, &[0xA3, 3, INTEGER, 1, 1]).as_ref(), Some(&algorithm));
            assert_eq!(read(hash, hash, salt, &[0xA3, 3, INTEGER, 1, 2]), None, "another trailer");
            assert_eq!(read(hash, hash, salt, &[0xA3, 3, OID, 1, 1]), None, "no number");
            assert_eq!(read(hash, hash, salt + 1, &[]), None, "another salt");
            assert_eq!(read(hash, SHA1, salt, &[]), None, "another hash for the mask");
        }
        let salt = short(SEQUENCE, &short(0xA2, &[OID, 1, 20]));
        assert_eq!(pss(&salt), None, "a salt that is no number");
        assert_eq!(read(SHA1, SHA1, 20, &[]), Some(SignedWith::Sha1));
        assert_eq!(pss(&short(SEQUENCE, &[])), Some(SignedWith::Sha1), "the defaults");
    }

    #[test]
    fn ecdsa_with_parameters_is_another_algorithm() {
        let oid = &[OID, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2][..];
        assert_eq!(SignedWith::read(&[&[0x30, 10], oid].concat()), SignedWith::EcdsaSha256);
        assert!(matches!(SignedWith::read(&[&[0x30, 12], oid, NULL].concat()), SignedWith::Other(_)));
    }
}
