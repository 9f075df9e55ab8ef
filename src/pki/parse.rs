//! X.509 certificates as this library sees them. The only file that knows the parser.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::oid;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_HASH_SHA1, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_HASH_SHA256,
    OID_NIST_HASH_SHA384, OID_NIST_HASH_SHA512, OID_PKCS1_MD5WITHRSAENC, OID_PKCS1_RSAENCRYPTION,
    OID_PKCS1_RSASSAPSS, OID_PKCS1_SHA1WITHRSA, OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA,
    OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ED25519, Oid,
};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo, X509Version};

use super::VerifyError;
use super::der::Elements;
use super::dn::rfc4514;
use super::outline::Outline;
use crate::codepoint::SignatureScheme;
use crate::crypto::SignatureAlgorithm;

/// RFC 8017 appendix B.2.1.
const OID_MGF1: Oid<'static> = oid!(1.2.840.113549.1.1.8);

/// A parsed certificate.
pub(crate) struct Certificate<'a> {
    /// The whole of it.
    pub(crate) der: &'a [u8],
    /// What its issuer signed.
    pub(crate) tbs: &'a [u8],
    pub(crate) signed_with: SignedWith,
    pub(crate) signature: &'a [u8],
    /// 1 to 3.
    pub(crate) version: u32,
    /// DER names, for comparison.
    pub(crate) subject_der: &'a [u8],
    pub(crate) issuer_der: &'a [u8],
    /// The same in the form of RFC 4514.
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) spki: &'a [u8],
    pub(crate) key: KeyKind,
    /// Seconds since 1970, both inclusive.
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) authority: Authority,
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(crate) dns_names: Vec<&'a str>,
    pub(crate) ip_addresses: Vec<&'a [u8]>,
    /// A critical extension that is not evaluated; it refuses the certificate.
    pub(crate) not_evaluated: Option<String>,
}

/// Seconds since 1970 as a date and a time of day.
pub(super) fn date(seconds: i64) -> String {
    let Ok(time) = ASN1Time::from_timestamp(seconds) else { return format!("{seconds} seconds since 1970") };
    let time = time.to_datetime();
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second) = time.to_hms();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// What basicConstraints says (RFC 5280 section 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// No certification authority.
    No,
    /// One, with this many intermediate certificates below it at most.
    Yes { path_len: Option<u32> },
}

/// The bits of keyUsage that matter (RFC 5280 section 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUsage {
    pub(crate) digital_signature: bool,
    pub(crate) key_cert_sign: bool,
}

/// The purposes of extKeyUsage that matter (RFC 5280 section 4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExtendedKeyUsage {
    pub(crate) server: bool,
    pub(crate) client: bool,
}

/// What kind of public key a certificate holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// ECDSA on secp256r1.
    EcdsaP256,
    /// ECDSA on secp384r1.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
    /// RSA, with the length of its modulus in bits.
    Rsa(usize),
    /// Anything else, by its object identifier.
    Other(String),
}

impl KeyKind {
    /// Whether such a key can sign a handshake by `scheme` (RFC 9846 section 4.3.3).
    #[must_use]
    pub fn signs(&self, scheme: SignatureScheme) -> bool {
        match scheme {
            SignatureScheme::ECDSA_SECP256R1_SHA256 => *self == Self::EcdsaP256,
            SignatureScheme::ECDSA_SECP384R1_SHA384 => *self == Self::EcdsaP384,
            SignatureScheme::ED25519 => *self == Self::Ed25519,
            SignatureScheme::RSA_PSS_RSAE_SHA256
            | SignatureScheme::RSA_PSS_RSAE_SHA384
            | SignatureScheme::RSA_PSS_RSAE_SHA512 => matches!(self, Self::Rsa(_)),
            _ => false,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ECDSA P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA of {bits} bits"),
            Self::Other(oid) => write!(f, "a key of the kind {oid}"),
        }
    }
}

