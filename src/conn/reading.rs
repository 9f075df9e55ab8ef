//! The receiving side of a connection: records in, and what follows from them once the handshake is complete.

use alloc::boxed::Box;

use super::early::EarlyPlaintext;
use super::event::{Epoch, Plaintext};
use super::side::Side;
use super::split::Order;
use super::temper::{Temper, Trial};
use crate::alert::AlertCode;
use crate::codepoint::{ContentType, HandshakeType};
use crate::crypto::Suite;
use crate::error::{Error, Fault};
use crate::handshake::Remember;
use crate::psk::NewTicket;
use crate::record::{Joiner, Opened, Opener, Protection, Record, other_protocol};
use crate::schedule::{ApplicationEpoch, FinishedMatched, Traffic};
use crate::wire::key_update::{self, KeyUpdateRequest};
use crate::wire::new_session_ticket::NewSessionTicket;

/// RFC 9846 section 5.1: "if a handshake message is split over two or more records, there MUST NOT be any other records
/// between them".
const INTERRUPTS: Fault = Fault::unexpected_message("a record interrupts a handshake message");

/// Everything that receives.
pub(super) struct Reading<S: Side> {
    pub(super) opener: Opener<S::Read>,
    pub(super) joiner: Joiner,
    temper: Temper,
    live: Option<Live<S>>,
    pub(super) early: EarlyReading,
    began: bool,
    peer_closed: bool,
}

/// Server: whether early data is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlyReading {
    /// None was accepted so far.
    Never,
    /// So many bytes may still come.
    Open { left: u32 },
    /// The client has said so.
    Ended,
}

/// What there is once application data may flow.
struct Live<S: Side> {
    suite: &'static Suite,
    traffic: Traffic<S::Read, ApplicationEpoch>,
    /// Client: what tickets are made of.
    remember: Option<Box<Remember>>,
}

/// What a record was.
pub(super) enum Incoming<'b> {
    NeedInput {
        at_least: usize,
    },
    /// Nothing for the caller.
    Nothing,
    /// Handshake bytes went to the joiner.
    Handshake,
    Data(Plaintext<'b>),
    Early(EarlyPlaintext<'b>),
    ChangeCipherSpec,
    Alert(AlertCode, Epoch),
}

/// A message behind the handshake.
pub(super) struct PostHandshake {
    pub(super) kind: HandshakeType,
    /// With its header, in bytes.
    pub(super) len: usize,
    pub(super) order: Option<Order>,
    pub(super) ticket: Option<NewTicket>,
}

/// Which ChangeCipherSpec records are dropped (RFC 9846 section 5).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Compatibility {
    /// Dropped: after the first ClientHello, before the peer's Finished.
    Dropped,
    /// Refused like any unexpected record.
    Refused,
}

impl<S: Side> Reading<S> {
    pub(super) fn new(opener: Opener<S::Read>, joiner: Joiner) -> Self {
        Self {
            opener,
            joiner,
            temper: Temper::new(),
            live: None,
            early: EarlyReading::Never,
            began: false,
            peer_closed: false,
        }
    }

    /// The handshake is complete, as the peer's Finished proves; without it nothing opens application data.
    pub(super) fn establish(
        &mut self,
        suite: &'static Suite,
        traffic: Traffic<S::Read, ApplicationEpoch>,
        remember: Option<Box<Remember>>,
        _: FinishedMatched<S::Read>,
    ) {
        self.live = Some(Live { suite, traffic, remember });
        // What was charged so far, a ChangeCipherSpec for example, had its place in the handshake.
        self.temper = Temper::new();
        self.joiner.after_handshake();
    }

