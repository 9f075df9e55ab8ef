//! The answers to the library's questions. Every chain is believed; signatures are checked.

use std::sync::Arc;

use rustls_pki_types::UnixTime;
use symbolon::codepoint::{CipherSuite, SignatureScheme};
use symbolon::config::{ClientAuth, ConfigError, Credential};
use symbolon::conn::NotResumed;
use symbolon::identity::Claim;
use symbolon::policy::replay::ReplayGuard;
use symbolon::policy::tickets::Tickets;
use symbolon::psk::Session;
use symbolon::question::{
    Answer, ChooseCredential, Configure, KnownPsk, LookupPsk, PeerEvidence, Presented, PresentedKey,
    Question, SealTicket, VerifyPeer,
};
use symbolon::{AlertCode, Moment, Refusal};

use crate::credentials::{Unfit, Wallet};
use crate::failure::Failure;
use crate::leaf::{Fit, Leaf, fit};
use crate::options::{OcspCallback, ServerAlpn, Settings};
use crate::refusals::refuse;
use crate::setup;
use crate::world::World;

/// What answering showed of the peer.
#[derive(Default)]
pub struct Learned {
    pub server_name: Option<String>,
    pub offered_alpn: Vec<Vec<u8>>,
    pub peer_schemes: Vec<SignatureScheme>,
    pub authorities: Option<Vec<Vec<u8>>>,
    pub selected_credential: Option<i32>,
    pub signature: Option<SignatureScheme>,
    pub staple: Option<Vec<u8>>,
    pub scts: Option<Vec<u8>>,
    pub age_skew: Option<i64>,
    pub verified: u32,
    /// Server: what it takes of the client's offer.
    pub suite: Option<CipherSuite>,
}

impl Learned {
    /// What of an earlier connection still holds where it is resumed; a full handshake replaces it.
    pub fn for_resumption(self) -> Self {
        let Self { signature, staple, scts, .. } = self;
        Self { signature, staple, scts, ..Self::default() }
    }
}

/// Answers for one connection.
pub struct Answers<'a> {
    pub world: &'a World,
    pub settings: &'a Settings,
    pub wallet: &'a Wallet,
    pub learned: Learned,
}

