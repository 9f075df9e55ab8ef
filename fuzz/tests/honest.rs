//! What scripts of honest peers reach: without that, the targets would fuzz refusals alone.

use symbolon::conn::{EarlyVerdict, Resumed};
use symbolon_fuzz::{client_machine, halves, pair, server_machine};

#[test]
fn a_puppet_in_the_place_of_a_server_establishes_a_client() {
    let puppet =
        client_machine::play(&[0, 0, 0, 0, 1, 0, 2, 0, 4, 0, 5, 0, 6, 0, 7, 0, 14, 1, 28, 3, 1, 2, 3]);
    assert_eq!(puppet.party.error, None);
    assert!(puppet.party.summary.is_some());
    assert_eq!(puppet.party.tickets.len(), 1);
    assert_eq!(puppet.party.data, [1, 2, 3]);
}

#[test]
fn a_puppet_in_the_place_of_a_client_establishes_a_server() {
    let puppet = server_machine::play(&[0, 0, 0, 0, 0, 0, 4, 0, 14, 1, 28, 3, 1, 2, 3]);
    assert_eq!(puppet.party.error, None);
    assert!(puppet.party.summary.is_some());
    assert_eq!(puppet.party.data, [1, 2, 3]);
}

#[test]
fn a_puppet_resumes_with_a_server_and_has_its_early_data_read() {
    let puppet = server_machine::play(&[0, 24, 0, 0, 0, 0x30, 5, 3, 1, 2, 3, 1, 0, 4, 0]);
    let summary = puppet.party.summary.as_ref().expect("it is established");
    assert_eq!(summary.resumed, Ok(Resumed::Session));
    assert_eq!(puppet.party.early, [1, 2, 3]);
}

#[test]
fn a_puppet_accepts_the_early_data_of_a_client() {
    let puppet = client_machine::play(&[0, 24, 0, 0, 30, 1, 7, 1, 0x10, 0, 2, 0x20, 6, 0]);
    assert!(puppet.party.summary.is_some());
    assert_eq!(puppet.party.verdicts, [EarlyVerdict::Accepted]);
}

#[test]
fn a_retry_leads_to_the_same_end() {
    let puppet = server_machine::play(&[0, 0, 0, 0, 0, 0x80, 0, 0, 4, 0]);
    assert!(puppet.party.summary.as_ref().is_some_and(|summary| summary.retried));
}

#[test]
fn a_pair_is_established_and_carries_data() {
    let pair = pair::play(&[0, 0, 0, 0, 0, 0, 0, 0, 32, 14, 3, 1, 2, 3, 32]);
    assert!(pair.client.summary.is_some());
    assert_eq!(pair.server.data, [1, 2, 3]);
}

#[test]
fn halves_carry_data_tickets_and_key_updates_both_ways() {
    // A server with two tickets; data up, its key update, data down in a frame, both tickets, all closed.
    let script = [0, 0, 2, 0, 0, 14, 3, 1, 2, 3, 18, 0, 17, 2, 4, 5, 23, 23, 0, 1, 21, 1, 0, 24, 25];
    let ended = halves::play(&script).expect("it is established");
    assert_eq!((&*ended.down.read, &*ended.up.read), (&[1, 2, 3][..], &[4, 5][..]));
    assert_eq!(ended.up.tickets.len(), 2);
    assert!(ended.up.peer_closed && ended.down.peer_closed);
}
