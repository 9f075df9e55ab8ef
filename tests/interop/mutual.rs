//! Who the other side is: client certificates both ways, workloads, pins, revocation lists, stapled responses.

use super::certs::{KINDS, file};
use super::ours::{Server, serving, trusting};
use super::peers::{gnutls_cli, gnutls_serv, s_client_to_localhost, s_server, s_server_with};
use super::process::Running;
use super::report;

fn ping(client: &mut Running) -> &mut Running {
    client.send("ping\n").wait_out("ping\n");
    client
}

/// The files of a certificate and its key.
fn pair(name: &str) -> [String; 2] {
    [file(&format!("{name}.pem")), file(&format!("{name}.key"))]
}

/// Our client, which authenticates with this certificate.
fn as_client(server: &Server, name: &str, arguments: &[&str]) -> Running {
    let [cert, key] = pair(name);
    trusting(server, &[&["--cert", &cert, "--key", &key], arguments].concat())
}

/// Our server, which asks its clients for certificates.
fn asking(arguments: &[&str]) -> Server {
    serving(&["p256"], &[&["--echo", "--client-ca", &file("ca.pem")], arguments].concat())
}

fn s_client_as(server: &Server, name: &str) -> Running {
    let [cert, key] = pair(name);
    s_client_to_localhost(server, &["-cert", &cert, "-key", &key])
}

#[test]
fn our_client_authenticates_to_openssl_and_gnutls() {
    let ca = file("ca.pem");
    for kind in KINDS {
        let theirs = s_server("p256", &["-Verify", "1", "-verify_return_error", "-CAfile", &ca, "-www"]);
        as_client(&theirs, kind, &["--get", "/"]).finish().exits(0);
        theirs.process.wait_err(&format!("depth=0 CN = {kind}"));
        let theirs = gnutls_serv(
            "p256",
            &["--echo", "--require-client-cert", "--verify-client-cert", "--x509cafile", &ca],
        );
        ping(&mut as_client(&theirs, kind, &[])).finish().exits(0);
    }
    report("tlsclient authenticates", 2 * KINDS.len());
}

#[test]
fn clients_of_openssl_and_gnutls_authenticate_to_us() {
    let ours = asking(&[]);
    for kind in KINDS {
        ping(&mut s_client_as(&ours, kind)).finish().exits(0);
        ours.process.wait_err(", client dns:localhost: 5 bytes echoed");
        let [cert, key] = pair(kind);
        ping(&mut gnutls_cli(&ours, &["--x509certfile", &cert, "--x509keyfile", &key])).finish().exits(0);
    }
    report("tlsserver authenticates clients", 2 * KINDS.len());
}

#[test]
fn callers_without_a_certificate_are_refused_let_in_or_counted() {
    let required = asking(&[]);
    s_client_to_localhost(&required, &[]).wait().says("SSL alert number 116");
    required
        .process
        .wait_err("certificate_required (116): the client sent no certificate, and one is required");
    trusting(&required, &[]).finish().exits(1).says("certificate_required (116)");

    let optional = asking(&["--client-auth", "optional"]);
    ping(&mut s_client_to_localhost(&optional, &[])).finish().exits(0);
    optional.process.wait_err(", anonymous (number 1): 5 bytes echoed");
    let migrating = asking(&["--client-auth", "migrate"]);
    ping(&mut s_client_to_localhost(&migrating, &[])).finish().exits(0);
    ping(&mut trusting(&migrating, &[])).finish().exits(0);
    migrating.process.wait_err(", anonymous (number 2): 5 bytes echoed");
    ping(&mut s_client_as(&migrating, "ed25519")).finish().exits(0);
    migrating.process.wait_err(", client dns:localhost: 5 bytes echoed");
    report("anonymous callers", 6);
}

#[test]
fn a_client_chooses_by_authority_and_scheme() {
    let [other, other_key] = pair("wrong-ca");
    let ours = asking(&[]);
    let both = ["--cert", &other, "--key", &other_key];
    let [cert, key] = pair("p384");
    let client = &mut trusting(&ours, &[&both[..], &["--cert", &cert, "--key", &key]].concat());
    ping(client).finish().exits(0);
    // The one that no named authority issued is not even sent.
    trusting(&ours, &both).finish().exits(1).says("certificate_required (116)");

    let ca = file("ca.pem");
    let options = ["-Verify", "1", "-CAfile", &ca, "-client_sigalgs", "ed25519", "-www"];
    let theirs = s_server("p256", &options);
    let [ed25519, ed25519_key] = pair("ed25519");
    let two = ["--cert", &cert, "--key", &key, "--cert", &ed25519, "--key", &ed25519_key, "--get", "/"];
    trusting(&theirs, &two).finish().exits(0);
    theirs.process.wait_err("depth=0 CN = ed25519");
    report("choice of client credentials", 3);
}

