//! Whole handshakes, recorded once between a real client and a real server, to be played back changed.
//!
//! Both sides draw from seeds, so that a fresh connection of the same flow takes the recorded messages.
#![allow(dead_code)] // no test uses everything

use std::sync::OnceLock;

use super::forge::*;
use super::resumption::{MAX_EARLY, Memory, NOW, guarded};
use super::*;
use symbolon::codepoint::NamedGroup;
use symbolon::config::ClientAuth;
use symbolon::conn::Epoch;
use symbolon::psk::Ticket;

const CLIENT_SEED: u64 = 0xC11E;
const SERVER_SEED: u64 = 0x5E12;

/// Which handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The server asks for a certificate, and the client has one.
    pub mutual: bool,
    /// The server wants another group than that of the first share.
    pub retry: bool,
    /// Both sides have raw public keys, and accept nothing else.
    pub raw: bool,
    pub key: KeyUse,
}

/// What a client does with a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// It has none.
    None,
    /// It resumes.
    Resumed,
    /// It resumes and sends early data, which the server accepts unless it wants another group.
    Early,
}

pub const FULL: Flow = Flow { mutual: false, retry: false, raw: false, key: KeyUse::None };
pub const MUTUAL: Flow = Flow { mutual: true, ..FULL };
pub const RETRY: Flow = Flow { retry: true, ..FULL };
pub const BOTH: Flow = Flow { mutual: true, retry: true, ..FULL };
pub const RAW: Flow = Flow { raw: true, ..MUTUAL };
pub const RAW_RETRY: Flow = Flow { raw: true, ..BOTH };
pub const RESUMED: Flow = Flow { key: KeyUse::Resumed, ..FULL };
pub const RESUMED_RETRY: Flow = Flow { key: KeyUse::Resumed, ..RETRY };
pub const EARLY: Flow = Flow { key: KeyUse::Early, ..FULL };
pub const EARLY_RETRY: Flow = Flow { key: KeyUse::Early, ..RETRY };
pub const KEYED: [Flow; 4] = [RESUMED, RESUMED_RETRY, EARLY, EARLY_RETRY];
pub const FLOWS: [Flow; 6] = [FULL, MUTUAL, RETRY, BOTH, RAW, RAW_RETRY];

/// The handshake messages of each side.
#[derive(Clone)]
pub struct Recorded {
    pub client: Vec<Vec<u8>>,
    pub server: Vec<Vec<u8>>,
}

impl Recorded {
    /// The one message of this kind by the server (ServerHello: not the HelloRetryRequest).
    pub fn server(&self, kind: u8) -> Vec<u8> {
        self.server.iter().rfind(|message| message[0] == kind).unwrap().clone()
    }

    /// The last message of this kind by the client.
    pub fn client(&self, kind: u8) -> Vec<u8> {
        self.client.iter().rfind(|message| message[0] == kind).unwrap().clone()
    }
}

impl Flow {
    pub fn client(self) -> Puppet<Client> {
        self.client_with(|b| b)
    }

    pub fn client_with(
        self,
        change: impl FnOnce(ClientConfigBuilder) -> ClientConfigBuilder,
    ) -> Puppet<Client> {
        let provider = seeded(CLIENT_SEED);
        let mut builder = ClientConfig::builder(provider.clone())
            .suites(&[suite().id])
            .groups(&[NamedGroup::X25519, NamedGroup::SECP256R1])
            .reveal_secrets();
        if self.raw {
            let raw = [CertificateType::RAW_PUBLIC_KEY];
            builder = builder.server_certificate_types(raw).client_certificate_types(raw);
        }
        let offer = match self.key {
            KeyUse::None => Offer::fresh(),
            KeyUse::Resumed => Offer::resume(earlier().0, NOW),
            KeyUse::Early => Offer::resume(earlier().0, NOW).with_early_data(),
        };
        let mut party = super::client_with(&change(builder).build().unwrap(), offer);
        party.answers.provider = provider;
        party.answers.credential = self.mutual.then(p256);
        party.answers.raw_credential = self.raw.then(raw_p256);
        Puppet::new(party, Role::Client)
    }

    pub fn server(self) -> Puppet<Server> {
        self.server_with(|b| b)
    }

