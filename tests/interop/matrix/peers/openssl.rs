//! OpenSSL, by `s_client` and `s_server`.

use std::path::PathBuf;
use std::process::Command;

use super::{first_line, version};
use crate::certs::{file, scratch};
use crate::ours::{Server, command, installed};
use crate::peer::{
    Asked, Choices, Client, ClientTalk, Lacks, PSK_HEX, PSK_IDENTITY, Peer, Role, Runs, ServerTalk, Service,
    Wish,
};
use crate::process::Running;
use crate::talk::words;

pub const DEBIAN: Peer = Peer {
    name: "openssl",
    title: "OpenSSL",
    from: "Debian `openssl`",
    runs: Runs::Always,
    version: || version(&first_line(Command::new("openssl").arg("version"))),
    client: Role::Has(Client {
        run: |asked, server| client("openssl".into(), asked, server),
        talks: ClientTalk::Pipe,
        lacks: NO_HYBRID,
        rekey: ("K\n", "KEYUPDATE"),
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| server("openssl".into(), asked),
        talks: ServerTalk::Typed,
        lacks: NO_HYBRID,
        rekey: ("K\n", ">>> TLS 1.3, Handshake [length 0005], KeyUpdate"),
        choices: Choices::All,
    }),
};

/// What is built by `full.sh`, and lacks nothing.
macro_rules! built {
    ($constant:ident, $name:literal, $from:literal, $path:literal) => {
        pub const $constant: Peer = Peer {
            name: $name,
            title: "OpenSSL",
            from: $from,
            runs: Runs::Full,
            version: || version(&first_line(Command::new(installed($path)).arg("version"))),
            client: Role::Has(Client {
                run: |asked, server| client(installed($path), asked, server),
                talks: ClientTalk::Pipe,
                lacks: &[],
                rekey: ("K\n", "KEYUPDATE"),
                choices: Choices::All,
            }),
            server: Role::Has(Service {
                run: |asked| server(installed($path), asked),
                talks: ServerTalk::Typed,
                lacks: &[],
                rekey: ("K\n", ">>> TLS 1.3, Handshake [length 0005], KeyUpdate"),
                choices: Choices::All,
            }),
        };
    };
}

built!(FOUR, "openssl4", "crate `openssl-src`", "openssl4/apps/openssl");
built!(SID, "openssl3.6", "Debian sid `openssl`", "sid/bin/openssl");

const NO_HYBRID: Lacks = &[("X25519MLKEM768", "ML-KEM came with OpenSSL 3.5")];

/// A program `openssl` of any version as a client.
pub fn client(program: PathBuf, asked: &Asked, server: &Server) -> Running {
    let (address, ca, groups) = (server.address(), file("ca.pem"), groups(asked));
    let mut all = vec!["s_client", "-connect", &address, "-CAfile", &ca, "-verify_return_error"];
    all.extend(["-servername", "localhost", "-verify_hostname", "localhost"]);
    if let Some(suite) = asked.suite {
        all.extend(["-ciphersuites", suite]);
    }
    if !groups.is_empty() {
        all.extend(["-groups", &groups]);
    }
    let session = scratch(words().trim());
    let pair;
    match &asked.wish {
        Wish::Talk | Wish::Resume => all.push("-nocommands"),
        Wish::Early(path) => all.extend(["-nocommands", "-early_data", path]),
        Wish::Rekey => {}
        Wish::Authenticate(kind) => {
            pair = [file(&format!("{kind}.pem")), file(&format!("{kind}.key"))];
            all.extend(["-nocommands", "-cert", &pair[0], "-key", &pair[1]]);
        }
        Wish::Psk => all.extend(["-nocommands", "-psk_identity", PSK_IDENTITY, "-psk", PSK_HEX]),
        Wish::Alpn => all.extend(["-nocommands", "-alpn", "h2,http/1.1"]),
        Wish::Bulk => all.extend(["-quiet", "-no_ign_eof"]),
    }
    if matches!(asked.wish, Wish::Resume | Wish::Early(_)) {
        let without_early: Vec<&str> = match all.iter().position(|argument| *argument == "-early_data") {
            Some(at) => [&all[..at], &all[at + 2..]].concat(),
            None => all.clone(),
        };
        let first = [&without_early[..], &["-sess_out", &session]].concat();
        Running::start(command(program.clone(), &first)).send_and_expect(&words()).finish().exits(0);
        all.extend(["-sess_in", &session]);
    }
    Running::start(command(program, &all))
}

/// A program `openssl` of any version as a server.
pub fn server(program: PathBuf, asked: &Asked) -> Server {
    let (cert, key) = (file(&format!("{}.pem", asked.kind)), file(&format!("{}.key", asked.kind)));
    let (ca, groups) = (file("ca.pem"), groups(asked));
    let mut all = vec!["s_server", "-accept", "127.0.0.1:0"];
    if !groups.is_empty() {
        all.extend(["-groups", &groups]);
    }
    if asked.wish == Wish::Psk {
        all.extend(["-nocert", "-psk_identity", PSK_IDENTITY, "-psk", PSK_HEX]);
    } else {
        all.extend(["-cert", &cert, "-key", &key]);
    }
    match &asked.wish {
        Wish::Early(_) => all.extend(["-early_data", "-max_early_data", "4096"]),
        Wish::Authenticate(_) => all.extend(["-Verify", "1", "-verify_return_error", "-CAfile", &ca]),
        Wish::Alpn => all.extend(["-alpn", "h2,http/1.1"]),
        Wish::Rekey => all.push("-msg"),
        _ => {}
    }
    let process = Running::start(command(program, &all));
    let port = process.number_after("ACCEPT 127.0.0.1:");
    Server { process, port }
}

/// The groups by OpenSSL's names, which BoringSSL shares.
pub fn groups(asked: &Asked) -> String {
    let names = asked.groups.iter().map(|name| match *name {
        "x25519" => "X25519",
        "secp256r1" => "P-256",
        "secp384r1" => "P-384",
        other => other,
    });
    names.collect::<Vec<_>>().join(":")
}
