//! Early data from clients that break the rules, to servers that do, and beside what should not happen meanwhile.
#![cfg(feature = "rustcrypto")]

mod support;

use support::forge::*;
use support::provider;
use support::psk::*;
use support::resumption::*;

use symbolon::codepoint::NamedGroup;
use symbolon::conn::{Client, EarlyVerdict, Epoch, NoEarlyData, Offer, SecretLabel};
use symbolon::{AlertCode, Error};

const ILLEGAL: AlertCode = AlertCode::ILLEGAL_PARAMETER;
const UNEXPECTED: AlertCode = AlertCode::UNEXPECTED_MESSAGE;
const BAD_MAC: AlertCode = AlertCode::BAD_RECORD_MAC;

/// A server with one session, whose early data would be accepted.
fn scene() -> Scene {
    let scene = Scene::early(AES128);
    scene.ticket();
    scene
}

/// A server that accepted the early data of a client by hand.
fn accepted() -> ByHand {
    let by_hand = ByHand::offer(&scene(), |_, _| {});
    assert_eq!(by_hand.server.party.events, ["EarlyOpen"]);
    by_hand
}

/// Checks that the server refused what it was just sent.
#[track_caller]
fn refuses(by_hand: &mut ByHand, result: Result<(), Error>, alert: AlertCode, what: &str) {
    by_hand.server.refuses(result, alert, Epoch::Application, what);
    assert!(by_hand.server.party.summary.is_none(), "{what}");
}

#[test]
fn a_client_by_hand_is_served() {
    for suite in [AES128, AES256, CHACHA] {
        let scene = Scene::early(suite);
        scene.ticket();
        let mut by_hand = ByHand::offer(&scene, |_, _| {});
        by_hand.early(b"one ").unwrap();
        by_hand.early(b"two").unwrap();
        by_hand.end().unwrap();
        by_hand.finish().unwrap();
        assert_eq!(by_hand.server.party.early, b"one two");
        assert_eq!(by_hand.server.party.summary.as_ref().unwrap().early_data, Ok(()));
        by_hand.server.say(Epoch::Application, DATA, b"up").unwrap();
        assert_eq!(by_hand.server.party.data, b"up");
    }
}

#[test]
fn exactly_what_the_ticket_permits_is_read_and_not_a_byte_more() {
    // RFC 9846 section 4.7.1: more "SHOULD terminate the connection with an "unexpected_message" alert".
    let mut by_hand = accepted();
    by_hand.early(&[1; 999]).unwrap();
    by_hand.early(&[1; 1]).unwrap();
    by_hand.end().unwrap();
    by_hand.finish().unwrap();
    assert_eq!(by_hand.server.party.early.len(), 1000);

    for parts in [&[1001][..], &[1000, 1], &[16_384], &[999, 2]] {
        let mut by_hand = accepted();
        let (last, before) = parts.split_last().unwrap();
        before.iter().for_each(|len| by_hand.early(&vec![1; *len]).unwrap());
        let told = by_hand.early(&vec![1; *last]);
        refuses(&mut by_hand, told, UNEXPECTED, &format!("{parts:?}"));
        assert_eq!(by_hand.server.party.early.len(), before.iter().sum::<usize>());
    }
}

#[test]
fn padding_does_not_count_as_early_data() {
    let mut by_hand = accepted();
    for _ in 0..4 {
        let inner = [&[1; 250][..], &[DATA], &[0; 10_000]].concat();
        let record = by_hand.early.seal_inner(&inner);
        by_hand.server.feed(&record).unwrap();
    }
    by_hand.end().unwrap();
    by_hand.finish().unwrap();
    assert_eq!(by_hand.server.party.early.len(), 1000);
}

//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# If the server chooses to accept the "early_data" extension, then it MUST comply with the same
//# error-handling requirements specified for all records when processing early data records.
#[test]
fn empty_records_of_early_data_are_refused_after_32() {
    let mut by_hand = accepted();
    for _ in 0..32 {
        by_hand.early(b"").unwrap();
        by_hand.early(b"x").unwrap();
    }
    let told = by_hand.early(b"");
    refuses(&mut by_hand, told, UNEXPECTED, "one more");
}

