//! `ChooseCredential` and `Sign`: how we authenticate.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::{Answer, Tag, Verdict};
use crate::alert::AlertCode;
use crate::codepoint::{CertificateType, SignatureScheme};
use crate::config::Credential;
use crate::crypto::Rng;
use crate::error::Refusal;

/// Client: which credential answers the server's CertificateRequest (RFC 9846 section 4.5.1.2)?
#[derive(Debug)]
pub struct ChooseCredential {
    pub(crate) tag: Tag,
    pub(crate) schemes: Vec<SignatureScheme>,
    pub(crate) certificate_schemes: Vec<SignatureScheme>,
    pub(crate) authorities: Vec<Vec<u8>>,
    pub(crate) certificate_type: CertificateType,
}

impl ChooseCredential {
    /// The type of certificate that was agreed on (RFC 7250): X.509 unless the configuration offers another one.
    #[must_use]
    pub fn certificate_type(&self) -> CertificateType {
        self.certificate_type
    }

    /// Schemes that the server accepts in our CertificateVerify, most preferred first.
    #[must_use]
    pub fn schemes(&self) -> &[SignatureScheme] {
        &self.schemes
    }

    /// Schemes that the server accepts in certificates.
    #[must_use]
    pub fn certificate_schemes(&self) -> &[SignatureScheme] {
        &self.certificate_schemes
    }

    /// DER distinguished names of acceptable authorities; empty means any.
    #[must_use]
    pub fn authorities(&self) -> &[Vec<u8>] {
        &self.authorities
    }

    /// Authenticates with this credential. Without a scheme in common, and where it is of another type than was agreed on,
    /// the answer is [`ChooseCredential::none`].
    #[must_use]
    pub fn with(self, credential: Arc<Credential>) -> Answer {
        //= testvectors/requirements/rfc9846.txt#section-4.5.2
        //# If sent by a client, the signature algorithm used in the signature MUST be one of those present
        //# in the supported_signature_algorithms field of the "signature_algorithms" extension in the
        //# CertificateRequest message.
        let scheme = credential.schemes().iter().copied().find(|scheme| self.schemes.contains(scheme));
        match scheme {
            Some(scheme) if credential.certificate_type() == self.certificate_type => {
                Answer { tag: self.tag, verdict: Verdict::Chosen(Chosen { credential, scheme }) }
            }
            _ => self.none(),
        }
    }

    /// Goes on without a certificate; the server may refuse that.
    #[must_use]
    pub fn none(self) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::NoCredential }
    }

    /// Ends the connection rather than answer the request.
    #[must_use]
    pub fn refused(self, refusal: Refusal) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Refused(refusal) }
    }
}

/// The answer's content.
pub(crate) struct Chosen {
    pub(crate) credential: Arc<Credential>,
    pub(crate) scheme: SignatureScheme,
}

/// Both: a signature for CertificateVerify (RFC 9846 section 4.5.2).
///
/// Only the handshake makes one, so that nothing but a CertificateVerify input is ever signed:
///
/// ```compile_fail,E0451
/// let anything = symbolon::question::Sign { message: b"transfer all".to_vec(), ..loop {} };
/// ```
/// ```
/// fn what_is_signed(question: &symbolon::question::Sign) -> &[u8] { question.message() }
/// ```
pub struct Sign {
    pub(crate) tag: Tag,
    pub(crate) credential: Arc<Credential>,
    pub(crate) scheme: SignatureScheme,
    pub(crate) message: Vec<u8>,
}

impl Sign {
    /// The credential that was chosen; its leaf tells which key is meant.
    #[must_use]
    pub fn credential(&self) -> &Arc<Credential> {
        &self.credential
    }

    /// The scheme that the signature must have.
    #[must_use]
    pub fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    /// What is to be signed, not hashed yet: 64 spaces, the context string, a zero byte, the transcript hash.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Signs with the key in the credential; without one the connection is refused with `internal_error`.
    #[must_use]
    pub fn with_own_key(self, rng: &dyn Rng) -> Answer {
        let Some(key) = self.credential.key().cloned() else {
            let why = "the credential has no private key at hand and nobody else answered for it";
            return self.failed(Refusal::text(AlertCode::INTERNAL_ERROR, why));
        };
        match key.sign(rng, self.scheme, &self.message) {
            Ok(signature) => self.signed(signature),
            Err(failed) => self.failed(Refusal::new(AlertCode::INTERNAL_ERROR, failed)),
        }
    }

    /// Here is the signature.
    #[must_use]
    pub fn signed(self, signature: Vec<u8>) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Signed(signature) }
    }

    /// The signer failed.
    #[must_use]
    pub fn failed(self, refusal: Refusal) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Refused(refusal) }
    }
}

impl fmt::Debug for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sign").field("credential", &self.credential).field("scheme", &self.scheme).finish()
    }
}
