//! The legal orders of messages as tables, and the machines held against them: drop, duplicate, swap, insert,
//! split and coalesce at every position, with the alert, its keys and what comes after it. Whatever else can come in a
//! state, and every state by itself, is in `tests/model`.
#![cfg(feature = "rustcrypto")]

mod support;

use support::flow::*;
use support::forge::*;
use support::*;
use symbolon::AlertCode;
use symbolon::conn::Epoch;

/// A ServerHello that is a HelloRetryRequest, in the tables.
const RETRY_REQUEST: u8 = 0xF6;
/// A ClientHello whose share is of a group that the server does not want, in the tables.
const UNSHARED_HELLO: u8 = 0xF7;

/// What a side waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Hello,
    SecondHello,
    EndOfEarly,
    Extensions,
    RequestOrCertificate,
    Certificate,
    Verify,
    Finished,
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Go(State),
    Refuse(AlertCode),
}
use State::{
    Certificate, EndOfEarly, Extensions, Finished, Hello, Open, RequestOrCertificate, SecondHello, Verify,
};
use Then::{Go, Refuse};

type Table = &'static [(State, u8, Then)];

/// RFC 9846 appendix A.1; what is not here is refused with unexpected_message.
const CLIENT: Table = &[
    (Hello, SERVER_HELLO, Go(Extensions)),
    (Hello, RETRY_REQUEST, Go(SecondHello)),
    (SecondHello, SERVER_HELLO, Go(Extensions)),
    (Extensions, ENCRYPTED_EXTENSIONS, Go(RequestOrCertificate)),
    (RequestOrCertificate, CERTIFICATE_REQUEST, Go(Certificate)),
    (RequestOrCertificate, CERTIFICATE, Go(Verify)),
    (Certificate, CERTIFICATE, Go(Verify)),
    (Verify, CERTIFICATE_VERIFY, Go(Finished)),
    (Finished, FINISHED, Go(Open)),
    (Open, TICKET, Go(Open)),
    (Open, KEY_UPDATE, Go(Open)),
];

/// RFC 9846 appendix A.2 without client authentication.
const SERVER: Table = &[
    (Hello, CLIENT_HELLO, Go(Finished)),
    (Hello, UNSHARED_HELLO, Go(SecondHello)),
    (SecondHello, CLIENT_HELLO, Go(Finished)),
    (SecondHello, UNSHARED_HELLO, Refuse(AlertCode::ILLEGAL_PARAMETER)),
    (Finished, FINISHED, Go(Open)),
    (Open, KEY_UPDATE, Go(Open)),
];

/// RFC 9846 appendix A.2 with client authentication.
const MUTUAL_SERVER: Table = &[
    (Hello, CLIENT_HELLO, Go(Certificate)),
    (Hello, UNSHARED_HELLO, Go(SecondHello)),
    (SecondHello, CLIENT_HELLO, Go(Certificate)),
    (SecondHello, UNSHARED_HELLO, Refuse(AlertCode::ILLEGAL_PARAMETER)),
    (Certificate, CERTIFICATE, Go(Verify)),
    (Verify, CERTIFICATE_VERIFY, Go(Finished)),
    (Finished, FINISHED, Go(Open)),
    (Open, KEY_UPDATE, Go(Open)),
];

/// RFC 9846 appendix A.1 with a pre-shared key.
const KEYED_CLIENT: Table = &[
    (Hello, SERVER_HELLO, Go(Extensions)),
    (Hello, RETRY_REQUEST, Go(SecondHello)),
    (SecondHello, SERVER_HELLO, Go(Extensions)),
    (Extensions, ENCRYPTED_EXTENSIONS, Go(Finished)),
    (Finished, FINISHED, Go(Open)),
    (Open, TICKET, Go(Open)),
    (Open, KEY_UPDATE, Go(Open)),
];

/// RFC 9846 appendix A.2 with early data that is accepted.
const EARLY_SERVER: Table = &[
    (Hello, CLIENT_HELLO, Go(EndOfEarly)),
    (EndOfEarly, END_OF_EARLY_DATA, Go(Finished)),
    (Finished, FINISHED, Go(Open)),
    (Open, KEY_UPDATE, Go(Open)),
];

/// The machine as the standard has it, next to the one under test.
struct Model<'a> {
    role: Role,
    flow: Flow,
    /// What the peer said when the flow was recorded, and what was said before it in the transcript's sense.
    recorded: &'a [Vec<u8>],
    absorbed: Vec<&'a [u8]>,
    state: State,
}

