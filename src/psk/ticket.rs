//! What a client remembers of a connection: a ticket, good for one more.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use rustls_pki_types::{IpAddr, ServerName};
use zeroize::Zeroizing;

use super::NotResumed;
use super::peer::{ChainInTicket, read_peer, write_peer};
use super::session::{some, text};
use crate::codepoint::CipherSuite;
use crate::config::ClientConfig;
use crate::crypto::HashSecret;
use crate::error::{Fault, Misuse};
use crate::identity::Peer;
use crate::moment::Moment;
use crate::wire::{Reader, U8, U16, U24, Writer};

/// The version of the encoding below.
const VERSION: u8 = 2;

/// RFC 9846 section 4.7.1: "Clients MUST NOT use tickets for longer than 7 days after issuance, regardless of the
/// ticket_lifetime".
const LONGEST: Duration = Duration::from_secs(604_800);

/// What tickets are stored under: they serve connections to this server under this configuration alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// The server, as the application named it.
    pub server_name: ServerName<'static>,
    /// The fingerprint of the client's configuration.
    pub configuration: [u8; 32],
}

impl SessionKey {
    /// Connections with `config` to `server_name`.
    #[must_use]
    pub fn new(config: &ClientConfig, server_name: ServerName<'static>) -> Self {
        Self { server_name, configuration: *config.fingerprint() }
    }
}

/// What came with a NewSessionTicket, and what of its connection a resumption needs.
pub(crate) struct Issued {
    pub(crate) key: SessionKey,
    pub(crate) suite: CipherSuite,
    pub(crate) psk: HashSecret,
    pub(crate) ticket: Vec<u8>,
    /// In seconds.
    pub(crate) lifetime: u32,
    pub(crate) age_add: u32,
    /// In bytes; 0 forbids early data.
    pub(crate) max_early_data: u32,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) peer: Arc<Peer>,
}

/// A ticket that just arrived (RFC 9846 section 4.7.1). The connection has no clock: say when.
pub struct NewTicket(pub(crate) Box<Issued>);

impl NewTicket {
    /// It arrived at `now`.
    #[must_use]
    pub fn received(self, now: Moment) -> Ticket {
        Ticket { issued: self.0, received: now }
    }
}

impl fmt::Debug for NewTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("NewTicket", &self.0, f)
    }
}

/// A ticket, for one connection: [`Offer::resume`](crate::conn::Offer::resume) uses it up, so that nobody can tell two
/// connections to be of one client (RFC 9846 appendix C.4).
///
/// ```compile_fail,E0382
/// # use symbolon::{Moment, conn::Offer, psk::Ticket};
/// fn twice(ticket: Ticket, now: Moment) -> [Offer; 2] { [Offer::resume(ticket, now), Offer::resume(ticket, now)] }
/// ```
/// ```
/// # use symbolon::{Moment, conn::Offer, psk::Ticket};
/// fn once(ticket: Ticket, now: Moment) -> Offer { Offer::resume(ticket, now) }
/// ```
pub struct Ticket {
    issued: Box<Issued>,
    received: Moment,
}

impl Ticket {
    /// What it is to be stored under.
    #[must_use]
    pub fn key(&self) -> &SessionKey {
        &self.issued.key
    }

    /// The cipher suite of its connection.
    #[must_use]
    pub fn suite(&self) -> CipherSuite {
        self.issued.suite
    }

