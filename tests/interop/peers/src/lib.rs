//! What the peers share: their command line (tests/interop/matrix/peers/own.rs has it), and copying both ways at once.
//!
//! An engine has no socket. One thread drives it; others read the socket and stdin, and write the socket.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::exit;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// Any failure, in words.
pub type Result<T> = std::result::Result<T, String>;

/// Turns any error into words.
pub fn words(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// The version of a package, by the lock file of this build.
pub fn version(package: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let name = format!("name = \"{package}\"\nversion = \"");
    let version = lock.split_once(&name).and_then(|(_, rest)| rest.split_once('"'));
    version.map_or("unknown", |(version, _)| version).into()
}

/// What a read gave.
pub enum Got {
    Data(Vec<u8>),
    Nothing,
    /// The peer's close_notify.
    Closed,
}

/// A connection of a TLS library, without a socket.
pub trait Engine {
    /// Takes bytes from the wire.
    fn receive(&mut self, bytes: &[u8]) -> Result<()>;
    /// Gives bytes for the wire.
    fn to_send(&mut self) -> Vec<u8>;
    /// Goes on; true when it is complete.
    fn handshake(&mut self) -> Result<bool>;
    fn read(&mut self) -> Result<Got>;
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
    /// Updates the keys for sending, and asks for the peer's if there is a way.
    fn rekey(&mut self) -> Result<()>;
    fn close(&mut self);
    fn told(&self) -> String;
}

/// What is asked, by the names of the command line.
#[derive(Clone, Default)]
pub struct Asked(HashMap<String, String>);

impl Asked {
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names in a list.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.get(name).map(|list| list.split(',').map(String::from).collect()).unwrap_or_default()
    }

    /// The contents of a file.
    pub fn file(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.get(name).map(|path| std::fs::read(path).map_err(|error| format!("{path}: {error}"))).transpose()
    }

    /// The identity and the bytes of an external key.
    pub fn psk(&self) -> Option<(String, Vec<u8>)> {
        let (identity, hex) = self.get("psk")?.split_once(':')?;
        let byte = |at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        Some((identity.into(), (0..hex.len()).step_by(2).map_while(byte).collect()))
    }
}

/// Runs a program: what makes engines for a client, with what the one before it learned, and for a server.
pub fn run<C: Client, S: Fn() -> Result<Box<dyn Engine>> + Clone + Send + 'static>(
    version: &str,
    client: impl FnOnce(&Asked) -> Result<C>,
    server: impl FnOnce(&Asked) -> Result<S>,
) {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next().unwrap_or_default();
    let pairs =
        arguments.filter_map(|word| word.split_once('=').map(|(name, value)| (name.into(), value.into())));
    let asked = Asked(pairs.collect());
    let done = match role.as_str() {
        "version" => {
            println!("{version}");
            Ok(())
        }
        "client" => client(&asked).and_then(|client| be_client(&asked, &client)),
        _ => server(&asked).and_then(|engine| be_server(&asked, engine)),
    };
    if let Err(error) = done {
        eprintln!("failed {error}");
        exit(1);
    }
}

/// Makes the connections of a client.
pub trait Client {
    /// A connection, which resumes what the connections before it learned, and sends `early` at once.
    fn engine(&self, early: Option<&[u8]>) -> Result<Box<dyn Engine>>;
}

fn be_client(asked: &Asked, client: &impl Client) -> Result<()> {
    let port: u16 = asked.get("port").and_then(|port| port.parse().ok()).ok_or("there is no port")?;
    let connect = || TcpStream::connect(("127.0.0.1", port)).map_err(words);
    let early = asked.file("early")?;
    if asked.has("resume") || early.is_some() {
        Wired::new(client.engine(None)?, connect()?)?.first()?;
    }
    let mut wired = Wired::new(client.engine(early.as_deref())?, connect()?)?;
    wired.rekeys = asked.has("rekey");
    wired.handshake()?;
    eprintln!("connected {}", wired.engine.told());
    wired.copy()
}

fn be_server<S>(asked: &Asked, engine: S) -> Result<()>
where
    S: Fn() -> Result<Box<dyn Engine>> + Clone + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").map_err(words)?;
    println!("listening on {}.", listener.local_addr().map_err(words)?.port());
    let rekeys = asked.has("rekey");
    loop {
        let (socket, _) = listener.accept().map_err(words)?;
        let engine = engine.clone();
        thread::spawn(move || {
            let serve = || {
                let mut wired = Wired::new(engine()?, socket)?;
                wired.rekeys = rekeys;
                let served = wired.echo();
                if served.is_err() {
                    // Some send their alert only now.
                    wired.engine.close();
                }
                wired.send();
                // So that all of it arrives, an alert too.
                wired.farewell();
                served
            };
            if let Err(error) = serve() {
                eprintln!("failed {error}");
            }
        });
    }
}

