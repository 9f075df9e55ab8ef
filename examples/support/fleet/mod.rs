//! The parts of the fleet example: servers, a balancer that records, clients, an attacker, and the story of it all.

pub mod attacker;
pub mod balancer;
pub mod clients;
pub mod processes;
pub mod server;
pub mod story;

/// What may go wrong here is told and ends the program.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How large a fleet, and how large a load.
#[derive(Clone, Copy)]
pub struct Size {
    pub servers: usize,
    pub clients: usize,
    pub connections: usize,
}

/// The name that all servers have.
pub const NAME: &str = "fleet.example";

/// The most early data that a ticket permits, in bytes.
pub const MAX_EARLY: u32 = 1024;
