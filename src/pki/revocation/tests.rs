//! Revocation by files that OpenSSL made; `testvectors/revocation/make.sh` says which is which.

use core::time::Duration;
use std::fs;
use std::path::PathBuf;
use std::string::ToString;
use std::vec::Vec;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::ocsp::{Answer, Demands};
use super::scope::Scope;
use super::{
    Crl, Finding, OcspResponse, OcspStatus, OnFailure, Revocation, RevocationCheck, RevocationError,
    RevocationNote, RevocationPolicy, check_staple,
};
use crate::alert::AlertCode;
use crate::crypto::rustcrypto::provider;
use crate::pki::{Budget, Certificate, Chain, Expected, Extent, Moment, Purpose, Verifier, VerifyError};

/// 2030-01-01.
pub(super) const NOW: i64 = 1_893_456_000;

pub(super) type Checked = Result<Vec<RevocationNote>, VerifyError>;

pub(super) fn file(name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "testvectors", "revocation", name].iter().collect();
    fs::read(path).unwrap()
}

pub(super) fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&file(&std::format!("{name}.pem"))).unwrap()
}

pub(super) fn crl(name: &str) -> Crl {
    Crl::parse(&file(&std::format!("{name}.crl"))).unwrap()
}

pub(super) fn staple(name: &str) -> Vec<u8> {
    file(&std::format!("{name}.ocsp"))
}

fn hard(crls: &[&str]) -> Revocation {
    Revocation::new(RevocationPolicy::hard_fail()).crls(crls.iter().map(|name| crl(name)))
}

pub(super) fn only_leaf() -> RevocationPolicy {
    RevocationPolicy { extent: Extent::LeafOnly, ..RevocationPolicy::hard_fail() }
}

/// Checks leafs alone, against these CRLs.
pub(super) fn leaf(crls: &[&str]) -> Revocation {
    Revocation::new(only_leaf()).crls(crls.iter().map(|name| crl(name)))
}

struct Case<'a> {
    revocation: &'a Revocation,
    path: &'a [&'a str],
    staples: &'a [&'a str],
    now: i64,
    tolerance: i64,
    budget: Budget,
}

