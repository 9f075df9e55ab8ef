//! Comparing distinguished names (RFC 5280 section 7.1).
//!
//! Texts are compared without regard to case and to insignificant spaces; they are not normalised (NFKC), so that
//! one character written in two ways counts as two.

use alloc::string::String;
use alloc::vec::Vec;

use super::der::{Element, Elements, OID, SEQUENCE, SET};

const UTF8_STRING: u8 = 0x0C;
const NUMERIC_STRING: u8 = 0x12;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1A;
const UNIVERSAL_STRING: u8 = 0x1C;
const BMP_STRING: u8 = 0x1E;

/// 1.2.840.113549.1.9.1 (RFC 5280 section 4.1.2.6).
const EMAIL_ADDRESS: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x01];

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    Same,
    Different,
    /// Both are texts, and one is in an encoding that is not compared (TeletexString, BMPString, UniversalString).
    Unclear,
}

/// Whether `der` is a `Name`: relative names, none of them empty, of attributes that are a type and a value.
pub(super) fn is_name(der: &[u8]) -> bool {
    let Some(mut relatives) = Elements::inside(der, SEQUENCE) else { return false };
    while !relatives.is_empty() {
        let Some(mut attributes) = relatives.expect(SET).filter(|set| !set.is_empty()).map(Elements::of)
        else {
            return false;
        };
        while !attributes.is_empty() {
            if attributes.next().and_then(attribute).is_none() {
                return false;
            }
        }
    }
    true
}

/// A name made ready to be compared: each text is prepared once, whatever it is compared with.
#[derive(Debug)]
pub(super) struct Name<'a>(Vec<Relative<'a>>);

/// A relative name, and how many bytes it has.
#[derive(Debug)]
struct Relative<'a> {
    attributes: Vec<Attribute<'a>>,
    len: usize,
}

#[derive(Debug)]
struct Attribute<'a> {
    kind: &'a [u8],
    tag: u8,
    /// The value, with its tag.
    value: &'a [u8],
    /// The characters that count, where the encoding is one that is compared.
    text: Option<String>,
}

impl<'a> Name<'a> {
    /// `None` when it is malformed.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut sets = Elements::inside(der, SEQUENCE).filter(|_| is_name(der))?;
        let mut relatives = Vec::new();
        while let Some(set) = sets.next() {
            let (mut attributes, mut elements) = (Vec::new(), Elements::of(set.content));
            while let Some(element) = elements.next() {
                let (kind, value) = attribute(element)?;
                let text = text(value).map(prepared);
                attributes.push(Attribute { kind, tag: value.tag, value: value.whole, text });
            }
            relatives.push(Relative { attributes, len: set.content.len() });
        }
        Some(Self(relatives))
    }

    /// Whether the relative names of `base` are the first ones of this name.
    ///
    /// Before any comparison of some bytes, `pay` is called with how many they are.
    pub(super) fn within<E>(
        &self,
        base: &Self,
        pay: &mut impl FnMut(usize) -> Result<(), E>,
    ) -> Result<Compared, E> {
        // RFC 5280 section 7.1: "DN1 contains at least as many RDNs as DN2, and DN1 and DN2 are a match when trailing
        // RDNs in DN1 are ignored."
        if self.0.len() < base.0.len() {
            return Ok(Compared::Different);
        }
        let mut found = Compared::Same;
        for (name, base) in self.0.iter().zip(&base.0) {
            found = found.and(name.compare(base, pay)?);
            if found == Compared::Different {
                break;
            }
        }
        Ok(found)
    }
}

impl Compared {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Different, _) | (_, Self::Different) => Self::Different,
            (Self::Unclear, _) | (_, Self::Unclear) => Self::Unclear,
            (Self::Same, Self::Same) => Self::Same,
        }
    }
}

impl Relative<'_> {
    /// RFC 5280 section 7.1: "Two relative distinguished names RDN1 and RDN2 match if they have the same number of naming
    /// attributes and for each naming attribute in RDN1 there is a matching naming attribute in RDN2."
    fn compare<E>(&self, base: &Self, pay: &mut impl FnMut(usize) -> Result<(), E>) -> Result<Compared, E> {
        let mut found = Compared::Same;
        if self.attributes.len() != base.attributes.len() {
            return Ok(Compared::Different);
        }
        for base in &base.attributes {
            pay(self.len)?;
            let mut best = Compared::Different;
            for attribute in &self.attributes {
                match attribute.compare(base) {
                    Compared::Different => {}
                    Compared::Unclear => best = Compared::Unclear,
                    Compared::Same => {
                        best = Compared::Same;
                        break;
                    }
                }
            }
            found = found.and(best);
            if found == Compared::Different {
                break;
            }
        }
        Ok(found)
    }
}

