//! One end of a connection: drives it, keeps what it was told, and lets nothing pass that must not be.

use std::collections::VecDeque;

use symbolon::conn::{
    Ask, Direction, EarlyOpening, EarlyVerdict, Kernel, NewTicket, Order, Reported, SendBuf, Summary, Updated,
};
use symbolon::question::{Answer, Question};
use symbolon::{Error, Misuse};

use super::answers::Desk;
use super::conn::{Conn, Told};
use super::dice::Dice;
use super::invariants;
use super::memory;
use super::stream::{self, Way};
use super::tally::Tally;
use super::tap::{Said, Tap};
use super::toy;

/// How often keys may be changed on demand: less than a peer's patience.
const MOST_UPDATES: usize = 8;

/// What is compared of exported bytes: those of toys begin with a mark.
pub type Exported = [u8; 24];

/// What happened so far.
#[derive(Default)]
pub struct Log {
    pub established: Option<Box<Summary>>,
    pub exported: Option<Exported>,
    pub early_exported: Option<Exported>,
    /// How much data came.
    pub got: usize,
    pub early_got: usize,
    /// Whose early data it was.
    pub early_of: Option<usize>,
    pub verdict: Option<EarlyVerdict>,
    pub opening: Option<Box<EarlyOpening>>,
    /// What was reported as sent.
    pub reported: Vec<Said>,
    pub tickets: Vec<NewTicket>,
    pub peer_closed: bool,
    pub retry_sent: bool,
    pub error: Option<Error>,
    /// How many questions were asked.
    pub asked: usize,
}

pub struct Peer {
    /// As whom the provider counts its keys.
    pub owner: usize,
    pub connection: usize,
    /// Which way it sends.
    pub way: Way,
    pub conn: Conn,
    pub out: SendBuf,
    limit: usize,
    /// How many bytes of what is pending were heard by the tap.
    heard: usize,
    /// The most that was pending.
    fullest: usize,
    pub inbox: Vec<u8>,
    pub received: usize,
    pub tap: Tap,
    pub desk: Desk,
    pub held: Vec<Question>,
    pub orders: VecDeque<Order>,
    pub log: Log,
    /// What was written.
    pub sent: usize,
    pub early_sent: usize,
    pub closing: bool,
    updates: usize,
    /// After so many steps its provider fails.
    pub fails_in: Option<u32>,
    /// Whether it is of a kind that may fail so.
    pub may_fail: bool,
    judged: bool,
    /// Whether every question waits.
    pub hesitates: bool,
    /// Whether it goes on itself behind a stateless HelloRetryRequest.
    pub stays: bool,
}

/// What a peer needs of the story around it.
pub struct Around<'a> {
    pub dice: &'a mut Dice,
    pub tally: &'a mut Tally,
}

impl Peer {
    pub fn new(
        owner: usize,
        connection: usize,
        way: Way,
        conn: Conn,
        out: (SendBuf, usize),
        tap: Tap,
        desk: Desk,
    ) -> Self {
        let (out, limit) = out;
        let mut peer = Self {
            owner,
            connection,
            way,
            conn,
            out,
            limit,
            heard: 0,
            fullest: 0,
            inbox: Vec::new(),
            received: 0,
            tap,
            desk,
            held: Vec::new(),
            orders: VecDeque::new(),
            log: Log::default(),
            sent: 0,
            early_sent: 0,
            closing: false,
            updates: 0,
            fails_in: None,
            may_fail: false,
            judged: false,
            hesitates: false,
            stays: false,
        };
        peer.listen();
        peer
    }

    /// Does something with the connection, and listens to what it says.
    fn act<T>(&mut self, work: impl FnOnce(&mut Conn, &mut SendBuf) -> T) -> T {
        let Self { owner, conn, out, fails_in, .. } = self;
        let (result, peak) = memory::peak(|| toy::on_behalf(*owner, fails_in, || work(conn, out)));
        self.listen();
        invariants::one_call_needs_little_memory(peak, self.received, self.fullest);
        result
    }

    fn listen(&mut self) {
        let pending = self.out.pending();
        self.tap.hear(&pending[self.heard..]);
        self.heard = pending.len();
        self.fullest = self.fullest.max(pending.len());
    }

    /// Takes up to `most` bytes of what is pending.
    pub fn flush(&mut self, most: usize) -> Vec<u8> {
        let len = most.min(self.out.pending().len());
        let bytes = self.out.pending()[..len].to_vec();
        self.out.advance(len);
        self.heard -= len;
        bytes
    }

