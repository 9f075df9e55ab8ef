//! Where a client keeps its tickets.

use crate::psk::{SessionKey, Ticket};

/// A client's tickets. There is no looking without taking: a ticket is good for one connection.
pub trait SessionStore: Send + Sync {
    /// Keeps a ticket under its [`key`](Ticket::key); may forget others, or this one.
    fn put(&self, ticket: Ticket);

    /// Gives a ticket for connections of this key, the one to be preferred, and forgets it.
    fn take(&self, key: &SessionKey) -> Option<Ticket>;
}
