//! Halves on threads of their own, their orders, and keys in the kernel's hands.
#![cfg(feature = "rustcrypto")]

mod support;
#[path = "support/tap.rs"]
mod tap;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use support::*;
use symbolon::conn::{Ask, HalfEvent, HalfStep, Order, RecvHalf, SendBuf, SendHalf, Updated};
use symbolon::{AlertCode, Error, Misuse};
use tap::*;

/// Sends `total` bytes in pieces, with updates of keys between them, then closes.
fn sender(mut half: SendHalf, orders: Receiver<Order>, wire: Sender<Vec<u8>>, total: usize) {
    let mut out = SendBuf::with_limit(20_000);
    let flush = |out: &mut SendBuf| {
        let bytes = out.pending().to_vec();
        out.advance(bytes.len());
        wire.send(bytes).unwrap();
    };
    let (mut at, mut round) = (0, 0_usize);
    while at < total {
        for order in orders.try_iter() {
            half.apply(order, &mut out).unwrap();
        }
        if round % 5 == 1 {
            half.update_keys(Ask::Peer, &mut out).unwrap();
        }
        let piece: Vec<u8> = (at..total.min(at + 3000)).map(byte).collect();
        at += half.write(&[&piece], &mut out).unwrap();
        flush(&mut out);
        round += 1;
    }
    half.close(&mut out).unwrap();
    flush(&mut out);
}

fn byte(at: usize) -> u8 {
    u8::try_from(at % 241).unwrap()
}

/// Receives until the peer closes; gives the data and how many orders there were.
fn receiver(mut half: RecvHalf, orders: Sender<Order>, wire: Receiver<Vec<u8>>) -> (Vec<u8>, usize) {
    let (mut input, mut data, mut count) = (Vec::new(), Vec::new(), 0);
    loop {
        let HalfStep { consumed, event } = half.process(&mut input).unwrap();
        let mut more = false;
        match event {
            HalfEvent::NeedInput { .. } => more = true,
            HalfEvent::Data(plain) => data.extend_from_slice(plain.bytes),
            HalfEvent::Order(order) => {
                count += 1;
                // The sending half may be done and gone.
                let _ = orders.send(order);
            }
            HalfEvent::PeerClosed => {
                half.eof().unwrap();
                return (data, count);
            }
            _ => {}
        }
        input.drain(..consumed);
        if more {
            input.extend(wire.recv().expect("the peer closes before it goes"));
        }
    }
}

#[test]
fn four_threads_carry_data_both_ways_at_once() {
    const TOTAL: usize = 300_000;
    let pair = Pair::established();
    let (client_recv, client_send) = pair.client.conn.split().unwrap();
    let (server_recv, server_send) = pair.server.conn.split().unwrap();
    let (up, up_end) = channel();
    let (down, down_end) = channel();
    let (client_orders, for_client) = channel();
    let (server_orders, for_server) = channel();
    thread::scope(|scope| {
        scope.spawn(|| sender(client_send, for_client, up, TOTAL));
        scope.spawn(|| sender(server_send, for_server, down, TOTAL));
        let client = scope.spawn(|| receiver(client_recv, client_orders, down_end));
        let server = scope.spawn(|| receiver(server_recv, server_orders, up_end));
        let expected: Vec<u8> = (0..TOTAL).map(byte).collect();
        for (data, orders) in [client.join().unwrap(), server.join().unwrap()] {
            assert_eq!(data, expected);
            assert!(orders > 0, "keys were updated on the way");
        }
    });
}

/// Halves of an established server, with the keys of both directions.
fn server_halves() -> (RecvHalf, SendHalf, Tapped) {
    let mut tapped = tapped();
    let other = Pair::established().server;
    let server = std::mem::replace(&mut tapped.pair.server, other);
    let (recv, send) = server.conn.split().unwrap();
    (recv, send, tapped)
}

fn order(half: &mut RecvHalf, bytes: &[u8]) -> Order {
    let mut input = bytes.to_vec();
    loop {
        let HalfStep { consumed, event } = half.process(&mut input).unwrap();
        match event {
            HalfEvent::Order(order) => return order,
            HalfEvent::NeedInput { .. } => panic!("no order"),
            _ => drop(input.drain(..consumed)),
        }
    }
}

