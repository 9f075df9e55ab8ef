//! A fleet, its clients, a network and an attacker, from one seed: what must hold whatever happens.
//!
//! `SIM_SEED=n` plays one seed, `SIM_SEEDS=n` so many.
#![cfg(feature = "rustcrypto")]

#[path = "../support/mod.rs"]
mod support;

mod attacker;
mod fleet;
mod network;
mod world;

use fleet::Guarding;
use world::World;

/// How many seeds are played unless told otherwise.
const SEEDS: u64 = 400;

/// Plays every seed; the first one that breaks a rule is named.
fn play(guarding: Guarding) {
    let number = |name| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    let seeds = match (number("SIM_SEED"), number("SIM_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(SEEDS),
    };
    let mut sum = world::Tally::default();
    for seed in seeds.clone() {
        let tally = std::panic::catch_unwind(|| World::new(seed, guarding).run())
            .unwrap_or_else(|_| panic!("seed {seed} ({guarding:?}): play it alone with SIM_SEED={seed}"));
        sum.add(&tally);
    }
    println!("{guarding:?}: {sum:?}");
    // What never happened was not tested.
    if seeds.end - seeds.start >= SEEDS {
        assert!(sum.resumed > 100 && sum.early_accepted > 100 && sum.replays > 100, "{sum:?}");
    }
}

#[test]
fn no_early_byte_is_delivered_twice_by_a_fleet_with_a_common_guard() {
    play(Guarding::Common);
}

#[test]
fn no_early_byte_is_delivered_twice_by_a_server_with_its_own_guard() {
    play(Guarding::Each);
}
