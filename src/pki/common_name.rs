//! Common names, which must only repeat an alternative name (CA/Browser Forum Baseline Requirements, section 7.1.4.3).

use alloc::string::ToString;

use super::Certificate;
use super::der::{Elements, OID, SEQUENCE};
use super::names::{GeneralName, address};

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const UTF8_STRING: u8 = 0x0C;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// Whether each common name in the subject is one of the alternative names to the letter, addresses as RFC 5952 writes
/// them.
pub(super) fn repeats(certificate: &Certificate<'_>) -> bool {
    let Some(mut sets) = Elements::inside(certificate.subject_der, SEQUENCE) else { return false };
    while let Some(set) = sets.next() {
        let mut attributes = Elements::of(set.content);
        while let Some(attribute) = attributes.next() {
            let mut parts = Elements::of(attribute.content);
            if parts.expect(OID) != Some(COMMON_NAME) {
                continue;
            }
            let text =
                parts.next().filter(|value| matches!(value.tag, UTF8_STRING | PRINTABLE_STRING | IA5_STRING));
            if !text.is_some_and(|value| is_alternative(certificate, value.content)) {
                return false;
            }
        }
    }
    true
}

fn is_alternative(certificate: &Certificate<'_>, text: &[u8]) -> bool {
    certificate.subject_names.iter().any(|name| match name {
        GeneralName::Dns(name) => *name == text,
        GeneralName::Ip(bytes) => {
            address(bytes).is_some_and(|address| address.to_string().as_bytes() == text)
        }
        _ => false,
    })
}
