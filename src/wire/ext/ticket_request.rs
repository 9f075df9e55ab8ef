//! ticket_request: how many tickets a client wants, and how many it will get (RFC 9149).

use super::{encode, parse_all};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::Writer;

/// How many tickets a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketRequest {
    /// After a handshake that is not a resumption.
    pub new_session_count: u8,
    /// After a resumption.
    pub resumption_count: u8,
}

/// In ClientHello.
pub(crate) fn parse_client(data: &[u8]) -> Result<TicketRequest, Fault> {
    parse_all(data, |r| Ok(TicketRequest { new_session_count: r.u8()?, resumption_count: r.u8()? }))
}

/// In ClientHello.
pub(crate) fn encode_client(w: &mut Writer<'_>, request: TicketRequest) -> Result<(), Misuse> {
    encode(w, ExtensionType::TICKET_REQUEST, |w| {
        w.bytes(&[request.new_session_count, request.resumption_count]);
        Ok(())
    })
}

/// In EncryptedExtensions: the number of tickets that the server expects to send.
pub(crate) fn parse_server(data: &[u8]) -> Result<u8, Fault> {
    parse_all(data, |r| r.u8())
}

/// In EncryptedExtensions.
pub(crate) fn encode_server(w: &mut Writer<'_>, expected_count: u8) -> Result<(), Misuse> {
    encode(w, ExtensionType::TICKET_REQUEST, |w| {
        w.u8(expected_count);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::{extension_data, truncations_and_extra_byte_are_refused};

    #[test]
    fn the_counts_wanted_are_read_back() {
        let wanted = TicketRequest { new_session_count: 2, resumption_count: 1 };
        let data = extension_data(ExtensionType::TICKET_REQUEST, |w| encode_client(w, wanted));
        assert_eq!(data, [2, 1]);
        assert_eq!(parse_client(&data), Ok(wanted));
        truncations_and_extra_byte_are_refused(&data, |d| parse_client(d).map(drop));
    }

    #[test]
    fn the_expected_count_is_read_back() {
        let data = extension_data(ExtensionType::TICKET_REQUEST, |w| encode_server(w, 3));
        assert_eq!(parse_server(&data), Ok(3));
        truncations_and_extra_byte_are_refused(&data, |d| parse_server(d).map(drop));
    }
}
