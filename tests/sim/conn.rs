//! A connection in any of its shapes, behind one face: a client, a server, or two halves.

use symbolon::conn::{
    Ask, Client, EarlyOpening, EarlyVerdict, Event, Frame, HalfEvent, HalfStep, NewTicket, Order, Reported,
    Revealed, SendBuf, SendHalf, Server, Step, Summary, Updated,
};
use symbolon::conn::{Kernel, RecvHalf};
use symbolon::question::{Answer, Question};
use symbolon::{Error, Misuse};

pub enum Conn {
    Client(Client),
    Server(Server),
    Halves(RecvHalf, Option<SendHalf>),
    Gone,
}

/// What a connection tells, owned.
pub enum Told {
    Need,
    Waiting,
    Nothing,
    Ask(Question),
    Established(Box<Summary>),
    Data(Vec<u8>),
    EarlyOpen(Box<EarlyOpening>),
    Early(Vec<u8>),
    EarlyEnd,
    Verdict(EarlyVerdict),
    Ticket(NewTicket),
    Secret(Revealed),
    Message(Reported),
    RetrySent,
    Closed,
    Order(Order),
}

impl Told {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Need => "NeedInput",
            Self::Waiting => "Waiting",
            Self::Nothing => "Progress",
            Self::Ask(question) => question.name(),
            Self::Established(_) => "Established",
            Self::Data(_) => "Data",
            Self::EarlyOpen(_) => "EarlyOpen",
            Self::Early(_) => "Early",
            Self::EarlyEnd => "EarlyEnd",
            Self::Verdict(_) => "EarlyVerdict",
            Self::Ticket(_) => "Ticket",
            Self::Secret(_) => "Secret",
            Self::Message(_) => "Message",
            Self::RetrySent => "RetrySent",
            Self::Closed => "PeerClosed",
            Self::Order(_) => "Order",
        }
    }
}

fn told(event: Event<'_>) -> Told {
    match event {
        Event::NeedInput { at_least } => {
            assert!(at_least > 0, "more input is needed, but none");
            Told::Need
        }
        Event::Waiting => Told::Waiting,
        Event::Progress => Told::Nothing,
        Event::Ask(question) => Told::Ask(question),
        Event::Established(summary) => Told::Established(summary),
        Event::Data(plain) => {
            assert_eq!(plain.range().len(), plain.bytes.len());
            Told::Data(plain.bytes.to_vec())
        }
        Event::EarlyOpen(opening) => Told::EarlyOpen(opening),
        Event::Early(early) => Told::Early(early.accept_replayable().bytes.to_vec()),
        Event::EarlyEnd => Told::EarlyEnd,
        Event::EarlyVerdict(verdict) => Told::Verdict(verdict),
        Event::Ticket(ticket) => Told::Ticket(ticket),
        Event::Secret(secret) => Told::Secret(secret),
        Event::Message(reported) => Told::Message(reported),
        Event::RetrySent => Told::RetrySent,
        Event::PeerClosed => Told::Closed,
        other => panic!("unknown event {other:?}"),
    }
}

fn told_half(event: HalfEvent<'_>) -> Told {
    match event {
        HalfEvent::NeedInput { at_least } => {
            assert!(at_least > 0, "more input is needed, but none");
            Told::Need
        }
        HalfEvent::Progress => Told::Nothing,
        HalfEvent::Data(plain) => Told::Data(plain.bytes.to_vec()),
        HalfEvent::Ticket(ticket) => Told::Ticket(ticket),
        HalfEvent::Order(order) => Told::Order(order),
        HalfEvent::PeerClosed => Told::Closed,
        other => panic!("unknown event {other:?}"),
    }
}

const CLOSED: Error = Error::Misuse(Misuse::WriteClosed);

/// Calls what both kinds of whole connections have; halves have their own.
macro_rules! each {
    ($conn:expr, $whole:ident => $call:expr, $recv:pat, $send:pat => $halves:expr) => {
        match $conn {
            Conn::Client($whole) => $call,
            Conn::Server($whole) => $call,
            Conn::Halves($recv, $send) => $halves,
            Conn::Gone => unreachable!("the connection is gone"),
        }
    };
}

impl Conn {
    pub fn process(&mut self, input: &mut [u8], out: &mut SendBuf) -> Result<(usize, Told), Error> {
        each!(self, whole => {
            let Step { consumed, event } = whole.process(input, out)?;
            Ok((consumed, told(event)))
        }, recv, _ => {
            let HalfStep { consumed, event } = recv.process(input)?;
            Ok((consumed, told_half(event)))
        })
    }

