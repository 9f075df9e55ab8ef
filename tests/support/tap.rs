//! A record layer in the test's own hand: seals and opens records by the secrets that a connection reveals.
#![allow(dead_code)] // no test uses everything

use symbolon::codepoint::{CipherSuite, NamedGroup};
use symbolon::conn::SecretLabel;
use symbolon::crypto::{AeadKey, Expansion, Hash, Nonce, Suite};

use crate::support::*;

pub const SUITE: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;

pub const CHANGE_CIPHER_SPEC: u8 = 20;
pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const DATA: u8 = 23;

/// A KeyUpdate that asks for none in return.
pub const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 0];
/// A KeyUpdate that asks for one in return.
pub const KEY_UPDATE_REQUESTED: [u8; 5] = [24, 0, 0, 1, 1];

/// HKDF-Expand-Label with an empty context (RFC 9846 section 7.1).
pub fn expand_label(hash: &dyn Hash, secret: &[u8], label: &str, len: usize) -> Vec<u8> {
    let mut info = u16::try_from(len).unwrap().to_be_bytes().to_vec();
    info.push(u8::try_from(6 + label.len()).unwrap());
    info.extend_from_slice(b"tls13 ");
    info.extend_from_slice(label.as_bytes());
    info.push(0);
    let mut out = vec![0; len];
    hash.expand(secret, &mut [Expansion { info: &info, out: &mut out }]).unwrap();
    out
}

/// The keys of one direction.
pub struct Tap {
    suite: &'static Suite,
    secret: Vec<u8>,
    key: Box<dyn AeadKey>,
    iv: [u8; 12],
    sequence: u64,
}

impl Tap {
    pub fn new(secret: &[u8]) -> Self {
        let suite = provider().suite(SUITE).unwrap();
        let key = expand_label(suite.hash, secret, "key", suite.aead.key_len());
        let iv = expand_label(suite.hash, secret, "iv", 12);
        Self {
            suite,
            secret: secret.to_vec(),
            key: suite.aead.key(&key).unwrap(),
            iv: iv.try_into().unwrap(),
            sequence: 0,
        }
    }

    pub fn of<E>(party: &Party<E>, label: SecretLabel) -> Self {
        let (_, secret) = party.secrets.iter().find(|(found, _)| *found == label).unwrap();
        Self::new(secret)
    }

    /// Keys as a kernel gets them.
    pub fn from_kernel(keys: &symbolon::conn::KernelKeys) -> Self {
        let mut tap = Self::new(keys.secret.expose());
        tap.key = tap.suite.aead.key(keys.key.expose()).unwrap();
        tap.iv = keys.iv;
        tap.sequence = keys.sequence;
        tap
    }

    /// The same keys at another record.
    pub fn at(mut self, sequence: u64) -> Self {
        self.sequence = sequence;
        self
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = self.iv;
        for (byte, of_sequence) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= of_sequence;
        }
        self.sequence += 1;
        Nonce(nonce)
    }

    /// A protected record.
    pub fn seal(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut body = [content, &[kind]].concat();
        let mut record = vec![DATA, 3, 3];
        record.extend(u16::try_from(body.len() + 16).unwrap().to_be_bytes());
        let mut tag = [0; 16];
        let nonce = self.nonce();
        self.key.seal_in_place(&nonce, &record, &mut body, &mut tag).unwrap();
        [record, body, tag.to_vec()].concat()
    }

    /// The type and the content of a protected record.
    pub fn open(&mut self, record: &[u8]) -> (u8, Vec<u8>) {
        let (header, body) = record.split_at(5);
        let mut body = body.to_vec();
        let nonce = self.nonce();
        let len = self.key.open_in_place(&nonce, header, &mut body).unwrap();
        body.truncate(len);
        while body.last() == Some(&0) {
            body.pop();
        }
        (body.pop().unwrap(), body)
    }

    /// Opens every record in `bytes`, following KeyUpdates.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut found = Vec::new();
        for record in records(bytes) {
            let (kind, content) = self.open(&record);
            if kind == HANDSHAKE && content[0] == 24 {
                self.update();
            }
            found.push((kind, content));
        }
        found
    }

    /// The next generation of keys (RFC 9846 section 7.2).
    pub fn update(&mut self) {
        *self = Self::new(&expand_label(self.suite.hash, &self.secret, "traffic upd", self.secret.len()));
    }

    /// Seals a KeyUpdate and changes keys.
    pub fn key_update(&mut self, message: &[u8]) -> Vec<u8> {
        let record = self.seal(HANDSHAKE, message);
        self.update();
        record
    }
}

/// Cuts bytes into records.
pub fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let len = 5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        found.push(bytes[..len].to_vec());
        bytes = &bytes[len..];
    }
    found
}

/// A plaintext record.
pub fn plain(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 3, 3];
    record.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    record.extend_from_slice(content);
    record
}

/// A plaintext record with more content.
pub fn extended(record: &[u8], more: &[u8]) -> Vec<u8> {
    plain(record[0], &[&record[5..], more].concat())
}

/// A pair whose secrets are revealed, before its first byte.
pub fn revealing() -> Pair {
    Pair::new(
        &client_config(|b| b.suites(&[SUITE]).groups(&[NamedGroup::X25519]).reveal_secrets()),
        &server_config(|b| b.reveal_secrets()),
    )
}

/// An established pair, and the keys of both directions; one record went each way.
pub struct Tapped {
    pub pair: Pair,
    pub up: Tap,
    pub down: Tap,
}

pub fn tapped() -> Tapped {
    let mut pair = revealing();
    pair.run().unwrap();
    let mut up = Tap::of(&pair.server, SecretLabel::ClientTraffic);
    let mut down = Tap::of(&pair.server, SecretLabel::ServerTraffic);
    pair.send_up(b"!");
    pair.send_down(b"!");
    (up.sequence, down.sequence) = (1, 1);
    pair.server.data.clear();
    pair.client.data.clear();
    Tapped { pair, up, down }
}

/// Gives `bytes` to `party`.
pub fn feed<E: Endpoint>(party: &mut Party<E>, bytes: &[u8]) -> Result<(), symbolon::Error> {
    party.inbox.extend_from_slice(bytes);
    party.run()
}

/// Carries what the client has to say to the server, and gives the server's output.
pub fn to_server(pair: &mut Pair) -> Vec<u8> {
    let bytes = pair.client.flush();
    feed(&mut pair.server, &bytes).unwrap();
    pair.server.flush()
}
