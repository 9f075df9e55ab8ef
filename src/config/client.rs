//! A client's configuration.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::builder::{Settings, check_authorities, common_settings};
use super::{Common, ConfigError, Messages, Secrets};
use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use crate::crypto::Provider;
use crate::record::Padding;

/// What a client offers. Immutable; share it by `Arc` among all connections.
///
/// ```compile_fail,E0599
/// # use {std::sync::Arc, symbolon::config::ClientConfig};
/// fn in_flight(config: Arc<ClientConfig>) { config.alpn(["h2"]); }
/// ```
/// ```
/// # use symbolon::config::ClientConfigBuilder;
/// fn before(config: ClientConfigBuilder) { config.alpn(["h2"]).build(); }
/// ```
pub struct ClientConfig {
    pub(crate) common: Common,
    pub(crate) middleboxes: Middleboxes,
    /// DER distinguished names for certificate_authorities; empty sends no extension.
    pub(crate) authorities: Vec<Vec<u8>>,
}

/// Whether the handshake is made to look like TLS 1.2 (RFC 9846 appendix E.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Middleboxes {
    Compatible,
    Ignored,
}

impl ClientConfig {
    /// Starts a configuration with this crypto provider.
    #[must_use]
    pub fn builder(provider: Provider) -> ClientConfigBuilder {
        ClientConfigBuilder {
            settings: Settings::new(provider),
            middleboxes: Middleboxes::Compatible,
            authorities: Vec::new(),
        }
    }

    /// The crypto provider.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.common.provider
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig").field("provider", &self.common.provider).finish_non_exhaustive()
    }
}

/// Collects a client's settings; [`ClientConfigBuilder::build`] checks them.
pub struct ClientConfigBuilder {
    settings: Settings,
    middleboxes: Middleboxes,
    authorities: Vec<Vec<u8>>,
}

impl ClientConfigBuilder {
    common_settings!();

    /// Sends no legacy session id and no ChangeCipherSpec. Only for networks without middleboxes: see RFC 9846
    /// appendix E.4.
    #[must_use]
    pub fn without_middlebox_compatibility(mut self) -> Self {
        self.middleboxes = Middleboxes::Ignored;
        self
    }

    /// Tells the server which certification authorities we trust, as DER distinguished names (RFC 9846 section 4.3.4).
    /// By default nothing is told.
    #[must_use]
    pub fn authorities(mut self, names: Vec<Vec<u8>>) -> Self {
        self.authorities = names;
        self
    }

    /// Checks everything once.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says which setting is wrong and how to mend it.
    pub fn build(self) -> Result<Arc<ClientConfig>, ConfigError> {
        check_authorities(&self.authorities)?;
        Ok(Arc::new(ClientConfig {
            common: self.settings.check()?,
            middleboxes: self.middleboxes,
            authorities: self.authorities,
        }))
    }
}
