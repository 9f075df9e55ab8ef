//! A connection with its buffers, what it has said and what it has told; and the rules that hold of any of them.

use std::collections::VecDeque;

use symbolon::conn::{
    Ask, Client, EarlyVerdict, Event, Kernel, NewTicket, Plaintext, RecvHalf, SecretLabel, SendBuf, SendHalf,
    Server, Step, Summary,
};
use symbolon::question::{Answer, Question};
use symbolon::{Error, Misuse};

use super::answers::{Knowledge, Manner, Manners};
use crate::Script;

/// A client or a server.
pub trait Endpoint: Sized {
    fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error>;
    fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error>;
    fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error>;
    fn update_keys(&mut self, ask: Ask, out: &mut SendBuf) -> Result<(), Error>;
    fn close(&mut self, out: &mut SendBuf);
    fn eof(&mut self) -> Result<(), Error>;
    fn is_established(&self) -> bool;
    fn exporter(&self) -> Result<[u8; 32], Error>;
    /// Takes an open connection apart.
    fn halves(self) -> (RecvHalf, SendHalf);
    /// Hands the keys of an open connection over.
    fn kernel(self, out: &SendBuf) -> Kernel;
    /// Early data of a client, half-RTT data of a server; `None` while there can be none.
    fn write_early(&mut self, bytes: &[u8], out: &mut SendBuf) -> Option<Result<usize, Error>>;
}

macro_rules! endpoint {
    ($($type:ty: |$conn:ident, $bytes:ident, $out:ident| $early:expr),*) => {$(
        impl Endpoint for $type {
            fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error> {
                self.process(input, out)
            }
            fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
                self.resume(answer, out)
            }
            fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
                self.write(parts, out)
            }
            fn update_keys(&mut self, ask: Ask, out: &mut SendBuf) -> Result<(), Error> {
                self.update_keys(ask, out).map(drop)
            }
            fn close(&mut self, out: &mut SendBuf) {
                self.close(out);
            }
            fn eof(&mut self) -> Result<(), Error> {
                self.eof()
            }
            fn is_established(&self) -> bool {
                self.is_established()
            }
            fn exporter(&self) -> Result<[u8; 32], Error> {
                let mut out = [0; 32];
                self.exporter(b"EXPORTER-fuzz", b"context", &mut out)?;
                Ok(out)
            }
            fn halves(self) -> (RecvHalf, SendHalf) {
                self.split().expect("no event waits")
            }
            fn kernel(self, out: &SendBuf) -> Kernel {
                self.into_kernel(out).expect("nothing waits")
            }
            fn write_early(&mut self, $bytes: &[u8], $out: &mut SendBuf) -> Option<Result<usize, Error>> {
                let $conn = self;
                $early
            }
        }
    )*};
}
endpoint!(
    Client: |conn, bytes, out| conn.early_writer().map(|mut writer| writer.write(&[bytes], out)),
    Server: |conn, bytes, out| {
        conn.half_rtt_writer().map(|writer| writer.to_unauthenticated().write(&[bytes], out))
    }
);

/// A record as the connection sent it, without protection: the null provider encrypts nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub kind: u8,
    pub sealed: bool,
    pub content: Vec<u8>,
}

/// An endpoint under test.
pub struct Party<E> {
    pub conn: E,
    pub out: SendBuf,
    pub inbox: Vec<u8>,
    pub knowledge: Knowledge,
    pub manners: Manners,
    pub held: VecDeque<Question>,
    /// A question was answered to somebody else.
    pub lost: bool,
    /// What answers were given to `VerifyPeer` that vouch for the peer.
    pub vouched: usize,
    pub summary: Option<Summary>,
    pub data: Vec<u8>,
    pub early: Vec<u8>,
    pub early_open: bool,
    pub early_ended: bool,
    pub verdicts: Vec<EarlyVerdict>,
    pub tickets: Vec<NewTicket>,
    pub secrets: Vec<(SecretLabel, Vec<u8>)>,
    pub peer_closed: bool,
    pub closed: bool,
    pub error: Option<Error>,
    /// Bytes that left, not yet fetched by the peer.
    pub sent: Vec<u8>,
    /// What left, record by record.
    pub said: Vec<Said>,
}

