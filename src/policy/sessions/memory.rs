//! Tickets in memory, for as long as the process lives.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{SessionStore, TICKETS_EACH};
use crate::moment::Moment;
use crate::policy::{Clock, SystemClock};
use crate::psk::{SessionKey, Ticket};

/// How many servers are remembered unless told otherwise.
const SERVERS: usize = 256;

/// Tickets in memory: at most so many servers, the one whose tickets were not used for the longest time is forgotten
/// first, and behind tickets that have expired. Of a server's tickets the newest is taken first.
pub struct MemorySessions {
    clock: Arc<dyn Clock>,
    servers: usize,
    tickets_each: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    servers: HashMap<SessionKey, Server>,
    /// How many times something was put or taken.
    uses: u64,
}

/// What is kept of one server, under one configuration.
#[derive(Default)]
struct Server {
    /// The newest last.
    tickets: VecDeque<Ticket>,
    used: u64,
}

impl MemorySessions {
    /// Room for 256 servers, with 4 tickets each.
    #[must_use]
    pub fn new() -> Self {
        Self::holding(SERVERS, TICKETS_EACH)
    }

    /// Room for so many servers, with so many tickets each. A server counts once for each configuration. A ticket has
    /// the server's certificates with it: a few kilobytes.
    #[must_use]
    pub fn holding(servers: usize, tickets_each: usize) -> Self {
        Self { clock: Arc::new(SystemClock), servers, tickets_each, kept: Mutex::default() }
    }

    /// Tells by this clock instead of the system's which tickets have expired.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How many tickets there are, expired ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().servers.values().fold(0, |sum, server| sum.saturating_add(server.tickets.len()))
    }

    /// Whether there is no ticket.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().servers.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Counts one more use.
    fn use_now(&mut self) -> u64 {
        self.uses = self.uses.saturating_add(1);
        self.uses
    }

    /// Forgets what has expired, and then, if there are still `servers`, the one that was not used for the longest time.
    fn make_room(&mut self, servers: usize, now: Moment) {
        self.servers.retain(|_, server| {
            server.forget_expired(now);
            !server.tickets.is_empty()
        });
        if self.servers.len() < servers {
            return;
        }
        let oldest = self.servers.iter().min_by_key(|(_, server)| server.used).map(|(key, _)| key.clone());
        if let Some(key) = oldest {
            self.servers.remove(&key);
        }
    }
}

impl Server {
    fn forget_expired(&mut self, now: Moment) {
        self.tickets.retain(|ticket| now < ticket.expires());
    }
}

impl SessionStore for MemorySessions {
    fn put(&self, ticket: Ticket) {
        let now = self.clock.moment();
        if now >= ticket.expires() || self.servers == 0 || self.tickets_each == 0 {
            return;
        }
        let mut kept = self.lock();
        if !kept.servers.contains_key(ticket.key()) && kept.servers.len() >= self.servers {
            kept.make_room(self.servers, now);
        }
        let used = kept.use_now();
        let server = kept.servers.entry(ticket.key().clone()).or_default();
        server.used = used;
        server.forget_expired(now);
        if server.tickets.len() >= self.tickets_each {
            server.tickets.pop_front();
        }
        server.tickets.push_back(ticket);
    }

    fn take(&self, key: &SessionKey) -> Option<Ticket> {
        let now = self.clock.moment();
        let mut kept = self.lock();
        let used = kept.use_now();
        let server = kept.servers.get_mut(key)?;
        server.used = used;
        server.forget_expired(now);
        let taken = server.tickets.pop_back();
        if server.tickets.is_empty() {
            kept.servers.remove(key);
        }
        taken
    }
}

impl Default for MemorySessions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemorySessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySessions").field("tickets", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NONE, SetClock, drain, ticket};
    use super::*;

    fn store(servers: usize, tickets_each: usize) -> (MemorySessions, SetClock) {
        let clock = SetClock::default();
        (MemorySessions::holding(servers, tickets_each).with_clock(Arc::new(clock.clone())), clock)
    }

    #[test]
    fn the_newest_ticket_is_taken_first_and_none_twice() {
        let (store, _) = store(2, 3);
        for label in 1..=4 {
            store.put(ticket("a.example", label, 100));
        }
        store.put(ticket("b.example", 9, 100));
        assert_eq!(store.len(), 4);
        assert_eq!(drain(&store, "a.example"), [4, 3, 2]);
        assert_eq!(drain(&store, "b.example"), [9]);
        assert!(store.is_empty());
    }

    #[test]
    fn the_server_that_was_not_used_for_the_longest_time_is_forgotten_first() {
        let (store, _) = store(2, 2);
        store.put(ticket("a.example", 1, 100));
        store.put(ticket("a.example", 2, 100));
        store.put(ticket("b.example", 3, 100));
        assert_eq!(store.take(ticket("a.example", 0, 1).key()).unwrap().max_early_data(), 2);
        store.put(ticket("c.example", 4, 100));
        assert_eq!(drain(&store, "b.example"), NONE);
        assert_eq!((drain(&store, "a.example"), drain(&store, "c.example")), ([1].into(), [4].into()));
    }

    #[test]
    fn expired_tickets_are_not_given_and_make_room_first() {
        let (store, clock) = store(2, 2);
        store.put(ticket("short.example", 1, 10));
        store.put(ticket("long.example", 2, 100));
        assert!(store.take(ticket("other.example", 0, 1).key()).is_none());
        // Without the expired one, the other would be the next to go.
        store.put(ticket("short.example", 3, 10));
        *clock.0.lock().unwrap() = 10;
        store.put(ticket("new.example", 4, 100));
        assert_eq!(drain(&store, "short.example"), NONE);
        assert_eq!((drain(&store, "long.example"), drain(&store, "new.example")), ([2].into(), [4].into()));
        store.put(ticket("short.example", 5, 10));
        assert!(store.is_empty());
    }

    #[test]
    fn a_server_gives_up_its_expired_ticket_before_a_good_one() {
        let (store, clock) = store(1, 2);
        store.put(ticket("a.example", 1, 100));
        store.put(ticket("a.example", 2, 10));
        *clock.0.lock().unwrap() = 10;
        store.put(ticket("a.example", 3, 100));
        assert_eq!(drain(&store, "a.example"), [3, 1]);
    }

    #[test]
    fn without_room_nothing_is_kept() {
        for (servers, each) in [(0, 1), (1, 0)] {
            let (store, _) = store(servers, each);
            store.put(ticket("a.example", 1, 100));
            assert!(store.is_empty());
        }
    }
}
