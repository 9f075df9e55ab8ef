//! How a connection's questions are answered: as an honest endpoint would, not at all for now, or with a refusal.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use symbolon::codepoint::{CertificateType, CipherSuite};
use symbolon::config::{Credential, ServerConfig};
use symbolon::conn::NotResumed;
use symbolon::crypto::{HashSecret, Provider, SigningKey};
use symbolon::identity::{Claim, Identity};
use symbolon::psk::{ExternalPsk, Session};
use symbolon::question::{Answer, KnownPsk, PeerEvidence, Question};
use symbolon::{AlertCode, Moment, Refusal};

use super::keys::TICKET;
use crate::Script;

pub const NOW: Moment = Moment::from_secs(1_800_000_000);

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Honest,
    /// It waits.
    Later,
    Refused,
    /// Something that is permitted, and other than expected.
    Odd,
}

/// A manner for each kind of question: two bits each, zero for honest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners(pub u16);

impl Manners {
    pub fn of(self, question: &Question) -> Manner {
        let place = match question {
            Question::Configure(_) => 0,
            Question::LookupPsk(_) => 1,
            Question::CheckReplay(_) => 2,
            Question::ChooseCredential(_) => 3,
            Question::Sign(_) => 4,
            Question::VerifyPeer(_) => 5,
            _ => 6,
        };
        match (self.0 >> (2 * place)) & 3 {
            0 => Manner::Honest,
            1 => Manner::Later,
            2 => Manner::Refused,
            _ => Manner::Odd,
        }
    }
}

/// What an endpoint knows.
#[derive(Clone)]
pub struct Knowledge {
    pub provider: Provider,
    /// For `Configure`.
    pub serving: Option<(Arc<ServerConfig>, Arc<Credential>)>,
    /// For `ChooseCredential`.
    pub credential: Option<Arc<Credential>>,
    pub raw_credential: Option<Arc<Credential>>,
    pub external: Option<Arc<ExternalPsk>>,
    /// Whether the ticket of [`TICKET`] is known.
    pub ticket: bool,
    /// The early data that a session permits.
    pub max_early: u32,
    /// Sessions of tickets that were sealed.
    pub sealed: Vec<Arc<Session>>,
}

