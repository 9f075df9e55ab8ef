//! Node, with the OpenSSL inside it.

use std::path::PathBuf;
use std::process::Command;

use super::{first_line, own, version};
use crate::ours::{installed, source};
use crate::peer::{Choices, Client, ClientTalk, Lacks, NOT_TYPED, Peer, Role, Runs, ServerTalk, Service};

pub const SYSTEM: Peer = Peer {
    name: "node20",
    title: "Node",
    from: "npm `node@20`",
    runs: Runs::Always,
    version: || told("node20"),
    client: Role::Has(Client {
        run: |asked, server| own::client(program("node20"), asked, server),
        talks: ClientTalk::Pipe,
        lacks: OLDER_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| own::server(program("node20"), asked),
        talks: ServerTalk::Echo,
        lacks: OLDER_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

pub const NEWEST: Peer = Peer {
    name: "node26",
    title: "Node",
    from: "npm `node@26`",
    runs: Runs::Always,
    version: || told("node26"),
    client: Role::Has(Client {
        run: |asked, server| own::client(program("node26"), asked, server),
        talks: ClientTalk::Pipe,
        lacks: LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| own::server(program("node26"), asked),
        talks: ServerTalk::Echo,
        lacks: LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const LACKS: Lacks = &[
    ("0-RTT", "Node has no API for it"),
    ("KeyUpdate, theirs", "Node has no API for it"),
    ("external PSK", "Node's callbacks are for TLS 1.2"),
];

const OLDER_LACKS: Lacks = &[LACKS[0], LACKS[1], LACKS[2], ("X25519MLKEM768", "OpenSSL 3.0 is inside it")];

fn node(version: &str) -> PathBuf {
    installed(&format!("{version}/node_modules/node/bin/node"))
}

fn program(version: &str) -> Command {
    let mut node = Command::new(node(version));
    node.arg(source("peer.js"));
    node
}

/// Its own version, and its OpenSSL's.
fn told(version_wanted: &str) -> String {
    let mut node = Command::new(node(version_wanted));
    let words = first_line(node.args(["-p", "process.version + ' ' + process.versions.openssl"]));
    let inside = words.split(' ').nth(1).unwrap_or_default();
    format!("{} (OpenSSL {inside})", version(&words))
}
