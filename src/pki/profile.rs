//! Which rules count besides the ones that always do, as data: each can be switched by itself.

use core::fmt;

/// A rule that some certificates break in good faith, so that a profile says whether it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// The keyUsage of a leaf that has one permits digitalSignature (RFC 9846 section 4.5.1.2). In every profile.
    DigitalSignature,
    /// Every certificate below the root has an authorityKeyIdentifier with a key identifier (RFC 5280 section 4.2.1.1).
    AuthorityKeyIdentifier,
    /// An authorityKeyIdentifier has a key identifier and does not name a certificate (CA/Browser Forum, section
    /// 7.1.2.11.1).
    AuthorityKeyIdentifierForm,
    /// Every authority has a subjectKeyIdentifier (RFC 5280 section 4.2.1.2).
    SubjectKeyIdentifier,
    /// Serial numbers are positive and have at most 20 bytes (RFC 5280 section 4.1.2.2).
    SerialNumber,
    /// Extensions are critical, or not, where RFC 5280 section 4.2 says that they must; nameConstraints have their own
    /// rule.
    Criticality,
    /// nameConstraints are critical (RFC 5280 section 4.2.1.10).
    NameConstraintsCritical,
    /// nameConstraints on DNS names have no period before them (RFC 5280 section 4.2.1.10). Where they may, it stands for
    /// one label or more.
    NameConstraintsForm,
    /// Only authorities have nameConstraints, a path length or keyCertSign (RFC 5280 sections 4.2.1.3, 4.2.1.9,
    /// 4.2.1.10).
    AuthorityExtensions,
    /// Issuers have names (RFC 5280 section 4.1.2.4).
    IssuerName,
    /// Times up to 2049 are UTCTime and later ones GeneralizedTime (RFC 5280 section 4.1.2.5).
    TimeForm,
    /// The subjectAltName of a leaf without a subject is critical (RFC 5280 section 4.2.1.6).
    CriticalAlternativeNames,
    /// The subjectAltName of a leaf with a subject is not critical (CA/Browser Forum, section 7.1.2.7.12).
    PlainAlternativeNames,
    /// A common name that is a host's repeats one of the alternative names to the letter (CA/Browser Forum, section
    /// 7.1.4.3).
    CommonName,
    /// A leaf has an extKeyUsage (CA/Browser Forum, section 7.1.2.7.6).
    Purposes,
    /// The extKeyUsage of a leaf does not name anyExtendedKeyUsage (CA/Browser Forum, section 7.1.2.7.10).
    NoAnyPurpose,
    /// A root has no extKeyUsage (CA/Browser Forum, section 7.1.2.1.2).
    RootPurposes,
    /// A leaf is no authority (CA/Browser Forum, section 7.1.2.7.8).
    LeafIsNoAuthority,
    /// Keys are RSA of a multiple of 8 bits, or ECDSA on a NIST curve (CA/Browser Forum, sections 6.1.1.3, 6.1.5).
    Keys,
    /// All certificates are of X.509 version 3 (CA/Browser Forum, section 7.1.1).
    Version,
}

impl Rule {
    const fn bit(self) -> u32 {
        match self {
            Self::DigitalSignature => 1,
            Self::AuthorityKeyIdentifier => 1 << 1,
            Self::AuthorityKeyIdentifierForm => 1 << 2,
            Self::SubjectKeyIdentifier => 1 << 3,
            Self::SerialNumber => 1 << 4,
            Self::Criticality => 1 << 5,
            Self::NameConstraintsCritical => 1 << 6,
            Self::AuthorityExtensions => 1 << 7,
            Self::IssuerName => 1 << 8,
            Self::TimeForm => 1 << 9,
            Self::CriticalAlternativeNames => 1 << 10,
            Self::PlainAlternativeNames => 1 << 11,
            Self::CommonName => 1 << 12,
            Self::Purposes => 1 << 13,
            Self::NoAnyPurpose => 1 << 14,
            Self::RootPurposes => 1 << 15,
            Self::LeafIsNoAuthority => 1 << 16,
            Self::Keys => 1 << 17,
            Self::Version => 1 << 18,
            Self::NameConstraintsForm => 1 << 19,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DigitalSignature => "the key usage of a leaf permits digitalSignature",
            Self::AuthorityKeyIdentifier => "a certificate below the root has an authority key identifier",
            Self::AuthorityKeyIdentifierForm => {
                "an authority key identifier has a key identifier and nothing else"
            }
            Self::SubjectKeyIdentifier => "an authority has a subject key identifier",
            Self::SerialNumber => "a serial number is positive and has at most 20 bytes",
            Self::Criticality => "extensions are critical, or not, as RFC 5280 says",
            Self::NameConstraintsCritical => "name constraints are critical",
            Self::NameConstraintsForm => "name constraints on DNS names have no period before them",
            Self::AuthorityExtensions => {
                "only an authority has name constraints, a path length or keyCertSign"
            }
            Self::IssuerName => "an issuer has a name",
            Self::TimeForm => "times up to 2049 are UTCTime, later ones GeneralizedTime",
            Self::CriticalAlternativeNames => {
                "the alternative names of a leaf without a subject are critical"
            }
            Self::PlainAlternativeNames => "the alternative names of a leaf with a subject are not critical",
            Self::CommonName => "a host in the common name is one of the alternative names to the letter",
            Self::Purposes => "a leaf has an extended key usage",
            Self::NoAnyPurpose => "the extended key usage of a leaf does not name any purpose",
            Self::RootPurposes => "a root has no extended key usage",
            Self::LeafIsNoAuthority => "a leaf is no certification authority",
            Self::Keys => "a key is RSA of a multiple of 8 bits, or ECDSA on a NIST curve",
            Self::Version => "a certificate is of X.509 version 3",
        })
    }
}

