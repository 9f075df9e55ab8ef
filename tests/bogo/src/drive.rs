//! One connection, from its first byte to its last.

use rustls_pki_types::ServerName;
use symbolon::codepoint::HandshakeType;
use symbolon::conn::{
    Direction, EarlyVerdict, Event, MessageKind, Offer, SecretLabel, SendBuf, Step, Summary,
};
use symbolon::psk::Ticket;
use symbolon::question::Question;
use symbolon::{AlertCode, Error};

use crate::answers::{Answers, Learned};
use crate::credentials::Wallet;
use crate::endpoint::Endpoint;
use crate::expect;
use crate::failure::Failure;
use crate::link::{Delivery, Link};
use crate::options::{Options, Settings};
use crate::setup;
use crate::world::World;

/// More than any test lets wait.
const ROOM: usize = 64 << 20;

/// Which connection of a test it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    First,
    Later,
}

/// What a connection was like.
#[derive(Default)]
pub struct Story {
    pub summary: Option<Box<Summary>>,
    pub tickets: Vec<Ticket>,
    /// Client: whether early data was offered.
    pub offered_early: bool,
    pub verdict: Option<EarlyVerdict>,
    pub learned: Learned,
    /// The two traffic secrets of application data.
    client_secret: Vec<u8>,
    server_secret: Vec<u8>,
}

/// A connection under way.
struct Drive<'a> {
    options: &'a Options,
    settings: &'a Settings,
    turn: Turn,
    world: &'a World,
    wallet: &'a Wallet,
    link: Link,
    conn: Endpoint,
    out: SendBuf,
    story: Story,
    opening: Opening,
    closing: Closing,
    /// Whether the peer has brought anything forth.
    answered: bool,
    /// Whether the handshake is complete, and nothing was done about it yet.
    fresh: bool,
}

/// How much of the opening message was written.
enum Opening {
    Ahead,
    /// As early data; what the ticket did not permit follows the handshake.
    Early(Vec<Vec<u8>>),
    Done,
}

/// What is still awaited at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// Whatever comes.
    Open,
    /// We sent our close_notify and wait for the peer's.
    AwaitsPeer,
    /// It is over.
    Done,
}

/// Runs a connection, and keeps what later ones need in `world`.
pub fn run(options: &Options, turn: Turn, wallets: &[Wallet; 2], world: &mut World) -> Result<(), Failure> {
    let (settings, wallet) = match turn {
        Turn::First => (&options.initial, &wallets[0]),
        Turn::Later => (&options.resume, &wallets[1]),
    };
    let mut out = SendBuf::with_limit(ROOM);
    let offer = offer(settings, wallet, turn, options, world)?;
    let delivery = if settings.asynchronous { Delivery::Bytewise } else { Delivery::Whole };
    let conn = if options.server {
        Endpoint::server(&setup::built(setup::server(settings, world)?.build())?)?
    } else {
        Endpoint::client(&setup::client(settings, wallet, world)?, name(settings)?, offer, &mut out)?
    };
    let link = Link::connect(options, delivery)?;
    let recalled = world.learned.take().map(Learned::for_resumption).unwrap_or_default();
    let mut drive = Drive {
        options,
        settings,
        turn,
        world,
        wallet,
        link,
        conn,
        out,
        story: Story { learned: recalled, ..Story::default() },
        opening: Opening::Ahead,
        closing: Closing::Open,
        answered: false,
        fresh: false,
    };
    let ended = drive.all().map_err(|failure| drive.refine(failure));
    let flushed = drive.finish(&ended);
    let Drive { link, story, .. } = drive;
    link.close();
    ended?;
    flushed?;
    world.learned = Some(story.learned);
    if let Some(ticket) = story.tickets.into_iter().last() {
        world.ticket = Some(ticket);
    }
    Ok(())
}

fn offer(
    settings: &Settings,
    wallet: &Wallet,
    turn: Turn,
    options: &Options,
    world: &mut World,
) -> Result<Offer, Failure> {
    if options.server {
        return Ok(Offer::fresh());
    }
    let offer = match (turn, world.ticket.take()) {
        (Turn::Later, None) => return Err(Failure::Expectation("no ticket to resume with".into())),
        (Turn::Later, Some(ticket)) => Offer::resume(ticket, world.now),
        (Turn::First, _) => Offer::fresh(),
    };
    let offer = if settings.early_data { offer.with_early_data() } else { offer };
    Ok(offer.with_psks(wallet.psks().cloned()))
}

/// The server's name; without one an address, which is not sent.
fn name(settings: &Settings) -> Result<ServerName<'static>, Failure> {
    let name = settings.host_name.as_deref().unwrap_or("127.0.0.1");
    // What is no DNS name is not sent.
    ServerName::try_from(name.to_owned()).map_err(|error| Failure::Unimplemented(format!("{name}: {error}")))
}

