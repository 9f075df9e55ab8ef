//! The key schedule and the records of RFC 8448, value by value.

use alloc::vec::Vec;

use super::label::{LONGEST, Label, expand};
use super::stages::extract;
use super::{
    ApplicationEpoch, Claimed, Client, Constants, Direction, Finished, Handshake, Offered, Resumption,
    Server, Traffic,
};
use crate::codepoint::{ContentType, NamedGroup, ProtocolVersion};
use crate::crypto::{Digest, Failed, Hash, HashSecret, Rng, Suite, rustcrypto};
use crate::psk::PskKind;
use crate::record::{EpochBoundary, Joiner, Opened, Opener, Padding, Protection, Sealer, SendBuf, SizeLimit};
use crate::trace::{FULL_HANDSHAKES, RESUMABLE, RESUMED, Role, Section, Step, section, sections};
use crate::transcript::Transcript;

/// TLS_AES_128_GCM_SHA256, which all traces use.
fn suite() -> &'static Suite {
    rustcrypto::provider().suites[0]
}

fn hash() -> &'static dyn Hash {
    suite().hash
}

fn secret(bytes: &[u8]) -> HashSecret {
    HashSecret::copy_of(bytes).unwrap()
}

/// `HKDF-Expand-Label` of the value called PRK, checked against the encoded label and the output in the trace.
fn check_expansion(step: &Step, label: &[u8], context: &[u8], info: &str, expected: &str) {
    let expected = step.field(expected).unwrap();
    let encoded = Label::<LONGEST>::new(expected.len(), label, context).unwrap();
    assert_eq!(Some(encoded.as_ref()), step.field(info), "{}", step.action);
    let mut out = [0; 64];
    let out = &mut out[..expected.len()];
    let prk = secret(step.field("PRK").unwrap());
    expand(hash(), &prk, [(label, context, &mut *out)]).unwrap();
    assert_eq!(out, expected, "{}", step.action);
}

/// Checks a step of the key schedule by its own inputs; whether it was one, with values.
fn check_step(step: &Step) -> bool {
    let action = step.action.as_str();
    if let (true, Some(expected)) = (action.starts_with("extract secret"), step.field("secret")) {
        let salt = step.field("salt").unwrap_or_default();
        let extracted = extract(hash(), salt, step.field("IKM").unwrap()).unwrap();
        assert_eq!(extracted.expose(), expected, "{action}");
        return true;
    }
    if step.field("PRK").is_none() {
        return false;
    }
    if step.field("key info").is_some() {
        check_expansion(step, b"key", &[], "key info", "key expanded");
        check_expansion(step, b"iv", &[], "iv info", "iv expanded");
        return true;
    }
    let label = step.label().unwrap_or("finished").as_bytes();
    check_expansion(step, label, step.field("hash").unwrap(), "info", "expanded");
    if let (Some(binder_hash), Some(expected)) = (step.field("binder hash"), step.field("finished")) {
        let mut mac = [0; 32];
        hash().hmac(step.field("expanded").unwrap(), &[binder_hash], &mut mac).unwrap();
        assert_eq!(mac, expected);
    }
    true
}

#[test]
fn every_step_of_the_key_schedule_is_that_of_the_trace() {
    let checked: Vec<(usize, usize)> = sections()
        .iter()
        .map(|section| {
            let with_values = |step: &&Step| {
                step.field("PRK").is_some() || step.field("IKM").is_some() || step.field("expanded").is_some()
            };
            let expected = section.steps.iter().filter(with_values).count();
            (section.steps.iter().filter(|step| check_step(step)).count(), expected)
        })
        .collect();
    assert!(checked.iter().all(|(checked, expected)| checked == expected && *checked >= 18), "{checked:?}");
    assert_eq!(checked.len(), 5);
}

/// The one number that a source of this kind has.
struct Key<'a>(&'a [u8]);

impl Rng for Key<'_> {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failed> {
        out.copy_from_slice(self.0);
        Ok(())
    }
}

/// The last key pair that `role` created: its group and the private key; also checks the public key.
fn key_pair(section: &Section, role: Role) -> (NamedGroup, &[u8]) {
    let step = section.steps.iter().rfind(|step| step.role == role && step.action.starts_with("create"));
    let step = step.unwrap();
    let id = if step.action.contains("P-256") { NamedGroup::SECP256R1 } else { NamedGroup::X25519 };
    let private = step.field("private key").unwrap();
    let exchange = rustcrypto::provider().group(id).unwrap().start(&Key(private)).unwrap();
    assert_eq!(exchange.shares()[0], Some((id, step.field("public key").unwrap())));
    (id, private)
}