impl<'a> Model<'a> {
    fn new(role: Role, flow: Flow, recorded: &'a [Vec<u8>]) -> Self {
        Self { role, flow, recorded, absorbed: Vec::new(), state: Hello }
    }

    fn kind(&self, message: &[u8]) -> u8 {
        match message[0] {
            SERVER_HELLO if message.get(6..38) == Some(&retry_random()) => RETRY_REQUEST,
            CLIENT_HELLO if self.flow.retry && message == self.recorded[0] => UNSHARED_HELLO,
            kind => kind,
        }
    }

    fn take(&mut self, message: &'a [u8]) -> Then {
        let then = self.judge(message);
        self.absorbed.push(message);
        if let Go(state) = then {
            self.state = state;
        }
        then
    }

    fn judge(&self, message: &[u8]) -> Then {
        let kind = self.kind(message);
        let table = match (self.role, self.flow) {
            (Role::Client, Flow { key: KeyUse::None, .. }) => CLIENT,
            (Role::Client, _) => KEYED_CLIENT,
            (Role::Server, EARLY) => EARLY_SERVER,
            (Role::Server, Flow { mutual: false, .. }) => SERVER,
            (Role::Server, Flow { mutual: true, .. }) => MUTUAL_SERVER,
        };
        let row = table.iter().find(|(state, row, _)| (*state, *row) == (self.state, kind));
        let Some((.., then)) = row else { return Refuse(AlertCode::UNEXPECTED_MESSAGE) };
        if kind == SERVER_HELLO && self.flow.retry != (self.state == SecondHello) {
            // The recorded ServerHello has a share of a group that this hello did not offer.
            return Refuse(AlertCode::ILLEGAL_PARAMETER);
        }
        let said = self.absorbed.iter().copied().chain([message]);
        let altered = !said.eq(self.recorded.iter().map(Vec::as_slice).take(self.absorbed.len() + 1));
        match kind {
            CERTIFICATE_VERIFY | FINISHED if altered => Refuse(AlertCode::DECRYPT_ERROR),
            // A binder covers the hellos before it.
            CLIENT_HELLO if altered && self.flow.key != KeyUse::None => Refuse(AlertCode::DECRYPT_ERROR),
            _ => *then,
        }
    }

    /// Which keys the side under test reads with.
    fn reads(&self) -> Epoch {
        match self.state {
            Hello | SecondHello => Epoch::Plaintext,
            Open => Epoch::Application,
            EndOfEarly => Epoch::Early,
            _ => Epoch::Handshake,
        }
    }

    /// Which keys the side under test tells its alert with.
    fn alerts(&self) -> Epoch {
        match (self.role, self.state) {
            (_, Hello | SecondHello) => Epoch::Plaintext,
            (Role::Client, state) if state != Open => Epoch::Handshake,
            _ => Epoch::Application,
        }
    }
}

/// Plays `played` to `puppet`, and compares.
fn hold<E: Endpoint>(
    mut puppet: Puppet<E>,
    flow: Flow,
    recorded: &[Vec<u8>],
    played: &[Vec<u8>],
    what: &str,
) -> Then {
    let mut model = Model::new(puppet.role, flow, recorded);
    let mut last = Go(Hello);
    for (position, message) in played.iter().enumerate() {
        let (reads, alerts) = (model.reads(), model.alerts());
        last = model.take(message);
        let told = puppet.tell(reads, message);
        let what = format!("{flow:?} {:?} {what}: message {position} of kind {}", puppet.role, message[0]);
        match last {
            Go(_) => told.unwrap_or_else(|error| panic!("{what}: {error}")),
            Refuse(alert) => {
                puppet.refuses(told, alert, alerts, &what);
                return last;
            }
        }
        assert_eq!(puppet.party.summary.is_some(), model.state == Open, "{what}");
    }
    last
}

/// The peer's messages, with some behind the handshake, to the side under test.
fn script(role: Role, recorded: &Recorded) -> Vec<Vec<u8>> {
    let (own, behind) = match role {
        Role::Client => (&recorded.server, vec![ticket(), key_update(0), key_update(1)]),
        Role::Server => (&recorded.client, vec![key_update(0), key_update(1)]),
    };
    [own.clone(), behind].concat()
}

fn ticket() -> Vec<u8> {
    message(TICKET, &[&[0, 0, 1, 0, 1, 2, 3, 4, 1, 9, 0, 2, 7, 7, 0, 0][..]].concat())
}

fn key_update(request: u8) -> Vec<u8> {
    message(KEY_UPDATE, &[request])
}

