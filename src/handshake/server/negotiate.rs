//! What of the client's offer is taken (RFC 9846 section 4.2.1), and what every ClientHello must satisfy.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::{Chosen, Serving};
use crate::codepoint::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::config::{Common, ConfiguredSuite, Credential};
use crate::error::Fault;
use crate::handshake::NotResumed;
use crate::wire::client_hello::ClientHello;
use crate::wire::ext::U16Set;

/// Refuses a ClientHello that breaks a rule on its own, in the standard's order: the version first.
pub(super) fn check(hello: &ClientHello<'_>) -> Result<(), Fault> {
    let extensions = &hello.extensions;
    match &extensions.supported_versions {
        Some(versions) if versions.contains(ProtocolVersion::TLS_1_3) => {}
        _ => {
            return Err(Fault::protocol_version(
                "the client speaks only TLS 1.2 or older; TLS 1.3 is needed",
            ));
        }
    }
    // RFC 9846 section 4.2.2
    if hello.legacy_version != ProtocolVersion::TLS_1_2 {
        return Err(Fault::protocol_version("legacy_version must be 0x0303 in TLS 1.3"));
    }
    if hello.legacy_compression_methods != [0] {
        return Err(Fault::illegal_parameter("legacy_compression_methods must be exactly the null method"));
    }
    // RFC 9846 section 9.2
    if extensions.pre_shared_key.is_none() {
        if extensions.signature_algorithms.is_none() {
            return Err(Fault::missing_extension(
                "a ClientHello without pre_shared_key needs signature_algorithms",
            ));
        }
        if extensions.supported_groups.is_none() {
            return Err(Fault::missing_extension(
                "a ClientHello without pre_shared_key needs supported_groups",
            ));
        }
    } else if extensions.psk_key_exchange_modes.is_none() {
        return Err(Fault::missing_extension("pre_shared_key needs psk_key_exchange_modes"));
    }
    if extensions.supported_groups.is_some() != extensions.key_share.is_some() {
        return Err(Fault::missing_extension("supported_groups and key_share need each other"));
    }
    check_shares(hello)
}

/// RFC 9846 section 4.3.8: "Clients MUST NOT offer any KeyShareEntry values for groups not listed in the client's
/// "supported_groups" extension". That shares "MUST appear in the same order" is not enforced: it decides nothing
/// here, and some clients break it. Long lists cost no more than their length.
fn check_shares(hello: &ClientHello<'_>) -> Result<(), Fault> {
    let (Some(groups), Some(shares)) = (&hello.extensions.supported_groups, &hello.extensions.key_share)
    else {
        return Ok(());
    };
    let mut in_order = groups.iter();
    if shares.iter().all(|share| in_order.any(|group| group == share.group)) {
        return Ok(());
    }
    let mut listed = U16Set::default();
    groups.iter().for_each(|group| {
        listed.insert(group.0);
    });
    if shares.iter().any(|share| listed.insert(share.group.0)) {
        return Err(Fault::illegal_parameter("key_share must hold groups of supported_groups alone"));
    }
    Ok(())
}

/// Chooses the parameters of a full handshake.
pub(super) fn choose(
    hello: &ClientHello<'_>,
    serving: &Serving,
    not_resumed: NotResumed,
) -> Result<Chosen, Fault> {
    let common = &serving.config.common;
    Ok(Chosen {
        suite: choose_suite(hello, common)?,
        group: choose_group(hello, common)?,
        signature: choose_signature(hello, &serving.credential)?,
        alpn: choose_alpn(hello, common)?,
        server_name: hello.extensions.server_name.map(ToOwned::to_owned),
        client_random: *hello.random,
        not_resumed,
    })
}

/// Our preference, but ChaCha20 for a client that puts it before all else that we have: it has no AES instructions.
pub(super) fn choose_suite(hello: &ClientHello<'_>, common: &Common) -> Result<ConfiguredSuite, Fault> {
    let clients_first = hello.cipher_suites.iter().find_map(|id| common.suite(id));
    let chosen = match clients_first {
        Some(entry) if entry.suite.id == CipherSuite::TLS_CHACHA20_POLY1305_SHA256 => Some(entry),
        _ => common.suites.iter().find(|entry| hello.cipher_suites.contains(entry.suite.id)),
    };
    chosen.cloned().ok_or(Fault::handshake_failure("no cipher suite in common"))
}

/// Our preference among the groups that the client sent a share of; without one, among all that it supports.
fn choose_group(hello: &ClientHello<'_>, common: &Common) -> Result<NamedGroup, Fault> {
    const NONE: Fault = Fault::handshake_failure("no key exchange group in common");
    let (Some(groups), Some(shares)) = (&hello.extensions.supported_groups, &hello.extensions.key_share)
    else {
        return Err(NONE);
    };
    let ours = || common.groups.iter().map(|group| group.id());
    ours()
        .find(|id| shares.iter().any(|share| share.group == *id))
        .or_else(|| ours().find(|id| groups.contains(*id)))
        .ok_or(NONE)
}

/// The first scheme of the credential that the client accepts (RFC 9846 section 4.5.2).
fn choose_signature(hello: &ClientHello<'_>, credential: &Credential) -> Result<SignatureScheme, Fault> {
    let Some(accepted) = &hello.extensions.signature_algorithms else {
        // RFC 9846 section 4.3.3
        return Err(Fault::missing_extension("signature_algorithms is needed for a certificate"));
    };
    let chosen = credential.schemes().iter().copied().find(|scheme| accepted.contains(*scheme));
    chosen.ok_or(Fault::handshake_failure("the client accepts no signature scheme of our credential"))
}

/// RFC 7301 section 3.2: our preference; "no_application_protocol" where both have protocols but none in common.
fn choose_alpn(hello: &ClientHello<'_>, common: &Common) -> Result<Option<Vec<u8>>, Fault> {
    let Some(offered) = &hello.extensions.alpn else { return Ok(None) };
    if common.alpn.is_empty() {
        return Ok(None);
    }
    let chosen = common.alpn.iter().find(|ours| offered.iter().any(|name| name == ours.as_slice()));
    match chosen {
        Some(name) => Ok(Some(name.clone())),
        None => Err(Fault::no_application_protocol("no application protocol in common")),
    }
}
