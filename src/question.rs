//! Questions to the outside world, and their answers: plain data that may cross a thread, an await or a process.
//!
//! An answer is minted only by consuming its question, and is bound to the connection that asked by 16 random bytes
//! and a counter. Knows the configuration; nothing of states or records.

mod configure;
mod credential;
mod peer;
mod psk;
mod ticket;

pub use configure::{Configure, Offered};
pub use credential::{ChooseCredential, Sign};
pub use peer::{PeerEvidence, Presented, PresentedKey, VerifyPeer};
pub use psk::{CheckReplay, FirstFlight, KnownPsk, LookupPsk, OfferedIdentity, Seen};
pub use ticket::SealTicket;

pub(crate) use configure::Configured;
pub(crate) use credential::Chosen;
pub use psk::Fresh;
pub(crate) use psk::Known;
pub(crate) use ticket::{Sealed, SessionFacts};

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::config::Lease;
use crate::error::Refusal;
use crate::identity::Peer;
use crate::psk::NoEarlyData;
use crate::schedule::PskUsed;

/// Which question of which connection: drawn at random, and counted.
///
/// Not a transcript hash: a replayed first flight has the same one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) connection: [u8; 16],
    pub(crate) serial: u32,
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.serial)
    }
}

/// A decision that needs the outside world.
///
/// ```compile_fail,E0382
/// # use symbolon::question::{Answer, ChooseCredential};
/// fn twice(question: ChooseCredential) -> (Answer, Answer) { (question.none(), question.none()) }
/// ```
/// ```
/// # use symbolon::question::{Answer, ChooseCredential};
/// fn once(question: ChooseCredential) -> Answer { question.none() }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Question {
    /// Server: which configuration and credential serve this ClientHello?
    Configure(Box<Configure>),
    /// Server: which of these identities are known?
    LookupPsk(LookupPsk),
    /// Server: was this first flight seen before?
    CheckReplay(CheckReplay),
    /// Client: which credential answers the server's request?
    ChooseCredential(ChooseCredential),
    /// Both: a signature for CertificateVerify.
    Sign(Sign),
    /// Both: is the peer who it claims to be?
    VerifyPeer(Box<VerifyPeer>),
    /// Server: a ticket for resumption. Pauses nothing; may be answered late or never.
    SealTicket(SealTicket),
}

impl Question {
    /// The question's name, for logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Configure(_) => "Configure",
            Self::LookupPsk(_) => "LookupPsk",
            Self::CheckReplay(_) => "CheckReplay",
            Self::ChooseCredential(_) => "ChooseCredential",
            Self::Sign(_) => "Sign",
            Self::VerifyPeer(_) => "VerifyPeer",
            Self::SealTicket(_) => "SealTicket",
        }
    }
}

/// The answer to one question. There is no other way to make one than through its question.
///
/// ```compile_fail,E0451
/// let forged = symbolon::question::Answer { tag: loop {}, verdict: loop {} };
/// ```
pub struct Answer {
    pub(crate) tag: Tag,
    pub(crate) verdict: Verdict,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match &self.verdict {
            Verdict::Configured(_) => "Configured",
            Verdict::Known(_) => "Known",
            Verdict::Fresh(_) => "Fresh",
            Verdict::NotFresh(_) => "NotFresh",
            Verdict::Chosen(_) => "Chosen",
            Verdict::NoCredential => "NoCredential",
            Verdict::Signed(_) => "Signed",
            Verdict::Verified(_) => "Verified",
            Verdict::Sealed(_) => "Sealed",
            Verdict::NoTicket => "NoTicket",
            Verdict::Refused(_) => "Refused",
        };
        write!(f, "Answer({verdict} {:?})", self.tag)
    }
}

impl Answer {
    /// What the connection is to keep, if it brings a credential that wants something kept.
    pub(crate) fn lease(&self) -> Option<&Lease> {
        match &self.verdict {
            Verdict::Configured(configured) => configured.credential.as_ref()?.lease(),
            Verdict::Chosen(chosen) => chosen.credential.lease(),
            _ => None,
        }
    }
}

/// What an answer says.
pub(crate) enum Verdict {
    Configured(Configured),
    Known(Known),
    Fresh(Fresh),
    NotFresh(NoEarlyData),
    Chosen(Chosen),
    NoCredential,
    Signed(Vec<u8>),
    Verified(Verified),
    Sealed(Sealed),
    NoTicket,
    Refused(Refusal),
}

/// Proof that somebody vouched for the peer: a verifier, or a key that only this peer has.
pub struct Verified(pub(in crate::question) Arc<Peer>);

impl Verified {
    /// The peer whose key the key schedule went through: it can only go on if it has the key.
    #[doc(hidden)]
    pub fn by_psk(peer: Arc<Peer>, _: &PskUsed) -> Self {
        Self(peer)
    }

    /// The peer, to be told of before the handshake is complete.
    pub(crate) fn share_peer(&self) -> Arc<Peer> {
        Arc::clone(&self.0)
    }

    /// The peer, as it was vouched for.
    pub(crate) fn into_peer(self) -> Arc<Peer> {
        self.0
    }
}
