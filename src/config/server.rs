//! A server's configuration.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::builder::{Settings, check_authorities, common_settings};
use super::early_data::{EarlyDataPolicy, ReplayGuarded};
use super::fingerprint::{Fingerprint, of_server};
use super::{CertificateTypes, Common, ConfigError, Credential, Messages, PskKe, ResumedPeers, Secrets};
use crate::codepoint::{CertificateType, CipherSuite, ExtensionType, NamedGroup, SignatureScheme};
use crate::crypto::{HmacKey, Provider};
use crate::record::Padding;
use crate::wire::ext::ExtensionSet;

/// How much refused early data is skipped unless configured otherwise, in bytes of ciphertext.
const DEFAULT_SKIP_LIMIT: usize = 32 << 10;

/// How many tickets a client may ask for where a server sends any (RFC 9149).
const MOST_TICKETS: u8 = 8;

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
    pub(crate) credentials: Credentials,
    pub(crate) client_auth: ClientAuth,
    /// What clients may present.
    pub(crate) client_certificate_types: CertificateTypes,
    /// What is asked to come with their certificates.
    pub(crate) attachments: ExtensionSet,
    pub(crate) retry: Option<RetryKey>,
    pub(crate) skip_limit: usize,
    pub(crate) tickets: TicketCount,
    pub(crate) early_data: Option<EarlyDataPolicy>,
    pub(crate) fingerprint: Fingerprint,
}

/// What a server authenticates with.
pub(crate) enum Credentials {
    /// Each connection asks.
    Asked,
    /// The one credential.
    One(Arc<Credential>),
    /// None: pre-shared keys alone.
    None,
}

/// How many tickets follow a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TicketCount {
    /// To clients that do not say how many they want.
    pub(crate) unasked: u8,
    /// To clients that do (RFC 9149), at most.
    pub(crate) most: u8,
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
    /// Asked for on the way to [`ClientAuth::Required`]: a client without one goes on, and
    /// [`Summary::anonymous`](crate::conn::Summary::anonymous) tells so that somebody counts it. Tickets of this mode
    /// end with it.
    Migrating {
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
            Self::Optional { authorities }
            | Self::Migrating { authorities }
            | Self::Required { authorities } => Some(authorities),
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
            credentials: Credentials::Asked,
            client_auth: ClientAuth::Off,
            client_certificate_types: None,
            attachments: ExtensionSet::EMPTY,
            retry: None,
            skip_limit: None,
            tickets: TicketCount { unasked: 0, most: 0 },
            early_data: None,
            early_names: None,
            early_protocols: None,
            virtual_host: Vec::new(),
        }
    }

    /// What a ticket belongs to: the hash of the virtual host, the mode of client authentication, the types of
    /// certificates that clients may have, the PSK modes and the name of the verification policy. Tickets of another fingerprint are not to be taken.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8] {
        self.fingerprint.as_ref()
    }

    /// The guard whose proof switched early data on; `None` where it is off.
    #[must_use]
    pub fn replay_guarded(&self) -> Option<&ReplayGuarded> {
        self.early_data.as_ref().map(|early_data| &early_data.proof)
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
    credentials: Credentials,
    client_auth: ClientAuth,
    client_certificate_types: Option<Vec<CertificateType>>,
    attachments: ExtensionSet,
    retry: Option<StatelessRetry>,
    skip_limit: Option<usize>,
    tickets: TicketCount,
    early_data: Option<(u32, ReplayGuarded)>,
    early_names: Option<Vec<String>>,
    early_protocols: Option<Vec<Vec<u8>>>,
    virtual_host: Vec<u8>,
}

impl ServerConfigBuilder {
    common_settings!();

    /// The one credential of this configuration: no `Configure` question is asked. Without it, each connection
    /// asks for a configuration and a credential.
    #[must_use]
    pub fn credential(mut self, credential: impl Into<Arc<Credential>>) -> Self {
        self.credentials = Credentials::One(credential.into());
        self
    }

    /// No credential at all: clients must know an external pre-shared key, or have a ticket of such a connection.
    #[must_use]
    pub fn psk_only(mut self) -> Self {
        self.credentials = Credentials::None;
        self
    }

    /// Whether clients are asked for a certificate. By default they are not.
    #[must_use]
    pub fn client_auth(mut self, mode: ClientAuth) -> Self {
        self.client_auth = mode;
        self
    }

    /// What clients may authenticate with, most preferred first: X.509 certificates, raw public keys (RFC 7250), or both. By
    /// default X.509 certificates alone.
    ///
    /// A client that has nothing of it is refused with `unsupported_certificate` where authentication is required, and
    /// not asked where it is optional.
    #[must_use]
    pub fn client_certificate_types(mut self, types: impl IntoIterator<Item = CertificateType>) -> Self {
        self.client_certificate_types = Some(types.into_iter().collect());
        self
    }

    /// Asks clients for OCSP responses with their certificates (RFC 9846 section 4.5.1.1). By default they are not asked
    /// for.
    #[must_use]
    pub fn request_staples(mut self) -> Self {
        self.attachments.insert(ExtensionType::STATUS_REQUEST);
        self
    }

