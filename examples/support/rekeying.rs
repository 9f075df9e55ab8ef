//! New keys in the middle of a connection (RFC 9846 section 4.7.3): asked for and counted by a command line.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use symbolon::codepoint::HandshakeType;
use symbolon::conn::{Ask, Direction, MessageKind, Reported, Revealed, Updated};
use symbolon::io::Observer;

#[derive(Clone, Copy, clap::Args)]
pub struct Rekeying {
    /// Tells how many KeyUpdates were sent and received; `ask` also asks for new keys, both ways, before each piece of
    /// data that is sent
    #[arg(long, value_name = "MODE")]
    key_updates: Option<Mode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Count,
    Ask,
}

impl Rekeying {
    /// Whether the configuration must report messages.
    pub fn counts(&self) -> bool {
        self.key_updates.is_some()
    }

    /// Changes keys where the command line wants it, by what a stream does for it.
    pub fn before_data(&self, update: impl FnOnce(Ask) -> io::Result<Updated>) -> io::Result<()> {
        if self.key_updates == Some(Mode::Ask) {
            // An unanswered request, and the limit of a connection, are no errors.
            update(Ask::Peer)?;
        }
        Ok(())
    }

    /// What counts on one connection, and passes secrets to the key log.
    pub fn tally(&self, key_log: Option<Arc<dyn Observer>>) -> Option<Arc<Tally>> {
        self.counts().then(|| Arc::new(Tally { key_log, ..Tally::default() }))
    }
}

/// Counts the KeyUpdates of one connection.
#[derive(Default)]
pub struct Tally {
    key_log: Option<Arc<dyn Observer>>,
    sent: AtomicUsize,
    received: AtomicUsize,
}

impl Tally {
    pub fn words(&self) -> String {
        let [sent, received] = [&self.sent, &self.received].map(|count| count.load(Ordering::Relaxed));
        format!("key updates: {sent} sent, {received} received")
    }
}

impl Observer for Tally {
    fn secret(&self, secret: &Revealed) {
        if let Some(log) = &self.key_log {
            log.secret(secret);
        }
    }

    fn message(&self, message: &Reported) {
        if message.kind == MessageKind::Handshake(HandshakeType::KEY_UPDATE) {
            match message.direction {
                Direction::Sent => &self.sent,
                Direction::Received => &self.received,
            }
            .fetch_add(1, Ordering::Relaxed);
        }
    }
}
