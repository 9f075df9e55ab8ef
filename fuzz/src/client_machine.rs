//! Whatever a server says, under the right keys and with a Finished that fits: a client ends with an alert, or is established
//! with a peer that somebody vouched for.
//!
//! Input: flags and manners of the client, then orders to a puppet in the server's place, each a byte: what to do, and in
//! the upper bits how messages are framed. Messages begin with a `Change`.

use symbolon::conn::Client;

use crate::Script;
use crate::machine::answers::Manners;
use crate::machine::message::{Block, Change, extension, message, vector, written};
use crate::machine::provider::Tags;
use crate::machine::puppet::{Framing, Puppet, RETRY_RANDOM, Role};
use crate::machine::setup::{Flags, SERVER_SEED, client};

/// More orders than any state needs.
const MOST: usize = 64;

const X25519: [u8; 2] = [0, 0x1D];
const SECP256R1: [u8; 2] = [0, 0x17];

pub fn run(input: &[u8]) {
    play(input);
}

/// Plays a script to its end.
pub fn play(input: &[u8]) -> Puppet<Client> {
    let mut script = Script::new(input);
    let (flags, manners) = (Flags(script.u16()), Manners(script.u16()));
    let mut puppet = Puppet::new(client(flags, manners, Tags::Null), Role::Server);
    let mut orders = 0;
    while !script.is_empty() && orders < MOST && puppet.party.error.is_none() {
        orders += 1;
        let order = script.byte();
        act(&mut puppet, order & 31, Framing(order >> 5), &mut script);
    }
    puppet.end(&mut script);
    let party = &puppet.party;
    if let Some(summary) = &party.summary {
        assert!(summary.peer.is_some() && party.verdicts.len() <= 1);
        assert!(summary.early_data.is_err() || flags.has(Flags::EARLY));
    }
    puppet
}

fn act(puppet: &mut Puppet<Client>, order: u8, framing: Framing, script: &mut Script<'_>) {
    let change = Change(if order < 8 { script.byte() } else { 0 });
    let mut message = match order {
        0 => retry(puppet, change, script),
        1 => server_hello(puppet, change, script),
        2 => encrypted_extensions(change, script),
        3 => certificate_request(change, script),
        4 => certificate(change, script),
        5 => certificate_verify(puppet, change),
        6 => puppet.finished(),
        7 => ticket(change, script),
        8..14 => return many(puppet, order, script),
        order => return puppet.order(order, framing, script),
    };
    change.bytes(script, &mut message);
    // Keys may change while it is read.
    puppet.finished |= order == 6;
    puppet.tell(&message, framing, script);
}

/// Much of the same.
fn many(puppet: &mut Puppet<Client>, order: u8, script: &mut Script<'_>) {
    let times = script.byte() % 40;
    for _ in 0..times {
        if puppet.party.error.is_some() {
            return;
        }
        match order {
            8 => puppet.order(27, Framing(0), script),
            9 => puppet.say(23, &[], script),
            10 => puppet.tell(&message(24, &[1]), Framing(0), script),
            11 => puppet.say(21, &[1, 90], script),
            12 => {
                let ticket = ticket(Change(0), script);
                puppet.tell(&ticket, Framing(0), script);
            }
            _ => drop(puppet.party.write(&[b'x'; 1000])),
        }
    }
}

fn hello(puppet: &Puppet<Client>, random: &[u8; 32], suite: [u8; 2], block: &[(u16, Vec<u8>)]) -> Vec<u8> {
    // What the client wants to see echoed.
    let session = puppet.hello.get(38..).and_then(|rest| rest.get(1..=usize::from(*rest.first()?)));
    let session = vector(1, session.unwrap_or_default());
    message(2, &[&[3, 3], &random[..], &session, &suite, &[0], &written(block)].concat())
}

fn suite(change: Change, bit: u8) -> [u8; 2] {
    if change.own(bit) { [0x13, 3] } else { [0x13, 1] }
}

fn retry(puppet: &Puppet<Client>, change: Change, script: &mut Script<'_>) -> Vec<u8> {
    let mut block: Block = vec![(43, vec![3, 4])];
    if !change.own(1) {
        let offered = extension(&puppet.hello, 51).and_then(|data| data.get(2..4));
        let other = if offered == Some(&X25519) { SECP256R1 } else { X25519 };
        block.push((51, other.to_vec()));
    }
    if change.own(0) {
        block.push((44, vector(2, script.block())));
    }
    change.block(script, &mut block);
    hello(puppet, &RETRY_RANDOM, suite(change, 2), &block)
}

fn server_hello(puppet: &Puppet<Client>, change: Change, script: &mut Script<'_>) -> Vec<u8> {
    let mut block: Block = vec![(43, vec![3, 4])];
    if !change.own(1) {
        let offered = extension(&puppet.hello, 51).and_then(|data| data.get(2..4)).unwrap_or(&X25519);
        let group = if change.own(3) { &SECP256R1 } else { offered };
        block.push((51, [group, &vector(2, &[9; 32])].concat()));
    }
    if change.own(0) {
        block.push((41, vec![0, script.byte()]));
    }
    change.block(script, &mut block);
    hello(puppet, &[0x33; 32], suite(change, 2), &block)
}

fn encrypted_extensions(change: Change, script: &mut Script<'_>) -> Vec<u8> {
    let mut block = Block::new();
    if change.own(0) {
        block.push((16, vec![0, 3, 2, b'h', b'2']));
    }
    if change.own(1) {
        block.push((42, Vec::new()));
    }
    if change.own(2) {
        block.push((20, vec![2]));
    }
    if change.own(3) {
        block.extend([(19, vec![2]), (28, vec![0, 64])]);
    }
    change.block(script, &mut block);
    message(8, &written(&block))
}

fn certificate_request(change: Change, script: &mut Script<'_>) -> Vec<u8> {
    let mut block: Block = vec![(13, vec![0, 2, 8, 7])];
    if change.own(0) {
        block.extend([(18, Vec::new()), (5, Vec::new())]);
    }
    if change.own(1) {
        block.push((47, vec![0, 4, 0, 2, 0x30, 0]));
    }
    if change.own(2) {
        block.push((50, vec![0, 2, 4, 3]));
    }
    let context = if change.own(3) { script.block() } else { &[] };
    change.block(script, &mut block);
    message(13, &[vector(1, context), written(&block)].concat())
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
    let entry = [vector(3, &[SERVER_SEED; 16]), written(&block)].concat();
    let entries = match (change.own(0), change.own(1)) {
        (true, _) => Vec::new(),
        (false, false) => entry,
        (false, true) => [entry.clone(), vector(3, script.block()), vec![0, 0]].concat(),
    };
    message(11, &[vec![0], vector(3, &entries)].concat())
}

fn certificate_verify(puppet: &Puppet<Client>, change: Change) -> Vec<u8> {
    let scheme: [u8; 2] = if change.own(0) { [4, 3] } else { [8, 7] };
    message(15, &[&scheme[..], &vector(2, &puppet.signature(&[SERVER_SEED; 16]))].concat())
}

fn ticket(change: Change, script: &mut Script<'_>) -> Vec<u8> {
    let mut block = Block::new();
    if change.own(0) {
        block.push((42, 100_u32.to_be_bytes().to_vec()));
    }
    let lifetime = if change.own(1) { script.u32() } else { 3600 };
    change.block(script, &mut block);
    let ticket = vector(2, if change.own(2) { script.block() } else { b"a ticket" });
    message(4, &[&lifetime.to_be_bytes()[..], &[1, 2, 3, 4], &[1, 9], &ticket, &written(&block)].concat())
}
