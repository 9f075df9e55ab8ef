//! Whatever a client says, under the right keys and with a Finished that fits: a server ends with an alert, or is established
//! with a client that was authenticated where that was demanded, and reads no more early data than it permitted.
//!
//! Input: flags and manners of the server, then orders to a puppet in the client's place, each a byte: what to do, and in
//! the upper bits how messages are framed. Messages begin with a `Change`.

use symbolon::conn::Server;

use crate::Script;
use crate::machine::answers::Manners;
use crate::machine::keys::{EXTERNAL, Lane, TICKET, binder, early_traffic};
use crate::machine::message::{Block, Change, extension, message, vector, written};
use crate::machine::provider::Tags;
use crate::machine::puppet::{Framing, Puppet, Role};
use crate::machine::setup::{CLIENT_SEED, Flags, MAX_EARLY, server};

/// More orders than any state needs.
const MOST: usize = 64;

const X25519: [u8; 2] = [0, 0x1D];
const SECP256R1: [u8; 2] = [0, 0x17];

const COOKIE: u16 = 44;
const KEY_SHARE: u16 = 51;
const PRE_SHARED_KEY: u16 = 41;

pub fn run(input: &[u8]) {
    play(input);
}

/// Plays a script to its end.
pub fn play(input: &[u8]) -> Puppet<Server> {
    let mut script = Script::new(input);
    let (flags, manners) = (Flags(script.u16()), Manners(script.u16()));
    let mut puppet = Puppet::new(server(flags, manners, Tags::Null), Role::Client);
    let mut orders = 0;
    while !script.is_empty() && orders < MOST && puppet.party.error.is_none() {
        orders += 1;
        let order = script.byte();
        act(&mut puppet, flags, order & 31, Framing(order >> 5), &mut script);
    }
    puppet.end(&mut script);
    let party = &puppet.party;
    assert!(party.early.len() <= MAX_EARLY as usize);
    assert!(party.early.is_empty() || flags.has(Flags::EARLY));
    if let Some(summary) = &party.summary {
        assert!(!flags.has(Flags::MUTUAL) || summary.peer.is_some() || flags.has(Flags::ASKS));
        assert!(summary.early_data.is_err() || party.early_ended);
    }
    puppet
}

fn act(puppet: &mut Puppet<Server>, flags: Flags, order: u8, framing: Framing, script: &mut Script<'_>) {
    let change = Change(if order < 5 { script.byte() } else { 0 });
    let mut message = match order {
        0 => return client_hello(puppet, change, framing, script),
        1 => message(5, &[]),
        2 => certificate(change, script),
        3 => certificate_verify(puppet, change),
        4 => puppet.finished(),
        5 => return early(puppet, script),
        // Whoever answers a stateless retry may be talking to another server.
        13 if puppet.retry.is_some() && !puppet.finished => {
            return puppet.turn_to(server(flags, puppet.party.manners, Tags::Null));
        }
        6..14 => return many(puppet, order, script),
        order => return puppet.order(order, framing, script),
    };
    change.bytes(script, &mut message);
    let before = puppet.finished;
    puppet.tell(&message, framing, script);
    puppet.ended_early |= order == 1;
    puppet.finished = before || order == 4;
}

/// Early data under our own keys, whether or not it is read.
fn early(puppet: &mut Puppet<Server>, script: &mut Script<'_>) {
    let content = script.block();
    if let Some(lane) = &mut puppet.early {
        let record = lane.seal(&[content, &[23]].concat());
        puppet.feed(&record, script);
    }
}

/// Much of the same.
fn many(puppet: &mut Puppet<Server>, order: u8, script: &mut Script<'_>) {
    let times = script.byte() % 40;
    for _ in 0..times {
        if puppet.party.error.is_some() {
            return;
        }
        match order {
            6 => puppet.order(27, Framing(0), script),
            7 => puppet.say(23, &[], script),
            8 => puppet.tell(&message(24, &[1]), Framing(0), script),
            9 => puppet.say(21, &[1, 90], script),
            10 => puppet.feed(&crate::machine::keys::record(23, &[0x55; 200]), script),
            _ => drop(puppet.party.write(&[b'x'; 1000])),
        }
    }
}

