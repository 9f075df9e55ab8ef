//! Whatever the wire does to a client and a server: where both are established they agree on everything, what arrives is what
//! was sent up to there, the end is the end, and each error has its alert.
//!
//! Input: flags of the client and of the server, manners of both, then orders, each a byte.

use symbolon::AlertCode;
use symbolon::conn::{Ask, Client, Server};

use crate::Script;
use crate::machine::answers::{Manner, Manners, is_of};
use crate::machine::party::{Endpoint, Party};
use crate::machine::provider::Tags;
use crate::machine::setup::{CLIENT_SEED, Flags, SERVER_SEED, client, server};

/// More orders than any state needs.
const MOST: usize = 96;

/// More key updates than these, and as many answers, are a flood where there is little data: a peer refuses it.
pub const MOST_UPDATES: usize = 16;

/// What peers that are honest may fail with: they do not fit together.
const MISFIT: &[AlertCode] = &[
    AlertCode::HANDSHAKE_FAILURE,
    AlertCode::NO_APPLICATION_PROTOCOL,
    AlertCode::UNSUPPORTED_CERTIFICATE,
    AlertCode::CERTIFICATE_REQUIRED,
    AlertCode::MISSING_EXTENSION,
    AlertCode::UNRECOGNIZED_NAME,
];

pub struct Pair {
    pub client: Party<Client>,
    pub server: Party<Server>,
    /// What was written, as far as it was taken.
    up: Vec<u8>,
    down: Vec<u8>,
    early: Vec<u8>,
    /// Key updates that were wanted.
    updates: usize,
    /// Whether the wire did more than carry.
    tampered: bool,
}

pub fn run(input: &[u8]) {
    play(input);
}

/// Plays a script to its end.
pub fn play(input: &[u8]) -> Pair {
    let mut script = Script::new(input);
    let (of_client, of_server) = (Flags(script.u16()), Flags(script.u16()));
    let (asked_client, asked_server) = (Manners(script.u16()), Manners(script.u16()));
    let mut pair = Pair {
        client: client(of_client, asked_client, Tags::Strict),
        server: server(of_server, asked_server, Tags::Strict),
        up: Vec::new(),
        down: Vec::new(),
        early: Vec::new(),
        updates: 0,
        tampered: false,
    };
    let mut orders = 0;
    while !script.is_empty() && orders < MOST {
        orders += 1;
        pair.order(&mut script);
        pair.agree(asked_client.0 | asked_server.0 == 0);
    }
    pair.settle(&mut script);
    pair.agree(asked_client.0 | asked_server.0 == 0);
    if !pair.tampered && asked_client.0 | asked_server.0 == 0 {
        pair.fits();
    }
    pair.client.stays_dead();
    pair.server.stays_dead();
    pair
}

impl Pair {
    fn order(&mut self, script: &mut Script<'_>) {
        let order = script.byte() % 34;
        let up = order.is_multiple_of(2);
        match order / 2 {
            0 => self.carry(up, usize::MAX, script),
            1 => {
                let len = usize::from(script.byte());
                self.carry(up, len, script);
            }
            what @ 2..=6 => {
                let wire = if up { &mut self.client.sent } else { &mut self.server.sent };
                self.tampered |= tamper(what, wire, script);
            }
            7 => self.write(up, script.block()),
            8 => self.write(up, &vec![b'w'; usize::from(script.u16())]),
            9 => {
                let ask = if script.byte() & 1 == 0 { Ask::Peer } else { Ask::Nobody };
                self.updates += 1;
                match up {
                    _ if self.updates > MOST_UPDATES => {}
                    true => self.client.update_keys(ask),
                    false => self.server.update_keys(ask),
                }
            }
            10 if up => self.client.close(),
            10 => self.server.close(),
            11 => {
                self.tampered = true;
                if up { self.client.eof() } else { self.server.eof() }
            }
            12..=14 => {
                let manner = [Manner::Honest, Manner::Odd, Manner::Refused][usize::from(order / 2) - 12];
                if up { self.client.release(manner, script) } else { self.server.release(manner, script) }
            }
            15 if up => {
                let bytes = script.block();
                let taken = self.client.write_early(bytes);
                self.early.extend(&bytes[..taken]);
            }
            15 => {
                let bytes = script.block();
                let taken = self.server.write_early(bytes);
                self.down.extend(&bytes[..taken]);
            }
            _ => self.settle(script),
        }
    }

