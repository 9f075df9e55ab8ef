//! A provider around the library's own: what the protocol keeps secret is secret, what it sends is public.
//!
//! Whole connections run with it, so that everything between key exchange and plaintext is held to account.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rustls_pki_types::PrivateKeyDer;
use symbolon::codepoint::{NamedGroup, SignatureScheme};
use symbolon::crypto::{
    Aead, AeadKey, Digest, Exchange, Expansion, Failed, Group, Hash, HashContext, HmacKey, KeyError, Nonce,
    Provider, Response, Rng, SharedSecret, SigningKey, Suite, TAG_LEN, rustcrypto,
};

use crate::valgrind::{is_secret, make_public, make_secret, publish, unreported};

/// What becomes of a plaintext when its record is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Plaintext {
    /// Messages of a handshake, which both sides act upon; what [`guard`] named stays secret.
    Public,
    /// The content is secret. Its type and padding are public.
    SecretContent,
    /// All of it is secret.
    Secret,
    /// Public, with a wrong byte at the end of a Finished message.
    SpoiledFinished,
}

thread_local! {
    static PLAINTEXT: Cell<Plaintext> = const { Cell::new(Plaintext::Public) };
    static GUARDED: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// From now on plaintexts are treated so.
pub fn treat(plaintext: Plaintext) {
    PLAINTEXT.set(plaintext);
}

/// Wherever these bytes are found in a public plaintext, they are secret.
pub fn guard(bytes: &[u8]) {
    let copy = bytes.to_vec();
    make_public(&copy);
    GUARDED.with_borrow_mut(|guarded| guarded.push(copy));
}

/// The provider under test.
pub fn plain() -> Provider {
    rustcrypto::provider()
}

/// The provider under test with marks. Every AEAD key that is made of public bytes is a failure.
pub fn provider() -> Provider {
    let plain = plain();
    let suites: Vec<&'static Suite> =
        plain.suites.iter().map(|suite| &*Box::leak(Box::new(marked(suite)))).collect();
    let groups: Vec<&'static dyn Group> =
        plain.groups.iter().map(|group| &*Box::leak(Box::new(MarkedGroup(*group))) as &dyn Group).collect();
    Provider { suites: suites.leak(), groups: groups.leak(), load_key, ..plain }
}

fn marked(suite: &'static Suite) -> Suite {
    Suite {
        id: suite.id,
        hash: Box::leak(Box::new(MarkedHash(suite.hash))),
        aead: Box::leak(Box::new(MarkedAead(suite.aead))),
    }
}

/// Randomness that nobody else may learn.
pub struct SecretRng;

impl Rng for SecretRng {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        plain().rng.fill(out)?;
        make_secret(out);
        Ok(())
    }
}

