//! Loading chains and keys from PEM or DER, with errors that say what was found instead of what.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use std::path::Path;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::config::Credential;
use crate::crypto::Provider;
use crate::pki::{Certificate, VerifyError, key_of};

/// Why a credential could not be loaded: what was found instead of what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError(String);

impl LoadError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What a certificate was refused for.
    pub(super) fn of(error: VerifyError) -> Self {
        Self(error.to_string())
    }

    pub(super) fn of_entry(self, name: &str) -> Self {
        Self(format!("{name}: {}", self.0))
    }

    fn in_file(self, path: &Path) -> Self {
        Self(format!("{}: {}", path.display(), self.0))
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for LoadError {}

/// A credential from two files: the chain, leaf first, and its private key; each PEM or DER.
///
/// # Errors
///
/// [`LoadError`] names the file and says what was found instead of what.
pub fn credential_from_files(
    provider: &Provider,
    chain: impl AsRef<Path>,
    key: impl AsRef<Path>,
) -> Result<Credential, LoadError> {
    let (chain_path, key_path) = (chain.as_ref(), key.as_ref());
    let chain = certificates_from_file(chain_path)?;
    let bytes = Zeroizing::new(read(key_path)?);
    let key = private_key(&bytes).map_err(|error| error.in_file(key_path))?;
    assemble(provider, chain, &key).map_err(|error| error.in_file(key_path))
}

/// A credential from the bytes of a chain, leaf first, and of its private key; each PEM or DER.
///
/// # Errors
///
/// [`LoadError`] says what was found instead of what.
pub fn credential_from_pem(provider: &Provider, chain: &[u8], key: &[u8]) -> Result<Credential, LoadError> {
    assemble(provider, certificates_from_pem(chain)?, &private_key(key)?)
}

/// A credential from a chain, leaf first, and its private key.
///
/// # Errors
///
/// [`LoadError`] says what was found instead of what.
pub fn credential_from_der(
    provider: &Provider,
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'_>,
) -> Result<Credential, LoadError> {
    assemble(provider, chain, key)
}

/// The certificates in a PEM or DER file, at least one.
///
/// # Errors
///
/// [`LoadError`] names the file and says what was found instead.
pub fn certificates_from_file(path: impl AsRef<Path>) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let path = path.as_ref();
    certificates_from_pem(&read(path)?).map_err(|error| error.in_file(path))
}

/// The certificates in PEM, or the one in DER.
///
/// # Errors
///
/// [`LoadError`] says what was found instead.
pub fn certificates_from_pem(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    if is_der(bytes) {
        let certificate = CertificateDer::from(bytes.to_vec());
        return match Certificate::parse(&certificate) {
            Ok(_) => Ok(Vec::from([certificate])),
            Err(_) => Err(LoadError::new("this is DER, but no certificate")),
        };
    }
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let certificates = certificates.map_err(|error| LoadError::new(format!("the PEM is broken: {error}")))?;
    if certificates.is_empty() {
        return Err(LoadError::new(format!("a certificate was expected, but {}", found(bytes))));
    }
    for (position, certificate) in certificates.iter().enumerate() {
        Certificate::parse(certificate).map_err(|error| {
            LoadError::new(format!("certificate {}: {error}", position.saturating_add(1)))
        })?;
    }
    Ok(certificates)
}

fn private_key(bytes: &[u8]) -> Result<PrivateKeyDer<'static>, LoadError> {
    if is_der(bytes) {
        let key = PrivateKeyDer::try_from(bytes.to_vec());
        return key.map_err(|why| LoadError::new(format!("this is DER, but no private key: {why}")));
    }
    PrivateKeyDer::from_pem_slice(bytes)
        .map_err(|_| LoadError::new(format!("a private key was expected, but {}", found(bytes))))
}

/// Puts chain and key together, if the key belongs to the leaf.
fn assemble(
    provider: &Provider,
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'_>,
) -> Result<Credential, LoadError> {
    let key = (provider.load_key)(key).map_err(|error| LoadError::new(error.to_string()))?;
    check_pair(&chain, key.public_key())?;
    Credential::new(chain, key).map_err(|error| LoadError::new(error.to_string()))
}

