//! A TLS stream taken apart, for two tasks.

use std::fmt;
use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use ::tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::super::blocking::{GATHERED, gather};
use super::super::half::{Reader, Writer};
use super::answer::Questions;
use super::halves::SplitIo;
use super::task::Task;
use crate::conn::{Ask, Updated};

/// The halves of a stream over `IO`.
pub type TlsSplit<IO> = (TlsReadHalf<<IO as SplitIo>::Read>, TlsWriteHalf<<IO as SplitIo>::Write>);

/// The half that reads. What it finds that concerns the other half, such as a KeyUpdate to be answered or an alert to
/// be sent, it leaves in a mailbox: the other half empties it in write, flush, shutdown and drop, and is woken for it
/// while it waits in one of these.
pub struct TlsReadHalf<R> {
    io: R,
    reader: Reader,
}

impl<R> TlsReadHalf<R> {
    pub(super) fn new(io: R, reader: Reader) -> Self {
        Self { io, reader }
    }

    /// The transport.
    pub fn get_ref(&self) -> &R {
        &self.io
    }

    /// `TLS-Exporter(label, context, out.len())` (RFC 9846 section 7.5).
    ///
    /// # Errors
    ///
    /// `InvalidInput` for lengths that cannot be.
    pub fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.reader.exporter(label, context, out)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for TlsReadHalf<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let Self { io, reader } = self.get_mut();
        if buf.remaining() > 0 {
            ready!(reader.fill(&mut Task(io, cx)))?;
            let n = reader.plain().len().min(buf.remaining());
            buf.put_slice(reader.plain().get(..n).unwrap_or_default());
            reader.consume(n);
        }
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncRead + Unpin> AsyncBufRead for TlsReadHalf<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        let Self { io, reader } = self.get_mut();
        ready!(reader.fill(&mut Task(io, cx)))?;
        Poll::Ready(Ok(reader.plain()))
    }

    fn consume(self: Pin<&mut Self>, n: usize) {
        self.get_mut().reader.consume(n);
    }
}

/// The half that writes. Dropping it sends no close_notify: shut it down.
pub struct TlsWriteHalf<W: AsyncWrite + Unpin> {
    io: W,
    writer: Writer,
    questions: Questions,
}

impl<W: AsyncWrite + Unpin> TlsWriteHalf<W> {
    pub(super) fn new(io: W, writer: Writer, questions: Questions) -> Self {
        Self { io, writer, questions }
    }

    /// The transport.
    pub fn get_ref(&self) -> &W {
        &self.io
    }

    /// Changes our sending keys, and asks the peer to change its own if wanted (RFC 9846 section 4.7.3). The message
    /// leaves with the next write or flush.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` after the half was shut down, and after a fault.
    pub fn update_keys(&mut self, ask: Ask) -> Result<Updated> {
        self.writer.update_keys(ask)
    }

    fn poll_parts(&mut self, cx: &mut Context<'_>, parts: &[&[u8]]) -> Poll<Result<usize>> {
        self.prepare(cx);
        let Self { io, writer, .. } = self;
        writer.write(parts, &mut Task(io, cx))
    }

    /// Takes late answers, and has this task woken by the reading half.
    fn prepare(&mut self, cx: &mut Context<'_>) {
        while let Some(answer) = self.questions.poll(cx) {
            self.writer.resume(answer);
        }
        self.writer.mailbox().register(cx.waker());
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for TlsWriteHalf<W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        self.get_mut().poll_parts(cx, &[buf])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let mut parts = [&[][..]; GATHERED];
        self.get_mut().poll_parts(cx, gather(bufs, &mut parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        this.prepare(cx);
        this.writer.flush(&mut Task(&mut this.io, cx))
    }

    /// Sends close_notify, flushes, and shuts the transport's write side down.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        this.prepare(cx);
        this.writer.close()?;
        ready!(this.writer.flush(&mut Task(&mut this.io, cx)))?;
        Pin::new(&mut this.io).poll_shutdown(cx)
    }
}

impl<W: AsyncWrite + Unpin> Drop for TlsWriteHalf<W> {
    fn drop(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        self.writer.last_words(&mut Task(&mut self.io, &mut cx));
    }
}

impl<R: fmt::Debug> fmt::Debug for TlsReadHalf<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsReadHalf").field("io", &self.io).finish_non_exhaustive()
    }
}

impl<W: AsyncWrite + Unpin + fmt::Debug> fmt::Debug for TlsWriteHalf<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsWriteHalf").field("io", &self.io).finish_non_exhaustive()
    }
}
