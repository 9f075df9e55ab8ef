//! Node 26, whose OpenSSL has the hybrid group: the same matrix, with it in front.

use super::certs::file;
use super::matrix::{for_all, scheme};
use super::ours::{Server, command, serving, trusting};
use super::peers::{GROUPS, Group};
use super::process::Running;

const HYBRID: Group = Group { name: "X25519MLKEM768", openssl: "X25519MLKEM768", gnutls: "" };

fn groups() -> [Group; 4] {
    let [x25519, p256, p384] = GROUPS;
    [HYBRID, x25519, p256, p384]
}

/// Runs a script of this directory by Node 26, which the gate installs beside the build.
fn node(script: &str, arguments: &[&str]) -> Running {
    let this = std::env::current_exe().unwrap();
    let target = this.ancestors().nth(3).unwrap();
    let node = target.join("interop/node26/node_modules/node/bin/node");
    let prefix = target.join("interop/node26");
    assert!(node.exists(), "Node is missing: npm install --prefix {} node@26", prefix.display());
    let script = format!("{}/tests/interop/{script}", env!("CARGO_MANIFEST_DIR"));
    Running::start(command(node, &[&[script.as_str()], arguments].concat()))
}

pub fn server(name: &str, groups: &str) -> Server {
    let process =
        node("node_server.js", &[&file(&format!("{name}.pem")), &file(&format!("{name}.key")), groups]);
    let port = process.number_after("listening on ");
    Server { process, port }
}

pub fn client(server: &Server, group: &str, suite: &str) -> Running {
    node("node_client.js", &[&server.port.to_string(), &file("ca.pem"), group, suite])
}

/// A client that resumes what is in the file `session`, and writes to it.
pub fn resuming_client(server: &Server, suite: &str, session: &str) -> Running {
    let port = server.port.to_string();
    node("node_client.js", &[&port, &file("ca.pem"), "X25519MLKEM768:X25519", suite, session])
}

#[test]
fn node_clients_reach_our_server() {
    let server = |kind| serving(&[kind], &["--echo"]);
    for_all("Node client to tlsserver", &groups(), server, |server, _, suite, group| {
        let mut client = client(server, group.openssl, suite.name);
        client.send("ping\n").wait_out("ping\n");
        client.finish().exits(0).says(&format!("connected {} true", suite.name));
        let line = format!("localhost, {}, {}: 5 bytes echoed, closed by the client", suite.name, group.name);
        server.process.wait_err(&line);
    });
}

#[test]
fn our_client_reaches_node_servers() {
    let server = |kind| server(kind, "X25519MLKEM768:X25519:P-256:P-384");
    for_all("tlsclient to Node server", &groups(), server, |server, kind, suite, group| {
        let options = ["--suites", suite.name, "--groups", group.name, "--alpn", "echo"];
        let mut client = trusting(server, &options);
        client.send("ping\n").wait_out("ping\n");
        let said = client.finish().exits(0);
        let said = said.says(&format!("{}, {}, signed with {}", suite.name, group.name, scheme(kind)));
        said.says(", ALPN echo\n");
        server.process.wait_err(&format!("accepted {} localhost echo", suite.name));
    });
}

/// Our client sends shares of the hybrid and of X25519, both from one key; a server that takes only the hybrid, or
/// only X25519, needs no retry.
#[test]
fn either_share_of_the_first_hello_is_enough_for_node() {
    for (groups, chosen) in [("X25519MLKEM768", "X25519MLKEM768, "), ("X25519", "x25519, ")] {
        let server = server("p256", groups);
        let mut client = trusting(&server, &[]);
        client.send("ping\n").wait_out("ping\n");
        client.finish().exits(0).says(&format!(", {chosen}signed with"));
    }
}

#[test]
fn node_and_we_retry_with_each_other() {
    let ours = serving(&["p256"], &["--echo", "--groups", "x25519mlkem768"]);
    let mut theirs = client(&ours, "P-256:X25519MLKEM768", "TLS_AES_128_GCM_SHA256");
    theirs.send("ping\n").wait_out("ping\n");
    theirs.finish().exits(0);
    ours.process.wait_err("X25519MLKEM768 after a HelloRetryRequest: 5 bytes echoed");

    let theirs = server("p256", "X25519MLKEM768");
    let mut ours = trusting(&theirs, &["--groups", "secp384r1,x25519mlkem768"]);
    ours.send("ping\n").wait_out("ping\n");
    ours.finish().exits(0).says("X25519MLKEM768 after a HelloRetryRequest, signed with");
}
