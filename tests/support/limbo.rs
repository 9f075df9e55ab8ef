//! The cases of x509-limbo.

#![allow(dead_code)] // no test uses everything

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use serde::Deserialize;

/// 2026-11-21: for the cases that name no time.
const NOW: u64 = 1_795_219_200;

/// The cases that are public, outside of BetterTLS and of it.
pub fn public() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testvectors/limbo/limbo.json.gz")
}

#[derive(Deserialize)]
struct File {
    testcases: Vec<Case>,
}

#[derive(Deserialize)]
pub struct Case {
    pub id: String,
    #[serde(default)]
    pub conflicts_with: Vec<String>,
    pub validation_kind: String,
    pub trusted_certs: Vec<String>,
    pub untrusted_intermediates: Vec<String>,
    pub peer_certificate: String,
    pub validation_time: Option<String>,
    pub expected_result: String,
    pub expected_peer_name: Option<Name>,
    #[serde(default)]
    pub expected_peer_names: Vec<Name>,
    #[serde(default)]
    pub extended_key_usage: Vec<String>,
    pub max_chain_depth: Option<usize>,
    #[serde(default)]
    pub crls: Vec<String>,
}

#[derive(Deserialize)]
pub struct Name {
    pub kind: String,
    pub value: String,
}

impl Case {
    pub fn is_of_bettertls(&self) -> bool {
        self.id.starts_with("bettertls::")
    }

    /// When it is judged.
    pub fn time(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(self.validation_time.as_deref().map_or(NOW, seconds)))
    }
}

pub fn read(path: &Path) -> Vec<Case> {
    let bytes = std::fs::read(path).unwrap();
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1F, 0x8B]) {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
    } else {
        text = bytes;
    }
    serde_json::from_slice::<File>(&text).unwrap().testcases
}

pub fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Seconds since 1970 of a time in UTC such as `2024-04-01T00:00:00.005+00:00`; fractions are cut off.
pub fn seconds(text: &str) -> u64 {
    assert!(text.ends_with("+00:00") || text.ends_with('Z'), "{text} is not in UTC");
    let number = |range: std::ops::Range<usize>| text[range].parse::<u64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Years from March, so that a leap day ends one; days from 1970-03-01 and the two months before.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    days * 86_400 + number(11..13) * 3_600 + number(14..16) * 60 + number(17..19)
}

#[test]
fn times_are_read() {
    assert_eq!(seconds("1970-01-01T00:00:00Z"), 0);
    assert_eq!(seconds("2024-04-01T00:00:00.005+00:00"), 1_711_929_600);
}
