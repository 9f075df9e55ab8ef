//! The pump: one loop between a transport and a connection, for every adapter.
//!
//! It reads, processes, flushes and remembers; it never waits and never answers: questions go to the face above it.

use std::boxed::Box;
use std::io::{Error as IoError, ErrorKind, Result};
use std::sync::Arc;
use std::task::Poll;

use super::buffers::Buffers;
use super::conn::{Conn, Start};
use super::early::EarlyInbox;
use super::error::io_error;
use super::half::{Reader, Writer};
use super::inbox::Inbox;
use super::mailbox::Mailbox;
use super::observer::Observer;
use super::outbox::Outbox;
use super::pipe::{Sink, Source};
use super::sessions::Keeper;
use crate::conn::{Ask, EarlyOpening, EarlyVerdict, Event, Step, Summary, Updated};
use crate::error::{Error, Misuse};
use crate::question::{Answer, Question};

/// A connection with its buffers.
pub(super) struct Pump {
    conn: Conn,
    inbox: Inbox,
    outbox: Outbox,
    news: News,
}

/// What the connection told.
struct News {
    keeper: Keeper,
    observer: Option<Arc<dyn Observer>>,
    summary: Option<Box<Summary>>,
    early: EarlyInbox,
    verdict: Option<EarlyVerdict>,
    peer: PeerSide,
}

/// What a caller waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Anything that is to be told but early data, which is kept.
    Told,
    /// Server: early data, or that there is none.
    Early,
    /// Our Finished was sent; early data is kept.
    HalfRtt,
}

/// Whether the peer may still send.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PeerSide {
    Open,
    Closed,
}

/// Why the pump stopped.
pub(super) enum Turn {
    /// The handshake is complete.
    Established,
    /// Decrypted data waits.
    Data,
    /// The peer sent close_notify.
    Closed,
    /// Early data waits, or none will come: for [`Until::Early`].
    Early,
    /// Our Finished was sent: for [`Until::HalfRtt`].
    HalfRtt,
    /// The face has to get an answer.
    Ask(Question),
    /// An answer is still missing.
    Waiting,
}

/// What one step came to, for the loops here.
enum Stepped {
    Again,
    NeedInput(usize),
    Turn(Turn),
}

impl Pump {
    pub(super) fn new(start: Start, buffers: Buffers, keeper: Keeper) -> Self {
        let early = match start {
            Start::Client { .. } => EarlyInbox::shut(),
            Start::Server { .. } => EarlyInbox::new(),
        };
        Self {
            conn: Conn::new(start),
            inbox: Inbox::new(buffers.clone()),
            outbox: Outbox::new(buffers),
            news: News { keeper, observer: None, summary: None, early, verdict: None, peer: PeerSide::Open },
        }
    }

    /// What the connection will start from, while it has not.
    pub(super) fn start_mut(&mut self) -> Option<&mut Start> {
        self.conn.start_mut()
    }

    pub(super) fn set_observer(&mut self, observer: Arc<dyn Observer>) {
        self.news.observer = Some(observer);
    }

    /// Takes buffers from another pool; only before the connection has started, when none holds anything.
    pub(super) fn set_buffers(&mut self, buffers: Buffers) {
        if self.conn.start_mut().is_some() {
            self.inbox.set_pool(buffers.clone());
            self.outbox.set_pool(buffers);
        }
    }

    pub(super) fn summary(&self) -> Option<&Summary> {
        self.news.summary.as_deref()
    }

    /// Whether the handshake was completed at any time.
    pub(super) fn was_established(&self) -> bool {
        self.news.summary.is_some()
    }

