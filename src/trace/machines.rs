//! Client and server driven with the randomness and the peer's records of a trace: they must send exactly its records.
//!
//! Replaced are ClientHello, EncryptedExtensions, CertificateRequest, NewSessionTicket and the cookie: see
//! `handshake::replay`. Everything else, with all keys and every record, is what the connections make themselves.

extern crate std;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::sync::Mutex;

use p256::pkcs8::SubjectPublicKeyInfoRef;
use p256::pkcs8::der::Decode;
use rsa::RsaPublicKey;
use rsa::pss::{Signature, VerifyingKey};
use rsa::signature::Verifier;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::Sha256;

use super::{FULL_HANDSHAKES, Role, Section, Step, section};
use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use crate::config::{ClientAuth, ClientConfig, Credential, ServerConfig};
use crate::conn::{Client, Event, Offer, SecretLabel, SendBuf, Server, Step as Progress};
use crate::crypto::{Failed, Provider, Rng, rustcrypto};
use crate::error::Error;
use crate::handshake::replay::Replay;
use crate::question::{Answer, Identity, Peer, PeerEvidence, Question};

const SUITES: &[CipherSuite] = &[CipherSuite::TLS_AES_128_GCM_SHA256];

/// The lifetime of the ticket in the trace, in seconds.
const TICKET_LIFETIME: u32 = 30;

/// Gives out what the trace drew, in the order in which a connection draws it.
struct Drawn(Mutex<VecDeque<Vec<u8>>>);

impl Rng for Drawn {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        out.copy_from_slice(&self.0.lock().unwrap().pop_front().expect("one draw too many"));
        Ok(())
    }
}

fn provider(draws: &[&[u8]]) -> (Provider, Arc<Drawn>) {
    let rng = Arc::new(Drawn(Mutex::new(draws.iter().map(|draw| draw.to_vec()).collect())));
    (Provider { rng: rng.clone(), ..rustcrypto::provider() }, rng)
}

/// A client or a server.
trait Connection {
    fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Progress<'b>, Error>;
    fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error>;
    fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error>;
    fn close(&mut self, out: &mut SendBuf);
}

macro_rules! connection {
    ($($type:ty),*) => {$(
        impl Connection for $type {
            fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Progress<'b>, Error> {
                self.process(input, out)
            }
            fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
                self.resume(answer, out)
            }
            fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
                self.write(parts, out)
            }
            fn close(&mut self, out: &mut SendBuf) {
                self.close(out);
            }
        }
    )*};
}
connection!(Client, Server);

/// One side of a trace, played by a connection.
struct Player<'a> {
    section: &'a Section,
    role: Role,
    conn: Box<dyn Connection>,
    out: SendBuf,
    drawn: Arc<Drawn>,
    data: Vec<u8>,
    secrets: usize,
    established: bool,
    closed: bool,
}

impl Section {
    fn has_session_id(&self) -> bool {
        self.body(Role::Client, "ClientHello")[34] != 0
    }

    fn random(&self, role: Role, kind: &str) -> &[u8] {
        &self.messages(role, kind).last().unwrap()[6..38]
    }

    fn private_keys(&self, role: Role) -> Vec<&[u8]> {
        self.all(role, "create an ephemeral", "private key")
    }

    /// What `role` authenticates with; its key is not at hand.
    fn credential(&self, role: Role) -> Credential {
        let leaf = CertificateDer::from(self.certificate(role).to_vec());
        let (scheme, _) = self.signature(role);
        Credential::remote([leaf].into(), [scheme].into()).unwrap()
    }

    /// The one certificate of `role`: behind an empty context, and two lengths of three bytes.
    fn certificate(&self, role: Role) -> &[u8] {
        let (certificate, extensions) = self.body(role, "Certificate")[7..].split_last_chunk::<2>().unwrap();
        assert_eq!(*extensions, [0, 0]);
        certificate
    }

    /// Scheme and signature of the CertificateVerify of `role`.
    fn signature(&self, role: Role) -> (SignatureScheme, &[u8]) {
        let (scheme, signature) = self.body(role, "CertificateVerify").split_first_chunk().unwrap();
        (SignatureScheme(u16::from_be_bytes(*scheme)), &signature[2..])
    }

