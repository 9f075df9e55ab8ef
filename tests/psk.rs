//! External pre-shared keys (RFC 9257) and imported ones (RFC 9258).
#![cfg(feature = "rustcrypto")]

mod support;

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384};
use support::fake::{FakeClient, Schedule};
use support::forge::{HANDSHAKE, Hello, Puppet, Role, message, p256, record, vector};
use support::psk::{EXTERNAL, IMPORTED, MODES, Offered, RESUMPTION, offer, offer_after};
use support::resumption::*;
use support::*;
use symbolon::AlertCode;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::config::{ClientAuth, StatelessRetry};
use symbolon::conn::{Epoch, NoEarlyData, NotResumed, Offer, Resumed, Server};
use symbolon::crypto::{Hash, Suite};
use symbolon::identity::Identity;
use symbolon::psk::{ExternalPsk, PskError, PskHash};
use symbolon::question::{KnownPsk, Question};

const KEY: [u8; 32] = [0x5A; 32];

fn external(identity: &[u8], hash: PskHash) -> Arc<ExternalPsk> {
    Arc::new(ExternalPsk::new(identity, &KEY, hash).unwrap())
}

fn imported(identity: &[u8], context: &[u8]) -> Vec<Arc<ExternalPsk>> {
    let keys = ExternalPsk::import(&provider(), identity, &KEY, context, PskHash::Sha256).unwrap();
    keys.into_iter().map(Arc::new).collect()
}

/// Both sides with this suite; the server knows `keys`.
fn knowing(suite: CipherSuite, keys: impl IntoIterator<Item = Arc<ExternalPsk>>) -> Scene {
    let scene = Scene::of(suite);
    scene.memory.edit().external = keys.into_iter().collect();
    scene
}

const BY_KEY: Result<Resumed, NotResumed> = Ok(Resumed::ExternalPsk);

#[test]
fn an_external_key_authenticates_both_sides_and_certifies_neither() {
    for (suite, hash) in [(AES128, PskHash::Sha256), (AES256, PskHash::Sha384)] {
        let key = external(b"sensor 17", hash);
        let scene = knowing(suite, [key.clone()]);
        let mut pair = scene.connect(Offer::fresh().with_psks([key]));
        for summary in [&pair.client.summary, &pair.server.summary] {
            let summary = summary.as_ref().unwrap();
            assert_eq!(summary.resumed, BY_KEY);
            let peer = summary.peer.as_ref().unwrap();
            assert_eq!(peer.identity.to_string(), "psk:sensor 17");
            assert!(peer.chain.is_empty());
            assert!(summary.signature.is_none());
        }
        assert!(pair.client.answers.asked.is_empty());
        assert_eq!(pair.server.answers.asked, ["LookupPsk", "SealTicket"]);
        pair.send_up(b"up");
        pair.send_down(b"down");
    }
}

#[test]
fn a_key_of_the_right_hash_is_used_with_a_suite_that_both_sides_have() {
    let key = external(b"sensor 17", PskHash::Sha256);
    let scene = Scene::new(|b| b.suites(&[CHACHA]), |b| b.suites(&[AES128, CHACHA]));
    scene.memory.edit().external = vec![key.clone()];
    let pair = scene.connect(Offer::fresh().with_psks([key]));
    let summary = pair.client.summary.unwrap();
    assert_eq!((summary.suite, summary.resumed), (CHACHA, BY_KEY));
}

#[test]
fn a_session_of_an_external_key_keeps_its_identity() {
    let key = external(b"sensor 17", PskHash::Sha256);
    let scene = knowing(AES128, [key.clone()]);
    let mut first = scene.connect(Offer::fresh().with_psks([key.clone()]));
    let ticket = first.client.tickets.remove(0).received(NOW);
    let pair = scene.connect(Offer::resume(ticket, NOW).with_psks([key]));
    for summary in [pair.client.summary, pair.server.summary] {
        let summary = summary.unwrap();
        assert_eq!(summary.resumed, Ok(Resumed::Session));
        assert_eq!(summary.peer.unwrap().identity.to_string(), "psk:sensor 17");
    }
}

