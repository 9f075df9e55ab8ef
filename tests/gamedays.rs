//! Days on which something goes wrong: what either side sees, and that it heals without a restart.
//!
//! The policies of a day are built once; only credentials, trust and clocks change.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

#[path = "support/issue.rs"]
mod issue;
#[path = "support/linked.rs"]
mod linked;
#[path = "support/pki.rs"]
mod pki;
mod support;

use std::sync::Arc;

use issue::Authority;
use linked::Link;
use pki::{DAY, Dial, Issued, Says, issue, issue_with, issuer_at, lasting, must_staple};
use support::provider;
use symbolon::config::{ClientAuth, ClientConfig, Credential, ServerConfig};
use symbolon::conn::{NotResumed, Resumed};
use symbolon::pki::{Revocation, RevocationPolicy, Verifier};
use symbolon::policy::tickets::TicketRing;
use symbolon::policy::{
    Answerer, ClientPolicy, CredentialStore, Entry, ServerPolicy, TrustStore, Verification,
};
use symbolon::psk::Ticket;
use symbolon::{AlertCode, Error};

const HOST: &str = "web.example.test";
const DAYS: i64 = DAY as i64;

/// One end: what it shows, whom it trusts, and what its clock says.
struct End {
    clock: Dial,
    credentials: CredentialStore,
    trust: TrustStore,
}

impl End {
    fn new(name: &str, ca: &Authority, trusted: &Authority) -> Self {
        let clock = Dial::right();
        let store = CredentialStore::builder(provider()).clock(clock.clone());
        let credentials = store.build([Entry::new("own", issue(ca, &[name]).credential)]).unwrap();
        Self { clock, credentials, trust: TrustStore::new(verifier(&[trusted])) }
    }

    fn show(&self, credential: impl Into<Credential>) -> Result<u64, String> {
        let entry = Entry::new("own", credential.into());
        self.credentials.replace([entry]).map_err(|error| error.to_string())
    }
}

/// A client and a server that authenticate each other.
struct Day {
    root: Authority,
    ca: Authority,
    client: End,
    server: End,
    configs: (Arc<ClientConfig>, Arc<ServerConfig>),
    policies: [Arc<dyn Answerer>; 2],
}

/// Whose incident it is to look into: who refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Client,
    Server,
}

impl Day {
    fn new() -> Self {
        Self::trusting(|trust| trust, |server| server)
    }

    /// The server's trust and configuration may be others.
    fn trusting(
        clients: impl FnOnce(TrustStore) -> TrustStore,
        configure: impl FnOnce(symbolon::config::ServerConfigBuilder) -> symbolon::config::ServerConfigBuilder,
    ) -> Self {
        let root = Authority::root("Root");
        let ca = root.intermediate("Intermediate", |_| {});
        let client = End::new("caller.example.test", &ca, &root);
        let mut server = End::new(HOST, &ca, &root);
        server.trust = clients(server.trust);
        let to = ClientConfig::builder(provider()).build().unwrap();
        let auth = ClientAuth::Required { authorities: Vec::new() };
        let of = ServerConfig::builder(provider()).client_auth(auth).tickets(2);
        let of = configure(of).build().unwrap();
        let calling = ClientPolicy::verifying(provider(), client.trust.clone())
            .credentials(client.credentials.clone())
            .clock(client.clock.clone())
            .build();
        let serving = ServerPolicy::serving(of.clone())
            .credentials(server.credentials.clone())
            .clients(Verification::by(server.trust.clone()))
            .tickets(Arc::new(TicketRing::random(&provider()).unwrap()))
            .clock(server.clock.clone())
            .build()
            .unwrap();
        Self { root, ca, client, server, configs: (to, of), policies: [calling, serving] }
    }

    /// Sets both clocks.
    fn after(&self, seconds: i64) {
        self.client.clock.set(seconds);
        self.server.clock.set(seconds);
    }

