//! The reader of certificates against another one, that of the package `x509-parser`: where both accept a certificate
//! they read the same, and where one alone does, the reason is listed.

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::vec::Vec;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::asn1_rs::Oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName as TheirName, ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::SignatureAlgorithm as TheirAlgorithm;

use crate::pki::der::dotted;
use crate::pki::extension::{Known, Set};
use crate::pki::names::GeneralName;
use crate::pki::{Authority, Certificate, KeyKind, SignedWith, VerifyError};

/// What neither accepts, by our reason.
const REFUSED_BY_BOTH: &[(&str, usize)] = &[
    ("a name in a certificate is of no known kind", 13),
    ("its alternative names are not DER", 1),
    ("its authority information access is malformed", 1),
];

/// What their reader accepts and ours does not, by our reason.
const REFUSED_BY_OURS: &[(&str, usize)] = &[
    // RFC 5280 section 4.2.1.6: names are IA5String.
    ("a name in a certificate has bytes that are not ASCII", 1),
    // An x400Address or an ediPartyName is constructed; BetterTLS writes them as strings.
    ("a name in a certificate is of no known kind", 6),
    // An address with its mask, or a text: theirs hands on any length.
    ("an IP address among its alternative names has neither 4 nor 16 bytes", 2),
    // RFC 5280 section 4.2.1.3: "at least one of the bits MUST be set to 1".
    ("its key usage is malformed", 1),
    // RFC 5280 section 4.1.1.2: theirs hands on both.
    ("its two signature algorithms differ", 1),
];

/// The extensions whose values are handed on: name constraints and all about policies.
const LATER: [&str; 5] = ["2.5.29.30", "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"];

/// An algorithm that is not relied on.
const ANOTHER: &str = "another";

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
    tbs: String,
    signature: String,
    signed_with: String,
    version: u32,
    serial: String,
    issuer: String,
    subject: String,
    validity: (i64, i64),
    spki: String,
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
    ski: Option<String>,
    aki: Option<String>,
    aki_names_certificate: bool,
    issuer_places: Vec<String>,
    /// The values that are looked at later.
    opaque: BTreeMap<&'static str, String>,
}

fn of_ours(certificate: &Certificate<'_>) -> Facts {
    let known = |set: Set| {
        let has = KNOWN.iter().filter(|(known, _)| set.has(*known));
        has.map(|(_, oid)| oid.to_string()).collect::<BTreeSet<_>>()
    };
    let values = [
        certificate.name_constraints,
        certificate.policies,
        certificate.policy_mappings,
        certificate.policy_constraints,
        certificate.inhibit_any_policy,
    ];
    let opaque = LATER.into_iter().zip(values);
    Facts {
        tbs: hex(certificate.tbs),
        signature: hex(certificate.signature),
        signed_with: our_algorithm(&certificate.signed_with),
        version: certificate.version.into(),
        serial: hex(certificate.serial),
        issuer: hex(certificate.issuer_der),
        subject: hex(certificate.subject_der),
        validity: (certificate.not_before, certificate.not_after),
        spki: hex(certificate.spki),
        key: match &certificate.key {
            KeyKind::Other(kind) if kind.starts_with("ECDSA") => "another curve".to_string(),
            KeyKind::Other(kind) if kind != "DSA" => ANOTHER.to_string(),
            KeyKind::Other(kind) => kind.clone(),
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
        ski: certificate.ski.map(hex),
        aki: certificate.aki.map(hex),
        aki_names_certificate: certificate.aki_names_certificate,
        issuer_places: certificate.aia_issuers.iter().map(ToString::to_string).collect(),
        opaque: opaque.filter_map(|(oid, value)| Some((oid, hex(value?)))).collect(),
    }
}

fn our_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::Dns(text) => format!("DNS {}", String::from_utf8_lossy(text)),
        GeneralName::Email(text) => format!("email {}", String::from_utf8_lossy(text)),
        GeneralName::Uri(text) => format!("URI {}", String::from_utf8_lossy(text)),
        GeneralName::Ip(bytes) => format!("IP {bytes:?}"),
        GeneralName::Directory(der) => format!("directory {}", hex(der)),
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
        SignedWith::Other(_) => ANOTHER,
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
        tbs: hex(certificate.tbs_certificate.as_ref()),
        signature: hex(&certificate.signature_value.data),
        signed_with: their_algorithm(&certificate),
        version: certificate.version().0 + 1,
        serial: hex(certificate.raw_serial()),
        issuer: hex(issuer.as_raw()),
        subject: hex(subject.as_raw()),
        validity: (
            certificate.validity().not_before.timestamp(),
            certificate.validity().not_after.timestamp(),
        ),
        spki: hex(certificate.public_key().raw),
        key: their_key(&certificate),
        ..Facts::default()
    };
    for extension in certificate.extensions() {
        let oid = text(&extension.oid);
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
            ParsedExtension::SubjectKeyIdentifier(key) => self.ski = Some(hex(key.0)),
            ParsedExtension::AuthorityKeyIdentifier(key) => {
                self.aki = key.key_identifier.as_ref().map(|key| hex(key.0));
                self.aki_names_certificate =
                    key.authority_cert_issuer.is_some() || key.authority_cert_serial.is_some();
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                self.names = names.general_names.iter().map(their_name).collect::<Result<_, String>>()?;
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                let issuers = access.iter().filter(|one| text(&one.access_method) == "1.3.6.1.5.5.7.48.2");
                self.issuer_places = issuers
                    .filter_map(|one| match &one.access_location {
                        TheirName::URI(uri) => Some(uri.to_string()),
                        _ => None,
                    })
                    .collect();
            }
            _ => {}
        }
        if let Some(later) = LATER.iter().find(|later| **later == oid) {
            self.opaque.insert(later, hex(extension.value));
        }
        Ok(())
    }
}

