//! BoringSSL, by its program `bssl`.

use super::gnutls::silently_on_a_free_port;
use super::openssl::groups;
use crate::certs::{file, scratch};
use crate::ours::{Server, command, installed};
use crate::peer::{
    Asked, Choices, Client, ClientTalk, NOT_TYPED, Peer, Role, Runs, ServerTalk, Service, Wish,
};
use crate::process::Running;
use crate::talk::{CLOSE_NOTIFY, words};

pub const CRATE: Peer = Peer {
    name: "bssl",
    title: "BoringSSL `bssl`",
    from: "crate `boring-sys`",
    runs: Runs::Full,
    version: || {
        installed(PROGRAM);
        // It tells none; that of the crate, which full.sh takes.
        "5.4.0".to_owned()
    },
    client: Role::Has(Client {
        run: client,
        talks: ClientTalk::Pipe,
        lacks: &[
            (CLOSE_NOTIFY, "its program just closes the socket"),
            ("p521", "not among its default signature algorithms"),
            ("ed25519", "not among its default signature algorithms"),
            ("KeyUpdate, theirs", "its program has no option for it"),
            ("external PSK", "its program imports keys by RFC 9258, and takes no others"),
        ],
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: server,
        talks: ServerTalk::Page,
        lacks: &[
            (CLOSE_NOTIFY, "its program just closes the socket"),
            ("0-RTT", "its page comes only after the handshake"),
            ("ALPN", "its server has no option for it"),
            ("KeyUpdate, theirs", "its program has no option for it"),
            ("client certificates", "its server verifies none"),
            ("external PSK", "its program imports keys by RFC 9258, and takes no others"),
            ("a megabyte", "its server answers with a short page"),
        ],
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const PROGRAM: &str = "bssl/bssl";

fn client(asked: &Asked, server: &Server) -> Running {
    let (address, ca, groups) = (server.address(), file("ca.pem"), groups(asked));
    let mut all = vec!["client", "-connect", &address, "-server-name", "localhost", "-root-certs", &ca];
    all.extend(["-min-version", "tls1.3"]);
    if !groups.is_empty() {
        all.extend(["-curves", &groups]);
    }
    let (session, pair, early);
    match &asked.wish {
        Wish::Authenticate(kind) => {
            pair = [file(&format!("{kind}.pem")), file(&format!("{kind}.key"))];
            all.extend(["-cert", &pair[0], "-key", &pair[1]]);
        }
        Wish::Alpn => all.extend(["-alpn-protos", "h2,http/1.1"]),
        Wish::Resume | Wish::Early(_) => {
            session = scratch(words().trim());
            let first = [&all[..], &["-session-out", &session]].concat();
            Running::start(command(installed(PROGRAM), &first)).send_and_expect(&words()).finish().exits(0);
            all.extend(["-session-in", &session]);
            if let Wish::Early(path) = &asked.wish {
                early = format!("@{path}");
                all.extend(["-early-data", &early]);
            }
        }
        _ => {}
    }
    Running::start(command(installed(PROGRAM), &all))
}

fn server(asked: &Asked) -> Server {
    let (cert, key) = (file(&format!("{}.pem", asked.kind)), file(&format!("{}.key", asked.kind)));
    let groups = groups(asked);
    let mut all = vec!["server", "-cert", &cert, "-key", &key, "-loop", "-www", "-min-version", "tls1.3"];
    if !groups.is_empty() {
        all.extend(["-curves", &groups]);
    }
    silently_on_a_free_port(|port| {
        Running::start(command(installed(PROGRAM), &[&all[..], &["-accept", port]].concat()))
    })
}
