//! A ring of keys that seal tickets, and what it does as time goes by.
//!
//! Has no clock and no thread: each call brings the moment, by which keys take turns and are erased.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::mem;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use zeroize::Zeroizing;

use super::chain::{Chain, FleetSecret};
use super::guards::Guards;
use super::key::{Algorithms, Generation, Key, KeyName, RingError, Schedule, TICKET_VERSION};
use super::state::RingState;
use super::{Tickets, seconds_until};
use crate::config::{Reach, ReplayGuarded};
use crate::crypto::{AeadKey, NONCE_LEN, Nonce, Provider, Rng, TAG_LEN};
use crate::moment::Moment;
use crate::psk::{ChainInTicket, NotResumed, SKEW, Session};

/// The longest ticket, in bytes: a ClientHello carries it, and a longer one would cost more than it saves.
const MAX_TICKET: usize = 1024;

/// Version, name of the key, and nonce.
const HEADER_LEN: usize = 1 + 16 + NONCE_LEN;

/// Stateless tickets, sealed with keys that take turns: the server remembers nothing.
///
/// A ticket is `version || key name (16 bytes) || nonce || AEAD(session)` with a label, version, key name and the
/// fingerprint of the configuration as additional data. A session that would make it longer than 1,024 bytes gets none.
///
/// Nonces are random: a key may seal 2^32 tickets, on all servers together (NIST SP 800-38D section 8.3). That is 198,000
/// tickets a second for 6 hours; who gives out more needs a shorter schedule.
///
/// Time is what each call brings. Keys are erased once their last ticket has expired, on the first call after that; a
/// server without connections calls [`TicketRing::rotate`]. A clock that goes back finds the keys of that time again, as
/// far as they are not erased. One that leaps forward, by more than the life of a key, has nothing erased until it has
/// gone on for another period: if it comes back before, nothing is lost.
///
/// ```
/// # #[cfg(feature = "rustcrypto")] {
/// # use symbolon::{Moment, crypto::rustcrypto, policy::tickets::{TicketRing, Tickets}};
/// let ring = TicketRing::random(&rustcrypto::provider())?;
/// assert_eq!(ring.lifetime(Moment::from_secs(1 << 31)), 54 * 3600);
/// # }
/// # Ok::<(), symbolon::policy::tickets::RingError>(())
/// ```
pub struct TicketRing {
    algorithms: Algorithms,
    rng: Arc<dyn Rng>,
    reach: Reach,
    chain_in_ticket: ChainInTicket,
    /// Held only to fetch or to replace the table.
    table: RwLock<Arc<Table>>,
    keeper: Mutex<Keeper>,
    guards: Guards,
}

/// What became of a state that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The ring has its keys now.
    Taken,
    /// The ring has a state that is newer, or the same.
    Older,
    /// The ring gets its keys elsewhere.
    OtherSource,
}

impl TicketRing {
    /// Keys of this process alone, by the default [`Schedule`]: they are lost when it ends.
    ///
    /// # Errors
    ///
    /// [`RingError::Provider`] when the provider has no cipher suite.
    pub fn random(provider: &Provider) -> Result<Self, RingError> {
        Self::scheduled(provider, Schedule::default())
    }

    /// Keys of this process alone, by this schedule.
    ///
    /// # Errors
    ///
    /// As [`TicketRing::random`].
    pub fn scheduled(provider: &Provider, schedule: Schedule) -> Result<Self, RingError> {
        Self::new(provider, Reach::Process, Source::Own(RingState::new()), schedule)
    }

