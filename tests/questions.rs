//! Questions and answers: whose an answer is, what waits for it, and what a refusal does.
#![cfg(feature = "rustcrypto")]

mod support;
#[path = "support/tap.rs"]
mod tap;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use support::*;
use symbolon::config::{ClientAuth, ClientConfig, ServerConfig};
use symbolon::conn::{Event, NotResumed, Step};
use symbolon::crypto::{Failed, Provider, Rng};
use symbolon::question::{Answer, PeerEvidence, Question};
use symbolon::{AlertCode, Error, Misuse, Refusal};
use tap::*;

/// The length of what a connection draws to tell its questions from another's; nothing else is as long.
const CONNECTION: usize = 16;

/// Repeats itself on every connection, except for what distinguishes their questions.
struct Repeating {
    connection: u8,
    drawn: AtomicU64,
}

impl Rng for Repeating {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        if out.len() == CONNECTION {
            out.fill(self.connection);
            return Ok(());
        }
        for byte in out {
            let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
            *byte = u8::try_from(drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56).unwrap();
        }
        Ok(())
    }
}

fn repeating(connection: u8) -> Provider {
    Provider { rng: Arc::new(Repeating { connection, drawn: AtomicU64::new(0) }), ..provider() }
}

/// Processes until a question is asked.
fn question<E: Endpoint>(party: &mut Party<E>) -> Question {
    loop {
        let Step { consumed, event } = party.conn.process(&mut party.inbox, &mut party.out).unwrap();
        let asked = match event {
            Event::Ask(question) => Some(question),
            Event::NeedInput { .. } | Event::Waiting => panic!("no question"),
            _ => None,
        };
        party.inbox.drain(..consumed);
        if let Some(question) = asked {
            return question;
        }
    }
}

/// Nothing is read while a question is out.
fn waits<E: Endpoint>(party: &mut Party<E>) {
    for _ in 0..3 {
        let mut input = party.inbox.clone();
        let step = party.conn.process(&mut input, &mut party.out).unwrap();
        assert!(matches!((step.consumed, step.event), (0, Event::Waiting)));
        assert_eq!(input, party.inbox, "what is not consumed was not touched");
    }
}

fn refusal(alert: AlertCode) -> Refusal {
    Refusal::text(alert, "refused for the test's sake")
}

const WRONG: Error = Error::Misuse(Misuse::WrongAnswer);

#[test]
fn an_answer_to_another_connections_question_is_refused_and_harms_nothing() {
    let server = |connection| {
        let config = ServerConfig::builder(repeating(connection)).build().unwrap();
        let mut party = server(&config);
        party.answers.serving = Some((server_config(|b| b), credential(Key::Ed25519)));
        party
    };
    let client = |connection| client(&ClientConfig::builder(repeating(connection)).build().unwrap());
    let (mut client_a, mut client_b) = (client(1), client(2));
    let mut server_b = server(4);
    let hello = client_a.flush();
    assert_eq!(hello, client_b.flush(), "the first flights are the same, byte for byte");
    server_b.inbox = hello.clone();

    // Configure and Sign; the question of A that is answered is lost to A, so each round has another A.
    for round in 0..2 {
        let mut server_a = server(5 + round);
        server_a.inbox = hello.clone();
        for _ in 0..round {
            let own = question(&mut server_a);
            let own = server_a.answers.answer(own);
            server_a.conn.resume(own, &mut server_a.out).unwrap();
        }
        let (asked_a, asked_b) = (question(&mut server_a), question(&mut server_b));
        assert_eq!(asked_a.name(), asked_b.name());
        let foreign = server_a.answers.answer(asked_a);
        assert_eq!(server_b.conn.resume(foreign, &mut server_b.out), Err(WRONG));
        waits(&mut server_b);
        let own = server_b.answers.answer(asked_b);
        server_b.conn.resume(own, &mut server_b.out).unwrap();
    }
    server_b.run().unwrap();

    // VerifyPeer, on two clients that got the same flight.
    let flight = server_b.flush();
    client_a.inbox = flight.clone();
    client_b.inbox = flight;
    let (asked_a, asked_b) = (question(&mut client_a), question(&mut client_b));
    let foreign = client_a.answers.answer(asked_a);
    assert_eq!(client_b.conn.resume(foreign, &mut client_b.out), Err(WRONG));
    waits(&mut client_b);
    let own = client_b.answers.answer(asked_b);
    client_b.conn.resume(own, &mut client_b.out).unwrap();
    let mut pair = Pair { client: client_b, server: server_b };
    pair.client.run().unwrap();
    pair.run().unwrap();
    pair.send_up(b"B completes with its own answers");
    assert_eq!(pair.server.data, b"B completes with its own answers");
}

