//! Chromium and Firefox without a screen. They trust the tests' CA by a database of NSS, so `libnss3-tools` is needed.

use std::fs;
use std::process::Command;

use super::{first_line, version};
use crate::certs::{file, scratch};
use crate::ours::{Server, command};
use crate::peer::{Asked, Choices, Client, ClientTalk, Lacks, NOT_TYPED, Peer, Role, Runs};
use crate::process::Running;
use crate::talk::words;

pub const CHROMIUM: Peer = Peer {
    name: "chromium",
    title: "Chromium",
    from: "Debian `chromium`",
    runs: Runs::Always,
    version: || version(&first_line(Command::new("chromium").arg("--version"))),
    client: Role::Has(Client {
        run: chromium,
        talks: ClientTalk::Get,
        lacks: &[
            ("p521", "not among its schemes"),
            LACKS[0],
            LACKS[1],
            LACKS[2],
            LACKS[3],
            LACKS[4],
            LACKS[5],
        ],
        rekey: NOT_TYPED,
        choices: Choices::Each,
    }),
    server: Role::None("a browser is a client"),
};

pub const FIREFOX: Peer = Peer {
    name: "firefox",
    title: "Firefox",
    from: "Debian `firefox-esr`",
    runs: Runs::Always,
    version: || version(&first_line(Command::new("firefox-esr").arg("--version"))),
    client: Role::Has(Client {
        run: firefox,
        talks: ClientTalk::Get,
        lacks: LACKS,
        rekey: NOT_TYPED,
        choices: Choices::Each,
    }),
    server: Role::None("a browser is a client"),
};

const LACKS: Lacks = &[
    ("ed25519", "not among its schemes"),
    ("resumption", "it gets one page and ends"),
    ("0-RTT", "it gets one page and ends"),
    ("KeyUpdate, theirs", "browsers send none by themselves"),
    ("client certificates", "its user has to choose one"),
    ("external PSK", "browsers have none"),
];

/// A directory with a database that trusts the tests' CA.
fn trusting(dir: &str) {
    fs::create_dir_all(dir).unwrap();
    let (database, ca) = (format!("sql:{dir}"), file("ca.pem"));
    for arguments in [
        &["-N", "-d", &database, "--empty-password"][..],
        &["-A", "-d", &database, "-n", "ca", "-t", "C,,", "-i", &ca],
    ] {
        assert!(command("certutil", arguments).status().unwrap().success(), "certutil {arguments:?}");
    }
}

fn url(asked: &Asked, server: &Server) -> String {
    format!("https://localhost:{}{}", server.port, asked.path())
}

fn chromium(asked: &Asked, server: &Server) -> Running {
    let home = scratch(words().trim());
    trusting(&format!("{home}/.pki/nssdb"));
    let (profile, url) = (format!("--user-data-dir={home}/profile"), url(asked, server));
    let quick =
        ["--disable-gpu", "--disable-extensions", "--disable-background-networking", "--no-first-run"];
    // The sandbox wants a user other than root.
    let all = [&["--headless", "--no-sandbox", &profile][..], &quick, &["--dump-dom", &url]].concat();
    let mut chromium = command("chromium", &all);
    chromium.env("HOME", &home);
    Running::start(chromium)
}

fn firefox(asked: &Asked, server: &Server) -> Running {
    let home = scratch(words().trim());
    trusting(&format!("{home}/profile"));
    let (profile, picture, url) = (format!("{home}/profile"), format!("{home}/page.png"), url(asked, server));
    // Nothing but this page.
    let quiet = "user_pref(\"browser.shell.checkDefaultBrowser\", false);\n\
                 user_pref(\"datareporting.policy.dataSubmissionEnabled\", false);\n\
                 user_pref(\"app.normandy.enabled\", false);\n\
                 user_pref(\"network.captive-portal-service.enabled\", false);\n\
                 user_pref(\"network.connectivity-service.enabled\", false);\n";
    fs::write(format!("{profile}/user.js"), quiet).unwrap();
    let all = ["--headless", "--no-remote", "--profile", &profile, "--screenshot", &picture, &url];
    let mut firefox = command("firefox-esr", &all);
    firefox.env("HOME", &home);
    Running::start(firefox)
}
