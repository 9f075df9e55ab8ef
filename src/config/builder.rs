//! The settings that both sides have, and their checks.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Common, ConfigError, ConfiguredSuite, Messages, PskKe, ResumedPeers, Secrets};
use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use crate::crypto::{Hash, Provider, SignatureAlgorithm, Suite};
use crate::record::{MAX_CONTENT, Padding, SizeLimit};
use crate::schedule::Constants;

/// The longest Certificate message accepted unless configured otherwise, in bytes.
const DEFAULT_MAX_CERTIFICATE: usize = 64 << 10;

/// Handshake signature schemes in the default order of preference.
const SCHEMES: [SignatureScheme; 7] = [
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::ECDSA_SECP521R1_SHA512,
];

/// What may sign certificates beside the above (RFC 9846 section 4.3.3).
const CERTIFICATE_ONLY: [(SignatureScheme, SignatureAlgorithm); 3] = [
    (SignatureScheme::RSA_PKCS1_SHA256, SignatureAlgorithm::RsaPkcs1Sha256),
    (SignatureScheme::RSA_PKCS1_SHA384, SignatureAlgorithm::RsaPkcs1Sha384),
    (SignatureScheme::RSA_PKCS1_SHA512, SignatureAlgorithm::RsaPkcs1Sha512),
];

/// Unchecked settings.
pub(super) struct Settings {
    provider: Provider,
    pub(super) suites: Option<Vec<CipherSuite>>,
    pub(super) groups: Option<Vec<NamedGroup>>,
    pub(super) schemes: Option<Vec<SignatureScheme>>,
    pub(super) alpn: Vec<Vec<u8>>,
    pub(super) record_size_limit: Option<u16>,
    pub(super) max_sent_content: Option<u16>,
    pub(super) padding: Padding,
    pub(super) max_certificate: usize,
    pub(super) secrets: Secrets,
    pub(super) messages: Messages,
    pub(super) psk_ke: PskKe,
    pub(super) resumed_peers: ResumedPeers,
    pub(super) verification_policy: Vec<u8>,
}

impl Settings {
    pub(super) fn new(provider: Provider) -> Self {
        Self {
            provider,
            suites: None,
            groups: None,
            schemes: None,
            alpn: Vec::new(),
            record_size_limit: None,
            max_sent_content: None,
            padding: Padding::None,
            max_certificate: DEFAULT_MAX_CERTIFICATE,
            secrets: Secrets::Kept,
            messages: Messages::Unreported,
            psk_ke: PskKe::Refused,
            resumed_peers: ResumedPeers::Believed,
            verification_policy: Vec::new(),
        }
    }

    pub(super) fn check(self) -> Result<Common, ConfigError> {
        check_alpn(&self.alpn)?;
        //= testvectors/requirements/rfc8449.txt#section-4
        //# an endpoint MUST NOT send a value higher than the protocol-defined maximum record size
        //= testvectors/requirements/rfc8449.txt#section-4
        //# Endpoints MUST NOT send a "record_size_limit" extension with a value smaller than 64.
        if let Some(limit) = self.record_size_limit
            && !(64..=16_385).contains(&limit)
        {
            return Err(ConfigError::RecordSizeLimit(limit));
        }
        let sent_limit = match self.max_sent_content {
            None => SizeLimit::STANDARD,
            Some(bytes) if (64..=MAX_CONTENT).contains(&usize::from(bytes)) => SizeLimit::of_content(bytes),
            Some(bytes) => return Err(ConfigError::MaxSentContent(bytes)),
        };
        let provider = &self.provider;
        let schemes = check_schemes(provider, self.schemes)?;
        let mut certificate_schemes = schemes.clone();
        certificate_schemes.extend(
            CERTIFICATE_ONLY
                .iter()
                .filter(|(_, algorithm)| provider.verifier(*algorithm).is_some())
                .map(|(scheme, _)| *scheme),
        );
        Ok(Common {
            suites: check_suites(provider, self.suites)?,
            groups: check_groups(provider, self.groups)?,
            schemes,
            certificate_schemes,
            alpn: self.alpn,
            record_size_limit: self.record_size_limit,
            sent_limit,
            padding: self.padding,
            max_certificate: self.max_certificate,
            secrets: self.secrets,
            messages: self.messages,
            psk_ke: self.psk_ke,
            resumed_peers: self.resumed_peers,
            provider: self.provider,
        })
    }
}