    fn write(&mut self, up: bool, bytes: &[u8]) {
        if up {
            let taken = self.client.write(bytes);
            self.up.extend(&bytes[..taken]);
        } else {
            let taken = self.server.write(bytes);
            self.down.extend(&bytes[..taken]);
        }
    }

    /// Carries at most so many bytes.
    fn carry(&mut self, up: bool, most: usize, script: &mut Script<'_>) {
        if up {
            carry(&mut self.client, &mut self.server, most, script);
        } else {
            carry(&mut self.server, &mut self.client, most, script);
        }
    }

    /// Carries both ways until nothing moves, and answers what waits.
    fn settle(&mut self, script: &mut Script<'_>) {
        for _ in 0..200 {
            self.carry(true, usize::MAX, script);
            self.carry(false, usize::MAX, script);
            if self.client.sent.is_empty() && self.server.sent.is_empty() {
                if self.client.held.is_empty() && self.server.held.is_empty() {
                    return;
                }
                self.client.release(Manner::Honest, script);
                self.server.release(Manner::Honest, script);
            }
        }
        panic!("two endpoints talk for ever");
    }

    /// What holds at any time.
    fn agree(&self, everybody_is_honest: bool) {
        let Self { client, server, up, down, early, .. } = self;
        assert!(up.starts_with(&server.data) && down.starts_with(&client.data));
        assert!(early.starts_with(&server.early));
        assert!(!server.peer_closed || (client.closed && server.data == *up));
        assert!(!client.peer_closed || (server.closed && client.data == *down));
        let (Some(of_client), Some(of_server)) = (&client.summary, &server.summary) else { return };
        assert_eq!(of_client.suite, of_server.suite);
        assert_eq!(of_client.group, of_server.group);
        assert_eq!(of_client.alpn, of_server.alpn);
        assert_eq!(of_client.server_name, of_server.server_name);
        assert_eq!(of_client.signature, of_server.signature);
        assert_eq!(of_client.retried, of_server.retried);
        assert_eq!(of_client.resumed.ok(), of_server.resumed.ok());
        assert_eq!(of_client.early_data.is_ok(), of_server.early_data.is_ok());
        if of_server.early_data.is_ok() {
            assert_eq!(*early, server.early);
        }
        if client.conn.is_established() && server.conn.is_established() {
            assert_eq!(exporter(client), exporter(server));
        }
        if everybody_is_honest && of_client.resumed.is_err() {
            assert!(is_of(of_client.identity(), SERVER_SEED));
            assert!(of_server.peer.is_none() || is_of(of_server.identity(), CLIENT_SEED));
        }
    }

    /// Endpoints that nobody disturbed fail only where they do not fit.
    fn fits(&self) {
        for error in [&self.client.error, &self.server.error].into_iter().flatten() {
            let alert = match error {
                symbolon::Error::Alert(alert) => Some(*alert),
                symbolon::Error::ClosedInHandshake => None,
                error => error.alert(),
            };
            assert!(alert.is_none_or(|alert| MISFIT.contains(&alert)), "{error}");
        }
    }
}

fn exporter<E: Endpoint>(party: &Party<E>) -> [u8; 32] {
    party.conn.exporter().expect("it is established")
}

fn carry<A: Endpoint, B: Endpoint>(
    from: &mut Party<A>,
    to: &mut Party<B>,
    most: usize,
    script: &mut Script<'_>,
) {
    let len = most.min(from.sent.len());
    let bytes: Vec<u8> = from.sent.drain(..len).collect();
    if to.error.is_none() {
        to.inbox.extend(bytes);
        to.run(script);
    }
}

/// Does something to what is on its way; whether it is another wire now.
pub fn tamper(what: u8, wire: &mut Vec<u8>, script: &mut Script<'_>) -> bool {
    let first = record_len(wire);
    match what {
        2 => {
            let place = script.place(wire.len());
            let change = script.byte();
            let Some(byte) = wire.get_mut(place) else { return false };
            *byte ^= change;
            return change != 0;
        }
        3 => drop(wire.drain(..first)),
        4 => {
            let copy = wire[..first].to_vec();
            wire.splice(..0, copy);
        }
        5 => {
            let place = script.place(wire.len());
            wire.splice(place..place, script.block().iter().copied());
        }
        _ => {
            // The first record behind the second one.
            let second = record_len(&wire[first..]);
            wire[..first + second].rotate_left(first);
        }
    }
    true
}

/// The length of the record at the front, or of what there is of it.
fn record_len(wire: &[u8]) -> usize {
    let len = wire.get(3..5).map_or(0, |len| usize::from(u16::from_be_bytes([len[0], len[1]])));
    (5 + len).min(wire.len())
}
