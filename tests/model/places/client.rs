//! Every state of the client's machine, in as many ways as it differs by, and the tables that each has.

use symbolon::conn::Epoch::{Handshake, Plaintext};

use crate::input::Command::Close;
use crate::input::Input::Call;
use crate::place::{Block, Place};
use crate::scene::*;
use crate::tables::client::*;
use crate::tables::open::{ANSWERED_TOO_LATE, ENDED};
use crate::tables::shared::*;

/// Before the ServerHello.
const IN_PLAINTEXT: Block = &[UNASKED, CALLS, UNREADABLE, CLOSING, PLAINTEXT, CCS_DROPPED];

/// Behind it.
const UNDER_KEYS: Block = &[
    UNASKED,
    CALLS,
    UNREADABLE,
    CLOSING,
    LATER_BYTES,
    PROTECTED,
    OPENED_OR_NOT,
    ALERTS_PROTECTED,
    CCS_DROPPED,
    NO_DATA,
];

/// Nothing goes out before the end, and nothing went out early.
const QUIET: Block = &[NOTHING_BEFORE, NO_EARLY_DATA];

/// Early data may be sent.
const EARLY_WRITER: Block = &[DATA_BEFORE, EARLY_DATA];

const QUESTION: Block = &[ASKED, CALLS];

