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
#[path = "support/keys.rs"]
mod keys;
#[path = "support/patience.rs"]
mod patience;
#[path = "support/rekeying.rs"]
mod rekeying;
#[path = "support/resuming.rs"]
mod resuming;
#[path = "support/secret_file.rs"]
mod secret_file;
#[path = "support/serving.rs"]
mod serving;
#[path = "support/trusting.rs"]
mod trusting;
#[path = "support/words.rs"]
#[allow(dead_code)] // the client uses the rest
mod words;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use cli::{Failure, say};
use patience::Patient;
use rekeying::{Rekeying, Tally};
use resuming::{Resuming, Resumption};
use symbolon::config::ServerConfig;
use symbolon::conn::{NoEarlyData, NotResumed, Summary};
use symbolon::crypto::{Provider, rustcrypto};
use symbolon::io::{Buffers, Observer, blocking::Stream};
use symbolon::policy::{self, Answerer, ServerPolicy};
use symbolon::question::{Answer, Question, Seen};

/// The most connections that are served at the same time; others are dropped with a word on stderr.
const MAX_CONNECTIONS: usize = 256;

/// How long accepting pauses when the system has no file descriptor or thread left.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves TLS 1.3: a page that describes the connection, so many bytes at /bytes/N, or an echo.
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

    /// An OCSP response, DER, to be stapled to the leaf of the --cert at the same place
    ///
    /// Write `none` for a certificate that has none.
    #[arg(long, value_name = "FILE", requires = "cert")]
    ocsp: Vec<PathBuf>,

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
    clients: serving::Clients,

    #[command(flatten)]
    negotiated: cli::Negotiated,

    #[command(flatten)]
    resuming: Resuming,

    #[command(flatten)]
    rekeying: Rekeying,
}

/// What all connections share.
struct Service {
    config: Arc<ServerConfig>,
    policy: Arc<ServerPolicy>,
    resumption: Arc<Resumption>,
    key_log: Option<Arc<dyn Observer>>,
    rekeying: Rekeying,
    buffers: Buffers,
    echo: bool,
    patience: Duration,
    running: AtomicUsize,
    /// Clients that were asked for a certificate and had none.
    anonymous: AtomicUsize,
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
    let Arguments { cert, key, ocsp, clients, negotiated, resuming, rekeying, .. } = arguments;
    if cert.len() != key.len() {
        return Err(Failure::usage(format_args!(
            "each --cert needs its --key: there are {} and {}",
            cert.len(),
            key.len()
        )));
    }
    let key_log = cli::key_log()?;
    let resumption = resuming.prepare(provider)?;
    let (client_auth, verifier) = clients.prepare(provider)?;
    let config = ServerConfig::builder(provider.clone()).alpn(&negotiated.alpn).client_auth(client_auth);
    let mut config = resumption.configure(config);
    if let Some(suites) = negotiated.suites(provider)? {
        config = config.suites(&suites);
    }
    if let Some(groups) = negotiated.groups(provider)? {
        config = config.groups(&groups);
    }
    if key_log.is_some() {
        config = config.reveal_secrets();
    }
    // For KeyUpdates to be counted.
    let config = config.report_messages().build().map_err(Failure::usage)?;

    let mut serving = resumption.serve(ServerPolicy::serving(Arc::clone(&config)));
    if let Some(verifier) = verifier {
        serving = serving.clients(verifier);
    }
    let staples = ocsp.iter().map(Some).chain(std::iter::repeat(None));
    for ((chain, key), staple) in cert.iter().zip(key).zip(staples) {
        let mut credential = policy::credential_from_files(provider, chain, key).map_err(Failure::usage)?;
        if let Some(path) = staple.filter(|path| path.as_os_str() != "none") {
            let response = std::fs::read(path)
                .map_err(|error| Failure::usage(format_args!("{}: {error}", path.display())))?;
            credential = credential.with_staple(response);
        }
        serving = serving.credential(credential).map_err(Failure::usage)?;
    }
    let mut ca_pem = None;
    if cert.is_empty() && !resuming.psk_only {
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
        resumption: Arc::new(resumption),
        key_log,
        rekeying: *rekeying,
        buffers: Buffers::keeping(2 * MAX_CONNECTIONS),
        echo: arguments.echo,
        patience: Duration::from_secs(arguments.timeout),
        running: AtomicUsize::new(0),
        anonymous: AtomicUsize::new(0),
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
        let asked = Arc::new(Asked {
            policy: Arc::clone(&self.policy),
            resumption: Arc::clone(&self.resumption),
            told: Mutex::default(),
        });
        let began = Instant::now();
        let socket = match Patient::new(socket, self.patience) {
            Ok(socket) => socket,
            Err(error) => return format!("lost: {error}"),
        };
        let mut stream = Stream::server(&self.config, Arc::clone(&asked) as Arc<dyn Answerer>, socket)
            .with_buffers(&self.buffers)
            .with_farewell(Patient::farewell);
        let tally = self.rekeying.tally(self.key_log.clone());
        stream = stream.with_observer(Arc::clone(&tally) as Arc<dyn Observer>);
        let early = self.early(&mut stream);
        let handshake = early.and_then(|early| Ok((early, stream.handshake()?.clone())));
        let (early, summary) = match handshake {
            Ok(done) => done,
            Err(error) => {
                return format!(
                    "{}: handshake failed{}: {}",
                    asked.name(),
                    asked.replay(),
                    words::why(&error)
                );
            }
        };
        let handshake = began.elapsed();
        let served = match early {
            Early::Echoed(echoed) => echo(&mut stream, &tally, echoed),
            Early::Request(http::Early::Answered(words)) => Ok(words),
            Early::Request(http::Early::Waits(received)) => tally
                .before_data(|ask| stream.update_keys(ask))
                .and_then(|()| http::serve(&mut stream, received, &summary, handshake)),
        };
        let outcome = served.and_then(|done| {
            stream.close()?;
            // Closing the socket at once could reset it before everything has arrived.
            stream.get_mut().farewell();
            Ok(done)
        });
        let outcome = outcome.unwrap_or_else(|error| words::why(&error));
        let name = summary
            .server_name
            .as_deref()
            .map_or_else(|| asked.name(), |name| name.escape_debug().to_string());
        let key_updates = match (tally.asked(), tally.received()) {
            (0, 0) => String::new(),
            (asked, received) => {
                format!("; new keys asked for {asked} times, {received} KeyUpdates received")
            }
        };
        format!("{name}, {}: {outcome}{key_updates}", self.negotiated(&summary))
    }

