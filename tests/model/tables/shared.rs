//! Rows that several states share.

use symbolon::AlertCode;
use symbolon::Misuse::{NoEarlyData, NoQuestion, NotEstablished, Unauthenticated, WrongAnswer};

use super::groups::*;
use crate::input::Command::*;
use crate::input::Input::*;
use crate::input::Kind::*;
use crate::then::Row;
use crate::then::Then::*;

pub const UNEXPECTED: AlertCode = AlertCode::UNEXPECTED_MESSAGE;
pub const DECODE: AlertCode = AlertCode::DECODE_ERROR;
pub const DECRYPT: AlertCode = AlertCode::DECRYPT_ERROR;
pub const ILLEGAL: AlertCode = AlertCode::ILLEGAL_PARAMETER;
pub const BAD_MAC: AlertCode = AlertCode::BAD_RECORD_MAC;
pub const OVERFLOW: AlertCode = AlertCode::RECORD_OVERFLOW;

/// Answers where nothing was asked.
pub const UNASKED: &[Row] = &[
    (FOREIGN, Refused(NoQuestion), &[], "surface"),
    (&[OfAnotherQuestion], Refused(NoQuestion), &[], "surface"),
];

/// While a question is out, nothing is read.
pub const ASKED: &[Row] = &[
    (MESSAGES, Waits, &[], "surface"),
    (MISPROTECTED, Waits, &[], "surface"),
    (RECORDS, Waits, &[], "surface"),
    (&[Eof, HalfThenEof], Truncated, &[], "6.1"),
    (FOREIGN, Refused(WrongAnswer), &[], "surface"),
    (&[OfAnotherQuestion], Refused(WrongAnswer), &[], "surface"),
    (&[OfAnotherKind], Breaks(WrongAnswer), &[], "surface"),
];

/// What may be called before the handshake is complete.
pub const CALLS: &[Row] = &[
    (CALLS_OF_OPEN, Refused(NotEstablished), &[], "surface"),
    (&[Call(ProcessNothing)], Stays, &[], "surface"),
    (&[Call(Close)], Closed, &[], "6.1"),
    (&[Call(Abort)], Ours(AlertCode::ACCESS_DENIED), &[], "6.2"),
    (&[Call(IsEstablished)], Gives("false"), &[], "surface"),
];

/// No application data goes out before the end of the handshake.
pub const NOTHING_BEFORE: &[Row] =
    &[(&[Call(WriteBefore), Call(WriteToAnyone)], Gives("nothing"), &[], "surface")];

/// A client sends early data, or a server data before the client's Finished.
pub const DATA_BEFORE: &[Row] =
    &[(&[Call(WriteBefore), Call(WriteToAnyone)], Gives("4 bytes"), &["sends data"], "2.3")];

/// A server that asked for a certificate does not know yet who reads.
pub const DATA_TO_ANYONE: &[Row] = &[
    (&[Call(WriteBefore)], Refused(Unauthenticated), &[], "2.3"),
    (&[Call(WriteToAnyone)], Gives("4 bytes"), &["sends data"], "2.3"),
];

pub const NO_EARLY_DATA: &[Row] = &[(&[Call(EarlyExporter)], Refused(NoEarlyData), &[], "surface")];
pub const EARLY_DATA: &[Row] = &[(&[Call(EarlyExporter)], Gives("a key"), &[], "7.5")];

