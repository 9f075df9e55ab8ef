//! NSS, by `tstclnt` and `selfserv`, which know their keys by a database.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::gnutls::on_a_free_port;
use crate::certs::{file, scratch};
use crate::ours::{Server, command, installed};
use crate::peer::{
    Asked, Choices, Client, ClientTalk, Lacks, NOT_TYPED, PSK_HEX, PSK_IDENTITY, Peer, Role, Runs,
    ServerTalk, Service, Wish,
};
use crate::process::Running;
use crate::talk::words;

pub const DEBIAN: Peer = Peer {
    name: "nss",
    title: "NSS",
    from: "Debian `libnss3-tools`",
    runs: Runs::Always,
    version: installed_version,
    client: Role::Has(Client {
        run: |asked, server| client("tstclnt".into(), asked, server),
        talks: ClientTalk::Get,
        lacks: CLIENT_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| server("selfserv".into(), asked),
        talks: ServerTalk::Page,
        lacks: SERVER_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

pub const SID: Peer = Peer {
    name: "nss3.132",
    title: "NSS",
    from: "Debian sid `libnss3-tools`",
    runs: Runs::Full,
    version: || {
        let versions = fs::read_to_string(installed("sid/versions")).unwrap();
        upstream(versions.lines().find_map(|line| line.strip_prefix("libnss3-tools ")).unwrap())
    },
    client: Role::Has(Client {
        run: |asked, server| client(installed("sid/bin/tstclnt"), asked, server),
        talks: ClientTalk::Get,
        lacks: &[CLIENT_LACKS[1], CLIENT_LACKS[2], CLIENT_LACKS[3]],
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| server(installed("sid/bin/selfserv"), asked),
        talks: ServerTalk::Page,
        lacks: &[SERVER_LACKS[1], SERVER_LACKS[2], SERVER_LACKS[3], SERVER_LACKS[4]],
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const CLIENT_LACKS: Lacks = &[
    ("X25519MLKEM768", "not in this version"),
    ("ed25519", "NSS knows it in no certificate of TLS"),
    ("ALPN", "tstclnt has no option for it"),
    ("KeyUpdate, theirs", "tstclnt has no option for it"),
];

const SERVER_LACKS: Lacks = &[
    CLIENT_LACKS[0],
    CLIENT_LACKS[1],
    ("KeyUpdate, theirs", "selfserv has no option for it"),
    ("0-RTT", "selfserv refuses it in its first 10 seconds"),
    ("a megabyte", "selfserv answers with a short page"),
];

/// The programs do not tell it.
fn installed_version() -> String {
    let mut dpkg = Command::new("dpkg-query");
    let line = super::first_line(dpkg.args(["-W", "-f", "${Version}", "libnss3-tools"]));
    upstream(&line)
}

/// Of a version in Debian's form.
fn upstream(version: &str) -> String {
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    version.split('-').next().unwrap().to_owned()
}

/// A database with all keys, made once.
fn database() -> String {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let dir = PathBuf::from(file("nss"));
        fs::create_dir_all(&dir).unwrap();
        let database = format!("sql:{}", dir.display());
        run("certutil", &["-N", "-d", &database, "--empty-password"]);
        run("certutil", &["-A", "-d", &database, "-n", "ca", "-t", "CT,,", "-i", &file("ca.pem")]);
        for kind in ["rsa", "p256", "p384", "p521", "long"] {
            let (cert, key) = (file(&format!("{kind}.pem")), file(&format!("{kind}.key")));
            let both = file(&format!("{kind}.p12"));
            let export = ["pkcs12", "-export", "-in", &cert, "-inkey", &key, "-name", kind];
            run("openssl", &[&export[..], &["-passout", "pass:x", "-out", &both]].concat());
            run("pk12util", &["-i", &both, "-d", &database, "-W", "x"]);
        }
        dir
    });
    format!("sql:{}", made.display())
}

fn run(program: &str, arguments: &[&str]) {
    let output = command(program, arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; is it installed?"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What both programs are told.
fn common(asked: &Asked) -> Vec<String> {
    let groups = asked.groups.iter().map(|name| match *name {
        "secp256r1" => "P256",
        "secp384r1" => "P384",
        "X25519MLKEM768" => "x25519mlkem768",
        other => other,
    });
    let groups: Vec<&str> = groups.collect();
    let mut all = ["-d", &database(), "-V", "tls1.3:"].map(String::from).to_vec();
    if !groups.is_empty() {
        all.extend(["-I".into(), groups.join(",")]);
    }
    if asked.wish == Wish::Psk {
        all.extend(["-z".into(), format!("0x{PSK_HEX}:{PSK_IDENTITY}")]);
    }
    all
}

/// A program `tstclnt` of any version.
pub fn client(program: PathBuf, asked: &Asked, server: &Server) -> Running {
    let (port, request) = (server.port.to_string(), scratch(words().trim()));
    fs::write(&request, format!("GET {} HTTP/1.0\r\n\r\n", asked.path())).unwrap();
    let mut all = common(asked);
    all.extend(["-4", "-h", "localhost", "-a", "localhost", "-p", &port, "-A", &request].map(String::from));
    match &asked.wish {
        Wish::Resume => all.extend(["-L".into(), "2".into()]),
        Wish::Early(_) => all.extend(["-L".into(), "2".into(), "-Z".into()]),
        Wish::Authenticate(kind) => all.extend(["-n".into(), (*kind).into()]),
        _ => {}
    }
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    Running::start(command(program, &all))
}

/// A program `selfserv` of any version.
pub fn server(program: PathBuf, asked: &Asked) -> Server {
    let mut all = common(asked);
    all.extend(["-n", asked.kind, "-w", "", "-v", "-u"].map(String::from));
    match &asked.wish {
        Wish::Authenticate(_) => all.push("-rr".into()),
        Wish::Alpn => all.push("-Q".into()),
        // It gives the key to a model of its sockets.
        Wish::Psk => all.push("-m".into()),
        _ => {}
    }
    on_a_free_port("selfserv: About to call accept.", |port| {
        let all: Vec<&str> = all.iter().map(String::as_str).chain(["-p", port]).collect();
        Running::start(command(program.clone(), &all))
    })
}
