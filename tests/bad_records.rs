//! Bad records, alerts and ChangeCipherSpecs, other protocols, and a flipped bit in every byte of a flow.
#![cfg(feature = "rustcrypto")]

mod support;

use support::flow::*;
use support::forge::*;
use support::*;
use symbolon::conn::{Client, Epoch, Server};
use symbolon::{AlertCode, Error};

const UNEXPECTED: AlertCode = AlertCode::UNEXPECTED_MESSAGE;
const OVERFLOW: AlertCode = AlertCode::RECORD_OVERFLOW;
const DECODE: AlertCode = AlertCode::DECODE_ERROR;

/// Stages of a client in `MUTUAL`: before ServerHello, behind it, open.
const CLIENT_STAGES: [usize; 3] = [0, 1, 6];
/// Stages of a server in `MUTUAL`: before ClientHello, behind it, open.
const SERVER_STAGES: [usize; 3] = [0, 1, 4];

fn alerts_of_server(at: usize) -> Epoch {
    if at == 0 { Epoch::Plaintext } else { Epoch::Application }
}

/// A puppet of either kind.
trait Peer {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Error>;
    fn say(&mut self, epoch: Epoch, kind: u8, content: &[u8]) -> Result<(), Error>;
    fn say_inner(&mut self, epoch: Epoch, inner: &[u8]) -> Result<(), Error>;
}

impl<E: Endpoint> Peer for Puppet<E> {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Puppet::feed(self, bytes)
    }
    fn say(&mut self, epoch: Epoch, kind: u8, content: &[u8]) -> Result<(), Error> {
        Puppet::say(self, epoch, kind, content)
    }
    fn say_inner(&mut self, epoch: Epoch, inner: &[u8]) -> Result<(), Error> {
        let record = self.lane(epoch).seal_inner(inner);
        Puppet::feed(self, &record)
    }
}

/// Both sides refuse `act` with `alert` at these stages (0: plaintext, 1: handshake keys, 2: open).
fn refused_at(
    stages: &[usize],
    alert: AlertCode,
    what: &str,
    act: impl Fn(&mut dyn Peer, Epoch) -> Result<(), Error>,
) {
    for stage in stages {
        let what = format!("{what} at stage {stage}");
        let (mut client, epoch) = client_at(MUTUAL, CLIENT_STAGES[*stage]);
        let told = act(&mut client, epoch);
        client.refuses(told, alert, epoch, &what);
        let at = SERVER_STAGES[*stage];
        let (mut server, epoch) = server_at(MUTUAL, at);
        let told = act(&mut server, epoch);
        server.refuses(told, alert, alerts_of_server(at), &what);
    }
}

/// Both sides give this error at these stages, and say nothing about it.
fn ends_at(stages: &[usize], error: &Error, act: impl Fn(&mut dyn Peer, Epoch) -> Result<(), Error>) {
    for stage in stages {
        let (mut client, epoch) = client_at(MUTUAL, CLIENT_STAGES[*stage]);
        let said = client.said.len();
        assert_eq!(act(&mut client, epoch).as_ref(), Err(error));
        assert_eq!(client.said.len(), said);
        client.stays_dead(error, "an end without an alert");
        let (mut server, epoch) = server_at(MUTUAL, SERVER_STAGES[*stage]);
        let said = server.said.len();
        assert_eq!(act(&mut server, epoch).as_ref(), Err(error));
        assert_eq!(server.said.len(), said);
        server.stays_dead(error, "an end without an alert");
    }
}

const KEYED: &[usize] = &[1, 2];
const ALL: &[usize] = &[0, 1, 2];

