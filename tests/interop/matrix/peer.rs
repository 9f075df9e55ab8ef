//! What a peer is: how its programs run, and what it does not offer, with the reason.
//!
//! A peer is a file in `peers/`, and a line in its table.

use crate::ours::Server;
use crate::process::Running;

/// Another implementation.
pub struct Peer {
    /// For command lines.
    pub name: &'static str,
    /// For readers; its version follows.
    pub title: &'static str,
    /// Where it comes from.
    pub from: &'static str,
    pub runs: Runs,
    /// What it says of its version; panics if it is not there.
    pub version: fn() -> String,
    pub client: Role<Client>,
    pub server: Role<Service>,
}

/// When a peer is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// In every run.
    Always,
    /// Where `full.sh` has built it.
    Full,
}

pub enum Role<T> {
    Has(T),
    /// It has no such role, or none that is worth trying.
    None(&'static str),
}

/// Which of the suites, groups and certificates a role is tried with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choices {
    /// Every suite with every group with every certificate.
    All,
    /// Each of them once at least, for programs that take long.
    Each,
}

/// What a role does not offer: a feature, a suite, a group or a kind of certificate, and the reason.
pub type Lacks = &'static [(&'static str, &'static str)];

pub struct Client {
    /// Starts it against our server. With [`Wish::Resume`] and [`Wish::Early`] it has been there before when this returns, or
    /// goes there twice by itself.
    pub run: fn(&Asked, &Server) -> Running,
    pub talks: ClientTalk,
    pub lacks: Lacks,
    /// What has to be typed to make it update its keys, and what it says then. Empty where it does so by itself, with
    /// [`Wish::Rekey`].
    pub rekey: (&'static str, &'static str),
    pub choices: Choices,
}

pub struct Service {
    pub run: fn(&Asked) -> Server,
    pub talks: ServerTalk,
    pub lacks: Lacks,
    /// As [`Client::rekey`].
    pub rekey: (&'static str, &'static str),
    pub choices: Choices,
}

/// What a client does with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientTalk {
    /// Copies stdin to the server and what it sends to stdout, until stdin ends.
    Pipe,
    /// Gets the path it was told by HTTP, and ends.
    Get,
}

/// What a server does with its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerTalk {
    /// Sends back what it gets.
    Echo,
    /// Answers a request of HTTP/1.0 for `/`, and closes.
    Page,
    /// Prints what it gets, and sends what is typed.
    Typed,
}

/// The programs of this repository update their keys by themselves, and say so.
pub const NOT_TYPED: (&str, &str) = ("", "rekeyed");

/// What is asked of a peer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The server's certificate, by the name of its files.
    pub kind: &'static str,
    /// The only suite, by its standard name. Our side has it as its only one, so a peer may ignore this.
    pub suite: Option<&'static str>,
    /// The only groups, most preferred first, by our names. Except for retries of a peer's server, as with the suite.
    pub groups: &'static [&'static str],
    pub wish: Wish,
}

/// What one case is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A handshake, and some data.
    Talk,
    /// A client connects twice, and resumes. A server gives tickets, as with all other wishes too.
    Resume,
    /// A client sends this file before its second handshake. A server accepts such data.
    Early(String),
    /// Updates its keys, and asks for ours.
    Rekey,
    /// A client has this certificate. A server wants one and verifies it, by the tests' CA.
    Authenticate(&'static str),
    /// Knows and wants the external pre-shared key [`PSK_IDENTITY`].
    Psk,
    /// Speaks `h2` and `http/1.1`.
    Alpn,
    /// Has much to send or to get: [`BULK`] bytes.
    Bulk,
}

pub const PSK_IDENTITY: &str = "sensor17";
pub const PSK_HEX: &str = "5a17c0ffee5a17c0ffee5a17c0ffee01";
pub const BULK: usize = 1 << 20;

impl Asked {
    /// The path that a client which speaks HTTP gets.
    pub fn path(&self) -> String {
        if self.wish == Wish::Bulk { format!("/bytes/{BULK}") } else { "/".into() }
    }
}

/// The reason why a role does not offer something, if it does not.
pub fn lacking(lacks: Lacks, what: &str) -> Option<&'static str> {
    lacks.iter().find(|(name, _)| *name == what).map(|(_, why)| *why)
}
