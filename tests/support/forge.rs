//! A puppet in the place of a peer: it writes any record under any keys, and reads everything that the connection
//! under test says. Record protection and messages are written here by hand, on the provider's primitives alone.
#![allow(dead_code)] // no test uses everything

use std::sync::{Arc, Mutex, OnceLock};

use super::*;
use symbolon::codepoint::CipherSuite;
use symbolon::conn::{Epoch, SecretLabel};
use symbolon::crypto::{AeadKey, Failed, Hash, Nonce, Rng, Suite};

pub const CCS: u8 = 20;
pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const DATA: u8 = 23;

pub const CLIENT_HELLO: u8 = 1;
pub const SERVER_HELLO: u8 = 2;
pub const TICKET: u8 = 4;
pub const END_OF_EARLY_DATA: u8 = 5;
pub const ENCRYPTED_EXTENSIONS: u8 = 8;
pub const CERTIFICATE: u8 = 11;
pub const CERTIFICATE_REQUEST: u8 = 13;
pub const CERTIFICATE_VERIFY: u8 = 15;
pub const FINISHED: u8 = 20;
pub const KEY_UPDATE: u8 = 24;

/// The random of a HelloRetryRequest: SHA-256 of "HelloRetryRequest".
pub fn retry_random() -> [u8; 32] {
    suite().hash.hash(&[b"HelloRetryRequest"]).as_ref().try_into().unwrap()
}

/// The suite of all flows here.
pub fn suite() -> &'static Suite {
    provider().suite(CipherSuite::TLS_AES_128_GCM_SHA256).unwrap()
}

/// A provider whose randomness is a function of the seed.
pub fn seeded(seed: u64) -> Provider {
    Provider { rng: Arc::new(Seeded(Mutex::new(seed))), ..provider() }
}

struct Seeded(Mutex<u64>);

impl Rng for Seeded {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        let mut state = self.0.lock().unwrap();
        for byte in out {
            // SplitMix64
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            *byte = (z >> 32) as u8;
        }
        Ok(())
    }
}

/// Credentials are costly to load; one of each kind is enough.
pub fn p256() -> Arc<Credential> {
    static LOADED: OnceLock<Arc<Credential>> = OnceLock::new();
    Arc::clone(LOADED.get_or_init(|| credential(Key::P256)))
}

/// The same key without a certificate.
pub fn raw_p256() -> Arc<Credential> {
    static LOADED: OnceLock<Arc<Credential>> = OnceLock::new();
    Arc::clone(LOADED.get_or_init(|| raw_credential(Key::P256)))
}

/// `HKDF-Expand-Label` for outputs of at most one hash (RFC 9846 section 7.1, RFC 5869 section 2.3).
pub fn expand_label(hash: &dyn Hash, secret: &[u8], label: &str, context: &[u8], len: usize) -> Vec<u8> {
    assert!(len <= hash.output_len());
    let mut info = vec![0, len as u8, 6 + label.len() as u8];
    info.extend(b"tls13 ");
    info.extend(label.as_bytes());
    info.push(context.len() as u8);
    info.extend(context);
    let mut out = vec![0; hash.output_len()];
    hash.hmac(secret, &[&info, &[1]], &mut out).unwrap();
    out.truncate(len);
    out
}

/// One direction under one traffic secret.
pub struct Lane {
    suite: &'static Suite,
    secret: Vec<u8>,
    key: Box<dyn AeadKey>,
    iv: Vec<u8>,
    pub sequence: u64,
}

impl Lane {
    pub fn new(suite: &'static Suite, secret: &[u8]) -> Self {
        let key = expand_label(suite.hash, secret, "key", b"", suite.aead.key_len());
        let iv = expand_label(suite.hash, secret, "iv", b"", 12);
        Self { suite, secret: secret.to_vec(), key: suite.aead.key(&key).unwrap(), iv, sequence: 0 }
    }

