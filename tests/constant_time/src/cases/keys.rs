//! Private keys, loaded and signed with. Secret is what a key consists of, not the encoding around it.

use std::sync::Arc;

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use symbolon::crypto::SigningKey;

use super::Case;
use crate::known::{Known, Why};
use crate::marked::{SecretRng, plain};
use crate::valgrind::{make_public, make_secret, secret_bytes, unreported};

const LOADED: &[Known] = &[
    Known {
        place: "elliptic-curve/src/secret_key.rs",
        functions: &["from_bytes", "try_from"],
        most: 3,
        why: Why::Verdict("whether it is a scalar, and the public key in the file belongs to it"),
    },
    Known {
        place: "sec1/src/point.rs",
        functions: &["eq", "from_u8", "message_len"],
        most: 200,
        why: Why::Public("the public key, computed and compared with that in the file"),
    },
];

const ECDSA: &[Known] = &[
    Known {
        place: "rfc6979/src/lib.rs",
        functions: &["fill_next_k"],
        most: 1,
        why: Why::Verdict("whether the nonce is below the order; if not, it is thrown away"),
    },
    Known {
        place: "elliptic-curve/src/scalar/nonzero.rs",
        functions: &["invert"],
        most: 1,
        why: Why::Verdict("whether the nonce has an inverse, which it always has"),
    },
    Known {
        place: "ecdsa/src/hazmat.rs",
        functions: &["sign_prehashed_rfc6979", "sign_prehashed"],
        most: 50,
        why: Why::Public("whether the nonce is a scalar, and r, which is sent"),
    },
    Known { place: "ecdsa/src/lib.rs", functions: &["from_scalars"], most: 2, why: SIGNATURE },
    Known {
        place: "elliptic-curve/src/scalar/value.rs",
        functions: &["from_slice"],
        most: 2,
        why: SIGNATURE,
    },
    Known { place: "ecdsa/src/der.rs", functions: &[], most: 200, why: SIGNATURE },
    Known { place: "der/src/", functions: &[], most: 400, why: SIGNATURE },
];

const SIGNATURE: Why = Why::Public("r and s, which are sent, while they are checked and encoded");

/// Work on thousands of words would show as thousands of reports.
const RSA_LOADED: &[Known] = &[
    Known {
        place: "der/src/",
        functions: &[],
        most: 60,
        why: Why::Leak("how many bytes each number has, once, while the file is read"),
    },
    Known {
        place: "symbolon/src/crypto/rustcrypto/load.rs",
        functions: &["bit_len", "rsa"],
        most: 10,
        why: Why::Leak("how many bits each prime has, once, while it is checked"),
    },
    Known {
        place: "rsa/src/private_key.rs",
        functions: &[],
        most: 20,
        why: Why::Verdict("whether the numbers belong together"),
    },
    Known {
        place: "crypto-bigint/src/",
        functions: &[],
        most: 100,
        why: Why::Verdict("whether a divisor is zero or a shift too far, which none is"),
    },
];

const RSA_SIGNING: &[Known] = &[
    Known {
        place: "crypto-bigint/src/uint/rand.rs",
        functions: &["random_mod_vartime_core"],
        most: 60,
        why: Why::Verdict("whether a blinding factor is below the modulus; if not, it is thrown away"),
    },
    Known {
        place: "rsa/src/algorithms/rsa.rs",
        functions: &["blind", "rsa_decrypt_and_check"],
        most: 6,
        why: Why::Verdict("whether the blinding factor has an inverse, and the result is right"),
    },
    Known { place: "rsa/src/algorithms/pss.rs", functions: &["emsa_pss_verify_pre"], most: 9, why: CHECKED },
    Known { place: "rsa/src/pss.rs", functions: &["decode_signature"], most: 9, why: CHECKED },
    Known {
        place: "symbolon/src/crypto/rustcrypto/sign.rs",
        functions: &["sign", "sign_pss"],
        most: 6,
        why: CHECKED,
    },
];

const CHECKED: Why = Why::Public("the signature, which is verified before it is sent");

