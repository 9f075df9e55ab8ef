//! Who may call whom, and for what: an allow-list for every service. What is not in it is refused.

use symbolon::identity::SpiffeId;

use super::TRUST_DOMAIN;

/// Who may call a service, by the path of its SPIFFE ID, and which paths it may ask for.
#[derive(Debug)]
pub struct AllowList(pub &'static [(&'static str, &'static [&'static str])]);

/// The frontend is told when an order is ready.
pub const FRONTEND: AllowList = AllowList(&[("/backend", &["/ready"])]);

/// The proxy stands before the backend.
pub const PROXY: AllowList = AllowList(&[("/frontend", &["/stock", "/orders", "/admin"])]);

/// The backend trusts its proxy with its goods, the frontend only with the question of how it is, and nobody with
/// `/admin`.
pub const BACKEND: AllowList = AllowList(&[("/proxy", &["/stock", "/orders"]), ("/frontend", &["/health"])]);

impl AllowList {
    /// Whether it may call at all; asked during the handshake.
    pub fn knows(&self, caller: &SpiffeId) -> bool {
        self.paths(caller).is_some()
    }

    /// Whether it may ask for this path; asked for every request.
    pub fn permits(&self, caller: &SpiffeId, path: &str) -> bool {
        self.paths(caller).is_some_and(|paths| paths.contains(&path))
    }

    fn paths(&self, caller: &SpiffeId) -> Option<&'static [&'static str]> {
        // The same path in another trust domain is somebody else.
        let ours = caller.trust_domain().as_str() == TRUST_DOMAIN;
        let entry = self.0.iter().find(|(path, _)| ours && caller.path() == *path)?;
        Some(entry.1)
    }
}
