//! One seed's story: waves of connections at once, an attacker beside them, and time between them.

use std::collections::BTreeMap;
use std::time::Duration;

use symbolon::Moment;
use symbolon::conn::{Client, Offer, SendBuf, Server};

use super::answers::Desk;
use super::attacker::Attacker;
use super::conn::Conn;
use super::dice::Dice;
use super::ending;
use super::fleet::{self, Guarding};
use super::invariants;
use super::link::{Harm, Link};
use super::peer::{Around, Peer};
use super::setting::{Primitives, Setting};
use super::stream::Way;
use super::support::name;
use super::tally::Tally;
use super::tap::Tap;
use super::toy;
use super::wallet::{Kept, Pass};

/// How many peers a story has at most.
const MOST_PEERS: usize = 256;

pub struct World {
    pub dice: Dice,
    pub tally: Tally,
    pub now: Moment,
    pub setting: Setting,
    pub attacker: Attacker,
    pub wallet: Vec<Kept>,
    owners: usize,
    connections: usize,
    /// How often early data of a connection was delivered, by whom.
    delivered: BTreeMap<(usize, usize), usize>,
    /// How much of it, and whose it was, since the wave began.
    arrived: Vec<(usize, usize)>,
    /// How much each connection sent.
    early_sent: BTreeMap<usize, usize>,
}

/// The dice and the tally of a world, apart from the rest.
macro_rules! around {
    ($world:expr) => {
        &mut Around { dice: &mut $world.dice, tally: &mut $world.tally }
    };
}
pub(super) use around;

impl World {
    pub fn new(seed: u64, primitives: Primitives) -> Self {
        toy::forget_owners(MOST_PEERS);
        let mut dice = Dice::new(seed);
        let setting = Setting::draw(seed, primitives, &mut dice);
        Self {
            setting,
            dice,
            tally: Tally::default(),
            now: Moment::from_secs(1_800_000_000),
            attacker: Attacker::default(),
            wallet: Vec::new(),
            owners: 0,
            connections: 0,
            delivered: BTreeMap::new(),
            arrived: Vec::new(),
            early_sent: BTreeMap::new(),
        }
    }

    pub fn run(mut self) -> Tally {
        for _ in 0..self.dice.within(2..5) {
            self.wave();
            let pause = match self.dice.within(0..8) {
                0 => 7_200_000,
                _ => self.dice.within(0..6_000) as u64,
            };
            self.now = self.now.plus(Duration::from_millis(pause));
        }
        self.tally
    }

    /// Some connections at once.
    fn wave(&mut self) {
        let mut links = Vec::new();
        for _ in 0..self.dice.within(1..4) {
            links.push(self.connect());
        }
        if self.dice.once_in(2) {
            links.extend(self.attack());
        }
        for _ in 0..self.dice.within(10..50) * links.len() {
            self.tick(&mut links);
        }
        self.talk(&mut links);
        for mut link in links {
            ending::finish(&mut link, self);
        }
        for (of, arrived) in self.arrived.drain(..) {
            invariants::early_data_was_sent(arrived, self.early_sent.get(&of).copied());
        }
    }

    /// What is established by now is used; the rest is left behind.
    fn talk(&mut self, links: &mut Vec<Link>) {
        for link in links.iter_mut().filter(|link| !link.is_forged()) {
            if !self.dice.once_in(4) {
                ending::drain(link, self);
            }
        }
        let open = |link: &Link| link.client.as_ref().is_some_and(Peer::is_open);
        for _ in 0..self.dice.within(0..60) * links.iter().filter(|link| open(link)).count() {
            self.tick(links);
        }
    }

