//! Node 26, whose OpenSSL has the hybrid group, in what the matrix does not try: which share is enough, and retries.

use super::certs::file;
use super::ours::{Server, command, installed, serving, source, trusting};
use super::process::Running;

/// Node with the matrix's program.
fn node(arguments: &[&str]) -> Running {
    let script = source("peer.js");
    let node = installed("node26/node_modules/node/bin/node");
    Running::start(command(node, &[&[script.as_str()], arguments].concat()))
}

fn server(groups: &str) -> Server {
    let pair = [format!("cert={}", file("p256.pem")), format!("key={}", file("p256.key"))];
    let process = node(&["server", &pair[0], &pair[1], &format!("groups={groups}")]);
    let port = process.number_after("listening on ");
    Server { process, port }
}

fn client(server: &Server, groups: &str) -> Running {
    let port = format!("port={}", server.port);
    node(&["client", &port, &format!("ca={}", file("ca.pem")), &format!("groups={groups}")])
}

/// Our client sends shares of the hybrid and of X25519, both from one key; a server that takes only the hybrid, or
/// only X25519, needs no retry.
#[test]
fn either_share_of_the_first_hello_is_enough_for_node() {
    for (groups, chosen) in [("X25519MLKEM768", "X25519MLKEM768, "), ("x25519", "x25519, ")] {
        let server = server(groups);
        let mut client = trusting(&server, &[]);
        client.send("ping\n").wait_out("ping\n");
        client.finish().exits(0).says(&format!(", {chosen}signed with"));
    }
}

#[test]
fn node_and_we_retry_with_each_other() {
    let ours = serving(&["p256"], &["--echo", "--groups", "x25519mlkem768"]);
    let mut theirs = client(&ours, "secp256r1,X25519MLKEM768");
    theirs.send("ping\n").wait_out("ping\n");
    theirs.finish().exits(0);
    ours.process.wait_err("X25519MLKEM768 after a HelloRetryRequest: 5 bytes echoed");

    let theirs = server("X25519MLKEM768");
    let mut ours = trusting(&theirs, &["--groups", "secp384r1,x25519mlkem768"]);
    ours.send("ping\n").wait_out("ping\n");
    ours.finish().exits(0).says("X25519MLKEM768 after a HelloRetryRequest, signed with");
}
