//! Certificate policies, rule by rule (RFC 5280 sections 4.2.1.4, 4.2.1.5, 4.2.1.11, 4.2.1.14 and 6.1).

use std::string::ToString;
use std::vec::Vec;

use super::forge::{
    Forged, INHIBIT_ANY, MAPPINGS, POLICIES, POLICY_CONSTRAINTS, element, name, oid, sequence,
};
use crate::pki::{Budget, Certificate, VerifyError, policies};

const ANY: &[u8] = &[0x55, 0x1D, 32, 0];
const GOLD: &[u8] = &[0x2A, 3, 1];
const SILVER: &[u8] = &[0x2A, 3, 2];

fn with_policies(forged: Forged, all: &[&[u8]]) -> Forged {
    let all: Vec<u8> = all.iter().flat_map(|policy| sequence(&[&oid(policy)])).collect();
    forged.with(POLICIES, &sequence(&[&all]))
}

fn root() -> Forged {
    Forged::root("root")
}

fn authority(all: &[&[u8]]) -> Forged {
    with_policies(Forged::authority("root", "authority"), all)
}

/// Below [`authority`].
fn second(all: &[&[u8]]) -> Forged {
    with_policies(Forged::authority("authority", "second"), all)
}

/// Self-issued: a new key of [`authority`] signed by the old one.
fn rollover(all: &[&[u8]]) -> Forged {
    with_policies(Forged::authority("authority", "authority"), all)
}

fn leaf(all: &[&[u8]]) -> Forged {
    with_policies(bare_leaf(), all)
}

fn bare_leaf() -> Forged {
    Forged::leaf("authority", "leaf.test")
}

impl Forged {
    /// requireExplicitPolicy after so many certificates.
    fn demanding(self, skip: u8) -> Self {
        self.critical(POLICY_CONSTRAINTS, &sequence(&[&element(0x80, &[&[skip]])]))
    }

    /// inhibitPolicyMapping after so many certificates.
    fn keeping(self, skip: u8) -> Self {
        self.critical(POLICY_CONSTRAINTS, &sequence(&[&[0x80, 1, 0], &element(0x81, &[&[skip]])]))
    }

    /// inhibitAnyPolicy after so many certificates.
    fn inhibiting(self, skip: u8) -> Self {
        self.critical(INHIBIT_ANY, &element(2, &[&[skip]]))
    }

    fn mapping(self, from: &[u8], to: &[u8]) -> Self {
        self.critical(MAPPINGS, &sequence(&[&sequence(&[&oid(from), &oid(to)])]))
    }
}

/// The verdict on a path, root first.
fn check(path: &[Forged]) -> Result<(), VerifyError> {
    check_within(path, Budget::default())
}

fn check_within(path: &[Forged], mut budget: Budget) -> Result<(), VerifyError> {
    let ders: Vec<_> = path.iter().rev().map(Forged::der).collect();
    let parsed: Vec<_> = ders.iter().map(|der| Certificate::parse(der).unwrap()).collect();
    policies::check(&parsed.iter().collect::<Vec<_>>(), &mut budget)
}

#[track_caller]
fn passes(path: &[Forged]) {
    assert_eq!(check(path), Ok(()));
}

