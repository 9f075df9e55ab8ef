//! Signature verification as a provider sees it.

use super::Failed;
use crate::codepoint::SignatureScheme;

/// A signature algorithm with its hash and, for ECDSA, its curve.
///
/// Finer than [`SignatureScheme`] because certificates combine curves and hashes that the handshake does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it
#[non_exhaustive]
pub enum SignatureAlgorithm {
    EcdsaP256Sha256,
    EcdsaP256Sha384,
    EcdsaP256Sha512,
    EcdsaP384Sha256,
    EcdsaP384Sha384,
    EcdsaP384Sha512,
    EcdsaP521Sha256,
    EcdsaP521Sha384,
    EcdsaP521Sha512,
    Ed25519,
    RsaPkcs1Sha256,
    RsaPkcs1Sha384,
    RsaPkcs1Sha512,
    RsaPssSha256,
    RsaPssSha384,
    RsaPssSha512,
}

impl SignatureAlgorithm {
    /// The algorithm of a scheme that may sign a CertificateVerify; `None` for all others.
    ///
    /// RFC 9846 section 4.3.3: the RSASSA-PKCS1-v1_5 code points "refer solely to signatures which appear in
    /// certificates".
    #[must_use]
    pub const fn of_handshake(scheme: SignatureScheme) -> Option<Self> {
        Some(match scheme {
            SignatureScheme::ECDSA_SECP256R1_SHA256 => Self::EcdsaP256Sha256,
            SignatureScheme::ECDSA_SECP384R1_SHA384 => Self::EcdsaP384Sha384,
            SignatureScheme::ECDSA_SECP521R1_SHA512 => Self::EcdsaP521Sha512,
            SignatureScheme::ED25519 => Self::Ed25519,
            SignatureScheme::RSA_PSS_RSAE_SHA256 => Self::RsaPssSha256,
            SignatureScheme::RSA_PSS_RSAE_SHA384 => Self::RsaPssSha384,
            SignatureScheme::RSA_PSS_RSAE_SHA512 => Self::RsaPssSha512,
            _ => return None,
        })
    }
}

/// Verifies signatures of one algorithm.
pub trait Verifier: Send + Sync {
    /// Which one.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Verifies `signature` over `message` by the key in `spki`, a DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    ///
    /// [`Failed::Input`] when the key is malformed or of another type, RSA shorter than 2048 or longer than 8192
    /// bits, or when the signature does not verify.
    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Failed>;
}
