//! Tickets that outlive what their peers were verified by.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

#[path = "../examples/support/devpki.rs"]
mod devpki;
mod support;

use std::sync::Arc;

use devpki::DevPki;
use rustls_pki_types::CertificateDer;
use support::provider;
use symbolon::pki::{Crl, Profile, Revocation, RevocationPolicy, Verifier};
use symbolon::policy::{TrustStore, certificates_from_pem};

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
