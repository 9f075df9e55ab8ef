//! Behind the handshake, of either side: RFC 9846 sections 4.7 and 6.

use symbolon::Misuse::{BytesPending, NoEarlyData, WriteClosed, WrongAnswer};
use symbolon::conn::Epoch::{Application, Handshake};

use super::groups::*;
use super::shared::*;
use crate::input::Command::*;
use crate::input::Input::*;
use crate::input::Kind::*;
use crate::input::Reply::{SignFailed, Signed};
use crate::place::{Block, Place};
use crate::scene::*;
use crate::then::Row;
use crate::then::Then::*;

pub const READS: Block =
    &[UNREADABLE, LATER_BYTES, PROTECTED, OPENED_OR_NOT, ALERTS_PROTECTED, CCS_REFUSED, DATA];

const DATA: &[Row] =
    &[(&[crate::input::Input::Data], Stays, &["Data"], "5.1"), (&[DataEmpty], Stays, &[], "5.1")];

/// RFC 9846 section 6.1: "Any data received after a closure alert has been received MUST be ignored."
const IGNORES: Block = &[&[
    (MESSAGES, Stays, &[], "6.1"),
    (MISPROTECTED, Stays, &[], "6.1"),
    (RECORDS, Stays, &[], "6.1"),
    (&[Eof, HalfThenEof], Stays, &[], "6.1"),
]];

const ANSWERS: Block = &[&[
    (FOREIGN, Refused(WrongAnswer), &[], "surface"),
    (&[OfAnotherQuestion], Refused(WrongAnswer), &[], "surface"),
]];

/// Nothing can be sent any more.
const ANSWERS_WHEN_CLOSED: Block = &[&[
    (FOREIGN, Refused(WrongAnswer), &[], "surface"),
    (&[OfAnotherQuestion], Refused(WriteClosed), &[], "surface"),
]];

