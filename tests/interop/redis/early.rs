//! Connections with early data, whose servers ask a guard over Redis.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use symbolon::config::ServerConfig;
use symbolon::conn::{Client, Event, NoEarlyData, Offer, SendBuf, Step, Summary, Unknowable};
use symbolon::io::tokio::{Guarded, Immediate, TlsAcceptor};
use symbolon::policy::redis::{RedisGuard, RedisStatus};
use symbolon::policy::replay::{AsyncReplayGuard, Guard};
use symbolon::policy::{Answerer, Clock, SystemClock};
use symbolon::psk::{NotResumed, Session, Ticket};
use symbolon::question::{Answer, KnownPsk, Question, Seen};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::store::*;
use crate::support;

/// Remembers the first session, and otherwise answers as an honest server.
#[derive(Default)]
struct OneSession(Mutex<Option<Vec<u8>>>);

impl Answerer for OneSession {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::SealTicket(question) => {
                let session = question.session(SystemClock.moment(), 3600, 0);
                let chain = symbolon::psk::ChainInTicket::Left;
                self.0.lock().unwrap().get_or_insert(session.encode(chain).unwrap().to_vec());
                question.sealed(b"ticket".to_vec(), 3600)
            }
            Question::LookupPsk(question) => match &*self.0.lock().unwrap() {
                Some(session) => {
                    let session = KnownPsk::Session(Box::new(Session::decode(session).unwrap()));
                    question.known(vec![(0, session)], SystemClock.moment(), NotResumed::Unknown)
                }
                None => question.none(NotResumed::Unknown),
            },
            other => support::Answers::default().answer(other),
        }
    }
}

/// A server of the fleet.
#[derive(Clone)]
struct Server {
    guard: Arc<Guard<RedisGuard>>,
    sessions: Arc<OneSession>,
    config: Arc<ServerConfig>,
    acceptor: TlsAcceptor,
}

impl Server {
    fn new(guard: &Arc<Guard<RedisGuard>>, sessions: &Arc<OneSession>) -> Self {
        let config = support::server_config(|b| b.early_data(1024, guard.proof().clone()).tickets(1));
        let answerer = Guarded::new(Arc::clone(guard), Immediate(Arc::clone(sessions)));
        let acceptor = TlsAcceptor::asking(Arc::clone(&config), Arc::new(answerer));
        Self { guard: Arc::clone(guard), sessions: Arc::clone(sessions), config, acceptor }
    }

    /// Serves one connection until the client has said "ping" and closed.
    async fn serve(self, io: DuplexStream) -> Summary {
        let mut handshake = self.acceptor.accept_early(io);
        let mut early = Vec::new();
        let mut some = [0; 64];
        while let n @ 1.. = handshake.read_early(&mut some).await.unwrap() {
            early.extend_from_slice(&some[..n]);
        }
        let mut stream = handshake.finish().await.unwrap();
        let accepted = stream.summary().unwrap().early_data.is_ok();
        assert_eq!(early, if accepted { &b"early"[..] } else { b"" });
        let mut word = [0; 4];
        stream.read_exact(&mut word).await.unwrap();
        assert_eq!(&word, b"ping");
        stream.write_all(b"pong").await.unwrap();
        stream.shutdown().await.unwrap();
        stream.summary().unwrap().clone()
    }
}

/// What a client has of a connection.
struct Visit {
    ticket: Option<Ticket>,
    /// All that it sent before the server answered.
    first_flight: Vec<u8>,
    server: Summary,
}

/// Connects, sends "ping" when the connection is established and waits for "pong".
async fn visit(server: &Server, offer: Offer) -> Visit {
    let (mut io, theirs) = duplex(1 << 16);
    let serving = tokio::spawn(server.clone().serve(theirs));
    let config = support::client_config(|b| b);
    let mut out = SendBuf::with_limit(1 << 16);
    let early = !offer.is_fresh();
    let mut client = Client::start(&config, support::name(), offer, &mut out).unwrap();
    if early {
        client.early_writer().unwrap().write(&[b"early"], &mut out).unwrap();
    }
    let first_flight = out.pending().to_vec();
    let (mut inbox, mut ticket, mut data, mut closed) = (Vec::new(), None, Vec::new(), false);
    while !closed {
        flush(&mut out, &mut io).await;
        assert!(soon(io.read_buf(&mut inbox)).await.unwrap() > 0, "the server is gone");
        let mut at = 0;
        loop {
            let Step { consumed, event } = client.process(&mut inbox[at..], &mut out).unwrap();
            at += consumed;
            match event {
                Event::NeedInput { .. } => break,
                Event::Ask(question) => {
                    let answer = support::Answers::default().answer(question);
                    client.resume(answer, &mut out).unwrap();
                }
                Event::Established(_) => {
                    client.write(&[b"ping"], &mut out).unwrap();
                }
                Event::Ticket(new) => ticket = Some(new.received(SystemClock.moment())),
                Event::Data(plain) => data.extend_from_slice(plain.bytes),
                Event::PeerClosed => closed = true,
                _ => {}
            }
        }
        inbox.drain(..at);
    }
    assert_eq!(data, b"pong");
    Visit { ticket, first_flight, server: soon(serving).await.unwrap() }
}

