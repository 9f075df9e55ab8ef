//! Resumed handshakes: the connection that they go back to, and what both sides keep of it.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use symbolon::Moment;
use symbolon::config::{Credential, Reach, ServerConfig};
use symbolon::conn::{Client, NewTicket, NotResumed, Offer, SendBuf, Summary};
use symbolon::policy::replay::Guard;
use symbolon::psk::{ChainInTicket, Session, Ticket};
use symbolon::question::{Answer, KnownPsk, Question, SealTicket};

use super::{CERTIFICATE_LEN, Linked, Setting, Unmeasured, Wire, handshake};

/// Which handshakes are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// With a certificate.
    Full,
    /// With a ticket.
    Resumed,
    /// With a ticket, and [`EARLY_DATA`] in the first flight.
    ResumedWithEarlyData,
}

/// Early data, in one record.
pub const EARLY_DATA: [u8; 1000] = [7; 1000];

/// Length in bytes of a ticket.
pub const TICKET_LEN: usize = 200;

const LIFETIME: u32 = 3600;
const ISSUED: Moment = Moment::from_secs(1_000_000);
const NOW: Moment = Moment::from_secs(1_000_001);

/// What one side keeps of a connection, encoded.
pub type Kept = Vec<u8>;

/// What both sides keep of a connection.
pub struct Resuming {
    ticket: Kept,
    session: Kept,
    early_data: bool,
}

/// What a client keeps.
pub fn ticket(ticket: NewTicket) -> Kept {
    ticket.received(ISSUED).encode().unwrap().to_vec()
}

/// What a server keeps.
pub fn session(question: &SealTicket) -> Kept {
    question.session(ISSUED, LIFETIME, 0).encode(ChainInTicket::Left).unwrap().to_vec()
}

impl Setting {
    /// Makes connections resume one that takes place now.
    pub(super) fn resume(&mut self, story: Story) {
        let early_data = story == Story::ResumedWithEarlyData;
        let issuing = self.issuing(1);
        let measured = std::mem::replace(&mut self.server, issuing);
        let Linked { at_client, at_server, .. } =
            handshake(self, &mut Wire::new(), &mut Unmeasured, &mut Unmeasured);
        self.server = if early_data { self.issuing(0) } else { measured };
        let (ticket, session) = (at_client.kept.unwrap(), at_server.kept.unwrap());
        self.resuming = Some(Resuming { ticket, session, early_data });
    }

    /// A server with early data, and so many tickets.
    fn issuing(&self, tickets: u8) -> Arc<ServerConfig> {
        let guard = Guard::vouched((), Reach::Process, Duration::from_secs(10));
        let leaf = CertificateDer::from(vec![0x30; CERTIFICATE_LEN]);
        let credential = Credential::new(vec![leaf], Arc::clone(&self.key)).unwrap();
        let builder = ServerConfig::builder(self.provider.clone()).credential(credential);
        let builder = builder.suites(&[self.suite]).groups(&[self.group]).tickets(tickets);
        builder.early_data(1 << 14, guard.proof().clone()).build().unwrap()
    }

    /// A copy of the ticket for each connection: real clients use theirs up.
    pub(super) fn offer(&self) -> Offer {
        let Some(resuming) = &self.resuming else { return Offer::fresh() };
        let offer = Offer::resume(Ticket::decode(&resuming.ticket).unwrap(), NOW);
        if resuming.early_data { offer.with_early_data() } else { offer }
    }

    pub(super) fn write_early(&self, client: &mut Client, out: &mut SendBuf) {
        if self.resuming.as_ref().is_some_and(|resuming| resuming.early_data) {
            let written = client.early_writer().unwrap().write(&[&EARLY_DATA], out);
            assert_eq!(written, Ok(EARLY_DATA.len()));
        }
    }

    pub(super) fn answer_resuming(&self, question: Question) -> Answer {
        match question {
            Question::LookupPsk(question) => {
                let session = Session::decode(&self.resuming.as_ref().unwrap().session).unwrap();
                question.known(vec![(0, KnownPsk::Session(session.into()))], NOW, NotResumed::Unknown)
            }
            Question::CheckReplay(question) => question.fresh(),
            Question::SealTicket(question) => question.sealed(vec![7; TICKET_LEN], LIFETIME),
            other => panic!("unexpected question {other:?}"),
        }
    }

    /// The handshake was what it was to be.
    pub(super) fn check(&self, summary: &Summary) {
        let resuming = self.resuming.as_ref();
        assert_eq!(summary.resumed.is_ok(), resuming.is_some());
        assert_eq!(summary.early_data.is_ok(), resuming.is_some_and(|resuming| resuming.early_data));
    }
}
