//! Secrets are wiped before their memory is given back, and nothing prints them.
//!
//! The allocator searches every freed block for secrets. Randomness repeats itself, so that a first run tells which
//! secrets a second one must not leave behind. The test's own copies are masked.
#![cfg(all(feature = "rustcrypto", feature = "std"))]

#[path = "support/resuming.rs"]
mod resuming;
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};

use resuming::{Kept, MAX_EARLY_DATA, proof};
use support::*;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::config::{ClientConfig, ServerConfig};
use symbolon::conn::{Ask, Client, Event, SecretLabel, SendBuf, Server, Step};
use symbolon::crypto::{Expansion, Failed, Provider, Rng, Suite};
use symbolon::psk::{ChainInTicket, Session, Ticket};
use symbolon::question::Question;

const MASK: u8 = 0xA5;
const ROOM: usize = 512;
const LONGEST: usize = 32;

/// The beginnings of secrets, masked, and how long they are.
static SECRETS: [[AtomicU8; LONGEST]; ROOM] = [const { [const { AtomicU8::new(0) }; LONGEST] }; ROOM];
static LENGTHS: [AtomicUsize; ROOM] = [const { AtomicUsize::new(0) }; ROOM];
static COUNT: AtomicUsize = AtomicUsize::new(0);
static SEARCHING: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Searching;

// SAFETY: every call goes to the system's allocator as it came. A block is read before it is given back, byte by
// byte, and volatile because the compiler may assume that nobody looks any more.
unsafe impl GlobalAlloc for Searching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above. Zeroed, so that every byte of a block may be read.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if SEARCHING.load(SeqCst) {
            // SAFETY: the block is still ours, and was initialised when it was allocated.
            let byte = |at: usize| unsafe { block.add(at).read_volatile() };
            if (0..COUNT.load(SeqCst)).any(|secret| holds(layout.size(), &byte, secret)) {
                FOUND.fetch_add(1, SeqCst);
            }
        }
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Searching = Searching;

fn holds(size: usize, byte: &impl Fn(usize) -> u8, secret: usize) -> bool {
    let len = LENGTHS[secret].load(SeqCst);
    let masked = |at: usize| SECRETS[secret][at].load(SeqCst);
    (0..(size + 1).saturating_sub(len)).any(|start| (0..len).all(|at| byte(start + at) ^ MASK == masked(at)))
}

/// Remembers a secret, and gives no copy of it to the heap.
fn remember(secret: &[u8]) {
    let slot = COUNT.load(SeqCst);
    assert!(slot < ROOM);
    let len = secret.len().min(LONGEST);
    for (to, from) in SECRETS[slot].iter().zip(secret) {
        to.store(from ^ MASK, SeqCst);
    }
    LENGTHS[slot].store(len, SeqCst);
    COUNT.store(slot + 1, SeqCst);
}

/// HKDF-Expand-Label into memory of the caller.
fn expand(suite: &Suite, secret: &[u8], label: &[u8], context: &[u8], out: &mut [u8]) {
    let mut info = [0; 96];
    info[1] = u8::try_from(out.len()).unwrap();
    info[2] = u8::try_from(6 + label.len()).unwrap();
    info[3..9].copy_from_slice(b"tls13 ");
    let end = 9 + label.len();
    info[9..end].copy_from_slice(label);
    info[end] = u8::try_from(context.len()).unwrap();
    info[end + 1..end + 1 + context.len()].copy_from_slice(context);
    let mut batch = [Expansion { info: &info[..end + 1 + context.len()], out }];
    suite.hash.expand(secret, &mut batch).unwrap();
}

/// Remembers a secret, the keys made of it and, of a traffic secret, some generations that follow it.
fn remember_all(suite: &Suite, label: SecretLabel, secret: &[u8]) {
    let mut secret: [u8; 32] = secret.try_into().unwrap();
    let generations = match label {
        SecretLabel::ClientTraffic | SecretLabel::ServerTraffic => 5,
        _ => 1,
    };
    for _ in 0..generations {
        remember(&secret);
        let mut key = [0; 32];
        expand(suite, &secret, b"key", b"", &mut key[..suite.aead.key_len()]);
        remember(&key[..suite.aead.key_len()]);
        let mut finished = [0; 32];
        expand(suite, &secret, b"finished", b"", &mut finished);
        remember(&finished);
        let mut next = [0; 32];
        expand(suite, &secret, b"traffic upd", b"", &mut next);
        secret = next;
    }
}

