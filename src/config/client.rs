//! A client's configuration.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::builder::{Settings, check_authorities, common_settings};
use super::fingerprint::of_client;
use super::{CertificateTypes, Common, ConfigError, Messages, PskKe, ResumedPeers, Secrets};
use crate::codepoint::{CertificateType, CipherSuite, ExtensionType, NamedGroup, SignatureScheme};
use crate::crypto::Provider;
use crate::record::Padding;
use crate::wire::ext::ExtensionSet;

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
    pub(crate) tickets: Tickets,
    /// Groups with a share in the first ClientHello; `None` is the most preferred one.
    pub(crate) key_shares: Option<Vec<NamedGroup>>,
    /// What servers may present.
    pub(crate) server_certificate_types: CertificateTypes,
    /// What we may present.
    pub(crate) client_certificate_types: CertificateTypes,
    /// What is asked to come with certificates.
    pub(crate) attachments: ExtensionSet,
    fingerprint: [u8; 32],
}

/// Whether tickets are taken, and how many are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tickets {
    Ignored,
    Taken,
    /// RFC 9149: so many after a full handshake and after a resumed one.
    Asked {
        new_session: u8,
        resumption: u8,
    },
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
            tickets: Tickets::Taken,
            key_shares: None,
            server_certificate_types: None,
            client_certificate_types: None,
            attachments: ExtensionSet::from_iter([ExtensionType::STATUS_REQUEST]),
        }
    }

    /// What tells configurations apart whose tickets must not mix: application protocols, PSK modes, types of
    /// certificates, and the name of the verification policy.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
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
    tickets: Tickets,
    key_shares: Option<Vec<NamedGroup>>,
    server_certificate_types: Option<Vec<CertificateType>>,
    client_certificate_types: Option<Vec<CertificateType>>,
    attachments: ExtensionSet,
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

    /// Groups to send a share of at once, in the order of [`groups`](Self::groups): those that the server is known to have,
    /// or none, which costs a round trip but no guess. By default the most preferred group, with the classical component
    /// of a hybrid.
    ///
    /// Each is of its own key, and no other group may be named: then `build` gives [`ConfigError::ShareOfOtherGroup`] (RFC 9846
    /// section 4.3.8).
    #[must_use]
    pub fn key_shares(mut self, groups: &[NamedGroup]) -> Self {
        self.key_shares = Some(groups.to_vec());
        self
    }

    /// What servers may authenticate with, most preferred first: X.509 certificates, raw public keys (RFC 7250), or both. By
    /// default X.509 certificates alone. A server that shows anything else is refused.
    #[must_use]
    pub fn server_certificate_types(mut self, types: impl IntoIterator<Item = CertificateType>) -> Self {
        self.server_certificate_types = Some(types.into_iter().collect());
        self
    }

    /// What we have to authenticate with where a server asks, most preferred first. By default X.509 certificates alone.
    ///
    /// RFC 7250 section 4.1: name no type of which whoever answers
    /// [`ChooseCredential`](crate::question::ChooseCredential) has no credential.
    #[must_use]
    pub fn client_certificate_types(mut self, types: impl IntoIterator<Item = CertificateType>) -> Self {
        self.client_certificate_types = Some(types.into_iter().collect());
        self
    }

    /// Asks servers for no OCSP responses with their certificates. By default they are asked for.
    #[must_use]
    pub fn without_staples(mut self) -> Self {
        self.attachments.remove(ExtensionType::STATUS_REQUEST);
        self
    }

    /// Asks servers for certificate timestamps (RFC 6962 section 3.3). By default they are not asked for.
    #[must_use]
    pub fn request_scts(mut self) -> Self {
        self.attachments.insert(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP);
        self
    }

    /// Takes no tickets and offers no resumption by tickets. By default tickets are taken, as many as servers send.
    #[must_use]
    pub fn without_tickets(mut self) -> Self {
        self.tickets = Tickets::Ignored;
        self
    }

    /// Asks servers for so many tickets after a full handshake and after a resumed one (RFC 9149).
    #[must_use]
    pub fn ask_for_tickets(mut self, new_session: u8, resumption: u8) -> Self {
        self.tickets = Tickets::Asked { new_session, resumption };
        self
    }

    /// Checks everything once.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says which setting is wrong and how to mend it.
    pub fn build(self) -> Result<Arc<ClientConfig>, ConfigError> {
        check_authorities(&self.authorities)?;
        let types = |types: Option<_>| {
            types.map(CertificateTypes::checked).transpose().map(Option::unwrap_or_default)
        };
        let server_certificate_types = types(self.server_certificate_types)?;
        let client_certificate_types = types(self.client_certificate_types)?;
        let policy = self.settings.verification_policy.clone();
        let common = self.settings.check()?;
        if let Some(groups) = &self.key_shares
            && let Some(other) = groups.iter().find(|group| common.group(**group).is_none())
        {
            return Err(ConfigError::ShareOfOtherGroup(*other));
        }
        let hash = common.identifying_hash()?;
        Ok(Arc::new(ClientConfig {
            fingerprint: of_client(
                hash,
                common.psk_ke,
                &common.alpn,
                &policy,
                [&server_certificate_types, &client_certificate_types],
            ),
            common,
            middleboxes: self.middleboxes,
            authorities: self.authorities,
            tickets: self.tickets,
            key_shares: self.key_shares,
            // There is nothing that a raw public key could bring along.
            attachments: if server_certificate_types.contains(CertificateType::X509) {
                self.attachments
            } else {
                ExtensionSet::EMPTY
            },
            server_certificate_types,
            client_certificate_types,
        }))
    }
}