pub const CASES: &[Case] = &[
    Case { name: "secp256r1 key, loaded from PKCS#8", run: || drop(load(&P256)), known: LOADED },
    Case { name: "secp256r1 key, loaded from SEC1", run: || drop(load(&P256_SEC1)), known: LOADED },
    Case { name: "secp256r1 key, signing", run: || sign(&P256), known: ECDSA },
    Case { name: "secp384r1 key, loaded from PKCS#8", run: || drop(load(&P384)), known: LOADED },
    Case { name: "secp384r1 key, signing", run: || sign(&P384), known: ECDSA },
    Case { name: "secp521r1 key, loaded from PKCS#8", run: || drop(load(&P521)), known: LOADED },
    Case { name: "secp521r1 key, signing", run: || sign(&P521), known: ECDSA },
    Case { name: "Ed25519 key, loaded from PKCS#8", run: || drop(load(&ED25519)), known: &[] },
    Case { name: "Ed25519 key, signing", run: || sign(&ED25519), known: &[] },
    Case { name: "RSA key of 2048 bits, loaded from PKCS#8", run: || drop(load(&RSA)), known: RSA_LOADED },
    Case { name: "RSA key of 2048 bits, signing", run: || sign(&RSA), known: RSA_SIGNING },
];

/// An encoding, and where its secrets are.
struct Encoded {
    der: fn() -> PrivateKeyDer<'static>,
    secrets: fn(&[u8]) -> Vec<(usize, usize)>,
}

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testvectors/keys/", $name, ".der")).to_vec()
    };
}

static P256: Encoded =
    Encoded { der: || PrivatePkcs8KeyDer::from(file!("p256.pkcs8")).into(), secrets: |der| ec(der, 32) };
static P256_SEC1: Encoded =
    Encoded { der: || PrivateSec1KeyDer::from(file!("p256.sec1")).into(), secrets: |der| ec(der, 32) };
static P384: Encoded =
    Encoded { der: || PrivatePkcs8KeyDer::from(file!("p384.pkcs8")).into(), secrets: |der| ec(der, 48) };
static P521: Encoded =
    Encoded { der: || PrivatePkcs8KeyDer::from(file!("p521.pkcs8")).into(), secrets: |der| ec(der, 66) };
static ED25519: Encoded =
    Encoded { der: || PrivatePkcs8KeyDer::from(file!("ed25519.pkcs8")).into(), secrets: ed25519 };
static RSA: Encoded =
    Encoded { der: || PrivatePkcs8KeyDer::from(file!("rsa2048.pkcs8")).into(), secrets: rsa };

/// Where `mark` ends.
fn behind(der: &[u8], mark: &[u8]) -> usize {
    der.windows(mark.len()).position(|window| window == mark).unwrap() + mark.len()
}

/// RFC 5915 section 3: version 1, then the octet string of the scalar.
fn ec(der: &[u8], len: u8) -> Vec<(usize, usize)> {
    vec![(behind(der, &[0x02, 0x01, 0x01, 0x04, len]), usize::from(len))]
}

/// RFC 8410 section 7: an octet string in an octet string.
fn ed25519(der: &[u8]) -> Vec<(usize, usize)> {
    vec![(behind(der, &[0x04, 0x22, 0x04, 0x20]), 32)]
}

/// RFC 8017 appendix A.1.2: behind modulus and public exponent six secret numbers, each an INTEGER of more than 127
/// bytes. That a first byte is zero is part of the encoding.
fn rsa(der: &[u8]) -> Vec<(usize, usize)> {
    let mut at = behind(der, &[0x02, 0x03, 0x01, 0x00, 0x01]);
    let mut secrets = Vec::new();
    while at < der.len() {
        let (header, len) = match der[at + 1] {
            0x81 => (3, usize::from(der[at + 2])),
            0x82 => (4, usize::from(der[at + 2]) << 8 | usize::from(der[at + 3])),
            other => (2, usize::from(other)),
        };
        let sign = usize::from(der[at + header] == 0);
        secrets.push((at + header + sign, len - sign));
        at += header + len;
    }
    assert_eq!(secrets.len(), 6);
    secrets
}

fn load(encoded: &Encoded) -> Arc<dyn SigningKey> {
    let mut key = (encoded.der)();
    let secrets = (encoded.secrets)(key.secret_der());
    let expected: usize = secrets.iter().map(|(_, len)| len).sum();
    let mut bytes = key.secret_der().to_vec();
    for (at, len) in secrets {
        make_secret(&mut bytes[at..at + len]);
    }
    assert_eq!(secret_bytes(&bytes), expected);
    key = match key {
        PrivateKeyDer::Pkcs8(_) => PrivatePkcs8KeyDer::from(bytes).into(),
        _ => PrivateSec1KeyDer::from(bytes).into(),
    };
    let key = (plain().load_key)(&key).unwrap();
    make_public(key.public_key());
    key
}

fn sign(encoded: &Encoded) {
    let key = unreported(|| load(encoded));
    for scheme in key.schemes() {
        let signature = key.sign(&SecretRng, *scheme, b"message").unwrap();
        assert!(secret_bytes(&signature) > 0);
        make_public(&signature);
        plain().verify(*scheme, key.public_key(), b"message", &signature).unwrap();
    }
}