#[test]
fn a_caller_of_another_authority_is_refused_with_the_reason() {
    let ours = asking(&[]);
    s_client_as(&ours, "stranger").wait().says("SSL alert number 48");
    ours.process.wait_err("unknown_ca (48): ");
    s_client_as(&ours, "expired").wait().says("SSL alert number 45");
    ours.process.wait_err("certificate_expired (45): ");
    report("callers of other authorities", 2);
}

#[test]
fn a_workload_is_known_by_its_spiffe_id() {
    let theirs = s_server("workload", &["-www"]);
    let said = trusting(&theirs, &["--get", "/", "--spiffe", "spiffe://interop.test/api"]).finish().exits(0);
    said.says("verified: spiffe://interop.test/api");
    let said = trusting(&theirs, &["--get", "/", "--spiffe", "spiffe://interop.test/db"]).finish().exits(1);
    said.says("spiffe://interop.test/db").says("spiffe://interop.test/api");
    let ours = asking(&[]);
    ping(&mut s_client_as(&ours, "workload")).finish().exits(0);
    ours.process.wait_err(", client spiffe://interop.test/api: 5 bytes echoed");
    report("workloads", 3);
}

#[test]
fn a_pin_is_kept_or_the_connection_is_not() {
    let theirs = s_server("p256", &["-www"]);
    let wrong = format!("spki:{}", "0".repeat(64));
    let said = trusting(&theirs, &["--get", "/", "--pin", &wrong]).finish().exits(1);
    let told = said.stderr.split("it has ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    assert!(told.starts_with("cert:"), "{told}");
    trusting(&theirs, &["--get", "/", "--pin", &told]).finish().exits(0);
    let report_only = ["--get", "/", "--pin", &wrong, "--pin-report-only"];
    trusting(&theirs, &report_only).finish().exits(0).says("none of its certificates is pinned");
    report("pins", 3);
}

#[test]
fn revoked_certificates_are_refused_by_list_and_by_staple() {
    let crl = file("crl.pem");
    let ours = asking(&["--crl", &crl]);
    ping(&mut s_client_as(&ours, "p384")).finish().exits(0);
    s_client_as(&ours, "revoked").wait().says("SSL alert number 44");
    ours.process.wait_err("certificate_revoked (44): ");

    for (name, status) in [("p256", 0), ("revoked", 1)] {
        let [cert, key] = pair(name);
        let response = file(&format!("{name}.ocsp"));
        let files = ["-cert", &cert, "-key", &key, "-status_file", &response, "-www"];
        let said = trusting(&s_server_with(&files), &["--get", "/"]).finish().exits(status);
        if status == 1 {
            said.says("certificate_revoked (44)");
        }
        let said =
            trusting(&s_server(name, &["-www"]), &["--get", "/", "--crl", &crl]).finish().exits(status);
        if status == 1 {
            said.says("certificate_revoked (44)");
        }
    }
    report("revocation", 6);
}

#[test]
fn our_server_staples_what_it_was_given() {
    let response = file("p256.ocsp");
    let ours = serving(&["p256"], &["--echo", "--ocsp", &response]);
    ping(&mut s_client_to_localhost(&ours, &["-status"])).finish().exits(0).prints("Cert Status: good");
    ping(&mut trusting(&ours, &[])).finish().exits(0);

    // A certificate that demands a staple is nothing without one.
    let [cert, key] = pair("stapled");
    let said = trusting(&s_server_with(&["-cert", &cert, "-key", &key, "-www"]), &["--get", "/"]).finish();
    said.exits(1).says("bad_certificate_status_response (113)");
    let response = file("stapled.ocsp");
    let stapling = s_server_with(&["-cert", &cert, "-key", &key, "-status_file", &response, "-www"]);
    trusting(&stapling, &["--get", "/"]).finish().exits(0);
    report("staples", 4);
}
