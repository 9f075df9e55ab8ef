//! What must fail: the exit status, the words, and the alert, on both sides.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::certs::{file, scratch};
use super::ours::{Server, serving, tlsclient, tlsclient_command, tlsserver_command, trusting};
use super::peers::{gnutls_cli_for, gnutls_serv, s_client, s_client_to_localhost, s_server};
use super::process::{DEADLINE, Finished, Running};
use super::report;

/// Our client, which trusts another CA than the one that issued the tests' certificates.
fn distrusting(server: &Server) -> Finished {
    tlsclient(&[&server.localhost(), "--ca", &file("wrong-ca.pem")]).finish()
}

#[test]
fn our_client_refuses_bad_certificates() {
    const UNKNOWN: &str = "handshake failed: we refused the peer with the alert unknown_ca (48): ";
    let openssl = s_server("p256", &[]);
    distrusting(&openssl)
        .exits(1)
        .says(UNKNOWN)
        .says("issuer \"CN=Interop ca\" was not sent and is not trusted");
    openssl.process.wait_err("SSL alert number 48");
    let gnutls = gnutls_serv("p256", &["--echo"]);
    distrusting(&gnutls).exits(1).says(UNKNOWN);
    gnutls.process.wait_any(&["Received alert '48': CA is unknown"]);

    let said = trusting(&openssl, &["--name", "other.test"]).finish().exits(1);
    said.says("alert bad_certificate (42): the certificate is not for \"other.test\"; it is for: localhost");
    openssl.process.wait_err("SSL alert number 42");

    let expired = s_server("expired", &[]);
    let said = trusting(&expired, &[]).finish().exits(1);
    said.says(
        "alert certificate_expired (45): the certificate \"CN=expired\" was valid only until 2020-02-01",
    );
    expired.process.wait_err("SSL alert number 45");
    report("tlsclient refuses certificates", 4);
}

#[test]
fn our_server_is_told_why_it_is_refused() {
    const REFUSED: &str = "handshake failed: the peer refused us with the alert ";
    let ours = serving(&["p256"], &["--echo"]);
    s_client_to_localhost(&ours, &["-CAfile", &file("wrong-ca.pem")]).finish().exits(1);
    ours.process.wait_err(&format!("localhost: {REFUSED}unknown_ca (48)"));
    s_client(&ours, &["-servername", "other.test", "-verify_hostname", "other.test"]).finish().exits(1);
    ours.process.wait_err(&format!("other.test: {REFUSED}bad_certificate (42)"));
    // GnuTLS verifies when the handshake is complete, so the alert comes under application keys.
    gnutls_cli_for("localhost", "wrong-ca.pem", &ours, &[]).finish().exits(1);
    ours.process.wait_err("the peer refused us with the alert bad_certificate (42)");

    let expired = serving(&["expired"], &["--echo"]);
    s_client_to_localhost(&expired, &[]).finish().exits(1);
    expired.process.wait_err(&format!("localhost: {REFUSED}certificate_expired (45)"));
    report("tlsserver is refused", 4);
}

#[test]
fn no_common_ground_is_told_to_both() {
    let ours = serving(&["p256"], &["--echo", "--suites", "tls_aes_128_gcm_sha256"]);
    for (options, alert) in [
        (["-tls1_2", "-quiet"], 70),
        (["-groups", "P-521"], 40),
        (["-ciphersuites", "TLS_AES_256_GCM_SHA384"], 40),
        (["-sigalgs", "rsa_pss_rsae_sha256"], 40),
    ] {
        let said = s_client_to_localhost(&ours, &options).finish().exits(1);
        said.says(&format!("SSL alert number {alert}"));
    }
    let told = "handshake failed: we refused the peer with the alert protocol_version (70): the client speaks only TLS 1.2";
    ours.process.wait_err(told);
    ours.process.wait_err("handshake failed: we refused the peer with the alert handshake_failure (40)");

    let older = s_server("p256", &["-tls1_2"]);
    let said = trusting(&older, &[]).finish().exits(1);
    said.says("handshake failed: the peer refused us with the alert protocol_version (70)");
    let other = gnutls_serv("p256", &["--echo", "--priority", "NORMAL:-GROUP-ALL:+GROUP-SECP521R1"]);
    let said = trusting(&other, &[]).finish().exits(1);
    said.says("handshake failed: the peer refused us with the alert handshake_failure (40)");
    report("no common ground", 6);
}

