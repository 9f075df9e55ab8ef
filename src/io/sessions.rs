//! Tickets on their way between a client's stream and the store of whoever answers its questions.

use std::sync::Arc;

use rustls_pki_types::ServerName;

#[cfg(feature = "tokio")]
use super::tokio::AsyncAnswerer;
use crate::config::{ClientConfig, Tickets};
use crate::conn::{NewTicket, Offer};
use crate::moment::Moment;
use crate::policy::{Answerer, SessionStore};
use crate::psk::SessionKey;

/// Whose tickets a stream uses and adds to.
#[derive(Clone)]
pub(super) enum Keeper {
    Answerer(Arc<dyn Answerer>),
    #[cfg(feature = "tokio")]
    Async(Arc<dyn AsyncAnswerer>),
}

impl Keeper {
    fn sessions(&self) -> Option<&dyn SessionStore> {
        match self {
            Self::Answerer(answerer) => answerer.sessions(),
            #[cfg(feature = "tokio")]
            Self::Async(answerer) => answerer.sessions(),
        }
    }

    fn moment(&self) -> Moment {
        match self {
            Self::Answerer(answerer) => answerer.moment(),
            #[cfg(feature = "tokio")]
            Self::Async(answerer) => answerer.moment(),
        }
    }

    /// A ticket for this connection, if there is one. It is gone then, whatever becomes of the connection.
    pub(super) fn offer(&self, config: &ClientConfig, name: &ServerName<'static>) -> Offer {
        let sessions = match config.tickets {
            // It would not be offered.
            Tickets::Ignored => None,
            _ => self.sessions(),
        };
        match sessions.and_then(|sessions| sessions.take(&SessionKey::new(config, name.clone()))) {
            Some(ticket) => Offer::resume(ticket, self.moment()),
            None => Offer::fresh(),
        }
    }

    /// Keeps a ticket that has just arrived.
    pub(super) fn keep(&self, ticket: NewTicket) {
        if let Some(sessions) = self.sessions() {
            sessions.put(ticket.received(self.moment()));
        }
    }
}
