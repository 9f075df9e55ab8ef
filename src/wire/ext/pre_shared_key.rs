//! pre_shared_key: the PSKs a client offers with their binders, and the one selected (RFC 9846 section 4.3.11).
//!
//! That it is the last extension of a ClientHello is checked where the ClientHello is parsed.

use alloc::vec::Vec;

use super::{encode, non_empty, parse_all};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::{List, Reader, U8, U16, Writer};

/// One PSK that a client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PskIdentity<'a> {
    /// A ticket, or the label of an external PSK: at least one byte.
    pub identity: &'a [u8],
    /// Milliseconds since the ticket was received plus its ticket_age_add, modulo 2^32; ignored for external PSKs.
    pub obfuscated_ticket_age: u32,
}

impl<'a> PskIdentity<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Fault> {
        let identity = non_empty::<U16>(r, "a psk identity must not be empty")?;
        Ok(Self { identity, obfuscated_ticket_age: r.u32()? })
    }
}

/// The PSKs that a client offers: at least one, and a binder for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferedPsks<'a> {
    /// The identities in the client's order.
    pub identities: List<'a, PskIdentity<'a>>,
    /// The binders in the order of the identities: 32 to 255 bytes each.
    pub binders: List<'a, &'a [u8]>,
    /// Bytes of the binders vector with its length: what a binder does not cover at the end of the ClientHello.
    ///
    /// RFC 9846 section 4.3.11.2: the transcript ends with the identities.
    pub binders_len: usize,
}

/// In ClientHello.
pub(crate) fn parse_client(data: &[u8]) -> Result<OfferedPsks<'_>, Fault> {
    let mut r = Reader::new(data);
    let identities = List::parse(r.vec::<U16>()?, PskIdentity::read)?;
    if identities.is_empty() {
        return Err(Fault::decode_error("pre_shared_key must hold at least one identity"));
    }
    let tail = r.rest();
    let binders = List::parse(parse_all(tail, |r| r.vec::<U16>())?, |r| match r.vec::<U8>()? {
        binder if binder.len() < 32 => Err(Fault::decode_error("a psk binder must have at least 32 bytes")),
        binder => Ok(binder),
    })?;
    if binders.is_empty() {
        return Err(Fault::decode_error("pre_shared_key must hold at least one binder"));
    }
    if binders.len() != identities.len() {
        return Err(Fault::illegal_parameter("pre_shared_key must hold as many binders as identities"));
    }
    Ok(OfferedPsks { identities, binders, binders_len: tail.len() })
}

/// In ClientHello, where it must be written last: the identities, and zeros in place of binders of these lengths.
///
/// The zeros are overwritten by [`put_binders`] once the message up to them can be hashed.
pub(crate) fn encode_client<'a>(
    w: &mut Writer<'_>,
    identities: impl IntoIterator<Item = PskIdentity<'a>>,
    binder_lens: impl IntoIterator<Item = usize>,
) -> Result<(), Misuse> {
    encode(w, ExtensionType::PRE_SHARED_KEY, |w| {
        w.block::<U16>(|w| {
            identities.into_iter().try_for_each(|psk| {
                w.vec::<U16>(psk.identity)?;
                w.u32(psk.obfuscated_ticket_age);
                Ok(())
            })
        })?;
        w.block::<U16>(|w| {
            binder_lens.into_iter().try_for_each(|len| {
                w.block::<U8>(|w| {
                    (0..len).for_each(|_| w.u8(0));
                    Ok(())
                })
            })
        })
    })
}

/// Bytes that binders of these lengths take at the end of a ClientHello, with the length of their vector.
pub(crate) fn binders_len(binder_lens: impl IntoIterator<Item = usize>) -> usize {
    binder_lens.into_iter().fold(2, |sum, len| sum.saturating_add(len).saturating_add(1))
}

