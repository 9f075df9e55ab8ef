//! The server's Finished and our second flight (RFC 9846 section 4.5.3).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls_pki_types::ServerName;

use super::hello::sent_name;
use super::{ClientNext, Context, Established, Facts, Flight, Request, State};
use crate::codepoint::SignatureScheme;
use crate::config::{ResumedPeers, Tickets};
use crate::error::Error;
use crate::handshake::auth::{Signer, check_finished, emit_certificate, emit_finished, signed_content};
use crate::handshake::{HalfRtt, Next, Remember, Resumed, SecretLabel, Summary, emit};
use crate::psk::{NoEarlyData, NotResumed};
use crate::question::{ChooseCredential, Chosen, PeerEvidence, Question, Sign, Tag, Verified, VerifyPeer};
use crate::record::Message;
use crate::schedule::{
    ApplicationEpoch, Client, Ending as MainEnding, Exporter, Finished, FinishedMatched, Server, Traffic,
};
use crate::transcript::Transcript;
use crate::wire::certificate_verify::write_certificate_verify;
use crate::wire::ext::ExtensionSet;
use crate::wire::message::write_end_of_early_data;

/// Waits for the server's Finished; cannot be reached without a verdict on its certificate.
pub struct WaitFinished {
    pub flight: Flight,
    pub early_data: Result<(), NoEarlyData>,
    pub resumed: Result<Resumed, NotResumed>,
    pub request: Option<Request>,
    /// `None` when a key authenticates the server.
    pub signature: Option<SignatureScheme>,
    pub peer: Verified,
}

/// Waits for the verdict on a server that an earlier connection verified.
pub(crate) struct WaitResumedPeer {
    wait: WaitFinished,
    pub(super) tag: Tag,
}

impl WaitResumedPeer {
    pub(super) fn on_verified(self, peer: Verified) -> WaitFinished {
        WaitFinished { peer, ..self.wait }
    }
}

impl WaitFinished {
    /// Asks once more about a server that resumes, where that is configured.
    pub(super) fn verify_again(self, cx: &mut Context<'_>) -> ClientNext {
        let again = cx.config.common.resumed_peers == ResumedPeers::VerifiedAgain;
        let peer = self.peer.share_peer();
        if !again || self.resumed != Ok(Resumed::Session) || !peer.was_verified() {
            return Next::Wait(State::Finished(self));
        }
        let tag = cx.tags.next();
        let evidence = PeerEvidence::Resumed(peer);
        let question = VerifyPeer { tag, name: Some(self.flight.facts.name.clone()), evidence };
        let state = State::ResumedPeer(WaitResumedPeer { wait: self, tag });
        Next::Ask(state, Question::VerifyPeer(Box::new(question)))
    }

    pub(super) fn on_finished(
        self,
        mut message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ClientNext, Error> {
        let Self { flight, early_data, resumed, request, signature, peer } = self;
        let Flight { facts, mut transcript, client_finished, server_finished, main } = flight;
        let server_finished = check_finished(message.body, &server_finished, &transcript)?;
        let boundary = message.boundary()?;
        transcript.absorb(message.raw);

        let secrets = main.application(&transcript.digest())?;
        cx.carrier.reveal(SecretLabel::ClientTraffic, &facts.random, secrets.client.expose());
        cx.carrier.reveal(SecretLabel::ServerTraffic, &facts.random, secrets.server.expose());
        cx.carrier.reveal(SecretLabel::Exporter, &facts.random, secrets.exporter.expose());
        cx.carrier.rekey_read(secrets.server.keys(facts.suite.aead)?, boundary);
        //= testvectors/requirements/rfc9846.txt#section-4.6
        //# If the server sent an "early_data" extension in EncryptedExtensions, the client MUST send an
        //# EndOfEarlyData message after receiving the server Finished.
        //= testvectors/requirements/rfc9846.txt#section-4.6
        //# If the server does not send an "early_data" extension in EncryptedExtensions, then the client
        //# MUST NOT send an EndOfEarlyData message.
        if early_data.is_ok() {
            emit(cx.carrier, &mut transcript, write_end_of_early_data)?;
            cx.carrier.change_write()?;
        }

        let ending = Ending {
            facts,
            transcript,
            client_finished,
            read: secrets.server,
            write: secrets.client,
            exporter: secrets.exporter,
            main: secrets.main,
            early_data,
            resumed,
            signature,
            peer,
            server_finished,
        };
        //= testvectors/requirements/rfc9846.txt#section-4.5.1
        //# The client MUST send a Certificate message if and only if the server has requested
        //# certificate-based client authentication via a CertificateRequest message (Section 4.4.2).
        let Some(request) = request else { return ending.finish(cx) };
        // Asked only now, and not on CertificateRequest: nothing about our credentials is looked up for a server
        // that has not proved who it is.
        let tag = cx.tags.next();
        let wanted = request.wanted;
        if !cx.config.client_certificate_types.contains(request.certificate_type) {
            // The server wants X.509 certificates, which we are configured not to have.
            return WaitCredential { ending, wanted, tag }.on_none(cx);
        }
        let question = ChooseCredential {
            tag,
            certificate_type: request.certificate_type,
            schemes: request.schemes,
            certificate_schemes: request.certificate_schemes,
            authorities: request.authorities,
        };
        Ok(Next::Ask(
            State::Credential(WaitCredential { ending, wanted, tag }),
            Question::ChooseCredential(question),
        ))
    }
}

/// Waits for the credential that answers a CertificateRequest.
pub(crate) struct WaitCredential {
    ending: Ending,
    wanted: ExtensionSet,
    pub(super) tag: Tag,
}

impl WaitCredential {
    pub(super) fn on_chosen(self, chosen: Chosen, cx: &mut Context<'_>) -> Result<ClientNext, Error> {
        let Self { mut ending, wanted, .. } = self;
        let Chosen { credential, scheme } = chosen;
        emit_certificate(cx.carrier, &mut ending.transcript, Some(&credential), wanted)?;
        let message = signed_content(Signer::Client, &ending.transcript.digest());
        let tag = cx.tags.next();
        let question = Sign { tag, credential, scheme, message };
        Ok(Next::Ask(State::Signature(WaitSignature { ending, scheme, tag }), Question::Sign(question)))
    }

