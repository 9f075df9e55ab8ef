//! ECDSA, Ed25519, RSASSA-PSS and RSASSA-PKCS1-v1_5.

use serde::Deserialize;
use symbolon::crypto::{Provider, SignatureAlgorithm};

use crate::vectors::{Hex, Tally, Verdict, load};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    public_key_der: Hex,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    tc_id: u32,
    msg: Hex,
    sig: Hex,
    result: Verdict,
}

pub fn run_curves(provider: &Provider) {
    file(provider, SignatureAlgorithm::EcdsaP256Sha256, "ecdsa_secp256r1_sha256_test", 484);
    file(provider, SignatureAlgorithm::EcdsaP384Sha256, "ecdsa_secp384r1_sha256_test", 472);
    file(provider, SignatureAlgorithm::EcdsaP384Sha384, "ecdsa_secp384r1_sha384_test", 504);
    file(provider, SignatureAlgorithm::EcdsaP521Sha512, "ecdsa_secp521r1_sha512_test", 542);
    file(provider, SignatureAlgorithm::Ed25519, "ed25519_test", 151);
}

pub fn run_rsa(provider: &Provider) {
    file(provider, SignatureAlgorithm::RsaPssSha256, "rsa_pss_2048_sha256_mgf1_32_test", 108);
    file(provider, SignatureAlgorithm::RsaPssSha384, "rsa_pss_2048_sha384_mgf1_48_test", 141);
    file(provider, SignatureAlgorithm::RsaPssSha256, "rsa_pss_3072_sha256_mgf1_32_test", 108);
    file(provider, SignatureAlgorithm::RsaPssSha256, "rsa_pss_4096_sha256_mgf1_32_test", 108);
    file(provider, SignatureAlgorithm::RsaPssSha384, "rsa_pss_4096_sha384_mgf1_48_test", 141);
    file(provider, SignatureAlgorithm::RsaPssSha512, "rsa_pss_4096_sha512_mgf1_64_test", 179);
    file(provider, SignatureAlgorithm::RsaPkcs1Sha256, "rsa_signature_2048_sha256_test", 259);
    file(provider, SignatureAlgorithm::RsaPkcs1Sha384, "rsa_signature_2048_sha384_test", 258);
    file(provider, SignatureAlgorithm::RsaPkcs1Sha512, "rsa_signature_2048_sha512_test", 259);
    file(provider, SignatureAlgorithm::RsaPkcs1Sha256, "rsa_signature_3072_sha256_test", 259);
    file(provider, SignatureAlgorithm::RsaPkcs1Sha384, "rsa_signature_3072_sha384_test", 259);
    file(provider, SignatureAlgorithm::RsaPkcs1Sha256, "rsa_signature_4096_sha256_test", 258);
    file(provider, SignatureAlgorithm::RsaPkcs1Sha384, "rsa_signature_4096_sha384_test", 259);
    file(provider, SignatureAlgorithm::RsaPkcs1Sha512, "rsa_signature_4096_sha512_test", 259);
}

/// The only "acceptable" cases are PKCS#1 signatures whose DigestInfo lacks the NULL (flag `MissingNull`): they
/// are refused, as RFC 8017 section 8.2.2 allows, since the encoding is compared with the one expected.
fn file(provider: &Provider, algorithm: SignatureAlgorithm, name: &str, least: usize) {
    let verifier = provider.verifier(algorithm).unwrap();
    let mut tally = Tally::new(name);
    for group in load::<Group>(name).groups {
        for case in &group.tests {
            let passed = verifier.verify(&group.public_key_der, &case.msg, &case.sig).is_ok();
            tally.case(case.tc_id, case.result == Verdict::Valid, passed);
        }
    }
    tally.finish(least);
}
