//! Full handshakes, each side's time apart, and their budget: at most 1.10 times the floor.
//!
//! A side's floor is the work that no implementation can avoid, done by the same provider in the same round: the key
//! exchange, the signature or its verification, the least number of hash compressions, and the AEAD over the flights.

mod support;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use support::counting::{Blocks, Compressions, counting};
use support::*;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::crypto::{AeadKey, Nonce, Suite, TAG_LEN};

const SUITE: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;

/// The most that a side may cost, in floors.
const BUDGET: f64 = 1.10;

/// The least number of compressions of a key schedule with SHA-256 and cached HMAC pads.
const KEY_SCHEDULE: usize = 66;

/// Compressions of what a CertificateVerify signs, 130 bytes; they are part of signing and of verifying.
const SIGNED_CONTENT: usize = 3;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for key in KEYS {
        bench(&mut criterion, key, NamedGroup::X25519);
    }
    for group in &GROUPS[1..] {
        bench(&mut criterion, Key::P256, *group);
    }
    criterion.final_summary();
    println!("full handshakes over {SUITE}, in floors (budget {BUDGET:.2}):");
    for group in GROUPS {
        for key in KEYS {
            budget(key, group);
        }
    }
}

fn bench(criterion: &mut Criterion, key: Key, group: NamedGroup) {
    let mut sides = criterion.benchmark_group(format!("handshake/{key:?}/{group}"));
    let mut pair = Pair::new(key, group);
    sides.bench_function("client", |b| b.iter_custom(|times| (0..times).map(|_| pair.run().client).sum()));
    sides.bench_function("server", |b| b.iter_custom(|times| (0..times).map(|_| pair.run().server).sum()));
    sides.finish();
}

fn budget(key: Key, group: NamedGroup) {
    let mut pair = Pair::new(key, group);
    let mut floor = Floor::new(key, group);
    let mut both = |round: usize| {
        if round.is_multiple_of(2) {
            let floor = floor.measure();
            (floor, pair.run())
        } else {
            let ours = pair.run();
            (floor.measure(), ours)
        }
    };
    let count = rounds(if key == Key::Rsa2048 { 100 } else { 300 });
    both(0);
    let measured: Vec<_> = (0..count).map(both).collect();
    let least = floor.compressions + SIGNED_CONTENT;
    let done = compressions(key, group);
    for (side, of, done) in [
        ("client", (|spent: &Spent| spent.client) as fn(&Spent) -> Duration, done.client + SIGNED_CONTENT),
        ("server", |spent| spent.server, done.server + SIGNED_CONTENT),
    ] {
        let compared = compare(measured.iter().map(|(floor, ours)| (of(floor), of(ours))).collect());
        println!(
            "{group:14} {key:8} {side} {:5.3}  {}  ({:7.1} us, floor {:7.1} us; {done} compressions, {least} in the floor)",
            compared.second_by_first,
            verdict(compared.second_by_first <= BUDGET),
            compared.second.as_secs_f64() * 1e6,
            compared.first.as_secs_f64() * 1e6,
            key = format!("{key:?}"),
            group = group.to_string(),
        );
    }
}

/// What each side needed.
struct Sides<T> {
    client: T,
    server: T,
}

type Spent = Sides<Duration>;

/// Handshakes with warm buffers.
struct Pair {
    setting: Setting,
    ours: Buffers,
    theirs: Buffers,
}

impl Pair {
    fn new(key: Key, group: NamedGroup) -> Self {
        let setting = Setting::new(provider(), SUITE, group, key);
        Self { setting, ours: Buffers::new(), theirs: Buffers::new() }
    }

    fn run(&mut self) -> Spent {
        let (mut client, mut server) = (Stopwatch::default(), Stopwatch::default());
        let buffers = (&mut self.ours, &mut self.theirs);
        black_box(handshake(&self.setting, buffers, (&mut client, &mut server)));
        Sides { client: client.0, server: server.0 }
    }
}

