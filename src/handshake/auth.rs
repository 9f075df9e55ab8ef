//! Certificate, CertificateVerify and Finished, equal on both sides (RFC 9846 section 4.5).

use alloc::vec::Vec;

use rustls_pki_types::CertificateDer;

use super::{Carrier, emit};
use crate::codepoint::SignatureScheme;
use crate::config::Credential;
use crate::crypto::Digest;
use crate::error::{Error, Fault};
use crate::question::Presented;
use crate::schedule::{Direction, Finished, FinishedMatched};
use crate::transcript::Transcript;
use crate::wire::certificate::{Certificate, CertificateEntry, write_certificate};
use crate::wire::certificate_verify::CertificateVerify;
use crate::wire::ext::ExtensionSet;
use crate::wire::finished;

/// Whose signature it is; the context strings of RFC 9846 section 4.5.2.
#[derive(Clone, Copy)]
pub(super) enum Signer {
    Server,
    Client,
}

/// The content covered by the signature of a CertificateVerify.
pub(super) fn signed_content(signer: Signer, transcript_hash: &Digest) -> Vec<u8> {
    let context: &[u8] = match signer {
        Signer::Server => b"TLS 1.3, server CertificateVerify",
        Signer::Client => b"TLS 1.3, client CertificateVerify",
    };
    [&[0x20; 64], context, &[0], transcript_hash.as_ref()].concat()
}

/// A peer's certificates, not judged yet.
pub(super) struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    staples: Vec<Option<Vec<u8>>>,
    sct: Option<Vec<u8>>,
}

impl Chain {
    /// Reads a Certificate of the main handshake; `None` when it holds no certificate.
    ///
    /// `offered` holds the extensions that an entry may answer.
    pub(super) fn read(body: &[u8], offered: ExtensionSet) -> Result<Option<Self>, Fault> {
        let message = Certificate::parse(body, offered)?;
        // RFC 9846 section 4.5.1: "in the case of server authentication .. this field SHALL be zero length", and a
        // client echoes the empty context of a request in the main handshake.
        if !message.context.is_empty() {
            return Err(Fault::illegal_parameter(
                "certificate_request_context must be empty in the handshake",
            ));
        }
        let Some(leaf) = message.entries.iter().next() else { return Ok(None) };
        let owned = |entry: CertificateEntry<'_>| CertificateDer::from(entry.cert_data.to_vec());
        Ok(Some(Self {
            staples: message.entries.iter().map(|entry| entry.ocsp.map(<[u8]>::to_vec)).collect(),
            sct: leaf.sct.map(<[u8]>::to_vec),
            certificates: message.entries.iter().map(owned).collect(),
        }))
    }

    /// Adds the CertificateVerify in `body`; `transcript` ends with the Certificate.
    ///
    /// RFC 9846 section 4.5.2: the algorithm MUST be one that we offered, which are `schemes`.
    pub(super) fn with_signature(
        self,
        body: &[u8],
        signer: Signer,
        schemes: &[SignatureScheme],
        transcript: &Transcript,
    ) -> Result<Presented, Fault> {
        let message = CertificateVerify::parse(body)?;
        if !schemes.contains(&message.algorithm) {
            return Err(Fault::illegal_parameter("the signature scheme is none that was offered"));
        }
        Ok(Presented {
            chain: self.certificates,
            staples: self.staples,
            sct: self.sct,
            scheme: message.algorithm,
            signed: signed_content(signer, &transcript.digest()),
            signature: message.signature.to_vec(),
        })
    }
}

/// Sends the certificates of `credential`; without one an empty Certificate (RFC 9846 section 4.5.1).
pub(super) fn emit_certificate<C: Carrier + ?Sized>(
    carrier: &mut C,
    transcript: &mut Transcript,
    credential: Option<&Credential>,
    staples: &[Option<Vec<u8>>],
) -> Result<(), Error> {
    let chain = credential.map(Credential::chain).unwrap_or_default();
    let entries = chain.iter().enumerate().map(|(position, certificate)| CertificateEntry {
        cert_data: certificate.as_ref(),
        ocsp: staples.get(position).and_then(Option::as_deref),
        sct: None,
    });
    emit(carrier, transcript, |out| write_certificate(out, &[], entries))
}

/// Checks the Finished in `body`; `transcript` ends before it.
pub(super) fn check_finished<D: Direction>(
    body: &[u8],
    key: &Finished<D>,
    transcript: &Transcript,
) -> Result<FinishedMatched<D>, Error> {
    let verify_data = finished::parse(body, transcript.hash().output_len())?;
    let matched = key.check(&transcript.digest(), verify_data)?;
    Ok(matched.ok_or(Fault::decrypt_error("Finished does not match the handshake"))?)
}

/// Sends Finished.
pub(super) fn emit_finished<C: Carrier + ?Sized, D: Direction>(
    carrier: &mut C,
    transcript: &mut Transcript,
    key: &Finished<D>,
) -> Result<(), Error> {
    let verify_data = key.verify_data(&transcript.digest())?;
    emit(carrier, transcript, |out| finished::write_finished(out, verify_data.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_content_is_the_example_of_the_standard() {
        // RFC 9846 section 4.5.2: "if the transcript hash was 32 bytes of 01"
        let content = signed_content(Signer::Server, &Digest::new(&[1; 32]));
        let mut expected = [0x20; 64].to_vec();
        expected.extend_from_slice(b"TLS 1.3, server CertificateVerify\0");
        expected.extend_from_slice(&[1; 32]);
        assert_eq!(content, expected);
    }
}