fn finished_is<D: Direction>(key: &Finished<D>, transcript: &Transcript, expected: &[u8]) {
    assert_eq!(key.verify_data(&transcript.digest()).unwrap().as_ref(), expected);
    assert!(key.check(&transcript.digest(), expected).unwrap().is_some());
}

/// Absorbs the next `count` messages of the trace.
fn absorb<'a>(transcript: &mut Transcript, messages: &mut impl Iterator<Item = &'a [u8]>, count: usize) {
    for _ in 0..count {
        transcript.absorb(messages.next().unwrap());
    }
}

/// The secret with this label.
fn secret_of<'a>(section: &'a Section, label: &str) -> &'a [u8] {
    let step = section.steps.iter().find(|step| step.label() == Some(label) && step.field("PRK").is_some());
    step.unwrap().field("expanded").unwrap()
}

/// The IV that `role` writes with in this epoch; only one side of a trace spells it out.
fn iv<'a>(section: &'a Section, role: Role, epoch: &str) -> &'a [u8] {
    let is_it = |step: &&Step| {
        let direction = if step.role == role { "write" } else { "read" };
        let rest = step.action.strip_prefix("derive ").and_then(|rest| rest.strip_prefix(direction));
        rest.and_then(|rest| rest.strip_prefix(" traffic keys for ")) == Some(epoch)
    };
    section.steps.iter().find(is_it).unwrap().field("iv expanded").unwrap()
}

/// Begins the schedule of the trace's pre-shared key as its client does: with the ClientHello and nothing else.
fn offer(section: &Section, constants: &Constants, psk: &[u8]) -> Offered {
    let offered = Offered::new(constants, psk, PskKind::Resumption).unwrap();
    let hello = section.messages(Role::Client, "ClientHello")[0];
    // The list of one binder: two lengths, and the binder.
    let (truncated, binders) = hello.split_at(hello.len() - 2 - 1 - 32);
    assert_eq!(truncated, section.first(Role::Client, "calculate PSK binder", "ClientHello prefix"));
    let binder = offered.binder(&hash().hash(&[truncated])).unwrap();
    assert_eq!(binder.as_ref(), &binders[3..]);
    assert_eq!(binder.as_ref(), section.first(Role::Client, "calculate PSK binder", "finished"));

    let early = offered.send_early(&hash().hash(&[hello])).unwrap();
    assert_eq!(early.client.expose(), secret_of(section, "c e traffic"));
    assert_eq!(early.exporter.expose(), secret_of(section, "e exp master"));
    let keys = early.client.into_keys(suite().aead).unwrap();
    assert_eq!(keys.iv, iv(section, Role::Client, "early application data"));
    offered
}

