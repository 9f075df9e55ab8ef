//! The server's Finished and our second flight (RFC 9846 section 4.5.3).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;

use rustls_pki_types::ServerName;

use super::hello::sent_name;
use super::{ClientNext, Context, Established, Facts, Flight, Request, State};
use crate::codepoint::SignatureScheme;
use crate::error::Error;
use crate::handshake::auth::{Signer, check_finished, emit_certificate, emit_finished, signed_content};
use crate::handshake::{Next, NotResumed, SecretLabel, Summary, emit};
use crate::question::{ChooseCredential, Chosen, Question, Sign, Tag, Verified};
use crate::record::Message;
use crate::schedule::{ApplicationEpoch, Client, Exporter, Finished, FinishedMatched, Server, Traffic};
use crate::transcript::Transcript;
use crate::wire::certificate_verify::write_certificate_verify;

/// Waits for the server's Finished; cannot be reached without a verdict on its certificate.
pub struct WaitFinished {
    pub flight: Flight,
    pub request: Option<Request>,
    pub signature: SignatureScheme,
    pub peer: Verified,
}

impl WaitFinished {
    pub(super) fn on_finished(
        self,
        mut message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ClientNext, Error> {
        let Self { flight, request, signature, peer } = self;
        let Flight { facts, mut transcript, client_finished, server_finished, main } = flight;
        let server_finished = check_finished(message.body, &server_finished, &transcript)?;
        let boundary = message.boundary()?;
        transcript.absorb(message.raw);

        let secrets = main.application(&transcript.digest())?;
        cx.carrier.reveal(SecretLabel::ClientTraffic, &facts.random, secrets.client.expose());
        cx.carrier.reveal(SecretLabel::ServerTraffic, &facts.random, secrets.server.expose());
        cx.carrier.reveal(SecretLabel::Exporter, &facts.random, secrets.exporter.expose());
        cx.carrier.rekey_read(secrets.server.keys(facts.suite.aead)?, boundary);

        let ending = Ending {
            facts,
            transcript,
            client_finished,
            read: secrets.server,
            write: secrets.client,
            exporter: secrets.exporter,
            signature,
            peer,
            server_finished,
        };
        let Some(request) = request else { return ending.finish(cx) };
        // Asked only now, and not on CertificateRequest: nothing about our credentials is looked up for a server
        // that has not proved who it is.
        let tag = cx.tags.next();
        let question = ChooseCredential {
            tag,
            schemes: request.schemes,
            certificate_schemes: request.certificate_schemes,
            authorities: request.authorities,
        };
        Ok(Next::Ask(State::Credential(WaitCredential { ending, tag }), Question::ChooseCredential(question)))
    }
}

/// Waits for the credential that answers a CertificateRequest.
pub(crate) struct WaitCredential {
    ending: Ending,
    pub(super) tag: Tag,
}

impl WaitCredential {
    pub(super) fn on_chosen(self, chosen: Chosen, cx: &mut Context<'_>) -> Result<ClientNext, Error> {
        let Self { mut ending, .. } = self;
        let Chosen { credential, scheme } = chosen;
        emit_certificate(cx.carrier, &mut ending.transcript, Some(&credential), None)?;
        let message = signed_content(Signer::Client, &ending.transcript.digest());
        let tag = cx.tags.next();
        let question = Sign { tag, credential, scheme, message };
        Ok(Next::Ask(State::Signature(WaitSignature { ending, scheme, tag }), Question::Sign(question)))
    }

    pub(super) fn on_none(self, cx: &mut Context<'_>) -> Result<ClientNext, Error> {
        let mut ending = self.ending;
        emit_certificate(cx.carrier, &mut ending.transcript, None, None)?;
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
        emit(cx.carrier, &mut ending.transcript, |out| write_certificate_verify(out, scheme, signature))?;
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
    signature: SignatureScheme,
    peer: Verified,
    server_finished: FinishedMatched<Server>,
}

impl Ending {
    fn finish(mut self, cx: &mut Context<'_>) -> Result<ClientNext, Error> {
        emit_finished(cx.carrier, &mut self.transcript, &self.client_finished)?;
        cx.carrier.rekey_write(self.write.keys(self.facts.suite.aead)?, self.facts.suite)?;
        let summary = Box::new(Summary {
            suite: self.facts.suite.id,
            group: self.facts.group,
            signature: self.signature,
            alpn: self.facts.alpn,
            // None was sent for an IP address.
            server_name: match &self.facts.name {
                ServerName::DnsName(name) => Some(sent_name(name).to_owned()),
                _ => None,
            },
            peer: Some(self.peer.into_peer()),
            retried: self.facts.retried,
            not_resumed: NotResumed::NotOffered,
        });
        Ok(Next::Done(Established {
            suite: self.facts.suite,
            read: self.read,
            write: self.write,
            exporter: self.exporter,
            summary,
            tickets: Vec::new(),
            finished: self.server_finished,
        }))
    }
}
