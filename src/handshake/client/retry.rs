//! HelloRetryRequest (RFC 9846 section 4.2.4): the second ClientHello.

use super::hello::{Kind, Ours, write};
use super::offer::bind;
use super::server_hello::{Hello, Retried, WaitServerHello};
use super::{ClientNext, Context, State};
use crate::config::ConfiguredSuite;
use crate::error::{Error, Fault};
use crate::handshake::{EarlyVerdict, Next, OUT_OF_ORDER, too_long};
use crate::psk::NoEarlyData;
use crate::wire::server_hello::ServerHello;

impl WaitServerHello {
    pub(super) fn on_retry(
        self,
        retry: &ServerHello<'_>,
        suite: ConfiguredSuite,
        raw: &[u8],
        cx: &mut Context<'_>,
    ) -> Result<ClientNext, Error> {
        let Hello::First(hello) = self.hello else {
            //= testvectors/requirements/rfc9846.txt#section-4.2.4
            //# If a client receives a second HelloRetryRequest in the same connection (i.e., where the
            //# ClientHello was itself in response to a HelloRetryRequest), it MUST abort the handshake with
            //# an "unexpected_message" alert.
            return Err(OUT_OF_ORDER.into());
        };
        //= testvectors/requirements/rfc9846.txt#section-4.2.4
        //# Otherwise, the client MUST process all extensions in the HelloRetryRequest and send a second
        //# updated ClientHello.
        let extensions = retry.retry_extensions(self.sent)?;
        let exchange = match extensions.key_share {
            //= testvectors/requirements/rfc9846.txt#section-4.2.4
            //# Clients MUST abort the handshake with an "illegal_parameter" alert if the HelloRetryRequest
            //# would not result in any change in the ClientHello.
            None if extensions.cookie.is_none() => {
                return Err(
                    Fault::illegal_parameter("a HelloRetryRequest must change the ClientHello").into()
                );
            }
            None => self.exchange,
            //= testvectors/requirements/rfc9846.txt#section-4.3.8
            //# Upon receipt of this extension in a HelloRetryRequest, the client MUST verify that (1) the
            //# selected_group field corresponds to a group which was provided in the "supported_groups"
            //# extension in the original ClientHello and (2) the selected_group field does not correspond
            //# to a group which was provided in the "key_share" extension in the original ClientHello.
            Some(group) => match cx.config.common.group(group) {
                Some(implementation) if !self.exchange.offers(group) => {
                    Ours::start_only(implementation, cx.config)?
                }
                _ => {
                    return Err(
                        //= testvectors/requirements/rfc9846.txt#section-4.3.8
                        //# If either of these checks fails, then the client MUST abort the handshake with
                        //# an "illegal_parameter" alert.
                        Fault::illegal_parameter("a HelloRetryRequest names no group to retry with").into(),
                    );
                }
            },
        };

        let mut transcript = hello.select(suite.suite.hash).into_retry();
        transcript.absorb(raw);
        let Self { base, mut offered, .. } = self;
        // RFC 9846 section 4.2.2: a second ClientHello goes without early data, and without keys of another hash. Ages stay
        // as they were: there is no clock here, and only early data looks at them.
        if offered.early.is_ok() {
            //= testvectors/requirements/rfc9846.txt#section-4.3.10
            //# A client MUST NOT include the "early_data" extension in its followup ClientHello.
            offered.early = Err(NoEarlyData::Retried);
            cx.carrier.write_plain_again();
            cx.carrier.early_verdict(EarlyVerdict::Refused);
        }
        offered.psks.retain(|psk| psk.hash().output_len() == suite.suite.hash.output_len());
        if !base.session_id().is_empty() {
            cx.carrier.compat_ccs();
        }
        let messages = cx.carrier.messages();
        let start = messages.len();
        let kind = Kind::Second { cookie: extensions.cookie };
        let sent = write(messages, &base, &exchange, &offered.psks, &kind, cx.config).map_err(too_long)?;
        let message = messages.get_mut(start..).unwrap_or_default();
        bind(&offered.psks, message, |_, truncated| transcript.digest_with(truncated))?;
        #[cfg(all(test, feature = "rustcrypto"))]
        crate::handshake::replay::replace(messages, start);
        transcript.absorb(messages.get(start..).unwrap_or_default());
        cx.carrier.end_flight()?;
        let hello = Hello::Second(Retried { transcript, suite, group: extensions.key_share });
        Ok(Next::Wait(State::ServerHello(Self { base, exchange, sent, offered, hello })))
    }
}