/// Overwrites the zeros at the end of an encoded ClientHello; the binders must have the lengths announced.
///
/// # Errors
/// [`Misuse::TooLong`] when the binders do not fit; the message is then as it was before.
pub(crate) fn put_binders<'a>(
    message: &mut [u8],
    binders: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), Misuse> {
    let mut tail = Vec::new();
    Writer::new(&mut tail)
        .block::<U16>(|w| binders.into_iter().try_for_each(|binder| w.vec::<U8>(binder)))?;
    let start = message.len().checked_sub(tail.len()).ok_or(Misuse::TooLong)?;
    message.get_mut(start..).ok_or(Misuse::TooLong)?.copy_from_slice(&tail);
    Ok(())
}

/// In ServerHello: the index of the identity selected.
pub(crate) fn parse_server(data: &[u8]) -> Result<u16, Fault> {
    parse_all(data, |r| r.u16())
}

/// In ServerHello.
pub(crate) fn encode_server(w: &mut Writer<'_>, selected_identity: u16) -> Result<(), Misuse> {
    encode(w, ExtensionType::PRE_SHARED_KEY, |w| {
        w.u16(selected_identity);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};

    const KIND: ExtensionType = ExtensionType::PRE_SHARED_KEY;
    const TICKET: PskIdentity<'_> = PskIdentity { identity: b"ticket", obfuscated_ticket_age: 0x0102_0304 };
    const LABEL: PskIdentity<'_> = PskIdentity { identity: b"x", obfuscated_ticket_age: 0 };

    fn client(identities: &[PskIdentity<'_>], binder_lens: &[usize]) -> Vec<u8> {
        extension_data(KIND, |w| encode_client(w, identities.iter().copied(), binder_lens.iter().copied()))
    }

    #[test]
    fn psks_offered_are_read_back_in_order() {
        let mut data = client(&[TICKET, LABEL], &[32, 48]);
        put_binders(&mut data, [&[5; 32][..], &[6; 48]]).unwrap();
        let offered = parse_client(&data).unwrap();
        assert_eq!(offered.identities.iter().collect::<Vec<_>>(), [TICKET, LABEL]);
        assert_eq!(offered.binders.iter().collect::<Vec<_>>(), [&[5; 32][..], &[6; 48]]);
        truncations_and_extra_byte_are_refused(&data, |d| parse_client(d).map(drop));
    }

    #[test]
    fn the_binders_end_the_extension_and_their_length_is_known() {
        let data = client(&[TICKET, LABEL], &[32, 48]);
        let offered = parse_client(&data).unwrap();
        assert_eq!(offered.binders_len, 2 + 33 + 49);
        assert_eq!(binders_len([32, 48]), offered.binders_len);
        let tail = &data[data.len() - offered.binders_len..];
        assert_eq!(tail[..3], [0, 82, 32]);
    }

    #[test]
    fn binders_that_do_not_fit_are_refused() {
        assert_eq!(put_binders(&mut [0; 34], [&[5; 32][..]]), Err(Misuse::TooLong));
        assert_eq!(put_binders(&mut [0; 35], [&[5; 32][..]]), Ok(()));
    }

    #[test]
    fn as_many_binders_as_identities_are_demanded() {
        assert_eq!(alert(parse_client(&client(&[TICKET, LABEL], &[32]))), AlertCode::ILLEGAL_PARAMETER);
        assert_eq!(alert(parse_client(&client(&[TICKET], &[32, 32]))), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn empty_lists_and_an_empty_identity_are_refused() {
        let empty = PskIdentity { identity: &[], obfuscated_ticket_age: 0 };
        assert_eq!(alert(parse_client(&client(&[], &[32]))), AlertCode::DECODE_ERROR);
        assert_eq!(alert(parse_client(&client(&[TICKET], &[]))), AlertCode::DECODE_ERROR);
        assert_eq!(alert(parse_client(&client(&[empty], &[32]))), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn a_binder_of_less_than_32_bytes_is_refused() {
        assert_eq!(alert(parse_client(&client(&[TICKET], &[31]))), AlertCode::DECODE_ERROR);
        assert!(parse_client(&client(&[TICKET], &[255])).is_ok());
    }

    #[test]
    fn the_selected_identity_is_read_back() {
        let data = extension_data(KIND, |w| encode_server(w, 7));
        assert_eq!(parse_server(&data), Ok(7));
        truncations_and_extra_byte_are_refused(&data, |d| parse_server(d).map(drop));
    }
}
