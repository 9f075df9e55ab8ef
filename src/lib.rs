//! Symbolon: TLS 1.3 (RFC 9846).
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
// No panic on any input: what could, is written so that it cannot.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions
    )
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod alert;
pub mod codepoint;
pub mod config;
pub mod conn;
pub mod crypto;
pub mod error;
mod handshake;
#[cfg(feature = "std")]
pub mod io;
#[cfg(feature = "pki")]
pub mod pki;
#[cfg(feature = "std")]
pub mod policy;
pub mod question;
mod record;
mod schedule;
mod secret;
#[cfg(all(test, feature = "rustcrypto"))]
mod trace;
mod transcript;
mod wire;

pub use alert::AlertCode;
pub use error::{Error, Failed, Fault, Misuse, Refusal};
