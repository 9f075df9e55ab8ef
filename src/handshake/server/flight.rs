//! ServerHello to Finished: the server's one flight (RFC 9846 sections 4.2.3 to 4.5.3).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::client_auth::WaitCertificate;
use super::finish::{Ending, WaitFinished};
use super::hello::First;
use super::{Chosen, Context, ServerNext, Serving, State};
use crate::codepoint::{NamedGroup, ProtocolVersion, SignatureScheme};
use crate::config::ServerConfig;
use crate::error::{Error, Failed, Misuse};
use crate::handshake::auth::{Signer, emit_certificate, emit_finished, signed_content};
use crate::handshake::{Next, SecretLabel, bad_share, emit};
use crate::question::{Question, Sign, Tag};
use crate::record::{EpochBoundary, SizeLimit, Skip};
use crate::schedule::{Client, Finished, Handshake, Main, Server};
use crate::transcript::Transcript;
use crate::wire::Writer;
use crate::wire::certificate_request::write_certificate_request;
use crate::wire::certificate_verify::write_certificate_verify;
use crate::wire::client_hello::ClientHello;
use crate::wire::encrypted_extensions::write_encrypted_extensions;
use crate::wire::ext::key_share::KeyShareEntry;
use crate::wire::ext::status_request::StatusRequest;
use crate::wire::ext::{
    alpn, certificate_authorities, key_share, record_size_limit, server_name, signature_algorithms,
    supported_groups, supported_versions,
};
use crate::wire::server_hello::write_server_hello;

impl First<'_> {
    /// Answers a first ClientHello whose share can be used.
    pub(super) fn answer(
        self,
        serving: Serving,
        chosen: Chosen,
        share: &[u8],
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let mut transcript = Transcript::new(chosen.suite.suite.hash);
        transcript.absorb(self.raw);
        if self.hello.extensions.early_data.is_some() {
            cx.carrier.skip_early_data(Skip::UntilOpened { budget: serving.config.skip_limit });
        }
        let agreed = Agreed { serving, chosen, retried: Retried::No };
        agreed.send(transcript, &self.hello, share, self.boundary, cx)
    }
}

/// Whether a HelloRetryRequest came before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Retried {
    No,
    Yes,
}

/// Everything that is settled before the ServerHello.
pub(super) struct Agreed {
    pub(super) serving: Serving,
    pub(super) chosen: Chosen,
    pub(super) retried: Retried,
}

impl Agreed {
    /// Sends ServerHello to Certificate, then asks for a signature. `transcript` ends with the ClientHello `hello`.
    pub(super) fn send(
        self,
        mut transcript: Transcript,
        hello: &ClientHello<'_>,
        share: &[u8],
        boundary: EpochBoundary,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Self { serving, chosen, retried } = &self;
        let common = &serving.config.common;
        let suite = chosen.suite.suite;
        let rng = &*common.provider.rng;
        let group = common.group(chosen.group).ok_or(Failed::Provider)?;
        let mut random = [0; 32];
        rng.fill(&mut random)?;
        let response = group.respond(rng, share).map_err(bad_share)?;

        emit(cx.carrier, &mut transcript, |out| {
            write_server_hello(out, &random, hello.legacy_session_id, suite.id, |w| {
                let key_exchange = &response.share;
                key_share::encode_server(w, KeyShareEntry { group: chosen.group, key_exchange })?;
                supported_versions::encode_server(w, ProtocolVersion::TLS_1_3)
            })
        })?;
        cx.carrier.end_flight()?;
        if !hello.legacy_session_id.is_empty() && *retried == Retried::No {
            cx.carrier.compat_ccs_now()?;
        }

        let secrets =
            Handshake::new(&chosen.suite.constants, &response.secret)?.derive(&transcript.digest())?;
        drop(response);
        let client_random = &chosen.client_random;
        cx.carrier.reveal(SecretLabel::ClientHandshakeTraffic, client_random, secrets.client.expose());
        cx.carrier.reveal(SecretLabel::ServerHandshakeTraffic, client_random, secrets.server.expose());
        let (read, client_finished) = secrets.client.into_keys(suite.aead)?;
        let (write, server_finished) = secrets.server.into_keys(suite.aead)?;
        cx.carrier.rekey_read(read, boundary);
        cx.carrier.rekey_write(write, suite)?;

        let peers_limit = hello.extensions.record_size_limit.map(SizeLimit::negotiated);
        emit(cx.carrier, &mut transcript, |out| {
            write_encrypted_extensions(out, |w| self.encrypted_extensions(hello, w))
        })?;
        if peers_limit.is_some() {
            cx.carrier.limit_records(common.own_record_limit(), peers_limit);
        }
        if let Some(authorities) = serving.config.client_auth.authorities() {
            emit(cx.carrier, &mut transcript, |out| {
                write_certificate_request(out, &[], |w| certificate_request(&serving.config, authorities, w))
            })?;
        }
        let staple = match hello.extensions.status_request {
            Some(StatusRequest::Ocsp) => serving.credential.staple(),
            _ => None,
        };
        emit_certificate(cx.carrier, &mut transcript, Some(&serving.credential), staple)?;

        let tag = cx.tags.next();
        let question = Sign {
            tag,
            credential: serving.credential.clone(),
            scheme: chosen.signature,
            message: signed_content(Signer::Server, &transcript.digest()),
        };
        let state = WaitSignature {
            agreed: self,
            transcript,
            client_finished,
            server_finished,
            main: secrets.main,
            tag,
        };
        Ok(Next::Ask(State::Signature(state), Question::Sign(question)))
    }

