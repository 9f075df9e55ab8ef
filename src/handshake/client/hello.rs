//! ClientHello (RFC 9846 section 4.2.2): what we offer.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rustls_pki_types::{DnsName, ServerName};

use super::offer::{Offer, Offered, Psk, bind_first};
use super::server_hello::{Hello, WaitServerHello};
use super::{Context, State};
use crate::codepoint::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, PskKeyExchangeMode};
use crate::config::{ClientConfig, Middleboxes, PskKe, Tickets};
use crate::crypto::{Exchange, Group};
use crate::error::{Error, Failed, Misuse};
use crate::handshake::{SecretLabel, too_long};
use crate::transcript::{Transcript, Unhashed};
use crate::wire::Writer;
use crate::wire::client_hello::write_client_hello;
use crate::wire::ext::key_share::KeyShareEntry;
use crate::wire::ext::{
    ExtensionSet, alpn, certificate_authorities, certificate_type, cookie, early_data, key_share,
    pre_shared_key, psk_key_exchange_modes, record_size_limit, server_name, signature_algorithms,
    signed_certificate_timestamp, status_request, supported_groups, supported_versions, ticket_request,
};

/// What both ClientHellos of a connection have in common.
pub(super) struct Base {
    pub(super) name: ServerName<'static>,
    pub(super) random: [u8; 32],
    session_id: [u8; 32],
    session_id_len: usize,
}

impl Base {
    /// The legacy session id: empty, or 32 bytes (RFC 9846 appendix E.4).
    pub(super) fn session_id(&self) -> &[u8] {
        self.session_id.get(..self.session_id_len).unwrap_or_default()
    }
}

/// Starts a handshake: sends the ClientHello. Early data may follow it.
pub(crate) fn start(name: ServerName<'static>, offer: Offer, cx: &mut Context<'_>) -> Result<State, Error> {
    let common = &cx.config.common;
    let rng = &*common.provider.rng;
    let offered = offer.prepare(&name, cx.config)?;
    let mut base = Base { name, random: [0; 32], session_id: [0; 32], session_id_len: 0 };
    rng.fill(&mut base.random)?;
    if cx.config.middleboxes == Middleboxes::Compatible {
        rng.fill(&mut base.session_id)?;
        base.session_id_len = base.session_id.len();
    }
    let exchange = Ours::start(cx.config)?;
    let messages = cx.carrier.messages();
    let start = messages.len();
    let kind = Kind::First { early: offered.early.is_ok() };
    let sent = write(messages, &base, &exchange, &offered.psks, &kind, cx.config).map_err(too_long)?;
    #[cfg(all(test, feature = "rustcrypto"))]
    crate::handshake::replay::replace(messages, start);
    let message = messages.get_mut(start..).unwrap_or_default();
    let guessed = bind_first(&offered.psks, message)?;
    let message = messages.get(start..).unwrap_or_default().to_vec();
    cx.carrier.end_flight()?;
    if let Some(transcript) = &guessed {
        send_early(&base, &offered, transcript, cx)?;
    }
    let hello = Hello::First(Unhashed::new(message, guessed));
    Ok(State::ServerHello(WaitServerHello { base, exchange, sent, offered, hello }))
}

/// Opens the way for early data behind the ClientHello, which is all of `transcript`.
fn send_early(
    base: &Base,
    offered: &Offered,
    transcript: &Transcript,
    cx: &mut Context<'_>,
) -> Result<(), Error> {
    let (Ok(early), Some(psk)) = (&offered.early, offered.psks.first()) else { return Ok(()) };
    let suite = cx.config.common.suite(early.suite).ok_or(Failed::Provider)?.suite;
    let secrets = psk.schedule.send_early(&transcript.digest())?;
    cx.carrier.reveal(SecretLabel::ClientEarlyTraffic, &base.random, secrets.client.expose());
    cx.carrier.reveal(SecretLabel::EarlyExporter, &base.random, secrets.exporter.expose());
    cx.carrier.early_exporter(secrets.exporter);
    // RFC 9846 appendix E.4: "If offering early data, the record is placed immediately after the first ClientHello."
    if !base.session_id().is_empty() {
        cx.carrier.compat_ccs_now()?;
    }
    cx.carrier.send_early(secrets.client.into_keys(suite.aead)?, suite, early.max);
    Ok(())
}

/// What the two ClientHellos of a connection do not have in common.
pub(super) enum Kind<'a> {
    /// The first one.
    First {
        /// Whether early data follows.
        early: bool,
    },
    /// The second one, which gives back the cookie of the HelloRetryRequest.
    Second { cookie: Option<&'a [u8]> },
}

/// Our key exchange: the keys whose shares are offered.
pub(super) struct Ours(Vec<OneKey>);

/// A key, with which of its shares are offered.
struct OneKey {
    exchange: Box<dyn Exchange>,
    offered: [bool; 2],
}