#[test]
fn a_fault_gives_its_alert_as_an_order_and_then_the_error_forever() {
    let (mut recv, mut send, mut tapped) = server_halves();
    let mut out = SendBuf::with_limit(LIMIT);
    let fault = order(&mut recv, &plain(DATA, &[0; 32]));
    assert_eq!(fault, Order::Alert(AlertCode::BAD_RECORD_MAC));
    let error = recv.process(&mut []).unwrap_err();
    assert_eq!(error.alert(), Some(AlertCode::BAD_RECORD_MAC));
    assert_eq!(recv.process(&mut []).unwrap_err(), error);
    assert_eq!(recv.eof(), Err(error));
    send.apply(fault, &mut out).unwrap();
    let sent = tapped.down.read(out.pending());
    assert_eq!(sent, [(ALERT, vec![2, AlertCode::BAD_RECORD_MAC.0])]);
    assert_eq!(send.write(&[b"x"], &mut out), Err(Error::Misuse(Misuse::WriteClosed)));
    assert_eq!(send.update_keys(Ask::Nobody, &mut out), Err(Error::Misuse(Misuse::WriteClosed)));
}

#[test]
fn a_peers_alert_orders_to_stop() {
    let (mut recv, mut send, mut tapped) = server_halves();
    let mut out = SendBuf::with_limit(LIMIT);
    let stop = order(&mut recv, &tapped.up.seal(ALERT, &[2, 40]));
    assert_eq!(stop, Order::Stop);
    assert_eq!(recv.process(&mut []).unwrap_err(), Error::Alert(AlertCode::HANDSHAKE_FAILURE));
    send.apply(stop, &mut out).unwrap();
    assert_eq!(send.write(&[b"x"], &mut out), Err(Error::Misuse(Misuse::WriteClosed)));
    send.close(&mut out).unwrap();
    assert!(out.is_empty(), "nothing more is sent");
}

#[test]
fn key_updates_become_orders_that_are_coalesced() {
    let (mut recv, mut send, mut tapped) = server_halves();
    let mut out = SendBuf::with_limit(LIMIT);
    assert_eq!(send.update_keys(Ask::Peer, &mut out), Ok(Updated::Done));
    assert_eq!(send.update_keys(Ask::Peer, &mut out), Ok(Updated::AlreadyAsked));
    let answered = order(&mut recv, &tapped.up.key_update(&KEY_UPDATE));
    assert_eq!(answered, Order::PeerUpdated);
    send.apply(answered, &mut out).unwrap();
    assert_eq!(send.update_keys(Ask::Peer, &mut out), Ok(Updated::Done));
    for _ in 0..5 {
        let asked = order(&mut recv, &tapped.up.key_update(&KEY_UPDATE_REQUESTED));
        assert_eq!(asked, Order::AnswerKeyUpdate);
        send.apply(asked, &mut out).unwrap();
    }
    send.write(&[b"data"], &mut out).unwrap();
    let kinds: Vec<u8> = tapped.down.read(out.pending()).iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [HANDSHAKE, HANDSHAKE, HANDSHAKE, DATA]);
}

#[test]
fn halves_report_a_truncation() {
    let (mut recv, _send, _tapped) = server_halves();
    assert_eq!(recv.eof(), Err(Error::Truncated));
    assert_eq!(recv.process(&mut []).unwrap_err(), Error::Truncated);
}

#[test]
fn a_half_read_message_goes_with_the_receiving_half() {
    let mut tapped = tapped();
    feed(&mut tapped.pair.server, &tapped.up.seal(HANDSHAKE, &KEY_UPDATE[..2])).unwrap();
    let (mut recv, _send) = tapped.pair.server.conn.split().unwrap();
    assert_eq!(order(&mut recv, &tapped.up.seal(HANDSHAKE, &KEY_UPDATE[2..])), Order::PeerUpdated);
}

