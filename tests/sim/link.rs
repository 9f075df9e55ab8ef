//! A connection: its two ends, the wires between them, and what is to go wrong.

use symbolon::conn::Ask;
use symbolon::{AlertCode, Error, Moment};

use super::answers::{Lie, Outcome};
use super::dice::Dice;
use super::network::{Strike, Wire};
use super::peer::{Around, Peer};
use super::stream::Way;
use super::wallet::Pass;

/// How many rounds it takes at most until nothing moves any more.
const MOST_ROUNDS: usize = 600;

/// What is to go wrong, if anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Harm {
    None,
    /// Something happens to the bytes that go this way, behind so many.
    Wire(Way, usize, Strike),
    /// The question of this number, and those behind it, are not answered as an honest side would.
    Answer(Way, usize, Lie),
    /// The transport ends while the question of this number is out.
    HangUp(Way, usize),
    /// A side closes before the handshake is complete, at its so-manieth turn.
    Close(Way, usize),
    /// A side's provider fails once, after so many steps.
    Provider(Way, u32),
}

const ALERTS: [AlertCode; 6] = [
    AlertCode::ACCESS_DENIED,
    AlertCode::CERTIFICATE_REVOKED,
    AlertCode::UNKNOWN_CA,
    AlertCode::GENERAL_ERROR,
    AlertCode::UNRECOGNIZED_NAME,
    AlertCode::INTERNAL_ERROR,
];

impl Harm {
    pub fn draw(dice: &mut Dice) -> Self {
        let way = *dice.one_of(&[Way::Up, Way::Down]);
        match dice.within(0..14) {
            0..2 => Self::Wire(way, dice.within(0..4000), Strike::draw(dice)),
            2 => Self::Wire(way, dice.within(0..40_000), Strike::draw(dice)),
            3 => Self::Answer(way, dice.within(1..4), Lie::Refuse(*dice.one_of(&ALERTS))),
            4 => Self::Answer(way, dice.within(1..4), Lie::Wrong),
            5 => Self::HangUp(way, dice.within(1..3)),
            6 => Self::Close(way, dice.within(0..4)),
            7 => Self::Provider(way, dice.within(0..60) as u32),
            _ => Self::None,
        }
    }
}

pub struct Link {
    pub number: usize,
    pub client: Option<Peer>,
    pub server: Option<Peer>,
    pub up: Wire,
    pub down: Wire,
    harm: Harm,
    turns: usize,
    /// Whether something happened after which no success is promised.
    pub harmed: bool,
    /// Whether bytes were changed, lost or added on the way.
    pub struck: bool,
    pub cut: bool,
    /// Tickets are never sealed.
    pub forgets_tickets: bool,
    /// What the client brought along.
    pub pass: Option<Pass>,
    pub started: Moment,
}

impl Link {
    pub fn new(
        number: usize,
        client: Option<Peer>,
        server: Option<Peer>,
        harm: Harm,
        started: Moment,
    ) -> Self {
        let mut link = Self {
            number,
            client,
            server,
            up: Wire::default(),
            down: Wire::default(),
            harm,
            turns: 0,
            harmed: false,
            struck: false,
            cut: false,
            forgets_tickets: false,
            pass: None,
            started,
        };
        match link.harm.clone() {
            Harm::Wire(way, at, strike) => link.wire(way).strike = Some((at, strike)),
            Harm::Provider(way, steps) => {
                if let Some(peer) = link.peer(way) {
                    (peer.fails_in, peer.may_fail) = (Some(steps), true);
                }
            }
            Harm::Answer(way, ..) | Harm::HangUp(way, _) => {
                link.peer(way).into_iter().for_each(|peer| peer.hesitates = true);
            }
            Harm::Close(..) | Harm::None => {}
        }
        link
    }

    /// Whether it is an attacker's.
    pub fn is_forged(&self) -> bool {
        self.client.is_none() || self.server.is_none()
    }

    /// The end that sends this way.
    pub fn peer(&mut self, way: Way) -> Option<&mut Peer> {
        match way {
            Way::Up => self.client.as_mut(),
            Way::Down => self.server.as_mut(),
        }
    }

    fn other(&mut self, way: Way) -> Option<&mut Peer> {
        self.peer(if way == Way::Up { Way::Down } else { Way::Up })
    }

