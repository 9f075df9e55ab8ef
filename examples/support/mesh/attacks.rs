//! Callers that must be refused, and what they must hear.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use symbolon::Error;
use symbolon::alert::AlertCode;
use symbolon::config::{ClientConfig, Credential};
use symbolon::io::tls_error;
use symbolon::pki::{Expected, Verifier};
use symbolon::policy::{ClientPolicy, Verification};

use super::Fallible;
use super::authority::{Authority, issue, made};
use super::caller::{Callee, Caller};
use super::workload::Workload;
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

/// Services that are called instead of the backend.
pub struct Impostors {
    /// By somebody of the same trust domain.
    pub intruder: Callee,
    /// By the backend of a partner.
    pub partner: Callee,
}

/// Attackers, and what they have at hand.
pub struct Attackers {
    config: Arc<ClientConfig>,
    authority: Arc<Authority>,
    /// Whom impostors would like to talk with.
    victim: Arc<Workload>,
    /// An authority that nobody trusts.
    foreign: DevPki,
    /// An authority that is trusted for its own trust domain.
    partner: Arc<Authority>,
    /// An authority that was trusted once.
    pub withdrawn: Option<Arc<DevPki>>,
    pub tallies: BTreeMap<&'static str, Tally>,
}

impl Attackers {
    pub fn new(
        authority: &Arc<Authority>,
        partner: &Arc<Authority>,
        victim: &Arc<Workload>,
    ) -> Fallible<Self> {
        let provider = &authority.provider;
        Ok(Self {
            config: ClientConfig::builder(provider.clone()).build()?,
            authority: Arc::clone(authority),
            foreign: made(provider, "Foreign")?,
            partner: Arc::clone(partner),
            victim: Arc::clone(victim),
            withdrawn: None,
            tallies: BTreeMap::new(),
        })
    }

    /// Everything once, against the backend and in the place of it.
    pub fn attack(&mut self, backend: &Callee, impostors: &Impostors) -> Fallible<()> {
        let (ours, theirs) = (self.authority.present(), self.partner.present());
        let alert = End::Alert;
        self.call("no certificate", None, backend, alert(AlertCode::CERTIFICATE_REQUIRED))?;

        let claimed = issue(&self.foreign, &Leaf::workload(FRONTEND))?;
        self.call("another authority", Some(claimed), backend, alert(AlertCode::UNKNOWN_CA))?;

        let claimed = issue(&theirs, &Leaf::workload(FRONTEND))?;
        self.call("a partner's authority", Some(claimed), backend, alert(AlertCode::UNKNOWN_CA))?;

        let partner = issue(&theirs, &Leaf::workload("spiffe://partner.example/frontend"))?;
        self.call("a partner's frontend", Some(partner), backend, alert(AlertCode::ACCESS_DENIED))?;

        let elsewhere = issue(&ours, &Leaf::workload("spiffe://elsewhere.example/frontend"))?;
        self.call("unknown trust domain", Some(elsewhere), backend, alert(AlertCode::UNKNOWN_CA))?;

        let expired = Leaf::workload(FRONTEND).valid(Validity::expired(Duration::from_secs(60)));
        let expired = issue(&ours, &expired)?;
        self.call("expired", Some(expired), backend, alert(AlertCode::CERTIFICATE_EXPIRED))?;

        let intruder = issue(&ours, &Leaf::workload("spiffe://mesh.example/intruder"))?;
        self.call("in no list", Some(intruder), backend, alert(AlertCode::ACCESS_DENIED))?;

        if let Some(withdrawn) = &self.withdrawn {
            let late = issue(withdrawn, &Leaf::workload(FRONTEND))?;
            self.call("withdrawn authority", Some(late), backend, alert(AlertCode::UNKNOWN_CA))?;
        }

        let caller = self.victim.caller(backend)?;
        self.get("forbidden path", caller, "/stock", End::Status(403));

        let wrong = End::Refused(AlertCode::BAD_CERTIFICATE);
        let caller = self.victim.caller(&impostors.intruder)?;
        self.get("an intruder's service", caller, "/health", wrong);
        let caller = self.victim.caller(&impostors.partner)?;
        self.get("a partner's service", caller, "/health", wrong);
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
        expected: End,
    ) -> Fallible<()> {
        let provider = self.authority.provider.clone();
        // Attackers are not particular about whom they attack.
        let verifier = Verifier::new(provider.clone(), [self.authority.root()])?;
        let policy =
            ClientPolicy::verifying(provider, Verification::by(verifier).expecting(Expected::Anyone));
        let policy = match credential {
            Some(credential) => policy.credential(credential),
            None => policy,
        };
        let policy = policy.without_sessions().build();
        self.get(name, Caller::new(Arc::clone(&self.config), policy, callee.clone()), "/health", expected);
        Ok(())
    }

    fn get(&mut self, name: &'static str, mut caller: Caller, path: &str, expected: End) {
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
    }
}

/// What a caller heard, or said, when it was not answered.
fn end(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<End> {
    match tls_error(error.downcast_ref()?)? {
        Error::Alert(alert) => Some(End::Alert(*alert)),
        error => error.alert().map(End::Refused),
    }
}
