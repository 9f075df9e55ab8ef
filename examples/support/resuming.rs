//! What `tlsserver` resumes and accepts before the handshake: tickets, early data behind a replay guard, external keys.

use std::path::PathBuf;
use std::sync::Arc;

use symbolon::config::{Reach, ReplayGuarded, ServerConfigBuilder};
use symbolon::crypto::Provider;
use symbolon::policy::replay::{DEFAULT_WINDOW, Guard, ReplayGuard, ReplayRegister};
use symbolon::policy::tickets::TicketRing;
use symbolon::policy::{Clock, ServerPolicyBuilder, SystemClock};
use symbolon::psk::{ExternalPsk, Unknowable};
use symbolon::question::{FirstFlight, Seen};

use super::cli::{Failure, say};
use super::{keys, secret_file};

#[derive(clap::Args)]
pub struct Resuming {
    /// How many tickets each client gets, to resume with later
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    tickets: Option<u8>,

    /// Where the ticket keys come from, the same file for every server of a fleet [default: keys of this process]
    ///
    /// The file is made if there is none, readable by its owner alone, and replaced every 6 hours: it opens the tickets
    /// of the last 48 hours and all that are to come, so keep no copies.
    #[arg(long, value_name = "FILE", requires = "tickets")]
    ticket_secret: Option<PathBuf>,

    /// Accepts so many bytes of early data (0-RTT) from each client that resumes
    ///
    /// A GET or HEAD in it is answered at once, and so is an echo; all else waits until the handshake is complete.
    #[arg(long, value_name = "BYTES", requires = "tickets", value_parser = clap::value_parser!(u32).range(1..=MOST_EARLY_DATA))]
    early_data: Option<u32>,

    /// What remembers the early data that came before: local, or redis://HOST:PORT
    ///
    /// Servers that share a --ticket-secret must share it too: local guards this process alone, for a fleet of one. It
    /// is the default where the ticket keys are of this process.
    #[arg(long, value_name = "WHERE", requires = "early_data")]
    replay: Option<String>,

    /// Accepts this external pre-shared key, with SHA-256; may be repeated
    ///
    /// For trials: others on this machine may see the command line.
    #[arg(long, value_name = "ID:HEX")]
    psk: Vec<String>,

    /// Has no certificate: clients need a --psk, or a ticket that they got by one
    #[arg(long, requires = "psk", conflicts_with_all = ["cert", "ca_out"])]
    pub psk_only: bool,

    /// Also resumes without a key exchange (psk_ke), which gives up forward secrecy
    #[arg(long)]
    psk_ke: bool,
}

/// Bytes: they are held in memory until the handshake is complete.
const MOST_EARLY_DATA: i64 = 1 << 20;

/// What the command line asked for.
pub struct Resumption {
    tickets: Option<(u8, Arc<TicketRing>)>,
    early_data: Option<(u32, Replays)>,
    psks: Vec<Arc<ExternalPsk>>,
    psk_ke: bool,
    psk_only: bool,
}

impl Resuming {
    pub fn prepare(&self, provider: &Provider) -> Result<Resumption, Failure> {
        let tickets = match (self.tickets, &self.ticket_secret) {
            (None, _) => None,
            (Some(count), Some(path)) => Some((count, secret_file::ring(provider, path)?)),
            (Some(count), None) => {
                Some((count, Arc::new(TicketRing::random(provider).map_err(Failure::usage)?)))
            }
        };
        let early_data = match self.early_data {
            Some(bytes) => Some((bytes, self.replays(provider)?)),
            None => None,
        };
        let psks = keys::external(&self.psk)?;
        Ok(Resumption { tickets, early_data, psks, psk_ke: self.psk_ke, psk_only: self.psk_only })
    }

    fn replays(&self, provider: &Provider) -> Result<Replays, Failure> {
        let register =
            || ReplayRegister::new(ReplayRegister::DEFAULT_CAPACITY, DEFAULT_WINDOW, SystemClock.moment());
        match (self.replay.as_deref(), &self.ticket_secret) {
            (None | Some("local"), None) => Ok(Replays::Here(register())),
            (None, Some(_)) => Err(Failure::usage(
                "--early-data with --ticket-secret wants --replay: redis://HOST:PORT, which all servers with that secret \
                 share, or local if there is but this one",
            )),
            (Some("local"), Some(_)) => {
                say(
                    "tlsserver: --replay local guards this process alone: no other server may have this ticket secret",
                );
                Ok(Replays::Here(Arc::new(Guard::vouched(Alone(register()), Reach::Fleet, DEFAULT_WINDOW))))
            }
            (Some(url), _) if url.starts_with("redis://") => redis(url, provider),
            (Some(other), _) => {
                Err(Failure::usage(format_args!("--replay wants local or redis://HOST:PORT, not {other:?}")))
            }
        }
    }
}

