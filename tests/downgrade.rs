//! Nobody talks either side into an older version (RFC 9846 sections 4.2.3 and 4.3.1).
#![cfg(feature = "rustcrypto")]

mod support;

use support::flow::*;
use support::forge::*;
use symbolon::AlertCode;
use symbolon::conn::Epoch;

const SENTINELS: [[u8; 8]; 2] = [*b"DOWNGRD\x01", *b"DOWNGRD\x00"];

/// What a server of an older version answers.
fn older(version: u16, tail: Option<[u8; 8]>) -> Hello {
    let mut hello = Hello::parse(&FULL.record().server[0]);
    hello.version = version;
    hello.random = [0x44; 32];
    if let Some(tail) = tail {
        hello.random[24..].copy_from_slice(&tail);
    }
    hello.suites = vec![0xC0, 0x2F];
    hello.extensions = vec![(0xFF01, vec![0]), (23, vec![]), (11, vec![1, 0])];
    hello
}

fn refused(told: &[u8], alert: AlertCode, word: &str) {
    let mut client = FULL.client();
    let result = client.tell(Epoch::Plaintext, told);
    assert!(result.as_ref().unwrap_err().to_string().contains(word), "{result:?}");
    client.refuses(result, alert, Epoch::Plaintext, word);
}

//= testvectors/requirements/rfc9846.txt#section-4.2.3
//= type=test
//# TLS 1.3 clients receiving a ServerHello indicating TLS 1.2 or below MUST check that the last 8 bytes
//# are not equal to either of these values.
//= testvectors/requirements/rfc9846.txt#section-4.2.3
//= type=test
//# If a match is found, the client MUST abort the handshake with an "illegal_parameter" alert.
#[test]
fn a_sentinel_tells_a_downgrade_from_an_old_server() {
    for version in [0x0300, 0x0301, 0x0302, 0x0303] {
        refused(&older(version, None).write(), AlertCode::PROTOCOL_VERSION, "TLS 1.3 is needed");
        for tail in SENTINELS {
            refused(&older(version, Some(tail)).write(), AlertCode::ILLEGAL_PARAMETER, "downgraded");
        }
        let mut bare = older(version, Some(SENTINELS[0]));
        bare.extensions.clear();
        let bare = bare.write();
        refused(&message(SERVER_HELLO, &bare[4..bare.len() - 2]), AlertCode::ILLEGAL_PARAMETER, "downgraded");
    }
    for nearly in [*b"DOWNGRD\x02", *b"\x00OWNGRD\x01"] {
        refused(&older(0x0303, Some(nearly)).write(), AlertCode::PROTOCOL_VERSION, "TLS 1.3 is needed");
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.1
//= type=test
//# clients MUST ignore the ServerHello.legacy_version value and MUST use only the "supported_versions"
//# extension to determine the selected version
#[test]
fn only_the_version_offered_may_be_selected() {
    for version in [0x0300, 0x0301, 0x0302, 0x0303, 0x0305, 0x7F1C, 0x0A0A_u16] {
        let mut hello = Hello::parse(&FULL.record().server[0]);
        hello.set(43, &version.to_be_bytes());
        refused(&hello.write(), AlertCode::ILLEGAL_PARAMETER, "a version that was not offered");
    }
}

#[test]
fn a_sentinel_means_nothing_in_tls_1_3() {
    for tail in SENTINELS {
        let mut hello = Hello::parse(&FULL.record().server[0]);
        hello.random[24..].copy_from_slice(&tail);
        let mut client = FULL.client();
        client.tell(Epoch::Plaintext, &hello.write()).unwrap();
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.1
//= type=test
//# clients MUST check for this extension prior to processing the rest of the ServerHello
#[test]
fn the_version_is_judged_before_everything_else() {
    let mut hello = older(0x0303, Some(SENTINELS[0]));
    hello.session.clear();
    hello.compression = vec![1];
    refused(&hello.write(), AlertCode::ILLEGAL_PARAMETER, "downgraded");
    hello.random[24..].fill(0);
    refused(&hello.write(), AlertCode::PROTOCOL_VERSION, "TLS 1.3 is needed");
}

#[test]
fn a_retry_of_an_older_version_is_refused() {
    let (mut client, epoch) = client_at(RETRY, 1);
    let result = client.tell(epoch, &older(0x0303, Some(SENTINELS[0])).write());
    client.refuses(result, AlertCode::ILLEGAL_PARAMETER, Epoch::Plaintext, "a downgrade behind a retry");
}

#[test]
fn a_client_hello_stripped_of_tls_1_3_gets_no_server_hello() {
    let mut hello = Hello::parse(&FULL.record().client[0]);
    hello.remove(43);
    let mut server = FULL.server();
    let told = server.tell(Epoch::Plaintext, &hello.write());
    server.refuses(told, AlertCode::PROTOCOL_VERSION, Epoch::Plaintext, "a stripped ClientHello");
    // Where the versions are only thinned out, the transcript tells.
    let recorded = FULL.record();
    let mut hello = Hello::parse(&recorded.client[0]);
    hello.set(43, &[4, 3, 4, 3, 3]);
    let mut server = FULL.server();
    server.tell(Epoch::Plaintext, &hello.write()).unwrap();
    let told = server.tell(Epoch::Handshake, recorded.client.last().unwrap());
    server.refuses(told, AlertCode::DECRYPT_ERROR, Epoch::Application, "another transcript");
}