#[test]
fn a_session_of_an_external_key_is_not_offered_without_the_key() {
    let key = external(b"sensor 17", PskHash::Sha256);
    let scene = knowing(AES128, [key.clone()]);
    for others in [vec![], vec![external(b"sensor 18", PskHash::Sha256)]] {
        let mut first = scene.connect(Offer::fresh().with_psks([key.clone()]));
        let ticket = first.client.tickets.remove(0).received(NOW);
        let pair = scene.connect(Offer::resume(ticket, NOW).with_psks(others.clone()));
        let summary = pair.client.summary.unwrap();
        let why = if others.is_empty() { NotResumed::PolicyChanged } else { NotResumed::Declined };
        assert_eq!(summary.resumed, Err(why));
        assert!(!matches!(summary.peer.unwrap().identity, Identity::Psk { .. }));
    }
}

#[test]
fn whoever_was_known_by_an_external_key_is_not_verified_again() {
    let key = external(b"sensor 17", PskHash::Sha256);
    let scene = Scene::new(|b| b.verify_resumed_peers(), |b| b.verify_resumed_peers());
    scene.memory.edit().external = vec![key.clone()];
    let mut first = scene.connect(Offer::fresh().with_psks([key.clone()]));
    let ticket = first.client.tickets.remove(0).received(NOW);
    let pair = scene.connect(Offer::resume(ticket, NOW).with_psks([key]));
    assert_eq!(pair.client.answers.asked, [""; 0]);
    assert_eq!(pair.server.answers.asked, ["LookupPsk", "SealTicket"]);
    assert_eq!(pair.server.summary.unwrap().resumed, Ok(Resumed::Session));
}

//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# For identities established externally, an obfuscated_ticket_age of 0 SHOULD be used
#[test]
fn the_age_of_an_external_key_is_0() {
    let key = external(b"k", PskHash::Sha256);
    let scene = knowing(AES128, [key.clone()]);
    scene.connect(Offer::fresh().with_psks([key]));
    assert_eq!(scene.memory.edit().offered[0][0].obfuscated_ticket_age, 0);
}

#[test]
fn the_first_key_that_the_server_knows_is_taken_whatever_order_it_finds_them_in() {
    let keys: Vec<_> = (0..200_u8).map(|n| external(&[n], PskHash::Sha256)).collect();
    let known = [keys[150].clone(), keys[120].clone(), keys[199].clone()];
    let scene = knowing(AES128, known.clone());
    let mut pair = scene.pair(Offer::fresh().with_psks(keys));
    pair.server.hold = vec!["LookupPsk"];
    pair.run().unwrap();
    // Found late, and in another order.
    let Some(Question::LookupPsk(question)) = pair.server.held.pop() else { panic!("no question") };
    assert_eq!(question.identities().len(), 200);
    assert_eq!(question.server_name(), Some("example.test"));
    let at = [150, 120, 199];
    let found = at.into_iter().zip(known).map(|(at, key)| (at, KnownPsk::External(key))).collect();
    let answer = question.known(found, NOW, NotResumed::Unknown);
    pair.server.conn.resume(answer, &mut pair.server.out).unwrap();
    pair.run().unwrap();
    assert_eq!(pair.client.summary.unwrap().peer.unwrap().identity.to_string(), "psk:x");
    assert_eq!(pair.server.summary.unwrap().peer.unwrap().identity.to_string(), "psk:x");
}

#[test]
fn a_ticket_goes_before_external_keys() {
    let key = external(b"k", PskHash::Sha256);
    let scene = knowing(AES128, [key.clone()]);
    let ticket = scene.ticket();
    let pair = scene.connect(Offer::resume(ticket, NOW).with_psks([key.clone()]));
    assert_eq!(pair.server.summary.unwrap().resumed, Ok(Resumed::Session));
    // One that the server forgot gives way to the key behind it.
    let ticket = scene.ticket();
    scene.memory.edit().sessions.clear();
    let pair = scene.connect(Offer::resume(ticket, NOW).with_psks([key]));
    assert_eq!(pair.server.summary.unwrap().resumed, BY_KEY);
}

#[test]
fn a_place_that_no_identity_has_is_none() {
    let key = external(b"k", PskHash::Sha256);
    let scene = knowing(AES128, []);
    let mut pair = scene.pair(Offer::fresh().with_psks([key.clone()]));
    pair.server.hold = vec!["LookupPsk"];
    pair.run().unwrap();
    let Some(Question::LookupPsk(question)) = pair.server.held.pop() else { panic!("no question") };
    let found = [1, 70_000, usize::MAX].map(|at| (at, KnownPsk::External(key.clone()))).into();
    let answer = question.known(found, NOW, NotResumed::Revoked);
    pair.server.conn.resume(answer, &mut pair.server.out).unwrap();
    pair.run().unwrap();
    assert_eq!(pair.server.summary.unwrap().resumed, Err(NotResumed::Unknown));
}

