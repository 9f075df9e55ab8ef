//! Keys and signatures that are not relied on, each with its own reason, at the leaf and above it.

use std::string::{String, ToString};
use std::vec::Vec;

use super::forge::{Forged, element, oid, p256, rsa, sequence, spki};
use super::{NOW, at};
use crate::alert::AlertCode;
use crate::crypto::rustcrypto::provider;
use crate::pki::{Chain, Expected, KeyKind, Purpose, Verifier, VerifyError};

const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];
const DSA: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x38, 4, 1];

fn verify(leaf: &Forged, between: &Forged) -> Result<(), VerifyError> {
    let verifier = Verifier::new(provider(), [Forged::root("root").der()]).unwrap();
    let (leaf, intermediates) = (leaf.der(), [between.der()]);
    let chain = Chain { leaf: &leaf, intermediates: &intermediates, staples: &[] };
    verifier.verify(&chain, Purpose::Server, &Expected::Anyone, at(NOW)).map(|_| ())
}

fn leaf() -> Forged {
    Forged::leaf("between", "leaf.test")
}

fn between() -> Forged {
    Forged::authority("root", "between")
}

/// What was said against the only candidate.
#[track_caller]
fn candidate(error: VerifyError) -> VerifyError {
    match error {
        VerifyError::NoPath(no_path) => match &no_path.rejected[..] {
            [only] => (*only.why).clone(),
            several => panic!("{several:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Keys, how they are named, and why they are not relied on.
fn weak_keys() -> Vec<(Vec<u8>, KeyKind, &'static str)> {
    let other = |kind: &str| KeyKind::Other(kind.to_string());
    let point = [&[4][..], &[1; 64]].concat();
    let explicit = sequence(&[&[2, 1, 1]]);
    let secp256k1 = oid(&[0x2B, 0x81, 4, 0, 10]);
    Vec::from([
        (rsa(1024), KeyKind::Rsa(1024), "too short"),
        (rsa(2040), KeyKind::Rsa(2040), "too short"),
        (rsa(8200), KeyKind::Rsa(8200), "too long"),
        (
            spki(&[&oid(EC_PUBLIC_KEY), &explicit], &point),
            other("ECDSA with explicit parameters"),
            "is of a kind that is not relied on",
        ),
        (
            spki(&[&oid(EC_PUBLIC_KEY)], &point),
            other("ECDSA with explicit parameters"),
            "is of a kind that is not relied on",
        ),
        (
            spki(&[&oid(EC_PUBLIC_KEY), &secp256k1], &point),
            other("ECDSA on the curve 1.3.132.0.10"),
            "is of a kind that is not relied on",
        ),
        (
            spki(&[&oid(DSA), &sequence(&[&[2, 1, 5], &[2, 1, 3], &[2, 1, 2]])], &[2, 1, 4]),
            other("DSA"),
            "is of a kind that is not relied on",
        ),
    ])
}

#[test]
fn a_leaf_with_a_weak_key_is_refused_for_its_key() {
    verify(&leaf(), &between()).unwrap();
    for (spki, kind, words) in weak_keys() {
        let error = verify(&Forged { spki, ..leaf() }, &between()).unwrap_err();
        assert_eq!(error.alert(), AlertCode::UNSUPPORTED_CERTIFICATE);
        match error {
            VerifyError::Key { subject, key, why } => {
                assert_eq!((subject.as_str(), &key), ("CN=leaf.test", &kind));
                assert!(why.contains(words), "{kind}: {why}");
            }
            other => panic!("{kind}: {other}"),
        }
    }
}

#[test]
fn an_authority_with_a_weak_key_is_refused_for_its_key() {
    for (spki, kind, words) in weak_keys() {
        let error = verify(&leaf(), &Forged { spki, ..between() }).unwrap_err();
        match candidate(error) {
            VerifyError::Key { subject, key, why } => {
                assert_eq!((subject.as_str(), &key), ("CN=between", &kind));
                assert!(why.contains(words), "{kind}: {why}");
            }
            other => panic!("{kind}: {other}"),
        }
    }
}

#[test]
fn rsa_from_2048_bits_is_relied_on() {
    for bits in [2048, 3072, 4096, 8192] {
        verify(&Forged { spki: rsa(bits), ..leaf() }, &between()).unwrap();
    }
}

fn signed_with(algorithm: Vec<u8>) -> Forged {
    Forged { algorithm, ..leaf() }
}

/// An AlgorithmIdentifier with a NULL.
fn with_null(content: &[u8]) -> Vec<u8> {
    sequence(&[&oid(content), &[5, 0]])
}

const PKCS1: [u8; 8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1];

fn pkcs1(last: u8) -> Vec<u8> {
    with_null(&[&PKCS1[..], &[last]].concat())
}

/// RSASSA-PSS with a hash for both the message and its mask, and a salt of this length.
fn pss(hash: &[u8], salt: u8) -> Vec<u8> {
    let hash = sequence(&[&oid(hash)]);
    let mask = sequence(&[&oid(&[&PKCS1[..], &[8]].concat()), &hash]);
    let salt = element(2, &[&[salt]]);
    let parameters =
        sequence(&[&element(0xA0, &[&hash]), &element(0xA1, &[&mask]), &element(0xA2, &[&salt])]);
    sequence(&[&oid(&[&PKCS1[..], &[10]].concat()), &parameters])
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1.3
//= type=test
//# Any endpoint receiving any certificate which it would need to validate using any signature algorithm
//# using an MD5 hash MUST abort the handshake with a "bad_certificate" alert.
#[test]
fn a_signature_by_a_broken_hash_is_refused_for_its_hash() {
    let ecdsa_sha1 = sequence(&[&oid(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 1])]);
    let pss_defaults = sequence(&[&oid(&[&PKCS1[..], &[10]].concat()), &sequence(&[])]);
    for (algorithm, wanted) in [
        (pkcs1(4), "MD5"),
        (pkcs1(5), "SHA-1"),
        (ecdsa_sha1, "SHA-1"),
        (pss_defaults, "SHA-1"),
        (pss(&[0x2B, 0x0E, 3, 2, 0x1A], 20), "SHA-1"),
    ] {
        let error = verify(&signed_with(algorithm.clone()), &between()).unwrap_err();
        assert_eq!(error.alert(), AlertCode::BAD_CERTIFICATE, "RFC 9846 section 4.5.1.3");
        let broken = VerifyError::BrokenHash { subject: "CN=leaf.test".to_string(), hash: wanted };
        assert_eq!(candidate(error), broken);
        let above = verify(&leaf(), &Forged { algorithm, ..between() }).unwrap_err();
        let broken = VerifyError::BrokenHash { subject: "CN=between".to_string(), hash: wanted };
        assert_eq!(candidate(above), broken);
    }
}

#[test]
fn the_signature_on_a_root_is_not_looked_at() {
    let root = Forged { algorithm: pkcs1(5), ..Forged::root("root") };
    let verifier = Verifier::new(provider(), [root.der()]).unwrap();
    let leaf = Forged::leaf("root", "leaf.test").der();
    let chain = Chain { leaf: &leaf, intermediates: &[], staples: &[] };
    verifier.verify(&chain, Purpose::Server, &Expected::Anyone, at(NOW)).unwrap();
}

#[test]
fn a_signature_that_is_not_understood_is_refused_as_such() {
    const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    let what = |algorithm: Vec<u8>| -> String {
        match candidate(verify(&signed_with(algorithm), &between()).unwrap_err()) {
            VerifyError::NotEvaluated { subject, what } => {
                assert_eq!(subject, "CN=leaf.test");
                what
            }
            other => panic!("{other:?}"),
        }
    };
    let dsa_sha256 = sequence(&[&oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2])]);
    assert!(what(dsa_sha256).contains("the algorithm DSA"));
    assert!(what(pkcs1(2)).contains("1.2.840.113549.1.1.2"), "MD2");
    assert!(what(pss(SHA256, 20)).contains("1.2.840.113549.1.1.10 with its parameters"), "another salt");
    // An algorithm that is understood, and is not the issuer's key's.
    for foreign in [pkcs1(11), pss(SHA256, 32), sequence(&[&oid(&[0x2B, 0x65, 0x70])])] {
        assert!(what(foreign).contains("under a key that is ECDSA P-256"));
    }
}

#[test]
fn a_signature_by_another_key_is_refused_with_both_names() {
    let forged = Forged { signer: "mallory".to_string(), ..leaf() };
    match candidate(verify(&forged, &between()).unwrap_err()) {
        VerifyError::NotSignedBy { subject, issuer } => {
            assert_eq!((subject.as_str(), issuer.as_str()), ("CN=leaf.test", "CN=between"));
        }
        other => panic!("{other:?}"),
    }
    let claimed = Forged { spki: p256("mallory"), ..between() };
    assert!(matches!(candidate(verify(&leaf(), &claimed).unwrap_err()), VerifyError::NotSignedBy { .. }));
}
