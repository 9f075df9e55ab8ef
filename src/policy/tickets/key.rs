//! Keys that seal tickets: their names, their times, and how they come from secrets.
//!
//! Knows no clock: moments are handed in.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::codepoint::CipherSuite;
use crate::crypto::{Aead, AeadKey, Expansion, Hash, MAX_HASH_LEN, Provider, Secret};
use crate::error::Failed;
use crate::moment::Moment;

/// How many keys a ring has at once, at most: future, active, for opening alone, and revoked ones.
pub const MAX_KEYS: usize = 64;

/// The length of every secret here, in bytes.
pub(super) const SECRET_LEN: usize = 32;

/// The secret that a key comes from.
pub(super) type KeySecret = Secret<SECRET_LEN>;

/// The front of a ticket: the version of its form.
pub(super) const TICKET_VERSION: u8 = 1;

/// Sets what is derived here apart from everything else that a secret might be used for.
const SALT: &[u8] = b"symbolon tickets 1";

/// The name of a key, at the front of each ticket that it sealed. Not secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(pub [u8; 16]);

impl KeyName {
    /// The name in a ticket of a ring; `None` where it cannot be one.
    #[must_use]
    pub fn of_ticket(ticket: &[u8]) -> Option<Self> {
        let (version, rest) = ticket.split_first()?;
        (*version == TICKET_VERSION).then_some(Self(*rest.first_chunk()?))
    }
}

impl fmt::Display for KeyName {
    /// In hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyName({self})")
    }
}

/// What there is to tell of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Generation {
    /// Its name.
    pub name: KeyName,
    /// From when on it seals, until the next one does.
    pub active_from: Moment,
    /// From when on it opens nothing any more.
    pub end: Moment,
    /// Whether its tickets are refused already.
    pub revoked: bool,
}

/// When keys take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    active: Duration,
    decrypt_only: Duration,
}

impl Schedule {
    /// A key seals for `active`, at least a minute, and opens for `decrypt_only` longer.
    ///
    /// # Errors
    ///
    /// [`RingError::Schedule`] when that is too short, or so many keys would be needed at once that [`MAX_KEYS`] are too
    /// few.
    pub fn new(active: Duration, decrypt_only: Duration) -> Result<Self, RingError> {
        // Some room for the next one, and for others that take over where keys are revoked.
        const OPENING_ALONE: u128 = 56;
        let turns = decrypt_only.as_millis().checked_div(active.as_millis()).ok_or(RingError::Schedule)?;
        if active < Duration::from_secs(60) || turns >= OPENING_ALONE {
            return Err(RingError::Schedule);
        }
        Ok(Self { active, decrypt_only })
    }

    /// For how long a key seals.
    #[must_use]
    pub fn active(&self) -> Duration {
        self.active
    }

    /// For how long it opens beyond that.
    #[must_use]
    pub fn decrypt_only(&self) -> Duration {
        self.decrypt_only
    }

    /// From its first ticket to the end of its last one.
    pub(super) fn life(&self) -> Duration {
        self.active.saturating_add(self.decrypt_only)
    }
}

impl Default for Schedule {
    /// 6 hours, and 48 hours longer.
    fn default() -> Self {
        Self { active: Duration::from_secs(6 * 3600), decrypt_only: Duration::from_secs(48 * 3600) }
    }
}

/// Why there is no such ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingError {
    /// Keys would seal for less than a minute, or be too many at once.
    Schedule,
    /// The fleet secret is of an epoch too long ago.
    FarBehind,
    /// The provider failed, or has no cipher suite.
    Provider(Failed),
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schedule => f.write_str(
                "a ticket key must seal for at least a minute, and open for less than 56 times as long",
            ),
            Self::FarBehind => {
                f.write_str("the fleet secret is of an epoch too long ago; provision a present one")
            }
            Self::Provider(failed) => failed.fmt(f),
        }
    }
}

impl core::error::Error for RingError {}

impl From<Failed> for RingError {
    fn from(failed: Failed) -> Self {
        Self::Provider(failed)
    }
}

/// A key in its times.
pub(super) struct Key {
    pub(super) name: KeyName,
    /// From when on it seals.
    pub(super) from: Moment,
    /// From when on it is of no use.
    pub(super) end: Moment,
    /// `None` when it was revoked.
    pub(super) secret: Option<KeySecret>,
}

impl Key {
    pub(super) fn generation(&self) -> Generation {
        let Self { name, from, end, secret } = self;
        Generation { name: *name, active_from: *from, end: *end, revoked: secret.is_none() }
    }

    pub(super) fn copy(&self) -> Self {
        let secret = self.secret.as_ref().and_then(|secret| KeySecret::copy_of(secret.expose()));
        Self { secret, ..*self }
    }
}

/// The algorithms of a ring: those of one cipher suite.
#[derive(Clone, Copy)]
pub(super) struct Algorithms {
    suite: CipherSuite,
    pub(super) hash: &'static dyn Hash,
    aead: &'static dyn Aead,
}

impl Algorithms {
    /// Those of the AES-256 suite, else of the one with the longest key.
    pub(super) fn of(provider: &Provider) -> Result<Self, Failed> {
        let longest = || provider.suites.iter().copied().max_by_key(|suite| suite.aead.key_len());
        let suite = provider.suite(CipherSuite::TLS_AES_256_GCM_SHA384).or_else(longest);
        let suite = suite.ok_or(Failed::Provider)?;
        Ok(Self { suite: suite.id, hash: suite.hash, aead: suite.aead })
    }

    /// HKDF (RFC 5869): an output for each label. Of other algorithms come other outputs, so that servers with unlike
    /// providers do not even take their keys for the same.
    pub(super) fn derive<const N: usize>(
        &self,
        secret: &[u8],
        outputs: [(&[u8], &mut [u8]); N],
    ) -> Result<(), Failed> {
        let mut prk = Secret::<MAX_HASH_LEN>::zeroed(self.hash.output_len());
        self.hash.hmac(SALT, &[secret], prk.expose_mut())?;
        for (label, out) in outputs {
            let info: Vec<u8> = [label, &[0], &self.suite.0.to_be_bytes()].concat();
            self.hash.expand(prk.expose(), &mut [Expansion { info: &info, out }])?;
        }
        Ok(())
    }

    /// The key that `secret` stands for, where it is used as `label` says.
    pub(super) fn key(&self, secret: &[u8], label: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        let mut key = KeySecret::zeroed(self.aead.key_len());
        self.derive(secret, [(label, key.expose_mut())])?;
        self.aead.key(key.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_schedule_needs_no_more_keys_than_there_is_room_for() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        assert_eq!(Schedule::new(hours(6), hours(48)), Ok(Schedule::default()));
        assert!(Schedule::new(hours(1), hours(55)).is_ok());
        assert_eq!(Schedule::new(hours(1), hours(56)), Err(RingError::Schedule));
        assert_eq!(Schedule::new(Duration::from_secs(59), hours(0)), Err(RingError::Schedule));
        assert_eq!(Schedule::new(hours(0), hours(0)), Err(RingError::Schedule));
    }

    #[test]
    fn a_name_is_shown_in_hexadecimal() {
        assert_eq!(format!("{:?}", KeyName([0xA1; 16])), format!("KeyName({})", "a1".repeat(16)));
    }
}
