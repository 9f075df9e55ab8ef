//! Reloads credentials and trust when their files change.
//!
//! One thread looks at directories, not at files: certificates are replaced by renaming, and mounts of Kubernetes by
//! exchanging a link. What cannot be right is reported, the last good state stays, and the next change is another try.

mod changes;
mod task;

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use rustls_pki_types::CertificateDer;

use self::changes::Changes;
use self::task::{Signal, Target, Task};
use super::credentials::{LoadError, certificates_from_file};
use super::live::{CredentialStore, EntryFiles, TrustStore};
use crate::crypto::Provider;
use crate::pki::{Verifier, VerifyError};

/// How long it must be quiet before files are read: several are written one after the other.
const QUIET: Duration = Duration::from_millis(200);

/// How often files are looked at without any event: network file systems tell nothing.
const POLL: Duration = Duration::from_secs(60);

/// What came of reading files again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reloaded {
    /// The files.
    pub paths: Vec<PathBuf>,
    /// The generation that is served now, or why the last good one stays.
    pub result: Result<u64, LoadError>,
}

/// Watches files for as long as it lives; dropping it ends its thread.
///
/// ```no_run
/// # #[cfg(feature = "rustcrypto")] {
/// use symbolon::crypto::rustcrypto::provider;
/// use symbolon::policy::{CredentialStore, EntryFiles, watch::Watch};
///
/// let files = EntryFiles::new("/etc/tls/tls.crt", "/etc/tls/tls.key");
/// let store = CredentialStore::new(provider(), [files.load(&provider())?])?;
/// let _watch = Watch::builder()
///     .credentials(&store, [files], provider())
///     .report(|reloaded| eprintln!("{reloaded:?}"))
///     .start()?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Watch {
    signals: Sender<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Says what to watch.
    #[must_use]
    pub fn builder() -> WatchBuilder {
        WatchBuilder {
            targets: Vec::new(),
            quiet: QUIET,
            poll: POLL,
            noticing: Noticing::Events,
            report: Box::new(|_| {}),
        }
    }

    /// Looks at the files now, as when one of them had changed.
    pub fn look(&self) {
        // Without its thread there is nobody to look.
        let _ = self.signals.send(Signal::Look);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.signals.send(Signal::Stop);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A report that panicked ended the thread already.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// How changes are noticed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Noticing {
    Events,
    Polling,
}

/// Says what a [`Watch`] watches.
pub struct WatchBuilder {
    targets: Vec<Target>,
    quiet: Duration,
    poll: Duration,
    noticing: Noticing,
    report: Box<dyn FnMut(Reloaded) + Send>,
}

impl WatchBuilder {
    /// Has `store` serve what these files hold, all of it together.
    #[must_use]
    pub fn credentials(
        self,
        store: &CredentialStore,
        files: impl IntoIterator<Item = EntryFiles>,
        provider: Provider,
    ) -> Self {
        let (store, files) = (store.clone(), files.into_iter().collect::<Vec<EntryFiles>>());
        let paths: Vec<PathBuf> = files.iter().flat_map(EntryFiles::paths).map(Path::to_path_buf).collect();
        self.reloading(paths, move || {
            let entries: Result<Vec<_>, _> = files.iter().map(|files| files.load(&provider)).collect();
            store.replace(entries?)
        })
    }

    /// Has `trust` trust the roots in these files, by the verifier that `verifier` makes of them.
    #[must_use]
    pub fn roots<P: Into<PathBuf>>(
        self,
        trust: &TrustStore,
        files: impl IntoIterator<Item = P>,
        verifier: impl Fn(Vec<CertificateDer<'static>>) -> Result<Verifier, VerifyError> + Send + 'static,
    ) -> Self {
        let trust = trust.clone();
        let paths: Vec<PathBuf> = files.into_iter().map(Into::into).collect();
        let files = paths.clone();
        self.reloading(paths, move || {
            let mut roots = Vec::new();
            for file in &files {
                roots.extend(certificates_from_file(file)?);
            }
            trust.replace(verifier(roots).map_err(|error| LoadError::new(error.to_string()))?)
        })
    }

    /// Calls `reload` when one of these files has changed, and as long as it fails at every further event. It gives the
    /// generation that is served now.
    #[must_use]
    pub fn reloading<P: Into<PathBuf>>(
        mut self,
        files: impl IntoIterator<Item = P>,
        reload: impl FnMut() -> Result<u64, LoadError> + Send + 'static,
    ) -> Self {
        self.targets.push(Target::new(files.into_iter().map(Into::into).collect(), Box::new(reload)));
        self
    }

    /// Tells what came of each reload, on the watch's thread.
    #[must_use]
    pub fn report(mut self, report: impl FnMut(Reloaded) + Send + 'static) -> Self {
        self.report = Box::new(report);
        self
    }

    /// How long it must be quiet after an event before files are read; by default 200 ms. After ten times as long they are
    /// read anyway.
    #[must_use]
    pub fn quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// How often files are looked at without any event; by default every minute.
    #[must_use]
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.poll = interval;
        self
    }

    /// Notices changes by looking alone, where events are of no use.
    #[must_use]
    pub fn polling_only(mut self) -> Self {
        self.noticing = Noticing::Polling;
        self
    }

    /// Begins to watch, with a reload: nothing is missed that was written since the files were loaded first.
    ///
    /// # Errors
    ///
    /// Those of the operating system, which starts no thread or gives no events.
    pub fn start(self) -> std::io::Result<Watch> {
        let Self { targets, quiet, poll, noticing, report } = self;
        let (signals, received) = channel();
        let changes = match noticing {
            Noticing::Events => Some(Changes::told_to(signals.clone()).map_err(std::io::Error::other)?),
            Noticing::Polling => None,
        };
        let task = Task::new(targets, received, changes, quiet, poll, report);
        let thread = std::thread::Builder::new().name("symbolon-watch".into()).spawn(move || task.run())?;
        Ok(Watch { signals, thread: Some(thread) })
    }
}

impl fmt::Debug for WatchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<&Arc<[PathBuf]>> = self.targets.iter().map(Target::paths).collect();
        f.debug_struct("WatchBuilder").field("paths", &paths).finish_non_exhaustive()
    }
}
