//! Handshake bytes behind a message that changes keys, in the same record: refused, whole or begun.
#![cfg(feature = "rustcrypto")]

mod support;
#[path = "support/tap.rs"]
mod tap;

use support::*;
use symbolon::codepoint::NamedGroup;
use symbolon::conn::SecretLabel;
use symbolon::{AlertCode, Error};
use tap::*;

/// What may stand behind a message: a whole one, and the beginnings of one.
const TAILS: [&[u8]; 4] = [&KEY_UPDATE, &[8, 0, 0, 2, 0, 0], &[8], &[20, 0, 0, 32, 1]];

/// Nothing behind the message is accepted; anything is `unexpected_message`.
fn only_alone(deliver: impl Fn(&[u8]) -> Result<(), Error>) {
    assert_eq!(deliver(&[]), Ok(()));
    for tail in TAILS {
        let error = deliver(tail).unwrap_err();
        assert_eq!(error.alert(), Some(AlertCode::UNEXPECTED_MESSAGE), "{tail:?}");
        assert!(matches!(error, Error::Peer(fault) if fault.rule().contains("changes keys")), "{error:?}");
    }
}

#[test]
fn nothing_follows_the_client_hello() {
    only_alone(|tail| {
        let mut pair = revealing();
        let hello = pair.client.flush();
        let result = feed(&mut pair.server, &extended(&hello, tail));
        if result.is_err() {
            assert_eq!(pair.server.flush(), [21, 3, 3, 0, 2, 2, 10], "a plaintext alert");
        }
        result
    });
}

#[test]
fn nothing_follows_the_server_hello() {
    only_alone(|tail| {
        let mut pair = revealing();
        let flight = records(&to_server(&mut pair));
        let result = feed(&mut pair.client, &extended(&flight[0], tail));
        if result.is_err() {
            assert_eq!(pair.client.flush(), [21, 3, 3, 0, 2, 2, 10], "a plaintext alert");
        }
        result
    });
}

#[test]
fn a_plaintext_record_behind_the_server_hello_is_refused() {
    let mut pair = revealing();
    let flight = records(&to_server(&mut pair));
    let error = feed(&mut pair.client, &[flight[0].clone(), plain(22, &[8, 0, 0, 2, 0, 0])].concat());
    assert_eq!(error.unwrap_err().alert(), Some(AlertCode::UNEXPECTED_MESSAGE));
}

#[test]
fn nothing_follows_the_hello_retry_request_nor_its_answer() {
    let pair = || {
        Pair::new(
            &client_config(|b| b.groups(&[NamedGroup::SECP256R1, NamedGroup::X25519])),
            &server_config(|b| b.groups(&[NamedGroup::X25519])),
        )
    };
    only_alone(|tail| {
        let mut pair = pair();
        let retry = records(&to_server(&mut pair));
        feed(&mut pair.client, &extended(&retry[0], tail))
    });
    only_alone(|tail| {
        let mut pair = pair();
        let retry = to_server(&mut pair);
        feed(&mut pair.client, &retry).unwrap();
        let mut second = records(&pair.client.flush());
        let hello = second.pop().unwrap();
        feed(&mut pair.server, &second.concat()).unwrap();
        feed(&mut pair.server, &extended(&hello, tail))
    });
}

#[test]
fn nothing_follows_the_servers_finished() {
    only_alone(|tail| {
        let mut pair = revealing();
        let mut flight = records(&to_server(&mut pair));
        let mut keys = Tap::of(&pair.server, SecretLabel::ServerHandshakeTraffic);
        let last = flight.pop().unwrap();
        // The first two records are the ServerHello and the ChangeCipherSpec.
        for record in &flight[2..] {
            keys.open(record);
        }
        let sequence = u64::try_from(flight.len() - 2).unwrap();
        let (kind, content) = keys.open(&last);
        let sealed = keys.at(sequence).seal(kind, &[&content, tail].concat());
        feed(&mut pair.client, &flight.concat()).unwrap();
        feed(&mut pair.client, &sealed)
    });
}

#[test]
fn nothing_follows_the_clients_finished() {
    only_alone(|tail| {
        let mut pair = revealing();
        let flight = to_server(&mut pair);
        feed(&mut pair.client, &flight).unwrap();
        let mut keys = Tap::of(&pair.client, SecretLabel::ClientHandshakeTraffic);
        let answer = records(&pair.client.flush());
        assert_eq!(answer.len(), 2, "ChangeCipherSpec and Finished");
        let (kind, content) = keys.open(&answer[1]);
        let sealed = keys.at(0).seal(kind, &[&content, tail].concat());
        feed(&mut pair.server, &[&answer[0][..], &sealed].concat())
    });
}

//= testvectors/requirements/rfc9846.txt#section-4.7.3
//= type=test
//# both sides MUST enforce that a KeyUpdate with the old key is received before accepting any messages
//# encrypted with the new key
#[test]
fn nothing_follows_a_key_update() {
    for message in [KEY_UPDATE, KEY_UPDATE_REQUESTED] {
        only_alone(|tail| {
            let Tapped { mut pair, mut up, .. } = tapped();
            feed(&mut pair.server, &up.seal(HANDSHAKE, &[&message, tail].concat()))
        });
        only_alone(|tail| {
            let Tapped { mut pair, mut down, .. } = tapped();
            feed(&mut pair.client, &down.seal(HANDSHAKE, &[&message, tail].concat()))
        });
    }
}

#[test]
fn a_key_update_in_fragments_changes_keys_after_the_last() {
    let Tapped { mut pair, mut up, .. } = tapped();
    let (head, rest) = KEY_UPDATE.split_at(2);
    let fragments = [up.seal(HANDSHAKE, head), up.key_update(rest)].concat();
    feed(&mut pair.server, &[fragments, up.seal(DATA, b"new keys")].concat()).unwrap();
    assert_eq!(pair.server.data, b"new keys");
}
