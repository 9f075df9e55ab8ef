//! s2n-tls.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::SystemTime;

use interop_peers::{Asked, Client, Engine, Got, Result, run, version, words};
use s2n_tls::callbacks::{SessionTicket, SessionTicketCallback, VerifyHostNameCallback};
use s2n_tls::config::{Builder, Config};
use s2n_tls::connection::Connection;
use s2n_tls::enums::{Blinding, ClientAuthType, Mode, PeerKeyUpdate, PskHmac};
use s2n_tls::psk::Psk;
use s2n_tls::security;

/// The two directions of the wire.
#[derive(Default)]
struct Wire {
    incoming: VecDeque<u8>,
    outgoing: Vec<u8>,
}

struct Tls {
    connection: Connection,
    /// Its callbacks have this address.
    wire: Pin<Box<Wire>>,
}

/// # Safety
///
/// `context` is the `Wire` of the connection, which lives as long; `to` has room for `len` bytes.
unsafe extern "C" fn receive(context: *mut c_void, to: *mut u8, len: u32) -> libc::c_int {
    let (wire, to) =
        unsafe { (&mut *context.cast::<Wire>(), std::slice::from_raw_parts_mut(to, len as usize)) };
    let n = wire.incoming.len().min(to.len());
    if n == 0 {
        unsafe { *libc::__errno_location() = libc::EWOULDBLOCK };
        return -1;
    }
    for (to, byte) in to.iter_mut().zip(wire.incoming.drain(..n)) {
        *to = byte;
    }
    n as libc::c_int
}

/// # Safety
///
/// As [`receive`]; `from` has `len` bytes.
unsafe extern "C" fn send(context: *mut c_void, from: *const u8, len: u32) -> libc::c_int {
    let (wire, from) =
        unsafe { (&mut *context.cast::<Wire>(), std::slice::from_raw_parts(from, len as usize)) };
    wire.outgoing.extend_from_slice(from);
    len as libc::c_int
}

impl Tls {
    fn new(mode: Mode, config: Config, asked: &Asked) -> Result<Self> {
        let mut connection = Connection::new(mode);
        connection.set_config(config).map_err(words)?;
        connection.set_blinding(Blinding::SelfService).map_err(words)?;
        if let Some((identity, secret)) = asked.psk() {
            let mut psk = Psk::builder().map_err(words)?;
            psk.set_identity(identity.as_bytes()).map_err(words)?;
            psk.set_secret(&secret).map_err(words)?;
            psk.set_hmac(PskHmac::SHA256).map_err(words)?;
            connection.append_psk(&psk.build().map_err(words)?).map_err(words)?;
        }
        let mut wire = Box::pin(Wire::default());
        let context = (&raw mut *wire).cast::<c_void>();
        connection.set_receive_callback(Some(receive)).map_err(words)?;
        connection.set_send_callback(Some(send)).map_err(words)?;
        // SAFETY: the wire does not move and is dropped after the connection.
        unsafe {
            connection.set_receive_context(context).map_err(words)?;
            connection.set_send_context(context).map_err(words)?;
        }
        Ok(Self { connection, wire })
    }
}

impl Engine for Tls {
    fn receive(&mut self, bytes: &[u8]) -> Result<()> {
        self.wire.incoming.extend(bytes);
        Ok(())
    }

    fn to_send(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.wire.outgoing)
    }

    fn handshake(&mut self) -> Result<bool> {
        match self.connection.poll_negotiate() {
            Poll::Pending => Ok(false),
            Poll::Ready(done) => done.map(|_| true).map_err(words),
        }
    }

    fn read(&mut self) -> Result<Got> {
        let mut data = vec![0; 1 << 14];
        match self.connection.poll_recv(&mut data) {
            Poll::Pending => Ok(Got::Nothing),
            Poll::Ready(Ok(0)) => Ok(Got::Closed),
            Poll::Ready(Ok(n)) => {
                data.truncate(n);
                Ok(Got::Data(data))
            }
            Poll::Ready(Err(error)) => Err(words(error)),
        }
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match self.connection.poll_send(bytes) {
                Poll::Ready(sent) => bytes = &bytes[sent.map_err(words)?..],
                Poll::Pending => return Err("the wire takes nothing".into()),
            }
        }
        Ok(())
    }

    fn rekey(&mut self) -> Result<()> {
        self.connection.request_key_update(PeerKeyUpdate::KeyUpdateNotRequested).map(drop).map_err(words)
    }

    fn close(&mut self) {
        let _ = self.connection.poll_shutdown_send();
    }

    fn told(&self) -> String {
        let suite = self.connection.cipher_suite().unwrap_or("no suite");
        format!("{suite} resumed {}", self.connection.resumed())
    }
}