    /// Asks clients for certificate timestamps (RFC 6962 section 3.3). By default they are not asked for.
    #[must_use]
    pub fn request_scts(mut self) -> Self {
        self.attachments.insert(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP);
        self
    }

    /// Makes HelloRetryRequests stateless on connections that are started with a time. By default they are not.
    #[must_use]
    pub fn stateless_retry(mut self, retry: StatelessRetry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// How many bytes of refused early data are skipped, in ciphertext: at least as many as are accepted, and by default
    /// twice as many, at least 32 KiB.
    #[must_use]
    pub fn skip_limit(mut self, bytes: usize) -> Self {
        self.skip_limit = Some(bytes);
        self
    }

    /// How many tickets each connection asks to have sealed, after the handshake. By default none. Clients may ask for
    /// another number (RFC 9149) and get at most 8, or `count` where that is more.
    #[must_use]
    pub fn tickets(mut self, count: u8) -> Self {
        let most = if count == 0 { 0 } else { count.max(MOST_TICKETS) };
        self.tickets = TicketCount { unasked: count, most };
        self
    }

    /// Accepts `max_bytes` of early data on connections that resume with a ticket (RFC 9846 section 2.3), at least 1.
    /// `proof` comes with the guard that must answer [`CheckReplay`](crate::question::CheckReplay).
    ///
    /// Early data can be replayed by whoever saw it, at least to another server; see the README's section on 0-RTT.
    //= testvectors/requirements/rfc9846.txt#appendix-F.5
    //# TLS implementations MUST NOT enable 0-RTT (either sending or accepting) unless specifically
    //# requested by the application and MUST NOT automatically resend 0-RTT data if it is rejected by the
    //# server unless instructed by the application
    #[must_use]
    pub fn early_data(mut self, max_bytes: u32, proof: ReplayGuarded) -> Self {
        self.early_data = Some((max_bytes, proof));
        self
    }

    /// Accepts early data on connections to these server names alone; by default to all.
    #[must_use]
    pub fn early_data_names<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.early_names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Accepts early data on connections that speak one of these application protocols alone; by default on all.
    #[must_use]
    pub fn early_data_protocols<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        self.early_protocols = Some(names.into_iter().map(|name| name.as_ref().to_vec()).collect());
        self
    }

    /// Names the virtual host, so that its tickets and cookies are not taken by another one.
    #[must_use]
    pub fn virtual_host(mut self, id: impl AsRef<[u8]>) -> Self {
        self.virtual_host = id.as_ref().to_vec();
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
        let client_certificate_types =
            self.client_certificate_types.map(CertificateTypes::checked).transpose()?.unwrap_or_default();
        let policy = self.settings.verification_policy.clone();
        let common = self.settings.check()?;
        let hash = common.identifying_hash()?;
        let retry = self.retry.map(|retry| RetryKey {
            mac: hash.hmac_key(&*retry.key),
            mac_len: hash.output_len(),
            lifetime: retry.lifetime,
        });
        let early_data = match self.early_data {
            Some((0, _)) => return Err(ConfigError::NoEarlyBytes),
            Some((max, proof)) => {
                let (names, protocols) = (self.early_names, self.early_protocols);
                Some(EarlyDataPolicy { max, proof, names, protocols })
            }
            None => None,
        };
        Ok(Arc::new(ServerConfig {
            fingerprint: of_server(
                hash,
                (&self.client_auth, &client_certificate_types),
                common.psk_ke,
                &self.virtual_host,
                &policy,
            ),
            credentials: self.credentials,
            client_auth: self.client_auth,
            client_certificate_types,
            attachments: self.attachments,
            retry,
            skip_limit: skip_limit(self.skip_limit, early_data.as_ref()),
            tickets: self.tickets,
            early_data,
            common,
        }))
    }
}

/// Refused records are counted with all that protects them: twice the early data that is accepted has room for that.
fn skip_limit(wanted: Option<usize>, early_data: Option<&EarlyDataPolicy>) -> usize {
    let max = early_data.map_or(0, |early_data| usize::try_from(early_data.max).unwrap_or(usize::MAX));
    wanted.unwrap_or(DEFAULT_SKIP_LIMIT.max(max.saturating_mul(2))).max(max)
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::config::Reach;
    use core::time::Duration;

    #[test]
    fn refused_early_data_is_skipped_at_least_as_far_as_it_would_be_accepted() {
        let proof = ReplayGuarded::new(Duration::from_secs(10), Reach::Process);
        let early = |max| EarlyDataPolicy { max, proof: proof.clone(), names: None, protocols: None };
        for (wanted, max, limit) in [
            (None, None, 32 << 10),
            (None, Some(14_336), 32 << 10),
            (None, Some(20_000), 40_000),
            (Some(16_384), Some(14_336), 16_384),
            (Some(0), Some(14_336), 14_336),
            (Some(0), None, 0),
        ] {
            assert_eq!(skip_limit(wanted, max.map(early).as_ref()), limit, "{wanted:?} {max:?}");
        }
    }
}
