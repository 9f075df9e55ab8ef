//! HelloRetryRequest (RFC 9846 section 4.2.4): the second ClientHello.

use super::hello::{Ours, write};
use super::server_hello::{Hello, Retried, WaitServerHello};
use super::{ClientNext, Context, State};
use crate::config::ConfiguredSuite;
use crate::error::{Error, Fault};
use crate::handshake::{Next, OUT_OF_ORDER, emit};
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
            // RFC 9846 section 4.2.4: a second one MUST be answered with "unexpected_message".
            return Err(OUT_OF_ORDER.into());
        };
        let extensions = retry.retry_extensions(self.sent)?;
        let exchange = match extensions.key_share {
            None if extensions.cookie.is_none() => {
                return Err(
                    Fault::illegal_parameter("a HelloRetryRequest must change the ClientHello").into()
                );
            }
            None => self.exchange,
            // RFC 9846 section 4.3.8: the group must be in supported_groups and not among the shares.
            Some(group) => match cx.config.common.group(group) {
                Some(implementation) if !self.exchange.offers(group) => {
                    Ours::start_only(implementation, cx.config)?
                }
                _ => {
                    return Err(
                        Fault::illegal_parameter("a HelloRetryRequest names no group to retry with").into()
                    );
                }
            },
        };

        let mut transcript = hello.select(suite.suite.hash).into_retry();
        transcript.absorb(raw);
        if !self.offer.session_id().is_empty() {
            cx.carrier.compat_ccs();
        }
        let mut sent = self.sent;
        let (offer, config) = (self.offer, cx.config);
        emit(cx.carrier, &mut transcript, |out| {
            sent = write(out, &offer, &exchange, extensions.cookie, config)?;
            Ok(())
        })?;
        cx.carrier.end_flight()?;
        let retried = Retried { transcript, suite, group: extensions.key_share };
        Ok(Next::Wait(State::ServerHello(Self { offer, exchange, sent, hello: Hello::Second(retried) })))
    }
}