#[test]
fn both_halves_export_what_the_connection_did() {
    let pair = Pair::established();
    let mut outputs = [[0; 32]; 3];
    pair.client.conn.exporter(b"x", b"", &mut outputs[0]).unwrap();
    let (recv, send) = pair.server.conn.split().unwrap();
    recv.exporter(b"x", b"", &mut outputs[1]).unwrap();
    send.exporter(b"x", b"", &mut outputs[2]).unwrap();
    assert_eq!([outputs[0]; 3], outputs);
}

#[test]
fn halves_of_a_failed_connection_forget_the_exporter() {
    let (mut recv, mut send, _) = server_halves();
    let given = order(&mut recv, &plain(DATA, &[0; 32]));
    assert_eq!(given, Order::Alert(AlertCode::BAD_RECORD_MAC));
    let error = recv.process(&mut []).unwrap_err();
    assert_eq!(recv.exporter(b"x", b"", &mut [0; 32]), Err(error));
    send.apply(given, &mut SendBuf::with_limit(LIMIT)).unwrap();
    assert_eq!(send.exporter(b"x", b"", &mut [0; 32]), Err(Misuse::WriteClosed.into()));

    let (mut recv, mut send, _) = server_halves();
    recv.eof().unwrap_err();
    assert_eq!(recv.exporter(b"x", b"", &mut [0; 32]), Err(Error::Truncated));
    send.apply(Order::Stop, &mut SendBuf::with_limit(LIMIT)).unwrap();
    assert_eq!(send.exporter(b"x", b"", &mut [0; 32]), Err(Misuse::WriteClosed.into()));
}

#[test]
fn a_connection_that_cannot_be_split_comes_back_unharmed() {
    let Pair { mut client, mut server } = Pair::standard();
    let unsplit = client.conn.split().unwrap_err();
    assert_eq!(unsplit.why, Error::Misuse(Misuse::NotEstablished));
    client.conn = *unsplit.connection;
    server.inbox = client.flush();
    server.run().unwrap();
    client.inbox = server.flush();
    client.run().unwrap();
    server.inbox = client.flush();
    // One step short of taking what the client's Finished brings about.
    let at = loop {
        let step = server.conn.process(&mut server.inbox, &mut server.out).unwrap();
        let consumed = step.consumed;
        server.inbox.drain(..consumed);
        if server.inbox.is_empty() {
            break consumed;
        }
    };
    assert!(at > 0);
    let unsplit = server.conn.split().unwrap_err();
    server.conn = *unsplit.connection;
    server.run().unwrap();
    assert!(server.summary.is_some());
    let mut pair = Pair { client, server };
    pair.send_up(b"up");
    pair.send_down(b"down");
    assert_eq!((&pair.server.data[..], &pair.client.data[..]), (&b"up"[..], &b"down"[..]));
}

#[test]
fn a_split_is_refused_while_a_question_for_a_ticket_waits() {
    let mut pair = Pair::new(&client_config(|b| b), &server_config(|b| b.tickets(1)));
    let flight = to_server(&mut pair);
    feed(&mut pair.client, &flight).unwrap();
    let mut input = pair.client.flush();
    while !pair.server.conn.is_established() {
        let consumed = pair.server.conn.process(&mut input, &mut pair.server.out).unwrap().consumed;
        input.drain(..consumed);
    }
    let unsplit = pair.server.conn.split().unwrap_err();
    assert_eq!(unsplit.why, Error::Misuse(Misuse::BytesPending));
    pair.server.conn = *unsplit.connection;
    let kept = pair.server.conn.into_kernel(&SendBuf::with_limit(0)).unwrap_err();
    assert_eq!(kept.why, Error::Misuse(Misuse::BytesPending));
    pair.server.conn = *kept.connection;
    pair.server.run().unwrap();
    assert_eq!(pair.server.answers.asked.last(), Some(&"SealTicket"));
    assert!(pair.server.conn.split().is_ok());
}

