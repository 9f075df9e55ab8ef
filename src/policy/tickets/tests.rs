//! How rings and caches behave, over days that pass by hand.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};

use super::*;
use crate::codepoint::CipherSuite;
use crate::crypto::rustcrypto::provider;
use crate::crypto::{HashSecret, Rng};
use crate::error::Failed;
use crate::identity::{Identity, Peer};
use crate::psk::ChainInTicket;

const FINGERPRINT: &[u8] = &[0xF1; 32];
const HOUR: u64 = 3600;
/// A time at which nothing begins.
const NOW: Moment = Moment::from_secs(1_000_000_007);
const PERIOD: Duration = Duration::from_secs(6 * HOUR);
const GRACE: Duration = Duration::from_secs(48 * HOUR);

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * HOUR)
}

fn at(hours: u64) -> Moment {
    NOW.plus(Duration::from_secs(hours * HOUR))
}

fn session(now: Moment) -> Session {
    Session {
        suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        psk: HashSecret::copy_of(&[7; 32]).unwrap(),
        age_add: 3,
        issued: now,
        expires: now.plus(hours(7 * 24)),
        authenticated: now,
        alpn: Some(b"h2".to_vec()),
        server_name: Some("a.example".into()),
        peer: None,
        max_early_data: 9,
        trust: 0,
    }
}

fn issue(ring: &dyn Tickets, now: Moment) -> Vec<u8> {
    ring.issue(session(now), FINGERPRINT, now).unwrap()
}

fn take(ring: &dyn Tickets, ticket: &[u8], now: Moment) -> Result<Box<Session>, NotResumed> {
    ring.take(ticket, FINGERPRINT, now)
}

/// Only what went wrong.
fn fate(ring: &dyn Tickets, ticket: &[u8], now: Moment) -> Result<(), NotResumed> {
    take(ring, ticket, now).map(|_| ())
}

fn random() -> TicketRing {
    TicketRing::random(&provider()).unwrap()
}

fn secret() -> FleetSecret {
    FleetSecret::new(&[5; 32], NOW, PERIOD)
}

fn derived(now: Moment) -> TicketRing {
    TicketRing::derived(&provider(), secret(), GRACE, now).unwrap()
}

fn name_of(ticket: &[u8]) -> KeyName {
    KeyName::of_ticket(ticket).unwrap()
}

#[test]
fn what_was_sealed_is_opened() {
    let ring = random();
    let ticket = issue(&ring, NOW);
    let opened = take(&ring, &ticket, NOW).unwrap();
    assert_eq!(opened.psk.expose(), [7; 32]);
    assert_eq!(opened.encode(ChainInTicket::Left), session(NOW).encode(ChainInTicket::Left));
    // It is stateless: once more.
    assert!(take(&ring, &ticket, NOW).is_ok());
    assert_ne!(issue(&ring, NOW), ticket);
}

#[test]
fn another_fingerprint_opens_nothing() {
    let ring = random();
    let ticket = issue(&ring, NOW);
    for other in [&[0xF2; 32][..], &FINGERPRINT[..31], &[]] {
        assert_eq!(ring.take(&ticket, other, NOW).unwrap_err(), NotResumed::Unknown);
    }
}

#[test]
fn a_ticket_with_any_byte_changed_or_missing_is_unknown() {
    let ring = random();
    let mut ticket = issue(&ring, NOW);
    for at in 0..ticket.len() {
        ticket[at] ^= 1;
        assert_eq!(fate(&ring, &ticket, NOW), Err(NotResumed::Unknown), "{at}");
        ticket[at] ^= 1;
        assert_eq!(fate(&ring, &ticket[..at], NOW), Err(NotResumed::Unknown), "{at}");
    }
    assert_eq!(fate(&ring, &ticket, NOW), Ok(()));
    for longer in [ticket.len() + 1, 1024, 1025, 65_535] {
        ticket.resize(longer, 0);
        assert_eq!(fate(&ring, &ticket, NOW), Err(NotResumed::Unknown));
    }
}

