//! Tickets in a file, for programs that run for a moment.
//!
//! Every change is a new file that takes the old one's place, under a lock of the operating system: whatever happens in
//! between, the old tickets are there or the new ones, and no ticket is taken twice, unless the machine itself stops and
//! its file system comes back as it was before.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use zeroize::Zeroizing;

use super::{SessionStore, TICKETS_EACH};
use crate::policy::{Clock, SystemClock};
use crate::psk::{SessionKey, Ticket};
use crate::wire::{Reader, U24, Writer};

/// What the file begins with; another format has another line.
const MAGIC: &[u8] = b"symbolon sessions 1\n";

/// How many tickets the file holds.
const MOST: usize = 256;

/// How long the file is, in bytes.
const LONGEST: usize = 1 << 20;

/// How often another process is waited for, and how long each time: a second in all.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// Tickets in a file that its owner alone may read: at most 256 tickets and 1 MiB, 4 tickets for each server, of which
/// the newest is taken first. Processes may share the file. Each call reads and writes it.
///
/// Beside the file there are, by the names of the file with an ending, `.lock`, which stays, and for a moment `.new`.
///
/// A store cannot fail a connection: what goes wrong with the file costs a ticket, and [`FileSessions::trouble`] tells.
///
/// ```no_run
/// use std::sync::Arc;
/// use symbolon::policy::FileSessions;
///
/// let sessions = FileSessions::open("/home/me/.cache/fetch/sessions")?;
/// if let Some(trouble) = sessions.trouble() {
///     eprintln!("{trouble}");
/// }
/// let sessions = Arc::new(sessions); // for a client's policy
/// # Ok::<(), symbolon::policy::SessionFileError>(())
/// ```
pub struct FileSessions {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    /// How often another process is waited for.
    tries: u32,
    /// What went wrong last. It is held during each call, so that threads need not wait for each other's file lock.
    trouble: Mutex<Option<SessionFileError>>,
}

/// What can be wrong with a file of tickets.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionFileError {
    /// Others may read or write it, or it is theirs: whoever read it can resume the sessions, and whoever wrote it can be
    /// taken for a server.
    Exposed(PathBuf),
    /// It is not what this library wrote, or longer. It counts as empty, and the next ticket replaces it.
    Damaged(PathBuf),
    /// Another process did not let go of it for a second.
    Locked(PathBuf),
    /// The operating system refused.
    Io(PathBuf, io::Error),
}