//= testvectors/requirements/rfc9846.txt#section-2.2
//= type=test
//# the PSK identity and the KDF hash algorithm to be used with the PSK MUST also be provisioned.
//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# For externally established PSKs, the Hash algorithm MUST be set when the PSK is established or default
//# to SHA-256 if no such algorithm is defined.
//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# The server MUST ensure that it selects a compatible PSK (if any) and cipher suite.
#[test]
fn a_key_of_another_hash_is_not_taken() {
    let keys = [external(b"256", PskHash::Sha256), external(b"384", PskHash::Sha384)];
    for (suite, taken) in [(AES128, b"256"), (AES256, b"384")] {
        let scene = Scene::new(|b| b, |b| b.suites(&[suite]));
        scene.memory.edit().external = keys.to_vec();
        let pair = scene.connect(Offer::fresh().with_psks(keys.clone()));
        assert_eq!(scene.memory.edit().offered[0].len(), 2);
        assert_eq!(
            pair.server.summary.unwrap().peer.unwrap().identity.to_string(),
            format!("psk:{}", taken.escape_ascii())
        );
    }
    let scene = Scene::new(|b| b, |b| b.suites(&[AES256]));
    scene.memory.edit().external = keys[..1].to_vec();
    let pair = scene.connect(Offer::fresh().with_psks(keys[..1].to_vec()));
    assert_eq!(pair.server.summary.unwrap().resumed, Err(NotResumed::NoCommonSuite));
    // A client does not offer what none of its own suites can use.
    let scene = knowing(AES256, keys.clone());
    let pair = scene.connect(Offer::fresh().with_psks(keys[..1].to_vec()));
    assert_eq!(pair.client.summary.unwrap().resumed, Err(NotResumed::NotOffered));
}

#[test]
fn a_wrong_key_is_a_decrypt_error_and_not_a_full_handshake() {
    // RFC 9846 section 4.3.11: "If this value is not present or does not validate, the server MUST abort the handshake."
    let scene = knowing(AES128, [external(b"k", PskHash::Sha256)]);
    let other = Arc::new(ExternalPsk::new(b"k", &[1; 32], PskHash::Sha256).unwrap());
    let mut pair = scene.pair(Offer::fresh().with_psks([other]));
    assert_eq!(pair.run().unwrap_err().alert(), Some(AlertCode::DECRYPT_ERROR));
    assert!(pair.server.summary.is_none());
    assert_eq!(pair.server.answers.asked, ["LookupPsk"]);
}

#[test]
fn a_server_with_keys_alone_needs_a_known_one() {
    let key = external(b"k", PskHash::Sha256);
    let scene = knowing(AES128, [key.clone()]).serve(|b| b.psk_only());
    let mut first = scene.connect(Offer::fresh().with_psks([key.clone()]));
    let ticket = first.client.tickets.remove(0).received(NOW);
    let pair = scene.connect(Offer::resume(ticket, NOW).with_psks([key]));
    assert_eq!(pair.server.summary.unwrap().resumed, Ok(Resumed::Session));
    for offer in [Offer::fresh(), Offer::fresh().with_psks([external(b"other", PskHash::Sha256)])] {
        let mut pair = scene.pair(offer);
        assert_eq!(pair.run().unwrap_err().alert(), Some(AlertCode::UNKNOWN_PSK_IDENTITY));
        pair.client.inbox = pair.server.flush();
        assert_eq!(pair.client.run(), Err(symbolon::Error::Alert(AlertCode::UNKNOWN_PSK_IDENTITY)));
    }
}

#[test]
fn a_required_certificate_is_not_replaced_by_an_external_key() {
    let key = external(b"k", PskHash::Sha256);
    let required = || ClientAuth::Required { authorities: vec![] };
    let scene = knowing(AES128, [key.clone()]).serve(|b| b.client_auth(required()));
    let mut pair = scene.pair(Offer::fresh().with_psks([key.clone()]));
    assert_eq!(pair.run().unwrap_err().alert(), Some(AlertCode::CERTIFICATE_REQUIRED));
    let scene = Scene { credential: Some(p256()), ..scene };
    let pair = scene.connect(Offer::fresh().with_psks([key.clone()]));
    let summary = pair.server.summary.unwrap();
    assert_eq!(summary.resumed, Err(NotResumed::NoClientCertificate));
    assert!(!matches!(summary.peer.unwrap().identity, Identity::Psk { .. }));
    // With keys alone, nobody can satisfy it.
    let scene = scene.serve(|b| b.psk_only().client_auth(required()));
    let mut pair = scene.pair(Offer::fresh().with_psks([key]));
    assert_eq!(pair.run().unwrap_err().alert(), Some(AlertCode::UNKNOWN_PSK_IDENTITY));
}

