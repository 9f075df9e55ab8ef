//! Servers that take the same tickets, with one replay guard or with one each.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use symbolon::Moment;
use symbolon::config::{Reach, ServerConfig};
use symbolon::conn::NotResumed;
use symbolon::policy::replay::{Guard, ReplayGuard};
use symbolon::psk::{ChainInTicket, Session};
use symbolon::question::{Answer, FirstFlight, KnownPsk, Question, Seen};

use crate::support::{Key, client_config, credential, provider};

/// The ticket keys of a fleet would be shared; a common map of what was issued does the same here.
pub type Vault = Rc<RefCell<HashMap<Vec<u8>, Vec<u8>>>>;

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
pub struct Ledger(Arc<std::sync::Mutex<HashSet<[u8; 32]>>>);

impl ReplayGuard for Ledger {
    fn check(&self, flight: &FirstFlight) -> Seen {
        assert!(flight.now <= flight.expires);
        match self.0.lock().unwrap().insert(flight.id) {
            true => Seen::Never,
            false => Seen::Before,
        }
    }
}

/// A server's side of every question.
#[derive(Clone)]
pub struct Server {
    pub config: Arc<ServerConfig>,
    pub guard: Arc<Guard<dyn ReplayGuard>>,
    pub vault: Vault,
    pub now: Moment,
}

pub const MAX_EARLY: u32 = 1000;

pub fn servers(count: usize, guarding: Guarding, vault: &Vault) -> Vec<Server> {
    let common = Ledger::default();
    let window = Duration::from_secs(10);
    let one = |_| {
        let ledger = match guarding {
            Guarding::Common => common.clone(),
            Guarding::Each => Ledger::default(),
        };
        let guard: Arc<Guard<dyn ReplayGuard>> = Arc::new(Guard::vouched(ledger, Reach::Fleet, window));
        let config = ServerConfig::builder(provider())
            .credential(credential(Key::Ed25519))
            .groups(&[symbolon::codepoint::NamedGroup::X25519, symbolon::codepoint::NamedGroup::SECP256R1])
            .alpn(["sim"])
            .tickets(2)
            .early_data(MAX_EARLY, guard.proof().clone())
            .build()
            .unwrap();
        Server { config, guard, vault: Rc::clone(vault), now: Moment::default() }
    };
    (0..count).map(one).collect()
}

impl Server {
    /// Answers what only a server with tickets is asked; gives everything else back.
    pub fn answer(&self, question: Question) -> Result<Answer, Question> {
        Ok(match question {
            Question::LookupPsk(question) => {
                let vault = self.vault.borrow();
                let open = |identity: &Vec<u8>| vault.get(identity).and_then(|bytes| Session::decode(bytes));
                let known = question.identities().iter().enumerate().filter_map(|(index, offered)| {
                    Some((index, KnownPsk::Session(Box::new(open(&offered.identity)?))))
                });
                let known = known.collect();
                question.known(known, self.now, NotResumed::Unknown)
            }
            Question::CheckReplay(question) => {
                let seen = self.guard.guard().check(question.flight());
                question.seen(seen)
            }
            Question::SealTicket(question) => {
                let session = question.session(self.now, 3600, 0);
                let mut ticket = vec![0; 32];
                (provider().rng).fill(&mut ticket).unwrap();
                let sealed = session.encode(ChainInTicket::Left).unwrap().to_vec();
                self.vault.borrow_mut().insert(ticket.clone(), sealed);
                question.sealed(ticket, 3600)
            }
            other => return Err(other),
        })
    }
}

pub fn client() -> Arc<symbolon::config::ClientConfig> {
    client_config(|config| {
        config
            .alpn(["sim"])
            .groups(&[symbolon::codepoint::NamedGroup::X25519, symbolon::codepoint::NamedGroup::SECP256R1])
    })
}
