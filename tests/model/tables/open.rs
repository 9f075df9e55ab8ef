//! Behind the handshake, of either side: RFC 9846 sections 4.7 and 6.

use symbolon::Misuse::{BytesPending, WriteClosed, WrongAnswer};

use super::groups::*;
use super::shared::*;
use crate::input::Command::*;
use crate::input::Input::*;
use crate::input::Kind::*;
use crate::input::Reply::{SignFailed, Signed};
use crate::place::Block;
use crate::then::Row;
use crate::then::Then::*;

pub const READS: Block =
    &[UNREADABLE, LATER_BYTES, PROTECTED, OPENED_OR_NOT, ALERTS_PROTECTED, CCS_REFUSED, DATA];

pub const DATA: &[Row] =
    &[(&[crate::input::Input::Data], Stays, &["Data"], "5.1"), (&[DataEmpty], Stays, &[], "5.1")];

/// RFC 9846 section 6.1: "Any data received after a closure alert has been received MUST be ignored."
pub const IGNORES: Block = &[&[
    (MESSAGES, Stays, &[], "6.1"),
    (MISPROTECTED, Stays, &[], "6.1"),
    (RECORDS, Stays, &[], "6.1"),
    (&[Eof, HalfThenEof], Stays, &[], "6.1"),
]];

pub const ANSWERS: Block = &[&[
    (FOREIGN, Refused(WrongAnswer), &[], "surface"),
    (&[OfAnotherQuestion], Refused(WrongAnswer), &[], "surface"),
]];

/// Nothing can be sent any more.
pub const ANSWERS_WHEN_CLOSED: Block = &[&[
    (FOREIGN, Refused(WrongAnswer), &[], "surface"),
    (&[OfAnotherQuestion], Refused(WriteClosed), &[], "surface"),
]];

pub const ASKS: Block = &[
    NOTHING_BEFORE,
    &[
        (&[Call(ProcessNothing)], Stays, &[], "surface"),
        (&[Call(IsEstablished)], Gives("true"), &[], "surface"),
        (&[Call(Abort)], Ours(symbolon::AlertCode::ACCESS_DENIED), &[], "6.2"),
        (&[Call(Exporter), Call(ChannelBinding)], Gives("a key"), &[], "7.5"),
        (&[Call(Split)], Becomes("halves"), &[], "surface"),
    ],
];

pub const WRITES: Block = &[&[
    (&[Call(Write)], Gives("4 bytes"), &["sends data"], "surface"),
    (&[Call(WriteNothing)], Gives("0 bytes"), &[], "surface"),
    (&[Call(SealFrame)], Gives("a record"), &["sends data"], "surface"),
    (&[Call(UpdateKeys)], Gives("Done"), &["KeyUpdate"], "4.7.3"),
    (&[Call(IntoKernel)], Becomes("keys"), &[], "surface"),
]];

/// An update that the peer asked for precedes what is sent next.
pub const WRITES_BEHIND_AN_UPDATE: Block = &[&[
    (&[Call(Write)], Gives("4 bytes"), &["KeyUpdate", "sends data"], "4.7.3"),
    (&[Call(WriteNothing)], Gives("0 bytes"), &[], "surface"),
    (&[Call(SealFrame)], Gives("FlushFirst"), &["KeyUpdate"], "4.7.3"),
    (&[Call(UpdateKeys)], Gives("Done"), &["KeyUpdate"], "4.7.3"),
    (&[Call(IntoKernel)], Refused(BytesPending), &[], "surface"),
]];

pub const MAY_ASK: &[Row] = &[(&[Call(UpdateKeysOfBoth)], Gives("Done"), &["KeyUpdate"], "4.7.3")];
pub const HAS_ASKED: &[Row] = &[(&[Call(UpdateKeysOfBoth)], Gives("AlreadyAsked"), &[], "4.7.3")];

