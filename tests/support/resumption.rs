//! What a server remembers between connections: sessions by their tickets, external keys, first flights; and a clock
//! that a test sets.
#![allow(dead_code)] // no test uses everything

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::*;
use symbolon::Moment;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::config::{Reach, ReplayGuarded};
use symbolon::policy::replay::{Guard, ReplayGuard};
use symbolon::psk::{ChainInTicket, ExternalPsk, Session, Ticket};
use symbolon::question::{FirstFlight, KnownPsk, OfferedIdentity, Seen, VerifyPeer};

pub const AES128: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;
pub const AES256: CipherSuite = CipherSuite::TLS_AES_256_GCM_SHA384;
pub const CHACHA: CipherSuite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256;

/// A suite for each hash.
pub const SUITES: [CipherSuite; 2] = [AES128, AES256];

/// When every test begins.
pub const NOW: Moment = Moment::from_secs(1_800_000_000);

/// How much early data servers accept here.
pub const MAX_EARLY: u32 = 1_000;

/// What is said about a peer of an earlier connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Verified,
    Refused,
}

impl Verdict {
    pub fn answer(self, question: VerifyPeer) -> Answer {
        let PeerEvidence::Resumed(peer) = question.evidence() else { panic!("a peer that resumes") };
        let claim = symbolon::identity::Claim::again(peer);
        match self {
            Self::Verified => question.verified(claim),
            Self::Refused => question.refused(Refusal::text(AlertCode::CERTIFICATE_REVOKED, "revoked since")),
        }
    }
}

/// A server's memory; clones are the same one.
#[derive(Clone)]
pub struct Memory {
    state: Arc<Mutex<State>>,
    seen: Arc<Mutex<HashSet<[u8; 32]>>>,
}

pub struct State {
    pub now: Moment,
    /// In seconds.
    pub lifetime: u32,
    pub trust: u64,
    /// Encoded sessions by their tickets.
    pub sessions: HashMap<Vec<u8>, Vec<u8>>,
    pub external: Vec<Arc<ExternalPsk>>,
    /// What the guard says instead of looking.
    pub guard_is: Option<Unknowable>,
    /// Why nothing is known, whatever is.
    pub refuses: Option<NotResumed>,
    /// The identities that each connection offered.
    pub offered: Vec<Vec<OfferedIdentity>>,
    /// The first flights that were looked for.
    pub flights: Vec<FirstFlight>,
}

impl Memory {
    pub fn new() -> Self {
        let state = State {
            now: NOW,
            lifetime: 3600,
            trust: 0,
            sessions: HashMap::new(),
            external: Vec::new(),
            guard_is: None,
            refuses: None,
            offered: Vec::new(),
            flights: Vec::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), seen: Arc::default() }
    }

    /// The memory of another process with the same tickets and a replay guard of its own.
    pub fn with_another_guard(&self) -> Self {
        Self { state: self.state.clone(), seen: Arc::default() }
    }

    /// The memory of another process that shares what its replay guard saw, and nothing else.
    pub fn with_the_same_guard(&self) -> Self {
        let other = Self::new();
        other.edit().sessions = self.edit().sessions.clone();
        Self { seen: self.seen.clone(), ..other }
    }

    pub fn edit(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The session behind a ticket.
    pub fn session(&self, ticket: &[u8]) -> Session {
        Session::decode(&self.edit().sessions[ticket]).unwrap()
    }

    /// The only session there is, with its ticket.
    pub fn only(&self) -> (Vec<u8>, Session) {
        let state = self.edit();
        assert_eq!(state.sessions.len(), 1);
        let (ticket, encoded) = state.sessions.iter().next().unwrap();
        (ticket.clone(), Session::decode(encoded).unwrap())
    }

    /// Changes every session.
    pub fn change(&self, change: impl Fn(&mut Session)) {
        for encoded in self.edit().sessions.values_mut() {
            let mut session = Session::decode(encoded).unwrap();
            change(&mut session);
            *encoded = session.encode(ChainInTicket::Kept).unwrap().to_vec();
        }
    }

    /// Answers what a memory can answer.
    pub fn answer(&self, question: Question) -> Result<Answer, Question> {
        let mut state = self.edit();
        match question {
            Question::LookupPsk(question) => {
                state.offered.push(question.identities().to_vec());
                if let Some(why) = state.refuses {
                    return Ok(question.none(why));
                }
                let mut known = Vec::new();
                for (index, offered) in question.identities().iter().enumerate() {
                    if let Some(encoded) = state.sessions.get(&offered.identity) {
                        known.push((index, KnownPsk::Session(Box::new(Session::decode(encoded).unwrap()))));
                    }
                    let mut external = state.external.iter();
                    if let Some(psk) = external.find(|psk| psk.identity() == offered.identity) {
                        known.push((index, KnownPsk::External(Arc::clone(psk))));
                    }
                }
                Ok(question.known(known, state.now, NotResumed::Unknown))
            }
            Question::CheckReplay(question) => {
                state.flights.push(*question.flight());
                if let Some(why) = state.guard_is {
                    return Ok(question.unknown(why));
                }
                let is_new = self.seen.lock().unwrap().insert(question.flight().id);
                Ok(question.seen(if is_new { Seen::Never } else { Seen::Before }))
            }
            Question::SealTicket(question) => {
                let session = question.session(state.now, state.lifetime, state.trust);
                let ticket = format!("ticket number {}", state.sessions.len()).into_bytes();
                let encoded = session.encode(ChainInTicket::Kept).unwrap().to_vec();
                state.sessions.insert(ticket.clone(), encoded);
                let lifetime = state.lifetime;
                Ok(question.sealed(ticket, lifetime))
            }
            other => Err(other),
        }
    }
}