/// One message of every kind: the flow's own where it has one, that of another flow else.
fn every_kind(recorded: &Recorded) -> Vec<Vec<u8>> {
    let other = BOTH.record();
    let has = |kind| recorded.server.iter().any(|message| message[0] == kind);
    let of_server = |kind| if has(kind) { recorded.server(kind) } else { other.server(kind) };
    let mut pool = vec![
        recorded.client[0].clone(),
        recorded.client.last().unwrap().clone(),
        recorded.server.last().unwrap().clone(),
        other.server[0].clone(),
        recorded.server(SERVER_HELLO),
        recorded.server(ENCRYPTED_EXTENSIONS),
        of_server(CERTIFICATE),
        of_server(CERTIFICATE_VERIFY),
        other.server(CERTIFICATE_REQUEST),
        ticket(),
        key_update(0),
        key_update(1),
        message(END_OF_EARLY_DATA, &[]),
        message(254, &[7; 32]),
    ];
    let certified = |recorded: &Recorded| recorded.client.iter().any(|message| message[0] == CERTIFICATE);
    let client = if certified(recorded) { recorded } else { &other };
    pool.extend([client.client(CERTIFICATE), client.client(CERTIFICATE_VERIFY)]);
    // hello_request, hello_verify_request, server_key_exchange, .. of older versions, and unknown ones.
    pool.extend([0, 3, 6, 12, 14, 16, 25, 99, 255].map(|kind| message(kind, &[])));
    pool
}

/// Plays every variant to a fresh connection, and says how many were refused.
fn hold_all(flow: Flow, variants: impl Fn(&Recorded, &[Vec<u8>]) -> Vec<(String, Vec<Vec<u8>>)>) -> usize {
    let recorded = flow.record();
    let up = script(Role::Server, &recorded);
    let down = script(Role::Client, &recorded);
    let to_client = variants(&recorded, &down)
        .into_iter()
        .map(|(what, played)| hold(flow.client(), flow, &down, &played, &what));
    let to_server = variants(&recorded, &up)
        .into_iter()
        .map(|(what, played)| hold(flow.server(), flow, &up, &played, &what));
    let refused = |then: &Then| matches!(then, Refuse(_));
    to_client.filter(refused).count() + to_server.filter(refused).count()
}

//= testvectors/requirements/rfc9846.txt#section-4
//= type=test
//# Protocol messages MUST be sent in the order defined in Section 4.1 and shown in the diagrams in
//# Section 2
//= testvectors/requirements/rfc9846.txt#section-4.2.2
//= type=test
//# When a client first connects to a server, it is REQUIRED to send the ClientHello as its first TLS
//# message.
#[test]
fn recorded_flows_play_back_unchanged() {
    for flow in FLOWS.into_iter().chain(KEYED) {
        assert_eq!(hold_all(flow, |_, script| vec![("unchanged".into(), script.to_vec())]), 0);
    }
}

#[test]
fn a_dropped_message_is_noticed() {
    for flow in FLOWS.into_iter().chain(KEYED) {
        let refused = hold_all(flow, |_, script| {
            let drop = |at| [&script[..at], &script[at + 1..]].concat();
            (0..script.len()).map(|at| (format!("without {at}"), drop(at))).collect()
        });
        assert!(refused >= 5, "{refused}");
    }
}

#[test]
fn a_duplicated_message_is_refused() {
    for flow in FLOWS.into_iter().chain(KEYED) {
        hold_all(flow, |_, script| {
            let twice = |at| [&script[..=at], &script[at..]].concat();
            (0..script.len()).map(|at| (format!("{at} twice"), twice(at))).collect()
        });
    }
}

//= testvectors/requirements/rfc9846.txt#section-4
//= type=test
//# A peer which receives a handshake message in an unexpected order MUST abort the handshake with an
//# "unexpected_message" alert.
//= testvectors/requirements/rfc9846.txt#section-4.5.2
//= type=test
//# this message MUST appear immediately after the Certificate message and immediately prior to the Finished
//# message
#[test]
fn swapped_messages_are_refused() {
    for flow in FLOWS.into_iter().chain(KEYED) {
        hold_all(flow, |_, script| {
            let swapped = |at| {
                let mut played = script.to_vec();
                played.swap(at, at + 1);
                played
            };
            (0..script.len() - 1).map(|at| (format!("{at} swapped"), swapped(at))).collect()
        });
    }
}

fn insert_everywhere(flow: Flow) {
    hold_all(flow, |recorded, script| {
        let mut variants = Vec::new();
        for inserted in every_kind(recorded) {
            for at in 0..=script.len() {
                let mut played = script.to_vec();
                played.insert(at, inserted.clone());
                variants.push((format!("kind {} inserted at {at}", inserted[0]), played));
            }
        }
        variants
    });
}

