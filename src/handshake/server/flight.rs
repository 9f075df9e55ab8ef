//! ServerHello to Finished: the server's one flight (RFC 9846 sections 4.2.3 to 4.5.3).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::client_auth::WaitCertificate;
use super::finish::{Authenticated, Ending, WaitEndOfEarlyData, WaitFinished};
use super::hello::{First, share_of};
use super::psk::{Key, Keyed};
use super::{Choice, Chosen, Context, ServerNext, Serving, State};
use crate::codepoint::{NamedGroup, ProtocolVersion, SignatureScheme};
use crate::config::{ConfiguredSuite, Credential, ServerConfig};
use crate::crypto::SharedSecret;
use crate::error::{Error, Failed, Fault, Misuse};
use crate::handshake::auth::{Signer, emit_certificate, emit_finished, signed_content};
use crate::handshake::{HalfRtt, Next, Resumed, SecretLabel, bad_share, emit};
use crate::moment::Moment;
use crate::psk::{NoEarlyData, NotResumed};
use crate::question::{Fresh, Question, Sign, Tag, Verified};
use crate::record::{EpochBoundary, SizeLimit, Skip};
use crate::schedule::{Client, Finished, Handshake, Keys, Main, Server};
use crate::transcript::Transcript;
use crate::wire::Writer;
use crate::wire::certificate_request::write_certificate_request;
use crate::wire::certificate_verify::write_certificate_verify;
use crate::wire::client_hello::ClientHello;
use crate::wire::encrypted_extensions::write_encrypted_extensions;
use crate::wire::ext::key_share::KeyShareEntry;
use crate::wire::ext::status_request::StatusRequest;
use crate::wire::ext::{
    alpn, certificate_authorities, early_data, key_share, pre_shared_key, record_size_limit, server_name,
    signature_algorithms, supported_groups, supported_versions, ticket_request,
};
use crate::wire::server_hello::write_server_hello;

impl First<'_> {
    /// Answers a first ClientHello that needs no other share.
    pub(super) fn answer(
        self,
        serving: Serving,
        chosen: Chosen,
        choice: Choice,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Self { hello, raw, boundary, .. } = self;
        let mut transcript = Transcript::new(chosen.suite.suite.hash);
        let basis = Basis::establish(choice, &transcript, &hello, raw, &chosen.suite)?;
        transcript.absorb(raw);
        let early = Early::Refused(NoEarlyData::NotOffered);
        let agreed = Agreed { serving, chosen, basis, retried: Retried::No, early };
        agreed.go_on(transcript, &hello, raw, boundary, cx)
    }
}

/// Whether a HelloRetryRequest came before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Retried {
    No,
    Yes,
    /// The first ClientHello offered early data.
    YesAfterEarlyData,
}

/// What the server is authenticated by.
pub(super) enum Basis {
    Certificate { signature: SignatureScheme, not_resumed: NotResumed },
    Key(Keyed),
}

impl Basis {
    /// What was chosen, once the client has proved to have the key; `before` is the transcript up to the ClientHello
    /// `raw`.
    pub(super) fn establish(
        choice: Choice,
        before: &Transcript,
        hello: &ClientHello<'_>,
        raw: &[u8],
        suite: &ConfiguredSuite,
    ) -> Result<Self, Error> {
        match choice {
            Choice::Certificate { signature, not_resumed } => {
                Ok(Self::Certificate { signature, not_resumed })
            }
            Choice::Key(candidate) => Ok(Self::Key(candidate.prove(before, hello, raw, suite)?)),
        }
    }
}

/// What becomes of early data.
pub(super) enum Early {
    Accepted(Fresh),
    Refused(NoEarlyData),
}

/// Everything that is settled before the ServerHello.
pub(super) struct Agreed {
    pub(super) serving: Serving,
    pub(super) chosen: Chosen,
    pub(super) basis: Basis,
    pub(super) retried: Retried,
    pub(super) early: Early,
}

