//! Resumption by tickets, both ways: what our side tells of it, and what the peer says.

use std::fs;

use super::certs::{file, scratch};
use super::ours::{Server, serving, tlsserver_command, trusting};
use super::peers::{SUITES, gnutls_cli, gnutls_serv, s_client_to_localhost, s_server};
use super::process::{Finished, Running};
use super::report;

const FIRST: &str = "not resumed (no ticket or pre-shared key was offered)";

/// Sends a line to an echo, waits for it, and ends.
fn ping(client: &mut Running) -> Finished {
    client.send("ping\n").wait_out("ping\n");
    client.finish().exits(0)
}

/// What our server says of a connection that was an echo of one line.
fn told(server: &Server, suite: &str, group: &str, outcome: &str) {
    let line = format!("localhost, {suite}, {group}, {outcome}: 5 bytes echoed, closed by the client");
    server.process.wait_err(&line);
}

#[test]
fn openssl_clients_resume_with_every_suite() {
    let ours = serving(&["p256"], &["--echo", "--tickets", "2"]);
    for suite in &SUITES {
        let session = scratch(&format!("{}-s_client", suite.name));
        let first = ["-nocommands", "-ciphersuites", suite.name, "-sess_out", &session];
        ping(&mut s_client_to_localhost(&ours, &first)).prints("New, TLSv1.3");
        told(&ours, suite.name, "x25519", FIRST);
        let again = ["-nocommands", "-ciphersuites", suite.name, "-sess_in", &session];
        let said = ping(&mut s_client_to_localhost(&ours, &again));
        said.prints(&format!("Reused, TLSv1.3, Cipher is {}", suite.name));
        told(&ours, suite.name, "x25519", "resumed");
    }
    report("s_client resumes", 3);
}

#[test]
fn openssl_servers_resume_our_sessions_with_every_suite() {
    let theirs = s_server("p256", &["-www"]);
    for suite in &SUITES {
        let session = scratch(&format!("{}-s_server", suite.name));
        let options = ["--get", "/", "--suites", suite.name, "--session", &session];
        let said = trusting(&theirs, &options).finish().exits(0).says(FIRST);
        said.prints(&format!("New, TLSv1.3, Cipher is {}", suite.name));
        let said = trusting(&theirs, &options).finish().exits(0).says("\nresumed\n");
        said.prints(&format!("Reused, TLSv1.3, Cipher is {}", suite.name));
    }
    report("s_server resumes", 3);
}

#[test]
fn gnutls_resumes_both_ways() {
    let ours = serving(&["p256"], &["--echo", "--tickets", "1"]);
    let said = ping(&mut gnutls_cli(&ours, &["--resume", "--waitresumption"]));
    said.prints("*** This is a resumed session");
    ours.process.wait_err(&format!("{FIRST}: 0 bytes echoed"));
    ours.process.wait_err("resumed: 5 bytes echoed");

    let session = scratch("gnutls-serv");
    let theirs = gnutls_serv("p256", &["--echo", "--disable-client-cert"]);
    ping(&mut trusting(&theirs, &["--session", &session])).says(FIRST);
    ping(&mut trusting(&theirs, &["--session", &session])).says("\nresumed\n");
    theirs.process.wait_any(&["*** This is a resumed session"]);
    report("GnuTLS resumes", 2);
}

#[test]
fn resumption_after_a_hello_retry_request() {
    let session = scratch("s_client-retried");
    let ours = serving(&["p256"], &["--echo", "--tickets", "2", "--groups", "x25519"]);
    let groups = ["-nocommands", "-groups", "P-256:X25519"];
    ping(&mut s_client_to_localhost(&ours, &[&groups[..], &["-sess_out", &session]].concat()));
    let again = [&groups[..], &["-sess_in", &session]].concat();
    ping(&mut s_client_to_localhost(&ours, &again)).prints("Reused, TLSv1.3");
    told(&ours, "TLS_AES_128_GCM_SHA256", "x25519 after a HelloRetryRequest", "resumed");

    let session = scratch("s_server-retried");
    let theirs = s_server("p256", &["-www", "-groups", "P-384"]);
    let options = ["--get", "/", "--session", &session];
    trusting(&theirs, &options).finish().exits(0).says(FIRST);
    let said = trusting(&theirs, &options).finish().exits(0).prints("Reused, TLSv1.3");
    said.says("secp384r1 after a HelloRetryRequest, resumed\n").says("\nresumed\n");
    report("resumption after HelloRetryRequest", 2);
}

#[test]
fn a_ticket_of_nobody_here_costs_a_full_handshake() {
    let (session, sent) = (scratch("foreign"), scratch("foreign-s_client"));
    let options = ["--echo", "--tickets", "1"];
    let first = serving(&["p256"], &options);
    ping(&mut trusting(&first, &["--session", &session]));
    ping(&mut s_client_to_localhost(&first, &["-nocommands", "-sess_out", &sent]));
    let other = serving(&["p256"], &options);
    ping(&mut trusting(&other, &["--session", &session]))
        .says("not resumed (the server declined the ticket)");
    other.process.wait_err("not resumed (the server does not know the ticket): 5 bytes echoed");
    ping(&mut s_client_to_localhost(&other, &["-nocommands", "-sess_in", &sent])).prints("New, TLSv1.3");

    // Nor does OpenSSL's server take it.
    let theirs = s_server("p256", &["-www"]);
    ping(&mut trusting(&first, &["--session", &session]));
    let said = trusting(&theirs, &["--get", "/", "--session", &session]).finish().exits(0);
    said.says("not resumed (the server declined the ticket)").prints("New, TLSv1.3");
    report("foreign tickets", 3);
}

#[test]
fn servers_with_one_secret_take_each_others_tickets() {
    let (secret, session) = (scratch("secret"), scratch("fleet"));
    let options = ["--echo", "--tickets", "1", "--ticket-secret", &secret];
    let (one, other) = (serving(&["p256"], &options), serving(&["p256"], &options));
    ping(&mut trusting(&one, &["--session", &session])).says(FIRST);
    ping(&mut trusting(&other, &["--session", &session])).says("\nresumed\n");
    other.process.wait_err(", resumed: 5 bytes echoed");

    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).unwrap();
    let start = |words: &str| {
        let said = Running::start(tlsserver_command(&options)).finish().exits(2).says(words);
        assert!(said.stdout.is_empty(), "it listened");
    };
    start("others may read this ticket secret, and with it all tickets");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&secret, "something else").unwrap();
    start("this is no ticket secret");
    report("a fleet's secret", 3);
}

#[test]
fn session_files_are_looked_after() {
    let theirs = serving(&["p256"], &["--echo", "--tickets", "1"]);
    let session = scratch("exposed");
    fs::copy(file("ca.pem"), &session).unwrap();
    trusting(&theirs, &["--session", &session]).finish().exits(2).says("may be read by others");
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(&session, fs::Permissions::from_mode(0o600)).unwrap();
    ping(&mut trusting(&theirs, &["--session", &session])).says("is damaged; it counts as empty").says(FIRST);
    ping(&mut trusting(&theirs, &["--session", &session])).says("\nresumed\n");
    report("session files", 3);
}
