//! Every state behind the handshake, and every end.

use symbolon::conn::Epoch::{Application, Handshake};

use crate::input::Command::*;
use crate::input::Input::*;
use crate::input::Kind::UpdateRequest;
use crate::place::Place;
use crate::scene::*;
use crate::tables::open::*;
use crate::tables::shared::*;

/// Every state of a client behind its handshake.
pub const CLIENTS: &[Place] = &[
    Place::new(
        "open",
        "Open",
        (FULL, 5),
        (Application, Application),
        &[READS, ANSWERS, ASKS, WRITES, &[NO_EARLY_DATA, MAY_ASK, UPDATES, CLOSES, OF_A_SERVER]],
    ),
    Place::new(
        "open behind early data",
        "Open",
        (EARLY, 3),
        (Application, Application),
        &[READS, ANSWERS, ASKS, WRITES, &[EARLY_DATA, MAY_ASK, UPDATES, CLOSES, OF_A_SERVER]],
    ),
    Place::new(
        "open, owes an update",
        "Open",
        (FULL, 5),
        (Application, Application),
        &[
            READS,
            ANSWERS,
            ASKS,
            WRITES_BEHIND_AN_UPDATE,
            &[NO_EARLY_DATA, MAY_ASK, UPDATES_WHEN_OWING, CLOSES_WHEN_OWING, OF_A_SERVER],
        ],
    )
    .behind(&[Message(UpdateRequest)]),
    Place::new(
        "open, asked for an update",
        "Open",
        (FULL, 5),
        (Application, Application),
        &[
            READS,
            ANSWERS,
            ASKS,
            WRITES,
            &[NO_EARLY_DATA, HAS_ASKED, UPDATES_WHEN_ASKED, CLOSES_WHEN_ASKED, OF_A_SERVER],
        ],
    )
    .behind(&[Call(UpdateKeysOfBoth)]),
    Place::new(
        "open, peer closed",
        "Open",
        (FULL, 5),
        (Application, Application),
        &[IGNORES, ANSWERS, ASKS, WRITES, &[NO_EARLY_DATA, MAY_ASK, CLOSES_TOO]],
    )
    .behind(&[CloseNotify]),
    Place::new(
        "open, owes an update, peer closed",
        "Open",
        (FULL, 5),
        (Application, Application),
        &[IGNORES, ANSWERS, ASKS, WRITES_BEHIND_AN_UPDATE, &[NO_EARLY_DATA, MAY_ASK, CLOSES_TOO]],
    )
    .behind(&[Message(UpdateRequest), CloseNotify]),
    Place::new(
        "open, asked for an update, peer closed",
        "Open",
        (FULL, 5),
        (Application, Application),
        &[IGNORES, ANSWERS, ASKS, WRITES, &[NO_EARLY_DATA, HAS_ASKED, CLOSES_TOO]],
    )
    .behind(&[Call(UpdateKeysOfBoth), CloseNotify]),
    Place::new(
        "open, closed",
        "Open",
        (FULL, 5),
        (Application, Application),
        &[
            READS,
            ANSWERS_WHEN_CLOSED,
            ASKS,
            WRITES_NOTHING,
            &[NO_EARLY_DATA, UPDATES_WHEN_OWING, PEER_CLOSES_TOO, OF_A_SERVER],
        ],
    )
    .behind(&[Call(Close)])
    .mute(),
    Place::new(
        "open, closed, and peer closed",
        "Open",
        (FULL, 5),
        (Application, Application),
        &[IGNORES, ANSWERS_WHEN_CLOSED, ASKS, WRITES_NOTHING, &[NO_EARLY_DATA]],
    )
    .behind(&[Call(Close), CloseNotify])
    .mute(),
    Place::new("ended by a fault", "Failed", (FULL, 5), (Application, Application), &[ENDED])
        .behind(&[Undecipherable])
        .mute(),
    Place::new("ended by an alert", "Failed", (FULL, 5), (Application, Application), &[ENDED])
        .behind(&[ErrorAlert])
        .mute(),
    Place::new("ended too early", "Failed", (FULL, 5), (Application, Application), &[ENDED])
        .behind(&[Eof])
        .mute(),
    Place::new("ended in the handshake", "Failed", (FULL, 1), (Handshake, Handshake), &[ENDED])
        .behind(&[Call(Close)])
        .mute(),
    Place::new("ended in the handshake by a fault", "Failed", (FULL, 1), (Handshake, Handshake), &[ENDED])
        .behind(&[Undecipherable])
        .mute(),
];

