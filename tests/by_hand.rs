//! Handshakes with a client and a server written by hand, whose key schedule is independent of the library's.
#![cfg(feature = "rustcrypto")]

mod support;

use support::fake::*;
use support::forge::*;
use support::*;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::config::ClientAuth;
use symbolon::crypto::Suite;

fn suites() -> [&'static Suite; 3] {
    [
        CipherSuite::TLS_AES_128_GCM_SHA256,
        CipherSuite::TLS_AES_256_GCM_SHA384,
        CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
    ]
    .map(|id| provider().suite(id).unwrap())
}

//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# This value MUST be in the same group as the KeyShareEntry value offered by the client that the server
//# has selected for the negotiated key exchange.
//= testvectors/requirements/rfc9846.txt#section-4.5.3
//= type=test
//# Any records following a Finished message MUST be encrypted under the appropriate application traffic key
//# as described in Section 7.2.
//= testvectors/requirements/rfc9846.txt#section-4.7.3
//= type=test
//# After sending a KeyUpdate message, the sender SHALL send all its traffic using the next generation of
//# keys, computed as described in Section 7.2.
//= testvectors/requirements/rfc9846.txt#section-4.7.3
//= type=test
//# Upon receiving a KeyUpdate, the receiver MUST update its receiving keys.
//= testvectors/requirements/rfc9846.txt#section-4.7.3
//= type=test
//# Both sender and receiver MUST encrypt their KeyUpdate messages with the old keys.
#[test]
fn a_server_agrees_with_a_client_by_hand() {
    for suite in suites() {
        for client_auth in [ClientAuth::Off, ClientAuth::Required { authorities: Vec::new() }] {
            let mut server = server(&server_config(|b| b.client_auth(client_auth.clone())));
            let mut client = FakeClient::start(&mut server, suite, |_| {});
            server.inbox = client.finish();
            server.run().unwrap();
            assert_eq!(server.summary.as_ref().unwrap().suite, suite.id);
            assert_eq!(server.summary.as_ref().unwrap().peer.is_some(), client_auth != ClientAuth::Off);
            server.inbox = client.write.seal(DATA, b"up");
            server.inbox.extend(client.write.seal(HANDSHAKE, &message(KEY_UPDATE, &[1])));
            client.write.update();
            server.inbox.extend(client.write.seal(DATA, b" and on"));
            server.run().unwrap();
            assert_eq!(server.data, b"up and on");
            server.conn.write(&[b"down"], &mut server.out).unwrap();
            let sent = records(&server.flush());
            assert_eq!(client.read.open(&sent[0]), Some((HANDSHAKE, message(KEY_UPDATE, &[0]))));
            client.read.update();
            assert_eq!(client.read.open(&sent[1]), Some((DATA, b"down".to_vec())));
        }
    }
}

#[test]
fn a_client_agrees_with_a_server_by_hand() {
    for suite in suites() {
        let mut client = client(&client_config(|b| b.suites(&[suite.id]).groups(&[NamedGroup::X25519])));
        let mut server = FakeServer::answer(&mut client, suite);
        client.run().unwrap();
        server.finish(&client.flush());
        assert_eq!(client.summary.as_ref().unwrap().suite, suite.id);
        client.inbox = server.write.seal(DATA, b"down");
        client.run().unwrap();
        assert_eq!(client.data, b"down");
        client.conn.write(&[b"up"], &mut client.out).unwrap();
        assert_eq!(server.read.open(&client.flush()), Some((DATA, b"up".to_vec())));
    }
}

#[test]
fn shares_in_another_order_than_their_groups_are_served() {
    let mut server = server(&server_config(|b| b));
    let mut client = FakeClient::start(&mut server, suite(), |hello| {
        hello.set(10, &[0, 4, 0, 0x1D, 0, 0x18]);
        let x25519 = hello.data(51).unwrap()[2..].to_vec();
        hello.set(51, &vector(2, &[share(NamedGroup::SECP384R1, &[4; 97]), x25519].concat()));
    });
    server.inbox = client.finish();
    server.run().unwrap();
    assert!(server.summary.is_some());
}

