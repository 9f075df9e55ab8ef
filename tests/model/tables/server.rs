//! The server's messages and answers: RFC 9846 appendix A.2.

use symbolon::AlertCode;
use symbolon::Misuse::WrongAnswer;

use super::groups::*;
use super::shared::*;
use crate::input::Input::*;
use crate::input::Kind::*;
use crate::input::Reply::*;
use crate::then::Row;
use crate::then::Then::*;

/// Records that are dropped where early data may still come without keys.
pub const DROPPED: &[Row] = &[
    (MISPROTECTED, Stays, &[], "4.3.10"),
    (SEALED, Stays, &[], "4.3.10"),
    (&[TooLongProtected], Peer(OVERFLOW), &[], "5.2"),
    (&[HalfThenData, HalfThenDataEmpty], Peer(UNEXPECTED), &[], "5.1"),
];

/// The same before a ClientHello with a cookie, which alone tells whose early data it is.
pub const REMEMBERED: &[Row] = &[
    (MISPROTECTED, To("ClientHello with a cookie"), &[], "4.3.10"),
    (SEALED, To("ClientHello with a cookie"), &[], "4.3.10"),
    (&[TooLongProtected], Peer(OVERFLOW), &[], "5.2"),
    (&[HalfThenData, HalfThenDataEmpty], Peer(UNEXPECTED), &[], "5.1"),
];

pub const CLIENT_HELLO: &[Row] = &[
    (
        &[Message(ClientHello)],
        To("Signature"),
        &["asks Sign", "ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Certificate"],
        "4.2.2",
    ),
    (&[Message(SecondHello)], To("SecondHello"), &["HelloRetryRequest", "ChangeCipherSpec"], "4.2.4"),
    (&[Garbled(ClientHello)], Peer(DECODE), &[], "4.2.2"),
    (ALL_BUT_CLIENT_HELLO, Peer(UNEXPECTED), &[], "A.2"),
];

pub const CLIENT_HELLO_BARE: &[Row] = &[
    (
        &[Message(ClientHello)],
        To("Signature"),
        &["asks Sign", "ServerHello", "EncryptedExtensions", "Certificate"],
        "4.2.2",
    ),
    (&[Message(SecondHello)], To("SecondHello"), &["HelloRetryRequest"], "4.2.4"),
    (&[Garbled(ClientHello)], Peer(DECODE), &[], "4.2.2"),
    (ALL_BUT_CLIENT_HELLO, Peer(UNEXPECTED), &[], "A.2"),
];

pub const CLIENT_HELLO_WITH_ANOTHER_GROUP: &[Row] = &[
    (&[Message(ClientHello)], To("SecondHello"), &["HelloRetryRequest", "ChangeCipherSpec"], "4.2.4"),
    (
        &[Message(SecondHello)],
        To("Signature"),
        &["asks Sign", "ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Certificate"],
        "4.2.2",
    ),
    (&[Garbled(ClientHello)], Peer(DECODE), &[], "4.2.2"),
    (ALL_BUT_CLIENT_HELLO, Peer(UNEXPECTED), &[], "A.2"),
];

pub const CLIENT_HELLO_STATELESS: &[Row] = &[
    (
        &[Message(ClientHello)],
        To("SecondHello with a cookie"),
        &["RetrySent", "HelloRetryRequest", "ChangeCipherSpec"],
        "4.2.4",
    ),
    (
        &[Message(SecondHello)],
        To("Signature"),
        &["asks Sign", "ServerHello", "EncryptedExtensions", "Certificate"],
        "4.3.2",
    ),
    (&[Garbled(ClientHello)], Peer(DECODE), &[], "4.2.2"),
    (ALL_BUT_CLIENT_HELLO, Peer(UNEXPECTED), &[], "A.2"),
];

