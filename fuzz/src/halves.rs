//! Connections that are taken apart, by the wire and by their owners: what arrives is a prefix of what was sent, a failed half
//! says first what the other one must tell the peer, and keys that go to a kernel are those of the other end.
//!
//! Input: flags of the client and of the server, then orders, each a byte.

use std::collections::VecDeque;

use symbolon::conn::{
    Ask, Frame, HalfEvent, HalfStep, Kernel, KernelKeys, NewTicket, Order, Plaintext, RecvHalf, SendBuf,
    SendHalf, frame,
};
use symbolon::question::Question;
use symbolon::{Error, Misuse};

use crate::Script;
use crate::machine::answers::{Knowledge, Manners};
use crate::machine::party::{Endpoint, Party, Said, records};
use crate::machine::provider::Tags;
use crate::machine::setup::{Flags, client, server};
use crate::pair::{MOST_UPDATES, tamper};

/// More orders than any state needs.
const MOST: usize = 96;

/// Of a server: `SealTicket` is answered late.
const LATE_TICKETS: Manners = Manners(1 << 12);

/// Both ends, as they came out.
pub struct Ended {
    pub up: Half,
    pub down: Half,
}

/// One end of a connection that was taken apart.
pub struct Half {
    receiving: RecvHalf,
    /// `None` once it was closed.
    sending: Option<SendHalf>,
    out: SendBuf,
    inbox: Vec<u8>,
    /// On its way to the other end.
    wire: Vec<u8>,
    /// What the sending half was not told yet.
    orders: VecDeque<Order>,
    knowledge: Knowledge,
    held: VecDeque<Question>,
    exported: [u8; 32],
    /// Key updates that were wanted.
    updates: usize,
    pub written: Vec<u8>,
    pub read: Vec<u8>,
    pub tickets: Vec<NewTicket>,
    /// What a failed receiving half wants of the sending one.
    last_order: Option<Order>,
    pub error: Option<Error>,
    pub peer_closed: bool,
    /// Nothing may be sent any more.
    silent: bool,
}

pub fn run(input: &[u8]) {
    play(input);
}

/// Plays a script to its end; `None` where there is no connection to take apart.
pub fn play(input: &[u8]) -> Option<Ended> {
    let mut script = Script::new(input);
    let (of_client, of_server) = (Flags(script.u16()), Flags(script.u16()));
    let how = script.byte();
    let mut client = client(of_client, Manners(0), Tags::Strict);
    let mut server = server(of_server, LATE_TICKETS, Tags::Strict);
    for _ in 0..20 {
        pass(&mut client, &mut server, &mut script);
        pass(&mut server, &mut client, &mut script);
    }
    if !client.conn.is_established() || !server.conn.is_established() {
        return None;
    }
    if how == 1 {
        offloaded(client, server);
        return None;
    }
    let mut ended = Ended { up: Half::of(client), down: Half::of(server) };
    let (mut orders, mut tampered) = (0, false);
    while !script.is_empty() && orders < MOST {
        orders += 1;
        tampered |= ended.order(&mut script);
        ended.agree();
    }
    ended.settle();
    ended.agree();
    if !tampered {
        for (from, to) in [(&ended.up, &ended.down), (&ended.down, &ended.up)] {
            assert!(to.error.is_none() && to.read == from.written, "{:?}", to.error);
        }
    }
    Some(ended)
}

fn pass<A: Endpoint, B: Endpoint>(from: &mut Party<A>, to: &mut Party<B>, script: &mut Script<'_>) {
    to.inbox.append(&mut from.sent);
    if to.error.is_none() {
        to.run(script);
    }
}

/// Both ends hand their keys over; a ticket that is not sealed yet is lost.
fn offloaded<A: Endpoint, B: Endpoint>(client: Party<A>, server: Party<B>) {
    let (client, server): (Kernel, Kernel) =
        (client.conn.kernel(&client.out), server.conn.kernel(&server.out));
    let fits = |sent: &KernelKeys, received: &KernelKeys| {
        assert_eq!(sent.key.expose(), received.key.expose());
        assert_eq!((sent.iv, sent.sequence), (received.iv, received.sequence));
        assert_eq!(sent.secret.expose(), received.secret.expose());
    };
    fits(&client.send, &server.receive);
    fits(&server.send, &client.receive);
    assert_eq!(client.suite, server.suite);
}

