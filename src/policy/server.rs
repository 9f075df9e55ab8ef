//! A server's policy: which credential for which client, and which clients to trust.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::verify::verify_peer;
use super::{Answerer, Clock, SystemClock};
use crate::alert::AlertCode;
use crate::codepoint::SignatureScheme;
use crate::config::{Credential, ServerConfig};
use crate::error::Refusal;
use crate::pki::{Certificate, Verifier, VerifyError, dns_matches};
use crate::psk::{NotResumed, Unknowable};
use crate::question::{Answer, Configure, Offered, Question};

/// Answers a server's questions: chooses a credential by name and by what the client can verify, signs with it, and
/// verifies clients where that is configured.
pub struct ServerPolicy {
    config: Arc<ServerConfig>,
    credentials: Vec<Listed>,
    names: UnknownNames,
    clients: Option<Verifier>,
    clock: Arc<dyn Clock>,
}

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
            other => decline(other),
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
                dns_names = certificate.dns_names.iter().map(ToString::to_string).collect();
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

    /// The policy, to be shared.
    #[must_use]
    pub fn build(self) -> Arc<ServerPolicy> {
        Arc::new(self.policy)
    }
}