//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# if the server fails to decrypt a 0-RTT record following an accepted "early_data" extension, it MUST
//# terminate the connection with a "bad_record_mac" alert as per Section 5.2
#[test]
fn a_record_under_a_wrong_key_is_bad_where_early_data_is_accepted() {
    let mut by_hand = accepted();
    let told = by_hand.server.feed(&record(DATA, &[0x55; 60]));
    refuses(&mut by_hand, told, BAD_MAC, "garbage at once");
    let mut by_hand = accepted();
    by_hand.early(b"good").unwrap();
    let told = by_hand.server.feed(&record(DATA, &[0x55; 60]));
    refuses(&mut by_hand, told, BAD_MAC, "garbage behind");
    let mut by_hand = accepted();
    by_hand.early.sequence = 1;
    let told = by_hand.early(b"second first");
    refuses(&mut by_hand, told, BAD_MAC, "a record was left out");
    let mut by_hand = accepted();
    let record = by_hand.early.seal(DATA, b"twice");
    by_hand.server.feed(&record).unwrap();
    let told = by_hand.server.feed(&record);
    refuses(&mut by_hand, told, BAD_MAC, "a record twice");
}

#[test]
fn end_of_early_data_may_not_be_missing() {
    let mut by_hand = accepted();
    let finished = by_hand.finished();
    let told = by_hand.server.tell(Epoch::Handshake, &finished);
    refuses(&mut by_hand, told, BAD_MAC, "Finished under its own keys");
    let mut by_hand = accepted();
    let record = by_hand.early.seal(HANDSHAKE, &by_hand.finished());
    let told = by_hand.server.feed(&record);
    refuses(&mut by_hand, told, UNEXPECTED, "Finished under early keys");
    // With early data but without the end in the transcript.
    let mut by_hand = accepted();
    by_hand.end().unwrap();
    by_hand.said.clear();
    let told = by_hand.finish();
    refuses(&mut by_hand, told, AlertCode::DECRYPT_ERROR, "a transcript without it");
}

#[test]
fn end_of_early_data_comes_once() {
    let end = message(END_OF_EARLY_DATA, &[]);
    let mut by_hand = accepted();
    by_hand.end().unwrap();
    let told = by_hand.end();
    refuses(&mut by_hand, told, BAD_MAC, "again under early keys");
    let mut by_hand = accepted();
    by_hand.end().unwrap();
    let told = by_hand.server.tell(Epoch::Handshake, &end);
    refuses(&mut by_hand, told, UNEXPECTED, "again under handshake keys");
    let mut by_hand = accepted();
    let record = by_hand.early.seal(HANDSHAKE, &end.repeat(2));
    let told = by_hand.server.feed(&record);
    refuses(&mut by_hand, told, UNEXPECTED, "twice in one record");
}

#[test]
fn nothing_may_share_a_record_with_end_of_early_data() {
    // RFC 9846 section 5.1: messages "MUST NOT span key changes".
    let end = message(END_OF_EARLY_DATA, &[]);
    for behind in [vec![20], message(FINISHED, &[0; 32])] {
        let mut by_hand = accepted();
        let record = by_hand.early.seal(HANDSHAKE, &[&end[..], &behind].concat());
        let told = by_hand.server.feed(&record);
        refuses(&mut by_hand, told, UNEXPECTED, "more behind it");
    }
}

#[test]
fn end_of_early_data_is_empty() {
    for body in [&[0][..], &[1; 100]] {
        let mut by_hand = accepted();
        let record = by_hand.early.seal(HANDSHAKE, &message(END_OF_EARLY_DATA, body));
        let told = by_hand.server.feed(&record);
        refuses(&mut by_hand, told, AlertCode::DECODE_ERROR, "a body");
    }
}

