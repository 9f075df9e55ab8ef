//! ClientHello (RFC 9846 section 4.2.2): who serves it, with which keys and parameters.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls_pki_types::UnixTime;

use super::negotiate::{check, choose, has_common_mode};
use super::{Chosen, Context, ServerNext, Serving, State};
use crate::codepoint::CertificateType;
use crate::config::{Credentials, ServerConfig};
use crate::error::{Error, Fault};
use crate::handshake::Next;
use crate::moment::Moment;
use crate::psk::NotResumed;
use crate::question::{Configure, Configured, Known, LookupPsk, Offered, OfferedIdentity, Question, Tag};
use crate::record::{EpochBoundary, Message, Skip, Skipped};
use crate::wire::client_hello::ClientHello;
use crate::wire::ext::certificate_type::CertificateTypes;
use crate::wire::message::HEADER_LEN;

/// Starts a handshake; `now` is needed for stateless retries alone.
pub(crate) fn accept(config: &Arc<ServerConfig>, now: Option<UnixTime>, cx: &mut Context<'_>) -> State {
    let state = WaitClientHello { config: Arc::clone(config), now };
    if state.is_stateless() {
        // Early data of the first flight may arrive before the ClientHello that the cookie is in.
        cx.carrier.skip_early_data(Skip::UntilHello { budget: config.skip_limit });
    }
    State::ClientHello(state)
}

/// Waits for the first ClientHello.
pub(crate) struct WaitClientHello {
    config: Arc<ServerConfig>,
    now: Option<UnixTime>,
}

/// A first ClientHello on its way through the questions.
pub(super) struct First<'a> {
    pub(super) hello: ClientHello<'a>,
    /// The message with its header.
    pub(super) raw: &'a [u8],
    pub(super) boundary: EpochBoundary,
    pub(super) now: Option<UnixTime>,
    pub(super) skipped: Skipped,
}

/// The same, owned while a question is out.
struct Kept {
    raw: Vec<u8>,
    boundary: EpochBoundary,
    now: Option<UnixTime>,
    skipped: Skipped,
}

impl WaitClientHello {
    /// Whether this may be the second ClientHello of a client whose first one was answered statelessly.
    pub(super) fn is_stateless(&self) -> bool {
        self.now.is_some() && self.config.retry.is_some()
    }

    pub(super) fn on_client_hello(
        self,
        mut message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let hello = ClientHello::parse(message.body)?;
        check(&hello)?;
        let boundary = message.boundary()?;
        let skipped = cx.carrier.skipped();
        cx.carrier.skip_early_data(Skip::Off);
        // Only a cookie can tell that early data before a first ClientHello belongs to a handshake.
        if skipped == Skipped::Some && hello.extensions.cookie.is_none() {
            return Err(Fault::unexpected_message("application data arrived before any key").into());
        }
        let first = First { hello, raw: message.raw, boundary, now: self.now, skipped };
        match &self.config.credentials {
            // A configuration with one credential answers for itself.
            Credentials::One(credential) => {
                let credential = Some(Arc::clone(credential));
                first.look_up_psk(Serving { config: self.config, credential }, cx)
            }
            Credentials::None => first.look_up_psk(Serving { config: self.config, credential: None }, cx),
            Credentials::Asked => {
                let tag = cx.tags.next();
                let question = Configure { tag, offered: offered(&first.hello, message.body) };
                let state = WaitConfigure { kept: first.keep(), tag };
                Ok(Next::Ask(State::Configure(state), Question::Configure(Box::new(question))))
            }
        }
    }
}

/// Waits for a configuration and a credential.
pub(crate) struct WaitConfigure {
    kept: Kept,
    pub(super) tag: Tag,
}

impl WaitConfigure {
    pub(super) fn on_configured(
        self,
        configured: Configured,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Configured { config, credential } = configured;
        cx.carrier.adopt(&config.common);
        self.kept.again(|first| first.look_up_psk(Serving { config, credential }, cx))
    }
}

/// Waits for the pre-shared keys that the client named.
pub(crate) struct WaitPsk {
    kept: Kept,
    serving: Serving,
    pub(super) tag: Tag,
}

impl WaitPsk {
    pub(super) fn on_known(self, known: Known, cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        let Self { kept, serving, .. } = self;
        kept.again(|first| first.go_on(serving, known, cx))
    }
}

