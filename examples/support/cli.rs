//! What the command lines of `tlsserver` and `tlsclient` have in common.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::conn::Revealed;
use symbolon::crypto::Provider;
use symbolon::io::Observer;
use symbolon::policy::KeyLog;

/// The exit status for a wrong command line, and for files that it names wrongly.
const USAGE: u8 = 2;

/// What ended a program: its words, and its exit status.
pub struct Failure {
    words: String,
    status: u8,
}

impl Failure {
    /// The command line, or a file that it names, is wrong.
    pub fn usage(words: impl Display) -> Self {
        Self { words: words.to_string(), status: USAGE }
    }

    /// The transport, the peer, or TLS.
    pub fn connection(words: impl Display) -> Self {
        Self { words: words.to_string(), status: 1 }
    }

    /// Says it on stderr.
    pub fn report(self, program: &str) -> ExitCode {
        say(format_args!("{program}: {}", self.words));
        self.status.into()
    }
}

/// A line on stderr. Nobody has to listen: unlike `eprintln!` it does not panic.
pub fn say(line: impl Display) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

#[derive(clap::Args)]
pub struct Negotiated {
    /// Application protocols, most preferred first, separated by commas: h2,http/1.1
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub alpn: Vec<String>,

    /// Cipher suites, most preferred first [default: all, the fastest here first]
    ///
    /// By their standard names: TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    suites: Vec<String>,

    /// Key exchange groups, most preferred first [default: all, the hybrid first]
    ///
    /// By their standard names: X25519MLKEM768, x25519, secp256r1, secp384r1.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    groups: Vec<String>,
}

impl Negotiated {
    /// The suites to configure: those that were named, or all.
    pub fn suites(&self, provider: &Provider) -> Result<Option<Vec<CipherSuite>>, Failure> {
        let known: Vec<CipherSuite> = provider.suites.iter().map(|suite| suite.id).collect();
        pick("cipher suite", &self.suites, &known)
    }

    /// The groups to configure: those that were named, or all.
    pub fn groups(&self, provider: &Provider) -> Result<Option<Vec<NamedGroup>>, Failure> {
        let known: Vec<NamedGroup> = provider.groups.iter().map(|group| group.id()).collect();
        pick("group", &self.groups, &known)
    }
}

/// Finds each name among what is known; capitals do not matter.
fn pick<T: Copy + Display>(what: &str, names: &[String], known: &[T]) -> Result<Option<Vec<T>>, Failure> {
    let find = |name: &String| {
        known.iter().copied().find(|id| id.to_string().eq_ignore_ascii_case(name)).ok_or_else(|| {
            let list: Vec<String> = known.iter().map(ToString::to_string).collect();
            Failure::usage(format_args!("there is no {what} {name:?} here; there are: {}", list.join(", ")))
        })
    };
    match names {
        [] => Ok(None),
        names => names.iter().map(find).collect::<Result<_, _>>().map(Some),
    }
}

/// The key log that `SSLKEYLOGFILE` asks for, if it does.
pub fn key_log() -> Result<Option<Arc<dyn Observer>>, Failure> {
    match KeyLog::from_env() {
        Ok(log) => Ok(log.map(|log| Arc::new(Log(log)) as Arc<dyn Observer>)),
        Err(error) => {
            Err(Failure::usage(format_args!("the file that SSLKEYLOGFILE names cannot be opened: {error}")))
        }
    }
}

struct Log(KeyLog);

impl Observer for Log {
    fn secret(&self, secret: &Revealed) {
        if !self.0.write(secret) {
            say("the file that SSLKEYLOGFILE names cannot be written; secrets are missing in it");
        }
    }
}
