//! The tokio adapter: pending at every point, dropped futures, time limits, halves.
#![cfg(feature = "rustcrypto")]

#[path = "support/fussy.rs"]
mod fussy;
mod support;
#[path = "support/wire.rs"]
mod wire;

use std::future::{Future, poll_fn};
use std::io::{ErrorKind, IoSlice};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use fussy::Fussy;
use support::*;
use symbolon::codepoint::CipherSuite;
use symbolon::config::ServerConfig;
use symbolon::conn::Ask;
use symbolon::io::tokio::{
    Answering, AsyncAnswerer, SplitIo, TlsAcceptor, TlsConnector, TlsStream, from_halves,
};
use symbolon::io::{Buffers, tls_error};
use symbolon::policy::Answerer;
use symbolon::question::{Answer, Question};
use symbolon::{AlertCode, Error, Refusal};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wire::{honest, pattern, records};

fn connector() -> TlsConnector {
    TlsConnector::new(client_config(|b| b), honest())
}

fn acceptor() -> TlsAcceptor {
    TlsAcceptor::new(server_config(|b| b), honest())
}

async fn pair<IO: AsyncRead + AsyncWrite + Unpin>(up: IO, down: IO) -> (TlsStream<IO>, TlsStream<IO>) {
    let (client, server) = tokio::join!(connector().connect(name(), up), acceptor().accept(down));
    (client.unwrap(), server.unwrap())
}

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (client, server) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// Sends `bytes` from one stream to the other and closes that way.
async fn carry<IO: AsyncRead + AsyncWrite + Unpin>(
    from: &mut TlsStream<IO>,
    to: &mut TlsStream<IO>,
    bytes: &[u8],
) {
    let send = async {
        from.write_all(bytes).await.unwrap();
        from.shutdown().await.unwrap();
    };
    let mut got = Vec::new();
    let ((), read) = tokio::join!(send, to.read_to_end(&mut got));
    assert_eq!(read.unwrap(), bytes.len());
    assert_eq!(got, bytes);
}

#[tokio::test]
async fn a_transport_that_is_pending_at_every_point_carries_the_same_bytes() {
    for most in [1, 5, 999, 100_000] {
        let (up, down) = Fussy::two(most);
        let (mut client, mut server) = pair(up, down).await;
        carry(&mut client, &mut server, &pattern(20_000)).await;
        carry(&mut server, &mut client, &pattern(50_001)).await;
    }
}

#[tokio::test]
async fn reading_goes_on_after_our_shutdown_and_ends_with_close_notify() {
    let (up, down) = sockets().await;
    let (mut client, mut server) = pair(up, down).await;
    client.shutdown().await.unwrap();
    assert_eq!(client.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    carry(&mut server, &mut client, b"late").await;
}

#[tokio::test]
async fn an_end_without_close_notify_is_a_truncation() {
    let (up, down) = duplex(100_000);
    let (mut client, mut server) = pair(up, down).await;
    server.write_all(b"half").await.unwrap();
    server.flush().await.unwrap();
    drop(server);
    let mut all = Vec::new();
    let error = client.read_to_end(&mut all).await.unwrap_err();
    assert_eq!((error.kind(), tls_error(&error)), (ErrorKind::UnexpectedEof, Some(&Error::Truncated)));
    assert_eq!(all, b"half");
}

struct Refusing;

impl Answerer for Refusing {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::VerifyPeer(question) => {
                question.refused(Refusal::text(AlertCode::UNKNOWN_CA, "nobody"))
            }
            other => Answers::default().answer(other),
        }
    }
}

#[tokio::test]
async fn an_alert_survives_the_closing_of_a_socket_with_unread_input() {
    let (up, down) = sockets().await;
    let accepting = tokio::spawn(acceptor().accept(down));
    let error = TlsConnector::new(client_config(|b| b), Arc::new(Refusing)).connect(name(), up).await;
    assert_eq!(tls_error(&error.unwrap_err()).unwrap().alert(), Some(AlertCode::UNKNOWN_CA));
    let error = accepting.await.unwrap().unwrap_err();
    assert_eq!(tls_error(&error), Some(&Error::Alert(AlertCode::UNKNOWN_CA)));
}

#[tokio::test]
async fn a_fault_in_an_open_stream_is_told_to_the_peer() {
    let (up, down) = sockets().await;
    let (mut client, mut server) = pair(up, down).await;
    server.get_mut().write_all(&[23, 3, 3, 0, 20]).await.unwrap();
    server.get_mut().write_all(&[0; 60_000]).await.unwrap();
    let reading = tokio::spawn(async move {
        let mut buf = [0; 9];
        let first = client.read(&mut buf).await.unwrap_err();
        let again = client.read(&mut buf).await.unwrap_err();
        assert_eq!(tls_error(&first), tls_error(&again));
        first
    });
    let error = server.read(&mut [0; 9]).await.unwrap_err();
    assert_eq!(tls_error(&error), Some(&Error::Alert(AlertCode::BAD_RECORD_MAC)));
    drop(server);
    let error = reading.await.unwrap();
    assert_eq!(tls_error(&error).unwrap().alert(), Some(AlertCode::BAD_RECORD_MAC));
}

