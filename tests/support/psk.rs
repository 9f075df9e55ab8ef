//! Pre-shared keys by hand (RFC 9846 sections 4.3.11.2 and 7.1): binders, early keys and Finished, on HMAC alone.
#![allow(dead_code)] // no test uses everything

use super::fake::{hello, share, x25519};
use super::forge::*;
use super::resumption::Scene;
use super::*;
use symbolon::codepoint::NamedGroup;
use symbolon::conn::{Epoch, SecretLabel};
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

/// A server that got a ClientHello by hand, with a ticket of its own; the handshake goes on by hand too.
pub struct ByHand {
    pub server: Puppet<Server>,
    /// The ClientHello.
    pub hello: Vec<u8>,
    /// The client's keys of early data.
    pub early: Lane,
    /// What the client said behind its ClientHello, in the transcript's sense.
    pub said: Vec<u8>,
}

impl ByHand {
    /// Offers the only ticket that the scene's server gave, and early data; `change` comes before the binder.
    pub fn offer(scene: &Scene, change: impl FnOnce(&mut Hello, &mut Offered)) -> Self {
        let mut by_hand = Self::ready(scene, change);
        let hello = by_hand.hello.clone();
        by_hand.server.tell(Epoch::Plaintext, &hello).unwrap();
        by_hand
    }

    /// The same with the ClientHello still unsent.
    pub fn ready(scene: &Scene, change: impl FnOnce(&mut Hello, &mut Offered)) -> Self {
        scene.memory.change(|session| session.server_name = None);
        let (identity, session) = scene.memory.only();
        let suite = provider().suite(session.suite).unwrap();
        let key = session.psk.expose().to_vec();
        let age = session.age_add;
        let mut offered = Offered { identity, age, key, label: RESUMPTION, hash: suite.hash };
        let exchange = x25519().start(&*provider().rng).unwrap();
        let mut hello = hello(suite, &*exchange);
        hello.set(EARLY_DATA, &[]);
        change(&mut hello, &mut offered);
        offer(&mut hello, &[offered.clone()]);
        let hello = hello.write();
        let early = early_lane(suite, &offered.key, &hello);
        let mut server = Puppet::new(scene.server(), Role::Server);
        server.suite = suite;
        Self { server, hello, early, said: Vec::new() }
    }

    /// Sends a record of early data.
    pub fn early(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let record = self.early.seal(DATA, bytes);
        self.server.feed(&record)
    }

    /// Sends EndOfEarlyData.
    pub fn end(&mut self) -> Result<(), Error> {
        let end = message(END_OF_EARLY_DATA, &[]);
        self.said.extend(&end);
        let record = self.early.seal(HANDSHAKE, &end);
        self.server.feed(&record)
    }

    /// The Finished that is due now.
    pub fn finished(&self) -> Vec<u8> {
        let transcript =
            [&self.hello, &self.server.told().concat(), &self.said].map(|part| &part[..]).concat();
        finished(&self.server.party, self.server.suite, SecretLabel::ClientHandshakeTraffic, &transcript)
    }

    /// Sends Finished.
    pub fn finish(&mut self) -> Result<(), Error> {
        let finished = self.finished();
        self.server.tell(Epoch::Handshake, &finished)
    }
}

/// A ServerHello by hand, which takes the key at `index`.
pub fn server_hello(client_hello: &Hello, suite: &Suite, index: Option<u16>) -> Hello {
    let exchange = x25519().start(&*provider().rng).unwrap();
    let (group, public) = exchange.shares()[0].unwrap();
    assert_eq!(group, NamedGroup::X25519);
    let mut extensions = vec![(43, vec![3, 4]), (51, share(group, public))];
    extensions.extend(index.map(|index| (PRE_SHARED_KEY, index.to_be_bytes().to_vec())));
    Hello {
        kind: SERVER_HELLO,
        random: [0x33; 32],
        suites: suite.id.0.to_be_bytes().to_vec(),
        compression: vec![0],
        extensions,
        ..client_hello.clone()
    }
}

/// EncryptedExtensions with these extensions.
pub fn encrypted_extensions(list: &[(u16, &[u8])]) -> Vec<u8> {
    let block: Vec<u8> = list.iter().flat_map(|(kind, data)| extension(*kind, data)).collect();
    message(ENCRYPTED_EXTENSIONS, &vector(2, &block))
}
