//! Sends what was recorded once more.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Fallible;

/// Sends each flight to each server and waits until the server gives up. Gives the number of replays.
pub async fn replay(flights: &[Vec<u8>], servers: &[SocketAddr]) -> Fallible<usize> {
    let mut tried = 0;
    for flight in flights {
        for server in servers {
            let mut socket = TcpStream::connect(server).await?;
            socket.write_all(flight).await?;
            // No more will come: the server has read the flight when it ends the connection.
            socket.shutdown().await?;
            let mut ignored = Vec::new();
            // A reset is an end, too.
            let _ = socket.read_to_end(&mut ignored).await;
            tried += 1;
        }
    }
    Ok(tried)
}
