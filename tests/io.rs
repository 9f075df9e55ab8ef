//! The blocking adapter: whatever the transport does, the same bytes arrive, and nothing is lost or held.
#![cfg(all(feature = "std", feature = "rustcrypto"))]

mod support;
#[path = "support/wire.rs"]
mod wire;

use std::io::{BufRead, ErrorKind, IoSlice, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use support::*;
use symbolon::codepoint::{CipherSuite, HandshakeType};
use symbolon::conn::{Ask, MessageKind, Reported, Revealed, Updated};
use symbolon::io::blocking::{Stream, tcp_farewell};
use symbolon::io::{Buffers, Observer, tls_error};
use symbolon::policy::Answerer;
use symbolon::question::{Answer, Question};
use symbolon::{AlertCode, Error, Refusal};
use wire::*;

type Streams = (Stream<End>, Stream<End>);

/// Two streams with the defaults of both sides, not yet used.
fn streams(mood: Mood) -> Streams {
    let (up, down) = ends(mood);
    let client = Stream::client(&client_config(|b| b), name(), honest(), up);
    (client, Stream::server(&server_config(|b| b), honest(), down))
}

fn established(mood: Mood) -> Streams {
    let (mut client, mut server) = streams(mood);
    shake(&mut client, &mut server);
    (client, server)
}

fn shake(client: &mut Stream<End>, server: &mut Stream<End>) {
    alternate(|| client.handshake().map(drop), || server.handshake().map(drop));
}

/// Writes all of `bytes` and closes, some at a call.
fn sending<'a>(stream: &'a mut Stream<End>, bytes: &'a [u8]) -> impl FnMut() -> Result<()> + 'a {
    let mut at = 0;
    move || {
        while at < bytes.len() {
            at += stream.write(&bytes[at..])?;
        }
        stream.close()
    }
}

/// Reads to the end, some at a call.
fn receiving(stream: &mut Stream<End>) -> impl FnMut() -> Result<Vec<u8>> + '_ {
    let (mut all, mut some) = (Vec::new(), [0; 777]);
    move || loop {
        match stream.read(&mut some)? {
            0 => return Ok(std::mem::take(&mut all)),
            n => all.extend(&some[..n]),
        }
    }
}

/// A server over TCP on a thread of its own, and a socket to it.
fn over_tcp<V: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> V + Send + 'static,
) -> (TcpStream, thread::JoinHandle<V>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (socket, thread::spawn(move || serve(listener.accept().unwrap().0)))
}

#[test]
fn every_mood_of_a_transport_carries_the_same_bytes_both_ways() {
    let moods = [
        Mood::Calm,
        Mood::Short(1),
        Mood::Short(7),
        Mood::EveryOther(ErrorKind::WouldBlock, 1),
        Mood::EveryOther(ErrorKind::WouldBlock, 5000),
        Mood::EveryOther(ErrorKind::Interrupted, 300),
    ];
    for mood in moods {
        let (mut client, mut server) = streams(mood);
        let (up, down) = (pattern(40_000), pattern(70_001));
        let ((), got) = alternate(sending(&mut client, &up), receiving(&mut server));
        assert_eq!(got, up, "{mood:?}");
        let ((), got) = alternate(sending(&mut server, &down), receiving(&mut client));
        assert_eq!(got, down, "{mood:?}");
    }
}

