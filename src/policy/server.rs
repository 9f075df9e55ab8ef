//! A server's policy: which credential for which client, and which clients to trust.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::time::Duration;
use std::collections::HashSet;

use super::live::{Choice, CredentialStore, Credentials, Listed, Pick, Signer, sign};
use super::replay::Guard;
use super::tickets::{MAX_LIFETIME, Tickets, seconds_until};
use super::{Answerer, Clock, SystemClock, Verification};
use crate::alert::AlertCode;
use crate::config::{ConfigError, Credential, Reach, ReplayGuarded, ResumedPeers, ServerConfig};
use crate::error::Refusal;
use crate::moment::Moment;
use crate::pki::VerifyError;
use crate::psk::{ExternalPsk, NotResumed, Session, Unknowable};
use crate::question::{Answer, CheckReplay, Configure, KnownPsk, LookupPsk, Offered, Question, SealTicket};

/// For how long after a full handshake its sessions may go on, unless told otherwise.
const DEFAULT_MAX_SESSION_AGE: Duration = Duration::from_secs(7 * 86_400);

/// Answers a server's questions: chooses a credential by name and by what the client can verify, signs with it, and
/// verifies clients where that is configured. Resumes sessions, accepts external keys and checks for replays with what it
/// is given.
///
/// ```
/// # #[cfg(feature = "rustcrypto")] {
/// # use std::sync::Arc;
/// # use symbolon::{config::ServerConfig, crypto::rustcrypto, policy::{ServerPolicy, tickets::TicketRing}};
/// let provider = rustcrypto::provider();
/// let config = ServerConfig::builder(provider.clone()).tickets(2).build()?;
/// let policy = ServerPolicy::serving(config).tickets(Arc::new(TicketRing::random(&provider)?)).build()?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ServerPolicy {
    config: Arc<ServerConfig>,
    credentials: Credentials,
    signer: Option<Arc<dyn Signer>>,
    names: UnknownNames,
    clients: Option<Verification>,
    clock: Arc<dyn Clock>,
    tickets: Option<Arc<dyn Tickets>>,
    psks: HashSet<ByIdentity>,
    guarding: Guarding,
    /// What generations of trust are counted from.
    trust: u64,
    max_session_age: Duration,
}

/// Who answers `CheckReplay`.
enum Guarding {
    /// Nobody.
    Nobody,
    /// The policy, by this guard.
    Here(Arc<Guard>),
    /// Someone before the policy, by the guard of this proof.
    Elsewhere(ReplayGuarded),
}

impl Guarding {
    fn proof(&self) -> Option<&ReplayGuarded> {
        match self {
            Self::Nobody => None,
            Self::Here(guard) => Some(guard.proof()),
            Self::Elsewhere(proof) => Some(proof),
        }
    }
}

/// An external key in the place of its identity.
struct ByIdentity(Arc<ExternalPsk>);

impl Borrow<[u8]> for ByIdentity {
    fn borrow(&self) -> &[u8] {
        self.0.identity()
    }
}

impl Hash for ByIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.identity().hash(state);
    }
}

impl PartialEq for ByIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.0.identity() == other.0.identity()
    }
}

impl Eq for ByIdentity {}

/// What becomes of a client that asks for a name that no certificate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UnknownNames {
    /// It gets the first credential, and may find that the name does not match.
    Served,
    /// It is refused with `unrecognized_name`.
    Refused,
}

impl ServerPolicy {
    /// Serves connections with `config`, which has no credential of its own.
    #[must_use]
    pub fn serving(config: Arc<ServerConfig>) -> ServerPolicyBuilder {
        ServerPolicyBuilder {
            policy: Self {
                config,
                credentials: Credentials::Fixed(Choice::default()),
                signer: None,
                names: UnknownNames::Served,
                clients: None,
                clock: Arc::new(SystemClock),
                tickets: None,
                psks: HashSet::new(),
                guarding: Guarding::Nobody,
                trust: 0,
                max_session_age: DEFAULT_MAX_SESSION_AGE,
            },
        }
    }

