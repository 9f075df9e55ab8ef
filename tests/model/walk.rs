//! The walk: every input at every place, held against the tables.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use symbolon::conn::Epoch;
use symbolon::{AlertCode, Error, Misuse};

use crate::act::{Gave, Outcome, alert};
use crate::answers::minted;
use crate::conn::Conn;
use crate::input::{Command, Input, Kind, PARTS, PROBES, inputs};
use crate::place::{Here, Place};
use crate::support::forge::*;
use crate::then::{Row, Then};

/// Ends the function with what was found instead of what was wanted.
macro_rules! want {
    ($found:expr, $wanted:expr, $what:literal) => {
        match ($found, $wanted) {
            (found, wanted) if found == wanted => {}
            (found, wanted) => return Err(format!("{}: {found:?} instead of {wanted:?}", $what)),
        }
    };
}
pub(crate) use want;

/// The row for `input` at `place`.
pub fn row_of(place: &Place, input: Input) -> Result<&'static Row, String> {
    let mut found = place.rows().filter(|row| row.0.contains(&input));
    match (found.next(), found.count()) {
        (Some(row), 0) => Ok(row),
        (None, _) => Err(format!("{}: no row for {input:?}", place.name)),
        (Some(_), more) => Err(format!("{}: {} rows for {input:?}", place.name, more + 1)),
    }
}

/// Rows of `place` that are for nothing that can come.
fn idle(place: &Place) -> impl Iterator<Item = String> {
    let all = inputs(place.question);
    let without = place.rows().flat_map(|row| row.0).filter(move |input| !all.contains(input));
    without.map(|input| format!("{}: a row for {input:?}, which cannot come", place.name))
}

/// Numbers that nothing is known by, and how many there are.
const UNKNOWN: [(Input, usize); 4] = [
    (Input::Message(Kind::Unknown), 245),
    (Input::ErrorAlert, 254),
    (Input::UnknownType, 252),
    (Input::UnknownInnerType, 251),
];

/// Tries every input at every one of `places`; gives the number of cells and everything that is not as the tables have it.
pub fn walk<E: Conn>(places: &[Place]) -> (usize, Vec<String>) {
    let (mut cells, mut wrong, mut tried) = (0, Vec::new(), BTreeSet::new());
    for (number, place) in places.iter().enumerate() {
        wrong.extend(idle(place));
        for input in inputs(place.question) {
            cells += 1;
            let row = match row_of(place, input) {
                Ok(row) => row,
                Err(none) => {
                    wrong.push(none);
                    continue;
                }
            };
            // Where nothing is read, one form stands for all.
            let reads = !matches!(row.1, Then::Waits | Then::Dead);
            for form in input.forms(number).into_iter().take(if reads { 256 } else { 1 }) {
                let cell = Cell { place, input, form };
                if reads {
                    tried.insert((UNKNOWN.iter().position(|(unknown, _)| *unknown == input), form));
                }
                let held = catch_unwind(AssertUnwindSafe(|| cell.hold::<E>(row, places)));
                if let Err(why) = held.unwrap_or_else(|_| Err("panics, as said above".into())) {
                    wrong.push(format!("{}: {input:?} ({form}): {why}", place.name));
                    break;
                }
            }
        }
    }
    for (class, (input, count)) in UNKNOWN.iter().enumerate() {
        let found = tried.iter().filter(|(of, _)| *of == Some(class)).count();
        if found != *count {
            wrong.push(format!("{found} forms of {input:?} were tried instead of {count}"));
        }
    }
    (cells, wrong)
}

/// Every `name` is one place's.
pub fn names(places: &[Place]) -> BTreeSet<&'static str> {
    let names: BTreeSet<_> = places.iter().map(|place| place.name).collect();
    assert_eq!(names.len(), places.len(), "two places have one name");
    names
}

struct Cell<'p> {
    place: &'p Place,
    input: Input,
    form: u8,
}

