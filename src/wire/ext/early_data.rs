//! early_data: a flag in the hellos, a size in tickets (RFC 9846 section 4.3.10).

use super::{encode, encode_empty, parse_all, parse_empty};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::Writer;

/// In ClientHello and EncryptedExtensions: a flag.
pub(crate) fn parse(data: &[u8]) -> Result<(), Fault> {
    parse_empty(data)
}

/// In ClientHello and EncryptedExtensions.
pub(crate) fn encode_flag(w: &mut Writer<'_>) -> Result<(), Misuse> {
    encode_empty(w, ExtensionType::EARLY_DATA)
}

/// In NewSessionTicket: max_early_data_size in bytes.
pub(crate) fn parse_ticket(data: &[u8]) -> Result<u32, Fault> {
    parse_all(data, |r| r.u32())
}

/// In NewSessionTicket.
pub(crate) fn encode_ticket(w: &mut Writer<'_>, max_early_data_size: u32) -> Result<(), Misuse> {
    encode(w, ExtensionType::EARLY_DATA, |w| {
        w.u32(max_early_data_size);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::{extension_data, truncations_and_extra_byte_are_refused};

    #[test]
    fn the_flag_is_read_back() {
        let data = extension_data(ExtensionType::EARLY_DATA, encode_flag);
        truncations_and_extra_byte_are_refused(&data, parse);
    }

    #[test]
    fn the_size_is_read_back() {
        let data = extension_data(ExtensionType::EARLY_DATA, |w| encode_ticket(w, 0x0102_0304));
        assert_eq!(parse_ticket(&data), Ok(0x0102_0304));
        truncations_and_extra_byte_are_refused(&data, |d| parse_ticket(d).map(drop));
    }
}
