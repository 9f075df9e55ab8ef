//! Forms of CRLs and OCSP responses that OpenSSL does not make, put together by hand.

use std::time::Instant;
use std::vec;
use std::vec::Vec;

use super::crl_outline::{Revoked, entry_content};
use super::ocsp::{Answer, Demands};
use super::tests::{NOW, certificate, staple};
use super::{Crl, Finding, OcspResponse, OcspStatus, RevocationCheck, RevocationError};
use crate::crypto::rustcrypto::provider;
use crate::pki::{Budget, Certificate, Moment};

const ALGORITHM: &[u8] = &[0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];
const OTHER_ALGORITHM: &[u8] = &[0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3];
const NAME: &[u8] = &[0x30, 12, 0x31, 10, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0C, 1, b'x'];
const UTC: &[u8] = b"\x17\x0D260101000000Z";
const GENERALIZED: &[u8] = b"\x18\x0F20260101000000Z";
const SIGNATURE: &[u8] = &[3, 2, 0, 1];

/// An element of up to 2^24 bytes.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = content.len();
    let digits = [(len >> 16) as u8, (len >> 8) as u8, len as u8];
    let head = match len {
        0..=0x7F => vec![tag, len as u8],
        0x80..=0xFF => vec![tag, 0x81, len as u8],
        0x100..=0xFFFF => [&[tag, 0x82], &digits[1..]].concat(),
        _ => [&[tag, 0x83], &digits[..]].concat(),
    };
    [head, content].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, parts)
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let flag: &[u8] = if critical { &[1, 1, 0xFF] } else { &[] };
    sequence(&[&element(6, &[oid]), flag, &element(4, &[value])])
}

fn list(fields: &[&[u8]]) -> Vec<u8> {
    sequence(&[&sequence(fields), ALGORITHM, SIGNATURE])
}

fn list_with(entries: &[u8], extensions: &[u8]) -> Vec<u8> {
    let revoked = if entries.is_empty() { Vec::new() } else { sequence(&[entries]) };
    let extensions =
        if extensions.is_empty() { Vec::new() } else { element(0xA0, &[&sequence(&[extensions])]) };
    list(&[&[2, 1, 1], ALGORITHM, NAME, UTC, UTC, &revoked, &extensions])
}

fn entry(serial: &[u8], extensions: &[u8]) -> Vec<u8> {
    let extensions = if extensions.is_empty() { Vec::new() } else { sequence(&[extensions]) };
    sequence(&[&element(2, &[serial]), UTC, &extensions])
}

fn reason(reason: u8) -> Vec<u8> {
    extension(&[0x55, 0x1D, 21], false, &[0x0A, 1, reason])
}

