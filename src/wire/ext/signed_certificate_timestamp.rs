//! signed_certificate_timestamp: proofs that a certificate was logged (RFC 6962 section 3.3).

use super::{encode, encode_empty, non_empty, parse_all, parse_empty};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::{List, U16, Writer};

/// In ClientHello and CertificateRequest: a flag.
pub(crate) fn parse_request(data: &[u8]) -> Result<(), Fault> {
    parse_empty(data)
}

/// In ClientHello and CertificateRequest.
pub(crate) fn encode_request(w: &mut Writer<'_>) -> Result<(), Misuse> {
    encode_empty(w, ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP)
}

/// In a CertificateEntry: the SignedCertificateTimestampList as it stands, with its length; its syntax is right.
pub(crate) fn parse_entry(data: &[u8]) -> Result<&[u8], Fault> {
    let list = parse_all(data, |r| non_empty::<U16>(r, "the list of timestamps must not be empty"))?;
    List::parse(list, |r| non_empty::<U16>(r, "a signed certificate timestamp must not be empty"))?;
    Ok(data)
}

/// In a CertificateEntry: `list` is a whole SignedCertificateTimestampList, with its length.
pub(crate) fn encode_entry(w: &mut Writer<'_>, list: &[u8]) -> Result<(), Misuse> {
    encode(w, ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP, |w| {
        w.bytes(list);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};

    const KIND: ExtensionType = ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP;

    #[test]
    fn the_flag_is_read_back() {
        truncations_and_extra_byte_are_refused(&extension_data(KIND, encode_request), parse_request);
    }

    #[test]
    fn the_list_is_read_back() {
        let list = [0, 7, 0, 1, 9, 0, 2, 8, 8];
        let data = extension_data(KIND, |w| encode_entry(w, &list));
        assert_eq!(parse_entry(&data), Ok(&list[..]));
        truncations_and_extra_byte_are_refused(&data, |d| parse_entry(d).map(drop));
    }

    #[test]
    fn empty_list_and_empty_timestamp_are_refused() {
        assert_eq!(alert(parse_entry(&[0, 0])), AlertCode::DECODE_ERROR);
        assert_eq!(alert(parse_entry(&[0, 2, 0, 0])), AlertCode::DECODE_ERROR);
    }
}
