//! Extensions: their framing, which may appear in which message, and one file for each that this library knows.
//!
//! A file holds the forms of its extension in the messages that carry it, parser and encoder side by side.

use super::{Reader, U16, Writer};
use crate::codepoint::ExtensionType;
use crate::error::{Fault, Misuse};
pub use set::ExtensionSet;
pub(crate) use set::U16Set;

pub(crate) mod alpn;
pub(crate) mod certificate_authorities;
pub(crate) mod certificate_type;
pub(crate) mod cookie;
pub(crate) mod early_data;
pub(crate) mod key_share;
pub(crate) mod oid_filters;
pub(crate) mod post_handshake_auth;
pub(crate) mod pre_shared_key;
pub(crate) mod psk_key_exchange_modes;
pub(crate) mod record_size_limit;
pub(crate) mod server_name;
mod set;
pub(crate) mod signature_algorithms;
pub(crate) mod signed_certificate_timestamp;
pub(crate) mod status_request;
pub(crate) mod supported_groups;
pub(crate) mod supported_versions;
pub(crate) mod ticket_request;

/// The extensions of a block, each as its type and its data; a second one of a type is refused.
///
//= testvectors/requirements/rfc9846.txt#section-4.3
//# There MUST NOT be more than one extension of the same type in a given extension block.
pub(crate) struct Extensions<'a> {
    framed: Framed<'a>,
    seen: U16Set,
}

impl<'a> Extensions<'a> {
    /// The extensions of `block`, which is the vector without its length.
    pub(crate) fn new(block: &'a [u8]) -> Self {
        Self { framed: Framed::new(block), seen: U16Set::default() }
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Result<(ExtensionType, &'a [u8]), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.framed.next()?;
        match next {
            Ok((kind, _)) if !self.seen.insert(kind.0) => {
                self.framed.rest.rest();
                Some(Err(Fault::illegal_parameter("an extension must not appear twice in a block")))
            }
            next => Some(next),
        }
    }
}

/// The extensions of a block without a judgement on repeated types.
pub(crate) struct Framed<'a> {
    rest: Reader<'a>,
}

impl<'a> Framed<'a> {
    /// The extensions of `block`, which is the vector without its length.
    pub(crate) fn new(block: &'a [u8]) -> Self {
        Self { rest: Reader::new(block) }
    }

    fn read(&mut self) -> Result<(ExtensionType, &'a [u8]), Fault> {
        Ok((ExtensionType(self.rest.u16()?), self.rest.vec::<U16>()?))
    }
}

impl<'a> Iterator for Framed<'a> {
    type Item = Result<(ExtensionType, &'a [u8]), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let next = self.read();
        if next.is_err() {
            self.rest.rest();
        }
        Some(next)
    }
}

/// Writes an extension: its type, then what `data` writes.
//= testvectors/requirements/rfc9846.txt#section-4.3
//# senders MUST NOT include data after the structure in the "extension_data" field
pub(crate) fn encode(
    w: &mut Writer<'_>,
    kind: ExtensionType,
    data: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>,
) -> Result<(), Misuse> {
    w.u16(kind.0);
    w.block::<U16>(data)
}

