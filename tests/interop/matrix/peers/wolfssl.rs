//! wolfSSL, by the client and the server of its examples.

use std::process::Command;

use super::gnutls::on_a_free_port;
use super::{first_line, version};
use crate::certs::file;
use crate::ours::{Server, command, installed};
use crate::peer::{
    Asked, Choices, Client, ClientTalk, NOT_TYPED, Peer, Role, Runs, ServerTalk, Service, Wish,
};
use crate::process::Running;

pub const CRATE: Peer = Peer {
    name: "wolfssl",
    title: "wolfSSL",
    from: "crate `wolfssl-sys`",
    runs: Runs::Full,
    version: || version(&first_line(&mut at_home(command(installed(CLIENT), &["-?"])))),
    client: Role::Has(Client {
        run: client,
        talks: ClientTalk::Get,
        lacks: &[
            ("p521", "not in this build"),
            ("external PSK", "its programs know one key, which is not ours"),
            ("a megabyte", "its client reads the first of what comes"),
            ("an 18 KB certificate", "as built, it takes no handshake message that is so long"),
        ],
        rekey: NOT_TYPED,
        choices: Choices::Each,
    }),
    server: Role::Has(Service {
        run: server,
        talks: ServerTalk::Page,
        lacks: &[
            ("p521", "not in this build"),
            ("HelloRetryRequest", "its server has no option for groups"),
            ("0-RTT", "its server does not wait for a request in it"),
            ("external PSK", "its programs know one key, which is not ours"),
            ("a megabyte", "its server answers with a short page"),
        ],
        rekey: NOT_TYPED,
        choices: Choices::Each,
    }),
};

const CLIENT: &str = "wolfssl/examples/client/client";
const SERVER: &str = "wolfssl/examples/server/server";

fn client(asked: &Asked, server: &Server) -> Running {
    let (port, ca) = (server.port.to_string(), file("ca.pem"));
    let mut all = vec!["-h", "localhost", "-p", &port, "-v", "4", "-A", &ca, "-S", "localhost", "-m", "-g"];
    if let [group] = asked.groups {
        match *group {
            "X25519MLKEM768" => all.extend(["--pqc", "X25519MLKEM768"]),
            "x25519" => all.push("-t"),
            _ => all.push("-Y"),
        }
    }
    let pair;
    match &asked.wish {
        Wish::Authenticate(kind) => {
            pair = [file(&format!("{kind}.pem")), file(&format!("{kind}.key"))];
            all.extend(["-c", &pair[0], "-k", &pair[1]]);
        }
        Wish::Resume => all.extend(["-r", "-x"]),
        Wish::Early(_) => all.extend(["-r", "-0", "-x"]),
        Wish::Rekey => all.extend(["-I", "-x"]),
        Wish::Alpn => all.extend(["-L", "C:h2,http/1.1", "-x"]),
        _ => all.push("-x"),
    }
    Running::start(at_home(command(installed(CLIENT), &all)))
}

/// The programs look for some of their own files there.
fn at_home(mut program: Command) -> Command {
    program.current_dir(installed("wolfssl"));
    program
}

fn server(asked: &Asked) -> Server {
    let (cert, key) = (file(&format!("{}.pem", asked.kind)), file(&format!("{}.key", asked.kind)));
    let (ca, program) = (file("ca.pem"), installed(SERVER));
    // Its stdout is a pipe, which it would fill before it writes.
    let mut all =
        vec!["-oL", program.to_str().unwrap(), "-v", "4", "-c", &cert, "-k", &key, "-g", "-i", "-x", "-b"];
    match &asked.wish {
        Wish::Authenticate(_) => all.extend(["-A", &ca, "-F"]),
        Wish::Rekey => all.extend(["-U", "-d"]),
        Wish::Alpn => all.extend(["-L", "C:h2,http/1.1", "-d"]),
        _ => all.push("-d"),
    }
    on_a_free_port("listening on port PORT", |port| {
        Running::start(at_home(command("stdbuf", &[&all[..], &["-p", port]].concat())))
    })
}
