//! Who answers one side's questions: honestly, or not.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::UnixTime;
use symbolon::codepoint::CertificateType;
use symbolon::config::Credential;
use symbolon::conn::{NotResumed, Unknowable};
use symbolon::crypto::Provider;
use symbolon::identity::{Claim, Identity};
use symbolon::question::{Answer, KnownPsk, PeerEvidence, Presented, PresentedKey, Question};
use symbolon::{AlertCode, Moment, Refusal};

use super::dice::Dice;
use super::fleet;

/// How long tickets live, in seconds.
const LIFETIME: u32 = 3600;

/// An answer that is not what an honest side would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Refuses, with an alert where there is one to choose.
    Refuse(AlertCode),
    /// Says something that is not so.
    Wrong,
}

/// What comes of a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The side ends the connection with this alert.
    Ends(AlertCode),
    /// The connection fails, or goes on without something.
    Differs,
}

/// Answers the questions of one side of one connection.
pub struct Desk {
    pub provider: Provider,
    pub now: Moment,
    /// A client's credentials.
    pub own: Vec<Arc<Credential>>,
    /// A server, with its credential.
    pub server: Option<(fleet::Server, Option<Arc<Credential>>)>,
    /// As whom we authenticated.
    pub presented: Option<Identity>,
}

/// Who has this credential.
pub fn identity(credential: &Credential) -> Identity {
    match credential.certificate_type() {
        CertificateType::RAW_PUBLIC_KEY => of_key(credential.spki().unwrap()),
        _ => of_leaf(&credential.chain()[0]),
    }
    .identity()
    .clone()
}

fn expires() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1 << 33))
}

fn of_leaf(leaf: &[u8]) -> Claim {
    let tail = &leaf[leaf.len().saturating_sub(24)..];
    Claim::subject(format!("{}", tail.escape_ascii()), expires())
}

fn of_key(spki: &[u8]) -> Claim {
    Claim::raw_public_key(spki, expires())
}

impl Desk {
    pub fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Configure(question) => {
                let (server, credential) = self.server.clone().unwrap();
                question.with(server.config, credential.unwrap())
            }
            Question::LookupPsk(question) => {
                let (server, _) = self.server.as_ref().unwrap();
                let mut known = Vec::new();
                for (index, offered) in question.identities().iter().enumerate() {
                    if let Some(session) = server.vault.find(&offered.identity) {
                        known.push((index, KnownPsk::Session(Box::new(session))));
                    }
                    let mut psks = server.psks.iter();
                    if let Some(psk) = psks.find(|psk| psk.identity() == offered.identity) {
                        known.push((index, KnownPsk::External(Arc::clone(psk))));
                    }
                }
                question.known(known, self.now, NotResumed::Unknown)
            }
            Question::CheckReplay(question) => {
                let (server, _) = self.server.as_ref().unwrap();
                let seen = server.guard.guard().check(question.flight());
                question.seen(seen)
            }
            Question::ChooseCredential(question) => {
                let kind = question.certificate_type();
                match self.own.iter().find(|own| own.certificate_type() == kind) {
                    Some(own) => {
                        self.presented = Some(identity(own));
                        question.with(Arc::clone(own))
                    }
                    None => question.none(),
                }
            }
            Question::Sign(question) => question.with_own_key(&*self.provider.rng),
            Question::VerifyPeer(question) => {
                let (verified, claim) = match question.evidence() {
                    PeerEvidence::Fresh(Presented { chain, scheme, signed, signature, .. }) => {
                        (self.provider.verify(*scheme, &chain[0], signed, signature), of_leaf(&chain[0]))
                    }
                    PeerEvidence::RawPublicKey(PresentedKey { spki, scheme, signed, signature, .. }) => {
                        (self.provider.verify(*scheme, spki, signed, signature), of_key(spki))
                    }
                    PeerEvidence::Resumed(peer) => (Ok(()), Claim::again(peer)),
                    other => panic!("unknown evidence {other:?}"),
                };
                match verified {
                    Ok(()) => question.verified(claim),
                    Err(failed) => question.refused(Refusal::new(AlertCode::DECRYPT_ERROR, failed)),
                }
            }
            Question::SealTicket(question) => {
                let (server, _) = self.server.as_ref().unwrap();
                let session = question.session(self.now, LIFETIME, 0);
                let mut ticket = vec![0; 32];
                self.provider.rng.fill(&mut ticket).unwrap();
                server.vault.put(ticket.clone(), &session);
                question.sealed(ticket, LIFETIME)
            }
            other => panic!("unknown question {other:?}"),
        }
    }

    /// Answers otherwise.
    pub fn lie(&mut self, question: Question, lie: Lie, dice: &mut Dice) -> (Answer, Outcome) {
        let (alert, wrong) = match lie {
            Lie::Refuse(alert) => (alert, false),
            Lie::Wrong => (AlertCode::INTERNAL_ERROR, true),
        };
        let refusal = Refusal::text(alert, "as the story wants it");
        let ends = Outcome::Ends(alert);
        match question {
            Question::LookupPsk(question) if wrong => {
                let (server, _) = self.server.as_ref().unwrap();
                match server.vault.other_than(&question.identities()[0].identity) {
                    Some(other) => {
                        let known = vec![(0, KnownPsk::Session(Box::new(other)))];
                        (question.known(known, self.now, NotResumed::Unknown), Outcome::Differs)
                    }
                    None => (question.none(NotResumed::Revoked), Outcome::Differs),
                }
            }
            Question::Sign(question) if wrong => (question.signed(vec![9; 64]), Outcome::Differs),
            Question::ChooseCredential(question) if wrong => (question.none(), Outcome::Differs),
            Question::SealTicket(question) if wrong => match dice.within(0..3) {
                0 => (question.sealed(Vec::new(), LIFETIME), Outcome::Differs),
                1 => (question.sealed(vec![1; 20_000], LIFETIME), Outcome::Differs),
                // Nobody will know it.
                _ => (question.sealed(vec![1; 40], LIFETIME), Outcome::Differs),
            },
            Question::Configure(question) => (question.refused(refusal), ends),
            Question::LookupPsk(question) => (question.refused(refusal), ends),
            Question::CheckReplay(question) => (question.unknown(Unknowable::Unreachable), Outcome::Differs),
            Question::ChooseCredential(question) => (question.refused(refusal), ends),
            Question::Sign(question) => (question.failed(refusal), ends),
            Question::VerifyPeer(question) => (question.refused(refusal), ends),
            Question::SealTicket(question) => (question.none(), Outcome::Differs),
            other => panic!("unknown question {other:?}"),
        }
    }
}
