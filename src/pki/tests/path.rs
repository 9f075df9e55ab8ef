//! What holds over whole paths: times, lengths, purposes, name constraints, and the search among candidates.

use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use super::forge::{
    ANY_PURPOSE, BASIC, CLIENT_AUTH, EXCLUDED, Forged, NAME_CONSTRAINTS, NAMES, PERMITTED, PURPOSES,
    SERVER_AUTH, authority_of, dns_names, element, name, p256, purposes, sequence, subtrees, utc,
};
use super::{NOW, at};
use rustls_pki_types::CertificateDer;

use crate::alert::AlertCode;
use crate::crypto::rustcrypto::provider;
use crate::pki::{Budget, Certificate, Chain, Expected, Purpose, VerifiedPath, Verifier, VerifyError};

/// The verdict on a chain, root first, for a purpose at a time.
fn verify_as(
    path: &[Forged],
    purpose: Purpose,
    now: u64,
    budget: Budget,
) -> Result<VerifiedPath, VerifyError> {
    let ders: Vec<_> = path.iter().rev().map(Forged::der).collect();
    let (root, sent) = ders.split_last().unwrap();
    let verifier = Verifier::new(provider(), [root.clone()]).unwrap().budget(budget);
    verifier.verify(&Chain::of(sent).unwrap(), purpose, &Expected::Anyone, at(now))
}

fn verify(path: &[Forged]) -> Result<VerifiedPath, VerifyError> {
    verify_as(path, Purpose::Server, NOW, Budget::default())
}

#[track_caller]
fn passes(path: &[Forged]) {
    let verified = verify(path).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(verified.chain.len(), path.len());
}