/// Remembers a ticket's key, the early secret of it, and what leads to its binder and to the handshake secret.
fn remember_psk(suite: &Suite, psk: &[u8]) {
    remember(psk);
    let mut early = [0; 32];
    suite.hash.hmac(&[], &[psk], &mut early).unwrap();
    remember(&early);
    let empty = suite.hash.hash(&[]);
    for label in [&b"res binder"[..], b"derived"] {
        let mut secret = [0; 32];
        expand(suite, &early, label, empty.as_ref(), &mut secret);
        remember(&secret);
        let mut finished = [0; 32];
        expand(suite, &secret, b"finished", b"", &mut finished);
        remember(&finished);
    }
}

/// The same stream for every connection.
struct Repeating(AtomicU64);

impl Rng for Repeating {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        for byte in out {
            let drawn = self.0.fetch_add(1, SeqCst);
            *byte = u8::try_from(drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56).unwrap();
        }
        Ok(())
    }
}

fn repeating() -> Provider {
    Provider { rng: Arc::new(Repeating(AtomicU64::new(0))), ..provider() }
}

/// Whether the secrets of a run are to be remembered, or searched for.
#[derive(Clone, Copy, PartialEq)]
enum Run {
    Remembering,
    Searching,
}

struct Side<E> {
    conn: E,
    out: SendBuf,
    input: Vec<u8>,
    answers: Answers,
    kept: Kept,
    early: usize,
    resumed: bool,
}

impl<E: Endpoint> Side<E> {
    fn new(conn: E, out: SendBuf, kept: Kept) -> Self {
        Self { conn, out, input: Vec::new(), answers: Answers::default(), kept, early: 0, resumed: false }
    }

    fn go(&mut self, suite: &Suite, run: Run) {
        let mut at = 0;
        // An error ends it, as end of input does.
        while let Ok(Step { consumed, event }) = self.conn.process(&mut self.input[at..], &mut self.out) {
            at += consumed;
            match event {
                Event::NeedInput { .. } => break,
                Event::Secret(secret) if run == Run::Remembering => {
                    remember_all(suite, secret.label, secret.secret.expose());
                }
                Event::Ask(question) => {
                    if let (Question::SealTicket(ticket), Run::Remembering) = (&question, run) {
                        remember_psk(suite, ticket.psk().expose());
                    }
                    let answer = self.kept.answer(&mut self.answers, question);
                    if self.conn.resume(answer, &mut self.out).is_err() {
                        break;
                    }
                }
                Event::Ticket(ticket) => self.kept.keep(ticket),
                Event::Early(early) => self.early += early.accept_replayable().bytes.len(),
                Event::Established(summary) => self.resumed = summary.resumed.is_ok(),
                _ => {}
            }
        }
        self.input.drain(..at);
    }
}

struct Both {
    client: Side<Client>,
    server: Side<Server>,
    suite: &'static Suite,
    run: Run,
}

impl Both {
    fn exchange(&mut self) {
        for _ in 0..5 {
            let Self { client, server, suite, run } = self;
            server.input.extend_from_slice(client.out.pending());
            client.out.advance(usize::MAX);
            server.go(suite, *run);
            client.input.extend_from_slice(server.out.pending());
            server.out.advance(usize::MAX);
            client.go(suite, *run);
        }
    }

    /// Open, after a full handshake.
    fn established(suite: CipherSuite, run: Run) -> Self {
        let both = Self::start(suite, run, [Kept::default(), Kept::default()], b"").go_on();
        assert!(!both.client.resumed && !both.server.resumed);
        both
    }

    /// Open, after a handshake that resumed another one, with early data.
    fn resumed(suite: CipherSuite, run: Run) -> Self {
        let Self { client, server, .. } = Self::established(suite, run);
        let kept = [client.kept, server.kept];
        drop((client.conn, server.conn));
        let both = Self::start(suite, run, kept, b"early").go_on();
        assert!(both.client.resumed && both.server.resumed && both.server.early == 5);
        both
    }

    fn go_on(mut self) -> Self {
        self.exchange();
        assert!(self.client.conn.is_established() && self.server.conn.is_established());
        self
    }

