//! status_request: an OCSP response asked for and stapled (RFC 6066 section 8, RFC 9846 section 4.5.1.1).

use super::{encode, encode_empty, non_empty, parse_all, parse_empty};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::{List, U16, U24, Writer};

/// What kind of certificate status a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusRequest {
    /// An OCSP response.
    Ocsp,
    /// Something that this library does not know.
    Other,
}

/// CertificateStatusType (RFC 6066 section 8).
const OCSP: u8 = 1;

/// In ClientHello: the kind of status; the responders and the OCSP extensions that it wants are not kept.
pub(crate) fn parse_client(data: &[u8]) -> Result<StatusRequest, Fault> {
    parse_all(data, |r| {
        if r.u8()? != OCSP {
            r.rest();
            return Ok(StatusRequest::Other);
        }
        let responders = r.vec::<U16>()?;
        List::parse(responders, |r| non_empty::<U16>(r, "a responder id must not be empty"))?;
        r.vec::<U16>()?;
        Ok(StatusRequest::Ocsp)
    })
}

/// In ClientHello: asks for an OCSP response from any responder.
pub(crate) fn encode_client(w: &mut Writer<'_>) -> Result<(), Misuse> {
    encode(w, ExtensionType::STATUS_REQUEST, |w| {
        w.bytes(&[OCSP, 0, 0, 0, 0]);
        Ok(())
    })
}

/// In CertificateRequest: a flag.
pub(crate) fn parse_request(data: &[u8]) -> Result<(), Fault> {
    parse_empty(data)
}

/// In CertificateRequest.
pub(crate) fn encode_request(w: &mut Writer<'_>) -> Result<(), Misuse> {
    encode_empty(w, ExtensionType::STATUS_REQUEST)
}

/// In a CertificateEntry: the OCSP response in DER, unparsed, at least one byte.
pub(crate) fn parse_entry(data: &[u8]) -> Result<&[u8], Fault> {
    parse_all(data, |r| {
        if r.u8()? != OCSP {
            //= testvectors/requirements/rfc9846.txt#section-4.5.1.1
            //# the body of the "status_request" extension from the server MUST be a CertificateStatus
            //# structure as defined in [RFC6066], which is interpreted as defined in [RFC6960]
            //= testvectors/requirements/rfc9846.txt#section-4.5.1.1
            //# If the client opts to send an OCSP response, the body of its "status_request" extension MUST
            //# be a CertificateStatus structure as defined in [RFC6066].
            return Err(Fault::decode_error("the status of a certificate must be an ocsp response"));
        }
        non_empty::<U24>(r, "an ocsp response must not be empty")
    })
}

/// In a CertificateEntry.
pub(crate) fn encode_entry(w: &mut Writer<'_>, response: &[u8]) -> Result<(), Misuse> {
    encode(w, ExtensionType::STATUS_REQUEST, |w| {
        w.u8(OCSP);
        w.vec::<U24>(response)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};

    const KIND: ExtensionType = ExtensionType::STATUS_REQUEST;

    #[test]
    fn the_clients_request_is_read_back() {
        let data = extension_data(KIND, encode_client);
        assert_eq!(parse_client(&data), Ok(StatusRequest::Ocsp));
        truncations_and_extra_byte_are_refused(&data, |d| parse_client(d).map(drop));
    }

    #[test]
    fn responders_and_extensions_are_read_over() {
        let data = [1, 0, 3, 0, 1, 7, 0, 2, 8, 8];
        assert_eq!(parse_client(&data), Ok(StatusRequest::Ocsp));
        truncations_and_extra_byte_are_refused(&data, |d| parse_client(d).map(drop));
        assert_eq!(alert(parse_client(&[1, 0, 2, 0, 0, 0, 0])), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn other_kinds_of_status_are_ignored() {
        assert_eq!(parse_client(&[2, 9, 9]), Ok(StatusRequest::Other));
    }

    #[test]
    fn the_servers_request_is_a_flag() {
        truncations_and_extra_byte_are_refused(&extension_data(KIND, encode_request), parse_request);
    }

    //= testvectors/requirements/rfc9846.txt#section-4.5.1.1
    //= type=test
    //# If the client opts to send an OCSP response, the body of its "status_request" extension MUST be a
    //# CertificateStatus structure as defined in [RFC6066].
    #[test]
    fn the_staple_is_read_back() {
        let data = extension_data(KIND, |w| encode_entry(w, &[0x30, 0]));
        assert_eq!(parse_entry(&data), Ok(&[0x30, 0][..]));
        truncations_and_extra_byte_are_refused(&data, |d| parse_entry(d).map(drop));
    }

    //= testvectors/requirements/rfc9846.txt#section-4.5.1.1
    //= type=test
    //# the body of the "status_request" extension from the server MUST be a CertificateStatus structure as
    //# defined in [RFC6066], which is interpreted as defined in [RFC6960]
    #[test]
    fn an_empty_staple_and_one_of_another_kind_are_refused() {
        assert_eq!(alert(parse_entry(&[1, 0, 0, 0])), AlertCode::DECODE_ERROR);
        assert_eq!(alert(parse_entry(&[2, 0, 0, 1, 9])), AlertCode::DECODE_ERROR);
    }
}
