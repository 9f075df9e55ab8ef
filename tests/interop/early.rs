//! Early data, both ways: accepted, refused for every reason that a peer can bring about, and sent again by a third.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use super::certs::scratch;
use super::ours::{Server, serving, trusting};
use super::peers::{SUITES, gnutls_cli, gnutls_serv, s_client_to_localhost, s_server};
use super::process::{DEADLINE, Finished, Running};
use super::report;

const EARLY: &str = "early words\n";
const LOCAL: [&str; 5] = ["--echo", "--tickets", "2", "--early-data", "4096"];

/// A file with early data, for this test alone.
fn early_file(test: &str) -> String {
    let path = scratch(&format!("early-words-{test}"));
    fs::write(&path, EARLY).unwrap();
    path
}

/// Sends a line to an echo, waits for it, and ends.
fn ping(client: &mut Running) -> Finished {
    client.send("ping\n").wait_out("ping\n");
    client.finish().exits(0)
}

/// OpenSSL's client, which writes its session to the file, or sends early data with it.
fn first(server: &Server, session: &str, options: &[&str]) {
    ping(&mut s_client_to_localhost(server, &[&["-nocommands", "-sess_out", session], options].concat()));
}

fn again(server: &Server, session: &str, early: &str, options: &[&str]) -> Finished {
    let common = ["-nocommands", "-sess_in", session, "-early_data", early];
    ping(&mut s_client_to_localhost(server, &[&common, options].concat())).prints("Reused, TLSv1.3")
}

#[test]
fn our_server_accepts_it_from_openssl_with_every_suite() {
    let (early, ours) = (early_file("s_client"), serving(&["p256"], &LOCAL));
    for suite in &SUITES {
        let (session, suites) = (scratch(&format!("{}-early", suite.name)), ["-ciphersuites", suite.name]);
        first(&ours, &session, &suites);
        let said = again(&ours, &session, &early, &suites).prints("Early data was accepted");
        said.prints(EARLY);
        let line = format!("{}, x25519, resumed, early data accepted: 17 bytes echoed", suite.name);
        ours.process.wait_err(&line);
    }
    report("early data from s_client", 3);
}

#[test]
fn openssl_accepts_it_from_our_client_with_every_suite() {
    let early = early_file("s_server");
    for suite in &SUITES {
        let theirs = s_server("p256", &["-early_data", "-max_early_data", "4096"]);
        let session = scratch(&format!("{}-s_server-early", suite.name));
        let options = ["--session", &session, "--suites", suite.name];
        trusting(&theirs, &options).finish().exits(0);
        let said = trusting(&theirs, &[&options[..], &["--early-data", &early]].concat()).finish().exits(0);
        said.says("\nresumed\n").says("early data: 12 bytes sent and accepted\n");
        theirs.process.wait_any(&["Early data received"]);
        theirs.process.wait_any(&[EARLY]);
        theirs.process.wait_any(&["End of early data"]);
    }
    report("early data to s_server", 3);
}

#[test]
fn gnutls_sends_and_accepts_it() {
    let (early, ours) = (early_file("gnutls"), serving(&["p256"], &LOCAL));
    let earlydata = format!("--earlydata={early}");
    let said = ping(&mut gnutls_cli(&ours, &["--resume", "--waitresumption", &earlydata]));
    said.prints("*** This is a resumed session").prints(EARLY);
    ours.process.wait_err("resumed, early data accepted: 17 bytes echoed");

    let options = ["--echo", "--disable-client-cert", "--earlydata", "--maxearlydata", "4096"];
    let (theirs, session) = (gnutls_serv("p256", &options), scratch("gnutls-serv-early"));
    ping(&mut trusting(&theirs, &["--session", &session]));
    let said = ping(&mut trusting(&theirs, &["--session", &session, "--early-data", &early]));
    said.says("\nresumed\n").says("early data: 12 bytes sent and accepted\n");
    theirs.process.wait_any(&["*** This is a resumed session"]);
    report("early data with GnuTLS", 2);
}

