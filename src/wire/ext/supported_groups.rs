//! supported_groups: the groups an endpoint supports, the preferred one first (RFC 9846 section 4.3.7).

use super::{encode as encode_extension, parse_all};
use crate::codepoint::{ExtensionType, NamedGroup};
use crate::error::{Fault, Misuse};
use crate::wire::{U16, U16List, Writer};

/// In ClientHello and EncryptedExtensions.
pub(crate) fn parse(data: &[u8]) -> Result<U16List<'_, NamedGroup>, Fault> {
    parse_all(data, |r| U16List::read::<U16>(r, "supported_groups must hold at least one group"))
}

/// In ClientHello and EncryptedExtensions.
pub(crate) fn encode(w: &mut Writer<'_>, groups: &[NamedGroup]) -> Result<(), Misuse> {
    encode_extension(w, ExtensionType::SUPPORTED_GROUPS, |w| U16List::encode::<U16>(w, groups))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};
    use alloc::vec::Vec;

    #[test]
    fn groups_are_read_back_in_order() {
        let groups = [NamedGroup::X25519MLKEM768, NamedGroup::X25519];
        let data = extension_data(ExtensionType::SUPPORTED_GROUPS, |w| encode(w, &groups));
        assert_eq!(parse(&data).unwrap().iter().collect::<Vec<_>>(), groups);
        truncations_and_extra_byte_are_refused(&data, |d| parse(d).map(drop));
    }

    #[test]
    fn no_group_and_half_a_group_are_refused() {
        assert_eq!(alert(parse(&[0, 0])), AlertCode::DECODE_ERROR);
        assert_eq!(alert(parse(&[0, 3, 0, 29, 0])), AlertCode::DECODE_ERROR);
    }
}
