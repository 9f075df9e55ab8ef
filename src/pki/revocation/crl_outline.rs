//! Where the parts of a CRL lie (RFC 5280 section 5.1), read strictly: nothing is passed over.

use alloc::format;

use super::RevocationError;
use super::scope::Scope;
use crate::pki::der::{BIT_STRING, ENUMERATED, Element, Elements, INTEGER, SEQUENCE, dotted, whole_bytes};
use crate::pki::outline::{is_shortest, name};
use crate::pki::{SignedWith, extension, time};

/// The parts of a CRL.
pub(super) struct Outline<'a> {
    pub(super) tbs: &'a [u8],
    pub(super) signed_with: SignedWith,
    pub(super) signature: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) this_update: i64,
    pub(super) next_update: i64,
    /// The entries, and where in `tbs` the first one begins.
    pub(super) revoked: (usize, Elements<'a>),
    pub(super) authority_key: Option<&'a [u8]>,
    /// Without leading zeros.
    pub(super) number: Option<&'a [u8]>,
    pub(super) scope: Scope,
}

/// An entry of a CRL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Revoked {
    pub(super) since: i64,
    pub(super) reason: Option<u8>,
}

impl<'a> Outline<'a> {
    pub(super) fn of(der: &'a [u8]) -> Result<Self, RevocationError> {
        let malformed = RevocationError::Malformed;
        let (tbs, algorithm, signature) = parts(der).ok_or(malformed("it is not the DER of a CRL"))?;
        let mut inner = Elements::inside(tbs, SEQUENCE).ok_or(malformed("it is not the DER of a CRL"))?;
        // RFC 5280 section 5.1.2.1: "When extensions are used, as required by this profile, this field MUST be present and
        // MUST specify version 2 (the integer value is 1)."
        if inner.peek() != Some(INTEGER) || inner.expect(INTEGER) != Some(&[1]) {
            return Err(malformed("it is not of version 2"));
        }
        // RFC 5280 section 5.1.1.2: "This field MUST contain the same algorithm identifier as the signature field in the
        // sequence tbsCertList".
        if inner.next().map(|inner| inner.whole) != Some(algorithm) {
            return Err(malformed("its two signature algorithms differ"));
        }
        // RFC 5280 section 5.1.2.3: "The issuer field MUST contain a non-empty X.500 distinguished name".
        let issuer = name(&mut inner).filter(|name| name.len() > 2).ok_or(malformed("it names no issuer"))?;
        let this_update = inner.next().and_then(time::seconds).ok_or(malformed("its time is malformed"))?.0;
        // RFC 5280 section 5.1.2.5: "Conforming CRL issuers MUST include the nextUpdate field in all CRLs."
        if !matches!(inner.peek(), Some(time::UTC_TIME | time::GENERALIZED_TIME)) {
            return Err(malformed("it has no nextUpdate, so that nobody knows how long it may be used"));
        }
        let next_update = inner.next().and_then(time::seconds).ok_or(malformed("its time is malformed"))?.0;
        let mut list: &[u8] = &[];
        if inner.peek() == Some(SEQUENCE) {
            list = inner.expect(SEQUENCE).ok_or(malformed("its list is malformed"))?;
        }
        let at = tbs.len().saturating_sub(inner.left()).saturating_sub(list.len());
        let mut found = Self {
            tbs,
            signed_with: SignedWith::read(algorithm),
            signature,
            issuer,
            this_update,
            next_update,
            revoked: (at, Elements::of(list)),
            authority_key: None,
            number: None,
            scope: Scope::default(),
        };
        if !inner.is_empty() {
            let value = inner.expect(0xA0).ok_or(malformed("it has a field that no CRL has"))?;
            found.take_extensions(value)?;
        }
        inner.end().ok_or(malformed("bytes follow its extensions"))?;
        Ok(found)
    }

