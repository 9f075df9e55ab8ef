//! The authority of a trust domain, whose root can be replaced while it issues.

use std::sync::{Arc, PoisonError, RwLock};

use rustls_pki_types::CertificateDer;
use symbolon::config::Credential;
use symbolon::crypto::Provider;
use symbolon::identity::TrustDomain;

use super::Fallible;
use crate::devpki::{DevPki, Leaf};

pub struct Authority {
    pub domain: TrustDomain,
    pub provider: Provider,
    present: RwLock<Arc<DevPki>>,
}

impl Authority {
    pub fn new(provider: &Provider, domain: &str, name: &str) -> Fallible<Self> {
        let present = RwLock::new(Arc::new(made(provider, name)?));
        Ok(Self { domain: domain.parse()?, provider: provider.clone(), present })
    }

    /// Issues by this one from now on.
    pub fn issue_from(&self, next: Arc<DevPki>) {
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    pub fn present(&self) -> Arc<DevPki> {
        Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn root(&self) -> CertificateDer<'static> {
        self.present().root().clone()
    }
}

/// A PKI of its own.
pub fn made(provider: &Provider, name: &str) -> Fallible<DevPki> {
    Ok(DevPki::named(provider, name).map_err(|error| error.to_string())?)
}

/// A leaf by `pki`.
pub fn issue(pki: &DevPki, leaf: &Leaf) -> Fallible<Credential> {
    Ok(pki.issue_leaf(leaf).map_err(|error| error.to_string())?)
}