/// Answers nothing: the tests answer `CheckReplay` themselves.
struct Vouched;

impl ReplayGuard for Vouched {
    fn check(&self, _: &FirstFlight) -> Seen {
        Seen::Unknown(Unknowable::NoGuard)
    }
}

/// A proof for early data that is fresh within ten seconds.
pub fn guarded() -> ReplayGuarded {
    Guard::vouched(Vouched, Reach::Process, Duration::from_secs(10)).proof().clone()
}

/// A client's and a server's configuration, with what the server remembers.
#[derive(Clone)]
pub struct Scene {
    pub client: Arc<ClientConfig>,
    pub server: Arc<ServerConfig>,
    pub memory: Memory,
    /// The client's clock.
    pub now: Moment,
    /// The client's own credential.
    pub credential: Option<Arc<Credential>>,
}

impl Scene {
    /// Both sides as `client` and `server` change them; a ticket a connection.
    pub fn new(
        client: impl FnOnce(ClientConfigBuilder) -> ClientConfigBuilder,
        server: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder,
    ) -> Self {
        Self {
            client: client_config(|b| client(b.groups(&[NamedGroup::X25519]).reveal_secrets())),
            server: server_config(|b| server(b.groups(&[NamedGroup::X25519]).tickets(1).reveal_secrets())),
            memory: Memory::new(),
            now: NOW,
            credential: None,
        }
    }

    /// Both sides with this suite alone.
    pub fn of(suite: CipherSuite) -> Self {
        Self::new(|b| b.suites(&[suite]), |b| b.suites(&[suite]))
    }

    /// The same, and early data is accepted.
    pub fn early(suite: CipherSuite) -> Self {
        Self::new(|b| b.suites(&[suite]), |b| b.suites(&[suite]).early_data(MAX_EARLY, guarded()))
    }

    /// Another server configuration in front of the same memory.
    pub fn serve(mut self, change: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder) -> Self {
        self.server = server_config(|b| change(b.groups(&[NamedGroup::X25519]).tickets(1).reveal_secrets()));
        self
    }

    /// Both clocks, so much later.
    pub fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        let later = self.memory.edit().now.plus(time);
        self.memory.edit().now = later;
    }

    pub fn client(&self, offer: Offer) -> Party<Client> {
        let mut client = client_with(&self.client, offer);
        client.answers.credential = self.credential.clone();
        client
    }

    pub fn server(&self) -> Party<Server> {
        let mut server = super::server(&self.server);
        server.answers.memory = Some(self.memory.clone());
        server
    }

    pub fn pair(&self, offer: Offer) -> Pair {
        Pair { client: self.client(offer), server: self.server() }
    }

    /// Runs a handshake to its end.
    pub fn connect(&self, offer: Offer) -> Pair {
        let mut pair = self.pair(offer);
        pair.run().unwrap();
        assert!(pair.client.summary.is_some() && pair.server.summary.is_some());
        pair
    }

    /// A ticket of a full handshake.
    pub fn ticket(&self) -> Ticket {
        let mut pair = self.connect(Offer::fresh());
        pair.client.tickets.remove(0).received(self.now)
    }

    pub fn resume(&self, ticket: Ticket) -> Pair {
        self.connect(Offer::resume(ticket, self.now))
    }

    /// Sends `bytes` as early data, and runs the handshake to its end.
    pub fn send_early(&self, ticket: Ticket, bytes: &[u8]) -> Pair {
        let mut pair = self.pair_with_early(ticket, bytes);
        pair.run().unwrap();
        assert!(pair.client.summary.is_some() && pair.server.summary.is_some());
        pair
    }

    /// The same before anything is carried over.
    pub fn pair_with_early(&self, ticket: Ticket, bytes: &[u8]) -> Pair {
        let mut pair = self.pair(Offer::resume(ticket, self.now).with_early_data());
        let mut writer = pair.client.conn.early_writer().expect("the ticket permits it");
        assert_eq!(writer.write(&[bytes], &mut pair.client.out), Ok(bytes.len()));
        pair
    }
}

/// The same ticket twice, as a thief has it.
pub fn copies(ticket: &Ticket) -> (Ticket, Ticket) {
    let encoded = ticket.encode().unwrap();
    (Ticket::decode(&encoded).unwrap(), Ticket::decode(&encoded).unwrap())
}
