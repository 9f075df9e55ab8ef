//! What a finished handshake was like.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use crate::question::Peer;

/// What was negotiated, and with whom. Handed out once, with `Event::Established`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// The cipher suite.
    pub suite: CipherSuite,
    /// The group of the key exchange.
    pub group: NamedGroup,
    /// The scheme of the server's signature.
    pub signature: SignatureScheme,
    /// The application protocol, if one was negotiated.
    pub alpn: Option<Vec<u8>>,
    /// The DNS name in "server_name", as the client sent it.
    pub server_name: Option<String>,
    /// The verified peer; `None` where a server did not authenticate its client.
    pub peer: Option<Box<Peer>>,
    /// Whether a HelloRetryRequest cost a round trip.
    pub retried: bool,
    /// Why the connection was not resumed.
    pub not_resumed: NotResumed,
}

/// Why a connection was not resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotResumed {
    /// The client offered no pre-shared key.
    NotOffered,
    /// The client offered keys in no mode that the server permits.
    NoCommonMode,
    /// The server knows none of the identities.
    Unknown,
}