impl Knowledge {
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            serving: None,
            credential: None,
            raw_credential: None,
            external: None,
            ticket: false,
            max_early: 0,
            sealed: Vec::new(),
        }
    }

    /// Answers honestly.
    pub fn honest(&self, question: Question) -> Answer {
        match question {
            Question::Configure(question) => match &self.serving {
                Some((config, credential)) => question.with(config.clone(), credential.clone()),
                None => question.refused(refusal(AlertCode::UNRECOGNIZED_NAME)),
            },
            Question::LookupPsk(question) => {
                let mut known = Vec::new();
                for (index, offered) in question.identities().iter().enumerate() {
                    if self.ticket && offered.identity == TICKET.0 {
                        known.push((index, KnownPsk::Session(Box::new(self.session()))));
                    }
                    let external = self.external.iter().find(|psk| psk.identity() == offered.identity);
                    known.extend(external.map(|psk| (index, KnownPsk::External(psk.clone()))));
                }
                question.known(known, NOW, NotResumed::Unknown)
            }
            Question::CheckReplay(question) => question.fresh(),
            Question::ChooseCredential(question) => {
                let ours = match question.certificate_type() {
                    CertificateType::RAW_PUBLIC_KEY => &self.raw_credential,
                    _ => &self.credential,
                };
                match ours {
                    Some(credential) => question.with(credential.clone()),
                    None => question.none(),
                }
            }
            Question::Sign(question) => question.with_own_key(&*self.provider.rng),
            Question::VerifyPeer(question) => {
                let expires = UnixTime::since_unix_epoch(Duration::from_secs(1 << 33));
                let claim = match question.evidence() {
                    PeerEvidence::Fresh(shown) => {
                        let key = shown.chain.first().expect("never an empty chain");
                        assert!(shown.staples.len() == shown.chain.len());
                        let right = self.provider.verify(shown.scheme, key, &shown.signed, &shown.signature);
                        // A "certificate" is its key.
                        right.map(|()| Claim::subject(name_of(key), expires).chain(shown.chain.clone()))
                    }
                    PeerEvidence::RawPublicKey(shown) => self
                        .provider
                        .verify(shown.scheme, &shown.spki, &shown.signed, &shown.signature)
                        .map(|()| Claim::raw_public_key(shown.spki.clone(), expires)),
                    PeerEvidence::Resumed(peer) => Ok(Claim::again(peer)),
                    other => panic!("unknown evidence {other:?}"),
                };
                match claim {
                    Ok(claim) => question.verified(claim),
                    Err(_) => question.refused(refusal(AlertCode::DECRYPT_ERROR)),
                }
            }
            Question::SealTicket(question) => question.sealed(vec![7; 32], 3600),
            other => panic!("unknown question {other:?}"),
        }
    }

    /// Answers in another manner than honestly.
    pub fn otherwise(&self, question: Question, manner: Manner, script: &mut Script<'_>) -> Answer {
        let odd = manner == Manner::Odd;
        match question {
            // Whatever the peer signed is believed: puppets sign nothing.
            Question::VerifyPeer(question) if odd => {
                let expires = UnixTime::since_unix_epoch(Duration::from_secs(u64::from(script.u32()) << 1));
                question.verified(Claim::subject("believed", expires))
            }
            Question::VerifyPeer(question) => question.refused(refusal(AlertCode(script.byte()))),
            Question::Configure(question) => match &self.serving {
                Some((config, _)) if odd => question.with_psks_only(config.clone()),
                _ => question.refused(refusal(AlertCode::UNRECOGNIZED_NAME)),
            },
            Question::LookupPsk(question) if odd => {
                // Keys that were not asked for, and twice.
                let known = (0..script.byte() % 4)
                    .map(|_| (usize::from(script.byte()), KnownPsk::Session(Box::new(self.session()))))
                    .collect();
                question.known(known, NOW, NotResumed::Expired)
            }
            Question::LookupPsk(question) => question.refused(refusal(AlertCode::INTERNAL_ERROR)),
            Question::CheckReplay(question) if odd => question.replayed(),
            Question::CheckReplay(question) => question.unknown(symbolon::conn::Unknowable::NoGuard),
            Question::ChooseCredential(question) if odd => question.none(),
            Question::ChooseCredential(question) => question.refused(refusal(AlertCode::INTERNAL_ERROR)),
            Question::Sign(question) if odd => question.signed(script.block().to_vec()),
            Question::Sign(question) => question.failed(refusal(AlertCode::INTERNAL_ERROR)),
            Question::SealTicket(question) if odd => {
                let lifetime = script.u32();
                question.sealed(script.block().to_vec(), lifetime)
            }
            Question::SealTicket(question) => question.none(),
            other => panic!("unknown question {other:?}"),
        }
    }

    fn session(&self) -> Session {
        Session {
            suite: CipherSuite::TLS_AES_128_GCM_SHA256,
            psk: HashSecret::copy_of(&TICKET.1).expect("32 bytes fit"),
            age_add: 0,
            issued: NOW,
            expires: NOW.plus(Duration::from_secs(3600)),
            authenticated: NOW,
            alpn: None,
            server_name: Some("example.test".into()),
            peer: None,
            max_early_data: self.max_early,
            trust: 0,
        }
    }
}

pub fn refusal(alert: AlertCode) -> Refusal {
    Refusal::text(alert, "refused by the script")
}

fn name_of(key: &CertificateDer<'_>) -> String {
    format!("{:02x?}", &key[..key.len().min(8)])
}

/// A credential whose certificate is its key.
pub fn credential(provider: &Provider, seed: u8) -> Arc<Credential> {
    let key = key(provider, seed);
    let leaf = CertificateDer::from(key.public_key().to_vec());
    Arc::new(Credential::new(vec![leaf], key).expect("a chain of one"))
}

/// A credential that is its key.
pub fn raw_credential(provider: &Provider, seed: u8) -> Arc<Credential> {
    Arc::new(Credential::raw_public_key(key(provider, seed)).expect("a key"))
}

fn key(provider: &Provider, seed: u8) -> Arc<dyn SigningKey> {
    let der = rustls_pki_types::PrivatePkcs8KeyDer::from(vec![seed; 16]);
    (provider.load_key)(&der.into()).expect("any bytes are a key")
}

/// Whether the identity is that of a credential with this seed.
pub fn is_of(identity: &Identity, seed: u8) -> bool {
    match identity {
        Identity::Subject { name, .. } => *name == name_of(&CertificateDer::from(vec![seed; 16])),
        Identity::RawPublicKey { spki, .. } => *spki == [seed; 16],
        _ => false,
    }
}