#[test]
fn a_ticket_of_another_ring_is_unknown() {
    assert_eq!(fate(&random(), &issue(&random(), NOW), NOW), Err(NotResumed::Unknown));
}

#[test]
fn a_session_is_expired_or_of_the_future_by_its_own_times() {
    let ring = random();
    let short = Session { expires: at(1), ..session(NOW) };
    let ticket = ring.issue(short, FINGERPRINT, NOW).unwrap();
    assert_eq!(fate(&ring, &ticket, at(1).minus(Duration::from_millis(1))), Ok(()));
    assert_eq!(fate(&ring, &ticket, at(1)), Err(NotResumed::Expired));
    assert_eq!(fate(&ring, &ticket, NOW.minus(Duration::from_secs(11))), Err(NotResumed::FutureDated));
    assert_eq!(fate(&ring, &ticket, NOW.minus(Duration::from_secs(10))), Ok(()));
}

fn with_chain(len: usize) -> Session {
    let chain = [CertificateDer::from(alloc::vec![3; len])].into();
    let expires = UnixTime::since_unix_epoch(Duration::from_secs(1 << 33));
    let peer = Peer::new(Identity::Subject { name: "CN=client".into() }, chain, expires);
    Session { peer: Some(Arc::new(peer)), ..session(NOW) }
}

#[test]
fn a_chain_is_left_out_unless_it_is_wanted() {
    for (chains, certificates) in [(ChainInTicket::Left, 0), (ChainInTicket::Kept, 1)] {
        let ring = random().with_chains(chains);
        let ticket = ring.issue(with_chain(500), FINGERPRINT, NOW).unwrap();
        let peer = take(&ring, &ticket, NOW).unwrap().peer.unwrap();
        assert_eq!(peer.identity, Identity::Subject { name: "CN=client".into() });
        assert_eq!(peer.chain.len(), certificates);
    }
}

#[test]
fn a_ticket_of_more_than_1024_bytes_is_none() {
    let ring = random().with_chains(ChainInTicket::Kept);
    let front = ring.issue(with_chain(0), FINGERPRINT, NOW).unwrap().len();
    let most = ring.issue(with_chain(1024 - front), FINGERPRINT, NOW).unwrap();
    assert_eq!(most.len(), 1024);
    assert!(take(&ring, &most, NOW).is_ok());
    assert!(ring.issue(with_chain(1025 - front), FINGERPRINT, NOW).is_none());
    let long = Session { server_name: Some("n".repeat(2000)), ..session(NOW) };
    assert!(ring.issue(long, FINGERPRINT, NOW).is_none());
}

#[test]
fn keys_take_turns_and_open_until_their_end() {
    for ring in [random(), derived(NOW)] {
        let first = issue(&ring, NOW);
        let late = issue(&ring, at(6).minus(Duration::from_millis(1)));
        assert_eq!(name_of(&first), name_of(&late));
        let second = issue(&ring, at(6));
        assert_ne!(name_of(&first), name_of(&second));
        assert_eq!((ring.lifetime(at(6)), ring.lifetime(at(7))), (54 * 3600, 53 * 3600));
        for hour in 7..54 {
            ring.rotate(at(hour));
            assert_eq!(fate(&ring, &first, at(hour)), Ok(()), "{hour}");
        }
        assert_eq!(fate(&ring, &late, at(54)), Err(NotResumed::Unknown));
        assert_eq!(fate(&ring, &second, at(54)), Ok(()));
        assert!(ring.generations(at(54)).len() <= 11);
    }
}

#[test]
fn a_ticket_never_lives_longer_than_7_days() {
    let schedule = Schedule::new(hours(24), hours(30 * 24)).unwrap();
    let ring = TicketRing::scheduled(&provider(), schedule).unwrap();
    assert_eq!(ring.lifetime(NOW), 604_800);
}

