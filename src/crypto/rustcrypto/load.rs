//! Loads private keys; what cannot be loaded is named, with a way to mend it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use p256::pkcs8::der::Decode;
use p256::pkcs8::{EncodePublicKey, ObjectIdentifier, PrivateKeyInfoRef};
use rsa::RsaPrivateKey;
use rsa::pkcs1::RsaPrivateKeyRef;
use rustls_pki_types::PrivateKeyDer;

use super::sign::{EcdsaKey, Ed25519Key, RsaKey};
use super::verify::{EC_PUBLIC_KEY, ED25519, RSA_ENCRYPTION, RSA_MAX_BITS, RSA_MIN_BITS};
use crate::codepoint::SignatureScheme;
use crate::crypto::{KeyError, SigningKey};

const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const SECP521R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

type Loaded = Result<Arc<dyn SigningKey>, KeyError>;

/// Loads PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 appendix A.1.2) and SEC1 (RFC 5915) keys.
pub(super) fn load_key(der: &PrivateKeyDer<'_>) -> Loaded {
    match der {
        PrivateKeyDer::Pkcs8(key) => pkcs8(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => rsa(key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => ec(key.secret_sec1_der(), None),
        _ => Err(KeyError::new("a private key in an encoding that is none of PKCS#8, PKCS#1 and SEC1")),
    }
}

fn pkcs8(der: &[u8]) -> Loaded {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| not_a("PKCS#8", der))?;
    let key = info.private_key.as_bytes();
    match info.algorithm.oid {
        EC_PUBLIC_KEY => {
            let curve = info.algorithm.parameters_oid().map_err(|_| {
                KeyError::new("an elliptic curve key with explicit parameters instead of a named curve")
            })?;
            ec(key, Some(curve))
        }
        ED25519 => ed25519(key, info.public_key.and_then(|bits| bits.as_bytes())),
        RSA_ENCRYPTION => rsa(key),
        other => Err(KeyError::new(other_algorithm(other))),
    }
}

fn rsa(der: &[u8]) -> Loaded {
    let parts = RsaPrivateKeyRef::from_der(der).map_err(|_| not_a("PKCS#1", der))?;
    let bits = bit_len(parts.modulus.as_bytes());
    if bits < u64::from(RSA_MIN_BITS) {
        return Err(KeyError::new(format!("an RSA key of {bits} bits; at least {RSA_MIN_BITS} are needed")));
    }
    if bits > u64::from(RSA_MAX_BITS) {
        return Err(KeyError::new(format!(
            "an RSA key of {bits} bits; at most {RSA_MAX_BITS} are supported"
        )));
    }
    if parts.other_prime_infos.is_some() {
        return Err(KeyError::new("an RSA key of more than two primes; this provider signs with two"));
    }
    let inconsistent = "an RSA key whose numbers do not belong together";
    // The crate divides by p-1 and q-1.
    if [parts.prime1, parts.prime2].iter().any(|prime| bit_len(prime.as_bytes()) < 2) {
        return Err(KeyError::new(inconsistent));
    }
    let key = RsaPrivateKey::try_from(parts).map_err(|_| KeyError::new(inconsistent))?;
    let spki = key.to_public_key().to_public_key_der().map_err(|_| KeyError::new(inconsistent))?;
    Ok(Arc::new(RsaKey::new(key, spki.into_vec())))
}

/// Loads a SEC1 key on `curve`, or on the curve that the key itself names or, failing that, has the length of.
fn ec(der: &[u8], curve: Option<ObjectIdentifier>) -> Loaded {
    let (own_curve, len) = sec1_parameters(der).ok_or_else(|| not_a("SEC1", der))?;
    if curve.is_some() && own_curve.is_some() && curve != own_curve {
        return Err(KeyError::new("an elliptic curve key that names two different curves"));
    }
    const INCONSISTENT: &str =
        "an elliptic curve key out of range, or whose public part does not belong to it";
    // Each curve's crate has types of its own.
    macro_rules! load {
        ($curve:ident, $scheme:expr) => {{
            let key = $curve::SecretKey::from_sec1_der(der).map_err(|_| KeyError::new(INCONSISTENT))?;
            let spki = key.public_key().to_public_key_der().map_err(|_| not_a("SEC1", der))?.into_vec();
            let key = $curve::ecdsa::SigningKey::from(key);
            Ok(Arc::new(EcdsaKey::<_, $curve::ecdsa::DerSignature>::new(key, $scheme, spki)))
        }};
    }
    match (curve.or(own_curve), len) {
        (Some(SECP256R1), _) | (None, 32) => load!(p256, SignatureScheme::ECDSA_SECP256R1_SHA256),
        (Some(SECP384R1), _) | (None, 48) => load!(p384, SignatureScheme::ECDSA_SECP384R1_SHA384),
        (Some(SECP521R1), _) | (None, 66) => load!(p521, SignatureScheme::ECDSA_SECP521R1_SHA512),
        (Some(other), _) => Err(KeyError::new(format!(
            "an elliptic curve key on {}; this provider signs with secp256r1, secp384r1 and secp521r1",
            curve_name(other)
        ))),
        (None, len) => Err(KeyError::new(format!(
            "an elliptic curve key of {len} bytes that names no curve; secp256r1 has 32, secp384r1 48, secp521r1 66"
        ))),
    }
}

/// Loads the `CurvePrivateKey` of RFC 8410 section 7: an octet string in the octet string.
fn ed25519(key: &[u8], public: Option<&[u8]>) -> Loaded {
    let Some((&[0x04, 0x20], seed)) = key.split_first_chunk::<2>() else {
        return Err(KeyError::new("an Ed25519 key that is no octet string of 32 bytes"));
    };
    let seed = seed.try_into().map_err(|_| KeyError::new("an Ed25519 key that is not 32 bytes long"))?;
    let key = Ed25519Key::new(seed);
    if public.is_some_and(|public| !key.public_key().ends_with(public)) {
        return Err(KeyError::new("an Ed25519 key whose public part does not belong to it"));
    }
    Ok(Arc::new(key))
}

/// Reads the curve, if it is named, and the length of the private key out of an `ECPrivateKey` (RFC 5915).
fn sec1_parameters(der: &[u8]) -> Option<(Option<ObjectIdentifier>, usize)> {
    let mut fields = Fields::of(der)?;
    let (_, _version) = fields.next().filter(|(tag, _)| *tag == 0x02)?;
    let (_, private) = fields.next().filter(|(tag, _)| *tag == 0x04)?;
    let curve = match fields.next() {
        Some((0xA0, parameters)) => Some(ObjectIdentifier::from_der(parameters).ok()?),
        _ => None,
    };
    Some((curve, private.len()))
}

/// Says what `der` looks like instead of `wanted`.
fn not_a(wanted: &str, der: &[u8]) -> KeyError {
    let mut tags = [0; 3];
    for (tag, (found, _)) in tags.iter_mut().zip(Fields::of(der).into_iter().flatten()) {
        *tag = found;
    }
    KeyError::new(match tags {
        [0x30, 0x04, _] => {
            String::from("an encrypted PKCS#8 key; decrypt it first: openssl pkey -in key.pem -out plain.pem")
        }
        [0x30, 0x03, _] => String::from("this is a public key, not a private key"),
        [0x30, 0x30, 0x03] => String::from("this is a certificate, not a private key"),
        [0x02, 0x30, 0x04] if wanted != "PKCS#8" => {
            format!("a PKCS#8 key where a {wanted} key was announced")
        }
        [0x02, 0x02, 0x02] if wanted != "PKCS#1" => {
            format!("a PKCS#1 key where a {wanted} key was announced")
        }
        [0x02, 0x04, _] if wanted != "SEC1" => format!("a SEC1 key where a {wanted} key was announced"),
        _ if der.starts_with(b"-----BEGIN") => {
            String::from("PEM text where DER was expected; decode it with `PrivateKeyDer::from_pem_slice`")
        }
        _ => format!("bytes that are no {wanted} key"),
    })
}

fn other_algorithm(oid: ObjectIdentifier) -> String {
    const AGREES: &str = "which agrees on secrets but cannot sign";
    match oid.to_string().as_str() {
        "1.2.840.10040.4.1" => String::from("a DSA key, which TLS 1.3 has no use for"),
        "1.3.101.110" => format!("an X25519 key, {AGREES}"),
        "1.3.101.111" => format!("an X448 key, {AGREES}"),
        "1.2.840.113549.1.3.1" | "1.2.840.10046.2.1" => format!("a Diffie-Hellman key, {AGREES}"),
        "1.3.101.113" => String::from("an Ed448 key; this provider signs with Ed25519"),
        "1.2.840.113549.1.1.10" => {
            String::from("an RSA key restricted to RSASSA-PSS; this provider signs with rsaEncryption keys")
        }
        other => format!("a key of the unknown algorithm {other}"),
    }
}

fn curve_name(oid: ObjectIdentifier) -> String {
    let text = oid.to_string();
    let name = match text.as_str() {
        "1.3.132.0.10" => "secp256k1",
        "1.3.132.0.33" => "secp224r1",
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1",
        _ => return format!("the unknown curve {text}"),
    };
    String::from(name)
}

/// Length in bits of a big-endian number.
fn bit_len(bytes: &[u8]) -> u64 {
    let mut digits = bytes.iter().skip_while(|byte| **byte == 0);
    let Some(first) = digits.next() else { return 0 };
    let whole = u64::try_from(digits.count()).unwrap_or(u64::MAX);
    whole.saturating_mul(8).saturating_add(u64::from(8_u32.saturating_sub(first.leading_zeros())))
}

/// The fields of a DER sequence as tags and contents; it ends at the first malformed one.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let mut outer = Self(der);
        let (tag, content) = outer.next()?;
        (tag == 0x30).then_some(Self(content))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, first], rest) = self.0.split_first_chunk::<2>()?;
        let (len, rest) = match first {
            0..=0x7F => (usize::from(first), rest),
            0x81 => {
                let (&len, rest) = rest.split_first()?;
                (usize::from(len), rest)
            }
            0x82 => {
                let (&len, rest) = rest.split_first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(len)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, content))
    }
}