#[track_caller]
fn is_malformed(der: &[u8], because: &str) {
    match Crl::parse(der) {
        Err(RevocationError::Malformed(why)) => assert!(why.contains(because), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_has_its_fields_in_their_places() {
    let version: &[u8] = &[2, 1, 1];
    assert!(Crl::parse(&list(&[version, ALGORITHM, NAME, UTC, UTC])).is_ok_and(|list| list.is_empty()));
    assert!(Crl::parse(&list(&[version, ALGORITHM, NAME, GENERALIZED, GENERALIZED])).is_ok());
    is_malformed(&list(&[ALGORITHM, NAME, UTC, UTC]), "version 2");
    is_malformed(&list(&[&[2, 1, 0], ALGORITHM, NAME, UTC, UTC]), "version 2");
    is_malformed(&list(&[version, OTHER_ALGORITHM, NAME, UTC, UTC]), "algorithms differ");
    is_malformed(&list(&[version, ALGORITHM, &[0x30, 0], UTC, UTC]), "names no issuer");
    is_malformed(&list(&[version, ALGORITHM, NAME, UTC]), "no nextUpdate");
    is_malformed(&list(&[version, ALGORITHM, NAME, UTC, UTC, &[5, 0]]), "a field that no CRL has");
    let extensions = element(0xA0, &[&sequence(&[&extension(&[0x55, 0x1D, 20], false, &[2, 1, 7])])]);
    is_malformed(&list(&[version, ALGORITHM, NAME, UTC, UTC, &extensions, &[5, 0]]), "bytes follow");
}

#[test]
fn numbers_of_lists_are_natural_and_compared_as_such() {
    let numbered = |number: &[u8]| {
        Crl::parse(&list_with(&[], &extension(&[0x55, 0x1D, 20], false, &element(2, &[number]))))
    };
    let (small, large) = (numbered(&[0, 0xFF]).unwrap(), numbered(&[1, 0]).unwrap());
    assert_eq!(small.number(), Some(&[0xFF][..]));
    assert!(small.compare_age(&large).is_lt() && large.compare_age(&small).is_gt());
    for bad in [&[0xFF][..], &[0, 1], &[], &[1; 21]] {
        assert!(numbered(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn an_entry_is_found_by_its_whole_serial_number_in_any_order() {
    let serials: [&[u8]; 5] = [&[9], &[1, 2], &[1], &[0x7F; 20], &[0, 0x80]];
    let entries: Vec<u8> = serials.iter().flat_map(|serial| entry(serial, &reason(1))).collect();
    let crl = Crl::parse(&list_with(&entries, &[])).unwrap();
    assert!(crl.len() == 5 && !crl.is_empty());
    for serial in serials {
        assert_eq!(crl.find(serial), Some(Revoked { since: 1_767_225_600, reason: Some(1) }));
    }
    for absent in [&[2][..], &[1, 2, 3], &[], &[0], &[0x7F; 19]] {
        assert_eq!(crl.find(absent), None);
    }
}

#[test]
fn an_entry_that_was_removed_does_not_count_and_another_one_beside_it_does() {
    let removed = entry(&[5], &reason(8));
    assert_eq!(Crl::parse(&list_with(&removed, &[])).unwrap().find(&[5]), None);
    let both = [removed, entry(&[5], &reason(6))].concat();
    assert_eq!(Crl::parse(&list_with(&both, &[])).unwrap().find(&[5]).unwrap().reason, Some(6));
}

#[test]
fn a_critical_extension_that_is_not_evaluated_refuses_a_list_wherever_it_is() {
    let private = |critical| extension(&[0x2A, 3, 4], critical, &[5, 0]);
    assert!(Crl::parse(&list_with(&entry(&[5], &private(false)), &private(false))).is_ok());
    for der in [
        list_with(&entry(&[5], &private(true)), &[]),
        list_with(&[], &private(true)),
        // A delta CRL, whose extension MUST be critical and is not.
        list_with(&[], &extension(&[0x55, 0x1D, 27], false, &[2, 1, 1])),
        list_with(&entry(&[5], &extension(&[0x55, 0x1D, 29], false, &sequence(&[]))), &[]),
    ] {
        assert!(matches!(Crl::parse(&der), Err(RevocationError::NotEvaluated(_))));
    }
}

#[test]
fn a_list_replaces_another_of_the_same_issuer_key_and_scope_alone() {
    let of = |name: &[u8], extensions: &[u8]| {
        let extensions = element(0xA0, &[&sequence(&[extensions])]);
        Crl::parse(&list(&[&[2, 1, 1], ALGORITHM, name, UTC, UTC, &extensions])).unwrap()
    };
    let numbered = |number| extension(&[0x55, 0x1D, 20], false, &[2, 1, number]);
    let key = extension(&[0x55, 0x1D, 35], false, &sequence(&[&[0x80, 1, 7]]));
    let users = extension(&[0x55, 0x1D, 28], true, &sequence(&[&[0x81, 1, 0xFF]]));
    let other_name = [&NAME[..NAME.len() - 1], b"y"].concat();
    let list = of(NAME, &numbered(1));
    assert!(list.replaces(&of(NAME, &numbered(2))));
    for (apart, why) in [
        (of(&other_name, &numbered(2)), "another issuer"),
        (of(NAME, &[numbered(2), key].concat()), "another key"),
        (of(NAME, &[numbered(2), users].concat()), "another scope"),
    ] {
        assert!(!list.replaces(&apart) && !apart.replaces(&list), "{why}");
    }
}

#[test]
fn a_malformed_entry_refuses_the_list() {
    assert!(entry_content(&[&[2, 1, 5], UTC].concat()).is_ok());
    for bad in [
        entry(&[], &[]),
        entry(&[0, 5], &[]),
        entry(&[5], &extension(&[0x55, 0x1D, 21], false, &[0x0A, 2, 0, 1])),
        entry(&[5], &[reason(1), reason(1)].concat()),
        sequence(&[&[2, 1, 5]]),
        sequence(&[&[2, 1, 5], UTC, &sequence(&[&reason(1)]), &[5, 0]]),
        element(0x31, &[&[2, 1, 5], UTC]),
    ] {
        assert!(Crl::parse(&list_with(&bad, &[])).is_err(), "{bad:02x?}");
    }
}

#[test]
fn a_list_of_more_than_256_mib_is_not_read() {
    // Zeros that nobody writes or reads take no memory.
    is_malformed(&std::vec![0; (256 << 20) + 1], "longer than 256 MiB");
    match Crl::parse(&std::vec![0; 256 << 20]) {
        Err(RevocationError::Malformed(why)) => assert!(!why.contains("longer"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_is_shown_by_its_issuer_and_its_length() {
    let shown = std::format!("{:?}", Crl::parse(&list_with(&entry(&[5], &[]), &[])).unwrap());
    assert!(shown.starts_with("Crl { issuer: ") && shown.contains("entries: 1"), "{shown}");
}

#[test]
fn a_long_list_costs_in_proportion_to_its_length() {
    let of = |count: u32| {
        // Serial numbers in no order: multiplication by an odd number is a permutation.
        let entries: Vec<u8> = (0..count)
            .flat_map(|number| {
                let mixed = number.wrapping_mul(0x9E37_79B1).to_be_bytes();
                entry(&[&[1], &mixed[..]].concat(), &reason(1))
            })
            .collect();
        let der = list_with(&entries, &[]);
        let start = Instant::now();
        let crl = Crl::parse(&der).unwrap();
        let parsed = start.elapsed();
        assert_eq!(crl.len(), usize::try_from(count).unwrap());
        assert!(crl.find(&[1, 0, 0, 0, 0]).is_some() && crl.find(&[2, 0, 0, 0, 0]).is_none());
        parsed
    };
    let (short, long) = (of(2_500), of(250_000));
    // A hundred times as many; the square would be ten thousand times.
    assert!(long < short * 1_000, "{short:?} {long:?}");
}

/// A response with one status about the serial number 5.
fn response(status: &[u8], single_extensions: &[u8], extensions: &[u8], version: &[u8]) -> Vec<u8> {
    let hash = [4, 1, 0];
    let id = sequence(&[&sequence(&[&[6, 5, 0x2B, 0x0E, 3, 2, 0x1A, 5, 0]]), &hash, &hash, &[2, 1, 5]]);
    let optional = |extensions: &[u8]| {
        if extensions.is_empty() { Vec::new() } else { element(0xA1, &[&sequence(&[extensions])]) }
    };
    let next = element(0xA0, &[GENERALIZED]);
    let single = sequence(&[&id, status, GENERALIZED, &next, &optional(single_extensions)]);
    let tbs = sequence(&[
        version,
        &element(0xA1, &[NAME]),
        GENERALIZED,
        &sequence(&[&single]),
        &optional(extensions),
    ]);
    answered(&sequence(&[&tbs, ALGORITHM, SIGNATURE]))
}

fn answered(basic: &[u8]) -> Vec<u8> {
    let kind = [6, 9, 0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1];
    sequence(&[&[0x0A, 1, 0], &element(0xA0, &[&sequence(&[&kind, &element(4, &[basic])])])])
}

#[test]
fn a_response_has_its_fields_in_their_places() {
    let good: &[u8] = &[0x80, 0];
    assert!(OcspResponse::parse(&response(good, &[], &[], &[])).is_ok());
    assert!(OcspResponse::parse(&response(good, &[], &[], &[0xA0, 3, 2, 1, 0])).is_ok());
    assert!(OcspResponse::parse(&response(good, &[], &[], &[0xA0, 3, 2, 1, 1])).is_err(), "version 2");
    for bad in [&[0x80, 1, 0][..], &[0x82, 1, 0], &[0x83, 0], &[0xA0, 0]] {
        assert!(OcspResponse::parse(&response(bad, &[], &[], &[])).is_err(), "{bad:?}");
    }
    let nobody = sequence(&[&element(0xA1, &[NAME]), GENERALIZED, &sequence(&[])]);
    assert!(
        OcspResponse::parse(&answered(&sequence(&[&nobody, ALGORITHM, SIGNATURE]))).is_err(),
        "no status"
    );
    // A status alone, a successful one without bytes, one that does not exist, one with too much.
    assert!(OcspResponse::parse(&[0x30, 3, 0x0A, 1, 3]).is_ok());
    for bad in [&[0x30, 3, 0x0A, 1, 0][..], &[0x30, 3, 0x0A, 1, 4], &[0x30, 5, 0x0A, 1, 3, 5, 0]] {
        assert!(OcspResponse::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_revocation_is_told_with_its_time_and_reason() {
    let status = |reason: &[u8]| element(0xA1, &[GENERALIZED, reason]);
    let told = |der: &[u8]| OcspResponse::parse(der).unwrap().status();
    let since = 1_767_225_600;
    let with = response(&status(&[0xA0, 3, 0x0A, 1, 4]), &[], &[], &[]);
    assert_eq!(told(&with), Some(OcspStatus::Revoked { since, reason: Some(4) }));
    assert_eq!(
        told(&response(&status(&[]), &[], &[], &[])),
        Some(OcspStatus::Revoked { since, reason: None })
    );
    assert!(OcspResponse::parse(&response(&element(0xA1, &[UTC]), &[], &[], &[])).is_err(), "UTCTime");
}

#[test]
fn critical_extensions_of_a_response_are_noticed_wherever_they_are() {
    let good: &[u8] = &[0x80, 0];
    let nonce = extension(&[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 2], true, &[4, 1, 9]);
    let demanded = |der: &[u8]| match OcspResponse::parse(der).unwrap().answer {
        Answer::Basic(basic) => (basic.demands, basic.statuses[0].demands),
        _ => unreachable!(),
    };
    let private = |critical| extension(&[0x2A, 3, 4], critical, &[5, 0]);
    let (nothing, unknown) = (Demands::Nothing, Demands::Unknown);
    assert_eq!(demanded(&response(good, &private(false), &private(false), &[])), (nothing, nothing));
    assert_eq!(demanded(&response(good, &nonce, &nonce, &[])), (nothing, nothing));
    assert_eq!(demanded(&response(good, &private(true), &[], &[])), (nothing, unknown));
    assert_eq!(demanded(&response(good, &[], &private(true), &[])), (unknown, nothing));
}

#[test]
fn of_very_many_certificates_in_a_response_the_first_eight_are_looked_at() {
    let whole = response(&[0x80, 0], &[], &[], &[]);
    let OcspResponse { answer: Answer::Basic(basic), .. } = OcspResponse::parse(&whole).unwrap() else {
        unreachable!("it has a status");
    };
    let kept = |count: usize| {
        let certificates = element(0xA0, &[&sequence(&[&sequence(&[]).repeat(count)])]);
        let der = answered(&sequence(&[basic.tbs, ALGORITHM, SIGNATURE, &certificates]));
        match OcspResponse::parse(&der).unwrap().answer {
            Answer::Basic(basic) => basic.certificates.len(),
            _ => unreachable!("it has a status"),
        }
    };
    assert_eq!([1, 8, 9, 100].map(kept), [1, 8, 8, 8]);
}

#[test]
fn a_delegate_is_found_behind_certificates_that_are_no_responders() {
    let (good, issuer, bytes) = (certificate("good"), certificate("intermediate"), staple("by-delegate"));
    let (good, issuer) = (Certificate::parse(&good).unwrap(), Certificate::parse(&issuer).unwrap());
    let (provider, mut budget) = (provider(), Budget::default());
    let moment = Moment { now: NOW, tolerance: 0 };
    let mut cx = RevocationCheck { provider: &provider, moment, budget: &mut budget };
    let others = ["root", "revoked", "good"].map(certificate);
    let mut response = OcspResponse::parse(&bytes).unwrap();
    let Answer::Basic(basic) = &mut response.answer else { unreachable!() };
    basic.certificates.splice(0..0, others.iter().map(AsRef::as_ref));
    let found = super::staple::verify(&response, &good, &issuer, &mut cx).unwrap().finding;
    assert!(matches!(found, Finding::Good));
}

#[test]
fn a_response_with_very_many_statuses_is_refused() {
    let whole = response(&[0x80, 0], &[], &[], &[]);
    assert!(OcspResponse::parse(&whole).is_ok());
    let hash = [4, 1, 0];
    let id = sequence(&[&sequence(&[&[6, 5, 0x2B, 0x0E, 3, 2, 0x1A]]), &hash, &hash, &[2, 1, 5]]);
    let single = sequence(&[&id, &[0x80, 0], GENERALIZED]);
    let of = |count| {
        let statuses = sequence(&[&single.repeat(count)]);
        let tbs = sequence(&[&element(0xA1, &[NAME]), GENERALIZED, &statuses]);
        OcspResponse::parse(&answered(&sequence(&[&tbs, ALGORITHM, SIGNATURE]))).is_ok()
    };
    assert!(of(256) && !of(257));
}
