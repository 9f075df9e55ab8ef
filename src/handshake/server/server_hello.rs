//! ServerHello (RFC 9846 section 4.2.3): the server's choice, the keys that follow from it, and what of the early data.

use super::finish::Authenticated;
use super::flight::{AfterFlight, Flight, encrypted_extensions};
use super::hello::{First, share_of};
use super::psk::{Key, Keyed};
use super::{Choice, Chosen, Context, ServerCarrier, ServerNext, Serving};
use crate::codepoint::{ProtocolVersion, SignatureScheme};
use crate::config::{Common, ConfiguredSuite};
use crate::crypto::{Response, SharedSecret};
use crate::error::{Error, Failed, Fault};
use crate::handshake::{Resumed, SecretLabel, bad_share, emit};
use crate::moment::Moment;
use crate::psk::{NoEarlyData, NotResumed};
use crate::question::{Fresh, Verified};
use crate::record::{EpochBoundary, SizeLimit, Skip};
use crate::schedule::{Client, Handshake, Keys};
use crate::transcript::Transcript;
use crate::wire::client_hello::ClientHello;
use crate::wire::encrypted_extensions::write_encrypted_extensions;
use crate::wire::ext::key_share::KeyShareEntry;
use crate::wire::ext::{key_share, pre_shared_key, supported_versions};
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
        let basis = Basis::establish(choice, &mut transcript, &hello, raw, &chosen.suite)?;
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
    /// What was chosen, once the client has proved to have the key; `transcript` ends before the ClientHello `raw`, and
    /// absorbs it.
    pub(super) fn establish(
        choice: Choice,
        transcript: &mut Transcript,
        hello: &ClientHello<'_>,
        raw: &[u8],
        suite: &ConfiguredSuite,
    ) -> Result<Self, Error> {
        match choice {
            Choice::Certificate { signature, not_resumed } => {
                transcript.absorb(raw);
                Ok(Self::Certificate { signature, not_resumed })
            }
            Choice::Key(candidate) => Ok(Self::Key(candidate.prove(transcript, hello, raw, suite)?)),
        }
    }

    /// The place of the selected key among the identities.
    fn index(&self) -> Option<u16> {
        match self {
            Self::Key(keyed) => Some(keyed.index),
            Self::Certificate { .. } => None,
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
        let client_random = &chosen.client_random;
        let early = read_early(early, &basis, &transcript, &chosen, cx)?;
        let mut random = [0; 32];
        common.provider.rng.fill(&mut random)?;
        let response = chosen.respond(hello, common)?;
        let fields = Fields { random, session_id: hello.legacy_session_id, key: basis.index() };
        emit_server_hello(cx.carrier, &mut transcript, &chosen, fields, response.as_ref())?;
        if !hello.legacy_session_id.is_empty() && retried == Retried::No {
            cx.carrier.compat_ccs_now()?;
        }

        let shared = response.as_ref().map(|response| &response.secret);
        let (handshake, authentication) = authenticate(basis, shared, &chosen)?;
        let secrets = handshake.derive(&transcript.digest())?;
        drop(response);
        cx.carrier.reveal(SecretLabel::ClientHandshakeTraffic, client_random, secrets.client.expose());
        cx.carrier.reveal(SecretLabel::ServerHandshakeTraffic, client_random, secrets.server.expose());
        let (read, client_finished) = secrets.client.into_keys(suite.aead)?;
        let (write, server_finished) = secrets.server.into_keys(suite.aead)?;
        let ours = hello.extensions.record_size_limit.and(common.own_record_limit());
        let (next, early_data) = match early {
            Reading::Early { keys, max } => {
                cx.carrier.rekey_read(keys, boundary);
                (AfterFlight::EndOfEarlyData { read, max, limit: ours }, Ok(()))
            }
            Reading::Handshake(why) => {
                // Behind a HelloRetryRequest no early data can be on its way any more.
                if hello.extensions.early_data.is_some() {
                    cx.carrier.skip_early_data(Skip::UntilOpened { budget: serving.config.skip_limit });
                }
                cx.carrier.rekey_read(read, boundary);
                cx.carrier.limit_records(ours, None);
                (AfterFlight::SecondFlight, Err(why))
            }
        };
        cx.carrier.rekey_write(write, suite)?;

        emit(cx.carrier, &mut transcript, |out| {
            let resumed = authentication.resumed();
            write_encrypted_extensions(out, |w| {
                encrypted_extensions(&serving, &chosen, resumed, hello, early_data, w)
            })
        })?;
        cx.carrier.limit_records(None, hello.extensions.record_size_limit.map(SizeLimit::negotiated));
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
                next,
                cx,
            ),
            Authentication::Certificate { signature, not_resumed } => {
                let credential = serving.credential.ok_or(Failed::Provider)?;
                flight.certify(credential, signature, not_resumed, hello, cx)
            }
        }
    }
}

impl Chosen {
    /// Our side of the key exchange; `None` in `psk_ke`.
    fn respond(&self, hello: &ClientHello<'_>, common: &Common) -> Result<Option<Response>, Error> {
        let (Some(id), Some(share)) = (self.group, share_of(hello, self)) else { return Ok(None) };
        let group = common.group(id).ok_or(Failed::Provider)?;
        Ok(Some(group.respond(&*common.provider.rng, share).map_err(bad_share)?))
    }
}

/// What of a ServerHello is not negotiated.
struct Fields<'a> {
    random: [u8; 32],
    session_id: &'a [u8],
    /// The place of the selected key.
    key: Option<u16>,
}

fn emit_server_hello(
    carrier: &mut ServerCarrier<'_>,
    transcript: &mut Transcript,
    chosen: &Chosen,
    fields: Fields<'_>,
    response: Option<&Response>,
) -> Result<(), Error> {
    emit(carrier, transcript, |out| {
        write_server_hello(out, &fields.random, fields.session_id, chosen.suite.suite.id, |w| {
            if let Some(index) = fields.key {
                pre_shared_key::encode_server(w, index)?;
            }
            if let (Some(group), Some(response)) = (chosen.group, response) {
                key_share::encode_server(w, KeyShareEntry { group, key_exchange: &response.share })?;
            }
            supported_versions::encode_server(w, ProtocolVersion::TLS_1_3)
        })
    })?;
    carrier.end_flight()
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

impl Authentication {
    /// The pre-shared key that stands for a certificate, if one does.
    fn resumed(&self) -> Option<Resumed> {
        match self {
            Self::Certificate { .. } => None,
            Self::Key { resumed, .. } => Some(*resumed),
        }
    }
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
