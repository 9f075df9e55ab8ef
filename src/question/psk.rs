//! `LookupPsk` and `CheckReplay`: pre-shared keys and early data.

use alloc::vec::Vec;

use rustls_pki_types::UnixTime;

use super::{Answer, Tag, Verdict};

/// An identity of a pre_shared_key extension (RFC 9846 section 4.3.11).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfferedIdentity {
    /// A ticket, or the label of an external PSK; 1 to 65,535 bytes.
    pub identity: Vec<u8>,
    /// Milliseconds since the ticket was received plus its `ticket_age_add`, modulo 2^32.
    pub obfuscated_ticket_age: u32,
}

/// Server: which of these identities are known? Asked once, with all identities, after `Configure`.
#[derive(Debug)]
pub struct LookupPsk {
    pub(crate) tag: Tag,
    pub(crate) identities: Vec<OfferedIdentity>,
}

impl LookupPsk {
    /// All identities, in the client's order.
    #[must_use]
    pub fn identities(&self) -> &[OfferedIdentity] {
        &self.identities
    }

    /// None is known: a full handshake follows.
    #[must_use]
    pub fn none(self) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::NoPsk }
    }
}

/// Server: was this first flight seen before? Asked only after its binder matched (RFC 9846 section 8).
///
/// ```compile_fail,E0451
/// let unasked = symbolon::question::CheckReplay { id: [0; 32], ..loop {} };
/// ```
/// ```compile_fail,E0382
/// # use symbolon::question::{Answer, CheckReplay};
/// fn both(question: CheckReplay) -> [Answer; 2] { [question.replayed(), question.fresh()] }
/// ```
/// ```
/// # use symbolon::question::{Answer, CheckReplay};
/// fn one(question: CheckReplay, seen: bool) -> Answer {
///     if seen { question.replayed() } else { question.fresh() }
/// }
/// ```
#[derive(Debug)]
pub struct CheckReplay {
    tag: Tag,
    id: [u8; 32],
    expires: UnixTime,
}

impl CheckReplay {
    /// What to remember: unique to the first flight.
    #[must_use]
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// How long to remember it.
    #[must_use]
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// It was not seen before, and is remembered now.
    #[must_use]
    pub fn fresh(self) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Fresh }
    }

    /// It was seen before: early data is refused, the handshake goes on.
    #[must_use]
    pub fn replayed(self) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Replayed }
    }

    /// There is no telling: early data is refused, the handshake goes on.
    #[must_use]
    pub fn unknown(self) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::ReplayUnknown }
    }
}