impl<E: Endpoint> Party<E> {
    pub fn new(conn: E, out: SendBuf, knowledge: Knowledge, manners: Manners) -> Self {
        let mut party = Self {
            conn,
            out,
            inbox: Vec::new(),
            knowledge,
            manners,
            held: VecDeque::new(),
            lost: false,
            vouched: 0,
            summary: None,
            data: Vec::new(),
            early: Vec::new(),
            early_open: false,
            early_ended: false,
            verdicts: Vec::new(),
            tickets: Vec::new(),
            secrets: Vec::new(),
            peer_closed: false,
            closed: false,
            error: None,
            sent: Vec::new(),
            said: Vec::new(),
        };
        party.flush();
        party
    }

    /// Processes the inbox as far as it goes.
    pub fn run(&mut self, script: &mut Script<'_>) {
        if self.error.is_some() {
            self.stays_dead();
            return;
        }
        let (mut at, mut steps) = (0, 0_usize);
        let bound = 1_000 + 8 * self.inbox.len();
        let result = loop {
            steps += 1;
            assert!(steps < bound, "{steps} steps without an end");
            match self.step(&mut at, script) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.inbox.drain(..at);
        self.note(result);
    }

    /// One call of `process`; whether to go on.
    fn step(&mut self, at: &mut usize, script: &mut Script<'_>) -> Result<bool, Error> {
        let Self { conn, out, inbox, .. } = self;
        let step = conn.process(&mut inbox[*at..], out);
        if let Err(error) = &step {
            assert!(!matches!(error, Error::Misuse(_)), "a peer cannot misuse us: {error}");
        }
        let Step { consumed, event } = step?;
        *at += consumed;
        match event {
            Event::NeedInput { at_least } => {
                assert!(at_least > 0);
                return Ok(false);
            }
            Event::Progress | Event::RetrySent | Event::Message(_) => {}
            Event::Ask(question) => match self.manners.of(&question) {
                Manner::Later => self.held.push_back(question),
                manner => {
                    let answer = self.answer(question, manner, script);
                    self.conn.resume(answer, &mut self.out)?;
                }
            },
            Event::Waiting => {
                assert!(self.lost || !self.held.is_empty(), "every question was answered");
                return Ok(false);
            }
            Event::Established(summary) => {
                assert!(self.summary.is_none(), "established twice");
                assert!(self.conn.is_established());
                self.summary = Some(*summary);
            }
            Event::Data(Plaintext { bytes, .. }) => {
                assert!(self.summary.is_some() && !bytes.is_empty());
                self.data.extend_from_slice(bytes);
            }
            Event::EarlyOpen(_) => {
                assert!(!self.early_open && self.summary.is_none());
                self.early_open = true;
            }
            Event::Early(early) => {
                assert!(self.early_open && !self.early_ended);
                self.early.extend_from_slice(early.accept_replayable().bytes);
            }
            Event::EarlyEnd => {
                assert!(self.early_open && !self.early_ended);
                self.early_ended = true;
            }
            Event::EarlyVerdict(verdict) => self.verdicts.push(verdict),
            Event::Secret(secret) => self.secrets.push((secret.label, secret.secret.expose().to_vec())),
            Event::Ticket(ticket) => {
                assert!(self.summary.is_some());
                self.tickets.push(ticket);
            }
            Event::PeerClosed => {
                assert!(!self.peer_closed && self.summary.is_some());
                self.peer_closed = true;
            }
            other => panic!("unknown event {other:?}"),
        }
        Ok(true)
    }

    pub fn answer(&mut self, question: Question, manner: Manner, script: &mut Script<'_>) -> Answer {
        let about_peer = matches!(question, Question::VerifyPeer(_));
        let answer = match manner {
            Manner::Honest | Manner::Later => self.knowledge.honest(question),
            _ => self.knowledge.otherwise(question, manner, script),
        };
        if about_peer && format!("{answer:?}").contains("Verified") {
            self.vouched += 1;
        }
        answer
    }

    /// Answers the question that waits longest.
    pub fn release(&mut self, manner: Manner, script: &mut Script<'_>) {
        let Some(question) = self.held.pop_front() else { return };
        let answer = self.answer(question, manner, script);
        self.resume(answer);
        self.run(script);
    }

    pub fn resume(&mut self, answer: Answer) {
        let resumed = self.conn.resume(answer, &mut self.out);
        self.note(resumed);
    }

    /// What a call gave: misuse harms nothing, any other error ends the connection.
    pub fn note<T>(&mut self, result: Result<T, Error>) {
        self.flush();
        match result {
            Ok(_) | Err(Error::Misuse(_)) => {}
            Err(error) => {
                let first = self.error.is_none();
                assert!(first || self.error.as_ref() == Some(&error), "{:?}, then {error:?}", self.error);
                self.error = Some(error);
                if first {
                    self.told_its_end();
                }
            }
        }
    }

    /// The alert of an error is the last thing that was sent, and there is only one.
    fn told_its_end(&self) {
        let Some(error) = &self.error else { return };
        let alerts: Vec<_> = self.said.iter().filter(|said| said.kind == 21).collect();
        let fatal = |said: &&&Said| said.content[1] != 0 && said.content[1] != 90;
        assert!(alerts.iter().filter(fatal).count() <= 1);
        match error.alert() {
            Some(code) if !self.closed => {
                let last = self.said.last().expect("an alert was sent");
                assert_eq!((last.kind, &*last.content), (21, &[2, code.0][..]), "{error}");
            }
            _ => assert_eq!(alerts.iter().filter(fatal).count(), 0, "{error}"),
        }
        let ended_by_peer = matches!(error, Error::Alert(_) | Error::Truncated | Error::ClosedInHandshake);
        assert!(error.alert().is_some() || ended_by_peer, "{error}");
    }

    /// Every further call gives the same error, and nothing more is sent.
    pub fn stays_dead(&mut self) {
        let Some(error) = self.error.clone() else { return };
        self.inbox.clear();
        for bytes in [&[][..], &[22, 3, 3, 0, 1, 0]] {
            let mut bytes = bytes.to_vec();
            let given = loop {
                // What was still to be told is told first.
                match self.conn.process(&mut bytes, &mut self.out) {
                    Ok(Step { consumed, event }) => {
                        assert_eq!(consumed, 0);
                        assert!(!matches!(event, Event::NeedInput { .. } | Event::Progress | Event::Waiting));
                    }
                    Err(given) => break given,
                }
            };
            assert_eq!(given, error);
        }
        assert_eq!(self.conn.write(&[b"x"], &mut self.out), Err(error));
        assert!(!self.conn.is_established() && self.conn.exporter().is_err());
        assert!(self.out.is_empty(), "nothing is sent after the end");
    }

    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let written = self.conn.write(&[bytes], &mut self.out);
        if self.error.is_none() && !self.closed {
            let premature = written == Err(Error::Misuse(Misuse::NotEstablished));
            assert_eq!(premature, !self.conn.is_established());
        }
        let taken = *written.as_ref().unwrap_or(&0);
        self.note(written);
        taken
    }

