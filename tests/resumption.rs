//! Resumption by tickets (RFC 9846 sections 2.2 and 4.7.1) between a real client and a real server.
#![cfg(feature = "rustcrypto")]

mod support;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use support::forge::{Hello, p256, records};
use support::psk::PRE_SHARED_KEY;
use support::resumption::*;
use support::*;
use symbolon::codepoint::NamedGroup;
use symbolon::config::ClientAuth;
use symbolon::conn::{Client, HalfEvent, HalfStep, NotResumed, Offer, Resumed, SendBuf};
use symbolon::identity::{Claim, Peer};
use symbolon::psk::{ChainInTicket, ExternalPsk, PskHash, Ticket};
use symbolon::question::Question;
use symbolon::{AlertCode, Error, Misuse, Moment};

const X25519: NamedGroup = NamedGroup::X25519;
const P256: NamedGroup = NamedGroup::SECP256R1;

fn exported(pair: &Pair) -> [u8; 32] {
    let (mut a, mut b) = ([0; 32], [0; 32]);
    pair.client.conn.exporter(b"test", b"context", &mut a).unwrap();
    pair.server.conn.exporter(b"test", b"context", &mut b).unwrap();
    assert_eq!(a, b);
    a
}

/// What the client's and the server's summary say of resumption.
fn told(pair: &Pair) -> [Result<Resumed, NotResumed>; 2] {
    [pair.client.summary.as_ref().unwrap().resumed, pair.server.summary.as_ref().unwrap().resumed]
}

const RESUMED: [Result<Resumed, NotResumed>; 2] = [Ok(Resumed::Session), Ok(Resumed::Session)];

#[test]
fn a_ticket_resumes_with_a_key_exchange_and_without_certificates() {
    for suite in SUITES {
        let scene = Scene::of(suite);
        let mut first = scene.connect(Offer::fresh());
        assert_eq!(told(&first), [Err(NotResumed::NotOffered); 2]);
        let ticket = first.client.tickets.remove(0).received(NOW);
        let mut pair = scene.resume(ticket);
        assert_eq!(told(&pair), RESUMED);
        assert_eq!(pair.server.answers.asked, ["LookupPsk", "SealTicket"]);
        assert!(pair.client.answers.asked.is_empty(), "nothing is verified again");
        for summary in [&pair.client.summary, &pair.server.summary] {
            let summary = summary.as_ref().unwrap();
            assert_eq!((summary.suite, summary.group, summary.signature), (suite, Some(X25519), None));
        }
        let identity =
            |pair: &Pair| pair.client.summary.as_ref().unwrap().peer.as_ref().unwrap().identity.clone();
        assert_eq!(identity(&pair), identity(&first), "the session vouches for the server");
        assert_ne!(exported(&pair), exported(&first));
        pair.send_up(b"up");
        pair.send_down(b"down");
        assert_eq!((&pair.server.data[..], &pair.client.data[..]), (&b"up"[..], &b"down"[..]));
    }
}

#[test]
fn a_resumed_connection_gives_tickets_that_go_back_to_the_same_full_handshake() {
    let mut scene = Scene::of(AES128);
    let mut ticket = scene.ticket();
    for _ in 0..3 {
        scene.pass(Duration::from_secs(60));
        let mut pair = scene.resume(ticket);
        assert_eq!(told(&pair), RESUMED);
        ticket = pair.client.tickets.remove(0).received(scene.now);
    }
    let state = scene.memory.edit();
    let mut issued = HashSet::new();
    for ticket in state.sessions.values() {
        let session = symbolon::psk::Session::decode(ticket).unwrap();
        assert_eq!(session.authenticated, NOW);
        assert!(issued.insert(session.issued));
    }
    assert_eq!(issued.len(), 4);
}

//= testvectors/requirements/rfc9846.txt#section-4.7.1
//= type=test
//# Any ticket MUST only be resumed with a cipher suite that has the same KDF hash algorithm as that used to
//# establish the original connection.
#[test]
fn another_suite_of_the_same_hash_resumes_and_one_of_another_hash_does_not() {
    let client = |suites| Scene::new(move |b| b.suites(suites), |b| b.suites(&[AES128]));
    let scene = client(&[AES128, AES256, CHACHA]);
    let ticket = scene.ticket();
    let pair = scene.serve(|b| b.suites(&[CHACHA])).resume(ticket);
    assert_eq!(told(&pair), RESUMED);
    assert_eq!(pair.server.summary.unwrap().suite, CHACHA);

    let scene = client(&[AES128, AES256, CHACHA]);
    let ticket = scene.ticket();
    let pair = scene.serve(|b| b.suites(&[AES256])).resume(ticket);
    assert_eq!(told(&pair), [Err(NotResumed::Declined), Err(NotResumed::NoCommonSuite)]);
    assert_eq!(pair.server.summary.unwrap().suite, AES256);
}

