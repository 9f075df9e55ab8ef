//! A stream taken apart, for two threads.

use std::fmt;
use std::io::{BufRead, IoSlice, Read, Result, Write};
use std::net::TcpStream;

use super::super::half::{Reader, Writer};
use super::super::pipe::{Blocking, or_would_block};
use super::{GATHERED, Stream, gather};
use crate::conn::{Ask, Updated};

/// A transport that gives two independent handles to itself.
pub trait SplitIo {
    /// What reads.
    type Read: Read;
    /// What writes.
    type Write: Write;

    /// Splits.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn split_io(self) -> Result<(Self::Read, Self::Write)>;
}

impl SplitIo for TcpStream {
    type Read = Self;
    type Write = Self;

    fn split_io(self) -> Result<(Self, Self)> {
        Ok((self.try_clone()?, self))
    }
}

#[cfg(unix)]
impl SplitIo for std::os::unix::net::UnixStream {
    type Read = Self;
    type Write = Self;

    fn split_io(self) -> Result<(Self, Self)> {
        Ok((self.try_clone()?, self))
    }
}

/// The halves of a stream over `T`.
pub type Split<T> = (ReadHalf<<T as SplitIo>::Read>, WriteHalf<<T as SplitIo>::Write>);

impl<T: Read + Write> Stream<T> {
    /// Completes the handshake, then takes the stream apart: one half reads, the other writes.
    ///
    /// # Errors
    ///
    /// Those of the handshake and of [`SplitIo::split_io`], and `InvalidInput` while early data waits.
    pub fn split(self) -> Result<Split<T>>
    where
        T: SplitIo,
    {
        self.split_with(T::split_io)
    }

    /// As [`Stream::split`], for a transport that `split` can split.
    ///
    /// # Errors
    ///
    /// Those of the handshake and of `split`, and `InvalidInput` while early data waits.
    pub fn split_with<R: Read, W: Write>(
        mut self,
        split: impl FnOnce(T) -> Result<(R, W)>,
    ) -> Result<(ReadHalf<R>, WriteHalf<W>)> {
        self.handshake()?;
        let (reader, writer) = self.pump.split()?;
        let (r, w) = split(self.io)?;
        Ok((ReadHalf { io: r, reader }, WriteHalf { io: w, writer }))
    }
}

/// The half that reads. What it finds that concerns the other half, such as a KeyUpdate to be answered or an alert to
/// be sent, it leaves in a mailbox, which the other half empties in write, flush, close and drop.
pub struct ReadHalf<R> {
    io: R,
    reader: Reader,
}

impl<R> ReadHalf<R> {
    /// The transport.
    pub fn get_ref(&self) -> &R {
        &self.io
    }

    /// The transport. Whoever reads from it breaks the stream.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.io
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

impl<R: Read> Read for ReadHalf<R> {
    /// Reads decrypted bytes. 0 only after the peer's close_notify, or for an empty `buf`.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        or_would_block(self.reader.fill(&mut Blocking(&mut self.io)))?;
        Ok(self.reader.copy_to(buf))
    }
}

impl<R: Read> BufRead for ReadHalf<R> {
    /// Decrypted bytes, where the transport put them: nothing is copied.
    fn fill_buf(&mut self) -> Result<&[u8]> {
        or_would_block(self.reader.fill(&mut Blocking(&mut self.io)))?;
        Ok(self.reader.plain())
    }

    fn consume(&mut self, n: usize) {
        self.reader.consume(n);
    }
}

/// The half that writes. Dropping it sends no close_notify: call [`WriteHalf::close`].
pub struct WriteHalf<W: Write> {
    io: W,
    writer: Writer,
}

impl<W: Write> WriteHalf<W> {
    /// Sends close_notify and flushes. The reading half goes on until the peer closes.
    ///
    /// # Errors
    ///
    /// Those of the transport. After `WouldBlock`, call again.
    pub fn close(&mut self) -> Result<()> {
        self.writer.close()?;
        self.flush()
    }

    /// Changes our sending keys, and asks the peer to change its own if wanted (RFC 9846 section 4.7.3).
    ///
    /// # Errors
    ///
    /// `BrokenPipe` after [`WriteHalf::close`] and after a fault, and those of the transport.
    pub fn update_keys(&mut self, ask: Ask) -> Result<Updated> {
        let updated = self.writer.update_keys(ask)?;
        self.flush()?;
        Ok(updated)
    }

    /// The transport.
    pub fn get_ref(&self) -> &W {
        &self.io
    }

    /// The transport. Whoever writes to it breaks the stream.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.io
    }
}

impl<W: Write> Write for WriteHalf<W> {
    /// Seals some of `buf`, up to about 64 KiB, and writes the records as far as the transport takes them at once.
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        or_would_block(self.writer.write(&[buf], &mut Blocking(&mut self.io)))
    }

    /// As `write`; the slices are gathered into common records.
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        let mut parts = [&[][..]; GATHERED];
        or_would_block(self.writer.write(gather(bufs, &mut parts), &mut Blocking(&mut self.io)))
    }

    fn flush(&mut self) -> Result<()> {
        or_would_block(self.writer.flush(&mut Blocking(&mut self.io)))
    }
}

impl<W: Write> Drop for WriteHalf<W> {
    fn drop(&mut self) {
        self.writer.last_words(&mut Blocking(&mut self.io));
    }
}

impl<R: fmt::Debug> fmt::Debug for ReadHalf<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadHalf").field("io", &self.io).finish_non_exhaustive()
    }
}

impl<W: Write + fmt::Debug> fmt::Debug for WriteHalf<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteHalf").field("io", &self.io).finish_non_exhaustive()
    }
}
