//! KeyUpdate (RFC 9846 section 4.7.3).

use super::Reader;
use crate::codepoint::HandshakeType;
use crate::error::Fault;

/// Whether the receiver of a KeyUpdate shall update its own sending keys too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUpdateRequest {
    /// It need not.
    UpdateNotRequested,
    /// It must, before its next application data.
    UpdateRequested,
}

/// Reads the body of a KeyUpdate.
///
/// # Errors
/// `decode_error` for a wrong length, `illegal_parameter` for an unknown value.
pub(crate) fn parse(body: &[u8]) -> Result<KeyUpdateRequest, Fault> {
    let mut r = Reader::new(body);
    let value = r.u8()?;
    r.finish()?;
    match value {
        0 => Ok(KeyUpdateRequest::UpdateNotRequested),
        1 => Ok(KeyUpdateRequest::UpdateRequested),
        //= testvectors/requirements/rfc9846.txt#section-4.7.3
        //# If an implementation receives any other value, it MUST terminate the connection with an
        //# "illegal_parameter" alert.
        _ => Err(Fault::illegal_parameter("request_update must be 0 or 1")),
    }
}

/// A KeyUpdate message, header included.
pub(crate) const fn encode(request: KeyUpdateRequest) -> [u8; 5] {
    let value = match request {
        KeyUpdateRequest::UpdateNotRequested => 0,
        KeyUpdateRequest::UpdateRequested => 1,
    };
    [HandshakeType::KEY_UPDATE.0, 0, 0, 1, value]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, truncations_and_extra_byte_are_refused};

    #[test]
    fn the_request_is_read_back() {
        for request in [KeyUpdateRequest::UpdateNotRequested, KeyUpdateRequest::UpdateRequested] {
            let body = encode(request)[4..].to_vec();
            assert_eq!(parse(&body), Ok(request));
            truncations_and_extra_byte_are_refused(&body, |b| parse(b).map(drop));
        }
    }

    #[test]
    fn other_values_are_refused() {
        for value in 2..=255 {
            assert_eq!(alert(parse(&[value])), AlertCode::ILLEGAL_PARAMETER);
        }
    }
}
