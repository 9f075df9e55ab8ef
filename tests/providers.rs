//! What every provider must do, by the traits alone. A provider is one line in the list at the end.
#![cfg(feature = "rustcrypto")]

mod provider;

provider::suite! {
    rustcrypto = symbolon::crypto::rustcrypto::provider;
}

/// What this provider, and no other, promises.
mod rustcrypto_alone {
    use symbolon::codepoint::{CipherSuite, NamedGroup};
    use symbolon::crypto::rustcrypto::provider;

    use crate::provider::keys;

    #[test]
    fn suites_and_groups_stand_in_the_documented_order() {
        let suites: Vec<_> = provider().suites.iter().map(|suite| suite.id).collect();
        assert_eq!(
            suites,
            [
                CipherSuite::TLS_AES_128_GCM_SHA256,
                CipherSuite::TLS_AES_256_GCM_SHA384,
                CipherSuite::TLS_CHACHA20_POLY1305_SHA256
            ]
        );
        let groups: Vec<_> = provider().groups.iter().map(|group| group.id()).collect();
        assert_eq!(
            groups,
            [NamedGroup::X25519MLKEM768, NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1]
        );
    }

    #[test]
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    fn only_aes_gcm_is_accelerated_and_only_with_the_instructions() {
        let has = std::is_x86_feature_detected!("aes") && std::is_x86_feature_detected!("pclmulqdq");
        let accelerated: Vec<_> = provider().suites.iter().map(|suite| suite.accelerated()).collect();
        assert_eq!(accelerated, [has, has, false]);
    }

    #[test]
    fn a_key_that_cannot_be_loaded_is_named() {
        let load = |bytes| (provider().load_key)(&keys::pkcs8(bytes)).err().map(|error| error.to_string());
        for (bytes, text) in [
            (
                keys::ENCRYPTED,
                "an encrypted PKCS#8 key; decrypt it first: openssl pkey -in key.pem -out plain.pem",
            ),
            (
                keys::SECP256K1,
                "an elliptic curve key on secp256k1; this provider signs with secp256r1, secp384r1 and secp521r1",
            ),
            (keys::DSA, "a DSA key, which TLS 1.3 has no use for"),
            (keys::X25519, "an X25519 key, which agrees on secrets but cannot sign"),
            (keys::ED448, "an Ed448 key; this provider signs with Ed25519"),
            (keys::RSA_1024, "an RSA key of 1024 bits; at least 2048 are needed"),
            (
                keys::RSA_PSS,
                "an RSA key restricted to RSASSA-PSS; this provider signs with rsaEncryption keys",
            ),
            (keys::CERTIFICATE, "this is a certificate, not a private key"),
            (keys::P256_SPKI, "this is a public key, not a private key"),
            (keys::RSA_2048_PKCS1, "a PKCS#1 key where a PKCS#8 key was announced"),
            (keys::P256_SEC1, "a SEC1 key where a PKCS#8 key was announced"),
            (
                b"-----BEGIN PRIVATE KEY-----",
                "PEM text where DER was expected; decode it with `PrivateKeyDer::from_pem_slice`",
            ),
            (b"\x30\x03\x02", "bytes that are no PKCS#8 key"),
            (b"", "bytes that are no PKCS#8 key"),
        ] {
            assert_eq!(load(bytes).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_key_in_another_encoding_than_announced_is_named() {
        let error = |key| (provider().load_key)(&key).err().map(|error| error.to_string());
        assert_eq!(
            error(keys::sec1(keys::P256)).as_deref(),
            Some("a PKCS#8 key where a SEC1 key was announced")
        );
        assert_eq!(
            error(keys::pkcs1(keys::P256_SEC1)).as_deref(),
            Some("a SEC1 key where a PKCS#1 key was announced")
        );
    }

    #[test]
    fn an_rsa_key_whose_numbers_do_not_fit_is_refused() {
        let mut der = keys::RSA_2048_PKCS1.to_vec();
        let last_of_modulus = 11 + 257 - 1;
        der[last_of_modulus] ^= 2;
        let error = (provider().load_key)(&keys::pkcs1(&der)).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("an RSA key whose numbers do not belong together"));
    }
}
