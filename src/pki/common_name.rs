//! Common names, which must only repeat an alternative name (CA/Browser Forum Baseline Requirements, section 7.1.4.3).

use alloc::collections::BTreeSet;
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
    let presented = Presented::of(&certificate.subject_names);
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
            if !text.is_some_and(|text| presented.agree(text)) {
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

/// The alternative names that a common name can repeat. Whoever sends a certificate chooses how many there are of both, so
/// that none is compared with each of the others.
struct Presented<'a> {
    /// Those of wildcards also without the asterisk.
    hosts: BTreeSet<&'a [u8]>,
    addresses: BTreeSet<IpAddr>,
}

impl<'a> Presented<'a> {
    fn of(names: &[GeneralName<'a>]) -> Self {
        let mut all = Self { hosts: BTreeSet::new(), addresses: BTreeSet::new() };
        for name in names {
            match *name {
                GeneralName::Dns(host) => {
                    all.hosts.insert(host);
                    all.hosts.extend(host.strip_prefix(b"*."));
                }
                GeneralName::Ip(bytes) => all.addresses.extend(address(bytes)),
                _ => {}
            }
        }
        all
    }

    fn agree(&self, text: &str) -> bool {
        if let Ok(address) = text.parse::<IpAddr>() {
            let is_one = || self.addresses.contains(&address) && address.to_string() == text;
            return self.addresses.is_empty() || is_one();
        }
        if !text.contains('.') || text.contains([' ', '@', '/']) {
            return true;
        }
        self.hosts.is_empty() || self.hosts.contains(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::der::SET;
    use alloc::vec::Vec;
    use core::net::Ipv4Addr;
    use std::time::Instant;

    const LEAF: &[u8] = include_bytes!("../../testvectors/pki/p256.der");

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
            assert_eq!(Presented::of(names).agree(text), held, "{text}");
        }
    }

    #[test]
    fn many_common_names_beside_many_addresses_cost_no_more_than_both() {
        let element = |tag: u8, content: &[u8]| {
            let len = content.len().to_be_bytes();
            let digits = &len[len.iter().position(|digit| *digit != 0).unwrap()..];
            [&[tag, 0x80 | digits.len() as u8], digits, content].concat()
        };
        let spent = |count: u32| {
            let bytes: Vec<_> = (0..count).map(u32::to_be_bytes).collect();
            let last = Ipv4Addr::from(count - 1).to_string();
            let pair =
                [&[OID, 3][..], COMMON_NAME, &[UTF8_STRING, last.len() as u8], last.as_bytes()].concat();
            let attribute = [&[SEQUENCE, pair.len() as u8], &pair[..]].concat();
            let set = [&[SET, attribute.len() as u8], &attribute[..]].concat();
            let subject = element(SEQUENCE, &set.repeat(count as usize));
            let mut certificate = Certificate::parse(LEAF).unwrap();
            certificate.subject_der = &subject;
            certificate.subject_names = bytes.iter().map(|bytes| GeneralName::Ip(bytes)).collect();
            let start = Instant::now();
            assert!(repeats(&certificate));
            start.elapsed()
        };
        let (few, many) = (spent(100), spent(10_000));
        // A hundred times as many; the square would be ten thousand times.
        assert!(many < few * 1_000, "{few:?} {many:?}");
    }
}
