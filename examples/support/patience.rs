//! A socket that waits only until a point in time, however slowly its peer dribbles.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use symbolon::io::blocking::tcp_farewell;

/// A socket with a deadline for everything that it does, until the deadline is renewed.
pub struct Patient {
    socket: TcpStream,
    patience: Duration,
    until: Instant,
}

impl Patient {
    pub fn new(socket: TcpStream, patience: Duration) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self { socket, patience, until: Instant::now() + patience })
    }

    /// Starts the time anew: the peer did something worthwhile.
    pub fn renew(&mut self) {
        self.until = Instant::now() + self.patience;
    }

    /// For `Stream::with_farewell`.
    pub fn farewell(&mut self) {
        tcp_farewell(&mut self.socket);
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Patient {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buf).map_err(timed_out)
    }
}

impl Write for Patient {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(buf).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A blocking socket says `WouldBlock` when its time is up.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
        _ => error,
    }
}
