//! NewSessionTicket (RFC 9846 section 4.7.1): tickets for resumption, made after the handshake.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls_pki_types::ServerName;

use crate::codepoint::CipherSuite;
use crate::config::ClientConfig;
use crate::error::{Failed, Misuse};
use crate::identity::Peer;
use crate::psk::{Issued, NewTicket, SessionKey};
use crate::question::Sealed;
use crate::schedule::Resumption;
use crate::wire::new_session_ticket::{NewSessionTicket, write_new_session_ticket};

/// The longest ticket that a client keeps, in bytes. One that holds a whole certificate chain can be longer; few servers
/// take a ClientHello of that size.
const LONGEST_KEPT: usize = 16 << 10;

/// An encoded NewSessionTicket.
pub(crate) fn new_session_ticket(sealed: &Sealed) -> Result<Vec<u8>, Misuse> {
    let mut message = Vec::new();
    let ticket = NewSessionTicket {
        lifetime: sealed.lifetime,
        age_add: sealed.age_add,
        nonce: &sealed.nonce,
        ticket: &sealed.ticket,
        max_early_data_size: (sealed.max_early_data > 0).then_some(sealed.max_early_data),
    };
    write_new_session_ticket(&mut message, &ticket)?;
    #[cfg(all(test, feature = "rustcrypto"))]
    crate::handshake::replay::replace(&mut message, 0);
    Ok(message)
}

/// What a client needs of its connection when a ticket arrives.
pub struct Remember {
    pub(crate) resumption: Resumption,
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
    pub(crate) suite: CipherSuite,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) peer: Arc<Peer>,
}

impl Remember {
    /// The ticket of a NewSessionTicket; `None` when "the ticket should be discarded immediately", or it is too long.
    pub(crate) fn ticket(&self, message: &NewSessionTicket<'_>) -> Result<Option<NewTicket>, Failed> {
        if message.lifetime == 0 || message.ticket.len() > LONGEST_KEPT {
            return Ok(None);
        }
        Ok(Some(NewTicket(Box::new(Issued {
            key: SessionKey::new(&self.config, self.name.clone()),
            suite: self.suite,
            psk: self.resumption.psk(message.nonce)?,
            ticket: message.ticket.to_vec(),
            lifetime: message.lifetime,
            age_add: message.age_add,
            max_early_data: message.max_early_data_size.unwrap_or(0),
            alpn: self.alpn.clone(),
            peer: Arc::clone(&self.peer),
        }))))
    }
}
