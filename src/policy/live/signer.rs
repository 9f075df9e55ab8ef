//! Private keys that are elsewhere: who signs for a credential without a key.

use alloc::boxed::Box;

use crate::alert::AlertCode;
use crate::codepoint::SignatureScheme;
use crate::config::Credential;
use crate::crypto::Rng;
use crate::error::Refusal;
use crate::question::{Answer, Sign};

/// Why a signer did not sign; [`Refusal::cause`](crate::Refusal::cause) of the connection's error tells it.
pub type SignError = Box<dyn core::error::Error + Send + Sync>;

/// Signs with keys that are not in this process, or not in its memory: in an HSM, with an agent, in a token.
///
/// It blocks the connection, and its thread. Where that must not be, answer [`Sign`] before the policy sees it.
pub trait Signer: Send + Sync {
    /// The signature of `message` by the key of `credential`'s leaf, as `scheme` has it (RFC 9846 section 4.5.2).
    /// `message` is not hashed yet.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; the connection ends with `internal_error`.
    fn sign(
        &self,
        credential: &Credential,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<alloc::vec::Vec<u8>, SignError>;
}

/// Signs with the key at hand, or has it signed.
pub(in crate::policy) fn sign(question: Sign, signer: Option<&dyn Signer>, rng: &dyn Rng) -> Answer {
    match (question.credential().key(), signer) {
        (None, Some(signer)) => {
            match signer.sign(question.credential(), question.scheme(), question.message()) {
                Ok(signature) => question.signed(signature),
                Err(error) => question.failed(Refusal::new(AlertCode::INTERNAL_ERROR, Unsigned(error))),
            }
        }
        _ => question.with_own_key(rng),
    }
}

/// The signer's error, with who it is from.
#[derive(Debug)]
struct Unsigned(SignError);

impl core::fmt::Display for Unsigned {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the signer of the private key failed: {}", self.0)
    }
}

impl core::error::Error for Unsigned {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&*self.0)
    }
}
