//! What the library needs of cryptography: traits, and the `Provider` that gathers implementations.
//!
//! An implementation sees keys, nonces and bytes; it never learns of records, messages or labels, whose framing
//! belongs to the library. It may know `secret`, `error` and `codepoint`, and nothing above them.

use alloc::sync::Arc;
use core::fmt;

use rustls_pki_types::PrivateKeyDer;

use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};

mod aead;
mod hash;
mod kx;
mod random;
mod sign;
mod verify;

#[cfg(any(test, symbolon_internals, fuzzing))]
pub mod null;
#[cfg(feature = "rustcrypto")]
pub mod rustcrypto;

pub use crate::error::Failed;
pub use crate::secret::{HashSecret, Secret, SharedSecret};
pub use aead::{Aead, AeadKey, NONCE_LEN, Nonce, TAG_LEN};
pub use hash::{Digest, Expansion, Hash, HashContext, HmacKey, MAX_HASH_LEN};
pub use kx::{Exchange, Group, Response};
pub use random::Rng;
pub use sign::{KeyError, SigningKey};
pub use verify::{SignatureAlgorithm, Verifier};

/// A cipher suite: an AEAD and the hash of the key schedule (RFC 9846 appendix B.4).
pub struct Suite {
    /// Its code point.
    pub id: CipherSuite,
    /// The hash of the transcript and of HKDF.
    pub hash: &'static dyn Hash,
    /// The record protection.
    pub aead: &'static dyn Aead,
}

impl Suite {
    /// Whether this processor has instructions for the AEAD, so that it is both fast and constant in time.
    #[must_use]
    pub fn accelerated(&self) -> bool {
        self.aead.accelerated()
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

/// Turns a private key's encoding into a key that signs.
///
/// Accepts PKCS#8, PKCS#1 and SEC1, as the variants of `PrivateKeyDer` say.
pub type KeyLoader = fn(&PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>, KeyError>;

/// A set of implementations. A configuration is built with one; there is no global default.
#[derive(Clone)]
pub struct Provider {
    /// A short name for logs, for example `rustcrypto`.
    pub name: &'static str,
    /// Cipher suites, most preferred first.
    pub suites: &'static [&'static Suite],
    /// Key exchange groups, most preferred first.
    pub groups: &'static [&'static dyn Group],
    /// Signature verification, for CertificateVerify and for certificates.
    pub verifiers: &'static [&'static dyn Verifier],
    /// Loads private keys.
    pub load_key: KeyLoader,
    /// The only source of randomness of every connection made with this provider.
    pub rng: Arc<dyn Rng>,
}

impl Provider {
    /// The suite with this code point, if the provider has it.
    #[must_use]
    pub fn suite(&self, id: CipherSuite) -> Option<&'static Suite> {
        self.suites.iter().copied().find(|suite| suite.id == id)
    }

    /// The group with this code point, if the provider has it.
    #[must_use]
    pub fn group(&self, id: NamedGroup) -> Option<&'static dyn Group> {
        self.groups.iter().copied().find(|group| group.id() == id)
    }

    /// The verification of this algorithm, if the provider has it.
    #[must_use]
    pub fn verifier(&self, algorithm: SignatureAlgorithm) -> Option<&'static dyn Verifier> {
        self.verifiers.iter().copied().find(|verifier| verifier.algorithm() == algorithm)
    }

    /// Verifies a CertificateVerify signature by `spki`, a DER `SubjectPublicKeyInfo` (RFC 9846 section 4.5.2).
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when the scheme is not available for handshake signatures, [`Failed::Input`] when
    /// the key does not fit the scheme or the signature is wrong.
    pub fn verify(
        &self,
        scheme: SignatureScheme,
        spki: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Failed> {
        SignatureAlgorithm::of_handshake(scheme)
            .and_then(|algorithm| self.verifier(algorithm))
            .ok_or(Failed::Provider)?
            .verify(spki, message, signature)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.name)
    }
}
