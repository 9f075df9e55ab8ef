//! The stage of the early secret (RFC 9846 section 7.1): one for each pre-shared key that is offered.

use super::label::{derive, expand};
use super::stages::{Constants, Handshake, extract};
use super::{Client, EarlyEpoch, Exporter, Finished, Traffic};
use crate::crypto::{Digest, Failed, Hash, HashSecret, SharedSecret};
use crate::psk::PskKind;
use crate::question::Fresh;

/// Client: a key that is offered, with what makes its binder.
pub struct Offered {
    early: Early,
    binder: Finished<Client>,
}

/// Server: a key that a client claims to have. Nothing but its binder leads on from here.
pub struct Claimed(Offered);

/// A key whose client proved to have it.
pub struct Proven {
    early: Early,
    id: [u8; 32],
}

/// Proof that the handshake's secrets are made of a pre-shared key: only a peer that has it can go on.
pub struct PskUsed(());

/// The early secret, and what the handshake secret is extracted with.
struct Early {
    hash: &'static dyn Hash,
    secret: HashSecret,
    salt: HashSecret,
}

impl Offered {
    /// Begins the schedule of a key.
    pub(crate) fn new(constants: &Constants, psk: &[u8], kind: PskKind) -> Result<Self, Failed> {
        let hash = constants.hash();
        let secret = constants.early(psk)?;
        let empty = hash.hash(&[]);
        let label: &[u8] = match kind {
            PskKind::Resumption => b"res binder",
            PskKind::External => b"ext binder",
            PskKind::Imported => b"imp binder",
        };
        let [base, salt] = derive(hash, &secret, [(label, empty.as_ref()), (b"derived", empty.as_ref())])?;
        let mut finished = HashSecret::zeroed(hash.output_len());
        expand(hash, &base, [(b"finished", &[], finished.expose_mut())])?;
        let binder = Finished::new(hash, finished);
        Ok(Self { early: Early { hash, secret, salt }, binder })
    }

    /// The hash that the key belongs to.
    pub(crate) fn hash(&self) -> &'static dyn Hash {
        self.early.hash
    }

    /// The binder over the hash of the truncated ClientHello (RFC 9846 section 4.3.11.2).
    pub(crate) fn binder(&self, truncated: &Digest) -> Result<Digest, Failed> {
        self.binder.verify_data(truncated)
    }

    /// The keys of early data, with the transcript hash of the ClientHello. The server proves itself later.
    pub fn send_early(&self, hello_hash: &Digest) -> Result<EarlySecrets, Failed> {
        self.early.secrets(hello_hash)
    }

    /// The server selected the key; `shared` is `None` in `psk_ke`.
    pub fn handshake(self, shared: Option<&SharedSecret>) -> Result<(Handshake, PskUsed), Failed> {
        self.early.handshake(shared)
    }
}

impl Claimed {
    /// Begins the schedule of a key.
    pub(crate) fn new(constants: &Constants, psk: &[u8], kind: PskKind) -> Result<Self, Failed> {
        Offered::new(constants, psk, kind).map(Self)
    }

    /// Checks the client's binder over the hash of the truncated ClientHello in constant time; `Ok(None)` is a mismatch.
    pub fn prove(self, truncated: &Digest, received: &[u8]) -> Result<Option<Proven>, Failed> {
        let Offered { early, binder } = self.0;
        let matched = binder.check(truncated, received)?.is_some();
        Ok(received.first_chunk().filter(|_| matched).map(|id| Proven { early, id: *id }))
    }
}

impl Proven {
    /// The front of the binder: what tells this first flight from every other one.
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// The keys of early data, with the transcript hash of a ClientHello that nobody saw before.
    pub fn read_early(&self, _: &Fresh, hello_hash: &Digest) -> Result<EarlySecrets, Failed> {
        self.early.secrets(hello_hash)
    }

    /// Goes on with the key; `shared` is `None` in `psk_ke`.
    pub fn handshake(self, shared: Option<&SharedSecret>) -> Result<(Handshake, PskUsed), Failed> {
        self.early.handshake(shared)
    }
}

/// What [`Offered::send_early`] and [`Proven::read_early`] yield.
pub struct EarlySecrets {
    pub client: Traffic<Client, EarlyEpoch>,
    pub exporter: Exporter,
}

impl Early {
    fn secrets(&self, hello_hash: &Digest) -> Result<EarlySecrets, Failed> {
        let context = hello_hash.as_ref();
        let labels: [(&[u8], &[u8]); 2] = [(b"c e traffic", context), (b"e exp master", context)];
        let [client, exporter] = derive(self.hash, &self.secret, labels)?;
        Ok(EarlySecrets {
            client: Traffic::new(self.hash, client),
            exporter: Exporter::new(self.hash, exporter),
        })
    }

    fn handshake(self, shared: Option<&SharedSecret>) -> Result<(Handshake, PskUsed), Failed> {
        Ok((Handshake::of_psk(self.hash, &self.salt, shared)?, PskUsed(())))
    }
}

/// The key of an imported pre-shared key (RFC 9258 section 5.1), `len` bytes of it.
///
/// `hash` is that of the external key `epsk`, and `identity` its hash of the `ImportedIdentity`.
pub(crate) fn import(
    hash: &dyn Hash,
    epsk: &[u8],
    identity: &Digest,
    len: usize,
) -> Result<HashSecret, Failed> {
    let extracted = extract(hash, &[], epsk)?;
    let mut key = HashSecret::zeroed(len);
    expand(hash, &extracted, [(b"derived psk", identity.as_ref(), key.expose_mut())])?;
    Ok(key)
}
