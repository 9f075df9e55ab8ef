//! X.509 certificates as this library sees them (RFC 5280 section 4.1), borrowed from their DER.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::algorithm::key_in;
use super::der::{Elements, OCTET_STRING, dotted};
use super::dn::rfc4514;
use super::extension::{self, AuthorityKey, Known, Set};
use super::names::{GeneralName, general_names};
use super::outline::Outline;
use super::{Authority, ExtendedKeyUsage, KeyKind, KeyUsage, SignedWith, VerifyError};

/// A parsed certificate.
pub(crate) struct Certificate<'a> {
    /// The whole of it.
    pub(crate) der: &'a [u8],
    /// What its issuer signed.
    pub(crate) tbs: &'a [u8],
    pub(crate) signed_with: SignedWith,
    pub(crate) signature: &'a [u8],
    /// 1 to 3.
    pub(crate) version: u8,
    /// The content of its INTEGER.
    pub(crate) serial: &'a [u8],
    /// DER names, for comparison.
    pub(crate) subject_der: &'a [u8],
    pub(crate) issuer_der: &'a [u8],
    pub(crate) spki: &'a [u8],
    /// The key alone: the content of the BIT STRING without its first byte.
    pub(crate) spki_bits: &'a [u8],
    pub(crate) key: KeyKind,
    /// Seconds since 1970, both inclusive.
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(super) times_in_form: bool,
    pub(crate) authority: Authority,
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(super) subject_names: Vec<GeneralName<'a>>,
    /// The subject's key identifier.
    pub(crate) ski: Option<&'a [u8]>,
    /// The issuer's key identifier.
    pub(crate) aki: Option<&'a [u8]>,
    /// The issuer's certificate is named by its issuer or serial number besides.
    pub(super) aki_names_certificate: bool,
    /// The values of the extensions that are judged path by path.
    pub(super) name_constraints: Option<&'a [u8]>,
    pub(super) policies: Option<&'a [u8]>,
    pub(super) policy_mappings: Option<&'a [u8]>,
    pub(super) policy_constraints: Option<&'a [u8]>,
    pub(super) inhibit_any_policy: Option<&'a [u8]>,
    /// RFC 7633: its server must show an OCSP response.
    pub(crate) must_staple: bool,
    pub(crate) crl_distribution: bool,
    /// Where its issuer's certificate is to be had.
    pub(crate) aia_issuers: Vec<&'a str>,
    pub(super) present: Set,
    pub(super) critical: Set,
    /// A critical extension that is not evaluated; it refuses the certificate.
    unknown_critical: Option<&'a [u8]>,
}

impl<'a> Certificate<'a> {
    /// Parses a certificate: strict DER, nothing behind it, no extension twice.
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, VerifyError> {
        Self::read(der).map_err(|why| VerifyError::Malformed(why.to_owned()))
    }