async fn flush(out: &mut SendBuf, io: &mut DuplexStream) {
    let bytes = out.pending().to_vec();
    out.advance(bytes.len());
    // A server that has closed reads no more.
    let _ = io.write_all(&bytes).await;
}

fn with_early_data(ticket: Option<Ticket>) -> Offer {
    Offer::resume(ticket.unwrap(), SystemClock.moment()).with_early_data()
}

/// A store with two servers over it that share their tickets, by the system's clock.
async fn fleet(store: &Store) -> ([Arc<Guard<RedisGuard>>; 2], [Server; 2]) {
    let sessions = Arc::new(OneSession::default());
    let settings = || settings(store.port, &Hands::at(1));
    let guards = [guarding(settings()).await, guarding(settings()).await];
    let servers = [Server::new(&guards[0], &sessions), Server::new(&guards[1], &sessions)];
    (guards, servers)
}

#[tokio::test]
async fn early_data_is_accepted_once_in_the_fleet() {
    let store = Store::start();
    let (_guards, [one, two]) = fleet(&store).await;
    let first = visit(&one, Offer::fresh()).await;
    assert_eq!(first.server.early_data, Err(NoEarlyData::NotOffered));
    let second = visit(&two, with_early_data(first.ticket)).await;
    assert_eq!(second.server.early_data, Ok(()));

    for server in [&one, &two] {
        assert_eq!(replayed(server, second.first_flight.clone()).await, Seen::Before);
    }
}

/// What the guard says when a server gets a recorded first flight.
async fn replayed(server: &Server, mut first_flight: Vec<u8>) -> Seen {
    let mut machine = symbolon::conn::Server::new(&server.config).unwrap();
    let mut out = SendBuf::with_limit(1 << 16);
    let mut at = 0;
    loop {
        let Step { consumed, event } = machine.process(&mut first_flight[at..], &mut out).unwrap();
        at += consumed;
        match event {
            Event::Ask(Question::CheckReplay(question)) => {
                return soon(server.guard.guard().check(*question.flight())).await;
            }
            Event::Ask(question) => machine.resume(server.sessions.answer(question), &mut out).unwrap(),
            Event::NeedInput { .. } => panic!("nobody asked the guard"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_store_that_is_gone_costs_early_data_and_nothing_else() {
    let mut store = Store::start();
    let ([guard, _other], [server, _]) = fleet(&store).await;
    let first = visit(&server, Offer::fresh()).await;
    store.kill();
    until(&guard, |status| status == RedisStatus::Unreachable).await;
    let second = visit(&server, with_early_data(first.ticket)).await;
    let why = NoEarlyData::Unknowable(Unknowable::Unreachable);
    assert_eq!(second.server.early_data, Err(why));
    assert!(second.server.resumed.is_ok());
}

#[tokio::test]
async fn a_store_that_hangs_costs_early_data_and_no_more_than_the_deadline() {
    let fake = super::fake::Fake::but("SET", "seen", || super::fake::Does::Hangs).await;
    let deadline = std::time::Duration::from_millis(200);
    let settings = settings(fake.port, &Hands::at(1)).deadline(deadline);
    let guard = guarding(settings).await;
    let server = Server::new(&guard, &Arc::new(OneSession::default()));
    let first = visit(&server, Offer::fresh()).await;
    let began = Instant::now();
    let second = visit(&server, with_early_data(first.ticket)).await;
    assert!(began.elapsed() >= deadline);
    assert_eq!(second.server.early_data, Err(NoEarlyData::Unknowable(Unknowable::Late)));
    assert!(second.server.resumed.is_ok());
}
