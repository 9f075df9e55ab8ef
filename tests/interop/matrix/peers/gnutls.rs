//! GnuTLS, by `gnutls-cli` and `gnutls-serv`.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Instant;

use super::{first_line, version};
use crate::certs::{file, scratch};
use crate::ours::{Server, command, installed};
use crate::peer::{
    Asked, Choices, Client, ClientTalk, Lacks, NOT_TYPED, PSK_HEX, PSK_IDENTITY, Peer, Role, Runs,
    ServerTalk, Service, Wish,
};
use crate::process::{DEADLINE, Running};
use crate::talk::words;

pub const DEBIAN: Peer = Peer {
    name: "gnutls",
    title: "GnuTLS",
    from: "Debian `gnutls-bin`",
    runs: Runs::Always,
    version: || version(&first_line(Command::new("gnutls-cli").arg("--version"))),
    client: Role::Has(Client {
        run: |asked, server| client("gnutls-cli".into(), asked, server),
        talks: ClientTalk::Pipe,
        lacks: NO_HYBRID,
        rekey: ("^rekey^\n", "Rekey was completed"),
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| server("gnutls-serv".into(), asked),
        talks: ServerTalk::Echo,
        lacks: SERVER_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

pub const SID: Peer = Peer {
    name: "gnutls3.8",
    title: "GnuTLS",
    from: "Debian sid `gnutls-bin`",
    runs: Runs::Full,
    version: || version(&first_line(Command::new(installed("sid/bin/gnutls-cli")).arg("--version"))),
    client: Role::Has(Client {
        run: |asked, server| client(installed("sid/bin/gnutls-cli"), asked, server),
        talks: ClientTalk::Pipe,
        lacks: &[("X25519MLKEM768", "not in Debian's build")],
        rekey: ("^rekey^\n", "Rekey was completed"),
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| server(installed("sid/bin/gnutls-serv"), asked),
        talks: ServerTalk::Echo,
        lacks: &[("X25519MLKEM768", "not in Debian's build"), SERVER_LACKS[1]],
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const NO_HYBRID: Lacks = &[("X25519MLKEM768", "not in this version")];

pub const SERVER_LACKS: Lacks =
    &[("X25519MLKEM768", "not in this version"), ("KeyUpdate, theirs", "gnutls-serv sends none by itself")];

/// A program `gnutls-cli` of any version.
pub fn client(program: PathBuf, asked: &Asked, server: &Server) -> Running {
    let (port, ca, priority) = (server.port.to_string(), file("ca.pem"), priority(asked));
    let mut all = vec!["--port", &port, "--priority", &priority];
    all.extend(["--x509cafile", &ca, "--sni-hostname", "localhost", "--verify-hostname", "localhost"]);
    let (pair, early);
    match &asked.wish {
        Wish::Talk => {}
        Wish::Resume => all.extend(["--resume", "--waitresumption"]),
        Wish::Early(path) => {
            early = format!("--earlydata={path}");
            all.extend(["--resume", "--waitresumption", &early]);
        }
        Wish::Rekey => all.push("--inline-commands"),
        Wish::Authenticate(kind) => {
            pair = [file(&format!("{kind}.pem")), file(&format!("{kind}.key"))];
            all.extend(["--x509certfile", &pair[0], "--x509keyfile", &pair[1]]);
        }
        Wish::Psk => all.extend(["--pskusername", PSK_IDENTITY, "--pskkey", PSK_HEX]),
        Wish::Alpn => all.extend(["--alpn", "h2", "--alpn", "http/1.1"]),
        Wish::Bulk => all.extend(["--logfile", "/dev/null"]),
    }
    all.push("127.0.0.1");
    Running::start(command(program, &all))
}

/// A program `gnutls-serv` of any version. It has no way to tell a port that it was free to choose.
pub fn server(program: PathBuf, asked: &Asked) -> Server {
    let (cert, key) = (file(&format!("{}.pem", asked.kind)), file(&format!("{}.key", asked.kind)));
    let (ca, passwords, priority) = (file("ca.pem"), scratch(words().trim()), priority(asked));
    let program = program.to_str().unwrap();
    // Its stdout is a pipe, which it would fill before it writes.
    let mut all = vec!["-oL", program, "--echo", "--quiet", "--priority", &priority];
    if asked.wish == Wish::Psk {
        std::fs::write(&passwords, format!("{PSK_IDENTITY}:{PSK_HEX}\n")).unwrap();
        all.extend(["--pskpasswd", &passwords]);
    } else {
        all.extend(["--x509certfile", &cert, "--x509keyfile", &key]);
    }
    match &asked.wish {
        Wish::Early(_) => all.extend(["--disable-client-cert", "--earlydata", "--maxearlydata", "4096"]),
        Wish::Authenticate(_) => {
            all.extend(["--require-client-cert", "--verify-client-cert", "--x509cafile", &ca]);
        }
        Wish::Alpn => all.extend(["--disable-client-cert", "--alpn", "h2", "--alpn", "http/1.1"]),
        _ => all.push("--disable-client-cert"),
    }
    on_a_free_port("IPv4 0.0.0.0 port PORT...done", |port| {
        Running::start(command("stdbuf", &[&all[..], &["--port", port]].concat()))
    })
}

/// Tries ports that were free a moment ago, until a server says that it is ready.
pub fn on_a_free_port(ready: &str, start: impl Fn(&str) -> Running) -> Server {
    on_a_port_until(start, |process, port| process.comes(&ready.replace("PORT", &port.to_string())))
}

/// The same for a server that says nothing.
pub fn silently_on_a_free_port(start: impl Fn(&str) -> Running) -> Server {
    on_a_port_until(start, listens)
}

/// Whether it accepts connections on this port of 127.0.0.1 before it ends.
fn listens(process: &Running, port: u16) -> bool {
    let until = Instant::now() + DEADLINE;
    while Instant::now() < until && !process.is_silent() {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return true;
        }
        thread::yield_now();
    }
    false
}

fn on_a_port_until(start: impl Fn(&str) -> Running, ready: impl Fn(&Running, u16) -> bool) -> Server {
    for _ in 0..10 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = start(&port.to_string());
        if ready(&process, port) {
            return Server { process, port };
        }
    }
    panic!("ten times there was no server on a free port");
}

/// The priority string for suite, groups and keys.
fn priority(asked: &Asked) -> String {
    let mut priority = String::from("NORMAL:-VERS-ALL:+VERS-TLS1.3");
    if let Some(suite) = asked.suite {
        let suite = match suite {
            "TLS_AES_128_GCM_SHA256" => "AES-128-GCM",
            "TLS_AES_256_GCM_SHA384" => "AES-256-GCM",
            _ => "CHACHA20-POLY1305",
        };
        priority += &format!(":-CIPHER-ALL:+{suite}");
    }
    if !asked.groups.is_empty() {
        priority += ":-GROUP-ALL";
        for group in asked.groups {
            priority += &format!(":+GROUP-{}", group.to_uppercase());
        }
    }
    if asked.wish == Wish::Psk {
        priority += ":-KX-ALL:+ECDHE-PSK";
    }
    priority
}
