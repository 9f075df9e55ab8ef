//! Record headers (RFC 9846 sections 5.1 and 5.2), and bytes that are plainly no records at all.

use crate::codepoint::{ContentType, ProtocolVersion};
use crate::error::Fault;

/// Length in bytes of a record header: type, legacy version, length.
pub(crate) const HEADER_LEN: usize = 5;

/// The most content that a record can carry: 2^14 bytes (RFC 9846 section 5.1).
pub(crate) const MAX_CONTENT: usize = 1 << 14;

/// The longest fragment of a protected record: 2^14 + 256 bytes (RFC 9846 section 5.2).
pub(super) const MAX_CIPHERTEXT: usize = MAX_CONTENT + 256;

/// A record header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: ContentType,
    pub(super) len: usize,
}

impl Header {
    //= testvectors/requirements/rfc9846.txt#section-5.1
    //# This field is deprecated and MUST be ignored for all purposes.
    //= testvectors/requirements/rfc9846.txt#appendix-E
    //# The value of TLSPlaintext.legacy_record_version MUST be ignored by all implementations.
    //= testvectors/requirements/rfc9846.txt#appendix-E.2
    //# Servers will receive various TLS 1.x versions in this field, but its value MUST always be ignored.
    pub(super) fn parse(bytes: &[u8; HEADER_LEN]) -> Self {
        let [kind, _, _, high, low] = *bytes;
        Self { kind: ContentType(kind), len: usize::from(u16::from_be_bytes([high, low])) }
    }

    /// Encodes a header with the legacy version `version`; `None` when `len` exceeds 16 bits.
    pub(super) fn encode(
        kind: ContentType,
        version: ProtocolVersion,
        len: usize,
    ) -> Option<[u8; HEADER_LEN]> {
        let [high, low] = u16::try_from(len).ok()?.to_be_bytes();
        let [major, minor] = version.0.to_be_bytes();
        Some([kind.0, major, minor, high, low])
    }
}

/// Names the protocol when the first bytes from a peer are plainly not TLS; `None` when they may be.
///
/// At least [`HEADER_LEN`] bytes are wanted.
pub(crate) fn other_protocol(first: &[u8]) -> Option<Fault> {
    const METHODS: [&[u8]; 8] =
        [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELET", b"OPTIO", b"PATCH", b"TRACE"];
    let starts = |prefix: &[u8]| first.starts_with(prefix);
    if METHODS.iter().any(|method| starts(method)) {
        return Some(Fault::unexpected_message("these bytes are a plain HTTP request, not TLS"));
    }
    if starts(b"CONNE") {
        return Some(Fault::unexpected_message(
            "these bytes are a request to an HTTP proxy, not TLS; connect to the server itself",
        ));
    }
    if starts(b"HTTP/") {
        return Some(Fault::unexpected_message("these bytes are a plain HTTP response, not TLS"));
    }
    if starts(b"SSH-") {
        return Some(Fault::unexpected_message("these bytes are an SSH banner, not TLS"));
    }
    if starts(b"220 ") || starts(b"220-") || starts(b"EHLO ") || starts(b"HELO ") {
        return Some(Fault::unexpected_message(
            "these bytes are SMTP or FTP; start TLS only after its command",
        ));
    }
    if starts(b"PRI *") {
        return Some(Fault::unexpected_message("these bytes are plain HTTP/2, not TLS"));
    }
    // An SSL 2.0 CLIENT-HELLO: a two-byte length with the top bit set, message type 1, version 2.0 to 3.x.
    //= testvectors/requirements/rfc9846.txt#appendix-E.5
    //# Implementations MUST NOT negotiate TLS 1.3 or later using an SSL version 2.0 compatible
    //# CLIENT-HELLO.
    if let [length, _, 1, 0 | 2 | 3, _, ..] = first
        && length & 0x80 != 0
    {
        return Some(Fault::protocol_version(
            "these bytes are an SSL 2.0 hello; only TLS 1.3 is spoken here",
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legacy_version_is_ignored() {
        let header = Header::parse(&[22, 9, 9, 1, 2]);
        assert_eq!(header, Header { kind: ContentType::HANDSHAKE, len: 258 });
    }

    #[test]
    fn a_length_above_16_bits_does_not_encode() {
        assert!(Header::encode(ContentType::ALERT, ProtocolVersion::TLS_1_2, 65_536).is_none());
        let encoded = Header::encode(ContentType::ALERT, ProtocolVersion::TLS_1_2, 2);
        assert_eq!(encoded, Some([21, 3, 3, 0, 2]));
    }

    #[test]
    fn other_protocols_are_named() {
        for (bytes, word) in [
            (&b"GET / HTTP/1.1"[..], "HTTP request"),
            (b"CONNECT a:443", "proxy"),
            (b"HTTP/1.1 400", "HTTP response"),
            (b"SSH-2.0-x", "SSH"),
            (b"220 mail", "SMTP"),
            (b"PRI * HTTP/2.0", "HTTP/2"),
            (&[0x80, 0x2E, 1, 3, 1], "SSL 2.0"),
        ] {
            assert!(other_protocol(bytes).unwrap().rule().contains(word), "{word}");
        }
        assert!(other_protocol(&[22, 3, 1, 0, 200]).is_none());
    }
}
