//! A server's configuration.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::builder::{Settings, check_authorities, common_settings};
use super::fingerprint::{Fingerprint, fingerprint};
use super::{Common, ConfigError, Credential, Messages, Secrets};
use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use crate::crypto::{HmacKey, Provider};
use crate::record::Padding;

/// How much refused early data is skipped unless configured otherwise, in bytes of ciphertext.
const DEFAULT_SKIP_LIMIT: usize = 32 << 10;

/// What a server accepts. Immutable; share it by `Arc` among all connections.
///
/// ```compile_fail,E0599
/// # use {std::sync::Arc, symbolon::config::{ClientAuth, ServerConfig}};
/// fn in_flight(config: Arc<ServerConfig>) { config.client_auth(ClientAuth::Off); }
/// ```
/// ```
/// # use symbolon::config::{ClientAuth, ServerConfigBuilder};
/// fn before(config: ServerConfigBuilder) { config.client_auth(ClientAuth::Off).build(); }
/// ```
pub struct ServerConfig {
    pub(crate) common: Common,
    pub(crate) credential: Option<Arc<Credential>>,
    pub(crate) client_auth: ClientAuth,
    pub(crate) retry: Option<RetryKey>,
    pub(crate) skip_limit: usize,
    pub(crate) tickets: u8,
    pub(crate) fingerprint: Fingerprint,
}

/// Whether a client certificate is asked for (RFC 9846 section 4.4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// Not asked for.
    #[default]
    Off,
    /// Asked for; a client without one goes on unauthenticated.
    Optional {
        /// DER distinguished names of acceptable authorities; empty means any.
        authorities: Vec<Vec<u8>>,
    },
    /// Asked for; a client without one is refused with `certificate_required`.
    Required {
        /// DER distinguished names of acceptable authorities; empty means any.
        authorities: Vec<Vec<u8>>,
    },
}

impl ClientAuth {
    /// The names for the certificate_authorities extension, if a certificate is asked for.
    pub(crate) fn authorities(&self) -> Option<&[Vec<u8>]> {
        match self {
            Self::Off => None,
            Self::Optional { authorities } | Self::Required { authorities } => Some(authorities),
        }
    }
}

/// Lets a HelloRetryRequest carry all state in its cookie (RFC 9846 section 4.3.2).
pub struct StatelessRetry {
    key: Zeroizing<[u8; 32]>,
    lifetime: u64,
}

impl StatelessRetry {
    /// `key` authenticates cookies, the same on every server that may get the second ClientHello; `lifetime` is in
    /// seconds.
    #[must_use]
    pub fn new(key: [u8; 32], lifetime: u64) -> Self {
        Self { key: Zeroizing::new(key), lifetime }
    }
}

/// The prepared key of [`StatelessRetry`].
pub(crate) struct RetryKey {
    pub(crate) mac: alloc::boxed::Box<dyn HmacKey>,
    pub(crate) mac_len: usize,
    pub(crate) lifetime: u64,
}

impl ServerConfig {
    /// Starts a configuration with this crypto provider.
    #[must_use]
    pub fn builder(provider: Provider) -> ServerConfigBuilder {
        ServerConfigBuilder {
            settings: Settings::new(provider),
            credential: None,
            client_auth: ClientAuth::Off,
            retry: None,
            skip_limit: DEFAULT_SKIP_LIMIT,
            tickets: 0,
            virtual_host: Vec::new(),
            verification_policy: Vec::new(),
        }
    }

    /// The crypto provider.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.common.provider
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig").field("provider", &self.common.provider).finish_non_exhaustive()
    }
}

/// Collects a server's settings; [`ServerConfigBuilder::build`] checks them.
pub struct ServerConfigBuilder {
    settings: Settings,
    credential: Option<Arc<Credential>>,
    client_auth: ClientAuth,
    retry: Option<StatelessRetry>,
    skip_limit: usize,
    tickets: u8,
    virtual_host: Vec<u8>,
    verification_policy: Vec<u8>,
}

impl ServerConfigBuilder {
    common_settings!();

    /// The one credential of this configuration: no `Configure` question is asked. Without it, each connection
    /// asks for a configuration and a credential.
    #[must_use]
    pub fn credential(mut self, credential: impl Into<Arc<Credential>>) -> Self {
        self.credential = Some(credential.into());
        self
    }

    /// Whether clients are asked for a certificate. By default they are not.
    #[must_use]
    pub fn client_auth(mut self, mode: ClientAuth) -> Self {
        self.client_auth = mode;
        self
    }

    /// Makes HelloRetryRequests stateless on connections that are started with a time. By default they are not.
    #[must_use]
    pub fn stateless_retry(mut self, retry: StatelessRetry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// How many bytes of refused early data are skipped, in ciphertext; by default, and at least, 32 KiB.
    #[must_use]
    pub fn skip_limit(mut self, bytes: usize) -> Self {
        self.skip_limit = bytes.max(DEFAULT_SKIP_LIMIT);
        self
    }

    /// How many tickets each connection asks to have sealed, after the handshake. By default none.
    #[must_use]
    pub fn tickets(mut self, count: u8) -> Self {
        self.tickets = count;
        self
    }

    /// Names the virtual host, so that its tickets and cookies are not taken by another one.
    #[must_use]
    pub fn virtual_host(mut self, id: impl AsRef<[u8]>) -> Self {
        self.virtual_host = id.as_ref().to_vec();
        self
    }

    /// Names the policy that verifies clients, so that tickets of another policy are not taken.
    #[must_use]
    pub fn verification_policy(mut self, id: impl AsRef<[u8]>) -> Self {
        self.verification_policy = id.as_ref().to_vec();
        self
    }

    /// Checks everything once.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says which setting is wrong and how to mend it.
    pub fn build(self) -> Result<Arc<ServerConfig>, ConfigError> {
        if let Some(names) = self.client_auth.authorities() {
            check_authorities(names)?;
        }
        let common = self.settings.check()?;
        let hash = common.suites.first().ok_or(ConfigError::NoSuites)?.suite.hash;
        let retry = self.retry.map(|retry| RetryKey {
            mac: hash.hmac_key(&*retry.key),
            mac_len: hash.output_len(),
            lifetime: retry.lifetime,
        });
        Ok(Arc::new(ServerConfig {
            fingerprint: fingerprint(hash, &self.client_auth, &self.virtual_host, &self.verification_policy),
            credential: self.credential,
            client_auth: self.client_auth,
            retry,
            skip_limit: self.skip_limit,
            tickets: self.tickets,
            common,
        }))
    }
}
