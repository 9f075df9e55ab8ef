//! A client and a server at a distance: connections in memory whose bytes arrive later, on a clock that counts the
//! distance as well as the time that both ends really compute.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls_pki_types::ServerName;
use symbolon::config::{ClientConfig, ServerConfig};
use symbolon::conn::{Client, EarlyVerdict, Event, Offer, SendBuf, Server, Step, Summary};
use symbolon::policy::Answerer;
use symbolon::psk::Ticket;
use symbolon::{Error, Moment};

/// Bytes under way.
struct Letter {
    arrives: Duration,
    /// How many letters of the other end came before it, one answering the other.
    trips: u32,
    bytes: Vec<u8>,
}

/// How much an end may have pending, in bytes.
const LIMIT: usize = 64 << 10;

/// One end: its own clock, and what is under way to it.
struct End {
    clock: Duration,
    trips: u32,
    inbox: VecDeque<Letter>,
    /// What arrived and is not used up.
    input: Vec<u8>,
    out: SendBuf,
}

impl End {
    fn new() -> Self {
        let out = SendBuf::with_limit(LIMIT);
        Self { clock: Duration::ZERO, trips: 0, inbox: VecDeque::new(), input: Vec::new(), out }
    }

    /// Takes the next letter.
    fn receive(&mut self) {
        let Some(letter) = self.inbox.pop_front() else { return };
        self.clock = self.clock.max(letter.arrives);
        self.trips = self.trips.max(letter.trips);
        self.input.extend_from_slice(&letter.bytes);
    }

    /// Sends what is pending to `other`.
    fn send(&mut self, other: &mut Self, one_way: Duration) {
        let bytes = self.out.pending().to_vec();
        if bytes.is_empty() {
            return;
        }
        self.out.advance(bytes.len());
        other.inbox.push_back(Letter { arrives: self.clock + one_way, trips: self.trips + 1, bytes });
    }

    fn arrives_next(&self) -> Option<Duration> {
        self.inbox.front().map(|letter| letter.arrives)
    }
}

/// Who talks to whom.
pub struct Distance<'a> {
    pub client: (&'a Arc<ClientConfig>, &'a dyn Answerer),
    pub server: (&'a Arc<ServerConfig>, &'a dyn Answerer),
    pub name: ServerName<'static>,
    /// For a letter and its answer.
    pub round_trip: Duration,
}

/// How a request and its response went.
pub struct Visit {
    /// From the first byte of the ClientHello to the last one of the response.
    pub took: Duration,
    pub round_trips: u32,
    pub summary: Summary,
    pub tickets: Vec<Ticket>,
}

impl Distance<'_> {
    /// Sends `request` as soon as the offer lets it, and waits for `response`.
    pub fn visit(&self, offer: Offer, now: Moment, request: &[u8], response: &[u8]) -> Result<Visit, Error> {
        let one_way = self.round_trip / 2;
        let (mut near, mut far) = (End::new(), End::new());
        let began = Instant::now();
        let mut client = Asking {
            conn: Client::start(self.client.0, self.name.clone(), offer, &mut near.out)?,
            answerer: self.client.1,
            request,
            is_to_be_sent: true,
            summary: None,
            received: Vec::new(),
            tickets: Vec::new(),
        };
        if let Some(mut early) = client.conn.early_writer() {
            client.is_to_be_sent = early.write(&[request], &mut near.out)? < request.len();
        }
        near.clock += began.elapsed();
        near.send(&mut far, one_way);
        let mut server = Answering {
            conn: Server::new(self.server.0)?,
            answerer: self.server.1,
            request,
            response,
            received: Vec::new(),
        };
        let mut arrived = None;
        loop {
            let server_next = match (near.arrives_next(), far.arrives_next()) {
                (None, None) => break,
                (near, far) => far.is_some_and(|far| near.is_none_or(|near| far <= near)),
            };
            let (end, other) = if server_next { (&mut far, &mut near) } else { (&mut near, &mut far) };
            end.receive();
            let began = Instant::now();
            if server_next {
                server.take(end)?
            } else {
                client.take(end)?
            }
            end.clock += began.elapsed();
            end.send(other, one_way);
            if arrived.is_none() && client.received == response {
                arrived = Some((near.clock, near.trips / 2));
            }
        }
        let (took, round_trips) = arrived.ok_or(Error::Truncated)?;
        let summary = *client.summary.ok_or(Error::Truncated)?;
        let tickets = client.tickets.into_iter().map(|ticket| ticket.received(now)).collect();
        Ok(Visit { took, round_trips, summary, tickets })
    }
}

struct Asking<'a> {
    conn: Client,
    answerer: &'a dyn Answerer,
    request: &'a [u8],
    /// The request, once the handshake is complete.
    is_to_be_sent: bool,
    summary: Option<Box<Summary>>,
    received: Vec<u8>,
    tickets: Vec<symbolon::psk::NewTicket>,
}

impl Asking<'_> {
    fn take(&mut self, end: &mut End) -> Result<(), Error> {
        let mut at = 0;
        loop {
            let Step { consumed, event } = self.conn.process(&mut end.input[at..], &mut end.out)?;
            at += consumed;
            match event {
                Event::NeedInput { .. } => break,
                Event::Ask(question) => self.conn.resume(self.answerer.answer(question), &mut end.out)?,
                Event::Established(summary) => {
                    self.summary = Some(summary);
                    if self.is_to_be_sent {
                        self.conn.write(&[self.request], &mut end.out)?;
                    }
                }
                // A program that knows its request to be harmless sends it again, on purpose.
                Event::EarlyVerdict(EarlyVerdict::Refused) => self.is_to_be_sent = true,
                Event::Data(plain) => self.received.extend_from_slice(plain.bytes),
                Event::Ticket(ticket) => self.tickets.push(ticket),
                _ => {}
            }
        }
        end.input.drain(..at);
        Ok(())
    }
}

struct Answering<'a> {
    conn: Server,
    answerer: &'a dyn Answerer,
    request: &'a [u8],
    response: &'a [u8],
    received: Vec<u8>,
}

impl Answering<'_> {
    fn take(&mut self, end: &mut End) -> Result<(), Error> {
        let mut at = 0;
        loop {
            let Step { consumed, event } = self.conn.process(&mut end.input[at..], &mut end.out)?;
            at += consumed;
            match event {
                Event::NeedInput { .. } => break,
                Event::Ask(question) => self.conn.resume(self.answerer.answer(question), &mut end.out)?,
                // This request changes nothing: it may be answered although it may be a replay.
                Event::Early(early) => self.received.extend_from_slice(early.accept_replayable().bytes),
                Event::Data(plain) => self.received.extend_from_slice(plain.bytes),
                _ => {}
            }
            if self.received == self.request {
                self.received.clear();
                match self.conn.half_rtt_writer() {
                    Some(mut early) => early.write(&[self.response], &mut end.out)?,
                    None => self.conn.write(&[self.response], &mut end.out)?,
                };
            }
        }
        end.input.drain(..at);
        Ok(())
    }
}
