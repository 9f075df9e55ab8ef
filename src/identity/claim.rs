//! What a verifier has to say of a peer, before its answer makes it count.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use rustls_pki_types::{CertificateDer, UnixTime};

use super::{Fingerprints, Identity, Names, Peer, SpiffeId};

/// Who a verifier says that a peer is; it counts once
/// [`VerifyPeer::verified`](crate::question::VerifyPeer::verified) consumed it.
///
/// Every constructor takes `expires`, when the first certificate of the verified path expires.
#[derive(Clone, Debug)]
pub struct Claim(Peer);

impl Claim {
    /// It speaks for a DNS name.
    #[must_use]
    pub fn dns(name: impl Into<String>, expires: UnixTime) -> Self {
        Self::of(Identity::Dns { name: name.into() }, expires)
    }

    /// It speaks for an IP address.
    #[must_use]
    pub fn ip(address: IpAddr, expires: UnixTime) -> Self {
        Self::of(Identity::Ip { address }, expires)
    }

    /// It is the workload of this SPIFFE ID.
    #[must_use]
    pub fn spiffe(id: SpiffeId, expires: UnixTime) -> Self {
        Self::of(Identity::Spiffe { id }, expires)
    }

    /// It speaks for a URI.
    #[must_use]
    pub fn uri(uri: impl Into<String>, expires: UnixTime) -> Self {
        Self::of(Identity::Uri { uri: uri.into() }, expires)
    }

    /// It speaks for a mailbox.
    #[must_use]
    pub fn email(mailbox: impl Into<String>, expires: UnixTime) -> Self {
        Self::of(Identity::Email { mailbox: mailbox.into() }, expires)
    }

    /// It has a certificate of this subject.
    #[must_use]
    pub fn subject(name: impl Into<String>, expires: UnixTime) -> Self {
        Self::of(Identity::Subject { name: name.into() }, expires)
    }

    /// It has the private key of this DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn raw_public_key(spki: impl Into<Vec<u8>>, expires: UnixTime) -> Self {
        Self::of(Identity::RawPublicKey { spki: spki.into() }, expires)
    }

    /// It sent this chain, leaf first.
    #[must_use]
    pub fn chain(mut self, chain: Vec<CertificateDer<'static>>) -> Self {
        self.0.chain = chain;
        self
    }

    /// Its certificate has these names besides.
    #[must_use]
    pub fn names(mut self, names: Names) -> Self {
        self.0.names = names;
        self
    }

    /// Its certificate has this serial number and these fingerprints.
    #[must_use]
    pub fn certificate(mut self, subject: String, serial: Vec<u8>, fingerprints: Fingerprints) -> Self {
        (self.0.subject, self.0.serial, self.0.fingerprints) = (subject, serial, Some(fingerprints));
        self
    }

    /// Trust of this generation vouches for it.
    #[cfg(feature = "pki")]
    pub(crate) fn under(mut self, generation: u64) -> Self {
        self.0.trust = generation;
        self
    }

    /// These timestamps came with its certificate.
    #[must_use]
    pub fn sct(mut self, list: Option<Vec<u8>>) -> Self {
        self.0.sct = list;
        self
    }

    /// It is still whom an earlier connection verified.
    #[must_use]
    pub fn again(peer: &Peer) -> Self {
        Self(peer.clone())
    }

    pub(crate) fn of(identity: Identity, expires: UnixTime) -> Self {
        Self(Peer::new(identity, Vec::new(), expires))
    }

    /// Only an answer may do this.
    pub(crate) fn into_peer(self) -> Peer {
        self.0
    }

    /// What is claimed, to be judged before it counts.
    #[cfg(feature = "pki")]
    pub(crate) fn peer(&self) -> &Peer {
        &self.0
    }

    /// Who is claimed.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }
}
