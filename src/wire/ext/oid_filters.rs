//! oid_filters: what a server wants to see in a client's certificate (RFC 9846 section 4.3.5).
//!
//! Only the syntax is checked: a client that does not act on the filters may answer with any certificate.

use super::{non_empty, parse_all};
use crate::error::Fault;
use crate::wire::{List, U8, U16};

/// In CertificateRequest.
//= testvectors/requirements/rfc9846.txt#section-4.3.5
//# However, the client MUST ignore and skip any unrecognized certificate extension OIDs.
pub(crate) fn parse(data: &[u8]) -> Result<(), Fault> {
    let filters = parse_all(data, |r| r.vec::<U16>())?;
    List::parse(filters, |r| {
        non_empty::<U8>(r, "certificate_extension_oid must not be empty")?;
        r.vec::<U16>()
    })
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, truncations_and_extra_byte_are_refused};

    //= testvectors/requirements/rfc9846.txt#section-4.3.5
    //= type=test
    //# However, the client MUST ignore and skip any unrecognized certificate extension OIDs.
    #[test]
    fn filters_are_checked_to_the_last_byte() {
        truncations_and_extra_byte_are_refused(&[0, 9, 1, 6, 0, 1, 9, 1, 7, 0, 0], parse);
        assert_eq!(parse(&[0, 0]), Ok(()));
    }

    #[test]
    fn an_empty_oid_is_refused() {
        assert_eq!(alert(parse(&[0, 3, 0, 0, 0])), AlertCode::DECODE_ERROR);
    }
}
