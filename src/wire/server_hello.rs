//! ServerHello and HelloRetryRequest, which is a ServerHello with a special random (RFC 9846 sections 4.2.3, 4.2.4).

use alloc::vec::Vec;

use super::ext::key_share::{self, KeyShareEntry};
use super::ext::{
    ExtensionSet, Extensions, Framed, In, check_response, cookie, pre_shared_key, supported_versions,
};
use super::message::write_message;
use super::{Reader, U8, U16, Writer};
use crate::codepoint::{CipherSuite, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion};
use crate::error::{Fault, Misuse};

/// The random that makes a ServerHello a HelloRetryRequest (RFC 9846 section 4.2.3).
pub(crate) const HELLO_RETRY_REQUEST_RANDOM: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2,
    0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// The end of the random of a TLS 1.3 server that selects TLS 1.2 (RFC 9846 section 4.2.3).
pub(crate) const DOWNGRADE_TLS12: [u8; 8] = *b"DOWNGRD\x01";

/// The end of the random of a TLS 1.3 server that selects TLS 1.1 or below (RFC 9846 section 4.2.3).
pub(crate) const DOWNGRADE_TLS11: [u8; 8] = *b"DOWNGRD\x00";

/// A ServerHello or a HelloRetryRequest, also of a server that selected an older version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello<'a> {
    /// TLS 1.2 if TLS 1.3 was selected; not judged here.
    pub legacy_version: ProtocolVersion,
    /// The server's random bytes.
    pub random: &'a [u8; 32],
    /// At most 32 bytes.
    pub legacy_session_id_echo: &'a [u8],
    /// The suite selected.
    pub cipher_suite: CipherSuite,
    /// Zero if TLS 1.3 was selected; not judged here.
    pub legacy_compression_method: u8,
    /// The whole extension block without its length; its framing is right, its content is not judged.
    pub extensions: &'a [u8],
}

/// The extensions of a ServerHello.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerHelloExtensions<'a> {
    /// The version selected.
    pub supported_versions: Option<ProtocolVersion>,
    /// The server's share.
    pub key_share: Option<KeyShareEntry<'a>>,
    /// The index of the PSK selected.
    pub pre_shared_key: Option<u16>,
}

/// The extensions of a HelloRetryRequest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryExtensions<'a> {
    /// The version selected.
    pub supported_versions: Option<ProtocolVersion>,
    /// What the server wants to see again.
    pub cookie: Option<&'a [u8]>,
    /// The group of which the server wants a share.
    pub key_share: Option<NamedGroup>,
}

