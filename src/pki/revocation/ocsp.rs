//! OCSP responses as servers staple them: their form (RFC 6960 section 4.2.1, RFC 5019), read strictly.

use alloc::vec::Vec;

use rustls_pki_types::UnixTime;

use super::RevocationError;
use super::crl_outline::reason;
use crate::pki::der::{BIT_STRING, ENUMERATED, Elements, INTEGER, OCTET_STRING, OID, SEQUENCE, whole_bytes};
use crate::pki::outline::{is_shortest, name};
use crate::pki::{SignedWith, extension, time, unix_time};

/// id-pkix-ocsp-basic and id-pkix-ocsp-nonce.
const BASIC: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1];
const NONCE: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 2];

/// How many certificates of a response, and how many statuses in it, are read.
const MOST_CERTIFICATES: usize = 8;
const MOST_STATUSES: usize = 256;

/// What a response says about a certificate (RFC 6960 section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OcspStatus {
    /// It was not revoked.
    Good,
    /// It was revoked.
    Revoked {
        /// Since when, in seconds since 1970.
        since: i64,
        /// The reason by its number (RFC 5280 section 5.3.1), where one is given.
        reason: Option<u8>,
    },
    /// The responder does not know it.
    Unknown,
}

/// An OCSP response, parsed and not verified: for that, see [`check_staple`](crate::pki::check_staple).
#[derive(Clone, Debug)]
pub struct OcspResponse<'a> {
    pub(super) answer: Answer<'a>,
}

/// What the responder answered.
#[derive(Clone, Debug)]
pub(super) enum Answer<'a> {
    Basic(Basic<'a>),
    /// OCSPResponseStatus internalError or tryLater.
    NotNow,
    /// Any other one: it will not answer.
    Refused,
}

/// BasicOCSPResponse.
#[derive(Clone, Debug)]
pub(super) struct Basic<'a> {
    pub(super) tbs: &'a [u8],
    pub(super) signed_with: SignedWith,
    pub(super) signature: &'a [u8],
    /// The DER of certificates.
    pub(super) certificates: Vec<&'a [u8]>,
    pub(super) responder: Responder<'a>,
    pub(super) produced_at: i64,
    /// At least one.
    pub(super) statuses: Vec<Single<'a>>,
    pub(super) demands: Demands,
}

/// Whether something is demanded that is not evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demands {
    Nothing,
    Unknown,
}

/// ResponderID.
#[derive(Clone, Copy, Debug)]
pub(super) enum Responder<'a> {
    /// The DER of a name.
    Name(&'a [u8]),
    /// "SHA-1 hash of responder's public key".
    Key(&'a [u8]),
}

/// SingleResponse.
#[derive(Clone, Debug)]
pub(super) struct Single<'a> {
    pub(super) id: CertId<'a>,
    pub(super) status: OcspStatus,
    pub(super) this_update: i64,
    pub(super) next_update: Option<i64>,
    pub(super) demands: Demands,
}

/// CertID: a certificate by its number and by hashes of its issuer.
#[derive(Clone, Copy, Debug)]
pub(super) struct CertId<'a> {
    /// The content of an OBJECT IDENTIFIER.
    pub(super) hash: &'a [u8],
    pub(super) issuer_name: &'a [u8],
    pub(super) issuer_key: &'a [u8],
    /// The content of an INTEGER.
    pub(super) serial: &'a [u8],
}

impl<'a> OcspResponse<'a> {
    /// Parses a response in DER.
    ///
    /// # Errors
    ///
    /// [`RevocationError::Malformed`].
    pub fn parse(der: &'a [u8]) -> Result<Self, RevocationError> {
        let answer =
            answer(der).ok_or(RevocationError::Malformed("it is not the DER of an OCSP response"))?;
        Ok(Self { answer })
    }

    /// thisUpdate and nextUpdate of its first status: between them it may be used. `None` for a response without a status,
    /// such as tryLater, and for one without nextUpdate.
    #[must_use]
    pub fn window(&self) -> Option<(UnixTime, UnixTime)> {
        let first = self.first()?;
        Some((unix_time(first.this_update), unix_time(first.next_update?)))
    }

    /// Its first status; `None` without any.
    #[must_use]
    pub fn status(&self) -> Option<OcspStatus> {
        self.first().map(|first| first.status)
    }

    fn first(&self) -> Option<&Single<'a>> {
        match &self.answer {
            Answer::Basic(basic) => basic.statuses.first(),
            Answer::NotNow | Answer::Refused => None,
        }
    }
}

fn answer(der: &[u8]) -> Option<Answer<'_>> {
    let mut parts = Elements::inside(der, SEQUENCE)?;
    let answer = match parts.expect(ENUMERATED)? {
        [0] => {
            let mut bytes = Elements::inside(parts.expect(0xA0)?, SEQUENCE)?;
            bytes.expect(OID).filter(|kind| *kind == BASIC)?;
            let basic = basic(bytes.expect(OCTET_STRING)?)?;
            bytes.end()?;
            Answer::Basic(basic)
        }
        [2 | 3] => Answer::NotNow,
        [1 | 5 | 6] => Answer::Refused,
        _ => return None,
    };
    parts.end()?;
    Some(answer)
}

