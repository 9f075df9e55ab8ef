//! What the standard demands of senders, held against what both sides send in every kind of handshake.
#![cfg(feature = "rustcrypto")]

mod support;

use support::flow::*;
use support::forge::*;
use support::resumption::{MAX_EARLY, guarded};
use support::*;
use symbolon::codepoint::{NamedGroup, SignatureScheme};
use symbolon::conn::Epoch;

const SERVER_NAME: u16 = 0;
const TRUNCATED_HMAC: u16 = 4;
const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;
const COOKIE: u16 = 44;
const PSK_KEY_EXCHANGE_MODES: u16 = 45;
const OID_FILTERS: u16 = 48;
const POST_HANDSHAKE_AUTH: u16 = 49;
const KEY_SHARE: u16 = 51;

/// Every flow with its messages.
fn all() -> impl Iterator<Item = (Flow, Recorded)> {
    FLOWS.into_iter().chain(KEYED).map(|flow| (flow, flow.record()))
}

fn of_kind(messages: &[Vec<u8>], kind: u8) -> Vec<Hello> {
    messages.iter().filter(|message| message[0] == kind).map(|message| Hello::parse(message)).collect()
}

/// Every ClientHello of every flow.
fn client_hellos() -> impl Iterator<Item = (Flow, Vec<Hello>)> {
    all().map(|(flow, recorded)| (flow, of_kind(&recorded.client, CLIENT_HELLO)))
}

