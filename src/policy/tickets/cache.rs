//! Sessions that the server remembers itself; a ticket is a number that nobody can guess.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::guards::Guards;
use super::key::{Algorithms, RingError};
use super::{MAX_LIFETIME, Tickets};
use crate::config::{Reach, ReplayGuarded};
use crate::crypto::{Digest, Hash, Provider, Rng};
use crate::identity::Peer;
use crate::moment::Moment;
use crate::psk::{ChainInTicket, NotResumed, SKEW, Session};

/// The length of a ticket, in bytes.
const TICKET_LEN: usize = 32;

/// What a session is found by: the hash of ticket and fingerprint. What comparing it takes in time says nothing of the
/// ticket.
type Found = [u8; 32];

/// Sessions in memory, each good for one connection: looking one up takes it out (RFC 9846 section 8.1).
///
/// A session goes when it is used, when it has expired, or when there is no room: then the one that would expire first.
/// Each takes about half a kilobyte, and what its client's identity and names take.
///
/// Whoever sees a ticket on its way can use it up. That costs the client a full handshake and nothing else.
///
/// ```
/// # #[cfg(feature = "rustcrypto")] {
/// # use symbolon::{Moment, crypto::rustcrypto, policy::tickets::{SessionCache, Tickets}};
/// let cache = SessionCache::new(&rustcrypto::provider(), 10_000)?;
/// assert_eq!(cache.lifetime(Moment::default()), 7 * 86_400);
/// # }
/// # Ok::<(), symbolon::policy::tickets::RingError>(())
/// ```
pub struct SessionCache {
    hash: &'static dyn Hash,
    rng: Arc<dyn Rng>,
    capacity: usize,
    chains: ChainInTicket,
    stored: Mutex<Stored>,
    guards: Guards,
}

#[derive(Default)]
struct Stored {
    sessions: HashMap<Found, (Place, Box<Session>)>,
    /// In the order in which they go.
    order: BTreeMap<Place, Found>,
    issued: u64,
}

/// When it expires, and its number.
type Place = (Moment, u64);

impl SessionCache {
    /// Room for `capacity` sessions.
    ///
    /// # Errors
    ///
    /// [`RingError::Provider`] when the provider has no cipher suite, whose hash is needed.
    pub fn new(provider: &Provider, capacity: usize) -> Result<Self, RingError> {
        Ok(Self {
            hash: Algorithms::of(provider)?.hash,
            rng: Arc::clone(&provider.rng),
            capacity,
            chains: ChainInTicket::Left,
            stored: Mutex::default(),
            guards: Guards::default(),
        })
    }

    /// Whether the client's certificates are kept. By default they are not: a policy that verifies resumed clients again
    /// needs them.
    #[must_use]
    pub fn with_chains(mut self, chains: ChainInTicket) -> Self {
        self.chains = chains;
        self
    }

    /// How many sessions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stored().sessions.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        // Nothing panics while it is held.
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn found(&self, ticket: &[u8; TICKET_LEN], fingerprint: &[u8]) -> Found {
        let digest: Digest = self.hash.hash(&[b"symbolon session", ticket, fingerprint]);
        digest.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

impl Stored {
    /// Drops the session that goes first, if `condition` holds for when it expires.
    fn drop_first(&mut self, condition: impl Fn(Moment) -> bool) {
        let Some(first) = self.order.first_entry() else { return };
        if condition(first.key().0) {
            let found = first.remove();
            self.sessions.remove(&found);
        }
    }

    fn remove(&mut self, found: &Found) -> Option<Box<Session>> {
        let (place, session) = self.sessions.remove(found)?;
        self.order.remove(&place);
        Some(session)
    }
}

impl Tickets for SessionCache {
    fn lifetime(&self, _: Moment) -> u32 {
        MAX_LIFETIME
    }

    fn issue(&self, mut session: Session, fingerprint: &[u8], now: Moment) -> Option<Vec<u8>> {
        if self.capacity == 0 {
            return None;
        }
        let mut ticket = [0; TICKET_LEN];
        self.rng.fill(&mut ticket).ok()?;
        let found = self.found(&ticket, fingerprint);
        if let Some(peer) = &mut session.peer
            && (peer.sct.is_some() || !peer.chain.is_empty())
        {
            // Whoever authorizes it again must see what was seen at first: all but the certificates.
            let mut kept = Peer { sct: None, ..Peer::clone(peer) };
            if self.chains == ChainInTicket::Left {
                kept.chain = Vec::new();
            }
            *peer = Arc::new(kept);
        }
        let session = Box::new(session);
        let mut stored = self.stored();
        // Two for one: what has expired goes faster than sessions come.
        stored.drop_first(|expires| expires <= now);
        stored.drop_first(|expires| expires <= now);
        if stored.sessions.len() >= self.capacity {
            stored.drop_first(|_| true);
        }
        stored.issued = stored.issued.wrapping_add(1);
        let place = (session.expires, stored.issued);
        stored.order.insert(place, found);
        if let Some((before, _)) = stored.sessions.insert(found, (place, session)) {
            // Randomness repeated itself.
            stored.order.remove(&before);
        }
        Some(ticket.to_vec())
    }

    fn take(&self, ticket: &[u8], fingerprint: &[u8], now: Moment) -> Result<Box<Session>, NotResumed> {
        let ticket = ticket.try_into().map_err(|_| NotResumed::Unknown)?;
        let found = self.found(ticket, fingerprint);
        let session = self.stored().remove(&found).ok_or(NotResumed::Unknown)?;
        session.check_times(now, SKEW)?;
        Ok(session)
    }

    fn reach(&self) -> Reach {
        Reach::Process
    }

    fn admits(&self, proof: &ReplayGuarded, fingerprint: &[u8]) -> bool {
        self.guards.admit(proof, fingerprint)
    }
}

impl fmt::Debug for SessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCache").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
