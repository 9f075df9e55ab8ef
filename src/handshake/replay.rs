//! Tests alone: messages of a trace in place of the ones that we compose, which cannot equal another library's.
//!
//! A replacement takes the place of the next composed message of its own kind on the same thread.

extern crate std;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cell::RefCell;

/// What is replayed on this thread.
#[derive(Default)]
pub(crate) struct Replay {
    /// Whole messages with their headers, in the order in which they are sent.
    pub(crate) messages: VecDeque<Vec<u8>>,
    /// The cookie of a HelloRetryRequest.
    pub(crate) cookie: Option<Vec<u8>>,
}

std::thread_local! {
    static REPLAY: RefCell<Option<Replay>> = const { RefCell::new(None) };
}

impl Replay {
    /// Replays from now on.
    pub(crate) fn start(self) {
        REPLAY.set(Some(self));
    }

    /// Ends the replay and gives back what was not used.
    pub(crate) fn stop() -> Option<Self> {
        REPLAY.take()
    }
}

/// Replaces the message that begins at `start`, if the next one to replay is of its kind.
pub(super) fn replace(messages: &mut Vec<u8>, start: usize) {
    REPLAY.with_borrow_mut(|replay| {
        let Some(Replay { messages: queue, .. }) = replay else { return };
        if queue.front().is_none_or(|next| next.first() != messages.get(start)) {
            return;
        }
        messages.truncate(start);
        messages.extend(queue.pop_front().into_iter().flatten());
    });
}

/// The cookie to send in a HelloRetryRequest.
pub(super) fn cookie() -> Option<Vec<u8>> {
    REPLAY.with_borrow_mut(|replay| replay.as_mut()?.cookie.take())
}
