//! record_size_limit: the largest protected record an endpoint is willing to receive (RFC 8449).

use super::{encode as encode_extension, parse_all};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::Writer;

/// In ClientHello and EncryptedExtensions: bytes of a TLSInnerPlaintext, at least 64; may exceed 2^14+1.
pub(crate) fn parse(data: &[u8]) -> Result<u16, Fault> {
    match parse_all(data, |r| r.u16())? {
        //= testvectors/requirements/rfc8449.txt#section-4
        //# An endpoint MUST treat receipt of a smaller value as a fatal error and generate an
        //# "illegal_parameter" alert.
        ..64 => Err(Fault::illegal_parameter("record_size_limit must be at least 64")),
        limit => Ok(limit),
    }
}

/// In ClientHello and EncryptedExtensions.
pub(crate) fn encode(w: &mut Writer<'_>, limit: u16) -> Result<(), Misuse> {
    encode_extension(w, ExtensionType::RECORD_SIZE_LIMIT, |w| {
        w.u16(limit);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};

    #[test]
    fn the_limit_is_read_back() {
        for limit in [64, 0x4001, 0xFFFF] {
            let data = extension_data(ExtensionType::RECORD_SIZE_LIMIT, |w| encode(w, limit));
            assert_eq!(parse(&data), Ok(limit));
            truncations_and_extra_byte_are_refused(&data, |d| parse(d).map(drop));
        }
    }

    //= testvectors/requirements/rfc8449.txt#section-4
    //= type=test
    //# An endpoint MUST treat receipt of a smaller value as a fatal error and generate an
    //# "illegal_parameter" alert.
    #[test]
    fn less_than_64_is_refused() {
        assert_eq!(alert(parse(&[0, 63])), AlertCode::ILLEGAL_PARAMETER);
        assert_eq!(alert(parse(&[0, 0])), AlertCode::ILLEGAL_PARAMETER);
    }
}
