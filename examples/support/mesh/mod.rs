//! The parts of the mesh example: its authority, workloads that renew their certificates, services and callers, what is
//! permitted to whom, attacks, and the story of it all.

pub mod allow;
pub mod attacks;
pub mod audit;
pub mod authority;
pub mod caller;
pub mod http;
pub mod load;
pub mod report;
pub mod rotation;
pub mod service;
pub mod story;
pub mod workload;

use std::time::Duration;

/// What may go wrong here is told and ends the program.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Whoever belongs to the mesh is of this trust domain.
pub const TRUST_DOMAIN: &str = "mesh.example";

/// Whoever belongs to this one is believed to be of it, and permitted nothing.
pub const PARTNER: &str = "partner.example";

/// How long a peer may take to say anything.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long the mesh runs, how long its certificates live, and how many threads call at the same time.
#[derive(Clone, Copy)]
pub struct Settings {
    pub runtime: Duration,
    pub lifetime: Duration,
    pub callers: usize,
}

impl Settings {
    /// How long a connection is used: what it was authenticated with must not grow old on it.
    pub fn longest_connection(&self) -> Duration {
        (self.lifetime / 6).min(Duration::from_secs(5))
    }
}
