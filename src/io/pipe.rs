//! The shape of a transport: ready, or not yet.

use std::io::{ErrorKind, Read, Result, Write};
use std::task::Poll;

/// Where bytes come from.
pub(super) trait Source {
    /// Reads into `buf`; 0 is the end.
    fn read(&mut self, buf: &mut [u8]) -> Poll<Result<usize>>;
}

/// Where bytes go.
pub(super) trait Sink {
    /// Writes some of `bytes`.
    fn write(&mut self, bytes: &[u8]) -> Poll<Result<usize>>;

    /// Pushes on what was written.
    fn flush(&mut self) -> Poll<Result<()>>;
}

/// A blocking transport. One that is set to non-blocking says `WouldBlock`, which is "not yet".
pub(super) struct Blocking<'a, T>(pub(super) &'a mut T);

impl<T: Read> Source for Blocking<'_, T> {
    fn read(&mut self, buf: &mut [u8]) -> Poll<Result<usize>> {
        retry(|| self.0.read(buf))
    }
}

impl<T: Write> Sink for Blocking<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> Poll<Result<usize>> {
        retry(|| self.0.write(bytes))
    }

    fn flush(&mut self) -> Poll<Result<()>> {
        retry(|| self.0.flush())
    }
}

fn retry<V>(mut call: impl FnMut() -> Result<V>) -> Poll<Result<V>> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
            done => return Poll::Ready(done),
        }
    }
}

/// Back to what a blocking caller understands.
pub(super) fn or_would_block<V>(poll: Poll<Result<V>>) -> Result<V> {
    match poll {
        Poll::Ready(done) => done,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}
