//! ClientHello (RFC 9846 section 4.2.2).

use alloc::vec::Vec;

use super::ext::certificate_type::{self, CertificateTypes};
use super::ext::early_data;
use super::ext::key_share::{self, KeyShareEntry};
use super::ext::pre_shared_key::{self, OfferedPsks};
use super::ext::psk_key_exchange_modes::{self, PskKeyExchangeModes};
use super::ext::server_name;
use super::ext::signed_certificate_timestamp;
use super::ext::status_request::{self, StatusRequest};
use super::ext::ticket_request::{self, TicketRequest};
use super::ext::{
    Extensions, Framed, In, alpn, certificate_authorities, check_request, cookie, non_empty,
    post_handshake_auth, record_size_limit, signature_algorithms, supported_groups, supported_versions,
};
use super::message::write_message;
use super::{List, Reader, U8, U16, U16List, Writer};
use crate::codepoint::{
    CipherSuite, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme,
};
use crate::error::{Fault, Misuse};

/// A ClientHello, also of a client that knows only older versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello<'a> {
    /// TLS 1.2 in every TLS 1.3 hello; not judged here.
    pub legacy_version: ProtocolVersion,
    /// The client's random bytes.
    pub random: &'a [u8; 32],
    /// At most 32 bytes, to be echoed.
    pub legacy_session_id: &'a [u8],
    /// The suites offered, the preferred one first.
    pub cipher_suites: U16List<'a, CipherSuite>,
    /// At least one byte; exactly a zero in every TLS 1.3 hello, which is not judged here.
    pub legacy_compression_methods: &'a [u8],
    /// The extensions.
    pub extensions: ClientExtensions<'a>,
}

impl<'a> ClientHello<'a> {
    /// Reads the body of a ClientHello.
    ///
    /// # Errors
    /// `decode_error` for a broken syntax, `illegal_parameter` for a repeated extension. If TLS 1.3 is offered:
    /// the refusals of each extension's parser, `illegal_parameter` for an extension that is meant for other
    /// messages, or that follows pre_shared_key.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut r = Reader::new(body);
        let legacy_version = ProtocolVersion(r.u16()?);
        let random = r.array()?;
        let legacy_session_id = r.vec::<U8>()?;
        if legacy_session_id.len() > 32 {
            return Err(Fault::decode_error("legacy_session_id must have at most 32 bytes"));
        }
        let cipher_suites = U16List::read::<U16>(&mut r, "cipher_suites must hold at least one suite")?;
        let legacy_compression_methods =
            non_empty::<U8>(&mut r, "legacy_compression_methods must hold at least one method")?;
        // RFC 9846 section 4.2.2: "1.3 servers might receive ClientHello messages without an extensions field".
        let block = if r.is_empty() { &[] } else { r.vec::<U16>()? };
        r.finish()?;
        let extensions = ClientExtensions::parse(block)?;
        Ok(Self {
            legacy_version,
            random,
            legacy_session_id,
            cipher_suites,
            legacy_compression_methods,
            extensions,
        })
    }
}

