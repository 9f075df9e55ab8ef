//! Joins the fragments of handshake messages, and knows where keys may change.

use alloc::vec::Vec;

use crate::codepoint::HandshakeType;
use crate::error::Fault;
use crate::wire::message::{HEADER_LEN, Header, SizeLimits, max_len, parse_header};

/// What one message may hold after the handshake, in bytes, but for a NewSessionTicket, which has the room of its kind.
const AFTER_HANDSHAKE: usize = 16 << 10;

/// Proof that a record ended with the message at hand: not one handshake byte waits behind it.
///
/// RFC 9846 section 5.1: "Handshake messages MUST NOT span key changes." Only [`Joiner::peek`] makes one, and only
/// [`Opener::rekey`](super::Opener::rekey) wants one.
pub struct EpochBoundary(());

impl EpochBoundary {
    /// Uses the boundary up.
    pub(super) fn spend(self) {
        let Self(()) = self;
    }
}

/// A complete handshake message.
pub(crate) struct Message<'a> {
    pub(crate) kind: HandshakeType,
    /// Without the header.
    pub(crate) body: &'a [u8],
    /// With the header, as the transcript wants it.
    pub(crate) raw: &'a [u8],
    boundary: Option<EpochBoundary>,
}

impl Message<'_> {
    /// The right to change read keys behind this message.
    pub(crate) fn boundary(&mut self) -> Result<EpochBoundary, Fault> {
        //= testvectors/requirements/rfc9846.txt#section-5.1
        //# Handshake messages MUST NOT span key changes.
        //= testvectors/requirements/rfc9846.txt#section-5.1
        //# Implementations MUST verify that all messages immediately preceding a key change align with a
        //# record boundary; if not, then they MUST terminate the connection with an "unexpected_message"
        //# alert.
        const SPANS: Fault = Fault::unexpected_message("handshake bytes follow a message that changes keys");
        self.boundary.take().ok_or(SPANS)
    }
}

/// The one path of all handshake bytes: copied here once, parsed from here.
pub(crate) struct Joiner {
    bytes: Vec<u8>,
    at: usize,
    limits: SizeLimits,
    established: bool,
}

impl Joiner {
    /// `certificate` caps a Certificate message, in bytes.
    pub(crate) fn new(certificate: usize) -> Self {
        Self { bytes: Vec::new(), at: 0, limits: SizeLimits { certificate }, established: false }
    }

    /// The handshake is over: smaller messages, and no memory while none is under way.
    pub(crate) fn after_handshake(&mut self) {
        self.established = true;
        self.release();
    }

    /// Appends the content of a handshake record.
    pub(crate) fn push(&mut self, fragment: &[u8]) -> Result<(), Fault> {
        // What is behind us goes first, or messages that straddle records would pile up. At most the rest of one
        // record moves: all before it was used up.
        self.bytes.drain(..self.at.min(self.bytes.len()));
        self.at = 0;
        self.bytes.extend_from_slice(fragment);
        self.header().map(|_| ())
    }

