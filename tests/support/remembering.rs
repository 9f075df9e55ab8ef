//! An answerer for both sides that remembers: a server's sessions by number, a client's tickets in a store.
#![allow(dead_code)] // no test uses everything

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use symbolon::Moment;
use symbolon::config::{ClientConfig, ServerConfig, ServerConfigBuilder};
use symbolon::conn::NotResumed;
use symbolon::policy::{Answerer, Clock, MemorySessions, SessionStore, SystemClock};
use symbolon::psk::{ExternalPsk, PskHash, Session};
use symbolon::question::{Answer, KnownPsk, LookupPsk, PeerEvidence, Question, SealTicket};

use crate::support::resumption::guarded;
use crate::support::{Answers, client_config, server_config};

/// How long the tickets live, in seconds.
const LIFETIME: u32 = 3600;

/// Remembers for both sides.
#[derive(Default)]
pub struct Remembering {
    /// A server's sessions, each until it is used.
    sessions: Mutex<Vec<Option<Session>>>,
    /// A client's tickets.
    pub tickets: MemorySessions,
    /// Whether first flights are taken for replays.
    pub replayed: AtomicBool,
}

impl Remembering {
    fn lookup(&self, question: LookupPsk) -> Answer {
        let mut sessions = self.sessions.lock().unwrap();
        let mut known = Vec::new();
        for (place, offered) in question.identities().iter().enumerate() {
            let number = offered.identity.as_slice().try_into().map(u32::from_be_bytes);
            let session = number.ok().and_then(|number| sessions.get_mut(number as usize)?.take());
            if let Some(session) = session {
                known.push((place, KnownPsk::Session(Box::new(session))));
            } else if offered.identity == external().identity() {
                known.push((place, KnownPsk::External(external())));
            }
        }
        question.known(known, SystemClock.moment(), NotResumed::Unknown)
    }

    fn seal(&self, question: SealTicket) -> Answer {
        let mut sessions = self.sessions.lock().unwrap();
        let number = sessions.len() as u32;
        sessions.push(Some(question.session(SystemClock.moment(), LIFETIME, 0)));
        question.sealed(number.to_be_bytes().to_vec(), LIFETIME)
    }
}

impl Answerer for Remembering {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::LookupPsk(question) => self.lookup(question),
            Question::SealTicket(question) => self.seal(question),
            Question::CheckReplay(question) if self.replayed.load(Ordering::SeqCst) => question.replayed(),
            Question::CheckReplay(question) => question.fresh(),
            Question::VerifyPeer(question) => match question.evidence() {
                PeerEvidence::Resumed(peer) => {
                    let claim = symbolon::identity::Claim::again(peer);
                    question.verified(claim)
                }
                _ => Answers::default().answer(Question::VerifyPeer(question)),
            },
            other => Answers::default().answer(other),
        }
    }

    fn sessions(&self) -> Option<&dyn SessionStore> {
        Some(&self.tickets)
    }

    fn moment(&self) -> Moment {
        SystemClock.moment()
    }
}

/// A key that both sides know.
pub fn external() -> Arc<ExternalPsk> {
    Arc::new(ExternalPsk::new(b"sensor 17", &[0x5A; 32], PskHash::Sha256).unwrap())
}

/// Both sides' configurations, and who answers for both.
pub struct World {
    pub client: Arc<ClientConfig>,
    pub server: Arc<ServerConfig>,
    pub answers: Arc<Remembering>,
}

impl World {
    /// Two tickets a connection, with so many bytes of early data.
    pub fn with_early_data(max: u32) -> Self {
        Self::with(|b| b.early_data(max, guarded()))
    }

    /// Two tickets a connection.
    pub fn with(change: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder) -> Self {
        let server = server_config(|b| change(b.tickets(2)));
        Self { client: client_config(|b| b), server, answers: Arc::default() }
    }

    pub fn answerer(&self) -> Arc<dyn Answerer> {
        self.answers.clone()
    }
}
