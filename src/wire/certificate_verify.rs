//! CertificateVerify: a signature over the transcript (RFC 9846 section 4.5.2).

use alloc::vec::Vec;

use super::message::write_message;
use super::{Reader, U16};
use crate::codepoint::{HandshakeType, SignatureScheme};
use crate::error::{Fault, Misuse};

/// A signature and its scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateVerify<'a> {
    /// The scheme; not judged here.
    pub algorithm: SignatureScheme,
    /// The signature, possibly empty: a verifier refuses that.
    pub signature: &'a [u8],
}

impl<'a> CertificateVerify<'a> {
    /// Reads the body of a CertificateVerify.
    ///
    /// # Errors
    /// `decode_error`.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut r = Reader::new(body);
        let algorithm = SignatureScheme(r.u16()?);
        let signature = r.vec::<U16>()?;
        r.finish()?;
        Ok(Self { algorithm, signature })
    }
}

/// Writes a CertificateVerify message, header included.
///
/// # Errors
/// [`Misuse::TooLong`] when the signature does not fit its field; `out` is then as it was before.
pub(crate) fn write_certificate_verify(
    out: &mut Vec<u8>,
    algorithm: SignatureScheme,
    signature: &[u8],
) -> Result<(), Misuse> {
    write_message(out, HandshakeType::CERTIFICATE_VERIFY, |w| {
        w.u16(algorithm.0);
        w.vec::<U16>(signature)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::{message_body, truncations_and_extra_byte_are_refused};

    #[test]
    fn scheme_and_signature_are_read_back() {
        let body = message_body(HandshakeType::CERTIFICATE_VERIFY, |out| {
            write_certificate_verify(out, SignatureScheme::ED25519, &[9; 64])
        });
        let verify = CertificateVerify { algorithm: SignatureScheme::ED25519, signature: &[9; 64] };
        assert_eq!(CertificateVerify::parse(&body), Ok(verify));
        truncations_and_extra_byte_are_refused(&body, |b| CertificateVerify::parse(b).map(drop));
    }

    #[test]
    fn a_signature_that_does_not_fit_cannot_be_encoded() {
        let mut out = Vec::new();
        let refused = write_certificate_verify(&mut out, SignatureScheme::ED25519, &[9; 65_536]);
        assert_eq!(refused, Err(Misuse::TooLong));
        assert!(out.is_empty());
    }
}