#[test]
fn on_the_way_to_required_certificates_an_external_key_counts_as_none() {
    let key = external(b"k", PskHash::Sha256);
    for (mode, anonymous) in [(ClientAuth::Off, false), (ClientAuth::Migrating { authorities: vec![] }, true)]
    {
        let scene = knowing(AES128, [key.clone()]).serve(|b| b.client_auth(mode.clone()));
        let pair = scene.connect(Offer::fresh().with_psks([key.clone()]));
        assert_eq!(pair.server.summary.unwrap().anonymous, anonymous);
    }
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    let new = |identity: &[u8], key: &[u8]| ExternalPsk::new(identity, key, PskHash::Sha256).map(|_| ());
    assert_eq!(new(b"", &KEY), Err(PskError::Identity));
    assert_eq!(new(&[1; 65_001], &KEY), Err(PskError::Identity));
    assert_eq!(new(b"k", &KEY[..15]), Err(PskError::Key));
    assert_eq!(new(b"k", &[1; 1025]), Err(PskError::Key));
    assert_eq!(new(&[1; 65_000], &KEY[..16]), Ok(()));
    let import = |identity: &[u8], context: &[u8]| {
        ExternalPsk::import(&provider(), identity, &KEY, context, PskHash::Sha256).map(|_| ())
    };
    assert_eq!(import(b"", b""), Err(PskError::Identity));
    assert_eq!(import(b"k", &[1; 65_000]), Err(PskError::Identity));
    assert_eq!(import(b"k", &[1; 64_000]), Ok(()));
}

#[test]
fn the_longest_identity_works() {
    let key = external(&[7; 65_000], PskHash::Sha256);
    let scene = knowing(AES128, [key.clone()]);
    let pair = scene.connect(Offer::fresh().with_psks([key]));
    assert_eq!(pair.server.summary.unwrap().resumed, BY_KEY);
}

#[test]
fn keys_that_do_not_fit_one_hello_are_refused_at_once() {
    let keys = [external(&[7; 65_000], PskHash::Sha256), external(&[8; 65_000], PskHash::Sha256)];
    let mut out = symbolon::conn::SendBuf::with_limit(LIMIT);
    let config = client_config(|b| b);
    let started = symbolon::conn::Client::start(&config, name(), Offer::fresh().with_psks(keys), &mut out);
    assert_eq!(started.err().and_then(|error| error.alert()), Some(AlertCode::INTERNAL_ERROR));
}

fn hmac256(key: &[u8], data: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(data).finalize().into_bytes().to_vec()
}

fn hmac384(key: &[u8], data: &[u8]) -> Vec<u8> {
    Hmac::<Sha384>::new_from_slice(key).unwrap().chain_update(data).finalize().into_bytes().to_vec()
}

/// The steps of RFC 9258 section 5.1 with an external key of SHA-256 or SHA-384, on HMAC alone.
fn import_by_hand(own: PskHash, identity: &[u8], context: &[u8], target: PskHash) -> (Vec<u8>, Vec<u8>) {
    let (kdf, len) = match target {
        PskHash::Sha256 => (1_u16, 32_usize),
        PskHash::Sha384 => (2, 48),
    };
    let opaque = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let imported = [&opaque(identity)[..], &opaque(context), &[3, 4], &kdf.to_be_bytes()].concat();
    let digest = match own {
        PskHash::Sha256 => Sha256::digest(&imported).to_vec(),
        PskHash::Sha384 => Sha384::digest(&imported).to_vec(),
    };
    let mac = match own {
        PskHash::Sha256 => hmac256,
        PskHash::Sha384 => hmac384,
    };
    // epskx = HKDF-Extract(0, epsk); ipskx = HKDF-Expand-Label(epskx, "derived psk", Hash(ImportedIdentity), L)
    let extracted = mac(&vec![0; digest.len()], &KEY);
    let label = b"tls13 derived psk";
    let info = [
        &u16::try_from(len).unwrap().to_be_bytes()[..],
        &[u8::try_from(label.len()).unwrap()],
        label,
        &[u8::try_from(digest.len()).unwrap()],
        &digest,
    ]
    .concat();
    let mut key = mac(&extracted, &[&info[..], &[1]].concat());
    let second = mac(&extracted, &[&key[..], &info, &[2]].concat());
    key.extend(second);
    key.truncate(len);
    (imported, key)
}