    fn read(der: &'a [u8]) -> Result<Self, &'static str> {
        let outline = Outline::of(der).ok_or("it is not the DER of an X.509 certificate")?;
        // RFC 5280 section 4.1.1.2: "This field MUST contain the same algorithm identifier as the signature field in the
        // sequence tbsCertificate".
        if outline.inner_algorithm != outline.outer_algorithm {
            return Err("its two signature algorithms differ");
        }
        let (key, spki_bits) = key_in(outline.spki).ok_or("its public key is malformed")?;
        let mut parsed = Self {
            der,
            tbs: outline.tbs,
            signed_with: SignedWith::read(outline.outer_algorithm),
            signature: outline.signature,
            version: outline.version,
            serial: outline.serial,
            subject_der: outline.subject,
            issuer_der: outline.issuer,
            spki: outline.spki,
            spki_bits,
            key,
            not_before: outline.validity.0,
            not_after: outline.validity.1,
            times_in_form: outline.times_in_form,
            authority: Authority::No { path_len: None },
            key_usage: None,
            extended_key_usage: None,
            subject_names: Vec::new(),
            ski: None,
            aki: None,
            aki_names_certificate: false,
            name_constraints: None,
            policies: None,
            policy_mappings: None,
            policy_constraints: None,
            inhibit_any_policy: None,
            must_staple: false,
            crl_distribution: false,
            aia_issuers: Vec::new(),
            present: Set::default(),
            critical: Set::default(),
            unknown_critical: None,
        };
        let extensions = outline.extensions.map_or(Ok(Vec::new()), extension::list)?;
        for extension in &extensions {
            // A distribution point is known, and not asked: a critical one demands that it is.
            match Known::of(extension.oid) {
                Some(known) if known != Known::CrlDistribution || !extension.critical => {
                    parsed.present.add(known);
                    if extension.critical {
                        parsed.critical.add(known);
                    }
                    parsed.take(known, extension.value)?;
                }
                _ if extension.critical => parsed.unknown_critical = Some(extension.oid),
                _ => {}
            }
        }
        Ok(parsed)
    }

    fn take(&mut self, known: Known, value: &'a [u8]) -> Result<(), &'static str> {
        match known {
            Known::AuthorityKeyIdentifier => {
                let AuthorityKey { key, names_certificate } =
                    extension::authority_key(value).ok_or("its authority key identifier is malformed")?;
                (self.aki, self.aki_names_certificate) = (key, names_certificate);
            }
            Known::SubjectKeyIdentifier => {
                let identifier = Elements::of(value).only().filter(|element| element.tag == OCTET_STRING);
                let identifier = identifier.ok_or("its subject key identifier is malformed")?;
                self.ski = Some(identifier.content);
            }
            Known::KeyUsage => {
                self.key_usage = Some(extension::key_usage(value).ok_or("its key usage is malformed")?);
            }
            Known::ExtendedKeyUsage => {
                let usage =
                    extension::extended_key_usage(value).ok_or("its extended key usage is malformed")?;
                self.extended_key_usage = Some(usage);
            }
            Known::BasicConstraints => {
                self.authority =
                    extension::basic_constraints(value).ok_or("its basic constraints are malformed")?;
            }
            Known::SubjectAltName => self.subject_names = general_names(value)?,
            Known::NameConstraints => self.name_constraints = Some(value),
            Known::Policies => self.policies = Some(value),
            Known::PolicyMappings => self.policy_mappings = Some(value),
            Known::PolicyConstraints => self.policy_constraints = Some(value),
            Known::InhibitAnyPolicy => self.inhibit_any_policy = Some(value),
            Known::AuthorityInformation => {
                self.aia_issuers =
                    extension::issuer_places(value).ok_or("its authority information access is malformed")?;
            }
            Known::CrlDistribution => self.crl_distribution = true,
            Known::TlsFeature => {
                self.must_staple = extension::demands_staple(value).ok_or("its TLS feature is malformed")?;
            }
        }
        Ok(())
    }

    /// Its subject in the form of RFC 4514; rendered at each call.
    pub(crate) fn subject(&self) -> String {
        rfc4514(self.subject_der)
    }

    /// Its issuer in the form of RFC 4514; rendered at each call.
    pub(crate) fn issuer(&self) -> String {
        rfc4514(self.issuer_der)
    }

    /// Whether subject and issuer are the same.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject_der == self.issuer_der
    }

    /// Its DNS names, as far as they are text.
    pub(crate) fn dns_names(&self) -> impl Iterator<Item = &'a str> {
        self.subject_names.iter().filter_map(|name| match name {
            GeneralName::Dns(name) => core::str::from_utf8(name).ok(),
            _ => None,
        })
    }

    /// Its URIs, as far as they are text.
    pub(crate) fn uris(&self) -> impl Iterator<Item = &'a str> {
        self.subject_names.iter().filter_map(|name| match name {
            GeneralName::Uri(uri) => core::str::from_utf8(uri).ok(),
            _ => None,
        })
    }

    /// The demand that is not evaluated.
    pub(super) fn not_evaluated(&self) -> Option<String> {
        self.unknown_critical.map(|oid| format!("the critical extension {}", dotted(oid)))
    }
}
