//! Guards over servers that hang, answer nonsense, close, or flood.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use symbolon::conn::Unknowable;
use symbolon::policy::redis::{RedisGuard, RedisSettings, RedisStatus};
use symbolon::policy::replay::{AsyncReplayGuard, Guard};
use symbolon::question::Seen;

use super::fake::{Does, Fake};
use super::store::*;

/// Short enough for a test to reach it, long enough for an honest reply.
const SHORT: Duration = Duration::from_millis(200);

fn hasty(fake: &Fake) -> RedisSettings {
    settings(fake.port, &Hands::at(1000)).patience(SHORT)
}

fn start(settings: RedisSettings) -> Arc<Guard<RedisGuard>> {
    Arc::new(RedisGuard::start(settings).unwrap())
}

#[tokio::test]
async fn the_honest_fake_is_taken_for_a_server() {
    let fake = Fake::start(|_| Does::Honest).await;
    let guard = guarding(settings(fake.port, &Hands::at(1000))).await;
    assert_eq!(check(&guard, 1, 1000).await, Seen::Never);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let fake = Fake::start(|_| Does::Hangs).await;
    let guard = start(hasty(&fake));
    assert_eq!(check(&guard, 1, 1000).await, UNREACHABLE);
    until(&guard, |status| status == RedisStatus::Unreachable).await;
}

#[tokio::test]
async fn a_server_that_closes_is_unreachable() {
    let fake = Fake::start(|_| Does::Closes).await;
    let guard = start(settings(fake.port, &Hands::at(1000)));
    until(&guard, |status| status == RedisStatus::Unreachable).await;
    assert_eq!(check(&guard, 1, 1000).await, UNREACHABLE);
}

#[tokio::test]
async fn a_server_that_talks_nonsense_is_refused() {
    for nonsense in ["+NO\r\n", ":1\r\n", "*-1\r\n", "$3\r\nabc\r\n", "-ERR no\r\n"] {
        let fake = Fake::start(move |_| Does::Says(nonsense.into())).await;
        let guard = start(settings(fake.port, &Hands::at(1000)));
        let status = until(&guard, |status| status != RedisStatus::Connecting).await;
        assert_eq!(status, RedisStatus::Nonsense, "{nonsense:?}");
        assert_eq!(check(&guard, 1, 1000).await, NONSENSE);
    }
}

#[tokio::test]
async fn a_server_that_speaks_another_protocol_is_refused() {
    for other in ["HTTP/1.1 400 Bad Request\r\n\r\n", "\0\0\0\0\r\n", "\u{15}\u{3}\u{3}\0\u{2}\u{2}\n"] {
        let fake = Fake::start(move |_| Does::Says(other.into())).await;
        let guard = start(settings(fake.port, &Hands::at(1000)));
        let refuses = |status| matches!(status, RedisStatus::Nonsense | RedisStatus::Unreachable);
        until(&guard, refuses).await;
        assert!([NONSENSE, UNREACHABLE].contains(&check(&guard, 1, 1000).await), "{other:?}");
    }
}

#[tokio::test]
async fn a_server_that_floods_is_cut_off() {
    let fake = Fake::start(|_| Does::Floods).await;
    let guard = start(settings(fake.port, &Hands::at(1000)));
    until(&guard, |status| status == RedisStatus::Nonsense).await;
    assert_eq!(check(&guard, 1, 1000).await, NONSENSE);
}

#[tokio::test]
async fn a_check_without_reply_is_late_and_the_line_given_up() {
    let fake = Fake::but("SET", "seen", || Does::Hangs).await;
    let guard = guarding(hasty(&fake).deadline(SHORT)).await;
    assert_eq!(check(&guard, 1, 1000).await, LATE);
    until(&guard, |status| status == RedisStatus::Unreachable).await;
    soon(fake.given_up.notified()).await;
    // Another connection is made and examined.
    until(&guard, |status| matches!(status, RedisStatus::Guarding { .. })).await;
}

#[tokio::test]
async fn a_reply_to_a_check_that_is_none_is_nonsense() {
    for nonsense in ["+QUEUED\r\n", ":1\r\n", "$2\r\nOK\r\n", "-ERR no\r\n", "-MOVED 1 127.0.0.1:1\r\n"] {
        let fake = Fake::start(move |words| match words {
            [set, key, ..] if set == b"SET" && key.starts_with(b"symbolon:seen") => {
                Does::Says(nonsense.into())
            }
            _ => Does::Honest,
        })
        .await;
        let guard = guarding(settings(fake.port, &Hands::at(1000))).await;
        assert_eq!(check(&guard, 1, 1000).await, NONSENSE, "{nonsense:?}");
    }
}

