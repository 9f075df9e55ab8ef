//! A reader for the few DER structures that the certificate parser leaves opaque.

use alloc::string::String;
use core::fmt::Write;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0A;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// One element: its tag, its content, and the whole of it.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// Walks the elements of some content, one after the other; nothing is skipped.
#[derive(Clone)]
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(super) fn of(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// The elements inside of `der`, which must be one element with this tag and nothing else.
    pub(super) fn inside(der: &'a [u8], tag: u8) -> Option<Self> {
        Self(der).only().filter(|element| element.tag == tag).map(|element| Self(element.content))
    }

    /// The next element; `None` at the end and for anything malformed.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (&[tag, first], rest) = self.0.split_first_chunk::<2>()?;
        if tag & 0x1F == 0x1F {
            return None; // No structure of a certificate has tags of several bytes.
        }
        let (len, rest) = match first {
            0..=0x7F => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0F))?;
                let len = digits.iter().try_fold(0usize, |len, digit| {
                    len.checked_mul(256).and_then(|len| len.checked_add(usize::from(*digit)))
                })?;
                // DER wants the shortest form.
                if len < 0x80 || digits.first() == Some(&0) {
                    return None;
                }
                (len, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(len)?;
        let whole = self.0.get(..self.0.len().checked_sub(rest.len())?)?;
        self.0 = rest;
        Some(Element { tag, content, whole })
    }

    /// The content of the next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|element| element.tag == tag).map(|element| element.content)
    }

    /// The one element that there is.
    pub(super) fn only(mut self) -> Option<Element<'a>> {
        let element = self.next()?;
        self.end().map(|()| element)
    }

    /// That nothing is left.
    pub(super) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    /// The tag of the next element.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }
}

/// A BOOLEAN that may be absent, which is false. False may be spelled out: DER forbids that for a default, and too many
/// certificates do it.
pub(super) fn boolean(elements: &mut Elements<'_>) -> Option<bool> {
    if elements.peek() != Some(BOOLEAN) {
        return Some(false);
    }
    match elements.expect(BOOLEAN)? {
        [0] => Some(false),
        [0xFF] => Some(true),
        _ => None,
    }
}

/// The content of a bit string of whole bytes.
pub(super) fn whole_bytes(bit_string: &[u8]) -> Option<&[u8]> {
    bit_string.split_first().filter(|(unused, _)| **unused == 0).map(|(_, bytes)| bytes)
}

/// The content of an object identifier in dotted form.
pub(super) fn dotted(oid: &[u8]) -> String {
    let mut text = String::new();
    let mut arc: u64 = 0;
    for byte in oid {
        arc = arc.saturating_mul(128).saturating_add(u64::from(byte & 0x7F));
        if byte & 0x80 != 0 {
            continue;
        }
        let written = if text.is_empty() {
            let first = (arc / 40).min(2);
            write!(text, "{first}.{}", arc.saturating_sub(first.saturating_mul(40)))
        } else {
            write!(text, ".{arc}")
        };
        debug_assert!(written.is_ok());
        arc = 0;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_one_by_one_and_bad_lengths_are_refused() {
        let mut elements = Elements::inside(&[0x30, 0x05, 0x02, 0x01, 0x07, 0x05, 0x00], SEQUENCE).unwrap();
        assert_eq!(elements.expect(INTEGER), Some(&[7u8][..]));
        assert_eq!(elements.next().unwrap().whole, &[0x05, 0x00]);
        assert!(elements.end().is_some());
        assert!(Elements::inside(&[0x30, 0x00, 0x00], SEQUENCE).is_none(), "trailing byte");
        assert!(Elements::of(&[0x30, 0x81, 0x01, 0x00]).next().is_none(), "length not in its shortest form");
        assert!(Elements::of(&[0x30, 0x80, 0x00, 0x00]).next().is_none(), "indefinite length");
        assert!(Elements::of(&[0x30, 0x02, 0x00]).next().is_none(), "truncated");
    }

    #[test]
    fn tags_of_several_bytes_are_refused() {
        for tag in [0x1F, 0x3F, 0x9F, 0xBF] {
            assert!(Elements::of(&[tag, 0]).next().is_none(), "{tag:02x}");
            assert!(Elements::of(&[tag ^ 1, 0]).next().is_some(), "{tag:02x}");
        }
    }

    #[test]
    fn a_boolean_is_false_by_default_or_has_the_bytes_of_der() {
        let read = |der: &[u8]| boolean(&mut Elements::of(der));
        assert_eq!(read(&[]), Some(false));
        assert_eq!(read(&[INTEGER, 1, 1]), Some(false));
        assert_eq!(read(&[BOOLEAN, 1, 0]), Some(false));
        assert_eq!(read(&[BOOLEAN, 1, 0xFF]), Some(true));
        assert_eq!(read(&[BOOLEAN, 1, 1]), None);
        assert_eq!(read(&[BOOLEAN, 0]), None);
    }

    #[test]
    fn object_identifiers_print_dotted() {
        assert_eq!(dotted(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]), "1.2.840.10045.2.1");
        assert_eq!(dotted(&[0x55, 0x1D, 0x1E]), "2.5.29.30");
    }
}
