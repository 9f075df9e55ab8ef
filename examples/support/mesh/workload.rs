//! A workload: its identity, the certificate for it at present, and whom it trusts at present.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use symbolon::config::{ClientAuth, ClientConfig, ServerConfig};
use symbolon::crypto::Provider;
use symbolon::identity::{SpiffeId, TrustDomain};
use symbolon::pki::Verifier;
use symbolon::policy::{ClientPolicy, CredentialStore, Entry, ServerPolicy, TrustStore};

use super::authority::{Authority, issue};
use super::caller::{Callee, Caller};
use super::{Fallible, TRUST_DOMAIN};
use crate::devpki::{Leaf, Validity};

/// The only credential that a workload has.
const ENTRY: &str = "workload";

pub struct Workload {
    pub name: &'static str,
    pub id: SpiffeId,
    pub server_config: Arc<ServerConfig>,
    client_config: Arc<ClientConfig>,
    provider: Provider,
    authority: Arc<Authority>,
    lifetime: Duration,
    pub credentials: CredentialStore,
    trust: TrustStore,
}

impl Workload {
    /// One that trusts its own trust domain, and those of `partners` for themselves.
    pub fn new(
        provider: &Provider,
        authority: &Arc<Authority>,
        name: &'static str,
        lifetime: Duration,
        partners: &[(TrustDomain, CertificateDer<'static>)],
    ) -> Fallible<Arc<Self>> {
        let id: SpiffeId = format!("spiffe://{TRUST_DOMAIN}/{name}").parse()?;
        let ours = (id.trust_domain().clone(), authority.root());
        let bundles = partners
            .iter()
            .chain([&ours])
            .map(|(domain, root)| Ok((domain.clone(), Verifier::new(provider.clone(), [root.clone()])?)));
        let bundles: Vec<_> = bundles.collect::<Fallible<_>>()?;
        let required = ClientAuth::Required { authorities: Vec::new() };
        Ok(Arc::new(Self {
            name,
            server_config: ServerConfig::builder(provider.clone()).client_auth(required).build()?,
            client_config: ClientConfig::builder(provider.clone()).build()?,
            provider: provider.clone(),
            authority: Arc::clone(authority),
            lifetime,
            credentials: CredentialStore::new(provider.clone(), [certified(authority, &id, lifetime)?])?,
            trust: TrustStore::by_trust_domain(bundles),
            id,
        }))
    }

    /// Who answers for it as a service.
    pub fn server_policy(&self) -> Fallible<Arc<ServerPolicy>> {
        let policy = ServerPolicy::serving(Arc::clone(&self.server_config));
        Ok(policy.credentials(self.credentials.clone()).clients(self.trust.clone()).build()?)
    }

    /// Calls this service, and nobody who is not it.
    pub fn caller(&self, callee: &Callee) -> Caller {
        let policy = ClientPolicy::verifying(self.provider.clone(), self.trust.clone());
        let policy = policy.credentials(self.credentials.clone()).without_sessions().build();
        Caller::new(Arc::clone(&self.client_config), policy, callee.clone())
    }

    /// Has its identity certified anew; connections that are there go on with what they have. Gives the number of the
    /// generation.
    pub fn renew(&self) -> Fallible<u64> {
        Ok(self.credentials.replace([certified(&self.authority, &self.id, self.lifetime)?])?)
    }

    /// How long it can wait with that.
    pub fn until_renewal(&self) -> Duration {
        let waits =
            self.credentials.renewals().into_iter().map(|(_, it)| it.wait(UnixTime::now(), Duration::ZERO));
        waits.min().unwrap_or_default()
    }

    /// Trusts its own trust domain by these roots alone from now on.
    pub fn trust(&self, roots: Vec<CertificateDer<'static>>) -> Fallible<()> {
        let verifier = Verifier::new(self.provider.clone(), roots)?;
        self.trust.replace_domain(self.id.trust_domain(), verifier)?;
        Ok(())
    }

    /// Whether connections use certificates of a generation before this one.
    pub fn is_draining(&self, generation: u64) -> bool {
        self.credentials.generations().iter().any(|used| used.number < generation)
    }
}

fn certified(authority: &Authority, id: &SpiffeId, lifetime: Duration) -> Fallible<Entry> {
    let host = format!("{}.{TRUST_DOMAIN}", id.path().trim_start_matches('/'));
    // There is but one clock here: nothing is to be backdated for.
    let validity = Validity::backdated(Duration::ZERO, lifetime);
    let leaf = Leaf::workload(&id.to_string()).name(&host).valid(validity);
    Ok(Entry::new(ENTRY, issue(&authority.present(), &leaf)?))
}
