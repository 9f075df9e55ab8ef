//! Where Redis is, and within which limits it is trusted.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::crypto::Rng;
use crate::policy::replay::DEFAULT_WINDOW;
use crate::policy::{Clock, SystemClock};

/// The longest prefix of keys, in bytes.
const LONGEST_PREFIX: usize = 128;

/// Where Redis is, and within which limits it is trusted.
#[derive(Clone)]
pub struct RedisSettings {
    pub(super) address: ConnectionInfo,
    pub(super) rng: Arc<dyn Rng>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) prefix: String,
    pub(super) window: Duration,
    pub(super) deadline: Duration,
    pub(super) patience: Duration,
    pub(super) period: Duration,
    pub(super) longest_pause: Duration,
    pub(super) skew: Duration,
    pub(super) most_in_flight: usize,
}

/// Why settings cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadSettings {
    /// The address is no `redis://` or `unix://` URL. TLS to Redis is not offered: `rediss://` is refused.
    Address,
    /// The prefix is longer than 128 bytes.
    Prefix,
    /// There is no tokio runtime here to run in.
    NoRuntime,
}

impl RedisSettings {
    /// The Redis server at this URL: `redis://[user:password@]host[:port][/database]` or `unix:///path`. Random bytes
    /// come from `rng`, a provider's.
    ///
    /// # Errors
    ///
    /// [`BadSettings::Address`].
    pub fn new(url: &str, rng: Arc<dyn Rng>) -> Result<Self, BadSettings> {
        let address = url.into_connection_info().map_err(|_| BadSettings::Address)?;
        if let ConnectionAddr::TcpTls { .. } = address.addr() {
            return Err(BadSettings::Address);
        }
        let redis = address.redis_settings().clone().set_skip_set_lib_name();
        Ok(Self {
            address: address.set_redis_settings(redis),
            rng,
            clock: Arc::new(SystemClock),
            prefix: "symbolon:".to_owned(),
            window: DEFAULT_WINDOW,
            deadline: Duration::from_millis(50),
            patience: Duration::from_secs(1),
            period: Duration::from_secs(1),
            longest_pause: Duration::from_secs(2),
            skew: Duration::from_secs(10),
            most_in_flight: 1024,
        })
    }

    /// What all keys begin with, at most 128 bytes: the same for all servers of the fleet, and for nobody else. By default
    /// `symbolon:`.
    ///
    /// # Errors
    ///
    /// [`BadSettings::Prefix`].
    pub fn prefix(mut self, prefix: impl Into<String>) -> Result<Self, BadSettings> {
        self.prefix = prefix.into();
        if self.prefix.len() > LONGEST_PREFIX { Err(BadSettings::Prefix) } else { Ok(self) }
    }

    /// How long before and after the moment at which it is expected a first flight is fresh (RFC 9846 section 8.3). By
    /// default [`DEFAULT_WINDOW`].
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// How long a check waits at most before the connection goes on without early data. By default 50 ms.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long connecting, and an examination of the server, may take. By default one second.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How often the server is examined, and the ring looked at, where nothing calls for it sooner. By default every
    /// second.
    #[must_use]
    pub fn period(mut self, period: Duration) -> Self {
        self.period = period;
        self
    }

    /// The longest pause between two attempts to connect; they begin with 50 ms and double. By default 2 s.
    #[must_use]
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// How far the clocks of the fleet may be apart. By default 10 s.
    ///
    /// Where Redis fails over, it must also be longer than a master that was cut off goes on taking writes
    /// (`min-replicas-to-write 1` with `min-replicas-max-lag`): tickets that are younger than the new master by more than
    /// this are checked there alone.
    #[must_use]
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew;
        self
    }

    /// How many checks may be in flight at once, at least 1; more are answered with
    /// [`Full`](crate::psk::Unknowable::Full). By default 1024.
    #[must_use]
    pub fn most_in_flight(mut self, most: usize) -> Self {
        self.most_in_flight = most.clamp(1, 1 << 20);
        self
    }

    /// Tells the time by this clock instead of the system's: by the one that tells when flights arrive, the policy's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

/// Without user and password.
impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("address", &format_args!("{}", self.address.addr()))
            .field("prefix", &self.prefix)
            .field("window", &self.window)
            .field("deadline", &self.deadline)
            .field("skew", &self.skew)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "the address is no redis:// or unix:// URL",
            Self::Prefix => "the prefix of the keys is longer than 128 bytes",
            Self::NoRuntime => "there is no tokio runtime to run in",
        })
    }
}

impl core::error::Error for BadSettings {}
