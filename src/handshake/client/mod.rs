//! The client's machine (RFC 9846 appendix A.1), a file a phase in the standard's order.

mod auth;
mod finish;
mod hello;
mod offer;
mod retry;
mod server_hello;

pub use self::auth::WaitPeerVerdict;
pub use self::finish::WaitFinished;
pub(crate) use hello::start;
pub use offer::Offer;

use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls_pki_types::ServerName;

use self::auth::{WaitAuth, WaitCertificateVerify, WaitEncryptedExtensions};
use self::finish::{WaitCredential, WaitResumedPeer, WaitSignature};
use self::server_hello::WaitServerHello;
use super::{Carrier, Next, OUT_OF_ORDER, Tags};
use crate::codepoint::{CertificateType, HandshakeType, NamedGroup, SignatureScheme};
use crate::config::ClientConfig;
use crate::crypto::Suite;
use crate::error::{Error, Misuse};
use crate::question::{Answer, Tag, Verdict};
use crate::record::Message;
use crate::schedule::{Client, Finished, Main, Server};
use crate::transcript::Transcript;
use crate::wire::ext::ExtensionSet;

/// What carries a client's handshake.
pub(crate) type ClientCarrier<'a> = dyn Carrier<Read = Server, Write = Client> + 'a;

/// A finished client handshake.
pub(crate) type Established = super::Established<Server>;

type ClientNext = Next<State, Established>;

/// What the machine works with in every state.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Arc<ClientConfig>,
    pub(crate) carrier: &'a mut ClientCarrier<'a>,
    pub(crate) tags: &'a mut Tags,
}

/// Where the client is.
pub(crate) enum State {
    ServerHello(WaitServerHello),
    EncryptedExtensions(WaitEncryptedExtensions),
    Auth(WaitAuth),
    CertificateVerify(WaitCertificateVerify),
    PeerVerdict(WaitPeerVerdict),
    ResumedPeer(WaitResumedPeer),
    Finished(WaitFinished),
    Credential(WaitCredential),
    Signature(WaitSignature),
}

impl State {
    /// Takes a message.
    pub(crate) fn on_message(self, message: Message<'_>, cx: &mut Context<'_>) -> Result<ClientNext, Error> {
        match (self, message.kind) {
            (Self::ServerHello(state), HandshakeType::SERVER_HELLO) => state.on_server_hello(message, cx),
            (Self::EncryptedExtensions(state), HandshakeType::ENCRYPTED_EXTENSIONS) => {
                state.on_encrypted_extensions(message, cx)
            }
            (Self::Auth(state), HandshakeType::CERTIFICATE_REQUEST) => state.on_certificate_request(message),
            //= testvectors/requirements/rfc9846.txt#appendix-F.1
            //# implementations MUST NOT combine external PSKs with certificate-based authentication of
            //# either the client or server
            (Self::Auth(state), HandshakeType::CERTIFICATE) => state.on_certificate(message),
            (Self::CertificateVerify(state), HandshakeType::CERTIFICATE_VERIFY) => {
                //= testvectors/requirements/rfc9846.txt#section-4.5.2
                //# this message MUST appear immediately after the Certificate message and immediately prior
                //# to the Finished message
                state.on_certificate_verify(message, cx)
            }
            (Self::Finished(state), HandshakeType::FINISHED) => state.on_finished(message, cx),
            //= testvectors/requirements/rfc9846.txt#section-4.6
            //# Servers MUST NOT send this message, and clients receiving it MUST terminate the connection with
            //# an "unexpected_message" alert.
            //= testvectors/requirements/rfc9846.txt#section-4.7.3
            //# Implementations that receive a KeyUpdate message prior to receiving a Finished message MUST
            //# terminate the connection with an "unexpected_message" alert.
            _ => Err(OUT_OF_ORDER.into()),
        }
    }

    /// Which question is out.
    pub(crate) fn awaits(&self) -> Option<Tag> {
        match self {
            Self::PeerVerdict(state) => Some(state.tag),
            Self::ResumedPeer(state) => Some(state.tag),
            Self::Credential(state) => Some(state.tag),
            Self::Signature(state) => Some(state.tag),
            _ => None,
        }
    }

    /// Takes the answer whose tag is that of [`State::awaits`].
    pub(crate) fn on_answer(self, answer: Answer, cx: &mut Context<'_>) -> Result<ClientNext, Error> {
        match (self, answer.verdict) {
            (_, Verdict::Refused(refusal)) => Err(refusal.into()),
            (Self::PeerVerdict(state), Verdict::Verified(verified)) => {
                Ok(Next::Wait(Self::Finished(state.on_verified(verified))))
            }
            (Self::ResumedPeer(state), Verdict::Verified(verified)) => {
                Ok(Next::Wait(Self::Finished(state.on_verified(verified))))
            }
            (Self::Credential(state), Verdict::Chosen(chosen)) => state.on_chosen(chosen, cx),
            (Self::Credential(state), Verdict::NoCredential) => state.on_none(cx),
            (Self::Signature(state), Verdict::Signed(signature)) => state.on_signed(&signature, cx),
            _ => Err(Misuse::WrongAnswer.into()),
        }
    }
}

/// What every state after the ServerHello carries along.
pub struct Flight {
    facts: Facts,
    transcript: Transcript,
    client_finished: Finished<Client>,
    server_finished: Finished<Server>,
    main: Main,
}

/// What was agreed on so far.
struct Facts {
    name: ServerName<'static>,
    random: [u8; 32],
    sent: ExtensionSet,
    suite: &'static Suite,
    /// `None` in `psk_ke`.
    group: Option<NamedGroup>,
    retried: bool,
    alpn: Option<Vec<u8>>,
}

/// A server's CertificateRequest, as far as it matters.
pub struct Request {
    schemes: Vec<SignatureScheme>,
    certificate_schemes: Vec<SignatureScheme>,
    authorities: Vec<Vec<u8>>,
    certificate_type: CertificateType,
    /// What is to come with certificates.
    wanted: ExtensionSet,
}
