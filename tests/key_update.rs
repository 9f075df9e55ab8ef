//! KeyUpdate (RFC 9846 section 4.7.3): asked for, answered, crossing, owed, and by itself before a limit.
#![cfg(feature = "rustcrypto")]

mod support;
#[path = "support/tap.rs"]
mod tap;

use std::sync::Arc;

use support::*;
use symbolon::codepoint::HandshakeType;
use symbolon::config::{ClientConfig, ServerConfig};
use symbolon::conn::{Ask, Direction, Frame, MessageKind, Reported, Updated, frame};
use symbolon::crypto::{Aead, AeadKey, Failed, Provider, Suite};
use symbolon::question::Question;
use symbolon::{Error, Misuse};
use tap::*;

/// A real AEAD whose keys are soon used up.
struct Tiring(&'static dyn Aead);

const LIMIT_OF_TIRING: u64 = 5;

const TICKET: MessageKind = MessageKind::Handshake(HandshakeType::NEW_SESSION_TICKET);

impl Aead for Tiring {
    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        self.0.key(key)
    }

    fn record_limit(&self) -> u64 {
        LIMIT_OF_TIRING
    }

    fn accelerated(&self) -> bool {
        true
    }
}

/// The provider with a single suite, whose keys seal five records.
fn tiring() -> Provider {
    let real = provider().suite(SUITE).unwrap();
    let suite: &'static Suite = Box::leak(Box::new(Suite {
        id: real.id,
        hash: real.hash,
        aead: Box::leak(Box::new(Tiring(real.aead))),
    }));
    Provider { suites: Box::leak(Box::new([suite])), ..provider() }
}

/// A pair whose client tires, with its keys.
fn tiring_client() -> Tapped {
    let client: Arc<ClientConfig> = ClientConfig::builder(tiring()).reveal_secrets().build().unwrap();
    let mut pair = Pair::new(&client, &server_config(|b| b.reveal_secrets()));
    pair.run().unwrap();
    let (up, down) = (
        Tap::of(&pair.server, symbolon::conn::SecretLabel::ClientTraffic),
        Tap::of(&pair.server, symbolon::conn::SecretLabel::ServerTraffic),
    );
    Tapped { pair, up, down }
}

fn kinds(records: &[(u8, Vec<u8>)]) -> Vec<u8> {
    records.iter().map(|(kind, _)| *kind).collect()
}

#[test]
fn either_side_may_update_and_data_flows_after_each() {
    let mut pair = Pair::established();
    for round in 0..10 {
        for ask in [Ask::Nobody, Ask::Peer] {
            assert_eq!(pair.client.conn.update_keys(ask, &mut pair.client.out), Ok(Updated::Done), "{round}");
            pair.send_up(&[b'u'; 40]);
            pair.send_down(&[b'd'; 40]);
            assert_eq!(pair.server.conn.update_keys(ask, &mut pair.server.out), Ok(Updated::Done), "{round}");
            pair.send_down(&[b'd'; 40]);
            pair.send_up(&[b'u'; 40]);
        }
    }
    assert_eq!((pair.server.data.len(), pair.client.data.len()), (1600, 1600));
}

//= testvectors/requirements/rfc9846.txt#section-4.7.3
//= type=test
//# Until receiving a subsequent KeyUpdate from the peer, the sender MUST NOT send another KeyUpdate with
//# request_update set to "update_requested".
#[test]
fn the_peer_is_asked_once_until_it_answers() {
    let Tapped { mut pair, mut up, .. } = tapped();
    let asked = |pair: &mut Pair| pair.client.conn.update_keys(Ask::Peer, &mut pair.client.out).unwrap();
    assert_eq!(asked(&mut pair), Updated::Done);
    let first = pair.client.flush();
    assert_eq!(up.read(&first), [(HANDSHAKE, KEY_UPDATE_REQUESTED.to_vec())]);
    assert_eq!(asked(&mut pair), Updated::AlreadyAsked);
    assert!(pair.client.out.is_empty(), "nothing was sent");
    // Updates that ask nothing are free meanwhile.
    assert_eq!(pair.client.conn.update_keys(Ask::Nobody, &mut pair.client.out), Ok(Updated::Done));
    let second = pair.client.flush();
    assert_eq!(up.read(&second), [(HANDSHAKE, KEY_UPDATE.to_vec())]);
    feed(&mut pair.server, &[first, second].concat()).unwrap();
    assert_eq!(asked(&mut pair), Updated::AlreadyAsked);
    pair.send_down(b"the answer precedes this");
    assert_eq!(asked(&mut pair), Updated::Done);
}

