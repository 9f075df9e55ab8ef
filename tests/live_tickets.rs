//! Tickets that outlive what their peers were verified by.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

#[path = "../examples/support/devpki.rs"]
mod devpki;
#[path = "support/linked.rs"]
mod linked;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devpki::DevPki;
use linked::Link;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use support::provider;
use symbolon::codepoint::{CertificateType, SignatureScheme};
use symbolon::config::{ClientAuth, ClientConfig, Credential, ServerConfig};
use symbolon::conn::Resumed;
use symbolon::identity::Peer;
use symbolon::pki::{Crl, Expected, Profile, Revocation, RevocationPolicy, Verifier};
use symbolon::policy::tickets::{TicketRing, Tickets};
use symbolon::policy::{
    Answerer, ClientPolicy, Completeness, CredentialStore, Denied, Entry, FixedClock, MemorySessions, Pin,
    Pins, ServerPolicy, TrustStore, Verification, certificates_from_pem,
};
use symbolon::psk::SessionKey;

const HOST: &str = "localhost";

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/testvectors/revocation/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn verifier(pkis: &[&DevPki]) -> Verifier {
    Verifier::new(provider(), pkis.iter().map(|pki| pki.root().clone())).unwrap()
}

fn ring() -> Arc<dyn Tickets> {
    Arc::new(TicketRing::random(&provider()).unwrap())
}

#[test]
fn stricter_rules_refuse_tickets() {
    let pki = DevPki::new(&provider()).unwrap();
    let trust = TrustStore::new(verifier(&[&pki]));
    assert_eq!(trust.replace(verifier(&[&pki])), Ok(0));
    assert_eq!(trust.replace(verifier(&[&pki]).profile(Profile::web())), Ok(1));
    let expecting = Revocation::new(RevocationPolicy::soft_fail()).expect_staples();
    let expecting = verifier(&[&pki]).profile(Profile::web()).revocation(Arc::new(expecting));
    assert_eq!(trust.replace(expecting), Ok(2));
}

#[test]
fn another_crl_of_the_same_number_refuses_tickets() {
    let root: CertificateDer<'static> = certificates_from_pem(&file("root.pem")).unwrap().remove(0);
    let with = |crl: &[u8]| {
        let crls = Revocation::new(RevocationPolicy::soft_fail()).crls([Crl::parse(crl).unwrap()]);
        Verifier::new(provider(), [root.clone()]).unwrap().revocation(Arc::new(crls))
    };
    let mut crl = file("intermediate.crl");
    let trust = TrustStore::new(with(&crl));
    assert_eq!(trust.replace(with(&crl)), Ok(0));
    *crl.last_mut().unwrap() ^= 1;
    assert_eq!(trust.replace(with(&crl)), Ok(1));
}

#[test]
fn where_roots_are_known_what_must_be_stapled_is_served_with_its_staple() {
    // As testvectors/revocation/make.sh has it.
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_893_456_000));
    let roots = certificates_from_pem(&file("root.pem")).unwrap();
    let trusted = TrustStore::new(Verifier::new(provider(), roots).unwrap());
    let mut chain = certificates_from_pem(&file("must-staple.pem")).unwrap();
    chain.extend(certificates_from_pem(&file("intermediate.pem")).unwrap());
    let credential = Credential::remote(chain, vec![SignatureScheme::ECDSA_SECP256R1_SHA256]).unwrap();
    let entry = Entry::new("web", credential.with_staple(file("must-staple.ocsp")));
    let store = CredentialStore::builder(provider())
        .clock(FixedClock(now))
        .completeness(Completeness::Trusted(trusted));
    store.build([entry]).unwrap();
}

/// Servers of one name, and a store of tickets that clients share.
struct Shared {
    pki: DevPki,
    config: Arc<ClientConfig>,
    server: (Arc<ServerConfig>, Arc<dyn Answerer>),
    sessions: Arc<MemorySessions>,
}

impl Shared {
    fn new() -> Self {
        let pki = DevPki::new(&provider()).unwrap();
        let config = ServerConfig::builder(provider()).tickets(1).build().unwrap();
        let policy = ServerPolicy::serving(config.clone())
            .credential(pki.issue(&[HOST]).unwrap())
            .unwrap()
            .tickets(ring())
            .build()
            .unwrap();
        Self {
            pki,
            config: ClientConfig::builder(provider()).build().unwrap(),
            server: (config, policy),
            sessions: Arc::new(MemorySessions::new()),
        }
    }

    fn by(&self) -> Verification {
        Verification::by(verifier(&[&self.pki]))
    }

    fn client(&self, servers: impl Into<Verification>) -> Arc<ClientPolicy> {
        ClientPolicy::verifying(provider(), servers).sessions(self.sessions.clone()).build()
    }

    /// Has `client` keep a ticket.
    fn keep(&self, client: &Arc<ClientPolicy>) {
        let (config, policy) = &self.server;
        let mut link =
            Link::connect((&self.config, client.clone()), (config, policy.clone()), HOST, None).unwrap();
        client.sessions().unwrap().put(link.client.tickets.pop().unwrap());
    }

