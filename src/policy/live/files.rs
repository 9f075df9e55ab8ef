//! Credentials as files: what to read, and what it makes.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use std::path::{Path, PathBuf};

use super::super::credentials::LoadError;
use super::entry::Entry;
use crate::crypto::Provider;

/// The files of one entry: a chain, leaf first, and its private key; each PEM or DER.
///
/// ```no_run
/// # #[cfg(feature = "rustcrypto")] {
/// use symbolon::crypto::rustcrypto::provider;
/// use symbolon::policy::{CredentialStore, EntryFiles};
///
/// let files = EntryFiles::new("/etc/tls/tls.crt", "/etc/tls/tls.key");
/// let store = CredentialStore::new(provider(), [files.load(&provider())?])?;
/// # }
/// # Ok::<(), symbolon::policy::LoadError>(())
/// ```
#[derive(Clone)]
pub struct EntryFiles {
    chain: PathBuf,
    key: PathBuf,
    declare: Vec<Declaration>,
}

/// What is said of an entry besides its files.
#[derive(Clone)]
enum Declaration {
    Names(Vec<String>),
    Fallback,
    UnderRoot,
}

impl EntryFiles {
    /// An entry of these files, called like the chain's.
    #[must_use]
    pub fn new(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { chain: chain.into(), key: key.into(), declare: Vec::new() }
    }

    /// As [`Entry::for_names`].
    #[must_use]
    pub fn for_names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.declare.push(Declaration::Names(names.into_iter().map(Into::into).collect()));
        self
    }

    /// As [`Entry::as_fallback`].
    #[must_use]
    pub fn as_fallback(mut self) -> Self {
        self.declare.push(Declaration::Fallback);
        self
    }

    /// As [`Entry::under_root`].
    #[must_use]
    pub fn under_root(mut self) -> Self {
        self.declare.push(Declaration::UnderRoot);
        self
    }

    /// Reads the files as they are now.
    ///
    /// # Errors
    ///
    /// [`LoadError`] names the file and says what was found instead of what.
    pub fn load(&self, provider: &Provider) -> Result<Entry, LoadError> {
        let entry = Entry::from_files(provider, &self.chain, &self.key)?;
        Ok(self.declare.iter().fold(entry, |entry, declared| match declared {
            Declaration::Names(names) => entry.for_names(names.iter().map(ToString::to_string)),
            Declaration::Fallback => entry.as_fallback(),
            Declaration::UnderRoot => entry.under_root(),
        }))
    }

    /// The files: chain and key.
    #[must_use]
    pub fn paths(&self) -> [&Path; 2] {
        [&self.chain, &self.key]
    }
}

impl fmt::Debug for EntryFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryFiles")
            .field("chain", &self.chain)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