impl Agreed {
    /// Sends ServerHello to Certificate, then asks for a signature; with a pre-shared key to Finished. `transcript` ends
    /// with the ClientHello `hello`.
    pub(super) fn send(
        self,
        mut transcript: Transcript,
        hello: &ClientHello<'_>,
        boundary: EpochBoundary,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Self { serving, chosen, basis, retried, early } = self;
        let common = &serving.config.common;
        let suite = chosen.suite.suite;
        let rng = &*common.provider.rng;
        let client_random = &chosen.client_random;
        let early = read_early(early, &basis, &transcript, &chosen, cx)?;
        let mut random = [0; 32];
        rng.fill(&mut random)?;
        let response = match (chosen.group, share_of(hello, &chosen)) {
            (Some(id), Some(share)) => {
                let group = common.group(id).ok_or(Failed::Provider)?;
                Some((id, group.respond(rng, share).map_err(bad_share)?))
            }
            _ => None,
        };

        emit(cx.carrier, &mut transcript, |out| {
            write_server_hello(out, &random, hello.legacy_session_id, suite.id, |w| {
                if let Some((group, response)) = &response {
                    let key_exchange = &response.share;
                    key_share::encode_server(w, KeyShareEntry { group: *group, key_exchange })?;
                }
                if let Basis::Key(keyed) = &basis {
                    pre_shared_key::encode_server(w, keyed.index)?;
                }
                supported_versions::encode_server(w, ProtocolVersion::TLS_1_3)
            })
        })?;
        cx.carrier.end_flight()?;
        if !hello.legacy_session_id.is_empty() && retried == Retried::No {
            cx.carrier.compat_ccs_now()?;
        }

        let shared = response.as_ref().map(|(_, response)| &response.secret);
        let (handshake, authentication) = authenticate(basis, shared, &chosen)?;
        let secrets = handshake.derive(&transcript.digest())?;
        drop(response);
        cx.carrier.reveal(SecretLabel::ClientHandshakeTraffic, client_random, secrets.client.expose());
        cx.carrier.reveal(SecretLabel::ServerHandshakeTraffic, client_random, secrets.server.expose());
        let (read, client_finished) = secrets.client.into_keys(suite.aead)?;
        let (write, server_finished) = secrets.server.into_keys(suite.aead)?;
        let (reading, early_data) = match early {
            Reading::Early { keys, max } => {
                cx.carrier.rekey_read(keys, boundary);
                (AfterFlight::EndOfEarlyData { read, max }, Ok(()))
            }
            Reading::Handshake(why) => {
                // Behind a HelloRetryRequest no early data can be on its way any more.
                if hello.extensions.early_data.is_some() {
                    cx.carrier.skip_early_data(Skip::UntilOpened { budget: serving.config.skip_limit });
                }
                cx.carrier.rekey_read(read, boundary);
                (AfterFlight::SecondFlight, Err(why))
            }
        };
        cx.carrier.rekey_write(write, suite)?;

        let peers_limit = hello.extensions.record_size_limit.map(SizeLimit::negotiated);
        emit(cx.carrier, &mut transcript, |out| {
            write_encrypted_extensions(out, |w| encrypted_extensions(&serving, &chosen, hello, early_data, w))
        })?;
        if peers_limit.is_some() {
            cx.carrier.limit_records(common.own_record_limit(), peers_limit);
        }
        let flight = Flight {
            config: serving.config,
            chosen,
            retried,
            early_data,
            transcript,
            client_finished,
            server_finished,
            main: secrets.main,
        };
        match authentication {
            Authentication::Key { resumed, peer, authenticated } => flight.finish(
                Authenticated { signature: None, resumed: Ok(resumed), authenticated, peer },
                reading,
                cx,
            ),
            Authentication::Certificate { signature, not_resumed } => {
                let credential = serving.credential.ok_or(Failed::Provider)?;
                flight.certify(credential, signature, not_resumed, hello, cx)
            }
        }
    }
}

/// Which keys open what the client sends next.
enum Reading {
    /// Those of its early data, of which there may be `max` bytes.
    Early { keys: Keys<Client>, max: u32 },
    /// Those of the handshake; early data is not accepted for this reason.
    Handshake(NoEarlyData),
}

/// Early data is read only with the proof that nobody saw it before.
fn read_early(
    early: Early,
    basis: &Basis,
    transcript: &Transcript,
    chosen: &Chosen,
    cx: &mut Context<'_>,
) -> Result<Reading, Error> {
    match (early, basis) {
        (Early::Accepted(fresh), Basis::Key(keyed)) => {
            let Key::Session(session) = &keyed.key else {
                return Ok(Reading::Handshake(NoEarlyData::NotPermitted));
            };
            let secrets = keyed.proven.read_early(&fresh, &transcript.digest())?;
            let random = &chosen.client_random;
            cx.carrier.reveal(SecretLabel::ClientEarlyTraffic, random, secrets.client.expose());
            cx.carrier.reveal(SecretLabel::EarlyExporter, random, secrets.exporter.expose());
            cx.carrier.early_exporter(secrets.exporter);
            let keys = secrets.client.into_keys(chosen.suite.suite.aead)?;
            Ok(Reading::Early { keys, max: session.max_early_data })
        }
        (Early::Accepted(_), Basis::Certificate { .. }) => Ok(Reading::Handshake(NoEarlyData::NotResumed)),
        (Early::Refused(why), _) => Ok(Reading::Handshake(why)),
    }
}

