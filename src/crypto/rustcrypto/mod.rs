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

//= testvectors/requirements/rfc9846.txt#appendix-E.5
//# Implementations MUST NOT offer or negotiate RC4 cipher suites for any version of TLS for any reason.
//= testvectors/requirements/rfc9846.txt#appendix-E.5
//# Ciphers with a strength less than 112 bits MUST NOT be offered or negotiated for any version of TLS for
//# any reason.
static SUITES: &[&Suite] = &[
    //= testvectors/requirements/rfc9846.txt#section-9.1
    //# A TLS-compliant application MUST implement the TLS_AES_128_GCM_SHA256 [GCM] cipher suite
    &Suite { id: CipherSuite::TLS_AES_128_GCM_SHA256, hash: &hash::SHA256, aead: &aead::AES_128_GCM },
    &Suite { id: CipherSuite::TLS_AES_256_GCM_SHA384, hash: &hash::SHA384, aead: &aead::AES_256_GCM },
    &Suite {
        id: CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
        hash: &hash::SHA256,
        aead: &aead::CHACHA20_POLY1305,
    },
];

//= testvectors/requirements/rfc9846.txt#section-9.1
//# A TLS-compliant application MUST support key exchange with secp256r1 (NIST P-256)
//= testvectors/requirements/rfc9846.txt#appendix-B.3.1.4
//# Values within "obsolete_RESERVED" ranges are used in previous versions of TLS and MUST NOT be offered or
//# negotiated by TLS 1.3 implementations.
static GROUPS: &[&dyn Group] = &[&hybrid::X25519MLKEM768, &ec::X25519, &ec::SECP256R1, &ec::SECP384R1];
