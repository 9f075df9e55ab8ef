//! A provider of toys: fast, structured like a real one, and telling. Whatever is changed on the way is noticed; nothing
//! is secret from anybody who wants to know. Its secrets carry a mark that the allocator looks for, its keys are counted
//! by who made them, and it fails when it is told to.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use symbolon::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use symbolon::crypto::{
    Aead, AeadKey, Digest, Exchange, Expansion, Failed, Group, Hash, HashContext, HmacKey, Nonce, Provider,
    Response, Rng, SharedSecret, SignatureAlgorithm, SigningKey, Suite, TAG_LEN, Verifier,
};

use super::dice::{Drawing, mix};
use super::memory::MARK;

/// How many records a key of AES-128 protects here: few, so that keys are changed on the way.
const RECORD_LIMIT: u64 = 150;

thread_local! {
    /// On whose behalf the provider works.
    static OWNER: Cell<usize> = const { Cell::new(0) };
    /// After how many more steps it fails, once.
    static FAILS_IN: Cell<Option<u32>> = const { Cell::new(None) };
    /// How many keys for records each owner has.
    static KEYS: RefCell<Vec<isize>> = const { RefCell::new(Vec::new()) };
}

/// Works on behalf of `owner`, and fails once after so many steps if it is told to; gives back how many are left.
pub fn on_behalf<T>(owner: usize, fails_in: &mut Option<u32>, work: impl FnOnce() -> T) -> T {
    let before = OWNER.replace(owner);
    FAILS_IN.set(*fails_in);
    let result = work();
    *fails_in = FAILS_IN.take();
    OWNER.set(before);
    result
}

/// Counts keys from the beginning, for so many owners.
pub fn forget_owners(count: usize) {
    KEYS.with_borrow_mut(|keys| *keys = vec![0; count]);
}

/// How many keys `owner` has.
pub fn keys_of(owner: usize) -> isize {
    KEYS.with_borrow(|keys| keys[owner])
}

/// A step of work.
pub fn work() -> Result<(), Failed> {
    match FAILS_IN.get() {
        Some(0) => {
            FAILS_IN.set(None);
            Err(Failed::Provider)
        }
        left => {
            FAILS_IN.set(left.map(|left| left - 1));
            Ok(())
        }
    }
}

/// The provider, with randomness from a seed.
pub fn provider(seed: u64) -> Provider {
    Provider {
        name: "toy",
        suites: SUITES,
        groups: GROUPS,
        verifiers: &[
            &Sums(SignatureAlgorithm::Ed25519),
            &Sums(SignatureAlgorithm::EcdsaP256Sha256),
            &Sums(SignatureAlgorithm::RsaPssSha256),
        ],
        load_key: |key| Ok(signing_key(key.secret_der(), SignatureScheme::ED25519)),
        rng: Arc::new(Drawing::new(seed)),
    }
}

static SUITES: &[&Suite] = &[
    &Suite {
        id: CipherSuite::TLS_AES_128_GCM_SHA256,
        hash: &Mill(32),
        aead: &Padlock { key_len: 16, limit: RECORD_LIMIT },
    },
    &Suite {
        id: CipherSuite::TLS_AES_256_GCM_SHA384,
        hash: &Mill(48),
        aead: &Padlock { key_len: 32, limit: 1 << 24 },
    },
    &Suite {
        id: CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
        hash: &Mill(32),
        aead: &Padlock { key_len: 32, limit: u64::MAX },
    },
];

static GROUPS: &[&dyn Group] = &[&ALL[0], &ALL[1], &ALL[2], &ALL[3]];

static ALL: [Shares; 4] = [
    Shares {
        id: NamedGroup::X25519MLKEM768,
        client: 1216,
        server: 1120,
        component: Some((NamedGroup::X25519, 32)),
    },
    Shares { id: NamedGroup::X25519, client: 32, server: 32, component: None },
    Shares { id: NamedGroup::SECP256R1, client: 65, server: 65, component: None },
    Shares { id: NamedGroup::SECP384R1, client: 97, server: 97, component: None },
];

/// A running sum of bytes. Each byte changes it in a way that no later one undoes.
#[derive(Clone, Copy)]
struct Sum {
    a: u64,
    b: u64,
}

impl Sum {
    const START: Self = Self { a: 0x6A09_E667_F3BC_C908, b: 0xBB67_AE85_84CA_A73B };

    fn of(parts: &[&[u8]]) -> Self {
        let mut sum = Self::START;
        parts.iter().for_each(|part| sum.add(part));
        sum
    }

