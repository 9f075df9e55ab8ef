//! What the replay guard on Redis adds to a handshake with early data: a round trip to the store, here on the same machine.
//! Starts a Redis server of its own.
//!
//! `cargo bench --features tokio,redis --bench fleet_guard`

#[path = "../examples/support/redis.rs"]
mod redis;

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::Criterion;
use symbolon::crypto::{Rng, rustcrypto};
use symbolon::policy::redis::{RedisGuard, RedisSettings, RedisStatus};
use symbolon::policy::replay::{AsyncReplayGuard, Guard};
use symbolon::policy::{Clock, SystemClock};
use symbolon::question::{FirstFlight, Seen};
use tokio::runtime::Runtime;

/// How many checks the quantiles are taken of.
const SAMPLES: usize = 2_000;

/// How many checks are under way at once, for the second line.
const AT_ONCE: usize = 64;

fn main() {
    let runtime = Runtime::new().unwrap();
    let store = redis::Redis::start().unwrap();
    let rng = rustcrypto::provider().rng;
    let guard = runtime.block_on(async {
        let settings = RedisSettings::new(&store.url(), Arc::clone(&rng)).unwrap();
        let guard =
            RedisGuard::start(settings.skew(Duration::ZERO).deadline(Duration::from_secs(1))).unwrap();
        guard.guard().until(|status| matches!(status, RedisStatus::Guarding { .. })).await;
        Arc::new(guard)
    });
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    criterion.bench_function("fleet guard/check", |b| b.iter(|| runtime.block_on(check(&guard, &*rng))));
    criterion.final_summary();
    report("one check at a time", runtime.block_on(alone(&guard, &*rng)));
    report("64 at a time", runtime.block_on(together(&guard, &rng)));
}

/// A flight that nobody has seen.
async fn check(guard: &Guard<RedisGuard>, rng: &dyn Rng) {
    let mut id = [0; 32];
    rng.fill(&mut id).unwrap();
    let now = SystemClock.moment();
    let issued = now.plus(Duration::from_millis(1));
    let flight = FirstFlight::new(id, issued, now, now.plus(Duration::from_secs(10)));
    assert_eq!(guard.guard().check(flight).await, Seen::Never);
}

async fn alone(guard: &Guard<RedisGuard>, rng: &dyn Rng) -> Vec<Duration> {
    let mut took = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let began = Instant::now();
        check(guard, rng).await;
        took.push(began.elapsed());
    }
    took
}

async fn together(guard: &Arc<Guard<RedisGuard>>, rng: &Arc<dyn Rng>) -> Vec<Duration> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (guard, rng) = (Arc::clone(guard), Arc::clone(rng));
        tasks.spawn(async move {
            let mut took = Vec::with_capacity(SAMPLES / AT_ONCE);
            for _ in 0..SAMPLES / AT_ONCE {
                let began = Instant::now();
                check(&guard, &*rng).await;
                took.push(began.elapsed());
            }
            took
        });
    }
    tasks.join_all().await.concat()
}

fn report(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let quantile = |percent: usize| took[took.len() * percent / 100].as_secs_f64() * 1e6;
    println!(
        "added by the guard, {what:22} {:7.0} us in the median, {:7.0} us at 99 %",
        quantile(50),
        quantile(99)
    );
}