//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# The length MUST NOT exceed 2^14 bytes.
//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# An endpoint that receives a record that exceeds this length MUST terminate the connection with a
//# "record_overflow" alert.
//= testvectors/requirements/rfc9846.txt#section-5.2
//= type=test
//# The length MUST NOT exceed 2^14 + 256 bytes.
//= testvectors/requirements/rfc9846.txt#section-5.2
//= type=test
//# An endpoint that receives a record that exceeds this length MUST terminate the connection with a
//# "record_overflow" alert.
//= testvectors/requirements/rfc9846.txt#section-5.2
//= type=test
//# An endpoint that receives a record from its peer with TLSCiphertext.length larger than 2^14 + 256 octets
//# MUST terminate the connection with a "record_overflow" alert.
#[test]
fn a_record_that_is_too_long_is_refused_on_its_header() {
    refused_at(&[0], OVERFLOW, "2^14 + 1 in the clear", |peer, _| peer.feed(&[HANDSHAKE, 3, 3, 0x40, 1]));
    refused_at(ALL, OVERFLOW, "an alert of 2^14 + 1", |peer, _| peer.feed(&[ALERT, 3, 3, 0x40, 1]));
    refused_at(KEYED, OVERFLOW, "2^14 + 257 protected", |peer, _| peer.feed(&[DATA, 3, 3, 0x41, 1]));
    let (mut client, _) = client_at(MUTUAL, 6);
    client.feed(&[DATA, 3, 3, 0x41, 0]).unwrap();
    let (mut client, _) = client_at(MUTUAL, 0);
    client.feed(&[HANDSHAKE, 3, 3, 0x40, 0]).unwrap();
}

//= testvectors/requirements/rfc9846.txt#section-5.4
//= type=test
//# the full encoded TLSInnerPlaintext MUST NOT exceed 2^14
#[test]
fn a_record_that_holds_too_much_is_refused() {
    refused_at(KEYED, OVERFLOW, "2^14 + 2 inside", |peer, epoch| {
        peer.say_inner(epoch, &[DATA; (1 << 14) + 2])
    });
    refused_at(KEYED, OVERFLOW, "padding to 2^14 + 2 inside", |peer, epoch| {
        let mut inner = vec![0; (1 << 14) + 2];
        inner[0] = DATA;
        peer.say_inner(epoch, &inner)
    });
    let (mut client, epoch) = client_at(MUTUAL, 6);
    client.say(epoch, DATA, &[7; 1 << 14]).unwrap();
    assert_eq!(client.party.data.len(), 1 << 14);
}

//= testvectors/requirements/rfc8449.txt#section-4
//= type=test
//# A TLS endpoint that receives a record larger than its advertised limit MUST generate a fatal
//# "record_overflow" alert
#[test]
fn a_negotiated_record_size_is_the_limit() {
    for (inner, passes) in [(100, true), (101, false)] {
        let mut client = FULL.client_with(|b| b.record_size_limit(100));
        // Records are passed on as they are: the server keeps to the limit already in its flight.
        let mut server = FULL.server_with(|b| b.record_size_limit(16_385));
        server.tell(Epoch::Plaintext, &client.told()[0]).unwrap();
        for said in server.said.clone() {
            client.say(said.epoch, said.kind, &said.content).unwrap();
        }
        assert!(client.party.summary.is_some());
        let told = client.say(Epoch::Application, DATA, &vec![7; inner - 1]);
        assert_eq!(told.map_err(|error| error.alert()), if passes { Ok(()) } else { Err(Some(OVERFLOW)) });
    }
}

//= testvectors/requirements/rfc9846.txt#section-5.4
//= type=test
//# Implementations MUST limit their scanning to the cleartext returned from the AEAD decryption.
//= testvectors/requirements/rfc9846.txt#section-5.4
//= type=test
//# If a receiving implementation does not find a non-zero octet in the cleartext, it MUST terminate the
//# connection with an "unexpected_message" alert.
#[test]
fn a_record_without_content_type_is_refused() {
    for len in [0, 1, 100] {
        refused_at(KEYED, UNEXPECTED, "nothing but zeros", |peer, epoch| {
            peer.say_inner(epoch, &vec![0; len])
        });
    }
}