    /// The keys behind a KeyUpdate (RFC 9846 section 7.2).
    pub fn update(&mut self) {
        let hash = self.suite.hash;
        *self =
            Self::new(self.suite, &expand_label(hash, &self.secret, "traffic upd", b"", hash.output_len()));
    }

    fn nonce(&self) -> Nonce {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.sequence.to_be_bytes());
        nonce.iter_mut().zip(&self.iv).for_each(|(a, b)| *a ^= b);
        Nonce(nonce)
    }

    /// A record whose TLSInnerPlaintext is `inner`.
    pub fn seal_inner(&mut self, inner: &[u8]) -> Vec<u8> {
        let mut record = record(DATA, &[inner, &[0; 16]].concat());
        let (header, body) = record.split_at_mut(5);
        let (body, tag) = body.split_last_chunk_mut::<16>().unwrap();
        self.key.seal_in_place(&self.nonce(), header, body, tag).unwrap();
        self.sequence += 1;
        record
    }

    pub fn seal(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        self.seal_inner(&[content, &[kind]].concat())
    }

    pub fn open(&mut self, record: &[u8]) -> Option<(u8, Vec<u8>)> {
        let (header, body) = record.split_at(5);
        let mut body = body.to_vec();
        let len = self.key.open_in_place(&self.nonce(), header, &mut body).ok()?;
        self.sequence += 1;
        body.truncate(len);
        let end = body.iter().rposition(|byte| *byte != 0).unwrap();
        let kind = body[end];
        body.truncate(end);
        Some((kind, body))
    }
}

/// A plaintext record.
pub fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 3, 3];
    record.extend((content.len() as u16).to_be_bytes());
    record.extend(content);
    record
}

/// Whole records, apart.
pub fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let len = 5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        found.push(bytes[..len].to_vec());
        bytes = &bytes[len..];
    }
    found
}

/// A handshake message.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(&(body.len() as u32).to_be_bytes()[1..]);
    message.extend(body);
    message
}

/// Whole handshake messages, apart.
pub fn messages(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let len = 4 + u32::from_be_bytes([0, bytes[1], bytes[2], bytes[3]]) as usize;
        found.push(bytes[..len].to_vec());
        bytes = &bytes[len..];
    }
    found
}

/// A vector with a length of `width` bytes.
pub fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[4 - width..], content].concat()
}

/// An extension.
pub fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vector(2, data)].concat()
}

pub fn extensions(mut block: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    while !block.is_empty() {
        let len = usize::from(u16::from_be_bytes([block[2], block[3]]));
        found.push((u16::from_be_bytes([block[0], block[1]]), block[4..4 + len].to_vec()));
        block = &block[4 + len..];
    }
    found
}

/// A ClientHello (`tail`: suites and compression methods, each with its length) or a ServerHello or
/// HelloRetryRequest (`tail`: suite and compression method), taken apart to be changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    pub kind: u8,
    pub version: u16,
    pub random: [u8; 32],
    pub session: Vec<u8>,
    pub suites: Vec<u8>,
    pub compression: Vec<u8>,
    pub extensions: Vec<(u16, Vec<u8>)>,
}

impl Hello {
    pub fn parse(message: &[u8]) -> Self {
        let (kind, body) = (message[0], &message[4..]);
        let (session, rest) = body[35..].split_at(usize::from(body[34]));
        let (suites, rest) = match kind {
            CLIENT_HELLO => rest[2..].split_at(usize::from(u16::from_be_bytes([rest[0], rest[1]]))),
            _ => rest.split_at(2),
        };
        let (compression, rest) = match kind {
            CLIENT_HELLO => rest[1..].split_at(usize::from(rest[0])),
            _ => rest.split_at(1),
        };
        Self {
            kind,
            version: u16::from_be_bytes([body[0], body[1]]),
            random: body[2..34].try_into().unwrap(),
            session: session.to_vec(),
            suites: suites.to_vec(),
            compression: compression.to_vec(),
            extensions: extensions(&rest[2..]),
        }
    }

