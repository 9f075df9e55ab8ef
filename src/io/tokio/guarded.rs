//! Answers `CheckReplay` by a guard whose store is elsewhere, and leaves all other questions to somebody else.

use std::boxed::Box;
use std::fmt;
use std::sync::Arc;

use super::answer::{Answering, AsyncAnswerer};
use crate::moment::Moment;
use crate::policy::SessionStore;
use crate::policy::replay::{AsyncReplayGuard, Guard};
use crate::psk::Unknowable;
use crate::question::Question;

/// Has a replay guard answer `CheckReplay` where its proof switched early data on, and `inner` everything else.
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
            if !self.guard.proof().is_of_same_guard(question.proof()) {
                return question.unknown(Unknowable::NoGuard);
            }
            let seen = self.guard.guard().check(*question.flight()).await;
            question.seen(seen)
        })
    }

    fn sessions(&self) -> Option<&dyn SessionStore> {
        self.inner.sessions()
    }

    fn moment(&self) -> Moment {
        self.inner.moment()
    }
}

impl<A, G: ?Sized> fmt::Debug for Guarded<A, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("guard", &self.guard).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Immediate;
    use super::*;
    use crate::config::{Reach, ReplayGuarded};
    use crate::policy::replay::DEFAULT_WINDOW;
    use crate::policy::{Answerer, MemorySessions};
    use crate::psk::NoEarlyData;
    use crate::question::{Answer, CheckReplay, FirstFlight, Seen, Tag, Verdict};
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    struct Blind;

    impl AsyncReplayGuard for Blind {
        fn check(&self, _: FirstFlight) -> Pin<Box<dyn Future<Output = Seen> + Send + '_>> {
            Box::pin(std::future::ready(Seen::Before))
        }
    }

    struct Inner(MemorySessions);

    impl Answerer for Inner {
        fn answer(&self, _: Question) -> Answer {
            unreachable!("nothing is asked")
        }

        fn sessions(&self) -> Option<&dyn SessionStore> {
            Some(&self.0)
        }

        fn moment(&self) -> Moment {
            Moment::from_secs(17)
        }
    }

    #[test]
    fn a_guard_is_not_asked_for_the_configuration_of_another() {
        let [guard, other] = [(); 2].map(|()| Arc::new(Guard::vouched(Blind, Reach::Fleet, DEFAULT_WINDOW)));
        let guarded = Guarded::new(Arc::clone(&guard), Immediate(Inner(MemorySessions::new())));
        let verdict = |proof: &ReplayGuarded| {
            let now = Moment::default();
            let flight = FirstFlight::new([7; 32], now, now, now);
            let question =
                CheckReplay { tag: Tag { connection: [0; 16], serial: 0 }, flight, proof: proof.clone() };
            let mut answering = guarded.answer(Question::CheckReplay(question));
            let answered = answering.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Answer { verdict: Verdict::NotFresh(why), .. }) = answered else {
                panic!("at once")
            };
            why
        };
        assert_eq!(verdict(guard.proof()), NoEarlyData::Replayed);
        assert_eq!(verdict(other.proof()), NoEarlyData::Unknowable(Unknowable::NoGuard));
    }

    #[test]
    fn store_and_clock_are_those_of_who_answers_everything_else() {
        let guard = Arc::new(Guard::vouched(Blind, Reach::Fleet, DEFAULT_WINDOW));
        let guarded = Guarded::new(guard, Immediate(Inner(MemorySessions::new())));
        assert!(guarded.sessions().is_some());
        assert_eq!(guarded.moment(), Moment::from_secs(17));
    }
}
