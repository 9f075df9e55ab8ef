//! What a single certificate must satisfy, for its place in a path (RFC 5280 sections 4.1, 4.2 and 6.1).

use super::constraints::NameConstraints;
use super::extension::{Authority, Known};
use super::{Certificate, KeyKind, Moment, Profile, Purpose, Rule, VerifyError, common_name};

/// What is asked of the certificates of one verification.
#[derive(Clone, Copy)]
pub(super) struct Demands {
    pub(super) purpose: Purpose,
    pub(super) profile: Profile,
    pub(super) moment: Moment,
}

impl Demands {
    /// What the leaf must satisfy whoever issued it; its name is another matter.
    pub(super) fn check_leaf(&self, leaf: &Certificate<'_>) -> Result<(), VerifyError> {
        self.check_any(leaf)?;
        //= testvectors/requirements/rfc9846.txt#section-4.5.1.2
        //# The certificate type MUST be X.509v3 [RFC5280], unless explicitly negotiated otherwise (e.g.,
        //# [RFC7250]).
        if leaf.version != 3 {
            return Err(usage(leaf, "is of an X.509 version other than 3"));
        }
        if let Some(why) = leaf.key.weakness() {
            return Err(VerifyError::Key { subject: leaf.subject(), key: leaf.key.clone(), why });
        }
        let is_authority = matches!(leaf.authority, Authority::Yes { .. });
        let signs = leaf.key_usage.is_none_or(|usage| usage.digital_signature);
        let any_purpose = leaf.extended_key_usage.is_some_and(|usage| usage.any);
        let names_critical = leaf.critical.has(Known::SubjectAltName);
        let is_named = !is_empty(leaf.subject_der);
        let has_names = !leaf.subject_names.is_empty();
        // RFC 5280 section 4.2.1.10: "The name constraints extension, which MUST be used only in a CA certificate"; and
        // section 4.2.1.9 for the path length and keyCertSign.
        let usurps = !is_authority
            && (leaf.name_constraints.is_some()
                || leaf.authority != Authority::No { path_len: None }
                || leaf.key_usage.is_some_and(|usage| usage.key_cert_sign));
        //= testvectors/requirements/rfc9846.txt#section-4.5.1.2
        //# the digitalSignature bit MUST be set if the Key Usage extension is present, and the public key
        //# (with associated restrictions) MUST be compatible with some supported signature scheme
        if !signs && self.profile.has(Rule::DigitalSignature) {
            return Err(usage(leaf, "may not sign: its key usage lacks digitalSignature"));
        }
        self.hold(leaf, Rule::AuthorityExtensions, !usurps)?;
        self.hold(leaf, Rule::LeafIsNoAuthority, !is_authority)?;
        self.hold(leaf, Rule::Purposes, leaf.extended_key_usage.is_some())?;
        self.hold(leaf, Rule::NoAnyPurpose, !any_purpose)?;
        self.hold(leaf, Rule::CriticalAlternativeNames, is_named || !has_names || names_critical)?;
        self.hold(leaf, Rule::PlainAlternativeNames, !is_named || !names_critical)?;
        if self.profile.has(Rule::CommonName) {
            self.hold(leaf, Rule::CommonName, common_name::repeats(leaf))?;
        }
        Ok(())
    }

