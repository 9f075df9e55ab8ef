//! CertificateRequest (RFC 9846 section 4.4.2).

use alloc::vec::Vec;

use super::ext::{
    ExtensionSet, Extensions, In, certificate_authorities, check_request, oid_filters, signature_algorithms,
    signed_certificate_timestamp, status_request,
};
use super::message::write_message;
use super::{List, Reader, U8, U16, U16List, Writer};
use crate::codepoint::{ExtensionType, HandshakeType, SignatureScheme};
use crate::error::{Fault, Misuse};

/// What a server wants to see of a client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateRequest<'a> {
    /// certificate_request_context: empty during the handshake, which is not judged here.
    pub context: &'a [u8],
    /// Schemes for CertificateVerify.
    pub signature_algorithms: U16List<'a, SignatureScheme>,
    /// Schemes for the signatures in certificates.
    pub signature_algorithms_cert: Option<U16List<'a, SignatureScheme>>,
    /// Distinguished names in DER: at least one.
    pub certificate_authorities: Option<List<'a, &'a [u8]>>,
    /// The server wants an OCSP response.
    pub status_request: bool,
    /// The server wants certificate timestamps.
    pub signed_certificate_timestamp: bool,
}

impl<'a> CertificateRequest<'a> {
    /// Reads the body of a CertificateRequest; unknown extensions are ignored.
    ///
    /// # Errors
    /// `decode_error`, `illegal_parameter` for a repeated or misplaced extension, `missing_extension` without
    /// signature_algorithms.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut r = Reader::new(body);
        let context = r.vec::<U8>()?;
        let block = r.vec::<U16>()?;
        r.finish()?;
        let mut schemes = None;
        let mut schemes_cert = None;
        let mut authorities = None;
        let mut ocsp = false;
        let mut sct = false;
        for extension in Extensions::new(block) {
            let (kind, data) = extension?;
            //= testvectors/requirements/rfc9846.txt#section-4.4.2
            //# Clients MUST ignore unrecognized extensions.
            //= testvectors/requirements/rfc9846.txt#section-9.3
            //# In TLS 1.3, a client receiving a CertificateRequest or NewSessionTicket MUST also ignore all
            //# unrecognized extensions.
            check_request(kind, In::CertificateRequest)?;
            match kind {
                ExtensionType::SIGNATURE_ALGORITHMS => schemes = Some(signature_algorithms::parse(data)?),
                ExtensionType::SIGNATURE_ALGORITHMS_CERT => {
                    schemes_cert = Some(signature_algorithms::parse(data)?);
                }
                ExtensionType::CERTIFICATE_AUTHORITIES => {
                    authorities = Some(certificate_authorities::parse(data)?);
                }
                ExtensionType::OID_FILTERS => oid_filters::parse(data)?,
                ExtensionType::STATUS_REQUEST => {
                    status_request::parse_request(data)?;
                    ocsp = true;
                }
                ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => {
                    signed_certificate_timestamp::parse_request(data)?;
                    sct = true;
                }
                _ => {}
            }
        }
        // RFC 9846 section 4.4.2: "The "signature_algorithms" extension MUST be specified".
        let Some(signature_algorithms) = schemes else {
            return Err(Fault::missing_extension("a CertificateRequest must have signature_algorithms"));
        };
        Ok(Self {
            context,
            signature_algorithms,
            signature_algorithms_cert: schemes_cert,
            certificate_authorities: authorities,
            status_request: ocsp,
            signed_certificate_timestamp: sct,
        })
    }
}

impl CertificateRequest<'_> {
    /// The extensions that an entry of the Certificate may have.
    pub(crate) fn wanted(&self) -> ExtensionSet {
        let ocsp = self.status_request.then_some(ExtensionType::STATUS_REQUEST);
        let sct = self.signed_certificate_timestamp.then_some(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP);
        ocsp.into_iter().chain(sct).collect()
    }
}