//= testvectors/requirements/rfc9846.txt#section-5
//= type=test
//# If a TLS implementation receives an unexpected record type, it MUST terminate the connection with an
//# "unexpected_message" alert.
#[test]
fn records_of_wrong_types_are_refused() {
    for kind in [0, 19, 24, 26, 99, 255] {
        refused_at(ALL, UNEXPECTED, "unknown type in the clear", |peer, _| peer.feed(&record(kind, b"x")));
        if kind != 0 {
            refused_at(KEYED, UNEXPECTED, "unknown type inside", |peer, epoch| peer.say(epoch, kind, b"x"));
        }
    }
    refused_at(KEYED, UNEXPECTED, "ChangeCipherSpec inside", |peer, epoch| peer.say(epoch, CCS, &[1]));
    refused_at(&[0], UNEXPECTED, "data before keys", |peer, epoch| peer.say(epoch, DATA, b"x"));
    refused_at(&[1], UNEXPECTED, "data under handshake keys", |peer, epoch| peer.say(epoch, DATA, b"x"));
    refused_at(&[1], UNEXPECTED, "empty data under handshake keys", |peer, epoch| peer.say(epoch, DATA, b""));
}

//= testvectors/requirements/rfc9846.txt#section-5.4
//= type=test
//# Implementations MUST NOT send Handshake and Alert records that have a zero-length
//# TLSInnerPlaintext.content; if such a message is received, the receiving implementation MUST terminate
//# the connection with an "unexpected_message" alert.
#[test]
fn empty_fragments_are_refused() {
    for kind in [HANDSHAKE, ALERT] {
        refused_at(ALL, UNEXPECTED, "an empty fragment", |peer, epoch| peer.say(epoch, kind, b""));
    }
    refused_at(&[0, 1], UNEXPECTED, "an empty ChangeCipherSpec", |peer, _| peer.feed(&record(CCS, b"")));
}

#[test]
fn too_many_records_without_data_are_refused() {
    refused_at(&[2], UNEXPECTED, "33 empty records", |peer, epoch| {
        (0..32).for_each(|_| peer.say(epoch, DATA, b"").unwrap());
        peer.say(epoch, DATA, b"")
    });
    let (mut client, _) = client_at(MUTUAL, 1);
    (0..32).for_each(|_| client.feed(&record(CCS, &[1])).unwrap());
    let told = client.feed(&record(CCS, &[1]));
    client.refuses(told, UNEXPECTED, Epoch::Handshake, "33 ChangeCipherSpecs");
}

//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# Alert messages (Section 6) MUST NOT be fragmented across records, and multiple alert messages MUST NOT
//# be coalesced into a single TLSPlaintext record.
//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# a record with an Alert type MUST contain exactly one message
#[test]
fn alerts_of_a_wrong_length_are_refused() {
    for content in [&[2][..], &[2, 40, 0], &[1, 0, 1, 0]] {
        refused_at(ALL, DECODE, "an alert of another length", |peer, epoch| peer.say(epoch, ALERT, content));
    }
}

//= testvectors/requirements/rfc9846.txt#section-6
//= type=test
//# All the alerts listed in Section 6.2 MUST be sent with AlertLevel=fatal and MUST be treated as error
//# alerts when received regardless of the AlertLevel in the message.
//= testvectors/requirements/rfc9846.txt#section-6
//= type=test
//# Unknown Alert types MUST be treated as error alerts.
#[test]
fn every_alert_but_two_is_an_error_whatever_its_level() {
    for code in [10, 20, 22, 40, 47, 50, 51, 80, 86, 100, 116, 117, 200, 255] {
        for level in [0, 1, 2, 99] {
            ends_at(ALL, &Error::Alert(AlertCode(code)), |peer, epoch| {
                peer.say(epoch, ALERT, &[level, code])
            });
        }
    }
}

#[test]
fn closure_during_the_handshake_is_told_apart_from_errors() {
    ends_at(&[0, 1], &Error::ClosedInHandshake, |peer, epoch| peer.say(epoch, ALERT, &[1, 0]));
    ends_at(&[0, 1], &Error::ClosedInHandshake, |peer, epoch| {
        peer.say(epoch, ALERT, &[1, 90])?;
        peer.say(epoch, ALERT, &[1, 0])
    });
    for stage in [0, 1] {
        let (mut client, _) = client_at(MUTUAL, CLIENT_STAGES[stage]);
        assert_eq!(client.party.conn.eof(), Err(Error::Truncated));
    }
}

