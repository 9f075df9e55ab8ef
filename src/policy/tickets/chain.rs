//! The one-way chain that a fleet's keys come from: S(e+1) = KDF(S(e)), and the key of epoch e comes from S(e).
//!
//! Whoever has S(e) can derive all that follows and nothing that came before.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

use super::key::{Algorithms, Key, KeyName, KeySecret, MAX_KEYS, RingError, SECRET_LEN, Schedule};
use crate::crypto::Rng;
use crate::error::Failed;
use crate::moment::Moment;

/// How many epochs are caught up with at once: 11 years of 6 hours, some hundredths of a second of work.
const CATCH_UP: u64 = 16_384;

/// The version of the encoding below.
const VERSION: u8 = 1;

const ENCODED_LEN: usize = 57;

/// A state of a fleet's one-way chain: from it come the ticket keys of its epoch and of all later ones.
///
/// Every server that has it and a clock agrees with all others, without talking to them. Whoever steals it can open the
/// tickets of its epoch and of all later ones: a file that is neither advanced ([`TicketRing::provision`]) nor deleted
/// gives no forward secrecy against its theft.
///
/// [`TicketRing::provision`]: super::TicketRing::provision
pub struct FleetSecret {
    secret: KeySecret,
    epoch: u64,
    /// When epoch 0 began.
    start: Moment,
    /// How long an epoch is.
    period: Duration,
}

impl FleetSecret {
    /// The secret of epoch 0, which begins at `start`; each epoch lasts `period`, in whole milliseconds.
    #[must_use]
    pub fn new(secret: &[u8; SECRET_LEN], start: Moment, period: Duration) -> Self {
        let mut copy = KeySecret::zeroed(SECRET_LEN);
        copy.expose_mut().copy_from_slice(secret);
        Self { secret: copy, epoch: 0, start, period }
    }

    /// A new secret for a fleet, as [`FleetSecret::new`].
    ///
    /// # Errors
    ///
    /// [`Failed`] when there is no randomness.
    pub fn random(rng: &dyn Rng, start: Moment, period: Duration) -> Result<Self, Failed> {
        let mut secret = KeySecret::zeroed(SECRET_LEN);
        rng.fill(secret.expose_mut())?;
        Ok(Self { secret, epoch: 0, start, period })
    }

    /// The epoch whose secret it is.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// When epoch 0 began.
    #[must_use]
    pub fn start(&self) -> Moment {
        self.start
    }

    /// How long an epoch lasts.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Its encoding, for a file or a secret store; wiped when dropped.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(ENCODED_LEN));
        out.push(VERSION);
        for number in [self.epoch, self.start.as_millis(), self.period_millis()] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(self.secret.expose());
        out
    }

    /// Reads an encoding back; `None` for anything else.
    #[must_use]
    pub fn decode(encoded: &[u8]) -> Option<Self> {
        let (version, rest) = encoded.split_first()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (start, rest) = rest.split_first_chunk()?;
        let (period, secret) = rest.split_first_chunk()?;
        if *version != VERSION || secret.len() != SECRET_LEN {
            return None;
        }
        Some(Self {
            secret: KeySecret::copy_of(secret)?,
            epoch: u64::from_be_bytes(*epoch),
            start: Moment::from_millis(u64::from_be_bytes(*start)),
            period: Duration::from_millis(u64::from_be_bytes(*period)),
        })
    }

    fn period_millis(&self) -> u64 {
        u64::try_from(self.period.as_millis()).unwrap_or(u64::MAX)
    }

    /// Which epoch `moment` is in; `None` before the first one.
    fn epoch_at(&self, moment: Moment) -> Option<u64> {
        let since = moment.as_millis().checked_sub(self.start.as_millis())?;
        since.checked_div(self.period_millis())
    }

    fn starts(&self, epoch: u64) -> Moment {
        let since = epoch.saturating_mul(self.period_millis());
        Moment::from_millis(self.start.as_millis().saturating_add(since))
    }

    /// The same chain, a step further: the secret before is not to be had from it.
    fn next(&self, algorithms: &Algorithms) -> Result<Self, Failed> {
        let mut secret = KeySecret::zeroed(SECRET_LEN);
        algorithms.derive(self.secret.expose(), [(b"next epoch", secret.expose_mut())])?;
        Ok(Self { secret, epoch: self.epoch.saturating_add(1), ..*self })
    }

    fn copy(&self) -> Self {
        let mut secret = KeySecret::zeroed(SECRET_LEN);
        secret.expose_mut().copy_from_slice(self.secret.expose());
        Self { secret, ..*self }
    }
}

impl fmt::Debug for FleetSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetSecret").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// The chain of one server.
pub(super) struct Chain {
    algorithms: Algorithms,
    schedule: Schedule,
    /// Of the oldest epoch whose tickets may still be opened.
    oldest: FleetSecret,
}

impl Chain {
    pub(super) fn new(
        algorithms: Algorithms,
        secret: FleetSecret,
        decrypt_only: Duration,
    ) -> Result<Self, RingError> {
        let period = Duration::from_millis(secret.period_millis());
        Ok(Self { algorithms, schedule: Schedule::new(period, decrypt_only)?, oldest: secret })
    }

