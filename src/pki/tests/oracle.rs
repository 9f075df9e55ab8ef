//! The reader of certificates against another one, that of the package `x509-parser`: where both accept a certificate
//! they read the same, and where one alone does, the reason is listed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, println};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName as TheirName, ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::SignatureAlgorithm as TheirAlgorithm;

use crate::pki::extension::{Known, Set};
use crate::pki::names::GeneralName;
use crate::pki::{Authority, Certificate, KeyKind, SignedWith, VerifyError};

/// What only their reader accepts, by our reason: how many of the certificates of this repository.
const OURS_REFUSES: &[(&str, usize)] = &[];

/// What only our reader accepts, by their reason.
const THEIRS_REFUSES: &[(&str, usize)] = &[];

const KNOWN: [(Known, &str); 14] = [
    (Known::SubjectKeyIdentifier, "2.5.29.14"),
    (Known::KeyUsage, "2.5.29.15"),
    (Known::SubjectAltName, "2.5.29.17"),
    (Known::BasicConstraints, "2.5.29.19"),
    (Known::NameConstraints, "2.5.29.30"),
    (Known::CrlDistribution, "2.5.29.31"),
    (Known::Policies, "2.5.29.32"),
    (Known::PolicyMappings, "2.5.29.33"),
    (Known::AuthorityKeyIdentifier, "2.5.29.35"),
    (Known::PolicyConstraints, "2.5.29.36"),
    (Known::ExtendedKeyUsage, "2.5.29.37"),
    (Known::InhibitAnyPolicy, "2.5.29.54"),
    (Known::AuthorityInformation, "1.3.6.1.5.5.7.1.1"),
    (Known::TlsFeature, "1.3.6.1.5.5.7.1.24"),
];

/// What both readers say of a certificate.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts {
    tbs: Vec<u8>,
    signature: Vec<u8>,
    signed_with: String,
    version: u32,
    serial: Vec<u8>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    validity: (i64, i64),
    spki: Vec<u8>,
    key: String,
    /// Those that are read.
    present: BTreeSet<String>,
    critical: BTreeSet<String>,
    /// A critical extension that is not read.
    refuses: bool,
    /// CA, and its path length.
    authority: (bool, Option<u32>),
    /// digitalSignature, keyCertSign, cRLSign.
    key_usage: Option<[bool; 3]>,
    /// Any, servers, clients, OCSP.
    purposes: Option<[bool; 4]>,
    names: Vec<String>,
    ski: Option<Vec<u8>>,
    aki: Option<Vec<u8>>,
    aki_names_certificate: bool,
    issuer_places: Vec<String>,
    /// The values that are looked at later.
    opaque: BTreeMap<&'static str, Vec<u8>>,
}

fn of_ours(certificate: &Certificate<'_>) -> Facts {
    let known = |set: Set| {
        let has = KNOWN.iter().filter(|(known, _)| set.has(*known));
        has.map(|(_, oid)| oid.to_string()).collect::<BTreeSet<_>>()
    };
    let opaque = [
        ("2.5.29.30", certificate.name_constraints),
        ("2.5.29.32", certificate.policies),
        ("2.5.29.33", certificate.policy_mappings),
        ("2.5.29.36", certificate.policy_constraints),
        ("2.5.29.54", certificate.inhibit_any_policy),
    ];
    Facts {
        tbs: certificate.tbs.to_vec(),
        signature: certificate.signature.to_vec(),
        signed_with: our_algorithm(&certificate.signed_with),
        version: certificate.version.into(),
        serial: certificate.serial.to_vec(),
        issuer: certificate.issuer_der.to_vec(),
        subject: certificate.subject_der.to_vec(),
        validity: (certificate.not_before, certificate.not_after),
        spki: certificate.spki.to_vec(),
        key: match &certificate.key {
            KeyKind::Other(kind) if kind.starts_with("ECDSA") => "another curve".to_string(),
            other => other.to_string(),
        },
        present: known(certificate.present),
        critical: known(certificate.critical),
        refuses: certificate.not_evaluated().is_some(),
        authority: match certificate.authority {
            Authority::Yes { path_len } => (true, path_len),
            Authority::No { path_len } => (false, path_len),
        },
        key_usage: certificate
            .key_usage
            .map(|usage| [usage.digital_signature, usage.key_cert_sign, usage.crl_sign]),
        purposes: certificate
            .extended_key_usage
            .map(|usage| [usage.any, usage.server, usage.client, usage.ocsp_signing]),
        names: certificate.subject_names.iter().map(our_name).collect(),
        ski: certificate.ski.map(<[u8]>::to_vec),
        aki: certificate.aki.map(<[u8]>::to_vec),
        aki_names_certificate: certificate.aki_names_certificate,
        issuer_places: certificate.aia_issuers.iter().map(ToString::to_string).collect(),
        opaque: opaque.into_iter().filter_map(|(oid, value)| Some((oid, value?.to_vec()))).collect(),
    }
}

