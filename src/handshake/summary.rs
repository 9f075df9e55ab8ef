//! What a finished handshake was like.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use crate::identity::{Identity, Peer};
use crate::psk::{NoEarlyData, NotResumed};

/// What was negotiated, and with whom. Handed out once, with `Event::Established`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// The cipher suite.
    pub suite: CipherSuite,
    /// The group of the key exchange; `None` when a pre-shared key did without one (`psk_ke`).
    pub group: Option<NamedGroup>,
    /// The scheme of the server's signature; `None` when a pre-shared key authenticated it.
    pub signature: Option<SignatureScheme>,
    /// The application protocol, if one was negotiated.
    pub alpn: Option<Vec<u8>>,
    /// The DNS name in "server_name", as the client sent it.
    pub server_name: Option<String>,
    /// The verified peer; `None` where a server did not authenticate its client.
    pub peer: Option<Arc<Peer>>,
    /// On a server that asks its clients for certificates: this one gave none, neither now nor in the session that it
    /// resumes; an external key is none.
    pub anonymous: bool,
    /// Whether a HelloRetryRequest cost a round trip.
    pub retried: bool,
    /// The pre-shared key that the connection rests on, or why on none.
    pub resumed: Result<Resumed, NotResumed>,
    /// Whether early data was accepted, or why not.
    pub early_data: Result<(), NoEarlyData>,
}

impl Summary {
    /// Who the peer is; [`Identity::Anonymous`] where it was not authenticated.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        self.peer.as_ref().map_or(&Identity::Anonymous, |peer| &peer.identity)
    }
}

/// What kind of pre-shared key a connection rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resumed {
    /// That of a ticket or of a stored session: an earlier connection goes on.
    Session,
    /// One that was provisioned externally.
    ExternalPsk,
}