    /// Whether the peer sent close_notify.
    pub(super) fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// Takes one record.
    pub(super) fn record<'b>(
        &mut self,
        input: &'b mut [u8],
        compatibility: Compatibility,
    ) -> Result<(usize, Incoming<'b>), Error> {
        if !self.began && input.len() >= crate::record::HEADER_LEN {
            if let Some(fault) = other_protocol(input) {
                return Err(fault.into());
            }
            self.began = true;
        }
        let plain_alerts = self.takes_plain_alerts();
        let record = match self.opener.open(input)? {
            Opened::NeedInput { at_least } => return Ok((0, Incoming::NeedInput { at_least })),
            // Refused early data included.
            Opened::Skipped { .. } if !self.joiner.is_empty() => return Err(INTERRUPTS.into()),
            Opened::Skipped { consumed } => return Ok((consumed, Incoming::Nothing)),
            Opened::Record(record) => record,
        };
        let Record { kind, protection, content, consumed } = record;
        let incoming = match kind {
            ContentType::HANDSHAKE => {
                self.joiner.push(content)?;
                Incoming::Handshake
            }
            ContentType::ALERT => {
                if protection == Protection::Plain && !plain_alerts {
                    return Err(Fault::unexpected_message("an alert arrived unprotected").into());
                }
                self.alert(content, protection)?
            }
            //= testvectors/requirements/rfc9846.txt#section-5.1
            //# Handshake messages MUST NOT be interleaved with other record types.
            //= testvectors/requirements/rfc9846.txt#section-5.1
            //# if a handshake message is split over two or more records, there MUST NOT be any other
            //# records between them
            _ if !self.joiner.is_empty() => return Err(INTERRUPTS.into()),
            ContentType::CHANGE_CIPHER_SPEC => {
                //= testvectors/requirements/rfc9846.txt#section-5
                //# An implementation which receives any other change_cipher_spec value or which receives a
                //# protected change_cipher_spec record MUST abort the handshake with an
                //# "unexpected_message" alert.
                if compatibility == Compatibility::Refused || content != [1] {
                    return Err(Fault::unexpected_message("a ChangeCipherSpec that may not be").into());
                }
                //= testvectors/requirements/rfc9846.txt#section-5
                //# at any time after the first ClientHello message has been sent or received and before the
                //# peer's Finished message has been received and MUST simply drop it without further
                //# processing
                self.temper.charge(Trial::ChangeCipherSpec)?;
                Incoming::ChangeCipherSpec
            }
            ContentType::APPLICATION_DATA if self.live.is_none() && !self.reads_early() => {
                return Err(Fault::unexpected_message("application data arrived during the handshake").into());
            }
            ContentType::APPLICATION_DATA if content.is_empty() => {
                self.temper.charge(Trial::EmptyRecord)?;
                Incoming::Nothing
            }
            ContentType::APPLICATION_DATA if self.live.is_none() => {
                self.charge_early(content.len())?;
                Incoming::Early(EarlyPlaintext { plain: Plaintext { bytes: content } })
            }
            _ => {
                self.temper.restore(content.len());
                Incoming::Data(Plaintext { bytes: content })
            }
        };
        Ok((consumed, incoming))
    }

    /// Takes the next handshake message behind the handshake, if a whole one waits.
    pub(super) fn post_handshake(&mut self) -> Result<Option<PostHandshake>, Error> {
        let Self { opener, joiner, temper, live, .. } = self;
        let (Some(mut message), Some(live)) = (joiner.peek()?, live) else { return Ok(None) };
        let mut ticket = None;
        let order = match message.kind {
            HandshakeType::KEY_UPDATE => {
                let request = key_update::parse(message.body)?;
                //= testvectors/requirements/rfc9846.txt#section-4.7.3
                //# both sides MUST enforce that a KeyUpdate with the old key is received before accepting
                //# any messages encrypted with the new key
                let boundary = message.boundary()?;
                //= testvectors/requirements/rfc9846.txt#section-4.7.3
                //# In order to allow this value to be changed later -- for instance for ciphers with more
                //# than 128-bit keys -- receiving implementations MUST NOT enforce this rule.
                temper.charge(Trial::KeyUpdate)?;
                live.traffic.update()?;
                //= testvectors/requirements/rfc9846.txt#section-4.7.3
                //# Upon receiving a KeyUpdate, the receiver MUST update its receiving keys.
                opener.rekey(live.traffic.keys(live.suite.aead)?, boundary);
                Some(match request {
                    KeyUpdateRequest::UpdateRequested => Order::AnswerKeyUpdate,
                    KeyUpdateRequest::UpdateNotRequested => Order::PeerUpdated,
                })
            }
            HandshakeType::NEW_SESSION_TICKET if S::TAKES_TICKETS => {
                // RFC 9846 section 1.2: clients that do not resume "ignore NewSessionTicket".
                let message = NewSessionTicket::parse(message.body)?;
                temper.charge(Trial::Ticket)?;
                //= testvectors/requirements/rfc9846.txt#section-4.7.1
                //# Clients which receive a NewSessionTicket message but do not support resumption MUST
                //# silently ignore this message.
                if let Some(remember) = &live.remember {
                    ticket = remember.ticket(&message)?;
                }
                None
            }
            _ => {
                return Err(
                    //= testvectors/requirements/rfc9846.txt#section-4.2.2
                    //# if a server has negotiated TLS 1.3 and receives a ClientHello at any other time, it
                    //# MUST terminate the connection with an "unexpected_message" alert.
                    //= testvectors/requirements/rfc9846.txt#section-4.7.2
                    //# A client that receives a post-handshake CertificateRequest message without having
                    //# sent the "post_handshake_auth" extension MUST send an "unexpected_message" fatal
                    //# alert.
                    Fault::unexpected_message("a handshake message arrived after the handshake").into(),
                );
            }
        };
        let found = PostHandshake { kind: message.kind, len: message.raw.len(), order, ticket };
        joiner.advance(found.len);
        Ok(Some(found))
    }

    /// Which keys protect what is received now.
    pub(super) fn epoch(&self) -> Epoch {
        match (self.opener.sequence(), &self.live, self.early) {
            (None, _, _) => Epoch::Plaintext,
            (_, Some(_), _) => Epoch::Application,
            (_, None, EarlyReading::Open { .. }) => Epoch::Early,
            (_, None, _) => Epoch::Handshake,
        }
    }

    /// RFC 9846 section 4.7.1: "A server receiving more than max_early_data_size bytes of 0-RTT data SHOULD terminate the
    /// connection with an "unexpected_message" alert."
    fn charge_early(&mut self, bytes: usize) -> Result<(), Fault> {
        //= testvectors/requirements/rfc9846.txt#section-4.3.10
        //# If the server chooses to accept the "early_data" extension, then it MUST comply with the same
        //# error-handling requirements specified for all records when processing early data records.
        const TOO_MUCH: Fault = Fault::unexpected_message("more early data than the ticket permits");
        let bytes = u32::try_from(bytes).map_err(|_| TOO_MUCH)?;
        let EarlyReading::Open { left } = self.early else { return Err(TOO_MUCH) };
        self.early = EarlyReading::Open { left: left.checked_sub(bytes).ok_or(TOO_MUCH)? };
        Ok(())
    }

    fn reads_early(&self) -> bool {
        matches!(self.early, EarlyReading::Open { .. })
    }

    /// A server's client that refuses our ServerHello cannot protect its alert. One that ended its early data has our
    /// Finished, and keys.
    fn takes_plain_alerts(&self) -> bool {
        let Some(opened) = self.opener.sequence() else { return true };
        let lacks_keys = match self.early {
            EarlyReading::Never => opened == 0,
            EarlyReading::Open { .. } => true,
            EarlyReading::Ended => false,
        };
        S::PEER_MAY_LACK_KEYS && lacks_keys && self.live.is_none()
    }

    /// Judges an alert (RFC 9846 section 6).
    fn alert<'b>(&mut self, content: &[u8], protection: Protection) -> Result<Incoming<'b>, Error> {
        let [_, code] = *content else {
            //= testvectors/requirements/rfc9846.txt#section-5.1
            //# Alert messages (Section 6) MUST NOT be fragmented across records, and multiple alert
            //# messages MUST NOT be coalesced into a single TLSPlaintext record.
            //= testvectors/requirements/rfc9846.txt#section-5.1
            //# a record with an Alert type MUST contain exactly one message
            return Err(Fault::decode_error("an alert record must hold exactly one alert").into());
        };
        let epoch = match protection {
            Protection::Plain => Epoch::Plaintext,
            Protection::Sealed => self.epoch(),
        };
        let code = AlertCode(code);
        match code {
            AlertCode::CLOSE_NOTIFY | AlertCode::USER_CANCELED if !self.joiner.is_empty() => {
                Err(INTERRUPTS.into())
            }
            AlertCode::CLOSE_NOTIFY if self.live.is_none() => Err(Error::ClosedInHandshake),
            AlertCode::CLOSE_NOTIFY => {
                self.peer_closed = true;
                Ok(Incoming::Alert(code, epoch))
            }
            // RFC 9846 section 6.1: "Receiving implementations SHOULD continue to read data from the peer until a
            // "close_notify" is received".
            AlertCode::USER_CANCELED => {
                self.temper.charge(Trial::UserCanceled)?;
                Ok(Incoming::Alert(code, epoch))
            }
            //= testvectors/requirements/rfc9846.txt#section-6
            //# Upon receiving an error alert, the TLS implementation SHOULD indicate an error to the
            //# application and MUST NOT allow any further data to be sent or received on the connection.
            //= testvectors/requirements/rfc9846.txt#section-6
            //# Unknown Alert types MUST be treated as error alerts.
            _ => Err(Error::Alert(code)),
        }
    }

    /// Forgets all keys, and what was not read yet.
    pub(super) fn forget(&mut self) {
        self.opener = Opener::plain();
        self.joiner.forget();
        self.live = None;
        self.early = EarlyReading::Never;
    }

    /// The traffic secret and the sequence number, for kernel offload.
    pub(super) fn live(&self) -> Option<(&Traffic<S::Read, ApplicationEpoch>, u64)> {
        let live = self.live.as_ref()?;
        Some((&live.traffic, self.opener.sequence().unwrap_or(0)))
    }
}
