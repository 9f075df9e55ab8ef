//! The loop that client and server share: one record or one message a call.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;

use super::event::{Direction, Epoch, Event, MessageKind, Reported, Step};
use super::line::{Gathering, Line, Shown};
use super::reading::{Compatibility, EarlyReading, Incoming, Reading};
use super::side::{EstablishedOf, Side};
use super::writing::{Sent, Writing};
use crate::alert::AlertCode;
use crate::codepoint::HandshakeType;
use crate::config::Lease;
use crate::error::{Error, Failed, Misuse, Refusal};
use crate::handshake::{Carrier, Established, HalfRtt, Tags};
use crate::question::{Answer, Question};
use crate::record::{Opener, SendBuf};
use crate::schedule::Exporter;

/// The length of a KeyUpdate with its header, in bytes.
const KEY_UPDATE_LEN: usize = 5;

/// A connection of either side.
pub(super) struct Core<S: Side> {
    pub(super) side: S,
    pub(super) reading: Reading<S>,
    pub(super) writing: Writing<S::Write>,
    pub(super) tags: Tags,
    pub(super) phase: Phase<S>,
    pub(super) shown: Shown,
    /// What is still to be told.
    pub(super) events: VecDeque<Event<'static>>,
}

/// How far a connection is.
pub(super) enum Phase<S: Side> {
    Handshake(Box<Handshaking<S>>),
    Open(Open),
    Failed(Error),
}

/// What only a handshake needs; dropped when it is complete.
pub(super) struct Handshaking<S: Side> {
    /// Absent only while a step is under way.
    state: Option<S::State>,
    gathering: Gathering<S::Write>,
    lease: Option<Lease>,
}

/// What both halves of an open connection share.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) exporter: Arc<Exporter>,
    early_exporter: Option<Arc<Exporter>>,
    /// Kept for whoever counts the connections of a credential.
    pub(super) lease: Option<Lease>,
}

impl<S: Side> Core<S> {
    /// A connection whose machine is at its beginning.
    pub(super) fn new(
        side: S,
        reading: Reading<S>,
        writing: Writing<S::Write>,
        tags: Tags,
        shown: Shown,
        start: impl FnOnce(&S, &mut Line<'_, S>, &mut Tags) -> Result<S::State, Error>,
        out: &mut SendBuf,
    ) -> Result<Self, Error> {
        let mut core = Self {
            side,
            reading,
            writing,
            tags,
            phase: Phase::Failed(Error::ClosedInHandshake),
            shown,
            events: VecDeque::new(),
        };
        let mut gathering = Gathering::new();
        let Self { side, reading, writing, tags, shown, events, .. } = &mut core;
        let Reading { opener, early, .. } = reading;
        let mut line: Line<'_, S> = line_of(opener, early, writing, &mut gathering, events, shown, out);
        let state = start(side, &mut line, tags)?;
        core.phase = Phase::Handshake(Box::new(Handshaking { state: Some(state), gathering, lease: None }));
        Ok(core)
    }

    /// Takes one step: an event that waits, one message, or one record.
    pub(super) fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error> {
        if let Some(event) = self.next_event() {
            return Ok(Step { consumed: 0, event });
        }
        if let Phase::Failed(error) = &self.phase {
            return Err(error.clone());
        }
        self.step(input, out).map_err(|error| self.fail(error, out))
    }

    fn step<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error> {
        self.send_tickets(out)?;
        //= testvectors/requirements/rfc9846.txt#section-6.1
        //# Any data received after a closure alert has been received MUST be ignored.
        if self.reading.peer_closed() {
            let consumed = input.len();
            return Ok(Step { consumed, event: Event::NeedInput { at_least: 1 } });
        }
        let progress = |event: Option<Event<'static>>| event.unwrap_or(Event::Progress);
        if self.awaits_answer() {
            // An answer that is given at once finds its flight unsealed and completes its record; what has to wait
            // for one may be flushed meanwhile.
            self.line(out, |line| line.end_flight())?;
            return Ok(Step { consumed: 0, event: Event::Waiting });
        }
        if self.step_message(out)? {
            return Ok(Step { consumed: 0, event: progress(self.next_event()) });
        }
        let compatibility = self.compatibility();
        let (consumed, incoming) = self.reading.record(input, compatibility)?;
        let event = match incoming {
            Incoming::NeedInput { at_least } => Event::NeedInput { at_least },
            Incoming::Data(plaintext) => return Ok(Step { consumed, event: Event::Data(plaintext) }),
            Incoming::Early(plaintext) => return Ok(Step { consumed, event: Event::Early(plaintext) }),
            Incoming::Handshake | Incoming::Nothing => Event::Progress,
            Incoming::ChangeCipherSpec => {
                self.report_received(MessageKind::ChangeCipherSpec, 1, Epoch::Plaintext);
                progress(self.next_event())
            }
            Incoming::Alert(code, epoch) => {
                self.report_received(MessageKind::Alert(code), 2, epoch);
                if code == AlertCode::CLOSE_NOTIFY {
                    self.events.push_back(Event::PeerClosed);
                }
                progress(self.next_event())
            }
        };
        Ok(Step { consumed, event })
    }

    /// Takes the next handshake message, if a whole one waits.
    fn step_message(&mut self, out: &mut SendBuf) -> Result<bool, Error> {
        if let Phase::Handshake(_) = &self.phase {
            return self.step_handshake(out);
        }
        let Some(found) = self.reading.post_handshake()? else { return Ok(false) };
        self.report_received(MessageKind::Handshake(found.kind), found.len, Epoch::Application);
        if let Some(order) = found.order {
            self.writing.apply(order, out)?;
        }
        self.events.extend(found.ticket.map(Event::Ticket));
        Ok(true)
    }

    fn step_handshake(&mut self, out: &mut SendBuf) -> Result<bool, Error> {
        let Self { side, reading, writing, tags, phase, shown, events } = self;
        let Phase::Handshake(handshaking) = phase else { return Ok(false) };
        let epoch = reading.epoch();
        let Reading { opener, joiner, early, .. } = reading;
        let Some(message) = joiner.peek()? else { return Ok(false) };
        let len = message.raw.len();
        let kind = MessageKind::Handshake(message.kind);
        shown.message(Reported { direction: Direction::Received, kind, len, epoch }, events);
        let Handshaking { state, gathering, .. } = &mut **handshaking;
        // Without a state the connection has failed: an error below ends it.
        let Some(current) = state.take() else { return Ok(false) };
        let mut line: Line<'_, S> = line_of(opener, early, writing, gathering, events, shown, out);
        let next = side.on_message(current, message, &mut line, tags)?;
        let established = line.arrive(state, next)?;
        if let Some(established) = established {
            self.establish(established);
        }
        self.reading.joiner.advance(len);
        Ok(true)
    }

    /// Takes the answer to the question that is out.
    pub(super) fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
        match &self.phase {
            Phase::Failed(error) => Err(error.clone()),
            Phase::Open(_) => self.resume_ticket(answer, out),
            Phase::Handshake(handshaking) => {
                let awaited = handshaking.state.as_ref().and_then(S::awaits);
                match awaited {
                    None => Err(Misuse::NoQuestion.into()),
                    Some(tag) if tag != answer.tag => Err(Misuse::WrongAnswer.into()),
                    Some(_) => self.resume_handshake(answer, out).map_err(|error| self.fail(error, out)),
                }
            }
        }
    }

