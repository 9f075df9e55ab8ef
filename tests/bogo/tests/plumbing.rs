//! The shim's own plumbing, with the library as the other end: what the runner takes for granted.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use rustls_pki_types::{PrivateKeyDer, ServerName, UnixTime};
use symbolon::codepoint::CertificateType;
use symbolon::config::{ClientConfig, Credential, ServerConfig};
use symbolon::conn::{NotResumed, Resumed, Unknowable};
use symbolon::crypto::rustcrypto;
use symbolon::identity::Claim;
use symbolon::io::blocking::Stream;
use symbolon::policy::tickets::{TicketRing, Tickets};
use symbolon::policy::{Answerer, Clock, MemorySessions, SessionStore, SystemClock};
use symbolon::question::{Answer, KnownPsk, PeerEvidence, Question};
use symbolon::{AlertCode, Refusal};

const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;
const KEY: &[u8] = include_bytes!("../../../testvectors/keys/p256.pkcs8.der");

/// The key in a file, as the runner hands it over.
fn key_file() -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("p256.pem");
    let body = base64::engine::general_purpose::STANDARD.encode(KEY);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    std::fs::write(&path, pem).unwrap();
    path.to_str().unwrap().to_owned()
}

/// An honest peer of raw public keys, which remembers sessions.
struct Peer {
    ring: TicketRing,
    sessions: MemorySessions,
}

impl Answerer for Peer {
    fn answer(&self, question: Question) -> Answer {
        let (provider, now) = (rustcrypto::provider(), SystemClock.moment());
        match question {
            Question::VerifyPeer(question) => {
                let PeerEvidence::RawPublicKey(shown) = question.evidence() else { panic!("a raw key") };
                provider.verify(shown.scheme, &shown.spki, &shown.signed, &shown.signature).unwrap();
                let expires = UnixTime::since_unix_epoch(Duration::from_secs(1 << 34));
                let claim = Claim::raw_public_key(shown.spki.clone(), expires);
                question.verified(claim)
            }
            Question::Sign(question) => question.with_own_key(&*provider.rng),
            Question::LookupPsk(question) => {
                let offered = question.identities().iter().enumerate();
                let fingerprint = question.config().fingerprint();
                let known = offered.filter_map(|(index, offered)| {
                    let session = self.ring.take(&offered.identity, fingerprint, now).ok()?;
                    Some((index, KnownPsk::Session(session)))
                });
                let known = known.collect();
                question.known(known, now, NotResumed::Unknown)
            }
            Question::SealTicket(question) => {
                let session = question.session(now, 3600, 0);
                match self.ring.issue(session, question.config().fingerprint(), now) {
                    Some(ticket) => question.sealed(ticket, 3600),
                    None => question.none(),
                }
            }
            Question::ChooseCredential(question) => question.none(),
            Question::CheckReplay(question) => question.unknown(Unknowable::NoGuard),
            Question::Configure(question) => {
                question.refused(Refusal::text(AlertCode::INTERNAL_ERROR, "never asked here"))
            }
            other => panic!("{}", other.name()),
        }
    }

    fn sessions(&self) -> Option<&dyn SessionStore> {
        Some(&self.sessions)
    }
}

fn peer() -> Arc<Peer> {
    let ring = TicketRing::random(&rustcrypto::provider()).unwrap();
    Arc::new(Peer { ring, sessions: MemorySessions::new() })
}

fn server_config() -> Arc<ServerConfig> {
    let provider = rustcrypto::provider();
    let key = (provider.load_key)(&PrivateKeyDer::Pkcs8(KEY.into())).unwrap();
    let credential = Credential::raw_public_key(key).unwrap();
    ServerConfig::builder(provider).credential(credential).tickets(1).build().unwrap()
}

fn client_config() -> Arc<ClientConfig> {
    ClientConfig::builder(rustcrypto::provider()).server_certificate_types([RAW]).build().unwrap()
}

/// The runner's end.
struct Runner {
    listener: TcpListener,
    port: String,
}

impl Runner {
    fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        Self { listener, port }
    }

    /// Starts the shim as process 258 of a run, with these flags; `then` is the runner's part.
    fn run(&self, flags: &[&str], then: impl FnOnce()) -> Output {
        let mut shim = Command::new(env!("CARGO_BIN_EXE_bogo-shim"));
        shim.args(["-port", &self.port, "-shim-id", "258"]).args(flags);
        shim.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = shim.spawn().unwrap();
        then();
        child.wait_with_output().unwrap()
    }

    /// The next connection, behind the eight bytes that say whose it is.
    fn accept(&self) -> TcpStream {
        let (mut socket, _) = self.listener.accept().unwrap();
        let mut id = [0; 8];
        socket.read_exact(&mut id).unwrap();
        assert_eq!(id, [2, 1, 0, 0, 0, 0, 0, 0], "little-endian");
        socket
    }

    /// A connection to a shim that is the client.
    fn serve(&self, peer: &Arc<Peer>) -> Stream<TcpStream> {
        let peer: Arc<dyn Answerer> = peer.clone();
        let mut stream = Stream::server(&server_config(), peer, self.accept());
        stream.handshake().unwrap();
        stream
    }

    /// A connection to a shim that is the server.
    fn connect(&self, peer: &Arc<Peer>) -> Stream<TcpStream> {
        let name = ServerName::try_from("test").unwrap();
        let peer: Arc<dyn Answerer> = peer.clone();
        let mut stream = Stream::client(&client_config(), name, peer, self.accept());
        stream.handshake().unwrap();
        stream
    }
}

