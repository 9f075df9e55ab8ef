//! Client and server driven with the randomness and the peer's records of a trace: they must send exactly its records.
//!
//! Replaced are ClientHello, EncryptedExtensions, CertificateRequest, NewSessionTicket and the cookie: see
//! `handshake::replay`. Everything else, with all keys, binders and records, is what the connections make themselves.

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

use super::{FULL_HANDSHAKES, RESUMABLE, RESUMED, Role, Section, Step, section};
use crate::codepoint::{CipherSuite, NamedGroup, SignatureScheme};
use crate::config::{ClientAuth, ClientConfig, Credential, Reach, ReplayGuarded, ServerConfig};
use crate::conn::{
    Client, EarlyVerdict, Event, NotResumed, Offer, SecretLabel, SendBuf, Server, Step as Progress,
};
use crate::crypto::{Failed, HashSecret, Provider, Rng, rustcrypto};
use crate::error::Error;
use crate::handshake::replay::Replay;
use crate::identity::Claim;
use crate::moment::Moment;
use crate::psk::{Session, Ticket};
use crate::question::{Answer, KnownPsk, PeerEvidence, Question};

const SUITES: &[CipherSuite] = &[CipherSuite::TLS_AES_128_GCM_SHA256];

/// The lifetime of the ticket in the trace, in seconds.
const TICKET_LIFETIME: u32 = 30;

/// How many bytes of early data the ticket permits.
const MAX_EARLY_DATA: u32 = 1024;

/// When the ticket was issued; the trace does not say.
const ISSUED: Moment = Moment::from_secs(1_000_000);

/// The age of the ticket when it is used, in milliseconds: the obfuscated one without the ticket's `ticket_age_add`.
const AGE: u32 = 6;

fn resumed_at() -> Moment {
    ISSUED.plus(Duration::from_millis(AGE.into()))
}

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
    fn write_early(&mut self, payload: &[u8], out: &mut SendBuf) -> Result<usize, Error>;
    fn close(&mut self, out: &mut SendBuf);
}