/// That the key of a DER `SubjectPublicKeyInfo` is that of the leaf.
pub(super) fn check_pair(chain: &[CertificateDer<'_>], spki: &[u8]) -> Result<(), LoadError> {
    let ours = key_of(spki);
    let mut kinds = Vec::new();
    for der in chain {
        let certificate = Certificate::parse(der).map_err(|error| LoadError::new(error.to_string()))?;
        kinds.push(key_of(certificate.spki));
    }
    match kinds.iter().position(|kind| kind.is_some() && *kind == ours) {
        Some(0) => Ok(()),
        Some(position) => {
            let place = position.saturating_add(1);
            Err(LoadError::new(format!(
                "the private key belongs to certificate {place} of the chain, not to the first one; put the leaf first"
            )))
        }
        None => {
            let name = |key: Option<&(crate::pki::KeyKind, Vec<u8>)>| {
                key.map_or("of an unknown kind".to_owned(), |(kind, _)| kind.to_string())
            };
            let leaf = kinds.first().and_then(Option::as_ref);
            Err(LoadError::new(format!(
                "the private key ({}) does not belong to the leaf certificate, whose key ({}) is another one; load the two \
                 that were issued together",
                name(ours.as_ref()),
                name(leaf),
            )))
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|error| LoadError::new(format!("cannot be read: {error}")).in_file(path))
}

/// DER begins with a SEQUENCE; PEM with text.
fn is_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30)
}

/// What a file holds instead of what was wanted. Its content is never shown.
fn found(bytes: &[u8]) -> String {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return "the file is empty".to_owned();
    }
    let text = String::from_utf8_lossy(bytes);
    let label = text.split_once("-----BEGIN ").and_then(|(_, rest)| rest.split_once("-----"));
    match label.map(|(label, _)| label) {
        None => "there is neither PEM nor DER in it".to_owned(),
        Some("CERTIFICATE") => "there is a certificate".to_owned(),
        Some("CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") => {
            "there is a certificate request; have it signed first".to_owned()
        }
        Some("PUBLIC KEY") => "there is a public key".to_owned(),
        Some("ENCRYPTED PRIVATE KEY") => ENCRYPTED.to_owned(),
        Some(label) if label.ends_with("PRIVATE KEY") && text.contains("Proc-Type: 4,ENCRYPTED") => {
            ENCRYPTED.to_owned()
        }
        Some(label) if label.ends_with("PRIVATE KEY") => "there is a private key".to_owned(),
        Some(label) => {
            let label: String =
                label.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(40).collect();
            format!("there is a section {label:?}")
        }
    }
}

const ENCRYPTED: &str = "the key is encrypted; decrypt it: openssl pkey -in key.pem -out plain.pem";

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::crypto::rustcrypto::provider;
    use std::path::PathBuf;

    fn file(name: &str) -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "testvectors", "pki", name].iter().collect()
    }

    fn load(chain: &str, key: &str) -> Result<Credential, String> {
        credential_from_files(&provider(), file(chain), file(key)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_format_loads() {
        for (chain, key) in [
            ("chain.pem", "p256.key.pem"),
            ("p256.der", "p256.key.der"),
            ("p256.pem", "p256.sec1.pem"),
            ("rsa2048.pem", "rsa2048.pkcs1.pem"),
            ("p384.pem", "p384.key.pem"),
            ("ed25519.pem", "ed25519.key.pem"),
        ] {
            load(chain, key).unwrap();
        }
        assert_eq!(load("chain.pem", "p256.key.pem").unwrap().chain().len(), 2);
    }

    #[test]
    fn a_wrong_file_says_what_it_holds() {
        for (chain, key, text) in [
            ("p256.key.pem", "p256.key.pem", "a certificate was expected, but there is a private key"),
            ("request.pem", "p256.key.pem", "a certificate request; have it signed first"),
            ("chain.pem", "p256.pem", "a private key was expected, but there is a certificate"),
            ("chain.pem", "p256.pub.pem", "there is a public key"),
            ("chain.pem", "p256.encrypted.pem", "the key is encrypted; decrypt it: openssl pkey"),
            ("chain.pem", "make.sh", "neither PEM nor DER"),
            ("chain.pem", "missing.pem", "cannot be read"),
            ("p256.key.der", "p256.key.pem", "this is DER, but no certificate"),
            ("chain-reversed.pem", "p256.key.pem", "belongs to certificate 2 of the chain"),
            (
                "p256.pem",
                "rsa2048.key.pem",
                "(RSA of 2048 bits) does not belong to the leaf certificate, whose key (ECDSA P-256)",
            ),
        ] {
            let error = load(chain, key).unwrap_err();
            assert!(error.contains(text), "{chain} {key}: {error}");
        }
    }
}
