//! What goes beyond one plain handshake: retries, new keys, bulk, protocols, names, client certificates, key logs.

use std::collections::BTreeMap;
use std::fs;

use super::certs::{file, scratch};
use super::ours::{Server, serving, started, tlsclient_command, tlsserver_command, trusting};
use super::peers::{gnutls_cli, gnutls_cli_for, gnutls_serv, s_client, s_client_to_localhost, s_server};
use super::process::Running;
use super::report;

/// Sends a line to an echo and waits for it.
fn ping(client: &mut Running) -> &mut Running {
    client.send("ping\n").wait_out("ping\n");
    client
}

#[test]
fn hello_retry_request_both_ways() {
    const RETRIED: &str = "after a HelloRetryRequest";
    let ours = serving(&["p256"], &["--echo", "--groups", "x25519"]);
    ping(&mut s_client_to_localhost(&ours, &["-groups", "P-256:X25519"])).finish().exits(0);
    ours.process.wait_err(&format!("x25519 {RETRIED}: 5 bytes echoed"));

    let ours = serving(&["p256"], &["--echo", "--groups", "secp384r1"]);
    let priority = "NORMAL:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP384R1";
    ping(&mut gnutls_cli(&ours, &["--single-key-share", "--priority", priority])).finish().exits(0);
    ours.process.wait_err(&format!("secp384r1 {RETRIED}: 5 bytes echoed"));

    let theirs = s_server("p256", &["-www", "-groups", "P-384"]);
    let said = trusting(&theirs, &["--get", "/"]).finish().exits(0);
    said.says(&format!("secp384r1 {RETRIED}, signed with"));

    let theirs = gnutls_serv("p256", &["--echo", "--priority", "NORMAL:-GROUP-ALL:+GROUP-SECP256R1"]);
    let said = ping(&mut trusting(&theirs, &[])).finish().exits(0);
    said.says(&format!("secp256r1 {RETRIED}, signed with"));
    report("HelloRetryRequest", 4);
}

#[test]
fn key_update_from_every_peer() {
    const SENT: &str = ">>> TLS 1.3, Handshake [length 0005], KeyUpdate\n    18 00 00 01 00";
    const ASKED: &str = ">>> TLS 1.3, Handshake [length 0005], KeyUpdate\n    18 00 00 01 01";
    const ANSWERED: &str = "<<< TLS 1.3, Handshake [length 0005], KeyUpdate\n    18 00 00 01 00";
    let ours = serving(&["p256"], &["--echo"]);
    let mut theirs = s_client_to_localhost(&ours, &["-msg"]);
    ping(&mut theirs).send("k\n").wait_out(SENT).send_and_expect("only theirs\n");
    assert!(!theirs.stdout().contains(ANSWERED), "nobody asked for our KeyUpdate");
    theirs.send("K\n").wait_out(ASKED);
    theirs.send_and_expect("both\n").wait_out(ANSWERED);
    theirs.finish().exits(0);

    let mut theirs = gnutls_cli(&ours, &["--inline-commands"]);
    ping(&mut theirs).send("^rekey^\n").wait_out("Rekey was completed");
    theirs.send_and_expect("both\n");
    theirs.finish().exits(0);

    let mut theirs = s_server("p256", &["-msg"]);
    let mut ours = trusting(&theirs, &[]);
    ours.wait_err("verified");
    ours.send("before\n");
    theirs.process.wait_out("before\n");
    theirs.process.send("K\n").wait_out(ASKED);
    // What follows the KeyUpdate has come, so the KeyUpdate has; it is answered with what is sent next.
    theirs.process.send("new keys\n");
    ours.wait_out("new keys\n");
    ours.send("after\n");
    theirs.process.wait_out("after\n").wait_out(ANSWERED);
    theirs.process.send("k\n").wait_out(SENT).send("newer keys\n");
    ours.wait_out("newer keys\n");
    ours.finish().exits(0);
    report("KeyUpdate", 5);
}

/// A megabyte in lines that no peer takes for a command.
fn megabyte() -> Vec<u8> {
    let mut state: u32 = 0x9E37_79B9;
    let mut bytes = Vec::with_capacity(1 << 20);
    while bytes.len() < 1 << 20 {
        // xorshift
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes.extend_from_slice(format!("{state:010}").as_bytes());
        if bytes.len() % 64 == 60 {
            bytes.extend_from_slice(b"...\n");
        }
    }
    bytes
}

/// Sends a megabyte to an echo and has it back.
fn bulk(mut client: Running) {
    let sent = megabyte();
    client.send(sent.clone());
    let received = client.wait_len(sent.len());
    assert!(received == sent, "{} bytes came back changed", received.len());
    client.finish().exits(0);
}

#[test]
fn a_megabyte_each_way() {
    let quiet = ["-quiet", "-no_ign_eof"];
    let ours = serving(&["p256"], &["--echo"]);
    bulk(s_client_to_localhost(&ours, &quiet));
    bulk(gnutls_cli(&ours, &["--logfile", "/dev/null"]));
    bulk(trusting(&ours, &[]));
    bulk(trusting(&gnutls_serv("p256", &["--echo", "--quiet"]), &[]));

    // OpenSSL's server has no echo: each side sends what the other one has to print.
    let mut theirs = s_server("p256", &[]);
    let mut ours = trusting(&theirs, &[]);
    ours.wait_err("verified");
    let sent = megabyte();
    theirs.process.send(sent.clone());
    assert!(ours.send(sent.clone()).wait_len(sent.len()) == sent);
    let received = theirs.process.wait_for_suffix(&sent);
    assert!(received, "the server has something else");
    ours.finish().exits(0);
    report("a megabyte each way", 5);
}