#[test]
fn reading_goes_on_after_our_close() {
    let (mut client, mut server) = established(Mood::Calm);
    client.close().unwrap();
    assert_eq!(client.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    let mut buf = [0; 8];
    assert_eq!(server.read(&mut buf).unwrap(), 0);
    server.write_all(b"late").unwrap();
    assert_eq!(client.read(&mut buf).unwrap(), 4);
    server.close().unwrap();
    assert_eq!((client.read(&mut buf).unwrap(), client.read(&mut buf).unwrap()), (0, 0));
}

#[test]
fn an_end_without_close_notify_is_a_truncation() {
    let (mut client, mut server) = established(Mood::Calm);
    server.write_all(b"half").unwrap();
    server.get_ref().hang_up();
    let mut all = Vec::new();
    let error = client.read_to_end(&mut all).unwrap_err();
    assert_eq!((error.kind(), tls_error(&error)), (ErrorKind::UnexpectedEof, Some(&Error::Truncated)));
    assert_eq!(all, b"half");
}

#[test]
fn a_fault_sends_its_alert_before_the_error_is_told() {
    let (up, down) = ends(Mood::Calm);
    let only = |suite| [suite];
    let config = client_config(|b| b.suites(&only(CipherSuite::TLS_AES_128_GCM_SHA256)));
    let mut client = Stream::client(&config, name(), honest(), up);
    let config = server_config(|b| b.suites(&only(CipherSuite::TLS_AES_256_GCM_SHA384)));
    let mut server = Stream::server(&config, honest(), down);
    assert!(waits(&client.handshake().unwrap_err()));
    let error = server.handshake().unwrap_err();
    assert_eq!(tls_error(&error).unwrap().alert(), Some(AlertCode::HANDSHAKE_FAILURE));
    let error = client.handshake().unwrap_err();
    assert_eq!(tls_error(&error), Some(&Error::Alert(AlertCode::HANDSHAKE_FAILURE)));
    // The error is told again.
    assert_eq!(tls_error(&client.read(&mut [0]).unwrap_err()), tls_error(&error));
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

#[test]
fn an_alert_survives_the_closing_of_a_socket_with_unread_input() {
    let (socket, server) = over_tcp(|socket| {
        let mut server = Stream::server(&server_config(|b| b), honest(), socket);
        server.handshake().unwrap_err()
    });
    let config = client_config(|b| b);
    let mut client = Stream::client(&config, name(), Arc::new(Refusing), socket).with_farewell(tcp_farewell);
    let error = client.handshake().unwrap_err();
    assert_eq!(tls_error(&error).unwrap().alert(), Some(AlertCode::UNKNOWN_CA));
    drop(client);
    assert_eq!(tls_error(&server.join().unwrap()), Some(&Error::Alert(AlertCode::UNKNOWN_CA)));
}

#[test]
fn an_idle_stream_holds_no_buffer() {
    let pool = Buffers::new();
    let (client, server) = streams(Mood::Calm);
    let (mut client, mut server) = (client.with_buffers(&pool), server.with_buffers(&pool));
    assert_eq!(pool.lent(), 0);
    shake(&mut client, &mut server);
    assert_eq!(pool.lent(), 0);
    client.write_all(b"0123456789").unwrap();
    let mut buf = [0; 4];
    server.read_exact(&mut buf).unwrap();
    assert_eq!(pool.lent(), 1, "six bytes wait");
    server.read_exact(&mut [0; 6]).unwrap();
    assert!(waits(&server.read(&mut buf).unwrap_err()));
    assert_eq!(pool.lent(), 0);
    assert!(pool.idle() >= 2);
    client.write_all(b"0123456789").unwrap();
    server.read_exact(&mut buf).unwrap();
    drop((client, server));
    assert_eq!(pool.lent(), 0);
}

#[test]
fn slices_are_gathered_into_one_record() {
    let (mut client, mut server) = established(Mood::Calm);
    let parts = [&b"one"[..], b"", b"two", b"three"];
    assert_eq!(client.write_vectored(&parts.map(IoSlice::new)).unwrap(), 11);
    let sent: Vec<u8> = lane(&client.get_ref().outgoing).bytes.iter().copied().collect();
    assert_eq!(records(&sent), [11 + 1 + 16]);
    assert_eq!(server.fill_buf().unwrap(), b"onetwothree");
    server.consume(3);
    assert_eq!(server.fill_buf().unwrap(), b"twothree");
}

#[test]
fn a_full_transport_bounds_what_is_taken() {
    let (mut client, _server) = established(Mood::Calm);
    client.get_mut().stop();
    let mut taken = 0;
    let error = loop {
        match client.write(&[7; 100_000]) {
            Ok(n) => taken += n,
            Err(error) => break error,
        }
    };
    assert!(waits(&error) && taken <= 64 << 10, "{taken}");
}

#[test]
fn a_transport_that_takes_nothing_is_an_error() {
    struct Stuck(End);
    impl Read for Stuck {
        fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
            self.0.read(buf)
        }
    }
    impl Write for Stuck {
        fn write(&mut self, _: &[u8]) -> Result<usize> {
            Ok(0)
        }
        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }
    let mut client = Stream::client(&client_config(|b| b), name(), honest(), Stuck(ends(Mood::Calm).0));
    assert_eq!(client.handshake().unwrap_err().kind(), ErrorKind::WriteZero);
}

#[test]
fn a_borrowed_transport_serves_too() {
    let (mut up, mut down) = ends(Mood::Calm);
    let mut client = Stream::client(&client_config(|b| b), name(), honest(), &mut up);
    let mut server = Stream::server(&server_config(|b| b), honest(), &mut down);
    alternate(|| client.handshake().map(drop), || server.handshake().map(drop));
    client.write_all(b"hello\nworld\n").unwrap();
    let mut line = String::new();
    server.read_line(&mut line).unwrap();
    assert_eq!(line, "hello\n");
    let (mut ours, mut theirs) = ([0; 32], [0; 32]);
    client.exporter(b"label", b"", &mut ours).unwrap();
    server.exporter(b"label", b"", &mut theirs).unwrap();
    assert_eq!(ours, theirs);
}

#[test]
fn an_observer_sees_secrets_and_messages() {
    #[derive(Default)]
    struct Log(Mutex<(Vec<Vec<u8>>, Vec<MessageKind>)>);
    impl Observer for Log {
        fn secret(&self, secret: &Revealed) {
            self.0.lock().unwrap().0.push(secret.secret.expose().to_vec());
        }
        fn message(&self, message: &Reported) {
            self.0.lock().unwrap().1.push(message.kind);
        }
    }
    let logs = [Arc::new(Log::default()), Arc::new(Log::default())];
    let (up, down) = ends(Mood::Calm);
    let config = client_config(|b| b.reveal_secrets().report_messages());
    let mut client = Stream::client(&config, name(), honest(), up).with_observer(logs[0].clone());
    let config = server_config(|b| b.reveal_secrets().report_messages());
    let mut server = Stream::server(&config, honest(), down).with_observer(logs[1].clone());
    shake(&mut client, &mut server);
    {
        let (one, two) = (logs[0].0.lock().unwrap(), logs[1].0.lock().unwrap());
        assert_eq!((one.0.len(), &one.0), (5, &two.0));
        assert_eq!(one.1[0], MessageKind::Handshake(HandshakeType::CLIENT_HELLO));
        assert_eq!(one.1.last(), two.1.last());
    }
    // Nothing is read after the close, and still it is told.
    client.close().unwrap();
    let closed = Some(&MessageKind::Alert(AlertCode::CLOSE_NOTIFY));
    assert_eq!(logs[0].0.lock().unwrap().1.last(), closed);
    assert_eq!(server.read(&mut [0]).unwrap(), 0);
    assert_eq!(logs[1].0.lock().unwrap().1.last(), closed);
}

#[test]
fn an_answer_may_come_late_from_another_thread() {
    struct Elsewhere(Mutex<mpsc::Sender<(Question, mpsc::Sender<Answer>)>>);
    impl Answerer for Elsewhere {
        fn answer(&self, question: Question) -> Answer {
            let (answer, answered) = mpsc::channel();
            self.0.lock().unwrap().send((question, answer)).unwrap();
            answered.recv().unwrap()
        }
    }
    let (ask, asked) = mpsc::channel::<(Question, mpsc::Sender<Answer>)>();
    let answering = thread::spawn(move || {
        asked.into_iter().map(|(question, to)| to.send(Answers::default().answer(question)).unwrap()).count()
    });
    let (up, down) = ends(Mood::Calm);
    let mut client = Stream::client(&client_config(|b| b), name(), honest(), up);
    let mut server =
        Stream::server(&server_config(|b| b.tickets(2)), Arc::new(Elsewhere(Mutex::new(ask))), down);
    shake(&mut client, &mut server);
    drop(server);
    assert_eq!(answering.join().unwrap(), 3, "a signature and two tickets");
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn halves_work_on_two_threads_and_the_writer_answers_key_updates() {
    let (socket, server) = over_tcp(|socket| {
        let mut server = Stream::server(&server_config(|b| b), honest(), socket);
        let mut request = [0; 100_000];
        server.read_exact(&mut request).unwrap();
        assert_eq!(server.update_keys(Ask::Peer).unwrap(), Updated::Done);
        assert_eq!(server.update_keys(Ask::Peer).unwrap(), Updated::AlreadyAsked);
        server.write_all(b"updated").unwrap();
        let mut word = [0; 5];
        server.read_exact(&mut word).unwrap();
        assert_eq!(server.update_keys(Ask::Peer).unwrap(), Updated::Done, "the peer answered");
        server.close().unwrap();
        assert_eq!(server.read(&mut word).unwrap(), 0);
        (request.to_vec(), word)
    });
    let client = Stream::client(&client_config(|b| b), name(), honest(), socket);
    let (mut reader, mut writer) = client.split().unwrap();
    let (tell, told) = mpsc::channel();
    let reading = thread::spawn(move || {
        let mut word = [0; 7];
        reader.read_exact(&mut word).unwrap();
        tell.send(()).unwrap();
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        (word, rest)
    });
    writer.write_all(&pattern(100_000)).unwrap();
    told.recv().unwrap();
    writer.write_all(b"after").unwrap();
    writer.close().unwrap();
    assert_eq!(server.join().unwrap(), (pattern(100_000), *b"after"));
    assert_eq!(reading.join().unwrap(), (*b"updated", Vec::new()));
}

#[test]
fn a_fault_on_the_reading_half_is_told_by_the_writing_half() {
    let (client, mut server) = established(Mood::Calm);
    let (mut reader, mut writer) = client.split_with(|end| Ok((end.again(), end))).unwrap();
    lane(&reader.get_ref().incoming).bytes.extend([23, 3, 3, 0, 20].iter().chain(&[0; 20]));
    let error = reader.read(&mut [0; 9]).unwrap_err();
    assert_eq!(tls_error(&error).unwrap().alert(), Some(AlertCode::BAD_RECORD_MAC));
    assert_eq!(writer.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    drop(writer);
    let error = server.read(&mut [0; 9]).unwrap_err();
    assert_eq!(tls_error(&error), Some(&Error::Alert(AlertCode::BAD_RECORD_MAC)));
}

#[test]
fn a_dropped_writing_half_still_sends_the_alert() {
    let (client, mut server) = established(Mood::Calm);
    let (mut reader, writer) = client.split_with(|end| Ok((end.again(), end))).unwrap();
    lane(&reader.get_ref().incoming).bytes.extend([23, 3, 3, 0, 20].iter().chain(&[0; 20]));
    reader.read(&mut [0; 9]).unwrap_err();
    drop(writer);
    let error = server.read(&mut [0; 9]).unwrap_err();
    assert_eq!(tls_error(&error), Some(&Error::Alert(AlertCode::BAD_RECORD_MAC)));
}

#[test]
fn bytes_that_were_read_before_the_split_are_not_lost() {
    let (mut client, mut server) = established(Mood::Calm);
    server.write_all(b"early").unwrap();
    let mut buf = [0; 2];
    client.read_exact(&mut buf).unwrap();
    let (mut reader, _writer) = client.split_with(|end| Ok((end.again(), end))).unwrap();
    let mut rest = [0; 3];
    reader.read_exact(&mut rest).unwrap();
    assert_eq!((&buf, &rest), (b"ea", b"rly"));
}
