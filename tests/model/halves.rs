//! An open connection that was taken apart: its halves, with the orders from one to the other, do what the tables say of
//! the whole.

use symbolon::conn::{Ask, Frame, HalfEvent, HalfStep, Order, RecvHalf, SendBuf, SendHalf, frame};
use symbolon::{AlertCode, Error, Misuse};

use crate::act::alert;
use crate::answers::{foreign, of_another_question, reply_to};
use crate::conn::Conn;
use crate::input::{Command, Input, Kind, inputs};
use crate::place::{Here, Place};
use crate::scene::FULL;
use crate::support::LIMIT;
use crate::support::forge::*;
use crate::then::Then;
use crate::walk::{row_of, want};

/// A connection in two halves.
struct Halves<E> {
    here: Here<E>,
    recv: RecvHalf,
    send: SendHalf,
    out: SendBuf,
}

/// What the receiving half said of some bytes.
struct Said {
    result: Result<(), Error>,
    told: Vec<&'static str>,
    orders: Vec<Order>,
}

/// Holds every input that halves have against the tables of open connections.
pub fn hold<E: Conn>(what: &str, places: &[Place]) {
    let (mut cells, mut wrong) = (0, Vec::new());
    for (number, place) in places.iter().enumerate().filter(|(_, place)| place.state == "Open") {
        for input in inputs(place.question) {
            let row = row_of(place, input).unwrap();
            let forms = input.forms(number);
            let tried = forms.into_iter().map(|form| try_one::<E>(place, input, form, row.1, row.2));
            match tried.collect::<Option<Result<Vec<()>, String>>>() {
                Some(Ok(_)) => cells += 1,
                Some(Err(why)) => wrong.push(format!("{}: {input:?}: {why}", place.name)),
                // Halves have no such call.
                None => {}
            }
        }
    }
    println!("{what}: {cells} cells");
    assert!(wrong.is_empty(), "{} cells are not as the tables have them:\n{}", wrong.len(), wrong.join("\n"));
}

/// `None` where halves have nothing to do with `input`.
fn try_one<E: Conn>(
    place: &Place,
    input: Input,
    form: u8,
    then: Then,
    told: &[&str],
) -> Option<Result<(), String>> {
    let mut halves = Halves::<E>::reach(place, input, form);
    Some(match input {
        Input::Call(Command::Close) => halves.close(place),
        Input::Call(call) => {
            let called = halves.call(call)?;
            halves.gives(called, then, told)
        }
        Input::Answer(reply) => {
            let party = &mut halves.here.puppet.party;
            let answer = reply_to(party.held.remove(0), reply, &mut party.answers);
            halves.resume(answer, then, told)
        }
        Input::Foreign(reply) => halves.resume(foreign(reply), then, told),
        Input::OfAnotherQuestion => halves.resume(of_another_question::<E>(place), then, told),
        // No question that pauses anything is out.
        Input::OfAnotherKind => return None,
        wire => halves.read(place, wire, form, then, told),
    })
}

impl<E: Conn> Halves<E> {
    /// Takes a connection at `place` apart, with what `input` is on the wire in its inbox.
    fn reach(place: &Place, input: Input, form: u8) -> Self {
        let mut here = place.reach::<E>();
        let local = matches!(
            input,
            Input::Call(_)
                | Input::Answer(_)
                | Input::Foreign(_)
                | Input::OfAnotherQuestion
                | Input::OfAnotherKind
        );
        if !local && input != Input::Eof {
            here.puppet.party.inbox = here.wire(place, input, form);
        }
        let conn = std::mem::replace(&mut here.puppet.party.conn, E::start(FULL).party.conn);
        let (recv, send) = conn.split().map_err(|unsplit| unsplit.why).unwrap();
        Self { here, recv, send, out: SendBuf::with_limit(LIMIT) }
    }

    /// Lets the receiving half read until it wants more.
    fn run(&mut self) -> Said {
        let mut said = Said { result: Ok(()), told: Vec::new(), orders: Vec::new() };
        let (mut at, input) = (0, &mut self.here.puppet.party.inbox);
        loop {
            let HalfStep { consumed, event } = match self.recv.process(&mut input[at..]) {
                Ok(step) => step,
                Err(error) => {
                    said.result = Err(error);
                    return said;
                }
            };
            at += consumed;
            match event {
                HalfEvent::NeedInput { .. } => return said,
                HalfEvent::Progress => {}
                HalfEvent::Data(_) => said.told.push("Data"),
                HalfEvent::Ticket(_) => said.told.push("Ticket"),
                HalfEvent::PeerClosed => said.told.push("PeerClosed"),
                HalfEvent::Order(order) => said.orders.push(order),
                other => panic!("unknown event {other:?}"),
            }
        }
    }

    /// Hears what the sending half said.
    fn hear(&mut self) -> Vec<Vec<u8>> {
        let sent = self.out.pending().to_vec();
        self.out.advance(sent.len());
        self.here.puppet.hear(&sent);
        let said = &self.here.puppet.said[self.here.heard..];
        said.iter().filter(|said| said.kind == ALERT).map(|said| said.content.clone()).collect()
    }