fn our_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::Dns(text) => format!("DNS {}", String::from_utf8_lossy(text)),
        GeneralName::Email(text) => format!("email {}", String::from_utf8_lossy(text)),
        GeneralName::Uri(text) => format!("URI {}", String::from_utf8_lossy(text)),
        GeneralName::Ip(bytes) => format!("IP {bytes:?}"),
        GeneralName::Directory(der) => format!("directory {der:?}"),
        GeneralName::Other(kind) => format!("other {kind}"),
    }
}

fn our_algorithm(algorithm: &SignedWith) -> String {
    match algorithm {
        SignedWith::EcdsaSha256 => "1.2.840.10045.4.3.2",
        SignedWith::EcdsaSha384 => "1.2.840.10045.4.3.3",
        SignedWith::EcdsaSha512 => "1.2.840.10045.4.3.4",
        SignedWith::Ed25519 => "1.3.101.112",
        SignedWith::RsaPkcs1Sha256 => "1.2.840.113549.1.1.11",
        SignedWith::RsaPkcs1Sha384 => "1.2.840.113549.1.1.12",
        SignedWith::RsaPkcs1Sha512 => "1.2.840.113549.1.1.13",
        SignedWith::RsaPssSha256 => "PSS 2.16.840.1.101.3.4.2.1 32",
        SignedWith::RsaPssSha384 => "PSS 2.16.840.1.101.3.4.2.2 48",
        SignedWith::RsaPssSha512 => "PSS 2.16.840.1.101.3.4.2.3 64",
        SignedWith::Md5 => "MD5",
        SignedWith::Sha1 => "SHA-1",
        SignedWith::Other(name) => name,
    }
    .to_string()
}

/// What their reader says, or why it refuses: as a whole, or an extension that ours reads.
fn theirs(der: &[u8]) -> Result<Facts, String> {
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
    if !rest.is_empty() {
        return Err("bytes follow".to_string());
    }
    certificate.extensions_map().map_err(|error| error.to_string())?;
    let (subject, issuer) = (certificate.subject(), certificate.issuer());
    let mut facts = Facts {
        tbs: certificate.tbs_certificate.as_ref().to_vec(),
        signature: certificate.signature_value.data.to_vec(),
        signed_with: their_algorithm(&certificate),
        version: certificate.version().0 + 1,
        serial: certificate.raw_serial().to_vec(),
        issuer: issuer.as_raw().to_vec(),
        subject: subject.as_raw().to_vec(),
        validity: (
            certificate.validity().not_before.timestamp(),
            certificate.validity().not_after.timestamp(),
        ),
        spki: certificate.public_key().raw.to_vec(),
        key: their_key(&certificate),
        ..Facts::default()
    };
    for extension in certificate.extensions() {
        let oid = extension.oid.to_id_string();
        match KNOWN.iter().find(|(_, known)| *known == oid) {
            Some((known, _)) if *known != Known::CrlDistribution || !extension.critical => {
                facts.take(extension, &oid)?;
            }
            _ => facts.refuses |= extension.critical,
        }
    }
    Ok(facts)
}

