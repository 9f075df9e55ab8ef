//! Key exchange groups.

use symbolon::codepoint::NamedGroup;
use symbolon::crypto::{Failed, Group, Provider, Rng};

const NIST: [(NamedGroup, usize); 2] = [(NamedGroup::SECP256R1, 32), (NamedGroup::SECP384R1, 48)];

/// A source that has run dry.
pub struct Dry;

impl Rng for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), Failed> {
        Err(Failed::Provider)
    }
}

struct Zeros;

impl Rng for Zeros {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        out.fill(0);
        Ok(())
    }
}

pub fn both_sides_agree_in_every_group(provider: &Provider) {
    for group in provider.groups {
        let exchange = group.start(&*provider.rng).unwrap();
        let [Some((id, share)), _] = exchange.shares() else { panic!("no share") };
        assert_eq!(id, group.id());
        let response = group.respond(&*provider.rng, share).unwrap();
        let secret = exchange.complete(id, &response.share).unwrap();
        assert!(secret.len() >= 32);
        assert!(secret.matches(response.secret.expose()), "{id}");
    }
}

/// A scalar of zero is drawn again, and a source that gives nothing else is given up.
pub fn a_key_of_zeros_is_refused(provider: &Provider) {
    for (id, _) in NIST {
        assert_eq!(group(provider, id).start(&Zeros).err(), Some(Failed::Provider));
    }
}

pub fn an_all_zero_x25519_secret_is_refused(provider: &Provider) {
    refused(provider, NamedGroup::X25519, &[0; 32]);
    let mut one = [0; 32];
    one[0] = 1;
    refused(provider, NamedGroup::X25519, &one);

    let exchange = group(provider, NamedGroup::X25519MLKEM768).start(&*provider.rng).unwrap();
    let share = share_of(&*exchange, NamedGroup::X25519MLKEM768);
    let zeroed = [&share[..1184], &[0; 32]].concat();
    refused(provider, NamedGroup::X25519MLKEM768, &zeroed);
    let answer = [&[1; 1088][..], &[0; 32]].concat();
    assert_eq!(exchange.complete(NamedGroup::X25519MLKEM768, &answer).err(), Some(Failed::Input));
}

pub fn a_compressed_point_is_refused(provider: &Provider) {
    for (id, len) in NIST {
        let exchange = group(provider, id).start(&*provider.rng).unwrap();
        let point = share_of(&*exchange, id);
        let parity = 2 + (point[2 * len] & 1);
        let compressed = [&[parity], &point[1..=len]].concat();
        refused(provider, id, &compressed);
        // The hybrid form of SEC 1 is as long as the uncompressed one.
        let hybrid = [&[parity + 4], &point[1..]].concat();
        refused(provider, id, &hybrid);
    }
}

pub fn a_point_not_on_the_curve_is_refused(provider: &Provider) {
    for (id, len) in NIST {
        let exchange = group(provider, id).start(&*provider.rng).unwrap();
        let mut point = share_of(&*exchange, id);
        point[2 * len] ^= 1;
        refused(provider, id, &point);
        let mut out_of_range = vec![0xFF; 1 + 2 * len];
        out_of_range[0] = 4;
        refused(provider, id, &out_of_range);
        // The point at infinity.
        refused(provider, id, &[0]);
        let mut origin = vec![0; 1 + 2 * len];
        origin[0] = 4;
        refused(provider, id, &origin);
    }
}

pub fn a_share_of_another_length_is_refused(provider: &Provider) {
    for group in provider.groups {
        let exchange = group.start(&*provider.rng).unwrap();
        let share = share_of(&*exchange, group.id());
        refused(provider, group.id(), &[]);
        refused(provider, group.id(), &share[..share.len() - 1]);
        refused(provider, group.id(), &[&share[..], &[0]].concat());
    }
}

pub fn the_hybrid_offers_its_x25519_key_alone_too(provider: &Provider) {
    let exchange = group(provider, NamedGroup::X25519MLKEM768).start(&*provider.rng).unwrap();
    let [Some((NamedGroup::X25519MLKEM768, both)), Some((NamedGroup::X25519, alone))] = exchange.shares()
    else {
        panic!("other shares than the hybrid and X25519");
    };
    assert_eq!(both.len(), 1184 + 32);
    assert_eq!(&both[1184..], alone);
    let response = group(provider, NamedGroup::X25519).respond(&*provider.rng, alone).unwrap();
    let secret = exchange.complete(NamedGroup::X25519, &response.share).unwrap();
    assert_eq!(secret.len(), 32);
    assert!(secret.matches(response.secret.expose()));
}

pub fn the_hybrid_puts_ml_kem_first(provider: &Provider) {
    let exchange = group(provider, NamedGroup::X25519MLKEM768).start(&*provider.rng).unwrap();
    let share = share_of(&*exchange, NamedGroup::X25519MLKEM768);
    let response = group(provider, NamedGroup::X25519MLKEM768).respond(&*provider.rng, &share).unwrap();
    assert_eq!(response.share.len(), 1088 + 32);
    // Without the ML-KEM part, what is left of the secret is what X25519 gives.
    let secret = exchange.complete(NamedGroup::X25519, &response.share[1088..]).unwrap();
    assert_eq!(response.secret.len(), 64);
    assert_eq!(secret.expose(), &response.secret.expose()[32..]);
}

pub fn the_hybrid_checks_the_modulus(provider: &Provider) {
    let exchange = group(provider, NamedGroup::X25519MLKEM768).start(&*provider.rng).unwrap();
    let mut share = share_of(&*exchange, NamedGroup::X25519MLKEM768);
    // The first coefficient becomes 4095, above the modulus 3329.
    share[0] = 0xFF;
    share[1] |= 0x0F;
    refused(provider, NamedGroup::X25519MLKEM768, &share);
}

pub fn another_group_cannot_be_chosen(provider: &Provider) {
    for group in provider.groups {
        let exchange = group.start(&*provider.rng).unwrap();
        assert_eq!(exchange.complete(NamedGroup::X448, &[1; 56]).err(), Some(Failed::Provider));
    }
}

pub fn a_source_without_entropy_is_reported(provider: &Provider) {
    for group in provider.groups {
        let exchange = group.start(&*provider.rng).unwrap();
        let share = share_of(&*exchange, group.id());
        assert_eq!(group.start(&Dry).err(), Some(Failed::Provider));
        assert_eq!(group.respond(&Dry, &share).err(), Some(Failed::Provider));
    }
}

fn group(provider: &Provider, id: NamedGroup) -> &'static dyn Group {
    provider.group(id).unwrap()
}

fn share_of(exchange: &dyn symbolon::crypto::Exchange, id: NamedGroup) -> Vec<u8> {
    let mut shares = exchange.shares().into_iter().flatten();
    shares.find(|(group, _)| *group == id).map(|(_, share)| share.to_vec()).unwrap()
}

/// The client's share as a server sees it, and the same bytes as a server's share.
fn refused(provider: &Provider, id: NamedGroup, share: &[u8]) {
    let group = group(provider, id);
    assert_eq!(group.respond(&*provider.rng, share).err(), Some(Failed::Input));
    let exchange = group.start(&*provider.rng).unwrap();
    assert_eq!(exchange.complete(id, share).err(), Some(Failed::Input));
}
