//! EncryptedExtensions to Finished: the server's one flight (RFC 9846 sections 4.4 and 4.5).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::client_auth::WaitCertificate;
use super::finish::{Authenticated, Ending, WaitEndOfEarlyData, WaitFinished};
use super::server_hello::Retried;
use super::{Chosen, Context, ServerNext, Serving, State};
use crate::codepoint::{ExtensionType, NamedGroup, SignatureScheme};
use crate::config::{Credential, ServerConfig};
use crate::error::{Error, Misuse};
use crate::handshake::auth::{Signer, emit_certificate, emit_finished, signed_content};
use crate::handshake::{HalfRtt, Next, Resumed, SecretLabel, emit};
use crate::psk::{NoEarlyData, NotResumed};
use crate::question::{Question, Sign, Tag};
use crate::record::SizeLimit;
use crate::schedule::{Client, Finished, Keys, Main, Server};
use crate::transcript::Transcript;
use crate::wire::Writer;
use crate::wire::certificate_request::write_certificate_request;
use crate::wire::certificate_verify::write_certificate_verify;
use crate::wire::client_hello::ClientHello;
use crate::wire::ext::status_request::StatusRequest;
use crate::wire::ext::{
    ExtensionSet, alpn, certificate_authorities, certificate_type, early_data, record_size_limit,
    server_name, signature_algorithms, signed_certificate_timestamp, status_request, supported_groups,
    ticket_request,
};

/// Appends the extensions of EncryptedExtensions.
//= testvectors/requirements/rfc9846.txt#section-4.3
//# Implementations MUST NOT send extension responses (i.e., in the ServerHello, EncryptedExtensions,
//# HelloRetryRequest, and Certificate messages) if the remote endpoint did not send the corresponding
//# extension requests, with the exception of the "cookie" extension in the HelloRetryRequest.
//= testvectors/requirements/rfc9846.txt#section-4.3.6
//# Servers MUST NOT send this extension.
//= testvectors/requirements/rfc9846.txt#section-4.3.9
//# The server MUST NOT send a "psk_key_exchange_modes" extension.
pub(super) fn encrypted_extensions(
    serving: &Serving,
    chosen: &Chosen,
    resumed: Option<Resumed>,
    hello: &ClientHello<'_>,
    early: Result<(), NoEarlyData>,
    w: &mut Writer<'_>,
) -> Result<(), Misuse> {
    let common = &serving.config.common;
    // RFC 9846 section 4.3.7: "If the server has a group it prefers to the ones in the "key_share" extension
    // but is still willing to accept the ClientHello, it SHOULD send "supported_groups"".
    let groups: Vec<NamedGroup> = common.groups.iter().map(|group| group.id()).collect();
    if chosen.group.is_some_and(|group| groups.first() != Some(&group)) {
        supported_groups::encode(w, &groups)?;
    }
    if let (Some(limit), Some(_)) = (common.record_size_limit, hello.extensions.record_size_limit) {
        record_size_limit::encode(w, limit)?;
    }
    // RFC 6066 section 3: "When resuming a session, the server MUST NOT include a server_name extension".
    if chosen.server_name.is_some() && resumed != Some(Resumed::Session) {
        server_name::encode_server(w)?;
    }
    if let Some(name) = &chosen.alpn {
        alpn::encode_server(w, name)?;
    }
    if early.is_ok() {
        early_data::encode_flag(w)?;
    }
    certificate_types(serving, chosen, resumed, hello, w)?;
    // RFC 9149: the number of tickets that the client may expect.
    if hello.extensions.ticket_request.is_some() && serving.config.tickets.most > 0 {
        ticket_request::encode_server(w, chosen.tickets)?;
    }
    Ok(())
}

