//! The blocking adapter between connections: tickets of a store, early data and half-RTT data, in every mood of a
//! transport.
#![cfg(all(feature = "std", feature = "rustcrypto"))]

#[path = "support/remembering.rs"]
mod remembering;
mod support;
#[path = "support/wire.rs"]
mod wire;

use std::io::{Error as IoError, ErrorKind, Read, Result, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use remembering::*;
use support::*;
use symbolon::config::ClientAuth;
use symbolon::conn::{EarlyVerdict, NoEarlyData, NotResumed, Offer, Resumed, Summary};
use symbolon::io::blocking::Stream;
use symbolon::io::{Buffers, Observer, tls_error};
use symbolon::{Error, Misuse};
use wire::*;

type Streams = (Stream<End>, Stream<End>);

const MOODS: [Mood; 5] = [
    Mood::Calm,
    Mood::Short(7),
    Mood::EveryOther(ErrorKind::WouldBlock, 1),
    Mood::EveryOther(ErrorKind::WouldBlock, 5000),
    Mood::EveryOther(ErrorKind::Interrupted, 300),
];

impl World {
    fn streams(&self, mood: Mood) -> Streams {
        let (up, down) = ends(mood);
        let client = Stream::client(&self.client, name(), self.answerer(), up);
        (client, Stream::server(&self.server, self.answerer(), down))
    }

    /// A full handshake, after which the client has two tickets.
    fn visited(self) -> Self {
        let (mut client, mut server) = self.streams(Mood::Calm);
        shake(&mut client, &mut server);
        assert!(waits(&client.read(&mut [0]).unwrap_err()));
        assert_eq!(self.answers.tickets.len(), 2);
        self
    }

    /// A client that asks for early data, and a server.
    fn early_streams(&self, mood: Mood) -> Streams {
        let (client, server) = self.streams(mood);
        (client.with_early_data(), server)
    }
}

fn misuse(error: &IoError) -> Option<Misuse> {
    match tls_error(error) {
        Some(Error::Misuse(misuse)) => Some(*misuse),
        _ => None,
    }
}

fn shake(client: &mut Stream<End>, server: &mut Stream<End>) {
    alternate(|| client.handshake().map(drop), || server.handshake().map(drop));
}

/// Sends early data until none may be sent any more or all is sent; gives the number of bytes sent.
fn sending_early<'a>(client: &'a mut Stream<End>, bytes: &'a [u8]) -> impl FnMut() -> Result<usize> + 'a {
    let mut at = 0;
    move || {
        while let n @ 1.. = client.write_early(&bytes[at..])? {
            at += n;
        }
        client.handshake()?;
        Ok(at)
    }
}

/// Reads early data to its end, answers before the client's Finished is there, then completes the handshake.
fn receiving_early<'a>(
    server: &'a mut Stream<End>,
    answer: &'a [u8],
) -> impl FnMut() -> Result<Vec<u8>> + 'a {
    let (mut all, mut some, mut over, mut at) = (Vec::new(), [0; 777], false, 0);
    move || {
        while !over {
            match server.read_early(&mut some)? {
                0 => over = true,
                n => all.extend(&some[..n]),
            }
        }
        while at < answer.len() {
            at += server.write_half_rtt(&answer[at..])?;
        }
        server.handshake()?;
        Ok(std::mem::take(&mut all))
    }
}

/// Reads exactly so many bytes.
fn reading(stream: &mut Stream<End>, len: usize) -> impl FnMut() -> Result<Vec<u8>> + '_ {
    let (mut all, mut some) = (Vec::new(), [0; 777]);
    move || {
        while all.len() < len {
            let most = some.len().min(len - all.len());
            let n = stream.read(&mut some[..most])?;
            assert!(n > 0, "closed");
            all.extend(&some[..n]);
        }
        Ok(std::mem::take(&mut all))
    }
}

fn early_data(stream: &Stream<End>) -> std::result::Result<(), NoEarlyData> {
    stream.summary().unwrap().early_data
}