impl Attribute<'_> {
    fn compare(&self, other: &Self) -> Compared {
        if self.kind != other.kind {
            return Compared::Different;
        }
        match (&self.text, &other.text) {
            (Some(one), Some(other)) if one == other => Compared::Same,
            (Some(_), Some(_)) => Compared::Different,
            _ if self.value == other.value => Compared::Same,
            _ if is_string(self.tag) && is_string(other.tag) => Compared::Unclear,
            _ => Compared::Different,
        }
    }
}

/// The values of the attributes of type emailAddress in a name; `None` for one that is not in ASCII.
pub(super) fn email_addresses(name: &[u8]) -> impl Iterator<Item = Option<&str>> {
    let all = |content| {
        let mut elements = Elements::of(content);
        core::iter::from_fn(move || elements.next())
    };
    let relatives = Elements::inside(name, SEQUENCE).into_iter().flat_map(move |mut relatives| {
        core::iter::from_fn(move || relatives.next()).flat_map(move |set| all(set.content))
    });
    relatives
        .filter_map(attribute)
        .filter(|(kind, _)| *kind == EMAIL_ADDRESS)
        .map(|(_, value)| text(value).filter(|text| text.is_ascii()))
}

/// The type and the value of an attribute.
fn attribute(element: Element<'_>) -> Option<(&[u8], Element<'_>)> {
    let mut parts = Elements::inside(element.whole, SEQUENCE)?;
    let kind = parts.expect(OID).filter(|kind| !kind.is_empty())?;
    let value = parts.next()?;
    parts.end().map(|()| (kind, value))
}

/// The text of a value, where its encoding is one that is compared.
fn text(value: Element<'_>) -> Option<&str> {
    match value.tag {
        UTF8_STRING => core::str::from_utf8(value.content).ok(),
        NUMERIC_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING => {
            core::str::from_utf8(value.content).ok().filter(|text| text.is_ascii())
        }
        _ => None,
    }
}

fn is_string(tag: u8) -> bool {
    matches!(
        tag,
        UTF8_STRING
            | NUMERIC_STRING
            | PRINTABLE_STRING
            | TELETEX_STRING
            | IA5_STRING
            | VISIBLE_STRING
            | UNIVERSAL_STRING
            | BMP_STRING
    )
}

/// The characters that count: words behind a space each, their case folded.
///
/// RFC 5280 section 7.1: "perform white space compression as specified in Section 2.6.1, Insignificant Space Handling,
/// of [RFC4518]".
fn prepared(text: &str) -> String {
    let words = text.split(char::is_whitespace).filter(|word| !word.chars().all(is_mapped_to_nothing));
    let folded = words.flat_map(|word| {
        let letters = word.chars().filter(|letter| !is_mapped_to_nothing(*letter));
        // By way of upper case, "ß" and "ss" become one, and so do the two small sigmas.
        core::iter::once(' ').chain(letters.flat_map(char::to_uppercase).flat_map(char::to_lowercase))
    });
    folded.collect()
}

