//! Configurations, as the flags describe them.

use std::sync::Arc;

use symbolon::codepoint::{NamedGroup, SignatureScheme};
use symbolon::config::{ClientAuth, ClientConfig, ConfigError, ServerConfig, ServerConfigBuilder};
use symbolon::crypto::{Provider, SignatureAlgorithm, rustcrypto};

use symbolon::question::Offered;

use crate::compliance::Restriction;
use crate::credentials::Wallet;
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

/// The settings that both sides have, on either builder.
macro_rules! common {
    ($builder:expr, $settings:expr, $world:expr) => {{
        let restriction = Restriction::of($settings.compliance);
        let mut builder = $builder
            .signature_schemes(&verify_prefs($settings, &restriction)?)
            .groups(&groups($settings, &restriction, &$world.provider)?);
        if !restriction.suites.is_empty() {
            builder = builder.suites(restriction.suites);
        }
        if let Some(bytes) = $settings.max_cert_list {
            builder = builder.max_certificate(bytes);
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
    let mut builder = common!(ClientConfig::builder(world.provider.clone()), settings, world);
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
    let mut builder = common!(ServerConfig::builder(world.provider.clone()), settings, world)
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

/// What a compliance policy makes of an offer: it prefers AES, and the strongest group, at the price of a round trip.
pub fn prefer(builder: ServerConfigBuilder, settings: &Settings, offered: &Offered) -> ServerConfigBuilder {
    let Restriction { groups, suites, .. } = Restriction::of(settings.compliance);
    let group = groups.iter().copied().find(|group| offered.groups.contains(group));
    let builder = match group {
        Some(group) => builder.groups(&[group]),
        None => builder,
    };
    let suite = suites.iter().copied().find(|suite| offered.suites.contains(suite));
    match suite {
        Some(suite) => builder.suites(&[suite]),
        None => builder,
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
fn verify_prefs(settings: &Settings, restriction: &Restriction) -> Result<Vec<SignatureScheme>, Failure> {
    let wanted = match (settings.verify_prefs.as_slice(), restriction.schemes) {
        ([], []) => &VERIFY_PREFS,
        ([], restricted) => restricted,
        (prefs, _) => prefs,
    };
    let known = |scheme: &SignatureScheme| SignatureAlgorithm::of_handshake(*scheme).is_some();
    let schemes: Vec<_> = wanted.iter().copied().filter(known).collect();
    if schemes.is_empty() {
        return Err(Failure::Unimplemented(format!("to verify only {wanted:?}")));
    }
    Ok(schemes)
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
