//! Messages as the library's own endpoints say them, one with every extension, and records.

use std::collections::BTreeSet;

use symbolon_fuzz::{client_machine, pair, server_machine};

use crate::seed;

pub fn make() {
    let mut messages = BTreeSet::new();
    for both in 0..16_u16 {
        let flags = (1_u16 << both).to_be_bytes();
        let input = [&flags[..], &flags, &[0; 4]].concat();
        let pair = pair::play(&input);
        for said in pair.client.said.iter().chain(&pair.server.said) {
            collect(&mut messages, said.kind, &said.content);
        }
    }
    messages.extend(of_puppets());
    messages.insert(client_hello_with_everything());
    messages.insert(message(13, &request_with_everything()));
    for (index, message) in messages.iter().enumerate() {
        let name = format!("{:02}-{index:03}", message[0]);
        seed("wire", &name, &[&[message[0], 0], &message[4..]].concat());
    }
    joined(&messages.into_iter().collect::<Vec<_>>());
    records();
}

fn collect(messages: &mut BTreeSet<Vec<u8>>, kind: u8, content: &[u8]) {
    let mut rest = content;
    while kind == 22
        && let Some([_, a, b, c]) = rest.first_chunk()
    {
        let len = 4 + u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some((message, behind)) = rest.split_at_checked(len) else { return };
        messages.insert(message.to_vec());
        rest = behind;
    }
}

/// What puppets say: their transcripts hold it.
fn of_puppets() -> BTreeSet<Vec<u8>> {
    let mut messages = BTreeSet::new();
    let clients: [&[u8]; 4] = [
        &[8, 0, 0, 0, 1, 0, 2, 0, 3, 0x70, 4, 0, 5, 0, 6, 0, 7, 0x10, 14, 0],
        &[1, 2, 0, 0, 1, 0, 2, 0xD0, 4, 0xC0, 5, 0, 6, 0],
        &[0, 1, 0, 0, 0, 0x10, 4, 9, 9, 9, 9, 1, 0, 2, 0, 4, 0, 5, 0, 6, 0],
        &[0, 8, 0, 0, 1, 0x10, 0, 2, 0x20, 6, 0],
    ];
    let servers: [&[u8]; 3] = [
        &[0, 0, 0, 0, 0, 0xF0, 1, 0, 2, 0xC0, 3, 0, 4, 0],
        &[0, 24, 0, 0, 0, 0x70, 5, 1, 1, 1, 0, 4, 0, 14, 1],
        &[64, 1, 0, 0, 0, 0x80, 0, 0, 4, 0],
    ];
    for input in clients {
        collect(&mut messages, 22, &client_machine::play(input).transcript);
    }
    for input in servers {
        collect(&mut messages, 22, &server_machine::play(input).transcript);
    }
    messages
}

fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[4 - width..], content].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &*vector(3, body)].concat()
}

fn extension(kind: u8, data: &[u8]) -> Vec<u8> {
    [&[0, kind], &*vector(2, data)].concat()
}

fn client_hello_with_everything() -> Vec<u8> {
    let psks =
        [vector(2, &[vector(2, b"identity"), vec![0; 4]].concat()), vector(2, &vector(1, &[0; 32]))].concat();
    let block = [
        extension(0, &vector(2, &[&[0][..], &vector(2, b"example.test.")].concat())),
        extension(5, &[1, 0, 4, 0, 2, 1, 2, 0, 0]),
        extension(10, &vector(2, &[0, 29, 0, 23])),
        extension(13, &vector(2, &[8, 7, 4, 3])),
        extension(16, &vector(2, &[2, b'h', b'2', 1, b'x'])),
        extension(18, &[]),
        extension(19, &[1, 2]),
        extension(20, &[2, 2, 0]),
        extension(28, &[0x40, 1]),
        extension(42, &[]),
        extension(43, &[4, 3, 4, 3, 3]),
        extension(44, &vector(2, b"cookie")),
        extension(45, &[2, 1, 0]),
        extension(47, &vector(2, &vector(2, &[0x30, 0]))),
        extension(49, &[]),
        extension(50, &vector(2, &[4, 3])),
        extension(
            51,
            &vector(2, &[&[0, 29][..], &vector(2, &[9; 32]), &[0, 23], &vector(2, &[4; 65])].concat()),
        ),
        extension(58, &[2, 1]),
        extension(255, b"unknown"),
        extension(41, &psks),
    ]
    .concat();
    message(
        1,
        &[&[3, 3][..], &[1; 32], &vector(1, &[2; 32]), &vector(2, &[0x13, 1]), &[1, 0], &vector(2, &block)]
            .concat(),
    )
}

fn request_with_everything() -> Vec<u8> {
    let block = [
        extension(5, &[]),
        extension(13, &vector(2, &[8, 7, 4, 3])),
        extension(18, &[]),
        extension(47, &vector(2, &vector(2, &[0x30, 0]))),
        extension(48, &vector(2, &[3, 0x55, 0x1D, 0x25, 0, 2, 1, 2])),
        extension(50, &vector(2, &[4, 3])),
    ]
    .concat();
    [vector(1, b"context"), vector(2, &block)].concat()
}

/// Handshake bytes, cut in several ways.
fn joined(messages: &[Vec<u8>]) {
    let stream =
        messages.iter().filter(|message| message.len() < 100).take(12).cloned().collect::<Vec<_>>().concat();
    for (name, cut) in [("ones", 1), ("threes", 3), ("tens", 10), ("hundreds", 100), ("whole", 250)] {
        for flags in 0..4_u8 {
            let stream = &stream[..stream.len().min(cut * 100)];
            let fragments: Vec<u8> =
                stream.chunks(cut).flat_map(|part| [&[part.len() as u8], part].concat()).collect();
            seed("joiner", &format!("{name}-{flags}"), &[&[flags, 4][..], &fragments].concat());
        }
    }
    seed("joiner", "too-long", &[0, 0, 4, 11, 0, 1, 1]);
    seed("joiner", "certificate", &[&[0, 1, 4, 11, 0, 0, 200, 200][..], &[7; 200]].concat());
}

fn records() {
    let make = |name: &str, orders: &[u8]| seed("record_open", name, orders);
    make("plain", &[0, 8, 22, 3, 3, 0, 3, 1, 2, 3, 8, 0, 3, 1, 2, 3]);
    make("sealed", &[3, 1, 4, 1, 2, 3, 23, 8, 1, 3, 1, 2, 3, 8, 0, 1, 1]);
    make("padded", &[3, 1, 6, 1, 2, 23, 0, 0, 0, 1, 3, 0, 0, 0]);
    make("keys", &[3, 1, 2, 1, 23, 3, 1, 2, 1, 22, 3, 1, 3, 1, 0, 21]);
    make("limit", &[3, 4, 0, 64, 7, 0, 64, 7, 0, 65]);
    make("longest", &[3, 7, 64, 1, 7, 64, 2]);
    make("until-hello", &[5, 0, 100, 0, 7, 23, 3, 3, 0, 2, 1, 2, 0, 6, 22, 3, 3, 0, 1, 1]);
    make("until-opened", &[3, 6, 0, 100, 2, 3, 1, 2, 23, 0, 9, 1, 1, 2, 1, 23]);
    make("broken", &[3, 2, 3, 1, 2, 23, 0, 9, 1]);
    make("pieces", &[3, 0, 3, 23, 3, 3, 0, 3, 0, 20, 1, 0, 0]);
    make("change-cipher-spec", &[0, 6, 20, 3, 3, 0, 1, 1, 3, 0, 6, 20, 3, 3, 0, 1, 1]);
}