/// What every place refuses that reads records.
pub const UNREADABLE: &[Row] = &[
    (&[Message(MessageHash), Message(Unknown)], Peer(UNEXPECTED), &[], "4"),
    (&[Garbled(EndOfEarlyData)], Peer(DECODE), &[], "6.2"),
    (&[CcsOfAnotherByte, CcsOfTwoBytes, CcsEmpty], Peer(UNEXPECTED), &[], "5"),
    (&[AlertOfOneByte, AlertOfThreeBytes], Peer(DECODE), &[], "5.1"),
    (&[AlertEmpty, HandshakeEmpty], Peer(UNEXPECTED), &[], "5.1"),
    (&[UnknownType, Http], Peer(UNEXPECTED), &[], "5"),
    (&[TooLong], Peer(OVERFLOW), &[], "5.1"),
    (&[PartOfHeader, PartOfRecord], Wants, &[], "5.1"),
    (&[Half], Joins, &[], "5.1"),
    (&[HalfThenCcs, HalfThenCloseNotify, HalfThenUserCanceled], Peer(UNEXPECTED), &[], "5.1"),
    (&[ErrorAlert, ErrorWarning, HalfThenErrorAlert], Alerted, &[], "6.2"),
    (&[UserCanceled, UserCanceledFatal], Stays, &[], "6.1"),
    (&[Eof, HalfThenEof], Truncated, &[], "6.1"),
];

/// A handshake cannot be closed and go on.
pub const CLOSING: &[Row] = &[(&[CloseNotify, CloseNotifyFatal], Closed, &[], "6.1")];

/// The first bytes may be of another protocol.
pub const FIRST_BYTES: &[Row] = &[(&[Ssl2], Peer(AlertCode::PROTOCOL_VERSION), &[], "surface")];
pub const LATER_BYTES: &[Row] = &[(&[Ssl2], Peer(UNEXPECTED), &[], "5")];

/// There are no keys to read with.
pub const PLAINTEXT: &[Row] = &[
    (MISPROTECTED, Peer(UNEXPECTED), &[], "5.2"),
    (SEALED, Peer(UNEXPECTED), &[], "5.2"),
    (&[HalfThenData, HalfThenDataEmpty], Peer(UNEXPECTED), &[], "5.1"),
    (&[TooLongProtected], Peer(UNEXPECTED), &[], "5.2"),
];

/// There are keys to read with, whichever.
pub const PROTECTED: &[Row] = &[
    (MISPROTECTED, Peer(UNEXPECTED), &[], "5"),
    (&[CcsProtected, UnknownInnerType, NoInnerType], Peer(UNEXPECTED), &[], "5.4"),
    (&[TooLongProtected, TooMuchInside], Peer(OVERFLOW), &[], "5.2"),
    (&[HalfThenData, HalfThenDataEmpty], Peer(UNEXPECTED), &[], "5.1"),
];

/// What no key opens ends the connection.
pub const OPENED_OR_NOT: &[Row] =
    &[(&[Undecipherable, UndecipherableShort, UndecipherableEmpty], Peer(BAD_MAC), &[], "5.2")];

/// What no key opens is early data that was refused.
pub const PASSED_OVER: &[Row] =
    &[(&[Undecipherable, UndecipherableShort, UndecipherableEmpty], Stays, &[], "4.3.10")];

/// The peer has keys, and does without them for no alert.
pub const ALERTS_PROTECTED: &[Row] = &[(
    &[MisprotectedCloseNotify, MisprotectedUserCanceled, MisprotectedErrorAlert],
    Peer(UNEXPECTED),
    &[],
    "5",
)];

/// The client may have no keys for its alert.
pub const ALERTS_OF_EITHER_KIND: &[Row] = &[
    (&[MisprotectedCloseNotify], Closed, &[], "6.1"),
    (&[MisprotectedUserCanceled], Stays, &[], "6.1"),
    (&[MisprotectedErrorAlert], Alerted, &[], "6.2"),
];

/// The compatibility ChangeCipherSpec is dropped.
pub const CCS_DROPPED: &[Row] = &[(&[Ccs], Stays, &[], "5")];
pub const CCS_REFUSED: &[Row] = &[(&[Ccs], Peer(UNEXPECTED), &[], "5")];

/// Application data during the handshake.
pub const NO_DATA: &[Row] = &[(&[Data, DataEmpty], Peer(UNEXPECTED), &[], "5")];