pub const CLIENT_HELLO_WITH_A_COOKIE: &[Row] = &[
    (&[Message(ClientHello)], Peer(UNEXPECTED), &[], "4.3.10"),
    (&[Message(SecondHello)], To("Psk"), &["asks LookupPsk"], "4.3.2"),
    (&[Garbled(ClientHello)], Peer(DECODE), &[], "4.2.2"),
    (ALL_BUT_CLIENT_HELLO, Peer(UNEXPECTED), &[], "A.2"),
];

pub const CLIENT_HELLO_OF_A_CLIENT_WITH_CERTIFICATE: &[Row] = &[
    (
        &[Message(ClientHello)],
        To("Signature behind a request"),
        &[
            "asks Sign",
            "ServerHello",
            "ChangeCipherSpec",
            "EncryptedExtensions",
            "CertificateRequest",
            "Certificate",
        ],
        "4.2.2",
    ),
    (&[Message(SecondHello)], To("SecondHello"), &["HelloRetryRequest", "ChangeCipherSpec"], "4.2.4"),
    (&[Garbled(ClientHello)], Peer(DECODE), &[], "4.2.2"),
    (ALL_BUT_CLIENT_HELLO, Peer(UNEXPECTED), &[], "A.2"),
];

pub const CLIENT_HELLO_FRONTED: &[Row] = &[
    (&[Message(ClientHello), Message(SecondHello)], To("Configure"), &["asks Configure"], "surface"),
    (&[Garbled(ClientHello)], Peer(DECODE), &[], "4.2.2"),
    (ALL_BUT_CLIENT_HELLO, Peer(UNEXPECTED), &[], "A.2"),
];

pub const CLIENT_HELLO_WITH_A_KEY: &[Row] = &[
    (&[Message(ClientHello)], To("Psk"), &["asks LookupPsk"], "4.3.11"),
    (&[Message(SecondHello)], To("SecondHello"), &["HelloRetryRequest", "ChangeCipherSpec"], "4.2.4"),
    (&[Garbled(ClientHello)], Peer(DECODE), &[], "4.2.2"),
    (ALL_BUT_CLIENT_HELLO, Peer(UNEXPECTED), &[], "A.2"),
];

pub const CONFIGURE: &[Row] = &[
    (
        &[Answer(Configured)],
        To("Signature behind a request"),
        &[
            "asks Sign",
            "ServerHello",
            "ChangeCipherSpec",
            "EncryptedExtensions",
            "CertificateRequest",
            "Certificate",
        ],
        "surface",
    ),
    (&[Answer(PsksOnly)], Peer(AlertCode::UNKNOWN_PSK_IDENTITY), &[], "6.2"),
    (&[Answer(ConfigureRefused)], Ours(AlertCode::UNRECOGNIZED_NAME), &[], "surface"),
];

pub const CONFIGURE_WITH_A_KEY: &[Row] = &[
    (&[Answer(Configured), Answer(PsksOnly)], To("Psk"), &["asks LookupPsk"], "surface"),
    (&[Answer(ConfigureRefused)], Ours(AlertCode::UNRECOGNIZED_NAME), &[], "surface"),
];

pub const PSK: &[Row] = &[
    (
        &[Answer(Known)],
        To("Finished"),
        &["ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Finished"],
        "4.3.11",
    ),
    (&[Answer(KnownOther)], Peer(DECRYPT), &[], "4.3.11"),
    (
        &[Answer(KnownBeyond), Answer(KnownNone)],
        To("Signature"),
        &["asks Sign", "ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Certificate"],
        "4.3.11",
    ),
    (&[Answer(LookupRefused)], Ours(AlertCode::ACCESS_DENIED), &[], "surface"),
];

pub const PSK_BEHIND_A_COOKIE: &[Row] = &[
    (&[Answer(Known)], To("Finished"), &["ServerHello", "EncryptedExtensions", "Finished"], "4.3.11"),
    (&[Answer(KnownOther)], Peer(DECRYPT), &[], "4.3.11"),
    (
        &[Answer(KnownBeyond), Answer(KnownNone)],
        To("Signature"),
        &["asks Sign", "ServerHello", "EncryptedExtensions", "Certificate"],
        "4.3.11",
    ),
    (&[Answer(LookupRefused)], Ours(AlertCode::ACCESS_DENIED), &[], "surface"),
];