    pub fn receive(&mut self, bytes: &[u8]) {
        self.received += bytes.len();
        self.inbox.extend_from_slice(bytes);
    }

    /// Processes what came until there is nothing more to do.
    pub fn run(&mut self, around: &mut Around<'_>) {
        let mut inbox = std::mem::take(&mut self.inbox);
        let mut at = 0;
        // Every step uses up bytes, or tells something that bytes or an answer caused.
        let mut patience = 400 + 4 * inbox.len();
        loop {
            patience = patience.checked_sub(1).expect("a loop without an end");
            match self.act(|conn, out| conn.process(&mut inbox[at..], out)) {
                Ok((consumed, told)) => {
                    at += consumed;
                    if !self.told(told, around) {
                        break;
                    }
                }
                Err(error) => {
                    self.fail(error);
                    break;
                }
            }
        }
        inbox.drain(..at);
        self.inbox = inbox;
        self.settle();
    }

    /// Whether to go on.
    fn told(&mut self, told: Told, around: &mut Around<'_>) -> bool {
        match told {
            Told::Need => return false,
            Told::Waiting => {
                around.tally.count("a question was waited for");
                return false;
            }
            Told::Nothing => {}
            Told::Ask(question) => {
                self.log.asked += 1;
                self.held.push(question);
                // On the spot, or later.
                if !self.hesitates && around.dice.once_in(2) {
                    self.answer_last();
                }
            }
            Told::Established(summary) => {
                let mut exported = [0; 32];
                self.conn.exporter(b"sim", &mut exported).unwrap();
                self.log.exported = exported[8..].try_into().ok();
                assert!(self.log.established.replace(summary).is_none());
            }
            Told::Data(bytes) => self.take_data(&bytes),
            Told::EarlyOpen(opening) => {
                self.export_early();
                self.log.opening = Some(opening);
            }
            Told::Early(bytes) => self.take_early(&bytes),
            Told::EarlyEnd => around.tally.count("early data ended"),
            Told::Verdict(verdict) => assert!(self.log.verdict.replace(verdict).is_none()),
            Told::Ticket(ticket) => self.log.tickets.push(ticket),
            Told::Secret(secret) => self.tap.learn(secret),
            Told::Message(reported) => self.note(reported),
            Told::RetrySent => self.log.retry_sent = true,
            Told::Closed => {
                assert!(!std::mem::replace(&mut self.log.peer_closed, true));
            }
            Told::Order(order) => {
                around.tally.count(match order {
                    Order::AnswerKeyUpdate => "a half was ordered to answer a KeyUpdate",
                    Order::Alert(_) | Order::Stop => "a half was ordered to stop",
                    Order::PeerUpdated => "a half was told of the peer's new keys",
                });
                self.orders.push_back(order);
            }
        }
        true
    }

    fn take_data(&mut self, bytes: &[u8]) {
        assert!(self.log.established.is_some(), "data before the handshake was complete");
        assert!(!self.log.peer_closed, "data behind the end");
        let way = if self.way == Way::Up { Way::Down } else { Way::Up };
        let sent = stream::data(self.connection, way, self.log.got, bytes.len());
        invariants::only_what_was_sent_is_delivered(bytes, &sent);
        self.log.got += bytes.len();
    }

    fn take_early(&mut self, bytes: &[u8]) {
        assert!(self.log.established.is_none(), "early data is late");
        let of = *self.log.early_of.get_or_insert_with(|| stream::owner(bytes));
        let sent = stream::early(of, self.log.early_got, bytes.len());
        invariants::only_what_was_sent_is_delivered(bytes, &sent);
        self.log.early_got += bytes.len();
    }

    pub fn export_early(&mut self) {
        let mut exported = [0; 32];
        if self.conn.early_exporter(&mut exported).is_ok() {
            self.log.early_exported = exported[8..].try_into().ok();
        }
    }

    fn answer_last(&mut self) {
        if let Some(question) = self.held.pop() {
            let answer = self.desk.answer(question);
            self.resume(answer);
        }
    }

    /// Takes an answer to a question of ours; what follows is told by `run`.
    pub fn resume(&mut self, answer: Answer) {
        match self.act(|conn, out| conn.resume(answer, out)) {
            Ok(()) => {}
            // A ticket that came too late.
            Err(Error::Misuse(Misuse::WriteClosed)) if self.closing || self.log.error.is_some() => {}
            Err(Error::Misuse(misuse)) => panic!("our own answer: {misuse:?}"),
            Err(error) => self.fail_sending(error),
        }
    }

