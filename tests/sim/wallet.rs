//! What clients keep for later: tickets, with what the connection that they come from was.

use symbolon::identity::Identity;
use symbolon::psk::Ticket;

/// Who the two sides of a connection were.
#[derive(Clone, Debug)]
pub struct Pass {
    pub server: Identity,
    pub client: Identity,
}

/// A ticket, for one connection.
pub struct Kept {
    pub ticket: Ticket,
    pub pass: Pass,
}