    fn wire(&mut self, way: Way) -> &mut Wire {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    /// Lets some of what is pending out; whether there was anything.
    pub fn flush(&mut self, way: Way, most: usize) -> bool {
        let Some(peer) = self.peer(way) else { return false };
        let bytes = peer.flush(most);
        if !self.cut {
            self.wire(way).put(&bytes);
        }
        !bytes.is_empty()
    }

    /// Lets some of what is under way arrive; whether there was anything.
    pub fn deliver(&mut self, way: Way, most: usize, around: &mut Around<'_>) -> bool {
        let (bytes, strike) = self.wire(way).carry(most);
        if let Some(strike) = &strike {
            around.tally.count(strike.name());
            (self.harmed, self.struck) = (true, true);
            if *strike == Strike::Cut {
                self.hang_up();
            }
        }
        if bytes.is_empty() {
            return strike.is_some();
        }
        if let Some(peer) = self.other(way) {
            peer.receive(&bytes);
            peer.run(around);
        }
        self.look_for_failure(around);
        true
    }

    pub fn look_for_failure(&mut self, around: &mut Around<'_>) {
        let failed = |peer: &Option<Peer>| peer.as_ref().is_some_and(Peer::provider_failed);
        if !self.harmed && (failed(&self.client) || failed(&self.server)) {
            around.tally.count("the provider failed");
            self.harmed = true;
        }
    }

    fn hang_up(&mut self) {
        self.cut = true;
        self.up.under_way.clear();
        self.down.under_way.clear();
    }

    /// Answers a question of the side that sends this way, or does what the plan wants; whether there was one.
    pub fn answer(&mut self, way: Way, around: &mut Around<'_>) -> bool {
        let (harm, forgets, cut) = (self.harm.clone(), self.forgets_tickets, self.cut);
        let Some(peer) = self.peer(way) else { return false };
        if peer.held.is_empty() {
            return false;
        }
        let at = around.dice.within(0..peer.held.len());
        around.tally.count(if at > 0 { "answers out of order" } else { "an answer was late" });
        let question = peer.held.remove(at);
        let is_ticket = question.name() == "SealTicket";
        match harm {
            Harm::HangUp(of, nth) if of == way && peer.log.asked >= nth && !is_ticket && !cut => {
                around.tally.count("a question at which the transport ended");
                self.hang_up();
                (self.harmed, self.struck) = (true, true);
                return true;
            }
            Harm::Answer(of, nth, lie) if of == way && peer.log.asked >= nth => {
                let before = peer.log.error.clone();
                let (answer, outcome) = peer.desk.lie(question, lie, around.dice);
                peer.resume(answer);
                if let (None, Outcome::Ends(alert)) = (before, outcome) {
                    around.tally.count("a refusal");
                    assert!(matches!(&peer.log.error, Some(Error::Refused(why)) if why.alert() == alert));
                } else {
                    around.tally.count("a wrong answer");
                }
                peer.run(around);
                self.harmed |= !is_ticket;
                self.harm = Harm::None;
            }
            _ if is_ticket && forgets => around.tally.count("a ticket that was never sealed"),
            _ => {
                let answer = peer.desk.answer(question);
                peer.resume(answer);
                peer.run(around);
            }
        }
        self.look_for_failure(around);
        true
    }

    /// Something that the application of one side does.
    pub fn turn(&mut self, way: Way, around: &mut Around<'_>) {
        self.turns += 1;
        let (harm, turns) = (self.harm.clone(), self.turns);
        let Some(peer) = self.peer(way) else { return };
        if peer.log.error.is_some() {
            return;
        }
        if !peer.is_open() {
            match harm {
                Harm::Close(of, turn) if of == way && turns > turn => {
                    around.tally.count("closed during the handshake");
                    peer.close(around);
                    self.harmed = true;
                }
                _ => {
                    let len = around.dice.within(8..300);
                    peer.write_ahead(len, around);
                    peer.run(around);
                }
            }
            return;
        }
        match around.dice.within(0..14) {
            0..6 => {
                let len = *around.dice.one_of(&[0, 1, 2, 17, 100, 100, 700, 3000, 17_000]);
                peer.write(len, around);
            }
            6 => peer.update_keys(Ask::Peer, around),
            7 => peer.update_keys(Ask::Nobody, around),
            8..10 => {
                let len = around.dice.within(0..2000);
                if let Some(record) = peer.seal_frame(len, around)
                    && !self.cut
                {
                    self.wire(way).put(&record);
                }
            }
            10..12 => peer.split(around),
            12 if around.dice.once_in(4) => peer.close(around),
            _ => peer.obey(),
        }
        self.look_for_failure(around);
    }

    /// A server that sent a stateless HelloRetryRequest is dropped, and another one goes on.
    pub fn go_on_with(&mut self, mut successor: Peer, around: &mut Around<'_>) {
        self.flush(Way::Down, usize::MAX);
        let Some(mut server) = self.server.take() else { return };
        successor.receive(&std::mem::take(&mut server.inbox));
        server.finish();
        successor.run(around);
        self.server = Some(successor);
        around.tally.count("HelloRetryRequest, and another server went on");
    }

    /// Lets everything happen that can, until nothing moves.
    pub fn drain(&mut self, around: &mut Around<'_>) {
        for _ in 0..MOST_ROUNDS {
            let mut moved = false;
            for way in [Way::Up, Way::Down] {
                moved |= self.flush(way, usize::MAX);
                moved |= self.deliver(way, usize::MAX, around);
                moved |= self.answer(way, around);
                if let Some(peer) = self.peer(way)
                    && !peer.orders.is_empty()
                {
                    peer.obey();
                    moved = true;
                }
            }
            if !moved {
                return;
            }
            if self.wants_successor() {
                // Whoever drains has to see to it first.
                return;
            }
        }
        panic!("there is no end to it");
    }

    /// Whether a stateless HelloRetryRequest was just sent.
    pub fn wants_successor(&self) -> bool {
        self.server.as_ref().is_some_and(|server| server.log.retry_sent && !server.stays)
    }
}
