//! Common names, which must only repeat an alternative name (CA/Browser Forum Baseline Requirements, section 7.1.4.3).

use alloc::string::ToString;
use core::net::IpAddr;

use super::Certificate;
use super::der::{Elements, OID, SEQUENCE};
use super::names::{GeneralName, address};

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const UTF8_STRING: u8 = 0x0C;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// Whether the common name of a subject that says nothing else, where it is a host's name or address, is one of the
/// alternative names of that kind to the letter, addresses as RFC 5952 writes them.
///
/// A subject that says more, such as an organisation's name, describes its holder; nobody could take it for a name to
/// connect to. Where a certificate has no alternative name of the kind, and for the parent of a wildcard, it is let pass: it
/// contradicts nothing. Other texts, such as a product's name, are no business of anyone who verifies.
pub(super) fn repeats(certificate: &Certificate<'_>) -> bool {
    let Some(mut sets) = Elements::inside(certificate.subject_der, SEQUENCE) else { return false };
    if !is_alone(sets.clone()) {
        return true;
    }
    while let Some(set) = sets.next() {
        let mut attributes = Elements::of(set.content);
        while let Some(attribute) = attributes.next() {
            let mut parts = Elements::of(attribute.content);
            if parts.expect(OID) != Some(COMMON_NAME) {
                continue;
            }
            let text = parts
                .next()
                .filter(|value| matches!(value.tag, UTF8_STRING | PRINTABLE_STRING | IA5_STRING))
                .and_then(|value| core::str::from_utf8(value.content).ok());
            if !text.is_some_and(|text| agrees(&certificate.subject_names, text)) {
                return false;
            }
        }
    }
    true
}

/// Whether a subject has one attribute at most.
fn is_alone(mut sets: Elements<'_>) -> bool {
    let first = sets.next().map(|set| Elements::of(set.content));
    sets.is_empty() && first.is_none_or(|attributes| attributes.only().is_some())
}

fn agrees(names: &[GeneralName<'_>], text: &str) -> bool {
    if text.parse::<IpAddr>().is_ok() {
        let addresses = names.iter().filter_map(|name| match name {
            GeneralName::Ip(bytes) => Some(address(bytes).is_some_and(|address| address.to_string() == text)),
            _ => None,
        });
        return any_or_none(addresses);
    }
    if !text.contains('.') || text.contains([' ', '@', '/']) {
        return true;
    }
    let hosts = names.iter().filter_map(|name| match name {
        GeneralName::Dns(name) => {
            Some(name.strip_prefix(b"*.").unwrap_or(name) == text.as_bytes() || *name == text.as_bytes())
        }
        _ => None,
    });
    any_or_none(hosts)
}

/// Whether one of them is true, or there is none.
fn any_or_none(mut all: impl Iterator<Item = bool>) -> bool {
    all.next().is_none_or(|first| first || all.any(|one| one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_in_the_common_name_is_an_alternative_name_to_the_letter() {
        let (dns, ip) = (GeneralName::Dns(b"a.test"), GeneralName::Ip(&[127, 0, 0, 1]));
        let (wildcard, v6) = (GeneralName::Dns(b"*.b.test"), GeneralName::Ip(&[0; 16]));
        for (text, names, held) in [
            ("a.test", &[dns, ip][..], true),
            ("A.test", &[dns], false),
            ("c.test", &[dns, wildcard], false),
            ("t\u{fc}.test", &[dns], false),
            ("b.test", &[dns, wildcard], true),
            ("*.b.test", &[dns, wildcard], true),
            ("a.test", &[ip], true),
            ("127.0.0.1", &[dns, ip], true),
            ("127.0.0.2", &[dns, ip], false),
            ("::", &[v6], true),
            ("0:0:0:0:0:0:0:0", &[v6], false),
            ("Version 1.2 of something", &[dns], true),
            ("printer", &[dns], true),
        ] {
            assert_eq!(agrees(names, text), held, "{text}");
        }
    }
}
