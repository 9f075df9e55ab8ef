//! Certificate: a chain, or none (RFC 9846 section 4.5.1).

use alloc::vec::Vec;

use super::ext::{
    ExtensionSet, Extensions, In, check_response, non_empty, signed_certificate_timestamp, status_request,
};
use super::message::write_message;
use super::{List, Reader, U8, U16, U24, Writer};
use crate::codepoint::{ExtensionType, HandshakeType};
use crate::error::{Fault, Misuse};

/// A certificate chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// certificate_request_context: empty unless the message answers a request after the handshake.
    pub context: &'a [u8],
    /// The sender's certificate first; possibly none at all, which is not judged here.
    pub entries: List<'a, CertificateEntry<'a>>,
}

/// One certificate with what was stapled to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateEntry<'a> {
    /// The certificate in DER, unparsed: at least one byte.
    pub cert_data: &'a [u8],
    /// An OCSP response in DER, unparsed: at least one byte.
    pub ocsp: Option<&'a [u8]>,
    /// A SignedCertificateTimestampList with its length; its syntax is right.
    pub sct: Option<&'a [u8]>,
}

impl<'a> Certificate<'a> {
    /// Reads the body of a Certificate message, whose extensions answer `offered`: those of our ClientHello or of
    /// our CertificateRequest. Every entry is checked at once.
    ///
    /// # Errors
    /// `decode_error`, `illegal_parameter` for a repeated or misplaced extension, `unsupported_extension` for one
    /// that was not offered.
    pub(crate) fn parse(body: &'a [u8], offered: ExtensionSet) -> Result<Self, Fault> {
        let mut r = Reader::new(body);
        let context = r.vec::<U8>()?;
        let chain = r.vec::<U24>()?;
        r.finish()?;
        let mut rest = Reader::new(chain);
        while !rest.is_empty() {
            CertificateEntry::read(&mut rest, offered)?;
        }
        let entries = List::parse(chain, |r| CertificateEntry::read(r, ExtensionSet::ALL))?;
        Ok(Self { context, entries })
    }
}

impl<'a> CertificateEntry<'a> {
    fn read(r: &mut Reader<'a>, offered: ExtensionSet) -> Result<Self, Fault> {
        let cert_data = non_empty::<U24>(r, "cert_data must not be empty")?;
        let mut entry = Self { cert_data, ocsp: None, sct: None };
        for extension in Extensions::new(r.vec::<U16>()?) {
            let (kind, data) = extension?;
            check_response(kind, In::Certificate, offered)?;
            match kind {
                ExtensionType::STATUS_REQUEST => entry.ocsp = Some(status_request::parse_entry(data)?),
                ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => {
                    entry.sct = Some(signed_certificate_timestamp::parse_entry(data)?);
                }
                _ => {}
            }
        }
        Ok(entry)
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), Misuse> {
        w.vec::<U24>(self.cert_data)?;
        w.block::<U16>(|w| {
            if let Some(response) = self.ocsp {
                status_request::encode_entry(w, response)?;
            }
            match self.sct {
                Some(list) => signed_certificate_timestamp::encode_entry(w, list),
                None => Ok(()),
            }
        })
    }
}

impl<'a> From<(&'a [u8], Option<&'a [u8]>)> for CertificateEntry<'a> {
    /// An entry of a certificate and, perhaps, the OCSP response to be stapled to it.
    fn from((cert_data, ocsp): (&'a [u8], Option<&'a [u8]>)) -> Self {
        Self { cert_data, ocsp, sct: None }
    }
}

/// Writes a Certificate message, header included.
///
/// # Errors
/// [`Misuse::TooLong`] when a value does not fit its field; `out` is then as it was before.
pub(crate) fn write_certificate<'a>(
    out: &mut Vec<u8>,
    context: &[u8],
    entries: impl IntoIterator<Item = impl Into<CertificateEntry<'a>>>,
) -> Result<(), Misuse> {
    write_message(out, HandshakeType::CERTIFICATE, |w| {
        w.vec::<U8>(context)?;
        w.block::<U24>(|w| entries.into_iter().try_for_each(|entry| entry.into().write(w)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::ext::{encode_empty, server_name};
    use crate::wire::testing::{alert, message_body, truncations_and_extra_byte_are_refused};

    const LEAF: CertificateEntry<'_> =
        CertificateEntry { cert_data: b"leaf", ocsp: Some(b"good"), sct: Some(&[0, 3, 0, 1, 9]) };
    const ISSUER: CertificateEntry<'_> = CertificateEntry { cert_data: b"issuer", ocsp: None, sct: None };

    fn message(entries: &[CertificateEntry<'_>]) -> Vec<u8> {
        message_body(HandshakeType::CERTIFICATE, |out| write_certificate(out, b"cx", entries.iter().copied()))
    }

    /// A message of one entry with these extensions.
    fn with(extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>) -> Vec<u8> {
        message_body(HandshakeType::CERTIFICATE, |out| {
            write_message(out, HandshakeType::CERTIFICATE, |w| {
                w.vec::<U8>(&[])?;
                w.block::<U24>(|w| {
                    w.vec::<U24>(b"leaf")?;
                    w.block::<U16>(extensions)
                })
            })
        })
    }

    #[test]
    fn the_chain_is_read_back_in_order() {
        let body = message(&[LEAF, ISSUER]);
        let chain = Certificate::parse(&body, ExtensionSet::ALL).unwrap();
        assert_eq!(chain.context, b"cx");
        assert_eq!(chain.entries.iter().collect::<Vec<_>>(), [LEAF, ISSUER]);
        truncations_and_extra_byte_are_refused(&body, |b| Certificate::parse(b, ExtensionSet::ALL).map(drop));
    }

    #[test]
    fn a_pair_is_a_certificate_and_its_staple() {
        let pair = (&b"leaf"[..], Some(&b"good"[..]));
        let body = message_body(HandshakeType::CERTIFICATE, |out| write_certificate(out, &[], [pair]));
        let wanted = CertificateEntry { sct: None, ..LEAF };
        let chain = Certificate::parse(&body, ExtensionSet::ALL).unwrap();
        assert_eq!(chain.entries.iter().collect::<Vec<_>>(), [wanted]);
    }

    #[test]
    fn a_chain_may_be_empty() {
        let body = message(&[]);
        assert!(Certificate::parse(&body, ExtensionSet::EMPTY).unwrap().entries.is_empty());
    }

    #[test]
    fn empty_cert_data_is_refused() {
        let empty = CertificateEntry { cert_data: &[], ..ISSUER };
        let refused = message(&[LEAF, empty]);
        assert_eq!(alert(Certificate::parse(&refused, ExtensionSet::ALL)), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn duplicate_extension_is_refused() {
        let twice = with(|w| {
            status_request::encode_entry(w, b"1")?;
            status_request::encode_entry(w, b"2")
        });
        assert_eq!(alert(Certificate::parse(&twice, ExtensionSet::ALL)), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn misplaced_extension_is_refused() {
        let misplaced = with(server_name::encode_server);
        assert_eq!(alert(Certificate::parse(&misplaced, ExtensionSet::ALL)), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn extension_that_was_not_offered_is_refused_in_any_entry() {
        let offered = ExtensionSet::from_iter([ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP]);
        let refused = |body: &[u8]| alert(Certificate::parse(body, offered));
        assert_eq!(refused(&message(&[ISSUER, LEAF])), AlertCode::UNSUPPORTED_EXTENSION);
        let unknown = with(|w| encode_empty(w, ExtensionType(0x0A0A)));
        assert_eq!(refused(&unknown), AlertCode::UNSUPPORTED_EXTENSION);
    }
}
