//! How much a record of ours carries: our own limit beside the peer's, and messages that share a record.
#![cfg(feature = "rustcrypto")]

mod support;
#[path = "support/tap.rs"]
mod tap;

use std::sync::Arc;

use support::*;
use symbolon::config::{ConfigError, ServerConfig};
use symbolon::conn::{Ask, Event, Frame, Padding, SecretLabel, SendBuf, SendHalf, Updated, frame};
use symbolon::question::{Answer, Question};
use symbolon::{Error, Misuse};
use tap::{DATA, HANDSHAKE, Tap};

/// The lengths of the records in `wire`, without their headers, and their outer types.
fn records(mut wire: &[u8]) -> Vec<(u8, usize)> {
    let mut found = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = wire {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        found.push((*kind, len));
        wire = &rest[len..];
    }
    found
}

/// Where the first record ends.
fn first_record(wire: &[u8]) -> usize {
    5 + records(wire)[0].1
}

/// What a protected record of so much content is long, without its header.
fn sealed(content: usize) -> usize {
    content + 1 + 16
}

#[test]
fn no_record_carries_more_than_its_sender_wants() {
    let mut pair = Pair::new(
        &client_config(|b| b.max_sent_content(100)),
        &server_config(|b| b.max_sent_content(512).credential(credential(Key::Rsa2048))),
    );
    let hello = records(pair.client.out.pending());
    assert!(hello.len() > 10, "a ClientHello with an ML-KEM key has many hundred bytes");
    let (last, whole) = hello.split_last().unwrap();
    assert!(whole.iter().all(|record| *record == (HANDSHAKE, 100)) && last.1 <= 100, "{hello:?}");

    pair.server.inbox = pair.client.flush();
    pair.server.run().unwrap();
    let flight = records(pair.server.out.pending());
    let plain: Vec<_> = flight.iter().filter(|(kind, _)| *kind == HANDSHAKE).map(|(_, len)| *len).collect();
    assert!(plain.len() > 1 && plain[..plain.len() - 1].iter().all(|len| *len == 512), "{plain:?}");
    let protected: Vec<_> = flight.iter().filter(|(kind, _)| *kind == DATA).map(|(_, len)| *len).collect();
    let (last, whole) = protected.split_last().unwrap();
    assert!(!whole.is_empty() && whole.iter().all(|len| *len == sealed(512)), "packed: {protected:?}");
    assert!(*last <= sealed(512));

    pair.run().unwrap();
    pair.client.conn.write(&[&[1; 250]], &mut pair.client.out).unwrap();
    assert_eq!(
        records(pair.client.out.pending()),
        [sealed(100), sealed(100), sealed(50)].map(|len| (DATA, len))
    );
    pair.server.conn.write(&[&[2; 1024]], &mut pair.server.out).unwrap();
    assert_eq!(records(pair.server.out.pending()), [(DATA, sealed(512)); 2]);
    pair.run().unwrap();
    assert_eq!((pair.server.data.len(), pair.client.data.len()), (250, 1024));
}

#[test]
fn the_smaller_of_both_limits_holds() {
    for (ours, peers, content) in [(200, 1001, 200), (1000, 201, 200), (16_384, 64, 63)] {
        let mut pair = Pair::new(
            &client_config(|b| b.record_size_limit(peers)),
            &server_config(|b| b.record_size_limit(16_385).max_sent_content(ours)),
        );
        pair.run().unwrap();
        pair.server.conn.write(&[&vec![0; content + 1]], &mut pair.server.out).unwrap();
        assert_eq!(records(pair.server.out.pending()), [(DATA, sealed(content)), (DATA, sealed(1))]);
        let mut buffer = vec![0; frame::HEAD + content + 1 + frame::TAIL];
        let out = &mut pair.server.out;
        out.advance(out.pending().len());
        let too_long = pair.server.conn.seal_frame(&mut buffer, content + 1, out);
        assert_eq!(too_long, Err(Error::Misuse(Misuse::FrameSize)));
        let longest = pair.server.conn.seal_frame(&mut buffer[1..], content, out);
        assert!(matches!(longest, Ok(Frame::Sealed(_))));
    }
}