    pub fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
        each!(self, whole => whole.resume(answer, out), _, send => match send {
            Some(send) => send.resume(answer, out),
            None => Err(CLOSED),
        })
    }

    pub fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
        each!(self, whole => whole.write(parts, out), _, send => match send {
            Some(send) => send.write(parts, out),
            None => Err(CLOSED),
        })
    }

    /// The record, where it was sealed.
    pub fn seal_frame(
        &mut self,
        frame: &mut [u8],
        content: usize,
        out: &mut SendBuf,
    ) -> Result<Option<Vec<u8>>, Error> {
        let sealed = each!(self, whole => whole.seal_frame(frame, content, out), _, send => match send {
            Some(send) => send.seal_frame(frame, content, out),
            None => Err(CLOSED),
        });
        Ok(match sealed? {
            Frame::Sealed(record) => Some(record.to_vec()),
            Frame::FlushFirst => None,
        })
    }

    pub fn update_keys(&mut self, ask: Ask, out: &mut SendBuf) -> Result<Updated, Error> {
        each!(self, whole => whole.update_keys(ask, out), _, send => match send {
            Some(send) => send.update_keys(ask, out),
            None => Err(CLOSED),
        })
    }

    pub fn close(&mut self, out: &mut SendBuf) -> Result<(), Error> {
        each!(self, whole => {
            whole.close(out);
            Ok(())
        }, _, send => match send.take() {
            Some(send) => send.close(out),
            None => Ok(()),
        })
    }

    pub fn apply(&mut self, order: Order, out: &mut SendBuf) -> Result<(), Error> {
        match self {
            Self::Halves(_, Some(send)) => send.apply(order, out),
            // The sending half is done and gone.
            _ => Ok(()),
        }
    }

    pub fn eof(&mut self) -> Result<(), Error> {
        each!(self, whole => whole.eof(), recv, _ => recv.eof())
    }

    pub fn exporter(&self, label: &[u8], out: &mut [u8]) -> Result<(), Error> {
        each!(self, whole => whole.exporter(label, b"", out), recv, _ => recv.exporter(label, b"", out))
    }

    pub fn early_exporter(&self, out: &mut [u8]) -> Result<(), Error> {
        each!(self, whole => whole.early_exporter(b"sim", b"", out), _, _ => Err(CLOSED))
    }

    pub fn is_halved(&self) -> bool {
        matches!(self, Self::Halves(..))
    }

    pub fn split(&mut self) -> bool {
        let (whole, why) = match std::mem::replace(self, Self::Gone) {
            Self::Client(client) => match client.split() {
                Ok((recv, send)) => (Self::Halves(recv, Some(send)), None),
                Err(unsplit) => (Self::Client(*unsplit.connection), Some(unsplit.why)),
            },
            Self::Server(server) => match server.split() {
                Ok((recv, send)) => (Self::Halves(recv, Some(send)), None),
                Err(unsplit) => (Self::Server(*unsplit.connection), Some(unsplit.why)),
            },
            other => (other, None),
        };
        *self = whole;
        assert!(why.is_none_or(|why| why == Error::Misuse(Misuse::BytesPending)));
        self.is_halved()
    }

    /// The keys, where they can be handed over now; else the connection as it was.
    pub fn into_kernel(self, out: &SendBuf) -> Result<Kernel, Box<Self>> {
        let whole = match self {
            Self::Client(client) => match client.into_kernel(out) {
                Ok(kernel) => return Ok(kernel),
                Err(unsplit) => Self::Client(*unsplit.connection),
            },
            Self::Server(server) => match server.into_kernel(out) {
                Ok(kernel) => return Ok(kernel),
                Err(unsplit) => Self::Server(*unsplit.connection),
            },
            other => other,
        };
        Err(Box::new(whole))
    }

    /// Sends early data or data before the handshake is complete, where that can be.
    pub fn write_ahead(&mut self, bytes: &[u8], out: &mut SendBuf) -> Result<usize, Error> {
        match self {
            Self::Client(client) => match client.early_writer() {
                Some(mut writer) => {
                    let left = writer.remaining();
                    let taken = writer.write(&[bytes], out)?;
                    assert!(taken <= left && left - taken == writer.remaining());
                    Ok(taken)
                }
                None => Ok(0),
            },
            Self::Server(server) => match server.half_rtt_writer() {
                Some(writer) => writer.to_unauthenticated().write(&[bytes], out),
                None => Ok(0),
            },
            _ => Ok(0),
        }
    }

    /// Whether anything may be sent before the handshake is complete.
    pub fn can_write_ahead(&mut self) -> bool {
        match self {
            Self::Client(client) => client.early_writer().is_some(),
            Self::Server(server) => server.half_rtt_writer().is_some(),
            _ => false,
        }
    }
}
