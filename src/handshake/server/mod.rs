//! The server's machine (RFC 9846 appendix A.2), a file a phase in the standard's order.

mod client_auth;
mod cookie;
mod finish;
mod flight;
mod hello;
mod negotiate;
mod psk;
mod retry;
mod second_hello;
mod server_hello;

pub(crate) use hello::{WaitClientHello, accept};
pub(in crate::handshake) use psk::psk_peer;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use self::client_auth::{WaitCertificate, WaitCertificateVerify, WaitPeerVerdict};
use self::finish::{WaitEndOfEarlyData, WaitFinished};
use self::flight::WaitSignature;
use self::hello::{WaitConfigure, WaitPsk};
use self::psk::{Candidate, WaitReplay, WaitResumedPeer};
use self::retry::WaitSecondHello;
use super::{Carrier, Next, OUT_OF_ORDER, Tags};
use crate::codepoint::{CertificateType, HandshakeType, NamedGroup, SignatureScheme};
use crate::config::{ConfiguredSuite, Credential, ServerConfig};
use crate::error::{Error, Misuse};
use crate::psk::NotResumed;
use crate::question::{Answer, Tag, Verdict};
use crate::record::Message;
use crate::schedule::{Client, Server};

/// What carries a server's handshake.
pub(crate) type ServerCarrier<'a> = dyn Carrier<Read = Client, Write = Server> + 'a;

/// A finished server handshake.
pub(crate) type Established = super::Established<Client>;

type ServerNext = Next<State, Established>;

/// What the machine works with in every state.
pub(crate) struct Context<'a> {
    pub(crate) carrier: &'a mut ServerCarrier<'a>,
    pub(crate) tags: &'a mut Tags,
}

/// Where the server is.
pub(crate) enum State {
    ClientHello(WaitClientHello),
    Configure(WaitConfigure),
    Psk(WaitPsk),
    SecondHello(WaitSecondHello),
    ResumedPeer(WaitResumedPeer),
    Replay(WaitReplay),
    Signature(WaitSignature),
    EndOfEarlyData(WaitEndOfEarlyData),
    Certificate(WaitCertificate),
    CertificateVerify(WaitCertificateVerify),
    PeerVerdict(WaitPeerVerdict),
    Finished(WaitFinished),
}

impl State {
    /// Takes a message.
    pub(crate) fn on_message(self, message: Message<'_>, cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        match (self, message.kind) {
            (Self::ClientHello(state), HandshakeType::CLIENT_HELLO) => state.on_client_hello(message, cx),
            (Self::SecondHello(state), HandshakeType::CLIENT_HELLO) => state.on_client_hello(message, cx),
            (Self::EndOfEarlyData(state), HandshakeType::END_OF_EARLY_DATA) => {
                state.on_end_of_early_data(message, cx)
            }
            (Self::Certificate(state), HandshakeType::CERTIFICATE) => state.on_certificate(message),
            (Self::CertificateVerify(state), HandshakeType::CERTIFICATE_VERIFY) => {
                state.on_certificate_verify(message, cx)
            }
            (Self::Finished(state), HandshakeType::FINISHED) => state.on_finished(message, cx),
            //= testvectors/requirements/rfc9846.txt#section-4.2.2
            //# if a server has negotiated TLS 1.3 and receives a ClientHello at any other time, it MUST
            //# terminate the connection with an "unexpected_message" alert.
            _ => Err(OUT_OF_ORDER.into()),
        }
    }

    /// Which question is out.
    pub(crate) fn awaits(&self) -> Option<Tag> {
        match self {
            Self::Configure(state) => Some(state.tag),
            Self::Psk(state) => Some(state.tag),
            Self::ResumedPeer(state) => Some(state.tag),
            Self::Replay(state) => Some(state.tag),
            Self::Signature(state) => Some(state.tag),
            Self::PeerVerdict(state) => Some(state.tag),
            _ => None,
        }
    }

    /// Takes the answer whose tag is that of [`State::awaits`].
    pub(crate) fn on_answer(self, answer: Answer, cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        match (self, answer.verdict) {
            (_, Verdict::Refused(refusal)) => Err(refusal.into()),
            (Self::Configure(state), Verdict::Configured(configured)) => state.on_configured(configured, cx),
            (Self::Psk(state), Verdict::Known(known)) => state.on_known(known, cx),
            (Self::ResumedPeer(state), Verdict::Verified(verified)) => state.on_verified(verified, cx),
            (Self::Replay(state), Verdict::Fresh(fresh)) => state.on_fresh(fresh, cx),
            (Self::Replay(state), Verdict::NotFresh(why)) => state.on_refused(why, cx),
            (Self::Signature(state), Verdict::Signed(signature)) => state.on_signed(&signature, cx),
            (Self::PeerVerdict(state), Verdict::Verified(verified)) => Ok(state.on_verified(verified)),
            _ => Err(Misuse::WrongAnswer.into()),
        }
    }

    /// Whether a compatibility ChangeCipherSpec is dropped: "after the first ClientHello message has been .. received"
    /// (RFC 9846 section 5), or at any time where the server may be stateless.
    pub(crate) fn takes_change_cipher_spec(&self) -> bool {
        match self {
            //= testvectors/requirements/rfc9846.txt#section-4.3.2
            //# Servers operating statelessly MUST ignore these records.
            Self::ClientHello(state) => state.is_stateless(),
            _ => true,
        }
    }
}

/// Who serves a connection: its configuration, and what it authenticates with.
#[derive(Clone)]
struct Serving {
    config: Arc<ServerConfig>,
    /// `None` where pre-shared keys alone authenticate.
    credential: Option<Arc<Credential>>,
}

/// What is chosen on the first ClientHello, and stays.
struct Chosen {
    suite: ConfiguredSuite,
    /// `None` is `psk_ke`.
    group: Option<NamedGroup>,
    alpn: Option<Vec<u8>>,
    server_name: Option<String>,
    client_random: [u8; 32],
    tickets: u8,
    /// `None` where a pre-shared key authenticates.
    certificates: Option<Certificates>,
}

/// The types of certificates that were agreed on (RFC 7250 section 4.2).
#[derive(Clone, Copy)]
struct Certificates {
    server: CertificateType,
    /// `None` where the client is asked for none.
    client: Option<CertificateType>,
}

impl Chosen {
    /// What type of certificate the client is asked for, if for any.
    fn client_certificate(&self) -> Option<CertificateType> {
        self.certificates?.client
    }
}

/// What the server authenticates with.
enum Choice {
    /// Its certificate.
    Certificate { signature: SignatureScheme, not_resumed: NotResumed },
    /// A pre-shared key, once the client proved to have it too.
    Key(Candidate),
}