/// How a certificate was signed; the curve of ECDSA is the issuer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignedWith {
    EcdsaSha256,
    EcdsaSha384,
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
            (Self::EcdsaSha256, KeyKind::EcdsaP384) => A::EcdsaP384Sha256,
            (Self::EcdsaSha384, KeyKind::EcdsaP384) => A::EcdsaP384Sha384,
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

    fn read(identifier: &AlgorithmIdentifier<'_>) -> Self {
        let oid = &identifier.algorithm;
        let known = [
            (OID_SIG_ECDSA_WITH_SHA256, Self::EcdsaSha256),
            (OID_SIG_ECDSA_WITH_SHA384, Self::EcdsaSha384),
            (OID_SIG_ED25519, Self::Ed25519),
            (OID_PKCS1_SHA256WITHRSA, Self::RsaPkcs1Sha256),
            (OID_PKCS1_SHA384WITHRSA, Self::RsaPkcs1Sha384),
            (OID_PKCS1_SHA512WITHRSA, Self::RsaPkcs1Sha512),
            (OID_PKCS1_SHA1WITHRSA, Self::Sha1),
            (OID_PKCS1_MD5WITHRSAENC, Self::Md5),
        ];
        if *oid == OID_PKCS1_RSASSAPSS {
            return Self::read_pss(identifier).unwrap_or(Self::Other(oid.to_string()));
        }
        let found = known.into_iter().find(|(known, _)| known == oid);
        found.map_or_else(|| Self::Other(oid.to_string()), |(_, signed_with)| signed_with)
    }

    /// RFC 9846 section 4.3.3: one hash for message and mask, and a salt as long as its output.
    fn read_pss(identifier: &AlgorithmIdentifier<'_>) -> Option<Self> {
        let parameters = RsaSsaPssParams::try_from(identifier.parameters.as_ref()?).ok()?;
        let hash = parameters.hash_algorithm_oid();
        let mask = parameters.mask_gen_algorithm().ok()?;
        if mask.mgf != OID_MGF1 || mask.hash != *hash || parameters.trailer_field() != 1 {
            return None;
        }
        Some(match parameters.salt_length() {
            32 if *hash == OID_NIST_HASH_SHA256 => Self::RsaPssSha256,
            48 if *hash == OID_NIST_HASH_SHA384 => Self::RsaPssSha384,
            64 if *hash == OID_NIST_HASH_SHA512 => Self::RsaPssSha512,
            _ if *hash == OID_HASH_SHA1 => Self::Sha1,
            _ => return None,
        })
    }
}

impl fmt::Display for SignedWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5 => f.write_str("MD5, which is broken"),
            Self::Sha1 => f.write_str("SHA-1, which is broken"),
            Self::Other(oid) => write!(f, "the algorithm {oid}"),
            known => match known.scheme() {
                Some(scheme) => write!(f, "{scheme}"),
                None => f.write_str("an unknown algorithm"),
            },
        }
    }
}

