//! An echo server over tokio, with a development PKI made on the spot.
//!
//! `cargo run --features tokio --example tokio_echo -- 127.0.0.1:4433 ca.pem`
//!
//! Then, in another terminal: `openssl s_client -connect 127.0.0.1:4433 -CAfile ca.pem -quiet`

#[path = "support/devpki.rs"]
mod devpki;

use std::error::Error;
use std::io;
use std::sync::Arc;

use symbolon::config::ServerConfig;
use symbolon::crypto::rustcrypto;
use symbolon::io::tokio::{TlsAcceptor, TlsStream};
use symbolon::policy::ServerPolicy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Sends everything back until the client closes.
async fn echo(mut stream: TlsStream<TcpStream>) -> io::Result<u64> {
    let mut bytes = vec![0; 16 << 10];
    let mut echoed = 0;
    loop {
        let n = stream.read(&mut bytes).await?;
        if n == 0 {
            stream.shutdown().await?;
            return Ok(echoed);
        }
        stream.write_all(&bytes[..n]).await?;
        stream.flush().await?;
        echoed += n as u64;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(ca_out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: tokio_echo ADDRESS:PORT CA_FILE_TO_WRITE".into());
    };
    let provider = rustcrypto::provider();
    let pki = devpki::DevPki::new(&provider)?;
    std::fs::write(&ca_out, pki.ca_pem()).map_err(|error| format!("{ca_out}: {error}"))?;
    let config = ServerConfig::builder(provider).build()?;
    let credential = pki.issue(&["localhost", "127.0.0.1"])?;
    let policy = ServerPolicy::serving(Arc::clone(&config)).credential(credential)?.build()?;
    let acceptor = TlsAcceptor::new(config, policy);

    let listener = TcpListener::bind(&address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (socket, peer) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let outcome = match acceptor.accept(socket).await {
                Ok(stream) => echo(stream).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(bytes) => eprintln!("{peer}: {bytes} bytes echoed, closed cleanly"),
                Err(error) => eprintln!("{peer}: {error}"),
            }
        });
    }
}
