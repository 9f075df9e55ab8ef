//! Closing (RFC 9846 section 6.1): whole, half, too early, or not at all; and alerts as they stand on the wire.
#![cfg(feature = "rustcrypto")]

mod support;
#[path = "support/tap.rs"]
mod tap;

use support::*;
use symbolon::conn::{Ask, Direction, Epoch, Event, MessageKind, Reported, SecretLabel, Step};
use symbolon::{AlertCode, Error, Misuse, Refusal};
use tap::*;

const CLOSE_NOTIFY: [u8; 2] = [1, 0];
const USER_CANCELED: [u8; 2] = [1, 90];

/// A record that no key opens.
fn garbage() -> Vec<u8> {
    plain(DATA, &[0; 32])
}

//= testvectors/requirements/rfc9846.txt#section-6.1
//= type=test
//# Each party MUST send a "close_notify" alert before closing its write side of the connection, unless it
//# has already sent some error alert.
#[test]
fn each_side_closes_for_itself() {
    let Tapped { mut pair, mut up, mut down } = tapped();
    pair.client.conn.close(&mut pair.client.out);
    let sent = pair.client.flush();
    assert_eq!(up.read(&sent), [(ALERT, CLOSE_NOTIFY.to_vec())]);
    feed(&mut pair.server, &sent).unwrap();
    assert!(pair.server.closed);
    assert!(pair.server.out.is_empty(), "nothing is answered by itself");
    // The server's direction stays open, updates of keys included.
    pair.send_down(b"still here");
    pair.server.conn.update_keys(Ask::Nobody, &mut pair.server.out).unwrap();
    pair.send_down(b"and here");
    assert_eq!(pair.client.data, b"still hereand here");
    assert!(!pair.client.closed);
    pair.server.conn.close(&mut pair.server.out);
    pair.run().unwrap();
    assert!(pair.client.closed);
    assert_eq!((pair.client.conn.eof(), pair.server.conn.eof()), (Ok(()), Ok(())));
    drop(down.seal(DATA, b""));
}

#[test]
fn close_notify_is_sent_once_and_ends_writing() {
    let Tapped { mut pair, .. } = tapped();
    pair.client.conn.close(&mut pair.client.out);
    pair.client.flush();
    pair.client.conn.close(&mut pair.client.out);
    assert!(pair.client.out.is_empty());
    let closed = Error::Misuse(Misuse::WriteClosed);
    assert_eq!(pair.client.conn.write(&[b"x"], &mut pair.client.out), Err(closed.clone()));
    assert_eq!(pair.client.conn.seal_frame(&mut [0; 30], 1, &mut pair.client.out), Err(closed));
    assert!(pair.client.out.is_empty());
}

//= testvectors/requirements/rfc9846.txt#section-6.1
//= type=test
//# Any data received after a closure alert has been received MUST be ignored.
#[test]
fn close_notify_is_consumed_and_what_follows_is_ignored() {
    let Tapped { mut pair, mut up, .. } = tapped();
    let notify = up.seal(ALERT, &CLOSE_NOTIFY);
    let len = notify.len();
    let mut input = [notify, up.seal(DATA, b"late"), garbage()].concat();
    let Step { consumed, event } = pair.server.conn.process(&mut input, &mut pair.server.out).unwrap();
    assert_eq!(consumed, len);
    assert!(matches!(event, Event::PeerClosed));
    let rest = &mut input[consumed..];
    let len = rest.len();
    let Step { consumed, event } = pair.server.conn.process(rest, &mut pair.server.out).unwrap();
    assert_eq!(consumed, len);
    assert!(matches!(event, Event::NeedInput { .. }));
    assert_eq!(pair.server.conn.eof(), Ok(()));
}

//= testvectors/requirements/rfc9846.txt#section-6.1
//= type=test
//# the TLS implementation MUST receive a "close_notify" alert before indicating end-of-data to the
//# application layer
#[test]
fn an_end_without_close_notify_is_a_truncation() {
    let Tapped { mut pair, mut up, .. } = tapped();
    pair.send_up(b"most of it");
    assert_eq!(pair.server.conn.eof(), Err(Error::Truncated));
    assert!(pair.server.out.is_empty(), "the transport is gone: no alert");
    let again = feed(&mut pair.server, &up.seal(DATA, b"x"));
    assert_eq!(again, Err(Error::Truncated));
    assert_eq!(pair.server.conn.write(&[b"x"], &mut pair.server.out), Err(Error::Truncated));
    assert_eq!(pair.server.conn.eof(), Err(Error::Truncated));
}

