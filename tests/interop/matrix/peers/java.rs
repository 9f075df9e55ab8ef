//! Java's JSSE.

use std::process::Command;

use super::{first_line, own};
use crate::ours::{Server, installed};
use crate::peer::{
    Asked, Choices, Client, ClientTalk, Lacks, NOT_TYPED, Peer, Role, Runs, ServerTalk, Service,
};

pub const JSSE: Peer = Peer {
    name: "java",
    title: "Java JSSE",
    from: "Debian `openjdk-17`",
    runs: Runs::Always,
    version: || first_line(program().arg("version")),
    client: Role::Has(Client {
        run: |asked, server| own::client(program(), asked, server),
        talks: ClientTalk::Pipe,
        lacks: LACKS,
        rekey: NOT_TYPED,
        choices: Choices::Each,
    }),
    server: Role::Has(Service {
        run: server,
        talks: ServerTalk::Echo,
        lacks: &[
            LACKS[0],
            LACKS[1],
            LACKS[2],
            ("KeyUpdate, theirs", "JSSE 17 fails by itself if one is due when close_notify comes"),
        ],
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const LACKS: Lacks =
    &[("X25519MLKEM768", "not in Java 17"), ("0-RTT", "JSSE has none"), ("external PSK", "JSSE has none")];

fn server(asked: &Asked) -> Server {
    let mut java = Command::new("java");
    java.args(program().get_args());
    own::server(java, asked)
}

fn program() -> Command {
    let mut java = Command::new("java");
    // It starts faster so, and runs for a moment only.
    java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"]).arg(installed("java")).arg("Peer");
    java
}
