//! Credentials and trust that are exchanged while connections run.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

#[path = "../examples/support/devpki.rs"]
mod devpki;
#[path = "support/linked.rs"]
mod linked;
mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use devpki::{DevPki, Leaf, Validity};
use linked::Link;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use support::provider;
use symbolon::codepoint::SignatureScheme;
use symbolon::config::{ClientAuth, ClientConfig, Credential, ServerConfig};
use symbolon::conn::{NotResumed, Resumed};
use symbolon::identity::TrustDomain;
use symbolon::io::blocking::Stream;
use symbolon::pki::{Crl, Expected, Revocation, RevocationPolicy, Verifier};
use symbolon::policy::tickets::{SessionCache, TicketRing, Tickets};
use symbolon::policy::{
    Answerer, ClientPolicy, Clock, Completeness, CredentialStore, Entry, FixedClock, Role, ServerPolicy,
    SignError, Signer, SystemClock, TrustStore, Verification, certificates_from_pem,
};
use symbolon::question::{Answer, Question};
use symbolon::{AlertCode, Error};

const HOST: &str = "localhost";

/// What everybody here serves with and trusts, unless told otherwise.
struct World {
    pki: DevPki,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl World {
    fn new(auth: ClientAuth) -> Self {
        let client = ClientConfig::builder(provider()).build().unwrap();
        let server = ServerConfig::builder(provider()).client_auth(auth).tickets(1).build().unwrap();
        Self { pki: DevPki::new(&provider()).unwrap(), client, server }
    }

    fn entry(&self, name: &str) -> Entry {
        Entry::new(name, self.pki.issue(&[HOST]).unwrap())
    }

    fn store(&self) -> CredentialStore {
        CredentialStore::new(provider(), [self.entry("one")]).unwrap()
    }

    fn client(&self) -> Arc<dyn Answerer> {
        ClientPolicy::trusting(provider(), [self.pki.root().clone()]).unwrap().build()
    }

    fn server(&self, store: &CredentialStore) -> Arc<dyn Answerer> {
        ServerPolicy::serving(self.server.clone()).credentials(store.clone()).build().unwrap()
    }

    fn connect(&self, client: &Arc<dyn Answerer>, server: &Arc<dyn Answerer>) -> Result<Link, Error> {
        self.resume(client, server, None)
    }

    fn resume(
        &self,
        client: &Arc<dyn Answerer>,
        server: &Arc<dyn Answerer>,
        ticket: Option<symbolon::psk::Ticket>,
    ) -> Result<Link, Error> {
        let ticket = ticket.map(|ticket| (ticket, client.moment()));
        Link::connect((&self.client, client.clone()), (&self.server, server.clone()), HOST, ticket)
    }
}

fn leaf(store: &CredentialStore) -> Vec<u8> {
    store.entries()[0].credential().chain()[0].to_vec()
}

/// Number and connections of each generation.
fn counts(store: &CredentialStore) -> Vec<(u64, usize)> {
    store.generations().iter().map(|generation| (generation.number, generation.connections)).collect()
}

fn key_of(credential: &Credential) -> Arc<dyn symbolon::crypto::SigningKey> {
    credential.key().unwrap().clone()
}

#[test]
fn new_handshakes_have_the_new_generation_and_running_connections_end_with_theirs() {
    let world = World::new(ClientAuth::Off);
    let store = world.store();
    let (client, server) = (world.client(), world.server(&store));
    let mut before = world.connect(&client, &server).unwrap();
    assert_eq!(before.client.leaf(), leaf(&store));
    let old = leaf(&store);
    assert_eq!(store.replace([world.entry("one")]), Ok(2));
    let mut after = world.connect(&client, &server).unwrap();
    assert_eq!(after.client.leaf(), leaf(&store));
    assert_ne!(old, leaf(&store));
    assert_eq!(counts(&store), [(1, 1), (2, 1)]);
    before.talk();
    after.talk();
    drop(before);
    assert_eq!(counts(&store), [(2, 1)]);
    drop(after);
    assert_eq!(counts(&store), [(2, 0)]);
}

#[test]
fn a_split_connection_counts_once_until_both_halves_are_gone() {
    let world = World::new(ClientAuth::Off);
    let store = world.store();
    let link = world.connect(&world.client(), &world.server(&store)).unwrap();
    store.replace([world.entry("one")]).unwrap();
    let (receiving, sending) = link.server.conn.split().unwrap();
    assert_eq!(counts(&store), [(1, 1), (2, 0)]);
    drop(receiving);
    assert_eq!(counts(&store), [(1, 1), (2, 0)]);
    drop(sending);
    assert_eq!(counts(&store), [(2, 0)]);
}

#[test]
fn a_handshake_that_fails_is_not_counted_any_more() {
    let world = World::new(ClientAuth::Off);
    let store = world.store();
    let other = DevPki::named(&provider(), "Other").unwrap();
    let distrusting: Arc<dyn Answerer> =
        ClientPolicy::trusting(provider(), [other.root().clone()]).unwrap().build();
    let refused = world.connect(&distrusting, &world.server(&store)).err().unwrap();
    assert_eq!(refused.alert(), Some(AlertCode::UNKNOWN_CA));
    assert_eq!(counts(&store), [(1, 0)]);
}

#[test]
fn a_client_rotates_its_credentials_as_a_server_does() {
    let world = World::new(ClientAuth::Required { authorities: Vec::new() });
    let (ours, theirs) = (world.store(), world.store());
    let client: Arc<dyn Answerer> = ClientPolicy::trusting(provider(), [world.pki.root().clone()])
        .unwrap()
        .credentials(theirs.clone())
        .build();
    let roots = Verifier::new(provider(), [world.pki.root().clone()]).unwrap();
    let server: Arc<dyn Answerer> =
        ServerPolicy::serving(world.server.clone()).credentials(ours.clone()).clients(roots).build().unwrap();
    let before = world.connect(&client, &server).unwrap();
    assert_eq!(before.server.leaf(), leaf(&theirs));
    theirs.replace([world.entry("one")]).unwrap();
    let after = world.connect(&client, &server).unwrap();
    assert_eq!(after.server.leaf(), leaf(&theirs));
    assert_eq!((counts(&theirs), counts(&ours)), (vec![(1, 1), (2, 1)], vec![(1, 2)]));
    drop((before, after));
    assert_eq!((counts(&theirs), counts(&ours)), (vec![(2, 0)], vec![(1, 0)]));
}

#[test]
fn rotations_under_load_fail_no_connection_over_tcp() {
    const CLIENTS: usize = 3;
    const EACH: usize = 8;
    let world = World::new(ClientAuth::Off);
    let store = world.store();
    let (client, server) = (world.client(), world.server(&store));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let bounded = |socket: TcpStream| {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket
    };
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let socket = bounded(TcpStream::connect(address).unwrap());
                    let name = ServerName::try_from(HOST).unwrap();
                    let mut stream = Stream::client(&world.client, name, client.clone(), socket);
                    stream.write_all(b"ping").unwrap();
                    stream.close().unwrap();
                    let mut answer = Vec::new();
                    stream.read_to_end(&mut answer).unwrap();
                    assert_eq!(answer, b"pong");
                }
            });
        }
        for served in 0..CLIENTS * EACH {
            let (socket, _) = listener.accept().unwrap();
            if served % 4 == 0 {
                store.replace([world.entry("one")]).unwrap();
            }
            let (config, answerer, socket) = (&world.server, server.clone(), bounded(socket));
            scope.spawn(move || {
                let mut stream = Stream::server(config, answerer, socket);
                let mut asked = Vec::new();
                stream.read_to_end(&mut asked).unwrap();
                assert_eq!(asked, b"ping");
                stream.write_all(b"pong").unwrap();
                stream.close().unwrap();
            });
        }
    });
    assert_eq!(counts(&store), [(1 + (CLIENTS * EACH / 4) as u64, 0)]);
}

