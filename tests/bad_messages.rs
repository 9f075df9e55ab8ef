//! Malformed, forbidden and unasked content of every message behind the hellos, through the real machines: a real
//! message with one change, under the right keys, and the alert that it must get.
#![cfg(feature = "rustcrypto")]

mod support;

use support::fake::share;
use support::flow::*;
use support::forge::*;
use symbolon::AlertCode;
use symbolon::codepoint::NamedGroup;
use symbolon::conn::{Epoch, Server};

const ILLEGAL: AlertCode = AlertCode::ILLEGAL_PARAMETER;
const DECODE: AlertCode = AlertCode::DECODE_ERROR;
const DECRYPT: AlertCode = AlertCode::DECRYPT_ERROR;
const UNSUPPORTED: AlertCode = AlertCode::UNSUPPORTED_EXTENSION;
const UNEXPECTED: AlertCode = AlertCode::UNEXPECTED_MESSAGE;

/// Extensions, each with its data.
type Block<'a> = &'a [(u16, &'a [u8])];

/// Positions of the server's messages in `MUTUAL`.
const AT_EXTENSIONS: usize = 1;
const AT_REQUEST: usize = 2;
const AT_CERTIFICATE: usize = 3;
const AT_VERIFY: usize = 4;
const AT_FINISHED: usize = 5;
const AT_OPEN: usize = 6;

/// A client in the middle of `MUTUAL` refuses `told`.
fn client_refuses(at: usize, told: &[u8], alert: AlertCode, what: &str) {
    let (mut client, epoch) = client_at(MUTUAL, at);
    let result = client.tell(epoch, told);
    client.refuses(result, alert, epoch, what);
}

/// A server in the middle of `MUTUAL` refuses `told`; it is past its own Finished.
fn server_refuses(at: usize, told: &[u8], alert: AlertCode, what: &str) {
    let (mut server, epoch) = server_at(MUTUAL, at);
    let result = server.tell(epoch, told);
    server.refuses(result, alert, Epoch::Application, what);
}

/// Every shorter body, and one that is longer, is refused with decode_error.
fn cut_anywhere(whole: &[u8], refuses: impl Fn(&[u8], AlertCode, &str)) {
    for len in 4..whole.len() {
        refuses(&message(whole[0], &whole[4..len]), DECODE, &format!("kind {} of {len} bytes", whole[0]));
    }
    refuses(&message(whole[0], &[&whole[4..], &[0]].concat()), DECODE, "a byte more");
}

fn block(list: &[(u16, &[u8])]) -> Vec<u8> {
    let block: Vec<u8> = list.iter().flat_map(|(kind, data)| extension(*kind, data)).collect();
    vector(2, &block)
}

//= testvectors/requirements/rfc9846.txt#section-4.4.1
//= type=test
//# The client MUST check EncryptedExtensions for the presence of any forbidden extensions and if any are
//# found MUST abort the handshake with an "illegal_parameter" alert.
#[test]
fn bad_encrypted_extensions_get_their_alert() {
    let own = share(NamedGroup::X25519, &[9; 32]);
    let rows: &[(&str, Block<'_>, AlertCode)] = &[
        //= testvectors/requirements/rfc9846.txt#section-4.3
        //= type=test
        //# Upon receiving such an extension, an endpoint MUST abort the handshake with an
        //# "unsupported_extension" alert.
        ("an unknown extension", &[(0x0A0A, &[])], UNSUPPORTED),
        ("a protocol without an offer", &[(16, &[0, 3, 2, 104, 50])], UNSUPPORTED),
        ("a record size limit without an offer", &[(28, &[0x40, 1])], UNSUPPORTED),
        ("early data without an offer", &[(42, &[])], UNSUPPORTED),
        ("tickets without an offer", &[(58, &[1])], UNSUPPORTED),
        ("server_name with content", &[(0, &[0])], DECODE),
        ("server_name twice", &[(0, &[]), (0, &[])], ILLEGAL),
        ("an unknown extension twice", &[(0x0A0A, &[]), (0x0A0A, &[])], UNSUPPORTED),
        ("empty supported_groups", &[(10, &[0, 0])], DECODE),
        ("key_share", &[(51, &own)], ILLEGAL),
        ("supported_versions", &[(43, &[3, 4])], ILLEGAL),
        ("signature_algorithms", &[(13, &[0, 2, 4, 3])], ILLEGAL),
        ("cookie", &[(44, &[0, 1, 7])], ILLEGAL),
        ("pre_shared_key", &[(41, &[0, 0])], ILLEGAL),
        ("psk_key_exchange_modes", &[(45, &[1, 1])], ILLEGAL),
        ("post_handshake_auth", &[(49, &[])], ILLEGAL),
        ("status_request", &[(5, &[1, 0, 0, 1, 7])], ILLEGAL),
        ("padding", &[(21, &[0])], ILLEGAL),
    ];
    for (what, list, alert) in rows {
        client_refuses(AT_EXTENSIONS, &message(ENCRYPTED_EXTENSIONS, &block(list)), *alert, what);
    }
    let whole = message(ENCRYPTED_EXTENSIONS, &block(&[(0, &[]), (10, &[0, 2, 0, 0x1D])]));
    cut_anywhere(&whole, |told, alert, what| client_refuses(AT_EXTENSIONS, told, alert, what));
}

#[test]
fn bad_answers_to_offers_get_their_alert() {
    let rows: &[(&str, u16, &[u8], AlertCode)] = &[
        ("a protocol that was not offered", 16, &[0, 3, 2, 104, 51], ILLEGAL),
        ("two protocols", 16, &[0, 6, 2, 104, 50, 2, 104, 50], DECODE),
        ("no protocol", 16, &[0, 0], DECODE),
        ("an empty protocol", 16, &[0, 1, 0], DECODE),
        ("a record size limit below 64", 28, &[0, 63], ILLEGAL),
        ("a record size limit that is cut", 28, &[64], DECODE),
    ];
    for (what, kind, data, alert) in rows {
        let mut client = FULL.client_with(|b| b.alpn(["h2"]).record_size_limit(1000));
        let recorded = record_pair(
            &mut FULL.client_with(|b| b.alpn(["h2"]).record_size_limit(1000)),
            &mut FULL.server(),
        );
        client.tell(Epoch::Plaintext, &recorded.server[0]).unwrap();
        let told = client.tell(Epoch::Handshake, &message(ENCRYPTED_EXTENSIONS, &block(&[(*kind, data)])));
        client.refuses(told, *alert, Epoch::Handshake, what);
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.4.2
//= type=test
//# This field SHALL be zero length unless used for the post-handshake authentication exchanges described in
//# Section 4.7.2.
//= testvectors/requirements/rfc9846.txt#section-4.4.2
//= type=test
//# Clients MUST ignore unrecognized extensions.
#[test]
fn a_bad_certificate_request_gets_its_alert() {
    let schemes: (u16, &[u8]) = (13, &[0, 2, 4, 3]);
    let request = |context: &[u8], list: &[(u16, &[u8])]| {
        message(CERTIFICATE_REQUEST, &[vector(1, context), block(list)].concat())
    };
    for (what, told, alert) in [
        ("a context", request(&[1], &[schemes]), ILLEGAL),
        ("no schemes", request(&[], &[]), AlertCode::MISSING_EXTENSION),
        ("empty schemes", request(&[], &[(13, &[0, 0])]), DECODE),
        ("schemes twice", request(&[], &[schemes, schemes]), ILLEGAL),
        ("an unknown extension twice", request(&[], &[schemes, (2570, &[]), (2570, &[])]), ILLEGAL),
        ("key_share", request(&[], &[schemes, (51, &[0, 0])]), ILLEGAL),
        ("alpn", request(&[], &[schemes, (16, &[0, 0])]), ILLEGAL),
        ("no authority in the list", request(&[], &[schemes, (47, &[0, 0])]), DECODE),
        ("an empty authority", request(&[], &[schemes, (47, &[0, 2, 0, 0])]), DECODE),
    ] {
        client_refuses(AT_REQUEST, &told, alert, what);
    }
    let whole = request(&[], &[schemes, (2570, &[])]);
    cut_anywhere(&whole, |told, alert, what| client_refuses(AT_REQUEST, told, alert, what));
    let (mut client, epoch) = client_at(MUTUAL, AT_REQUEST);
    client.tell(epoch, &whole).unwrap();
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# Otherwise (in the case of server authentication), this field SHALL be zero length.
//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# Extensions in the Certificate message from the server MUST correspond to ones from the ClientHello
//# message.
//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# The server's certificate_list MUST always be non-empty.
//= testvectors/requirements/rfc9846.txt#section-4.5.1.3
//= type=test
//# If the server supplies an empty Certificate message, the client MUST abort the handshake with a
//# "decode_error" alert.
#[test]
fn a_bad_certificate_gets_its_alert() {
    let chain = |context: &[u8], entries: &[(&[u8], Block<'_>)]| {
        let entries: Vec<u8> =
            entries.iter().flat_map(|(data, list)| [vector(3, data), block(list)].concat()).collect();
        message(CERTIFICATE, &[vector(1, context), vector(3, &entries)].concat())
    };
    let leaf: (&[u8], Block<'_>) = (b"leaf", &[]);
    let both = [
        ("a context", chain(&[1], &[leaf]), ILLEGAL),
        ("an empty certificate", chain(&[], &[leaf, (b"", &[])]), DECODE),
        ("timestamps unasked", chain(&[], &[leaf, (b"issuer", &[(18, &[0, 3, 0, 1, 7])])]), UNSUPPORTED),
        ("an unknown extension", chain(&[], &[(b"leaf", &[(2570, &[])])]), UNSUPPORTED),
        ("server_name", chain(&[], &[(b"leaf", &[(0, &[])])]), ILLEGAL),
        ("key_share", chain(&[], &[(b"leaf", &[(51, &[])])]), ILLEGAL),
    ];
    for (what, told, alert) in &both {
        client_refuses(AT_CERTIFICATE, told, *alert, what);
        server_refuses(1, told, *alert, what);
    }
    let stapled = chain(&[], &[(b"leaf", &[(5, &[1, 0, 0, 1, 7])])]);
    server_refuses(1, &stapled, UNSUPPORTED, "a staple unasked");
    let mut client = FULL.client_with(|b| b.without_staples());
    let recorded = record_pair(&mut FULL.client_with(|b| b.without_staples()), &mut FULL.server());
    client.tell(Epoch::Plaintext, &recorded.server[0]).unwrap();
    client.tell(Epoch::Handshake, &recorded.server[1]).unwrap();
    let told = client.tell(Epoch::Handshake, &stapled);
    client.refuses(told, UNSUPPORTED, Epoch::Handshake, "a staple unasked");
    client_refuses(AT_CERTIFICATE, &chain(&[], &[]), DECODE, "a server without a certificate");
    server_refuses(1, &chain(&[], &[]), AlertCode::CERTIFICATE_REQUIRED, "a client without a certificate");
    let whole = chain(&[], &[(b"leaf", &[]), (b"issuer", &[])]);
    cut_anywhere(&whole, |told, alert, what| client_refuses(AT_CERTIFICATE, told, alert, what));
    cut_anywhere(&whole, |told, alert, what| server_refuses(1, told, alert, what));
}

//= testvectors/requirements/rfc9846.txt#section-4.5.2
//= type=test
//# If the CertificateVerify message is sent by a server, the signature algorithm MUST be one offered in the
//# client's "signature_algorithms" extension
//= testvectors/requirements/rfc9846.txt#section-4.5.2
//= type=test
//# If sent by a client, the signature algorithm used in the signature MUST be one of those present in the
//# supported_signature_algorithms field of the "signature_algorithms" extension in the CertificateRequest
//# message.
//= testvectors/requirements/rfc9846.txt#section-4.5.2
//= type=test
//# The SHA-1 algorithm MUST NOT be used in any signatures of CertificateVerify messages.
#[test]
fn a_bad_certificate_verify_gets_its_alert() {
    let recorded = MUTUAL.record();
    let of = |own: &[u8], scheme: u16| {
        let mut told = own.to_vec();
        told[4..6].copy_from_slice(&scheme.to_be_bytes());
        told
    };
    let refuse = |told: &dyn Fn(&[u8]) -> Vec<u8>, alert, what: &str| {
        client_refuses(AT_VERIFY, &told(&recorded.server(CERTIFICATE_VERIFY)), alert, what);
        server_refuses(2, &told(&recorded.client(CERTIFICATE_VERIFY)), alert, what);
    };
    // ed448, rsa_pkcs1_sha256, rsa_pkcs1_sha1, ecdsa_sha1, rsa_pss_pss_sha256, an unknown one.
    for scheme in [0x0808, 0x0401, 0x0201, 0x0203, 0x0809, 0x0A0A] {
        refuse(&|own| of(own, scheme), ILLEGAL, &format!("scheme {scheme:#06x}"));
    }
    // ed25519 and RSA-PSS were offered, but the key is on P-256.
    for scheme in [0x0807, 0x0804, 0x0503] {
        refuse(&|own| of(own, scheme), DECRYPT, &format!("scheme {scheme:#06x}"));
    }
    for position in [8, 20, 40, 60] {
        let flipped = |own: &[u8]| {
            let mut told = own.to_vec();
            told[position] ^= 1;
            told
        };
        refuse(&flipped, DECRYPT, &format!("bit {position}"));
    }
    let own = recorded.server(CERTIFICATE_VERIFY);
    cut_anywhere(&own, |told, alert, what| client_refuses(AT_VERIFY, told, alert, what));
    let others = recorded.client(CERTIFICATE_VERIFY);
    client_refuses(AT_VERIFY, &others, DECRYPT, "a client's signature in a server's place");
    server_refuses(2, &own, DECRYPT, "a server's signature in a client's place");
}

//= testvectors/requirements/rfc9846.txt#section-4.5.3
//= type=test
//# Recipients of Finished messages MUST verify that the contents are correct and if incorrect MUST
//# terminate the connection with a "decrypt_error" alert.
#[test]
fn a_bad_finished_gets_its_alert() {
    let recorded = MUTUAL.record();
    let refuse = |told: &dyn Fn(&[u8]) -> Vec<u8>, alert, what: &str| {
        client_refuses(AT_FINISHED, &told(&recorded.server(FINISHED)), alert, what);
        server_refuses(3, &told(&recorded.client(FINISHED)), alert, what);
    };
    for position in 4..36 {
        let flipped = |own: &[u8]| {
            let mut told = own.to_vec();
            told[position] ^= 0x80;
            told
        };
        refuse(&flipped, DECRYPT, &format!("bit {position}"));
    }
    for len in (0..32).chain([33, 48, 64]) {
        let resized = |own: &[u8]| {
            let mut body = own[4..].to_vec();
            body.resize(len, 0);
            message(FINISHED, &body)
        };
        refuse(&resized, DECODE, &format!("{len} bytes"));
    }
    client_refuses(AT_FINISHED, &recorded.client(FINISHED), DECRYPT, "our own Finished, reflected");
    server_refuses(3, &recorded.server(FINISHED), DECRYPT, "our own Finished, reflected");
}

#[test]
fn bad_messages_behind_the_handshake_get_their_alert() {
    let ticket = |lifetime: u32, ticket: &[u8], list: &[(u16, &[u8])]| {
        let body = [&lifetime.to_be_bytes()[..], &[0; 4], &[1, 9], &vector(2, ticket), &block(list)].concat();
        message(TICKET, &body)
    };
    for (what, told, alert) in [
        ("a life above seven days", ticket(604_801, b"t", &[]), ILLEGAL),
        ("an empty ticket", ticket(1, b"", &[]), DECODE),
        ("early_data without a size", ticket(1, b"t", &[(42, &[])]), DECODE),
        ("early_data twice", ticket(1, b"t", &[(42, &[0; 4]), (42, &[0; 4])]), ILLEGAL),
        ("a cookie", ticket(1, b"t", &[(44, &[0, 1, 7])]), ILLEGAL),
        ("update_requested of 2", message(KEY_UPDATE, &[2]), ILLEGAL),
        ("no update_requested", message(KEY_UPDATE, &[]), DECODE),
    ] {
        client_refuses(AT_OPEN, &told, alert, what);
        if told[0] == KEY_UPDATE {
            server_refuses(4, &told, alert, what);
        }
    }
    cut_anywhere(&ticket(9, b"t", &[(2570, &[1])]), |told, alert, what| {
        client_refuses(AT_OPEN, told, alert, what);
    });
    let (mut client, epoch) = client_at(MUTUAL, AT_OPEN);
    client.tell(epoch, &ticket(604_800, &[7; 10_000], &[(2570, &[1])])).unwrap();
}

/// Tells only the header of a message, which is enough to refuse it.
#[test]
fn a_message_that_is_too_long_is_refused_on_its_header() {
    let header = |kind: u8, len: u32| [&[kind][..], &len.to_be_bytes()[1..]].concat();
    for (at, kind, most) in [
        (0, SERVER_HELLO, 65_792),
        (AT_EXTENSIONS, ENCRYPTED_EXTENSIONS, 65_536),
        (AT_REQUEST, CERTIFICATE_REQUEST, 65_536),
        (AT_CERTIFICATE, CERTIFICATE, 65_536),
        (AT_VERIFY, CERTIFICATE_VERIFY, 8_192),
        (AT_FINISHED, FINISHED, 64),
        (AT_OPEN, TICKET, 66_560),
        (AT_OPEN, CERTIFICATE_REQUEST, 16_384),
        (AT_OPEN, KEY_UPDATE, 1),
    ] {
        for over in [most + 1, 0xFF_FFFF] {
            let alert = if [FINISHED, KEY_UPDATE].contains(&kind) { DECODE } else { ILLEGAL };
            client_refuses(at, &header(kind, over), alert, &format!("kind {kind} of {over} bytes"));
        }
        let (mut client, epoch) = client_at(MUTUAL, at);
        client.say(epoch, HANDSHAKE, &header(kind, most)).unwrap();
    }
    server_refuses(1, &header(CERTIFICATE, 65_537), ILLEGAL, "the client's Certificate");
    let mut server = FULL.server();
    let told = server.say(Epoch::Plaintext, HANDSHAKE, &header(CLIENT_HELLO, 65_537));
    server.refuses(told, ILLEGAL, Epoch::Plaintext, "a ClientHello");
    // The cap on Certificate is a setting.
    let mut server: support::forge::Puppet<Server> = MUTUAL.server_with(|b| b.max_certificate(100));
    let recorded = MUTUAL.record();
    server.tell(Epoch::Plaintext, &recorded.client[0]).unwrap();
    let told = server.say(Epoch::Handshake, HANDSHAKE, &header(CERTIFICATE, 101));
    server.refuses(told, ILLEGAL, Epoch::Application, "a Certificate above the setting");
}

#[test]
fn a_message_of_no_known_kind_is_refused_on_its_header() {
    for kind in [0, 3, 6, 12, 14, 16, 25, 67, 99, 254, 255] {
        client_refuses(AT_EXTENSIONS, &[kind, 0, 1, 0], UNEXPECTED, "an unknown kind");
        server_refuses(4, &[kind, 0, 1, 0], UNEXPECTED, "an unknown kind");
    }
}
