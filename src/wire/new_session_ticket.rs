//! NewSessionTicket (RFC 9846 section 4.7.1).

use alloc::vec::Vec;

use super::ext::{Extensions, In, check_request, early_data, non_empty};
use super::message::write_message;
use super::{Reader, U8, U16};
use crate::codepoint::{ExtensionType, HandshakeType};
use crate::error::{Fault, Misuse};

/// The longest ticket_lifetime: seven days in seconds.
pub(crate) const MAX_LIFETIME: u32 = 604_800;

/// A ticket as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSessionTicket<'a> {
    /// ticket_lifetime: at most 604,800 seconds; zero says that the ticket should be discarded.
    pub lifetime: u32,
    /// ticket_age_add: what obscures the ticket's age.
    pub age_add: u32,
    /// ticket_nonce: at most 255 bytes.
    pub nonce: &'a [u8],
    /// The ticket: at least one byte.
    pub ticket: &'a [u8],
    /// max_early_data_size in bytes; `None` when the ticket may not be used for early data.
    pub max_early_data_size: Option<u32>,
}

impl<'a> NewSessionTicket<'a> {
    /// Reads the body of a NewSessionTicket; unknown extensions are ignored.
    ///
    /// # Errors
    /// `decode_error`, `illegal_parameter` for a lifetime above seven days and for a repeated or misplaced
    /// extension.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut r = Reader::new(body);
        let lifetime = r.u32()?;
        let age_add = r.u32()?;
        let nonce = r.vec::<U8>()?;
        let ticket = non_empty::<U16>(&mut r, "a ticket must not be empty")?;
        let block = r.vec::<U16>()?;
        r.finish()?;
        // RFC 9846 section 4.7.1: "Servers MUST NOT use any value greater than 604800 seconds (7 days)."
        if lifetime > MAX_LIFETIME {
            return Err(Fault::illegal_parameter("ticket_lifetime must be at most seven days"));
        }
        let mut max_early_data_size = None;
        for extension in Extensions::new(block) {
            let (kind, data) = extension?;
            //= testvectors/requirements/rfc9846.txt#section-4.7.1
            //# Clients MUST ignore unrecognized extensions.
            //= testvectors/requirements/rfc9846.txt#section-9.3
            //# In TLS 1.3, a client receiving a CertificateRequest or NewSessionTicket MUST also ignore all
            //# unrecognized extensions.
            check_request(kind, In::NewSessionTicket)?;
            if kind == ExtensionType::EARLY_DATA {
                max_early_data_size = Some(early_data::parse_ticket(data)?);
            }
        }
        Ok(Self { lifetime, age_add, nonce, ticket, max_early_data_size })
    }
}

/// Writes a NewSessionTicket message, header included.
///
/// # Errors
/// [`Misuse::TooLong`] when a value does not fit its field; `out` is then as it was before.
pub(crate) fn write_new_session_ticket(
    out: &mut Vec<u8>,
    ticket: &NewSessionTicket<'_>,
) -> Result<(), Misuse> {
    write_message(out, HandshakeType::NEW_SESSION_TICKET, |w| {
        w.u32(ticket.lifetime);
        w.u32(ticket.age_add);
        w.vec::<U8>(ticket.nonce)?;
        w.vec::<U16>(ticket.ticket)?;
        w.block::<U16>(|w| match ticket.max_early_data_size {
            Some(size) => early_data::encode_ticket(w, size),
            None => Ok(()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::Writer;
    use crate::wire::ext::{cookie, encode_empty};
    use crate::wire::message::{SizeLimits, max_len};
    use crate::wire::testing::{alert, message_body, truncations_and_extra_byte_are_refused, written};
    use alloc::vec;

    const TICKET: NewSessionTicket<'_> = NewSessionTicket {
        lifetime: MAX_LIFETIME,
        age_add: 0x0102_0304,
        nonce: &[1, 2],
        ticket: b"ticket",
        max_early_data_size: Some(16_384),
    };

    fn message(ticket: &NewSessionTicket<'_>) -> Vec<u8> {
        message_body(HandshakeType::NEW_SESSION_TICKET, |out| write_new_session_ticket(out, ticket))
    }

    fn with(extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>) -> Vec<u8> {
        let mut body = message(&NewSessionTicket { max_early_data_size: None, ..TICKET });
        body.truncate(body.len() - 2);
        body.extend(written(|w| w.block::<U16>(extensions)));
        body
    }

    #[test]
    fn every_field_is_read_back() {
        for ticket in [TICKET, NewSessionTicket { max_early_data_size: None, nonce: &[], ..TICKET }] {
            let body = message(&ticket);
            assert_eq!(NewSessionTicket::parse(&body), Ok(ticket));
            truncations_and_extra_byte_are_refused(&body, |b| NewSessionTicket::parse(b).map(drop));
        }
    }

    #[test]
    fn a_lifetime_above_seven_days_is_refused() {
        let body = message(&NewSessionTicket { lifetime: MAX_LIFETIME + 1, ..TICKET });
        assert_eq!(alert(NewSessionTicket::parse(&body)), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn an_empty_ticket_is_refused() {
        let body = message(&NewSessionTicket { ticket: &[], ..TICKET });
        assert_eq!(alert(NewSessionTicket::parse(&body)), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn the_largest_ticket_fits_its_cap() {
        let body = message(&NewSessionTicket { nonce: &[1; 255], ticket: &vec![2; 65_535], ..TICKET });
        assert!(body.len() <= max_len(HandshakeType::NEW_SESSION_TICKET, &SizeLimits::default()));
    }

    //= testvectors/requirements/rfc9846.txt#section-4.7.1
    //= type=test
    //# Clients MUST ignore unrecognized extensions.
    //= testvectors/requirements/rfc9846.txt#section-9.3
    //= type=test
    //# In TLS 1.3, a client receiving a CertificateRequest or NewSessionTicket MUST also ignore all
    //# unrecognized extensions.
    #[test]
    fn unknown_extensions_are_ignored() {
        assert!(NewSessionTicket::parse(&with(|w| encode_empty(w, ExtensionType(0x0A0A)))).is_ok());
    }

    #[test]
    fn misplaced_and_duplicate_extensions_are_refused() {
        let misplaced = with(|w| cookie::encode(w, b"1"));
        assert_eq!(alert(NewSessionTicket::parse(&misplaced)), AlertCode::ILLEGAL_PARAMETER);
        let twice = with(|w| {
            early_data::encode_ticket(w, 1)?;
            early_data::encode_ticket(w, 1)
        });
        assert_eq!(alert(NewSessionTicket::parse(&twice)), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn early_data_without_a_size_is_refused() {
        assert_eq!(alert(NewSessionTicket::parse(&with(early_data::encode_flag))), AlertCode::DECODE_ERROR);
    }
}