    fn encrypted_extensions(&self, hello: &ClientHello<'_>, w: &mut Writer<'_>) -> Result<(), Misuse> {
        let common = &self.serving.config.common;
        let groups: Vec<NamedGroup> = common.groups.iter().map(|group| group.id()).collect();
        // RFC 9846 section 4.3.7: "If the server has a group it prefers to the ones in the "key_share" extension
        // but is still willing to accept the ClientHello, it SHOULD send "supported_groups"".
        if groups.first() != Some(&self.chosen.group) {
            supported_groups::encode(w, &groups)?;
        }
        if let (Some(limit), Some(_)) = (common.record_size_limit, hello.extensions.record_size_limit) {
            record_size_limit::encode(w, limit)?;
        }
        if self.chosen.server_name.is_some() {
            server_name::encode_server(w)?;
        }
        match &self.chosen.alpn {
            Some(name) => alpn::encode_server(w, name),
            None => Ok(()),
        }
    }
}

fn certificate_request(
    config: &ServerConfig,
    authorities: &[Vec<u8>],
    w: &mut Writer<'_>,
) -> Result<(), Misuse> {
    let (schemes, for_certificates): (&[SignatureScheme], _) =
        (&config.common.schemes, &config.common.certificate_schemes);
    signature_algorithms::encode(w, schemes)?;
    if for_certificates != schemes {
        signature_algorithms::encode_cert(w, for_certificates)?;
    }
    if !authorities.is_empty() {
        certificate_authorities::encode(w, authorities.iter().map(Vec::as_slice))?;
    }
    Ok(())
}

/// Waits for our signature.
pub(crate) struct WaitSignature {
    agreed: Agreed,
    transcript: Transcript,
    client_finished: Finished<Client>,
    server_finished: Finished<Server>,
    main: Main,
    pub(super) tag: Tag,
}

impl WaitSignature {
    pub(super) fn on_signed(self, signature: &[u8], cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        let Self { agreed, mut transcript, client_finished, server_finished, main, .. } = self;
        let Agreed { serving, chosen, retried } = agreed;
        let suite = chosen.suite.suite;
        emit(cx.carrier, &mut transcript, |out| write_certificate_verify(out, chosen.signature, signature))?;
        emit_finished(cx.carrier, &mut transcript, &server_finished)?;

        let secrets = main.application(&transcript.digest())?;
        cx.carrier.reveal(SecretLabel::ClientTraffic, &chosen.client_random, secrets.client.expose());
        cx.carrier.reveal(SecretLabel::ServerTraffic, &chosen.client_random, secrets.server.expose());
        cx.carrier.reveal(SecretLabel::Exporter, &chosen.client_random, secrets.exporter.expose());
        cx.carrier.rekey_write(secrets.server.keys(suite.aead)?, suite)?;

        let asked = serving.config.client_auth.authorities().is_some();
        let ending = Box::new(Ending {
            config: serving.config,
            chosen,
            retried,
            transcript,
            client_finished,
            read: secrets.client,
            write: secrets.server,
            exporter: secrets.exporter,
            main: secrets.main,
        });
        Ok(Next::Wait(if asked {
            State::Certificate(WaitCertificate { ending })
        } else {
            State::Finished(WaitFinished { ending, peer: None })
        }))
    }
}