#[test]
fn a_late_ticket_of_another_connection_is_refused() {
    let tickets = || Pair::new(&client_config(|b| b), &server_config(|b| b.tickets(1)));
    let established = || {
        let mut pair = tickets();
        let flight = to_server(&mut pair);
        feed(&mut pair.client, &flight).unwrap();
        pair.server.inbox = pair.client.flush();
        let question = question(&mut pair.server);
        assert_eq!(question.name(), "SealTicket");
        (pair, question)
    };
    let (mut a, asked_a) = established();
    let (mut b, asked_b) = established();
    let foreign = a.server.answers.answer(asked_a);
    assert_eq!(b.server.conn.resume(foreign, &mut b.server.out), Err(WRONG));
    assert!(b.server.out.is_empty());
    // The question pauses nothing: data flows before it is answered.
    b.send_down(b"before");
    let own = b.server.answers.answer(asked_b);
    b.server.conn.resume(own, &mut b.server.out).unwrap();
    assert!(!b.server.out.is_empty());
    b.send_down(b" and after");
    assert_eq!(b.client.data, b"before and after");
}

#[test]
fn an_answer_without_a_question_is_refused_and_harms_nothing() {
    let mut other = Pair::standard();
    other.server.inbox = other.client.flush();
    let asked = question(&mut other.server);
    let stray = other.server.answers.answer(asked);
    let mut pair = Pair::standard();
    assert_eq!(pair.client.conn.resume(stray, &mut pair.client.out), Err(Error::Misuse(Misuse::NoQuestion)));
    pair.run().unwrap();
    assert!(pair.client.summary.is_some());
}

#[test]
fn an_earlier_answer_does_not_fit_a_later_question() {
    // Sign of connection A is answered; its VerifyPeer is another question of the same connection.
    let required = ClientAuth::Required { authorities: Vec::new() };
    let config = server_config(|b| b.client_auth(required));
    let mut pair = Pair::new(&client_config(|b| b), &config);
    pair.client.answers.credential = Some(credential(Key::P256));
    let asked = |pair: &mut Pair| {
        pair.server.inbox.extend(pair.client.flush());
        question(&mut pair.server)
    };
    let Question::Sign(sign) = asked(&mut pair) else { panic!("Sign comes first") };
    let answer = sign.with_own_key(&*provider().rng);
    pair.server.conn.resume(answer, &mut pair.server.out).unwrap();
    pair.server.run().unwrap();
    pair.client.inbox = pair.server.flush();
    pair.client.run().unwrap();
    let verify = asked(&mut pair);
    assert_eq!(verify.name(), "VerifyPeer");
    waits(&mut pair.server);
    let answer = pair.server.answers.answer(verify);
    pair.server.conn.resume(answer, &mut pair.server.out).unwrap();
    pair.server.run().unwrap();
    assert!(pair.server.summary.unwrap().peer.is_some());
}

#[test]
fn a_dropped_question_leaves_the_connection_waiting() {
    let mut pair = Pair::standard();
    pair.server.inbox = pair.client.flush();
    drop(question(&mut pair.server));
    pair.server.inbox = vec![1, 2, 3];
    waits(&mut pair.server);
    pair.server.conn.close(&mut pair.server.out);
    assert!(pair.server.run().is_err());
}

#[test]
fn another_thread_may_answer() {
    let mut pair = Pair::standard();
    pair.server.inbox = pair.client.flush();
    let asked = question(&mut pair.server);
    let mut answers = pair.server.answers.clone();
    let answer = thread::spawn(move || answers.answer(asked)).join().unwrap();
    let mut server = pair.server;
    let server = thread::spawn(move || {
        server.conn.resume(answer, &mut server.out).unwrap();
        server
    });
    let mut pair = Pair { server: server.join().unwrap(), client: pair.client };
    pair.server.run().unwrap();
    pair.run().unwrap();
    pair.send_up(b"x");
}