#[test]
fn servers_with_one_secret_agree_across_epochs() {
    let (a, b) = (derived(NOW), derived(at(30)));
    for hour in [30, 36, 50, 90, 200, 1000] {
        assert_eq!(fate(&b, &issue(&a, at(hour)), at(hour)), Ok(()), "{hour}");
        assert_eq!(fate(&a, &issue(&b, at(hour)), at(hour)), Ok(()), "{hour}");
    }
    assert_eq!(a.generations(at(1000)), derived(at(1000)).generations(at(1000)));
    let other = FleetSecret::new(&[6; 32], NOW, PERIOD);
    let other = TicketRing::derived(&provider(), other, GRACE, at(1000)).unwrap();
    assert_eq!(fate(&other, &issue(&a, at(1000)), at(1000)), Err(NotResumed::Unknown));
    assert_eq!((a.reach(), random().reach()), (Reach::Fleet, Reach::Process));
}

#[test]
fn servers_whose_clocks_differ_a_little_agree() {
    let (ahead, behind) = (derived(NOW), derived(NOW));
    let before = at(6).minus(Duration::from_secs(5));
    let ticket = issue(&ahead, at(6));
    assert_ne!(name_of(&ticket), name_of(&issue(&behind, before)));
    assert_eq!(fate(&behind, &ticket, before), Ok(()));
    assert_eq!(fate(&ahead, &issue(&behind, before), at(6)), Ok(()));
}

#[test]
fn the_present_state_opens_what_counts_and_nothing_older() {
    let ring = derived(NOW);
    let first = issue(&ring, NOW);
    ring.rotate(at(30));
    let recent = issue(&ring, at(60));
    let state = ring.provision(at(60)).unwrap();
    // Epochs 0 and 1 ended 54 hours after they began.
    assert_eq!(state.epoch(), 2);
    let state = FleetSecret::decode(&state.encode()).unwrap();
    let fresh = TicketRing::derived(&provider(), state, GRACE, at(60)).unwrap();
    assert_eq!(fate(&fresh, &recent, at(60)), Ok(()));
    assert_eq!(fresh.generations(at(60)), ring.generations(at(60)));
    // Not even by a clock that says it is still their time; the secret of epoch 0 can still do it.
    assert_eq!(fate(&fresh, &first, at(1)), Err(NotResumed::Unknown));
    assert_eq!(fate(&ring, &first, at(1)), Err(NotResumed::Unknown));
    assert_eq!(fate(&derived(at(1)), &first, at(1)), Ok(()));
    assert_eq!(random().provision(NOW).map(|state| state.epoch()), None);
}

#[test]
fn a_start_too_long_ago_is_an_error() {
    let far =
        |epochs: u64| TicketRing::derived(&provider(), secret(), GRACE, at(54 + 6 * epochs)).map(|_| ());
    assert_eq!(far(16_383), Ok(()));
    assert_eq!(far(16_384), Err(RingError::FarBehind));
    assert_eq!(
        TicketRing::derived(&provider(), secret(), GRACE, Moment::from_millis(u64::MAX)).map(|_| ()),
        Err(RingError::FarBehind),
    );
    let nothing = FleetSecret::new(&[0; 32], NOW, Duration::ZERO);
    assert_eq!(TicketRing::derived(&provider(), nothing, GRACE, NOW).map(|_| ()), Err(RingError::Schedule));
}

#[test]
fn a_chain_that_has_not_begun_is_waited_for() {
    let early = NOW.minus(hours(7));
    let ring = derived(early);
    assert!(ring.issue(session(early), FINGERPRINT, early).is_none());
    assert_eq!(ring.lifetime(early), 0);
    assert!(ring.generations(early).is_empty());
    // The next key is prepared.
    assert_eq!(ring.generations(NOW.minus(hours(5))).len(), 1);
    assert_eq!(fate(&ring, &issue(&ring, NOW), NOW), Ok(()));
}

