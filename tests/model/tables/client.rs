//! The client's messages and answers: RFC 9846 appendix A.1.

use symbolon::AlertCode;

use super::groups::*;
use super::shared::*;
use crate::input::Input::*;
use crate::input::Kind::*;
use crate::input::Reply::*;
use crate::then::Row;
use crate::then::Then::*;

pub const SERVER_HELLO: &[Row] = &[
    (&[Message(ServerHello)], To("EncryptedExtensions"), &[], "4.2.3"),
    (&[Message(RetryRequest)], To("second ServerHello"), &["ChangeCipherSpec", "ClientHello"], "4.2.4"),
    (&[Garbled(ServerHello)], Peer(DECODE), &[], "4.2.3"),
    (ALL_BUT_SERVER_HELLO, Peer(UNEXPECTED), &[], "A.1"),
];

pub const SERVER_HELLO_BARE: &[Row] = &[
    (&[Message(ServerHello)], To("EncryptedExtensions, bare"), &[], "4.2.3"),
    (&[Message(RetryRequest)], To("second ServerHello, bare"), &["ClientHello"], "4.2.4"),
    (&[Garbled(ServerHello)], Peer(DECODE), &[], "4.2.3"),
    (ALL_BUT_SERVER_HELLO, Peer(UNEXPECTED), &[], "A.1"),
];

pub const SERVER_HELLO_BEHIND_EARLY_DATA: &[Row] = &[
    (&[Message(ServerHello)], To("EncryptedExtensions about early data"), &[], "4.2.3"),
    (
        &[Message(RetryRequest)],
        To("second ServerHello behind refused early data"),
        &["EarlyVerdict", "ClientHello"],
        "4.2.4",
    ),
    (&[Garbled(ServerHello)], Peer(DECODE), &[], "4.2.3"),
    (ALL_BUT_SERVER_HELLO, Peer(UNEXPECTED), &[], "A.1"),
];

pub const SERVER_HELLO_WITHOUT_THE_KEY: &[Row] = &[
    (&[Message(ServerHello)], To("EncryptedExtensions"), &["EarlyVerdict"], "4.3.10"),
    (
        &[Message(RetryRequest)],
        To("second ServerHello behind refused early data"),
        &["EarlyVerdict", "ClientHello"],
        "4.2.4",
    ),
    (&[Garbled(ServerHello)], Peer(DECODE), &[], "4.2.3"),
    (ALL_BUT_SERVER_HELLO, Peer(UNEXPECTED), &[], "A.1"),
];

pub const SECOND_SERVER_HELLO: &[Row] = &[
    (&[Message(ServerHello)], To("EncryptedExtensions"), &[], "4.2.3"),
    (&[Message(RetryRequest)], Peer(UNEXPECTED), &[], "4.2.4"),
    (&[Garbled(ServerHello)], Peer(DECODE), &[], "4.2.3"),
    (ALL_BUT_SERVER_HELLO, Peer(UNEXPECTED), &[], "A.1"),
];

pub const SECOND_SERVER_HELLO_WITH_A_KEY: &[Row] = &[
    (&[Message(ServerHello)], To("EncryptedExtensions with a key"), &[], "4.2.3"),
    (&[Message(RetryRequest)], Peer(UNEXPECTED), &[], "4.2.4"),
    (&[Garbled(ServerHello)], Peer(DECODE), &[], "4.2.3"),
    (ALL_BUT_SERVER_HELLO, Peer(UNEXPECTED), &[], "A.1"),
];

pub const EXTENSIONS: &[Row] = &[
    (&[Message(Extensions)], To("Auth"), &[], "4.4.1"),
    (&[Garbled(Extensions)], Peer(DECODE), &[], "4.4.1"),
    (ALL_BUT_EXTENSIONS, Peer(UNEXPECTED), &[], "A.1"),
];

pub const EXTENSIONS_WITH_A_KEY: &[Row] = &[
    (&[Message(Extensions)], To("Finished"), &[], "4.4.1"),
    (&[Garbled(Extensions)], Peer(DECODE), &[], "4.4.1"),
    (ALL_BUT_EXTENSIONS, Peer(UNEXPECTED), &[], "A.1"),
];

pub const EXTENSIONS_WITH_A_PEER_TO_VERIFY_AGAIN: &[Row] = &[
    (&[Message(Extensions)], To("ResumedPeer"), &["asks VerifyPeer"], "4.4.1"),
    (&[Garbled(Extensions)], Peer(DECODE), &[], "4.4.1"),
    (ALL_BUT_EXTENSIONS, Peer(UNEXPECTED), &[], "A.1"),
];

pub const EXTENSIONS_ABOUT_EARLY_DATA: &[Row] = &[
    (&[Message(Extensions)], To("Finished behind early data"), &["EarlyVerdict"], "4.3.10"),
    (&[Garbled(Extensions)], Peer(DECODE), &[], "4.4.1"),
    (ALL_BUT_EXTENSIONS, Peer(UNEXPECTED), &[], "A.1"),
];