#[test]
fn application_protocols() {
    let ours = serving(&["p256"], &["--echo", "--alpn", "h2,http/1.1"]);
    let mut theirs = s_client_to_localhost(&ours, &["-alpn", "http/1.1,h2"]);
    ping(&mut theirs).finish().exits(0).prints("ALPN protocol: h2");
    let mut theirs = gnutls_cli(&ours, &["--alpn", "http/1.1"]);
    ping(&mut theirs).finish().exits(0).prints("Application protocol: http/1.1");
    ping(&mut s_client_to_localhost(&ours, &[])).finish().exits(0).prints("No ALPN negotiated");
    s_client_to_localhost(&ours, &["-alpn", "spdy/3"]).finish().exits(1).says("SSL alert number 120");
    ours.process.wait_err("we refused the peer with the alert no_application_protocol (120)");

    let theirs = s_server("p256", &["-www", "-alpn", "http/1.1,h2"]);
    let said = trusting(&theirs, &["--get", "/", "--alpn", "h2,http/1.1"]).finish();
    said.exits(0).says(", ALPN http/1.1\n");
    let theirs = gnutls_serv("p256", &["--echo", "--alpn", "echo", "--alpn-fatal"]);
    ping(&mut trusting(&theirs, &["--alpn", "h2,echo"])).finish().exits(0).says(", ALPN echo\n");
    let said = trusting(&theirs, &["--alpn", "h2"]).finish().exits(1);
    said.says("the peer refused us with the alert no_application_protocol (120)");
    report("ALPN", 7);
}

#[test]
fn credentials_by_name_and_by_scheme() {
    let ours = serving(&["p256", "other"], &["--echo"]);
    for name in ["localhost", "other.test"] {
        let theirs = &mut s_client(&ours, &["-servername", name, "-verify_hostname", name]);
        ping(theirs).finish().exits(0).prints("Verify return code: 0 (ok)");
        ping(&mut gnutls_cli_for(name, "ca.pem", &ours, &[])).finish().exits(0);
        ping(&mut trusting(&ours, &["--name", name])).finish().exits(0).says(&format!("verified: {name};"));
    }
    // The first one serves those who ask for no name.
    ping(&mut s_client(&ours, &["-noservername", "-verify_hostname", "localhost"])).finish().exits(0);
    ours.process.wait_err(": no server name, ");

    // Of two for the same name, the one whose signature the client knows.
    let ours = serving(&["ed25519", "rsa"], &["--echo"]);
    for (schemes, signature) in [
        ("rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256", "RSA-PSS"),
        ("ed25519:ecdsa_secp256r1_sha256", "ed25519"),
    ] {
        let mut theirs = s_client_to_localhost(&ours, &["-sigalgs", schemes]);
        ping(&mut theirs).finish().exits(0).prints(&format!("Peer signature type: {signature}"));
    }
    report("choice of credentials", 9);
}

#[test]
fn a_client_without_certificate() {
    // Asked for, but not needed.
    for theirs in [s_server("p256", &["-www", "-verify", "1"]), gnutls_serv("p256", &["--http"])] {
        trusting(&theirs, &["--get", "/"]).finish().exits(0);
    }
    let theirs = s_server("p256", &["-Verify", "1"]);
    let said = trusting(&theirs, &["--get", "/"]).finish().exits(1);
    said.says("the peer refused us with the alert certificate_required (116)");
    theirs.process.wait_err("peer did not return a certificate");
    let theirs = gnutls_serv("p256", &["--echo", "--require-client-cert"]);
    let said = trusting(&theirs, &["--get", "/"]).finish().exits(1);
    said.says("the peer refused us with the alert certificate_required (116)");
    report("certificate requests", 4);
}

/// Runs our client with the environment variable set.
fn logging_client(server: &Server, log: &str) {
    let mut command = tlsclient_command(&[&server.localhost(), "--ca", &file("ca.pem")]);
    command.env("SSLKEYLOGFILE", log);
    ping(&mut Running::start(command)).finish().exits(0);
}

#[test]
fn key_logs_have_the_same_five_secrets_on_both_sides() {
    let (server_log, client_log, openssl_log) = (scratch("server"), scratch("client"), scratch("openssl"));
    logging_client(&logging_server(&server_log), &client_log);
    let secrets = secrets(&client_log);
    assert_eq!(
        secrets.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            "CLIENT_TRAFFIC_SECRET_0",
            "EXPORTER_SECRET",
            "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            "SERVER_TRAFFIC_SECRET_0",
        ]
    );
    assert_eq!(secrets, self::secrets(&server_log), "both sides have the same secrets");

    // OpenSSL writes the same lines as we do.
    fs::remove_file(&server_log).unwrap();
    let ours = logging_server(&server_log);
    ping(&mut s_client_to_localhost(&ours, &["-keylogfile", &openssl_log])).finish().exits(0);
    assert_eq!(self::secrets(&openssl_log), self::secrets(&server_log));
    report("key logs", 3);
}

fn logging_server(log: &str) -> Server {
    let mut command = tlsserver_command(&["--echo", "--cert", &file("p256.pem"), "--key", &file("p256.key")]);
    command.env("SSLKEYLOGFILE", log);
    started(command)
}

/// The lines of a key log by their labels, each of the right form: label, client random, secret.
fn secrets(path: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let [label, random, secret] = fields[..] else { panic!("{line}") };
            assert!(random.len() == 64 && matches!(secret.len(), 64 | 96), "{line}");
            assert!(fields[1..].concat().bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
            (label.to_owned(), format!("{random} {secret}"))
        })
        .collect()
}