    fn add(&mut self, bytes: &[u8]) {
        let Self { mut a, mut b } = *self;
        for byte in bytes {
            a = (a ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3).rotate_left(23);
            b = b.wrapping_add(a).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        *self = Self { a, b };
    }

    /// The same for words, which are quicker.
    fn add_word(&mut self, word: u64) {
        self.a = (self.a ^ word).wrapping_mul(0x0100_0000_01B3).rotate_left(23);
        self.b = self.b.wrapping_add(self.a).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    /// As a key: what follows is apart from what any other key begins with.
    fn keyed(key: &[u8]) -> Self {
        let mut sum = Self::of(&[key]);
        sum.add_word(key.len() as u64);
        sum
    }

    fn write(&self, out: &mut [u8]) {
        for (at, chunk) in out.chunks_mut(8).enumerate() {
            let word = mix(self.a ^ mix(self.b.wrapping_add(at as u64)));
            chunk.copy_from_slice(&word.to_be_bytes()[..chunk.len()]);
        }
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.write(&mut out);
        out
    }
}

/// Marks a secret.
fn mark(secret: &mut [u8]) {
    if secret.len() >= 16 {
        secret[..8].fill(MARK);
    }
}

/// A key that is made like an ordinary secret.
pub fn marked_key(number: u64) -> [u8; 32] {
    let mut key = Sum::of(&[&number.to_be_bytes()]).bytes();
    mark(&mut key);
    key
}

/// A hash of so many bytes.
struct Mill(usize);

struct Running {
    sum: Sum,
    len: usize,
}

/// An HMAC key.
struct Prepared {
    sum: Sum,
    len: usize,
}

impl Mill {
    fn digest(len: usize, sum: &Sum) -> Digest {
        Digest::new(&sum.bytes::<48>()[..len])
    }
}

/// What is extracted from secrets, or from nothing, is secret; what is computed over a transcript is not.
fn sign(mut sum: Sum, len: usize, parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
    parts.iter().for_each(|part| sum.add(part));
    let out = out.get_mut(..len).ok_or(Failed::Provider)?;
    sum.write(out);
    let extracts = parts.iter().all(|part| part.starts_with(&[MARK; 8]) || part.iter().all(|b| *b == 0));
    if extracts {
        mark(out);
    }
    Ok(())
}

impl Hash for Mill {
    fn output_len(&self) -> usize {
        self.0
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Running { sum: Sum::START, len: self.0 })
    }

    fn hash(&self, parts: &[&[u8]]) -> Digest {
        Self::digest(self.0, &Sum::of(parts))
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        work()?;
        sign(Sum::keyed(key), self.0, parts, out)
    }

    fn hmac_key(&self, key: &[u8]) -> Box<dyn HmacKey> {
        Box::new(Prepared { sum: Sum::keyed(key), len: self.0 })
    }

    fn expand(&self, prk: &[u8], batch: &mut [Expansion<'_>]) -> Result<(), Failed> {
        work()?;
        for Expansion { info, out } in batch {
            let mut sum = Sum::keyed(prk);
            sum.add(info);
            sum.write(out);
            mark(out);
        }
        Ok(())
    }
}

impl HashContext for Running {
    fn update(&mut self, bytes: &[u8]) {
        self.sum.add(bytes);
    }

    fn digest(&self) -> Digest {
        Mill::digest(self.len, &self.sum)
    }

    fn digest_with(&self, suffix: &[u8]) -> Digest {
        let mut sum = self.sum;
        sum.add(suffix);
        Mill::digest(self.len, &sum)
    }
}

impl HmacKey for Prepared {
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        sign(self.sum, self.len, parts, out)
    }
}

struct Padlock {
    key_len: usize,
    limit: u64,
}

/// A key for records.
struct Locked {
    sum: Sum,
    owner: usize,
}

impl Aead for Padlock {
    fn key_len(&self) -> usize {
        self.key_len
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        work()?;
        if key.len() != self.key_len {
            return Err(Failed::Provider);
        }
        let owner = OWNER.get();
        KEYS.with_borrow_mut(|keys| keys[owner] += 1);
        Ok(Box::new(Locked { sum: Sum::keyed(key), owner }))
    }

    fn record_limit(&self) -> u64 {
        self.limit
    }

    fn accelerated(&self) -> bool {
        false
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        KEYS.with_borrow_mut(|keys| keys[self.owner] -= 1);
    }
}

impl Locked {
    /// The tag of what is on the wire, and what each word of it is hidden with.
    fn begin(&self, nonce: &Nonce, aad: &[u8]) -> (Sum, u64) {
        let mut sum = self.sum;
        sum.add(&nonce.0);
        let pad = mix(sum.a ^ sum.b);
        sum.add(aad);
        (sum, pad)
    }

