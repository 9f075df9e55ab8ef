//! Key exchange as a provider sees it, shaped so that Diffie-Hellman and KEM are the same.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Failed, Rng, SharedSecret};
use crate::codepoint::NamedGroup;

/// A named group (RFC 9846 section 4.3.7).
pub trait Group: Send + Sync {
    /// Its code point.
    fn id(&self) -> NamedGroup;

    /// The client's side: makes an ephemeral key.
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when there is no randomness.
    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed>;

    /// The server's side in one call: makes a key and combines it with the peer's share.
    ///
    /// # Errors
    ///
    /// [`Failed::Input`] when the peer's share has a wrong length, is no valid point or key, or gives an all-zero
    /// secret (RFC 9846 sections 4.3.8.2 and 7.4.2); [`Failed::Provider`] when there is no randomness.
    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed>;
}

/// What a server sends and what it then shares.
pub struct Response {
    /// The `key_exchange` bytes for the ServerHello.
    pub share: Vec<u8>,
    /// The shared secret.
    pub secret: SharedSecret,
}

/// A client's ephemeral key, used once: [`Exchange::complete`] consumes it.
///
/// ```compile_fail,E0382
/// # use symbolon::{codepoint::NamedGroup, crypto::Exchange};
/// fn twice(key: Box<dyn Exchange>, group: NamedGroup, one: &[u8], other: &[u8]) {
///     key.complete(group, one);
///     key.complete(group, other);
/// }
/// ```
/// ```
/// # use symbolon::{codepoint::NamedGroup, crypto::Exchange};
/// fn once(key: Box<dyn Exchange>, group: NamedGroup, peer: &[u8]) {
///     key.complete(group, peer);
/// }
/// ```
pub trait Exchange: Send + Sync {
    /// The `key_exchange` bytes to offer, most preferred first.
    ///
    /// A hybrid also gives the share of its classical component, made of the same key
    /// (draft-ietf-tls-hybrid-design section 3.2 allows this, relaxing RFC 9846 section 4.3.8).
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2];

    /// Combines the key with the server's share for `chosen`, one of [`Exchange::shares`].
    ///
    /// # Errors
    ///
    /// [`Failed::Input`] as for [`Group::respond`]; [`Failed::Provider`] when `chosen` is none of the shares.
    fn complete(self: Box<Self>, chosen: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed>;
}
