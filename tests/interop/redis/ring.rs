//! A sealed ring, from who publishes it to who watches.

use std::time::{Duration, Instant};

use symbolon::Moment;
use symbolon::crypto::rustcrypto;
use symbolon::policy::redis::{RedisSettings, RedisStatus, RingPublisher, RingRefused, RingWatcher};

use symbolon::policy::tickets::{RingState, Schedule, TicketRing};
use tokio::time::timeout;

use super::fake::{Does, Fake};
use super::store::*;

fn quick(port: u16) -> RedisSettings {
    settings(port, &Hands::at(1000)).period(Duration::from_millis(5))
}

#[tokio::test]
async fn a_watcher_finds_the_ring_and_what_comes_after_it() {
    let store = Store::start();
    let publisher = RingPublisher::new(quick(store.port));
    publisher.publish(b"one").await.unwrap();
    let (mut watcher, mut late) = (RingWatcher::new(quick(store.port)), RingWatcher::new(quick(store.port)));
    assert_eq!(soon(watcher.next()).await, b"one");
    let waiting = tokio::spawn(async move { soon(watcher.next()).await });
    publisher.publish(b"two").await.unwrap();
    assert_eq!(waiting.await.unwrap(), b"two");
    assert_eq!(soon(late.next()).await, b"two");
    assert_eq!(late.sightings().given, 1);
}

#[tokio::test]
async fn what_is_too_long_for_a_ring_is_passed_over_and_counted() {
    let store = Store::start();
    let publisher = RingPublisher::new(quick(store.port));
    for ring in [vec![], vec![7; (64 << 10) + 1]] {
        assert_eq!(publisher.publish(&ring).await, Err(RingRefused::Length));
    }
    let long = "x".repeat(1 << 20);
    let _: String = store.tell(&["SET", "symbolon:ring", &long]);
    let mut watcher = RingWatcher::new(quick(store.port));
    while watcher.sightings().too_long == 0 {
        let given = timeout(Duration::from_millis(20), watcher.next()).await;
        assert!(given.is_err(), "nothing is to be given out");
    }
    let longest = vec![7; 64 << 10];
    publisher.publish(&longest).await.unwrap();
    assert_eq!(soon(watcher.next()).await, longest);
}

#[tokio::test]
async fn a_watcher_survives_its_store() {
    let mut store = Store::start();
    let publisher = RingPublisher::new(quick(store.port));
    publisher.publish(b"one").await.unwrap();
    let mut watcher = RingWatcher::new(quick(store.port));
    assert_eq!(soon(watcher.next()).await, b"one");
    store.kill();
    assert_eq!(publisher.publish(b"two").await, Err(RingRefused::Store(RedisStatus::Unreachable)));
    while watcher.sightings().failed == 0 {
        let given = timeout(Duration::from_millis(20), watcher.next()).await;
        assert!(given.is_err(), "nothing is to be given out");
    }
    store.restart();
    publisher.publish(b"two").await.unwrap();
    assert_eq!(soon(watcher.next()).await, b"two");
}

#[tokio::test]
async fn a_ring_takes_what_is_newer_and_opens_and_nothing_else() {
    let (store, provider, key) = (Store::start(), rustcrypto::provider(), [7; 32]);
    let publisher = RingPublisher::new(quick(store.port));
    let ring = TicketRing::pushed(&provider).unwrap();
    let mut watcher = RingWatcher::new(quick(store.port));
    let mut state = RingState::new();
    let now = Moment::from_secs(1 << 31);
    state.advance(&*provider.rng, &Schedule::default(), now).unwrap();
    let first = state.seal(&provider, &key).unwrap();
    publisher.publish(&first).await.unwrap();
    assert_eq!(soon(watcher.feed(&ring, &provider, &key)).await, Ok(()));
    let had = ring.generations(now);
    assert!(!had.is_empty());

    // Damaged, sealed under another key, and the same state sealed once more.
    let foreign = state.seal(&provider, &[8; 32]).unwrap();
    let again = state.seal(&provider, &key).unwrap();
    for (sealed, unopened, older) in [(&b"garbage"[..], 1, 0), (&foreign, 2, 0), (&again, 2, 1)] {
        publisher.publish(sealed).await.unwrap();
        let until = Instant::now() + crate::process::DEADLINE;
        while (watcher.sightings().unopened, watcher.sightings().older) != (unopened, older) {
            assert!(Instant::now() < until, "{:?}", watcher.sightings());
            let fed = timeout(Duration::from_millis(20), watcher.feed(&ring, &provider, &key)).await;
            assert!(fed.is_err(), "nothing is to be taken");
        }
        assert_eq!(ring.generations(now), had);
    }

    let later = now.plus(Duration::from_secs(7 * 3600));
    state.advance(&*provider.rng, &Schedule::default(), later).unwrap();
    publisher.publish(&state.seal(&provider, &key).unwrap()).await.unwrap();
    assert_eq!(soon(watcher.feed(&ring, &provider, &key)).await, Ok(()));
    assert_ne!(ring.generations(later), had);
}

#[tokio::test]
async fn an_impostor_is_no_store() {
    let fake = Fake::start(|_| Does::Says(b"+NO\r\n".into())).await;
    let refused = soon(RingPublisher::new(quick(fake.port)).publish(b"one")).await;
    assert_eq!(refused, Err(RingRefused::Store(RedisStatus::Nonsense)));
}
