//! Clients, a fleet of servers, a network, an attacker and time, from one seed: what must hold whatever happens.
//!
//! `SIM_SEED=n` plays one seed, `SIM_SEEDS=n` so many of each kind, `SIM_FROM=n` from this one on.
#![cfg(all(feature = "rustcrypto", feature = "std"))]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod attacker;
mod conn;
mod dice;
mod ending;
mod fleet;
mod invariants;
mod link;
mod memory;
mod network;
mod peer;
mod setting;
mod stream;
mod tally;
mod tap;
mod toy;
mod wallet;
mod world;

use std::panic::catch_unwind;

use setting::Primitives;
use tally::Tally;
use world::World;

/// How many seeds are played with toys unless told otherwise.
const TOY_SEEDS: u64 = 5000;

/// How many are played with real primitives.
const REAL_SEEDS: u64 = 300;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Plays one seed; secrets that it leaves behind are found.
fn play(seed: u64, primitives: Primitives) -> Tally {
    let (tally, left) = memory::left_behind(|| World::new(seed, primitives).run());
    assert_eq!(left, 0, "secrets were left behind in memory");
    tally
}

/// Plays every seed; the first one that breaks a rule is named.
fn play_all(primitives: Primitives, usual: u64) -> (Tally, u64) {
    let (from, count) = match number("SIM_SEED") {
        Some(seed) => (seed, 1),
        None => (number("SIM_FROM").unwrap_or(0), number("SIM_SEEDS").unwrap_or(usual)),
    };
    let seeds = from..from + count;
    let mut sum = Tally::default();
    for seed in seeds {
        let tally = catch_unwind(|| play(seed, primitives)).unwrap_or_else(|_| {
            panic!(
                "seed {seed} ({primitives:?} primitives) breaks a rule; play it alone with SIM_SEED={seed}"
            )
        });
        sum.add(&tally);
    }
    println!("{count} seeds with {primitives:?} primitives: {sum:#?}");
    (sum, count)
}

#[test]
fn no_story_breaks_a_rule_and_everything_happens_in_some() {
    let (sum, played) = play_all(Primitives::Toy, TOY_SEEDS);
    // What never happened was not tested.
    if played >= TOY_SEEDS {
        assert_eq!(sum.missing(), [""; 0]);
        every_suite_with_every_group(&sum);
    }
}

#[test]
fn no_story_with_real_primitives_breaks_a_rule() {
    let (sum, played) = play_all(Primitives::Real, REAL_SEEDS);
    if played >= REAL_SEEDS {
        every_suite_with_every_group(&sum);
    }
}

fn every_suite_with_every_group(sum: &Tally) {
    for suite in setting::SUITES {
        for group in setting::GROUPS {
            assert!(sum.of(&format!("{suite} {:?}", Some(group))) > 0, "{suite} {group}");
        }
    }
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    for seed in 0..20 {
        assert_eq!(play(seed, Primitives::Toy), play(seed, Primitives::Toy), "{seed}");
    }
}

#[test]
fn secrets_that_are_not_wiped_are_found() {
    let key = toy::marked_key(1);
    for shift in 0..8 {
        let ((), found) = memory::left_behind(|| drop([&[1; 8][..shift], &key].concat()));
        assert_eq!(found, 1, "{shift}");
    }
    let ((), found) = memory::left_behind(|| drop(vec![memory::MARK; 7]));
    assert_eq!(found, 0);
}