#[test]
fn a_hello_retry_request_refuses_it() {
    const REFUSED: &str =
        "early data: 12 bytes sent and refused (a HelloRetryRequest was needed); nothing is sent again";
    let (early, session) = (early_file("retry"), scratch("retry-early"));
    let ours = serving(&["p256"], &[&LOCAL[..], &["--groups", "secp384r1"]].concat());
    let groups = ["-groups", "X25519:P-384"];
    first(&ours, &session, &groups);
    again(&ours, &session, &early, &groups).prints("Early data was rejected");
    let line = "secp384r1 after a HelloRetryRequest, resumed, early data refused (a HelloRetryRequest was needed): 5 bytes";
    ours.process.wait_err(line);
    // GnuTLS 3.7 can do this in no role. Its client sends early_data with the second ClientHello too, and encrypts that;
    // its server does not pass over early data, and answers OpenSSL's client with bad_record_mac as it does ours.

    let session = scratch("retry-s_server-early");
    // Its guard against replays would count the second ClientHello as one.
    let guarded_not = ["-early_data", "-max_early_data", "4096", "-no_anti_replay", "-groups", "P-384"];
    let theirs = s_server("p256", &guarded_not);
    trusting(&theirs, &["--session", &session]).finish().exits(0);
    let options = ["--session", &session, "--early-data", &early];
    trusting(&theirs, &options).finish().exits(0).says("\nresumed\n").says(REFUSED);
    report("early data and HelloRetryRequest", 2);
}

#[test]
fn a_server_that_was_started_anew_refuses_it() {
    let (early, secret) = (early_file("restart"), scratch("restart-secret"));
    let off = ["--echo", "--tickets", "2", "--ticket-secret", &secret];
    let on = [&off[..], &["--early-data", "4096", "--replay", "local"]].concat();
    let ours = serving(&["p256"], &on);
    ours.process.wait_err("--replay local guards this process alone");
    let sessions = [scratch("restart-1"), scratch("restart-2")];
    for session in &sessions {
        first(&ours, session, &[]);
    }
    let mine = scratch("restart-3");
    ping(&mut trusting(&ours, &["--session", &mine]));
    drop(ours);

    let ours = serving(&["p256"], &off);
    again(&ours, &sessions[0], &early, &[]).prints("Early data was rejected");
    ours.process.wait_err("resumed, early data refused (the server accepts no early data): 5 bytes echoed");
    drop(ours);

    let ours = serving(&["p256"], &on);
    const OLDER: &str =
        "early data refused (the ticket is older than the replay guard's memory): 5 bytes echoed";
    again(&ours, &sessions[1], &early, &[]).prints("Early data was rejected");
    ours.process.wait_err(&format!("x25519, resumed, {OLDER}"));
    let said = ping(&mut trusting(&ours, &["--session", &mine, "--early-data", &early]));
    said.says(
        "early data: 12 bytes sent and refused (the server declined early data); nothing is sent again",
    );
    ours.process.wait_err(&format!("X25519MLKEM768, resumed, {OLDER}"));
    report("early data after a restart", 3);
}

#[test]
fn openssl_refuses_a_ticket_that_comes_twice() {
    let (early, session, copy) = (early_file("twice"), scratch("twice"), scratch("twice-copy"));
    let theirs = s_server("p256", &["-early_data", "-max_early_data", "4096"]);
    trusting(&theirs, &["--session", &session]).finish().exits(0);
    fs::copy(&session, &copy).unwrap();
    let send =
        |session: &str| trusting(&theirs, &["--session", session, "--early-data", &early]).finish().exits(0);
    send(&session).says("early data: 12 bytes sent and accepted");
    let said = send(&copy).says("not resumed (the server declined the ticket)");
    said.says("early data: 12 bytes sent and refused (").says("nothing is sent again by itself");
    report("tickets that come twice", 1);
}

#[test]
fn nothing_is_sent_early_that_the_ticket_does_not_permit() {
    let session = scratch("permits");
    let early = early_file("permits");
    let none = s_server("p256", &[]);
    let options = ["--session", &session, "--early-data", &early];
    let said = trusting(&none, &options).finish().exits(0);
    said.says("early data: nothing was sent (the connection was not resumed), and nothing will be");
    let said = trusting(&none, &options).finish().exits(0).says("\nresumed\n");
    said.says("early data: nothing was sent (the ticket permits no early data), and nothing will be");

    let ours = serving(&["p256"], &["--echo", "--tickets", "1", "--early-data", "5"]);
    ping(&mut trusting(&ours, &["--session", &session]));
    let said = ping(&mut trusting(&ours, &options));
    said.says("early data: 5 bytes sent and accepted; the last 7 were not sent, the ticket permits no more");
    ours.process.wait_err("early data accepted: 10 bytes echoed");
    report("limits of early data", 3);
}

