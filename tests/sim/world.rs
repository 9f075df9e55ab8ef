//! One seed's story.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use symbolon::config::ClientConfig;
use symbolon::conn::{Client, EarlyVerdict, Event, Offer, Resumed, SendBuf, Step, Summary};
use symbolon::psk::Ticket;
use symbolon::{Error, Moment};

use crate::attacker::Attacker;
use crate::fleet::{self, Guarding, MAX_EARLY, Vault};
use crate::network::{Dice, Wire};
use crate::support::{Answers, Endpoint, name};

/// What happened, so that a run in which nothing did is seen.
#[derive(Debug, Default)]
pub struct Tally {
    pub established: usize,
    pub resumed: usize,
    pub early_sent: usize,
    pub early_accepted: usize,
    pub replays: usize,
    pub broken: usize,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.established += other.established;
        self.resumed += other.resumed;
        self.early_sent += other.early_sent;
        self.early_accepted += other.early_accepted;
        self.replays += other.replays;
        self.broken += other.broken;
    }
}

pub struct World {
    dice: Dice,
    now: Moment,
    guarding: Guarding,
    servers: Vec<fleet::Server>,
    config: Arc<ClientConfig>,
    wallet: Vec<Ticket>,
    attacker: Attacker,
    payloads: u64,
    /// How often each payload of early data was delivered, by which server.
    delivered: HashMap<(u64, usize), usize>,
    tally: Tally,
}

/// What a server's side of one connection saw.
#[derive(Default)]
struct Served {
    early: Vec<u8>,
    data: Vec<u8>,
    summary: Option<Summary>,
    error: Option<Error>,
}

impl World {
    pub fn new(seed: u64, guarding: Guarding) -> Self {
        let mut dice = Dice::new(seed);
        let vault: Vault = Rc::new(RefCell::new(HashMap::new()));
        let count = dice.within(1..4);
        Self {
            servers: fleet::servers(count, guarding, &vault),
            now: Moment::from_secs(1_800_000_000),
            dice,
            guarding,
            config: fleet::client(),
            wallet: Vec::new(),
            attacker: Attacker::default(),
            payloads: 0,
            delivered: HashMap::new(),
            tally: Tally::default(),
        }
    }

    pub fn run(mut self) -> Tally {
        for _ in 0..self.dice.within(6..14) {
            let pause = self.dice.within(0..4_000) as u64;
            self.now = self.now.plus(Duration::from_millis(pause));
            match self.dice.within(0..3) {
                0 => self.attack(),
                _ => self.connect(),
            }
        }
        // One guard for all servers lets a payload through once; with one each, every server may once.
        let mut times: HashMap<(u64, Option<usize>), usize> = HashMap::new();
        for ((payload, server), count) in &self.delivered {
            let by = (self.guarding == Guarding::Each).then_some(*server);
            *times.entry((*payload, by)).or_default() += count;
        }
        for ((payload, by), count) in times {
            assert_eq!(count, 1, "payload {payload} was delivered {count} times, by {by:?}");
        }
        self.tally
    }

    /// The server's clock may differ from the world's, a little.
    fn server(&mut self) -> (usize, fleet::Server) {
        let index = self.dice.within(0..self.servers.len());
        let skew = Duration::from_millis(self.dice.within(0..2_000) as u64);
        let now = if self.dice.once_in(2) { self.now.plus(skew) } else { self.now.minus(skew) };
        (index, fleet::Server { now, ..self.servers[index].clone() })
    }

