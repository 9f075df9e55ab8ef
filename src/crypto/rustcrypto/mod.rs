//! The default provider: pure Rust, from the RustCrypto and dalek projects.
//!
//! It implements the traits of `crypto` and knows nothing else of the library. Whatever it draws at random comes
//! from the `Rng` that it is handed.

use alloc::sync::Arc;

use super::{Group, Provider, Suite};
use crate::codepoint::CipherSuite;

mod aead;
mod ec;
mod hash;
mod hybrid;
mod load;
mod random;
mod sign;
mod verify;

/// The provider, with the operating system's source of randomness.
///
/// Suites and groups stand in the order of preference; a configuration may prefer the suites that
/// [`Suite::accelerated`] names.
#[must_use]
pub fn provider() -> Provider {
    Provider {
        name: "rustcrypto",
        suites: SUITES,
        groups: GROUPS,
        verifiers: verify::ALL,
        load_key: load::load_key,
        rng: Arc::new(random::SystemRng),
    }
}

static SUITES: &[&Suite] = &[
    &Suite { id: CipherSuite::TLS_AES_128_GCM_SHA256, hash: &hash::SHA256, aead: &aead::AES_128_GCM },
    &Suite { id: CipherSuite::TLS_AES_256_GCM_SHA384, hash: &hash::SHA384, aead: &aead::AES_256_GCM },
    &Suite {
        id: CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
        hash: &hash::SHA256,
        aead: &aead::CHACHA20_POLY1305,
    },
];

static GROUPS: &[&dyn Group] = &[&hybrid::X25519MLKEM768, &ec::X25519, &ec::SECP256R1, &ec::SECP384R1];