#[test]
fn padding_stays_within_our_own_limit() {
    let client = client_config(|b| b.padding(Padding::Multiple(4096)).max_sent_content(1000));
    let mut pair = Pair::new(&client, &server_config(|b| b));
    pair.run().unwrap();
    pair.client.conn.write(&[b"short"], &mut pair.client.out).unwrap();
    assert_eq!(records(pair.client.out.pending()), [(DATA, sealed(1000))]);
}

#[test]
fn the_configuration_that_is_chosen_limits_not_the_first_one() {
    let front = ServerConfig::builder(provider()).build().unwrap();
    let mut pair = Pair::new(&client_config(|b| b), &front);
    pair.server.answers.serving = Some((server_config(|b| b.max_sent_content(64)), credential(Key::Ed25519)));
    pair.run().unwrap();
    pair.server.conn.write(&[&[0; 65]], &mut pair.server.out).unwrap();
    assert_eq!(records(pair.server.out.pending()), [(DATA, sealed(64)), (DATA, sealed(1))]);
}

#[test]
fn a_kernel_is_told_our_limit_too() {
    let mut pair = Pair::new(&client_config(|b| b.max_sent_content(300)), &server_config(|b| b));
    pair.run().unwrap();
    assert_eq!(pair.client.conn.into_kernel(&pair.client.out).unwrap().max_content, 300);
}

#[test]
fn a_limit_out_of_range_is_refused() {
    for bytes in [0, 63, 16_385] {
        let config = ServerConfig::builder(provider()).max_sent_content(bytes).build();
        assert_eq!(config.err(), Some(ConfigError::MaxSentContent(bytes)));
    }
    for bytes in [64, 16_384] {
        assert!(ServerConfig::builder(provider()).max_sent_content(bytes).build().is_ok());
    }
}

/// A server that is to seal `count` tickets and has been asked for none yet, and the keys of what it sends.
fn before_tickets(count: u8) -> (Pair, Tap) {
    let config: Arc<ServerConfig> = server_config(|b| b.tickets(count).reveal_secrets());
    let mut pair = Pair::new(&client_config(|b| b), &config);
    pair.server.hold = vec!["SealTicket"];
    pair.server.inbox = pair.client.flush();
    pair.server.run().unwrap();
    pair.client.inbox = pair.server.flush();
    pair.client.run().unwrap();
    pair.server.inbox = pair.client.flush();
    while !pair.server.conn.is_established() {
        let step = pair.server.conn.process(&mut pair.server.inbox, &mut pair.server.out).unwrap();
        let consumed = step.consumed;
        if let Event::Secret(secret) = step.event {
            pair.server.secrets.push((secret.label, secret.secret.expose().to_vec()));
        }
        pair.server.inbox.drain(..consumed);
    }
    let tap = Tap::of(&pair.server, SecretLabel::ServerTraffic);
    (pair, tap)
}

/// The next question, which is for a ticket.
fn asked(pair: &mut Pair) -> Question {
    loop {
        match pair.server.conn.process(&mut [], &mut pair.server.out).unwrap().event {
            Event::Ask(question) => return question,
            Event::Established(_) | Event::Secret(_) | Event::Progress => {}
            other => panic!("a question for a ticket, not {other:?}"),
        }
    }
}

fn answer(pair: &mut Pair, question: Question) {
    let answer = pair.server.answers.answer(question);
    pair.server.conn.resume(answer, &mut pair.server.out).unwrap();
}

/// How many NewSessionTickets each record carries that is pending.
fn tickets_by_record(pair: &mut Pair, tap: &mut Tap) -> Vec<usize> {
    let sent = pair.server.flush();
    let records = tap.read(&sent);
    assert!(records.iter().all(|(kind, _)| *kind == HANDSHAKE));
    pair.client.inbox = sent;
    let before = pair.client.tickets.len();
    pair.client.run().unwrap();
    let counts: Vec<usize> = records
        .iter()
        .map(|(_, content)| {
            let mut content = &content[..];
            let mut count = 0;
            while let [4, 0, high, low, rest @ ..] = content {
                content = &rest[usize::from(u16::from_be_bytes([*high, *low]))..];
                count += 1;
            }
            assert!(content.is_empty());
            count
        })
        .collect();
    assert_eq!(pair.client.tickets.len() - before, counts.iter().sum::<usize>());
    counts
}

#[test]
fn tickets_that_are_answered_at_once_share_a_record() {
    let (mut pair, mut tap) = before_tickets(3);
    for _ in 0..3 {
        assert!(pair.server.out.is_empty(), "nothing leaves before the last one");
        let question = asked(&mut pair);
        answer(&mut pair, question);
    }
    assert_eq!(tickets_by_record(&mut pair, &mut tap), [3]);
}

