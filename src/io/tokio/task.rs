//! A tokio transport, seen from within one poll.

use std::io::{ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

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

/// A reader that also sends what is pending, while another task may wait for the same transport to take bytes: that
/// one must not lose its wake-up to the reader, which may never come back.
pub(super) struct Reading<'a, 'cx, IO> {
    pub(super) task: Task<'a, 'cx, IO>,
    pub(super) writer: Option<&'a Waker>,
}

impl<IO: AsyncRead + Unpin> Source for Reading<'_, '_, IO> {
    fn read(&mut self, buf: &mut [u8]) -> Poll<Result<usize>> {
        self.task.read(buf)
    }
}

impl<IO: AsyncWrite + Unpin> Sink for Reading<'_, '_, IO> {
    fn write(&mut self, bytes: &[u8]) -> Poll<Result<usize>> {
        let waker = self.waker();
        Task(&mut *self.task.0, &mut Context::from_waker(&waker)).write(bytes)
    }

    fn flush(&mut self) -> Poll<Result<()>> {
        let waker = self.waker();
        Task(&mut *self.task.0, &mut Context::from_waker(&waker)).flush()
    }
}

impl<IO> Reading<'_, '_, IO> {
    /// Wakes whoever waits.
    fn waker(&self) -> Waker {
        let reader = self.task.1.waker();
        match self.writer {
            Some(writer) if !writer.will_wake(reader) => {
                Waker::from(Arc::new(Both(reader.clone(), writer.clone())))
            }
            _ => reader.clone(),
        }
    }
}

struct Both(Waker, Waker);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
        self.1.wake_by_ref();
    }
}
