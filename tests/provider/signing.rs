//! Private keys and verification.

use std::sync::Arc;

use rustls_pki_types::PrivateKeyDer;
use symbolon::codepoint::SignatureScheme;
use symbolon::crypto::{Failed, Provider, SignatureAlgorithm, SigningKey};

use super::agreement::Dry;
use super::keys;

const MESSAGE: &[u8] = b"message";

pub fn each_encoding_loads_to_the_same_key(provider: &Provider) {
    for (key, spki) in [
        (keys::pkcs8(keys::P256), keys::P256_SPKI),
        (keys::sec1(keys::P256_SEC1), keys::P256_SPKI),
        (keys::sec1(keys::P256_SEC1_WITHOUT_PUBLIC), keys::P256_SPKI),
        (keys::pkcs8(keys::P384), keys::P384_SPKI),
        (keys::sec1(keys::P384_SEC1), keys::P384_SPKI),
        (keys::sec1(keys::P384_SEC1_WITHOUT_CURVE), keys::P384_SPKI),
        (keys::pkcs8(keys::P521), keys::P521_SPKI),
        (keys::sec1(keys::P521_SEC1_WITHOUT_CURVE), keys::P521_SPKI),
        (keys::pkcs8(keys::ED25519), keys::ED25519_SPKI),
        (keys::pkcs8(keys::RSA_2048), keys::RSA_2048_SPKI),
        (keys::pkcs1(keys::RSA_2048_PKCS1), keys::RSA_2048_SPKI),
    ] {
        assert_eq!(load(provider, &key).public_key(), spki);
    }
}

pub fn a_public_part_that_does_not_fit_is_refused(provider: &Provider) {
    let mut der = keys::P256_SEC1.to_vec();
    *der.last_mut().unwrap() ^= 1;
    assert!((provider.load_key)(&keys::sec1(&der)).is_err());

    // RFC 8410 section 7: the second version, with the public key behind the private one.
    let with_public = |public: &[u8]| {
        let body = [b"\x02\x01\x01", &keys::ED25519[5..], b"\x81\x21\x00", public].concat();
        [&[0x30, 0x51], &body[..]].concat()
    };
    let public = &keys::ED25519_SPKI[12..];
    let key = load(provider, &keys::pkcs8(&with_public(public)));
    assert_eq!(key.public_key(), keys::ED25519_SPKI);
    assert!((provider.load_key)(&keys::pkcs8(&with_public(&[1; 32]))).is_err());
}

pub fn each_scheme_signs_and_verifies(provider: &Provider) {
    let mut schemes = Vec::new();
    for der in [keys::P256, keys::P384, keys::P521, keys::ED25519, keys::RSA_2048, keys::RSA_3072] {
        let key = load(provider, &keys::pkcs8(der));
        for &scheme in key.schemes() {
            let signature = key.sign(&*provider.rng, scheme, MESSAGE).unwrap();
            assert_eq!(provider.verify(scheme, key.public_key(), MESSAGE, &signature), Ok(()), "{scheme}");
            schemes.push(scheme);
        }
    }
    let rsa = [
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::RSA_PSS_RSAE_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA512,
    ];
    let curves = [
        SignatureScheme::ECDSA_SECP256R1_SHA256,
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::ECDSA_SECP521R1_SHA512,
        SignatureScheme::ED25519,
    ];
    assert_eq!(schemes, [&curves[..], &rsa, &rsa].concat());
}

/// Certificates pair curves and hashes as they like (RFC 5758 section 3.2): signatures by OpenSSL over `MESSAGE`.
pub fn each_hash_on_each_curve_verifies_certificates(provider: &Provider) {
    use SignatureAlgorithm as A;
    for (algorithm, spki, signature) in [
        (A::EcdsaP256Sha512, keys::P256_SPKI, P256_SHA512),
        (A::EcdsaP384Sha512, keys::P384_SPKI, P384_SHA512),
        (A::EcdsaP521Sha256, keys::P521_SPKI, P521_SHA256),
        (A::EcdsaP521Sha384, keys::P521_SPKI, P521_SHA384),
        (A::EcdsaP521Sha512, keys::P521_SPKI, P521_SHA512),
    ] {
        let verify = |message| provider.verifier(algorithm).unwrap().verify(spki, message, signature);
        assert_eq!(verify(MESSAGE), Ok(()), "{algorithm:?}");
        assert_eq!(verify(b"massage"), Err(Failed::Input), "{algorithm:?}");
    }
}