/// The last ticket that came.
#[derive(Clone, Default)]
struct Tickets(Arc<Mutex<Option<Vec<u8>>>>);

impl SessionTicketCallback for Tickets {
    fn on_session_ticket(&self, _: &mut Connection, ticket: &SessionTicket) {
        let mut data = vec![0; ticket.len().unwrap_or(0)];
        if ticket.data(&mut data).is_ok() {
            *self.0.lock().unwrap() = Some(data);
        }
    }
}

struct Localhost;

impl VerifyHostNameCallback for Localhost {
    fn verify_host_name(&self, name: &str) -> bool {
        name == "localhost"
    }
}

/// s2n has suites and groups by its policies alone: the other side chooses among what is in this one.
fn builder(asked: &Asked) -> Result<Builder> {
    let mut config = Builder::new();
    let policy = security::Policy::from_version("default_pq").map_err(words)?;
    config.set_security_policy(&policy).map_err(words)?;
    config.with_system_certs(false).map_err(words)?;
    if let (Some(cert), Some(key)) = (asked.file("cert")?, asked.file("key")?) {
        config.load_pem(&cert, &key).map_err(words)?;
    }
    if asked.has("alpn") {
        config.set_application_protocol_preference(asked.list("alpn")).map_err(words)?;
    }
    Ok(config)
}

struct Connects {
    asked: Asked,
    config: Config,
    tickets: Tickets,
}

impl Client for Connects {
    fn engine(&self, _: Option<&[u8]>) -> Result<Box<dyn Engine>> {
        let mut tls = Tls::new(Mode::Client, self.config.clone(), &self.asked)?;
        tls.connection.set_server_name("localhost").map_err(words)?;
        if let Some(ticket) = self.tickets.0.lock().unwrap().take() {
            tls.connection.set_session_ticket(&ticket).map_err(words)?;
        }
        Ok(Box::new(tls))
    }
}

fn client(asked: &Asked) -> Result<Connects> {
    let mut config = builder(asked)?;
    config.trust_pem(&asked.file("ca")?.unwrap_or_default()).map_err(words)?;
    config.set_verify_host_callback(Localhost).map_err(words)?;
    if asked.has("cert") {
        config.set_client_auth_type(ClientAuthType::Optional).map_err(words)?;
    }
    let tickets = Tickets::default();
    if asked.has("resume") {
        config.enable_session_tickets(true).map_err(words)?;
        config.set_session_ticket_callback(tickets.clone()).map_err(words)?;
    }
    Ok(Connects { asked: asked.clone(), config: config.build().map_err(words)?, tickets })
}

fn server(asked: &Asked) -> Result<impl Fn() -> Result<Box<dyn Engine>> + Clone + Send + 'static + use<>> {
    let mut config = builder(asked)?;
    // A key for a process that lives for seconds.
    config.add_session_ticket_key(b"key", &[17; 32], SystemTime::now()).map_err(words)?;
    if let Some(ca) = asked.file("client-ca")? {
        config.trust_pem(&ca).map_err(words)?;
        config.set_client_auth_type(ClientAuthType::Required).map_err(words)?;
        struct Anybody;
        impl VerifyHostNameCallback for Anybody {
            fn verify_host_name(&self, _: &str) -> bool {
                true
            }
        }
        config.set_verify_host_callback(Anybody).map_err(words)?;
    }
    let (config, asked) = (config.build().map_err(words)?, asked.clone());
    Ok(move || Ok(Box::new(Tls::new(Mode::Server, config.clone(), &asked)?) as Box<dyn Engine>))
}

fn main() {
    run(&version("s2n-tls"), client, server);
}
