//! A connection of either side.

use std::sync::Arc;

use rustls_pki_types::ServerName;
use symbolon::config::{ClientConfig, ServerConfig};
use symbolon::conn::{Ask, Client, EarlyWriter, Offer, SendBuf, Server, Step};
use symbolon::question::Answer;
use symbolon::{AlertCode, Error};

use crate::refusals::refuse;

/// A client or a server.
pub enum Endpoint {
    Client(Box<Client>),
    Server(Box<Server>),
}

/// The same call on either.
macro_rules! either {
    ($endpoint:expr, $connection:ident => $call:expr) => {
        match $endpoint {
            Endpoint::Client($connection) => $call,
            Endpoint::Server($connection) => $call,
        }
    };
}

impl Endpoint {
    pub fn client(
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
        offer: Offer,
        out: &mut SendBuf,
    ) -> Result<Self, Error> {
        Ok(Self::Client(Box::new(Client::start(config, name, offer, out)?)))
    }

    pub fn server(config: &Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self::Server(Box::new(Server::new(config)?)))
    }

    pub fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error> {
        either!(self, connection => connection.process(input, out))
    }

    pub fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
        either!(self, connection => connection.resume(answer, out))
    }

    pub fn eof(&mut self) -> Result<(), Error> {
        either!(self, connection => connection.eof())
    }

    pub fn is_established(&self) -> bool {
        either!(self, connection => connection.is_established())
    }

    pub fn update_keys(&mut self, out: &mut SendBuf) -> Result<(), Error> {
        either!(self, connection => connection.update_keys(Ask::Nobody, out).map(drop))
    }

    pub fn close(&mut self, out: &mut SendBuf) {
        either!(self, connection => connection.close(out));
    }

    /// Ends with a fatal alert that nothing else here sends.
    pub fn abort(&mut self, out: &mut SendBuf) {
        let refusal = refuse(AlertCode(30), "SENT_ALERT");
        either!(self, connection => connection.abort(refusal, out));
    }

    pub fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        either!(self, connection => connection.exporter(label, context, out))
    }

    /// Writes application data, where the handshake lets it: a server also before the client's Finished.
    pub fn write(&mut self, bytes: &[u8], out: &mut SendBuf) -> Result<usize, Error> {
        if let Self::Server(server) = self
            && let Some(writer) = server.half_rtt_writer()
        {
            return writer.to_unauthenticated().write(&[bytes], out);
        }
        either!(self, connection => connection.write(&[bytes], out))
    }

    /// A client's early data.
    pub fn early_writer(&mut self) -> Option<EarlyWriter<'_>> {
        match self {
            Self::Client(client) => client.early_writer(),
            Self::Server(_) => None,
        }
    }
}