impl<'a> Case<'a> {
    fn new(revocation: &'a Revocation, path: &'a [&'a str], staples: &'a [&'a str]) -> Self {
        Self { revocation, path, staples, now: NOW, tolerance: 0, budget: Budget::default() }
    }

    /// A staple named "" is none.
    fn check(&self) -> Checked {
        let staples: Vec<_> =
            self.staples.iter().map(|name| (!name.is_empty()).then(|| staple(name))).collect();
        self.check_with(&staples)
    }

    fn check_with(&self, staples: &[Option<Vec<u8>>]) -> Checked {
        let ders: Vec<_> = self.path.iter().map(|name| certificate(name)).collect();
        let parsed: Vec<_> = ders.iter().map(|der| Certificate::parse(der).unwrap()).collect();
        let provider = provider();
        let mut budget = self.budget;
        let moment = Moment { now: self.now, tolerance: self.tolerance };
        let mut cx = RevocationCheck { provider: &provider, moment, budget: &mut budget };
        self.revocation.check(&parsed.iter().collect::<Vec<_>>(), staples, &mut cx)
    }
}

pub(super) fn under_intermediate(revocation: &Revocation, leaf: &str, staples: &[&str]) -> Checked {
    Case::new(revocation, &[leaf, "intermediate", "root"], staples).check()
}

fn good_with(staple: &str) -> Checked {
    under_intermediate(&Revocation::default(), "good", &[staple])
}

#[track_caller]
fn is_unknown(checked: Checked, because: &str) {
    match checked {
        Err(VerifyError::RevocationUnknown { why, .. }) => assert!(why.contains(because), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn is_bad_staple(checked: Checked, because: &str) {
    match checked {
        Err(error @ VerifyError::BadStaple { .. }) => {
            assert!(error.to_string().contains(because), "{error}");
            assert_eq!(error.alert(), AlertCode::BAD_CERTIFICATE_STATUS_RESPONSE);
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(super) fn is_revoked(checked: Checked, by: &str, for_reason: u8) {
    match checked {
        Err(error @ VerifyError::Revoked { .. }) => {
            assert_eq!(error.alert(), AlertCode::CERTIFICATE_REVOKED);
            let VerifyError::Revoked { source, reason, .. } = error else { unreachable!() };
            assert_eq!((source, reason), (by, Some(for_reason)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_listed_certificate_is_revoked_by_any_policy_and_an_unlisted_one_is_covered() {
    let crls = ["intermediate", "root"];
    assert_eq!(under_intermediate(&hard(&crls), "good", &[]), Ok(Vec::new()));
    for policy in [RevocationPolicy::hard_fail(), RevocationPolicy::soft_fail(), only_leaf()] {
        let revocation = Revocation::new(policy).crls(crls.map(crl));
        is_revoked(under_intermediate(&revocation, "revoked", &[]), "CRL", 1);
    }
}

#[test]
fn nothing_is_demanded_without_a_source() {
    let revocation = Revocation::new(RevocationPolicy::hard_fail());
    assert_eq!(under_intermediate(&revocation, "revoked", &[]), Ok(Vec::new()));
    is_unknown(under_intermediate(&revocation.expect_staples(), "good", &[]), "neither a CRL");
}

#[test]
fn a_want_of_information_refuses_or_is_noted_as_the_policy_says() {
    is_unknown(under_intermediate(&leaf(&["root"]), "good", &[]), "neither a CRL");
    let revocation = Revocation::new(RevocationPolicy::soft_fail()).crls([crl("root")]);
    let notes = under_intermediate(&revocation, "good", &[]).unwrap();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].subject, "CN=good");
}

#[test]
fn the_extent_says_which_certificates_need_information() {
    is_unknown(under_intermediate(&hard(&["intermediate"]), "good", &[]), "neither a CRL");
    assert_eq!(under_intermediate(&leaf(&["intermediate"]), "good", &[]), Ok(Vec::new()));
}

#[test]
fn a_revoked_ca_refuses_what_is_below_it_whatever_the_extent() {
    let soft = RevocationPolicy { extent: Extent::LeafOnly, ..RevocationPolicy::soft_fail() };
    let revocation = Revocation::new(soft).crls([crl("root")]);
    let path = ["under-revoked-ca", "revoked-ca", "root"];
    is_revoked(Case::new(&revocation, &path, &[]).check(), "CRL", 2);
    // And by a response, in whatever place.
    for staples in [&["", "revoked-ca"][..], &["", "intermediate", "revoked-ca"]] {
        is_revoked(Case::new(&Revocation::default(), &path, staples).check(), "OCSP", 2);
    }
}

#[test]
fn a_list_out_of_its_time_is_stale_and_still_names_what_was_revoked() {
    is_unknown(under_intermediate(&leaf(&["stale"]), "good", &[]), "was good until 2026-02-02");
    is_revoked(under_intermediate(&leaf(&["stale"]), "revoked", &[]), "CRL", 1);
    let policy = RevocationPolicy { stale: OnFailure::SoftFail, ..only_leaf() };
    let notes = under_intermediate(&Revocation::new(policy).crls([crl("stale")]), "good", &[]).unwrap();
    assert!(notes[0].why.contains("was good until"), "{notes:?}");
    let revocation = leaf(&["intermediate"]);
    let early = Case { now: 1_767_312_000 - 1, ..Case::new(&revocation, &["good", "intermediate"], &[]) };
    is_unknown(early.check(), "begins on 2026-01-02");
    assert!(Case { now: 1_767_312_000, ..early }.check().is_ok());
}

#[test]
fn the_clock_tolerance_widens_the_window_at_both_ends() {
    let revocation = leaf(&["stale"]);
    let end = 1_769_990_400; // 2026-02-02
    let path = ["good", "intermediate"];
    let at = |now, tolerance| Case { now, tolerance, ..Case::new(&revocation, &path, &[]) }.check();
    assert!(at(end, 0).is_ok() && at(end + 60, 60).is_ok());
    assert!(at(end + 1, 0).is_err() && at(end + 61, 60).is_err());
    assert!(at(1_767_312_000 - 60, 60).is_ok() && at(1_767_312_000 - 61, 60).is_err());
}

#[test]
fn a_list_by_another_key_or_another_issuer_covers_nothing() {
    is_unknown(under_intermediate(&leaf(&["impostor"]), "good", &[]), "neither a CRL");
    is_unknown(under_intermediate(&leaf(&["root"]), "good", &[]), "neither a CRL");
}

#[test]
fn a_list_with_a_changed_byte_covers_nothing() {
    let mut der = file("older.crl");
    let at = der.windows(14).position(|part| part == b"21250101000000").unwrap();
    der[at] ^= 1;
    let revocation = Revocation::new(only_leaf()).crls([Crl::parse(&der).unwrap()]);
    is_unknown(under_intermediate(&revocation, "good", &[]), "not signed by");
}

#[test]
fn a_list_signed_with_sha1_covers_nothing() {
    is_unknown(under_intermediate(&leaf(&["sha1"]), "good", &[]), "SHA-1");
}

#[test]
fn an_issuer_with_a_key_usage_needs_crl_sign_and_one_without_does_not() {
    let revocation = leaf(&["no-crl-sign", "no-key-usage"]);
    is_unknown(Case::new(&revocation, &["under-no-crl-sign", "no-crl-sign"], &[]).check(), "cRLSign");
    let path = ["under-no-key-usage", "no-key-usage"];
    assert_eq!(Case::new(&revocation, &path, &[]).check(), Ok(Vec::new()));
}

#[test]
fn a_list_of_users_or_authorities_covers_these_alone() {
    assert!(under_intermediate(&leaf(&["users"]), "good", &[]).is_ok());
    is_unknown(under_intermediate(&leaf(&["authorities"]), "good", &[]), "neither a CRL");
    // What it names is revoked all the same.
    is_revoked(under_intermediate(&leaf(&["authorities"]), "revoked", &[]), "CRL", 1);
}

#[test]
fn a_scope_tells_users_from_authorities() {
    let (user, authority) = (certificate("good"), certificate("intermediate"));
    let (user, authority) = (Certificate::parse(&user).unwrap(), Certificate::parse(&authority).unwrap());
    let users = Scope::read(&[0x30, 3, 0x81, 1, 0xFF]).unwrap();
    let authorities = Scope::read(&[0x30, 3, 0x82, 1, 0xFF]).unwrap();
    assert!(users.covers(&user) && !users.covers(&authority));
    assert!(authorities.covers(&authority) && !authorities.covers(&user));
}

#[test]
fn a_list_of_a_distribution_point_covers_the_certificates_that_name_it() {
    assert!(under_intermediate(&leaf(&["point"]), "pointed", &[]).is_ok());
    is_unknown(under_intermediate(&leaf(&["point"]), "good", &[]), "neither a CRL");
}

#[test]
fn lists_that_could_be_misread_are_not_taken() {
    for name in ["indirect", "delta", "reasons", "attributes", "critical"] {
        let parsed = Crl::parse(&file(&std::format!("{name}.crl")));
        assert!(matches!(parsed, Err(RevocationError::NotEvaluated(_))), "{name}: {parsed:?}");
    }
}

#[test]
fn the_higher_number_counts_and_a_lower_one_replaces_nothing() {
    for order in [["older", "intermediate"], ["intermediate", "older"]] {
        let revocation = leaf(&order);
        assert_eq!(revocation.held().count(), 1);
        is_revoked(under_intermediate(&revocation, "revoked", &[]), "CRL", 1);
    }
    let older = leaf(&["older"]);
    assert!(under_intermediate(&older, "revoked", &[]).is_ok());
    let newer = older.unreachable("x".to_string()).replace_crls([crl("intermediate"), crl("root")]).unwrap();
    assert_eq!(newer.held().count(), 2);
    is_revoked(under_intermediate(&newer, "revoked", &[]), "CRL", 1);
    assert!(under_intermediate(&newer, "good", &[]).is_ok());
    match newer.replace_crls([crl("older")]) {
        Err(RevocationError::CrlRollback { issuer, had, offered }) => {
            assert_eq!(
                (issuer, had, offered),
                ("CN=intermediate".into(), "number 0x02".into(), "number 0x01".into())
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unreachable_source_matters_where_no_other_one_covers() {
    let source = || "the CRL at http://crl.example.test could not be fetched".to_string();
    let policy = RevocationPolicy { unreachable: OnFailure::SoftFail, ..only_leaf() };
    let revocation = Revocation::new(policy).unreachable(source());
    let notes = under_intermediate(&revocation, "good", &[]).unwrap();
    assert_eq!(notes[0].why, source());
    assert_eq!(under_intermediate(&revocation.crls([crl("intermediate")]), "good", &[]), Ok(Vec::new()));
    is_unknown(under_intermediate(&leaf(&[]).unreachable(source()), "good", &[]), "could not be fetched");
}

#[test]
fn the_signature_of_a_list_is_paid_for_once() {
    let none = Budget { signatures: 0, ..Budget::default() };
    let one = Budget { signatures: 1, ..Budget::default() };
    for (name, right) in [("intermediate", true), ("impostor", false)] {
        let revocation = leaf(&[name]);
        let with = |budget| Case { budget, ..Case::new(&revocation, &["good", "intermediate"], &[]) }.check();
        assert!(matches!(with(none), Err(VerifyError::Budget(_))));
        assert_eq!(with(one).is_ok(), right);
        assert_eq!(with(none).is_ok(), right);
        assert!(!matches!(with(none), Err(VerifyError::Budget(_))));
    }
}

#[test]
fn lists_are_read_from_der_and_from_pem() {
    let pem = [file("intermediate.crl.pem"), file("intermediate.crl.pem")].concat();
    let found = Crl::from_pem_or_der(&pem).unwrap();
    assert_eq!(found.len(), 2);
    let found = &found[0];
    assert_eq!(
        (found.issuer().as_str(), found.number(), found.len()),
        ("CN=intermediate", Some(&[2][..]), 2)
    );
    assert_eq!(found.this_update().as_secs(), 1_767_312_000);
    assert_eq!(Crl::from_pem_or_der(&file("root.crl")).unwrap().len(), 1);
    assert!(Crl::from_pem_or_der(b"nothing").is_err());
    assert!(Crl::from_pem_or_der(&file("good.pem")).is_err());
}

#[test]
fn a_good_response_covers_by_issuer_or_delegate_and_any_hash() {
    let policy = Revocation::new(only_leaf()).expect_staples();
    for name in [
        "good",
        "by-key",
        "by-delegate",
        "by-delegate-key",
        "two",
        "digest-sha256",
        "digest-sha384",
        "digest-sha512",
    ] {
        assert_eq!(under_intermediate(&policy, "good", &[name]), Ok(Vec::new()), "{name}");
    }
}

#[test]
fn a_revoked_response_refuses_by_any_policy() {
    is_revoked(under_intermediate(&Revocation::default(), "revoked", &["revoked"]), "OCSP", 1);
    // Also where a CRL that is older says otherwise.
    is_revoked(under_intermediate(&leaf(&["older"]), "revoked", &["revoked"]), "OCSP", 1);
}

#[test]
fn a_list_that_names_it_outweighs_a_response() {
    // The response of another certificate is never reached.
    is_revoked(under_intermediate(&leaf(&["intermediate"]), "revoked", &["good"]), "CRL", 1);
}

#[test]
fn a_response_for_another_certificate_or_by_somebody_else_refuses_whatever_the_policy() {
    for (name, because) in [
        ("second", "another certificate"),
        ("intermediate", "another certificate"),
        ("by-impostor", "OCSPSigning"),
        ("by-no-delegate", "OCSPSigning"),
        ("by-foreign-delegate", "by another issuer"),
        ("by-old-delegate", "not valid now"),
        ("no-certificates", "certificate is not in it"),
    ] {
        is_bad_staple(good_with(name), because);
        // Even where a CRL covers the certificate.
        is_bad_staple(under_intermediate(&leaf(&["intermediate"]), "good", &[name]), because);
    }
}

#[test]
fn a_delegate_whose_certificate_was_changed_speaks_for_nobody() {
    let (mut changed, delegate) = (staple("by-delegate"), certificate("delegate"));
    let at = changed.windows(delegate.len()).position(|part| part == delegate.as_ref()).unwrap();
    changed[at + delegate.len() - 1] ^= 1;
    let revocation = Revocation::default();
    let case = Case::new(&revocation, &["good", "intermediate"], &[]);
    is_bad_staple(case.check_with(&[Some(changed)]), "certificate is not signed by the issuer's key");
}

#[test]
fn a_response_is_for_a_certificate_of_its_issuers_key_not_of_its_name() {
    let (good, bytes) = (certificate("good"), staple("good"));
    let good = Certificate::parse(&good).unwrap();
    let response = OcspResponse::parse(&bytes).unwrap();
    for (name, is) in [("intermediate", true), ("impostor", false)] {
        let issuer = certificate(name);
        assert_eq!(super::staple::concerns(&response, &good, &Certificate::parse(&issuer).unwrap()), is);
    }
}

#[test]
fn a_response_with_a_critical_extension_is_refused() {
    let (good, issuer, bytes) = (certificate("good"), certificate("intermediate"), staple("good"));
    let (good, issuer) = (Certificate::parse(&good).unwrap(), Certificate::parse(&issuer).unwrap());
    let (provider, mut budget) = (provider(), Budget::default());
    let moment = Moment { now: NOW, tolerance: 0 };
    let mut cx = RevocationCheck { provider: &provider, moment, budget: &mut budget };
    for (demands, single) in [
        (Demands::Nothing, Demands::Nothing),
        (Demands::Unknown, Demands::Nothing),
        (Demands::Nothing, Demands::Unknown),
    ] {
        let mut response = OcspResponse::parse(&bytes).unwrap();
        let Answer::Basic(basic) = &mut response.answer else { unreachable!() };
        (basic.demands, basic.statuses[0].demands) = (demands, single);
        let found = super::staple::verify(&response, &good, &issuer, &mut cx).unwrap().finding;
        let good = demands == Demands::Nothing && single == Demands::Nothing;
        assert_eq!(matches!(found, Finding::Good), good);
        assert_eq!(matches!(found, Finding::Bad(_)), !good);
    }
}

#[test]
fn a_delegate_that_its_issuer_revoked_speaks_for_nobody() {
    assert!(good_with("by-revoked-delegate").is_ok());
    let checked = under_intermediate(&leaf(&["intermediate"]), "good", &["by-revoked-delegate"]);
    is_bad_staple(checked, "responder's certificate was revoked");
}

#[test]
fn a_response_out_of_its_time_or_without_end_is_stale() {
    let demanding = Revocation::new(only_leaf());
    for (name, because) in [("stale", "was good until 2026-"), ("no-next-update", "until when")] {
        is_unknown(under_intermediate(&demanding, "good", &[name]), because);
        assert_eq!(good_with(name).unwrap().len(), 1);
        assert_eq!(under_intermediate(&leaf(&["intermediate"]), "good", &[name]), Ok(Vec::new()));
    }
    let early = Case { now: 1_780_272_000, ..Case::new(&demanding, &["good", "intermediate"], &["good"]) };
    is_unknown(early.check(), "begins on 2026-");
}

#[test]
fn a_responder_that_does_not_know_or_answer_leaves_it_open() {
    let demanding = Revocation::new(only_leaf());
    is_unknown(under_intermediate(&demanding, "good", &["unknown"]), "does not know");
    is_unknown(under_intermediate(&demanding, "good", &["unauthorized"]), "refused to answer");
    is_unknown(under_intermediate(&demanding, "good", &["try-later"]), "had no answer");
    let policy = RevocationPolicy { missing: OnFailure::SoftFail, ..only_leaf() };
    for name in ["unknown", "unauthorized", "try-later"] {
        assert_eq!(under_intermediate(&Revocation::new(policy), "good", &[name]).unwrap().len(), 1);
    }
}

#[test]
fn a_must_staple_leaf_needs_a_good_response_whatever_the_policy() {
    let revocation = Revocation::new(RevocationPolicy::soft_fail()).crls([crl("intermediate")]);
    let with = |staples: &[&str]| under_intermediate(&revocation, "must-staple", staples);
    assert!(with(&["must-staple"]).unwrap().iter().all(|note| note.subject != "CN=must-staple"));
    is_bad_staple(with(&[]), "none came");
    is_bad_staple(with(&[""]), "none came");
    is_bad_staple(with(&["try-later"]), "had no answer");
    is_bad_staple(under_intermediate(&leaf(&["stale"]), "must-staple", &["try-later"]), "had no answer");
    is_bad_staple(under_intermediate(&leaf(&["stale"]), "must-staple", &[]), "none came");
    is_bad_staple(with(&["good"]), "another certificate");
    // Also one that is trusted by itself.
    is_bad_staple(Case::new(&Revocation::default(), &["self-must-staple"], &[]).check(), "none came");
    assert!(Case::new(&hard(&["root"]), &["self-signed"], &[]).check().is_ok());
}

#[test]
fn the_tls_feature_of_an_authority_is_demanded_of_what_is_below_it() {
    let checked = Case::new(&Revocation::default(), &["under-feature-ca", "feature-ca", "root"], &[]).check();
    assert!(matches!(checked, Err(VerifyError::Usage { .. })), "{checked:?}");
}

#[test]
fn responses_for_authorities_are_found_in_any_place_and_foreign_ones_passed_over() {
    let revocation = Revocation::new(RevocationPolicy::hard_fail()).expect_staples();
    for staples in [&["good", "intermediate"][..], &["good", "revoked-ca", "", "intermediate"]] {
        assert_eq!(under_intermediate(&revocation, "good", staples), Ok(Vec::new()));
    }
    let broken = [staple("good"), staple("intermediate")[..9].to_vec(), staple("intermediate")].map(Some);
    let path = ["good", "intermediate", "root"];
    assert_eq!(Case::new(&revocation, &path, &[]).check_with(&broken), Ok(Vec::new()));
    is_unknown(under_intermediate(&revocation, "good", &["good", "revoked-ca"]), "neither a CRL");
}

#[test]
fn responses_are_paid_for() {
    let revocation = Revocation::default();
    let budget = Budget { signatures: 1, ..Budget::default() };
    let case =
        |staples| Case { budget, ..Case::new(&revocation, &["good", "intermediate"], staples) }.check();
    assert!(case(&["good"]).is_ok());
    assert!(matches!(case(&["by-delegate"]), Err(VerifyError::Budget(_))));
}

#[test]
fn a_server_is_told_whether_a_staple_is_worth_sending() {
    let at = |seconds: i64| UnixTime::since_unix_epoch(Duration::from_secs(seconds.unsigned_abs()));
    let (good, issuer) = (certificate("good"), certificate("intermediate"));
    let check = |name: &str, now| check_staple(&staple(name), &good, &issuer, &provider(), at(now));
    let info = check("by-delegate", NOW).unwrap();
    assert!(info.this_update < info.next_update && info.this_update <= info.produced_at);
    assert!(info.next_update.as_secs() > 4_000_000_000);
    for (name, because) in [
        ("stale", "was good until"),
        ("second", "another certificate"),
        ("unknown", "does not know"),
        ("try-later", "had no answer"),
        ("by-no-delegate", "OCSPSigning"),
    ] {
        is_bad_staple(check(name, NOW).map(|_| Vec::new()), because);
    }
    let revoked = check_staple(&staple("revoked"), &certificate("revoked"), &issuer, &provider(), at(NOW));
    is_revoked(revoked.map(|_| Vec::new()), "OCSP", 1);
    let other = check_staple(&staple("good"), &good, &certificate("root"), &provider(), at(NOW));
    is_bad_staple(other.map(|_| Vec::new()), "its issuer is");
}

#[test]
fn a_response_tells_its_window_and_status_unverified() {
    let (good, later) = (staple("good"), staple("try-later"));
    let response = OcspResponse::parse(&good).unwrap();
    let (from, to) = response.window().unwrap();
    assert!(from < to);
    assert_eq!(response.status(), Some(OcspStatus::Good));
    let response = OcspResponse::parse(&later).unwrap();
    assert_eq!((response.window(), response.status()), (None, None));
    let endless = staple("no-next-update");
    assert_eq!(OcspResponse::parse(&endless).unwrap().window(), None);
}

#[test]
fn every_truncation_of_a_response_refuses_the_leaf() {
    let whole = staple("by-delegate");
    let revocation = Revocation::default();
    let case = Case::new(&revocation, &["good", "intermediate"], &[]);
    for len in 0..whole.len() {
        assert!(OcspResponse::parse(&whole[..len]).is_err(), "{len}");
    }
    assert!(OcspResponse::parse(&[&whole[..], &[0]].concat()).is_err());
    is_bad_staple(case.check_with(&[Some(whole[..99].to_vec())]), "malformed");
    is_bad_staple(case.check_with(&[Some(Vec::new())]), "malformed");
}

#[test]
fn no_changed_byte_of_a_response_makes_it_good_or_the_check_panic() {
    let whole = staple("good");
    let revocation = Revocation::new(only_leaf()).expect_staples();
    let case = Case::new(&revocation, &["good", "intermediate"], &[]);
    // The certificates at its end are not signed, and not needed.
    let signed = whole.len() - certificate("intermediate").len() - 8;
    for at in 0..whole.len() {
        for change in [0x01, 0x80] {
            let mut bad = whole.clone();
            bad[at] ^= change;
            let checked = case.check_with(&[Some(bad)]);
            assert!(checked.is_err() || at >= signed, "{at}");
        }
    }
}

#[test]
fn no_changed_byte_of_a_list_makes_it_cover_or_the_check_panic() {
    let whole = file("intermediate.crl");
    for at in 0..whole.len() {
        for change in [0x01, 0x80] {
            let mut bad = whole.clone();
            bad[at] ^= change;
            if let Ok(crl) = Crl::parse(&bad) {
                let revocation = Revocation::new(only_leaf()).crls([crl]);
                assert!(under_intermediate(&revocation, "good", &[]).is_err(), "{at}");
            }
        }
    }
}

#[test]
fn every_truncation_of_a_list_is_refused() {
    let whole = file("intermediate.crl");
    for len in 0..whole.len() {
        assert!(Crl::parse(&whole[..len]).is_err(), "{len}");
    }
    assert!(Crl::parse(&[&whole[..], &[0]].concat()).is_err());
}

#[test]
fn a_verifier_asks_its_sources() {
    let chain = [certificate("good"), certificate("intermediate")];
    let revoked = [certificate("revoked"), certificate("intermediate")];
    let verifier = Verifier::new(provider(), [certificate("root")]).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.unsigned_abs()));
    let verify = |verifier: &Verifier, chain: &[CertificateDer<'_>], staple: Option<Vec<u8>>| {
        let staples = [staple];
        let chain = Chain::of(chain).unwrap().with_staples(&staples);
        verifier.verify(&chain, Purpose::Server, &Expected::Anyone, now)
    };
    assert!(verify(&verifier, &revoked, None).is_ok());
    let refused = verify(&verifier, &revoked, Some(staple("revoked"))).unwrap_err();
    assert_eq!(refused.alert(), AlertCode::CERTIFICATE_REVOKED, "{refused}");
    let refused = verify(&verifier, &chain, Some(staple("second"))).unwrap_err();
    assert_eq!(refused.alert(), AlertCode::BAD_CERTIFICATE_STATUS_RESPONSE, "{refused}");

    let soft = Revocation::new(RevocationPolicy::soft_fail()).crls([crl("intermediate")]);
    let verifier = verifier.revocation(soft.into());
    let path = verify(&verifier, &chain, None).unwrap();
    assert_eq!(path.unchecked.len(), 1);
    assert_eq!(path.unchecked[0].subject, "CN=intermediate");
    let refused = verify(&verifier, &revoked, None).unwrap_err();
    assert_eq!(refused.alert(), AlertCode::CERTIFICATE_REVOKED, "{refused}");
}