    pub(super) fn on_none(self, cx: &mut Context<'_>) -> Result<ClientNext, Error> {
        let mut ending = self.ending;
        //= testvectors/requirements/rfc9846.txt#section-4.5.1
        //# If the server requests certificate-based client authentication but no suitable certificate is
        //# available, the client MUST send a Certificate message containing no certificates (i.e., with the
        //# "certificate_list" field having length 0).
        emit_certificate(cx.carrier, &mut ending.transcript, None, self.wanted)?;
        ending.finish(cx)
    }
}

/// Waits for our signature.
pub(crate) struct WaitSignature {
    ending: Ending,
    scheme: SignatureScheme,
    pub(super) tag: Tag,
}

impl WaitSignature {
    pub(super) fn on_signed(self, signature: &[u8], cx: &mut Context<'_>) -> Result<ClientNext, Error> {
        let Self { mut ending, scheme, .. } = self;
        //= testvectors/requirements/rfc9846.txt#section-4.5.2
        //# Clients MUST send this message whenever authenticating via a certificate (i.e., when the
        //# Certificate message is non-empty).
        emit(cx.carrier, &mut ending.transcript, |out| write_certificate_verify(out, scheme, signature))?;
        //= testvectors/requirements/rfc9846.txt#section-4.5.1
        //# A Finished message MUST be sent regardless of whether the Certificate message is empty.
        ending.finish(cx)
    }
}

/// Everything is agreed on; only our own messages are missing.
struct Ending {
    facts: Facts,
    transcript: Transcript,
    client_finished: Finished<Client>,
    read: Traffic<Server, ApplicationEpoch>,
    write: Traffic<Client, ApplicationEpoch>,
    exporter: Exporter,
    main: MainEnding,
    early_data: Result<(), NoEarlyData>,
    resumed: Result<Resumed, NotResumed>,
    signature: Option<SignatureScheme>,
    peer: Verified,
    server_finished: FinishedMatched<Server>,
}

impl Ending {
    fn finish(mut self, cx: &mut Context<'_>) -> Result<ClientNext, Error> {
        emit_finished(cx.carrier, &mut self.transcript, &self.client_finished)?;
        let suite = self.facts.suite;
        cx.carrier.open_write(self.write, suite, HalfRtt::Open)?;
        let peer = self.peer.into_peer();
        let remember = match cx.config.tickets {
            Tickets::Ignored => None,
            Tickets::Taken | Tickets::Asked { .. } => Some(Box::new(Remember {
                resumption: self.main.resumption(&self.transcript.digest())?,
                config: Arc::clone(cx.config),
                name: self.facts.name.clone(),
                suite: suite.id,
                alpn: self.facts.alpn.clone(),
                peer: Arc::clone(&peer),
            })),
        };
        let summary = Box::new(Summary {
            suite: suite.id,
            group: self.facts.group,
            signature: self.signature,
            alpn: self.facts.alpn,
            // None was sent for an IP address.
            server_name: match &self.facts.name {
                ServerName::DnsName(name) => Some(sent_name(name).to_owned()),
                _ => None,
            },
            peer: Some(peer),
            anonymous: false,
            retried: self.facts.retried,
            resumed: self.resumed,
            early_data: self.early_data,
        });
        Ok(Next::Done(Established {
            suite,
            read: self.read,
            exporter: self.exporter,
            summary,
            tickets: Vec::new(),
            remember,
            finished: self.server_finished,
        }))
    }
}