    fn begin(&self, ticket: Option<Ticket>) -> (Link, [Result<(), Error>; 2]) {
        let [client, server] = self.policies.clone();
        let ticket = ticket.map(|ticket| (ticket, client.moment()));
        let mut link = Link::begin((&self.configs.0, client), (&self.configs.1, server), HOST, ticket);
        let ends = link.run_apart();
        (link, ends)
    }

    /// All is well: bytes go both ways.
    #[track_caller]
    fn works(&self) -> Link {
        let (mut link, ends) = self.begin(None);
        assert_eq!(ends, [Ok(()), Ok(())]);
        link.talk();
        link
    }

    fn resumed(&self, ticket: Ticket) -> (Result<Resumed, NotResumed>, [Result<(), Error>; 2]) {
        let (link, ends) = self.begin(Some(ticket));
        let resumed =
            link.server.summary.as_ref().map_or(Err(NotResumed::PolicyChanged), |summary| summary.resumed);
        (resumed, ends)
    }

    /// One side refuses and its log has all of `texts`; the other sees the alert.
    #[track_caller]
    fn breaks(&self, by: By, alert: AlertCode, texts: &[&str]) {
        Self::broke(self.begin(None).1, by, alert, texts);
    }

    #[track_caller]
    fn broke(mut ends: [Result<(), Error>; 2], by: By, alert: AlertCode, texts: &[&str]) {
        if by == By::Server {
            ends.reverse();
        }
        let [refusing, refused] = ends;
        let (refusing, refused) = (refusing.unwrap_err(), refused.unwrap_err());
        println!("{by:?}: {refusing}\n    the other side: {refused}");
        assert!(matches!(refusing, Error::Refused(_)), "{refusing}");
        assert_eq!((refusing.alert(), &refused), (Some(alert), &Error::Alert(alert)));
        for text in texts {
            assert!(refusing.to_string().contains(text), "{text:?} is not in: {refusing}");
        }
    }
}

impl From<Issued> for Credential {
    fn from(issued: Issued) -> Self {
        issued.credential
    }
}

fn verifier(roots: &[&Authority]) -> Verifier {
    Verifier::new(provider(), roots.iter().map(|root| root.certificate.clone())).unwrap()
}

#[test]
fn a_leaf_expires_and_is_renewed() {
    let day = Day::new();
    let short = issue_with(&day.ca, &[HOST], lasting(-DAYS, DAYS));
    day.server.show(short).unwrap();
    let before = day.works();
    day.after(3 * DAYS);
    let texts =
        ["\"CN=web.example.test\" was valid only until 2026-06-02", "2 days ago", "renew the certificate"];
    day.breaks(By::Client, AlertCode::CERTIFICATE_EXPIRED, &texts);
    assert_eq!(day.server.show(issue(&day.ca, &[HOST])), Ok(3));
    day.works();
    // Connections of before are not cut off by either.
    let mut before = before;
    before.talk();
}

#[test]
fn a_clients_leaf_expires_and_is_renewed() {
    let day = Day::new();
    day.client.show(issue_with(&day.ca, &["caller.example.test"], lasting(-DAYS, DAYS))).unwrap();
    day.works();
    day.after(3 * DAYS);
    let texts = ["\"CN=caller.example.test\" was valid only until", "2 days ago"];
    day.breaks(By::Server, AlertCode::CERTIFICATE_EXPIRED, &texts);
    day.client.show(issue(&day.ca, &["caller.example.test"])).unwrap();
    day.works();
}

#[test]
fn the_clock_of_a_client_is_wrong_and_is_set() {
    let day = Day::new();
    for (years, now) in [(-30, "1996"), (2, "2028")] {
        day.client.clock.set(years * 365 * DAYS);
        let texts = ["the clock looks wrong, set it: it says ", now, "all 3 certificates"];
        day.breaks(By::Client, AlertCode::CERTIFICATE_EXPIRED, &texts);
        day.client.clock.set(0);
        day.works();
    }
}