macro_rules! connection {
    ($($type:ty, $write_early:expr;)*) => {$(
        impl Connection for $type {
            fn write_early(&mut self, payload: &[u8], out: &mut SendBuf) -> Result<usize, Error> {
                $write_early(self, payload, out)
            }
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
connection! {
    Client, |conn: &mut Client, payload, out| conn.early_writer().unwrap().write(&[payload], out);
    Server, |_: &mut Server, _, _| panic!("only clients send early data");
}

/// What one connection leaves for the next.
#[derive(Default)]
struct Kept {
    ticket: Option<Ticket>,
    session: Option<Box<Session>>,
}

/// One side of a trace, played by a connection.
struct Player<'a> {
    section: &'a Section,
    role: Role,
    conn: Box<dyn Connection>,
    out: SendBuf,
    drawn: Arc<Drawn>,
    data: Vec<u8>,
    /// What became of early data, in order.
    early: Vec<&'static str>,
    /// What the server knows of the connection before, and what this one leaves.
    kept: Kept,
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

impl<'a> Player<'a> {
    fn client(section: &'a Section, ticket: Option<Ticket>) -> Self {
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
        let hellos = section.messages(Role::Client, "ClientHello");
        let mut messages: VecDeque<_> = hellos.iter().map(|hello| hello.to_vec()).collect();
        let offer = match ticket {
            Some(ticket) => {
                // The binder has to be made once more.
                messages[0].iter_mut().rev().take(32).for_each(|byte| *byte = 0);
                Offer::resume(ticket, resumed_at()).with_early_data()
            }
            None => Offer::fresh(),
        };
        Replay { messages, cookie: None }.start();
        let name = ServerName::try_from("server").unwrap();
        let mut out = SendBuf::with_limit(1 << 16);
        let conn = Client::start(&builder.build().unwrap(), name, offer, &mut out).unwrap();
        Self::new(section, Role::Client, Box::new(conn), out, drawn)
    }

    fn server(section: &'a Section, session: Option<Box<Session>>) -> Self {
        let kinds = ["EncryptedExtensions", "CertificateRequest", "NewSessionTicket"];
        let replaced = kinds.into_iter().flat_map(|kind| section.messages(Role::Server, kind));
        let messages = replaced.map(<[u8]>::to_vec).collect();
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
        let builder = ServerConfig::builder(provider);
        let builder = match session {
            Some(_) => builder.psk_only(),
            None => builder.credential(section.credential(Role::Server)),
        };
        let config = builder
            .suites(SUITES)
            .groups(&[group])
            .client_auth(client_auth)
            .early_data(MAX_EARLY_DATA, ReplayGuarded::new(Duration::from_secs(1), Reach::Process))
            .tickets(tickets.len().try_into().unwrap())
            .record_size_limit(16_385)
            .reveal_secrets();
        let cookie = section.retries().then(|| {
            // Behind the fixed part of a HelloRetryRequest: key_share (6 bytes), then cookie with two lengths.
            let cookie = &section.body(Role::Server, "ServerHello")[46..];
            let len = usize::from(u16::from_be_bytes([cookie[4], cookie[5]]));
            cookie[6..6 + len].to_vec()
        });
        Replay { messages, cookie }.start();
        let conn = Server::new(&config.build().unwrap()).unwrap();
        let player = Self::new(section, Role::Server, Box::new(conn), SendBuf::with_limit(1 << 16), drawn);
        Self { kept: Kept { ticket: None, session }, ..player }
    }

    fn new(
        section: &'a Section,
        role: Role,
        conn: Box<dyn Connection>,
        out: SendBuf,
        drawn: Arc<Drawn>,
    ) -> Self {
        Self {
            section,
            role,
            conn,
            out,
            drawn,
            data: Vec::new(),
            early: Vec::new(),
            kept: Kept::default(),
            secrets: 0,
            established: false,
            closed: false,
        }
    }

    /// Plays the whole trace.
    fn play(mut self) -> Kept {
        for step in &self.section.steps {
            let Some((payload, record)) = step.record() else { continue };
            if step.role == self.role {
                self.send(step, payload, record);
            } else {
                // Early data and the server's flight cross.
                let crossing = self.role == Role::Server && self.is_early(payload);
                let more = self.out.pending().len();
                assert!(more == 0 || crossing, "{more} bytes more than in the trace");
                self.receive(record);
            }
        }
        assert!(self.out.is_empty() && self.established && self.closed);
        let (secrets, early): (_, &[_]) = match (self.section.early_data(), self.role) {
            (None, _) => (5, &[]),
            (Some(_), Role::Client) => (7, &["accepted"]),
            (Some(_), Role::Server) => (7, &["open", "data", "end"]),
        };
        assert_eq!((self.secrets, &*self.early), (secrets, early));
        assert!(self.drawn.0.lock().unwrap().is_empty(), "everything was drawn");
        let left = Replay::stop().unwrap();
        assert!(left.messages.is_empty() && left.cookie.is_none(), "everything was replaced");
        let peer = if self.role == Role::Client { Role::Server } else { Role::Client };
        assert_eq!(self.data, self.section.all(peer, "send application_data", "payload").concat());
        self.kept
    }

    /// Whether this is the early data of the trace.
    fn is_early(&self, payload: &[u8]) -> bool {
        self.section.early_data() == Some(payload)
    }

    /// The next record that the connection sends must be that of the trace.
    fn send(&mut self, step: &Step, payload: &[u8], record: &[u8]) {
        if self.is_early(payload) {
            assert_eq!(self.conn.write_early(payload, &mut self.out), Ok(payload.len()));
        } else if step.action.starts_with("send application_data") {
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
                    let answer = self.answer(question);
                    self.conn.resume(answer, &mut self.out).unwrap();
                }
                Event::Established(summary) => {
                    let resumed = self.section.early_data().is_some();
                    assert_eq!((summary.resumed.is_ok(), summary.early_data.is_ok()), (resumed, resumed));
                    self.established = true;
                }
                Event::Ticket(ticket) => self.kept.ticket = Some(ticket.received(ISSUED)),
                Event::EarlyVerdict(EarlyVerdict::Accepted) => self.early.push("accepted"),
                Event::EarlyOpen(opening) => {
                    assert_eq!(
                        (opening.server_name.as_deref(), opening.max),
                        (Some("server"), MAX_EARLY_DATA)
                    );
                    self.early.push("open");
                }
                Event::Early(early) => {
                    self.data.extend_from_slice(early.accept_replayable().bytes);
                    self.early.push("data");
                }
                Event::EarlyEnd => self.early.push("end"),
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

    fn answer(&mut self, question: Question) -> Answer {
        let (section, role) = (self.section, self.role);
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
                question.verified(Claim::subject("traced", expires).chain(chain))
            }
            Question::ChooseCredential(question) => question.with(Arc::new(section.credential(role))),
            Question::SealTicket(question) => {
                self.kept.session = Some(Box::new(question.session(ISSUED, TICKET_LIFETIME, 0)));
                question.sealed([7; 32].into(), TICKET_LIFETIME)
            }
            Question::LookupPsk(question) => {
                let session = self.kept.session.take().unwrap();
                let [offered] = question.identities() else { panic!("the trace has one ticket") };
                let resumable = super::section(RESUMABLE);
                let ticket = resumable.body(Role::Server, "NewSessionTicket");
                assert!(ticket.windows(offered.identity.len()).any(|window| window == offered.identity));
                assert_eq!(offered.obfuscated_ticket_age, session.age_add.wrapping_add(AGE));
                let known = Vec::from([(0, KnownPsk::Session(session))]);
                question.known(known, resumed_at(), NotResumed::Unknown)
            }
            Question::CheckReplay(question) => {
                let binder = section.first(Role::Client, "calculate PSK binder", "finished");
                let flight = question.flight();
                assert_eq!((&flight.id[..], flight.issued), (binder, ISSUED));
                question.fresh()
            }
            other => panic!("unexpected {other:?}"),
        }
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
        "CLIENT_EARLY_TRAFFIC_SECRET" => "derive secret \"tls13 c e traffic",
        "EARLY_EXPORTER_SECRET" => "derive secret \"tls13 e exp master",
        other => panic!("unexpected {other}"),
    };
    // Only the side that knows a secret first spells it out.
    let roles = [Role::Client, Role::Server];
    roles.into_iter().flat_map(|role| section.all(role, action, "expanded")).next().unwrap()
}

#[test]
fn a_client_sends_the_records_of_the_traces() {
    for number in FULL_HANDSHAKES {
        Player::client(&section(number), None).play();
    }
}

#[test]
fn a_server_sends_the_records_of_the_traces() {
    for number in FULL_HANDSHAKES {
        Player::server(&section(number), None).play();
    }
}

/// The pre-shared key that the trace enters its early secret with.
fn psk(section: &Section) -> &[u8] {
    section.first(Role::Client, "extract secret \"early\"", "IKM")
}

#[test]
fn a_client_resumes_with_early_data_as_in_the_trace() {
    let (first, resumed) = (section(RESUMABLE), section(RESUMED));
    let ticket = Player::client(&first, None).play().ticket.unwrap();
    assert_eq!((ticket.max_early_data(), ticket.alpn()), (MAX_EARLY_DATA, None));
    // What it was encoded to is what it is offered as: the PSK of the one trace is that of the other.
    let issued = Ticket::decode(&ticket.encode().unwrap()).unwrap().into_issued();
    assert!(issued.psk.matches(psk(&resumed)));
    assert_eq!(issued.age_add.to_be_bytes(), first.body(Role::Server, "NewSessionTicket")[4..8]);
    Player::client(&resumed, Some(ticket)).play();
}

#[test]
fn a_server_resumes_and_reads_early_data_as_in_the_trace() {
    let (first, resumed) = (section(RESUMABLE), section(RESUMED));
    let mut session = Player::server(&first, None).play().session.unwrap();
    assert_eq!(session.max_early_data, MAX_EARLY_DATA);
    // The trace counts its tickets in two bytes, we in one.
    session.psk = HashSecret::copy_of(first.ticket_psk()).unwrap();
    assert!(session.psk.matches(psk(&resumed)));
    Player::server(&resumed, Some(session)).play();
}