fn basic(der: &[u8]) -> Option<Basic<'_>> {
    let mut outer = Elements::inside(der, SEQUENCE)?;
    let tbs = outer.next()?.whole;
    let signed_with = SignedWith::read(outer.next()?.whole);
    let signature = whole_bytes(outer.expect(BIT_STRING)?)?;
    let mut certificates = Vec::new();
    if !outer.is_empty() {
        let mut list = Elements::inside(outer.expect(0xA0)?, SEQUENCE)?;
        while !list.is_empty() {
            let certificate = list.next()?.whole;
            if certificates.len() < MOST_CERTIFICATES {
                certificates.push(certificate);
            }
        }
    }
    outer.end()?;

    let mut inner = Elements::inside(tbs, SEQUENCE)?;
    if inner.peek() == Some(0xA0) {
        Elements::of(inner.expect(0xA0)?).only().filter(|version| version.whole == [INTEGER, 1, 0])?;
    }
    let responder = responder(&mut inner)?;
    let produced_at = generalized(&mut inner)?;
    let mut list = Elements::of(inner.expect(SEQUENCE)?);
    let mut statuses = Vec::new();
    while !list.is_empty() {
        if statuses.len() >= MOST_STATUSES {
            return None;
        }
        statuses.push(single(list.expect(SEQUENCE)?)?);
    }
    let demands = demands(&mut inner)?;
    inner.end()?;
    if statuses.is_empty() {
        return None;
    }
    Some(Basic { tbs, signed_with, signature, certificates, responder, produced_at, statuses, demands })
}

fn responder<'a>(inner: &mut Elements<'a>) -> Option<Responder<'a>> {
    let id = inner.next()?;
    let mut content = Elements::of(id.content);
    let responder = match id.tag {
        0xA1 => Responder::Name(name(&mut content)?),
        0xA2 => Responder::Key(content.expect(OCTET_STRING)?),
        _ => return None,
    };
    content.end()?;
    Some(responder)
}

fn single(content: &[u8]) -> Option<Single<'_>> {
    let mut parts = Elements::of(content);
    let id = certificate_id(parts.expect(SEQUENCE)?)?;
    let status = parts.next()?;
    let status = match (status.tag, status.content) {
        (0x80, []) => OcspStatus::Good,
        (0xA1, revoked) => {
            let mut revoked = Elements::of(revoked);
            let since = generalized(&mut revoked)?;
            let mut given = None;
            if !revoked.is_empty() {
                given = Some(reason(revoked.expect(0xA0)?)?);
            }
            revoked.end()?;
            OcspStatus::Revoked { since, reason: given }
        }
        (0x82, []) => OcspStatus::Unknown,
        _ => return None,
    };
    let this_update = generalized(&mut parts)?;
    let mut next_update = None;
    if parts.peek() == Some(0xA0) {
        let mut next = Elements::of(parts.expect(0xA0)?);
        next_update = Some(generalized(&mut next)?);
        next.end()?;
    }
    let demands = demands(&mut parts)?;
    parts.end()?;
    Some(Single { id, status, this_update, next_update, demands })
}

fn certificate_id(content: &[u8]) -> Option<CertId<'_>> {
    let mut parts = Elements::of(content);
    let mut algorithm = Elements::of(parts.expect(SEQUENCE)?);
    let hash = algorithm.expect(OID)?;
    // Without parameters, or with NULL (RFC 4055 section 2.1).
    if !algorithm.is_empty() {
        algorithm.only().filter(|parameters| parameters.whole == [5, 0])?;
    }
    let issuer_name = parts.expect(OCTET_STRING)?;
    let issuer_key = parts.expect(OCTET_STRING)?;
    let serial = parts.expect(INTEGER).filter(|serial| is_shortest(serial))?;
    parts.end()?;
    Some(CertId { hash, issuer_name, issuer_key, serial })
}

/// The optional extensions `[1]`.
fn demands(parts: &mut Elements<'_>) -> Option<Demands> {
    if parts.peek() != Some(0xA1) {
        return Some(Demands::Nothing);
    }
    let extensions = extension::list(parts.expect(0xA1)?).ok()?;
    // RFC 6960 section 4.1.1: "Unrecognized extensions MUST be ignored (unless they have the critical flag set and are not
    // understood)." RFC 5019 section 4: "Clients that do not include a nonce in the request MUST ignore any nonce that may
    // be present in the response."
    let unknown = extensions.iter().any(|extension| extension.critical && extension.oid != NONCE);
    Some(if unknown { Demands::Unknown } else { Demands::Nothing })
}

fn generalized(parts: &mut Elements<'_>) -> Option<i64> {
    match time::seconds(parts.next()?)? {
        (seconds, time::Form::Generalized) => Some(seconds),
        (_, time::Form::Utc) => None,
    }
}