    /// The next complete message.
    pub(crate) fn peek(&self) -> Result<Option<Message<'_>>, Fault> {
        let Some(header) = self.header()? else { return Ok(None) };
        let waiting = self.bytes.get(self.at..).unwrap_or_default();
        let Some((raw, behind)) = waiting.split_at_checked(HEADER_LEN.saturating_add(header.len)) else {
            return Ok(None);
        };
        let body = raw.get(HEADER_LEN..).unwrap_or_default();
        let boundary = behind.is_empty().then_some(EpochBoundary(()));
        Ok(Some(Message { kind: header.kind, body, raw, boundary }))
    }

    /// Forgets the message that [`Joiner::peek`] gave, `len` bytes with its header.
    pub(crate) fn advance(&mut self, len: usize) {
        self.at = self.at.saturating_add(len);
        if self.is_empty() {
            self.bytes.clear();
            self.at = 0;
            if self.established {
                self.release();
            }
        }
    }

    /// Gives all memory back: nothing is joined any more.
    pub(crate) fn forget(&mut self) {
        self.bytes = Vec::new();
        self.at = 0;
    }

    /// Whether no handshake byte waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn release(&mut self) {
        if self.is_empty() {
            self.bytes = Vec::new();
        }
    }

    /// The header at the front, judged before its body is buffered.
    fn header(&self) -> Result<Option<Header>, Fault> {
        let Some(bytes) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<HEADER_LEN>()) else {
            return Ok(None);
        };
        let header = parse_header(bytes);
        if header.kind.name().is_none() || header.kind == HandshakeType::MESSAGE_HASH {
            return Err(Fault::unexpected_message("unknown handshake message type"));
        }
        let mut limit = max_len(header.kind, &self.limits);
        if self.established && header.kind != HandshakeType::NEW_SESSION_TICKET {
            limit = limit.min(AFTER_HANDSHAKE);
        }
        if header.len > limit {
            return Err(match header.kind {
                // RFC 9846 section 6.2: decode_error where "the length of the message was incorrect". The syntax of
                // these sets their length; the other limits are ours.
                HandshakeType::FINISHED | HandshakeType::KEY_UPDATE | HandshakeType::END_OF_EARLY_DATA => {
                    Fault::decode_error("a handshake message has another length than its kind")
                }
                _ => Fault::illegal_parameter("a handshake message is longer than its kind may be"),
            });
        }
        Ok(Some(header))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joiner() -> Joiner {
        Joiner::new(64 << 10)
    }

    #[test]
    fn fragments_are_joined_at_any_split() {
        let message = [20, 0, 0, 3, 7, 8, 9];
        for split in 0..message.len() {
            let mut joiner = joiner();
            joiner.push(&message[..split]).unwrap();
            assert!(joiner.peek().unwrap().is_none());
            joiner.push(&message[split..]).unwrap();
            let found = joiner.peek().unwrap().unwrap();
            assert_eq!(
                (found.kind, found.body, found.raw),
                (HandshakeType::FINISHED, &[7, 8, 9][..], &message[..])
            );
            joiner.advance(message.len());
            assert!(joiner.is_empty());
        }
    }

    #[test]
    fn only_the_last_message_of_a_record_is_a_boundary() {
        let mut joiner = joiner();
        joiner.push(&[8, 0, 0, 0, 20, 0, 0, 0]).unwrap();
        let mut first = joiner.peek().unwrap().unwrap();
        assert!(first.boundary().is_err());
        joiner.advance(4);
        let mut second = joiner.peek().unwrap().unwrap();
        assert!(second.boundary().is_ok());
        assert!(second.boundary().is_err(), "a boundary is spent once");
    }

    #[test]
    fn a_started_message_behind_is_no_boundary() {
        let mut joiner = joiner();
        joiner.push(&[2, 0, 0, 0, 8]).unwrap();
        assert!(joiner.peek().unwrap().unwrap().boundary().is_err());
    }

    #[test]
    fn messages_that_straddle_records_do_not_pile_up() {
        let mut joiner = joiner();
        // Each record ends one message and begins the next.
        let message = [&[4, 0, 0, 96][..], &[7; 96]].concat();
        joiner.push(&message[..50]).unwrap();
        for _ in 0..100 {
            joiner.push(&[&message[50..], &message[..50]].concat()).unwrap();
            assert_eq!(joiner.peek().unwrap().unwrap().raw, message);
            joiner.advance(message.len());
            assert!(!joiner.is_empty());
        }
        assert!(joiner.bytes.len() <= 2 * message.len());
    }

    #[test]
    fn a_too_long_message_is_refused_by_its_header() {
        let fault = joiner().push(&[11, 1, 0, 1]).unwrap_err();
        assert_eq!(fault.alert(), crate::AlertCode::ILLEGAL_PARAMETER);
        let fault = joiner().push(&[99, 0, 0, 1]).unwrap_err();
        assert_eq!(fault.alert(), crate::AlertCode::UNEXPECTED_MESSAGE);
    }

    #[test]
    fn what_is_forgotten_holds_no_memory() {
        let mut joiner = joiner();
        joiner.push(&[20, 0, 0, 3, 7, 8]).unwrap();
        joiner.forget();
        assert!(joiner.is_empty() && joiner.peek().unwrap().is_none());
        assert_eq!(joiner.bytes.capacity(), 0);
    }

    #[test]
    fn after_the_handshake_messages_are_smaller_and_memory_is_returned() {
        let mut joiner = joiner();
        joiner.after_handshake();
        assert!(joiner.push(&[11, 0, 0x40, 1]).is_err());
        for (ticket, is_taken) in [([4, 1, 0x04, 0], true), ([4, 1, 0x04, 1], false)] {
            let mut joiner = self::joiner();
            joiner.after_handshake();
            assert_eq!(joiner.push(&ticket).is_ok(), is_taken, "its longest form, and a byte more");
        }
        let mut joiner = self::joiner();
        joiner.after_handshake();
        joiner.push(&[24, 0, 0, 1, 0]).unwrap();
        joiner.advance(5);
        assert_eq!(joiner.bytes.capacity(), 0);
    }
}
