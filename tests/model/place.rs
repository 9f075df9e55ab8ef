//! Where a connection can be, and how it gets there.

use symbolon::conn::Epoch;

use crate::conn::Conn;
use crate::input::Input;
use crate::scene::{Scene, Told};
use crate::support::forge::{Puppet, Role};
use crate::then::Row;

/// A state of a connection.
#[derive(Clone, Copy)]
pub struct Place {
    pub name: &'static str,
    /// The variant of the machine's `State`, or of the connection's `Phase`.
    pub state: &'static str,
    pub scene: Scene,
    /// How many messages of the peer went to a connection that is gone.
    pub lost: usize,
    /// How many messages the peer has sent since.
    pub told: usize,
    /// Which question is out.
    pub question: Option<&'static str>,
    /// What came behind the messages.
    pub behind: &'static [Input],
    /// The keys that the connection reads with.
    pub reads: Epoch,
    /// The keys that its alerts go under; `None` where none is sent any more.
    pub alerts: Option<Epoch>,
    pub rows: &'static [Block],
}

/// Rows that belong together.
pub type Block = &'static [&'static [Row]];

/// An error alert, where one is meant.
const SOME_FORM: u8 = 40;

/// Every question there is.
pub const QUESTIONS: [&str; 7] =
    ["Configure", "LookupPsk", "CheckReplay", "ChooseCredential", "Sign", "VerifyPeer", "SealTicket"];

impl Place {
    /// The state `state` of a connection of `scene` that took `told` messages; it reads with the keys of `reads`, and its
    /// alerts go under those of `alerts`.
    pub const fn new(
        name: &'static str,
        state: &'static str,
        (scene, told): (Scene, usize),
        (reads, alerts): (Epoch, Epoch),
        rows: &'static [Block],
    ) -> Self {
        let (question, behind): (_, &[_]) = (None, &[]);
        Self { name, state, scene, lost: 0, told, question, behind, reads, alerts: Some(alerts), rows }
    }

    /// Waits for the answer to this question.
    pub const fn asks(self, question: &'static str) -> Self {
        Self { question: Some(question), ..self }
    }

    /// Another connection, which is gone, took the first messages.
    pub const fn anew(self, lost: usize) -> Self {
        Self { lost, ..self }
    }

    /// Some more has happened.
    pub const fn behind(self, behind: &'static [Input]) -> Self {
        Self { behind, ..self }
    }

    /// Sends no alert any more.
    pub const fn mute(self) -> Self {
        Self { alerts: None, ..self }
    }

    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = &'static Row> {
        self.rows.iter().copied().flatten().copied().flatten()
    }

    /// What the peer says in this scene.
    pub fn script(&self, role: Role) -> Vec<Told> {
        let recorded = self.scene.record();
        let script = match role {
            Role::Client => recorded.server,
            Role::Server => recorded.client,
        };
        script[self.lost..].to_vec()
    }

    /// A connection that is here. Every further question stays out.
    pub fn reach<E: Conn>(&self) -> Here<E> {
        let mut puppet = E::start(self.scene);
        puppet.party.hold.extend(self.question);
        for (epoch, message) in &self.script(E::ROLE)[..self.told] {
            puppet.tell(*epoch, message).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        }
        let held = puppet.party.held.first().map(|question| question.name());
        assert_eq!(held, self.question, "{}", self.name);
        let mut here = Here { puppet, heard: 0 };
        for input in self.behind {
            here.act(self, *input, SOME_FORM);
        }
        here.puppet.party.hold = QUESTIONS.to_vec();
        // What there is to hear is heard; a connection that has ended says so.
        let _ = here.puppet.feed(&[]);
        here.forget();
        here
    }
}

/// A connection at some place.
pub struct Here<E> {
    pub puppet: Puppet<E>,
    /// How much of what it said is old.
    pub heard: usize,
}

impl<E: Conn> Here<E> {
    /// Whatever was told and said so far is old.
    pub fn forget(&mut self) {
        let party = &mut self.puppet.party;
        party.inbox.clear();
        party.events.clear();
        party.tickets.clear();
        (party.closed, party.retry_sent) = (false, false);
        self.heard = self.puppet.said.len();
    }
}
