//! A cursor over received bytes: numbers, vectors, and nested blocks that must be used up.

use crate::error::Fault;

/// How many bytes hold the length of a vector: one, two or three (RFC 9846 section 3.4).
pub(crate) trait Length: sealed::Sealed {
    /// Bytes of the length field.
    const WIDTH: usize;
}

/// A length field of one byte.
pub(crate) enum U8 {}
/// A length field of two bytes.
pub(crate) enum U16 {}
/// A length field of three bytes.
pub(crate) enum U24 {}

impl Length for U8 {
    const WIDTH: usize = 1;
}
impl Length for U16 {
    const WIDTH: usize = 2;
}
impl Length for U24 {
    const WIDTH: usize = 3;
}

mod sealed {
    pub(crate) trait Sealed {}
    impl Sealed for super::U8 {}
    impl Sealed for super::U16 {}
    impl Sealed for super::U24 {}
}

/// Reads from the front of a byte string; what it gives out borrows from that string.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(|bytes| u8::from_be_bytes(*bytes))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        self.array::<2>().map(|bytes| u16::from_be_bytes(*bytes))
    }

    #[cfg(test)]
    pub(crate) fn u24(&mut self) -> Result<u32, Fault> {
        self.array::<3>().map(|&[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        self.array::<4>().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// The next `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (front, rest) = self.bytes.split_at_checked(len).ok_or(CUT_SHORT)?;
        self.bytes = rest;
        Ok(front)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Fault> {
        let (front, rest) = self.bytes.split_first_chunk().ok_or(CUT_SHORT)?;
        self.bytes = rest;
        Ok(front)
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Refuses bytes that are left over.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        match self.bytes {
            [] => Ok(()),
            //= testvectors/requirements/rfc9846.txt#section-4.3
            //# receivers MUST abort the handshake with a "decode_error" alert if there is data left over
            //# after parsing the structure
            _ => Err(Fault::decode_error("no bytes may be left over after a structure")),
        }
    }

    /// A vector: its length in `L::WIDTH` bytes, then its bytes.
    pub(crate) fn vec<L: Length>(&mut self) -> Result<&'a [u8], Fault> {
        let len = self.take(L::WIDTH)?.iter().fold(0, |len: u32, byte| (len << 8) | u32::from(*byte));
        self.take(usize::try_from(len).map_err(|_| CUT_SHORT)?)
    }

    /// A vector whose bytes `read` must use up.
    #[cfg(test)]
    pub(crate) fn block<L: Length, T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut inner = Self::new(self.vec::<L>()?);
        let value = read(&mut inner)?;
        inner.finish()?;
        Ok(value)
    }
}

//= testvectors/requirements/rfc9846.txt#section-6
//# Peers which receive a message which cannot be parsed according to the syntax (e.g., have a length
//# extending beyond the message boundary or contain an out-of-range length) MUST terminate the connection
//# with a "decode_error" alert.
const CUT_SHORT: Fault = Fault::decode_error("a field must not reach beyond what encloses it");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, truncations_and_extra_byte_are_refused};

    fn numbers_and_vectors(bytes: &[u8]) -> Result<(), Fault> {
        let mut r = Reader::new(bytes);
        assert_eq!(r.u8()?, 1);
        assert_eq!(r.u16()?, 0x0203);
        assert_eq!(r.u24()?, 0x040506);
        assert_eq!(r.u32()?, 0x0708090A);
        assert_eq!(r.array::<2>()?, &[11, 12]);
        assert_eq!(r.vec::<U8>()?, &[13]);
        assert_eq!(r.block::<U16, _>(Reader::u8)?, 14);
        assert_eq!(r.block::<U24, _>(|r| r.vec::<U8>())?, &[15]);
        assert_eq!(r.take(1)?, &[16]);
        r.finish()
    }

    const NUMBERS_AND_VECTORS: [u8; 24] =
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 13, 0, 1, 14, 0, 0, 2, 1, 15, 16, 0];

    #[test]
    fn numbers_are_big_endian_and_truncation_is_refused_at_every_byte() {
        truncations_and_extra_byte_are_refused(&NUMBERS_AND_VECTORS[..23], numbers_and_vectors);
    }

    #[test]
    fn a_block_must_be_used_up() {
        let refused = Reader::new(&[2, 1, 2]).block::<U8, _>(Reader::u8);
        assert_eq!(alert(refused), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn a_block_ends_where_its_length_says() {
        let refused = Reader::new(&[1, 1, 2]).block::<U8, _>(Reader::u16);
        assert_eq!(alert(refused), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn the_rest_is_what_was_not_read() {
        let mut r = Reader::new(&[1, 2, 3]);
        r.u8().unwrap();
        assert!(!r.is_empty());
        assert_eq!(r.rest(), &[2, 3]);
        assert!(r.is_empty());
    }
}
