//! A client and a server with the marking provider, and the wire between them, on which everything is public.

use std::sync::Arc;

use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use symbolon::config::{ClientConfig, ClientConfigBuilder, Credential, ServerConfig, ServerConfigBuilder};
use symbolon::conn::{Client, Event, Offer, SendBuf, Server, Step};
use symbolon::identity::Claim;
use symbolon::psk::{ExternalPsk, NotResumed, Session, Ticket};
use symbolon::question::{Answer, KnownPsk, PeerEvidence, Question, VerifyPeer};
use symbolon::{AlertCode, Error, Moment, Refusal};

use crate::marked::{plain, provider};
use crate::valgrind::{is_secret, make_public, secret_bytes, unreported};

const LIMIT: usize = 1 << 20;
pub const NOW: Moment = Moment::from_secs(1_800_000_000);
pub const LIFETIME: u32 = 3_600;

/// What both ends answer with.
pub struct Answers {
    pub client_credential: Option<Arc<Credential>>,
    pub session: Option<Box<Session>>,
    pub external: Option<Arc<ExternalPsk>>,
}

/// One end.
pub struct Side<E> {
    pub conn: E,
    pub out: SendBuf,
    pub inbox: Vec<u8>,
    pub is_established: bool,
    pub has_retried: bool,
    /// How many bytes of data came, and how many of them were secret.
    pub data: (usize, usize),
    /// How many bytes of early data came.
    pub early: usize,
    pub tickets: Vec<Ticket>,
    /// How many bytes left in the clear that depend on secrets: binders and cookies may.
    pub in_the_clear: usize,
}

/// A client and a server.
pub struct Link {
    pub client: Side<Client>,
    pub server: Side<Server>,
    pub answers: Answers,
}

/// What a client and a server have in common, for this code.
pub trait Endpoint {
    fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error>;
    fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error>;
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
        }
    )*};
}
endpoint!(Client, Server);

impl<E: Endpoint> Side<E> {
    fn new(conn: E, out: SendBuf) -> Self {
        Self {
            conn,
            out,
            inbox: Vec::new(),
            is_established: false,
            has_retried: false,
            data: (0, 0),
            early: 0,
            tickets: Vec::new(),
            in_the_clear: 0,
        }
    }

    /// Takes what is to be sent. From here on it is public.
    pub fn flush(&mut self) -> Vec<u8> {
        let bytes = self.out.pending().to_vec();
        self.out.advance(bytes.len());
        self.in_the_clear += secret_bytes(&bytes);
        make_public(&bytes);
        bytes
    }

    /// Processes what has come.
    pub fn run(&mut self, answers: &mut Answers) -> Result<(), Error> {
        loop {
            let Step { consumed, event } = self.conn.process(&mut self.inbox, &mut self.out)?;
            let mut is_done = false;
            match event {
                Event::NeedInput { .. } => is_done = true,
                Event::Ask(question) => self.conn.resume(answers.answer(question), &mut self.out)?,
                Event::Established(_) => self.is_established = true,
                Event::RetrySent => self.has_retried = true,
                Event::Data(plain) => {
                    let (all, secret) = self.data;
                    self.data = (all + plain.bytes.len(), secret + secret_bytes(plain.bytes));
                }
                Event::Early(early) => self.early += early.accept_replayable().bytes.len(),
                Event::Ticket(ticket) => self.tickets.push(ticket.received(NOW)),
                _ => {}
            }
            self.inbox.drain(..consumed);
            if is_done {
                return Ok(());
            }
        }
    }
}

impl Link {
    /// A client that is about to send its first flight.
    pub fn new(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, offer: Offer) -> Self {
        let mut out = SendBuf::with_limit(LIMIT);
        let name = ServerName::try_from("example.test").unwrap();
        let conn = Client::start(client, name, offer, &mut out).unwrap();
        let answers = Answers { client_credential: None, session: None, external: None };
        Self { client: Side::new(conn, out), server: new_server(server), answers }
    }

