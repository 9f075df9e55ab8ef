//! Callers that must be refused, and what they must hear.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use symbolon::Error;
use symbolon::alert::AlertCode;
use symbolon::config::{ClientConfig, Credential};
use symbolon::crypto::Provider;
use symbolon::io::tls_error;
use symbolon::policy::ClientPolicy;

use super::Fallible;
use super::authority::{Authority, issue, made};
use super::caller::{Callee, Caller};
use crate::devpki::{DevPki, Leaf, Validity};

/// What an attack must end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The service sends this alert.
    Alert(AlertCode),
    /// The service answers with this status.
    Status(u16),
    /// The caller itself refuses the service with this alert.
    Refused(AlertCode),
}

/// The frontend, as an attacker would like to be it.
const FRONTEND: &str = "spiffe://mesh.example/frontend";

/// What came of one kind of attack.
#[derive(Default)]
pub struct Tally {
    pub tried: usize,
    pub unexpected: usize,
    pub expected: Option<End>,
}

/// Attackers, and what they have at hand.
pub struct Attackers {
    provider: Provider,
    config: Arc<ClientConfig>,
    authority: Arc<Authority>,
    /// An authority that nobody trusts.
    foreign: DevPki,
    /// An authority that is trusted for its own trust domain.
    partner: DevPki,
    /// An authority that was trusted once.
    pub withdrawn: Option<Arc<DevPki>>,
    pub tallies: BTreeMap<&'static str, Tally>,
}

impl Attackers {
    pub fn new(provider: &Provider, authority: &Arc<Authority>, partner: DevPki) -> Fallible<Self> {
        Ok(Self {
            provider: provider.clone(),
            config: ClientConfig::builder(provider.clone()).build()?,
            authority: Arc::clone(authority),
            foreign: made(provider, "Foreign")?,
            partner,
            withdrawn: None,
            tallies: BTreeMap::new(),
        })
    }

    /// Everything once, against the backend; `impostor` is a service of the intruder's.
    pub fn attack(&mut self, backend: &Callee, impostor: &Callee) -> Fallible<()> {
        let ours = self.authority.present();
        let alert = End::Alert;
        self.call("no certificate", None, backend, "/health", alert(AlertCode::CERTIFICATE_REQUIRED))?;

        let claimed = issue(&self.foreign, &Leaf::workload(FRONTEND))?;
        self.call("another authority", Some(claimed), backend, "/health", alert(AlertCode::UNKNOWN_CA))?;

        let claimed = issue(&self.partner, &Leaf::workload(FRONTEND))?;
        self.call("a partner's authority", Some(claimed), backend, "/health", alert(AlertCode::UNKNOWN_CA))?;

        let theirs = issue(&self.partner, &Leaf::workload("spiffe://partner.example/frontend"))?;
        self.call("a partner's frontend", Some(theirs), backend, "/health", End::Status(403))?;

        let elsewhere = issue(&ours, &Leaf::workload("spiffe://elsewhere.example/frontend"))?;
        self.call("unknown trust domain", Some(elsewhere), backend, "/health", alert(AlertCode::UNKNOWN_CA))?;

        let expired = Leaf::workload(FRONTEND).valid(Validity::expired(Duration::from_secs(60)));
        let expired = issue(&ours, &expired)?;
        self.call("expired", Some(expired), backend, "/health", alert(AlertCode::CERTIFICATE_EXPIRED))?;

        let intruder = issue(&ours, &Leaf::workload("spiffe://mesh.example/intruder"))?;
        self.call("in no list", Some(intruder), backend, "/health", End::Status(403))?;

        let frontend = issue(&ours, &Leaf::workload(FRONTEND))?;
        self.call("forbidden path", Some(frontend.clone()), backend, "/stock", End::Status(403))?;

        let wrong = End::Refused(AlertCode::BAD_CERTIFICATE);
        self.call("impostor of a service", Some(frontend), impostor, "/health", wrong)?;

        if let Some(withdrawn) = &self.withdrawn {
            let late = issue(withdrawn, &Leaf::workload(FRONTEND))?;
            let unknown = alert(AlertCode::UNKNOWN_CA);
            self.call("withdrawn authority", Some(late), backend, "/health", unknown)?;
        }
        Ok(())
    }

    /// How often services must have sent each alert, and refused requests.
    pub fn expected(&self) -> (BTreeMap<String, usize>, usize) {
        let (mut alerts, mut forbidden) = (BTreeMap::new(), 0);
        for tally in self.tallies.values() {
            match tally.expected {
                Some(End::Alert(alert)) => *alerts.entry(alert.to_string()).or_default() += tally.tried,
                Some(End::Status(_)) => forbidden += tally.tried,
                Some(End::Refused(_)) | None => {}
            }
        }
        (alerts, forbidden)
    }

    fn call(
        &mut self,
        name: &'static str,
        credential: Option<Credential>,
        callee: &Callee,
        path: &str,
        expected: End,
    ) -> Fallible<()> {
        let roots: Vec<CertificateDer<'static>> = vec![self.authority.root()];
        let policy = ClientPolicy::trusting(self.provider.clone(), roots)?.without_sessions();
        let policy = match credential {
            Some(credential) => policy.credential(credential),
            None => policy,
        };
        let mut caller = Caller::new(Arc::clone(&self.config), policy.build(), callee.clone());
        let ended = match caller.get(path, None) {
            Ok(response) => caller.close().map(|()| End::Status(response.status)),
            Err(error) => end(error.as_ref()).ok_or(error),
        };
        let tally = self.tallies.entry(name).or_default();
        tally.tried += 1;
        tally.expected = Some(expected);
        match ended {
            Ok(ended) if ended == expected => {}
            Ok(ended) => {
                eprintln!("mesh: {name}: {ended:?} instead of {expected:?}");
                tally.unexpected += 1;
            }
            Err(error) => {
                eprintln!("mesh: {name}: {error} instead of {expected:?}");
                tally.unexpected += 1;
            }
        }
        Ok(())
    }
}

/// What a caller heard, or said, when it was not answered.
fn end(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<End> {
    match tls_error(error.downcast_ref()?)? {
        Error::Alert(alert) => Some(End::Alert(*alert)),
        error => error.alert().map(End::Refused),
    }
}
