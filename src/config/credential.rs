//! What an endpoint authenticates with.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use rustls_pki_types::CertificateDer;

use super::ConfigError;
use crate::codepoint::SignatureScheme;
use crate::crypto::SigningKey;

/// A certificate chain and who signs for it: a key at hand, or the answerer of `Sign` questions. Cheap to clone.
#[derive(Clone)]
pub struct Credential {
    parts: Arc<Parts>,
    lease: Option<Lease>,
}

/// Something that lives as long as the connections that use a credential; dropping it tells that the last one ended.
pub type Lease = Arc<dyn Any + Send + Sync>;

#[derive(Clone)]
struct Parts {
    chain: Vec<CertificateDer<'static>>,
    schemes: Vec<SignatureScheme>,
    key: Option<Arc<dyn SigningKey>>,
    staples: Vec<Option<Vec<u8>>>,
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
        Self::checked(Parts { chain, schemes, key: Some(key), staples: Vec::new() })
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
        Self::checked(Parts { chain, schemes, key: None, staples: Vec::new() })
    }

    /// Adds an OCSP response to be stapled to the leaf (RFC 9846 section 4.5.1.1), in place of all others.
    #[must_use]
    pub fn with_staple(self, response: Vec<u8>) -> Self {
        self.with_staples(Vec::from([Some(response)]))
    }

    /// Adds OCSP responses to be stapled to the certificates, in their order, leaf first; there may be fewer.
    #[must_use]
    pub fn with_staples(mut self, responses: Vec<Option<Vec<u8>>>) -> Self {
        Arc::make_mut(&mut self.parts).staples = responses;
        self
    }

    /// Has every connection that uses it keep `lease` until it ends: for whoever wants to know which still do.
    #[must_use]
    pub fn with_lease(mut self, lease: Lease) -> Self {
        self.lease = Some(lease);
        self
    }

    /// The certificates, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.parts.chain
    }

    /// The schemes that the key can sign with, most preferred first.
    #[must_use]
    pub fn schemes(&self) -> &[SignatureScheme] {
        &self.parts.schemes
    }

    /// The private key, unless it is elsewhere.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<dyn SigningKey>> {
        self.parts.key.as_ref()
    }

    /// The OCSP responses for the certificates, leaf first; there may be fewer.
    #[must_use]
    pub fn staples(&self) -> &[Option<Vec<u8>>] {
        &self.parts.staples
    }

    /// What its connections keep until they end.
    pub(crate) fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    fn checked(parts: Parts) -> Result<Self, ConfigError> {
        if parts.chain.is_empty() || parts.chain.iter().any(|certificate| certificate.is_empty()) {
            return Err(ConfigError::EmptyChain);
        }
        if parts.schemes.is_empty() {
            return Err(ConfigError::NoSigningScheme);
        }
        Ok(Self { parts: Arc::new(parts), lease: None })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("certificates", &self.parts.chain.len())
            .field("schemes", &self.parts.schemes)
            .finish_non_exhaustive()
    }
}
