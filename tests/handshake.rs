//! Full handshakes in memory: every suite, group and kind of key, retries, client certificates, extensions.
#![cfg(feature = "rustcrypto")]

mod support;

use std::sync::Arc;

use support::*;
use symbolon::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use symbolon::config::{ClientAuth, ServerConfig, StatelessRetry};
use symbolon::conn::{Client, NotResumed, Offer, Padding, SendBuf};
use symbolon::psk::{ExternalPsk, PskHash};
use symbolon::{AlertCode, Error};

const SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS_AES_128_GCM_SHA256,
    CipherSuite::TLS_AES_256_GCM_SHA384,
    CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
];

const GROUPS: [NamedGroup; 4] =
    [NamedGroup::X25519MLKEM768, NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1];

//= testvectors/requirements/rfc9846.txt#section-2
//= type=test
//# the server's share MUST be in the same group as one of the client's shares
//= testvectors/requirements/rfc9846.txt#section-9.1
//= type=test
//# A TLS-compliant application MUST implement the TLS_AES_128_GCM_SHA256 [GCM] cipher suite
//= testvectors/requirements/rfc9846.txt#section-9.1
//= type=test
//# A TLS-compliant application MUST support key exchange with secp256r1 (NIST P-256)
#[test]
fn every_suite_works_with_every_group_and_carries_data_both_ways() {
    for suite in SUITES {
        for group in GROUPS {
            let mut pair = Pair::new(
                &client_config(|b| b.suites(&[suite]).groups(&[group]).reveal_secrets()),
                &server_config(|b| b.reveal_secrets()),
            );
            pair.run().unwrap();
            let (client, server) =
                (pair.client.summary.clone().unwrap(), pair.server.summary.clone().unwrap());
            assert_eq!((client.suite, client.group), (suite, Some(group)));
            assert_eq!((server.suite, server.group), (suite, Some(group)));
            assert!(!client.retried && !server.retried);
            assert_eq!(client.resumed, Err(NotResumed::NotOffered));
            assert_eq!(pair.client.secrets, pair.server.secrets, "{suite} {group}");
            assert_eq!(pair.client.secrets.len(), 5);
            pair.send_up(b"ping");
            pair.send_down(&[7; 100_000]);
            assert_eq!(pair.server.data, b"ping");
            assert_eq!(pair.client.data, [7; 100_000]);
            assert_eq!(pair.client.conn.channel_binding(), pair.server.conn.channel_binding());
        }
    }
}

//= testvectors/requirements/rfc9846.txt#section-9.1
//= type=test
//# A TLS-compliant application MUST support digital signatures with rsa_pkcs1_sha256 (for certificates),
//# rsa_pss_rsae_sha256 (for CertificateVerify and certificates), and ecdsa_secp256r1_sha256.
//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# The sender's certificate MUST come in the first CertificateEntry in the list.
#[test]
fn every_kind_of_key_signs_for_either_side() {
    for server_key in ALL_KEYS {
        for client_key in ALL_KEYS {
            let server_config = ServerConfig::builder(provider())
                .credential(credential(server_key))
                .client_auth(ClientAuth::Required { authorities: vec![b"issuer".to_vec()] })
                .build()
                .unwrap();
            let mut pair = Pair::new(&client_config(|b| b), &server_config);
            pair.client.answers.credential = Some(credential(client_key));
            pair.run().unwrap();
            let presented = pair.server.summary.unwrap().peer.unwrap();
            assert_eq!(presented.chain[0], credential(client_key).chain()[0]);
            assert_eq!(pair.client.answers.asked, ["VerifyPeer", "ChooseCredential", "Sign"]);
            assert_eq!(pair.server.answers.asked, ["Sign", "VerifyPeer"]);
        }
    }
}

#[test]
fn a_client_may_decline_where_the_server_lets_it_and_is_told_of_as_anonymous() {
    let (optional, migrating) =
        (ClientAuth::Optional { authorities: Vec::new() }, ClientAuth::Migrating { authorities: Vec::new() });
    for (mode, anonymous) in [(ClientAuth::Off, false), (optional, true), (migrating, true)] {
        let mut pair = Pair::new(&client_config(|b| b), &server_config(|b| b.client_auth(mode)));
        pair.run().unwrap();
        let summary = pair.server.summary.unwrap();
        assert!(summary.peer.is_none());
        assert_eq!(summary.anonymous, anonymous);
        assert_eq!(summary.identity().to_string(), "anonymous");
        assert!(!pair.client.summary.unwrap().anonymous);
    }
}

