//! Python: its own `ssl`, pyOpenSSL over the OpenSSL of `cryptography`, and tlslite-ng, which is TLS in Python.

use std::process::Command;

use super::{first_line, own};
use crate::ours::{installed, source};
use crate::peer::{Choices, Client, ClientTalk, Lacks, NOT_TYPED, Peer, Role, Runs, ServerTalk, Service};

pub const SSL: Peer = Peer {
    name: "python",
    title: "Python `ssl`",
    from: "the system's Python",
    runs: Runs::Always,
    version: || first_line(ssl().arg("version")),
    client: Role::Has(Client {
        run: |asked, server| own::client(ssl(), asked, server),
        talks: ClientTalk::Pipe,
        lacks: SSL_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| own::server(ssl(), asked),
        talks: ServerTalk::Echo,
        lacks: SSL_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const SSL_LACKS: Lacks = &[
    ("X25519MLKEM768", "OpenSSL 3.0 is inside it"),
    ("0-RTT", "the module has no API for it"),
    ("KeyUpdate, theirs", "the module has no API for it"),
    ("external PSK", "the module has it since Python 3.13"),
];

fn ssl() -> Command {
    let mut python = Command::new("python3");
    python.arg(source("peer.py"));
    python
}

pub const PYOPENSSL: Peer = Peer {
    name: "pyopenssl",
    title: "pyOpenSSL",
    from: "PyPI `cryptography`, `pyOpenSSL`",
    runs: Runs::Always,
    version: || first_line(pyopenssl().arg("version")),
    client: Role::Has(Client {
        run: |asked, server| own::client(pyopenssl(), asked, server),
        talks: ClientTalk::Pipe,
        lacks: PYOPENSSL_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| own::server(pyopenssl(), asked),
        talks: ServerTalk::Echo,
        lacks: PYOPENSSL_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const PYOPENSSL_LACKS: Lacks = &[
    ("0-RTT", "pyOpenSSL has no API for it"),
    ("KeyUpdate, theirs", "pyOpenSSL has no API for it"),
    ("external PSK", "pyOpenSSL has no API for it"),
];

fn pyopenssl() -> Command {
    let mut python = Command::new(installed("venv/bin/python"));
    python.arg(source("peer_pyopenssl.py"));
    python
}

pub const TLSLITE: Peer = Peer {
    name: "tlslite",
    title: "tlslite-ng",
    from: "PyPI `tlslite-ng`",
    runs: Runs::Always,
    version: || first_line(tlslite().arg("version")),
    client: Role::Has(Client {
        run: |asked, server| own::client(tlslite(), asked, server),
        talks: ClientTalk::Pipe,
        lacks: TLSLITE_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::Each,
    }),
    server: Role::Has(Service {
        run: |asked| own::server(tlslite(), asked),
        talks: ServerTalk::Echo,
        lacks: TLSLITE_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::Each,
    }),
};

const TLSLITE_LACKS: Lacks =
    &[("0-RTT", "not in this library"), ("a megabyte", "its records take Python too long")];

fn tlslite() -> Command {
    let mut python = Command::new(installed("venv/bin/python"));
    python.arg(source("peer_tlslite.py"));
    python
}
