//! Extensions of certificates, read strictly (RFC 5280 section 4.2, RFC 7633).

use alloc::vec::Vec;

use super::der::{BIT_STRING, Elements, INTEGER, OCTET_STRING, OID, SEQUENCE, boolean};

/// How many extensions are read; certificates have about ten.
const MOST: usize = 64;

/// One extension.
pub(super) struct Extension<'a> {
    pub(super) oid: &'a [u8],
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

/// All extensions in the content of `Extensions`.
pub(super) fn list(content: &[u8]) -> Result<Vec<Extension<'_>>, &'static str> {
    let malformed = "its extensions are malformed";
    let mut found: Vec<Extension<'_>> = Vec::new();
    let mut elements = Elements::inside(content, SEQUENCE).ok_or(malformed)?;
    if elements.is_empty() {
        return Err("its list of extensions is empty");
    }
    while !elements.is_empty() {
        let extension = elements.expect(SEQUENCE).and_then(one).ok_or(malformed)?;
        // RFC 5280 section 4.2: "A certificate MUST NOT include more than one instance of a particular extension."
        if found.iter().any(|other| other.oid == extension.oid) {
            return Err("an extension appears twice");
        }
        if found.len() >= MOST {
            return Err("it has more extensions than are read");
        }
        found.push(extension);
    }
    Ok(found)
}

fn one(content: &[u8]) -> Option<Extension<'_>> {
    let mut parts = Elements::of(content);
    let oid = parts.expect(OID).filter(|oid| !oid.is_empty())?;
    let critical = boolean(&mut parts)?;
    let value = parts.expect(OCTET_STRING)?;
    parts.end()?;
    Some(Extension { oid, critical, value })
}

/// The extensions that are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    AuthorityKeyIdentifier,
    SubjectKeyIdentifier,
    KeyUsage,
    Policies,
    PolicyMappings,
    SubjectAltName,
    BasicConstraints,
    NameConstraints,
    PolicyConstraints,
    ExtendedKeyUsage,
    InhibitAnyPolicy,
    AuthorityInformation,
    CrlDistribution,
    TlsFeature,
}

impl Known {
    pub(super) fn of(oid: &[u8]) -> Option<Self> {
        Some(match oid {
            [0x55, 0x1D, 14] => Self::SubjectKeyIdentifier,
            [0x55, 0x1D, 15] => Self::KeyUsage,
            [0x55, 0x1D, 17] => Self::SubjectAltName,
            [0x55, 0x1D, 19] => Self::BasicConstraints,
            [0x55, 0x1D, 30] => Self::NameConstraints,
            [0x55, 0x1D, 31] => Self::CrlDistribution,
            [0x55, 0x1D, 32] => Self::Policies,
            [0x55, 0x1D, 33] => Self::PolicyMappings,
            [0x55, 0x1D, 35] => Self::AuthorityKeyIdentifier,
            [0x55, 0x1D, 36] => Self::PolicyConstraints,
            [0x55, 0x1D, 37] => Self::ExtendedKeyUsage,
            [0x55, 0x1D, 54] => Self::InhibitAnyPolicy,
            [0x2B, 6, 1, 5, 5, 7, 1, 1] => Self::AuthorityInformation,
            [0x2B, 6, 1, 5, 5, 7, 1, 24] => Self::TlsFeature,
            _ => return None,
        })
    }

    const fn bit(self) -> u16 {
        match self {
            Self::AuthorityKeyIdentifier => 1,
            Self::SubjectKeyIdentifier => 1 << 1,
            Self::KeyUsage => 1 << 2,
            Self::Policies => 1 << 3,
            Self::PolicyMappings => 1 << 4,
            Self::SubjectAltName => 1 << 5,
            Self::BasicConstraints => 1 << 6,
            Self::NameConstraints => 1 << 7,
            Self::PolicyConstraints => 1 << 8,
            Self::ExtendedKeyUsage => 1 << 9,
            Self::InhibitAnyPolicy => 1 << 10,
            Self::AuthorityInformation => 1 << 11,
            Self::CrlDistribution => 1 << 12,
            Self::TlsFeature => 1 << 13,
        }
    }
}

/// A set of extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(u16);

impl Set {
    pub(super) fn add(&mut self, known: Known) {
        self.0 |= known.bit();
    }

    pub(super) fn has(self, known: Known) -> bool {
        self.0 & known.bit() != 0
    }
}

/// What basicConstraints says (RFC 5280 section 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// No certification authority; `path_len` has no business there.
    No { path_len: Option<u32> },
    /// One, with this many intermediate certificates below it at most.
    Yes { path_len: Option<u32> },
}

pub(super) fn basic_constraints(value: &[u8]) -> Option<Authority> {
    let mut parts = Elements::inside(value, SEQUENCE)?;
    let authority = boolean(&mut parts)?;
    let path_len = if parts.is_empty() { None } else { Some(small(parts.expect(INTEGER)?)?) };
    parts.end()?;
    Some(if authority { Authority::Yes { path_len } } else { Authority::No { path_len } })
}

