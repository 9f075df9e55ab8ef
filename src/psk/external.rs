//! External pre-shared keys, and how they are imported (RFC 9257, RFC 9258).

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::crypto::{Hash, Provider};
use crate::error::Failed;
use crate::schedule::import;
use crate::wire::{U16, Writer};

/// The fewest bytes of a key: RFC 9257 section 6 wants "at least 128 bits of entropy".
const MIN_KEY_LEN: usize = 16;

/// The most bytes of a key; more than any provisioning system gives out.
const MAX_KEY_LEN: usize = 1024;

/// `target_protocol` of TLS 1.3 (RFC 9258 section 5.1).
const TLS_1_3: u16 = 0x0304;

/// The hash that a pre-shared key belongs to: "Each PSK is associated with a single Hash algorithm" (RFC 9846 section
/// 4.3.11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PskHash {
    /// SHA-256, which an external key has unless something else was agreed on.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
}

impl PskHash {
    /// The length of its output in bytes: what cipher suites are told apart by.
    pub(crate) const fn output_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    /// The identifier of HKDF with it (RFC 9258 section 10).
    const fn kdf(self) -> u16 {
        match self {
            Self::Sha256 => 1,
            Self::Sha384 => 2,
        }
    }

    fn of(self, provider: &Provider) -> Option<&'static dyn Hash> {
        let mut hashes = provider.suites.iter().map(|suite| suite.hash);
        hashes.find(|hash| hash.output_len() == self.output_len())
    }
}

/// What kind of key it is: each has a binder label of its own, so that none is taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PskKind {
    /// Of a ticket: "res binder".
    Resumption,
    /// Provisioned externally: "ext binder".
    External,
    /// Imported: "imp binder" (RFC 9258 section 5.2).
    Imported,
}

/// A pre-shared key that did not come from a TLS connection (RFC 9257).
///
/// It authenticates both sides to everyone who has it: RFC 9257 section 4 wants it known to two parties alone, one
/// always client and one always server. Share it by `Arc`.
///
/// ```
/// # use symbolon::psk::{ExternalPsk, PskHash};
/// let key = ExternalPsk::new(b"sensor 17", &[0x5A; 32], PskHash::Sha256)?;
/// assert_eq!(key.identity(), b"sensor 17");
/// # Ok::<(), symbolon::psk::PskError>(())
/// ```
pub struct ExternalPsk {
    identity: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    hash: PskHash,
    kind: PskKind,
    name: Vec<u8>,
}

impl ExternalPsk {
    //= testvectors/requirements/rfc9846.txt#section-2.2
    //# the PSK identity and the KDF hash algorithm to be used with the PSK MUST also be provisioned.
    /// A key as it is, for peers that cannot import; `identity` is sent in the clear.
    ///
    /// # Errors
    ///
    /// [`PskError`] for lengths that cannot be.
    //= testvectors/requirements/rfc9846.txt#section-4.3.11
    //# For externally established PSKs, the Hash algorithm MUST be set when the PSK is established or
    //# default to SHA-256 if no such algorithm is defined.
    pub fn new(identity: &[u8], key: &[u8], hash: PskHash) -> Result<Self, PskError> {
        check(identity, key)?;
        Ok(Self {
            identity: identity.to_vec(),
            key: Zeroizing::new(key.to_vec()),
            hash,
            kind: PskKind::External,
            name: identity.to_vec(),
        })
    }

