//! The states, and how a connection gets to each.

pub mod client;
pub mod open;
pub mod server;

use crate::place::Place;

/// Every state of a client.
pub fn clients() -> Vec<Place> {
    [client::PLACES, open::CLIENTS].concat()
}

/// Every state of a server.
pub fn servers() -> Vec<Place> {
    [server::PLACES, open::SERVERS].concat()
}
