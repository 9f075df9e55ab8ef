//! A Redis server without persistence, and what guards over it are asked.

use std::future::Future;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls_pki_types::UnixTime;
use symbolon::Moment;
use symbolon::conn::Unknowable;
use symbolon::crypto::rustcrypto;
use symbolon::policy::Clock;
use symbolon::policy::redis::{RedisGuard, RedisSettings, RedisStatus};
use symbolon::policy::replay::{AsyncReplayGuard, Guard};
use symbolon::question::{FirstFlight, Seen};

use crate::process::{DEADLINE, Running};

/// How long a guard waits for its store; part of how long it remembers.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Redis server.
pub struct Store {
    process: Running,
    pub port: u16,
}

impl Store {
    pub fn start() -> Self {
        loop {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            // Somebody else may have taken the port by now.
            if let Some(process) = run(port) {
                return Self { process, port };
            }
        }
    }

    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again where it was.
    pub fn restart(&mut self) {
        self.kill();
        self.process = run(self.port).unwrap();
    }

    /// Runs a command, and gives its reply.
    pub fn tell<T: ::redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = ::redis::Client::open(url(self.port)).unwrap();
        let mut connection = client.get_connection().unwrap();
        ::redis::cmd(words[0]).arg(&words[1..]).query(&mut connection).unwrap()
    }
}

fn run(port: u16) -> Option<Running> {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    let process = Running::start(command);
    process.wait_any(&["Ready to accept connections", "Address already in use"]);
    process.stdout().contains("Ready to accept connections").then_some(process)
}

pub fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}")
}

/// A clock that is set by hand, in seconds.
#[derive(Clone, Default)]
pub struct Hands(Arc<AtomicU64>);

impl Hands {
    pub fn at(secs: u64) -> Self {
        let hands = Self::default();
        hands.set(secs);
        hands
    }

    pub fn set(&self, secs: u64) {
        self.0.store(secs, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::SeqCst)))
    }
}

/// Never waits for time where events tell.
pub fn settings(port: u16, clock: &Hands) -> RedisSettings {
    RedisSettings::new(&url(port), rustcrypto::provider().rng)
        .unwrap()
        .clock(clock.clone())
        .skew(Duration::ZERO)
        .deadline(PATIENCE)
        .patience(PATIENCE)
        .period(Duration::from_secs(3600))
        .longest_pause(Duration::from_millis(50))
}

/// A guard that guards already.
pub async fn guarding(settings: RedisSettings) -> Arc<Guard<RedisGuard>> {
    let guard = Arc::new(RedisGuard::start(settings).unwrap());
    until(&guard, |status| matches!(status, RedisStatus::Guarding { .. })).await;
    guard
}

pub async fn until(guard: &Guard<RedisGuard>, wanted: impl Fn(RedisStatus) -> bool) -> RedisStatus {
    soon(guard.guard().until(wanted)).await
}

/// Waits until the memory begins at this second.
pub async fn since(guard: &Guard<RedisGuard>, secs: u64) {
    let since = Moment::from_secs(secs);
    until(guard, |status| status == RedisStatus::Guarding { since }).await;
}

pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it takes too long")
}

/// Flight number `id` with a ticket of this second, which arrives a second later.
pub fn flight(id: u16, issued: u64) -> FirstFlight {
    let mut bytes = [0; 32];
    bytes[30..].copy_from_slice(&id.to_be_bytes());
    let now = Moment::from_secs(issued + 1);
    FirstFlight::new(bytes, Moment::from_secs(issued), now, now.plus(Duration::from_secs(10)))
}

pub async fn check(guard: &Guard<RedisGuard>, id: u16, issued: u64) -> Seen {
    soon(guard.guard().check(flight(id, issued))).await
}

pub const BEFORE_MEMORY: Seen = Seen::Unknown(Unknowable::BeforeMemory);
pub const NONSENSE: Seen = Seen::Unknown(Unknowable::Nonsense);
pub const UNREACHABLE: Seen = Seen::Unknown(Unknowable::Unreachable);
pub const LATE: Seen = Seen::Unknown(Unknowable::Late);
