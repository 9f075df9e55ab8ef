//! What the tests share: connections in memory, and answers that need no certificates.
//!
//! A "certificate" here is a label and the public key; the verification checks the signature by that key alone.
#![allow(dead_code)] // no test uses everything

pub mod fake;
pub mod flow;
pub mod forge;
pub mod psk;
pub mod resumption;

use std::sync::Arc;

use symbolon::codepoint::CertificateType;
use symbolon::config::{ClientConfig, ClientConfigBuilder, Credential, ServerConfig, ServerConfigBuilder};
use symbolon::conn::{
    Client, EarlyOpening, EarlyVerdict, Event, NewTicket, NotResumed, Offer, Plaintext, SendBuf, Server,
    Step, Summary, Unknowable,
};
use symbolon::crypto::{Provider, SigningKey, rustcrypto};
use symbolon::identity::Claim;
use symbolon::question::{Answer, PeerEvidence, Presented, PresentedKey, Question};
use symbolon::{AlertCode, Error, Refusal};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

/// Kinds of keys that a credential can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    P256,
    P384,
    Ed25519,
    Rsa2048,
}

pub const ALL_KEYS: [Key; 4] = [Key::P256, Key::P384, Key::Ed25519, Key::Rsa2048];

pub fn provider() -> Provider {
    rustcrypto::provider()
}

pub fn signing_key(kind: Key) -> Arc<dyn SigningKey> {
    let der: &'static [u8] = match kind {
        Key::P256 => include_bytes!("../../testvectors/keys/p256.pkcs8.der"),
        Key::P384 => include_bytes!("../../testvectors/keys/p384.pkcs8.der"),
        Key::Ed25519 => include_bytes!("../../testvectors/keys/ed25519.pkcs8.der"),
        Key::Rsa2048 => include_bytes!("../../testvectors/keys/rsa2048.pkcs8.der"),
    };
    (provider().load_key)(&PrivateKeyDer::Pkcs8(der.into())).unwrap()
}

/// A credential whose "certificate" is its public key.
pub fn credential(kind: Key) -> Arc<Credential> {
    let key = signing_key(kind);
    let leaf = CertificateDer::from(key.public_key().to_vec());
    Arc::new(Credential::new(vec![leaf], key).unwrap())
}

/// A credential that is its public key.
pub fn raw_credential(kind: Key) -> Arc<Credential> {
    Arc::new(Credential::raw_public_key(signing_key(kind)).unwrap())
}

pub fn name() -> ServerName<'static> {
    ServerName::try_from("example.test").unwrap()
}

pub fn client_config(change: impl FnOnce(ClientConfigBuilder) -> ClientConfigBuilder) -> Arc<ClientConfig> {
    change(ClientConfig::builder(provider())).build().unwrap()
}

pub fn server_config(change: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder) -> Arc<ServerConfig> {
    change(ServerConfig::builder(provider()).credential(credential(Key::P256))).build().unwrap()
}

/// Answers as an honest endpoint would.
#[derive(Clone)]
pub struct Answers {
    pub provider: Provider,
    /// For `Configure`.
    pub serving: Option<(Arc<ServerConfig>, Arc<Credential>)>,
    /// For `ChooseCredential`, where a certificate is wanted.
    pub credential: Option<Arc<Credential>>,
    /// For `ChooseCredential`, where a raw public key is wanted.
    pub raw_credential: Option<Arc<Credential>>,
    /// For what a server remembers.
    pub memory: Option<resumption::Memory>,
    /// For `VerifyPeer` about a peer that an earlier connection verified.
    pub resumed_peers: resumption::Verdict,
    /// The names of the questions, in order.
    pub asked: Vec<&'static str>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            provider: provider(),
            serving: None,
            credential: None,
            raw_credential: None,
            memory: None,
            resumed_peers: resumption::Verdict::Verified,
            asked: Vec::new(),
        }
    }
}