#[test]
fn a_clock_that_leaps_and_comes_back_loses_nothing() {
    for ring in [derived(NOW), random()] {
        let ticket = issue(&ring, NOW);
        let year = 365 * 24;
        // Tickets of then go on as well.
        assert_eq!(fate(&ring, &issue(&ring, at(year)), at(year)), Ok(()));
        assert_eq!(fate(&ring, &ticket, at(1)), Ok(()));
        assert_eq!(name_of(&issue(&ring, at(1))), name_of(&ticket));
        // Whoever leaps and stays there has leapt.
        ring.rotate(at(year));
        ring.rotate(at(year + 5));
        ring.rotate(at(year + 6));
        ring.rotate(at(year + 12));
        assert_eq!(fate(&ring, &ticket, at(1)), Err(NotResumed::Unknown));
        assert_eq!(fate(&ring, &issue(&ring, at(year + 12)), at(year + 12)), Ok(()));
    }
}

#[test]
fn a_clock_at_any_time_is_taken() {
    let pushed = TicketRing::pushed(&provider()).unwrap();
    pushed.push(state(NOW));
    for ring in [derived(NOW), random(), pushed] {
        for round in 0..80u64 {
            for moment in [0, u64::MAX, NOW.as_millis(), u64::MAX / 2, round << 56, round << 30] {
                let now = Moment::from_millis(moment);
                ring.rotate(now);
                let _ = ring.lifetime(now);
                if let Some(ticket) = ring.issue(session(now), FINGERPRINT, now) {
                    let _ = take(&ring, &ticket, now);
                }
                assert!(ring.generations(now).len() <= MAX_KEYS);
            }
        }
    }
}

#[test]
fn a_revoked_key_opens_nothing_and_another_takes_over() {
    let pushed = TicketRing::pushed(&provider()).unwrap();
    pushed.push(state(NOW));
    for ring in [random(), derived(NOW), pushed] {
        let ticket = issue(&ring, at(1));
        assert!(ring.revoke(name_of(&ticket)));
        assert_eq!(fate(&ring, &ticket, at(1)), Err(NotResumed::Revoked));
        let next = issue(&ring, at(1));
        assert_ne!(name_of(&next), name_of(&ticket));
        assert_eq!(fate(&ring, &next, at(1)), Ok(()));
        // It stays so across turns and back.
        assert_eq!(fate(&ring, &ticket, at(7)), Err(NotResumed::Revoked));
        assert_eq!(fate(&ring, &ticket, at(1)), Err(NotResumed::Revoked));
        assert!(!ring.revoke(KeyName([0; 16])));
        let shown = ring.generations(at(1));
        let revoked: Vec<_> = shown.iter().filter(|generation| generation.revoked).collect();
        assert_eq!(revoked.len(), 1);
        assert_eq!(revoked[0].name, name_of(&ticket));
    }
}

#[test]
fn what_began_before_a_moment_can_be_revoked_at_once() {
    for ring in [random(), derived(NOW)] {
        let tickets = [issue(&ring, NOW), issue(&ring, at(6)), issue(&ring, at(12))];
        ring.revoke_before(at(12));
        assert_eq!(fate(&ring, &tickets[0], at(12)), Err(NotResumed::Revoked));
        assert_eq!(fate(&ring, &tickets[1], at(12)), Err(NotResumed::Revoked));
        assert_eq!(fate(&ring, &tickets[2], at(12)), Ok(()));
        // That of the next epoch takes over, and the one after it is there.
        ring.revoke_before(at(24));
        assert_eq!(fate(&ring, &tickets[2], at(12)), Err(NotResumed::Revoked));
        assert_eq!(fate(&ring, &issue(&ring, at(12)), at(12)), Ok(()));
    }
    let ring = derived(NOW);
    issue(&ring, NOW);
    ring.revoke_before(Moment::from_millis(u64::MAX));
    assert!(ring.issue(session(NOW), FINGERPRINT, NOW).is_none());
    assert_eq!(ring.lifetime(NOW), 0);
}

