//! A whole client and a whole server by hand: transcript and key schedule (RFC 9846 section 7.1) written once more,
//! on HMAC and the hash alone, so that the library is not its own judge.
#![allow(dead_code)] // no test uses everything

use super::forge::*;
use super::*;
use symbolon::codepoint::{NamedGroup, SignatureScheme};
use symbolon::crypto::{Exchange, Group, Suite};

/// The key schedule with its transcript.
pub struct Schedule {
    pub suite: &'static Suite,
    pub transcript: Vec<u8>,
    /// A pre-shared key, or zeros.
    pub psk: Vec<u8>,
    /// The handshake secret, then the main secret.
    stage: Vec<u8>,
    pub client: Vec<u8>,
    pub server: Vec<u8>,
}

impl Schedule {
    pub fn new(suite: &'static Suite) -> Self {
        let psk = vec![0; suite.hash.output_len()];
        let (stage, client, server) = (Vec::new(), Vec::new(), Vec::new());
        Self { suite, transcript: Vec::new(), psk, stage, client, server }
    }

    pub fn absorb(&mut self, message: &[u8]) {
        self.transcript.extend(message);
    }

    fn hash(&self, bytes: &[u8]) -> Vec<u8> {
        self.suite.hash.hash(&[bytes]).as_ref().to_vec()
    }

    fn mac(&self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![0; self.suite.hash.output_len()];
        self.suite.hash.hmac(key, &[bytes], &mut out).unwrap();
        out
    }

    fn expand(&self, secret: &[u8], label: &str, context: &[u8]) -> Vec<u8> {
        expand_label(self.suite.hash, secret, label, context, self.suite.hash.output_len())
    }

    fn derive(&self, label: &str) -> Vec<u8> {
        self.expand(&self.stage, label, &self.hash(&self.transcript))
    }

    /// `transcript` ends with ServerHello.
    pub fn handshake(&mut self, shared: &[u8]) {
        let zeros = vec![0; self.suite.hash.output_len()];
        let early = self.mac(&zeros, &self.psk);
        let derived = self.expand(&early, "derived", &self.hash(b""));
        self.stage = self.mac(&derived, shared);
        self.client = self.derive("c hs traffic");
        self.server = self.derive("s hs traffic");
    }

    /// `transcript` ends with the server's Finished.
    pub fn application(&mut self) {
        let derived = self.expand(&self.stage, "derived", &self.hash(b""));
        self.stage = self.mac(&derived, &vec![0; self.suite.hash.output_len()]);
        self.client = self.derive("c ap traffic");
        self.server = self.derive("s ap traffic");
    }

    /// A Finished message under a handshake traffic secret.
    pub fn finished(&self, secret: &[u8]) -> Vec<u8> {
        let key = self.expand(secret, "finished", b"");
        message(FINISHED, &self.mac(&key, &self.hash(&self.transcript)))
    }

    /// What a CertificateVerify signs.
    pub fn signed(&self, signer: &str) -> Vec<u8> {
        let context = format!("TLS 1.3, {signer} CertificateVerify");
        [&[0x20; 64], context.as_bytes(), &[0], &self.hash(&self.transcript)].concat()
    }

    /// Certificate and CertificateVerify of our one credential, which the transcript absorbs.
    fn authenticate(&mut self, signer: &str) -> [Vec<u8>; 2] {
        let key = p256_key();
        let entry = [vector(3, key.public_key()), vector(2, &[])].concat();
        let certificate = message(CERTIFICATE, &[vec![0], vector(3, &entry)].concat());
        self.absorb(&certificate);
        let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
        let signature = key.sign(&*provider().rng, scheme, &self.signed(signer)).unwrap();
        let verify =
            message(CERTIFICATE_VERIFY, &[&scheme.0.to_be_bytes()[..], &vector(2, &signature)].concat());
        self.absorb(&verify);
        [certificate, verify]
    }
}

fn p256_key() -> Arc<dyn SigningKey> {
    p256().key().unwrap().clone()
}

pub fn x25519() -> &'static dyn Group {
    provider().group(NamedGroup::X25519).unwrap()
}

/// One KeyShareEntry.
pub fn share(group: NamedGroup, key_exchange: &[u8]) -> Vec<u8> {
    [&group.0.to_be_bytes()[..], &vector(2, key_exchange)].concat()
}

/// A minimal ClientHello with one X25519 share.
pub fn hello(suite: &Suite, exchange: &dyn Exchange) -> Hello {
    let (group, bytes) = exchange.shares()[0].unwrap();
    Hello {
        kind: CLIENT_HELLO,
        version: 0x0303,
        random: [0x11; 32],
        session: vec![0x22; 32],
        suites: suite.id.0.to_be_bytes().to_vec(),
        compression: vec![0],
        extensions: vec![
            (43, vec![2, 3, 4]),
            (10, [&[0, 2][..], &group.0.to_be_bytes()].concat()),
            (13, vec![0, 2, 4, 3]),
            (51, vector(2, &share(group, bytes))),
        ],
    }
}

/// A client that a real server talks to.
pub struct FakeClient {
    pub schedule: Schedule,
    pub read: Lane,
    pub write: Lane,
    exchange: Option<Box<dyn Exchange>>,
    asked: bool,
    finished_secret: Vec<u8>,
}

impl FakeClient {
    /// Sends a ClientHello, changed by `change`, and reads the server's flight.
    pub fn start(server: &mut Party<Server>, suite: &'static Suite, change: impl FnOnce(&mut Hello)) -> Self {
        Self::start_with_psk(server, Schedule::new(suite), change)
    }

