//! The socket: its first eight bytes, byte-wise delivery, a write that is left unfinished, and how it is closed.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, TcpStream};
use std::time::Duration;

use symbolon::conn::SendBuf;

use crate::options::Options;

/// How long to wait for the runner to hang up, at most; it gives up after fifteen seconds itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to the runner.
pub struct Link {
    stream: TcpStream,
    delivery: Delivery,
    /// Received from the socket, not delivered yet.
    received: Vec<u8>,
    /// Sent only once this is `Flowing`.
    outflow: Outflow,
}

/// How bytes are delivered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As they come.
    Whole,
    /// One by one, both ways.
    Bytewise,
}

/// Whether bytes leave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outflow {
    Flowing,
    Held,
}

impl Link {
    /// Connects to the runner and says who we are.
    pub fn connect(options: &Options, delivery: Delivery) -> std::io::Result<Self> {
        let address: IpAddr =
            if options.ipv6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        let mut stream = TcpStream::connect((address, options.port))?;
        stream.set_nodelay(true)?;
        stream.write_all(&options.shim_id.to_le_bytes())?;
        Ok(Self { stream, delivery, received: Vec::new(), outflow: Outflow::Flowing })
    }

    /// Appends what arrived to `input`; `false` at the end. A connection that was reset has ended.
    pub fn read(&mut self, input: &mut Vec<u8>) -> std::io::Result<bool> {
        if self.received.is_empty() {
            let mut buffer = [0; 16 << 10];
            let len = match self.stream.read(&mut buffer) {
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
                Err(error) => return Err(error),
            };
            self.received.extend_from_slice(&buffer[..len]);
        }
        if self.received.is_empty() {
            return Ok(false);
        }
        match self.delivery {
            Delivery::Whole => input.append(&mut self.received),
            Delivery::Bytewise => input.push(self.received.remove(0)),
        }
        Ok(true)
    }

    /// Sends what is pending, unless a write is left unfinished.
    pub fn flush(&mut self, out: &mut SendBuf) -> std::io::Result<()> {
        if self.outflow == Outflow::Held {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(out.pending().len());
        while let [first, ..] = out.pending() {
            match self.delivery {
                Delivery::Whole => {
                    bytes.extend_from_slice(out.pending());
                    out.advance(out.pending().len());
                }
                Delivery::Bytewise => {
                    bytes.push(*first);
                    out.advance(1);
                }
            }
        }
        match self.stream.write_all(&bytes) {
            // Whoever hung up told us why, or will not: what was received decides.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                Ok(())
            }
            written => written,
        }
    }

    /// Sends one byte of what is pending; the rest stays until [`Link::release`].
    pub fn hold(&mut self, out: &mut SendBuf) -> std::io::Result<()> {
        if let [first, ..] = out.pending() {
            self.stream.write_all(&[*first])?;
            out.advance(1);
        }
        self.outflow = Outflow::Held;
        Ok(())
    }

    /// Lets bytes leave again.
    pub fn release(&mut self) {
        self.outflow = Outflow::Flowing;
    }

    /// Ends our side and waits for the other: closing a socket with unread bytes would destroy what is on its way.
    pub fn close(mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let _ = self.stream.set_read_timeout(Some(PATIENCE));
        let mut buffer = [0; 16 << 10];
        while matches!(self.stream.read(&mut buffer), Ok(1..)) {}
    }
}