fn state(now: Moment) -> RingState {
    let mut state = RingState::new();
    assert_eq!(state.advance(&*provider().rng, &Schedule::default(), now), Ok(true));
    state
}

fn again(state: &RingState) -> RingState {
    RingState::decode(&state.encode()).unwrap()
}

#[test]
fn pushed_keys_are_those_of_the_newest_state() {
    let (a, b) = (TicketRing::pushed(&provider()).unwrap(), TicketRing::pushed(&provider()).unwrap());
    assert_eq!(a.lifetime(NOW), 0);
    assert!(a.export().is_none());
    let mut state = state(NOW);
    let old = again(&state);
    assert_eq!((a.push(again(&state)), b.push(again(&state))), (Pushed::Taken, Pushed::Taken));
    let ticket = issue(&a, at(1));
    assert_eq!(fate(&b, &ticket, at(1)), Ok(()));
    assert_eq!(state.advance(&*provider().rng, &Schedule::default(), at(1)), Ok(false));
    assert_eq!(state.advance(&*provider().rng, &Schedule::default(), at(6)), Ok(true));
    // The next key was pushed ahead of its time.
    let second = issue(&b, at(6));
    assert_ne!(name_of(&second), name_of(&ticket));
    assert_eq!(a.push(again(&state)), Pushed::Taken);
    assert_eq!((a.push(again(&state)), a.push(old)), (Pushed::Older, Pushed::Older));
    assert_eq!(a.export().unwrap().encode(), state.encode());
    assert_eq!(fate(&a, &second, at(6)), Ok(()));
    assert_eq!((a.reach(), random().push(state)), (Reach::Fleet, Pushed::OtherSource));
    // Nobody pushes any more: the last key seals until its end, and then there are no tickets.
    assert_eq!(fate(&b, &issue(&b, at(59)), at(59)), Ok(()));
    assert_eq!(b.lifetime(at(59)), 3600);
    assert!(b.issue(session(at(60)), FINGERPRINT, at(60)).is_none());
}

#[test]
fn what_was_revoked_stays_so_whatever_is_pushed() {
    let ring = TicketRing::pushed(&provider()).unwrap();
    let mut state = state(NOW);
    ring.push(again(&state));
    let ticket = issue(&ring, NOW);
    let mut without = again(&state);
    without.sequence += 2;
    assert!(state.revoke(name_of(&ticket)));
    assert_eq!(ring.push(again(&state)), Pushed::Taken);
    assert_eq!(fate(&ring, &ticket, NOW), Err(NotResumed::Revoked));
    let mut back = again(&without);
    back.sequence += 2;
    assert_eq!(ring.push(without), Pushed::Taken);
    assert_eq!(fate(&ring, &ticket, NOW), Err(NotResumed::Revoked));
    assert!(ring.export().unwrap().generations().iter().any(|generation| generation.revoked));
    // Nor does it come back by way of a state that knows nothing of it.
    let nothing = RingState { sequence: back.sequence - 1, keys: Vec::new() };
    assert_eq!(ring.push(nothing), Pushed::Taken);
    assert_eq!(fate(&ring, &ticket, NOW), Err(NotResumed::Unknown));
    assert_eq!(ring.push(back), Pushed::Taken);
    assert_eq!(fate(&ring, &ticket, NOW), Err(NotResumed::Revoked));
}

#[test]
fn nothing_but_a_state_is_read() {
    let mut state = state(NOW);
    state.revoke_before(at(1));
    let mut encoded = state.encode();
    assert_eq!(again(&state).encode(), encoded);
    for len in 0..encoded.len() {
        assert!(RingState::decode(&encoded[..len]).is_none(), "{len}");
    }
    for (at, wrong) in [(0, 2), (9, 65), (9, 1), (9, 3), (10 + 32, 2)] {
        let right = core::mem::replace(&mut encoded[at], wrong);
        assert!(RingState::decode(&encoded).is_none(), "{at}");
        encoded[at] = right;
    }
    let mut twice = encoded.clone();
    let (first, second) = twice[10..].split_at_mut(65);
    second.copy_from_slice(first);
    assert!(RingState::decode(&twice).is_none());
    encoded.push(0);
    assert!(RingState::decode(&encoded).is_none());
}