    /// The application protocol of its connection, which early data is for.
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        self.issued.alpn.as_deref()
    }

    /// How many bytes of early data it permits; 0 for none.
    #[must_use]
    pub fn max_early_data(&self) -> u32 {
        self.issued.max_early_data
    }

    /// The server, as it was verified.
    #[must_use]
    pub fn peer(&self) -> &Arc<Peer> {
        &self.issued.peer
    }

    /// From when on it cannot be used: its lifetime, 7 days, or the end of the server's certificates.
    #[must_use]
    pub fn expires(&self) -> Moment {
        //= testvectors/requirements/rfc9846.txt#section-4.7.1
        //# Clients MUST NOT use tickets for longer than 7 days after issuance, regardless of the
        //# ticket_lifetime
        let lifetime = Duration::from_secs(u64::from(self.issued.lifetime)).min(LONGEST);
        self.received.plus(lifetime).min(self.issued.peer.expires.into())
    }

    /// How old it is in milliseconds, where it can be used at `now`.
    ///
    /// # Errors
    ///
    /// [`NotResumed::Expired`], or [`NotResumed::FutureDated`] when the clock was set back behind its arrival: then
    /// nobody knows its age.
    pub(crate) fn age(&self, now: Moment) -> Result<u32, NotResumed> {
        let age = now.since(self.received).ok_or(NotResumed::FutureDated)?;
        if now >= self.expires() {
            //= testvectors/requirements/rfc9846.txt#section-4.3.11.1
            //# Clients MUST NOT attempt to use tickets which have ages greater than the "ticket_lifetime"
            //# value which was provided with the ticket.
            return Err(NotResumed::Expired);
        }
        u32::try_from(age.as_millis()).map_err(|_| NotResumed::Expired)
    }

    pub(crate) fn into_issued(self) -> Box<Issued> {
        self.issued
    }

    /// Its encoding, wiped when dropped. Whoever has it can resume the session: keep it as secret as a key.
    ///
    /// # Errors
    ///
    /// [`Misuse::TooLong`] when a field does not fit.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Misuse> {
        let issued = &*self.issued;
        let chain = issued
            .peer
            .chain
            .iter()
            .fold(0, |sum: usize, der| sum.saturating_add(der.len()).saturating_add(3));
        let room = chain.saturating_add(issued.ticket.len()).saturating_add(2048);
        let mut out = Zeroizing::new(Vec::with_capacity(room));
        let mut w = Writer::new(&mut out);
        w.u8(VERSION);
        w.vec::<U16>(spelled(&issued.key.server_name).as_bytes())?;
        w.bytes(&issued.key.configuration);
        w.u16(issued.suite.0);
        w.vec::<U8>(issued.psk.expose())?;
        w.vec::<U16>(&issued.ticket)?;
        w.u32(issued.lifetime);
        w.u32(issued.age_add);
        w.u32(issued.max_early_data);
        w.vec::<U8>(issued.alpn.as_deref().unwrap_or_default())?;
        w.bytes(&self.received.as_millis().to_be_bytes());
        w.bytes(&issued.peer.trust.to_be_bytes());
        w.block::<U24>(|w| write_peer(w, &issued.peer, ChainInTicket::Kept))?;
        Ok(out)
    }

    /// Reads an encoding back; `None` for anything else.
    #[must_use]
    pub fn decode(encoded: &[u8]) -> Option<Self> {
        read(&mut Reader::new(encoded)).ok()
    }
}

/// A name as it is written, also where there is no standard library.
fn spelled(name: &ServerName<'_>) -> String {
    match name {
        ServerName::DnsName(name) => name.as_ref().to_owned(),
        ServerName::IpAddress(IpAddr::V4(address)) => Ipv4Addr::from(*address.as_ref()).to_string(),
        ServerName::IpAddress(IpAddr::V6(address)) => Ipv6Addr::from(*address.as_ref()).to_string(),
        // Names of a kind to come are stored as one that nothing is found by.
        _ => String::new(),
    }
}

/// Every refusal of an encoding; nobody hears of it.
const DAMAGED: Fault = Fault::decode_error("not the encoding of a ticket");

fn read(r: &mut Reader<'_>) -> Result<Ticket, Fault> {
    if r.u8()? != VERSION {
        return Err(DAMAGED);
    }
    let server_name = ServerName::try_from(text(r.vec::<U16>()?)?).map_err(|_| DAMAGED)?;
    let configuration = *r.array()?;
    let suite = CipherSuite(r.u16()?);
    let psk = HashSecret::copy_of(r.vec::<U8>()?).ok_or(DAMAGED)?;
    let ticket = some(r.vec::<U16>()?).ok_or(DAMAGED)?.to_vec();
    let (lifetime, age_add, max_early_data) = (r.u32()?, r.u32()?, r.u32()?);
    let alpn = some(r.vec::<U8>()?).map(<[u8]>::to_vec);
    let received = Moment::from_millis(u64::from_be_bytes(*r.array()?));
    let trust = u64::from_be_bytes(*r.array()?);
    let mut peer = read_peer(&mut Reader::new(r.vec::<U24>()?))?;
    peer.trust = trust;
    let peer = Arc::new(peer);
    if !r.is_empty() {
        return Err(DAMAGED);
    }
    let key = SessionKey { server_name, configuration };
    let issued = Issued { key, suite, psk, ticket, lifetime, age_add, max_early_data, alpn, peer };
    Ok(Ticket { issued: Box::new(issued), received })
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("Ticket", &self.issued, f)
    }
}

