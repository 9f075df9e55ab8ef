//! Early data that a server received, until the application takes it as such.

use std::boxed::Box;
use std::vec::Vec;

use crate::conn::EarlyOpening;

/// A server's early data: kept apart from all other data, and never more than the configuration accepts.
pub(super) struct EarlyInbox {
    stage: Stage,
    opening: Option<Box<EarlyOpening>>,
    bytes: Vec<u8>,
    /// How many of them were handed out.
    taken: usize,
}

/// Whether more may come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nobody knows yet.
    Unknown,
    Open,
    Over,
}

impl EarlyInbox {
    /// For a server.
    pub(super) fn new() -> Self {
        Self { stage: Stage::Unknown, opening: None, bytes: Vec::new(), taken: 0 }
    }

    /// For a client, which never receives any.
    pub(super) fn shut() -> Self {
        Self { stage: Stage::Over, ..Self::new() }
    }

    /// Early data is about to come.
    pub(super) fn open(&mut self, opening: Box<EarlyOpening>) {
        self.stage = Stage::Open;
        self.opening = Some(opening);
    }

    /// Some of it came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// No more comes.
    pub(super) fn end(&mut self) {
        self.stage = Stage::Over;
    }

    /// None comes, unless it was announced.
    pub(super) fn rule_out(&mut self) {
        if self.stage == Stage::Unknown {
            self.stage = Stage::Over;
        }
    }

    /// What it was sent for, if there is any.
    pub(super) fn opening(&self) -> Option<&EarlyOpening> {
        self.opening.as_deref()
    }

    /// Whether some of it waits to be taken.
    pub(super) fn waits(&self) -> bool {
        self.taken < self.bytes.len()
    }

    /// Whether nobody knows yet if any will come.
    pub(super) fn is_unknown(&self) -> bool {
        self.stage == Stage::Unknown
    }

    /// Whether some of it waits, or none will come.
    pub(super) fn is_told(&self) -> bool {
        self.waits() || self.stage == Stage::Over
    }

    /// Hands some of it out.
    pub(super) fn copy_to(&mut self, buf: &mut [u8]) -> usize {
        let waiting = self.bytes.get(self.taken..).unwrap_or_default();
        let n = waiting.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), waiting.get(..n)) {
            to.copy_from_slice(from);
        }
        self.taken = self.taken.saturating_add(n);
        if !self.waits() {
            self.forget();
        }
        n
    }

    /// Drops what waits, and its memory.
    pub(super) fn forget(&mut self) {
        (self.bytes, self.taken) = (Vec::new(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_handed_out_once_and_in_order() {
        let mut inbox = EarlyInbox::new();
        inbox.push(b"abc");
        inbox.push(b"de");
        let mut buf = [0; 4];
        assert_eq!((inbox.copy_to(&mut buf), &buf), (4, b"abcd"));
        assert!(inbox.waits());
        assert_eq!((inbox.copy_to(&mut buf), buf[0]), (1, b'e'));
        assert!(!inbox.waits() && inbox.bytes.capacity() == 0);
        assert_eq!(inbox.copy_to(&mut buf), 0);
    }

    #[test]
    fn what_was_announced_is_not_ruled_out() {
        let mut inbox = EarlyInbox::new();
        assert!(!inbox.is_told());
        inbox.stage = Stage::Open;
        inbox.rule_out();
        assert!(!inbox.is_told());
        inbox.end();
        assert!(inbox.is_told());
    }
}