    fn hide(body: &mut [u8], pad: u64) {
        let mut words = body.chunks_exact_mut(8);
        for word in &mut words {
            let hidden = u64::from_ne_bytes(word.try_into().unwrap()) ^ pad;
            word.copy_from_slice(&hidden.to_ne_bytes());
        }
        words.into_remainder().iter_mut().zip(pad.to_ne_bytes()).for_each(|(byte, pad)| *byte ^= pad);
    }

    fn tag(mut sum: Sum, body: &[u8]) -> [u8; TAG_LEN] {
        let words = body.chunks_exact(8);
        let rest = words.remainder();
        words.for_each(|word| sum.add_word(u64::from_ne_bytes(word.try_into().unwrap())));
        sum.add(rest);
        sum.add_word(body.len() as u64);
        sum.bytes()
    }
}

impl AeadKey for Locked {
    fn seal_in_place(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        body: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), Failed> {
        work()?;
        let (sum, pad) = self.begin(nonce, aad);
        Self::hide(body, pad);
        *tag = Self::tag(sum, body);
        Ok(())
    }

    fn open_in_place(&self, nonce: &Nonce, aad: &[u8], body_and_tag: &mut [u8]) -> Result<usize, Failed> {
        let (body, tag) = body_and_tag.split_last_chunk_mut().ok_or(Failed::Input)?;
        let (sum, pad) = self.begin(nonce, aad);
        if Self::tag(sum, body) != *tag {
            return Err(Failed::Input);
        }
        Self::hide(body, pad);
        Ok(body.len())
    }
}

/// A key exchange by the lengths of its shares; the secret is a sum over both.
struct Shares {
    id: NamedGroup,
    client: usize,
    server: usize,
    /// At the end of the client's share, that of another group.
    component: Option<(NamedGroup, usize)>,
}

/// A client's share.
struct Half {
    group: &'static Shares,
    share: Vec<u8>,
}

fn shared(client: &[u8], server: &[u8]) -> Result<SharedSecret, Failed> {
    let mut secret = SharedSecret::zeroed(32);
    Sum::of(&[client, server]).write(secret.expose_mut());
    mark(secret.expose_mut());
    Ok(secret)
}

impl Group for Shares {
    fn id(&self) -> NamedGroup {
        self.id
    }

    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        let mut share = vec![0; self.client];
        rng.fill(&mut share)?;
        Ok(Box::new(Half { group: find(self.id), share }))
    }

    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        work()?;
        if peer.len() != self.client {
            return Err(Failed::Input);
        }
        let mut share = vec![0; self.server];
        rng.fill(&mut share)?;
        Ok(Response { secret: shared(peer, &share)?, share })
    }
}

fn find(id: NamedGroup) -> &'static Shares {
    ALL.iter().find(|shares| shares.id == id).unwrap()
}

impl Exchange for Half {
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        let component = self.group.component.map(|(id, len)| (id, &self.share[self.share.len() - len..]));
        [Some((self.group.id, &self.share)), component]
    }

    fn complete(self: Box<Self>, chosen: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        work()?;
        let mut shares = self.shares().into_iter().flatten();
        let (_, own) = shares.find(|(id, _)| *id == chosen).ok_or(Failed::Provider)?;
        if peer.len() != find(chosen).server {
            return Err(Failed::Input);
        }
        shared(own, peer)
    }
}

/// A key that signs with sums; it is its own public key.
struct Signer {
    key: Vec<u8>,
    scheme: [SignatureScheme; 1],
}

pub fn signing_key(key: &[u8], scheme: SignatureScheme) -> Arc<dyn SigningKey> {
    Arc::new(Signer { key: key.to_vec(), scheme: [scheme] })
}

impl SigningKey for Signer {
    fn schemes(&self) -> &[SignatureScheme] {
        &self.scheme
    }

    fn public_key(&self) -> &[u8] {
        &self.key
    }

    fn sign(&self, _: &dyn Rng, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Failed> {
        work()?;
        if scheme != self.scheme[0] {
            return Err(Failed::Provider);
        }
        Ok(Sum::of(&[&self.key, message]).bytes::<64>().to_vec())
    }
}

/// Verifies what [`Signer`] signs.
struct Sums(SignatureAlgorithm);

impl Verifier for Sums {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.0
    }

    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Failed> {
        if Sum::of(&[spki, message]).bytes::<64>() == signature { Ok(()) } else { Err(Failed::Input) }
    }
}
