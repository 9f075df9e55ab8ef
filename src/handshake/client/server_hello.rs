//! ServerHello (RFC 9846 section 4.2.3): the server's choice, and the end of plaintext.

use super::auth::WaitEncryptedExtensions;
use super::hello::{Base, Ours};
use super::offer::{EarlyOffer, Offered, Psk};
use super::{ClientNext, Context, Facts, Flight, State};
use crate::codepoint::{NamedGroup, ProtocolVersion};
use crate::config::{ConfiguredSuite, PskKe};
use crate::crypto::SharedSecret;
use crate::error::{Error, Failed, Fault};
use crate::handshake::{EarlyVerdict, Next, Resumed, SecretLabel, bad_share};
use crate::psk::{NoEarlyData, NotResumed};
use crate::question::Verified;
use crate::record::Message;
use crate::schedule::Handshake;
use crate::transcript::{Transcript, Unhashed};
use crate::wire::ext::ExtensionSet;
use crate::wire::ext::key_share::KeyShareEntry;
use crate::wire::server_hello::{DOWNGRADE_TLS11, DOWNGRADE_TLS12, ServerHello};

/// Waits for ServerHello or HelloRetryRequest.
pub(crate) struct WaitServerHello {
    pub(super) base: Base,
    pub(super) exchange: Ours,
    pub(super) sent: ExtensionSet,
    pub(super) offered: Offered,
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
        //= testvectors/requirements/rfc9846.txt#section-4.2.3
        //# implementations MUST first examine the Random value and, if it matches this value, process it as
        //# described in Section 4.2.4.
        if hello.is_retry() {
            return self.on_retry(&hello, suite, message.raw, cx);
        }

        let extensions = hello.extensions(self.sent)?;
        let Self { base, exchange, sent, mut offered, hello: sent_hello } = self;
        let selected = match extensions.pre_shared_key {
            Some(index) => Some(select(&mut offered, index, &suite)?),
            None => None,
        };
        let retried = matches!(sent_hello, Hello::Second(_));
        let retried_group = match &sent_hello {
            Hello::Second(retried) => retried.group,
            Hello::First(_) => None,
        };
        check_share(extensions.key_share, &selected, &exchange, retried_group, cx.config.common.psk_ke)?;
        let mut transcript = match sent_hello {
            Hello::First(hello) => hello.select(suite.suite.hash),
            Hello::Second(retried) => retried.transcript,
        };
        transcript.absorb(message.raw);

        let shared = match extensions.key_share {
            Some(share) => {
                let exchange = exchange.into_exchange(share.group).ok_or(Failed::Provider)?;
                Some(exchange.complete(share.group, share.key_exchange).map_err(bad_share)?)
            }
            None => None,
        };
        let not_resumed = offered.not_resumed;
        let is_first = extensions.pre_shared_key == Some(0);
        let (handshake, authentication) = authenticate(selected, shared.as_ref(), &suite, not_resumed)?;
        let secrets = handshake.derive(&transcript.digest())?;
        drop(shared);
        let random = &base.random;
        cx.carrier.reveal(SecretLabel::ClientHandshakeTraffic, random, secrets.client.expose());
        cx.carrier.reveal(SecretLabel::ServerHandshakeTraffic, random, secrets.server.expose());
        let (read, server_finished) = secrets.server.into_keys(suite.suite.aead)?;
        let (write, client_finished) = secrets.client.into_keys(suite.suite.aead)?;
        cx.carrier.rekey_read(read, boundary);
        if !base.session_id().is_empty() {
            cx.carrier.compat_ccs();
        }
        let early = match offered.early {
            Ok(offer) if is_first => {
                // Early data goes on until the server has said what becomes of it.
                cx.carrier.stage_write(write, suite.suite);
                Early::Offered(offer)
            }
            Ok(_) => {
                cx.carrier.rekey_write(write, suite.suite)?;
                cx.carrier.early_verdict(EarlyVerdict::Refused);
                Early::Settled(Err(NoEarlyData::Declined))
            }
            Err(why) => {
                cx.carrier.rekey_write(write, suite.suite)?;
                Early::Settled(Err(why))
            }
        };

