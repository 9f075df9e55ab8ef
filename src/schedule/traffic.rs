//! Traffic secrets, the keys made of them, and Finished (RFC 9846 sections 7.2, 7.3 and 4.5.3).

use alloc::boxed::Box;
use core::marker::PhantomData;

use zeroize::Zeroizing;

use super::label::{Request, expand};
use super::{ApplicationEpoch, Direction, EarlyEpoch, HandshakeEpoch};
use crate::crypto::{Aead, AeadKey, Digest, Failed, Hash, HashSecret, MAX_HASH_LEN, NONCE_LEN};
use crate::secret::matches;

/// The longest AEAD key of a suite, in bytes.
const MAX_KEY_LEN: usize = 32;

/// A traffic secret: whose traffic it protects, and in which epoch, is part of its type.
pub struct Traffic<D, E> {
    hash: &'static dyn Hash,
    secret: HashSecret,
    of: PhantomData<fn() -> (D, E)>,
}

/// Record keys of one sender. A server's key in the server's own opener does not compile.
pub struct Keys<D> {
    pub(crate) aead: Box<dyn AeadKey>,
    pub(crate) iv: [u8; NONCE_LEN],
    of: PhantomData<fn() -> D>,
}

impl<D, E> Traffic<D, E> {
    pub(super) fn new(hash: &'static dyn Hash, secret: HashSecret) -> Self {
        Self { hash, secret, of: PhantomData }
    }

    fn keys_now(&self, aead: &dyn Aead) -> Result<Keys<D>, Failed> {
        let mut block = KeyBlock::default();
        expand(self.hash, &self.secret, block.requests(aead)?)?;
        block.keys(aead)
    }

    /// The secret itself, for a key log and for kernel offload.
    pub(crate) fn expose(&self) -> &[u8] {
        self.secret.expose()
    }
}

impl<D: Direction> Traffic<D, HandshakeEpoch> {
    /// The record keys and the key of Finished, under one prepared key; the secret ends here.
    pub fn into_keys(self, aead: &dyn Aead) -> Result<(Keys<D>, Finished<D>), Failed> {
        let mut finished = HashSecret::zeroed(self.hash.output_len());
        let mut block = KeyBlock::default();
        let [key, iv] = block.requests(aead)?;
        expand(self.hash, &self.secret, [key, iv, (b"finished", &[], finished.expose_mut())])?;
        Ok((block.keys(aead)?, Finished::new(self.hash, finished)))
    }
}

impl<D: Direction> Traffic<D, EarlyEpoch> {
    /// The record keys; the secret ends here.
    pub fn into_keys(self, aead: &dyn Aead) -> Result<Keys<D>, Failed> {
        self.keys_now(aead)
    }
}

impl<D: Direction> Traffic<D, ApplicationEpoch> {
    /// The record keys of this generation.
    pub fn keys(&self, aead: &dyn Aead) -> Result<Keys<D>, Failed> {
        self.keys_now(aead)
    }

    /// The next generation (RFC 9846 section 7.2); this one is wiped.
    pub fn update(&mut self) -> Result<(), Failed> {
        let mut next = HashSecret::zeroed(self.hash.output_len());
        expand(self.hash, &self.secret, [(b"traffic upd", &[], next.expose_mut())])?;
        self.secret = next;
        Ok(())
    }

    /// The raw key and IV of this generation, for kernel offload.
    pub(crate) fn raw_keys(&self, aead: &dyn Aead) -> Result<(HashSecret, [u8; NONCE_LEN]), Failed> {
        let mut key = HashSecret::zeroed(aead.key_len());
        let mut iv = [0; NONCE_LEN];
        expand(self.hash, &self.secret, [(b"key", &[], key.expose_mut()), (b"iv", &[], &mut iv)])?;
        Ok((key, iv))
    }
}

/// Room for the record keys while they are derived, wiped afterwards.
#[derive(Default)]
struct KeyBlock {
    key: Zeroizing<[u8; MAX_KEY_LEN]>,
    iv: [u8; NONCE_LEN],
}

impl KeyBlock {
    /// The two derivations of RFC 9846 section 7.3.
    fn requests(&mut self, aead: &dyn Aead) -> Result<[Request<'_>; 2], Failed> {
        let key = self.key.get_mut(..aead.key_len()).ok_or(Failed::Provider)?;
        Ok([(b"key", &[], key), (b"iv", &[], &mut self.iv)])
    }

    fn keys<D>(&self, aead: &dyn Aead) -> Result<Keys<D>, Failed> {
        let key = self.key.get(..aead.key_len()).ok_or(Failed::Provider)?;
        Ok(Keys { aead: aead.key(key)?, iv: self.iv, of: PhantomData })
    }
}

/// The key of one side's Finished message.
pub struct Finished<D> {
    hash: &'static dyn Hash,
    key: HashSecret,
    of: PhantomData<fn() -> D>,
}

/// Proof that the peer's Finished was right. Only [`Finished::check`] makes one.
pub struct FinishedMatched<D>(PhantomData<fn() -> D>);

impl<D> Finished<D> {
    pub(super) fn new(hash: &'static dyn Hash, key: HashSecret) -> Self {
        Self { hash, key, of: PhantomData }
    }
}

impl<D: Direction> Finished<D> {
    /// `verify_data` over the transcript hash (RFC 9846 section 4.5.3).
    pub(crate) fn verify_data(&self, transcript_hash: &Digest) -> Result<Digest, Failed> {
        let mut mac = [0; MAX_HASH_LEN];
        self.hash.hmac(self.key.expose(), &[transcript_hash.as_ref()], &mut mac)?;
        Ok(Digest::new(mac.get(..self.hash.output_len()).unwrap_or_default()))
    }

    /// Compares in constant time; `Ok(None)` is a mismatch.
    pub fn check(
        &self,
        transcript_hash: &Digest,
        received: &[u8],
    ) -> Result<Option<FinishedMatched<D>>, Failed> {
        let expected = self.verify_data(transcript_hash)?;
        Ok(matches(expected.as_ref(), received).then_some(FinishedMatched(PhantomData)))
    }
}
