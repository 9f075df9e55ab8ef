//! The budgets of memory: none per record, few per handshake, little while idle.
//!
//! What the provider allocates is counted apart: it is wrapped in one that says when it is at work.
#![cfg(all(feature = "rustcrypto", feature = "std"))]

#[path = "support/outside.rs"]
mod outside;
#[path = "support/resuming.rs"]
mod resuming;
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use resuming::{Kept, MAX_EARLY_DATA, proof};
use support::*;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::config::{ClientConfig, ServerConfig};
use symbolon::conn::{Client, Event, Frame, SendBuf, Server, Step, Summary, frame};

/// Blocks and bytes, by whose code was at work.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    own_blocks: usize,
    own_freed_bytes: usize,
    provider_blocks: usize,
    provider_freed_bytes: usize,
}

thread_local! {
    static TALLY: Cell<Tally> = const {
        Cell::new(Tally { own_blocks: 0, own_freed_bytes: 0, provider_blocks: 0, provider_freed_bytes: 0 })
    };
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it came; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut tally = TALLY.get();
        if outside::provider_works() {
            tally.provider_blocks += 1;
        } else {
            tally.own_blocks += 1;
        }
        TALLY.set(tally);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let mut tally = TALLY.get();
        if outside::provider_works() {
            tally.provider_freed_bytes += layout.size();
        } else {
            tally.own_freed_bytes += layout.size();
        }
        TALLY.set(tally);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` allocates and frees.
fn tallied<T>(total: &mut Tally, work: impl FnOnce() -> T) -> T {
    let before = TALLY.get();
    let result = work();
    let after = TALLY.get();
    total.own_blocks += after.own_blocks - before.own_blocks;
    total.own_freed_bytes += after.own_freed_bytes - before.own_freed_bytes;
    total.provider_blocks += after.provider_blocks - before.provider_blocks;
    total.provider_freed_bytes += after.provider_freed_bytes - before.provider_freed_bytes;
    result
}

/// One side of a handshake, whose `process` and `resume` alone are counted.
struct Side<E> {
    conn: E,
    out: SendBuf,
    input: Vec<u8>,
    answers: Answers,
    kept: Kept,
    tally: Tally,
    /// How the handshake ended; it is the caller's, and so is who the peer is.
    established: Option<Box<Summary>>,
}

impl<E: Endpoint> Side<E> {
    fn run(&mut self) {
        let mut at = 0;
        loop {
            let input = &mut self.input[at..];
            let step = tallied(&mut self.tally, || self.conn.process(input, &mut self.out));
            let Step { consumed, event } = step.unwrap();
            at += consumed;
            match event {
                Event::NeedInput { .. } => break,
                Event::Ask(question) => {
                    let answer = self.kept.answer(&mut self.answers, question);
                    tallied(&mut self.tally, || self.conn.resume(answer, &mut self.out)).unwrap();
                }
                Event::Established(summary) => {
                    self.established = Some(summary);
                }
                Event::Ticket(ticket) => self.kept.keep(ticket),
                _ => {}
            }
        }
        self.input.drain(..at);
    }

    fn take_output(&mut self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.out.pending());
        self.out.advance(usize::MAX);
    }
}

/// What a handshake begins with: buffers that an earlier one has warmed, and what that one left.
struct Start {
    out: [SendBuf; 2],
    kept: [Kept; 2],
    early_data: &'static [u8],
}

/// A handshake over the wrapped provider.
fn handshake(start: Start, tickets: u8) -> (Side<Client>, Side<Server>) {
    let suites = [CipherSuite::TLS_AES_128_GCM_SHA256];
    let builder = ClientConfig::builder(outside::wrapped());
    let client_config = builder.suites(&suites).groups(&[NamedGroup::X25519]).build().unwrap();
    let builder = ServerConfig::builder(outside::wrapped()).credential(credential(Key::P256));
    let server_config = builder.tickets(tickets).early_data(MAX_EARLY_DATA, proof()).build().unwrap();
    // Configurations are shared: they outlive every connection here.
    std::mem::forget((client_config.clone(), server_config.clone()));
    let Start { out: [mut client_out, server_out], kept: [mut clients, servers], early_data } = start;
    let (mut client_tally, mut server_tally) = (Tally::default(), Tally::default());
    let (name, offer) = (name(), clients.offer(early_data));
    let conn = tallied(&mut client_tally, || {
        let mut conn = Client::start(&client_config, name, offer, &mut client_out).unwrap();
        if let Some(mut early) = conn.early_writer() {
            assert_eq!(early.write(&[early_data], &mut client_out), Ok(early_data.len()));
        }
        conn
    });
    let mut client = Side {
        conn,
        out: client_out,
        input: Vec::with_capacity(1 << 15),
        answers: Answers::default(),
        kept: clients,
        tally: client_tally,
        established: None,
    };
    let mut server = Side {
        conn: tallied(&mut server_tally, || Server::new(&server_config)).unwrap(),
        out: server_out,
        input: Vec::with_capacity(1 << 15),
        answers: Answers::default(),
        kept: servers,
        tally: server_tally,
        established: None,
    };
    while client.established.is_none() || server.established.is_none() || !client.input.is_empty() {
        client.take_output(&mut server.input);
        server.run();
        server.take_output(&mut client.input);
        client.run();
    }
    (client, server)
}

fn warm_handshake() -> (Side<Client>, Side<Server>) {
    let out = [SendBuf::with_limit(LIMIT), SendBuf::with_limit(LIMIT)];
    let (client, server) = handshake(Start { out, kept: Default::default(), early_data: &[] }, 0);
    let out = [client.out, server.out];
    handshake(Start { out, kept: Default::default(), early_data: &[] }, 0)
}

/// A handshake that resumes another one, with early data where there are some.
fn resumed_handshake(early_data: &'static [u8]) -> (Side<Client>, Side<Server>) {
    let out = [SendBuf::with_limit(LIMIT), SendBuf::with_limit(LIMIT)];
    let (client, server) = handshake(Start { out, kept: Default::default(), early_data: &[] }, 1);
    let (out, kept) = ([client.out, server.out], [client.kept, server.kept]);
    handshake(Start { out, kept, early_data }, 0)
}

#[test]
fn a_handshake_allocates_at_most_40_blocks_a_side() {
    let (client, server) = warm_handshake();
    for (side, tally) in [("client", client.tally), ("server", server.tally)] {
        println!("{side}: {} blocks of its own, {} of the provider", tally.own_blocks, tally.provider_blocks);
        assert!(tally.own_blocks <= 40, "{side}: {tally:?}");
        assert!(tally.provider_blocks > 0, "the provider is counted apart");
    }
}

#[test]
fn a_resumed_handshake_allocates_at_most_40_blocks_a_side() {
    for early_data in [&b""[..], b"early"] {
        let (client, server) = resumed_handshake(early_data);
        let expected = [true, !early_data.is_empty()];
        for summary in [client.established, server.established] {
            let summary = summary.unwrap();
            assert_eq!([summary.resumed.is_ok(), summary.early_data.is_ok()], expected);
        }
        for (side, tally) in [("client", client.tally), ("server", server.tally)] {
            let (own, provider) = (tally.own_blocks, tally.provider_blocks);
            println!("{side}, {expected:?}: {own} blocks of its own, {provider} of the provider");
            assert!(tally.own_blocks <= 40, "{side}: {tally:?}");
            assert!(tally.provider_blocks > 0, "the provider is counted apart");
        }
    }
}

#[test]
fn an_idle_connection_holds_less_than_a_kibibyte_beside_its_keys() {
    fn check<E>(side: &str, conn: E) {
        let mut tally = Tally::default();
        tallied(&mut tally, || drop(conn));
        let (inline, heap) = (size_of::<E>(), tally.own_freed_bytes);
        let keys = tally.provider_freed_bytes;
        println!("{side}: {inline} bytes inline, {heap} on the heap, {keys} of the provider's keys");
        assert!(heap > 0 && keys > 0);
        assert!(inline + heap < 1024, "{side}: {inline} + {heap}");
    }
    let (client, server) = warm_handshake();
    check("client", client.conn);
    check("server", server.conn);
}

#[test]
fn records_allocate_nothing_in_the_steady_state() {
    for suite in provider().suites {
        let mut pair = Pair::new(&client_config(|b| b.suites(&[suite.id])), &server_config(|b| b));
        pair.run().unwrap();
        let Pair { mut client, mut server } = pair;
        let payload = vec![7; 40_000];
        let mut input: Vec<u8> = Vec::with_capacity(50_000);
        let mut one = vec![0; frame::HEAD + 1000 + frame::TAIL];
        let mut tally = Tally::default();
        for round in 0..4 {
            // The first round warms the output buffer.
            if round == 1 {
                tally = Tally::default();
            }
            let parts: [&[u8]; 3] = [&payload[..10], &payload[10..], b""];
            tallied(&mut tally, || client.conn.write(&parts, &mut client.out)).unwrap();
            input.extend_from_slice(client.out.pending());
            client.out.advance(usize::MAX);
            let sealed = tallied(&mut tally, || client.conn.seal_frame(&mut one, 1000, &mut client.out));
            let Ok(Frame::Sealed(record)) = sealed else { panic!("nothing waits") };
            input.extend_from_slice(record);
            let (mut at, mut received) = (0, 0);
            loop {
                let rest = &mut input[at..];
                let step = tallied(&mut tally, || server.conn.process(rest, &mut server.out)).unwrap();
                at += step.consumed;
                match step.event {
                    Event::Data(plain) => received += plain.bytes.len(),
                    Event::NeedInput { .. } => break,
                    _ => {}
                }
            }
            assert_eq!(received, payload.len() + 1000);
            input.clear();
        }
        assert_eq!((tally.own_blocks, tally.own_freed_bytes), (0, 0), "{:?}", suite.id);
    }
}