#[test]
fn an_unprotected_alert_counts_only_where_the_peer_may_lack_keys() {
    let plain = record(ALERT, &[2, 40]);
    let (mut client, _) = client_at(MUTUAL, 1);
    let told = client.feed(&plain);
    client.refuses(told, UNEXPECTED, Epoch::Handshake, "an unprotected alert to a client");
    let (mut server, _) = server_at(MUTUAL, 1);
    assert_eq!(server.feed(&plain), Err(Error::Alert(AlertCode::HANDSHAKE_FAILURE)));
    let (mut server, _) = server_at(MUTUAL, 2);
    let told = server.feed(&plain);
    server.refuses(told, UNEXPECTED, Epoch::Application, "an unprotected alert behind a protected record");
    let (mut client, _) = client_at(MUTUAL, CLIENT_STAGES[2]);
    let told = client.feed(&plain);
    client.refuses(told, UNEXPECTED, Epoch::Application, "an unprotected alert behind the handshake");
}

//= testvectors/requirements/rfc9846.txt#section-5
//= type=test
//# at any time after the first ClientHello message has been sent or received and before the peer's Finished
//# message has been received and MUST simply drop it without further processing
//= testvectors/requirements/rfc9846.txt#section-5
//= type=test
//# An implementation which receives any other change_cipher_spec value or which receives a protected
//# change_cipher_spec record MUST abort the handshake with an "unexpected_message" alert.
//= testvectors/requirements/rfc9846.txt#section-5
//= type=test
//# If an implementation detects a change_cipher_spec record received before the first ClientHello message
//# or after the peer's Finished message, it MUST be treated as an unexpected record type
#[test]
fn change_cipher_spec_is_dropped_where_the_standard_says() {
    let change = record(CCS, &[1]);
    for at in 0..=5 {
        let (mut client, epoch) = client_at(MUTUAL, at);
        client.feed(&change).unwrap();
        client.tell(epoch, &MUTUAL.record().server[at]).unwrap();
    }
    for at in 1..=3 {
        let (mut server, epoch) = server_at(MUTUAL, at);
        server.feed(&change).unwrap();
        server.tell(epoch, &MUTUAL.record().client[at]).unwrap();
    }
    for content in [&[0][..], &[2], &[1, 1], &[1, 0], &[20, 3, 3]] {
        refused_at(ALL, UNEXPECTED, "another content", |peer, _| peer.feed(&record(CCS, content)));
    }
    refused_at(&[2], UNEXPECTED, "behind the handshake", |peer, _| peer.feed(&change));
    let mut server = FULL.server();
    let told = server.feed(&change);
    server.refuses(told, UNEXPECTED, Epoch::Plaintext, "before the first ClientHello");
}

//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# Handshake messages MUST NOT be interleaved with other record types.
//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# if a handshake message is split over two or more records, there MUST NOT be any other records between
//# them
#[test]
fn nothing_may_stand_between_the_fragments_of_a_message() {
    let recorded = MUTUAL.record();
    let with_half = |interrupt: &dyn Fn(&mut dyn Peer, Epoch) -> Result<(), Error>, what: &str| {
        for at in [0, 1, 5] {
            for cut in [1, 4, 10] {
                let (mut client, epoch) = client_at(MUTUAL, at);
                client
                    .say(epoch, HANDSHAKE, &recorded.server[at][..cut.min(recorded.server[at].len() - 1)])
                    .unwrap();
                let told = interrupt(&mut client, epoch);
                client.refuses(told, UNEXPECTED, epoch, what);
            }
        }
        for at in [0, 1, 3] {
            let (mut server, epoch) = server_at(MUTUAL, at);
            server.say(epoch, HANDSHAKE, &recorded.client[at][..7]).unwrap();
            let told = interrupt(&mut server, epoch);
            server.refuses(told, UNEXPECTED, alerts_of_server(at), what);
        }
    };
    with_half(&|peer, _| peer.feed(&record(CCS, &[1])), "a ChangeCipherSpec");
    with_half(&|peer, epoch| peer.say(epoch, DATA, b"x"), "data");
    with_half(&|peer, epoch| peer.say(epoch, ALERT, &[1, 0]), "close_notify");
    with_half(&|peer, epoch| peer.say(epoch, ALERT, &[1, 90]), "user_canceled");
    refused_at(&[2], UNEXPECTED, "data within a KeyUpdate", |peer, epoch| {
        peer.say(epoch, HANDSHAKE, &[KEY_UPDATE, 0, 0])?;
        peer.say(epoch, DATA, b"x")
    });
}