    /// An honest client connects to some server, over a network that may cut or damage.
    fn connect(&mut self) {
        let (index, server) = self.server();
        let mut out = SendBuf::with_limit(1 << 20);
        let offer = match self.wallet.pop() {
            Some(ticket) => Offer::resume(ticket, self.now).with_early_data(),
            None => Offer::fresh(),
        };
        let mut client = Client::start(&self.config, name(), offer, &mut out).unwrap();
        self.payloads += 1;
        let payload = self.payloads;
        if let Some(mut early) = client.early_writer() {
            assert_eq!(early.remaining(), MAX_EARLY as usize);
            assert_eq!(early.write(&[&payload.to_be_bytes()], &mut out), Ok(8));
            self.tally.early_sent += 1;
        }
        let damage = self.dice.once_in(6).then(|| self.dice.within(0..3_000));
        let cut = self.dice.once_in(6).then(|| self.dice.within(0..3_000));
        let mut near = Near::new(client, out);
        let mut far = Far::new(server);
        let (mut up, mut down) = (Wire::default(), Wire::default());
        let mut carried = 0;
        loop {
            near.flush(&mut up);
            far.flush(&mut down);
            if up.under_way.is_empty() && down.under_way.is_empty() {
                break;
            }
            let upward = down.under_way.is_empty() || (!up.under_way.is_empty() && self.dice.once_in(2));
            let mut bytes = if upward { up.deliver(&mut self.dice) } else { down.deliver(&mut self.dice) };
            if let Some(at) = damage
                && (carried..carried + bytes.len()).contains(&at)
            {
                bytes[at - carried] ^= 0x10;
            }
            carried += bytes.len();
            if cut.is_some_and(|cut| carried > cut) {
                break;
            }
            if upward { far.take(&bytes) } else { near.take(&bytes) }
        }
        self.attacker.record(self.now, &up.recorded);
        self.wallet.extend(near.tickets.drain(..).map(|ticket| ticket.received(self.now)));
        self.settle(index, payload, near, far, damage.is_some() || cut.is_some());
    }

    /// Checks what both sides of an honest connection saw.
    fn settle(&mut self, index: usize, payload: u64, mut near: Near, far: Far, harmed: bool) {
        self.deliver(index, &far.served);
        if far.served.data.len() > 1 || !far.served.data.iter().all(|byte| *byte == b'!') {
            panic!("delivered what was not sent: {:?}", far.served.data);
        }
        match (&near.summary, &far.served.summary) {
            (Some(mine), Some(theirs)) => {
                self.tally.established += 1;
                assert_eq!(mine.resumed.is_ok(), theirs.resumed.is_ok());
                assert_eq!(mine.early_data.is_ok(), theirs.early_data.is_ok());
                assert_eq!((mine.suite, mine.group, &mine.alpn), (theirs.suite, theirs.group, &theirs.alpn));
                self.tally.resumed += usize::from(mine.resumed == Ok(Resumed::Session));
                self.tally.early_accepted += usize::from(mine.early_data.is_ok());
                if mine.early_data.is_ok() {
                    assert_eq!(far.served.early, payload.to_be_bytes());
                    assert_eq!(near.verdict, Some(EarlyVerdict::Accepted));
                }
                let (mut a, mut b) = ([0; 32], [0; 32]);
                let exported =
                    near.conn.exporter(b"sim", b"", &mut a).and(far.conn.exporter(b"sim", b"", &mut b));
                if exported.is_ok() {
                    assert_eq!(a, b);
                }
            }
            _ => {
                assert!(harmed, "an unharmed connection failed: {:?} {:?}", near.error, far.served.error);
                self.tally.broken += 1;
            }
        }
        near.conn.close(&mut near.out);
    }

    /// Sends something recorded to some server, now or as if no time had passed.
    fn attack(&mut self) {
        let Some((recorded, bytes)) = self.attacker.forge(&mut self.dice) else { return };
        let (index, mut server) = self.server();
        if self.dice.once_in(2) {
            // The best the attacker can hope for: a server whose clock agrees with the recording.
            server.now = recorded;
        }
        let mut far = Far::new(server);
        let mut wire = Wire { under_way: bytes, ..Wire::default() };
        while !wire.under_way.is_empty() {
            far.take(&wire.deliver(&mut self.dice));
        }
        self.tally.replays += 1;
        assert!(far.served.summary.is_none(), "a recording completed a handshake");
        assert!(far.served.data.is_empty(), "a recording was delivered as ordinary data");
        self.deliver(index, &far.served);
    }

