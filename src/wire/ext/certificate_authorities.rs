//! certificate_authorities: the names of those whose certificates are wanted (RFC 9846 section 4.3.4).

use super::{encode as encode_extension, non_empty, parse_all};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::{List, U16, Writer};

/// In ClientHello and CertificateRequest: distinguished names in DER, unparsed; at least one, none of them empty.
pub(crate) fn parse(data: &[u8]) -> Result<List<'_, &[u8]>, Fault> {
    let names = parse_all(data, |r| r.vec::<U16>())?;
    let names = List::parse(names, |r| non_empty::<U16>(r, "a distinguished name must not be empty"))?;
    if names.is_empty() {
        return Err(Fault::decode_error("certificate_authorities must hold at least one name"));
    }
    Ok(names)
}

/// In ClientHello and CertificateRequest.
pub(crate) fn encode<'a>(
    w: &mut Writer<'_>,
    names: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), Misuse> {
    encode_extension(w, ExtensionType::CERTIFICATE_AUTHORITIES, |w| {
        w.block::<U16>(|w| names.into_iter().try_for_each(|name| w.vec::<U16>(name)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};
    use alloc::vec::Vec;

    #[test]
    fn names_are_read_back_in_order() {
        let names: [&[u8]; 2] = [&[0x30, 0], &[0x30, 1, 9]];
        let data = extension_data(ExtensionType::CERTIFICATE_AUTHORITIES, |w| encode(w, names));
        assert_eq!(parse(&data).unwrap().iter().collect::<Vec<_>>(), names);
        truncations_and_extra_byte_are_refused(&data, |d| parse(d).map(drop));
    }

    #[test]
    fn empty_list_and_empty_name_are_refused() {
        assert_eq!(alert(parse(&[0, 0])), AlertCode::DECODE_ERROR);
        assert_eq!(alert(parse(&[0, 2, 0, 0])), AlertCode::DECODE_ERROR);
    }
}