#[test]
fn the_suite_of_the_ticket_is_preferred() {
    let scene = Scene::new(|b| b.suites(&[AES128, CHACHA]), |b| b.suites(&[CHACHA]));
    let ticket = scene.ticket();
    let pair = scene.serve(|b| b.suites(&[AES128, CHACHA])).resume(ticket);
    assert_eq!(pair.client.summary.unwrap().suite, CHACHA);
}

//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# Servers MUST NOT send a KeyShareEntry for any group not indicated in the client's "supported_groups"
//# extension and MUST NOT send a KeyShareEntry when using the "psk_ke" PskKeyExchangeMode.
//= testvectors/requirements/rfc9846.txt#section-4.3.9
//= type=test
//# In this mode, the server MUST NOT supply a "key_share" value.
#[test]
fn psk_ke_is_used_only_where_both_permit_it_and_no_group_is_in_common() {
    for suite in SUITES {
        for (ours, theirs) in [(true, true), (true, false), (false, true), (false, false)] {
            let scene = Scene::new(
                |b| if ours { b.suites(&[suite]).psk_ke() } else { b.suites(&[suite]) },
                |b| if theirs { b.psk_ke() } else { b },
            );
            let ticket = scene.ticket();
            let (a, b) = copies(&ticket);
            let pair = scene.resume(a);
            assert_eq!(pair.client.summary.unwrap().group, Some(X25519), "a key exchange wherever possible");

            let other = scene.serve(|b| {
                let b = b.groups(&[P256]);
                if theirs { b.psk_ke() } else { b }
            });
            let mut pair = other.pair(Offer::resume(b, NOW));
            if ours && theirs {
                pair.run().unwrap();
                assert_eq!(told(&pair), RESUMED);
                exported(&pair);
                assert_eq!(pair.client.summary.unwrap().group, None);
                assert_eq!(pair.server.summary.unwrap().group, None);
            } else {
                let error = pair.run().unwrap_err();
                assert_eq!(error.alert(), Some(AlertCode::HANDSHAKE_FAILURE), "{ours} {theirs}");
            }
        }
    }
}

#[test]
fn binders_are_right_after_a_retry_too() {
    // RFC 9846 section 4.2.2: "Updating the "pre_shared_key" extension if present by recomputing the
    // "obfuscated_ticket_age" and binder values".
    for suite in SUITES {
        let scene = Scene::new(|b| b.suites(&[suite]).groups(&[X25519, P256]), |b| b);
        let ticket = scene.ticket();
        let pair = scene.serve(|b| b.groups(&[P256])).resume(ticket);
        assert_eq!(told(&pair), RESUMED);
        for summary in [&pair.client.summary, &pair.server.summary] {
            let summary = summary.as_ref().unwrap();
            assert_eq!((summary.retried, summary.group), (true, Some(P256)));
        }
        assert_eq!(pair.server.answers.asked, ["LookupPsk", "SealTicket"], "nothing is asked again");
        exported(&pair);
    }
}

#[test]
fn the_second_hello_goes_without_keys_of_another_hash() {
    // RFC 9846 section 4.2.2: "and (optionally) removing any PSKs which are incompatible with the server's indicated
    // cipher suite".
    let scene = Scene::new(|b| b.suites(&[AES128, AES256]).groups(&[X25519, P256]), |b| b.suites(&[AES128]));
    let ticket = scene.ticket();
    let imported = ExternalKeys::import();
    let other = scene.serve(|b| b.groups(&[P256]).suites(&[AES256]));
    other.memory.edit().external = imported.0.clone();
    let mut pair = other.pair(Offer::resume(ticket, NOW).with_psks(imported.0.clone()));
    let first = pair.client.flush();
    assert_eq!(identities(&first), 3);
    pair.server.inbox = first;
    pair.server.run().unwrap();
    pair.client.inbox = pair.server.flush();
    pair.client.run().unwrap();
    let second = pair.client.flush();
    let hello = records(&second).into_iter().find(|record| record[0] == 22).unwrap();
    assert_eq!(identities(&hello), 1);
    pair.server.inbox = second;
    pair.server.run().unwrap();
    pair.run().unwrap();
    assert_eq!(told(&pair), [Ok(Resumed::ExternalPsk); 2]);
}

