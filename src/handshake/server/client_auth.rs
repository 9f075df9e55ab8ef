//! The client's Certificate and CertificateVerify (RFC 9846 sections 4.5.1 and 4.5.2), when we asked for them.

use alloc::boxed::Box;

use super::finish::{Ending, WaitFinished};
use super::{Context, ServerNext, State};
use crate::codepoint::CertificateType;
use crate::config::ClientAuth;
use crate::error::{Error, Fault};
use crate::handshake::Next;
use crate::handshake::auth::{Credentials, Signer};
use crate::question::{Question, Tag, Verified, VerifyPeer};
use crate::record::Message;

/// Waits for the client's Certificate.
pub(crate) struct WaitCertificate {
    pub(super) ending: Box<Ending>,
}

impl WaitCertificate {
    pub(super) fn on_certificate(self, message: Message<'_>) -> Result<ServerNext, Error> {
        let mut ending = self.ending;
        let agreed = ending.chosen.client_certificate().unwrap_or(CertificateType::X509);
        let credentials = Credentials::read(message.body, agreed, ending.config.attachments)?;
        ending.transcript.absorb(message.raw);
        match (credentials, &ending.config.client_auth) {
            (Some(credentials), _) => {
                Ok(Next::Wait(State::CertificateVerify(WaitCertificateVerify { ending, credentials })))
            }
            // RFC 9846 section 4.5.1.3
            (None, ClientAuth::Required { .. }) => {
                Err(Fault::certificate_required("the client sent no certificate, and one is required").into())
            }
            (None, _) => Ok(Next::Wait(State::Finished(WaitFinished { ending }))),
        }
    }
}

/// Waits for the client's CertificateVerify.
pub(crate) struct WaitCertificateVerify {
    ending: Box<Ending>,
    credentials: Credentials,
}

impl WaitCertificateVerify {
    pub(super) fn on_certificate_verify(
        self,
        message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Self { mut ending, credentials } = self;
        let schemes = &ending.config.common.schemes;
        let (evidence, _) =
            credentials.with_signature(message.body, Signer::Client, schemes, &ending.transcript)?;
        ending.transcript.absorb(message.raw);
        let tag = cx.tags.next();
        let question = VerifyPeer { tag, name: None, evidence };
        let state = WaitPeerVerdict { ending, tag };
        Ok(Next::Ask(State::PeerVerdict(state), Question::VerifyPeer(Box::new(question))))
    }
}

/// Waits for the verdict on the client's certificates and signature.
pub(crate) struct WaitPeerVerdict {
    ending: Box<Ending>,
    pub(super) tag: Tag,
}

impl WaitPeerVerdict {
    pub(super) fn on_verified(self, peer: Verified) -> ServerNext {
        let mut ending = self.ending;
        ending.authenticated.peer = Some(peer);
        Next::Wait(State::Finished(WaitFinished { ending }))
    }
}