//= testvectors/requirements/rfc7250.txt#section-4.2
//# it MUST include the client_certificate_type extension in the server hello.
//= testvectors/requirements/rfc7250.txt#section-4.2
//# then the client_certificate_type payload in the server hello MUST be omitted.
/// The types that were chosen, where the client knows the extensions (RFC 7250).
///
/// A resumed handshake has no Certificate, but "extensions are negotiated for each handshake even when in resumption-PSK
/// mode" (RFC 9846 section 4.3), and some clients that want raw public keys look for the answer there too.
fn certificate_types(
    serving: &Serving,
    chosen: &Chosen,
    resumed: Option<Resumed>,
    hello: &ClientHello<'_>,
    w: &mut Writer<'_>,
) -> Result<(), Misuse> {
    if let (Some(kind), Some(_)) = (chosen.client_certificate(), hello.extensions.client_certificate_type) {
        certificate_type::encode_server(w, ExtensionType::CLIENT_CERTIFICATE_TYPE, kind)?;
    }
    let ours = match (chosen.certificates, &serving.credential, resumed) {
        (Some(types), _, _) => Some(types.server),
        (None, Some(credential), Some(Resumed::Session)) => Some(credential.certificate_type()),
        _ => None,
    };
    if let (Some(kind), Some(offered)) = (ours, hello.extensions.server_certificate_type)
        && offered.contains(kind)
    {
        certificate_type::encode_server(w, ExtensionType::SERVER_CERTIFICATE_TYPE, kind)?;
    }
    Ok(())
}

fn certificate_request(
    config: &ServerConfig,
    authorities: &[Vec<u8>],
    w: &mut Writer<'_>,
) -> Result<(), Misuse> {
    let (schemes, for_certificates): (&[SignatureScheme], _) =
        (&config.common.schemes, &config.common.certificate_schemes);
    //= testvectors/requirements/rfc9846.txt#section-4.4.2
    //# The "signature_algorithms" extension MUST be specified, and other extensions may optionally be
    //# included if defined for this message.
    signature_algorithms::encode(w, schemes)?;
    if for_certificates != schemes {
        signature_algorithms::encode_cert(w, for_certificates)?;
    }
    if !authorities.is_empty() {
        certificate_authorities::encode(w, authorities.iter().map(Vec::as_slice))?;
    }
    if config.attachments.contains(ExtensionType::STATUS_REQUEST) {
        status_request::encode_request(w)?;
    }
    if config.attachments.contains(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP) {
        signed_certificate_timestamp::encode_request(w)?;
    }
    Ok(())
}

/// What everything behind EncryptedExtensions carries along.
pub(super) struct Flight {
    pub(super) config: Arc<ServerConfig>,
    pub(super) chosen: Chosen,
    pub(super) retried: Retried,
    pub(super) early_data: Result<(), NoEarlyData>,
    pub(super) transcript: Transcript,
    pub(super) client_finished: Finished<Client>,
    pub(super) server_finished: Finished<Server>,
    pub(super) main: Main,
}

/// What the client's next message is.
pub(super) enum AfterFlight {
    /// Its early data goes on until it says so.
    EndOfEarlyData {
        read: Keys<Client>,
        max: u32,
        /// Our limit on records, of which the client did not know when it sent early data.
        limit: Option<SizeLimit>,
    },
    /// Its second flight.
    SecondFlight,
}

impl Flight {
    //= testvectors/requirements/rfc9846.txt#section-4
    //# Protocol messages MUST be sent in the order defined in Section 4.1 and shown in the diagrams in
    //# Section 2
    /// Sends CertificateRequest, if wanted, and Certificate.
    pub(super) fn certify(
        mut self,
        credential: Arc<Credential>,
        signature: SignatureScheme,
        not_resumed: NotResumed,
        hello: &ClientHello<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        //= testvectors/requirements/rfc7250.txt#section-4.2
        //# The server MUST also include a certificate_request payload in the server hello message.
        if self.chosen.client_certificate().is_some() {
            let authorities = self.config.client_auth.authorities().unwrap_or_default();
            emit(cx.carrier, &mut self.transcript, |out| {
                //= testvectors/requirements/rfc9846.txt#section-4.4.2
                //# This message, if sent, MUST follow EncryptedExtensions.
                //= testvectors/requirements/rfc9846.txt#section-4.4.2
                //# The certificate_request_context MUST be unique within the scope of this connection (thus
                //# preventing replay of client CertificateVerify messages).
                write_certificate_request(out, &[], |w| certificate_request(&self.config, authorities, w))
            })?;
        }
        //= testvectors/requirements/rfc9846.txt#section-4.5.1
        //# The server MUST send a Certificate message whenever the agreed-upon key exchange method uses
        //# certificates for authentication (this includes all key exchange methods defined in this document
        //# except PSK).
        emit_certificate(cx.carrier, &mut self.transcript, Some(&credential), wanted(hello))?;
        let tag = cx.tags.next();
        let message = signed_content(Signer::Server, &self.transcript.digest());
        let question = Sign { tag, credential, scheme: signature, message };
        let state = WaitSignature { flight: self, signature, not_resumed, tag };
        Ok(Next::Ask(State::Signature(state), Question::Sign(question)))
    }