#[tokio::test]
async fn one_reply_too_many_gives_no_flight_the_answer_to_another() {
    let fake = Fake::but("SET", "seen", || Does::Says(b"+OK\r\n+OK\r\n".into())).await;
    let guard = guarding(settings(fake.port, &Hands::at(1000))).await;
    let (one, two) = tokio::join!(check(&guard, 1, 1000), check(&guard, 2, 1000));
    assert_eq!([one, two], [NONSENSE; 2]);
}

#[tokio::test]
async fn a_flood_in_the_place_of_a_reply_is_cut_off() {
    let fake = Fake::but("SET", "seen", || Does::Floods).await;
    let guard = guarding(settings(fake.port, &Hands::at(1000))).await;
    assert_eq!(check(&guard, 1, 1000).await, NONSENSE);
    until(&guard, |status| matches!(status, RedisStatus::Guarding { .. })).await;
}

#[tokio::test]
async fn a_server_that_closes_upon_a_check_is_unreachable() {
    let fake = Fake::but("SET", "seen", || Does::Closes).await;
    let guard = guarding(settings(fake.port, &Hands::at(1000))).await;
    assert_eq!(check(&guard, 1, 1000).await, UNREACHABLE);
}

#[tokio::test]
async fn a_marker_that_never_stays_makes_no_memory() {
    let fake = Fake::but("GET", "since", || Does::Says(b"$-1\r\n".into())).await;
    let guard = start(settings(fake.port, &Hands::at(1000)));
    until(&guard, |status| status == RedisStatus::Nonsense).await;
}

/// A fake that replies by command and stage where there is something to say.
async fn changing(replies: fn(&[u8], u64) -> Option<String>) -> (Fake, Arc<AtomicU64>) {
    let stage = Arc::new(AtomicU64::new(0));
    let at = Arc::clone(&stage);
    let fake = Fake::start(move |words| match replies(&words[0], at.load(Ordering::SeqCst)) {
        Some(reply) => Does::Says(reply.into()),
        None => Does::Honest,
    })
    .await;
    (fake, stage)
}

#[tokio::test]
async fn a_store_whose_clock_leaps_begins_a_new_memory() {
    let (fake, stage) = changing(|name, stage| {
        (name == b"TIME").then(|| format!("*2\r\n$4\r\n{}\r\n$1\r\n0\r\n", 1000 + 60 * stage))
    })
    .await;
    let clock = Hands::at(1000);
    let guard = guarding(settings(fake.port, &clock)).await;
    assert_eq!(check(&guard, 1, 1500).await, Seen::Never);
    clock.set(1505);
    stage.store(1, Ordering::SeqCst);
    assert_eq!(check(&guard, 1, 1500).await, BEFORE_MEMORY);
    since(&guard, 1505).await;
    assert_eq!(check(&guard, 1, 2000).await, Seen::Never);
}

#[tokio::test]
async fn another_run_that_has_the_marker_begins_a_new_memory() {
    let (fake, stage) = changing(|name, stage| {
        let info = format!(
            "run_id:run{stage}\r\nrole:master\r\nmaster_replid:fake\r\nmaxmemory:0\r\n\
             maxmemory_policy:noeviction\r\nevicted_keys:0\r\nloading:0\r\n"
        );
        (name == b"INFO").then(|| format!("${}\r\n{info}\r\n", info.len()))
    })
    .await;
    let clock = Hands::at(1000);
    let guard = guarding(settings(fake.port, &clock).period(Duration::from_millis(5))).await;
    assert_eq!(check(&guard, 1, 1500).await, Seen::Never);
    clock.set(2000);
    stage.store(1, Ordering::SeqCst);
    since(&guard, 2000).await;
    assert_eq!(check(&guard, 1, 1500).await, BEFORE_MEMORY);
}

#[tokio::test]
async fn more_checks_than_may_be_in_flight_are_refused() {
    let fake = Fake::but("SET", "seen", || Does::Hangs).await;
    let guard = guarding(hasty(&fake).most_in_flight(2).deadline(SHORT)).await;
    let checks = [1, 2, 3].map(|id| guard.guard().check(flight(id, 1000)));
    let [one, two, three] = checks;
    let (one, two, three) = soon(async { tokio::join!(one, two, three) }).await;
    assert_eq!([one, two, three], [LATE, LATE, Seen::Unknown(Unknowable::Full)]);
}
