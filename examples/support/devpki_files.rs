//! Certificates and keys in a folder: made whole or not at all, and never written over by accident.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use symbolon::crypto::Provider;
use symbolon::policy::{certificates_from_file, credential_from_files};

use super::Fallible;
use super::devpki::Key;

/// What becomes of files that are there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    Kept,
    Replaced,
}

/// Who may read a file.
#[derive(Clone, Copy)]
enum Readers {
    Anybody,
    OwnerAlone,
}

/// Certificates, and the key of the first one.
pub struct Pair {
    pub certificates: PathBuf,
    pub key: PathBuf,
}

/// What of a pair is there.
pub enum Found {
    Nothing,
    /// A run before was cut short; the key has no certificate yet.
    Key(Key),
    Both(Vec<CertificateDer<'static>>, Key),
}

impl Pair {
    pub fn new(folder: &Path, certificates: &str, key: &str) -> Self {
        Self { certificates: folder.join(certificates), key: folder.join(key) }
    }

    /// Reads what is there, which must fit together.
    pub fn find(&self, provider: &Provider) -> Fallible<Found> {
        match (exists(&self.certificates)?, exists(&self.key)?) {
            (false, false) => Ok(Found::Nothing),
            (false, true) => Ok(Found::Key(self.load_key(provider)?)),
            (true, false) => {
                let (there, missing) = (self.certificates.display(), self.key.display());
                Err(format!("{there} is there, but its key {missing} is not").into())
            }
            (true, true) => {
                let key = self.load_key(provider)?;
                credential_from_files(provider, &self.certificates, &self.key)?;
                Ok(Found::Both(certificates_from_file(&self.certificates)?, key))
            }
        }
    }

    fn load_key(&self, provider: &Provider) -> Fallible<Key> {
        let wrong = |why: &dyn Display| format!("{}: {why}", self.key.display());
        let der = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| wrong(&error))?;
        Ok(Key::load(provider, der).map_err(|error| wrong(&error))?)
    }

    /// Writes the key, unless it is there already, and then the certificates. Whatever may fail for want of space or
    /// permission does so before the first of them appears.
    pub fn write(
        &self,
        provider: &Provider,
        certificates: &str,
        key: Option<&str>,
        existing: Existing,
    ) -> Fallible<()> {
        let certificates = Aside::write(provider, &self.certificates, Readers::Anybody, certificates)?;
        let key = key.map(|key| Aside::write(provider, &self.key, Readers::OwnerAlone, key)).transpose()?;
        key.map_or(Ok(()), |key| key.publish(existing))?;
        certificates.publish(existing)
    }
}

/// A file that is whole, beside the place where it shall be; gone with this value if it never gets there.
struct Aside<'a> {
    path: PathBuf,
    target: &'a Path,
}

impl<'a> Aside<'a> {
    fn write(provider: &Provider, target: &'a Path, readers: Readers, text: &str) -> Fallible<Self> {
        let mut random = [0; 8];
        provider.rng.fill(&mut random)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.{:016x}", u64::from_ne_bytes(random)));
        let aside = Self { path, target };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        limit(&mut options, readers);
        options
            .open(&aside.path)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .map_err(|error| aside.failed(&error))?;
        Ok(aside)
    }

    fn publish(self, existing: Existing) -> Fallible<()> {
        let published = match existing {
            Existing::Replaced => fs::rename(&self.path, self.target),
            Existing::Kept => match fs::hard_link(&self.path, self.target) {
                // A file system without links.
                Err(error) if error.kind() != ErrorKind::AlreadyExists && !self.target.exists() => {
                    fs::rename(&self.path, self.target)
                }
                linked => linked,
            },
        };
        published.map_err(|error| self.failed(&error))?;
        // The name shall last as the content does; where folders cannot be opened, that is not for us to say.
        let folder = self.target.parent().and_then(|folder| File::open(folder).ok());
        Ok(folder.map_or(Ok(()), |folder| folder.sync_all()).map_err(|error| self.failed(&error))?)
    }

    fn failed(&self, error: &io::Error) -> String {
        format!("{} cannot be written: {error}", self.target.display())
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes the folder if it is not there.
pub fn make_folder(path: &Path) -> Fallible<()> {
    Ok(fs::create_dir_all(path).map_err(|error| format!("{} cannot be made: {error}", path.display()))?)
}

fn exists(path: &Path) -> Fallible<bool> {
    Ok(path.try_exists().map_err(|error| format!("{} cannot be looked at: {error}", path.display()))?)
}

#[cfg(unix)]
fn limit(options: &mut OpenOptions, readers: Readers) {
    let mode = match readers {
        Readers::Anybody => 0o644,
        Readers::OwnerAlone => 0o600,
    };
    std::os::unix::fs::OpenOptionsExt::mode(options, mode);
}

/// The folder decides.
#[cfg(not(unix))]
fn limit(_: &mut OpenOptions, _: Readers) {}