impl Drive<'_> {
    fn all(&mut self) -> Result<(), Failure> {
        self.begin_early()?;
        let mut input: Vec<u8> = Vec::new();
        let mut at = 0;
        while self.closing != Closing::Done {
            let (consumed, found) = {
                let Step { consumed, event } = self.conn.process(&mut input[at..], &mut self.out)?;
                (consumed, Found::of(event)?)
            };
            at += consumed;
            // Tickets belong to the handshake: what follows waits for them.
            if self.fresh && !matches!(found, Found::Event(Event::Ask(Question::SealTicket(_)))) {
                self.fresh = false;
                self.established()?;
            }
            match found {
                Found::NeedInput => {
                    input.drain(..at);
                    at = 0;
                    self.link.flush(&mut self.out)?;
                    if !self.link.read(&mut input)? {
                        return self.end();
                    }
                }
                Found::Event(event) => self.on_event(event)?,
                Found::Data(bytes) => self.echo(bytes)?,
            }
        }
        Ok(())
    }

    fn on_event(&mut self, event: Event<'static>) -> Result<(), Failure> {
        self.answered |= !matches!(event, Event::Progress);
        match event {
            Event::Ask(question) => {
                let (world, settings, wallet) = (self.world, self.settings, self.wallet);
                let learned = std::mem::take(&mut self.story.learned);
                let mut answers = Answers { world, settings, wallet, learned };
                let answer = answers.answer(question);
                self.story.learned = answers.learned;
                self.conn.resume(answer?, &mut self.out)?;
            }
            Event::EarlyOpen(_) => self.open()?,
            Event::EarlyVerdict(verdict) => {
                self.story.verdict = Some(verdict);
                if verdict == EarlyVerdict::Refused {
                    self.settings = &self.options.retry;
                    // What was sent early is not sent again.
                    self.opening = Opening::Ahead;
                    self.link.release();
                }
            }
            Event::Ticket(ticket) => self.story.tickets.push(ticket.received(self.world.now)),
            Event::Established(summary) => {
                self.story.summary = Some(summary);
                self.fresh = true;
            }
            Event::Secret(revealed) => match revealed.label {
                SecretLabel::ClientTraffic => {
                    self.story.client_secret = revealed.secret.expose().to_vec();
                }
                SecretLabel::ServerTraffic => {
                    self.story.server_secret = revealed.secret.expose().to_vec();
                }
                _ => {}
            },
            Event::Message(message) => {
                let awaited = self.settings.early_write_after.map(HandshakeType);
                if message.direction == Direction::Received
                    && awaited.is_some_and(|awaited| message.kind == MessageKind::Handshake(awaited))
                {
                    self.write_early()?;
                }
            }
            Event::PeerClosed => self.peer_closed()?,
            _ => {}
        }
        Ok(())
    }

    /// A client with early data writes before the server has said anything.
    fn begin_early(&mut self) -> Result<(), Failure> {
        self.story.offered_early = self.conn.early_writer().is_some();
        if self.turn == Turn::First || self.options.server {
            return Ok(());
        }
        expect::early_offer(self.settings, self.story.offered_early)?;
        if self.story.offered_early && self.settings.export_len > 0 {
            // There is no exporter before the handshake is complete: this fails.
            self.conn.exporter(b"", b"", &mut [0])?;
        }
        if self.story.offered_early && self.settings.early_write_after.is_none() {
            self.write_early()?;
        }
        Ok(())
    }

    fn write_early(&mut self) -> Result<(), Failure> {
        self.link.flush(&mut self.out)?;
        let mut rest = Vec::new();
        for message in self.settings.opening() {
            let Some(mut writer) = self.conn.early_writer() else {
                return Err(Failure::Expectation("no early data can be written".into()));
            };
            let taken = writer.write(&[&message], &mut self.out)?;
            if taken < message.len() {
                rest.push(message[taken..].to_vec());
            }
        }
        if self.settings.unfinished_write {
            self.link.hold(&mut self.out)?;
        }
        self.opening = Opening::Early(rest);
        Ok(())
    }

    /// The handshake is complete.
    fn established(&mut self) -> Result<(), Failure> {
        if matches!(self.opening, Opening::Early(_)) {
            self.link.release();
        }
        expect::established(
            self.settings,
            self.turn,
            self.options.server,
            (&self.world.provider, self.wallet),
            &self.story,
        )?;
        if self.settings.export_len > 0 {
            let mut bytes = vec![0; self.settings.export_len];
            let (label, context) = (&self.settings.export_label, &self.settings.export_context);
            self.conn.exporter(label.as_bytes(), context.as_bytes(), &mut bytes)?;
            self.write(&bytes)?;
        }
        if self.settings.export_traffic_secrets {
            self.write_secrets()?;
        }
        if self.settings.send_alert {
            self.conn.abort(&mut self.out);
            self.closing = Closing::Done;
            return Ok(());
        }
        self.open()
    }

    /// The secret that is read with, then the one that is written with.
    fn write_secrets(&mut self) -> Result<(), Failure> {
        let (client, server) = (self.story.client_secret.clone(), self.story.server_secret.clone());
        let len = u16::try_from(client.len()).unwrap_or(0).to_le_bytes();
        let (read, written) = if self.options.server { (client, server) } else { (server, client) };
        self.write(&[&len[..], &read, &written].concat())
    }

    /// The opening message, or what remained of it.
    fn open(&mut self) -> Result<(), Failure> {
        let messages = match std::mem::replace(&mut self.opening, Opening::Done) {
            Opening::Ahead => self.settings.opening(),
            Opening::Early(rest) => rest,
            Opening::Done => Vec::new(),
        };
        let holds = self.settings.unfinished_write && !messages.is_empty();
        if holds {
            self.link.flush(&mut self.out)?;
        }
        for message in messages {
            self.write(&message)?;
        }
        if holds {
            self.link.hold(&mut self.out)?;
        }
        if self.settings.shuts_down && self.conn.is_established() {
            self.closing = Closing::Done;
            if self.settings.check_close_notify {
                self.conn.close(&mut self.out);
                self.closing = Closing::AwaitsPeer;
            }
        }
        Ok(())
    }

    /// Gives every byte back, inverted.
    fn echo(&mut self, mut bytes: Vec<u8>) -> Result<(), Failure> {
        if self.closing == Closing::AwaitsPeer {
            return Err(Failure::Expectation("data came instead of a close_notify".into()));
        }
        if self.settings.unfinished_write {
            self.link.release();
        }
        if self.settings.key_update && self.conn.is_established() {
            self.conn.update_keys(&mut self.out)?;
        }
        bytes.iter_mut().for_each(|byte| *byte = !*byte);
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self.conn.write(bytes, &mut self.out)? {
            taken if taken == bytes.len() => Ok(()),
            taken => Err(Failure::Expectation(format!("{taken} of {} bytes were taken", bytes.len()))),
        }
    }

    fn peer_closed(&mut self) -> Result<(), Failure> {
        if self.settings.check_close_notify && self.closing == Closing::Open {
            self.conn.close(&mut self.out);
        }
        self.closing = Closing::Done;
        self.check_end()
    }

    /// The transport ended.
    fn end(&mut self) -> Result<(), Failure> {
        match self.conn.eof() {
            Ok(()) => {}
            Err(Error::Truncated) if self.conn_was_up() && !self.settings.check_close_notify => {}
            Err(error) => return Err(error.into()),
        }
        self.check_end()
    }

    fn conn_was_up(&self) -> bool {
        self.story.summary.is_some()
    }

    fn check_end(&self) -> Result<(), Failure> {
        if self.options.server || self.settings.shuts_down {
            return Ok(());
        }
        expect::tickets(self.settings, &self.story.tickets)
    }

    /// The reference has a name of its own for servers that refuse a ClientHello at once.
    fn refine(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Connection(Error::Alert(AlertCode::HANDSHAKE_FAILURE))
                if !self.options.server && !self.answered =>
            {
                Failure::Named("HANDSHAKE_FAILURE_ON_CLIENT_HELLO")
            }
            other => other,
        }
    }

    /// Whatever is still pending goes out, the alert above all.
    fn finish(&mut self, ended: &Result<(), Failure>) -> Result<(), Failure> {
        if ended.is_err() {
            self.link.release();
        }
        Ok(self.link.flush(&mut self.out)?)
    }
}

