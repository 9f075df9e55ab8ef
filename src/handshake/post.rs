//! NewSessionTicket (RFC 9846 section 4.7.1): tickets for resumption, made after the handshake.

use alloc::vec::Vec;

use crate::error::Misuse;
use crate::question::Sealed;
use crate::wire::new_session_ticket::{NewSessionTicket, write_new_session_ticket};

/// An encoded NewSessionTicket.
pub(crate) fn new_session_ticket(sealed: &Sealed) -> Result<Vec<u8>, Misuse> {
    let mut message = Vec::new();
    let ticket = NewSessionTicket {
        lifetime: sealed.lifetime,
        age_add: sealed.age_add,
        nonce: &sealed.nonce,
        ticket: &sealed.ticket,
        max_early_data_size: None,
    };
    write_new_session_ticket(&mut message, &ticket)?;
    #[cfg(all(test, feature = "rustcrypto"))]
    crate::handshake::replay::replace(&mut message, 0);
    Ok(message)
}