    /// Keys that come from a secret and the time: all servers that have both take each other's tickets, and each prepares
    /// the next key a period ahead, for those whose clocks are ahead. A key opens for `decrypt_only` after its epoch.
    ///
    /// The secret is advanced to the oldest epoch whose tickets count at `now`, and what was before is erased; at most
    /// 16,384 epochs are caught up with, now and later. An epoch in the future is waited for: until then there are no
    /// tickets.
    ///
    /// ```
    /// # #[cfg(feature = "rustcrypto")] {
    /// # use core::time::Duration;
    /// # use symbolon::{Moment, crypto::rustcrypto, policy::tickets::{FleetSecret, TicketRing}};
    /// # let (provider, now) = (rustcrypto::provider(), Moment::from_secs(1 << 31));
    /// let (hour, start) = (Duration::from_secs(3600), Moment::from_secs(2_147_000_000));
    /// let secret = FleetSecret::random(&*provider.rng, start, 6 * hour)?;
    /// let file = secret.encode(); // the same for every server
    /// let ring = TicketRing::derived(&provider, secret, 48 * hour, now)?;
    /// // From time to time: what is older than the tickets in use is not to be had from the file any more.
    /// let file = ring.provision(now).ok_or("derived")?.encode();
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RingError::Schedule`] when period and `decrypt_only` do not fit, [`RingError::FarBehind`] when the epoch is too
    /// long ago, [`RingError::Provider`] as [`TicketRing::random`].
    pub fn derived(
        provider: &Provider,
        secret: FleetSecret,
        decrypt_only: Duration,
        now: Moment,
    ) -> Result<Self, RingError> {
        let mut chain = Chain::new(Algorithms::of(provider)?, secret, decrypt_only)?;
        chain.erase(now)?;
        let schedule = chain.schedule();
        let ring = Self::new(provider, Reach::Fleet, Source::Derived(chain), schedule)?;
        ring.keeper().believed = Some(now);
        Ok(ring)
    }

    /// Keys that the application pushes in; until then there are no tickets.
    ///
    /// # Errors
    ///
    /// As [`TicketRing::random`].
    pub fn pushed(provider: &Provider) -> Result<Self, RingError> {
        Self::new(provider, Reach::Fleet, Source::Pushed(None), Schedule::default())
    }

    fn new(provider: &Provider, reach: Reach, source: Source, schedule: Schedule) -> Result<Self, RingError> {
        let keeper = Keeper {
            source,
            schedule,
            revoked: Vec::new(),
            revoked_before: Moment::default(),
            believed: None,
            leapt: None,
            seen: None,
        };
        Ok(Self {
            algorithms: Algorithms::of(provider)?,
            rng: Arc::clone(&provider.rng),
            reach,
            chain_in_ticket: ChainInTicket::Left,
            table: RwLock::new(Arc::new(Table::default())),
            keeper: Mutex::new(keeper),
            guards: Guards::default(),
        })
    }

    /// Whether the client's certificates are part of its tickets. By default they are not: a policy that verifies resumed
    /// clients again needs them.
    #[must_use]
    pub fn with_chains(mut self, chains: ChainInTicket) -> Self {
        self.chain_in_ticket = chains;
        self
    }

    /// Lets keys take turns and erases what has ended at `now`, where no ticket is issued or taken that would do it.
    pub fn rotate(&self, now: Moment) {
        self.table(now);
    }

    /// The keys at `now`, without their secrets, in the order in which they seal.
    #[must_use]
    pub fn generations(&self, now: Moment) -> Vec<Generation> {
        let table = self.table(now);
        let mut generations: Vec<_> = table.entries.iter().map(Entry::generation).collect();
        generations.sort_by_key(|generation| generation.active_from);
        generations
    }

    /// Refuses the tickets of a key from now on; if it is the active one, the next one takes over. Tells whether there is
    /// such a key.
    ///
    /// Only this ring knows of it. Keys that are derived or pushed in must be revoked on every server; the secret behind
    /// derived keys is not changed by it.
    pub fn revoke(&self, name: KeyName) -> bool {
        let mut keeper = self.keeper();
        let table = self.present();
        let Ok(at) = table.position(&name) else { return false };
        let Some(entry) = table.entries.get(at) else { return false };
        if let Source::Own(state) = &mut keeper.source {
            state.revoke(name);
        } else if !keeper.revoked.iter().any(|(revoked, _)| *revoked == name) {
            // Keys that the table shows, until they have ended: there are not many.
            keeper.revoked.push((name, entry.end));
        }
        self.changed(&mut keeper);
        true
    }

    /// Refuses the tickets of all keys that became active before `moment`, as [`TicketRing::revoke`]. For keys that are
    /// derived or pushed in this holds on for those to come.
    pub fn revoke_before(&self, moment: Moment) {
        let mut keeper = self.keeper();
        match &mut keeper.source {
            Source::Own(state) => {
                state.revoke_before(moment);
            }
            _ => keeper.revoked_before = keeper.revoked_before.max(moment),
        }
        self.changed(&mut keeper);
    }

    /// Takes these keys instead of those that were pushed before, unless they are older. What was revoked stays revoked.
    pub fn push(&self, mut state: RingState) -> Pushed {
        let mut keeper = self.keeper();
        let Keeper { source: Source::Pushed(pushed), revoked, .. } = &mut *keeper else {
            return Pushed::OtherSource;
        };
        if pushed.as_ref().is_some_and(|present| state.sequence <= present.sequence) {
            return Pushed::Older;
        }
        // Also where a state comes in between that knows nothing of the key.
        for key in &mut state.keys {
            let is_known = revoked.iter().any(|(name, _)| *name == key.name);
            match (&key.secret, is_known) {
                (None, false) => revoked.push((key.name, key.end)),
                (Some(_), true) => key.secret = None,
                _ => {}
            }
        }
        *pushed = Some(state);
        self.changed(&mut keeper);
        Pushed::Taken
    }

    /// The state that was pushed in last, with what was revoked since; `None` for a ring with another source.
    #[must_use]
    pub fn export(&self) -> Option<RingState> {
        match &self.keeper().source {
            Source::Pushed(pushed) => pushed.as_ref().map(RingState::copy),
            _ => None,
        }
    }

    /// The present state of the chain, for new servers and to replace the file that this one began with: it opens the
    /// tickets that count at `now` and none before. `None` for a ring with another source.
    #[must_use]
    pub fn provision(&self, now: Moment) -> Option<FleetSecret> {
        self.table(now);
        match &self.keeper().source {
            Source::Derived(chain) => Some(chain.provision()),
            _ => None,
        }
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        // Nothing panics while it is held.
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn present(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, table: Table) -> Arc<Table> {
        let table = Arc::new(table);
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&table);
        table
    }

    /// The keys at `now`.
    fn table(&self, now: Moment) -> Arc<Table> {
        let table = self.present();
        if table.holds(now) {
            return table;
        }
        let mut keeper = self.keeper();
        let table = self.present();
        if table.holds(now) {
            return table;
        }
        match keeper.table(&self.algorithms, &*self.rng, now) {
            Ok(table) => self.replace(table),
            // Its keys still open; none seals, for it does not hold at this moment.
            Err(_) => table,
        }
    }

    /// Makes the table anew, for the moment that was seen last.
    fn changed(&self, keeper: &mut Keeper) {
        let table = keeper.seen.and_then(|seen| keeper.table(&self.algorithms, &*self.rng, seen).ok());
        self.replace(table.unwrap_or_default());
    }
}

impl Tickets for TicketRing {
    fn lifetime(&self, now: Moment) -> u32 {
        self.table(now).sealing(now).map_or(0, |(entry, _)| seconds_until(entry.end, now))
    }

    fn issue(&self, session: Session, fingerprint: &[u8], now: Moment) -> Option<Vec<u8>> {
        let table = self.table(now);
        let (entry, key) = table.sealing(now)?;
        let encoded = session.encode(self.chain_in_ticket).ok()?;
        let len = HEADER_LEN.saturating_add(encoded.len()).saturating_add(TAG_LEN);
        if len > MAX_TICKET {
            return None;
        }
        let mut nonce = Nonce([0; NONCE_LEN]);
        self.rng.fill(&mut nonce.0).ok()?;
        let mut ticket = Zeroizing::new(Vec::with_capacity(len));
        ticket.push(TICKET_VERSION);
        ticket.extend_from_slice(&entry.name.0);
        ticket.extend_from_slice(&nonce.0);
        ticket.resize(len, 0);
        let body = ticket.get_mut(HEADER_LEN..)?;
        key.seal_parts(&nonce, &aad(entry.name, fingerprint), &[&encoded], body).ok()?;
        Some(mem::take(&mut *ticket))
    }

    fn take(&self, ticket: &[u8], fingerprint: &[u8], now: Moment) -> Result<Box<Session>, NotResumed> {
        let name = KeyName::of_ticket(ticket).ok_or(NotResumed::Unknown)?;
        let (header, sealed) = ticket.split_at_checked(HEADER_LEN).ok_or(NotResumed::Unknown)?;
        let nonce = header.last_chunk().ok_or(NotResumed::Unknown)?;
        if ticket.len() > MAX_TICKET {
            return Err(NotResumed::Unknown);
        }
        let table = self.table(now);
        let at = table.position(&name).map_err(|_| NotResumed::Unknown)?;
        let entry = table.entries.get(at).ok_or(NotResumed::Unknown)?;
        let key = entry.key.as_ref().ok_or(NotResumed::Revoked)?;
        if now >= entry.end {
            return Err(NotResumed::Expired);
        }
        let mut body = Zeroizing::new(sealed.to_vec());
        let opened = key.open_in_place(&Nonce(*nonce), &aad(name, fingerprint), &mut body);
        let encoded = opened.ok().and_then(|len| body.get(..len)).ok_or(NotResumed::Unknown)?;
        let session = Session::decode(encoded).ok_or(NotResumed::Unknown)?;
        session.check_times(now, SKEW)?;
        Ok(Box::new(session))
    }

    fn reach(&self) -> Reach {
        self.reach
    }

    fn admits(&self, proof: &ReplayGuarded, fingerprint: &[u8]) -> bool {
        self.guards.admit(proof, fingerprint)
    }
}

/// The additional data: all but the fingerprint has one length.
fn aad(name: KeyName, fingerprint: &[u8]) -> Vec<u8> {
    [b"symbolon ticket", &[TICKET_VERSION][..], &name.0, fingerprint].concat()
}

impl fmt::Debug for TicketRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketRing").field("reach", &self.reach).finish_non_exhaustive()
    }
}

/// The keys of a stretch of time, prepared.
#[derive(Default)]
struct Table {
    /// By name.
    entries: Vec<Entry>,
    /// The place of the one that seals.
    sealing: Option<usize>,
    from: Moment,
    until: Moment,
}

struct Entry {
    name: KeyName,
    from: Moment,
    end: Moment,
    /// `None` when it was revoked.
    key: Option<Box<dyn AeadKey>>,
}

impl Entry {
    fn generation(&self) -> Generation {
        let Self { name, from, end, key } = self;
        Generation { name: *name, active_from: *from, end: *end, revoked: key.is_none() }
    }
}

impl Table {
    fn new(algorithms: &Algorithms, keys: &[Key], now: Moment, due: Moment) -> Result<Self, RingError> {
        let mut entries = Vec::with_capacity(keys.len());
        for key in keys {
            let prepared = key
                .secret
                .as_ref()
                .map(|secret| algorithms.key(secret.expose(), b"ticket key"))
                .transpose()?;
            entries.push(Entry { name: key.name, from: key.from, end: key.end, key: prepared });
        }
        entries.sort_by_key(|entry| entry.name);
        let turns = entries.iter().flat_map(|entry| [entry.from, entry.end]);
        let from = turns.clone().filter(|turn| *turn <= now).max().unwrap_or_default();
        let until = turns.filter(|turn| *turn > now).min().unwrap_or(due).min(due);
        Ok(Self { sealing: sealing(&entries, now), entries, from, until })
    }

    /// Whether it is the table of this moment. Threads that read the clock about a change do not change it to and fro: it
    /// holds a little before its time.
    fn holds(&self, now: Moment) -> bool {
        now < self.until && now.plus(SKEW) >= self.from
    }

    fn position(&self, name: &KeyName) -> Result<usize, usize> {
        self.entries.binary_search_by_key(name, |entry| entry.name)
    }

    fn sealing(&self, now: Moment) -> Option<(&Entry, &dyn AeadKey)> {
        let entry = self.entries.get(self.sealing?).filter(|entry| self.holds(now) && now < entry.end)?;
        Some((entry, &**entry.key.as_ref()?))
    }
}

/// The key whose turn it is: the one that began last, or where that is revoked the one that begins next. One that had its
/// turn never seals again.
fn sealing(entries: &[Entry], now: Moment) -> Option<usize> {
    let last = entries.iter().map(|entry| entry.from).filter(|from| *from <= now).max();
    let good = || entries.iter().enumerate().filter(|(_, entry)| entry.key.is_some());
    let active = good().find(|(_, entry)| Some(entry.from) == last);
    let next = || good().filter(|(_, entry)| entry.from > now).min_by_key(|(_, entry)| entry.from);
    active.or_else(next).map(|(at, _)| at)
}

/// Where keys come from.
enum Source {
    /// They are made here.
    Own(RingState),
    /// From a fleet's chain.
    Derived(Chain),
    /// From the application.
    Pushed(Option<RingState>),
}

/// What outlives a table.
struct Keeper {
    source: Source,
    schedule: Schedule,
    /// Names of derived and pushed keys, until they have ended.
    revoked: Vec<(KeyName, Moment)>,
    revoked_before: Moment,
    /// The latest moment that was no leap: what had ended by then is erased.
    believed: Option<Moment>,
    /// Where a leap led to that is not believed yet.
    leapt: Option<Moment>,
    /// The moment of the last table.
    seen: Option<Moment>,
}

impl Keeper {
    fn table(&mut self, algorithms: &Algorithms, rng: &dyn Rng, now: Moment) -> Result<Table, RingError> {
        let believed = self.believe(now);
        self.seen = Some(now);
        self.revoked.retain(|(_, end)| *end > believed);
        let (revoked, before) = (&self.revoked, self.revoked_before);
        let is_revoked = |key: &Key| key.from < before || revoked.iter().any(|(name, _)| *name == key.name);
        let revoke = |keys: &mut [Key]| {
            keys.iter_mut().filter(|key| is_revoked(key)).for_each(|key| key.secret = None);
        };
        match &mut self.source {
            Source::Own(state) => {
                state.rotate(rng, &self.schedule, now, believed)?;
                Table::new(algorithms, &state.keys, now, Moment::from_millis(u64::MAX))
            }
            Source::Derived(chain) => {
                chain.erase(believed)?;
                let mut keys = chain.keys(now, is_revoked)?;
                revoke(&mut keys);
                Table::new(algorithms, &keys, now, chain.due(now))
            }
            Source::Pushed(None) => Table::new(algorithms, &[], now, Moment::from_millis(u64::MAX)),
            Source::Pushed(Some(state)) => {
                state.keys.retain(|key| key.end > believed);
                revoke(&mut state.keys);
                Table::new(algorithms, &state.keys, now, Moment::from_millis(u64::MAX))
            }
        }
    }

    /// The moment that is believed to have come when the clock says `now`: what is erased cannot be had again, and a clock
    /// that leaps may come back.
    fn believe(&mut self, now: Moment) -> Moment {
        let believed = *self.believed.get_or_insert(now);
        let (life, active) = (self.schedule.life(), self.schedule.active());
        if now <= believed.plus(life) {
            self.leapt = None;
            self.believed = Some(believed.max(now));
            return believed.max(now);
        }
        let gone_on = self.leapt.is_some_and(|leapt| now >= leapt.plus(active));
        let leapt_again = self.leapt.is_none_or(|leapt| now < leapt || now > leapt.plus(life));
        if leapt_again {
            self.leapt = Some(now);
        } else if gone_on {
            self.leapt = None;
            self.believed = Some(now);
            return now;
        }
        believed
    }
}
