//! Endpoints as a script wants them: two bytes of flags, two of manners.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rustls_pki_types::ServerName;
use symbolon::codepoint::{CertificateType, CipherSuite, NamedGroup};
use symbolon::config::{ClientAuth, ClientConfig, Reach, ReplayGuarded, ServerConfig, StatelessRetry};
use symbolon::conn::{Client, Offer, Padding, SendBuf, Server, Unknowable};
use symbolon::crypto::Provider;
use symbolon::policy::replay::{Guard, ReplayGuard};
use symbolon::psk::{ExternalPsk, PskHash, Ticket};
use symbolon::question::{FirstFlight, Seen};

use super::answers::{Knowledge, Manners, NOW, credential, raw_credential};
use super::keys::{EXTERNAL, TICKET};
use super::party::Party;
use super::provider::{Tags, provider};

/// How an endpoint is set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u16);

impl Flags {
    /// Both groups, the other one preferred.
    pub const TWO_GROUPS: u16 = 1;
    pub const ALPN: u16 = 1 << 1;
    /// The external key is offered, or known.
    pub const EXTERNAL: u16 = 1 << 2;
    /// The ticket is offered, or known.
    pub const TICKET: u16 = 1 << 3;
    pub const EARLY: u16 = 1 << 4;
    pub const PSK_KE: u16 = 1 << 5;
    /// Servers show raw keys.
    pub const RAW_SERVERS: u16 = 1 << 6;
    /// Clients show raw keys.
    pub const RAW_CLIENTS: u16 = 1 << 7;
    /// Timestamps and responses are asked for.
    pub const SCTS: u16 = 1 << 8;
    /// A client: no tickets. A server: two.
    pub const TICKETS: u16 = 1 << 9;
    pub const VERIFY_RESUMED: u16 = 1 << 10;
    /// A client: it has a credential. A server: it demands one.
    pub const MUTUAL: u16 = 1 << 11;
    /// Small records, small certificates.
    pub const SMALL: u16 = 1 << 12;
    pub const PADDING: u16 = 1 << 13;
    /// A client: no middlebox compatibility. A server: a stateless retry.
    pub const RETRY: u16 = 1 << 14;
    /// A client: asks for tickets. A server: asks for its configuration.
    pub const ASKS: u16 = 1 << 15;

    pub const fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }
}

/// The most early data that anybody permits.
pub const MAX_EARLY: u32 = 600;

pub const CLIENT_SEED: u8 = 0xC1;
pub const SERVER_SEED: u8 = 0x5E;

struct Vouched;

impl ReplayGuard for Vouched {
    fn check(&self, _: &FirstFlight) -> Seen {
        Seen::Unknown(Unknowable::NoGuard)
    }
}

static GUARDED: LazyLock<ReplayGuarded> =
    LazyLock::new(|| Guard::vouched(Vouched, Reach::Process, Duration::from_secs(10)).proof().clone());

fn external() -> Arc<ExternalPsk> {
    Arc::new(ExternalPsk::new(EXTERNAL.0, &EXTERNAL.1, PskHash::Sha256).expect("a key of 32 bytes"))
}

fn groups(flags: Flags) -> &'static [NamedGroup] {
    if flags.has(Flags::TWO_GROUPS) {
        &[NamedGroup::SECP256R1, NamedGroup::X25519]
    } else {
        &[NamedGroup::X25519]
    }
}

fn types(flags: Flags, flag: u16) -> Vec<CertificateType> {
    if flags.has(flag) {
        vec![CertificateType::RAW_PUBLIC_KEY, CertificateType::X509]
    } else {
        vec![CertificateType::X509]
    }
}

macro_rules! common {
    ($builder:ident, $flags:ident) => {{
        let mut b = $builder.groups(groups($flags)).reveal_secrets();
        if $flags.has(Flags::ALPN) {
            b = b.alpn(["h2", "http/1.1"]);
        }
        if $flags.has(Flags::PSK_KE) {
            b = b.psk_ke();
        }
        if $flags.has(Flags::VERIFY_RESUMED) {
            b = b.verify_resumed_peers();
        }
        if $flags.has(Flags::SMALL) {
            b = b.record_size_limit(64).max_certificate(400);
        }
        if $flags.has(Flags::PADDING) {
            b = b.padding(Padding::Multiple(64));
        }
        if $flags.has(Flags::SCTS) {
            b = b.request_scts();
        }
        b
    }};
}

pub fn client_config(flags: Flags, tags: Tags) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder(provider(tags));
    let mut b = common!(builder, flags)
        .server_certificate_types(types(flags, Flags::RAW_SERVERS))
        .client_certificate_types(types(flags, Flags::RAW_CLIENTS));
    if flags.has(Flags::TICKETS) {
        b = b.without_tickets();
    } else if flags.has(Flags::ASKS) {
        b = b.ask_for_tickets(2, 1);
    }
    if flags.has(Flags::RETRY) {
        b = b.without_middlebox_compatibility();
    }
    b.build().expect("every mixture of these flags is sound")
}

