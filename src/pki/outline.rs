//! Where the parts of a certificate lie (RFC 5280 section 4.1), read strictly: nothing is passed over.

use super::algorithm::is_identifier;
use super::der::{BIT_STRING, Elements, INTEGER, OID, SEQUENCE, SET, whole_bytes};
use super::time;

/// The parts that are compared, verified or handed on as they are.
pub(super) struct Outline<'a> {
    pub(super) tbs: &'a [u8],
    /// 1 to 3.
    pub(super) version: u8,
    /// The content of an INTEGER in its shortest form.
    pub(super) serial: &'a [u8],
    pub(super) outer_algorithm: &'a [u8],
    pub(super) inner_algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) issuer: &'a [u8],
    /// Seconds since 1970, both inclusive.
    pub(super) validity: (i64, i64),
    /// Whether each of the two is a UTCTime up to 2049 and a GeneralizedTime from then on.
    pub(super) times_in_form: bool,
    pub(super) subject: &'a [u8],
    pub(super) spki: &'a [u8],
    /// The whole `Extensions`.
    pub(super) extensions: Option<&'a [u8]>,
}

impl<'a> Outline<'a> {
    /// `None` when a field is missing, out of order or too many, or when a length is not DER.
    pub(super) fn of(der: &'a [u8]) -> Option<Self> {
        let mut outer = Elements::inside(der, SEQUENCE)?;
        let tbs = outer.next()?;
        let outer_algorithm = algorithm(&mut outer)?;
        let signature = whole_bytes(outer.expect(BIT_STRING)?)?;
        outer.end()?;

        let mut inner = Elements::inside(tbs.whole, SEQUENCE)?;
        let version = version(&mut inner)?;
        let serial = inner.expect(INTEGER).filter(|serial| is_shortest(serial))?;
        let inner_algorithm = algorithm(&mut inner)?;
        let issuer = name(&mut inner)?;
        let mut times = Elements::of(inner.expect(SEQUENCE)?);
        let (not_before, first) = time::seconds(times.next()?)?;
        let (not_after, last) = time::seconds(times.next()?)?;
        times.end()?;
        let subject = name(&mut inner)?;
        let spki = inner.next()?.whole;
        // issuerUniqueID, subjectUniqueID, extensions: in this order, each at most once.
        let mut extensions = None;
        let mut latest = 0;
        while !inner.is_empty() {
            let field = inner.next()?;
            let least = match field.tag {
                0x81 | 0x82 => 2,
                0xA3 => 3,
                _ => return None,
            };
            if field.tag & 0x1F <= latest || version < least {
                return None;
            }
            latest = field.tag & 0x1F;
            if least == 3 {
                extensions = Some(field.content);
            }
        }
        Some(Self {
            tbs: tbs.whole,
            version,
            serial,
            outer_algorithm,
            inner_algorithm,
            signature,
            issuer,
            validity: (not_before, not_after),
            times_in_form: in_form(not_before, first) && in_form(not_after, last),
            subject,
            spki,
            extensions,
        })
    }
}

fn algorithm<'a>(elements: &mut Elements<'a>) -> Option<&'a [u8]> {
    let whole = elements.next().filter(|element| element.tag == SEQUENCE && is_identifier(element.content));
    whole.map(|element| element.whole)
}

fn version(inner: &mut Elements<'_>) -> Option<u8> {
    if inner.peek() != Some(0xA0) {
        return Some(1);
    }
    let mut version = Elements::of(inner.expect(0xA0)?);
    let number = version.expect(INTEGER)?;
    version.end()?;
    match number {
        [number @ 0..=2] => number.checked_add(1),
        _ => None,
    }
}

/// Whether the content of an INTEGER is the shortest one for its number.
pub(super) fn is_shortest(content: &[u8]) -> bool {
    match content {
        [] => false,
        [0, second, ..] => second & 0x80 != 0,
        [0xFF, second, ..] => second & 0x80 == 0,
        _ => true,
    }
}

/// A `Name` with all its parts in their places.
pub(super) fn name<'a>(elements: &mut Elements<'a>) -> Option<&'a [u8]> {
    let name = elements.next()?;
    let mut sets = Elements::inside(name.whole, SEQUENCE)?;
    while !sets.is_empty() {
        let mut attributes = Elements::of(sets.expect(SET).filter(|set| !set.is_empty())?);
        while !attributes.is_empty() {
            let mut attribute = Elements::of(attributes.expect(SEQUENCE)?);
            let (_kind, _value) = (attribute.expect(OID)?, attribute.next()?);
            attribute.end()?;
        }
    }
    Some(name.whole)
}

/// RFC 5280 section 4.1.2.5: "CAs conforming to this profile MUST always encode certificate validity dates through the
/// year 2049 as UTCTime; certificate validity dates in 2050 or later MUST be encoded as GeneralizedTime."
fn in_form(seconds: i64, form: time::Form) -> bool {
    (form == time::Form::Generalized) == (seconds >= 2_524_608_000)
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
    fn an_algorithm_is_a_sequence_that_begins_with_an_identifier() {
        let taken = |element: &[u8]| algorithm(&mut Elements::of(element)).is_some();
        assert!(taken(&[0x30, 4, 6, 2, 0x2A, 3]));
        assert!(!taken(&[0x31, 4, 6, 2, 0x2A, 3]), "a SET");
        assert!(!taken(&[0x30, 2, 5, 0]), "no identifier");
        assert!(!taken(&[]));
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
    fn what_follows_the_key_comes_in_order_each_once_and_with_its_version() {
        const ISSUER_ID: &[u8] = &[0x81, 2, 0, 7];
        let outline = Outline::of(LEAF).unwrap();
        let (tbs, rest) = (&outline.tbs[4..], &LEAF[4 + outline.tbs.len()..]);
        let (mut fields, mut last) = (Elements::of(tbs), 0);
        while let Some(field) = fields.next() {
            last = field.whole.len();
        }
        let (before, extensions) = tbs.split_at(tbs.len() - last);
        let taken = |fields: &[&[u8]]| {
            Outline::of(&sequence(&[&sequence(&fields.concat()), rest].concat())).is_some()
        };
        assert!(taken(&[before, ISSUER_ID, extensions]));
        assert!(!taken(&[before, extensions, ISSUER_ID]), "out of order");
        assert!(!taken(&[before, ISSUER_ID, ISSUER_ID, extensions]), "twice");
        let (version, unversioned) = before.split_at(5);
        assert_eq!(version, [0xA0, 3, 2, 1, 2]);
        assert!(!taken(&[unversioned, extensions]), "extensions need version 3");
    }

    #[test]
    fn an_integer_has_its_shortest_form() {
        for shortest in
            [&[0][..], &[0x7F], &[0x80], &[0xFF], &[0, 0x80], &[0, 0xFF], &[0xFF, 0x7F], &[0xFF, 0]]
        {
            assert!(is_shortest(shortest), "{shortest:02x?}");
        }
        for longer in [&[][..], &[0, 0], &[0, 0x7F], &[0xFF, 0x80], &[0xFF, 0xFF]] {
            assert!(!is_shortest(longer), "{longer:02x?}");
        }
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
