//! Handshakes that are recorded once between a real client and a real server; a fresh connection of the same scene
//! takes the recorded messages.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls_pki_types::UnixTime;
use symbolon::codepoint::{CertificateType, NamedGroup};
use symbolon::config::{
    ClientAuth, ClientConfig, Credential, ServerConfig, ServerConfigBuilder, StatelessRetry,
};
use symbolon::conn::{Client, Epoch, NotResumed, Offer, SendBuf, Server, Unknowable};
use symbolon::psk::{ExternalPsk, PskHash, Ticket};

use crate::cheap;
use crate::support::flow::record_pair;
use crate::support::forge::*;
use crate::support::resumption::{MAX_EARLY, Memory, NOW, guarded};
use crate::support::{Answers, LIMIT, Pair, Party, client_with};

/// What a client does about the server's request for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// There is no request.
    Off,
    /// `ClientAuth::Optional`, and it has none.
    Optional,
    /// `ClientAuth::Migrating`, and it has none.
    Migrating,
    /// `ClientAuth::Required`, and it has one.
    Required,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    No,
    /// The server wants another group than that of the client's share.
    Stateful,
    /// The same, with a cookie that another connection takes back.
    Stateless,
}

/// What key a client brings along, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    None,
    External,
    Resumed,
    /// It resumes and its early data is accepted, unless there is a retry.
    Early,
    /// It resumes, and nobody knows whether its early data was seen before.
    Replayed,
    /// The server does not know the ticket, and passes over the early data.
    Forgotten,
}

/// Which handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    pub auth: Auth,
    pub retry: Retry,
    pub key: Key,
    /// Both sides have raw public keys, and accept nothing else.
    pub raw: bool,
    /// Peers of earlier connections are verified again.
    pub again: bool,
    /// The server asks which configuration serves the client.
    pub fronted: bool,
    /// The client does without ChangeCipherSpec, which is for middleboxes alone.
    pub bare: bool,
    pub tickets: u8,
    /// What both sides draw from: connections of one seed have the same identity for their questions.
    pub seed: u64,
}

pub const FULL: Scene = Scene {
    auth: Auth::Off,
    retry: Retry::No,
    key: Key::None,
    raw: false,
    again: false,
    fronted: false,
    bare: false,
    tickets: 0,
    seed: 0x5EED,
};
pub const MUTUAL: Scene = Scene { auth: Auth::Required, ..FULL };
pub const OPTIONAL: Scene = Scene { auth: Auth::Optional, ..FULL };
pub const MIGRATING: Scene = Scene { auth: Auth::Migrating, ..FULL };
pub const RAW: Scene = Scene { raw: true, ..MUTUAL };
pub const BARE: Scene = Scene { bare: true, ..FULL };
pub const BARE_RETRY: Scene = Scene { bare: true, ..RETRY };
pub const RETRY: Scene = Scene { retry: Retry::Stateful, ..FULL };
pub const STATELESS: Scene = Scene { retry: Retry::Stateless, ..FULL };
pub const EXTERNAL: Scene = Scene { key: Key::External, ..FULL };
pub const RESUMED: Scene = Scene { key: Key::Resumed, ..FULL };
pub const AGAIN: Scene = Scene { auth: Auth::Required, again: true, ..RESUMED };
pub const EARLY: Scene = Scene { key: Key::Early, ..FULL };
pub const REPLAYED: Scene = Scene { key: Key::Replayed, ..FULL };
pub const FORGOTTEN: Scene = Scene { key: Key::Forgotten, ..FULL };
pub const EARLY_RETRY: Scene = Scene { key: Key::Early, ..RETRY };
pub const STATELESS_EARLY: Scene = Scene { key: Key::Early, ..STATELESS };
pub const FRONTED: Scene = Scene { fronted: true, tickets: 1, ..MUTUAL };
pub const RICH: Scene = Scene { auth: Auth::Required, again: true, fronted: true, ..EARLY };
pub const TICKETED: Scene = Scene { tickets: 1, ..FULL };

/// A handshake message and the keys that it goes under.
pub type Told = (Epoch, Vec<u8>);

/// The handshake messages of each side.
#[derive(Clone)]
pub struct Recorded {
    pub client: Vec<Told>,
    pub server: Vec<Told>,
}

/// The clock of stateless retries.
const TIME: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));

impl Scene {
    pub fn client(self) -> Puppet<Client> {
        let provider = cheap::provider(self.seed);
        let mut builder = ClientConfig::builder(provider.clone())
            .suites(&[suite().id])
            .groups(&[NamedGroup::X25519, NamedGroup::SECP256R1])
            .reveal_secrets();
        if self.raw {
            let raw = [CertificateType::RAW_PUBLIC_KEY];
            builder = builder.server_certificate_types(raw).client_certificate_types(raw);
        }
        if self.again {
            builder = builder.verify_resumed_peers();
        }
        if self.bare {
            builder = builder.without_middlebox_compatibility();
        }
        let mut party = client_with(&builder.build().unwrap(), self.offer());
        party.answers.provider = provider;
        party.answers.credential = (self.auth == Auth::Required).then(cheap::certified);
        party.answers.raw_credential = self.raw.then(cheap::raw);
        Puppet::new(party, Role::Client)
    }

