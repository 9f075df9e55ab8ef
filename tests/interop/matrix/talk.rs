//! One connection between us and a peer: data both ways, then a clean end.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::certs::file;
use crate::ours::{Server, serving, tlsclient, tlsserver, trusting};
use crate::peer::{
    Asked, BULK, Client, ClientTalk, PSK_HEX, PSK_IDENTITY, ServerTalk, Service, Wish, lacking,
};
use crate::process::{Finished, Running};

/// Words that were not said before, so that they can be waited for.
pub fn words() -> String {
    static SO_FAR: AtomicUsize = AtomicUsize::new(0);
    format!("word {}\n", SO_FAR.fetch_add(1, Ordering::Relaxed))
}

/// A megabyte in lines that no peer takes for a command.
fn megabyte() -> Vec<u8> {
    let mut state: u32 = 0x9E37_79B9;
    let mut bytes = Vec::with_capacity(BULK + 64);
    while bytes.len() < BULK {
        // xorshift
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes.extend_from_slice(format!("{state:010}").as_bytes());
        if bytes.len() % 64 == 60 {
            bytes.extend_from_slice(b"...\n");
        }
    }
    bytes
}

/// Our server for a client of this kind, with suite and groups as asked.
pub fn our_server(peer: &Client, asked: &Asked, options: &[&str]) -> Server {
    let groups = asked.groups.join(",");
    let mut all = options.to_vec();
    if peer.talks == ClientTalk::Pipe {
        all.push("--echo");
    }
    if let Some(suite) = asked.suite {
        all.extend(["--suites", suite]);
    }
    if !groups.is_empty() {
        all.extend(["--groups", &groups]);
    }
    if asked.wish == Wish::Psk { tlsserver(&all) } else { serving(&[asked.kind], &all) }
}

/// Has the peer's client connect and talk as asked, and end.
pub fn with_client(peer: &Client, asked: &Asked, ours: &Server) -> Finished {
    let mut client = (peer.run)(asked, ours);
    match peer.talks {
        ClientTalk::Pipe if asked.wish == Wish::Bulk => bulk(&mut client),
        ClientTalk::Pipe => {
            client.send_and_expect(&words());
            if asked.wish == Wish::Rekey {
                client.send(peer.rekey.0).wait_any(&[peer.rekey.1]);
            }
            client.send_and_expect(&words());
        }
        ClientTalk::Get => {}
    }
    let finished = client.finish().exits(0);
    let end = match peer.talks {
        _ if lacking(peer.lacks, CLOSE_NOTIFY).is_some() => CUT,
        ClientTalk::Pipe => "echoed, closed by the client",
        ClientTalk::Get => "GET: 200 OK",
    };
    ours.process.wait_err(end);
    finished
}

/// What some programs end without; then we have to say so.
pub const CLOSE_NOTIFY: &str = "close_notify";

const CUT: &str = "the transport ended without close_notify";

/// Sends a megabyte to an echo and has it back.
fn bulk(client: &mut Running) {
    let sent = megabyte();
    client.send(sent.clone());
    assert!(client.wait_for_suffix(&sent), "{client}a megabyte did not come back as it was");
}

/// Has our client connect to the peer's server with these options, talk as asked, and end.
pub fn with_server(peer: &Service, asked: &Asked, theirs: &mut Server, options: &[&str]) -> Finished {
    let groups = asked.groups.join(",");
    let mut all = options.to_vec();
    if let Some(suite) = asked.suite {
        all.extend(["--suites", suite]);
    }
    if !groups.is_empty() && !all.contains(&"--groups") {
        all.extend(["--groups", &groups]);
    }
    if peer.talks == ServerTalk::Page {
        all.extend(["--get", "/"]);
    }
    let mut client = if asked.wish == Wish::Psk {
        let key = format!("{PSK_IDENTITY}:{PSK_HEX}");
        tlsclient(&[&[&*theirs.localhost(), "--psk", &key], &all[..]].concat())
    } else {
        trusting(theirs, &all)
    };
    match peer.talks {
        ServerTalk::Echo if asked.wish == Wish::Bulk => bulk(&mut client),
        ServerTalk::Echo => {
            client.send_and_expect(&words()).send_and_expect(&words());
            if asked.wish == Wish::Rekey {
                theirs.process.wait_any(&[peer.rekey.1]);
            }
        }
        ServerTalk::Typed => typed(peer, asked, theirs, &mut client),
        ServerTalk::Page => {}
    }
    let finished = client.finish();
    let finished = match lacking(peer.lacks, CLOSE_NOTIFY) {
        Some(_) => finished.exits(1).says(CUT),
        None => finished.exits(0),
    };
    assert!(!finished.stdout.is_empty(), "the server sent nothing");
    finished
}

/// Talks to a server that prints what it gets.
fn typed(peer: &Service, asked: &Asked, theirs: &mut Server, client: &mut Running) {
    client.wait_err("connected: ");
    if asked.wish == Wish::Bulk {
        let sent = megabyte();
        client.send(sent.clone());
        assert!(theirs.process.wait_for_suffix(&sent), "the server printed something else than a megabyte");
        theirs.process.send(sent.clone());
        assert!(client.wait_for_suffix(&sent), "{client}the server sent something else than a megabyte");
        return;
    }
    let (ours, answer) = (words(), words());
    client.send(ours.clone());
    theirs.process.wait_out(&ours);
    if asked.wish == Wish::Rekey {
        theirs.process.send(peer.rekey.0).wait_any(&[peer.rekey.1]);
    }
    theirs.process.send(answer.clone());
    client.wait_out(&answer);
    let ours = words();
    client.send(ours.clone());
    theirs.process.wait_out(&ours);
}

/// The arguments for our server's clients to be verified.
pub fn wanting_clients() -> [String; 2] {
    ["--client-ca".into(), file("ca.pem")]
}
