//! Every suite with every group with every kind of certificate, OpenSSL and GnuTLS, both ways.

use std::thread;

use super::certs::KINDS;
use super::ours::{Server, serving, trusting};
use super::peers::{
    GROUPS, Group, SUITES, Suite, gnutls_cli, gnutls_priority, gnutls_serv, s_client_to_localhost, s_server,
};
use super::report;

/// Runs `case` for every suite and group, against a server for each kind of certificate.
pub fn for_all(
    name: &str,
    groups: &[Group],
    server: impl Fn(&'static str) -> Server + Sync,
    case: impl Fn(&Server, &'static str, &Suite, &Group) + Sync,
) {
    thread::scope(|scope| {
        for kind in KINDS {
            let (server, case) = (&server, &case);
            scope.spawn(move || {
                let server = server(kind);
                for suite in &SUITES {
                    for group in groups {
                        case(&server, kind, suite, group);
                    }
                }
            });
        }
    });
    report(name, KINDS.len() * SUITES.len() * groups.len());
}

/// The scheme that a key of this kind signs with here.
pub fn scheme(kind: &str) -> &'static str {
    match kind {
        "rsa" => "rsa_pss_rsae_",
        "p256" => "ecdsa_secp256r1_sha256",
        "p384" => "ecdsa_secp384r1_sha384",
        _ => "ed25519",
    }
}

#[test]
fn openssl_clients_reach_our_server() {
    let server = |kind| serving(&[kind], &["--echo"]);
    for_all("s_client to tlsserver", &GROUPS, server, |server, _, suite, group| {
        let options = ["-nocommands", "-ciphersuites", suite.name, "-groups", group.openssl];
        let mut client = s_client_to_localhost(server, &options);
        client.send("ping\n").wait_out("\nping\n");
        let said = client.finish().exits(0);
        let said = said.prints(&format!("New, TLSv1.3, Cipher is {}", suite.name));
        said.prints("Verify return code: 0 (ok)");
        let line = format!("localhost, {}, {}: 5 bytes echoed, closed by the client", suite.name, group.name);
        server.process.wait_err(&line);
    });
}

#[test]
fn gnutls_clients_reach_our_server() {
    let server = |kind| serving(&[kind], &["--echo"]);
    for_all("gnutls-cli to tlsserver", &GROUPS, server, |server, _, suite, group| {
        let mut client = gnutls_cli(server, &["--priority", &gnutls_priority(suite, group)]);
        client.send("ping\n").wait_out("\nping\n");
        client.finish().exits(0).prints(&format!("({})", suite.gnutls));
        let line = format!("localhost, {}, {}: 5 bytes echoed, closed by the client", suite.name, group.name);
        server.process.wait_err(&line);
    });
}

#[test]
fn our_client_reaches_openssl_servers() {
    let server = |kind| s_server(kind, &["-www"]);
    for_all("tlsclient to s_server", &GROUPS, server, |server, kind, suite, group| {
        let options = ["--get", "/", "--suites", suite.name, "--groups", group.name];
        let said = trusting(server, &options).finish().exits(0);
        let said = said.says(&format!("{}, {}, signed with {}", suite.name, group.name, scheme(kind)));
        said.says("verified: localhost").prints(&format!("New, TLSv1.3, Cipher is {}", suite.name));
    });
}

#[test]
fn our_client_reaches_gnutls_servers() {
    let server = |kind| gnutls_serv(kind, &["--echo", "--disable-client-cert"]);
    for_all("tlsclient to gnutls-serv", &GROUPS, server, |server, kind, suite, group| {
        let mut client = trusting(server, &["--suites", suite.name, "--groups", group.name]);
        client.send("ping\n").wait_out("ping\n");
        let said = client.finish().exits(0);
        said.says(&format!("{}, {}, signed with {}", suite.name, group.name, scheme(kind)));
    });
}