#[test]
fn other_protocols_are_named() {
    let ours = serving(&["p256"], &[]);
    let mut socket = TcpStream::connect(ours.address()).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, [21, 3, 3, 0, 2, 2, 10], "a fatal alert, unexpected_message");
    ours.process.wait_err("unexpected_message (10): these bytes are a plain HTTP request, not TLS");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut hello = [0; 64];
        socket.read_exact(&mut hello).unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").unwrap();
        let _ = socket.read_to_end(&mut Vec::new());
    });
    let said = tlsclient(&[&address, "--ca", &file("ca.pem")]).finish().exits(1);
    said.says("handshake failed: we refused the peer").says("HTTP");
    server.join().unwrap();
    report("plain HTTP", 2);
}

#[test]
fn wrong_command_lines_start_nothing() {
    let (ca, key, cert) = (file("ca.pem"), file("p256.key"), file("p256.pem"));
    let secret = scratch("faults-secret");
    let fleet = ["--tickets", "1", "--ticket-secret", &secret];
    for (arguments, words) in [
        (&["localhost", "--ca", &ca][..], "the port is missing"),
        #[cfg(not(feature = "native-roots"))]
        (&["localhost:1"], "no --ca FILE"),
        (&["::1:443", "--ca", &ca], "IPv6 addresses stand in brackets"),
        (&["localhost:1", "--ca", &key], "a certificate was expected, but there is a private key"),
        (&["localhost:1", "--ca", "/nonexistent"], "/nonexistent: cannot be read"),
        (&["localhost:1", "--ca", &ca, "--groups", "x25519,x448"], "there is no group \"x448\" here"),
        (&["localhost:1", "--ca", &ca, "--name", "two words"], "neither a DNS name nor an IP address"),
        (&["localhost:1", "--ca", &ca, "--get", "index.html"], "--get wants a path"),
        (&["localhost:1", "--frobnicate"], "unexpected argument"),
        (&["localhost:1", "--early-data", &ca], "--session"),
        (&["localhost:1", "--ca", &ca, "--session", "/nonexistent/sessions"], "/nonexistent/sessions"),
        (&["localhost:1", "--psk", "sensor 17"], "--psk wants ID:HEX: the colon is missing"),
        (&["localhost:1", "--psk", "17:00112"], "the key is not in hexadecimal digits"),
        (&["localhost:1", "--psk", "17:0011"], "a pre-shared key must have 16 to 1,024 bytes"),
    ] {
        Running::start(tlsclient_command(arguments)).finish().exits(2).says(words);
    }
    for (arguments, words) in [
        (&["--cert", &cert][..], "each --cert needs its --key"),
        (&["--cert", &cert, "--key", &ca], "a private key was expected, but there is a certificate"),
        (&["--cert", &cert, "--key", &file("rsa.key")], "does not belong to the leaf certificate"),
        (&["--cert", "/nonexistent", "--key", &key], "/nonexistent: cannot be read"),
        (&["--suites", "TLS_NULL"], "there is no cipher suite \"TLS_NULL\" here"),
        (&["--ca-out", "/dev/full"], "/dev/full: the CA certificate cannot be written: No space left"),
        (&["--timeout", "0"], "invalid value '0'"),
        (&["--tickets", "0"], "invalid value '0'"),
        (&["--early-data", "4096"], "--tickets"),
        (&["--psk-only"], "--psk"),
        (
            &["--tickets", "1", "--ticket-secret", "/nonexistent/secret"],
            "/nonexistent/secret: cannot be made: ",
        ),
        (
            &["--tickets", "1", "--early-data", "1", "--replay", "here"],
            "--replay wants local or redis://HOST:PORT",
        ),
        (&[&fleet[..], &["--early-data", "1"]].concat(), "--early-data with --ticket-secret wants --replay"),
        #[cfg(not(feature = "redis"))]
        (&[&fleet[..], &["--early-data", "1", "--replay", "redis://x"]].concat(), "was built without Redis"),
    ] {
        let said = Running::start(tlsserver_command(arguments)).finish().exits(2).says(words);
        assert!(said.stdout.is_empty(), "it listened");
    }
    let mut logging = tlsclient_command(&["localhost:1", "--ca", &ca]);
    logging.env("SSLKEYLOGFILE", "/nonexistent/log");
    Running::start(logging).finish().exits(2).says("the file that SSLKEYLOGFILE names cannot be opened: ");
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    tlsclient(&[&refused, "--ca", &ca]).finish().exits(1).says("cannot connect to 127.0.0.1, port ");
    report("wrong command lines", 30);
}