#[test]
fn an_end_in_the_handshake_is_a_truncation() {
    let mut pair = revealing();
    assert_eq!(pair.client.conn.eof(), Err(Error::Truncated));
    let mut pair = revealing();
    assert_eq!(pair.server.conn.eof(), Err(Error::Truncated));
    to_server(&mut revealing());
    let mut pair = revealing();
    to_server(&mut pair);
    assert_eq!(pair.server.conn.eof(), Err(Error::Truncated));
    assert_eq!(pair.client.conn.eof(), Err(Error::Truncated));
}

#[test]
fn an_end_in_the_middle_of_a_record_is_a_truncation() {
    let Tapped { mut pair, mut up, .. } = tapped();
    let record = up.seal(ALERT, &CLOSE_NOTIFY);
    feed(&mut pair.server, &record[..record.len() - 1]).unwrap();
    assert_eq!(pair.server.conn.eof(), Err(Error::Truncated));
}

#[test]
fn our_own_close_does_not_excuse_a_truncation() {
    let mut pair = Pair::established();
    pair.client.conn.close(&mut pair.client.out);
    assert_eq!(pair.client.conn.eof(), Err(Error::Truncated));
}

//= testvectors/requirements/rfc9846.txt#section-6.1
//= type=test
//# This alert MUST be sent with AlertLevel=warning.
//= testvectors/requirements/rfc9846.txt#section-6.1
//= type=test
//# This alert MUST be followed by a "close_notify".
//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# Alert messages (Section 6) MUST NOT be fragmented across records, and multiple alert messages MUST
//# NOT be coalesced into a single TLSPlaintext record.
#[test]
fn a_client_cancels_in_plaintext_before_the_server_hello() {
    let mut pair = revealing();
    let hello = pair.client.flush();
    pair.client.conn.close(&mut pair.client.out);
    let sent = pair.client.flush();
    assert_eq!(sent, [plain(ALERT, &USER_CANCELED), plain(ALERT, &CLOSE_NOTIFY)].concat());
    pair.client.conn.close(&mut pair.client.out);
    assert!(pair.client.out.is_empty());
    let result = feed(&mut pair.server, &[hello, sent].concat());
    assert_eq!(result, Err(Error::ClosedInHandshake));
}

#[test]
fn a_client_cancels_under_handshake_keys_after_the_server_hello() {
    let mut pair = revealing();
    let flight = records(&to_server(&mut pair));
    feed(&mut pair.client, &flight[0]).unwrap();
    pair.client.conn.close(&mut pair.client.out);
    let sent = pair.client.flush();
    let mut keys = Tap::of(&pair.client, SecretLabel::ClientHandshakeTraffic);
    let sent_records = records(&sent);
    assert_eq!(sent_records[0], plain(CHANGE_CIPHER_SPEC, &[1]));
    let alerts = keys.read(&sent_records[1..].concat());
    assert_eq!(alerts, [(ALERT, USER_CANCELED.to_vec()), (ALERT, CLOSE_NOTIFY.to_vec())]);
    assert_eq!(feed(&mut pair.server, &sent), Err(Error::ClosedInHandshake));
    assert!(pair.server.out.is_empty(), "a closure is not answered by an alert");
}

#[test]
fn a_server_cancels_under_handshake_keys_inside_its_flight() {
    let mut pair = revealing();
    pair.server.inbox = pair.client.flush();
    // Up to the question for a signature, which stays open.
    loop {
        let Step { consumed, event } =
            pair.server.conn.process(&mut pair.server.inbox, &mut pair.server.out).unwrap();
        let waits = matches!(event, Event::Ask(_));
        if let Event::Secret(secret) = event {
            pair.server.secrets.push((secret.label, secret.secret.expose().to_vec()));
        }
        pair.server.inbox.drain(..consumed);
        if waits {
            break;
        }
    }
    pair.server.conn.close(&mut pair.server.out);
    let sent = pair.server.flush();
    let mut keys = Tap::of(&pair.server, SecretLabel::ServerHandshakeTraffic);
    let read = keys.read(&records(&sent)[2..].concat());
    let alerts: Vec<_> = read.into_iter().filter(|(kind, _)| *kind == ALERT).collect();
    assert_eq!(alerts, [(ALERT, USER_CANCELED.to_vec()), (ALERT, CLOSE_NOTIFY.to_vec())]);
    assert_eq!(feed(&mut pair.client, &sent), Err(Error::ClosedInHandshake));
}