#[test]
fn end_of_early_data_may_be_split_but_not_interrupted() {
    let end = message(END_OF_EARLY_DATA, &[]);
    let mut by_hand = accepted();
    for byte in &end {
        let record = by_hand.early.seal(HANDSHAKE, &[*byte]);
        by_hand.server.feed(&record).unwrap();
    }
    by_hand.said.extend(&end);
    by_hand.finish().unwrap();

    let mut by_hand = accepted();
    let record = by_hand.early.seal(HANDSHAKE, &end[..2]);
    by_hand.server.feed(&record).unwrap();
    let told = by_hand.early(b"between");
    refuses(&mut by_hand, told, UNEXPECTED, "early data between its parts");
    assert!(by_hand.server.party.early.is_empty());
}

#[test]
fn early_data_ends_with_its_end() {
    let mut by_hand = accepted();
    by_hand.end().unwrap();
    let told = by_hand.early(b"late");
    refuses(&mut by_hand, told, BAD_MAC, "under early keys");
    let mut by_hand = accepted();
    by_hand.end().unwrap();
    let told = by_hand.server.say(Epoch::Handshake, DATA, b"late");
    refuses(&mut by_hand, told, UNEXPECTED, "under handshake keys");
    assert!(by_hand.server.party.early.is_empty());
}

#[test]
fn no_other_message_may_come_under_early_keys() {
    let hello = accepted().hello;
    let others = [
        hello,
        message(KEY_UPDATE, &[0]),
        message(KEY_UPDATE, &[1]),
        message(CERTIFICATE, &[0, 0, 0, 0]),
        message(CERTIFICATE_VERIFY, &[4, 3, 0, 0]),
        message(TICKET, &[0; 20]),
        message(254, &[]),
    ];
    for other in others {
        let mut by_hand = accepted();
        by_hand.early(b"good").unwrap();
        let record = by_hand.early.seal(HANDSHAKE, &other);
        let told = by_hand.server.feed(&record);
        refuses(&mut by_hand, told, UNEXPECTED, &format!("kind {}", other[0]));
    }
}

#[test]
fn handshake_messages_and_data_in_the_clear_are_refused_meanwhile() {
    for (kind, content) in [(HANDSHAKE, message(END_OF_EARLY_DATA, &[])), (HANDSHAKE, vec![5]), (99, vec![1])]
    {
        let mut by_hand = accepted();
        let told = by_hand.server.feed(&record(kind, &content));
        refuses(&mut by_hand, told, UNEXPECTED, &format!("type {kind}"));
    }
}

#[test]
fn change_cipher_spec_is_dropped_meanwhile_and_no_oftener_than_elsewhere() {
    let mut by_hand = accepted();
    let passes = (0..100).take_while(|_| {
        let spec = record(CCS, &[1]);
        by_hand.server.feed(&spec).is_ok()
    });
    assert_eq!(passes.count(), 32);
    assert_eq!(by_hand.server.said.last(), Some(&Said::alert(Epoch::Application, UNEXPECTED)));
}

#[test]
fn a_client_may_give_up_under_any_keys_meanwhile() {
    // One that refuses our ServerHello has no other keys than those of early data, if even these.
    let alert = [2, AlertCode::ILLEGAL_PARAMETER.0];
    let mut by_hand = accepted();
    by_hand.early(b"good").unwrap();
    let told = by_hand.server.feed(&record(ALERT, &alert));
    assert_eq!(told, Err(Error::Alert(ILLEGAL)));
    let mut by_hand = accepted();
    let record = by_hand.early.seal(ALERT, &alert);
    assert_eq!(by_hand.server.feed(&record), Err(Error::Alert(ILLEGAL)));
    let mut by_hand = accepted();
    let record = by_hand.early.seal(ALERT, &[1, AlertCode::CLOSE_NOTIFY.0]);
    assert_eq!(by_hand.server.feed(&record), Err(Error::ClosedInHandshake));
    // Behind EndOfEarlyData it has the handshake's keys.
    let mut by_hand = accepted();
    by_hand.end().unwrap();
    let record = by_hand.server.record(Epoch::Handshake, ALERT, &alert);
    assert_eq!(by_hand.server.feed(&record), Err(Error::Alert(ILLEGAL)));
    let mut by_hand = accepted();
    by_hand.end().unwrap();
    let told = by_hand.server.say(Epoch::Plaintext, ALERT, &alert);
    refuses(&mut by_hand, told, UNEXPECTED, "an alert in the clear of a client that has keys");
}

