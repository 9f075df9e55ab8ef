//! The sending side of a connection: application data, key updates, closing.

use super::event::Epoch;
use super::split::Order;
use crate::alert::AlertCode;
use crate::codepoint::ContentType;
use crate::crypto::Suite;
use crate::error::{Error, Failed, Misuse};
use crate::handshake::new_session_ticket;
use crate::question::{Answer, Verdict};
use crate::record::{HEADER_LEN, Sealer, SendBuf, TAIL_LEN};
use crate::schedule::{ApplicationEpoch, Direction, Keys, Traffic};
use crate::wire::key_update::{KeyUpdateRequest, encode};
use alloc::vec::Vec;

//= testvectors/requirements/rfc9846.txt#section-4.7.3
//# sending implementations MUST NOT allow the epoch -- and hence the number of key updates -- to exceed
//# 2^48-1
const MAX_UPDATES: u64 = (1 << 48) - 1;

/// Smaller rests of a full buffer are not worth a record.
const WORTH_A_RECORD: usize = 1024;

/// How many records under a key are kept back from application data.
const RESERVED: u64 = 2;

/// The level byte of closure alerts (RFC 9846 section 6).
const WARNING: u8 = 1;
/// The level byte of error alerts.
const FATAL: u8 = 2;

/// Whom a key update concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The peer shall update its keys too (`update_requested`).
    Peer,
    /// Only our sending keys change (`update_not_requested`).
    Nobody,
}

/// What became of a key update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// Our keys changed, and the peer was asked to change its own if that was wanted.
    Done,
    /// The peer was asked before and has not answered; nothing was sent.
    AlreadyAsked,
    /// The number of updates that one connection may have is used up; nothing was sent.
    Limit,
}

/// What became of a frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'f> {
    /// The record, in the caller's buffer; it counts as sent: write it before anything later in the output buffer.
    Sealed(&'f [u8]),
    /// The output buffer holds earlier bytes: flush it, then try again. The frame was not touched.
    FlushFirst,
}

/// Whether something was sent, or had been before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    No,
    Yes,
}

/// Everything that sends.
pub(super) struct Writing<W> {
    pub(super) sealer: Sealer<W>,
    live: Option<Live<W>>,
    epoch: Epoch,
    asked: bool,
    owed: bool,
    updates: u64,
    closed: bool,
    /// NewSessionTickets that are still to be sealed, so that those answered together share a record.
    tickets: Vec<Vec<u8>>,
}

/// What there is once application data may flow.
struct Live<W> {
    suite: &'static Suite,
    traffic: Traffic<W, ApplicationEpoch>,
}

impl<W: Direction> Writing<W> {
    pub(super) fn new(sealer: Sealer<W>) -> Self {
        let epoch = Epoch::Plaintext;
        Self {
            sealer,
            live: None,
            epoch,
            asked: false,
            owed: false,
            updates: 0,
            closed: false,
            tickets: Vec::new(),
        }
    }

    /// The handshake changes keys.
    pub(super) fn rekey(&mut self, keys: Keys<W>, suite: &Suite, epoch: Epoch) {
        self.sealer.rekey(keys, suite.aead.record_limit());
        self.epoch = epoch;
    }

    /// What is sent is unprotected once more, after early keys.
    pub(super) fn plain_again(&mut self) {
        self.sealer.forget();
        self.epoch = Epoch::Plaintext;
    }

    /// The keys are those of application data from now on.
    pub(super) fn establish(&mut self, suite: &'static Suite, traffic: Traffic<W, ApplicationEpoch>) {
        self.live = Some(Live { suite, traffic });
    }

