//! Early data (RFC 9846 sections 2.3, 4.3.10, 4.6 and 8) between a real client and a real server.
#![cfg(feature = "rustcrypto")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::forge::{HANDSHAKE, Hello, p256, records};
use support::psk::EARLY_DATA;
use support::resumption::*;
use support::*;
use symbolon::codepoint::NamedGroup;
use symbolon::config::{ClientAuth, ServerConfigBuilder};
use symbolon::conn::EarlyVerdict::{Accepted, Refused};
use symbolon::conn::{NoEarlyData, NotResumed, Offer, Resumed, SecretLabel, Unknowable};
use symbolon::psk::{ExternalPsk, PskHash, Ticket};
use symbolon::{AlertCode, Error, Misuse, Moment};

const REQUEST: &[u8] = b"a harmless request";

/// What the client's and the server's summary say of early data.
fn told(pair: &Pair) -> [Result<(), NoEarlyData>; 2] {
    [pair.client.summary.as_ref().unwrap().early_data, pair.server.summary.as_ref().unwrap().early_data]
}

fn accepting(b: ServerConfigBuilder) -> ServerConfigBuilder {
    b.early_data(MAX_EARLY, guarded())
}

//= testvectors/requirements/rfc9846.txt#appendix-F.5
//= type=test
//# TLS implementations MUST provide a way for the application to determine if the handshake has completed
#[test]
fn early_data_is_delivered_before_the_handshake_is_complete() {
    for suite in [AES128, AES256, CHACHA] {
        let scene = Scene::early(suite);
        let ticket = scene.ticket();
        assert_eq!(ticket.max_early_data(), MAX_EARLY);
        let mut pair = scene.pair_with_early(ticket, REQUEST);
        pair.server.inbox = pair.client.flush();
        pair.server.run().unwrap();
        assert_eq!(pair.server.early, REQUEST);
        assert_eq!(pair.server.events, ["EarlyOpen", "Early"]);
        assert!(pair.server.summary.is_none());
        let opening = pair.server.opening.as_ref().unwrap();
        assert_eq!((opening.suite, opening.max), (suite, MAX_EARLY));
        assert_eq!(opening.server_name.as_deref(), Some("example.test"));
        assert!(opening.alpn.is_none() && opening.peer.is_none());
        pair.run().unwrap();
        assert_eq!(pair.server.events, ["EarlyOpen", "Early", "EarlyEnd", "Established"]);
        assert_eq!(pair.client.events, ["EarlyVerdict", "Established"]);
        assert_eq!(pair.client.verdicts, [Accepted]);
        assert_eq!(told(&pair), [Ok(()), Ok(())]);
        assert_eq!(pair.server.answers.asked, ["LookupPsk", "CheckReplay", "SealTicket"]);
        pair.send_up(b"up");
        pair.send_down(b"down");
        assert_eq!(pair.server.data, b"up");
        assert_eq!(pair.server.early, REQUEST);
    }
}

#[test]
fn early_data_may_be_offered_and_none_sent() {
    let scene = Scene::early(AES128);
    let ticket = scene.ticket();
    let pair = scene.connect(Offer::resume(ticket, NOW).with_early_data());
    assert_eq!(pair.server.events, ["EarlyOpen", "EarlyEnd", "Established"]);
    assert_eq!(told(&pair), [Ok(()), Ok(())]);
}

#[test]
fn early_data_needs_no_key_exchange() {
    let scene = Scene::new(|b| b.psk_ke(), |b| accepting(b).psk_ke());
    let ticket = scene.ticket();
    let other = scene.serve(|b| accepting(b).psk_ke().groups(&[NamedGroup::SECP256R1]));
    let pair = other.send_early(ticket, REQUEST);
    assert_eq!((told(&pair), &pair.server.early[..]), ([Ok(()), Ok(())], REQUEST));
    assert_eq!(pair.client.summary.unwrap().group, None);
}

#[test]
fn an_application_learns_whom_early_data_is_from_and_what_it_speaks() {
    let scene = Scene::new(
        |b| b.alpn(["h2"]),
        |b| accepting(b).alpn(["h2"]).client_auth(ClientAuth::Required { authorities: vec![] }),
    );
    let scene = Scene { credential: Some(p256()), ..scene };
    let ticket = scene.ticket();
    assert_eq!(ticket.alpn(), Some(&b"h2"[..]));
    let pair = scene.send_early(ticket, REQUEST);
    let opening = pair.server.opening.unwrap();
    assert_eq!(opening.alpn.as_deref(), Some(&b"h2"[..]));
    assert!(opening.peer.is_some());
    assert_eq!(pair.server.early, REQUEST);
}

