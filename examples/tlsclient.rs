//! A TLS 1.3 client to try servers with: copies stdin to the server and the server to stdout, or gets a page.
//!
//! `cargo run --release --example tlsclient -- localhost:4433 --ca ca.pem --get /`

#[path = "support/cli.rs"]
mod cli;
#[path = "support/devpki.rs"]
mod devpki;
#[path = "support/keys.rs"]
mod keys;
#[path = "support/offering.rs"]
mod offering;
#[path = "support/rekeying.rs"]
#[allow(dead_code)] // the server uses the rest
mod rekeying;
#[path = "support/trusting.rs"]
mod trusting;
#[path = "support/words.rs"]
#[allow(dead_code)] // the server uses the rest
mod words;

use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use clap::Parser;
use cli::{Failure, say};
use offering::{NobodyElse, Offered, Offering};
use rekeying::{Rekeying, Tally};
use rustls_pki_types::ServerName;
use symbolon::config::ClientConfig;
use symbolon::conn::Offer;
use symbolon::crypto::{Provider, rustcrypto};
use symbolon::identity::SpiffeId;
use symbolon::io::Observer;
use symbolon::io::blocking::{ReadHalf, Stream, WriteHalf, tcp_farewell};
use symbolon::pki::{Expected, RevocationNote, Verifier};
use symbolon::policy::{self, Answerer, ClientPolicy, Pin, Pins, SessionStore, Verification};
use symbolon::psk::SessionKey;
use trusting::Trusting;

/// How long connecting, and each step of the handshake, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long one attempt to send holds the writing half, which the reading side may want for an alert.
const ATTEMPT: Duration = Duration::from_millis(250);

/// The writing half, which both threads use, and whether the transfer is over.
struct Writer {
    half: Mutex<WriteHalf<TcpStream>>,
    over: AtomicBool,
}

/// Connects by TLS 1.3, verifies the server, then copies stdin to it and what it sends to stdout, both ways at once.
///
/// The end of stdin closes our side; reading goes on until the server closes its own. The exit status is 0 after a
/// clean close, 1 if TLS, the server or the transport failed, 2 for a wrong command line. With the environment
/// variable SSLKEYLOGFILE, traffic secrets are appended to the file that it names.
#[derive(Parser)]
#[command(name = "tlsclient", version)]
struct Arguments {
    /// The server; IPv6 addresses in brackets: [::1]:443
    #[arg(value_name = "HOST:PORT")]
    server: String,

    /// The CA certificates to trust, PEM or DER [default: the system's, in a build with the feature native-roots]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// The name that is asked for and that the certificate must have [default: HOST]
    #[arg(long)]
    name: Option<String>,

    /// A certificate chain to authenticate with when the server asks, leaf first, PEM or DER; with --key
    ///
    /// Repeat both for several: the first one is taken that the server's authorities and signature schemes suit.
    #[arg(long, value_name = "FILE")]
    cert: Vec<PathBuf>,

    /// The private key for the --cert at the same place, PEM or DER
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,

    /// Wants the server to be this workload, spiffe://TRUST-DOMAIN/PATH, instead of speaking for the name
    #[arg(long, value_name = "ID")]
    spiffe: Option<SpiffeId>,

    /// Wants the server's path to have this key or certificate: spki:HEX or cert:HEX, by SHA-256; repeat it for others
    #[arg(long, value_name = "PIN")]
    pin: Vec<Pin>,

    /// Tells when no --pin fits, and goes on
    #[arg(long, requires = "pin")]
    pin_report_only: bool,

    #[command(flatten)]
    trusting: Trusting,

    /// Gets this path by HTTP/1.0 instead, and prints the whole response
    #[arg(long, value_name = "PATH")]
    get: Option<String>,

    /// Reports a missing close_notify, but does not fail for it
    ///
    /// What was received may then be cut short.
    #[arg(long)]
    allow_truncation: bool,

    #[command(flatten)]
    negotiated: cli::Negotiated,

    #[command(flatten)]
    offering: Offering,

