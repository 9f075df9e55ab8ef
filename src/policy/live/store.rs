//! The store of credentials: several at once, chosen for each peer, exchanged while connections run.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls_pki_types::UnixTime;

use super::super::credentials::LoadError;
use super::super::{Clock, SystemClock};
use super::check::{Checks, Completeness};
use super::choice::{Choice, Listed};
use super::entry::{Entry, Served};
use super::expiry::{Expiry, Renewal, expiries_of};
use super::generation::{GenerationStatus, History, Tally};
use crate::config::Credential;
use crate::crypto::Provider;

/// Credentials that policies serve, exchanged while connections run. Cheap to clone; clones are the same store.
///
/// New handshakes take the newest generation, running connections end with theirs. Nothing waits for anything: a handshake
/// takes no lock.
///
/// ```no_run
/// # #[cfg(feature = "rustcrypto")] {
/// use symbolon::crypto::rustcrypto::provider;
/// use symbolon::policy::{CredentialStore, Entry};
///
/// let load = || Entry::from_files(&provider(), "tls.crt", "tls.key");
/// let store = CredentialStore::new(provider(), [load()?])?;
/// // Later, when the files were renewed; what is wrong is refused, and the last good generation stays.
/// if let Err(error) = load().and_then(|entry| store.replace([entry])) {
///     eprintln!("{error}");
/// }
/// for generation in store.generations() {
///     println!("{}: {} connections", generation.number, generation.connections);
/// }
/// # }
/// # Ok::<(), symbolon::policy::LoadError>(())
/// ```
#[derive(Clone)]
pub struct CredentialStore(Arc<Inner>);

struct Inner {
    provider: Provider,
    clock: Arc<dyn Clock>,
    completeness: Completeness,
    current: ArcSwap<Snapshot>,
    /// Held by who exchanges or asks, never by a handshake.
    history: Mutex<History>,
}

/// A generation as handshakes see it.
struct Snapshot {
    entries: Vec<Entry>,
    choice: Choice,
    tally: Arc<Tally>,
}

impl CredentialStore {
    /// A store of these entries, the most preferred one first, by the system's clock and with
    /// [`Completeness::Linked`].
    ///
    /// # Errors
    ///
    /// As [`CredentialStore::replace`].
    pub fn new(provider: Provider, entries: impl IntoIterator<Item = Entry>) -> Result<Self, LoadError> {
        Self::builder(provider).build(entries)
    }

    /// Says how entries are checked.
    #[must_use]
    pub fn builder(provider: Provider) -> CredentialStoreBuilder {
        let (clock, completeness) = (Arc::new(SystemClock), Completeness::default());
        CredentialStoreBuilder { provider, clock, completeness }
    }

    /// Serves these entries from now on, the most preferred one first, and gives the number of the new generation.
    ///
    /// # Errors
    ///
    /// [`LoadError`] says which entry is refused and why: no entry at all, two of one name, a key that does not belong to
    /// its leaf, a certificate that is expired or not yet valid, a chain that lacks an issuer, an OCSP response that is stale
    /// or of another certificate. The last good generation stays.
    pub fn replace(&self, entries: impl IntoIterator<Item = Entry>) -> Result<u64, LoadError> {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let checks = self.0.checks();
        entries.iter().try_for_each(|entry| checks.check(entry))?;
        let mut history = self.0.history();
        self.0.exchange(entries, &mut history)
    }

    /// Serves this entry in place of the one of its name, or behind all others if there is none, and gives the number of
    /// the new generation. The other entries are not checked again.
    ///
    /// # Errors
    ///
    /// As [`CredentialStore::replace`].
    pub fn update(&self, entry: Entry) -> Result<u64, LoadError> {
        self.0.checks().check(&entry)?;
        let mut history = self.0.history();
        let mut entries = self.0.current.load().entries.clone();
        match entries.iter_mut().find(|old| old.name == entry.name) {
            Some(old) => *old = entry,
            None => entries.push(entry),
        }
        self.0.exchange(entries, &mut history)
    }

    /// The current generation and those that connections are still on, the oldest first.
    #[must_use]
    pub fn generations(&self) -> Vec<GenerationStatus> {
        self.0.history().statuses()
    }