    fn tick(&mut self, links: &mut Vec<Link>) {
        self.now = self.now.plus(Duration::from_millis(self.dice.within(0..20) as u64));
        let at = self.dice.within(0..links.len());
        let way = *self.dice.one_of(&[Way::Up, Way::Down]);
        let most = match self.dice.within(0..4) {
            0 => self.dice.within(1..40),
            1 => self.dice.within(1..1500),
            _ => usize::MAX,
        };
        let link = &mut links[at];
        match self.dice.within(0..20) {
            0..6 => drop(link.flush(way, most)),
            6..12 => drop(link.deliver(way, most, around!(self))),
            12..14 => drop(link.answer(way, around!(self))),
            14..18 => link.turn(way, around!(self)),
            18 if self.dice.once_in(4) => self.cross(links),
            18 => {}
            _ => {
                // Whoever reads along is as quick as the client.
                let copy = links[at].up.recorded.clone();
                if !copy.is_empty() && !links[at].is_forged() && links.len() < 6 && self.dice.once_in(3) {
                    self.tally.count("a first flight sent to another server at once");
                    let link = self.forge_for_server(&copy, self.now);
                    links.push(link);
                }
            }
        }
        self.follow(&mut links[at]);
    }

    /// Sees to a server that sent a stateless HelloRetryRequest.
    pub fn follow(&mut self, link: &mut Link) {
        if !link.wants_successor() {
            return;
        }
        if self.dice.once_in(2) {
            let successor = self.server(link.number);
            link.go_on_with(successor, around!(self));
        }
        if let Some(server) = &mut link.server {
            server.stays = true;
        }
    }

    /// An answer for one connection goes to another.
    fn cross(&mut self, links: &mut [Link]) {
        let asking = |link: &mut Link, way| link.peer(way).is_some_and(|peer| !peer.held.is_empty());
        let ways = [Way::Up, Way::Down];
        let from = (0..links.len()).flat_map(|at| ways.map(|way| (at, way)));
        let from: Vec<_> = from.filter(|(at, way)| asking(&mut links[*at], *way)).collect();
        if from.is_empty() {
            return;
        }
        let (at, way) = *self.dice.one_of(&from);
        let others: Vec<usize> = (0..links.len()).filter(|other| *other != at).collect();
        if others.is_empty() {
            return;
        }
        let (to, to_way) = (*self.dice.one_of(&others), *self.dice.one_of(&ways));
        if links[to].peer(to_way).is_none() {
            return;
        }
        let asker = links[at].peer(way).expect("it asks");
        let question = asker.held.pop().expect("it asks");
        let is_ticket = question.name() == "SealTicket";
        let answer = asker.desk.answer(question);
        // Its question is lost: nobody can answer it any more.
        links[at].harmed |= !is_ticket;
        self.tally.count(match is_ticket {
            true => "a ticket's answer for another connection",
            false => "an answer for another connection",
        });
        if let Some(peer) = links[to].peer(to_way) {
            peer.resume_foreign(answer);
            peer.run(around!(self));
        }
    }

    fn owner(&mut self) -> usize {
        self.owners += 1;
        assert!(self.owners < MOST_PEERS);
        self.owners
    }

    fn buffer(&mut self) -> (SendBuf, usize) {
        let limit = *self.dice.one_of(&[400, 2000, 20_000, 1 << 16, 1 << 16]);
        (SendBuf::with_limit(limit), limit)
    }

    fn tap(&self, way: Way, connection: usize) -> Tap {
        let limit = self.setting.limits.map(|[down, up]| if way == Way::Up { up } else { down });
        Tap::new(way, connection, self.setting.provider.suites, limit)
    }

    fn desk(&mut self, server: Option<fleet::Server>) -> Desk {
        // Clocks differ, a little.
        let skew = Duration::from_millis(self.dice.within(0..2_000) as u64);
        let now = if self.dice.once_in(2) { self.now.plus(skew) } else { self.now.minus(skew) };
        Desk {
            provider: self.setting.provider.clone(),
            now,
            own: self.setting.own.clone(),
            server: server.map(|server| (server, self.setting.serving.clone())),
            presented: None,
        }
    }

