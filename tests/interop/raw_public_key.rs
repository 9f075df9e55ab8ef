//! Raw public keys (RFC 7250), both ways, with GnuTLS; our side runs here, and knows its peer by its key.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, UnixTime};
use symbolon::codepoint::CertificateType;
use symbolon::config::{ClientAuth, ClientConfig, Credential, ServerConfig};
use symbolon::conn::{NotResumed, Summary, Unknowable};
use symbolon::crypto::{Provider, SigningKey, rustcrypto};
use symbolon::identity::{Claim, Identity};
use symbolon::io::blocking::{Stream, tcp_farewell};
use symbolon::policy::Answerer;
use symbolon::question::{Answer, PeerEvidence, Question, VerifyPeer};
use symbolon::{AlertCode, Refusal};

use super::certs::{KINDS, file};
use super::ours::command;
use super::peers::gnutls_serv;
use super::process::{DEADLINE, Running};
use super::report;

const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;
const X509: CertificateType = CertificateType::X509;

/// What GnuTLS accepts and presents: raw keys alone, or both.
const RAW_ALONE: &str = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CTYPE-ALL:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK";
const BOTH: &str = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK";

fn provider() -> Provider {
    rustcrypto::provider()
}

fn key(kind: &str) -> Arc<dyn SigningKey> {
    let der = PrivateKeyDer::from_pem_file(file(&format!("{kind}.key"))).unwrap();
    (provider().load_key)(&der).unwrap()
}

fn raw(kind: &str) -> Arc<Credential> {
    Arc::new(Credential::raw_public_key(key(kind)).unwrap())
}

/// Believes whoever has the one key.
struct Pinned {
    peer: Vec<u8>,
    own: Arc<Credential>,
}

impl Pinned {
    fn judge(&self, question: VerifyPeer) -> Answer {
        let refuse = |alert, why| Refusal::text(alert, why);
        let PeerEvidence::RawPublicKey(key) = question.evidence() else {
            return question.refused(refuse(AlertCode::UNSUPPORTED_CERTIFICATE, "no raw public key"));
        };
        if key.spki != self.peer {
            return question.refused(refuse(AlertCode::BAD_CERTIFICATE, "another key than the one pinned"));
        }
        if provider().verify(key.scheme, &key.spki, &key.signed, &key.signature).is_err() {
            return question.refused(refuse(AlertCode::DECRYPT_ERROR, "the signature is another key's"));
        }
        let claim = Claim::raw_public_key(key.spki.clone(), UnixTime::since_unix_epoch(DEADLINE));
        question.verified(claim)
    }
}

impl Answerer for Pinned {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::VerifyPeer(question) => self.judge(*question),
            Question::ChooseCredential(question) => question.with(Arc::clone(&self.own)),
            Question::Sign(question) => question.with_own_key(&*provider().rng),
            Question::LookupPsk(question) => question.none(NotResumed::Unknown),
            Question::CheckReplay(question) => question.unknown(Unknowable::NoGuard),
            Question::SealTicket(question) => question.none(),
            other => panic!("unexpected question {other:?}"),
        }
    }
}

fn pinned(peer: &str, own: &str) -> Arc<dyn Answerer> {
    Arc::new(Pinned { peer: key(peer).public_key().to_vec(), own: raw(own) })
}

fn is_known_by(summary: &Summary, peer: &str) -> bool {
    let identity = &summary.peer.as_ref().unwrap().identity;
    matches!(identity, Identity::RawPublicKey { spki, .. } if spki == key(peer).public_key())
}

/// The arguments that give GnuTLS a raw key.
fn gnutls_key(kind: &str, priority: &str) -> Vec<String> {
    let (private, public) = (file(&format!("{kind}.key")), file(&format!("{kind}.pub")));
    ["--rawpkkeyfile", &private, "--rawpkfile", &public, "--priority", priority].map(String::from).to_vec()
}