#[test]
fn requests_that_cross_are_both_answered_and_end() {
    let Tapped { mut pair, mut up, mut down } = tapped();
    assert_eq!(pair.client.conn.update_keys(Ask::Peer, &mut pair.client.out), Ok(Updated::Done));
    assert_eq!(pair.server.conn.update_keys(Ask::Peer, &mut pair.server.out), Ok(Updated::Done));
    let (a, b) = (pair.client.flush(), pair.server.flush());
    up.read(&a);
    down.read(&b);
    feed(&mut pair.server, &a).unwrap();
    feed(&mut pair.client, &b).unwrap();
    pair.client.conn.write(&[b"up"], &mut pair.client.out).unwrap();
    pair.server.conn.write(&[b"down"], &mut pair.server.out).unwrap();
    let (a, b) = (pair.client.flush(), pair.server.flush());
    assert_eq!(up.read(&a), [(HANDSHAKE, KEY_UPDATE.to_vec()), (DATA, b"up".to_vec())]);
    assert_eq!(down.read(&b), [(HANDSHAKE, KEY_UPDATE.to_vec()), (DATA, b"down".to_vec())]);
    feed(&mut pair.server, &a).unwrap();
    feed(&mut pair.client, &b).unwrap();
    pair.client.conn.write(&[b"last"], &mut pair.client.out).unwrap();
    assert_eq!(up.read(&pair.client.flush()), [(DATA, b"last".to_vec())]);
}

//= testvectors/requirements/rfc9846.txt#section-4.7.3
//= type=test
//# If the request_update field is set to "update_requested", then the receiver MUST send a KeyUpdate of its
//# own with request_update set to "update_not_requested" prior to sending its next Application Data record.
#[test]
fn an_owed_answer_precedes_a_frame() {
    let Tapped { mut pair, mut up, mut down } = tapped();
    feed(&mut pair.server, &up.key_update(&KEY_UPDATE_REQUESTED)).unwrap();
    let mut bytes = vec![b'f'; frame::HEAD + 10 + frame::TAIL];
    let before = bytes.clone();
    assert_eq!(pair.server.conn.seal_frame(&mut bytes, 10, &mut pair.server.out), Ok(Frame::FlushFirst));
    assert_eq!(bytes, before, "the frame was not touched");
    let answer = pair.server.flush();
    assert_eq!(down.read(&answer), [(HANDSHAKE, KEY_UPDATE.to_vec())]);
    let Ok(Frame::Sealed(record)) = pair.server.conn.seal_frame(&mut bytes, 10, &mut pair.server.out) else {
        panic!("nothing is owed any more");
    };
    assert_eq!(down.read(record), [(DATA, vec![b'f'; 10])]);
    let record = record.to_vec();
    feed(&mut pair.client, &[answer, record].concat()).unwrap();
    assert_eq!(pair.client.data, [b'f'; 10]);
}

#[test]
fn an_update_of_our_own_is_the_answer_that_is_owed() {
    let Tapped { mut pair, mut up, mut down } = tapped();
    feed(&mut pair.server, &up.key_update(&KEY_UPDATE_REQUESTED)).unwrap();
    assert_eq!(pair.server.conn.update_keys(Ask::Nobody, &mut pair.server.out), Ok(Updated::Done));
    pair.server.conn.write(&[b"data"], &mut pair.server.out).unwrap();
    assert_eq!(down.read(&pair.server.flush()), [(HANDSHAKE, KEY_UPDATE.to_vec()), (DATA, b"data".to_vec())]);
}

