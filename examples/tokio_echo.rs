//! An echo server over tokio, with a certificate chain and a key in PEM files:
//!
//! ```text
//! cargo run --features tokio --example tokio_echo -- 127.0.0.1:4433 chain.pem key.pem
//! ```

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use symbolon::config::{Credential, ServerConfig};
use symbolon::crypto::{Provider, rustcrypto};
use symbolon::io::tokio::{TlsAcceptor, TlsStream};
use symbolon::policy::Answerer;
use symbolon::question::{Answer, Question};
use symbolon::{AlertCode, Refusal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// All that a server without client certificates and tickets is asked for is a signature.
struct Signer(Provider);

impl Answerer for Signer {
    fn answer(&self, question: Question) -> Answer {
        let unexpected = || Refusal::text(AlertCode::INTERNAL_ERROR, "this server has no answer to that");
        match question {
            Question::Sign(question) => question.with_own_key(&*self.0.rng),
            Question::LookupPsk(question) => question.none(),
            Question::CheckReplay(question) => question.unknown(),
            Question::SealTicket(question) => question.none(),
            Question::ChooseCredential(question) => question.none(),
            Question::Configure(question) => question.refused(unexpected()),
            Question::VerifyPeer(question) => question.refused(unexpected()),
            other => panic!("a question that this example does not know: {other:?}"),
        }
    }
}

fn acceptor(chain: &str, key: &str) -> Result<TlsAcceptor, Box<dyn Error>> {
    let provider = rustcrypto::provider();
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<Vec<_>, _>>()?;
    let key = (provider.load_key)(&PrivateKeyDer::from_pem_file(key)?)?;
    let config = ServerConfig::builder(provider.clone()).credential(Credential::new(chain, key)?).build()?;
    Ok(TlsAcceptor::new(config, Arc::new(Signer(provider))))
}

/// Sends everything back until the client closes.
async fn echo(mut stream: TlsStream<TcpStream>) -> io::Result<()> {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let n = stream.read(&mut bytes).await?;
        if n == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(&bytes[..n]).await?;
        stream.flush().await?;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(chain), Some(key)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: tokio_echo <address> <chain.pem> <key.pem>".into());
    };
    let acceptor = acceptor(&chain, &key)?;
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (socket, peer) = listener.accept().await?;
        let accepting = acceptor.accept(socket);
        tokio::spawn(async move {
            let served = async { echo(accepting.await?).await };
            match served.await {
                Ok(()) => println!("{peer}: done"),
                Err(error) => println!("{peer}: {error}"),
            }
        });
    }
}
