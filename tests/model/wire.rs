//! What inputs are on the wire.

use symbolon::Error;
use symbolon::conn::Epoch;

use crate::conn::Conn;
use crate::input::{Input, Kind, garbled, sealed_by_nobody};
use crate::place::{Here, Place};
use crate::scene::{BARE_RETRY, MUTUAL, RAW, RETRY, Retry};
use crate::support::forge::*;

impl<E: Conn> Here<E> {
    /// Sends what `input` is; also whether it was left unread.
    pub fn say(&mut self, place: &Place, input: Input, form: u8) -> (Result<(), Error>, bool) {
        let sequence = self.sequence(place);
        let bytes = self.wire(place, input, form);
        let fed = self.feed(place, &bytes, sequence);
        let updates = matches!(input, Input::Message(Kind::Update | Kind::UpdateRequest));
        if updates && place.reads == Epoch::Application && !fed.1 {
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

    /// What `input` is on the wire: of [`Input::HalfThenEof`] the half.
    pub fn wire(&mut self, place: &Place, input: Input, form: u8) -> Vec<u8> {
        let half = |here: &mut Self| {
            let half = here.half(place);
            here.due(place, HANDSHAKE, &half)
        };
        match input {
            Input::Message(kind) => self.due(place, HANDSHAKE, &message_of::<E>(place, kind, form)),
            Input::Garbled(kind) => self.due(place, HANDSHAKE, &garbled(kind)),
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
            Input::Half | Input::HalfThenEof => half(self),
            Input::HalfThenCcs => [half(self), record(CCS, &[1])].concat(),
            Input::HalfThenData => [half(self), self.due(place, DATA, b"data")].concat(),
            Input::HalfThenDataEmpty => [half(self), self.due(place, DATA, &[])].concat(),
            Input::HalfThenCloseNotify => [half(self), self.due(place, ALERT, &[1, 0])].concat(),
            Input::HalfThenUserCanceled => [half(self), self.due(place, ALERT, &[1, 90])].concat(),
            Input::HalfThenErrorAlert => [half(self), self.due(place, ALERT, &[2, form])].concat(),
            other => unreachable!("{other:?} does not come from the wire"),
        }
    }
}

/// A message of `kind`, of the place's own scene where that has one.
fn message_of<E: Conn>(place: &Place, kind: Kind, form: u8) -> Vec<u8> {
    let own = place.scene;
    let retried = match own.retry {
        Retry::No if own.bare => BARE_RETRY,
        Retry::No => RETRY,
        _ => own,
    };
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
