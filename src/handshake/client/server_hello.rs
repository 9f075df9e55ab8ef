//! ServerHello (RFC 9846 section 4.2.3): the server's choice, and the end of plaintext.

use super::auth::WaitEncryptedExtensions;
use super::hello::{Offer, Ours};
use super::{ClientNext, Context, Facts, Flight, State};
use crate::codepoint::{NamedGroup, ProtocolVersion};
use crate::config::ConfiguredSuite;
use crate::error::{Error, Fault};
use crate::handshake::{Next, SecretLabel, bad_share};
use crate::record::Message;
use crate::schedule::Handshake;
use crate::transcript::{Transcript, Unhashed};
use crate::wire::ext::ExtensionSet;
use crate::wire::server_hello::{DOWNGRADE_TLS11, DOWNGRADE_TLS12, ServerHello};

/// Waits for ServerHello or HelloRetryRequest.
pub(crate) struct WaitServerHello {
    pub(super) offer: Offer,
    pub(super) exchange: Ours,
    pub(super) sent: ExtensionSet,
    pub(super) hello: Hello,
}

/// Which ClientHello was sent last.
pub(super) enum Hello {
    /// The first; no suite is known yet.
    First(Unhashed),
    /// The second, after a HelloRetryRequest.
    Second(Retried),
}

/// What a HelloRetryRequest settled.
pub(super) struct Retried {
    pub(super) transcript: Transcript,
    pub(super) suite: ConfiguredSuite,
    pub(super) group: Option<NamedGroup>,
}

impl WaitServerHello {
    pub(super) fn on_server_hello(
        self,
        mut message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ClientNext, Error> {
        let hello = ServerHello::parse(message.body)?;
        let suite = self.check(&hello, cx)?;
        let boundary = message.boundary()?;
        if hello.is_retry() {
            return self.on_retry(&hello, suite, message.raw, cx);
        }

        let extensions = hello.extensions(self.sent)?;
        let Some(share) = extensions.key_share else {
            return Err(
                Fault::missing_extension("a ServerHello without a pre-shared key needs key_share").into()
            );
        };
        let retried_group = match &self.hello {
            Hello::Second(retried) => retried.group,
            Hello::First(_) => None,
        };
        // RFC 9846 section 4.3.8: "the client MUST verify that the selected NamedGroup in the ServerHello is the
        // same as that in the HelloRetryRequest"
        if !self.exchange.offers(share.group) || retried_group.is_some_and(|group| group != share.group) {
            return Err(
                Fault::illegal_parameter("the server's key share is of no group that was offered").into()
            );
        }
        let retried = matches!(self.hello, Hello::Second(_));
        let mut transcript = match self.hello {
            Hello::First(hello) => hello.select(suite.suite.hash),
            Hello::Second(retried) => retried.transcript,
        };
        transcript.absorb(message.raw);

        let exchange = self.exchange.into_exchange();
        let shared = exchange.complete(share.group, share.key_exchange).map_err(bad_share)?;
        let secrets = Handshake::new(&suite.constants, &shared)?.derive(&transcript.digest())?;
        drop(shared);
        let random = &self.offer.random;
        cx.carrier.reveal(SecretLabel::ClientHandshakeTraffic, random, secrets.client.expose());
        cx.carrier.reveal(SecretLabel::ServerHandshakeTraffic, random, secrets.server.expose());
        let (read, server_finished) = secrets.server.into_keys(suite.suite.aead)?;
        let (write, client_finished) = secrets.client.into_keys(suite.suite.aead)?;
        cx.carrier.rekey_read(read, boundary);
        if !self.offer.session_id().is_empty() {
            cx.carrier.compat_ccs();
        }
        cx.carrier.rekey_write(write, suite.suite)?;

        let facts = Facts {
            name: self.offer.name,
            random: self.offer.random,
            sent: self.sent,
            suite: suite.suite,
            group: share.group,
            retried,
            alpn: None,
        };
        let flight = Flight { facts, transcript, client_finished, server_finished, main: secrets.main };
        Ok(Next::Wait(State::EncryptedExtensions(WaitEncryptedExtensions { flight })))
    }

    /// What a ServerHello and a HelloRetryRequest must both satisfy, in the standard's order: the version first.
    fn check(&self, hello: &ServerHello<'_>, cx: &Context<'_>) -> Result<ConfiguredSuite, Fault> {
        check_version(hello)?;
        if hello.legacy_session_id_echo != self.offer.session_id() {
            return Err(Fault::illegal_parameter("legacy_session_id_echo is not what was sent"));
        }
        if hello.legacy_compression_method != 0 {
            return Err(Fault::illegal_parameter("legacy_compression_method must be 0"));
        }
        let suite = cx.config.common.suite(hello.cipher_suite);
        let suite =
            suite.ok_or(Fault::illegal_parameter("the server chose a cipher suite that was not offered"))?;
        // RFC 9846 section 4.2.4: "clients MUST check that the cipher suite supplied in the ServerHello is the same
        // as that in the HelloRetryRequest"
        if let Hello::Second(retried) = &self.hello
            && retried.suite.suite.id != suite.suite.id
            && !hello.is_retry()
        {
            return Err(Fault::illegal_parameter(
                "the server changed the cipher suite after a HelloRetryRequest",
            ));
        }
        Ok(suite.clone())
    }
}

/// RFC 9846 section 4.3.1: "clients MUST check for this extension prior to processing the rest of the ServerHello".
fn check_version(hello: &ServerHello<'_>) -> Result<(), Fault> {
    match hello.selected_version()? {
        Some(ProtocolVersion::TLS_1_3) if hello.legacy_version == ProtocolVersion::TLS_1_2 => Ok(()),
        // RFC 9846 section 4.2.3
        Some(ProtocolVersion::TLS_1_3) => {
            Err(Fault::protocol_version("legacy_version must be 0x0303 in TLS 1.3"))
        }
        Some(_) => Err(Fault::illegal_parameter("the server selected a version that was not offered")),
        None if hello.random.ends_with(&DOWNGRADE_TLS12) || hello.random.ends_with(&DOWNGRADE_TLS11) => {
            // RFC 9846 section 4.2.3: the server knows TLS 1.3, so somebody removed our offer.
            Err(Fault::illegal_parameter(
                "the connection was downgraded: the server knows TLS 1.3 but was not asked",
            ))
        }
        None => Err(Fault::protocol_version("the server speaks only TLS 1.2 or older; TLS 1.3 is needed")),
    }
}