struct ExternalKeys(Vec<Arc<symbolon::psk::ExternalPsk>>);

impl ExternalKeys {
    fn import() -> Self {
        let keys = symbolon::psk::ExternalPsk::import(&provider(), b"x", &[9; 32], b"", Default::default());
        Self(keys.unwrap().into_iter().map(Arc::new).collect())
    }
}

/// How many identities the ClientHello in this record offers.
fn identities(record: &[u8]) -> usize {
    let hello = Hello::parse(&record[5..]);
    let mut rest = &hello.data(PRE_SHARED_KEY).unwrap()[..];
    let mut list = &rest[2..2 + usize::from(u16::from_be_bytes([rest[0], rest[1]]))];
    let mut count = 0;
    while !list.is_empty() {
        rest = list;
        list = &rest[2 + usize::from(u16::from_be_bytes([rest[0], rest[1]])) + 4..];
        count += 1;
    }
    count
}

#[test]
fn so_many_tickets_are_given_as_are_configured() {
    for count in [0, 1, 3] {
        let scene = Scene::of(AES128).serve(|b| b.tickets(count));
        let pair = scene.connect(Offer::fresh());
        assert_eq!(pair.client.tickets.len(), usize::from(count));
    }
}

#[test]
fn a_client_gets_as_many_tickets_as_it_asks_for() {
    // RFC 9149 section 3: new_session_count after a full handshake, resumption_count after a resumed one.
    for (asked, given) in [((2, 1), [2, 1]), ((20, 0), [8, 0]), ((8, 20), [8, 8])] {
        let scene = Scene::new(|b| b.ask_for_tickets(asked.0, asked.1), |b| b);
        let mut pair = scene.connect(Offer::fresh());
        assert_eq!(pair.client.tickets.len(), given[0]);
        let ticket = pair.client.tickets.remove(0).received(NOW);
        let pair = scene.resume(ticket);
        assert_eq!(told(&pair), RESUMED);
        assert_eq!(pair.client.tickets.len(), given[1]);
    }
    let scene = Scene::new(|b| b.ask_for_tickets(2, 1), |b| b.tickets(0));
    assert!(scene.connect(Offer::fresh()).client.tickets.is_empty());
}

#[test]
fn a_client_without_tickets_gets_none_and_offers_none() {
    let scene = Scene::of(AES128);
    let ticket = scene.ticket();
    let other = Scene { client: client_config(|b| b.without_tickets()), ..scene };
    let pair = other.resume(ticket);
    assert_eq!(told(&pair), [Err(NotResumed::PolicyChanged), Err(NotResumed::NotOffered)]);
    assert_eq!(pair.server.answers.asked, ["Sign"]);
    assert!(pair.client.tickets.is_empty());
}

//= testvectors/requirements/rfc9846.txt#section-4.7.1
//= type=test
//# The server MUST generate a fresh value for each ticket it sends.
#[test]
fn no_two_tickets_share_a_key_or_an_age() {
    // RFC 9846 section 4.7.1: "a different PSK will be derived for each ticket".
    let scene = Scene::new(|b| b, |b| b.tickets(8));
    scene.connect(Offer::fresh());
    let state = scene.memory.edit();
    let sessions = state.sessions.values().map(|encoded| symbolon::psk::Session::decode(encoded).unwrap());
    let (keys, ages): (HashSet<_>, HashSet<_>) =
        sessions.map(|session| (session.psk.expose().to_vec(), session.age_add)).unzip();
    assert_eq!((keys.len(), ages.len()), (8, 8));
}