#[tokio::test(start_paused = true)]
async fn after_a_fault_a_silent_peer_is_not_waited_for_long() {
    let (up, mut down) = duplex(1000);
    let reading = tokio::spawn(acceptor().accept(up));
    down.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let before = tokio::time::Instant::now();
    let error = reading.await.unwrap().unwrap_err();
    assert_eq!(tls_error(&error).unwrap().alert(), Some(AlertCode::UNEXPECTED_MESSAGE));
    assert_eq!(before.elapsed().as_secs(), 1);
    let mut alert = Vec::new();
    down.read_to_end(&mut alert).await.unwrap();
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_a_time_limit() {
    let (up, _down) = duplex(100_000);
    let before = tokio::time::Instant::now();
    let error = connector().connect(name(), up).await.unwrap_err();
    assert_eq!((error.kind(), before.elapsed().as_secs()), (ErrorKind::TimedOut, 10));
    let (_up, down) = duplex(100_000);
    let before = tokio::time::Instant::now();
    let error = acceptor().handshake_timeout(Duration::from_secs(3)).accept(down).await.unwrap_err();
    assert_eq!((error.kind(), before.elapsed().as_secs()), (ErrorKind::TimedOut, 3));
}

#[test]
fn without_time_limits_no_timer_is_needed() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (up, mut down) = duplex(1000);
        down.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let error = acceptor().without_time_limits().accept(up).await.unwrap_err();
        assert_eq!(tls_error(&error).unwrap().alert(), Some(AlertCode::UNEXPECTED_MESSAGE));
    });
}

#[tokio::test]
async fn a_dropped_read_loses_nothing() {
    let (up, down) = Fussy::two(11);
    let (mut client, mut server) = pair(up, down).await;
    let sending = tokio::spawn(async move {
        client.write_all(&pattern(30_000)).await.unwrap();
        client.shutdown().await.unwrap();
        client
    });
    let (mut got, mut buf) = (Vec::<u8>::new(), [0; 1000]);
    loop {
        let polled = {
            let mut read = pin!(server.read(&mut buf));
            poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await
            // The future is dropped here, whether it was ready or not.
        };
        match polled {
            Poll::Ready(Ok(0)) => break,
            Poll::Ready(Ok(n)) => got.extend(&buf[..n]),
            Poll::Ready(Err(error)) => panic!("{error}"),
            Poll::Pending => tokio::task::yield_now().await,
        }
    }
    assert_eq!(got, pattern(30_000));
    sending.await.unwrap();
}

/// Answers when it is told to; counts the questions that are out.
#[derive(Default)]
struct Elsewhere {
    out: Arc<AtomicUsize>,
    waiting: Mutex<Vec<oneshot::Sender<()>>>,
}

struct Out(Arc<AtomicUsize>);

impl Drop for Out {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl AsyncAnswerer for Elsewhere {
    fn answer(&self, question: Question) -> Answering<'_> {
        self.out.fetch_add(1, Ordering::SeqCst);
        let out = Out(self.out.clone());
        let (go, gone) = oneshot::channel();
        self.waiting.lock().unwrap().push(go);
        Box::pin(async move {
            let _out = out;
            gone.await.unwrap();
            Answers::default().answer(question)
        })
    }
}

impl Elsewhere {
    async fn let_go(&self) {
        loop {
            let next = self.waiting.lock().unwrap().pop();
            match next {
                Some(go) => return go.send(()).unwrap(),
                None => tokio::task::yield_now().await,
            }
        }
    }
}

#[tokio::test]
async fn another_task_may_answer_late_and_tickets_do_not_hold_up_the_stream() {
    let elsewhere = Arc::new(Elsewhere::default());
    let acceptor = TlsAcceptor::asking(server_config(|b| b.tickets(1)), elsewhere.clone());
    let (up, down) = duplex(100_000);
    let signing = elsewhere.clone();
    let (client, server, ()) =
        tokio::join!(connector().connect(name(), up), acceptor.accept(down), signing.let_go());
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    assert_eq!(elsewhere.out.load(Ordering::SeqCst), 1, "the ticket is out");
    server.write_all(b"before").await.unwrap();
    let mut word = [0; 6];
    client.read_exact(&mut word).await.unwrap();
    elsewhere.let_go().await;
    server.write_all(b"behind").await.unwrap();
    assert_eq!(elsewhere.out.load(Ordering::SeqCst), 0);
    client.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"behind");
}

