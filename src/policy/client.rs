//! A client's policy: which servers to trust, and what to authenticate with.

use alloc::sync::Arc;
use core::fmt;

use rustls_pki_types::CertificateDer;

use super::live::{Choice, CredentialStore, Credentials, Listed, Signer, TrustedSessions, sign};
use super::{Answerer, Clock, MemorySessions, SessionStore, SystemClock, Verification};
use crate::config::Credential;
use crate::crypto::Provider;
use crate::moment::Moment;
use crate::pki::{Verifier, VerifyError};
use crate::question::{Answer, ChooseCredential, Question};

/// Answers a client's questions: verifies servers, and authenticates where asked and able. Keeps
/// the tickets that servers give.
pub struct ClientPolicy {
    servers: Verification,
    /// What generations of trust are counted from.
    base: u64,
    provider: Provider,
    credentials: Credentials,
    signer: Option<Arc<dyn Signer>>,
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
        let verifier = Verifier::new(provider.clone(), roots)?;
        Ok(Self::verifying(provider, verifier))
    }

    /// Verifies servers like this: by a [`Verifier`], by a [`TrustStore`](super::TrustStore), or by what a
    /// [`Verification`] wants besides. Tickets of servers that are not trusted any more are not used.
    #[must_use]
    pub fn verifying(provider: Provider, servers: impl Into<Verification>) -> ClientPolicyBuilder {
        ClientPolicyBuilder {
            servers: servers.into(),
            provider,
            credentials: Credentials::Fixed(Choice::default()),
            signer: None,
            clock: Arc::new(SystemClock),
            sessions: Sessions::InMemory,
        }
    }

    /// What answers a server's request (RFC 9846 section 4.5.1.2), if anything does.
    fn choose(&self, question: ChooseCredential) -> Answer {
        let chosen = match &self.credentials {
            Credentials::Fixed(choice) => {
                choice.for_server(&question).map(|listed| Arc::clone(listed.credential()))
            }
            Credentials::Live(store) => store.serve(|choice| choice.for_server(&question).ok_or(())).ok(),
        };
        match chosen {
            Some(credential) => question.with(credential),
            None => question.none(),
        }
    }
}

impl Answerer for ClientPolicy {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::VerifyPeer(question) => {
                self.servers.answer(*question, &self.provider, self.base, self.clock.now())
            }
            Question::ChooseCredential(question) => self.choose(question),
            Question::Sign(question) => sign(question, self.signer.as_deref(), &*self.provider.rng),
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

impl fmt::Debug for ClientPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientPolicy").field("servers", &self.servers).finish_non_exhaustive()
    }
}

/// Collects a client's policy.
pub struct ClientPolicyBuilder {
    servers: Verification,
    provider: Provider,
    credentials: Credentials,
    signer: Option<Arc<dyn Signer>>,
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
    /// Authenticates with this credential where a server asks and it fits; the first that fits is taken. A
    /// store that was given before is dropped.
    #[must_use]
    pub fn credential(mut self, credential: impl Into<Arc<Credential>>) -> Self {
        let credential = credential.into();
        // What cannot be parsed is nobody's: it answers requests that name no authority.
        let listed =
            Listed::of(Arc::clone(&credential)).unwrap_or_else(|_| Listed::opaque(Arc::clone(&credential)));
        self.credentials.add(listed);
        self
    }

    /// Authenticates with the credentials of this store, whatever they are at the time, in place of any others.
    #[must_use]
    pub fn credentials(mut self, store: CredentialStore) -> Self {
        self.credentials = Credentials::Live(store);
        self
    }

    /// Has `signer` sign for credentials whose private key is elsewhere.
    #[must_use]
    pub fn signer(mut self, signer: impl Signer + 'static) -> Self {
        self.signer = Some(Arc::new(signer));
        self
    }

    /// Tells the time by this clock instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Keeps tickets in this store, which policies may share; by default in [`MemorySessions`] of its own. Tickets of
    /// servers that were verified by other roots, rules, pins or expectations are not used.
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
        let Self { servers, provider, credentials, signer, clock, sessions } = self;
        let sessions: Option<Arc<dyn SessionStore>> = match sessions {
            Sessions::InMemory => Some(Arc::new(MemorySessions::new().with_clock(Arc::clone(&clock)))),
            Sessions::In(sessions) => Some(sessions),
            Sessions::Nowhere => None,
        };
        let base = servers.stamp();
        let sessions = sessions.map(|inner| -> Arc<dyn SessionStore> {
            Arc::new(TrustedSessions { inner, servers: servers.clone(), base })
        });
        Arc::new(ClientPolicy { servers, base, provider, credentials, signer, clock, sessions })
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
    }

    #[test]
    fn the_age_of_tickets_is_told_by_the_clock_of_the_policy() {
        let clock = FixedClock(UnixTime::since_unix_epoch(Duration::from_secs(17)));
        assert_eq!(policy().clock(clock).build().moment(), Moment::from_secs(17));
    }
}