impl Half {
    fn of<E: Endpoint>(party: Party<E>) -> Self {
        let Party { conn, out, knowledge, held, sent, .. } = party;
        let exported = conn.exporter().expect("it is established");
        let (receiving, sending) = conn.halves();
        Self {
            receiving,
            sending: Some(sending),
            out,
            inbox: Vec::new(),
            wire: sent,
            orders: VecDeque::new(),
            knowledge,
            held,
            exported,
            updates: 0,
            written: Vec::new(),
            read: Vec::new(),
            tickets: Vec::new(),
            last_order: None,
            error: None,
            peer_closed: false,
            silent: false,
        }
    }

    /// Reads what there is.
    fn receive(&mut self) {
        let (mut at, mut steps) = (0, 0_usize);
        let bound = 1_000 + 8 * self.inbox.len();
        loop {
            steps += 1;
            assert!(steps < bound, "{steps} steps without an end");
            let HalfStep { consumed, event } = match self.receiving.process(&mut self.inbox[at..]) {
                Ok(step) => step,
                Err(error) => {
                    assert!(!matches!(error, Error::Misuse(_)), "a peer cannot misuse us: {error}");
                    let told = error.alert().map_or(Order::Stop, Order::Alert);
                    assert_eq!(self.last_order, Some(told), "{error}");
                    assert!(self.error.as_ref().is_none_or(|first| *first == error));
                    self.error = Some(error);
                    self.inbox.clear();
                    return;
                }
            };
            at += consumed;
            match event {
                HalfEvent::NeedInput { at_least } => {
                    assert!(at_least > 0);
                    break;
                }
                HalfEvent::Progress => {}
                HalfEvent::Data(Plaintext { bytes, .. }) => {
                    assert!(!self.peer_closed && !bytes.is_empty());
                    self.read.extend_from_slice(bytes);
                }
                HalfEvent::Ticket(ticket) => self.tickets.push(ticket),
                HalfEvent::Order(order) => {
                    self.last_order = Some(order);
                    self.orders.push_back(order);
                }
                HalfEvent::PeerClosed => {
                    assert!(!self.peer_closed);
                    self.peer_closed = true;
                }
                other => panic!("unknown event {other:?}"),
            }
        }
        self.inbox.drain(..at);
    }

    /// Something with the sending half; what it said.
    fn send<T>(
        &mut self,
        what: impl FnOnce(&mut SendHalf, &mut SendBuf) -> Result<T, Error>,
    ) -> (Option<T>, Vec<Said>) {
        let Some(sending) = &mut self.sending else { return (None, Vec::new()) };
        let done = what(sending, &mut self.out);
        if self.silent {
            assert!(matches!(done, Err(Error::Misuse(Misuse::WriteClosed))) && self.out.is_empty());
        } else {
            assert!(matches!(done, Ok(_) | Err(Error::Misuse(_))));
        }
        (done.ok(), flush(&mut self.out, &mut self.wire))
    }

    fn write(&mut self, bytes: &[u8]) {
        let (taken, _) = self.send(|half, out| half.write(&[bytes], out));
        self.written.extend(&bytes[..taken.unwrap_or(0)]);
    }

    /// A frame of nothing is a record without content; many of those are a flood, which a peer refuses.
    fn write_frame(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut frame = vec![0; frame::HEAD + bytes.len() + frame::TAIL];
        frame[frame::HEAD..frame::HEAD + bytes.len()].copy_from_slice(bytes);
        for _ in 0..2 {
            let (sealed, _) = self.send(|half, out| match half.seal_frame(&mut frame, bytes.len(), out)? {
                Frame::Sealed(record) => Ok(Some(record.to_vec())),
                Frame::FlushFirst => Ok(None),
            });
            if let Some(Some(record)) = sealed {
                self.wire.extend(record);
                self.written.extend(bytes);
                return;
            }
        }
    }

