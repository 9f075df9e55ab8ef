//! The handshake machines: pure, without records, sockets, clocks or certificates' meaning.
//!
//! A state is a plain struct named for what it waits for; each arrow consumes it and returns the exact next one.
//! What needs the outside world leaves as a [`Question`]; what is sent leaves through a [`Carrier`].

mod auth;
pub(crate) mod client;
mod post;
#[cfg(all(test, feature = "rustcrypto"))]
pub(crate) mod replay;

pub(crate) mod server;
mod summary;

pub use client::Offer;
pub use post::Remember;
pub(crate) use post::new_session_ticket;
pub use summary::{Resumed, Summary};

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::alert::AlertCode;
use crate::codepoint::CipherSuite;
use crate::config::Common;
use crate::crypto::{Rng, Suite};
use crate::error::{Error, Failed, Fault, Misuse, Refusal};
use crate::identity::Peer;
use crate::question::{Question, SealTicket, Tag};
use crate::record::{EpochBoundary, SizeLimit, Skip, Skipped};
use crate::schedule::{ApplicationEpoch, Direction, Exporter, FinishedMatched, Keys, Traffic};
use crate::transcript::Transcript;

/// What carries a handshake: TCP records, or QUIC frames.
pub(crate) trait Carrier {
    /// Whose traffic we read.
    type Read: Direction;
    /// Whose traffic we write.
    type Write: Direction;

    /// Where whole handshake messages are appended. They leave in full records, at the latest at the next key
    /// change or [`Carrier::end_flight`], or while a question keeps the machine waiting.
    fn messages(&mut self) -> &mut Vec<u8>;

    /// Seals what waits: the next message starts a record of its own.
    fn end_flight(&mut self) -> Result<(), Error>;

    /// Changes read keys, which only a record boundary permits.
    fn rekey_read(&mut self, keys: Keys<Self::Read>, boundary: EpochBoundary);

    /// Seals what waits, then changes write keys.
    fn rekey_write(&mut self, keys: Keys<Self::Write>, suite: &Suite) -> Result<(), Error>;

    /// Changes write keys to those of application data, which may flow at once as [`HalfRtt`] says.
    fn open_write(
        &mut self,
        traffic: Traffic<Self::Write, ApplicationEpoch>,
        suite: &'static Suite,
        to: HalfRtt,
    ) -> Result<(), Error>;

    /// Client: early data may be sent, at most `max` bytes; alerts stay unprotected meanwhile.
    fn send_early(&mut self, keys: Keys<Self::Write>, suite: &Suite, max: u32);

    /// Client: what is sent is unprotected once more, after a HelloRetryRequest.
    fn write_plain_again(&mut self);

    /// Client: keys for when early data has ended, and for an alert before.
    fn stage_write(&mut self, keys: Keys<Self::Write>, suite: &'static Suite);

    /// Client: early data has ended: seals what waits, then changes write keys to those that were staged.
    fn change_write(&mut self) -> Result<(), Error>;

    /// Client: what became of early data.
    fn early_verdict(&mut self, verdict: EarlyVerdict);

    /// Server: early data is read from now on.
    fn open_early(&mut self, opening: EarlyOpening);

    /// Server: early data has ended.
    fn close_early(&mut self);

    /// Keying material can be exported before the handshake is complete.
    fn early_exporter(&mut self, exporter: Exporter);

    /// A compatibility ChangeCipherSpec is due before the next protected record (RFC 9846 appendix E.4).
    fn compat_ccs(&mut self);

    /// Sends a compatibility ChangeCipherSpec at once, behind everything that was sealed, unless one was sent.
    fn compat_ccs_now(&mut self) -> Result<(), Error>;

    /// What protected records may hold from now on: `ours` those that we receive, `peers` those that we send.
    fn limit_records(&mut self, ours: Option<SizeLimit>, peers: Option<SizeLimit>);

    /// The configuration that serves the connection is known: padding and what is shown follow it. What may be
    /// buffered stays as the first configuration had it.
    fn adopt(&mut self, common: &Common);

    /// How refused early data is passed over.
    fn skip_early_data(&mut self, skip: Skip);

    /// Whether anything was passed over so far.
    fn skipped(&self) -> Skipped;

    /// Shows a secret to the caller, where the configuration says so.
    fn reveal(&mut self, label: SecretLabel, client_random: &[u8; 32], secret: &[u8]);
}

/// Which secret is revealed; the names of the key log format (draft-ietf-tls-keylogfile).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretLabel {
    /// `client_early_traffic_secret`
    ClientEarlyTraffic,
    /// `early_exporter_secret`
    EarlyExporter,
    /// `client_handshake_traffic_secret`
    ClientHandshakeTraffic,
    /// `server_handshake_traffic_secret`
    ServerHandshakeTraffic,
    /// `client_application_traffic_secret_0`
    ClientTraffic,
    /// `server_application_traffic_secret_0`
    ServerTraffic,
    /// `exporter_secret`
    Exporter,
}