/// The code points of a list with a length of two bytes.
fn list(data: &[u8]) -> Vec<u16> {
    data[2..].chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

/// The groups and the keys of a client's shares.
fn shares(hello: &Hello) -> Vec<(u16, Vec<u8>)> {
    extensions(&hello.data(KEY_SHARE).unwrap()[2..])
}

/// The extensions of an EncryptedExtensions.
fn encrypted(recorded: &Recorded) -> Vec<(u16, Vec<u8>)> {
    extensions(&recorded.server(ENCRYPTED_EXTENSIONS)[6..])
}

fn kinds(list: &[(u16, Vec<u8>)]) -> Vec<u16> {
    list.iter().map(|(kind, _)| *kind).collect()
}

//= testvectors/requirements/rfc9846.txt#section-4.3.1
//= type=test
//# Implementations of this specification MUST send this extension in the ClientHello containing all
//# versions of TLS which they are prepared to negotiate
//= testvectors/requirements/rfc9846.txt#section-4.3.3
//= type=test
//# Clients which desire the server to authenticate itself via a certificate MUST send the
//# "signature_algorithms" extension.
//= testvectors/requirements/rfc9846.txt#section-9.2
//= type=test
//# All implementations MUST send and use these extensions when offering applicable features:
//= testvectors/requirements/rfc9846.txt#appendix-E.5
//= type=test
//# Implementations MUST use 0x0303 for the ClientHello.legacy_version and ServerHello.legacy_version.
//= testvectors/requirements/rfc9846.txt#appendix-E.5
//= type=test
//# Implementations MUST NOT use the Truncated HMAC extension, defined in Section 7 of [RFC6066]
#[test]
fn a_client_hello_has_the_legacy_fields_and_the_extensions_of_tls_1_3() {
    for (flow, hellos) in client_hellos() {
        for hello in hellos {
            assert_eq!((hello.version, &hello.compression[..]), (0x0303, &[0][..]), "{flow:?}");
            assert_eq!(hello.data(SUPPORTED_VERSIONS).unwrap(), &[2, 3, 4], "{flow:?}");
            assert!(hello.data(SIGNATURE_ALGORITHMS).is_some(), "{flow:?}");
            assert!(hello.data(POST_HANDSHAKE_AUTH).is_none(), "{flow:?}");
            assert!(hello.data(SERVER_NAME).is_some(), "{flow:?}");
            assert!(hello.data(TRUNCATED_HMAC).is_none(), "{flow:?}");
        }
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.2
//= type=test
//# Clients MUST NOT use cookies in their initial ClientHello in subsequent connections.
#[test]
fn a_cookie_is_sent_in_answer_to_one_alone() {
    for (flow, hellos) in client_hellos() {
        assert!(hellos.iter().all(|hello| hello.data(COOKIE).is_none()), "{flow:?}");
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# Each KeyShareEntry value MUST correspond to a group offered in the "supported_groups" extension and MUST
//# appear in the same order.
//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# Clients MUST NOT offer multiple KeyShareEntry values for the same group.
//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# Clients MUST NOT offer any KeyShareEntry values for groups not listed in the client's
//# "supported_groups" extension.
#[test]
fn shares_are_of_the_groups_supported_in_their_order_and_each_once() {
    let everything = client_config(|b| {
        let groups = [NamedGroup::X25519MLKEM768, NamedGroup::X25519, NamedGroup::SECP256R1];
        b.groups(&groups)
    });
    let hello = Hello::parse(&records(&client(&everything).flush())[0][5..]);
    let hybrid = [(FULL, vec![hello])];
    let mut most = 0;
    for (flow, hellos) in client_hellos().chain(hybrid) {
        for hello in hellos {
            let groups = list(hello.data(SUPPORTED_GROUPS).unwrap());
            let mut once = groups.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), groups.len(), "{flow:?}");
            let offered: Vec<_> = kinds(&shares(&hello));
            let places: Vec<_> = offered.iter().map(|group| groups.iter().position(|g| g == group)).collect();
            assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{flow:?}: {offered:?}");
            assert!(places.windows(2).all(|pair| pair[0] != pair[1]), "{flow:?}");
            most = most.max(offered.len());
        }
    }
    assert_eq!(most, 2, "the hybrid comes with its component");
}

//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# the client MUST replace the original "key_share" extension with one containing only a new KeyShareEntry
//# for the group indicated in the selected_group field of the triggering HelloRetryRequest
#[test]
fn a_retry_is_answered_with_one_new_share_of_its_group() {
    for flow in [RETRY, BOTH, RAW_RETRY, RESUMED_RETRY, EARLY_RETRY] {
        let recorded = flow.record();
        let hellos = of_kind(&recorded.client, CLIENT_HELLO);
        let (before, after) = (shares(&hellos[0]), shares(&hellos[1]));
        assert_eq!(kinds(&after), [NamedGroup::SECP256R1.0], "{flow:?}");
        assert!(before.iter().all(|(group, _)| *group != NamedGroup::SECP256R1.0), "{flow:?}");
        let server = Hello::parse(&recorded.server(SERVER_HELLO));
        assert_eq!(server.data(KEY_SHARE).unwrap()[..2], NamedGroup::SECP256R1.0.to_be_bytes(), "{flow:?}");
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# Clients and Servers MUST NOT reuse a key share for multiple connections.
#[test]
fn no_share_is_used_for_two_connections() {
    let config = client_config(|b| b.groups(&[NamedGroup::X25519]));
    let share = || shares(&Hello::parse(&records(&client(&config).flush())[0][5..]));
    assert_ne!(share(), share());
    let answer = || {
        let mut pair = Pair::standard();
        pair.server.inbox = pair.client.flush();
        pair.server.run().unwrap();
        Hello::parse(&records(&pair.server.flush())[0][5..]).data(KEY_SHARE).unwrap().clone()
    };
    assert_ne!(answer(), answer());
}

//= testvectors/requirements/rfc9846.txt#section-4.3.9
//= type=test
//# To use PSKs, clients MUST also send a "psk_key_exchange_modes" extension.
//= testvectors/requirements/rfc9846.txt#section-4.3.9
//= type=test
//# A client MUST provide a "psk_key_exchange_modes" extension if it offers a "pre_shared_key" extension.
//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# If the client opts to do so, it MUST supply both the "pre_shared_key" and "early_data" extensions.
//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# A client MUST NOT include the "early_data" extension in its followup ClientHello.
//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# The "pre_shared_key" extension MUST be the last extension in the ClientHello (this facilitates
//# implementation as described below).
//= testvectors/requirements/rfc9846.txt#section-9.2
//= type=test
//# "pre_shared_key" is REQUIRED for PSK key agreement.
//= testvectors/requirements/rfc9846.txt#section-9.2
//= type=test
//# "psk_key_exchange_modes" is REQUIRED for PSK key agreement.
#[test]
fn pre_shared_keys_come_last_with_their_modes_and_early_data_only_with_a_first_hello() {
    for flow in KEYED {
        let hellos = of_kind(&flow.record().client, CLIENT_HELLO);
        for hello in &hellos {
            assert_eq!(hello.extensions.last().unwrap().0, PRE_SHARED_KEY, "{flow:?}");
            assert_eq!(hello.data(PSK_KEY_EXCHANGE_MODES).unwrap(), &[1, 1], "{flow:?}");
        }
        assert_eq!(hellos[0].data(EARLY_DATA).is_some(), flow.key == KeyUse::Early, "{flow:?}");
        assert!(hellos.get(1).is_none_or(|hello| hello.data(EARLY_DATA).is_none()), "{flow:?}");
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.1
//= type=test
//# A server which negotiates TLS 1.3 MUST respond by sending a "supported_versions" extension containing
//# the selected version value (0x0304).
//= testvectors/requirements/rfc9846.txt#section-4.3.1
//= type=test
//# It MUST set the ServerHello.legacy_version field to 0x0303 (TLS 1.2).
//= testvectors/requirements/rfc9846.txt#section-9.2
//= type=test
//# "supported_versions" is REQUIRED for all ClientHello, ServerHello, and HelloRetryRequest messages.
#[test]
fn a_server_hello_has_the_legacy_fields_and_the_version() {
    for (flow, recorded) in all() {
        for hello in of_kind(&recorded.server, SERVER_HELLO) {
            assert_eq!(hello.version, 0x0303, "{flow:?}");
            assert_eq!(hello.compression, [0], "{flow:?}");
            assert_eq!(hello.data(SUPPORTED_VERSIONS).unwrap(), &[3, 4], "{flow:?}");
            let sent = of_kind(&recorded.client, CLIENT_HELLO);
            assert_eq!(hello.session, sent[0].session, "{flow:?}");
            let selected = hello.data(PRE_SHARED_KEY).is_some();
            assert_eq!(selected, flow.key != KeyUse::None && hello.random != retry_random(), "{flow:?}");
        }
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3
//= type=test
//# Implementations MUST NOT send extension responses (i.e., in the ServerHello, EncryptedExtensions,
//# HelloRetryRequest, and Certificate messages) if the remote endpoint did not send the corresponding
//# extension requests, with the exception of the "cookie" extension in the HelloRetryRequest.
//= testvectors/requirements/rfc9846.txt#section-4.3.6
//= type=test
//# Servers MUST NOT send this extension.
//= testvectors/requirements/rfc9846.txt#section-4.3.9
//= type=test
//# The server MUST NOT send a "psk_key_exchange_modes" extension.
//= testvectors/requirements/rfc9846.txt#section-4.4.1
//= type=test
//# In all handshakes, the server MUST send the EncryptedExtensions message immediately after the
//# ServerHello message.
#[test]
fn a_server_answers_what_was_asked_and_nothing_else() {
    for (flow, recorded) in all() {
        let asked = of_kind(&recorded.client, CLIENT_HELLO).pop().unwrap();
        let unasked = [SUPPORTED_GROUPS];
        for kind in kinds(&encrypted(&recorded)) {
            let was_asked = asked.data(kind).is_some() || unasked.contains(&kind);
            assert!(was_asked, "{flow:?}: extension {kind}");
            let never = [PSK_KEY_EXCHANGE_MODES, POST_HANDSHAKE_AUTH, SIGNATURE_ALGORITHMS];
            assert!(!never.contains(&kind), "{flow:?}: extension {kind}");
        }
        let position = |kind| recorded.server.iter().rposition(|message| message[0] == kind).unwrap();
        assert_eq!(position(ENCRYPTED_EXTENSIONS), position(SERVER_HELLO) + 1, "{flow:?}");
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.4.2
//= type=test
//# This message, if sent, MUST follow EncryptedExtensions.
//= testvectors/requirements/rfc9846.txt#section-4.4.2
//= type=test
//# This field SHALL be zero length unless used for the post-handshake authentication exchanges described in
//# Section 4.7.2.
//= testvectors/requirements/rfc9846.txt#section-4.4.2
//= type=test
//# The "signature_algorithms" extension MUST be specified, and other extensions may optionally be included
//# if defined for this message.
//= testvectors/requirements/rfc9846.txt#section-4.4.2
//= type=test
//# Servers which are authenticating with a resumption PSK MUST NOT send the CertificateRequest message in
//# the main handshake
//= testvectors/requirements/rfc9846.txt#section-4.4.2
//= type=test
//# The certificate_request_context MUST be unique within the scope of this connection (thus preventing
//# replay of client CertificateVerify messages).
#[test]
fn a_certificate_request_has_no_context_and_names_schemes() {
    for flow in [MUTUAL, BOTH, RAW, RAW_RETRY] {
        let recorded = flow.record();
        let request = recorded.server(CERTIFICATE_REQUEST);
        assert_eq!(request[4], 0, "{flow:?}: the length of certificate_request_context");
        let sent = kinds(&extensions(&request[7..]));
        assert!(sent.contains(&SIGNATURE_ALGORITHMS) && !sent.contains(&OID_FILTERS), "{flow:?}: {sent:?}");
        let position = |kind| recorded.server.iter().rposition(|message| message[0] == kind).unwrap();
        assert_eq!(position(CERTIFICATE_REQUEST), position(ENCRYPTED_EXTENSIONS) + 1, "{flow:?}");
    }
    for flow in [FULL, RETRY].into_iter().chain(KEYED) {
        let recorded = flow.record();
        assert!(recorded.server.iter().all(|message| message[0] != CERTIFICATE_REQUEST), "{flow:?}");
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# The server MUST send a Certificate message whenever the agreed-upon key exchange method uses
//# certificates for authentication (this includes all key exchange methods defined in this document except
//# PSK).
//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# The client MUST send a Certificate message if and only if the server has requested certificate-based
//# client authentication via a CertificateRequest message (Section 4.4.2).
//= testvectors/requirements/rfc9846.txt#section-4.5.2
//= type=test
//# Servers MUST send this message when authenticating via a certificate.
//= testvectors/requirements/rfc9846.txt#section-4.5.2
//= type=test
//# Clients MUST send this message whenever authenticating via a certificate (i.e., when the Certificate
//# message is non-empty).
#[test]
fn authentication_is_certificate_verify_and_finished_in_this_order() {
    let auth = |messages: &[Vec<u8>]| -> Vec<u8> {
        let kinds = messages.iter().map(|message| message[0]);
        kinds.filter(|kind| [CERTIFICATE, CERTIFICATE_VERIFY, FINISHED].contains(kind)).collect()
    };
    for (flow, recorded) in all() {
        let whole = vec![CERTIFICATE, CERTIFICATE_VERIFY, FINISHED];
        let keyed = flow.key != KeyUse::None;
        assert_eq!(auth(&recorded.server), if keyed { vec![FINISHED] } else { whole.clone() }, "{flow:?}");
        assert_eq!(auth(&recorded.client), if flow.mutual { whole } else { vec![FINISHED] }, "{flow:?}");
        if !keyed {
            let certificate = recorded.server(CERTIFICATE);
            assert_eq!(certificate[4], 0, "{flow:?}: certificate_request_context");
            assert_ne!(certificate[5..8], [0, 0, 0], "{flow:?}: certificate_list");
        }
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# If the server requests certificate-based client authentication but no suitable certificate is available,
//# the client MUST send a Certificate message containing no certificates (i.e., with the "certificate_list"
//# field having length 0).
//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# A Finished message MUST be sent regardless of whether the Certificate message is empty.
#[test]
fn a_client_without_a_suitable_certificate_sends_an_empty_one_and_finished() {
    let mut client = MUTUAL.client();
    client.party.answers.credential = None;
    let mut server = MUTUAL
        .server_with(|b| b.client_auth(symbolon::config::ClientAuth::Optional { authorities: Vec::new() }));
    let recorded = record_pair(&mut client, &mut server);
    let kinds: Vec<_> = recorded.client.iter().map(|message| message[0]).collect();
    assert_eq!(kinds, [CLIENT_HELLO, CERTIFICATE, FINISHED]);
    assert_eq!(recorded.client(CERTIFICATE), message(CERTIFICATE, &[0, 0, 0, 0]));
}

//= testvectors/requirements/rfc9846.txt#section-4.6
//= type=test
//# If the server sent an "early_data" extension in EncryptedExtensions, the client MUST send an
//# EndOfEarlyData message after receiving the server Finished.
//= testvectors/requirements/rfc9846.txt#section-4.6
//= type=test
//# If the server does not send an "early_data" extension in EncryptedExtensions, then the client MUST NOT
//# send an EndOfEarlyData message.
#[test]
fn end_of_early_data_is_sent_only_where_early_data_was_accepted() {
    for (flow, recorded) in all() {
        let sent = recorded.client.iter().any(|message| message[0] == END_OF_EARLY_DATA);
        assert_eq!(sent, kinds(&encrypted(&recorded)).contains(&EARLY_DATA), "{flow:?}");
        assert_eq!(sent, flow == EARLY, "{flow:?}");
        assert!(recorded.server.iter().all(|message| message[0] != END_OF_EARLY_DATA), "{flow:?}");
    }
}

/// Everything that both sides of a pair send, up to its end.
fn everything(mut pair: Pair) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    loop {
        let (up, down) = (pair.client.flush(), pair.server.flush());
        if up.is_empty() && down.is_empty() {
            break sent;
        }
        sent.extend(records(&up));
        sent.extend(records(&down));
        pair.server.inbox.extend(up);
        pair.client.inbox.extend(down);
        pair.server.run().unwrap();
        pair.client.run().unwrap();
        if pair.client.summary.is_some() && pair.server.summary.is_some() {
            pair.client.conn.close(&mut pair.client.out);
            pair.server.conn.close(&mut pair.server.out);
        }
    }
}

//= testvectors/requirements/rfc9846.txt#section-5
//= type=test
//# Implementations MUST NOT send record types not defined in this document unless negotiated by some
//# extension.
//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# Implementations MUST NOT send zero-length fragments of Handshake types, even if those fragments contain
//# padding.
//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# legacy_record_version: MUST be set to 0x0303 for all records generated by a TLS 1.3 implementation other
//# than an initial ClientHello (i.e., one not generated after a HelloRetryRequest), where it MAY also be
//# 0x0301 for compatibility purposes.
//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# a record containing a second ClientHello or a ServerHello MUST have version 0x0303 (reflecting TLS 1.2)
//= testvectors/requirements/rfc9846.txt#appendix-E.5
//= type=test
//# Implementations MUST NOT send an SSL version 2.0 compatible CLIENT-HELLO.
//= testvectors/requirements/rfc9846.txt#appendix-E.5
//= type=test
//# Implementations MUST NOT send any records with a version less than 0x0300.
#[test]
fn records_have_the_types_and_the_versions_of_the_standard() {
    let retried = Pair::new(
        &client_config(|b| b.groups(&[NamedGroup::X25519, NamedGroup::SECP256R1])),
        &server_config(|b| b.groups(&[NamedGroup::SECP256R1])),
    );
    for sent in [everything(Pair::standard()), everything(retried)] {
        assert!(sent.len() > 4);
        for (position, record) in sent.iter().enumerate() {
            assert!([CCS, ALERT, HANDSHAKE, DATA].contains(&record[0]), "record {position}");
            let initial = position == 0;
            assert_eq!(record[1..3], if initial { [3, 1] } else { [3, 3] }, "record {position}");
            assert!(record.len() > 5, "record {position} is empty");
        }
    }
}

//= testvectors/requirements/rfc9846.txt#appendix-B
//= type=test
//# TLS 1.3 implementations MUST NOT send them but might receive them from older TLS implementations.
#[test]
fn messages_have_the_kinds_of_tls_1_3() {
    const KINDS: [u8; 9] = [
        CLIENT_HELLO,
        SERVER_HELLO,
        TICKET,
        END_OF_EARLY_DATA,
        ENCRYPTED_EXTENSIONS,
        CERTIFICATE,
        CERTIFICATE_REQUEST,
        CERTIFICATE_VERIFY,
        FINISHED,
    ];
    for (flow, recorded) in all() {
        let kinds = recorded.client.iter().chain(&recorded.server).map(|message| message[0]);
        assert!(kinds.clone().all(|kind| KINDS.contains(&kind)), "{flow:?}: {:?}", kinds.collect::<Vec<_>>());
    }
}

//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# implementations MUST send these messages in alignment with a record boundary
#[test]
fn what_precedes_a_key_change_ends_its_record() {
    const LAST: [u8; 5] = [CLIENT_HELLO, SERVER_HELLO, END_OF_EARLY_DATA, FINISHED, KEY_UPDATE];
    for flow in FLOWS.into_iter().chain(KEYED) {
        let (mut client, mut server) = (flow.client(), flow.server());
        record_pair(&mut client, &mut server);
        for said in client.said.iter().chain(&server.said).filter(|said| said.kind == HANDSHAKE) {
            let in_record = messages(&said.content);
            let (last, before) = in_record.split_last().unwrap();
            assert!(before.iter().all(|message| !LAST.contains(&message[0])), "{flow:?}");
            assert!(said.epoch != Epoch::Plaintext || LAST.contains(&last[0]), "{flow:?}");
        }
    }
}

//= testvectors/requirements/rfc9846.txt#section-5.4
//= type=test
//# Implementations MUST set the padding octets to all zeros before encrypting.
#[test]
fn padding_is_zeros() {
    use symbolon::conn::Padding;
    let mut puppet = FULL.client_with(|b| b.padding(Padding::Multiple(64)));
    record_pair(&mut puppet, &mut FULL.server());
    let before = puppet.said.len();
    puppet.party.conn.write(&[b"content"], &mut puppet.party.out).unwrap();
    let bytes = puppet.party.flush();
    assert_eq!(bytes.len(), 5 + 64 + 16);
    // It takes the last byte that is not zero for the content type.
    puppet.hear(&bytes);
    assert_eq!(
        puppet.said[before],
        Said { epoch: Epoch::Application, kind: DATA, content: b"content".to_vec() }
    );
}

/// The code points of the first ClientHello of a client with all that the default provider has.
fn first_hello() -> Hello {
    Hello::parse(&records(&client(&client_config(|b| b)).flush())[0][5..])
}

//= testvectors/requirements/rfc9846.txt#section-4.3.3
//= type=test
//# They MUST NOT be offered or negotiated by any implementation.
//= testvectors/requirements/rfc9846.txt#section-4.3.3
//= type=test
//# In particular, MD5 [SLOTH], SHA-224, and DSA MUST NOT be used.
#[test]
fn no_scheme_with_a_broken_hash_is_offered() {
    let offered = list(first_hello().data(SIGNATURE_ALGORITHMS).unwrap());
    let request = MUTUAL.record().server(CERTIFICATE_REQUEST);
    let asked =
        extensions(&request[7..]).into_iter().find(|(kind, _)| *kind == SIGNATURE_ALGORITHMS).unwrap();
    for scheme in offered.into_iter().chain(list(&asked.1)).map(SignatureScheme) {
        let [hash, signature] = scheme.0.to_be_bytes();
        // In the numbers of TLS 1.2 the hashes below SHA-256 are MD5, SHA-1 and SHA-224, and the second signature is DSA.
        assert!(hash >= 4, "{scheme} has a hash that must not be used");
        assert!(hash >= 7 || signature != 2, "{scheme} is DSA");
    }
}

//= testvectors/requirements/rfc9846.txt#appendix-B.3.1.4
//= type=test
//# Values within "obsolete_RESERVED" ranges are used in previous versions of TLS and MUST NOT be offered or
//# negotiated by TLS 1.3 implementations.
#[test]
fn no_group_of_earlier_versions_is_offered() {
    for group in list(first_hello().data(SUPPORTED_GROUPS).unwrap()) {
        // RFC 9846 appendix B.3.1.4: obsolete_RESERVED.
        assert!(!matches!(group, 1..=0x16 | 0x1A..=0x1C | 0xFF01..=0xFF02), "{group:#x}");
    }
}

//= testvectors/requirements/rfc9846.txt#appendix-E.5
//= type=test
//# Implementations MUST NOT offer or negotiate RC4 cipher suites for any version of TLS for any reason.
//= testvectors/requirements/rfc9846.txt#appendix-E.5
//= type=test
//# Ciphers with a strength less than 112 bits MUST NOT be offered or negotiated for any version of TLS for
//# any reason.
#[test]
fn no_suite_of_earlier_versions_is_offered() {
    let suites = first_hello().suites;
    assert!(suites.len() >= 2 && suites.chunks(2).all(|suite| suite[0] == 0x13), "{suites:x?}");
}

//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# Note that Application Data records MUST NOT be written to the wire unprotected (see Section 2 for
//# details).
#[test]
fn nothing_is_written_before_there_are_keys_for_it() {
    let mut pair = Pair::standard();
    pair.client.flush();
    let refused = pair.client.conn.write(&[b"too early"], &mut pair.client.out);
    assert_eq!(refused, Err(symbolon::Error::Misuse(symbolon::Misuse::NotEstablished)));
    let refused = pair.server.conn.write(&[b"too early"], &mut pair.server.out);
    assert_eq!(refused, Err(symbolon::Error::Misuse(symbolon::Misuse::NotEstablished)));
    assert!(pair.client.flush().is_empty() && pair.server.flush().is_empty());
}

#[test]
fn only_a_ticket_that_permits_early_data_says_so() {
    let extensions_of_tickets = |permits: bool| -> Vec<Vec<(u16, Vec<u8>)>> {
        let mut server = FULL.server_with(|b| {
            let b = b.tickets(2);
            if permits { b.early_data(MAX_EARLY, guarded()) } else { b }
        });
        let recorded = record_pair(&mut FULL.client_with(|b| b), &mut server);
        let tickets = recorded.server.iter().filter(|message| message[0] == TICKET);
        let block = |ticket: &Vec<u8>| {
            // Header, lifetime and age; a nonce behind one byte of length, a ticket behind two, and the block's length.
            let nonce = 4 + 8;
            let identity = nonce + 1 + usize::from(ticket[nonce]);
            let len = u16::from_be_bytes([ticket[identity], ticket[identity + 1]]);
            extensions(&ticket[identity + 2 + usize::from(len) + 2..])
        };
        tickets.map(block).collect()
    };
    assert_eq!(extensions_of_tickets(false), [Vec::new(), Vec::new()]);
    let permitted = vec![(EARLY_DATA, MAX_EARLY.to_be_bytes().to_vec())];
    assert_eq!(extensions_of_tickets(true), [permitted.clone(), permitted]);
}
