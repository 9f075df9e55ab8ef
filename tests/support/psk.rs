//! Pre-shared keys by hand (RFC 9846 sections 4.3.11.2 and 7.1): binders, early keys and Finished, on HMAC alone.
#![allow(dead_code)] // no test uses everything

use super::forge::*;
use super::*;
use symbolon::conn::SecretLabel;
use symbolon::crypto::{Hash, Suite};

pub const RESUMPTION: &str = "res binder";
pub const EXTERNAL: &str = "ext binder";
pub const IMPORTED: &str = "imp binder";

/// The number of pre_shared_key.
pub const PRE_SHARED_KEY: u16 = 41;
/// The number of early_data.
pub const EARLY_DATA: u16 = 42;
/// The number of psk_key_exchange_modes.
pub const MODES: u16 = 45;

/// A key that a ClientHello by hand offers.
#[derive(Clone)]
pub struct Offered {
    pub identity: Vec<u8>,
    pub age: u32,
    pub key: Vec<u8>,
    pub label: &'static str,
    pub hash: &'static dyn Hash,
}

pub fn mac(hash: &dyn Hash, key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0; hash.output_len()];
    hash.hmac(key, &[bytes], &mut out).unwrap();
    out
}

fn expand(hash: &dyn Hash, secret: &[u8], label: &str, context: &[u8]) -> Vec<u8> {
    expand_label(hash, secret, label, context, hash.output_len())
}

pub fn early_secret(hash: &dyn Hash, key: &[u8]) -> Vec<u8> {
    mac(hash, &vec![0; hash.output_len()], key)
}

/// The binder over `covered`: all messages before, and the ClientHello without its binders.
pub fn binder(offered: &Offered, covered: &[u8]) -> Vec<u8> {
    let hash = offered.hash;
    let early = early_secret(hash, &offered.key);
    let base = expand(hash, &early, offered.label, hash.hash(&[]).as_ref());
    let finished = expand(hash, &base, "finished", b"");
    mac(hash, &finished, hash.hash(&[covered]).as_ref())
}

/// The content of pre_shared_key.
pub fn pre_shared_key(identities: &[(Vec<u8>, u32)], binders: &[Vec<u8>]) -> Vec<u8> {
    let identities: Vec<u8> = identities
        .iter()
        .flat_map(|(identity, age)| [vector(2, identity), age.to_be_bytes().to_vec()].concat())
        .collect();
    let binders: Vec<u8> = binders.iter().flat_map(|binder| vector(1, binder)).collect();
    [vector(2, &identities), vector(2, &binders)].concat()
}

/// Adds pre_shared_key at the end of `hello`, with right binders; `before` is what the transcript holds already.
pub fn offer_after(before: &[u8], hello: &mut Hello, keys: &[Offered]) {
    hello.remove(PRE_SHARED_KEY);
    if hello.data(MODES).is_none() {
        hello.set(MODES, &[1, 1]);
    }
    let identities: Vec<(Vec<u8>, u32)> = keys.iter().map(|key| (key.identity.clone(), key.age)).collect();
    let blank: Vec<Vec<u8>> = keys.iter().map(|key| vec![0; key.hash.output_len()]).collect();
    hello.set(PRE_SHARED_KEY, &pre_shared_key(&identities, &blank));
    let whole = hello.write();
    let behind: usize = 2 + blank.iter().map(|binder| 1 + binder.len()).sum::<usize>();
    let covered = [before, &whole[..whole.len() - behind]].concat();
    let binders: Vec<Vec<u8>> = keys.iter().map(|key| binder(key, &covered)).collect();
    hello.set(PRE_SHARED_KEY, &pre_shared_key(&identities, &binders));
}

pub fn offer(hello: &mut Hello, keys: &[Offered]) {
    offer_after(&[], hello, keys);
}

/// The keys of early data behind this ClientHello.
pub fn early_lane(suite: &'static Suite, key: &[u8], hello: &[u8]) -> Lane {
    let early = early_secret(suite.hash, key);
    Lane::new(suite, &expand(suite.hash, &early, "c e traffic", suite.hash.hash(&[hello]).as_ref()))
}

/// A Finished message behind `transcript`, under a secret that the connection revealed.
pub fn finished<E>(party: &Party<E>, suite: &Suite, label: SecretLabel, transcript: &[u8]) -> Vec<u8> {
    let (_, secret) = party.secrets.iter().find(|(found, _)| *found == label).expect("revealed");
    let key = expand(suite.hash, secret, "finished", b"");
    message(FINISHED, &mac(suite.hash, &key, suite.hash.hash(&[transcript]).as_ref()))
}