    fn resume_handshake(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
        let Self { side, reading, writing, tags, phase, shown, events } = self;
        let Phase::Handshake(handshaking) = phase else { return Ok(()) };
        let Handshaking { state, gathering, lease } = &mut **handshaking;
        let Some(current) = state.take() else { return Ok(()) };
        if let Some(new) = answer.lease() {
            *lease = Some(Arc::clone(new));
        }
        let Reading { opener, early, .. } = reading;
        let mut line: Line<'_, S> = line_of(opener, early, writing, gathering, events, shown, out);
        let next = side.on_answer(current, answer, &mut line, tags)?;
        let established = line.arrive(state, next)?;
        if let Some(established) = established {
            self.establish(established);
        }
        Ok(())
    }

    /// A ticket, sealed late.
    fn resume_ticket(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
        if answer.tag.connection != self.tags.connection() {
            return Err(Misuse::WrongAnswer.into());
        }
        self.open()?;
        self.writing.take_ticket(answer)?;
        // Where the question for another one is still to be asked, both go into one record.
        let is_for_ticket = |event: &Event<'_>| matches!(event, Event::Ask(Question::SealTicket(_)));
        if self.events.iter().any(is_for_ticket) { Ok(()) } else { self.send_tickets(out) }
    }

    /// Sends the tickets that wait.
    fn send_tickets(&mut self, out: &mut SendBuf) -> Result<(), Error> {
        if !self.writing.holds_tickets() {
            return Ok(());
        }
        for ticket in self.send(|writing| writing.send_tickets(out))? {
            self.report_sent(HandshakeType::NEW_SESSION_TICKET, ticket.len());
        }
        Ok(())
    }

    /// Sends something for the caller. Once the provider failed, nobody knows which keys the peer expects: that ends
    /// the connection, without an alert.
    pub(super) fn command<T>(
        &mut self,
        out: &mut SendBuf,
        send: impl FnOnce(&mut Writing<S::Write>, &mut SendBuf) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.open()?;
        self.send_tickets(out)?;
        self.send(|writing| send(writing, out))
    }

