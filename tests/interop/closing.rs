//! How connections end: cleanly, cut off, half closed, refused a place, out of patience.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;

use super::certs::{file, scratch};
use super::ours::{Server, serving, tlsclient, tlsclient_command, tlsserver, trusting};
use super::peers::{gnutls_serv, s_client_to_localhost, s_server};
use super::process::{DEADLINE, Running};
use super::report;

const CUT: &str = "the transport ended without close_notify: what was received may be cut short";

#[test]
fn a_killed_server_is_no_clean_end() {
    for mut theirs in [s_server("p256", &[]), gnutls_serv("p256", &["--echo"])] {
        let mut ours = trusting(&theirs, &[]);
        ours.wait_err("verified");
        theirs.process.kill();
        ours.wait().exits(1).says("connection failed: ");
    }
    let mut theirs = s_server("p256", &[]);
    let mut ours = trusting(&theirs, &["--allow-truncation"]);
    ours.wait_err("verified");
    theirs.process.send("some\n");
    ours.wait_out("some\n");
    theirs.process.kill();
    ours.wait().exits(0).says("truncated, which --allow-truncation permits: ").prints("some\n");
    report("killed servers", 3);
}

#[test]
fn a_cut_stream_is_no_clean_end() {
    let theirs = serving(&["p256"], &["--echo"]);
    for (options, status) in [(&[][..], 1), (&["--allow-truncation"][..], 0)] {
        let proxy = Proxy::before(&theirs);
        let mut ours = tlsclient(&[&[&*proxy.address, "--ca", &file("ca.pem")], options].concat());
        ours.send("ping\n").wait_out("ping\n");
        proxy.cut();
        ours.wait().exits(status).says(CUT).prints("ping\n");
        theirs.process.wait_err(&format!(": {CUT}"));
    }
    // Within the handshake there is nothing that could be permitted.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut ours = tlsclient(&[&address, "--ca", &file("ca.pem"), "--allow-truncation"]);
    let (mut socket, _) = listener.accept().unwrap();
    socket.read_exact(&mut [0; 128]).unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    ours.wait().exits(1).says("handshake failed: ").says(CUT);
    report("cut streams", 3);
}

#[test]
fn a_killed_client_is_told_on_the_servers_line() {
    let ours = serving(&["p256"], &["--echo"]);
    let mut theirs = s_client_to_localhost(&ours, &[]);
    theirs.send("ping\n").wait_out("\nping\n").kill();
    ours.process.wait_err(CUT);
    report("killed clients", 1);
}

#[test]
fn reading_goes_on_after_our_close_notify() {
    // The end of stdin comes at once; the echo is still on its way.
    let theirs = serving(&["p256"], &["--echo"]);
    let sent = vec![b'x'; 300_000];
    let said = trusting(&theirs, &[]).send(sent.clone()).finish().exits(0);
    assert!(said.stdout == sent);
    theirs.process.wait_err("300000 bytes echoed, closed by the client");
    report("half close", 1);
}

#[test]
fn a_page_describes_its_connection() {
    let ca = scratch("dev-ca.pem");
    let ours = tlsserver(&["--ca-out", &ca, "--alpn", "h2,http/1.1"]);
    let get = |options: &[&str]| {
        tlsclient(&[&[&*ours.localhost(), "--ca", &ca, "--get", "/"], options].concat()).finish()
    };
    let said = get(&["--alpn", "http/1.1", "--groups", "secp256r1"]).exits(0).prints("HTTP/1.1 200 OK\r\n");
    let said = said.prints("group        secp256r1\n").prints("ALPN         http/1.1\n");
    said.prints("server name  localhost\n");
    get(&["--alpn", "h2"]).exits(1).says("the server chose h2; --get speaks HTTP/1.0");
    let ask = |request: &str| {
        let mut client = tlsclient(&[&ours.address(), "--ca", &ca]);
        client.send(request).wait()
    };
    let head = ask("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n").exits(0).prints("HTTP/1.1 200 OK\r\n");
    assert!(head.stdout.ends_with(b"\r\n\r\n"), "an answer to HEAD has no body");
    let said = ask("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").exits(0);
    said.prints("HTTP/1.1 405 Method Not Allowed\r\n").prints("Allow: GET, HEAD\r\n");
    ask("what?\r\n\r\n").exits(0).prints("HTTP/1.1 400 Bad Request\r\n");
    ask(&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000))).exits(0).prints("HTTP/1.1 431 ");
    report("pages", 6);
}

#[test]
fn a_closed_stdout_ends_the_client() {
    let theirs = serving(&["p256"], &[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = tlsclient_command(&[&theirs.localhost(), "--ca", &file("ca.pem"), "--get", "/"]);
    let output = command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("stdout cannot be written: Broken pipe"), "{said}");
    report("broken pipes", 1);
}

#[test]
fn a_client_that_does_nothing_costs_nothing_for_long() {
    let ours = serving(&["p256"], &["--timeout", "1"]);
    let mut silent = TcpStream::connect(ours.address()).unwrap();
    silent.set_read_timeout(Some(DEADLINE)).unwrap();
    let _ = silent.read_to_end(&mut Vec::new());
    ours.process.wait_err("no server name: handshake failed: timed out waiting for the peer");
    let mut mute: Running = trusting(&ours, &[]);
    mute.wait().exits(1);
    ours.process.wait_err("X25519MLKEM768: timed out waiting for the peer");
    report("silent clients", 2);
}

#[test]
fn more_connections_than_there_are_places_are_dropped() {
    let ours = serving(&["p256"], &[]);
    let sockets: Vec<TcpStream> = (0..257).map(|_| TcpStream::connect(ours.address()).unwrap()).collect();
    ours.process.wait_err("dropped, 256 connections are being served");
    drop(sockets);
    report("too many connections", 1);
}

/// Carries bytes both ways until it is told to cut.
struct Proxy {
    address: String,
    listener: thread::JoinHandle<(TcpStream, TcpStream)>,
}

impl Proxy {
    fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let to = server.address();
        let listener = thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(to).unwrap();
            carry(&client, &server);
            carry(&server, &client);
            (client, server)
        });
        Self { address, listener }
    }

    /// Ends both TCP streams, in both directions, without a word of TLS.
    fn cut(self) {
        let (client, server) = self.listener.join().unwrap();
        client.shutdown(Shutdown::Both).unwrap();
        server.shutdown(Shutdown::Both).unwrap();
    }
}

fn carry(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..n]).is_err() {
                return;
            }
        }
    });
}
