//! What makes two configurations the same in the eyes of a ticket or a cookie.

use alloc::vec::Vec;

use super::{ClientAuth, PskKe};
use crate::codepoint::PskKeyExchangeMode;
use crate::crypto::{Digest, Hash};

/// The hash of a canonical encoding; tickets and cookies of another fingerprint are refused.
pub(crate) type Fingerprint = Digest;

/// The version of the encoding below; a change of it invalidates every ticket.
const VERSION: u8 = 2;

/// Hashes the virtual host, the mode of client authentication, the PSK modes and the verification policy.
///
/// Credential, staple, ALPN order and ticket count are left out on purpose: a rotated certificate keeps its tickets.
pub(super) fn of_server(
    hash: &dyn Hash,
    client_auth: &ClientAuth,
    psk_ke: PskKe,
    virtual_host: &[u8],
    verification_policy: &[u8],
) -> Fingerprint {
    let mode = match client_auth {
        ClientAuth::Off => 0,
        ClientAuth::Optional { .. } => 1,
        ClientAuth::Required { .. } => 2,
        ClientAuth::Migrating { .. } => 3,
    };
    let fields: [&[u8]; 4] = [&[mode], modes(psk_ke), virtual_host, verification_policy];
    hash.hash(&[&encoded(fields)])
}

/// Hashes the PSK modes, the application protocols and the verification policy of a client.
pub(super) fn of_client(
    hash: &dyn Hash,
    psk_ke: PskKe,
    alpn: &[Vec<u8>],
    verification_policy: &[u8],
) -> [u8; 32] {
    let protocols = encoded(alpn.iter().map(Vec::as_slice));
    let digest = hash.hash(&[&encoded([b"client", modes(psk_ke), &protocols, verification_policy])]);
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

fn modes(psk_ke: PskKe) -> &'static [u8] {
    match psk_ke {
        PskKe::Refused => &[PskKeyExchangeMode::PSK_DHE_KE.0],
        PskKe::Permitted => &[PskKeyExchangeMode::PSK_DHE_KE.0, PskKeyExchangeMode::PSK_KE.0],
    }
}

/// Fields behind their lengths, which have a fixed width: no two lists have one encoding.
fn encoded<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut encoded = Vec::from([VERSION]);
    for field in fields {
        encoded.extend_from_slice(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        encoded.extend_from_slice(field);
    }
    encoded
}
