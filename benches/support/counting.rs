//! A provider whose hashes count their compressions: what any implementation must do for the bytes that it is given.

use std::sync::atomic::{AtomicUsize, Ordering};

use symbolon::crypto::{Digest, Expansion, Failed, Hash, HashContext, HmacKey, Provider, Suite};

use super::{Probe, Work};

static COMPRESSIONS: AtomicUsize = AtomicUsize::new(0);

/// Counts the compressions inside one side's calls.
#[derive(Default)]
pub struct Compressions(pub usize);

impl Probe for Compressions {
    fn call<T>(&mut self, _: Work, call: impl FnOnce() -> T) -> T {
        let before = COMPRESSIONS.load(Ordering::Relaxed);
        let result = call();
        self.0 += COMPRESSIONS.load(Ordering::Relaxed) - before;
        result
    }
}

/// `provider` with counting hashes. Signatures hash by themselves and are not counted.
pub fn counting(provider: Provider) -> Provider {
    let wrap = |suite: &&'static Suite| -> &'static Suite {
        let hash = Box::leak(Box::new(Counting { inner: suite.hash, blocks: Blocks::of(suite.hash) }));
        Box::leak(Box::new(Suite { id: suite.id, hash, aead: suite.aead }))
    };
    let suites: Vec<&'static Suite> = provider.suites.iter().map(wrap).collect();
    Provider { suites: suites.leak(), ..provider }
}

/// How a hash function of the SHA-2 family cuts its input.
#[derive(Clone, Copy)]
pub struct Blocks {
    len: usize,
    /// At least this much is added behind the input: a bit and the length.
    padding: usize,
    output: usize,
}

impl Blocks {
    pub fn of(hash: &dyn Hash) -> Self {
        let output = hash.output_len();
        if output == 32 {
            Self { len: 64, padding: 9, output }
        } else {
            Self { len: 128, padding: 17, output }
        }
    }

    /// The longest input of `count` blocks, in bytes.
    pub fn longest(self, count: usize) -> usize {
        (count * self.len).saturating_sub(self.padding)
    }

    /// Compressions for `input` bytes that go on.
    pub fn running(self, input: usize) -> usize {
        input / self.len
    }

    /// Compressions to end a hash of `input` bytes, beyond [`Blocks::running`].
    pub fn ending(self, input: usize) -> usize {
        (input + self.padding).div_ceil(self.len) - self.running(input)
    }

    fn whole(self, input: usize) -> usize {
        self.running(input) + self.ending(input)
    }

    /// HMAC of `input` bytes, the padded key's two blocks apart.
    fn hmac(self, input: usize) -> usize {
        self.whole(self.len + input) - 1 + self.whole(self.len + self.output) - 1
    }
}

/// The two blocks of an HMAC key.
const PADS: usize = 2;

fn count(compressions: usize) {
    COMPRESSIONS.fetch_add(compressions, Ordering::Relaxed);
}

fn total(parts: &[&[u8]]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

struct Counting {
    inner: &'static dyn Hash,
    blocks: Blocks,
}

impl Hash for Counting {
    fn output_len(&self) -> usize {
        self.inner.output_len()
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Context { inner: self.inner.start(), blocks: self.blocks, len: 0 })
    }

    fn hash(&self, parts: &[&[u8]]) -> Digest {
        count(self.blocks.whole(total(parts)));
        self.inner.hash(parts)
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        count(PADS + self.blocks.hmac(total(parts)));
        self.inner.hmac(key, parts, out)
    }

    fn hmac_key(&self, key: &[u8]) -> Box<dyn HmacKey> {
        count(PADS);
        Box::new(Key { inner: self.inner.hmac_key(key), blocks: self.blocks })
    }

    fn expand(&self, prk: &[u8], batch: &mut [Expansion<'_>]) -> Result<(), Failed> {
        count(PADS);
        for expansion in &*batch {
            for block in 0..expansion.out.len().div_ceil(self.blocks.output) {
                let chained = if block == 0 { 0 } else { self.blocks.output };
                count(self.blocks.hmac(chained + expansion.info.len() + 1));
            }
        }
        self.inner.expand(prk, batch)
    }
}

struct Context {
    inner: Box<dyn HashContext>,
    blocks: Blocks,
    len: usize,
}

impl HashContext for Context {
    fn update(&mut self, bytes: &[u8]) {
        let before = self.blocks.running(self.len);
        self.len += bytes.len();
        count(self.blocks.running(self.len) - before);
        self.inner.update(bytes);
    }

    fn digest(&self) -> Digest {
        count(self.blocks.ending(self.len));
        self.inner.digest()
    }

    fn digest_with(&self, suffix: &[u8]) -> Digest {
        count(self.blocks.whole(self.len + suffix.len()) - self.blocks.running(self.len));
        self.inner.digest_with(suffix)
    }
}

struct Key {
    inner: Box<dyn HmacKey>,
    blocks: Blocks,
}

impl HmacKey for Key {
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        count(self.blocks.hmac(total(parts)));
        self.inner.sign(parts, out)
    }
}
