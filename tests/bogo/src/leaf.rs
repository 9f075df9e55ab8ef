//! What a leaf certificate says: its key, its issuer, and what the key may be used for.

use symbolon::codepoint::SignatureScheme;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};

/// A parsed leaf.
pub struct Leaf {
    /// Its DER `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
    /// The DER name of its issuer.
    pub issuer: Vec<u8>,
    /// Whether its key usage, if it has any, has digitalSignature (RFC 9846 section 4.5.1.2).
    pub may_sign: bool,
}

impl Leaf {
    /// Reads a certificate; `None` for what is none.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        let usage = certificate.key_usage().ok()?;
        rest.is_empty().then(|| Self {
            spki: certificate.public_key().raw.to_vec(),
            issuer: certificate.issuer().as_raw().to_vec(),
            may_sign: usage.is_none_or(|usage| usage.value.digital_signature()),
        })
    }
}

/// How a key and a scheme go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The key signs by this scheme.
    Fits,
    /// The key is of another kind.
    OtherKind,
    /// Nobody here knows keys of this kind.
    UnknownKind,
    /// It is no key at all.
    NoKey,
}

/// Whether a key is of the kind that signs by this scheme (RFC 9846 section 4.3.3).
pub fn fit(spki: &[u8], scheme: SignatureScheme) -> Fit {
    const KNOWN: [&str; 3] = [EC, ED25519, RSA];
    let Ok((rest, key)) = SubjectPublicKeyInfo::from_der(spki) else { return Fit::NoKey };
    if !rest.is_empty() {
        return Fit::NoKey;
    }
    if !KNOWN.contains(&key.algorithm.algorithm.to_id_string().as_str()) {
        return Fit::UnknownKind;
    }
    if signs(&key, scheme) { Fit::Fits } else { Fit::OtherKind }
}

const EC: &str = "1.2.840.10045.2.1";
const ED25519: &str = "1.3.101.112";
const RSA: &str = "1.2.840.113549.1.1.1";

fn signs(key: &SubjectPublicKeyInfo<'_>, scheme: SignatureScheme) -> bool {
    let algorithm = key.algorithm.algorithm.to_id_string();
    // Only keys on curves have parameters that count.
    let curve = || key.algorithm.parameters.as_ref()?.as_oid().ok().map(|oid| oid.to_id_string());
    let is_on = |wanted: &str| algorithm == EC && curve().as_deref() == Some(wanted);
    match scheme {
        SignatureScheme::ECDSA_SECP256R1_SHA256 => is_on("1.2.840.10045.3.1.7"),
        SignatureScheme::ECDSA_SECP384R1_SHA384 => is_on("1.3.132.0.34"),
        SignatureScheme::ECDSA_SECP521R1_SHA512 => is_on("1.3.132.0.35"),
        SignatureScheme::ED25519 => algorithm == ED25519,
        SignatureScheme::RSA_PSS_RSAE_SHA256
        | SignatureScheme::RSA_PSS_RSAE_SHA384
        | SignatureScheme::RSA_PSS_RSAE_SHA512 => algorithm == RSA,
        _ => false,
    }
}