#[test]
fn a_full_state_is_read_back_without_growing() {
    let mut state = RingState::new();
    for hour in 0..200 {
        // A clock that never goes on: nothing ends, and the oldest make room.
        state.rotate(&*provider().rng, &Schedule::default(), at(hour * 6), NOW).unwrap();
    }
    assert_eq!(state.generations().len(), MAX_KEYS);
    let encoded = state.encode();
    assert_eq!(encoded.capacity(), encoded.len());
    assert_eq!(again(&state).generations(), state.generations());
}

#[test]
fn a_sealed_state_is_opened_by_its_key_alone() {
    let state = state(NOW);
    let mut sealed = state.seal(&provider(), &[8; 32]).unwrap();
    assert_eq!(RingState::open(&provider(), &[8; 32], &sealed).unwrap().encode(), state.encode());
    assert!(RingState::open(&provider(), &[9; 32], &sealed).is_none());
    for at in 0..sealed.len() {
        sealed[at] ^= 1;
        assert!(RingState::open(&provider(), &[8; 32], &sealed).is_none(), "{at}");
        sealed[at] ^= 1;
        assert!(RingState::open(&provider(), &[8; 32], &sealed[..at]).is_none(), "{at}");
    }
    let secret = state.encode()[10 + 33..][..32].to_vec();
    assert!(!sealed.windows(32).any(|window| window == secret));
}

#[test]
fn nothing_but_a_fleet_secret_is_read() {
    let mut encoded = secret().encode();
    let decoded = FleetSecret::decode(&encoded).unwrap();
    assert_eq!((decoded.epoch(), decoded.start(), decoded.period()), (0, NOW, PERIOD));
    for len in 0..encoded.len() {
        assert!(FleetSecret::decode(&encoded[..len]).is_none());
    }
    encoded.push(0);
    assert!(FleetSecret::decode(&encoded).is_none());
    encoded.pop();
    encoded[0] = 0;
    assert!(FleetSecret::decode(&encoded).is_none());
}

#[test]
fn nothing_secret_is_printed() {
    let shown: String = format!("{:?} {:?} {:?}", secret(), state(NOW), derived(NOW));
    assert!(!shown.contains("5, 5"), "{shown}");
    assert!(!shown.contains("Secret("), "{shown}");
}

/// No randomness to be had.
struct Dry;

impl Rng for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), Failed> {
        Err(Failed::Provider)
    }
}

#[test]
fn without_randomness_there_are_no_tickets() {
    let dry = crate::crypto::Provider { rng: Arc::new(Dry), ..provider() };
    let ring = TicketRing::random(&dry).unwrap();
    assert!(ring.issue(session(NOW), FINGERPRINT, NOW).is_none());
    assert_eq!(ring.lifetime(NOW), 0);
    let cache = SessionCache::new(&dry, 5).unwrap();
    assert!(cache.issue(session(NOW), FINGERPRINT, NOW).is_none());
    assert!(state(NOW).seal(&dry, &[8; 32]).is_err());
}

#[test]
fn threads_on_both_sides_of_a_turn_get_their_tickets() {
    let cache = SessionCache::new(&provider(), 1000).unwrap();
    let (own, fleet) = (random(), derived(NOW));
    let all: [&dyn Tickets; 3] = [&own, &fleet, &cache];
    for hour in 0..40 {
        std::thread::scope(|scope| {
            for skew in [0, 1] {
                scope.spawn(move || {
                    let now = at(6 * hour).minus(Duration::from_millis(skew)).max(NOW);
                    for tickets in all {
                        assert_eq!(fate(tickets, &issue(tickets, now), now), Ok(()));
                    }
                });
            }
        });
    }
    assert!(cache.is_empty());
}

