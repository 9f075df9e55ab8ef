//! server_name: the DNS name that a client wants to reach (RFC 6066 section 3).

use core::net::IpAddr;

use super::{encode, encode_empty, non_empty, parse_all, parse_empty};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
use crate::wire::{List, U16, Writer};

/// NameType (RFC 6066 section 3).
const HOST_NAME: u8 = 0;

/// In ClientHello: the DNS name; `None` when the list holds only types of names that this library does not know, or
/// an IP address.
///
/// The name is ASCII, at most 253 bytes of letters, digits, hyphens, underscores and dots, without a trailing
/// dot; it is no IP address. Letters keep their case.
pub(crate) fn parse_client(data: &[u8]) -> Result<Option<&str>, Fault> {
    let names = parse_all(data, |r| non_empty::<U16>(r, "server_name_list must not be empty"))?;
    let mut seen = [false; 256];
    let mut host = None;
    // RFC 6066 section 3: "all future data structures associated with new NameTypes MUST begin with a 16-bit
    // length field", and no two names may be of one type.
    List::parse_with(
        names,
        |r| Ok((r.u8()?, non_empty::<U16>(r, "a server name must not be empty")?)),
        |&(kind, name)| {
            if seen.get_mut(usize::from(kind)).is_none_or(|seen| core::mem::replace(seen, true)) {
                return Err(Fault::illegal_parameter("server_name must not hold two names of one type"));
            }
            if kind == HOST_NAME {
                host = host_name(name)?;
            }
            Ok(())
        },
    )?;
    Ok(host)
}

/// In ClientHello: `name` without a trailing dot.
pub(crate) fn encode_client(w: &mut Writer<'_>, name: &str) -> Result<(), Misuse> {
    encode(w, ExtensionType::SERVER_NAME, |w| {
        w.block::<U16>(|w| {
            w.u8(HOST_NAME);
            w.vec::<U16>(name.as_bytes())
        })
    })
}

/// In EncryptedExtensions: a flag, the server used the name.
pub(crate) fn parse_server(data: &[u8]) -> Result<(), Fault> {
    parse_empty(data)
}

/// In EncryptedExtensions.
pub(crate) fn encode_server(w: &mut Writer<'_>) -> Result<(), Misuse> {
    encode_empty(w, ExtensionType::SERVER_NAME)
}

/// The bytes as a DNS name. They fit the formal syntax in any case, so that the alert is illegal_parameter.
fn host_name(bytes: &[u8]) -> Result<Option<&str>, Fault> {
    let name = core::str::from_utf8(bytes).unwrap_or("");
    // RFC 6066 section 3 wants names "without a trailing dot" and permits no IP addresses, but no alert is demanded.
    // Clients that err so are served elsewhere: the dot adds nothing, and an address names no virtual host.
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err(Fault::illegal_parameter("a host name must be a dns name in ascii"));
    }
    Ok(Some(name))
}

/// Whether this is a label of a DNS name as found in practice, where underscores occur.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};
    use alloc::string::String;
    use alloc::vec::Vec;

    const KIND: ExtensionType = ExtensionType::SERVER_NAME;

    fn client(name: &str) -> Vec<u8> {
        extension_data(KIND, |w| encode_client(w, name))
    }

    #[test]
    fn the_name_is_read_back() {
        for name in ["a", "Example.com", "xn--bcher-kva.example", "_dns.a-b.example"] {
            let data = client(name);
            assert_eq!(parse_client(&data), Ok(Some(name)));
            truncations_and_extra_byte_are_refused(&data, |d| parse_client(d).map(drop));
        }
    }

    #[test]
    fn ip_addresses_are_no_names_and_are_ignored() {
        for name in ["192.0.2.1", "2001:db8::1", "::", "192.0.2.1."] {
            assert_eq!(parse_client(&client(name)), Ok(None), "{name}");
        }
    }

    #[test]
    fn one_trailing_dot_is_dropped() {
        assert_eq!(parse_client(&client("example.com.")), Ok(Some("example.com")));
        assert_eq!(alert(parse_client(&client("example.com.."))), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn what_is_no_dns_name_is_refused() {
        let long_label = "a".repeat(64);
        let long_name: String = "a.".repeat(126) + "bc";
        for name in [".", "a..b", ".a", "a b", "a\0", "b\u{fc}cher.example", &long_label, &long_name] {
            assert_eq!(alert(parse_client(&client(name))), AlertCode::ILLEGAL_PARAMETER, "{name}");
        }
        assert_eq!(alert(parse_client(&[0, 4, 0, 0, 1, 0xFF])), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn a_name_has_253_bytes_at_most() {
        let longest: String = "a.".repeat(126) + "b";
        assert_eq!(longest.len(), 253);
        assert_eq!(parse_client(&client(&longest)), Ok(Some(longest.as_str())));
    }

    #[test]
    fn empty_list_and_empty_name_are_refused() {
        assert_eq!(alert(parse_client(&[0, 0])), AlertCode::DECODE_ERROR);
        assert_eq!(alert(parse_client(&client(""))), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn names_of_unknown_type_are_ignored() {
        assert_eq!(parse_client(&[0, 4, 7, 0, 1, 0xFF]), Ok(None));
        assert_eq!(parse_client(&[0, 8, 7, 0, 1, 0xFF, 0, 0, 1, b'a']), Ok(Some("a")));
    }

    #[test]
    fn two_names_of_one_type_are_refused() {
        for kind in [HOST_NAME, 7] {
            let data = [0, 8, kind, 0, 1, b'a', kind, 0, 1, b'a'];
            assert_eq!(alert(parse_client(&data)), AlertCode::ILLEGAL_PARAMETER);
        }
    }

    #[test]
    fn the_servers_answer_is_a_flag() {
        truncations_and_extra_byte_are_refused(&extension_data(KIND, encode_server), parse_server);
    }
}