impl Settings {
    /// The messages that the shim opens with, a record each.
    fn opening(&self) -> Vec<Vec<u8>> {
        if !self.writes_first && !self.unfinished_write {
            return Vec::new();
        }
        let text = self.initial_write.as_deref().unwrap_or("hello").as_bytes();
        (0..self.repeat_initial_write.unwrap_or(1)).map(|_| text.to_vec()).collect()
    }
}

/// What a step brought, without a borrow of the input.
enum Found {
    NeedInput,
    Data(Vec<u8>),
    Event(Event<'static>),
}

impl Found {
    fn of(event: Event<'_>) -> Result<Self, Failure> {
        Ok(match event {
            Event::NeedInput { .. } => Self::NeedInput,
            Event::Data(plain) => Self::Data(plain.bytes.to_vec()),
            Event::Early(early) => Self::Data(early.accept_replayable().bytes.to_vec()),
            Event::Progress => Self::Event(Event::Progress),
            Event::Ask(question) => Self::Event(Event::Ask(question)),
            Event::Waiting => Self::Event(Event::Waiting),
            Event::EarlyOpen(opening) => Self::Event(Event::EarlyOpen(opening)),
            Event::EarlyEnd => Self::Event(Event::EarlyEnd),
            Event::EarlyVerdict(verdict) => Self::Event(Event::EarlyVerdict(verdict)),
            Event::Ticket(ticket) => Self::Event(Event::Ticket(ticket)),
            Event::Established(summary) => Self::Event(Event::Established(summary)),
            Event::Secret(secret) => Self::Event(Event::Secret(secret)),
            Event::Message(message) => Self::Event(Event::Message(message)),
            Event::RetrySent => Self::Event(Event::RetrySent),
            Event::PeerClosed => Self::Event(Event::PeerClosed),
            other => return Err(Failure::Unimplemented(format!("the event {other:?}"))),
        })
    }
}