    pub fn write(&self) -> Vec<u8> {
        let block: Vec<u8> = self.extensions.iter().flat_map(|(kind, data)| extension(*kind, data)).collect();
        let width = |n| if self.kind == CLIENT_HELLO { n } else { 0 };
        let body = [
            &self.version.to_be_bytes()[..],
            &self.random,
            &vector(1, &self.session),
            &vector(width(2), &self.suites),
            &vector(width(1), &self.compression),
            &vector(2, &block),
        ]
        .concat();
        message(self.kind, &body)
    }

    pub fn data(&self, kind: u16) -> Option<&Vec<u8>> {
        self.extensions.iter().find(|(found, _)| *found == kind).map(|(_, data)| data)
    }

    /// Replaces an extension, or adds it at the end.
    pub fn set(&mut self, kind: u16, data: &[u8]) {
        match self.extensions.iter_mut().find(|(found, _)| *found == kind) {
            Some((_, old)) => *old = data.to_vec(),
            None => self.extensions.push((kind, data.to_vec())),
        }
    }

    pub fn remove(&mut self, kind: u16) {
        self.extensions.retain(|(found, _)| *found != kind);
    }
}

/// What a connection said: under which keys, of which content type, and what.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub epoch: Epoch,
    pub kind: u8,
    pub content: Vec<u8>,
}

impl Said {
    pub fn alert(epoch: Epoch, code: AlertCode) -> Self {
        Self { epoch, kind: ALERT, content: vec![2, code.0] }
    }
}

/// Which side is under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

/// A connection under test, whose peer is the test; the connection must reveal its secrets.
pub struct Puppet<E> {
    pub party: Party<E>,
    pub role: Role,
    pub suite: &'static Suite,
    into: [Option<Lane>; 3],
    out_of: [Option<Lane>; 3],
    pub said: Vec<Said>,
}

impl<E: Endpoint> Puppet<E> {
    pub fn new(party: Party<E>, role: Role) -> Self {
        let (into, out_of) = ([None, None, None], [None, None, None]);
        let mut puppet = Self { party, role, suite: suite(), into, out_of, said: Vec::new() };
        puppet.listen();
        puppet
    }

