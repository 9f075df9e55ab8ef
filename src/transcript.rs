//! The transcript hash (RFC 9846 section 4.1), before and after the hash function is known.
//!
//! Knows hashing and the header of `message_hash`; nothing of what the messages mean.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::codepoint::HandshakeType;
use crate::crypto::{Digest, Hash, HashContext};

/// The client's first message, kept until the server's choice of a suite names the hash.
pub(crate) struct Unhashed {
    client_hello: Vec<u8>,
    /// By the hash of the pre-shared key that is offered first, which is the server's choice most of the time.
    guessed: Option<Transcript>,
}

impl Unhashed {
    /// Starts with ClientHello1, header included. `guessed` is a transcript of it by one hash, where there is one.
    pub(crate) fn new(client_hello: Vec<u8>, guessed: Option<Transcript>) -> Self {
        Self { client_hello, guessed }
    }

    /// The hash is known: hashes what was kept, unless that was done.
    pub(crate) fn select(self, hash: &'static dyn Hash) -> Transcript {
        match self.guessed {
            Some(transcript) if transcript.hash.output_len() == hash.output_len() => transcript,
            _ => {
                let mut transcript = Transcript::new(hash);
                transcript.absorb(&self.client_hello);
                transcript
            }
        }
    }
}

/// A running transcript hash.
pub(crate) struct Transcript {
    hash: &'static dyn Hash,
    context: Box<dyn HashContext>,
}

impl Transcript {
    /// An empty transcript.
    pub(crate) fn new(hash: &'static dyn Hash) -> Self {
        Self { hash, context: hash.start() }
    }

    /// A transcript whose ClientHello1 is replaced by its hash, as a HelloRetryRequest demands.
    ///
    /// RFC 9846 section 4.1: "the value of ClientHello1 is replaced with a special synthetic handshake message of
    /// handshake type "message_hash" (254) containing Hash(ClientHello1)".
    pub(crate) fn after_retry(hash: &'static dyn Hash, client_hello: &Digest) -> Self {
        let mut transcript = Self::new(hash);
        let digest = client_hello.as_ref();
        let len = u8::try_from(digest.len()).unwrap_or(u8::MAX);
        transcript.absorb(&[HandshakeType::MESSAGE_HASH.0, 0, 0, len]);
        transcript.absorb(digest);
        transcript
    }

    /// Rewrites a transcript that holds exactly ClientHello1.
    pub(crate) fn into_retry(self) -> Self {
        Self::after_retry(self.hash, &self.digest())
    }

    /// Appends one handshake message, header included.
    pub(crate) fn absorb(&mut self, message: &[u8]) {
        self.context.update(message);
    }

    /// `Transcript-Hash` of everything so far.
    pub(crate) fn digest(&self) -> Digest {
        self.context.digest()
    }

    /// The same with `suffix` behind it, which is not absorbed: a truncated ClientHello for a binder.
    pub(crate) fn digest_with(&self, suffix: &[u8]) -> Digest {
        self.context.digest_with(suffix)
    }

    /// The hash function.
    pub(crate) fn hash(&self) -> &'static dyn Hash {
        self.hash
    }
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::codepoint::CipherSuite;
    use crate::crypto::rustcrypto;

    #[test]
    fn a_guess_spares_hashing_only_where_it_was_right() {
        let hash = |id| rustcrypto::provider().suite(id).unwrap().hash;
        let guessed = hash(CipherSuite::TLS_AES_128_GCM_SHA256);
        for selected in [guessed, hash(CipherSuite::TLS_AES_256_GCM_SHA384)] {
            // Another message, so that it shows which one counts.
            let mut transcript = Transcript::new(guessed);
            transcript.absorb(b"guessed");
            let digest = Unhashed::new(b"kept".to_vec(), Some(transcript)).select(selected).digest();
            let right = selected.output_len() == guessed.output_len();
            assert_eq!(digest, selected.hash(&[if right { &b"guessed"[..] } else { b"kept" }]));
            let unguessed = Unhashed::new(b"kept".to_vec(), None).select(selected).digest();
            assert_eq!(unguessed, selected.hash(&[b"kept"]));
        }
    }
}