impl<'a> Certificate<'a> {
    /// Parses a certificate: version 3, nothing behind it, no extension twice.
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, VerifyError> {
        let malformed = |why: &str| VerifyError::Malformed(why.to_string());
        let outline =
            Outline::of(der).ok_or_else(|| malformed("it is not the DER of an X.509 certificate"))?;
        let (rest, certificate) =
            X509Certificate::from_der(der).map_err(|error| malformed(&format!("{error}")))?;
        if !rest.is_empty() {
            return Err(malformed("bytes follow the certificate"));
        }
        let tbs = &certificate.tbs_certificate;
        if tbs.version != X509Version::V3 && !tbs.extensions().is_empty() {
            return Err(malformed("only version 3 has extensions"));
        }
        if outline.inner_algorithm != outline.outer_algorithm {
            return Err(malformed("its two signature algorithms differ"));
        }
        tbs.extensions_map().map_err(|_| malformed("an extension appears twice"))?;
        let spki = &tbs.subject_pki;
        let mut parsed = Self {
            der,
            tbs: outline.tbs,
            signed_with: SignedWith::read(&certificate.signature_algorithm),
            signature: outline.signature,
            version: tbs.version.0.saturating_add(1),
            subject_der: outline.subject,
            issuer_der: outline.issuer,
            subject: rfc4514(outline.subject),
            issuer: rfc4514(outline.issuer),
            spki: outline.spki,
            key: kind_of(spki),
            not_before: tbs.validity.not_before.timestamp(),
            not_after: tbs.validity.not_after.timestamp(),
            authority: Authority::No,
            key_usage: None,
            extended_key_usage: None,
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            not_evaluated: None,
        };
        for extension in tbs.extensions() {
            let known = !extension.parsed_extension().unsupported();
            if known && Elements::of(extension.value).only().is_none() {
                return Err(malformed("an extension has bytes after its end"));
            }
            match extension.parsed_extension() {
                ParsedExtension::BasicConstraints(constraints) if constraints.ca => {
                    parsed.authority = Authority::Yes { path_len: constraints.path_len_constraint };
                }
                ParsedExtension::BasicConstraints(_) => {}
                ParsedExtension::KeyUsage(usage) => {
                    parsed.key_usage = Some(KeyUsage {
                        digital_signature: usage.digital_signature(),
                        key_cert_sign: usage.key_cert_sign(),
                    });
                }
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    parsed.extended_key_usage = Some(ExtendedKeyUsage {
                        server: usage.any || usage.server_auth,
                        client: usage.any || usage.client_auth,
                    });
                }
                ParsedExtension::SubjectAlternativeName(names) => {
                    for name in &names.general_names {
                        match name {
                            GeneralName::DNSName(name) => parsed.dns_names.push(name),
                            GeneralName::IPAddress(address) => parsed.ip_addresses.push(address),
                            GeneralName::Invalid(..) => {
                                return Err(malformed("an alternative name is malformed"));
                            }
                            _ => {}
                        }
                    }
                }
                ParsedExtension::ParseError { .. } => return Err(malformed("an extension is malformed")),
                // Constraints are not evaluated, critical or not: what they forbid must not pass.
                ParsedExtension::NameConstraints(_) => {
                    parsed.not_evaluated = Some("name constraints".to_string());
                }
                ParsedExtension::PolicyConstraints(_) | ParsedExtension::InhibitAnyPolicy(_) => {
                    parsed.not_evaluated = Some("policy constraints".to_string());
                }
                _ if extension.critical => {
                    parsed.not_evaluated = Some(format!("the critical extension {}", extension.oid));
                }
                _ => {}
            }
        }
        Ok(parsed)
    }

    /// Whether subject and issuer are the same.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject_der == self.issuer_der
    }
}

/// The kind and the bits of the key in a DER `SubjectPublicKeyInfo`; two encodings of one key have equal bits.
pub(crate) fn key_of(spki: &[u8]) -> Option<(KeyKind, Vec<u8>)> {
    let (rest, spki) = SubjectPublicKeyInfo::from_der(spki).ok()?;
    rest.is_empty().then(|| (kind_of(&spki), spki.subject_public_key.data.to_vec()))
}

fn kind_of(spki: &SubjectPublicKeyInfo<'_>) -> KeyKind {
    let oid = &spki.algorithm.algorithm;
    if *oid == OID_SIG_ED25519 {
        return KeyKind::Ed25519;
    }
    if *oid == OID_PKCS1_RSAENCRYPTION
        && let Ok(PublicKey::RSA(key)) = spki.parsed()
    {
        return KeyKind::Rsa(key.key_size());
    }
    if *oid == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = spki.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
        return match curve {
            Some(curve) if curve == OID_EC_P256 => KeyKind::EcdsaP256,
            Some(curve) if curve == OID_NIST_EC_P384 => KeyKind::EcdsaP384,
            Some(curve) => KeyKind::Other(curve.to_string()),
            None => KeyKind::Other("ECDSA with explicit parameters".to_string()),
        };
    }
    KeyKind::Other(oid.to_string())
}