#[tokio::test]
async fn dropping_an_accept_drops_its_question() {
    let elsewhere = Arc::new(Elsewhere::default());
    let acceptor = TlsAcceptor::asking(server_config(|b| b), elsewhere.clone());
    let (up, down) = duplex(100_000);
    let connecting = tokio::spawn(connector().connect(name(), up));
    let accepting = tokio::spawn(acceptor.accept(down));
    while elsewhere.out.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    accepting.abort();
    assert!(accepting.await.unwrap_err().is_cancelled());
    assert_eq!(elsewhere.out.load(Ordering::SeqCst), 0);
    let error = connecting.await.unwrap().unwrap_err();
    assert_eq!(tls_error(&error), Some(&Error::Truncated));
}

#[tokio::test]
async fn a_client_hello_is_seen_before_a_configuration_is_chosen() {
    let asking = ServerConfig::builder(provider()).build().unwrap();
    let acceptor = TlsAcceptor::new(asking.clone(), honest());
    let (up, down) = duplex(100_000);
    let serve = async {
        let start = acceptor.start(down).await.unwrap();
        assert_eq!(start.offered().server_name.as_deref(), Some("example.test"));
        let config = server_config(|b| b.suites(&[CipherSuite::TLS_CHACHA20_POLY1305_SHA256]));
        start.into_stream(config, credential(Key::Ed25519)).await.unwrap()
    };
    let (client, mut server) = tokio::join!(connector().connect(name(), up), serve);
    let mut client = client.unwrap();
    assert_eq!(client.summary().unwrap().suite, CipherSuite::TLS_CHACHA20_POLY1305_SHA256);
    carry(&mut client, &mut server, b"chosen").await;

    let (up, down) = duplex(100_000);
    let serve = async {
        let start = acceptor.start(down).await.unwrap();
        start.refuse(Refusal::text(AlertCode::UNRECOGNIZED_NAME, "not here")).await.unwrap();
    };
    let (client, ()) = tokio::join!(connector().connect(name(), up), serve);
    assert_eq!(tls_error(&client.unwrap_err()), Some(&Error::Alert(AlertCode::UNRECOGNIZED_NAME)));
}

#[tokio::test]
async fn a_configuration_with_a_credential_leaves_nothing_to_choose() {
    let (up, down) = duplex(100_000);
    let (_, start) = tokio::join!(connector().connect(name(), up), acceptor().start(down));
    assert_eq!(start.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn an_idle_stream_holds_no_buffer() {
    let pool = Buffers::new();
    let (up, down) = duplex(100_000);
    let (connector, acceptor) = (connector().with_buffers(&pool), acceptor().with_buffers(&pool));
    let (client, server) = tokio::join!(connector.connect(name(), up), acceptor.accept(down));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    assert_eq!(pool.lent(), 0);
    // A read that waits holds none either.
    let mut word = [0; 2];
    {
        let mut read = pin!(client.read_exact(&mut word));
        assert!(poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await.is_pending());
        assert_eq!(pool.lent(), 0);
        server.write_all(b"hello").await.unwrap();
        read.await.unwrap();
    }
    assert_eq!(pool.lent(), 1, "three bytes wait");
    assert_eq!(client.fill_buf().await.unwrap(), b"llo");
    client.consume(3);
    assert_eq!(pool.lent(), 0);
}

#[tokio::test]
async fn slices_are_gathered_into_one_record() {
    let (up, down) = duplex(100_000);
    let (mut client, server) = pair(up, down).await;
    assert!(client.is_write_vectored());
    let parts = [&b"one"[..], b"two", b"three"];
    assert_eq!(client.write_vectored(&parts.map(IoSlice::new)).await.unwrap(), 11);
    let mut bytes = [0; 100];
    let n = server.into_inner().read(&mut bytes).await.unwrap();
    assert_eq!(records(&bytes[..n]), [11 + 1 + 16]);
}

#[tokio::test]
async fn a_full_transport_bounds_what_is_taken() {
    let (up, down) = duplex(4000);
    let (mut client, _server) = pair(up, down).await;
    let mut taken = 0;
    loop {
        let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut client).poll_write(cx, &[7; 100_000]))).await;
        match polled {
            Poll::Ready(n) => taken += n.unwrap(),
            Poll::Pending => break,
        }
    }
    assert!((60_000..=70_000).contains(&taken), "{taken}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn halves_work_on_two_tasks_and_the_writer_answers_key_updates() {
    let (up, down) = sockets().await;
    let (client, mut server) = pair(up, down).await;
    let (mut reader, mut writer) = client.into_split().unwrap();
    let (tell, told) = oneshot::channel();
    let reading = tokio::spawn(async move {
        let mut word = [0; 7];
        reader.read_exact(&mut word).await.unwrap();
        tell.send(()).unwrap();
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).await.unwrap();
        (word, rest)
    });
    let serving = tokio::spawn(async move {
        let mut request = vec![0; 100_000];
        server.read_exact(&mut request).await.unwrap();
        server.update_keys(Ask::Peer).unwrap();
        server.write_all(b"updated").await.unwrap();
        let mut word = [0; 5];
        server.read_exact(&mut word).await.unwrap();
        assert_eq!(server.update_keys(Ask::Peer).unwrap(), symbolon::conn::Updated::Done);
        server.shutdown().await.unwrap();
        assert_eq!(server.read(&mut word).await.unwrap(), 0);
        (request, word)
    });
    writer.write_all(&pattern(100_000)).await.unwrap();
    told.await.unwrap();
    writer.write_all(b"after").await.unwrap();
    writer.shutdown().await.unwrap();
    assert_eq!(serving.await.unwrap(), (pattern(100_000), *b"after"));
    assert_eq!(reading.await.unwrap(), (*b"updated", Vec::new()));
}