//= testvectors/requirements/rfc9846.txt#section-4.2.2
//= type=test
//# if a server has negotiated TLS 1.3 and receives a ClientHello at any other time, it MUST terminate
//= testvectors/requirements/rfc9846.txt#section-4.6
//= type=test
//# Servers MUST NOT send this message, and clients receiving it MUST terminate the connection with an
//# "unexpected_message" alert.
//= testvectors/requirements/rfc9846.txt#section-4.7.2
//= type=test
//# A client that receives a post-handshake CertificateRequest message without having sent the
//# "post_handshake_auth" extension MUST send an "unexpected_message" fatal alert.
//= testvectors/requirements/rfc9846.txt#section-4.7.3
//= type=test
//# Implementations that receive a KeyUpdate message prior to receiving a Finished message MUST terminate
//# the connection with an "unexpected_message" alert.
#[test]
fn every_kind_inserted_anywhere_gets_its_alert() {
    insert_everywhere(FULL);
}

#[test]
fn every_kind_inserted_into_client_authentication_gets_its_alert() {
    insert_everywhere(MUTUAL);
}

#[test]
fn every_kind_inserted_into_a_retry_gets_its_alert() {
    insert_everywhere(RETRY);
}

#[test]
fn every_kind_inserted_into_a_resumption_gets_its_alert() {
    insert_everywhere(RESUMED);
    insert_everywhere(RESUMED_RETRY);
}

#[test]
fn every_kind_inserted_around_early_data_gets_its_alert() {
    insert_everywhere(EARLY);
    insert_everywhere(EARLY_RETRY);
}

#[test]
fn a_message_under_the_wrong_keys_is_refused() {
    let recorded = MUTUAL.record();
    let play = |role: Role, until: usize, epoch: Epoch, alert: AlertCode| {
        let script = script(role, &recorded);
        let what = format!("{role:?} {until} {epoch:?}");
        let mut model = Model::new(role, MUTUAL, &script);
        macro_rules! play {
            ($puppet:expr) => {{
                let mut puppet = $puppet;
                for message in &script[..until] {
                    let reads = model.reads();
                    model.take(message);
                    puppet.tell(reads, message).unwrap();
                }
                let told = match (epoch, model.reads()) {
                    (Epoch::Plaintext, _) => puppet.say(epoch, HANDSHAKE, &script[until]),
                    // There are no keys to use yet.
                    (_, Epoch::Plaintext) => puppet.feed(&record(DATA, &[0x55; 60])),
                    _ => puppet.say(epoch, HANDSHAKE, &script[until]),
                };
                puppet.refuses(told, alert, model.alerts(), &what);
            }};
        }
        match role {
            Role::Client => play!(MUTUAL.client()),
            Role::Server => play!(MUTUAL.server()),
        }
    };
    use Epoch::{Application, Handshake, Plaintext};
    for until in 1..=6 {
        play(Role::Client, until, Plaintext, AlertCode::UNEXPECTED_MESSAGE);
    }
    for until in 1..=4 {
        play(Role::Server, until, Plaintext, AlertCode::UNEXPECTED_MESSAGE);
    }
    for role in [Role::Client, Role::Server] {
        play(role, 0, Handshake, AlertCode::UNEXPECTED_MESSAGE);
        let open = if role == Role::Client { 6 } else { 4 };
        play(role, open, Handshake, AlertCode::BAD_RECORD_MAC);
    }
    for until in 1..=3 {
        play(Role::Server, until, Application, AlertCode::BAD_RECORD_MAC);
    }
}

/// Plays a flow with each message in the records that `cut` makes of it.
fn play_cut(flow: Flow, recorded: &Recorded, cut: impl Fn(&[u8]) -> Vec<Vec<u8>>) {
    fn play<E: Endpoint>(
        mut puppet: Puppet<E>,
        flow: Flow,
        script: &[Vec<u8>],
        cut: &dyn Fn(&[u8]) -> Vec<Vec<u8>>,
    ) {
        let mut model = Model::new(puppet.role, flow, script);
        for message in script {
            let reads = model.reads();
            assert!(matches!(model.take(message), Go(_)));
            for piece in cut(message) {
                puppet.say(reads, HANDSHAKE, &piece).unwrap();
            }
            if message[0] == KEY_UPDATE {
                puppet.lane(reads).update();
            }
        }
        assert!(puppet.party.summary.is_some());
    }
    play(flow.client(), flow, &script(Role::Client, recorded), &cut);
    play(flow.server(), flow, &script(Role::Server, recorded), &cut);
}