    /// Gives raw bytes to the connection.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.party.inbox.extend(bytes);
        let result = self.party.run();
        self.listen();
        result
    }

    /// The lane into the connection.
    pub fn lane(&mut self, epoch: Epoch) -> &mut Lane {
        self.open_lanes();
        self.into[index(epoch)].as_mut().expect("the connection has no such keys yet")
    }

    /// A record of this content under the keys of `epoch`.
    pub fn record(&mut self, epoch: Epoch, kind: u8, content: &[u8]) -> Vec<u8> {
        match epoch {
            Epoch::Plaintext => record(kind, content),
            _ => self.lane(epoch).seal(kind, content),
        }
    }

    pub fn say(&mut self, epoch: Epoch, kind: u8, content: &[u8]) -> Result<(), Error> {
        let record = self.record(epoch, kind, content);
        self.feed(&record)
    }

    /// Handshake messages in one record; keys change behind a KeyUpdate after the handshake.
    pub fn tell(&mut self, epoch: Epoch, content: &[u8]) -> Result<(), Error> {
        let told = self.say(epoch, HANDSHAKE, content);
        if epoch == Epoch::Application && content.starts_with(&[KEY_UPDATE]) {
            self.lane(epoch).update();
        }
        told
    }

    /// Handshake messages that were said so far, from position `from` on.
    pub fn told(&self) -> Vec<Vec<u8>> {
        let content: Vec<u8> = self
            .said
            .iter()
            .filter(|said| said.kind == HANDSHAKE)
            .flat_map(|said| said.content.clone())
            .collect();
        messages(&content)
    }

    /// Checks that the connection ended with `alert`, typed, told to the peer under the keys of `epoch` as the last
    /// thing that it said, and that it stays so.
    #[track_caller]
    pub fn refuses(&mut self, result: Result<(), Error>, alert: AlertCode, epoch: Epoch, what: &str) {
        let error = result.expect_err(what);
        assert_eq!(error.alert(), Some(alert), "{what}: {error}");
        assert!(matches!(error, Error::Peer(_) | Error::Refused(_)), "{what}: {error:?}");
        assert_eq!(self.said.last(), Some(&Said::alert(epoch, alert)), "{what}: the alert on the wire");
        let alerts = self.said.iter().filter(|said| said.kind == ALERT).count();
        assert_eq!(alerts, 1, "{what}");
        if self.role == Role::Client && epoch != Epoch::Plaintext {
            let changes = self.said.iter().filter(|said| said.kind == CCS).count();
            assert_eq!(changes, 1, "{what}: one ChangeCipherSpec before what is protected");
        }
        self.stays_dead(&error, what);
    }

    /// Checks that every further call gives the same error and that nothing more is sent.
    #[track_caller]
    pub fn stays_dead(&mut self, error: &Error, what: &str) {
        self.party.inbox.clear();
        for bytes in [&[][..], &[22, 3, 3, 0, 1, 0]] {
            assert_eq!(self.party.run().as_ref(), Err(error), "{what}");
            self.party.inbox = bytes.to_vec();
        }
        assert_eq!(self.party.conn.write(&[b"x"], &mut self.party.out).as_ref(), Err(error), "{what}");
        assert!(self.party.out.is_empty(), "{what}: nothing is sent after the end");
    }

    fn open_lanes(&mut self) {
        use SecretLabel::{ClientEarlyTraffic, ClientHandshakeTraffic, ClientTraffic};
        use SecretLabel::{ServerHandshakeTraffic, ServerTraffic};
        for (label, secret) in &self.party.secrets {
            let (sender, position) = match label {
                ClientHandshakeTraffic => (Role::Client, 0),
                ClientTraffic => (Role::Client, 1),
                ServerHandshakeTraffic => (Role::Server, 0),
                ServerTraffic => (Role::Server, 1),
                ClientEarlyTraffic => (Role::Client, 2),
                _ => continue,
            };
            let lanes = if sender == self.role { &mut self.out_of } else { &mut self.into };
            lanes[position].get_or_insert_with(|| Lane::new(self.suite, secret));
        }
    }

    /// Takes down what the connection said.
    fn listen(&mut self) {
        let bytes = self.party.flush();
        self.hear(&bytes);
    }

    /// The same of bytes that the connection sent.
    pub fn hear(&mut self, bytes: &[u8]) {
        self.open_lanes();
        for record in records(bytes) {
            if record[0] != DATA {
                let (kind, content) = (record[0], record[5..].to_vec());
                self.said.push(Said { epoch: Epoch::Plaintext, kind, content });
                continue;
            }
            let epochs = [(2, Epoch::Early), (0, Epoch::Handshake), (1, Epoch::Application)];
            let opened = epochs.into_iter().find_map(|(n, epoch)| {
                let (kind, content) = self.out_of[n].as_mut()?.open(&record)?;
                Some(Said { epoch, kind, content })
            });
            let said = opened.expect("a record of the connection opens under its own keys");
            if said.epoch == Epoch::Application && said.kind == HANDSHAKE && said.content[0] == KEY_UPDATE {
                self.out_of[1].as_mut().unwrap().update();
            }
            self.said.push(said);
        }
    }
}

fn index(epoch: Epoch) -> usize {
    match epoch {
        Epoch::Handshake => 0,
        Epoch::Application => 1,
        Epoch::Early => 2,
        Epoch::Plaintext => panic!("{epoch:?} has no keys here"),
    }
}
