//! Data that moves before the handshake is complete.

use std::io::{Read, Result, Write};

use super::super::conn::{EarlyData, Start};
use super::super::pipe::{Blocking, or_would_block};
use super::super::pump::Until;
use super::Stream;
use crate::conn::{EarlyOpening, EarlyVerdict};

impl<T> Stream<T> {
    /// Has a client ask for early data, where its ticket permits it: for [`Stream::write_early`]. Ignored for servers,
    /// and after the handshake began.
    #[must_use]
    pub fn with_early_data(mut self) -> Self {
        if let Some(Start::Client { early, .. }) = self.pump.start_mut() {
            *early = EarlyData::Wanted;
        }
        self
    }

    /// Client: how many bytes of early data may still be sent; 0 without a ticket that permits it, and once the handshake
    /// is complete. The ticket is taken now, if it was not yet.
    ///
    /// # Errors
    ///
    /// Why the handshake cannot begin.
    pub fn early_left(&mut self) -> Result<usize> {
        self.pump.early_left()
    }

    /// Client: what became of early data; `None` before the server has said so, and where none could be sent.
    #[must_use]
    pub fn early_verdict(&self) -> Option<EarlyVerdict> {
        self.pump.early_verdict()
    }

    /// Server: what early data was sent for; `None` before it came, and where none was accepted.
    #[must_use]
    pub fn early_opening(&self) -> Option<&EarlyOpening> {
        self.pump.early_opening()
    }

    /// As [`Stream::exporter`] from the early exporter secret, on a connection with early data: what it gives does not
    /// depend on the server having answered, and repeats when the first flight is replayed.
    ///
    /// # Errors
    ///
    /// `InvalidInput` without early data, or for lengths that cannot be.
    pub fn early_exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.pump.early_exporter(label, context, out)
    }
}

impl<T: Read + Write> Stream<T> {
    /// Client: sends some of `buf` as early data (RFC 9846 section 2.3), behind the ClientHello, and reads nothing. 0
    /// where no more may be sent, or for an empty `buf`: what is left is for ordinary writing.
    ///
    /// Whoever sees early data can send it once more: it must be harmless when it is processed twice. It is never sent
    /// again here: complete the handshake, then ask [`Stream::early_verdict`].
    ///
    /// ```no_run
    /// # use std::io::{Read, Result, Write};
    /// # use symbolon::{conn::EarlyVerdict, io::blocking::Stream};
    /// fn request<T: Read + Write>(stream: Stream<T>, get: &[u8]) -> Result<Stream<T>> {
    ///     let mut stream = stream.with_early_data();
    ///     let mut sent = 0;
    ///     while let n @ 1.. = stream.write_early(&get[sent..])? {
    ///         sent += n;
    ///     }
    ///     stream.handshake()?;
    ///     if stream.early_verdict() != Some(EarlyVerdict::Accepted) {
    ///         sent = 0; // a GET may be sent again
    ///     }
    ///     stream.write_all(&get[sent..])?;
    ///     Ok(stream)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the transport, and why the handshake cannot begin.
    pub fn write_early(&mut self, buf: &[u8]) -> Result<usize> {
        or_would_block(self.pump.write_early(&[buf], &mut Blocking(&mut self.io)))
    }

    /// Server: reads early data, going on with the handshake as far as that needs; 0 when there is no more of it, or for
    /// an empty `buf`. See [`Stream::early_opening`] for what it was sent for.
    ///
    /// As long as [`Stream::summary`] is `None`, nothing proves that the client is there now, and another server may have
    /// read the same: what is done with these bytes must be harmless if it is done once more. After
    /// [`Stream::handshake`], this connection's client has sent them.
    ///
    /// # Errors
    ///
    /// As [`Stream::handshake`].
    pub fn read_early(&mut self, buf: &mut [u8]) -> Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        while !self.pump.early_is_told() {
            self.turn(Until::Early)?;
        }
        Ok(self.pump.copy_early(buf))
    }

    /// Server: writes some of `buf`, although the client's Finished may not have come (RFC 9846 section 2.3): nothing
    /// proves before it that the client is there. Goes on with the handshake as far as that needs. A client's handshake is
    /// completed first.
    ///
    /// # Errors
    ///
    /// `InvalidInput` while a client certificate is awaited; those of [`Stream::handshake`].
    pub fn write_half_rtt(&mut self, buf: &[u8]) -> Result<usize> {
        while !self.pump.is_half_rtt() {
            self.turn(Until::HalfRtt)?;
        }
        or_would_block(self.pump.write_half_rtt(&[buf], &mut Blocking(&mut self.io)))
    }
}
