//! Listens to one side with the secrets that it reveals: takes its records apart as a peer would, and holds each against
//! what may be said at all.

use symbolon::AlertCode;
use symbolon::codepoint::HandshakeType;
use symbolon::conn::{Epoch, MessageKind, Revealed, SecretLabel};
use symbolon::crypto::{AeadKey, Expansion, HashSecret, Nonce, Suite};

use super::stream::{self, Way};

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

const SERVER_HELLO: u8 = 2;
const FINISHED: u8 = 20;
const KEY_UPDATE: u8 = 24;

/// The random of a HelloRetryRequest (RFC 9846 section 4.2.3), its first bytes.
const RETRY: [u8; 8] = [0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11];

/// An alert, and what protected it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    pub epoch: Epoch,
    pub level: u8,
    pub code: u8,
}

/// A message: what it was, its length in bytes, and what protected it.
pub type Said = (MessageKind, usize, Epoch);

/// One side's output.
pub struct Tap {
    way: Way,
    connection: usize,
    suites: &'static [&'static Suite],
    /// How much a record of application data may hold.
    limit: usize,
    bytes: Vec<u8>,
    secrets: Vec<(Epoch, HashSecret)>,
    epoch: Epoch,
    lane: Option<Lane>,
    messages: Vec<u8>,
    compatibility: usize,
    /// Its provider failed: what it says behind that may be cut off, or under keys that nobody was shown.
    pub excused: bool,
    pub alerts: Vec<Alert>,
    /// Every message, in order.
    pub said: Vec<Said>,
    /// Bytes of early data and of application data.
    pub early: usize,
    pub data: usize,
    /// KeyUpdates that a limit on records made necessary.
    pub forced_updates: usize,
    pub server_hello: bool,
    pub retry: bool,
    pub finished: bool,
}

/// Keys of one direction.
struct Lane {
    suite: &'static Suite,
    secret: HashSecret,
    key: Box<dyn AeadKey>,
    iv: [u8; 12],
    sequence: u64,
}

impl Lane {
    fn new(suite: &'static Suite, secret: &HashSecret) -> Self {
        let (mut key, mut iv) = ([0; 32], [0; 12]);
        let key = &mut key[..suite.aead.key_len()];
        expand(suite, secret, b"key", key);
        expand(suite, secret, b"iv", &mut iv);
        let secret = HashSecret::copy_of(secret.expose()).unwrap();
        Self { suite, secret, key: suite.aead.key(key).unwrap(), iv, sequence: 0 }
    }

    /// The keys behind a KeyUpdate (RFC 9846 section 7.2).
    fn next(&self) -> Self {
        let mut secret = HashSecret::zeroed(self.secret.len());
        expand(self.suite, &self.secret, b"traffic upd", secret.expose_mut());
        Self::new(self.suite, &secret)
    }

    /// Whether hardly a record may follow under these keys.
    fn is_used_up(&self) -> bool {
        self.sequence + 4 > self.suite.aead.record_limit()
    }

    fn open(&mut self, record: &[u8]) -> Option<Vec<u8>> {
        let (header, body) = record.split_at(5);
        let mut nonce = self.iv;
        nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()).for_each(|(byte, of)| *byte ^= of);
        let mut body = body.to_vec();
        let len = self.key.open_in_place(&Nonce(nonce), header, &mut body).ok()?;
        self.sequence += 1;
        assert!(self.sequence <= self.suite.aead.record_limit(), "more records than a key may protect");
        body.truncate(len);
        Some(body)
    }
}

/// HKDF-Expand-Label without a context (RFC 9846 section 7.1).
fn expand(suite: &Suite, secret: &HashSecret, label: &[u8], out: &mut [u8]) {
    let len = (out.len() as u16).to_be_bytes();
    let info = [&len[..], &[6 + label.len() as u8], b"tls13 ", label, &[0]].concat();
    suite.hash.expand(secret.expose(), &mut [Expansion { info: &info, out }]).unwrap();
}

