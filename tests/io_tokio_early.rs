//! The tokio adapter between connections: tickets of a store, early data and half-RTT data, pending at every point.
#![cfg(feature = "rustcrypto")]

#[path = "support/fussy.rs"]
mod fussy;
#[path = "support/remembering.rs"]
mod remembering;
mod support;
#[path = "support/wire.rs"]
mod wire;

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use fussy::Fussy;
use remembering::*;
use support::*;
use symbolon::config::ServerConfig;
use symbolon::conn::{EarlyVerdict, NoEarlyData, NotResumed, Offer, Resumed};
use symbolon::io::tls_error;
use symbolon::io::tokio::{EarlyAccept, EarlyConnect, TlsAcceptor, TlsConnector, TlsStream, from_halves};
use symbolon::{Error, Misuse};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;
use wire::pattern;

impl World {
    fn connector(&self) -> TlsConnector {
        TlsConnector::new(self.client.clone(), self.answerer())
    }

    fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::new(self.server.clone(), self.answerer())
    }

    async fn pair<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        up: IO,
        down: IO,
    ) -> (TlsStream<IO>, TlsStream<IO>) {
        let (client, server) =
            tokio::join!(self.connector().connect(name(), up), self.acceptor().accept(down));
        (client.unwrap(), server.unwrap())
    }

    /// A full handshake, after which the client has two tickets.
    async fn visited(self) -> Self {
        let (up, down) = duplex(100_000);
        let (mut client, mut server) = self.pair(up, down).await;
        server.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(self.answers.tickets.len(), 2);
        self
    }

    fn early<IO>(&self, up: IO, down: IO) -> (EarlyConnect<IO>, EarlyAccept<IO>) {
        (self.connector().connect_early(name(), up), self.acceptor().accept_early(down))
    }
}

/// Sends early data as long as it may be sent, then completes the handshake; gives the number of bytes sent.
async fn send_early<IO: AsyncRead + AsyncWrite + Unpin>(
    mut client: EarlyConnect<IO>,
    bytes: &[u8],
) -> (TlsStream<IO>, usize) {
    let mut sent = 0;
    while let n @ 1.. = client.write_early(&bytes[sent..]).await.unwrap() {
        sent += n;
    }
    client.flush().await.unwrap();
    (client.finish().await.unwrap(), sent)
}

/// Reads early data to its end and answers it, then completes the handshake.
async fn receive_early<IO: AsyncRead + AsyncWrite + Unpin>(
    mut server: EarlyAccept<IO>,
    mut answer: &[u8],
) -> (TlsStream<IO>, Vec<u8>) {
    let (mut all, mut some) = (Vec::new(), [0; 777]);
    while let n @ 1.. = server.read_early(&mut some).await.unwrap() {
        all.extend(&some[..n]);
    }
    while !answer.is_empty() {
        let n = server.write_half_rtt(answer).await.unwrap();
        answer = &answer[n..];
    }
    server.flush().await.unwrap();
    (server.finish().await.unwrap(), all)
}

/// Polls a future once and drops it.
async fn once<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

fn misuse(error: &std::io::Error) -> Option<Misuse> {
    match tls_error(error) {
        Some(Error::Misuse(misuse)) => Some(*misuse),
        _ => None,
    }
}

#[tokio::test]
async fn a_ticket_of_the_store_is_used_by_the_next_connection() {
    let world = World::with(|b| b).visited().await;
    let (up, down) = duplex(100_000);
    let (client, server) = world.pair(up, down).await;
    for stream in [&client, &server] {
        assert_eq!(stream.summary().unwrap().resumed, Ok(Resumed::Session));
    }
    assert_eq!((world.answers.tickets.len(), client.early_verdict()), (1, None));
    let (up, down) = duplex(100_000);
    let connector = world.connector();
    let connecting = connector.connect_with(name(), Offer::fresh().with_psks([external()]), up);
    let (client, _server) = tokio::join!(connecting, world.acceptor().accept(down));
    assert_eq!(client.unwrap().summary().unwrap().resumed, Ok(Resumed::ExternalPsk));
    assert_eq!(world.answers.tickets.len(), 1);
}

#[tokio::test]
async fn a_ticket_is_taken_when_the_handshake_begins_and_used_up_by_one_that_fails() {
    let world = World::with(|b| b).visited().await;
    let (up, down) = duplex(100_000);
    drop(world.connector().connect(name(), up));
    drop(world.connector().connect_early(name(), down));
    assert_eq!(world.answers.tickets.len(), 2);
    for left in [1, 0] {
        let (up, _) = duplex(100_000);
        assert!(world.connector().connect(name(), up).await.is_err());
        assert_eq!(world.answers.tickets.len(), left);
    }
    let (up, down) = duplex(100_000);
    let (client, _server) = world.pair(up, down).await;
    assert_eq!(client.summary().unwrap().resumed, Err(NotResumed::NotOffered));
}

