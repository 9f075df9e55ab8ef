//! The default provider, wrapped so that it is known when it is at work.

use std::cell::Cell;
use std::sync::Arc;

use symbolon::codepoint::NamedGroup;
use symbolon::crypto::{
    Aead, AeadKey, Digest, Exchange, Expansion, Failed, Group, Hash, HashContext, HmacKey, Nonce, Provider,
    Response, Rng, SharedSecret, SignatureAlgorithm, Suite, TAG_LEN, Verifier,
};

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Whether the calling thread is inside the provider.
pub fn provider_works() -> bool {
    DEPTH.get() > 0
}

fn inside<T>(work: impl FnOnce() -> T) -> T {
    DEPTH.set(DEPTH.get() + 1);
    let result = work();
    DEPTH.set(DEPTH.get() - 1);
    result
}

/// Something of the provider that lives for ever.
struct Static<T: ?Sized + 'static>(&'static T);

/// Something that the provider made; its end is the provider's work too.
struct Made<T: ?Sized>(Option<Box<T>>);

impl<T: ?Sized> Made<T> {
    fn inner(&self) -> &T {
        self.0.as_deref().unwrap()
    }
}

impl<T: ?Sized> Drop for Made<T> {
    fn drop(&mut self) {
        inside(|| drop(self.0.take()));
    }
}

impl Hash for Static<dyn Hash> {
    fn output_len(&self) -> usize {
        self.0.output_len()
    }

    fn start(&self) -> Box<dyn HashContext> {
        inside(|| Box::new(Made(Some(self.0.start()))))
    }

    fn hash(&self, parts: &[&[u8]]) -> Digest {
        inside(|| self.0.hash(parts))
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        inside(|| self.0.hmac(key, parts, out))
    }

    fn hmac_key(&self, key: &[u8]) -> Box<dyn HmacKey> {
        inside(|| Box::new(Made(Some(self.0.hmac_key(key)))))
    }

    fn expand(&self, prk: &[u8], batch: &mut [Expansion<'_>]) -> Result<(), Failed> {
        inside(|| self.0.expand(prk, batch))
    }
}

impl HashContext for Made<dyn HashContext> {
    fn update(&mut self, bytes: &[u8]) {
        inside(|| self.0.as_mut().unwrap().update(bytes));
    }

    fn digest(&self) -> Digest {
        inside(|| self.inner().digest())
    }

    fn digest_with(&self, suffix: &[u8]) -> Digest {
        inside(|| self.inner().digest_with(suffix))
    }
}

impl HmacKey for Made<dyn HmacKey> {
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        inside(|| self.inner().sign(parts, out))
    }
}

impl Aead for Static<dyn Aead> {
    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        inside(|| Ok(Box::new(Made(Some(self.0.key(key)?))) as Box<dyn AeadKey>))
    }

    fn record_limit(&self) -> u64 {
        self.0.record_limit()
    }

    fn accelerated(&self) -> bool {
        self.0.accelerated()
    }
}

impl AeadKey for Made<dyn AeadKey> {
    fn seal_in_place(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        body: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), Failed> {
        inside(|| self.inner().seal_in_place(nonce, aad, body, tag))
    }

    fn open_in_place(&self, nonce: &Nonce, aad: &[u8], body_and_tag: &mut [u8]) -> Result<usize, Failed> {
        inside(|| self.inner().open_in_place(nonce, aad, body_and_tag))
    }
}

impl Group for Static<dyn Group> {
    fn id(&self) -> NamedGroup {
        self.0.id()
    }

    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        inside(|| Ok(Box::new(Made(Some(self.0.start(rng)?))) as Box<dyn Exchange>))
    }

    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        inside(|| self.0.respond(rng, peer))
    }
}

impl Exchange for Made<dyn Exchange> {
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        inside(|| self.inner().shares())
    }

    fn complete(mut self: Box<Self>, chosen: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        inside(|| self.0.take().unwrap().complete(chosen, peer))
    }
}

impl Verifier for Static<dyn Verifier> {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }

    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Failed> {
        inside(|| self.0.verify(spki, message, signature))
    }
}

struct Drawing(Arc<dyn Rng>);

impl Rng for Drawing {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        inside(|| self.0.fill(out))
    }
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The default provider, wrapped.
pub fn wrapped() -> Provider {
    let real = crate::support::provider();
    let suites = real.suites.iter().map(|suite| {
        leak(Suite { id: suite.id, hash: leak(Static(suite.hash)), aead: leak(Static(suite.aead)) })
    });
    let groups = real.groups.iter().map(|group| leak(Static(*group)) as &dyn Group);
    let verifiers = real.verifiers.iter().map(|verifier| leak(Static(*verifier)) as &dyn Verifier);
    Provider {
        name: "wrapped",
        suites: Vec::leak(suites.collect()),
        groups: Vec::leak(groups.collect()),
        verifiers: Vec::leak(verifiers.collect()),
        load_key: real.load_key,
        rng: Arc::new(Drawing(real.rng)),
    }
}
