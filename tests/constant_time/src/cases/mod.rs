//! The cases: each is a run of its own.

mod agreement;
mod connection;
mod control;
mod keys;
mod record;
mod symmetric;
mod tickets;

use crate::known::Known;

/// Something that is done with secrets.
pub struct Case {
    pub name: &'static str,
    pub run: fn(),
    /// Where reports are expected; everywhere else they are failures.
    pub known: &'static [Known],
}

/// All cases, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [
        control::CASES,
        symmetric::CASES,
        agreement::CASES,
        keys::CASES,
        record::CASES,
        connection::CASES,
        tickets::CASES,
    ]
    .into_iter()
    .flatten()
}
