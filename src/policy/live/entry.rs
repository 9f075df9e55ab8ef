//! One credential of a store: what it is called, whom it serves, and what was declared about it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use std::path::Path;

use super::super::credentials::{LoadError, credential_from_files, credential_from_pem};
use crate::config::Credential;
use crate::crypto::Provider;

/// One credential of a [`CredentialStore`](super::CredentialStore). Cheap to clone.
#[derive(Clone)]
pub struct Entry {
    pub(super) name: String,
    pub(super) credential: Credential,
    pub(super) names: Served,
    pub(super) place: super::choice::Place,
    pub(super) top: Top,
}

/// For which names a server uses it.
#[derive(Clone)]
pub(super) enum Served {
    /// The DNS names of its leaf.
    OfLeaf,
    Given(Vec<String>),
}

/// Who issued the last certificate of the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Top {
    /// A root, if there is more than the leaf.
    Inferred,
    /// A root, by declaration.
    Root,
}

impl Entry {
    /// An entry called `name`, by which it can be replaced; errors name it.
    #[must_use]
    pub fn new(name: impl Into<String>, credential: Credential) -> Self {
        Self {
            name: name.into(),
            credential,
            names: Served::OfLeaf,
            place: super::choice::Place::Ordinary,
            top: Top::Inferred,
        }
    }

    /// From two files: the chain, leaf first, and its private key; each PEM or DER. It is called like the chain's file.
    ///
    /// # Errors
    ///
    /// [`LoadError`] names the file and says what was found instead of what.
    pub fn from_files(
        provider: &Provider,
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, LoadError> {
        let chain = chain.as_ref();
        Ok(Self::new(chain.display().to_string(), credential_from_files(provider, chain, key)?))
    }

    /// From the bytes of a chain, leaf first, and of its private key; each PEM or DER.
    ///
    /// # Errors
    ///
    /// [`LoadError`] says what was found instead of what.
    pub fn from_pem(
        name: impl Into<String>,
        provider: &Provider,
        chain: &[u8],
        key: &[u8],
    ) -> Result<Self, LoadError> {
        let name = name.into();
        let credential = credential_from_pem(provider, chain, key).map_err(|error| error.of_entry(&name))?;
        Ok(Self::new(name, credential))
    }

    /// Serves clients that ask for these DNS names, a wildcard such as `*.example.test` included, instead of those of the
    /// leaf.
    #[must_use]
    pub fn for_names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = Served::Given(names.into_iter().map(Into::into).collect());
        self
    }

    /// Serves clients that ask for no name, or for one that no entry has. Without any such entry the first one does.
    #[must_use]
    pub fn as_fallback(mut self) -> Self {
        self.place = super::choice::Place::Fallback;
        self
    }

    /// Says that the last certificate of the chain was issued by a root, which peers have: a leaf may come alone.
    #[must_use]
    pub fn under_root(mut self) -> Self {
        self.top = Top::Root;
        self
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The credential.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        &self.credential
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}