    /// The same, whether or not the handshake is complete.
    pub(super) fn send<T>(
        &mut self,
        send: impl FnOnce(&mut Writing<S::Write>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let before = self.writing.updates();
        let sent = send(&mut self.writing);
        for _ in before..self.writing.updates() {
            self.report_sent(HandshakeType::KEY_UPDATE, KEY_UPDATE_LEN);
        }
        match &sent {
            Ok(_) | Err(Error::Misuse(_)) => {}
            Err(error) => self.forget(error.clone()),
        }
        sent
    }

    fn establish(&mut self, established: EstablishedOf<S>) {
        let Established { suite, read, exporter, summary, tickets, remember, finished } = established;
        self.reading.establish(suite, read, remember, finished);
        let (early_exporter, lease) = match &mut self.phase {
            Phase::Handshake(handshaking) => {
                (handshaking.gathering.early_exporter.take(), handshaking.lease.take())
            }
            _ => (None, None),
        };
        self.phase = Phase::Open(Open { exporter: Arc::new(exporter), early_exporter, lease });
        self.events.push_back(Event::Established(summary));
        self.events.extend(tickets.into_iter().map(|ticket| Event::Ask(Question::SealTicket(ticket))));
    }

    /// The transport ended: whether everything arrived that was sent (RFC 9846 section 6.1).
    //= testvectors/requirements/rfc9846.txt#section-6.1
    //# the TLS implementation MUST receive a "close_notify" alert before indicating end-of-data to the
    //# application layer
    pub(super) fn eof(&mut self, out: &mut SendBuf) -> Result<(), Error> {
        match &self.phase {
            Phase::Failed(error) => Err(error.clone()),
            _ if self.reading.peer_closed() => Ok(()),
            _ => Err(self.fail(Error::Truncated, out)),
        }
    }

    /// Sends close_notify; before the handshake is complete, user_canceled first (RFC 9846 section 6.1).
    pub(super) fn close(&mut self, out: &mut SendBuf) {
        // Whatever becomes of them, close_notify is sent; after a failure of the provider there is none to send.
        let _ = self.send_tickets(out);
        let closed = match &mut self.phase {
            Phase::Failed(_) => return,
            Phase::Open(_) => self.writing.close(out).map(|sent| {
                if sent == Sent::Yes {
                    self.report_alert(AlertCode::CLOSE_NOTIFY);
                }
            }),
            Phase::Handshake(_) => self.cancel(out),
        };
        if let Err(failed) = closed {
            self.forget(failed.into());
        }
    }

    //= testvectors/requirements/rfc9846.txt#section-6.1
    //# This alert MUST be followed by a "close_notify".
    fn cancel(&mut self, out: &mut SendBuf) -> Result<(), Failed> {
        self.line(out, |line| line.prepare_alert())?;
        self.writing.closure_alert(AlertCode::USER_CANCELED, out)?;
        self.report_alert(AlertCode::USER_CANCELED);
        self.writing.close(out)?;
        self.report_alert(AlertCode::CLOSE_NOTIFY);
        // The machine would go on sending behind the close_notify.
        self.forget(Error::ClosedInHandshake);
        Ok(())
    }

    /// Ends the connection for the caller's own reason.
    pub(super) fn abort(&mut self, refusal: Refusal, out: &mut SendBuf) {
        if !matches!(self.phase, Phase::Failed(_)) {
            self.fail(refusal.into(), out);
        }
    }

    /// Ends the connection: the alert goes out, the keys are forgotten, and the error is what every call gives now.
    //= testvectors/requirements/rfc9846.txt#section-6.2
    //# Upon transmission or receipt of a fatal alert message, both parties MUST immediately close the
    //# connection.
    //= testvectors/requirements/rfc9846.txt#section-6.2
    //# it SHOULD send an appropriate fatal alert and MUST close the connection without sending or receiving
    //# any additional data
    fn fail(&mut self, error: Error, out: &mut SendBuf) -> Error {
        if let Some(code) = error.alert() {
            // If even the alert cannot be sealed, the first error is still the one to tell.
            let prepared = self.line(out, |line| line.prepare_alert());
            let sent = prepared.and_then(|()| self.writing.alert(code, out));
            if sent == Ok(Sent::Yes) {
                self.report_alert(code);
            }
        }
        self.forget(error.clone());
        error
    }

    //= testvectors/requirements/rfc9846.txt#section-6
    //# Servers and clients MUST forget the secret values and keys established in failed connections
    fn forget(&mut self, error: Error) {
        self.reading.forget();
        self.writing.forget();
        self.phase = Phase::Failed(error);
    }

    /// Does something with the handshake's carrier, while there is a handshake.
    fn line<T: Default, E>(
        &mut self,
        out: &mut SendBuf,
        act: impl FnOnce(&mut Line<'_, S>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { reading, writing, phase, shown, events, .. } = self;
        let Phase::Handshake(handshaking) = phase else { return Ok(T::default()) };
        let gathering = &mut handshaking.gathering;
        let Reading { opener, early, .. } = reading;
        act(&mut line_of(opener, early, writing, gathering, events, shown, out))
    }

    fn awaits_answer(&self) -> bool {
        match &self.phase {
            Phase::Handshake(handshaking) => handshaking.state.as_ref().and_then(S::awaits).is_some(),
            _ => false,
        }
    }

    //= testvectors/requirements/rfc9846.txt#section-5
    //# If an implementation detects a change_cipher_spec record received before the first ClientHello
    //# message or after the peer's Finished message, it MUST be treated as an unexpected record type
    fn compatibility(&self) -> Compatibility {
        match &self.phase {
            Phase::Handshake(handshaking)
                if handshaking.state.as_ref().is_some_and(S::takes_change_cipher_spec) =>
            {
                Compatibility::Dropped
            }
            _ => Compatibility::Refused,
        }
    }

    /// Reports an alert that was sent.
    fn report_alert(&mut self, code: AlertCode) {
        let (kind, epoch) = (MessageKind::Alert(code), self.writing.epoch());
        self.shown.message(Reported { direction: Direction::Sent, kind, len: 2, epoch }, &mut self.events);
    }

    /// Reports a handshake message that was sent behind the handshake.
    fn report_sent(&mut self, kind: HandshakeType, len: usize) {
        let (kind, epoch) = (MessageKind::Handshake(kind), Epoch::Application);
        self.shown.message(Reported { direction: Direction::Sent, kind, len, epoch }, &mut self.events);
    }

    fn report_received(&mut self, kind: MessageKind, len: usize, epoch: Epoch) {
        self.shown.message(Reported { direction: Direction::Received, kind, len, epoch }, &mut self.events);
    }

    /// The next event that waits; the last one gives the queue's memory back.
    fn next_event(&mut self) -> Option<Event<'static>> {
        let event = self.events.pop_front()?;
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
        Some(event)
    }

    /// Where early data is exported from.
    pub(super) fn early_exporter(&self) -> Result<&Exporter, Error> {
        let exporter = match &self.phase {
            Phase::Failed(error) => return Err(error.clone()),
            Phase::Handshake(handshaking) => &handshaking.gathering.early_exporter,
            Phase::Open(open) => &open.early_exporter,
        };
        exporter.as_deref().ok_or(Misuse::NoEarlyData.into())
    }

    /// How many bytes of early data may still be sent; `None` while none may.
    pub(super) fn early_left(&self) -> Option<usize> {
        let Phase::Handshake(handshaking) = &self.phase else { return None };
        let left = handshaking.gathering.early_left()?;
        Some(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// Sends early data within its budget.
    pub(super) fn write_early(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
        let Some(left) = self.early_left() else { return Err(Misuse::NoEarlyData.into()) };
        let written = self.send(|writing| writing.write_at_most(left, parts, out))?;
        if let Phase::Handshake(handshaking) = &mut self.phase {
            handshaking.gathering.spend_early(written);
        }
        Ok(written)
    }

    /// Whom application data would go to before the handshake is complete, where it can.
    pub(super) fn half_rtt(&self) -> Option<HalfRtt> {
        match &self.phase {
            Phase::Handshake(handshaking) => handshaking.gathering.half_rtt,
            _ => None,
        }
    }

    /// What open connections share; refused before the handshake is complete.
    pub(super) fn open(&self) -> Result<&Open, Error> {
        match &self.phase {
            Phase::Failed(error) => Err(error.clone()),
            //= testvectors/requirements/rfc9846.txt#section-2
            //# Application Data MUST NOT be sent prior to sending the Finished message, except as specified
            //# in Section 2.3.
            Phase::Handshake(_) => Err(Misuse::NotEstablished.into()),
            Phase::Open(open) => Ok(open),
        }
    }
}

/// The handshake's way to the records.
fn line_of<'a, S: Side>(
    opener: &'a mut Opener<S::Read>,
    reads_early: &'a mut EarlyReading,
    writing: &'a mut Writing<S::Write>,
    gathering: &'a mut Gathering<S::Write>,
    events: &'a mut VecDeque<Event<'static>>,
    shown: &'a mut Shown,
    out: &'a mut SendBuf,
) -> Line<'a, S> {
    Line { opener, reads_early, writing, gathering, events, shown, out }
}
