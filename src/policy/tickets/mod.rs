//! Tickets: what a server gives to clients so that they can resume (RFC 9846 section 4.7.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::config::Reach;
use crate::moment::Moment;
use crate::psk::{NotResumed, Session};

/// Gives out tickets and takes them back: seals them, or stores what they stand for.
pub trait Tickets: Send + Sync {
    /// How long a ticket that is issued at `now` can be taken, in seconds; 0 for not at all.
    fn lifetime(&self, now: Moment) -> u32;

    /// A ticket for this session, good for configurations of this fingerprint; `None` where there can be none. At most
    /// 65,535 bytes.
    fn issue(&self, session: Session, fingerprint: &[u8], now: Moment) -> Option<Vec<u8>>;

    /// The session of a ticket that was issued under this fingerprint.
    ///
    /// # Errors
    ///
    /// Why there is none: the connection falls back to a full handshake.
    fn take(&self, ticket: &[u8], fingerprint: &[u8], now: Moment) -> Result<Box<Session>, NotResumed>;

    /// Who else takes these tickets.
    fn reach(&self) -> Reach;
}