#[test]
fn a_writer_takes_no_more_than_the_ticket_permits() {
    let scene = Scene::early(AES128);
    let mut pair = scene.pair(Offer::resume(scene.ticket(), NOW).with_early_data());
    let client = &mut pair.client;
    let mut writer = client.conn.early_writer().unwrap();
    assert_eq!(writer.remaining(), MAX_EARLY as usize);
    assert_eq!(writer.write(&[&[1; 600], &[2; 100]], &mut client.out), Ok(700));
    assert_eq!(writer.remaining(), 300);
    assert_eq!(writer.write(&[], &mut client.out), Ok(0));
    assert_eq!(writer.write(&[&[3; 100], &[4; 500]], &mut client.out), Ok(300));
    assert_eq!(writer.remaining(), 0);
    assert_eq!(writer.write(&[b"x"], &mut client.out), Ok(0));
    pair.run().unwrap();
    let sent = [&[1; 600][..], &[2; 100], &[3; 100], &[4; 200]].concat();
    assert_eq!(pair.server.early, sent);
    assert_eq!(told(&pair), [Ok(()), Ok(())]);
}

#[test]
fn a_writer_takes_what_fits_the_output_buffer() {
    let scene = Scene::early(AES128);
    let ticket = scene.ticket();
    let mut pair = scene.pair(Offer::resume(ticket, NOW).with_early_data());
    let mut small = symbolon::conn::SendBuf::with_limit(100);
    let written = pair.client.conn.early_writer().unwrap().write(&[&[1; 500]], &mut small).unwrap();
    assert!(0 < written && written < 100);
    let left = pair.client.conn.early_writer().unwrap().remaining();
    assert_eq!(left, MAX_EARLY as usize - written);
    pair.server.inbox = [pair.client.flush(), small.pending().to_vec()].concat();
    pair.server.run().unwrap();
    assert_eq!(pair.server.early.len(), written);
}

#[test]
fn there_is_a_writer_only_while_early_data_may_be_sent() {
    let scene = Scene::early(AES128);
    let mut pair = scene.pair(Offer::fresh().with_early_data());
    assert!(pair.client.conn.early_writer().is_none());
    pair.run().unwrap();
    assert_eq!(told(&pair)[0], Err(NoEarlyData::NotResumed));
    let mut pair = scene.pair(Offer::resume(scene.ticket(), NOW));
    assert!(pair.client.conn.early_writer().is_none());
    pair.run().unwrap();
    assert_eq!(told(&pair), [Err(NoEarlyData::NotOffered); 2]);

    let mut pair = scene.pair_with_early(scene.ticket(), REQUEST);
    assert_eq!(
        pair.client.conn.write(&[b"x"], &mut pair.client.out),
        Err(Error::Misuse(Misuse::NotEstablished))
    );
    pair.run().unwrap();
    assert!(pair.client.conn.early_writer().is_none());
    let server = scene.clone().serve(|b| b);
    let mut pair = server.pair_with_early(scene.ticket(), REQUEST);
    pair.run().unwrap();
    assert_eq!(pair.client.verdicts, [Refused]);
    assert!(pair.client.conn.early_writer().is_none());
}

#[test]
fn a_ticket_that_permits_none_sends_none() {
    let scene = Scene::of(AES128);
    let ticket = scene.ticket();
    assert_eq!(ticket.max_early_data(), 0);
    let mut pair = scene.pair(Offer::resume(ticket, NOW).with_early_data());
    assert!(pair.client.conn.early_writer().is_none());
    pair.run().unwrap();
    assert!(pair.client.verdicts.is_empty());
    assert_eq!(told(&pair), [Err(NoEarlyData::NotPermitted), Err(NoEarlyData::NotOffered)]);
}

