//! Leaving a socket so that the alert arrives.

use std::io::{ErrorKind, Read};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// How much input is drained after a fault, in bytes.
const MOST: usize = 64 << 10;

/// How long input is drained after a fault.
const LONGEST: Duration = Duration::from_secs(1);

/// Shuts the write side of a TCP socket down and drains its input: at most 64 KiB, for at most one second. A socket
/// that is closed while input waits is reset, and the reset may overtake the alert that was just written.
///
/// For [`Stream::with_farewell`](super::Stream::with_farewell). The socket's read timeout is as before afterwards.
pub fn tcp_farewell(socket: &mut TcpStream) {
    if socket.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let Ok(before) = socket.read_timeout() else { return };
    if let Some(until) = Instant::now().checked_add(LONGEST) {
        drain(socket, MOST, until);
    }
    let _ = socket.set_read_timeout(before);
}

fn drain(socket: &mut TcpStream, most: usize, until: Instant) {
    let mut rest = most;
    let mut scrap = [0; 2048];
    while rest > 0 {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || socket.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match socket.read(&mut scrap) {
            Ok(0) => return,
            Ok(n) => rest = rest.saturating_sub(n),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
