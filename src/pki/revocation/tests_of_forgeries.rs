//! What nobody signed changes nothing for the better: lists and responses that whoever was revoked can make.

use super::tests::{crl, file, is_revoked, leaf, only_leaf, under_intermediate};
use super::{Crl, OnFailure, Revocation, RevocationPolicy};
use crate::pki::VerifyError;
use std::vec::Vec;

#[test]
fn a_list_that_nobody_signed_does_not_displace_the_one_that_was_right() {
    let soft = Revocation::new(RevocationPolicy::soft_fail()).crls([crl("intermediate")]);
    is_revoked(under_intermediate(&soft, "revoked", &[]), "CRL", 1);
    let numbered = |number: u8| {
        let mut der = file("older.crl");
        let at = der.windows(3).rposition(|number| number == [2, 1, 1]).unwrap();
        der[at + 2] = number;
        let forged = Crl::parse(&der).unwrap();
        assert_eq!(forged.number(), Some(&[number][..]));
        forged
    };
    let mut forged = soft.clone();
    for number in 0x7D..=0x7F {
        forged = forged.replace_crls([numbered(number)]).unwrap();
        assert_eq!(forged.held().count(), 1);
        is_revoked(under_intermediate(&forged, "revoked", &[]), "CRL", 1);
    }
    // Nor does its number keep the true ones away, and it is gone with the next one.
    let next = forged.replace_crls([crl("intermediate")]).unwrap();
    is_revoked(under_intermediate(&next, "revoked", &[]), "CRL", 1);
    assert!(forged.replace_crls([crl("older")]).is_err());
}

#[test]
fn a_list_counts_no_more_once_a_newer_one_is_right() {
    let mut revocation = leaf(&["intermediate"]);
    is_revoked(under_intermediate(&revocation, "revoked", &[]), "CRL", 1);
    // As one that has the certificate no more.
    revocation.put(crl("older"));
    assert_eq!(under_intermediate(&revocation, "revoked", &[]), Ok(Vec::new()));
    revocation.put(crl("intermediate"));
    assert_eq!((revocation.held().count(), revocation.crls.values().flatten().count()), (1, 2));
    is_revoked(under_intermediate(&revocation, "revoked", &[]), "CRL", 1);
}

#[test]
fn an_answer_that_nobody_signed_is_worth_no_more_than_none() {
    let policy = RevocationPolicy { unreachable: OnFailure::SoftFail, ..only_leaf() };
    let revocation = Revocation::new(policy).expect_staples();
    for staples in [&[][..], &["try-later"], &["unauthorized"]] {
        let checked = under_intermediate(&revocation, "good", staples);
        assert!(matches!(checked, Err(VerifyError::RevocationUnknown { .. })), "{staples:?}: {checked:?}");
    }
}
