//! Path validation against the cases of x509-limbo, BetterTLS's among them.
//!
//! `LIMBO_FILE` names another file of that form, plain or gzipped, to be run besides.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde::Deserialize;
use symbolon::crypto::rustcrypto::provider;
use symbolon::pki::{
    Budget, Chain, Crl, Expected, Profile, Purpose, Revocation, RevocationPolicy, Rule, Verifier, VerifyError,
};

/// Cases that fail, and why. A listed case that passes fails the test: the list is to say what is so.
const KNOWN_FAILURES: &[&str] = &[];

/// 2026-11-21: for the cases that name no time.
const NOW: u64 = 1_795_219_200;

#[derive(Deserialize)]
struct File {
    testcases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    #[serde(default)]
    conflicts_with: Vec<String>,
    validation_kind: String,
    trusted_certs: Vec<String>,
    untrusted_intermediates: Vec<String>,
    peer_certificate: String,
    validation_time: Option<String>,
    expected_result: String,
    expected_peer_name: Option<Name>,
    #[serde(default)]
    expected_peer_names: Vec<Name>,
    #[serde(default)]
    extended_key_usage: Vec<String>,
    max_chain_depth: Option<usize>,
    #[serde(default)]
    crls: Vec<String>,
}

#[derive(Deserialize)]
struct Name {
    kind: String,
    value: String,
}

#[test]
fn the_cases_of_x509_limbo_give_the_expected_results() {
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("testvectors/limbo/limbo.json.gz");
    let other = std::env::var_os("LIMBO_FILE").map(PathBuf::from);
    for path in [public].into_iter().chain(other) {
        run(&path);
    }
}

fn run(path: &Path) {
    let cases = read(path);
    assert!(!cases.is_empty(), "{} has no case", path.display());
    let mut failed = BTreeSet::new();
    for case in &cases {
        let result = verify(case);
        if result.is_ok() != (case.expected_result == "SUCCESS") {
            let why = result.err().unwrap_or_else(|| "it was accepted".to_owned());
            println!("{}: expected {}: {why}", case.id, case.expected_result);
            failed.insert(case.id.as_str());
        }
    }
    let bettertls = |id: &&str| id.starts_with("bettertls::");
    let of_bettertls = cases.iter().filter(|case| bettertls(&case.id.as_str())).count();
    let lost = failed.iter().copied().filter(bettertls).count();
    println!("{}: {} passed, {} failed", path.display(), cases.len() - failed.len(), failed.len());
    println!("of these BetterTLS: {} passed, {lost} failed", of_bettertls - lost);
    println!("failed: {failed:?}");
    let present: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    let known: BTreeSet<&str> = KNOWN_FAILURES.iter().copied().filter(|id| present.contains(id)).collect();
    assert_eq!(failed, known, "which cases fail (left) is not what is known (right)");
}

fn read(path: &Path) -> Vec<Case> {
    let bytes = std::fs::read(path).unwrap();
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1F, 0x8B]) {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
    } else {
        text = bytes;
    }
    serde_json::from_slice::<File>(&text).unwrap().testcases
}

/// One configuration for all cases but those that contradict each other: these are judged by the profile that their
/// names say.
fn profile(case: &Case) -> Profile {
    let profile = match case.id.split("::").next() {
        Some("rfc5280") if !case.conflicts_with.is_empty() => Profile::rfc5280(),
        Some("webpki") if !case.conflicts_with.is_empty() => Profile::web(),
        // What contradicts other cases is left out here: a leaf that is an authority, or says nothing of its purposes.
        _ => Profile::web().without(Rule::LeafIsNoAuthority).without(Rule::Purposes),
    };
    // It is TLS that wants to sign; the cases have leaves that are authorities and sign certificates only.
    profile.without(Rule::DigitalSignature)
}

fn verify(case: &Case) -> Result<(), String> {
    let roots = case.trusted_certs.iter().map(|pem| certificate(pem));
    let verifier = Verifier::new(provider(), roots).map_err(told)?;
    let mut budget = Budget::default();
    if let Some(depth) = case.max_chain_depth {
        // The leaf and the root count here, and not there.
        budget.path = depth + 2;
    }
    let mut revocation = Revocation::new(RevocationPolicy::hard_fail());
    for pem in &case.crls {
        revocation = revocation.crls(Crl::from_pem_or_der(pem.as_bytes()).map_err(|why| why.to_string())?);
    }
    let verifier = verifier.profile(profile(case)).budget(budget).revocation(revocation.into());
    let leaf = certificate(&case.peer_certificate);
    let intermediates: Vec<_> = case.untrusted_intermediates.iter().map(|pem| certificate(pem)).collect();
    let chain = Chain { leaf: &leaf, intermediates: &intermediates, staples: &[] };
    let purpose = match (case.validation_kind.as_str(), case.extended_key_usage.first().map(String::as_str)) {
        ("CLIENT", None) | (_, Some("clientAuth")) => Purpose::Client,
        ("SERVER", None) | (_, Some("serverAuth")) => Purpose::Server,
        other => panic!("{}: a validation of another kind: {other:?}", case.id),
    };
    let now =
        UnixTime::since_unix_epoch(Duration::from_secs(case.validation_time.as_deref().map_or(NOW, seconds)));
    let names: Vec<Expected> =
        case.expected_peer_name.iter().chain(&case.expected_peer_names).map(expected).collect();
    let names = if names.is_empty() { vec![Expected::Anyone] } else { names };
    names.iter().try_for_each(|name| verifier.verify(&chain, purpose, name, now).map(|_| ()).map_err(told))
}

