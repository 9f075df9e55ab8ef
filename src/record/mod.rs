//! The record layer (RFC 9846 section 5): headers, nonces, sealing, opening in place.
//!
//! Knows keys as the schedule hands them out; nothing of handshake messages.

mod frame;
mod join;
mod limits;
mod nonce;
mod opener;
mod sealer;
mod sendbuf;

pub(crate) use frame::{HEADER_LEN, MAX_CONTENT, other_protocol};
pub use join::EpochBoundary;
pub(crate) use join::{Joiner, Message};
pub use limits::Padding;
pub(crate) use limits::SizeLimit;
pub use opener::Opener;
pub(crate) use opener::{Opened, Protection, Record, Skip, Skipped};
pub(crate) use sealer::{Sealer, TAIL_LEN};
pub use sendbuf::SendBuf;