pub fn p521_verifies_handshakes(provider: &Provider) {
    let scheme = SignatureScheme::ECDSA_SECP521R1_SHA512;
    let verify = |spki, signature| provider.verify(scheme, spki, MESSAGE, signature);
    assert_eq!(verify(keys::P521_SPKI, P521_SHA512), Ok(()));
    assert_eq!(verify(keys::P521_SPKI, P521_SHA384), Err(Failed::Input));
    assert_eq!(verify(keys::P384_SPKI, P384_SHA512), Err(Failed::Input));
}

const P256_SHA512: &[u8] = include_bytes!("../../testvectors/keys/p256.ecdsa-sha512.sig");
const P384_SHA512: &[u8] = include_bytes!("../../testvectors/keys/p384.ecdsa-sha512.sig");
const P521_SHA256: &[u8] = include_bytes!("../../testvectors/keys/p521.ecdsa-sha256.sig");
const P521_SHA384: &[u8] = include_bytes!("../../testvectors/keys/p521.ecdsa-sha384.sig");
const P521_SHA512: &[u8] = include_bytes!("../../testvectors/keys/p521.ecdsa-sha512.sig");

pub fn a_scheme_of_another_key_is_refused(provider: &Provider) {
    for (der, scheme) in [
        (keys::P256, SignatureScheme::ECDSA_SECP384R1_SHA384),
        (keys::P521, SignatureScheme::ECDSA_SECP384R1_SHA384),
        (keys::ED25519, SignatureScheme::ECDSA_SECP256R1_SHA256),
        // RFC 9846 section 4.3.3: PKCS#1 v1.5 signs no handshakes.
        (keys::RSA_2048, SignatureScheme::RSA_PKCS1_SHA256),
    ] {
        let key = load(provider, &keys::pkcs8(der));
        assert_eq!(key.sign(&*provider.rng, scheme, MESSAGE), Err(Failed::Provider));
    }
}

pub fn a_signature_for_other_bytes_is_refused(provider: &Provider) {
    for (key, scheme, signature) in signatures(provider) {
        let verify =
            |message: &[u8], signature: &[u8]| provider.verify(scheme, key.public_key(), message, signature);
        assert_eq!(verify(MESSAGE, &signature), Ok(()));
        assert_eq!(verify(b"massage", &signature), Err(Failed::Input));
        assert_eq!(verify(MESSAGE, &signature[..signature.len() - 1]), Err(Failed::Input));
        assert_eq!(verify(MESSAGE, &[&signature[..], &[0]].concat()), Err(Failed::Input));
        assert_eq!(verify(MESSAGE, &[]), Err(Failed::Input));
    }
}

pub fn a_key_of_another_type_is_refused(provider: &Provider) {
    let spkis = [keys::P256_SPKI, keys::P384_SPKI, keys::ED25519_SPKI, keys::RSA_2048_SPKI];
    for (key, scheme, signature) in signatures(provider) {
        for spki in spkis.into_iter().filter(|spki| *spki != key.public_key()) {
            assert_eq!(provider.verify(scheme, spki, MESSAGE, &signature), Err(Failed::Input));
        }
        for malformed in [&[][..], &[0x30], keys::CERTIFICATE, &key.public_key()[1..]] {
            assert_eq!(provider.verify(scheme, malformed, MESSAGE, &signature), Err(Failed::Input));
        }
    }
}

/// The named curve in the key counts, not only the length of its point.
pub fn a_curve_other_than_the_schemes_is_refused(provider: &Provider) {
    let key = load(provider, &keys::pkcs8(keys::P256));
    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let signature = key.sign(&*provider.rng, scheme, MESSAGE).unwrap();
    let mut spki = key.public_key().to_vec();
    let last_of_curve = 22;
    assert_eq!(spki[last_of_curve], 7);
    spki[last_of_curve] = 6;
    assert_eq!(provider.verify(scheme, &spki, MESSAGE, &signature), Err(Failed::Input));
}

