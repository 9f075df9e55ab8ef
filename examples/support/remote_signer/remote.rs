//! The side that asks: a thread talks to the signer's process, and a policy waits for it.

use std::error::Error;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use symbolon::codepoint::SignatureScheme;
use symbolon::crypto::{Provider, rustcrypto};
use symbolon::policy::{Answerer, ServerPolicy};
use symbolon::question::{Answer, Question};
use symbolon::{AlertCode, Refusal};

/// How long a handshake waits for its signature.
const PATIENCE: Duration = Duration::from_secs(5);

/// A signature that is wanted, and where it goes.
struct Wanted {
    scheme: SignatureScheme,
    message: Vec<u8>,
    reply: Sender<Result<Vec<u8>, String>>,
}

/// The signer, as seen from here. Started again when it is gone and somebody wants a signature.
pub struct Remote {
    wanted: Sender<Wanted>,
    child: Arc<Mutex<Child>>,
    process: Arc<AtomicU32>,
    hello: Hello,
    provider: Provider,
}

/// What a signer says first.
struct Hello {
    chain: String,
    root: String,
    spki: Vec<u8>,
}

impl Remote {
    pub fn start(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let (child, mut line, hello) = Line::start(folder)?;
        let process = Arc::new(AtomicU32::new(child.id()));
        let child = Arc::new(Mutex::new(child));
        let (wanted, queue) = mpsc::channel();
        let (running, now, folder) = (Arc::clone(&child), Arc::clone(&process), folder.to_owned());
        thread::spawn(move || line.serve(&queue, &folder, &running, &now));
        Ok(Self { wanted, child, process, hello, provider: rustcrypto::provider() })
    }

    pub fn chain(&self) -> &str {
        &self.hello.chain
    }

    pub fn root(&self) -> &str {
        &self.hello.root
    }

    pub fn process(&self) -> u32 {
        self.process.load(Ordering::Relaxed)
    }

    pub fn kill(&self) -> io::Result<()> {
        let mut child = lock(&self.child);
        child.kill()?;
        child.wait().map(drop)
    }

    /// A signature by the leaf's key, or why there is none.
    pub fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, String> {
        let (reply, signed) = mpsc::channel();
        let wanted = Wanted { scheme, message: message.to_vec(), reply };
        self.wanted.send(wanted).map_err(|_| "the thread that talks to the signer is gone")?;
        let signature = signed.recv_timeout(PATIENCE).map_err(|_| "the signer does not answer")??;
        // Who has the key may still lie: the client would blame us for it.
        self.provider
            .verify(scheme, &self.hello.spki, message, &signature)
            .map_err(|_| "the signer's signature is not by the leaf's key")?;
        Ok(signature)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// The pipe to a signer.
struct Line {
    to: ChildStdin,
    from: ChildStdout,
}

impl Line {
    fn start(folder: &Path) -> io::Result<(Child, Self, Hello)> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--hold")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(to), Some(mut from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the signer has no pipe"));
        };
        let hello = Hello {
            chain: String::from_utf8_lossy(&read(&mut from)?).into_owned(),
            root: String::from_utf8_lossy(&read(&mut from)?).into_owned(),
            spki: read(&mut from)?,
        };
        Ok((child, Self { to, from }, hello))
    }

    /// One request after the other; after a failure the next one finds a new process.
    fn serve(&mut self, queue: &Receiver<Wanted>, folder: &Path, child: &Mutex<Child>, process: &AtomicU32) {
        let mut broken = false;
        for Wanted { scheme, message, reply } in queue {
            if broken {
                match Self::start(folder) {
                    Ok((started, line, _)) => {
                        *self = line;
                        process.store(started.id(), Ordering::Relaxed);
                        // The dead one has been waited for.
                        *lock(child) = started;
                        broken = false;
                    }
                    Err(error) => {
                        let _ = reply.send(Err(format!("the signer cannot be started: {error}")));
                        continue;
                    }
                }
            }
            let signed = self.ask(scheme, &message).unwrap_or_else(|error| {
                broken = true;
                let mut child = lock(child);
                let _ = (child.kill(), child.wait());
                Err(format!("the signer is gone: {error}"))
            });
            let _ = reply.send(signed);
        }
    }

    fn ask(&mut self, scheme: SignatureScheme, message: &[u8]) -> io::Result<Result<Vec<u8>, String>> {
        let request = [&scheme.0.to_be_bytes(), message].concat();
        let len = u16::try_from(request.len()).map_err(io::Error::other)?;
        self.to.write_all(&len.to_be_bytes())?;
        self.to.write_all(&request)?;
        self.to.flush()?;
        let mut kind = [0];
        self.from.read_exact(&mut kind)?;
        let bytes = read(&mut self.from)?;
        Ok(if kind == [0] { Ok(bytes) } else { Err(String::from_utf8_lossy(&bytes).into_owned()) })
    }
}

fn read(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut len = [0; 2];
    from.read_exact(&mut len)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(len))];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A policy whose signatures come from elsewhere.
pub struct SignsElsewhere {
    policy: Arc<ServerPolicy>,
    signer: Arc<Remote>,
}

impl SignsElsewhere {
    pub fn new(policy: Arc<ServerPolicy>, signer: Arc<Remote>) -> Self {
        Self { policy, signer }
    }
}

impl Answerer for SignsElsewhere {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Sign(question) => match self.signer.sign(question.scheme(), question.message()) {
                Ok(signature) => question.signed(signature),
                Err(why) => question.failed(Refusal::text(AlertCode::INTERNAL_ERROR, why)),
            },
            other => self.policy.answer(other),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