impl Answers<'_> {
    /// The answer to a question.
    pub fn answer(&mut self, question: Question) -> Result<Answer, Failure> {
        Ok(match question {
            Question::Configure(question) => self.configure(*question)?,
            Question::LookupPsk(question) => self.look_up(question),
            Question::CheckReplay(question) => {
                let seen = self.world.guard.guard().check(question.flight());
                question.seen(seen)
            }
            Question::ChooseCredential(question) => self.choose(question),
            Question::Sign(question) => match self.wallet.key_of(question.credential()) {
                Some(key) => {
                    match key.sign(&*self.world.provider.rng, question.scheme(), question.message()) {
                        Ok(signature) => question.signed(signature),
                        Err(failed) => question.failed(Refusal::new(AlertCode::INTERNAL_ERROR, failed)),
                    }
                }
                None => question.failed(refuse(AlertCode::INTERNAL_ERROR, "NO_PRIVATE_KEY_ASSIGNED")),
            },
            Question::VerifyPeer(question) => self.verify(*question),
            Question::SealTicket(question) => self.seal(question),
            other => return Err(Failure::Unimplemented(format!("the question {}", other.name()))),
        })
    }

    fn configure(&mut self, question: Configure) -> Result<Answer, Failure> {
        let offered = question.offered();
        self.learned.server_name = offered.server_name.clone();
        self.learned.offered_alpn = offered.alpn.clone();
        self.learned.peer_schemes = offered.signature_schemes.clone();
        let settings = self.settings;
        let rejects = match settings.ocsp_callback {
            OcspCallback::Fails => Some((AlertCode::INTERNAL_ERROR, "OCSP_CB_ERROR")),
            _ => settings.rejects,
        };
        if let Some((alert, name)) = rejects {
            return Ok(question.refused(refuse(alert, name)));
        }
        let mut builder = setup::server(settings, self.world)?;
        if let Some(group) = setup::preferred_group(settings, offered, &self.world.provider) {
            builder = builder.groups(&[group]);
        }
        // The hash of an imported key decides where there is one.
        if self.wallet.psks().next().is_none() {
            self.learned.suite = setup::preferred_suite(settings, offered, &self.world.provider);
        }
        if let Some(suite) = self.learned.suite {
            builder = builder.suites(&[suite]);
        }
        if self.wallet.has_psks_only() {
            // Whoever has the key is authenticated by it; there is no certificate to ask for.
            builder = builder.client_auth(ClientAuth::Off);
        }
        match &self.settings.server_alpn {
            ServerAlpn::Empty => builder = builder.alpn([""]),
            ServerAlpn::Select(name) if offered.alpn.contains(name) => builder = builder.alpn([name]),
            ServerAlpn::Refused if !offered.alpn.is_empty() => {
                return Ok(
                    question.refused(refuse(AlertCode::NO_APPLICATION_PROTOCOL, "NO_APPLICATION_PROTOCOL"))
                );
            }
            _ => {}
        }
        if self.wallet.has_psks_only() {
            let config = setup::built(builder.psk_only().build())?;
            return Ok(question.with_psks_only(config));
        }
        let config = match builder.build() {
            Err(ConfigError::Alpn) => {
                return Ok(question.refused(refuse(AlertCode::INTERNAL_ERROR, "INVALID_ALPN_PROTOCOL")));
            }
            built => setup::built(built)?,
        };
        let chosen = self.wallet.choose(
            &offered.server_certificate_types,
            &offered.signature_schemes,
            &offered.authorities,
        );
        Ok(match chosen {
            Ok((index, credential)) => {
                self.learned.selected_credential = Some(index);
                let credential = match settings.ocsp_callback {
                    OcspCallback::Declines => {
                        Arc::new(Credential::clone(&credential).with_staples(Vec::new()))
                    }
                    _ => credential,
                };
                question.with(config, credential)
            }
            Err(unfit) if self.wallet.psks().next().is_some() => {
                let _ = unfit;
                question.with_psks_only(config)
            }
            Err(unfit) => match self.unfit_credential(unfit) {
                // The library says itself what is wrong with it.
                Some(credential) => question.with(config, credential),
                None => question.refused(refuse(AlertCode::HANDSHAKE_FAILURE, name_of(unfit))),
            },
        })
    }

    /// A credential to be refused by the library.
    fn unfit_credential(&self, unfit: Unfit) -> Option<Arc<Credential>> {
        match unfit {
            Unfit::Nothing | Unfit::Issuer => None,
            Unfit::Type | Unfit::Scheme => {
                self.wallet.entries.iter().rev().find_map(|entry| match &entry.held {
                    crate::credentials::Held::Shown { credential, .. } => Some(Arc::clone(credential)),
                    crate::credentials::Held::Psk(_) => None,
                })
            }
        }
    }

    fn look_up(&mut self, question: LookupPsk) -> Answer {
        let mut known = Vec::new();
        let mut why = NotResumed::Unknown;
        let identities = || question.identities().iter().enumerate();
        // Our order decides among credentials: only the keys of the first one that the client knows are named, and none
        // behind a certificate that it takes.
        let certificate = self.learned.selected_credential.filter(|index| *index >= 0);
        for (index, entry) in self.wallet.imported() {
            if certificate.is_some_and(|certificate| certificate < index) {
                break;
            }
            let before = known.len();
            known.extend(identities().filter_map(|(position, offered)| {
                let psk = entry.iter().find(|psk| psk.identity() == offered.identity)?;
                Some((position, KnownPsk::External(Arc::clone(psk))))
            }));
            if known.len() > before {
                break;
            }
        }
        for (position, offered) in identities().filter(|_| !self.settings.no_ticket) {
            match self.world.ring.take(&offered.identity, question.config().fingerprint(), self.world.now) {
                // The reference resumes with the same suite alone; RFC 9846 section 4.3.11 wants the same hash.
                Ok(session) if self.learned.suite.is_some_and(|suite| suite != session.suite) => {
                    why = NotResumed::NoCommonSuite
                }
                Ok(session) => {
                    self.learned.age_skew =
                        Some(age_skew(&session, offered.obfuscated_ticket_age, self.world.now));
                    known.push((position, KnownPsk::Session(session)));
                }
                Err(other) => why = other,
            }
        }
        question.known(known, self.world.now, why)
    }

    fn choose(&mut self, question: ChooseCredential) -> Answer {
        if let Some((alert, name)) = self.settings.rejects {
            return question.refused(refuse(alert, name));
        }
        self.learned.authorities = Some(question.authorities().to_vec());
        self.learned.peer_schemes = question.schemes().to_vec();
        let chosen =
            self.wallet.choose(&[question.certificate_type()], question.schemes(), question.authorities());
        match chosen {
            Ok((index, credential)) => {
                self.learned.selected_credential = Some(index);
                question.with(credential)
            }
            Err(Unfit::Nothing) => question.none(),
            Err(unfit) => question.refused(refuse(AlertCode::HANDSHAKE_FAILURE, name_of(unfit))),
        }
    }

    fn verify(&mut self, question: VerifyPeer) -> Answer {
        let verdict = match question.evidence() {
            PeerEvidence::Fresh(presented) => self.verify_chain(presented),
            PeerEvidence::RawPublicKey(presented) => self.verify_key(presented),
            PeerEvidence::Resumed(peer) => self.verify_trust().map(|()| Claim::again(peer)),
            _ => Err(refuse(AlertCode::INTERNAL_ERROR, "INTERNAL_ERROR")),
        };
        match verdict {
            Ok(claim) => question.verified(claim),
            Err(refusal) => question.refused(refusal),
        }
    }

    fn verify_chain(&mut self, presented: &Presented) -> Result<Claim, Refusal> {
        self.learned.signature = Some(presented.scheme);
        self.learned.staple = presented.staples.first().cloned().flatten();
        self.learned.scts = presented.sct.clone();
        // A client whose flags name pre-shared keys alone takes no certificate.
        if self.wallet.psks().next().is_some() && !self.settings.verify_peer {
            return Err(refuse(AlertCode::MISSING_EXTENSION, "MISSING_EXTENSION"));
        }
        if self.settings.ocsp_callback == OcspCallback::Fails {
            return Err(refuse(AlertCode::BAD_CERTIFICATE_STATUS_RESPONSE, "OCSP_CB_ERROR"));
        }
        let leaf = presented
            .chain
            .first()
            .and_then(|der| Leaf::parse(der))
            .ok_or_else(|| refuse(AlertCode::DECODE_ERROR, "CANNOT_PARSE_LEAF_CERT"))?;
        // RFC 9846 section 4.5.1.2: "the digitalSignature bit MUST be set if the Key Usage extension is present".
        if !leaf.may_sign {
            return Err(refuse(AlertCode::ILLEGAL_PARAMETER, "KEY_USAGE_BIT_INCORRECT"));
        }
        self.verify_trust()?;
        self.verify_signature(&leaf.spki, presented.scheme, &presented.signed, &presented.signature)?;
        Ok(Claim::subject("a peer of the runner", forever()).chain(presented.chain.clone()))
    }

    fn verify_key(&mut self, presented: &PresentedKey) -> Result<Claim, Refusal> {
        self.learned.signature = Some(presented.scheme);
        self.verify_trust()?;
        // Nobody certified the key: where the flags reject it, nothing speaks for it.
        if self.settings.verify_fail {
            return Err(refuse(AlertCode::CERTIFICATE_UNKNOWN, "CERTIFICATE_VERIFY_FAILED"));
        }
        self.verify_signature(&presented.spki, presented.scheme, &presented.signed, &presented.signature)?;
        Ok(Claim::raw_public_key(presented.spki.clone(), forever()))
    }

    /// What the flags say of the peer.
    fn verify_trust(&mut self) -> Result<(), Refusal> {
        self.learned.verified += 1;
        let settings = self.settings;
        let fatal = settings.verify_peer || settings.require_client_certificate;
        if !(settings.verify_fail && fatal) {
            return Ok(());
        }
        let alert = if settings.custom_verify {
            AlertCode::CERTIFICATE_UNKNOWN
        } else {
            AlertCode::HANDSHAKE_FAILURE
        };
        Err(refuse(alert, "CERTIFICATE_VERIFY_FAILED"))
    }

    fn verify_signature(
        &self,
        spki: &[u8],
        scheme: SignatureScheme,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), Refusal> {
        match fit(spki, scheme) {
            Fit::Fits => {}
            Fit::OtherKind => return Err(refuse(AlertCode::ILLEGAL_PARAMETER, "WRONG_SIGNATURE_TYPE")),
            Fit::UnknownKind => {
                return Err(refuse(AlertCode::UNSUPPORTED_CERTIFICATE, "UNSUPPORTED_ALGORITHM"));
            }
            Fit::NoKey => return Err(refuse(AlertCode::DECODE_ERROR, "DECODE_ERROR")),
        }
        self.world
            .provider
            .verify(scheme, spki, signed, signature)
            .map_err(|_| refuse(AlertCode::DECRYPT_ERROR, "BAD_SIGNATURE"))
    }

    fn seal(&self, question: SealTicket) -> Answer {
        let now = self.world.now;
        let lifetime = self.world.ring.lifetime(now);
        let session = question.session(now, lifetime, 0);
        match self.world.ring.issue(session, question.config().fingerprint(), now) {
            Some(ticket) => question.sealed(ticket, lifetime),
            None => question.none(),
        }
    }
}

/// Why no credential was taken, as the runner calls it.
fn name_of(unfit: Unfit) -> &'static str {
    match unfit {
        Unfit::Nothing => "NO_CERTIFICATE_SET",
        Unfit::Type => "UNKNOWN_CERTIFICATE_TYPE",
        Unfit::Scheme => "NO_COMMON_SIGNATURE_ALGORITHMS",
        Unfit::Issuer => "NO_MATCHING_ISSUER",
    }
}

/// By how many seconds the client thinks its ticket older than the server does.
fn age_skew(session: &Session, obfuscated: u32, now: Moment) -> i64 {
    let theirs = obfuscated.wrapping_sub(session.age_add);
    let ours = now.since(session.issued).unwrap_or_default().as_millis();
    let theirs = i64::from(theirs) / 1000;
    theirs - i64::try_from(ours / 1000).unwrap_or(i64::MAX)
}

/// Chains that are always believed never expire.
fn forever() -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(1 << 40))
}