pub fn a_short_rsa_key_is_refused(provider: &Provider) {
    let verifier = provider.verifier(SignatureAlgorithm::RsaPkcs1Sha256).unwrap();
    assert_eq!(verifier.verify(keys::RSA_1024_SPKI, MESSAGE, RSA_1024_SIGNATURE), Err(Failed::Input));
}

/// A true signature by the key of 1024 bits, so that only its size can be the reason.
const RSA_1024_SIGNATURE: &[u8] = include_bytes!("../../testvectors/keys/rsa1024.pkcs1-sha256.sig");

pub fn a_compressed_public_key_is_refused(provider: &Provider) {
    let key = load(provider, &keys::pkcs8(keys::P256));
    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let signature = key.sign(&*provider.rng, scheme, MESSAGE).unwrap();
    let whole = key.public_key();
    let parity = 2 + (whole[whole.len() - 1] & 1);
    // Lengths of the outer sequence and of the bit string shrink by the second coordinate.
    let mut spki = [&whole[..26], &[parity], &whole[27..59]].concat();
    spki[1] -= 32;
    spki[24] -= 32;
    assert_eq!(provider.verify(scheme, &spki, MESSAGE, &signature), Err(Failed::Input));
}

pub fn a_certificate_scheme_does_not_verify_handshakes(provider: &Provider) {
    let verified =
        provider.verify(SignatureScheme::RSA_PKCS1_SHA256, keys::RSA_2048_SPKI, MESSAGE, &[0; 256]);
    assert_eq!(verified, Err(Failed::Provider));
}

pub fn signing_without_entropy_is_reported(provider: &Provider) {
    let key = load(provider, &keys::pkcs8(keys::RSA_2048));
    assert_eq!(key.sign(&Dry, SignatureScheme::RSA_PSS_RSAE_SHA256, MESSAGE), Err(Failed::Provider));
}

pub fn pss_salts_are_fresh(provider: &Provider) {
    let key = load(provider, &keys::pkcs8(keys::RSA_2048));
    let sign = || key.sign(&*provider.rng, SignatureScheme::RSA_PSS_RSAE_SHA256, MESSAGE).unwrap();
    assert_ne!(sign(), sign());
}

//= testvectors/requirements/rfc9846.txt#section-4.3.3
//= type=test
//# The length of the Salt MUST be equal to the length of the output of the digest algorithm.
pub fn a_pss_salt_is_as_long_as_the_hash(provider: &Provider) {
    let scheme = SignatureScheme::RSA_PSS_RSAE_SHA256;
    let verify = |signature| provider.verify(scheme, keys::RSA_2048_SPKI, MESSAGE, signature);
    assert_eq!(verify(RSA_SALT_32), Ok(()));
    assert_eq!(verify(RSA_SALT_20), Err(Failed::Input));
}

const RSA_SALT_20: &[u8] = include_bytes!("../../testvectors/keys/rsa2048.pss-salt20.sig");
const RSA_SALT_32: &[u8] = include_bytes!("../../testvectors/keys/rsa2048.pss-salt32.sig");

fn load(provider: &Provider, key: &PrivateKeyDer<'_>) -> Arc<dyn SigningKey> {
    (provider.load_key)(key).unwrap_or_else(|error| panic!("{error}"))
}

/// One key of each type with a signature over `MESSAGE`.
fn signatures(provider: &Provider) -> Vec<(Arc<dyn SigningKey>, SignatureScheme, Vec<u8>)> {
    let ders = [keys::P256, keys::P384, keys::ED25519, keys::RSA_2048];
    let signed = ders.into_iter().map(|der| {
        let key = load(provider, &keys::pkcs8(der));
        let scheme = key.schemes()[0];
        let signature = key.sign(&*provider.rng, scheme, MESSAGE).unwrap();
        (key, scheme, signature)
    });
    signed.collect()
}