#[test]
fn messages_may_be_split_at_every_byte() {
    let recorded = BOTH.record();
    let longest = recorded.server.iter().chain(&recorded.client).map(Vec::len).max().unwrap();
    for at in 1..longest {
        play_cut(BOTH, &recorded, |message| match message.split_at_checked(at) {
            Some((a, b)) if !b.is_empty() => vec![a.to_vec(), b.to_vec()],
            _ => vec![message.to_vec()],
        });
    }
    for flow in [BOTH, RESUMED_RETRY, EARLY] {
        play_cut(flow, &flow.record(), |message| message.chunks(1).map(<[u8]>::to_vec).collect());
    }
}

#[test]
fn messages_of_one_epoch_may_share_a_record() {
    let recorded = MUTUAL.record();
    let mut client = MUTUAL.client();
    client.tell(Epoch::Plaintext, &recorded.server[0]).unwrap();
    client.say(Epoch::Handshake, HANDSHAKE, &recorded.server[1..].concat()).unwrap();
    assert!(client.party.summary.is_some());
    let mut server = MUTUAL.server();
    server.tell(Epoch::Plaintext, &recorded.client[0]).unwrap();
    server.say(Epoch::Handshake, HANDSHAKE, &recorded.client[1..].concat()).unwrap();
    assert!(server.party.summary.is_some());
    client.say(Epoch::Application, HANDSHAKE, &[ticket(), ticket(), key_update(1)].concat()).unwrap();
}

//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# Handshake messages MUST NOT span key changes.
//= testvectors/requirements/rfc9846.txt#section-5.1
//= type=test
//# Implementations MUST verify that all messages immediately preceding a key change align with a record
//# boundary; if not, then they MUST terminate the connection with an "unexpected_message" alert.
#[test]
fn nothing_may_follow_a_key_change_in_its_record() {
    const REFUSED: AlertCode = AlertCode::UNEXPECTED_MESSAGE;
    for behind in [vec![8], message(ENCRYPTED_EXTENSIONS, &[0, 0]), message(FINISHED, &[0; 32])] {
        let recorded = RETRY.record();
        let with = |messages: &[Vec<u8>]| [messages.concat(), behind.clone()].concat();

        let mut client = RETRY.client();
        let told = client.say(Epoch::Plaintext, HANDSHAKE, &with(&recorded.server[..1]));
        client.refuses(told, REFUSED, Epoch::Plaintext, "behind HelloRetryRequest");

        let mut client = RETRY.client();
        client.tell(Epoch::Plaintext, &recorded.server[0]).unwrap();
        let told = client.say(Epoch::Plaintext, HANDSHAKE, &with(&recorded.server[1..2]));
        client.refuses(told, REFUSED, Epoch::Plaintext, "behind ServerHello");

        let mut client = RETRY.client();
        client.tell(Epoch::Plaintext, &recorded.server[0]).unwrap();
        client.tell(Epoch::Plaintext, &recorded.server[1]).unwrap();
        let told = client.say(Epoch::Handshake, HANDSHAKE, &with(&recorded.server[2..]));
        client.refuses(told, REFUSED, Epoch::Handshake, "behind the server's Finished");

        let mut server = RETRY.server();
        let told = server.say(Epoch::Plaintext, HANDSHAKE, &with(&recorded.client[..1]));
        server.refuses(told, REFUSED, Epoch::Plaintext, "behind the first ClientHello");

        let mut server = RETRY.server();
        server.tell(Epoch::Plaintext, &recorded.client[0]).unwrap();
        let told = server.say(Epoch::Plaintext, HANDSHAKE, &with(&recorded.client[1..2]));
        server.refuses(told, REFUSED, Epoch::Plaintext, "behind the second ClientHello");

        let mut server = RETRY.server();
        server.tell(Epoch::Plaintext, &recorded.client[0]).unwrap();
        server.tell(Epoch::Plaintext, &recorded.client[1]).unwrap();
        let told = server.say(Epoch::Handshake, HANDSHAKE, &with(&recorded.client[2..]));
        server.refuses(told, REFUSED, Epoch::Application, "behind the client's Finished");

        let mut client = RETRY.client();
        client.tell(Epoch::Plaintext, &recorded.server[0]).unwrap();
        client.tell(Epoch::Plaintext, &recorded.server[1]).unwrap();
        client.tell(Epoch::Handshake, &recorded.server[2..].concat()).unwrap();
        let told = client.say(Epoch::Application, HANDSHAKE, &with(&[key_update(0)]));
        client.refuses(told, REFUSED, Epoch::Application, "behind a KeyUpdate");
    }
}