#[test]
fn the_clock_of_a_server_is_wrong_and_is_set() {
    let day = Day::new();
    day.server.clock.set(-400 * DAYS);
    day.breaks(By::Server, AlertCode::CERTIFICATE_EXPIRED, &["the clock looks wrong, set it: it says 2025"]);
    // It refuses a good renewal, too, and goes on with what it has.
    let renewal = issue(&day.ca, &[HOST]);
    let error = day.server.show(renewal.clone()).unwrap_err();
    println!("reload: {error}");
    assert!(error.contains("is not valid before 2026-01-01") && error.contains("set the clock"), "{error}");
    assert_eq!(day.server.credentials.generations().len(), 1);
    day.server.clock.set(0);
    day.works();
    assert_eq!(day.server.show(renewal), Ok(2));
    day.works();
}

#[test]
fn an_intermediate_is_lost_and_is_found_where_the_leaf_says() {
    let day = Day::new();
    let leaf = issue_with(&day.ca, &[HOST], issuer_at("http://ca.example.test/i.crt"));
    let error = day.server.show(leaf.alone()).unwrap_err();
    println!("reload: {error}");
    assert!(error.contains("own: ") && error.contains("http://ca.example.test/i.crt"), "{error}");
    // Whoever declares it complete is believed.
    day.server.credentials.replace([Entry::new("own", leaf.alone()).under_root()]).unwrap();
    let texts = [
        "the peer sent only its leaf; its issuer \"CN=Intermediate\" was not sent",
        "have the peer send the missing intermediate, which is to be had at http://ca.example.test/i.crt",
    ];
    day.breaks(By::Client, AlertCode::UNKNOWN_CA, &texts);
    day.server.show(leaf).unwrap();
    day.works();
}

#[test]
fn an_authority_is_exchanged_too_early_and_then_in_order() {
    let day = Day::new();
    let new = Authority::root("New root");
    day.server.show(issue(&new, &[HOST])).unwrap();
    let texts = ["what was sent ends with \"CN=New root\"", "is not trusted (trusted: 1 root); trust it"];
    day.breaks(By::Client, AlertCode::UNKNOWN_CA, &texts);
    // Back, then both, then the new one alone.
    day.server.show(issue(&day.ca, &[HOST])).unwrap();
    day.works();
    day.client.trust.replace(verifier(&[&day.root, &new])).unwrap();
    day.works();
    day.server.show(issue(&new, &[HOST])).unwrap();
    day.works();
    day.client.trust.replace(verifier(&[&new])).unwrap();
    day.works();
    day.server.show(issue(&day.ca, &[HOST])).unwrap();
    day.breaks(
        By::Client,
        AlertCode::UNKNOWN_CA,
        &["the issuer \"CN=Root\" of \"CN=Intermediate\" was not sent"],
    );
}

#[test]
fn a_crl_becomes_stale_and_a_new_one_comes() {
    let day = Day::new();
    let lists = |number, made| [pki::crl(&day.root, number, made, &[]), pki::crl(&day.ca, number, made, &[])];
    let revocation = Revocation::new(RevocationPolicy::hard_fail()).crls(lists(1, 0));
    let trust = |revocation: &Revocation| {
        let verifier = verifier(&[&day.root]).revocation(Arc::new(revocation.clone()));
        day.client.trust.replace(verifier).unwrap();
    };
    trust(&revocation);
    day.works();
    day.after(2 * DAYS);
    let texts = ["cannot be told: the CRL", "was good until 2026-06-01 23:00:00", "hand in a current CRL"];
    day.breaks(By::Client, AlertCode::CERTIFICATE_UNKNOWN, &texts);
    // A list that is older than the one in use is no cure.
    let error = revocation.replace_crls(lists(0, DAYS)).unwrap_err().to_string();
    println!("reload: {error}");
    assert!(
        error.contains("\"CN=Root\" is older than the one in use: number 0 after number 0x01")
            && error.contains("fetch the newer one"),
        "{error}"
    );
    trust(&revocation.replace_crls(lists(2, 2 * DAYS)).unwrap());
    day.works();
}

