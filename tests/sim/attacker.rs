//! Records what clients and servers send and sends it again: soon or late, whole or not, damaged or not.

use symbolon::Moment;

use super::dice::Dice;

/// What was recorded of one side, and when.
struct Recording {
    at: Moment,
    bytes: Vec<u8>,
}

#[derive(Default)]
pub struct Attacker {
    /// What clients sent.
    up: Vec<Recording>,
    /// What servers sent.
    down: Vec<Recording>,
}

impl Attacker {
    /// Keeps what a client and a server sent.
    pub fn record(&mut self, at: Moment, up: &[u8], down: &[u8]) {
        for (list, bytes) in [(&mut self.up, up), (&mut self.down, down)] {
            if !bytes.is_empty() {
                list.push(Recording { at, bytes: bytes.to_vec() });
            }
        }
    }

    /// Something to send to a server, with the moment at which it was recorded.
    pub fn to_server(&self, dice: &mut Dice) -> Option<(Moment, Vec<u8>)> {
        forge(&self.up, dice)
    }

    /// The same for a client.
    pub fn to_client(&self, dice: &mut Dice) -> Option<(Moment, Vec<u8>)> {
        forge(&self.down, dice)
    }
}

fn forge(recordings: &[Recording], dice: &mut Dice) -> Option<(Moment, Vec<u8>)> {
    if recordings.is_empty() {
        return None;
    }
    let chosen = dice.one_of(recordings);
    let mut bytes = chosen.bytes.clone();
    match dice.within(0..8) {
        0 => bytes.truncate(dice.within(0..bytes.len() + 1)),
        1 => {
            let at = dice.within(0..bytes.len());
            bytes[at] ^= 1 << dice.within(0..8);
        }
        2 => {
            let other = &dice.one_of(recordings).bytes;
            let (cut, from) = (dice.within(0..bytes.len() + 1), dice.within(0..other.len() + 1));
            bytes.truncate(cut);
            bytes.extend_from_slice(&other[from..]);
        }
        3 => {
            // A second ClientHello without its first one, for example.
            for _ in 0..dice.within(1..4) {
                bytes = behind_first_record(&bytes).to_vec();
            }
        }
        // As it was: the replay proper.
        _ => {}
    }
    Some((chosen.at, bytes))
}

fn behind_first_record(bytes: &[u8]) -> &[u8] {
    let Some(header) = bytes.first_chunk::<5>() else { return &[] };
    let len = 5 + usize::from(u16::from_be_bytes([header[3], header[4]]));
    bytes.get(len..).unwrap_or_default()
}
