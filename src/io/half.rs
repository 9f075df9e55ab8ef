//! The halves of a split stream, without their transports.

use std::io::Result;
use std::task::Poll;

use super::error::io_error;
use super::inbox::Inbox;
use super::mailbox::Mailbox;
use super::outbox::Outbox;
use super::pipe::{Sink, Source};
use super::pump::{self, PeerSide};
use super::sessions::Keeper;
use crate::conn::{Ask, HalfEvent, HalfStep, Order, RecvHalf, SendHalf, Updated};
use crate::error::{Error, Misuse};

/// The half that reads.
pub(super) struct Reader {
    half: RecvHalf,
    inbox: Inbox,
    mailbox: Mailbox,
    peer: PeerSide,
    keeper: Keeper,
}

/// The half that writes.
pub(super) struct Writer {
    /// Gone after close_notify.
    half: Option<SendHalf>,
    outbox: Outbox,
    mailbox: Mailbox,
}

impl Reader {
    pub(super) fn new(
        half: RecvHalf,
        inbox: Inbox,
        mailbox: Mailbox,
        peer: PeerSide,
        keeper: Keeper,
    ) -> Self {
        Self { half, inbox, mailbox, peer, keeper }
    }

    /// Goes on until decrypted bytes wait, or none will come.
    pub(super) fn fill(&mut self, source: &mut impl Source) -> Poll<Result<()>> {
        while self.inbox.plain().is_empty() && self.peer == PeerSide::Open {
            let HalfStep { consumed, event } = match self.half.process(self.inbox.unread()) {
                Ok(step) => step,
                Err(error) => {
                    self.inbox.clear();
                    return Poll::Ready(Err(io_error(error)));
                }
            };
            let wanted = match event {
                HalfEvent::Data(plain) => {
                    let range = plain.range();
                    self.inbox.decrypted(range);
                    None
                }
                HalfEvent::NeedInput { at_least } => Some(at_least),
                HalfEvent::Order(order) => {
                    self.mailbox.post(order);
                    None
                }
                HalfEvent::PeerClosed => {
                    self.peer = PeerSide::Closed;
                    None
                }
                HalfEvent::Ticket(ticket) => {
                    self.keeper.keep(ticket);
                    None
                }
                HalfEvent::Progress => None,
            };
            self.inbox.processed(consumed);
            if let Some(at_least) = wanted {
                match self.inbox.fill(source, at_least) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(self.eof()),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        }
        if self.peer == PeerSide::Closed && self.inbox.plain().is_empty() {
            self.inbox.clear();
        }
        Poll::Ready(Ok(()))
    }

    fn eof(&mut self) -> Result<()> {
        self.half.eof().map_err(|error| {
            self.mailbox.post(Order::Stop);
            self.inbox.clear();
            io_error(error)
        })
    }

    pub(super) fn plain(&self) -> &[u8] {
        self.inbox.plain()
    }

    pub(super) fn consume(&mut self, n: usize) {
        self.inbox.consume(n);
    }

    pub(super) fn copy_to(&mut self, buf: &mut [u8]) -> usize {
        self.inbox.copy_to(buf)
    }

    pub(super) fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.half.exporter(label, context, out).map_err(io_error)
    }
}

impl Writer {
    pub(super) fn new(half: SendHalf, outbox: Outbox, mailbox: Mailbox) -> Self {
        Self { half: Some(half), outbox, mailbox }
    }

    /// Carries out what the reading half ordered.
    pub(super) fn deliver(&mut self) -> Result<()> {
        let Some(half) = &mut self.half else { return Ok(()) };
        for order in self.mailbox.take() {
            half.apply(order, self.outbox.buf()).map_err(io_error)?;
        }
        Ok(())
    }

    /// Takes some of `parts`, and sends as much as the transport takes.
    pub(super) fn write(&mut self, parts: &[&[u8]], sink: &mut impl Sink) -> Poll<Result<usize>> {
        if let Err(error) = self.deliver() {
            return Poll::Ready(Err(error));
        }
        let Self { half, outbox, .. } = self;
        pump::write(outbox, sink, parts, |parts, outbox| match half {
            Some(half) => half.write(parts, outbox.warm()),
            None => Err(Misuse::WriteClosed.into()),
        })
    }

    /// Sends what is pending.
    pub(super) fn flush(&mut self, sink: &mut impl Sink) -> Poll<Result<()>> {
        match self.deliver() {
            Ok(()) => self.outbox.flush(sink),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Puts close_notify behind what is pending; once.
    pub(super) fn close(&mut self) -> Result<()> {
        self.deliver()?;
        match self.half.take() {
            Some(half) => half.close(self.outbox.buf()).map_err(io_error),
            None => Ok(()),
        }
    }

    pub(super) fn update_keys(&mut self, ask: Ask) -> Result<Updated> {
        self.deliver()?;
        let half = self.half.as_mut().ok_or(Error::Misuse(Misuse::WriteClosed)).map_err(io_error)?;
        half.update_keys(ask, self.outbox.buf()).map_err(io_error)
    }

    /// Takes the late answer for a ticket; one that is too late is forgotten.
    #[cfg(feature = "tokio")]
    pub(super) fn resume(&mut self, answer: crate::question::Answer) {
        if let Some(half) = &mut self.half {
            let _ = half.resume(answer, self.outbox.buf());
        }
    }

    /// The last chance to send an alert that was ordered, and whatever else is pending.
    pub(super) fn last_words(&mut self, sink: &mut impl Sink) {
        if self.deliver().is_ok() && !self.outbox.is_empty() {
            let _ = self.outbox.flush(sink);
        }
    }

    #[cfg(feature = "tokio")]
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }
}