    pub(super) fn schedule(&self) -> Schedule {
        self.schedule
    }

    /// The present state, for servers that begin now.
    pub(super) fn provision(&self) -> FleetSecret {
        self.oldest.copy()
    }

    /// Erases the secrets of epochs whose last ticket has expired.
    ///
    /// # Errors
    ///
    /// [`RingError::FarBehind`] beyond [`CATCH_UP`]; then nothing was erased.
    pub(super) fn erase(&mut self, now: Moment) -> Result<(), RingError> {
        let target = self.oldest_useful(now);
        if target.saturating_sub(self.oldest.epoch) > CATCH_UP {
            return Err(RingError::FarBehind);
        }
        while self.oldest.epoch < target {
            self.oldest = self.oldest.next(&self.algorithms)?;
        }
        Ok(())
    }

    /// The first epoch whose last ticket has not expired.
    fn oldest_useful(&self, now: Moment) -> u64 {
        let first_end = self.oldest.start.plus(self.schedule.life());
        let Some(beyond) = now.since(first_end) else { return 0 };
        let beyond = u64::try_from(beyond.as_millis()).unwrap_or(u64::MAX);
        beyond.checked_div(self.oldest.period_millis()).unwrap_or(0).saturating_add(1)
    }

    /// When [`Chain::keys`] would give others than at `now`, as far as epochs decide.
    pub(super) fn due(&self, now: Moment) -> Moment {
        match self.oldest.epoch_at(now) {
            Some(epoch) if epoch >= self.oldest.epoch => self.oldest.starts(epoch.saturating_add(1)),
            _ => {
                let begin = self.oldest.starts(self.oldest.epoch);
                let prepared = begin.minus(self.oldest.period);
                if now < prepared { prepared } else { begin }
            }
        }
    }

    /// The keys of all epochs whose tickets may come at `now`, the next one among them, and more where that is revoked:
    /// none of epochs that were erased.
    ///
    /// # Errors
    ///
    /// [`RingError::FarBehind`] beyond [`CATCH_UP`].
    pub(super) fn keys(&self, now: Moment, revoked: impl Fn(&Key) -> bool) -> Result<Vec<Key>, RingError> {
        // The epoch after the one that a clock a little ahead is in.
        let Some(last) = self.oldest.epoch_at(now.plus(self.oldest.period)) else { return Ok(Vec::new()) };
        if last.saturating_sub(self.oldest.epoch) > CATCH_UP {
            return Err(RingError::FarBehind);
        }
        let first = self.oldest_useful(now);
        let mut keys: Vec<Key> = Vec::new();
        let mut at = self.oldest.copy();
        while at.epoch <= last || (keys.len() < MAX_KEYS && keys.last().is_some_and(&revoked)) {
            if at.epoch >= first {
                keys.push(self.key(&at)?);
            }
            at = at.next(&self.algorithms)?;
        }
        Ok(keys)
    }

    fn key(&self, state: &FleetSecret) -> Result<Key, Failed> {
        let mut name = KeyName([0; 16]);
        let mut secret = KeySecret::zeroed(SECRET_LEN);
        let outputs: [(&[u8], &mut [u8]); 2] =
            [(b"epoch name", &mut name.0), (b"epoch secret", secret.expose_mut())];
        self.algorithms.derive(state.secret.expose(), outputs)?;
        let from = state.starts(state.epoch);
        Ok(Key { name, from, end: from.plus(self.schedule.life()), secret: Some(secret) })
    }
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::crypto::rustcrypto::provider;

    /// HKDF-SHA-384 by hand: 32 bytes are less than one block.
    fn hkdf(secret: &[u8], label: &[u8]) -> Vec<u8> {
        let algorithms = Algorithms::of(&provider()).unwrap();
        let mac = |key: &[u8], parts: &[&[u8]]| {
            let mut out = [0; 48];
            algorithms.hash.hmac(key, parts, &mut out).unwrap();
            out
        };
        let prk = mac(b"symbolon tickets 1", &[secret]);
        mac(&prk, &[label, b"\0\x13\x02\x01"])[..SECRET_LEN].to_vec()
    }

    #[test]
    fn epochs_are_derived_one_from_another_and_their_keys_beside_them() {
        let algorithms = Algorithms::of(&provider()).unwrap();
        let start = Moment::from_secs(1_000);
        let period = Duration::from_secs(3600);
        let mut chain =
            Chain::new(algorithms, FleetSecret::new(&[5; 32], start, period), Duration::ZERO).unwrap();
        let mut secret = [5; SECRET_LEN].to_vec();
        for epoch in 0..3 {
            let now = start.plus(period * epoch);
            chain.erase(now).unwrap();
            assert_eq!(chain.provision().epoch, u64::from(epoch));
            assert!(chain.oldest.secret.matches(&secret));
            let keys = chain.keys(now, |_| false).unwrap();
            assert_eq!(keys.len(), 2);
            assert_eq!((keys[0].from, keys[0].end), (now, now.plus(period)));
            assert_eq!(keys[0].name.0, hkdf(&secret, b"epoch name")[..16]);
            assert!(keys[0].secret.as_ref().unwrap().matches(&hkdf(&secret, b"epoch secret")));
            secret = hkdf(&secret, b"next epoch");
        }
    }
}