//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# This field is deprecated and MUST be ignored for all purposes.
//= testvectors/requirements/rfc9846.txt#appendix-E
//= type=test
//# The value of TLSPlaintext.legacy_record_version MUST be ignored by all implementations.
//= testvectors/requirements/rfc9846.txt#appendix-E.2
//= type=test
//# Servers will receive various TLS 1.x versions in this field, but its value MUST always be ignored.
#[test]
fn what_came_too_early_or_unprotected_is_told_apart_from_the_unknown() {
    let told = |stage: usize, bytes: &[u8]| {
        let (mut client, _) = client_at(MUTUAL, CLIENT_STAGES[stage]);
        client.feed(bytes).unwrap_err().to_string()
    };
    assert!(told(0, &record(DATA, &[0; 32])).contains("before any key"));
    assert!(told(1, &record(HANDSHAKE, &FULL.record().server[0])).contains("unprotected"));
    assert!(told(1, &record(99, &[0; 32])).contains("unknown record type"));
}

#[test]
fn the_legacy_version_of_a_record_means_nothing() {
    for version in [0x0000, 0x0300, 0x0301, 0x0304, 0x7F1C, 0xFFFF_u16] {
        let mut first = record(HANDSHAKE, &FULL.record().client[0]);
        first[1..3].copy_from_slice(&version.to_be_bytes());
        let mut server = FULL.server();
        server.feed(&first).unwrap();
        assert_eq!(server.told().last().unwrap()[0], FINISHED);
    }
}

/// The records that a side takes in the flow `FULL`, with one of data behind.
fn stream<E: Endpoint>(mut puppet: Puppet<E>, told: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (position, message) in told.iter().enumerate() {
        let epoch = if position == 0 { Epoch::Plaintext } else { Epoch::Handshake };
        let record = puppet.record(epoch, HANDSHAKE, message);
        puppet.feed(&record).unwrap();
        stream.extend(record);
    }
    stream.extend(puppet.record(Epoch::Application, DATA, b"data"));
    stream
}

fn flip_every_byte<E: Endpoint>(fresh: impl Fn() -> Puppet<E>, told: &[Vec<u8>]) {
    let stream = stream(fresh(), told);
    let mut position = 0;
    for (number, record) in records(&stream).iter().enumerate() {
        for at in 0..record.len() {
            let mut flipped = stream.clone();
            flipped[position + at] ^= 1 << (at % 8);
            let mut puppet = fresh();
            let result = puppet.feed(&flipped);
            let what = format!("{:?}: byte {at} of record {number}", puppet.role);
            if number == 0 && (at == 1 || at == 2) {
                result.expect(&what);
                assert_eq!(puppet.party.data, b"data", "{what}");
                continue;
            }
            assert!(puppet.party.data.is_empty(), "{what}");
            match result {
                Err(error) => puppet.stays_dead(&error, &what),
                // A longer record is still awaited.
                Ok(()) => assert!(at == 3 || at == 4, "{what}"),
            }
        }
        position += record.len();
    }
}

#[test]
fn a_flipped_bit_never_passes_at_a_client() {
    flip_every_byte::<Client>(|| FULL.client(), &FULL.record().server);
}

//= testvectors/requirements/rfc9846.txt#section-5.2
//= type=test
//# If the decryption fails, the receiver MUST terminate the connection with a "bad_record_mac" alert.
#[test]
fn a_flipped_bit_never_passes_at_a_server() {
    flip_every_byte::<Server>(|| FULL.server(), &FULL.record().client);
}

