//! Whether an OCSP response is to be believed, and what it then says about a certificate (RFC 6960 section 3.2).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Finding;
use super::context::{RevocationCheck, Signature, Signed};
use super::ocsp::{Answer, Basic, CertId, Demands, OcspResponse, OcspStatus, Responder, Single};
use crate::crypto::Provider;
use crate::pki::{Budget, Certificate, Moment, VerifyError, unix_time};

/// How many certificates of a response are tried as its signer.
const MOST_SIGNERS: usize = 2;

/// A response that was verified.
pub(super) struct Verdict {
    pub(super) finding: Finding,
    /// The serial number of the responder's certificate, where it is not the issuer itself: it may have been revoked.
    pub(super) delegate: Option<Vec<u8>>,
    /// thisUpdate, nextUpdate and producedAt of a good response.
    window: Option<(i64, i64, i64)>,
}

impl Verdict {
    fn plain(finding: Finding) -> Self {
        Self { finding, delegate: None, window: None }
    }

    fn bad(why: &str) -> Self {
        Self::plain(Finding::Bad(why.to_owned()))
    }
}

/// Whether `response` is about `certificate`, which is by `issuer`.
pub(super) fn concerns(
    response: &OcspResponse<'_>,
    certificate: &Certificate<'_>,
    issuer: &Certificate<'_>,
) -> bool {
    match &response.answer {
        Answer::Basic(basic) => basic.statuses.iter().any(|single| is_for(&single.id, certificate, issuer)),
        Answer::NotNow | Answer::Refused => false,
    }
}

/// What `response` says about `certificate`, which is by `issuer`. Only an empty budget is an error.
pub(super) fn verify(
    response: &OcspResponse<'_>,
    certificate: &Certificate<'_>,
    issuer: &Certificate<'_>,
    cx: &mut RevocationCheck<'_>,
) -> Result<Verdict, VerifyError> {
    let basic = match &response.answer {
        Answer::Basic(basic) => basic,
        // Nobody signed it, so that whoever was revoked can send it: it is worth no more than no response.
        Answer::NotNow => {
            let why = "the responder had no answer when the peer asked it";
            return Ok(Verdict::plain(Finding::missing(why)));
        }
        Answer::Refused => {
            return Ok(Verdict::plain(Finding::missing("the responder refused to answer the peer")));
        }
    };
    let ours = || basic.statuses.iter().filter(|single| is_for(&single.id, certificate, issuer));
    let Some(latest) = ours().max_by_key(|single| single.this_update) else {
        return Ok(Verdict::bad("it is about another certificate"));
    };
    if basic.demands == Demands::Unknown || ours().any(|single| single.demands == Demands::Unknown) {
        return Ok(Verdict::bad("it has a critical extension that is not evaluated"));
    }
    let delegate = match signer(basic, issuer, cx)? {
        Signer::Issuer => None,
        Signer::Delegate(serial) => Some(serial),
        Signer::Nobody(why) => return Ok(Verdict::bad(&why)),
    };
    // A response that is out of date still names what was revoked.
    let revoked = ours().find_map(|single| match single.status {
        OcspStatus::Revoked { since, reason } => Some(Finding::Revoked { since, reason }),
        OcspStatus::Good | OcspStatus::Unknown => None,
    });
    let (finding, window) = match revoked {
        Some(revoked) => (revoked, None),
        None => judge(latest, basic.produced_at, cx),
    };
    Ok(Verdict { finding, delegate, window })
}

/// What a status that revokes nothing is worth now.
fn judge(
    single: &Single<'_>,
    produced_at: i64,
    cx: &RevocationCheck<'_>,
) -> (Finding, Option<(i64, i64, i64)>) {
    // RFC 5019 section 4: "If the nextUpdate field is absent, the client MUST reject the response."
    let Some(next_update) = single.next_update else {
        return (Finding::Stale("the OCSP response does not say until when it may be used".to_owned()), None);
    };
    if let Some(why) = cx.outside(single.this_update, next_update) {
        return (Finding::Stale(format!("the OCSP response {why}")), None);
    }
    if single.status == OcspStatus::Unknown {
        return (Finding::missing("the OCSP responder does not know the certificate"), None);
    }
    (Finding::Good, Some((single.this_update, next_update, produced_at)))
}

/// Who signed a response.
enum Signer {
    Issuer,
    /// By its serial number.
    Delegate(Vec<u8>),
    /// And why not.
    Nobody(String),
}

/// RFC 6960 section 4.2.2.2: the signer "Is the certificate of the CA that issued the certificate in question, or" one that
/// "Includes a value of id-kp-OCSPSigning in an extended key usage extension and is issued by the CA".
fn signer(
    basic: &Basic<'_>,
    issuer: &Certificate<'_>,
    cx: &mut RevocationCheck<'_>,
) -> Result<Signer, VerifyError> {
    let signed = Signed { with: &basic.signed_with, message: basic.tbs, signature: basic.signature };
    let mut refused = "its responder's certificate is not in it".to_owned();
    if is_responder(basic.responder, issuer) {
        match cx.check_signature(issuer, &signed)? {
            Signature::Right => return Ok(Signer::Issuer),
            Signature::Wrong => "it is not signed by the issuer's key".clone_into(&mut refused),
            Signature::NotRelied(why) => refused = why,
        }
    }
    let parsed = basic.certificates.iter().filter_map(|der| Certificate::parse(der).ok());
    let named = parsed.filter(|candidate| {
        // The issuer's own certificate may be among them.
        is_responder(basic.responder, candidate) && candidate.spki != issuer.spki
    });
    for candidate in named.take(MOST_SIGNERS) {
        if let Some(why) = not_delegate(&candidate, issuer, cx)? {
            refused = why;
            continue;
        }
        match cx.check_signature(&candidate, &signed)? {
            Signature::Right => return Ok(Signer::Delegate(candidate.serial.to_vec())),
            Signature::Wrong => "it is not signed by its responder's key".clone_into(&mut refused),
            Signature::NotRelied(why) => refused = why,
        }
    }
    Ok(Signer::Nobody(refused))
}

