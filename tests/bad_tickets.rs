//! Odd, malformed and useless tickets from a server (RFC 9846 section 4.7.1).
#![cfg(feature = "rustcrypto")]

mod support;

use support::Pair;
use support::forge::*;
use support::resumption::*;
use symbolon::AlertCode;
use symbolon::conn::{Client, Epoch, NotResumed, Offer};

const ILLEGAL: AlertCode = AlertCode::ILLEGAL_PARAMETER;
const DECODE: AlertCode = AlertCode::DECODE_ERROR;

/// The body of a NewSessionTicket, whose extensions are given.
fn new_ticket(lifetime: u32, nonce: &[u8], ticket: &[u8], list: &[(u16, &[u8])]) -> Vec<u8> {
    let block: Vec<u8> = list.iter().flat_map(|(kind, data)| extension(*kind, data)).collect();
    [&lifetime.to_be_bytes()[..], &[1, 2, 3, 4], &vector(1, nonce), &vector(2, ticket), &vector(2, &block)]
        .concat()
}

/// Sends tickets to an established client; gives what the client took, or its alert.
fn given(bodies: &[Vec<u8>]) -> Result<Vec<symbolon::psk::Ticket>, AlertCode> {
    let scene = Scene::of(AES128);
    let mut client = established(&scene);
    for body in bodies {
        for part in message(TICKET, body).chunks(16_384) {
            let told = client.say(Epoch::Application, HANDSHAKE, part);
            if let Err(error) = told {
                let alert = error.alert().unwrap_or_else(|| panic!("{error}"));
                assert_eq!(client.said.last(), Some(&Said::alert(Epoch::Application, alert)));
                client.stays_dead(&error, "a bad ticket");
                return Err(alert);
            }
        }
    }
    Ok(client.party.tickets.drain(..).map(|ticket| ticket.received(NOW)).collect())
}

/// A client whose server is in the test's hand from now on.
fn established(scene: &Scene) -> Puppet<Client> {
    let scene = scene.clone().serve(|b| b.tickets(0));
    let Pair { client, .. } = scene.connect(Offer::fresh());
    Puppet::new(client, Role::Client)
}

#[test]
fn odd_tickets_are_taken_dropped_or_refused() {
    let taken = |body| given(&[body]).map(|tickets| tickets.len());
    let week = 604_800;
    assert_eq!(taken(new_ticket(1, &[], b"t", &[])), Ok(1));
    assert_eq!(taken(new_ticket(week, &[9; 255], b"t", &[])), Ok(1));
    assert_eq!(taken(new_ticket(0, &[1], b"t", &[])), Ok(0), "to be discarded immediately");
    assert_eq!(taken(new_ticket(week + 1, &[1], b"t", &[])), Err(ILLEGAL));
    assert_eq!(taken(new_ticket(u32::MAX, &[1], b"t", &[])), Err(ILLEGAL));
    assert_eq!(taken(new_ticket(1, &[1], b"", &[])), Err(DECODE));
    // "Clients MUST ignore unrecognized extensions."
    assert_eq!(taken(new_ticket(1, &[1], b"t", &[(0x0A0A, b"?"), (0xFFFF, b"")])), Ok(1));
    assert_eq!(taken(new_ticket(1, &[1], b"t", &[(42, b"")])), Err(DECODE));
    assert_eq!(taken(new_ticket(1, &[1], b"t", &[(42, &[0; 5])])), Err(DECODE));
    assert_eq!(taken(new_ticket(1, &[1], b"t", &[(42, &[0; 4]), (42, &[0; 4])])), Err(ILLEGAL));
    assert_eq!(taken(new_ticket(1, &[1], b"t", &[(51, b"")])), Err(ILLEGAL));
}

#[test]
fn a_ticket_cut_anywhere_is_refused() {
    let body = new_ticket(60, &[1, 2], b"ticket", &[(42, &[0, 0, 1, 0])]);
    for len in 0..body.len() {
        assert_eq!(given(&[body[..len].to_vec()]).err(), Some(DECODE), "{len}");
    }
    assert_eq!(given(&[[&body[..], &[0]].concat()]).err(), Some(DECODE));
}

#[test]
fn a_nonce_that_comes_again_harms_only_the_server() {
    let body = new_ticket(60, &[1], b"ticket", &[]);
    let tickets = given(&[body.clone(), body]).unwrap();
    assert_eq!(tickets.len(), 2);
    for ticket in tickets {
        let scene = Scene::of(AES128);
        let pair = scene.resume(ticket);
        assert_eq!(pair.client.summary.unwrap().resumed, Err(NotResumed::Declined));
    }
}

#[test]
fn a_ticket_for_huge_early_data_is_no_more_than_a_number() {
    let mut tickets = given(&[new_ticket(60, &[1], b"t", &[(42, &[0xFF; 4])])]).unwrap();
    let ticket = tickets.pop().unwrap();
    assert_eq!(ticket.max_early_data(), u32::MAX);
    let scene = Scene::of(AES128);
    let mut client = scene.client(Offer::resume(ticket, NOW).with_early_data());
    let mut writer = client.conn.early_writer().unwrap();
    assert_eq!(writer.remaining(), u32::MAX as usize);
    assert_eq!(writer.write(&[&[1; 100_000]], &mut client.out), Ok(100_000));
    let none = given(&[new_ticket(60, &[1], b"t", &[(42, &[0; 4])])]).unwrap().pop().unwrap();
    assert_eq!(none.max_early_data(), 0);
}

#[test]
fn the_longest_ticket_that_is_taken_can_be_offered_and_longer_ones_are_dropped() {
    let room = 16 << 10;
    let ticket = |len| given(&[new_ticket(60, &[1], &vec![7; len], &[])]);
    let scene = Scene::of(AES128);
    let pair = scene.resume(ticket(room).unwrap().remove(0));
    assert_eq!(scene.memory.edit().offered[0][0].identity.len(), room);
    assert_eq!(pair.client.summary.unwrap().resumed, Err(NotResumed::Declined));
    for longer in [room + 1, 65_535] {
        assert_eq!(ticket(longer).map(|tickets| tickets.len()), Ok(0), "{longer} bytes");
    }
    let too_much = new_ticket(60, &[1; 255], &[7; 65_535], &[(0xFF00, &[0; 1_000])]);
    assert_eq!(given(&[too_much]).err(), Some(ILLEGAL), "more than the message is defined with");
}

//= testvectors/requirements/rfc9846.txt#section-4.7.1
//= type=test
//# Clients which receive a NewSessionTicket message but do not support resumption MUST silently ignore this
//# message.
#[test]
fn a_client_without_tickets_ignores_them() {
    let scene = Scene::new(|b| b.without_tickets(), |b| b);
    let mut client = established(&scene);
    client.tell(Epoch::Application, &message(TICKET, &new_ticket(60, &[1], b"t", &[]))).unwrap();
    assert!(client.party.tickets.is_empty());
    let told = client.tell(Epoch::Application, &message(TICKET, &new_ticket(60, &[1], b"", &[])));
    assert_eq!(told.unwrap_err().alert(), Some(DECODE), "a malformed one all the same");
}
