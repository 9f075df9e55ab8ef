//! Generations of credentials, and how many connections are still on each.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use rustls_pki_types::UnixTime;

use crate::config::Lease;

/// A generation of credentials, and who is on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GenerationStatus {
    /// Its number; later ones are higher.
    pub number: u64,
    /// When it was loaded, by the store's clock.
    pub since: UnixTime,
    /// How many credentials it has.
    pub credentials: usize,
    /// How many connections began with one of its credentials and have not ended, split ones once.
    pub connections: usize,
}

/// What the connections of a generation share.
pub(super) struct Tally {
    number: u64,
    since: UnixTime,
    credentials: usize,
    connections: AtomicUsize,
}

impl Tally {
    pub(super) fn new(number: u64, since: UnixTime, credentials: usize) -> Arc<Self> {
        Arc::new(Self { number, since, credentials, connections: AtomicUsize::new(0) })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Counts a connection until the lease and all its clones are dropped.
    pub(super) fn lease(self: &Arc<Self>) -> Lease {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Arc::new(Counted(Arc::clone(self)))
    }

    fn status(&self) -> GenerationStatus {
        let Self { number, since, credentials, connections } = self;
        let connections = connections.load(Ordering::Relaxed);
        GenerationStatus { number: *number, since: *since, credentials: *credentials, connections }
    }
}

/// A connection on a generation.
struct Counted(Arc<Tally>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All generations that are current or have connections. One goes by itself with the last of them: whoever may still
/// count a connection on it has it in hand.
#[derive(Default)]
pub(super) struct History(Vec<Weak<Tally>>);

impl History {
    pub(super) fn add(&mut self, tally: &Arc<Tally>) {
        self.0.retain(|tally| tally.strong_count() > 0);
        self.0.push(Arc::downgrade(tally));
    }

    pub(super) fn statuses(&mut self) -> Vec<GenerationStatus> {
        self.0.retain(|tally| tally.strong_count() > 0);
        self.0.iter().filter_map(Weak::upgrade).map(|tally| tally.status()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn a_lease_counts_once_however_often_it_is_cloned() {
        let tally = Tally::new(1, UnixTime::since_unix_epoch(Duration::ZERO), 1);
        let lease = tally.lease();
        let half = Arc::clone(&lease);
        assert_eq!(tally.status().connections, 1);
        drop(lease);
        assert_eq!(tally.status().connections, 1);
        drop(half);
        assert_eq!(tally.status().connections, 0);
    }

    #[test]
    fn a_generation_is_forgotten_with_its_last_connection() {
        let mut history = History::default();
        let tally = Tally::new(1, UnixTime::since_unix_epoch(Duration::ZERO), 1);
        history.add(&tally);
        let lease = tally.lease();
        drop(tally);
        assert_eq!(history.statuses().len(), 1);
        drop(lease);
        assert!(history.statuses().is_empty());
    }
}
