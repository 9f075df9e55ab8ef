//! The guard over a real server: what it remembers, and how it notices that the server forgot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon::conn::Unknowable;
use symbolon::policy::redis::{BadSettings, RedisGuard, RedisSettings, RedisStatus};
use symbolon::policy::replay::AsyncReplayGuard;
use symbolon::question::Seen;

use super::store::*;

#[tokio::test]
async fn a_flight_is_new_once_for_all_guards_of_a_store() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let one = guarding(settings(store.port, &clock)).await;
    let two = guarding(settings(store.port, &clock)).await;
    assert_eq!(check(&one, 1, 1000).await, Seen::Never);
    assert_eq!(check(&two, 1, 1000).await, Seen::Before);
    assert_eq!(check(&one, 1, 1000).await, Seen::Before);
    assert_eq!(check(&two, 2, 1000).await, Seen::Never);
    assert_eq!(check(&one, 2, 1000).await, Seen::Before);
}

#[tokio::test]
async fn guards_with_other_prefixes_share_nothing() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let one = guarding(settings(store.port, &clock)).await;
    let two = guarding(settings(store.port, &clock).prefix("other:").unwrap()).await;
    assert_eq!(check(&one, 1, 1000).await, Seen::Never);
    assert_eq!(check(&two, 1, 1000).await, Seen::Never);
}

#[tokio::test]
async fn a_flight_is_remembered_for_longer_than_a_copy_is_fresh() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let guard = guarding(settings(store.port, &clock).skew(Duration::from_secs(3))).await;
    assert_eq!(check(&guard, 1, 1003).await, Seen::Never);
    let keys: Vec<String> = store.tell(&["KEYS", "symbolon:seen:*"]);
    let left: i64 = store.tell(&["PTTL", &keys[0]]);
    // 10 s of freshness, the skew, what an answer and an examination may take, and the margin.
    assert!(keys.len() == 1 && (75_000..=83_000).contains(&left), "{keys:?} for {left} ms");
}

#[tokio::test]
async fn tickets_older_than_the_memory_and_the_skew_are_refused() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let guard = guarding(settings(store.port, &clock).skew(Duration::from_secs(5))).await;
    assert_eq!(check(&guard, 1, 999).await, BEFORE_MEMORY);
    assert_eq!(check(&guard, 1, 1004).await, BEFORE_MEMORY);
    assert_eq!(check(&guard, 1, 1005).await, Seen::Never);
}

#[tokio::test]
async fn a_newcomer_goes_on_with_the_memory_of_the_store() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let first = guarding(settings(store.port, &clock)).await;
    assert_eq!(check(&first, 1, 1500).await, Seen::Never);
    drop(first);
    clock.set(1505);
    let newcomer = guarding(settings(store.port, &clock)).await;
    since(&newcomer, 1000).await;
    assert_eq!(check(&newcomer, 1, 1500).await, Seen::Before);
    assert_eq!(check(&newcomer, 2, 1500).await, Seen::Never);
}

#[tokio::test]
async fn a_restart_begins_a_new_memory() {
    let (mut store, clock) = (Store::start(), Hands::at(1000));
    let guard = guarding(settings(store.port, &clock)).await;
    assert_eq!(check(&guard, 1, 1500).await, Seen::Never);
    store.kill();
    until(&guard, |status| status == RedisStatus::Unreachable).await;
    assert_eq!(check(&guard, 1, 1500).await, UNREACHABLE);
    clock.set(1505);
    store.restart();
    since(&guard, 1505).await;
    assert_eq!(check(&guard, 1, 1500).await, BEFORE_MEMORY);
    assert_eq!(check(&guard, 1, 2000).await, Seen::Never);
    assert_eq!(check(&guard, 1, 2000).await, Seen::Before);
}

#[tokio::test]
async fn a_lost_connection_forgets_nothing() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let guard = guarding(settings(store.port, &clock)).await;
    assert_eq!(check(&guard, 1, 1000).await, Seen::Never);
    clock.set(1005);
    let _: i64 = store.tell(&["CLIENT", "KILL", "TYPE", "normal"]);
    until(&guard, |status| status == RedisStatus::Unreachable).await;
    since(&guard, 1000).await;
    assert_eq!(check(&guard, 1, 1000).await, Seen::Before);
}

#[tokio::test]
async fn a_flushed_store_is_noticed_by_the_check_itself() {
    for flush in ["FLUSHALL", "FLUSHDB"] {
        let (store, clock) = (Store::start(), Hands::at(1000));
        let one = guarding(settings(store.port, &clock)).await;
        let two = guarding(settings(store.port, &clock)).await;
        assert_eq!(check(&one, 1, 1500).await, Seen::Never);
        clock.set(1505);
        let _: String = store.tell(&[flush]);
        assert_eq!(check(&one, 1, 1500).await, BEFORE_MEMORY, "{flush}");
        since(&one, 1505).await;
        // The other one finds a marker that is not its own.
        assert_eq!(check(&two, 1, 1500).await, BEFORE_MEMORY, "{flush}");
        since(&two, 1505).await;
        assert_eq!(check(&one, 2, 2000).await, Seen::Never);
        assert_eq!(check(&two, 2, 2000).await, Seen::Before);
    }
}

#[tokio::test]
async fn a_foreign_marker_is_replaced() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let _: String = store.tell(&["SET", "symbolon:since", "mine"]);
    let guard = guarding(settings(store.port, &clock)).await;
    since(&guard, 1000).await;
    assert_eq!(check(&guard, 1, 1000).await, Seen::Never);
}

