//! Connections in memory whose questions are answered by policies.
#![allow(dead_code)] // no test uses everything

use std::sync::Arc;

use rustls_pki_types::ServerName;
use symbolon::config::{ClientConfig, ServerConfig};
use symbolon::conn::{Client, Event, Offer, SendBuf, Server, Step, Summary};
use symbolon::policy::Answerer;
use symbolon::psk::Ticket;
use symbolon::{Error, Moment};

use super::support::Endpoint;

const LIMIT: usize = 1 << 20;

/// One end of a connection.
pub struct Side<E> {
    pub conn: E,
    out: SendBuf,
    inbox: Vec<u8>,
    pub summary: Option<Summary>,
    pub tickets: Vec<Ticket>,
    pub data: Vec<u8>,
}

impl<E: Endpoint> Side<E> {
    fn new(conn: E, out: SendBuf) -> Self {
        Self { conn, out, inbox: Vec::new(), summary: None, tickets: Vec::new(), data: Vec::new() }
    }

    fn flush(&mut self) -> Vec<u8> {
        let bytes = self.out.pending().to_vec();
        self.out.advance(bytes.len());
        bytes
    }

    fn run(&mut self, answerer: &dyn Answerer) -> Result<(), Error> {
        loop {
            let Step { consumed, event } = self.conn.process(&mut self.inbox, &mut self.out)?;
            let mut done = false;
            match event {
                Event::NeedInput { .. } => done = true,
                Event::Ask(question) => self.conn.resume(answerer.answer(question), &mut self.out)?,
                Event::Established(summary) => self.summary = Some(*summary),
                Event::Data(plain) => self.data.extend_from_slice(plain.bytes),
                Event::Ticket(ticket) => self.tickets.push(ticket.received(answerer.moment())),
                _ => {}
            }
            self.inbox.drain(..consumed);
            if done {
                return Ok(());
            }
        }
    }

    pub fn summary(&self) -> &Summary {
        self.summary.as_ref().expect("established")
    }

    /// The certificate that the peer showed, or showed when its session began.
    pub fn leaf(&self) -> Vec<u8> {
        self.summary().peer.as_ref().expect("a peer").chain[0].to_vec()
    }
}

/// A client and a server, and who answers for each.
pub struct Link {
    pub client: Side<Client>,
    pub server: Side<Server>,
    answerers: [Arc<dyn Answerer>; 2],
}

impl Link {
    /// Runs a handshake to its end.
    pub fn connect(
        client: (&Arc<ClientConfig>, Arc<dyn Answerer>),
        server: (&Arc<ServerConfig>, Arc<dyn Answerer>),
        name: &str,
        ticket: Option<(Ticket, Moment)>,
    ) -> Result<Self, Error> {
        let mut link = Self::begin(client, server, name, ticket);
        link.run()?;
        Ok(link)
    }

    /// A client that has its first flight ready.
    pub fn begin(
        client: (&Arc<ClientConfig>, Arc<dyn Answerer>),
        server: (&Arc<ServerConfig>, Arc<dyn Answerer>),
        name: &str,
        ticket: Option<(Ticket, Moment)>,
    ) -> Self {
        let mut out = SendBuf::with_limit(LIMIT);
        let name = ServerName::try_from(name.to_string()).unwrap();
        let offer = ticket.map_or_else(Offer::fresh, |(ticket, now)| Offer::resume(ticket, now));
        let conn = Client::start(client.0, name, offer, &mut out).unwrap();
        Self {
            client: Side::new(conn, out),
            server: Side::new(Server::new(server.0).unwrap(), SendBuf::with_limit(LIMIT)),
            answerers: [client.1, server.1],
        }
    }

    /// Carries bytes both ways until nothing moves, the alert of a side that fails included; how it ended for the client
    /// and for the server.
    pub fn run_apart(&mut self) -> [Result<(), Error>; 2] {
        let mut ends = [Ok(()), Ok(())];
        loop {
            let (up, down) = (self.client.flush(), self.server.flush());
            if up.is_empty() && down.is_empty() {
                return ends;
            }
            self.server.inbox.extend(up);
            self.client.inbox.extend(down);
            let [client, server] = &mut ends;
            if server.is_ok() {
                *server = self.server.run(&*self.answerers[1]);
            }
            if client.is_ok() {
                *client = self.client.run(&*self.answerers[0]);
            }
        }
    }

    /// Carries bytes both ways until nothing moves.
    pub fn run(&mut self) -> Result<(), Error> {
        loop {
            let (up, down) = (self.client.flush(), self.server.flush());
            if up.is_empty() && down.is_empty() {
                return Ok(());
            }
            self.server.inbox.extend(up);
            self.client.inbox.extend(down);
            self.server.run(&*self.answerers[1])?;
            self.client.run(&*self.answerers[0])?;
        }
    }

    /// Carries some bytes each way.
    pub fn talk(&mut self) {
        for _ in 0..2 {
            assert_eq!(self.client.conn.write(&[b"up"], &mut self.client.out), Ok(2));
            assert_eq!(self.server.conn.write(&[b"down"], &mut self.server.out), Ok(4));
            self.run().unwrap();
        }
        assert!(self.server.data.ends_with(b"upup") && self.client.data.ends_with(b"downdown"));
    }
}