impl Cell<'_> {
    fn hold<E: Conn>(&self, row: &Row, places: &[Place]) -> Result<(), String> {
        let (_, then, told, _) = row;
        let mut here = self.place.reach::<E>();
        let died = died(self.place, &mut here);
        let outcome = here.act(self.place, self.input, self.form);
        self.compare(&mut here, &outcome, *then, died.as_ref())?;
        // Whether one is due before an alert is judged there.
        let ends = !outcome.alerts.is_empty();
        let heard = outcome.told.iter().filter(|told| !ends || *told != "ChangeCipherSpec");
        want!(heard.collect::<Vec<_>>(), told.to_vec(), "told");
        match *then {
            Then::Stays | Then::Wants | Then::Waits | Then::Refused(_) | Then::Gives(_) => {
                finish(self.place, &mut here, self.place.told)
            }
            Then::Joins => self.join(&mut here),
            Then::To(name) if self.is_first() => {
                self.arrive::<E>(&mut here, name, places)?;
                self.answer_twice(&mut here)
            }
            _ => Ok(()),
        }
    }

    /// Holds what happened against what must follow.
    fn compare<E: Conn>(
        &self,
        here: &mut Here<E>,
        outcome: &Outcome,
        then: Then,
        died: Option<&Error>,
    ) -> Result<(), String> {
        let silent: &[Said] = &[];
        let result = outcome.result.as_ref();
        match then {
            Then::To(_) | Then::Stays | Then::Joins => {
                want!(result, Ok(&Gave::Nothing), "result");
                want!(outcome.unread, false, "unread");
            }
            Then::Wants | Then::Waits => {
                want!(result, Ok(&Gave::Nothing), "result");
                want!(outcome.unread, true, "unread");
            }
            Then::Gives(value) => want!(result, Ok(&Gave::Value(value.into())), "result"),
            Then::Becomes(other) => want!(result, Ok(&Gave::Another(other)), "result"),
            Then::Refused(misuse) => want!(result, Err(&Error::Misuse(misuse)), "result"),
            Then::Dead => return self.dead(here, outcome, died.ok_or("it has not ended")?),
            Then::Peer(code) => return self.ends(here, outcome, Some(code), |e| matches!(e, Error::Peer(_))),
            Then::Ours(code) => {
                return self.ends(here, outcome, Some(code), |e| matches!(e, Error::Refused(_)));
            }
            Then::Alerted => {
                return self.ends(here, outcome, None, |e| *e == Error::Alert(AlertCode(self.form)));
            }
            Then::Truncated => return self.ends(here, outcome, None, |e| *e == Error::Truncated),
            Then::Breaks(misuse) => return self.ends(here, outcome, None, |e| *e == Error::Misuse(misuse)),
            Then::Closed => {
                let end = here.puppet.party.run();
                want!(end, Err(Error::ClosedInHandshake), "end");
                let ours = self.input == Input::Call(Command::Close);
                let sent: Vec<Said> =
                    self.place.alerts.into_iter().filter(|_| ours).flat_map(canceled).collect();
                want!(&outcome.alerts, &sent, "alerts");
                here.puppet.stays_dead(&Error::ClosedInHandshake, self.place.name);
                return Ok(());
            }
        }
        let closes = self.place.state == "Open" && self.input == Input::Call(Command::Close);
        let notify = self.place.alerts.filter(|_| closes).map(|epoch| Said {
            epoch,
            kind: ALERT,
            content: vec![1, 0],
        });
        want!(&outcome.alerts[..], if closes { notify.as_slice() } else { silent }, "alerts");
        Ok(())
    }

    /// The connection ended, and told the peer `code` if that is due.
    fn ends<E: Conn>(
        &self,
        here: &mut Here<E>,
        outcome: &Outcome,
        code: Option<AlertCode>,
        is: impl Fn(&Error) -> bool,
    ) -> Result<(), String> {
        let error = match &outcome.result {
            Err(error) if is(error) && error.alert() == code => error,
            other => return Err(format!("result: {other:?}")),
        };
        let sent = code.map(|code| alert(self.place, code)).unwrap_or_default();
        want!(&outcome.alerts, &sent, "alerts");
        if E::ROLE == Role::Client && sent.iter().any(|said| said.epoch != Epoch::Plaintext) {
            // RFC 9846 appendix E.4
            let changes = here.puppet.said.iter().filter(|said| said.kind == CCS).count();
            want!(changes, usize::from(!self.place.scene.bare), "ChangeCipherSpecs before what is protected");
        }
        here.puppet.stays_dead(error, self.place.name);
        Ok(())
    }

    /// The connection had ended before.
    fn dead<E: Conn>(&self, here: &mut Here<E>, outcome: &Outcome, died: &Error) -> Result<(), String> {
        want!(outcome.result.as_ref(), Err(died), "result");
        want!(&outcome.alerts[..], &[][..] as &[Said], "alerts");
        here.puppet.stays_dead(died, self.place.name);
        Ok(())
    }

    /// The rest of the message that has begun.
    fn join<E: Conn>(&self, here: &mut Here<E>) -> Result<(), String> {
        let place = self.place;
        let script = place.script(E::ROLE);
        let update = (place.reads, message(KEY_UPDATE, &[0]));
        let (_, due) = script.get(place.told).unwrap_or(&update);
        here.puppet.party.hold.clear();
        let rest = here.puppet.record(place.reads, HANDSHAKE, &due[2..]);
        here.puppet.feed(&rest).map_err(|error| format!("the rest: {error}"))?;
        if due[0] == KEY_UPDATE {
            here.puppet.lane(place.reads).update();
        }
        finish(place, here, place.told + 1)
    }

    /// The same answer once more, which only a twin of the connection can have made, is one to no question; a ticket is taken
    /// whenever it comes.
    fn answer_twice<E: Conn>(&self, here: &mut Here<E>) -> Result<(), String> {
        let Input::Answer(reply) = self.input else { return Ok(()) };
        if reply.to() == "SealTicket" {
            return Ok(());
        }
        let party = &mut here.puppet.party;
        let nothing_is_asked = party.held.is_empty() && !party.conn.is_established();
        let misuse = if nothing_is_asked { Misuse::NoQuestion } else { Misuse::WrongAnswer };
        let again = party.conn.resume(minted(self.place, E::ROLE, reply), &mut party.out);
        want!(again, Err(Error::Misuse(misuse)), "the same answer again");
        party.hold.clear();
        party.release().map_err(|error| format!("behind the same answer: {error}"))
    }

    /// What one form leads to, all others do: that they are taken is enough.
    fn is_first(&self) -> bool {
        !UNKNOWN.iter().any(|(unknown, _)| *unknown == self.input) || self.form < 2 * PARTS
    }

    /// The connection is at the place of this name: it waits for the same, and takes the same messages.
    fn arrive<E: Conn>(&self, here: &mut Here<E>, name: &str, places: &[Place]) -> Result<(), String> {
        let next = places.iter().find(|place| place.name == name).ok_or(format!("there is no {name:?}"))?;
        // A ticket pauses nothing.
        let pauses = |question: Option<&'static str>| question.filter(|name| *name != "SealTicket");
        let asks = here.puppet.party.held.first().map(|question| question.name());
        want!(pauses(asks), pauses(next.question), "asks");
        want!(here.puppet.party.conn.is_established(), next.state == "Open", "established");
        let next = Place { scene: self.place.scene, told: self.place.told + 1, ..*next };
        for probe in PROBES {
            let row = row_of(&next, *probe)?;
            let mut here = self.place.reach::<E>();
            here.act(self.place, self.input, self.form);
            here.forget();
            let died = died(&next, &mut here);
            let cell = Cell { place: &next, input: *probe, form: 0 };
            let outcome = here.act(&next, *probe, 0);
            let held = cell.compare(&mut here, &outcome, row.1, died.as_ref());
            held.map_err(|why| format!("not at {name:?} as {probe:?} tells: {why}"))?;
        }
        Ok(())
    }
}

