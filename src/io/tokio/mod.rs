//! TLS over tokio's streams.
//! Knows the pump and who answers; nothing of connections.
//!
//! ```no_run
//! use std::sync::Arc;
//! use symbolon::config::ServerConfig;
//! use symbolon::io::tokio::TlsAcceptor;
//! use symbolon::policy::Answerer;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::TcpListener;
//!
//! async fn serve(config: Arc<ServerConfig>, answerer: Arc<dyn Answerer>) -> std::io::Result<()> {
//!     let acceptor = TlsAcceptor::new(config, answerer);
//!     let listener = TcpListener::bind("[::1]:8443").await?;
//!     loop {
//!         let (socket, _) = listener.accept().await?;
//!         let accepting = acceptor.accept(socket);
//!         tokio::spawn(async move {
//!             let mut stream = accepting.await?;
//!             let mut word = [0; 4];
//!             stream.read_exact(&mut word).await?;
//!             stream.write_all(&word).await?;
//!             stream.shutdown().await
//!         });
//!     }
//! }
//! ```
//!
//! Time limits need a runtime whose time driver is enabled; without one, switch them off with
//! [`TlsConnector::without_time_limits`] and [`TlsAcceptor::without_time_limits`].

mod accept;
mod answer;
mod connect;
mod early;
mod guarded;
mod halves;
mod parting;
mod split;
mod stream;
mod task;

pub use accept::{StartHandshake, TlsAcceptor};
pub use answer::{Answering, AsyncAnswerer, Immediate};
pub use connect::TlsConnector;
pub use early::{EarlyAccept, EarlyConnect};
pub use guarded::Guarded;
pub use halves::{Halves, SplitIo, from_halves};
pub use split::{TlsReadHalf, TlsSplit, TlsWriteHalf};
pub use stream::TlsStream;
