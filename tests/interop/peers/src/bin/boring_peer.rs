//! BoringSSL, by the crate `boring`.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};

use boring::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslRef, SslSession,
    SslSessionCacheMode, SslSignatureAlgorithm, SslStream, SslVerifyMode, SslVersion,
};
use boring_sys as ffi;
use foreign_types::ForeignTypeRef;
use interop_peers::{Asked, Client, Engine, Got, Result, run, version, words};

/// The two directions of the wire.
#[derive(Default)]
struct Wire {
    incoming: VecDeque<u8>,
    outgoing: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        if self.incoming.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.incoming.read(to) }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.outgoing.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Role {
    Client,
    Server,
}

struct Tls {
    stream: SslStream<Wire>,
    role: Role,
    early: Option<Vec<u8>>,
}

impl Tls {
    fn new(context: &SslContext, role: Role, ssl: impl FnOnce(&mut Ssl) -> Result<()>) -> Result<Self> {
        let mut made = Ssl::new(context).map_err(words)?;
        ssl(&mut made)?;
        let stream = SslStream::new(made, Wire::default()).map_err(words)?;
        match role {
            // SAFETY: the connection is there and has not begun.
            Role::Client => unsafe { ffi::SSL_set_connect_state(stream.ssl().as_ptr()) },
            Role::Server => unsafe { ffi::SSL_set_accept_state(stream.ssl().as_ptr()) },
        }
        Ok(Self { stream, role, early: None })
    }
}

impl Engine for Tls {
    fn receive(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.get_mut().incoming.extend(bytes);
        Ok(())
    }

    fn to_send(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.stream.get_mut().outgoing)
    }

    fn handshake(&mut self) -> Result<bool> {
        let done = match self.role {
            Role::Client => self.stream.connect(),
            Role::Server => self.stream.accept(),
        };
        match done {
            Ok(()) => {}
            Err(error) if matches!(error.code(), ErrorCode::WANT_READ | ErrorCode::WANT_WRITE) => {
                return Ok(false);
            }
            Err(error) => return Err(words(error)),
        }
        if let Some(early) = self.early.take() {
            // With a ticket that permits it, the handshake "is complete" as soon as early data can be sent.
            self.write(&early)?;
        }
        Ok(true)
    }

    fn read(&mut self) -> Result<Got> {
        let mut data = vec![0; 1 << 14];
        match self.stream.ssl_read(&mut data) {
            Ok(n) => {
                data.truncate(n);
                Ok(Got::Data(data))
            }
            Err(error) if error.code() == ErrorCode::WANT_READ => Ok(Got::Nothing),
            Err(error) if error.code() == ErrorCode::ZERO_RETURN => Ok(Got::Closed),
            Err(error) => Err(words(error)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).map_err(words)
    }

    fn rekey(&mut self) -> Result<()> {
        // SAFETY: the connection is there.
        let done =
            unsafe { ffi::SSL_key_update(self.stream.ssl().as_ptr(), ffi::SSL_KEY_UPDATE_REQUESTED as _) };
        if done == 1 { Ok(()) } else { Err("no key update".into()) }
    }

    fn close(&mut self) {
        let _ = self.stream.shutdown();
    }

    fn told(&self) -> String {
        let ssl = self.stream.ssl();
        // SAFETY: the connection is there.
        let early = unsafe { ffi::SSL_early_data_accepted(ssl.as_ptr()) };
        let suite = ssl.current_cipher().map_or("no suite", |cipher| cipher.name());
        format!("{suite} resumed {} early {early}", ssl.session_reused())
    }
}

/// The groups by BoringSSL's names.
fn groups(asked: &Asked) -> String {
    let names = asked.list("groups").into_iter().map(|name| match &*name {
        "x25519" => "X25519".into(),
        "secp256r1" => "P-256".into(),
        "secp384r1" => "P-384".into(),
        _ => name,
    });
    names.collect::<Vec<_>>().join(":")
}