/// Theirs prints different bytes alike.
fn text(oid: &Oid<'_>) -> String {
    dotted(oid.as_bytes())
}

fn their_name(name: &TheirName<'_>) -> Result<String, String> {
    Ok(match name {
        TheirName::DNSName(text) => format!("DNS {text}"),
        TheirName::RFC822Name(text) => format!("email {text}"),
        TheirName::URI(text) => format!("URI {text}"),
        TheirName::IPAddress(bytes) => format!("IP {bytes:?}"),
        TheirName::DirectoryName(name) => format!("directory {}", hex(name.as_raw())),
        TheirName::OtherName(..) => "other 0".to_string(),
        TheirName::X400Address(_) => "other 3".to_string(),
        TheirName::EDIPartyName(_) => "other 5".to_string(),
        TheirName::RegisteredID(_) => "other 8".to_string(),
        TheirName::Invalid(tag, _) => return Err(format!("an alternative name of kind {}", tag.0)),
    })
}

fn their_algorithm(certificate: &X509Certificate<'_>) -> String {
    if let Ok(TheirAlgorithm::RSASSA_PSS(parameters)) =
        TheirAlgorithm::try_from(&certificate.signature_algorithm)
    {
        let hash = text(parameters.hash_algorithm_oid());
        return match hash.as_str() {
            "1.3.14.3.2.26" => "SHA-1".to_string(),
            _ => format!("PSS {hash} {}", parameters.salt_length()),
        };
    }
    let parameters = certificate.signature_algorithm.parameters.as_ref();
    let bare = parameters.is_none();
    let null = parameters.is_none_or(|any| any.tag().0 == 5 && any.data.is_empty());
    let oid = text(&certificate.signature_algorithm.algorithm);
    match oid.as_str() {
        "1.2.840.10045.4.1" | "1.2.840.113549.1.1.5" => "SHA-1",
        "1.2.840.113549.1.1.4" => "MD5",
        "1.2.840.10045.4.3.2" | "1.2.840.10045.4.3.3" | "1.2.840.10045.4.3.4" | "1.3.101.112" if bare => &oid,
        "1.2.840.113549.1.1.11" | "1.2.840.113549.1.1.12" | "1.2.840.113549.1.1.13" if null => &oid,
        _ => ANOTHER,
    }
    .to_string()
}