#[test]
fn a_ticket_may_be_sealed_late_or_never_and_for_its_own_connection_alone() {
    let scene = Scene::new(|b| b, |b| b.tickets(3));
    let mut pair = scene.pair(Offer::fresh());
    pair.server.hold = vec!["SealTicket"];
    pair.run().unwrap();
    assert_eq!((pair.server.held.len(), pair.client.tickets.len()), (3, 0));
    pair.send_up(b"meanwhile");
    pair.send_down(b"meanwhile");
    let mut other = scene.connect(Offer::fresh());
    let mut held = pair.server.held.drain(..);
    let mut answer = || scene.memory.answer(held.next().unwrap()).unwrap();
    let (first, second) = (answer(), answer());
    let refused = other.server.conn.resume(first, &mut other.server.out);
    assert_eq!(refused, Err(Error::Misuse(Misuse::WrongAnswer)));
    drop(held);
    pair.server.conn.resume(second, &mut pair.server.out).unwrap();
    pair.run().unwrap();
    other.send_down(b"unharmed");
    assert_eq!(pair.client.tickets.len(), 1);
    let ticket = pair.client.tickets.remove(0).received(NOW);
    assert_eq!(told(&scene.resume(ticket)), RESUMED);
}

#[test]
fn halves_give_and_take_late_tickets() {
    let scene = Scene::of(AES128);
    let mut pair = scene.pair(Offer::fresh());
    pair.server.hold = vec!["SealTicket"];
    pair.run().unwrap();
    let mut other = scene.pair(Offer::fresh());
    other.server.hold = vec!["SealTicket"];
    other.run().unwrap();
    let answer = |question| scene.memory.answer(question).unwrap();
    let (_, mut send) = pair.server.conn.split().unwrap();
    let (mut receive, _) = pair.client.conn.split().unwrap();
    let mut out = SendBuf::with_limit(LIMIT);
    let foreign = answer(other.server.held.pop().unwrap());
    assert_eq!(send.resume(foreign, &mut out), Err(Error::Misuse(Misuse::WrongAnswer)));
    assert!(out.is_empty());
    send.resume(answer(pair.server.held.pop().unwrap()), &mut out).unwrap();
    let mut input = out.pending().to_vec();
    let mut at = 0;
    let ticket = loop {
        let HalfStep { consumed, event } = receive.process(&mut input[at..]).unwrap();
        at += consumed;
        match event {
            HalfEvent::Ticket(ticket) => break ticket,
            HalfEvent::NeedInput { .. } => panic!("no ticket"),
            _ => {}
        }
    };
    assert_eq!(told(&scene.resume(ticket.received(NOW))), RESUMED);
}

#[test]
fn a_ticket_that_is_empty_or_too_long_or_without_a_life_is_not_sent() {
    let scene = Scene::of(AES128);
    for (ticket, lifetime) in [(vec![], 60), (vec![1], 0), (vec![1; 16_001], 60)] {
        let mut pair = scene.pair(Offer::fresh());
        pair.server.hold = vec!["SealTicket"];
        pair.run().unwrap();
        let Some(Question::SealTicket(question)) = pair.server.held.pop() else { panic!("no question") };
        pair.server.conn.resume(question.sealed(ticket, lifetime), &mut pair.server.out).unwrap();
        assert!(pair.server.out.is_empty());
    }
}

#[test]
fn the_longest_ticket_is_taken_and_carried_back() {
    let scene = Scene::of(AES128);
    let mut pair = scene.pair(Offer::fresh());
    pair.server.hold = vec!["SealTicket"];
    pair.run().unwrap();
    let Some(Question::SealTicket(question)) = pair.server.held.pop() else { panic!("no question") };
    let session = question.session(NOW, 60, 0).encode(ChainInTicket::Kept).unwrap().to_vec();
    scene.memory.edit().sessions.insert(vec![7; 16_000], session);
    pair.server.conn.resume(question.sealed(vec![7; 16_000], 60), &mut pair.server.out).unwrap();
    pair.run().unwrap();
    let ticket = pair.client.tickets.pop().unwrap().received(scene.now);
    assert_eq!(told(&scene.resume(ticket)), RESUMED);
}

