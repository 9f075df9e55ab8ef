//! Every state of the server's machine, in as many ways as it differs by, and the tables that each has.

use symbolon::conn::Epoch::{Application, Early, Handshake, Plaintext};

use crate::input::Command::Close;
use crate::input::Input::{Call, Undecipherable};
use crate::place::{Block, Place};
use crate::scene::*;
use crate::tables::open::*;
use crate::tables::server::*;
use crate::tables::shared::*;

/// Before the ServerHello.
const IN_PLAINTEXT: Block = &[UNASKED, CALLS, NOTHING_BEFORE, NO_EARLY_DATA, UNREADABLE, CLOSING];

/// The second ClientHello is due.
const RETRIED: Block = &[LATER_BYTES, CCS_DROPPED];

/// Our flight is out.
const UNDER_KEYS: Block = &[UNASKED, CALLS, UNREADABLE, CLOSING, LATER_BYTES, PROTECTED, CCS_DROPPED];

/// Nothing protected has come yet, and no early data is on its way.
const FIRST_PROTECTED: Block = &[ALERTS_OF_EITHER_KIND, OPENED_OR_NOT, NO_DATA];

/// Something protected came.
const LATER_PROTECTED: Block = &[ALERTS_PROTECTED, OPENED_OR_NOT, NO_DATA];

/// Early data that was refused may still come.
const BEFORE_WHAT_OPENS: Block = &[ALERTS_OF_EITHER_KIND, PASSED_OVER, NO_DATA];

const NO_EARLY: Block = &[DATA_BEFORE, NO_EARLY_DATA];
const WITH_EARLY: Block = &[DATA_BEFORE, EARLY_DATA];
const TO_WHOM: Block = &[DATA_TO_ANYONE, NO_EARLY_DATA];

const QUESTION: Block = &[ASKED, CALLS, NOTHING_BEFORE, NO_EARLY_DATA];
const QUESTION_BEHIND_FLIGHT: Block = &[ASKED, CALLS, DATA_TO_ANYONE, NO_EARLY_DATA];

