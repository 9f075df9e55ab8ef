//! Handshakes under way, with data that moves before they are complete.

use std::fmt;
use std::future::poll_fn;
use std::io::Result;
use std::task::ready;

use ::tokio::io::{AsyncRead, AsyncWrite};

use super::connect::Deadline;
use super::stream::TlsStream;
use crate::conn::EarlyOpening;

/// A client's handshake under way, which can send early data. Nothing is sent before it is used.
///
/// ```no_run
/// # use std::io::Result;
/// # use symbolon::{conn::EarlyVerdict, io::tokio::{TlsConnector, TlsStream}};
/// # use rustls_pki_types::ServerName;
/// # use tokio::{io::AsyncWriteExt, net::TcpStream};
/// async fn request(
///     connector: &TlsConnector,
///     name: ServerName<'static>,
///     socket: TcpStream,
///     get: &[u8],
/// ) -> Result<TlsStream<TcpStream>> {
///     let mut early = connector.connect_early(name, socket);
///     let mut sent = 0;
///     while let n @ 1.. = early.write_early(&get[sent..]).await? {
///         sent += n;
///     }
///     let mut stream = early.finish().await?;
///     if stream.early_verdict() != Some(EarlyVerdict::Accepted) {
///         sent = 0; // a GET may be sent again
///     }
///     stream.write_all(&get[sent..]).await?;
///     Ok(stream)
/// }
/// ```
pub struct EarlyConnect<IO> {
    stream: TlsStream<IO>,
    deadline: Deadline,
}

impl<IO> EarlyConnect<IO> {
    pub(super) fn new(stream: TlsStream<IO>, deadline: Deadline) -> Self {
        Self { stream, deadline }
    }

    /// How many bytes of early data may still be sent; 0 without a ticket that permits it. The ticket is taken now, if it
    /// was not yet.
    ///
    /// # Errors
    ///
    /// Why the handshake cannot begin.
    pub fn early_left(&mut self) -> Result<usize> {
        self.stream.pump().early_left()
    }