    /// The number of the current generation; the first is 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.current.load().tally.number()
    }

    /// The entries that are served now, the most preferred one first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.0.current.load().entries.clone()
    }

    /// How many entries are served now; never none.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.0.current.load().entries.len()
    }

    /// When everything that is served now expires: leaves, intermediates and OCSP responses.
    #[must_use]
    pub fn expiries(&self, now: UnixTime) -> Vec<Expiry> {
        let snapshot = self.0.current.load();
        snapshot.entries.iter().flat_map(|entry| expiries_of(&entry.credential, now)).collect()
    }

    /// When each entry is to be renewed, by its name.
    #[must_use]
    pub fn renewals(&self) -> Vec<(String, Renewal)> {
        let snapshot = self.0.current.load();
        let renewal = |entry: &Entry| Some((entry.name.clone(), Renewal::of(&entry.credential)?));
        snapshot.entries.iter().filter_map(renewal).collect()
    }

    /// What `choose` takes of the current generation, counted as a connection on it.
    pub(in crate::policy) fn serve<E>(
        &self,
        choose: impl FnOnce(&Choice) -> Result<&Listed, E>,
    ) -> Result<Arc<Credential>, E> {
        let snapshot = self.0.current.load();
        let credential = Credential::clone(&choose(&snapshot.choice)?.credential);
        Ok(Arc::new(credential.with_lease(snapshot.tally.lease())))
    }
}

impl Inner {
    fn history(&self) -> MutexGuard<'_, History> {
        // Nothing panics while it is held.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn checks(&self) -> Checks<'_> {
        let Self { provider, completeness, .. } = self;
        Checks { provider, completeness, now: self.clock.now() }
    }

    /// Makes entries that were checked the next generation.
    fn exchange(&self, entries: Vec<Entry>, history: &mut History) -> Result<u64, LoadError> {
        let number = self.current.load().tally.number().saturating_add(1);
        let snapshot = Snapshot::new(entries, number, self.clock.now())?;
        history.add(&snapshot.tally);
        self.current.store(Arc::new(snapshot));
        Ok(number)
    }
}

impl Snapshot {
    fn new(entries: Vec<Entry>, number: u64, since: UnixTime) -> Result<Self, LoadError> {
        if entries.is_empty() {
            return Err(LoadError::new("there is no credential to serve"));
        }
        let mut names = HashSet::new();
        let mut choice = Choice::default();
        for entry in &entries {
            if !names.insert(entry.name.as_str()) {
                return Err(LoadError::new(format!("two credentials are called {:?}", entry.name)));
            }
            let listed = Listed::of(Arc::new(entry.credential.clone()));
            let mut listed = listed.map_err(|error| LoadError::of(error).of_entry(&entry.name))?;
            if let Served::Given(names) = &entry.names {
                listed.names.clone_from(names);
            }
            listed.place = entry.place;
            choice.add(listed);
        }
        let tally = Tally::new(number, since, entries.len());
        Ok(Self { entries, choice, tally })
    }
}

impl fmt::Debug for CredentialStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = self.0.current.load();
        f.debug_struct("CredentialStore")
            .field("generation", &snapshot.tally.number())
            .field("entries", &snapshot.entries)
            .finish_non_exhaustive()
    }
}

/// Says how the entries of a [`CredentialStore`] are checked.
pub struct CredentialStoreBuilder {
    provider: Provider,
    clock: Arc<dyn Clock>,
    completeness: Completeness,
}

impl CredentialStoreBuilder {
    /// Tells the time by this clock instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How chains are checked for what they lack; by default [`Completeness::Linked`].
    #[must_use]
    pub fn completeness(mut self, completeness: Completeness) -> Self {
        self.completeness = completeness;
        self
    }

    /// The store, with its first generation.
    ///
    /// # Errors
    ///
    /// As [`CredentialStore::replace`].
    pub fn build(self, entries: impl IntoIterator<Item = Entry>) -> Result<CredentialStore, LoadError> {
        let Self { provider, clock, completeness } = self;
        let entries: Vec<Entry> = entries.into_iter().collect();
        let now = clock.now();
        let checks = Checks { provider: &provider, completeness: &completeness, now };
        entries.iter().try_for_each(|entry| checks.check(entry))?;
        let snapshot = Snapshot::new(entries, 1, now)?;
        let mut history = History::default();
        history.add(&snapshot.tally);
        let (current, history) = (ArcSwap::from_pointee(snapshot), Mutex::new(history));
        Ok(CredentialStore(Arc::new(Inner { provider, clock, completeness, current, history })))
    }
}

impl fmt::Debug for CredentialStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialStoreBuilder")
            .field("completeness", &self.completeness)
            .finish_non_exhaustive()
    }
}

/// Where a policy has its credentials from.
pub(in crate::policy) enum Credentials {
    Fixed(Choice),
    Live(CredentialStore),
}

impl Credentials {
    /// Adds one that stays; a store is dropped.
    pub(in crate::policy) fn add(&mut self, listed: Listed) {
        let mut choice = match self {
            Self::Fixed(choice) => core::mem::take(choice),
            Self::Live(_) => Choice::default(),
        };
        choice.add(listed);
        *self = Self::Fixed(choice);
    }

    pub(in crate::policy) fn len(&self) -> usize {
        match self {
            Self::Fixed(choice) => choice.len(),
            Self::Live(store) => store.len(),
        }
    }
}
