//! Whole connections: from the shared secret on everything is secret, until it is sealed or was sent.

use std::sync::Arc;
use std::time::Duration;

use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::config::{ClientAuth, ClientConfig, Reach, ServerConfig, StatelessRetry};
use symbolon::conn::{Ask, Offer};
use symbolon::policy::replay::{Guard, ReplayGuard};
use symbolon::psk::{ExternalPsk, PskHash, Session, Ticket, Unknowable};
use symbolon::question::{FirstFlight, Seen};

use super::Case;
use crate::known::{Known, Why};
use crate::link::{Link, NOW, client_config, credential, new_server, server_config};
use crate::marked::{Plaintext, guard, plain, treat};
use crate::valgrind::{is_secret, make_secret, secret_bytes, unreported};

pub const CASES: &[Case] = &[
    Case { name: "handshake, TLS_AES_128_GCM_SHA256", run: || full(AES128), known: &[FINISHED] },
    Case { name: "handshake, TLS_AES_256_GCM_SHA384", run: || full(AES256), known: &[FINISHED] },
    Case { name: "handshake, TLS_CHACHA20_POLY1305_SHA256", run: || full(CHACHA), known: &[FINISHED] },
    Case { name: "handshake with client authentication", run: client_authentication, known: &[FINISHED] },
    Case { name: "handshake with a wrong Finished", run: wrong_finished, known: &[FINISHED] },
    Case {
        name: "handshake with a cookie of a stateless retry",
        run: cookie,
        known: &[FINISHED, COOKIE, COOKIE_READ],
    },
    Case { name: "resumption, SHA-256", run: || resumption(AES128), known: &[FINISHED, BINDER] },
    Case { name: "resumption, SHA-384", run: || resumption(AES256), known: &[FINISHED, BINDER] },
    Case { name: "resumption with early data", run: early_data, known: &[FINISHED, BINDER] },
    Case {
        name: "handshake with an external key",
        run: || external(Kind::External),
        known: &[FINISHED, BINDER],
    },
    Case {
        name: "handshake with an imported key",
        run: || external(Kind::Imported),
        known: &[FINISHED, BINDER],
    },
    Case { name: "handshake with a wrong binder", run: wrong_binder, known: &[BINDER] },
    Case { name: "data, key updates, exporter and hand-over", run: established, known: &[] },
];

const AES128: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;
const AES256: CipherSuite = CipherSuite::TLS_AES_256_GCM_SHA384;
const CHACHA: CipherSuite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256;

/// RFC 9846 section 4.5.3: a wrong Finished ends the handshake. One verdict a side.
const FINISHED: Known = Known {
    place: "symbolon/src/handshake/auth.rs",
    functions: &["check_finished"],
    most: 2,
    why: Why::Verdict("whether Finished matches"),
};
/// RFC 9846 section 4.3.11: a wrong binder ends it as well.
const BINDER: Known = Known {
    place: "symbolon/src/schedule/early.rs",
    functions: &["prove"],
    most: 1,
    why: Why::Verdict("whether the binder matches"),
};
const COOKIE: Known = Known {
    place: "symbolon/src/handshake/server/cookie.rs",
    functions: &["open"],
    most: 1,
    why: Why::Verdict("whether the cookie is genuine"),
};
/// Compilers may ask that, and whether there is anything to read, in one branch.
const COOKIE_READ: Known = Known { place: "symbolon/src/wire/reader.rs", functions: &["array"], ..COOKIE };

fn full(suite: CipherSuite) {
    let client = client_config(|builder| builder.suites(&[suite]).without_tickets());
    let mut link = Link::new(&client, &server_config(|builder| builder), Offer::fresh());
    link.run().unwrap();
    link.check();
    assert_eq!((link.client.in_the_clear, link.server.in_the_clear), (0, 0));
}

fn client_authentication() {
    let required = ClientAuth::Required { authorities: Vec::new() };
    let server = server_config(|builder| builder.client_auth(required));
    let mut link = Link::new(&client_config(|builder| builder), &server, Offer::fresh());
    link.answers.client_credential = Some(credential());
    link.run().unwrap();
    link.check();
}

fn wrong_finished() {
    let mut link = Link::new(&client_config(|b| b), &server_config(|b| b), Offer::fresh());
    treat(Plaintext::SpoiledFinished);
    assert!(link.run().is_err());
    assert!(!link.client.is_established);
}

/// The server that sent the retry is gone when its cookie comes back.
fn cookie() {
    let mut key = [7; 32];
    make_secret(&mut key);
    let server = server_config(|builder| {
        builder.groups(&[NamedGroup::SECP256R1]).stateless_retry(StatelessRetry::new(key, 30))
    });
    let client = client_config(|builder| builder.groups(&[NamedGroup::X25519, NamedGroup::SECP256R1]));
    let mut link = Link::new(&client, &server, Offer::fresh());
    let first = link.client.flush();
    link.server.inbox.extend(first);
    link.server.run(&mut link.answers).unwrap();
    assert!(link.server.has_retried);
    link.client.inbox = link.server.flush();
    assert!(link.server.in_the_clear > 0, "the cookie is sealed with a secret");
    link.server = new_server(&server);
    link.client.run(&mut link.answers).unwrap();
    link.run().unwrap();
    link.check();
}