//= testvectors/requirements/rfc9846.txt#section-4.3.1
//= type=test
//# Servers MUST only select a version of TLS present in that extension and MUST ignore any unknown versions
//# that are present in that extension.
//= testvectors/requirements/rfc9846.txt#section-9.3
//= type=test
//# implementations MUST correctly handle extensible fields:
//= testvectors/requirements/rfc9846.txt#section-9.3
//= type=test
//# A server receiving a ClientHello MUST correctly ignore all unrecognized cipher suites, extensions, and
//# other parameters.
#[test]
fn values_from_grease_are_ignored_in_every_list() {
    // RFC 8701 section 2: one value of each kind, first in its list, and two extensions.
    let mut server = server(&server_config(|b| b.alpn(["h2"])));
    let mut client = FakeClient::start(&mut server, suite(), |hello| {
        hello.suites.splice(0..0, [0x1A, 0x1A]);
        hello.set(43, &[6, 0x2A, 0x2A, 3, 4, 3, 3]);
        hello.set(10, &[0, 6, 0x3A, 0x3A, 0, 0x1D, 0x3A, 0x3A]);
        hello.set(13, &[0, 4, 0x4A, 0x4A, 4, 3]);
        hello.set(50, &[0, 2, 0x4A, 0x4A]);
        hello.set(16, &[0, 6, 2, 0x5A, 0x5A, 2, b'h', b'2']);
        hello.set(45, &[2, 0x6A, 1]);
        let x25519 = hello.data(51).unwrap()[2..].to_vec();
        hello.set(51, &vector(2, &[share(NamedGroup(0x3A3A), &[0]), x25519].concat()));
        hello.extensions.insert(0, (0x7A7A, Vec::new()));
        hello.set(0x8A8A, &[0]);
        hello.set(0xFE0D, &[0; 200]);
    });
    server.inbox = client.finish();
    server.run().unwrap();
    assert_eq!(server.summary.unwrap().alpn.unwrap(), b"h2");
}

/// A ciphertext that no key opens.
fn refused_early_data(len: usize) -> Vec<u8> {
    record(DATA, &vec![0x5A; len])
}

#[test]
fn refused_early_data_is_skipped_until_the_first_record_that_opens() {
    let mut server = server(&server_config(|b| b));
    let mut client = FakeClient::start(&mut server, suite(), |hello| hello.set(42, &[]));
    // A compatibility ChangeCipherSpec may stand before and behind it.
    server.inbox.extend(record(CCS, &[1]));
    for _ in 0..4 {
        server.inbox.extend(refused_early_data(8 << 10));
    }
    server.inbox.extend(client.finish());
    server.run().unwrap();
    assert!(server.summary.is_some());
    server.inbox = refused_early_data(100);
    assert_eq!(server.run().unwrap_err().alert(), Some(symbolon::AlertCode::BAD_RECORD_MAC));
}

#[test]
fn more_refused_early_data_than_the_budget_ends_the_handshake() {
    for over in [0, 1] {
        let mut server = server(&server_config(|b| b));
        let _ = FakeClient::start(&mut server, suite(), |hello| hello.set(42, &[]));
        server.inbox.extend(refused_early_data(16 << 10));
        server.inbox.extend(refused_early_data((16 << 10) + over));
        let result = server.run().map_err(|error| error.alert());
        assert_eq!(
            result,
            if over == 0 { Ok(()) } else { Err(Some(symbolon::AlertCode::UNEXPECTED_MESSAGE)) }
        );
    }
}

#[test]
fn refused_early_data_without_content_is_not_skipped_for_ever() {
    let passes = |len: usize| {
        let mut server = server(&server_config(|b| b));
        let _ = FakeClient::start(&mut server, suite(), |hello| hello.set(42, &[]));
        let passes = (0..10_000).take_while(|_| {
            server.inbox.extend(refused_early_data(len));
            server.run().is_ok()
        });
        passes.count()
    };
    // No protected record is shorter than a content type and a tag.
    assert_eq!([passes(0), passes(16), passes(17)], [(32 << 10) / 17; 3]);
}

#[test]
fn without_early_data_in_the_hello_nothing_is_skipped() {
    let mut server = server(&server_config(|b| b));
    let _ = FakeClient::start(&mut server, suite(), |_| {});
    server.inbox.extend(refused_early_data(100));
    assert_eq!(server.run().unwrap_err().alert(), Some(symbolon::AlertCode::BAD_RECORD_MAC));
}
