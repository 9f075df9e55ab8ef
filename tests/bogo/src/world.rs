//! What outlives a connection: the clock, tickets of both sides, first flights, credentials.

use std::sync::Arc;
use std::time::Duration;

use symbolon::Moment;
use symbolon::config::ReplayGuarded;
use symbolon::crypto::{Provider, rustcrypto};
use symbolon::policy::replay::{Guard, ReplayRegister};
use symbolon::policy::tickets::TicketRing;
use symbolon::policy::{Clock, SystemClock};
use symbolon::psk::{ChainInTicket, Ticket};

use crate::answers::Learned;
use crate::failure::Failure;
use crate::groups;

/// How far a client's view of a ticket's age may be from the server's for early data.
const WINDOW: Duration = Duration::from_secs(60);

/// What connections have in common.
pub struct World {
    pub provider: Provider,
    /// It stands still while a connection lasts.
    pub now: Moment,
    /// Server: keys of tickets.
    pub ring: TicketRing,
    /// Server: first flights.
    pub guard: Arc<Guard<ReplayRegister>>,
    /// Client: the ticket that came last.
    pub ticket: Option<Ticket>,
    /// What the last connection showed of the peer: an application keeps it beside the session.
    pub learned: Option<Learned>,
}

impl World {
    /// Before the first connection.
    pub fn new() -> Result<Self, Failure> {
        let provider = groups::extended(&rustcrypto::provider());
        let now = SystemClock.moment();
        let ring = TicketRing::random(&provider)
            .map_err(|error| Failure::Outside(error.to_string()))?
            .with_chains(ChainInTicket::Kept);
        let guard = ReplayRegister::new(64, WINDOW, now);
        Ok(Self { provider, now, ring, guard, ticket: None, learned: None })
    }

    /// Time passes between connections.
    pub fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    /// What switches early data on.
    pub fn proof(&self) -> ReplayGuarded {
        self.guard.proof().clone()
    }
}