impl Facts {
    fn take(&mut self, extension: &X509Extension<'_>, oid: &str) -> Result<(), String> {
        self.present.insert(oid.to_string());
        if extension.critical {
            self.critical.insert(oid.to_string());
        }
        match extension.parsed_extension() {
            ParsedExtension::ParseError { error } => return Err(format!("the extension {oid}: {error}")),
            ParsedExtension::BasicConstraints(constraints) => {
                self.authority = (constraints.ca, constraints.path_len_constraint);
            }
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = Some([usage.digital_signature(), usage.key_cert_sign(), usage.crl_sign()]);
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                self.purposes = Some([usage.any, usage.server_auth, usage.client_auth, usage.ocsp_signing]);
            }
            ParsedExtension::SubjectKeyIdentifier(key) => self.ski = Some(key.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(key) => {
                self.aki = key.key_identifier.as_ref().map(|key| key.0.to_vec());
                self.aki_names_certificate =
                    key.authority_cert_issuer.is_some() || key.authority_cert_serial.is_some();
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                self.names = names.general_names.iter().map(their_name).collect::<Result<_, String>>()?;
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                let issuers =
                    access.iter().filter(|one| one.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2");
                self.issuer_places = issuers
                    .filter_map(|one| match &one.access_location {
                        TheirName::URI(uri) => Some(uri.to_string()),
                        _ => None,
                    })
                    .collect();
            }
            _ => {}
        }
        for later in ["2.5.29.30", "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"] {
            if oid == later {
                self.opaque.insert(later, extension.value.to_vec());
            }
        }
        Ok(())
    }
}

fn their_name(name: &TheirName<'_>) -> Result<String, String> {
    Ok(match name {
        TheirName::DNSName(text) => format!("DNS {text}"),
        TheirName::RFC822Name(text) => format!("email {text}"),
        TheirName::URI(text) => format!("URI {text}"),
        TheirName::IPAddress(bytes) => format!("IP {bytes:?}"),
        TheirName::DirectoryName(name) => format!("directory {:?}", name.as_raw()),
        TheirName::OtherName(..) => "other 0".to_string(),
        TheirName::X400Address(_) => "other 3".to_string(),
        TheirName::EDIPartyName(_) => "other 5".to_string(),
        TheirName::RegisteredID(_) => "other 8".to_string(),
        TheirName::Invalid(tag, _) => return Err(format!("an alternative name of kind {}", tag.0)),
    })
}

fn their_algorithm(certificate: &X509Certificate<'_>) -> String {
    let oid = certificate.signature_algorithm.algorithm.to_id_string();
    match TheirAlgorithm::try_from(&certificate.signature_algorithm) {
        Ok(TheirAlgorithm::RSASSA_PSS(parameters)) => {
            let hash = parameters.hash_algorithm_oid().to_id_string();
            if hash == "1.3.14.3.2.26" {
                "SHA-1".to_string()
            } else {
                format!("PSS {hash} {}", parameters.salt_length())
            }
        }
        _ => match oid.as_str() {
            "1.2.840.10045.4.1" | "1.2.840.113549.1.1.5" => "SHA-1".to_string(),
            "1.2.840.113549.1.1.4" => "MD5".to_string(),
            dsa if dsa.starts_with("1.2.840.10040.4.") || dsa.starts_with("2.16.840.1.101.3.4.3.") => {
                "DSA".to_string()
            }
            _ => oid,
        },
    }
}

fn their_key(certificate: &X509Certificate<'_>) -> String {
    let key = certificate.public_key();
    let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
    match (
        key.algorithm.algorithm.to_id_string().as_str(),
        curve.map(|curve| curve.to_id_string()).as_deref(),
    ) {
        ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => KeyKind::EcdsaP256.to_string(),
        ("1.2.840.10045.2.1", Some("1.3.132.0.34")) => KeyKind::EcdsaP384.to_string(),
        ("1.2.840.10045.2.1", Some("1.3.132.0.35")) => KeyKind::EcdsaP521.to_string(),
        ("1.2.840.10045.2.1", _) => "another curve".to_string(),
        ("1.3.101.112", None) => KeyKind::Ed25519.to_string(),
        ("1.2.840.10040.4.1", _) => "a key of the kind DSA".to_string(),
        (oid, _) => match key.parsed() {
            Ok(PublicKey::RSA(key)) => {
                let digits: Vec<u8> = key.modulus.iter().copied().skip_while(|byte| *byte == 0).collect();
                let short = digits.first().map_or(0, |first| usize::try_from(first.leading_zeros()).unwrap());
                KeyKind::Rsa(digits.len() * 8 - short).to_string()
            }
            _ => format!("a key of the kind {oid}"),
        },
    }
}

#[derive(serde::Deserialize)]
struct Limbo {
    testcases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    trusted_certs: Vec<String>,
    untrusted_intermediates: Vec<String>,
    peer_certificate: String,
}

fn testvectors(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testvectors").join(name)
}

type Certificates = BTreeSet<Vec<u8>>;

/// Those of x509-limbo and of OpenSSL that are in this repository, each once.
fn of_this_repository() -> Certificates {
    let mut text = Vec::new();
    let file = fs::File::open(testvectors("limbo/limbo.json.gz")).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut text).unwrap();
    let cases = serde_json::from_slice::<Limbo>(&text).unwrap().testcases;
    let pems = cases.iter().flat_map(|case| {
        case.trusted_certs.iter().chain(&case.untrusted_intermediates).chain([&case.peer_certificate])
    });
    let mut found: Certificates =
        pems.map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()).collect();
    assert!(found.len() > 1_000, "{} are too few to be all of x509-limbo", found.len());
    for folder in ["pki", "revocation"] {
        found.extend(in_folder(&testvectors(folder)));
    }
    found
}

