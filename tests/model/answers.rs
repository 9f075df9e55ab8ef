//! Answers: to the question that is out, and to questions of other connections.

use std::sync::Arc;

use symbolon::codepoint::CertificateType;
use symbolon::conn::{NotResumed, Unknowable};
use symbolon::psk::{ExternalPsk, PskHash};
use symbolon::question::{Answer, KnownPsk, Question};
use symbolon::{AlertCode, Refusal};

use crate::cheap;
use crate::conn::Conn;
use crate::input::{REPLIES, Reply};
use crate::place::Place;
use crate::places::{client, server};
use crate::scene::Scene;
use crate::support::Answers;
use crate::support::forge::Role;
use crate::support::resumption::NOW;
use symbolon::conn::{Client, Server};

fn refusal(alert: AlertCode) -> Refusal {
    Refusal::text(alert, "refused for the test's sake")
}

/// Answers `question` in this way.
pub fn reply_to(question: Question, reply: Reply, answers: &mut Answers) -> Answer {
    let other =
        || KnownPsk::External(Arc::new(ExternalPsk::new(b"other", &[8; 32], PskHash::Sha256).unwrap()));
    match (question, reply) {
        (Question::Configure(asked), Reply::PsksOnly) => {
            asked.with_psks_only(answers.serving.clone().unwrap().0)
        }
        (Question::Configure(asked), Reply::ConfigureRefused) => {
            asked.refused(refusal(AlertCode::UNRECOGNIZED_NAME))
        }
        (Question::LookupPsk(asked), Reply::KnownOther) => {
            asked.known(vec![(0, other())], NOW, NotResumed::Unknown)
        }
        (Question::LookupPsk(asked), Reply::KnownBeyond) => {
            asked.known(vec![(7, other())], NOW, NotResumed::Unknown)
        }
        (Question::LookupPsk(asked), Reply::KnownNone) => asked.none(NotResumed::Unknown),
        (Question::LookupPsk(asked), Reply::LookupRefused) => {
            asked.refused(refusal(AlertCode::ACCESS_DENIED))
        }
        (Question::CheckReplay(asked), Reply::Fresh) => asked.fresh(),
        (Question::CheckReplay(asked), Reply::Replayed) => asked.replayed(),
        (Question::CheckReplay(asked), Reply::Unknowable) => asked.unknown(Unknowable::Full),
        (Question::ChooseCredential(asked), Reply::ChosenUnfit) => {
            let raw = asked.certificate_type() == CertificateType::RAW_PUBLIC_KEY;
            asked.with(if raw { cheap::certified() } else { cheap::raw() })
        }
        (Question::ChooseCredential(asked), Reply::NoCredential) => asked.none(),
        (Question::ChooseCredential(asked), Reply::ChooseRefused) => {
            asked.refused(refusal(AlertCode::GENERAL_ERROR))
        }
        (Question::Sign(asked), Reply::SignFailed) => asked.failed(refusal(AlertCode::INTERNAL_ERROR)),
        (Question::VerifyPeer(asked), Reply::PeerRefused) => {
            asked.refused(refusal(AlertCode::BAD_CERTIFICATE))
        }
        (Question::SealTicket(asked), Reply::SealedEmpty) => asked.sealed(Vec::new(), 60),
        (Question::SealTicket(asked), Reply::NoTicket) => asked.none(),
        (
            question,
            Reply::Configured
            | Reply::Known
            | Reply::Chosen
            | Reply::Signed
            | Reply::Verified
            | Reply::Sealed,
        ) => answers.answer(question),
        (question, reply) => panic!("{reply:?} does not answer {question:?}"),
    }
}

/// The question of `place`, answered on another connection that is there.
pub fn minted(place: &Place, role: Role, reply: Reply) -> Answer {
    fn mint<E: Conn>(place: &Place, reply: Reply) -> Answer {
        let mut party = place.reach::<E>().puppet.party;
        reply_to(party.held.remove(0), reply, &mut party.answers)
    }
    match role {
        Role::Client => mint::<Client>(place, reply),
        Role::Server => mint::<Server>(place, reply),
    }
}

/// Every place where something is asked.
fn asking() -> impl Iterator<Item = (Role, &'static Place)> {
    let clients = client::PLACES.iter().map(|place| (Role::Client, place));
    let servers = server::PLACES.iter().map(|place| (Role::Server, place));
    clients.chain(servers).filter(|(_, place)| place.question.is_some())
}

/// The first place where `reply` is an answer.
pub fn honest_place(reply: Reply) -> (Role, &'static Place) {
    asking().find(|(_, place)| place.question == Some(reply.to())).unwrap()
}

/// An answer to a question of another connection.
pub fn foreign(reply: Reply) -> Answer {
    let (role, place) = honest_place(reply);
    let place = Place { scene: Scene { seed: 0xF0, ..place.scene }, ..*place };
    minted(&place, role, reply)
}

/// The first way to answer the question of `place`.
fn honest(place: &Place) -> Reply {
    *REPLIES.iter().find(|reply| place.question == Some(reply.to())).unwrap()
}

/// The number of the question that an answer is for, as it prints.
fn serial(answer: &Answer) -> String {
    format!("{answer:?}").rsplit(['#', ')']).nth(1).unwrap().to_owned()
}

/// The number of the question that is out at `place`.
fn awaited(place: &Place, role: Role) -> Option<String> {
    place.question?;
    Some(serial(&minted(place, role, honest(place))))
}

/// An answer to a question that `place` does not wait for, of a connection with the same identity: to one of the same kind
/// if there is one. A ticket would be taken on an open connection.
pub fn of_another_question<E: Conn>(place: &Place) -> Answer {
    let awaited = awaited(place, E::ROLE);
    let (same, others): (Vec<_>, Vec<_>) = asking()
        .filter(|(_, other)| other.question != Some("SealTicket"))
        .partition(|(_, other)| other.question == place.question);
    let all = same.into_iter().chain(others);
    all.map(|(role, other)| minted(other, role, honest(other)))
        .find(|answer| Some(serial(answer)) != awaited)
        .unwrap()
}

/// An answer with the identity and the number of the question at `place`, to another question.
pub fn of_another_kind<E: Conn>(place: &Place) -> Answer {
    let awaited = awaited(place, E::ROLE);
    asking()
        .filter(|(_, other)| other.question != place.question)
        .map(|(role, other)| minted(other, role, honest(other)))
        .find(|answer| Some(serial(answer)) == awaited)
        .unwrap_or_else(|| panic!("{}: no other question has the number {awaited:?}", place.name))
}
