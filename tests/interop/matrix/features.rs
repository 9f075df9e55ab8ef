//! What every peer is tried with: a feature is a line in the table, and a function for each role of the peer.

use std::fs;

use crate::certs::{KINDS, file, scratch};
use crate::peer::{
    Asked, Choices, Client, ClientTalk, Lacks, PSK_HEX, PSK_IDENTITY, ServerTalk, Service, Wish, lacking,
};
use crate::talk::{our_server, wanting_clients, with_client, with_server, words};

/// Something that both sides do together. The functions give how many cases passed, and panic with the reason for one that
/// did not.
pub struct Feature {
    pub name: &'static str,
    pub client: fn(&Client) -> usize,
    pub server: fn(&Service) -> usize,
}

/// The names also stand in what peers lack.
pub const FEATURES: [Feature; 12] = [
    Feature { name: "suites x groups x certificates", client: every_choice_c, server: every_choice_s },
    Feature { name: HYBRID, client: hybrid_c, server: hybrid_s },
    Feature { name: "HelloRetryRequest", client: retry_c, server: retry_s },
    Feature { name: "ALPN", client: alpn_c, server: alpn_s },
    Feature { name: "resumption", client: resumption_c, server: resumption_s },
    Feature { name: "0-RTT", client: early_c, server: early_s },
    Feature { name: "KeyUpdate, ours", client: our_key_update_c, server: our_key_update_s },
    Feature { name: "KeyUpdate, theirs", client: their_key_update_c, server: their_key_update_s },
    Feature { name: "client certificates", client: certificates_c, server: certificates_s },
    Feature { name: "external PSK", client: psk_c, server: psk_s },
    Feature { name: "a megabyte", client: bulk_c, server: bulk_s },
    Feature { name: "an 18 KB certificate", client: long_c, server: long_s },
];

pub const HYBRID: &str = "X25519MLKEM768";

pub const SUITES: [&str; 3] =
    ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/// Each alone.
pub const GROUPS: [&[&str]; 4] = [&["X25519MLKEM768"], &["x25519"], &["secp256r1"], &["secp384r1"]];

const EARLY: &str = "early words\n";

fn asked(wish: Wish) -> Asked {
    Asked { kind: "p256", suite: None, groups: &[], wish }
}

/// The combinations that a role is tried with: of what it does not lack.
fn combinations(choices: Choices, lacks: Lacks, mut case: impl FnMut(&Asked)) -> usize {
    let has = |name: &&str| lacking(lacks, name).is_none();
    let kinds: Vec<_> = KINDS.into_iter().filter(has).collect();
    let suites: Vec<_> = SUITES.into_iter().filter(has).collect();
    let groups: Vec<_> = GROUPS.into_iter().filter(|groups| has(&groups[0])).collect();
    let all = kinds.len() * suites.len() * groups.len();
    let each = kinds.len().max(suites.len()).max(groups.len());
    for n in 0..if choices == Choices::All { all } else { each } {
        let (kind, suite, group) = match choices {
            Choices::All => (n / (suites.len() * groups.len()), n / groups.len(), n),
            Choices::Each => (n, n, n),
        };
        case(&Asked {
            kind: kinds[kind % kinds.len()],
            suite: Some(suites[suite % suites.len()]),
            groups: groups[group % groups.len()],
            wish: Wish::Talk,
        });
    }
    if choices == Choices::All { all } else { each }
}

fn every_choice_c(peer: &Client) -> usize {
    combinations(peer.choices, peer.lacks, |asked| {
        let ours = our_server(peer, asked, &[]);
        with_client(peer, asked, &ours);
        ours.process.wait_err(&format!(", {}, {}", asked.suite.unwrap(), asked.groups[0]));
    })
}

/// The scheme that a key of this kind signs with here.
fn scheme(kind: &str) -> &'static str {
    match kind {
        "rsa" => "rsa_pss_rsae_",
        "p256" => "ecdsa_secp256r1_sha256",
        "p384" => "ecdsa_secp384r1_sha384",
        "p521" => "ecdsa_secp521r1_sha512",
        _ => "ed25519",
    }
}

fn every_choice_s(peer: &Service) -> usize {
    let mut server = None;
    let mut kind = "";
    combinations(peer.choices, peer.lacks, |asked| {
        if kind != asked.kind {
            kind = asked.kind;
            server = Some((peer.run)(&Asked { suite: None, groups: &[], ..asked.clone() }));
        }
        let said = with_server(peer, asked, server.as_mut().unwrap(), &[]);
        let said = said.says(&format!("TLS 1.3, {}, {}", asked.suite.unwrap(), asked.groups[0]));
        said.says(&format!(", signed with {}", scheme(asked.kind)));
    })
}

