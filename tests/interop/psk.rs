//! External pre-shared keys, both ways, with and without a key exchange.

use super::ours::{Server, command, serving, tlsclient, tlsserver};
use super::peers::{gnutls_cli, s_client, s_server_with};
use super::process::{Finished, Running};
use super::report;

const HEX: &str = "5a17c0ffee5a17c0ffee5a17c0ffee01";
const KEY: &str = "sensor 17:5a17c0ffee5a17c0ffee5a17c0ffee01";

fn ping(client: &mut Running) -> Finished {
    client.send("ping\n").wait_out("ping\n");
    client.finish().exits(0)
}

/// OpenSSL's client, which has the key and trusts no certificate.
fn s_client_with_key(server: &Server, arguments: &[&str]) -> Running {
    s_client(server, &[&["-nocommands", "-psk_identity", "sensor 17", "-psk", HEX], arguments].concat())
}

/// Our client, which has the key and trusts no certificate.
fn tlsclient_with_key(server: &Server, arguments: &[&str]) -> Running {
    tlsclient(&[&[&*server.localhost(), "--psk", KEY], arguments].concat())
}

#[test]
fn openssl_clients_are_known_by_their_key() {
    const BY_KEY: &str = "by an external pre-shared key, client psk:sensor 17: 5 bytes echoed";
    let ours = tlsserver(&["--echo", "--psk-only", "--psk", KEY]);
    ping(&mut s_client_with_key(&ours, &[])).prints("Reused, TLSv1.3");
    ours.process.wait_err(&format!("TLS_AES_128_GCM_SHA256, x25519, {BY_KEY}"));
    ping(&mut s_client_with_key(&ours, &["-groups", "P-521:X25519"])).prints("Reused, TLSv1.3");
    ours.process.wait_err(&format!("x25519 after a HelloRetryRequest, {BY_KEY}"));

    // OpenSSL does without a key exchange only where no group is in common.
    let ours = tlsserver(&["--echo", "--psk-only", "--psk", KEY, "--psk-ke"]);
    let ke_only = ["-allow_no_dhe_kex", "-groups", "P-521"];
    ping(&mut s_client_with_key(&ours, &ke_only)).prints("Reused, TLSv1.3");
    ours.process.wait_err(&format!("TLS_AES_128_GCM_SHA256, no key exchange, {BY_KEY}"));
    // Which is refused unless it is configured.
    let ours = tlsserver(&["--echo", "--psk-only", "--psk", KEY]);
    s_client_with_key(&ours, &ke_only).finish().exits(1);
    ours.process.wait_err("handshake failed: we refused the peer");
    report("s_client with an external key", 4);
}

#[test]
fn openssl_servers_are_known_by_their_key() {
    const BY_KEY: &str = "authenticated by an external pre-shared key";
    let theirs = |arguments: &[&str]| {
        s_server_with(&[&["-nocert", "-psk_identity", "sensor 17", "-psk", HEX], arguments].concat())
    };
    let server = theirs(&["-www"]);
    let said = tlsclient_with_key(&server, &["--get", "/"]).finish().exits(0).prints("Reused, TLSv1.3");
    let said = said.says(&format!("TLS_AES_128_GCM_SHA256, x25519, {BY_KEY}"));
    said.says("verified: whoever else has the key sensor 17");
    let server = theirs(&["-www", "-groups", "P-384"]);
    let said = tlsclient_with_key(&server, &["--get", "/"]).finish().exits(0).prints("Reused, TLSv1.3");
    said.says(&format!("secp384r1 after a HelloRetryRequest, {BY_KEY}"));

    let server = theirs(&["-www", "-groups", "P-521", "-allow_no_dhe_kex"]);
    let options = ["--get", "/", "--psk-ke"];
    let said = tlsclient_with_key(&server, &options).finish().exits(0).prints("Reused, TLSv1.3");
    said.says(&format!("TLS_AES_128_GCM_SHA256, no key exchange, {BY_KEY}"));
    tlsclient_with_key(&server, &["--get", "/"]).finish().exits(1).says("handshake failed: ");
    report("s_server with an external key", 4);
}

#[test]
fn gnutls_clients_are_known_by_their_key() {
    let ours = tlsserver(&[
        "--echo",
        "--psk-only",
        "--psk",
        "sensor17:5a17c0ffee5a17c0ffee5a17c0ffee01",
        "--psk-ke",
    ]);
    for (exchange, group) in [("+ECDHE-PSK", "x25519"), ("+PSK", "no key exchange")] {
        let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:{exchange}:-GROUP-ALL:+GROUP-X25519");
        let options = ["--pskusername", "sensor17", "--pskkey", HEX, "--priority", &priority];
        ping(&mut gnutls_cli(&ours, &options)).prints("PSK authentication. Connected as 'sensor17'");
        ours.process.wait_err(&format!(
            ", {group}, by an external pre-shared key, client psk:sensor17: 5 bytes echoed"
        ));
    }
    report("gnutls-cli with an external key", 2);
}

#[test]
fn a_wrong_or_unknown_key_is_refused() {
    let ours = tlsserver(&["--echo", "--psk-only", "--psk", KEY]);
    let wrong = ["-psk_identity", "sensor 17", "-psk", "00112233445566778899aabbccddeeff"];
    s_client(&ours, &wrong).finish().exits(1).says("SSL alert number 51");
    ours.process.wait_err("we refused the peer with the alert decrypt_error (51)");
    let unknown = ["-psk_identity", "sensor 18", "-psk", HEX];
    s_client(&ours, &unknown).finish().exits(1).says("SSL alert number 115");
    ours.process.wait_err("we refused the peer with the alert unknown_psk_identity (115)");

    // A server that has a certificate shows it to those whose key it does not know; we trust none.
    let ours = serving(&["p256"], &["--echo", "--psk", "sensor 18:5a17c0ffee5a17c0ffee5a17c0ffee02"]);
    tlsclient_with_key(&ours, &[]).finish().exits(1).says("without --ca its certificate cannot be verified");
    report("wrong external keys", 3);
}

#[test]
fn a_ticket_comes_before_the_key_that_it_was_got_by() {
    let session = super::certs::scratch("after-psk");
    let ours = tlsserver(&["--echo", "--psk-only", "--psk", KEY, "--tickets", "1"]);
    ping(&mut tlsclient_with_key(&ours, &["--session", &session])).says("by an external pre-shared key");
    ping(&mut tlsclient_with_key(&ours, &["--session", &session])).says("\nresumed\n");
    ours.process.wait_err(", resumed, client psk:sensor 17: 5 bytes echoed");
    // OpenSSL's client resumes such a session too.
    let session = super::certs::scratch("after-psk-s_client");
    ping(&mut s_client_with_key(&ours, &["-sess_out", &session]));
    let again = ["s_client", "-connect", &ours.address(), "-nocommands", "-sess_in", &session];
    let said = ping(&mut Running::start(command("openssl", &again)));
    said.prints("Reused, TLSv1.3");
    report("tickets by external keys", 2);
}
