//! A connection of either side that starts when it is first used.

use std::boxed::Box;
use std::mem;
use std::sync::Arc;

use rustls_pki_types::{ServerName, UnixTime};

use crate::config::{ClientConfig, ServerConfig};
use crate::conn::{Ask, Client, Offer, RecvHalf, SendBuf, SendHalf, Server, Step, Updated};
use crate::error::{Error, Misuse};
use crate::question::Answer;

/// What a connection starts from.
pub(super) enum Start {
    Client { config: Arc<ClientConfig>, name: ServerName<'static>, offer: Offer },
    Server { config: Arc<ServerConfig> },
}

/// A connection of either side.
pub(super) enum Conn {
    /// Nothing was sent or read yet.
    Unstarted(Box<Start>),
    Client(Box<Client>),
    Server(Box<Server>),
    /// It could not start, or was closed before it did.
    Ended(Error),
}

/// Calls a method of whichever connection there is.
macro_rules! either {
    ($conn:expr, $it:ident => $call:expr) => {
        match $conn {
            Conn::Client($it) => $call,
            Conn::Server($it) => $call,
            Conn::Unstarted(_) => Err(Misuse::NotEstablished.into()),
            Conn::Ended(error) => Err(error.clone()),
        }
    };
}

impl Conn {
    pub(super) fn new(start: Start) -> Self {
        Self::Unstarted(Box::new(start))
    }

    /// What it will start from, while it has not.
    pub(super) fn start_mut(&mut self) -> Option<&mut Start> {
        match self {
            Self::Unstarted(start) => Some(start),
            _ => None,
        }
    }

    fn start(&mut self, out: &mut SendBuf) {
        if !matches!(self, Self::Unstarted(_)) {
            return;
        }
        let Self::Unstarted(start) = mem::replace(self, Self::Ended(Error::ClosedInHandshake)) else {
            return;
        };
        let started = match *start {
            Start::Client { config, name, offer } => {
                Client::start(&config, name, offer, out).map(|client| Self::Client(Box::new(client)))
            }
            Start::Server { config } => {
                Server::new_at(&config, UnixTime::now()).map(|server| Self::Server(Box::new(server)))
            }
        };
        *self = started.unwrap_or_else(Self::Ended);
    }

    pub(super) fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error> {
        self.start(out);
        either!(self, conn => conn.process(input, out))
    }

    pub(super) fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
        either!(self, conn => conn.resume(answer, out))
    }

    pub(super) fn eof(&mut self) -> Result<(), Error> {
        either!(self, conn => conn.eof())
    }

    pub(super) fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
        either!(self, conn => conn.write(parts, out))
    }

    pub(super) fn update_keys(&mut self, ask: Ask, out: &mut SendBuf) -> Result<Updated, Error> {
        either!(self, conn => conn.update_keys(ask, out))
    }

    pub(super) fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        either!(self, conn => conn.exporter(label, context, out))
    }

    pub(super) fn close(&mut self, out: &mut SendBuf) {
        match self {
            Self::Client(conn) => conn.close(out),
            Self::Server(conn) => conn.close(out),
            Self::Unstarted(_) => *self = Self::Ended(Error::ClosedInHandshake),
            Self::Ended(_) => {}
        }
    }

    pub(super) fn split(self) -> Result<(RecvHalf, SendHalf), Error> {
        match self {
            Self::Client(conn) => conn.split().map_err(Error::from),
            Self::Server(conn) => conn.split().map_err(Error::from),
            Self::Unstarted(_) => Err(Misuse::NotEstablished.into()),
            Self::Ended(error) => Err(error),
        }
    }
}
