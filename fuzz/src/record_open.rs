//! Whatever arrives where records are expected: nothing is read beyond a record, nothing is touched before it is whole, no
//! content is longer than agreed, and what our own sealer made opens.
//!
//! Input: orders, each a byte and what goes with it; see `Order`.

use symbolon::fuzzing::{Open, Opening};

use crate::Script;

/// What a record may hold at most.
const MAX_CONTENT: usize = 1 << 14;

pub fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let mut opener = Open::default();
    let mut inbox = Vec::new();
    let mut agreed = MAX_CONTENT + 1;
    let mut orders = 0;
    while !script.is_empty() && orders < 200 {
        orders += 1;
        match script.byte() % 9 {
            0 => inbox.extend_from_slice(script.block()),
            1 => inbox.extend(opener.sealed(script.block()).unwrap_or_default()),
            2 => changed(&mut script, &mut inbox, &mut opener),
            3 => opener.rekey(),
            4 => {
                let limit = script.u16();
                opener.limit(limit);
                agreed = usize::from(limit).clamp(64, MAX_CONTENT + 1);
            }
            5 => opener.skip_until_hello(script.u16().into()),
            6 => opener.skip_until_opened(script.u16().into()),
            7 => {
                let len = script.u16();
                inbox.extend(
                    opener.sealed(&vec![23; usize::from(len) % (MAX_CONTENT + 300)]).unwrap_or_default(),
                );
            }
            _ => {
                if !round_trip(&mut script, &mut opener, &inbox) {
                    return;
                }
            }
        }
        if !drain(&mut opener, &mut inbox, agreed) {
            return;
        }
    }
}

/// A record of the peer that was changed on its way.
fn changed(script: &mut Script<'_>, inbox: &mut Vec<u8>, opener: &mut Open) {
    let Some(mut record) = opener.sealed(script.block()) else { return };
    let at = script.place(record.len() - 1);
    record[at] ^= script.byte();
    inbox.extend(record);
}

/// What the sealer makes is what the opener finds. Whether the opener lives on.
fn round_trip(script: &mut Script<'_>, opener: &mut Open, inbox: &[u8]) -> bool {
    let kind = *script.pick(&[22, 23, 21]);
    let content = script.block();
    if content.is_empty() || !inbox.is_empty() {
        return true;
    }
    let mut record = opener.sealed_by_us(kind, content);
    match opener.open(&mut record) {
        Ok(Opening::Record(found, _, opened, consumed)) => {
            assert_eq!((found, &*opened, consumed), (kind, content, record.len()));
            true
        }
        // Without keys application data is out of place, and beyond its own limit a record is refused.
        Ok(Opening::Skipped(consumed)) => {
            assert_eq!(consumed, record.len());
            true
        }
        Ok(Opening::NeedInput(_)) => panic!("a whole record is enough"),
        Err(_) => false,
    }
}

/// Opens what there is. Whether the opener lives on.
fn drain(opener: &mut Open, inbox: &mut Vec<u8>, agreed: usize) -> bool {
    loop {
        let before = inbox.clone();
        match opener.open(inbox) {
            Err(_) => return false,
            Ok(Opening::NeedInput(at_least)) => {
                assert!(at_least > 0);
                assert_eq!(*inbox, before, "nothing is touched before it is whole");
                assert!(before.len() + at_least <= 5 + MAX_CONTENT + 256);
                return true;
            }
            Ok(Opening::Skipped(consumed)) => {
                assert!((5..=before.len()).contains(&consumed));
                inbox.drain(..consumed);
            }
            Ok(Opening::Record(kind, sealed, content, consumed)) => {
                assert!((5..=before.len()).contains(&consumed));
                assert_eq!(inbox[consumed..], before[consumed..], "nothing behind a record is touched");
                assert_eq!(inbox[5..5 + content.len()], content);
                assert!((20..=23).contains(&kind));
                assert!(content.len() <= if sealed { agreed - 1 } else { MAX_CONTENT });
                assert!(kind == 23 || !content.is_empty());
                inbox.drain(..consumed);
            }
        }
    }
}
