//! Memory: of a handshake, of an idle connection, of a record. Prints tables; the budgets stand beside the figures.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::*;
use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::conn::{Client, SendBuf, Server, frame};

/// The most bytes that an idle connection may have, inline and on the heap, beside the AEAD keys and what is handed to
/// the caller.
const IDLE_BUDGET: usize = 1024;

fn main() {
    println!("each side of a full handshake, warm buffers (machine: symbolon and provider; answers apart):");
    for suite in SUITES {
        for group in GROUPS {
            report_handshake(suite, group, Key::P256);
        }
    }
    println!("idle connections, in bytes (budget: inline and heap without AEAD keys below {IDLE_BUDGET}):");
    for suite in SUITES {
        report_idle(suite);
    }
    println!("allocations per record, in steady state (budget 0):");
    for suite in SUITES {
        report_records(suite);
    }
}

fn report_handshake(suite: CipherSuite, group: NamedGroup, key: Key) {
    let setting = Setting::new(provider(), suite, group, key);
    let mut wire = Wire::new();
    drop(handshake(&setting, &mut wire, &mut Unmeasured, &mut Unmeasured));
    let (mut client, mut server) = (Ledger::default(), Ledger::default());
    let linked = handshake(&setting, &mut wire, &mut client, &mut server);
    for (side, ledger) in [("client", &client), ("server", &server)] {
        println!(
            "{suite:28} {group:14} {side}: {:3} allocations, {:2} in answers; peak {:6} bytes, afterwards {:5}",
            ledger.machine,
            ledger.answer,
            ledger.peak,
            ledger.live,
            suite = suite.to_string(),
            group = group.to_string(),
        );
    }
    drop(linked);
}

fn report_idle(suite: CipherSuite) {
    let aead = provider().suite(suite).unwrap().aead;
    let before = live();
    let keys = [0; 2].map(|_| aead.key(&vec![1; aead.key_len()]).unwrap());
    let of_keys = live() - before;
    drop(keys);
    // The configurations are shared by many connections.
    let setting = Setting::new(provider(), suite, NamedGroup::X25519, Key::Ed25519);
    let linked = handshake(&setting, &mut Wire::new(), &mut Unmeasured, &mut Unmeasured);
    let (client, server, _peers) = (linked.client, linked.server, [linked.at_client, linked.at_server]);
    let with_both = live();
    drop(client);
    let with_server = live();
    drop(server);
    for (side, inline, heap) in [
        ("client", size_of::<Client>(), with_both - with_server),
        ("server", size_of::<Server>(), with_server - live()),
    ] {
        let own = inline + heap - of_keys;
        println!(
            "{suite:28} {side}: inline {inline}, heap {heap}, of it AEAD keys {of_keys}: own {own}  {}",
            verdict(own < IDLE_BUDGET),
            suite = suite.to_string(),
        );
    }
}

fn report_records(suite: CipherSuite) {
    let (mut client, mut server) = open(&Setting::new(provider(), suite, NamedGroup::X25519, Key::Ed25519));
    let mut out = SendBuf::with_limit(1 << 16);
    let content = vec![7; frame::MAX_CONTENT];
    let mut whole = vec![7; frame::HEAD + content.len() + frame::TAIL];
    let mut counts = [0; 3];
    for _ in 0..10 {
        let start = allocations();
        client.write(&[&content], &mut out).unwrap();
        let written = allocations();
        whole.copy_from_slice(out.pending());
        out.advance(usize::MAX);
        let received = allocations();
        server.process(&mut whole, &mut out).unwrap();
        let processed = allocations();
        client.seal_frame(&mut whole, content.len(), &mut out).unwrap();
        let framed = allocations();
        server.process(&mut whole, &mut out).unwrap();
        // Only the last, warm round counts.
        counts = [written - start, processed - received, framed - processed];
    }
    let [write, process, seal_frame] = counts;
    let met = verdict(counts == [0; 3]);
    println!(
        "{suite:28} write {write}, process {process}, seal_frame {seal_frame}  {met}",
        suite = suite.to_string()
    );
}

/// What one side's calls do to the heap.
#[derive(Default)]
struct Ledger {
    machine: usize,
    answer: usize,
    live: isize,
    peak: isize,
}

impl Probe for Ledger {
    fn call<T>(&mut self, work: Work, call: impl FnOnce() -> T) -> T {
        let (count, start) = (allocations(), live());
        PEAK.with(|peak| peak.set(start));
        let result = call();
        let made = allocations() - count;
        match work {
            Work::Machine => self.machine += made,
            Work::Answer => self.answer += made,
        }
        self.peak = self.peak.max(self.live + (PEAK.with(Cell::get) as isize - start as isize));
        self.live += live() as isize - start as isize;
        result
    }
}

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn allocations() -> usize {
    COUNT.with(Cell::get)
}

fn live() -> usize {
    LIVE.with(Cell::get)
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it came; the counters themselves do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        LIVE.with(|live| live.set(live.get().wrapping_add(layout.size())));
        PEAK.with(|peak| peak.set(peak.get().max(live())));
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.with(|live| live.set(live.get().wrapping_sub(layout.size())));
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
