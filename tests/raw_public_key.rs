//! Raw public keys (RFC 7250) of servers and of clients: who shows what, who accepts what, and what a peer may not say.
#![cfg(feature = "rustcrypto")]

mod support;

use std::sync::Arc;

use support::fake::{FakeServer, hello, x25519};
use support::flow::{FULL, record_pair};
use support::forge::*;
use support::resumption::Scene;
use support::*;
use symbolon::codepoint::{CertificateType, HandshakeType, NamedGroup, SignatureScheme};
use symbolon::config::{ClientAuth, Credential};
use symbolon::conn::{Client, Epoch, MessageKind, NotResumed, Offer, Resumed, Server};
use symbolon::crypto::{Failed, Rng, SigningKey};
use symbolon::identity::Identity;
use symbolon::question::{PeerEvidence, Question};
use symbolon::{AlertCode, Error};

const X509: CertificateType = CertificateType::X509;
const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;
/// Everything that a side can accept or have.
const MIXES: [&[CertificateType]; 4] = [&[X509], &[RAW], &[X509, RAW], &[RAW, X509]];

const UNSUPPORTED_CERTIFICATE: AlertCode = AlertCode::UNSUPPORTED_CERTIFICATE;
const ILLEGAL: AlertCode = AlertCode::ILLEGAL_PARAMETER;

/// The two extensions.
const OF_CLIENTS: u16 = 19;
const OF_SERVERS: u16 = 20;

fn of_type(kind: CertificateType) -> Arc<Credential> {
    if kind == RAW { raw_credential(Key::P256) } else { credential(Key::P256) }
}

/// What a peer's identity rests on.
fn type_of<E>(party: &Party<E>) -> Option<CertificateType> {
    let peer = party.summary.as_ref().unwrap().peer.as_ref()?;
    Some(match &peer.identity {
        Identity::RawPublicKey { spki, .. } => {
            assert_eq!(spki, signing_key(Key::P256).public_key());
            RAW
        }
        Identity::Subject { .. } => X509,
        other => panic!("{other}"),
    })
}

fn required() -> ClientAuth {
    ClientAuth::Required { authorities: Vec::new() }
}

/// A client that accepts `of_servers` and has `of_clients`.
fn client_of(of_servers: &[CertificateType], of_clients: &[CertificateType]) -> Party<Client> {
    let config = client_config(|b| {
        b.server_certificate_types(of_servers.to_vec()).client_certificate_types(of_clients.to_vec())
    });
    let mut client = client(&config);
    client.answers.credential = Some(of_type(X509));
    client.answers.raw_credential = Some(of_type(RAW));
    client
}

/// A server that has `own` and asks for `of_clients` by `mode`.
fn server_of(own: CertificateType, of_clients: &[CertificateType], mode: ClientAuth) -> Party<Server> {
    server(&server_config(|b| {
        b.credential(of_type(own)).client_auth(mode).client_certificate_types(of_clients.to_vec())
    }))
}

#[test]
fn a_server_shows_what_it_has_to_a_client_that_accepts_it_and_to_no_other() {
    for accepted in MIXES {
        for own in [X509, RAW] {
            let mut pair = Pair {
                client: client_of(accepted, &[X509]),
                server: server_of(own, &[X509], ClientAuth::Off),
            };
            let result = pair.run();
            if accepted.contains(&own) {
                result.unwrap();
                assert_eq!(type_of(&pair.client), Some(own), "{accepted:?}");
                pair.send_up(b"up");
                assert_eq!(pair.server.data, b"up");
            } else {
                let error = result.unwrap_err();
                assert!(matches!(error, Error::Peer(_)), "{error}");
                assert_eq!(error.alert(), Some(UNSUPPORTED_CERTIFICATE), "{own} for {accepted:?}");
                pair.client.inbox = pair.server.flush();
                assert_eq!(pair.client.run(), Err(Error::Alert(UNSUPPORTED_CERTIFICATE)));
            }
        }
    }
}

