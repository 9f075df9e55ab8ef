//! The subtrees of name constraints: their bases (RFC 5280 section 4.2.1.10), and what is within them.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::der::{Element, Elements, SEQUENCE};
use super::directory::Name;
use super::names::{GeneralName, Mailbox, is_dns, is_host};

/// What is wrong where the encoding is.
pub(super) const MALFORMED: &str = "its name constraints are not DER";

/// Subtrees, by the type of their base.
#[derive(Debug, Default)]
pub(super) struct Subtrees<'a> {
    pub(super) dns: Vec<&'a str>,
    pub(super) emails: Vec<EmailBase<'a>>,
    pub(super) uris: Vec<HostBase<'a>>,
    pub(super) networks: Vec<Network>,
    pub(super) directories: Vec<Name<'a>>,
    /// Types that are not evaluated.
    pub(super) others: Vec<u8>,
}

#[derive(Debug)]
pub(super) enum EmailBase<'a> {
    Mailbox(Mailbox<'a>),
    Host(HostBase<'a>),
}

#[derive(Debug)]
pub(super) enum HostBase<'a> {
    /// This host alone.
    Host(&'a str),
    /// Every host below it, and not itself.
    Below(&'a str),
}

/// An address and its mask, as numbers.
#[derive(Debug)]
pub(super) enum Network {
    V4 { address: u32, mask: u32 },
    V6 { address: u128, mask: u128 },
}

/// Which list a base stands in. In doubt, the one does not cover a name, and the other one does.
#[derive(Clone, Copy, Debug)]
pub(super) enum List {
    Permitted,
    Excluded,
}

/// A DNS name as a certificate presents it.
pub(super) enum Presented<'a> {
    Host(&'a str),
    /// Every host that is one label longer.
    Wildcard(&'a str),
}

impl<'a> Subtrees<'a> {
    /// `GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) OF GeneralSubtree`.
    pub(super) fn parse(content: &'a [u8]) -> Result<Self, &'static str> {
        let mut elements = Elements::of(content);
        if elements.is_empty() {
            return Err("a list of its name constraints is empty");
        }
        let mut all = Self::default();
        while !elements.is_empty() {
            let mut subtree = elements.expect(SEQUENCE).map(Elements::of).ok_or(MALFORMED)?;
            let base = subtree.next().ok_or(MALFORMED)?;
            // "the minimum MUST be zero, and maximum MUST be absent".
            let distance_is_legal = subtree.is_empty() || subtree.expect(0x80) == Some(&[0]);
            if !distance_is_legal || !subtree.is_empty() {
                return Err("a name constraint has a minimum other than zero, or a maximum");
            }
            all.add(base)?;
        }
        Ok(all)
    }

    fn add(&mut self, base: Element<'a>) -> Result<(), &'static str> {
        let text = core::str::from_utf8(base.content);
        match GeneralName::read(base)? {
            GeneralName::Dns(_) => {
                // "DNS name restrictions are expressed as host.example.com": without a period before it, which the
                // profile judges. Zero or more labels added to no label at all give every name.
                let is_base = |base: &&str| base.is_empty() || is_dns(base.strip_prefix('.').unwrap_or(base));
                let base = text.ok().filter(is_base);
                self.dns.push(base.ok_or("a name constraint on DNS names is malformed")?);
            }
            GeneralName::Email(bytes) => {
                let mailbox = || Mailbox::parse(bytes).map(EmailBase::Mailbox);
                let host = || HostBase::parse(text.ok()?).map(EmailBase::Host);
                self.emails
                    .push(mailbox().or_else(host).ok_or("a name constraint on mailboxes is malformed")?);
            }
            GeneralName::Uri(_) => {
                let base = text.ok().and_then(HostBase::parse);
                self.uris.push(base.ok_or("a name constraint on URIs is neither a host nor a domain")?);
            }
            GeneralName::Ip(bytes) => {
                self.networks
                    .push(Network::parse(bytes).ok_or("a name constraint is no address with a mask")?);
            }
            GeneralName::Directory(der) => {
                self.directories.push(Name::parse(der).ok_or("a name constraint is no directory name")?);
            }
            GeneralName::Other(kind) if self.others.contains(&kind) => {}
            GeneralName::Other(kind) => self.others.push(kind),
        }
        Ok(())
    }
}

impl<'a> Presented<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let name = core::str::from_utf8(bytes).ok()?;
        match name.strip_prefix("*.") {
            Some(parent) => is_dns(parent).then_some(Self::Wildcard(parent)),
            None => is_dns(name).then_some(Self::Host(name)),
        }
    }

    /// Whether all names that it stands for are in the subtree; for an excluded one, whether any is.
    pub(super) fn is_within(&self, base: &str, list: List) -> bool {
        // Behind a period, it is meant for what is below it, as it is with URIs; in doubt, itself is excluded, too.
        let (base, base_counts) = match (base.strip_prefix('.'), list) {
            (Some(domain), List::Permitted) => (domain, false),
            (Some(domain), List::Excluded) => (domain, true),
            (None, _) => (base, true),
        };
        match (self, list) {
            (Self::Host(name), _) if !base_counts && name.len() <= base.len() => false,
            (Self::Host(name) | Self::Wildcard(name), _) if ends_with_labels(name, base) => true,
            // The base itself may be one of them, and those below it are no more.
            (Self::Wildcard(parent), List::Excluded) => {
                base.split_once('.').is_some_and(|(_label, rest)| rest.eq_ignore_ascii_case(parent))
            }
            _ => false,
        }
    }
}

/// RFC 5280 section 7.2: "a case-insensitive exact match on a label-by-label basis".
fn ends_with_labels(name: &str, base: &str) -> bool {
    match name.len().checked_sub(base.len()).and_then(|at| name.split_at_checked(at)) {
        Some((labels, end)) => {
            end.eq_ignore_ascii_case(base) && (labels.is_empty() || base.is_empty() || labels.ends_with('.'))
        }
        None => false,
    }
}

impl<'a> HostBase<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        match text.strip_prefix('.') {
            Some(domain) => is_host(domain).then_some(Self::Below(domain)),
            None => is_host(text).then_some(Self::Host(text)),
        }
    }

    /// "the constraint ".example.com" is satisfied by both host.example.com and my.host.example.com", and "is not
    /// satisfied by "example.com"".
    pub(super) fn covers(&self, host: &str) -> bool {
        match self {
            Self::Host(wanted) => host.eq_ignore_ascii_case(wanted),
            Self::Below(domain) => host.len() > domain.len() && ends_with_labels(host, domain),
        }
    }
}