/// The extensions of a ClientHello that this library knows.
///
/// If supported_versions does not offer TLS 1.3, all other fields but `raw` are `None`: the standard of another
/// version rules their content, and what it is must not get in the way of refusing that version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientExtensions<'a> {
    /// The whole block without its length.
    pub raw: &'a [u8],
    /// The versions offered.
    pub supported_versions: Option<U16List<'a, ProtocolVersion>>,
    /// The DNS name wanted; `None` also when the extension holds only unknown types of names.
    pub server_name: Option<&'a str>,
    /// The groups supported.
    pub supported_groups: Option<U16List<'a, NamedGroup>>,
    /// The shares offered, possibly none; no two of one group.
    pub key_share: Option<List<'a, KeyShareEntry<'a>>>,
    /// Schemes for CertificateVerify.
    pub signature_algorithms: Option<U16List<'a, SignatureScheme>>,
    /// Schemes for the signatures in certificates.
    pub signature_algorithms_cert: Option<U16List<'a, SignatureScheme>>,
    /// Application protocols offered: at least one name, none of them empty.
    pub alpn: Option<List<'a, &'a [u8]>>,
    /// The cookie of a HelloRetryRequest.
    pub cookie: Option<&'a [u8]>,
    /// The largest TLSInnerPlaintext that the client receives, in bytes: at least 64.
    pub record_size_limit: Option<u16>,
    /// Distinguished names in DER: at least one.
    pub certificate_authorities: Option<List<'a, &'a [u8]>>,
    /// The ways in which the client uses PSKs.
    pub psk_key_exchange_modes: Option<PskKeyExchangeModes<'a>>,
    /// The PSKs offered with their binders.
    pub pre_shared_key: Option<OfferedPsks<'a>>,
    /// The client sends early data.
    pub early_data: Option<()>,
    /// The client is willing to authenticate after the handshake.
    pub post_handshake_auth: Option<()>,
    /// The number of tickets wanted.
    pub ticket_request: Option<TicketRequest>,
    /// The certificate status wanted.
    pub status_request: Option<StatusRequest>,
    /// The client wants certificate timestamps.
    pub signed_certificate_timestamp: Option<()>,
    /// The types of certificates that the client can present.
    pub client_certificate_type: Option<CertificateTypes<'a>>,
    /// The types of certificates that the client accepts.
    pub server_certificate_type: Option<CertificateTypes<'a>>,
}

impl<'a> ClientExtensions<'a> {
    fn parse(block: &'a [u8]) -> Result<Self, Fault> {
        let mut found = Self { raw: block, ..Self::default() };
        // The framing of all of them and the version come first, everything else depends on the version.
        for extension in Extensions::new(block) {
            let (kind, data) = extension?;
            if kind == ExtensionType::SUPPORTED_VERSIONS {
                found.supported_versions = Some(supported_versions::parse_client(data)?);
            }
        }
        if !found.supported_versions.is_some_and(|offered| offered.contains(ProtocolVersion::TLS_1_3)) {
            return Ok(found);
        }
        for extension in Framed::new(block) {
            let (kind, data) = extension?;
            found.absorb(kind, data)?;
        }
        Ok(found)
    }

