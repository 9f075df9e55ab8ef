//! What the benches share: pairs in memory whose calls pass through a probe, and medians of interleaved rounds.
//!
//! A "certificate" here is opaque; the verification answers by the public key that it was given.
#![allow(dead_code)] // no bench uses everything

pub mod counting;
pub mod resuming;
#[path = "../../tests/support/mod.rs"]
mod tests;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use resuming::{Kept, Resuming, Story};
use rustls_pki_types::{CertificateDer, UnixTime};
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::config::{ClientConfig, Credential, ServerConfig};
use symbolon::conn::{Client, Event, MessageKind, Reported, SendBuf, Server, Step};
use symbolon::crypto::{Provider, SigningKey};
use symbolon::identity::{Claim, Peer};
use symbolon::question::{Answer, PeerEvidence, Question};

pub use tests::{Endpoint, Key, name, provider, signing_key};

pub const KEYS: [Key; 4] = tests::ALL_KEYS;

pub const SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS_AES_128_GCM_SHA256,
    CipherSuite::TLS_AES_256_GCM_SHA384,
    CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
];

pub const GROUPS: [NamedGroup; 4] =
    [NamedGroup::X25519, NamedGroup::X25519MLKEM768, NamedGroup::SECP256R1, NamedGroup::SECP384R1];

/// Length in bytes of the certificate that servers send.
pub const CERTIFICATE_LEN: usize = 500;

/// Whether only a quick look is wanted: `cargo bench -- --test`.
pub fn is_quick() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// The rounds of a budget report.
pub fn rounds(full: usize) -> usize {
    if is_quick() { (full / 50).max(3) } else { full }
}

/// Whose work a call is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A method of the connection.
    Machine,
    /// An answer to one of its questions: signing or verifying.
    Answer,
}

/// Stands around every call that belongs to one side.
pub trait Probe {
    fn call<T>(&mut self, work: Work, call: impl FnOnce() -> T) -> T;
}

/// Nothing is measured.
pub struct Unmeasured;

impl Probe for Unmeasured {
    fn call<T>(&mut self, _: Work, call: impl FnOnce() -> T) -> T {
        call()
    }
}

/// The time spent inside the calls.
#[derive(Default)]
pub struct Stopwatch(pub Duration);

impl Probe for Stopwatch {
    fn call<T>(&mut self, _: Work, call: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = call();
        self.0 += start.elapsed();
        result
    }
}

/// Both configurations, and what answers questions.
pub struct Setting {
    pub client: Arc<ClientConfig>,
    pub server: Arc<ServerConfig>,
    pub key: Arc<dyn SigningKey>,
    pub provider: Provider,
    pub suite: CipherSuite,
    pub group: NamedGroup,
    /// What connections resume, if they do.
    pub resuming: Option<Resuming>,
}

impl Setting {
    /// Full handshakes.
    pub fn new(provider: Provider, suite: CipherSuite, group: NamedGroup, key: Key) -> Self {
        Self::with(provider, suite, group, key, Reports::Off)
    }

    /// Handshakes as `story` tells; what they resume took place before.
    pub fn of(
        story: Story,
        provider: Provider,
        suite: CipherSuite,
        group: NamedGroup,
        key: Key,
        reports: Reports,
    ) -> Self {
        let mut setting = Self::with(provider, suite, group, key, reports);
        if story != Story::Full {
            setting.resume(story);
        }
        setting
    }