    /// Imports a key (RFC 9258): one for each hash of the provider's cipher suites, all to be offered or accepted.
    ///
    /// `hash` is that of the external key itself; `context` says how it came to be, both are sent in the clear. The
    /// external key must not be used for anything else.
    ///
    /// # Errors
    ///
    /// [`PskError`] for lengths that cannot be, and for a hash that the provider does not have.
    ///
    /// ```
    /// # #[cfg(feature = "rustcrypto")] {
    /// use symbolon::psk::{ExternalPsk, PskHash};
    /// let provider = symbolon::crypto::rustcrypto::provider();
    /// let keys = ExternalPsk::import(&provider, b"sensor 17", &[0x5A; 32], b"factory", PskHash::Sha256)?;
    /// assert_eq!(keys.len(), 2); // for SHA-256 and for SHA-384
    /// # }
    /// # Ok::<(), symbolon::psk::PskError>(())
    /// ```
    pub fn import(
        provider: &Provider,
        identity: &[u8],
        key: &[u8],
        context: &[u8],
        hash: PskHash,
    ) -> Result<Vec<Self>, PskError> {
        check(identity, key)?;
        //= testvectors/requirements/rfc9258.txt#section-4
        //# each external PSK fed to the importer process MUST be associated with one hash function at most.
        let own_hash = hash.of(provider).ok_or(PskError::UnknownHash)?;
        let targets =
            [PskHash::Sha256, PskHash::Sha384].into_iter().filter(|target| target.of(provider).is_some());
        let imported = targets.map(|target| {
            // struct { opaque external_identity<1...2^16-1>; opaque context<0..2^16-1>; uint16 target_protocol;
            // uint16 target_kdf; } ImportedIdentity;
            let mut imported = Vec::new();
            let mut w = Writer::new(&mut imported);
            w.vec::<U16>(identity).map_err(|_| PskError::Identity)?;
            //= testvectors/requirements/rfc9258.txt#section-5.1
            //# ImportedIdentity.context MUST include the context used to determine the EPSK, if any exists.
            w.vec::<U16>(context).map_err(|_| PskError::Identity)?;
            //= testvectors/requirements/rfc9258.txt#section-5.1
            //# External PSKs MUST NOT be imported for (D)TLS 1.2 or prior versions.
            //= testvectors/requirements/rfc9258.txt#section-5.1
            //# ImportedIdentity.target_protocol MUST be the (D)TLS protocol version for which the PSK is
            //# being imported.
            w.u16(TLS_1_3);
            w.u16(target.kdf());
            // "the PSK importer interface SHOULD reject any ImportedIdentity that exceeds this size"
            check(&imported, key)?;
            let secret = import(own_hash, key, &own_hash.hash(&[&imported]), target.output_len())?;
            Ok(Self {
                identity: imported,
                key: Zeroizing::new(secret.expose().to_vec()),
                hash: target,
                kind: PskKind::Imported,
                name: identity.to_vec(),
            })
        });
        imported.collect()
    }

    /// What is sent to name the key: for an imported one the whole `ImportedIdentity`.
    #[must_use]
    pub fn identity(&self) -> &[u8] {
        &self.identity
    }

    /// The external identity: what an application knows the peer by.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The hash that it belongs to.
    #[must_use]
    pub fn hash(&self) -> PskHash {
        self.hash
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn kind(&self) -> PskKind {
        self.kind
    }
}

fn check(identity: &[u8], key: &[u8]) -> Result<(), PskError> {
    // With a binder of 48 bytes it must fit an extension of 65,535.
    if identity.is_empty() || identity.len() > 65_000 {
        return Err(PskError::Identity);
    }
    if !(MIN_KEY_LEN..=MAX_KEY_LEN).contains(&key.len()) {
        return Err(PskError::Key);
    }
    Ok(())
}

impl fmt::Debug for ExternalPsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalPsk")
            .field("hash", &self.hash)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What is wrong with an external pre-shared key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PskError {
    /// Its identity is empty, or too long for the extension.
    Identity,
    /// It has fewer than 16 bytes or more than 1,024.
    Key,
    /// The provider has no cipher suite with its hash.
    UnknownHash,
    /// The provider failed.
    Provider(Failed),
}

impl fmt::Display for PskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "the identity of a pre-shared key must have 1 to 65,000 bytes",
            Self::Key => "a pre-shared key must have 16 to 1,024 bytes",
            Self::UnknownHash => "the provider has no cipher suite with the hash of the pre-shared key",
            Self::Provider(_) => "the crypto provider failed",
        })
    }
}

impl core::error::Error for PskError {}

impl From<Failed> for PskError {
    fn from(failed: Failed) -> Self {
        Self::Provider(failed)
    }
}
