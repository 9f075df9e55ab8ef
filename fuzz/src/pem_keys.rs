//! Whatever a file holds where a chain or a key is expected, loading it ends without a panic; a key that is loaded signs,
//! and its own public key verifies that.
//!
//! Input: a byte that says what is to be loaded, then the bytes of the file.

use std::sync::LazyLock;

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use symbolon::crypto::rustcrypto::provider;
use symbolon::crypto::{Provider, SigningKey};
use symbolon::pki::Roots;
use symbolon::policy::{certificates_from_pem, credential_from_pem};

use crate::Script;

/// Longer than any key: what RSA costs grows with the cube of it.
const LONGEST_KEY: usize = 4096;

static PROVIDER: LazyLock<Provider> = LazyLock::new(provider);

const CHAIN: &[u8] = include_bytes!("../../testvectors/pki/p256.pem");
const KEY: &[u8] = include_bytes!("../../testvectors/pki/p256.key.pem");

pub fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let what = script.byte() % 6;
    let file = script.rest();
    match what {
        0 => {
            if let Ok(certificates) = certificates_from_pem(file) {
                assert!(!certificates.is_empty());
                drop(Roots::lenient(certificates));
            }
        }
        1 => drop(credential_from_pem(&PROVIDER, file, KEY).map_err(|error| error.to_string())),
        2 if file.len() <= 2 * LONGEST_KEY => {
            if let Ok(credential) = credential_from_pem(&PROVIDER, CHAIN, file) {
                sign(&**credential.key().expect("it was loaded"));
            }
        }
        3 => load(file, |der| PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der))),
        4 => load(file, |der| PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der))),
        5 => load(file, |der| PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(der))),
        _ => {}
    }
}

fn load(der: &[u8], form: impl FnOnce(Vec<u8>) -> PrivateKeyDer<'static>) {
    if der.len() > LONGEST_KEY {
        return;
    }
    match (PROVIDER.load_key)(&form(der.to_vec())) {
        Ok(key) => sign(&*key),
        Err(error) => drop(error.to_string()),
    }
}

fn sign(key: &dyn SigningKey) {
    for scheme in key.schemes() {
        let signature = key.sign(&*PROVIDER.rng, *scheme, b"message").expect("a key that was loaded signs");
        PROVIDER.verify(*scheme, key.public_key(), b"message", &signature).expect("by its own key");
    }
}
