//! The keys of a ring as data: made in one place, pushed into the rings of a fleet.
//!
//! Draws randomness for new keys from who is handed in; knows no clock.

use alloc::vec::Vec;
use core::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::key::{Algorithms, Generation, Key, KeyName, KeySecret, MAX_KEYS, SECRET_LEN, Schedule};
use crate::crypto::{NONCE_LEN, Nonce, Provider, Rng, TAG_LEN};
use crate::error::{Failed, Fault};
use crate::moment::Moment;
use crate::wire::{Reader, Writer};

/// The version of the encoding below.
const VERSION: u8 = 1;

/// What a sealed state is bound to.
const AAD: &[u8] = b"symbolon ring state 1";

/// Version, sequence number and count; name, two moments, a mark and the secret of each key.
const MOST_ENCODED: usize = 10 + MAX_KEYS * (16 + 8 + 8 + 1 + SECRET_LEN);

/// The keys of a ring: whoever has it can open the tickets that they sealed.
///
/// One process makes it and keeps it current with [`RingState::advance`]; all others get it pushed
/// ([`TicketRing::push`](super::TicketRing::push)).
#[derive(Default)]
pub struct RingState {
    pub(super) sequence: u64,
    pub(super) keys: Vec<Key>,
}

impl RingState {
    /// Without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts the changes: a ring ignores a state whose number is not above that of the one it has.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Its keys, without their secrets.
    #[must_use]
    pub fn generations(&self) -> Vec<Generation> {
        self.keys.iter().map(Key::generation).collect()
    }

    /// Drops the keys that have ended at `now`, sees to it that one is active, and prepares the next one, at most a period
    /// ahead: push it well before that. Tells whether anything has changed.
    ///
    /// # Errors
    ///
    /// [`Failed`] when there is no randomness; what was done until then stays.
    pub fn advance(&mut self, rng: &dyn Rng, schedule: &Schedule, now: Moment) -> Result<bool, Failed> {
        let changed = self.rotate(rng, schedule, now, now)?;
        if changed {
            self.sequence = self.sequence.saturating_add(1);
        }
        Ok(changed)
    }

    /// Refuses the tickets of a key from now on, and erases its secret. Tells whether there was such a key.
    pub fn revoke(&mut self, name: KeyName) -> bool {
        self.revoke_all(|key| key.name == name)
    }

    /// Does so with all keys that became active before `moment`.
    pub fn revoke_before(&mut self, moment: Moment) -> bool {
        self.revoke_all(|key| key.from < moment)
    }

    fn revoke_all(&mut self, which: impl Fn(&Key) -> bool) -> bool {
        let mut found = false;
        for key in self.keys.iter_mut().filter(|key| key.secret.is_some() && which(key)) {
            key.secret = None;
            found = true;
        }
        if found {
            self.sequence = self.sequence.saturating_add(1);
        }
        found
    }

    /// [`RingState::advance`] without counting, where what has ended at `erase` is dropped.
    pub(super) fn rotate(
        &mut self,
        rng: &dyn Rng,
        schedule: &Schedule,
        now: Moment,
        erase: Moment,
    ) -> Result<bool, Failed> {
        let before = self.keys.len();
        self.keys.retain(|key| key.end > erase);
        let mut changed = self.keys.len() != before;
        let good = |key: &&Key| key.secret.is_some();
        let active = |key: &&Key| key.from <= now && now < key.from.plus(schedule.active());
        let from = self.keys.iter().filter(good).filter(active).map(|key| key.from).max();
        if from.is_none() {
            self.add(rng, schedule, now, now)?;
            changed = true;
        }
        let due = from.unwrap_or(now).plus(schedule.active());
        let next = |key: &Key| key.from > now && key.from <= due;
        if !self.keys.iter().filter(good).any(next) {
            self.add(rng, schedule, due, now)?;
            changed = true;
        }
        Ok(changed)
    }

    fn add(&mut self, rng: &dyn Rng, schedule: &Schedule, from: Moment, now: Moment) -> Result<(), Failed> {
        if self.keys.len() >= MAX_KEYS {
            // Left over from a clock that was ahead, or else the oldest.
            let latest = self.keys.iter().enumerate().max_by_key(|(_, key)| key.from);
            let ahead = latest.filter(|(_, key)| key.from > now.plus(schedule.active()));
            let oldest = || self.keys.iter().enumerate().min_by_key(|(_, key)| key.end);
            if let Some(at) = ahead.or_else(oldest).map(|(at, _)| at) {
                self.keys.swap_remove(at);
            }
        }
        let mut name = KeyName([0; 16]);
        rng.fill(&mut name.0)?;
        let mut secret = KeySecret::zeroed(SECRET_LEN);
        rng.fill(secret.expose_mut())?;
        self.keys.push(Key { name, from, end: from.plus(schedule.life()), secret: Some(secret) });
        Ok(())
    }

