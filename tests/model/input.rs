//! Everything that can come to a connection: from the wire, from whoever answers, from the caller.

use crate::support::forge::*;

/// Kinds of handshake messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one that the scene begins with.
    ClientHello,
    /// One with a share of the group that a server asks for in a retry.
    SecondHello,
    ServerHello,
    /// A HelloRetryRequest.
    RetryRequest,
    Ticket,
    EndOfEarlyData,
    Extensions,
    Request,
    Certificate,
    /// A Certificate without a certificate.
    NoCertificate,
    Verify,
    Finished,
    Update,
    /// A KeyUpdate that wants another one back.
    UpdateRequest,
    MessageHash,
    /// Each of the 245 numbers that RFC 9846 section 4 does not have.
    Unknown,
}

/// One input. What is not said to be otherwise goes under the keys that the connection reads with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A message as the scene has it, or another scene where this one has none.
    Message(Kind),
    /// A message of this kind that is no valid one.
    Garbled(Kind),
    /// A message unprotected where there are keys, and protected by unknown keys where there are none.
    Misprotected(Kind),

    Ccs,
    CcsOfAnotherByte,
    CcsOfTwoBytes,
    CcsEmpty,
    CcsProtected,

    CloseNotify,
    CloseNotifyFatal,
    UserCanceled,
    UserCanceledFatal,
    /// Each of the other 254 descriptions, at the fatal level.
    ErrorAlert,
    /// Some of them at the level of warnings.
    ErrorWarning,
    AlertOfOneByte,
    AlertOfThreeBytes,
    AlertEmpty,
    MisprotectedCloseNotify,
    MisprotectedUserCanceled,
    MisprotectedErrorAlert,

    Data,
    DataEmpty,
    /// A protected record that no key opens.
    Undecipherable,
    /// The same, too short to hold a tag.
    UndecipherableShort,
    UndecipherableEmpty,

    HandshakeEmpty,
    /// Each of the 252 record types that there are not.
    UnknownType,
    /// Each of the 251 types that there are not, inside a protected record.
    UnknownInnerType,
    /// A protected record of zeros.
    NoInnerType,
    TooLong,
    TooLongProtected,
    /// A protected record that holds one byte more than a record may.
    TooMuchInside,
    PartOfHeader,
    PartOfRecord,
    Http,
    Ssl2,

    /// The beginning of the message that is due.
    Half,
    HalfThenCcs,
    HalfThenData,
    HalfThenDataEmpty,
    HalfThenCloseNotify,
    HalfThenUserCanceled,
    HalfThenErrorAlert,
    HalfThenEof,
    Eof,

    /// An answer to the question that is out.
    Answer(Reply),
    /// An answer to a question of another connection.
    Foreign(Reply),
    /// An answer to another question of the same connection, earlier or later.
    OfAnotherQuestion,
    /// An answer of another kind than the question, which nobody can make as long as randomness is random.
    OfAnotherKind,

    Call(Command),
}

/// What a question can be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Configured,
    PsksOnly,
    ConfigureRefused,
    /// What the scene's server knows.
    Known,
    /// A key that the client does not have.
    KnownOther,
    /// A key for an identity that was not offered.
    KnownBeyond,
    KnownNone,
    LookupRefused,
    Fresh,
    Replayed,
    Unknowable,
    Chosen,
    /// A credential that the server's request does not permit.
    ChosenUnfit,
    NoCredential,
    ChooseRefused,
    Signed,
    SignFailed,
    Verified,
    PeerRefused,
    Sealed,
    SealedEmpty,
    NoTicket,
}

/// What a caller can call, beside `process` and `resume`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    ProcessNothing,
    Write,
    WriteNothing,
    SealFrame,
    UpdateKeys,
    UpdateKeysOfBoth,
    Close,
    /// For a reason of the application's, with access_denied.
    Abort,
    /// `early_writer` of a client, `half_rtt_writer` of a server.
    WriteBefore,
    /// `half_rtt_writer`, to whoever reads it.
    WriteToAnyone,
    IsEstablished,
    Exporter,
    EarlyExporter,
    ChannelBinding,
    Split,
    IntoKernel,
}

use Command::*;
use Input::*;
use Kind::*;
use Reply::*;

pub const KINDS: &[Kind] = &[
    ClientHello,
    SecondHello,
    ServerHello,
    RetryRequest,
    Ticket,
    EndOfEarlyData,
    Extensions,
    Request,
    Certificate,
    NoCertificate,
    Verify,
    Finished,
    Update,
    UpdateRequest,
    MessageHash,
    Unknown,
];

/// Those of them that can be garbled without being refused for their length or number.
pub const GARBLED: &[Kind] = &[
    ClientHello,
    ServerHello,
    Ticket,
    EndOfEarlyData,
    Extensions,
    Request,
    Certificate,
    Verify,
    Finished,
    Update,
];

/// What tells one state from another: which messages it takes, under which keys, and what may be called.
pub const PROBES: &[Input] = &[
    Garbled(ClientHello),
    Garbled(ServerHello),
    Garbled(Ticket),
    Message(EndOfEarlyData),
    Garbled(Extensions),
    Garbled(Request),
    Garbled(Certificate),
    Garbled(Verify),
    Garbled(Finished),
    Garbled(Update),
    Ccs,
    Data,
    Undecipherable,
    MisprotectedUserCanceled,
    Call(WriteBefore),
    Call(WriteToAnyone),
    Call(UpdateKeysOfBoth),
    Call(IntoKernel),
];

