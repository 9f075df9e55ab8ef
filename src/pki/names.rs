//! Whether a certificate speaks for a name (RFC 9525): by its alternative names alone, never by its CN.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls_pki_types::ServerName;

use super::Certificate;

/// Whether `certificate` speaks for `name`.
pub(super) fn matches(certificate: &Certificate<'_>, name: &ServerName<'_>) -> bool {
    match name {
        ServerName::DnsName(wanted) => {
            let wanted = wanted.as_ref().strip_suffix('.').unwrap_or(wanted.as_ref());
            certificate.dns_names.iter().any(|presented| dns_matches(presented, wanted))
        }
        ServerName::IpAddress(address) => {
            let wanted = IpAddr::from(*address);
            certificate.ip_addresses.iter().any(|presented| ip(presented) == Some(wanted))
        }
        _ => false,
    }
}

/// What the certificate speaks for, to be read.
pub(super) fn presented(certificate: &Certificate<'_>) -> String {
    let dns = certificate.dns_names.iter().map(|name| name.chars().filter(|c| !c.is_control()).collect());
    let ips = certificate.ip_addresses.iter().map(|bytes| match ip(bytes) {
        Some(address) => address.to_string(),
        None => format!("a malformed address of {} bytes", bytes.len()),
    });
    let all: Vec<String> = dns.chain(ips).collect();
    if all.is_empty() { "no DNS name and no IP address".to_string() } else { all.join(", ") }
}

/// Whether the DNS name in a certificate covers `wanted`.
///
/// RFC 9525 section 6.3: a wildcard counts only as the whole left-most label, and stands for exactly one label.
pub(crate) fn dns_matches(presented: &str, wanted: &str) -> bool {
    if !is_dns(presented.strip_prefix("*.").unwrap_or(presented)) {
        return false;
    }
    match presented.strip_prefix("*.") {
        // A wildcard right below a top-level domain would speak for half the world.
        Some(parent) if !parent.contains('.') => false,
        Some(parent) => wanted
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent)),
        None => presented.eq_ignore_ascii_case(wanted),
    }
}

/// Labels of letters, digits, hyphens and underscores.
fn is_dns(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| Ipv6Addr::from(v6).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_without_regard_to_case() {
        assert!(dns_matches("Example.TEST", "example.test"));
        assert!(!dns_matches("example.test", "example.tes"));
        assert!(!dns_matches("example.test", "www.example.test"));
    }

    #[test]
    fn a_wildcard_is_the_whole_leftmost_label_and_stands_for_one() {
        assert!(dns_matches("*.example.test", "www.example.test"));
        assert!(!dns_matches("*.example.test", "example.test"));
        assert!(!dns_matches("*.example.test", "a.b.example.test"));
        assert!(!dns_matches("w*.example.test", "www.example.test"));
        assert!(!dns_matches("www.*.test", "www.example.test"));
        assert!(!dns_matches("*.test", "example.test"));
        assert!(!dns_matches("*", "localhost"));
    }

    #[test]
    fn names_that_are_no_dns_names_match_nothing() {
        assert!(!dns_matches("a..b", "a..b"));
        assert!(!dns_matches("a b", "a b"));
        assert!(!dns_matches("", ""));
    }
}
