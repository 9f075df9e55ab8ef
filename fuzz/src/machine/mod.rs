//! What the targets of whole connections share: a provider without cryptography, an endpoint with its rules, and a puppet
//! in the place of its peer.

pub mod answers;
pub mod keys;
pub mod message;
pub mod party;
pub mod provider;
pub mod puppet;
pub mod setup;
