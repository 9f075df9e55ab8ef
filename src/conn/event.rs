//! What a connection tells its caller.

use alloc::boxed::Box;
use core::ops::Range;

use super::early::EarlyPlaintext;
use crate::alert::AlertCode;
use crate::codepoint::HandshakeType;
use crate::crypto::HashSecret;
use crate::handshake::{EarlyOpening, EarlyVerdict, SecretLabel, Summary};
use crate::psk::NewTicket;
use crate::question::Question;
use crate::record::HEADER_LEN;

/// The outcome of one call of `process`.
#[derive(Debug)]
pub struct Step<'b> {
    /// How many bytes at the front of the input are finished with. What lies behind them was not touched.
    pub consumed: usize,
    /// What happened.
    pub event: Event<'b>,
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'b> {
    /// Nothing can go on without more input: flush the output, then read.
    NeedInput {
        /// At least so many bytes beyond those at hand; 1 where it is not known.
        at_least: usize,
    },
    /// Something went on that is none of the caller's business; call again.
    Progress,
    /// A question for the outside world; answer it with `resume`.
    Ask(Question),
    /// A question is still out; nothing is read until it is answered.
    Waiting,
    /// Server: the client sends early data, and it will be read. Comes before its first byte.
    EarlyOpen(Box<EarlyOpening>),
    /// Server: early data. Whoever saw it on its way can have sent it again.
    Early(EarlyPlaintext<'b>),
    /// Server: early data has ended.
    EarlyEnd,
    /// Client: what became of early data.
    EarlyVerdict(EarlyVerdict),
    /// Client: a ticket, good for one more connection.
    Ticket(NewTicket),
    /// The handshake is complete: writing is open.
    Established(Box<Summary>),
    /// Application data, decrypted where it lay.
    Data(Plaintext<'b>),
    /// A traffic secret, with [`reveal_secrets`](crate::config::ClientConfigBuilder::reveal_secrets) alone.
    Secret(Revealed),
    /// A message passed, with [`report_messages`](crate::config::ClientConfigBuilder::report_messages) alone.
    Message(Reported),
    /// Server: a stateless HelloRetryRequest was sent. This connection may be dropped once the output is flushed: a
    /// fresh one accepts the answer.
    RetrySent,
    /// The peer sent close_notify: it is done. Our side goes on until `close`.
    PeerClosed,
}

/// Decrypted application data, where the record lay in the caller's input.
#[derive(Debug)]
pub struct Plaintext<'b> {
    /// The data, never empty.
    pub bytes: &'b mut [u8],
}

impl Plaintext<'_> {
    /// Where the bytes lie in the slice that was given to `process`: an adapter keeps the range, not the borrow.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        HEADER_LEN..HEADER_LEN.saturating_add(self.bytes.len())
    }
}

/// A traffic secret. Whoever has it can read and forge the traffic that it protects.
#[derive(Debug)]
#[non_exhaustive]
pub struct Revealed {
    /// Which one.
    pub label: SecretLabel,
    /// The random of the ClientHello, by which key logs name a connection.
    pub client_random: [u8; 32],
    /// The secret.
    pub secret: HashSecret,
}

/// A message that was sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reported {
    /// Sent or received.
    pub direction: Direction,
    /// What it was.
    pub kind: MessageKind,
    /// Its length in bytes, with the 4-byte header of a handshake message.
    pub len: usize,
    /// What protected it.
    pub epoch: Epoch,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum Direction {
    Sent,
    Received,
}

/// What a message was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageKind {
    /// A handshake message; a HelloRetryRequest is a ServerHello here, as on the wire.
    Handshake(HandshakeType),
    /// A compatibility ChangeCipherSpec.
    ChangeCipherSpec,
    /// An alert.
    Alert(AlertCode),
}

/// Which keys protected a message (RFC 9846 section 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epoch {
    /// None.
    Plaintext,
    /// The keys of early data.
    Early,
    /// The keys of the handshake.
    Handshake,
    /// The keys of application data.
    Application,
}