    /// Checks that the trace's signature of `role` covers what we would have signed.
    fn check_signed(&self, role: Role, message: &[u8]) {
        const RSA_1024: &[u8] =
            b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x81\x8d\x00";
        const P256: &[u8] =
            b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
        let certificate = self.certificate(role);
        // The key's info is the sequence around its algorithm: a header of 3 or 2 bytes stands before that.
        let key = |algorithm: &[u8], header: usize, len: usize| {
            let at = certificate.windows(algorithm.len()).position(|window| window == algorithm).unwrap();
            &certificate[at - header..at - header + len]
        };
        match self.signature(role) {
            (scheme @ SignatureScheme::ECDSA_SECP256R1_SHA256, signature) => {
                rustcrypto::provider().verify(scheme, key(P256, 2, 91), message, signature).unwrap();
            }
            (scheme, signature) => {
                assert_eq!(scheme, SignatureScheme::RSA_PSS_RSAE_SHA256);
                // The provider refuses keys of 1,024 bits.
                let key = SubjectPublicKeyInfoRef::from_der(key(RSA_1024, 3, 162)).unwrap();
                let key = VerifyingKey::<Sha256>::new(RsaPublicKey::try_from(key).unwrap());
                key.verify(message, &Signature::try_from(signature).unwrap()).unwrap();
            }
        }
    }
}

fn replay(messages: &[&[u8]], cookie: Option<Vec<u8>>) {
    let messages = messages.iter().map(|message| message.to_vec()).collect();
    Replay { messages, cookie }.start();
}

impl<'a> Player<'a> {
    fn client(section: &'a Section) -> Self {
        const GROUPS: &[NamedGroup] = &[NamedGroup::X25519, NamedGroup::SECP256R1];
        let random = section.random(Role::Client, "ClientHello");
        let mut draws: Vec<&[u8]> = Vec::from([&[0; 16], random]);
        if section.has_session_id() {
            draws.push(&section.body(Role::Client, "ClientHello")[35..67]);
        }
        draws.extend(section.private_keys(Role::Client));
        let (provider, drawn) = provider(&draws);
        let builder = ClientConfig::builder(provider).suites(SUITES).groups(GROUPS);
        let builder = builder.record_size_limit(16_385).reveal_secrets();
        let builder = match section.has_session_id() {
            true => builder,
            false => builder.without_middlebox_compatibility(),
        };
        replay(&section.messages(Role::Client, "ClientHello"), None);
        let name = ServerName::try_from("server").unwrap();
        let mut out = SendBuf::with_limit(1 << 16);
        let conn = Client::start(&builder.build().unwrap(), name, Offer::fresh(), &mut out).unwrap();
        Self::new(section, Role::Client, Box::new(conn), out, drawn)
    }

    fn server(section: &'a Section) -> Self {
        let kinds = ["EncryptedExtensions", "CertificateRequest", "NewSessionTicket"];
        let replaced: Vec<&[u8]> =
            kinds.into_iter().flat_map(|kind| section.messages(Role::Server, kind)).collect();
        let tickets = section.messages(Role::Server, "NewSessionTicket");
        let mut draws: Vec<&[u8]> = Vec::from([&[0; 16], section.random(Role::Server, "ServerHello")]);
        draws.extend(section.private_keys(Role::Server));
        // ticket_age_add
        draws.extend(tickets.iter().map(|ticket| &ticket[8..12]));
        let (provider, drawn) = provider(&draws);
        let group = if section.retries() { NamedGroup::SECP256R1 } else { NamedGroup::X25519 };
        let asks = !section.messages(Role::Server, "CertificateRequest").is_empty();
        let client_auth = match asks {
            true => ClientAuth::Required { authorities: Vec::new() },
            false => ClientAuth::Off,
        };
        let config = ServerConfig::builder(provider)
            .suites(SUITES)
            .groups(&[group])
            .credential(section.credential(Role::Server))
            .client_auth(client_auth)
            .tickets(tickets.len().try_into().unwrap())
            .record_size_limit(16_385)
            .reveal_secrets();
        let cookie = section.retries().then(|| {
            // Behind the fixed part of a HelloRetryRequest: key_share (6 bytes), then cookie with two lengths.
            let cookie = &section.body(Role::Server, "ServerHello")[46..];
            let len = usize::from(u16::from_be_bytes([cookie[4], cookie[5]]));
            cookie[6..6 + len].to_vec()
        });
        replay(&replaced, cookie);
        let conn = Server::new(&config.build().unwrap()).unwrap();
        Self::new(section, Role::Server, Box::new(conn), SendBuf::with_limit(1 << 16), drawn)
    }

    fn new(
        section: &'a Section,
        role: Role,
        conn: Box<dyn Connection>,
        out: SendBuf,
        drawn: Arc<Drawn>,
    ) -> Self {
        let (data, secrets, established, closed) = (Vec::new(), 0, false, false);
        Self { section, role, conn, out, drawn, data, secrets, established, closed }
    }

