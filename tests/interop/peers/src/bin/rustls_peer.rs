//! rustls over aws-lc-rs.

use std::io::{Read, Write};
use std::sync::Arc;

use interop_peers::{Asked, Client, Engine, Got, Result, run, version, words};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection};

struct Tls(Connection);

impl Engine for Tls {
    fn receive(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            self.0.read_tls(&mut bytes).map_err(words)?;
            self.0.process_new_packets().map_err(words)?;
        }
        Ok(())
    }

    fn to_send(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        while self.0.wants_write() && self.0.write_tls(&mut sent).is_ok() {}
        sent
    }

    fn handshake(&mut self) -> Result<bool> {
        Ok(!self.0.is_handshaking())
    }

    fn read(&mut self) -> Result<Got> {
        let mut data = vec![0; 1 << 14];
        if let Connection::Server(server) = &mut self.0
            && let Some(mut early) = server.early_data()
            && let n @ 1.. = early.read(&mut data).map_err(words)?
        {
            data.truncate(n);
            return Ok(Got::Data(data));
        }
        match self.0.reader().read(&mut data) {
            Ok(0) => Ok(Got::Closed),
            Ok(n) => {
                data.truncate(n);
                Ok(Got::Data(data))
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(Got::Nothing),
            Err(error) => Err(words(error)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.writer().write_all(bytes).map_err(words)
    }

    fn rekey(&mut self) -> Result<()> {
        self.0.refresh_traffic_keys().map_err(words)
    }

    fn close(&mut self) {
        self.0.send_close_notify();
    }

    fn told(&self) -> String {
        format!(
            "{:?} {:?}",
            self.0.negotiated_cipher_suite().map(|suite| suite.suite()),
            self.0.handshake_kind()
        )
    }
}

/// With the suites and groups that are asked for.
fn provider(asked: &Asked) -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(suite) = asked.get("suite") {
        let name = suite.replace("TLS_", "TLS13_");
        provider.cipher_suites.retain(|known| format!("{:?}", known.suite()) == name);
    }
    if asked.has("groups") {
        let known = aws_lc_rs::ALL_KX_GROUPS;
        let find = |name: &String| {
            known.iter().copied().find(|group| format!("{:?}", group.name()).eq_ignore_ascii_case(name))
        };
        provider.kx_groups = asked.list("groups").iter().filter_map(find).collect();
    }
    Arc::new(provider)
}

fn roots(asked: &Asked, name: &str) -> Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    for ca in CertificateDer::pem_file_iter(asked.get(name).unwrap_or_default()).map_err(words)? {
        roots.add(ca.map_err(words)?).map_err(words)?;
    }
    Ok(Arc::new(roots))
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn pair(asked: &Asked) -> Result<Option<Pair>> {
    let (Some(cert), Some(key)) = (asked.get("cert"), asked.get("key")) else { return Ok(None) };
    let chain = CertificateDer::pem_file_iter(cert).map_err(words)?.collect::<std::result::Result<_, _>>();
    Ok(Some((chain.map_err(words)?, PrivateKeyDer::from_pem_file(key).map_err(words)?)))
}

fn alpn(asked: &Asked) -> Vec<Vec<u8>> {
    asked.list("alpn").into_iter().map(String::into_bytes).collect()
}

struct Connects(Arc<ClientConfig>);

impl Client for Connects {
    fn engine(&self, early: Option<&[u8]>) -> Result<Box<dyn Engine>> {
        let name = "localhost".try_into().map_err(words)?;
        let mut tls = ClientConnection::new(Arc::clone(&self.0), name).map_err(words)?;
        if let Some(early) = early {
            tls.early_data().ok_or("the ticket permits no early data")?.write_all(early).map_err(words)?;
        }
        Ok(Box::new(Tls(tls.into())))
    }
}

fn client(asked: &Asked) -> Result<Connects> {
    let config = ClientConfig::builder_with_provider(provider(asked))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(words)?
        .with_root_certificates(roots(asked, "ca")?);
    let mut config = match pair(asked)? {
        Some((chain, key)) => config.with_client_auth_cert(chain, key).map_err(words)?,
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = alpn(asked);
    config.enable_early_data = asked.has("early");
    Ok(Connects(Arc::new(config)))
}

fn server(asked: &Asked) -> Result<impl Fn() -> Result<Box<dyn Engine>> + Clone + Send + 'static + use<>> {
    let provider = provider(asked);
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(words)?;
    let config = if asked.has("client-ca") {
        let verifier = WebPkiClientVerifier::builder_with_provider(roots(asked, "client-ca")?, provider);
        config.with_client_cert_verifier(verifier.build().map_err(words)?)
    } else {
        config.with_no_client_auth()
    };
    let (chain, key) = pair(asked)?.ok_or("there is no certificate")?;
    let mut config = config.with_single_cert(chain, key).map_err(words)?;
    config.alpn_protocols = alpn(asked);
    if let Some(bytes) = asked.get("early") {
        config.max_early_data_size = bytes.parse().map_err(words)?;
    }
    let config = Arc::new(config);
    Ok(move || {
        let tls = ServerConnection::new(Arc::clone(&config)).map_err(words)?;
        Ok(Box::new(Tls(tls.into())) as Box<dyn Engine>)
    })
}

fn main() {
    run(&version("rustls"), client, server);
}
