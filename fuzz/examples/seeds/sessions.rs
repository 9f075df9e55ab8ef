//! Sessions, tickets and rings as the library encodes them.

use std::sync::Arc;
use std::time::Duration;

use symbolon::Moment;
use symbolon::fuzzing::null;
use symbolon::policy::tickets::{FleetSecret, RingState, Schedule, TicketRing, Tickets};
use symbolon::psk::{ChainInTicket, Session};
use symbolon_fuzz::{pair, tickets};

use crate::seed;

const NOW: Moment = Moment::from_secs(1_800_000_000);

pub fn make() {
    let session = |session: &Session, name: &str| {
        let encoded = session.encode(ChainInTicket::Kept).expect("it fits");
        seed("tickets", &format!("session-{name}"), &[&[2][..], &encoded].concat());
        seed("tickets", &format!("sealed-{name}"), &[&[0, 0, 0, 0, 9][..], &encoded].concat());
    };
    session(&tickets::example(), "plain");
    // Flags: mutual authentication, with certificates and with raw keys; and a ticket for the client.
    for (name, flags) in [("mutual", [8, 0]), ("raw", [8, 0x80]), ("alpn", [0, 2])] {
        let made = pair::play(&[&flags[..], &[flags[0] | 2, flags[1]], &[0; 4]].concat());
        if let Some(peer) = made.server.summary.as_ref().and_then(|summary| summary.peer.clone()) {
            session(&Session { peer: Some(Arc::clone(&peer)), ..tickets::example() }, name);
        }
        for ticket in made.client.tickets {
            let encoded = ticket.received(NOW).encode().expect("it fits");
            seed("tickets", &format!("ticket-{name}"), &[&[3][..], &encoded].concat());
        }
    }
    rings();
}

fn rings() {
    let provider = null::provider();
    let mut state = RingState::new();
    for hours in 0..3 {
        let now = NOW.plus(Duration::from_secs(hours * 7 * 3600));
        state.advance(&*provider.rng, &Schedule::default(), now).expect("the null provider draws");
    }
    seed("tickets", "state", &[&[4][..], &state.encode()].concat());
    let sealed = state.seal(&provider, &[7; 32]).expect("the null provider seals");
    seed("tickets", "sealed-state", &[&[4][..], &sealed].concat());
    let secret = FleetSecret::new(&[1; 32], NOW, Duration::from_secs(3600));
    seed("tickets", "fleet", &[&[5][..], &secret.encode()].concat());
    let ring = TicketRing::random(&null::provider()).expect("the null provider has a suite");
    let ticket = ring.issue(tickets::example(), b"fingerprint", NOW).expect("it fits");
    seed("tickets", "whole", &[&[1][..], &ticket].concat());
}
