//! Certificates: who a chain speaks for, and whether that is to be believed (RFC 5280, RFC 9525).
//!
//! A chain is verified against trusted roots, for a purpose and a name, at a time, within a budget. What is not
//! evaluated here, such as name constraints, refuses the path: nothing is believed for want of a check.

mod budget;
mod der;
mod dn;
mod error;
mod names;
#[cfg(feature = "native-roots")]
mod native;
mod outline;
mod parse;
mod path;
#[cfg(all(test, feature = "rustcrypto"))]
mod tests;

pub use budget::Budget;
pub use error::{Rejected, VerifyError};
pub(crate) use names::dns_matches;
#[cfg(feature = "native-roots")]
pub use native::{NativeRoots, NoNativeRoots};
pub use parse::KeyKind;
pub(crate) use parse::{Certificate, key_of};

use alloc::string::String;
use alloc::vec::Vec;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::crypto::Provider;

/// What a leaf certificate is to be used for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// To authenticate the server of this name.
    Server(&'a ServerName<'a>),
    /// To authenticate a client, of any name.
    Client,
}

/// A path from a leaf to a trusted root that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedPath {
    /// The leaf's subject, in the form of RFC 4514.
    pub subject: String,
    /// When the first certificate of the path expires, in seconds since 1970.
    pub expires: UnixTime,
    /// How many certificates the path has, the root included.
    pub len: usize,
}

/// Verifies chains against a set of trusted roots. Usable without a connection.
///
/// ```no_run
/// # use symbolon::pki::{Purpose, Verifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (root, leaf, intermediates) = (vec![0].into(), vec![0].into(), []);
/// let verifier = Verifier::new(symbolon::crypto::rustcrypto::provider(), [root])?;
/// let name = "example.test".try_into()?;
/// let path = verifier.verify(&leaf, &intermediates, Purpose::Server(&name), rustls_pki_types::UnixTime::now())?;
/// println!("good until {:?}", path.expires);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    provider: Provider,
    roots: Vec<Root>,
    budget: Budget,
}

/// A trusted root. Only those that a chain names are parsed again, however many there are.
#[derive(Clone, Debug)]
struct Root {
    der: CertificateDer<'static>,
    subject_der: Vec<u8>,
}

impl Verifier {
    /// Trusts `roots`, which are whole certificates.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Malformed`] for a root that cannot be parsed, [`VerifyError::NoRoots`] without any.
    pub fn new(
        provider: Provider,
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, VerifyError> {
        let root = |der: CertificateDer<'static>| {
            let subject_der = Certificate::parse(&der)?.subject_der.to_vec();
            Ok(Root { der, subject_der })
        };
        let roots: Vec<Root> = roots.into_iter().map(root).collect::<Result<_, _>>()?;
        if roots.is_empty() {
            return Err(VerifyError::NoRoots);
        }
        Ok(Self { provider, roots, budget: Budget::default() })
    }

    /// Verifies with other limits than the default ones.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// How many roots are trusted.
    #[must_use]
    pub fn roots(&self) -> usize {
        self.roots.len()
    }

    /// The crypto provider that checks signatures.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Verifies `leaf` for `purpose` at `now`, over any of `intermediates`, to one of the roots.
    ///
    /// A leaf that is byte for byte one of the roots needs no issuer: a self-signed server, trusted by itself.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] says whose fault it is, what was offered, what was wanted, and what would mend it.
    pub fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        purpose: Purpose<'_>,
        now: UnixTime,
    ) -> Result<VerifiedPath, VerifyError> {
        path::verify(self, leaf, intermediates, purpose, now)
    }
}