/// The first ClientHello, or the second one behind a HelloRetryRequest.
fn client_hello(puppet: &mut Puppet<Server>, change: Change, framing: Framing, script: &mut Script<'_>) {
    let (mut block, keys) = offer(puppet, change);
    change.block(script, &mut block);
    let suites: &[u8] =
        if prefers_the_second_suite(change) { &[0x13, 3, 0x13, 1] } else { &[0x13, 1, 0x13, 3] };
    let body = [&[3, 3][..], &[0x11; 32], &vector(1, &[0x22; 32]), &vector(2, suites), &[1, 0]].concat();
    let mut hello = message(1, &[body, written(&block)].concat());
    let behind = 2 + 33 * keys.len();
    if block.last().is_some_and(|(kind, data)| *kind == PRE_SHARED_KEY && data.len() > behind) {
        let covered = [&*puppet.transcript, &hello[..hello.len() - behind]].concat();
        let binders: Vec<u8> =
            keys.iter().flat_map(|(psk, label)| vector(1, &binder(psk, label, &covered))).collect();
        let at = hello.len() - behind;
        hello.splice(at.., vector(2, &binders));
    }
    change.bytes(script, &mut hello);
    if puppet.early.is_none()
        && let Some((psk, _)) = keys.first()
    {
        puppet.early = Some(Lane::new(&early_traffic(psk, &hello)));
    }
    puppet.tell(&hello, framing, script);
}

fn prefers_the_second_suite(change: Change) -> bool {
    change.own(3) && change.own(2)
}

type Keys = Vec<([u8; 32], &'static str)>;

/// The extensions of a hello, and the keys that it offers.
fn offer(puppet: &Puppet<Server>, change: Change) -> (Block, Keys) {
    let retry = puppet.retry.as_deref();
    let asked = retry.and_then(|retry| extension(retry, KEY_SHARE)).unwrap_or(&X25519);
    let group = if retry.is_none() && change.own(3) { &SECP256R1 } else { asked };
    let mut block: Block = vec![
        (0, [&[0, 15, 0][..], &vector(2, b"example.test")].concat()),
        (10, [&[0, 4][..], &X25519, &SECP256R1].concat()),
        (13, vec![0, 2, 8, 7]),
        (43, vec![2, 3, 4]),
        (KEY_SHARE, vector(2, &[group, &vector(2, &[9; 32])].concat())),
        (16, vec![0, 3, 2, b'h', b'2']),
        (45, vec![1, 1]),
    ];
    if let Some(cookie) = retry.and_then(|retry| extension(retry, COOKIE)) {
        block.push((COOKIE, cookie.to_vec()));
    }
    if change.own(2) {
        // Raw public keys, and what a server may be asked to send.
        block.extend([(19, vec![2, 2, 0]), (20, vec![2, 2, 0]), (5, vec![1, 0, 0, 0, 0]), (18, Vec::new())]);
    }
    if change.own(1) && change.own(0) && retry.is_none() {
        block.push((42, Vec::new()));
    }
    let mut offered: Vec<(&[u8], [u8; 32], &'static str)> = Vec::new();
    if change.own(1) {
        offered.push((TICKET.0, TICKET.1, "res binder"));
    } else if change.own(0) {
        offered.push((EXTERNAL.0, EXTERNAL.1, "ext binder"));
    }
    if !offered.is_empty() {
        let identities: Vec<u8> =
            offered.iter().flat_map(|(identity, ..)| [vector(2, identity), vec![0; 4]].concat()).collect();
        let blank: Vec<u8> = offered.iter().flat_map(|_| vector(1, &[0; 32])).collect();
        block.push((PRE_SHARED_KEY, [vector(2, &identities), vector(2, &blank)].concat()));
    }
    (block, offered.into_iter().map(|(_, psk, label)| (psk, label)).collect())
}

fn certificate(change: Change, script: &mut Script<'_>) -> Vec<u8> {
    let mut block = Block::new();
    if change.own(2) {
        block.push((5, [&[1][..], &vector(3, &[7; 4])].concat()));
    }
    if change.own(3) {
        block.push((18, vector(2, &vector(2, &[7; 4]))));
    }
    change.block(script, &mut block);
    let entry = [vector(3, &[CLIENT_SEED; 16]), written(&block)].concat();
    let entries = match (change.own(0), change.own(1)) {
        (true, _) => Vec::new(),
        (false, false) => entry,
        (false, true) => [entry.clone(), vector(3, script.block()), vec![0, 0]].concat(),
    };
    message(11, &[vec![0], vector(3, &entries)].concat())
}

fn certificate_verify(puppet: &Puppet<Server>, change: Change) -> Vec<u8> {
    let scheme: [u8; 2] = if change.own(0) { [4, 3] } else { [8, 7] };
    message(15, &[&scheme[..], &vector(2, &puppet.signature(&[CLIENT_SEED; 16]))].concat())
}
