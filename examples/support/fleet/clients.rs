//! A load of clients: each connects, offers a ticket if it has one, sends its request as early data if it may, and takes
//! the tickets that come.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls_pki_types::{CertificateDer, ServerName};
use symbolon::config::ClientConfig;
use symbolon::conn::{EarlyVerdict, NotResumed, Summary};
use symbolon::crypto::rustcrypto;
use symbolon::io::tokio::TlsConnector;
use symbolon::policy::ClientPolicy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Fallible, NAME, Size};

/// What came of a load.
#[derive(Default)]
pub struct Outcome {
    pub connections: usize,
    pub offered: usize,
    pub resumed: usize,
    pub early: usize,
    pub lost: usize,
    /// Why connections that offered a ticket were not resumed, or their early data not accepted, by its code.
    pub reasons: BTreeMap<&'static str, usize>,
}

impl Outcome {
    fn count(&mut self, summary: &Summary) {
        self.connections += 1;
        match summary.resumed {
            Err(NotResumed::NotOffered) => return,
            Err(why) => *self.reasons.entry(why.code()).or_default() += 1,
            Ok(_) => self.resumed += 1,
        }
        self.offered += 1;
        match summary.early_data {
            Ok(()) => self.early += 1,
            Err(why) => *self.reasons.entry(why.code()).or_default() += 1,
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.connections += other.connections;
        self.offered += other.offered;
        self.resumed += other.resumed;
        self.early += other.early;
        self.lost += other.lost;
        for (reason, times) in &other.reasons {
            *self.reasons.entry(reason).or_default() += times;
        }
    }
}

/// Clients that share their tickets, as the tabs of a browser do.
pub struct Clients {
    connector: TlsConnector,
    requests: Arc<AtomicU64>,
}

impl Clients {
    pub fn new(root: CertificateDer<'static>) -> Fallible<Self> {
        let provider = rustcrypto::provider();
        let policy = ClientPolicy::trusting(provider.clone(), [root])?.build();
        let config = ClientConfig::builder(provider).build()?;
        Ok(Self { connector: TlsConnector::new(config, policy), requests: Arc::default() })
    }

    /// Every client makes its connections, one behind the other.
    pub async fn load(&self, address: SocketAddr, size: Size) -> Outcome {
        let mut clients = JoinSet::new();
        for _ in 0..size.clients {
            let (connector, requests) = (self.connector.clone(), Arc::clone(&self.requests));
            clients.spawn(async move {
                let mut outcome = Outcome::default();
                for _ in 0..size.connections {
                    let request = format!("request {}\n", requests.fetch_add(1, Ordering::Relaxed));
                    match visit(&connector, address, request.as_bytes()).await {
                        Ok(summary) => outcome.count(&summary),
                        Err(error) => {
                            eprintln!("a connection was lost: {error}");
                            outcome.lost += 1;
                        }
                    }
                }
                outcome
            });
        }
        let mut sum = Outcome::default();
        while let Some(outcome) = clients.join_next().await {
            match outcome {
                Ok(outcome) => sum.add(&outcome),
                Err(_) => sum.lost += size.connections,
            }
        }
        sum
    }
}

/// One connection: the request must come back.
async fn visit(connector: &TlsConnector, address: SocketAddr, request: &[u8]) -> Fallible<Summary> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let mut early = connector.connect_early(ServerName::try_from(NAME)?, socket);
    let mut sent = 0;
    while let n @ 1.. = early.write_early(&request[sent..]).await? {
        sent += n;
    }
    early.flush().await?;
    let mut stream = early.finish().await?;
    if stream.early_verdict() != Some(EarlyVerdict::Accepted) {
        // To ask once more is harmless; that is this program's decision.
        sent = 0;
    }
    stream.write_all(&request[sent..]).await?;
    stream.flush().await?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await?;
    if response != request {
        return Err(format!("{} bytes came back instead of the request", response.len()).into());
    }
    stream.shutdown().await?;
    stream.summary().cloned().ok_or_else(|| "no handshake took place".into())
}