pub const ASKS: Block = &[
    NOTHING_BEFORE,
    &[
        (&[Call(ProcessNothing)], Stays, &[], "surface"),
        (&[Call(IsEstablished)], Gives("true"), &[], "surface"),
        (&[Call(Exporter), Call(ChannelBinding)], Gives("a key"), &[], "7.5"),
        (&[Call(EarlyExporter)], Refused(NoEarlyData), &[], "surface"),
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
const WRITES_BEHIND_AN_UPDATE: Block = &[&[
    (&[Call(Write)], Gives("4 bytes"), &["KeyUpdate", "sends data"], "4.7.3"),
    (&[Call(WriteNothing)], Gives("0 bytes"), &[], "surface"),
    (&[Call(SealFrame)], Gives("FlushFirst"), &["KeyUpdate"], "4.7.3"),
    (&[Call(UpdateKeys)], Gives("Done"), &["KeyUpdate"], "4.7.3"),
    (&[Call(IntoKernel)], Refused(BytesPending), &[], "surface"),
]];

pub const MAY_ASK: &[Row] = &[(&[Call(UpdateKeysOfBoth)], Gives("Done"), &["KeyUpdate"], "4.7.3")];
const HAS_ASKED: &[Row] = &[(&[Call(UpdateKeysOfBoth)], Gives("AlreadyAsked"), &[], "4.7.3")];

const WRITES_NOTHING: Block = &[&[
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

/// Whatever comes, it has ended; RFC 9846 section 6.2: "the connection is .. closed".
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
        (&[Call(ProcessNothing), Call(EarlyExporter)], Dead, &[], "surface"),
        (&[Call(Close)], Stays, &[], "surface"),
        (&[Call(IsEstablished)], Gives("false"), &[], "surface"),
    ],
];

/// The question that was out when the connection ended.
pub const ANSWERED_TOO_LATE: &[Row] =
    &[(&[Answer(Signed), Answer(SignFailed), OfAnotherKind], Dead, &[], "surface")];

macro_rules! side {
    (
        $places:ident, $to:ident: $open:literal, $finished:expr, $taken:ident, $refused:expr,
        $owes:literal, $asked:literal, $peer_closed:literal, $closed:literal, $both:literal, $ended:literal
    ) => {
        pub mod $to {
            use super::*;

            pub const MESSAGES: &[Row] = &[
                ($refused, Peer(UNEXPECTED), &[], "4.7"),
                (&[Garbled(Update)], Peer(ILLEGAL), &[], "4.7.3"),
            ];
            pub const UPDATES: &[Row] = &[
                (&[Message(Update)], Stays, &[], "4.7.3"),
                (&[Message(UpdateRequest)], To($owes), &[], "4.7.3"),
            ];
            pub const UPDATES_WHEN_OWING: &[Row] =
                &[(&[Message(Update), Message(UpdateRequest)], Stays, &[], "4.7.3")];
            pub const UPDATES_WHEN_ASKED: &[Row] = &[
                (&[Message(Update)], To($open), &[], "4.7.3"),
                (&[Message(UpdateRequest)], To($owes), &[], "4.7.3"),
            ];
            pub const PEER_CLOSES: &[Row] =
                &[(&[CloseNotify, CloseNotifyFatal], To($peer_closed), &["PeerClosed"], "6.1")];
            pub const PEER_CLOSES_TOO: &[Row] =
                &[(&[CloseNotify, CloseNotifyFatal], To($both), &["PeerClosed"], "6.1")];
            pub const CLOSE: &[Row] = &[(&[Call(Close)], To($closed), &[], "6.1")];
            pub const CLOSE_TOO: &[Row] = &[(&[Call(Close)], To($both), &[], "6.1")];
        }

        /// Every state of this side behind its handshake.
        pub const $places: &[Place] = &[
            Place::new(
                $open,
                "Open",
                $finished,
                (Application, Application),
                &[
                    READS,
                    ANSWERS,
                    ASKS,
                    WRITES,
                    &[MAY_ASK, $taken, $to::MESSAGES, $to::UPDATES, $to::PEER_CLOSES, $to::CLOSE],
                ],
            ),
            Place::new(
                $owes,
                "Open",
                $finished,
                (Application, Application),
                &[
                    READS,
                    ANSWERS,
                    ASKS,
                    WRITES_BEHIND_AN_UPDATE,
                    &[MAY_ASK, $taken, $to::MESSAGES, $to::UPDATES_WHEN_OWING, $to::PEER_CLOSES, $to::CLOSE],
                ],
            )
            .behind(&[Message(UpdateRequest)]),
            Place::new(
                $asked,
                "Open",
                $finished,
                (Application, Application),
                &[
                    READS,
                    ANSWERS,
                    ASKS,
                    WRITES,
                    &[
                        HAS_ASKED,
                        $taken,
                        $to::MESSAGES,
                        $to::UPDATES_WHEN_ASKED,
                        $to::PEER_CLOSES,
                        $to::CLOSE,
                    ],
                ],
            )
            .behind(&[Call(UpdateKeysOfBoth)]),
            Place::new(
                $peer_closed,
                "Open",
                $finished,
                (Application, Application),
                &[IGNORES, ANSWERS, ASKS, WRITES, &[MAY_ASK, $to::CLOSE_TOO]],
            )
            .behind(&[CloseNotify]),
            Place::new(
                $closed,
                "Open",
                $finished,
                (Application, Application),
                &[
                    READS,
                    ANSWERS_WHEN_CLOSED,
                    ASKS,
                    WRITES_NOTHING,
                    &[$taken, $to::MESSAGES, $to::UPDATES_WHEN_OWING, $to::PEER_CLOSES_TOO],
                ],
            )
            .behind(&[Call(Close)])
            .mute(),
            Place::new(
                $both,
                "Open",
                $finished,
                (Application, Application),
                &[IGNORES, ANSWERS_WHEN_CLOSED, ASKS, WRITES_NOTHING],
            )
            .behind(&[Call(Close), CloseNotify])
            .mute(),
            Place::new(
                concat!($ended, " by a fault"),
                "Failed",
                $finished,
                (Application, Application),
                &[ENDED],
            )
            .behind(&[Undecipherable])
            .mute(),
            Place::new(
                concat!($ended, " by an alert"),
                "Failed",
                $finished,
                (Application, Application),
                &[ENDED],
            )
            .behind(&[ErrorAlert])
            .mute(),
            Place::new(
                concat!($ended, " too early"),
                "Failed",
                $finished,
                (Application, Application),
                &[ENDED],
            )
            .behind(&[Eof])
            .mute(),
            Place::new(
                concat!($ended, " in the handshake"),
                "Failed",
                (FULL, 1),
                (Handshake, Handshake),
                &[ENDED],
            )
            .behind(&[Call(Close)])
            .mute(),
        ];
    };
}

const TICKETS: &[Row] =
    &[(&[Message(Ticket)], Stays, &["Ticket"], "4.7.1"), (&[Garbled(Ticket)], Peer(DECODE), &[], "4.7.1")];
const NO_TICKETS: &[Row] = &[];

side!(
    CLIENTS, client: "client open", (FULL, 5), TICKETS, ALL_BUT_UPDATE_AND_TICKET,
    "client open, owes an update", "client open, asked for an update", "client open, peer closed", "client open, closed",
    "client open, closed, and peer closed", "client ended"
);
side!(
    SERVERS, server: "server open", (FULL, 2), NO_TICKETS, ALL_BUT_UPDATE,
    "server open, owes an update", "server open, asked for an update", "server open, peer closed", "server open, closed",
    "server open, closed, and peer closed", "server ended"
);
