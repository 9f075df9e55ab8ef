//! Botan, by `botan tls_client` and `botan tls_server`.

use std::process::Command;

use super::gnutls::on_a_free_port;
use super::{first_line, version};
use crate::certs::file;
use crate::ours::{Server, command, installed};
use crate::peer::{
    Asked, Choices, Client, ClientTalk, NOT_TYPED, PSK_HEX, PSK_IDENTITY, Peer, Role, Runs, ServerTalk,
    Service, Wish,
};
use crate::process::Running;

pub const SID: Peer = Peer {
    name: "botan",
    title: "Botan",
    from: "Debian sid `botan`",
    runs: Runs::Full,
    version: || version(&first_line(Command::new(installed(PROGRAM)).arg("version"))),
    client: Role::Has(Client {
        run: client,
        talks: ClientTalk::Pipe,
        lacks: &[
            ("ed25519", "not in its default policy"),
            ("resumption", "its program keeps sessions in SQLite, which Debian's build has not"),
            ("0-RTT", "Botan has none"),
            ("KeyUpdate, ours", OFTEN),
            ("KeyUpdate, theirs", "its program has no option for it"),
        ],
        rekey: NOT_TYPED,
        choices: Choices::Each,
    }),
    server: Role::Has(Service {
        run: server,
        talks: ServerTalk::Echo,
        lacks: &[
            ("ed25519", "not in its default policy"),
            ("HelloRetryRequest", "its program has no option for groups"),
            ("0-RTT", "Botan has none"),
            ("ALPN", "its program has no option for it"),
            ("client certificates", "its program has no option for it"),
            ("KeyUpdate, ours", OFTEN),
            ("KeyUpdate, theirs", "its program has no option for it"),
        ],
        rekey: NOT_TYPED,
        choices: Choices::Each,
    }),
};

const OFTEN: &str = "it answers the first one, and ends the connection at a second one that comes soon";

const PROGRAM: &str = "sid/bin/botan";

fn client(asked: &Asked, server: &Server) -> Running {
    let mut all = vec!["tls_client".to_owned(), "localhost".into(), "--skip-system-cert-store".into()];
    all.extend([
        format!("--port={}", server.port),
        format!("--trusted-cas={}", file("ca.pem")),
        "--tls-version=1.3".into(),
    ]);
    match &asked.wish {
        Wish::Authenticate(kind) => all.extend([
            format!("--client-cert={}", file(&format!("{kind}.pem"))),
            format!("--client-cert-key={}", file(&format!("{kind}.key"))),
        ]),
        Wish::Alpn => all.push("--next-protocols=h2,http/1.1".into()),
        Wish::Psk => all.extend(psk()),
        _ => {}
    }
    Running::start(botan(&all))
}

fn server(asked: &Asked) -> Server {
    let mut all = vec!["tls_server".to_owned(), file(&format!("{}.pem", asked.kind))];
    all.push(file(&format!("{}.key", asked.kind)));
    if asked.wish == Wish::Psk {
        all.extend(psk());
    }
    on_a_free_port("Listening for new connections on tcp port PORT", |port| {
        Running::start(botan(&[&all[..], &[format!("--port={port}")]].concat()))
    })
}

fn psk() -> [String; 2] {
    [format!("--psk={PSK_HEX}"), format!("--psk-identity={PSK_IDENTITY}")]
}

fn botan(arguments: &[String]) -> Command {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    command(installed(PROGRAM), &arguments)
}