/// Sends early data that must be refused, for a reason that the server gives.
#[track_caller]
fn refused(scene: &Scene, ticket: Ticket, resumed: bool) -> NoEarlyData {
    let mut pair = scene.send_early(ticket, REQUEST);
    assert!(pair.server.early.is_empty());
    assert!(pair.server.opening.is_none());
    assert_eq!(pair.client.verdicts, [Refused]);
    let summary = pair.server.summary.as_ref().unwrap();
    assert_eq!(summary.resumed.is_ok(), resumed, "{:?}", summary.resumed);
    let expected = if summary.retried { NoEarlyData::Retried } else { NoEarlyData::Declined };
    assert_eq!(told(&pair)[0], Err(expected));
    // Nothing is sent again by itself.
    assert!(pair.server.data.is_empty());
    pair.send_up(b"again");
    pair.send_down(b"down");
    assert_eq!(pair.server.data, b"again");
    told(&pair)[1].unwrap_err()
}

//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# A server which receives an "early_data" extension MUST behave in one of three ways:
#[test]
fn a_server_says_why_it_refuses_early_data() {
    let scene = Scene::early(AES128);
    let behind = |change: &dyn Fn(ServerConfigBuilder) -> ServerConfigBuilder| scene.clone().serve(change);
    let why = |other: Scene| refused(&other, scene.ticket(), true);
    assert_eq!(why(behind(&|b| b)), NoEarlyData::SwitchedOff);
    assert_eq!(why(behind(&|b| accepting(b).early_data_names(["other.test"]))), NoEarlyData::ServerName);
    assert_eq!(why(behind(&|b| accepting(b).early_data_protocols(["h2"]))), NoEarlyData::Protocol);
    assert_eq!(why(behind(&|b| b.early_data(MAX_EARLY - 1, guarded()))), NoEarlyData::NotPermitted);
    for unknowable in [
        Unknowable::Full,
        Unknowable::BeforeMemory,
        Unknowable::TooLong,
        Unknowable::Late,
        Unknowable::Unreachable,
        Unknowable::Nonsense,
        Unknowable::NoGuard,
    ] {
        let other = scene.clone();
        other.memory.edit().guard_is = Some(unknowable);
        assert_eq!(why(other), NoEarlyData::Unknowable(unknowable));
    }
}

#[test]
fn early_data_is_for_the_names_and_protocols_that_are_permitted() {
    let scene = Scene::new(
        |b| b.alpn(["h2"]),
        |b| accepting(b).alpn(["h2"]).early_data_names(["EXAMPLE.test"]).early_data_protocols(["h2"]),
    );
    assert_eq!(told(&scene.send_early(scene.ticket(), REQUEST)), [Ok(()), Ok(())]);
    // Tickets of others permit none from the start.
    let other = Scene::new(|b| b, |b| accepting(b).early_data_names(["other.test"]));
    assert_eq!(other.ticket().max_early_data(), 0);
}

#[test]
fn without_resumption_early_data_is_refused() {
    let scene = Scene::early(AES128);
    let ticket = scene.ticket();
    scene.memory.edit().sessions.clear();
    assert_eq!(refused(&scene, ticket, false), NoEarlyData::NotResumed);
    let ticket = scene.ticket();
    scene.memory.edit().sessions.clear();
    assert_eq!(refused(&scene.serve(|b| b), ticket, false), NoEarlyData::SwitchedOff);
}

//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# The PSK used to encrypt the early data MUST be the first PSK listed in the client's "pre_shared_key"
//# extension.
//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# In order to accept early data, the server MUST have selected the first key offered in the client's
//# "pre_shared_key" extension.
#[test]
fn only_the_first_key_is_for_early_data() {
    let scene = Scene::early(AES128);
    let key = Arc::new(ExternalPsk::new(b"k", &[1; 32], PskHash::Sha256).unwrap());
    scene.memory.edit().external = vec![key.clone()];
    let ticket = scene.ticket();
    scene.memory.edit().sessions.clear();
    let offer = Offer::resume(ticket, NOW).with_psks([key]).with_early_data();
    let mut pair = scene.pair(offer);
    let written = pair.client.conn.early_writer().unwrap().write(&[REQUEST], &mut pair.client.out);
    assert_eq!(written, Ok(REQUEST.len()));
    pair.run().unwrap();
    assert_eq!(pair.server.summary.as_ref().unwrap().resumed, Ok(Resumed::ExternalPsk));
    assert_eq!(told(&pair), [Err(NoEarlyData::Declined), Err(NoEarlyData::NotFirst)]);
    assert_eq!(pair.client.verdicts, [Refused]);
    assert!(pair.server.early.is_empty());
}

