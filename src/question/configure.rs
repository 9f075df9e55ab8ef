//! `Configure`: which configuration and which credential serve a ClientHello.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Answer, Tag, Verdict};
use crate::codepoint::{CertificateType, CipherSuite, NamedGroup, SignatureScheme};
use crate::config::{Credential, ServerConfig};
use crate::error::Refusal;

/// What a client offers, for choosing what serves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// The DNS name of "server_name" (RFC 6066 section 3), as sent.
    pub server_name: Option<String>,
    /// Application protocols, most preferred first.
    pub alpn: Vec<Vec<u8>>,
    /// Cipher suites, most preferred first, unknown ones included.
    pub suites: Vec<CipherSuite>,
    /// Groups, most preferred first, unknown ones included.
    pub groups: Vec<NamedGroup>,
    /// Schemes that may sign a CertificateVerify.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Schemes that may sign certificates; the above where the client sent no separate list.
    pub certificate_schemes: Vec<SignatureScheme>,
    /// DER distinguished names of authorities that the client accepts; empty means any.
    pub authorities: Vec<Vec<u8>>,
    /// Types of certificates that the client accepts of a server, most preferred first, unknown ones included: a
    /// credential of another type is refused with `unsupported_certificate`.
    pub server_certificate_types: Vec<CertificateType>,
    /// Types of certificates that the client can authenticate with, most preferred first, unknown ones included.
    pub client_certificate_types: Vec<CertificateType>,
    /// The whole ClientHello without its 4-byte header, for fingerprints and routing.
    pub client_hello: Box<[u8]>,
}

/// Server: which configuration and credential serve this ClientHello? Asked once, on the first one.
#[derive(Debug)]
pub struct Configure {
    pub(crate) tag: Tag,
    pub(crate) offered: Offered,
}

impl Configure {
    /// What the client offers. None of it is authenticated yet.
    #[must_use]
    pub fn offered(&self) -> &Offered {
        &self.offered
    }

    /// Serves the connection with this configuration and credential.
    #[must_use]
    pub fn with(self, config: Arc<ServerConfig>, credential: Arc<Credential>) -> Answer {
        Answer {
            tag: self.tag,
            verdict: Verdict::Configured(Configured { config, credential: Some(credential) }),
        }
    }

    /// Serves the connection with this configuration and pre-shared keys alone.
    #[must_use]
    pub fn with_psks_only(self, config: Arc<ServerConfig>) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Configured(Configured { config, credential: None }) }
    }

    /// Refuses the connection, for example with `unrecognized_name`.
    #[must_use]
    pub fn refused(self, refusal: Refusal) -> Answer {
        Answer { tag: self.tag, verdict: Verdict::Refused(refusal) }
    }
}

/// The answer's content.
pub(crate) struct Configured {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) credential: Option<Arc<Credential>>,
}