#[test]
fn a_client_shows_what_the_server_prefers_of_what_it_has() {
    for accepted in MIXES {
        for own in MIXES {
            let expected = accepted.iter().copied().find(|kind| own.contains(kind));
            for mode in [required(), ClientAuth::Optional { authorities: Vec::new() }] {
                let server = server_of(RAW, accepted, mode.clone());
                let mut pair = Pair { client: client_of(&[RAW], own), server };
                match pair.run() {
                    Ok(()) => assert_eq!(type_of(&pair.server), expected, "{own:?} for {accepted:?}"),
                    Err(error) => {
                        assert_eq!(
                            (expected, &mode),
                            (None, &required()),
                            "{own:?} for {accepted:?}: {error}"
                        );
                        assert_eq!(error.alert(), Some(UNSUPPORTED_CERTIFICATE));
                        continue;
                    }
                }
                // Whoever has nothing that is accepted is not even asked.
                assert_eq!(pair.client.answers.asked.contains(&"ChooseCredential"), expected.is_some());
                assert!(expected.is_some() || mode != required());
            }
        }
    }
}

//= testvectors/requirements/rfc7250.txt#section-3
//= type=test
//# The SubjectPublicKeyInfo value in the Certificate payload MUST contain the DER encoding [X.690] of
//# the SubjectPublicKeyInfo.
//= testvectors/requirements/rfc7250.txt#section-4.2
//= type=test
//# then the TLS server MUST place the SubjectPublicKeyInfo structure into the Certificate payload.
#[test]
fn every_kind_of_key_can_be_shown_raw_both_ways_also_after_a_retry() {
    for kind in ALL_KEYS {
        let raw = raw_credential(kind);
        let client_config = client_config(|b| {
            b.server_certificate_types([RAW])
                .client_certificate_types([RAW])
                .groups(&[NamedGroup::X25519, NamedGroup::SECP256R1])
        });
        let server_config = server_config(|b| {
            b.credential(Arc::clone(&raw))
                .client_auth(required())
                .client_certificate_types([RAW])
                .groups(&[NamedGroup::SECP256R1])
        });
        let mut pair = Pair::new(&client_config, &server_config);
        pair.client.answers.raw_credential = Some(Arc::clone(&raw));
        pair.run().unwrap();
        for summary in [&pair.client.summary, &pair.server.summary] {
            let summary = summary.as_ref().unwrap();
            assert!(summary.retried);
            let peer = summary.peer.as_ref().unwrap();
            assert!(peer.chain.is_empty());
            let Identity::RawPublicKey { spki, .. } = &peer.identity else { panic!("{peer:?}") };
            assert_eq!(spki, raw.spki().unwrap());
        }
    }
}

#[test]
fn one_server_serves_certificates_and_raw_keys_by_what_a_client_accepts() {
    for accepted in MIXES {
        let asking = symbolon::config::ServerConfig::builder(provider()).build().unwrap();
        let mut pair = Pair { client: client_of(accepted, &[RAW]), server: server(&asking) };
        pair.server.hold = vec!["Configure"];
        pair.run().unwrap();
        let Some(Question::Configure(question)) = pair.server.held.pop() else { panic!("a question") };
        assert_eq!(question.offered().server_certificate_types, accepted);
        assert_eq!(question.offered().client_certificate_types, [RAW]);
        let preferred = question.offered().server_certificate_types[0];
        let answer = question.with(asking.clone(), of_type(preferred));
        pair.server.conn.resume(answer, &mut pair.server.out).unwrap();
        pair.server.run().unwrap();
        pair.run().unwrap();
        assert_eq!(type_of(&pair.client), Some(preferred));
    }
}

/// Shows one key and signs with another one.
struct Impostor {
    shown: Arc<dyn SigningKey>,
    signs: Arc<dyn SigningKey>,
}

impl SigningKey for Impostor {
    fn schemes(&self) -> &[SignatureScheme] {
        self.signs.schemes()
    }

    fn public_key(&self) -> &[u8] {
        self.shown.public_key()
    }