/// Every state of the client's machine.
pub const PLACES: &[Place] = &[
    Place::new(
        "ServerHello",
        "ServerHello",
        (FULL, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES], QUIET, &[SERVER_HELLO]],
    ),
    Place::new(
        "ServerHello behind early data",
        "ServerHello",
        (EARLY, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES], EARLY_WRITER, &[SERVER_HELLO_BEHIND_EARLY_DATA]],
    ),
    Place::new(
        "ServerHello of a server that forgot",
        "ServerHello",
        (FORGOTTEN, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES], EARLY_WRITER, &[SERVER_HELLO_WITHOUT_THE_KEY]],
    ),
    Place::new(
        "second ServerHello",
        "ServerHello",
        (RETRY, 1),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[LATER_BYTES], QUIET, &[SECOND_SERVER_HELLO]],
    ),
    Place::new(
        "second ServerHello of a stateless server",
        "ServerHello",
        (STATELESS, 1),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[LATER_BYTES], QUIET, &[SECOND_SERVER_HELLO]],
    ),
    Place::new(
        "second ServerHello behind refused early data",
        "ServerHello",
        (EARLY_RETRY, 1),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[LATER_BYTES], QUIET, &[SECOND_SERVER_HELLO_WITH_A_KEY]],
    ),
    Place::new(
        "EncryptedExtensions",
        "EncryptedExtensions",
        (FULL, 1),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[EXTENSIONS]],
    ),
    Place::new(
        "EncryptedExtensions for raw keys",
        "EncryptedExtensions",
        (RAW, 1),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[EXTENSIONS]],
    ),
    Place::new(
        "EncryptedExtensions with a key",
        "EncryptedExtensions",
        (RESUMED, 1),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[EXTENSIONS_WITH_A_KEY]],
    ),
    Place::new(
        "EncryptedExtensions, external key",
        "EncryptedExtensions",
        (EXTERNAL, 1),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[EXTENSIONS_WITH_A_KEY]],
    ),
    Place::new(
        "EncryptedExtensions, again",
        "EncryptedExtensions",
        (AGAIN, 1),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[EXTENSIONS_WITH_A_PEER_TO_VERIFY_AGAIN]],
    ),
    Place::new(
        "EncryptedExtensions about early data",
        "EncryptedExtensions",
        (EARLY, 1),
        (Handshake, Handshake),
        &[UNDER_KEYS, EARLY_WRITER, &[EXTENSIONS_ABOUT_EARLY_DATA]],
    ),
    Place::new(
        "EncryptedExtensions against early data",
        "EncryptedExtensions",
        (REPLAYED, 1),
        (Handshake, Handshake),
        &[UNDER_KEYS, EARLY_WRITER, &[EXTENSIONS_AGAINST_EARLY_DATA]],
    ),
    Place::new("Auth", "Auth", (FULL, 2), (Handshake, Handshake), &[UNDER_KEYS, QUIET, &[AUTH]]),
    Place::new(
        "Auth, early data refused",
        "Auth",
        (FORGOTTEN, 2),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[AUTH]],
    ),
    Place::new(
        "Auth behind a request",
        "Auth",
        (MUTUAL, 3),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[AUTH_BEHIND_A_REQUEST]],
    ),
    Place::new(
        "Auth behind a request, raw keys",
        "Auth",
        (RAW, 3),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[AUTH_BEHIND_A_REQUEST]],
    ),
    Place::new(
        "CertificateVerify",
        "CertificateVerify",
        (FULL, 3),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[VERIFY]],
    ),
    Place::new(
        "CertificateVerify of a raw key",
        "CertificateVerify",
        (RAW, 4),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[VERIFY]],
    ),
    Place::new(
        "PeerVerdict",
        "PeerVerdict",
        (FULL, 4),
        (Handshake, Handshake),
        &[QUESTION, QUIET, &[PEER_VERDICT]],
    )
    .asks("VerifyPeer"),
    Place::new(
        "ResumedPeer",
        "ResumedPeer",
        (AGAIN, 2),
        (Handshake, Handshake),
        &[QUESTION, QUIET, &[PEER_VERDICT]],
    )
    .asks("VerifyPeer"),
    Place::new("Finished", "Finished", (FULL, 4), (Handshake, Handshake), &[UNDER_KEYS, QUIET, &[FINISHED]]),
    Place::new(
        "Finished with a key",
        "Finished",
        (RESUMED, 2),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[FINISHED]],
    ),
    Place::new(
        "Finished behind a request",
        "Finished",
        (MUTUAL, 5),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[FINISHED_BEHIND_A_REQUEST]],
    ),
    Place::new(
        "Finished behind early data",
        "Finished",
        (EARLY, 2),
        (Handshake, Handshake),
        &[UNDER_KEYS, EARLY_WRITER, &[FINISHED_BEHIND_EARLY_DATA]],
    ),
    Place::new(
        "Finished behind refused early data",
        "Finished",
        (REPLAYED, 2),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[FINISHED_BEHIND_REFUSED_EARLY_DATA]],
    ),
    Place::new(
        "Credential",
        "Credential",
        (MUTUAL, 6),
        (Handshake, Handshake),
        &[QUESTION, QUIET, &[CREDENTIAL]],
    )
    .asks("ChooseCredential"),
    Place::new(
        "Signature",
        "Signature",
        (MUTUAL, 6),
        (Handshake, Handshake),
        &[QUESTION, QUIET, &[SIGNATURE]],
    )
    .asks("Sign"),
    Place::new(
        "Credential, raw keys",
        "Credential",
        (RAW, 6),
        (Handshake, Handshake),
        &[QUESTION, QUIET, &[CREDENTIAL]],
    )
    .asks("ChooseCredential"),
    Place::new(
        "Signature by a raw key",
        "Signature",
        (RAW, 6),
        (Handshake, Handshake),
        &[QUESTION, QUIET, &[SIGNATURE]],
    )
    .asks("Sign"),
    Place::new(
        "ServerHello, bare",
        "ServerHello",
        (BARE, 0),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[FIRST_BYTES], QUIET, &[SERVER_HELLO_BARE]],
    ),
    Place::new(
        "second ServerHello, bare",
        "ServerHello",
        (BARE_RETRY, 1),
        (Plaintext, Plaintext),
        &[IN_PLAINTEXT, &[LATER_BYTES], QUIET, &[SECOND_SERVER_HELLO]],
    ),
    Place::new(
        "EncryptedExtensions, bare",
        "EncryptedExtensions",
        (BARE, 1),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[EXTENSIONS]],
    ),
    // Without a ChangeCipherSpec to send, as behind early data.
    Place::new(
        "Finished, bare",
        "Finished",
        (BARE, 4),
        (Handshake, Handshake),
        &[UNDER_KEYS, QUIET, &[FINISHED_BEHIND_REFUSED_EARLY_DATA]],
    ),
    Place::new(
        "ended with a question out",
        "Failed",
        (MUTUAL, 6),
        (Handshake, Handshake),
        &[ENDED, &[ANSWERED_TOO_LATE]],
    )
    .asks("Sign")
    .behind(&[Call(Close)])
    .mute(),
];