#[test]
fn a_server_cancels_under_application_keys_after_its_finished() {
    let mut pair = revealing();
    let flight = to_server(&mut pair);
    pair.server.conn.close(&mut pair.server.out);
    let sent = pair.server.flush();
    let mut keys = Tap::of(&pair.server, SecretLabel::ServerTraffic);
    assert_eq!(keys.read(&sent), [(ALERT, USER_CANCELED.to_vec()), (ALERT, CLOSE_NOTIFY.to_vec())]);
    // The client's handshake is complete by then: for it the server closed an open connection.
    feed(&mut pair.client, &[flight, sent].concat()).unwrap();
    assert!(pair.client.closed);
}

#[test]
fn nothing_is_sent_after_a_handshake_was_canceled() {
    let mut pair = revealing();
    let flight = to_server(&mut pair);
    pair.client.conn.close(&mut pair.client.out);
    pair.client.flush();
    assert_eq!(feed(&mut pair.client, &flight), Err(Error::ClosedInHandshake));
    assert!(pair.client.out.is_empty());
    assert!(!pair.client.conn.is_established());
}

#[test]
fn user_canceled_alone_is_passed_over() {
    let Tapped { mut pair, mut up, .. } = tapped();
    feed(&mut pair.server, &[up.seal(ALERT, &USER_CANCELED), up.seal(DATA, b"and on")].concat()).unwrap();
    assert_eq!(pair.server.data, b"and on");
    assert!(!pair.server.closed);
}

//= testvectors/requirements/rfc9846.txt#section-6
//= type=test
//# Upon receiving an error alert, the TLS implementation SHOULD indicate an error to the application and
//# MUST NOT allow any further data to be sent or received on the connection.
//= testvectors/requirements/rfc9846.txt#section-6.2
//= type=test
//# Upon transmission or receipt of a fatal alert message, both parties MUST immediately close the
//# connection.
#[test]
fn an_error_alert_ends_both_directions_whatever_its_level() {
    for level in [1, 2, 77] {
        for code in [AlertCode::HANDSHAKE_FAILURE, AlertCode(200)] {
            let Tapped { mut pair, mut up, .. } = tapped();
            let error = Error::Alert(code);
            assert_eq!(feed(&mut pair.server, &up.seal(ALERT, &[level, code.0])), Err(error.clone()));
            assert!(pair.server.out.is_empty(), "an alert is not answered");
            assert_eq!(feed(&mut pair.server, &up.seal(DATA, b"x")), Err(error.clone()));
            assert_eq!(pair.server.conn.write(&[b"x"], &mut pair.server.out), Err(error.clone()));
            assert_eq!(pair.server.conn.eof(), Err(error));
            pair.server.conn.close(&mut pair.server.out);
            assert!(pair.server.out.is_empty());
        }
    }
}

//= testvectors/requirements/rfc9846.txt#section-6
//= type=test
//# All the alerts listed in Section 6.2 MUST be sent with AlertLevel=fatal and MUST be treated as error
//# alerts when received regardless of the AlertLevel in the message.
#[test]
fn an_error_of_ours_is_told_once_at_the_fatal_level() {
    let Tapped { mut pair, mut down, .. } = tapped();
    let error = feed(&mut pair.server, &garbage()).unwrap_err();
    assert_eq!(error.alert(), Some(AlertCode::BAD_RECORD_MAC));
    assert_eq!(pair.server.run(), Err(error));
    assert_eq!(down.read(&pair.server.flush()), [(ALERT, vec![2, AlertCode::BAD_RECORD_MAC.0])]);
}

#[test]
fn an_application_ends_its_connection_with_an_alert_of_its_choice() {
    let Tapped { mut pair, mut down, .. } = tapped();
    let refusal = || Refusal::text(AlertCode::ACCESS_DENIED, "not on the list");
    pair.server.conn.abort(refusal(), &mut pair.server.out);
    assert_eq!(down.read(&pair.server.flush()), [(ALERT, vec![2, AlertCode::ACCESS_DENIED.0])]);
    pair.server.conn.abort(refusal(), &mut pair.server.out);
    assert!(pair.server.out.is_empty(), "told once");
    let error = Error::Refused(refusal());
    assert_eq!(pair.server.conn.write(&[b"x"], &mut pair.server.out), Err(error.clone()));
    assert_eq!(pair.server.conn.eof(), Err(error));
}