    /// What a certificate must satisfy to issue the one below it; `below` is the path so far, leaf first.
    pub(super) fn check_issuer(
        &self,
        issuer: &Certificate<'_>,
        below: &[&Certificate<'_>],
    ) -> Result<(), VerifyError> {
        self.check_any(issuer)?;
        let Authority::Yes { path_len } = issuer.authority else {
            return Err(usage(issuer, "is no certification authority: its basic constraints do not say so"));
        };
        // RFC 5280 section 4.2.1.9: self-issued certificates and the leaf do not count.
        let intermediates = below.iter().skip(1).filter(|certificate| !certificate.is_self_issued()).count();
        if path_len
            .is_some_and(|longest| usize::try_from(longest).is_ok_and(|longest| intermediates > longest))
        {
            return Err(usage(issuer, "permits fewer intermediate certificates below it than there are"));
        }
        if issuer.key_usage.is_some_and(|usage| !usage.key_cert_sign) {
            return Err(usage(issuer, "may not issue certificates: its key usage lacks keyCertSign"));
        }
        let key_is_named = issuer.ski.is_some_and(|identifier| !identifier.is_empty());
        self.hold(issuer, Rule::SubjectKeyIdentifier, key_is_named)?;
        // RFC 5280 section 4.1.2.6: "If the subject is a CA [...] then the subject field MUST be populated".
        self.hold(issuer, Rule::IssuerName, !is_empty(issuer.subject_der))?;
        // RFC 5280 section 4.2.1.9: "Conforming CAs MUST include this extension in all CA certificates that contain
        // public keys used to validate digital signatures on certificates and MUST mark the extension as critical".
        self.hold(issuer, Rule::Criticality, issuer.critical.has(Known::BasicConstraints))
    }

    /// What only a root must satisfy.
    pub(super) fn check_root(&self, root: &Certificate<'_>) -> Result<(), VerifyError> {
        self.hold(root, Rule::RootPurposes, root.extended_key_usage.is_none())?;
        // RFC 5280 section 4.2.1.1: where "the certificate is self-signed [..] the authority key identifier MAY be
        // omitted".
        let needs_key = !root.is_self_issued();
        self.hold(root, Rule::AuthorityKeyIdentifier, !needs_key || root.aki.is_some())
    }

    /// What only a certificate below the root must satisfy.
    pub(super) fn check_below_root(&self, certificate: &Certificate<'_>) -> Result<(), VerifyError> {
        self.hold(certificate, Rule::AuthorityKeyIdentifier, certificate.aki.is_some())
    }

    /// What the name constraints of an authority must satisfy, whatever they permit.
    pub(super) fn check_constraints(
        &self,
        authority: &Certificate<'_>,
        constraints: &NameConstraints<'_>,
    ) -> Result<(), VerifyError> {
        self.hold(authority, Rule::NameConstraintsForm, constraints.are_in_form())
    }

    /// What every certificate of a path must satisfy.
    fn check_any(&self, certificate: &Certificate<'_>) -> Result<(), VerifyError> {
        self.moment.check(certificate)?;
        if let Some(what) = certificate.not_evaluated() {
            return Err(VerifyError::NotEvaluated { subject: certificate.subject(), what });
        }
        if let Some(extended) = certificate.extended_key_usage {
            let (permitted, why) = match self.purpose {
                Purpose::Server => {
                    (extended.server, "is not for servers: its extended key usage lacks serverAuth")
                }
                Purpose::Client => {
                    (extended.client, "is not for clients: its extended key usage lacks clientAuth")
                }
            };
            if !permitted && !extended.any {
                return Err(usage(certificate, why));
            }
        }
        self.check_form(certificate)
    }

    /// The rules of the profile for every certificate.
    fn check_form(&self, certificate: &Certificate<'_>) -> Result<(), VerifyError> {
        let has = |known| certificate.present.has(known);
        let critical = |known| certificate.critical.has(known);
        let key_named = !has(Known::AuthorityKeyIdentifier)
            || (certificate.aki.is_some() && !certificate.aki_names_certificate);
        let must = [Known::PolicyConstraints, Known::InhibitAnyPolicy];
        let must_not =
            [Known::AuthorityKeyIdentifier, Known::SubjectKeyIdentifier, Known::AuthorityInformation];
        let marked = must.into_iter().all(|known| !has(known) || critical(known))
            && !must_not.into_iter().any(critical);
        let constraints = !has(Known::NameConstraints) || critical(Known::NameConstraints);
        let sound_key = match certificate.key {
            KeyKind::Rsa(bits) => bits % 8 == 0,
            KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521 => true,
            _ => false,
        };
        self.hold(certificate, Rule::Version, certificate.version == 3)?;
        self.hold(certificate, Rule::SerialNumber, is_sound_serial(certificate.serial))?;
        self.hold(certificate, Rule::IssuerName, !is_empty(certificate.issuer_der))?;
        self.hold(certificate, Rule::TimeForm, certificate.times_in_form)?;
        self.hold(certificate, Rule::AuthorityKeyIdentifierForm, key_named)?;
        self.hold(certificate, Rule::Criticality, marked)?;
        self.hold(certificate, Rule::NameConstraintsCritical, constraints)?;
        self.hold(certificate, Rule::Keys, sound_key)
    }

    fn hold(&self, certificate: &Certificate<'_>, rule: Rule, held: bool) -> Result<(), VerifyError> {
        if held || !self.profile.has(rule) {
            return Ok(());
        }
        Err(VerifyError::Rule { subject: certificate.subject(), rule })
    }
}

/// RFC 5280 section 4.1.2.2: "The serial number MUST be a positive integer [..] Conforming CAs MUST NOT use serialNumber
/// values longer than 20 octets."
fn is_sound_serial(serial: &[u8]) -> bool {
    let positive =
        serial.first().is_some_and(|first| first & 0x80 == 0) && serial.iter().any(|byte| *byte != 0);
    // A zero that only makes the number positive is not counted by many.
    positive && serial.strip_prefix(&[0]).unwrap_or(serial).len() <= 20
}

/// Whether a `Name` has no parts.
fn is_empty(name: &[u8]) -> bool {
    name == [0x30, 0]
}

fn usage(certificate: &Certificate<'_>, why: &'static str) -> VerifyError {
    VerifyError::Usage { subject: certificate.subject(), why }
}
