//! EncryptedExtensions (RFC 9846 section 4.4.1).

use alloc::vec::Vec;

use super::ext::{
    ExtensionSet, Extensions, In, alpn, certificate_type, check_response, early_data, record_size_limit,
    server_name, supported_groups, ticket_request,
};
use super::message::write_message;
use super::{Reader, U16, U16List, Writer};
use crate::codepoint::{CertificateType, ExtensionType, HandshakeType, NamedGroup};
use crate::error::{Fault, Misuse};

/// What a server answers to a client's extensions under encryption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncryptedExtensions<'a> {
    /// The server used the name that the client sent.
    pub server_name_ack: bool,
    /// The groups that the server supports, its preferred one first.
    pub supported_groups: Option<U16List<'a, NamedGroup>>,
    /// The application protocol selected: at least one byte.
    pub alpn: Option<&'a [u8]>,
    /// The largest TLSInnerPlaintext that the server receives, in bytes: at least 64.
    pub record_size_limit: Option<u16>,
    /// The server accepted early data.
    pub early_data: bool,
    /// The number of tickets that the server expects to send.
    pub ticket_request: Option<u8>,
    /// The type of certificate that the client is asked for.
    pub client_certificate_type: Option<CertificateType>,
    /// The type of certificate that the server presents.
    pub server_certificate_type: Option<CertificateType>,
}

impl<'a> EncryptedExtensions<'a> {
    /// Reads the body of EncryptedExtensions that answer `offered`.
    ///
    /// # Errors
    /// `decode_error`, `illegal_parameter` for a repeated or misplaced extension, `unsupported_extension` for one
    /// that was not offered, and the refusals of each extension's parser.
    pub(crate) fn parse(body: &'a [u8], offered: ExtensionSet) -> Result<Self, Fault> {
        let mut r = Reader::new(body);
        let block = r.vec::<U16>()?;
        r.finish()?;
        let mut found = Self::default();
        for extension in Extensions::new(block) {
            let (kind, data) = extension?;
            //= testvectors/requirements/rfc9846.txt#section-4.4.1
            //# The client MUST check EncryptedExtensions for the presence of any forbidden extensions and
            //# if any are found MUST abort the handshake with an "illegal_parameter" alert.
            check_response(kind, In::EncryptedExtensions, offered)?;
            found.absorb(kind, data)?;
        }
        Ok(found)
    }

    fn absorb(&mut self, kind: ExtensionType, data: &'a [u8]) -> Result<(), Fault> {
        match kind {
            ExtensionType::SERVER_NAME => {
                server_name::parse_server(data)?;
                self.server_name_ack = true;
            }
            //= testvectors/requirements/rfc9846.txt#section-4.3.7
            //# Clients MUST NOT act upon any information found in "supported_groups" prior to successful
            //# completion of the handshake
            ExtensionType::SUPPORTED_GROUPS => self.supported_groups = Some(supported_groups::parse(data)?),
            ExtensionType::ALPN => self.alpn = Some(alpn::parse_server(data)?),
            ExtensionType::RECORD_SIZE_LIMIT => {
                self.record_size_limit = Some(record_size_limit::parse(data)?);
            }
            ExtensionType::EARLY_DATA => {
                early_data::parse(data)?;
                self.early_data = true;
            }
            ExtensionType::CLIENT_CERTIFICATE_TYPE => {
                self.client_certificate_type = Some(certificate_type::parse_server(data)?);
            }
            ExtensionType::SERVER_CERTIFICATE_TYPE => {
                self.server_certificate_type = Some(certificate_type::parse_server(data)?);
            }
            ExtensionType::TICKET_REQUEST => self.ticket_request = Some(ticket_request::parse_server(data)?),
            _ => {}
        }
        Ok(())
    }
}

/// Writes an EncryptedExtensions message, header included.
///
/// # Errors
/// [`Misuse::TooLong`] when a value does not fit its field; `out` is then as it was before.
pub(crate) fn write_encrypted_extensions(
    out: &mut Vec<u8>,
    extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>,
) -> Result<(), Misuse> {
    write_message(out, HandshakeType::ENCRYPTED_EXTENSIONS, |w| w.block::<U16>(extensions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::ext::{cookie, encode_empty};
    use crate::wire::testing::{alert, message_body, truncations_and_extra_byte_are_refused};

    fn message(extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>) -> Vec<u8> {
        message_body(HandshakeType::ENCRYPTED_EXTENSIONS, |out| write_encrypted_extensions(out, extensions))
    }

    fn refusal(
        extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>,
        offered: ExtensionSet,
    ) -> AlertCode {
        alert(EncryptedExtensions::parse(&message(extensions), offered))
    }

    #[test]
    fn every_extension_is_read_back() {
        let body = message(|w| {
            server_name::encode_server(w)?;
            supported_groups::encode(w, &[NamedGroup::X25519])?;
            alpn::encode_server(w, b"h2")?;
            record_size_limit::encode(w, 64)?;
            early_data::encode_flag(w)?;
            let (client, server) =
                (ExtensionType::CLIENT_CERTIFICATE_TYPE, ExtensionType::SERVER_CERTIFICATE_TYPE);
            certificate_type::encode_server(w, client, CertificateType::X509)?;
            certificate_type::encode_server(w, server, CertificateType::RAW_PUBLIC_KEY)?;
            ticket_request::encode_server(w, 2)
        });
        let found = EncryptedExtensions::parse(&body, ExtensionSet::ALL).unwrap();
        assert!(found.server_name_ack);
        assert!(found.supported_groups.unwrap().contains(NamedGroup::X25519));
        assert_eq!(found.alpn, Some(&b"h2"[..]));
        assert_eq!(found.record_size_limit, Some(64));
        assert!(found.early_data);
        assert_eq!(found.client_certificate_type, Some(CertificateType::X509));
        assert_eq!(found.server_certificate_type, Some(CertificateType::RAW_PUBLIC_KEY));
        // ticket_request is 58, the last that a set of 64 bits can hold is 63.
        assert_eq!(found.ticket_request, Some(2));
        truncations_and_extra_byte_are_refused(&body, |b| {
            EncryptedExtensions::parse(b, ExtensionSet::ALL).map(drop)
        });
    }

    #[test]
    fn there_may_be_no_extension() {
        let body = message(|_| Ok(()));
        let found = EncryptedExtensions::parse(&body, ExtensionSet::EMPTY);
        assert_eq!(found, Ok(EncryptedExtensions::default()));
        truncations_and_extra_byte_are_refused(&body, |b| {
            EncryptedExtensions::parse(b, ExtensionSet::EMPTY).map(drop)
        });
    }

    #[test]
    fn duplicate_extension_is_refused() {
        let twice = |w: &mut Writer<'_>| {
            server_name::encode_server(w)?;
            server_name::encode_server(w)
        };
        assert_eq!(refusal(twice, ExtensionSet::ALL), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn misplaced_extension_is_refused() {
        let misplaced = |w: &mut Writer<'_>| cookie::encode(w, b"1");
        assert_eq!(refusal(misplaced, ExtensionSet::ALL), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn extension_that_was_not_offered_is_refused() {
        let offered = ExtensionSet::from_iter([ExtensionType::SERVER_NAME]);
        let alpn = |w: &mut Writer<'_>| alpn::encode_server(w, b"h2");
        assert_eq!(refusal(alpn, offered), AlertCode::UNSUPPORTED_EXTENSION);
        let unknown = |w: &mut Writer<'_>| encode_empty(w, ExtensionType(0x0A0A));
        assert_eq!(refusal(unknown, offered), AlertCode::UNSUPPORTED_EXTENSION);
    }
}
