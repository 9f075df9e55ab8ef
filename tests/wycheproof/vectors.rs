//! Reads the files and counts their cases.

use std::fmt::Display;
use std::io::Read;
use std::sync::Mutex;

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use symbolon::crypto::{Failed, Rng};

#[derive(Deserialize)]
pub struct File<G> {
    #[serde(rename = "testGroups")]
    pub groups: Vec<G>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Valid,
    Acceptable,
    Invalid,
}

/// Bytes that stand as hexadecimal text.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Hex(pub Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        text.as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                &[high, low] => Some(digit(high)? << 4 | digit(low)?),
                _ => None,
            })
            .collect::<Option<_>>()
            .map(Hex)
            .ok_or_else(|| format!("not hexadecimal: {text}"))
    }
}

impl std::ops::Deref for Hex {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

pub fn load<G: DeserializeOwned>(name: &str) -> File<G> {
    let path = format!("{}/testvectors/wycheproof/{name}.json.gz", env!("CARGO_MANIFEST_DIR"));
    let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut json = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut json).unwrap();
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Counts the cases of one file and compares each with its verdict.
pub struct Tally {
    name: String,
    cases: usize,
    failures: Vec<String>,
}

impl Tally {
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), cases: 0, failures: Vec::new() }
    }

    /// One case whose `wanted` outcome is known.
    pub fn case(&mut self, id: impl Display, wanted: bool, passed: bool) {
        self.cases += 1;
        if wanted != passed {
            self.failures.push(format!("case {id}: wanted {wanted}, was {passed}"));
        }
    }

    /// One case that must either give the right bytes, `Ok(true)`, or be refused: giving other bytes never passes.
    pub fn attempt(&mut self, id: impl Display, wanted: bool, outcome: Result<bool, Failed>) {
        self.cases += 1;
        if !matches!((wanted, outcome), (true, Ok(true)) | (false, Err(_))) {
            self.failures.push(format!("case {id}: wanted {wanted}, was {outcome:?}"));
        }
    }

    /// The file is done: it must have had at least `least` cases, and none may have failed.
    pub fn finish(self, least: usize) {
        println!("{}: {} cases", self.name, self.cases);
        assert!(self.failures.is_empty(), "{}: {:#?}", self.name, self.failures);
        assert!(self.cases >= least, "{}: {} cases, fewer than {least}", self.name, self.cases);
    }
}

/// Gives out given bytes and then nothing more.
pub struct Replay(Mutex<Vec<u8>>);

impl Replay {
    pub fn new(parts: &[&[u8]]) -> Self {
        Self(Mutex::new(parts.concat()))
    }
}

impl Rng for Replay {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        let mut left = self.0.lock().unwrap();
        if left.len() < out.len() {
            return Err(Failed::Provider);
        }
        let rest = left.split_off(out.len());
        out.copy_from_slice(&left);
        *left = rest;
        Ok(())
    }
}