#[tokio::test]
async fn the_reading_half_of_a_split_stream_keeps_tickets() {
    let world = World::with(|b| b);
    let (up, down) = duplex(100_000);
    let ((up_read, up_write), (down_read, down_write)) = (tokio::io::split(up), tokio::io::split(down));
    let (client, mut server) =
        world.pair(from_halves(up_read, up_write), from_halves(down_read, down_write)).await;
    let (mut reader, _writer) = client.into_split().unwrap();
    assert!(world.answers.tickets.is_empty());
    server.shutdown().await.unwrap();
    assert_eq!(reader.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(world.answers.tickets.len(), 2);
}

#[tokio::test]
async fn early_data_arrives_and_is_answered_over_a_transport_that_is_pending_at_every_point() {
    for most in [1, 5, 999, 100_000] {
        let world = World::with_early_data(40_000).visited().await;
        let (up, down) = Fussy::two(most);
        let (client, server) = world.early(up, down);
        let (request, answer) = (pattern(33_000), pattern(9_000));
        let sending = async {
            let (mut client, sent) = send_early(client, &request).await;
            let mut got = vec![0; answer.len()];
            client.read_exact(&mut got).await.unwrap();
            (client, sent, got)
        };
        let ((client, sent, answered), (mut server, got)) =
            tokio::join!(sending, receive_early(server, &answer));
        assert_eq!((sent, got == request, answered == answer), (33_000, true, true), "{most}");
        assert_eq!(client.early_verdict(), Some(EarlyVerdict::Accepted));
        assert_eq!(client.summary().unwrap().early_data, Ok(()));
        assert_eq!(server.early_opening().unwrap().max, 40_000);
        assert_eq!(server.read_early(&mut [0]), 0);
    }
}

#[tokio::test]
async fn refused_early_data_is_sent_again_by_nobody() {
    let world = World::with_early_data(40_000).visited().await;
    world.answers.replayed.store(true, Ordering::SeqCst);
    let (up, down) = Fussy::two(999);
    let (client, server) = world.early(up, down);
    let request = pattern(33_000);
    let ((mut client, sent), (mut server, got)) =
        tokio::join!(send_early(client, &request), receive_early(server, b""));
    assert_eq!((sent, got.len()), (33_000, 0));
    assert_eq!(client.early_verdict(), Some(EarlyVerdict::Refused));
    assert_eq!(server.summary().unwrap().early_data, Err(NoEarlyData::Replayed));
    let mut word = [0; 8];
    let sending = async {
        client.write_all(b"ordinary").await.unwrap();
        client.flush().await.unwrap();
    };
    let ((), read) = tokio::join!(sending, server.read_exact(&mut word));
    read.unwrap();
    assert_eq!(&word, b"ordinary");
}

#[tokio::test]
async fn dropped_futures_of_early_data_lose_nothing() {
    let world = World::with_early_data(40_000).visited().await;
    let (up, down) = Fussy::two(11);
    let (mut client, mut server) = world.early(up, down);
    let request = pattern(20_000);
    let sending = async {
        let mut sent = 0;
        while sent < request.len() {
            match once(client.write_early(&request[sent..])).await {
                Poll::Ready(n) => sent += n.unwrap(),
                Poll::Pending => tokio::task::yield_now().await,
            }
        }
        client.finish().await.unwrap()
    };
    let receiving = async {
        let (mut got, mut some) = (Vec::<u8>::new(), [0; 100]);
        loop {
            match once(server.read_early(&mut some)).await {
                Poll::Ready(Ok(0)) => break,
                Poll::Ready(n) => got.extend(&some[..n.unwrap()]),
                Poll::Pending => tokio::task::yield_now().await,
            }
        }
        (server.finish().await.unwrap(), got)
    };
    let (_client, (_server, got)) = tokio::join!(sending, receiving);
    assert_eq!(got, request);
}

#[tokio::test]
async fn early_data_that_nobody_read_is_kept_apart_until_somebody_does() {
    let world = World::with_early_data(1000).visited().await;
    let (up, down) = duplex(100_000);
    let client = world.connector().connect_early(name(), up);
    let ((mut client, _), server) =
        tokio::join!(send_early(client, b"request"), world.acceptor().accept(down));
    let mut server = server.unwrap();
    client.write_all(b"ordinary").await.unwrap();
    client.flush().await.unwrap();
    let mut word = [0; 8];
    let error = server.read(&mut word).await.unwrap_err();
    assert_eq!((error.kind(), misuse(&error)), (ErrorKind::InvalidInput, Some(Misuse::EarlyDataWaits)));
    assert_eq!((server.read_early(&mut word), &word[..7]), (7, &b"request"[..]));
    server.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"ordinary");
}

