//! What a server's policy makes of tickets, external keys and early data, in whole connections.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::{LIMIT, client_config, credential, provider};
use symbolon::Moment;
use symbolon::codepoint::CipherSuite;
use symbolon::config::{ClientAuth, ClientConfig, ConfigError, Credential, Reach, ReplayGuarded};
use symbolon::config::{ServerConfig, ServerConfigBuilder};
use symbolon::conn::{Client, Event, NoEarlyData, NotResumed, Offer, Resumed, SendBuf, Server, Step};
use symbolon::conn::{Summary, Unknowable};
use symbolon::identity::Claim;
use symbolon::policy::replay::{DEFAULT_WINDOW, Guard, ReplayGuard};
use symbolon::policy::tickets::{FleetSecret, SessionCache, TicketRing, Tickets};
use symbolon::policy::{Answerer, Clock, ServerPolicy, ServerPolicyBuilder, Statistics};
use symbolon::psk::{ExternalPsk, PskHash, Ticket};
use symbolon::question::{FirstFlight, Question, Seen};

use rustls_pki_types::{ServerName, UnixTime};

const DAY: u64 = 86_400;
const START: u64 = 1_000_000_000;

/// A clock that is set by hand, in milliseconds.
#[derive(Clone)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(START * 1000)))
    }

    fn forward(&self, secs: u64) {
        self.0.fetch_add(secs * 1000, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> UnixTime {
        self.moment().unix_time()
    }

    fn moment(&self) -> Moment {
        Moment::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A guard that remembers all.
#[derive(Default)]
struct Memory(Mutex<Vec<[u8; 32]>>);

impl ReplayGuard for Memory {
    fn check(&self, flight: &FirstFlight) -> Seen {
        let mut seen = self.0.lock().unwrap();
        if seen.contains(&flight.id) {
            return Seen::Before;
        }
        seen.push(flight.id);
        Seen::Never
    }
}

fn guard(reach: Reach) -> Arc<Guard> {
    Arc::new(Guard::vouched(Memory::default(), reach, DEFAULT_WINDOW))
}

fn ring() -> Arc<dyn Tickets> {
    Arc::new(TicketRing::random(&provider()).unwrap())
}

fn fleet_ring() -> Arc<dyn Tickets> {
    let start = Moment::from_secs(START);
    let secret = FleetSecret::new(&[1; 32], start, Duration::from_secs(6 * 3600));
    Arc::new(TicketRing::derived(&provider(), secret, Duration::from_secs(48 * 3600), start).unwrap())
}

fn cache() -> Arc<dyn Tickets> {
    Arc::new(SessionCache::new(&provider(), 10).unwrap())
}

/// A server that asks its policy, and a client that trusts everyone.
struct Place {
    clock: Hand,
    config: Arc<ServerConfig>,
    policy: Arc<ServerPolicy>,
    client: Arc<ClientConfig>,
}

/// What became of a connection.
struct Outcome {
    server: Summary,
    tickets: Vec<Ticket>,
    early: Vec<u8>,
    first_flight: Vec<u8>,
}

impl Place {
    fn new(
        configure: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder,
        serve: impl FnOnce(ServerPolicyBuilder) -> ServerPolicyBuilder,
    ) -> Self {
        let clock = Hand::new();
        let builder = ServerConfig::builder(provider()).credential(credential(support::Key::P256)).tickets(2);
        let config = configure(builder).build().unwrap();
        let policy = serve(ServerPolicy::serving(Arc::clone(&config)).clock(clock.clone())).build().unwrap();
        Self { clock, config, policy, client: client_config(|b| b) }
    }

    fn connect(&self, offer: Offer) -> Outcome {
        self.connect_sending(offer, b"")
    }

    fn connect_sending(&self, offer: Offer, early: &[u8]) -> Outcome {
        self.connect_as(None, offer, early)
    }

    fn connect_as(&self, credential: Option<Arc<Credential>>, offer: Offer, early: &[u8]) -> Outcome {
        let mut up = SendBuf::with_limit(LIMIT);
        let name = ServerName::try_from("example.test").unwrap();
        let mut client = Client::start(&self.client, name, offer, &mut up).unwrap();
        if !early.is_empty() {
            client.early_writer().unwrap().write(&[early], &mut up).unwrap();
        }
        let first_flight = up.pending().to_vec();
        let mut served = Served::new(&self.config);
        let mut answers = support::Answers { credential, ..Default::default() };
        let mut tickets = Vec::new();
        let mut to_client = Vec::new();
        loop {
            let sent = up.pending().to_vec();
            up.advance(sent.len());
            served.take(&sent, &self.policy);
            let before = to_client.len();
            to_client.extend_from_slice(served.out.pending());
            served.out.advance(to_client.len() - before);
            if sent.is_empty() && to_client.len() == before {
                break;
            }
            let mut at = 0;
            loop {
                let Step { consumed, event } = client.process(&mut to_client[at..], &mut up).unwrap();
                at += consumed;
                match event {
                    Event::NeedInput { .. } => break,
                    Event::Ask(question) => client.resume(answers.answer(question), &mut up).unwrap(),
                    Event::Ticket(ticket) => tickets.push(ticket.received(self.clock.moment())),
                    _ => {}
                }
            }
            to_client.drain(..at);
        }
        Outcome { server: *served.summary.unwrap(), tickets, early: served.early, first_flight }
    }

    /// A full handshake, and its first ticket.
    fn ticket(&self) -> Ticket {
        self.connect(Offer::fresh()).tickets.remove(0)
    }

    /// The same with a client certificate.
    fn certified_ticket(&self) -> Ticket {
        self.connect_as(Some(credential(support::Key::P256)), Offer::fresh(), b"").tickets.remove(0)
    }

    fn offer(&self, ticket: Ticket) -> Offer {
        Offer::resume(ticket, self.clock.moment())
    }

    fn resumed(&self, ticket: Ticket) -> Result<Resumed, NotResumed> {
        self.connect(self.offer(ticket)).server.resumed
    }
}

/// The server's side of a connection.
struct Served {
    conn: Server,
    out: SendBuf,
    inbox: Vec<u8>,
    summary: Option<Box<Summary>>,
    early: Vec<u8>,
    /// Whether early data was going to be read.
    opened: bool,
}

impl Served {
    fn new(config: &Arc<ServerConfig>) -> Self {
        let out = SendBuf::with_limit(LIMIT);
        let conn = Server::new(config).unwrap();
        Self { conn, out, inbox: Vec::new(), summary: None, early: Vec::new(), opened: false }
    }

    fn take(&mut self, bytes: &[u8], policy: &ServerPolicy) {
        self.inbox.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            let Step { consumed, event } = self.conn.process(&mut self.inbox[at..], &mut self.out).unwrap();
            at += consumed;
            match event {
                Event::NeedInput { .. } => break,
                // Clients here have certificates that no authority made.
                Event::Ask(Question::VerifyPeer(question)) => {
                    let expires = UnixTime::since_unix_epoch(Duration::from_secs(START + DAY));
                    let claim = Claim::subject("CN=c", expires);
                    self.conn.resume(question.verified(claim), &mut self.out).unwrap();
                }
                Event::Ask(question) => {
                    self.conn.resume(policy.answer(question), &mut self.out).unwrap();
                }
                Event::EarlyOpen(_) => self.opened = true,
                Event::Early(early) => self.early.extend_from_slice(early.accept_replayable().bytes),
                Event::Established(summary) => self.summary = Some(summary),
                _ => {}
            }
        }
        self.inbox.drain(..at);
    }
}

#[test]
fn sessions_are_resumed_from_every_kind_of_ticket() {
    for tickets in [ring(), fleet_ring(), cache()] {
        let place = Place::new(|b| b, |b| b.tickets(tickets));
        let first = place.connect(Offer::fresh());
        assert_eq!(first.server.resumed, Err(NotResumed::NotOffered));
        assert_eq!(first.tickets.len(), 2);
        place.clock.forward(3600);
        for ticket in first.tickets {
            let second = place.connect(place.offer(ticket));
            assert_eq!(second.server.resumed, Ok(Resumed::Session));
            // And so it goes on.
            let third = second.tickets.into_iter().next().unwrap();
            assert_eq!(place.resumed(third), Ok(Resumed::Session));
        }
    }
}

#[test]
fn without_tickets_there_are_none() {
    let place = Place::new(|b| b, |b| b);
    assert!(place.connect(Offer::fresh()).tickets.is_empty());
}

#[test]
fn another_virtual_host_takes_no_tickets() {
    for tickets in [ring(), cache()] {
        let place = Place::new(|b| b.virtual_host("a"), |b| b.tickets(Arc::clone(&tickets)));
        let other = Place::new(|b| b.virtual_host("b"), |b| b.tickets(tickets));
        assert_eq!(other.resumed(place.ticket()), Err(NotResumed::Unknown));
    }
}

#[test]
fn the_order_of_suites_keeps_tickets() {
    let [aes128, aes256] = [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_AES_256_GCM_SHA384];
    for (before, after) in [([aes128, aes256], [aes256, aes128]), ([aes256, aes128], [aes128, aes256])] {
        let ring = ring();
        let place = Place::new(|b| b.suites(&before), |b| b.tickets(Arc::clone(&ring)));
        let other = Place::new(|b| b.suites(&after), |b| b.tickets(ring));
        assert_eq!(other.resumed(place.ticket()), Ok(Resumed::Session));
        let client = client_config(|b| b.suites(&before));
        assert_eq!(client.fingerprint(), client_config(|b| b.suites(&after)).fingerprint());
    }
}

#[test]
fn servers_with_one_fleet_secret_take_each_others_tickets() {
    let places = [fleet_ring(), fleet_ring()].map(|ring| Place::new(|b| b, |b| b.tickets(ring)));
    assert_eq!(places[1].resumed(places[0].ticket()), Ok(Resumed::Session));
}

#[test]
fn a_ticket_of_another_trust_generation_is_refused() {
    let ring = ring();
    let place = Place::new(|b| b, |b| b.tickets(Arc::clone(&ring)).trust_generation(1));
    assert_eq!(place.resumed(place.ticket()), Ok(Resumed::Session));
    let later = Place::new(|b| b, |b| b.tickets(ring).trust_generation(2));
    assert_eq!(later.resumed(place.ticket()), Err(NotResumed::PolicyChanged));
}

#[test]
fn a_session_ends_with_its_age_however_often_it_is_renewed() {
    let place = Place::new(|b| b, |b| b.tickets(ring()).max_session_age(Duration::from_secs(2 * DAY)));
    let mut ticket = place.ticket();
    for _ in 0..3 {
        place.clock.forward(DAY / 2);
        let renewed = place.connect(place.offer(ticket));
        assert_eq!(renewed.server.resumed, Ok(Resumed::Session));
        ticket = renewed.tickets.into_iter().next().unwrap();
    }
    // Half a day is left, and the client knows.
    assert_eq!(ticket.expires(), Moment::from_secs(START + 2 * DAY));
}

#[test]
fn a_lowered_age_ends_sessions_that_were_promised_more() {
    let ring = ring();
    let long = Place::new(|b| b, |b| b.tickets(Arc::clone(&ring)));
    let short = Place::new(|b| b, |b| b.tickets(ring).max_session_age(Duration::from_secs(60)));
    let (early, late) = (long.ticket(), long.ticket());
    assert_eq!(short.resumed(early), Ok(Resumed::Session));
    short.clock.forward(60);
    assert_eq!(short.resumed(late), Err(NotResumed::Expired));
}

fn mutual(
    configure: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder,
    tickets: Arc<dyn Tickets>,
) -> Place {
    let auth = ClientAuth::Optional { authorities: Vec::new() };
    Place::new(|b| configure(b.client_auth(auth)), |b| b.tickets(tickets))
}

#[test]
fn a_ticket_ends_with_the_clients_certificates() {
    let place = mutual(|b| b, ring());
    let ticket = place.certified_ticket();
    assert_eq!(ticket.expires(), Moment::from_secs(START + DAY));
    let resumed = place.connect(place.offer(ticket)).server;
    assert_eq!(resumed.resumed, Ok(Resumed::Session));
    assert_eq!(resumed.peer.unwrap().identity.to_string(), "subject:CN=c");
}

#[test]
fn who_is_to_be_verified_again_and_left_nothing_is_not_resumed() {
    let place = mutual(|b| b.verify_resumed_peers(), ring());
    let ticket = place.certified_ticket();
    assert_eq!(place.resumed(ticket), Err(NotResumed::NoClientCertificate));
    // A client without a certificate has nothing to be verified again.
    assert_eq!(place.resumed(place.ticket()), Ok(Resumed::Session));
}

fn external(identity: &[u8], key: u8) -> Arc<ExternalPsk> {
    Arc::new(ExternalPsk::new(identity, &[key; 32], PskHash::Sha256).unwrap())
}

#[test]
fn who_was_known_by_an_external_key_resumes_where_others_are_verified_again() {
    let place = Place::new(|b| b.verify_resumed_peers(), |b| b.tickets(ring()).psks([external(b"k", 1)]));
    let first = place.connect(Offer::fresh().with_psks([external(b"k", 1)]));
    let ticket = first.tickets.into_iter().next().unwrap();
    let again = place.connect(place.offer(ticket).with_psks([external(b"k", 1)]));
    assert_eq!(again.server.resumed, Ok(Resumed::Session));
}

#[test]
fn external_keys_are_found_by_their_identities_beside_tickets() {
    let keys: Vec<_> = (0..100).map(|number: u8| external(&[number, 7], number)).collect();
    for tickets in [ring(), cache()] {
        let place = Place::new(|b| b, |b| b.tickets(tickets).psks(keys.iter().cloned()));
        let by_key = place.connect(Offer::fresh().with_psks([external(&[42, 7], 42)])).server;
        assert_eq!(by_key.resumed, Ok(Resumed::ExternalPsk));
        assert_eq!(by_key.peer.unwrap().identity.to_string(), "psk:*\\x07");
        let unknown = place.connect(Offer::fresh().with_psks([external(b"who", 1)])).server;
        assert_eq!(unknown.resumed, Err(NotResumed::Unknown));
        // A ticket goes first; where it is no good the key is taken.
        let offer = place.offer(place.ticket()).with_psks([external(&[1, 7], 1)]);
        assert_eq!(place.connect(offer).server.resumed, Ok(Resumed::Session));
        let foreign = Place::new(|b| b, |b| b.tickets(ring())).ticket();
        let offer = place.offer(foreign).with_psks([external(&[1, 7], 1)]);
        assert_eq!(place.connect(offer).server.resumed, Ok(Resumed::ExternalPsk));
    }
}

#[test]
fn of_two_external_keys_with_one_identity_the_later_counts() {
    let place = Place::new(|b| b, |b| b.psks([external(b"k", 1), external(b"k", 2)]));
    let resumed = place.connect(Offer::fresh().with_psks([external(b"k", 2)])).server.resumed;
    assert_eq!(resumed, Ok(Resumed::ExternalPsk));
}

#[test]
fn early_data_is_accepted_once() {
    let guard = guard(Reach::Process);
    let proof = guard.proof().clone();
    let place =
        Place::new(|b| b.early_data(1000, proof), |b| b.tickets(ring()).replay_guard(Arc::clone(&guard)));
    let ticket = place.ticket();
    let first = place.connect_sending(place.offer(ticket).with_early_data(), b"early");
    assert_eq!(first.server.early_data, Ok(()));
    assert_eq!(first.early, b"early");
    let mut replayed = Served::new(&place.config);
    replayed.take(&first.first_flight, &place.policy);
    assert!(!replayed.opened && replayed.early.is_empty());
}

#[test]
fn a_guard_elsewhere_is_not_guessed_for() {
    let guard = guard(Reach::Fleet);
    let proof = guard.proof().clone();
    let place = Place::new(
        |b| b.early_data(1000, proof),
        |b| b.tickets(fleet_ring()).guarded_elsewhere(guard.proof()),
    );
    let ticket = place.ticket();
    let sent = place.connect_sending(place.offer(ticket).with_early_data(), b"early");
    assert_eq!(sent.server.early_data, Err(NoEarlyData::Unknowable(Unknowable::NoGuard)));
    assert!(sent.early.is_empty());
}

#[test]
fn early_data_needs_tickets_and_the_guard_that_switched_it_on() {
    let built = |proof: &ReplayGuarded, serve: &dyn Fn(ServerPolicyBuilder) -> ServerPolicyBuilder| {
        let config = ServerConfig::builder(provider()).early_data(1, proof.clone()).build().unwrap();
        serve(ServerPolicy::serving(config)).build().map(|_| ())
    };
    let (here, fleet) = (guard(Reach::Process), guard(Reach::Fleet));
    let without = built(here.proof(), &|b| b.replay_guard(Arc::clone(&here)));
    assert_eq!(without, Err(ConfigError::EarlyDataWithoutTickets));
    assert_eq!(built(here.proof(), &|b| b.tickets(ring())), Err(ConfigError::OtherGuard));
    let other = built(here.proof(), &|b| b.tickets(ring()).replay_guard(Arc::clone(&fleet)));
    assert_eq!(other, Err(ConfigError::OtherGuard));
    let other = built(here.proof(), &|b| b.tickets(ring()).guarded_elsewhere(fleet.proof()));
    assert_eq!(other, Err(ConfigError::OtherGuard));
    let local = built(here.proof(), &|b| b.tickets(fleet_ring()).replay_guard(Arc::clone(&here)));
    assert_eq!(local, Err(ConfigError::LocalGuardForFleet));
    for tickets in [ring(), cache(), fleet_ring()] {
        let shared =
            built(fleet.proof(), &|b| b.tickets(Arc::clone(&tickets)).guarded_elsewhere(fleet.proof()));
        assert_eq!(shared, Ok(()));
    }
    assert_eq!(built(here.proof(), &|b| b.tickets(ring()).replay_guard(Arc::clone(&here))), Ok(()));
    // A guard that is not needed does no harm.
    let config = ServerConfig::builder(provider()).build().unwrap();
    assert!(ServerPolicy::serving(config).replay_guard(here).build().is_ok());
}

#[test]
fn a_guard_answers_for_no_configuration_of_another_guard() {
    let [here, other] = [(); 2].map(|()| guard(Reach::Process));
    let early = |b: ServerConfigBuilder, guard: &Guard| b.early_data(1000, guard.proof().clone());
    let mut place = Place::new(|b| early(b, &here), |b| b.tickets(ring()).replay_guard(Arc::clone(&here)));
    let [one, two] = [place.ticket(), place.ticket()];
    let sent = place.connect_sending(place.offer(one).with_early_data(), b"early");
    assert_eq!(sent.server.early_data, Ok(()));
    // As an application may choose it, which answers `Configure` itself.
    let builder = ServerConfig::builder(provider()).credential(credential(support::Key::P256)).tickets(2);
    place.config = early(builder, &other).build().unwrap();
    let sent = place.connect_sending(place.offer(two).with_early_data(), b"early");
    assert_eq!(sent.server.early_data, Err(NoEarlyData::Unknowable(Unknowable::NoGuard)));
}

#[test]
fn one_guard_looks_at_all_early_data_with_the_same_tickets() {
    let built = |guard: &Arc<Guard>, tickets: &Arc<dyn Tickets>, host: &str| {
        let config = ServerConfig::builder(provider()).virtual_host(host);
        let config = config.early_data(1, guard.proof().clone()).build().unwrap();
        let policy = ServerPolicy::serving(config).tickets(Arc::clone(tickets));
        policy.replay_guard(Arc::clone(guard)).build().map_err(|error| (error, guard.proof().reach()))
    };
    for tickets in [ring(), cache()] {
        let (one, other) = (guard(Reach::Process), guard(Reach::Process));
        let (shared, sharing) = (guard(Reach::Fleet), guard(Reach::Fleet));
        let first = built(&one, &tickets, "a").unwrap();
        built(&one, &tickets, "a").unwrap();
        let refused = Err((ConfigError::SecondGuard, Reach::Process));
        assert_eq!(built(&other, &tickets, "a").map(|_| ()), refused);
        assert_eq!(built(&shared, &tickets, "a").map(|_| ()), Err((ConfigError::SecondGuard, Reach::Fleet)));
        // Tickets of another fingerprint are others.
        built(&other, &tickets, "b").unwrap();
        drop((first, one));
        built(&shared, &tickets, "a").unwrap();
        // They ask one store.
        built(&sharing, &tickets, "a").unwrap();
    }
}

#[test]
fn statistics_count_connections() {
    let place = Place::new(|b| b, |b| b.tickets(ring()));
    let statistics = Statistics::default();
    let first = place.connect(Offer::fresh());
    statistics.record(&first.server);
    for ticket in first.tickets {
        statistics.record(&place.connect(place.offer(ticket)).server);
    }
    let counts = statistics.snapshot();
    assert_eq!((counts.connections, counts.sessions, counts.external_psks, counts.early_data), (3, 2, 0, 0));
    assert!(counts.not_resumed.contains(&(NotResumed::NotOffered, 1)));
    assert!(counts.no_early_data.contains(&(NoEarlyData::NotOffered, 3)));
}