/// What came from outside.
enum Came {
    Wire(Vec<u8>),
    Typed(Vec<u8>),
}

/// An engine on a socket.
struct Wired {
    engine: Box<dyn Engine>,
    outside: Receiver<Came>,
    inside: Sender<Came>,
    out: Option<Sender<Vec<u8>>>,
    writer: Option<thread::JoinHandle<()>>,
    rekeys: bool,
}

fn forward(mut from: impl Read + Send + 'static, to: Sender<Came>, wrap: fn(Vec<u8>) -> Came) {
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 14];
        loop {
            let n = from.read(&mut bytes).unwrap_or(0);
            // The end is an empty piece.
            if to.send(wrap(bytes[..n].to_vec())).is_err() || n == 0 {
                return;
            }
        }
    });
}

impl Wired {
    fn new(engine: Box<dyn Engine>, socket: TcpStream) -> Result<Self> {
        let (inside, outside) = channel();
        forward(socket.try_clone().map_err(words)?, inside.clone(), Came::Wire);
        let (out, to_write) = channel::<Vec<u8>>();
        let writer = thread::spawn(move || {
            let mut socket = socket;
            for bytes in to_write {
                if socket.write_all(&bytes).is_err() {
                    break;
                }
            }
            let _ = socket.shutdown(Shutdown::Write);
        });
        Ok(Self { engine, outside, inside, out: Some(out), writer: Some(writer), rekeys: false })
    }

    fn send(&mut self) {
        let bytes = self.engine.to_send();
        if let (Some(out), false) = (&self.out, bytes.is_empty()) {
            let _ = out.send(bytes);
        }
    }

    /// Waits for something, and gives what was typed.
    fn wait(&mut self) -> Result<Option<Vec<u8>>> {
        self.send();
        match self.outside.recv().map_err(words)? {
            Came::Typed(typed) => Ok(Some(typed)),
            Came::Wire(bytes) if bytes.is_empty() => Err("the transport ended without close_notify".into()),
            Came::Wire(bytes) => self.engine.receive(&bytes).map(|()| None),
        }
    }

    fn handshake(&mut self) -> Result<()> {
        while !self.engine.handshake()? {
            self.wait()?;
        }
        self.send();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.rekeys {
            self.engine.rekey()?;
            eprintln!("rekeyed");
        }
        self.engine.write(bytes)
    }

    /// A line to an echo and back, and the end.
    fn first(mut self) -> Result<()> {
        self.handshake()?;
        self.engine.write(b"first\n")?;
        let mut echoed = 0;
        while echoed < 6 {
            match self.engine.read()? {
                Got::Data(data) => echoed += data.len(),
                Got::Nothing => drop(self.wait()?),
                Got::Closed => return Err("closed too early".into()),
            }
        }
        self.engine.close();
        self.send();
        self.farewell();
        Ok(())
    }

    /// Stdin to the peer and the peer to stdout, until the peer closes.
    fn copy(&mut self) -> Result<()> {
        forward(std::io::stdin(), self.inside.clone(), Came::Typed);
        let mut stdout = std::io::stdout().lock();
        loop {
            match self.engine.read()? {
                Got::Data(data) => stdout.write_all(&data).and_then(|()| stdout.flush()).map_err(words)?,
                Got::Closed => break,
                Got::Nothing => match self.wait()? {
                    Some(typed) if typed.is_empty() => self.engine.close(),
                    Some(typed) => self.write(&typed)?,
                    None => {}
                },
            }
        }
        self.send();
        self.farewell();
        Ok(())
    }

    fn echo(&mut self) -> Result<()> {
        self.handshake()?;
        eprintln!("accepted {}", self.engine.told());
        loop {
            match self.engine.read()? {
                Got::Data(data) => self.write(&data)?,
                Got::Closed => break,
                Got::Nothing => drop(self.wait()?),
            }
        }
        self.engine.close();
        Ok(())
    }

    /// Ends the sending side, and reads until the peer has done the same.
    fn farewell(&mut self) {
        self.out = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
        while let Ok(Came::Wire(bytes)) = self.outside.recv() {
            if bytes.is_empty() {
                return;
            }
        }
    }
}
