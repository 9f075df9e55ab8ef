//! What the flags say: one set of settings for each phase of a test.

use symbolon::AlertCode;
use symbolon::codepoint::{CertificateType, CipherSuite, NamedGroup, SignatureScheme};

/// Everything that the command line says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The runner's port on the loopback interface.
    pub port: u16,
    /// Which process this is, to the runner.
    pub shim_id: u64,
    /// Whether the runner listens on `::1`.
    pub ipv6: bool,
    /// Whether the shim is the TLS server.
    pub server: bool,
    /// How many connections follow the first one.
    pub resume_count: u32,
    /// In force on the first connection.
    pub initial: Settings,
    /// In force on later connections.
    pub resume: Settings,
    /// In force on a resumed client connection whose early data was refused.
    pub retry: Settings,
}

/// What a credential is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialKind {
    /// A certificate chain.
    #[default]
    X509,
    /// A raw public key (RFC 7250).
    RawPublicKey,
    /// A key to import (RFC 9258).
    Psk,
}

/// What a credential is made of.
#[derive(Clone, Debug, Default)]
pub struct CredentialSpec {
    pub kind: CredentialKind,
    pub cert_file: Option<String>,
    pub key_file: Option<String>,
    pub signing_prefs: Vec<SignatureScheme>,
    pub ocsp_response: Option<Vec<u8>>,
    pub scts: Option<Vec<u8>>,
    pub must_match_issuer: bool,
    pub psk_key: Vec<u8>,
    pub psk_identity: Vec<u8>,
    pub psk_context: Vec<u8>,
    pub psk_sha384: bool,
}

/// A restriction of algorithms by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compliance {
    Fips202205,
    Wpa202304,
    Cnsa202407,
    Cnsa1,
    Cnsa2,
}

/// What a server does about ALPN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServerAlpn {
    /// It has never heard of it.
    #[default]
    Ignored,
    /// It selects this protocol.
    Select(Vec<u8>),
    /// It selects a protocol without a name, which none is.
    Empty,
    /// It refuses the connection.
    Refused,
}

/// What a second look at OCSP responses comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OcspCallback {
    /// Nobody looks, or whoever does agrees.
    #[default]
    Agrees,
    /// A server staples nothing after all.
    Declines,
    /// It fails: the connection is refused.
    Fails,
}

/// Names of authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities(pub Vec<Vec<u8>>);

/// How the shim behaves in one phase, and what it expects.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub asynchronous: bool,

    // Credentials and authentication.
    pub default_credential: CredentialSpec,
    pub credentials: Vec<CredentialSpec>,
    pub verify_prefs: Vec<SignatureScheme>,
    pub verify_peer: bool,
    pub require_client_certificate: bool,
    pub verify_fail: bool,
    pub custom_verify: bool,
    pub reverify_on_resume: bool,
    pub client_authorities: Option<Authorities>,
    pub max_cert_list: Option<usize>,
    pub max_sent_content: Option<u16>,
    pub accepted_peer_types: Vec<CertificateType>,
    pub available_client_types: Vec<CertificateType>,
    pub ocsp_stapling: bool,
    pub scts: bool,
    pub ocsp_callback: OcspCallback,
    pub rejects: Option<(AlertCode, &'static str)>,

    // Key exchange and suites.
    pub groups: Vec<NamedGroup>,
    pub key_shares: Option<Vec<NamedGroup>>,
    pub groups_hint: Vec<NamedGroup>,
    pub compliance: Option<Compliance>,

    // Extensions.
    pub host_name: Option<String>,
    pub advertise_alpn: Option<Vec<Vec<u8>>>,
    pub server_alpn: ServerAlpn,

    // Resumption and early data.
    pub no_ticket: bool,
    pub early_data: bool,
    pub resumption_delay: u64,
    pub early_write_after: Option<u8>,

    // Application data.
    pub writes_first: bool,
    pub initial_write: Option<String>,
    pub repeat_initial_write: Option<u32>,
    pub unfinished_write: bool,
    pub shuts_down: bool,
    pub check_close_notify: bool,
    pub send_alert: bool,
    pub key_update: bool,
    pub export_len: usize,
    pub export_label: String,
    pub export_context: String,
    pub export_traffic_secrets: bool,

    pub expect: Expectations,
}

/// What must be true once a connection is up, and when it ends.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    pub session_miss: bool,
    pub no_session: bool,
    pub ticket_supports_early_data: bool,
    pub accept_early_data: bool,
    pub reject_early_data: bool,
    pub no_offer_early_data: bool,
    pub early_data_reason: Option<String>,
    pub ticket_age_skew: Option<i64>,
    pub version: Option<u16>,
    pub group: Option<NamedGroup>,
    pub suite: Option<CipherSuite>,
    pub suite_with_aes: Option<CipherSuite>,
    pub suite_without_aes: Option<CipherSuite>,
    pub hrr: Option<bool>,
    pub alpn: Option<Vec<u8>>,
    pub advertised_alpn: Option<Vec<Vec<u8>>>,
    pub server_name: Option<String>,
    pub no_server_name: bool,
    pub verify_result: bool,
    pub signature: Option<SignatureScheme>,
    pub peer_verify_prefs: Vec<SignatureScheme>,
    pub peer_cert_file: Option<String>,
    pub no_peer_cert: bool,
    pub client_authorities: Option<Authorities>,
    pub selected_credential: Option<i32>,
    pub ocsp_response: Option<Vec<u8>>,
    pub scts: Option<Vec<u8>>,
    pub peer_certificate_type: Option<CertificateType>,
    pub peer_rpk_sha256: Option<Vec<u8>>,
}
