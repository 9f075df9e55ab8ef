//! client_certificate_type and server_certificate_type: what kind of certificate each side shows (RFC 7250 section 3).
//!
//! The two are equal but for their code points, so that every encoder is told which one it is.

use super::{encode, non_empty, parse_all};
use crate::codepoint::{CertificateType, ExtensionType};
use crate::error::{Fault, Misuse};
use crate::wire::{U8, Writer};

/// The types that a client offers, at least one; also those that this library does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateTypes<'a>(&'a [u8]);

impl CertificateTypes<'_> {
    /// The types in the client's order.
    pub fn iter(&self) -> impl Iterator<Item = CertificateType> + '_ {
        self.0.iter().map(|kind| CertificateType(*kind))
    }

    /// Whether `wanted` is offered.
    #[must_use]
    pub fn contains(&self, wanted: CertificateType) -> bool {
        self.0.contains(&wanted.0)
    }
}

/// In ClientHello.
pub(crate) fn parse_client(data: &[u8]) -> Result<CertificateTypes<'_>, Fault> {
    let types =
        parse_all(data, |r| non_empty::<U8>(r, "a list of certificate types must hold at least one"))?;
    // RFC 7250 section 4.1: a client with no types "other than the default X.509 type .. MUST omit the .. extension".
    if types == [CertificateType::X509.0] {
        return Err(Fault::illegal_parameter("a list of certificate types must not hold X.509 alone"));
    }
    Ok(CertificateTypes(types))
}

/// In ClientHello.
pub(crate) fn encode_client(
    w: &mut Writer<'_>,
    extension: ExtensionType,
    types: &[CertificateType],
) -> Result<(), Misuse> {
    encode(w, extension, |w| {
        w.block::<U8>(|w| {
            types.iter().for_each(|kind| w.u8(kind.0));
            Ok(())
        })
    })
}

/// In EncryptedExtensions: the one type that the server chose.
pub(crate) fn parse_server(data: &[u8]) -> Result<CertificateType, Fault> {
    parse_all(data, |r| Ok(CertificateType(r.u8()?)))
}

/// In EncryptedExtensions.
pub(crate) fn encode_server(
    w: &mut Writer<'_>,
    extension: ExtensionType,
    chosen: CertificateType,
) -> Result<(), Misuse> {
    encode(w, extension, |w| {
        w.u8(chosen.0);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};
    use alloc::vec::Vec;

    const BOTH: [ExtensionType; 2] =
        [ExtensionType::CLIENT_CERTIFICATE_TYPE, ExtensionType::SERVER_CERTIFICATE_TYPE];

    #[test]
    fn the_types_offered_are_read_back_in_order() {
        let types = [CertificateType::RAW_PUBLIC_KEY, CertificateType(1), CertificateType::X509];
        for extension in BOTH {
            let data = extension_data(extension, |w| encode_client(w, extension, &types));
            assert_eq!(data, [3, 2, 1, 0]);
            let parsed = parse_client(&data).unwrap();
            assert_eq!(parsed.iter().collect::<Vec<_>>(), types);
            assert!(parsed.contains(CertificateType::X509));
            assert!(!parsed.contains(CertificateType(3)));
            truncations_and_extra_byte_are_refused(&data, |d| parse_client(d).map(drop));
        }
    }

    #[test]
    fn no_type_is_refused() {
        assert_eq!(alert(parse_client(&[0])), AlertCode::DECODE_ERROR);
        // X.509 alone goes without saying.
        assert_eq!(alert(parse_client(&[1, 0])), AlertCode::ILLEGAL_PARAMETER);
        assert!(parse_client(&[2, 0, 0]).is_ok());
    }

    #[test]
    fn the_type_chosen_is_read_back() {
        for extension in BOTH {
            let data =
                extension_data(extension, |w| encode_server(w, extension, CertificateType::RAW_PUBLIC_KEY));
            assert_eq!(data, [2]);
            assert_eq!(parse_server(&data), Ok(CertificateType::RAW_PUBLIC_KEY));
            truncations_and_extra_byte_are_refused(&data, |d| parse_server(d).map(drop));
        }
    }
}
