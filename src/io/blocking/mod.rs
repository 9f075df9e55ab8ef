//! TLS over anything that reads and writes, with the standard library's traits.
//! Knows the pump and who answers; nothing of connections.
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use std::sync::Arc;
//! use symbolon::config::ClientConfig;
//! use symbolon::crypto::Provider;
//! use symbolon::io::blocking::{Stream, tcp_farewell};
//! use symbolon::policy::Answerer;
//!
//! fn fetch(provider: Provider, answerer: Arc<dyn Answerer>) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
//!     let config = ClientConfig::builder(provider).alpn(["http/1.1"]).build()?;
//!     let socket = TcpStream::connect(("example.com", 443))?;
//!     let mut stream = Stream::client(&config, "example.com".try_into()?, answerer, socket)
//!         .with_farewell(tcp_farewell);
//!     println!("{:?}", stream.handshake()?.suite);
//!     stream.write_all(b"GET / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n")?;
//!     let mut answer = Vec::new();
//!     stream.read_to_end(&mut answer)?; // an end without close_notify is an error: nothing was cut off
//!     stream.close()?;
//!     Ok(answer)
//! }
//! ```

mod early;
mod farewell;
mod split;

pub use farewell::tcp_farewell;
pub use split::{ReadHalf, Split, SplitIo, WriteHalf};

use std::fmt;
use std::io::{BufRead, ErrorKind, IoSlice, Read, Result, Write};
use std::sync::Arc;

use rustls_pki_types::ServerName;

use super::buffers::Buffers;
use super::conn::{EarlyData, Start};
use super::error::has_alert;
use super::observer::Observer;
use super::pipe::{Blocking, or_would_block};
use super::pump::{Pump, Turn, Until};
use super::sessions::Keeper;
use crate::config::{ClientConfig, ServerConfig};
use crate::conn::{Ask, Offer, Summary, Updated};
use crate::policy::Answerer;

/// How many slices a vectored write gathers into records at once.
pub(super) const GATHERED: usize = 16;

/// A TLS stream over `T`, which reads and writes: a socket, a `&mut` of one, or anything else.
///
/// The handshake takes place with the first read or write, or with [`Stream::handshake`]. An `io::Error` of this
/// library has the library's own error inside: see [`tls_error`](super::tls_error). `WouldBlock` and `TimedOut` of
/// the transport pass through and lose nothing: call again. `Interrupted` is retried.
///
/// After a fault the alert is written before the error is returned. A socket that is then closed while input waits
/// is reset, and the reset may overtake the alert: [`Stream::with_farewell`] prevents that. Dropping a stream sends
/// nothing: call [`Stream::close`].
pub struct Stream<T> {
    io: T,
    pump: Pump,
    answerer: Arc<dyn Answerer>,
    farewell: Option<fn(&mut T)>,
}

impl<T> Stream<T> {
    /// A client's stream to the server that `name` names. Nothing is sent yet.
    pub fn client(
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
        answerer: Arc<dyn Answerer>,
        io: T,
    ) -> Self {
        let (config, early) = (Arc::clone(config), EarlyData::Unwanted);
        Self::new(Start::Client { config, name, offer: None, early }, answerer, io)
    }

    /// A server's stream.
    pub fn server(config: &Arc<ServerConfig>, answerer: Arc<dyn Answerer>, io: T) -> Self {
        Self::new(Start::Server { config: Arc::clone(config) }, answerer, io)
    }

    fn new(start: Start, answerer: Arc<dyn Answerer>, io: T) -> Self {
        let pump = Pump::new(start, Buffers::keeping(1), Keeper::Answerer(Arc::clone(&answerer)));
        Self { io, pump, answerer, farewell: None }
    }

    /// Takes buffers from this pool, which other streams share, rather than from one of its own. Only before the
    /// handshake; ignored later.
    #[must_use]
    pub fn with_buffers(mut self, buffers: &Buffers) -> Self {
        self.pump.set_buffers(buffers.clone());
        self
    }

    /// Has `observer` look on.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.pump.set_observer(observer);
        self
    }

    /// What a client brings along from earlier connections, instead of a ticket from the answerer's store. Ignored for
    /// servers, and after the handshake began.
    #[must_use]
    pub fn with_offer(mut self, brought: Offer) -> Self {
        if let Some(Start::Client { offer, .. }) = self.pump.start_mut() {
            *offer = Some(brought);
        }
        self
    }

    /// What to do with the transport after a fault of the peer, when the alert was written: shut the write side
    /// down and drain the input, within bounds of bytes and time, as [`tcp_farewell`] does. By default nothing: a
    /// stream cannot know whether reading from `T` would ever return.
    #[must_use]
    pub fn with_farewell(mut self, farewell: fn(&mut T)) -> Self {
        self.farewell = Some(farewell);
        self
    }

    /// What was negotiated; `None` before the handshake is complete.
    #[must_use]
    pub fn summary(&self) -> Option<&Summary> {
        self.pump.summary()
    }

    /// `TLS-Exporter(label, context, out.len())` (RFC 9846 section 7.5).
    ///
    /// # Errors
    ///
    /// `InvalidInput` before the handshake is complete, or for lengths that cannot be.
    pub fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.pump.exporter(label, context, out)
    }

    /// The transport.
    pub fn get_ref(&self) -> &T {
        &self.io
    }

    /// The transport. Whoever reads from it or writes to it breaks the stream.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.io
    }

    /// The transport. Whatever is buffered here, in either direction, is lost.
    pub fn into_inner(self) -> T {
        self.io
    }
}