    #[command(flatten)]
    rekeying: Rekeying,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report("tlsclient"),
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (host, port) = split_address(&arguments.server)?;
    let name = arguments.name.as_deref().unwrap_or(host);
    let request = arguments.get.as_deref().map(|path| request(path, name, port)).transpose()?;
    let offered = arguments.offering.prepare()?;
    let key_log = cli::key_log()?;
    let tally = arguments.rekeying.tally(key_log.clone());
    let mut stream = prepare(arguments, name, &offered, key_log.as_ref())?(connect(host, port)?);
    stream = stream.with_observer(Arc::clone(&tally) as Arc<dyn Observer>);

    let failed = |error: io::Error| during("handshake", &error);
    let sent = offered.send_early(&mut stream).map_err(failed)?;
    let summary = stream.handshake().map_err(failed)?;
    let (suite_and_group, alpn) = (words::suite_and_group(summary), words::alpn(summary));
    say(format_args!("connected: TLS 1.3, {suite_and_group}, {}{alpn}", words::authentication(summary)));
    if let Some(peer) = &summary.peer {
        say(format_args!("verified: {}", words::peer(peer)));
    }
    offered.tell(summary, sent);
    let received = match request {
        Some(request) => {
            if let Some(alpn @ b"h2") = summary.alpn.as_deref() {
                let alpn = words::printable(alpn);
                return Err(Failure::connection(format_args!(
                    "the server chose {alpn}; --get speaks HTTP/1.0"
                )));
            }
            tally
                .before_data(|ask| stream.update_keys(ask))
                .map_err(Ended::Peer)
                .and_then(|()| get(&mut stream, &request))
        }
        None => copy_both_ways(stream, &tally),
    };
    offered.tell_trouble();
    if tally.asked() > 0 {
        say(format_args!("new keys asked for {} times", tally.asked()));
    }
    match received {
        Ok(()) => Ok(()),
        Err(Ended::Peer(error)) if arguments.allow_truncation && words::is_truncation(&error) => {
            say(format_args!("truncated, which --allow-truncation permits: {}", words::why(&error)));
            Ok(())
        }
        Err(Ended::Peer(error)) => Err(during("connection", &error)),
        Err(Ended::Local(words)) => Err(Failure::connection(words)),
    }
}

/// What ended the transfer before the server closed.
enum Ended {
    /// The connection.
    Peer(io::Error),
    /// Our own stdin or stdout.
    Local(String),
}

fn during(what: &str, error: &io::Error) -> Failure {
    Failure::connection(format_args!("{what} failed: {}", words::why(error)))
}

/// `HOST:PORT` or `[ADDRESS]:PORT`.
fn split_address(server: &str) -> Result<(&str, u16), Failure> {
    let wrong = |why: &str| Failure::usage(format_args!("{server:?} is not HOST:PORT: {why}"));
    let (host, port) = server.rsplit_once(':').ok_or_else(|| wrong("the port is missing"))?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or_else(|| wrong("the bracket or the port is missing"))?,
        None if host.contains(':') => return Err(wrong("IPv6 addresses stand in brackets, as [::1]:443")),
        None => host,
    };
    if host.is_empty() {
        return Err(wrong("the host is missing"));
    }
    let port = port.parse().map_err(|_| wrong("the port is not a number up to 65535"))?;
    Ok((host, port))
}

/// Everything that can be wrong before a connection is: files, names, settings. Gives what makes a stream of a socket.
fn prepare(
    arguments: &Arguments,
    name: &str,
    offered: &Offered,
    key_log: Option<&Arc<dyn Observer>>,
) -> Result<impl FnOnce(TcpStream) -> Stream<TcpStream> + use<>, Failure> {
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| Failure::usage(format_args!("{name:?} is neither a DNS name nor an IP address")))?;
    let provider = rustcrypto::provider();
    let trust = trust(arguments, &provider, offered)?;

    let negotiated = &arguments.negotiated;
    let mut config = ClientConfig::builder(provider.clone()).alpn(&negotiated.alpn);
    if let Some(suites) = negotiated.suites(&provider)? {
        config = config.suites(&suites);
    }
    if let Some(groups) = negotiated.groups(&provider)? {
        config = config.groups(&groups);
    }
    if key_log.is_some() {
        config = config.reveal_secrets();
    }
    if arguments.offering.psk_ke {
        config = config.psk_ke();
    }
    let config = config.build().map_err(Failure::usage)?;
    let (psks, early_data) = (offered.psks.clone(), offered.wants_early_data());
    Ok(move |socket| {
        // Keys are offered behind a ticket, if there is one.
        let offer = (!psks.is_empty()).then(|| {
            let ticket = trust
                .sessions()
                .and_then(|sessions| sessions.take(&SessionKey::new(&config, server.clone())));
            ticket.map_or_else(Offer::fresh, |ticket| Offer::resume(ticket, trust.moment())).with_psks(psks)
        });
        let mut stream = Stream::client(&config, server, trust, socket).with_farewell(tcp_farewell);
        if let Some(offer) = offer {
            stream = stream.with_offer(offer);
        }
        if early_data {
            stream = stream.with_early_data();
        }
        stream
    })
}

