//! A workload: its identity, the certificate for it at present, and whom it trusts at present.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use symbolon::config::{ClientAuth, ClientConfig, ServerConfig};
use symbolon::crypto::Provider;
use symbolon::identity::{Peer, SpiffeId};
use symbolon::pki::{Expected, Verifier};
use symbolon::policy::{
    ClientPolicy, CredentialStore, Denied, Entry, ServerPolicy, TrustStore, Verification,
};

use super::Fallible;
use super::allow::AllowList;
use super::authority::{Authority, issue};
use super::caller::{Callee, Caller};
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
    /// Held while it is renewed: of two renewals the one that began later counts.
    renewing: Mutex<()>,
    trust: TrustStore,
}

impl Workload {
    /// One of the authority's trust domain, which trusts that and those of `partners`, each for itself.
    pub fn new(
        authority: &Arc<Authority>,
        name: &'static str,
        lifetime: Duration,
        partners: &[&Authority],
    ) -> Fallible<Arc<Self>> {
        let provider = &authority.provider;
        let id: SpiffeId = format!("spiffe://{}/{name}", authority.domain).parse()?;
        let bundles = partners.iter().copied().chain([&**authority]).map(|authority| {
            Ok((authority.domain.clone(), Verifier::new(provider.clone(), [authority.root()])?))
        });
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
            renewing: Mutex::new(()),
            trust: TrustStore::by_trust_domain(bundles),
            id,
        }))
    }

    /// Who answers for it as a service: strangers to the allow-list are refused in the handshake.
    pub fn server_policy(&self, allow: &'static AllowList) -> Fallible<Arc<ServerPolicy>> {
        let clients = Verification::by(self.trust.clone()).authorize(move |caller: &Peer| {
            match caller.identity.spiffe_id() {
                Some(id) if allow.knows(id) => Ok(()),
                _ => Err(Denied::because(format!("{} is in no list", caller.identity))),
            }
        });
        let policy = ServerPolicy::serving(Arc::clone(&self.server_config));
        Ok(policy.credentials(self.credentials.clone()).clients(clients).build()?)
    }

    /// Calls this service, and nobody who is not it by its SPIFFE ID.
    pub fn caller(&self, callee: &Callee) -> Fallible<Caller> {
        let server = Verification::by(self.trust.clone()).expecting(Expected::Spiffe(callee.id()?));
        let policy = ClientPolicy::verifying(self.provider.clone(), server);
        let policy = policy.credentials(self.credentials.clone()).without_sessions().build();
        Ok(Caller::new(Arc::clone(&self.client_config), policy, callee.clone()))
    }

    /// Has its identity certified anew; connections that are there go on with what they have. Gives the number of the
    /// generation.
    pub fn renew(&self) -> Fallible<u64> {
        let _renewing = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
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
    // There is but one clock here: nothing is to be backdated for.
    let validity = Validity::backdated(Duration::ZERO, lifetime);
    let leaf = Leaf::workload(&id.to_string()).valid(validity);
    Ok(Entry::new(ENTRY, issue(&authority.present(), &leaf)?))
}
