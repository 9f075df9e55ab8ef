//! A Redis server for as long as its value lives, on a port of this machine and without memory across its end.

#![allow(dead_code)] // not every program ends it and starts it again

use std::error::Error;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// The server.
pub struct Redis {
    port: u16,
    process: Option<Killed>,
}

impl Redis {
    pub fn start() -> Fallible<Self> {
        // Free a moment ago: another process may be quicker, so that some are tried.
        for _ in 0..5 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            let mut redis = Self { port, process: None };
            if redis.begin().is_ok() {
                return Ok(redis);
            }
        }
        Err("redis-server does not start; is it installed (Debian package redis-server)?".into())
    }

    /// Starts it again, after [`Redis::kill`], without its memory.
    pub fn begin(&mut self) -> Fallible<()> {
        let port = self.port.to_string();
        let arguments = [
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--loglevel",
            "warning",
        ];
        let process = Command::new("redis-server")
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut process = Killed(process);
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                self.process = Some(process);
                return Ok(());
            }
            if process.0.try_wait()?.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("redis-server ended at once".into())
    }

    pub fn kill(&mut self) {
        self.process = None;
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// A process that is killed when it is dropped.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
