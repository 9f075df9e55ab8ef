//! EndOfEarlyData and the client's Finished (RFC 9846 sections 4.6 and 4.5.3): the end of the handshake.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::server_hello::Retried;
use super::{Chosen, Context, Established, ServerNext, State};
use crate::codepoint::SignatureScheme;
use crate::config::ServerConfig;
use crate::error::{Error, Failed};
use crate::handshake::auth::check_finished;
use crate::handshake::{EarlyOpening, Next, Resumed, Summary};
use crate::moment::Moment;
use crate::psk::{NoEarlyData, NotResumed};
use crate::question::{SealTicket, SessionFacts, Verified};
use crate::record::{Message, SizeLimit};
use crate::schedule::{
    ApplicationEpoch, Client, Ending as MainEnding, Exporter, Finished, Keys, Resumption, Traffic,
};
use crate::transcript::Transcript;
use crate::wire::message::parse_end_of_early_data;

/// Everything after our own Finished.
pub(super) struct Ending {
    pub(super) config: Arc<ServerConfig>,
    pub(super) chosen: Chosen,
    pub(super) retried: Retried,
    pub(super) early_data: Result<(), NoEarlyData>,
    pub(super) authenticated: Authenticated,
    pub(super) transcript: Transcript,
    pub(super) client_finished: Finished<Client>,
    pub(super) read: Traffic<Client, ApplicationEpoch>,
    pub(super) exporter: Exporter,
    pub(super) main: MainEnding,
}

/// How the two sides know each other.
pub(super) struct Authenticated {
    /// Of our certificate, unless a key stands for it.
    pub(super) signature: Option<SignatureScheme>,
    pub(super) resumed: Result<Resumed, NotResumed>,
    /// When the full handshake took place that a resumed session goes back to.
    pub(super) authenticated: Option<Moment>,
    /// The client, if it was authenticated.
    pub(super) peer: Option<Verified>,
}

impl Ending {
    /// What the application gets to know before the first byte of early data, of which there may be `max`.
    pub(super) fn opening(&self, max: u32) -> EarlyOpening {
        EarlyOpening {
            suite: self.chosen.suite.suite.id,
            alpn: self.chosen.alpn.clone(),
            server_name: self.chosen.server_name.clone(),
            peer: self.authenticated.peer.as_ref().map(Verified::share_peer),
            max,
        }
    }
}

/// Waits for EndOfEarlyData, behind early data.
pub(crate) struct WaitEndOfEarlyData {
    pub(super) ending: Box<Ending>,
    /// The keys of the client's second flight.
    pub(super) read: Keys<Client>,
    /// Our limit on the records that those keys open.
    pub(super) limit: Option<SizeLimit>,
}

impl WaitEndOfEarlyData {
    pub(super) fn on_end_of_early_data(
        self,
        mut message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Self { mut ending, read, limit } = self;
        parse_end_of_early_data(message.body)?;
        let boundary = message.boundary()?;
        ending.transcript.absorb(message.raw);
        cx.carrier.rekey_read(read, boundary);
        cx.carrier.limit_records(limit, None);
        cx.carrier.close_early();
        Ok(Next::Wait(State::Finished(WaitFinished { ending })))
    }
}

/// Waits for the client's Finished.
pub(crate) struct WaitFinished {
    pub(super) ending: Box<Ending>,
}

impl WaitFinished {
    pub(super) fn on_finished(
        self,
        mut message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Ending {
            config,
            chosen,
            retried,
            early_data,
            authenticated,
            mut transcript,
            client_finished,
            read,
            exporter,
            main,
        } = *self.ending;
        let finished = check_finished(message.body, &client_finished, &transcript)?;
        let boundary = message.boundary()?;
        transcript.absorb(message.raw);
        let suite = chosen.suite.suite;
        cx.carrier.rekey_read(read.keys(suite.aead)?, boundary);
        let peer = authenticated.peer.map(Verified::into_peer);
        // An external key is no certificate: its owner is refused, too, once one is required.
        let certified = peer.as_ref().is_some_and(|peer| peer.was_verified());
        let anonymous = !certified && config.client_auth.authorities().is_some();
        let summary = Box::new(Summary {
            suite: suite.id,
            group: chosen.group,
            signature: authenticated.signature,
            alpn: chosen.alpn,
            server_name: chosen.server_name,
            peer,
            anonymous,
            retried: retried != Retried::No,
            resumed: authenticated.resumed,
            early_data,
        });
        let tickets = match chosen.tickets {
            0 => Vec::new(),
            count => {
                let resumption = main.resumption(&transcript.digest())?;
                ask_tickets(count, config, authenticated.authenticated, &summary, &resumption, cx)?
            }
        };
        Ok(Next::Done(Established { suite, read, exporter, summary, tickets, remember: None, finished }))
    }
}

/// A question for each ticket (RFC 9846 section 4.7.1).
fn ask_tickets(
    count: u8,
    config: Arc<ServerConfig>,
    authenticated: Option<Moment>,
    summary: &Summary,
    resumption: &Resumption,
    cx: &mut Context<'_>,
) -> Result<Vec<SealTicket>, Failed> {
    let (name, alpn) = (summary.server_name.as_deref(), summary.alpn.as_deref());
    let max_early_data = match &config.early_data {
        Some(policy) if policy.permits(name, alpn).is_ok() => policy.max,
        _ => 0,
    };
    let rng = Arc::clone(&config.common.provider.rng);
    let facts = Arc::new(SessionFacts {
        config,
        suite: summary.suite,
        alpn: summary.alpn.clone(),
        server_name: summary.server_name.clone(),
        peer: summary.peer.clone(),
        authenticated,
        max_early_data,
    });
    let mut questions = Vec::with_capacity(usize::from(count));
    for number in 0..count {
        // "The server MUST generate a fresh value for each ticket it sends." "ticket_nonce: A per-ticket value that
        // is unique across all tickets issued on this connection."
        let mut age_add = [0; 4];
        rng.fill(&mut age_add)?;
        let nonce = Vec::from([number]);
        let psk = resumption.psk(&nonce)?;
        let age_add = u32::from_be_bytes(age_add);
        questions.push(SealTicket { tag: cx.tags.next(), nonce, age_add, psk, facts: Arc::clone(&facts) });
    }
    Ok(questions)
}