/// An INTEGER that is not negative; what is larger than a `u32` counts as its largest value.
pub(super) fn small(content: &[u8]) -> Option<u32> {
    match content {
        [] => None,
        [first, ..] if first & 0x80 != 0 => None,
        [0, second, ..] if second & 0x80 == 0 => None,
        _ => Some(content.iter().fold(0_u32, |number, byte| {
            number
                .checked_mul(256)
                .and_then(|number| number.checked_add(u32::from(*byte)))
                .unwrap_or(u32::MAX)
        })),
    }
}

/// The bits of keyUsage that matter (RFC 5280 section 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUsage {
    pub(crate) digital_signature: bool,
    pub(crate) key_cert_sign: bool,
    pub(crate) crl_sign: bool,
}

pub(super) fn key_usage(value: &[u8]) -> Option<KeyUsage> {
    let content = Elements::of(value).only().filter(|bits| bits.tag == BIT_STRING)?.content;
    let (unused, bits) = content.split_first()?;
    let last = *bits.last()?;
    if *unused > 7 || u32::from(*unused) > last.trailing_zeros().min(7) {
        return None;
    }
    // RFC 5280 section 4.2.1.3: "When the keyUsage extension appears in a certificate, at least one of the bits MUST be
    // set to 1."
    if bits.iter().all(|byte| *byte == 0) {
        return None;
    }
    let first = bits.first().copied().unwrap_or(0);
    Some(KeyUsage {
        digital_signature: first & 0x80 != 0,
        key_cert_sign: first & 0x04 != 0,
        crl_sign: first & 0x02 != 0,
    })
}

/// The purposes of extKeyUsage that matter (RFC 5280 section 4.2.1.12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtendedKeyUsage {
    pub(crate) any: bool,
    pub(crate) server: bool,
    pub(crate) client: bool,
    pub(crate) ocsp_signing: bool,
}

pub(super) fn extended_key_usage(value: &[u8]) -> Option<ExtendedKeyUsage> {
    let mut purposes = Elements::inside(value, SEQUENCE).filter(|purposes| !purposes.is_empty())?;
    let mut found = ExtendedKeyUsage::default();
    while !purposes.is_empty() {
        match purposes.expect(OID)? {
            [] => return None,
            [0x55, 0x1D, 37, 0] => found.any = true,
            [0x2B, 6, 1, 5, 5, 7, 3, 1] => found.server = true,
            [0x2B, 6, 1, 5, 5, 7, 3, 2] => found.client = true,
            [0x2B, 6, 1, 5, 5, 7, 3, 9] => found.ocsp_signing = true,
            _ => {}
        }
    }
    Some(found)
}

/// authorityKeyIdentifier (RFC 5280 section 4.2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AuthorityKey<'a> {
    pub(super) key: Option<&'a [u8]>,
    /// It names the issuer's certificate by its issuer or its serial number.
    pub(super) names_certificate: bool,
}

pub(super) fn authority_key(value: &[u8]) -> Option<AuthorityKey<'_>> {
    let mut parts = Elements::inside(value, SEQUENCE)?;
    let mut found = AuthorityKey { key: None, names_certificate: false };
    // keyIdentifier [0], authorityCertIssuer [1], authorityCertSerialNumber [2].
    let mut least = 0;
    while !parts.is_empty() {
        let part = parts.next()?;
        if part.tag & 0x1F < least {
            return None;
        }
        least = (part.tag & 0x1F).checked_add(1)?;
        match part.tag {
            0x80 => found.key = Some(part.content),
            0x82 | 0xA1 => found.names_certificate = true,
            _ => return None,
        }
    }
    Some(found)
}

/// The places of issuers' certificates in authorityInfoAccess (RFC 5280 section 4.2.2.1).
pub(super) fn issuer_places(value: &[u8]) -> Option<Vec<&str>> {
    let mut descriptions = Elements::inside(value, SEQUENCE).filter(|all| !all.is_empty())?;
    let mut places = Vec::new();
    while !descriptions.is_empty() {
        let mut description = Elements::of(descriptions.expect(SEQUENCE)?);
        let method = description.expect(OID)?;
        let place = description.next()?;
        description.end()?;
        if !matches!(place.tag, 0x81 | 0x82 | 0x86 | 0x87 | 0x88 | 0xA0 | 0xA3 | 0xA4 | 0xA5) {
            return None;
        }
        if place.tag == 0x86 && method == [0x2B, 6, 1, 5, 5, 7, 0x30, 2] {
            places.push(core::str::from_utf8(place.content).ok()?);
        }
    }
    Some(places)
}