/// Walks the stages of one handshake with nothing but its messages, private keys and the pre-shared key, if it has one.
fn walk(section: &Section, psk: Option<&[u8]>) {
    let secret_of = |label: &str| secret_of(section, label);
    let finished = |role| section.first(role, "calculate finished", "finished");
    let count = |role| section.steps.iter().filter(|s| s.role == role && s.message().is_some()).count();

    let (group, private) = key_pair(section, Role::Client);
    let (_, servers_private) = key_pair(section, Role::Server);
    let group = rustcrypto::provider().group(group).unwrap();
    let clients_share = group.start(&Key(private)).unwrap().shares()[0].unwrap().1.to_vec();
    let response = group.respond(&Key(servers_private), &clients_share).unwrap();
    let shared = group.start(&Key(private)).unwrap().complete(group.id(), &response.share).unwrap();
    assert!(shared.matches(response.secret.expose()));

    let mut messages = section.steps.iter().filter_map(Step::message);
    let mut transcript = Transcript::new(hash());
    let mut before_server = 2;
    if section.retries() {
        absorb(&mut transcript, &mut messages, 1);
        transcript = transcript.into_retry();
        before_server = 3;
    }
    absorb(&mut transcript, &mut messages, before_server);
    let constants = Constants::new(hash()).unwrap();
    let stage = match psk {
        Some(psk) => offer(section, &constants, psk).handshake(Some(&shared)).unwrap().0,
        None => Handshake::new(&constants, &shared).unwrap(),
    };
    let secrets = stage.derive(&transcript.digest()).unwrap();
    assert_eq!(secrets.client.expose(), secret_of("c hs traffic"));
    assert_eq!(secrets.server.expose(), secret_of("s hs traffic"));
    let (client_keys, client_finished) = secrets.client.into_keys(suite().aead).unwrap();
    let (server_keys, server_finished) = secrets.server.into_keys(suite().aead).unwrap();
    assert_eq!(client_keys.iv, iv(section, Role::Client, "handshake data"));
    assert_eq!(server_keys.iv, iv(section, Role::Server, "handshake data"));

    let hellos = if section.retries() { 2 } else { 1 };
    let tickets = section.messages(Role::Server, "NewSessionTicket").len();
    let server_flight = count(Role::Server) - hellos - tickets;
    absorb(&mut transcript, &mut messages, server_flight - 1);
    finished_is(&server_finished, &transcript, finished(Role::Server));
    absorb(&mut transcript, &mut messages, 1);
    let secrets = secrets.main.application(&transcript.digest()).unwrap();
    assert_eq!(secrets.client.expose(), secret_of("c ap traffic"));
    assert_eq!(secrets.server.expose(), secret_of("s ap traffic"));
    assert_eq!(secrets.exporter.expose(), secret_of("exp master"));

    absorb(&mut transcript, &mut messages, count(Role::Client) - hellos - 1);
    finished_is(&client_finished, &transcript, finished(Role::Client));
    absorb(&mut transcript, &mut messages, 1);
    let resumption = secrets.main.resumption(&transcript.digest()).unwrap();
    let nonce = [0, 0];
    let expected = Resumption::new(hash(), secret(secret_of("res master"))).psk(&nonce).unwrap();
    assert!(resumption.psk(&nonce).unwrap().matches(expected.expose()));
    if tickets > 0 {
        assert_eq!(expected.expose(), secret_of("resumption"));
    }
}

#[test]
fn the_stages_yield_the_secrets_of_the_trace() {
    for number in FULL_HANDSHAKES {
        walk(&section(number), None);
    }
    walk(&section(RESUMED), Some(section(RESUMABLE).ticket_psk()));
}

#[test]
fn a_binder_proves_its_key_over_its_own_hello_alone() {
    let (trace, resumable) = (section(RESUMED), section(RESUMABLE));
    let truncated = trace.first(Role::Client, "calculate PSK binder", "ClientHello prefix");
    let binder = trace.first(Role::Client, "calculate PSK binder", "finished");
    let constants = Constants::new(hash()).unwrap();
    let proves = |psk: &[u8], kind, truncated: &[u8], binder: &[u8]| {
        let claimed = Claimed::new(&constants, psk, kind).unwrap();
        claimed.prove(&hash().hash(&[truncated]), binder).unwrap().is_some()
    };
    let psk = resumable.ticket_psk();
    assert!(proves(psk, PskKind::Resumption, truncated, binder));
    assert!(!proves(&[7; 32], PskKind::Resumption, truncated, binder));
    assert!(!proves(psk, PskKind::External, truncated, binder));
    assert!(!proves(psk, PskKind::Imported, truncated, binder));
    assert!(!proves(psk, PskKind::Resumption, &truncated[1..], binder));
    assert!(!proves(psk, PskKind::Resumption, truncated, &binder[1..]));
    assert!(!proves(psk, PskKind::Resumption, truncated, &[]));
}

#[test]
fn the_server_goes_on_with_the_key_that_the_client_proved_to_have() {
    let trace = section(RESUMED);
    let constants = Constants::new(hash()).unwrap();
    let (psk, kind) = (section(RESUMABLE).ticket_psk().to_vec(), PskKind::Resumption);
    let truncated = trace.first(Role::Client, "calculate PSK binder", "ClientHello prefix");
    let binder = trace.first(Role::Client, "calculate PSK binder", "finished");
    let claimed = Claimed::new(&constants, &psk, kind).unwrap();
    let proven = claimed.prove(&hash().hash(&[truncated]), binder).unwrap().unwrap();
    assert_eq!(proven.id(), binder);
    let any = hash().hash(&[b"any"]);
    let ours = proven.handshake(None).unwrap().0.derive(&any).unwrap();
    let offered = Offered::new(&constants, &psk, kind).unwrap();
    let theirs = offered.handshake(None).unwrap().0.derive(&any).unwrap();
    assert_eq!(ours.client.expose(), theirs.client.expose());
}