/// A message that carries extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum In {
    ClientHello,
    ServerHello,
    HelloRetryRequest,
    EncryptedExtensions,
    Certificate,
    CertificateRequest,
    NewSessionTicket,
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1.1
//# TLS 1.3 servers MUST NOT act upon its presence or information in it when processing ClientHello
//# messages; in particular, they MUST NOT send the status_request_v2 extension in the EncryptedExtensions,
//# CertificateRequest, or Certificate messages.
//= testvectors/requirements/rfc9846.txt#section-4.5.1.1
//# TLS 1.3 servers MUST be able to process ClientHello messages that include it, as it MAY be sent by
//# clients that wish to use it in earlier protocol versions.
/// The messages that `kind` may appear in (RFC 9846 section 4.3, table 1); none for an unknown extension.
const fn places(kind: ExtensionType) -> &'static [In] {
    use ExtensionType as E;
    use In::{
        Certificate as CT, CertificateRequest as CR, ClientHello as CH, EncryptedExtensions as EE,
        HelloRetryRequest as HRR, NewSessionTicket as NST, ServerHello as SH,
    };
    match kind {
        E::SERVER_NAME => &[CH, EE, CR],
        E::SUPPORTED_GROUPS
        | E::USE_SRTP
        | E::HEARTBEAT
        | E::ALPN
        | E::CLIENT_CERTIFICATE_TYPE
        | E::SERVER_CERTIFICATE_TYPE
        | E::RECORD_SIZE_LIMIT
        | E::SUPPORTED_EKT_CIPHERS
        | E::EXTERNAL_ID_HASH
        | E::EXTERNAL_SESSION_ID
        | E::QUIC_TRANSPORT_PARAMETERS
        | E::TICKET_REQUEST => &[CH, EE],
        E::SIGNATURE_ALGORITHMS
        | E::SIGNATURE_ALGORITHMS_CERT
        | E::COMPRESS_CERTIFICATE
        | E::CERTIFICATE_AUTHORITIES => &[CH, CR],
        // signed_certificate_timestamp is not in the table, which lists what is recommended; RFC 9846 section
        // 4.5.1.1 says where it goes.
        E::STATUS_REQUEST
        | E::SIGNED_CERTIFICATE_TIMESTAMP
        | E::DELEGATED_CREDENTIAL
        | E::TRANSPARENCY_INFO => &[CH, CR, CT],
        E::PADDING | E::PSK_KEY_EXCHANGE_MODES | E::POST_HANDSHAKE_AUTH | E::ECH_OUTER_EXTENSIONS => &[CH],
        E::PRE_SHARED_KEY => &[CH, SH],
        E::EARLY_DATA => &[CH, EE, NST],
        E::SUPPORTED_VERSIONS | E::KEY_SHARE => &[CH, SH, HRR],
        E::COOKIE => &[CH, HRR],
        E::OID_FILTERS => &[CR],
        E::ENCRYPTED_CLIENT_HELLO => &[CH, HRR, EE],
        _ => &[],
    }
}

/// Whether `kind` may appear in `place` (RFC 9846 section 4.3, table 1).
pub(crate) fn allowed(kind: ExtensionType, place: In) -> bool {
    places(kind).contains(&place)
}

/// Whether table 1 knows this extension.
pub(crate) fn known(kind: ExtensionType) -> bool {
    !places(kind).is_empty()
}

/// The rule for requests, in ClientHello, CertificateRequest and NewSessionTicket: what is unknown is ignored.
//= testvectors/requirements/rfc9846.txt#section-9.3
//# implementations MUST correctly handle extensible fields:
//= testvectors/requirements/rfc9846.txt#section-9.3
//# A server receiving a ClientHello MUST correctly ignore all unrecognized cipher suites, extensions, and
//# other parameters.
pub(crate) fn check_request(kind: ExtensionType, place: In) -> Result<(), Fault> {
    //= testvectors/requirements/rfc9846.txt#section-4.3
    //# If an implementation receives an extension which it recognizes and which is not specified for the
    //# message in which it appears, it MUST abort the handshake with an "illegal_parameter" alert.
    if known(kind) && !allowed(kind, place) {
        return Err(Fault::illegal_parameter(
            "an extension must not appear in a message it is not meant for",
        ));
    }
    Ok(())
}

