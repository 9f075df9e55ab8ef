//! The handshake's carrier over TCP records.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::event::{Direction, Epoch, Event, MessageKind, Reported, Revealed};
use super::reading::EarlyReading;
use super::side::{EstablishedOf, NextOf, Side};
use super::writing::Writing;
use crate::codepoint::ContentType;
use crate::config::{Common, Messages, Secrets};
use crate::crypto::{HashSecret, Suite};
use crate::error::{Error, Failed};
use crate::handshake::{Carrier, EarlyOpening, EarlyVerdict, HalfRtt, Next, SecretLabel};
use crate::record::{EpochBoundary, Opener, SendBuf, SizeLimit, Skip, Skipped};
use crate::schedule::{ApplicationEpoch, Exporter, Keys, Traffic};
use crate::wire::message::{HEADER_LEN, parse_header};

/// What the handshake needs of a connection beside its two sides: gone when it is complete.
pub(super) struct Gathering<W> {
    /// Whole messages that are not sealed yet.
    messages: Vec<u8>,
    change_cipher_spec: ChangeCipherSpec,
    early: EarlyKeys<W>,
    /// Whom application data goes to before the handshake is complete, once its keys are there.
    pub(super) half_rtt: Option<HalfRtt>,
    pub(super) early_exporter: Option<Arc<Exporter>>,
}

/// A client's keys for early data are in use.
enum EarlyKeys<W> {
    /// They are not, or no more.
    Unused,
    /// ServerHello has not come: an alert goes unprotected, since the server may not have these keys.
    Sole { left: u32 },
    /// Those of the handshake wait until early data has ended, or until there is an alert to send.
    Staged { left: u32, keys: Keys<W>, suite: &'static Suite },
}

/// The compatibility ChangeCipherSpec (RFC 9846 appendix E.4): sent at most once, before a protected record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ChangeCipherSpec {
    NotDue,
    Due,
    Sent,
}

impl<W> Gathering<W> {
    pub(super) fn new() -> Self {
        Self {
            messages: Vec::new(),
            change_cipher_spec: ChangeCipherSpec::NotDue,
            early: EarlyKeys::Unused,
            half_rtt: None,
            early_exporter: None,
        }
    }

    /// How many bytes of early data may still be sent, while they may.
    pub(super) fn early_left(&self) -> Option<u32> {
        match &self.early {
            EarlyKeys::Unused => None,
            EarlyKeys::Sole { left } | EarlyKeys::Staged { left, .. } => Some(*left),
        }
    }

    /// So many bytes of it were sent.
    pub(super) fn spend_early(&mut self, bytes: usize) {
        if let EarlyKeys::Sole { left } | EarlyKeys::Staged { left, .. } = &mut self.early {
            *left = left.saturating_sub(u32::try_from(bytes).unwrap_or(u32::MAX));
        }
    }
}

/// What is shown to the caller beside the protocol's own events.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    secrets: Secrets,
    messages: Messages,
}

impl Shown {
    pub(super) fn new(common: &Common) -> Self {
        Self { secrets: common.secrets, messages: common.messages }
    }

    /// Reports a message that passed.
    pub(super) fn message(self, reported: Reported, events: &mut VecDeque<Event<'static>>) {
        if self.messages == Messages::Reported {
            events.push_back(Event::Message(reported));
        }
    }
}

/// One step of a handshake on its way to the records.
pub(super) struct Line<'a, S: Side> {
    pub(super) opener: &'a mut Opener<S::Read>,
    pub(super) reads_early: &'a mut EarlyReading,
    pub(super) writing: &'a mut Writing<S::Write>,
    pub(super) gathering: &'a mut Gathering<S::Write>,
    pub(super) events: &'a mut VecDeque<Event<'static>>,
    pub(super) shown: &'a mut Shown,
    pub(super) out: &'a mut SendBuf,
}

impl<S: Side> Line<'_, S> {
    /// Sends a ChangeCipherSpec if one is due before what is sent next.
    pub(super) fn flush_compatibility(&mut self) -> Result<(), Failed> {
        if self.gathering.change_cipher_spec == ChangeCipherSpec::Due {
            self.gathering.change_cipher_spec = ChangeCipherSpec::Sent;
            self.writing.sealer.change_cipher_spec(self.out)?;
            self.report(MessageKind::ChangeCipherSpec, 1, Epoch::Plaintext);
        }
        Ok(())
    }

    /// What must precede an alert: keys that the peer has, and a ChangeCipherSpec that is due.
    pub(super) fn prepare_alert(&mut self) -> Result<(), Failed> {
        match core::mem::replace(&mut self.gathering.early, EarlyKeys::Unused) {
            EarlyKeys::Unused => {}
            EarlyKeys::Sole { .. } => self.writing.plain_again(),
            EarlyKeys::Staged { keys, suite, .. } => self.writing.rekey(keys, suite, Epoch::Handshake),
        }
        if self.writing.sealer.is_protected() { self.flush_compatibility() } else { Ok(()) }
    }

    /// Carries out where the machine went; an established handshake is left to the caller.
    pub(super) fn arrive(
        &mut self,
        state: &mut Option<S::State>,
        next: NextOf<S>,
    ) -> Result<Option<EstablishedOf<S>>, Error> {
        match next {
            Next::Wait(next) => *state = Some(next),
            Next::Ask(next, question) => {
                self.events.push_back(Event::Ask(question));
                *state = Some(next);
            }
            Next::Retried(next) => {
                self.events.push_back(Event::RetrySent);
                *state = Some(next);
            }
            Next::Done(established) => {
                self.end_flight()?;
                return Ok(Some(established));
            }
        }
        Ok(None)
    }

    fn report(&mut self, kind: MessageKind, len: usize, epoch: Epoch) {
        self.shown.message(Reported { direction: Direction::Sent, kind, len, epoch }, self.events);
    }

    /// Reports each of the messages that are about to be sealed.
    fn report_gathered(&mut self) {
        if self.shown.messages == Messages::Unreported {
            return;
        }
        let epoch = self.writing.epoch();
        let mut at = 0;
        while let Some(header) =
            self.gathering.messages.get(at..).and_then(|rest| rest.first_chunk::<{ HEADER_LEN }>())
        {
            let header = parse_header(header);
            let len = HEADER_LEN.saturating_add(header.len);
            self.report(MessageKind::Handshake(header.kind), len, epoch);
            at = at.saturating_add(len);
        }
    }
}