/// Refuses the first question of `name` with `alert`; the other side must hear of it.
fn refused(mut pair: Pair, name: &str, alert: AlertCode, refuse: impl Fn(Question, Refusal) -> Answer) {
    let turn = |pair: &mut Pair, server: bool| -> Option<Error> {
        macro_rules! side {
            ($party:expr) => {{
                let party = $party;
                loop {
                    let step = match party.conn.process(&mut party.inbox, &mut party.out) {
                        Ok(step) => step,
                        Err(error) => return Some(error),
                    };
                    let consumed = step.consumed;
                    let asked = match step.event {
                        Event::Ask(question) => Some(question),
                        Event::NeedInput { .. } => return None,
                        _ => None,
                    };
                    party.inbox.drain(..consumed);
                    let Some(asked) = asked else { continue };
                    let answer = if asked.name() == name {
                        refuse(asked, refusal(alert))
                    } else {
                        party.answers.answer(asked)
                    };
                    if let Err(error) = party.conn.resume(answer, &mut party.out) {
                        return Some(error);
                    }
                }
            }};
        }
        if server { side!(&mut pair.server) } else { side!(&mut pair.client) }
    };
    let expected = Error::Refused(refusal(alert));
    for _ in 0..6 {
        let up = pair.client.flush();
        pair.server.inbox.extend(up);
        if let Some(error) = turn(&mut pair, true) {
            assert_eq!(error, expected, "{name}");
            pair.client.inbox = pair.server.flush();
            assert_eq!(turn(&mut pair, false), Some(Error::Alert(alert)), "{name}");
            assert_eq!(turn(&mut pair, true), Some(error), "the error stays");
            return;
        }
        let down = pair.server.flush();
        pair.client.inbox.extend(down);
        if let Some(error) = turn(&mut pair, false) {
            assert_eq!(error, expected, "{name}");
            pair.server.inbox = pair.client.flush();
            assert_eq!(turn(&mut pair, true), Some(Error::Alert(alert)), "{name}");
            return;
        }
    }
    panic!("{name} was not asked");
}

#[test]
fn every_refusal_tells_the_peer_with_its_alert() {
    let mutual = || {
        let required = ClientAuth::Required { authorities: Vec::new() };
        let mut pair = Pair::new(&client_config(|b| b), &server_config(|b| b.client_auth(required)));
        pair.client.answers.credential = Some(credential(Key::P256));
        pair
    };
    let fronted = Pair::new(&client_config(|b| b), &ServerConfig::builder(provider()).build().unwrap());
    refused(fronted, "Configure", AlertCode::UNRECOGNIZED_NAME, |asked, why| match asked {
        Question::Configure(asked) => asked.refused(why),
        _ => unreachable!(),
    });
    refused(Pair::standard(), "Sign", AlertCode::INTERNAL_ERROR, |asked, why| match asked {
        Question::Sign(asked) => asked.failed(why),
        _ => unreachable!(),
    });
    for (pair, alert) in
        [(Pair::standard(), AlertCode::UNKNOWN_CA), (Pair::standard(), AlertCode::BAD_CERTIFICATE)]
    {
        refused(pair, "VerifyPeer", alert, |asked, why| match asked {
            Question::VerifyPeer(asked) => asked.refused(why),
            _ => unreachable!(),
        });
    }
    refused(mutual(), "ChooseCredential", AlertCode::GENERAL_ERROR, |asked, why| match asked {
        Question::ChooseCredential(asked) => asked.refused(why),
        _ => unreachable!(),
    });
}

#[test]
fn a_server_may_refuse_its_client() {
    let required = ClientAuth::Required { authorities: Vec::new() };
    let mut pair = Pair::new(&client_config(|b| b), &server_config(|b| b.client_auth(required)));
    pair.client.answers.credential = Some(credential(Key::P256));
    let flight = to_server(&mut pair);
    feed(&mut pair.client, &flight).unwrap();
    pair.server.inbox = pair.client.flush();
    let Question::VerifyPeer(asked) = question(&mut pair.server) else { panic!("VerifyPeer comes now") };
    assert!(asked.name().is_none(), "a client has no name to speak for");
    assert!(matches!(asked.evidence(), PeerEvidence::Fresh(_)));
    let answer = asked.refused(refusal(AlertCode::ACCESS_DENIED));
    assert!(pair.server.conn.resume(answer, &mut pair.server.out).is_err());
    let alert = pair.server.flush();
    assert_eq!(feed(&mut pair.client, &alert), Err(Error::Alert(AlertCode::ACCESS_DENIED)));
}

#[test]
fn a_ticket_without_content_is_no_ticket() {
    // RFC 9846 section 4.7.1: a ticket has at least one byte, so that the client would refuse the message.
    let mut pair = Pair::new(&client_config(|b| b), &server_config(|b| b.tickets(1)));
    let flight = to_server(&mut pair);
    feed(&mut pair.client, &flight).unwrap();
    pair.server.inbox = pair.client.flush();
    let Question::SealTicket(asked) = question(&mut pair.server) else { panic!("SealTicket comes now") };
    pair.server.conn.resume(asked.sealed(Vec::new(), 60), &mut pair.server.out).unwrap();
    assert!(pair.server.out.is_empty());
}

