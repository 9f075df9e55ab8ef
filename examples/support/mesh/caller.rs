//! A caller: asks one service, on a connection that is used again until the service says that it was the last time.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use symbolon::config::ClientConfig;
use symbolon::identity::SpiffeId;
use symbolon::io::blocking::{Stream, tcp_farewell};
use symbolon::policy::Answerer;

use super::http::{Afterwards, Response, read_response, write_request};
use super::{Fallible, PATIENCE, TRUST_DOMAIN};

/// Whom to call.
#[derive(Clone)]
pub struct Callee {
    pub name: &'static str,
    pub address: SocketAddr,
}

impl Callee {
    pub fn id(&self) -> Fallible<SpiffeId> {
        Ok(format!("spiffe://{TRUST_DOMAIN}/{}", self.name).parse()?)
    }

    /// What is asked for in the handshake; services are known by their ID.
    pub fn host(&self) -> String {
        format!("{}.{TRUST_DOMAIN}", self.name)
    }
}

pub struct Caller {
    config: Arc<ClientConfig>,
    policy: Arc<dyn Answerer>,
    callee: Callee,
    open: Option<Stream<TcpStream>>,
}

impl Caller {
    pub fn new(config: Arc<ClientConfig>, policy: Arc<dyn Answerer>, callee: Callee) -> Self {
        Self { config, policy, callee, open: None }
    }

    /// Asks for a path. There is no second attempt: what fails is lost.
    pub fn get(&mut self, path: &str, on_behalf_of: Option<&str>) -> Fallible<Response> {
        let mut stream = match self.open.take() {
            Some(stream) => stream,
            None => self.connect()?,
        };
        write_request(&mut stream, &self.callee.host(), path, on_behalf_of)?;
        let (response, afterwards) = read_response(&mut stream)?;
        match afterwards {
            Afterwards::Open => self.open = Some(stream),
            Afterwards::Closed => part(stream)?,
        }
        Ok(response)
    }

    /// Ends the connection, if there is one.
    pub fn close(&mut self) -> Fallible<()> {
        self.open.take().map_or(Ok(()), part)
    }

    fn connect(&self) -> Fallible<Stream<TcpStream>> {
        let socket = TcpStream::connect_timeout(&self.callee.address, PATIENCE)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let name = self.callee.host().try_into()?;
        let policy = Arc::clone(&self.policy);
        let mut stream = Stream::client(&self.config, name, policy, socket).with_farewell(tcp_farewell);
        stream.handshake()?;
        Ok(stream)
    }
}

impl Drop for Caller {
    /// Whoever wants to know whether it ended well closes it before.
    fn drop(&mut self) {
        let _ = self.close();
    }
}

/// Says goodbye and waits until the service does.
fn part(mut stream: Stream<TcpStream>) -> Fallible<()> {
    stream.close()?;
    match stream.read_to_end(&mut Vec::new())? {
        0 => Ok(()),
        n => Err(format!("{n} bytes came that nobody had asked for").into()),
    }
}