    /// Takes an answer that was meant for somebody else.
    pub fn resume_foreign(&mut self, answer: Answer) {
        let refused = self.act(|conn, out| conn.resume(answer, out));
        invariants::a_foreign_answer_is_refused(self, refused);
    }

    pub fn is_open(&self) -> bool {
        self.log.established.is_some() && self.log.error.is_none() && !matches!(self.conn, Conn::Gone)
    }

    /// Writes the next `len` bytes, in a few parts.
    pub fn write(&mut self, len: usize, around: &mut Around<'_>) {
        let bytes = stream::data(self.connection, self.way, self.sent, len);
        let (one, rest) = bytes.split_at(around.dice.within(0..len + 1));
        let (two, three) = rest.split_at(around.dice.within(0..rest.len() + 1));
        match self.act(|conn, out| conn.write(&[one, two, three], out)) {
            Ok(taken) => {
                if taken < len {
                    around.tally.count("a write was cut short by a full buffer");
                }
                self.sent += taken;
            }
            Err(Error::Misuse(Misuse::WriteClosed)) if self.closing || self.conn.is_halved() => {}
            Err(error) => self.fail_sending(error),
        }
        self.settle();
    }

    /// The next `len` bytes as a frame, which goes out at once.
    pub fn seal_frame(&mut self, len: usize, around: &mut Around<'_>) -> Option<Vec<u8>> {
        use symbolon::conn::frame::{HEAD, TAIL};
        let tail = TAIL + around.dice.within(0..3);
        let mut frame = vec![0; HEAD + len + tail];
        frame[HEAD..HEAD + len].copy_from_slice(&stream::data(self.connection, self.way, self.sent, len));
        let sealed = self.act(|conn, out| conn.seal_frame(&mut frame, len, out));
        let record = match sealed {
            Ok(Some(record)) => {
                self.tap.hear(&record);
                self.sent += len;
                around.tally.count("a frame was sealed where it lay");
                Some(record)
            }
            Ok(None) => None,
            Err(Error::Misuse(Misuse::WriteClosed | Misuse::FrameSize)) => None,
            Err(error) => {
                self.fail_sending(error);
                None
            }
        };
        self.settle();
        record
    }

    pub fn update_keys(&mut self, ask: Ask, around: &mut Around<'_>) {
        if self.updates == MOST_UPDATES {
            return;
        }
        self.updates += 1;
        match self.act(|conn, out| conn.update_keys(ask, out)) {
            Ok(Updated::Done) => around.tally.count(match (ask, self.way) {
                (Ask::Peer, Way::Up) => "a client asked for new keys",
                (Ask::Peer, Way::Down) => "a server asked for new keys",
                (Ask::Nobody, _) => "keys were changed unasked",
            }),
            Ok(Updated::AlreadyAsked) => around.tally.count("new keys were asked for twice"),
            Ok(Updated::Limit) => panic!("so many updates were never sent"),
            Err(Error::Misuse(Misuse::WriteClosed)) => {}
            Err(error) => self.fail_sending(error),
        }
        self.settle();
    }

    /// Sends `len` bytes of early data, or as many before the handshake is complete.
    pub fn write_ahead(&mut self, len: usize, around: &mut Around<'_>) {
        let bytes = match self.way {
            Way::Up => stream::early(self.connection, self.early_sent, len),
            Way::Down => stream::data(self.connection, self.way, self.sent, len),
        };
        match self.act(|conn, out| conn.write_ahead(&bytes, out)) {
            Ok(0) => {}
            Ok(taken) if self.way == Way::Up => {
                around.tally.count("early data was sent");
                self.early_sent += taken;
            }
            Ok(taken) => {
                around.tally.count("a server wrote before the client's Finished");
                self.sent += taken;
            }
            Err(error) => self.fail_sending(error),
        }
        self.settle();
    }

    pub fn close(&mut self, around: &mut Around<'_>) {
        self.closing = true;
        if let Err(error) = self.act(|conn, out| conn.close(out)) {
            self.fail_sending(error);
        }
        // That it canceled the handshake, or failed, is told by the next call.
        self.run(around);
    }

    pub fn split(&mut self, around: &mut Around<'_>) {
        if !self.conn.is_halved() && self.conn.split() {
            around.tally.count("a connection was split into halves");
        }
    }