/// A client may send its share only when it is asked for it.
fn hybrid_c(peer: &Client) -> usize {
    let asked = Asked { groups: GROUPS[0], ..asked(Wish::Talk) };
    let ours = our_server(peer, &asked, &[]);
    with_client(peer, &asked, &ours);
    ours.process.wait_err(", X25519MLKEM768");
    1
}

fn hybrid_s(peer: &Service) -> usize {
    let asked = asked(Wish::Talk);
    let mut theirs = (peer.run)(&Asked { groups: GROUPS[0], ..asked.clone() });
    with_server(peer, &asked, &mut theirs, &[]).says(", X25519MLKEM768, signed with");
    1
}

fn retry_c(peer: &Client) -> usize {
    // A client of ours with one group has its share at once; the peer decides by itself here.
    let asked = asked(Wish::Talk);
    let ours = our_server(peer, &asked, &["--groups", "secp384r1"]);
    with_client(peer, &asked, &ours);
    ours.process.wait_err(", secp384r1 after a HelloRetryRequest: ");
    1
}

fn retry_s(peer: &Service) -> usize {
    // It has the second group alone.
    let mut theirs = (peer.run)(&Asked { groups: GROUPS[3], ..asked(Wish::Talk) });
    let said = with_server(peer, &asked(Wish::Talk), &mut theirs, &["--groups", "x25519,secp384r1"]);
    said.says(", secp384r1 after a HelloRetryRequest, signed with");
    1
}

fn alpn_c(peer: &Client) -> usize {
    let asked = asked(Wish::Alpn);
    let ours = our_server(peer, &asked, &["--alpn", "http/1.1"]);
    with_client(peer, &asked, &ours);
    ours.process.wait_err(", ALPN http/1.1: ");
    1
}

fn alpn_s(peer: &Service) -> usize {
    let asked = asked(Wish::Alpn);
    let mut theirs = (peer.run)(&asked);
    with_server(peer, &asked, &mut theirs, &["--alpn", "http/1.1"]).says(", ALPN http/1.1\n");
    1
}

/// With both hashes.
fn resumption_c(peer: &Client) -> usize {
    for suite in &SUITES[..2] {
        let asked = Asked { suite: Some(suite), ..asked(Wish::Resume) };
        let ours = our_server(peer, &asked, &["--tickets", "2"]);
        with_client(peer, &asked, &ours);
        ours.process.wait_err(", not resumed (no ticket or pre-shared key was offered): ");
        ours.process.wait_err(", resumed: ");
    }
    2
}

fn resumption_s(peer: &Service) -> usize {
    for suite in &SUITES[..2] {
        let asked = Asked { suite: Some(suite), ..asked(Wish::Resume) };
        let mut theirs = (peer.run)(&asked);
        let session = scratch(words().trim());
        let options = ["--session", &session];
        with_server(peer, &asked, &mut theirs, &options).says("\nnot resumed (no ticket");
        with_server(peer, &asked, &mut theirs, &options).says("\nresumed\n");
    }
    2
}

/// A file with early data.
fn early_file() -> String {
    let path = scratch(words().trim());
    fs::write(&path, EARLY).unwrap();
    path
}

fn early_c(peer: &Client) -> usize {
    let asked = asked(Wish::Early(early_file()));
    let ours = our_server(peer, &asked, &["--tickets", "2", "--early-data", "4096"]);
    let said = with_client(peer, &asked, &ours);
    ours.process.wait_err(", resumed, early data accepted: ");
    if peer.talks == ClientTalk::Pipe {
        said.prints(EARLY);
    }
    1
}

fn early_s(peer: &Service) -> usize {
    assert_ne!(peer.talks, ServerTalk::Page, "a page needs a request");
    let asked = asked(Wish::Early(String::new()));
    let mut theirs = (peer.run)(&asked);
    let (session, early) = (scratch(words().trim()), early_file());
    with_server(peer, &asked, &mut theirs, &["--session", &session]);
    let options = ["--session", &session, "--early-data", &early];
    let said = with_server(peer, &asked, &mut theirs, &options);
    said.says("early data: 12 bytes sent and accepted\n");
    if peer.talks == ServerTalk::Typed {
        theirs.process.wait_any(&[EARLY]);
    }
    1
}