#[test]
fn an_end_of_the_transport_meanwhile_is_a_truncation() {
    let mut by_hand = accepted();
    by_hand.early(b"good").unwrap();
    assert_eq!(by_hand.server.party.conn.eof(), Err(Error::Truncated));
}

#[test]
fn a_server_may_close_meanwhile() {
    let mut by_hand = accepted();
    by_hand.early(b"good").unwrap();
    by_hand.server.party.conn.close(&mut by_hand.server.party.out);
    assert_eq!(by_hand.server.feed(&[]), Err(Error::ClosedInHandshake));
    let alert = |code: AlertCode| Said { epoch: Epoch::Application, kind: ALERT, content: vec![1, code.0] };
    let said = &by_hand.server.said;
    assert_eq!(said[said.len() - 2..], [alert(AlertCode::USER_CANCELED), alert(AlertCode::CLOSE_NOTIFY)]);
    assert!(by_hand.server.party.conn.half_rtt_writer().is_none());
    by_hand.early(b"late").unwrap_err();
    assert_eq!(by_hand.server.party.early, b"good");
}

#[test]
fn a_second_hello_with_early_data_is_refused() {
    // RFC 9846 section 4.3.10: "A client MUST NOT include the "early_data" extension in its followup ClientHello."
    let scene = scene().serve(|b| b.groups(&[NamedGroup::SECP256R1]).early_data(MAX_EARLY, guarded()));
    let mut by_hand = ByHand::offer(&scene, |hello, _| hello.set(10, &[0, 4, 0, 0x1D, 0, 0x17]));
    assert_eq!(by_hand.server.told().len(), 1);
    by_hand.early(&[1; 500]).unwrap();
    let hello = by_hand.hello.clone();
    let told = by_hand.server.tell(Epoch::Plaintext, &hello);
    by_hand.server.refuses(told, ILLEGAL, Epoch::Plaintext, "early data again");
    assert!(by_hand.server.party.early.is_empty());
}

#[test]
fn refused_early_data_may_not_stand_between_the_fragments_of_a_second_hello() {
    let scene = scene().serve(|b| b.groups(&[NamedGroup::SECP256R1]).early_data(MAX_EARLY, guarded()));
    let mut by_hand = ByHand::offer(&scene, |hello, _| hello.set(10, &[0, 4, 0, 0x1D, 0, 0x17]));
    by_hand.early(&[1; 500]).unwrap();
    let half = by_hand.hello[..20].to_vec();
    by_hand.server.say(Epoch::Plaintext, HANDSHAKE, &half).unwrap();
    let told = by_hand.early(&[1; 500]);
    by_hand.server.refuses(told, UNEXPECTED, Epoch::Plaintext, "between two fragments");
}

#[test]
fn refused_early_data_is_skipped_within_its_budget_alone() {
    for (bytes, passes) in [(32 << 10, true), ((32 << 10) + 1, false)] {
        let scene = scene();
        scene.memory.edit().guard_is = Some(symbolon::conn::Unknowable::Full);
        let mut by_hand = ByHand::offer(&scene, |_, _| {});
        let mut left = bytes;
        let mut told = Ok(());
        while left > 0 && told.is_ok() {
            let len = left.min(16_384);
            left -= len;
            told = by_hand.server.feed(&record(DATA, &vec![0x77; len]));
        }
        if passes {
            told.unwrap();
            by_hand.finish().unwrap();
            assert!(by_hand.server.party.early.is_empty());
            let told = by_hand.server.feed(&record(DATA, &[0x77; 40]));
            assert_eq!(told.unwrap_err().alert(), Some(BAD_MAC), "behind the handshake nothing is skipped");
        } else {
            refuses(&mut by_hand, told, UNEXPECTED, "beyond the budget");
        }
    }
}

