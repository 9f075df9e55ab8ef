//! Replay guards in memory: how long a check takes, of new and of old flights, at three sizes. Prints how many checks
//! one and two threads do in a second; the budget stands beside them.

use std::cell::Cell;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use symbolon::Moment;
use symbolon::policy::replay::{DEFAULT_WINDOW, Guard, ReplayGuard, ReplayRegister, RotatingFilter};
use symbolon::question::{FirstFlight, Seen};

const SIZES: [usize; 3] = [1000, 10_000, 100_000];

/// The fewest checks that a core does in a second with 100,000 flights in the guard.
const BUDGET: f64 = 1e6;

/// The filter takes one new flight in so many for an old one.
const ONE_IN: NonZeroU32 = NonZeroU32::new(1000).unwrap();

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for size in SIZES {
        let since = Moment::from_millis(0);
        group(&mut criterion, "register", size, ReplayRegister::new(size, DEFAULT_WINDOW, since));
        group(&mut criterion, "filter", size, RotatingFilter::new(size, ONE_IN, DEFAULT_WINDOW, since));
    }
    criterion.final_summary();
    println!("checks a second with 100,000 flights (budget {BUDGET:.0} a thread):");
    for threads in [1, 2] {
        let since = Moment::from_millis(0);
        report("register", threads, ReplayRegister::new(SIZES[2], DEFAULT_WINDOW, since));
        report("filter", threads, RotatingFilter::new(SIZES[2], ONE_IN, DEFAULT_WINDOW, since));
    }
}

/// The flight `number` of a server that sees `rate` of them in the time for which they are remembered.
fn flight(number: u64, rate: usize) -> FirstFlight {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let window = DEFAULT_WINDOW.as_millis() as u64;
    let now = Moment::from_millis(1_000_000 + number * window / rate as u64);
    FirstFlight::new(id, now, now, now.plus(DEFAULT_WINDOW))
}

/// How many flights a window fill a guard of this size, but for some room for what expired lately.
fn filling(size: usize) -> usize {
    size - size / 10
}

fn group(criterion: &mut Criterion, name: &str, size: usize, guard: Arc<Guard<dyn ReplayGuard>>) {
    let mut group = criterion.benchmark_group(format!("{name}/{size}"));
    group.throughput(Throughput::Elements(1));
    let rate = filling(size);
    let next = Cell::new(0);
    let new = || {
        let number = next.replace(next.get() + 1);
        guard.guard().check(&flight(number, rate))
    };
    for _ in 0..2 * size {
        black_box(new());
    }
    group.bench_function(BenchmarkId::from_parameter("new"), |b| b.iter(new));
    let last = flight(next.get() - 1, rate);
    assert_eq!(guard.guard().check(&last), Seen::Before);
    group.bench_function(BenchmarkId::from_parameter("old"), |b| {
        b.iter(|| guard.guard().check(black_box(&last)));
    });
    group.finish();
}

fn report(name: &str, threads: u64, guard: Arc<Guard<dyn ReplayGuard>>) {
    let checks = if std::env::args().any(|argument| argument == "--test") { 10_000 } else { 1_000_000_u64 };
    let rate = filling(SIZES[2]);
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            let guard = &guard;
            scope.spawn(move || {
                for number in 0..checks {
                    black_box(guard.guard().check(&flight(number * threads + thread, rate)));
                }
            });
        }
    });
    let each = checks as f64 / start.elapsed().as_secs_f64();
    let met = if each >= BUDGET { "met" } else { "MISSED" };
    println!("{name:8} {threads} threads: {each:10.0} a thread  {met}");
}
