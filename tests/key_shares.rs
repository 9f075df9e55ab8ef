//! Which groups a client sends a share of at once (RFC 9846 section 4.3.8).
#![cfg(feature = "rustcrypto")]

mod support;

use support::*;
use symbolon::codepoint::NamedGroup;
use symbolon::config::{ClientConfig, ConfigError};
use symbolon::conn::Summary;

const HYBRID: NamedGroup = NamedGroup::X25519MLKEM768;
const X25519: NamedGroup = NamedGroup::X25519;
const P256: NamedGroup = NamedGroup::SECP256R1;

/// A handshake of a client with these groups and shares, and a server that has `theirs` alone.
fn agreed(groups: &[NamedGroup], shares: &[NamedGroup], theirs: NamedGroup) -> Summary {
    let client = client_config(|b| b.groups(groups).key_shares(shares));
    let mut pair = Pair::new(&client, &server_config(|b| b.groups(&[theirs])));
    pair.run().unwrap();
    pair.client.summary.unwrap()
}

#[test]
fn each_named_group_has_a_share_of_its_own() {
    let groups = [X25519, HYBRID, P256];
    for theirs in [HYBRID, P256] {
        let summary = agreed(&groups, &[P256, HYBRID], theirs);
        assert_eq!((summary.group, summary.retried), (Some(theirs), false));
    }
    let summary = agreed(&groups, &[P256, HYBRID], X25519);
    assert_eq!((summary.group, summary.retried), (Some(X25519), true), "no component was offered");
}

#[test]
fn without_shares_the_server_asks_for_one() {
    let summary = agreed(&[HYBRID, P256], &[], P256);
    assert_eq!((summary.group, summary.retried), (Some(P256), true));
}

#[test]
fn a_share_of_a_group_that_is_not_offered_is_refused() {
    let config = ClientConfig::builder(provider()).groups(&[X25519]).key_shares(&[P256]).build();
    assert_eq!(config.map(drop), Err(ConfigError::ShareOfOtherGroup(P256)));
}