#[test]
fn what_cannot_be_right_is_refused_and_the_last_good_generation_stays() {
    let world = World::new(ClientAuth::Off);
    let store = world.store();
    let good = || world.pki.issue(&[HOST]).unwrap();
    let issued = |validity| world.pki.issue_leaf(&Leaf::named(&[HOST]).valid(validity)).unwrap();
    let day = Duration::from_secs(86_400);
    let tomorrow = Validity { from: SystemTime::now() + day, until: SystemTime::now() + 2 * day };
    let of = |chain: &[CertificateDer<'static>], of: &Credential| {
        Credential::new(chain.to_vec(), key_of(of)).unwrap()
    };
    let (one, other) = (good(), good());
    let namesake = DevPki::new(&provider()).unwrap().issue(&[HOST]).unwrap();
    let stranger = DevPki::named(&provider(), "Strange").unwrap().issue(&[HOST]).unwrap();
    let [leaf, issuer] = one.chain() else { panic!("leaf and intermediate") };
    let remote = Credential::remote(one.chain().to_vec(), vec![SignatureScheme::ED25519]).unwrap();
    for (credential, text) in [
        (of(one.chain(), &other), "the private key (ECDSA P-256) does not belong to the leaf"),
        (of(&[issuer.clone(), leaf.clone()], &one), "belongs to certificate 2 of the chain"),
        (issued(Validity::expired(day)), "\"CN=localhost\" was valid only until"),
        (issued(tomorrow), "\"CN=localhost\" is not valid before"),
        (
            of(std::slice::from_ref(leaf), &one),
            "\"CN=localhost\" comes without its issuer \"CN=Symbolon development intermediate\"; append",
        ),
        (
            of(&[leaf.clone(), stranger.chain()[1].clone()], &one),
            "issued by \"CN=Symbolon development intermediate\", which does not follow it: \"CN=Strange intermediate\"",
        ),
        (
            of(&[leaf.clone(), namesake.chain()[1].clone()], &one),
            "the signature on \"CN=localhost\" is not by",
        ),
        (remote, "the signer signs by no scheme that fits the leaf's key, ECDSA P-256"),
    ] {
        let error = store.replace([Entry::new("web", credential.clone())]).unwrap_err().to_string();
        assert!(error.starts_with("web: ") && error.contains(text), "{error}");
        assert_eq!(store.update(Entry::new("web", credential)).unwrap_err().to_string(), error);
    }
    assert!(store.replace([]).unwrap_err().to_string().contains("no credential"));
    let twice = store.replace([Entry::new("a", good()), Entry::new("a", good())]).unwrap_err();
    assert!(twice.to_string().contains("two credentials are called \"a\""));
    assert_eq!(counts(&store), [(1, 0)]);
    world.connect(&world.client(), &world.server(&store)).unwrap();
}

