//! Configurations, as the flags describe them.

use std::sync::Arc;

use symbolon::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use symbolon::config::{ClientAuth, ClientConfig, ConfigError, ServerConfig, ServerConfigBuilder};
use symbolon::crypto::{Provider, SignatureAlgorithm, rustcrypto};

use symbolon::question::Offered;

use crate::compliance::Restriction;
use crate::credentials::{LEGACY_PKCS1, Wallet};
use crate::failure::Failure;
use crate::groups::MLKEM1024;
use crate::options::Settings;
use crate::world::World;

/// How much early data a server accepts, in bytes: the runner sends one more to find the limit.
const MAX_EARLY_DATA: u32 = 14_336;

/// How much refused early data a server skips, in bytes of ciphertext.
const SKIP_LIMIT: usize = 16_384;

/// How many tickets follow a server's handshake.
const TICKETS: u8 = 2;

/// What a peer may sign with unless the flags say otherwise: what the reference accepts by itself.
const VERIFY_PREFS: [SignatureScheme; 5] = [
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
];

/// What no CertificateVerify of TLS 1.3 may be signed by (RFC 9846 section 4.3.3): RSASSA-PKCS1-v1_5, SHA-1 and MD5.
const NOT_IN_CERTIFICATE_VERIFY: [SignatureScheme; 6] = [
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme(0x0201),
    SignatureScheme(0x0203),
    SignatureScheme(0xFF01),
];

/// Which end the shim is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

/// The settings that both sides have, on either builder.
macro_rules! common {
    ($builder:expr, $settings:expr, $world:expr, $role:expr) => {{
        let restriction = Restriction::of($settings.compliance);
        let mut builder = $builder
            .signature_schemes(&verify_prefs($settings, &restriction, $role)?)
            .groups(&groups($settings, &restriction, &$world.provider)?);
        if !restriction.suites.is_empty() {
            builder = builder.suites(restriction.suites);
        }
        if let Some(bytes) = $settings.max_cert_list {
            builder = builder.max_certificate(bytes);
        }
        if let Some(bytes) = $settings.max_sent_content {
            builder = builder.max_sent_content(bytes);
        }
        if $settings.reverify_on_resume {
            builder = builder.verify_resumed_peers();
        }
        if $settings.export_traffic_secrets {
            builder = builder.reveal_secrets();
        }
        if $settings.early_write_after.is_some() {
            builder = builder.report_messages();
        }
        builder
    }};
}

/// A client's configuration.
pub fn client(settings: &Settings, wallet: &Wallet, world: &World) -> Result<Arc<ClientConfig>, Failure> {
    let mut builder = common!(ClientConfig::builder(world.provider.clone()), settings, world, Role::Client);
    if let Some(shares) = key_shares(settings, &world.provider) {
        builder = builder.key_shares(&shares);
    }
    if let Some(names) = &settings.advertise_alpn {
        builder = builder.alpn(names);
    }
    if settings.no_ticket {
        builder = builder.without_tickets();
    }
    if !settings.ocsp_stapling {
        builder = builder.without_staples();
    }
    if settings.scts {
        builder = builder.request_scts();
    }
    if !settings.accepted_peer_types.is_empty() {
        builder = builder.server_certificate_types(settings.accepted_peer_types.iter().copied());
    }
    let types = match settings.available_client_types.as_slice() {
        [] => wallet.types(),
        types => types.to_vec(),
    };
    if !types.is_empty() {
        builder = builder.client_certificate_types(types);
    }
    built(builder.build())
}

/// A server's configuration, which asks for everything else.
pub fn server(settings: &Settings, world: &World) -> Result<ServerConfigBuilder, Failure> {
    let mut builder = common!(ServerConfig::builder(world.provider.clone()), settings, world, Role::Server)
        .client_auth(client_auth(settings))
        .skip_limit(SKIP_LIMIT);
    if !settings.no_ticket {
        builder = builder.tickets(TICKETS);
    }
    if settings.early_data {
        builder = builder.early_data(MAX_EARLY_DATA, world.proof());
    }
    if !settings.accepted_peer_types.is_empty() {
        builder = builder.client_certificate_types(settings.accepted_peer_types.iter().copied());
    }
    Ok(builder)
}

/// The group that the reference takes of an offer, at the price of a round trip: the client's first one, or the first one
/// of a compliance policy.
pub fn preferred_group(settings: &Settings, offered: &Offered, provider: &Provider) -> Option<NamedGroup> {
    let restriction = Restriction::of(settings.compliance);
    if !restriction.groups.is_empty() {
        return restriction.groups.iter().copied().find(|group| offered.groups.contains(group));
    }
    let ours = groups(settings, &restriction, provider).ok()?;
    offered.groups.iter().copied().find(|group| ours.contains(group))
}