    fn with(provider: Provider, suite: CipherSuite, group: NamedGroup, key: Key, reports: Reports) -> Self {
        let key = signing_key(key);
        let leaf = CertificateDer::from(vec![0x30; CERTIFICATE_LEN]);
        let credential = Credential::new(vec![leaf], Arc::clone(&key)).unwrap();
        let client = ClientConfig::builder(provider.clone()).suites(&[suite]).groups(&[group]);
        let client = if reports == Reports::On { client.report_messages() } else { client };
        let server = ServerConfig::builder(provider.clone()).credential(credential);
        let server = server.suites(&[suite]).groups(&[group]);
        let (client, server) = (client.build().unwrap(), server.build().unwrap());
        Self { client, server, key, provider, suite, group, resuming: None }
    }

    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Sign(question) => question.with_own_key(&*self.provider.rng),
            Question::VerifyPeer(question) => {
                let PeerEvidence::Fresh(presented) = question.evidence() else { panic!("nothing to resume") };
                let (scheme, spki) = (presented.scheme, self.key.public_key());
                self.provider.verify(scheme, spki, &presented.signed, &presented.signature).unwrap();
                let expires = UnixTime::since_unix_epoch(Duration::from_secs(1 << 33));
                question.verified(Claim::subject("", expires))
            }
            other => self.answer_resuming(other),
        }
    }
}

/// Whether connections report their messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    On,
    Off,
}

/// One side's buffers, warm after the first handshake.
pub struct Buffers {
    pub inbox: Vec<u8>,
    pub out: SendBuf,
}

impl Buffers {
    pub fn new() -> Self {
        Self { inbox: Vec::with_capacity(1 << 16), out: SendBuf::with_limit(1 << 20) }
    }

    /// Moves what is pending into the inbox of `to`; whether there was anything.
    fn carry(&mut self, to: &mut Self) -> bool {
        to.inbox.extend_from_slice(self.out.pending());
        let len = self.out.pending().len();
        self.out.advance(len);
        len > 0
    }
}

/// Both sides' buffers.
pub struct Wire {
    pub client: Buffers,
    pub server: Buffers,
}

impl Wire {
    pub fn new() -> Self {
        Self { client: Buffers::new(), server: Buffers::new() }
    }
}

/// What one side saw.
#[derive(Default)]
pub struct Seen {
    pub established: bool,
    /// Who the other side is: the caller's, not the connection's.
    pub peer: Option<Arc<Peer>>,
    pub messages: Vec<Reported>,
    /// What can be resumed: a client's ticket, or a server's session, encoded.
    pub kept: Option<Kept>,
}

/// Processes the inbox until more input is needed, every call inside `probe`.
pub fn run<E: Endpoint>(
    conn: &mut E,
    buffers: &mut Buffers,
    setting: &Setting,
    probe: &mut impl Probe,
    seen: &mut Seen,
) {
    let mut at = 0;
    loop {
        let (inbox, out) = (&mut buffers.inbox[at..], &mut buffers.out);
        let Step { consumed, event } = probe.call(Work::Machine, || conn.process(inbox, out)).unwrap();
        at += consumed;
        match event {
            Event::NeedInput { .. } => break,
            Event::Ask(question) => {
                if let Question::SealTicket(question) = &question {
                    seen.kept = Some(resuming::session(question));
                }
                let answer = match &question {
                    Question::Sign(_) | Question::VerifyPeer(_) => {
                        probe.call(Work::Answer, || setting.answer(question))
                    }
                    // What opening a ticket costs is another bench's business.
                    _ => setting.answer(question),
                };
                probe.call(Work::Machine, || conn.resume(answer, &mut buffers.out)).unwrap();
            }
            Event::Established(summary) => {
                seen.established = true;
                seen.peer.clone_from(&summary.peer);
                setting.check(&summary);
                probe.call(Work::Machine, || drop(summary));
            }
            Event::Message(reported) => seen.messages.push(reported),
            Event::Ticket(ticket) => seen.kept = Some(resuming::ticket(ticket)),
            _ => {}
        }
    }
    buffers.inbox.clear();
}

/// A whole handshake; construction belongs to each side's work.
pub fn handshake(
    setting: &Setting,
    wire: &mut Wire,
    of_client: &mut impl Probe,
    of_server: &mut impl Probe,
) -> Linked {
    use std::slice::from_mut;
    handshakes(setting, from_mut(wire), from_mut(of_client), from_mut(of_server)).remove(0)
}

