//! The joiner of fragments and the opener of records, each with what a target must know of it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::alert::AlertCode;
use crate::codepoint::ContentType;
use crate::crypto::{AeadKey, NONCE_LEN, Nonce, Suite, null};
use crate::record::{
    EpochBoundary, Joiner, Opened, Opener, Protection, Record, Sealer, SendBuf, SizeLimit, Skip,
};
use crate::schedule::{Constants, Handshake, Keys, Server};

/// A joiner.
pub struct Join(Joiner);

/// A message that was joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// With its header.
    pub raw: Vec<u8>,
    /// Whether keys may change behind it.
    pub boundary: bool,
}

impl Join {
    #[must_use]
    pub fn new(max_certificate: usize) -> Self {
        Self(Joiner::new(max_certificate))
    }

    pub fn after_handshake(&mut self) {
        self.0.after_handshake();
    }

    pub fn push(&mut self, fragment: &[u8]) -> Result<(), AlertCode> {
        self.0.push(fragment).map_err(|fault| fault.alert())
    }

    /// The next message, which is then forgotten.
    pub fn take(&mut self) -> Result<Option<Joined>, AlertCode> {
        let Some(mut message) = self.0.peek().map_err(|fault| fault.alert())? else { return Ok(None) };
        assert_eq!((message.raw[0], &message.raw[4..]), (message.kind.0, message.body));
        let joined = Joined { raw: message.raw.to_vec(), boundary: message.boundary().is_ok() };
        self.0.advance(joined.raw.len());
        Ok(Some(joined))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An opener, and a peer who has its keys.
pub struct Open {
    opener: Opener<Server>,
    sealer: Sealer<Server>,
    peer: Option<Peer>,
    generation: u8,
}

struct Peer {
    aead: Box<dyn AeadKey>,
    iv: [u8; NONCE_LEN],
    sequence: u64,
}

/// What an opener said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    NeedInput(usize),
    Skipped(usize),
    /// Content type, whether it was sealed, content, bytes consumed.
    Record(u8, bool, Vec<u8>, usize),
}

impl Default for Open {
    fn default() -> Self {
        let sealer = Sealer::plain(
            crate::record::Padding::None,
            SizeLimit::STANDARD,
            crate::codepoint::ProtocolVersion::TLS_1_2,
        );
        Self { opener: Opener::plain(), sealer, peer: None, generation: 0 }
    }
}

impl Open {
    pub fn open(&mut self, input: &mut [u8]) -> Result<Opening, AlertCode> {
        match self.opener.open(input).map_err(|fault| fault.alert())? {
            Opened::NeedInput { at_least } => Ok(Opening::NeedInput(at_least)),
            Opened::Skipped { consumed } => Ok(Opening::Skipped(consumed)),
            Opened::Record(Record { kind, protection, content, consumed }) => {
                let sealed = protection == Protection::Sealed;
                Ok(Opening::Record(kind.0, sealed, content.to_vec(), consumed))
            }
        }
    }

    /// The next keys, for both.
    pub fn rekey(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.opener.rekey(keys(self.generation), boundary());
        self.sealer.rekey(keys(self.generation), u64::MAX);
        let Keys { aead, iv, .. } = keys(self.generation);
        self.peer = Some(Peer { aead, iv, sequence: 0 });
    }

    pub fn limit(&mut self, bytes: u16) {
        self.opener.set_limit(SizeLimit::negotiated(bytes));
    }

    pub fn skip_until_hello(&mut self, budget: usize) {
        self.opener.set_skip(Skip::UntilHello { budget });
    }

    pub fn skip_until_opened(&mut self, budget: usize) {
        self.opener.set_skip(Skip::UntilOpened { budget });
    }

    /// A record as the peer seals it whose `TLSInnerPlaintext` is any bytes; `None` before there are keys.
    #[must_use]
    pub fn sealed(&mut self, inner: &[u8]) -> Option<Vec<u8>> {
        let peer = self.peer.as_mut()?;
        let mut nonce = peer.iv;
        nonce.iter_mut().rev().zip(peer.sequence.to_be_bytes().iter().rev()).for_each(|(a, b)| *a ^= b);
        peer.sequence += 1;
        let len = u16::try_from(inner.len() + 16).ok()?.to_be_bytes();
        let mut record = [&[23, 3, 3, len[0], len[1]], inner, &[0; 16]].concat();
        let (header, body) = record.split_at_mut(5);
        let (body, tag) = body.split_last_chunk_mut().expect("a tag");
        peer.aead.seal_in_place(&Nonce(nonce), header, body, tag).expect("the null provider seals");
        Some(record)
    }

    /// Records as this library's own sealer makes them.
    #[must_use]
    pub fn sealed_by_us(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut out = SendBuf::with_limit(usize::MAX);
        self.sealer.seal(ContentType(kind), content, &mut out).expect("the null provider seals");
        if let Some(peer) = &mut self.peer {
            peer.sequence = self.sealer.sequence();
        }
        out.pending().to_vec()
    }
}

fn suite() -> &'static Suite {
    null::provider().suites[0]
}

/// Keys of a generation: the same ones whenever they are asked for.
fn keys(generation: u8) -> Keys<Server> {
    let constants = Constants::new(suite().hash).expect("the null provider has a hash");
    let shared = crate::crypto::SharedSecret::copy_of(&[generation; 32]).expect("32 bytes fit");
    let stage = Handshake::new(&constants, &shared).expect("the null provider derives");
    let secrets = stage.derive(&suite().hash.hash(&[])).expect("the null provider derives");
    secrets.server.into_keys(suite().aead).expect("the null provider has keys").0
}

/// A boundary as there is one behind any last message.
fn boundary() -> EpochBoundary {
    let mut joiner = Joiner::new(0);
    joiner.push(&[20, 0, 0, 0]).expect("an empty Finished is a message");
    let mut message = joiner.peek().ok().flatten().expect("it is whole");
    message.boundary().expect("nothing follows it")
}
