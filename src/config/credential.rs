//! What an endpoint authenticates with.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use rustls_pki_types::CertificateDer;

use super::ConfigError;
use crate::codepoint::SignatureScheme;
use crate::crypto::SigningKey;

/// A certificate chain and who signs for it: a key at hand, or the answerer of `Sign` questions.
#[derive(Clone)]
pub struct Credential {
    chain: Vec<CertificateDer<'static>>,
    schemes: Vec<SignatureScheme>,
    key: Option<Arc<dyn SigningKey>>,
    staple: Option<Vec<u8>>,
}

impl Credential {
    /// A chain, leaf first (RFC 9846 section 4.5.1), with its private key.
    ///
    /// That the key belongs to the leaf is for whoever parses certificates to check, such as
    /// `policy::credential_from_pem`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyChain`] and [`ConfigError::NoSigningScheme`].
    pub fn new(chain: Vec<CertificateDer<'static>>, key: Arc<dyn SigningKey>) -> Result<Self, ConfigError> {
        let schemes = key.schemes().to_vec();
        Self { key: Some(key), ..Self::remote(chain, schemes)? }.checked()
    }

    /// A chain whose private key is elsewhere: `Sign` questions go to the answerer, which can sign with `schemes`,
    /// most preferred first.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyChain`] and [`ConfigError::NoSigningScheme`].
    pub fn remote(
        chain: Vec<CertificateDer<'static>>,
        schemes: Vec<SignatureScheme>,
    ) -> Result<Self, ConfigError> {
        Self { chain, schemes, key: None, staple: None }.checked()
    }

    /// Adds an OCSP response to be stapled to the leaf (RFC 9846 section 4.5.1.1).
    #[must_use]
    pub fn with_staple(mut self, response: Vec<u8>) -> Self {
        self.staple = Some(response);
        self
    }

    /// The certificates, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The schemes that the key can sign with, most preferred first.
    #[must_use]
    pub fn schemes(&self) -> &[SignatureScheme] {
        &self.schemes
    }

    /// The private key, unless it is elsewhere.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<dyn SigningKey>> {
        self.key.as_ref()
    }

    /// The OCSP response for the leaf.
    #[must_use]
    pub fn staple(&self) -> Option<&[u8]> {
        self.staple.as_deref()
    }

    fn checked(self) -> Result<Self, ConfigError> {
        if self.chain.is_empty() || self.chain.iter().any(|certificate| certificate.is_empty()) {
            return Err(ConfigError::EmptyChain);
        }
        if self.schemes.is_empty() {
            return Err(ConfigError::NoSigningScheme);
        }
        Ok(self)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("certificates", &self.chain.len())
            .field("schemes", &self.schemes)
            .finish_non_exhaustive()
    }
}