/// A handshake over each of `wires`, each with probes of its own, flight by flight: what the other side does between two flights of a side does not
/// cool the caches each time.
pub fn handshakes(
    setting: &Setting,
    wires: &mut [Wire],
    of_clients: &mut [impl Probe],
    of_servers: &mut [impl Probe],
) -> Vec<Linked> {
    let mut linked = Vec::with_capacity(wires.len());
    for ((wire, of_client), of_server) in wires.iter_mut().zip(&mut *of_clients).zip(&mut *of_servers) {
        let (server_name, offer, out) = (name(), setting.offer(), &mut wire.client.out);
        let start = || {
            let mut client = Client::start(&setting.client, server_name, offer, out).unwrap();
            setting.write_early(&mut client, out);
            client
        };
        let client = of_client.call(Work::Machine, start);
        let server = of_server.call(Work::Machine, || Server::new(&setting.server)).unwrap();
        linked.push(Linked { client, server, at_client: Seen::default(), at_server: Seen::default() });
    }
    loop {
        let mut moved = false;
        for ((one, wire), probe) in linked.iter_mut().zip(&mut *wires).zip(&mut *of_servers) {
            if wire.client.carry(&mut wire.server) {
                moved = true;
                run(&mut one.server, &mut wire.server, setting, probe, &mut one.at_server);
            }
        }
        for ((one, wire), probe) in linked.iter_mut().zip(&mut *wires).zip(&mut *of_clients) {
            if wire.server.carry(&mut wire.client) {
                moved = true;
                run(&mut one.client, &mut wire.client, setting, probe, &mut one.at_client);
            }
        }
        if !moved {
            assert!(linked.iter().all(|one| one.at_client.established && one.at_server.established));
            return linked;
        }
    }
}

/// Two ends of a connection, and what they saw.
pub struct Linked {
    pub client: Client,
    pub server: Server,
    pub at_client: Seen,
    pub at_server: Seen,
}

/// An open connection.
pub fn open(setting: &Setting) -> (Client, Server) {
    let linked = handshake(setting, &mut Wire::new(), &mut Unmeasured, &mut Unmeasured);
    (linked.client, linked.server)
}

/// The lengths of the handshake messages of one handshake, in order.
pub fn message_lengths(seen: &Seen) -> Vec<usize> {
    let handshake = |reported: &&Reported| matches!(reported.kind, MessageKind::Handshake(_));
    seen.messages.iter().filter(handshake).map(|reported| reported.len).collect()
}

/// How long `work` takes.
pub fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// Medians of two things that were measured in turns.
pub struct Compared {
    pub first: Duration,
    pub second: Duration,
    /// The median of the rounds' quotients, second by first.
    pub second_by_first: f64,
}

/// Measures two things in `count` interleaved rounds. Which one comes first changes from round to round.
pub fn interleave(
    count: usize,
    mut first: impl FnMut() -> Duration,
    mut second: impl FnMut() -> Duration,
) -> Compared {
    let pair = |round: usize| {
        if round.is_multiple_of(2) {
            let before = first();
            (before, second())
        } else {
            let before = second();
            (first(), before)
        }
    };
    compare((0..count).map(pair).collect())
}

/// Medians over rounds.
pub fn compare(rounds: Vec<(Duration, Duration)>) -> Compared {
    Compared {
        first: median(rounds.iter().map(|round| round.0)),
        second: median(rounds.iter().map(|round| round.1)),
        second_by_first: median(rounds.iter().map(|round| round.1.as_secs_f64() / round.0.as_secs_f64())),
    }
}

fn median<T: PartialOrd + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut sorted: Vec<T> = values.collect();
    sorted.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
    sorted[sorted.len() / 2]
}

/// How a measured time stands to its budget; a quick look is no judgement.
pub fn verdict_of_times(met: bool) -> &'static str {
    if is_quick() { "(quick look)" } else { verdict(met) }
}

/// How a figure stands to its budget.
pub fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}