impl First<'_> {
    fn keep(self) -> Kept {
        let Self { raw, boundary, now, skipped, .. } = self;
        Kept { raw: raw.to_vec(), boundary, now, skipped }
    }

    /// Asks for the keys of the identities offered, all at once, under the configuration just chosen.
    fn look_up_psk(self, serving: Serving, cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        let extensions = &self.hello.extensions;
        let Some(offered) = &extensions.pre_shared_key else {
            return self.go_on(serving, nothing(NotResumed::NotOffered), cx);
        };
        if !has_common_mode(&self.hello, &serving.config.common) {
            return self.go_on(serving, nothing(NotResumed::NoCommonMode), cx);
        }
        let identities = offered.identities.iter().map(|offered| OfferedIdentity {
            identity: offered.identity.to_vec(),
            obfuscated_ticket_age: offered.obfuscated_ticket_age,
        });
        let tag = cx.tags.next();
        let question = LookupPsk {
            tag,
            config: Arc::clone(&serving.config),
            server_name: extensions.server_name.map(ToOwned::to_owned),
            identities: identities.collect(),
        };
        let state = WaitPsk { kept: self.keep(), serving, tag };
        Ok(Next::Ask(State::Psk(state), Question::LookupPsk(question)))
    }

    /// All questions are answered: chooses the parameters, then sends the flight or a HelloRetryRequest.
    fn go_on(self, serving: Serving, known: Known, cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        if self.hello.extensions.cookie.is_some() {
            return self.resume_stateless(serving, known, cx);
        }
        let (chosen, choice) = choose(&self.hello, &serving, known, None)?;
        match chosen.group {
            //= testvectors/requirements/rfc9846.txt#section-4.2.1
            //# the server MUST respond with a HelloRetryRequest (Section 4.2.4) message.
            Some(group) if share_of(&self.hello, &chosen).is_none() => {
                self.retry(serving, chosen, choice, group, cx)
            }
            _ => self.answer(serving, chosen, choice, cx),
        }
    }
}

/// No key is known, for this reason.
fn nothing(otherwise: NotResumed) -> Known {
    Known { keys: Vec::new(), now: Moment::default(), otherwise }
}

impl Kept {
    /// Reads the message once more, now that its question is answered.
    fn again(self, go_on: impl FnOnce(First<'_>) -> Result<ServerNext, Error>) -> Result<ServerNext, Error> {
        let Self { raw, boundary, now, skipped } = self;
        let hello = ClientHello::parse(raw.get(HEADER_LEN..).unwrap_or_default())?;
        go_on(First { hello, raw: &raw, boundary, now, skipped })
    }
}

//= testvectors/requirements/rfc9846.txt#section-2
//# the server's share MUST be in the same group as one of the client's shares
/// The client's share of the group that was chosen.
pub(super) fn share_of<'a>(hello: &ClientHello<'a>, chosen: &Chosen) -> Option<&'a [u8]> {
    let (shares, group) = (hello.extensions.key_share.as_ref()?, chosen.group?);
    shares.iter().find(|share| share.group == group).map(|share| share.key_exchange)
}

/// What `Configure` shows.
fn offered(hello: &ClientHello<'_>, body: &[u8]) -> Offered {
    let extensions = &hello.extensions;
    let schemes = extensions.signature_algorithms.iter().flat_map(|list| list.iter());
    let for_certificates = extensions.signature_algorithms_cert.or(extensions.signature_algorithms);
    let names = |names: Option<_>| names.into_iter().flatten().map(<[u8]>::to_vec).collect();
    Offered {
        server_name: extensions.server_name.map(ToOwned::to_owned),
        alpn: names(extensions.alpn),
        suites: hello.cipher_suites.iter().collect(),
        groups: extensions.supported_groups.iter().flat_map(|list| list.iter()).collect(),
        signature_schemes: schemes.collect(),
        certificate_schemes: for_certificates.iter().flat_map(|list| list.iter()).collect(),
        authorities: names(extensions.certificate_authorities),
        server_certificate_types: offered_types(extensions.server_certificate_type),
        client_certificate_types: offered_types(extensions.client_certificate_type),
        client_hello: body.into(),
    }
}

/// The types of certificates in a ClientHello.
fn offered_types(types: Option<CertificateTypes<'_>>) -> Vec<CertificateType> {
    match types {
        Some(types) => types.iter().collect(),
        None => Vec::from([CertificateType::X509]),
    }
}

/// The fault of a cookie that no HelloRetryRequest of ours gave.
pub(super) const FOREIGN_COOKIE: Fault =
    Fault::illegal_parameter("the cookie is none that this server gave, or it has expired");