#[test]
fn an_error_after_our_close_sends_nothing_more() {
    let Tapped { mut pair, .. } = tapped();
    pair.server.conn.close(&mut pair.server.out);
    pair.server.flush();
    feed(&mut pair.server, &garbage()).unwrap_err();
    assert!(pair.server.out.is_empty());
}

#[test]
fn an_alert_that_was_not_sent_is_not_reported() {
    let mut pair = Pair::new(&client_config(|b| b.report_messages()), &server_config(|b| b));
    pair.run().unwrap();
    pair.client.conn.close(&mut pair.client.out);
    feed(&mut pair.client, &garbage()).unwrap_err();
    let _ = pair.client.run();
    let sent = |message: &&Reported| message.direction == Direction::Sent;
    let last = pair.client.messages.iter().rfind(sent).unwrap();
    assert_eq!(last.kind, MessageKind::Alert(AlertCode::CLOSE_NOTIFY));
}

#[test]
fn an_alert_is_reported_with_the_keys_that_protect_it() {
    let reports = || server_config(|b| b.report_messages());
    let epoch = |pair: &mut Pair| {
        let _ = pair.server.run();
        let alert = MessageKind::Alert(AlertCode::CLOSE_NOTIFY);
        pair.server.messages.iter().rfind(|message| message.kind == alert).unwrap().epoch
    };
    let mut pair = Pair::new(&client_config(|b| b), &reports());
    pair.server.conn.close(&mut pair.server.out);
    assert_eq!(epoch(&mut pair), Epoch::Plaintext);
    // Behind our own Finished, before the client's.
    let mut pair = Pair::new(&client_config(|b| b), &reports());
    to_server(&mut pair);
    pair.server.conn.close(&mut pair.server.out);
    assert_eq!(epoch(&mut pair), Epoch::Application);
}

#[test]
fn what_came_before_an_error_is_delivered() {
    let Tapped { mut pair, mut up, .. } = tapped();
    let input = [up.seal(DATA, b"one"), up.seal(DATA, b"two"), garbage()].concat();
    assert!(feed(&mut pair.server, &input).is_err());
    assert_eq!(pair.server.data, b"onetwo");
}

#[test]
fn an_alert_must_be_whole_and_alone() {
    for content in [&[1][..], &[1, 0, 1, 0], &[2, 40, 0]] {
        let Tapped { mut pair, mut up, .. } = tapped();
        let error = feed(&mut pair.server, &up.seal(ALERT, content)).unwrap_err();
        assert_eq!(error.alert(), Some(AlertCode::DECODE_ERROR), "{content:?}");
    }
}

#[test]
fn a_plaintext_alert_is_refused_once_there_are_keys() {
    let Tapped { mut pair, .. } = tapped();
    let error = feed(&mut pair.server, &plain(ALERT, &CLOSE_NOTIFY)).unwrap_err();
    assert_eq!(error.alert(), Some(AlertCode::UNEXPECTED_MESSAGE));
    let mut pair = revealing();
    let flight = records(&to_server(&mut pair));
    feed(&mut pair.client, &flight[0]).unwrap();
    let error = feed(&mut pair.client, &plain(ALERT, &[2, 40])).unwrap_err();
    assert_eq!(error.alert(), Some(AlertCode::UNEXPECTED_MESSAGE));
}

#[test]
fn a_server_believes_a_plaintext_alert_before_the_first_protected_record() {
    let mut pair = revealing();
    to_server(&mut pair);
    let refused = AlertCode::PROTOCOL_VERSION;
    assert_eq!(feed(&mut pair.server, &plain(ALERT, &[2, refused.0])), Err(Error::Alert(refused)));
}

#[test]
fn close_notify_inside_a_fragmented_message_is_refused() {
    let Tapped { mut pair, mut up, .. } = tapped();
    let input = [up.seal(HANDSHAKE, &KEY_UPDATE[..3]), up.seal(ALERT, &CLOSE_NOTIFY)].concat();
    let error = feed(&mut pair.server, &input).unwrap_err();
    assert_eq!(error.alert(), Some(AlertCode::UNEXPECTED_MESSAGE));
}