//= testvectors/requirements/rfc9846.txt#section-9.3
//# A client sending a ClientHello MUST support all non-GREASE [RFC8701] parameters advertised in it.
fn check_suites(
    provider: &Provider,
    wanted: Option<Vec<CipherSuite>>,
) -> Result<Vec<ConfiguredSuite>, ConfigError> {
    let suites: Vec<&'static Suite> = match wanted {
        Some(ids) => ids
            .iter()
            .map(|id| provider.suite(*id).ok_or(ConfigError::UnknownSuite(*id)))
            .collect::<Result<_, _>>()?,
        None => {
            // AES is fast and constant in time only where the processor has it.
            let mut suites = provider.suites.to_vec();
            suites.sort_by_key(|suite| !suite.accelerated());
            suites
        }
    };
    if suites.is_empty() {
        return Err(ConfigError::NoSuites);
    }
    let mut configured: Vec<ConfiguredSuite> = Vec::with_capacity(suites.len());
    for suite in suites {
        let same_hash = |entry: &&ConfiguredSuite| same(entry.suite.hash, suite.hash);
        let constants = match configured.iter().find(same_hash) {
            Some(entry) => Arc::clone(&entry.constants),
            None => Arc::new(Constants::new(suite.hash)?),
        };
        configured.push(ConfiguredSuite { suite, constants });
    }
    Ok(configured)
}

fn same(a: &'static dyn Hash, b: &'static dyn Hash) -> bool {
    a.output_len() == b.output_len()
}

fn check_groups(
    provider: &Provider,
    wanted: Option<Vec<NamedGroup>>,
) -> Result<Vec<&'static dyn crate::crypto::Group>, ConfigError> {
    let ids = wanted.unwrap_or_else(|| provider.groups.iter().map(|group| group.id()).collect());
    if ids.is_empty() {
        return Err(ConfigError::NoGroups);
    }
    for (position, id) in ids.iter().enumerate() {
        if ids.iter().take(position).any(|earlier| earlier == id) {
            //= testvectors/requirements/rfc9846.txt#section-4.3.7
            //# The "named_group_list" MUST NOT contain any duplicate entries.
            return Err(ConfigError::DuplicateGroup(*id));
        }
    }
    ids.iter().map(|id| provider.group(*id).ok_or(ConfigError::UnknownGroup(*id))).collect()
}

fn check_schemes(
    provider: &Provider,
    wanted: Option<Vec<SignatureScheme>>,
) -> Result<Vec<SignatureScheme>, ConfigError> {
    let available = |scheme: &SignatureScheme| {
        SignatureAlgorithm::of_handshake(*scheme)
            .is_some_and(|algorithm| provider.verifier(algorithm).is_some())
    };
    let schemes = match wanted {
        Some(schemes) => {
            if let Some(unknown) = schemes.iter().find(|scheme| !available(scheme)) {
                return Err(ConfigError::UnknownScheme(*unknown));
            }
            schemes
        }
        None => SCHEMES.into_iter().filter(available).collect(),
    };
    if schemes.is_empty() { Err(ConfigError::NoSchemes) } else { Ok(schemes) }
}

fn check_alpn(names: &[Vec<u8>]) -> Result<(), ConfigError> {
    let total: usize = names.iter().map(|name| name.len().saturating_add(1)).sum();
    if total > usize::from(u16::MAX) || names.iter().any(|name| name.is_empty() || name.len() > 255) {
        return Err(ConfigError::Alpn);
    }
    Ok(())
}

/// RFC 9846 section 4.3.4: names are not empty, and the list has a 16-bit length.
pub(super) fn check_authorities(names: &[Vec<u8>]) -> Result<(), ConfigError> {
    let total: usize = names.iter().map(|name| name.len().saturating_add(2)).sum();
    if total > usize::from(u16::MAX) || names.iter().any(Vec::is_empty) {
        return Err(ConfigError::Authorities);
    }
    Ok(())
}

