//! Pre-shared keys, tickets, early data and exporters: what is said of them, and what nobody looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::support::fake::{hello, x25519};
use crate::support::flow::*;
use crate::support::forge::*;
use crate::support::psk::{EARLY_DATA, EXTERNAL, MODES, Offered, PRE_SHARED_KEY, RESUMPTION, offer};
use crate::support::resumption::*;
use crate::support::*;
use symbolon::AlertCode;
use symbolon::codepoint::NamedGroup;
use symbolon::config::{ClientAuth, ClientConfig, ServerConfig};
use symbolon::conn::{Epoch, Offer, Resumed, SecretLabel};
use symbolon::crypto::{Aead, AeadKey, Failed, Nonce, Provider, Suite};
use symbolon::psk::{ExternalPsk, PskHash};
use symbolon::question::Question;

//= testvectors/requirements/rfc9846.txt#section-4.4.2
//= type=test
//# servers which are authenticating with an external PSK MUST NOT send the CertificateRequest message
//# in the main handshake or request post-handshake authentication
//= testvectors/requirements/rfc9846.txt#appendix-F.1
//= type=test
//# implementations MUST NOT combine external PSKs with certificate-based authentication of either the
//# client or server
#[test]
fn a_server_with_an_external_key_asks_for_no_certificate_and_shows_none() {
    let key = Arc::new(ExternalPsk::new(b"sensor 17", &[0x5A; 32], PskHash::Sha256).unwrap());
    let optional = ClientAuth::Optional { authorities: Vec::new() };
    let scene = Scene::of(AES128).serve(|b| b.suites(&[AES128]).client_auth(optional));
    scene.memory.edit().external = vec![key.clone()];
    let mut client = Puppet::new(scene.client(Offer::fresh().with_psks([key])), Role::Client);
    let mut server = Puppet::new(scene.server(), Role::Server);
    let recorded = record_pair(&mut client, &mut server);
    assert_eq!(server.party.summary.unwrap().resumed, Ok(Resumed::ExternalPsk));
    let kinds: Vec<u8> = recorded.server.iter().map(|message| message[0]).collect();
    assert_eq!(kinds[..3], [SERVER_HELLO, ENCRYPTED_EXTENSIONS, FINISHED]);
    assert!(kinds[3..].iter().all(|kind| *kind == TICKET));
    assert_eq!(recorded.client.last().unwrap()[0], FINISHED);
    assert_eq!(recorded.client.len(), 2);
}

/// A real AEAD that says how many of its keys there are, each of which seals so many records.
struct Watched {
    aead: &'static dyn Aead,
    records: u64,
    alive: Arc<AtomicUsize>,
}

struct WatchedKey(Box<dyn AeadKey>, Arc<AtomicUsize>);

impl Aead for Watched {
    fn key_len(&self) -> usize {
        self.aead.key_len()
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        self.alive.fetch_add(1, SeqCst);
        Ok(Box::new(WatchedKey(self.aead.key(key)?, Arc::clone(&self.alive))))
    }

    fn record_limit(&self) -> u64 {
        self.records
    }

    fn accelerated(&self) -> bool {
        self.aead.accelerated()
    }
}