impl Answers {
    pub fn answer(&mut self, question: Question) -> Answer {
        self.asked.push(question.name());
        let question = match &self.memory {
            Some(memory) => match memory.answer(question) {
                Ok(answer) => return answer,
                Err(question) => question,
            },
            None => question,
        };
        match question {
            Question::Configure(question) => {
                let (config, credential) = self.serving.clone().unwrap();
                question.with(config, credential)
            }
            Question::LookupPsk(question) => question.none(NotResumed::Unknown),
            Question::CheckReplay(question) => question.unknown(Unknowable::NoGuard),
            Question::ChooseCredential(question) => {
                let ours = match question.certificate_type() {
                    CertificateType::RAW_PUBLIC_KEY => &self.raw_credential,
                    _ => &self.credential,
                };
                match ours {
                    Some(credential) => question.with(Arc::clone(credential)),
                    None => question.none(),
                }
            }
            Question::Sign(question) => question.with_own_key(&*self.provider.rng),
            Question::VerifyPeer(question) => {
                let expires = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1 << 33));
                let (verified, claim) = match question.evidence() {
                    PeerEvidence::Fresh(Presented { chain, scheme, signed, signature, .. }) => (
                        self.provider.verify(*scheme, &chain[0], signed, signature),
                        Claim::subject("tested", expires).chain(chain.clone()),
                    ),
                    PeerEvidence::RawPublicKey(PresentedKey { spki, scheme, signed, signature, .. }) => (
                        self.provider.verify(*scheme, spki, signed, signature),
                        Claim::raw_public_key(spki.clone(), expires),
                    ),
                    PeerEvidence::Resumed(_) => return self.resumed_peers.answer(*question),
                    other => panic!("unknown evidence {other:?}"),
                };
                match verified {
                    Ok(()) => question.verified(claim),
                    Err(failed) => question.refused(Refusal::new(AlertCode::DECRYPT_ERROR, failed)),
                }
            }
            Question::SealTicket(question) => question.sealed(vec![7; 32], 3600),
            other => panic!("unknown question {other:?}"),
        }
    }
}

/// A client or a server, for code that drives either.
pub trait Endpoint {
    fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error>;
    fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error>;
    fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error>;
}

macro_rules! endpoint {
    ($($type:ty),*) => {$(
        impl Endpoint for $type {
            fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error> {
                self.process(input, out)
            }
            fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
                self.resume(answer, out)
            }
            fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
                self.write(parts, out)
            }
        }
    )*};
}
endpoint!(Client, Server);

/// An endpoint with its buffers and what it has seen.
pub struct Party<E> {
    pub conn: E,
    pub out: SendBuf,
    pub inbox: Vec<u8>,
    pub answers: Answers,
    pub summary: Option<Summary>,
    pub data: Vec<u8>,
    pub closed: bool,
    pub tickets: Vec<NewTicket>,
    pub retry_sent: bool,
    pub secrets: Vec<(symbolon::conn::SecretLabel, Vec<u8>)>,
    pub messages: Vec<symbolon::conn::Reported>,
    /// Early data.
    pub early: Vec<u8>,
    pub opening: Option<EarlyOpening>,
    pub verdicts: Vec<EarlyVerdict>,
    /// What was told about data and the handshake, in order.
    pub events: Vec<&'static str>,
    /// The names of questions that wait for `release`.
    pub hold: Vec<&'static str>,
    pub held: Vec<Question>,
}