    pub fn server_with(
        self,
        change: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder,
    ) -> Puppet<Server> {
        let provider = seeded(SERVER_SEED);
        let mut builder = ServerConfig::builder(provider.clone())
            .suites(&[suite().id])
            .credential(p256())
            .groups(if self.retry { &[NamedGroup::SECP256R1] } else { &[NamedGroup::X25519] })
            .reveal_secrets();
        if self.mutual {
            builder = builder.client_auth(ClientAuth::Required { authorities: vec![b"issuer".to_vec()] });
        }
        if self.raw {
            builder = builder.credential(raw_p256());
            builder = builder.client_certificate_types([CertificateType::RAW_PUBLIC_KEY]);
        }
        if self.key != KeyUse::None {
            builder = builder.early_data(MAX_EARLY, guarded());
        }
        let mut party = super::server(&change(builder).build().unwrap());
        party.answers.provider = provider;
        if self.key != KeyUse::None {
            party.answers.memory = Some(earlier().1);
        }
        Puppet::new(party, Role::Server)
    }

    pub fn record(self) -> Recorded {
        record_pair(&mut self.client(), &mut self.server())
    }
}

/// A ticket of an earlier connection, and a server's memory of it that saw no first flight yet.
fn earlier() -> (Ticket, Memory) {
    static ISSUED: OnceLock<(Vec<u8>, Memory)> = OnceLock::new();
    let (ticket, memory) = ISSUED.get_or_init(|| {
        let memory = Memory::new();
        let mut server = FULL.server_with(|b| b.tickets(1).early_data(MAX_EARLY, guarded())).party;
        server.answers.memory = Some(memory.clone());
        let config = ClientConfig::builder(provider()).suites(&[suite().id]).build().unwrap();
        let mut pair = Pair { client: super::client(&config), server };
        pair.run().unwrap();
        let ticket = pair.client.tickets.remove(0).received(NOW);
        (ticket.encode().unwrap().to_vec(), memory)
    });
    (Ticket::decode(ticket).unwrap(), memory.with_another_guard())
}

/// Runs both to the end of the handshake through the puppets' hands, a message a record.
pub fn record_pair(client: &mut Puppet<Client>, server: &mut Puppet<Server>) -> Recorded {
    let (mut up, mut down) = (0, 0);
    loop {
        let before = (up, down);
        while let Some(said) = client.said.get(up).cloned() {
            up += 1;
            pass(server, &said);
        }
        while let Some(said) = server.said.get(down).cloned() {
            down += 1;
            pass(client, &said);
        }
        if (up, down) == before {
            break;
        }
    }
    assert!(client.party.summary.is_some() && server.party.summary.is_some());
    Recorded { client: client.told(), server: server.told() }
}

/// Hands on what was said to the other side, under the same keys, a handshake message a record.
fn pass<E: Endpoint>(to: &mut Puppet<E>, said: &Said) {
    match said.kind {
        HANDSHAKE => messages(&said.content).iter().for_each(|message| to.tell(said.epoch, message).unwrap()),
        kind => to.say(said.epoch, kind, &said.content).unwrap(),
    }
}

/// Which keys the client reads the server's message number `at` with.
fn down_epoch(flow: Flow, recorded: &Recorded, at: usize) -> Epoch {
    if at <= usize::from(flow.retry) {
        Epoch::Plaintext
    } else if at < recorded.server.len() {
        Epoch::Handshake
    } else {
        Epoch::Application
    }
}

/// A client that took the first `at` messages of the server, and the keys of the next one.
pub fn client_at(flow: Flow, at: usize) -> (Puppet<Client>, Epoch) {
    let recorded = flow.record();
    let mut client = flow.client();
    for (position, message) in recorded.server.iter().take(at).enumerate() {
        client.tell(down_epoch(flow, &recorded, position), message).unwrap();
    }
    (client, down_epoch(flow, &recorded, at))
}

/// A server that took the first `at` messages of the client, and the keys of the next one.
pub fn server_at(flow: Flow, at: usize) -> (Puppet<Server>, Epoch) {
    let recorded = flow.record();
    let mut server = flow.server();
    let epoch = |position| {
        if position <= usize::from(flow.retry) {
            Epoch::Plaintext
        } else if position < recorded.client.len() {
            Epoch::Handshake
        } else {
            Epoch::Application
        }
    };
    for (position, message) in recorded.client.iter().take(at).enumerate() {
        server.tell(epoch(position), message).unwrap();
    }
    (server, epoch(at))
}