/// Which servers are trusted, what we authenticate with, and where tickets are kept.
fn trust(
    arguments: &Arguments,
    provider: &Provider,
    offered: &Offered,
) -> Result<Arc<dyn Answerer>, Failure> {
    let Arguments { ca, cert, key, trusting, .. } = arguments;
    let verifier = match ca {
        Some(ca) => trusting.verifier(provider, ca)?,
        None if offered.psks.is_empty() => trusting.system_verifier(provider)?,
        None => {
            // An authority that has issued nothing; it is not asked.
            let nobody = devpki::DevPki::new(provider).map_err(Failure::connection)?.root().clone();
            trusting.verifier_over(provider, vec![nobody], "nobody".into())?
        }
    };
    let mut policy = ClientPolicy::verifying(provider.clone(), expecting(arguments, verifier));
    if cert.len() != key.len() {
        let (certs, keys) = (cert.len(), key.len());
        return Err(Failure::usage(format_args!(
            "each --cert needs its --key: there are {certs} and {keys}"
        )));
    }
    for (chain, key) in cert.iter().zip(key) {
        policy =
            policy.credential(policy::credential_from_files(provider, chain, key).map_err(Failure::usage)?);
    }
    let policy = match &offered.sessions {
        Some(sessions) => policy.sessions(Arc::clone(sessions) as Arc<dyn SessionStore>).build(),
        None => policy.without_sessions().build(),
    };
    let verifies = ca.is_some() || offered.psks.is_empty();
    Ok(if verifies { policy } else { Arc::new(NobodyElse(policy)) })
}

/// Whom the server must be, besides what `verifier` wants.
fn expecting(arguments: &Arguments, verifier: Verifier) -> Verification {
    let tell = |note: &RevocationNote| say(format_args!("revocation: {note}"));
    let mut servers = Verification::by(verifier).on_unchecked(tell);
    if let Some(id) = &arguments.spiffe {
        servers = servers.expecting(Expected::Spiffe(id.clone()));
    }
    if !arguments.pin.is_empty() {
        // Whether there is one in reserve is the business of whoever types.
        let pins = Pins::without_backup(arguments.pin.iter().copied());
        let pins = if arguments.pin_report_only { pins.report_only() } else { pins };
        servers = servers.pins(Arc::new(pins.on_broken(|why| say(format_args!("pins: {why}")))));
    }
    servers
}

/// A connection to the first address of the host that answers.
fn connect(host: &str, port: u16) -> Result<TcpStream, Failure> {
    let failed = |error: &dyn Display| {
        Failure::connection(format_args!("cannot connect to {host}, port {port}: {error}"))
    };
    let mut last: io::Error = ErrorKind::AddrNotAvailable.into();
    for address in (host, port).to_socket_addrs().map_err(|error| failed(&error))? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(socket) => {
                socket
                    .set_nodelay(true)
                    .and_then(|()| socket.set_read_timeout(Some(PATIENCE)))
                    .and_then(|()| socket.set_write_timeout(Some(PATIENCE)))
                    .map_err(|error| failed(&error))?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(failed(&last))
}

fn request(path: &str, name: &str, port: u16) -> Result<String, Failure> {
    if !path.starts_with('/') || path.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(Failure::usage(format_args!("--get wants a path such as /index.html, not {path:?}")));
    }
    // RFC 9110 section 7.2: the port stands there unless it is the default one.
    let host = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    Ok(format!("GET {path} HTTP/1.0\r\nHost: {host}{port}\r\n\r\n"))
}

