//! A TLS 1.3 server to try clients with: it describes each connection on a small page, or echoes.
//!
//! `cargo run --release --example tlsserver -- --listen 127.0.0.1:4433 --ca-out ca.pem`
//!
//! Then: `openssl s_client -connect 127.0.0.1:4433 -CAfile ca.pem`

#[path = "support/cli.rs"]
mod cli;
#[path = "support/devpki.rs"]
mod devpki;
#[path = "support/http.rs"]
mod http;
#[path = "support/patience.rs"]
mod patience;
#[path = "support/words.rs"]
#[allow(dead_code)] // the client uses the rest
mod words;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use cli::{Failure, say};
use patience::Patient;
use symbolon::config::ServerConfig;
use symbolon::crypto::{Provider, rustcrypto};
use symbolon::io::{Buffers, Observer, blocking::Stream};
use symbolon::policy::{self, Answerer, ServerPolicy};
use symbolon::question::{Answer, Question};

/// The most connections that are served at the same time; others are dropped with a word on stderr.
const MAX_CONNECTIONS: usize = 256;

/// How long accepting pauses when the system has no file descriptor or thread left.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves TLS 1.3: a page that describes the connection, or an echo.
///
/// Prints "listening on ADDRESS:PORT", then a line for each connection on stderr. With the environment variable
/// SSLKEYLOGFILE, traffic secrets are appended to the file that it names.
#[derive(Parser)]
#[command(name = "tlsserver", version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4433")]
    listen: String,

    /// A certificate chain, leaf first, PEM or DER; with --key [default: a development certificate]
    ///
    /// Repeat both for more names or kinds of keys: each client gets what its server name and its signature schemes
    /// ask for. The development certificate is for localhost and 127.0.0.1, and made anew each time.
    #[arg(long, value_name = "FILE")]
    cert: Vec<PathBuf>,

    /// The private key for the --cert at the same place, PEM or DER
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,

    /// Writes the development PKI's CA certificate here, for clients to trust
    #[arg(long, value_name = "FILE", conflicts_with = "cert")]
    ca_out: Option<PathBuf>,

    /// Echoes what it gets instead of speaking HTTP
    #[arg(long)]
    echo: bool,

    /// How long a client may take
    ///
    /// For its handshake and its request together; with --echo also between any two pieces that it sends.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..86_400))]
    timeout: u64,

    #[command(flatten)]
    negotiated: cli::Negotiated,
}

/// What all connections share.
struct Service {
    config: Arc<ServerConfig>,
    policy: Arc<ServerPolicy>,
    key_log: Option<Arc<dyn Observer>>,
    buffers: Buffers,
    echo: bool,
    patience: Duration,
    running: AtomicUsize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(never) => never,
        Err(failure) => failure.report("tlsserver"),
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let provider = rustcrypto::provider();
    let (service, ca_pem) = prepare(arguments, &provider)?;
    let listen = &arguments.listen;
    let listener = TcpListener::bind(listen)
        .map_err(|error| Failure::connection(format_args!("cannot listen on {listen}: {error}")))?;
    let address = listener.local_addr().map_err(Failure::connection)?;
    if let (Some(path), Some(pem)) = (&arguments.ca_out, ca_pem) {
        std::fs::write(path, pem).map_err(|error| {
            Failure::usage(format_args!("{}: the CA certificate cannot be written: {error}", path.display()))
        })?;
    }
    writeln!(io::stdout(), "listening on {address}")
        .and_then(|()| io::stdout().flush())
        .map_err(|error| Failure::connection(format_args!("stdout: {error}")))?;
    accept(&listener, &Arc::new(service))
}

/// Everything that can be wrong before a connection is: files, names, settings. Gives the CA of a development PKI.
fn prepare(arguments: &Arguments, provider: &Provider) -> Result<(Service, Option<String>), Failure> {
    let Arguments { cert, key, negotiated, .. } = arguments;
    if cert.len() != key.len() {
        return Err(Failure::usage(format_args!(
            "each --cert needs its --key: there are {} and {}",
            cert.len(),
            key.len()
        )));
    }
    let key_log = cli::key_log()?;
    let mut config = ServerConfig::builder(provider.clone()).alpn(&negotiated.alpn);
    if let Some(suites) = negotiated.suites(provider)? {
        config = config.suites(&suites);
    }
    if let Some(groups) = negotiated.groups(provider)? {
        config = config.groups(&groups);
    }
    if key_log.is_some() {
        config = config.reveal_secrets();
    }
    let config = config.build().map_err(Failure::usage)?;

    let mut serving = ServerPolicy::serving(Arc::clone(&config));
    for (chain, key) in cert.iter().zip(key) {
        let credential = policy::credential_from_files(provider, chain, key).map_err(Failure::usage)?;
        serving = serving.credential(credential).map_err(Failure::usage)?;
    }
    let mut ca_pem = None;
    if cert.is_empty() {
        let made = devpki::DevPki::new(provider)
            .and_then(|pki| Ok((pki.issue(&["localhost", "127.0.0.1"])?, pki.ca_pem())));
        let (credential, pem) = made.map_err(Failure::connection)?;
        serving = serving.credential(credential).map_err(Failure::connection)?;
        ca_pem = Some(pem);
        if arguments.ca_out.is_none() {
            say(
                "tlsserver: serving a development certificate; --ca-out FILE writes the CA that clients need",
            );
        }
    }
    let service = Service {
        config,
        policy: serving.build().map_err(Failure::usage)?,
        key_log,
        buffers: Buffers::keeping(2 * MAX_CONNECTIONS),
        echo: arguments.echo,
        patience: Duration::from_secs(arguments.timeout),
        running: AtomicUsize::new(0),
    };
    Ok((service, ca_pem))
}