//= testvectors/requirements/rfc8449.txt#section-5
//# A client MUST treat receipt of both "max_fragment_length" and "record_size_limit" as a fatal error
/// The rule for responses, in ServerHello, HelloRetryRequest, EncryptedExtensions and Certificate: each must
/// answer an extension in `offered`.
pub(crate) fn check_response(kind: ExtensionType, place: In, offered: ExtensionSet) -> Result<(), Fault> {
    check_request(kind, place)?;
    // RFC 9846 section 4.3: ".. with the exception of the "cookie" extension in the HelloRetryRequest."
    let unasked = place == In::HelloRetryRequest && kind == ExtensionType::COOKIE;
    if unasked || offered.contains(kind) {
        return Ok(());
    }
    //= testvectors/requirements/rfc9846.txt#section-4.3
    //# Upon receiving such an extension, an endpoint MUST abort the handshake with an
    //# "unsupported_extension" alert.
    Err(Fault::unsupported_extension("an extension must not answer what was not offered"))
}

/// Reads the data of an extension that is a mere flag.
pub(crate) fn parse_empty(data: &[u8]) -> Result<(), Fault> {
    Reader::new(data).finish()
}

/// Writes an extension that is a mere flag.
pub(crate) fn encode_empty(w: &mut Writer<'_>, kind: ExtensionType) -> Result<(), Misuse> {
    encode(w, kind, |_| Ok(()))
}

/// Reads all of `data` with `read`.
pub(crate) fn parse_all<'a, T>(
    data: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut r = Reader::new(data);
    let value = read(&mut r)?;
    r.finish()?;
    Ok(value)
}