/// Why `issuer` did not make `candidate` a responder.
fn not_delegate(
    candidate: &Certificate<'_>,
    issuer: &Certificate<'_>,
    cx: &mut RevocationCheck<'_>,
) -> Result<Option<String>, VerifyError> {
    let because = |why: &str| Ok(Some(format!("its responder's certificate {why}")));
    // anyExtendedKeyUsage is no designation.
    if !candidate.extended_key_usage.is_some_and(|usage| usage.ocsp_signing) {
        return because("is not for OCSP: its extended key usage has no OCSPSigning");
    }
    if candidate.key_usage.is_some_and(|usage| !usage.digital_signature) {
        return because("may not sign: its key usage has no digitalSignature");
    }
    if candidate.not_evaluated().is_some() {
        return because("demands what is not evaluated");
    }
    if cx.moment.check(candidate).is_err() {
        return because("is not valid now");
    }
    // RFC 6960 section 4.2.2.2: "This certificate MUST be issued directly by the CA that is identified in the request."
    if candidate.issuer_der != issuer.subject_der {
        return because("is by another issuer");
    }
    let signed =
        Signed { with: &candidate.signed_with, message: candidate.tbs, signature: candidate.signature };
    match cx.check_signature(issuer, &signed)? {
        Signature::Right => Ok(None),
        Signature::Wrong => because("is not signed by the issuer's key"),
        Signature::NotRelied(why) => Ok(Some(why)),
    }
}

fn is_responder(responder: Responder<'_>, candidate: &Certificate<'_>) -> bool {
    match responder {
        Responder::Name(name) => name == candidate.subject_der,
        Responder::Key(hash) => hash == Sha1::digest(candidate.spki_bits).as_slice(),
    }
}

/// Whether a CertID means `certificate` (RFC 6960 section 4.1.1).
fn is_for(id: &CertId<'_>, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> bool {
    if id.serial != certificate.serial {
        return false;
    }
    let is = |hash: fn(&[u8]) -> Vec<u8>| {
        hash(certificate.issuer_der) == id.issuer_name && hash(issuer.spki_bits) == id.issuer_key
    };
    match id.hash {
        // RFC 5019 section 2.1.1: "Clients MUST use SHA1 as the hashing algorithm for the CertID.issuerNameHash and the
        // CertID.issuerKeyHash values." A collision gains nothing: the response is signed by the issuer.
        [0x2B, 0x0E, 3, 2, 0x1A] => is(|bytes| Sha1::digest(bytes).to_vec()),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] => is(|bytes| Sha256::digest(bytes).to_vec()),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => is(|bytes| Sha384::digest(bytes).to_vec()),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => is(|bytes| Sha512::digest(bytes).to_vec()),
        _ => false,
    }
}

/// What a good OCSP response says of its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StapleInfo {
    /// When its status was known to be right.
    pub this_update: UnixTime,
    /// Until when it may be used: fetch the next one before.
    pub next_update: UnixTime,
    /// When it was signed.
    pub produced_at: UnixTime,
}

/// Checks an OCSP response as a peer would, before a server staples it to `leaf`, which is by `issuer`.
///
/// # Errors
///
/// [`VerifyError::BadStaple`] for a response that is malformed, of another certificate, not signed by the issuer or its
/// delegate, out of its time, or that does not say `good`; [`VerifyError::Revoked`] for one that says so;
/// [`VerifyError::Malformed`] for a certificate that cannot be parsed.
pub fn check_staple(
    staple: &[u8],
    leaf: &CertificateDer<'_>,
    issuer: &CertificateDer<'_>,
    provider: &Provider,
    now: UnixTime,
) -> Result<StapleInfo, VerifyError> {
    let (leaf, issuer) = (Certificate::parse(leaf)?, Certificate::parse(issuer)?);
    let bad = |why: String| Err(VerifyError::BadStaple { subject: leaf.subject(), why });
    if leaf.issuer_der != issuer.subject_der {
        return bad(format!("its issuer is \"{}\", not \"{}\"", leaf.issuer(), issuer.subject()));
    }
    let response = match OcspResponse::parse(staple) {
        Ok(response) => response,
        Err(why) => return bad(why.to_string()),
    };
    let mut budget = Budget::default();
    let moment = Moment::new(now, Duration::ZERO);
    let mut cx = RevocationCheck { provider, moment, budget: &mut budget };
    let verdict = verify(&response, &leaf, &issuer, &mut cx)?;
    match (verdict.finding, verdict.window) {
        (Finding::Good, Some((this_update, next_update, produced_at))) => Ok(StapleInfo {
            this_update: unix_time(this_update),
            next_update: unix_time(next_update),
            produced_at: unix_time(produced_at),
        }),
        (Finding::Revoked { since, reason }, _) => {
            Err(VerifyError::Revoked { subject: leaf.subject(), source: "OCSP", since, reason })
        }
        (finding, _) => bad(finding.why()),
    }
}
