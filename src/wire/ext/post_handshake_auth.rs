//! post_handshake_auth: the client is willing to authenticate later (RFC 9846 section 4.3.6).

use super::{encode_empty, parse_empty};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::Writer;

/// In ClientHello: a flag.
pub(crate) fn parse(data: &[u8]) -> Result<(), Fault> {
    parse_empty(data)
}

/// In ClientHello.
#[cfg_attr(not(any(test, fuzzing)), expect(dead_code, reason = "no endpoint of this library offers it yet"))]
pub(crate) fn encode(w: &mut Writer<'_>) -> Result<(), Misuse> {
    encode_empty(w, ExtensionType::POST_HANDSHAKE_AUTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::{extension_data, truncations_and_extra_byte_are_refused};

    #[test]
    fn the_flag_is_read_back() {
        let data = extension_data(ExtensionType::POST_HANDSHAKE_AUTH, encode);
        truncations_and_extra_byte_are_refused(&data, parse);
    }
}
