//! Real peers on 127.0.0.1: OpenSSL and GnuTLS against the example programs, in what goes deeper than the matrix of all
//! peers (`matrix/`); and Redis.
//!
//! A peer that is missing fails the tests. Nothing here sleeps or counts on a port; every wait has a deadline.

mod certs;
mod closing;
mod early;
mod faults;
mod features;
mod mutual;
mod node;
mod ours;
mod peers;
mod process;
mod psk;
mod raw_public_key;
#[cfg(feature = "redis")]
mod redis;
mod resumption;
#[cfg(feature = "redis")]
#[path = "../support/mod.rs"]
mod support;

use std::io::Write;

/// Tells what was done, also when the tests' output is captured.
fn report(group: &str, cases: usize) {
    let _ = writeln!(std::io::stderr(), "interop: {group}: {cases} cases");
}