impl Tap {
    pub fn new(way: Way, connection: usize, suites: &'static [&'static Suite], limit: Option<usize>) -> Self {
        Self {
            way,
            connection,
            suites,
            limit: limit.unwrap_or((1 << 14) + 1),
            bytes: Vec::new(),
            secrets: Vec::new(),
            epoch: Epoch::Plaintext,
            lane: None,
            messages: Vec::new(),
            compatibility: 0,
            excused: false,
            alerts: Vec::new(),
            said: Vec::new(),
            early: 0,
            data: 0,
            forced_updates: 0,
            server_hello: false,
            retry: false,
            finished: false,
        }
    }

    /// A secret was revealed; those of the other direction are of no interest.
    pub fn learn(&mut self, revealed: Revealed) {
        let epoch = match (self.way, revealed.label) {
            (Way::Up, SecretLabel::ClientEarlyTraffic) => Epoch::Early,
            (Way::Up, SecretLabel::ClientHandshakeTraffic) => Epoch::Handshake,
            (Way::Down, SecretLabel::ServerHandshakeTraffic) => Epoch::Handshake,
            (Way::Up, SecretLabel::ClientTraffic) => Epoch::Application,
            (Way::Down, SecretLabel::ServerTraffic) => Epoch::Application,
            _ => return,
        };
        self.secrets.push((epoch, revealed.secret));
    }

    /// Whether the side has the secrets of the handshake.
    pub fn has_handshake_secret(&self) -> bool {
        self.secrets.iter().any(|(epoch, _)| *epoch == Epoch::Handshake)
    }

    /// Whether records are to be smaller than the standard permits.
    pub fn has_limit(&self) -> bool {
        self.limit <= 1 << 14
    }

    pub fn hear(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether close_notify was said.
    pub fn closed(&self) -> bool {
        self.alerts.last().is_some_and(|alert| alert.code == 0)
    }

    /// The alert that ended the connection, if one did.
    pub fn farewell(&self) -> Option<Alert> {
        self.alerts.iter().copied().find(|alert| alert.level == 2)
    }

    /// Takes apart everything that was heard; every secret is known by now.
    pub fn understand(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let len = 5 + usize::from(u16::from_be_bytes([rest[3], rest[4]]));
            let (record, behind) = rest.split_at(len);
            rest = behind;
            assert!(!self.closed() && self.farewell().is_none(), "a record behind the last alert");
            match record[0] {
                DATA => self.protected(record),
                kind => self.plain(kind, &record[5..]),
            }
        }
    }

    fn plain(&mut self, kind: u8, content: &[u8]) {
        assert!(content.len() <= 1 << 14 && !content.is_empty());
        match kind {
            CHANGE_CIPHER_SPEC => {
                self.compatibility += 1;
                assert!(content == [1] && self.compatibility == 1, "ChangeCipherSpec is sent once");
                self.said.push((MessageKind::ChangeCipherSpec, 1, Epoch::Plaintext));
            }
            // After early data a client speaks in the clear again: its second ClientHello, or an alert.
            ALERT | HANDSHAKE => {
                assert!(matches!(self.epoch, Epoch::Plaintext | Epoch::Early), "unprotected under keys");
                (self.epoch, self.lane) = (Epoch::Plaintext, None);
                self.content(kind, content);
            }
            _ => panic!("a record of type {kind}"),
        }
    }

    fn protected(&mut self, record: &[u8]) {
        let inner = self.lane.as_mut().and_then(|lane| lane.open(record));
        let Some(inner) = inner.or_else(|| self.rekey(record)) else {
            if self.excused {
                return;
            }
            let known: Vec<_> = self.secrets.iter().map(|(epoch, _)| epoch).collect();
            panic!("{:?}: nobody can read a record behind {:?}; known: {known:?}", self.way, self.epoch);
        };
        if self.epoch == Epoch::Application {
            assert!(inner.len() <= self.limit, "{} bytes in a record, {} permitted", inner.len(), self.limit);
        }
        assert!(inner.len() <= (1 << 14) + 1);
        let end = inner.iter().rposition(|byte| *byte != 0).expect("a content type");
        self.content(inner[end], &inner[..end]);
    }

    /// A later epoch's keys, by their first record.
    fn rekey(&mut self, record: &[u8]) -> Option<Vec<u8>> {
        let order = |epoch| match epoch {
            Epoch::Plaintext => 0,
            Epoch::Early => 1,
            Epoch::Handshake => 2,
            Epoch::Application => 3,
        };
        let later = self.secrets.iter().filter(|(epoch, _)| order(*epoch) > order(self.epoch));
        for (epoch, secret) in later {
            for suite in self.suites.iter().filter(|suite| suite.hash.output_len() == secret.len()) {
                let mut lane = Lane::new(suite, secret);
                if let Some(inner) = lane.open(record) {
                    (self.epoch, self.lane) = (*epoch, Some(lane));
                    return Some(inner);
                }
            }
        }
        None
    }

    fn content(&mut self, kind: u8, content: &[u8]) {
        assert!(
            kind == HANDSHAKE || self.messages.is_empty() || self.excused,
            "a handshake message is interrupted"
        );
        match kind {
            HANDSHAKE => {
                self.messages.extend_from_slice(content);
                self.hear_messages();
            }
            ALERT => {
                let [level, code] = *content else { panic!("an alert of {} bytes", content.len()) };
                self.alerts.push(Alert { epoch: self.epoch, level, code });
                self.said.push((MessageKind::Alert(AlertCode(code)), 2, self.epoch));
            }
            DATA if self.epoch == Epoch::Early => {
                let expected = stream::early(self.connection, self.early, content.len());
                assert_eq!(content, expected, "early data is not what was written");
                self.early += content.len();
            }
            DATA => {
                assert_eq!(self.epoch, Epoch::Application, "application data under these keys");
                let expected = stream::data(self.connection, self.way, self.data, content.len());
                assert!(content == expected, "application data is not what was written");
                self.data += content.len();
            }
            _ => panic!("content of type {kind}"),
        }
    }

    fn hear_messages(&mut self) {
        while let Some(header) = self.messages.first_chunk::<4>() {
            let len = 4 + u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
            if self.messages.len() < len {
                return;
            }
            let message: Vec<u8> = self.messages.drain(..len).collect();
            self.said.push((MessageKind::Handshake(HandshakeType(message[0])), len, self.epoch));
            match message[0] {
                SERVER_HELLO if message[6..].starts_with(&RETRY) => self.retry = true,
                SERVER_HELLO => self.server_hello = true,
                FINISHED => self.finished = true,
                KEY_UPDATE => {
                    assert!(self.epoch == Epoch::Application && self.messages.is_empty());
                    self.forced_updates += usize::from(self.lane.as_ref().is_some_and(Lane::is_used_up));
                    self.lane = self.lane.as_ref().map(Lane::next);
                }
                _ => {}
            }
        }
    }

    /// What must protect an alert that is sent now: the keys of the epoch that the side's own messages have reached.
    pub fn due_epoch(&self) -> Epoch {
        let has_keys = match self.way {
            Way::Up => self.has_handshake_secret(),
            Way::Down => self.server_hello,
        };
        match (has_keys, self.finished) {
            (false, _) => Epoch::Plaintext,
            (true, false) => Epoch::Handshake,
            (true, true) => Epoch::Application,
        }
    }
}
