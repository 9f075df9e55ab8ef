//! psk_key_exchange_modes: how a client is willing to use a PSK (RFC 9846 section 4.3.9).

use super::{encode as encode_extension, non_empty, parse_all};
use crate::codepoint::{ExtensionType, PskKeyExchangeMode};
use crate::error::{Fault, Misuse};
use crate::wire::{U8, Writer};

/// The modes that a client allows, at least one; also those that this library does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PskKeyExchangeModes<'a>(&'a [u8]);

impl PskKeyExchangeModes<'_> {
    /// The modes in the client's order.
    #[cfg(any(test, fuzzing))]
    pub fn iter(&self) -> impl Iterator<Item = PskKeyExchangeMode> + '_ {
        self.0.iter().map(|mode| PskKeyExchangeMode(*mode))
    }

    /// Whether `wanted` is allowed.
    #[must_use]
    pub fn contains(&self, wanted: PskKeyExchangeMode) -> bool {
        self.0.contains(&wanted.0)
    }
}

/// In ClientHello.
pub(crate) fn parse(data: &[u8]) -> Result<PskKeyExchangeModes<'_>, Fault> {
    parse_all(data, |r| non_empty::<U8>(r, "psk_key_exchange_modes must hold at least one mode"))
        .map(PskKeyExchangeModes)
}

/// In ClientHello.
pub(crate) fn encode(w: &mut Writer<'_>, modes: &[PskKeyExchangeMode]) -> Result<(), Misuse> {
    encode_extension(w, ExtensionType::PSK_KEY_EXCHANGE_MODES, |w| {
        w.block::<U8>(|w| {
            modes.iter().for_each(|mode| w.u8(mode.0));
            Ok(())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};
    use alloc::vec::Vec;

    #[test]
    fn modes_are_read_back_in_order() {
        let modes = [PskKeyExchangeMode::PSK_DHE_KE, PskKeyExchangeMode(0x0B)];
        let data = extension_data(ExtensionType::PSK_KEY_EXCHANGE_MODES, |w| encode(w, &modes));
        let parsed = parse(&data).unwrap();
        assert_eq!(parsed.iter().collect::<Vec<_>>(), modes);
        assert!(parsed.contains(PskKeyExchangeMode::PSK_DHE_KE));
        assert!(!parsed.contains(PskKeyExchangeMode::PSK_KE));
        truncations_and_extra_byte_are_refused(&data, |d| parse(d).map(drop));
    }

    #[test]
    fn no_mode_is_refused() {
        assert_eq!(alert(parse(&[0])), AlertCode::DECODE_ERROR);
    }
}
