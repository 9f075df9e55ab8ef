//! Received bytes: where they are read to, opened and handed out, all in one place.

use std::io::{Error, ErrorKind, Result};
use std::mem;
use std::ops::Range;
use std::task::Poll;
use std::vec::Vec;

use super::buffers::Buffers;
use super::pipe::Source;

/// The input of one connection. It holds a buffer only while there are bytes in it.
pub(super) struct Inbox {
    pool: Buffers,
    /// Empty, or a buffer of the pool.
    region: Vec<u8>,
    /// What was received and not processed.
    unread: Range<usize>,
    /// What was decrypted and not handed out; it lies before `unread`.
    plain: Range<usize>,
}

impl Inbox {
    pub(super) fn new(pool: Buffers) -> Self {
        Self { pool, region: Vec::new(), unread: 0..0, plain: 0..0 }
    }

    /// What was received and not processed.
    pub(super) fn unread(&mut self) -> &mut [u8] {
        self.region.get_mut(self.unread.clone()).unwrap_or_default()
    }

    /// The first `n` unread bytes are finished with.
    pub(super) fn processed(&mut self, n: usize) {
        self.unread.start = self.unread.start.saturating_add(n).min(self.unread.end);
        self.settle();
    }

    /// The bytes at `range` of what is unread were decrypted.
    pub(super) fn decrypted(&mut self, range: Range<usize>) {
        let at = self.unread.start;
        self.plain = at.saturating_add(range.start)..at.saturating_add(range.end);
    }

    /// Decrypted bytes that wait.
    pub(super) fn plain(&self) -> &[u8] {
        self.region.get(self.plain.clone()).unwrap_or_default()
    }

    /// The first `n` decrypted bytes were handed out.
    pub(super) fn consume(&mut self, n: usize) {
        self.plain.start = self.plain.start.saturating_add(n).min(self.plain.end);
        self.settle();
    }

    /// Copies decrypted bytes out.
    pub(super) fn copy_to(&mut self, buf: &mut [u8]) -> usize {
        let plain = self.plain();
        let n = plain.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), plain.get(..n)) {
            to.copy_from_slice(from);
        }
        self.consume(n);
        n
    }

    /// Reads more behind what is unread, at least `at_least` bytes of room; nothing decrypted may wait.
    pub(super) fn fill(&mut self, source: &mut impl Source, at_least: usize) -> Poll<Result<usize>> {
        if self.region.is_empty() {
            self.region = self.pool.take_region();
        }
        if self.unread.end.saturating_add(at_least) > self.region.len() {
            self.region.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        let room = self.region.get_mut(self.unread.end..).unwrap_or_default();
        if room.is_empty() {
            return Poll::Ready(Err(Error::new(ErrorKind::InvalidData, "a record exceeds the input buffer")));
        }
        let read = source.read(room).map_ok(|n| n.min(room.len()));
        if let Poll::Ready(Ok(n)) = read {
            self.unread.end = self.unread.end.saturating_add(n);
        }
        self.settle();
        read
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        (self.unread, self.plain) = (0..0, 0..0);
        self.settle();
    }

    /// Takes buffers from another pool from now on.
    pub(super) fn set_pool(&mut self, pool: Buffers) {
        self.clear();
        self.pool = pool;
    }

    /// Gives the buffer back when nothing is in it.
    pub(super) fn settle(&mut self) {
        if self.unread.is_empty() && self.plain.is_empty() {
            (self.unread, self.plain) = (0..0, 0..0);
            if !self.region.is_empty() {
                self.pool.give_region(mem::take(&mut self.region));
            }
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::pipe::Blocking;
    use super::*;

    #[test]
    fn the_buffer_is_held_only_while_there_are_bytes() {
        let pool = Buffers::new();
        let mut inbox = Inbox::new(pool.clone());
        assert!(matches!(inbox.fill(&mut Blocking(&mut &b"abcdef"[..]), 1), Poll::Ready(Ok(6))));
        assert_eq!((&*inbox.unread(), pool.lent()), (&b"abcdef"[..], 1));
        inbox.decrypted(1..3);
        inbox.processed(6);
        assert_eq!(inbox.plain(), b"bc");
        inbox.consume(1);
        assert_eq!(pool.lent(), 1);
        inbox.consume(1);
        assert_eq!(pool.lent(), 0);
    }

    #[test]
    fn what_is_unread_moves_to_the_front_only_to_make_room() {
        let mut inbox = Inbox::new(Buffers::new());
        let _ = inbox.fill(&mut Blocking(&mut &b"abcdef"[..]), 1);
        inbox.processed(4);
        let _ = inbox.fill(&mut Blocking(&mut &b"gh"[..]), super::super::buffers::REGION - 2);
        assert_eq!((inbox.unread.clone(), &*inbox.unread()), (0..4, &b"efgh"[..]));
    }
}