    /// Plays the whole trace.
    fn play(mut self) {
        for step in &self.section.steps {
            let Some((payload, record)) = step.record() else { continue };
            if step.role == self.role {
                self.send(step, payload, record);
            } else {
                assert!(self.out.is_empty(), "{} bytes more than in the trace", self.out.pending().len());
                self.receive(record);
            }
        }
        assert!(self.out.is_empty() && self.established && self.closed);
        assert_eq!(self.secrets, 5);
        assert!(self.drawn.0.lock().unwrap().is_empty(), "everything was drawn");
        let left = Replay::stop().unwrap();
        assert!(left.messages.is_empty() && left.cookie.is_none(), "everything was replaced");
        let peer = if self.role == Role::Client { Role::Server } else { Role::Client };
        assert_eq!(self.data, self.section.all(peer, "send application_data", "payload").concat());
    }

    /// The next record that the connection sends must be that of the trace.
    fn send(&mut self, step: &Step, payload: &[u8], record: &[u8]) {
        if step.action.starts_with("send application_data") {
            assert_eq!(self.conn.write(&[payload], &mut self.out), Ok(payload.len()));
        } else if step.action.starts_with("send alert") {
            self.conn.close(&mut self.out);
        }
        let pending = self.out.pending();
        let sent = &pending[..record.len().min(pending.len())];
        assert_eq!(sent, record, "{} {:?}: {}", self.section.name, self.role, step.action);
        self.out.advance(record.len());
    }

    /// Takes a record of the peer, and everything that it causes.
    fn receive(&mut self, record: &[u8]) {
        let mut input = record.to_vec();
        let mut at = 0;
        loop {
            let Progress { consumed, event } = self.conn.process(&mut input[at..], &mut self.out).unwrap();
            at += consumed;
            match event {
                Event::NeedInput { .. } => break,
                Event::Progress | Event::RetrySent => {}
                Event::Ask(question) => {
                    let answer = answer(self.section, self.role, question);
                    self.conn.resume(answer, &mut self.out).unwrap();
                }
                Event::Established(_) => self.established = true,
                Event::Ticket(_) => {}
                Event::Data(plaintext) => self.data.extend_from_slice(plaintext.bytes),
                Event::Secret(revealed) => {
                    assert_eq!(revealed.secret.expose(), traced(self.section, revealed.label));
                    self.secrets += 1;
                }
                Event::PeerClosed => self.closed = true,
                other => panic!("unexpected {other:?}"),
            }
        }
        assert_eq!(at, record.len());
    }
}

fn answer(section: &Section, role: Role, question: Question) -> Answer {
    match question {
        Question::Sign(question) => {
            let (scheme, signature) = section.signature(role);
            assert_eq!(question.scheme(), scheme);
            section.check_signed(role, question.message());
            question.signed(signature.to_vec())
        }
        Question::VerifyPeer(question) => {
            let PeerEvidence::Fresh(presented) = question.evidence() else { panic!("nothing to resume") };
            let peer = if role == Role::Client { Role::Server } else { Role::Client };
            assert_eq!(presented.chain, section.credential(peer).chain());
            assert_eq!((presented.scheme, &*presented.signature), section.signature(peer));
            section.check_signed(peer, &presented.signed);
            let expires = UnixTime::since_unix_epoch(Duration::MAX);
            let chain = presented.chain.clone();
            question.verified(Peer::new(Identity::Subject("traced".into()), chain, expires))
        }
        Question::ChooseCredential(question) => question.with(Arc::new(section.credential(role))),
        Question::SealTicket(question) => question.sealed([7; 32].into(), TICKET_LIFETIME),
        other => panic!("unexpected {other:?}"),
    }
}

/// The traffic secret of this label in the trace.
fn traced(section: &Section, label: SecretLabel) -> &[u8] {
    let action = match label.key_log_name() {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => "derive secret \"tls13 c hs traffic",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET" => "derive secret \"tls13 s hs traffic",
        "CLIENT_TRAFFIC_SECRET_0" => "derive secret \"tls13 c ap traffic",
        "SERVER_TRAFFIC_SECRET_0" => "derive secret \"tls13 s ap traffic",
        "EXPORTER_SECRET" => "derive secret \"tls13 exp master",
        other => panic!("unexpected {other}"),
    };
    section.first(Role::Server, action, "expanded")
}

#[test]
fn a_client_sends_the_records_of_the_traces() {
    for number in FULL_HANDSHAKES {
        Player::client(&section(number)).play();
    }
}

#[test]
fn a_server_sends_the_records_of_the_traces() {
    for number in FULL_HANDSHAKES {
        Player::server(&section(number)).play();
    }
}