    /// Sends Finished.
    pub(super) fn finish(
        self,
        authenticated: Authenticated,
        next: AfterFlight,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Self {
            config,
            chosen,
            retried,
            early_data,
            mut transcript,
            client_finished,
            server_finished,
            main,
        } = self;
        emit_finished(cx.carrier, &mut transcript, &server_finished)?;
        let secrets = main.application(&transcript.digest())?;
        cx.carrier.reveal(SecretLabel::ClientTraffic, &chosen.client_random, secrets.client.expose());
        cx.carrier.reveal(SecretLabel::ServerTraffic, &chosen.client_random, secrets.server.expose());
        cx.carrier.reveal(SecretLabel::Exporter, &chosen.client_random, secrets.exporter.expose());
        let asked = chosen.client_certificate().is_some();
        let to = if asked { HalfRtt::Unauthenticated } else { HalfRtt::Open };
        //= testvectors/requirements/rfc9846.txt#section-4.5.3
        //# Any records following a Finished message MUST be encrypted under the appropriate application
        //# traffic key as described in Section 7.2.
        cx.carrier.open_write(secrets.server, chosen.suite.suite, to)?;

        let ending = Box::new(Ending {
            config,
            chosen,
            retried,
            early_data,
            authenticated,
            transcript,
            client_finished,
            read: secrets.client,
            exporter: secrets.exporter,
            main: secrets.main,
        });
        Ok(Next::Wait(match next {
            AfterFlight::EndOfEarlyData { read, max, limit } => {
                //= testvectors/requirements/rfc9846.txt#section-4.3.11.3
                //# when accepting "early_data", servers MUST process the client's ClientHello and then
                //# immediately send their flight of messages, rather than waiting for the client's
                //# EndOfEarlyData message before sending its ServerHello
                cx.carrier.open_early(ending.opening(max));
                State::EndOfEarlyData(WaitEndOfEarlyData { ending, read, limit })
            }
            AfterFlight::SecondFlight if asked => State::Certificate(WaitCertificate { ending }),
            AfterFlight::SecondFlight => State::Finished(WaitFinished { ending }),
        }))
    }
}

/// What the client wants to come with certificates.
fn wanted(hello: &ClientHello<'_>) -> ExtensionSet {
    let extensions = &hello.extensions;
    let ocsp =
        (extensions.status_request == Some(StatusRequest::Ocsp)).then_some(ExtensionType::STATUS_REQUEST);
    let sct = extensions.signed_certificate_timestamp.map(|()| ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP);
    ocsp.into_iter().chain(sct).collect()
}

/// Waits for our signature.
pub(crate) struct WaitSignature {
    flight: Flight,
    signature: SignatureScheme,
    not_resumed: NotResumed,
    pub(super) tag: Tag,
}

impl WaitSignature {
    pub(super) fn on_signed(self, bytes: &[u8], cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        let Self { mut flight, signature, not_resumed, .. } = self;
        //= testvectors/requirements/rfc9846.txt#section-4.5.2
        //# Servers MUST send this message when authenticating via a certificate.
        emit(cx.carrier, &mut flight.transcript, |out| write_certificate_verify(out, signature, bytes))?;
        let authenticated = Authenticated {
            signature: Some(signature),
            resumed: Err(not_resumed),
            authenticated: None,
            peer: None,
        };
        flight.finish(authenticated, AfterFlight::SecondFlight, cx)
    }
}
