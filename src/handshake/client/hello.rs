//! ClientHello (RFC 9846 section 4.2.2): what we offer.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rustls_pki_types::{DnsName, ServerName};

use super::server_hello::{Hello, WaitServerHello};
use super::{Context, State};
use crate::codepoint::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion};
use crate::config::{ClientConfig, Middleboxes};
use crate::crypto::{Exchange, Group};
use crate::error::{Error, Failed, Misuse};
use crate::handshake::too_long;
use crate::transcript::Unhashed;
use crate::wire::Writer;
use crate::wire::client_hello::write_client_hello;
use crate::wire::ext::key_share::KeyShareEntry;
use crate::wire::ext::{
    ExtensionSet, alpn, certificate_authorities, cookie, key_share, record_size_limit, server_name,
    signature_algorithms, supported_groups, supported_versions,
};

/// What both ClientHellos of a connection have in common.
pub(super) struct Offer {
    pub(super) name: ServerName<'static>,
    pub(super) random: [u8; 32],
    session_id: [u8; 32],
    session_id_len: usize,
}

impl Offer {
    /// The legacy session id: empty, or 32 bytes (RFC 9846 appendix E.4).
    pub(super) fn session_id(&self) -> &[u8] {
        self.session_id.get(..self.session_id_len).unwrap_or_default()
    }
}

/// Starts a handshake: sends the ClientHello.
pub(crate) fn start(name: ServerName<'static>, cx: &mut Context<'_>) -> Result<State, Error> {
    let common = &cx.config.common;
    let rng = &*common.provider.rng;
    let mut offer = Offer { name, random: [0; 32], session_id: [0; 32], session_id_len: 0 };
    rng.fill(&mut offer.random)?;
    if cx.config.middleboxes == Middleboxes::Compatible {
        rng.fill(&mut offer.session_id)?;
        offer.session_id_len = offer.session_id.len();
    }
    let group = *common.groups.first().ok_or(Failed::Provider)?;
    let exchange = Ours::start(group, cx.config)?;
    let messages = cx.carrier.messages();
    let start = messages.len();
    let sent = write(messages, &offer, &exchange, None, cx.config).map_err(too_long)?;
    #[cfg(all(test, feature = "rustcrypto"))]
    crate::handshake::replay::replace(messages, start);
    let hello = Unhashed::new(messages.get(start..).unwrap_or_default().to_vec());
    cx.carrier.end_flight()?;
    Ok(State::ServerHello(WaitServerHello { offer, exchange, sent, hello: Hello::First(hello) }))
}

/// Our key exchange: the groups whose shares are offered, made of one key.
pub(super) struct Ours {
    exchange: Box<dyn Exchange>,
    only: Option<NamedGroup>,
    configured: [bool; 2],
}

impl Ours {
    /// A key for `group`; a hybrid's classical component is offered too where it is configured.
    pub(super) fn start(group: &'static dyn Group, config: &ClientConfig) -> Result<Self, Failed> {
        let exchange = group.start(&*config.common.provider.rng)?;
        let configured =
            exchange.shares().map(|share| share.is_some_and(|(id, _)| config.common.group(id).is_some()));
        Ok(Self { exchange, only: None, configured })
    }

    /// A key for `group` alone, as a HelloRetryRequest demands.
    pub(super) fn start_only(group: &'static dyn Group, config: &ClientConfig) -> Result<Self, Failed> {
        Ok(Self { only: Some(group.id()), ..Self::start(group, config)? })
    }

    /// The shares that are offered.
    pub(super) fn shares(&self) -> impl Iterator<Item = KeyShareEntry<'_>> {
        self.exchange
            .shares()
            .into_iter()
            .zip(self.configured)
            .filter_map(|(share, configured)| share.filter(|_| configured))
            .filter(|(group, _)| self.only.is_none_or(|only| only == *group))
            .map(|(group, key_exchange)| KeyShareEntry { group, key_exchange })
    }

    /// Whether a share of this group is offered.
    pub(super) fn offers(&self, group: NamedGroup) -> bool {
        self.shares().any(|share| share.group == group)
    }

    /// Ends the exchange with the server's share.
    pub(super) fn into_exchange(self) -> Box<dyn Exchange> {
        self.exchange
    }
}

/// RFC 6066 section 3: a host name is sent "without a trailing dot".
pub(super) fn sent_name<'n>(name: &'n DnsName<'_>) -> &'n str {
    let name = name.as_ref();
    name.strip_suffix('.').unwrap_or(name)
}

/// Appends a ClientHello and says which extensions it has.
///
/// The second one of a connection differs by `cookie` and by the shares of `exchange` alone (RFC 9846 section
/// 4.2.2).
pub(super) fn write(
    out: &mut Vec<u8>,
    offer: &Offer,
    exchange: &Ours,
    retry_cookie: Option<&[u8]>,
    config: &ClientConfig,
) -> Result<ExtensionSet, Misuse> {
    let common = &config.common;
    let suites: Vec<CipherSuite> = common.suites.iter().map(|entry| entry.suite.id).collect();
    let groups: Vec<NamedGroup> = common.groups.iter().map(|group| group.id()).collect();
    let mut sent: ExtensionSet = [
        ExtensionType::SUPPORTED_VERSIONS,
        ExtensionType::SUPPORTED_GROUPS,
        ExtensionType::SIGNATURE_ALGORITHMS,
        ExtensionType::KEY_SHARE,
    ]
    .into_iter()
    .collect();
    let mut note = |kind| sent.insert(kind);
    let extensions = |w: &mut Writer<'_>| {
        if let ServerName::DnsName(name) = &offer.name {
            note(ExtensionType::SERVER_NAME);
            server_name::encode_client(w, sent_name(name))?;
        }
        supported_versions::encode_client(w, &[ProtocolVersion::TLS_1_3])?;
        supported_groups::encode(w, &groups)?;
        signature_algorithms::encode(w, &common.schemes)?;
        if common.certificate_schemes != common.schemes {
            note(ExtensionType::SIGNATURE_ALGORITHMS_CERT);
            signature_algorithms::encode_cert(w, &common.certificate_schemes)?;
        }
        if !common.alpn.is_empty() {
            note(ExtensionType::ALPN);
            alpn::encode_client(w, common.alpn.iter().map(Vec::as_slice))?;
        }
        if !config.authorities.is_empty() {
            certificate_authorities::encode(w, config.authorities.iter().map(Vec::as_slice))?;
        }
        if let Some(limit) = common.record_size_limit {
            note(ExtensionType::RECORD_SIZE_LIMIT);
            record_size_limit::encode(w, limit)?;
        }
        if let Some(bytes) = retry_cookie {
            cookie::encode(w, bytes)?;
        }
        key_share::encode_client(w, exchange.shares())
    };
    write_client_hello(out, &offer.random, offer.session_id(), &suites, extensions)?;
    Ok(sent)
}
