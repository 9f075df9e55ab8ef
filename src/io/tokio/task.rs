//! A tokio transport, seen from within one poll.

use std::io::{ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::pipe::{Sink, Source};

/// A transport and the task that polls it.
pub(super) struct Task<'a, 'cx, IO>(pub(super) &'a mut IO, pub(super) &'a mut Context<'cx>);

impl<IO: AsyncRead + Unpin> Source for Task<'_, '_, IO> {
    fn read(&mut self, buf: &mut [u8]) -> Poll<Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        loop {
            match Pin::new(&mut *self.0).poll_read(self.1, &mut buf) {
                Poll::Ready(Ok(())) => return Poll::Ready(Ok(buf.filled().len())),
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<IO: AsyncWrite + Unpin> Sink for Task<'_, '_, IO> {
    fn write(&mut self, bytes: &[u8]) -> Poll<Result<usize>> {
        loop {
            match Pin::new(&mut *self.0).poll_write(self.1, bytes) {
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> Poll<Result<()>> {
        loop {
            match Pin::new(&mut *self.0).poll_flush(self.1) {
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}
