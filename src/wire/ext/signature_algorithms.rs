//! signature_algorithms and signature_algorithms_cert: the schemes an endpoint verifies (RFC 9846 section 4.3.3).

use super::{encode as encode_extension, parse_all};
use crate::codepoint::{ExtensionType, SignatureScheme};
use crate::error::{Fault, Misuse};
use crate::wire::{U16, U16List, Writer};

/// In ClientHello and CertificateRequest, for both extensions: the preferred scheme first.
pub(crate) fn parse(data: &[u8]) -> Result<U16List<'_, SignatureScheme>, Fault> {
    parse_all(data, |r| U16List::read::<U16>(r, "a list of signature schemes must hold at least one"))
}

/// signature_algorithms, in ClientHello and CertificateRequest.
pub(crate) fn encode(w: &mut Writer<'_>, schemes: &[SignatureScheme]) -> Result<(), Misuse> {
    encode_extension(w, ExtensionType::SIGNATURE_ALGORITHMS, |w| U16List::encode::<U16>(w, schemes))
}

/// signature_algorithms_cert, in ClientHello and CertificateRequest.
pub(crate) fn encode_cert(w: &mut Writer<'_>, schemes: &[SignatureScheme]) -> Result<(), Misuse> {
    encode_extension(w, ExtensionType::SIGNATURE_ALGORITHMS_CERT, |w| U16List::encode::<U16>(w, schemes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};
    use alloc::vec::Vec;

    #[test]
    fn schemes_are_read_back_in_order() {
        let schemes = [SignatureScheme::ED25519, SignatureScheme::RSA_PSS_RSAE_SHA256];
        let data = extension_data(ExtensionType::SIGNATURE_ALGORITHMS, |w| encode(w, &schemes));
        assert_eq!(parse(&data).unwrap().iter().collect::<Vec<_>>(), schemes);
        truncations_and_extra_byte_are_refused(&data, |d| parse(d).map(drop));
        let same = extension_data(ExtensionType::SIGNATURE_ALGORITHMS_CERT, |w| encode_cert(w, &schemes));
        assert_eq!(same, data);
    }

    #[test]
    fn no_scheme_and_half_a_scheme_are_refused() {
        assert_eq!(alert(parse(&[0, 0])), AlertCode::DECODE_ERROR);
        assert_eq!(alert(parse(&[0, 3, 8, 4, 8])), AlertCode::DECODE_ERROR);
    }
}
