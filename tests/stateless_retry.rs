//! HelloRetryRequests whose cookie carries all state: the server that sent one is dropped, and another goes on.
#![cfg(feature = "rustcrypto")]

mod support;

use std::time::Duration;

use rustls_pki_types::UnixTime;
use support::flow::*;
use support::forge::*;
use support::*;
use symbolon::AlertCode;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::config::{ServerConfig, ServerConfigBuilder, StatelessRetry};
use symbolon::conn::{Client, Epoch, SendBuf, Server};

const NOW: u64 = 1_800_000_000;
const LIFETIME: u64 = 30;

/// A change of a hello, with its name.
type Change = (&'static str, fn(&mut Hello));

/// A server of the fleet, with a configuration of its own.
fn server_of(at: u64, change: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder) -> Puppet<Server> {
    let builder = ServerConfig::builder(provider())
        .suites(&[suite().id])
        .groups(&[NamedGroup::SECP256R1])
        .credential(p256())
        .virtual_host("a.example.test")
        .stateless_retry(StatelessRetry::new([7; 32], LIFETIME))
        .reveal_secrets();
    let config = change(builder).build().unwrap();
    let conn = Server::new_at(&config, UnixTime::since_unix_epoch(Duration::from_secs(at))).unwrap();
    Puppet::new(Party::new(conn, SendBuf::with_limit(LIMIT), Answers::default()), Role::Server)
}

fn server_at(at: u64) -> Puppet<Server> {
    server_of(at, |b| b)
}

/// A client that got its HelloRetryRequest from a server that is gone, and its second ClientHello.
fn retried(change: impl FnOnce(&mut Hello)) -> (Puppet<Client>, Hello) {
    let mut client = RETRY.client();
    let mut first = Hello::parse(&client.told()[0]);
    change(&mut first);
    let mut server = server_at(NOW);
    server.tell(Epoch::Plaintext, &first.write()).unwrap();
    assert!(server.party.retry_sent);
    client.tell(Epoch::Plaintext, &server.told()[0]).unwrap();
    let second = Hello::parse(&client.told()[1]);
    assert!(second.data(44).is_some());
    (client, second)
}

fn refused(mut server: Puppet<Server>, hello: &Hello, what: &str) {
    let told = server.tell(Epoch::Plaintext, &hello.write());
    server.refuses(told, AlertCode::ILLEGAL_PARAMETER, Epoch::Plaintext, what);
    assert!(server.told().is_empty() && !server.party.retry_sent, "{what}: never a second retry");
}

#[test]
fn another_server_goes_on_where_the_first_was_dropped() {
    for age in [0, LIFETIME] {
        let (mut client, second) = retried(|_| {});
        let mut server = server_at(NOW + age);
        server.tell(Epoch::Plaintext, &second.write()).unwrap();
        for said in server.said.clone() {
            client.say(said.epoch, said.kind, &said.content).unwrap();
        }
        let finished = client.said.last().unwrap().clone();
        server.say(finished.epoch, finished.kind, &finished.content).unwrap();
        let (client, server) = (client.party.summary.unwrap(), server.party.summary.unwrap());
        assert!(client.retried && server.retried);
        assert_eq!(client.group, Some(NamedGroup::SECP256R1));
    }
}

#[test]
fn only_a_stateless_server_takes_a_change_cipher_spec_for_that_of_a_client_it_has_forgotten() {
    let config = ServerConfig::builder(provider()).credential(p256()).build().unwrap();
    let conn = Server::new_at(&config, UnixTime::since_unix_epoch(Duration::from_secs(NOW))).unwrap();
    let other = Puppet::new(Party::new(conn, SendBuf::with_limit(LIMIT), Answers::default()), Role::Server);
    for (mut server, takes) in [(server_at(NOW), true), (other, false)] {
        let told = server.say(Epoch::Plaintext, 20, &[1]);
        assert_eq!(told.is_ok(), takes);
        assert_eq!(
            told.err().and_then(|error| error.alert()),
            (!takes).then_some(AlertCode::UNEXPECTED_MESSAGE)
        );
    }
}

#[test]
fn the_first_server_itself_may_go_on() {
    let mut client = RETRY.client();
    let mut server = server_at(NOW);
    record_pair(&mut client, &mut server);
}

#[test]
fn an_old_cookie_and_one_from_the_future_are_refused() {
    let (_, second) = retried(|_| {});
    refused(server_at(NOW + LIFETIME + 1), &second, "expired");
    refused(server_at(NOW - 1), &second, "from the future");
}

#[test]
fn a_foreign_cookie_is_refused() {
    let (_, second) = retried(|_| {});
    let key = |key| move |b: ServerConfigBuilder| b.stateless_retry(StatelessRetry::new(key, LIFETIME));
    refused(server_of(NOW, key([8; 32])), &second, "another key");
    refused(server_of(NOW, |b| b.virtual_host("b.example.test")), &second, "another virtual host");
    refused(server_of(NOW, |b| b.verification_policy("strict")), &second, "another policy");
    refused(RETRY.server(), &second, "a server without stateless retries");
    let mut other = second.clone();
    other.session[0] ^= 1;
    refused(server_at(NOW), &other, "another session id");
    other.session.clear();
    refused(server_at(NOW), &other, "no session id");
    let mut server = server_of(NOW, key([7; 32]));
    server.tell(Epoch::Plaintext, &second.write()).unwrap();
}

#[test]
fn a_server_that_prefers_another_suite_takes_the_cookie() {
    let (_, second) = retried(|_| {});
    let prefers = [CipherSuite::TLS_AES_256_GCM_SHA384, suite().id];
    let mut server = server_of(NOW, |b| b.suites(&prefers));
    server.tell(Epoch::Plaintext, &second.write()).unwrap();
    assert_eq!(server.told().last().unwrap()[0], FINISHED);
}

#[test]
fn a_changed_cookie_is_refused() {
    let (_, second) = retried(|_| {});
    let cookie = second.data(44).unwrap()[2..].to_vec();
    for position in 0..cookie.len() {
        let mut changed = cookie.clone();
        changed[position] ^= 1 << (position % 8);
        let mut hello = second.clone();
        hello.set(44, &vector(2, &changed));
        refused(server_at(NOW), &hello, "a changed byte");
        hello.set(44, &vector(2, &cookie[..position.max(1)]));
        refused(server_at(NOW), &hello, "a cut cookie");
    }
    let mut hello = second.clone();
    hello.set(44, &vector(2, &[&cookie[..], &[0]].concat()));
    refused(server_at(NOW), &hello, "a longer cookie");
}

#[test]
fn the_second_hello_must_do_what_it_was_asked_to() {
    let (_, second) = retried(|_| {});
    let changes: [Change; 5] = [
        ("early data", |h| h.set(42, &[])),
        ("a share of another group", |h| h.set(51, &[&[0, 36, 0, 0x1D, 0, 32][..], &[9; 32]].concat())),
        ("no share", |h| h.set(51, &[0, 0])),
        ("one more share", |h| {
            let own = h.data(51).unwrap()[2..].to_vec();
            h.set(51, &vector(2, &[&[0, 0x1D, 0, 32][..], &[9; 32], &own].concat()));
        }),
        ("another suite alone", |h| h.suites = vec![0x13, 3]),
    ];
    for (what, change) in changes {
        let mut hello = second.clone();
        change(&mut hello);
        let chacha = provider().suite(CipherSuite(0x1303)).unwrap().id;
        refused(server_of(NOW, |b| b.suites(&[suite().id, chacha])), &hello, what);
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.2
//= type=test
//# Servers operating statelessly MUST ignore these records.
#[test]
fn a_change_cipher_spec_before_the_second_hello_is_ignored() {
    let (_, second) = retried(|_| {});
    let mut server = server_at(NOW);
    server.feed(&record(CCS, &[1])).unwrap();
    server.tell(Epoch::Plaintext, &second.write()).unwrap();
    assert_eq!(server.told().last().unwrap()[0], FINISHED);
}

#[test]
fn early_data_before_the_second_hello_is_skipped_only_if_the_cookie_says_so() {
    for early in [true, false] {
        let (_, second) = retried(|first| {
            if early {
                first.set(42, &[]);
            }
        });
        let mut server = server_at(NOW);
        server.feed(&record(DATA, &[5; 1000])).unwrap();
        let told = server.tell(Epoch::Plaintext, &second.write());
        if early {
            told.unwrap();
            assert_eq!(server.told().last().unwrap()[0], FINISHED);
        } else {
            server.refuses(told, AlertCode::UNEXPECTED_MESSAGE, Epoch::Plaintext, "early data unannounced");
        }
    }
    let mut server = server_at(NOW);
    server.feed(&record(DATA, &[5; 16 << 10])).unwrap();
    server.feed(&record(DATA, &[5; 16 << 10])).unwrap();
    let told = server.feed(&record(DATA, &[5]));
    server.refuses(told, AlertCode::UNEXPECTED_MESSAGE, Epoch::Plaintext, "beyond the budget");
    let mut server = server_at(NOW);
    server.feed(&record(DATA, &[5])).unwrap();
    let told = server.tell(Epoch::Plaintext, &RETRY.record().client[0]);
    server.refuses(told, AlertCode::UNEXPECTED_MESSAGE, Epoch::Plaintext, "early data before a first hello");
    let mut server = server_at(NOW);
    let passes = (0..10_000).take_while(|_| server.feed(&record(DATA, &[])).is_ok()).count();
    assert_eq!(passes, (32 << 10) / 17, "empty records count as long as the shortest protected ones");
}