pub const PSK_OF_A_PEER_TO_VERIFY_AGAIN: &[Row] = &[
    (&[Answer(Known)], To("ResumedPeer"), &["asks VerifyPeer"], "surface"),
    (
        &[Answer(KnownOther), Answer(KnownBeyond), Answer(KnownNone)],
        To("Signature behind a request"),
        &[
            "asks Sign",
            "ServerHello",
            "ChangeCipherSpec",
            "EncryptedExtensions",
            "CertificateRequest",
            "Certificate",
        ],
        "4.3.11",
    ),
    (&[Answer(LookupRefused)], Ours(AlertCode::ACCESS_DENIED), &[], "surface"),
];

pub const PSK_WITH_EARLY_DATA: &[Row] = &[
    (&[Answer(Known)], To("Replay"), &["asks CheckReplay"], "8"),
    (&[Answer(KnownOther)], Peer(DECRYPT), &[], "4.3.11"),
    (
        &[Answer(KnownBeyond), Answer(KnownNone)],
        To("Signature"),
        &["asks Sign", "ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Certificate"],
        "4.3.11",
    ),
    (&[Answer(LookupRefused)], Ours(AlertCode::ACCESS_DENIED), &[], "surface"),
];

pub const SECOND_HELLO: &[Row] = &[
    (&[Message(ClientHello)], Peer(ILLEGAL), &[], "4.2.2"),
    (
        &[Message(SecondHello)],
        To("Signature"),
        &["asks Sign", "ServerHello", "EncryptedExtensions", "Certificate"],
        "4.2.2",
    ),
    (&[Garbled(ClientHello)], Peer(DECODE), &[], "4.2.2"),
    (ALL_BUT_CLIENT_HELLO, Peer(UNEXPECTED), &[], "A.2"),
];

pub const SECOND_HELLO_WITH_A_KEY: &[Row] = &[
    (&[Message(ClientHello)], Peer(ILLEGAL), &[], "4.2.2"),
    (&[Message(SecondHello)], To("Finished"), &["ServerHello", "EncryptedExtensions", "Finished"], "4.2.2"),
    (&[Garbled(ClientHello)], Peer(DECODE), &[], "4.2.2"),
    (ALL_BUT_CLIENT_HELLO, Peer(UNEXPECTED), &[], "A.2"),
];

pub const RESUMED_PEER: &[Row] = &[
    (
        &[Answer(Verified)],
        To("Finished"),
        &["ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Finished"],
        "surface",
    ),
    (&[Answer(PeerRefused)], Ours(AlertCode::BAD_CERTIFICATE), &[], "surface"),
];

pub const RESUMED_PEER_WITH_EARLY_DATA: &[Row] = &[
    (&[Answer(Verified)], To("Replay"), &["asks CheckReplay"], "8"),
    (&[Answer(PeerRefused)], Ours(AlertCode::BAD_CERTIFICATE), &[], "surface"),
];

pub const REPLAY: &[Row] = &[
    (
        &[Answer(Fresh)],
        To("EndOfEarlyData"),
        &["EarlyOpen", "ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Finished"],
        "8",
    ),
    (
        &[Answer(Replayed), Answer(Unknowable)],
        To("Finished, early data refused"),
        &["ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Finished"],
        "8",
    ),
];

pub const SIGNATURE: &[Row] = &[
    (&[Answer(Signed)], To("Finished"), &["CertificateVerify", "Finished"], "4.5.2"),
    (&[Answer(SignFailed)], Ours(AlertCode::INTERNAL_ERROR), &[], "surface"),
];

pub const SIGNATURE_BEHIND_A_REQUEST: &[Row] = &[
    (&[Answer(Signed)], To("Certificate"), &["CertificateVerify", "Finished"], "4.5.2"),
    (&[Answer(SignFailed)], Ours(AlertCode::INTERNAL_ERROR), &[], "surface"),
];