impl<'a> ServerHello<'a> {
    /// Reads the body of a ServerHello; judges the syntax alone.
    ///
    /// # Errors
    /// `decode_error`.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut r = Reader::new(body);
        let legacy_version = ProtocolVersion(r.u16()?);
        let random = r.array()?;
        let legacy_session_id_echo = r.vec::<U8>()?;
        if legacy_session_id_echo.len() > 32 {
            return Err(Fault::decode_error("legacy_session_id_echo must have at most 32 bytes"));
        }
        let cipher_suite = CipherSuite(r.u16()?);
        let legacy_compression_method = r.u8()?;
        // An older server need not send extensions; the version is judged by the caller.
        let extensions = if r.is_empty() { &[] } else { r.vec::<U16>()? };
        r.finish()?;
        Framed::new(extensions).try_for_each(|extension| extension.map(drop))?;
        Ok(Self {
            legacy_version,
            random,
            legacy_session_id_echo,
            cipher_suite,
            legacy_compression_method,
            extensions,
        })
    }

    /// Whether this is a HelloRetryRequest.
    #[must_use]
    pub fn is_retry(&self) -> bool {
        *self.random == HELLO_RETRY_REQUEST_RANDOM
    }

    /// The version in supported_versions; `None` from a server that selected an older version.
    ///
    /// RFC 9846 section 4.3.1: "clients MUST check for this extension prior to processing the rest".
    ///
    /// # Errors
    /// `decode_error` when that extension is broken; no other one is judged.
    pub(crate) fn selected_version(&self) -> Result<Option<ProtocolVersion>, Fault> {
        for extension in Framed::new(self.extensions) {
            let (kind, data) = extension?;
            if kind == ExtensionType::SUPPORTED_VERSIONS {
                return supported_versions::parse_server(data).map(Some);
            }
        }
        Ok(None)
    }

    /// The extensions of a ServerHello that answers `offered`.
    ///
    /// # Errors
    /// `decode_error`, `illegal_parameter` for a repeated or misplaced extension, `unsupported_extension` for one
    /// that was not offered.
    pub(crate) fn extensions(&self, offered: ExtensionSet) -> Result<ServerHelloExtensions<'a>, Fault> {
        let mut found = ServerHelloExtensions::default();
        for extension in Extensions::new(self.extensions) {
            let (kind, data) = extension?;
            check_response(kind, In::ServerHello, offered)?;
            match kind {
                ExtensionType::SUPPORTED_VERSIONS => {
                    found.supported_versions = Some(supported_versions::parse_server(data)?);
                }
                ExtensionType::KEY_SHARE => found.key_share = Some(key_share::parse_server(data)?),
                ExtensionType::PRE_SHARED_KEY => {
                    found.pre_shared_key = Some(pre_shared_key::parse_server(data)?);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// The extensions of a HelloRetryRequest that answers `offered`; a cookie needs no offer.
    ///
    /// # Errors
    /// As those of [`ServerHello::extensions`].
    pub(crate) fn retry_extensions(&self, offered: ExtensionSet) -> Result<RetryExtensions<'a>, Fault> {
        let mut found = RetryExtensions::default();
        for extension in Extensions::new(self.extensions) {
            let (kind, data) = extension?;
            check_response(kind, In::HelloRetryRequest, offered)?;
            match kind {
                ExtensionType::SUPPORTED_VERSIONS => {
                    found.supported_versions = Some(supported_versions::parse_server(data)?);
                }
                ExtensionType::COOKIE => found.cookie = Some(cookie::parse(data)?),
                ExtensionType::KEY_SHARE => found.key_share = Some(key_share::parse_retry(data)?),
                _ => {}
            }
        }
        Ok(found)
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.2.3
//# the legacy_version field MUST be set to 0x0303, which is the version number for TLS 1.2.
//= testvectors/requirements/rfc9846.txt#section-4.2.3
//# legacy_compression_method: A single byte which MUST have the value 0.
/// Writes a ServerHello message, header included.
///
/// # Errors
/// [`Misuse::TooLong`] when a value does not fit its field; `out` is then as it was before.
pub(crate) fn write_server_hello(
    out: &mut Vec<u8>,
    random: &[u8; 32],
    session_id_echo: &[u8],
    suite: CipherSuite,
    extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>,
) -> Result<(), Misuse> {
    if session_id_echo.len() > 32 {
        return Err(Misuse::TooLong);
    }
    write_message(out, HandshakeType::SERVER_HELLO, |w| {
        //= testvectors/requirements/rfc9846.txt#section-4.3.1
        //# It MUST set the ServerHello.legacy_version field to 0x0303 (TLS 1.2).
        w.u16(ProtocolVersion::TLS_1_2.0);
        w.bytes(random);
        w.vec::<U8>(session_id_echo)?;
        w.u16(suite.0);
        w.u8(0);
        w.block::<U16>(extensions)
    })
}

/// Writes a HelloRetryRequest message, header included.
///
/// # Errors
/// [`Misuse::TooLong`] when a value does not fit its field; `out` is then as it was before.
pub(crate) fn write_hello_retry_request(
    out: &mut Vec<u8>,
    session_id_echo: &[u8],
    suite: CipherSuite,
    extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>,
) -> Result<(), Misuse> {
    write_server_hello(out, &HELLO_RETRY_REQUEST_RANDOM, session_id_echo, suite, extensions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::ext::{alpn, encode_empty};
    use crate::wire::testing::{alert, message_body};

    const SUITE: CipherSuite = CipherSuite::TLS_AES_256_GCM_SHA384;
    const SHARE: KeyShareEntry<'_> = KeyShareEntry { group: NamedGroup::X25519, key_exchange: &[1, 2] };
    type Extended = Result<(), Misuse>;

    fn offered() -> ExtensionSet {
        use ExtensionType as E;
        ExtensionSet::from_iter([E::SUPPORTED_VERSIONS, E::KEY_SHARE, E::PRE_SHARED_KEY, E::ALPN])
    }

    fn hello(extensions: impl FnOnce(&mut Writer<'_>) -> Extended) -> Vec<u8> {
        message_body(HandshakeType::SERVER_HELLO, |out| {
            write_server_hello(out, &[7; 32], &[8; 32], SUITE, extensions)
        })
    }

    fn retry(extensions: impl FnOnce(&mut Writer<'_>) -> Extended) -> Vec<u8> {
        message_body(HandshakeType::SERVER_HELLO, |out| {
            write_hello_retry_request(out, &[8; 32], SUITE, extensions)
        })
    }

    fn version(w: &mut Writer<'_>) -> Extended {
        supported_versions::encode_server(w, ProtocolVersion::TLS_1_3)
    }

    fn full(w: &mut Writer<'_>) -> Extended {
        key_share::encode_server(w, SHARE)?;
        pre_shared_key::encode_server(w, 1)?;
        version(w)
    }

    fn in_hello(extensions: impl FnOnce(&mut Writer<'_>) -> Extended) -> AlertCode {
        alert(ServerHello::parse(&hello(extensions)).unwrap().extensions(offered()))
    }

    fn in_retry(extensions: impl FnOnce(&mut Writer<'_>) -> Extended) -> AlertCode {
        alert(ServerHello::parse(&retry(extensions)).unwrap().retry_extensions(offered()))
    }

    //= testvectors/requirements/rfc9846.txt#section-4.2.3
    //= type=test
    //# the legacy_version field MUST be set to 0x0303, which is the version number for TLS 1.2.
    //= testvectors/requirements/rfc9846.txt#section-4.2.3
    //= type=test
    //# legacy_compression_method: A single byte which MUST have the value 0.
    #[test]
    fn every_field_is_read_back() {
        let body = hello(full);
        let hello = ServerHello::parse(&body).unwrap();
        assert!(!hello.is_retry());
        assert_eq!(hello.legacy_version, ProtocolVersion::TLS_1_2);
        assert_eq!(hello.random, &[7; 32]);
        assert_eq!(hello.legacy_session_id_echo, [8; 32]);
        assert_eq!(hello.cipher_suite, SUITE);
        assert_eq!(hello.legacy_compression_method, 0);
        assert_eq!(hello.selected_version(), Ok(Some(ProtocolVersion::TLS_1_3)));
        let found = hello.extensions(offered()).unwrap();
        assert_eq!(found.supported_versions, Some(ProtocolVersion::TLS_1_3));
        assert_eq!(found.key_share, Some(SHARE));
        assert_eq!(found.pre_shared_key, Some(1));
    }

    #[test]
    fn the_sentinels_are_those_of_the_standard() {
        assert_eq!(DOWNGRADE_TLS12, [0x44, 0x4F, 0x57, 0x4E, 0x47, 0x52, 0x44, 0x01]);
        assert_eq!(DOWNGRADE_TLS11, [0x44, 0x4F, 0x57, 0x4E, 0x47, 0x52, 0x44, 0x00]);
    }

    #[test]
    fn a_retry_is_known_by_its_random() {
        let body = retry(|w| {
            version(w)?;
            cookie::encode(w, b"biscuit")?;
            key_share::encode_retry(w, NamedGroup::X25519)
        });
        let retry = ServerHello::parse(&body).unwrap();
        assert!(retry.is_retry());
        let found = retry.retry_extensions(offered()).unwrap();
        assert_eq!(found.supported_versions, Some(ProtocolVersion::TLS_1_3));
        assert_eq!(found.cookie, Some(&b"biscuit"[..]));
        assert_eq!(found.key_share, Some(NamedGroup::X25519));
    }

    #[test]
    fn truncation_and_an_extra_byte_are_refused() {
        let mut body = hello(full);
        let before_extensions = body.len() - ServerHello::parse(&body).unwrap().extensions.len() - 2;
        for len in (0..body.len()).filter(|len| *len != before_extensions) {
            assert_eq!(alert(ServerHello::parse(&body[..len])), AlertCode::DECODE_ERROR, "{len}");
        }
        body.push(0);
        assert_eq!(alert(ServerHello::parse(&body)), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn the_largest_retry_fits_its_cap() {
        use crate::wire::message::{SizeLimits, max_len};
        let body = retry(|w| cookie::encode(w, &[1; 65_529]));
        assert!(body.len() <= max_len(HandshakeType::SERVER_HELLO, &SizeLimits::default()));
        assert!(ServerHello::parse(&body).unwrap().retry_extensions(offered()).is_ok());
    }

    #[test]
    fn an_old_server_need_not_send_extensions() {
        let body = hello(|_| Ok(()));
        for old in [&body[..], &body[..body.len() - 2]] {
            assert_eq!(ServerHello::parse(old).unwrap().selected_version(), Ok(None));
        }
    }

    #[test]
    fn the_version_is_found_among_extensions_that_are_refused_later() {
        let unasked = |w: &mut Writer<'_>| {
            encode_empty(w, ExtensionType(0xFF01))?;
            version(w)
        };
        let body = hello(unasked);
        let hello = ServerHello::parse(&body).unwrap();
        assert_eq!(hello.selected_version(), Ok(Some(ProtocolVersion::TLS_1_3)));
        assert_eq!(in_hello(unasked), AlertCode::UNSUPPORTED_EXTENSION);
    }

    #[test]
    fn broken_framing_and_a_long_session_id_are_refused() {
        let mut body = hello(version);
        let last = body.len() - 3;
        body[last] = 9;
        assert_eq!(alert(ServerHello::parse(&body)), AlertCode::DECODE_ERROR);
        let mut body = hello(version);
        body[34] = 33;
        assert_eq!(alert(ServerHello::parse(&body)), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn duplicate_extension_is_refused() {
        let twice = |w: &mut Writer<'_>| {
            version(w)?;
            version(w)
        };
        assert_eq!(in_hello(twice), AlertCode::ILLEGAL_PARAMETER);
        assert_eq!(in_retry(twice), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn misplaced_extension_is_refused() {
        assert_eq!(in_hello(|w| alpn::encode_server(w, b"h2")), AlertCode::ILLEGAL_PARAMETER);
        assert_eq!(in_hello(|w| cookie::encode(w, b"1")), AlertCode::ILLEGAL_PARAMETER);
        assert_eq!(in_retry(|w| pre_shared_key::encode_server(w, 0)), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn extension_that_was_not_offered_is_refused() {
        let unasked = |w: &mut Writer<'_>| encode_empty(w, ExtensionType(0x0A0A));
        assert_eq!(in_retry(unasked), AlertCode::UNSUPPORTED_EXTENSION);
        let body = hello(|w| pre_shared_key::encode_server(w, 0));
        let without_psk = ExtensionSet::from_iter([ExtensionType::SUPPORTED_VERSIONS]);
        let refused = ServerHello::parse(&body).unwrap().extensions(without_psk);
        assert_eq!(alert(refused), AlertCode::UNSUPPORTED_EXTENSION);
    }

    #[test]
    fn a_share_in_the_form_of_the_other_message_is_refused() {
        assert_eq!(in_retry(|w| key_share::encode_server(w, SHARE)), AlertCode::DECODE_ERROR);
        assert_eq!(in_hello(|w| key_share::encode_retry(w, NamedGroup::X25519)), AlertCode::DECODE_ERROR);
    }
}