#[test]
fn a_client_without_a_required_certificate_is_told_so_under_application_keys() {
    let required = ClientAuth::Required { authorities: Vec::new() };
    let mut pair = Pair::new(&client_config(|b| b), &server_config(|b| b.client_auth(required)));
    let error = pair.run().unwrap_err();
    assert_eq!(error.alert(), Some(AlertCode::CERTIFICATE_REQUIRED));
    assert!(pair.client.summary.is_some(), "the client was done already");
    pair.client.inbox = pair.server.flush();
    assert_eq!(pair.client.run(), Err(Error::Alert(AlertCode::CERTIFICATE_REQUIRED)));
}

//= testvectors/requirements/rfc9846.txt#section-4.2.1
//= type=test
//# the server MUST respond with a HelloRetryRequest (Section 4.2.4) message.
#[test]
fn a_share_of_no_common_group_costs_a_retry() {
    for group in GROUPS {
        let first =
            if group == NamedGroup::SECP384R1 { NamedGroup::SECP256R1 } else { NamedGroup::SECP384R1 };
        let mut pair =
            Pair::new(&client_config(|b| b.groups(&[first, group])), &server_config(|b| b.groups(&[group])));
        pair.run().unwrap();
        let (client, server) = (pair.client.summary.clone().unwrap(), pair.server.summary.clone().unwrap());
        assert!(client.retried && server.retried);
        assert_eq!((client.group, server.group), (Some(group), Some(group)));
        pair.send_up(b"x");
        pair.send_down(b"y");
    }
}

#[test]
fn the_hybrid_comes_with_a_plain_share_of_the_same_key() {
    let mut pair = Pair::new(&client_config(|b| b), &server_config(|b| b.groups(&[NamedGroup::X25519])));
    pair.run().unwrap();
    let summary = pair.client.summary.unwrap();
    assert_eq!((summary.group, summary.retried), (Some(NamedGroup::X25519), false));
}

#[test]
fn a_component_that_is_not_configured_is_not_offered() {
    let only = client_config(|b| b.groups(&[NamedGroup::X25519MLKEM768]));
    let error = Pair::new(&only, &server_config(|b| b.groups(&[NamedGroup::X25519]))).run().unwrap_err();
    assert_eq!(error.alert(), Some(AlertCode::HANDSHAKE_FAILURE));
}

#[test]
fn a_client_that_puts_chacha_first_gets_it() {
    let mut pair = Pair::new(
        &client_config(|b| b.suites(&[SUITES[2], SUITES[0]])),
        &server_config(|b| b.suites(&SUITES)),
    );
    pair.run().unwrap();
    assert_eq!(pair.server.summary.unwrap().suite, SUITES[2]);
    let mut pair = Pair::new(
        &client_config(|b| b.suites(&[SUITES[1], SUITES[0]])),
        &server_config(|b| b.suites(&SUITES)),
    );
    pair.run().unwrap();
    assert_eq!(pair.server.summary.unwrap().suite, SUITES[0]);
}

#[test]
fn the_server_chooses_the_protocol_and_refuses_when_there_is_none_in_common() {
    let offers = client_config(|b| b.alpn(["http/1.1", "h2"]));
    let mut pair = Pair::new(&offers, &server_config(|b| b.alpn(["h3", "h2", "http/1.1"])));
    pair.run().unwrap();
    assert_eq!(pair.client.summary.unwrap().alpn.unwrap(), b"h2");
    assert_eq!(pair.server.summary.unwrap().alpn.unwrap(), b"h2");
    let mut pair = Pair::new(&offers, &server_config(|b| b));
    pair.run().unwrap();
    assert_eq!(pair.client.summary.unwrap().alpn, None);
    let error = Pair::new(&offers, &server_config(|b| b.alpn(["h3"]))).run().unwrap_err();
    assert_eq!(error.alert(), Some(AlertCode::NO_APPLICATION_PROTOCOL));
}

#[test]
fn a_server_without_its_own_credential_asks_once_even_when_it_retries() {
    let front = ServerConfig::builder(provider()).build().unwrap();
    let back = server_config(|b| b.groups(&[NamedGroup::SECP256R1]));
    let mut pair = Pair::new(&client_config(|b| b), &front);
    pair.server.answers.serving = Some((back, credential(Key::Ed25519)));
    pair.run().unwrap();
    assert_eq!(pair.server.answers.asked, ["Configure", "Sign"]);
    let summary = pair.client.summary.unwrap();
    assert_eq!(summary.signature, Some(SignatureScheme::ED25519));
    assert!(summary.retried);
}

