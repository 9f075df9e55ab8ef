//! Tickets that outlive what their peers were verified by.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

#[path = "../examples/support/devpki.rs"]
mod devpki;
mod support;

use std::sync::Arc;
use std::time::Duration;

use devpki::DevPki;
use rustls_pki_types::{CertificateDer, UnixTime};
use support::provider;
use symbolon::codepoint::SignatureScheme;
use symbolon::config::Credential;
use symbolon::pki::{Crl, Profile, Revocation, RevocationPolicy, Verifier};
use symbolon::policy::{
    Completeness, CredentialStore, Entry, FixedClock, TrustStore, certificates_from_pem,
};

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/testvectors/revocation/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn verifier(pkis: &[&DevPki]) -> Verifier {
    Verifier::new(provider(), pkis.iter().map(|pki| pki.root().clone())).unwrap()
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
