//! Whatever a message holds, it is refused with an alert, or written again as it was read, or otherwise for a reason that
//! is known.
//!
//! Input: the message's kind, a byte of flags, and its body.

use symbolon::fuzzing::{Offers, round_trip};

use crate::Script;

/// The message answers an endpoint that offered nothing.
const TO_NOTHING: u8 = 1;

/// A Finished is one of SHA-384.
const SHA384: u8 = 2;

pub fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let (kind, flags) = (script.byte(), script.byte());
    let offers = if flags & TO_NOTHING == 0 { Offers::Everything } else { Offers::Nothing };
    let hash_len = if flags & SHA384 == 0 { 32 } else { 48 };
    // What matters is asserted there.
    let _ = round_trip(kind, offers, hash_len, script.rest());
}