/// What the client's side of the authentication is still about.
enum Authentication {
    Certificate { signature: SignatureScheme, not_resumed: NotResumed },
    Key { resumed: Resumed, peer: Option<Verified>, authenticated: Option<Moment> },
}

/// Enters the key schedule, with the pre-shared key if there is one.
fn authenticate(
    basis: Basis,
    shared: Option<&SharedSecret>,
    chosen: &Chosen,
) -> Result<(Handshake, Authentication), Error> {
    match basis {
        Basis::Certificate { signature, not_resumed } => {
            let shared = shared.ok_or(Fault::missing_extension("a certificate needs key_share"))?;
            let handshake = Handshake::new(&chosen.suite.constants, shared)?;
            Ok((handshake, Authentication::Certificate { signature, not_resumed }))
        }
        Basis::Key(Keyed { key, proven, peer, .. }) => {
            let (handshake, used) = proven.handshake(shared)?;
            let peer = peer.map(|peer| Verified::by_psk(peer, &used));
            let (resumed, authenticated) = match key {
                Key::Session(session) => (Resumed::Session, Some(session.authenticated)),
                Key::External(_) => (Resumed::ExternalPsk, None),
            };
            Ok((handshake, Authentication::Key { resumed, peer, authenticated }))
        }
    }
}

fn encrypted_extensions(
    serving: &Serving,
    chosen: &Chosen,
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
    if chosen.server_name.is_some() {
        server_name::encode_server(w)?;
    }
    if let Some(name) = &chosen.alpn {
        alpn::encode_server(w, name)?;
    }
    if early.is_ok() {
        early_data::encode_flag(w)?;
    }
    // RFC 9149: the number of tickets that the client may expect.
    if hello.extensions.ticket_request.is_some() && serving.config.tickets.most > 0 {
        ticket_request::encode_server(w, chosen.tickets)?;
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
    signature_algorithms::encode(w, schemes)?;
    if for_certificates != schemes {
        signature_algorithms::encode_cert(w, for_certificates)?;
    }
    if !authorities.is_empty() {
        certificate_authorities::encode(w, authorities.iter().map(Vec::as_slice))?;
    }
    Ok(())
}

/// What everything behind EncryptedExtensions carries along.
pub(super) struct Flight {
    config: Arc<ServerConfig>,
    chosen: Chosen,
    retried: Retried,
    early_data: Result<(), NoEarlyData>,
    transcript: Transcript,
    client_finished: Finished<Client>,
    server_finished: Finished<Server>,
    main: Main,
}

/// What the client's next message is.
enum AfterFlight {
    /// Its early data goes on until it says so.
    EndOfEarlyData { read: Keys<Client>, max: u32 },
    /// Its second flight.
    SecondFlight,
}

impl Flight {
    /// Sends CertificateRequest, if wanted, and Certificate.
    fn certify(
        mut self,
        credential: Arc<Credential>,
        signature: SignatureScheme,
        not_resumed: NotResumed,
        hello: &ClientHello<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        if let Some(authorities) = self.config.client_auth.authorities() {
            emit(cx.carrier, &mut self.transcript, |out| {
                write_certificate_request(out, &[], |w| certificate_request(&self.config, authorities, w))
            })?;
        }
        let staple = match hello.extensions.status_request {
            Some(StatusRequest::Ocsp) => credential.staple(),
            _ => None,
        };
        emit_certificate(cx.carrier, &mut self.transcript, Some(&credential), staple)?;
        let tag = cx.tags.next();
        let message = signed_content(Signer::Server, &self.transcript.digest());
        let question = Sign { tag, credential, scheme: signature, message };
        let state = WaitSignature { flight: self, signature, not_resumed, tag };
        Ok(Next::Ask(State::Signature(state), Question::Sign(question)))
    }

    /// Sends Finished.
    fn finish(
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
        let asked = authenticated.resumed.is_err() && config.client_auth.authorities().is_some();
        let to = if asked { HalfRtt::Unauthenticated } else { HalfRtt::Open };
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
            AfterFlight::EndOfEarlyData { read, max } => {
                cx.carrier.open_early(ending.opening(max));
                State::EndOfEarlyData(WaitEndOfEarlyData { ending, read })
            }
            AfterFlight::SecondFlight if asked => State::Certificate(WaitCertificate { ending }),
            AfterFlight::SecondFlight => State::Finished(WaitFinished { ending }),
        }))
    }
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