/// Every state of the server's machine.
pub const PLACES: &[Place] = &[
    Place::new(
        "ClientHello",
        "ClientHello",
        (FULL, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES, CCS_REFUSED, PLAINTEXT, CLIENT_HELLO]],
    ),
    Place::new(
        "ClientHello with another group",
        "ClientHello",
        (RETRY, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES, CCS_REFUSED, PLAINTEXT, CLIENT_HELLO_WITH_ANOTHER_GROUP]],
    ),
    Place::new(
        "ClientHello, stateless",
        "ClientHello",
        (STATELESS, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES, CCS_DROPPED, REMEMBERED, CLIENT_HELLO_STATELESS]],
    ),
    Place::new(
        "ClientHello with a cookie",
        "ClientHello",
        (STATELESS_EARLY, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[LATER_BYTES, CCS_DROPPED, DROPPED, CLIENT_HELLO_WITH_A_COOKIE]],
    )
    .anew(1)
    .behind(&[Undecipherable]),
    Place::new(
        "ClientHello, request to come",
        "ClientHello",
        (MUTUAL, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES, CCS_REFUSED, PLAINTEXT, CLIENT_HELLO_OF_A_CLIENT_WITH_CERTIFICATE]],
    ),
    Place::new(
        "ClientHello, fronted",
        "ClientHello",
        (FRONTED, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES, CCS_REFUSED, PLAINTEXT, CLIENT_HELLO_FRONTED]],
    ),
    Place::new(
        "ClientHello with a key",
        "ClientHello",
        (RESUMED, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES, CCS_REFUSED, PLAINTEXT, CLIENT_HELLO_WITH_A_KEY]],
    ),
    Place::new("Configure", "Configure", (FRONTED, 1), (Plaintext, Plaintext), &[QUESTION, &[CONFIGURE]])
        .asks("Configure"),
    Place::new(
        "Configure with a key",
        "Configure",
        (RICH, 1),
        (Plaintext, Plaintext),
        &[QUESTION, &[CONFIGURE_WITH_A_KEY]],
    )
    .asks("Configure"),
    Place::new("Psk", "Psk", (RESUMED, 1), (Plaintext, Plaintext), &[QUESTION, &[PSK]]).asks("LookupPsk"),
    Place::new("Psk, external", "Psk", (EXTERNAL, 1), (Plaintext, Plaintext), &[QUESTION, &[PSK]])
        .asks("LookupPsk"),
    Place::new(
        "Psk with early data",
        "Psk",
        (EARLY, 1),
        (Plaintext, Plaintext),
        &[QUESTION, &[PSK_WITH_EARLY_DATA]],
    )
    .asks("LookupPsk"),
    Place::new(
        "Psk of a client with a certificate",
        "Psk",
        (RICH, 1),
        (Plaintext, Plaintext),
        &[QUESTION, &[PSK_OF_A_PEER_TO_VERIFY_AGAIN]],
    )
    .asks("LookupPsk"),
    Place::new(
        "ResumedPeer",
        "ResumedPeer",
        (AGAIN, 1),
        (Plaintext, Plaintext),
        &[QUESTION, &[RESUMED_PEER]],
    )
    .asks("VerifyPeer"),
    Place::new(
        "ResumedPeer with early data",
        "ResumedPeer",
        (RICH, 1),
        (Plaintext, Plaintext),
        &[QUESTION, &[RESUMED_PEER_WITH_EARLY_DATA]],
    )
    .asks("VerifyPeer"),
    Place::new("Replay", "Replay", (EARLY, 1), (Plaintext, Plaintext), &[QUESTION, &[REPLAY]])
        .asks("CheckReplay"),
    Place::new(
        "Replay behind everything",
        "Replay",
        (RICH, 1),
        (Plaintext, Plaintext),
        &[QUESTION, &[REPLAY]],
    )
    .asks("CheckReplay"),
    Place::new(
        "SecondHello",
        "SecondHello",
        (RETRY, 1),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, RETRIED, &[PLAINTEXT, SECOND_HELLO]],
    ),
    Place::new(
        "SecondHello with a cookie",
        "SecondHello",
        (STATELESS, 1),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, RETRIED, &[PLAINTEXT, SECOND_HELLO]],
    ),
    Place::new(
        "SecondHello behind early data",
        "SecondHello",
        (EARLY_RETRY, 1),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, RETRIED, &[DROPPED, SECOND_HELLO_WITH_A_KEY]],
    ),
    Place::new("Signature", "Signature", (FULL, 1), (Handshake, Handshake), &[QUESTION, &[SIGNATURE]])
        .asks("Sign"),
    Place::new(
        "Signature behind a request",
        "Signature",
        (MUTUAL, 1),
        (Handshake, Handshake),
        &[QUESTION, &[SIGNATURE_BEHIND_A_REQUEST]],
    )
    .asks("Sign"),
    Place::new(
        "EndOfEarlyData",
        "EndOfEarlyData",
        (EARLY, 1),
        (Early, Application),
        &[UNDER_KEYS, WITH_EARLY, &[ALERTS_OF_EITHER_KIND, OPENED_OR_NOT, END_OF_EARLY_DATA]],
    ),
    Place::new(
        "Certificate",
        "Certificate",
        (MUTUAL, 1),
        (Handshake, Application),
        &[UNDER_KEYS, TO_WHOM, FIRST_PROTECTED, &[CERTIFICATE]],
    ),
    Place::new(
        "Certificate, raw keys",
        "Certificate",
        (RAW, 1),
        (Handshake, Application),
        &[UNDER_KEYS, TO_WHOM, FIRST_PROTECTED, &[CERTIFICATE]],
    ),
    Place::new(
        "Certificate, optional",
        "Certificate",
        (OPTIONAL, 1),
        (Handshake, Application),
        &[UNDER_KEYS, TO_WHOM, FIRST_PROTECTED, &[CERTIFICATE_OR_NONE]],
    ),
    Place::new(
        "Certificate, migrating",
        "Certificate",
        (MIGRATING, 1),
        (Handshake, Application),
        &[UNDER_KEYS, TO_WHOM, FIRST_PROTECTED, &[CERTIFICATE_OR_NONE]],
    ),
    Place::new(
        "CertificateVerify",
        "CertificateVerify",
        (MUTUAL, 2),
        (Handshake, Application),
        &[UNDER_KEYS, TO_WHOM, LATER_PROTECTED, &[VERIFY]],
    ),
    Place::new(
        "CertificateVerify of a raw key",
        "CertificateVerify",
        (RAW, 2),
        (Handshake, Application),
        &[UNDER_KEYS, TO_WHOM, LATER_PROTECTED, &[VERIFY]],
    ),
    Place::new(
        "PeerVerdict",
        "PeerVerdict",
        (MUTUAL, 3),
        (Handshake, Application),
        &[QUESTION_BEHIND_FLIGHT, &[PEER_VERDICT]],
    )
    .asks("VerifyPeer"),
    Place::new(
        "Finished",
        "Finished",
        (FULL, 1),
        (Handshake, Application),
        &[UNDER_KEYS, NO_EARLY, FIRST_PROTECTED, &[FINISHED]],
    ),
    Place::new(
        "Finished with a key",
        "Finished",
        (RESUMED, 1),
        (Handshake, Application),
        &[UNDER_KEYS, NO_EARLY, FIRST_PROTECTED, &[FINISHED]],
    ),
    Place::new(
        "Finished behind a retry",
        "Finished",
        (RETRY, 2),
        (Handshake, Application),
        &[UNDER_KEYS, NO_EARLY, FIRST_PROTECTED, &[FINISHED]],
    ),
    Place::new(
        "Finished of a client with a certificate",
        "Finished",
        (MUTUAL, 3),
        (Handshake, Application),
        &[UNDER_KEYS, TO_WHOM, LATER_PROTECTED, &[FINISHED]],
    ),
    Place::new(
        "Finished without a certificate",
        "Finished",
        (OPTIONAL, 2),
        (Handshake, Application),
        &[UNDER_KEYS, TO_WHOM, LATER_PROTECTED, &[FINISHED]],
    ),
    Place::new(
        "Finished behind early data",
        "Finished",
        (EARLY, 2),
        (Handshake, Application),
        &[UNDER_KEYS, WITH_EARLY, LATER_PROTECTED, &[FINISHED_BEHIND_EARLY_DATA]],
    ),
    Place::new(
        "Finished, early data refused",
        "Finished",
        (REPLAYED, 1),
        (Handshake, Application),
        &[UNDER_KEYS, NO_EARLY, BEFORE_WHAT_OPENS, &[FINISHED]],
    ),
    Place::new(
        "Finished, ticket forgotten",
        "Finished",
        (FORGOTTEN, 1),
        (Handshake, Application),
        &[UNDER_KEYS, NO_EARLY, BEFORE_WHAT_OPENS, &[FINISHED]],
    ),
    Place::new(
        "Finished, tickets to come",
        "Finished",
        (TICKETED, 1),
        (Handshake, Application),
        &[UNDER_KEYS, NO_EARLY, FIRST_PROTECTED, &[FINISHED_WITH_TICKETS]],
    ),
    Place::new(
        "open, a ticket to seal",
        "Open",
        (TICKETED, 2),
        (Application, Application),
        &[READS, ASKS, WRITES, &[NO_EARLY_DATA, MAY_ASK, TICKET, UPDATES, CLOSES, OF_A_CLIENT]],
    )
    .asks("SealTicket"),
    Place::new(
        "open, a ticket to seal behind everything",
        "Open",
        (FRONTED, 4),
        (Application, Application),
        &[READS, ASKS, WRITES, &[NO_EARLY_DATA, MAY_ASK, TICKET, UPDATES, CLOSES, OF_A_CLIENT]],
    )
    .asks("SealTicket"),
    Place::new(
        "ClientHello, bare",
        "ClientHello",
        (BARE, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES, CCS_REFUSED, PLAINTEXT, CLIENT_HELLO_BARE]],
    ),
    Place::new(
        "SecondHello, bare",
        "SecondHello",
        (BARE_RETRY, 1),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, RETRIED, &[PLAINTEXT, SECOND_HELLO]],
    ),
    Place::new(
        "Finished, bare",
        "Finished",
        (BARE, 1),
        (Handshake, Application),
        &[UNDER_KEYS, NO_EARLY, FIRST_PROTECTED, &[FINISHED]],
    ),
    Place::new(
        "Psk behind a cookie",
        "Psk",
        (STATELESS_EARLY, 1),
        (Plaintext, Plaintext),
        &[QUESTION, &[PSK_BEHIND_A_COOKIE]],
    )
    .anew(1)
    .asks("LookupPsk"),
    Place::new(
        "Signature, early data refused",
        "Signature",
        (FORGOTTEN, 1),
        (Handshake, Handshake),
        &[QUESTION, &[SIGNATURE_BEHIND_EARLY_DATA]],
    )
    .asks("Sign"),
    Place::new(
        "PeerVerdict on a raw key",
        "PeerVerdict",
        (RAW, 3),
        (Handshake, Application),
        &[QUESTION_BEHIND_FLIGHT, &[PEER_VERDICT]],
    )
    .asks("VerifyPeer"),
    Place::new(
        "Finished of a client with a raw key",
        "Finished",
        (RAW, 3),
        (Handshake, Application),
        &[UNDER_KEYS, TO_WHOM, LATER_PROTECTED, &[FINISHED]],
    ),
    Place::new(
        "ended with a question out",
        "Failed",
        (FULL, 1),
        (Handshake, Handshake),
        &[ENDED, &[ANSWERED_TOO_LATE]],
    )
    .asks("Sign")
    .behind(&[Call(Close)])
    .mute(),
];
