//! HelloRetryRequest (RFC 9846 section 4.2.4): asking for a share of another group.

use alloc::vec::Vec;

use super::cookie::{Facts, seal};
use super::hello::First;
use super::{Choice, Chosen, Context, ServerNext, Serving, State};
use crate::codepoint::{CipherSuite, NamedGroup, ProtocolVersion};
use crate::error::{Error, Misuse};
use crate::handshake::{Next, emit};
use crate::record::Skip;
use crate::transcript::Transcript;
use crate::wire::ext::{cookie, key_share, supported_versions};
use crate::wire::server_hello::write_hello_retry_request;

/// Waits for the ClientHello that answers a HelloRetryRequest.
pub(crate) struct WaitSecondHello {
    pub(super) serving: Serving,
    pub(super) chosen: Chosen,
    pub(super) choice: Choice,
    pub(super) group: NamedGroup,
    pub(super) transcript: Transcript,
    /// The first message with its header.
    pub(super) first: Vec<u8>,
    /// The cookie that must come back.
    pub(super) cookie: Option<Vec<u8>>,
}

impl First<'_> {
    /// Sends the HelloRetryRequest; with a cookie that holds everything where that is configured.
    pub(super) fn retry(
        self,
        serving: Serving,
        chosen: Chosen,
        choice: Choice,
        group: NamedGroup,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let suite = &chosen.suite;
        let session_id = self.hello.legacy_session_id;
        let skips = self.hello.extensions.early_data.is_some();
        let digest = suite.suite.hash.hash(&[self.raw]);
        let cookie = match (&serving.config.retry, self.now) {
            (Some(key), Some(now)) => {
                let facts = Facts { time: now.as_secs(), suite: suite.suite.id, group, skips, hello: digest };
                Some(seal(&facts, session_id, &serving.config, key)?)
            }
            _ => None,
        };
        #[cfg(all(test, feature = "rustcrypto"))]
        let cookie = crate::handshake::replay::cookie().or(cookie);
        let mut transcript = Transcript::after_retry(suite.suite.hash, &digest);
        emit(cx.carrier, &mut transcript, |out| {
            write_retry(out, session_id, suite.suite.id, group, cookie.as_deref())
        })?;
        cx.carrier.end_flight()?;
        // RFC 9846 appendix E.4: a server sends ChangeCipherSpec "immediately after its first handshake message".
        if !session_id.is_empty() {
            cx.carrier.compat_ccs_now()?;
        }
        if skips {
            cx.carrier.skip_early_data(Skip::UntilHello { budget: serving.config.skip_limit });
        }
        let stateless = cookie.is_some();
        let first = self.raw.to_vec();
        let state =
            State::SecondHello(WaitSecondHello { serving, chosen, choice, group, transcript, first, cookie });
        Ok(if stateless { Next::Retried(state) } else { Next::Wait(state) })
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.2.4
//# The server's extensions MUST contain "supported_versions".
//= testvectors/requirements/rfc9846.txt#section-4.2.4
//# A HelloRetryRequest MUST NOT contain any extensions that were not first offered by the client in its
//# ClientHello, with the exception of optionally the "cookie"
/// Appends a HelloRetryRequest: always the same bytes for the same arguments, so that a stateless server can
/// rebuild it for the transcript.
pub(super) fn write_retry(
    out: &mut Vec<u8>,
    session_id: &[u8],
    suite: CipherSuite,
    group: NamedGroup,
    cookie_bytes: Option<&[u8]>,
) -> Result<(), Misuse> {
    write_hello_retry_request(out, session_id, suite, |w| {
        key_share::encode_retry(w, group)?;
        if let Some(bytes) = cookie_bytes {
            cookie::encode(w, bytes)?;
        }
        supported_versions::encode_server(w, ProtocolVersion::TLS_1_3)
    })
}