    /// Tells the sending half what waits for it.
    fn deliver(&mut self) {
        let Some(sending) = &mut self.sending else { return self.orders.clear() };
        while let Some(order) = self.orders.pop_front() {
            sending.apply(order, &mut self.out).expect("the provider does not fail");
            let said = flush(&mut self.out, &mut self.wire);
            match order {
                Order::Alert(code) => {
                    let alert = Said { kind: 21, sealed: true, content: vec![2, code.0] };
                    assert_eq!(said, if self.silent { Vec::new() } else { vec![alert] });
                    self.silent = true;
                }
                Order::Stop => self.silent = true,
                _ => assert!(said.is_empty()),
            }
        }
    }

    /// Seals the ticket that waits longest.
    fn release(&mut self) {
        let Some(question) = self.held.pop_front() else { return };
        let answer = self.knowledge.honest(question);
        self.send(|half, out| half.resume(answer, out));
    }

    fn close(&mut self) {
        let Some(sending) = self.sending.take() else { return };
        sending.close(&mut self.out).expect("the provider does not fail");
        let said = flush(&mut self.out, &mut self.wire);
        let last = said.last().map(|said| (said.kind, &*said.content));
        assert_eq!(last, if self.silent { None } else { Some((21, &[1, 0][..])) });
    }
}

impl Ended {
    /// Whether the wire did more than carry.
    fn order(&mut self, script: &mut Script<'_>) -> bool {
        let order = script.byte() % 26;
        let (one, other) = if order.is_multiple_of(2) {
            (&mut self.up, &mut self.down)
        } else {
            (&mut self.down, &mut self.up)
        };
        match order / 2 {
            0 => carry(one, other, usize::MAX),
            1 => carry(one, other, usize::from(script.byte())),
            what @ 2..=6 => return tamper(what, &mut one.wire, script),
            7 => one.write(script.block()),
            8 => one.write_frame(script.block()),
            9 => {
                let ask = if script.byte() & 1 == 0 { Ask::Peer } else { Ask::Nobody };
                one.updates += 1;
                if one.updates <= MOST_UPDATES {
                    one.send(|half, out| half.update_keys(ask, out));
                }
            }
            10 => one.deliver(),
            11 => one.release(),
            _ => one.close(),
        }
        false
    }

    /// Carries both ways until nothing moves.
    fn settle(&mut self) {
        for _ in 0..200 {
            pass_on(&mut self.up, &mut self.down);
            pass_on(&mut self.down, &mut self.up);
            let quiet = |half: &Half| half.wire.is_empty() && half.orders.is_empty() && half.held.is_empty();
            if quiet(&self.up) && quiet(&self.down) {
                return;
            }
        }
        panic!("two endpoints talk for ever");
    }

    /// What holds at any time.
    fn agree(&self) {
        for (from, to) in [(&self.up, &self.down), (&self.down, &self.up)] {
            assert!(from.written.starts_with(&to.read));
            assert!(!to.peer_closed || (from.sending.is_none() && from.written == to.read));
            let mut exported = [0; 32];
            let of_half = to.receiving.exporter(b"EXPORTER-fuzz", b"context", &mut exported);
            assert_eq!(of_half.is_ok(), to.error.is_none());
            assert!(of_half.is_err() || exported == to.exported);
        }
    }
}

/// Puts what is to be sent on its way.
fn flush(out: &mut SendBuf, wire: &mut Vec<u8>) -> Vec<Said> {
    let bytes = out.pending().to_vec();
    out.advance(bytes.len());
    let said = records(&bytes);
    wire.extend(bytes);
    said
}

/// Everything that one end can do by itself.
fn pass_on(from: &mut Half, to: &mut Half) {
    from.deliver();
    from.release();
    carry(from, to, usize::MAX);
}

fn carry(from: &mut Half, to: &mut Half, most: usize) {
    let len = most.min(from.wire.len());
    let bytes = from.wire.drain(..len);
    if to.error.is_none() {
        to.inbox.extend(bytes);
        to.receive();
    }
}
