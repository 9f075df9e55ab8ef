//! The record layer beside the provider's raw AEAD on the same bytes, and its budget: at least 97 % of the raw speed
//! on full records.

mod support;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use support::*;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::conn::{Client, Event, Frame, SendBuf, Server, frame};
use symbolon::crypto::{AeadKey, Nonce, TAG_LEN};

const SIZES: [usize; 5] = [64, 256, 1024, 4096, 16_384];

/// How many records are worked on between two looks at the clock.
const BATCH: usize = 8;

/// The least share of the raw AEAD's speed that the record layer leaves.
const BUDGET: f64 = 0.97;

/// Additional data of a record: its header.
const AAD: [u8; frame::HEAD] = [23, 3, 3, 64, 17];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for suite in SUITES {
        groups(&mut criterion, suite);
    }
    criterion.final_summary();
    println!("full records of 16,384 bytes, in percent of the raw AEAD (budget {:.0} %):", BUDGET * 100.0);
    for suite in SUITES {
        budgets(suite);
    }
}

fn groups(criterion: &mut Criterion, suite: CipherSuite) {
    let mut group = criterion.benchmark_group(format!("record/{suite}"));
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let mut bench = |name: &str, mut batch: Box<dyn FnMut() -> Duration>| {
            group.bench_function(BenchmarkId::new(name, size), |b| {
                b.iter_custom(|times| {
                    let batches = times.div_ceil(BATCH as u64);
                    let spent: Duration = (0..batches).map(|_| batch()).sum();
                    spent.mul_f64(times as f64 / (batches * BATCH as u64) as f64)
                });
            });
        };
        let mut records = Records::new(suite, size);
        bench("process", Box::new(move || records.process()));
        let mut records = Records::new(suite, size);
        bench("write", Box::new(move || records.write()));
        let mut records = Records::new(suite, size);
        bench("seal_frame", Box::new(move || records.seal_frame()));
        let mut raw = Raw::new(suite, size);
        bench("raw_open", Box::new(move || raw.open()));
        let mut raw = Raw::new(suite, size);
        bench("raw_copy_seal", Box::new(move || raw.copy_and_seal()));
        let mut raw = Raw::new(suite, size);
        bench("raw_seal", Box::new(move || raw.seal()));
    }
    group.finish();
}

fn budgets(suite: CipherSuite) {
    let (mut records, mut raw) =
        (Records::new(suite, frame::MAX_CONTENT), Raw::new(suite, frame::MAX_CONTENT));
    let count = rounds(1000);
    report(suite, "process", "open_in_place", interleave(count, || records.process(), || raw.open()));
    report(suite, "seal_frame", "seal_in_place", interleave(count, || records.seal_frame(), || raw.seal()));
    report(suite, "write", "memcpy and seal", interleave(count, || records.write(), || raw.copy_and_seal()));
}

fn report(suite: CipherSuite, ours: &str, raw: &str, compared: Compared) {
    let share = compared.second_by_first;
    let per_record = |batch: Duration| batch.as_secs_f64() * 1e6 / BATCH as f64;
    println!(
        "{suite} {ours:10} {:6.2} %  {}  ({:.2} us, {raw} {:.2} us)",
        share * 100.0,
        verdict_of_times(share >= BUDGET),
        per_record(compared.first),
        per_record(compared.second),
    );
}

/// Batches of records of `size` bytes through an open connection.
struct Records {
    client: Client,
    server: Server,
    content: Vec<u8>,
    frame: Vec<u8>,
    sealed: Vec<u8>,
    out: SendBuf,
}

impl Records {
    fn new(suite: CipherSuite, size: usize) -> Self {
        let (client, server) = open(&Setting::new(provider(), suite, NamedGroup::X25519, Key::Ed25519));
        let frame = vec![7; frame::HEAD + size + frame::TAIL];
        let sealed = Vec::with_capacity(frame.len() * BATCH);
        Self { client, server, content: vec![7; size], frame, sealed, out: SendBuf::with_limit(1 << 16) }
    }

    /// The server opens what the client sealed before.
    fn process(&mut self) -> Duration {
        self.sealed.clear();
        for _ in 0..BATCH {
            self.client.write(&[&self.content], &mut self.out).unwrap();
            self.sealed.extend_from_slice(self.out.pending());
            self.out.advance(usize::MAX);
        }
        let mut input = &mut self.sealed[..];
        time(|| {
            while !input.is_empty() {
                let step = self.server.process(input, &mut self.out).unwrap();
                let Event::Data(plain) = step.event else { panic!("application data was written") };
                assert_eq!(plain.bytes.len(), self.content.len());
                let consumed = step.consumed;
                input = &mut std::mem::take(&mut input)[consumed..];
            }
        })
    }

    fn write(&mut self) -> Duration {
        time(|| {
            for _ in 0..BATCH {
                self.client.write(&[&self.content], &mut self.out).unwrap();
                self.out.advance(usize::MAX);
            }
        })
    }

    fn seal_frame(&mut self) -> Duration {
        let content = self.content.len();
        time(|| {
            for _ in 0..BATCH {
                let sealed = self.client.seal_frame(&mut self.frame, content, &mut self.out).unwrap();
                assert!(matches!(sealed, Frame::Sealed(_)));
            }
        })
    }
}

/// The same bytes through the provider alone: content, content type and tag, behind room for a header.
struct Raw {
    key: Box<dyn AeadKey>,
    content: Vec<u8>,
    record: Vec<u8>,
    sealed: Vec<u8>,
}

impl Raw {
    fn new(suite: CipherSuite, size: usize) -> Self {
        let aead = provider().suite(suite).unwrap().aead;
        let key = aead.key(&vec![3; aead.key_len()]).unwrap();
        let record = vec![7; frame::HEAD + size + frame::TAIL];
        let sealed = Vec::with_capacity(record.len() * BATCH);
        Self { key, content: vec![7; size], record, sealed }
    }

    fn open(&mut self) -> Duration {
        self.sealed.clear();
        for _ in 0..BATCH {
            self.copy_and_seal_one();
            self.sealed.extend_from_slice(&self.record);
        }
        time(|| {
            for record in self.sealed.chunks_mut(self.record.len()) {
                self.key.open_in_place(&NONCE, &AAD, &mut record[frame::HEAD..]).unwrap();
            }
        })
    }

    fn copy_and_seal(&mut self) -> Duration {
        time(|| (0..BATCH).for_each(|_| self.copy_and_seal_one()))
    }

    fn seal(&mut self) -> Duration {
        time(|| (0..BATCH).for_each(|_| self.seal_one()))
    }

    fn copy_and_seal_one(&mut self) {
        self.record[frame::HEAD..][..self.content.len()].copy_from_slice(&self.content);
        self.seal_one();
    }

    fn seal_one(&mut self) {
        let (inner, tag) = self.record[frame::HEAD..].split_last_chunk_mut::<TAG_LEN>().unwrap();
        self.key.seal_in_place(&NONCE, &AAD, inner, tag).unwrap();
    }
}

/// Nothing here is secret, so that one nonce does for all.
const NONCE: Nonce = Nonce([5; 12]);
