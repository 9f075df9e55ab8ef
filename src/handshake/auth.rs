//! Certificate, CertificateVerify and Finished, equal on both sides (RFC 9846 section 4.5).

use alloc::vec::Vec;

use rustls_pki_types::CertificateDer;

use super::{Carrier, emit};
use crate::codepoint::{CertificateType, ExtensionType, SignatureScheme};
use crate::config::Credential;
use crate::crypto::Digest;
use crate::error::{Error, Fault};
use crate::question::{PeerEvidence, Presented, PresentedKey};
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

/// What a peer says who it is, not judged yet.
pub(super) enum Credentials {
    Chain { certificates: Vec<CertificateDer<'static>>, staples: Vec<Option<Vec<u8>>>, sct: Option<Vec<u8>> },
    Key { spki: Vec<u8> },
}

impl Credentials {
    /// Reads a Certificate of the main handshake, which is of the type that was agreed on; `None` when it holds nothing.
    ///
    /// `offered` holds the extensions that an entry may answer.
    pub(super) fn read(
        body: &[u8],
        agreed: CertificateType,
        offered: ExtensionSet,
    ) -> Result<Option<Self>, Fault> {
        //= testvectors/requirements/rfc9846.txt#section-4.5.1
        //# Extensions in the Certificate message from the server MUST correspond to ones from the
        //# ClientHello message.
        //= testvectors/requirements/rfc9846.txt#section-4.5.1
        //# Extensions in the Certificate message from the client MUST correspond to extensions in the
        //# CertificateRequest message from the server.
        let message = Certificate::parse(body, offered)?;
        //= testvectors/requirements/rfc9846.txt#section-4.5.1
        //# Otherwise (in the case of server authentication), this field SHALL be zero length.
        // A client echoes the empty context of a request in the main handshake.
        if !message.context.is_empty() {
            return Err(Fault::illegal_parameter(
                "certificate_request_context must be empty in the handshake",
            ));
        }
        let Some(leaf) = message.entries.iter().next() else { return Ok(None) };
        if agreed == CertificateType::RAW_PUBLIC_KEY {
            return Self::read_key(leaf, message.entries.len()).map(Some);
        }
        let owned = |entry: CertificateEntry<'_>| CertificateDer::from(entry.cert_data.to_vec());
        Ok(Some(Self::Chain {
            staples: message.entries.iter().map(|entry| entry.ocsp.map(<[u8]>::to_vec)).collect(),
            sct: leaf.sct.map(<[u8]>::to_vec),
            certificates: message.entries.iter().map(owned).collect(),
        }))
    }

    //= testvectors/requirements/rfc9846.txt#section-4.5.1
    //# If the RawPublicKey certificate type was negotiated, then the certificate_list MUST contain no more
    //# than one CertificateEntry, which contains an ASN1_subjectPublicKeyInfo value as defined in
    //# [RFC7250], Section 3.
    fn read_key(entry: CertificateEntry<'_>, entries: usize) -> Result<Self, Fault> {
        if entries != 1 {
            return Err(Fault::illegal_parameter("a raw public key must be the only entry of a Certificate"));
        }
        if entry.ocsp.is_some() || entry.sct.is_some() {
            return Err(Fault::illegal_parameter(
                "a raw public key must come without the status of a certificate",
            ));
        }
        Ok(Self::Key { spki: entry.cert_data.to_vec() })
    }

    /// Adds the CertificateVerify in `body`; `transcript` ends with the Certificate. Also gives the scheme of the signature.
    ///
    /// RFC 9846 section 4.5.2: the algorithm MUST be one that we offered, which are `schemes`.
    pub(super) fn with_signature(
        self,
        body: &[u8],
        signer: Signer,
        schemes: &[SignatureScheme],
        transcript: &Transcript,
    ) -> Result<(PeerEvidence, SignatureScheme), Fault> {
        let message = CertificateVerify::parse(body)?;
        //= testvectors/requirements/rfc9846.txt#section-4.5.2
        //# If the CertificateVerify message is sent by a server, the signature algorithm MUST be one
        //# offered in the client's "signature_algorithms" extension
        if !schemes.contains(&message.algorithm) {
            return Err(Fault::illegal_parameter("the signature scheme is none that was offered"));
        }
        let (scheme, signature) = (message.algorithm, message.signature.to_vec());
        let signed = signed_content(signer, &transcript.digest());
        let evidence = match self {
            Self::Chain { certificates: chain, staples, sct } => {
                PeerEvidence::Fresh(Presented { chain, staples, sct, scheme, signed, signature })
            }
            Self::Key { spki } => {
                PeerEvidence::RawPublicKey(PresentedKey { spki, scheme, signed, signature })
            }
        };
        Ok((evidence, scheme))
    }
}

//= testvectors/requirements/rfc7250.txt#section-4.2
//# then the TLS server MUST place the SubjectPublicKeyInfo structure into the Certificate payload.
//= testvectors/requirements/rfc9846.txt#section-4.5.1
//# The sender's certificate MUST come in the first CertificateEntry in the list.
/// Sends the certificates or the raw public key of `credential`; without one an empty Certificate (RFC 9846 section
/// 4.5.1). `wanted` holds the extensions that the peer asked for.
pub(super) fn emit_certificate<C: Carrier + ?Sized>(
    carrier: &mut C,
    transcript: &mut Transcript,
    credential: Option<&Credential>,
    wanted: ExtensionSet,
) -> Result<(), Error> {
    let chain = credential.map(Credential::chain).unwrap_or_default();
    let wants_staples = wanted.contains(ExtensionType::STATUS_REQUEST);
    let staples = credential.filter(|_| wants_staples).map(Credential::staples).unwrap_or_default();
    let wants_scts = wanted.contains(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP);
    let mut scts = credential.filter(|_| wants_scts).and_then(Credential::scts);
    let certificates = chain.iter().enumerate().map(|(position, certificate)| CertificateEntry {
        cert_data: certificate.as_ref(),
        ocsp: staples.get(position).and_then(Option::as_deref),
        // They are for the leaf, which is the first.
        sct: scts.take(),
    });
    let key = credential.and_then(Credential::spki);
    let key = key.map(|cert_data| CertificateEntry { cert_data, ocsp: None, sct: None });
    emit(carrier, transcript, |out| write_certificate(out, &[], certificates.chain(key)))
}

/// Checks the Finished in `body`; `transcript` ends before it.
pub(super) fn check_finished<D: Direction>(
    body: &[u8],
    key: &Finished<D>,
    transcript: &Transcript,
) -> Result<FinishedMatched<D>, Error> {
    let verify_data = finished::parse(body, transcript.hash().output_len())?;
    let matched = key.check(&transcript.digest(), verify_data)?;
    //= testvectors/requirements/rfc9846.txt#section-4.5.3
    //# Recipients of Finished messages MUST verify that the contents are correct and if incorrect MUST
    //# terminate the connection with a "decrypt_error" alert.
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
