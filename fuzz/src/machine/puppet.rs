//! A puppet in the place of a peer: it follows a script, knows the keys that the connection reveals, and keeps the transcript
//! as it really was, so that its Finished is right whatever it said before.

use symbolon::conn::{Ask, SecretLabel};

use super::answers::Manner;
use super::keys::{Lane, hash, record, verify_data};
use super::message::{message, whole_messages};
use super::party::{Endpoint, Party};
use crate::Script;

/// Who the puppet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

/// How a message goes on its way: the upper bits of an order.
#[derive(Clone, Copy, Debug)]
pub struct Framing(pub u8);

impl Framing {
    /// It waits for the next one, to share a record with it.
    const DEFERRED: u8 = 1;
    /// It goes in two records.
    const SPLIT: u8 = 2;
}

/// The random of a HelloRetryRequest (RFC 9846 section 4.2.3).
pub const RETRY_RANDOM: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2,
    0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

pub struct Puppet<E> {
    pub party: Party<E>,
    role: Role,
    pub transcript: Vec<u8>,
    /// The first ClientHello and the latest one.
    pub first_hello: Vec<u8>,
    pub hello: Vec<u8>,
    /// The HelloRetryRequest, told or heard.
    pub retry: Option<Vec<u8>>,
    /// Whether our Finished was told.
    pub finished: bool,
    /// Early data of ours, whether or not it is read.
    pub early: Option<Lane>,
    pub ended_early: bool,
    handshake: Option<Lane>,
    application: Option<Lane>,
    deferred: Vec<u8>,
    stream: Vec<u8>,
    listened: usize,
}

impl<E: Endpoint> Puppet<E> {
    pub fn new(party: Party<E>, role: Role) -> Self {
        let mut puppet = Self {
            party,
            role,
            transcript: Vec::new(),
            first_hello: Vec::new(),
            hello: Vec::new(),
            retry: None,
            finished: false,
            early: None,
            ended_early: false,
            handshake: None,
            application: None,
            deferred: Vec::new(),
            stream: Vec::new(),
            listened: 0,
        };
        puppet.listen();
        puppet
    }

    /// Goes on with another connection, which has heard nothing yet.
    pub fn turn_to(&mut self, party: Party<E>) {
        self.party = party;
        (self.handshake, self.application, self.listened) = (None, None, 0);
        self.stream.clear();
    }

    pub fn secret(&self, label: SecretLabel) -> Option<&[u8]> {
        self.party.secrets.iter().find(|(found, _)| *found == label).map(|(_, secret)| &**secret)
    }

    /// Our traffic secret of the handshake.
    pub fn own_secret(&self) -> Option<&[u8]> {
        self.secret(match self.role {
            Role::Client => SecretLabel::ClientHandshakeTraffic,
            Role::Server => SecretLabel::ServerHandshakeTraffic,
        })
    }

    /// A message of ours under the keys of the moment.
    pub fn tell(&mut self, message: &[u8], framing: Framing, script: &mut Script<'_>) {
        self.absorb(message);
        self.deferred.extend_from_slice(message);
        if framing.0 & Framing::DEFERRED == 0 {
            self.send_deferred(framing, script);
        }
    }

    fn send_deferred(&mut self, framing: Framing, script: &mut Script<'_>) {
        let content = std::mem::take(&mut self.deferred);
        let cut = if framing.0 & Framing::SPLIT == 0 { 0 } else { script.place(content.len()) };
        let (front, back) = content.split_at(cut);
        for part in [front, back].into_iter().filter(|part| !part.is_empty()) {
            for fragment in part.chunks(1 << 14) {
                self.say(22, fragment, script);
            }
        }
        if content.ends_with(&[24, 0, 0, 1, 0]) || content.ends_with(&[24, 0, 0, 1, 1]) {
            self.lane().into_iter().for_each(Lane::update);
        }
    }

    /// Takes a message down, ours or theirs, as the transcript wants it.
    pub fn absorb(&mut self, message: &[u8]) {
        match message {
            [1, ..] if self.first_hello.is_empty() => {
                self.first_hello = message.to_vec();
                self.hello = message.to_vec();
            }
            [1, ..] => self.hello = message.to_vec(),
            [2, ..] if message.get(6..38) == Some(&RETRY_RANDOM) && self.retry.is_none() => {
                self.retry = Some(message.to_vec());
                // RFC 9846 section 4.1: ClientHello1 is replaced by a message that holds its hash.
                self.transcript = super::message::message(254, &hash(&self.first_hello));
            }
            _ => {}
        }
        self.transcript.extend_from_slice(message);
    }

    /// A Finished of ours that is right.
    pub fn finished(&mut self) -> Vec<u8> {
        let mac = self.own_secret().map_or(vec![0; 32], |secret| verify_data(secret, &self.transcript));
        message(20, &mac)
    }