//= testvectors/requirements/rfc8449.txt#section-4
//= type=test
//# When the "record_size_limit" extension is negotiated, an endpoint MUST NOT generate a protected
//# record with plaintext that is larger than the RecordSizeLimit value it receives from its peer.
#[test]
fn record_size_limits_hold_both_ways() {
    let mut pair =
        Pair::new(&client_config(|b| b.record_size_limit(64)), &server_config(|b| b.record_size_limit(1000)));
    pair.run().unwrap();
    assert_eq!(pair.server.conn.write(&[&[1; 500]], &mut pair.server.out), Ok(500));
    let down = pair.server.flush();
    // 63 bytes of content, a content type and a tag in each full record.
    assert_eq!(&down[3..5], &[0, 80]);
    assert_eq!(pair.client.conn.write(&[&[2; 2000]], &mut pair.client.out), Ok(2000));
    let up = pair.client.flush();
    assert_eq!(&up[3..5], &1016_u16.to_be_bytes());
    pair.server.inbox = up;
    pair.client.inbox = down;
    pair.server.run().unwrap();
    pair.client.run().unwrap();
    assert_eq!((pair.client.data.len(), pair.server.data.len()), (500, 2000));
}

#[test]
fn padding_hides_lengths() {
    let mut pair = Pair::new(&client_config(|b| b.padding(Padding::Multiple(256))), &server_config(|b| b));
    pair.run().unwrap();
    for len in [1, 100, 255] {
        pair.client.conn.write(&[&vec![1; len]], &mut pair.client.out).unwrap();
        let record = pair.client.flush();
        assert_eq!(record.len(), 5 + 256 + 16);
        pair.server.inbox = record;
        pair.server.run().unwrap();
    }
    assert_eq!(pair.server.data.len(), 356);
}

//= testvectors/requirements/rfc9846.txt#section-4.2.2
//= type=test
//# Otherwise, it MUST be set as a zero-length list
#[test]
fn the_configuration_that_is_chosen_pads_not_the_first_one() {
    let front = ServerConfig::builder(provider()).build().unwrap();
    let mut pair = Pair::new(&client_config(|b| b), &front);
    let back = server_config(|b| b.padding(Padding::Multiple(256)));
    pair.server.answers.serving = Some((back, credential(Key::Ed25519)));
    pair.run().unwrap();
    pair.server.conn.write(&[b"short"], &mut pair.server.out).unwrap();
    assert_eq!(pair.server.flush().len(), 5 + 256 + 16);
}

#[test]
fn without_middlebox_compatibility_nothing_is_disguised() {
    let mut pair = Pair::new(&client_config(|b| b.without_middlebox_compatibility()), &server_config(|b| b));
    let hello = pair.client.flush();
    assert_eq!(hello[5 + 4 + 2 + 32], 0, "an empty session id");
    pair.server.inbox = hello;
    pair.server.run().unwrap();
    let flight = pair.server.flush();
    let server_hello = usize::from(u16::from_be_bytes([flight[3], flight[4]]));
    assert_eq!(flight[5 + server_hello], 23, "no ChangeCipherSpec follows the ServerHello");
    pair.client.inbox = flight;
    pair.run().unwrap();
    pair.client.run().unwrap();
    assert_eq!(pair.client.flush()[0], 23);
}

#[test]
fn a_servers_change_cipher_spec_stands_behind_its_first_message() {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    let client = client_config(|b| b.groups(&groups));
    let stateless = StatelessRetry::new([7; 32], 10);
    let keeping = server_config(|b| b.groups(&groups[1..]));
    let dropped = server_config(|b| b.groups(&groups[1..]).stateless_retry(stateless));
    for config in [keeping, dropped] {
        let mut pair = Pair::new(&client, &config);
        let now = rustls_pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(1000));
        pair.server.conn = symbolon::conn::Server::new_at(&config, now).unwrap();
        let kinds = |mut bytes: &[u8]| {
            let mut kinds = Vec::new();
            while let [kind, _, _, high, low, rest @ ..] = bytes {
                kinds.push(*kind);
                bytes = &rest[usize::from(u16::from_be_bytes([*high, *low]))..];
            }
            kinds
        };
        pair.server.inbox = pair.client.flush();
        pair.server.run().unwrap();
        let retry = pair.server.flush();
        assert_eq!(kinds(&retry), [22, 20], "HelloRetryRequest, ChangeCipherSpec");
        pair.client.inbox = retry;
        pair.client.run().unwrap();
        let second = pair.client.flush();
        assert_eq!(kinds(&second), [20, 22], "ChangeCipherSpec, ClientHello");
        pair.server.inbox = second;
        pair.server.run().unwrap();
        let flight = pair.server.flush();
        assert_eq!(kinds(&flight)[..2], [22, 23], "a ChangeCipherSpec is sent once");
        pair.client.inbox = flight;
        pair.client.run().unwrap();
        assert_eq!(kinds(&pair.client.flush()), [23]);
    }
}

