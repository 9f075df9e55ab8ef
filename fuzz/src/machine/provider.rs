//! The null provider with what negotiation needs beside it: a second suite, a second group, and tags that a change on the
//! way breaks.

use std::sync::LazyLock;

use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::crypto::{
    Aead, AeadKey, Exchange, Failed, Group, Hash, Nonce, Provider, Response, Rng, SharedSecret, Suite,
};
use symbolon::fuzzing::null;

/// What tags cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    /// The key and the nonce alone: records can be changed on their way.
    Null,
    /// The bytes too: as a real suite does it.
    Strict,
}

/// A provider whose randomness begins anew.
pub fn provider(tags: Tags) -> Provider {
    let suites = match tags {
        Tags::Null => &NULL_SUITES,
        Tags::Strict => &STRICT_SUITES,
    };
    Provider { suites, groups: &GROUPS, ..null::provider() }
}

/// The suite that everybody prefers.
pub fn suite() -> &'static Suite {
    NULL_SUITES[0]
}

static NULL: LazyLock<&'static Suite> = LazyLock::new(|| null::provider().suites[0]);

/// Its hash and its AEAD, behind the indirection that a static needs.
struct Inner;

static FIRST: Suite = Suite { id: CipherSuite::TLS_AES_128_GCM_SHA256, hash: &Inner, aead: &Inner };
static SECOND: Suite = Suite { id: CipherSuite::TLS_CHACHA20_POLY1305_SHA256, hash: &Inner, aead: &Inner };
static NULL_SUITES: [&Suite; 2] = [&FIRST, &SECOND];

static STRICT_FIRST: Suite = Suite { id: CipherSuite::TLS_AES_128_GCM_SHA256, hash: &Inner, aead: &Strict };
static STRICT_SECOND: Suite =
    Suite { id: CipherSuite::TLS_CHACHA20_POLY1305_SHA256, hash: &Inner, aead: &Strict };
static STRICT_SUITES: [&Suite; 2] = [&STRICT_FIRST, &STRICT_SECOND];

static GROUPS: [&dyn Group; 2] =
    [&Renamed(NamedGroup::X25519) as &dyn Group, &Renamed(NamedGroup::SECP256R1) as &dyn Group];

impl Hash for Inner {
    fn output_len(&self) -> usize {
        NULL.hash.output_len()
    }

    fn start(&self) -> Box<dyn symbolon::crypto::HashContext> {
        NULL.hash.start()
    }

    fn hash(&self, parts: &[&[u8]]) -> symbolon::crypto::Digest {
        NULL.hash.hash(parts)
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), Failed> {
        NULL.hash.hmac(key, parts, out)
    }

    fn hmac_key(&self, key: &[u8]) -> Box<dyn symbolon::crypto::HmacKey> {
        NULL.hash.hmac_key(key)
    }

    fn expand(&self, prk: &[u8], batch: &mut [symbolon::crypto::Expansion<'_>]) -> Result<(), Failed> {
        NULL.hash.expand(prk, batch)
    }
}

impl Aead for Inner {
    fn key_len(&self) -> usize {
        NULL.aead.key_len()
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        NULL.aead.key(key)
    }

    fn record_limit(&self) -> u64 {
        NULL.aead.record_limit()
    }

    fn accelerated(&self) -> bool {
        false
    }
}

/// Bodies stay as they are, and tags cover them.
struct Strict;

struct StrictKey(Vec<u8>);

impl Aead for Strict {
    fn key_len(&self) -> usize {
        16
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        Ok(Box::new(StrictKey(key.to_vec())))
    }

    fn record_limit(&self) -> u64 {
        // So low that keys are changed on the way.
        64
    }

    fn accelerated(&self) -> bool {
        false
    }
}

impl StrictKey {
    fn tag(&self, nonce: &Nonce, aad: &[u8], body: &[u8]) -> [u8; 16] {
        let len = (body.len() as u64).to_be_bytes();
        let digest = NULL.hash.hash(&[&self.0, &nonce.0, aad, &len, body]);
        *digest.as_ref().first_chunk().expect("a hash has 32 bytes")
    }
}

impl AeadKey for StrictKey {
    fn seal_in_place(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        body: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Result<(), Failed> {
        *tag = self.tag(nonce, aad, body);
        Ok(())
    }

    fn open_in_place(&self, nonce: &Nonce, aad: &[u8], body_and_tag: &mut [u8]) -> Result<usize, Failed> {
        let (body, tag) = body_and_tag.split_last_chunk().ok_or(Failed::Input)?;
        if self.tag(nonce, aad, body) == *tag { Ok(body.len()) } else { Err(Failed::Input) }
    }
}

/// The group of the null provider under any name.
struct Renamed(NamedGroup);

impl Group for Renamed {
    fn id(&self) -> NamedGroup {
        self.0
    }

    fn start(&self, rng: &dyn Rng) -> Result<Box<dyn Exchange>, Failed> {
        Ok(Box::new(Begun(self.0, null::provider().groups[0].start(rng)?)))
    }

    fn respond(&self, rng: &dyn Rng, peer: &[u8]) -> Result<Response, Failed> {
        null::provider().groups[0].respond(rng, peer)
    }
}

struct Begun(NamedGroup, Box<dyn Exchange>);

impl Exchange for Begun {
    fn shares(&self) -> [Option<(NamedGroup, &[u8])>; 2] {
        self.1.shares().map(|share| share.map(|(_, bytes)| (self.0, bytes)))
    }

    fn complete(self: Box<Self>, chosen: NamedGroup, peer: &[u8]) -> Result<SharedSecret, Failed> {
        if chosen != self.0 {
            return Err(Failed::Input);
        }
        self.1.complete(NamedGroup::X25519, peer)
    }
}