//= testvectors/requirements/rfc9846.txt#section-5.5
//= type=test
//# Implementations MUST either close the connection or do a key update as described in Section 4.7.3 prior
//# to reaching these limits.
#[test]
fn keys_change_by_themselves_before_their_limit_and_ask_nobody() {
    let Tapped { mut pair, mut up, .. } = tiring_client();
    for _ in 0..9 {
        assert_eq!(pair.client.conn.write(&[b"x"], &mut pair.client.out), Ok(1));
    }
    let sent = pair.client.flush();
    let read = up.read(&sent);
    // Of five records under each key the fourth is the KeyUpdate, and the fifth is kept for an alert.
    let expected = [DATA, DATA, DATA, HANDSHAKE].repeat(2).into_iter().chain([DATA; 3]).collect::<Vec<_>>();
    assert_eq!(kinds(&read), expected);
    assert!(read.iter().filter(|(kind, _)| *kind == HANDSHAKE).all(|(_, message)| *message == KEY_UPDATE));
    feed(&mut pair.server, &sent).unwrap();
    assert_eq!(pair.server.data, [b'x'; 9]);
}

#[test]
fn keys_change_within_one_long_write_too() {
    let Tapped { mut pair, mut up, .. } = tiring_client();
    let long = vec![b'l'; 7 * frame::MAX_CONTENT];
    assert_eq!(pair.client.conn.write(&[&long], &mut pair.client.out), Ok(long.len()));
    let sent = pair.client.flush();
    let expected = [DATA, DATA, DATA, HANDSHAKE, DATA, DATA, DATA, HANDSHAKE, DATA];
    assert_eq!(kinds(&up.read(&sent)), expected);
    feed(&mut pair.server, &sent).unwrap();
    assert_eq!(pair.server.data, long);
}

#[test]
fn keys_change_before_a_frame_too() {
    let Tapped { mut pair, mut up, .. } = tiring_client();
    let mut flushes = 0;
    for _ in 0..9 {
        let mut bytes = vec![b'f'; frame::HEAD + 1 + frame::TAIL];
        loop {
            match pair.client.conn.seal_frame(&mut bytes, 1, &mut pair.client.out).unwrap() {
                Frame::Sealed(record) => {
                    let record = record.to_vec();
                    assert_eq!(kinds(&up.read(&record)), [DATA]);
                    feed(&mut pair.server, &record).unwrap();
                    break;
                }
                Frame::FlushFirst => {
                    flushes += 1;
                    let update = pair.client.flush();
                    assert_eq!(kinds(&up.read(&update)), [HANDSHAKE]);
                    feed(&mut pair.server, &update).unwrap();
                }
            }
        }
    }
    assert_eq!((pair.server.data.len(), flushes), (9, 2));
}

#[test]
fn a_late_ticket_does_not_exceed_the_limit() {
    let server = ServerConfig::builder(tiring())
        .credential(credential(Key::P256))
        .tickets(20)
        .reveal_secrets()
        .build()
        .unwrap();
    let mut pair = Pair::new(&client_config(|b| b), &server);
    let flight = to_server(&mut pair);
    feed(&mut pair.client, &flight).unwrap();
    let answer = pair.client.flush();
    pair.server.hold = vec!["SealTicket"];
    feed(&mut pair.server, &answer).unwrap();
    let mut down = Tap::of(&pair.server, symbolon::conn::SecretLabel::ServerTraffic);
    pair.server.release().unwrap();
    let sent = pair.server.flush();
    let mut under_one_key = 0;
    for (_, content) in down.read(&sent) {
        under_one_key += 1;
        assert!(under_one_key <= LIMIT_OF_TIRING);
        if content == KEY_UPDATE {
            under_one_key = 0;
        }
    }
    feed(&mut pair.client, &sent).unwrap();
}

//= testvectors/requirements/rfc9846.txt#section-4.7.3
//= type=test
//# In order to allow this value to be changed later -- for instance for ciphers with more than 128-bit keys
//# -- receiving implementations MUST NOT enforce this rule.
#[test]
fn the_receiver_enforces_no_limit() {
    let server = ServerConfig::builder(tiring()).credential(credential(Key::P256)).build().unwrap();
    let mut pair = Pair::new(&client_config(|b| b), &server);
    pair.run().unwrap();
    for _ in 0..20 {
        pair.send_up(b"x");
    }
    assert_eq!(pair.server.data, [b'x'; 20]);
}