    fn take_extensions(&mut self, content: &'a [u8]) -> Result<(), RevocationError> {
        let malformed = RevocationError::Malformed;
        for extension in extension::list(content).map_err(malformed)? {
            match extension.oid {
                // cRLNumber
                [0x55, 0x1D, 20] => {
                    let number = Elements::of(extension.value).only().filter(|number| number.tag == INTEGER);
                    let number = number.and_then(|number| natural(number.content));
                    self.number = Some(number.ok_or(malformed("its number is malformed"))?);
                }
                // deltaCRLIndicator
                [0x55, 0x1D, 27] => return Err(RevocationError::NotEvaluated("a delta CRL".into())),
                [0x55, 0x1D, 28] => self.scope = Scope::read(extension.value)?,
                [0x55, 0x1D, 35] => {
                    let key = extension::authority_key(extension.value);
                    self.authority_key =
                        key.ok_or(malformed("its authority key identifier is malformed"))?.key;
                }
                // RFC 5280 section 5.2: "If a CRL contains a critical extension that the application cannot process, then the
                // application MUST NOT use that CRL to determine the status of certificates."
                oid if extension.critical => {
                    let what = format!("the critical extension {}", dotted(oid));
                    return Err(RevocationError::NotEvaluated(what));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// tbsCertList as a whole, the outer algorithm, the signature.
fn parts(der: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut outer = Elements::inside(der, SEQUENCE)?;
    let tbs = outer.next()?.whole;
    let algorithm = outer.next()?.whole;
    let signature = whole_bytes(outer.expect(BIT_STRING)?)?;
    outer.end()?;
    Some((tbs, algorithm, signature))
}

/// An INTEGER that is not negative, without leading zeros, of at most 20 bytes (RFC 5280 section 5.2.3).
fn natural(content: &[u8]) -> Option<&[u8]> {
    if !is_shortest(content) || content.first()? & 0x80 != 0 {
        return None;
    }
    let number = content.strip_prefix(&[0]).unwrap_or(content);
    (number.len() <= 20).then_some(number)
}

/// The entry in an element of the list.
pub(super) fn entry(element: Element<'_>) -> Result<Revoked, RevocationError> {
    if element.tag != SEQUENCE {
        return Err(RevocationError::Malformed("an entry is malformed"));
    }
    entry_content(element.content)
}

/// The serial number in the content of an entry that was read before.
pub(super) fn entry_serial(content: &[u8]) -> &[u8] {
    Elements::of(content).expect(INTEGER).unwrap_or_default()
}

/// The entry with this content.
pub(super) fn entry_content(content: &[u8]) -> Result<Revoked, RevocationError> {
    let malformed = RevocationError::Malformed("an entry is malformed");
    let mut parts = Elements::of(content);
    parts.expect(INTEGER).filter(|serial| is_shortest(serial)).ok_or(malformed.clone())?;
    let (since, _) = parts.next().and_then(time::seconds).ok_or(malformed.clone())?;
    let mut found = Revoked { since, reason: None };
    if parts.is_empty() {
        return Ok(found);
    }
    let extensions = parts.next().map(|extensions| extensions.whole).unwrap_or_default();
    parts.end().ok_or(malformed.clone())?;
    for extension in extension::list(extensions).map_err(RevocationError::Malformed)? {
        match extension.oid {
            [0x55, 0x1D, 21] => found.reason = Some(reason(extension.value).ok_or(malformed.clone())?),
            // certificateIssuer, only of indirect CRLs: the entry is about another issuer's certificate.
            [0x55, 0x1D, 29] => return Err(RevocationError::NotEvaluated("an indirect entry".into())),
            // RFC 5280 section 5.3: "If a CRL contains a critical CRL entry extension that the application cannot process,
            // then the application MUST NOT use that CRL to determine the status of any certificates."
            oid if extension.critical => {
                let what = format!("the critical extension {} of an entry", dotted(oid));
                return Err(RevocationError::NotEvaluated(what));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// A CRLReason (RFC 5280 section 5.3.1).
pub(super) fn reason(value: &[u8]) -> Option<u8> {
    match Elements::of(value).only().filter(|reason| reason.tag == ENUMERATED)?.content {
        [reason @ 0..0x80] => Some(*reason),
        _ => None,
    }
}
