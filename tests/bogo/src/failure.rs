//! How a test ends when it does not end well.

use std::fmt;

use symbolon::Error;

use crate::errors;

/// Why the shim stops.
#[derive(Debug)]
pub enum Failure {
    /// The library ended the connection; its alert is on its way.
    Connection(Error),
    /// A protocol error of a kind that the runner knows by this name, found by an answer of the shim.
    Named(&'static str),
    /// Something is not as the flags expect.
    Expectation(String),
    /// The library does not have what the test needs.
    Unimplemented(String),
    /// The socket failed, or a file is not as it must be.
    Outside(String),
}

impl Failure {
    /// The exit status that tells the runner.
    pub fn status(&self) -> u8 {
        match self {
            Self::Unimplemented(_) => UNIMPLEMENTED,
            _ => 1,
        }
    }
}

/// The exit status for what the library does not have.
pub const UNIMPLEMENTED: u8 = 89;

/// The exit status that fails a test whatever it expects.
pub const BROKEN: u8 = 90;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, ":{}: {error}", errors::name(error)),
            Self::Named(name) => write!(f, ":{name}:"),
            Self::Expectation(text) => write!(f, "not as expected: {text}"),
            Self::Unimplemented(text) => write!(f, "not implemented: {text}"),
            Self::Outside(text) => f.write_str(text),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Connection(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Outside(format!("socket: {error}"))
    }
}
