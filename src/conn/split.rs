//! A connection taken apart: one half receives, one sends, and plain data goes from the first to the second.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use super::core::{Core, Open};
use super::event::Plaintext;
use super::reading::{Compatibility, Incoming, PostHandshake, Reading};
use super::side::{ClientSide, ServerSide, Side};
use super::writing::{Ask, Frame, Updated, Writing};
use crate::alert::AlertCode;
use crate::config::Lease;
use crate::error::{Error, Misuse};
use crate::psk::NewTicket;
use crate::question::Answer;
use crate::record::SendBuf;
use crate::schedule::{self, Exporter};

/// What the receiving half wants of the sending half; hand it to [`SendHalf::apply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Order {
    /// The peer changed its keys and wants us to change ours. Many of these get one answer.
    AnswerKeyUpdate,
    /// The peer changed its keys.
    PeerUpdated,
    /// The connection failed: tell the peer with this alert.
    Alert(AlertCode),
    /// The connection failed, and the peer knows: send nothing more.
    Stop,
}

/// A connection that cannot be taken apart now.
#[derive(Debug)]
pub struct Unsplit<C> {
    /// The connection, unharmed.
    pub connection: Box<C>,
    /// Why.
    pub why: Error,
}

impl<C> Unsplit<C> {
    pub(super) fn map<D>(self, wrap: impl FnOnce(C) -> D) -> Unsplit<D> {
        Unsplit { connection: Box::new(wrap(*self.connection)), why: self.why }
    }
}

impl<C> From<Unsplit<C>> for Error {
    fn from(unsplit: Unsplit<C>) -> Self {
        unsplit.why
    }
}

impl<C: fmt::Debug> fmt::Display for Unsplit<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<C: fmt::Debug> core::error::Error for Unsplit<C> {}

/// The outcome of one call of [`RecvHalf::process`].
#[derive(Debug)]
pub struct HalfStep<'b> {
    /// How many bytes at the front of the input are finished with.
    pub consumed: usize,
    /// What happened.
    pub event: HalfEvent<'b>,
}

/// What happened on the receiving half.
#[derive(Debug)]
#[non_exhaustive]
pub enum HalfEvent<'b> {
    /// Nothing can go on without more input, at least so many bytes.
    NeedInput {
        /// At least so many bytes beyond those at hand.
        at_least: usize,
    },
    /// Something went on that is none of the caller's business; call again.
    Progress,
    /// Application data, decrypted where it lay.
    Data(Plaintext<'b>),
    /// A client's ticket, good for one more connection.
    Ticket(NewTicket),
    /// Something for the sending half.
    Order(Order),
    /// The peer sent close_notify: it is done.
    PeerClosed,
}

/// The half that receives.
pub struct RecvHalf {
    reading: Box<dyn Receive>,
    exporter: Option<Arc<Exporter>>,
    #[expect(dead_code, reason = "kept, not read")]
    lease: Option<Lease>,
    failed: Option<Error>,
}

/// The half that sends.
pub struct SendHalf {
    writing: Sending,
    connection: [u8; 16],
    exporter: Option<Arc<Exporter>>,
    #[expect(dead_code, reason = "kept, not read")]
    lease: Option<Lease>,
}

/// A sending side of either kind.
pub(super) enum Sending {
    Client(Writing<schedule::Client>),
    Server(Writing<schedule::Server>),
}

/// A receiving side of either kind.
trait Receive: Send + Sync {
    fn peer_closed(&self) -> bool;
    fn post_handshake(&mut self) -> Result<Option<PostHandshake>, Error>;
    fn record<'b>(&mut self, input: &'b mut [u8]) -> Result<(usize, Incoming<'b>), Error>;
    fn forget(&mut self);
}

impl<S: Side> Receive for Reading<S> {
    fn peer_closed(&self) -> bool {
        Self::peer_closed(self)
    }

    fn post_handshake(&mut self) -> Result<Option<PostHandshake>, Error> {
        Self::post_handshake(self)
    }

    fn record<'b>(&mut self, input: &'b mut [u8]) -> Result<(usize, Incoming<'b>), Error> {
        Self::record(self, input, Compatibility::Refused)
    }

    fn forget(&mut self) {
        Self::forget(self);
    }
}