pub const EXTENSIONS_AGAINST_EARLY_DATA: &[Row] = &[
    (&[Message(Extensions)], To("Finished"), &["EarlyVerdict"], "4.3.10"),
    (&[Garbled(Extensions)], Peer(DECODE), &[], "4.4.1"),
    (ALL_BUT_EXTENSIONS, Peer(UNEXPECTED), &[], "A.1"),
];

pub const AUTH: &[Row] = &[
    (&[Message(Request)], To("Auth behind a request"), &[], "4.4.2"),
    (&[Message(Certificate)], To("CertificateVerify"), &[], "4.5.1"),
    (&[Message(NoCertificate)], Peer(DECODE), &[], "4.5.1.3"),
    (&[Garbled(Request)], Peer(DECODE), &[], "4.4.2"),
    (&[Garbled(Certificate)], Peer(DECODE), &[], "4.5.1"),
    (ALL_BUT_REQUEST_AND_CERTIFICATE, Peer(UNEXPECTED), &[], "A.1"),
];

pub const AUTH_BEHIND_A_REQUEST: &[Row] = &[
    (&[Message(Request), Garbled(Request)], Peer(UNEXPECTED), &[], "A.1"),
    (&[Message(Certificate)], To("CertificateVerify"), &[], "4.5.1"),
    (&[Message(NoCertificate)], Peer(DECODE), &[], "4.5.1.3"),
    (&[Garbled(Certificate)], Peer(DECODE), &[], "4.5.1"),
    (ALL_BUT_REQUEST_AND_CERTIFICATE, Peer(UNEXPECTED), &[], "A.1"),
];

pub const VERIFY: &[Row] = &[
    (&[Message(Verify)], To("PeerVerdict"), &["asks VerifyPeer"], "4.5.2"),
    (&[Garbled(Verify)], Peer(DECODE), &[], "4.5.2"),
    (ALL_BUT_VERIFY, Peer(UNEXPECTED), &[], "A.1"),
];

pub const PEER_VERDICT: &[Row] = &[
    (&[Answer(Verified)], To("Finished"), &[], "surface"),
    (&[Answer(PeerRefused)], Ours(AlertCode::BAD_CERTIFICATE), &[], "4.5.1.3"),
];

pub const FINISHED: &[Row] = &[
    (&[Message(Finished)], To("open"), &["Established", "ChangeCipherSpec", "Finished"], "4.5.3"),
    (&[Garbled(Finished)], Peer(DECRYPT), &[], "4.5.3"),
    (ALL_BUT_FINISHED, Peer(UNEXPECTED), &[], "A.1"),
];

pub const FINISHED_BEHIND_A_REQUEST: &[Row] = &[
    (&[Message(Finished)], To("Credential"), &["asks ChooseCredential"], "4.5.3"),
    (&[Garbled(Finished)], Peer(DECRYPT), &[], "4.5.3"),
    (ALL_BUT_FINISHED, Peer(UNEXPECTED), &[], "A.1"),
];

pub const FINISHED_BEHIND_EARLY_DATA: &[Row] = &[
    (
        &[Message(Finished)],
        To("open behind early data"),
        &["Established", "EndOfEarlyData", "Finished"],
        "4.6",
    ),
    (&[Garbled(Finished)], Peer(DECRYPT), &[], "4.5.3"),
    (ALL_BUT_FINISHED, Peer(UNEXPECTED), &[], "A.1"),
];

/// The ChangeCipherSpec went out before the early data.
pub const FINISHED_BEHIND_REFUSED_EARLY_DATA: &[Row] = &[
    (&[Message(Finished)], To("open"), &["Established", "Finished"], "4.5.3"),
    (&[Garbled(Finished)], Peer(DECRYPT), &[], "4.5.3"),
    (ALL_BUT_FINISHED, Peer(UNEXPECTED), &[], "A.1"),
];

pub const CREDENTIAL: &[Row] = &[
    (&[Answer(Chosen)], To("Signature"), &["asks Sign", "ChangeCipherSpec", "Certificate"], "4.5.1"),
    (
        &[Answer(ChosenUnfit), Answer(NoCredential)],
        To("open"),
        &["Established", "ChangeCipherSpec", "Certificate", "Finished"],
        "4.5.1",
    ),
    (&[Answer(ChooseRefused)], Ours(AlertCode::GENERAL_ERROR), &[], "surface"),
];

pub const SIGNATURE: &[Row] = &[
    (&[Answer(Signed)], To("open"), &["Established", "CertificateVerify", "Finished"], "4.5.2"),
    (&[Answer(SignFailed)], Ours(AlertCode::INTERNAL_ERROR), &[], "surface"),
];
