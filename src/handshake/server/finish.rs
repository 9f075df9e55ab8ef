//! The client's Finished (RFC 9846 section 4.5.3): the end of the handshake.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::flight::Retried;
use super::{Chosen, Context, Established, ServerNext};
use crate::codepoint::CipherSuite;
use crate::config::ServerConfig;
use crate::error::{Error, Failed};
use crate::handshake::auth::check_finished;
use crate::handshake::{Next, Summary};
use crate::question::{SealTicket, Verified};
use crate::record::Message;
use crate::schedule::{ApplicationEpoch, Client, Ending as MainEnding, Exporter, Finished, Server, Traffic};
use crate::transcript::Transcript;

/// Everything after our own Finished.
pub(super) struct Ending {
    pub(super) config: Arc<ServerConfig>,
    pub(super) chosen: Chosen,
    pub(super) retried: Retried,
    pub(super) transcript: Transcript,
    pub(super) client_finished: Finished<Client>,
    pub(super) read: Traffic<Client, ApplicationEpoch>,
    pub(super) write: Traffic<Server, ApplicationEpoch>,
    pub(super) exporter: Exporter,
    pub(super) main: MainEnding,
}

/// Waits for the client's Finished.
pub(crate) struct WaitFinished {
    pub(super) ending: Box<Ending>,
    pub(super) peer: Option<Verified>,
}

impl WaitFinished {
    pub(super) fn on_finished(
        self,
        mut message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Self { ending, peer } = self;
        let Ending { config, chosen, retried, mut transcript, client_finished, read, write, exporter, main } =
            *ending;
        let finished = check_finished(message.body, &client_finished, &transcript)?;
        let boundary = message.boundary()?;
        transcript.absorb(message.raw);
        let suite = chosen.suite.suite;
        cx.carrier.rekey_read(read.keys(suite.aead)?, boundary);
        let tickets = ask_tickets(&config, suite.id, main, &transcript, cx)?;
        let summary = Box::new(Summary {
            suite: suite.id,
            group: chosen.group,
            signature: chosen.signature,
            alpn: chosen.alpn,
            server_name: chosen.server_name,
            peer: peer.map(Verified::into_peer),
            retried: retried == Retried::Yes,
            not_resumed: chosen.not_resumed,
        });
        Ok(Next::Done(Established { suite, read, write, exporter, summary, tickets, finished }))
    }
}

/// A question for each ticket that is configured (RFC 9846 section 4.7.1).
fn ask_tickets(
    config: &ServerConfig,
    suite: CipherSuite,
    main: MainEnding,
    transcript: &Transcript,
    cx: &mut Context<'_>,
) -> Result<Vec<SealTicket>, Failed> {
    if config.tickets == 0 {
        return Ok(Vec::new());
    }
    let resumption = main.resumption(&transcript.digest())?;
    let mut questions = Vec::with_capacity(usize::from(config.tickets));
    for number in 0..config.tickets {
        // "The server MUST generate a fresh value for each ticket it sends." "ticket_nonce: A per-ticket value that
        // is unique across all tickets issued on this connection."
        let mut age_add = [0; 4];
        config.common.provider.rng.fill(&mut age_add)?;
        let nonce = Vec::from([number]);
        let psk = resumption.psk(&nonce)?;
        let age_add = u32::from_be_bytes(age_add);
        questions.push(SealTicket { tag: cx.tags.next(), suite, nonce, age_add, psk });
    }
    Ok(questions)
}
