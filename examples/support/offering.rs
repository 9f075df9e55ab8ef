//! What `tlsclient` offers to resume with, and what it sends before the handshake.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use symbolon::conn::Summary;
use symbolon::io::blocking::Stream;
use symbolon::policy::{Answerer, ClientPolicy, FileSessions, SessionStore};
use symbolon::psk::ExternalPsk;
use symbolon::question::{Answer, Question};
use symbolon::{AlertCode, Refusal};

use super::cli::{Failure, say};
use super::{keys, words};

#[derive(clap::Args)]
pub struct Offering {
    /// Keeps the server's tickets in this file, and resumes with them; made if there is none
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,

    /// Sends this file before the handshake (0-RTT), as far as a ticket in --session permits it
    ///
    /// Others can send it to the server once more: it must do no harm when it comes twice. It is sent as early data or
    /// not at all; what the server refuses is not sent again.
    #[arg(long, value_name = "FILE", requires = "session", conflicts_with = "get")]
    early_data: Option<PathBuf>,

    /// Offers this external pre-shared key, with SHA-256; may be repeated, the most preferred first
    ///
    /// For trials: others on this machine may see the command line. No --ca is needed then.
    #[arg(long, value_name = "ID:HEX")]
    psk: Vec<String>,

    /// Also resumes without a key exchange (psk_ke), which gives up forward secrecy
    #[arg(long)]
    pub psk_ke: bool,
}

/// What the command line asked for.
pub struct Offered {
    pub sessions: Option<Arc<FileSessions>>,
    pub psks: Vec<Arc<ExternalPsk>>,
    early_data: Option<Vec<u8>>,
}

impl Offering {
    pub fn prepare(&self) -> Result<Offered, Failure> {
        let sessions = match &self.session {
            Some(path) => Some(Arc::new(FileSessions::open(path).map_err(Failure::usage)?)),
            None => None,
        };
        let early_data = match &self.early_data {
            Some(path) => Some(std::fs::read(path).map_err(|error| {
                Failure::usage(format_args!("{}: the early data cannot be read: {error}", path.display()))
            })?),
            None => None,
        };
        let offered = Offered { sessions, psks: keys::external(&self.psk)?, early_data };
        offered.tell_trouble();
        Ok(offered)
    }
}

impl Offered {
    /// Says what is wrong with the file of tickets.
    pub fn tell_trouble(&self) {
        if let Some(trouble) = self.sessions.as_ref().and_then(|sessions| sessions.trouble()) {
            say(format_args!("tlsclient: {trouble}"));
        }
    }

    /// Sends early data, where there is any and it may be sent; gives how many bytes.
    pub fn send_early<T: Read + Write>(&self, stream: &mut Stream<T>) -> io::Result<usize> {
        let Some(bytes) = &self.early_data else { return Ok(0) };
        let mut sent = 0;
        while let n @ 1.. = stream.write_early(&bytes[sent..])? {
            sent += n;
        }
        Ok(sent)
    }

    pub fn wants_early_data(&self) -> bool {
        self.early_data.is_some()
    }

    /// Says what came of the offer.
    pub fn tell(&self, summary: &Summary, sent: usize) {
        if self.sessions.is_some() || !self.psks.is_empty() {
            say(words::resumption(summary));
        }
        if let Some(bytes) = &self.early_data {
            say(words::early_data_sent(summary, sent, bytes.len()));
        }
    }
}

/// Trusts no certificate at all: for servers that are known by an external key. All but that is up to the policy.
pub struct NobodyElse(pub Arc<ClientPolicy>);

impl Answerer for NobodyElse {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::VerifyPeer(question) => {
                let why =
                    "the server did not take the key, and without --ca its certificate cannot be verified";
                question.refused(Refusal::text(AlertCode::UNKNOWN_CA, why))
            }
            other => self.0.answer(other),
        }
    }

    fn sessions(&self) -> Option<&dyn SessionStore> {
        self.0.sessions()
    }
}