fn strs(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

fn timed(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// Our client asks a GnuTLS server to echo, if the handshake succeeds.
fn ping(port: u16, types: &[CertificateType], answerer: Arc<dyn Answerer>) -> std::io::Result<Summary> {
    let config = ClientConfig::builder(provider())
        .server_certificate_types(types.to_vec())
        .client_certificate_types([RAW])
        .build()
        .unwrap();
    let socket = timed(TcpStream::connect(("127.0.0.1", port)).unwrap());
    let mut stream = Stream::client(&config, "localhost".try_into().unwrap(), answerer, socket)
        .with_farewell(tcp_farewell);
    let summary = stream.handshake()?.clone();
    stream.write_all(b"ping\n")?;
    let mut echoed = [0; 5];
    stream.read_exact(&mut echoed)?;
    assert_eq!(&echoed, b"ping\n");
    stream.close()?;
    Ok(summary)
}

#[test]
fn gnutls_servers_are_known_by_their_raw_key_and_know_ours() {
    for kind in KINDS {
        // It has certificates, too.
        let own = [gnutls_key(kind, BOTH), vec!["--echo".into(), "--require-client-cert".into()]].concat();
        let server = gnutls_serv("p256", &strs(&own));
        for types in [&[RAW][..], &[RAW, X509]] {
            let summary = ping(server.port, types, pinned(kind, "p384")).unwrap();
            assert!(is_known_by(&summary, kind));
            server.process.wait_any(&["Certificate type: Raw Public Key"]);
        }
        // Another key than the one that is pinned.
        ping(server.port, &[RAW], pinned("other", "p384")).unwrap_err();
    }
    report("gnutls-serv with a raw public key", 3 * KINDS.len());
}

/// Serves one connection, as an echo; what became of it.
fn serve_once(
    listener: TcpListener,
    own: &'static str,
    peer: &'static str,
) -> thread::JoinHandle<std::io::Result<Summary>> {
    thread::spawn(move || {
        let config = ServerConfig::builder(provider())
            .credential(raw(own))
            .client_auth(ClientAuth::Required { authorities: Vec::new() })
            .client_certificate_types([RAW])
            .build()
            .unwrap();
        let (socket, _) = listener.accept()?;
        let mut stream =
            Stream::server(&config, pinned(peer, own), timed(socket)).with_farewell(tcp_farewell);
        let summary = stream.handshake()?.clone();
        let mut line = [0; 5];
        stream.read_exact(&mut line)?;
        stream.write_all(&line)?;
        stream.close()?;
        Ok(summary)
    })
}

fn gnutls_cli(port: u16, key: &str, priority: &str) -> Running {
    let port = port.to_string();
    let common = ["--port", &port, "--no-ca-verification"];
    let own = gnutls_key(key, priority);
    Running::start(command("gnutls-cli", &[&common[..], &strs(&own), &["127.0.0.1"]].concat()))
}

#[test]
fn gnutls_clients_are_known_by_their_raw_key_and_know_ours() {
    for kind in KINDS {
        for priority in [RAW_ALONE, BOTH] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let served = serve_once(listener, kind, "p384");
            let mut client = gnutls_cli(port, "p384", priority);
            client.send("ping\n").wait_out("\nping\n");
            let summary = served.join().unwrap().unwrap();
            assert!(is_known_by(&summary, "p384"));
            client.finish().exits(0).prints("Got 1 Raw public-key(s).");
        }
    }
    report("gnutls-cli with a raw public key", 2 * KINDS.len());
}

#[test]
fn a_gnutls_client_that_accepts_certificates_alone_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = serve_once(listener, "p256", "p384");
    gnutls_cli(port, "p384", "NORMAL:-VERS-ALL:+VERS-TLS1.3").finish().exits(1);
    let error = served.join().unwrap().unwrap_err().to_string();
    assert!(error.contains("unsupported_certificate"), "{error}");
    report("gnutls-cli without raw public keys", 1);
}
