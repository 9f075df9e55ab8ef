//! Answers `CheckReplay` by a guard whose store is elsewhere, and leaves all other questions to somebody else.

use std::boxed::Box;
use std::fmt;
use std::sync::Arc;

use super::answer::{Answering, AsyncAnswerer};
use crate::policy::replay::{AsyncReplayGuard, Guard};
use crate::question::Question;

/// Has a replay guard answer `CheckReplay`, and `inner` everything else.
///
/// Early data waits for the guard's answer, at most for its deadline; without a clear one the connection goes on without
/// early data. Wrap an [`Answerer`](crate::policy::Answerer) in [`Immediate`](super::Immediate) first.
pub struct Guarded<A, G: ?Sized = dyn AsyncReplayGuard> {
    guard: Arc<Guard<G>>,
    inner: A,
}

impl<A, G: ?Sized> Guarded<A, G> {
    /// `guard` is the one whose proof switched early data on.
    #[must_use]
    pub fn new(guard: Arc<Guard<G>>, inner: A) -> Self {
        Self { guard, inner }
    }

    /// The guard.
    #[must_use]
    pub fn guard(&self) -> &Arc<Guard<G>> {
        &self.guard
    }
}

impl<A: AsyncAnswerer, G: AsyncReplayGuard + ?Sized> AsyncAnswerer for Guarded<A, G> {
    fn answer(&self, question: Question) -> Answering<'_> {
        let Question::CheckReplay(question) = question else { return self.inner.answer(question) };
        Box::pin(async move {
            let seen = self.guard.guard().check(*question.flight()).await;
            question.seen(seen)
        })
    }
}

impl<A, G: ?Sized> fmt::Debug for Guarded<A, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("guard", &self.guard).finish_non_exhaustive()
    }
}
