//! A server's policy: which credential for which client, and which clients to trust.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::time::Duration;
use std::collections::HashSet;

use super::replay::Guard;
use super::tickets::{MAX_LIFETIME, Tickets, seconds_until};
use super::verify::verify_peer;
use super::{Answerer, Clock, SystemClock};
use crate::alert::AlertCode;
use crate::codepoint::SignatureScheme;
use crate::config::{ConfigError, Credential, Reach, ReplayGuarded, ResumedPeers, ServerConfig};
use crate::error::Refusal;
use crate::moment::Moment;
use crate::pki::{Certificate, Verifier, VerifyError, dns_matches};
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
    credentials: Vec<Listed>,
    names: UnknownNames,
    clients: Option<Verifier>,
    clock: Arc<dyn Clock>,
    tickets: Option<Arc<dyn Tickets>>,
    psks: HashSet<ByIdentity>,
    guarding: Guarding,
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

/// A credential with what choosing it needs.
struct Listed {
    credential: Arc<Credential>,
    dns_names: Vec<String>,
    /// How its certificates are signed, where a code point says so.
    signed_with: Vec<SignatureScheme>,
}

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
                credentials: Vec::new(),
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
        let offered = question.offered();
        let by_name = |listed: &&Listed| listed.speaks_for(offered.server_name.as_deref());
        let named: Vec<&Listed> = self.credentials.iter().filter(by_name).collect();
        if let (true, UnknownNames::Refused, Some(name)) =
            (named.is_empty(), self.names, &offered.server_name)
        {
            let text = alloc::format!("no certificate here is for {name:?}");
            return question.refused(Refusal::text(AlertCode::UNRECOGNIZED_NAME, text));
        }
        let all = self.credentials.iter();
        // By name and verifiable, then by name, then whatever the client can verify, then the first.
        let chosen = named
            .iter()
            .copied()
            .find(|listed| listed.suits(offered))
            .or_else(|| named.iter().copied().find(|listed| listed.can_sign(offered)))
            .or_else(|| all.clone().find(|listed| listed.suits(offered)))
            .or_else(|| all.clone().find(|listed| listed.can_sign(offered)))
            .or_else(|| all.clone().next());
        match chosen {
            Some(listed) => {
                let credential = Arc::clone(&listed.credential);
                question.with(Arc::clone(&self.config), credential)
            }
            None => {
                let text = "the server has no credential; it is at fault";
                question.refused(Refusal::text(AlertCode::INTERNAL_ERROR, text))
            }
        }
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
        let session = tickets.take(identity, fingerprint, now)?;
        self.check(&session, now)?;
        Ok(KnownPsk::Session(session))
    }

    fn check(&self, session: &Session, now: Moment) -> Result<(), NotResumed> {
        if session.trust != self.trust {
            return Err(NotResumed::PolicyChanged);
        }
        if now >= session.authenticated.plus(self.max_session_age) {
            return Err(NotResumed::Expired);
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
        let session = question.session(now, lifetime, self.trust);
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

impl Listed {
    /// Whether a certificate is for `name`; every one is for a client that names nothing.
    fn speaks_for(&self, name: Option<&str>) -> bool {
        name.is_none_or(|name| self.dns_names.iter().any(|presented| dns_matches(presented, name)))
    }

    /// Whether the client accepts a signature by this key.
    fn can_sign(&self, offered: &Offered) -> bool {
        self.credential.schemes().iter().any(|scheme| offered.signature_schemes.contains(scheme))
    }

    /// Whether the client can verify the key's signature and those in the chain (RFC 9846 section 4.5.1.2).
    fn suits(&self, offered: &Offered) -> bool {
        self.can_sign(offered)
            && self.signed_with.iter().all(|scheme| offered.certificate_schemes.contains(scheme))
    }
}

impl Answerer for ServerPolicy {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Configure(question) => self.configure(*question),
            Question::Sign(question) => question.with_own_key(&*self.config.provider().rng),
            Question::VerifyPeer(question) => match &self.clients {
                Some(verifier) => verify_peer(*question, verifier, self.clock.now()),
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
    /// Adds a credential. The first one serves clients that ask for no name or for an unknown one.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Malformed`] when a certificate cannot be parsed.
    pub fn credential(mut self, credential: impl Into<Arc<Credential>>) -> Result<Self, VerifyError> {
        let credential = credential.into();
        let mut dns_names = Vec::new();
        let mut signed_with = Vec::new();
        for (position, der) in credential.chain().iter().enumerate() {
            let certificate = Certificate::parse(der)?;
            if position == 0 {
                dns_names = certificate.dns_names().map(ToString::to_string).collect();
            }
            // RFC 9846 section 4.3.3: signatures on self-signed certificates "are not validated".
            if !certificate.is_self_issued() {
                signed_with.extend(certificate.signed_with.scheme());
            }
        }
        self.policy.credentials.push(Listed { credential, dns_names, signed_with });
        Ok(self)
    }

    /// Refuses clients that ask for a name that no certificate has, with `unrecognized_name`.
    #[must_use]
    pub fn strict_names(mut self) -> Self {
        self.policy.names = UnknownNames::Refused;
        self
    }

    /// Verifies client certificates with this verifier.
    #[must_use]
    pub fn clients(mut self, verifier: Verifier) -> Self {
        self.policy.clients = Some(verifier);
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
    /// [`NotResumed::PolicyChanged`]. By default 0.
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
        self.policy.check_early_data()?;
        Ok(Arc::new(self.policy))
    }
}
