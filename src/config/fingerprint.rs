//! What makes two server configurations the same in the eyes of a ticket or a cookie.

use alloc::vec::Vec;

use super::ClientAuth;
use crate::codepoint::PskKeyExchangeMode;
use crate::crypto::{Digest, Hash};

/// The hash of a canonical encoding; tickets and cookies of another fingerprint are refused.
pub(crate) type Fingerprint = Digest;

/// The version of the encoding below; a change of it invalidates every ticket.
const VERSION: u8 = 1;

/// Hashes the virtual host, the mode of client authentication, the PSK modes and the verification policy.
///
/// Credential, staple, ALPN order and ticket count are left out on purpose: a rotated certificate keeps its tickets.
pub(super) fn fingerprint(
    hash: &dyn Hash,
    client_auth: &ClientAuth,
    virtual_host: &[u8],
    verification_policy: &[u8],
) -> Fingerprint {
    let mode = match client_auth {
        ClientAuth::Off => 0,
        ClientAuth::Optional { .. } => 1,
        ClientAuth::Required { .. } => 2,
    };
    let mut encoded = Vec::from([VERSION, mode, PskKeyExchangeMode::PSK_DHE_KE.0]);
    for field in [virtual_host, verification_policy] {
        // A fixed-width length makes the encoding injective.
        encoded.extend_from_slice(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        encoded.extend_from_slice(field);
    }
    hash.hash(&[&encoded])
}
