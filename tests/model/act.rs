//! Inputs carried out, and what came of them.

use symbolon::conn::{Ask, Epoch, Frame, frame};
use symbolon::{AlertCode, Error};

use crate::answers::{foreign, of_another_kind, of_another_question, reply_to};
use crate::conn::{Conn, Written};
use crate::input::{Command, Input, Kind, garbled, sealed_by_nobody};
use crate::place::{Here, Place};
use crate::scene::{FULL, MUTUAL, RAW, RETRY, Retry};
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
            Input::Message(kind) => fed(self.say(place, HANDSHAKE, &message_of::<E>(place, kind, form))),
            Input::Garbled(kind) => fed(self.say(place, HANDSHAKE, &garbled(kind))),
            Input::Eof => self.puppet.party.conn.eof().map(|()| Gave::Nothing),
            Input::HalfThenEof => {
                let half = self.half(place);
                let said = fed(self.say(place, HANDSHAKE, &half));
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
            record => {
                let sequence = self.sequence(place);
                let bytes = self.record(place, record, form);
                fed(self.feed(place, &bytes, sequence))
            }
        };
        let sent = self.puppet.party.flush();
        self.puppet.hear(&sent);
        let asked = usize::from(matches!(input, Input::Answer(_)));
        let told = self.told(held - asked);
        let said = &self.puppet.said[self.heard..];
        let alerts = said.iter().filter(|said| said.kind == ALERT).cloned().collect();
        Outcome { result, told, alerts, unread }
    }

    fn resume(&mut self, answer: symbolon::question::Answer) -> Result<Gave, Error> {
        let party = &mut self.puppet.party;
        party.conn.resume(answer, &mut party.out)?;
        // An open connection is not asked to read on: a ticket pauses nothing.
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
        for said in &self.puppet.said[self.heard..] {
            match said.kind {
                CCS => told.push("ChangeCipherSpec".into()),
                DATA => told.push("sends data".into()),
                HANDSHAKE => told.extend(messages(&said.content).iter().map(|message| name_of(message))),
                _ => {}
            }
        }
        told
    }

    /// Sends content of `kind` under the keys that are due; also whether it was left unread.
    fn say(&mut self, place: &Place, kind: u8, content: &[u8]) -> (Result<(), Error>, bool) {
        let sequence = self.sequence(place);
        let bytes = self.due(place, kind, content);
        let fed = self.feed(place, &bytes, sequence);
        let updates = place.reads == Epoch::Application && content.first() == Some(&KEY_UPDATE);
        if kind == HANDSHAKE && updates && !fed.1 {
            self.puppet.lane(place.reads).update();
        }
        fed
    }

    /// Feeds bytes; those that are left unread are taken back, and the keys with them.
    fn feed(&mut self, place: &Place, bytes: &[u8], sequence: u64) -> (Result<(), Error>, bool) {
        let fed = self.puppet.feed(bytes);
        let unread = fed.is_ok() && !bytes.is_empty() && self.puppet.party.inbox == bytes;
        if unread {
            self.puppet.party.inbox.clear();
            if place.reads != Epoch::Plaintext {
                self.puppet.lane(place.reads).sequence = sequence;
            }
        }
        (fed, unread)
    }

    fn sequence(&mut self, place: &Place) -> u64 {
        if place.reads == Epoch::Plaintext { 0 } else { self.puppet.lane(place.reads).sequence }
    }

    /// A record of this content under the keys that are due.
    fn due(&mut self, place: &Place, kind: u8, content: &[u8]) -> Vec<u8> {
        match (place.reads, kind) {
            (Epoch::Plaintext, DATA) => sealed_by_nobody(),
            (reads, _) => self.puppet.record(reads, kind, content),
        }
    }

    /// A protected record whose plaintext is `inner`, under a key that the connection has if there is one.
    fn inner(&mut self, place: &Place, inner: &[u8]) -> Vec<u8> {
        match place.reads {
            Epoch::Plaintext => sealed_by_nobody(),
            reads => self.puppet.lane(reads).seal_inner(inner),
        }
    }

    fn misprotected(&self, place: &Place, kind: u8, content: &[u8]) -> Vec<u8> {
        if place.reads == Epoch::Plaintext { sealed_by_nobody() } else { record(kind, content) }
    }

    /// The beginning of the message that is due.
    fn half(&self, place: &Place) -> Vec<u8> {
        let script = place.script(E::ROLE);
        let update = message(KEY_UPDATE, &[0]);
        script.get(place.told).map_or(&update, |(_, message)| message)[..2].to_vec()
    }

    fn record(&mut self, place: &Place, input: Input, form: u8) -> Vec<u8> {
        let half = |here: &mut Self| {
            let half = here.half(place);
            here.due(place, HANDSHAKE, &half)
        };
        match input {
            Input::Misprotected(kind) => {
                self.misprotected(place, HANDSHAKE, &message_of::<E>(place, kind, form))
            }
            Input::Ccs => record(CCS, &[1]),
            Input::CcsOfAnotherByte => record(CCS, &[2]),
            Input::CcsOfTwoBytes => record(CCS, &[1, 1]),
            Input::CcsEmpty => record(CCS, &[]),
            Input::CcsProtected => self.inner(place, &[1, CCS]),
            Input::CloseNotify => self.due(place, ALERT, &[1, 0]),
            Input::CloseNotifyFatal => self.due(place, ALERT, &[2, 0]),
            Input::UserCanceled => self.due(place, ALERT, &[1, 90]),
            Input::UserCanceledFatal => self.due(place, ALERT, &[2, 90]),
            Input::ErrorAlert => self.due(place, ALERT, &[2, form]),
            Input::ErrorWarning => self.due(place, ALERT, &[1, form]),
            Input::AlertOfOneByte => self.due(place, ALERT, &[1]),
            Input::AlertOfThreeBytes => self.due(place, ALERT, &[1, 0, 0]),
            Input::AlertEmpty => self.due(place, ALERT, &[]),
            Input::MisprotectedCloseNotify => self.misprotected(place, ALERT, &[1, 0]),
            Input::MisprotectedUserCanceled => self.misprotected(place, ALERT, &[1, 90]),
            Input::MisprotectedErrorAlert => self.misprotected(place, ALERT, &[2, form]),
            Input::Data => self.due(place, DATA, b"data"),
            Input::DataEmpty => self.due(place, DATA, &[]),
            Input::Undecipherable => sealed_by_nobody(),
            Input::UndecipherableShort => record(DATA, &[0x55; 5]),
            Input::UndecipherableEmpty => record(DATA, &[]),
            Input::HandshakeEmpty => self.due(place, HANDSHAKE, &[]),
            Input::UnknownType => record(form, &[1]),
            Input::UnknownInnerType => self.inner(place, &[1, form]),
            Input::NoInnerType => self.inner(place, &[0; 20]),
            Input::TooLong => record(ALERT, &[0; (1 << 14) + 1]),
            Input::TooLongProtected => record(DATA, &[0; (1 << 14) + 257]),
            Input::TooMuchInside => self.inner(place, &[&[7; (1 << 14) + 1][..], &[DATA]].concat()),
            Input::PartOfHeader => vec![ALERT, 3, 3],
            Input::PartOfRecord => record(ALERT, &[1, 0])[..6].to_vec(),
            Input::Http => b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            Input::Ssl2 => vec![0x80, 0x2E, 1, 3, 1, 0, 0],
            Input::Half => half(self),
            Input::HalfThenCcs => [half(self), record(CCS, &[1])].concat(),
            Input::HalfThenData => [half(self), self.due(place, DATA, b"data")].concat(),
            Input::HalfThenDataEmpty => [half(self), self.due(place, DATA, &[])].concat(),
            Input::HalfThenCloseNotify => [half(self), self.due(place, ALERT, &[1, 0])].concat(),
            Input::HalfThenUserCanceled => [half(self), self.due(place, ALERT, &[1, 90])].concat(),
            Input::HalfThenErrorAlert => [half(self), self.due(place, ALERT, &[2, form])].concat(),
            other => unreachable!("{other:?} is no record"),
        }
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

/// A message of `kind`, of the place's own scene where that has one.
fn message_of<E: Conn>(place: &Place, kind: Kind, form: u8) -> Vec<u8> {
    let (own, retried) = (place.scene, if place.scene.retry == Retry::No { RETRY } else { place.scene });
    let other = if own.raw { RAW } else { MUTUAL };
    let last = |number: u8| {
        // A Certificate without a certificate is another kind.
        let is = |message: &[u8]| message[0] == number && (number != CERTIFICATE || message.len() > 8);
        let find = |script: Vec<(Epoch, Vec<u8>)>| script.into_iter().rfind(|(_, message)| is(message));
        let here = find(place.script(E::ROLE));
        here.or_else(|| find(Place { scene: other, ..*place }.script(E::ROLE))).unwrap().1
    };
    match kind {
        Kind::ClientHello => own.record().client[0].1.clone(),
        Kind::SecondHello => retried.record().client[1].1.clone(),
        Kind::ServerHello => {
            let script = own.record().server;
            script.into_iter().rfind(|(_, message)| message[0] == SERVER_HELLO).unwrap().1
        }
        Kind::RetryRequest => retried.record().server[0].1.clone(),
        Kind::Ticket => message(TICKET, &[0, 0, 1, 0, 1, 2, 3, 4, 1, 9, 0, 2, 7, 7, 0, 0]),
        Kind::EndOfEarlyData => message(END_OF_EARLY_DATA, &[]),
        Kind::Extensions => other_or_own(&own.record().server, ENCRYPTED_EXTENSIONS),
        Kind::Request => {
            let mut all = other.record().server;
            all.extend(own.record().server);
            other_or_own(&all, CERTIFICATE_REQUEST)
        }
        Kind::Certificate => last(CERTIFICATE),
        Kind::NoCertificate => message(CERTIFICATE, &[0; 4]),
        Kind::Verify => last(CERTIFICATE_VERIFY),
        Kind::Finished => last(FINISHED),
        Kind::Update => message(KEY_UPDATE, &[0]),
        Kind::UpdateRequest => message(KEY_UPDATE, &[1]),
        Kind::MessageHash => message(254, &[7; 32]),
        Kind::Unknown => message(form, &[]),
    }
}

/// The last message of this number.
fn other_or_own(script: &[(Epoch, Vec<u8>)], number: u8) -> Vec<u8> {
    script.iter().rfind(|(_, message)| message[0] == number).unwrap().1.clone()
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
