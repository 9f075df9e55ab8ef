//! curl: Debian's, over OpenSSL, and that of `curl_cffi`, over BoringSSL and with Chrome's handshake.

use std::path::PathBuf;
use std::process::Command;

use super::{first_line, version};
use crate::certs::file;
use crate::ours::{Server, command, installed, source};
use crate::peer::{Asked, Choices, Client, ClientTalk, NOT_TYPED, Peer, Role, Runs, Wish};
use crate::process::Running;

pub const DEBIAN: Peer = Peer {
    name: "curl",
    title: "curl",
    from: "Debian `curl`",
    runs: Runs::Always,
    version: || {
        let line = first_line(Command::new("curl").arg("--version"));
        let inside = line.split(' ').find(|word| word.starts_with("OpenSSL/")).unwrap_or("another library");
        format!("{} ({})", version(&line), inside.replace('/', " "))
    },
    client: Role::Has(Client {
        run: |asked, server| client("curl".into(), asked, server),
        talks: ClientTalk::Get,
        lacks: &[
            ("X25519MLKEM768", "OpenSSL 3.0 is inside it"),
            ("resumption", "its sessions end with the process, and it connects once"),
            ("0-RTT", "not in this version"),
            ("KeyUpdate, theirs", "curl has no option for it"),
            ("external PSK", "curl has no option for it"),
        ],
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::None("curl is a client"),
};

/// A program `curl` of any version.
pub fn client(program: PathBuf, asked: &Asked, server: &Server) -> Running {
    let (url, ca) = (format!("https://localhost:{}{}", server.port, asked.path()), file("ca.pem"));
    let mut all = vec!["--silent", "--show-error", "--ipv4", "--tlsv1.3", "--cacert", &ca, &url];
    let pair;
    if let Wish::Authenticate(kind) = &asked.wish {
        pair = [file(&format!("{kind}.pem")), file(&format!("{kind}.key"))];
        all.extend(["--cert", &pair[0], "--key", &pair[1]]);
    }
    Running::start(command(program, &all))
}

pub const CHROME: Peer = Peer {
    name: "curl-boringssl",
    title: "curl",
    from: "PyPI `curl_cffi`",
    runs: Runs::Always,
    version: || first_line(chrome().arg("version")),
    client: Role::Has(Client {
        run: |asked, server| {
            let mut python = chrome();
            python.arg(format!("https://localhost:{}{}", server.port, asked.path())).arg(file("ca.pem"));
            if let Wish::Authenticate(kind) = &asked.wish {
                python.args([file(&format!("{kind}.pem")), file(&format!("{kind}.key"))]);
            }
            Running::start(python)
        },
        talks: ClientTalk::Get,
        lacks: &[
            ("p521", "Chrome's schemes are without it"),
            ("ed25519", "Chrome's schemes are without it"),
            ("resumption", "its sessions end with the process, and it connects once"),
            ("0-RTT", "not in this build"),
            ("KeyUpdate, theirs", "curl has no option for it"),
            ("external PSK", "curl has no option for it"),
        ],
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::None("curl is a client"),
};

fn chrome() -> Command {
    let mut python = Command::new(installed("venv/bin/python"));
    python.arg(source("peer_curl.py"));
    python
}
