//! Who may call at all: a decision apart from who somebody is.

use alloc::string::String;
use core::fmt;

use crate::identity::Peer;

/// Decides, once a peer is verified, whether it may connect. A denied one gets the alert `access_denied`.
///
/// What a peer may do on its connection is for the application, request by request, by
/// [`Summary::peer`](crate::conn::Summary::peer). Sessions that are resumed are authorized again.
///
/// ```
/// use symbolon::identity::Peer;
/// use symbolon::policy::{Authorize, Denied};
/// fn only_billing(caller: &Peer) -> Result<(), Denied> {
///     match caller.identity.spiffe_id() {
///         Some(id) if id.path() == "/billing" => Ok(()),
///         _ => Err(Denied::because("only billing may call")),
///     }
/// }
/// let rule: &dyn Authorize = &only_billing;
/// ```
pub trait Authorize: Send + Sync {
    /// Decides about `caller`.
    ///
    /// # Errors
    ///
    /// [`Denied`] with the reason, which is for our log: the peer sees the alert alone.
    fn authorize(&self, caller: &Peer) -> Result<(), Denied>;
}

impl<F: Fn(&Peer) -> Result<(), Denied> + Send + Sync> Authorize for F {
    fn authorize(&self, caller: &Peer) -> Result<(), Denied> {
        self(caller)
    }
}

/// A verified peer may not connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied(String);

impl Denied {
    /// For this reason.
    #[must_use]
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the peer is who it claims to be, and may not connect: {}", self.0)
    }
}

impl core::error::Error for Denied {}