#[test]
fn early_data_without_an_offer_is_refused() {
    let mut by_hand = ByHand::offer(&scene(), |hello, _| hello.remove(EARLY_DATA));
    assert!(by_hand.server.party.events.is_empty());
    let told = by_hand.early(b"unasked");
    refuses(&mut by_hand, told, BAD_MAC, "no early_data");
    let mut by_hand = ByHand::ready(&scene(), |_, _| {});
    let told = by_hand.early(b"before all else");
    by_hand.server.refuses(told, UNEXPECTED, Epoch::Plaintext, "before a hello");
}

#[test]
fn an_external_key_carries_no_early_data() {
    let key = symbolon::psk::ExternalPsk::new(b"k", &[7; 32], Default::default()).unwrap();
    let scene = scene();
    scene.memory.edit().external.push(key.into());
    let mut by_hand = ByHand::offer(&scene, |_, offered| {
        offered.identity = b"k".to_vec();
        offered.key = vec![7; 32];
        offered.label = EXTERNAL;
    });
    by_hand.early(b"skipped").unwrap();
    by_hand.finish().unwrap();
    let summary = by_hand.server.party.summary.as_ref().unwrap();
    assert_eq!(summary.early_data, Err(NoEarlyData::NotPermitted));
    assert!(by_hand.server.party.early.is_empty());
}

/// A client that has sent early data, with its ClientHello.
fn client() -> (Puppet<Client>, Hello) {
    client_of(&scene())
}

fn client_of(scene: &Scene) -> (Puppet<Client>, Hello) {
    let mut party = scene.client(Offer::resume(scene.ticket(), NOW).with_early_data());
    let mut writer = party.conn.early_writer().unwrap();
    writer.write(&[b"early"], &mut party.out).unwrap();
    // The secret of early data is told before what it protects can be read.
    let out = party.flush();
    party.run().unwrap();
    assert!(party.out.is_empty());
    let mut puppet = Puppet::new(party, Role::Client);
    puppet.hear(&out);
    let hello = Hello::parse(&puppet.told()[0]);
    (puppet, hello)
}

/// The same, and the server took the ticket.
fn client_with_server_hello() -> (Puppet<Client>, Vec<u8>) {
    let (mut client, hello) = client();
    let reply = server_hello(&hello, client.suite, Some(0)).write();
    client.tell(Epoch::Plaintext, &reply).unwrap();
    let transcript = [hello.write(), reply].concat();
    (client, transcript)
}

fn early_accepted() -> Vec<u8> {
    encrypted_extensions(&[(EARLY_DATA, &[])])
}

#[test]
fn a_clients_first_flight_is_hello_spec_and_early_data() {
    let (client, _) = client();
    let said: Vec<_> = client.said.iter().map(|said| (said.epoch, said.kind)).collect();
    assert_eq!(said, [(Epoch::Plaintext, HANDSHAKE), (Epoch::Plaintext, CCS), (Epoch::Early, DATA)]);
    assert_eq!(client.said[2].content, b"early");
}

#[test]
fn a_client_that_refuses_a_server_hello_says_so_in_the_clear() {
    let changes: [fn(&mut Hello); 4] = [
        |reply| reply.session[0] ^= 1,
        |reply| reply.suites = vec![0x13, 9],
        |reply| reply.set(PRE_SHARED_KEY, &[0, 1]),
        |reply| reply.set(51, &[0, 0x17, 0, 1, 4]),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let (mut client, hello) = client();
        let mut reply = server_hello(&hello, client.suite, Some(0));
        change(&mut reply);
        let told = client.tell(Epoch::Plaintext, &reply.write());
        client.refuses(told, ILLEGAL, Epoch::Plaintext, &format!("change {number}"));
        assert!(client.party.conn.early_writer().is_none());
    }
}

