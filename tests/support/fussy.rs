//! A transport for the tokio adapter's tests that hesitates at every point.

use std::io::Result;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

/// A transport that is pending every other time and moves at most `most` bytes.
pub struct Fussy {
    io: DuplexStream,
    most: usize,
    ticks: [bool; 3],
}

impl Fussy {
    pub fn two(most: usize) -> (Self, Self) {
        let (up, down) = duplex(3000);
        (Self { io: up, most, ticks: [false; 3] }, Self { io: down, most, ticks: [false; 3] })
    }

    fn hesitates(&mut self, way: usize, cx: &mut Context<'_>) -> bool {
        self.ticks[way] = !self.ticks[way];
        if self.ticks[way] {
            cx.waker().wake_by_ref();
        }
        self.ticks[way]
    }
}

impl AsyncRead for Fussy {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if self.hesitates(0, cx) {
            return Poll::Pending;
        }
        let mut some = vec![0; self.most.min(buf.remaining())];
        let mut part = ReadBuf::new(&mut some);
        let read = Pin::new(&mut self.io).poll_read(cx, &mut part);
        buf.put_slice(part.filled());
        read
    }
}

impl AsyncWrite for Fussy {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        if self.hesitates(1, cx) {
            return Poll::Pending;
        }
        let n = self.most.min(buf.len());
        Pin::new(&mut self.io).poll_write(cx, &buf[..n])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.hesitates(2, cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
