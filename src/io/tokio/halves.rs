//! Transports that come in halves, or can be taken apart.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::net::{TcpStream, tcp};
#[cfg(unix)]
use ::tokio::net::{UnixStream, unix};

/// A transport that splits itself into two without a lock. Others begin as two, by [`from_halves`].
pub trait SplitIo {
    /// What reads.
    type Read: AsyncRead + Unpin;
    /// What writes.
    type Write: AsyncWrite + Unpin;

    /// Splits.
    fn split_io(self) -> (Self::Read, Self::Write);
}

impl SplitIo for TcpStream {
    type Read = tcp::OwnedReadHalf;
    type Write = tcp::OwnedWriteHalf;

    fn split_io(self) -> (Self::Read, Self::Write) {
        self.into_split()
    }
}

#[cfg(unix)]
impl SplitIo for UnixStream {
    type Read = unix::OwnedReadHalf;
    type Write = unix::OwnedWriteHalf;

    fn split_io(self) -> (Self::Read, Self::Write) {
        self.into_split()
    }
}

/// A transport made of what reads and what writes.
#[derive(Debug)]
pub struct Halves<R, W> {
    read: R,
    write: W,
}

/// Makes one transport of two halves, so that a TLS stream over it can be taken apart again.
pub fn from_halves<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(read: R, write: W) -> Halves<R, W> {
    Halves { read, write }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> SplitIo for Halves<R, W> {
    type Read = R;
    type Write = W;

    fn split_io(self) -> (R, W) {
        (self.read, self.write)
    }
}

impl<R: AsyncRead + Unpin, W: Unpin> AsyncRead for Halves<R, W> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().read).poll_read(cx, buf)
    }
}

impl<R: Unpin, W: AsyncWrite + Unpin> AsyncWrite for Halves<R, W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().write).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().write).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.write.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().write).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().write).poll_shutdown(cx)
    }
}
