//! One server of the fleet: a process of its own. It tells on its standard output which requests it took as early data,
//! and is told on its standard input to revoke ticket keys or to count, or by its end to stop.

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use symbolon::config::ServerConfig;
use symbolon::crypto::rustcrypto;
use symbolon::io::tokio::{Guarded, Immediate, TlsAcceptor};
use symbolon::policy::redis::{RedisGuard, RedisSettings};
use symbolon::policy::tickets::{FleetSecret, TicketRing};
use symbolon::policy::{Clock, Counts, ServerPolicy, Statistics, SystemClock, credential_from_files};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Fallible, MAX_EARLY};

/// For how long a key opens tickets after its epoch.
const DECRYPT_ONLY: Duration = Duration::from_secs(1800);

/// How long a check for replays may take.
const DEADLINE: Duration = Duration::from_millis(250);

#[derive(clap::Args)]
pub struct Settings {
    /// The chain, in PEM.
    #[arg(long)]
    certificate: PathBuf,
    /// Its key, in PEM.
    #[arg(long)]
    key: PathBuf,
    /// The fleet's secret, as `FleetSecret::encode` writes it.
    #[arg(long)]
    secret: PathBuf,
    /// Where the replay guard's memory is.
    #[arg(long)]
    redis: String,
}

/// Serves until the standard input ends.
pub async fn serve(settings: Settings) -> Fallible<()> {
    let provider = rustcrypto::provider();
    let secret =
        FleetSecret::decode(&std::fs::read(&settings.secret)?).ok_or("no fleet secret in the file")?;
    let ring = Arc::new(TicketRing::derived(&provider, secret, DECRYPT_ONLY, SystemClock.moment())?);
    // One machine, one clock: no skew.
    let redis = RedisSettings::new(&settings.redis, Arc::clone(&provider.rng))?
        .deadline(DEADLINE)
        .skew(Duration::ZERO);
    let guard = Arc::new(RedisGuard::start(redis)?);
    let config =
        ServerConfig::builder(provider).tickets(2).early_data(MAX_EARLY, guard.proof().clone()).build()?;
    let credential = credential_from_files(config.provider(), &settings.certificate, &settings.key)?;
    let policy = ServerPolicy::serving(Arc::clone(&config))
        .credential(credential)?
        .tickets(Arc::clone(&ring) as _)
        .guarded_elsewhere(guard.proof())
        .build()?;
    let counted = Arc::new(Statistics::default());
    let acceptor = TlsAcceptor::asking(config, Arc::new(Guarded::new(guard, Immediate(policy))))
        .with_observer(Arc::clone(&counted) as _);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("port {}", listener.local_addr()?.port());
    let (stop, mut stopped) = tokio::sync::mpsc::channel::<()>(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            match line.as_deref() {
                Ok("revoke") => {
                    ring.revoke_before(SystemClock.moment());
                    println!("done");
                }
                Ok("count") => tell(&counted.snapshot()),
                _ => break,
            }
        }
        drop(stop);
    });
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (socket, _) = accepted?;
                let acceptor = acceptor.clone();
                // What becomes of one connection is told by its client.
                tokio::spawn(async move { drop(answer(&acceptor, socket).await) });
            }
            _ = stopped.recv() => return Ok(()),
        }
    }
}

/// Tells why connections were not resumed and early data not accepted.
fn tell(counts: &Counts) {
    let resumption = counts.not_resumed.iter().map(|(why, times)| (why.code(), times));
    let early_data = counts.no_early_data.iter().map(|(why, times)| (why.code(), times));
    for (code, times) in resumption {
        println!("reason resumption:{code} {times}");
    }
    for (code, times) in early_data {
        println!("reason early-data:{code} {times}");
    }
    println!("done");
}

/// Takes a request, a line, as early data or later, and answers it.
async fn answer(acceptor: &TlsAcceptor, socket: TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut early = acceptor.accept_early(socket);
    let (mut request, mut buf) = (Vec::new(), [0; MAX_EARLY as usize]);
    while !request.ends_with(b"\n") {
        match early.read_early(&mut buf).await? {
            0 => break,
            n => request.extend_from_slice(&buf[..n]),
        }
    }
    if request.ends_with(b"\n") {
        // The request changes nothing but this line, by which replays are counted.
        println!("early {}", String::from_utf8_lossy(&request).trim_end());
        let mut rest = request.as_slice();
        while !rest.is_empty() {
            rest = &rest[early.write_half_rtt(rest).await?..];
        }
        early.flush().await?;
        let mut stream = early.finish().await?;
        return stream.shutdown().await;
    }
    let mut stream = early.finish().await?;
    while !request.ends_with(b"\n") && request.len() < buf.len() {
        match stream.read(&mut buf).await? {
            0 => break,
            n => request.extend_from_slice(&buf[..n]),
        }
    }
    stream.write_all(&request).await?;
    stream.shutdown().await
}
