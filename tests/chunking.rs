//! However the transport cuts the streams: the same events, the same data, the same bytes in answer.
#![cfg(feature = "rustcrypto")]

mod support;

use proptest::prelude::*;
use support::flow::*;
use support::forge::Puppet;
use support::*;
use symbolon::conn::{Ask, Event, Step};

/// What one side was told and what it sent.
#[derive(Debug, Default, PartialEq)]
struct Story {
    events: Vec<String>,
    data: Vec<u8>,
    sent: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Act {
    Write(bool, usize),
    Update(bool, bool),
    Close(bool),
}

/// Gives `bytes` to `party` in pieces, whose lengths `cut` says in turn.
fn deliver<E: Endpoint>(
    party: &mut Party<E>,
    story: &mut Story,
    mut bytes: &[u8],
    cut: &mut dyn Iterator<Item = usize>,
) {
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(cut.next().unwrap().min(bytes.len()));
        bytes = rest;
        party.inbox.extend(piece);
        let mut at = 0;
        loop {
            let before = party.inbox.len() - at;
            let Step { consumed, event } =
                party.conn.process(&mut party.inbox[at..], &mut party.out).unwrap();
            assert!(consumed <= before);
            at += consumed;
            match event {
                Event::NeedInput { at_least } => {
                    assert!(at_least > 0);
                    break;
                }
                Event::Progress => {}
                Event::Data(plain) => {
                    story.events.push(format!("{} bytes", plain.bytes.len()));
                    story.data.extend_from_slice(plain.bytes);
                }
                Event::Ask(question) => {
                    story.events.push(question.name().into());
                    let answer = party.answers.answer(question);
                    party.conn.resume(answer, &mut party.out).unwrap();
                }
                Event::Secret(secret) => {
                    story.events.push(format!("{:?} {:?}", secret.label, secret.secret.expose()));
                }
                event => story.events.push(format!("{event:?}")),
            }
        }
        party.inbox.drain(..at);
    }
}

/// A handshake, then the acts in order, each carried over until nothing moves.
fn tell(flow: Flow, acts: &[Act], cut: &mut dyn Iterator<Item = usize>) -> [Story; 2] {
    let Puppet { party: mut client, said, .. } = flow.client_with(|b| b.report_messages());
    let mut server = flow.server_with(|b| b.report_messages().tickets(2)).party;
    let mut stories = [Story::default(), Story::default()];
    // The puppet took the ClientHello down already.
    let mut up = support::forge::record(support::forge::HANDSHAKE, &said[0].content);
    let mut acts = acts.iter();
    loop {
        while !up.is_empty() || !client.out.is_empty() || !server.out.is_empty() {
            up.extend(client.flush());
            stories[0].sent.extend(&up);
            deliver(&mut server, &mut stories[1], &std::mem::take(&mut up), cut);
            let down = server.flush();
            stories[1].sent.extend(&down);
            deliver(&mut client, &mut stories[0], &down, cut);
        }
        let Some(act) = acts.next() else { return stories };
        match act {
            Act::Write(true, len) => write(&mut client, *len),
            Act::Write(false, len) => write(&mut server, *len),
            Act::Update(true, ask) => drop(client.conn.update_keys(asked(*ask), &mut client.out)),
            Act::Update(false, ask) => drop(server.conn.update_keys(asked(*ask), &mut server.out)),
            Act::Close(true) => client.conn.close(&mut client.out),
            Act::Close(false) => server.conn.close(&mut server.out),
        }
    }
}

fn asked(ask: bool) -> Ask {
    if ask { Ask::Peer } else { Ask::Nobody }
}

fn write<E: Endpoint>(party: &mut Party<E>, len: usize) {
    let data: Vec<u8> = (0..len).map(|n| n as u8).collect();
    // Refused once our side is closed.
    let _ = party.conn.write(&[&data], &mut party.out);
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (any::<bool>(), prop_oneof![0..300_usize, 0..70_000_usize]).prop_map(|(up, len)| Act::Write(up, len)),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(up, ask)| Act::Update(up, ask)),
        1 => any::<bool>().prop_map(Act::Close),
    ]
}

fn flow() -> impl Strategy<Value = Flow> {
    (any::<bool>(), any::<bool>()).prop_map(|(mutual, retry)| Flow { mutual, retry, ..FULL })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunking_gives_the_same_story(
        flow in flow(),
        acts in prop::collection::vec(act(), 0..8),
        cuts in prop::collection::vec(prop_oneof![1..40_usize, 1..20_000_usize], 1..20),
    ) {
        let whole = tell(flow, &acts, &mut std::iter::repeat(usize::MAX));
        let cut = tell(flow, &acts, &mut cuts.iter().copied().cycle());
        prop_assert_eq!(&whole, &cut);
        prop_assert!(whole.iter().all(|story| story.events.iter().any(|event| event.starts_with("Established"))));
    }
}

#[test]
fn single_bytes_give_the_same_story() {
    let acts = [Act::Write(true, 3000), Act::Update(false, true), Act::Write(false, 100), Act::Close(true)];
    for flow in FLOWS {
        let whole = tell(flow, &acts, &mut std::iter::repeat(usize::MAX));
        assert_eq!(whole, tell(flow, &acts, &mut std::iter::repeat(1)));
        assert_eq!((whole[0].data.len(), whole[1].data.len()), (100, 3000));
        assert_eq!(whole[1].events.last().map(String::as_str), Some("PeerClosed"));
    }
}

#[test]
fn every_cut_in_two_gives_the_same_story() {
    let whole = tell(FULL, &[], &mut std::iter::repeat(usize::MAX));
    for at in 1..whole[1].sent.len() {
        let cut = tell(FULL, &[], &mut std::iter::repeat(at));
        assert_eq!(whole, cut, "{at}");
    }
}