#[tokio::test]
async fn a_store_that_evicts_is_refused() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let _: String = store.tell(&["CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru"]);
    let settings = settings(store.port, &clock).period(Duration::from_millis(5));
    let guard = Arc::new(RedisGuard::start(settings).unwrap());
    until(&guard, |status| status == RedisStatus::Evicting).await;
    assert_eq!(check(&guard, 1, 1000).await, NONSENSE);
    let _: String = store.tell(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    since(&guard, 1000).await;
    assert_eq!(check(&guard, 1, 1000).await, Seen::Never);
    let _: String = store.tell(&["CONFIG", "SET", "maxmemory-policy", "volatile-ttl"]);
    until(&guard, |status| status == RedisStatus::Evicting).await;
    assert_eq!(check(&guard, 1, 1000).await, NONSENSE);
}

#[tokio::test]
async fn a_full_store_refuses() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let guard = guarding(settings(store.port, &clock)).await;
    let _: String = store.tell(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(check(&guard, 1, 1000).await, Seen::Unknown(Unknowable::Full));
}

#[tokio::test]
async fn a_replica_is_refused_and_one_that_becomes_the_master_has_a_new_memory() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let guard = guarding(settings(store.port, &clock)).await;
    // Nobody is there, so that the data stays.
    let _: String = store.tell(&["REPLICAOF", "127.0.0.1", "1"]);
    assert_eq!(check(&guard, 1, 1000).await, NONSENSE);
    until(&guard, |status| status == RedisStatus::NotMaster).await;
    assert_eq!(check(&guard, 1, 1000).await, NONSENSE);
    clock.set(2000);
    let _: String = store.tell(&["REPLICAOF", "NO", "ONE"]);
    since(&guard, 2000).await;
}

#[tokio::test]
async fn a_wrong_password_is_told() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let _: String = store.tell(&["CONFIG", "SET", "requirepass", "right"]);
    let with = |password: &str| {
        let url = format!("redis://:{password}@127.0.0.1:{}", store.port);
        let rng = symbolon::crypto::rustcrypto::provider().rng;
        RedisSettings::new(&url, rng).unwrap().clock(clock.clone())
    };
    let guard = RedisGuard::start(with("wrong")).unwrap();
    until(&guard, |status| status == RedisStatus::Denied).await;
    assert!(!format!("{guard:?} {:?} {:?}", guard.guard(), with("wrong")).contains("wrong"));
    guarding(with("right")).await;
}

#[tokio::test]
async fn a_thousand_checks_at_once_find_each_flight_new_once() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let one = guarding(settings(store.port, &clock)).await;
    let two = guarding(settings(store.port, &clock)).await;
    let began = Instant::now();
    let checks: Vec<_> = (0..1000)
        .map(|number| {
            let guard = if number % 2 == 0 { Arc::clone(&one) } else { Arc::clone(&two) };
            tokio::spawn(async move { check(&guard, number / 2, 1000).await })
        })
        .collect();
    let mut seen = Vec::new();
    for check in checks {
        seen.push(check.await.unwrap());
    }
    for pair in seen.chunks(2) {
        assert!(pair.contains(&Seen::Never) && pair.contains(&Seen::Before), "{pair:?}");
    }
    crate::report(&format!("a thousand checks in {:?}", began.elapsed()), 1000);
}

#[tokio::test]
async fn a_killed_store_refuses_at_once() {
    let (mut store, clock) = (Store::start(), Hands::at(1000));
    let guard = guarding(settings(store.port, &clock)).await;
    store.kill();
    // Either the loss was noticed already, or this check notices it.
    assert_eq!(check(&guard, 1, 1000).await, UNREACHABLE);
    until(&guard, |status| status == RedisStatus::Unreachable).await;
}

#[tokio::test]
async fn the_connection_ends_with_its_guard() {
    let (store, clock) = (Store::start(), Hands::at(1000));
    let clients = || store.tell::<String>(&["CLIENT", "LIST"]).lines().count();
    let guard = guarding(settings(store.port, &clock)).await;
    assert_eq!(clients(), 2);
    drop(guard);
    let until = Instant::now() + crate::process::DEADLINE;
    while clients() > 1 {
        assert!(Instant::now() < until, "the connection stays");
        tokio::task::yield_now().await;
    }
}

#[test]
fn unusable_settings_are_refused() {
    let rng = || symbolon::crypto::rustcrypto::provider().rng;
    for url in ["", "127.0.0.1:6379", "rediss://127.0.0.1", "https://127.0.0.1"] {
        assert_eq!(RedisSettings::new(url, rng()).err(), Some(BadSettings::Address), "{url}");
    }
    let settings = RedisSettings::new("redis://127.0.0.1", rng()).unwrap();
    assert_eq!(settings.clone().prefix("x".repeat(129)).err(), Some(BadSettings::Prefix));
    assert_eq!(RedisGuard::start(settings).err(), Some(BadSettings::NoRuntime));
}

#[test]
fn guards_and_their_checks_cross_threads() {
    fn crosses<T: Send + Sync>(_: &T) {}
    fn checks<'a>(guard: &'a RedisGuard) -> impl Send + use<'a> {
        guard.check(flight(1, 1))
    }
    let _ = checks;
    let _ = crosses::<RedisGuard>;
}
