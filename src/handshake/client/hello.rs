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
    //= testvectors/requirements/rfc9846.txt#section-4.2.2
    //# Otherwise, it MUST be set as a zero-length list
    /// The legacy session id: empty, or 32 bytes (RFC 9846 appendix E.4).
    pub(super) fn session_id(&self) -> &[u8] {
        self.session_id.get(..self.session_id_len).unwrap_or_default()
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.2.2
//# When a client first connects to a server, it is REQUIRED to send the ClientHello as its first TLS
//# message.
/// Starts a handshake: sends the ClientHello. Early data may follow it.
pub(crate) fn start(name: ServerName<'static>, offer: Offer, cx: &mut Context<'_>) -> Result<State, Error> {
    let common = &cx.config.common;
    let rng = &*common.provider.rng;
    let offered = offer.prepare(&name, cx.config)?;
    let mut base = Base { name, random: [0; 32], session_id: [0; 32], session_id_len: 0 };
    rng.fill(&mut base.random)?;
    //= testvectors/requirements/rfc9846.txt#section-4.2.2
    //# this field MUST be non-empty, so a client not offering a pre-TLS 1.3 session MUST generate a new
    //# 32-byte value.
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
    //= testvectors/requirements/rfc9846.txt#section-4.3.10
    //# The PSK used to encrypt the early data MUST be the first PSK listed in the client's "pre_shared_key"
    //# extension.
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
    //= testvectors/requirements/rfc9846.txt#section-4.3.2
    //# Clients MUST NOT use cookies in their initial ClientHello in subsequent connections.
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
    /// each of the groups that are configured for it, in the order of all.
    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //# Clients and Servers MUST NOT reuse a key share for multiple connections.
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
    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //# the client MUST replace the original "key_share" extension with one containing only a new
    //# KeyShareEntry for the group indicated in the selected_group field of the triggering
    //# HelloRetryRequest
    pub(super) fn start_only(group: &'static dyn Group, config: &ClientConfig) -> Result<Self, Failed> {
        Ok(Self(Vec::from([OneKey::new(group, config, |id| id == group.id())?])))
    }

    /// The shares that are offered.
    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //# Each KeyShareEntry value MUST correspond to a group offered in the "supported_groups" extension and
    //# MUST appear in the same order.
    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //# Clients MUST NOT offer multiple KeyShareEntry values for the same group.
    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //# Clients MUST NOT offer any KeyShareEntry values for groups not listed in the client's
    //# "supported_groups" extension.
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

//= testvectors/requirements/rfc9846.txt#section-4.2.2
//# In that case, the client MUST send the same ClientHello without modification, except as follows:
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
    //= testvectors/requirements/rfc9846.txt#section-9.2
    //# All implementations MUST send and use these extensions when offering applicable features:
    let mut sent: ExtensionSet = [
        ExtensionType::SUPPORTED_VERSIONS,
        ExtensionType::SUPPORTED_GROUPS,
        ExtensionType::SIGNATURE_ALGORITHMS,
        ExtensionType::KEY_SHARE,
    ]
    .into_iter()
    .collect();
    let mut note = |kind| sent.insert(kind);
    //= testvectors/requirements/rfc9846.txt#appendix-E.5
    //# Implementations MUST NOT use the Truncated HMAC extension, defined in Section 7 of [RFC6066]
    let extensions = |w: &mut Writer<'_>| {
        if let ServerName::DnsName(name) = &base.name {
            note(ExtensionType::SERVER_NAME);
            //= testvectors/requirements/rfc9846.txt#section-9.2
            //# Additionally, all implementations MUST support the use of the "server_name" extension with
            //# applications capable of using it.
            server_name::encode_client(w, sent_name(name))?;
        }
        //= testvectors/requirements/rfc9846.txt#section-4.3.1
        //# Implementations of this specification MUST send this extension in the ClientHello containing all
        //# versions of TLS which they are prepared to negotiate
        //= testvectors/requirements/rfc9846.txt#section-9.2
        //# "supported_versions" is REQUIRED for all ClientHello, ServerHello, and HelloRetryRequest
        //# messages.
        supported_versions::encode_client(w, &[ProtocolVersion::TLS_1_3])?;
        supported_groups::encode(w, &groups)?;
        //= testvectors/requirements/rfc9846.txt#section-4.3.3
        //# Clients which desire the server to authenticate itself via a certificate MUST send the
        //# "signature_algorithms" extension.
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
            //= testvectors/requirements/rfc7250.txt#section-4.1
            //# The TLS client MUST omit certificate types from the client_certificate_type extension in the
            //# client hello if it does not possess the corresponding raw public key or certificate that it
            //# can provide to the server when requested using a certificate_request message, or if it is
            //# not configured to use one with the given TLS server.
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
                //= testvectors/requirements/rfc9846.txt#section-4.3.10
                //# If the client opts to do so, it MUST supply both the "pre_shared_key" and "early_data"
                //# extensions.
                early_data::encode_flag(w)?;
            }
            //= testvectors/requirements/rfc9846.txt#section-4.3.2
            //# When sending the new ClientHello, the client MUST copy the contents of the extension
            //# received in the HelloRetryRequest into a "cookie" extension in the new ClientHello.
            Kind::Second { cookie: Some(bytes) } => cookie::encode(w, bytes)?,
            Kind::First { early: false } | Kind::Second { cookie: None } => {}
        }
        key_share::encode_client(w, exchange.shares())?;
        // Also without a key: "This extension also restricts the modes for use with PSK resumption." (RFC 9846 section
        // 4.3.9)
        if config.tickets != Tickets::Ignored || !psks.is_empty() {
            //= testvectors/requirements/rfc9846.txt#section-4.3.9
            //# To use PSKs, clients MUST also send a "psk_key_exchange_modes" extension.
            //= testvectors/requirements/rfc9846.txt#section-4.3.9
            //# A client MUST provide a "psk_key_exchange_modes" extension if it offers a "pre_shared_key"
            //# extension.
            //= testvectors/requirements/rfc9846.txt#section-9.2
            //# "psk_key_exchange_modes" is REQUIRED for PSK key agreement.
            psk_key_exchange_modes::encode(w, modes(common.psk_ke))?;
        }
        //= testvectors/requirements/rfc9846.txt#section-4.3.11
        //# The "pre_shared_key" extension MUST be the last extension in the ClientHello (this facilitates
        //# implementation as described below).
        if !psks.is_empty() {
            note(ExtensionType::PRE_SHARED_KEY);
            let binder_lens = psks.iter().map(|psk| psk.hash().output_len());
            //= testvectors/requirements/rfc9846.txt#section-9.2
            //# "pre_shared_key" is REQUIRED for PSK key agreement.
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