fn is_echoed(stream: &mut Stream<TcpStream>) {
    stream.write_all(&[0, 1, 0xFF]).unwrap();
    let mut reply = [0; 3];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(reply, [0xFF, 0xFE, 0]);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeded(output: &Output) {
    let stderr = text(&output.stderr);
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
}

/// A client without arguments of its own.
const CLIENT: [&str; 2] = ["-accepted-peer-cert-types", "2"];

/// Flags of a server.
fn server_flags<'a>(key: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["-server", "-new-rpk-credential", "-key-file", key], more].concat()
}

#[test]
fn every_byte_comes_back_inverted() {
    let runner = Runner::new();
    for mode in [&[][..], &["-async"]] {
        let output = runner.run(&[&CLIENT, mode].concat(), || {
            let mut stream = runner.serve(&peer());
            is_echoed(&mut stream);
        });
        succeeded(&output);
    }
}

#[test]
fn later_connections_resume_and_have_flags_of_their_own() {
    let runner = Runner::new();
    let flags = [&CLIENT[..], &["-resume-count", "2", "-on-resume-shim-writes-first"]].concat();
    let output = runner.run(&flags, || {
        let peer = peer();
        for turn in 0..3 {
            let mut stream = runner.serve(&peer);
            let resumed = stream.summary().unwrap().resumed;
            assert_eq!(resumed.is_ok(), turn > 0, "{resumed:?}");
            if turn > 0 {
                let mut hello = [0; 5];
                stream.read_exact(&mut hello).unwrap();
                assert_eq!(&hello, b"hello");
            }
            is_echoed(&mut stream);
        }
    });
    succeeded(&output);
}

#[test]
fn a_server_resumes_with_its_own_tickets() {
    let (runner, key) = (Runner::new(), key_file());
    let output = runner.run(&server_flags(&key, &["-resume-count", "1"]), || {
        let peer = peer();
        for expected in [Err(NotResumed::NotOffered), Ok(Resumed::Session)] {
            let mut stream = runner.connect(&peer);
            assert_eq!(stream.summary().unwrap().resumed, expected);
            is_echoed(&mut stream);
        }
    });
    succeeded(&output);
}

#[test]
fn a_connection_that_does_not_resume_is_a_failure_unless_it_is_expected() {
    let runner = Runner::new();
    for (more, status) in [(&[][..], 1), (&["-expect-session-miss"], 0)] {
        let flags = [&CLIENT[..], &["-resume-count", "1"], more].concat();
        let output = runner.run(&flags, || {
            for _ in 0..2 {
                // A server with other keys for its tickets.
                let mut stream = runner.serve(&peer());
                let _ = stream.write_all(b"x").and_then(|()| stream.read(&mut [0]));
            }
        });
        assert_eq!(output.status.code(), Some(status), "{}", text(&output.stderr));
        assert_eq!(output.stderr.is_empty(), status == 0);
    }
}

#[test]
fn a_bare_end_is_as_good_as_a_close_notify_unless_that_is_checked() {
    let runner = Runner::new();
    for (more, closes, status) in [
        (&[][..], false, 0),
        (&[][..], true, 0),
        (&["-check-close-notify"][..], false, 1),
        (&["-check-close-notify"][..], true, 0),
    ] {
        let output = runner.run(&[&CLIENT, more].concat(), || {
            let mut stream = runner.serve(&peer());
            is_echoed(&mut stream);
            if closes {
                stream.close().unwrap();
                let told = stream.read(&mut [0]);
                // Ours is answered only where it is checked.
                assert_eq!(told.is_ok(), more.contains(&"-check-close-notify"), "{told:?}");
            }
        });
        assert_eq!(output.status.code(), Some(status), "{}", text(&output.stderr));
    }
}

#[test]
fn a_shim_that_shuts_down_says_so_where_it_is_checked() {
    let (runner, key) = (Runner::new(), key_file());
    let output = runner.run(&server_flags(&key, &["-shim-shuts-down", "-check-close-notify"]), || {
        let mut stream = runner.connect(&peer());
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "a close_notify");
        stream.close().unwrap();
    });
    succeeded(&output);
}

#[test]
fn an_error_has_its_name_and_its_alert_arrives() {
    let runner = Runner::new();
    let mut alert = Vec::new();
    let output = runner.run(&CLIENT, || {
        let mut socket = runner.accept();
        socket.write_all(&[22, 3, 3, 0, 4, 99, 0, 0, 0]).unwrap();
        // More that is never read: closing the socket at once would reset it.
        socket.write_all(&[0; 4096]).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        socket.read_to_end(&mut alert).unwrap();
    });
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(":UNEXPECTED_MESSAGE:"), "{}", text(&output.stderr));
    assert!(alert.ends_with(&[21, 3, 3, 0, 2, 2, AlertCode::UNEXPECTED_MESSAGE.0]));
}

#[test]
fn what_is_not_implemented_is_told_by_the_exit_status() {
    let runner = Runner::new();
    for flags in [&["-dtls"][..], &["-on-shim-curves", "29"], &["-curves", "25497"], &["-max-version", "771"]]
    {
        let output = runner.run(flags, || ());
        assert_eq!(output.status.code(), Some(89), "{flags:?}");
    }
    assert_eq!(runner.run(&["-curves", "none"], || ()).status.code(), Some(90));
}

#[test]
fn the_process_cannot_be_split() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_bogo-shim")).arg("-is-handshaker-supported").output().unwrap();
    succeeded(&output);
    assert_eq!(text(&output.stdout), "No\n");
}
