//! A client's policy: which servers to trust, and what to authenticate with.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use rustls_pki_types::CertificateDer;

use super::verify::verify_peer;
use super::{Answerer, Clock, MemorySessions, SessionStore, SystemClock};
use crate::config::Credential;
use crate::crypto::Provider;
use crate::moment::Moment;
use crate::pki::{Certificate, Verifier, VerifyError};
use crate::question::{Answer, ChooseCredential, Question};

/// Answers a client's questions: verifies servers against given roots, and authenticates where asked and able. Keeps
/// the tickets that servers give.
pub struct ClientPolicy {
    verifier: Verifier,
    credentials: Vec<Arc<Credential>>,
    clock: Arc<dyn Clock>,
    sessions: Option<Arc<dyn SessionStore>>,
}

impl ClientPolicy {
    /// Trusts the servers whose chains lead to one of `roots`.
    ///
    /// # Errors
    ///
    /// As [`Verifier::new`].
    pub fn trusting(
        provider: Provider,
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<ClientPolicyBuilder, VerifyError> {
        Ok(ClientPolicyBuilder {
            verifier: Verifier::new(provider, roots)?,
            credentials: Vec::new(),
            clock: Arc::new(SystemClock),
            sessions: Sessions::InMemory,
        })
    }

    /// The first credential whose key can sign as the server wants, and whose chain leads to an authority that it
    /// named (RFC 9846 section 4.5.1.2).
    fn choose(&self, question: ChooseCredential) -> Answer {
        let fits = |credential: &&Arc<Credential>| {
            let signs = credential.schemes().iter().any(|scheme| question.schemes().contains(scheme));
            signs && (question.authorities().is_empty() || is_issued_by(credential, question.authorities()))
        };
        match self.credentials.iter().find(fits).cloned() {
            Some(credential) => question.with(credential),
            None => question.none(),
        }
    }
}

impl Answerer for ClientPolicy {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::VerifyPeer(question) => verify_peer(*question, &self.verifier, self.clock.now()),
            Question::ChooseCredential(question) => self.choose(question),
            Question::Sign(question) => question.with_own_key(&*self.verifier.provider().rng),
            other => super::server::decline(other),
        }
    }

    fn sessions(&self) -> Option<&dyn SessionStore> {
        self.sessions.as_deref()
    }

    fn moment(&self) -> Moment {
        self.clock.moment()
    }
}

/// Whether a certificate of the chain was issued by one of these DER names.
fn is_issued_by(credential: &Credential, authorities: &[Vec<u8>]) -> bool {
    credential.chain().iter().any(|der| {
        Certificate::parse(der)
            .is_ok_and(|certificate| authorities.iter().any(|name| name == certificate.issuer_der))
    })
}

impl fmt::Debug for ClientPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientPolicy").field("roots", &self.verifier.roots().len()).finish_non_exhaustive()
    }
}

/// Collects a client's policy.
pub struct ClientPolicyBuilder {
    verifier: Verifier,
    credentials: Vec<Arc<Credential>>,
    clock: Arc<dyn Clock>,
    sessions: Sessions,
}

/// Where tickets are kept.
enum Sessions {
    /// In a store of the policy's own.
    InMemory,
    In(Arc<dyn SessionStore>),
    Nowhere,
}

impl ClientPolicyBuilder {
    /// Authenticates with this credential where a server asks and it fits; the first that fits is taken.
    #[must_use]
    pub fn credential(mut self, credential: impl Into<Arc<Credential>>) -> Self {
        self.credentials.push(credential.into());
        self
    }

    /// Tells the time by this clock instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Keeps tickets in this store, which policies may share; by default in [`MemorySessions`] of its own.
    #[must_use]
    pub fn sessions(mut self, sessions: Arc<dyn SessionStore>) -> Self {
        self.sessions = Sessions::In(sessions);
        self
    }

    /// Keeps no tickets: every connection has a full handshake unless it is offered a key otherwise.
    #[must_use]
    pub fn without_sessions(mut self) -> Self {
        self.sessions = Sessions::Nowhere;
        self
    }

    /// The policy, to be shared.
    #[must_use]
    pub fn build(self) -> Arc<ClientPolicy> {
        let Self { verifier, credentials, clock, sessions } = self;
        let sessions: Option<Arc<dyn SessionStore>> = match sessions {
            Sessions::InMemory => Some(Arc::new(MemorySessions::new().with_clock(Arc::clone(&clock)))),
            Sessions::In(sessions) => Some(sessions),
            Sessions::Nowhere => None,
        };
        Arc::new(ClientPolicy { verifier, credentials, clock, sessions })
    }
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::crypto::rustcrypto::provider;
    use crate::policy::FixedClock;
    use core::time::Duration;
    use rustls_pki_types::UnixTime;
    use rustls_pki_types::pem::PemObject;

    fn policy() -> ClientPolicyBuilder {
        let path = [env!("CARGO_MANIFEST_DIR"), "testvectors", "pki", "root.pem"];
        let root = CertificateDer::from_pem_file(path.iter().collect::<std::path::PathBuf>()).unwrap();
        ClientPolicy::trusting(provider(), [root]).unwrap()
    }

    #[test]
    fn tickets_are_kept_unless_told_otherwise() {
        assert!(policy().build().sessions().is_some());
        assert!(policy().without_sessions().build().sessions().is_none());
        let shared: Arc<dyn SessionStore> = Arc::new(MemorySessions::new());
        let (one, other) =
            (policy().sessions(Arc::clone(&shared)).build(), policy().sessions(Arc::clone(&shared)).build());
        for policy in [one, other] {
            assert!(core::ptr::addr_eq(policy.sessions().unwrap(), Arc::as_ptr(&shared)));
        }
    }

    #[test]
    fn the_age_of_tickets_is_told_by_the_clock_of_the_policy() {
        let clock = FixedClock(UnixTime::since_unix_epoch(Duration::from_secs(17)));
        assert_eq!(policy().clock(clock).build().moment(), Moment::from_secs(17));
    }
}