    /// A client that has sent its first flight, and its server.
    fn start(suite: CipherSuite, run: Run, kept: [Kept; 2], early_data: &[u8]) -> Self {
        let [mut clients, servers] = kept;
        let suite = provider().suite(suite).unwrap();
        let groups = [NamedGroup::X25519];
        let client_config = ClientConfig::builder(repeating()).suites(&[suite.id]).groups(&groups);
        let client_config = client_config.reveal_secrets().build().unwrap();
        let server_config = ServerConfig::builder(repeating()).credential(credential(Key::Ed25519));
        let server_config =
            server_config.tickets(1).early_data(MAX_EARLY_DATA, proof()).reveal_secrets().build().unwrap();
        let mut out = SendBuf::with_limit(LIMIT);
        let offer = clients.offer(early_data);
        let mut conn = Client::start(&client_config, name(), offer, &mut out).unwrap();
        if let Some(mut early) = conn.early_writer() {
            assert_eq!(early.write(&[early_data], &mut out), Ok(early_data.len()));
        }
        let client = Side::new(conn, out, clients);
        let server = Side::new(Server::new(&server_config).unwrap(), SendBuf::with_limit(LIMIT), servers);
        Self { client, server, suite, run }
    }
}

/// Runs `story` once to learn its secrets, and once more to search for them; how many freed blocks held one.
fn left_behind(suite: CipherSuite, story: impl Fn(Both)) -> usize {
    left_behind_of(Both::established, suite, story)
}

/// The same for a story that begins otherwise.
fn left_behind_of<T>(begin: fn(CipherSuite, Run) -> T, suite: CipherSuite, story: impl Fn(T)) -> usize {
    let _guard: MutexGuard<'_, ()> = ONE_AT_A_TIME.lock().unwrap_or_else(|poison| poison.into_inner());
    COUNT.store(0, SeqCst);
    story(begin(suite, Run::Remembering));
    assert!(COUNT.load(SeqCst) > 50, "secrets are known");
    FOUND.store(0, SeqCst);
    SEARCHING.store(true, SeqCst);
    story(begin(suite, Run::Searching));
    SEARCHING.store(false, SeqCst);
    FOUND.load(SeqCst)
}

const SUITES: [CipherSuite; 2] =
    [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_CHACHA20_POLY1305_SHA256];

#[test]
fn the_search_finds_what_is_not_wiped() {
    let left = left_behind(SUITES[0], |both| {
        let kernel = both.client.conn.into_kernel(&both.client.out).unwrap();
        drop(kernel.send.secret.expose().to_vec());
        drop(kernel.receive.key.expose().to_vec());
    });
    assert_eq!(left, 2);
}

#[test]
fn a_handshake_and_the_end_of_its_connections_leave_nothing() {
    for suite in SUITES {
        assert_eq!(left_behind(suite, drop), 0, "{suite}");
    }
}

#[test]
fn a_resumed_handshake_with_early_data_leaves_nothing() {
    for suite in SUITES {
        assert_eq!(left_behind_of(Both::resumed, suite, drop), 0, "{suite}");
    }
}

#[test]
fn the_search_finds_keys_of_tickets_that_are_not_wiped() {
    let left = left_behind(SUITES[0], |both| drop(both.server.kept.session.unwrap().psk.expose().to_vec()));
    assert_eq!(left, 1);
}

#[test]
fn encoded_and_decoded_tickets_and_sessions_leave_nothing() {
    for suite in SUITES {
        let left = left_behind(suite, |both| {
            let ticket = both.client.kept.ticket.unwrap().encode().unwrap();
            drop(Ticket::decode(&ticket).unwrap());
            let session = both.server.kept.session.unwrap().encode(ChainInTicket::Kept).unwrap();
            drop(Session::decode(&session).unwrap());
        });
        assert_eq!(left, 0, "{suite}");
    }
}

#[test]
fn tickets_and_sessions_that_serve_no_more_leave_nothing() {
    for suite in SUITES {
        // A flight that nobody reads, one whose session is gone, and one whose binder is spoilt.
        let left = left_behind(suite, |both| {
            let Both { client, server, suite, run } = both;
            let unread = Both::start(suite.id, run, [client.kept, server.kept], b"early");
            drop(unread);
        });
        assert_eq!(left, 0, "{suite}");
        let left = left_behind(suite, |both| {
            let Both { client, suite, run, .. } = both;
            let mut unknown = Both::start(suite.id, run, [client.kept, Kept::default()], b"early");
            unknown.exchange();
            assert!(unknown.client.conn.is_established() && !unknown.server.resumed);
        });
        assert_eq!(left, 0, "{suite}");
        let left = left_behind(suite, |both| {
            let Both { client, server, suite, run } = both;
            let mut spoilt = Both::start(suite.id, run, [client.kept, server.kept], b"");
            spoilt.server.input.extend_from_slice(spoilt.client.out.pending());
            spoilt.client.out.advance(usize::MAX);
            *spoilt.server.input.last_mut().unwrap() ^= 1;
            spoilt.exchange();
            assert!(!spoilt.server.conn.is_established());
        });
        assert_eq!(left, 0, "{suite}");
    }
}

