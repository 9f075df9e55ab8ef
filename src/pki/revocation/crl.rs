//! Certificate revocation lists (RFC 5280 section 5): read strictly, kept with an index of serial numbers.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use std::sync::OnceLock;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateRevocationListDer, UnixTime};

use super::context::{RevocationCheck, Signature, Signed};
use super::crl_outline::{Outline, Revoked, entry, entry_serial};
use super::scope::Scope;
use super::{Finding, RevocationError};
use crate::identity::Fingerprint;
use crate::pki::dn::rfc4514;
use crate::pki::time::date;
use crate::pki::{Certificate, SignedWith, VerifyError, fingerprint, unix_time};

/// The longest CRL that is taken, in bytes: some five million entries.
const LONGEST: usize = 256 << 20;

/// A certificate revocation list (RFC 5280 section 5), parsed.
///
/// Its signature is checked when a path first needs it, by the key of its issuer in that path; the result is kept, for
/// later paths with the same key.
#[derive(Clone)]
pub struct Crl {
    tbs: Vec<u8>,
    signed_with: SignedWith,
    signature: Vec<u8>,
    issuer: Vec<u8>,
    /// The key identifier of the issuer's key.
    authority_key: Option<Vec<u8>>,
    scope: Scope,
    /// The content of an INTEGER that is not negative, without leading zeros.
    number: Option<Vec<u8>>,
    this_update: i64,
    next_update: i64,
    /// By serial number.
    entries: Vec<Entry>,
    /// The SubjectPublicKeyInfo of the key that signed it, and of the first one that did not.
    signed_by: OnceLock<Box<[u8]>>,
    not_signed_by: OnceLock<Box<[u8]>>,
}

/// Where an entry lies in `tbs`.
#[derive(Clone, Copy)]
struct Entry {
    at: u32,
    len: u32,
}

impl Entry {
    fn content(self, tbs: &[u8]) -> &[u8] {
        let range = || {
            let at = usize::try_from(self.at).ok()?;
            tbs.get(at..at.checked_add(usize::try_from(self.len).ok()?)?)
        };
        range().unwrap_or_default()
    }
}

impl Crl {
    /// Parses a CRL of version 2 in DER, of at most 256 MiB. Time and memory grow with its length alone.
    ///
    /// # Errors
    ///
    /// [`RevocationError::Malformed`], also for a CRL without a nextUpdate (RFC 5280 section 5.1.2.5);
    /// [`RevocationError::NotEvaluated`] for a delta CRL, an indirect one, one of only some reasons, and for any other
    /// critical extension that is not evaluated.
    pub fn parse(der: &[u8]) -> Result<Self, RevocationError> {
        if der.len() > LONGEST {
            return Err(RevocationError::Malformed("it is longer than 256 MiB"));
        }
        let outline = Outline::of(der)?;
        let mut entries = Vec::new();
        let (mut at, mut list) = outline.revoked;
        while !list.is_empty() {
            let malformed = RevocationError::Malformed("an entry is malformed");
            let Some(element) = list.next() else { return Err(malformed) };
            entry(element)?;
            let head = element.whole.len().saturating_sub(element.content.len());
            let place = || {
                let at = u32::try_from(at.checked_add(head)?).ok()?;
                Some(Entry { at, len: u32::try_from(element.content.len()).ok()? })
            };
            entries.push(place().ok_or(malformed)?);
            at = at.saturating_add(element.whole.len());
        }
        entries.shrink_to_fit();
        let tbs = outline.tbs.to_vec();
        let serial = |entry: Entry| entry_serial(entry.content(&tbs));
        entries.sort_unstable_by(|one, other| serial(*one).cmp(serial(*other)));
        Ok(Self {
            signed_with: outline.signed_with,
            signature: outline.signature.to_vec(),
            issuer: outline.issuer.to_vec(),
            authority_key: outline.authority_key.map(<[u8]>::to_vec),
            scope: outline.scope,
            number: outline.number.map(<[u8]>::to_vec),
            this_update: outline.this_update,
            next_update: outline.next_update,
            entries,
            signed_by: OnceLock::new(),
            not_signed_by: OnceLock::new(),
            tbs,
        })
    }

