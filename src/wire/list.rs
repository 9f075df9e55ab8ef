//! Lists inside messages: of code points, and of items with lengths of their own.

use core::fmt;
use core::marker::PhantomData;

use super::{Length, Reader, Writer};
use crate::codepoint::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::error::{Fault, Misuse};

/// A code point of 16 bits that lists are made of.
pub trait CodePoint: Copy + Eq + fmt::Debug {
    /// The code point of this value.
    fn from_u16(value: u16) -> Self;
    /// The value of this code point.
    fn to_u16(self) -> u16;
}

macro_rules! code_points {
    ($($type:ty)*) => {$(
        impl CodePoint for $type {
            fn from_u16(value: u16) -> Self {
                Self(value)
            }

            fn to_u16(self) -> u16 {
                self.0
            }
        }
    )*};
}

code_points! { CipherSuite NamedGroup ProtocolVersion SignatureScheme }

/// A list of code points, at least one, in the peer's order; also of those that this library does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct U16List<'a, T> {
    items: &'a [[u8; 2]],
    of: PhantomData<T>,
}

impl<'a, T: CodePoint> U16List<'a, T> {
    /// Reads a vector of code points; `rule` says that it holds at least one and whole ones only.
    pub(crate) fn read<L: Length>(r: &mut Reader<'a>, rule: &'static str) -> Result<Self, Fault> {
        match r.vec::<L>()?.as_chunks() {
            ([], _) | (_, [_]) => Err(Fault::decode_error(rule)),
            (items, _) => Ok(Self { items, of: PhantomData }),
        }
    }

    /// Writes a vector of code points.
    pub(crate) fn encode<L: Length>(w: &mut Writer<'_>, items: &[T]) -> Result<(), Misuse> {
        w.block::<L>(|w| {
            items.iter().for_each(|item| w.u16(item.to_u16()));
            Ok(())
        })
    }

    /// The code points in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + DoubleEndedIterator + Clone + use<'a, T> {
        self.items.iter().map(|item| T::from_u16(u16::from_be_bytes(*item)))
    }

    /// Whether `wanted` is in the list.
    #[must_use]
    pub fn contains(&self, wanted: T) -> bool {
        self.iter().any(|item| item == wanted)
    }

    /// Number of code points: at least one.
    #[cfg(test)]
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none: never.
    #[cfg(test)]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<T: CodePoint> fmt::Debug for U16List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A list of items of varying length in the peer's order; each was read once when the list was parsed.
#[derive(Clone, Copy)]
pub struct List<'a, T> {
    bytes: &'a [u8],
    len: usize,
    read: ReadItem<'a, T>,
}

/// Reads one item from the front.
pub(crate) type ReadItem<'a, T> = fn(&mut Reader<'a>) -> Result<T, Fault>;

impl<'a, T> List<'a, T> {
    /// Reads all of `bytes` as items.
    pub(crate) fn parse(bytes: &'a [u8], read: ReadItem<'a, T>) -> Result<Self, Fault> {
        Self::parse_with(bytes, read, |_| Ok(()))
    }

    /// Reads all of `bytes` as items, and holds each against `check`.
    pub(crate) fn parse_with(
        bytes: &'a [u8],
        read: ReadItem<'a, T>,
        mut check: impl FnMut(&T) -> Result<(), Fault>,
    ) -> Result<Self, Fault> {
        let mut r = Reader::new(bytes);
        let mut len = 0_usize;
        while !r.is_empty() {
            check(&read(&mut r)?)?;
            len = len.saturating_add(1);
        }
        Ok(Self { bytes, len, read })
    }

    /// The items in order.
    pub fn iter(&self) -> Items<'a, T> {
        Items { rest: Reader::new(self.bytes), read: self.read }
    }

    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<'a, T> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = Items<'a, T>;

    fn into_iter(self) -> Items<'a, T> {
        self.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T> PartialEq for List<'_, T> {
    /// Lists of one type are equal when their bytes are.
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for List<'_, T> {}

/// Iterates over a [`List`].
#[derive(Clone)]
pub struct Items<'a, T> {
    rest: Reader<'a>,
    read: ReadItem<'a, T>,
}

impl<T> Iterator for Items<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.rest.is_empty() {
            return None;
        }
        // Each item was read before, so this cannot fail.
        (self.read)(&mut self.rest).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, truncations_and_extra_byte_are_refused, written};
    use crate::wire::{U8, U16};
    use alloc::format;
    use alloc::vec::Vec;

    fn groups(bytes: &[u8]) -> Result<U16List<'_, NamedGroup>, Fault> {
        let mut r = Reader::new(bytes);
        let list = U16List::read::<U16>(&mut r, "the list must hold at least one item")?;
        r.finish()?;
        Ok(list)
    }

    #[test]
    fn code_points_are_read_back_in_order() {
        let wanted = [NamedGroup::X25519, NamedGroup(0x0A0A), NamedGroup::SECP256R1];
        let bytes = written(|w| U16List::encode::<U16>(w, &wanted));
        let list = groups(&bytes).unwrap();
        assert_eq!(list.iter().collect::<Vec<_>>(), wanted);
        assert_eq!(list.len(), 3);
        assert!(!list.is_empty());
        assert!(list.contains(NamedGroup::SECP256R1));
        assert!(!list.contains(NamedGroup::X448));
        truncations_and_extra_byte_are_refused(&bytes, |b| groups(b).map(drop));
    }

    #[test]
    fn a_list_of_no_code_points_is_refused() {
        assert_eq!(alert(groups(&[0, 0])), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn half_a_code_point_is_refused() {
        assert_eq!(alert(groups(&[0, 1, 1])), AlertCode::DECODE_ERROR);
        assert_eq!(alert(groups(&[0, 3, 0, 29, 0])), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn items_are_read_once_and_can_be_iterated_over_again() {
        let list = List::parse(&[1, 7, 0, 2, 8, 9], |r| r.vec::<U8>()).unwrap();
        let wanted: [&[u8]; 3] = [&[7], &[], &[8, 9]];
        assert_eq!(list.len(), 3);
        assert_eq!(list.iter().collect::<Vec<_>>(), wanted);
        assert_eq!(list.into_iter().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn lists_are_shown_as_their_items_and_are_equal_by_their_bytes() {
        let of = |bytes| List::parse(bytes, |r| r.vec::<U8>()).unwrap();
        assert_eq!(of(&[1, 7]), of(&[1, 7]));
        assert_ne!(of(&[1, 7]), of(&[1, 8]));
        assert_eq!(format!("{:?}", of(&[1, 7])), "[[7]]");
        let shown = format!("{:?}", groups(&[0, 2, 0, 29]).unwrap());
        assert_eq!(shown, format!("{:?}", [NamedGroup::X25519]));
    }

    #[test]
    fn one_bad_item_refuses_the_list() {
        assert_eq!(alert(List::parse(&[1, 7, 2, 8], |r| r.vec::<U8>())), AlertCode::DECODE_ERROR);
    }
}