    fn sign(&self, rng: &dyn Rng, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Failed> {
        self.signs.sign(rng, scheme, message)
    }
}

#[test]
fn a_signature_by_another_key_is_refused_both_ways() {
    for (shown, signs) in [(Key::P256, Key::Ed25519), (Key::Ed25519, Key::P256)] {
        let key = Impostor { shown: signing_key(shown), signs: signing_key(signs) };
        let impostor = Arc::new(Credential::raw_public_key(Arc::new(key)).unwrap());
        for (of_server, of_client) in [(&impostor, of_type(RAW)), (&of_type(RAW), impostor.clone())] {
            let of_server = Arc::clone(of_server);
            let client = client_of(&[RAW], &[RAW]);
            let server = server(&server_config(|b| {
                b.credential(of_server).client_auth(required()).client_certificate_types([RAW])
            }));
            let mut pair = Pair { client, server };
            pair.client.answers.raw_credential = Some(of_client);
            let error = pair.run().unwrap_err();
            assert!(matches!(error, Error::Refused(_)), "{error}");
            assert_eq!(error.alert(), Some(AlertCode::DECRYPT_ERROR));
        }
    }
}

#[test]
fn a_key_whose_private_half_is_elsewhere_is_shown_raw() {
    let key = signing_key(Key::P256);
    let remote = Credential::remote_raw(key.public_key(), key.schemes().to_vec()).unwrap();
    let server = server(&server_config(|b| b.credential(remote)));
    let mut pair = Pair { client: client_of(&[RAW], &[X509]), server };
    pair.server.hold = vec!["Sign"];
    pair.run().unwrap();
    let Some(Question::Sign(question)) = pair.server.held.pop() else { panic!("a question") };
    assert_eq!(question.credential().spki(), Some(key.public_key()));
    let signature = key.sign(&*provider().rng, question.scheme(), question.message()).unwrap();
    pair.server.conn.resume(question.signed(signature), &mut pair.server.out).unwrap();
    pair.server.run().unwrap();
    pair.run().unwrap();
    assert_eq!(type_of(&pair.client), Some(RAW));
}

#[test]
fn a_credential_of_another_type_than_agreed_on_is_none() {
    for (agreed, other) in [(RAW, X509), (X509, RAW)] {
        let mode = ClientAuth::Optional { authorities: Vec::new() };
        let mut pair = Pair { client: client_of(&[RAW], &[agreed]), server: server_of(RAW, &[agreed], mode) };
        pair.client.hold = vec!["ChooseCredential"];
        pair.run().unwrap();
        let Some(Question::ChooseCredential(question)) = pair.client.held.pop() else { panic!("a question") };
        assert_eq!(question.certificate_type(), agreed);
        let answer = question.with(of_type(other));
        pair.client.conn.resume(answer, &mut pair.client.out).unwrap();
        pair.client.run().unwrap();
        pair.run().unwrap();
        assert_eq!(type_of(&pair.server), None, "the server goes on without");
    }
}

//= testvectors/requirements/rfc7250.txt#section-4.1
//= type=test
//# The TLS client MUST omit certificate types from the client_certificate_type extension in the client
//# hello if it does not possess the corresponding raw public key or certificate that it can provide to
//# the server when requested using a certificate_request message, or if it is not configured to use one
//# with the given TLS server.
//= testvectors/requirements/rfc7250.txt#section-4.1
//= type=test
//# If the client has no remaining certificate types to send in the client hello, other than the default
//# X.509 type, it MUST omit the client_certificate_type extension in the client hello.
//= testvectors/requirements/rfc7250.txt#section-4.1
//= type=test
//# The TLS client MUST omit certificate types from the server_certificate_type extension in the client
//# hello if it is unable to process the corresponding raw public key or other certificate type.
//= testvectors/requirements/rfc7250.txt#section-4.1
//= type=test
//# If the client has no remaining certificate types to send in the client hello, other than the default
//# X.509 certificate type, it MUST omit the entire server_certificate_type extension from the client
//# hello.
#[test]
fn the_extensions_are_sent_only_where_there_is_more_than_x509() {
    for types in MIXES {
        let mut client = client_of(types, types);
        let sent = Hello::parse(&records(&client.flush())[0][5..]);
        let list: Vec<u8> = types.iter().map(|kind| kind.0).collect();
        let expected = (types != [X509]).then(|| vector(1, &list));
        assert_eq!(sent.data(OF_CLIENTS), expected.as_ref());
        assert_eq!(sent.data(OF_SERVERS), expected.as_ref());
        // RFC 9846 section 4.5.1.1: an OCSP response goes with a certificate.
        assert_eq!(sent.data(5).is_some(), types.contains(&X509));
    }
}

#[test]
fn no_answer_means_x509() {
    // The server by hand answers nothing, and shows a certificate.
    for accepted in MIXES {
        let mut client = client_of(accepted, &[X509]);
        let mut server = FakeServer::answer(&mut client, suite());
        if accepted.contains(&X509) {
            client.run().unwrap();
            server.finish(&client.flush());
            assert_eq!(type_of(&client), Some(X509));
        } else {
            let error = client.run().unwrap_err();
            assert_eq!(error.alert(), Some(UNSUPPORTED_CERTIFICATE), "{error}");
            assert!(client.answers.asked.is_empty(), "no certificate is judged");
        }
    }
}

#[test]
fn a_client_of_raw_keys_alone_shows_nothing_to_a_server_that_asks_for_certificates() {
    let request = message(CERTIFICATE_REQUEST, &[vec![0], vector(2, &extension(13, &[0, 2, 4, 3]))].concat());
    let extensions = message(ENCRYPTED_EXTENSIONS, &[0, 0]);
    let mut client = client_of(&[X509], &[RAW]);
    let mut server = FakeServer::answer_with(&mut client, suite(), &[extensions, request]);
    client.run().unwrap();
    let sent = records(&client.flush());
    let empty = message(CERTIFICATE, &[0, 0, 0, 0]);
    let (kind, second_flight) = server.read.open(&sent[1]).unwrap();
    assert_eq!((kind, &second_flight[..empty.len()]), (HANDSHAKE, &empty[..]));
    assert_eq!(client.answers.asked, ["VerifyPeer"]);
}

/// A client with these types behind a real ServerHello, and everything that the real server would say.
fn behind_server_hello(of_servers: &[CertificateType]) -> (Puppet<Client>, Vec<Vec<u8>>) {
    let of_servers = of_servers.to_vec();
    let puppet = || FULL.client_with(|b| b.server_certificate_types(of_servers.clone()));
    let recorded = record_pair(&mut puppet(), &mut FULL.server_with(|b| b.credential(of_type(RAW))));
    let mut client = puppet();
    client.tell(Epoch::Plaintext, &recorded.server[0]).unwrap();
    (client, recorded.server)
}

fn encrypted_extensions(list: &[(u16, &[u8])]) -> Vec<u8> {
    let block: Vec<u8> = list.iter().flat_map(|(kind, data)| extension(*kind, data)).collect();
    message(ENCRYPTED_EXTENSIONS, &vector(2, &block))
}

#[test]
fn a_wrong_answer_of_a_server_is_refused() {
    type Row<'a> = (&'a str, &'a [CertificateType], u16, &'a [u8], AlertCode);
    let rows: &[Row<'_>] = &[
        ("a type that was not offered", &[RAW], OF_SERVERS, &[0], ILLEGAL),
        ("an unknown type", &[RAW, X509], OF_SERVERS, &[1], ILLEGAL),
        ("no type", &[RAW], OF_SERVERS, &[], AlertCode::DECODE_ERROR),
        ("two types", &[RAW, X509], OF_SERVERS, &[2, 0], AlertCode::DECODE_ERROR),
        ("an answer without an offer", &[RAW], OF_CLIENTS, &[2], AlertCode::UNSUPPORTED_EXTENSION),
    ];
    for (what, offered, kind, data, alert) in rows {
        let (mut client, _) = behind_server_hello(offered);
        let told = client.tell(Epoch::Handshake, &encrypted_extensions(&[(*kind, data)]));
        client.refuses(told, *alert, Epoch::Handshake, what);
    }
    let (mut client, _) = behind_server_hello(&[RAW]);
    let told = client.tell(Epoch::Handshake, &encrypted_extensions(&[]));
    client.refuses(told, UNSUPPORTED_CERTIFICATE, Epoch::Handshake, "no answer, hence X.509");
}