    fn read(
        &mut self,
        place: &Place,
        input: Input,
        form: u8,
        then: Then,
        told: &[&str],
    ) -> Result<(), String> {
        let mut said = self.run();
        if matches!(input, Input::Eof | Input::HalfThenEof) && said.result.is_ok() {
            said.result = self.recv.eof();
        }
        want!(said.told, told.to_vec(), "told");
        let ignores = place.name.contains("peer closed");
        let (order, alerts) = match then {
            Then::Peer(code) => (Some(Order::Alert(code)), alert(place, code)),
            Then::Alerted => (Some(Order::Stop), Vec::new()),
            _ if ignores => (None, Vec::new()),
            _ if input == Input::Message(Kind::Update) => (Some(Order::PeerUpdated), Vec::new()),
            _ if input == Input::Message(Kind::UpdateRequest) => (Some(Order::AnswerKeyUpdate), Vec::new()),
            _ => (None, Vec::new()),
        };
        want!(&said.orders[..], order.as_slice(), "orders");
        for order in said.orders {
            self.send.apply(order, &mut self.out).map_err(|error| format!("the order: {error}"))?;
        }
        let wanted: Vec<Vec<u8>> = alerts.into_iter().map(|said| said.content).collect();
        want!(self.hear(), wanted, "alerts");
        let ended = match (then, &said.result) {
            (Then::Peer(code), Err(Error::Peer(fault))) if fault.alert() == code => true,
            (Then::Alerted, Err(error)) if *error == Error::Alert(AlertCode(form)) => true,
            // Who sends learns of that from its own transport.
            (Then::Truncated, Err(Error::Truncated)) => false,
            (Then::To(_) | Then::Stays | Then::Joins | Then::Wants, Ok(())) => false,
            (then, result) => return Err(format!("{result:?} instead of {then:?}")),
        };
        if said.result.is_err() {
            want!(&self.run().result, &said.result, "stays");
            want!(&self.recv.eof(), &said.result, "the end");
            want!(&self.recv.exporter(b"label", b"", &mut [0; 32]), &said.result, "exporter");
        }
        let closed = Err(Error::Misuse(Misuse::WriteClosed));
        let wanted = if ended || place.alerts.is_none() { closed } else { Ok(4) };
        want!(self.send.write(&[b"down"], &mut self.out), wanted, "write");
        Ok(())
    }

    /// Closes the sending half, which is gone then.
    fn close(self, place: &Place) -> Result<(), String> {
        let Self { mut here, send, mut out, .. } = self;
        want!(send.close(&mut out), Ok(()), "close");
        here.puppet.hear(out.pending());
        let sent: Vec<_> =
            here.puppet.said[here.heard..].iter().map(|said| (said.kind, &said.content[..])).collect();
        let notify: &[(u8, &[u8])] = &[(ALERT, &[1, 0])];
        want!(&sent[..], if place.alerts.is_some() { notify } else { &[] }, "sent");
        Ok(())
    }

    /// What a call gives; `None` where no half has it, or where it ends one.
    fn call(&mut self, call: Command) -> Option<Result<Option<String>, Error>> {
        let Self { send, recv, out, .. } = self;
        let bytes = |n: usize| Some(format!("{n} bytes"));
        let mut okm = [0; 32];
        Some(match call {
            Command::Write => send.write(&[b"da", b"ta"], out).map(bytes),
            Command::WriteNothing => send.write(&[], out).map(bytes),
            Command::SealFrame => {
                let mut bytes = [7; frame::HEAD + 4 + frame::TAIL];
                let sealed = send.seal_frame(&mut bytes, 4, out).map(|sealed| match sealed {
                    Frame::Sealed(record) => Some(record.to_vec()),
                    Frame::FlushFirst => None,
                });
                self.hear();
                sealed.map(|record| {
                    record.iter().for_each(|record| self.here.puppet.hear(record));
                    Some(if record.is_some() { "a record" } else { "FlushFirst" }.into())
                })
            }
            Command::UpdateKeys => send.update_keys(Ask::Nobody, out).map(|done| Some(format!("{done:?}"))),
            Command::UpdateKeysOfBoth => {
                send.update_keys(Ask::Peer, out).map(|done| Some(format!("{done:?}")))
            }
            Command::Exporter => {
                let one = send.exporter(b"label", b"", &mut okm);
                one.and_then(|()| recv.exporter(b"label", b"", &mut okm)).map(|()| Some("a key".into()))
            }
            Command::ProcessNothing => self.run().result.map(|()| None),
            Command::Close
            | Command::Abort
            | Command::WriteBefore
            | Command::WriteToAnyone
            | Command::IsEstablished
            | Command::EarlyExporter
            | Command::ChannelBinding
            | Command::Split
            | Command::IntoKernel => return None,
        })
    }

    /// Holds what a call gave against the row of the whole.
    fn gives(
        &mut self,
        gave: Result<Option<String>, Error>,
        then: Then,
        told: &[&str],
    ) -> Result<(), String> {
        match then {
            Then::Gives(value) => want!(gave, Ok(Some(value.to_owned())), "result"),
            Then::Refused(misuse) => want!(gave, Err(Error::Misuse(misuse)), "result"),
            _ => want!(gave, Ok(None), "result"),
        }
        let alerts = self.hear();
        want!(alerts.len(), 0, "alerts");
        want!(self.here.sent(), told.to_vec(), "told");
        Ok(())
    }

    fn resume(
        &mut self,
        answer: symbolon::question::Answer,
        then: Then,
        told: &[&str],
    ) -> Result<(), String> {
        let resumed = self.send.resume(answer, &mut self.out).map(|()| None);
        self.gives(resumed, then, told)
    }
}