//= testvectors/requirements/rfc9846.txt#section-9.2
//= type=test
//# Additionally, all implementations MUST support the use of the "server_name" extension with applications
//# capable of using it.
#[test]
fn both_sides_report_the_name_that_was_sent() {
    let name = rustls_pki_types::ServerName::try_from("example.test.").unwrap();
    let mut pair = Pair::standard();
    let mut out = SendBuf::with_limit(LIMIT);
    let conn = Client::start(&client_config(|b| b), name, Offer::fresh(), &mut out).unwrap();
    pair.client = Party::new(conn, out, Answers::default());
    pair.run().unwrap();
    for summary in [pair.client.summary.unwrap(), pair.server.summary.unwrap()] {
        assert_eq!(summary.server_name.as_deref(), Some("example.test"));
    }
}

#[test]
fn tickets_are_sealed_by_the_answerer_and_handed_to_the_client() {
    let mut pair = Pair::new(&client_config(|b| b), &server_config(|b| b.tickets(2)));
    pair.run().unwrap();
    assert_eq!(pair.server.answers.asked, ["Sign", "SealTicket", "SealTicket"]);
    assert_eq!(pair.client.tickets.len(), 2);
    pair.send_down(b"after the tickets");
    assert_eq!(pair.client.data, b"after the tickets");
}

#[test]
fn a_client_that_asks_for_tickets_is_told_how_many_follow_if_any_do() {
    const TICKET_REQUEST: u16 = 58;
    let told = |most| {
        let mut client = flow::FULL.client_with(|b| b.ask_for_tickets(1, 1));
        let mut server = flow::FULL.server_with(|b| b.tickets(most));
        let recorded = flow::record_pair(&mut client, &mut server);
        // Behind the header of EncryptedExtensions and the length of the block.
        let told = forge::extensions(&recorded.server[1][6..]);
        told.into_iter().find(|(kind, _)| *kind == TICKET_REQUEST).map(|(_, count)| count)
    };
    assert_eq!(told(2), Some(vec![1]));
    assert_eq!(told(0), None);
}

#[test]
fn schemes_that_only_certificates_may_have_are_asked_for_apart() {
    const CERTIFICATE_REQUEST: u8 = 13;
    const SIGNATURE_ALGORITHMS_CERT: u16 = 50;
    let asked = flow::MUTUAL.record().server(CERTIFICATE_REQUEST);
    // Behind the header, the empty context and the length of the block.
    let asked = forge::extensions(&asked[7..]);
    let (_, schemes) = asked.iter().find(|(kind, _)| *kind == SIGNATURE_ALGORITHMS_CERT).unwrap();
    let pkcs1 = SignatureScheme::RSA_PKCS1_SHA256.0.to_be_bytes();
    assert!(schemes[2..].chunks(2).any(|scheme| scheme == pkcs1));
    let hello = forge::Hello::parse(&flow::FULL.record().client[0]);
    let schemes = hello.data(SIGNATURE_ALGORITHMS_CERT).unwrap();
    assert!(schemes[2..].chunks(2).any(|scheme| scheme == pkcs1));
}

#[test]
fn an_offer_is_fresh_until_it_brings_something() {
    assert!(Offer::fresh().is_fresh());
    let key = ExternalPsk::new(b"sensor", &[7; 32], PskHash::Sha256).unwrap();
    assert!(!Offer::fresh().with_psks([Arc::new(key)]).is_fresh());
}

#[test]
fn connections_are_send_and_static() {
    fn check<T: Send + 'static>() {}
    check::<symbolon::conn::Client>();
    check::<symbolon::conn::Server>();
    check::<symbolon::conn::RecvHalf>();
    check::<symbolon::conn::SendHalf>();
    check::<symbolon::question::Question>();
    check::<symbolon::question::Answer>();
    check::<Arc<ServerConfig>>();
}
