//! What a server remembers of a connection, in a sealed ticket or in a store of its own.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use zeroize::Zeroizing;

use super::NotResumed;
use super::peer::{ChainInTicket, peer_len, read_peer, write_peer};
use crate::codepoint::CipherSuite;
use crate::crypto::HashSecret;
use crate::error::{Fault, Misuse};
use crate::identity::Peer;
use crate::moment::Moment;
use crate::wire::{Reader, U8, U16, U24, Writer};

/// The version of the encoding below.
const VERSION: u8 = 2;

/// By how much the clocks of servers that take each other's tickets may differ.
pub(crate) const SKEW: Duration = Duration::from_secs(10);

/// A session that a client may resume (RFC 9846 section 4.7.1), as its server remembers it.
///
/// Whoever has its PSK can resume it: it leaves the process only sealed, or into a store that is as secret as a key.
#[derive(Debug)]
pub struct Session {
    /// The cipher suite of the connection; a resumed one has a suite of the same hash.
    pub suite: CipherSuite,
    /// The pre-shared key.
    pub psk: HashSecret,
    /// What the client adds to the ticket's age.
    pub age_add: u32,
    /// When the ticket was issued.
    pub issued: Moment,
    /// From when on it is refused.
    pub expires: Moment,
    /// When the full handshake took place that all sessions since go back to.
    pub authenticated: Moment,
    /// The application protocol.
    pub alpn: Option<Vec<u8>>,
    /// The server name that the client asked for.
    pub server_name: Option<String>,
    /// The client, where it was authenticated.
    pub peer: Option<Arc<Peer>>,
    /// How many bytes of early data a resuming client may send; 0 for none.
    pub max_early_data: u32,
    /// Which generation of trust anchors and revocation lists vouched for the client; the policy's own count.
    pub trust: u64,
}

impl Session {
    /// Whether it may be resumed at `now`, as far as its own times and those of the client's certificates tell.
    ///
    /// # Errors
    ///
    /// [`NotResumed::Expired`], and [`NotResumed::FutureDated`] when it was issued more than `skew` after `now`.
    pub fn check_times(&self, now: Moment, skew: Duration) -> Result<(), NotResumed> {
        // RFC 9846 section 4.7.1: limits "should take into account the lifetime of the peer's certificate".
        let certified = self.peer.as_ref().map_or(self.expires, |peer| peer.expires.into());
        if now >= self.expires.min(certified) {
            return Err(NotResumed::Expired);
        }
        if self.issued > now.plus(skew) {
            return Err(NotResumed::FutureDated);
        }
        Ok(())
    }

    /// Its encoding, wiped when dropped: secret until it is sealed.
    ///
    /// # Errors
    ///
    /// [`Misuse::TooLong`] when a field does not fit.
    pub fn encode(&self, chain: ChainInTicket) -> Result<Zeroizing<Vec<u8>>, Misuse> {
        // Enough for a session without a chain: growing would leave copies of the key behind.
        let chain_len = match (&self.peer, chain) {
            (Some(peer), ChainInTicket::Kept) => {
                peer.chain.iter().fold(0, |sum: usize, der| sum.saturating_add(der.len()).saturating_add(3))
            }
            _ => 0,
        };
        let names = self.server_name.as_ref().map_or(0, String::len);
        let peer = self.peer.as_ref().map_or(0, |peer| peer_len(peer));
        let room = chain_len.saturating_add(names).saturating_add(peer).saturating_add(512);
        let mut out = Zeroizing::new(Vec::with_capacity(room));
        let mut w = Writer::new(&mut out);
        w.u8(VERSION);
        w.u16(self.suite.0);
        w.vec::<U8>(self.psk.expose())?;
        w.u32(self.age_add);
        for moment in [self.issued, self.expires, self.authenticated] {
            w.bytes(&moment.as_millis().to_be_bytes());
        }
        w.u32(self.max_early_data);
        w.bytes(&self.trust.to_be_bytes());
        w.vec::<U8>(self.alpn.as_deref().unwrap_or_default())?;
        w.vec::<U16>(self.server_name.as_deref().unwrap_or_default().as_bytes())?;
        w.block::<U24>(|w| match &self.peer {
            Some(peer) => write_peer(w, peer, chain),
            None => Ok(()),
        })?;
        Ok(out)
    }

    /// Reads an encoding back; `None` for anything else.
    #[must_use]
    pub fn decode(encoded: &[u8]) -> Option<Self> {
        read(&mut Reader::new(encoded)).ok()
    }
}