#[test]
fn a_client_that_refuses_what_follows_says_so_under_handshake_keys() {
    // RFC 9846 appendix A.1: clients "SHOULD first rekey to the handshake keys if possible".
    let (mut client, _) = client_with_server_hello();
    assert!(client.party.conn.early_writer().is_some(), "early data may go on");
    let told = client.tell(Epoch::Handshake, &encrypted_extensions(&[(51, &[])]));
    client.refuses(told, ILLEGAL, Epoch::Handshake, "a forbidden extension");
    let (mut client, _) = client_with_server_hello();
    client.tell(Epoch::Handshake, &early_accepted()).unwrap();
    let told = client.tell(Epoch::Handshake, &message(FINISHED, &[0; 32]));
    client.refuses(told, AlertCode::DECRYPT_ERROR, Epoch::Handshake, "a wrong Finished");
    let (mut client, _) = client_with_server_hello();
    client.tell(Epoch::Handshake, &encrypted_extensions(&[])).unwrap();
    assert_eq!(client.party.verdicts, [EarlyVerdict::Refused]);
    let told = client.tell(Epoch::Handshake, &message(CERTIFICATE, &[0; 8]));
    client.refuses(told, UNEXPECTED, Epoch::Handshake, "a certificate behind a key");
}

#[test]
fn a_client_closes_under_keys_that_the_server_has() {
    let closes = |mut client: Puppet<Client>, epoch: Epoch| {
        client.party.conn.close(&mut client.party.out);
        assert_eq!(client.feed(&[]), Err(Error::ClosedInHandshake));
        let alert = |code: AlertCode| Said { epoch, kind: ALERT, content: vec![1, code.0] };
        let said = &client.said;
        assert_eq!(said[said.len() - 2..], [alert(AlertCode::USER_CANCELED), alert(AlertCode::CLOSE_NOTIFY)]);
        assert!(client.party.conn.early_writer().is_none());
    };
    closes(client().0, Epoch::Plaintext);
    closes(client_with_server_hello().0, Epoch::Handshake);
    let (mut client, _) = client_with_server_hello();
    client.tell(Epoch::Handshake, &early_accepted()).unwrap();
    closes(client, Epoch::Handshake);
}

#[test]
fn a_server_reads_a_client_that_closes_before_the_answer() {
    let scene = scene();
    let mut pair = scene.pair_with_early(scene.ticket(), b"early");
    pair.client.conn.close(&mut pair.client.out);
    assert_eq!(pair.run(), Err(Error::ClosedInHandshake));
    assert_eq!(pair.server.early, b"early");
}

#[test]
fn a_client_goes_on_with_early_data_until_the_servers_finished() {
    let (mut client, mut transcript) = client_with_server_hello();
    let extensions = early_accepted();
    client.tell(Epoch::Handshake, &extensions).unwrap();
    transcript.extend(&extensions);
    assert_eq!(client.party.verdicts, [EarlyVerdict::Accepted]);
    let mut writer = client.party.conn.early_writer().unwrap();
    writer.write(&[b"more"], &mut client.party.out).unwrap();
    let end = finished(&client.party, client.suite, SecretLabel::ServerHandshakeTraffic, &transcript);
    client.tell(Epoch::Handshake, &end).unwrap();
    assert!(client.party.conn.early_writer().is_none());
    let said: Vec<_> = client.said[2..].iter().map(|said| (said.epoch, said.kind)).collect();
    let expected = [
        (Epoch::Early, DATA),
        (Epoch::Early, DATA),
        (Epoch::Early, HANDSHAKE),
        (Epoch::Handshake, HANDSHAKE),
    ];
    assert_eq!(said, expected);
    assert_eq!(client.told()[1], message(END_OF_EARLY_DATA, &[]));
    // Its Finished covers EndOfEarlyData.
    let transcript = [transcript, end, client.told()[1].clone()].concat();
    let own = finished(&client.party, client.suite, SecretLabel::ClientHandshakeTraffic, &transcript);
    assert_eq!(client.told()[2], own);
}

