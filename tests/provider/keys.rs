//! Keys made by OpenSSL, in `testvectors/keys`.

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

macro_rules! key_files {
    ($($name:ident = $file:literal;)*) => {
        $(pub const $name: &[u8] = include_bytes!(concat!("../../testvectors/keys/", $file, ".der"));)*
    };
}

key_files! {
    P256 = "p256.pkcs8";
    P256_SEC1 = "p256.sec1";
    P256_SEC1_WITHOUT_PUBLIC = "p256.nopublic.sec1";
    P256_SPKI = "p256.spki";
    P384 = "p384.pkcs8";
    P384_SEC1 = "p384.sec1";
    P384_SEC1_WITHOUT_CURVE = "p384.nocurve.sec1";
    P384_SPKI = "p384.spki";
    ED25519 = "ed25519.pkcs8";
    ED25519_SPKI = "ed25519.spki";
    RSA_2048 = "rsa2048.pkcs8";
    RSA_2048_PKCS1 = "rsa2048.pkcs1";
    RSA_2048_SPKI = "rsa2048.spki";
    RSA_3072 = "rsa3072.pkcs8";
    RSA_1024 = "rsa1024.pkcs8";
    RSA_1024_SPKI = "rsa1024.spki";
    RSA_PSS = "rsapss2048.pkcs8";
    P521 = "p521.pkcs8";
    P521_SEC1_WITHOUT_CURVE = "p521.nocurve.sec1";
    P521_SPKI = "p521.spki";
    SECP256K1 = "secp256k1.pkcs8";
    X25519 = "x25519.pkcs8";
    ED448 = "ed448.pkcs8";
    DSA = "dsa2048.pkcs8";
    ENCRYPTED = "encrypted.pkcs8";
    CERTIFICATE = "certificate";
}

pub fn pkcs8(der: &[u8]) -> PrivateKeyDer<'_> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der))
}

pub fn pkcs1(der: &[u8]) -> PrivateKeyDer<'_> {
    PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der))
}

pub fn sec1(der: &[u8]) -> PrivateKeyDer<'_> {
    PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(der))
}
