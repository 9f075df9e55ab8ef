//! `SealTicket`: a ticket for resumption.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::{Answer, Peer, Tag, Verdict};
use crate::codepoint::CipherSuite;
use crate::config::ServerConfig;
use crate::crypto::HashSecret;
use crate::moment::Moment;
use crate::psk::Session;

/// The longest life of a ticket, in seconds: 7 days (RFC 9846 section 4.7.1).
const MAX_LIFETIME: u32 = 604_800;

/// The longest ticket, in bytes: its message, the longest nonce and early_data included, stays below 16 KiB, and a
/// ClientHello can carry it back.
const MAX_TICKET: usize = 16_000;

/// Server: seal a ticket (RFC 9846 section 4.7.1). Pauses nothing; may be answered late or never. Tickets that are answered
/// one right after the other leave in one record, with the last answer or the next call of `process`.
pub struct SealTicket {
    pub(crate) tag: Tag,
    pub(crate) nonce: Vec<u8>,
    //= testvectors/requirements/rfc9846.txt#section-4.7.1
    //# The server MUST generate a fresh value for each ticket it sends.
    pub(crate) age_add: u32,
    pub(crate) psk: HashSecret,
    pub(crate) facts: Arc<SessionFacts>,
}

/// What all tickets of a connection have in common.
pub(crate) struct SessionFacts {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) suite: CipherSuite,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) server_name: Option<String>,
    pub(crate) peer: Option<Arc<Peer>>,
    /// `None` after a full handshake.
    pub(crate) authenticated: Option<Moment>,
    pub(crate) max_early_data: u32,
}

impl SealTicket {
    /// The suite of the connection, whose hash the PSK belongs to.
    #[must_use]
    pub fn suite(&self) -> CipherSuite {
        self.facts.suite
    }

    /// The PSK to be found again by the ticket.
    #[must_use]
    pub fn psk(&self) -> &HashSecret {
        &self.psk
    }

    /// The configuration that serves the connection: its fingerprint belongs to the ticket.
    #[must_use]
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.facts.config
    }

    /// The client, where it was authenticated.
    #[must_use]
    pub fn peer(&self) -> Option<&Arc<Peer>> {
        self.facts.peer.as_ref()
    }

    /// When the full handshake took place that the session goes back to; `None` when it was this one.
    #[must_use]
    pub fn authenticated(&self) -> Option<Moment> {
        self.facts.authenticated
    }

    /// The session, to be sealed or stored, from `now` for `lifetime` seconds, at most 7 days. `trust` is the
    /// generation of what vouched for the client.
    ///
    /// What it is found by is given back with [`SealTicket::sealed`], with the same lifetime.
    #[must_use]
    pub fn session(&self, now: Moment, lifetime: u32, trust: u64) -> Session {
        let facts = &self.facts;
        let lifetime = Duration::from_secs(u64::from(lifetime.min(MAX_LIFETIME)));
        // The copy cannot fail: both have the same room.
        let psk = HashSecret::copy_of(self.psk.expose()).unwrap_or_else(|| HashSecret::zeroed(0));
        Session {
            suite: facts.suite,
            psk,
            age_add: self.age_add,
            issued: now,
            expires: now.plus(lifetime),
            authenticated: facts.authenticated.unwrap_or(now),
            alpn: facts.alpn.clone(),
            server_name: facts.server_name.clone(),
            peer: facts.peer.clone(),
            max_early_data: facts.max_early_data,
            trust,
        }
    }

    /// Here is the ticket, 1 to 16,000 bytes, good for `lifetime` seconds, at most 7 days. One that is empty or longer, or
    /// without a life, is none.
    #[must_use]
    pub fn sealed(self, ticket: Vec<u8>, lifetime: u32) -> Answer {
        if ticket.is_empty() || ticket.len() > MAX_TICKET || lifetime == 0 {
            return self.none();
        }
        let sealed = Sealed {
            ticket,
            //= testvectors/requirements/rfc9846.txt#section-4.7.1
            //# Servers MUST NOT use any value greater than 604800 seconds (7 days).
            lifetime: lifetime.min(MAX_LIFETIME),
            nonce: self.nonce,
            age_add: self.age_add,
            max_early_data: self.facts.max_early_data,
        };
        Answer { tag: self.tag, verdict: Verdict::Sealed(sealed) }
    }

    /// No ticket.
    #[must_use]
    pub fn none(self) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::NoTicket }
    }
}

impl fmt::Debug for SealTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealTicket").field("suite", &self.facts.suite).finish_non_exhaustive()
    }
}

/// The answer's content.
pub(crate) struct Sealed {
    pub(crate) ticket: Vec<u8>,
    pub(crate) lifetime: u32,
    pub(crate) nonce: Vec<u8>,
    pub(crate) age_add: u32,
    pub(crate) max_early_data: u32,
}