/// Serves until the process is ended.
fn accept(listener: &TcpListener, service: &Arc<Service>) -> ! {
    loop {
        let (socket, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) => {
                say(format_args!("tlsserver: a connection could not be accepted: {error}"));
                thread::sleep(PAUSE);
                continue;
            }
        };
        let Some(place) = Place::take(service) else {
            say(format_args!("{peer}: dropped, {MAX_CONNECTIONS} connections are being served"));
            continue;
        };
        let spawned = thread::Builder::new().spawn(move || {
            let line = place.0.serve(socket);
            say(format_args!("{peer}: {line}"));
        });
        if let Err(error) = spawned {
            say(format_args!("{peer}: dropped, no thread could be started: {error}"));
            thread::sleep(PAUSE);
        }
    }
}

/// One of the connections that may be served at the same time.
struct Place(Arc<Service>);

impl Place {
    fn take(service: &Arc<Service>) -> Option<Self> {
        let one_more = |n: usize| (n < MAX_CONNECTIONS).then_some(n + 1);
        service.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Self(Arc::clone(service)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Service {
    /// Serves one connection; tells in a line what became of it.
    fn serve(&self, socket: TcpStream) -> String {
        let asked = Arc::new(Asked { policy: Arc::clone(&self.policy), name: Mutex::new(None) });
        let began = Instant::now();
        let socket = match Patient::new(socket, self.patience) {
            Ok(socket) => socket,
            Err(error) => return format!("lost: {error}"),
        };
        let mut stream = Stream::server(&self.config, Arc::clone(&asked) as Arc<dyn Answerer>, socket)
            .with_buffers(&self.buffers)
            .with_farewell(Patient::farewell);
        if let Some(key_log) = &self.key_log {
            stream = stream.with_observer(Arc::clone(key_log));
        }
        let summary = match stream.handshake() {
            Ok(summary) => summary.clone(),
            Err(error) => return format!("{}: handshake failed: {}", asked.name(), words::why(&error)),
        };
        let handshake = began.elapsed();
        let negotiated = words::suite_and_group(&summary) + &words::alpn(&summary);
        let served =
            if self.echo { echo(&mut stream) } else { http::serve(&mut stream, &summary, handshake) };
        let outcome = served.and_then(|done| {
            stream.close()?;
            // Closing the socket at once could reset it before everything has arrived.
            stream.get_mut().farewell();
            Ok(done)
        });
        let outcome = outcome.unwrap_or_else(|error| words::why(&error));
        format!("{}, {negotiated}: {outcome}", asked.name())
    }
}

/// Sends everything back until the client closes.
fn echo(stream: &mut Stream<Patient>) -> io::Result<String> {
    let mut bytes = vec![0; 64 << 10];
    let mut echoed: u64 = 0;
    loop {
        let n = stream.read(&mut bytes)?;
        if n == 0 {
            return Ok(format!("{echoed} bytes echoed, closed by the client"));
        }
        stream.get_mut().renew();
        stream.write_all(&bytes[..n])?;
        stream.flush()?;
        echoed += n as u64;
    }
}

/// The policy, which also remembers the server name, for connections that fail.
struct Asked {
    policy: Arc<ServerPolicy>,
    name: Mutex<Option<String>>,
}

impl Asked {
    fn name(&self) -> String {
        match &*self.name.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(name) => name.escape_debug().to_string(),
            None => "no server name".into(),
        }
    }
}

impl Answerer for Asked {
    fn answer(&self, question: Question) -> Answer {
        if let Question::Configure(configure) = &question {
            let name = configure.offered().server_name.clone();
            *self.name.lock().unwrap_or_else(PoisonError::into_inner) = name;
        }
        self.policy.answer(question)
    }
}
