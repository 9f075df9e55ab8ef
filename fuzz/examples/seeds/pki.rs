//! Chains, keys, OCSP responses and CRLs of the library's test vectors.

use std::io::Read;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::{seed, vectors};

/// 2026-06-01, and 2030-01-01: within the test vectors' times.
const SUMMER: [u8; 4] = [106, 28, 203, 128];
const LATER: [u8; 4] = 1_893_456_000_u32.to_be_bytes();

pub fn make() {
    chains();
    limbo();
    keys();
    for (name, response) in vectors("revocation", ".ocsp") {
        for (leaf, flags) in [(0, 0), (0, 1), (1, 0), (2, 1), (3, 1)] {
            let input = [&[flags][..], &LATER, &[leaf], &response].concat();
            seed("ocsp", &format!("{name}-{leaf}-{flags}"), &input);
        }
    }
    for suffix in [".crl", ".crl.pem"] {
        for (name, crl) in vectors("revocation", suffix) {
            for flags in [0, 1] {
                seed("crl", &format!("{name}-{flags}"), &[&[flags][..], &LATER, &crl].concat());
            }
        }
    }
}

fn der(name: &str) -> Vec<u8> {
    let (_, pem) = vectors("pki", &format!("{name}.pem")).into_iter().next().expect("it is there");
    CertificateDer::from_pem_slice(&pem).expect("a certificate").to_vec()
}

fn chains() {
    let whole = |name: &str, flags: u8, certificates: &[&str]| {
        let mut input = [&[flags][..], &SUMMER].concat();
        for name in certificates {
            let der = der(&format!("/{name}"));
            input.push(0);
            input.extend((der.len() as u16).to_be_bytes());
            input.extend(der);
        }
        seed("pki_chain", name, &input);
    };
    whole("p256", 0, &["p256", "intermediate"]);
    whole("rsa", 4, &["rsa2048", "intermediate"]);
    whole("pss", 0, &["pss"]);
    whole("constrained", 1, &["under-constrained", "constrained"]);
    whole("second", 2, &["under-second", "second", "intermediate"]);
    whole("client", 2, &["client-only"]);
    whole("self-signed", 0, &["self-signed"]);
    whole("policy", 1, &["policy"]);
    whole("critical", 1, &["critical"]);
    whole("no-san", 5, &["no-san"]);
    let known = |name: &str, flags: u8, indices: &[u8]| {
        let mut input = [&[flags][..], &SUMMER].concat();
        indices.iter().for_each(|index| input.extend([2 * index + 1, 0, 0, 0]));
        seed("pki_chain", name, &input);
    };
    known("pool", 0, &[0, 1]);
    known("maze", 1, &[3, 2, 1, 4, 5, 1, 2, 3, 6, 7, 1]);
    known("believed", 1, &[5, 4, 2, 1]);
    known("web", 5, &[8, 1]);
    (0..20).for_each(|index| known(&format!("each-{index}"), index % 8, &[index, 1, 2]));
}

/// The chains of x509-limbo, each with its root at the end; signatures are believed where the leaf is changed.
fn limbo() {
    let (_, packed) = vectors("limbo", "limbo.json.gz").remove(0);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*packed).read_to_string(&mut text).expect("it is packed text");
    let file: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    for (index, case) in file["testcases"].as_array().expect("cases").iter().enumerate() {
        let list = |name: &str| {
            let some = case[name].as_array().into_iter().flatten();
            some.filter_map(|pem| pem.as_str()).map(str::to_owned).collect::<Vec<_>>()
        };
        let roots = list("trusted_certs");
        let Some(root) = roots.first() else { continue };
        let leaf = case["peer_certificate"].as_str().expect("a certificate").to_owned();
        let chain = [&[leaf], &*list("untrusted_intermediates"), std::slice::from_ref(root)].concat();
        // The upper bits: example.com.
        let client = if case["validation_kind"] == "CLIENT" { 2 } else { 0 };
        let mut input = [&[8 | 16 | client][..], &2_000_000_000_u32.to_be_bytes()].concat();
        if let Some(seconds) = case["validation_time"].as_str().and_then(year) {
            input[1..5].copy_from_slice(&seconds.to_be_bytes());
        }
        for pem in &chain {
            let Ok(der) = CertificateDer::from_pem_slice(pem.as_bytes()) else { continue };
            input.push(0);
            input.extend((der.len() as u16).to_be_bytes());
            input.extend_from_slice(&der);
        }
        if input.len() <= 4096 {
            seed("pki_chain", &format!("limbo-{index:04}"), &input);
        }
    }
}

/// Seconds since 1970 at about the date that such a time begins with; no certificate there depends on the hour.
fn year(text: &str) -> Option<u32> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    let (year, month, day): (u32, u32, u32) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let days = (year.checked_sub(1970)?) * 1461 / 4 + (month - 1) * 153 / 5 + day;
    days.checked_mul(86_400)
}

fn keys() {
    for (name, pem) in vectors("pki", ".pem").into_iter().filter(|(_, pem)| pem.len() < 3000) {
        if name.contains("key")
            || name.contains("sec1")
            || name.contains("pkcs")
            || name.contains("encrypted")
        {
            seed("pem_keys", &format!("{name}-2"), &[&[2][..], &pem].concat());
        } else {
            seed("pem_keys", &format!("{name}-0"), &[&[0][..], &pem].concat());
        }
    }
    let (_, chain) = vectors("pki", "/p256.pem").remove(0);
    seed("pem_keys", "credential", &[&[1][..], &chain].concat());
    for (name, der) in vectors("keys", ".der").into_iter().filter(|(_, der)| der.len() < 3000) {
        let form = if name.contains("pkcs1.") {
            4
        } else if name.contains("sec1") {
            5
        } else {
            3
        };
        seed("pem_keys", &format!("{name}-{form}"), &[&[form][..], &der].concat());
        seed("pem_keys", &format!("{name}-2"), &[&[2][..], &der].concat());
    }
}