/// What RFC 5280 demands of those who issue certificates.
const RFC5280: &[Rule] = &[
    Rule::DigitalSignature,
    Rule::AuthorityKeyIdentifier,
    Rule::SubjectKeyIdentifier,
    Rule::SerialNumber,
    Rule::Criticality,
    Rule::NameConstraintsCritical,
    Rule::NameConstraintsForm,
    Rule::AuthorityExtensions,
    Rule::IssuerName,
    Rule::TimeForm,
    Rule::CriticalAlternativeNames,
];

/// What browsers' root programmes demand besides, and take back.
const WEB: &[Rule] = &[
    Rule::AuthorityKeyIdentifierForm,
    Rule::PlainAlternativeNames,
    Rule::CommonName,
    Rule::Purposes,
    Rule::NoAnyPurpose,
    Rule::RootPurposes,
    Rule::LeafIsNoAuthority,
    Rule::Keys,
    Rule::Version,
];

/// The rules that count besides the ones that always do: signatures, times, names, purposes, constraints.
///
/// ```
/// use symbolon::pki::{Profile, Rule};
/// let ours = Profile::web().without(Rule::CommonName);
/// assert!(!ours.has(Rule::CommonName) && ours.has(Rule::SerialNumber));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile(u32);

impl Profile {
    /// What private authorities do, such as those that `openssl` makes: of all [`Rule`]s only the one of TLS 1.3 itself.
    /// Chains of public authorities verify too.
    #[must_use]
    pub const fn private_pki() -> Self {
        Self(Rule::DigitalSignature.bit())
    }

    /// RFC 5280 to the letter, also in what it demands only of those who issue.
    #[must_use]
    pub const fn rfc5280() -> Self {
        Self::of(0, RFC5280)
    }

    /// What certificates of public authorities keep (RFC 5280 and the CA/Browser Forum's Baseline Requirements).
    /// Wildcards right below a public suffix of several labels, such as `*.co.uk`, are not recognised: the list of those
    /// is no part of this library.
    #[must_use]
    pub const fn web() -> Self {
        // Section 7.1.2.10.8 of the Baseline Requirements lets name constraints be not critical.
        Self::of(Self::rfc5280().0, WEB).without(Rule::NameConstraintsCritical)
    }

    const fn of(mut bits: u32, mut rules: &[Rule]) -> Self {
        while let [rule, rest @ ..] = rules {
            bits |= rule.bit();
            rules = rest;
        }
        Self(bits)
    }

    /// The same with one rule more.
    #[must_use]
    pub const fn with(self, rule: Rule) -> Self {
        Self(self.0 | rule.bit())
    }

    /// The same with one rule less.
    #[must_use]
    pub const fn without(self, rule: Rule) -> Self {
        Self(self.0 & !rule.bit())
    }

    /// Whether a rule counts.
    #[must_use]
    pub const fn has(self, rule: Rule) -> bool {
        self.0 & rule.bit() != 0
    }
}

impl Default for Profile {
    /// [`Profile::private_pki`].
    fn default() -> Self {
        Self::private_pki()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_from_all_others() {
        let all = [RFC5280, WEB].concat();
        for rule in &all {
            let only = Profile(0).with(*rule);
            for other in &all {
                assert_eq!(only.has(*other), other == rule, "{rule} {other}");
            }
            assert_eq!(only.without(*rule), Profile(0));
        }
    }
}