#[tokio::test]
async fn a_stream_is_not_split_while_early_data_waits() {
    let world = World::with_early_data(1000).visited().await;
    let (up, down) = duplex(100_000);
    let ((up_read, up_write), (down_read, down_write)) = (tokio::io::split(up), tokio::io::split(down));
    let client = world.connector().connect_early(name(), from_halves(up_read, up_write));
    let accepting = world.acceptor();
    let accepting = accepting.accept(from_halves(down_read, down_write));
    let (_client, server) = tokio::join!(send_early(client, b"request"), accepting);
    let error = server.unwrap().into_split().err().unwrap();
    assert_eq!(misuse(&error), Some(Misuse::EarlyDataWaits));
}

#[tokio::test]
async fn a_server_answers_while_more_early_data_may_come() {
    let world = World::with_early_data(1000).visited().await;
    let (up, down) = duplex(100_000);
    let (mut client, mut server) = world.early(up, down);
    assert_eq!(client.early_left().unwrap(), 1000);
    assert_eq!(client.write_early(b"request").await.unwrap(), 7);
    // The early data that comes by the way is kept.
    assert_eq!(server.write_half_rtt(b"answer").await.unwrap(), 6);
    let mut word = [0; 7];
    assert_eq!(server.read_early(&mut word).await.unwrap(), 7);
    assert_eq!(&word, b"request");
    let (mut ours, mut theirs) = ([0; 32], [0; 32]);
    client.early_exporter(b"label", b"", &mut ours).unwrap();
    server.early_exporter(b"label", b"", &mut theirs).unwrap();
    assert_eq!(ours, theirs);
    let (client, server) = tokio::join!(client.finish(), server.finish());
    let mut word = [0; 6];
    client.unwrap().read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"answer");
    server.unwrap();
}

#[tokio::test]
async fn a_configuration_chosen_late_reads_early_data_too() {
    let world = World::with_early_data(1000).visited().await;
    let acceptor = TlsAcceptor::new(ServerConfig::builder(provider()).build().unwrap(), world.answerer());
    let (up, down) = duplex(100_000);
    let client = world.connector().connect_early(name(), up);
    let serving = async {
        let start = acceptor.start(down).await.unwrap();
        let server = start.into_early(world.server.clone(), credential(Key::P256)).await.unwrap();
        receive_early(server, b"").await
    };
    let (_client, (_server, got)) = tokio::join!(send_early(client, b"request"), serving);
    assert_eq!(got, b"request");
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_covers_early_data() {
    let world = World::with_early_data(1 << 20).visited().await;
    let (up, down) = duplex(1000);
    let (mut client, mut server) = world.early(up, down);
    let before = tokio::time::Instant::now();
    let error = loop {
        match client.write_early(&[7; 1000]).await {
            Ok(n) => assert!(n > 0),
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), before.elapsed().as_secs()), (ErrorKind::TimedOut, 10));
    let mut got = 0;
    let error = loop {
        match server.read_early(&mut [0; 1000]).await {
            Ok(n) => got += n,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(got, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_request_and_its_answer_cross_tasks() {
    let world = Arc::new(World::with_early_data(100_000).visited().await);
    let (up, down) = duplex(3000);
    let (client, server) = world.early(up, down);
    let (tell, told) = oneshot::channel();
    let serving = tokio::spawn(async move {
        let (mut server, got) = receive_early(server, &pattern(50_000)).await;
        tell.send(()).unwrap();
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        got
    });
    let calling = tokio::spawn(async move {
        let (mut client, sent) = send_early(client, &pattern(90_000)).await;
        let mut got = vec![0; 50_000];
        client.read_exact(&mut got).await.unwrap();
        told.await.unwrap();
        client.shutdown().await.unwrap();
        (sent, got)
    });
    assert_eq!(calling.await.unwrap(), (90_000, pattern(50_000)));
    assert_eq!(serving.await.unwrap(), pattern(90_000));
}

#[test]
fn handshakes_under_way_may_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    fn future<F: Future + Send>(_: F) {}
    crosses::<EarlyConnect<DuplexStream>>();
    crosses::<EarlyAccept<DuplexStream>>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let world = World::with(|b| b);
    let (up, down) = duplex(1);
    let (mut client, mut server) = world.early(up, down);
    future(client.write_early(b"x"));
    future(server.read_early(&mut [0]));
    future(server.write_half_rtt(b"x"));
}
