//! However handshake bytes are cut into records, the messages that come out are those that went in, no longer one than its
//! kind may be is waited for, and keys may change only where nothing waits.
//!
//! Input: a byte of flags, the cap on a Certificate in units of 256 bytes, then fragments, each behind its length.

use symbolon::fuzzing::Join;

use crate::Script;

/// The handshake is over.
const ESTABLISHED: u8 = 1;

/// After each fragment at most one message is taken.
const LATE: u8 = 2;

/// The longest message of any kind but Certificate, and a header.
const LONGEST: usize = 66_560 + 4;

pub fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let (flags, cap) = (script.byte(), usize::from(script.byte()) << 8);
    let mut joiner = Join::new(cap);
    if flags & ESTABLISHED != 0 {
        joiner.after_handshake();
    }
    let (mut sent, mut at) = (Vec::new(), 0);
    while !script.is_empty() {
        let fragment = script.block();
        sent.extend_from_slice(fragment);
        if joiner.push(fragment).is_err() {
            return;
        }
        loop {
            match joiner.take() {
                Err(_) => return,
                Ok(None) => break,
                Ok(Some(message)) => {
                    assert_eq!(sent[at..at + message.raw.len()], message.raw);
                    at += message.raw.len();
                    let len = u32::from_be_bytes([0, message.raw[1], message.raw[2], message.raw[3]]);
                    assert_eq!(message.raw.len(), 4 + len as usize);
                    assert_eq!(message.boundary, at == sent.len());
                }
            }
            if flags & LATE != 0 {
                break;
            }
        }
        assert_eq!(joiner.is_empty(), at == sent.len());
        if flags & LATE == 0 {
            assert!(sent.len() - at < LONGEST.max(cap + 4), "more waits than any message may have");
        }
    }
}
