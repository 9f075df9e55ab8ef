//! What outlives the handshake: the exporter and the resumption secret (RFC 9846 sections 7.5 and 4.7.1).

use super::label::{LONGEST, Label};
use crate::crypto::{Expansion, Failed, Hash, HashSecret};
use crate::error::{Error, Misuse};

/// The exporter secret (RFC 9846 section 7.5).
pub struct Exporter {
    hash: &'static dyn Hash,
    secret: HashSecret,
}

impl Exporter {
    pub(super) fn new(hash: &'static dyn Hash, secret: HashSecret) -> Self {
        Self { hash, secret }
    }

    /// `TLS-Exporter(label, context, out.len())`.
    pub(crate) fn export(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let too_long = |_| Error::Misuse(Misuse::ExporterLength);
        let empty = self.hash.hash(&[]);
        let mut derived = HashSecret::zeroed(self.hash.output_len());
        let first = Label::<LONGEST>::new(derived.len(), label, empty.as_ref()).map_err(too_long)?;
        let first = Expansion { info: first.as_ref(), out: derived.expose_mut() };
        self.hash.expand(self.secret.expose(), &mut [first])?;
        let context = self.hash.hash(&[context]);
        let second = Label::<LONGEST>::new(out.len(), b"exporter", context.as_ref()).map_err(too_long)?;
        let second = Expansion { info: second.as_ref(), out };
        self.hash.expand(derived.expose(), &mut [second]).map_err(too_long)
    }

    /// The secret itself, for a key log.
    pub(crate) fn expose(&self) -> &[u8] {
        self.secret.expose()
    }
}

/// The resumption secret (RFC 9846 section 7.1).
pub struct Resumption {
    hash: &'static dyn Hash,
    secret: HashSecret,
}

impl Resumption {
    pub(super) fn new(hash: &'static dyn Hash, secret: HashSecret) -> Self {
        Self { hash, secret }
    }

    /// The PSK of the ticket with this nonce (RFC 9846 section 4.7.1).
    pub(crate) fn psk(&self, ticket_nonce: &[u8]) -> Result<HashSecret, Failed> {
        let mut psk = HashSecret::zeroed(self.hash.output_len());
        // A nonce may have 255 bytes, more than any other context.
        let label = Label::<LONGEST>::new(psk.len(), b"resumption", ticket_nonce)?;
        self.hash
            .expand(self.secret.expose(), &mut [Expansion { info: label.as_ref(), out: psk.expose_mut() }])?;
        Ok(psk)
    }
}
