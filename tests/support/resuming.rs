//! What both sides keep of a connection, for the next one to resume.
#![allow(dead_code)] // no test uses everything

use symbolon::Moment;
use symbolon::conn::{NewTicket, NotResumed, Offer};
use symbolon::psk::{Session, Ticket};
use symbolon::question::{Answer, KnownPsk, Question};

use crate::support::Answers;
/// What switches early data on.
pub use crate::support::resumption::guarded as proof;

pub const MAX_EARLY_DATA: u32 = 1 << 14;

const LIFETIME: u32 = 3600;
const ISSUED: Moment = Moment::from_secs(1_000_000);
const NOW: Moment = Moment::from_secs(1_000_001);

/// What one side keeps of its connections.
#[derive(Default)]
pub struct Kept {
    pub ticket: Option<Ticket>,
    pub session: Option<Box<Session>>,
}

impl Kept {
    pub fn keep(&mut self, ticket: NewTicket) {
        self.ticket = Some(ticket.received(ISSUED));
    }

    /// Resumes where there is a ticket, with early data if there are to be some.
    pub fn offer(&mut self, early_data: &[u8]) -> Offer {
        match self.ticket.take() {
            Some(ticket) if early_data.is_empty() => Offer::resume(ticket, NOW),
            Some(ticket) => Offer::resume(ticket, NOW).with_early_data(),
            None => Offer::fresh(),
        }
    }

    /// Answers what is about sessions; `others` answers the rest.
    pub fn answer(&mut self, others: &mut Answers, question: Question) -> Answer {
        match question {
            Question::SealTicket(question) => {
                self.session = Some(Box::new(question.session(ISSUED, LIFETIME, 0)));
                question.sealed(vec![7; 32], LIFETIME)
            }
            Question::LookupPsk(question) => {
                let known = self.session.take().map(|session| (0, KnownPsk::Session(session)));
                question.known(known.into_iter().collect(), NOW, NotResumed::Unknown)
            }
            Question::CheckReplay(question) => question.fresh(),
            other => others.answer(other),
        }
    }
}