impl SecretLabel {
    /// The label in a key log file.
    #[must_use]
    pub const fn key_log_name(self) -> &'static str {
        match self {
            Self::ClientEarlyTraffic => "CLIENT_EARLY_TRAFFIC_SECRET",
            Self::EarlyExporter => "EARLY_EXPORTER_SECRET",
            Self::ClientHandshakeTraffic => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            Self::ServerHandshakeTraffic => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            Self::ClientTraffic => "CLIENT_TRAFFIC_SECRET_0",
            Self::ServerTraffic => "SERVER_TRAFFIC_SECRET_0",
            Self::Exporter => "EXPORTER_SECRET",
        }
    }
}

/// Where a machine goes after a message or an answer.
pub(crate) enum Next<State, Established> {
    /// It waits for the next message.
    Wait(State),
    /// It waits for the answer to this question.
    Ask(State, Question),
    /// It sent a HelloRetryRequest whose cookie holds everything, and may be forgotten.
    Retried(State),
    /// The handshake is complete.
    Done(Established),
}

/// A finished handshake. `R` sends what we read.
pub struct Established<R> {
    pub suite: &'static Suite,
    pub read: Traffic<R, ApplicationEpoch>,
    pub exporter: Exporter,
    pub summary: Box<Summary>,
    /// Questions for tickets, which pause nothing.
    pub tickets: Vec<SealTicket>,
    /// Client: what tickets are made of when they arrive.
    pub remember: Option<Box<Remember>>,
    /// Proof that the peer's Finished was right, without which nothing is complete.
    pub finished: FinishedMatched<R>,
}

/// Whether a server may send application data before the client's Finished (RFC 9846 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HalfRtt {
    /// It may.
    Open,
    /// The client was asked for a certificate, and nobody knows yet who it is.
    Unauthenticated,
}

/// What becomes of a client's early data.
//= testvectors/requirements/rfc9846.txt#section-4.3.10
//# A TLS implementation MUST NOT automatically resend early data unless the negotiated connection selects the
//# same ALPN protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EarlyVerdict {
    /// The server reads it.
    Accepted,
    /// The server passed over it. Nothing is sent again by itself: the application decides whether, and through which
    /// connection, it is safe to (RFC 8470 section 3).
    Refused,
}

/// Server: early data is about to be read; what it was sent for. Nothing of it proves that the client is there now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EarlyOpening {
    /// The cipher suite.
    pub suite: CipherSuite,
    /// The application protocol.
    pub alpn: Option<Vec<u8>>,
    /// The DNS name in "server_name".
    pub server_name: Option<String>,
    /// The client, as the ticket has it.
    pub peer: Option<Arc<Peer>>,
    /// How many bytes there may be.
    pub max: u32,
}

/// Writes one message, of which the transcript takes note.
pub(crate) fn emit<C: Carrier + ?Sized>(
    carrier: &mut C,
    transcript: &mut Transcript,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Misuse>,
) -> Result<(), Error> {
    let messages = carrier.messages();
    let start = messages.len();
    write(messages).map_err(too_long)?;
    #[cfg(all(test, feature = "rustcrypto"))]
    replay::replace(messages, start);
    transcript.absorb(messages.get(start..).unwrap_or_default());
    Ok(())
}

/// A message of ours that does not fit its fields ends the handshake: our configuration is at fault.
pub(crate) fn too_long(misuse: Misuse) -> Error {
    Error::Refused(Refusal::new(AlertCode::INTERNAL_ERROR, misuse))
}

/// What a provider makes of the peer's key share.
pub(crate) fn bad_share(failed: Failed) -> Error {
    match failed {
        Failed::Input => {
            //= testvectors/requirements/rfc9846.txt#section-6
            //# Peers which receive a message which is syntactically correct but semantically invalid (e.g.,
            //# a DHE share of p - 1, or an invalid enum) MUST terminate the connection with an
            //# "illegal_parameter" alert.
            Fault::illegal_parameter("the peer's key share is not a valid one of its group").into()
        }
        Failed::Provider => failed.into(),
    }
}

//= testvectors/requirements/rfc9846.txt#section-4
//# A peer which receives a handshake message in an unexpected order MUST abort the handshake with an
//# "unexpected_message" alert.
/// The fault of every message that arrives out of order (RFC 9846 section 4).
pub(crate) const OUT_OF_ORDER: Fault = Fault::unexpected_message("a handshake message arrived out of order");

/// Draws and counts the tags that bind answers to questions.
pub(crate) struct Tags {
    connection: [u8; 16],
    serial: u32,
}

impl Tags {
    /// For one connection.
    pub(crate) fn new(rng: &dyn Rng) -> Result<Self, Failed> {
        let mut connection = [0; 16];
        rng.fill(&mut connection)?;
        Ok(Self { connection, serial: 0 })
    }

    /// What answers to this connection's questions carry.
    pub(crate) fn connection(&self) -> [u8; 16] {
        self.connection
    }

    /// The tag of the next question.
    pub(crate) fn next(&mut self) -> Tag {
        self.serial = self.serial.wrapping_add(1);
        Tag { connection: self.connection, serial: self.serial }
    }
}
