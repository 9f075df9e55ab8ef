//! Carries a ring of ticket keys, sealed, from who makes it to all servers of the fleet.
//!
//! Redis is not trusted with it: whoever takes what came opens it, and judges by what is inside whether it is newer.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ::redis::{Pipeline, Value};
use ::tokio::time::{sleep, timeout};

use super::line::{Line, blame_server};
use super::settings::RedisSettings;
use super::status::RedisStatus;
use crate::crypto::Provider;
use crate::policy::tickets::{Pushed, RingState, TicketRing};

/// The longest sealed ring, in bytes.
const LONGEST_RING: usize = 64 << 10;

/// Why a ring was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingRefused {
    /// It is empty, or longer than 64 KiB.
    Length,
    /// The store did not take it.
    Store(RedisStatus),
}

/// Publishes a sealed ring.
pub struct RingPublisher {
    settings: RedisSettings,
}

impl RingPublisher {
    /// Publishes to this server.
    #[must_use]
    pub fn new(settings: RedisSettings) -> Self {
        Self { settings }
    }

    /// Puts a sealed ring, 1 byte to 64 KiB, in the place of the one before. It stays until the next one.
    ///
    /// # Errors
    ///
    /// Why it was not published, or why nobody knows whether it was; it can be published again.
    pub async fn publish(&self, sealed: &[u8]) -> Result<(), RingRefused> {
        if sealed.is_empty() || sealed.len() > LONGEST_RING {
            return Err(RingRefused::Length);
        }
        let line = Line::dial(&self.settings).await.map_err(RingRefused::Store)?;
        let mut set = Pipeline::new();
        set.cmd("SET").arg(ring_key(&self.settings)).arg(sealed);
        let replies = match timeout(self.settings.patience, line.replies().ask(&set)).await {
            Err(_) => Err(RedisStatus::Unreachable),
            Ok(replies) => replies,
        };
        match replies.map_err(RingRefused::Store)?.as_slice() {
            [Value::Okay] => Ok(()),
            [Value::ServerError(error)] => Err(RingRefused::Store(blame_server(error))),
            _ => Err(RingRefused::Store(RedisStatus::Nonsense)),
        }
    }
}

/// Watches for sealed rings. While the store is away it waits, and whoever has a ring keeps it.
pub struct RingWatcher {
    settings: RedisSettings,
    line: Option<Line>,
    last: Vec<u8>,
    seen: Sightings,
}

/// What a watcher has met with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sightings {
    /// Rings that were given out.
    pub given: u64,
    /// Values that are too long for a ring.
    pub too_long: u64,
    /// Rings that did not open: damaged, or sealed under another key.
    pub unopened: u64,
    /// Rings that were no newer than what was there.
    pub older: u64,
    /// Looks that found nothing because the store was away or answered what it should not.
    pub failed: u64,
}

impl RingWatcher {
    /// Watches this server, by looking every [`period`](RedisSettings::period).
    #[must_use]
    pub fn new(settings: RedisSettings) -> Self {
        Self { settings, line: None, last: Vec::new(), seen: Sightings::default() }
    }

    /// Waits for a sealed ring that is another than the one given out before, at first for any. Whether it can be opened,
    /// and is newer, is for the taker to judge. May be dropped and called again.
    ///
    /// Needs a tokio runtime whose time and I/O are enabled.
    pub async fn next(&mut self) -> Vec<u8> {
        loop {
            match self.look().await {
                Ok(Some(sealed)) => {
                    self.last.clone_from(&sealed);
                    self.seen.given = self.seen.given.saturating_add(1);
                    return sealed;
                }
                Ok(None) => {}
                Err(_) => {
                    self.line = None;
                    self.seen.failed = self.seen.failed.saturating_add(1);
                }
            }
            sleep(self.settings.period).await;
        }
    }

    /// Waits until a state has come that `ring`, one of [`TicketRing::pushed`], has taken; `key` is what the servers share
    /// ([`RingState::seal`]). What does not open is passed over and counted, and so is what is no newer than what the ring
    /// has. May be dropped and called again, and is to be called for as long as the ring is used.
    ///
    /// A ring without a state takes any that opens, an old one too, whose keys may have been revoked since: where Redis may
    /// be in other hands, push the [export](TicketRing::export) of the last run first.
    ///
    /// # Errors
    ///
    /// [`Pushed::OtherSource`] for a ring that gets its keys elsewhere.
    pub async fn feed(
        &mut self,
        ring: &TicketRing,
        provider: &Provider,
        key: &[u8; 32],
    ) -> Result<(), Pushed> {
        loop {
            let sealed = self.next().await;
            let Some(state) = RingState::open(provider, key, &sealed) else {
                self.seen.unopened = self.seen.unopened.saturating_add(1);
                continue;
            };
            match ring.push(state) {
                Pushed::Taken => return Ok(()),
                Pushed::Older => self.seen.older = self.seen.older.saturating_add(1),
                other => return Err(other),
            }
        }
    }

    /// What was met with so far.
    #[must_use]
    pub fn sightings(&self) -> Sightings {
        self.seen
    }

    async fn look(&mut self) -> Result<Option<Vec<u8>>, RedisStatus> {
        // Taken out, so that a line is lost on which a question was dropped half-way.
        let line = match self.line.take() {
            Some(line) => line,
            None => Line::dial(&self.settings).await?,
        };
        let mut get = Pipeline::new();
        // At most one byte more than a ring may have.
        get.cmd("GETRANGE").arg(ring_key(&self.settings)).arg(0).arg(LONGEST_RING);
        let asked = timeout(self.settings.patience, line.replies().ask(&get)).await;
        let replies = asked.map_err(|_| RedisStatus::Unreachable)??;
        self.line = Some(line);
        match <[Value; 1]>::try_from(replies) {
            Ok([Value::BulkString(sealed)]) if sealed.len() > LONGEST_RING => {
                self.seen.too_long = self.seen.too_long.saturating_add(1);
                Ok(None)
            }
            Ok([Value::BulkString(sealed)]) if sealed.is_empty() || sealed == self.last => Ok(None),
            Ok([Value::BulkString(sealed)]) => Ok(Some(sealed)),
            Ok([Value::ServerError(error)]) => Err(blame_server(&error)),
            _ => Err(RedisStatus::Nonsense),
        }
    }
}

/// Where the ring is.
fn ring_key(settings: &RedisSettings) -> String {
    alloc::format!("{}ring", settings.prefix)
}

impl fmt::Display for RingRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("a sealed ring has 1 byte to 64 KiB"),
            Self::Store(status) => status.fmt(f),
        }
    }
}

impl core::error::Error for RingRefused {}

impl fmt::Debug for RingPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingPublisher").field("settings", &self.settings).finish()
    }
}

impl fmt::Debug for RingWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingWatcher")
            .field("settings", &self.settings)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}
