//! Questions that are answered by futures.

use std::boxed::Box;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::vec::Vec;

use crate::moment::Moment;
use crate::policy::{Answerer, Clock, SessionStore, SystemClock};
use crate::question::{Answer, Question};

/// The future of an answer.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Answers the questions of connections without blocking the runtime: a look-up, a remote signature, a verification.
///
/// ```
/// # use symbolon::{io::tokio::{Answering, AsyncAnswerer}, policy::Answerer, question::Question};
/// # use std::sync::Arc;
/// struct Offloaded(Arc<dyn Answerer>);
///
/// impl AsyncAnswerer for Offloaded {
///     fn answer(&self, question: Question) -> Answering<'_> {
///         let inner = self.0.clone();
///         Box::pin(async move { inner.answer(question) }) // or on a thread for long computations
///     }
/// }
/// ```
pub trait AsyncAnswerer: Send + Sync {
    /// Answers `question`. The future is dropped together with the stream that asked.
    fn answer(&self, question: Question) -> Answering<'_>;

    /// Client: where tickets are kept. By default nowhere. A store is asked on the spot: one that is a file blocks.
    fn sessions(&self) -> Option<&dyn SessionStore> {
        None
    }

    /// Now, by which the age of tickets is told. By default the system's clock.
    fn moment(&self) -> Moment {
        SystemClock.moment()
    }
}

/// An [`Answerer`] that answers on the spot, where an [`AsyncAnswerer`] is wanted.
#[derive(Clone, Debug)]
pub struct Immediate<A>(pub A);

impl<A: Answerer> AsyncAnswerer for Immediate<A> {
    fn answer(&self, question: Question) -> Answering<'_> {
        Box::pin(std::future::ready(self.0.answer(question)))
    }

    fn sessions(&self) -> Option<&dyn SessionStore> {
        self.0.sessions()
    }

    fn moment(&self) -> Moment {
        self.0.moment()
    }
}

/// The questions of one stream that are out.
pub(super) struct Questions {
    answerer: Arc<dyn AsyncAnswerer>,
    /// Never locked: the mutex only lets streams be shared between threads.
    out: Mutex<Vec<Answering<'static>>>,
}

impl Questions {
    pub(super) fn new(answerer: Arc<dyn AsyncAnswerer>) -> Self {
        Self { answerer, out: Mutex::new(Vec::new()) }
    }

    /// Begins to answer.
    pub(super) fn ask(&mut self, question: Question) {
        let answerer = Arc::clone(&self.answerer);
        self.out().push(Box::pin(async move { answerer.answer(question).await }));
    }

    /// Whether no question is out.
    pub(super) fn is_empty(&mut self) -> bool {
        self.out().is_empty()
    }

    /// The next answer that is ready.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Answer> {
        let out = self.out();
        let mut ready = None;
        for (at, answering) in out.iter_mut().enumerate() {
            if let Poll::Ready(answer) = answering.as_mut().poll(cx) {
                ready = Some((at, answer));
                break;
            }
        }
        let (at, answer) = ready?;
        drop(out.remove(at));
        if out.is_empty() {
            *out = Vec::new();
        }
        Some(answer)
    }

    fn out(&mut self) -> &mut Vec<Answering<'static>> {
        self.out.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}