    /// Takes what fits below the buffer's limit of the concatenation of `parts`.
    pub(super) fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
        self.check_open()?;
        self.write_at_most(usize::MAX, parts, out)
    }

    /// The same, in any epoch, for the first `limit` bytes.
    pub(super) fn write_at_most(
        &mut self,
        limit: usize,
        parts: &[&[u8]],
        out: &mut SendBuf,
    ) -> Result<usize, Error> {
        // One slice may stand in many places, so that the sum has no natural bound.
        let total = parts.iter().fold(0_usize, |total, part| total.saturating_add(part.len())).min(limit);
        let mut written = 0;
        while written < total {
            let wanted = total.saturating_sub(written).min(self.sealer.max_content());
            let fits = wanted.min(out.room().saturating_sub(HEADER_LEN.saturating_add(TAIL_LEN)));
            if fits < wanted.min(WORTH_A_RECORD) && !(fits > 0 && out.is_empty()) {
                break;
            }
            if self.live.is_some() {
                self.prepare(1, out)?;
            //= testvectors/requirements/rfc9846.txt#section-5.5
            //# implementations MUST NOT exceed the limits when sending early data
            } else if self.sealer.records_left() <= RESERVED {
                // Early keys have no successor.
                break;
            }
            let slices = Slices { parts, skip: written, take: fits };
            self.sealer.seal_record(ContentType::APPLICATION_DATA, slices, out)?;
            written = written.saturating_add(fits);
        }
        Ok(written)
    }

    /// Seals a frame where it lies.
    pub(super) fn seal_frame<'f>(
        &mut self,
        frame: &'f mut [u8],
        content: usize,
        out: &mut SendBuf,
    ) -> Result<Frame<'f>, Error> {
        self.check_open()?;
        let room = frame.len().checked_sub(HEADER_LEN.saturating_add(TAIL_LEN));
        let longest = HEADER_LEN.saturating_add(TAIL_LEN).saturating_add(self.sealer.max_content());
        if room.is_none_or(|room| room < content) || frame.len() > longest {
            return Err(Misuse::FrameSize.into());
        }
        self.prepare(1, out)?;
        if !out.is_empty() {
            return Ok(Frame::FlushFirst);
        }
        self.sealer.seal_frame(frame, content)?;
        Ok(Frame::Sealed(frame))
    }

    /// Changes our sending keys, and asks the peer to change its own if wanted.
    pub(super) fn update_keys(&mut self, ask: Ask, out: &mut SendBuf) -> Result<Updated, Error> {
        self.check_open()?;
        if ask == Ask::Peer && self.asked {
            //= testvectors/requirements/rfc9846.txt#section-4.7.3
            //# Until receiving a subsequent KeyUpdate from the peer, the sender MUST NOT send another
            //# KeyUpdate with request_update set to "update_requested".
            return Ok(Updated::AlreadyAsked);
        }
        if self.updates >= MAX_UPDATES {
            return Ok(Updated::Limit);
        }
        let request = match ask {
            Ask::Peer => KeyUpdateRequest::UpdateRequested,
            Ask::Nobody => KeyUpdateRequest::UpdateNotRequested,
        };
        self.send_update(request, out)?;
        match ask {
            Ask::Peer => self.asked = true,
            // Just what an answer that is owed would be.
            Ask::Nobody => self.owed = false,
        }
        Ok(Updated::Done)
    }

    /// Carries out what the receiving side wants.
    pub(super) fn apply(&mut self, order: Order, out: &mut SendBuf) -> Result<(), Error> {
        match order {
            Order::PeerUpdated => self.asked = false,
            Order::AnswerKeyUpdate => {
                self.asked = false;
                // Sent before the next application data, so that many requests get a single answer.
                self.owed = true;
            }
            // RFC 9846 section 6: "Servers and clients MUST forget the secret values and keys established in failed
            // connections".
            Order::Alert(code) => {
                let sent = self.alert(code, out);
                self.forget();
                sent?;
            }
            Order::Stop => self.forget(),
        }
        Ok(())
    }

    //= testvectors/requirements/rfc9846.txt#section-6.1
    //# Each party MUST send a "close_notify" alert before closing its write side of the connection, unless
    //# it has already sent some error alert.
    /// Sends close_notify, once.
    pub(super) fn close(&mut self, out: &mut SendBuf) -> Result<Sent, Failed> {
        if core::mem::replace(&mut self.closed, true) {
            return Ok(Sent::No);
        }
        self.closure_alert(AlertCode::CLOSE_NOTIFY, out)?;
        Ok(Sent::Yes)
    }

    //= testvectors/requirements/rfc9846.txt#section-5.1
    //# Alert messages (Section 6) MUST NOT be fragmented across records, and multiple alert messages MUST
    //# NOT be coalesced into a single TLSPlaintext record.
    /// Sends a closure alert, whose level is `warning`.
    pub(super) fn closure_alert(&mut self, code: AlertCode, out: &mut SendBuf) -> Result<(), Failed> {
        //= testvectors/requirements/rfc9846.txt#section-6.1
        //# This alert MUST be sent with AlertLevel=warning.
        self.sealer.seal(ContentType::ALERT, &[WARNING, code.0], out)
    }

    /// Sends an error alert and ends the side; nothing may follow our own close_notify.
    pub(super) fn alert(&mut self, code: AlertCode, out: &mut SendBuf) -> Result<Sent, Failed> {
        if core::mem::replace(&mut self.closed, true) {
            return Ok(Sent::No);
        }
        //= testvectors/requirements/rfc9846.txt#section-6
        //# All the alerts listed in Section 6.2 MUST be sent with AlertLevel=fatal and MUST be treated as
        //# error alerts when received regardless of the AlertLevel in the message.
        self.sealer.seal(ContentType::ALERT, &[FATAL, code.0], out)?;
        Ok(Sent::Yes)
    }

    /// Which keys protect what is sent now.
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Takes a ticket, or that there is none; [`Writing::send_tickets`] sends it.
    pub(super) fn take_ticket(&mut self, answer: Answer) -> Result<(), Error> {
        self.check_open()?;
        match answer.verdict {
            Verdict::Sealed(sealed) => self.tickets.push(new_session_ticket(&sealed)?),
            Verdict::NoTicket => {}
            _ => return Err(Misuse::WrongAnswer.into()),
        }
        Ok(())
    }

    /// Sends the tickets that were taken, and gives their messages.
    pub(super) fn send_tickets(&mut self, out: &mut SendBuf) -> Result<Vec<Vec<u8>>, Error> {
        let tickets = core::mem::take(&mut self.tickets);
        if !tickets.is_empty() {
            let messages = tickets.concat();
            let records = messages.len().div_ceil(self.sealer.max_content());
            self.prepare(u64::try_from(records).unwrap_or(u64::MAX), out)?;
            self.sealer.seal(ContentType::HANDSHAKE, &messages, out)?;
        }
        Ok(tickets)
    }

    /// Whether tickets were taken and not sent.
    pub(super) fn holds_tickets(&self) -> bool {
        !self.tickets.is_empty()
    }

    /// Forgets all keys.
    pub(super) fn forget(&mut self) {
        self.sealer.forget();
        self.live = None;
        self.closed = true;
        self.tickets = Vec::new();
    }

    /// The suite, the traffic secret and the sequence number, for kernel offload.
    pub(super) fn live(&self) -> Option<(&'static Suite, &Traffic<W, ApplicationEpoch>, u64)> {
        let live = self.live.as_ref()?;
        Some((live.suite, &live.traffic, self.sealer.sequence()))
    }

    //= testvectors/requirements/rfc9846.txt#section-2
    //# Application Data MUST NOT be sent prior to sending the Finished message, except as specified in
    //# Section 2.3.
    //= testvectors/requirements/rfc9846.txt#section-5.1
    //# Note that Application Data records MUST NOT be written to the wire unprotected (see Section 2 for
    //# details).
    fn check_open(&self) -> Result<(), Misuse> {
        if self.closed {
            return Err(Misuse::WriteClosed);
        }
        if self.live.is_none() { Err(Misuse::NotEstablished) } else { Ok(()) }
    }

    /// How many KeyUpdates were sent.
    pub(super) fn updates(&self) -> u64 {
        self.updates
    }

    /// Whether close_notify or an error alert was sent.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the peer asked for a KeyUpdate that was not sent yet.
    pub(super) fn owes_update(&self) -> bool {
        self.owed
    }

    /// What must precede the next `records` of ours: an answer that is owed, and new keys before a limit.
    fn prepare(&mut self, records: u64, out: &mut SendBuf) -> Result<(), Error> {
        // RFC 9846 section 5.5: the last records under a key are for the KeyUpdate itself, and for an alert.
        //= testvectors/requirements/rfc9846.txt#section-5.5
        //# Implementations MUST either close the connection or do a key update as described in Section
        //# 4.7.3 prior to reaching these limits.
        let exhausted = self.sealer.records_left() < records.saturating_add(RESERVED);
        if !self.owed && !exhausted {
            return Ok(());
        }
        //= testvectors/requirements/rfc9846.txt#section-4.7.3
        //# it MUST NOT send its own KeyUpdate if that would cause it to exceed these limits and SHOULD
        //# instead ignore the "update_requested" flag
        if self.updates >= MAX_UPDATES {
            self.owed = false;
            return if exhausted { Err(Misuse::KeyLimit.into()) } else { Ok(()) };
        }
        //= testvectors/requirements/rfc9846.txt#section-4.7.3
        //# If the request_update field is set to "update_requested", then the receiver MUST send a
        //# KeyUpdate of its own with request_update set to "update_not_requested" prior to sending its next
        //# Application Data record.
        self.send_update(KeyUpdateRequest::UpdateNotRequested, out)?;
        self.owed = false;
        Ok(())
    }

    /// Sends a KeyUpdate under the old keys, then changes to the new ones.
    fn send_update(&mut self, request: KeyUpdateRequest, out: &mut SendBuf) -> Result<(), Error> {
        let live = self.live.as_mut().ok_or(Misuse::NotEstablished)?;
        //= testvectors/requirements/rfc9846.txt#section-4.7.3
        //# Both sender and receiver MUST encrypt their KeyUpdate messages with the old keys.
        self.sealer.seal(ContentType::HANDSHAKE, &encode(request), out)?;
        live.traffic.update()?;
        //= testvectors/requirements/rfc9846.txt#section-4.7.3
        //# After sending a KeyUpdate message, the sender SHALL send all its traffic using the next
        //# generation of keys, computed as described in Section 7.2.
        self.sealer.rekey(live.traffic.keys(live.suite.aead)?, live.suite.aead.record_limit());
        self.updates = self.updates.saturating_add(1);
        Ok(())
    }
}