#[test]
fn a_get_is_answered_at_once_and_a_post_waits() {
    let (session, request) = (scratch("get"), scratch("get-early"));
    let ours = serving(&["p256"], &["--tickets", "2", "--early-data", "4096"]);
    let ask = |text: &str| {
        fs::write(&request, text).unwrap();
        trusting(&ours, &["--session", &session, "--early-data", &request]).finish().exits(0)
    };
    trusting(&ours, &["--session", &session, "--get", "/"]).finish().exits(0).says("not resumed");
    let said = ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").prints("HTTP/1.1 200 OK\r\n");
    said.says("accepted").prints("handshake    not complete: the request came as early data");
    ours.process.wait_err("resumed, early data accepted: GET: 200 OK in early data");
    let said = ask("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").says("accepted");
    said.prints("HTTP/1.1 405 Method Not Allowed\r\n");
    ours.process.wait_err("resumed, early data accepted: another method: 405 Method Not Allowed\n");
    report("early requests", 2);
}

/// Has `client` connect through a wire that keeps what it sends, and gives that.
fn recorded(server: &Server, client: impl FnOnce(&Server) -> Finished) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), server.address());
    let wire = thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let mut far = TcpStream::connect(to).unwrap();
        let (mut back, mut answers) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        let answering = thread::spawn(move || {
            let _ = std::io::copy(&mut answers, &mut back);
            let _ = back.shutdown(Shutdown::Both);
        });
        let (mut sent, mut bytes) = (Vec::new(), [0; 4096]);
        while let Ok(n @ 1..) = near.read(&mut bytes) {
            sent.extend_from_slice(&bytes[..n]);
            let _ = far.write_all(&bytes[..n]);
        }
        let _ = far.shutdown(Shutdown::Write);
        answering.join().unwrap();
        sent
    });
    // A server of this port is never started: it is only where the wire begins.
    let mut command = std::process::Command::new("true");
    command.env_clear();
    client(&Server { process: Running::start(command), port });
    wire.join().unwrap()
}

/// Sends what was recorded to a server, as somebody would who saw it pass.
fn replay(server: &Server, sent: &[u8]) {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let _ = socket.write_all(sent);
    let _ = socket.shutdown(Shutdown::Write);
    let _ = socket.read_to_end(&mut Vec::new());
}

const SEEN: &str = "handshake failed, early data refused (the first flight was seen before): ";

#[test]
fn a_flight_that_somebody_sends_again_is_refused() {
    let (early, session) = (early_file("replay"), scratch("replay"));
    let ours = serving(&["p256"], &LOCAL);
    first(&ours, &session, &[]);
    let sent = recorded(&ours, |wire| again(wire, &session, &early, &[]).prints("Early data was accepted"));
    ours.process.wait_err("resumed, early data accepted: 17 bytes echoed");
    replay(&ours, &sent);
    ours.process.wait_err(SEEN);
    assert!(!ours.process.stderr().contains("after early data was accepted"));
    report("a replay", 1);
}

#[cfg(feature = "redis")]
#[test]
fn a_flight_that_another_server_of_the_fleet_saw_is_refused() {
    use super::redis::store::{Hands, Store, guarding, settings, url};
    let store = Store::start();
    // Its memory begins a minute ago, by the first guard that finds it.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let clock = Hands::at(now - 60);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let earliest = runtime.block_on(guarding(settings(store.port, &clock)));

    let (early, session, secret) = (early_file("fleet"), scratch("fleet-early"), scratch("fleet-secret"));
    let url = url(store.port);
    let options = [&LOCAL[..], &["--ticket-secret", &secret, "--replay", &url]].concat();
    let (one, other) = (serving(&["p256"], &options), serving(&["p256"], &options));
    for server in [&one, &other] {
        server.process.wait_err("replay guard: guarding since");
    }
    first(&one, &session, &[]);
    let sent = recorded(&other, |wire| again(wire, &session, &early, &[]).prints("Early data was accepted"));
    other.process.wait_err("resumed, early data accepted: 17 bytes echoed");
    replay(&one, &sent);
    one.process.wait_err(SEEN);
    drop(earliest);
    report("a replay in a fleet", 1);
}
