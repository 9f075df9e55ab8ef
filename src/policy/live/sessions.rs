//! A client's tickets, as far as the servers that gave them are still trusted.

use alloc::sync::Arc;

use super::super::{SessionStore, Verification};
use crate::psk::{SessionKey, Ticket};

/// Another store, without the tickets of servers that were verified otherwise, that trust of another generation vouched
/// for, or that may not be connected to any more.
pub(in crate::policy) struct TrustedSessions {
    pub(in crate::policy) inner: Arc<dyn SessionStore>,
    pub(in crate::policy) servers: Verification,
    /// What generations are counted from.
    pub(in crate::policy) base: u64,
}

impl SessionStore for TrustedSessions {
    fn put(&self, ticket: Ticket) {
        self.inner.put(ticket);
    }

    fn take(&self, key: &SessionKey) -> Option<Ticket> {
        let trust = self.base.saturating_add(self.servers.generation());
        // Each look takes a ticket away, so this ends.
        loop {
            let ticket = self.inner.take(key)?;
            let peer = ticket.peer();
            if !peer.was_verified() || (peer.trust == trust && self.servers.admits_again(peer)) {
                return Some(ticket);
            }
        }
    }
}
