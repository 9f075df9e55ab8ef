//! The processes of the fleet, which end with the values that stand for them.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::Fallible;
use crate::redis::Killed;

/// How long a process may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Files for the processes, gone with this value.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Fallible<Self> {
        let path = std::env::temp_dir().join(format!("symbolon-fleet-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub fn put(&self, name: &str, bytes: &[u8]) -> Fallible<PathBuf> {
        let path = self.0.join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the servers were told to run with.
pub struct Orders<'a> {
    pub certificate: &'a Path,
    pub key: &'a Path,
    pub secret: &'a Path,
    pub redis: String,
}

/// What a server says to an order.
enum Answer {
    Reason(String),
    Done,
}

/// A server of the fleet.
pub struct ServerProcess {
    pub address: SocketAddr,
    orders: ChildStdin,
    answers: Receiver<Answer>,
    _process: Killed,
}

impl ServerProcess {
    /// Starts one; each request that it takes as early data is told to `early`.
    pub fn start(orders: &Orders<'_>, early: Sender<String>) -> Fallible<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg("--certificate")
            .arg(orders.certificate)
            .arg("--key")
            .arg(orders.key)
            .arg("--secret")
            .arg(orders.secret)
            .args(["--redis", &orders.redis])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let process = Killed(process);
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else { return Err("no pipes to a server".into()) };
        let (port, ports) = channel();
        let (answer, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Whoever does not listen any more need not be told.
                match line.split_once(' ') {
                    Some(("port", number)) => drop(port.send(number.parse::<u16>())),
                    Some(("early", request)) => drop(early.send(request.to_owned())),
                    Some(("reason", counted)) => drop(answer.send(Answer::Reason(counted.to_owned()))),
                    _ => drop(answer.send(Answer::Done)),
                }
            }
        });
        let port = ports.recv_timeout(PATIENCE).map_err(|_| "a server did not start")??;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self { address, orders: stdin, answers, _process: process })
    }

    /// Has it revoke every ticket key there is.
    pub fn revoke(&mut self) -> Fallible<()> {
        self.order("revoke").map(drop)
    }

    /// Why connections were not resumed and early data not accepted, and how often each.
    pub fn reasons(&mut self) -> Fallible<Vec<(String, usize)>> {
        let counted = self.order("count")?;
        let pairs = counted.iter().map(|line| line.split_once(' ').ok_or("a count without a number"));
        pairs
            .map(|pair| {
                pair.map_err(Into::into).and_then(|(why, times)| Ok((why.to_owned(), times.parse()?)))
            })
            .collect()
    }

    /// Gives an order and waits until it is carried out.
    fn order(&mut self, order: &str) -> Fallible<Vec<String>> {
        writeln!(self.orders, "{order}")?;
        let mut told = Vec::new();
        loop {
            match self.answers.recv_timeout(PATIENCE).map_err(|_| "a server does not answer")? {
                Answer::Reason(reason) => told.push(reason),
                Answer::Done => return Ok(told),
            }
        }
    }
}
