//! Leaving a transport so that the alert arrives.

use std::boxed::Box;
use std::future::Future;
use std::io::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::tokio::io::{AsyncRead, AsyncWrite};
use ::tokio::time::{Sleep, sleep};

use super::super::pipe::Source;
use super::super::pump::Pump;
use super::task::Task;

/// How much input is drained after a fault, in bytes.
const MOST: usize = 64 << 10;

/// How long input is drained after a fault.
const LONGEST: Duration = Duration::from_secs(1);

/// Whether waiting is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// The runtime has a timer.
    Ticking,
    /// No timer is touched; nothing is waited for.
    Stopped,
}

/// After a fault: flush the alert, shut the write side down, drain the input. A socket that is closed while input
/// waits is reset, and the reset may overtake the alert.
pub(super) struct Parting {
    error: Error,
    stage: Stage,
    until: Option<Pin<Box<Sleep>>>,
}

enum Stage {
    Flush,
    ShutDown,
    Drain { left: usize },
}

impl Parting {
    pub(super) fn new(error: Error, clock: Clock) -> Self {
        let until = match clock {
            Clock::Ticking => Some(Box::pin(sleep(LONGEST))),
            Clock::Stopped => None,
        };
        Self { error, stage: Stage::Flush, until }
    }

    /// Ready when all is done that can be done.
    pub(super) fn poll<IO: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        pump: &mut Pump,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let done = self.advance(io, pump, cx);
        match (&mut self.until, done) {
            (Some(until), Poll::Pending) => until.as_mut().poll(cx),
            _ => Poll::Ready(()),
        }
    }

    pub(super) fn into_error(self) -> Error {
        self.error
    }

    fn advance<IO: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        pump: &mut Pump,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut scrap = [0; 1024];
        loop {
            let next = match &mut self.stage {
                Stage::Flush => pump.flush(&mut Task(io, cx)).map_ok(|()| Some(Stage::ShutDown)),
                Stage::ShutDown => {
                    Pin::new(&mut *io).poll_shutdown(cx).map_ok(|()| Some(Stage::Drain { left: MOST }))
                }
                Stage::Drain { left } => {
                    Task(io, cx).read(&mut scrap).map_ok(|n| match left.checked_sub(n) {
                        Some(rest @ 1..) if n > 0 => Some(Stage::Drain { left: rest }),
                        _ => None,
                    })
                }
            };
            match next {
                Poll::Ready(Ok(Some(next))) => self.stage = next,
                Poll::Ready(Ok(None) | Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
