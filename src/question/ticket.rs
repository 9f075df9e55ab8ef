//! `SealTicket`: a ticket for resumption.

use alloc::vec::Vec;
use core::fmt;

use super::{Answer, Tag, Verdict};
use crate::codepoint::CipherSuite;
use crate::crypto::HashSecret;

/// The longest life of a ticket, in seconds: 7 days (RFC 9846 section 4.7.1).
const MAX_LIFETIME: u32 = 604_800;

/// Server: seal a ticket (RFC 9846 section 4.7.1). Pauses nothing; may be answered late or never.
pub struct SealTicket {
    pub(crate) tag: Tag,
    pub(crate) suite: CipherSuite,
    pub(crate) nonce: Vec<u8>,
    pub(crate) age_add: u32,
    pub(crate) psk: HashSecret,
}

impl SealTicket {
    /// The suite of the connection, whose hash the PSK belongs to.
    #[must_use]
    pub fn suite(&self) -> CipherSuite {
        self.suite
    }

    /// The PSK to be found again by the ticket.
    #[must_use]
    pub fn psk(&self) -> &HashSecret {
        &self.psk
    }

    /// What the client adds to the ticket's age.
    #[must_use]
    pub fn age_add(&self) -> u32 {
        self.age_add
    }

    /// Here is the ticket, 1 to 65,535 bytes, good for `lifetime` seconds, at most 7 days. An empty one is none.
    #[must_use]
    pub fn sealed(self, ticket: Vec<u8>, lifetime: u32) -> Answer {
        if ticket.is_empty() {
            return self.none();
        }
        let sealed =
            Sealed { ticket, lifetime: lifetime.min(MAX_LIFETIME), nonce: self.nonce, age_add: self.age_add };
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
        f.debug_struct("SealTicket").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// The answer's content.
pub(crate) struct Sealed {
    pub(crate) ticket: Vec<u8>,
    pub(crate) lifetime: u32,
    pub(crate) nonce: Vec<u8>,
    pub(crate) age_add: u32,
}