/// The suite that it takes, whatever the client resumes: the first one of a compliance policy, or what the library takes.
pub fn preferred_suite(settings: &Settings, offered: &Offered, provider: &Provider) -> Option<CipherSuite> {
    let is_offered = |suite: &CipherSuite| offered.suites.contains(suite);
    let restricted = Restriction::of(settings.compliance).suites;
    if !restricted.is_empty() {
        return restricted.iter().copied().find(is_offered);
    }
    match offered.suites.iter().copied().find(|suite| provider.suite(*suite).is_some()) {
        Some(CipherSuite::TLS_CHACHA20_POLY1305_SHA256) => Some(CipherSuite::TLS_CHACHA20_POLY1305_SHA256),
        _ => {
            let mut ours = provider.suites.to_vec();
            ours.sort_by_key(|suite| !suite.accelerated());
            ours.into_iter().map(|suite| suite.id).find(is_offered)
        }
    }
}

/// What a server's own configuration comes to.
pub fn built<T>(config: Result<T, ConfigError>) -> Result<T, Failure> {
    config.map_err(|error| match error {
        ConfigError::UnknownGroup(_) | ConfigError::UnknownScheme(_) | ConfigError::CertificateTypes => {
            Failure::Unimplemented(error.to_string())
        }
        other => Failure::Outside(other.to_string()),
    })
}

/// Groups to send a share of: what the server is said to have, what the flags name, or the first group of either kind.
fn key_shares(settings: &Settings, provider: &Provider) -> Option<Vec<NamedGroup>> {
    let groups = &settings.groups;
    let hinted = groups.iter().find(|group| settings.groups_hint.contains(group));
    if let Some(group) = hinted {
        return Some(vec![*group]);
    }
    if settings.key_shares.is_some() {
        return settings.key_shares.clone();
    }
    let first = *groups.first()?;
    let is_hybrid = |group: NamedGroup| matches!(group, NamedGroup::X25519MLKEM768 | MLKEM1024);
    let second = groups.iter().copied().find(|group| is_hybrid(*group) != is_hybrid(first));
    let known = [Some(first), second].into_iter().flatten().filter(|group| provider.group(*group).is_some());
    Some(known.collect())
}

fn client_auth(settings: &Settings) -> ClientAuth {
    let authorities = settings.client_authorities.clone().map(|names| names.0).unwrap_or_default();
    if settings.require_client_certificate {
        ClientAuth::Required { authorities }
    } else if settings.verify_peer {
        ClientAuth::Optional { authorities }
    } else {
        ClientAuth::Off
    }
}

/// Schemes for the peer's CertificateVerify. What may sign certificates alone is none of our business here.
fn verify_prefs(
    settings: &Settings,
    restriction: &Restriction,
    role: Role,
) -> Result<Vec<SignatureScheme>, Failure> {
    let wanted = match (settings.verify_prefs.as_slice(), restriction.schemes) {
        ([], []) => &VERIFY_PREFS,
        ([], restricted) => restricted,
        (prefs, _) => prefs,
    };
    let known = |scheme: &SignatureScheme| SignatureAlgorithm::of_handshake(*scheme).is_some();
    let schemes: Vec<_> = wanted.iter().copied().filter(known).collect();
    if !schemes.is_empty() {
        return Ok(schemes);
    }
    // What TLS 1.3 never permits there cannot be configured: the library refuses it whatever else is accepted.
    let never = |scheme: &SignatureScheme| {
        NOT_IN_CERTIFICATE_VERIFY.contains(scheme)
            || (role == Role::Client && LEGACY_PKCS1.contains(&scheme.0))
    };
    if wanted.iter().all(never) {
        return Ok(VERIFY_PREFS.to_vec());
    }
    Err(Failure::Unimplemented(format!("to verify only {wanted:?}")))
}

/// The groups: those of the library unless something else is said.
fn groups(
    settings: &Settings,
    restriction: &Restriction,
    provider: &Provider,
) -> Result<Vec<NamedGroup>, Failure> {
    let wanted = match (settings.groups.as_slice(), restriction.groups) {
        ([], []) => rustcrypto::provider().groups.iter().map(|group| group.id()).collect(),
        ([], restricted) => restricted.to_vec(),
        (groups, _) => groups.to_vec(),
    };
    match wanted.iter().find(|group| provider.group(**group).is_none()) {
        Some(group) => Err(Failure::Unimplemented(format!("the group {group}"))),
        None => Ok(wanted),
    }
}
