//! Policy: who answers a connection's questions.

use crate::question::{Answer, Question};

/// Answers the questions of connections, one at a time, on the spot.
pub trait Answerer: Send + Sync {
    /// Answers `question`; consuming it is the only way to make its answer.
    fn answer(&self, question: Question) -> Answer;
}
