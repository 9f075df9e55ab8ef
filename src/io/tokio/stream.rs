//! A TLS stream over a tokio stream.

use std::fmt;
use std::future::poll_fn;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use ::tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::super::blocking::{GATHERED, gather};
use super::super::error::has_alert;
use super::super::pump::{Pump, Turn, Until};
use super::answer::{AsyncAnswerer, Questions};
use super::halves::SplitIo;
use super::parting::{Clock, Parting};
use super::split::{TlsReadHalf, TlsSplit, TlsWriteHalf};
use super::task::{Reading, Task};
use crate::conn::{Ask, EarlyOpening, EarlyVerdict, Summary, Updated};
use crate::question::{Answer, Configure, Question};

/// A TLS stream over `IO`, whose handshake is complete.
///
/// No call loses anything when its future is dropped. An `io::Error` of this library has the library's own error
/// inside: see [`tls_error`](crate::io::tls_error). An end without the peer's close_notify is `UnexpectedEof`.
/// After a fault of the peer the error is returned when the alert was flushed, the write side shut down and the input
/// drained: at most 64 KiB and one second later.
///
/// What was written is sealed at once, but the transport may not have taken all of it: flush before waiting long.
/// `AsyncRead` copies decrypted bytes once; `AsyncBufRead` not at all. Dropping a stream sends nothing: shut it down.
pub struct TlsStream<IO> {
    io: IO,
    pump: Pump,
    questions: Questions,
    farewell: Farewell,
    clock: Clock,
    /// The task that waits for the transport to take bytes, if one does; another one may be reading.
    writer: Option<Waker>,
}

/// How far a stream is in leaving.
enum Farewell {
    NotDue,
    Under(Parting),
    Done,
}

impl<IO> TlsStream<IO> {
    pub(super) fn new(io: IO, pump: Pump, answerer: Arc<dyn AsyncAnswerer>, clock: Clock) -> Self {
        let (questions, farewell) = (Questions::new(answerer), Farewell::NotDue);
        Self { io, pump, questions, farewell, clock, writer: None }
    }

    /// What was negotiated; `None` only before the handshake is complete.
    #[must_use]
    pub fn summary(&self) -> Option<&Summary> {
        self.pump.summary()
    }