/// The compressions that each side really does, signatures apart.
fn compressions(key: Key, group: NamedGroup) -> Sides<usize> {
    let setting = Setting::new(counting(provider()), SUITE, group, key);
    let (mut client, mut server) = (Compressions::default(), Compressions::default());
    handshake(&setting, (&mut Buffers::new(), &mut Buffers::new()), (&mut client, &mut server));
    Sides { client: client.0, server: server.0 }
}

/// The unavoidable work of a handshake whose messages have known lengths.
struct Floor {
    setting: Setting,
    suite: &'static Suite,
    group: NamedGroup,
    compressions: usize,
    aead: Box<dyn AeadKey>,
    hashed: Vec<u8>,
    server_flight: usize,
    client_flight: usize,
}

impl Floor {
    fn new(key: Key, group: NamedGroup) -> Self {
        let setting = Setting::reporting(provider(), SUITE, group, key);
        let probes = (&mut Unmeasured, &mut Unmeasured);
        let (_, _, seen) = handshake(&setting, (&mut Buffers::new(), &mut Buffers::new()), probes);
        let lengths = message_lengths(&seen);
        let suite = setting.provider.suite(SUITE).unwrap();
        let blocks = Blocks::of(suite.hash);
        let compressions = transcript(&lengths, blocks) + KEY_SCHEDULE;
        Self {
            aead: suite.aead.key(&[1; 16]).unwrap(),
            hashed: vec![1; blocks.longest(compressions)],
            // Content and its type: EncryptedExtensions to the server's Finished, and the client's.
            server_flight: lengths[2..6].iter().sum::<usize>() + 1,
            client_flight: lengths[6] + 1,
            setting,
            suite,
            group,
            compressions,
        }
    }

    fn measure(&mut self) -> Spent {
        let Setting { provider, key, .. } = &self.setting;
        let rng = &*provider.rng;
        let group = provider.group(self.group).unwrap();
        let hash = || timed(|| self.suite.hash.hash(&[&self.hashed])).0;
        // In the order of a handshake, so that caches are as warm as there.
        let (started, exchange) = timed(|| group.start(rng).unwrap());
        let [share, _] = exchange.shares();
        let (_, share) = share.unwrap();
        let (responded, response) = timed(|| group.respond(rng, share).unwrap());
        let (content, scheme) = ([0x20; 130], key.schemes()[0]);
        let (signed, signature) = timed(|| key.sign(rng, scheme, &content).unwrap());
        let by_server = hash();
        let (completed, _) = timed(|| exchange.complete(self.group, &response.share).unwrap());
        let (verified, ()) = timed(|| {
            provider.verify(scheme, key.public_key(), &content, &signature).unwrap();
        });
        let by_client = hash();
        let (flight, finished) = (self.aead(self.server_flight), self.aead(self.client_flight));
        Sides {
            client: started + completed + verified + by_client + flight.opened + finished.sealed,
            server: responded + signed + by_server + flight.sealed + finished.opened,
        }
    }

    fn aead(&self, len: usize) -> Sealed {
        let mut record = vec![7; len + TAG_LEN];
        let nonce = Nonce([1; 12]);
        let (inner, tag) = record.split_last_chunk_mut::<TAG_LEN>().unwrap();
        let (sealed, ()) = timed(|| self.aead.seal_in_place(&nonce, &[1; 5], inner, tag).unwrap());
        let (opened, _) = timed(|| self.aead.open_in_place(&nonce, &[1; 5], &mut record).unwrap());
        Sealed { sealed, opened }
    }
}

struct Sealed {
    sealed: Duration,
    opened: Duration,
}

/// The least number of compressions for the transcript of messages with these lengths: its hash is needed behind
/// ServerHello, Certificate, CertificateVerify and both Finished.
fn transcript(lengths: &[usize], blocks: Blocks) -> usize {
    assert_eq!(lengths.len(), 7, "ClientHello to the client's Finished");
    let ends = [2, 4, 5, 6, 7].map(|count| lengths[..count].iter().sum::<usize>());
    let whole = lengths.iter().sum();
    blocks.running(whole) + ends.into_iter().map(|end| blocks.ending(end)).sum::<usize>()
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = std::time::Instant::now();
    let result = black_box(work());
    (start.elapsed(), result)
}
