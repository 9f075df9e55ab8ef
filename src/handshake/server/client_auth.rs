//! The client's Certificate and CertificateVerify (RFC 9846 sections 4.5.1 and 4.5.2), when we asked for them.

use alloc::boxed::Box;

use super::finish::{Ending, WaitFinished};
use super::{Context, ServerNext, State};
use crate::config::ClientAuth;
use crate::error::{Error, Fault};
use crate::handshake::Next;
use crate::handshake::auth::{Chain, Signer};
use crate::question::{PeerEvidence, Question, Tag, Verified, VerifyPeer};
use crate::record::Message;
use crate::wire::ext::ExtensionSet;

/// Waits for the client's Certificate.
pub(crate) struct WaitCertificate {
    pub(super) ending: Box<Ending>,
}

impl WaitCertificate {
    pub(super) fn on_certificate(self, message: Message<'_>) -> Result<ServerNext, Error> {
        let mut ending = self.ending;
        // We send no request that a client's certificate entry could answer.
        let chain = Chain::read(message.body, ExtensionSet::EMPTY)?;
        ending.transcript.absorb(message.raw);
        match (chain, &ending.config.client_auth) {
            (Some(chain), _) => {
                Ok(Next::Wait(State::CertificateVerify(WaitCertificateVerify { ending, chain })))
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
    chain: Chain,
}

impl WaitCertificateVerify {
    pub(super) fn on_certificate_verify(
        self,
        message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Self { mut ending, chain } = self;
        let schemes = &ending.config.common.schemes;
        let presented = chain.with_signature(message.body, Signer::Client, schemes, &ending.transcript)?;
        ending.transcript.absorb(message.raw);
        let tag = cx.tags.next();
        let question = VerifyPeer { tag, name: None, evidence: PeerEvidence::Fresh(presented) };
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