/// Every refusal of an encoding; nobody hears of it.
pub(super) const DAMAGED: Fault = Fault::decode_error("not the encoding of a session");

fn read(r: &mut Reader<'_>) -> Result<Session, Fault> {
    if r.u8()? != VERSION {
        return Err(DAMAGED);
    }
    let suite = CipherSuite(r.u16()?);
    let psk = HashSecret::copy_of(r.vec::<U8>()?).ok_or(DAMAGED)?;
    let age_add = r.u32()?;
    let mut moment = || r.array().map(|bytes| Moment::from_millis(u64::from_be_bytes(*bytes)));
    let (issued, expires, authenticated) = (moment()?, moment()?, moment()?);
    let max_early_data = r.u32()?;
    let trust = u64::from_be_bytes(*r.array()?);
    let alpn = some(r.vec::<U8>()?).map(<[u8]>::to_vec);
    let server_name = some(r.vec::<U16>()?).map(text).transpose()?;
    let peer = some(r.vec::<U24>()?).map(|bytes| read_peer(&mut Reader::new(bytes))).transpose()?;
    if !r.is_empty() {
        return Err(DAMAGED);
    }
    Ok(Session {
        suite,
        psk,
        age_add,
        issued,
        expires,
        authenticated,
        alpn,
        server_name,
        peer: peer.map(Arc::new),
        max_early_data,
        trust,
    })
}

/// An empty field stands for an absent one.
pub(super) fn some(bytes: &[u8]) -> Option<&[u8]> {
    (!bytes.is_empty()).then_some(bytes)
}

pub(super) fn text(bytes: &[u8]) -> Result<String, Fault> {
    core::str::from_utf8(bytes).map(ToString::to_string).map_err(|_| DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use alloc::format;
    use rustls_pki_types::{CertificateDer, UnixTime};

    fn session() -> Session {
        let identity = Identity::Subject { name: "CN=client".into() };
        let expires = UnixTime::since_unix_epoch(Duration::from_secs(99));
        Session {
            suite: CipherSuite::TLS_AES_128_GCM_SHA256,
            psk: HashSecret::copy_of(&[7; 32]).unwrap(),
            age_add: 0x0102_0304,
            issued: Moment::from_secs(10),
            expires: Moment::from_secs(20),
            authenticated: Moment::from_secs(5),
            alpn: Some(b"h2".to_vec()),
            server_name: Some("a.example".into()),
            peer: Some(Arc::new(Peer::new(
                identity,
                [CertificateDer::from([1, 2].to_vec())].into(),
                expires,
            ))),
            max_early_data: 16_384,
            trust: 3,
        }
    }

    #[test]
    fn a_session_is_read_back_and_nothing_shorter_or_longer() {
        for chain in [ChainInTicket::Left, ChainInTicket::Kept] {
            let mut encoded = session().encode(chain).unwrap();
            let decoded = Session::decode(&encoded).unwrap();
            // Neither keys nor the structs that hold them can be compared: their encodings can.
            assert_eq!(decoded.encode(chain).unwrap(), encoded);
            assert_eq!(decoded.psk.expose(), [7; 32]);
            let peer = decoded.peer.unwrap();
            assert_eq!(peer.identity, Identity::Subject { name: "CN=client".into() });
            assert_eq!(peer.chain.len(), usize::from(chain == ChainInTicket::Kept));
            for len in 0..encoded.len() {
                assert!(Session::decode(&encoded[..len]).is_none(), "{len}");
            }
            encoded.push(0);
            assert!(Session::decode(&encoded).is_none());
        }
    }

    #[test]
    fn no_growth_leaves_a_copy_of_the_key() {
        let mut session = session();
        session.server_name = Some("n".repeat(65_535));
        let encoded = session.encode(ChainInTicket::Kept).unwrap();
        assert!(encoded.capacity() >= encoded.len() && encoded.capacity() < 2 * encoded.len());
    }

    #[test]
    fn times_decide() {
        let session = session();
        let at = |secs| session.check_times(Moment::from_secs(secs), Duration::from_secs(2));
        assert_eq!(at(7), Err(NotResumed::FutureDated));
        assert_eq!(at(8), Ok(()));
        assert_eq!(at(19), Ok(()));
        assert_eq!(at(20), Err(NotResumed::Expired));
    }

    #[test]
    fn nothing_secret_is_printed() {
        assert!(format!("{:?}", session()).contains("Secret(32 bytes)"));
    }
}