pub const WRITES_NOTHING: Block = &[&[
    (
        &[
            Call(Write),
            Call(WriteNothing),
            Call(SealFrame),
            Call(UpdateKeys),
            Call(UpdateKeysOfBoth),
            Call(IntoKernel),
        ],
        Refused(WriteClosed),
        &[],
        "6.1",
    ),
    (&[Call(Close)], Stays, &[], "6.1"),
]];

/// RFC 9846 section 6.2: it "MUST close the connection without sending or receiving any additional data".
pub const ENDED: Block = &[
    NOTHING_BEFORE,
    &[
        (MESSAGES, Dead, &[], "6.2"),
        (MISPROTECTED, Dead, &[], "6.2"),
        (RECORDS, Dead, &[], "6.2"),
        (&[Eof, HalfThenEof], Dead, &[], "6.2"),
        (FOREIGN, Dead, &[], "surface"),
        (&[OfAnotherQuestion], Dead, &[], "surface"),
        (CALLS_OF_OPEN, Dead, &[], "surface"),
        (&[Call(ProcessNothing), Call(Abort), Call(EarlyExporter)], Dead, &[], "surface"),
        (&[Call(Close)], Stays, &[], "surface"),
        (&[Call(IsEstablished)], Gives("false"), &[], "surface"),
    ],
];

/// The question that was out when the connection ended.
pub const ANSWERED_TOO_LATE: &[Row] =
    &[(&[Answer(Signed), Answer(SignFailed), OfAnotherKind], Dead, &[], "surface")];

pub const UPDATES: &[Row] = &[
    (&[Message(Update)], Stays, &[], "4.7.3"),
    (&[Message(UpdateRequest)], To("open, owes an update"), &[], "4.7.3"),
    (&[Garbled(Update)], Peer(ILLEGAL), &[], "4.7.3"),
];

/// The answer that is owed, or that cannot be given any more, is one for all.
pub const UPDATES_WHEN_OWING: &[Row] = &[
    (&[Message(Update), Message(UpdateRequest)], Stays, &[], "4.7.3"),
    (&[Garbled(Update)], Peer(ILLEGAL), &[], "4.7.3"),
];

pub const UPDATES_WHEN_ASKED: &[Row] = &[
    (&[Message(Update)], To("open"), &[], "4.7.3"),
    (&[Message(UpdateRequest)], To("open, owes an update"), &[], "4.7.3"),
    (&[Garbled(Update)], Peer(ILLEGAL), &[], "4.7.3"),
];

pub const CLOSES: &[Row] = &[
    (&[CloseNotify, CloseNotifyFatal], To("open, peer closed"), &["PeerClosed"], "6.1"),
    (&[Call(Close)], To("open, closed"), &[], "6.1"),
];

pub const CLOSES_WHEN_OWING: &[Row] = &[
    (&[CloseNotify, CloseNotifyFatal], To("open, owes an update, peer closed"), &["PeerClosed"], "6.1"),
    (&[Call(Close)], To("open, closed"), &[], "6.1"),
];

pub const CLOSES_WHEN_ASKED: &[Row] = &[
    (&[CloseNotify, CloseNotifyFatal], To("open, asked for an update, peer closed"), &["PeerClosed"], "6.1"),
    (&[Call(Close)], To("open, closed"), &[], "6.1"),
];

pub const PEER_CLOSES_TOO: &[Row] =
    &[(&[CloseNotify, CloseNotifyFatal], To("open, closed, and peer closed"), &["PeerClosed"], "6.1")];

pub const CLOSES_TOO: &[Row] = &[(&[Call(Close)], To("open, closed, and peer closed"), &[], "6.1")];

/// Clients alone take tickets.
pub const OF_A_SERVER: &[Row] = &[
    (&[Message(Ticket)], Stays, &["Ticket"], "4.7.1"),
    (&[Garbled(Ticket)], Peer(DECODE), &[], "4.7.1"),
    (ALL_BUT_UPDATE_AND_TICKET, Peer(UNEXPECTED), &[], "4.7"),
];

pub const OF_A_CLIENT: &[Row] = &[(ALL_BUT_UPDATE, Peer(UNEXPECTED), &[], "4.7")];