impl FileSessions {
    /// Keeps tickets in the file at `path`, which need not exist yet; its folder must, and nobody else may write to it.
    ///
    /// # Errors
    ///
    /// [`SessionFileError::Exposed`], [`SessionFileError::Locked`] and [`SessionFileError::Io`]. A damaged file is an
    /// empty store, of which [`FileSessions::trouble`] tells.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, SessionFileError> {
        let (clock, trouble) = (Arc::new(SystemClock), Mutex::new(None));
        let sessions = Self { path: path.into(), clock, tries: TRIES, trouble };
        let mut trouble = None;
        let loaded = sessions.locked().and_then(|_lock| sessions.load(&mut trouble));
        loaded?;
        Ok(Self { trouble: Mutex::new(trouble), ..sessions })
    }

    /// Tells by this clock instead of the system's which tickets have expired.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What went wrong last, once.
    #[must_use]
    pub fn trouble(&self) -> Option<SessionFileError> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Changes the tickets: `change` says what is to be given back once the file has changed, or that it need not.
    fn change<V>(&self, change: impl FnOnce(&mut Vec<Ticket>) -> Change<V>) -> Option<V> {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = self.try_change(change, &mut trouble);
        changed.unwrap_or_else(|error| {
            *trouble = Some(error);
            None
        })
    }

    fn try_change<V>(
        &self,
        change: impl FnOnce(&mut Vec<Ticket>) -> Change<V>,
        trouble: &mut Option<SessionFileError>,
    ) -> Result<Option<V>, SessionFileError> {
        let _lock = self.locked()?;
        let mut tickets = self.load(trouble)?;
        let now = self.clock.moment();
        tickets.retain(|ticket| now < ticket.expires());
        match change(&mut tickets) {
            Change::None => Ok(None),
            Change::Made(value) => {
                let encoded = encode(&tickets);
                self.replace(|file| file.write_all(&encoded))?;
                Ok(Some(value))
            }
        }
    }

    /// Keeps other processes away until the file is dropped; the end of a process ends its lock.
    fn locked(&self) -> Result<File, SessionFileError> {
        let path = self.beside("lock");
        let file = private().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| SessionFileError::Io(path.clone(), error))?;
        for _ in 0..self.tries {
            // The standard library's own lock is younger than the oldest Rust that is supported here.
            match fs4::FileExt::try_lock(&file) {
                Ok(()) => return Ok(file),
                Err(fs4::TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(fs4::TryLockError::Error(error)) => return Err(SessionFileError::Io(path, error)),
            }
        }
        Err(SessionFileError::Locked(self.path.clone()))
    }

    /// The tickets in the file, the newest last. A damaged file has none, and is trouble.
    fn load(&self, trouble: &mut Option<SessionFileError>) -> Result<Vec<Ticket>, SessionFileError> {
        let refused = |error| SessionFileError::Io(self.path.clone(), error);
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(refused(error)),
        };
        let metadata = file.metadata().map_err(refused)?;
        if !metadata.is_file() {
            return Err(refused(io::Error::new(ErrorKind::InvalidInput, "not a file")));
        }
        if is_exposed(&metadata, us()) {
            return Err(SessionFileError::Exposed(self.path.clone()));
        }
        // Room for all of it: growing would leave copies of keys behind.
        let room = usize::try_from(metadata.len()).unwrap_or(LONGEST).min(LONGEST).saturating_add(1);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        let read = file.take(u64::try_from(room).unwrap_or(u64::MAX)).read_to_end(&mut bytes);
        read.map_err(refused)?;
        Ok(decode(&bytes).unwrap_or_else(|| {
            *trouble = Some(SessionFileError::Damaged(self.path.clone()));
            Vec::new()
        }))
    }

    /// Puts a new file in the old one's place, once everything was written.
    fn replace(&self, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), SessionFileError> {
        let new = self.beside("new");
        // What a process left behind that ended here.
        let _ = fs::remove_file(&new);
        let written = private().create_new(true).write(true).open(&new).and_then(|mut file| {
            write(&mut file)?;
            // Some file systems tell only now that the disk is full.
            file.sync_data()?;
            drop(file);
            fs::rename(&new, &self.path)
        });
        written.map_err(|error| {
            let _ = fs::remove_file(&new);
            SessionFileError::Io(self.path.clone(), error)
        })
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(ending);
        name.into()
    }
}

/// What becomes of the file.
enum Change<V> {
    None,
    Made(V),
}

impl SessionStore for FileSessions {
    fn put(&self, ticket: Ticket) {
        self.change(|tickets| {
            while tickets.iter().filter(|other| other.key() == ticket.key()).count() >= TICKETS_EACH {
                let Some(oldest) = tickets.iter().position(|other| other.key() == ticket.key()) else {
                    break;
                };
                drop(tickets.remove(oldest));
            }
            if tickets.len() >= MOST {
                drop(tickets.remove(0));
            }
            tickets.push(ticket);
            Change::Made(())
        });
    }

    fn take(&self, key: &SessionKey) -> Option<Ticket> {
        self.change(|tickets| match tickets.iter().rposition(|ticket| ticket.key() == key) {
            Some(newest) => Change::Made(tickets.remove(newest)),
            None => Change::None,
        })
    }
}

/// The newest tickets that fit.
fn encode(tickets: &[Ticket]) -> Zeroizing<Vec<u8>> {
    let mut left = LONGEST.saturating_sub(MAGIC.len());
    let mut encoded: Vec<_> = tickets
        .iter()
        .rev()
        .filter_map(|ticket| ticket.encode().ok())
        .take_while(|ticket| match left.checked_sub(ticket.len().saturating_add(3)) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        })
        .collect();
    encoded.reverse();
    let mut out = Zeroizing::new(Vec::with_capacity(LONGEST.saturating_sub(left)));
    let mut w = Writer::new(&mut out);
    w.bytes(MAGIC);
    for ticket in encoded {
        // None is that long.
        let _ = w.vec::<U24>(&ticket);
    }
    out
}

/// Reads back what [`encode`] wrote, whole or not at all.
fn decode(bytes: &[u8]) -> Option<Vec<Ticket>> {
    if bytes.len() > LONGEST {
        return None;
    }
    let mut r = Reader::new(bytes.strip_prefix(MAGIC)?);
    let mut tickets = Vec::new();
    while !r.is_empty() {
        tickets.push(Ticket::decode(r.vec::<U24>().ok()?)?);
    }
    Some(tickets)
}