    pub(super) fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.conn.exporter(label, context, out).map_err(io_error)
    }

    pub(super) fn early_exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.conn.early_exporter(label, context, out).map_err(io_error)
    }

    /// Client: what became of early data, once that is known.
    pub(super) fn early_verdict(&self) -> Option<EarlyVerdict> {
        self.news.verdict
    }

    /// Server: what early data was sent for.
    pub(super) fn early_opening(&self) -> Option<&EarlyOpening> {
        self.news.early.opening()
    }

    /// Server: whether early data waits, or none will come.
    pub(super) fn early_is_told(&self) -> bool {
        self.news.early.is_told()
    }

    /// Whether data can be sent, the client's Finished or not.
    pub(super) fn is_half_rtt(&mut self) -> bool {
        self.was_established() || self.conn.is_half_rtt()
    }

    /// Server: hands early data out.
    pub(super) fn copy_early(&mut self, buf: &mut [u8]) -> usize {
        self.news.early.copy_to(buf)
    }

    /// Decrypted bytes that wait, where they were received.
    pub(super) fn plain(&self) -> &[u8] {
        self.inbox.plain()
    }

    pub(super) fn consume(&mut self, n: usize) {
        self.inbox.consume(n);
    }

    pub(super) fn copy_to(&mut self, buf: &mut [u8]) -> usize {
        self.inbox.copy_to(buf)
    }

    /// Goes on until something is to be told. Losing nothing, it may be called again after `Pending` or an error of
    /// the transport.
    pub(super) fn turn<P: Source + Sink>(&mut self, pipe: &mut P, until: Until) -> Poll<Result<Turn>> {
        self.start();
        loop {
            match until {
                Until::Early if self.early_is_told() => return Poll::Ready(Ok(Turn::Early)),
                Until::HalfRtt if self.is_half_rtt() => return Poll::Ready(Ok(Turn::HalfRtt)),
                Until::Told if self.was_established() => self.check_early()?,
                _ => {}
            }
            if !self.inbox.plain().is_empty() {
                return Poll::Ready(Ok(Turn::Data));
            }
            if self.news.peer == PeerSide::Closed {
                self.inbox.clear();
                return Poll::Ready(Ok(Turn::Closed));
            }
            match self.step() {
                Ok(Stepped::Again) => {}
                Ok(Stepped::Turn(turn)) => return Poll::Ready(Ok(turn)),
                Ok(Stepped::NeedInput(at_least)) => {
                    if self.rules_early_out() && until == Until::Early {
                        continue;
                    }
                    match self.receive(pipe, at_least) {
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Pending => return Poll::Pending,
                    }
                }
                Err(error) => return Poll::Ready(Err(self.fail(error, pipe))),
            }
        }
    }

    fn start(&mut self) {
        if self.conn.start_mut().is_some() {
            self.conn.start(&self.news.keeper, self.outbox.warm());
        }
    }

    /// Server: whether it shows just now that no early data will come, by our Finished having left without word of it.
    fn rules_early_out(&mut self) -> bool {
        let rules_out = self.news.early.is_unknown() && self.conn.is_half_rtt();
        if rules_out {
            self.news.early.rule_out();
        }
        rules_out
    }

    /// Early data that waits is neither passed over nor taken for ordinary data.
    fn check_early(&self) -> Result<()> {
        match self.news.early.waits() {
            true => Err(io_error(Misuse::EarlyDataWaits.into())),
            false => Ok(()),
        }
    }

    /// Passes on what waits behind the handshake without reading: the questions for tickets, one a call.
    pub(super) fn settle(&mut self, sink: &mut impl Sink) -> Result<Option<Question>> {
        loop {
            let Step { event, .. } = match self.conn.process(&mut [], self.outbox.buf()) {
                Ok(step) => step,
                Err(error) => return Err(self.fail(error, sink)),
            };
            match event {
                Event::Ask(question) => return Ok(Some(question)),
                Event::NeedInput { .. } | Event::Waiting => return Ok(None),
                other => {
                    let _ = self.news.note(other);
                }
            }
        }
    }

    /// One call of `process`.
    fn step(&mut self) -> core::result::Result<Stepped, Error> {
        let Self { conn, inbox, outbox, news } = self;
        let out = match news.summary {
            None => outbox.warm(),
            Some(_) => outbox.buf(),
        };
        let Step { consumed, event } = conn.process(inbox.unread(), out)?;
        let stepped = match event {
            Event::Data(plain) => {
                let range = plain.range();
                inbox.decrypted(range);
                Stepped::Again
            }
            Event::Early(early) => {
                news.early.push(early.accept_replayable().bytes);
                Stepped::Again
            }
            other => news.note(other),
        };
        inbox.processed(consumed);
        Ok(stepped)
    }

    /// Sends what is pending, then reads.
    fn receive<P: Source + Sink>(&mut self, pipe: &mut P, at_least: usize) -> Poll<Result<()>> {
        let broken = match (self.outbox.flush(pipe), self.was_established()) {
            // Writing is the writer's business: it meets the same error.
            (_, true) | (Poll::Pending | Poll::Ready(Ok(())), false) => None,
            // A peer that refuses us and goes away has told us why: that is to be read first.
            (Poll::Ready(Err(error)), false) if is_gone(&error) => Some(error),
            (Poll::Ready(Err(error)), false) => return Poll::Ready(Err(error)),
        };
        match (self.inbox.fill(pipe, at_least), broken) {
            (Poll::Ready(Ok(1..)), _) => Poll::Ready(Ok(())),
            (_, Some(error)) => Poll::Ready(Err(error)),
            (Poll::Ready(Ok(0)), None) => match self.conn.eof() {
                Ok(()) => {
                    self.news.peer = PeerSide::Closed;
                    Poll::Ready(Ok(()))
                }
                Err(error) => Poll::Ready(Err(self.fail(error, pipe))),
            },
            (other, None) => other.map_ok(drop),
        }
    }

    /// Takes an answer. After the handshake only tickets are answered, and one that is too late is forgotten.
    pub(super) fn resume(&mut self, answer: Answer, sink: &mut impl Sink) -> Result<()> {
        match self.conn.resume(answer, self.outbox.warm()) {
            Err(error) if !self.was_established() => Err(self.fail(error, sink)),
            _ => {
                self.outbox.settle();
                Ok(())
            }
        }
    }

    /// Takes some of `parts`, and sends as much as the transport takes.
    pub(super) fn write(&mut self, parts: &[&[u8]], sink: &mut impl Sink) -> Poll<Result<usize>> {
        let Self { conn, outbox, .. } = self;
        write(outbox, sink, parts, |parts, outbox| conn.write(parts, outbox.warm()))
    }

    /// Client: how many bytes of early data may still be sent.
    pub(super) fn early_left(&mut self) -> Result<usize> {
        self.start();
        self.conn.early_left().map_err(io_error)
    }

    /// Client: takes some of `parts` as early data; nothing where none may be sent.
    pub(super) fn write_early(&mut self, parts: &[&[u8]], sink: &mut impl Sink) -> Poll<Result<usize>> {
        if self.early_left()? == 0 {
            return Poll::Ready(Ok(0));
        }
        let Self { conn, outbox, .. } = self;
        write(outbox, sink, parts, |parts, outbox| conn.write_early(parts, outbox.warm()))
    }

    /// Server: takes some of `parts` although the client's Finished may not have come.
    pub(super) fn write_half_rtt(&mut self, parts: &[&[u8]], sink: &mut impl Sink) -> Poll<Result<usize>> {
        let Self { conn, outbox, .. } = self;
        write(outbox, sink, parts, |parts, outbox| conn.write_half_rtt(parts, outbox.warm()))
    }

    /// Sends what is pending.
    pub(super) fn flush(&mut self, sink: &mut impl Sink) -> Poll<Result<()>> {
        self.outbox.flush(sink)
    }

    pub(super) fn update_keys(&mut self, ask: Ask) -> Result<Updated> {
        self.conn.update_keys(ask, self.outbox.buf()).map_err(io_error)
    }

    /// Puts close_notify behind what is pending; once.
    pub(super) fn close(&mut self) {
        self.conn.close(self.outbox.buf());
        if self.was_established() {
            self.tell();
        }
    }

    /// Tells what waits to be told, for nothing may be read any more. A ticket that is asked for now comes too late.
    fn tell(&mut self) {
        while let Ok(Step { event, .. }) = self.conn.process(&mut [], self.outbox.buf()) {
            match event {
                Event::NeedInput { .. } | Event::Waiting => break,
                other => {
                    let _ = self.news.note(other);
                }
            }
        }
    }

    /// Takes the connection apart.
    pub(super) fn split(self) -> Result<(Reader, Writer)> {
        self.check_early()?;
        let Self { conn, inbox, outbox, news } = self;
        let (receiving, sending) = conn.split().map_err(io_error)?;
        let mailbox = Mailbox::new();
        let reader = Reader::new(receiving, inbox, mailbox.clone(), news.peer, news.keeper);
        Ok((reader, Writer::new(sending, outbox, mailbox)))
    }

    /// Sends the alert as far as that is possible at once, and tells the observer of it.
    fn fail(&mut self, error: Error, sink: &mut impl Sink) -> IoError {
        while let Ok(Step { event, .. }) = self.conn.process(&mut [], self.outbox.buf()) {
            match event {
                Event::Message(_) | Event::Secret(_) => {
                    let _ = self.news.note(event);
                }
                _ => break,
            }
        }
        let _ = self.outbox.flush(sink);
        if !matches!(error, Error::Misuse(_)) {
            self.inbox.clear();
            if !self.was_established() {
                // Nobody was there who would finish the handshake.
                self.news.early.forget();
            }
        }
        io_error(error)
    }
}

