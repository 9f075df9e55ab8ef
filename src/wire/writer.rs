//! Appends to a byte vector: numbers, and blocks whose length is written when they close.

use alloc::vec::Vec;

use super::Length;
use crate::error::Misuse;

/// Appends to a vector that the caller owns.
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A vector: its length in `L::WIDTH` bytes, then its bytes.
    ///
    /// # Errors
    /// [`Misuse::TooLong`] when the length does not fit its field.
    pub(crate) fn vec<L: Length>(&mut self, bytes: &[u8]) -> Result<(), Misuse> {
        self.block::<L>(|w| {
            w.bytes(bytes);
            Ok(())
        })
    }

    /// A vector of what `body` writes.
    ///
    /// # Errors
    /// Those of `body`, and [`Misuse::TooLong`] when the length does not fit its field. What was written until
    /// then stays: the whole message is taken back by [`write_message`](super::message::write_message).
    pub(crate) fn block<L: Length>(
        &mut self,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>,
    ) -> Result<(), Misuse> {
        let start = self.out.len();
        self.out.extend(core::iter::repeat_n(0, L::WIDTH));
        body(self)?;
        let block = self.out.get_mut(start..).ok_or(Misuse::TooLong)?;
        let (field, content) = block.split_at_mut_checked(L::WIDTH).ok_or(Misuse::TooLong)?;
        let mut len = content.len();
        for byte in field.iter_mut().rev() {
            *byte = len.to_le_bytes().first().copied().unwrap_or(0);
            len >>= 8;
        }
        if len == 0 { Ok(()) } else { Err(Misuse::TooLong) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::written;
    use crate::wire::{Reader, U8, U16, U24};
    use alloc::vec;

    #[test]
    fn numbers_are_big_endian() {
        let out = written(|w| {
            w.u8(1);
            w.u16(0x0203);
            w.u32(0x04050607);
            w.bytes(&[8]);
            Ok(())
        });
        assert_eq!(out, [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn blocks_nest_and_read_back() {
        let out = written(|w| w.block::<U24>(|w| w.block::<U16>(|w| w.vec::<U8>(&[9, 9]))));
        assert_eq!(out, [0, 0, 5, 0, 3, 2, 9, 9]);
        let mut r = Reader::new(&out);
        let inner = r.block::<U24, _>(|r| r.block::<U16, _>(|r| r.vec::<U8>())).unwrap();
        assert_eq!(inner, [9, 9]);
    }

    fn close<L: Length>(len: usize) -> Result<(), Misuse> {
        let bytes = vec![7; len];
        let mut out = Vec::new();
        Writer::new(&mut out).vec::<L>(&bytes)?;
        let mut r = Reader::new(&out);
        assert_eq!(r.vec::<L>().unwrap().len(), len);
        r.finish().unwrap();
        Ok(())
    }

    #[test]
    fn a_block_takes_what_its_field_can_say_and_not_one_byte_more() {
        assert_eq!(close::<U8>(0xFF), Ok(()));
        assert_eq!(close::<U8>(0x100), Err(Misuse::TooLong));
        assert_eq!(close::<U16>(0xFFFF), Ok(()));
        assert_eq!(close::<U16>(0x1_0000), Err(Misuse::TooLong));
        assert_eq!(close::<U24>(0xFF_FFFF), Ok(()));
        assert_eq!(close::<U24>(0x100_0000), Err(Misuse::TooLong));
    }

    #[test]
    fn what_the_body_refuses_is_refused() {
        let mut out = Vec::new();
        let refused = Writer::new(&mut out).block::<U16>(|_| Err(Misuse::TooLong));
        assert_eq!(refused, Err(Misuse::TooLong));
    }
}