pub fn client(flags: Flags, manners: Manners, tags: Tags) -> Party<Client> {
    let config = client_config(flags, tags);
    let mut offer = Offer::fresh();
    if flags.has(Flags::TICKET) {
        offer = Offer::resume(ticket(&config), NOW);
    }
    if flags.has(Flags::EARLY) {
        offer = offer.with_early_data();
    }
    if flags.has(Flags::EXTERNAL) {
        offer = offer.with_psks([external()]);
    }
    client_with(&config, flags, manners, offer)
}

pub fn client_with(
    config: &Arc<ClientConfig>,
    flags: Flags,
    manners: Manners,
    offer: Offer,
) -> Party<Client> {
    let mut out = SendBuf::with_limit(1 << 20);
    let name = ServerName::try_from("example.test").expect("a name");
    let conn = Client::start(config, name, offer, &mut out).expect("a client starts");
    let mut knowledge = Knowledge::new(config.provider().clone());
    if flags.has(Flags::MUTUAL) {
        knowledge.credential = Some(credential(config.provider(), CLIENT_SEED));
        knowledge.raw_credential = Some(raw_credential(config.provider(), CLIENT_SEED));
    }
    Party::new(conn, out, knowledge, manners)
}

pub fn server_config(flags: Flags, tags: Tags) -> Arc<ServerConfig> {
    // Other random bytes than a client's: connections are told apart by them.
    let provider = Provider { rng: Arc::new(AtomicU64::new(1 << 32)), ..provider(tags) };
    let builder = ServerConfig::builder(provider.clone());
    let mut b = common!(builder, flags).client_certificate_types(types(flags, Flags::RAW_CLIENTS));
    if !flags.has(Flags::ASKS) {
        b = b.credential(if flags.has(Flags::RAW_SERVERS) {
            raw_credential(&provider, SERVER_SEED)
        } else {
            credential(&provider, SERVER_SEED)
        });
    }
    if flags.has(Flags::MUTUAL) {
        b = b.client_auth(ClientAuth::Required { authorities: vec![vec![0x30, 0]] });
    } else if flags.has(Flags::RAW_CLIENTS) {
        b = b.client_auth(ClientAuth::Optional { authorities: Vec::new() });
    }
    if flags.has(Flags::TICKETS) || flags.has(Flags::EARLY) {
        b = b.tickets(2);
    }
    if flags.has(Flags::EARLY) {
        b = b.early_data(MAX_EARLY, GUARDED.clone());
    }
    if flags.has(Flags::RETRY) {
        b = b.stateless_retry(StatelessRetry::new([9; 32], 60));
    }
    if flags.has(Flags::SCTS) {
        b = b.request_staples();
    }
    b.build().expect("every mixture of these flags is sound")
}

pub fn server(flags: Flags, manners: Manners, tags: Tags) -> Party<Server> {
    server_with(&server_config(flags, tags), flags, manners)
}

pub fn server_with(config: &Arc<ServerConfig>, flags: Flags, manners: Manners) -> Party<Server> {
    let now = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
    let conn = Server::new_at(config, now).expect("a server starts");
    let mut knowledge = Knowledge::new(config.provider().clone());
    knowledge.serving = Some((config.clone(), credential(config.provider(), SERVER_SEED)));
    knowledge.external = flags.has(Flags::EXTERNAL).then(external);
    knowledge.ticket = flags.has(Flags::TICKET);
    knowledge.max_early = if flags.has(Flags::EARLY) { MAX_EARLY } else { 0 };
    Party::new(conn, SendBuf::with_limit(1 << 20), knowledge, manners)
}

/// A ticket by hand, in the form that [`Ticket::encode`] writes: everything else would need a connection before.
fn ticket(config: &ClientConfig) -> Ticket {
    let mut bytes = vec![2];
    let mut field = |width: usize, content: &[u8]| {
        bytes.extend(super::message::vector(width, content));
    };
    field(2, b"example.test");
    bytes.extend(config.fingerprint());
    bytes.extend(CipherSuite::TLS_AES_128_GCM_SHA256.0.to_be_bytes());
    let mut field = |width: usize, content: &[u8]| {
        bytes.extend(super::message::vector(width, content));
    };
    field(1, &TICKET.1);
    field(2, TICKET.0);
    for number in [3600, 0, MAX_EARLY] {
        bytes.extend(u32::to_be_bytes(number));
    }
    bytes.push(0);
    bytes.extend(NOW.as_millis().to_be_bytes());
    bytes.extend([0; 8]);
    // A peer: a subject, when it expires, neither name nor serial nor fingerprints, no names, no chain.
    let mut peer = vec![3, 0, 4];
    peer.extend(b"peer");
    peer.extend((1_u64 << 33).to_be_bytes());
    peer.extend([0; 2 + 1 + 1 + 4 * 3 + 3]);
    bytes.extend(super::message::vector(3, &peer));
    Ticket::decode(&bytes).expect("the form of a ticket")
}
