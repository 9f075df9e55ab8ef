//! Connecting as a client, and what connecting and accepting have in common.

use std::fmt;
use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;

use ::tokio::io::{AsyncRead, AsyncWrite};
use ::tokio::time::{Instant, timeout_at};
use rustls_pki_types::ServerName;

use super::super::buffers::Buffers;
use super::super::conn::{EarlyData, Start};
use super::super::observer::Observer;
use super::super::pump::Pump;
use super::super::sessions::Keeper;
use super::answer::{AsyncAnswerer, Immediate};
use super::early::EarlyConnect;
use super::parting::Clock;
use super::stream::TlsStream;
use crate::config::ClientConfig;
use crate::conn::Offer;
use crate::policy::Answerer;

/// How long a handshake may take unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a connector or an acceptor gives to each of its streams.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) answerer: Arc<dyn AsyncAnswerer>,
    pub(super) buffers: Buffers,
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// How long a handshake may take; `None` touches no timer.
    pub(super) patience: Option<Duration>,
}

/// When a handshake must be complete.
#[derive(Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Common {
    pub(super) fn new(answerer: Arc<dyn AsyncAnswerer>) -> Self {
        Self { answerer, buffers: Buffers::new(), observer: None, patience: Some(PATIENCE) }
    }

    pub(super) fn stream<IO>(&self, start: Start, io: IO) -> TlsStream<IO> {
        let keeper = Keeper::Async(Arc::clone(&self.answerer));
        let mut pump = Pump::new(start, self.buffers.clone(), keeper);
        if let Some(observer) = &self.observer {
            pump.set_observer(Arc::clone(observer));
        }
        let clock = self.patience.map_or(Clock::Stopped, |_| Clock::Ticking);
        TlsStream::new(io, pump, Arc::clone(&self.answerer), clock)
    }
}

impl Deadline {
    pub(super) fn after(patience: Option<Duration>) -> Self {
        Self(patience.and_then(|patience| Instant::now().checked_add(patience)))
    }

    pub(super) async fn limit<V>(self, future: impl Future<Output = Result<V>>) -> Result<V> {
        match self.0 {
            None => future.await,
            Some(deadline) => timeout_at(deadline, future).await.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::TimedOut, "the handshake took longer than its time limit"))
            }),
        }
    }
}

/// Gives a connector or an acceptor the settings that both have.
macro_rules! common_settings {
    () => {
        /// How long a handshake may take, its questions included; by default 10 seconds. Later is `TimedOut`.
        #[must_use]
        pub fn handshake_timeout(mut self, limit: Duration) -> Self {
            self.common.patience = Some(limit);
            self
        }

        /// Touches no timer at all: a handshake may take for ever, and after a fault no time is spent on draining
        /// the transport, so that a reset may overtake the alert.
        #[must_use]
        pub fn without_time_limits(mut self) -> Self {
            self.common.patience = None;
            self
        }

        /// Takes buffers from this pool rather than from one of its own.
        #[must_use]
        pub fn with_buffers(mut self, buffers: &Buffers) -> Self {
            self.common.buffers = buffers.clone();
            self
        }

        /// The pool that its streams share.
        #[must_use]
        pub fn buffers(&self) -> &Buffers {
            &self.common.buffers
        }

        /// Has `observer` look on at every stream.
        #[must_use]
        pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
            self.common.observer = Some(observer);
            self
        }
    };
}
pub(super) use common_settings;

/// Makes TLS streams to servers. Cheap to clone.
#[derive(Clone)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
    common: Common,
}

impl TlsConnector {
    /// A connector whose questions are answered on the spot.
    #[must_use]
    pub fn new(config: Arc<ClientConfig>, answerer: Arc<dyn Answerer>) -> Self {
        Self::asking(config, Arc::new(Immediate(answerer)))
    }

    /// A connector whose questions are answered by futures.
    #[must_use]
    pub fn asking(config: Arc<ClientConfig>, answerer: Arc<dyn AsyncAnswerer>) -> Self {
        Self { config, common: Common::new(answerer) }
    }

    common_settings!();

    /// Makes a TLS stream over `io` to the server that `name` names. It resumes by a ticket where the answerer's store has
    /// one.
    ///
    /// # Errors
    ///
    /// `TimedOut`, those of the transport, and those of this library: see [`tls_error`](crate::io::tls_error).
    pub fn connect<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        name: ServerName<'static>,
        io: IO,
    ) -> impl Future<Output = Result<TlsStream<IO>>> + use<IO> {
        self.establish(name, None, io)
    }

    /// As [`TlsConnector::connect`], with what the client brings along from earlier connections instead of a ticket from
    /// the answerer's store.
    ///
    /// # Errors
    ///
    /// As [`TlsConnector::connect`].
    pub fn connect_with<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        name: ServerName<'static>,
        offer: Offer,
        io: IO,
    ) -> impl Future<Output = Result<TlsStream<IO>>> + use<IO> {
        self.establish(name, Some(offer), io)
    }

    /// Begins to make a TLS stream over `io` to the server that `name` names, so that early data can be sent on the way, if
    /// the answerer's store has a ticket that permits it. The time limit covers the whole handshake.
    pub fn connect_early<IO>(&self, name: ServerName<'static>, io: IO) -> EarlyConnect<IO> {
        let stream = self.stream(name, None, EarlyData::Wanted, io);
        EarlyConnect::new(stream, Deadline::after(self.common.patience))
    }

    /// As [`TlsConnector::connect_early`], with what the client brings along from earlier connections instead of a ticket
    /// from the answerer's store.
    pub fn connect_early_with<IO>(
        &self,
        name: ServerName<'static>,
        offer: Offer,
        io: IO,
    ) -> EarlyConnect<IO> {
        let stream = self.stream(name, Some(offer), EarlyData::Wanted, io);
        EarlyConnect::new(stream, Deadline::after(self.common.patience))
    }

    fn establish<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        name: ServerName<'static>,
        offer: Option<Offer>,
        io: IO,
    ) -> impl Future<Output = Result<TlsStream<IO>>> + use<IO> {
        let stream = self.stream(name, offer, EarlyData::Unwanted, io);
        let patience = self.common.patience;
        async move { Deadline::after(patience).limit(stream.establish()).await }
    }

    fn stream<IO>(
        &self,
        name: ServerName<'static>,
        offer: Option<Offer>,
        early: EarlyData,
        io: IO,
    ) -> TlsStream<IO> {
        self.common.stream(Start::Client { config: Arc::clone(&self.config), name, offer, early }, io)
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").field("config", &self.config).finish_non_exhaustive()
    }
}