impl News {
    /// Remembers what an event says.
    fn note(&mut self, event: Event<'_>) -> Stepped {
        match event {
            Event::NeedInput { at_least } => return Stepped::NeedInput(at_least),
            Event::Ask(question) => return Stepped::Turn(Turn::Ask(question)),
            Event::Waiting => return Stepped::Turn(Turn::Waiting),
            Event::Established(summary) => {
                self.early.end();
                if let Some(observer) = &self.observer {
                    observer.established(&summary);
                }
                self.summary = Some(summary);
                return Stepped::Turn(Turn::Established);
            }
            Event::Secret(secret) => {
                if let Some(observer) = &self.observer {
                    observer.secret(&secret);
                }
            }
            Event::Message(message) => {
                if let Some(observer) = &self.observer {
                    observer.message(&message);
                }
            }
            Event::PeerClosed => {
                // RFC 9846 section 6.1: what follows a closure alert is ignored.
                self.peer = PeerSide::Closed;
            }
            Event::EarlyOpen(opening) => self.early.open(opening),
            Event::EarlyEnd => self.early.end(),
            Event::EarlyVerdict(verdict) => self.verdict = Some(verdict),
            Event::Ticket(ticket) => self.keeper.keep(ticket),
            Event::Progress | Event::RetrySent | Event::Data(_) | Event::Early(_) => {}
        }
        Stepped::Again
    }
}

/// Takes some of `parts`, and sends as much as the transport takes. What was taken is pending at worst: an error of
/// the transport is met again by the next call.
pub(super) fn write(
    outbox: &mut Outbox,
    sink: &mut impl Sink,
    parts: &[&[u8]],
    seal: impl FnOnce(&[&[u8]], &mut Outbox) -> core::result::Result<usize, Error>,
) -> Poll<Result<usize>> {
    if let Poll::Ready(Err(error)) = outbox.push(sink) {
        return Poll::Ready(Err(error));
    }
    let sealed = seal(parts, outbox);
    let taken = match sealed {
        Ok(taken) => taken,
        Err(error) => {
            outbox.settle();
            return Poll::Ready(Err(io_error(error)));
        }
    };
    if taken == 0 && parts.iter().any(|part| !part.is_empty()) {
        // Full, and the transport takes nothing: it has the waker.
        return Poll::Pending;
    }
    let _ = outbox.push(sink);
    outbox.settle();
    Poll::Ready(Ok(taken))
}

/// Whether the peer went away.
fn is_gone(error: &IoError) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}