#[test]
fn a_ticket_that_is_not_sealed_costs_nothing() {
    let mut pair = Pair::new(&client_config(|b| b), &server_config(|b| b.tickets(1)));
    let flight = to_server(&mut pair);
    feed(&mut pair.client, &flight).unwrap();
    pair.server.inbox = pair.client.flush();
    let Question::SealTicket(asked) = question(&mut pair.server) else { panic!("SealTicket comes now") };
    pair.server.conn.resume(asked.none(), &mut pair.server.out).unwrap();
    assert!(pair.server.out.is_empty());
    pair.server.run().unwrap();
    pair.send_up(b"x");
}

/// Adds psk_key_exchange_modes and a pre_shared_key with two identities to a ClientHello record.
fn with_psk(hello: &[u8]) -> Vec<u8> {
    let identity = |name: &[u8]| {
        let len = u16::try_from(name.len()).unwrap().to_be_bytes();
        [&len[..], name, &[0, 0, 0, 7]].concat()
    };
    let vector = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let identities = vector(&[identity(b"one"), identity(b"two")].concat());
    let binders = vector(&[[&[32][..], &[1; 32]].concat(), [&[32][..], &[2; 32]].concat()].concat());
    let modes = [0, 45, 0, 2, 1, 1];
    let psk = [&[0, 41][..], &vector(&[identities, binders].concat())].concat();
    let added = modes.len() + psk.len();

    let mut message = [&hello[5..], &modes, &psk].concat();
    // Header, version, random, session id, suites, compression: then the length of the extensions.
    let mut at = 4 + 2 + 32;
    at += 1 + usize::from(message[at]);
    at += 2 + usize::from(u16::from_be_bytes([message[at], message[at + 1]]));
    at += 1 + usize::from(message[at]);
    let grown = usize::from(u16::from_be_bytes([message[at], message[at + 1]])) + added;
    message[at..at + 2].copy_from_slice(&u16::try_from(grown).unwrap().to_be_bytes());
    let len = u32::try_from(message.len() - 4).unwrap().to_be_bytes();
    message[1..4].copy_from_slice(&len[1..]);
    plain(HANDSHAKE, &message)
}

#[test]
fn a_server_asks_for_configuration_then_keys_then_a_signature() {
    let mut server = server(&ServerConfig::builder(provider()).build().unwrap());
    server.answers.serving = Some((server_config(|b| b), credential(Key::P256)));
    server.inbox = with_psk(&client(&client_config(|b| b.without_tickets())).flush());
    let Question::Configure(asked) = question(&mut server) else { panic!("Configure comes first") };
    assert_eq!(asked.offered().server_name.as_deref(), Some("example.test"));
    let answer = server.answers.answer(Question::Configure(asked));
    server.conn.resume(answer, &mut server.out).unwrap();
    let Question::LookupPsk(asked) = question(&mut server) else { panic!("LookupPsk comes second") };
    let identities: Vec<(&[u8], u32)> = asked
        .identities()
        .iter()
        .map(|offered| (&offered.identity[..], offered.obfuscated_ticket_age))
        .collect();
    assert_eq!(identities, [(&b"one"[..], 7), (&b"two"[..], 7)], "all at once, in the client's order");
    assert!(server.out.is_empty());
    waits(&mut server);
    server.conn.resume(asked.none(NotResumed::Unknown), &mut server.out).unwrap();
    let asked = question(&mut server);
    assert_eq!(asked.name(), "Sign");
    assert!(!server.out.is_empty(), "what waits at a question may be flushed");
}

#[test]
fn both_sides_ask_in_the_order_of_the_handshake() {
    let required = ClientAuth::Required { authorities: Vec::new() };
    let back = server_config(|b| b.client_auth(required).tickets(2));
    let mut pair = Pair::new(&client_config(|b| b), &ServerConfig::builder(provider()).build().unwrap());
    pair.server.answers.serving = Some((back, credential(Key::P256)));
    pair.client.answers.credential = Some(credential(Key::Ed25519));
    pair.run().unwrap();
    assert_eq!(pair.client.answers.asked, ["VerifyPeer", "ChooseCredential", "Sign"]);
    assert_eq!(pair.server.answers.asked, ["Configure", "Sign", "VerifyPeer", "SealTicket", "SealTicket"]);
}
