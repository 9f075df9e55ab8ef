//! What holds in every story, whatever happens: a function a rule.

use symbolon::conn::{EarlyVerdict, Epoch};
use symbolon::identity::Peer as Known;
use symbolon::{AlertCode, Error, Misuse};

use super::peer::Peer;
use super::toy;

/// Plaintext is what was sent, in order; there is nothing else.
pub fn only_what_was_sent_is_delivered(delivered: &[u8], sent: &[u8]) {
    assert!(delivered == sent, "delivered what was not sent");
}

/// An answer serves the connection that asked, and harms no other.
pub fn a_foreign_answer_is_refused(peer: &Peer, refused: Result<(), Error>) {
    match (refused, &peer.log.error) {
        (Err(Error::Misuse(Misuse::WrongAnswer | Misuse::NoQuestion)), None) => {}
        (Err(error), Some(before)) if error == *before => {}
        (Err(Error::Misuse(Misuse::WriteClosed)), _) if peer.conn.is_halved() => {}
        (Err(Error::Misuse(Misuse::WrongAnswer)), Some(_)) if peer.conn.is_halved() => {}
        (refused, _) => panic!("an answer of another connection: {refused:?}"),
    }
}

/// A failed connection repeats its error, says nothing more, and has forgotten its keys.
pub fn an_error_is_final(peer: &mut Peer) {
    let error = peer.log.error.clone().expect("an error");
    let pending = peer.out.pending().len();
    for result in peer.poke() {
        assert_eq!(result, Err(error.clone()), "the error is not repeated");
    }
    assert_eq!(peer.out.pending().len(), pending, "something was said behind an error");
    if !peer.conn.is_halved() {
        assert_eq!(toy::keys_of(peer.owner), 0, "keys outlive an error");
    }
}

/// Every error that has an alert has exactly that alert on the wire, as the last record, under the keys that are due.
pub fn the_alert_that_is_due_was_sent(peer: &Peer) {
    let error = peer.log.error.as_ref().expect("an error");
    let sent = peer.tap.farewell();
    let fatal = peer.tap.alerts.iter().filter(|alert| alert.level == 2).count();
    assert!(fatal <= 1, "more than one error alert");
    if peer.provider_failed() {
        // Where the provider failed, nothing may be able to seal the alert.
        assert!(sent.is_none_or(|alert| Some(AlertCode(alert.code)) == error.alert()));
        return;
    }
    match error.alert() {
        // Nothing follows our own close_notify, and a sending half that is gone says nothing.
        Some(_) if peer.closing => assert_eq!(sent, None, "an alert behind our close_notify"),
        Some(code) => {
            let alert = sent.unwrap_or_else(|| panic!("no alert for {error:?}"));
            assert_eq!(AlertCode(alert.code), code, "another alert for {error:?}");
            assert_eq!(alert.epoch, peer.tap.due_epoch(), "the keys of the alert for {error:?}");
        }
        None => assert_eq!(sent, None, "an alert for {error:?}"),
    }
    if *error == Error::ClosedInHandshake && peer.closing {
        let [user_canceled, close_notify] = &peer.tap.alerts[..] else { panic!("how it was canceled") };
        assert_eq!((user_canceled.code, close_notify.code), (90, 0));
        assert_eq!([user_canceled.epoch, close_notify.epoch], [peer.tap.due_epoch(); 2]);
    }
}

/// The keys of the application protect what is said at the end of an open connection.
pub fn a_close_is_protected(peer: &Peer) {
    if peer.tap.closed() && peer.log.established.is_some() {
        assert_eq!(peer.tap.alerts.last().unwrap().epoch, Epoch::Application);
    }
}

/// Two sides that both completed a handshake with each other have equal secrets, and see the same of it.
pub fn both_ends_agree(client: &Peer, server: &Peer) {
    let (Some(mine), Some(theirs)) = (&client.log.established, &server.log.established) else { return };
    assert_eq!(client.log.exported, server.log.exported, "the exporters differ");
    assert_eq!((mine.suite, mine.group), (theirs.suite, theirs.group));
    assert_eq!((&mine.alpn, mine.signature), (&theirs.alpn, theirs.signature));
    assert_eq!(mine.server_name, theirs.server_name);
    assert_eq!(mine.retried, theirs.retried);
    assert_eq!(mine.resumed.ok(), theirs.resumed.ok());
    assert_eq!(mine.early_data.is_ok(), theirs.early_data.is_ok());
    let accepted = client.log.verdict.map(|verdict| verdict == EarlyVerdict::Accepted);
    assert_eq!(accepted.unwrap_or(false), mine.early_data.is_ok(), "another verdict");
    if mine.early_data.is_ok() {
        assert_eq!(client.log.early_exported, server.log.early_exported, "the early exporters differ");
        assert!(client.log.early_exported.is_some());
        assert_eq!(server.log.early_got, client.early_sent, "early data was lost");
    } else {
        assert_eq!(server.log.early_got, 0, "early data was delivered and refused");
    }
}

