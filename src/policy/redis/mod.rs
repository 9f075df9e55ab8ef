//! What a fleet of servers shares by way of Redis: one memory of first flights, and one ring of ticket keys.
//!
//! One master, not a Cluster, reached without a proxy in between. All that Redis says is judged: a store that was
//! emptied, restarted, replaced or left to evict keys makes early data be refused, never accepted twice.

mod examine;
mod guard;
mod judge;
mod keeper;
mod line;
mod memory;
mod ring;
mod settings;
mod status;

pub use guard::RedisGuard;
pub use ring::{RingPublisher, RingRefused, RingWatcher, Sightings};
pub use settings::{BadSettings, RedisSettings};
pub use status::RedisStatus;