fn suite_of(id: CipherSuite) -> &'static Suite {
    provider().suite(id).unwrap()
}

/// A server that a client by hand offers this key to.
fn offered_by_hand(scene: &Scene, suite: CipherSuite, key: Offered) -> Result<Party<Server>, AlertCode> {
    let suite = suite_of(suite);
    let mut server = scene.server();
    let exchange = support::fake::x25519().start(&*provider().rng).unwrap();
    let mut hello = support::fake::hello(suite, &*exchange);
    offer(&mut hello, &[key]);
    server.inbox = record(HANDSHAKE, &hello.write());
    match server.run() {
        Ok(()) => Ok(server),
        Err(error) => Err(error.alert().unwrap()),
    }
}

fn by_hand(identity: &[u8], key: &[u8], label: &'static str, hash: &'static dyn Hash) -> Offered {
    Offered { identity: identity.to_vec(), age: 0, key: key.to_vec(), label, hash }
}

//= testvectors/requirements/rfc9258.txt#section-4
//= type=test
//# each external PSK fed to the importer process MUST be associated with one hash function at most.
//= testvectors/requirements/rfc9258.txt#section-5.1
//= type=test
//# External PSKs MUST NOT be imported for (D)TLS 1.2 or prior versions.
//= testvectors/requirements/rfc9258.txt#section-5.1
//= type=test
//# ImportedIdentity.target_protocol MUST be the (D)TLS protocol version for which the PSK is being
//# imported.
#[test]
fn importing_agrees_with_the_standard_by_hand() {
    for own in [PskHash::Sha256, PskHash::Sha384] {
        for (suite, target) in [(AES128, PskHash::Sha256), (AES256, PskHash::Sha384)] {
            for context in [&b""[..], b"factory"] {
                let keys = ExternalPsk::import(&provider(), b"sensor 17", &KEY, context, own).unwrap();
                let (identity, key) = import_by_hand(own, b"sensor 17", context, target);
                let found = keys.into_iter().find(|key| key.hash() == target).unwrap();
                assert_eq!(found.identity(), identity);
                assert_eq!(found.name(), b"sensor 17");
                // The whole handshake goes through with the key made by hand, so both are the same.
                let scene = knowing(suite, [Arc::new(found)]);
                let mut server = scene.server();
                let suite = suite_of(suite);
                let mut schedule = Schedule::new(suite);
                schedule.psk = key.clone();
                let offered = by_hand(&identity, &key, IMPORTED, suite.hash);
                let mut client =
                    FakeClient::start_with_psk(&mut server, schedule, |hello| offer(hello, &[offered]));
                server.inbox = client.finish();
                server.run().unwrap();
                let summary = server.summary.unwrap();
                assert_eq!(summary.resumed, BY_KEY);
                assert_eq!(summary.peer.unwrap().identity.to_string(), "psk:sensor 17");
            }
        }
    }
}

#[test]
fn the_key_schedule_of_each_kind_of_key_agrees_with_one_by_hand() {
    for (suite, hash) in [(AES128, PskHash::Sha256), (AES256, PskHash::Sha384), (CHACHA, PskHash::Sha256)] {
        // An external key.
        let scene = knowing(suite, [external(b"k", hash)]);
        let hash = suite_of(suite).hash;
        finish_by_hand(&scene, suite, by_hand(b"k", &KEY, EXTERNAL, hash));
        // That of a ticket.
        let scene = Scene::of(suite);
        let (ticket, session) = {
            scene.ticket();
            scene.memory.only()
        };
        scene.memory.change(|session| session.server_name = None);
        let key =
            Offered { age: session.age_add, ..by_hand(&ticket, session.psk.expose(), RESUMPTION, hash) };
        finish_by_hand(&scene, suite, key);
    }
}

