//! `VerifyPeer`: is the peer who it claims to be?

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{Answer, Tag, Verdict, Verified};
use crate::codepoint::SignatureScheme;
use crate::error::Refusal;

/// Who the peer is, as far as a verification vouched for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// A server that may speak for this DNS name (RFC 9525).
    Dns(String),
    /// A server that may speak for this IP address.
    Ip(IpAddr),
    /// A client known by the subject of its certificate, in the form of RFC 4514.
    Subject(String),
    /// Whoever has the external pre-shared key of this name; nothing was certified.
    Psk(Vec<u8>),
}

/// A verified peer.
#[derive(Clone)]
#[non_exhaustive]
pub struct Peer {
    /// Who it is.
    pub identity: Identity,
    /// The chain that it sent, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// When the first certificate of the verified path expires; the end of time for a pre-shared key.
    pub expires: UnixTime,
}

impl Peer {
    /// What a verifier found.
    #[must_use]
    pub fn new(identity: Identity, chain: Vec<CertificateDer<'static>>, expires: UnixTime) -> Self {
        Self { identity, chain, expires }
    }

    /// Whether a verification vouched for it: not for whoever has an external key, and no other one ever will.
    pub(crate) fn was_verified(&self) -> bool {
        !matches!(self.identity, Identity::Psk(_))
    }
}

impl fmt::Debug for Peer {
    /// The number of certificates, not their bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("identity", &self.identity)
            .field("certificates", &self.chain.len())
            .field("expires", &self.expires)
            .finish()
    }
}

/// What there is to verify.
#[derive(Debug)]
#[non_exhaustive]
pub enum PeerEvidence {
    /// Certificates and a signature, in a full handshake.
    Fresh(Presented),
    /// A peer that an earlier connection verified, in a resumed one; asked only if the policy verifies again.
    Resumed(Arc<Peer>),
}

/// What a peer presented (RFC 9846 sections 4.5.1 and 4.5.2).
#[derive(Debug)]
#[non_exhaustive]
pub struct Presented {
    /// The chain as sent, leaf first, at least one certificate; not even parsed.
    pub chain: Vec<CertificateDer<'static>>,
    /// The OCSP response stapled to the leaf.
    pub ocsp: Option<Vec<u8>>,
    /// The SignedCertificateTimestampList of the leaf.
    pub sct: Option<Vec<u8>>,
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
/// # use symbolon::{Refusal, question::{Answer, Peer, VerifyPeer}};
/// fn both(question: VerifyPeer, peer: Peer, why: Refusal) -> [Answer; 2] {
///     [question.refused(why), question.verified(peer)]
/// }
/// ```
/// ```
/// # use symbolon::{Refusal, question::{Answer, Peer, VerifyPeer}};
/// fn one(question: VerifyPeer, verdict: Result<Peer, Refusal>) -> Answer {
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

    /// Vouches for the peer: its chain, its name and, in a full handshake, the signature were verified.
    #[must_use]
    pub fn verified(self, peer: Peer) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Verified(Verified(Arc::new(peer))) }
    }

    /// Refuses the peer; RFC 9846 section 6.2 says which alert fits which reason.
    #[must_use]
    pub fn refused(self, refusal: Refusal) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Refused(refusal) }
    }
}
