//! The caller's output buffer.

use alloc::vec::Vec;

/// Bytes on their way to the peer; the caller owns it and may pool it.
///
/// Its memory is initialised once, on growth, and is moved only to make room behind what was already sent. It grows
/// to at most twice what waits in it, and one record.
pub struct SendBuf {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    limit: usize,
}

impl Default for SendBuf {
    /// A buffer with a limit of 64 KiB.
    fn default() -> Self {
        Self::with_limit(64 << 10)
    }
}

impl SendBuf {
    /// An empty buffer that lets [`write`](crate::conn::Client::write) fill about `limit` bytes.
    ///
    /// Handshake messages and alerts, whose size is bounded by the protocol, may exceed the limit.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, end: 0, limit }
    }

    /// What is to be written to the transport, in order.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or(&[])
    }

    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Forgets the first `n` pending bytes, which were written; more than all is all.
    pub fn advance(&mut self, n: usize) {
        self.start = self.start.saturating_add(n).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// How many bytes fit below the limit.
    #[must_use]
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.end.saturating_sub(self.start))
    }

    /// Gives the memory back to the allocator when nothing is pending.
    pub fn shrink(&mut self) {
        if self.is_empty() {
            self.bytes = Vec::new();
        }
    }

    /// Appends `n` bytes, to be overwritten by the caller.
    pub(crate) fn claim(&mut self, n: usize) -> &mut [u8] {
        let mut from = self.end;
        let mut to = from.saturating_add(n);
        let waiting = self.end.saturating_sub(self.start);
        // Moved only once as much was sent as still waits: the moves then cost no more than one copy of what is sent,
        // however full the buffer stays.
        if to > self.bytes.len() && self.start >= waiting {
            self.bytes.copy_within(self.start..self.end, 0);
            from = waiting;
            to = from.saturating_add(n);
            self.start = 0;
        }
        if to > self.bytes.len() {
            self.bytes.resize(to, 0);
        }
        self.end = to;
        self.bytes.get_mut(from..to).unwrap_or_default()
    }

    /// Takes the last `n` bytes back.
    pub(crate) fn unclaim(&mut self, n: usize) {
        self.end = self.end.saturating_sub(n).max(self.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_in_order_however_they_are_drained() {
        let mut out = SendBuf::with_limit(8);
        out.claim(4).copy_from_slice(b"abcd");
        out.advance(3);
        out.claim(4).copy_from_slice(b"efgh");
        assert_eq!(out.pending(), b"defgh");
        assert_eq!(out.room(), 3);
        out.advance(99);
        assert!(out.is_empty());
        assert_eq!(out.room(), 8);
    }

    #[test]
    fn memory_is_given_back_only_when_nothing_waits() {
        let mut out = SendBuf::with_limit(8);
        out.claim(4).fill(1);
        out.shrink();
        assert_eq!(out.pending(), [1; 4]);
        out.advance(4);
        out.shrink();
        assert_eq!(out.bytes.capacity(), 0);
    }

    #[test]
    fn a_buffer_that_is_never_quite_empty_does_not_grow() {
        let mut out = SendBuf::with_limit(64);
        out.claim(16).fill(0);
        for round in 0..1000_u32 {
            out.claim(16).fill(1);
            out.advance(16);
            assert_eq!(out.pending().len(), 16, "{round}");
        }
        assert!(out.bytes.len() <= 64);
    }

    #[test]
    fn a_buffer_that_stays_full_moves_seldom_and_grows_to_twice_what_waits() {
        let mut out = SendBuf::with_limit(64);
        out.claim(48).fill(0);
        let mut moves = 0;
        for round in 0..100_u8 {
            let start = out.start;
            out.claim(16).fill(round);
            moves += usize::from(out.start < start);
            out.advance(16);
            assert_eq!(out.pending().last(), Some(&round));
        }
        assert!(moves <= 100 / 3, "{moves}");
        assert!(out.bytes.len() <= 2 * 64 + 16);
    }

    #[test]
    fn unclaimed_bytes_are_not_sent() {
        let mut out = SendBuf::with_limit(8);
        out.claim(4).copy_from_slice(b"abcd");
        out.unclaim(2);
        assert_eq!(out.pending(), b"ab");
    }
}