fn finish_by_hand(scene: &Scene, suite: CipherSuite, key: Offered) {
    let mut server = scene.server();
    let mut schedule = Schedule::new(suite_of(suite));
    schedule.psk = key.key.clone();
    let mut client = FakeClient::start_with_psk(&mut server, schedule, |hello| offer(hello, &[key]));
    server.inbox = client.finish();
    server.run().unwrap();
    assert!(server.summary.as_ref().unwrap().resumed.is_ok());
    server.inbox = client.write.seal(support::forge::DATA, b"up");
    server.run().unwrap();
    assert_eq!(server.data, b"up");
}

#[test]
fn an_imported_key_goes_to_each_hash() {
    let keys = imported(b"k", b"");
    for suite in SUITES {
        let scene = Scene::new(|b| b, |b| b.suites(&[suite]));
        scene.memory.edit().external = keys.clone();
        let pair = scene.connect(Offer::fresh().with_psks(keys.clone()));
        assert_eq!(pair.server.summary.unwrap().resumed, BY_KEY);
        assert_eq!(pair.client.summary.unwrap().suite, suite);
    }
}

//= testvectors/requirements/rfc9258.txt#section-5.1
//= type=test
//# ImportedIdentity.context MUST include the context used to determine the EPSK, if any exists.
#[test]
fn contexts_keep_imported_keys_apart() {
    let scene = Scene::of(AES128);
    scene.memory.edit().external = imported(b"k", b"one");
    let pair = scene.connect(Offer::fresh().with_psks(imported(b"k", b"two")));
    assert_eq!(pair.server.summary.unwrap().resumed, Err(NotResumed::Unknown));
}

#[test]
fn no_kind_of_key_is_taken_for_another() {
    // RFC 9846 section 7.1 and RFC 9258 section 5.2: the labels of binders.
    let hash = suite_of(AES128).hash;
    let plain = knowing(AES128, [external(b"k", PskHash::Sha256)]);
    let keys = imported(b"k", b"");
    let (identity, key) = import_by_hand(PskHash::Sha256, b"k", b"", PskHash::Sha256);
    let importing = knowing(AES128, keys.clone());
    let resuming = Scene::of(AES128);
    resuming.ticket();
    resuming.memory.change(|session| session.server_name = None);
    let (ticket, session) = resuming.memory.only();
    for label in [EXTERNAL, IMPORTED, RESUMPTION] {
        let expected = |right| if label == right { Ok(()) } else { Err(AlertCode::DECRYPT_ERROR) };
        let offered = |scene, key| offered_by_hand(scene, AES128, key).map(|_| ());
        assert_eq!(offered(&plain, by_hand(b"k", &KEY, label, hash)), expected(EXTERNAL));
        assert_eq!(offered(&importing, by_hand(&identity, &key, label, hash)), expected(IMPORTED));
        let ticket = by_hand(&ticket, session.psk.expose(), label, hash);
        assert_eq!(offered(&resuming, ticket), expected(RESUMPTION));
    }
    // Nor is the external key itself taken under its imported name.
    let raw = by_hand(&identity, &KEY, IMPORTED, hash);
    assert_eq!(offered_by_hand(&importing, AES128, raw).err(), Some(AlertCode::DECRYPT_ERROR));
}

