//! AES-GCM with 128 and 256-bit keys and ChaCha20-Poly1305, 12-byte nonces and 16-byte tags alone.

use serde::Deserialize;
use symbolon::codepoint::CipherSuite;
use symbolon::crypto::{Failed, Nonce, Provider};

use crate::vectors::{Hex, Tally, Verdict, load};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    iv_size: usize,
    key_size: usize,
    tag_size: usize,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    tc_id: u32,
    key: Hex,
    iv: Hex,
    aad: Hex,
    msg: Hex,
    ct: Hex,
    tag: Hex,
    result: Verdict,
}

pub fn run(provider: &Provider) {
    file(provider, "aes_gcm_test", 133);
    file(provider, "chacha20_poly1305_test", 316);
}

fn file(provider: &Provider, name: &str, least: usize) {
    let mut tally = Tally::new(name);
    for group in load::<Group>(name).groups {
        let suite = match (name, group.key_size) {
            ("aes_gcm_test", 128) => CipherSuite::TLS_AES_128_GCM_SHA256,
            ("aes_gcm_test", 256) => CipherSuite::TLS_AES_256_GCM_SHA384,
            ("chacha20_poly1305_test", 256) => CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
            _ => continue,
        };
        if group.iv_size != 96 || group.tag_size != 128 {
            continue;
        }
        for case in &group.tests {
            let (seals, opens) = both_ways(provider, suite, case);
            // No "acceptable" case exists. What cannot be opened may still be sealed, to another tag.
            tally.case(format!("{} sealing", case.tc_id), case.result == Verdict::Valid, seals);
            tally.attempt(format!("{} opening", case.tc_id), case.result == Verdict::Valid, opens);
        }
    }
    tally.finish(2 * least);
}

/// Whether sealing gives the case's ciphertext and tag, and whether opening gives its message.
fn both_ways(provider: &Provider, suite: CipherSuite, case: &Case) -> (bool, Result<bool, Failed>) {
    let key = provider.suite(suite).unwrap().aead.key(&case.key).unwrap();
    let nonce = Nonce(case.iv.0.clone().try_into().unwrap());
    let sealed = [&case.ct[..], &case.tag[..]].concat();

    let (first, second) = case.msg.split_at(case.msg.len() / 2);
    let mut out = vec![0; sealed.len()];
    key.seal_parts(&nonce, &case.aad, &[first, second], &mut out).unwrap();

    let mut buffer = sealed.clone();
    let opened = key.open_in_place(&nonce, &case.aad, &mut buffer);
    (out == sealed, opened.map(|len| buffer[..len] == case.msg[..]))
}