    //= testvectors/requirements/rfc9846.txt#section-9.2
    //# a TLS-compliant application MUST implement the following TLS extensions:
    fn absorb(&mut self, kind: ExtensionType, data: &'a [u8]) -> Result<(), Fault> {
        //= testvectors/requirements/rfc9846.txt#section-4.3
        //# with the exception of "pre_shared_key" (Section 4.3.11) which MUST be the last extension in the
        //# ClientHello
        if self.pre_shared_key.is_some() {
            //= testvectors/requirements/rfc9846.txt#section-4.3.11
            //# Servers MUST check that it is the last extension and otherwise fail the handshake with an
            //# "illegal_parameter" alert.
            return Err(Fault::illegal_parameter("pre_shared_key must be the last extension"));
        }
        check_request(kind, In::ClientHello)?;
        use ExtensionType as E;
        match kind {
            E::SERVER_NAME => self.server_name = server_name::parse_client(data)?,
            E::SUPPORTED_GROUPS => self.supported_groups = Some(supported_groups::parse(data)?),
            E::KEY_SHARE => self.key_share = Some(key_share::parse_client(data)?),
            E::SIGNATURE_ALGORITHMS => self.signature_algorithms = Some(signature_algorithms::parse(data)?),
            E::SIGNATURE_ALGORITHMS_CERT => {
                self.signature_algorithms_cert = Some(signature_algorithms::parse(data)?);
            }
            E::ALPN => self.alpn = Some(alpn::parse_client(data)?),
            E::COOKIE => self.cookie = Some(cookie::parse(data)?),
            E::RECORD_SIZE_LIMIT => self.record_size_limit = Some(record_size_limit::parse(data)?),
            E::CERTIFICATE_AUTHORITIES => {
                self.certificate_authorities = Some(certificate_authorities::parse(data)?);
            }
            E::PSK_KEY_EXCHANGE_MODES => {
                self.psk_key_exchange_modes = Some(psk_key_exchange_modes::parse(data)?);
            }
            E::PRE_SHARED_KEY => self.pre_shared_key = Some(pre_shared_key::parse_client(data)?),
            E::EARLY_DATA => self.early_data = Some(early_data::parse(data)?),
            E::POST_HANDSHAKE_AUTH => self.post_handshake_auth = Some(post_handshake_auth::parse(data)?),
            E::CLIENT_CERTIFICATE_TYPE => {
                self.client_certificate_type = Some(certificate_type::parse_client(data)?);
            }
            E::SERVER_CERTIFICATE_TYPE => {
                self.server_certificate_type = Some(certificate_type::parse_client(data)?);
            }
            E::TICKET_REQUEST => self.ticket_request = Some(ticket_request::parse_client(data)?),
            E::STATUS_REQUEST => self.status_request = Some(status_request::parse_client(data)?),
            E::SIGNED_CERTIFICATE_TIMESTAMP => {
                self.signed_certificate_timestamp = Some(signed_certificate_timestamp::parse_request(data)?);
            }
            //= testvectors/requirements/rfc9846.txt#section-4.2.2
            //# Servers MUST ignore unrecognized extensions.
            //= testvectors/requirements/rfc8449.txt#section-5
            //# A server that supports the "record_size_limit" extension MUST ignore a "max_fragment_length"
            //# that appears in a ClientHello if both extensions appear.
            _ => {}
        }
        Ok(())
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.2.2
//# the legacy_version field MUST be set to 0x0303, which is the version number for TLS 1.2.
//= testvectors/requirements/rfc9846.txt#section-4.2.2
//# For every TLS 1.3 ClientHello, this list MUST contain exactly one byte, set to zero
/// Writes a ClientHello message, header included.
///
/// # Errors
/// [`Misuse::TooLong`] when a value does not fit its field; `out` is then as it was before.
//= testvectors/requirements/rfc9846.txt#appendix-E.5
//# Implementations MUST NOT send an SSL version 2.0 compatible CLIENT-HELLO.
pub(crate) fn write_client_hello(
    out: &mut Vec<u8>,
    random: &[u8; 32],
    session_id: &[u8],
    suites: &[CipherSuite],
    extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>,
) -> Result<(), Misuse> {
    if session_id.len() > 32 {
        return Err(Misuse::TooLong);
    }
    write_message(out, HandshakeType::CLIENT_HELLO, |w| {
        //= testvectors/requirements/rfc9846.txt#appendix-E.5
        //# Implementations MUST use 0x0303 for the ClientHello.legacy_version and
        //# ServerHello.legacy_version.
        w.u16(ProtocolVersion::TLS_1_2.0);
        w.bytes(random);
        w.vec::<U8>(session_id)?;
        U16List::encode::<U16>(w, suites)?;
        w.vec::<U8>(&[0])?;
        w.block::<U16>(extensions)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::codepoint::{CertificateType, PskKeyExchangeMode};
    use crate::wire::ext::pre_shared_key::PskIdentity;
    use crate::wire::ext::{encode, encode_empty};
    use crate::wire::testing::{alert, message_body};

    const SUITES: [CipherSuite; 2] = [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite(0x0A0A)];
    const SHARE: KeyShareEntry<'_> = KeyShareEntry { group: NamedGroup::X25519, key_exchange: &[1, 2] };
    const TICKET: PskIdentity<'_> = PskIdentity { identity: b"ticket", obfuscated_ticket_age: 5 };
    const RAW: [CertificateType; 1] = [CertificateType::RAW_PUBLIC_KEY];
    const OWN: [CertificateType; 2] = [CertificateType::X509, CertificateType::RAW_PUBLIC_KEY];
    const WANTED: TicketRequest = TicketRequest { new_session_count: 1, resumption_count: 2 };

    fn hello(extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>) -> Vec<u8> {
        message_body(HandshakeType::CLIENT_HELLO, |out| {
            write_client_hello(out, &[7; 32], &[8; 32], &SUITES, extensions)
        })
    }

    fn versions(w: &mut Writer<'_>) -> Result<(), Misuse> {
        supported_versions::encode_client(w, &[ProtocolVersion::TLS_1_3])
    }

    fn psk(w: &mut Writer<'_>) -> Result<(), Misuse> {
        pre_shared_key::encode_client(w, [TICKET], [32])
    }

    fn full(w: &mut Writer<'_>) -> Result<(), Misuse> {
        server_name::encode_client(w, "example.com")?;
        supported_groups::encode(w, &[NamedGroup::X25519])?;
        key_share::encode_client(w, [SHARE])?;
        signature_algorithms::encode(w, &[SignatureScheme::ED25519])?;
        signature_algorithms::encode_cert(w, &[SignatureScheme::ED448])?;
        alpn::encode_client(w, [&b"h2"[..]])?;
        cookie::encode(w, b"biscuit")?;
        record_size_limit::encode(w, 16385)?;
        certificate_authorities::encode(w, [&b"dn"[..]])?;
        psk_key_exchange_modes::encode(w, &[PskKeyExchangeMode::PSK_DHE_KE])?;
        early_data::encode_flag(w)?;
        post_handshake_auth::encode(w)?;
        ticket_request::encode_client(w, WANTED)?;
        status_request::encode_client(w)?;
        signed_certificate_timestamp::encode_request(w)?;
        certificate_type::encode_client(w, ExtensionType::CLIENT_CERTIFICATE_TYPE, &OWN)?;
        certificate_type::encode_client(w, ExtensionType::SERVER_CERTIFICATE_TYPE, &RAW)?;
        encode_empty(w, ExtensionType(0x0A0A))?;
        versions(w)?;
        psk(w)
    }

    //= testvectors/requirements/rfc9846.txt#section-4.2.2
    //= type=test
    //# the legacy_version field MUST be set to 0x0303, which is the version number for TLS 1.2.
    //= testvectors/requirements/rfc9846.txt#section-4.2.2
    //= type=test
    //# For every TLS 1.3 ClientHello, this list MUST contain exactly one byte, set to zero
    //= testvectors/requirements/rfc9846.txt#section-4.3
    //= type=test
    //# senders MUST NOT include data after the structure in the "extension_data" field
    //= testvectors/requirements/rfc9846.txt#section-9.2
    //= type=test
    //# a TLS-compliant application MUST implement the following TLS extensions:
    #[test]
    fn every_field_is_read_back() {
        let body = hello(full);
        let hello = ClientHello::parse(&body).unwrap();
        assert_eq!(hello.legacy_version, ProtocolVersion::TLS_1_2);
        assert_eq!(hello.random, &[7; 32]);
        assert_eq!(hello.legacy_session_id, [8; 32]);
        assert_eq!(hello.cipher_suites.iter().collect::<Vec<_>>(), SUITES);
        assert_eq!(hello.legacy_compression_methods, [0]);
        let found = hello.extensions;
        assert!(found.supported_versions.unwrap().contains(ProtocolVersion::TLS_1_3));
        assert_eq!(found.server_name, Some("example.com"));
        assert!(found.supported_groups.unwrap().contains(NamedGroup::X25519));
        assert_eq!(found.key_share.unwrap().iter().collect::<Vec<_>>(), [SHARE]);
        assert!(found.signature_algorithms.unwrap().contains(SignatureScheme::ED25519));
        assert!(found.signature_algorithms_cert.unwrap().contains(SignatureScheme::ED448));
        assert_eq!(found.alpn.unwrap().iter().collect::<Vec<_>>(), [b"h2"]);
        assert_eq!(found.cookie, Some(&b"biscuit"[..]));
        assert_eq!(found.record_size_limit, Some(16385));
        assert_eq!(found.certificate_authorities.unwrap().iter().collect::<Vec<_>>(), [b"dn"]);
        assert!(found.psk_key_exchange_modes.unwrap().contains(PskKeyExchangeMode::PSK_DHE_KE));
        assert_eq!(found.pre_shared_key.unwrap().identities.iter().collect::<Vec<_>>(), [TICKET]);
        assert!(found.early_data.is_some());
        assert!(found.post_handshake_auth.is_some());
        assert_eq!(found.ticket_request, Some(WANTED));
        assert_eq!(found.status_request, Some(StatusRequest::Ocsp));
        assert!(found.signed_certificate_timestamp.is_some());
        assert!(found.client_certificate_type.unwrap().iter().eq(OWN));
        assert!(found.server_certificate_type.unwrap().iter().eq(RAW));
        assert_eq!(Framed::new(found.raw).count(), 20);
    }

    #[test]
    fn truncation_and_an_extra_byte_are_refused() {
        let mut body = hello(full);
        let before_extensions = body.len() - ClientHello::parse(&body).unwrap().extensions.raw.len() - 2;
        for len in (0..body.len()).filter(|len| *len != before_extensions) {
            assert_eq!(alert(ClientHello::parse(&body[..len])), AlertCode::DECODE_ERROR, "{len}");
        }
        body.push(0);
        assert_eq!(alert(ClientHello::parse(&body)), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn a_hello_may_end_before_the_extensions() {
        let body = hello(|_| Ok(()));
        for old in [&body[..], &body[..body.len() - 2]] {
            let hello = ClientHello::parse(old).unwrap();
            assert_eq!(hello.extensions, ClientExtensions::default());
        }
    }

    #[test]
    fn broken_fields_are_refused() {
        let body = hello(versions);
        let with = |at: usize, byte: u8| {
            let mut body = body.clone();
            body[at] = byte;
            alert(ClientHello::parse(&body))
        };
        assert_eq!(with(34, 33), AlertCode::DECODE_ERROR);
        assert_eq!(with(34 + 33 + 1, 3), AlertCode::DECODE_ERROR);
        assert_eq!(with(34 + 33 + 1, 0), AlertCode::DECODE_ERROR);
        assert_eq!(with(34 + 33 + 6, 0), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn duplicate_extension_is_refused_also_without_tls_1_3() {
        let cookies = |w: &mut Writer<'_>| {
            cookie::encode(w, b"1")?;
            cookie::encode(w, b"2")
        };
        assert_eq!(alert(ClientHello::parse(&hello(cookies))), AlertCode::ILLEGAL_PARAMETER);
        let grease = hello(|w| {
            versions(w)?;
            encode_empty(w, ExtensionType(0x0A0A))?;
            encode_empty(w, ExtensionType(0x0A0A))
        });
        assert_eq!(alert(ClientHello::parse(&grease)), AlertCode::ILLEGAL_PARAMETER);
    }

    //= testvectors/requirements/rfc9846.txt#section-4.3
    //= type=test
    //# with the exception of "pre_shared_key" (Section 4.3.11) which MUST be the last extension in the
    //# ClientHello
    #[test]
    fn pre_shared_key_must_be_the_last_extension() {
        let refused = hello(|w| {
            versions(w)?;
            psk(w)?;
            encode_empty(w, ExtensionType(0x0A0A))
        });
        assert_eq!(alert(ClientHello::parse(&refused)), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn an_extension_for_another_message_is_refused() {
        let refused = hello(|w| {
            versions(w)?;
            encode(w, ExtensionType::OID_FILTERS, |w| w.vec::<U16>(&[]))
        });
        assert_eq!(alert(ClientHello::parse(&refused)), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn broken_extensions_matter_only_if_tls_1_3_is_offered() {
        let broken = |w: &mut Writer<'_>| encode(w, ExtensionType::KEY_SHARE, |w| w.vec::<U16>(&[1]));
        let old = hello(|w| {
            supported_versions::encode_client(w, &[ProtocolVersion::TLS_1_2])?;
            broken(w)
        });
        let extensions = ClientHello::parse(&old).unwrap().extensions;
        assert!(extensions.key_share.is_none());
        assert!(extensions.supported_versions.is_some());
        assert!(ClientHello::parse(&hello(broken)).is_ok());
        let new = hello(|w| {
            broken(w)?;
            versions(w)
        });
        assert_eq!(alert(ClientHello::parse(&new)), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn the_binders_end_the_hello() {
        let body = hello(full);
        let hello = ClientHello::parse(&body).unwrap();
        let offered = hello.extensions.pre_shared_key.unwrap();
        let (_, tail) = body.split_at(body.len() - offered.binders_len);
        assert_eq!(tail, [&[0, 33, 32][..], &[0; 32]].concat());
    }

    #[test]
    fn a_session_id_of_33_bytes_cannot_be_encoded() {
        let mut out = Vec::new();
        let refused = write_client_hello(&mut out, &[7; 32], &[8; 33], &SUITES, versions);
        assert_eq!(refused, Err(Misuse::TooLong));
        assert!(out.is_empty());
    }
}
