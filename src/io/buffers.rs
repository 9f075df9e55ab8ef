//! A pool of buffers, so that idle streams hold none.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::vec;
use std::vec::Vec;

use crate::conn::SendBuf;

/// The length of a read buffer in bytes: a full record (5 + 16,384 + 256) and some of the next one.
pub(super) const REGION: usize = 18 << 10;

/// How much application data may wait in an output buffer, in bytes.
pub(super) const SEND_LIMIT: usize = 64 << 10;

/// How many idle buffers of each kind a pool keeps unless told otherwise.
const KEEP: usize = 64;

/// A pool of input and output buffers that streams share. Cloning gives another handle to the same pool.
///
/// A stream takes a buffer when bytes pass through it, and gives it back when nothing is left in it. Nobody ever
/// waits for the pool: where another thread is just using it, a buffer is allocated or freed instead. An input
/// buffer has 18 KiB; an output buffer grows to about 64 KiB.
#[derive(Clone)]
pub struct Buffers {
    shared: Arc<Shared>,
}

struct Shared {
    keep: usize,
    regions: Mutex<Vec<Vec<u8>>>,
    sends: Mutex<Vec<SendBuf>>,
    lent: AtomicUsize,
}

impl Buffers {
    /// A pool that keeps up to 64 idle buffers of each kind.
    #[must_use]
    pub fn new() -> Self {
        Self::keeping(KEEP)
    }

    /// A pool that keeps up to `count` idle buffers of each kind.
    #[must_use]
    pub fn keeping(count: usize) -> Self {
        let (regions, sends) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        Self { shared: Arc::new(Shared { keep: count, regions, sends, lent: AtomicUsize::new(0) }) }
    }

    /// How many buffers streams hold at the moment, input and output together.
    #[must_use]
    pub fn lent(&self) -> usize {
        self.shared.lent.load(Ordering::Relaxed)
    }

    /// How many idle buffers the pool holds at the moment, input and output together.
    #[must_use]
    pub fn idle(&self) -> usize {
        let regions = self.shared.regions.lock().map_or(0, |idle| idle.len());
        let sends = self.shared.sends.lock().map_or(0, |idle| idle.len());
        regions.saturating_add(sends)
    }

    /// An input buffer of [`REGION`] bytes.
    pub(super) fn take_region(&self) -> Vec<u8> {
        self.take(&self.shared.regions).unwrap_or_else(|| vec![0; REGION])
    }

    /// An empty output buffer.
    pub(super) fn take_send(&self) -> SendBuf {
        self.take(&self.shared.sends).unwrap_or_else(|| SendBuf::with_limit(SEND_LIMIT))
    }

    pub(super) fn give_region(&self, region: Vec<u8>) {
        self.give(&self.shared.regions, region);
    }

    pub(super) fn give_send(&self, send: SendBuf) {
        self.give(&self.shared.sends, send);
    }

    fn take<T>(&self, idle: &Mutex<Vec<T>>) -> Option<T> {
        self.shared.lent.fetch_add(1, Ordering::Relaxed);
        idle.try_lock().ok()?.pop()
    }

    fn give<T>(&self, idle: &Mutex<Vec<T>>, buffer: T) {
        self.shared.lent.fetch_sub(1, Ordering::Relaxed);
        if let Ok(mut idle) = idle.try_lock()
            && idle.len() < self.shared.keep
        {
            idle.push(buffer);
        }
    }
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").field("lent", &self.lent()).field("idle", &self.idle()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_and_are_lent_again() {
        let pool = Buffers::keeping(1);
        let (one, two) = (pool.take_region(), pool.take_region());
        assert_eq!((one.len(), pool.lent(), pool.idle()), (REGION, 2, 0));
        pool.give_region(one);
        pool.give_region(two);
        assert_eq!((pool.lent(), pool.idle()), (0, 1));
        pool.take_region();
        assert_eq!((pool.lent(), pool.idle()), (1, 0));
    }
}