        let facts = Facts {
            name: base.name,
            random: base.random,
            sent,
            suite: suite.suite,
            group: extensions.key_share.map(|share| share.group),
            retried,
            alpn: None,
        };
        let flight = Flight { facts, transcript, client_finished, server_finished, main: secrets.main };
        Ok(Next::Wait(State::EncryptedExtensions(WaitEncryptedExtensions { flight, authentication, early })))
    }

    //= testvectors/requirements/rfc9846.txt#section-4.2.4
    //# Upon receipt of a HelloRetryRequest, the client MUST check the legacy_version,
    //# legacy_session_id_echo, cipher_suite, and legacy_compression_method as specified in Section 4.2.3
    /// What a ServerHello and a HelloRetryRequest must both satisfy, in the standard's order: the version first.
    fn check(&self, hello: &ServerHello<'_>, cx: &Context<'_>) -> Result<ConfiguredSuite, Fault> {
        //= testvectors/requirements/rfc9846.txt#section-4.3.1
        //# clients MUST check for this extension prior to processing the rest of the ServerHello
        check_version(hello)?;
        //= testvectors/requirements/rfc9846.txt#section-4.2.3
        //# A client which receives a legacy_session_id_echo field that does not match what it sent in the
        //# ClientHello MUST abort the handshake with an "illegal_parameter" alert.
        if hello.legacy_session_id_echo != self.base.session_id() {
            return Err(Fault::illegal_parameter("legacy_session_id_echo is not what was sent"));
        }
        //= testvectors/requirements/rfc9846.txt#section-4.2.3
        //# If a TLS 1.3 ServerHello is received with any other value in this field, the client MUST abort
        //# the handshake with an "illegal_parameter" alert.
        if hello.legacy_compression_method != 0 {
            return Err(Fault::illegal_parameter("legacy_compression_method must be 0"));
        }
        //= testvectors/requirements/rfc9846.txt#section-4.2.3
        //# A client which receives a cipher suite that was not offered MUST abort the handshake with an
        //# "illegal_parameter" alert.
        //= testvectors/requirements/rfc9846.txt#section-4.2.4
        //# A client which receives a cipher suite that was not offered MUST abort the handshake.
        let suite = cx.config.common.suite(hello.cipher_suite);
        let suite =
            suite.ok_or(Fault::illegal_parameter("the server chose a cipher suite that was not offered"))?;
        //= testvectors/requirements/rfc9846.txt#section-4.2.4
        //# clients MUST check that the cipher suite supplied in the ServerHello is the same as that in the
        //# HelloRetryRequest and otherwise abort the handshake with an "illegal_parameter" alert.
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

fn check_version(hello: &ServerHello<'_>) -> Result<(), Fault> {
    //= testvectors/requirements/rfc9846.txt#section-4.3.1
    //# clients MUST ignore the ServerHello.legacy_version value and MUST use only the "supported_versions"
    //# extension to determine the selected version
    match hello.selected_version()? {
        Some(ProtocolVersion::TLS_1_3) if hello.legacy_version == ProtocolVersion::TLS_1_2 => Ok(()),
        //= testvectors/requirements/rfc9846.txt#section-4.2.3
        //# A client which receives a TLS 1.3 Server Hello with a legacy_version value not equal to 0x0303
        //# MUST abort the handshake with a "protocol_version" alert.
        Some(ProtocolVersion::TLS_1_3) => {
            Err(Fault::protocol_version("legacy_version must be 0x0303 in TLS 1.3"))
        }
        //= testvectors/requirements/rfc9846.txt#section-4.2.4
        //# and a client MUST abort the handshake with an "illegal_parameter" alert if the value changes.
        //= testvectors/requirements/rfc9846.txt#section-4.3.1
        //# If the "supported_versions" extension in the ServerHello contains a version not offered by the
        //# client or contains a version prior to TLS 1.3, the client MUST abort the handshake with an
        //# "illegal_parameter" alert.
        Some(_) => Err(Fault::illegal_parameter("the server selected a version that was not offered")),
        //= testvectors/requirements/rfc9846.txt#section-4.2.3
        //# TLS 1.3 clients receiving a ServerHello indicating TLS 1.2 or below MUST check that the last 8
        //# bytes are not equal to either of these values.
        //= testvectors/requirements/rfc9846.txt#section-4.2.3
        //# If a match is found, the client MUST abort the handshake with an "illegal_parameter" alert.
        None if hello.random.ends_with(&DOWNGRADE_TLS12) || hello.random.ends_with(&DOWNGRADE_TLS11) => {
            // RFC 9846 section 4.2.3: the server knows TLS 1.3, so somebody removed our offer.
            Err(Fault::illegal_parameter(
                "the connection was downgraded: the server knows TLS 1.3 but was not asked",
            ))
        }
        //= testvectors/requirements/rfc9846.txt#appendix-E.1
        //# If the version chosen by the server is not supported by the client (or is not acceptable), the
        //# client MUST abort the handshake with a "protocol_version" alert.
        //= testvectors/requirements/rfc9846.txt#appendix-E.3
        //# A client that attempts to send 0-RTT data MUST fail a connection if it receives a ServerHello
        //# with TLS 1.2 or older.
        None => Err(Fault::protocol_version("the server speaks only TLS 1.2 or older; TLS 1.3 is needed")),
    }
}

/// How the server is authenticated.
pub(super) enum Authentication {
    /// By a certificate, since no key was taken.
    Certificate(NotResumed),
    /// By a key that it has to have; what is known of it comes from there.
    Key { resumed: Resumed, peer: Verified },
}

/// What becomes of early data.
pub(super) enum Early {
    /// EncryptedExtensions will tell.
    Offered(EarlyOffer),
    Settled(Result<(), NoEarlyData>),
}

/// The key that the server selected (RFC 9846 section 4.3.11).
//= testvectors/requirements/rfc9846.txt#section-4.3.11
//# Clients MUST verify that the server's selected_identity is within the range supplied by the client, that
//# the server selected a cipher suite indicating a Hash associated with the PSK, and that a server
//# "key_share" extension is present if required by the ClientHello "psk_key_exchange_modes" extension.
fn select(offered: &mut Offered, index: u16, suite: &ConfiguredSuite) -> Result<Psk, Fault> {
    let index = usize::from(index);
    if index >= offered.psks.len() {
        //= testvectors/requirements/rfc9846.txt#section-4.3.11
        //# If these values are not consistent, the client MUST abort the handshake with an
        //# "illegal_parameter" alert.
        return Err(Fault::illegal_parameter("the server selected a pre-shared key that was not offered"));
    }
    let psk = offered.psks.swap_remove(index);
    if psk.hash().output_len() != suite.suite.hash.output_len() {
        return Err(Fault::illegal_parameter(
            "the cipher suite does not have the hash of the pre-shared key",
        ));
    }
    Ok(psk)
}

fn check_share(
    share: Option<KeyShareEntry<'_>>,
    selected: &Option<Psk>,
    exchange: &Ours,
    retried_group: Option<NamedGroup>,
    psk_ke: PskKe,
) -> Result<(), Fault> {
    let Some(share) = share else {
        return match (selected, psk_ke) {
            (Some(_), PskKe::Permitted) => Ok(()),
            // "and that a server "key_share" extension is present if required by the ClientHello
            // "psk_key_exchange_modes" extension"
            //= testvectors/requirements/rfc9846.txt#section-4.3.9
            //# In this mode, the client and server MUST supply "key_share" values as described in Section
            //# 4.3.8.
            (Some(_), PskKe::Refused) => {
                Err(Fault::illegal_parameter("the server left out the key exchange, which was not permitted"))
            }
            (None, _) => {
                Err(Fault::missing_extension("a ServerHello without a pre-shared key needs key_share"))
            }
        };
    };
    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //# the client MUST verify that the selected NamedGroup in the ServerHello is the same as that in the
    //# HelloRetryRequest
    if !exchange.offers(share.group) || retried_group.is_some_and(|group| group != share.group) {
        //= testvectors/requirements/rfc9846.txt#section-4.3.8
        //# If this check fails, the client MUST abort the handshake with an "illegal_parameter" alert.
        return Err(Fault::illegal_parameter("the server's key share is of no group that was offered"));
    }
    Ok(())
}

/// Enters the key schedule, with the selected key if there is one.
fn authenticate(
    selected: Option<Psk>,
    shared: Option<&SharedSecret>,
    suite: &ConfiguredSuite,
    not_resumed: NotResumed,
) -> Result<(Handshake, Authentication), Error> {
    match (selected, shared) {
        (Some(psk), shared) => {
            let (handshake, used) = psk.schedule.handshake(shared)?;
            let peer = Verified::by_psk(psk.peer, &used);
            Ok((handshake, Authentication::Key { resumed: psk.resumed, peer }))
        }
        (None, Some(shared)) => {
            Ok((Handshake::new(&suite.constants, shared)?, Authentication::Certificate(not_resumed)))
        }
        (None, None) => Err(Fault::missing_extension("a certificate needs key_share").into()),
    }
}
