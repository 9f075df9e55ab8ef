//! What an endpoint authenticates with.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use rustls_pki_types::CertificateDer;

use super::ConfigError;
use crate::codepoint::{CertificateType, SignatureScheme};
use crate::crypto::SigningKey;
use crate::wire::ext::signed_certificate_timestamp;

/// A certificate chain or a raw public key, and who signs for it: a private key at hand, or the answerer of `Sign`
/// questions. Cheap to clone.
#[derive(Clone)]
pub struct Credential {
    parts: Arc<Parts>,
    lease: Option<Lease>,
}

/// Something that lives as long as the connections that use a credential; dropping it tells that the last one ended.
pub type Lease = Arc<dyn Any + Send + Sync>;

#[derive(Clone)]
struct Parts {
    shown: Shown,
    schemes: Vec<SignatureScheme>,
    key: Option<Arc<dyn SigningKey>>,
}

/// What the peer gets to see.
#[derive(Clone)]
enum Shown {
    X509 { chain: Vec<CertificateDer<'static>>, staples: Vec<Option<Vec<u8>>>, scts: Option<Vec<u8>> },
    RawPublicKey { spki: Vec<u8> },
}

impl Shown {
    fn chain(chain: Vec<CertificateDer<'static>>) -> Self {
        Self::X509 { chain, staples: Vec::new(), scts: None }
    }
}

impl Credential {
    /// A chain, leaf first (RFC 9846 section 4.5.1), with its private key.
    ///
    /// That the key belongs to the leaf is for whoever parses certificates to check, such as
    /// `policy::credential_from_pem`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyChain`] and [`ConfigError::NoSigningScheme`].
    pub fn new(chain: Vec<CertificateDer<'static>>, key: Arc<dyn SigningKey>) -> Result<Self, ConfigError> {
        let schemes = key.schemes().to_vec();
        Self::checked(Parts { shown: Shown::chain(chain), schemes, key: Some(key) })
    }

    /// A chain whose private key is elsewhere: `Sign` questions go to the answerer, which can sign with `schemes`,
    /// most preferred first.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyChain`] and [`ConfigError::NoSigningScheme`].
    pub fn remote(
        chain: Vec<CertificateDer<'static>>,
        schemes: Vec<SignatureScheme>,
    ) -> Result<Self, ConfigError> {
        Self::checked(Parts { shown: Shown::chain(chain), schemes, key: None })
    }

    //= testvectors/requirements/rfc7250.txt#section-3
    //# The SubjectPublicKeyInfo value in the Certificate payload MUST contain the DER encoding [X.690] of
    //# the SubjectPublicKeyInfo.
    /// The public key of `key` alone, without a certificate (RFC 7250): for peers that know it from elsewhere.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyKey`] and [`ConfigError::NoSigningScheme`].
    pub fn raw_public_key(key: Arc<dyn SigningKey>) -> Result<Self, ConfigError> {
        let (spki, schemes) = (key.public_key().to_vec(), key.schemes().to_vec());
        Self::checked(Parts { shown: Shown::RawPublicKey { spki }, schemes, key: Some(key) })
    }

    /// A raw public key, as its DER `SubjectPublicKeyInfo`, whose private key is elsewhere: `Sign` questions go to the
    /// answerer, which can sign with `schemes`, most preferred first.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyKey`] and [`ConfigError::NoSigningScheme`].
    pub fn remote_raw(spki: impl Into<Vec<u8>>, schemes: Vec<SignatureScheme>) -> Result<Self, ConfigError> {
        Self::checked(Parts { shown: Shown::RawPublicKey { spki: spki.into() }, schemes, key: None })
    }

    /// Adds an OCSP response to be stapled to the leaf (RFC 9846 section 4.5.1.1), in place of all others.
    #[must_use]
    pub fn with_staple(self, response: Vec<u8>) -> Self {
        self.with_staples(Vec::from([Some(response)]))
    }

    /// Adds OCSP responses to be stapled to the certificates, in their order, leaf first; there may be fewer. A raw
    /// public key has nothing to staple them to, and stays as it is.
    #[must_use]
    pub fn with_staples(mut self, responses: Vec<Option<Vec<u8>>>) -> Self {
        if let Shown::X509 { staples, .. } = &mut Arc::make_mut(&mut self.parts).shown {
            *staples = responses;
        }
        self
    }

    /// Adds certificate timestamps for the leaf: a SignedCertificateTimestampList with its length (RFC 6962 section 3.3),
    /// which peers get that ask for it. A raw public key stays as it is.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Timestamps`] when it is no such list.
    pub fn with_scts(mut self, list: Vec<u8>) -> Result<Self, ConfigError> {
        signed_certificate_timestamp::parse_entry(&list).map_err(|_| ConfigError::Timestamps)?;
        if let Shown::X509 { scts, .. } = &mut Arc::make_mut(&mut self.parts).shown {
            *scts = Some(list);
        }
        Ok(self)
    }