    /// The same with the pre-shared key of `schedule`, which `change` offers.
    pub fn start_with_psk(
        server: &mut Party<Server>,
        mut schedule: Schedule,
        change: impl FnOnce(&mut Hello),
    ) -> Self {
        let suite = schedule.suite;
        let exchange = x25519().start(&*provider().rng).unwrap();
        let mut hello = hello(suite, &*exchange);
        change(&mut hello);
        let hello = hello.write();
        schedule.absorb(&hello);
        server.inbox.extend(record(HANDSHAKE, &hello));
        server.run().unwrap();
        let lane = || Lane::new(suite, &vec![0; suite.hash.output_len()]);
        let mut fake = Self {
            schedule,
            read: lane(),
            write: lane(),
            exchange: Some(exchange),
            asked: false,
            finished_secret: Vec::new(),
        };
        fake.read_flight(&server.flush());
        fake
    }

    fn read_flight(&mut self, flight: &[u8]) {
        let mut records = records(flight).into_iter();
        let server_hello = records.next().unwrap()[5..].to_vec();
        assert_eq!(records.next().unwrap(), record(CCS, &[1]));
        let parsed = Hello::parse(&server_hello);
        let share = parsed.data(51).unwrap();
        assert_eq!(share[..4], [0, 0x1D, 0, 32]);
        let shared = self.exchange.take().unwrap().complete(NamedGroup::X25519, &share[4..]).unwrap();
        let schedule = &mut self.schedule;
        schedule.absorb(&server_hello);
        schedule.handshake(shared.expose());
        self.read = Lane::new(schedule.suite, &schedule.server);
        self.write = Lane::new(schedule.suite, &schedule.client);
        let mut content = Vec::new();
        for sealed in records {
            let (kind, part) = self.read.open(&sealed).expect("the server's flight opens");
            assert_eq!(kind, HANDSHAKE);
            content.extend(part);
        }
        for message in messages(&content) {
            match message[0] {
                CERTIFICATE_REQUEST => self.asked = true,
                CERTIFICATE_VERIFY => {
                    let key = p256_key();
                    let signed = schedule.signed("server");
                    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
                    provider().verify(scheme, key.public_key(), &signed, &message[8..]).unwrap();
                }
                FINISHED => assert_eq!(message, schedule.finished(&schedule.server)),
                _ => {}
            }
            schedule.absorb(&message);
        }
        self.finished_secret = schedule.client.clone();
        schedule.application();
        self.read = Lane::new(schedule.suite, &schedule.server);
    }

    /// The records of the second flight; application keys afterwards.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.asked {
            for message in self.schedule.authenticate("client") {
                out.extend(self.write.seal(HANDSHAKE, &message));
            }
        }
        out.extend(self.write.seal(HANDSHAKE, &self.schedule.finished(&self.finished_secret)));
        self.write = Lane::new(self.schedule.suite, &self.schedule.client);
        out
    }
}

/// A server that a real client talks to.
pub struct FakeServer {
    pub schedule: Schedule,
    pub read: Lane,
    pub write: Lane,
    client_finished: Vec<u8>,
}

impl FakeServer {
    /// Answers the client's ClientHello with a whole flight, a message a record.
    pub fn answer(client: &mut Party<Client>, suite: &'static Suite) -> Self {
        Self::answer_with(client, suite, &[message(ENCRYPTED_EXTENSIONS, &[0, 0])])
    }

    /// The same with these messages between ServerHello and Certificate.
    pub fn answer_with(client: &mut Party<Client>, suite: &'static Suite, before: &[Vec<u8>]) -> Self {
        let hello = client.flush()[5..].to_vec();
        let parsed = Hello::parse(&hello);
        let mut shares = &parsed.data(51).unwrap()[2..];
        while shares[..2] != [0, 0x1D] {
            shares = &shares[4 + usize::from(u16::from_be_bytes([shares[2], shares[3]]))..];
        }
        let response = x25519().respond(&*provider().rng, &shares[4..36]).unwrap();
        let reply = Hello {
            kind: SERVER_HELLO,
            random: [0x33; 32],
            suites: suite.id.0.to_be_bytes().to_vec(),
            extensions: vec![(43, vec![3, 4]), (51, share(NamedGroup::X25519, &response.share))],
            ..parsed
        };
        let reply = reply.write();
        let mut schedule = Schedule::new(suite);
        schedule.absorb(&hello);
        schedule.absorb(&reply);
        schedule.handshake(response.secret.expose());
        let read = Lane::new(suite, &schedule.client);
        let mut write = Lane::new(suite, &schedule.server);

        client.inbox.extend(record(HANDSHAKE, &reply));
        before.iter().for_each(|message| schedule.absorb(message));
        let [certificate, verify] = schedule.authenticate("server");
        let finished = schedule.finished(&schedule.server);
        schedule.absorb(&finished);
        for message in before.iter().chain(&[certificate, verify, finished]) {
            client.inbox.extend(write.seal(HANDSHAKE, message));
        }
        let client_finished = schedule.finished(&schedule.client);
        schedule.application();
        let write = Lane::new(suite, &schedule.server);
        Self { schedule, read, write, client_finished }
    }

    /// Reads the client's second flight.
    pub fn finish(&mut self, flight: &[u8]) {
        let records = records(flight);
        assert_eq!(records[0], record(CCS, &[1]));
        let finished = self.read.open(&records[1]).expect("the client's flight opens");
        assert_eq!(finished, (HANDSHAKE, self.client_finished.clone()));
        self.read = Lane::new(self.schedule.suite, &self.schedule.client);
    }
}
