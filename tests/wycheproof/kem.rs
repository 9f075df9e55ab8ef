//! ML-KEM-768 inside of X25519MLKEM768: the replaying `Rng` gives the seeds, an X25519 key stands beside them.

use serde::Deserialize;
use symbolon::codepoint::NamedGroup;
use symbolon::crypto::{Exchange, Provider};

use crate::vectors::{Hex, Replay, Tally, Verdict, load};

const X25519_PRIVATE: [u8; 32] = [0x42; 32];
/// Any point of large order will do: this is the base point.
const X25519_PEER: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 9;
    point
};

#[derive(Deserialize)]
struct Group<C> {
    tests: Vec<C>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decapsulation {
    tc_id: u32,
    seed: Hex,
    #[serde(default)]
    ek: Hex,
    c: Hex,
    #[serde(default, rename = "K")]
    secret: Hex,
    result: Verdict,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyGeneration {
    tc_id: u32,
    seed: Hex,
    ek: Hex,
    result: Verdict,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Encapsulation {
    tc_id: u32,
    m: Hex,
    ek: Hex,
    #[serde(default)]
    c: Hex,
    #[serde(default, rename = "K")]
    secret: Hex,
    result: Verdict,
}

pub fn run(provider: &Provider) {
    decapsulation(provider);
    key_generation(provider);
    encapsulation(provider);
}

fn decapsulation(provider: &Provider) {
    let mut tally = Tally::new("mlkem_768_test");
    for case in
        load::<Group<Decapsulation>>("mlkem_768_test").groups.into_iter().flat_map(|group| group.tests)
    {
        // A seed of another length cannot be expressed: the group itself draws 64 bytes.
        if case.seed.len() != 64 {
            continue;
        }
        let exchange = start(provider, &case.seed);
        let key_matches = kem_share(&*exchange) == &case.ek[..];
        let peer = [&case.c[..], &X25519_PEER].concat();
        let secret = exchange.complete(NamedGroup::X25519MLKEM768, &peer);
        let outcome = secret.map(|secret| key_matches && secret.expose()[..32] == case.secret[..]);
        tally.attempt(case.tc_id, case.result == Verdict::Valid, outcome);
    }
    tally.finish(173);
}

fn key_generation(provider: &Provider) {
    let mut tally = Tally::new("mlkem_768_keygen_seed_test");
    let file = load::<Group<KeyGeneration>>("mlkem_768_keygen_seed_test");
    for case in file.groups.into_iter().flat_map(|group| group.tests) {
        let exchange = start(provider, &case.seed);
        tally.case(case.tc_id, case.result == Verdict::Valid, kem_share(&*exchange) == &case.ek[..]);
    }
    tally.finish(100);
}

fn encapsulation(provider: &Provider) {
    let mut tally = Tally::new("mlkem_768_encaps_test");
    let group = provider.group(NamedGroup::X25519MLKEM768).unwrap();
    let file = load::<Group<Encapsulation>>("mlkem_768_encaps_test");
    for case in file.groups.into_iter().flat_map(|group| group.tests) {
        let peer = [&case.ek[..], &X25519_PEER].concat();
        let response = group.respond(&Replay::new(&[&case.m, &X25519_PRIVATE]), &peer);
        let outcome = response.map(|response| {
            response.share[..1088] == case.c[..] && response.secret.expose()[..32] == case.secret[..]
        });
        tally.attempt(case.tc_id, case.result == Verdict::Valid, outcome);
    }
    tally.finish(265);
}

fn start(provider: &Provider, seed: &[u8]) -> Box<dyn Exchange> {
    let group = provider.group(NamedGroup::X25519MLKEM768).unwrap();
    group.start(&Replay::new(&[seed, &X25519_PRIVATE])).unwrap()
}

fn kem_share(exchange: &dyn Exchange) -> &[u8] {
    let [Some((NamedGroup::X25519MLKEM768, share)), _] = exchange.shares() else { panic!("no hybrid share") };
    &share[..1184]
}