#[test]
fn a_new_crl_revokes_a_client_and_its_tickets_are_refused() {
    let day = Day::new();
    let stolen = issue(&day.ca, &["caller.example.test"]);
    let soft = Revocation::new(RevocationPolicy::soft_fail());
    let trust = |revocation: &Revocation| {
        let verifier = verifier(&[&day.root]).revocation(Arc::new(revocation.clone()));
        day.server.trust.replace(verifier).unwrap();
    };
    let before = soft.clone().crls([pki::crl(&day.ca, 1, 0, &[])]);
    trust(&before);
    day.client.show(stolen.clone()).unwrap();
    let mut tickets = day.works().client.tickets;
    let (resumed, ends) = day.resumed(tickets.pop().unwrap());
    assert_eq!((resumed, ends), (Ok(Resumed::Session), [Ok(()), Ok(())]));
    let generation = day.server.trust.generation();
    trust(&before.replace_crls([pki::crl(&day.ca, 2, 0, &[&stolen])]).unwrap());
    assert_eq!(day.server.trust.generation(), generation + 1);
    let texts =
        ["\"CN=caller.example.test\" was revoked on 2026-05-31", "CRL", "keyCompromise (1)", "replaced"];
    day.breaks(By::Server, AlertCode::CERTIFICATE_REVOKED, &texts);
    let (_, ends) = day.resumed(tickets.pop().unwrap());
    Day::broke(ends, By::Server, AlertCode::CERTIFICATE_REVOKED, &texts);
    day.client.show(issue(&day.ca, &["caller.example.test"])).unwrap();
    let (resumed, ends) = day.resumed(day.works().client.tickets.pop().unwrap());
    assert_eq!((resumed, ends), (Ok(Resumed::Session), [Ok(()), Ok(())]));
}

#[test]
fn a_server_that_verifies_resumed_clients_again_needs_no_other_step_to_refuse_a_revoked_one() {
    let day = Day::trusting(|trust| trust, |server| server.verify_resumed_peers());
    let stolen = issue(&day.ca, &["caller.example.test"]);
    day.client.show(stolen.clone()).unwrap();
    let ticket = day.works().client.tickets.pop().unwrap();
    let crls = [pki::crl(&day.ca, 1, 0, &[&stolen])];
    let revocation = Revocation::new(RevocationPolicy::soft_fail()).crls(crls);
    day.server.trust.replace(verifier(&[&day.root]).revocation(Arc::new(revocation))).unwrap();
    let (_, ends) = day.resumed(ticket);
    Day::broke(ends, By::Server, AlertCode::CERTIFICATE_REVOKED, &["was revoked on"]);
    day.client.show(issue(&day.ca, &["caller.example.test"])).unwrap();
    day.works();
}

#[test]
fn a_key_of_another_leaf_is_not_loaded_and_the_last_good_one_stays() {
    let day = Day::new();
    let (renewal, other) = (issue(&day.ca, &[HOST]), issue(&day.ca, &[HOST]));
    let key = other.credential.key().unwrap().clone();
    let mixed = Credential::new(renewal.credential.chain().to_vec(), key).unwrap();
    let before = day.works().client.leaf();
    let error = day.server.show(mixed).unwrap_err();
    println!("reload: {error}");
    assert!(error.contains("own: the private key (ECDSA P-256) does not belong to the leaf"), "{error}");
    assert!(error.contains("load the two that were issued together"), "{error}");
    assert_eq!(day.works().client.leaf(), before);
    day.server.show(renewal.clone()).unwrap();
    assert_eq!(day.works().client.leaf(), renewal.credential.chain()[0].to_vec());
}

