//! `LookupPsk` and `CheckReplay`: pre-shared keys and early data.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Answer, Tag, Verdict};
use crate::config::{ReplayGuarded, ServerConfig};
use crate::error::Refusal;
use crate::moment::Moment;
use crate::psk::{ExternalPsk, NoEarlyData, NotResumed, Session, Unknowable};

/// An identity of a pre_shared_key extension (RFC 9846 section 4.3.11).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfferedIdentity {
    /// A ticket, or the label of an external PSK; 1 to 65,535 bytes.
    pub identity: Vec<u8>,
    /// Milliseconds since the ticket was received plus its `ticket_age_add`, modulo 2^32.
    pub obfuscated_ticket_age: u32,
}

/// A key that a server found by its identity.
#[derive(Debug)]
pub enum KnownPsk {
    /// A ticket was opened, or a stored session found.
    Session(Box<Session>),
    /// It was provisioned externally.
    External(Arc<ExternalPsk>),
}

/// Server: which of these identities are known? Asked once, with all identities, after `Configure`; may be answered
/// late.
#[derive(Debug)]
pub struct LookupPsk {
    pub(crate) tag: Tag,
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) server_name: Option<String>,
    pub(crate) identities: Vec<OfferedIdentity>,
}

impl LookupPsk {
    /// All identities, in the client's order. None of them is authenticated yet.
    #[must_use]
    pub fn identities(&self) -> &[OfferedIdentity] {
        &self.identities
    }

    /// The configuration that serves the connection: a ticket of another fingerprint is not to be taken.
    #[must_use]
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// The DNS name in "server_name", as sent.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// These are known at `now`, each with its place in [`LookupPsk::identities`]; the client's order decides among
    /// them. `otherwise` is why the connection is not resumed if none of them can be used after all.
    #[must_use]
    pub fn known(self, known: Vec<(usize, KnownPsk)>, now: Moment, otherwise: NotResumed) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Known(Known { keys: known, now, otherwise }) }
    }

    /// None is known, for this reason: a full handshake follows.
    #[must_use]
    pub fn none(self, why: NotResumed) -> Answer {
        self.known(Vec::new(), Moment::default(), why)
    }

    /// Ends the connection rather than go on.
    #[must_use]
    pub fn refused(self, refusal: Refusal) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Refused(refusal) }
    }
}

/// The answer's content.
pub(crate) struct Known {
    pub(crate) keys: Vec<(usize, KnownPsk)>,
    pub(crate) now: Moment,
    pub(crate) otherwise: NotResumed,
}

/// A first flight, as a replay guard sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirstFlight {
    /// The front of its validated binder: no other flight has it.
    pub id: [u8; 32],
    /// When its ticket was issued.
    pub issued: Moment,
    /// When the flight arrived, by the clock of who answered `LookupPsk`.
    pub now: Moment,
    /// Until when a copy of it would be fresh: how long it must be remembered.
    pub expires: Moment,
}

impl FirstFlight {
    /// A first flight made by hand, to try a replay guard with: those of connections come in [`CheckReplay`].
    #[must_use]
    pub const fn new(id: [u8; 32], issued: Moment, now: Moment, expires: Moment) -> Self {
        Self { id, issued, now, expires }
    }
}

/// What a replay guard knows of a first flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was not seen before, and is remembered now.
    Never,
    /// It was seen before.
    Before,
    /// There is no telling.
    Unknown(Unknowable),
}

/// Server: was this first flight seen before? Asked only after its binder matched (RFC 9846 section 8). Anything but
/// [`CheckReplay::fresh`] refuses its early data; the handshake goes on.
///
/// ```compile_fail,E0451
/// let unasked = symbolon::question::CheckReplay { flight: loop {}, ..loop {} };
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
    pub(crate) tag: Tag,
    pub(crate) flight: FirstFlight,
    pub(crate) proof: ReplayGuarded,
}

impl CheckReplay {
    /// What to look for, and to remember.
    #[must_use]
    pub fn flight(&self) -> &FirstFlight {
        &self.flight
    }

    /// What switched early data on in the configuration that serves the connection: its guard is asked, no other.
    #[must_use]
    pub fn proof(&self) -> &ReplayGuarded {
        &self.proof
    }

    /// It was not seen before, and is remembered now.
    #[must_use]
    pub fn fresh(self) -> Answer {
        self.seen(Seen::Never)
    }

    /// It was seen before.
    #[must_use]
    pub fn replayed(self) -> Answer {
        self.seen(Seen::Before)
    }

    /// There is no telling.
    #[must_use]
    pub fn unknown(self, why: Unknowable) -> Answer {
        self.seen(Seen::Unknown(why))
    }

    /// What a guard said.
    #[must_use]
    pub fn seen(self, seen: Seen) -> Answer {
        let verdict = match seen {
            Seen::Never => Verdict::Fresh(Fresh(())),
            Seen::Before => Verdict::NotFresh(NoEarlyData::Replayed),
            Seen::Unknown(why) => Verdict::NotFresh(NoEarlyData::Unknowable(why)),
        };
        Answer { tag: self.tag, verdict }
    }
}

/// Proof that a guard never saw the first flight before; only an answer to `CheckReplay` carries one.
#[derive(Debug)]
pub struct Fresh(());