/// The setters that both builders have.
macro_rules! common_settings {
    () => {
        /// Application protocols (RFC 7301), most preferred first; each 1 to 255 bytes.
        #[must_use]
        pub fn alpn<I>(mut self, names: I) -> Self
        where
            I: IntoIterator,
            I::Item: AsRef<[u8]>,
        {
            self.settings.alpn = names.into_iter().map(|name| name.as_ref().to_vec()).collect();
            self
        }

        /// Cipher suites, most preferred first. By default all of the provider's, AES first only where the
        /// processor has instructions for it.
        #[must_use]
        pub fn suites(mut self, suites: &[CipherSuite]) -> Self {
            self.settings.suites = Some(suites.to_vec());
            self
        }

        /// Key exchange groups, most preferred first. By default all of the provider's, hybrids first.
        #[must_use]
        pub fn groups(mut self, groups: &[NamedGroup]) -> Self {
            self.settings.groups = Some(groups.to_vec());
            self
        }

        /// Signature schemes accepted in the peer's CertificateVerify, most preferred first.
        #[must_use]
        pub fn signature_schemes(mut self, schemes: &[SignatureScheme]) -> Self {
            self.settings.schemes = Some(schemes.to_vec());
            self
        }

        /// Asks the peer for smaller protected records (RFC 8449): 64 to 16,385 bytes of content, type and padding.
        #[must_use]
        pub fn record_size_limit(mut self, bytes: u16) -> Self {
            self.settings.record_size_limit = Some(bytes);
            self
        }

        /// The most content that a record of ours carries (RFC 9846 section 5.1), in bytes: 64 to 16,384, the default.
        /// A peer can use a small record before all of a large one would be there; each costs 22 bytes more. What the
        /// peer asks for (RFC 8449) holds beside it.
        #[must_use]
        pub fn max_sent_content(mut self, bytes: u16) -> Self {
            self.settings.max_sent_content = Some(bytes);
            self
        }

        /// How application data records are padded (RFC 9846 section 5.4). By default not at all.
        #[must_use]
        pub fn padding(mut self, padding: Padding) -> Self {
            self.settings.padding = padding;
            self
        }

        /// The longest Certificate message accepted, in bytes. By default 65,536.
        #[must_use]
        pub fn max_certificate(mut self, bytes: usize) -> Self {
            self.settings.max_certificate = bytes;
            self
        }

        /// Also permits pre-shared keys without a key exchange (`psk_ke`, RFC 9846 section 4.3.9): whoever learns the key
        /// later can read the connection. By default only `psk_dhe_ke`.
        #[must_use]
        pub fn psk_ke(mut self) -> Self {
            self.settings.psk_ke = PskKe::Permitted;
            self
        }

        /// Names the policy that verifies peers, so that sessions of another policy are not resumed.
        #[must_use]
        pub fn verification_policy(mut self, id: impl AsRef<[u8]>) -> Self {
            self.settings.verification_policy = id.as_ref().to_vec();
            self
        }

        /// Asks to verify the peer of a resumed connection once more, as
        /// [`PeerEvidence::Resumed`](crate::question::PeerEvidence::Resumed). By default its session vouches for it, as
        /// it always does for whoever was known by an external key: there is nothing to verify.
        #[must_use]
        pub fn verify_resumed_peers(mut self) -> Self {
            self.settings.resumed_peers = ResumedPeers::VerifiedAgain;
            self
        }

        /// Hands traffic secrets to the caller as events, for a key log or for QUIC-like uses.
        ///
        /// Whoever sees them can read and forge the connection.
        #[must_use]
        pub fn reveal_secrets(mut self) -> Self {
            self.settings.secrets = Secrets::Revealed;
            self
        }

        /// Reports every handshake message, ChangeCipherSpec and alert that passes as an event, for diagnosis.
        #[must_use]
        pub fn report_messages(mut self) -> Self {
            self.settings.messages = Messages::Reported;
            self
        }
    };
}
pub(super) use common_settings;
