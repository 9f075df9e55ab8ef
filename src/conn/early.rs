//! Early data (RFC 9846 section 2.3): what a client sends before the server has answered, what a server reads of it, and
//! what a server sends before the client's Finished.

use super::core::Core;
use super::event::Plaintext;
use super::side::{ClientSide, ServerSide};
use crate::error::{Error, Misuse};
use crate::handshake::HalfRtt;
use crate::record::SendBuf;

/// Early data that a server received, decrypted where it lay.
///
/// It is not forward secret, and whoever saw it on its way can send it again: to this server the replay guard sees to
/// that, to a server behind another guard nothing does.
///
/// ```compile_fail,E0616
/// # use symbolon::conn::EarlyPlaintext;
/// fn at_once(early: EarlyPlaintext<'_>) -> usize { early.plain.bytes.len() }
/// ```
/// ```
/// # use symbolon::conn::EarlyPlaintext;
/// fn knowingly(early: EarlyPlaintext<'_>) -> usize { early.accept_replayable().bytes.len() }
/// ```
#[derive(Debug)]
pub struct EarlyPlaintext<'b> {
    pub(super) plain: Plaintext<'b>,
}

impl<'b> EarlyPlaintext<'b> {
    /// The data. What is done with it must be harmless if it is done once more.
    #[must_use]
    pub fn accept_replayable(self) -> Plaintext<'b> {
        self.plain
    }
}

/// Sends a client's early data, until the server has said what becomes of it.
pub struct EarlyWriter<'c> {
    pub(super) core: &'c mut Core<ClientSide>,
}

impl EarlyWriter<'_> {
    /// How many bytes the ticket still permits.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.core.early_left().unwrap_or(0)
    }

    /// Seals the concatenation of `parts` into `out`, as much of it as the ticket permits and as fits below the limit of
    /// `out`, and gives the number of bytes taken. Nothing of it is ever sent again by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`], which ends the connection.
    pub fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
        self.core.write_early(parts, out)
    }
}

/// Sends a server's data before the client's Finished (RFC 9846 section 2.3): the client has not proved yet that it is
/// there, and with early data it may be a replay.
pub struct HalfRttWriter<'c> {
    pub(super) core: &'c mut Core<ServerSide>,
    pub(super) to: HalfRtt,
}

impl HalfRttWriter<'_> {
    /// Permits to write although the client was asked for a certificate and has not proved yet who it is.
    #[must_use]
    pub fn to_unauthenticated(self) -> Self {
        Self { to: HalfRtt::Open, ..self }
    }

    /// Seals the concatenation of `parts` into `out`, as much of it as fits below the limit of `out`, and gives the number
    /// of bytes taken.
    ///
    /// # Errors
    ///
    /// [`Misuse::Unauthenticated`] while the client's certificate is awaited, unless
    /// [`HalfRttWriter::to_unauthenticated`] permits it; [`Error::Provider`], which ends the connection.
    pub fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
        match self.to {
            HalfRtt::Open => self.core.send(|writing| writing.write(parts, out)),
            HalfRtt::Unauthenticated => Err(Misuse::Unauthenticated.into()),
        }
    }
}
