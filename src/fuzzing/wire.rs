//! A message, parsed and written again: the same bytes, or a reason.

use alloc::vec::Vec;

use super::extension::{again, fits};
use crate::alert::AlertCode;
use crate::codepoint::{ExtensionType as E, HandshakeType as H, ProtocolVersion};
use crate::error::{Fault, Misuse};
use crate::wire::certificate::{Certificate, write_certificate};
use crate::wire::certificate_request::{CertificateRequest, write_certificate_request};
use crate::wire::certificate_verify::{CertificateVerify, write_certificate_verify};
use crate::wire::client_hello::{ClientHello, write_client_hello};
use crate::wire::encrypted_extensions::{EncryptedExtensions, write_encrypted_extensions};
use crate::wire::ext::{ExtensionSet, Framed, In};
use crate::wire::finished;
use crate::wire::key_update;
use crate::wire::message::{HEADER_LEN, parse_end_of_early_data, write_end_of_early_data};
use crate::wire::new_session_ticket::{NewSessionTicket, write_new_session_ticket};
use crate::wire::server_hello::{ServerHello, write_server_hello};
use crate::wire::{Reader, U16, U24, Writer};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trip {
    /// It was written as it was read.
    Same,
    /// It was written otherwise, for this reason.
    Other(&'static str),
}

/// What a response may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offers {
    Everything,
    Nothing,
}

const OLD_FORM: &str = "the form of an older version: its number, its compression, or no extensions at all";
const NOT_KEPT: &str = "a view of a Certificate or a ticket keeps what is evaluated, in its own order";

/// Parses the body of a message of this kind, and writes it again.
///
/// A `Finished` is one of `hash_len` bytes. A refusal is given as its alert.
///
/// # Panics
///
/// Where what was written differs from what was read without a reason, or is not read as the same.
pub fn round_trip(kind: u8, offers: Offers, hash_len: usize, body: &[u8]) -> Result<Trip, AlertCode> {
    let mut out = Vec::new();
    let reason = rewrite(H(kind), offers, hash_len, body, &mut out).map_err(|fault| fault.alert())?;
    assert_eq!(out[0], kind);
    if out[HEADER_LEN..] == *body {
        return Ok(Trip::Same);
    }
    let reason = reason.expect("written as it was read");
    // A second time nothing is lost.
    let mut twice = Vec::new();
    rewrite(H(kind), offers, hash_len, &out[HEADER_LEN..], &mut twice).expect("what was written is right");
    assert_eq!(out, twice, "{reason}");
    Ok(Trip::Other(reason))
}

type Rewritten = Result<Option<&'static str>, Fault>;

fn rewrite(kind: H, offers: Offers, hash_len: usize, body: &[u8], out: &mut Vec<u8>) -> Rewritten {
    let offered = match offers {
        Offers::Everything => ExtensionSet::ALL,
        Offers::Nothing => ExtensionSet::EMPTY,
    };
    match kind {
        H::CLIENT_HELLO => client_hello(body, out),
        H::SERVER_HELLO => server_hello(body, offered, out),
        H::ENCRYPTED_EXTENSIONS => encrypted_extensions(body, offered, out),
        H::CERTIFICATE_REQUEST => certificate_request(body, out),
        H::CERTIFICATE => certificate(body, offered, out),
        H::NEW_SESSION_TICKET => new_session_ticket(body, out),
        H::CERTIFICATE_VERIFY => {
            let CertificateVerify { algorithm, signature } = CertificateVerify::parse(body)?;
            fits(write_certificate_verify(out, algorithm, signature));
            Ok(None)
        }
        H::FINISHED => {
            fits(finished::write_finished(out, finished::parse(body, hash_len)?));
            Ok(None)
        }
        H::KEY_UPDATE => {
            out.extend(key_update::encode(key_update::parse(body)?));
            Ok(None)
        }
        H::END_OF_EARLY_DATA => {
            parse_end_of_early_data(body)?;
            fits(write_end_of_early_data(out));
            Ok(None)
        }
        _ => Err(Fault::unexpected_message("no message of this library")),
    }
}

/// Writes a block again, each extension in its place.
fn block(place: In, raw: &[u8]) -> Result<(Vec<u8>, Option<&'static str>), Fault> {
    let (mut out, mut reason) = (Vec::new(), None);
    for extension in Framed::new(raw) {
        let (kind, data) = extension?;
        reason = again(place, kind, data, &mut out)?.or(reason);
    }
    Ok((out, reason))
}

fn put(bytes: Vec<u8>) -> impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse> {
    move |w| {
        w.bytes(&bytes);
        Ok(())
    }
}