#[test]
fn the_kernels_keys_open_and_seal_the_next_records() {
    let Tapped { mut pair, .. } = tapped();
    for update in [false, true] {
        if update {
            pair.client.conn.update_keys(Ask::Peer, &mut pair.client.out).unwrap();
        }
        pair.send_up(b"a record more");
        pair.send_down(b"and its answer");
    }
    pair.send_down(b"and another");
    pair.send_down(b"and the last");
    let Pair { mut client, server } = pair;
    let kernel = server.conn.into_kernel(&server.out).unwrap();
    assert_eq!(kernel.suite, SUITE);
    assert_eq!((kernel.send.sequence, kernel.receive.sequence), (3, 1));
    assert!(kernel.record_limit > 1 << 20);
    let (mut send, mut receive) = (Tap::from_kernel(&kernel.send), Tap::from_kernel(&kernel.receive));
    client.data.clear();
    feed(&mut client, &[send.seal(DATA, b"from the kernel"), send.key_update(&KEY_UPDATE)].concat()).unwrap();
    feed(&mut client, &send.seal(DATA, b", updated")).unwrap();
    assert_eq!(client.data, b"from the kernel, updated");
    client.conn.write(&[b"to the kernel"], &mut client.out).unwrap();
    assert_eq!(receive.read(&client.flush()), [(DATA, b"to the kernel".to_vec())]);
}

#[test]
fn the_kernel_is_told_how_much_a_record_may_carry() {
    for (limit, content) in [(None, 16_384), (Some(100), 99)] {
        let client = client_config(|b| match limit {
            Some(limit) => b.record_size_limit(limit),
            None => b,
        });
        let mut pair = Pair::new(&client, &server_config(|b| b.record_size_limit(16_385)));
        pair.run().unwrap();
        let kernel = pair.server.conn.into_kernel(&pair.server.out).unwrap();
        assert_eq!(kernel.max_content, content);
    }
}

#[test]
fn keys_are_not_handed_over_while_anything_would_be_lost() {
    let pending = Error::Misuse(Misuse::BytesPending);
    let Pair { client, .. } = Pair::standard();
    let kept = client.conn.into_kernel(&SendBuf::with_limit(0)).unwrap_err();
    assert_eq!(kept.why, Error::Misuse(Misuse::NotEstablished));

    // Output that waits.
    let Tapped { mut pair, .. } = tapped();
    pair.server.conn.write(&[b"x"], &mut pair.server.out).unwrap();
    let kept = pair.server.conn.into_kernel(&pair.server.out).unwrap_err();
    assert_eq!(kept.why, pending);
    pair.server.conn = *kept.connection;
    pair.run().unwrap();
    assert!(pair.server.conn.into_kernel(&pair.server.out).is_ok());

    // Half a message.
    let Tapped { mut pair, mut up, .. } = tapped();
    feed(&mut pair.server, &up.seal(HANDSHAKE, &KEY_UPDATE[..2])).unwrap();
    let kept = pair.server.conn.into_kernel(&pair.server.out).unwrap_err();
    assert_eq!(kept.why, pending);

    // An answer to a KeyUpdate.
    let Tapped { mut pair, mut up, .. } = tapped();
    feed(&mut pair.server, &up.key_update(&KEY_UPDATE_REQUESTED)).unwrap();
    let kept = pair.server.conn.into_kernel(&pair.server.out).unwrap_err();
    assert_eq!(kept.why, pending);
    pair.server.conn = *kept.connection;
    pair.server.conn.update_keys(Ask::Nobody, &mut pair.server.out).unwrap();
    pair.server.flush();
    assert!(pair.server.conn.into_kernel(&pair.server.out).is_ok());
}

#[test]
fn keys_are_not_handed_over_to_go_on_writing_behind_a_close_notify() {
    let Tapped { mut pair, .. } = tapped();
    pair.client.conn.close(&mut pair.client.out);
    pair.client.flush();
    let kept = pair.client.conn.into_kernel(&pair.client.out).unwrap_err();
    assert_eq!(kept.why, Misuse::WriteClosed.into());
    // The other side may: its direction is still open.
    assert!(pair.server.conn.into_kernel(&pair.server.out).is_ok());
}