/// How files are opened that nobody else may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The user that new files belong to.
#[cfg(unix)]
fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Other systems have no such numbers.
#[cfg(not(unix))]
fn us() -> u32 {
    0
}

/// Whether others than user `us` may read or write it.
#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata, us: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    // A ticket is as good as a certificate: root must not take those that a user left for it.
    metadata.mode() & 0o077 != 0 || metadata.uid() != us
}

/// Other systems have no such notion; the folder's own rules protect the file.
#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata, _: u32) -> bool {
    false
}

impl fmt::Display for SessionFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |path: &Path| alloc::format!("the session file {}", path.display());
        match self {
            Self::Exposed(path) => write!(
                f,
                "{} belongs to or may be read by others, who can resume its sessions; delete it, or forbid that (chmod 600)",
                at(path)
            ),
            Self::Damaged(path) => write!(f, "{} is damaged; it counts as empty", at(path)),
            Self::Locked(path) => write!(f, "{} is in use by another process", at(path)),
            Self::Io(path, error) => write!(f, "{}: {error}", at(path)),
        }
    }
}

impl core::error::Error for SessionFileError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Debug for FileSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSessions").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NONE, SetClock, drain, ticket};
    use super::*;
    use core::sync::atomic::{AtomicU32, Ordering};

    /// A folder of a test's own, gone with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = alloc::format!("symbolon-sessions-{}-{number}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir(&folder).unwrap();
            Self(folder)
        }

        fn path(&self) -> PathBuf {
            self.0.join("sessions")
        }

        /// The store at 0 o'clock, as another process would open it.
        fn open(&self) -> FileSessions {
            FileSessions::open(self.path()).unwrap().with_clock(Arc::new(SetClock::default()))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn tickets_outlive_the_process_and_none_is_taken_twice() {
        let folder = Folder::new();
        for label in 1..=5 {
            folder.open().put(ticket("a.example", label, 100));
        }
        folder.open().put(ticket("b.example", 9, 100));
        assert_eq!(drain(&folder.open(), "a.example"), [5, 4, 3, 2]);
        assert_eq!(drain(&folder.open(), "b.example"), [9]);
        assert!(folder.open().trouble().is_none());
    }

    #[test]
    fn expired_tickets_are_not_given_and_leave_with_the_next_change() {
        let folder = Folder::new();
        let clock = SetClock::default();
        let store = folder.open().with_clock(Arc::new(clock.clone()));
        store.put(ticket("short.example", 1, 10));
        *clock.0.lock().unwrap() = 10;
        assert_eq!(drain(&store, "short.example"), NONE);
        store.put(ticket("long.example", 2, 100));
        assert_eq!(decode(&fs::read(folder.path()).unwrap()).unwrap().len(), 1);
    }

    #[test]
    fn the_oldest_go_first_when_there_are_too_many_or_too_much() {
        let folder = Folder::new();
        let names: Vec<&'static str> = (0..=MOST).map(|n| &*alloc::format!("n{n}.example").leak()).collect();
        let tickets: Vec<Ticket> = names[1..].iter().map(|name| ticket(name, 1, 100)).collect();
        let store = folder.open();
        store.put(ticket(names[0], 1, 100));
        store.replace(|file| file.write_all(&encode(&tickets))).unwrap();
        store.put(ticket(names[0], 2, 100));
        assert_eq!(drain(&store, names[1]), NONE);
        assert_eq!((drain(&store, names[0]), drain(&store, names[2])), ([2].into(), [1].into()));

        let one = ticket("a.example", 1, 100).encode().unwrap().len();
        let many: Vec<Ticket> =
            (0..=LONGEST / one).map(|n| ticket("a.example", u8::try_from(n % 251).unwrap(), 100)).collect();
        let encoded = encode(&many);
        assert!(encoded.len() <= LONGEST && encoded.len() > LONGEST - 2 * one);
        let kept = decode(&encoded).unwrap();
        assert_eq!(kept.last().unwrap().max_early_data(), many.last().unwrap().max_early_data());
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        folder.open().put(ticket("a.example", 1, 100));
        let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o600);
        let store = folder.open();
        for exposed in [0o640, 0o604, 0o620] {
            mode(exposed);
            let error = FileSessions::open(folder.path()).unwrap_err();
            assert!(alloc::format!("{error}").contains("chmod 600"));
            assert!(store.take(ticket("a.example", 1, 1).key()).is_none());
            store.put(ticket("a.example", 2, 100));
            assert!(matches!(store.trouble(), Some(SessionFileError::Exposed(_))));
        }
        mode(0o600);
        assert_eq!(drain(&store, "a.example"), [1]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_another_user_is_exposed() {
        let folder = Folder::new();
        folder.open().put(ticket("a.example", 1, 100));
        let metadata = fs::metadata(folder.path()).unwrap();
        assert!(!is_exposed(&metadata, us()));
        assert!(is_exposed(&metadata, us() + 1));
    }

    #[test]
    fn a_damaged_file_is_an_empty_store_and_is_told_of() {
        let folder = Folder::new();
        folder.open().put(ticket("a.example", 1, 100));
        let whole = fs::read(folder.path()).unwrap();
        let longer = Vec::from([0; LONGEST + 1]);
        let half = MAGIC.len() + (whole.len() - MAGIC.len()) / 2;
        for damaged in [&whole[1..], &whole[..half], &longer, b""] {
            // Written over, so that the mode stays.
            fs::write(folder.path(), damaged).unwrap();
            let store = folder.open();
            assert!(matches!(store.trouble(), Some(SessionFileError::Damaged(_))));
            assert!(store.trouble().is_none(), "told once");
            assert_eq!(drain(&store, "a.example"), NONE);
            store.put(ticket("a.example", 2, 100));
            assert_eq!(drain(&folder.open(), "a.example"), [2]);
        }
    }

    #[test]
    fn a_write_that_fails_halfway_loses_nothing_and_gives_nothing() {
        let folder = Folder::new();
        let store = folder.open();
        store.put(ticket("a.example", 1, 100));
        let full = |file: &mut File| {
            file.write_all(MAGIC)?;
            Err(ErrorKind::StorageFull.into())
        };
        assert!(matches!(store.replace(full), Err(SessionFileError::Io(..))));
        assert!(!store.beside("new").exists());
        // The same for whole calls: what cannot be written back is not given either.
        fs::create_dir(store.beside("new")).unwrap();
        assert!(store.take(ticket("a.example", 1, 1).key()).is_none());
        assert!(matches!(store.trouble(), Some(SessionFileError::Io(..))));
        store.put(ticket("a.example", 2, 100));
        fs::remove_dir(store.beside("new")).unwrap();
        assert_eq!(drain(&store, "a.example"), [1]);
    }

    #[test]
    fn what_another_process_left_behind_is_replaced() {
        let folder = Folder::new();
        let store = folder.open();
        fs::write(store.beside("new"), b"half a fi").unwrap();
        store.put(ticket("a.example", 1, 100));
        assert_eq!(drain(&store, "a.example"), [1]);
    }

    #[test]
    fn processes_at_once_neither_damage_the_file_nor_share_a_ticket() {
        let folder = Folder::new();
        let writing = |first: u8, store: FileSessions| {
            let labels = first..first + 4;
            labels.clone().for_each(|label| {
                let name = ["a.example", "b.example", "c.example", "d.example"][usize::from(label % 4)];
                store.put(ticket(name, label, 100));
            });
            let mut taken = drain(&store, "a.example");
            taken.extend(drain(&store, "b.example"));
            assert!(store.trouble().is_none());
            taken
        };
        let mut taken: Vec<u32> = thread::scope(|scope| {
            let writing = &writing;
            let threads = [0, 4, 8, 12].map(|first| {
                // However slow the disk is.
                let store = FileSessions { tries: u32::MAX, ..folder.open() };
                scope.spawn(move || writing(first, store))
            });
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let rest = folder.open();
        taken.extend(
            ["a.example", "b.example", "c.example", "d.example"].map(|name| drain(&rest, name)).concat(),
        );
        taken.sort_unstable();
        assert_eq!(taken, (0..16).collect::<Vec<_>>());
    }

    #[test]
    fn a_file_that_another_process_holds_is_not_waited_for_without_end() {
        let folder = Folder::new();
        let (holder, store) = (folder.open(), FileSessions { tries: 1, ..folder.open() });
        holder.put(ticket("a.example", 1, 100));
        let lock = holder.locked().unwrap();
        assert!(store.take(ticket("a.example", 1, 1).key()).is_none());
        assert!(matches!(store.trouble(), Some(SessionFileError::Locked(_))));
        drop(lock);
        assert_eq!(drain(&store, "a.example"), [1]);
    }
}