fn client_hello(body: &[u8], out: &mut Vec<u8>) -> Rewritten {
    let hello = ClientHello::parse(body)?;
    let raw = hello.extensions.raw;
    let versions = hello.extensions.supported_versions;
    let (block, reason) = match versions {
        Some(versions) if versions.contains(ProtocolVersion::TLS_1_3) => block(In::ClientHello, raw)?,
        _ => (raw.to_vec(), None),
    };
    let suites: Vec<_> = hello.cipher_suites.iter().collect();
    fits(write_client_hello(out, hello.random, hello.legacy_session_id, &suites, put(block)));
    let bare = 34 + 1 + hello.legacy_session_id.len() + 2 + 2 * suites.len() + 1;
    let old = hello.legacy_version != ProtocolVersion::TLS_1_2
        || hello.legacy_compression_methods != [0]
        || body.len() == bare + hello.legacy_compression_methods.len();
    Ok(reason.or(old.then_some(OLD_FORM)))
}

fn server_hello(body: &[u8], offered: ExtensionSet, out: &mut Vec<u8>) -> Rewritten {
    let hello = ServerHello::parse(body)?;
    let block = match hello.selected_version()? {
        Some(ProtocolVersion::TLS_1_3) if hello.is_retry() => {
            hello.retry_extensions(offered)?;
            block(In::HelloRetryRequest, hello.extensions)?.0
        }
        Some(ProtocolVersion::TLS_1_3) => {
            hello.extensions(offered)?;
            block(In::ServerHello, hello.extensions)?.0
        }
        _ => hello.extensions.to_vec(),
    };
    let echo = hello.legacy_session_id_echo;
    fits(write_server_hello(out, hello.random, echo, hello.cipher_suite, put(block)));
    let old = hello.legacy_version != ProtocolVersion::TLS_1_2
        || hello.legacy_compression_method != 0
        || body.len() == 34 + 1 + echo.len() + 3;
    Ok(old.then_some(OLD_FORM))
}

fn encrypted_extensions(body: &[u8], offered: ExtensionSet, out: &mut Vec<u8>) -> Rewritten {
    EncryptedExtensions::parse(body, offered)?;
    let (block, reason) = block(In::EncryptedExtensions, &body[2..])?;
    fits(write_encrypted_extensions(out, put(block)));
    Ok(reason)
}

fn certificate_request(body: &[u8], out: &mut Vec<u8>) -> Rewritten {
    let request = CertificateRequest::parse(body)?;
    let (block, reason) = block(In::CertificateRequest, &body[1 + request.context.len() + 2..])?;
    fits(write_certificate_request(out, request.context, put(block)));
    Ok(reason)
}

/// Whether the extensions of a block are some of `kept`, in that order: then a view keeps them all.
fn is_kept(raw: &[u8], kept: &[E]) -> Result<bool, Fault> {
    let mut kept = kept.iter();
    for extension in Framed::new(raw) {
        let (kind, _) = extension?;
        if !kept.any(|known| *known == kind) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn certificate(body: &[u8], offered: ExtensionSet, out: &mut Vec<u8>) -> Rewritten {
    let chain = Certificate::parse(body, offered)?;
    let mut entries = Reader::new(body.get(1 + chain.context.len() + 3..).unwrap_or_default());
    let mut all_kept = true;
    while !entries.is_empty() {
        entries.vec::<U24>()?;
        let raw = entries.vec::<U16>()?;
        block(In::Certificate, raw)?;
        all_kept &= is_kept(raw, &[E::STATUS_REQUEST, E::SIGNED_CERTIFICATE_TIMESTAMP])?;
    }
    fits(write_certificate(out, chain.context, chain.entries));
    let twice = Certificate::parse(&out[HEADER_LEN..], offered)?;
    assert_eq!(chain.context, twice.context);
    assert!(chain.entries.iter().eq(twice.entries.iter()));
    Ok((!all_kept).then_some(NOT_KEPT))
}

fn new_session_ticket(body: &[u8], out: &mut Vec<u8>) -> Rewritten {
    let ticket = NewSessionTicket::parse(body)?;
    let raw = &body[8 + 1 + ticket.nonce.len() + 2 + ticket.ticket.len() + 2..];
    block(In::NewSessionTicket, raw)?;
    fits(write_new_session_ticket(out, &ticket));
    assert_eq!(NewSessionTicket::parse(&out[HEADER_LEN..]), Ok(ticket));
    Ok((!is_kept(raw, &[E::EARLY_DATA])?).then_some(NOT_KEPT))
}