#[test]
fn a_ticket_of_the_store_is_used_by_the_next_connection_and_the_new_ones_are_kept() {
    let world = World::with(|b| b);
    let (mut client, mut server) = world.streams(Mood::Calm);
    shake(&mut client, &mut server);
    assert_eq!(client.summary().unwrap().resumed, Err(NotResumed::NotOffered));
    for connection in 0..3 {
        assert!(waits(&client.read(&mut [0]).unwrap_err()));
        assert_eq!(world.answers.tickets.len(), 2 + connection);
        (client, server) = world.streams(Mood::Calm);
        shake(&mut client, &mut server);
        for stream in [&client, &server] {
            assert_eq!(stream.summary().unwrap().resumed, Ok(Resumed::Session));
            assert_eq!(early_data(stream), Err(NoEarlyData::NotOffered));
        }
        assert_eq!(client.early_verdict(), None);
    }
}

#[test]
fn a_ticket_is_used_up_by_a_connection_that_fails() {
    let world = World::with(|b| b).visited();
    for left in [1, 0, 0] {
        let (mut client, server) = world.streams(Mood::Calm);
        server.get_ref().hang_up();
        assert_eq!(tls_error(&client.handshake().unwrap_err()), Some(&Error::Truncated));
        assert_eq!(world.answers.tickets.len(), left);
    }
    let (mut client, mut server) = world.streams(Mood::Calm);
    shake(&mut client, &mut server);
    assert_eq!(client.summary().unwrap().resumed, Err(NotResumed::NotOffered));
}

#[test]
fn a_stream_that_is_not_used_takes_no_ticket() {
    let world = World::with(|b| b).visited();
    drop(world.early_streams(Mood::Calm));
    assert_eq!(world.answers.tickets.len(), 2);
}

#[test]
fn what_the_application_offers_goes_before_the_store() {
    let world = World::with(|b| b).visited();
    let (client, mut server) = world.streams(Mood::Calm);
    let mut client = client.with_offer(Offer::fresh());
    shake(&mut client, &mut server);
    assert_eq!(client.summary().unwrap().resumed, Err(NotResumed::NotOffered));

    let (client, mut server) = world.streams(Mood::Calm);
    let mut client = client.with_offer(Offer::fresh().with_psks([external()]));
    shake(&mut client, &mut server);
    assert_eq!(client.summary().unwrap().resumed, Ok(Resumed::ExternalPsk));
    assert_eq!(world.answers.tickets.len(), 2);
}

#[test]
fn a_configuration_without_tickets_leaves_the_store_alone() {
    let world = World { client: client_config(|b| b.without_tickets()), ..World::with(|b| b).visited() };
    let (mut client, mut server) = world.streams(Mood::Calm);
    shake(&mut client, &mut server);
    assert!(waits(&client.read(&mut [0]).unwrap_err()));
    assert_eq!(world.answers.tickets.len(), 2);
}

#[test]
fn the_reading_half_of_a_split_stream_keeps_tickets() {
    let world = World::with(|b| b);
    let (mut client, mut server) = world.streams(Mood::Calm);
    shake(&mut client, &mut server);
    let (mut reader, _writer) = client.split_with(|end| Ok((end.again(), end))).unwrap();
    assert!(world.answers.tickets.is_empty());
    assert!(waits(&reader.read(&mut [0]).unwrap_err()));
    assert_eq!(world.answers.tickets.len(), 2);
    let (mut client, mut server) = world.streams(Mood::Calm);
    shake(&mut client, &mut server);
    assert_eq!(server.summary().unwrap().resumed, Ok(Resumed::Session));
}

