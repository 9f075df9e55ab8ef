//! Events of the operating system for the directories of files. The only file that knows `notify`.

use alloc::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::task::Signal;

/// Tells when something changes in the directories that it follows.
pub(super) struct Changes {
    watcher: RecommendedWatcher,
    followed: BTreeSet<PathBuf>,
}

impl Changes {
    pub(super) fn told_to(signals: Sender<Signal>) -> Result<Self, notify::Error> {
        let watcher = notify::recommended_watcher(move |event: Result<Event, notify::Error>| {
            // An error means that events may be missing: look.
            if event.map_or(true, |event| changes(event.kind)) {
                let _ = signals.send(Signal::Event);
            }
        })?;
        Ok(Self { watcher, followed: BTreeSet::new() })
    }

    /// Follows the directories of these files from now on, those that links lead to included.
    pub(super) fn follow<'a>(&mut self, files: impl Iterator<Item = &'a PathBuf>) {
        let wanted: BTreeSet<PathBuf> = files.flat_map(|file| directories(file)).collect();
        for gone in self.followed.difference(&wanted) {
            let _ = self.watcher.unwatch(gone);
        }
        // A directory may be another one of the same name since: it is followed anew each time. One that is not there is
        // tried again at the next look.
        self.followed = wanted
            .into_iter()
            .filter(|directory| self.watcher.watch(directory, RecursiveMode::NonRecursive).is_ok())
            .collect();
    }
}

/// Reading is no change; our own would go on forever.
fn changes(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

/// Where a file is, and where it is in truth.
fn directories(file: &Path) -> impl Iterator<Item = PathBuf> {
    let parent = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let resolved = std::fs::canonicalize(file).ok().map(|file| parent(&file));
    [parent(file)].into_iter().chain(resolved)
}
