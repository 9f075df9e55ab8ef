//! Looking on: what an adapter tells about a connection beside its data.

use crate::conn::{Reported, Revealed, Summary};
use crate::policy::Statistics;

/// Looks on while a stream works, for key logs, timelines and statistics. Its methods do nothing unless overridden.
pub trait Observer: Send + Sync {
    /// A traffic secret, where the configuration reveals secrets. Whoever has it can read the traffic.
    fn secret(&self, secret: &Revealed) {
        let _ = secret;
    }

    /// A message that passed, where the configuration reports messages.
    fn message(&self, message: &Reported) {
        let _ = message;
    }

    /// The handshake is complete: what was negotiated. Told once.
    fn established(&self, summary: &Summary) {
        let _ = summary;
    }
}

/// Counts the connections that are established.
impl Observer for Statistics {
    fn established(&self, summary: &Summary) {
        self.record(summary);
    }
}