#[test]
fn updates_need_an_open_connection() {
    let mut pair = Pair::standard();
    let update = |pair: &mut Pair| pair.client.conn.update_keys(Ask::Peer, &mut pair.client.out);
    assert_eq!(update(&mut pair), Err(Error::Misuse(Misuse::NotEstablished)));
    pair.run().unwrap();
    pair.client.conn.close(&mut pair.client.out);
    assert_eq!(update(&mut pair), Err(Error::Misuse(Misuse::WriteClosed)));
}

//= testvectors/requirements/rfc9846.txt#section-4.7.3
//= type=test
//# If an implementation receives any other value, it MUST terminate the connection with an
//# "illegal_parameter" alert.
#[test]
fn a_key_update_that_is_not_one_byte_of_0_or_1_is_refused() {
    use symbolon::AlertCode;
    for (message, alert) in
        [(&[24, 0, 0, 1, 2][..], AlertCode::ILLEGAL_PARAMETER), (&[24, 0, 0, 0], AlertCode::DECODE_ERROR)]
    {
        let Tapped { mut pair, mut up, .. } = tapped();
        let error = feed(&mut pair.server, &up.seal(HANDSHAKE, message)).unwrap_err();
        assert_eq!(error.alert(), Some(alert), "{message:?}");
    }
}

#[test]
fn a_long_ticket_does_not_exceed_what_a_key_may_seal() {
    // RFC 9846 section 5.5: "Implementations MUST either close the connection or do a key update .. prior to reaching
    // these limits."
    let server = ServerConfig::builder(tiring()).credential(credential(Key::P256)).tickets(1);
    let server = server.reveal_secrets().build().unwrap();
    let mut pair = Pair::new(&client_config(|b| b.reveal_secrets().record_size_limit(4_097)), &server);
    pair.server.hold = vec!["SealTicket"];
    pair.run().unwrap();
    let mut down = Tap::of(&pair.server, symbolon::conn::SecretLabel::ServerTraffic);
    let server = &mut pair.server;
    for _ in 0..2 {
        server.conn.write(&[b"data"], &mut server.out).unwrap();
    }
    let Some(Question::SealTicket(question)) = server.held.pop() else { panic!("a ticket is asked for") };
    server.conn.resume(question.sealed(vec![7; 12_000], 60), &mut server.out).unwrap();
    server.conn.write(&[b"data"], &mut server.out).unwrap();
    let sent = server.flush();
    let order = [DATA, DATA, HANDSHAKE, HANDSHAKE, HANDSHAKE, HANDSHAKE, HANDSHAKE, DATA];
    let read = down.read(&sent);
    assert_eq!(kinds(&read), order);
    assert_eq!([&read[2].1, &read[6].1], [&KEY_UPDATE.to_vec(); 2], "no key seals more than five records");
}

#[test]
fn key_updates_and_tickets_are_reported_on_both_sides() {
    let mut pair = Pair::new(
        &client_config(|b| b.report_messages()),
        &server_config(|b| b.tickets(1).report_messages()),
    );
    pair.run().unwrap();
    pair.client.messages.clear();
    pair.server.messages.retain(|reported| reported.kind == TICKET);
    pair.client.conn.update_keys(Ask::Peer, &mut pair.client.out).unwrap();
    pair.run().unwrap();
    // The answer goes before the next data.
    pair.send_down(b"data");
    // What was sent is told by the next call.
    pair.client.run().unwrap();
    pair.server.run().unwrap();
    let seen = |party: &[Reported]| -> Vec<_> { party.iter().map(|r| (r.direction, r.kind)).collect() };
    let update = MessageKind::Handshake(HandshakeType::KEY_UPDATE);
    assert_eq!(seen(&pair.client.messages), [(Direction::Sent, update), (Direction::Received, update)]);
    assert_eq!(
        seen(&pair.server.messages),
        [(Direction::Sent, TICKET), (Direction::Received, update), (Direction::Sent, update)]
    );
}
