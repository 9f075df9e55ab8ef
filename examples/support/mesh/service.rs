//! A service: takes connections, decides on each of them and on each request, and tells the audit.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use symbolon::Error;
use symbolon::identity::SpiffeId;
use symbolon::io::blocking::{Stream, tcp_farewell};
use symbolon::io::tls_error;
use symbolon::policy::ServerPolicy;

use super::allow::AllowList;
use super::audit::{Audit, Decision, Entry};
use super::http::{Afterwards, Request, Response, read_request, write_response};
use super::workload::Workload;
use super::{Fallible, PATIENCE};

/// How many requests a connection carries.
const MAX_REQUESTS: usize = 40;

/// Answers the requests of one connection that are permitted; is told who asks.
pub type Handler = Box<dyn FnMut(&SpiffeId, &Request) -> Response + Send>;

/// What a service is made of.
pub struct Parts {
    pub workload: Arc<Workload>,
    pub policy: Arc<ServerPolicy>,
    pub allow: &'static AllowList,
    /// Makes a handler for each connection.
    pub handler: Box<dyn Fn() -> Handler + Send + Sync>,
    pub longest: Duration,
    pub audit: Arc<Audit>,
}

pub struct Service {
    pub address: SocketAddr,
    stopping: Arc<AtomicBool>,
    /// Ends when the last connection did.
    running: Receiver<()>,
}

impl Service {
    pub fn start(parts: Parts) -> Fallible<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let (alive, running) = channel();
        let stop = Arc::clone(&stopping);
        thread::Builder::new().spawn(move || accept(&listener, &Arc::new(parts), &stop, &alive))?;
        Ok(Self { address, stopping, running })
    }

    /// Takes no more connections and waits for those that there are.
    pub fn stop(self) -> Fallible<()> {
        self.stopping.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        match self.running.recv_timeout(PATIENCE) {
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => Ok(()),
            _ => Err("a connection does not end".into()),
        }
    }
}

fn accept(listener: &TcpListener, parts: &Arc<Parts>, stopping: &AtomicBool, alive: &Sender<()>) {
    for socket in listener.incoming() {
        if stopping.load(Ordering::Relaxed) {
            return;
        }
        let (parts, alive) = (Arc::clone(parts), alive.clone());
        let serve = move || {
            if let Err(error) = socket.map_err(Into::into).and_then(|socket| parts.serve(socket)) {
                eprintln!("mesh: {}: {error}", parts.workload.name);
            }
            drop(alive);
        };
        if let Err(error) = thread::Builder::new().spawn(serve) {
            eprintln!("mesh: a connection is dropped: {error}");
        }
    }
}

impl Parts {
    fn serve(&self, socket: TcpStream) -> Fallible<()> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let policy: Arc<ServerPolicy> = Arc::clone(&self.policy);
        let mut stream =
            Stream::server(&self.workload.server_config, policy, socket).with_farewell(tcp_farewell);
        let caller = match stream.handshake() {
            Ok(summary) => summary.identity().spiffe_id().cloned(),
            Err(error) => {
                self.refused(&error);
                return Ok(());
            }
        };
        let caller = caller.ok_or("a caller without a SPIFFE ID came through the handshake")?;
        let mut served = Served { requests: 0, forbidden: 0 };
        let ended = self.answer(&mut stream, &caller, &mut served);
        let broke = ended.as_ref().err().map(|error| error as &dyn std::fmt::Display);
        let Served { requests, forbidden } = served;
        let decision = Decision::Served { requests, forbidden, broke };
        self.audit.record(&Entry { callee: &self.workload.id, caller: &caller, decision });
        Ok(())
    }

    fn answer(&self, stream: &mut Stream<TcpStream>, caller: &SpiffeId, served: &mut Served) -> Fallible<()> {
        let until = Instant::now() + self.longest;
        let mut handler = (self.handler)();
        while let Some(request) = read_request(stream)? {
            served.requests += 1;
            let response = if self.allow.permits(caller, &request.path) {
                handler(caller, &request)
            } else {
                served.forbidden += 1;
                Response::new(403, format!("{caller} may not ask for {}\n", request.path))
            };
            let last = served.requests >= MAX_REQUESTS || Instant::now() >= until;
            let afterwards = if last { Afterwards::Closed } else { Afterwards::Open };
            write_response(stream, &response, afterwards)?;
            if last {
                break;
            }
        }
        stream.close()?;
        // The caller's close_notify; anything less is an error.
        stream.read_to_end(&mut Vec::new())?;
        Ok(())
    }

    /// The caller was refused, or gave up.
    fn refused(&self, error: &io::Error) {
        let (alert, reason) = match tls_error(error) {
            Some(error @ Error::Refused(refusal)) => (error.alert(), refusal.cause().to_string()),
            Some(error @ Error::Peer(fault)) => (error.alert(), fault.rule().to_string()),
            Some(error) => (error.alert(), error.to_string()),
            None => (None, error.to_string()),
        };
        let decision = match &alert {
            Some(alert) => Decision::Refused { alert, reason: &reason },
            None => Decision::Left { reason: &reason },
        };
        self.audit.record(&Entry { callee: &self.workload.id, caller: &"unknown", decision });
    }
}

struct Served {
    requests: usize,
    forbidden: usize,
}
