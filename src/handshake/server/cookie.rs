//! The cookie of a stateless HelloRetryRequest (RFC 9846 section 4.3.2): all state, authenticated.

use alloc::vec::Vec;

use crate::codepoint::{CipherSuite, NamedGroup};
use crate::config::{RetryKey, ServerConfig};
use crate::crypto::{Digest, MAX_HASH_LEN};
use crate::error::{Failed, Fault};
use crate::secret::matches;
use crate::wire::Reader;

/// The version of the encoding below.
const VERSION: u8 = 1;

/// What a stateless server must know again on the second ClientHello.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// When the cookie was made, in seconds since 1970.
    pub(super) time: u64,
    pub(super) suite: CipherSuite,
    pub(super) group: NamedGroup,
    /// Whether early data follows the first ClientHello, to be skipped.
    pub(super) skips: bool,
    /// Hash(ClientHello1).
    pub(super) hello: Digest,
}

/// Makes a cookie. The session id and the configuration are authenticated, not carried.
pub(super) fn seal(
    facts: &Facts,
    session_id: &[u8],
    config: &ServerConfig,
    key: &RetryKey,
) -> Result<Vec<u8>, Failed> {
    let mut cookie = Vec::from([VERSION, u8::from(facts.skips)]);
    cookie.extend_from_slice(&facts.time.to_be_bytes());
    cookie.extend_from_slice(&facts.suite.0.to_be_bytes());
    cookie.extend_from_slice(&facts.group.0.to_be_bytes());
    cookie.extend_from_slice(facts.hello.as_ref());
    let mac = mac(&cookie, session_id, config, key)?;
    cookie.extend_from_slice(mac.as_ref());
    Ok(cookie)
}

/// Opens a cookie that is genuine and, at `now`, not older than configured nor from the future.
pub(super) fn open(
    cookie: &[u8],
    session_id: &[u8],
    now: u64,
    config: &ServerConfig,
    key: &RetryKey,
) -> Result<Option<Facts>, Failed> {
    let body_len = cookie.len().saturating_sub(key.mac_len);
    let Some((body, received)) = cookie.split_at_checked(body_len) else { return Ok(None) };
    if !matches(mac(body, session_id, config, key)?.as_ref(), received) {
        return Ok(None);
    }
    let Ok(facts) = parse(body) else { return Ok(None) };
    let fresh = now.checked_sub(facts.time).is_some_and(|age| age <= key.lifetime);
    Ok(fresh.then_some(facts))
}

fn parse(body: &[u8]) -> Result<Facts, Fault> {
    const OTHER: Fault = Fault::illegal_parameter("a cookie of another version");
    let mut r = Reader::new(body);
    if r.u8()? != VERSION {
        return Err(OTHER);
    }
    Ok(Facts {
        skips: r.u8()? != 0,
        time: u64::from_be_bytes(*r.array()?),
        suite: CipherSuite(r.u16()?),
        group: NamedGroup(r.u16()?),
        hello: Digest::new(r.rest()),
    })
}

fn mac(body: &[u8], session_id: &[u8], config: &ServerConfig, key: &RetryKey) -> Result<Digest, Failed> {
    let mut mac = [0; MAX_HASH_LEN];
    let session_id_len = u8::try_from(session_id.len()).map_err(|_| Failed::Provider)?;
    let fingerprint = config.fingerprint.as_ref();
    key.mac.sign(&[b"symbolon retry", fingerprint, &[session_id_len], session_id, body], &mut mac)?;
    Ok(Digest::new(mac.get(..key.mac_len).unwrap_or_default()))
}