    /// What is done before the handshake is complete.
    fn early(&self, stream: &mut Stream<Patient>) -> io::Result<Early> {
        if self.echo {
            echo_early(stream).map(Early::Echoed)
        } else {
            http::serve_early(stream).map(Early::Request)
        }
    }

    fn negotiated(&self, summary: &Summary) -> String {
        let mut negotiated = words::suite_and_group(summary) + &words::alpn(summary);
        if self.resumption.resumes() || summary.resumed != Err(NotResumed::NotOffered) {
            negotiated += &format!(", {}", words::resumption(summary));
        }
        if self.resumption.accepts_early_data() || summary.early_data != Err(NoEarlyData::NotOffered) {
            negotiated += &format!(", {}", words::early_data(summary));
        }
        if let Some(peer) = &summary.peer {
            negotiated += &format!(", client {}", peer.identity);
        } else if summary.anonymous {
            let so_far = self.anonymous.fetch_add(1, Ordering::Relaxed) + 1;
            negotiated += &format!(", anonymous (number {so_far})");
        }
        negotiated
    }
}

/// What came before the handshake was complete.
enum Early {
    Echoed(u64),
    Request(http::Early),
}

/// Sends early data back at once: an echo does no harm when it is asked for twice.
fn echo_early(stream: &mut Stream<Patient>) -> io::Result<u64> {
    let mut bytes = vec![0; 16 << 10];
    let mut echoed: u64 = 0;
    loop {
        let n = stream.read_early(&mut bytes)?;
        if n == 0 {
            return Ok(echoed);
        }
        let mut rest = &bytes[..n];
        while !rest.is_empty() {
            rest = &rest[stream.write_half_rtt(rest)?..];
        }
        stream.flush()?;
        echoed += n as u64;
    }
}

/// Sends everything back until the client closes.
fn echo(stream: &mut Stream<Patient>, tally: &Tally, mut echoed: u64) -> io::Result<String> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let n = stream.read(&mut bytes)?;
        if n == 0 {
            return Ok(format!("{echoed} bytes echoed, closed by the client"));
        }
        stream.get_mut().renew();
        tally.before_data(|ask| stream.update_keys(ask))?;
        stream.write_all(&bytes[..n])?;
        stream.flush()?;
        echoed += n as u64;
    }
}

/// The policy, with the replay guard before it. Remembers what lines about failed connections tell.
struct Asked {
    policy: Arc<ServerPolicy>,
    resumption: Arc<Resumption>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    name: Option<String>,
    seen: Option<Seen>,
}

impl Asked {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> String {
        match &self.told().name {
            Some(name) => name.escape_debug().to_string(),
            None => "no server name".into(),
        }
    }

    /// What the replay guard said.
    fn replay(&self) -> &'static str {
        match self.told().seen {
            None => "",
            Some(Seen::Never) => " after early data was accepted",
            Some(Seen::Before) => ", early data refused (the first flight was seen before)",
            Some(_) => ", early data refused (the replay guard cannot tell)",
        }
    }
}

impl Answerer for Asked {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Configure(configure) => {
                self.told().name = configure.offered().server_name.clone();
                self.policy.answer(Question::Configure(configure))
            }
            Question::CheckReplay(question) => {
                let seen = self.resumption.check(question.flight());
                self.told().seen = Some(seen);
                question.seen(seen)
            }
            other => self.policy.answer(other),
        }
    }
}