/// What a handshake is canceled with (RFC 9846 section 6.1).
fn canceled(epoch: Epoch) -> [Said; 2] {
    [[1, 90], [1, 0]].map(|content| Said { epoch, kind: ALERT, content: content.to_vec() })
}

/// How a connection at `place` ended, if it did.
fn died<E: Conn>(place: &Place, here: &mut Here<E>) -> Option<Error> {
    (place.state == "Failed").then(|| here.puppet.party.run().expect_err(place.name))
}

/// Goes on as the scene does, from message `at`, to its end, and carries data both ways: nothing was harmed.
fn finish<E: Conn>(place: &Place, here: &mut Here<E>, at: usize) -> Result<(), String> {
    let puppet = &mut here.puppet;
    if place.state == "Failed" {
        return Ok(());
    }
    let opened = place.state == "Open";
    puppet.party.hold.clear();
    puppet.party.release().map_err(|error| format!("the answer: {error}"))?;
    let before = puppet.party.flush();
    puppet.hear(&before);
    for (epoch, message) in place.script(E::ROLE).iter().skip(if opened { usize::MAX } else { at }) {
        puppet.tell(*epoch, message).map_err(|error| format!("the rest of the scene: {error}"))?;
    }
    want!(puppet.party.conn.is_established(), true, "established");
    puppet.party.data.clear();
    puppet.say(Epoch::Application, DATA, b"up").map_err(|error| format!("data: {error}"))?;
    let heard: &[u8] = if place.name.contains("peer closed") { b"" } else { b"up" };
    want!(&puppet.party.data[..], heard, "data");
    let (conn, out) = (&mut puppet.party.conn, &mut puppet.party.out);
    let closed = place.alerts.is_none();
    let wanted = if closed { Err(Error::Misuse(Misuse::WriteClosed)) } else { Ok(4) };
    want!(conn.write(&[b"down"], out), wanted, "write");
    let sent = puppet.party.flush();
    puppet.hear(&sent);
    let last = puppet.said.last().filter(|_| !closed).map(|said| &said.content[..]);
    want!(last, if closed { None } else { Some(&b"down"[..]) }, "sent");
    Ok(())
}
