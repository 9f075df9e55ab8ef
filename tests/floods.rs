//! What makes no progress passes up to its allowance, and is then refused with `unexpected_message`.
#![cfg(feature = "rustcrypto")]

mod support;
#[path = "support/tap.rs"]
mod tap;

use support::*;
use symbolon::conn::SecretLabel;
use symbolon::{AlertCode, Error};
use tap::*;

/// How many of the records that `make` gives pass, before one is refused with `unexpected_message`.
fn passes<E: Endpoint>(party: &mut Party<E>, mut make: impl FnMut() -> Vec<u8>) -> usize {
    for passed in 0..1000 {
        if let Err(error) = feed(party, &make()) {
            assert_eq!(error.alert(), Some(AlertCode::UNEXPECTED_MESSAGE));
            assert!(matches!(error, Error::Peer(fault) if fault.rule().starts_with("too many")), "{error:?}");
            return passed;
        }
    }
    panic!("a thousand passed");
}

/// A NewSessionTicket without extensions.
fn ticket() -> Vec<u8> {
    let body = [&[0, 0, 1, 0][..], &[1, 2, 3, 4], &[1, 0], &[0, 2, 9, 9], &[0, 0]].concat();
    [&[4, 0, 0, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

#[test]
fn empty_records_are_refused_after_32() {
    let Tapped { mut pair, mut up, mut down } = tapped();
    assert_eq!(passes(&mut pair.server, || up.seal(DATA, b"")), 32);
    assert_eq!(passes(&mut pair.client, || down.seal(DATA, b"")), 32);
}

#[test]
fn the_end_of_the_handshake_restores_the_allowance() {
    // One ChangeCipherSpec went each way.
    let tapped = || {
        let mut pair = revealing();
        pair.run().unwrap();
        let up = Tap::of(&pair.server, SecretLabel::ClientTraffic);
        let down = Tap::of(&pair.server, SecretLabel::ServerTraffic);
        (pair, up, down)
    };
    let (mut pair, mut up, mut down) = tapped();
    assert_eq!(passes(&mut pair.server, || up.seal(DATA, b"")), 32);
    assert_eq!(passes(&mut pair.client, || down.seal(DATA, b"")), 32);
    let (mut pair, mut up, mut down) = tapped();
    assert_eq!(passes(&mut pair.server, || up.seal(ALERT, &[1, 90])), 4);
    assert_eq!(passes(&mut pair.client, || down.seal(ALERT, &[1, 90])), 4);
}

#[test]
fn data_restores_the_allowance() {
    let Tapped { mut pair, mut up, .. } = tapped();
    for _ in 0..3 {
        for _ in 0..32 {
            feed(&mut pair.server, &up.seal(DATA, b"")).unwrap();
        }
        feed(&mut pair.server, &up.seal(DATA, b"x")).unwrap();
    }
    assert_eq!(passes(&mut pair.server, || up.seal(DATA, b"")), 32);
}

#[test]
fn padding_alone_is_an_empty_record() {
    let Tapped { mut pair, mut up, .. } = tapped();
    // A content type with zeros behind it: the tap writes its type last, so the padding's end is a type of 0.
    assert_eq!(passes(&mut pair.server, || up.seal(0, &[DATA, 0, 0, 0])), 32);
}

#[test]
fn key_updates_are_refused_after_32() {
    for message in [KEY_UPDATE, KEY_UPDATE_REQUESTED] {
        let Tapped { mut pair, mut up, mut down } = tapped();
        assert_eq!(passes(&mut pair.server, || up.key_update(&message)), 32);
        assert_eq!(passes(&mut pair.client, || down.key_update(&message)), 32);
    }
}

#[test]
fn single_bytes_between_do_not_pay_for_key_updates() {
    let Tapped { mut pair, mut up, .. } = tapped();
    let passed = passes(&mut pair.server, || [up.key_update(&KEY_UPDATE), up.seal(DATA, b"x")].concat());
    assert!((32..=40).contains(&passed), "{passed}");
}

#[test]
fn enough_data_pays_for_key_updates() {
    let Tapped { mut pair, mut up, .. } = tapped();
    for _ in 0..200 {
        feed(&mut pair.server, &[up.key_update(&KEY_UPDATE), up.seal(DATA, &[1; 64])].concat()).unwrap();
    }
    assert_eq!(pair.server.data.len(), 200 * 64);
}

#[test]
fn many_requests_get_one_answer_before_the_next_data() {
    let Tapped { mut pair, mut up, mut down } = tapped();
    for _ in 0..20 {
        feed(&mut pair.server, &up.key_update(&KEY_UPDATE_REQUESTED)).unwrap();
    }
    assert!(pair.server.out.is_empty(), "nothing is answered before data");
    pair.server.conn.write(&[b"data"], &mut pair.server.out).unwrap();
    pair.server.conn.write(&[b"more"], &mut pair.server.out).unwrap();
    let sent = down.read(&pair.server.flush());
    let expected = [(HANDSHAKE, KEY_UPDATE.to_vec()), (DATA, b"data".to_vec()), (DATA, b"more".to_vec())];
    assert_eq!(sent, expected);
}

#[test]
fn change_cipher_spec_is_refused_after_32_in_the_handshake_and_at_once_after_it() {
    let mut pair = revealing();
    let flight = to_server(&mut pair);
    assert_eq!(passes(&mut pair.server, || plain(CHANGE_CIPHER_SPEC, &[1])), 32);
    assert_eq!(passes(&mut pair.client, || plain(CHANGE_CIPHER_SPEC, &[1])), 32);
    drop(flight);
    let Tapped { mut pair, .. } = tapped();
    let alert = |result: Result<(), Error>| result.unwrap_err().alert();
    let spec = plain(CHANGE_CIPHER_SPEC, &[1]);
    assert_eq!(alert(feed(&mut pair.server, &spec)), Some(AlertCode::UNEXPECTED_MESSAGE));
    assert_eq!(alert(feed(&mut pair.client, &spec)), Some(AlertCode::UNEXPECTED_MESSAGE));
}

#[test]
fn user_canceled_is_refused_after_4() {
    let Tapped { mut pair, mut up, .. } = tapped();
    assert_eq!(passes(&mut pair.server, || up.seal(ALERT, &[1, 90])), 4);
    let mut pair = revealing();
    pair.client.flush();
    assert_eq!(passes(&mut pair.client, || plain(ALERT, &[1, 90])), 4);
}

#[test]
fn tickets_are_refused_after_48() {
    let Tapped { mut pair, mut down, .. } = tapped();
    assert_eq!(passes(&mut pair.client, || down.seal(HANDSHAKE, &ticket())), 48);
    let Tapped { mut pair, mut down, .. } = tapped();
    let several = ticket().repeat(8);
    assert_eq!(passes(&mut pair.client, || down.seal(HANDSHAKE, &several)), 6, "however they are packed");
}

#[test]
fn a_server_takes_no_tickets() {
    let Tapped { mut pair, mut up, .. } = tapped();
    let error = feed(&mut pair.server, &up.seal(HANDSHAKE, &ticket())).unwrap_err();
    assert_eq!(error.alert(), Some(AlertCode::UNEXPECTED_MESSAGE));
}

#[test]
fn what_tries_patience_adds_up() {
    let Tapped { mut pair, mut up, .. } = tapped();
    for _ in 0..3 {
        feed(&mut pair.server, &up.seal(ALERT, &[1, 90])).unwrap();
    }
    assert_eq!(passes(&mut pair.server, || up.seal(DATA, b"")), 8);
}