    fn deliver(&mut self, index: usize, served: &Served) {
        // A payload that came whole: what was cut short was not understood by the application.
        if let Ok(bytes) = <[u8; 8]>::try_from(served.early.as_slice()) {
            *self.delivered.entry((u64::from_be_bytes(bytes), index)).or_default() += 1;
        } else {
            assert!(served.early.is_empty(), "early data was cut or joined: {:?}", served.early);
        }
    }
}

/// The client's end.
struct Near {
    conn: Client,
    out: SendBuf,
    input: Vec<u8>,
    answers: Answers,
    summary: Option<Summary>,
    verdict: Option<EarlyVerdict>,
    tickets: Vec<symbolon::conn::NewTicket>,
    error: Option<Error>,
}

impl Near {
    fn new(conn: Client, out: SendBuf) -> Self {
        Self {
            conn,
            out,
            input: Vec::new(),
            answers: Answers::default(),
            summary: None,
            verdict: None,
            tickets: Vec::new(),
            error: None,
        }
    }

    fn flush(&mut self, wire: &mut Wire) {
        wire.put(self.out.pending());
        self.out.advance(self.out.pending().len());
    }

    fn take(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        let mut at = 0;
        while self.error.is_none() {
            match self.conn.process(&mut self.input[at..], &mut self.out) {
                Err(error) => self.error = Some(error),
                Ok(Step { consumed, event }) => {
                    at += consumed;
                    match event {
                        Event::NeedInput { .. } => break,
                        Event::Ask(question) => {
                            let answer = self.answers.answer(question);
                            self.error = self.conn.resume(answer, &mut self.out).err();
                        }
                        Event::Established(summary) => {
                            self.summary = Some(*summary);
                            self.conn.write(&[b"!"], &mut self.out).unwrap();
                        }
                        Event::EarlyVerdict(verdict) => self.verdict = Some(verdict),
                        Event::Ticket(ticket) => self.tickets.push(ticket),
                        _ => {}
                    }
                }
            }
        }
        self.input.drain(..at);
    }
}

/// A server's end.
struct Far {
    conn: symbolon::conn::Server,
    server: fleet::Server,
    out: SendBuf,
    input: Vec<u8>,
    answers: Answers,
    served: Served,
}

impl Far {
    fn new(server: fleet::Server) -> Self {
        Self {
            conn: symbolon::conn::Server::new(&server.config).unwrap(),
            server,
            out: SendBuf::with_limit(1 << 20),
            input: Vec::new(),
            answers: Answers::default(),
            served: Served::default(),
        }
    }

    fn flush(&mut self, wire: &mut Wire) {
        wire.put(self.out.pending());
        self.out.advance(self.out.pending().len());
    }

    fn take(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        let mut at = 0;
        while self.served.error.is_none() {
            match Endpoint::process(&mut self.conn, &mut self.input[at..], &mut self.out) {
                Err(error) => self.served.error = Some(error),
                Ok(Step { consumed, event }) => {
                    at += consumed;
                    match event {
                        Event::NeedInput { .. } => break,
                        Event::Ask(question) => {
                            let answer = match self.server.answer(question) {
                                Ok(answer) => answer,
                                Err(question) => self.answers.answer(question),
                            };
                            self.served.error = self.conn.resume(answer, &mut self.out).err();
                        }
                        Event::Established(summary) => self.served.summary = Some(*summary),
                        Event::Early(early) => {
                            assert!(self.served.summary.is_none());
                            self.served.early.extend_from_slice(early.accept_replayable().bytes);
                        }
                        Event::Data(plain) => self.served.data.extend_from_slice(plain.bytes),
                        _ => {}
                    }
                }
            }
        }
        self.input.drain(..at);
    }
}