    fn configure(&self, question: Configure) -> Answer {
        let chosen = match &self.credentials {
            Credentials::Fixed(choice) => {
                self.choose(question.offered(), choice).map(|listed| Arc::clone(listed.credential()))
            }
            Credentials::Live(store) => store.serve(|choice| self.choose(question.offered(), choice)),
        };
        match chosen {
            Ok(credential) => question.with(Arc::clone(&self.config), credential),
            Err(refusal) => question.refused(refusal),
        }
    }

    fn choose<'a>(&self, offered: &Offered, choice: &'a Choice) -> Result<&'a Listed, Refusal> {
        match (choice.for_client(offered), self.names, &offered.server_name) {
            (Pick::Unnamed(_), UnknownNames::Refused, Some(name)) => {
                let text = alloc::format!("no certificate here is for {name:?}");
                Err(Refusal::text(AlertCode::UNRECOGNIZED_NAME, text))
            }
            (Pick::Named(listed) | Pick::Unnamed(listed), ..) => Ok(listed),
            (Pick::Nothing, ..) => {
                let text = "the server has no credential; it is at fault";
                Err(Refusal::text(AlertCode::INTERNAL_ERROR, text))
            }
        }
    }

    /// The generation of what vouches for clients.
    fn trust(&self) -> u64 {
        self.trust.saturating_add(self.clients.as_ref().map_or(0, Verification::generation))
    }
}

/// Pre-shared keys and early data.
impl ServerPolicy {
    fn look_up(&self, question: LookupPsk) -> Answer {
        let now = self.clock.moment();
        let fingerprint = question.config().fingerprint();
        let mut known = Vec::new();
        let mut failed = None;
        for (place, offered) in question.identities().iter().enumerate() {
            match self.key(&offered.identity, fingerprint, now) {
                Ok(key) => known.push((place, key)),
                Err(why) => failed = failed.or(Some(why)),
            }
        }
        question.known(known, now, failed.unwrap_or(NotResumed::Unknown))
    }

    /// An identity names an external key or is a ticket, never both.
    fn key(&self, identity: &[u8], fingerprint: &[u8], now: Moment) -> Result<KnownPsk, NotResumed> {
        if let Some(ByIdentity(psk)) = self.psks.get(identity) {
            return Ok(KnownPsk::External(Arc::clone(psk)));
        }
        let tickets = self.tickets.as_ref().ok_or(NotResumed::Unknown)?;
        let mut session = tickets.take(identity, fingerprint, now)?;
        self.check(&session, now)?;
        // What vouched for the client is remembered with it, for the tickets of the resumed connection.
        if let Some(peer) = &mut session.peer
            && peer.trust != session.trust
        {
            Arc::make_mut(peer).trust = session.trust;
        }
        Ok(KnownPsk::Session(session))
    }

    fn check(&self, session: &Session, now: Moment) -> Result<(), NotResumed> {
        if session.trust != self.trust() {
            return Err(NotResumed::PolicyChanged);
        }
        if now >= session.authenticated.plus(self.max_session_age) {
            return Err(NotResumed::Expired);
        }
        if let (Some(peer), Some(clients)) = (&session.peer, &self.clients)
            && peer.was_verified()
            && !clients.admits_again(peer)
        {
            // A full handshake tells it why.
            return Err(NotResumed::PolicyChanged);
        }
        // Who is to be verified again must have left something to verify; otherwise a full handshake asks for it.
        let again = self.config.common.resumed_peers == ResumedPeers::VerifiedAgain;
        match &session.peer {
            Some(peer) if again && peer.was_verified() && peer.chain.is_empty() => {
                Err(NotResumed::NoClientCertificate)
            }
            _ => Ok(()),
        }
    }

