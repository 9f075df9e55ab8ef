//! Malformed, forbidden, missing and unasked fields of both hellos and of HelloRetryRequest, through the real
//! machines: a real message with one change, and the alert that it must get.
#![cfg(feature = "rustcrypto")]

mod support;

use support::fake::share;
use support::flow::*;
use support::forge::*;
use symbolon::AlertCode;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::config::ServerConfigBuilder;
use symbolon::conn::{Epoch, Server};

const ILLEGAL: AlertCode = AlertCode::ILLEGAL_PARAMETER;
const DECODE: AlertCode = AlertCode::DECODE_ERROR;
const MISSING: AlertCode = AlertCode::MISSING_EXTENSION;
const VERSION: AlertCode = AlertCode::PROTOCOL_VERSION;
const FAILURE: AlertCode = AlertCode::HANDSHAKE_FAILURE;
const UNSUPPORTED: AlertCode = AlertCode::UNSUPPORTED_EXTENSION;

/// A change of a hello, with its name.
type Change = (&'static str, fn(&mut Hello));

/// A change of a hello, with its name and the alert that it must get.
type Row = (&'static str, fn(&mut Hello), AlertCode);

fn x25519_share(hello: &Hello) -> Vec<u8> {
    hello.data(51).unwrap()[2..].to_vec()
}

fn x25519_of(key: &[u8]) -> Vec<u8> {
    vector(2, &share(NamedGroup::X25519, key))
}

/// Sends `message` as the first ClientHello.
fn refuse_first(server: &mut Puppet<Server>, message: &[u8], alert: AlertCode, what: &str) {
    let told = server.tell(Epoch::Plaintext, message);
    server.refuses(told, alert, Epoch::Plaintext, what);
    assert!(server.told().is_empty(), "{what}: nothing but the alert was said");
}

fn first_hello() -> Hello {
    let message = FULL.record().client[0].clone();
    let hello = Hello::parse(&message);
    assert_eq!(hello.write(), message, "the test's own parser loses nothing");
    hello
}

fn server_of(change: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder) -> Puppet<Server> {
    FULL.server_with(change)
}

const FIRST_HELLO: &[Row] = &[
    //= testvectors/requirements/rfc9846.txt#appendix-E.5
    //= type=test
    //# Implementations receiving Hello messages with other version numbers MUST abort the handshake as
    //# described in Section 4.2.2 and Section 4.2.3.
    ("legacy_version below", |h| h.version = 0x0302, VERSION),
    ("legacy_version above", |h| h.version = 0x0304, VERSION),
    ("long session id", |h| h.session = vec![1; 33], DECODE),
    ("no suite", |h| h.suites.clear(), DECODE),
    ("half a suite", |h| h.suites.push(0), DECODE),
    ("only unknown suites", |h| h.suites = vec![0x0A, 0x0A, 0xC0, 0x2F], FAILURE),
    ("no compression method", |h| h.compression.clear(), DECODE),
    ("another compression method", |h| h.compression = vec![1], ILLEGAL),
    ("one more compression method", |h| h.compression = vec![0, 1], ILLEGAL),
    ("null twice", |h| h.compression = vec![0, 0], ILLEGAL),
    ("no extension", |h| h.extensions.clear(), VERSION),
    //= testvectors/requirements/rfc9846.txt#appendix-E.2
    //= type=test
    //# If the "supported_versions" extension is absent and the server only supports versions greater than
    //# ClientHello.legacy_version, the server MUST abort the handshake with a "protocol_version" alert.
    ("no supported_versions", |h| h.remove(43), VERSION),
    //= testvectors/requirements/rfc9846.txt#section-4.3.1
    //= type=test
    //# servers MUST NOT use the ClientHello.legacy_version value for version negotiation and MUST use only
    //# the "supported_versions" extension to determine client preferences
    //= testvectors/requirements/rfc9846.txt#appendix-E.2
    //= type=test
    //# If the "supported_versions" extension is present, the server MUST negotiate using that extension as
    //# described in Section 4.3.1.
    //= testvectors/requirements/rfc9846.txt#appendix-E.5
    //= type=test
    //# they MUST NOT be negotiated for any reason
    ("only old versions", |h| h.set(43, &[4, 3, 3, 3, 2]), VERSION),
    //= testvectors/requirements/rfc9846.txt#section-4.3.1
    //= type=test
    //# Servers MUST be prepared to receive ClientHellos that include this extension but do not include
    //# 0x0304 in the list of versions.
    ("only a draft", |h| h.set(43, &[2, 0x7F, 0x1C]), VERSION),
    ("empty supported_versions", |h| h.set(43, &[0]), DECODE),
    ("odd supported_versions", |h| h.set(43, &[3, 3, 4, 3]), DECODE),
    //= testvectors/requirements/rfc9846.txt#section-9.2
    //= type=test
    //# "supported_groups" is REQUIRED for ClientHello messages using DHE or ECDHE key exchange.
    ("no supported_groups", |h| h.remove(10), MISSING),
    //= testvectors/requirements/rfc9846.txt#section-9.2
    //= type=test
    //# "key_share" is REQUIRED for DHE or ECDHE key exchange.
    //= testvectors/requirements/rfc9846.txt#section-9.2
    //= type=test
    //# If containing a "supported_groups" extension, it MUST also contain a "key_share" extension, and vice
    //# versa.
    ("no key_share", |h| h.remove(51), MISSING),
    //= testvectors/requirements/rfc9846.txt#section-9.2
    //= type=test
    //# If not containing a "pre_shared_key" extension, it MUST contain both a "signature_algorithms"
    //# extension and a "supported_groups" extension.
    ("neither group nor share", |h| h.extensions.retain(|(kind, _)| ![10, 51].contains(kind)), MISSING),
    //= testvectors/requirements/rfc9846.txt#section-4.3.3
    //= type=test
    //# the server MUST abort the handshake with a "missing_extension" alert
    //= testvectors/requirements/rfc9846.txt#section-9.2
    //= type=test
    //# "signature_algorithms" is REQUIRED for certificate authentication.
    ("no signature_algorithms", |h| h.remove(13), MISSING),
    (
        "pre_shared_key without modes",
        |h| {
            //= testvectors/requirements/rfc9846.txt#section-4.3.9
            //= type=test
            //# If clients offer "pre_shared_key" without a "psk_key_exchange_modes" extension, servers MUST
            //# abort the handshake.
            h.remove(45);
            h.set(41, &psks(&[1], &[32]));
        },
        MISSING,
    ),
    ("empty supported_groups", |h| h.set(10, &[0, 0]), DECODE),
    ("odd supported_groups", |h| h.set(10, &[0, 3, 0, 0x1D, 0]), DECODE),
    (
        "no common group",
        |h| {
            h.set(10, &[0, 2, 0x0A, 0x0A]);
            h.set(51, &[0, 0]);
        },
        FAILURE,
    ),
    ("empty signature_algorithms", |h| h.set(13, &[0, 0]), DECODE),
    ("odd signature_algorithms", |h| h.set(13, &[0, 3, 4, 3, 4]), DECODE),
    //= testvectors/requirements/rfc9846.txt#section-4.5.1.2
    //= type=test
    //# The end-entity certificate MUST allow the key to be used for signing with a signature scheme
    //# indicated in the peer's "signature_algorithms" extension (see Section 4.3.3).
    ("no common signature scheme", |h| h.set(13, &[0, 2, 4, 1]), FAILURE),
    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //= type=test
    //# Clients MUST NOT offer any KeyShareEntry values for groups not listed in the client's
    //# "supported_groups" extension.
    ("share of an unlisted group", |h| h.set(10, &[0, 2, 0, 0x17]), ILLEGAL),
    (
        "one more share, of an unlisted group",
        |h| h.set(51, &vector(2, &[x25519_share(h), share(NamedGroup(0x4141), &[4; 65])].concat())),
        ILLEGAL,
    ),
    (
        "an unlisted group before the share",
        |h| h.set(51, &vector(2, &[share(NamedGroup(0x4141), &[4; 65]), x25519_share(h)].concat())),
        ILLEGAL,
    ),
    (
        "two shares of a group",
        |h| h.set(51, &vector(2, &[x25519_share(h), x25519_share(h)].concat())),
        ILLEGAL,
    ),
    ("empty share", |h| h.set(51, &x25519_of(&[])), DECODE),
    ("short share", |h| h.set(51, &x25519_of(&[9; 31])), ILLEGAL),
    ("long share", |h| h.set(51, &x25519_of(&[9; 33])), ILLEGAL),
    //= testvectors/requirements/rfc9846.txt#section-7.4.2
    //= type=test
    //# Implementations MUST check whether the computed Diffie-Hellman shared secret is the all-zero value
    //# and abort if so, as described in Section 6 of [RFC7748].
    ("all-zero share", |h| h.set(51, &x25519_of(&[0; 32])), ILLEGAL),
    ("share of low order", |h| h.set(51, &x25519_of(&[&[1][..], &[0; 31]].concat())), ILLEGAL),
    ("key_share that ends early", |h| h.set(51, &[0, 4, 0, 0x1D, 0, 9]), DECODE),
    //= testvectors/requirements/rfc9846.txt#section-4.3
    //= type=test
    //# receivers MUST abort the handshake with a "decode_error" alert if there is data left over after
    //# parsing the structure
    ("key_share with more behind", |h| h.set(51, &[&vector(2, &x25519_share(h))[..], &[0]].concat()), DECODE),
    ("a cookie that nobody gave", |h| h.set(44, &[0, 1, 7]), ILLEGAL),
    ("empty cookie", |h| h.set(44, &[0, 0]), DECODE),
    ("server_name without a name", |h| h.set(0, &[0, 0]), DECODE),
    ("two host names", |h| h.set(0, &[0, 8, 0, 0, 1, 97, 0, 0, 1, 98]), ILLEGAL),
    ("host name with an empty label", |h| h.set(0, &[0, 7, 0, 0, 4, 97, 46, 46, 98]), ILLEGAL),
    ("no application protocol in the list", |h| h.set(16, &[0, 0]), DECODE),
    ("empty application protocol", |h| h.set(16, &[0, 1, 0]), DECODE),
    ("record_size_limit below 64", |h| h.set(28, &[0, 63]), ILLEGAL),
    ("record_size_limit of one byte", |h| h.set(28, &[64]), DECODE),
    ("early_data with content", |h| h.set(42, &[0]), DECODE),
    ("post_handshake_auth with content", |h| h.set(49, &[0]), DECODE),
    ("oid_filters", |h| h.set(48, &[0, 0]), ILLEGAL),
    (
        "pre_shared_key that is not the last",
        |h| {
            h.set(45, &[1, 1]);
            h.set(41, &psks(&[1], &[32]));
            h.set(0x0A0A, &[]);
        },
        ILLEGAL,
    ),
    (
        "fewer binders than identities",
        |h| {
            h.set(45, &[1, 1]);
            h.set(41, &psks(&[1, 2], &[32]));
        },
        ILLEGAL,
    ),
    (
        "short binder",
        |h| {
            h.set(45, &[1, 1]);
            h.set(41, &psks(&[1], &[31]));
        },
        DECODE,
    ),
    (
        "empty psk identity",
        |h| {
            h.set(45, &[1, 1]);
            h.set(41, &psks(&[0], &[32]));
        },
        DECODE,
    ),
    ("no psk mode", |h| h.set(45, &[0]), DECODE),
];

/// The content of pre_shared_key: identities and binders of these lengths.
fn psks(identities: &[usize], binders: &[usize]) -> Vec<u8> {
    let identities: Vec<u8> =
        identities.iter().flat_map(|len| [vector(2, &vec![7; *len]), vec![0; 4]].concat()).collect();
    let binders: Vec<u8> = binders.iter().flat_map(|len| vector(1, &vec![7; *len])).collect();
    [vector(2, &identities), vector(2, &binders)].concat()
}

//= testvectors/requirements/rfc9846.txt#section-2.1
//= type=test
//# If no common cryptographic parameters can be negotiated, the server MUST abort the handshake with an
//# appropriate alert.
//= testvectors/requirements/rfc9846.txt#section-4.2.1
//= type=test
//# If there is no overlap between the received "supported_groups" and the groups supported by the
//# server, then the server MUST abort the handshake with a "handshake_failure" or an
//# "insufficient_security" alert.
//= testvectors/requirements/rfc9846.txt#section-4.2.1
//= type=test
//# it MUST abort the handshake with either a "handshake_failure" or "insufficient_security" fatal alert
//= testvectors/requirements/rfc9846.txt#section-4.2.2
//= type=test
//# A server which receives a legacy_version value not equal to 0x0303 MUST abort the handshake with a
//# "protocol_version" alert.
//= testvectors/requirements/rfc9846.txt#section-4.2.2
//= type=test
//# If a TLS 1.3 ClientHello is received with any other value in this field, the server MUST abort the
//# handshake with an "illegal_parameter" alert.
//= testvectors/requirements/rfc9846.txt#section-9.2
//= type=test
//# Such a ClientHello message MUST meet the following requirements:
//= testvectors/requirements/rfc9846.txt#section-9.2
//= type=test
//# Servers receiving a ClientHello which does not conform to these requirements MUST abort the handshake
//# with a "missing_extension" alert.
#[test]
fn a_bad_client_hello_gets_its_alert() {
    for (what, change, alert) in FIRST_HELLO {
        let mut hello = first_hello();
        change(&mut hello);
        refuse_first(&mut FULL.server(), &hello.write(), *alert, what);
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3
//= type=test
//# There MUST NOT be more than one extension of the same type in a given extension block.
#[test]
fn a_repeated_extension_of_a_client_hello_is_refused() {
    let mut extended = first_hello();
    extended.set(0x0A0A, &[]);
    for (kind, data) in extended.extensions.clone() {
        let mut hello = extended.clone();
        hello.extensions.push((kind, data));
        refuse_first(&mut FULL.server(), &hello.write(), ILLEGAL, &format!("{kind} twice"));
    }
}

//= testvectors/requirements/rfc9846.txt#section-6
//= type=test
//# Peers which receive a message which cannot be parsed according to the syntax (e.g., have a length
//# extending beyond the message boundary or contain an out-of-range length) MUST terminate the connection
//# with a "decode_error" alert.
#[test]
fn a_client_hello_cut_anywhere_is_refused() {
    let whole = first_hello().write();
    // Behind the compression methods it is a ClientHello without extensions.
    let without = 4 + 34 + 33 + 4 + 2;
    for len in 4..whole.len() {
        let alert = if len == without { VERSION } else { DECODE };
        let cut = message(CLIENT_HELLO, &whole[4..len]);
        refuse_first(&mut FULL.server(), &cut, alert, &format!("{len} bytes"));
    }
    let longer = message(CLIENT_HELLO, &[&whole[4..], &[0]].concat());
    refuse_first(&mut FULL.server(), &longer, DECODE, "a byte behind the extensions");
}

//= testvectors/requirements/rfc9846.txt#section-4.2.2
//= type=test
//# the server MUST ignore those cipher suites and process the remaining ones as usual.
//= testvectors/requirements/rfc9846.txt#section-4.2.2
//= type=test
//# Servers MUST ignore unrecognized extensions.
#[test]
fn what_a_server_does_not_know_is_ignored() {
    let changes: [fn(&mut Hello); 9] = [
        |h| h.set(0x0A0A, &[1, 2, 3]),
        |h| h.set(0xFFFF, &[]),
        |h| h.extensions.insert(0, (0x7A7A, vec![0; 500])),
        |h| h.extensions.reverse(),
        |h| h.set(43, &[6, 0x0A, 0x0A, 3, 4, 3, 3]),
        |h| h.set(10, &[0, 6, 0x0A, 0x0A, 0, 0x1D, 0, 0x17]),
        |h| h.suites.splice(0..0, [0x0A, 0x0A, 0x13, 4]).for_each(drop),
        |h| h.set(51, &vector(2, &[&[0x0A, 0x0A, 0, 1, 0][..], &x25519_share(h)].concat())),
        |h| h.session.truncate(7),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut hello = first_hello();
        change(&mut hello);
        if number == 7 {
            hello.set(10, &[0, 6, 0x0A, 0x0A, 0, 0x1D, 0, 0x17]);
        }
        let mut server = FULL.server();
        server.tell(Epoch::Plaintext, &hello.write()).unwrap_or_else(|error| panic!("{number}: {error}"));
        assert_eq!(server.told().last().unwrap()[0], FINISHED, "{number}");
        assert_eq!(Hello::parse(&server.told()[0]).session, hello.session);
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.8.2
//= type=test
//# For the curves secp256r1, secp384r1, and secp521r1, peers MUST validate each other's public value Q by
//# ensuring that the point is a valid point on the elliptic curve.
//= testvectors/requirements/rfc9846.txt#section-6
//= type=test
//# Peers which receive a message which is syntactically correct but semantically invalid (e.g., a DHE share
//# of p - 1, or an invalid enum) MUST terminate the connection with an "illegal_parameter" alert.
#[test]
fn invalid_points_are_refused() {
    let point = |tail: &[u8]| share(NamedGroup::SECP256R1, tail);
    let x = [0x11; 32];
    for (what, key) in [
        ("not on the curve", [&[4][..], &x, &x].concat()),
        ("compressed", [&[2][..], &x].concat()),
        ("hybrid form", [&[6][..], &x, &x].concat()),
        ("at infinity", vec![0]),
        ("at infinity, padded", vec![0; 65]),
        ("zero coordinates", [&[4][..], &[0; 64]].concat()),
        ("above the prime", [&[4][..], &[0xFF; 64]].concat()),
        ("short", [&[4][..], &x, &x[1..]].concat()),
        ("long", [&[4][..], &x, &x, &[0]].concat()),
    ] {
        let mut hello = first_hello();
        hello.set(51, &vector(2, &point(&key)));
        refuse_first(&mut RETRY.server(), &hello.write(), ILLEGAL, what);

        let (mut client, epoch) = client_at(RETRY, 1);
        let mut reply = Hello::parse(&RETRY.record().server[1]);
        reply.set(51, &point(&key));
        let told = client.tell(epoch, &reply.write());
        client.refuses(told, ILLEGAL, Epoch::Plaintext, what);
    }
}

#[test]
fn protocols_in_common_are_needed_where_both_have_some() {
    let mut hello = first_hello();
    hello.set(16, &[0, 3, 2, 104, 50]);
    let mut server = server_of(|b| b.alpn(["http/1.1"]));
    refuse_first(&mut server, &hello.write(), AlertCode::NO_APPLICATION_PROTOCOL, "no common protocol");
}

const SECOND_HELLO: &[Row] = &[
    ("another random", |h| h.random[0] ^= 1, ILLEGAL),
    ("another session id", |h| h.session[0] ^= 1, ILLEGAL),
    ("no session id", |h| h.session.clear(), ILLEGAL),
    ("one more suite", |h| h.suites.extend([0x13, 3]), ILLEGAL),
    ("another version", |h| h.version = 0x0302, VERSION),
    ("other versions", |h| h.set(43, &[4, 3, 4, 3, 3]), ILLEGAL),
    ("no versions", |h| h.remove(43), VERSION),
    ("other groups", |h| h.set(10, &[0, 2, 0, 0x17]), ILLEGAL),
    ("other schemes", |h| h.set(13, &[0, 2, 4, 3]), ILLEGAL),
    ("another name", |h| h.set(0, &[0, 4, 0, 0, 1, 97]), ILLEGAL),
    ("no name", |h| h.remove(0), ILLEGAL),
    ("one more extension", |h| h.set(0x0A0A, &[]), ILLEGAL),
    ("a cookie that nobody gave", |h| h.set(44, &[0, 1, 7]), ILLEGAL),
    ("early data", |h| h.set(42, &[]), ILLEGAL),
    ("no share", |h| h.set(51, &[0, 0]), ILLEGAL),
    ("no key_share", |h| h.remove(51), MISSING),
    ("a share of another group", |h| h.set(51, &x25519_of(&[9; 32])), ILLEGAL),
    (
        "one more share",
        |h| {
            let shares = [share(NamedGroup::X25519, &[9; 32]), h.data(51).unwrap()[2..].to_vec()].concat();
            h.set(51, &vector(2, &shares));
        },
        ILLEGAL,
    ),
];

#[test]
fn a_second_client_hello_may_change_only_what_it_was_asked_to() {
    let recorded = RETRY.record();
    for (what, change, alert) in SECOND_HELLO {
        let mut hello = Hello::parse(&recorded.client[1]);
        change(&mut hello);
        let (mut server, epoch) = server_at(RETRY, 1);
        let told = server.tell(epoch, &hello.write());
        server.refuses(told, *alert, Epoch::Plaintext, what);
        assert_eq!(server.told().len(), 1, "{what}: one HelloRetryRequest and nothing more");
    }
    let mut padded = Hello::parse(&recorded.client[1]);
    padded.set(21, &[0; 10]);
    let (mut server, epoch) = server_at(RETRY, 1);
    server.tell(epoch, &padded.write()).unwrap();
}

#[test]
fn a_second_client_hello_may_have_its_extensions_in_another_order() {
    let recorded = RETRY.record();
    let mut hello = Hello::parse(&recorded.client[1]);
    hello.extensions.reverse();
    let (mut server, epoch) = server_at(RETRY, 1);
    server.tell(epoch, &hello.write()).unwrap();
    // With the order alone, and not with what is in it.
    hello.extensions.iter_mut().find(|(kind, _)| *kind == 13).unwrap().1.swap(2, 4);
    let (mut server, epoch) = server_at(RETRY, 1);
    let told = server.tell(epoch, &hello.write());
    server.refuses(told, ILLEGAL, Epoch::Plaintext, "other schemes in another order");
}

//= testvectors/requirements/rfc9846.txt#section-4.2.2
//= type=test
//# In that case, the client MUST send the same ClientHello without modification, except as follows:
#[test]
fn a_client_changes_its_share_alone_after_a_retry() {
    let recorded = RETRY.record();
    let (first, mut second) = (Hello::parse(&recorded.client[0]), Hello::parse(&recorded.client[1]));
    assert_eq!(second.data(51).unwrap()[..4], [0, 69, 0, 0x17]);
    second.set(51, first.data(51).unwrap());
    assert_eq!(first, second);
}

#[test]
fn early_data_before_a_second_client_hello_is_skipped_within_the_budget() {
    let recorded = RETRY.record();
    for (offered, bytes, passes) in [(true, 32 << 10, true), (true, (32 << 10) + 1, false), (false, 1, false)]
    {
        let what = format!("{offered} {bytes}");
        let mut hello = Hello::parse(&recorded.client[0]);
        if offered {
            hello.set(42, &[]);
        }
        let mut server = RETRY.server();
        server.tell(Epoch::Plaintext, &hello.write()).unwrap();
        let mut early = vec![0x77; bytes];
        let mut told = Ok(());
        while told.is_ok() && !early.is_empty() {
            let part: Vec<u8> = early.drain(..early.len().min(16 << 10)).collect();
            told = server.feed(&record(DATA, &part));
        }
        if passes {
            told.unwrap();
            server.feed(&record(CCS, &[1])).unwrap();
            server.tell(Epoch::Plaintext, &recorded.client[1]).unwrap();
            assert_eq!(server.told().last().unwrap()[0], FINISHED, "{what}");
            // From here on nothing is skipped any more.
            let told = server.feed(&record(DATA, &[0x77; 40]));
            server.refuses(told, AlertCode::BAD_RECORD_MAC, Epoch::Application, &what);
        } else {
            server.refuses(told, AlertCode::UNEXPECTED_MESSAGE, Epoch::Plaintext, &what);
        }
    }
}

/// Changes of ServerHello and HelloRetryRequest alike.
const EITHER_REPLY: &[Row] = &[
    ("legacy_version below", |h| h.version = 0x0302, VERSION),
    ("legacy_version above", |h| h.version = 0x0304, VERSION),
    ("another session id", |h| h.session[31] ^= 1, ILLEGAL),
    ("no session id", |h| h.session.clear(), ILLEGAL),
    ("long session id", |h| h.session.push(0), DECODE),
    ("a suite that was not offered", |h| h.suites = vec![0x13, 2], ILLEGAL),
    ("a suite of TLS 1.2", |h| h.suites = vec![0xC0, 0x2F], ILLEGAL),
    ("a compression method", |h| h.compression = vec![1], ILLEGAL),
    //= testvectors/requirements/rfc9846.txt#appendix-E.1
    //= type=test
    //# If the version chosen by the server is not supported by the client (or is not acceptable), the
    //# client MUST abort the handshake with a "protocol_version" alert.
    ("no version", |h| h.remove(43), VERSION),
    ("a version that is cut", |h| h.set(43, &[3]), DECODE),
    //= testvectors/requirements/rfc9846.txt#section-4.3.1
    //= type=test
    //# If the "supported_versions" extension in the ServerHello contains a version not offered by the
    //# client or contains a version prior to TLS 1.3, the client MUST abort the handshake with an
    //# "illegal_parameter" alert.
    ("TLS 1.2 selected", |h| h.set(43, &[3, 3]), ILLEGAL),
    ("a later version selected", |h| h.set(43, &[3, 5]), ILLEGAL),
    ("supported_versions as a client has it", |h| h.set(43, &[2, 3, 4]), DECODE),
    ("an extension of EncryptedExtensions", |h| h.set(0, &[]), ILLEGAL),
    ("signature_algorithms", |h| h.set(13, &[0, 2, 4, 3]), ILLEGAL),
    ("supported_groups", |h| h.set(10, &[0, 2, 0, 0x1D]), ILLEGAL),
    ("an unknown extension", |h| h.set(0x0A0A, &[]), UNSUPPORTED),
    ("key_share that is cut", |h| h.set(51, &[0]), DECODE),
];

const SERVER_HELLO_ROWS: &[Row] = &[
    ("no key_share", |h| h.remove(51), MISSING),
    ("a cookie", |h| h.set(44, &[0, 1, 7]), ILLEGAL),
    ("pre_shared_key unasked", |h| h.set(41, &[0, 0]), UNSUPPORTED),
    ("a share of a group without ours", |h| h.set(51, &share(NamedGroup::SECP256R1, &[4; 65])), ILLEGAL),
    ("a share of a group not offered", |h| h.set(51, &share(NamedGroup::SECP384R1, &[4; 97])), ILLEGAL),
    ("key_share as in a retry", |h| h.set(51, &[0, 0x1D]), DECODE),
    ("empty share", |h| h.set(51, &share(NamedGroup::X25519, &[])), DECODE),
    ("short share", |h| h.set(51, &share(NamedGroup::X25519, &[9; 31])), ILLEGAL),
    ("all-zero share", |h| h.set(51, &share(NamedGroup::X25519, &[0; 32])), ILLEGAL),
    ("more behind the share", |h| h.set(51, &[&h.data(51).unwrap()[..], &[0]].concat()), DECODE),
];

const RETRY_ROWS: &[Row] = &[
    ("nothing to change", |h| h.remove(51), ILLEGAL),
    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //= type=test
    //# Upon receipt of this extension in a HelloRetryRequest, the client MUST verify that (1) the
    //# selected_group field corresponds to a group which was provided in the "supported_groups" extension
    //# in the original ClientHello and (2) the selected_group field does not correspond to a group which
    //# was provided in the "key_share" extension in the original ClientHello.
    ("a group that we sent a share of", |h| h.set(51, &[0, 0x1D]), ILLEGAL),
    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //= type=test
    //# Upon receipt of this extension in a HelloRetryRequest, the client MUST verify that (1) the
    //# selected_group field corresponds to a group which was provided in the "supported_groups" extension
    //# in the original ClientHello and (2) the selected_group field does not correspond to a group which
    //# was provided in the "key_share" extension in the original ClientHello.
    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //= type=test
    //# If either of these checks fails, then the client MUST abort the handshake with an
    //# "illegal_parameter" alert.
    ("a group not offered", |h| h.set(51, &[0, 0x18]), ILLEGAL),
    ("an unknown group", |h| h.set(51, &[0x0A, 0x0A]), ILLEGAL),
    ("empty cookie", |h| h.set(44, &[0, 0]), DECODE),
    ("cookie that is cut", |h| h.set(44, &[0, 2, 7]), DECODE),
    ("pre_shared_key", |h| h.set(41, &[0, 0]), ILLEGAL),
    ("key_share as in a ServerHello", |h| h.set(51, &share(NamedGroup::SECP256R1, &[4; 65])), DECODE),
];

//= testvectors/requirements/rfc9846.txt#section-4.2.3
//= type=test
//# A client which receives a TLS 1.3 Server Hello with a legacy_version value not equal to 0x0303 MUST
//# abort the handshake with a "protocol_version" alert.
//= testvectors/requirements/rfc9846.txt#section-4.2.3
//= type=test
//# A client which receives a legacy_session_id_echo field that does not match what it sent in the
//# ClientHello MUST abort the handshake with an "illegal_parameter" alert.
//= testvectors/requirements/rfc9846.txt#section-4.2.3
//= type=test
//# A client which receives a cipher suite that was not offered MUST abort the handshake with an
//# "illegal_parameter" alert.
//= testvectors/requirements/rfc9846.txt#section-4.2.3
//= type=test
//# If a TLS 1.3 ServerHello is received with any other value in this field, the client MUST abort the
//# handshake with an "illegal_parameter" alert.
//= testvectors/requirements/rfc9846.txt#section-4.2.4
//= type=test
//# Upon receipt of a HelloRetryRequest, the client MUST check the legacy_version,
//# legacy_session_id_echo, cipher_suite, and legacy_compression_method as specified in Section 4.2.3
//= testvectors/requirements/rfc9846.txt#section-4.2.4
//= type=test
//# A client which receives a cipher suite that was not offered MUST abort the handshake.
//= testvectors/requirements/rfc9846.txt#section-4.2.4
//= type=test
//# Clients MUST abort the handshake with an "illegal_parameter" alert if the HelloRetryRequest would
//# not result in any change in the ClientHello.
//= testvectors/requirements/rfc9846.txt#section-4.2.4
//= type=test
//# and a client MUST abort the handshake with an "illegal_parameter" alert if the value changes.
#[test]
fn a_bad_server_hello_gets_its_alert() {
    for (flow, at, rows) in [(FULL, 0, SERVER_HELLO_ROWS), (RETRY, 0, RETRY_ROWS), (RETRY, 1, &[][..])] {
        let original = flow.record().server[at].clone();
        for (what, change, alert) in EITHER_REPLY.iter().chain(rows) {
            let mut hello = Hello::parse(&original);
            change(&mut hello);
            let (mut client, epoch) = client_at(flow, at);
            let told = client.tell(epoch, &hello.write());
            client.refuses(told, *alert, Epoch::Plaintext, &format!("{flow:?} {at}: {what}"));
        }
        for (kind, data) in Hello::parse(&original).extensions {
            let mut hello = Hello::parse(&original);
            hello.extensions.push((kind, data));
            let (mut client, epoch) = client_at(flow, at);
            let told = client.tell(epoch, &hello.write());
            client.refuses(told, ILLEGAL, Epoch::Plaintext, &format!("{flow:?} {at}: {kind} twice"));
        }
        for len in 4..original.len() {
            let (mut client, epoch) = client_at(flow, at);
            let told = client.tell(epoch, &message(SERVER_HELLO, &original[4..len]));
            let alert = if len == 4 + 34 + 33 + 3 { VERSION } else { DECODE };
            client.refuses(told, alert, Epoch::Plaintext, &format!("{flow:?} {at}: {len} bytes"));
        }
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.2.3
//= type=test
//# implementations MUST first examine the Random value and, if it matches this value, process it as
//# described in Section 4.2.4.
//= testvectors/requirements/rfc9846.txt#section-4.2.4
//= type=test
//# Otherwise, the client MUST process all extensions in the HelloRetryRequest and send a second updated
//# ClientHello.
//= testvectors/requirements/rfc9846.txt#section-4.3.2
//= type=test
//# When sending the new ClientHello, the client MUST copy the contents of the extension received in the
//# HelloRetryRequest into a "cookie" extension in the new ClientHello.
#[test]
fn a_retry_may_give_a_cookie_alone_and_gets_it_back() {
    let mut retry = Hello::parse(&RETRY.record().server[0]);
    retry.remove(51);
    retry.set(44, &[0, 3, 7, 8, 9]);
    let mut client = RETRY.client();
    let first = Hello::parse(&client.told()[0]);
    client.tell(Epoch::Plaintext, &retry.write()).unwrap();
    let mut second = Hello::parse(&client.told()[1]);
    assert_eq!(second.data(44), Some(&vec![0, 3, 7, 8, 9]));
    second.remove(44);
    assert_eq!(first, second);
}

//= testvectors/requirements/rfc9846.txt#section-4.2.4
//= type=test
//# If a client receives a second HelloRetryRequest in the same connection (i.e., where the ClientHello
//# was itself in response to a HelloRetryRequest), it MUST abort the handshake with an
//# "unexpected_message" alert.
#[test]
fn a_second_retry_is_refused() {
    let recorded = RETRY.record();
    let mut other = Hello::parse(&recorded.server[0]);
    other.set(44, &[0, 1, 7]);
    for again in [recorded.server[0].clone(), other.write()] {
        let (mut client, epoch) = client_at(RETRY, 1);
        let told = client.tell(epoch, &again);
        client.refuses(told, AlertCode::UNEXPECTED_MESSAGE, Epoch::Plaintext, "a second HelloRetryRequest");
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.2.4
//= type=test
//# clients MUST check that the cipher suite supplied in the ServerHello is the same as that in the
//# HelloRetryRequest and otherwise abort the handshake with an "illegal_parameter" alert.
//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# the client MUST verify that the selected NamedGroup in the ServerHello is the same as that in the
//# HelloRetryRequest
//= testvectors/requirements/rfc9846.txt#section-4.3.8
//= type=test
//# If this check fails, the client MUST abort the handshake with an "illegal_parameter" alert.
#[test]
fn suite_and_group_of_a_retry_stay() {
    let recorded = RETRY.record();
    let suites = [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_CHACHA20_POLY1305_SHA256];
    let changes: [Change; 2] = [
        ("another suite", |h| h.suites = vec![0x13, 3]),
        ("the group of the first share", |h| h.set(51, &share(NamedGroup::X25519, &[9; 32]))),
    ];
    for (what, change) in changes {
        let mut client = RETRY.client_with(|b| b.suites(&suites));
        client.tell(Epoch::Plaintext, &recorded.server[0]).unwrap();
        let mut hello = Hello::parse(&recorded.server[1]);
        change(&mut hello);
        let told = client.tell(Epoch::Plaintext, &hello.write());
        client.refuses(told, ILLEGAL, Epoch::Plaintext, what);
    }
}
