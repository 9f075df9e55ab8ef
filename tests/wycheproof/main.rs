//! Project Wycheproof's vectors, driven through the provider's traits alone.
//!
//! "valid" must pass and "invalid" must fail; what happens to "acceptable" stands beside each theme. Every file
//! has a least number of cases, so that a run over nothing fails.
#![cfg(feature = "rustcrypto")]

mod aead;
mod agreement;
mod hash;
mod kem;
mod signature;
mod vectors;

/// Runs every theme for each provider.
macro_rules! wycheproof {
    ($($name:ident = $provider:expr;)*) => {$(
        mod $name {
            #[test]
            fn aead() {
                super::aead::run(&$provider);
            }

            #[test]
            fn hash() {
                super::hash::run(&$provider);
            }

            #[test]
            fn agreement() {
                super::agreement::run(&$provider);
            }

            #[test]
            fn kem() {
                super::kem::run(&$provider);
            }

            #[test]
            fn ecdsa_and_ed25519() {
                super::signature::run_curves(&$provider);
            }

            #[test]
            fn rsa() {
                super::signature::run_rsa(&$provider);
            }
        }
    )*};
}

wycheproof! {
    rustcrypto = symbolon::crypto::rustcrypto::provider();
}