#[test]
fn a_leaf_alone_is_served_where_its_issuer_is_declared_a_root() {
    let world = World::new(ClientAuth::Off);
    let credential = world.pki.issue(&[HOST]).unwrap();
    let alone = Credential::new(credential.chain()[..1].to_vec(), key_of(&credential)).unwrap();
    assert!(world.store().replace([Entry::new("x", alone.clone())]).is_err());
    assert_eq!(world.store().replace([Entry::new("x", alone).under_root()]), Ok(2));
}

#[test]
fn where_roots_are_known_a_chain_must_lead_to_one() {
    let world = World::new(ClientAuth::Off);
    let roots = TrustStore::new(Verifier::new(provider(), [world.pki.root().clone()]).unwrap());
    let builder = || CredentialStore::builder(provider()).completeness(Completeness::Trusted(roots.clone()));
    let good = world.pki.issue(&[HOST]).unwrap();
    builder().build([Entry::new("good", good.clone())]).unwrap();
    let client = world.pki.issue_leaf(&Leaf::named(&[HOST]).client_only()).unwrap();
    builder().build([Entry::new("client", client)]).unwrap();
    let alone = Credential::new(good.chain()[..1].to_vec(), key_of(&good)).unwrap();
    let error = builder().build([Entry::new("alone", alone)]).unwrap_err().to_string();
    assert!(error.contains("its issuer \"CN=Symbolon development intermediate\" was not sent"), "{error}");
    let other = DevPki::named(&provider(), "Other").unwrap().issue(&[HOST]).unwrap();
    let error = builder().build([Entry::new("other", other)]).unwrap_err().to_string();
    assert!(error.contains("Other root"), "{error}");
}

