//! What servers that take the same tickets share, and what each has for itself.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use symbolon::config::ServerConfig;
use symbolon::policy::replay::{Guard, ReplayGuard};
use symbolon::psk::{ChainInTicket, ExternalPsk, Session};
use symbolon::question::{FirstFlight, Seen};
use zeroize::Zeroizing;

/// Hides stored secrets from the search for secrets.
const VEIL: u8 = 0x5A;

/// The ticket keys of a fleet would be shared; a common map of what was issued does the same here.
#[derive(Clone, Default)]
pub struct Vault(Rc<RefCell<BTreeMap<Vec<u8>, Vec<u8>>>>);

impl Vault {
    pub fn put(&self, ticket: Vec<u8>, session: &Session) {
        let encoded = session.encode(ChainInTicket::Left).unwrap();
        self.0.borrow_mut().insert(ticket, encoded.iter().map(|byte| byte ^ VEIL).collect());
    }

    pub fn find(&self, ticket: &[u8]) -> Option<Session> {
        let veiled = self.0.borrow().get(ticket)?.clone();
        let encoded: Zeroizing<Vec<u8>> = Zeroizing::new(veiled.iter().map(|byte| byte ^ VEIL).collect());
        Session::decode(&encoded)
    }

    /// Some other session than that of `ticket`.
    pub fn other_than(&self, ticket: &[u8]) -> Option<Session> {
        let other = self.0.borrow().keys().find(|key| *key != ticket)?.clone();
        self.find(&other)
    }
}

/// Who guards whom against replays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarding {
    /// One guard for all servers.
    Common,
    /// Each server has its own.
    Each,
}

/// Remembers for ever: the machine's own checks are what is tested, and the time window is theirs.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<BTreeSet<[u8; 32]>>>);

impl ReplayGuard for Ledger {
    fn check(&self, flight: &FirstFlight) -> Seen {
        assert!(flight.now <= flight.expires);
        match self.0.lock().unwrap().insert(flight.id) {
            true => Seen::Never,
            false => Seen::Before,
        }
    }
}

/// A server of the fleet.
#[derive(Clone)]
pub struct Server {
    pub number: usize,
    pub config: Arc<ServerConfig>,
    pub guard: Arc<Guard<dyn ReplayGuard>>,
    pub vault: Vault,
    pub psks: Vec<Arc<ExternalPsk>>,
}
