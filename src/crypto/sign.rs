//! Signing as a provider sees it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Failed, Rng};
use crate::codepoint::SignatureScheme;

/// A private key that signs CertificateVerify content; its material is wiped when it is dropped.
pub trait SigningKey: Send + Sync {
    /// The schemes it can sign with, most preferred first.
    fn schemes(&self) -> &[SignatureScheme];

    /// The public key: a DER `SubjectPublicKeyInfo`, byte for byte as a certificate for this key carries it.
    fn public_key(&self) -> &[u8];

    /// Signs `message` and verifies the signature before giving it out where a fault could leak the key (RSA with
    /// CRT; RFC 9846 appendix C.3).
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when `scheme` is none of [`SigningKey::schemes`] or there is no randomness.
    fn sign(&self, rng: &dyn Rng, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Failed>;
}

/// Why a private key could not be loaded: what was found instead of what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(String);

impl KeyError {
    /// `text` says what was found instead of what.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for KeyError {}
