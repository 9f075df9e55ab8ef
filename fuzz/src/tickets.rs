//! Whatever a client hands back as a ticket, whatever a file holds where sessions and keys are kept: it is refused, or it is
//! a value that is written as it was read.
//!
//! Input: a byte that says what is read, then its bytes. Tickets are sealed by the null provider, whose tags cover no
//! bodies, so that any session can stand in one.

use symbolon::Moment;
use symbolon::codepoint::CipherSuite;
use symbolon::crypto::HashSecret;
use symbolon::fuzzing::null;
use symbolon::policy::tickets::{FleetSecret, RingState, TicketRing, Tickets};
use symbolon::psk::{ChainInTicket, Session, Ticket};

use crate::Script;

const NOW: Moment = Moment::from_secs(1_800_000_000);

/// Version, name of the key and nonce of a ticket.
const HEADER: usize = 1 + 16 + 12;

pub fn run(input: &[u8]) {
    let mut script = Script::new(input);
    match script.byte() % 6 {
        0 => by_ring(&mut script),
        1 => whole(script.rest()),
        2 => session(script.rest()),
        3 => {
            let bytes = script.rest();
            if let Some(ticket) = Ticket::decode(bytes) {
                let encoded = ticket.encode().expect("what was read fits");
                let twice = Ticket::decode(&encoded).expect("what was written is read");
                assert_eq!(*twice.encode().expect("it fits again"), *encoded);
                assert_eq!(
                    (ticket.key(), ticket.suite(), ticket.alpn()),
                    (twice.key(), twice.suite(), twice.alpn())
                );
            }
        }
        4 => {
            let bytes = script.rest();
            if let Some(state) = RingState::decode(bytes) {
                let encoded = state.encode();
                assert_eq!(
                    *RingState::decode(&encoded).expect("what was written is read").encode(),
                    *encoded
                );
                let ring = TicketRing::pushed(&null::provider()).expect("the null provider has a suite");
                ring.push(state);
                drop((ring.issue(example(), b"f", NOW), ring.generations(NOW)));
            }
            drop(RingState::open(&null::provider(), &[7; 32], bytes));
        }
        _ => {
            let bytes = script.rest();
            if let Some(secret) = FleetSecret::decode(bytes) {
                let encoded = secret.encode();
                assert_eq!(
                    *FleetSecret::decode(&encoded).expect("what was written is read").encode(),
                    *encoded
                );
                derived(secret);
            }
        }
    }
}

/// A ring of keys that come from a secret takes back what it gave out.
fn derived(secret: FleetSecret) {
    let day = std::time::Duration::from_secs(86_400);
    let Ok(ring) = TicketRing::derived(&null::provider(), secret, day, NOW) else { return };
    if let Some(ticket) = ring.issue(example(), b"f", NOW) {
        assert!(ring.take(&ticket, b"f", NOW).is_ok() && ring.lifetime(NOW) > 0);
    }
    let later = NOW.plus(9 * day);
    ring.rotate(later);
    let _ = (ring.lifetime(later), ring.generations(later), ring.provision(later));
}

/// A session, as a server makes them.
#[must_use]
pub fn example() -> Session {
    Session {
        suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        psk: HashSecret::copy_of(&[3; 32]).expect("32 bytes fit"),
        age_add: 1,
        issued: NOW,
        expires: Moment::from_secs(1_800_003_600),
        authenticated: NOW,
        alpn: Some(b"h2".to_vec()),
        server_name: Some("example.test".into()),
        peer: None,
        max_early_data: 0,
        trust: 0,
    }
}

/// A ticket of a ring whose session is any bytes.
fn by_ring(script: &mut Script<'_>) {
    let ring = TicketRing::random(&null::provider()).expect("the null provider has a suite");
    let mut ticket = ring.issue(example(), b"fingerprint", NOW).expect("it fits");
    let now = NOW.plus(std::time::Duration::from_secs(script.u32().into()));
    let tag = ticket.split_off(ticket.len() - 16);
    ticket.truncate(HEADER);
    ticket.extend_from_slice(script.rest());
    ticket.extend(tag);
    if let Ok(taken) = ring.take(&ticket, b"fingerprint", now) {
        assert!(ticket.len() <= 1024 && now < taken.expires);
        session(&ticket[HEADER..ticket.len() - 16]);
    }
}

/// A ticket that is any bytes.
fn whole(ticket: &[u8]) {
    let ring = TicketRing::random(&null::provider()).expect("the null provider has a suite");
    assert!(ring.issue(example(), b"fingerprint", NOW).is_some());
    drop(ring.take(ticket, b"fingerprint", NOW));
}

fn session(encoded: &[u8]) {
    let Some(session) = Session::decode(encoded) else { return };
    let again = session.encode(ChainInTicket::Kept).expect("what was read fits");
    let twice = Session::decode(&again).expect("what was written is read");
    assert_eq!(*twice.encode(ChainInTicket::Kept).expect("it fits again"), *again);
    let left = session.encode(ChainInTicket::Left).expect("less fits too");
    assert!(Session::decode(&left).is_some() && left.len() <= again.len());
    let _ = session.check_times(NOW, std::time::Duration::from_secs(10));
}