#[test]
fn a_responder_is_down_until_the_staple_is_stale() {
    for (what, change) in
        [("asked for", None), ("demanded", Some(must_staple as fn(&mut rcgen::CertificateParams)))]
    {
        let day = Day::new();
        let leaf =
            issue_with(&day.ca, &[HOST], |params| change.into_iter().for_each(|change| change(params)));
        let stapled = |made| leaf.credential.clone().with_staple(pki::ocsp(&day.ca, &leaf, Says::Good, made));
        let trust = |revocation: Revocation| {
            let verifier = verifier(&[&day.root]).revocation(Arc::new(revocation));
            day.client.trust.replace(verifier).unwrap();
        };
        let staples = |policy| Revocation::new(policy).expect_staples();
        let hard =
            RevocationPolicy { extent: symbolon::pki::Extent::LeafOnly, ..RevocationPolicy::hard_fail() };
        day.server.show(stapled(0)).unwrap();
        trust(staples(hard));
        day.works();
        day.after(2 * DAYS);
        let stale = "the OCSP response was good until 2026-06-01 23:00:00";
        match change {
            None => day.breaks(By::Client, AlertCode::CERTIFICATE_UNKNOWN, &[stale, "have the peer staple"]),
            Some(_) => day.breaks(By::Client, AlertCode::BAD_CERTIFICATE_STATUS_RESPONSE, &[stale]),
        }
        // A soft policy passes it meanwhile, unless the certificate itself demands a response.
        trust(staples(RevocationPolicy::soft_fail()));
        match change {
            None => drop(day.works()),
            Some(_) => day.breaks(By::Client, AlertCode::BAD_CERTIFICATE_STATUS_RESPONSE, &[stale]),
        }
        trust(staples(hard));
        day.server.show(stapled(2 * DAYS)).unwrap();
        day.works();
        println!("a staple that is {what}: healed");
    }
}

#[test]
fn a_reload_learns_by_its_staple_that_the_leaf_was_revoked_and_the_last_good_one_stays() {
    let day = Day::new();
    let before = day.works().client.leaf();
    let leaf = issue(&day.ca, &[HOST]);
    let staple = pki::ocsp(&day.ca, &leaf, Says::Revoked, 0);
    let error = day.server.show(leaf.credential.with_staple(staple)).unwrap_err();
    println!("reload: {error}");
    assert!(
        error.contains("own: ") && error.contains("was revoked on 2026-05-31 23:00:00 UTC according to OCSP")
    );
    assert!(error.contains("it must be replaced"), "{error}");
    assert_eq!(day.works().client.leaf(), before);
    day.server.show(issue(&day.ca, &[HOST])).unwrap();
    assert_ne!(day.works().client.leaf(), before);
}

#[test]
fn a_trust_domain_is_unknown_until_its_bundle_comes() {
    let here = Authority::root("Here root");
    let domain = |name: &str| name.parse::<symbolon::identity::TrustDomain>().unwrap();
    let bundles = TrustStore::by_trust_domain([(domain("here.example"), verifier(&[&here]))]);
    let day = Day::trusting(|_| bundles, |server| server);
    let partner = Authority::root("Partner root");
    day.client.show(issue(&partner, &["spiffe://partner.example/billing"])).unwrap();
    let texts = [
        "no bundle is there for the peer's trust domain partner.example",
        "1 domain is trusted: here.example; add its bundle",
    ];
    day.breaks(By::Server, AlertCode::UNKNOWN_CA, &texts);
    day.server.trust.replace_domain(&domain("partner.example"), verifier(&[&partner])).unwrap();
    let link = day.works();
    assert_eq!(link.server.summary().identity().to_string(), "spiffe://partner.example/billing");
    // Each bundle speaks for its own domain alone.
    day.client.show(issue(&partner, &["spiffe://here.example/billing"])).unwrap();
    day.breaks(By::Server, AlertCode::UNKNOWN_CA, &["ends with \"CN=Partner root\""]);
    day.server.trust.remove_domain(&domain("partner.example")).unwrap();
    day.client.show(issue(&partner, &["spiffe://partner.example/billing"])).unwrap();
    day.breaks(By::Server, AlertCode::UNKNOWN_CA, &texts);
    day.client.show(issue(&here, &["spiffe://here.example/billing"])).unwrap();
    day.works();
}
