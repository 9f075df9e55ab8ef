//! Inputs carried out, and what came of them.

use symbolon::conn::{Ask, Frame, frame};
use symbolon::{AlertCode, Error, Refusal};

use crate::answers::{foreign, of_another_kind, of_another_question, reply_to};
use crate::conn::{Conn, Written};
use crate::input::{Command, Input};
use crate::place::{Here, Place};
use crate::scene::FULL;
use crate::support::forge::*;

/// What came of an input.
#[derive(Debug)]
pub struct Outcome {
    pub result: Result<Gave, Error>,
    /// What the caller heard, then what was sent.
    pub told: Vec<String>,
    /// The alerts that were sent.
    pub alerts: Vec<Said>,
    /// Whether the wire's bytes are still there.
    pub unread: bool,
}

/// What a call gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Gave {
    Nothing,
    Value(String),
    /// The connection became something else.
    Another(&'static str),
}

impl<E: Conn> Here<E> {
    /// Carries out `input` at `place`.
    pub fn act(&mut self, place: &Place, input: Input, form: u8) -> Outcome {
        let held = self.puppet.party.held.len();
        let mut unread = false;
        let mut fed = |(result, left): (Result<(), Error>, bool)| {
            unread = left;
            result.map(|()| Gave::Nothing)
        };
        let result = match input {
            Input::Eof => self.puppet.party.conn.eof().map(|()| Gave::Nothing),
            Input::HalfThenEof => {
                let said = fed(self.say(place, input, form));
                self.puppet.party.inbox.clear();
                said.and_then(|_| self.puppet.party.conn.eof()).map(|()| Gave::Nothing)
            }
            Input::Answer(reply) => {
                let question = self.puppet.party.held.remove(0);
                let answer = reply_to(question, reply, &mut self.puppet.party.answers);
                self.resume(answer)
            }
            Input::Foreign(reply) => self.resume(foreign(reply)),
            Input::OfAnotherQuestion => self.resume(of_another_question::<E>(place)),
            Input::OfAnotherKind => self.resume(of_another_kind::<E>(place)),
            Input::Call(call) => self.call(call),
            wire => fed(self.say(place, wire, form)),
        };
        let sent = self.puppet.party.flush();
        self.puppet.hear(&sent);
        let asked = usize::from(matches!(input, Input::Answer(_)));
        let told = self.told(held - asked);
        let said = &self.puppet.said[self.heard..];
        let alerts = said.iter().filter(|said| said.kind == ALERT).cloned().collect();
        Outcome { result, told, alerts, unread }
    }

    /// Hands in an answer, and goes on with what has come already.
    fn resume(&mut self, answer: symbolon::question::Answer) -> Result<Gave, Error> {
        let party = &mut self.puppet.party;
        party.conn.resume(answer, &mut party.out)?;
        party.run().map(|()| Gave::Nothing)
    }

    /// What the caller heard and what was sent, alerts aside; questions behind the first `held` are new.
    fn told(&self, held: usize) -> Vec<String> {
        let party = &self.puppet.party;
        let mut told: Vec<String> = party.events.iter().map(ToString::to_string).collect();
        told.extend(party.tickets.iter().map(|_| "Ticket".into()));
        told.extend(party.closed.then(|| "PeerClosed".into()));
        told.extend(party.retry_sent.then(|| "RetrySent".into()));
        told.extend(party.held[held..].iter().map(|question| format!("asks {}", question.name())));
        told.extend(self.sent());
        told
    }

    /// What was sent, alerts aside.
    pub fn sent(&self) -> Vec<String> {
        let mut sent = Vec::new();
        for said in &self.puppet.said[self.heard..] {
            match said.kind {
                CCS => sent.push("ChangeCipherSpec".into()),
                DATA => sent.push("sends data".into()),
                HANDSHAKE => sent.extend(messages(&said.content).iter().map(|message| name_of(message))),
                _ => {}
            }
        }
        sent
    }

    fn call(&mut self, call: Command) -> Result<Gave, Error> {
        let puppet = &mut self.puppet;
        let (conn, out) = (&mut puppet.party.conn, &mut puppet.party.out);
        let value = |value: String| Gave::Value(value);
        let bytes = |n: usize| Gave::Value(format!("{n} bytes"));
        let before =
            |written: Written| written.map_or(Ok(value("nothing".into())), |written| written.map(bytes));
        let mut okm = [0; 32];
        match call {
            Command::ProcessNothing => puppet.feed(&[]).map(|()| Gave::Nothing),
            Command::Write => conn.write(&[b"da", b"ta"], out).map(bytes),
            Command::WriteNothing => conn.write(&[], out).map(bytes),
            Command::SealFrame => {
                let mut frame = [7; frame::HEAD + 4 + frame::TAIL];
                let sealed = match conn.seal_frame(&mut frame, out)? {
                    Frame::Sealed(bytes) => Some(bytes.to_vec()),
                    Frame::FlushFirst => None,
                };
                let sent = puppet.party.flush();
                puppet.hear(&sent);
                sealed.iter().for_each(|bytes| puppet.hear(bytes));
                Ok(value(if sealed.is_some() { "a record" } else { "FlushFirst" }.into()))
            }
            Command::UpdateKeys => conn.update_keys(Ask::Nobody, out).map(|done| value(format!("{done:?}"))),
            Command::UpdateKeysOfBoth => {
                conn.update_keys(Ask::Peer, out).map(|done| value(format!("{done:?}")))
            }
            Command::Close => {
                conn.close(out);
                Ok(Gave::Nothing)
            }
            Command::Abort => {
                conn.abort(Refusal::text(AlertCode::ACCESS_DENIED, "not today"), out);
                puppet.party.run().map(|()| Gave::Nothing)
            }
            Command::WriteBefore => before(conn.write_before(b"data", out)),
            Command::WriteToAnyone => before(conn.write_to_anyone(b"data", out)),
            Command::IsEstablished => Ok(value(conn.is_established().to_string())),
            Command::Exporter => conn.exporter(&mut okm).map(|()| value("a key".into())),
            Command::EarlyExporter => conn.early_exporter(&mut okm).map(|()| value("a key".into())),
            Command::ChannelBinding => conn.channel_binding().map(|_| value("a key".into())),
            Command::Split => {
                let conn = std::mem::replace(conn, E::start(FULL).party.conn);
                conn.split().map(|_| Gave::Another("halves")).map_err(|unsplit| {
                    puppet.party.conn = *unsplit.connection;
                    unsplit.why
                })
            }
            Command::IntoKernel => {
                let conn = std::mem::replace(conn, E::start(FULL).party.conn);
                conn.into_kernel(out).map(|_| Gave::Another("keys")).map_err(|unsplit| {
                    puppet.party.conn = *unsplit.connection;
                    unsplit.why
                })
            }
        }
    }
}

/// What a message that was sent is called.
fn name_of(message: &[u8]) -> String {
    let name = match message[0] {
        SERVER_HELLO if message[6..38] == retry_random() => "HelloRetryRequest",
        number => symbolon::codepoint::HandshakeType(number).name().expect("a known message"),
    };
    name.to_string()
}

/// What an alert of ours looks like.
pub fn alert(place: &Place, code: AlertCode) -> Vec<Said> {
    place.alerts.map(|epoch| Said::alert(epoch, code)).into_iter().collect()
}
