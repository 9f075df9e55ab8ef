//! Who a peer is, as far as a verification vouched for it.
//!
//! An [`Identity`] and a [`Peer`] can be read by everyone and made only by an answered `VerifyPeer`, or by opening
//! a ticket or a session that holds one. What a verifier has to say is a [`Claim`] until then.

mod claim;
mod fingerprint;
mod spiffe;

pub use claim::Claim;
pub use fingerprint::{Fingerprint, Fingerprints};
pub use spiffe::{NotSpiffe, SpiffeId, TrustDomain};

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use rustls_pki_types::{CertificateDer, UnixTime};

/// Who the peer is. Its variants can be matched anywhere and made nowhere outside of a verification:
///
/// ```compile_fail,E0639
/// let root = symbolon::identity::Identity::Dns { name: "bank.example".into() };
/// ```
/// ```
/// # use symbolon::identity::Identity;
/// fn is_bank(identity: &Identity) -> bool { matches!(identity, Identity::Dns { name, .. } if name == "bank.example") }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Identity {
    /// Whoever may speak for this DNS name (RFC 9525).
    #[non_exhaustive]
    Dns {
        /// The name, as it was expected or certified.
        name: String,
    },
    /// Whoever may speak for this IP address.
    #[non_exhaustive]
    Ip {
        /// The address.
        address: IpAddr,
    },
    /// A workload of this SPIFFE ID; its certificate keeps the rules for an X.509-SVID.
    #[non_exhaustive]
    Spiffe {
        /// The ID.
        id: SpiffeId,
    },
    /// Whoever may speak for this URI, which is no SPIFFE ID.
    #[non_exhaustive]
    Uri {
        /// The URI.
        uri: String,
    },
    /// Whoever may speak for this mailbox.
    #[non_exhaustive]
    Email {
        /// The mailbox.
        mailbox: String,
    },
    /// A client whose certificate has no alternative name, by its subject in the form of RFC 4514.
    #[non_exhaustive]
    Subject {
        /// The subject.
        name: String,
    },
    /// Whoever has the private key of this DER `SubjectPublicKeyInfo` (RFC 7250); nothing was certified.
    #[non_exhaustive]
    RawPublicKey {
        /// The key.
        spki: Vec<u8>,
    },
    /// Whoever has the external pre-shared key of this name; nothing was certified.
    #[non_exhaustive]
    Psk {
        /// The key's identity on the wire.
        name: Vec<u8>,
    },
    /// Nobody in particular: the peer was not authenticated.
    Anonymous,
}

impl Identity {
    /// The SPIFFE ID, where it is one.
    #[must_use]
    pub fn spiffe_id(&self) -> Option<&SpiffeId> {
        match self {
            Self::Spiffe { id } => Some(id),
            _ => None,
        }
    }
}

impl fmt::Display for Identity {
    /// One line for a log: the kind, a colon, the name; nothing in it can break the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns { name } => write!(f, "dns:{}", name.escape_debug()),
            Self::Ip { address } => write!(f, "ip:{address}"),
            Self::Spiffe { id } => write!(f, "{id}"),
            Self::Uri { uri } => write!(f, "uri:{}", uri.escape_debug()),
            Self::Email { mailbox } => write!(f, "email:{}", mailbox.escape_debug()),
            Self::Subject { name } => write!(f, "subject:{}", name.escape_debug()),
            Self::RawPublicKey { spki } => write!(f, "raw public key of {} bytes", spki.len()),
            Self::Psk { name } => write!(f, "psk:{}", name.escape_ascii()),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// All alternative names of a certificate, in its order (RFC 5280 section 4.2.1.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Names {
    /// DNS names, wildcards included.
    pub dns: Vec<String>,
    /// IP addresses.
    pub ips: Vec<IpAddr>,
    /// URIs.
    pub uris: Vec<String>,
    /// Mailboxes.
    pub emails: Vec<String>,
}

/// A verified peer.
#[derive(Clone)]
#[non_exhaustive]
pub struct Peer {
    /// Who it is.
    pub identity: Identity,
    /// The chain that it sent, leaf first; empty without certificates, and where a ticket left it out.
    pub chain: Vec<CertificateDer<'static>>,
    /// When the first certificate of the verified path expires; the end of time for a bare key.
    pub expires: UnixTime,
    /// Everything else that its certificate names.
    pub names: Names,
    /// The subject of its certificate in the form of RFC 4514; empty without one.
    pub subject: String,
    /// The serial number of its certificate, most significant byte first; empty without one.
    pub serial: Vec<u8>,
    /// The fingerprints of its certificate, where it has one.
    pub fingerprints: Option<Fingerprints>,
    /// The SignedCertificateTimestampList of its certificate (RFC 6962 section 3.3), not verified; not in sessions.
    pub sct: Option<Vec<u8>>,
    /// Which generation of trust vouched for it; sessions and tickets have it beside the peer.
    pub(crate) trust: u64,
}

impl Peer {
    /// A peer of whom nothing else is known.
    pub(crate) fn new(identity: Identity, chain: Vec<CertificateDer<'static>>, expires: UnixTime) -> Self {
        Self {
            identity,
            chain,
            expires,
            names: Names::default(),
            subject: String::new(),
            serial: Vec::new(),
            fingerprints: None,
            sct: None,
            trust: 0,
        }
    }

    /// Whether a verification vouched for it: not for whoever has an external key, and no other one ever will.
    pub(crate) fn was_verified(&self) -> bool {
        !matches!(self.identity, Identity::Psk { .. })
    }
}

impl fmt::Debug for Peer {
    /// The number of certificates, not their bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("identity", &self.identity)
            .field("certificates", &self.chain.len())
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn no_name_breaks_a_line_of_a_log() {
        for identity in [
            Identity::Dns { name: "a\nb".into() },
            Identity::Subject { name: "a\r".into() },
            Identity::Psk { name: b"\n".into() },
        ] {
            assert!(!identity.to_string().contains(char::is_control), "{identity:?}");
        }
        assert_eq!(Identity::Anonymous.to_string(), "anonymous");
    }
}