#[test]
fn one_entry_is_exchanged_by_its_name_and_a_new_one_is_added() {
    let world = World::new(ClientAuth::Off);
    let store = CredentialStore::new(provider(), [world.entry("a"), world.entry("b")]).unwrap();
    let leaves = || store.entries().iter().map(|entry| entry.credential().chain()[0].clone()).collect();
    let before: Vec<_> = leaves();
    assert_eq!(store.update(world.entry("b")), Ok(2));
    let after: Vec<_> = leaves();
    assert_eq!((before[0] == after[0], before[1] == after[1]), (true, false));
    assert_eq!(store.update(world.entry("c")), Ok(3));
    let entries = store.entries();
    assert_eq!(entries.iter().map(Entry::name).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn everything_loaded_tells_when_it_expires() {
    let world = World::new(ClientAuth::Off);
    let now = SystemClock.now();
    let expiries = world.store().expiries(now);
    let roles: Vec<Role> = expiries.iter().map(|expiry| expiry.role).collect();
    assert_eq!(roles, [Role::Leaf, Role::Intermediate]);
    assert_eq!((expiries[0].subject.as_str(), &expiries[0].names[..]), ("CN=localhost", &[HOST.into()][..]));
    let month = 30 * 86_400;
    assert!(expiries.iter().all(|expiry| (month - 60..=month).contains(&expiry.seconds_left)));
    let trust = TrustStore::new(Verifier::new(provider(), [world.pki.root().clone()]).unwrap());
    let anchors = trust.expiries(now);
    assert_eq!((anchors.len(), anchors[0].role), (1, Role::Anchor));
    let [(name, renewal)] = &world.store().renewals()[..] else { panic!("one entry") };
    assert_eq!(name, "one");
    let due = renewal.due.as_secs() - now.as_secs();
    assert!((19 * 86_400..20 * 86_400).contains(&due), "two thirds of 30 days and an hour: {due}");
}

/// Signs with a key that the credential does not have.
struct Elsewhere(Option<Arc<dyn symbolon::crypto::SigningKey>>);

impl Signer for Elsewhere {
    fn sign(
        &self,
        credential: &Credential,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, SignError> {
        assert!(credential.key().is_none());
        let key = self.0.as_ref().ok_or("the token was pulled out")?;
        Ok(key.sign(&*provider().rng, scheme, message)?)
    }
}

#[test]
fn a_key_that_is_elsewhere_is_asked_for_its_signature() {
    let world = World::new(ClientAuth::Off);
    let whole = world.pki.issue(&[HOST]).unwrap();
    let remote = Credential::remote(whole.chain().to_vec(), whole.schemes().to_vec()).unwrap();
    let store = CredentialStore::new(provider(), [Entry::new("hsm", remote)]).unwrap();
    let serve = |signer| -> Arc<dyn Answerer> {
        ServerPolicy::serving(world.server.clone()).credentials(store.clone()).signer(signer).build().unwrap()
    };
    world.connect(&world.client(), &serve(Elsewhere(Some(key_of(&whole))))).unwrap();
    let error = world.connect(&world.client(), &serve(Elsewhere(None))).err().unwrap();
    assert_eq!(error.alert(), Some(AlertCode::INTERNAL_ERROR));
    assert!(error.to_string().contains("the token was pulled out"), "{error}");
}

/// A server that asks for certificates, and a client of each of two authorities.
struct Rotation {
    world: World,
    trust: TrustStore,
    server: Arc<dyn Answerer>,
    pkis: [DevPki; 2],
    clients: [Arc<dyn Answerer>; 2],
}

impl Rotation {
    fn new(tickets: Arc<dyn Tickets>) -> Self {
        let world = World::new(ClientAuth::Required { authorities: Vec::new() });
        let pkis = ["Old", "New"].map(|name| DevPki::named(&provider(), name).unwrap());
        let clients = pkis.each_ref().map(|pki| -> Arc<dyn Answerer> {
            ClientPolicy::trusting(provider(), [world.pki.root().clone()])
                .unwrap()
                .credential(pki.issue(&["client"]).unwrap())
                .build()
        });
        let trust = TrustStore::new(verifier(&[&pkis[0]]));
        let server = ServerPolicy::serving(world.server.clone())
            .credentials(world.store())
            .clients(trust.clone())
            .tickets(tickets)
            .build()
            .unwrap();
        Self { world, trust, server, pkis, clients }
    }

    fn connect(&self, who: usize) -> Result<Link, Error> {
        self.world.connect(&self.clients[who], &self.server)
    }

    fn resumed(&self, who: usize, link: &mut Link) -> (Result<Resumed, NotResumed>, Link) {
        let ticket = link.client.tickets.pop().expect("a ticket");
        let link = self.world.resume(&self.clients[who], &self.server, Some(ticket)).unwrap();
        (link.server.summary().resumed, link)
    }
}

fn verifier(pkis: &[&DevPki]) -> Verifier {
    Verifier::new(provider(), pkis.iter().map(|pki| pki.root().clone())).unwrap()
}

fn ring() -> Arc<dyn Tickets> {
    Arc::new(TicketRing::random(&provider()).unwrap())
}

fn cache() -> Arc<dyn Tickets> {
    Arc::new(SessionCache::new(&provider(), 100).unwrap())
}

#[test]
fn two_authorities_are_trusted_while_one_replaces_the_other() {
    let it = Rotation::new(ring());
    let [old, new] = &it.pkis;
    assert!(it.connect(0).is_ok());
    assert_eq!(it.connect(1).err().unwrap().alert(), Some(AlertCode::UNKNOWN_CA));
    assert_eq!(it.trust.replace(verifier(&[old, new])), Ok(0));
    assert!(it.connect(0).is_ok() && it.connect(1).is_ok());
    assert_eq!(it.trust.replace(verifier(&[new])), Ok(1));
    assert_eq!(it.connect(0).err().unwrap().alert(), Some(AlertCode::UNKNOWN_CA));
    assert!(it.connect(1).is_ok());
}

#[test]
fn an_added_authority_keeps_tickets_and_a_removed_one_refuses_them() {
    for tickets in [ring(), cache()] {
        let it = Rotation::new(tickets);
        let [old, new] = &it.pkis;
        let (mut first, mut second) = (it.connect(0).unwrap(), it.connect(0).unwrap());
        it.trust.replace(verifier(&[old, new])).unwrap();
        let (resumed, mut third) = it.resumed(0, &mut first);
        assert_eq!(resumed, Ok(Resumed::Session));
        it.trust.replace(verifier(&[new])).unwrap();
        for before in [&mut second, &mut third] {
            let ticket = before.client.tickets.pop().unwrap();
            let refused = it.world.resume(&it.clients[0], &it.server, Some(ticket)).err().unwrap();
            assert_eq!(refused.alert(), Some(AlertCode::UNKNOWN_CA), "a full handshake was wanted");
        }
        let mut other = it.connect(1).unwrap();
        assert_eq!(it.resumed(1, &mut other).0, Ok(Resumed::Session));
        it.trust.refuse_tickets();
        let mut other = it.connect(1).unwrap();
        it.trust.refuse_tickets();
        assert_eq!(it.resumed(1, &mut other).0, Err(NotResumed::PolicyChanged));
    }
}

/// Takes trust away between the verification of a client and its ticket.
struct Late(Arc<dyn Answerer>, TrustStore);

impl Answerer for Late {
    fn answer(&self, question: Question) -> Answer {
        if let Question::SealTicket(_) = question {
            self.1.refuse_tickets();
        }
        self.0.answer(question)
    }
}

#[test]
fn a_ticket_tells_of_the_trust_that_the_client_was_verified_by() {
    let mut it = Rotation::new(ring());
    let server = it.server.clone();
    it.server = Arc::new(Late(server.clone(), it.trust.clone()));
    let mut link = it.connect(0).unwrap();
    it.server = server;
    assert_eq!(it.resumed(0, &mut link).0, Err(NotResumed::PolicyChanged));
}

#[test]
fn a_client_forgets_the_tickets_of_servers_that_it_trusts_no_more() {
    let world = World::new(ClientAuth::Off);
    let trust = TrustStore::new(verifier(&[&world.pki]));
    let policy = ClientPolicy::verifying(provider(), trust.clone()).build();
    let client: Arc<dyn Answerer> = policy.clone();
    let server: Arc<dyn Answerer> = ServerPolicy::serving(world.server.clone())
        .credentials(world.store())
        .tickets(ring())
        .build()
        .unwrap();
    let key = symbolon::psk::SessionKey::new(&world.client, ServerName::try_from(HOST).unwrap());
    let sessions = policy.sessions().unwrap();
    let keep = || {
        let mut link = world.connect(&client, &server).unwrap();
        sessions.put(link.client.tickets.pop().unwrap());
    };
    keep();
    assert!(sessions.take(&key).is_some());
    keep();
    let other = DevPki::new(&provider()).unwrap();
    trust.replace(verifier(&[&other])).unwrap();
    assert!(sessions.take(&key).is_none());
}

#[test]
fn each_trust_domain_is_vouched_for_by_its_own_bundle() {
    let world = World::new(ClientAuth::Required { authorities: Vec::new() });
    let [here, there] = ["here", "there"].map(|name| DevPki::named(&provider(), name).unwrap());
    let domains: [TrustDomain; 2] = ["here.example", "there.example"].map(|name| name.parse().unwrap());
    let trust = TrustStore::by_trust_domain([(domains[0].clone(), verifier(&[&here]))]);
    let server: Arc<dyn Answerer> = ServerPolicy::serving(world.server.clone())
        .credentials(world.store())
        .clients(trust.clone())
        .build()
        .unwrap();
    let connect = |pki: &DevPki, leaf: Leaf| {
        let policy = ClientPolicy::trusting(provider(), [world.pki.root().clone()]).unwrap();
        let client: Arc<dyn Answerer> = policy.credential(pki.issue_leaf(&leaf).unwrap()).build();
        let link = world.connect(&client, &server).map_err(|error| error.alert().unwrap())?;
        Ok::<String, AlertCode>(link.server.summary().identity().to_string())
    };
    let workload = |domain| Leaf::workload(&format!("spiffe://{domain}/api"));
    assert_eq!(connect(&here, workload("here.example")), Ok("spiffe://here.example/api".into()));
    for (pki, leaf) in [
        (&there, workload("there.example")),
        (&there, workload("here.example")),
        (&here, workload("there.example")),
        (&here, Leaf::named(&["client"])),
        (&here, workload("here.example").uri("spiffe://here.example/other")),
    ] {
        assert_eq!(connect(pki, leaf.clone()), Err(AlertCode::UNKNOWN_CA), "{leaf:?}");
    }
    assert_eq!(trust.replace_domain(&domains[1], verifier(&[&there])), Ok(0));
    assert_eq!(connect(&there, workload("there.example")), Ok("spiffe://there.example/api".into()));
    assert_eq!(trust.remove_domain(&domains[1]), Ok(1));
    assert_eq!(connect(&there, workload("there.example")), Err(AlertCode::UNKNOWN_CA));
    assert!(trust.remove_domain(&domains[1]).is_err());
    assert!(trust.replace(verifier(&[&here])).unwrap_err().to_string().contains("by trust domain"));
    assert_eq!(trust.generation(), 1);
}

#[test]
fn the_bundle_of_a_trust_domain_vouches_for_no_dns_name() {
    let world = World::new(ClientAuth::Off);
    let credential = world.pki.issue_leaf(&Leaf::workload("spiffe://here.example/api").name(HOST)).unwrap();
    let store = CredentialStore::new(provider(), [Entry::new("api", credential)]).unwrap();
    let server = world.server(&store);
    let trust = || TrustStore::by_trust_domain([("here.example".parse().unwrap(), verifier(&[&world.pki]))]);
    let by_name: Arc<dyn Answerer> = ClientPolicy::verifying(provider(), trust()).build();
    let refused = world.connect(&by_name, &server).err().unwrap();
    assert_eq!(refused.alert(), Some(AlertCode::BAD_CERTIFICATE));
    let expected = Expected::Spiffe("spiffe://here.example/api".parse().unwrap());
    let expecting = Verification::by(trust()).expecting(expected);
    let by_id: Arc<dyn Answerer> = ClientPolicy::verifying(provider(), expecting).build();
    assert!(world.connect(&by_id, &server).is_ok());
}

#[test]
fn a_newer_crl_refuses_tickets_and_the_same_one_keeps_them() {
    let it = Rotation::new(ring());
    let root = it.pkis[0].root();
    let with = |crl: &[u8]| {
        let crl = Crl::parse(crl).unwrap();
        let revocation = Revocation::new(RevocationPolicy::soft_fail()).crls([crl]);
        Verifier::new(provider(), [root.clone()]).unwrap().revocation(Arc::new(revocation))
    };
    let [older, newer] = [
        include_bytes!("../testvectors/revocation/older.crl").as_slice(),
        include_bytes!("../testvectors/revocation/intermediate.crl").as_slice(),
    ];
    assert_eq!(it.trust.replace(with(older)), Ok(1));
    assert_eq!(it.trust.replace(with(older)), Ok(1));
    assert_eq!(it.trust.replace(with(newer)), Ok(2));
    let roles = it.trust.expiries(SystemClock.now()).iter().map(|expiry| expiry.role).collect::<Vec<_>>();
    assert_eq!(roles, [Role::Anchor, Role::Crl]);
}

/// The leaf `name` of the revocation tests and its issuer, with an OCSP response.
fn stapled(name: &str, staple: &str) -> Entry {
    let read =
        |name: &str| std::fs::read(format!("{}/testvectors/revocation/{name}", env!("CARGO_MANIFEST_DIR")));
    let mut chain = certificates_from_pem(&read(name).unwrap()).unwrap();
    chain.extend(certificates_from_pem(&read("intermediate.pem").unwrap()).unwrap());
    let credential = Credential::remote(chain, vec![SignatureScheme::ECDSA_SECP256R1_SHA256]).unwrap();
    match read(staple) {
        Ok(staple) => Entry::new("web", credential.with_staple(staple)),
        Err(_) => Entry::new("web", credential),
    }
}

#[test]
fn a_staple_that_a_peer_would_refuse_is_refused() {
    // As testvectors/revocation/make.sh has it.
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_893_456_000));
    let load = |entry| CredentialStore::builder(provider()).clock(FixedClock(now)).build([entry]);
    let store = load(stapled("good.pem", "good.ocsp")).unwrap();
    let roles = store.expiries(now).iter().map(|expiry| expiry.role).collect::<Vec<_>>();
    assert_eq!(roles, [Role::Leaf, Role::Intermediate, Role::Staple]);
    load(stapled("must-staple.pem", "must-staple.ocsp")).unwrap();
    for (leaf, staple, text) in [
        ("good.pem", "stale.ocsp", "was good until"),
        ("good.pem", "second.ocsp", "another certificate"),
        ("good.pem", "try-later.ocsp", "no answer"),
        ("revoked.pem", "revoked.ocsp", "revoked"),
        ("must-staple.pem", "none", "demands an OCSP response"),
    ] {
        let error = load(stapled(leaf, staple)).unwrap_err().to_string();
        assert!(error.starts_with("web: ") && error.contains(text), "{leaf} {staple}: {error}");
    }
}

#[test]
fn a_store_may_begin_with_any_generation() {
    let trust = TrustStore::new(verifier(&[&DevPki::new(&provider()).unwrap()])).starting_at(7);
    assert_eq!(trust.generation(), 7);
    assert_eq!(trust.refuse_tickets(), 8);
}