/// We ask for new keys, and the peer answers.
fn our_key_update_c(peer: &Client) -> usize {
    let asked = asked(Wish::Talk);
    let ours = our_server(peer, &asked, &["--update-keys"]);
    with_client(peer, &asked, &ours);
    ours.process.wait_err(" KeyUpdates received\n");
    if peer.talks == ClientTalk::Get {
        // It answers with what it sends next, which is nothing. But it has read what came under the new keys.
        ours.process.wait_err("; new keys asked for 1 times, ");
        return 1;
    }
    assert!(!ours.process.stderr().contains(" 0 KeyUpdates received"), "{}no answer came", ours.process);
    1
}

fn our_key_update_s(peer: &Service) -> usize {
    let asked = asked(Wish::Talk);
    let mut theirs = (peer.run)(&asked);
    let said = with_server(peer, &asked, &mut theirs, &["--update-keys"]);
    // The second time only after the first answer. A page is all that a server of pages sends.
    let times = if peer.talks == ServerTalk::Page { 1 } else { 2 };
    said.says(&format!("new keys asked for {times} times"));
    1
}

fn their_key_update_c(peer: &Client) -> usize {
    let asked = asked(Wish::Rekey);
    let ours = our_server(peer, &asked, &[]);
    with_client(peer, &asked, &ours);
    ours.process.wait_err("; new keys asked for 0 times, ");
    1
}

/// What the peer says of it is waited for with the data.
fn their_key_update_s(peer: &Service) -> usize {
    let asked = asked(Wish::Rekey);
    with_server(peer, &asked, &mut (peer.run)(&asked), &[]);
    1
}

/// A certificate of every kind.
fn certificates_c(peer: &Client) -> usize {
    let kinds = KINDS.into_iter().filter(|kind| lacking(peer.lacks, kind).is_none());
    let [option, ca] = wanting_clients();
    let mut cases = 0;
    for kind in kinds {
        let asked = Asked { ..asked(Wish::Authenticate(kind)) };
        let ours = our_server(peer, &asked, &[&option, &ca]);
        with_client(peer, &asked, &ours);
        ours.process.wait_err(", client dns:localhost: ");
        cases += 1;
    }
    cases
}

/// A certificate of every kind; and without one it is refused.
fn certificates_s(peer: &Service) -> usize {
    let kinds = KINDS.into_iter().filter(|kind| lacking(peer.lacks, kind).is_none());
    let mut cases = 0;
    let asked = asked(Wish::Authenticate("p256"));
    let mut theirs = (peer.run)(&asked);
    for kind in kinds {
        let (cert, key) = (file(&format!("{kind}.pem")), file(&format!("{kind}.key")));
        with_server(peer, &asked, &mut theirs, &["--cert", &cert, "--key", &key]);
        cases += 1;
    }
    // With an alert, or just an end.
    let nobody = crate::ours::trusting(&theirs, &["--get", "/"]).finish();
    assert!(nobody.stdout.is_empty(), "a client without a certificate was served");
    cases + 1
}

fn psk_c(peer: &Client) -> usize {
    let key = format!("{PSK_IDENTITY}:{PSK_HEX}");
    let asked = asked(Wish::Psk);
    let ours = our_server(peer, &asked, &["--psk-only", "--psk", &key]);
    with_client(peer, &asked, &ours);
    ours.process.wait_err(&format!(", by an external pre-shared key, client psk:{PSK_IDENTITY}: "));
    1
}

fn psk_s(peer: &Service) -> usize {
    // Some choose a suite before the key, whose hash then has to be that of the key.
    let asked = Asked { suite: Some(SUITES[0]), ..asked(Wish::Psk) };
    let mut theirs = (peer.run)(&asked);
    let said = with_server(peer, &asked, &mut theirs, &[]);
    said.says("authenticated by an external pre-shared key");
    1
}

fn bulk_c(peer: &Client) -> usize {
    let asked = asked(Wish::Bulk);
    with_client(peer, &asked, &our_server(peer, &asked, &[]));
    1
}

fn bulk_s(peer: &Service) -> usize {
    let asked = asked(Wish::Bulk);
    with_server(peer, &asked, &mut (peer.run)(&asked), &[]);
    1
}

/// The Certificate message is longer than a record.
fn long_c(peer: &Client) -> usize {
    let asked = Asked { kind: "long", ..asked(Wish::Talk) };
    with_client(peer, &asked, &our_server(peer, &asked, &[]));
    1
}

fn long_s(peer: &Service) -> usize {
    let asked = Asked { kind: "long", ..asked(Wish::Talk) };
    with_server(peer, &asked, &mut (peer.run)(&asked), &[]);
    1
}