#[test]
fn early_data_arrives_and_is_answered_in_every_mood() {
    for mood in MOODS {
        let world = World::with_early_data(40_000).visited();
        let (mut client, mut server) = world.early_streams(mood);
        let (request, answer) = (pattern(33_000), pattern(9_000));
        assert_eq!(server.early_opening().map(|opening| opening.max), None);
        let (sent, got) =
            alternate(sending_early(&mut client, &request), receiving_early(&mut server, &answer));
        assert_eq!((sent, &got), (33_000, &request), "{mood:?}");
        assert_eq!(client.early_verdict(), Some(EarlyVerdict::Accepted));
        assert_eq!((early_data(&client), early_data(&server)), (Ok(()), Ok(())));
        let opening = server.early_opening().unwrap();
        assert_eq!((opening.max, opening.server_name.as_deref()), (40_000, Some("example.test")));
        let got = alternate(reading(&mut client, answer.len()), || server.flush()).0;
        assert_eq!(got, answer);
        // Ordinary data is behind it, and early data is over.
        assert_eq!((client.write_early(b"x").unwrap(), client.early_left().unwrap()), (0, 0));
        assert_eq!(server.read_early(&mut [0]).unwrap(), 0);
        let mut sent = 0;
        let write = || {
            while sent < request.len() {
                sent += client.write(&request[sent..])?;
            }
            client.flush()
        };
        let ((), got) = alternate(write, reading(&mut server, request.len()));
        assert_eq!(got, request);
    }
}

#[test]
fn a_server_reads_early_data_before_the_client_has_finished() {
    let world = World::with_early_data(1000).visited();
    let (mut client, mut server) = world.early_streams(Mood::Calm);
    assert_eq!(client.early_left().unwrap(), 1000);
    assert_eq!(client.write_early(b"request").unwrap(), 7);
    assert_eq!(client.early_left().unwrap(), 993);
    let mut buf = [0; 4];
    assert_eq!((server.read_early(&mut buf).unwrap(), &buf), (4, b"requ"));
    assert_eq!((server.read_early(&mut buf).unwrap(), &buf[..3]), (3, &b"est"[..]));
    assert!(waits(&server.read_early(&mut buf).unwrap_err()));
    // More early data may come, and still an answer can go.
    assert_eq!(server.write_half_rtt(b"answer").unwrap(), 6);
    assert!(server.summary().is_none());
    let (mut ours, mut theirs) = ([0; 32], [0; 32]);
    client.early_exporter(b"label", b"", &mut ours).unwrap();
    server.early_exporter(b"label", b"", &mut theirs).unwrap();
    assert_eq!(ours, theirs);
    let mut answer = [0; 6];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"answer");
    assert_eq!(server.read_early(&mut buf).unwrap(), 0);
    server.handshake().unwrap();
}

//= testvectors/requirements/rfc9846.txt#section-4.3.10
//= type=test
//# A TLS implementation MUST NOT automatically resend early data unless the negotiated connection selects
//# the same ALPN protocol.
//= testvectors/requirements/rfc9846.txt#appendix-F.5
//= type=test
//# TLS implementations MUST NOT enable 0-RTT (either sending or accepting) unless specifically requested by
//# the application and MUST NOT automatically resend 0-RTT data if it is rejected by the server unless
//# instructed by the application
#[test]
fn refused_early_data_is_sent_again_by_nobody() {
    for mood in MOODS {
        let world = World::with_early_data(40_000).visited();
        world.answers.replayed.store(true, Ordering::SeqCst);
        let (mut client, mut server) = world.early_streams(mood);
        let request = pattern(33_000);
        let (sent, got) = alternate(sending_early(&mut client, &request), receiving_early(&mut server, b""));
        assert_eq!((sent, got.len()), (33_000, 0), "{mood:?}");
        assert_eq!(client.early_verdict(), Some(EarlyVerdict::Refused));
        assert_eq!(early_data(&client), Err(NoEarlyData::Declined));
        assert_eq!(early_data(&server), Err(NoEarlyData::Replayed));
        assert!(server.early_opening().is_none());
        assert_eq!(server.summary().unwrap().resumed, Ok(Resumed::Session));
        let mut sent = 0;
        let write = || {
            while sent < 8 {
                sent += client.write(&b"ordinary"[sent..])?;
            }
            client.flush()
        };
        assert_eq!(alternate(write, reading(&mut server, 8)).1, b"ordinary");
    }
}

