//! A connection of either side that starts when it is first used.

use std::boxed::Box;
use std::mem;
use std::sync::Arc;

use rustls_pki_types::{ServerName, UnixTime};

use super::sessions::Keeper;
use crate::config::{ClientConfig, ServerConfig};
use crate::conn::{Ask, Client, Offer, RecvHalf, SendBuf, SendHalf, Server, Step, Updated};
use crate::error::{Error, Misuse};
use crate::question::Answer;

/// What a connection starts from.
pub(super) enum Start {
    /// Without an offer a ticket is looked for.
    Client {
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        offer: Option<Offer>,
        early: EarlyData,
    },
    Server {
        config: Arc<ServerConfig>,
    },
}

/// Whether a client wants to send early data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlyData {
    /// Unless the offer itself says so.
    Unwanted,
    Wanted,
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

    /// Starts, unless it has: a client's ClientHello is in `out` afterwards.
    pub(super) fn start(&mut self, keeper: &Keeper, out: &mut SendBuf) {
        if !matches!(self, Self::Unstarted(_)) {
            return;
        }
        let Self::Unstarted(start) = mem::replace(self, Self::Ended(Error::ClosedInHandshake)) else {
            return;
        };
        let started = match *start {
            Start::Client { config, name, offer, early } => {
                let offer = offer.unwrap_or_else(|| keeper.offer(&config, &name));
                let offer = match early {
                    EarlyData::Wanted => offer.with_early_data(),
                    EarlyData::Unwanted => offer,
                };
                Client::start(&config, name, offer, out).map(|client| Self::Client(Box::new(client)))
            }
            Start::Server { config } => {
                Server::new_at(&config, UnixTime::now()).map(|server| Self::Server(Box::new(server)))
            }
        };
        *self = started.unwrap_or_else(Self::Ended);
    }

    pub(super) fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error> {
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

    /// How many bytes of early data a client may still send.
    pub(super) fn early_left(&mut self) -> Result<usize, Error> {
        match self {
            Self::Client(conn) => Ok(conn.early_writer().map_or(0, |early| early.remaining())),
            Self::Server(_) => Ok(0),
            Self::Unstarted(_) => Err(Misuse::NotEstablished.into()),
            Self::Ended(error) => Err(error.clone()),
        }
    }

    /// Sends early data.
    pub(super) fn write_early(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
        match self {
            Self::Client(conn) => match conn.early_writer() {
                Some(mut early) => early.write(parts, out),
                None => Err(Misuse::NoEarlyData.into()),
            },
            _ => Err(Misuse::NoEarlyData.into()),
        }
    }

    /// Whether a server has sent its Finished and awaits the client's.
    pub(super) fn is_half_rtt(&mut self) -> bool {
        match self {
            Self::Server(conn) => conn.half_rtt_writer().is_some(),
            _ => false,
        }
    }

    /// Sends a server's data before the client's Finished, or after it.
    pub(super) fn write_half_rtt(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
        if let Self::Server(conn) = self
            && let Some(mut half_rtt) = conn.half_rtt_writer()
        {
            return half_rtt.write(parts, out);
        }
        self.write(parts, out)
    }

    pub(super) fn update_keys(&mut self, ask: Ask, out: &mut SendBuf) -> Result<Updated, Error> {
        either!(self, conn => conn.update_keys(ask, out))
    }

    pub(super) fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        either!(self, conn => conn.exporter(label, context, out))
    }

    pub(super) fn early_exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        either!(self, conn => conn.early_exporter(label, context, out))
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
