//! The limits that a record_size_limit extension sets (RFC 8449).

use crate::support::flow::*;
use crate::support::forge::*;
use crate::support::*;
use symbolon::AlertCode;
use symbolon::config::{ClientConfig, ConfigError, ServerConfig};
use symbolon::conn::Epoch;

const MAX_FRAGMENT_LENGTH: u16 = 1;
const RECORD_SIZE_LIMIT: u16 = 28;

/// The extensions in a server's EncryptedExtensions.
fn answered(told: &[Vec<u8>]) -> Vec<(u16, Vec<u8>)> {
    let message = told.iter().find(|message| message[0] == ENCRYPTED_EXTENSIONS).unwrap();
    extensions(&message[6..])
}

//= testvectors/requirements/rfc8449.txt#section-4
//= type=test
//# an endpoint MUST NOT send a value higher than the protocol-defined maximum record size
//= testvectors/requirements/rfc8449.txt#section-4
//= type=test
//# Endpoints MUST NOT send a "record_size_limit" extension with a value smaller than 64.
#[test]
fn a_limit_below_64_or_above_the_standards_cannot_be_configured() {
    for limit in [0, 63, 16_386, u16::MAX] {
        let of_client = ClientConfig::builder(provider()).record_size_limit(limit).build();
        assert_eq!(of_client.err(), Some(ConfigError::RecordSizeLimit(limit)));
        let of_server = ServerConfig::builder(provider()).record_size_limit(limit).build();
        assert_eq!(of_server.err(), Some(ConfigError::RecordSizeLimit(limit)));
    }
    for limit in [64, 16_385] {
        assert!(ClientConfig::builder(provider()).record_size_limit(limit).build().is_ok());
    }
}

//= testvectors/requirements/rfc8449.txt#section-4
//= type=test
//# A server MUST NOT enforce this restriction
//= testvectors/requirements/rfc8449.txt#section-4
//= type=test
//# Even if a larger record size limit is provided by a peer, an endpoint MUST NOT send records larger
//# than the protocol-defined limit
#[test]
fn a_client_may_offer_more_than_the_standard_and_gets_no_more() {
    for limit in [16_386, u16::MAX] {
        let mut client = FULL.client_with(|b| b.record_size_limit(16_385));
        let mut hello = Hello::parse(&client.told()[0]);
        hello.set(RECORD_SIZE_LIMIT, &limit.to_be_bytes());
        let mut server = FULL.server();
        server.tell(Epoch::Plaintext, &hello.write()).unwrap();
        let content = vec![7; 40_000];
        let mut writer = server.party.conn.half_rtt_writer().unwrap();
        writer.write(&[&content], &mut server.party.out).unwrap();
        let sent = server.party.flush();
        assert_eq!(records(&sent).iter().map(Vec::len).max(), Some(5 + 16_385 + 16));
        client.party.inbox.clear();
    }
}

//= testvectors/requirements/rfc8449.txt#section-5
//= type=test
//# A server that supports the "record_size_limit" extension MUST ignore a "max_fragment_length" that
//# appears in a ClientHello if both extensions appear.
#[test]
fn max_fragment_length_means_nothing_to_a_server() {
    let mut hello = Hello::parse(&FULL.record().client[0]);
    hello.set(MAX_FRAGMENT_LENGTH, &[1]);
    hello.set(RECORD_SIZE_LIMIT, &[0x10, 0]);
    let mut server = FULL.server_with(|b| b.record_size_limit(1000));
    server.tell(Epoch::Plaintext, &hello.write()).unwrap();
    let answers = answered(&server.told());
    assert!(answers.contains(&(RECORD_SIZE_LIMIT, vec![3, 0xE8])));
    assert!(answers.iter().all(|(kind, _)| *kind != MAX_FRAGMENT_LENGTH));
    let mut writer = server.party.conn.half_rtt_writer().unwrap();
    writer.write(&[&[7; 5000]], &mut server.party.out).unwrap();
    assert_eq!(records(&server.party.flush())[0].len(), 5 + 4096 + 16, "the limit, not 2^9");
}

//= testvectors/requirements/rfc8449.txt#section-5
//= type=test
//# A client MUST treat receipt of both "max_fragment_length" and "record_size_limit" as a fatal error
#[test]
fn a_server_that_answers_with_both_limits_is_refused() {
    let mut client = FULL.client_with(|b| b.record_size_limit(1000));
    let recorded = record_pair(&mut FULL.client_with(|b| b.record_size_limit(1000)), &mut FULL.server());
    client.tell(Epoch::Plaintext, &recorded.server[0]).unwrap();
    let both = [extension(RECORD_SIZE_LIMIT, &[0x10, 0]), extension(MAX_FRAGMENT_LENGTH, &[1])].concat();
    let told = client.tell(Epoch::Handshake, &message(ENCRYPTED_EXTENSIONS, &vector(2, &both)));
    client.refuses(told, AlertCode::UNSUPPORTED_EXTENSION, Epoch::Handshake, "both limits");
}
