//! Handshakes, each side's time apart, and their budgets: at most 1.10 times the floor for full ones, 1.15 for resumed ones.
//!
//! A side's floor is the work that no implementation can avoid, done by the same provider in the same round: the key
//! exchange, the signature or its verification where there is one, the least number of hash compressions, and the AEAD
//! over the flights and early data. Opening a ticket and asking a replay guard are not part of either.

mod support;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use support::counting::{Blocks, Compressions, counting};
use support::resuming::{EARLY_DATA, Story};
use support::*;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::crypto::{AeadKey, Exchange, Nonce, Suite, TAG_LEN};

const SUITE: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;

/// The most that a side may cost, in floors.
fn allowed(story: Story) -> f64 {
    if story == Story::Full { 1.10 } else { 1.15 }
}

/// How many handshakes are measured together, flight by flight.
const BATCH: usize = 8;

/// The least number of compressions of a key schedule with SHA-256 and cached HMAC pads.
const KEY_SCHEDULE: usize = 66;

/// The same with a pre-shared key, and nothing that a side can leave out: every key is prepared once (2) and used (2 each
/// time). The early secret (2), by it the binder's secret and the salt (6), by that the binder's key (4), by that the binder
/// (4); the handshake secret (4), by it two traffic secrets and the next salt (8), the main secret (4); of each traffic
/// secret key, IV and Finished's key (16), both Finished (8); three secrets of the main secret (8), and key and IV of two
/// of them (12).
const KEY_SCHEDULE_OF_PSK: usize = 76;

/// A client's resumption secret, of the main secret.
const RESUMPTION: usize = 2;

/// What early data adds to that: two secrets (2 each) of the early secret, and key and IV (2 each) of one of them (2).
const OF_EARLY_DATA: usize = 10;

/// Compressions of what a CertificateVerify signs, 130 bytes; they are part of signing and of verifying.
const SIGNED_CONTENT: usize = 3;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for key in KEYS {
        bench(&mut criterion, Story::Full, key, NamedGroup::X25519);
    }
    for group in &GROUPS[1..] {
        bench(&mut criterion, Story::Full, Key::P256, *group);
    }
    for story in RESUMED {
        bench(&mut criterion, story, Key::P256, NamedGroup::X25519);
    }
    criterion.final_summary();
    println!("full handshakes over {SUITE}, in floors (budget {:.2}):", allowed(Story::Full));
    for group in GROUPS {
        for key in KEYS {
            budget(Story::Full, key, group);
        }
    }
    for story in RESUMED {
        println!("{story:?} over {SUITE}, in floors (budget {:.2}):", allowed(story));
        for group in GROUPS {
            budget(story, Key::P256, group);
        }
    }
}

/// Handshakes with a ticket. The server's key has no part in them.
const RESUMED: [Story; 2] = [Story::Resumed, Story::ResumedWithEarlyData];

