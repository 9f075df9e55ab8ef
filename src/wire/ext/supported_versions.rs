//! supported_versions: the versions a client offers and the one a server selects (RFC 9846 section 4.3.1).

use super::{encode, parse_all};
use crate::codepoint::{ExtensionType, ProtocolVersion};
use crate::error::{Fault, Misuse};
use crate::wire::{U8, U16List, Writer};

/// In ClientHello: the versions offered, the preferred one first.
pub(crate) fn parse_client(data: &[u8]) -> Result<U16List<'_, ProtocolVersion>, Fault> {
    parse_all(data, |r| U16List::read::<U8>(r, "supported_versions must hold at least one version"))
}

/// In ClientHello.
pub(crate) fn encode_client(w: &mut Writer<'_>, versions: &[ProtocolVersion]) -> Result<(), Misuse> {
    encode(w, ExtensionType::SUPPORTED_VERSIONS, |w| U16List::encode::<U8>(w, versions))
}

/// In ServerHello and HelloRetryRequest: the version selected.
pub(crate) fn parse_server(data: &[u8]) -> Result<ProtocolVersion, Fault> {
    parse_all(data, |r| r.u16().map(ProtocolVersion))
}

/// In ServerHello and HelloRetryRequest.
pub(crate) fn encode_server(w: &mut Writer<'_>, selected: ProtocolVersion) -> Result<(), Misuse> {
    encode(w, ExtensionType::SUPPORTED_VERSIONS, |w| {
        w.u16(selected.0);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};
    use alloc::vec::Vec;

    #[test]
    fn versions_offered_are_read_back_in_order() {
        let versions = [ProtocolVersion::TLS_1_3, ProtocolVersion::TLS_1_2];
        let data = extension_data(ExtensionType::SUPPORTED_VERSIONS, |w| encode_client(w, &versions));
        assert_eq!(data, [4, 3, 4, 3, 3]);
        assert_eq!(parse_client(&data).unwrap().iter().collect::<Vec<_>>(), versions);
        truncations_and_extra_byte_are_refused(&data, |d| parse_client(d).map(drop));
    }

    #[test]
    fn no_version_and_half_a_version_are_refused() {
        assert_eq!(alert(parse_client(&[0])), AlertCode::DECODE_ERROR);
        assert_eq!(alert(parse_client(&[3, 3, 4, 3])), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn the_selected_version_is_read_back() {
        let selected = ProtocolVersion::TLS_1_3;
        let data = extension_data(ExtensionType::SUPPORTED_VERSIONS, |w| encode_server(w, selected));
        assert_eq!(parse_server(&data), Ok(selected));
        truncations_and_extra_byte_are_refused(&data, |d| parse_server(d).map(drop));
    }
}