#[test]
fn a_server_says_why_it_does_not_resume() {
    let told_by = |change: &dyn Fn(&mut Scene)| {
        let mut scene = Scene::of(AES128);
        let ticket = scene.ticket();
        change(&mut scene);
        let pair = scene.resume(ticket);
        assert_eq!(pair.client.summary.as_ref().unwrap().resumed, Err(NotResumed::Declined));
        assert!(pair.client.summary.as_ref().unwrap().signature.is_some());
        pair.server.summary.unwrap().resumed.unwrap_err()
    };
    let forget = |scene: &mut Scene| scene.memory.edit().sessions.clear();
    assert_eq!(told_by(&forget), NotResumed::Unknown);
    let clock = |change: fn(Moment) -> Moment| {
        move |scene: &mut Scene| {
            let now = change(scene.now);
            scene.memory.edit().now = now;
        }
    };
    assert_eq!(told_by(&clock(|now| now.plus(Duration::from_secs(3600)))), NotResumed::Expired);
    assert_eq!(told_by(&clock(|now| now.minus(Duration::from_secs(11)))), NotResumed::FutureDated);
    assert_eq!(told_by(&clock(|_| Moment::from_millis(0))), NotResumed::FutureDated);
    assert_eq!(told_by(&clock(|_| Moment::from_millis(u64::MAX))), NotResumed::Expired);
    for why in [NotResumed::Revoked, NotResumed::PolicyChanged] {
        assert_eq!(told_by(&|scene: &mut Scene| scene.memory.edit().refuses = Some(why)), why);
    }
    let renamed = |name: Option<&'static str>| {
        move |scene: &mut Scene| scene.memory.change(|session| session.server_name = name.map(Into::into))
    };
    assert_eq!(told_by(&renamed(None)), NotResumed::OtherServerName);
    assert_eq!(told_by(&renamed(Some("other.test"))), NotResumed::OtherServerName);
    let suite = |scene: &mut Scene| {
        scene.memory.change(|session| {
            session.suite = AES256;
            session.psk = symbolon::crypto::HashSecret::copy_of(&[1; 48]).unwrap();
        })
    };
    assert_eq!(told_by(&suite), NotResumed::NoCommonSuite);
    let required = |scene: &mut Scene| {
        *scene = scene.clone().serve(|b| b.client_auth(ClientAuth::Required { authorities: vec![] }));
        scene.credential = Some(p256());
    };
    assert_eq!(told_by(&required), NotResumed::NoClientCertificate);
}

#[test]
fn a_ticket_is_good_until_the_last_moment_of_its_life() {
    for (late, resumed) in [(3_599_999, Ok(Resumed::Session)), (3_600_000, Err(NotResumed::Expired))] {
        let scene = Scene::of(AES128);
        let ticket = scene.ticket();
        let later = NOW.plus(Duration::from_millis(late));
        scene.memory.edit().now = later;
        // The client's clock stands still.
        assert_eq!(scene.resume(ticket).server.summary.unwrap().resumed, resumed);

        let mut scene = Scene::of(AES128);
        let ticket = scene.ticket();
        scene.now = later;
        assert_eq!(scene.resume(ticket).client.summary.unwrap().resumed, resumed);
    }
}

#[test]
fn a_ticket_may_be_younger_than_the_server_by_its_clock_skew() {
    let scene = Scene::of(AES128);
    let ticket = scene.ticket();
    scene.memory.edit().now = NOW.minus(Duration::from_secs(10));
    assert_eq!(told(&scene.resume(ticket)), RESUMED);
}

#[test]
fn names_are_the_same_whatever_their_case() {
    let scene = Scene::of(AES128);
    let ticket = scene.ticket();
    scene.memory.change(|session| session.server_name = Some("EXAMPLE.Test".into()));
    assert_eq!(told(&scene.resume(ticket)), RESUMED);
}

//= testvectors/requirements/rfc9846.txt#section-4.3.11.1
//= type=test
//# Clients MUST NOT attempt to use tickets which have ages greater than the "ticket_lifetime" value which
//# was provided with the ticket.
#[test]
fn a_client_says_why_it_offers_no_ticket() {
    let scene = Scene::of(AES128);
    let why = |scene: &Scene, ticket: Ticket| {
        let pair = scene.resume(ticket);
        assert_eq!(pair.server.summary.unwrap().resumed, Err(NotResumed::NotOffered));
        pair.client.summary.unwrap().resumed.unwrap_err()
    };
    let at = |now| Scene { now, ..scene.clone() };
    assert_eq!(why(&at(NOW.minus(Duration::from_millis(1))), scene.ticket()), NotResumed::FutureDated);
    assert_eq!(why(&at(Moment::from_millis(0)), scene.ticket()), NotResumed::FutureDated);
    assert_eq!(why(&at(NOW.plus(Duration::from_secs(3600))), scene.ticket()), NotResumed::Expired);
    assert_eq!(why(&at(Moment::from_millis(u64::MAX)), scene.ticket()), NotResumed::Expired);
    let with = |client| Scene { client, ..scene.clone() };
    let policy = client_config(|b| b.suites(&[AES128]).verification_policy("another"));
    assert_eq!(why(&with(policy), scene.ticket()), NotResumed::PolicyChanged);
    let protocols = client_config(|b| b.suites(&[AES128]).alpn(["h2"]));
    assert_eq!(why(&with(protocols), scene.ticket()), NotResumed::PolicyChanged);
    let modes = client_config(|b| b.suites(&[AES128]).psk_ke());
    assert_eq!(why(&with(modes), scene.ticket()), NotResumed::PolicyChanged);
    let suites = client_config(|b| b.suites(&[CHACHA]));
    let server = scene.clone().serve(|b| b);
    assert_eq!(why(&Scene { client: suites, ..server }, scene.ticket()), NotResumed::NoCommonSuite);
}