#[test]
fn a_retry_binds_external_and_imported_keys_again() {
    for keys in [vec![external(b"k", PskHash::Sha256)], imported(b"k", b"")] {
        let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
        let scene = Scene::new(|b| b.groups(&groups), |b| b.groups(&groups[1..]));
        scene.memory.edit().external = keys.clone();
        let pair = scene.connect(Offer::fresh().with_psks(keys));
        let summary = pair.server.summary.unwrap();
        assert_eq!((summary.retried, summary.resumed), (true, BY_KEY));
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.2.1
//= type=test
//# If the server selects a PSK, then it MUST also select a key establishment mode from the list
//# indicated by the client's "psk_key_exchange_modes" extension
//= testvectors/requirements/rfc9846.txt#section-4.3.9
//= type=test
//# Servers MUST NOT select a key exchange mode that is not listed by the client.
#[test]
fn a_hello_without_a_common_mode_is_not_looked_up() {
    let scene = knowing(AES128, [external(b"k", PskHash::Sha256)]);
    let mut server = scene.server();
    let suite = suite_of(AES128);
    let mut client = FakeClient::start(&mut server, suite, |hello: &mut Hello| {
        hello.set(support::psk::MODES, &[1, 0]);
        offer(hello, &[by_hand(b"k", &KEY, EXTERNAL, suite.hash)]);
    });
    server.inbox = client.finish();
    server.run().unwrap();
    assert_eq!(server.answers.asked, ["Sign"], "no ticket either: it could not be used");
    assert_eq!(server.summary.unwrap().resumed, Err(NotResumed::NoCommonMode));
}

#[test]
fn a_stateless_retry_asks_for_the_key_once_more_on_the_new_connection() {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    for early in [false, true] {
        let scene = Scene::new(|b| b.groups(&groups), |b| b.early_data(MAX_EARLY, guarded()));
        let ticket = scene.ticket();
        let scene = scene.serve(|b| {
            let retry = StatelessRetry::new([7; 32], 60);
            b.groups(&groups[1..]).early_data(MAX_EARLY, guarded()).stateless_retry(retry)
        });
        let fresh = || {
            let conn = Server::new_at(&scene.server, NOW.unix_time()).unwrap();
            Party { conn, ..scene.server() }
        };
        let mut first = fresh();
        let mut client = match early {
            true => scene.pair_with_early(ticket, b"skipped").client,
            false => scene.client(Offer::resume(ticket, NOW)),
        };
        first.inbox = client.flush();
        first.run().unwrap();
        assert!(first.retry_sent);
        client.inbox = first.flush();
        client.run().unwrap();
        let mut pair = Pair { client, server: fresh() };
        pair.run().unwrap();
        assert_eq!(pair.server.answers.asked, ["LookupPsk", "SealTicket"]);
        let summary = pair.server.summary.unwrap();
        assert_eq!((summary.resumed, summary.retried), (Ok(Resumed::Session), true));
        let why = if early { NoEarlyData::Retried } else { NoEarlyData::NotOffered };
        assert_eq!(summary.early_data, Err(why));
        assert!(pair.server.early.is_empty());
    }
}

#[test]
fn a_stateless_retry_adds_no_key_exchange_that_the_client_does_not_permit() {
    // RFC 9846 section 4.3.9: "Servers MUST NOT select a key exchange mode that is not listed by the client."
    let scene = Scene::new(|b| b, |b| b).serve(|b| {
        b.groups(&[NamedGroup::SECP256R1]).psk_ke().stateless_retry(StatelessRetry::new([7; 32], 60))
    });
    let fresh = || {
        let conn = Server::new_at(&scene.server, NOW.unix_time()).unwrap();
        Puppet::new(Party { conn, ..scene.server() }, Role::Server)
    };
    let (suite, key) = (suite_of(AES128), by_hand(b"k", &KEY, EXTERNAL, suite_of(AES128).hash));
    let mut hello = support::fake::hello(suite, &*support::fake::x25519().start(&*provider().rng).unwrap());
    hello.set(10, &[0, 4, 0, 0x1D, 0, 0x17]);
    hello.set(MODES, &[1, 0]);
    offer(&mut hello, std::slice::from_ref(&key));
    let mut first = fresh();
    first.tell(Epoch::Plaintext, &hello.write()).unwrap();
    let retry = first.told()[0].clone();
    let before = [message(254, suite.hash.hash(&[&hello.write()]).as_ref()), retry.clone()].concat();
    hello.set(44, Hello::parse(&retry).data(44).unwrap());
    let p256 = provider().group(NamedGroup::SECP256R1).unwrap().start(&*provider().rng).unwrap();
    let (group, public) = p256.shares()[0].unwrap();
    hello.set(51, &vector(2, &support::fake::share(group, public)));
    offer_after(&before, &mut hello, &[key]);
    // Only now the server knows the key.
    scene.memory.edit().external = vec![external(b"k", PskHash::Sha256)];
    let mut second = fresh();
    second.tell(Epoch::Plaintext, &hello.write()).unwrap();
    assert_eq!(Hello::parse(&second.told()[0]).data(41), None);
    assert_eq!(second.party.answers.asked, ["LookupPsk", "Sign"], "a full handshake");
}

#[test]
fn an_offer_is_shown_by_what_it_brings_along() {
    let shown = |offer: Offer| format!("{offer:?}");
    let with_key = Offer::fresh().with_psks([external(b"sensor 17", PskHash::Sha256)]);
    assert_eq!(shown(with_key), "Offer { ticket: None, external: 1, early_data: false }");
    let early = shown(Offer::resume(Scene::of(AES128).ticket(), NOW).with_early_data());
    assert!(early.starts_with("Offer { ticket: Some(") && early.ends_with("early_data: true }"), "{early}");
}
