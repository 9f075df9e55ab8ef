//! Bytes on their way out.

use std::io::{ErrorKind, Result};
use std::mem;
use std::task::Poll;

use super::buffers::{Buffers, SEND_LIMIT};
use super::pipe::Sink;
use crate::conn::SendBuf;

/// The output of one connection. It holds memory only while bytes are pending.
pub(super) struct Outbox {
    pool: Buffers,
    buf: SendBuf,
    owner: Owner,
    transport: Transport,
}

/// Whose memory `buf` has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// None yet, or a little of its own: what reading makes us send is rare and short.
    Own,
    /// The pool's.
    Pool,
}

/// Whether the transport itself may hold bytes back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Flushed,
    Written,
}

impl Outbox {
    pub(super) fn new(pool: Buffers) -> Self {
        let buf = SendBuf::with_limit(SEND_LIMIT);
        Self { pool, buf, owner: Owner::Own, transport: Transport::Flushed }
    }

    /// The buffer to be sealed into.
    pub(super) fn buf(&mut self) -> &mut SendBuf {
        &mut self.buf
    }

    /// The buffer to be sealed into, with memory from the pool: more than a few bytes are expected.
    pub(super) fn warm(&mut self) -> &mut SendBuf {
        if self.owner == Owner::Own && self.buf.is_empty() {
            self.buf = self.pool.take_send();
            self.owner = Owner::Pool;
        }
        &mut self.buf
    }

    /// Whether nothing is pending.
    pub(super) fn is_empty(&self) -> bool {
        self.buf.is_empty()
    }

    /// Writes everything that is pending to the transport.
    pub(super) fn push(&mut self, sink: &mut impl Sink) -> Poll<Result<()>> {
        while !self.buf.is_empty() {
            match sink.write(self.buf.pending()) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(n)) => {
                    self.transport = Transport::Written;
                    self.buf.advance(n);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        self.settle();
        Poll::Ready(Ok(()))
    }

    /// Writes everything that is pending, and makes the transport pass it on.
    pub(super) fn flush(&mut self, sink: &mut impl Sink) -> Poll<Result<()>> {
        match self.push(sink) {
            Poll::Ready(Ok(())) if self.transport == Transport::Written => {}
            done => return done,
        }
        let flushed = sink.flush();
        if let Poll::Ready(Ok(())) = flushed {
            self.transport = Transport::Flushed;
        }
        flushed
    }

    /// Takes buffers from another pool from now on.
    pub(super) fn set_pool(&mut self, pool: Buffers) {
        self.release();
        self.pool = pool;
    }

    /// Gives the memory back when nothing is pending.
    pub(super) fn settle(&mut self) {
        if self.buf.is_empty() {
            self.release();
        }
    }

    fn release(&mut self) {
        let mut buf = mem::replace(&mut self.buf, SendBuf::with_limit(SEND_LIMIT));
        if mem::replace(&mut self.owner, Owner::Own) == Owner::Pool {
            buf.advance(usize::MAX);
            self.pool.give_send(buf);
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.release();
    }
}
