//! What the fuzz targets do with their input. Each target is a plain function over bytes: libFuzzer calls it, and so does
//! the replay of the corpora, which needs neither a nightly compiler nor C++.
#![cfg(fuzzing)]
#![forbid(unsafe_code)]

/// Certificates of a folder of test vectors.
macro_rules! vectors {
    ($folder:literal: $($name:literal),* $(,)?) => {
        [$($crate::believing::certificate(include_bytes!(
            concat!("../../testvectors/", $folder, "/", $name, ".pem")
        ))),*]
    };
}
use vectors;

mod believing;
mod machine;
mod script;

pub mod answers;
pub mod client_machine;
pub mod crl;
pub mod halves;
pub mod joiner;
pub mod ocsp;
pub mod pair;
pub mod pem_keys;
pub mod pki_chain;
pub mod record_open;
pub mod server_machine;
pub mod tickets;
pub mod wire;

pub use script::Script;

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("answers", answers::run),
    ("client_machine", client_machine::run),
    ("crl", crl::run),
    ("halves", halves::run),
    ("joiner", joiner::run),
    ("ocsp", ocsp::run),
    ("pair", pair::run),
    ("pem_keys", pem_keys::run),
    ("pki_chain", pki_chain::run),
    ("record_open", record_open::run),
    ("server_machine", server_machine::run),
    ("tickets", tickets::run),
    ("wire", wire::run),
];