/// The suites of TLS 1.3 cannot be chosen: the other side does that.
fn context(asked: &Asked, ca: &str) -> Result<SslContextBuilder> {
    let mut context = SslContext::builder(SslMethod::tls()).map_err(words)?;
    context.set_min_proto_version(Some(SslVersion::TLS1_3)).map_err(words)?;
    let groups = if asked.has("groups") { groups(asked) } else { ALL.into() };
    context.set_curves_list(&groups).map_err(words)?;
    if let (Some(cert), Some(key)) = (asked.get("cert"), asked.get("key")) {
        context.set_certificate_chain_file(cert).map_err(words)?;
        context.set_private_key_file(key, SslFiletype::PEM).map_err(words)?;
    }
    if let Some(ca) = asked.get(ca) {
        context.set_ca_file(ca).map_err(words)?;
        context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    // P-521 and Ed25519 are not among its defaults.
    let schemes = [
        SslSignatureAlgorithm::ECDSA_SECP256R1_SHA256,
        SslSignatureAlgorithm::ECDSA_SECP384R1_SHA384,
        SslSignatureAlgorithm::ECDSA_SECP521R1_SHA512,
        SslSignatureAlgorithm::RSA_PSS_RSAE_SHA256,
        SslSignatureAlgorithm::ED25519,
    ];
    context.set_verify_algorithm_prefs(&schemes).map_err(words)?;
    if asked.has("early") {
        // SAFETY: the context is there.
        unsafe { ffi::SSL_CTX_set_early_data_enabled(context.as_ptr(), 1) };
    }
    Ok(context)
}

const ALL: &str = "X25519MLKEM768:X25519:P-256:P-384";

/// As it stands in the extension.
fn protocols(asked: &Asked) -> Vec<u8> {
    let one = |name: String| [&[name.len() as u8], name.as_bytes()].concat();
    asked.list("alpn").into_iter().flat_map(one).collect()
}

struct Connects {
    context: SslContext,
    session: Arc<Mutex<Option<SslSession>>>,
}

impl Client for Connects {
    fn engine(&self, early: Option<&[u8]>) -> Result<Box<dyn Engine>> {
        let session = self.session.lock().unwrap().take();
        let mut tls = Tls::new(&self.context, Role::Client, |ssl| {
            ssl.set_hostname("localhost").map_err(words)?;
            ssl.param_mut().set_host("localhost").map_err(words)?;
            match session {
                // SAFETY: the session is of this context.
                Some(session) => unsafe { ssl.set_session(&session) }.map_err(words),
                None => Ok(()),
            }
        })?;
        tls.early = early.map(<[u8]>::to_vec);
        Ok(Box::new(tls))
    }
}

fn client(asked: &Asked) -> Result<Connects> {
    let mut context = context(asked, "ca")?;
    if asked.has("alpn") {
        context.set_alpn_protos(&protocols(asked)).map_err(words)?;
    }
    let session = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&session);
    context.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    context.set_new_session_callback(move |_: &mut SslRef, session| *kept.lock().unwrap() = Some(session));
    Ok(Connects { context: context.build(), session })
}

fn server(asked: &Asked) -> Result<impl Fn() -> Result<Box<dyn Engine>> + Clone + Send + 'static + use<>> {
    let mut context = context(asked, "client-ca")?;
    context.set_session_id_context(b"peer").map_err(words)?;
    if asked.has("alpn") {
        let wanted = asked.list("alpn");
        context.set_alpn_select_callback(move |_, offered| {
            let is = |name: &[u8]| wanted.iter().any(|wanted| wanted.as_bytes() == name);
            let mut rest = offered;
            while let Some((&len, more)) = rest.split_first() {
                let Some((name, more)) = more.split_at_checked(len.into()) else { break };
                if is(name) {
                    return Ok(name);
                }
                rest = more;
            }
            Err(boring::ssl::AlpnError::NOACK)
        });
    }
    let context = context.build();
    Ok(move || Ok(Box::new(Tls::new(&context, Role::Server, |_| Ok(()))?) as Box<dyn Engine>))
}

fn main() {
    run(&version("boring-sys"), client, server);
}