/// A Certificate of these entries, each with its block of extensions.
fn certificate(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let entries: Vec<u8> =
        entries.iter().flat_map(|(data, block)| [vector(3, data), vector(2, block)].concat()).collect();
    message(CERTIFICATE, &[vec![0], vector(3, &entries)].concat())
}

/// Certificates with a raw public key that break a rule.
fn bad_certificates() -> [(&'static str, Vec<u8>, AlertCode); 3] {
    [
        ("two entries", certificate(&[(b"spki", b""), (b"issuer", b"")]), ILLEGAL),
        ("an empty key", certificate(&[(b"", b"")]), AlertCode::DECODE_ERROR),
        (
            "an unknown extension",
            certificate(&[(b"spki", &extension(2570, &[]))]),
            AlertCode::UNSUPPORTED_EXTENSION,
        ),
    ]
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# If the RawPublicKey certificate type was negotiated, then the certificate_list MUST contain no more than
//# one CertificateEntry, which contains an ASN1_subjectPublicKeyInfo value as defined in [RFC7250], Section
//# 3.
#[test]
fn a_servers_raw_key_is_one_entry_with_nothing_else() {
    let stapled = certificate(&[(b"spki", &extension(5, &[1, 0, 0, 1, 7]))]);
    let more = [("a staple", stapled, ILLEGAL), ("no entry", certificate(&[]), AlertCode::DECODE_ERROR)];
    for (what, told, alert) in bad_certificates().into_iter().chain(more) {
        // It accepts certificates, too, so that it asked for a staple.
        let (mut client, server) = behind_server_hello(&[X509, RAW]);
        client.tell(Epoch::Handshake, &server[1]).unwrap();
        let told = client.tell(Epoch::Handshake, &told);
        client.refuses(told, alert, Epoch::Handshake, what);
    }
}

/// A server of raw keys that waits for the client's Certificate, which is the last of the messages.
fn before_the_clients_certificate() -> (Puppet<Server>, Vec<Vec<u8>>) {
    let client = || FULL.client_with(|b| b.client_certificate_types([RAW]));
    let server = || {
        FULL.server_with(|b| {
            b.client_auth(required()).client_certificate_types([RAW, X509]).request_staples()
        })
    };
    let mut puppet = client();
    puppet.party.answers.raw_credential = Some(of_type(RAW));
    let recorded = record_pair(&mut puppet, &mut server());
    let mut server = server();
    server.tell(Epoch::Plaintext, &recorded.client[0]).unwrap();
    (server, recorded.client)
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# If the RawPublicKey certificate type was negotiated, then the certificate_list MUST contain no more than
//# one CertificateEntry, which contains an ASN1_subjectPublicKeyInfo value as defined in [RFC7250], Section
//# 3.
#[test]
fn a_clients_raw_key_is_one_entry_with_nothing_else() {
    let stapled = certificate(&[(b"spki", &extension(5, &[1, 0, 0, 1, 7]))]);
    let more =
        [("a staple", stapled, ILLEGAL), ("no entry", certificate(&[]), AlertCode::CERTIFICATE_REQUIRED)];
    for (what, told, alert) in bad_certificates().into_iter().chain(more) {
        let (mut server, _) = before_the_clients_certificate();
        let told = server.tell(Epoch::Handshake, &told);
        server.refuses(told, alert, Epoch::Application, what);
    }
    let (mut server, client) = before_the_clients_certificate();
    for message in &client[1..] {
        server.tell(Epoch::Handshake, message).unwrap();
    }
    assert_eq!(type_of(&server.party), Some(RAW));
}

#[test]
fn a_wrong_offer_of_a_client_is_refused() {
    let rows: &[(&str, u16, &[u8], Option<AlertCode>)] = &[
        ("nothing of a server", OF_SERVERS, &[0], Some(AlertCode::DECODE_ERROR)),
        ("nothing of its own", OF_CLIENTS, &[0], Some(AlertCode::DECODE_ERROR)),
        ("a list that is cut", OF_SERVERS, &[2, 2], Some(AlertCode::DECODE_ERROR)),
        ("unknown types alone of a server", OF_SERVERS, &[2, 1, 3], Some(UNSUPPORTED_CERTIFICATE)),
        ("unknown types alone of its own", OF_CLIENTS, &[2, 1, 3], Some(UNSUPPORTED_CERTIFICATE)),
        ("what goes without saying of a server", OF_SERVERS, &[1, 0], Some(ILLEGAL)),
        ("what goes without saying of its own", OF_CLIENTS, &[1, 0], Some(ILLEGAL)),
        ("an unknown type before a known one", OF_SERVERS, &[2, 3, 0], None),
        ("a type twice", OF_SERVERS, &[2, 0, 0], None),
    ];
    for (what, kind, data, alert) in rows {
        let mut server = FULL.server_with(|b| b.client_auth(required()));
        let exchange = x25519().start(&*provider().rng).unwrap();
        let mut hello = hello(suite(), &*exchange);
        hello.set(*kind, data);
        let told = server.tell(Epoch::Plaintext, &hello.write());
        match alert {
            Some(alert) => server.refuses(told, *alert, Epoch::Plaintext, what),
            None => told.unwrap_or_else(|error| panic!("{what}: {error}")),
        }
    }
}

#[test]
fn the_second_hello_may_not_change_the_types() {
    let mut client = client(&client_config(|b| {
        b.server_certificate_types([X509, RAW]).groups(&[NamedGroup::X25519, NamedGroup::SECP256R1])
    }));
    let mut server = server(&server_config(|b| b.groups(&[NamedGroup::SECP256R1])));
    server.inbox = client.flush();
    server.run().unwrap();
    client.inbox = server.flush();
    client.run().unwrap();
    let sent = client.flush();
    let second = records(&sent).pop().unwrap();
    let mut hello = Hello::parse(&second[5..]);
    hello.set(OF_SERVERS, &[1, 0]);
    server.inbox = record(HANDSHAKE, &hello.write());
    assert_eq!(server.run().unwrap_err().alert(), Some(ILLEGAL));
}

/// A client and a server who know each other by raw keys.
fn raw_scene() -> Scene {
    let mut scene = Scene::new(
        |b| b.server_certificate_types([RAW]).client_certificate_types([RAW]),
        |b| b.credential(of_type(RAW)).client_auth(required()).client_certificate_types([RAW]),
    );
    scene.credential = Some(of_type(RAW));
    scene
}

/// The same with a client that has its raw key.
fn connect(scene: &Scene, offer: Offer) -> Pair {
    let mut pair = scene.pair(offer);
    pair.client.answers.raw_credential = Some(of_type(RAW));
    pair.client.answers.credential = Some(of_type(X509));
    pair.run().unwrap();
    pair
}

fn resumed(pair: &Pair) -> [Result<Resumed, NotResumed>; 2] {
    [pair.client.summary.as_ref().unwrap().resumed, pair.server.summary.as_ref().unwrap().resumed]
}

#[test]
fn raw_keys_are_remembered_by_sessions() {
    let scene = raw_scene();
    let mut first = connect(&scene, Offer::fresh());
    let ticket = first.client.tickets.remove(0).received(scene.now);
    let again = connect(&scene, Offer::resume(ticket, scene.now));
    assert_eq!(resumed(&again), [Ok(Resumed::Session); 2]);
    assert_eq!((type_of(&again.client), type_of(&again.server)), (Some(RAW), Some(RAW)));
    assert!(again.client.answers.asked.is_empty());
}

#[test]
fn a_resuming_client_is_told_the_type_of_the_servers_key_again() {
    let scene = raw_scene();
    let scene = Scene {
        client: client_config(|b| {
            b.groups(&[NamedGroup::X25519])
                .server_certificate_types([RAW])
                .client_certificate_types([RAW])
                .report_messages()
        }),
        ..scene
    };
    let mut first = connect(&scene, Offer::fresh());
    let ticket = first.client.tickets.remove(0).received(scene.now);
    let again = connect(&scene, Offer::resume(ticket, scene.now));
    let kind = MessageKind::Handshake(HandshakeType::ENCRYPTED_EXTENSIONS);
    let len = |pair: &Pair| pair.client.messages.iter().find(|message| message.kind == kind).unwrap().len;
    // Two types of five bytes and the server_name of four; then the one type.
    assert_eq!((len(&first), len(&again)), (6 + 14, 6 + 5));
}

#[test]
fn a_client_resumes_only_under_a_configuration_of_the_same_types() {
    for of_servers in [&[X509, RAW][..], &[X509]] {
        let mut scene = raw_scene();
        let mut first = connect(&scene, Offer::fresh());
        let ticket = first.client.tickets.remove(0).received(scene.now);
        scene.client = client_config(|b| {
            b.groups(&[NamedGroup::X25519])
                .server_certificate_types(of_servers.to_vec())
                .client_certificate_types([RAW])
        });
        scene = scene.serve(|b| b.client_auth(required()).client_certificate_types([RAW]));
        let again = connect(&scene, Offer::resume(ticket, scene.now));
        assert_eq!(resumed(&again), [Err(NotResumed::PolicyChanged), Err(NotResumed::NotOffered)]);
        assert_eq!(type_of(&again.client), Some(X509));
    }
}

#[test]
fn a_server_resumes_no_client_whom_it_would_not_accept_anew() {
    for (before, now) in [(RAW, X509), (X509, RAW)] {
        let both = |b: symbolon::config::ClientConfigBuilder| b.client_certificate_types([X509, RAW]);
        let mut scene = Scene::new(both, |b| b.client_auth(required()).client_certificate_types([before]));
        let mut first = connect(&scene, Offer::fresh());
        assert_eq!(type_of(&first.server), Some(before));
        let ticket = first.client.tickets.remove(0).received(scene.now);
        let old = scene.server.fingerprint().to_vec();
        scene = scene.serve(|b| b.client_auth(required()).client_certificate_types([now]));
        assert_ne!(scene.server.fingerprint(), old, "tickets that are sealed under it do not open");
        let again = connect(&scene, Offer::resume(ticket, scene.now));
        assert_eq!(resumed(&again), [Err(NotResumed::Declined), Err(NotResumed::PolicyChanged)]);
        assert_eq!(type_of(&again.server), Some(now));
    }
}

#[test]
fn evidence_of_a_raw_key_is_none_of_a_chain() {
    let mut pair =
        Pair { client: client_of(&[RAW], &[X509]), server: server_of(RAW, &[X509], ClientAuth::Off) };
    pair.client.hold = vec!["VerifyPeer"];
    pair.run().unwrap();
    let Some(Question::VerifyPeer(question)) = pair.client.held.first() else { panic!("a question") };
    assert_eq!(question.name(), Some(&name()), "whose key it must be");
    let PeerEvidence::RawPublicKey(key) = question.evidence() else { panic!("{question:?}") };
    assert_eq!(key.spki, signing_key(Key::P256).public_key());
    assert!(key.signed.starts_with(&[&[0x20; 64][..], b"TLS 1.3, server CertificateVerify\0"].concat()));
    pair.client.release().unwrap();
    pair.run().unwrap();
    assert_eq!(type_of(&pair.client), Some(RAW));
}
