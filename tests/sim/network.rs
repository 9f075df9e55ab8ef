//! What a network does to bytes that keep their order: it delays and splits them, and may cut, damage or add to them.

use super::dice::Dice;

/// What happens once on a wire, at a byte that passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strike {
    /// Bits of the byte are flipped.
    Flip { bits: u8 },
    /// The connection is cut, both ways.
    Cut,
    /// Something is put in before the record that the byte is in.
    Inject(Vec<u8>),
    /// The record that the byte is in comes twice.
    Repeat,
    /// It does not come at all.
    Omit,
}

impl Strike {
    pub fn draw(dice: &mut Dice) -> Self {
        match dice.within(0..5) {
            0 => Self::Flip { bits: 1 << dice.within(0..8) },
            1 => Self::Cut,
            2 => Self::Repeat,
            3 => Self::Omit,
            _ => Self::Inject(injection(dice)),
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Flip { .. } => "bits flipped",
            Self::Cut => "connection cut",
            Self::Inject(_) => "bytes injected",
            Self::Repeat => "a record repeated",
            Self::Omit => "a record left out",
        }
    }
}

/// What somebody without keys can make up.
fn injection(dice: &mut Dice) -> Vec<u8> {
    let len = dice.within(1..80);
    let noise: Vec<u8> = (0..len).map(|_| (dice.roll() % 200) as u8).collect();
    let record = |kind: u8, content: &[u8]| {
        [&[kind, 3, 3][..], &(content.len() as u16).to_be_bytes(), content].concat()
    };
    match dice.within(0..8) {
        0 => record(20, &[1]),
        1 => record(21, &[1, 0]),
        2 => record(21, &[2, 40]),
        3 => record(22, &noise),
        4 => record(23, &noise),
        5 => record(23, &[]),
        6 => [20, 3, 3, 0, 1, 1].repeat(40),
        _ => noise,
    }
}

/// A one-way wire.
#[derive(Default)]
pub struct Wire {
    pub under_way: Vec<u8>,
    /// Everything that was ever put in.
    pub recorded: Vec<u8>,
    /// How many bytes came out.
    carried: usize,
    /// Behind so many bytes, this happens.
    pub strike: Option<(usize, Strike)>,
}

impl Wire {
    pub fn put(&mut self, bytes: &[u8]) {
        self.under_way.extend_from_slice(bytes);
        self.recorded.extend_from_slice(bytes);
    }

    /// `most` of what is under way at most, and what happened to it.
    pub fn carry(&mut self, most: usize) -> (Vec<u8>, Option<Strike>) {
        if let Some((at, Strike::Repeat | Strike::Omit | Strike::Inject(_))) = &self.strike {
            return self.carry_records(*at);
        }
        let len = most.min(self.under_way.len());
        let before = self.carried;
        let mut bytes = self.take(len);
        let struck = self.strike.take_if(|(at, _)| (before..before + len).contains(at));
        let Some((at, strike)) = struck else { return (bytes, None) };
        let at = at - before;
        match &strike {
            Strike::Flip { bits } => bytes[at] ^= bits,
            Strike::Cut => {
                bytes.truncate(at);
                self.under_way.clear();
            }
            Strike::Repeat | Strike::Omit | Strike::Inject(_) => {}
        }
        (bytes, Some(strike))
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        self.carried += len;
        self.under_way.drain(..len).collect()
    }

    /// The same in whole records, until the byte number `at` is in one.
    fn carry_records(&mut self, at: usize) -> (Vec<u8>, Option<Strike>) {
        let waiting = &self.under_way[..];
        let header = waiting.first_chunk::<5>();
        let len = header.map(|header| 5 + usize::from(u16::from_be_bytes([header[3], header[4]])));
        let Some(len) = len.filter(|len| *len <= waiting.len()) else { return (Vec::new(), None) };
        let record = self.take(len);
        if self.carried <= at {
            return (record, None);
        }
        let strike = self.strike.take().map(|(_, strike)| strike);
        match &strike {
            Some(Strike::Repeat) => ([&record[..], &record].concat(), strike),
            Some(Strike::Inject(more)) => ([more, &record[..]].concat(), strike),
            _ => (Vec::new(), strike),
        }
    }
}
