//! What a configuration can get wrong.

use core::fmt;

use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use crate::error::Failed;

/// Why a configuration was refused, and what would mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The list of cipher suites is empty.
    NoSuites,
    /// The provider does not have this cipher suite.
    UnknownSuite(CipherSuite),
    /// The list of groups is empty.
    NoGroups,
    /// The provider does not have this group.
    UnknownGroup(NamedGroup),
    /// A group is listed twice (RFC 9846 section 4.3.7).
    DuplicateGroup(NamedGroup),
    /// A share is to be sent of a group that is not offered (RFC 9846 section 4.3.8).
    ShareOfOtherGroup(NamedGroup),
    /// The list of signature schemes is empty.
    NoSchemes,
    /// The provider cannot verify this scheme, or it may not sign a handshake.
    UnknownScheme(SignatureScheme),
    /// An ALPN name is empty or longer than 255 bytes, or all together exceed 65,535 bytes.
    Alpn,
    /// A record size limit is below 64 or above 16,385 bytes (RFC 8449 section 4).
    RecordSizeLimit(u16),
    /// The most content of a record of ours is below 64 or above 16,384 bytes.
    MaxSentContent(u16),
    /// A credential has no certificates.
    EmptyChain,
    /// A credential's raw public key has no bytes.
    EmptyKey,
    /// A credential's certificate timestamps are no SignedCertificateTimestampList (RFC 6962 section 3.3).
    Timestamps,
    /// A list of certificate types is empty, or names one twice or one that is neither X.509 nor a raw public key.
    CertificateTypes,
    /// A credential can sign with no scheme.
    NoSigningScheme,
    /// The credential's private key does not belong to its leaf certificate.
    KeyMismatch,
    /// Certificate authorities to ask for are empty names or too long together.
    Authorities,
    /// Early data is switched on with a limit of no bytes.
    NoEarlyBytes,
    /// Early data is switched on, and the policy has not the guard whose proof did it.
    OtherGuard,
    /// Early data is switched on, and the policy neither seals tickets nor stores sessions.
    EarlyDataWithoutTickets,
    /// Early data is switched on, and another policy checks early data with the same tickets by another guard.
    SecondGuard,
    /// Tickets that other servers take too, and a replay guard that sees this process alone.
    LocalGuardForFleet,
    /// The provider failed while the constants of the key schedule were computed.
    Provider(Failed),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuites => f.write_str("no cipher suite is configured; name at least one"),
            Self::UnknownSuite(id) => write!(f, "the provider does not have the cipher suite {id}"),
            Self::NoGroups => f.write_str("no group is configured; name at least one"),
            Self::UnknownGroup(id) => write!(f, "the provider does not have the group {id}"),
            Self::DuplicateGroup(id) => write!(f, "the group {id} is listed twice"),
            Self::ShareOfOtherGroup(id) => {
                write!(f, "a share of {id} needs the group among those that are offered")
            }
            Self::NoSchemes => f.write_str("no signature scheme is configured; name at least one"),
            Self::UnknownScheme(id) => write!(f, "the provider cannot verify handshake signatures by {id}"),
            Self::Alpn => {
                f.write_str("an ALPN name must have 1 to 255 bytes, and all together at most 65,535")
            }
            Self::RecordSizeLimit(n) => write!(f, "a record size limit of {n} is not within 64 to 16,385"),
            Self::MaxSentContent(n) => write!(f, "records of at most {n} bytes are not within 64 to 16,384"),
            Self::EmptyChain => f.write_str("a credential needs at least its leaf certificate"),
            Self::EmptyKey => f.write_str("a raw public key needs its SubjectPublicKeyInfo in DER"),
            Self::Timestamps => {
                f.write_str("certificate timestamps must be a SignedCertificateTimestampList with its length")
            }
            Self::CertificateTypes => f.write_str(
                "certificate types must be X509, RawPublicKey, or both, each once; name at least one",
            ),
            Self::NoSigningScheme => f.write_str("a credential needs at least one signature scheme"),
            Self::KeyMismatch => f.write_str("the private key does not belong to the leaf certificate"),
            Self::Authorities => {
                f.write_str("certificate authorities must be non-empty, together below 64 KiB")
            }
            Self::NoEarlyBytes => f.write_str("early data of 0 bytes; leave it switched off instead"),
            Self::OtherGuard => f.write_str(
                "early data was switched on with the proof of another replay guard than the policy has; give it the guard that came with the proof",
            ),
            Self::EarlyDataWithoutTickets => {
                f.write_str("early data needs tickets; give the policy a ticket ring or a session cache")
            }
            Self::SecondGuard => f.write_str(
                "another policy checks early data with the same tickets by another replay guard, so that one flight could be accepted by both; share one guard",
            ),
            Self::LocalGuardForFleet => f.write_str(
                "other servers take the same tickets, and the replay guard sees this process alone; use a guard that all servers share",
            ),
            Self::Provider(failed) => failed.fmt(f),
        }
    }
}

impl core::error::Error for ConfigError {}

impl From<Failed> for ConfigError {
    fn from(failed: Failed) -> Self {
        Self::Provider(failed)
    }
}
