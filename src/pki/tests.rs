//! Verification against certificates that OpenSSL made; `testvectors/pki/make.sh` says which is which.

mod expected;
mod forge;
mod keys;
mod oracle;
mod path;
mod policies;
mod profile;

use core::time::Duration;
use std::path::PathBuf;
use std::string::{String, ToString};
use std::vec::Vec;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{Budget, Chain, Expected, Purpose, VerifiedPath, Verifier, VerifyError};
use crate::alert::AlertCode;
use crate::crypto::rustcrypto::provider;

/// 2026-06-01.
const NOW: u64 = 1_780_272_000;

fn certificates(name: &str) -> Vec<CertificateDer<'static>> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "testvectors", "pki", name].iter().collect();
    CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect()
}

fn certificate(name: &str) -> CertificateDer<'static> {
    certificates(name).remove(0)
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn verifier(roots: &[&str]) -> Verifier {
    Verifier::new(provider(), roots.iter().map(|root| certificate(root))).unwrap()
}

fn named(name: &'static str) -> Expected {
    ServerName::try_from(name).unwrap().into()
}

fn check(
    verifier: &Verifier,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    purpose: Purpose,
    expected: &Expected,
    now: u64,
) -> Result<VerifiedPath, VerifyError> {
    verifier.verify(&Chain { leaf, intermediates, staples: &[] }, purpose, expected, at(now))
}

fn verify_for(
    root: &str,
    leaf: &str,
    intermediates: &[&str],
    name: &'static str,
) -> Result<VerifiedPath, VerifyError> {
    let intermediates: Vec<_> = intermediates.iter().map(|name| certificate(name)).collect();
    check(&verifier(&[root]), &certificate(leaf), &intermediates, Purpose::Server, &named(name), NOW)
}

fn verify(root: &str, leaf: &str, intermediates: &[&str]) -> Result<VerifiedPath, VerifyError> {
    verify_for(root, leaf, intermediates, "localhost")
}

/// The error's text and alert.
fn refusal(result: Result<VerifiedPath, VerifyError>) -> (String, AlertCode) {
    let error = result.unwrap_err();
    (error.to_string(), error.alert())
}

//= testvectors/requirements/rfc9846.txt#section-9.1
//= type=test
//# A TLS-compliant application MUST support digital signatures with rsa_pkcs1_sha256 (for certificates),
//# rsa_pss_rsae_sha256 (for CertificateVerify and certificates), and ecdsa_secp256r1_sha256.
#[test]
fn every_kind_of_key_and_signature_verifies() {
    for leaf in ["p256.pem", "p384.pem", "ed25519.pem", "rsa2048.pem"] {
        let path = verify("root.pem", leaf, &["intermediate.pem"]).unwrap();
        assert_eq!(path.chain.len(), 3);
        assert!(path.subject.starts_with("CN="));
    }
    for leaf in ["pkcs1-sha512.pem", "pss.pem"] {
        assert_eq!(verify("rsa-root.pem", leaf, &[]).unwrap().chain.len(), 2);
    }
}

#[test]
fn every_name_of_the_leaf_matches_and_no_other() {
    for name in ["localhost", "LOCALHOST", "www.example.test", "127.0.0.1", "::1"] {
        verify_for("root.pem", "p256.pem", &["intermediate.pem"], name).unwrap();
    }
    let (text, alert) = refusal(verify_for("root.pem", "p256.pem", &["intermediate.pem"], "other.test"));
    assert!(
        text.contains("not for \"other.test\"; it is for: localhost, *.example.test, 127.0.0.1, ::1"),
        "{text}"
    );
    assert_eq!(alert, AlertCode::BAD_CERTIFICATE);
    let (text, _) = refusal(verify("root.pem", "no-san.pem", &[]));
    assert!(text.contains("no DNS name and no IP address"), "the CN does not count: {text}");
}

#[test]
fn a_missing_issuer_is_named() {
    let (text, alert) = refusal(verify("root.pem", "p256.pem", &[]));
    assert!(text.contains("its issuer \"CN=Test Intermediate\" was not sent"), "{text}");
    assert_eq!(alert, AlertCode::UNKNOWN_CA);
    let (text, alert) = refusal(verify("other-root.pem", "p256.pem", &["intermediate.pem"]));
    assert!(text.contains("Test Root"), "{text}");
    assert_eq!(alert, AlertCode::UNKNOWN_CA);
}

