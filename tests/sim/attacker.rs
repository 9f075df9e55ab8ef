//! Records what clients send and sends it again: to any server, soon or late, whole or not, damaged or not.

use symbolon::Moment;

use crate::network::Dice;

/// What was recorded of one client, and when.
struct Recording {
    at: Moment,
    bytes: Vec<u8>,
}

#[derive(Default)]
pub struct Attacker {
    recordings: Vec<Recording>,
}

impl Attacker {
    /// Keeps what a client sent.
    pub fn record(&mut self, at: Moment, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.recordings.push(Recording { at, bytes: bytes.to_vec() });
        }
    }

    /// Something to send to a server, with the moment at which it was recorded.
    pub fn forge(&self, dice: &mut Dice) -> Option<(Moment, Vec<u8>)> {
        if self.recordings.is_empty() {
            return None;
        }
        let chosen = &self.recordings[dice.within(0..self.recordings.len())];
        let mut bytes = chosen.bytes.clone();
        match dice.within(0..8) {
            0 => bytes.truncate(dice.within(0..bytes.len() + 1)),
            1 => {
                let at = dice.within(0..bytes.len());
                bytes[at] ^= 1 << dice.within(0..8);
            }
            2 => {
                let other = &self.recordings[dice.within(0..self.recordings.len())].bytes;
                let (cut, from) = (dice.within(0..bytes.len() + 1), dice.within(0..other.len() + 1));
                bytes.truncate(cut);
                bytes.extend_from_slice(&other[from..]);
            }
            // As it was: the replay proper.
            _ => {}
        }
        Some((chosen.at, bytes))
    }
}