impl<S: Side> Carrier for Line<'_, S> {
    type Read = S::Read;
    type Write = S::Write;

    fn messages(&mut self) -> &mut Vec<u8> {
        &mut self.gathering.messages
    }

    //= testvectors/requirements/rfc9846.txt#section-5.1
    //# implementations MUST send these messages in alignment with a record boundary
    fn end_flight(&mut self) -> Result<(), Error> {
        if self.gathering.messages.is_empty() {
            return Ok(());
        }
        self.flush_compatibility()?;
        self.report_gathered();
        self.writing.sealer.seal(ContentType::HANDSHAKE, &self.gathering.messages, self.out)?;
        self.gathering.messages.clear();
        Ok(())
    }

    fn rekey_read(&mut self, keys: Keys<S::Read>, boundary: EpochBoundary) {
        self.opener.rekey(keys, boundary);
    }

    fn rekey_write(&mut self, keys: Keys<S::Write>, suite: &Suite) -> Result<(), Error> {
        self.end_flight()?;
        self.gathering.early = EarlyKeys::Unused;
        self.writing.rekey(keys, suite, Epoch::Handshake);
        Ok(())
    }

    fn open_write(
        &mut self,
        traffic: Traffic<S::Write, ApplicationEpoch>,
        suite: &'static Suite,
        to: HalfRtt,
    ) -> Result<(), Error> {
        self.end_flight()?;
        self.writing.rekey(traffic.keys(suite.aead)?, suite, Epoch::Application);
        self.writing.establish(suite, traffic);
        self.gathering.half_rtt = Some(to);
        Ok(())
    }

    fn send_early(&mut self, keys: Keys<S::Write>, suite: &Suite, max: u32) {
        self.writing.rekey(keys, suite, Epoch::Early);
        self.gathering.early = EarlyKeys::Sole { left: max };
    }

    fn write_plain_again(&mut self) {
        self.writing.plain_again();
        self.gathering.early = EarlyKeys::Unused;
    }

    fn stage_write(&mut self, keys: Keys<S::Write>, suite: &'static Suite) {
        let left = self.gathering.early_left().unwrap_or(0);
        self.gathering.early = EarlyKeys::Staged { left, keys, suite };
    }

    fn change_write(&mut self) -> Result<(), Error> {
        self.end_flight()?;
        match core::mem::replace(&mut self.gathering.early, EarlyKeys::Unused) {
            EarlyKeys::Staged { keys, suite, .. } => self.writing.rekey(keys, suite, Epoch::Handshake),
            EarlyKeys::Unused | EarlyKeys::Sole { .. } => {}
        }
        Ok(())
    }

    fn early_verdict(&mut self, verdict: EarlyVerdict) {
        if verdict == EarlyVerdict::Refused {
            self.gathering.early_exporter = None;
        }
        self.events.push_back(Event::EarlyVerdict(verdict));
    }

    fn open_early(&mut self, opening: EarlyOpening) {
        *self.reads_early = EarlyReading::Open { left: opening.max };
        self.events.push_back(Event::EarlyOpen(Box::new(opening)));
    }

    fn close_early(&mut self) {
        *self.reads_early = EarlyReading::Ended;
        self.events.push_back(Event::EarlyEnd);
    }

    fn early_exporter(&mut self, exporter: Exporter) {
        self.gathering.early_exporter = Some(Arc::new(exporter));
    }

    fn compat_ccs(&mut self) {
        if self.gathering.change_cipher_spec == ChangeCipherSpec::NotDue {
            self.gathering.change_cipher_spec = ChangeCipherSpec::Due;
        }
    }

    fn compat_ccs_now(&mut self) -> Result<(), Error> {
        self.compat_ccs();
        Ok(self.flush_compatibility()?)
    }

    fn limit_records(&mut self, ours: Option<SizeLimit>, peers: Option<SizeLimit>) {
        if let Some(limit) = ours {
            self.opener.set_limit(limit);
        }
        if let Some(limit) = peers {
            self.writing.sealer.set_limit(limit);
        }
    }

    fn adopt(&mut self, common: &Common) {
        *self.shown = Shown::new(common);
        self.writing.sealer.configure(common.padding, common.sent_limit);
    }

    fn skip_early_data(&mut self, skip: Skip) {
        self.opener.set_skip(skip);
    }

    fn skipped(&self) -> Skipped {
        self.opener.skipped()
    }

    fn reveal(&mut self, label: SecretLabel, client_random: &[u8; 32], secret: &[u8]) {
        if self.shown.secrets == Secrets::Revealed
            && let Some(secret) = HashSecret::copy_of(secret)
        {
            self.events.push_back(Event::Secret(Revealed { label, client_random: *client_random, secret }));
        }
    }
}