struct MarkedHash(&'static dyn Hash);

impl Hash for MarkedHash {
    fn output_len(&self) -> usize {
        self.0.output_len()
    }

    fn start(&self) -> Box<dyn HashContext> {
        self.0.start()
    }

    fn hash(&self, parts: &[&[u8]]) -> Digest {
        self.0.hash(parts)
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        self.0.hmac(key, parts, out)
    }

    fn hmac_key(&self, key: &[u8]) -> Box<dyn HmacKey> {
        self.0.hmac_key(key)
    }

    /// The name of a ticket key is derived from the secret of its epoch, and every ticket shows it.
    fn expand(&self, prk: &[u8], batch: &mut [Expansion<'_>]) -> Result<(), Failed> {
        self.0.expand(prk, batch)?;
        let names = batch.iter().filter(|expansion| expansion.info.starts_with(b"epoch name"));
        names.for_each(|expansion| make_public(expansion.out));
        Ok(())
    }
}

struct MarkedAead(&'static dyn Aead);

impl Aead for MarkedAead {
    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        assert!(is_secret(key), "a key that depends on no secret");
        Ok(Box::new(MarkedKey(self.0.key(key)?)))
    }

    fn record_limit(&self) -> u64 {
        self.0.record_limit()
    }

    fn accelerated(&self) -> bool {
        self.0.accelerated()
    }
}

struct MarkedKey(Box<dyn AeadKey>);

impl AeadKey for MarkedKey {
    fn seal_in_place(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        body: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), Failed> {
        let nonce = publish_nonce(nonce);
        let sealed = publish(self.0.seal_in_place(&nonce, aad, body, tag));
        make_public(body);
        make_public(tag);
        sealed
    }

    fn open_in_place(&self, nonce: &Nonce, aad: &[u8], body_and_tag: &mut [u8]) -> Result<usize, Failed> {
        let nonce = publish_nonce(nonce);
        // The verdict is reported where it is found, in the cases of the AEADs alone.
        let opened = publish(unreported(|| self.0.open_in_place(&nonce, aad, body_and_tag)));
        if let Some(plaintext) = opened.ok().and_then(|len| body_and_tag.get_mut(..len)) {
            settle(plaintext);
        }
        opened
    }
}

/// A nonce is not secret for the AEAD (RFC 5116 section 3.1), though ours depends on a derived IV.
fn publish_nonce(nonce: &Nonce) -> Nonce {
    publish(*nonce)
}

fn settle(plaintext: &mut [u8]) {
    let copy = plaintext.to_vec();
    make_public(&copy);
    match PLAINTEXT.get() {
        Plaintext::Public => {
            make_public(plaintext);
            GUARDED.with_borrow(|guarded| guarded.iter().for_each(|bytes| hide(bytes, &copy, plaintext)));
        }
        Plaintext::SecretContent => {
            let content = copy.iter().rposition(|byte| *byte != 0).unwrap_or(0);
            make_public(&plaintext[content..]);
            make_secret(&mut plaintext[..content]);
        }
        Plaintext::Secret => make_secret(plaintext),
        Plaintext::SpoiledFinished => {
            make_public(plaintext);
            const FINISHED: u8 = 20;
            let len = copy.iter().rposition(|byte| *byte != 0).unwrap_or(0);
            let lengths: [usize; 2] = [4 + 32, 4 + 48];
            for start in lengths.iter().filter_map(|finished| len.checked_sub(*finished)) {
                if copy[start] == FINISHED && usize::from(copy[start + 3]) == len - start - 4 {
                    plaintext[len - 1] ^= 1;
                }
            }
        }
    }
}

fn hide(bytes: &[u8], copy: &[u8], plaintext: &mut [u8]) {
    let places: Vec<usize> = copy
        .windows(bytes.len())
        .enumerate()
        .filter(|(_, window)| *window == bytes)
        .map(|(at, _)| at)
        .collect();
    for at in places {
        make_secret(&mut plaintext[at..at + bytes.len()]);
    }
}

struct MarkedGroup(&'static dyn Group);

impl Group for MarkedGroup {
    fn id(&self) -> NamedGroup {
        self.0.id()
    }

    fn start(&self, _: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        let exchange = unreported(|| self.0.start(&SecretRng))?;
        exchange.shares().into_iter().flatten().for_each(|(_, share)| make_public(share));
        Ok(Box::new(MarkedExchange(exchange)))
    }

    fn respond(&self, _: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        let response = publish(unreported(|| self.0.respond(&SecretRng, peer)))?;
        make_public(&response.share);
        assert!(is_secret(response.secret.expose()));
        Ok(response)
    }
}

struct MarkedExchange(Box<dyn Exchange>);

impl Exchange for MarkedExchange {
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        self.0.shares()
    }

    fn complete(self: Box<Self>, chosen: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        let secret = publish(unreported(|| self.0.complete(chosen, peer)))?;
        assert!(is_secret(secret.expose()));
        Ok(secret)
    }
}

fn load_key(der: &PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>, KeyError> {
    let key = (plain().load_key)(der)?;
    make_public(key.public_key());
    Ok(Arc::new(MarkedSigner(key)))
}

struct MarkedSigner(Arc<dyn SigningKey>);

impl SigningKey for MarkedSigner {
    fn schemes(&self) -> &[SignatureScheme] {
        self.0.schemes()
    }

    fn public_key(&self) -> &[u8] {
        self.0.public_key()
    }

    fn sign(&self, _: &dyn Rng, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Failed> {
        let signature = publish(unreported(|| self.0.sign(&SecretRng, scheme, message)))?;
        make_public(&signature);
        Ok(signature)
    }
}
