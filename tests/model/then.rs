//! What follows from an input, and the rows of the tables.

use symbolon::{AlertCode, Misuse};

use crate::input::Input;

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The connection goes to the place of this name.
    To(&'static str),
    /// It stays where it is.
    Stays,
    /// It wants the rest of the record, of which it touched nothing.
    Wants,
    /// It stays where it is, with the beginning of a message that it waits for the rest of.
    Joins,
    /// Nothing is read before the question is answered.
    Waits,
    /// It ends by the peer's fault, which is told it.
    Peer(AlertCode),
    /// It ends by a refusal of our side, which tells the peer.
    Ours(AlertCode),
    /// It ends as the peer's alert says.
    Alerted,
    /// It ends without the peer's close_notify.
    Truncated,
    /// It ends since either side closed in the handshake.
    Closed,
    /// The call is refused, and nothing is harmed.
    Refused(Misuse),
    /// The answer ends the connection as one that cannot be.
    Breaks(Misuse),
    /// The call gives this, and the connection stays where it is.
    Gives(&'static str),
    /// The connection becomes this.
    Becomes(&'static str),
    /// The connection has ended before, and says how once more.
    Dead,
}

/// Some inputs, what follows from each, what the caller then hears and the peer is sent, and by which rule: a section of
/// RFC 9846, or `surface` for what this library's callers are promised.
pub type Row = (&'static [Input], Then, &'static [&'static str], &'static str);
