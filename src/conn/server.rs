//! A server's connection.

use alloc::sync::Arc;

use rustls_pki_types::UnixTime;

use super::core::Core;
use super::early::HalfRttWriter;
use super::event::Step;
use super::kernel::Kernel;
use super::line::Shown;
use super::methods::connection_methods;
use super::reading::Reading;
use super::side::ServerSide;
use super::split::{RecvHalf, SendHalf, Unsplit};
use super::writing::{Ask, Frame, Updated, Writing};
use crate::codepoint::ProtocolVersion;
use crate::config::ServerConfig;
use crate::error::{Error, Refusal};
use crate::handshake::{Tags, server};
use crate::question::Answer;
use crate::record::{Joiner, Opener, Sealer, SendBuf};

/// A server's connection: plain data, without sockets, clocks or locks.
///
/// It is driven by [`Server::process`]; see the crate's documentation for the loop.
pub struct Server {
    core: Core<ServerSide>,
}

impl Server {
    /// Waits for a ClientHello. A HelloRetryRequest of this connection keeps its state here.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`] without randomness.
    pub fn new(config: &Arc<ServerConfig>) -> Result<Self, Error> {
        Self::accept(config, None)
    }

    /// Waits for a ClientHello, also for one with a cookie of the configured
    /// [`StatelessRetry`](crate::config::StatelessRetry), whose age is judged at `now`.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`] without randomness.
    pub fn new_at(config: &Arc<ServerConfig>, now: UnixTime) -> Result<Self, Error> {
        Self::accept(config, Some(now))
    }

    fn accept(config: &Arc<ServerConfig>, now: Option<UnixTime>) -> Result<Self, Error> {
        let common = &config.common;
        let reading = Reading::new(Opener::plain(), Joiner::new(common.max_certificate));
        let writing =
            Writing::new(Sealer::plain(common.padding, common.sent_limit, ProtocolVersion::TLS_1_2));
        let tags = Tags::new(&*common.provider.rng)?;
        let core = Core::new(
            ServerSide,
            reading,
            writing,
            tags,
            Shown::new(common),
            |_, carrier, tags| Ok(server::accept(config, now, &mut server::Context { carrier, tags })),
            &mut SendBuf::default(),
        )?;
        Ok(Self { core })
    }

    /// Sends data before the client's Finished (RFC 9846 section 2.3); `None` before our own Finished and once the
    /// handshake is complete.
    pub fn half_rtt_writer(&mut self) -> Option<HalfRttWriter<'_>> {
        let to = self.core.half_rtt()?;
        Some(HalfRttWriter { core: &mut self.core, to })
    }
}

connection_methods!(Server);
