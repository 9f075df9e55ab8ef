//! Where a client keeps its tickets: in memory, or in a file for programs that run for a moment.
//!
//! Knows tickets, a clock and, for the file alone, the operating system. Opens and offers nothing.

mod file;
mod memory;

pub use file::{FileSessions, SessionFileError};
pub use memory::MemorySessions;

use crate::psk::{SessionKey, Ticket};

/// How many tickets of one server are kept unless told otherwise: browsers and the like open several connections.
const TICKETS_EACH: usize = 4;

/// A client's tickets. There is no looking without taking: a ticket is good for one connection.
pub trait SessionStore: Send + Sync {
    /// Keeps a ticket under its [`key`](Ticket::key); may forget others, or this one.
    fn put(&self, ticket: Ticket);

    /// Gives a ticket for connections of this key, the one to be preferred, and forgets it.
    fn take(&self, key: &SessionKey) -> Option<Ticket>;
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;
    use alloc::vec::Vec;
    use core::time::Duration;
    use std::sync::Mutex;

    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

    use super::*;
    use crate::codepoint::CipherSuite;
    use crate::crypto::HashSecret;
    use crate::identity::{Identity, Peer};
    use crate::moment::Moment;
    use crate::policy::Clock;
    use crate::psk::{Issued, NewTicket};

    pub(super) const NONE: [u32; 0] = [];

    /// A clock that a test sets.
    #[derive(Clone, Default)]
    pub(super) struct SetClock(pub(super) Arc<Mutex<u64>>);

    impl Clock for SetClock {
        fn now(&self) -> UnixTime {
            UnixTime::since_unix_epoch(Duration::from_secs(*self.0.lock().unwrap()))
        }
    }

    pub(super) fn key(name: &'static str) -> SessionKey {
        SessionKey { server_name: ServerName::try_from(name).unwrap(), configuration: [9; 32] }
    }

    /// A ticket that arrived at 0 and lives for `lifetime` seconds; `label` tells it from others.
    pub(super) fn ticket(name: &'static str, label: u8, lifetime: u32) -> Ticket {
        let never = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
        let chain = Vec::from([CertificateDer::from([3].to_vec())]);
        let issued = Issued {
            key: key(name),
            suite: CipherSuite::TLS_AES_128_GCM_SHA256,
            psk: HashSecret::copy_of(&[7; 32]).unwrap(),
            ticket: Vec::from([label]),
            lifetime,
            age_add: 1,
            max_early_data: u32::from(label),
            alpn: None,
            peer: Arc::new(Peer::new(Identity::Dns { name: name.into() }, chain, never)),
        };
        NewTicket(alloc::boxed::Box::new(issued)).received(Moment::from_secs(0))
    }

    /// The labels of the tickets that a store gives for this name, until it has none.
    pub(super) fn drain(store: &dyn SessionStore, name: &'static str) -> Vec<u32> {
        core::iter::from_fn(|| store.take(&key(name))).map(|ticket| ticket.max_early_data()).collect()
    }
}