impl Ours {
    /// One key for the most preferred group, whose classical component is offered too where it is configured; or one for
    /// each of the groups that are configured for it, in the order of all: "each KeyShareEntry value MUST correspond to a
    /// group offered in the "supported_groups" extension and MUST appear in the same order" (RFC 9846 section 4.3.8).
    pub(super) fn start(config: &ClientConfig) -> Result<Self, Failed> {
        let common = &config.common;
        let Some(wanted) = &config.key_shares else {
            let group = *common.groups.first().ok_or(Failed::Provider)?;
            return Ok(Self(Vec::from([OneKey::new(group, config, |id| common.group(id).is_some())?])));
        };
        let groups = common.groups.iter().filter(|group| wanted.contains(&group.id()));
        groups
            .map(|group| OneKey::new(*group, config, |id| id == group.id()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// A key for `group` alone, as a HelloRetryRequest demands.
    pub(super) fn start_only(group: &'static dyn Group, config: &ClientConfig) -> Result<Self, Failed> {
        Ok(Self(Vec::from([OneKey::new(group, config, |id| id == group.id())?])))
    }

    /// The shares that are offered.
    pub(super) fn shares(&self) -> impl Iterator<Item = KeyShareEntry<'_>> {
        self.0.iter().flat_map(OneKey::shares)
    }

    /// Whether a share of this group is offered.
    pub(super) fn offers(&self, group: NamedGroup) -> bool {
        self.shares().any(|share| share.group == group)
    }

    /// The key whose share of this group was offered.
    pub(super) fn into_exchange(self, group: NamedGroup) -> Option<Box<dyn Exchange>> {
        let key = self.0.into_iter().find(|key| key.shares().any(|share| share.group == group));
        key.map(|key| key.exchange)
    }
}

impl OneKey {
    fn new(
        group: &'static dyn Group,
        config: &ClientConfig,
        offers: impl Fn(NamedGroup) -> bool,
    ) -> Result<Self, Failed> {
        let exchange = group.start(&*config.common.provider.rng)?;
        let offered = exchange.shares().map(|share| share.is_some_and(|(id, _)| offers(id)));
        Ok(Self { exchange, offered })
    }

    fn shares(&self) -> impl Iterator<Item = KeyShareEntry<'_>> {
        self.exchange
            .shares()
            .into_iter()
            .zip(self.offered)
            .filter_map(|(share, offered)| share.filter(|_| offered))
            .map(|(group, key_exchange)| KeyShareEntry { group, key_exchange })
    }
}

/// RFC 6066 section 3: a host name is sent "without a trailing dot".
pub(super) fn sent_name<'n>(name: &'n DnsName<'_>) -> &'n str {
    let name = name.as_ref();
    name.strip_suffix('.').unwrap_or(name)
}

/// Appends a ClientHello and says which extensions it has. Its binders are zeros still.
///
/// The second one of a connection differs by its cookie, its shares and its keys alone (RFC 9846 section 4.2.2).
pub(super) fn write(
    out: &mut Vec<u8>,
    base: &Base,
    exchange: &Ours,
    psks: &[Psk],
    kind: &Kind<'_>,
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
        if let ServerName::DnsName(name) = &base.name {
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
        for (kind, types) in [
            (ExtensionType::CLIENT_CERTIFICATE_TYPE, &config.client_certificate_types),
            (ExtensionType::SERVER_CERTIFICATE_TYPE, &config.server_certificate_types),
        ] {
            let Some(types) = types.to_offer() else { continue };
            note(kind);
            certificate_type::encode_client(w, kind, types)?;
        }
        if config.attachments.contains(ExtensionType::STATUS_REQUEST) {
            note(ExtensionType::STATUS_REQUEST);
            status_request::encode_client(w)?;
        }
        if config.attachments.contains(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP) {
            note(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP);
            signed_certificate_timestamp::encode_request(w)?;
        }
        if let Some(limit) = common.record_size_limit {
            note(ExtensionType::RECORD_SIZE_LIMIT);
            record_size_limit::encode(w, limit)?;
        }
        if let Tickets::Asked { new_session, resumption } = config.tickets {
            note(ExtensionType::TICKET_REQUEST);
            let request = ticket_request::TicketRequest {
                new_session_count: new_session,
                resumption_count: resumption,
            };
            ticket_request::encode_client(w, request)?;
        }
        match kind {
            Kind::First { early: true } => {
                note(ExtensionType::EARLY_DATA);
                early_data::encode_flag(w)?;
            }
            Kind::Second { cookie: Some(bytes) } => cookie::encode(w, bytes)?,
            Kind::First { early: false } | Kind::Second { cookie: None } => {}
        }
        key_share::encode_client(w, exchange.shares())?;
        // Also without a key: "This extension also restricts the modes for use with PSK resumption." (RFC 9846 section
        // 4.3.9)
        if config.tickets != Tickets::Ignored || !psks.is_empty() {
            psk_key_exchange_modes::encode(w, modes(common.psk_ke))?;
        }
        // "The "pre_shared_key" extension MUST be the last extension in the ClientHello".
        if !psks.is_empty() {
            note(ExtensionType::PRE_SHARED_KEY);
            let binder_lens = psks.iter().map(|psk| psk.hash().output_len());
            pre_shared_key::encode_client(w, psks.iter().map(Psk::identity), binder_lens)?;
        }
        Ok(())
    };
    write_client_hello(out, &base.random, base.session_id(), &suites, extensions)?;
    Ok(sent)
}

fn modes(psk_ke: PskKe) -> &'static [PskKeyExchangeMode] {
    match psk_ke {
        PskKe::Refused => &[PskKeyExchangeMode::PSK_DHE_KE],
        PskKe::Permitted => &[PskKeyExchangeMode::PSK_DHE_KE, PskKeyExchangeMode::PSK_KE],
    }
}