//= testvectors/requirements/rfc9846.txt#section-4.7.1
//= type=test
//# Clients MUST only resume if the new SNI value is valid for the server certificate presented in the
//# original session
#[test]
fn a_ticket_is_for_its_server_alone() {
    let scene = Scene::of(AES128);
    let mut out = SendBuf::with_limit(LIMIT);
    let other = ServerName::try_from("other.test").unwrap();
    let offer = Offer::resume(scene.ticket(), NOW);
    let conn = Client::start(&scene.client, other, offer, &mut out).unwrap();
    let client = Party::new(conn, out, Answers::default());
    let mut pair = Pair { client, server: scene.server() };
    pair.run().unwrap();
    assert_eq!(told(&pair), [Err(NotResumed::OtherServerName), Err(NotResumed::NotOffered)]);
}

#[test]
fn peers_are_verified_again_where_that_is_configured() {
    let scene = Scene::new(
        |b| b.verify_resumed_peers(),
        |b| b.verify_resumed_peers().client_auth(ClientAuth::Required { authorities: vec![] }),
    );
    let scene = Scene { credential: Some(p256()), ..scene };
    let ticket = scene.ticket();
    let (a, b) = copies(&ticket);
    let (b, c) = copies(&b);
    let pair = scene.resume(a);
    assert_eq!(told(&pair), RESUMED);
    assert_eq!(pair.client.answers.asked, ["VerifyPeer"]);
    assert_eq!(pair.server.answers.asked, ["LookupPsk", "VerifyPeer", "SealTicket"]);
    assert!(pair.server.summary.unwrap().peer.is_some());

    let mut pair = scene.pair(Offer::resume(b, NOW));
    pair.client.answers.resumed_peers = Verdict::Refused;
    assert_eq!(pair.run().unwrap_err().alert(), Some(AlertCode::CERTIFICATE_REVOKED));
    assert!(pair.client.summary.is_none());
    pair.server.inbox = pair.client.flush();
    assert_eq!(pair.server.run(), Err(Error::Alert(AlertCode::CERTIFICATE_REVOKED)));

    let mut pair = scene.pair(Offer::resume(c, NOW));
    pair.server.answers.resumed_peers = Verdict::Refused;
    assert_eq!(pair.run().unwrap_err().alert(), Some(AlertCode::CERTIFICATE_REVOKED));
    assert!(pair.server.summary.is_none());
    pair.client.inbox = pair.server.flush();
    assert_eq!(pair.client.run(), Err(Error::Alert(AlertCode::CERTIFICATE_REVOKED)));
}

#[test]
fn what_a_verification_says_of_a_resumed_peer_is_what_is_told() {
    let scene = Scene::new(|b| b.verify_resumed_peers(), |b| b);
    let mut pair = scene.pair(Offer::resume(scene.ticket(), NOW));
    pair.client.hold = vec!["VerifyPeer"];
    pair.run().unwrap();
    let Some(Question::VerifyPeer(question)) = pair.client.held.pop() else { panic!("no question") };
    assert_eq!(question.name(), Some(&name()));
    let expires = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(1 << 33));
    let claim = Claim::dns("example.test", expires);
    pair.client.conn.resume(question.verified(claim), &mut pair.client.out).unwrap();
    pair.client.run().unwrap();
    let summary = pair.client.summary.as_ref().unwrap();
    assert_eq!(summary.peer.as_ref().unwrap().identity.to_string(), "dns:example.test");
}