/// Which sending half a side has.
pub(super) trait Splits: Side {
    fn sending(writing: Writing<Self::Write>) -> Sending;
}

impl Splits for ClientSide {
    fn sending(writing: Writing<schedule::Client>) -> Sending {
        Sending::Client(writing)
    }
}

impl Splits for ServerSide {
    fn sending(writing: Writing<schedule::Server>) -> Sending {
        Sending::Server(writing)
    }
}

impl<S: Splits + 'static> Core<S> {
    /// Takes an open connection apart.
    pub(super) fn split(self) -> Result<(RecvHalf, SendHalf), Unsplit<Self>> {
        let shared = match self.open() {
            Ok(_) if !self.events.is_empty() => Err(Misuse::BytesPending.into()),
            Ok(Open { exporter, lease, .. }) => Ok((Some(Arc::clone(exporter)), lease.clone())),
            Err(why) => Err(why),
        };
        let (exporter, lease) = match shared {
            Ok(shared) => shared,
            Err(why) => return Err(Unsplit { connection: Box::new(self), why }),
        };
        let connection = self.tags.connection();
        let Self { reading, writing, .. } = self;
        let writing = S::sending(writing);
        let receiving = RecvHalf {
            reading: Box::new(reading),
            exporter: exporter.clone(),
            lease: lease.clone(),
            failed: None,
        };
        Ok((receiving, SendHalf { writing, connection, exporter, lease }))
    }
}

impl RecvHalf {
    /// Takes one step on the received bytes in `input`, as a connection's `process`.
    ///
    /// # Errors
    ///
    /// An error ends the half. Before it, [`HalfEvent::Order`] tells what the sending half must do about it.
    pub fn process<'b>(&mut self, input: &'b mut [u8]) -> Result<HalfStep<'b>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.reading.peer_closed() {
            return Ok(HalfStep { consumed: input.len(), event: HalfEvent::NeedInput { at_least: 1 } });
        }
        match step(&mut *self.reading, input) {
            Ok(step) => Ok(step),
            Err(error) => {
                let order = error.alert().map_or(Order::Stop, Order::Alert);
                self.forget();
                self.failed = Some(error);
                Ok(HalfStep { consumed: 0, event: HalfEvent::Order(order) })
            }
        }
    }

    /// The transport ended. `Ok` only after the peer's close_notify.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] without close_notify, or the error that ended the half before.
    pub fn eof(&mut self) -> Result<(), Error> {
        if self.failed.is_none() && self.reading.peer_closed() {
            return Ok(());
        }
        let error = self.failed.get_or_insert(Error::Truncated).clone();
        self.forget();
        Err(error)
    }

    /// `TLS-Exporter(label, context, out.len())` (RFC 9846 section 7.5).
    ///
    /// # Errors
    ///
    /// [`Misuse::ExporterLength`], or the error that ended the half.
    pub fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        match (&self.exporter, &self.failed) {
            (Some(exporter), _) => exporter.export(label, context, out),
            (None, failed) => Err(failed.clone().unwrap_or(Error::Truncated)),
        }
    }

    /// RFC 9846 section 6: "Servers and clients MUST forget the secret values and keys established in failed
    /// connections".
    fn forget(&mut self) {
        self.reading.forget();
        self.exporter = None;
    }
}

fn step<'b>(reading: &mut dyn Receive, input: &'b mut [u8]) -> Result<HalfStep<'b>, Error> {
    if let Some(found) = reading.post_handshake()? {
        let event = match (found.order, found.ticket) {
            (Some(order), _) => HalfEvent::Order(order),
            (None, Some(ticket)) => HalfEvent::Ticket(ticket),
            (None, None) => HalfEvent::Progress,
        };
        return Ok(HalfStep { consumed: 0, event });
    }
    let (consumed, incoming) = reading.record(input)?;
    let event = match incoming {
        Incoming::NeedInput { at_least } => HalfEvent::NeedInput { at_least },
        Incoming::Data(plaintext) => HalfEvent::Data(plaintext),
        Incoming::Alert(AlertCode::CLOSE_NOTIFY, _) => HalfEvent::PeerClosed,
        _ => HalfEvent::Progress,
    };
    Ok(HalfStep { consumed, event })
}

