//! Where the parts of a certificate lie (RFC 5280 section 4.1), read strictly: `x509-parser` passes over bytes that
//! follow the last field it knows inside of a structure.

use super::der::{BIT_STRING, Elements, INTEGER, SEQUENCE, whole_bytes};

/// The parts that are compared, verified or handed on as they are.
pub(super) struct Outline<'a> {
    pub(super) tbs: &'a [u8],
    pub(super) outer_algorithm: &'a [u8],
    pub(super) inner_algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    pub(super) spki: &'a [u8],
}

impl<'a> Outline<'a> {
    /// `None` when a field is missing, out of order or too many, or when a length is not DER.
    pub(super) fn of(der: &'a [u8]) -> Option<Self> {
        let mut outer = Elements::inside(der, SEQUENCE)?;
        let tbs = outer.next()?;
        let outer_algorithm = outer.next()?.whole;
        let signature = whole_bytes(outer.expect(BIT_STRING)?)?;
        outer.end()?;

        let mut inner = Elements::inside(tbs.whole, SEQUENCE)?;
        let mut serial = inner.next()?;
        if serial.tag == 0xA0 {
            serial = inner.next()?; // That was the version.
        }
        if serial.tag != INTEGER {
            return None;
        }
        let inner_algorithm = inner.next()?.whole;
        let issuer = inner.next()?.whole;
        let _validity = inner.expect(SEQUENCE)?;
        let subject = inner.next()?.whole;
        let spki = inner.next()?.whole;
        let mut key = Elements::inside(spki, SEQUENCE)?;
        let (_algorithm, _bits) = (key.expect(SEQUENCE)?, key.expect(BIT_STRING)?);
        key.end()?;
        // issuerUniqueID, subjectUniqueID, extensions: in this order, each at most once.
        let mut last = 0;
        while !inner.is_empty() {
            let tag = inner.next()?.tag;
            if !matches!(tag, 0x81 | 0x82 | 0xA3) || tag & 0x1F <= last {
                return None;
            }
            last = tag & 0x1F;
        }
        Some(Self { tbs: tbs.whole, outer_algorithm, inner_algorithm, signature, issuer, subject, spki })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const LEAF: &[u8] = include_bytes!("../../testvectors/pki/p256.der");

    /// A long-form sequence of two length bytes, which every certificate here is.
    fn sequence(content: &[u8]) -> Vec<u8> {
        let mut out = Vec::from([0x30, 0x82, (content.len() >> 8) as u8, content.len() as u8]);
        out.extend_from_slice(content);
        out
    }

    #[test]
    fn the_parts_of_a_certificate_add_up_to_it() {
        let outline = Outline::of(LEAF).unwrap();
        assert_eq!(outline.outer_algorithm, outline.inner_algorithm);
        let len = 4 + outline.tbs.len() + outline.outer_algorithm.len() + 3 + outline.signature.len();
        assert_eq!(len, LEAF.len());
    }

    #[test]
    fn a_field_too_many_is_refused_inside_and_outside() {
        let (mut outer, null) = (LEAF[4..].to_vec(), [5, 0]);
        assert!(Outline::of(&sequence(&outer)).is_some());
        outer.extend(null);
        assert!(Outline::of(&sequence(&outer)).is_none());

        let outline = Outline::of(LEAF).unwrap();
        let rest = &LEAF[4 + outline.tbs.len()..];
        let tbs = sequence(&[&outline.tbs[4..], &null].concat());
        assert!(Outline::of(&sequence(&[&tbs, rest].concat())).is_none());
    }

    #[test]
    fn every_truncation_is_refused() {
        for len in 0..LEAF.len() {
            assert!(Outline::of(&LEAF[..len]).is_none(), "{len}");
            assert!(crate::pki::Certificate::parse(&LEAF[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn no_changed_byte_makes_the_parser_panic() {
        for at in 0..LEAF.len() {
            for change in [0x01, 0x80, 0xFF] {
                let mut bad = LEAF.to_vec();
                bad[at] ^= change;
                let _ = crate::pki::Certificate::parse(&bad);
            }
        }
    }
}
