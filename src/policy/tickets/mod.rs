//! Tickets: what a server gives to clients so that they can resume (RFC 9846 section 4.7.1).
//!
//! A [`TicketRing`] seals what is to be remembered into the ticket; a [`SessionCache`] keeps it in memory.

mod cache;
mod chain;
mod guards;
mod key;
mod ring;
mod state;
#[cfg(all(test, feature = "rustcrypto"))]
mod tests;

pub use cache::SessionCache;
pub use chain::FleetSecret;
pub use key::{Generation, KeyName, MAX_KEYS, RingError, Schedule};
pub use ring::{Pushed, TicketRing};
pub use state::RingState;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::config::{Reach, ReplayGuarded};
use crate::moment::Moment;
use crate::psk::{NotResumed, Session};

/// RFC 9846 section 4.7.1: "Servers MUST NOT use any value greater than 604800 seconds (7 days)."
pub(super) const MAX_LIFETIME: u32 = 604_800;

/// Gives out tickets and takes them back: seals them, or stores what they stand for.
pub trait Tickets: Send + Sync {
    /// How long a ticket that is issued at `now` can be taken, in seconds; 0 for not at all.
    fn lifetime(&self, now: Moment) -> u32;

    /// A ticket for this session, good for configurations of this fingerprint; `None` where there can be none. At most
    /// 16,000 bytes: a longer one is not sent ([`SealTicket::sealed`](crate::question::SealTicket::sealed)).
    fn issue(&self, session: Session, fingerprint: &[u8], now: Moment) -> Option<Vec<u8>>;

    /// The session of a ticket that was issued under this fingerprint.
    ///
    /// # Errors
    ///
    /// Why there is none: the connection falls back to a full handshake.
    fn take(&self, ticket: &[u8], fingerprint: &[u8], now: Moment) -> Result<Box<Session>, NotResumed>;

    /// Who else takes these tickets.
    fn reach(&self) -> Reach;

    /// Whether the guard of `proof` sees all early data with these tickets under this fingerprint; each policy with early
    /// data asks once. No, while another guard is in use that does not share its memory. By default yes: whoever makes the
    /// policies has to see to it then.
    fn admits(&self, proof: &ReplayGuarded, fingerprint: &[u8]) -> bool {
        let _ = (proof, fingerprint);
        true
    }
}

/// The whole seconds from `now` to `end`, at most 7 days.
pub(super) fn seconds_until(end: Moment, now: Moment) -> u32 {
    let left = end.since(now).unwrap_or_default().as_secs();
    u32::try_from(left).unwrap_or(u32::MAX).min(MAX_LIFETIME)
}