pub const RECORDS: &[Input] = &[
    Ccs,
    CcsOfAnotherByte,
    CcsOfTwoBytes,
    CcsEmpty,
    CcsProtected,
    CloseNotify,
    CloseNotifyFatal,
    UserCanceled,
    UserCanceledFatal,
    ErrorAlert,
    ErrorWarning,
    AlertOfOneByte,
    AlertOfThreeBytes,
    AlertEmpty,
    MisprotectedCloseNotify,
    MisprotectedUserCanceled,
    MisprotectedErrorAlert,
    Data,
    DataEmpty,
    Undecipherable,
    UndecipherableShort,
    UndecipherableEmpty,
    HandshakeEmpty,
    UnknownType,
    UnknownInnerType,
    NoInnerType,
    TooLong,
    TooLongProtected,
    TooMuchInside,
    PartOfHeader,
    PartOfRecord,
    Http,
    Ssl2,
    Half,
    HalfThenCcs,
    HalfThenData,
    HalfThenDataEmpty,
    HalfThenCloseNotify,
    HalfThenUserCanceled,
    HalfThenErrorAlert,
    HalfThenEof,
    Eof,
];

pub const REPLIES: &[Reply] = &[
    Configured,
    PsksOnly,
    ConfigureRefused,
    Known,
    KnownOther,
    KnownBeyond,
    KnownNone,
    LookupRefused,
    Fresh,
    Replayed,
    Unknowable,
    Chosen,
    ChosenUnfit,
    NoCredential,
    ChooseRefused,
    Signed,
    SignFailed,
    Verified,
    PeerRefused,
    Sealed,
    SealedEmpty,
    NoTicket,
];

pub const CALLS: &[Command] = &[
    ProcessNothing,
    Write,
    WriteNothing,
    SealFrame,
    UpdateKeys,
    UpdateKeysOfBoth,
    Close,
    Abort,
    WriteBefore,
    WriteToAnyone,
    IsEstablished,
    Exporter,
    EarlyExporter,
    ChannelBinding,
    Split,
    IntoKernel,
];

impl Reply {
    /// The name of the question that it answers.
    pub fn to(self) -> &'static str {
        match self {
            Configured | PsksOnly | ConfigureRefused => "Configure",
            Known | KnownOther | KnownBeyond | KnownNone | LookupRefused => "LookupPsk",
            Fresh | Replayed | Unknowable => "CheckReplay",
            Chosen | ChosenUnfit | NoCredential | ChooseRefused => "ChooseCredential",
            Signed | SignFailed => "Sign",
            Verified | PeerRefused => "VerifyPeer",
            Sealed | SealedEmpty | NoTicket => "SealTicket",
        }
    }
}

/// Every input where `question` is out.
pub fn inputs(question: Option<&str>) -> Vec<Input> {
    let mut all: Vec<Input> = KINDS.iter().map(|kind| Message(*kind)).collect();
    all.extend(GARBLED.iter().map(|kind| Garbled(*kind)));
    all.extend(KINDS.iter().map(|kind| Misprotected(*kind)));
    all.extend(RECORDS);
    all.extend(REPLIES.iter().filter(|reply| question == Some(reply.to())).map(|reply| Answer(*reply)));
    all.extend(REPLIES.iter().map(|reply| Foreign(*reply)));
    all.push(OfAnotherQuestion);
    all.extend(question.is_some_and(|name| name != "SealTicket").then_some(OfAnotherKind));
    all.extend(CALLS.iter().map(|call| Call(*call)));
    all
}

/// The numbers that RFC 9846 section 4 gives to handshake messages.
pub const NUMBERS: [u8; 11] = [1, 2, 4, 5, 8, 11, 13, 15, 20, 24, 254];

/// In how many parts the unknown numbers are tried.
pub const PARTS: u8 = 8;

impl Input {
    /// What it stands for at the place of this number: numbers of messages, of alerts or of record types. Every place tries a
    /// part of those that are unknown, and each [`PARTS`] places try all of them.
    pub fn forms(self, place: usize) -> Vec<u8> {
        let part = |form: u8| usize::from(form % PARTS) == place % usize::from(PARTS);
        let some = |not: &[u8]| (0..=255).filter(|form| part(*form) && !not.contains(form)).collect();
        match self {
            Message(Unknown) => some(&NUMBERS),
            Misprotected(Unknown) => vec![0, 3, 12, 99, 253, 255],
            ErrorAlert => some(&[0, 90]),
            ErrorWarning | MisprotectedErrorAlert | HalfThenErrorAlert => vec![1, 10, 40, 80, 200, 255],
            UnknownType => some(&[CCS, ALERT, HANDSHAKE, DATA]),
            // Zeros are padding.
            UnknownInnerType => some(&[0, CCS, ALERT, HANDSHAKE, DATA]),
            _ => vec![0],
        }
    }
}

/// A handshake message that is none of its kind.
pub fn garbled(kind: Kind) -> Vec<u8> {
    match kind {
        ClientHello => message(CLIENT_HELLO, &[0xFF; 40]),
        ServerHello => message(SERVER_HELLO, &[0xFF; 40]),
        Ticket => message(TICKET, &[0; 3]),
        EndOfEarlyData => message(END_OF_EARLY_DATA, &[0]),
        Extensions => message(ENCRYPTED_EXTENSIONS, &[0xFF]),
        Request => message(CERTIFICATE_REQUEST, &[0xFF]),
        Certificate => message(CERTIFICATE, &[0xFF]),
        Verify => message(CERTIFICATE_VERIFY, &[0xFF]),
        Finished => message(FINISHED, &[0xFF; 32]),
        Update => message(KEY_UPDATE, &[7]),
        other => unreachable!("{other:?} is not garbled"),
    }
}

/// A record that is protected, but by no key that the connection has.
pub fn sealed_by_nobody() -> Vec<u8> {
    record(DATA, &[0x55; 60])
}