    /// Carries out the next order of the receiving half.
    pub fn obey(&mut self) {
        let Some(order) = self.orders.pop_front() else { return };
        if let Err(error) = self.act(|conn, out| conn.apply(order, out)) {
            self.fail_sending(error);
        }
        self.settle();
    }

    /// The transport ended.
    pub fn eof(&mut self) -> Result<(), Error> {
        let before = self.log.error.clone();
        let end = self.act(|conn, _| conn.eof());
        match (&end, before) {
            (Ok(()), before) => assert!(before.is_none()),
            (Err(error), Some(before)) => assert_eq!(*error, before, "another error at the end"),
            (Err(error), None) => self.log.error = Some(error.clone()),
        }
        end
    }

    /// A call that sends failed. A receiving half goes on without its sending half.
    fn fail_sending(&mut self, error: Error) {
        if self.conn.is_halved() {
            assert!(self.provider_failed(), "{error:?}");
            self.closing = true;
        } else {
            self.fail(error);
        }
    }

    fn fail(&mut self, error: Error) {
        match &self.log.error {
            Some(before) => assert_eq!(*before, error, "the error changed"),
            None => self.log.error = Some(error),
        }
    }

    /// Everything that was said is understood; once there is an error, what it left is judged.
    fn settle(&mut self) {
        self.tap.excused = self.provider_failed();
        self.tap.understand();
        if self.log.error.is_some() && self.orders.is_empty() && !self.judged {
            self.judged = true;
            self.hear_the_rest();
            invariants::an_error_is_final(self);
            self.tap.understand();
            invariants::the_alert_that_is_due_was_sent(self);
        }
    }

    /// Whether its provider failed, as it was told to.
    pub fn provider_failed(&self) -> bool {
        self.may_fail && self.fails_in.is_none()
    }

    fn note(&mut self, reported: Reported) {
        if reported.direction == Direction::Sent {
            self.log.reported.push((reported.kind, reported.len, reported.epoch));
        }
    }

    /// Behind an error, what was still to be told.
    fn hear_the_rest(&mut self) {
        for _ in 0..100 {
            match self.act(|conn, out| conn.process(&mut [], out)) {
                Ok((0, Told::Message(reported))) => self.note(reported),
                Ok((0, Told::Secret(secret))) => self.tap.learn(secret),
                // Told by the step that failed.
                Ok((0, Told::Verdict(verdict))) => assert!(self.log.verdict.replace(verdict).is_none()),
                Ok((consumed, told)) => {
                    panic!("more is told behind {:?}: {consumed} {}", self.log.error, told.name())
                }
                Err(_) => return,
            }
        }
        panic!("there is no end of it");
    }

    /// Calls of which none may do anything any more, for `invariants`.
    pub fn poke(&mut self) -> Vec<Result<(), Error>> {
        self.act(|conn, out| {
            let mut junk = [23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7];
            let mut results = vec![
                conn.process(&mut junk, out).map(drop),
                conn.process(&mut [], out).map(drop),
                conn.eof(),
            ];
            if !conn.is_halved() {
                results.push(conn.write(&[b"x"], out).map(drop));
                results.push(conn.update_keys(Ask::Peer, out).map(drop));
                results.push(conn.seal_frame(&mut [0; 64], 4, out).map(drop));
                results.push(conn.exporter(b"x", &mut [0; 8]));
                results.push(conn.early_exporter(&mut [0; 8]));
                conn.close(out).unwrap();
                assert!(!conn.can_write_ahead());
            }
            results
        })
    }

    /// The keys, where they can be handed over now.
    pub fn take_kernel(&mut self) -> Option<Kernel> {
        let conn = std::mem::replace(&mut self.conn, Conn::Gone);
        conn.into_kernel(&self.out).map_err(|conn| self.conn = *conn).ok()
    }

    /// Ends the connection; what it held is judged.
    pub fn finish(&mut self) {
        let conn = std::mem::replace(&mut self.conn, Conn::Gone);
        let halved = conn.is_halved();
        let weight = memory::weight(conn);
        invariants::a_connection_holds_little_memory(self, weight, halved);
        invariants::all_keys_are_gone(self);
        let out = std::mem::take(&mut self.out);
        let pending = out.pending().len();
        self.heard = 0;
        invariants::an_output_buffer_is_bounded(memory::weight(out), self.fullest.max(pending), self.limit);
    }
}
