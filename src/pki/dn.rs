//! Distinguished names as text (RFC 4514).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::der::{Elements, OID, SEQUENCE, SET, dotted};

const UTF8_STRING: u8 = 0x0C;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// The text of a DER `Name`; an empty name gives an empty text.
pub(super) fn rfc4514(name: &[u8]) -> String {
    let mut relative = Vec::new();
    let Some(mut names) = Elements::inside(name, SEQUENCE) else { return String::from("(malformed name)") };
    while let Some(set) = names.next() {
        relative.push(if set.tag == SET { attributes(set.content) } else { String::from("(malformed)") });
    }
    // RFC 4514 section 2.1: starting with the last element.
    relative.reverse();
    relative.join(",")
}

fn attributes(set: &[u8]) -> String {
    let mut texts = Vec::new();
    let mut attributes = Elements::of(set);
    while let Some(attribute) = attributes.next() {
        texts.push(text(attribute.whole).unwrap_or_else(|| String::from("(malformed)")));
    }
    texts.join("+")
}

fn text(attribute: &[u8]) -> Option<String> {
    let mut parts = Elements::inside(attribute, SEQUENCE)?;
    let kind = parts.expect(OID)?;
    let value = parts.next()?;
    let string = match value.tag {
        UTF8_STRING | PRINTABLE_STRING | IA5_STRING => core::str::from_utf8(value.content).ok(),
        _ => None,
    };
    let mut out = match short_name(kind) {
        Some(name) => String::from(name),
        None => dotted(kind),
    };
    out.push('=');
    match string {
        Some(string) => escape(string, &mut out),
        None => {
            out.push('#');
            value.whole.iter().for_each(|byte| hex(*byte, &mut out));
        }
    }
    Some(out)
}

/// RFC 4514 section 2.4; control characters, which it permits, are escaped too, so that no name can forge a log.
fn escape(value: &str, out: &mut String) {
    let last = value.chars().count().saturating_sub(1);
    for (position, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '#' | ' ' if position == 0 => {
                out.push('\\');
                out.push(character);
            }
            ' ' if position == last => out.push_str("\\ "),
            _ if character.is_control() => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    out.push('\\');
                    hex(byte, out);
                }
            }
            _ => out.push(character),
        }
    }
}

fn hex(byte: u8, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{byte:02x}");
}

/// RFC 4514 section 3, and what certificates carry besides.
fn short_name(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 5] => "serialNumber",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 9] => "STREET",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 1] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 25] => "DC",
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1] => "emailAddress",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag, content.len() as u8];
        out.extend_from_slice(content);
        out
    }

    fn name(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
        let sets = attributes.iter().flat_map(|(oid, tag, value)| {
            let pair = [element(OID, oid), element(*tag, value)].concat();
            element(SET, &element(SEQUENCE, &pair))
        });
        element(SEQUENCE, &sets.collect::<Vec<_>>())
    }

    #[test]
    fn the_last_element_comes_first_and_special_characters_are_escaped() {
        let name = name(&[(&[0x55, 4, 10], UTF8_STRING, b"A, B"), (&[0x55, 4, 3], PRINTABLE_STRING, b"x\n")]);
        assert_eq!(rfc4514(&name), "CN=x\\0a,O=A\\, B");
    }

    #[test]
    fn spaces_are_escaped_where_they_begin_or_end_a_value() {
        let name = name(&[(&[0x55, 4, 3], UTF8_STRING, b" a b "), (&[0x55, 4, 3], UTF8_STRING, b"#c#")]);
        assert_eq!(rfc4514(&name), "CN=\\#c#,CN=\\ a b\\ ");
    }

    #[test]
    fn known_types_have_names() {
        let uid = [0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1];
        let mail = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1];
        let in_2_5_4 = [(3, "CN"), (5, "serialNumber"), (6, "C"), (7, "L"), (8, "ST"), (9, "STREET")];
        for (last, known) in in_2_5_4.into_iter().chain([(10, "O"), (11, "OU")]) {
            assert_eq!(short_name(&[0x55, 4, last]), Some(known));
        }
        assert_eq!(short_name(&[&uid[..], &[1]].concat()), Some("UID"));
        assert_eq!(short_name(&[&uid[..], &[25]].concat()), Some("DC"));
        assert_eq!(short_name(&mail), Some("emailAddress"));
    }

    #[test]
    fn unknown_types_and_values_are_shown_as_numbers() {
        let name = name(&[(&[0x55, 4, 99], 0x1E, &[0, 65])]);
        assert_eq!(rfc4514(&name), "2.5.4.99=#1e020041");
        assert_eq!(rfc4514(&[0x30, 0]), "");
    }
}