/// Extensions by their numbers.
type Extensions<'a> = &'a [(u16, &'a [u8])];

//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# If the server supplies an "early_data" extension, the client MUST verify that the server's
//# selected_identity is 0.
//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# If any other value is returned, the client MUST abort the handshake with an "illegal_parameter" alert.
#[test]
fn a_server_may_accept_only_the_early_data_that_was_meant_for_it() {
    // RFC 9846 section 4.3.10: version, suite, ALPN and identity 0.
    let two = |b: symbolon::config::ClientConfigBuilder| b.suites(&[AES128, CHACHA]).alpn(["h2", "h3"]);
    let scene = Scene::new(two, |b| b.suites(&[AES128]).alpn(["h2"]).early_data(MAX_EARLY, guarded()));
    let h2: &[u8] = &[0, 3, 2, b'h', b'2'];
    let h3: &[u8] = &[0, 3, 2, b'h', b'3'];
    let key = symbolon::psk::ExternalPsk::new(b"k", &[7; 32], Default::default()).unwrap();
    let key = std::sync::Arc::new(key);
    let cases: [(_, _, _, Extensions<'_>, _); 6] = [
        ("all as before", AES128, Some(0), &[(16, h2), (EARLY_DATA, &[])], true),
        ("another suite", CHACHA, Some(0), &[(16, h2), (EARLY_DATA, &[])], false),
        ("another protocol", AES128, Some(0), &[(16, h3), (EARLY_DATA, &[])], false),
        ("no protocol", AES128, Some(0), &[(EARLY_DATA, &[])], false),
        ("another key", AES128, Some(1), &[(16, h2), (EARLY_DATA, &[])], false),
        ("no key", AES128, None, &[(16, h2), (EARLY_DATA, &[])], false),
    ];
    for (what, suite, index, extensions, accepted) in cases {
        let offer = Offer::resume(scene.ticket(), NOW).with_psks([key.clone()]).with_early_data();
        let mut client = Puppet::new(scene.client(offer), Role::Client);
        let hello = Hello::parse(&client.told()[0]);
        client.suite = provider().suite(suite).unwrap();
        let reply = server_hello(&hello, client.suite, index);
        client.tell(Epoch::Plaintext, &reply.write()).unwrap();
        let told = client.tell(Epoch::Handshake, &encrypted_extensions(extensions));
        if accepted {
            told.unwrap();
            assert_eq!(client.party.verdicts, [EarlyVerdict::Accepted]);
        } else {
            client.refuses(told, ILLEGAL, Epoch::Handshake, what);
            assert!(!client.party.verdicts.contains(&EarlyVerdict::Accepted), "{what}");
        }
    }
}

#[test]
fn early_data_that_was_not_offered_is_not_accepted() {
    let scene = scene();
    let mut client = Puppet::new(scene.client(Offer::resume(scene.ticket(), NOW)), Role::Client);
    let hello = Hello::parse(&client.told()[0]);
    client.tell(Epoch::Plaintext, &server_hello(&hello, client.suite, Some(0)).write()).unwrap();
    let told = client.tell(Epoch::Handshake, &early_accepted());
    client.refuses(told, AlertCode::UNSUPPORTED_EXTENSION, Epoch::Handshake, "unasked");
}

#[test]
fn early_data_is_not_accepted_after_a_retry() {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    let scene = Scene::new(|b| b.groups(&groups), |b| b.early_data(MAX_EARLY, guarded()));
    let (mut client, hello) = client_of(&scene);
    let retry = Hello {
        random: retry_random(),
        extensions: vec![(43, vec![3, 4]), (44, vec![0, 1, 9])],
        ..server_hello(&hello, client.suite, None)
    };
    client.tell(Epoch::Plaintext, &retry.write()).unwrap();
    assert_eq!(client.party.verdicts, [EarlyVerdict::Refused]);
    let reply = server_hello(&hello, client.suite, Some(0));
    client.tell(Epoch::Plaintext, &reply.write()).unwrap();
    let told = client.tell(Epoch::Handshake, &early_accepted());
    client.refuses(told, AlertCode::UNSUPPORTED_EXTENSION, Epoch::Handshake, "after a retry");
}
