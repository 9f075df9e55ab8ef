//! Messages after the handshake that both sides may send (RFC 9846 section 4.7).

use alloc::vec::Vec;

use crate::error::Misuse;
use crate::question::Sealed;
use crate::wire::key_update::{KeyUpdateRequest, write_key_update};
use crate::wire::new_session_ticket::{NewSessionTicket, write_new_session_ticket};

/// An encoded KeyUpdate.
pub(crate) fn key_update(request: KeyUpdateRequest) -> Result<Vec<u8>, Misuse> {
    let mut message = Vec::new();
    write_key_update(&mut message, request)?;
    Ok(message)
}

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
    Ok(message)
}