/// `take` bytes of the concatenation of `parts`, behind the first `skip`.
#[derive(Clone, Copy)]
struct Slices<'a> {
    parts: &'a [&'a [u8]],
    skip: usize,
    take: usize,
}

impl<'a> Iterator for Slices<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while self.take > 0 {
            let (part, parts) = self.parts.split_first()?;
            self.parts = parts;
            let skipped = self.skip.min(part.len());
            self.skip = self.skip.saturating_sub(skipped);
            let rest = part.get(skipped..).unwrap_or_default();
            let rest = rest.get(..self.take.min(rest.len())).unwrap_or_default();
            self.take = self.take.saturating_sub(rest.len());
            if !rest.is_empty() {
                return Some(rest);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codepoint::ProtocolVersion;
    use crate::crypto::{SharedSecret, null};
    use crate::record::{Padding, SizeLimit};
    use crate::schedule::{Client, Constants, Handshake};

    /// A side whose handshake is complete, behind so many updates.
    fn open(updates: u64) -> Writing<Client> {
        let suite = null::provider().suites[0];
        let digest = suite.hash.hash(&[]);
        let shared = SharedSecret::copy_of(&[1; 32]).unwrap();
        let handshake = Handshake::new(&Constants::new(suite.hash).unwrap(), &shared).unwrap();
        let traffic = handshake.derive(&digest).unwrap().main.application(&digest).unwrap().client;
        let mut writing =
            Writing::new(Sealer::plain(Padding::None, SizeLimit::STANDARD, ProtocolVersion::TLS_1_2));
        writing.rekey(traffic.keys(suite.aead).unwrap(), suite, Epoch::Application);
        writing.establish(suite, traffic);
        Writing { updates, ..writing }
    }

    //= testvectors/requirements/rfc9846.txt#section-4.7.3
    //= type=test
    //# sending implementations MUST NOT allow the epoch -- and hence the number of key updates -- to exceed
    //# 2^48-1
    #[test]
    fn keys_are_updated_no_more_than_2_to_the_48th_minus_1_times() {
        let mut out = SendBuf::with_limit(1 << 16);
        let mut writing = open((1 << 48) - 2);
        assert_eq!(writing.update_keys(Ask::Nobody, &mut out), Ok(Updated::Done));
        let sent = out.pending().len();
        for ask in [Ask::Nobody, Ask::Peer] {
            assert_eq!(writing.update_keys(ask, &mut out), Ok(Updated::Limit));
        }
        assert_eq!(out.pending().len(), sent);
    }

    //= testvectors/requirements/rfc9846.txt#section-4.7.3
    //= type=test
    //# it MUST NOT send its own KeyUpdate if that would cause it to exceed these limits and SHOULD instead
    //# ignore the "update_requested" flag
    #[test]
    fn a_request_beyond_the_last_update_is_not_answered() {
        for (updates, answered) in [(MAX_UPDATES - 1, true), (MAX_UPDATES, false)] {
            let mut out = SendBuf::with_limit(1 << 16);
            let mut writing = open(updates);
            writing.apply(Order::AnswerKeyUpdate, &mut out).unwrap();
            assert_eq!(writing.write(&[b"data"], &mut out), Ok(4));
            let data = HEADER_LEN + 4 + TAIL_LEN;
            assert_eq!(out.pending().len() > data, answered);
            assert_eq!(writing.updates, MAX_UPDATES);
            assert!(!writing.owes_update());
        }
    }

    #[test]
    fn slices_cut_any_range_out_of_any_parts() {
        let parts: [&[u8]; 5] = [b"ab", b"", b"cde", b"f", b"ghij"];
        let whole = parts.concat();
        for skip in 0..=whole.len() {
            for take in 0..=whole.len() - skip {
                let cut: Vec<u8> = Slices { parts: &parts, skip, take }.flatten().copied().collect();
                assert_eq!(cut, whole[skip..skip + take]);
            }
        }
    }
}