/// Whether the features that a server must show have status_request (5) among them (RFC 7633 section 4.2.1).
pub(super) fn demands_staple(value: &[u8]) -> Option<bool> {
    let mut features = Elements::inside(value, SEQUENCE)?;
    let mut demanded = false;
    while !features.is_empty() {
        demanded |= small(features.expect(INTEGER)?)? == 5;
    }
    Some(demanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_tells_every_known_extension_from_all_others() {
        let common =
            [14, 15, 17, 19, 30, 31, 32, 33, 35, 36, 37, 54].map(|last| Known::of(&[0x55, 0x1D, last]));
        let internet = [1, 24].map(|last| Known::of(&[0x2B, 6, 1, 5, 5, 7, 1, last]));
        let known: Vec<Known> = common.into_iter().chain(internet).map(Option::unwrap).collect();
        for (position, one) in known.iter().enumerate() {
            let mut set = Set::default();
            set.add(*one);
            for (at, other) in known.iter().enumerate() {
                assert_eq!(set.has(*other), at == position, "{position} {at}");
            }
        }
        assert!(Known::of(&[0x55, 0x1D, 9]).is_none());
    }

    #[test]
    fn basic_constraints_are_read_in_all_forms_and_no_other() {
        assert_eq!(basic_constraints(&[0x30, 0]), Some(Authority::No { path_len: None }));
        assert_eq!(basic_constraints(&[0x30, 3, 1, 1, 0xFF]), Some(Authority::Yes { path_len: None }));
        for (number, path_len) in [
            (&[2, 1, 3][..], 3),
            (&[2, 2, 0, 0x80], 0x80),
            (&[2, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF], u32::MAX),
            (&[2, 5, 1, 0, 0, 0, 0], u32::MAX),
        ] {
            let constrained = [&[0x30, 3 + number.len() as u8, 1, 1, 0xFF], number].concat();
            let path_len = Some(path_len);
            assert_eq!(basic_constraints(&constrained), Some(Authority::Yes { path_len }), "{number:02x?}");
        }
        for bad in [
            &[0x30, 3, 1, 1, 1][..],
            &[0x30, 6, 1, 1, 0xFF, 2, 1, 0xFF],
            &[0x30, 7, 1, 1, 0xFF, 2, 2, 0, 3],
            &[0x30, 5, 1, 1, 0xFF, 5, 0],
            &[0x30, 0, 0],
        ] {
            assert_eq!(basic_constraints(bad), None, "{bad:02x?}");
        }
    }

    #[test]
    fn key_usage_needs_a_bit_and_a_proper_end() {
        let signing = KeyUsage { digital_signature: true, key_cert_sign: false, crl_sign: false };
        assert_eq!(key_usage(&[3, 2, 7, 0x80]), Some(signing));
        let authority = KeyUsage { digital_signature: false, key_cert_sign: true, crl_sign: true };
        assert_eq!(key_usage(&[3, 2, 1, 6]), Some(authority));
        for bad in [&[3, 2, 0, 0][..], &[3, 1, 0], &[3, 0], &[3, 2, 8, 0x80], &[3, 2, 2, 6], &[3, 2, 1, 6, 0]]
        {
            assert_eq!(key_usage(bad), None, "{bad:02x?}");
        }
    }

    #[test]
    fn a_list_of_purposes_may_not_be_empty_nor_may_a_purpose() {
        assert_eq!(extended_key_usage(&[0x30, 0]), None);
        assert_eq!(extended_key_usage(&[0x30, 2, 6, 0]), None, "an identifier of no bytes");
        let any = extended_key_usage(&[0x30, 6, 6, 4, 0x55, 0x1D, 37, 0]).unwrap();
        assert!(any.any && !any.server && !any.client);
    }

    #[test]
    fn an_authority_key_identifier_has_its_parts_in_order() {
        let key = authority_key(&[0x30, 4, 0x80, 2, 1, 2]).unwrap();
        assert_eq!((key.key, key.names_certificate), (Some(&[1, 2][..]), false));
        assert!(authority_key(&[0x30, 5, 0xA1, 0, 0x82, 1, 1]).unwrap().names_certificate);
        assert_eq!(authority_key(&[0x30, 6, 0x82, 1, 1, 0x80, 1, 1]), None);
    }

    #[test]
    fn an_empty_authority_information_access_is_malformed() {
        assert_eq!(issuer_places(&[0x30, 0]), None);
    }

    #[test]
    fn the_fifth_feature_demands_a_staple() {
        assert_eq!(demands_staple(&[0x30, 3, 2, 1, 5]), Some(true));
        assert_eq!(demands_staple(&[0x30, 3, 2, 1, 17]), Some(false));
        assert_eq!(demands_staple(&[0x30, 3, 2, 1]), None);
    }

    #[test]
    fn an_extension_twice_or_none_at_all_is_refused() {
        let one = [0x30, 8, 6, 3, 0x55, 0x1D, 99, 4, 1, 0];
        let listed = |content: &[u8]| list(content).map(|found| found.len());
        assert_eq!(listed(&[&[0x30, 10][..], &one].concat()), Ok(1));
        assert_eq!(listed(&[&[0x30, 20][..], &one, &one].concat()), Err("an extension appears twice"));
        assert!(listed(&[0x30, 0]).is_err());
    }
}