pub const SIGNATURE_BEHIND_EARLY_DATA: &[Row] = &[
    (&[Answer(Signed)], To("Finished, early data refused"), &["CertificateVerify", "Finished"], "4.5.2"),
    (&[Answer(SignFailed)], Ours(AlertCode::INTERNAL_ERROR), &[], "surface"),
];

pub const END_OF_EARLY_DATA: &[Row] = &[
    (&[Message(EndOfEarlyData)], To("Finished behind early data"), &["EarlyEnd"], "4.6"),
    (&[Data], Stays, &["Early"], "4.3.10"),
    (&[DataEmpty], Stays, &[], "5.1"),
    (ALL_BUT_END_OF_EARLY_DATA, Peer(UNEXPECTED), &[], "A.2"),
];

pub const CERTIFICATE: &[Row] = &[
    (&[Message(Certificate)], To("CertificateVerify"), &[], "4.5.1"),
    (&[Message(NoCertificate)], Peer(AlertCode::CERTIFICATE_REQUIRED), &[], "4.5.1.3"),
    (&[Garbled(Certificate)], Peer(DECODE), &[], "4.5.1"),
    (ALL_BUT_CERTIFICATE, Peer(UNEXPECTED), &[], "A.2"),
];

pub const CERTIFICATE_OR_NONE: &[Row] = &[
    (&[Message(Certificate)], To("CertificateVerify"), &[], "4.5.1"),
    (&[Message(NoCertificate)], To("Finished without a certificate"), &[], "4.5.1.3"),
    (&[Garbled(Certificate)], Peer(DECODE), &[], "4.5.1"),
    (ALL_BUT_CERTIFICATE, Peer(UNEXPECTED), &[], "A.2"),
];

pub const VERIFY: &[Row] = &[
    (&[Message(Verify)], To("PeerVerdict"), &["asks VerifyPeer"], "4.5.2"),
    (&[Garbled(Verify)], Peer(DECODE), &[], "4.5.2"),
    (ALL_BUT_VERIFY, Peer(UNEXPECTED), &[], "A.2"),
];

pub const PEER_VERDICT: &[Row] = &[
    (&[Answer(Verified)], To("Finished of a client with a certificate"), &[], "surface"),
    (&[Answer(PeerRefused)], Ours(AlertCode::BAD_CERTIFICATE), &[], "surface"),
];

pub const FINISHED: &[Row] = &[
    (&[Message(Finished)], To("open"), &["Established"], "4.5.3"),
    (&[Garbled(Finished)], Peer(DECRYPT), &[], "4.5.3"),
    (ALL_BUT_FINISHED, Peer(UNEXPECTED), &[], "A.2"),
];

pub const FINISHED_BEHIND_EARLY_DATA: &[Row] = &[
    (&[Message(Finished)], To("open behind early data"), &["Established"], "4.5.3"),
    (&[Garbled(Finished)], Peer(DECRYPT), &[], "4.5.3"),
    (ALL_BUT_FINISHED, Peer(UNEXPECTED), &[], "A.2"),
];

pub const FINISHED_WITH_TICKETS: &[Row] = &[
    (&[Message(Finished)], To("open, a ticket to seal"), &["Established", "asks SealTicket"], "4.7.1"),
    (&[Garbled(Finished)], Peer(DECRYPT), &[], "4.5.3"),
    (ALL_BUT_FINISHED, Peer(UNEXPECTED), &[], "A.2"),
];

/// A question for a ticket pauses nothing.
pub const TICKET: &[Row] = &[
    (&[Answer(Sealed)], To("open"), &["NewSessionTicket"], "4.7.1"),
    (&[Answer(SealedEmpty), Answer(NoTicket)], To("open"), &[], "surface"),
    (FOREIGN, Refused(WrongAnswer), &[], "surface"),
    (&[OfAnotherQuestion], Refused(WrongAnswer), &[], "surface"),
];