/// Writes a CertificateRequest message, header included.
///
/// # Errors
/// [`Misuse::TooLong`] when a value does not fit its field; `out` is then as it was before.
pub(crate) fn write_certificate_request(
    out: &mut Vec<u8>,
    context: &[u8],
    extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>,
) -> Result<(), Misuse> {
    write_message(out, HandshakeType::CERTIFICATE_REQUEST, |w| {
        w.vec::<U8>(context)?;
        w.block::<U16>(extensions)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::ext::{cookie, encode, encode_empty};
    use crate::wire::testing::{alert, message_body, truncations_and_extra_byte_are_refused};

    fn message(extensions: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>) -> Vec<u8> {
        message_body(HandshakeType::CERTIFICATE_REQUEST, |out| {
            write_certificate_request(out, b"cx", extensions)
        })
    }

    fn schemes(w: &mut Writer<'_>) -> Result<(), Misuse> {
        signature_algorithms::encode(w, &[SignatureScheme::ED25519])
    }

    #[test]
    fn every_field_is_read_back() {
        let body = message(|w| {
            encode_empty(w, ExtensionType(0x0A0A))?;
            schemes(w)?;
            signature_algorithms::encode_cert(w, &[SignatureScheme::ED448])?;
            certificate_authorities::encode(w, [&b"dn"[..]])?;
            status_request::encode_request(w)?;
            signed_certificate_timestamp::encode_request(w)?;
            encode(w, ExtensionType::OID_FILTERS, |w| w.vec::<U16>(&[]))
        });
        let request = CertificateRequest::parse(&body).unwrap();
        assert_eq!(request.context, b"cx");
        assert!(request.signature_algorithms.contains(SignatureScheme::ED25519));
        assert!(request.signature_algorithms_cert.unwrap().contains(SignatureScheme::ED448));
        assert_eq!(request.certificate_authorities.unwrap().iter().collect::<Vec<_>>(), [b"dn"]);
        assert!(request.status_request);
        assert!(request.signed_certificate_timestamp);
        truncations_and_extra_byte_are_refused(&body, |b| CertificateRequest::parse(b).map(drop));
    }

    #[test]
    fn an_entry_may_have_what_the_request_asked_for() {
        let body = message(schemes);
        assert_eq!(CertificateRequest::parse(&body).unwrap().wanted(), ExtensionSet::EMPTY);
        let body = message(|w| {
            schemes(w)?;
            status_request::encode_request(w)
        });
        let wanted = CertificateRequest::parse(&body).unwrap().wanted();
        assert!(wanted.contains(ExtensionType::STATUS_REQUEST));
        assert!(!wanted.contains(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP));
        let body = message(|w| {
            schemes(w)?;
            signed_certificate_timestamp::encode_request(w)
        });
        let wanted = CertificateRequest::parse(&body).unwrap().wanted();
        assert!(wanted.contains(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP));
        assert!(!wanted.contains(ExtensionType::STATUS_REQUEST));
    }

    #[test]
    fn a_request_without_signature_algorithms_is_refused() {
        let refused = message(|w| signature_algorithms::encode_cert(w, &[SignatureScheme::ED448]));
        assert_eq!(alert(CertificateRequest::parse(&refused)), AlertCode::MISSING_EXTENSION);
    }

    #[test]
    fn duplicate_extension_is_refused() {
        let twice = message(|w| {
            schemes(w)?;
            schemes(w)
        });
        assert_eq!(alert(CertificateRequest::parse(&twice)), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn misplaced_extension_is_refused() {
        let misplaced = message(|w| {
            schemes(w)?;
            cookie::encode(w, b"1")
        });
        assert_eq!(alert(CertificateRequest::parse(&misplaced)), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn broken_oid_filters_are_refused() {
        let broken = message(|w| {
            schemes(w)?;
            encode(w, ExtensionType::OID_FILTERS, |w| w.vec::<U16>(&[1]))
        });
        assert_eq!(alert(CertificateRequest::parse(&broken)), AlertCode::DECODE_ERROR);
    }
}