    pub(super) fn copy(&self) -> Self {
        Self { sequence: self.sequence, keys: self.keys.iter().map(Key::copy).collect() }
    }

    /// Its encoding, wiped when dropped: as secret as the keys.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Growing would leave copies of the keys behind.
        let mut out = Zeroizing::new(Vec::with_capacity(MOST_ENCODED));
        let mut w = Writer::new(&mut out);
        w.u8(VERSION);
        w.bytes(&self.sequence.to_be_bytes());
        // There are never more keys than that.
        w.u8(u8::try_from(self.keys.len()).unwrap_or(u8::MAX));
        for key in &self.keys {
            w.bytes(&key.name.0);
            w.bytes(&key.from.as_millis().to_be_bytes());
            w.bytes(&key.end.as_millis().to_be_bytes());
            w.u8(u8::from(key.secret.is_some()));
            w.bytes(key.secret.as_ref().map_or(&[0; SECRET_LEN], KeySecret::expose));
        }
        out
    }

    /// Reads an encoding back; `None` for anything else.
    #[must_use]
    pub fn decode(encoded: &[u8]) -> Option<Self> {
        read(&mut Reader::new(encoded)).ok()
    }

    /// Seals it under a key that the servers share, to be sent through or kept by those who must not open tickets.
    ///
    /// # Errors
    ///
    /// [`Failed`] when the provider has no randomness or no cipher suite.
    pub fn seal(&self, provider: &Provider, key: &[u8; 32]) -> Result<Vec<u8>, Failed> {
        let key = Algorithms::of(provider)?.key(key, b"state key")?;
        let encoded = self.encode();
        let mut nonce = Nonce([0; NONCE_LEN]);
        provider.rng.fill(&mut nonce.0)?;
        let room = NONCE_LEN.saturating_add(encoded.len()).saturating_add(TAG_LEN);
        let mut out = Vec::with_capacity(room);
        out.extend_from_slice(&nonce.0);
        out.resize(room, 0);
        let body = out.get_mut(NONCE_LEN..).ok_or(Failed::Provider)?;
        let sealed = key.seal_parts(&nonce, AAD, &[&encoded], body);
        if sealed.is_err() {
            out.zeroize();
        }
        sealed.map(|()| out)
    }

    /// Opens what [`RingState::seal`] made with a provider that has the same strongest suite; `None` for anything else.
    #[must_use]
    pub fn open(provider: &Provider, key: &[u8; 32], sealed: &[u8]) -> Option<Self> {
        let (nonce, rest) = sealed.split_first_chunk()?;
        if rest.len() > MOST_ENCODED.saturating_add(TAG_LEN) {
            return None;
        }
        let key = Algorithms::of(provider).ok()?.key(key, b"state key").ok()?;
        let mut body = Zeroizing::new(rest.to_vec());
        let len = key.open_in_place(&Nonce(*nonce), AAD, &mut body).ok()?;
        Self::decode(body.get(..len)?)
    }
}

/// Every refusal of an encoding; nobody hears of it.
const DAMAGED: Fault = Fault::decode_error("not the encoding of a ring's state");

fn read(r: &mut Reader<'_>) -> Result<RingState, Fault> {
    if r.u8()? != VERSION {
        return Err(DAMAGED);
    }
    let sequence = u64::from_be_bytes(*r.array()?);
    let count = usize::from(r.u8()?);
    if count > MAX_KEYS {
        return Err(DAMAGED);
    }
    let mut state = RingState { sequence, keys: Vec::with_capacity(count) };
    for _ in 0..count {
        let name = KeyName(*r.array()?);
        let mut moment = || r.array().map(|bytes| Moment::from_millis(u64::from_be_bytes(*bytes)));
        let (from, end) = (moment()?, moment()?);
        let mark = r.u8()?;
        let secret = KeySecret::copy_of(r.take(SECRET_LEN)?).ok_or(DAMAGED)?;
        let secret = match mark {
            0 => None,
            1 => Some(secret),
            _ => return Err(DAMAGED),
        };
        if from >= end || state.keys.iter().any(|key| key.name == name) {
            return Err(DAMAGED);
        }
        state.keys.push(Key { name, from, end, secret });
    }
    if r.is_empty() { Ok(state) } else { Err(DAMAGED) }
}

impl fmt::Debug for RingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingState")
            .field("sequence", &self.sequence)
            .field("keys", &self.generations())
            .finish()
    }
}
