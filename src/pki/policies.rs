//! Certificate policies (RFC 5280 section 6.1): whether a policy is left where a path demands that one is.
//!
//! Any policy will do, and none is demanded at the start. So of the tree of section 6.1.2 only the nodes of the deepest
//! level are kept: the others matter only for which policy it was.

use alloc::collections::{BTreeMap, BTreeSet};

use super::der::{Elements, INTEGER, OID, SEQUENCE};
use super::extension::small;
use super::{Budget, Certificate, VerifyError};

const ANY: &[u8] = &[0x55, 0x1D, 32, 0];

/// The nodes of one level: a policy, and the policies expected below it.
type Level<'a> = BTreeMap<&'a [u8], BTreeSet<&'a [u8]>>;

/// The state variables of section 6.1.2; `None` is a number that no path counts down to zero.
struct State<'a> {
    level: Level<'a>,
    explicit: Option<u32>,
    mapping: Option<u32>,
    any: Option<u32>,
}

/// Checks the policies of `path`, leaf first, root last.
pub(super) fn check(path: &[&Certificate<'_>], budget: &mut Budget) -> Result<(), VerifyError> {
    let concerned = |certificate: &&Certificate<'_>| {
        certificate.policy_constraints.is_some()
            || certificate.policy_mappings.is_some()
            || certificate.inhibit_any_policy.is_some()
    };
    if !path.iter().any(concerned) {
        return Ok(()); // Nobody demands a policy.
    }
    let Some((leaf, authorities)) = path.split_first() else { return Ok(()) };
    let mut state = State {
        level: BTreeMap::from([(ANY, BTreeSet::from([ANY]))]),
        explicit: None,
        mapping: None,
        any: None,
    };
    for (depth, authority) in authorities.iter().rev().enumerate() {
        // A root is trusted as it is: one that names no policy is trusted for all of them.
        if depth > 0 || authority.policies.is_some() {
            state.absorb(authority, Place::Authority, budget)?;
        }
        state.prepare(authority, budget)?;
    }
    state.absorb(leaf, Place::Leaf, budget)?;
    // Section 6.1.5 (a) and (b).
    let explicit = state.explicit.map(|left| left.saturating_sub(1));
    let demanded = explicit == Some(0) || constraints(leaf)?.0 == Some(0);
    if demanded && state.level.is_empty() {
        return Err(without(leaf));
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Authority,
    Leaf,
}

impl<'a> State<'a> {
    /// Section 6.1.3 (d) to (f).
    fn absorb(
        &mut self,
        certificate: &Certificate<'a>,
        place: Place,
        budget: &mut Budget,
    ) -> Result<(), VerifyError> {
        let mut next = Level::new();
        if let Some(value) = certificate.policies {
            let policies = policies(value, budget)?.ok_or_else(|| malformed("certificate policies"))?;
            let expected: BTreeSet<&'a [u8]> = self.level.values().flatten().copied().collect();
            let from_any = self.level.contains_key(ANY);
            for policy in policies.iter().filter(|policy| **policy != ANY) {
                if from_any || expected.contains(policy) {
                    next.insert(policy, BTreeSet::from([*policy]));
                }
            }
            let may_be_any =
                self.any != Some(0) || (place == Place::Authority && certificate.is_self_issued());
            if policies.contains(ANY) && may_be_any {
                for policy in expected {
                    budget.pay_comparison()?;
                    next.entry(policy).or_insert_with(|| BTreeSet::from([policy]));
                }
            }
        }
        self.level = next;
        if self.explicit == Some(0) && self.level.is_empty() {
            return Err(without(certificate));
        }
        Ok(())
    }

    /// Section 6.1.4 (a), (b) and (h) to (j).
    fn prepare(&mut self, certificate: &Certificate<'a>, budget: &mut Budget) -> Result<(), VerifyError> {
        if let Some(value) = certificate.policy_mappings {
            let mappings = mappings(value, budget)?.ok_or_else(|| malformed("policy mappings"))?;
            self.map(mappings);
        }
        if !certificate.is_self_issued() {
            for left in [&mut self.explicit, &mut self.mapping, &mut self.any] {
                *left = left.map(|left| left.saturating_sub(1));
            }
        }
        let (explicit, mapping) = constraints(certificate)?;
        lower(&mut self.explicit, explicit);
        lower(&mut self.mapping, mapping);
        if let Some(value) = certificate.inhibit_any_policy {
            let number = Elements::of(value).only().filter(|number| number.tag == INTEGER);
            let skip = number.and_then(|number| small(number.content));
            lower(&mut self.any, Some(skip.ok_or_else(|| malformed("inhibition of any policy"))?));
        }
        Ok(())
    }

    fn map(&mut self, mappings: BTreeMap<&'a [u8], BTreeSet<&'a [u8]>>) {
        for (from, to) in mappings {
            if self.mapping == Some(0) {
                self.level.remove(from);
            } else if self.level.contains_key(from) || self.level.contains_key(ANY) {
                self.level.insert(from, to);
            }
        }
    }
}

fn lower(left: &mut Option<u32>, to: Option<u32>) {
    *left = match (*left, to) {
        (Some(left), Some(to)) => Some(left.min(to)),
        (left, to) => left.or(to),
    };
}

/// requireExplicitPolicy and inhibitPolicyMapping of a certificate (RFC 5280 section 4.2.1.11).
fn constraints(certificate: &Certificate<'_>) -> Result<(Option<u32>, Option<u32>), VerifyError> {
    let Some(value) = certificate.policy_constraints else { return Ok((None, None)) };
    let read = || {
        // "Conforming CAs MUST NOT issue certificates where policy constraints is an empty sequence."
        let mut parts = Elements::inside(value, SEQUENCE).filter(|parts| !parts.is_empty())?;
        let (mut explicit, mut mapping) = (None, None);
        if parts.peek() == Some(0x80) {
            explicit = Some(small(parts.expect(0x80)?)?);
        }
        if !parts.is_empty() {
            mapping = Some(small(parts.expect(0x81)?)?);
        }
        parts.end().map(|()| (explicit, mapping))
    };
    read().ok_or_else(|| malformed("policy constraints"))
}

/// RFC 5280 section 4.2.1.4: "A certificate policy OID MUST NOT appear more than once". `None` when malformed.
fn policies<'a>(value: &'a [u8], budget: &mut Budget) -> Result<Option<BTreeSet<&'a [u8]>>, VerifyError> {
    let Some(mut all) = Elements::inside(value, SEQUENCE).filter(|all| !all.is_empty()) else {
        return Ok(None);
    };
    let mut found = BTreeSet::new();
    while !all.is_empty() {
        budget.pay_comparison()?;
        let policy = all.expect(SEQUENCE).and_then(|information| {
            let mut parts = Elements::of(information);
            let policy = parts.expect(OID)?;
            let _qualifiers = if parts.is_empty() { &[] } else { parts.expect(SEQUENCE)? };
            parts.end().map(|()| policy)
        });
        match policy {
            Some(policy) if found.insert(policy) => {}
            _ => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// RFC 5280 section 4.2.1.5: "Policies MUST NOT be mapped either to or from the special value anyPolicy". `None` when
/// malformed.
#[allow(clippy::type_complexity)] // the error is the budget's
fn mappings<'a>(
    value: &'a [u8],
    budget: &mut Budget,
) -> Result<Option<BTreeMap<&'a [u8], BTreeSet<&'a [u8]>>>, VerifyError> {
    let Some(mut all) = Elements::inside(value, SEQUENCE).filter(|all| !all.is_empty()) else {
        return Ok(None);
    };
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    while !all.is_empty() {
        budget.pay_comparison()?;
        let pair = all.expect(SEQUENCE).and_then(|pair| {
            let mut parts = Elements::of(pair);
            let pair = (parts.expect(OID)?, parts.expect(OID)?);
            parts.end().map(|()| pair)
        });
        match pair {
            Some((from, to)) if from != ANY && to != ANY => {
                found.entry(from).or_default().insert(to);
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(found))
}

fn malformed(what: &str) -> VerifyError {
    VerifyError::Malformed(alloc::format!("its {what} are malformed"))
}

fn without(certificate: &Certificate<'_>) -> VerifyError {
    let why = "has no policy that is valid on its path, and an authority above it demands one";
    VerifyError::Usage { subject: certificate.subject(), why }
}