#[test]
fn no_more_early_data_is_sent_than_the_ticket_permits() {
    let world = World::with_early_data(10).visited();
    let (mut client, mut server) = world.early_streams(Mood::Calm);
    let (sent, got) = alternate(sending_early(&mut client, &pattern(30)), receiving_early(&mut server, b""));
    assert_eq!((sent, got), (10, pattern(10)));
    assert_eq!(client.early_verdict(), Some(EarlyVerdict::Accepted));
}

//= testvectors/requirements/rfc9846.txt#appendix-F.5
//= type=test
//# TLS implementations MUST NOT enable 0-RTT (either sending or accepting) unless specifically requested by
//# the application and MUST NOT automatically resend 0-RTT data if it is rejected by the server unless
//# instructed by the application
#[test]
fn without_a_ticket_or_a_wish_no_early_data_is_sent() {
    let world = World::with_early_data(1000);
    let (mut client, mut server) = world.early_streams(Mood::Calm);
    assert_eq!((client.write_early(b"x").unwrap(), client.early_left().unwrap()), (0, 0));
    assert!(waits(&server.read_early(&mut [0]).unwrap_err()));
    shake(&mut client, &mut server);
    assert_eq!((client.early_verdict(), early_data(&client)), (None, Err(NoEarlyData::NotResumed)));

    let world = world.visited_again(client);
    let (mut client, mut server) = world.streams(Mood::Calm);
    assert_eq!(client.write_early(b"x").unwrap(), 0);
    shake(&mut client, &mut server);
    assert_eq!((client.early_verdict(), early_data(&client)), (None, Err(NoEarlyData::NotOffered)));
    // A server sends none.
    assert_eq!((server.write_early(b"x").unwrap(), client.read_early(&mut [0]).unwrap()), (0, 0));
}

impl World {
    /// Takes in the tickets that a client was sent.
    fn visited_again(self, mut client: Stream<End>) -> Self {
        assert!(waits(&client.read(&mut [0]).unwrap_err()));
        assert_eq!(self.answers.tickets.len(), 2);
        self
    }
}

#[test]
fn early_data_that_nobody_read_is_kept_apart_until_somebody_does() {
    for mood in MOODS {
        let world = World::with_early_data(40_000).visited();
        let (mut client, mut server) = world.early_streams(mood);
        let request = pattern(33_000);
        alternate(sending_early(&mut client, &request), || server.handshake().map(drop));
        assert_eq!(early_data(&server), Ok(()));
        let mut sent = 0;
        alternate(
            || {
                while sent < 8 {
                    sent += client.write(&b"ordinary"[sent..])?;
                }
                client.flush()
            },
            || Ok(()),
        );
        let mut first = [0; 1000];
        assert_eq!(misuse(&server.read(&mut first).unwrap_err()), Some(Misuse::EarlyDataWaits));
        assert_eq!(server.read_early(&mut first).unwrap(), 1000);
        let error = server.read(&mut [0]).unwrap_err();
        assert_eq!((error.kind(), misuse(&error)), (ErrorKind::InvalidInput, Some(Misuse::EarlyDataWaits)));
        assert_eq!(alternate(receiving_early(&mut server, b""), || Ok(())).0, request[1000..]);
        assert_eq!(alternate(reading(&mut server, 8), || Ok(())).0, b"ordinary", "{mood:?}");
    }
}

#[test]
fn a_stream_is_not_split_while_early_data_waits() {
    let world = World::with_early_data(1000).visited();
    for read in [false, true] {
        let (mut client, mut server) = world.early_streams(Mood::Calm);
        alternate(sending_early(&mut client, b"request"), || server.handshake().map(drop));
        if read {
            assert_eq!(server.read_early(&mut [0; 9]).unwrap(), 7);
        }
        let split = server.split_with(|end| Ok((end.again(), end)));
        assert_eq!(split.err().as_ref().and_then(misuse), (!read).then_some(Misuse::EarlyDataWaits));
    }
}