/// Those in the PEM files of a folder; none where there is no such folder.
fn in_folder(folder: &Path) -> Certificates {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let pem = entries.filter(|path| path.extension().is_some_and(|extension| extension == "pem"));
    pem.flat_map(|path| CertificateDer::pem_file_iter(path).into_iter().flatten())
        .map(|certificate| certificate.unwrap().to_vec())
        .collect()
}

type Reasons = BTreeMap<String, usize>;

/// Compares what both read of these; how many they agree on, and why one alone accepts the others.
fn compare(certificates: &Certificates) -> (usize, Reasons, Reasons) {
    let (mut agreed, mut ours_refuses, mut theirs_refuses) = (0, Reasons::new(), Reasons::new());
    for der in certificates {
        match (Certificate::parse(der), theirs(der)) {
            (Ok(our), Ok(their)) => {
                let our = of_ours(&our);
                assert!(our == their, "{our:#x?}\nis not\n{their:#x?}");
                agreed += 1;
            }
            (Err(VerifyError::Malformed(why)), Ok(_)) => *ours_refuses.entry(why).or_default() += 1,
            (Err(other), Ok(_)) => panic!("{other}"),
            (Ok(_), Err(why)) => *theirs_refuses.entry(why).or_default() += 1,
            (Err(_), Err(_)) => {}
        }
    }
    println!("{agreed} of {} agreed on", certificates.len());
    (agreed, ours_refuses, theirs_refuses)
}

fn listed(reasons: &[(&str, usize)]) -> Reasons {
    reasons.iter().map(|(why, count)| (why.to_string(), *count)).collect()
}

#[test]
fn two_readers_agree_on_the_certificates_here() {
    let (agreed, ours_refuses, theirs_refuses) = compare(&of_this_repository());
    assert!(agreed > 1_000, "{agreed}");
    assert_eq!(ours_refuses, listed(OURS_REFUSES), "accepted by their reader alone");
    assert_eq!(theirs_refuses, listed(THEIRS_REFUSES), "accepted by our reader alone");
}

#[test]
fn two_readers_agree_on_the_roots_of_this_system() {
    let (_, ours_refuses, theirs_refuses) = compare(&in_folder(Path::new("/etc/ssl/certs")));
    assert_eq!((ours_refuses, theirs_refuses), (Reasons::new(), Reasons::new()));
}