    /// `TLS-Exporter(label, context, out.len())` (RFC 9846 section 7.5).
    ///
    /// # Errors
    ///
    /// `InvalidInput` for lengths that cannot be.
    pub fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.pump.exporter(label, context, out)
    }

    /// The same from the early exporter secret, on a connection with early data: what it gives does not depend on the
    /// server having answered, and repeats when the first flight is replayed.
    ///
    /// # Errors
    ///
    /// `InvalidInput` without early data, or for lengths that cannot be.
    pub fn early_exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.pump.early_exporter(label, context, out)
    }

    /// Client: what became of early data; `None` where none could be sent.
    #[must_use]
    pub fn early_verdict(&self) -> Option<EarlyVerdict> {
        self.pump.early_verdict()
    }

    /// Server: what early data was sent for; `None` where none was accepted.
    #[must_use]
    pub fn early_opening(&self) -> Option<&EarlyOpening> {
        self.pump.early_opening()
    }

    /// Server: reads early data that came before the handshake was complete; 0 when there is no more of it, or for an
    /// empty `buf`. While some waits, reading ordinary data and splitting the stream is `InvalidInput`.
    ///
    /// The client of this connection has sent it, as its Finished proves. Another server may have read it too.
    pub fn read_early(&mut self, buf: &mut [u8]) -> usize {
        self.pump.copy_early(buf)
    }

    /// Changes our sending keys, and asks the peer to change its own if wanted (RFC 9846 section 4.7.3). The message
    /// leaves with the next write or flush.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` after the stream was shut down.
    pub fn update_keys(&mut self, ask: Ask) -> Result<Updated> {
        self.pump.update_keys(ask)
    }

    /// The transport.
    pub fn get_ref(&self) -> &IO {
        &self.io
    }

    /// The transport. Whoever reads from it or writes to it breaks the stream.
    pub fn get_mut(&mut self) -> &mut IO {
        &mut self.io
    }

    /// The transport. Whatever is buffered here, in either direction, is lost.
    pub fn into_inner(self) -> IO {
        self.io
    }

    pub(super) fn pump(&mut self) -> &mut Pump {
        &mut self.pump
    }

    /// Takes the stream apart: one half reads, the other writes, without a lock between them.
    ///
    /// # Errors
    ///
    /// The error that ended the stream, if one did; `InvalidInput` while early data waits.
    pub fn into_split(self) -> Result<TlsSplit<IO>>
    where
        IO: SplitIo,
    {
        let (reader, writer) = self.pump.split()?;
        let (r, w) = self.io.split_io();
        Ok((TlsReadHalf::new(r, reader), TlsWriteHalf::new(w, writer, self.questions)))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> TlsStream<IO> {
    /// Completes the handshake.
    pub(super) async fn establish(mut self) -> Result<Self> {
        poll_fn(|cx| self.poll_established(cx)).await?;
        Ok(self)
    }

    /// Goes on until the ClientHello asks for a configuration.
    pub(super) async fn until_configure(&mut self) -> Result<Configure> {
        poll_fn(|cx| {
            ready!(self.poll_farewell(cx))?;
            match ready!(self.pump.turn(&mut Task(&mut self.io, cx), Until::Told)) {
                Ok(Turn::Ask(Question::Configure(question))) => Poll::Ready(Ok(*question)),
                Ok(_) => {
                    let why = "the configuration has a credential of its own: nothing is left to choose";
                    Poll::Ready(Err(Error::new(ErrorKind::InvalidInput, why)))
                }
                Err(error) => self.poll_failed(error, cx),
            }
        })
        .await
    }

    /// Gives an answer by hand.
    pub(super) async fn resume(&mut self, answer: Answer) -> Result<()> {
        let mut answer = Some(answer);
        poll_fn(|cx| {
            ready!(self.poll_farewell(cx))?;
            let resumed = match answer.take() {
                Some(answer) => self.pump.resume(answer, &mut Task(&mut self.io, cx)),
                None => Ok(()),
            };
            match resumed {
                Ok(()) => Poll::Ready(Ok(())),
                Err(error) => self.poll_failed(error, cx),
            }
        })
        .await
    }

    /// Goes on until early data waits, or none will come.
    pub(super) fn poll_early(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while !self.pump.early_is_told() {
            ready!(self.poll_turn(cx, Until::Early))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Goes on until our Finished was sent.
    pub(super) fn poll_half_rtt(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while !self.pump.is_half_rtt() {
            ready!(self.poll_turn(cx, Until::HalfRtt))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Does what a writer wants before the handshake is complete.
    pub(super) fn poll_writing_early<V>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut Pump, &mut Task<'_, '_, IO>) -> Poll<Result<V>>,
    ) -> Poll<Result<V>> {
        ready!(self.poll_farewell(cx))?;
        self.poll_writing(cx, write)
    }

    fn poll_established(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while !self.pump.was_established() {
            ready!(self.poll_turn(cx, Until::Told))?;
        }
        self.pump.flush(&mut Task(&mut self.io, cx))
    }

    /// Goes on until something happens, having questions answered on the way.
    fn poll_turn(&mut self, cx: &mut Context<'_>, until: Until) -> Poll<Result<Turn>> {
        ready!(self.poll_farewell(cx))?;
        loop {
            if let Err(error) = self.take_answers(cx) {
                return self.poll_failed(error, cx);
            }
            let task = Task(&mut self.io, cx);
            let turned = self.pump.turn(&mut Reading { task, writer: self.writer.as_ref() }, until);
            match ready!(turned) {
                Ok(Turn::Ask(question)) => self.questions.ask(question),
                Ok(Turn::Waiting) if self.questions.is_empty() => {
                    // It was answered with an answer to another one, which was refused when it was given.
                    return Poll::Ready(Err(ErrorKind::InvalidInput.into()));
                }
                Ok(Turn::Waiting) => {
                    // What was sealed before the question may already help the peer.
                    if let Poll::Ready(Err(error)) = self.pump.flush(&mut Task(&mut self.io, cx)) {
                        return Poll::Ready(Err(error));
                    }
                    return Poll::Pending;
                }
                Ok(Turn::Established) => {
                    while let Some(question) = self.pump.settle(&mut Task(&mut self.io, cx))? {
                        self.questions.ask(question);
                    }
                    self.take_answers(cx)?;
                    return Poll::Ready(Ok(Turn::Established));
                }
                Ok(turn) => return Poll::Ready(Ok(turn)),
                Err(error) => return self.poll_failed(error, cx),
            }
        }
    }

    fn take_answers(&mut self, cx: &mut Context<'_>) -> Result<()> {
        while let Some(answer) = self.questions.poll(cx) {
            self.pump.resume(answer, &mut Task(&mut self.io, cx))?;
        }
        Ok(())
    }

    /// Tells an error, after the alert was delivered as far as possible.
    fn poll_failed<V>(&mut self, error: Error, cx: &mut Context<'_>) -> Poll<Result<V>> {
        // A writer that waits has nothing to wait for any more.
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        if has_alert(&error) && matches!(self.farewell, Farewell::NotDue) {
            self.farewell = Farewell::Under(Parting::new(error, self.clock));
            return match ready!(self.poll_farewell(cx)) {
                Err(error) => Poll::Ready(Err(error)),
                Ok(()) => Poll::Ready(Err(ErrorKind::NotConnected.into())),
            };
        }
        Poll::Ready(Err(error))
    }

    /// Goes on leaving, if that was begun; ready with the error at its end.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if let Farewell::Under(parting) = &mut self.farewell {
            ready!(parting.poll(&mut self.io, &mut self.pump, cx));
        }
        match mem::replace(&mut self.farewell, Farewell::Done) {
            Farewell::Under(parting) => Poll::Ready(Err(parting.into_error())),
            before => {
                self.farewell = before;
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Does what a writer wants, and remembers the task if it has to wait.
    fn poll_writing<V>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut Pump, &mut Task<'_, '_, IO>) -> Poll<Result<V>>,
    ) -> Poll<Result<V>> {
        self.take_answers(cx)?;
        let written = write(&mut self.pump, &mut Task(&mut self.io, cx));
        match (&written, &mut self.writer) {
            (Poll::Ready(_), writer) => *writer = None,
            (Poll::Pending, Some(writer)) => writer.clone_from(cx.waker()),
            (Poll::Pending, writer) => *writer = Some(cx.waker().clone()),
        }
        written
    }

    /// Goes on until decrypted data waits, or the peer has closed.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            match ready!(self.poll_turn(cx, Until::Told))? {
                Turn::Data | Turn::Closed => return Poll::Ready(Ok(())),
                _ => {}
            }
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<IO> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        if buf.remaining() > 0 {
            ready!(this.poll_data(cx))?;
            let n = this.pump.plain().len().min(buf.remaining());
            buf.put_slice(this.pump.plain().get(..n).unwrap_or_default());
            this.pump.consume(n);
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncBufRead for TlsStream<IO> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_data(cx))?;
        Poll::Ready(Ok(this.pump.plain()))
    }

    fn consume(self: Pin<&mut Self>, n: usize) {
        self.get_mut().pump.consume(n);
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<IO> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        self.get_mut().poll_writing(cx, |pump, task| pump.write(&[buf], task))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let mut parts = [&[][..]; GATHERED];
        let parts = gather(bufs, &mut parts);
        self.get_mut().poll_writing(cx, |pump, task| pump.write(parts, task))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.get_mut().poll_writing(cx, |pump, task| pump.flush(task))
    }

    /// Sends close_notify, flushes, and shuts the transport's write side down. Reading goes on.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        this.pump.close();
        ready!(this.poll_writing(cx, |pump, task| pump.flush(task)))?;
        Pin::new(&mut this.io).poll_shutdown(cx)
    }
}

impl<IO: fmt::Debug> fmt::Debug for TlsStream<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream").field("io", &self.io).finish_non_exhaustive()
    }
}
