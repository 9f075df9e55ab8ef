//! cookie: what a server wants to see again in the second ClientHello (RFC 9846 section 4.3.2).

use super::{encode as encode_extension, non_empty, parse_all};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::{U16, Writer};

/// In HelloRetryRequest and ClientHello: the cookie, at least one byte.
pub(crate) fn parse(data: &[u8]) -> Result<&[u8], Fault> {
    parse_all(data, |r| non_empty::<U16>(r, "a cookie must not be empty"))
}

/// In HelloRetryRequest and ClientHello.
pub(crate) fn encode(w: &mut Writer<'_>, cookie: &[u8]) -> Result<(), Misuse> {
    encode_extension(w, ExtensionType::COOKIE, |w| w.vec::<U16>(cookie))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};

    #[test]
    fn the_cookie_is_read_back() {
        let data = extension_data(ExtensionType::COOKIE, |w| encode(w, b"biscuit"));
        assert_eq!(parse(&data), Ok(&b"biscuit"[..]));
        truncations_and_extra_byte_are_refused(&data, |d| parse(d).map(drop));
    }

    #[test]
    fn an_empty_cookie_is_refused() {
        assert_eq!(alert(parse(&[0, 0])), AlertCode::DECODE_ERROR);
    }
}