#[test]
fn a_handshake_that_fails_takes_the_early_data_with_it() {
    let world = World::with_early_data(1000).visited();
    let (mut client, mut server) = world.early_streams(Mood::Calm);
    assert_eq!(client.write_early(b"request").unwrap(), 7);
    assert!(waits(&server.handshake().unwrap_err()));
    client.get_ref().hang_up();
    assert_eq!(tls_error(&server.handshake().unwrap_err()), Some(&Error::Truncated));
    assert_eq!(tls_error(&server.read_early(&mut [0; 9]).unwrap_err()), Some(&Error::Truncated));
}

#[test]
fn a_server_writes_before_the_clients_finished_without_early_data_too() {
    let world = World::with_early_data(1000);
    let (mut client, mut server) = world.streams(Mood::Calm);
    assert!(waits(&client.handshake().unwrap_err()));
    assert_eq!(server.read_early(&mut [0]).unwrap(), 0, "known with our Finished");
    assert_eq!(server.write_half_rtt(b"hello").unwrap(), 5);
    assert!(server.summary().is_none());
    let mut word = [0; 5];
    client.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"hello");
    server.handshake().unwrap();
    // Behind the handshake it is ordinary writing, for both.
    assert_eq!(server.write_half_rtt(b"again").unwrap(), 5);
    client.read_exact(&mut word).unwrap();
    assert_eq!(client.write_half_rtt(b"reply").unwrap(), 5);
    server.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"reply");
}

#[test]
fn nothing_is_written_to_a_client_whose_certificate_is_awaited() {
    let world = World::with(|b| b.client_auth(ClientAuth::Required { authorities: Vec::new() }));
    let (mut client, mut server) = world.streams(Mood::Calm);
    assert!(waits(&client.handshake().unwrap_err()));
    let error = server.write_half_rtt(b"secret").unwrap_err();
    assert_eq!((error.kind(), misuse(&error)), (ErrorKind::InvalidInput, Some(Misuse::Unauthenticated)));
}

#[test]
fn a_full_transport_bounds_the_early_data_that_is_taken() {
    let world = World::with_early_data(1 << 20).visited();
    let (mut client, _server) = world.early_streams(Mood::Calm);
    client.get_mut().stop();
    let mut taken = 0;
    let error = loop {
        match client.write_early(&[7; 100_000]) {
            Ok(n) => taken += n,
            Err(error) => break error,
        }
    };
    assert!(waits(&error) && (60_000..=64 << 10).contains(&taken), "{taken}");
}

#[test]
fn a_dropped_stream_gives_its_buffers_back() {
    let world = World::with_early_data(1000).visited();
    let pool = Buffers::new();
    let (client, server) = world.early_streams(Mood::Calm);
    let (mut client, mut server) = (client.with_buffers(&pool), server.with_buffers(&pool));
    assert_eq!(client.write_early(b"request").unwrap(), 7);
    assert_eq!(server.read_early(&mut [0; 3]).unwrap(), 3);
    drop((client, server));
    assert_eq!(pool.lent(), 0);
    assert_eq!(world.answers.tickets.len(), 1, "the ticket is gone all the same");
}

#[test]
fn an_observer_is_told_once_what_was_negotiated() {
    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Observer for Count {
        fn established(&self, summary: &Summary) {
            assert_eq!(summary.resumed, Ok(Resumed::Session));
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let count = Arc::new(Count::default());
    let world = World::with(|b| b).visited();
    let (client, mut server) = world.streams(Mood::Calm);
    let mut client = client.with_observer(count.clone());
    shake(&mut client, &mut server);
    client.write_all(b"x").unwrap();
    client.close().unwrap();
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
}
