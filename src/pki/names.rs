//! Alternative names of a certificate (RFC 5280 section 4.2.1.6), and whether they are the one wanted (RFC 9525).
//!
//! A subject's CN never counts. A name that is not written as its kind demands matches nothing.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls_pki_types::ServerName;

use super::der::{Element, Elements, OID, SEQUENCE};
use super::directory;
use crate::identity::Names;

/// How many names an error text shows, and how much of each.
const SHOWN: usize = 8;
const SHOWN_BYTES: usize = 100;

/// An alternative name as it is encoded. The texts are ASCII, and nothing else is known of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GeneralName<'a> {
    Dns(&'a [u8]),
    Email(&'a [u8]),
    Uri(&'a [u8]),
    Ip(&'a [u8]),
    /// The whole DER `Name`.
    Directory(&'a [u8]),
    /// otherName (0), x400Address (3), ediPartyName (5) or registeredID (8).
    Other(u8),
}

/// The names in the value of a subjectAltName or issuerAltName extension.
pub(super) fn general_names(san_value: &[u8]) -> Result<Vec<GeneralName<'_>>, &'static str> {
    const MALFORMED: &str = "its alternative names are not DER";
    let mut elements = Elements::inside(san_value, SEQUENCE).ok_or(MALFORMED)?;
    let mut names = Vec::new();
    while !elements.is_empty() {
        let name = GeneralName::read(elements.next().ok_or(MALFORMED)?)?;
        match name {
            // RFC 5280 section 4.2.1.6: "conforming CAs MUST NOT issue certificates with subjectAltNames containing
            // empty GeneralName fields".
            GeneralName::Dns([]) | GeneralName::Email([]) | GeneralName::Uri([]) => {
                return Err("one of its alternative names is empty");
            }
            // ".. the octet string MUST contain exactly four octets", or ".. exactly sixteen octets".
            GeneralName::Ip(bytes) if address(bytes).is_none() => {
                return Err("an IP address among its alternative names has neither 4 nor 16 bytes");
            }
            _ => names.push(name),
        }
    }
    // "If the subjectAltName extension is present, the sequence MUST contain at least one entry."
    if names.is_empty() { Err("its list of alternative names is empty") } else { Ok(names) }
}

impl<'a> GeneralName<'a> {
    /// Reads one; how long an address may be depends on where it stands, and is not looked at.
    pub(super) fn read(element: Element<'a>) -> Result<Self, &'static str> {
        let content = element.content;
        let ascii = |name: fn(&'a [u8]) -> Self| match content.is_ascii() {
            true => Ok(name(content)),
            false => Err("a name in a certificate has bytes that are not ASCII"),
        };
        match element.tag {
            0x81 => ascii(Self::Email),
            0x82 => ascii(Self::Dns),
            0x86 => ascii(Self::Uri),
            0x87 => Ok(Self::Ip(content)),
            // A Name is a CHOICE, so that its tag is explicit.
            0xA4 if directory::is_name(content) => Ok(Self::Directory(content)),
            0xA4 => Err("a directory name in a certificate is malformed"),
            0xA0 if is_other_name(content) => Ok(Self::Other(0)),
            0xA0 => Err("an otherName in a certificate is malformed"),
            0xA3 | 0xA5 => Ok(Self::Other(element.tag & 0x1F)),
            0x88 if !content.is_empty() => Ok(Self::Other(8)),
            _ => Err("a name in a certificate is of no known kind"),
        }
    }

    /// The name for an error text: one line, bounded.
    pub(super) fn shown(&self) -> String {
        let text = |kind: &str, bytes: &[u8]| {
            let (text, more) = match bytes.split_at_checked(SHOWN_BYTES) {
                Some((text, rest)) if !rest.is_empty() => (text, ".."),
                _ => (bytes, ""),
            };
            format!("{kind}{}{more}", text.escape_ascii())
        };
        match *self {
            Self::Dns(bytes) => text("", bytes),
            Self::Email(bytes) => text("email:", bytes),
            Self::Uri(bytes) => text("uri:", bytes),
            Self::Ip(bytes) => match address(bytes) {
                Some(address) => address.to_string(),
                None => format!("a malformed address of {} bytes", bytes.len()),
            },
            Self::Directory(name) => {
                let name = super::dn::rfc4514(name);
                let end = name.char_indices().nth(SHOWN_BYTES).map(|(at, _)| at);
                match end.and_then(|end| name.get(..end)) {
                    Some(start) => format!("directory name \"{start}..\""),
                    None => format!("directory name \"{name}\""),
                }
            }
            Self::Other(0) => "an otherName".to_string(),
            Self::Other(3) => "an x400Address".to_string(),
            Self::Other(5) => "an ediPartyName".to_string(),
            Self::Other(_) => "a registeredID".to_string(),
        }
    }
}

/// `OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY DEFINED BY type-id }`.
fn is_other_name(content: &[u8]) -> bool {
    let mut parts = Elements::of(content);
    let kind = parts.expect(OID).filter(|kind| !kind.is_empty());
    let value = parts.expect(0xA0).and_then(|value| Elements::of(value).only());
    kind.is_some() && value.is_some() && parts.is_empty()
}

/// Whether one of the names is the DNS name or the IP address that is wanted.
pub(super) fn matches(names: &[GeneralName<'_>], wanted: &ServerName<'_>) -> bool {
    match wanted {
        ServerName::DnsName(wanted) => names.iter().any(|name| match name {
            GeneralName::Dns(presented) => {
                core::str::from_utf8(presented).is_ok_and(|presented| dns_matches(presented, wanted.as_ref()))
            }
            _ => false,
        }),
        ServerName::IpAddress(wanted) => names.iter().any(|name| match name {
            GeneralName::Ip(presented) => ip_matches(presented, IpAddr::from(*wanted)),
            _ => false,
        }),
        _ => false,
    }
}

/// Whether the DNS name in a certificate covers `wanted`, which may have a dot at its end.
///
/// RFC 9525 section 6.3: a wildcard counts only as the whole left-most label, and stands for exactly one label.
pub(crate) fn dns_matches(presented: &str, wanted: &str) -> bool {
    let wanted = wanted.strip_suffix('.').unwrap_or(wanted);
    if !is_dns(wanted) || !is_dns(presented.strip_prefix("*.").unwrap_or(presented)) {
        return false;
    }
    match presented.strip_prefix("*.") {
        // A wildcard right below a top-level domain would speak for half the world.
        Some(parent) if !parent.contains('.') => false,
        Some(parent) => {
            wanted.split_once('.').is_some_and(|(_label, rest)| rest.eq_ignore_ascii_case(parent))
        }
        None => presented.eq_ignore_ascii_case(wanted),
    }
}

/// Whether the address in a certificate is `wanted`.
///
/// RFC 9525 section 6.4: "an octet-for-octet comparison".
pub(super) fn ip_matches(presented: &[u8], wanted: IpAddr) -> bool {
    address(presented) == Some(wanted)
}

/// Whether the URI in a certificate is `wanted`, to the letter: nothing is normalised.
pub(super) fn uri_matches(presented: &[u8], wanted: &str) -> bool {
    is_uri(presented) && presented == wanted.as_bytes()
}

/// Whether the mailbox in a certificate is `wanted`.
///
/// RFC 5280 section 7.5: "the local-part of each name is an exact match, AND the host-part of each name matches using a
/// case-insensitive ASCII comparison".
pub(super) fn email_matches(presented: &[u8], wanted: &str) -> bool {
    match (Mailbox::parse(presented), Mailbox::parse(wanted.as_bytes())) {
        (Some(presented), Some(wanted)) => presented.is(&wanted),
        _ => false,
    }
}

/// The names that are written as their kind demands; wildcards included, everything else left out.
pub(super) fn presented(names: &[GeneralName<'_>]) -> Names {
    let mut all = Names::default();
    for name in names {
        match *name {
            GeneralName::Dns(bytes) => all.dns.extend(
                core::str::from_utf8(bytes)
                    .ok()
                    .filter(|name| is_dns(name.strip_prefix("*.").unwrap_or(name)))
                    .map(String::from),
            ),
            GeneralName::Ip(bytes) => all.ips.extend(address(bytes)),
            GeneralName::Uri(bytes) if is_uri(bytes) => {
                all.uris.extend(core::str::from_utf8(bytes).map(String::from));
            }
            GeneralName::Email(bytes) if Mailbox::parse(bytes).is_some() => {
                all.emails.extend(core::str::from_utf8(bytes).map(String::from));
            }
            _ => {}
        }
    }
    all
}

/// What the names speak for, in a text of bounded length.
pub(super) fn listed(names: &[GeneralName<'_>]) -> String {
    let readable =
        |name: &&GeneralName<'_>| !matches!(name, GeneralName::Directory(_) | GeneralName::Other(_));
    let mut texts: Vec<String> = names.iter().filter(readable).take(SHOWN).map(GeneralName::shown).collect();
    if texts.is_empty() {
        return "no DNS name and no IP address".to_string();
    }
    let more = names.iter().filter(readable).count().saturating_sub(texts.len());
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    texts.join(", ")
}

/// Labels of letters, digits, hyphens and underscores.
pub(super) fn is_dns(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// A scheme, a colon and something, in visible ASCII (RFC 3986 section 3).
fn is_uri(bytes: &[u8]) -> bool {
    let scheme = bytes.split(|byte| *byte == b':').next().unwrap_or(bytes);
    let rest = bytes.len().saturating_sub(scheme.len());
    is_scheme(scheme) && rest > 1 && bytes.iter().all(u8::is_ascii_graphic)
}

fn is_scheme(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// The host in the authority of a URI, where it is a DNS name and not an address (RFC 3986 section 3.2).
pub(super) fn uri_host(bytes: &[u8]) -> Option<&str> {
    let uri = core::str::from_utf8(bytes).ok().filter(|_| is_uri(bytes))?;
    let (_scheme, rest) = uri.split_once(':')?;
    let rest = rest.strip_prefix("//")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, host) = authority.split_once('@').unwrap_or(("", authority));
    let (host, port) = host.split_once(':').unwrap_or((host, ""));
    // What else reads the URI might take a backslash for the end of the authority.
    let user_is_plain = !user.contains(['\\', '[', ']']);
    let port_is_plain = port.bytes().all(|byte| byte.is_ascii_digit());
    (user_is_plain && port_is_plain && is_host(host)).then_some(host)
}

/// A DNS name that nobody reads as an IPv4 address, in whatever notation.
pub(super) fn is_host(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let digits = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let number = match digits {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    is_dns(name) && !number
}

/// A mailbox, `local@host` (RFC 5321 section 4.1.2); not with a quoted local part, nor with an address for a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mailbox<'a> {
    pub(super) local: &'a str,
    pub(super) host: &'a str,
}

impl<'a> Mailbox<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (local, host) = core::str::from_utf8(bytes).ok()?.split_once('@')?;
        let atom = |atom: &str| {
            !atom.is_empty()
                && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        };
        let local_is_legal = local.len() <= 64 && local.split('.').all(atom);
        (local_is_legal && is_dns(host)).then_some(Self { local, host })
    }

    pub(super) fn is(&self, other: &Mailbox<'_>) -> bool {
        self.local == other.local && self.host.eq_ignore_ascii_case(other.host)
    }
}

pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| Ipv6Addr::from(v6).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// `CN=foo`.
    const FOO: &[u8] = b"\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03foo";

    fn one_of_each() -> Vec<u8> {
        let other = [tlv(OID, &[0x2A, 3]), tlv(0xA0, &[5, 0])].concat();
        let names = [
            tlv(0x82, b"a.test"),
            tlv(0x81, b"me@a.test"),
            tlv(0x86, b"spiffe://a.test/x"),
            tlv(0x87, &[127, 0, 0, 1]),
            tlv(0xA4, FOO),
            tlv(0xA0, &other),
            tlv(0x88, &[0x2A, 3]),
        ];
        tlv(SEQUENCE, &names.concat())
    }

    #[test]
    fn long_names_are_shown_in_part_and_others_whole() {
        let shown = |len| GeneralName::Dns(&alloc::vec![b'a'; len]).shown();
        assert_eq!(shown(SHOWN_BYTES), "a".repeat(SHOWN_BYTES));
        assert_eq!(shown(SHOWN_BYTES + 1), "a".repeat(SHOWN_BYTES) + "..");
    }

    #[test]
    fn a_name_that_is_malformed_is_told_apart_from_one_of_an_unknown_kind() {
        let refused =
            |tag, content| GeneralName::read(Elements::of(&tlv(tag, content)).next().unwrap()).err();
        assert!(refused(0xA0, &[5, 0]).unwrap().contains("otherName"));
        assert!(refused(0xA4, &[5, 0]).unwrap().contains("directory name"));
        assert!(refused(0x88, &[]).unwrap().contains("no known kind"));
        assert!(refused(0x85, &[5, 0]).unwrap().contains("no known kind"));
    }

    #[test]
    fn names_match_without_regard_to_case() {
        assert!(dns_matches("Example.TEST", "example.test"));
        assert!(!dns_matches("example.test", "example.tes"));
        assert!(!dns_matches("example.test", "www.example.test"));
    }

    #[test]
    fn a_dot_at_the_end_of_the_name_wanted_does_not_count() {
        assert!(dns_matches("example.test", "example.test."));
        assert!(dns_matches("*.example.test", "www.example.test."));
        assert!(!dns_matches("example.test.", "example.test."), "a presented name has none");
        assert!(!dns_matches("example.test", "example.test.."));
    }

    #[test]
    fn a_wildcard_is_the_whole_leftmost_label_and_stands_for_one() {
        assert!(dns_matches("*.example.test", "www.example.test"));
        assert!(!dns_matches("*.example.test", "example.test"));
        assert!(!dns_matches("*.example.test", ".example.test"));
        assert!(!dns_matches("*.example.test", "*.example.test"), "nobody is called *");
        assert!(!dns_matches("*.example.test", "a.b.example.test"));
        assert!(!dns_matches("w*.example.test", "www.example.test"));
        assert!(!dns_matches("www.*.test", "www.example.test"));
        assert!(!dns_matches("*.*.test", "www.example.test"));
        assert!(!dns_matches("*.test", "example.test"));
        assert!(!dns_matches("*", "localhost"));
    }

    #[test]
    fn names_that_are_no_dns_names_match_nothing() {
        for name in ["a..b", "a b", "", "m\u{fc}ller.test", "a.test\0", &"a.".repeat(127)] {
            assert!(!dns_matches(name, name), "{name}");
        }
    }

    #[test]
    fn addresses_match_by_their_bytes() {
        let (v4, v6) = ("127.0.0.1".parse().unwrap(), "::ffff:127.0.0.1".parse().unwrap());
        assert!(ip_matches(&[127, 0, 0, 1], v4));
        assert!(!ip_matches(&[127, 0, 0, 1], v6), "a mapped address is another one");
        assert!(!ip_matches(&[127, 0, 0, 1, 0], v4));
        assert!(!ip_matches(b"127.0.0.1", v4));
    }

    #[test]
    fn a_name_of_another_kind_does_not_match() {
        let wanted = ServerName::try_from("127.0.0.1").unwrap();
        assert!(!matches(&[GeneralName::Dns(b"127.0.0.1")], &wanted));
        assert!(matches(&[GeneralName::Dns(b"x"), GeneralName::Ip(&[127, 0, 0, 1])], &wanted));
        let wanted = ServerName::try_from("a.test").unwrap();
        assert!(!matches(&[GeneralName::Uri(b"a.test"), GeneralName::Email(b"a.test")], &wanted));
        assert!(matches(&[GeneralName::Dns(b"a.test")], &wanted));
    }

    #[test]
    fn uris_match_to_the_letter() {
        assert!(uri_matches(b"spiffe://a.test/x", "spiffe://a.test/x"));
        assert!(!uri_matches(b"spiffe://a.test/x", "spiffe://A.test/x"));
        for no_uri in ["a.test", "://a", "1a:b", "a:", "a:b c", "a:b\n"] {
            assert!(!uri_matches(no_uri.as_bytes(), no_uri), "{no_uri}");
        }
    }

    #[test]
    fn mailboxes_match_by_local_part_and_by_host_without_case() {
        assert!(email_matches(b"Me@A.test", "Me@a.TEST"));
        assert!(!email_matches(b"me@a.test", "Me@a.test"));
        for none in ["a.test", "@a.test", "a@", "a@b@c", ".a@b", "a..b@c", "\"a\"@b", "a@[127.0.0.1]", "a@.b"]
        {
            assert!(!email_matches(none.as_bytes(), none), "{none}");
        }
    }

    #[test]
    fn only_a_host_name_is_the_host_of_a_uri() {
        for (uri, host) in [
            ("https://a.test", Some("a.test")),
            ("https://me:pw@a.test:443/x@y?z#", Some("a.test")),
            ("https://a.test?x", Some("a.test")),
            ("mailto:me@a.test", None),
            ("https:///x", None),
            ("https://127.0.0.1/", None),
            ("https://127.1", None),
            ("https://0x7f.0x1", None),
            ("https://[::1]/", None),
            ("https://a.test:x/", None),
            ("https://a@b@c.test", None),
            ("https://a.test\\@b.test", None),
            ("https://b.test%2f.a.test", None),
            ("a.test", None),
        ] {
            assert_eq!(uri_host(uri.as_bytes()), host, "{uri}");
        }
    }

    #[test]
    fn general_names_are_read_in_order() {
        let san = one_of_each();
        assert_eq!(
            general_names(&san).unwrap(),
            [
                GeneralName::Dns(b"a.test"),
                GeneralName::Email(b"me@a.test"),
                GeneralName::Uri(b"spiffe://a.test/x"),
                GeneralName::Ip(&[127, 0, 0, 1]),
                GeneralName::Directory(FOO),
                GeneralName::Other(0),
                GeneralName::Other(8),
            ]
        );
    }

    #[test]
    fn malformed_general_names_are_refused() {
        for (name, why) in [
            (tlv(0x82, b""), "empty"),
            (tlv(0x82, b"m\xfcller.test"), "not ASCII"),
            (tlv(0x87, &[127, 0, 0]), "an address of three bytes"),
            (tlv(0x87, &[0; 8]), "an address and a mask"),
            (tlv(0xA4, b"\x30\x01"), "no name"),
            (tlv(0xA0, &tlv(OID, &[0x2A, 3])), "an otherName without a value"),
            (tlv(0x80, b"x"), "a primitive otherName"),
            (tlv(0x89, b"x"), "a kind that there is not"),
            (tlv(0x16, b"a.test"), "a universal tag"),
            (b"\x82\x81\x01a".to_vec(), "a length not in its shortest form"),
            (b"\x82\x02a".to_vec(), "truncated"),
            (Vec::new(), "none at all"),
        ] {
            assert!(general_names(&tlv(SEQUENCE, &name)).is_err(), "{why}");
        }
        assert!(general_names(&[&one_of_each(), &[0][..]].concat()).is_err(), "a byte behind");
    }

    #[test]
    fn no_truncation_and_no_changed_byte_makes_the_reader_panic() {
        let san = one_of_each();
        for at in 0..san.len() {
            assert!(general_names(&san[..at]).is_err());
            for byte in 0..=255 {
                let mut bad = san.clone();
                bad[at] = byte;
                if let Ok(names) = general_names(&bad) {
                    let all = presented(&names);
                    let texts = [all.dns, all.uris, all.emails].concat();
                    assert!(!texts.concat().contains(|c: char| !c.is_ascii_graphic()));
                    assert!(!listed(&names).contains(char::is_control));
                }
            }
        }
    }

    #[test]
    fn presented_names_are_the_well_formed_ones() {
        let all = presented(&general_names(&one_of_each()).unwrap());
        assert_eq!(all.dns, ["a.test"]);
        assert_eq!(all.emails, ["me@a.test"]);
        assert_eq!(all.uris, ["spiffe://a.test/x"]);
        assert_eq!(all.ips, ["127.0.0.1".parse::<IpAddr>().unwrap()]);
        let odd = [GeneralName::Dns(b"a\nb"), GeneralName::Uri(b"a:\n"), GeneralName::Email(b"a\0@b")];
        assert_eq!(presented(&odd), Names::default());
        assert_eq!(presented(&[GeneralName::Dns(b"*.a.test")]).dns, ["*.a.test"]);
    }

    #[test]
    fn the_list_for_a_reader_is_bounded() {
        assert_eq!(listed(&[]), "no DNS name and no IP address");
        assert_eq!(listed(&[GeneralName::Directory(FOO)]), "no DNS name and no IP address");
        assert_eq!(listed(&[GeneralName::Dns(b"a"), GeneralName::Email(b"b@c")]), "a, email:b@c");
        let long = [b'a'; 5_000];
        let text = listed(&[GeneralName::Dns(&long); 10_000]);
        assert!(text.ends_with(".., and 9992 more"), "{text}");
        assert!(text.len() < 1_000);
    }
}
