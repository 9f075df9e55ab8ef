//! A client's tickets, as far as the servers that gave them are still trusted.

use alloc::sync::Arc;

use super::super::SessionStore;
use super::trust::TrustStore;
use crate::psk::{SessionKey, Ticket};

/// Another store, without the tickets of servers that trust of another generation vouched for.
///
/// Tickets that come from a file have lost what vouched for their server: they count as generation 0.
pub(in crate::policy) struct TrustedSessions {
    pub(in crate::policy) inner: Arc<dyn SessionStore>,
    pub(in crate::policy) trust: TrustStore,
}

impl SessionStore for TrustedSessions {
    fn put(&self, ticket: Ticket) {
        self.inner.put(ticket);
    }

    fn take(&self, key: &SessionKey) -> Option<Ticket> {
        let generation = self.trust.generation();
        // Each look takes a ticket away, so this ends.
        loop {
            let ticket = self.inner.take(key)?;
            let peer = ticket.peer();
            if peer.trust == generation || !peer.was_verified() {
                return Some(ticket);
            }
        }
    }
}
