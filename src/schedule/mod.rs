//! The key schedule (RFC 9846 section 7): each stage consumes the one before it.
//!
//! [`Offered`], or [`Claimed`] -> [`Proven`], of a pre-shared key -> [`Handshake`], where all others begin -> [`Main`] ->
//! exporter and resumption; each hands out [`Traffic`] secrets whose type says whose they are and for which epoch. Knows
//! hashes and AEADs; nothing of messages or records.

mod early;
mod exporter;
mod label;
mod stages;
#[cfg(all(test, feature = "rustcrypto"))]
mod trace;
mod traffic;

pub(crate) use early::import;
pub use early::{Claimed, Offered, Proven, PskUsed};
pub use exporter::{Exporter, Resumption};
pub(crate) use stages::Constants;
pub use stages::{Ending, Handshake, Main};
pub use traffic::{Finished, FinishedMatched, Keys, Traffic};

/// Whose traffic a key protects.
pub trait Direction: Send + Sync + 'static {}

/// Traffic that the client sends.
pub struct Client;
/// Traffic that the server sends.
pub struct Server;

impl Direction for Client {}
impl Direction for Server {}

/// What a traffic secret protects: early data, to be used once.
pub struct EarlyEpoch;
/// What a traffic secret protects: the handshake, to be used once.
pub struct HandshakeEpoch;
/// What a traffic secret protects: application data, to be updated (RFC 9846 section 7.2).
pub struct ApplicationEpoch;