    fn has(&self, client: &ClientPolicy) -> bool {
        let key = SessionKey::new(&self.config, ServerName::try_from(HOST).unwrap());
        client.sessions().unwrap().take(&key).is_some()
    }
}

#[test]
fn a_ticket_in_a_shared_store_is_for_those_who_verify_alike() {
    let it = Shared::new();
    let other = DevPki::new(&provider()).unwrap();
    let lax = it.client(it.by());
    let pin = Pin::Spki(symbolon::identity::Fingerprint([7; 32]));
    for strict in [
        Verification::by(verifier(&[&other])),
        Verification::by(verifier(&[&it.pki]).profile(Profile::web())),
        it.by().expecting(Expected::Spiffe("spiffe://prod.example/a".parse().unwrap())),
        it.by().pins(Arc::new(Pins::without_backup([pin]))),
    ] {
        it.keep(&lax);
        assert!(!it.has(&it.client(strict.clone())), "{strict:?}");
    }
    it.keep(&lax);
    assert!(it.has(&it.client(it.by())));
}

#[test]
fn a_ticket_of_a_server_that_may_not_be_connected_to_any_more_is_not_used() {
    let it = Shared::new();
    let open = Arc::new(AtomicBool::new(true));
    let rule = open.clone();
    let client = it.client(it.by().authorize(move |_: &Peer| match rule.load(Ordering::Relaxed) {
        true => Ok(()),
        false => Err(Denied::because("closed")),
    }));
    it.keep(&client);
    assert!(it.has(&client));
    it.keep(&client);
    open.store(false, Ordering::Relaxed);
    assert!(!it.has(&client));
}

#[test]
fn tickets_that_servers_share_are_for_those_who_verify_clients_alike() {
    let it = Shared::new();
    let auth = ClientAuth::Required { authorities: Vec::new() };
    let config = ServerConfig::builder(provider()).client_auth(auth).tickets(1).build().unwrap();
    let (credential, ring) = (Arc::new(it.pki.issue(&[HOST]).unwrap()), ring());
    let server = |clients: Verification| -> Arc<dyn Answerer> {
        ServerPolicy::serving(config.clone())
            .credential(credential.clone())
            .unwrap()
            .clients(clients)
            .tickets(ring.clone())
            .build()
            .unwrap()
    };
    let client: Arc<dyn Answerer> = ClientPolicy::verifying(provider(), verifier(&[&it.pki]))
        .credential(it.pki.issue(&["client"]).unwrap())
        .build();
    let connect = |server: Arc<dyn Answerer>, ticket| {
        Link::connect((&it.config, client.clone()), (&config, server), HOST, ticket)
    };
    let mut tickets = [0, 1].map(|_| connect(server(it.by()), None).unwrap().client.tickets.pop());
    let mut ticket = |place: usize| tickets[place].take().map(|ticket| (ticket, client.moment()));
    let link = connect(server(it.by()), ticket(0)).unwrap();
    assert_eq!(link.server.summary().resumed, Ok(Resumed::Session));
    let admins = it.by().expecting(Expected::Spiffe("spiffe://prod.example/admin".parse().unwrap()));
    assert!(connect(server(admins), ticket(1)).is_err(), "a full handshake was wanted");
}

#[test]
fn a_raw_public_key_that_is_known_no_more_is_not_resumed() {
    let pki = DevPki::new(&provider()).unwrap();
    let raw = CertificateType::RAW_PUBLIC_KEY;
    let auth = ClientAuth::Optional { authorities: Vec::new() };
    let config = ServerConfig::builder(provider()).client_auth(auth).client_certificate_types([raw]);
    let config = config.tickets(1).build().unwrap();
    let ours = ClientConfig::builder(provider()).client_certificate_types([raw]).build().unwrap();
    let key = pki.issue(&["client"]).unwrap().key().unwrap().clone();
    let client: Arc<dyn Answerer> = ClientPolicy::verifying(provider(), verifier(&[&pki]))
        .credential(Credential::raw_public_key(key.clone()).unwrap())
        .build();
    let (credential, ring) = (Arc::new(pki.issue(&[HOST]).unwrap()), ring());
    let server = |keys: Vec<Vec<u8>>| -> Arc<dyn Answerer> {
        ServerPolicy::serving(config.clone())
            .credential(credential.clone())
            .unwrap()
            .clients(Verification::by_raw_public_keys(keys))
            .tickets(ring.clone())
            .build()
            .unwrap()
    };
    let knowing = server(vec![key.public_key().to_vec()]);
    let connect = |server: &Arc<dyn Answerer>, ticket| {
        Link::connect((&ours, client.clone()), (&config, server.clone()), HOST, ticket)
    };
    let mut first = connect(&knowing, None).unwrap();
    let ticket = first.client.tickets.pop().unwrap();
    let again = connect(&knowing, Some((ticket, client.moment()))).unwrap();
    assert_eq!(again.server.summary().resumed, Ok(Resumed::Session));
    let mut second = connect(&knowing, None).unwrap();
    let ticket = second.client.tickets.pop().unwrap();
    // A full handshake is wanted, in which the key is not known.
    let refused = connect(&server(Vec::new()), Some((ticket, client.moment()))).err().unwrap();
    assert!(refused.alert().is_some());
}