    /// Has every connection that uses it keep `lease` until it ends: for whoever wants to know which still do.
    #[must_use]
    pub fn with_lease(mut self, lease: Lease) -> Self {
        self.lease = Some(lease);
        self
    }

    /// What kind of certificate it is.
    #[must_use]
    pub fn certificate_type(&self) -> CertificateType {
        match &self.parts.shown {
            Shown::X509 { .. } => CertificateType::X509,
            Shown::RawPublicKey { .. } => CertificateType::RAW_PUBLIC_KEY,
        }
    }

    /// The certificates, leaf first; none where it is a raw public key.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        match &self.parts.shown {
            Shown::X509 { chain, .. } => chain,
            Shown::RawPublicKey { .. } => &[],
        }
    }

    /// The DER `SubjectPublicKeyInfo` of a raw public key; `None` where there are certificates.
    #[must_use]
    pub fn spki(&self) -> Option<&[u8]> {
        match &self.parts.shown {
            Shown::X509 { .. } => None,
            Shown::RawPublicKey { spki } => Some(spki),
        }
    }

    /// The schemes that the key can sign with, most preferred first.
    #[must_use]
    pub fn schemes(&self) -> &[SignatureScheme] {
        &self.parts.schemes
    }

    /// The private key, unless it is elsewhere.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<dyn SigningKey>> {
        self.parts.key.as_ref()
    }

    /// The OCSP responses for the certificates, leaf first; there may be fewer.
    #[must_use]
    pub fn staples(&self) -> &[Option<Vec<u8>>] {
        match &self.parts.shown {
            Shown::X509 { staples, .. } => staples,
            Shown::RawPublicKey { .. } => &[],
        }
    }

    /// The SignedCertificateTimestampList for the leaf, with its length.
    #[must_use]
    pub fn scts(&self) -> Option<&[u8]> {
        match &self.parts.shown {
            Shown::X509 { scts, .. } => scts.as_deref(),
            Shown::RawPublicKey { .. } => None,
        }
    }

    /// What its connections keep until they end.
    pub(crate) fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    fn checked(parts: Parts) -> Result<Self, ConfigError> {
        match &parts.shown {
            Shown::X509 { chain, .. } if chain.is_empty() || chain.iter().any(|der| der.is_empty()) => {
                return Err(ConfigError::EmptyChain);
            }
            Shown::RawPublicKey { spki } if spki.is_empty() => return Err(ConfigError::EmptyKey),
            _ => {}
        }
        if parts.schemes.is_empty() {
            return Err(ConfigError::NoSigningScheme);
        }
        Ok(Self { parts: Arc::new(parts), lease: None })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("type", &self.certificate_type())
            .field("certificates", &self.chain().len())
            .field("schemes", &self.parts.schemes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: [SignatureScheme; 1] = [SignatureScheme::ED25519];

    #[test]
    fn a_raw_public_key_has_no_chain_and_nothing_that_goes_with_one() {
        let raw = Credential::remote_raw(*b"spki", SCHEMES.to_vec()).unwrap();
        let raw = raw.with_staple(Vec::from([1])).with_scts(Vec::from([0, 3, 0, 1, 9])).unwrap();
        assert_eq!(raw.certificate_type(), CertificateType::RAW_PUBLIC_KEY);
        assert_eq!(raw.spki(), Some(&b"spki"[..]));
        assert!(raw.chain().is_empty() && raw.staples().is_empty() && raw.scts().is_none());
    }

    #[test]
    fn a_raw_public_key_is_not_empty_and_signs() {
        let refused = |spki: &[u8], schemes: &[SignatureScheme]| {
            Credential::remote_raw(spki, schemes.to_vec()).map(drop).unwrap_err()
        };
        assert_eq!(refused(b"", &SCHEMES), ConfigError::EmptyKey);
        assert_eq!(refused(b"spki", &[]), ConfigError::NoSigningScheme);
    }

    #[test]
    fn a_broken_list_of_timestamps_is_refused() {
        let x509 = || Credential::remote(Vec::from([b"leaf".to_vec().into()]), SCHEMES.to_vec()).unwrap();
        assert_eq!(x509().certificate_type(), CertificateType::X509);
        let good = x509().with_scts(Vec::from([0, 3, 0, 1, 9])).unwrap();
        assert_eq!(good.scts(), Some(&[0, 3, 0, 1, 9][..]));
        for broken in [&[][..], &[0, 0], &[0, 3, 0, 1], &[0, 2, 0, 0]] {
            assert_eq!(x509().with_scts(broken.to_vec()).map(drop), Err(ConfigError::Timestamps));
        }
    }
}
