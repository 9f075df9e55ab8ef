//! A server's tickets: sealed and opened with keys that are secret, as is the key in each of them.

use core::time::Duration;

use symbolon::codepoint::CipherSuite;
use symbolon::crypto::{Failed, HashSecret, Rng};
use symbolon::policy::tickets::{FleetSecret, Pushed, RingState, Schedule, TicketRing, Tickets};
use symbolon::psk::Session;

use super::Case;
use crate::link::NOW;
use crate::marked::{guard, plain, provider};
use crate::valgrind::{is_secret, make_public, make_secret, secret_bytes};

pub const CASES: &[Case] = &[
    Case { name: "tickets of a ring whose keys are pushed", run: pushed, known: &[] },
    Case { name: "tickets of a ring whose keys are derived", run: derived, known: &[] },
    Case { name: "state of a ring, sealed and opened", run: state, known: &[] },
];

const FINGERPRINT: [u8; 32] = [3; 32];
const PSK_LEN: usize = 32;

/// A ring draws 16 bytes for a key's name, which its tickets show, and 32 for the key.
struct KeyRng;

impl Rng for KeyRng {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        plain().rng.fill(out)?;
        if out.len() == 32 {
            make_secret(out);
        }
        Ok(())
    }
}

fn session() -> Session {
    let mut psk = HashSecret::copy_of(&[0xC3; PSK_LEN]).unwrap();
    guard(psk.expose());
    make_secret(psk.expose_mut());
    Session {
        suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        psk,
        age_add: 1,
        issued: NOW,
        expires: NOW.plus(Duration::from_secs(60)),
        authenticated: NOW,
        alpn: Some(b"h2".to_vec()),
        server_name: Some("example.test".into()),
        peer: None,
        max_early_data: 0,
        trust: 0,
    }
}

fn there_and_back(ring: &TicketRing) {
    let ticket = ring.issue(session(), &FINGERPRINT, NOW).unwrap();
    assert_eq!(secret_bytes(&ticket), 0, "it is sealed");
    let session = ring.take(&ticket, &FINGERPRINT, NOW).unwrap();
    assert!(is_secret(session.psk.expose()));
    let mut forged = ticket;
    *forged.last_mut().unwrap() ^= 1;
    assert!(ring.take(&forged, &FINGERPRINT, NOW).is_err());
}

fn ring_state() -> RingState {
    let mut state = RingState::new();
    state.advance(&KeyRng, &Schedule::default(), NOW).unwrap();
    state
}

fn pushed() {
    let ring = TicketRing::pushed(&provider()).unwrap();
    assert_eq!(ring.push(ring_state()), Pushed::Taken);
    there_and_back(&ring);
}

fn derived() {
    let period = Duration::from_secs(3_600);
    let secret = FleetSecret::random(&KeyRng, NOW, period).unwrap();
    let ring = TicketRing::derived(&provider(), secret, period, NOW).unwrap();
    there_and_back(&ring);
}

fn state() {
    let state = ring_state();
    let encoded = state.encode();
    let secrets = secret_bytes(&encoded);
    assert_eq!(secrets, 32 * state.generations().len());
    let mut key = [9; 32];
    make_secret(&mut key);
    let sealed = state.seal(&provider(), &key).unwrap();
    assert_eq!(secret_bytes(&sealed), 0, "it is sealed");
    make_public(&encoded);
    for generation in state.generations() {
        let at = encoded.windows(16).position(|window| window == generation.name.0).unwrap();
        guard(&encoded[at + 33..at + 65]);
    }
    let opened = RingState::open(&provider(), &key, &sealed).unwrap();
    let again = opened.encode();
    assert_eq!(secret_bytes(&again), secrets);
}