impl Resumption {
    pub fn configure(&self, mut config: ServerConfigBuilder) -> ServerConfigBuilder {
        if let Some((count, _)) = self.tickets {
            config = config.tickets(count);
        }
        if let Some((bytes, replays)) = &self.early_data {
            config = config.early_data(*bytes, replays.proof().clone());
        }
        if self.psk_ke {
            config = config.psk_ke();
        }
        if self.psk_only { config.psk_only() } else { config }
    }

    pub fn serve(&self, mut policy: ServerPolicyBuilder) -> ServerPolicyBuilder {
        if let Some((_, ring)) = &self.tickets {
            policy = policy.tickets(Arc::clone(ring) as _);
        }
        if let Some((_, replays)) = &self.early_data {
            policy = policy.guarded_elsewhere(replays.proof());
        }
        policy.psks(self.psks.iter().cloned())
    }

    /// Whether anything can be resumed.
    pub fn resumes(&self) -> bool {
        self.tickets.is_some() || !self.psks.is_empty()
    }

    pub fn accepts_early_data(&self) -> bool {
        self.early_data.is_some()
    }

    /// Whether a first flight was seen before.
    pub fn check(&self, flight: &FirstFlight) -> Seen {
        match &self.early_data {
            Some((_, replays)) => replays.check(flight),
            None => Seen::Unknown(Unknowable::NoGuard),
        }
    }
}

/// Who remembers first flights.
enum Replays {
    Here(Arc<Guard>),
    #[cfg(feature = "redis")]
    Redis(Box<OnRedis>),
}

impl Replays {
    fn proof(&self) -> &ReplayGuarded {
        match self {
            Self::Here(guard) => guard.proof(),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.guard.proof(),
        }
    }

    fn check(&self, flight: &FirstFlight) -> Seen {
        match self {
            Self::Here(guard) => guard.guard().check(flight),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.check(flight),
        }
    }
}

/// The register of a server that has its fleet's secret for itself. This is only as true as the operator says it is: a
/// second server with the same secret would accept the same early data once more.
struct Alone(Arc<Guard<ReplayRegister>>);

impl ReplayGuard for Alone {
    fn check(&self, flight: &FirstFlight) -> Seen {
        self.0.guard().check(flight)
    }
}

#[cfg(not(feature = "redis"))]
fn redis(_: &str, _: &Provider) -> Result<Replays, Failure> {
    Err(Failure::usage(
        "this tlsserver was built without Redis: cargo run --release --features redis --example tlsserver",
    ))
}

/// A guard that is asked by threads, and works in a runtime of its own.
#[cfg(feature = "redis")]
struct OnRedis {
    runtime: tokio::runtime::Runtime,
    guard: Guard<symbolon::policy::redis::RedisGuard>,
}

#[cfg(feature = "redis")]
impl OnRedis {
    fn check(&self, flight: &FirstFlight) -> Seen {
        use symbolon::policy::replay::AsyncReplayGuard;
        self.runtime.block_on(self.guard.guard().check(*flight))
    }
}

#[cfg(feature = "redis")]
fn redis(url: &str, provider: &Provider) -> Result<Replays, Failure> {
    use std::time::Duration;
    use symbolon::policy::redis::{RedisGuard, RedisSettings, RedisStatus};
    let settings = RedisSettings::new(url, Arc::clone(&provider.rng));
    let settings = settings.map_err(|error| Failure::usage(format_args!("--replay {url}: {error}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(Failure::connection)?;
    let guard = runtime.block_on(async { RedisGuard::start(settings) }).map_err(Failure::usage)?;
    // It goes on trying; until it guards, early data is refused.
    let found = guard.guard().until(|status| status != RedisStatus::Connecting);
    let status = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(2), found).await });
    let status = status.unwrap_or_else(|_| guard.guard().status());
    say(format_args!("tlsserver: replay guard: {status}"));
    Ok(Replays::Redis(Box::new(OnRedis { runtime, guard })))
}
