//! A client's connection.

use alloc::sync::Arc;

use rustls_pki_types::ServerName;

use super::core::Core;
use super::early::EarlyWriter;
use super::event::Step;
use super::kernel::Kernel;
use super::line::Shown;
use super::methods::connection_methods;
use super::reading::Reading;
use super::side::ClientSide;
use super::split::{RecvHalf, SendHalf, Unsplit};
use super::writing::{Ask, Frame, Updated, Writing};
use crate::codepoint::ProtocolVersion;
use crate::config::ClientConfig;
use crate::error::{Error, Refusal};
use crate::handshake::{Offer, Tags, client};
use crate::question::Answer;
use crate::record::{Joiner, Opener, Sealer, SendBuf};

/// A client's connection: plain data, without sockets, clocks or locks.
///
/// It is driven by [`Client::process`]; see the crate's documentation for the loop.
pub struct Client {
    core: Core<ClientSide>,
}

impl Client {
    /// Starts a connection to the server that `name` names: its ClientHello is in `out` afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`] without randomness, [`Error::Refused`] when a configured list exceeds its field.
    pub fn start(
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
        offer: Offer,
        out: &mut SendBuf,
    ) -> Result<Self, Error> {
        let common = &config.common;
        let reading = Reading::new(Opener::plain(), Joiner::new(common.max_certificate));
        let writing =
            Writing::new(Sealer::plain(common.padding, common.sent_limit, ProtocolVersion::TLS_1_0));
        let tags = Tags::new(&*common.provider.rng)?;
        let side = ClientSide { config: Arc::clone(config) };
        let core = Core::new(
            side,
            reading,
            writing,
            tags,
            Shown::new(common),
            |side, carrier, tags| {
                client::start(name, offer, &mut client::Context { config: &side.config, carrier, tags })
            },
            out,
        )?;
        Ok(Self { core })
    }

    /// Sends early data (RFC 9846 section 2.3); `None` where the offer brought none, and once the server has refused it
    /// or has finished.
    pub fn early_writer(&mut self) -> Option<EarlyWriter<'_>> {
        self.core.early_left()?;
        Some(EarlyWriter { core: &mut self.core })
    }
}

connection_methods!(Client);