/// Every state of a server behind its handshake.
pub const SERVERS: &[Place] = &[
    Place::new(
        "open",
        "Open",
        (FULL, 2),
        (Application, Application),
        &[READS, ANSWERS, ASKS, WRITES, &[NO_EARLY_DATA, MAY_ASK, UPDATES, CLOSES, OF_A_CLIENT]],
    ),
    Place::new(
        "open behind early data",
        "Open",
        (EARLY, 3),
        (Application, Application),
        &[READS, ANSWERS, ASKS, WRITES, &[EARLY_DATA, MAY_ASK, UPDATES, CLOSES, OF_A_CLIENT]],
    ),
    Place::new(
        "open, owes an update",
        "Open",
        (FULL, 2),
        (Application, Application),
        &[
            READS,
            ANSWERS,
            ASKS,
            WRITES_BEHIND_AN_UPDATE,
            &[NO_EARLY_DATA, MAY_ASK, UPDATES_WHEN_OWING, CLOSES_WHEN_OWING, OF_A_CLIENT],
        ],
    )
    .behind(&[Message(UpdateRequest)]),
    Place::new(
        "open, asked for an update",
        "Open",
        (FULL, 2),
        (Application, Application),
        &[
            READS,
            ANSWERS,
            ASKS,
            WRITES,
            &[NO_EARLY_DATA, HAS_ASKED, UPDATES_WHEN_ASKED, CLOSES_WHEN_ASKED, OF_A_CLIENT],
        ],
    )
    .behind(&[Call(UpdateKeysOfBoth)]),
    Place::new(
        "open, peer closed",
        "Open",
        (FULL, 2),
        (Application, Application),
        &[IGNORES, ANSWERS, ASKS, WRITES, &[NO_EARLY_DATA, MAY_ASK, CLOSES_TOO]],
    )
    .behind(&[CloseNotify]),
    Place::new(
        "open, owes an update, peer closed",
        "Open",
        (FULL, 2),
        (Application, Application),
        &[IGNORES, ANSWERS, ASKS, WRITES_BEHIND_AN_UPDATE, &[NO_EARLY_DATA, MAY_ASK, CLOSES_TOO]],
    )
    .behind(&[Message(UpdateRequest), CloseNotify]),
    Place::new(
        "open, asked for an update, peer closed",
        "Open",
        (FULL, 2),
        (Application, Application),
        &[IGNORES, ANSWERS, ASKS, WRITES, &[NO_EARLY_DATA, HAS_ASKED, CLOSES_TOO]],
    )
    .behind(&[Call(UpdateKeysOfBoth), CloseNotify]),
    Place::new(
        "open, closed",
        "Open",
        (FULL, 2),
        (Application, Application),
        &[
            READS,
            ANSWERS_WHEN_CLOSED,
            ASKS,
            WRITES_NOTHING,
            &[NO_EARLY_DATA, UPDATES_WHEN_OWING, PEER_CLOSES_TOO, OF_A_CLIENT],
        ],
    )
    .behind(&[Call(Close)])
    .mute(),
    Place::new(
        "open, closed, and peer closed",
        "Open",
        (FULL, 2),
        (Application, Application),
        &[IGNORES, ANSWERS_WHEN_CLOSED, ASKS, WRITES_NOTHING, &[NO_EARLY_DATA]],
    )
    .behind(&[Call(Close), CloseNotify])
    .mute(),
    Place::new("ended by a fault", "Failed", (FULL, 2), (Application, Application), &[ENDED])
        .behind(&[Undecipherable])
        .mute(),
    Place::new("ended by an alert", "Failed", (FULL, 2), (Application, Application), &[ENDED])
        .behind(&[ErrorAlert])
        .mute(),
    Place::new("ended too early", "Failed", (FULL, 2), (Application, Application), &[ENDED])
        .behind(&[Eof])
        .mute(),
    Place::new("ended in the handshake", "Failed", (FULL, 1), (Handshake, Handshake), &[ENDED])
        .behind(&[Call(Close)])
        .mute(),
    Place::new("ended in the handshake by a fault", "Failed", (FULL, 1), (Handshake, Handshake), &[ENDED])
        .behind(&[Undecipherable])
        .mute(),
];
