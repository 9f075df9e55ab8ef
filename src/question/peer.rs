//! `VerifyPeer`: is the peer who it claims to be?

use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls_pki_types::{CertificateDer, ServerName};

use super::{Answer, Tag, Verdict, Verified};
use crate::codepoint::SignatureScheme;
use crate::error::Refusal;
use crate::identity::{Claim, Peer};

/// What there is to verify.
#[derive(Debug)]
#[non_exhaustive]
pub enum PeerEvidence {
    /// Certificates and a signature, in a full handshake.
    Fresh(Presented),
    /// A raw public key and a signature, in a full handshake. Nobody certified the key: it proves nothing unless it is known
    /// from elsewhere to be the peer's. Asked only where the configuration accepts such keys.
    RawPublicKey(PresentedKey),
    /// A peer that an earlier connection verified, in a resumed one; asked only if the policy verifies again.
    Resumed(Arc<Peer>),
}

/// What a peer presented (RFC 9846 sections 4.5.1 and 4.5.2).
#[derive(Debug)]
#[non_exhaustive]
pub struct Presented {
    /// The chain as sent, leaf first, at least one certificate; not even parsed.
    pub chain: Vec<CertificateDer<'static>>,
    /// The OCSP response stapled to each certificate of the chain, as long as it.
    pub staples: Vec<Option<Vec<u8>>>,
    /// The SignedCertificateTimestampList of the leaf.
    pub sct: Option<Vec<u8>>,
    /// The scheme of the signature, one that we offered.
    pub scheme: SignatureScheme,
    /// What must have been signed.
    pub signed: Vec<u8>,
    /// The signature of CertificateVerify, not checked yet.
    pub signature: Vec<u8>,
}

/// What a peer presented instead of certificates (RFC 7250, RFC 9846 section 4.5.1).
#[derive(Debug)]
#[non_exhaustive]
pub struct PresentedKey {
    /// The DER `SubjectPublicKeyInfo` as sent, at least one byte; not even parsed.
    pub spki: Vec<u8>,
    /// The scheme of the signature, one that we offered.
    pub scheme: SignatureScheme,
    /// What must have been signed.
    pub signed: Vec<u8>,
    /// The signature of CertificateVerify, not checked yet.
    pub signature: Vec<u8>,
}

/// Both: is the peer who it claims to be? Chain and signature are one question.
///
/// ```compile_fail,E0382
/// # use symbolon::{Refusal, identity::Claim, question::{Answer, VerifyPeer}};
/// fn both(question: VerifyPeer, peer: Claim, why: Refusal) -> [Answer; 2] {
///     [question.refused(why), question.verified(peer)]
/// }
/// ```
/// ```
/// # use symbolon::{Refusal, identity::Claim, question::{Answer, VerifyPeer}};
/// fn one(question: VerifyPeer, verdict: Result<Claim, Refusal>) -> Answer {
///     match verdict {
///         Ok(peer) => question.verified(peer),
///         Err(why) => question.refused(why),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct VerifyPeer {
    pub(crate) tag: Tag,
    pub(crate) name: Option<ServerName<'static>>,
    pub(crate) evidence: PeerEvidence,
}

impl VerifyPeer {
    /// The name that a server must speak for; `None` where the peer is a client.
    #[must_use]
    pub fn name(&self) -> Option<&ServerName<'static>> {
        self.name.as_ref()
    }

    /// What there is to verify.
    #[must_use]
    pub fn evidence(&self) -> &PeerEvidence {
        &self.evidence
    }

    /// Vouches for the peer: its chain or its key, its name and, in a full handshake, the signature were verified.
    //= testvectors/requirements/rfc9846.txt#appendix-C.5
    //# applications MUST NOT use TLS in such a way absent explicit configuration or a specific application
    //# profile
    #[must_use]
    pub fn verified(self, claim: Claim) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Verified(Verified(Arc::new(claim.into_peer()))) }
    }

    /// Refuses the peer; RFC 9846 section 6.2 says which alert fits which reason.
    #[must_use]
    pub fn refused(self, refusal: Refusal) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Refused(refusal) }
    }
}