fn their_key(certificate: &X509Certificate<'_>) -> String {
    let key = certificate.public_key();
    let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
    match (text(&key.algorithm.algorithm).as_str(), curve.map(|curve| text(&curve)).as_deref()) {
        ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => KeyKind::EcdsaP256.to_string(),
        ("1.2.840.10045.2.1", Some("1.3.132.0.34")) => KeyKind::EcdsaP384.to_string(),
        ("1.2.840.10045.2.1", Some("1.3.132.0.35")) => KeyKind::EcdsaP521.to_string(),
        ("1.2.840.10045.2.1", _) => "another curve".to_string(),
        ("1.3.101.112", None) => KeyKind::Ed25519.to_string(),
        ("1.2.840.10040.4.1", _) => "DSA".to_string(),
        _ => match key.parsed() {
            Ok(PublicKey::RSA(key)) => {
                let digits: Vec<u8> = key.modulus.iter().copied().skip_while(|byte| *byte == 0).collect();
                let short = digits.first().map_or(0, |first| usize::try_from(first.leading_zeros()).unwrap());
                KeyKind::Rsa(digits.len() * 8 - short).to_string()
            }
            _ => ANOTHER.to_string(),
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

/// The lines in which two differ.
fn difference(our: &Facts, their: &Facts) -> String {
    let (our, their) = (format!("{our:#?}"), format!("{their:#?}"));
    let differing = our.lines().zip(their.lines()).filter(|(our, their)| our != their);
    differing.map(|(our, their)| format!("{our}\nis not\n{their}\n")).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How many certificates, by the reason.
type Reasons = BTreeMap<String, usize>;

/// What two readers make of certificates.
#[derive(Debug, Default)]
struct Verdicts {
    agreed: usize,
    /// By the lines of what they read.
    differ: Reasons,
    /// By our reasons.
    refused_by_both: Reasons,
    refused_by_ours: Reasons,
    /// By their reasons.
    refused_by_theirs: Reasons,
}

impl Verdicts {
    fn compare(&mut self, der: &[u8]) {
        match (Certificate::parse(der), theirs(der)) {
            (Ok(our), Ok(their)) => {
                let our = of_ours(&our);
                if our != their {
                    return count(&mut self.differ, difference(&our, &their));
                }
                self.agreed += 1;
            }
            (Err(why), Ok(_)) => count(&mut self.refused_by_ours, reason(why)),
            (Ok(_), Err(why)) => count(&mut self.refused_by_theirs, why),
            (Err(why), Err(_)) => count(&mut self.refused_by_both, reason(why)),
        }
    }

    fn of<'a>(certificates: impl IntoIterator<Item = &'a Vec<u8>>) -> Self {
        let mut verdicts = Self::default();
        certificates.into_iter().for_each(|der| verdicts.compare(der));
        verdicts
    }
}

fn count(reasons: &mut Reasons, why: String) {
    *reasons.entry(why).or_default() += 1;
}

fn reason(error: VerifyError) -> String {
    match error {
        VerifyError::Malformed(why) => why,
        other => panic!("{other}"),
    }
}

fn listed(reasons: &[(&str, usize)]) -> Reasons {
    reasons.iter().map(|(why, count)| (why.to_string(), *count)).collect()
}

#[test]
fn two_readers_agree_on_the_certificates_here() {
    let verdicts = Verdicts::of(&of_this_repository());
    assert!(verdicts.agreed > 2_000, "{}", verdicts.agreed);
    assert_eq!(verdicts.differ, Reasons::new());
    assert_eq!(verdicts.refused_by_ours, listed(REFUSED_BY_OURS));
    assert_eq!(verdicts.refused_by_both, listed(REFUSED_BY_BOTH));
    assert_eq!(verdicts.refused_by_theirs, Reasons::new(), "ours is the stricter one");
}

#[test]
fn two_readers_agree_on_the_roots_of_this_system() {
    let verdicts = Verdicts::of(&in_folder(Path::new("/etc/ssl/certs")));
    assert_eq!(verdicts.differ, Reasons::new());
    assert_eq!(verdicts.refused_by_ours, Reasons::new());
    assert_eq!(verdicts.refused_by_theirs, Reasons::new());
}

#[test]
fn two_readers_agree_on_what_is_left_of_a_certificate_with_a_changed_byte() {
    let mut verdicts = Verdicts::default();
    for good in in_folder(&testvectors("pki")) {
        for place in 0..good.len() {
            for change in [0x01, 0x80] {
                let mut bad = good.clone();
                bad[place] ^= change;
                verdicts.compare(&bad);
            }
        }
    }
    assert!(verdicts.agreed > 20_000, "{}", verdicts.agreed);
    // Theirs takes a curve for what it is whatever its tag, and RSA keys that are no DER.
    let of_keys = |(lines, _): &(String, usize)| lines.starts_with("    key: ") && lines.lines().count() == 3;
    let others: Vec<_> = verdicts.differ.into_iter().filter(|differ| !of_keys(differ)).collect();
    assert_eq!(others, []);
    // The path judges the extensions that are not read here.
    let later =
        |(why, _): &(String, usize)| LATER.iter().any(|oid| why.starts_with(&format!("the extension {oid}")));
    let others: Vec<_> = verdicts.refused_by_theirs.into_iter().filter(|refused| !later(refused)).collect();
    assert_eq!(others, []);
}
