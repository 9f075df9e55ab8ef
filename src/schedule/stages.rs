//! The stages Early, Handshake and Main (RFC 9846 section 7.1), each consumed by the next.

use alloc::boxed::Box;

use super::label::derive;
use super::{ApplicationEpoch, Client, Exporter, HandshakeEpoch, Resumption, Server, Traffic};
use crate::crypto::{Digest, Failed, Hash, HashSecret, HmacKey, MAX_HASH_LEN, SharedSecret};

/// What the schedule of one hash always begins with: the early secret without a PSK, and `derived` of it.
///
/// Computed once per hash and configuration, as a prepared HMAC key.
pub(crate) struct Constants {
    hash: &'static dyn Hash,
    /// The absent salt of the early secret.
    zero: Box<dyn HmacKey>,
    salt: Box<dyn HmacKey>,
}

impl Constants {
    /// Computes them for `hash`.
    pub(crate) fn new(hash: &'static dyn Hash) -> Result<Self, Failed> {
        let early = extract(hash, &[], zeros(hash).as_ref())?;
        let salt = derived(hash, &early)?;
        Ok(Self { hash, zero: hash.hmac_key(&[]), salt: hash.hmac_key(salt.expose()) })
    }

    pub(super) fn hash(&self) -> &'static dyn Hash {
        self.hash
    }

    /// The early secret of a pre-shared key.
    pub(super) fn early(&self, psk: &[u8]) -> Result<HashSecret, Failed> {
        let mut secret = HashSecret::zeroed(self.hash.output_len());
        self.zero.sign(&[psk], secret.expose_mut())?;
        Ok(secret)
    }
}

/// The stage of the handshake secret: ends with the traffic secrets of the handshake.
pub struct Handshake {
    hash: &'static dyn Hash,
    secret: HashSecret,
}

/// What [`Handshake::derive`] yields.
pub struct HandshakeSecrets {
    pub client: Traffic<Client, HandshakeEpoch>,
    pub server: Traffic<Server, HandshakeEpoch>,
    pub main: Main,
}

impl Handshake {
    /// From the key exchange, without a PSK.
    pub(crate) fn new(constants: &Constants, shared: &SharedSecret) -> Result<Self, Failed> {
        let mut secret = HashSecret::zeroed(constants.hash.output_len());
        constants.salt.sign(&[shared.expose()], secret.expose_mut())?;
        Ok(Self { hash: constants.hash, secret })
    }

    /// From a pre-shared key's early secret, of which `salt` is derived. RFC 9846 section 7.1: without a key exchange
    /// "the string of Hash.length bytes set to zero" stands in its place.
    pub(super) fn of_psk(
        hash: &'static dyn Hash,
        salt: &HashSecret,
        shared: Option<&SharedSecret>,
    ) -> Result<Self, Failed> {
        let zeros = zeros(hash);
        let input = shared.map_or(zeros.as_ref(), |shared| shared.expose());
        Ok(Self { hash, secret: extract(hash, salt.expose(), input)? })
    }

    /// Ends the stage with the transcript hash of ClientHello to ServerHello.
    pub fn derive(self, hello_hash: &Digest) -> Result<HandshakeSecrets, Failed> {
        let hash = self.hash;
        let empty = hash.hash(&[]);
        let labels: [(&[u8], &[u8]); 3] = [
            (b"c hs traffic", hello_hash.as_ref()),
            (b"s hs traffic", hello_hash.as_ref()),
            (b"derived", empty.as_ref()),
        ];
        let [client, server, salt] = derive(hash, &self.secret, labels)?;
        Ok(HandshakeSecrets {
            client: Traffic::new(hash, client),
            server: Traffic::new(hash, server),
            main: Main { hash, secret: extract(hash, salt.expose(), zeros(hash).as_ref())? },
        })
    }
}

/// The stage of the main secret: ends with resumption, after the client's Finished.
pub struct Main {
    hash: &'static dyn Hash,
    secret: HashSecret,
}

/// What [`Main::application`] yields.
pub struct ApplicationSecrets {
    pub client: Traffic<Client, ApplicationEpoch>,
    pub server: Traffic<Server, ApplicationEpoch>,
    pub exporter: Exporter,
    pub main: Ending,
}

/// The main secret after the server's Finished; only resumption is left to derive.
pub struct Ending(Main);

impl Main {
    /// Derives with the transcript hash of ClientHello to the server's Finished.
    pub fn application(self, server_finished_hash: &Digest) -> Result<ApplicationSecrets, Failed> {
        let hash = self.hash;
        let context = server_finished_hash.as_ref();
        let labels: [(&[u8], &[u8]); 3] =
            [(b"c ap traffic", context), (b"s ap traffic", context), (b"exp master", context)];
        let [client, server, exporter] = derive(hash, &self.secret, labels)?;
        Ok(ApplicationSecrets {
            client: Traffic::new(hash, client),
            server: Traffic::new(hash, server),
            exporter: Exporter::new(hash, exporter),
            main: Ending(self),
        })
    }
}

impl Ending {
    /// Ends the schedule with the transcript hash of ClientHello to the client's Finished.
    pub fn resumption(self, client_finished_hash: &Digest) -> Result<Resumption, Failed> {
        let Main { hash, secret } = self.0;
        let [resumption] = derive(hash, &secret, [(b"res master", client_finished_hash.as_ref())])?;
        Ok(Resumption::new(hash, resumption))
    }
}

/// HKDF-Extract (RFC 5869 section 2.2), which is HMAC with the salt as key.
pub(super) fn extract(hash: &dyn Hash, salt: &[u8], input: &[u8]) -> Result<HashSecret, Failed> {
    let mut secret = HashSecret::zeroed(hash.output_len());
    hash.hmac(salt, &[input], secret.expose_mut())?;
    Ok(secret)
}

fn derived(hash: &dyn Hash, secret: &HashSecret) -> Result<HashSecret, Failed> {
    let [salt] = derive(hash, secret, [(b"derived", hash.hash(&[]).as_ref())])?;
    Ok(salt)
}

/// The string of Hash.length zero bytes that stands where a secret is absent.
fn zeros(hash: &dyn Hash) -> Digest {
    Digest::new([0; MAX_HASH_LEN].get(..hash.output_len()).unwrap_or_default())
}
