//! application_layer_protocol_negotiation: the application protocols offered, and the one selected (RFC 7301).

use super::{encode, non_empty, parse_all};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::{List, U8, U16, Writer};

/// In ClientHello: the protocol names offered, at least one, none of them empty, the preferred one first.
pub(crate) fn parse_client(data: &[u8]) -> Result<List<'_, &[u8]>, Fault> {
    let names = parse_all(data, |r| r.vec::<U16>())?;
    let names = List::parse(names, |r| non_empty::<U8>(r, "a protocol name must not be empty"))?;
    if names.is_empty() {
        return Err(Fault::decode_error("the protocol name list must hold at least one name"));
    }
    Ok(names)
}

/// In ClientHello.
pub(crate) fn encode_client<'a>(
    w: &mut Writer<'_>,
    names: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), Misuse> {
    encode(w, ExtensionType::ALPN, |w| {
        w.block::<U16>(|w| names.into_iter().try_for_each(|name| w.vec::<U8>(name)))
    })
}

/// In EncryptedExtensions: the protocol name selected.
pub(crate) fn parse_server(data: &[u8]) -> Result<&[u8], Fault> {
    let names = parse_client(data)?;
    let mut items = names.iter();
    // RFC 7301 section 3.1: "the "ProtocolNameList" MUST contain exactly one "ProtocolName"."
    match (items.next(), items.next()) {
        (Some(name), None) => Ok(name),
        _ => Err(Fault::decode_error("the server's protocol name list must hold exactly one name")),
    }
}

/// In EncryptedExtensions.
pub(crate) fn encode_server(w: &mut Writer<'_>, selected: &[u8]) -> Result<(), Misuse> {
    encode_client(w, [selected])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};
    use alloc::vec::Vec;

    fn client(names: &[&[u8]]) -> Vec<u8> {
        extension_data(ExtensionType::ALPN, |w| encode_client(w, names.iter().copied()))
    }

    #[test]
    fn names_offered_are_read_back_in_order() {
        let names: [&[u8]; 2] = [b"h2", b"http/1.1"];
        let data = client(&names);
        assert_eq!(parse_client(&data).unwrap().iter().collect::<Vec<_>>(), names);
        truncations_and_extra_byte_are_refused(&data, |d| parse_client(d).map(drop));
    }

    #[test]
    fn empty_list_and_empty_name_are_refused() {
        assert_eq!(alert(parse_client(&client(&[]))), AlertCode::DECODE_ERROR);
        assert_eq!(alert(parse_client(&client(&[b"h2", b""]))), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn the_selected_name_is_read_back() {
        let data = extension_data(ExtensionType::ALPN, |w| encode_server(w, b"h2"));
        assert_eq!(parse_server(&data), Ok(&b"h2"[..]));
        truncations_and_extra_byte_are_refused(&data, |d| parse_server(d).map(drop));
    }

    #[test]
    fn two_selected_names_are_refused() {
        assert_eq!(alert(parse_server(&client(&[b"h2", b"h3"]))), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn a_name_of_256_bytes_cannot_be_encoded() {
        let mut out = Vec::new();
        let refused = encode_client(&mut Writer::new(&mut out), [&[b'x'; 256][..]]);
        assert_eq!(refused, Err(Misuse::TooLong));
    }
}