#[tokio::test]
async fn a_fault_on_the_reading_half_wakes_a_writer_that_waits() {
    let (up, down) = duplex(4000);
    let ((up_read, up_write), (down_read, down_write)) = (tokio::io::split(up), tokio::io::split(down));
    let (client, server) = pair(from_halves(up_read, up_write), from_halves(down_read, down_write)).await;
    let (mut reader, mut writer) = client.into_split().unwrap();
    let writing = tokio::spawn(async move {
        let error = writer.write_all(&vec![7; 1 << 20]).await.unwrap_err();
        (error, writer)
    });
    tokio::task::yield_now().await;
    let (_raw_read, mut raw_write) = server.into_inner().split_io();
    raw_write.write_all(&[&[23, 3, 3, 0, 20][..], &[0; 20]].concat()).await.unwrap();
    let error = reader.read(&mut [0; 9]).await.unwrap_err();
    assert_eq!(tls_error(&error).unwrap().alert(), Some(AlertCode::BAD_RECORD_MAC));
    // Nobody makes room for the writer: only the reading half can wake it.
    let (error, _writer) = writing.await.unwrap();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn a_reader_does_not_take_the_wake_up_of_a_writer() {
    let (up, down) = duplex(4000);
    let (client, server) = pair(up, down).await;
    let (mut reader, mut writer) = tokio::io::split(client);
    let (mut peer_reader, mut peer_writer) = tokio::io::split(server);
    let writing = tokio::spawn(async move {
        writer.write_all(&pattern(300_000)).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    tokio::task::yield_now().await;
    // The writer waits. Now the reader polls the transport, also for writing, and goes away.
    let reading = tokio::spawn(async move {
        for _ in 0..3 {
            reader.read_exact(&mut [0; 4]).await.unwrap();
        }
        reader
    });
    for _ in 0..3 {
        peer_writer.write_all(b"ping").await.unwrap();
        peer_writer.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    let _reader = reading.await.unwrap();
    let mut got = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), peer_reader.read_to_end(&mut got)).await;
    read.expect("the writer was not woken").unwrap();
    assert_eq!(got, pattern(300_000));
    writing.await.unwrap();
}

#[tokio::test]
async fn a_fault_wakes_a_writer_of_the_same_stream() {
    let (up, down) = duplex(4000);
    let (client, server) = pair(up, down).await;
    let (mut reader, mut writer) = tokio::io::split(client);
    let writing = tokio::spawn(async move { writer.write_all(&pattern(300_000)).await.unwrap_err() });
    tokio::task::yield_now().await;
    let mut raw = server.into_inner();
    raw.write_all(&[&[23, 3, 3, 0, 20][..], &[0; 20]].concat()).await.unwrap();
    let error = reader.read(&mut [0; 9]).await.unwrap_err();
    assert_eq!(tls_error(&error).unwrap().alert(), Some(AlertCode::BAD_RECORD_MAC));
    let error = writing.await.unwrap();
    assert_eq!(tls_error(&error).unwrap().alert(), Some(AlertCode::BAD_RECORD_MAC));
}

#[test]
fn streams_and_their_futures_may_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    fn future<F: Future + Send>(_: F) {}
    crosses::<TlsStream<TcpStream>>();
    crosses::<symbolon::io::tokio::TlsReadHalf<DuplexStream>>();
    crosses::<symbolon::io::tokio::TlsWriteHalf<DuplexStream>>();
    crosses::<TlsConnector>();
    future(acceptor().accept(duplex(1).0));
    future(acceptor().start(duplex(1).0));
    future(connector().connect(name(), duplex(1).0));
}