fn get(stream: &mut Stream<TcpStream>, request: &str) -> Result<(), Ended> {
    stream.write_all(request.as_bytes()).and_then(|()| stream.flush()).map_err(Ended::Peer)?;
    print_all(stream)?;
    // The server has closed; whether it still listens is its business.
    let _ = stream.close();
    Ok(())
}

/// Copies what the server sends to stdout until it closes.
fn print_all(from: &mut impl BufRead) -> Result<(), Ended> {
    let mut stdout = io::stdout().lock();
    loop {
        let received = from.fill_buf().map_err(Ended::Peer)?;
        let n = received.len();
        if n == 0 {
            return Ok(());
        }
        stdout
            .write_all(received)
            .and_then(|()| stdout.flush())
            .map_err(|error| Ended::Local(format!("stdout cannot be written: {error}")))?;
        from.consume(n);
    }
}

/// Copies both ways at once until the server closes.
fn copy_both_ways(stream: Stream<TcpStream>, tally: &Arc<Tally>) -> Result<(), Ended> {
    let (mut reader, writer) = stream.split().map_err(Ended::Peer)?;
    let socket = reader.get_ref().try_clone().map_err(Ended::Peer)?;
    socket
        .set_read_timeout(None)
        .and_then(|()| socket.set_write_timeout(Some(ATTEMPT)))
        .map_err(Ended::Peer)?;
    let writer = Arc::new(Writer { half: Mutex::new(writer), over: AtomicBool::new(false) });
    let sending = Arc::clone(&writer);
    let failed = Arc::new(Mutex::new(None));
    let (sending_failed, tally) = (Arc::clone(&failed), Arc::clone(tally));
    // It is not waited for: it may hang in stdin for ever.
    thread::Builder::new()
        .spawn(move || {
            if let Err(ended) = send_all(&sending, &tally) {
                *lock(&sending_failed) = Some(ended);
                let _ = socket.shutdown(Shutdown::Both);
            }
        })
        .map_err(Ended::Peer)?;
    let received = print_all(&mut reader);
    let sent = lock(&failed).take();
    finish(&mut reader, &writer);
    match (received, sent) {
        (Ok(()), _) => Ok(()),
        // What we could not send made us hang up, unless the server has said why it did not listen.
        (Err(Ended::Peer(error)), Some(sent)) if words::is_truncation(&error) => Err(sent),
        (received, _) => received,
    }
}

/// Copies stdin to the server; its end closes our side.
fn send_all(writer: &Writer, tally: &Tally) -> Result<(), Ended> {
    let mut stdin = io::stdin().lock();
    let mut bytes = vec![0; 64 << 10];
    loop {
        let n = match stdin.read(&mut bytes) {
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Ended::Local(format!("stdin cannot be read: {error}"))),
        };
        let mut rest = &bytes[..n];
        if n > 0 {
            let update = |ask| patiently(writer, |writer| writer.update_keys(ask));
            tally.before_data(update).map_err(Ended::Peer)?;
        }
        while !rest.is_empty() {
            rest = &rest[patiently(writer, |writer| writer.write(rest)).map_err(Ended::Peer)?..];
        }
        if n == 0 {
            return patiently(writer, WriteHalf::close).map_err(Ended::Peer);
        }
        patiently(writer, Write::flush).map_err(Ended::Peer)?;
    }
}

/// Tries until the server takes something or the transfer is over, and lets go of the writing half in between.
fn patiently<T>(
    writer: &Writer,
    mut attempt: impl FnMut(&mut WriteHalf<TcpStream>) -> io::Result<T>,
) -> io::Result<T> {
    loop {
        match attempt(&mut lock(&writer.half)) {
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
                    && !writer.over.load(Ordering::Relaxed) => {}
            done => return done,
        }
    }
}

/// Reading is over: sends what is due, close_notify or an alert, as far as the server takes it.
fn finish(reader: &mut ReadHalf<TcpStream>, writer: &Writer) {
    writer.over.store(true, Ordering::Relaxed);
    let _ = lock(&writer.half).close();
    tcp_farewell(reader.get_mut());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
