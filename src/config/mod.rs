//! Configuration: plain, checked once when it is built, immutable and shared by `Arc` afterwards.
//!
//! Knows the provider, the constants of the key schedule and what records may carry. Decides nothing at run time.

mod builder;
mod certificate_types;
mod client;
mod credential;
mod early_data;
mod error;
mod fingerprint;
mod server;

pub(crate) use certificate_types::CertificateTypes;
pub use client::{ClientConfig, ClientConfigBuilder};
pub(crate) use client::{Middleboxes, Tickets};
pub use credential::{Credential, Lease};
#[cfg(feature = "std")]
pub(crate) use early_data::GuardId;
pub use early_data::{Reach, ReplayGuarded};
pub use error::ConfigError;
pub use server::{ClientAuth, ServerConfig, ServerConfigBuilder, StatelessRetry};
pub(crate) use server::{Credentials, RetryKey};

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use crate::crypto::{Group, Hash, Provider, Suite};
use crate::record::{Padding, SizeLimit};
use crate::schedule::Constants;

/// What both sides configure.
pub(crate) struct Common {
    pub(crate) provider: Provider,
    /// Most preferred first.
    pub(crate) suites: Vec<ConfiguredSuite>,
    /// Most preferred first.
    pub(crate) groups: Vec<&'static dyn Group>,
    /// What may sign a CertificateVerify, most preferred first.
    pub(crate) schemes: Vec<SignatureScheme>,
    /// What may sign a certificate: the above and RSASSA-PKCS1-v1_5.
    pub(crate) certificate_schemes: Vec<SignatureScheme>,
    /// Most preferred first; each 1 to 255 bytes.
    pub(crate) alpn: Vec<Vec<u8>>,
    /// What we accept in a protected record, as RFC 8449 section 4 counts it; `None` sends no extension.
    pub(crate) record_size_limit: Option<u16>,
    /// The most that a record of ours carries.
    pub(crate) sent_limit: SizeLimit,
    pub(crate) padding: Padding,
    /// The longest Certificate message accepted, in bytes.
    pub(crate) max_certificate: usize,
    pub(crate) secrets: Secrets,
    pub(crate) messages: Messages,
    pub(crate) psk_ke: PskKe,
    pub(crate) resumed_peers: ResumedPeers,
}

/// Whether a pre-shared key may do without a key exchange (`psk_ke`, RFC 9846 section 4.3.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PskKe {
    Refused,
    Permitted,
}

/// Whether a peer that an earlier connection verified is verified again when it resumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResumedPeers {
    Believed,
    VerifiedAgain,
}

/// Whether traffic secrets are shown to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    Kept,
    Revealed,
}

/// Whether messages that pass are reported to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Messages {
    Unreported,
    Reported,
}

/// A suite with the constants of its key schedule.
#[derive(Clone)]
pub(crate) struct ConfiguredSuite {
    pub(crate) suite: &'static Suite,
    pub(crate) constants: Arc<Constants>,
}

impl Common {
    /// The configured suite with this code point.
    pub(crate) fn suite(&self, id: CipherSuite) -> Option<&ConfiguredSuite> {
        self.suites.iter().find(|entry| entry.suite.id == id)
    }

    /// What cookies are authenticated and fingerprints are made with: the shortest hash of the provider, whatever the
    /// configured suites and their order, which servers that take each other's may have changed meanwhile.
    pub(crate) fn identifying_hash(&self) -> Result<&'static dyn Hash, ConfigError> {
        let hashes = self.provider.suites.iter().map(|suite| suite.hash);
        hashes.min_by_key(|hash| hash.output_len()).ok_or(ConfigError::NoSuites)
    }

    /// The configured group with this code point.
    pub(crate) fn group(&self, id: NamedGroup) -> Option<&'static dyn Group> {
        self.groups.iter().copied().find(|group| group.id() == id)
    }

    /// The limit that we put on the peer's records.
    pub(crate) fn own_record_limit(&self) -> Option<SizeLimit> {
        self.record_size_limit.map(SizeLimit::negotiated)
    }
}
