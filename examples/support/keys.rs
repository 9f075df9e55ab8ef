//! External pre-shared keys on a command line.

use std::sync::Arc;

use symbolon::psk::{ExternalPsk, PskHash};

use super::cli::Failure;

/// Reads keys in the form `ID:HEX`. All are for SHA-256, as keys are unless something else was agreed on.
pub fn external(texts: &[String]) -> Result<Vec<Arc<ExternalPsk>>, Failure> {
    texts.iter().map(|text| one(text).map(Arc::new)).collect()
}

/// The key is never part of a complaint.
fn one(text: &str) -> Result<ExternalPsk, Failure> {
    let wrong = |why: &str| Failure::usage(format_args!("--psk wants ID:HEX: {why}"));
    let (identity, hex) = text.rsplit_once(':').ok_or_else(|| wrong("the colon is missing"))?;
    let key = decode(hex).ok_or_else(|| wrong("the key is not in hexadecimal digits, two for each byte"))?;
    ExternalPsk::new(identity.as_bytes(), &key, PskHash::Sha256).map_err(|error| wrong(&error.to_string()))
}

fn decode(hex: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}
