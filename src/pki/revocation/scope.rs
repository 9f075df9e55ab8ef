//! Which certificates of its issuer a CRL is about: issuingDistributionPoint (RFC 5280 section 5.2.5).

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::RevocationError;
use crate::pki::der::{Elements, SEQUENCE};
use crate::pki::outline::Outline;
use crate::pki::{Authority, Certificate, extension};

/// id-ce-cRLDistributionPoints.
const DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1D, 31];

/// The tags of issuingDistributionPoint, which are in this order.
const POINT: u8 = 0xA0;
const ONLY_USERS: u8 = 0x81;
const ONLY_AUTHORITIES: u8 = 0x82;
const SOME_REASONS: u8 = 0x83;
const INDIRECT: u8 = 0x84;
const ONLY_ATTRIBUTES: u8 = 0x85;

/// Whose certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Whose {
    #[default]
    Everyone,
    Users,
    Authorities,
}

/// What a CRL is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    whose: Whose,
    /// A DistributionPointName: only certificates that name it are meant.
    point: Option<Vec<u8>>,
}

impl Scope {
    /// Reads the value of the extension.
    pub(super) fn read(value: &[u8]) -> Result<Self, RevocationError> {
        let malformed = RevocationError::Malformed("its issuing distribution point is malformed");
        let not_evaluated = |what: &str| Err(RevocationError::NotEvaluated(what.to_owned()));
        let mut scope = Self::default();
        let mut latest = None;
        let Some(mut parts) = Elements::inside(value, SEQUENCE) else { return Err(malformed) };
        while !parts.is_empty() {
            let Some(part) = parts.next() else { return Err(malformed) };
            if latest >= Some(part.tag & 0x1F) {
                return Err(malformed);
            }
            latest = Some(part.tag & 0x1F);
            match (part.tag, part.content) {
                (POINT, name) if Elements::of(name).only().is_some() => scope.point = Some(name.to_vec()),
                (SOME_REASONS, _) => return not_evaluated("a CRL of only some reasons"),
                (ONLY_USERS | ONLY_AUTHORITIES | INDIRECT | ONLY_ATTRIBUTES, [0]) => {}
                (INDIRECT, [0xFF]) => return not_evaluated("an indirect CRL"),
                (ONLY_ATTRIBUTES, [0xFF]) => return not_evaluated("a CRL of attribute certificates"),
                (ONLY_USERS, [0xFF]) => scope.whose = Whose::Users,
                (ONLY_AUTHORITIES, [0xFF]) if scope.whose == Whose::Everyone => {
                    scope.whose = Whose::Authorities;
                }
                _ => return Err(malformed),
            }
        }
        Ok(scope)
    }

    /// Whether `certificate`, which is of the CRL's issuer, would be on the CRL if it were revoked.
    pub(super) fn covers(&self, certificate: &Certificate<'_>) -> bool {
        let is_authority = matches!(certificate.authority, Authority::Yes { .. });
        // RFC 5280 section 5.2.5: "If either onlyContainsUserCerts or onlyContainsCACerts is set to TRUE, then the scope of
        // the CRL MUST NOT include any version 1 or version 2 certificates."
        let of_kind = match self.whose {
            Whose::Everyone => true,
            Whose::Users => !is_authority && certificate.version == 3,
            Whose::Authorities => is_authority && certificate.version == 3,
        };
        of_kind && self.point.as_ref().is_none_or(|point| names_point(certificate, point).unwrap_or(false))
    }
}

/// RFC 5280 section 6.3.3 (b) (2) (i): "verify that one of the names in the IDP matches one of the names in the DP".
fn names_point(certificate: &Certificate<'_>, point: &[u8]) -> Option<bool> {
    let extensions = extension::list(Outline::of(certificate.der)?.extensions?).ok()?;
    let value = extensions.iter().find(|extension| extension.oid == DISTRIBUTION_POINTS)?.value;
    let mut points = Elements::inside(value, SEQUENCE)?;
    while !points.is_empty() {
        let mut parts = Elements::of(points.expect(SEQUENCE)?);
        // A point of other CRL issuers, or of some reasons, is not about all that this CRL says.
        if let (Some(name), true) = (parts.next().filter(|part| part.tag == POINT), parts.is_empty())
            && is_same_point(name.content, point)
        {
            return Some(true);
        }
    }
    Some(false)
}

/// Whether two DistributionPointNames have a name in common. "The identical encoding MUST be used".
fn is_same_point(one: &[u8], other: &[u8]) -> bool {
    // fullName: any of several.
    let names = |of| Elements::inside(of, 0xA0);
    let (Some(mut ones), Some(others)) = (names(one), names(other)) else { return one == other };
    while let Some(name) = ones.next() {
        let mut others = others.clone();
        while let Some(other) = others.next() {
            if other.whole == name.whole {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_scope_are_in_order_and_once() {
        assert_eq!(Scope::read(&[0x30, 0]), Ok(Scope::default()));
        assert_eq!(Scope::read(&[0x30, 3, 0x81, 1, 0xFF]).unwrap().whose, Whose::Users);
        assert_eq!(Scope::read(&[0x30, 6, 0x81, 1, 0, 0x82, 1, 0xFF]).unwrap().whose, Whose::Authorities);
        for bad in [
            &[0x30, 6, 0x81, 1, 0xFF, 0x82, 1, 0xFF][..],
            &[0x30, 6, 0x82, 1, 0xFF, 0x81, 1, 0],
            &[0x30, 6, 0x81, 1, 0xFF, 0x81, 1, 0xFF],
            &[0x30, 3, 0x81, 1, 1],
            &[0x30, 2, 0xA0, 0],
            &[0x30, 3, 0x86, 1, 0],
            &[0x30, 3, 0x81, 1],
        ] {
            assert!(matches!(Scope::read(bad), Err(RevocationError::Malformed(_))), "{bad:02x?}");
        }
    }

    #[test]
    fn indirect_lists_and_lists_of_some_reasons_or_attributes_are_not_taken() {
        for bad in [&[0x30, 3, 0x84, 1, 0xFF][..], &[0x30, 3, 0x85, 1, 0xFF], &[0x30, 4, 0x83, 2, 1, 2]] {
            assert!(matches!(Scope::read(bad), Err(RevocationError::NotEvaluated(_))), "{bad:02x?}");
        }
    }

    #[test]
    fn points_are_the_same_when_they_share_a_name() {
        let (a, b) = ([0x86, 1, b'a'], [0x86, 1, b'b']);
        let full = |names: &[[u8; 3]]| [&[0xA0, (names.len() * 3) as u8][..], &names.concat()].concat();
        assert!(is_same_point(&full(&[a, b]), &full(&[b])));
        assert!(!is_same_point(&full(&[a]), &full(&[b])));
        assert!(is_same_point(&[0xA1, 1, 0], &[0xA1, 1, 0]));
        assert!(!is_same_point(&[0xA1, 1, 0], &full(&[a])));
    }
}
