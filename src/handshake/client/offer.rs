//! Pre-shared keys that a client offers (RFC 9846 section 4.3.11): those of a ticket and external ones.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use rustls_pki_types::ServerName;

use crate::codepoint::CipherSuite;
use crate::config::{ClientConfig, ConfiguredSuite, Tickets};
use crate::crypto::{Digest, Hash};
use crate::error::Failed;
use crate::handshake::Resumed;
use crate::handshake::server::psk_peer;
use crate::identity::{Identity, Peer};
use crate::moment::Moment;
use crate::psk::{ExternalPsk, NoEarlyData, NotResumed, PskKind, SessionKey, Ticket};
use crate::schedule;
use crate::transcript::Transcript;
use crate::wire::ext::pre_shared_key::{PskIdentity, binders_len, put_binders};

/// What a client brings along from earlier connections, or from elsewhere.
#[derive(Default)]
pub struct Offer {
    ticket: Option<(Ticket, Moment)>,
    external: Vec<Arc<ExternalPsk>>,
    early_data: bool,
}

impl Offer {
    /// Nothing: a full handshake.
    #[must_use]
    pub fn fresh() -> Self {
        Self::default()
    }

    /// A ticket, which is used up: the connection resumes where the server agrees. `now` tells the ticket's age. One that
    /// cannot be used is not offered, and the summary says why; that of a connection with an external key is used only
    /// where the offer has that key, too.
    #[must_use]
    pub fn resume(ticket: Ticket, now: Moment) -> Self {
        Self { ticket: Some((ticket, now)), ..Self::default() }
    }

    /// With a ticket that permits it, lets early data be sent (RFC 9846 section 2.3), through `early_writer`.
    ///
    /// Whoever sees early data can send it once more: it must be harmless when it is processed twice.
    #[must_use]
    pub fn with_early_data(mut self) -> Self {
        self.early_data = true;
        self
    }

    /// External pre-shared keys, most preferred first, behind the ticket.
    #[must_use]
    pub fn with_psks(mut self, keys: impl IntoIterator<Item = Arc<ExternalPsk>>) -> Self {
        self.external.extend(keys);
        self
    }

    /// Whether it brings nothing.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.ticket.is_none() && self.external.is_empty()
    }

    /// The keys, with the first steps of their schedules.
    pub(super) fn prepare(
        self,
        name: &ServerName<'static>,
        config: &ClientConfig,
    ) -> Result<Offered, Failed> {
        let mut offered = Offered {
            psks: Vec::new(),
            not_resumed: NotResumed::NotOffered,
            early: Err(if self.early_data { NoEarlyData::NotResumed } else { NoEarlyData::NotOffered }),
        };
        let ticket = self.ticket.map(|(ticket, now)| {
            known_peer(&ticket, &self.external)?;
            of_ticket(ticket, now, name, config)
        });
        match ticket {
            None => {}
            Some(Err(Unusable::Reason(why))) => offered.not_resumed = why,
            Some(Err(Unusable::Failed(failed))) => return Err(failed),
            Some(Ok(psk)) => {
                offered.not_resumed = NotResumed::Declined;
                if self.early_data {
                    offered.early = psk.early_data();
                }
                offered.psks.push(psk);
            }
        }
        for key in self.external {
            let suite = config
                .common
                .suites
                .iter()
                .find(|entry| entry.suite.hash.output_len() == key.hash().output_len());
            let Some(suite) = suite else { continue };
            offered.psks.push(of_external(&key, suite)?);
            offered.not_resumed = NotResumed::Declined;
        }
        Ok(offered)
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("ticket", &self.ticket.as_ref().map(|(ticket, _)| ticket))
            .field("external", &self.external.len())
            .field("early_data", &self.early_data)
            .finish()
    }
}

/// What is offered.
pub(super) struct Offered {
    pub(super) psks: Vec<Psk>,
    /// Why the connection is not resumed, if it will not be.
    pub(super) not_resumed: NotResumed,
    /// Whether early data is sent.
    pub(super) early: Result<EarlyOffer, NoEarlyData>,
}

/// What the server must agree with to accept early data.
pub(super) struct EarlyOffer {
    pub(super) suite: CipherSuite,
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) max: u32,
}

/// A key that is offered.
pub(super) struct Psk {
    identity: Vec<u8>,
    obfuscated_ticket_age: u32,
    pub(super) schedule: schedule::Offered,
    pub(super) resumed: Resumed,
    /// Whoever has the key beside us.
    pub(super) peer: Arc<Peer>,
    suite: CipherSuite,
    alpn: Option<Vec<u8>>,
    max_early_data: u32,
}

enum Unusable {
    Reason(NotResumed),
    Failed(Failed),
}