    /// Carries bytes both ways until nothing moves.
    pub fn run(&mut self) -> Result<(), Error> {
        loop {
            let (up, down) = (self.client.flush(), self.server.flush());
            if up.is_empty() && down.is_empty() {
                return Ok(());
            }
            self.server.inbox.extend(up);
            self.client.inbox.extend(down);
            self.server.run(&mut self.answers)?;
            self.client.run(&mut self.answers)?;
        }
    }

    /// Two ends that are connected, about whose handshake nothing is reported.
    pub fn established(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
        unreported(|| {
            let mut link = Self::new(client, server, Offer::fresh());
            link.run().unwrap();
            link.check();
            link
        })
    }

    /// The handshake succeeded, and its secrets were none the less secret.
    pub fn check(&self) {
        assert!(self.client.is_established && self.server.is_established);
        let (mut a, mut b) = ([0; 32], [0; 32]);
        self.client.conn.exporter(b"test", b"", &mut a).unwrap();
        self.server.conn.exporter(b"test", b"", &mut b).unwrap();
        assert!(is_secret(&a) && is_secret(&b));
        make_public(&a);
        make_public(&b);
        assert_eq!(a, b);
    }
}

/// A server that has seen nothing yet.
pub fn new_server(config: &Arc<ServerConfig>) -> Side<Server> {
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_millis(NOW.as_millis()));
    Side::new(Server::new_at(config, now).unwrap(), SendBuf::with_limit(LIMIT))
}

/// A client's configuration.
pub fn client_config(change: impl FnOnce(ClientConfigBuilder) -> ClientConfigBuilder) -> Arc<ClientConfig> {
    change(ClientConfig::builder(provider())).build().unwrap()
}

/// A server's configuration.
pub fn server_config(change: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder) -> Arc<ServerConfig> {
    change(ServerConfig::builder(provider()).credential(credential())).build().unwrap()
}

/// A credential whose certificate is its public key; its private key is the subject of other cases.
pub fn credential() -> Arc<Credential> {
    let der = include_bytes!("../../../testvectors/keys/p256.pkcs8.der");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(&der[..]));
    let key = (provider().load_key)(&key).unwrap();
    let leaf = CertificateDer::from(key.public_key().to_vec());
    Arc::new(Credential::new(vec![leaf], key).unwrap())
}

impl Answers {
    fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::LookupPsk(question) => {
                let session = self.session.take().map(KnownPsk::Session);
                let known = session.or(self.external.clone().map(KnownPsk::External)).map(|known| (0, known));
                question.known(known.into_iter().collect(), NOW, NotResumed::Unknown)
            }
            Question::CheckReplay(question) => question.fresh(),
            Question::ChooseCredential(question) => match &self.client_credential {
                Some(credential) => question.with(Arc::clone(credential)),
                None => question.none(),
            },
            Question::Sign(question) => question.with_own_key(&*plain().rng),
            Question::VerifyPeer(question) => verify(*question),
            Question::SealTicket(question) => {
                self.session = Some(Box::new(question.session(NOW, LIFETIME, 0)));
                question.sealed(vec![7; 32], LIFETIME)
            }
            other => panic!("{} is not asked here", other.name()),
        }
    }
}

fn verify(question: VerifyPeer) -> Answer {
    let PeerEvidence::Fresh(shown) = question.evidence() else { panic!("nobody is verified again here") };
    // What was signed depends on the handshake's secrets, behind the server's Finished; verifiers are not for secrets.
    make_public(&shown.signed);
    let verified = plain().verify(shown.scheme, &shown.chain[0], &shown.signed, &shown.signature);
    let expires = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1 << 33));
    let claim = Claim::subject("tested", expires).chain(shown.chain.clone());
    match verified {
        Ok(()) => question.verified(claim),
        Err(failed) => question.refused(Refusal::new(AlertCode::DECRYPT_ERROR, failed)),
    }
}
