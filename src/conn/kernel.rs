//! Handing an open connection's keys to the kernel or to hardware.

use alloc::boxed::Box;
use core::fmt;

use super::core::Core;
use super::split::{Splits, Unsplit};
use crate::codepoint::CipherSuite;
use crate::config::Lease;
use crate::crypto::{Aead, Failed, HashSecret, NONCE_LEN};
use crate::error::{Error, Misuse};
use crate::record::SendBuf;
use crate::schedule::{ApplicationEpoch, Direction, Traffic};

/// Everything that a record layer outside this library needs. From here on, the limits on key usage (RFC 9846
/// section 5.5), KeyUpdate and close_notify are the caller's duty. Tickets are over: a client cannot use those that
/// arrive from here on, and a server cannot send those that are not sealed yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct Kernel {
    /// The cipher suite.
    pub suite: CipherSuite,
    /// For records from the peer.
    pub receive: KernelKeys,
    /// For records to the peer.
    pub send: KernelKeys,
    /// How many records one key may protect.
    pub record_limit: u64,
    /// How many bytes of content and padding a record to the peer may carry: 16,384, or what is left of the limit that
    /// the peer asked for (RFC 8449) without the content type.
    pub max_content: usize,
    /// What the connection's credential wants to be kept until the connection ends.
    pub lease: Option<Lease>,
}

/// The keys of one direction.
#[non_exhaustive]
pub struct KernelKeys {
    /// The AEAD key: 16 or 32 bytes.
    pub key: HashSecret,
    /// The static IV (RFC 9846 section 5.3).
    pub iv: [u8; NONCE_LEN],
    /// The sequence number of the next record.
    pub sequence: u64,
    /// The traffic secret, from which a KeyUpdate derives the next one (RFC 9846 section 7.2).
    pub secret: HashSecret,
}

impl KernelKeys {
    fn new<D: Direction>(
        traffic: &Traffic<D, ApplicationEpoch>,
        aead: &dyn Aead,
        sequence: u64,
    ) -> Result<Self, Failed> {
        let (key, iv) = traffic.raw_keys(aead)?;
        let secret = HashSecret::copy_of(traffic.expose()).ok_or(Failed::Provider)?;
        Ok(Self { key, iv, sequence, secret })
    }
}

impl fmt::Debug for KernelKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelKeys").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl<S: Splits> Core<S> {
    /// Hands the keys over; refused while anything waits that would be lost.
    pub(super) fn into_kernel(self, out: &SendBuf) -> Result<Kernel, Unsplit<Self>> {
        let waits = !self.events.is_empty()
            || !self.reading.joiner.is_empty()
            || !out.is_empty()
            || self.writing.owes_update()
            || self.writing.holds_tickets();
        let kernel = match self.open() {
            // The keys would go on sealing behind our close_notify.
            Ok(_) if self.writing.is_closed() => Err(Misuse::WriteClosed.into()),
            Ok(_) if waits => Err(Misuse::BytesPending.into()),
            Ok(open) => self.kernel(open.lease.clone()),
            Err(why) => Err(why),
        };
        kernel.map_err(|why| Unsplit { connection: Box::new(self), why })
    }

    fn kernel(&self, lease: Option<Lease>) -> Result<Kernel, Error> {
        let (suite, send, sent) = self.writing.live().ok_or(Misuse::NotEstablished)?;
        let (receive, received) = self.reading.live().ok_or(Misuse::NotEstablished)?;
        Ok(Kernel {
            suite: suite.id,
            receive: KernelKeys::new(receive, suite.aead, received)?,
            send: KernelKeys::new(send, suite.aead, sent)?,
            record_limit: suite.aead.record_limit(),
            max_content: self.writing.sealer.max_content(),
            lease,
        })
    }
}
