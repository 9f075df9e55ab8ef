//! New keys in the middle of a connection (RFC 9846 section 4.7.3): asked for by a command line, and counted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use symbolon::codepoint::HandshakeType;
use symbolon::conn::{Ask, Direction, MessageKind, Reported, Revealed, Updated};
use symbolon::io::Observer;

#[derive(Clone, Copy, clap::Args)]
pub struct Rekeying {
    /// Asks for new keys, both ways, before each piece of data that is sent
    ///
    /// A request waits until the one before it was answered.
    #[arg(long)]
    update_keys: bool,
}

impl Rekeying {
    /// What counts on one connection, and passes secrets to the key log.
    pub fn tally(self, key_log: Option<Arc<dyn Observer>>) -> Arc<Tally> {
        Arc::new(Tally { rekeying: self, key_log, asked: 0.into(), received: 0.into() })
    }
}

/// Counts the KeyUpdates of one connection.
pub struct Tally {
    rekeying: Rekeying,
    key_log: Option<Arc<dyn Observer>>,
    asked: AtomicUsize,
    received: AtomicUsize,
}

impl Tally {
    /// Asks for new keys where the command line wants it, by what a stream does for it.
    pub fn before_data(&self, update: impl FnOnce(Ask) -> io::Result<Updated>) -> io::Result<()> {
        // An unanswered request, and the limit of a connection, are no errors.
        if self.rekeying.update_keys && update(Ask::Peer)? == Updated::Done {
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// How often new keys were asked for.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// How many KeyUpdates came, as far as messages are reported: not after a stream was split.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::Relaxed)
    }
}

impl Observer for Tally {
    fn secret(&self, secret: &Revealed) {
        if let Some(log) = &self.key_log {
            log.secret(secret);
        }
    }

    fn message(&self, message: &Reported) {
        let update = MessageKind::Handshake(HandshakeType::KEY_UPDATE);
        if message.direction == Direction::Received && message.kind == update {
            self.received.fetch_add(1, Ordering::Relaxed);
        }
    }
}