    fn offer(self) -> Offer {
        match self.key {
            Key::None => Offer::fresh(),
            Key::External => Offer::fresh().with_psks([external()]),
            Key::Resumed => Offer::resume(self.earlier().0, NOW),
            Key::Early | Key::Replayed | Key::Forgotten => {
                Offer::resume(self.earlier().0, NOW).with_early_data()
            }
        }
    }

    pub fn server(self) -> Puppet<Server> {
        let provider = cheap::provider(self.seed);
        let config = self.serving(ServerConfig::builder(provider.clone()).credential(self.credential()));
        let front = ServerConfig::builder(provider.clone()).reveal_secrets().build().unwrap();
        let config_at_first = if self.fronted { &front } else { &config };
        let conn = match self.retry {
            Retry::Stateless => Server::new_at(config_at_first, TIME).unwrap(),
            Retry::No | Retry::Stateful => Server::new(config_at_first).unwrap(),
        };
        let mut party = Party::new(conn, SendBuf::with_limit(LIMIT), Answers::default());
        party.answers.provider = provider;
        party.answers.serving = Some((config, self.credential()));
        if self.key != Key::None {
            let memory = self.earlier().1;
            let mut state = memory.edit();
            state.external = vec![external()];
            state.guard_is = (self.key == Key::Replayed).then_some(Unknowable::NoGuard);
            state.refuses = (self.key == Key::Forgotten).then_some(NotResumed::Unknown);
            drop(state);
            party.answers.memory = Some(memory);
        }
        Puppet::new(party, Role::Server)
    }

    fn credential(self) -> Arc<Credential> {
        if self.raw { cheap::raw() } else { cheap::certified() }
    }

    fn serving(self, builder: ServerConfigBuilder) -> Arc<ServerConfig> {
        let group = if self.retry == Retry::No { NamedGroup::X25519 } else { NamedGroup::SECP256R1 };
        let authorities = Vec::new();
        let mut builder = builder
            .suites(&[suite().id])
            .groups(&[group])
            .tickets(self.tickets)
            .client_auth(match self.auth {
                Auth::Off => ClientAuth::Off,
                Auth::Optional => ClientAuth::Optional { authorities },
                Auth::Migrating => ClientAuth::Migrating { authorities },
                Auth::Required => ClientAuth::Required { authorities },
            })
            .reveal_secrets();
        if self.raw {
            builder = builder.client_certificate_types([CertificateType::RAW_PUBLIC_KEY]);
        }
        if self.again {
            builder = builder.verify_resumed_peers();
        }
        if self.retry == Retry::Stateless {
            builder = builder.stateless_retry(StatelessRetry::new([7; 32], 30));
        }
        if matches!(self.key, Key::Early | Key::Replayed | Key::Forgotten) {
            builder = builder.early_data(MAX_EARLY, guarded());
        }
        builder.build().unwrap()
    }

    /// A ticket of an earlier connection, and a server's memory of it that saw no first flight yet.
    fn earlier(self) -> (Ticket, Memory) {
        static ISSUED: Mutex<Vec<(Scene, Vec<u8>, Memory)>> = Mutex::new(Vec::new());
        if let Some((_, ticket, memory)) = ISSUED.lock().unwrap().iter().find(|(scene, ..)| *scene == self) {
            return (Ticket::decode(ticket).unwrap(), memory.with_another_guard());
        }
        let memory = Memory::new();
        let before = Self { key: Key::None, retry: Retry::No, fronted: false, tickets: 1, ..self };
        let mut server = before.server().party;
        let provider = cheap::provider(self.seed);
        let early = Self { tickets: 1, retry: Retry::No, ..self };
        let config = early.serving(ServerConfig::builder(provider).credential(self.credential()));
        server.conn = Server::new(&config).unwrap();
        server.answers.memory = Some(memory.clone());
        let mut pair = Pair { client: before.client().party, server };
        // The puppet of the client has heard its ClientHello already.
        let hello = before.client().told().concat();
        pair.server.inbox = record(HANDSHAKE, &hello);
        pair.server.run().unwrap();
        pair.run().unwrap();
        let ticket = pair.client.tickets.remove(0).received(NOW);
        let encoded = ticket.encode().unwrap().to_vec();
        ISSUED.lock().unwrap().push((self, encoded, memory.clone()));
        (ticket, memory.with_another_guard())
    }

    /// What both sides say in this scene.
    pub fn record(self) -> Recorded {
        static RECORDED: Mutex<Vec<(Scene, Recorded)>> = Mutex::new(Vec::new());
        if let Some((_, recorded)) = RECORDED.lock().unwrap().iter().find(|(scene, _)| *scene == self) {
            return recorded.clone();
        }
        let (mut client, mut server) = (self.client(), self.server());
        record_pair(&mut client, &mut server);
        let told = |said: &[Said]| -> Vec<Told> {
            let said = said.iter().filter(|said| said.kind == HANDSHAKE);
            said.flat_map(|said| messages(&said.content).into_iter().map(|one| (said.epoch, one))).collect()
        };
        let recorded = Recorded { client: told(&client.said), server: told(&server.said) };
        RECORDED.lock().unwrap().push((self, recorded.clone()));
        recorded
    }
}

fn external() -> Arc<ExternalPsk> {
    Arc::new(ExternalPsk::new(b"external", &[9; 32], PskHash::Sha256).unwrap())
}