    fn seal(&self, question: SealTicket) -> Answer {
        let Some(tickets) = &self.tickets else { return question.none() };
        let now = self.clock.moment();
        // RFC 9846 section 4.7.1: "It is RECOMMENDED that implementations place limits on the total lifetime of such
        // keying material; these limits should take into account the lifetime of the peer's certificate, the likelihood
        // of intervening revocation, and the time since the peer's online CertificateVerify signature."
        let aged = question.authenticated().unwrap_or(now).plus(self.max_session_age);
        let verified = question.peer().map_or(aged, |peer| Moment::from(peer.expires));
        let lifetime = tickets.lifetime(now).min(MAX_LIFETIME).min(seconds_until(aged.min(verified), now));
        if lifetime == 0 {
            return question.none();
        }
        // What vouched for the client may have been exchanged since: its ticket tells of then.
        let verified = question.peer().filter(|peer| peer.was_verified());
        let trust = verified.map_or_else(|| self.trust(), |peer| peer.trust);
        let session = question.session(now, lifetime, trust);
        match tickets.issue(session, question.config().fingerprint(), now) {
            Some(ticket) => question.sealed(ticket, lifetime),
            None => question.none(),
        }
    }

    fn check_replay(&self, question: CheckReplay) -> Answer {
        match &self.guarding {
            // An application may have chosen another configuration than ours.
            Guarding::Here(guard) if guard.proof().is_of_same_guard(question.proof()) => {
                let seen = guard.guard().check(question.flight());
                question.seen(seen)
            }
            Guarding::Here(_) | Guarding::Nobody | Guarding::Elsewhere(_) => {
                question.unknown(Unknowable::NoGuard)
            }
        }
    }

    /// Early data needs what its configuration was switched on for.
    fn check_early_data(&self) -> Result<(), ConfigError> {
        let Some(proof) = self.config.replay_guarded() else { return Ok(()) };
        let tickets = self.tickets.as_ref().ok_or(ConfigError::EarlyDataWithoutTickets)?;
        if !self.guarding.proof().is_some_and(|guard| guard.is_of_same_guard(proof)) {
            return Err(ConfigError::OtherGuard);
        }
        if (tickets.reach(), proof.reach()) == (Reach::Fleet, Reach::Process) {
            return Err(ConfigError::LocalGuardForFleet);
        }
        match tickets.admits(proof, self.config.fingerprint()) {
            true => Ok(()),
            false => Err(ConfigError::SecondGuard),
        }
    }
}

impl Answerer for ServerPolicy {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Configure(question) => self.configure(*question),
            Question::Sign(question) => sign(question, self.signer.as_deref(), &*self.config.provider().rng),
            Question::VerifyPeer(question) => match &self.clients {
                Some(clients) => {
                    clients.answer(*question, self.config.provider(), self.trust, self.clock.now())
                }
                None => question.refused(Refusal::text(
                    AlertCode::CERTIFICATE_UNKNOWN,
                    "a client certificate came, but no authority for clients is configured",
                )),
            },
            Question::LookupPsk(question) => self.look_up(question),
            Question::CheckReplay(question) => self.check_replay(question),
            Question::SealTicket(question) => self.seal(question),
            Question::ChooseCredential(question) => question.none(),
        }
    }
}

/// The answers of a policy that knows nothing of a question.
pub(super) fn decline(question: Question) -> Answer {
    let refusal = || Refusal::text(AlertCode::INTERNAL_ERROR, "the policy does not answer this question");
    match question {
        Question::Configure(question) => question.refused(refusal()),
        Question::LookupPsk(question) => question.none(NotResumed::Unknown),
        Question::CheckReplay(question) => question.unknown(Unknowable::NoGuard),
        Question::ChooseCredential(question) => question.none(),
        Question::Sign(question) => question.failed(refusal()),
        Question::VerifyPeer(question) => question.refused(refusal()),
        Question::SealTicket(question) => question.none(),
    }
}

impl fmt::Debug for ServerPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerPolicy").field("credentials", &self.credentials.len()).finish_non_exhaustive()
    }
}

/// Collects a server's policy.
pub struct ServerPolicyBuilder {
    policy: ServerPolicy,
}

impl ServerPolicyBuilder {
    /// Adds a credential, to be served as it is for as long as the policy is. The first one serves clients that ask for no
    /// name or for an unknown one. A store that was given before is dropped.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Malformed`] when a certificate cannot be parsed.
    pub fn credential(mut self, credential: impl Into<Arc<Credential>>) -> Result<Self, VerifyError> {
        let listed = Listed::of(credential.into())?;
        self.policy.credentials.add(listed);
        Ok(self)
    }