#[test]
fn a_stored_session_is_given_out_once() {
    let cache = SessionCache::new(&provider(), 5).unwrap();
    let ticket = issue(&cache, NOW);
    assert_eq!((ticket.len(), cache.len()), (32, 1));
    assert_eq!(cache.take(&ticket, b"other", NOW).unwrap_err(), NotResumed::Unknown);
    assert_eq!(fate(&cache, &[0; 32], NOW), Err(NotResumed::Unknown));
    assert_eq!(fate(&cache, &ticket[..31], NOW), Err(NotResumed::Unknown));
    assert_eq!(take(&cache, &ticket, NOW).unwrap().psk.expose(), [7; 32]);
    assert_eq!(fate(&cache, &ticket, NOW), Err(NotResumed::Unknown));
    assert_eq!((cache.len(), cache.reach()), (0, Reach::Process));
    let ticket = issue(&cache, NOW);
    assert_eq!(fate(&cache, &ticket, at(7 * 24)), Err(NotResumed::Expired));
}

#[test]
fn a_full_cache_forgets_what_would_expire_first() {
    let cache = SessionCache::new(&provider(), 3).unwrap();
    let short = Session { expires: at(1), ..session(NOW) };
    let short = cache.issue(short, FINGERPRINT, NOW).unwrap();
    let kept: Vec<_> = (0..3).map(|_| issue(&cache, NOW)).collect();
    assert_eq!(cache.len(), 3);
    assert_eq!(fate(&cache, &short, NOW), Err(NotResumed::Unknown));
    let newest = issue(&cache, NOW);
    assert_eq!(fate(&cache, &kept[0], NOW), Err(NotResumed::Unknown));
    for ticket in kept[1..].iter().chain([&newest]) {
        assert_eq!(fate(&cache, ticket, NOW), Ok(()));
    }
    assert!(SessionCache::new(&provider(), 0).unwrap().issue(session(NOW), FINGERPRINT, NOW).is_none());
}

#[test]
fn a_cache_lets_go_of_what_has_expired() {
    let cache = SessionCache::new(&provider(), 100).unwrap();
    for _ in 0..10 {
        let short = Session { expires: at(1), ..session(NOW) };
        cache.issue(short, FINGERPRINT, NOW).unwrap();
    }
    for _ in 0..5 {
        issue(&cache, at(1));
    }
    assert_eq!(cache.len(), 5);
}

#[test]
fn a_cache_keeps_all_that_a_client_is_authorized_by() {
    let cache = SessionCache::new(&provider(), 5).unwrap();
    let mut session = with_chain(9000);
    let peer = alloc::sync::Arc::make_mut(session.peer.as_mut().unwrap());
    (peer.subject, peer.serial, peer.sct) = ("CN=client".into(), [7].into(), Some([1].into()));
    peer.names.uris = ["urn:client".into()].into();
    let ticket = cache.issue(session, FINGERPRINT, NOW).unwrap();
    let peer = take(&cache, &ticket, NOW).unwrap().peer.unwrap();
    assert_eq!((&*peer.subject, &*peer.serial, &peer.sct), ("CN=client", &[7][..], &None));
    assert_eq!(peer.names.uris, ["urn:client"]);
}

#[test]
fn a_cache_keeps_chains_only_if_wanted() {
    for (chains, certificates) in [(ChainInTicket::Left, 0), (ChainInTicket::Kept, 1)] {
        let cache = SessionCache::new(&provider(), 5).unwrap().with_chains(chains);
        let ticket = cache.issue(with_chain(9000), FINGERPRINT, NOW).unwrap();
        assert_eq!(take(&cache, &ticket, NOW).unwrap().peer.unwrap().chain.len(), certificates);
    }
}
