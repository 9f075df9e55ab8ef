//! A TLS server without its private key: another process has it, and signs CertificateVerify inputs and nothing else.
//!
//! `cargo run --release --example remote_signer`
//!
//! The program starts itself a second time as the signer and talks to it through a pipe, which nobody else can write to.
//! Then it connects clients, asks for a signature that no handshake wants, kills the signer, and has it come back.

#[path = "support/devpki.rs"]
mod devpki;
#[path = "support/remote_signer/holder.rs"]
mod holder;
#[path = "support/remote_signer/remote.rs"]
mod remote;

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use remote::{Remote, SignsElsewhere};
use symbolon::codepoint::SignatureScheme;
use symbolon::config::{ClientConfig, Credential, ServerConfig};
use symbolon::crypto::rustcrypto;
use symbolon::io::blocking::{Stream, tcp_farewell};
use symbolon::policy::{self, ClientPolicy, ServerPolicy};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// How many clients connect while the signer is well, and how many at the same time.
const CLIENTS: usize = 40;
const AT_ONCE: usize = 4;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves TLS with a private key that another process holds, and shows what happens when that process dies.
#[derive(Parser)]
#[command(name = "remote_signer", version)]
struct Arguments {
    /// Holds the key instead: makes it in this folder if it is not there, and signs what stdin asks for
    #[arg(long, value_name = "FOLDER")]
    hold: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().hold {
        Some(folder) => holder::hold(&folder),
        None => show(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("remote_signer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show() -> Fallible<()> {
    let folder = Folder::new()?;
    let signer = Arc::new(Remote::start(&folder.0)?);
    println!("the signer is process {}; it has the key, this process only the chain", signer.process());
    let server = Server::start(&signer)?;

    let began = Instant::now();
    server.greet_many()?;
    let each = began.elapsed() / u32::try_from(CLIENTS)?;
    println!("{CLIENTS} handshakes, {AT_ONCE} at a time: {:.2} ms each", each.as_secs_f64() * 1e3);

    let refused = signer.sign(SignatureScheme::ECDSA_SECP256R1_SHA256, b"transfer all").err();
    let refused = refused.ok_or("the signer signed something that is no CertificateVerify input")?;
    println!("asked to sign \"transfer all\": {refused}");

    let mut open = server.connect()?;
    signer.kill()?;
    println!("the signer was killed");
    let failed = server.greet().err().ok_or("a handshake was signed without a signer")?;
    println!("a new client: {failed}");
    ping(&mut open)?;
    open.close()?;
    println!("the connection from before goes on");

    // The next question starts it again.
    server.greet()?;
    println!("the signer is process {} now, and new clients are served", signer.process());
    Ok(())
}

/// A folder that goes away with the program; the signer keeps its key there.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Fallible<Self> {
        let mut random = [0; 8];
        rustcrypto::provider().rng.fill(&mut random)?;
        let path = std::env::temp_dir().join(format!("remote_signer-{:016x}", u64::from_be_bytes(random)));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where the server listens, and how clients reach it.
struct Server {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    trust: Arc<ClientPolicy>,
}

impl Server {
    /// Serves in threads until the process ends.
    fn start(signer: &Arc<Remote>) -> Fallible<Self> {
        let provider = rustcrypto::provider();
        let chain = policy::certificates_from_pem(signer.chain().as_bytes())?;
        let credential = Credential::remote(chain, vec![SignatureScheme::ECDSA_SECP256R1_SHA256])?;
        let config = ServerConfig::builder(provider.clone()).build()?;
        let policy = ServerPolicy::serving(Arc::clone(&config)).credential(credential)?.build()?;
        let answerer = Arc::new(SignsElsewhere::new(policy, Arc::clone(signer)));

        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let mut stream = Stream::server(&config, Arc::clone(&answerer) as _, socket);
                thread::spawn(move || {
                    if let Err(error) = echo(&mut stream) {
                        println!("  server: {error}");
                    }
                });
            }
        });
        let roots = policy::certificates_from_pem(signer.root().as_bytes())?;
        let trust = ClientPolicy::trusting(provider.clone(), roots)?.without_sessions().build();
        Ok(Self { address, config: ClientConfig::builder(provider).build()?, trust })
    }

    fn connect(&self) -> Fallible<Stream<TcpStream>> {
        let socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let name = "localhost".try_into()?;
        let mut stream = Stream::client(&self.config, name, Arc::clone(&self.trust) as _, socket)
            .with_farewell(tcp_farewell);
        stream.handshake()?;
        Ok(stream)
    }

    fn greet(&self) -> Fallible<()> {
        let mut stream = self.connect()?;
        ping(&mut stream)?;
        Ok(stream.close()?)
    }

    fn greet_many(&self) -> Fallible<()> {
        thread::scope(|scope| {
            let client =
                || (0..CLIENTS / AT_ONCE).try_for_each(|_| self.greet().map_err(|error| error.to_string()));
            let clients: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(client)).collect();
            clients
                .into_iter()
                .try_for_each(|client| Ok(client.join().map_err(|_| "a client panicked")??))
        })
    }
}

fn ping(stream: &mut Stream<TcpStream>) -> io::Result<()> {
    stream.write_all(b"ping")?;
    stream.flush()?;
    let mut back = [0; 4];
    stream.read_exact(&mut back)
}

fn echo(stream: &mut Stream<TcpStream>) -> io::Result<()> {
    let mut bytes = [0; 1024];
    loop {
        let n = stream.read(&mut bytes)?;
        if n == 0 {
            return stream.close();
        }
        stream.write_all(&bytes[..n])?;
        stream.flush()?;
    }
}