impl AeadKey for WatchedKey {
    fn seal_in_place(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        body: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Result<(), Failed> {
        self.0.seal_in_place(nonce, aad, body, tag)
    }

    fn open_in_place(&self, nonce: &Nonce, aad: &[u8], body_and_tag: &mut [u8]) -> Result<usize, Failed> {
        self.0.open_in_place(nonce, aad, body_and_tag)
    }
}

impl Drop for WatchedKey {
    fn drop(&mut self) {
        self.1.fetch_sub(1, SeqCst);
    }
}

/// A provider with one suite, whose keys seal so many records, and how many of these keys there are.
fn watched(records: u64) -> (Provider, Arc<AtomicUsize>) {
    let alive = Arc::new(AtomicUsize::new(0));
    let aead = Box::leak(Box::new(Watched { aead: suite().aead, records, alive: Arc::clone(&alive) }));
    let suite: &'static Suite = Box::leak(Box::new(Suite { id: suite().id, hash: suite().hash, aead }));
    (Provider { suites: Box::leak(Box::new([suite])), ..provider() }, alive)
}

//= testvectors/requirements/rfc9846.txt#section-5.5
//= type=test
//# implementations MUST NOT exceed the limits when sending early data
#[test]
fn early_data_stops_before_the_limit_of_its_key() {
    let scene = Scene::early(AES128);
    let ticket = scene.ticket();
    let client =
        ClientConfig::builder(watched(5).0).groups(&[NamedGroup::X25519]).reveal_secrets().build().unwrap();
    let scene = Scene { client, ..scene };
    let mut pair = scene.pair(Offer::resume(ticket, NOW).with_early_data());
    let mut writer = pair.client.conn.early_writer().unwrap();
    let written: Vec<usize> =
        (0..6).map(|_| writer.write(&[b"early"], &mut pair.client.out).unwrap()).collect();
    // Of the five records two are kept for EndOfEarlyData and an alert.
    assert_eq!(written, [5, 5, 5, 0, 0, 0]);
    pair.run().unwrap();
    assert_eq!(pair.server.early, b"earlyearlyearly");
    assert!(pair.client.summary.is_some());
}

/// A ClientHello by hand that offers these keys; `change` comes before the binders.
fn offering(keys: &[Offered], change: impl FnOnce(&mut Hello)) -> Hello {
    let exchange = x25519().start(&*provider().rng).unwrap();
    let mut hello = hello(suite(), &*exchange);
    change(&mut hello);
    offer(&mut hello, keys);
    hello
}

//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# For identities established externally, an obfuscated_ticket_age of 0 SHOULD be used, and servers
//# MUST ignore the value.
#[test]
fn a_server_does_not_look_at_the_age_of_an_external_key() {
    let scene = Scene::of(AES128);
    scene.memory.edit().external =
        vec![Arc::new(ExternalPsk::new(b"sensor 17", &[0x5A; 32], PskHash::Sha256).unwrap())];
    for age in [0, 1, 0xDEAD_BEEF, u32::MAX] {
        let (identity, key) = (b"sensor 17".to_vec(), vec![0x5A; 32]);
        let offered = Offered { identity, age, key, label: EXTERNAL, hash: suite().hash };
        let mut server = Puppet::new(scene.server(), Role::Server);
        server.tell(Epoch::Plaintext, &offering(&[offered], |_| {}).write()).unwrap();
        assert_eq!(Hello::parse(&server.told()[0]).data(PRE_SHARED_KEY).unwrap(), &[0, 0], "{age}");
    }
}

//= testvectors/requirements/rfc9846.txt#section-8.2
//= type=test
//# The server MUST derive the storage key only from validated sections of the ClientHello.
#[test]
fn a_replay_guard_knows_a_flight_by_what_was_validated_alone() {
    let scene = Scene::early(AES128);
    scene.ticket();
    scene.memory.change(|session| session.server_name = None);
    let (identity, session) = scene.memory.only();
    let key = session.psk.expose().to_vec();
    let offered = Offered { identity, age: session.age_add, key, label: RESUMPTION, hash: suite().hash };
    let unknown = Offered { identity: b"of nobody".to_vec(), ..offered.clone() };
    let sent = offering(&[offered, unknown], |hello| hello.set(EARLY_DATA, &[]));
    let mut altered = sent.clone();
    // The binder of the key that is not selected is validated by nobody, and a replay may change it.
    *altered.extensions.last_mut().unwrap().1.last_mut().unwrap() ^= 1;
    for hello in [sent, altered] {
        Puppet::new(scene.server(), Role::Server).tell(Epoch::Plaintext, &hello.write()).unwrap();
    }
    let state = scene.memory.edit();
    assert_eq!(state.flights.len(), 2);
    assert_eq!(state.flights[0].id, state.flights[1].id);
}

//= testvectors/requirements/rfc9846.txt#section-4.7.1
//= type=test
//# Servers MUST NOT use any value greater than 604800 seconds (7 days).
#[test]
fn no_ticket_lives_longer_than_seven_days() {
    const SEVEN_DAYS: u32 = 604_800;
    for (lifetime, told) in
        [(60, 60), (SEVEN_DAYS, SEVEN_DAYS), (SEVEN_DAYS + 1, SEVEN_DAYS), (u32::MAX, SEVEN_DAYS)]
    {
        let scene = Scene::of(AES128);
        let mut client = Puppet::new(scene.client(Offer::fresh()), Role::Client);
        let mut server = Puppet::new(scene.server(), Role::Server);
        server.party.hold = vec!["SealTicket"];
        record_pair(&mut client, &mut server);
        let Some(Question::SealTicket(question)) = server.party.held.pop() else { panic!("a question") };
        let Party { conn, out, .. } = &mut server.party;
        conn.resume(question.sealed(b"ticket".to_vec(), lifetime), out).unwrap();
        let bytes = server.party.flush();
        server.hear(&bytes);
        let ticket = server.told().pop().unwrap();
        assert_eq!((ticket[0], &ticket[4..8]), (TICKET, &told.to_be_bytes()[..]));
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.7.1
//= type=test
//# implementations MUST use the value sent in the resumption ClientHello rather than the value sent in
//# the previous session
#[test]
fn a_resumed_connection_reports_the_name_in_its_own_hello() {
    let scene = Scene::of(AES128);
    let ticket = scene.ticket();
    scene.memory.change(|session| session.server_name = Some("EXAMPLE.Test".into()));
    let pair = scene.resume(ticket);
    let summary = pair.server.summary.unwrap();
    assert_eq!(summary.resumed, Ok(Resumed::Session));
    assert_eq!(summary.server_name.as_deref(), Some("example.test"));
}

//= testvectors/requirements/rfc9846.txt#appendix-E.3
//= type=test
//# A client that attempts to send 0-RTT data MUST fail a connection if it receives a ServerHello with
//# TLS 1.2 or older.
#[test]
fn a_client_with_early_data_ends_where_the_server_is_older() {
    let mut older = Hello::parse(&EARLY.record().server[0]);
    older.remove(43);
    let mut client = EARLY.client();
    let told = client.tell(Epoch::Plaintext, &older.write());
    client.refuses(told, AlertCode::PROTOCOL_VERSION, Epoch::Plaintext, "TLS 1.2 behind early data");
    assert!(client.party.conn.early_writer().is_none());
}

//= testvectors/requirements/rfc9846.txt#section-7.5
//= type=test
//# Implementations MUST use the exporter_secret unless explicitly specified by the application.
#[test]
fn what_is_exported_comes_from_the_exporter_secret() {
    for flow in [FULL, EARLY] {
        let (mut client, mut server) = (flow.client(), flow.server());
        record_pair(&mut client, &mut server);
        let secrets = &client.party.secrets;
        let (_, secret) = secrets.iter().find(|(label, _)| *label == SecretLabel::Exporter).unwrap();
        let hash = suite().hash;
        let derived = expand_label(hash, secret, "label", hash.hash(&[]).as_ref(), 32);
        let expected = expand_label(hash, &derived, "exporter", hash.hash(&[b"context"]).as_ref(), 32);
        let mut exported = [[0; 32]; 2];
        client.party.conn.exporter(b"label", b"context", &mut exported[0]).unwrap();
        server.party.conn.exporter(b"label", b"context", &mut exported[1]).unwrap();
        assert_eq!(exported.map(Vec::from), [expected.clone(), expected], "{flow:?}");
    }
}

//= testvectors/requirements/rfc9846.txt#section-6
//= type=test
//# Servers and clients MUST forget the secret values and keys established in failed connections
#[test]
fn a_connection_that_failed_has_no_keys_any_more() {
    let garbage = record(DATA, &[0; 32]);
    for at_handshake in [true, false] {
        let ((own, of_client), (theirs, of_server)) = (watched(1000), watched(1000));
        let client = ClientConfig::builder(own).build().unwrap();
        let server = ServerConfig::builder(theirs).credential(p256()).build().unwrap();
        let mut pair = Pair::new(&client, &server);
        if at_handshake {
            pair.server.inbox = pair.client.flush();
            pair.server.run().unwrap();
        } else {
            pair.run().unwrap();
        }
        assert_eq!(of_server.load(SeqCst), 2, "one for each direction");
        pair.server.inbox = garbage.clone();
        assert_eq!(pair.server.run().unwrap_err().alert(), Some(AlertCode::BAD_RECORD_MAC));
        assert_eq!(of_server.load(SeqCst), 0, "behind an error of its own");
        pair.client.inbox = pair.server.flush();
        assert!(pair.client.run().is_err());
        assert_eq!(of_client.load(SeqCst), 0, "behind an alert of the peer");
        drop(pair);
    }
}

//= testvectors/requirements/rfc9846.txt#section-9.2
//= type=test
//# If containing a "supported_groups" extension, it MUST also contain a "key_share" extension, and vice
//# versa.
#[test]
fn groups_and_shares_need_each_other_also_where_a_key_goes_without() {
    let scene = Scene::of(AES128).serve(|b| b.suites(&[AES128]).psk_ke());
    scene.memory.edit().external =
        vec![Arc::new(ExternalPsk::new(b"sensor 17", &[0x5A; 32], PskHash::Sha256).unwrap())];
    let (identity, key) = (b"sensor 17".to_vec(), vec![0x5A; 32]);
    let offered = Offered { identity, age: 0, key, label: EXTERNAL, hash: suite().hash };
    let told = |removed: &[u16]| {
        let hello = offering(std::slice::from_ref(&offered), |hello| {
            hello.set(MODES, &[1, 0]);
            removed.iter().for_each(|kind| hello.remove(*kind));
        });
        let mut server = Puppet::new(scene.server(), Role::Server);
        let told = server.tell(Epoch::Plaintext, &hello.write());
        (server, told)
    };
    // supported_groups, key_share
    told(&[]).1.unwrap();
    told(&[10, 51]).1.unwrap();
    for alone in [10, 51] {
        let (mut server, told) = told(&[alone]);
        server.refuses(told, AlertCode::MISSING_EXTENSION, Epoch::Plaintext, "one without the other");
    }
}
