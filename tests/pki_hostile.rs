//! Chains made to cost as much as they can: each verification ends within its budget. Work is counted, not timed.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

#[path = "support/issue.rs"]
mod issue;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use issue::{Authority, now};
use rcgen::{CertificateParams, GeneralSubtree, NameConstraints};
use rustls_pki_types::{CertificateDer, ServerName};
use symbolon::crypto::rustcrypto::provider;
use symbolon::crypto::{self, Failed, Provider, SignatureAlgorithm};
use symbolon::pki::{Budget, Chain, Expected, Purpose, VerifiedPath, Verifier, VerifyError};

const SERVER: &str = "example.test";

/// The verdict on `chain`, leaf first, and how many signatures were checked for it.
fn verify(
    root: &Authority,
    chain: &[CertificateDer<'static>],
    budget: Budget,
) -> (Result<VerifiedPath, VerifyError>, usize) {
    let (provider, checked) = counting();
    let verifier = Verifier::new(provider, [root.certificate.clone()]).unwrap().budget(budget);
    let expected = Expected::Name(ServerName::try_from(SERVER).unwrap());
    let verdict = verifier.verify(&Chain::of(chain).unwrap(), Purpose::Server, &expected, now());
    (verdict, checked.load(Ordering::Relaxed))
}

/// The provider with counted signature checks, and their count.
fn counting() -> (Provider, Arc<AtomicUsize>) {
    let provider = provider();
    let checked = Arc::new(AtomicUsize::new(0));
    let count = |inner: &&'static dyn crypto::Verifier| -> &'static dyn crypto::Verifier {
        Box::leak(Box::new(Counting { inner: *inner, checked: Arc::clone(&checked) }))
    };
    let counted: Vec<_> = provider.verifiers.iter().map(count).collect();
    (Provider { verifiers: counted.leak(), ..provider }, checked)
}

struct Counting {
    inner: &'static dyn crypto::Verifier,
    checked: Arc<AtomicUsize>,
}

impl crypto::Verifier for Counting {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.inner.algorithm()
    }

    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Failed> {
        self.checked.fetch_add(1, Ordering::Relaxed);
        self.inner.verify(spki, message, signature)
    }
}

fn names(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

/// `count` authorities, each of which has issued a certificate to every other one, and a leaf of the first. No root
/// has issued to any of them.
fn maze(count: usize, name: impl Fn(usize) -> String) -> Vec<CertificateDer<'static>> {
    let authorities: Vec<_> = (0..count).map(|at| Authority::root(&name(at))).collect();
    let mut chain = vec![authorities[0].leaf(&names(SERVER))];
    for issuer in &authorities {
        let others = authorities.iter().filter(|other| !std::ptr::eq(*other, issuer));
        chain.extend(others.map(|other| issuer.cross(other)));
    }
    chain
}

#[test]
fn a_maze_of_cycles_ends_within_the_budget() {
    let chain = maze(8, |at| format!("Authority {at}"));
    let (verdict, checked) = verify(&Authority::root("Root"), &chain, Budget::default());
    assert!(matches!(verdict, Err(VerifyError::Budget(_))), "{verdict:?}");
    assert_eq!(checked, Budget::default().signatures);
}

#[test]
fn a_maze_of_one_name_ends_within_the_budget() {
    let chain = maze(8, |_| "The Same".to_owned());
    let (verdict, checked) = verify(&Authority::root("The Same"), &chain, Budget::default());
    assert!(matches!(verdict, Err(VerifyError::Budget(_))), "{verdict:?}");
    assert_eq!(checked, Budget::default().signatures);
}

#[test]
fn a_way_through_the_maze_is_found() {
    let root = Authority::root("Root");
    let intermediate = root.intermediate("The Same", |_| {});
    let mut chain = vec![intermediate.leaf(&names(SERVER))];
    // Others of its name, with other keys; the right one comes last.
    chain.extend((0..40).map(|_| Authority::root("The Same").certificate));
    chain.push(intermediate.certificate.clone());
    let (verdict, checked) = verify(&root, &chain, Budget::default());
    assert_eq!(verdict.unwrap().chain.len(), 3);
    // The key identifier says which one it is.
    assert_eq!(checked, 2);
}

#[test]
fn two_authorities_that_issue_to_each_other_end() {
    let chain = maze(2, |at| format!("Authority {at}"));
    let (verdict, checked) = verify(&Authority::root("Root"), &chain, Budget::default());
    assert!(matches!(verdict, Err(VerifyError::NoPath(_))), "{verdict:?}");
    assert!(checked <= 4, "{checked}");
}

#[test]
fn a_chain_without_end_is_cut_at_the_longest_path() {
    let root = Authority::root("Root");
    let mut below = root.intermediate("Authority 0", |_| {});
    let mut chain = vec![below.certificate.clone()];
    for at in 1..12 {
        below = below.intermediate(&format!("Authority {at}"), |_| {});
        chain.insert(0, below.certificate.clone());
    }
    chain.insert(0, below.leaf(&names(SERVER)));
    let (verdict, checked) = verify(&root, &chain, Budget::default());
    assert!(matches!(verdict, Err(VerifyError::NoPath(_))), "{verdict:?}");
    assert!(checked < Budget::default().path, "{checked}");
    let long = Budget { path: 14, ..Budget::default() };
    assert_eq!(verify(&root, &chain, long).0.unwrap().chain.len(), 14);
}

#[test]
fn more_certificates_than_may_be_sent_are_not_looked_at() {
    let root = Authority::root("Root");
    let chain = vec![root.leaf(&names(SERVER)); Budget::default().certificates + 1];
    let (verdict, checked) = verify(&root, &chain, Budget::default());
    assert!(matches!(verdict, Err(VerifyError::Budget(_))), "{verdict:?}");
    assert_eq!(checked, 0);
}

/// An authority constrained to names below `count` domains, which permits `SERVER` last.
fn constrained(root: &Authority, count: usize) -> Authority {
    root.intermediate("Constrained", |params: &mut CertificateParams| {
        let permitted = (1..count).map(|at| format!("permitted-{at}.test")).chain([SERVER.to_owned()]);
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: permitted.map(GeneralSubtree::DnsName).collect(),
            excluded_subtrees: Vec::new(),
        });
    })
}

/// `count` names, all of them below `SERVER`, which is the last.
fn many_names(count: usize) -> Vec<String> {
    (1..count).map(|at| format!("name-{at}.{SERVER}")).chain(names(SERVER)).collect()
}

#[test]
fn ten_thousand_names_under_a_thousand_constraints_end_within_the_budget() {
    let root = Authority::root("Root");
    let authority = constrained(&root, 1_000);
    let chain = [authority.leaf(&many_names(10_000)), authority.certificate.clone()];
    let (verdict, _) = verify(&root, &chain, Budget::default());
    assert!(matches!(verdict, Err(VerifyError::Budget(_))), "{:?}", verdict.map(|path| path.chain.len()));
}

#[test]
fn each_comparison_with_a_constraint_is_paid_for() {
    let root = Authority::root("Root");
    let authority = constrained(&root, 20);
    let chain = [authority.leaf(&many_names(30)), authority.certificate.clone()];
    let with = |comparisons| verify(&root, &chain, Budget { comparisons, ..Budget::default() }).0;
    assert!(matches!(with(20 * 30 - 1), Err(VerifyError::Budget(_))));
    assert_eq!(with(2 * 20 * 30).unwrap().chain.len(), 3);
}