    pub fn write_early(&mut self, bytes: &[u8]) -> usize {
        let written = self.conn.write_early(bytes, &mut self.out);
        let taken = written.as_ref().map_or(0, |written| *written.as_ref().unwrap_or(&0));
        if let Some(written) = written {
            self.note(written);
        }
        taken
    }

    pub fn update_keys(&mut self, ask: Ask) {
        let updated = self.conn.update_keys(ask, &mut self.out);
        self.note(updated);
    }

    pub fn close(&mut self) {
        self.closed = true;
        self.conn.close(&mut self.out);
        self.flush();
    }

    pub fn eof(&mut self) {
        let ended = self.conn.eof();
        if self.error.is_none() && !self.closed {
            assert_eq!(ended.is_ok(), self.peer_closed, "the end is clean only after close_notify");
        }
        self.note(ended);
    }

    /// Takes down what is to be sent.
    fn flush(&mut self) {
        let bytes = self.out.pending().to_vec();
        self.out.advance(bytes.len());
        self.said.extend(records(&bytes));
        self.sent.extend(bytes);
    }
}

/// What was sent, record by record.
pub fn records(mut sent: &[u8]) -> Vec<Said> {
    let mut all = Vec::new();
    while let Some((header, behind)) = sent.split_first_chunk::<5>() {
        let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let (body, behind) = behind.split_at_checked(len).expect("only whole records are sent");
        assert!(len <= (1 << 14) + 256 && len > 0);
        all.push(said(header[0], body));
        sent = behind;
    }
    assert!(sent.is_empty(), "only whole records are sent");
    all
}

fn said(kind: u8, body: &[u8]) -> Said {
    if kind != 23 {
        return Said { kind, sealed: false, content: body.to_vec() };
    }
    let inner = &body[..body.len() - 16];
    let end = inner.iter().rposition(|byte| *byte != 0).expect("a content type");
    Said { kind: inner[end], sealed: true, content: inner[..end].to_vec() }
}