    /// Some server of the fleet, which waits for a client.
    fn server(&mut self, connection: usize) -> Peer {
        let server = self.dice.one_of(&self.setting.servers).clone();
        let owner = self.owner();
        let now = self.now.unix_time();
        let conn = toy::on_behalf(owner, &mut None, || Server::new_at(&server.config, now)).unwrap();
        let desk = self.desk(Some(server));
        let (out, tap) = (self.buffer(), self.tap(Way::Down, connection));
        Peer::new(owner, connection, Way::Down, Conn::Server(conn), out, tap, desk)
    }

    fn client(&mut self, connection: usize, offer: Offer) -> Peer {
        let owner = self.owner();
        let (mut out, limit) = self.buffer();
        let config = &self.setting.client;
        let conn = toy::on_behalf(owner, &mut None, || Client::start(config, name(), offer, &mut out));
        let (desk, tap) = (self.desk(None), self.tap(Way::Up, connection));
        let conn = Conn::Client(conn.unwrap());
        let mut peer = Peer::new(owner, connection, Way::Up, conn, (out, limit), tap, desk);
        peer.export_early();
        peer.run(around!(self));
        peer
    }

    /// What a client brings along.
    fn offer(&mut self) -> (Offer, Option<Pass>) {
        let (offer, pass) = match self.wallet.pop() {
            Some(Kept { ticket, pass }) if !self.dice.once_in(4) => {
                (Offer::resume(ticket, self.now), Some(pass))
            }
            _ => (Offer::fresh(), None),
        };
        let offer = if self.dice.once_in(4) { offer } else { offer.with_early_data() };
        (offer.with_psks(self.setting.psks.iter().cloned()), pass)
    }

    /// A client connects to some server.
    fn connect(&mut self) -> Link {
        self.connections += 1;
        let number = self.connections;
        let (offer, pass) = self.offer();
        let client = self.client(number, offer);
        let server = self.server(number);
        let harm = Harm::draw(&mut self.dice);
        let mut link = Link::new(number, Some(client), Some(server), harm, self.now);
        link.pass = pass;
        link.forgets_tickets = self.dice.once_in(6);
        if let Some(client) = &mut link.client
            && self.dice.once_in(2)
        {
            client.write_ahead(self.dice.within(8..300), around!(self));
        }
        link
    }

    /// Somebody sends what was recorded.
    fn attack(&mut self) -> Option<Link> {
        if self.dice.once_in(4) {
            let (_, bytes) = self.attacker.to_client(&mut self.dice)?;
            self.tally.count("a recording sent to a client");
            self.connections += 1;
            let number = self.connections;
            let (offer, _) = self.offer();
            let client = self.client(number, offer);
            let mut link = Link::new(number, Some(client), None, Harm::None, self.now);
            link.down.put(&bytes);
            return Some(link);
        }
        let (recorded, bytes) = self.attacker.to_server(&mut self.dice)?;
        self.tally.count("a recording sent to a server");
        Some(self.forge_for_server(&bytes, recorded))
    }

    fn forge_for_server(&mut self, bytes: &[u8], recorded: Moment) -> Link {
        self.connections += 1;
        let mut server = self.server(self.connections);
        if self.dice.once_in(2) {
            // The best an attacker can hope for: a server whose clock agrees with the recording.
            server.desk.now = recorded;
        }
        let mut link = Link::new(self.connections, None, Some(server), Harm::None, self.now);
        link.up.put(bytes);
        link
    }

    /// Early data that was delivered is held against what was sent, and counted.
    pub fn settle_early(&mut self, link: &Link) {
        if let Some(client) = &link.client {
            self.early_sent.insert(link.number, client.early_sent);
        }
        let Some(server) = &link.server else { return };
        let Some(of) = server.log.early_of else { return };
        let number = server.desk.server.as_ref().map_or(0, |(server, _)| server.number);
        let by = if self.setting.guarding == Guarding::Each { number } else { 0 };
        let times = self.delivered.entry((of, by)).or_default();
        *times += 1;
        invariants::early_data_is_delivered_once(*times);
        // Judged when the wave is over: a copy may end before what it is a copy of.
        self.arrived.push((of, server.log.early_got));
        if link.is_forged() {
            self.tally.count("early data delivered to an attacker's connection");
        }
    }
}