impl<T: Read + Write> Stream<T> {
    /// Completes the handshake, unless it is complete.
    ///
    /// # Errors
    ///
    /// Those of the transport, and those of this library: see [`tls_error`](super::tls_error).
    pub fn handshake(&mut self) -> Result<&Summary> {
        while !self.pump.was_established() {
            self.turn(Until::Told)?;
        }
        or_would_block(self.pump.flush(&mut Blocking(&mut self.io)))?;
        self.pump.summary().ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// Changes our sending keys, and asks the peer to change its own if wanted (RFC 9846 section 4.7.3).
    ///
    /// # Errors
    ///
    /// `InvalidInput` before the handshake is complete, `BrokenPipe` after [`Stream::close`], and those of the
    /// transport.
    pub fn update_keys(&mut self, ask: Ask) -> Result<Updated> {
        let updated = self.pump.update_keys(ask)?;
        self.flush()?;
        Ok(updated)
    }

    /// Closes our side: sends close_notify and flushes. Reading goes on until the peer closes its own.
    ///
    /// # Errors
    ///
    /// Those of the transport. After `WouldBlock`, call again.
    pub fn close(&mut self) -> Result<()> {
        self.pump.close();
        self.flush()
    }

    /// Goes on until something happens, answering questions on the way.
    fn turn(&mut self, until: Until) -> Result<Turn> {
        let Self { io, pump, answerer, farewell } = self;
        let turned = turn(pump, &**answerer, io, until);
        if let (Err(error), Some(farewell)) = (&turned, farewell)
            && has_alert(error)
        {
            farewell(io);
            // Once: the error is told again, the transport is not asked again.
            self.farewell = None;
        }
        turned
    }

    /// Goes on until decrypted data waits, or the peer has closed.
    fn fill(&mut self) -> Result<()> {
        loop {
            match self.turn(Until::Told)? {
                Turn::Data | Turn::Closed => return Ok(()),
                _ => {}
            }
        }
    }

    fn write_parts(&mut self, parts: &[&[u8]]) -> Result<usize> {
        if !self.pump.was_established() {
            self.handshake()?;
        }
        or_would_block(self.pump.write(parts, &mut Blocking(&mut self.io)))
    }
}

fn turn<T: Read + Write>(pump: &mut Pump, answerer: &dyn Answerer, io: &mut T, until: Until) -> Result<Turn> {
    let mut pipe = Blocking(io);
    loop {
        let turn = or_would_block(pump.turn(&mut pipe, until))?;
        match turn {
            Turn::Ask(question) => pump.resume(answerer.answer(question), &mut pipe)?,
            // The question was answered with an answer to another one, which was refused when it was given.
            Turn::Waiting => return Err(ErrorKind::InvalidInput.into()),
            Turn::Established => {
                while let Some(question) = pump.settle(&mut pipe)? {
                    pump.resume(answerer.answer(question), &mut pipe)?;
                }
                // The peer's data may be here already: our Finished must not wait until we want more of it. What the
                // transport does not take now, or refuses, is met again.
                let _ = pump.flush(&mut pipe);
                return Ok(Turn::Established);
            }
            Turn::Data | Turn::Closed | Turn::Early | Turn::HalfRtt => return Ok(turn),
        }
    }
}

impl<T: Read + Write> Read for Stream<T> {
    /// Reads decrypted bytes. 0 only after the peer's close_notify, or for an empty `buf`. `InvalidInput` while early
    /// data waits: see [`Stream::read_early`].
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.fill()?;
        Ok(self.pump.copy_to(buf))
    }
}

impl<T: Read + Write> BufRead for Stream<T> {
    /// Decrypted bytes, where the transport put them: nothing is copied.
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.fill()?;
        Ok(self.pump.plain())
    }

    fn consume(&mut self, n: usize) {
        self.pump.consume(n);
    }
}

impl<T: Read + Write> Write for Stream<T> {
    /// Seals some of `buf`, up to about 64 KiB, and writes the records as far as the transport takes them at once.
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        self.write_parts(&[buf])
    }

    /// As `write`; the slices are gathered into common records.
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        let mut parts = [&[][..]; GATHERED];
        self.write_parts(gather(bufs, &mut parts))
    }

    fn flush(&mut self) -> Result<()> {
        or_would_block(self.pump.flush(&mut Blocking(&mut self.io)))
    }
}

impl<T: fmt::Debug> fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("io", &self.io)
            .field("established", &self.pump.was_established())
            .finish_non_exhaustive()
    }
}

/// The first of the slices that are not empty.
pub(super) fn gather<'a, 'p>(bufs: &'a [IoSlice<'_>], parts: &'p mut [&'a [u8]; GATHERED]) -> &'p [&'a [u8]] {
    let full = bufs.iter().filter(|buf| !buf.is_empty());
    let count = parts.iter_mut().zip(full).map(|(part, buf)| *part = buf).count();
    parts.get(..count).unwrap_or_default()
}