fn told(error: VerifyError) -> String {
    error.to_string()
}

fn expected(name: &Name) -> Expected {
    match name.kind.as_str() {
        "DNS" | "IP" => match ServerName::try_from(name.value.clone()) {
            Ok(name) => Expected::Name(name),
            // What is no name belongs to nobody.
            Err(_) => Expected::AnyOf(Vec::new()),
        },
        "RFC822" => Expected::Email(name.value.clone()),
        kind => panic!("a name of another kind: {kind}"),
    }
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Seconds since 1970 of a time in UTC such as `2024-04-01T00:00:00.005+00:00`; fractions are cut off.
fn seconds(text: &str) -> u64 {
    assert!(text.ends_with("+00:00") || text.ends_with('Z'), "{text} is not in UTC");
    let number = |range: std::ops::Range<usize>| text[range].parse::<u64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Years from March, so that a leap day ends one; days from 1970-03-01 and the two months before.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    days * 86_400 + number(11..13) * 3_600 + number(14..16) * 60 + number(17..19)
}

/// Cases, and words that tell the rule which they are about.
const REASONS: &[(&str, &str)] = &[
    ("crl::issuer-missing-crlsign", "has no cRLSign"),
    ("crl::revoked-certificate-with-crl", "was revoked on"),
    ("pathlen::intermediate-violates-pathlen-0", "permits fewer intermediate certificates"),
    ("pathlen::max-chain-depth-1-exhausted", "longer than is permitted"),
    ("pathological::pathological-chain-same-subject-distinct-key", "needs more certificates than"),
    ("rfc5280::aki::intermediate-missing-aki", "has an authority key identifier"),
    ("rfc5280::aki::leaf-missing-aki", "has an authority key identifier"),
    ("rfc5280::chain-untrusted-root", "is its own issuer and is not trusted"),
    ("rfc5280::ee-critical-aia-invalid", "extensions are critical, or not"),
    ("rfc5280::eku::ee-wrong-eku", "lacks serverAuth"),
    ("rfc5280::leaf-ku-keycertsign", "only an authority has"),
    ("rfc5280::mismatching-signature-algorithm", "its two signature algorithms differ"),
    ("rfc5280::nc::excluded-ipv6-match", "may not vouch for"),
    ("rfc5280::nc::not-allowed-in-ee-critical", "only an authority has"),
    ("rfc5280::nc::permitted-dns-match-noncritical", "name constraints are critical"),
    ("rfc5280::pc::ica-noncritical-pc", "extensions are critical, or not"),
    ("rfc5280::san::noncritical-with-empty-subject", "leaf without a subject are critical"),
    ("rfc5280::serial::too-long", "serial number is positive"),
    ("rfc5280::ski::critical-ski", "extensions are critical, or not"),
    ("rfc5280::ski::intermediate-missing-ski", "has a subject key identifier"),
    ("rfc5280::unknown-critical-extension-root", "the critical extension"),
    ("rfc5280::validity::expired-root", "was valid only until"),
    ("webpki::aki::root-with-aki-authoritycertissuer", "has a key identifier and nothing else"),
    ("webpki::ca-as-leaf", "a leaf is no certification authority"),
    ("webpki::cn::not-in-san", "a host in the common name"),
    ("webpki::eku::ee-anyeku", "does not name any purpose"),
    ("webpki::eku::ee-without-eku", "a leaf has an extended key usage"),
    ("webpki::forbidden-dsa-leaf", "DSA"),
    ("webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf", "a multiple of 8 bits"),
    ("webpki::forbidden-weak-rsa-in-leaf", "is too short"),
    ("webpki::malformed-aia", "authority information access is malformed"),
    ("webpki::san::san-critical-with-nonempty-subject", "leaf with a subject are not critical"),
];

#[test]
fn cases_are_refused_for_their_own_reasons() {
    let cases = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testvectors/limbo/limbo.json.gz"));
    let mut wrong = Vec::new();
    for (id, words) in REASONS {
        let case = cases.iter().find(|case| case.id == *id).unwrap();
        let why = verify(case).unwrap_err();
        if !why.contains(words) {
            wrong.push(format!("{id}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn times_are_read() {
    assert_eq!(seconds("1970-01-01T00:00:00Z"), 0);
    assert_eq!(seconds("2024-04-01T00:00:00.005+00:00"), 1_711_929_600);
}