#[test]
fn a_session_carries_its_client_certificate() {
    for auth in [ClientAuth::Optional { authorities: vec![] }, ClientAuth::Required { authorities: vec![] }] {
        let scene = Scene::new(|b| b, |b| b.client_auth(auth.clone()));
        let scene = Scene { credential: Some(p256()), ..scene };
        let mut first = scene.connect(Offer::fresh());
        let ticket = first.client.tickets.remove(0).received(NOW);
        // What the client has now does not matter.
        let pair = Scene { credential: None, ..scene }.resume(ticket);
        assert_eq!(told(&pair), RESUMED);
        let peer = |pair: &Pair| pair.server.summary.as_ref().unwrap().peer.clone().unwrap();
        assert_eq!(peer(&pair).identity, peer(&first).identity);
        assert_eq!(peer(&pair).chain, peer(&first).chain);
    }
}

#[test]
fn a_required_certificate_is_not_replaced_by_a_session_without_one() {
    let required = || ClientAuth::Required { authorities: vec![] };
    for credential in [None, Some(p256())] {
        let scene = Scene::of(AES128);
        let ticket = scene.ticket();
        let scene = Scene { credential: credential.clone(), ..scene.serve(|b| b.client_auth(required())) };
        let mut pair = scene.pair(Offer::resume(ticket, NOW));
        match credential {
            None => {
                assert_eq!(pair.run().unwrap_err().alert(), Some(AlertCode::CERTIFICATE_REQUIRED));
                assert!(pair.server.summary.is_none());
            }
            Some(_) => {
                pair.run().unwrap();
                assert_eq!(told(&pair)[1], Err(NotResumed::NoClientCertificate));
                assert!(pair.server.summary.unwrap().peer.is_some());
            }
        }
    }
}

#[test]
fn a_required_certificate_is_not_replaced_by_a_session_of_an_external_key() {
    let scene = Scene::of(AES128);
    let ticket = scene.ticket();
    let key = Arc::new(ExternalPsk::new(b"key", &[7; 32], PskHash::Sha256).unwrap());
    scene.memory.edit().external.push(Arc::clone(&key));
    let holder = scene.connect(Offer::fresh().with_psks([key])).server.summary.unwrap().peer;
    scene.memory.change(|session| session.peer.clone_from(&holder));
    let scene = scene.serve(|b| b.client_auth(ClientAuth::Required { authorities: vec![] }));
    let mut pair = scene.pair(Offer::resume(ticket, NOW));
    assert_eq!(pair.run().unwrap_err().alert(), Some(AlertCode::CERTIFICATE_REQUIRED));
}

#[test]
fn a_session_does_not_outlive_the_certificate_behind_it() {
    // RFC 9846 section 4.7.1: the lifetime of the keying material should "take into account the lifetime of the peer's
    // certificate".
    let scene = Scene::new(|b| b, |b| b.client_auth(ClientAuth::Required { authorities: vec![] }));
    let scene = Scene { credential: Some(p256()), ..scene };
    let ticket = scene.ticket();
    scene.memory.change(|session| {
        let mut peer = Peer::clone(session.peer.as_ref().unwrap());
        peer.expires = NOW.plus(Duration::from_secs(60)).unix_time();
        session.peer = Some(Arc::new(peer));
    });
    let (a, b) = copies(&ticket);
    scene.memory.edit().now = NOW.plus(Duration::from_secs(59));
    assert_eq!(told(&scene.resume(a)), RESUMED);
    scene.memory.edit().now = NOW.plus(Duration::from_secs(60));
    assert_eq!(told(&scene.resume(b))[1], Err(NotResumed::Expired));
}

#[test]
fn a_client_does_not_use_a_ticket_longer_than_the_servers_certificate_lives() {
    let scene = Scene::of(AES128);
    let encoded = scene.ticket().encode().unwrap().to_vec();
    let ticket = Ticket::decode(&encoded).unwrap();
    let expires = Moment::from(ticket.peer().expires);
    assert!(ticket.expires() < expires);
    // The time stands in the encoding as it is: seconds, big-endian.
    let (old, new) = ((1_u64 << 33).to_be_bytes(), 1_800_000_060_u64.to_be_bytes());
    let at = encoded.windows(8).position(|bytes| bytes == old).unwrap();
    let mut changed = encoded;
    changed[at..at + 8].copy_from_slice(&new);
    let ticket = Ticket::decode(&changed).unwrap();
    assert_eq!(ticket.expires(), NOW.plus(Duration::from_secs(60)));
    let scene = Scene { now: ticket.expires(), ..scene };
    assert_eq!(told(&scene.resume(ticket))[0], Err(NotResumed::Expired));
}