/// Reads a vector that must not be empty; `rule` says so.
pub(crate) fn non_empty<'a, L: super::Length>(
    r: &mut Reader<'a>,
    rule: &'static str,
) -> Result<&'a [u8], Fault> {
    match r.vec::<L>()? {
        [] => Err(Fault::decode_error(rule)),
        bytes => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, truncations_and_extra_byte_are_refused, written};
    use alloc::vec::Vec;

    fn all(block: &[u8]) -> Result<Vec<(ExtensionType, &[u8])>, Fault> {
        Extensions::new(block).collect()
    }

    #[test]
    fn extensions_are_read_back_in_order() {
        let block = written(|w| {
            encode(w, ExtensionType::COOKIE, |w| {
                w.bytes(&[1, 2]);
                Ok(())
            })?;
            encode_empty(w, ExtensionType(0xABCD))
        });
        assert_eq!(block, [0, 44, 0, 2, 1, 2, 0xAB, 0xCD, 0, 0]);
        let wanted: [(_, &[u8]); 2] = [(ExtensionType::COOKIE, &[1, 2]), (ExtensionType(0xABCD), &[])];
        assert_eq!(all(&block).unwrap(), wanted);
        // Between two extensions is no truncation, and in front of the first one there is an empty block.
        for len in [1, 2, 3, 4, 5, 7, 8, 9] {
            assert_eq!(alert(all(&block[..len])), AlertCode::DECODE_ERROR);
        }
    }

    #[test]
    fn nothing_comes_after_a_refusal() {
        let mut extensions = Extensions::new(&[0, 1, 0, 9]);
        assert!(extensions.next().unwrap().is_err());
        assert!(extensions.next().is_none());
        let mut extensions = Extensions::new(&[0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0]);
        assert!(extensions.next().unwrap().is_ok());
        assert!(extensions.next().unwrap().is_err());
        assert!(extensions.next().is_none());
    }

    #[test]
    fn duplicate_extension_is_refused_also_of_unknown_type() {
        for kind in [ExtensionType::COOKIE, ExtensionType(63), ExtensionType(64), ExtensionType(0xFFFF)] {
            let block = written(|w| {
                encode_empty(w, kind)?;
                encode_empty(w, ExtensionType(0x1234))?;
                encode_empty(w, kind)
            });
            assert_eq!(alert(all(&block)), AlertCode::ILLEGAL_PARAMETER);
            assert!(Framed::new(&block).all(|extension| extension.is_ok()));
        }
    }

    #[test]
    fn every_type_may_appear_once() {
        let block = written(|w| (0..16_000).try_for_each(|kind| encode_empty(w, ExtensionType(kind))));
        assert_eq!(all(&block).unwrap().len(), 16_000);
    }

    #[test]
    fn table_1_decides_where_an_extension_may_appear() {
        use ExtensionType as E;
        assert!(allowed(E::SERVER_NAME, In::EncryptedExtensions));
        assert!(!allowed(E::SERVER_NAME, In::ServerHello));
        assert!(allowed(E::KEY_SHARE, In::HelloRetryRequest));
        assert!(!allowed(E::PRE_SHARED_KEY, In::HelloRetryRequest));
        assert!(allowed(E::EARLY_DATA, In::NewSessionTicket));
        assert!(!allowed(E::OID_FILTERS, In::ClientHello));
        assert!(allowed(E::SIGNED_CERTIFICATE_TIMESTAMP, In::Certificate));
        assert!(!allowed(E::TICKET_REQUEST, In::NewSessionTicket));
        assert!(known(E::ENCRYPTED_CLIENT_HELLO));
        assert!(!known(E(0x0A0A)));
        assert!(!known(E(35)));
    }

    #[test]
    fn the_table_has_as_many_entries_as_the_standard() {
        let count = |place| (0..=u16::MAX).filter(|kind| allowed(ExtensionType(*kind), place)).count();
        // Counted in table 1, and one more in CH, CR and CT for signed_certificate_timestamp.
        assert_eq!(count(In::ClientHello), 30 + 1);
        assert_eq!(count(In::ServerHello), 3);
        assert_eq!(count(In::HelloRetryRequest), 4);
        assert_eq!(count(In::EncryptedExtensions), 15);
        assert_eq!(count(In::CertificateRequest), 9 + 1);
        assert_eq!(count(In::Certificate), 3 + 1);
        assert_eq!(count(In::NewSessionTicket), 1);
    }

    //= testvectors/requirements/rfc9846.txt#section-4.3
    //= type=test
    //# If an implementation receives an extension which it recognizes and which is not specified for the
    //# message in which it appears, it MUST abort the handshake with an "illegal_parameter" alert.
    #[test]
    fn requests_ignore_the_unknown_and_refuse_the_misplaced() {
        assert_eq!(check_request(ExtensionType(0x0A0A), In::ClientHello), Ok(()));
        assert_eq!(check_request(ExtensionType::COOKIE, In::ClientHello), Ok(()));
        let misplaced = check_request(ExtensionType::COOKIE, In::CertificateRequest);
        assert_eq!(alert(misplaced), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn responses_answer_only_what_was_offered_except_a_cookie() {
        use ExtensionType as E;
        let offered = ExtensionSet::from_iter([E::ALPN, E::KEY_SHARE]);
        assert_eq!(check_response(E::ALPN, In::EncryptedExtensions, offered), Ok(()));
        assert_eq!(check_response(E::COOKIE, In::HelloRetryRequest, offered), Ok(()));
        let refused = |kind, place| alert(check_response(kind, place, offered));
        assert_eq!(refused(E::ALPN, In::ServerHello), AlertCode::ILLEGAL_PARAMETER);
        assert_eq!(refused(E::COOKIE, In::ServerHello), AlertCode::ILLEGAL_PARAMETER);
        assert_eq!(refused(E::SERVER_NAME, In::EncryptedExtensions), AlertCode::UNSUPPORTED_EXTENSION);
        assert_eq!(refused(E(0x0A0A), In::EncryptedExtensions), AlertCode::UNSUPPORTED_EXTENSION);
    }

    #[test]
    fn a_flag_has_no_data() {
        truncations_and_extra_byte_are_refused(&[], parse_empty);
    }

    #[test]
    fn an_empty_vector_can_be_refused() {
        assert_eq!(alert(non_empty::<U16>(&mut Reader::new(&[0, 0]), "rule")), AlertCode::DECODE_ERROR);
    }
}
