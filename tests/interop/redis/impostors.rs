//! Guards over servers that hang, answer nonsense, close, or flood.

use std::sync::Arc;
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

#[tokio::test]
async fn more_checks_than_may_be_in_flight_are_refused() {
    let fake = Fake::but("SET", "seen", || Does::Hangs).await;
    let guard = guarding(hasty(&fake).most_in_flight(2).deadline(SHORT)).await;
    let checks = [1, 2, 3].map(|id| guard.guard().check(flight(id, 1000)));
    let [one, two, three] = checks;
    let (one, two, three) = soon(async { tokio::join!(one, two, three) }).await;
    assert_eq!([one, two, three], [LATE, LATE, Seen::Unknown(Unknowable::Full)]);
}