impl<E: Endpoint> Party<E> {
    pub fn new(conn: E, out: SendBuf, answers: Answers) -> Self {
        Self {
            conn,
            out,
            inbox: Vec::new(),
            answers,
            summary: None,
            data: Vec::new(),
            closed: false,
            tickets: Vec::new(),
            retry_sent: false,
            secrets: Vec::new(),
            messages: Vec::new(),
            early: Vec::new(),
            opening: None,
            verdicts: Vec::new(),
            events: Vec::new(),
            hold: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Takes everything that is pending out of the output buffer.
    pub fn flush(&mut self) -> Vec<u8> {
        let bytes = self.out.pending().to_vec();
        self.out.advance(bytes.len());
        bytes
    }

    /// Processes the inbox until more input is needed.
    pub fn run(&mut self) -> Result<(), Error> {
        let mut at = 0;
        let result = loop {
            match self.step(&mut at) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.inbox.drain(..at);
        result
    }

    /// Answers the questions that were held, and goes on.
    pub fn release(&mut self) -> Result<(), Error> {
        self.hold.clear();
        for question in std::mem::take(&mut self.held) {
            let answer = self.answers.answer(question);
            self.conn.resume(answer, &mut self.out)?;
        }
        self.run()
    }

    /// One call of `process`; whether to go on.
    fn step(&mut self, at: &mut usize) -> Result<bool, Error> {
        let Step { consumed, event } = self.conn.process(&mut self.inbox[*at..], &mut self.out)?;
        *at += consumed;
        match event {
            Event::NeedInput { at_least } => {
                assert!(at_least > 0);
                return Ok(false);
            }
            Event::Progress => {}
            Event::Ask(question) if self.hold.contains(&question.name()) => self.held.push(question),
            Event::Ask(question) => {
                let answer = self.answers.answer(question);
                self.conn.resume(answer, &mut self.out)?;
            }
            Event::Waiting => {
                assert!(!self.held.is_empty(), "every question was answered");
                return Ok(false);
            }
            Event::Established(summary) => {
                self.events.push("Established");
                self.summary = Some(*summary);
            }
            Event::Data(Plaintext { bytes, .. }) => {
                self.events.push("Data");
                self.data.extend_from_slice(bytes);
            }
            Event::EarlyOpen(opening) => {
                self.events.push("EarlyOpen");
                self.opening = Some(*opening);
            }
            Event::Early(early) => {
                self.events.push("Early");
                self.early.extend_from_slice(early.accept_replayable().bytes);
            }
            Event::EarlyEnd => self.events.push("EarlyEnd"),
            Event::EarlyVerdict(verdict) => {
                self.events.push("EarlyVerdict");
                self.verdicts.push(verdict);
            }
            Event::Secret(secret) => self.secrets.push((secret.label, secret.secret.expose().to_vec())),
            Event::Message(reported) => self.messages.push(reported),
            Event::RetrySent => self.retry_sent = true,
            Event::Ticket(ticket) => self.tickets.push(ticket),
            Event::PeerClosed => self.closed = true,
            other => panic!("unknown event {other:?}"),
        }
        Ok(true)
    }
}

/// A client and a server, with the wire between them in the test's hand.
pub struct Pair {
    pub client: Party<Client>,
    pub server: Party<Server>,
}

pub const LIMIT: usize = 1 << 20;

pub fn client(config: &Arc<ClientConfig>) -> Party<Client> {
    client_with(config, Offer::fresh())
}

/// A client that brings something along.
pub fn client_with(config: &Arc<ClientConfig>, offer: Offer) -> Party<Client> {
    let mut out = SendBuf::with_limit(LIMIT);
    let conn = Client::start(config, name(), offer, &mut out).unwrap();
    Party::new(conn, out, Answers::default())
}

pub fn server(config: &Arc<ServerConfig>) -> Party<Server> {
    Party::new(Server::new(config).unwrap(), SendBuf::with_limit(LIMIT), Answers::default())
}

impl Pair {
    pub fn new(client_config: &Arc<ClientConfig>, server_config: &Arc<ServerConfig>) -> Self {
        Self { client: client(client_config), server: server(server_config) }
    }

    /// A pair with the defaults of both sides.
    pub fn standard() -> Self {
        Self::new(&client_config(|b| b), &server_config(|b| b))
    }

    /// An established pair with the defaults of both sides.
    pub fn established() -> Self {
        let mut pair = Self::standard();
        pair.run().unwrap();
        assert!(pair.client.summary.is_some() && pair.server.summary.is_some());
        pair
    }

    /// Carries bytes both ways until nothing moves; the first error of either side ends it.
    pub fn run(&mut self) -> Result<(), Error> {
        loop {
            let (up, down) = (self.client.flush(), self.server.flush());
            if up.is_empty() && down.is_empty() {
                return Ok(());
            }
            self.server.inbox.extend(up);
            self.client.inbox.extend(down);
            self.server.run()?;
            self.client.run()?;
        }
    }

    /// Writes `bytes` on the client and carries them over.
    pub fn send_up(&mut self, bytes: &[u8]) {
        assert_eq!(self.client.conn.write(&[bytes], &mut self.client.out), Ok(bytes.len()));
        self.run().unwrap();
    }

    /// Writes `bytes` on the server and carries them over.
    pub fn send_down(&mut self, bytes: &[u8]) {
        assert_eq!(self.server.conn.write(&[bytes], &mut self.server.out), Ok(bytes.len()));
        self.run().unwrap();
    }
}
