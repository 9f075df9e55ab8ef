//! What the two kinds of connection do differently for the loop that they share.

use alloc::sync::Arc;

use crate::config::ClientConfig;
use crate::error::Error;
use crate::handshake::{Carrier, Established, Next, Tags, client, server};
use crate::question::{Answer, Tag};
use crate::record::Message;
use crate::schedule::{self, Direction};

/// A side of a connection. Not known to the machines themselves.
pub(super) trait Side: Sized {
    /// Whose traffic it reads.
    type Read: Direction;
    /// Whose traffic it writes.
    type Write: Direction;
    /// Its machine.
    type State;

    /// Whether NewSessionTicket may arrive.
    const TAKES_TICKETS: bool;
    /// Whether the peer may have to send an alert before it has the keys that we already have.
    const PEER_MAY_LACK_KEYS: bool;

    fn on_message(
        &self,
        state: Self::State,
        message: Message<'_>,
        carrier: &mut dyn Carrier<Read = Self::Read, Write = Self::Write>,
        tags: &mut Tags,
    ) -> Result<NextOf<Self>, Error>;

    fn on_answer(
        &self,
        state: Self::State,
        answer: Answer,
        carrier: &mut dyn Carrier<Read = Self::Read, Write = Self::Write>,
        tags: &mut Tags,
    ) -> Result<NextOf<Self>, Error>;

    /// Which question is out.
    fn awaits(state: &Self::State) -> Option<Tag>;

    /// Whether a compatibility ChangeCipherSpec is dropped in this state (RFC 9846 section 5).
    fn takes_change_cipher_spec(state: &Self::State) -> bool;
}

/// A side's finished handshake.
pub(super) type EstablishedOf<S> = Established<<S as Side>::Read>;

/// Where a side's machine goes.
pub(super) type NextOf<S> = Next<<S as Side>::State, EstablishedOf<S>>;

/// The client's side.
pub(super) struct ClientSide {
    pub(super) config: Arc<ClientConfig>,
}

impl Side for ClientSide {
    type Read = schedule::Server;
    type Write = schedule::Client;
    type State = client::State;

    const TAKES_TICKETS: bool = true;
    const PEER_MAY_LACK_KEYS: bool = false;

    fn on_message(
        &self,
        state: client::State,
        message: Message<'_>,
        carrier: &mut dyn Carrier<Read = schedule::Server, Write = schedule::Client>,
        tags: &mut Tags,
    ) -> Result<NextOf<Self>, Error> {
        state.on_message(message, &mut client::Context { config: &self.config, carrier, tags })
    }

    fn on_answer(
        &self,
        state: client::State,
        answer: Answer,
        carrier: &mut dyn Carrier<Read = schedule::Server, Write = schedule::Client>,
        tags: &mut Tags,
    ) -> Result<NextOf<Self>, Error> {
        state.on_answer(answer, &mut client::Context { config: &self.config, carrier, tags })
    }

    fn awaits(state: &client::State) -> Option<Tag> {
        state.awaits()
    }

    fn takes_change_cipher_spec(_: &client::State) -> bool {
        true
    }
}

/// The server's side; its configuration may still have to be asked for, so the machine has it.
pub(super) struct ServerSide;

impl Side for ServerSide {
    type Read = schedule::Client;
    type Write = schedule::Server;
    type State = server::State;

    const TAKES_TICKETS: bool = false;
    const PEER_MAY_LACK_KEYS: bool = true;

    fn on_message(
        &self,
        state: server::State,
        message: Message<'_>,
        carrier: &mut dyn Carrier<Read = schedule::Client, Write = schedule::Server>,
        tags: &mut Tags,
    ) -> Result<NextOf<Self>, Error> {
        state.on_message(message, &mut server::Context { carrier, tags })
    }

    fn on_answer(
        &self,
        state: server::State,
        answer: Answer,
        carrier: &mut dyn Carrier<Read = schedule::Client, Write = schedule::Server>,
        tags: &mut Tags,
    ) -> Result<NextOf<Self>, Error> {
        state.on_answer(answer, &mut server::Context { carrier, tags })
    }

    fn awaits(state: &server::State) -> Option<Tag> {
        state.awaits()
    }

    fn takes_change_cipher_spec(state: &server::State) -> bool {
        state.takes_change_cipher_spec()
    }
}