    /// Serves the credentials of this store, whatever they are at the time, in place of any others.
    #[must_use]
    pub fn credentials(mut self, store: CredentialStore) -> Self {
        self.policy.credentials = Credentials::Live(store);
        self
    }

    /// Has `signer` sign for credentials whose private key is elsewhere.
    #[must_use]
    pub fn signer(mut self, signer: impl Signer + 'static) -> Self {
        self.policy.signer = Some(Arc::new(signer));
        self
    }

    /// Refuses clients that ask for a name that no certificate has, with `unrecognized_name`.
    #[must_use]
    pub fn strict_names(mut self) -> Self {
        self.policy.names = UnknownNames::Refused;
        self
    }

    /// Verifies clients like this, where the configuration asks for their certificates: by a
    /// [`Verifier`](crate::pki::Verifier), by a [`TrustStore`](super::TrustStore), or by what a [`Verification`] wants
    /// besides.
    #[must_use]
    pub fn clients(mut self, clients: impl Into<Verification>) -> Self {
        self.policy.clients = Some(clients.into());
        self
    }

    /// Tells the time by this clock instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.policy.clock = Arc::new(clock);
        self
    }

    /// Resumes sessions with these tickets. Nothing comes of it unless the configuration has
    /// [`tickets`](crate::config::ServerConfigBuilder::tickets) sent.
    #[must_use]
    pub fn tickets(mut self, tickets: Arc<dyn Tickets>) -> Self {
        self.policy.tickets = Some(tickets);
        self
    }

    /// Accepts these external pre-shared keys too. Of two with one identity the later one counts.
    #[must_use]
    pub fn psks(mut self, keys: impl IntoIterator<Item = Arc<ExternalPsk>>) -> Self {
        for key in keys {
            self.policy.psks.replace(ByIdentity(key));
        }
        self
    }

    /// Checks early data for replays with this guard, whose proof switched it on.
    #[must_use]
    pub fn replay_guard(mut self, guard: Arc<Guard>) -> Self {
        self.policy.guarding = Guarding::Here(guard);
        self
    }

    /// Someone else answers [`CheckReplay`] before the policy sees it: the guard of this proof, which switched early data
    /// on. The policy itself cannot tell.
    #[must_use]
    pub fn guarded_elsewhere(mut self, proof: &ReplayGuarded) -> Self {
        self.policy.guarding = Guarding::Elsewhere(proof.clone());
        self
    }

    /// Counts what vouches for clients, trust anchors and revocations: tickets of another generation are refused, with
    /// [`NotResumed::PolicyChanged`]. By default 0. The generation of a [`TrustStore`](super::TrustStore) is added to it,
    /// and so is a number that other fixed roots, rules, pins and expectations change.
    #[must_use]
    pub fn trust_generation(mut self, generation: u64) -> Self {
        self.policy.trust = generation;
        self
    }

    /// For how long after a full handshake the sessions that go back to it may be resumed (RFC 9846 section 4.7.1). By
    /// default 7 days.
    #[must_use]
    pub fn max_session_age(mut self, age: Duration) -> Self {
        self.policy.max_session_age = age;
        self
    }

    /// The policy, to be shared.
    ///
    /// # Errors
    ///
    /// Where the configuration accepts early data: [`ConfigError::EarlyDataWithoutTickets`],
    /// [`ConfigError::OtherGuard`], [`ConfigError::LocalGuardForFleet`] when others take the same tickets and the guard
    /// does not see them, and [`ConfigError::SecondGuard`] when another policy in use has the same tickets and another
    /// guard, as a configuration that is replaced may: it keeps its guard.
    pub fn build(self) -> Result<Arc<ServerPolicy>, ConfigError> {
        let Self { mut policy } = self;
        policy.check_early_data()?;
        let stamp = policy.clients.as_ref().map_or(0, Verification::stamp);
        policy.trust = policy.trust.saturating_add(stamp);
        Ok(Arc::new(policy))
    }
}
