//! One connection to Redis: dialled within a time limit, read within a limit of bytes, closed when dropped.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};
use std::io::{Error as IoError, ErrorKind, Result as IoResult};

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, ConnectionAddr, ErrorKind as RedisErrorKind, Pipeline, RedisError, RedisResult,
    ServerError, ServerErrorKind, Value,
};
use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::net::TcpStream;
use ::tokio::task::JoinHandle;
use ::tokio::time::timeout;

use super::settings::RedisSettings;
use super::status::RedisStatus;

/// How many bytes may come without a reply that anybody waited for being complete. The package that parses replies
/// gathers them without a limit of its own.
const MOST_UNANSWERED: usize = 1 << 20;

/// One connection.
pub(super) struct Line {
    replies: Replies,
    driver: JoinHandle<()>,
}

/// Asks over a line, from wherever; a copy does not keep the line open.
#[derive(Clone)]
pub(super) struct Replies {
    connection: MultiplexedConnection,
    meter: Arc<Meter>,
}

impl Line {
    /// Connects and logs in. Spawns a task, which ends with the line.
    pub(super) async fn dial(settings: &RedisSettings) -> Result<Self, RedisStatus> {
        match timeout(settings.patience, Self::dial_patiently(settings)).await {
            Ok(line) => line,
            Err(_) => Err(RedisStatus::Unreachable),
        }
    }

    async fn dial_patiently(settings: &RedisSettings) -> Result<Self, RedisStatus> {
        let unreachable = |_: IoError| RedisStatus::Unreachable;
        match settings.address.addr() {
            ConnectionAddr::Tcp(host, port) => {
                let socket = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
                let _ = socket.set_nodelay(true);
                Self::over(socket, settings).await
            }
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => {
                let socket = ::tokio::net::UnixStream::connect(path).await.map_err(unreachable)?;
                Self::over(socket, settings).await
            }
            _ => Err(RedisStatus::Unreachable),
        }
    }

    async fn over<S>(socket: S, settings: &RedisSettings) -> Result<Self, RedisStatus>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let meter = Arc::new(Meter::default());
        let socket = Metered { io: socket, meter: Arc::clone(&meter) };
        // Time limits are ours.
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(None)
            .set_connection_timeout(None)
            .set_pipeline_buffer_size(settings.most_in_flight);
        let login = settings.address.redis_settings();
        let made = MultiplexedConnection::new_with_config(login, socket, config).await;
        let (connection, driver) = made.map_err(|error| Self::blame(&error, &meter))?;
        Ok(Self { replies: Replies { connection, meter }, driver: ::tokio::spawn(driver) })
    }

    /// To ask over this line.
    pub(super) fn replies(&self) -> &Replies {
        &self.replies
    }

    /// Waits until the line is closed, and says why.
    pub(super) async fn closed(&mut self) -> RedisStatus {
        let _ = (&mut self.driver).await;
        self.replies.meter.blame()
    }

    /// What an error says of the server.
    fn blame(error: &RedisError, meter: &Meter) -> RedisStatus {
        if meter.is_exceeded() {
            return RedisStatus::Nonsense;
        }
        match error.kind() {
            RedisErrorKind::AuthenticationFailed => RedisStatus::Denied,
            RedisErrorKind::Io => RedisStatus::Unreachable,
            RedisErrorKind::Server(kind) => blame_kind(kind),
            _ => match error.code() {
                Some("NOAUTH" | "WRONGPASS") => RedisStatus::Denied,
                _ => RedisStatus::Nonsense,
            },
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Replies {
    /// Sends all commands of `pipeline` in one go and waits for as many replies, errors of the server among them.
    pub(super) async fn ask(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RedisStatus> {
        let mut connection = self.connection.clone();
        let replies: RedisResult<Vec<Value>> =
            connection.send_packed_commands(pipeline, 0, pipeline.len()).await;
        let replies = replies.map_err(|error| Line::blame(&error, &self.meter))?;
        self.meter.used.store(0, Ordering::Relaxed);
        Ok(replies)
    }
}

/// What the server's own error says of it.
pub(super) fn blame_server(error: &ServerError) -> RedisStatus {
    match error.kind() {
        Some(kind) => blame_kind(kind),
        None if matches!(error.code(), "NOAUTH" | "WRONGPASS") => RedisStatus::Denied,
        None => RedisStatus::Nonsense,
    }
}

fn blame_kind(kind: ServerErrorKind) -> RedisStatus {
    match kind {
        ServerErrorKind::NoPerm => RedisStatus::Denied,
        ServerErrorKind::ReadOnly | ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown => {
            RedisStatus::NotMaster
        }
        _ => RedisStatus::Nonsense,
    }
}

/// How many bytes came since the last reply.
#[derive(Default)]
struct Meter {
    used: AtomicUsize,
}

impl Meter {
    fn is_exceeded(&self) -> bool {
        self.used.load(Ordering::Relaxed) > MOST_UNANSWERED
    }

    fn blame(&self) -> RedisStatus {
        if self.is_exceeded() { RedisStatus::Nonsense } else { RedisStatus::Unreachable }
    }
}

/// A transport that fails when too many bytes come at once.
struct Metered<S> {
    io: S,
    meter: Arc<Meter>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<IoResult<()>> {
        if self.meter.is_exceeded() {
            return Poll::Ready(Err(ErrorKind::InvalidData.into()));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        let came = buf.filled().len().saturating_sub(before);
        self.meter.used.fetch_add(came, Ordering::Relaxed);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<IoResult<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