    /// Parses one CRL in DER, or all that are in a PEM text.
    ///
    /// # Errors
    ///
    /// As [`Crl::parse`], for the first one that is not taken; [`RevocationError::Malformed`] where there is none.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Vec<Self>, RevocationError> {
        if bytes.first() == Some(&0x30) {
            return Ok(Vec::from([Self::parse(bytes)?]));
        }
        let malformed = RevocationError::Malformed("it is neither DER nor the PEM of a CRL");
        let mut found = Vec::new();
        for der in CertificateRevocationListDer::pem_slice_iter(bytes) {
            found.push(Self::parse(&der.map_err(|_| malformed.clone())?)?);
        }
        if found.is_empty() { Err(malformed) } else { Ok(found) }
    }

    /// What tells it from other ones: not its number, which CRLs of several scopes may share.
    pub(super) fn digest(&self) -> Fingerprint {
        fingerprint(&[fingerprint(&self.tbs).0, fingerprint(&self.signature).0].concat())
    }

    /// Who issued it, in the form of RFC 4514.
    #[must_use]
    pub fn issuer(&self) -> String {
        rfc4514(&self.issuer)
    }

    /// Its number (RFC 5280 section 5.2.3), most significant byte first, without leading zeros; `None` without one.
    #[must_use]
    pub fn number(&self) -> Option<&[u8]> {
        self.number.as_deref()
    }

    /// When it was issued.
    #[must_use]
    pub fn this_update(&self) -> UnixTime {
        unix_time(self.this_update)
    }

    /// When the next one will be there, at the latest.
    #[must_use]
    pub fn next_update(&self) -> UnixTime {
        unix_time(self.next_update)
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The DER of its issuer's name.
    pub(super) fn issuer_der(&self) -> &[u8] {
        &self.issuer
    }

    /// Whether `other` is about the same certificates, so that only the newer of both counts.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.scope == other.scope && self.authority_key == other.authority_key
    }

    /// Whether a path has shown its signature to be right.
    pub(super) fn was_right(&self) -> bool {
        self.signed_by.get().is_some()
    }

    /// Whether a path has shown it to be signed by the key of `issuer`.
    pub(super) fn is_right_by(&self, issuer: &Certificate<'_>) -> bool {
        self.signed_by.get().is_some_and(|spki| **spki == *issuer.spki)
    }

    /// RFC 5280 section 5.2.3: the number "allows users to easily determine when a particular CRL supersedes another CRL".
    /// By the time of issue where one has no number.
    pub(super) fn compare_age(&self, other: &Self) -> Ordering {
        match (&self.number, &other.number) {
            (Some(one), Some(other)) => one.len().cmp(&other.len()).then_with(|| one.cmp(other)),
            _ => self.this_update.cmp(&other.this_update),
        }
    }

    /// For people: its number, or when it was issued.
    pub(super) fn age(&self) -> String {
        match self.number.as_deref() {
            Some([]) => "number 0".into(),
            Some(number) => alloc::format!("number 0x{}", hex(number)),
            None => alloc::format!("of {}", date(self.this_update)),
        }
    }

    /// What it says about `certificate`, which is by `issuer`.
    pub(super) fn judge(
        &self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
        cx: &mut RevocationCheck<'_>,
    ) -> Result<Finding, VerifyError> {
        let listed = self.find(certificate.serial);
        if listed.is_none() && !self.scope.covers(certificate) {
            return Ok(Finding::Elsewhere);
        }
        // RFC 5280 section 6.3.3 (f): "If a key usage extension is present in the CRL issuer's certificate, verify that the
        // cRLSign bit is set."
        if issuer.key_usage.is_some_and(|usage| !usage.crl_sign) {
            return Ok(Finding::missing("its issuer may not sign CRLs: its key usage has no cRLSign"));
        }
        match self.signature_by(issuer, cx)? {
            Signature::Right => {}
            // Another key under the same name has its own CRL.
            Signature::Wrong if self.is_of_another_key(issuer) => return Ok(Finding::Elsewhere),
            Signature::Wrong => return Ok(Finding::missing("the CRL is not signed by the issuer's key")),
            Signature::NotRelied(why) => {
                return Ok(Finding::Missing(alloc::format!("the CRL is not relied on: {why}")));
            }
        }
        // A list that is out of date still names what was revoked.
        if let Some(Revoked { since, reason }) = listed {
            return Ok(Finding::Revoked { since, reason });
        }
        Ok(match cx.outside(self.this_update, self.next_update) {
            Some(why) => Finding::Stale(alloc::format!("the CRL of its issuer {why}")),
            None => Finding::Good,
        })
    }

    /// The entry that revokes this serial number.
    pub(super) fn find(&self, serial: &[u8]) -> Option<Revoked> {
        let of = |candidate: &Entry| entry_serial(candidate.content(&self.tbs));
        let first = self.entries.partition_point(|candidate| of(candidate) < serial);
        let equal = self.entries.get(first..)?.iter().take_while(|candidate| of(candidate) == serial);
        // RFC 5280 section 6.3.3 (k): "If (cert_status is removeFromCRL), then set cert_status to UNREVOKED."
        equal
            .filter_map(|found| super::crl_outline::entry_content(found.content(&self.tbs)).ok())
            .find(|revoked| revoked.reason != Some(8))
    }

    fn is_of_another_key(&self, issuer: &Certificate<'_>) -> bool {
        matches!((self.authority_key.as_deref(), issuer.ski), (Some(mine), Some(theirs)) if mine != theirs)
    }

    fn signature_by(
        &self,
        issuer: &Certificate<'_>,
        cx: &mut RevocationCheck<'_>,
    ) -> Result<Signature, VerifyError> {
        if self.is_right_by(issuer) {
            return Ok(Signature::Right);
        }
        if self.not_signed_by.get().is_some_and(|spki| **spki == *issuer.spki) {
            return Ok(Signature::Wrong);
        }
        let signed = Signed { with: &self.signed_with, message: &self.tbs, signature: &self.signature };
        let found = cx.check_signature(issuer, &signed)?;
        // Where another thread was faster, or another key came first, that one is kept.
        let _ = match found {
            Signature::Right => self.signed_by.set(issuer.spki.into()),
            Signature::Wrong => self.not_signed_by.set(issuer.spki.into()),
            Signature::NotRelied(_) => Ok(()),
        };
        Ok(found)
    }
}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crl")
            .field("issuer", &self.issuer())
            .field("age", &self.age())
            .field("next_update", &date(self.next_update))
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write;
    let mut text = String::new();
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