//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# In addition, it MUST verify that the following values are the same as those associated with the selected
//# PSK:
//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# If any of these checks fail, the server MUST NOT respond with the extension and must discard all the
//# first-flight data using one of the first two mechanisms listed above (thus falling back to 1-RTT or
//# 2-RTT).
#[test]
fn early_data_is_refused_under_another_suite_or_protocol() {
    let scene = Scene::new(|b| b.suites(&[AES128, CHACHA]), |b| accepting(b).suites(&[AES128]));
    let ticket = scene.ticket();
    let other = scene.serve(|b| accepting(b).suites(&[CHACHA]));
    assert_eq!(refused(&other, ticket, true), NoEarlyData::OtherSuite);

    let scene = Scene::new(|b| b.alpn(["h2", "h3"]), |b| accepting(b).alpn(["h2", "h3"]));
    let protocols: [&[&str]; 2] = [&["h3"], &[]];
    for protocols in protocols {
        let ticket = scene.ticket();
        let other = scene.clone().serve(|b| accepting(b).alpn(protocols));
        assert_eq!(refused(&other, ticket, true), NoEarlyData::OtherProtocol);
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# A server which receives an "early_data" extension MUST behave in one of three ways:
#[test]
fn a_retry_refuses_early_data_and_skips_it() {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    for suite in SUITES {
        let scene = Scene::new(|b| b.suites(&[suite]).groups(&groups), accepting);
        let ticket = scene.ticket();
        let other = scene.serve(|b| accepting(b).groups(&groups[1..]));
        assert_eq!(refused(&other, ticket, true), NoEarlyData::Retried);
        assert!(other.memory.edit().flights.is_empty(), "no guard is asked");
    }
}

#[test]
fn after_a_retry_the_second_hello_is_unprotected_and_without_early_data() {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    let scene = Scene::new(|b| b.groups(&groups), accepting);
    let ticket = scene.ticket();
    let mut pair = scene.serve(|b| accepting(b).groups(&groups[1..])).pair_with_early(ticket, REQUEST);
    pair.server.inbox = pair.client.flush();
    pair.server.run().unwrap();
    pair.client.inbox = pair.server.flush();
    pair.client.run().unwrap();
    assert_eq!(pair.client.verdicts, [Refused]);
    assert!(pair.client.conn.early_writer().is_none());
    let sent = records(&pair.client.flush());
    assert_eq!(sent.iter().map(|record| record[0]).collect::<Vec<_>>(), [HANDSHAKE]);
    assert!(Hello::parse(&sent[0][5..]).data(EARLY_DATA).is_none());
}

//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# For PSKs provisioned via NewSessionTicket, a server MUST validate that the ticket age for the selected
//# PSK identity (computed by subtracting ticket_age_add from PskIdentity.obfuscated_ticket_age modulo 2^32)
//# is within a small tolerance of the time since the ticket was issued (see Section 8).
#[test]
fn a_first_flight_is_fresh_within_the_window_alone() {
    // RFC 9846 section 8.3: the expected arrival time against the server's clock.
    let window = Duration::from_secs(10);
    let millisecond = Duration::from_millis(1);
    let age = Duration::from_secs(1000);
    let expected = NOW.plus(age);
    let cases = [
        (expected, Ok(())),
        (expected.plus(window), Ok(())),
        (expected.plus(window).plus(millisecond), Err(NoEarlyData::NotFresh)),
        (expected.minus(window), Ok(())),
        (expected.minus(window).minus(millisecond), Err(NoEarlyData::NotFresh)),
        (NOW, Err(NoEarlyData::NotFresh)),
    ];
    for add in [0, 1, u32::MAX, u32::MAX - 1_000_000, 1 << 31] {
        for (arrival, verdict) in cases {
            let mut scene = Scene::early(AES128);
            let ticket = with_age_add(&scene, add);
            scene.now = expected;
            scene.memory.edit().now = arrival;
            let pair = scene.send_early(ticket, REQUEST);
            assert_eq!(told(&pair)[1], verdict, "{add} {arrival:?}");
            assert_eq!(pair.server.early.is_empty(), verdict.is_err());
            assert_eq!(pair.server.summary.unwrap().resumed, Ok(Resumed::Session));
        }
    }
}

/// A ticket whose age is hidden by this number.
fn with_age_add(scene: &Scene, add: u32) -> Ticket {
    let mut encoded = scene.ticket().encode().unwrap().to_vec();
    let old = scene.memory.only().1.age_add.to_be_bytes();
    let at = encoded.windows(4).position(|bytes| bytes == old).unwrap();
    encoded[at..at + 4].copy_from_slice(&add.to_be_bytes());
    scene.memory.change(|session| session.age_add = add);
    Ticket::decode(&encoded).unwrap()
}

//= testvectors/requirements/rfc9846.txt#section-8.2
//= type=test
//# The server MUST derive the storage key only from validated sections of the ClientHello.
#[test]
fn what_a_guard_is_asked_for_is_the_flight_and_how_long_to_remember_it() {
    let mut scene = Scene::early(AES128);
    let ticket = scene.ticket();
    scene.pass(Duration::from_secs(5));
    scene.memory.edit().now = NOW.plus(Duration::from_secs(8));
    scene.send_early(ticket, REQUEST);
    let state = scene.memory.edit();
    let flight = state.flights[0];
    assert_eq!((flight.issued, flight.now), (NOW, NOW.plus(Duration::from_secs(8))));
    assert_eq!(flight.expires, NOW.plus(Duration::from_secs(15)));
}

#[test]
fn a_clock_at_its_end_does_no_harm() {
    for now in [0, 1, u64::MAX - 1, u64::MAX].map(Moment::from_millis) {
        let scene = Scene::early(AES128);
        let ticket = scene.ticket();
        scene.memory.change(|session| {
            (session.issued, session.authenticated) = (now, now);
            session.expires = Moment::from_millis(u64::MAX);
        });
        scene.memory.edit().now = now;
        let pair = scene.send_early(ticket, REQUEST);
        let expected =
            if now.as_millis() == u64::MAX { Err(NotResumed::Expired) } else { Ok(Resumed::Session) };
        assert_eq!(pair.server.summary.unwrap().resumed, expected);
    }
}

#[test]
fn both_sides_export_the_same_early_keying_material() {
    for suite in SUITES {
        let scene = Scene::early(suite);
        let mut pair = scene.pair_with_early(scene.ticket(), REQUEST);
        let early = |pair: &Pair| {
            let (mut a, mut b) = ([0; 40], [0; 40]);
            pair.client.conn.early_exporter(b"test", b"context", &mut a).unwrap();
            pair.server.conn.early_exporter(b"test", b"context", &mut b).unwrap();
            assert_eq!(a, b);
            a
        };
        let mut out = [0; 40];
        let none = Err(Error::Misuse(Misuse::NoEarlyData));
        assert_eq!(pair.server.conn.early_exporter(b"test", b"context", &mut out), none);
        pair.server.inbox = pair.client.flush();
        pair.server.run().unwrap();
        let before = early(&pair);
        pair.run().unwrap();
        assert_eq!(early(&pair), before);
        pair.client.conn.exporter(b"test", b"context", &mut out).unwrap();
        assert_ne!(out, before);
        let pair = scene.connect(Offer::resume(scene.ticket(), NOW));
        assert_eq!(pair.client.conn.early_exporter(b"test", b"context", &mut out), none);
        assert_eq!(pair.server.conn.early_exporter(b"test", b"context", &mut out), none);
    }
}

#[test]
fn early_secrets_are_revealed_under_their_names() {
    let scene = Scene::early(AES128);
    let pair = scene.send_early(scene.ticket(), REQUEST);
    for label in [SecretLabel::ClientEarlyTraffic, SecretLabel::EarlyExporter] {
        let of = |secrets: &[(SecretLabel, Vec<u8>)]| -> Vec<Vec<u8>> {
            secrets.iter().filter(|(found, _)| *found == label).map(|(_, secret)| secret.clone()).collect()
        };
        assert_eq!(of(&pair.client.secrets).len(), 1);
        assert_eq!(of(&pair.client.secrets), of(&pair.server.secrets));
    }
    assert_eq!(SecretLabel::ClientEarlyTraffic.key_log_name(), "CLIENT_EARLY_TRAFFIC_SECRET");
    assert_eq!(SecretLabel::EarlyExporter.key_log_name(), "EARLY_EXPORTER_SECRET");
    // A server that refuses has none to reveal.
    let other = scene.clone().serve(|b| b);
    let pair = other.send_early(scene.ticket(), REQUEST);
    assert!(pair.server.secrets.iter().all(|(label, _)| *label != SecretLabel::ClientEarlyTraffic));
}

//= testvectors/requirements/rfc9846.txt#section-4.3.11.3
//= type=test
//# when accepting "early_data", servers MUST process the client's ClientHello and then immediately send
//# their flight of messages, rather than waiting for the client's EndOfEarlyData message before sending its
//# ServerHello
#[test]
fn a_server_may_answer_early_data_at_once() {
    let scene = Scene::early(AES128);
    let mut pair = scene.pair_with_early(scene.ticket(), REQUEST);
    assert!(pair.server.conn.half_rtt_writer().is_none());
    pair.server.inbox = pair.client.flush();
    pair.server.run().unwrap();
    let mut writer = pair.server.conn.half_rtt_writer().unwrap();
    assert_eq!(writer.write(&[b"a ", b"response"], &mut pair.server.out), Ok(10));
    pair.client.inbox = pair.server.flush();
    pair.client.run().unwrap();
    assert_eq!(pair.client.data, b"a response");
    assert_eq!(pair.client.events, ["EarlyVerdict", "Established", "Data"]);
    assert!(pair.server.summary.is_none());
    pair.run().unwrap();
    assert!(pair.server.conn.half_rtt_writer().is_none());
    pair.send_down(b" and more");
    assert_eq!(pair.client.data, b"a response and more");
}

#[test]
fn half_rtt_data_to_a_client_that_nobody_knows_must_be_meant() {
    let scene = Scene::new(|b| b, |b| b.client_auth(ClientAuth::Optional { authorities: vec![] }));
    let scene = Scene { credential: Some(p256()), ..scene };
    let mut pair = scene.pair(Offer::fresh());
    pair.server.inbox = pair.client.flush();
    pair.server.run().unwrap();
    let server = &mut pair.server;
    let mut writer = server.conn.half_rtt_writer().unwrap();
    assert_eq!(writer.write(&[b"x"], &mut server.out), Err(Error::Misuse(Misuse::Unauthenticated)));
    let mut writer = server.conn.half_rtt_writer().unwrap().to_unauthenticated();
    assert_eq!(writer.write(&[b"meant"], &mut server.out), Ok(5));
    pair.run().unwrap();
    assert_eq!(pair.client.data, b"meant");
    let ticket = pair.client.tickets.remove(0).received(NOW);
    // A session knows its client.
    let mut pair = scene.pair(Offer::resume(ticket, NOW));
    pair.server.inbox = pair.client.flush();
    pair.server.run().unwrap();
    let mut writer = pair.server.conn.half_rtt_writer().unwrap();
    assert_eq!(writer.write(&[b"x"], &mut pair.server.out), Ok(1));
}

#[test]
fn questions_and_early_data_do_not_wait_for_each_other() {
    let scene = Scene::new(|b| b.verify_resumed_peers(), accepting);
    let mut pair = scene.pair_with_early(scene.ticket(), b"one ");
    pair.server.hold = vec!["CheckReplay"];
    pair.client.hold = vec!["VerifyPeer"];
    pair.run().unwrap();
    assert!(pair.server.events.is_empty() && pair.server.out.is_empty(), "nothing before the guard's word");
    // The client goes on while the server's guard is asked.
    let mut writer = pair.client.conn.early_writer().unwrap();
    writer.write(&[b"two "], &mut pair.client.out).unwrap();
    pair.run().unwrap();
    pair.server.release().unwrap();
    assert_eq!(pair.server.early, b"one two ");
    pair.run().unwrap();
    assert_eq!(pair.client.verdicts, [Accepted]);
    assert_eq!(pair.client.held.len(), 1);
    // And while its own verifier is.
    let mut writer = pair.client.conn.early_writer().unwrap();
    writer.write(&[b"three"], &mut pair.client.out).unwrap();
    pair.run().unwrap();
    assert_eq!(pair.server.early, b"one two three");
    let mut writer = pair.server.conn.half_rtt_writer().unwrap();
    writer.write(&[b"early answer"], &mut pair.server.out).unwrap();
    pair.run().unwrap();
    pair.client.release().unwrap();
    pair.run().unwrap();
    assert_eq!(told(&pair), [Ok(()), Ok(())]);
    assert_eq!(pair.client.data, b"early answer");
}

#[test]
fn a_resumed_peer_is_verified_before_the_guard_is_asked() {
    let required = || ClientAuth::Required { authorities: vec![] };
    let scene = Scene::new(|b| b, |b| accepting(b).verify_resumed_peers().client_auth(required()));
    let scene = Scene { credential: Some(p256()), ..scene };
    let ticket = scene.ticket();
    let (a, b) = copies(&ticket);
    let mut pair = scene.pair_with_early(a, REQUEST);
    pair.server.answers.resumed_peers = Verdict::Refused;
    assert_eq!(pair.run().unwrap_err().alert(), Some(AlertCode::CERTIFICATE_REVOKED));
    assert!(pair.server.early.is_empty());
    assert!(scene.memory.edit().flights.is_empty());
    let pair = scene.send_early(b, REQUEST);
    assert_eq!(pair.server.answers.asked, ["LookupPsk", "VerifyPeer", "CheckReplay", "SealTicket"]);
    assert_eq!(pair.server.early, REQUEST);
}

//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# Because [RFC8446] permitted reuse, receiving implementations MUST permit reuse by the peer in order to
//# prevent interoperability issues.
//= testvectors/requirements/rfc9846.txt#section-8
//= type=test
//# The server MUST ensure that any instance of it (be it a machine, a thread, or any other entity within
//# the relevant serving infrastructure) would accept 0-RTT for the same 0-RTT handshake at most once
#[test]
fn a_recorded_first_flight_is_delivered_once_a_guard() {
    for suite in SUITES {
        let scene = Scene::early(suite);
        let mut pair = scene.pair_with_early(scene.ticket(), REQUEST);
        let flight = pair.client.flush();
        pair.server.inbox = flight.clone();
        pair.server.run().unwrap();
        assert_eq!(pair.server.early, REQUEST);
        let replay = |memory: &Memory| {
            let mut server = server(&scene.server);
            server.answers.memory = Some(memory.clone());
            server.inbox = flight.clone();
            server.run().unwrap();
            assert!(server.summary.is_none());
            assert!(server.data.is_empty());
            server.early
        };
        // The same process, and another one that shares what the guard saw.
        assert!(replay(&scene.memory).is_empty());
        assert!(replay(&scene.memory.with_the_same_guard()).is_empty());
        // Nobody can tell behind another guard (RFC 9846 section 8).
        let other = scene.memory.with_another_guard();
        assert_eq!(replay(&other), REQUEST);
        assert!(replay(&other).is_empty());
        // The honest handshake goes on unharmed.
        pair.run().unwrap();
        assert_eq!(told(&pair), [Ok(()), Ok(())]);
    }
}

#[test]
fn a_replay_is_told_from_a_second_use_of_the_ticket() {
    let scene = Scene::early(AES128);
    let (a, b) = copies(&scene.ticket());
    assert_eq!(told(&scene.send_early(a, REQUEST)), [Ok(()), Ok(())]);
    // Another ClientHello with the same ticket has another binder.
    assert_eq!(told(&scene.send_early(b, REQUEST)), [Ok(()), Ok(())]);
    let mut scene = scene;
    let ticket = scene.ticket();
    let mut pair = scene.pair_with_early(ticket, REQUEST);
    let flight = pair.client.flush();
    for expected in [REQUEST, b""] {
        let mut server = scene.server();
        server.inbox = flight.clone();
        server.run().unwrap();
        assert_eq!(server.early, expected);
    }
    // Out of the window no guard is needed.
    scene.pass(Duration::from_secs(11));
    let asked = scene.memory.edit().flights.len();
    let mut server = scene.server();
    server.inbox = flight;
    server.run().unwrap();
    assert!(server.early.is_empty());
    assert_eq!(scene.memory.edit().flights.len(), asked);
}

//= testvectors/requirements/rfc9846.txt#section-8.2
//= type=test
//# in which case they MUST respond to apparent replay by rejecting 0-RTT but MUST NOT abort the handshake
#[test]
fn a_client_whose_flight_was_replayed_before_it_arrived_falls_back() {
    let scene = Scene::early(AES128);
    let mut pair = scene.pair_with_early(scene.ticket(), REQUEST);
    let flight = pair.client.flush();
    let mut attacked = scene.server();
    attacked.inbox = flight.clone();
    attacked.run().unwrap();
    assert_eq!(attacked.early, REQUEST);
    pair.server.inbox = flight;
    pair.server.run().unwrap();
    pair.run().unwrap();
    assert!(pair.server.early.is_empty());
    assert_eq!(told(&pair), [Err(NoEarlyData::Declined), Err(NoEarlyData::Replayed)]);
    assert_eq!(pair.server.summary.unwrap().resumed, Ok(Resumed::Session));
}