//= testvectors/requirements/rfc9846.txt#appendix-E.5
//= type=test
//# Implementations MUST NOT negotiate TLS 1.3 or later using an SSL version 2.0 compatible
//# CLIENT-HELLO.
#[test]
fn other_protocols_are_named() {
    for (bytes, word, alert) in [
        (&b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n"[..], "HTTP request", UNEXPECTED),
        (b"POST /x HTTP/1.1\r\n\r\n", "HTTP request", UNEXPECTED),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", "HTTP request", UNEXPECTED),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2", UNEXPECTED),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "SSH", UNEXPECTED),
        (b"EHLO mail.example.test\r\n", "SMTP", UNEXPECTED),
        (&SSL2_HELLO, "SSL 2.0", AlertCode::PROTOCOL_VERSION),
    ] {
        let mut server = FULL.server();
        let told = server.feed(bytes);
        let Err(Error::Peer(fault)) = &told else { panic!("{word}: {told:?}") };
        assert!(fault.rule().contains(word), "{word}: {fault}");
        server.refuses(told, alert, Epoch::Plaintext, word);
    }
    for (bytes, word) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "HTTP response"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "SSH"),
        (b"220 mail.example.test ESMTP\r\n", "SMTP"),
    ] {
        let mut client = FULL.client();
        let told = client.feed(bytes);
        let Err(Error::Peer(fault)) = &told else { panic!("{word}: {told:?}") };
        assert!(fault.rule().contains(word), "{word}: {fault}");
        client.refuses(told, UNEXPECTED, Epoch::Plaintext, word);
    }
}

/// An SSL 2.0 compatible hello that offers TLS 1.0: two suites, no session, a challenge of 16 bytes.
const SSL2_HELLO: [u8; 33] = [
    0x80, 31, 1, 3, 1, 0, 6, 0, 0, 0, 16, 0, 0, 0x2F, 0, 0, 0x35, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
    14, 15, 16,
];

#[test]
fn a_client_of_older_versions_is_told_protocol_version() {
    let mut old = Hello {
        kind: CLIENT_HELLO,
        version: 0x0303,
        random: [7; 32],
        session: vec![8; 32],
        suites: vec![0xC0, 0x2C, 0xC0, 0x30, 0xC0, 0x2B, 0xC0, 0x2F, 0, 0x9E, 0xC0, 0x0A, 0, 0x2F, 0, 0xFF],
        compression: vec![0],
        extensions: vec![
            (0, vec![0, 15, 0, 0, 12, 101, 120, 97, 109, 112, 108, 101, 46, 116, 101, 115, 116]),
            // ec_point_formats, supported_groups, session_ticket, encrypt_then_mac, extended_main_secret
            (11, vec![3, 0, 1, 2]),
            (10, vec![0, 6, 0, 0x1D, 0, 0x17, 0, 0x18]),
            (35, vec![]),
            (22, vec![]),
            (23, vec![]),
            (13, vec![0, 8, 4, 3, 8, 4, 4, 1, 2, 1]),
        ],
    };
    let refused = |hello: Vec<u8>| {
        let mut first = record(HANDSHAKE, &hello);
        first[2] = 1;
        let mut server = FULL.server();
        let told = server.feed(&first);
        assert!(told.as_ref().unwrap_err().to_string().contains("TLS 1.3 is needed"));
        server.refuses(told, AlertCode::PROTOCOL_VERSION, Epoch::Plaintext, "an older client");
    };
    refused(old.write());
    old.compression = vec![1, 0];
    refused(old.write());
    for version in [0x0300, 0x0301, 0x0302] {
        old.version = version;
        old.extensions.clear();
        let mut bare = old.write();
        // No extensions field at all.
        bare.truncate(bare.len() - 2);
        refused(message(CLIENT_HELLO, &bare[4..]));
    }
    // What another version's extensions hold does not get in the way.
    old.extensions = vec![(51, vec![1]), (13, vec![])];
    refused(old.write());
}
