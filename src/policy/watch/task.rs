//! The thread of a watch: waits for events, reads what changed, and reloads it.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use zeroize::Zeroizing;

use super::Reloaded;
use super::changes::Changes;
use crate::policy::LoadError;

/// After how many quiet periods files are read although it is not quiet.
const PATIENCE: u32 = 10;

/// What the thread is told.
pub(super) enum Signal {
    /// Something changed in a directory.
    Event,
    /// The owner wants to know.
    Look,
    /// The owner is gone.
    Stop,
}

/// Files, and what is done when they change.
pub(super) struct Target {
    paths: Arc<[PathBuf]>,
    reload: Box<dyn FnMut() -> Result<u64, LoadError> + Send>,
    /// What the files held when they were last loaded.
    loaded: Option<u64>,
    /// What they held when a reload last failed, and how.
    failed: Option<(u64, String)>,
}

impl Target {
    pub(super) fn new(
        paths: Vec<PathBuf>,
        reload: Box<dyn FnMut() -> Result<u64, LoadError> + Send>,
    ) -> Self {
        Self { paths: paths.into(), reload, loaded: None, failed: None }
    }

    pub(super) fn paths(&self) -> &Arc<[PathBuf]> {
        &self.paths
    }

    /// Reloads the files if they hold something else than what was loaded. The same failure is told once.
    fn look(&mut self) -> Option<Reloaded> {
        let held = content(&self.paths);
        if self.loaded == Some(held) {
            self.failed = None;
            return None;
        }
        let result = (self.reload)();
        let paths = self.paths.to_vec();
        match &result {
            Ok(_) => {
                // What was written between the two looks is met at its own event.
                (self.loaded, self.failed) = (Some(held), None);
                Some(Reloaded { paths, result })
            }
            Err(error) => {
                let failure = Some((held, error.to_string()));
                let known = self.failed == failure;
                self.failed = failure;
                (!known).then_some(Reloaded { paths, result })
            }
        }
    }
}

pub(super) struct Task {
    targets: Vec<Target>,
    signals: Receiver<Signal>,
    changes: Option<Changes>,
    quiet: Duration,
    poll: Duration,
    report: Box<dyn FnMut(Reloaded) + Send>,
}

impl Task {
    pub(super) fn new(
        targets: Vec<Target>,
        signals: Receiver<Signal>,
        changes: Option<Changes>,
        quiet: Duration,
        poll: Duration,
        report: Box<dyn FnMut(Reloaded) + Send>,
    ) -> Self {
        Self { targets, signals, changes, quiet, poll, report }
    }

    /// Until the owner is gone. Begins with a look: what was loaded before is known to nobody here.
    pub(super) fn run(mut self) {
        loop {
            // Directories first: what changes from here on is told.
            if let Some(changes) = &mut self.changes {
                changes.follow(self.targets.iter().flat_map(|target| target.paths.iter()));
            }
            for target in &mut self.targets {
                if let Some(reloaded) = target.look() {
                    (self.report)(reloaded);
                }
            }
            if !self.wait() {
                return;
            }
        }
    }

    /// Waits for a reason to look; whether there will be more.
    fn wait(&self) -> bool {
        match self.signals.recv_timeout(self.poll) {
            Ok(Signal::Look) | Err(RecvTimeoutError::Timeout) => return true,
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
            Ok(Signal::Event) => {}
        }
        let began = Instant::now();
        let patience = self.quiet.saturating_mul(PATIENCE);
        loop {
            match self.signals.recv_timeout(self.quiet) {
                Ok(Signal::Event) if began.elapsed() < patience => {}
                Ok(Signal::Event | Signal::Look) | Err(RecvTimeoutError::Timeout) => return true,
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }
}

/// A number that tells whether files hold something else; a file that cannot be read holds nothing.
fn content(paths: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        match feed(&mut hasher, path) {
            Ok(len) => hasher.write_u64(len),
            Err(_) => hasher.write_u64(u64::MAX),
        }
    }
    hasher.finish()
}

fn feed(hasher: &mut DefaultHasher, path: &Path) -> std::io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = Zeroizing::new([0; 4096]);
    let mut total: u64 = 0;
    loop {
        let read = file.read(&mut buffer[..])?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(total);
        }
        hasher.write(bytes);
        total = total.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
}