/// A ticket of a first connection, by way of a client's store, and what its server remembers.
fn first(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (Ticket, Box<Session>) {
    let mut link = unreported(|| {
        let mut link = Link::new(client, server, Offer::fresh());
        link.run().unwrap();
        link
    });
    let session = link.answers.session.take().unwrap();
    assert!(is_secret(session.psk.expose()));
    guard(session.psk.expose());
    let stored = link.client.tickets.remove(0).encode().unwrap();
    assert_eq!(secret_bytes(&stored), session.psk.len());
    (Ticket::decode(&stored).unwrap(), session)
}

fn resumption(suite: CipherSuite) {
    let client = client_config(|builder| builder.suites(&[suite]));
    let server = server_config(|builder| builder.tickets(1));
    let (ticket, session) = first(&client, &server);
    let psk_len = session.psk.len();
    let mut link = Link::new(&client, &server, Offer::resume(ticket, NOW));
    link.answers.session = Some(session);
    link.run().unwrap();
    link.check();
    assert_eq!(link.client.in_the_clear, psk_len, "its binder");
}

/// The replay check is answered by the link.
struct Nobody;

impl ReplayGuard for Nobody {
    fn check(&self, _: &FirstFlight) -> Seen {
        Seen::Unknown(Unknowable::NoGuard)
    }
}

fn early_data() {
    let proof = Guard::vouched(Nobody, Reach::Process, Duration::from_secs(10)).proof().clone();
    let client = client_config(|builder| builder);
    let server = server_config(|builder| builder.tickets(1).early_data(1_000, proof));
    let (ticket, session) = first(&client, &server);
    let mut link = Link::new(&client, &server, Offer::resume(ticket, NOW).with_early_data());
    link.answers.session = Some(session);
    let mut secret = [1; 100];
    make_secret(&mut secret);
    let mut writer = link.client.conn.early_writer().unwrap();
    assert_eq!(writer.write(&[&secret], &mut link.client.out), Ok(100));
    link.run().unwrap();
    link.check();
    assert_eq!(link.server.early, 100);
}

enum Kind {
    External,
    Imported,
}

fn external_key(kind: Kind) -> Arc<ExternalPsk> {
    let mut key = [0x5A; 32];
    make_secret(&mut key);
    let psk = match kind {
        Kind::External => ExternalPsk::new(b"sensor 17", &key, PskHash::Sha256).unwrap(),
        Kind::Imported => {
            let keys =
                ExternalPsk::import(&plain(), b"sensor 17", &key, b"factory", PskHash::Sha256).unwrap();
            keys.into_iter().next().unwrap()
        }
    };
    Arc::new(psk)
}

fn by_key(key: Arc<ExternalPsk>) -> Link {
    let client = client_config(|builder| builder.suites(&[AES128]));
    let offer = Offer::fresh().with_psks([Arc::clone(&key)]);
    let mut link = Link::new(&client, &server_config(|builder| builder), offer);
    link.answers.external = Some(key);
    link
}

fn external(kind: Kind) {
    let mut link = by_key(external_key(kind));
    link.run().unwrap();
    link.check();
    assert_eq!(link.client.in_the_clear, 32, "its binder");
}

fn wrong_binder() {
    let mut link = by_key(external_key(Kind::External));
    let mut hello = link.client.flush();
    assert_eq!(link.client.in_the_clear, 32);
    // The binder ends the ClientHello.
    *hello.last_mut().unwrap() ^= 1;
    link.server.inbox.extend(hello);
    assert!(link.server.run(&mut link.answers).is_err());
}

fn established() {
    let client = client_config(|builder| builder);
    let mut link = Link::established(&client, &server_config(|builder| builder.tickets(0)));
    treat(Plaintext::SecretContent);
    for _ in 0..3 {
        let mut up = [1; 100];
        make_secret(&mut up);
        link.client.conn.write(&[&up], &mut link.client.out).unwrap();
        link.server.conn.write(&[&up], &mut link.server.out).unwrap();
        link.run().unwrap();
        treat(Plaintext::Public);
        link.client.conn.update_keys(Ask::Peer, &mut link.client.out).unwrap();
        link.run().unwrap();
        link.server.conn.write(&[b"owed"], &mut link.server.out).unwrap();
        link.run().unwrap();
        treat(Plaintext::SecretContent);
    }
    assert_eq!(link.server.data, (300, 300));
    link.check();
    let kernel = link.client.conn.into_kernel(&link.client.out).unwrap();
    assert!(is_secret(kernel.send.key.expose()) && is_secret(kernel.receive.secret.expose()));
}
