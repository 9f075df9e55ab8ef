//! Accepting as a server.

use std::fmt;
use std::future::Future;
use std::io::Result;
use std::sync::Arc;
use std::time::Duration;

use ::tokio::io::{AsyncRead, AsyncWrite};

use super::super::buffers::Buffers;
use super::super::conn::Start;
use super::super::observer::Observer;
use super::answer::{AsyncAnswerer, Immediate};
use super::connect::{Common, Deadline, common_settings};
use super::early::EarlyAccept;
use super::stream::TlsStream;
use crate::config::{Credential, ServerConfig};
use crate::error::Refusal;
use crate::policy::Answerer;
use crate::question::{Configure, Offered};

/// Makes TLS streams to clients. Cheap to clone.
#[derive(Clone)]
pub struct TlsAcceptor {
    config: Arc<ServerConfig>,
    common: Common,
}

impl TlsAcceptor {
    /// An acceptor whose questions are answered on the spot.
    #[must_use]
    pub fn new(config: Arc<ServerConfig>, answerer: Arc<dyn Answerer>) -> Self {
        Self::asking(config, Arc::new(Immediate(answerer)))
    }

    /// An acceptor whose questions are answered by futures.
    #[must_use]
    pub fn asking(config: Arc<ServerConfig>, answerer: Arc<dyn AsyncAnswerer>) -> Self {
        Self { config, common: Common::new(answerer) }
    }

    common_settings!();

    /// Makes a TLS stream over `io` to a client. Dropping the future drops the question that is out. Early data is kept
    /// for [`TlsStream::read_early`].
    ///
    /// # Errors
    ///
    /// `TimedOut`, those of the transport, and those of this library: see [`tls_error`](crate::io::tls_error).
    pub fn accept<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        io: IO,
    ) -> impl Future<Output = Result<TlsStream<IO>>> + use<IO> {
        let stream = self.stream(io);
        let patience = self.common.patience;
        async move { Deadline::after(patience).limit(stream.establish()).await }
    }

    /// Begins to make a TLS stream over `io` to a client, so that early data can be read and answered on the way. The time
    /// limit covers the whole handshake.
    pub fn accept_early<IO>(&self, io: IO) -> EarlyAccept<IO> {
        EarlyAccept::new(self.stream(io), Deadline::after(self.common.patience))
    }

    /// Reads the ClientHello alone, so that the caller chooses what serves it. The acceptor's configuration must
    /// have no credential of its own. The time limit covers the whole handshake, the caller's choice included.
    ///
    /// # Errors
    ///
    /// As [`TlsAcceptor::accept`], and `InvalidInput` where the configuration has a credential of its own.
    pub fn start<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        io: IO,
    ) -> impl Future<Output = Result<StartHandshake<IO>>> + use<IO> {
        let mut stream = self.stream(io);
        let patience = self.common.patience;
        async move {
            let deadline = Deadline::after(patience);
            let question = deadline.limit(stream.until_configure()).await?;
            Ok(StartHandshake { stream, question, deadline })
        }
    }

    fn stream<IO>(&self, io: IO) -> TlsStream<IO> {
        self.common.stream(Start::Server { config: Arc::clone(&self.config) }, io)
    }
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptor").field("config", &self.config).finish_non_exhaustive()
    }
}

/// A handshake of which only the ClientHello was read.
pub struct StartHandshake<IO> {
    stream: TlsStream<IO>,
    question: Configure,
    deadline: Deadline,
}

impl<IO> StartHandshake<IO> {
    /// What the client offers. None of it is authenticated yet.
    #[must_use]
    pub fn offered(&self) -> &Offered {
        self.question.offered()
    }

    /// The transport.
    pub fn get_ref(&self) -> &IO {
        self.stream.get_ref()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> StartHandshake<IO> {
    /// Goes on with this configuration and this credential.
    ///
    /// # Errors
    ///
    /// As [`TlsAcceptor::accept`].
    pub async fn into_stream(
        self,
        config: Arc<ServerConfig>,
        credential: Arc<Credential>,
    ) -> Result<TlsStream<IO>> {
        let Self { mut stream, question, deadline } = self;
        let answer = question.with(config, credential);
        let finish = async {
            stream.resume(answer).await?;
            stream.establish().await
        };
        deadline.limit(finish).await
    }

    /// As [`StartHandshake::into_stream`], so that early data can be read and answered on the way.
    ///
    /// # Errors
    ///
    /// As [`TlsAcceptor::accept`].
    pub async fn into_early(
        self,
        config: Arc<ServerConfig>,
        credential: Arc<Credential>,
    ) -> Result<EarlyAccept<IO>> {
        let Self { mut stream, question, deadline } = self;
        deadline.limit(stream.resume(question.with(config, credential))).await?;
        Ok(EarlyAccept::new(stream, deadline))
    }

    /// Refuses the client, for example with `unrecognized_name`.
    ///
    /// # Errors
    ///
    /// Those of the transport; a refusal that was delivered is none.
    pub async fn refuse(self, refusal: Refusal) -> Result<()> {
        let Self { mut stream, question, deadline } = self;
        let refused = deadline.limit(stream.resume(question.refused(refusal))).await;
        match refused {
            Err(error) if super::super::tls_error(&error).is_none() => Err(error),
            _ => Ok(()),
        }
    }
}

impl<IO: fmt::Debug> fmt::Debug for StartHandshake<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartHandshake").field("offered", self.offered()).finish_non_exhaustive()
    }
}