/// Whose usage was refused and why, where that is the only reason.
#[track_caller]
fn usage(error: VerifyError) -> (String, &'static str) {
    match error {
        VerifyError::Usage { subject, why } => (subject, why),
        VerifyError::NoPath(no_path) => match &no_path.rejected[..] {
            [only] => usage((*only.why).clone()),
            several => panic!("{several:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refuses(path: &[Forged], at: &str, words: &str) {
    let (subject, why) = usage(verify(path).unwrap_err());
    assert_eq!(subject, std::format!("CN={at}"), "{why}");
    assert!(why.contains(words), "{why}");
}

fn root() -> Forged {
    Forged::root("root")
}

fn first() -> Forged {
    Forged::authority("root", "first")
}

fn second() -> Forged {
    Forged::authority("first", "second")
}

fn third() -> Forged {
    Forged::authority("second", "third")
}

/// Self-issued, below [`first`] and with its key.
fn rollover() -> Forged {
    Forged { signer: "first".to_string(), spki: p256("new"), ..Forged::authority("first", "first") }
}

fn leaf(issuer: &str) -> Forged {
    Forged::leaf(issuer, "leaf.test")
}

impl Forged {
    fn limited(self, path_len: u8) -> Self {
        self.critical(BASIC, &authority_of(Some(path_len)))
    }

    fn purposed(self, all: &[&[u8]]) -> Self {
        self.with(PURPOSES, &purposes(all))
    }

    fn over(self, not_before: &str, not_after: &str) -> Self {
        Self { not_before: utc(not_before), not_after: utc(not_after), ..self }
    }
}

#[test]
fn a_path_length_counts_the_intermediates_below() {
    passes(&[root(), first().limited(0), leaf("first")]);
    refuses(&[root(), first().limited(0), second(), leaf("second")], "first", "permits fewer intermediate");
    passes(&[root(), first().limited(1), second(), leaf("second")]);
    refuses(
        &[root(), first().limited(1), second(), third(), leaf("third")],
        "first",
        "permits fewer intermediate",
    );
    passes(&[root(), first().limited(2), second().limited(1), third().limited(0), leaf("third")]);
}

#[test]
fn the_path_length_of_a_root_counts_too() {
    passes(&[root().limited(0), leaf("root")]);
    refuses(&[root().limited(0), first(), leaf("first")], "root", "permits fewer intermediate");
    passes(&[root().limited(1), first(), leaf("first")]);
}

#[test]
fn a_self_issued_intermediate_does_not_count_for_a_path_length() {
    let leaf = || Forged { signer: "new".to_string(), ..leaf("first") };
    passes(&[root(), first().limited(0), rollover(), leaf()]);
    passes(&[root().limited(1), first(), rollover(), leaf()]);
}

#[test]
fn a_leaf_that_is_an_authority_does_not_count_for_a_path_length() {
    passes(&[root(), first().limited(0), leaf("first").critical(BASIC, &authority_of(None))]);
}

#[test]
fn a_path_longer_than_the_budget_is_refused_at_its_top() {
    let within = |path| Budget { path, ..Budget::default() };
    let path = [root(), first(), second(), leaf("second")];
    verify_as(&path, Purpose::Server, NOW, within(4)).unwrap();
    let (subject, why) = usage(verify_as(&path, Purpose::Server, NOW, within(3)).unwrap_err());
    assert_eq!(subject, "CN=first");
    assert!(why.contains("longer than is permitted here"), "{why}");
}

#[test]
fn purposes_of_an_authority_bound_those_below_it() {
    passes(&[root(), first().purposed(&[SERVER_AUTH]), leaf("first")]);
    passes(&[root(), first().purposed(&[ANY_PURPOSE]), leaf("first")]);
    passes(&[root(), first().purposed(&[CLIENT_AUTH, SERVER_AUTH]), second(), leaf("second")]);
    let words = "is not for servers";
    refuses(&[root(), first().purposed(&[CLIENT_AUTH]), leaf("first")], "first", words);
    refuses(&[root(), first().purposed(&[CLIENT_AUTH]), second(), leaf("second")], "first", words);
    let between = second().purposed(&[CLIENT_AUTH]);
    refuses(&[root(), first().purposed(&[SERVER_AUTH]), between, leaf("second")], "second", words);
    refuses(&[root().purposed(&[CLIENT_AUTH]), first(), leaf("first")], "root", words);
}

#[test]
fn a_client_is_asked_for_the_purpose_of_a_client_at_every_level() {
    let verify = |path: &[Forged]| verify_as(path, Purpose::Client, NOW, Budget::default());
    verify(&[root(), first().purposed(&[CLIENT_AUTH]), leaf("first").purposed(&[CLIENT_AUTH])]).unwrap();
    let (subject, why) =
        usage(verify(&[root(), first().purposed(&[SERVER_AUTH]), leaf("first")]).unwrap_err());
    assert_eq!(subject, "CN=first");
    assert!(why.contains("is not for clients"), "{why}");
    let (subject, _) = usage(verify(&[root(), first(), leaf("first").purposed(&[SERVER_AUTH])]).unwrap_err());
    assert_eq!(subject, "CN=leaf.test");
}

/// Whom an authority may not vouch for, and the text of it.
#[track_caller]
fn not_permitted(path: &[Forged]) -> (String, String, String) {
    let error = verify(path).unwrap_err();
    assert_eq!(error.alert(), AlertCode::BAD_CERTIFICATE);
    match error {
        VerifyError::NoPath(no_path) => match &no_path.rejected[..] {
            [only] => match (*only.why).clone() {
                VerifyError::NotPermitted { subject, authority, why } => (subject, authority, why),
                other => panic!("{other:?}"),
            },
            several => panic!("{several:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn name_constraints_reach_from_any_authority_to_the_leaf() {
    let bound =
        |forged: Forged, base: &[u8]| forged.critical(NAME_CONSTRAINTS, &subtrees(PERMITTED, 0x82, base));
    passes(&[bound(root(), b"test"), bound(first(), b"leaf.test"), second(), leaf("second")]);
    for (path, authority) in [
        ([bound(root(), b"other.test"), first(), second(), leaf("second")], "CN=root"),
        ([root(), bound(first(), b"other.test"), second(), leaf("second")], "CN=first"),
        ([root(), first(), bound(second(), b"other.test"), leaf("second")], "CN=second"),
    ] {
        let (subject, by, why) = not_permitted(&path);
        assert_eq!((subject.as_str(), by.as_str()), ("CN=leaf.test", authority));
        assert!(why.contains("leaf.test"), "{why}");
    }
}

#[test]
fn excluded_names_stay_excluded_whatever_is_permitted_below() {
    let excluding = first().critical(NAME_CONSTRAINTS, &subtrees(EXCLUDED, 0x82, b"test"));
    let permitting = second().critical(NAME_CONSTRAINTS, &subtrees(PERMITTED, 0x82, b"leaf.test"));
    let (subject, by, _) = not_permitted(&[root(), excluding, permitting, leaf("second")]);
    assert_eq!((subject.as_str(), by.as_str()), ("CN=leaf.test", "CN=first"));
}

#[test]
fn name_constraints_hold_for_intermediates_too_but_not_for_self_issued_ones() {
    let excluding = |forged: Forged| forged.critical(NAME_CONSTRAINTS, &subtrees(EXCLUDED, 0x82, b"ca.test"));
    let named = |forged: Forged| forged.with(NAMES, &dns_names(&["x.ca.test"]));
    let (subject, by, _) = not_permitted(&[root(), excluding(first()), named(second()), leaf("second")]);
    assert_eq!((subject.as_str(), by.as_str()), ("CN=second", "CN=first"));
    let leaf = Forged { signer: "new".to_string(), ..leaf("first") };
    passes(&[root(), excluding(first()), named(rollover()), leaf]);
}

#[test]
fn name_constraints_hold_for_a_self_issued_leaf() {
    let excluding = first().critical(NAME_CONSTRAINTS, &subtrees(EXCLUDED, 0x82, b"leaf.test"));
    let own = Forged { subject: name("first"), ..leaf("first") };
    assert_eq!(not_permitted(&[root(), excluding, own]).0, "CN=first");
}

/// 2025-06-01 and 2028-06-01: before and after everything here.
const EARLY: u64 = 1_748_736_000;
const LATE: u64 = 1_843_430_400;

fn at_time(path: &[Forged], now: u64) -> VerifyError {
    verify_as(path, Purpose::Server, now, Budget::default()).unwrap_err()
}

#[test]
fn where_everything_is_out_of_its_time_alike_the_clock_is_suspected() {
    let path = [root(), first(), leaf("first")];
    for now in [EARLY, LATE] {
        match at_time(&path, now) {
            VerifyError::Clock { certificates, now: said, why } => {
                assert_eq!((certificates, u64::try_from(said)), (3, Ok(now)));
                assert!(matches!(*why, VerifyError::Time { .. }), "{why}");
            }
            other => panic!("{other}"),
        }
        assert_eq!(at_time(&path, now).alert(), AlertCode::CERTIFICATE_EXPIRED);
        assert!(at_time(&path, now).to_string().starts_with("the clock looks wrong, set it: it says 202"));
    }
}

#[test]
fn one_certificate_in_its_time_speaks_for_the_clock() {
    let long = || root().over("200101000000Z", "400101000000Z");
    for now in [EARLY, LATE] {
        let error = at_time(&[long(), first(), leaf("first")], now);
        assert!(matches!(error, VerifyError::Time { .. }), "{error}");
    }
    // Early and late at once is no clock either.
    let old = root().over("200101000000Z", "240101000000Z");
    let error = at_time(&[old, first(), leaf("first")], EARLY);
    assert!(matches!(error, VerifyError::Time { .. }), "{error}");
}

#[test]
fn one_certificate_alone_says_nothing_of_the_clock_however_often_it_comes() {
    let own = leaf("leaf.test").der();
    let verifier = Verifier::new(provider(), [own.clone()]).unwrap();
    for sent in [&[own.clone()][..], &[own.clone(), own]] {
        let chain = Chain::of(sent).unwrap();
        let error = verifier.verify(&chain, Purpose::Server, &Expected::Anyone, at(LATE)).unwrap_err();
        assert!(matches!(error, VerifyError::Time { .. }), "{error}");
    }
}

#[test]
fn an_authority_out_of_its_time_is_named() {
    let error = at_time(&[root(), first().over("200101000000Z", "240101000000Z"), leaf("first")], NOW);
    match error {
        VerifyError::NoPath(no_path) => {
            assert!(
                matches!(&*no_path.rejected[0].why, VerifyError::Time { subject, .. } if subject == "CN=first")
            );
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_person_is_told_of_eight_refused_certificates_however_many_are_sent() {
    let told = |intermediate: CertificateDer<'static>| {
        let mut sent = vec![leaf("first").der()];
        sent.extend(core::iter::repeat_n(intermediate, 9));
        let verifier = Verifier::new(provider(), [root().der()]).unwrap();
        let error = verifier.verify(&Chain::of(&sent).unwrap(), Purpose::Server, &Expected::Anyone, at(NOW));
        match error.unwrap_err() {
            VerifyError::NoPath(no_path) => [no_path.rejected.len(), no_path.skipped.len()],
            other => panic!("{other}"),
        }
    };
    assert_eq!(told(first().over("200101000000Z", "240101000000Z").der()), [8, 0]);
    assert_eq!(told(CertificateDer::from(vec![0x30, 0])), [0, 8]);
}

#[test]
fn a_critical_extension_that_is_not_evaluated_refuses_a_path_wherever_it_is() {
    let strange = |forged: Forged| forged.critical(&[0x2A, 3, 9], &[5, 0]);
    passes(&[root(), first().with(&[0x2A, 3, 9], &[5, 0]), leaf("first")]);
    for path in [
        [strange(root()), first(), leaf("first")],
        [root(), strange(first()), leaf("first")],
        [root(), first(), strange(leaf("first"))],
    ] {
        let text = verify(&path).unwrap_err().to_string();
        assert!(text.contains("the critical extension 1.2.3.9"), "{text}");
    }
}

#[test]
fn another_authority_of_the_same_name_is_tried_next() {
    let other = Forged { spki: p256("other"), ..first() };
    let path = verify(&[root(), other.clone(), first(), leaf("first")]).unwrap();
    assert_eq!(path.chain[1], first().der());
    let error = verify(&[root(), other, leaf("first")]).unwrap_err().to_string();
    assert!(error.contains("another authority has the same name"), "{error}");
}

#[test]
fn roots_of_every_issuer_are_looked_for_and_a_namesake_hides_none() {
    let (spki, signer) = (p256("other"), "other".to_string());
    let namesake = Forged { spki, signer, ..Forged::root("first") };
    let verifier = Verifier::new(provider(), [namesake, root()].map(|root| root.der())).unwrap();
    let sent = [leaf("first"), first()].map(|certificate| certificate.der());
    let path =
        verifier.verify(&Chain::of(&sent).unwrap(), Purpose::Server, &Expected::Anyone, at(NOW)).unwrap();
    assert_eq!(path.chain.len(), 3);
}

#[test]
fn a_bad_way_does_not_hide_a_good_one() {
    let bad = first().purposed(&[CLIENT_AUTH]);
    passes_with(&[root(), bad, first(), leaf("first")], 3);
    let expired = first().over("200101000000Z", "240101000000Z");
    passes_with(&[root(), expired, first(), leaf("first")], 3);
}

#[track_caller]
fn passes_with(sent: &[Forged], len: usize) {
    assert_eq!(verify(sent).unwrap().chain.len(), len);
}

#[test]
fn a_path_expires_with_the_first_of_its_certificates() {
    let path = [root(), first().over("260101000000Z", "260701000000Z"), leaf("first")];
    assert_eq!(verify(&path).unwrap().expires, at(1_782_864_000));
}

#[test]
fn the_names_of_a_certificate_are_told_by_their_kind() {
    let names =
        [element(0x82, &[b"a.test"]), element(0x86, &[b"spiffe://a.test/x"]), element(0x82, &[b"b.test"])];
    let der = leaf("first").with(NAMES, &sequence(&names.each_ref().map(Vec::as_slice))).der();
    let certificate = Certificate::parse(&der).unwrap();
    assert!(certificate.dns_names().eq(["a.test", "b.test"]));
    assert!(certificate.uris().eq(["spiffe://a.test/x"]));
}