/// That no policy is left, at the certificate of this subject.
#[track_caller]
fn lacks(path: &[Forged], at: &str) {
    match check(path) {
        Err(VerifyError::Usage { subject, why }) => {
            assert_eq!(subject, std::format!("CN={at}"));
            assert!(why.starts_with("has no policy that is valid on its path"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn malformed(path: &[Forged], what: &str) {
    match check(path) {
        Err(VerifyError::Malformed(why)) => assert!(why.contains(what), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_needs_a_policy_unless_one_is_demanded() {
    passes(&[root(), authority(&[GOLD]), bare_leaf()]);
    passes(&[root(), authority(&[GOLD]), leaf(&[SILVER])]);
    passes(&[root(), authority(&[GOLD]).inhibiting(0), bare_leaf()]);
}

#[test]
fn a_demanded_policy_must_run_from_the_first_authority_to_the_leaf() {
    passes(&[root(), authority(&[GOLD]).demanding(0), leaf(&[GOLD])]);
    passes(&[root(), authority(&[GOLD, SILVER]).demanding(0), leaf(&[SILVER])]);
    lacks(&[root(), authority(&[GOLD]).demanding(0), leaf(&[SILVER])], "leaf.test");
    lacks(&[root(), authority(&[GOLD]).demanding(0), bare_leaf()], "leaf.test");
    lacks(&[root(), Forged::authority("root", "authority").demanding(0), leaf(&[GOLD])], "leaf.test");
    let between = Forged::authority("authority", "second");
    lacks(&[root(), authority(&[GOLD]).demanding(0), between, leaf(&[GOLD])], "second");
}

#[test]
fn a_policy_of_an_authority_in_between_does_not_come_back() {
    lacks(&[root(), authority(&[GOLD]), second(&[SILVER]).demanding(0), leaf(&[GOLD])], "leaf.test");
    lacks(&[root(), authority(&[GOLD]), second(&[SILVER]).demanding(0), leaf(&[SILVER])], "leaf.test");
}

#[test]
fn a_root_that_names_no_policy_has_all_and_its_demands_count() {
    passes(&[root().demanding(0), authority(&[GOLD]), leaf(&[GOLD])]);
    lacks(&[root().demanding(0), authority(&[GOLD]), leaf(&[SILVER])], "leaf.test");
    let gold = with_policies(root(), &[GOLD]).demanding(0);
    passes(&[gold.clone(), authority(&[GOLD]), leaf(&[GOLD])]);
    lacks(&[gold, authority(&[SILVER]), leaf(&[SILVER])], "authority");
}

#[test]
fn a_demand_skips_as_many_certificates_as_it_says() {
    // Section 6.1.5 (a): one less at the leaf, so that a demand after one certificate reaches the next.
    lacks(&[root(), authority(&[GOLD]).demanding(1), bare_leaf()], "leaf.test");
    passes(&[root(), authority(&[GOLD]).demanding(2), bare_leaf()]);
    lacks(&[root(), authority(&[GOLD]).demanding(2), second(&[GOLD]), bare_leaf()], "leaf.test");
    passes(&[root(), authority(&[GOLD]).demanding(3), second(&[GOLD]), bare_leaf()]);
}

#[test]
fn the_lowest_demand_counts_whoever_makes_it() {
    lacks(&[root(), authority(&[GOLD]).demanding(0), second(&[GOLD]).demanding(9), bare_leaf()], "leaf.test");
    lacks(&[root(), authority(&[GOLD]).demanding(9), second(&[GOLD]).demanding(0), bare_leaf()], "leaf.test");
    passes(&[root(), authority(&[GOLD]).demanding(9), second(&[GOLD]).demanding(9), bare_leaf()]);
}

#[test]
fn a_self_issued_authority_is_not_counted_by_a_demand() {
    passes(&[root(), authority(&[GOLD]).demanding(2), rollover(&[GOLD]), bare_leaf()]);
    passes(&[root(), authority(&[GOLD]).demanding(2), rollover(&[GOLD]), rollover(&[GOLD]), bare_leaf()]);
}

#[test]
fn a_leaf_may_demand_a_policy_of_itself_with_zero_alone() {
    lacks(&[root(), authority(&[GOLD]), bare_leaf().demanding(0)], "leaf.test");
    passes(&[root(), authority(&[GOLD]), leaf(&[GOLD]).demanding(0)]);
    passes(&[root(), authority(&[GOLD]), bare_leaf().demanding(1)]);
}

#[test]
fn any_policy_stands_for_each_of_them() {
    passes(&[root(), authority(&[ANY]).demanding(0), leaf(&[GOLD])]);
    passes(&[root(), authority(&[GOLD]).demanding(0), leaf(&[ANY])]);
    passes(&[root(), authority(&[ANY]).demanding(0), leaf(&[ANY])]);
    passes(&[root(), authority(&[GOLD]).demanding(0), second(&[ANY]), leaf(&[GOLD])]);
    lacks(&[root(), authority(&[GOLD]).demanding(0), second(&[ANY]), leaf(&[SILVER])], "leaf.test");
}

#[test]
fn inhibited_any_policy_stands_for_none() {
    lacks(&[root(), authority(&[GOLD]).demanding(0).inhibiting(0), leaf(&[ANY])], "leaf.test");
    passes(&[root(), authority(&[GOLD]).demanding(0).inhibiting(0), leaf(&[ANY, GOLD])]);
    // What was any before it was inhibited stays so.
    passes(&[root(), authority(&[ANY]).demanding(0).inhibiting(0), leaf(&[GOLD])]);
    lacks(&[root(), authority(&[GOLD]).demanding(0).inhibiting(0), second(&[ANY]), leaf(&[GOLD])], "second");
}

#[test]
fn the_inhibition_of_any_policy_skips_as_many_certificates_as_it_says() {
    let inhibiting = |skip| authority(&[GOLD]).demanding(0).inhibiting(skip);
    passes(&[root(), inhibiting(1), leaf(&[ANY])]);
    passes(&[root(), inhibiting(1), second(&[ANY]), leaf(&[GOLD])]);
    lacks(&[root(), inhibiting(1), second(&[ANY]), leaf(&[ANY])], "leaf.test");
    passes(&[root(), inhibiting(2), second(&[ANY]), leaf(&[ANY])]);
    // The lowest counts.
    lacks(&[root(), inhibiting(0), second(&[GOLD]).inhibiting(5), leaf(&[ANY])], "leaf.test");
}

#[test]
fn a_self_issued_authority_may_have_any_policy_where_it_is_inhibited() {
    let inhibiting = |skip| authority(&[GOLD]).demanding(0).inhibiting(skip);
    passes(&[root(), inhibiting(0), rollover(&[ANY]), leaf(&[GOLD])]);
    // It is not counted either.
    passes(&[root(), inhibiting(1), rollover(&[ANY]), leaf(&[ANY])]);
    // Section 6.1.3 (d) (2): not a leaf, self-issued or not.
    let mut own = leaf(&[ANY]);
    own.subject = name("authority");
    lacks(&[root(), inhibiting(0), own], "authority");
}

#[test]
fn a_mapping_puts_the_policy_of_those_below_for_that_of_those_above() {
    let mapping = || authority(&[GOLD]).demanding(0).mapping(GOLD, SILVER);
    passes(&[root(), mapping(), leaf(&[SILVER])]);
    lacks(&[root(), mapping(), leaf(&[GOLD])], "leaf.test");
    passes(&[root(), mapping(), leaf(&[ANY])]);
    let other = authority(&[GOLD]).demanding(0).mapping(SILVER, GOLD);
    passes(&[root(), other.clone(), leaf(&[GOLD])]);
    lacks(&[root(), other, leaf(&[SILVER])], "leaf.test");
}

#[test]
fn one_policy_may_be_mapped_to_several() {
    let pair = |to| sequence(&[&oid(GOLD), &oid(to)]);
    let both = authority(&[GOLD]).demanding(0).critical(MAPPINGS, &sequence(&[&pair(SILVER), &pair(GOLD)]));
    for policy in [GOLD, SILVER] {
        passes(&[root(), both.clone(), leaf(&[policy])]);
    }
    lacks(&[root(), both, leaf(&[&[0x2A, 3, 3]])], "leaf.test");
}

#[test]
fn a_policy_that_any_policy_stands_for_can_be_mapped() {
    let inhibited = authority(&[ANY]).demanding(0).mapping(GOLD, SILVER);
    passes(&[root(), inhibited.clone(), leaf(&[SILVER])]);
    // Section 6.1.3 (d) (1) (ii): what nothing expects is still under anyPolicy.
    passes(&[root(), inhibited, leaf(&[GOLD])]);
}

#[test]
fn an_inhibited_mapping_takes_its_policy_away() {
    let mapping = |policies: &[&[u8]]| second(policies).mapping(GOLD, SILVER);
    let above = |skip| authority(&[GOLD]).keeping(skip);
    for policy in [GOLD, SILVER] {
        lacks(&[root(), above(0), mapping(&[GOLD]), leaf(&[policy])], "leaf.test");
    }
    passes(&[root(), authority(&[GOLD, SILVER]).keeping(0), mapping(&[GOLD, SILVER]), leaf(&[SILVER])]);
}

#[test]
fn the_inhibition_of_mappings_skips_as_many_certificates_as_it_says() {
    let mapping = || second(&[GOLD]).mapping(GOLD, SILVER);
    let above = |skip| authority(&[GOLD]).keeping(skip);
    passes(&[root(), above(1), mapping(), leaf(&[SILVER])]);
    lacks(&[root(), above(1), second(&[GOLD]), mapping(), leaf(&[SILVER])], "leaf.test");
    passes(&[root(), above(2), second(&[GOLD]), mapping(), leaf(&[SILVER])]);
    // One that is self-issued is not counted.
    passes(&[root(), above(1), rollover(&[GOLD]), mapping(), leaf(&[SILVER])]);
    // An authority's own mappings come before its own inhibition (section 6.1.4 (b) and (i)).
    passes(&[root(), authority(&[GOLD]).mapping(GOLD, SILVER).keeping(0), leaf(&[SILVER])]);
}

#[test]
fn a_policy_may_have_qualifiers() {
    let qualified = sequence(&[&sequence(&[&oid(GOLD), &sequence(&[&[0x30, 0]])])]);
    passes(&[root(), authority(&[GOLD]).demanding(0), bare_leaf().with(POLICIES, &qualified)]);
    let unordered = sequence(&[&sequence(&[&oid(GOLD), &[5, 0]])]);
    malformed(
        &[root(), authority(&[GOLD]).demanding(0), bare_leaf().with(POLICIES, &unordered)],
        "certificate policies",
    );
}

#[test]
fn a_list_of_policies_is_neither_empty_nor_has_one_twice() {
    for bad in [leaf(&[GOLD, GOLD]), leaf(&[]), leaf(&[ANY, ANY])] {
        malformed(&[root(), authority(&[GOLD]).demanding(0), bad], "certificate policies");
    }
}

#[test]
fn any_policy_is_mapped_neither_from_nor_to() {
    for (from, to) in [(ANY, GOLD), (GOLD, ANY)] {
        malformed(&[root(), authority(&[GOLD]).mapping(from, to), bare_leaf()], "policy mappings");
    }
    let empty = authority(&[GOLD]).critical(MAPPINGS, &sequence(&[]));
    malformed(&[root(), empty, bare_leaf()], "policy mappings");
}

#[test]
fn constraints_of_policies_are_neither_empty_nor_negative_nor_out_of_order() {
    for bad in [&[][..], &[0x80, 1, 0xFF], &[0x80, 0], &[0x81, 1, 0, 0x80, 1, 0], &[0x82, 1, 0]] {
        let bad = authority(&[GOLD]).critical(POLICY_CONSTRAINTS, &sequence(&[bad]));
        malformed(&[root(), bad, bare_leaf()], "policy constraints");
    }
    let bad = bare_leaf().critical(POLICY_CONSTRAINTS, &sequence(&[]));
    malformed(&[root(), authority(&[GOLD]), bad], "policy constraints");
    for bad in [&[2, 1, 0xFF][..], &[2, 0], &[4, 1, 0], &[2, 1, 0, 0]] {
        let bad = authority(&[GOLD]).critical(INHIBIT_ANY, bad);
        malformed(&[root(), bad, bare_leaf()], "inhibition of any policy");
    }
}

#[test]
fn policies_cost_what_they_are_many() {
    let many: Vec<[u8; 3]> = (0..100).map(|last| [0x2A, 3, last]).collect();
    let many: Vec<&[u8]> = many.iter().map(|policy| &policy[..]).collect();
    let path = [root(), authority(&many).demanding(0), leaf(&many)];
    assert_eq!(check(&path), Ok(()));
    let short = Budget { comparisons: 150, ..Budget::default() };
    let error = check_within(&path, short).unwrap_err();
    assert!(matches!(error, VerifyError::Budget(_)), "{}", error.to_string());
}
