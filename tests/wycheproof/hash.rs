//! HMAC and HKDF with SHA-256 and SHA-384.

use serde::Deserialize;
use symbolon::codepoint::CipherSuite;
use symbolon::crypto::{Expansion, Hash, Provider};

use crate::vectors::{Hex, Tally, Verdict, load};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MacGroup {
    tag_size: usize,
    tests: Vec<MacCase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MacCase {
    tc_id: u32,
    key: Hex,
    msg: Hex,
    tag: Hex,
    result: Verdict,
}

#[derive(Deserialize)]
struct HkdfGroup {
    tests: Vec<HkdfCase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HkdfCase {
    tc_id: u32,
    ikm: Hex,
    salt: Hex,
    info: Hex,
    size: usize,
    okm: Hex,
    result: Verdict,
}

pub fn run(provider: &Provider) {
    let sha256 = provider.suite(CipherSuite::TLS_AES_128_GCM_SHA256).unwrap().hash;
    let sha384 = provider.suite(CipherSuite::TLS_AES_256_GCM_SHA384).unwrap().hash;
    hmac(sha256, "hmac_sha256_test", 174);
    hmac(sha384, "hmac_sha384_test", 174);
    hkdf(sha256, "hkdf_sha256_test", 86);
    hkdf(sha384, "hkdf_sha384_test", 83);
}

fn hmac(hash: &dyn Hash, name: &str, least: usize) {
    let mut tally = Tally::new(name);
    for group in load::<MacGroup>(name).groups {
        // Some groups have tags that are cut off at the end.
        let tag_len = group.tag_size / 8;
        for case in group.tests {
            let mut once = vec![0; hash.output_len()];
            hash.hmac(&case.key, &[&case.msg], &mut once).unwrap();
            let mut prepared = vec![0; hash.output_len()];
            let (first, second) = case.msg.split_at(case.msg.len() / 3);
            hash.hmac_key(&case.key).sign(&[first, second], &mut prepared).unwrap();
            assert_eq!(once, prepared, "case {}", case.tc_id);
            tally.case(case.tc_id, case.result == Verdict::Valid, once[..tag_len] == case.tag[..]);
        }
    }
    tally.finish(least);
}

fn hkdf(hash: &dyn Hash, name: &str, least: usize) {
    let mut tally = Tally::new(name);
    for group in load::<HkdfGroup>(name).groups {
        for case in group.tests {
            let mut prk = vec![0; hash.output_len()];
            hash.hmac(&case.salt, &[&case.ikm], &mut prk).unwrap();
            let mut out = vec![0; case.size];
            let expanded = hash.expand(&prk, &mut [Expansion { info: &case.info, out: &mut out }]);
            let outcome = expanded.map(|()| out == case.okm.0);
            tally.attempt(case.tc_id, case.result == Verdict::Valid, outcome);
        }
    }
    tally.finish(least);
}