#[test]
fn a_ticket_does_not_wait_for_another_one_that_is_answered_late() {
    let (mut pair, mut tap) = before_tickets(2);
    let first = asked(&mut pair);
    answer(&mut pair, first);
    let late = asked(&mut pair);
    pair.server.run().unwrap();
    assert_eq!(tickets_by_record(&mut pair, &mut tap), [1]);
    answer(&mut pair, late);
    assert_eq!(tickets_by_record(&mut pair, &mut tap), [1], "no call is needed behind the last answer");
}

#[test]
fn a_last_question_that_brings_no_ticket_lets_the_others_go() {
    let (mut pair, mut tap) = before_tickets(2);
    let first = asked(&mut pair);
    answer(&mut pair, first);
    let Question::SealTicket(second) = asked(&mut pair) else { unreachable!("only tickets are asked for") };
    pair.server.conn.resume(second.none(), &mut pair.server.out).unwrap();
    assert_eq!(tickets_by_record(&mut pair, &mut tap), [1]);
}

#[test]
fn tickets_stand_before_whatever_is_sent_after_their_answer() {
    type Send = fn(&mut Party<symbolon::conn::Server>);
    let sends: [Send; 4] = [
        |server| {
            server.conn.write(&[b"data"], &mut server.out).unwrap();
        },
        |server| {
            server.conn.update_keys(Ask::Nobody, &mut server.out).unwrap();
        },
        |server| server.conn.close(&mut server.out),
        |server| {
            let mut buffer = [0; frame::HEAD + 4 + frame::TAIL];
            assert_eq!(server.conn.seal_frame(&mut buffer, 4, &mut server.out), Ok(Frame::FlushFirst));
        },
    ];
    for (case, send) in sends.into_iter().enumerate() {
        let (mut pair, mut tap) = before_tickets(2);
        let first = asked(&mut pair);
        answer(&mut pair, first);
        assert!(pair.server.out.is_empty());
        send(&mut pair.server);
        let sent = pair.server.flush();
        assert_eq!(tap.read(&sent[..first_record(&sent)])[0].0, HANDSHAKE, "case {case}");
        pair.client.inbox = sent;
        pair.client.run().unwrap();
        assert_eq!(pair.client.tickets.len(), 1, "case {case}");
    }
}

#[test]
fn a_connection_with_an_unsent_ticket_is_not_handed_to_the_kernel() {
    let (mut pair, _) = before_tickets(2);
    let first = asked(&mut pair);
    answer(&mut pair, first);
    let _late = asked(&mut pair);
    let Party { conn, mut out, .. } = pair.server;
    let refused = conn.into_kernel(&out).unwrap_err();
    assert_eq!(refused.why, Error::Misuse(Misuse::BytesPending));
    let mut conn = *refused.connection;
    conn.process(&mut [], &mut out).unwrap();
    out.advance(out.pending().len());
    assert!(conn.into_kernel(&out).is_ok());
}

#[test]
fn the_sending_half_sends_what_waited_when_the_connection_was_split() {
    type Send = fn(SendHalf, answer: Answer, out: &mut SendBuf);
    let sends: [(Send, usize); 4] = [
        (|mut half, late, out| half.resume(late, out).unwrap(), 2),
        (|mut half, _, out| assert_eq!(half.write(&[b"data"], out), Ok(4)), 1),
        (|mut half, _, out| assert_eq!(half.update_keys(Ask::Nobody, out), Ok(Updated::Done)), 1),
        (|half, _, out| half.close(out).unwrap(), 1),
    ];
    for (send, arrive) in sends {
        let (mut pair, mut tap) = before_tickets(2);
        let first = asked(&mut pair);
        answer(&mut pair, first);
        let late = asked(&mut pair);
        let Party { conn, mut out, mut answers, .. } = pair.server;
        let (_receiving, sending) = conn.split().unwrap();
        send(sending, answers.answer(late), &mut out);
        assert_eq!(tap.read(&out.pending()[..first_record(out.pending())])[0].0, HANDSHAKE);
        pair.client.inbox = out.pending().to_vec();
        pair.client.run().unwrap();
        assert_eq!(pair.client.tickets.len(), arrive);
    }
}
