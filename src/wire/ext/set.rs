//! Sets of extension types: those that an endpoint sent, and those already seen in a block.

use alloc::boxed::Box;

use crate::codepoint::ExtensionType;

/// The extensions that an endpoint sent and that may be answered.
///
/// It holds types below 64, which are all that this library sends; others are never in the set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtensionSet(u64);

impl ExtensionSet {
    /// No extension.
    pub(crate) const EMPTY: Self = Self(0);

    /// Every extension that the set can hold.
    pub(crate) const ALL: Self = Self(u64::MAX);

    /// Adds an extension; one that the set cannot hold is left out.
    pub(crate) fn insert(&mut self, kind: ExtensionType) {
        self.0 |= bit(kind.0);
    }

    /// Takes an extension out.
    pub(crate) fn remove(&mut self, kind: ExtensionType) {
        self.0 &= !bit(kind.0);
    }

    /// Whether the extension is in the set.
    #[must_use]
    pub fn contains(self, kind: ExtensionType) -> bool {
        self.0 & bit(kind.0) != 0
    }
}

impl FromIterator<ExtensionType> for ExtensionSet {
    fn from_iter<I: IntoIterator<Item = ExtensionType>>(kinds: I) -> Self {
        let mut set = Self::EMPTY;
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}

/// Numbers of 16 bits seen so far, each in constant time.
///
/// Small numbers and a few large ones, which is what honest peers send, need no allocation.
#[derive(Default)]
pub(crate) struct U16Set {
    small: u64,
    few: [Option<u16>; 8],
    many: Option<Box<[u64; 1024]>>,
}

impl U16Set {
    /// Adds a number; whether it was not there before.
    pub(crate) fn insert(&mut self, value: u16) -> bool {
        if value < 64 {
            return set_bit(&mut self.small, value);
        }
        for slot in &mut self.few {
            match *slot {
                Some(seen) if seen == value => return false,
                Some(_) => {}
                None => {
                    *slot = Some(value);
                    return true;
                }
            }
        }
        let many = self.many.get_or_insert_with(|| Box::new([0; 1024]));
        many.get_mut(usize::from(value >> 6)).is_some_and(|word| set_bit(word, value & 63))
    }
}

/// Sets bit `n` of `word`; whether it was not set before.
fn set_bit(word: &mut u64, n: u16) -> bool {
    let before = *word;
    *word |= bit(n);
    *word != before
}

/// The word whose bit `n` alone is set; zero for `n` above 63.
fn bit(n: u16) -> u64 {
    1_u64.checked_shl(u32::from(n)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_set_holds_what_was_inserted() {
        let mut set = ExtensionSet::from_iter([ExtensionType::SERVER_NAME, ExtensionType(63)]);
        assert!(set.contains(ExtensionType::SERVER_NAME));
        assert!(set.contains(ExtensionType(63)));
        assert!(!set.contains(ExtensionType::COOKIE));
        set.insert(ExtensionType::COOKIE);
        assert!(set.contains(ExtensionType::COOKIE));
        set.remove(ExtensionType::COOKIE);
        assert_eq!(set, ExtensionSet::from_iter([ExtensionType::SERVER_NAME, ExtensionType(63)]));
    }

    #[test]
    fn types_above_63_are_never_in_an_extension_set() {
        let mut set = ExtensionSet::EMPTY;
        set.insert(ExtensionType(64));
        assert_eq!(set, ExtensionSet::EMPTY);
        assert!(!ExtensionSet::ALL.contains(ExtensionType(64)));
    }

    #[test]
    fn every_number_is_new_once() {
        let mut set = U16Set::default();
        assert!((0..=u16::MAX).all(|value| set.insert(value)));
        assert!((0..=u16::MAX).all(|value| !set.insert(value)));
    }

    #[test]
    fn a_few_large_numbers_need_no_allocation() {
        let mut set = U16Set::default();
        assert!((1000..1008).all(|value| set.insert(value)));
        assert!(set.many.is_none());
        assert!(set.insert(1008));
        assert!(set.many.is_some());
    }
}