#[test]
fn the_transcript_hash_is_that_of_the_trace() {
    let trace = section("5.");
    let hellos: Vec<&[u8]> = trace.steps.iter().filter_map(Step::message).take(4).collect();
    let expected = trace.first(Role::Server, "derive secret \"tls13 c hs traffic\"", "hash");
    let mut transcript = Transcript::after_retry(hash(), &hash().hash(&[hellos[0]]));
    absorb(&mut transcript, &mut hellos[1..].iter().copied(), 3);
    assert_eq!(transcript.digest(), Digest::new(expected));
}

fn boundary() -> EpochBoundary {
    let mut joiner = Joiner::new(0);
    joiner.push(&[20, 0, 0, 0]).unwrap();
    joiner.peek().unwrap().unwrap().boundary().unwrap()
}

/// The traffic secret that `role` writes with from this step on, if it changes keys.
fn write_secret<'a>(section: &'a Section, step: &'a Step) -> Option<&'a [u8]> {
    let epoch = step.action.strip_prefix("derive write traffic keys for ")?;
    let Some((epoch, _)) = epoch.split_once(" (same as ") else { return step.field("PRK") };
    let peer = if step.role == Role::Client { Role::Server } else { Role::Client };
    let mut action = alloc::string::String::from("derive read traffic keys for ");
    action.push_str(epoch);
    Some(section.first(peer, &action, "PRK"))
}

/// Seals and opens every record of one sender; how many were protected.
fn check_records<D: Direction>(section: &Section, role: Role, first: ProtocolVersion) -> usize {
    let mut sealer = Sealer::<D>::plain(Padding::None, SizeLimit::STANDARD, first);
    let mut opener = Opener::<D>::plain();
    let mut sealed = 0;
    for step in section.steps.iter().filter(|step| step.role == role) {
        if let Some(bytes) = write_secret(section, step) {
            // One generation of application keys stands for every epoch: key and IV are derived alike.
            let traffic = Traffic::<D, ApplicationEpoch>::new(hash(), secret(bytes));
            sealer.rekey(traffic.keys(suite().aead).unwrap(), u64::MAX);
            opener.rekey(traffic.keys(suite().aead).unwrap(), boundary());
        }
        let Some((payload, record)) = step.record() else { continue };
        let mut out = SendBuf::default();
        let kind = match step.action.split_whitespace().nth(1).unwrap() {
            "handshake" => ContentType::HANDSHAKE,
            "application_data" => ContentType::APPLICATION_DATA,
            "alert" => ContentType::ALERT,
            "change_cipher_spec" => ContentType::CHANGE_CIPHER_SPEC,
            other => panic!("unknown record {other}"),
        };
        let is_spec = kind == ContentType::CHANGE_CIPHER_SPEC;
        if is_spec {
            sealer.change_cipher_spec(&mut out).unwrap();
        } else {
            sealer.seal(kind, payload, &mut out).unwrap();
        }
        assert_eq!(out.pending(), record, "{role:?}: {}", step.action);
        let mut received = record.to_vec();
        let Opened::Record(opened) = opener.open(&mut received).unwrap() else {
            panic!("a record is missing")
        };
        assert_eq!((opened.kind, &*opened.content, opened.consumed), (kind, payload, record.len()));
        let protected = sealer.is_protected() && !is_spec;
        assert_eq!(opened.protection == Protection::Sealed, protected);
        sealed += usize::from(protected);
    }
    sealed
}

#[test]
fn every_record_is_sealed_and_opened_as_in_the_trace() {
    let sealed: Vec<(usize, usize)> = sections()
        .iter()
        .map(|section| {
            let client = check_records::<Client>(section, Role::Client, ProtocolVersion::TLS_1_0);
            (client, check_records::<Server>(section, Role::Server, ProtocolVersion::TLS_1_2))
        })
        .collect();
    assert_eq!(sealed, [(3, 4), (5, 3), (2, 2), (2, 2), (2, 2)]);
}