/// Calls a method of whichever writing side there is.
macro_rules! writing {
    ($half:expr, $writing:ident => $call:expr) => {
        match $half {
            Sending::Client($writing) => $call,
            Sending::Server($writing) => $call,
        }
    };
}

impl SendHalf {
    /// Seals the concatenation of `parts` into `out`, as a connection's `write`.
    ///
    /// # Errors
    ///
    /// [`Misuse::WriteClosed`] after an order that ended the connection, or after [`Error::Provider`], which ends
    /// the half.
    pub fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
        self.send_tickets(out)?;
        let sent = writing!(&mut self.writing, writing => writing.write(parts, out));
        self.settle(sent)
    }

    /// Seals a frame where it lies, as a connection's `seal_frame`.
    ///
    /// # Errors
    ///
    /// As [`SendHalf::write`], and [`Misuse::FrameSize`].
    pub fn seal_frame<'f>(
        &mut self,
        frame: &'f mut [u8],
        content: usize,
        out: &mut SendBuf,
    ) -> Result<Frame<'f>, Error> {
        self.send_tickets(out)?;
        let sent = writing!(&mut self.writing, writing => writing.seal_frame(frame, content, out));
        self.settle(sent)
    }

    /// Changes our sending keys, as a connection's `update_keys`.
    ///
    /// # Errors
    ///
    /// As [`SendHalf::write`].
    pub fn update_keys(&mut self, ask: Ask, out: &mut SendBuf) -> Result<Updated, Error> {
        self.send_tickets(out)?;
        let sent = writing!(&mut self.writing, writing => writing.update_keys(ask, out));
        self.settle(sent)
    }

    /// Carries out what the receiving half wants.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`].
    pub fn apply(&mut self, order: Order, out: &mut SendBuf) -> Result<(), Error> {
        if let Order::Alert(_) | Order::Stop = order {
            self.exporter = None;
        }
        writing!(&mut self.writing, writing => writing.apply(order, out))
    }

    /// Takes the late answer to a `SealTicket` question.
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] for any other answer.
    pub fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
        if answer.tag.connection != self.connection {
            return Err(Misuse::WrongAnswer.into());
        }
        writing!(&mut self.writing, writing => writing.take_ticket(answer))?;
        self.send_tickets(out)
    }

    /// Sends the ticket just taken, and what waited when the connection was taken apart.
    fn send_tickets(&mut self, out: &mut SendBuf) -> Result<(), Error> {
        let sent = writing!(&mut self.writing, writing => writing.send_tickets(out));
        self.settle(sent).map(drop)
    }

    /// Sends close_notify; the half is gone afterwards.
    ///
    /// ```compile_fail,E0382
    /// # use symbolon::conn::{SendBuf, SendHalf};
    /// fn after(mut half: SendHalf, out: &mut SendBuf) {
    ///     half.close(out);
    ///     half.write(&[b"more"], out);
    /// }
    /// ```
    /// ```
    /// # use symbolon::conn::{SendBuf, SendHalf};
    /// fn before(mut half: SendHalf, out: &mut SendBuf) {
    ///     half.write(&[b"more"], out);
    ///     half.close(out);
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Provider`].
    pub fn close(mut self, out: &mut SendBuf) -> Result<(), Error> {
        let sent = self.send_tickets(out);
        writing!(&mut self.writing, writing => writing.close(out))?;
        sent
    }

    /// `TLS-Exporter(label, context, out.len())` (RFC 9846 section 7.5).
    ///
    /// # Errors
    ///
    /// [`Misuse::ExporterLength`], and [`Misuse::WriteClosed`] after an order that ended the connection.
    pub fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        self.exporter.as_ref().ok_or(Misuse::WriteClosed)?.export(label, context, out)
    }

    /// Once the provider failed, nobody knows which keys the peer expects: that ends the half.
    fn settle<T>(&mut self, sent: Result<T, Error>) -> Result<T, Error> {
        match &sent {
            Ok(_) | Err(Error::Misuse(_)) => {}
            Err(_) => {
                self.exporter = None;
                writing!(&mut self.writing, writing => writing.forget());
            }
        }
        sent
    }
}

impl fmt::Debug for RecvHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvHalf").field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl fmt::Debug for SendHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHalf").finish_non_exhaustive()
    }
}