impl EmailBase<'_> {
    pub(super) fn covers(&self, mailbox: &Mailbox<'_>) -> bool {
        match self {
            Self::Mailbox(wanted) => wanted.is(mailbox),
            Self::Host(base) => base.covers(mailbox.host),
        }
    }
}

impl Network {
    /// An address and a mask of the same length, "encoded in the style of RFC 4632 (CIDR)": a mask is ones, then zeros.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (address, mask) = bytes.split_at_checked(bytes.len() / 2)?;
        if let (Ok(address), Ok(mask)) = (<[u8; 4]>::try_from(address), <[u8; 4]>::try_from(mask)) {
            let (address, mask) = (u32::from_be_bytes(address), u32::from_be_bytes(mask));
            return (mask.leading_ones() == mask.count_ones()).then_some(Self::V4 { address, mask });
        }
        let (address, mask) = (<[u8; 16]>::try_from(address).ok()?, <[u8; 16]>::try_from(mask).ok()?);
        let (address, mask) = (u128::from_be_bytes(address), u128::from_be_bytes(mask));
        (mask.leading_ones() == mask.count_ones()).then_some(Self::V6 { address, mask })
    }

    /// Addresses of both versions are of one type, so that a network of the one permits none of the other.
    pub(super) fn covers(&self, host: IpAddr) -> bool {
        match (self, host) {
            (Self::V4 { address, mask }, IpAddr::V4(host)) => (u32::from(host) ^ address) & mask == 0,
            (Self::V6 { address, mask }, IpAddr::V6(host)) => (u128::from(host) ^ address) & mask == 0,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn a_kind_of_name_that_is_not_evaluated_is_noted_once() {
        let twice = tlv(SEQUENCE, &tlv(0x88, &[0x2A, 3])).repeat(2);
        assert_eq!(Subtrees::parse(&twice).unwrap().others, [8]);
    }

    #[test]
    fn a_base_is_written_as_its_type_demands() {
        let parse = |tag, base: &[u8]| Subtrees::parse(&tlv(SEQUENCE, &tlv(tag, base))).map(|_| ());
        for (tag, base) in [
            (0x82, &b""[..]),
            (0x82, b"a.test"),
            (0x82, b".a.test"),
            (0x81, b"me@a.test"),
            (0x81, b".a.test"),
            (0x86, b"a.test"),
            (0x87, &[192, 0, 2, 77, 255, 255, 255, 0]),
            (0x87, &[0; 8]),
            (0x87, &[255; 32]),
            (0xA4, &[SEQUENCE, 0]),
        ] {
            assert_eq!(parse(tag, base), Ok(()), "{tag:x} {base:?}");
        }
        for (tag, base) in [
            (0x82, &b"..a.test"[..]),
            (0x82, b"."),
            (0x82, b"*.a.test"),
            (0x82, b"a.test."),
            (0x82, b"m\xfcller.test"),
            (0x81, b"a@b@c"),
            (0x81, b""),
            (0x81, b"@a.test"),
            (0x86, b""),
            (0x86, b"https://a.test"),
            (0x86, b"192.0.2.1"),
            (0x87, &[192, 0, 2, 0]),
            (0x87, &[192, 0, 2, 0, 255, 0, 255, 0]),
            (0x87, &[192, 0, 2, 0, 0, 0, 0, 1]),
            (0x87, &[0; 9]),
            (0x87, &[0; 20]),
            (0x87, &[1; 32]),
            (0xA4, b""),
            (0xA0, b"\x06\x01\x2a"),
            (0x89, b"x"),
        ] {
            assert!(parse(tag, base).is_err(), "{tag:x} {base:?}");
        }
    }

    #[test]
    fn the_minimum_is_zero_and_there_is_no_maximum() {
        let with = |distance: &[u8]| {
            let subtree = tlv(SEQUENCE, &[tlv(0x82, b"a.test"), distance.to_vec()].concat());
            Subtrees::parse(&subtree).map(|_| ())
        };
        assert!(with(b"").is_ok());
        assert!(with(&[0x80, 1, 0]).is_ok());
        for distance in
            [&[0x80, 1, 1][..], &[0x81, 1, 0], &[0x80, 1, 0, 0x81, 1, 9], &[0x80, 0], &[0x02, 1, 0]]
        {
            assert!(with(distance).is_err(), "{distance:?}");
        }
    }
}