impl From<Failed> for Unusable {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<NotResumed> for Unusable {
    fn from(why: NotResumed) -> Self {
        Self::Reason(why)
    }
}

/// A session that an external key authenticated is for those alone who have the key: to a connection that expects a
/// certificate, it would stand for a server that nobody certified.
fn known_peer(ticket: &Ticket, keys: &[Arc<ExternalPsk>]) -> Result<(), Unusable> {
    match &ticket.peer().identity {
        Identity::Psk { name } if !keys.iter().any(|key| key.name() == name) => {
            Err(NotResumed::PolicyChanged.into())
        }
        _ => Ok(()),
    }
}

fn of_ticket(
    ticket: Ticket,
    now: Moment,
    name: &ServerName<'static>,
    config: &ClientConfig,
) -> Result<Psk, Unusable> {
    let SessionKey { server_name, configuration } = ticket.key();
    // RFC 9846 section 4.7.1: "Clients MUST only resume if the new SNI value is valid for the server certificate
    // presented in the original session, and SHOULD only resume if the SNI value matches the one used in the original
    // session."
    //= testvectors/requirements/rfc9846.txt#section-4.7.1
    //# Clients MUST only resume if the new SNI value is valid for the server certificate presented in the
    //# original session
    if server_name != name {
        return Err(NotResumed::OtherServerName.into());
    }
    if configuration != config.fingerprint() || config.tickets == Tickets::Ignored {
        return Err(NotResumed::PolicyChanged.into());
    }
    let age = ticket.age(now)?;
    let suite = config.common.suite(ticket.suite()).ok_or(NotResumed::NoCommonSuite)?;
    let issued = *ticket.into_issued();
    Ok(Psk {
        schedule: schedule::Offered::new(&suite.constants, issued.psk.expose(), PskKind::Resumption)?,
        identity: issued.ticket,
        // RFC 9846 section 4.3.11.1: "taking the age in milliseconds and adding the "ticket_age_add" value .., modulo
        // 2^32"
        obfuscated_ticket_age: age.wrapping_add(issued.age_add),
        resumed: Resumed::Session,
        peer: issued.peer,
        suite: issued.suite,
        alpn: issued.alpn,
        max_early_data: issued.max_early_data,
    })
}

fn of_external(psk: &ExternalPsk, suite: &ConfiguredSuite) -> Result<Psk, Failed> {
    Ok(Psk {
        schedule: schedule::Offered::new(&suite.constants, psk.key(), psk.kind())?,
        identity: psk.identity().to_vec(),
        // "For identities established externally, an obfuscated_ticket_age of 0 SHOULD be used".
        obfuscated_ticket_age: 0,
        resumed: Resumed::ExternalPsk,
        peer: Arc::new(psk_peer(psk)),
        suite: suite.suite.id,
        alpn: None,
        max_early_data: 0,
    })
}

impl Psk {
    /// The hash that the key belongs to.
    pub(super) fn hash(&self) -> &'static dyn Hash {
        self.schedule.hash()
    }

    /// What its identity is on the wire.
    pub(super) fn identity(&self) -> PskIdentity<'_> {
        PskIdentity { identity: &self.identity, obfuscated_ticket_age: self.obfuscated_ticket_age }
    }

    fn early_data(&self) -> Result<EarlyOffer, NoEarlyData> {
        match self.max_early_data {
            0 => Err(NoEarlyData::NotPermitted),
            max => Ok(EarlyOffer { suite: self.suite, alpn: self.alpn.clone(), max }),
        }
    }
}

/// Puts the binders into a first ClientHello, and gives its transcript by the hash of the first key.
pub(super) fn bind_first(psks: &[Psk], message: &mut [u8]) -> Result<Option<Transcript>, Failed> {
    let Some(first) = psks.first() else { return Ok(None) };
    let mut transcript = Transcript::new(first.hash());
    transcript.absorb(split(psks, message).0);
    let guessed = transcript.digest();
    // "this hash will be computed using the hash associated with the PSK, as the client does not know which cipher suite
    // the server will select."
    bind(psks, message, |psk, truncated| match psk.hash() {
        hash if hash.output_len() == guessed.as_ref().len() => guessed,
        hash => hash.hash(&[truncated]),
    })?;
    transcript.absorb(split(psks, message).1);
    Ok(Some(transcript))
}

/// The truncated ClientHello, and its list of binders.
fn split<'m>(psks: &[Psk], message: &'m [u8]) -> (&'m [u8], &'m [u8]) {
    let tail = binders_len(psks.iter().map(|psk| psk.hash().output_len()));
    message.split_at_checked(message.len().saturating_sub(tail)).unwrap_or_default()
}

/// Puts the binders into an encoded ClientHello, which is `message` with its header. `digest` is the transcript hash that
/// ends with a truncated ClientHello, by the key's hash (RFC 9846 section 4.3.11.2).
pub(super) fn bind(
    psks: &[Psk],
    message: &mut [u8],
    digest: impl Fn(&Psk, &[u8]) -> Digest,
) -> Result<(), Failed> {
    if psks.is_empty() {
        return Ok(());
    }
    let (truncated, _) = split(psks, message);
    let binders: Vec<Digest> =
        psks.iter().map(|psk| psk.schedule.binder(&digest(psk, truncated))).collect::<Result<_, _>>()?;
    put_binders(message, binders.iter().map(AsRef::as_ref)).map_err(|_| Failed::Provider)
}
