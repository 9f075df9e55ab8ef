//! The allocator of the simulation: it counts what a thread holds, and searches what is given back for secrets.
//!
//! Secrets of the toy provider begin with eight bytes of [`MARK`]; nothing else here holds so many in a row.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The byte that secrets begin with.
pub const MARK: u8 = 0xD7;

const WORD: u32 = u32::from_ne_bytes([MARK; 4]);

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static SEARCHING: Cell<bool> = const { Cell::new(false) };
    static FOUND: Cell<usize> = const { Cell::new(0) };
}

struct Watching;

// SAFETY: every call goes to the system's allocator as it came; what is done beside it does not allocate. A block is
// read before it is given back, and was initialised when it was allocated.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.get().wrapping_add_unsigned(layout.size());
        HELD.set(held);
        PEAK.set(PEAK.get().max(held));
        // SAFETY: as above. Zeroed, so that every byte of a block may be read.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub_unsigned(layout.size()));
        if SEARCHING.get() {
            // SAFETY: the block is still ours, and all of it is initialised.
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            if std::hint::black_box(holds_a_secret(bytes)) {
                FOUND.set(FOUND.get() + 1);
            }
        }
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// Eight bytes of the mark cover an aligned word, wherever they begin; what surrounds it decides.
fn holds_a_secret(bytes: &[u8]) -> bool {
    // SAFETY: every pattern of four bytes is a number.
    let (before, words, _) = unsafe { bytes.align_to::<u32>() };
    let mut at = before.len();
    for word in words {
        if *word == WORD {
            let back = bytes[..at].iter().rev().take_while(|byte| **byte == MARK).count();
            let ahead = bytes[at..].iter().take_while(|byte| **byte == MARK).count();
            if back + ahead >= 8 {
                return true;
            }
        }
        at += 4;
    }
    false
}

/// How much more than before this thread held at most while `work` was done, in bytes.
pub fn peak<T>(work: impl FnOnce() -> T) -> (T, isize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (result, PEAK.get() - before)
}

/// What `value` holds, in bytes, itself not counted.
pub fn weight<T>(value: T) -> isize {
    let before = HELD.get();
    drop(value);
    before - HELD.get()
}

/// How many blocks with a secret `work` gives back.
pub fn left_behind<T>(work: impl FnOnce() -> T) -> (T, usize) {
    FOUND.set(0);
    SEARCHING.set(true);
    let result = work();
    SEARCHING.set(false);
    (result, FOUND.get())
}
