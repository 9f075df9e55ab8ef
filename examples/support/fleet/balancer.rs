//! One address for the whole fleet: hands connections to the servers in turn, and records what clients send first, as
//! anybody on the way can.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

use super::Fallible;

/// How many first flights are kept.
const KEPT: usize = 60;

/// How much of each.
const FIRST_FLIGHT: usize = 16 << 10;

pub struct Balancer {
    pub address: SocketAddr,
    servers: Mutex<Vec<SocketAddr>>,
    turn: AtomicUsize,
    recorded: Mutex<Vec<Vec<u8>>>,
}

impl Balancer {
    pub async fn start(servers: Vec<SocketAddr>) -> Fallible<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let balancer = Arc::new(Self {
            address: listener.local_addr()?,
            servers: Mutex::new(servers),
            turn: AtomicUsize::new(0),
            recorded: Mutex::new(Vec::new()),
        });
        let running = Arc::clone(&balancer);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let balancer = Arc::clone(&running);
                tokio::spawn(async move { drop(balancer.carry(socket).await) });
            }
        });
        Ok(balancer)
    }

    /// A server has another address now.
    pub fn replace(&self, old: SocketAddr, new: SocketAddr) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.iter_mut().filter(|server| **server == old).for_each(|server| *server = new);
    }

    /// The first flights that were recorded so far.
    pub fn take_recorded(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.recorded.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn next(&self) -> SocketAddr {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers[self.turn.fetch_add(1, Ordering::Relaxed) % servers.len()]
    }

    async fn carry(&self, near: TcpStream) -> std::io::Result<()> {
        let far = TcpStream::connect(self.next()).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (near.into_split(), far.into_split());
        let mut flight = Vec::new();
        let mut answered = [0; 16 << 10];
        // Everything before the server's first byte is a first flight, with its early data.
        loop {
            let mut buf = [0; 4096];
            tokio::select! {
                biased;
                read = from_client.read(&mut buf) => match read? {
                    0 => break,
                    n => {
                        flight.extend_from_slice(&buf[..n]);
                        flight.truncate(FIRST_FLIGHT);
                        to_server.write_all(&buf[..n]).await?;
                    }
                },
                read = from_server.read(&mut answered) => {
                    let n = read?;
                    to_client.write_all(&answered[..n]).await?;
                    break;
                }
            }
        }
        self.record(flight);
        let up = async {
            copy(&mut from_client, &mut to_server).await?;
            to_server.shutdown().await
        };
        let down = async {
            copy(&mut from_server, &mut to_client).await?;
            to_client.shutdown().await
        };
        tokio::try_join!(up, down)?;
        Ok(())
    }

    fn record(&self, flight: Vec<u8>) {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.len() < KEPT {
            recorded.push(flight);
        } else {
            // The latest are the most dangerous.
            let at = self.turn.load(Ordering::Relaxed) % KEPT;
            recorded[at] = flight;
        }
    }
}
