//! The four bytes before each handshake message: its kind and its length (RFC 9846 section 4).
//!
//! The length is judged on the header, before a byte of the body is buffered.

use alloc::vec::Vec;

use super::{Reader, U24, Writer};
use crate::codepoint::HandshakeType;
use crate::error::{Fault, Misuse};

/// Bytes of a handshake header.
pub(crate) const HEADER_LEN: usize = 4;

/// What a handshake header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: HandshakeType,
    /// Bytes of the body that follows: at most 2^24-1.
    pub(crate) len: usize,
}

/// Reads a handshake header; any four bytes are one.
pub(crate) fn parse_header(bytes: &[u8; HEADER_LEN]) -> Header {
    let [kind, a, b, c] = *bytes;
    let len = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
    Header { kind: HandshakeType(kind), len }
}

/// The caps on message bodies that a configuration can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeLimits {
    /// Bytes of a Certificate message.
    pub(crate) certificate: usize,
}

/// The cap on a Certificate message unless the configuration says otherwise.
pub(crate) const DEFAULT_MAX_CERTIFICATE: usize = 65_536;

impl Default for SizeLimits {
    fn default() -> Self {
        Self { certificate: DEFAULT_MAX_CERTIFICATE }
    }
}

/// The most bytes that the body of a message of this kind may have; a longer one is refused on its header.
///
/// Zero for kinds that this library does not know: they are refused for their kind anyway.
pub(crate) fn max_len(kind: HandshakeType, limits: &SizeLimits) -> usize {
    match kind {
        HandshakeType::CLIENT_HELLO
        | HandshakeType::ENCRYPTED_EXTENSIONS
        | HandshakeType::CERTIFICATE_REQUEST => 65_536,
        // A HelloRetryRequest's cookie may fill its extension block (RFC 9846 section 4.3.2): 2^16-1 bytes, and
        // 72 before it.
        HandshakeType::SERVER_HELLO => 65_792,
        // A ticket of 2^16-1 bytes, a nonce of 255, and an extension or two.
        HandshakeType::NEW_SESSION_TICKET => 66_560,
        HandshakeType::CERTIFICATE => limits.certificate,
        // An RSA signature of 8,192 bits has 1,024 bytes; one of ML-DSA-87, which may be to come, 4,627.
        HandshakeType::CERTIFICATE_VERIFY => 8_192,
        HandshakeType::FINISHED => 64,
        HandshakeType::KEY_UPDATE => 1,
        _ => 0,
    }
}

/// Writes a handshake message: the header, then what `body` writes.
///
/// # Errors
/// [`Misuse::TooLong`] when a value does not fit its field; `out` is then as it was before.
pub(crate) fn write_message(
    out: &mut Vec<u8>,
    kind: HandshakeType,
    body: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>,
) -> Result<(), Misuse> {
    let start = out.len();
    let mut w = Writer::new(out);
    w.u8(kind.0);
    let written = w.block::<U24>(body);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

/// Reads the body of an EndOfEarlyData message, which is empty (RFC 9846 section 4.6).
pub(crate) fn parse_end_of_early_data(body: &[u8]) -> Result<(), Fault> {
    Reader::new(body).finish()
}

/// Writes an EndOfEarlyData message (RFC 9846 section 4.6).
pub(crate) fn write_end_of_early_data(out: &mut Vec<u8>) -> Result<(), Misuse> {
    write_message(out, HandshakeType::END_OF_EARLY_DATA, |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::U8;
    use crate::wire::testing::{message_body, truncations_and_extra_byte_are_refused};
    use alloc::vec;

    #[test]
    fn a_header_has_a_kind_and_a_length_of_24_bits() {
        let header = parse_header(&[20, 0x01, 0x02, 0x03]);
        assert_eq!(header, Header { kind: HandshakeType::FINISHED, len: 0x010203 });
    }

    #[test]
    fn a_message_is_its_header_and_its_body() {
        let mut out = vec![9];
        write_message(&mut out, HandshakeType::KEY_UPDATE, |w| {
            w.u8(1);
            Ok(())
        })
        .unwrap();
        assert_eq!(out, [9, 24, 0, 0, 1, 1]);
    }

    #[test]
    fn a_message_that_cannot_be_encoded_leaves_nothing_behind() {
        let mut out = vec![9];
        let refused = write_message(&mut out, HandshakeType::FINISHED, |w| w.vec::<U8>(&[0; 256]));
        assert_eq!(refused, Err(Misuse::TooLong));
        assert_eq!(out, [9]);
    }

    #[test]
    fn each_kind_has_its_cap_and_unknown_kinds_have_none() {
        let limits = SizeLimits { certificate: 1_000_000 };
        assert_eq!(max_len(HandshakeType::CERTIFICATE, &limits), 1_000_000);
        assert_eq!(max_len(HandshakeType::CERTIFICATE, &SizeLimits::default()), 65_536);
        assert_eq!(max_len(HandshakeType::CLIENT_HELLO, &limits), 65_536);
        assert_eq!(max_len(HandshakeType::KEY_UPDATE, &limits), 1);
        assert_eq!(max_len(HandshakeType::END_OF_EARLY_DATA, &limits), 0);
        assert_eq!(max_len(HandshakeType::MESSAGE_HASH, &limits), 0);
        assert_eq!(max_len(HandshakeType(99), &limits), 0);
    }

    #[test]
    fn end_of_early_data_is_empty() {
        let body = message_body(HandshakeType::END_OF_EARLY_DATA, write_end_of_early_data);
        truncations_and_extra_byte_are_refused(&body, parse_end_of_early_data);
    }
}