#[test]
fn time_is_checked_at_both_ends_of_every_certificate() {
    let (text, alert) = refusal(verify("root.pem", "expired.pem", &[]));
    assert!(
        text.contains(
            "was valid only until 2021-01-01 00:00:00 UTC, 1977 days ago; our clock says 2026-06-01"
        ),
        "{text}"
    );
    assert_eq!(alert, AlertCode::CERTIFICATE_EXPIRED);
    let (text, alert) = refusal(verify("root.pem", "not-yet-valid.pem", &[]));
    assert!(text.contains("is not valid before 2100-01-01"), "{text}");
    assert_eq!(alert, AlertCode::CERTIFICATE_EXPIRED);
    let (text, alert) = refusal(verify("root.pem", "under-old.pem", &["old-ca.pem"]));
    assert!(
        text.contains("candidate \"CN=Old CA\": the certificate \"CN=Old CA\" was valid only until"),
        "{text}"
    );
    assert_eq!(alert, AlertCode::CERTIFICATE_EXPIRED);
    let leaf = certificate("p256.pem");
    let ends = super::Certificate::parse(&leaf).unwrap();
    let (first, last) = (u64::try_from(ends.not_before).unwrap(), u64::try_from(ends.not_after).unwrap());
    let at = |tolerance, time| {
        let verifier = verifier(&["root.pem"]).clock_tolerance(Duration::from_secs(tolerance));
        check(&verifier, &leaf, &certificates("intermediate.pem"), Purpose::Server, &Expected::Anyone, time)
            .is_ok()
    };
    assert!(!at(0, first - 1) && at(0, first) && at(0, last) && !at(0, last + 1));
    assert!(!at(5, first - 6) && at(5, first - 5) && at(5, last + 5) && !at(5, last + 6));
    assert!(at(u64::MAX, last + 86_400) && !at(u64::MAX, last + 86_401), "a day at most");
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1.2
//= type=test
//# the digitalSignature bit MUST be set if the Key Usage extension is present, and the public key (with
//# associated restrictions) MUST be compatible with some supported signature scheme
#[test]
fn usage_is_checked_for_leaf_and_issuers() {
    for (leaf, intermediates, words) in [
        ("wrong-eku.pem", &[][..], "lacks serverAuth"),
        ("client-only.pem", &[], "lacks serverAuth"),
        ("no-signing.pem", &[], "lacks digitalSignature"),
        ("under-fake.pem", &["fake-ca.pem"], "is no certification authority"),
        ("under-no-cert-sign.pem", &["no-cert-sign.pem"], "lacks keyCertSign"),
        ("under-second.pem", &["second.pem", "intermediate.pem"], "permits fewer intermediate"),
        ("critical.pem", &[], "critical extension 1.3.6.1.4.1.55555.1"),
    ] {
        let (text, alert) = refusal(verify("root.pem", leaf, intermediates));
        assert!(text.contains(words), "{leaf}: {text}");
        assert_eq!(alert, AlertCode::UNSUPPORTED_CERTIFICATE, "{leaf}");
    }
}

#[test]
fn broken_hashes_are_refused_by_name() {
    for (leaf, hash) in [("sha1.pem", "SHA-1"), ("md5.pem", "MD5"), ("pss-sha1.pem", "SHA-1")] {
        let (text, alert) = refusal(verify("rsa-root.pem", leaf, &[]));
        assert!(text.contains(&std::format!("a signature by {hash}, which is broken")), "{leaf}: {text}");
        assert_eq!(alert, AlertCode::BAD_CERTIFICATE, "RFC 9846 section 4.5.1.3");
    }
}

#[test]
fn a_client_needs_no_name_but_its_purpose() {
    let verifier = verifier(&["root.pem"]);
    let intermediates = certificates("intermediate.pem");
    let client = |leaf, sent: &[_]| {
        check(&verifier, &certificate(leaf), sent, Purpose::Client, &Expected::Anyone, NOW)
    };
    client("p256.pem", &intermediates).unwrap();
    client("client-only.pem", &[]).unwrap();
    assert!(client("wrong-eku.pem", &[]).is_err());
}

#[test]
fn a_self_signed_leaf_is_trusted_by_itself_alone() {
    assert_eq!(verify("self-signed.pem", "self-signed.pem", &[]).unwrap().chain.len(), 1);
    assert!(verify_for("self-signed.pem", "self-signed.pem", &[], "other.test").is_err());
    assert!(verify("root.pem", "self-signed.pem", &[]).is_err());
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# with the exception of the end-entity certificate which MUST be first
#[test]
fn extraneous_certificates_and_any_order_are_tolerated() {
    verify(
        "root.pem",
        "p256.pem",
        &["expired.pem", "other-root.pem", "intermediate.pem", "intermediate.pem"],
    )
    .unwrap();
}

#[test]
fn a_flipped_bit_anywhere_in_the_leaf_is_refused() {
    let verifier = verifier(&["root.pem"]);
    let intermediates = certificates("intermediate.pem");
    let good = certificate("p256.pem");
    for position in 0..good.len() {
        let mut bad = good.to_vec();
        bad[position] ^= 1;
        let verified =
            check(&verifier, &bad.into(), &intermediates, Purpose::Server, &named("localhost"), NOW);
        assert!(verified.is_err(), "byte {position}");
    }
}

#[test]
fn a_maze_of_certificates_is_given_up() {
    let budget = Budget { signatures: 0, ..Budget::default() };
    let intermediates = certificates("intermediate.pem");
    let leaf = certificate("p256.pem");
    let given = |verifier: Verifier, sent: &[_]| {
        check(&verifier, &leaf, sent, Purpose::Server, &named("localhost"), NOW)
    };
    let verified = given(verifier(&["root.pem"]).budget(budget), &intermediates);
    assert_eq!(verified, Err(VerifyError::Budget("signature checks")));
    let many: Vec<_> = core::iter::repeat_n(certificate("intermediate.pem"), 64).collect();
    let verified = given(verifier(&["root.pem"]), &many);
    assert_eq!(verified, Err(VerifyError::Budget("certificates")));
}

#[test]
fn without_roots_nothing_is_trusted() {
    assert_eq!(Verifier::new(provider(), []).unwrap_err(), VerifyError::NoRoots);
}