#[test]
fn key_updates_leave_nothing() {
    for suite in SUITES {
        let left = left_behind(suite, |mut both| {
            for _ in 0..4 {
                both.client.conn.update_keys(Ask::Peer, &mut both.client.out).unwrap();
                both.exchange();
                both.server.conn.write(&[b"answered"], &mut both.server.out).unwrap();
                both.exchange();
            }
        });
        assert_eq!(left, 0, "{suite}");
    }
}

#[test]
fn an_error_leaves_nothing() {
    for suite in SUITES {
        let left = left_behind(suite, |mut both| {
            both.server.input.extend_from_slice(&[23, 3, 3, 0, 32]);
            both.server.input.extend_from_slice(&[0; 32]);
            both.exchange();
            assert!(both.server.conn.write(&[b"x"], &mut both.server.out).is_err());
            assert!(both.client.conn.write(&[b"x"], &mut both.client.out).is_err());
        });
        assert_eq!(left, 0, "{suite}");
    }
}

#[test]
fn halves_exporters_and_kernel_keys_leave_nothing() {
    for suite in SUITES {
        let left = left_behind(suite, |both| {
            let (recv, send) = both.client.conn.split().unwrap();
            let mut exported = [0; 32];
            recv.exporter(b"label", b"context", &mut exported).unwrap();
            drop((recv, send));
            drop(both.server.conn.into_kernel(&both.server.out).unwrap());
        });
        assert_eq!(left, 0, "{suite}");
    }
}

#[test]
fn nothing_prints_a_secret() {
    let mut printed = Vec::new();
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    let server_config = server_config(|b| b.tickets(1).reveal_secrets());
    let client_config = client_config(|b| b.reveal_secrets());
    printed.push(format!("{client_config:?} {server_config:?} {:?}", credential(Key::P256)));
    let mut pair = Pair::new(&client_config, &server_config);
    let flight = {
        pair.server.inbox = pair.client.flush();
        pair.server.run().unwrap();
        pair.server.flush()
    };
    pair.client.inbox = flight;
    pair.client.run().unwrap();
    pair.server.inbox = pair.client.flush();
    loop {
        let step = pair.server.conn.process(&mut pair.server.inbox, &mut pair.server.out).unwrap();
        printed.push(format!("{step:?}"));
        let consumed = step.consumed;
        match step.event {
            Event::Ask(Question::SealTicket(question)) => {
                secrets.push(question.psk().expose().to_vec());
                printed.push(format!("{:?}", question.sealed(vec![1], 1)));
                break;
            }
            Event::Secret(secret) => {
                secrets.push(secret.secret.expose().to_vec());
                printed.push(format!("{secret:?}"));
            }
            _ => {}
        }
        pair.server.inbox.drain(..consumed);
    }
    secrets.extend(pair.client.secrets.iter().map(|(_, secret)| secret.clone()));
    printed.push(format!("{:?} {:?} {:?}", pair.client.conn, pair.server.conn, pair.client.summary));
    let kernel = pair.server.conn.into_kernel(&pair.server.out).unwrap();
    for keys in [&kernel.send, &kernel.receive] {
        secrets.extend([keys.key.expose().to_vec(), keys.iv.to_vec(), keys.secret.expose().to_vec()]);
    }
    printed.push(format!("{kernel:?} {:?}", kernel.send));
    printed.push(format!("{:?}", pair.client.conn.split().unwrap()));
    let printed = printed.concat().to_lowercase();
    for secret in &secrets {
        let hex: String = secret[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let list = format!("{:?}", &secret[..4]);
        assert!(!printed.contains(&hex), "{hex}");
        assert!(!printed.contains(list.trim_matches(['[', ']'])), "{list}");
    }
    assert!(secrets.len() > 10);
}
