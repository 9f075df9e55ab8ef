//! What tickets cost a server: sealing and opening them, and finding their key among as many as a ring holds.
//!
//! A floor is the AEAD over the session's encoding and, for sealing, the nonce, by the same provider in the same round.

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use support::*;
use symbolon::Moment;
use symbolon::crypto::{AeadKey, HashSecret, Nonce, Rng, TAG_LEN};
use symbolon::policy::tickets::{MAX_KEYS, Pushed, RingState, Schedule, TicketRing, Tickets};
use symbolon::psk::{ChainInTicket, Session};

/// How many tickets are measured together.
const BATCH: usize = 64;

const START: Moment = Moment::from_secs(1_700_000_000);
const FINGERPRINT: [u8; 32] = [9; 32];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let [one, full] = [Ring::new(1), Ring::new(MAX_KEYS)];
    let mut group = criterion.benchmark_group("tickets");
    group.bench_function("issue", |b| b.iter(|| full.issue()));
    group.bench_function("take", |b| b.iter(|| full.take()));
    group.bench_function("take/unknown", |b| b.iter(|| full.take_unknown()));
    group.finish();
    criterion.final_summary();

    let (issue, take) = (|| full.issue(), || full.take());
    println!("tickets of {} bytes, {MAX_KEYS} keys:", full.ticket.len());
    report("issue, in floors", || full.floor.seal(), issue);
    report("take, in floors", || full.floor.open(), take);
    report("issue, against a ring of one key", || one.issue(), issue);
    report("take, against a ring of one key", || one.take(), take);
    report("take of a foreign ticket, against one that opens", take, || full.take_unknown());
}

/// Measures both in turns, and prints the second by the first.
fn report(what: &str, first: impl Fn(), second: impl Fn()) {
    let batch = |work: &dyn Fn()| time(|| (0..BATCH).for_each(|_| work()));
    let compared = interleave(rounds(200), || batch(&first), || batch(&second));
    let each = |all: Duration| all.as_secs_f64() * 1e6 / BATCH as f64;
    println!(
        "{what:50} {:6.3}  ({:6.2} us, {:6.2} us)",
        compared.second_by_first,
        each(compared.second),
        each(compared.first)
    );
}

/// A ring with keys, and a ticket of the one that seals.
struct Ring {
    ring: TicketRing,
    now: Moment,
    ticket: Vec<u8>,
    unknown: Vec<u8>,
    floor: Floor,
}

impl Ring {
    fn new(keys: usize) -> Self {
        let (provider, hour) = (provider(), Duration::from_secs(3600));
        let schedule = Schedule::new(hour, 55 * hour).unwrap();
        let (mut state, mut now) = (RingState::new(), START);
        let rng = &*provider.rng;
        state.advance(rng, &schedule, now).unwrap();
        // As many as take turns, then some that were revoked before their time.
        for _ in 0..if keys == 1 { 0 } else { 55 } {
            now = now.plus(hour);
            state.advance(rng, &schedule, now).unwrap();
        }
        while state.generations().len() < keys {
            let active = state.generations().into_iter().rfind(|key| !key.revoked && key.active_from <= now);
            assert!(state.revoke(active.unwrap().name));
            state.advance(rng, &schedule, now).unwrap();
        }
        let ring = TicketRing::pushed(&provider).unwrap();
        assert_eq!(ring.push(state), Pushed::Taken);
        // The active one, and the next one prepared.
        assert_eq!(ring.generations(now).len(), keys.max(2));
        let ticket = ring.issue(session(now), &FINGERPRINT, now).unwrap();
        let mut unknown = ticket.clone();
        unknown[1] ^= 1;
        let floor = Floor::new(session(now).encode(ChainInTicket::Left).unwrap().len());
        Self { ring, now, ticket, unknown, floor }
    }

    fn issue(&self) {
        black_box(self.ring.issue(session(self.now), &FINGERPRINT, self.now).unwrap());
    }

    fn take(&self) {
        black_box(self.ring.take(&self.ticket, &FINGERPRINT, self.now).unwrap());
    }

    fn take_unknown(&self) {
        black_box(self.ring.take(&self.unknown, &FINGERPRINT, self.now).unwrap_err());
    }
}

/// What a client without a certificate leaves.
fn session(now: Moment) -> Session {
    Session {
        suite: SUITES[0],
        psk: HashSecret::copy_of(&[7; 32]).unwrap(),
        age_add: 1,
        issued: now,
        expires: now.plus(Duration::from_secs(3600)),
        authenticated: now,
        alpn: Some(b"h2".to_vec()),
        server_name: Some("example.test".to_owned()),
        peer: None,
        max_early_data: 1 << 14,
        trust: 0,
    }
}

/// The work that no ticket can do without.
struct Floor {
    aead: Box<dyn AeadKey>,
    rng: Arc<dyn Rng>,
    plain: Vec<u8>,
    sealed: Vec<u8>,
}

const AAD: [u8; 64] = [3; 64];

impl Floor {
    fn new(len: usize) -> Self {
        let provider = provider();
        let aead = provider.suite(SUITES[1]).unwrap().aead.key(&[1; 32]).unwrap();
        let plain = vec![5; len];
        let mut sealed = [&plain[..], &[0; TAG_LEN]].concat();
        aead.seal_parts(&Nonce([0; 12]), &AAD, &[&plain], &mut sealed).unwrap();
        Self { aead, rng: provider.rng, plain, sealed }
    }

    fn seal(&self) {
        let mut nonce = Nonce([0; 12]);
        self.rng.fill(&mut nonce.0).unwrap();
        let mut out = vec![0; self.sealed.len()];
        self.aead.seal_parts(&nonce, &AAD, &[&self.plain], &mut out).unwrap();
        black_box(out);
    }

    fn open(&self) {
        let mut body = self.sealed.clone();
        black_box(self.aead.open_in_place(&Nonce([0; 12]), &AAD, &mut body).unwrap());
    }
}
