//! Transports for the adapters' tests: two ends in memory, each as fussy as a test wants.
#![allow(dead_code)] // no test uses everything

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use symbolon::policy::Answerer;
use symbolon::question::{Answer, Question};

use crate::support::Answers;

/// Answers on the spot as an honest endpoint would.
pub struct Honest(pub Answers);

impl Answerer for Honest {
    fn answer(&self, question: Question) -> Answer {
        self.0.clone().answer(question)
    }
}

pub fn honest() -> Arc<dyn Answerer> {
    Arc::new(Honest(Answers::default()))
}

/// How an end behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Takes and gives whatever there is.
    Calm,
    /// At most so many bytes a call.
    Short(usize),
    /// Every other call says this, and the others take and give at most so many bytes.
    EveryOther(ErrorKind, usize),
    /// Nothing moves.
    Stopped,
}

/// Bytes one way.
#[derive(Default)]
pub struct Lane {
    pub bytes: VecDeque<u8>,
    pub closed: bool,
}

/// One end of a transport in memory; where nothing waits it says `WouldBlock`.
pub struct End {
    pub incoming: Arc<Mutex<Lane>>,
    pub outgoing: Arc<Mutex<Lane>>,
    mood: Mood,
    /// Reads and writes so far, apart: each has its own every other call.
    calls: [usize; 2],
}

pub fn lane(lane: &Arc<Mutex<Lane>>) -> MutexGuard<'_, Lane> {
    lane.lock().unwrap()
}

/// Two ends of one transport.
pub fn ends(mood: Mood) -> (End, End) {
    let (up, down) = (Arc::<Mutex<Lane>>::default(), Arc::<Mutex<Lane>>::default());
    let one = End { incoming: down.clone(), outgoing: up.clone(), mood, calls: [0; 2] };
    (one, End { incoming: up, outgoing: down, mood, calls: [0; 2] })
}

impl End {
    /// How many bytes this call may move.
    fn allowance(&mut self, way: usize) -> Result<usize> {
        self.calls[way] += 1;
        match self.mood {
            Mood::Calm => Ok(usize::MAX),
            Mood::Short(most) => Ok(most),
            Mood::EveryOther(kind, _) if self.calls[way] % 2 == 1 => Err(Error::from(kind)),
            Mood::EveryOther(_, most) => Ok(most),
            Mood::Stopped => Err(ErrorKind::WouldBlock.into()),
        }
    }

    /// Takes and gives nothing from now on.
    pub fn stop(&mut self) {
        self.mood = Mood::Stopped;
    }

    /// The peer of this end reads an end of file from now on.
    pub fn hang_up(&self) {
        lane(&self.outgoing).closed = true;
    }

    /// Another handle to the same end.
    pub fn again(&self) -> Self {
        Self {
            incoming: self.incoming.clone(),
            outgoing: self.outgoing.clone(),
            mood: self.mood,
            calls: [0; 2],
        }
    }
}

impl Read for End {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let most = self.allowance(0)?.min(buf.len());
        let mut lane = lane(&self.incoming);
        if lane.bytes.is_empty() {
            return if lane.closed { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        lane.bytes.read(&mut buf[..most])
    }
}

impl Write for End {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        let n = self.allowance(1)?.min(buf.len());
        lane(&self.outgoing).bytes.extend(&buf[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The lengths of the records in `bytes`, headers not counted.
pub fn records(bytes: &[u8]) -> Vec<usize> {
    let mut rest = bytes;
    let mut lengths = Vec::new();
    while let [_, _, _, high, low, body @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        lengths.push(len);
        rest = &body[len..];
    }
    lengths
}

/// `len` bytes that differ from their neighbours.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

/// Whether a call is only to be repeated.
pub fn waits(error: &Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

/// Calls `one` and `other` in turn until both are done.
pub fn alternate<A, B>(mut one: impl FnMut() -> Result<A>, mut other: impl FnMut() -> Result<B>) -> (A, B) {
    let (mut a, mut b) = (None, None);
    for _ in 0..1_000_000 {
        if a.is_none() {
            match one() {
                Ok(done) => a = Some(done),
                Err(error) => assert!(waits(&error), "{error}"),
            }
        }
        if b.is_none() {
            match other() {
                Ok(done) => b = Some(done),
                Err(error) => assert!(waits(&error), "{error}"),
            }
        }
        if a.is_some() && b.is_some() {
            break;
        }
    }
    (a.unwrap(), b.unwrap())
}