/// RFC 4518 section 2.2: soft hyphens, variation selectors, control and formatting characters do not count.
fn is_mapped_to_nothing(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{AD}' | '\u{34F}' | '\u{6DD}' | '\u{70F}' | '\u{1806}' | '\u{180B}'..='\u{180E}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2063}'
            | '\u{206A}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFC}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0001}' | '\u{E0020}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CN: &[u8] = &[0x55, 0x04, 0x03];
    const O: &[u8] = &[0x55, 0x04, 0x0A];

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn attribute(kind: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        tlv(SEQUENCE, &[tlv(OID, kind), tlv(tag, value)].concat())
    }

    /// A name of relative names of one attribute each.
    fn name(attributes: &[Vec<u8>]) -> Vec<u8> {
        let sets: Vec<_> = attributes.iter().map(|attribute| tlv(SET, attribute)).collect();
        tlv(SEQUENCE, &sets.concat())
    }

    fn compare(name: &[u8], base: &[u8]) -> Compared {
        let (name, base) = (Name::parse(name).unwrap(), Name::parse(base).unwrap());
        name.within(&base, &mut |_| Ok::<_, ()>(())).unwrap()
    }

    #[test]
    fn a_name_is_within_its_first_relative_names() {
        let (org, cn) = (attribute(O, UTF8_STRING, b"Org"), attribute(CN, UTF8_STRING, b"x"));
        let whole = name(&[org.clone(), cn.clone()]);
        assert_eq!(compare(&whole, &name(&[])), Compared::Same);
        assert_eq!(compare(&whole, &name(std::slice::from_ref(&org))), Compared::Same);
        assert_eq!(compare(&whole, &whole), Compared::Same);
        assert_eq!(compare(&name(std::slice::from_ref(&org)), &whole), Compared::Different);
        assert_eq!(compare(&whole, &name(std::slice::from_ref(&cn))), Compared::Different, "no prefix");
        assert_eq!(compare(&whole, &name(&[cn, org])), Compared::Different, "order counts");
    }

    #[test]
    fn texts_are_compared_without_regard_to_case_and_spaces() {
        let compare_texts = |one: (u8, &[u8]), other: (u8, &[u8])| {
            compare(&name(&[attribute(CN, one.0, one.1)]), &name(&[attribute(CN, other.0, other.1)]))
        };
        let utf8 = |text: &'static str| (UTF8_STRING, text.as_bytes());
        for (one, other) in [
            (utf8("Foo Bar"), utf8("foo  BAR")),
            (utf8(" foo "), (PRINTABLE_STRING, &b"FOO"[..])),
            (utf8("\u{c4}RGER stra\u{df}e"), utf8("\u{e4}rger STRASSE")),
            (utf8("fo\u{ad}o"), utf8("foo\u{200b}")),
            (utf8("a\t\u{ad}\nb"), utf8("a b")),
        ] {
            assert_eq!(compare_texts(one, other), Compared::Same, "{one:?} {other:?}");
        }
        for (one, other) in [
            (utf8("foo bar"), utf8("foobar")),
            (utf8("foo"), utf8("foo.")),
            (utf8("foo"), (0x03, &b"\0foo"[..])),
            ((0x03, &b"\0foo"[..]), (0x03, &b"\0FOO"[..])),
        ] {
            assert_eq!(compare_texts(one, other), Compared::Different, "{one:?} {other:?}");
        }
        let bmp = (BMP_STRING, &b"\0f\0o\0o"[..]);
        assert_eq!(compare_texts(bmp, bmp), Compared::Same);
        assert_eq!(compare_texts(utf8("foo"), bmp), Compared::Unclear);
        assert_eq!(compare_texts((TELETEX_STRING, b"foo"), (TELETEX_STRING, b"Foo")), Compared::Unclear);
        assert_eq!(compare_texts((UTF8_STRING, b"\xff"), utf8("foo")), Compared::Unclear);
    }

    #[test]
    fn attributes_of_different_types_differ() {
        let (org, cn) = (attribute(O, UTF8_STRING, b"x"), attribute(CN, UTF8_STRING, b"x"));
        assert_eq!(compare(&name(&[org]), &name(&[cn])), Compared::Different);
    }

    #[test]
    fn relative_names_of_several_attributes_match_in_any_order_and_all() {
        let (org, cn) = (attribute(O, UTF8_STRING, b"Org"), attribute(CN, UTF8_STRING, b"x"));
        let one = name(&[[org.clone(), cn.clone()].concat()]);
        assert_eq!(compare(&one, &name(&[[cn.clone(), org.clone()].concat()])), Compared::Same);
        assert_eq!(compare(&one, &name(&[org])), Compared::Different);
        let other = attribute(O, UTF8_STRING, b"Other");
        assert_eq!(compare(&one, &name(&[[cn, other].concat()])), Compared::Different);
    }

    #[test]
    fn email_addresses_are_found_wherever_they_stand() {
        let email = |value: &[u8]| attribute(EMAIL_ADDRESS, IA5_STRING, value);
        let cn = attribute(CN, UTF8_STRING, b"no@mail");
        let name = name(&[email(b"a@b"), [cn, email(b"c@d")].concat(), email(b"\xe9@f")]);
        let found: Vec<_> = email_addresses(&name).collect();
        assert_eq!(found, [Some("a@b"), Some("c@d"), None]);
    }

    #[test]
    fn what_is_no_name_is_told() {
        assert!(is_name(&[0x30, 0]));
        let good = name(&[attribute(CN, UTF8_STRING, b"x")]);
        for len in 0..good.len() {
            assert!(!is_name(&good[..len]) && Name::parse(&good[..len]).is_none(), "{len}");
        }
        assert!(!is_name(&tlv(SEQUENCE, &tlv(SET, &[]))), "an empty relative name");
        assert!(!is_name(&tlv(SEQUENCE, &attribute(CN, UTF8_STRING, b"x"))), "no set");
        assert!(!is_name(&tlv(SEQUENCE, &tlv(SET, &tlv(SEQUENCE, &tlv(OID, CN))))), "no value");
    }

    #[test]
    fn a_comparison_pays_before_it_compares() {
        let der = name(&[attribute(O, UTF8_STRING, b"Org"), attribute(CN, UTF8_STRING, b"x")]);
        let one = Name::parse(&der).unwrap();
        let mut paid = 0;
        let result = one.within(&one, &mut |bytes| {
            assert!(bytes > 0);
            paid += 1;
            if paid == 2 { Err(()) } else { Ok(()) }
        });
        assert_eq!(result, Err(()), "two relative names of an attribute each");
    }
}
