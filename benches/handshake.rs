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
use symbolon::crypto::{AeadKey, Exchange, Nonce, Suite, TAG_LEN};

const SUITE: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;

/// The most that a side may cost, in floors.
const BUDGET: f64 = 1.10;

/// How many handshakes are measured together, flight by flight.
const BATCH: usize = 8;

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
    let mut pairs = Pairs::new(key, group);
    for (side, of) in SIDES {
        sides.bench_function(side, |b| {
            b.iter_custom(|times| {
                let batches = times.div_ceil(BATCH as u64);
                let spent: Duration = (0..batches).flat_map(|_| pairs.run()).map(|spent| of(&spent)).sum();
                spent.mul_f64(times as f64 / (batches * BATCH as u64) as f64)
            });
        });
    }
    sides.finish();
}

fn budget(key: Key, group: NamedGroup) {
    let mut pairs = Pairs::new(key, group);
    let floor = Floor::new(key, group);
    let mut both = |round: usize| {
        if round.is_multiple_of(2) {
            let floor = floor.measure();
            (floor, pairs.run())
        } else {
            let ours = pairs.run();
            (floor.measure(), ours)
        }
    };
    let count = rounds(if key == Key::Rsa2048 { 50 } else { 100 });
    both(0);
    let measured: Vec<_> =
        (0..count).map(both).flat_map(|(floor, ours)| floor.into_iter().zip(ours)).collect();
    let least = floor.compressions + SIGNED_CONTENT;
    let done = compressions(key, group);
    for (side, of) in SIDES {
        let done = if side == "client" { done.client } else { done.server } + SIGNED_CONTENT;
        let compared = compare(measured.iter().map(|(floor, ours)| (of(floor), of(ours))).collect());
        println!(
            "{group:14} {key:8} {side} {:5.3}  {}  ({:7.1} us, floor {:7.1} us; {done} compressions, {least} in the floor)",
            compared.second_by_first,
            verdict_of_times(compared.second_by_first <= BUDGET),
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

/// How to look at one side.
type Side = (&'static str, fn(&Spent) -> Duration);

const SIDES: [Side; 2] = [("client", |spent| spent.client), ("server", |spent| spent.server)];

fn stopwatches() -> Vec<Stopwatch> {
    (0..BATCH).map(|_| Stopwatch::default()).collect()
}

fn spent(clients: Vec<Stopwatch>, servers: Vec<Stopwatch>) -> Vec<Spent> {
    let both = clients.into_iter().zip(servers);
    both.map(|(client, server)| Sides { client: client.0, server: server.0 }).collect()
}

/// Batches of handshakes with warm buffers.
struct Pairs {
    setting: Setting,
    wires: Vec<Wire>,
}

impl Pairs {
    fn new(key: Key, group: NamedGroup) -> Self {
        let setting = Setting::new(provider(), SUITE, group, key);
        Self { setting, wires: (0..BATCH).map(|_| Wire::new()).collect() }
    }

    /// The time of each handshake of a batch.
    fn run(&mut self) -> Vec<Spent> {
        let (mut clients, mut servers) = (stopwatches(), stopwatches());
        black_box(handshakes(&self.setting, &mut self.wires, &mut clients, &mut servers));
        spent(clients, servers)
    }
}

/// The compressions that each side really does, signatures apart.
fn compressions(key: Key, group: NamedGroup) -> Sides<usize> {
    let setting = Setting::new(counting(provider()), SUITE, group, key);
    let (mut client, mut server) = (Compressions::default(), Compressions::default());
    handshake(&setting, &mut Wire::new(), &mut client, &mut server);
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
        let linked = handshake(&setting, &mut Wire::new(), &mut Unmeasured, &mut Unmeasured);
        let lengths = message_lengths(&linked.at_client);
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

    /// The time of each handshake's unavoidable work, in batches as the handshakes are.
    fn measure(&self) -> Vec<Spent> {
        let Setting { provider, key, .. } = &self.setting;
        let rng = &*provider.rng;
        let group = provider.group(self.group).unwrap();
        let (content, scheme) = ([0x20; 130], key.schemes()[0]);
        let (mut clients, mut servers) = (stopwatches(), stopwatches());
        let start = |client: &mut Stopwatch| client.call(Work::Machine, || group.start(rng).unwrap());
        let exchanges: Vec<_> = clients.iter_mut().map(start).collect();
        let answer = |(exchange, server): (&dyn Exchange, &mut Stopwatch)| {
            let [share, _] = exchange.shares();
            let (_, share) = share.unwrap();
            let response = server.call(Work::Machine, || group.respond(rng, share).unwrap());
            let signature = server.call(Work::Answer, || key.sign(rng, scheme, &content).unwrap());
            self.hash_and_protect(server, self.server_flight, self.client_flight);
            (response, signature)
        };
        let answers: Vec<_> = exchanges.iter().map(AsRef::as_ref).zip(&mut servers).map(answer).collect();
        for ((exchange, (response, signature)), client) in
            exchanges.into_iter().zip(answers).zip(&mut clients)
        {
            let complete = || exchange.complete(self.group, &response.share).unwrap();
            black_box(client.call(Work::Machine, complete));
            let verify = || provider.verify(scheme, key.public_key(), &content, &signature).unwrap();
            client.call(Work::Answer, verify);
            self.hash_and_protect(client, self.client_flight, self.server_flight);
        }
        spent(clients, servers)
    }

    /// The compressions and the AEAD's bytes of one side.
    fn hash_and_protect(&self, probe: &mut Stopwatch, sent: usize, received: usize) {
        black_box(probe.call(Work::Machine, || self.suite.hash.hash(&[&self.hashed])));
        let (nonce, aad) = (Nonce([1; 12]), [1; 5]);
        let (mut sealed, mut tag) = (vec![7; sent], [0; TAG_LEN]);
        probe.call(Work::Machine, || self.aead.seal_in_place(&nonce, &aad, &mut sealed, &mut tag)).unwrap();
        let mut record = vec![7; received + TAG_LEN];
        let (inner, tag) = record.split_last_chunk_mut::<TAG_LEN>().unwrap();
        self.aead.seal_in_place(&nonce, &aad, inner, tag).unwrap();
        probe.call(Work::Machine, || self.aead.open_in_place(&nonce, &aad, &mut record)).unwrap();
    }
}

/// The least number of compressions for the transcript of messages with these lengths: its hash is needed behind
/// ServerHello, Certificate, CertificateVerify and both Finished.
fn transcript(lengths: &[usize], blocks: Blocks) -> usize {
    assert_eq!(lengths.len(), 7, "ClientHello to the client's Finished");
    let ends = [2, 4, 5, 6, 7].map(|count| lengths[..count].iter().sum::<usize>());
    let whole = lengths.iter().sum();
    blocks.running(whole) + ends.into_iter().map(|end| blocks.ending(end)).sum::<usize>()
}
