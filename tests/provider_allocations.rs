//! What the default provider allocates: nothing per record, per digest and per expansion.
#![cfg(feature = "rustcrypto")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use symbolon::crypto::rustcrypto::provider;
use symbolon::crypto::{Expansion, Nonce, TAG_LEN};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it came; the counter itself does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.with(Cell::get);
    let result = work();
    (COUNT.with(Cell::get) - before, result)
}

#[test]
fn hashing_allocates_its_context_alone() {
    for suite in provider().suites {
        let (count, mut context) = allocations(|| suite.hash.start());
        assert_eq!(count, 1);
        let (count, ()) = allocations(|| {
            context.update(b"bytes");
            black_box(context.digest());
            black_box(context.digest_with(b"more"));
            black_box(suite.hash.hash(&[b"a", b"b"]));
        });
        assert_eq!(count, 0);
    }
}

#[test]
fn keyed_hashing_allocates_the_prepared_key_alone() {
    for suite in provider().suites {
        let (count, key) = allocations(|| suite.hash.hmac_key(b"key"));
        assert_eq!(count, 1);
        let mut out = [0; 100];
        let (count, ()) = allocations(|| {
            key.sign(&[b"a", b"b"], &mut out).unwrap();
            suite.hash.hmac(b"key", &[b"a"], &mut out).unwrap();
            suite.hash.expand(b"prk", &mut [Expansion { info: b"info", out: &mut out }]).unwrap();
        });
        assert_eq!(count, 0);
    }
}

#[test]
fn records_allocate_nothing() {
    for suite in provider().suites {
        let (count, key) = allocations(|| suite.aead.key(&[1; 32][..suite.aead.key_len()]).unwrap());
        assert_eq!(count, 1);
        let nonce = Nonce([0; 12]);
        let mut out = vec![0; 1000 + TAG_LEN];
        let (count, opened) = allocations(|| {
            key.seal_parts(&nonce, b"", &[&[7; 999], &[23]], &mut out).unwrap();
            key.open_in_place(&nonce, b"", &mut out)
        });
        assert_eq!((count, opened), (0, Ok(1000)));
    }
}