/// An end is clean only after the peer's close_notify, and behind everything that it sent.
pub fn a_clean_end_misses_nothing(receiver: &Peer, sender: &Peer) {
    if receiver.log.peer_closed {
        assert!(sender.tap.closed(), "a close_notify that nobody sent");
        assert_eq!(receiver.log.got, sender.sent, "a clean end, and data is missing");
    }
}

/// What is reported as sent is what is on the wire, in order, with what protects it.
pub fn reports_are_true(peer: &Peer) {
    if peer.provider_failed() || peer.conn.is_halved() {
        return;
    }
    assert_eq!(peer.log.reported, peer.tap.said, "what was reported, and what was said");
}

/// What is told before the first byte of early data is so in the end, too.
pub fn early_data_was_announced_truly(server: &Peer) {
    let Some(opening) = &server.log.opening else { return assert_eq!(server.log.early_got, 0) };
    assert!(server.log.early_got <= opening.max as usize, "more early data than is permitted");
    let Some(summary) = &server.log.established else { return };
    assert_eq!((opening.suite, &opening.alpn), (summary.suite, &summary.alpn));
    assert_eq!(opening.server_name, summary.server_name);
    let identity = |peer: &Option<_>| peer.as_ref().map(|peer: &std::sync::Arc<Known>| peer.identity.clone());
    assert_eq!(identity(&opening.peer), identity(&summary.peer));
}

/// Not more than was sent, and all of what is on the wire was written.
pub fn what_was_written_was_said(peer: &Peer) {
    if peer.provider_failed() {
        // A call that failed does not tell how much of it was sealed before.
        return assert!(peer.tap.data >= peer.sent && peer.tap.early >= peer.early_sent);
    }
    assert_eq!(peer.tap.data, peer.sent, "data on the wire");
    assert_eq!(peer.tap.early, peer.early_sent, "early data on the wire");
}

/// Whoever was told of an alert knows it for the peer's.
pub fn an_alert_is_understood(sender: &Peer, receiver: &Peer) {
    let Some(alert) = sender.tap.farewell() else { return };
    if !receiver.inbox.is_empty() && receiver.log.error.is_none() && !receiver.held.is_empty() {
        // It waits behind a question.
        return;
    }
    match &receiver.log.error {
        Some(Error::Alert(code)) => assert_eq!(code.0, alert.code, "another alert than was sent"),
        // It failed by itself, or closed the handshake itself.
        Some(_) => {}
        None => panic!("the alert {} was not understood", AlertCode(alert.code)),
    }
}

/// How many bytes one call may need at most, and give back again or keep.
pub fn one_call_needs_little_memory(peak: isize, received: usize, fullest: usize) {
    let bound = 32 * 1024 + 4 * received.min(1 << 17) + 3 * fullest;
    assert!(peak <= bound as isize, "one call needed {peak} bytes, {bound} are permitted");
}

/// What a connection may hold when it ends.
pub fn a_connection_holds_little_memory(peer: &Peer, weight: isize, halved: bool) {
    // The keys of toys are small.
    let keys = if peer.desk.provider.name == "toy" { 200 } else { 4000 };
    let bound = match (&peer.log.error, peer.log.established.is_some()) {
        // An error's text, nothing else.
        (Some(_), _) if !halved => 600,
        // Keys and counters.
        (_, true) => 1024 + keys,
        _ => 24 * 1024 + keys + 4 * peer.received as isize,
    };
    assert!(weight <= bound, "{weight} bytes held, {bound} permitted, error {:?}", peer.log.error);
}

/// An output buffer grows to twice what waits in it, and a record.
pub fn an_output_buffer_is_bounded(weight: isize, fullest: usize, limit: usize) {
    let record = (1 << 14) + 256 + 5;
    // Handshake messages and alerts, whose size is bounded by the protocol, may exceed the limit.
    assert!(weight as usize <= 2 * fullest + record, "{weight} bytes for {fullest}");
    assert!(fullest <= limit + 3 * record, "{fullest} bytes wait, the limit is {limit}");
}

/// No key outlives its connection.
pub fn all_keys_are_gone(peer: &Peer) {
    assert_eq!(toy::keys_of(peer.owner), 0, "keys outlive their connection");
}

/// Early data is delivered at most once by those who share a guard.
pub fn early_data_is_delivered_once(times: usize) {
    assert!(times <= 1, "early data was delivered {times} times");
}

/// It is delivered only if its client sent it, and no more than that.
pub fn early_data_was_sent(delivered: usize, sent: Option<usize>) {
    assert!(sent.is_some_and(|sent| delivered <= sent), "{delivered} bytes of early data, {sent:?} sent");
}

/// Somebody who recorded what others said completes no handshake and gets no data through.
pub fn a_recording_completes_nothing(peer: &Peer) {
    assert!(peer.log.established.is_none(), "a recording completed a handshake");
    assert_eq!(peer.log.got, 0, "a recording was delivered as data");
    assert!(!peer.log.peer_closed, "a recording ended cleanly");
}