fn debug(name: &str, issued: &Issued, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct(name)
        .field("server_name", &issued.key.server_name)
        .field("suite", &issued.suite)
        .field("lifetime", &issued.lifetime)
        .field("max_early_data", &issued.max_early_data)
        .finish_non_exhaustive()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use rustls_pki_types::{CertificateDer, UnixTime};

    fn ticket(received: u64, lifetime: u32, peer_expires: u64) -> Ticket {
        let expires = UnixTime::since_unix_epoch(Duration::from_secs(peer_expires));
        let peer = Peer::new(
            Identity::Dns { name: "a.example".into() },
            [CertificateDer::from([3].to_vec())].into(),
            expires,
        );
        let server_name = ServerName::try_from("a.example").unwrap();
        NewTicket(Box::new(Issued {
            key: SessionKey { server_name, configuration: [9; 32] },
            suite: CipherSuite::TLS_AES_128_GCM_SHA256,
            psk: HashSecret::copy_of(&[7; 32]).unwrap(),
            ticket: b"opaque".to_vec(),
            lifetime,
            age_add: 0xFFFF_FFFF,
            max_early_data: 100,
            alpn: Some(b"h2".to_vec()),
            peer: Arc::new(peer),
        }))
        .received(Moment::from_secs(received))
    }

    #[test]
    fn a_ticket_is_read_back_and_nothing_shorter_or_longer() {
        let mut encoded = ticket(10, 20, 1000).encode().unwrap();
        let decoded = Ticket::decode(&encoded).unwrap();
        assert_eq!(decoded.encode().unwrap(), encoded);
        assert_eq!(decoded.key().configuration, [9; 32]);
        for len in 0..encoded.len() {
            assert!(Ticket::decode(&encoded[..len]).is_none(), "{len}");
        }
        encoded.push(0);
        assert!(Ticket::decode(&encoded).is_none());
    }

    #[test]
    fn a_ticket_of_an_address_is_read_back() {
        for address in ["192.0.2.1", "2001:db8::1"] {
            let mut ticket = ticket(10, 20, 1000);
            ticket.issued.key.server_name = ServerName::try_from(address).unwrap();
            let decoded = Ticket::decode(&ticket.encode().unwrap()).unwrap();
            assert_eq!(decoded.key().server_name, ServerName::try_from(address).unwrap());
        }
    }

    #[test]
    fn what_vouched_for_the_server_is_read_back() {
        let mut ticket = ticket(10, 20, 1000);
        Arc::make_mut(&mut ticket.issued.peer).trust = 7;
        assert_eq!(Ticket::decode(&ticket.encode().unwrap()).unwrap().peer().trust, 7);
    }

    #[test]
    fn the_age_counts_from_arrival_in_milliseconds() {
        let ticket = ticket(10, 20, 1000);
        assert_eq!(ticket.age(Moment::from_millis(12_345)), Ok(2_345));
        assert_eq!(ticket.age(Moment::from_millis(9_999)), Err(NotResumed::FutureDated));
        assert_eq!(ticket.age(Moment::from_millis(29_999)), Ok(19_999));
        assert_eq!(ticket.age(Moment::from_secs(30)), Err(NotResumed::Expired));
    }

    //= testvectors/requirements/rfc9846.txt#section-4.3.11.1
    //= type=test
    //# Clients MUST NOT attempt to use tickets which have ages greater than the "ticket_lifetime" value
    //# which was provided with the ticket.
    //= testvectors/requirements/rfc9846.txt#section-4.7.1
    //= type=test
    //# Clients MUST NOT use tickets for longer than 7 days after issuance, regardless of the
    //# ticket_lifetime
    #[test]
    fn seven_days_and_the_servers_certificates_end_every_ticket() {
        assert_eq!(ticket(0, u32::MAX, u64::MAX).expires(), Moment::from_secs(604_800));
        assert_eq!(ticket(10, 20, 15).expires(), Moment::from_secs(15));
        assert_eq!(ticket(10, 0, 1000).age(Moment::from_secs(10)), Err(NotResumed::Expired));
    }
}