    /// A signature of ours that is right, by the key `spki`.
    pub fn signature(&self, spki: &[u8]) -> Vec<u8> {
        let signer = match self.role {
            Role::Client => "client",
            Role::Server => "server",
        };
        let context = format!("TLS 1.3, {signer} CertificateVerify");
        let signed = [&[0x20; 64], context.as_bytes(), &[0], &hash(&self.transcript)].concat();
        hash(&[spki, &signed].concat())
    }

    /// The lane of the moment.
    fn lane(&mut self) -> Option<&mut Lane> {
        match self.role {
            Role::Server => self.application.as_mut().or(self.handshake.as_mut()),
            Role::Client if self.party.early_open && !self.ended_early => self.early.as_mut(),
            Role::Client if self.finished => self.application.as_mut().or(self.handshake.as_mut()),
            Role::Client => self.handshake.as_mut(),
        }
    }

    /// A record under the keys of the moment.
    pub fn say(&mut self, kind: u8, content: &[u8], script: &mut Script<'_>) {
        let record = match self.lane() {
            Some(lane) => lane.seal(&[content, &[kind]].concat()),
            None => record(kind, content),
        };
        self.feed(&record, script);
    }

    pub fn feed(&mut self, bytes: &[u8], script: &mut Script<'_>) {
        self.party.inbox.extend_from_slice(bytes);
        self.run(script);
    }

    fn run(&mut self, script: &mut Script<'_>) {
        self.party.run(script);
        self.listen();
    }

    /// Takes down what the connection said, and the keys that it revealed.
    fn listen(&mut self) {
        for said in &self.party.said[self.listened..] {
            if said.kind == 22 {
                self.stream.extend_from_slice(&said.content);
            }
        }
        self.listened = self.party.said.len();
        let stream = std::mem::take(&mut self.stream);
        let mut at = 0;
        for message in whole_messages(&stream) {
            self.absorb(message);
            at += message.len();
        }
        self.stream = stream[at..].to_vec();
        let labels = match self.role {
            Role::Client => [SecretLabel::ClientHandshakeTraffic, SecretLabel::ClientTraffic],
            Role::Server => [SecretLabel::ServerHandshakeTraffic, SecretLabel::ServerTraffic],
        };
        let [handshake, application] = labels.map(|label| self.secret(label).map(Lane::new));
        self.handshake = self.handshake.take().or(handshake);
        self.application = self.application.take().or(application);
    }

    /// The orders that both kinds of puppets know: 14 to 31.
    pub fn order(&mut self, order: u8, framing: Framing, script: &mut Script<'_>) {
        match order {
            14 => {
                let request = script.byte();
                self.tell(&message(24, &[request]), framing, script);
            }
            15 => {
                let kind = script.byte();
                let body = script.block();
                self.tell(&message(kind, body), framing, script);
            }
            16 => self.party.release(Manner::Honest, script),
            17 => self.party.release(Manner::Odd, script),
            18 => self.party.release(Manner::Refused, script),
            19 => drop(self.party.write(script.block())),
            20 => self.party.update_keys(if script.byte() & 1 == 0 { Ask::Peer } else { Ask::Nobody }),
            21 => self.party.close(),
            22 => self.party.eof(),
            23 => {
                let kind = script.byte();
                self.feed(&record(kind, script.block()), script);
            }
            24 => {
                let inner = script.block();
                if let Some(lane) = self.lane() {
                    let record = lane.seal(inner);
                    self.feed(&record, script);
                }
            }
            25 => self.feed(script.block(), script),
            26 => {
                let alert = [script.byte(), script.byte()];
                self.say(21, &alert, script);
            }
            27 => self.feed(&record(20, &[1]), script),
            28 => {
                let data = script.block();
                self.say(23, data, script);
            }
            29 => {
                let data = vec![b'd'; usize::from(script.u16())];
                self.say(23, &data, script);
            }
            30 => drop(self.party.write_early(script.block())),
            _ => {
                let lanes = [&mut self.early, &mut self.handshake, &mut self.application];
                let which = usize::from(script.byte()) % lanes.len();
                let kind = script.byte();
                let content = script.block();
                let lane = lanes.into_iter().nth(which).and_then(Option::as_mut);
                let record = lane.map(|lane| lane.seal(&[content, &[kind]].concat()));
                self.feed(&record.unwrap_or_default(), script);
            }
        }
        self.listen();
    }

    /// What holds of every connection at its end.
    pub fn end(&mut self, script: &mut Script<'_>) {
        self.run(script);
        self.party.stays_dead();
        if let Some(summary) = &self.party.summary {
            assert!(self.finished, "established without a Finished");
            let certified = summary.peer.is_some() && summary.resumed.is_err();
            assert!(!certified || self.party.vouched > 0, "nobody vouched for the peer");
        }
        assert!(self.party.out.is_empty());
    }
}
