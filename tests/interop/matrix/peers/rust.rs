//! Other libraries as Rust packages: rustls, s2n-tls and BoringSSL, by the programs of `tests/interop/peers`.

use std::process::Command;

use super::{first_line, own};
use crate::ours::installed;
use crate::peer::{Choices, Client, ClientTalk, Lacks, NOT_TYPED, Peer, Role, Runs, ServerTalk, Service};

pub const RUSTLS: Peer = Peer {
    name: "rustls",
    title: "rustls",
    from: "crate `rustls`",
    runs: Runs::Always,
    version: || first_line(program("rustls_peer").arg("version")),
    client: Role::Has(Client {
        run: |asked, server| own::client(program("rustls_peer"), asked, server),
        talks: ClientTalk::Pipe,
        lacks: RUSTLS_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| own::server(program("rustls_peer"), asked),
        talks: ServerTalk::Echo,
        lacks: RUSTLS_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const RUSTLS_LACKS: Lacks = &[("external PSK", "not in rustls 0.23")];

pub const S2N: Peer = Peer {
    name: "s2n",
    title: "s2n-tls",
    from: "crate `s2n-tls`",
    runs: Runs::Always,
    version: || first_line(program("s2n_peer").arg("version")),
    client: Role::Has(Client {
        run: |asked, server| own::client(program("s2n_peer"), asked, server),
        talks: ClientTalk::Pipe,
        lacks: S2N_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| own::server(program("s2n_peer"), asked),
        talks: ServerTalk::Echo,
        lacks: &[
            S2N_LACKS[0],
            S2N_LACKS[1],
            ("HelloRetryRequest", "its policies have all groups that we have"),
        ],
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const S2N_LACKS: Lacks = &[("ed25519", "s2n-tls has none"), ("0-RTT", "the crate has no API for it")];

pub const BORINGSSL: Peer = Peer {
    name: "boringssl",
    title: "BoringSSL",
    from: "crate `boring`",
    runs: Runs::Always,
    version: || first_line(program("boring_peer").arg("version")),
    client: Role::Has(Client {
        run: |asked, server| own::client(program("boring_peer"), asked, server),
        talks: ClientTalk::Pipe,
        lacks: BORINGSSL_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
    server: Role::Has(Service {
        run: |asked| own::server(program("boring_peer"), asked),
        talks: ServerTalk::Echo,
        lacks: BORINGSSL_LACKS,
        rekey: NOT_TYPED,
        choices: Choices::All,
    }),
};

const BORINGSSL_LACKS: Lacks =
    &[("external PSK", "BoringSSL has only imported ones, and the crate no API for them")];

fn program(name: &str) -> Command {
    Command::new(installed(&format!("rust/release/{name}")))
}