fn bench(criterion: &mut Criterion, story: Story, key: Key, group: NamedGroup) {
    let name = match story {
        Story::Full => format!("handshake/{key:?}/{group}"),
        _ => format!("handshake/{story:?}/{group}"),
    };
    let mut sides = criterion.benchmark_group(name);
    let mut pairs = Pairs::new(story, key, group);
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

fn budget(story: Story, key: Key, group: NamedGroup) {
    let mut pairs = Pairs::new(story, key, group);
    let floor = Floor::new(story, key, group);
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
    let signed = if story == Story::Full { SIGNED_CONTENT } else { 0 };
    let done = compressions(story, key, group);
    let by = if story == Story::Full { format!("{key:?}") } else { "psk".to_owned() };
    for (side, of) in SIDES {
        let (done, least) = match side {
            "client" => (done.client + signed, floor.compressions.client + signed),
            _ => (done.server + signed, floor.compressions.server + signed),
        };
        let compared = compare(measured.iter().map(|(floor, ours)| (of(floor), of(ours))).collect());
        println!(
            "{group:14} {by:8} {side} {:5.3}  {}  ({:7.1} us, floor {:7.1} us; {done} compressions, {least} in the floor)",
            compared.second_by_first,
            verdict_of_times(compared.second_by_first <= allowed(story)),
            compared.second.as_secs_f64() * 1e6,
            compared.first.as_secs_f64() * 1e6,
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
    fn new(story: Story, key: Key, group: NamedGroup) -> Self {
        let setting = Setting::of(story, provider(), SUITE, group, key, Reports::Off);
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
fn compressions(story: Story, key: Key, group: NamedGroup) -> Sides<usize> {
    let setting = Setting::of(story, counting(provider()), SUITE, group, key, Reports::Off);
    let (mut client, mut server) = (Compressions::default(), Compressions::default());
    handshake(&setting, &mut Wire::new(), &mut client, &mut server);
    Sides { client: client.0, server: server.0 }
}

/// The unavoidable work of a handshake whose messages have known lengths.
struct Floor {
    setting: Setting,
    story: Story,
    suite: &'static Suite,
    group: NamedGroup,
    compressions: Sides<usize>,
    aead: Box<dyn AeadKey>,
    /// As many bytes as the compressions take.
    hashed: Sides<Vec<u8>>,
    /// The lengths of the protected records of each side: content and its type.
    from_server: Vec<usize>,
    from_client: Vec<usize>,
}

impl Floor {
    fn new(story: Story, key: Key, group: NamedGroup) -> Self {
        let setting = Setting::of(story, provider(), SUITE, group, key, Reports::On);
        let linked = handshake(&setting, &mut Wire::new(), &mut Unmeasured, &mut Unmeasured);
        let lengths = message_lengths(&linked.at_client);
        let suite = setting.provider.suite(SUITE).unwrap();
        let blocks = Blocks::of(suite.hash);
        let compressions = least(story, &lengths, blocks);
        // The server's flight is one record; the client's EndOfEarlyData has other keys than its Finished.
        let [from_server, from_client] = match (story, &*lengths) {
            (Story::Full | Story::Resumed, [_, _, flight @ .., finished]) => {
                [vec![flight.iter().sum::<usize>()], vec![*finished]]
            }
            (Story::ResumedWithEarlyData, [_, _, flight @ .., end, finished]) => {
                [vec![flight.iter().sum::<usize>()], vec![EARLY_DATA.len(), *end, *finished]]
            }
            _ => panic!("messages are missing"),
        };
        let with_type = |lengths: Vec<usize>| lengths.into_iter().map(|len| len + 1).collect();
        Self {
            aead: suite.aead.key(&[1; 16]).unwrap(),
            hashed: Sides {
                client: vec![1; blocks.longest(compressions.client)],
                server: vec![1; blocks.longest(compressions.server)],
            },
            from_server: with_type(from_server),
            from_client: with_type(from_client),
            setting,
            story,
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
            let sign = || key.sign(rng, scheme, &content).unwrap();
            let signature = (self.story == Story::Full).then(|| server.call(Work::Answer, sign));
            self.hash_and_protect(server, &self.hashed.server, &self.from_server, &self.from_client);
            (response, signature)
        };
        let answers: Vec<_> = exchanges.iter().map(AsRef::as_ref).zip(&mut servers).map(answer).collect();
        for ((exchange, (response, signature)), client) in
            exchanges.into_iter().zip(answers).zip(&mut clients)
        {
            let complete = || exchange.complete(self.group, &response.share).unwrap();
            black_box(client.call(Work::Machine, complete));
            if let Some(signature) = signature {
                let verify = || provider.verify(scheme, key.public_key(), &content, &signature).unwrap();
                client.call(Work::Answer, verify);
            }
            self.hash_and_protect(client, &self.hashed.client, &self.from_client, &self.from_server);
        }
        spent(clients, servers)
    }

    /// The compressions and the AEAD's bytes of one side.
    fn hash_and_protect(&self, probe: &mut Stopwatch, hashed: &[u8], sent: &[usize], received: &[usize]) {
        black_box(probe.call(Work::Machine, || self.suite.hash.hash(&[hashed])));
        let (nonce, aad) = (Nonce([1; 12]), [1; 5]);
        for len in sent {
            let (mut sealed, mut tag) = (vec![7; *len], [0; TAG_LEN]);
            probe
                .call(Work::Machine, || self.aead.seal_in_place(&nonce, &aad, &mut sealed, &mut tag))
                .unwrap();
        }
        for len in received {
            let mut record = vec![7; len + TAG_LEN];
            let (inner, tag) = record.split_last_chunk_mut::<TAG_LEN>().unwrap();
            self.aead.seal_in_place(&nonce, &aad, inner, tag).unwrap();
            probe.call(Work::Machine, || self.aead.open_in_place(&nonce, &aad, &mut record)).unwrap();
        }
    }
}

/// The least number of compressions of each side, for messages with these lengths.
fn least(story: Story, lengths: &[usize], blocks: Blocks) -> Sides<usize> {
    let messages = transcript(story, lengths, blocks);
    let of_early_data = if story == Story::ResumedWithEarlyData { OF_EARLY_DATA } else { 0 };
    match story {
        Story::Full => Sides { client: messages + KEY_SCHEDULE, server: messages + KEY_SCHEDULE },
        Story::Resumed | Story::ResumedWithEarlyData => {
            let server = messages + KEY_SCHEDULE_OF_PSK + of_early_data;
            // Only the resumption secret needs the client's Finished.
            let ending = blocks.ending(lengths.iter().sum());
            Sides { client: server + RESUMPTION + ending, server }
        }
    }
}

/// The least number of compressions for the transcript of messages with these lengths. Its hash is needed behind
/// ServerHello and the server's Finished; before each Finished, and before CertificateVerify; for a binder in front of the
/// list of binders; and for early data behind ClientHello. A full handshake's also behind the client's Finished.
fn transcript(story: Story, lengths: &[usize], blocks: Blocks) -> usize {
    let ends: &[usize] = match (story, lengths.len()) {
        (Story::Full, 7) => &[2, 4, 5, 6, 7],
        (Story::Resumed, 5) => &[2, 3, 4],
        (Story::ResumedWithEarlyData, 6) => &[1, 2, 3, 4, 5],
        (_, messages) => panic!("{messages} messages"),
    };
    // The length of the list, and one binder of one byte and a hash.
    let truncated = (story != Story::Full).then(|| lengths[0] - 2 - 1 - 32);
    let ends = ends.iter().map(|count| lengths[..*count].iter().sum::<usize>()).chain(truncated);
    let whole = lengths.iter().sum();
    blocks.running(whole) + ends.map(|end| blocks.ending(end)).sum::<usize>()
}