    /// As [`TlsStream::early_exporter`].
    ///
    /// # Errors
    ///
    /// As [`TlsStream::early_exporter`].
    pub fn early_exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.stream.early_exporter(label, context, out)
    }

    /// The transport.
    pub fn get_ref(&self) -> &IO {
        self.stream.get_ref()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> EarlyConnect<IO> {
    /// Sends some of `buf` as early data (RFC 9846 section 2.3), behind the ClientHello, and reads nothing. 0 where no more
    /// may be sent, or for an empty `buf`: what is left is for ordinary writing. Nothing is taken when the future is
    /// dropped before it is ready.
    ///
    /// Whoever sees early data can send it once more: it must be harmless when it is processed twice. It is never sent
    /// again here: see [`TlsStream::early_verdict`].
    ///
    /// # Errors
    ///
    /// `TimedOut`, those of the transport, and why the handshake cannot begin.
    pub async fn write_early(&mut self, buf: &[u8]) -> Result<usize> {
        let Self { stream, deadline } = self;
        let writing =
            poll_fn(|cx| stream.poll_writing_early(cx, |pump, task| pump.write_early(&[buf], task)));
        deadline.limit(writing).await
    }

    /// Has the transport pass on what was written.
    ///
    /// # Errors
    ///
    /// `TimedOut`, and those of the transport.
    pub async fn flush(&mut self) -> Result<()> {
        let Self { stream, deadline } = self;
        deadline.limit(poll_fn(|cx| stream.poll_writing_early(cx, |pump, task| pump.flush(task)))).await
    }

    /// Completes the handshake.
    ///
    /// # Errors
    ///
    /// As [`TlsConnector::connect`](super::TlsConnector::connect).
    pub async fn finish(self) -> Result<TlsStream<IO>> {
        self.deadline.limit(self.stream.establish()).await
    }
}

/// A server's handshake under way, which can read early data and answer it. Nothing is read before it is used.
///
/// ```no_run
/// # use std::io::Result;
/// # use symbolon::io::tokio::{TlsAcceptor, TlsStream};
/// # use tokio::net::TcpStream;
/// # fn answer(request: &[u8]) -> Option<&'static [u8]> { None }
/// async fn serve(acceptor: &TlsAcceptor, socket: TcpStream) -> Result<TlsStream<TcpStream>> {
///     let mut early = acceptor.accept_early(socket);
///     let (mut request, mut buf) = (Vec::new(), [0; 1024]);
///     while let n @ 1.. = early.read_early(&mut buf).await? {
///         request.extend(&buf[..n]); // bounded by the configuration
///     }
///     if let Some(mut answer) = answer(&request) {
///         while !answer.is_empty() {
///             answer = &answer[early.write_half_rtt(answer).await?..];
///         }
///     }
///     early.finish().await
/// }
/// ```
pub struct EarlyAccept<IO> {
    stream: TlsStream<IO>,
    deadline: Deadline,
}

impl<IO> EarlyAccept<IO> {
    pub(super) fn new(stream: TlsStream<IO>, deadline: Deadline) -> Self {
        Self { stream, deadline }
    }

    /// What early data was sent for; `None` before it came, and where none was accepted.
    #[must_use]
    pub fn early_opening(&self) -> Option<&EarlyOpening> {
        self.stream.early_opening()
    }

    /// As [`TlsStream::early_exporter`].
    ///
    /// # Errors
    ///
    /// As [`TlsStream::early_exporter`].
    pub fn early_exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.stream.early_exporter(label, context, out)
    }

    /// The transport.
    pub fn get_ref(&self) -> &IO {
        self.stream.get_ref()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> EarlyAccept<IO> {
    /// Reads early data, going on with the handshake as far as that needs; 0 when there is no more of it, or for an empty
    /// `buf`. Nothing is lost when the future is dropped.
    ///
    /// Nothing proves yet that the client is there now, and another server may have read the same: what is done with these
    /// bytes must be harmless if it is done once more. For bytes of which the client's Finished is the proof, finish first
    /// and then call [`TlsStream::read_early`].
    ///
    /// # Errors
    ///
    /// As [`TlsAcceptor::accept`](super::TlsAcceptor::accept).
    pub async fn read_early(&mut self, buf: &mut [u8]) -> Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.deadline.limit(poll_fn(|cx| self.stream.poll_early(cx))).await?;
        Ok(self.stream.read_early(buf))
    }

    /// Writes some of `buf` before the client's Finished has come (RFC 9846 section 2.3), going on with the handshake as far
    /// as that needs. Nothing is taken when the future is dropped before it is ready.
    ///
    /// # Errors
    ///
    /// `InvalidInput` while a client certificate is awaited, and as
    /// [`TlsAcceptor::accept`](super::TlsAcceptor::accept).
    pub async fn write_half_rtt(&mut self, buf: &[u8]) -> Result<usize> {
        let Self { stream, deadline } = self;
        let writing = poll_fn(|cx| {
            ready!(stream.poll_half_rtt(cx))?;
            stream.poll_writing_early(cx, |pump, task| pump.write_half_rtt(&[buf], task))
        });
        deadline.limit(writing).await
    }

    /// Has the transport pass on what was written.
    ///
    /// # Errors
    ///
    /// `TimedOut`, and those of the transport.
    pub async fn flush(&mut self) -> Result<()> {
        let Self { stream, deadline } = self;
        deadline.limit(poll_fn(|cx| stream.poll_writing_early(cx, |pump, task| pump.flush(task)))).await
    }

    /// Completes the handshake. Early data that was not read is kept for [`TlsStream::read_early`].
    ///
    /// # Errors
    ///
    /// As [`TlsAcceptor::accept`](super::TlsAcceptor::accept).
    pub async fn finish(self) -> Result<TlsStream<IO>> {
        self.deadline.limit(self.stream.establish()).await
    }
}

impl<IO: fmt::Debug> fmt::Debug for EarlyConnect<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EarlyConnect").field("io", self.get_ref()).finish_non_exhaustive()
    }
}

impl<IO: fmt::Debug> fmt::Debug for EarlyAccept<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EarlyAccept").field("io", self.get_ref()).finish_non_exhaustive()
    }
}
