//! What the standard demands of senders, held against what both sides send in every kind of handshake.
#![cfg(feature = "rustcrypto")]

mod support;

use support::flow::*;
use support::forge::*;
use support::*;
use symbolon::codepoint::NamedGroup;

const SERVER_NAME: u16 = 0;
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
#[test]
fn a_client_hello_has_the_legacy_fields_and_the_extensions_of_tls_1_3() {
    for (flow, hellos) in client_hellos() {
        for hello in hellos {
            assert_eq!((hello.version, &hello.compression[..]), (0x0303, &[0][..]), "{flow:?}");
            assert_eq!(hello.data(SUPPORTED_VERSIONS).unwrap(), &[2, 3, 4], "{flow:?}");
            assert!(hello.data(SIGNATURE_ALGORITHMS).is_some(), "{flow:?}");
            assert!(hello.data(POST_HANDSHAKE_AUTH).is_none(), "{flow:?}");
            assert!(hello.data(SERVER_NAME).is_some(), "{flow:?}");
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

//= testvectors/requirements/rfc9846.txt#section-4.3.7
//= type=test
//# The "named_group_list" MUST NOT contain any duplicate entries.
//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# Each KeyShareEntry value MUST correspond to a group offered in the "supported_groups" extension and MUST
//# appear in the same order.
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
