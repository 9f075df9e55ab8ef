//! Opening records where they lie.

use super::frame::{HEADER_LEN, Header, MAX_CIPHERTEXT, MAX_CONTENT};
use super::join::EpochBoundary;
use super::limits::SizeLimit;
use super::nonce::Nonces;
use super::sealer::TAIL_LEN;
use crate::codepoint::ContentType;
use crate::crypto::AeadKey;
use crate::error::{Failed, Fault};
use crate::schedule::{Direction, Keys};
use alloc::boxed::Box;
use core::marker::PhantomData;

/// Opens the records of one peer; `D` is whose keys it takes.
pub struct Opener<D> {
    keys: Option<OpenKeys>,
    limit: SizeLimit,
    skip: Skip,
    skipped: Skipped,
    of: PhantomData<fn() -> D>,
}

struct OpenKeys {
    aead: Box<dyn AeadKey>,
    nonces: Nonces,
}

/// How refused early data is passed over (RFC 9846 section 4.3.10); the budget counts ciphertext bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// Nothing is skipped.
    Off,
    /// After a HelloRetryRequest: records "with an external content type of "application_data"" are dropped
    /// until the second ClientHello.
    UntilHello {
        /// Bytes left.
        budget: usize,
    },
    /// After a refusal: records that fail deprotection are dropped until the first success.
    UntilOpened {
        /// Bytes left.
        budget: usize,
    },
}

/// Whether records of refused early data were passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skipped {
    None,
    Some,
}

/// Whether a record arrived under keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// In the clear.
    Plain,
    /// Opened with a key.
    Sealed,
}

/// What [`Opener::open`] found.
#[derive(Debug)]
pub(crate) enum Opened<'b> {
    /// No complete record; at least so many more bytes are needed.
    NeedInput { at_least: usize },
    /// A record of refused early data was dropped.
    Skipped { consumed: usize },
    /// A record.
    Record(Record<'b>),
}

/// An opened record; its content lies in the caller's buffer at `HEADER_LEN`.
#[derive(Debug)]
pub(crate) struct Record<'b> {
    pub(crate) kind: ContentType,
    pub(crate) protection: Protection,
    pub(crate) content: &'b mut [u8],
    pub(crate) consumed: usize,
}

impl<D: Direction> Opener<D> {
    /// Without keys yet, under the limits of the standard.
    pub(crate) fn plain() -> Self {
        Self {
            keys: None,
            limit: SizeLimit::STANDARD,
            skip: Skip::Off,
            skipped: Skipped::None,
            of: PhantomData,
        }
    }

    /// Changes read keys; only a record boundary without waiting handshake bytes pays for it.
    pub fn rekey(&mut self, keys: Keys<D>, boundary: EpochBoundary) {
        boundary.spend();
        self.keys = Some(OpenKeys { aead: keys.aead, nonces: Nonces::new(keys.iv) });
    }

    /// What the peer may put into a protected record from now on.
    pub(crate) fn set_limit(&mut self, limit: SizeLimit) {
        self.limit = limit;
    }

    /// How refused early data is passed over from now on.
    pub(crate) fn set_skip(&mut self, skip: Skip) {
        self.skip = skip;
    }

    /// Whether anything was passed over.
    pub(crate) fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// How many records the present key has opened; `None` without a key.
    pub(crate) fn sequence(&self) -> Option<u64> {
        self.keys.as_ref().map(|keys| keys.nonces.sequence())
    }

    /// Opens the record at the front of `input`, in place. What is not consumed was not touched.
    pub(crate) fn open<'b>(&mut self, input: &'b mut [u8]) -> Result<Opened<'b>, Fault> {
        let available = input.len();
        let Some((header_bytes, rest)) = input.split_first_chunk_mut::<HEADER_LEN>() else {
            return Ok(Opened::NeedInput { at_least: HEADER_LEN.saturating_sub(available) });
        };
        let header = Header::parse(header_bytes);
        let protection = self.judge(header)?;
        let missing = header.len.saturating_sub(rest.len());
        let Some((body, _)) = rest.split_at_mut_checked(header.len) else {
            return Ok(Opened::NeedInput { at_least: missing });
        };
        let consumed = HEADER_LEN.saturating_add(header.len);
        if let (None, Skip::UntilHello { .. }, ContentType::APPLICATION_DATA) =
            (&self.keys, self.skip, header.kind)
        {
            self.charge_skipped(header.len)?;
            return Ok(Opened::Skipped { consumed });
        }
        let (Some(keys), Protection::Sealed) = (&mut self.keys, protection) else {
            if body.is_empty() {
                return Err(Fault::unexpected_message("a plaintext record may not be empty"));
            }
            return Ok(Opened::Record(Record { kind: header.kind, protection, content: body, consumed }));
        };
        let len = match keys.aead.open_in_place(&keys.nonces.current(), header_bytes, body) {
            Ok(len) => len,
            Err(Failed::Input | Failed::Provider) => {
                if let Skip::UntilOpened { .. } = self.skip {
                    self.charge_skipped(header.len)?;
                    return Ok(Opened::Skipped { consumed });
                }
                //= testvectors/requirements/rfc9846.txt#section-5.2
                //# If the decryption fails, the receiver MUST terminate the connection with a
                //# "bad_record_mac" alert.
                return Err(Fault::bad_record_mac("a record could not be deprotected"));
            }
        };
        keys.nonces.advance().ok_or(Fault::bad_record_mac("the sequence number would wrap"))?;
        self.skip = Skip::Off;
        let inner = body.get_mut(..len).unwrap_or_default();
        //= testvectors/requirements/rfc8449.txt#section-4
        //# A TLS endpoint that receives a record larger than its advertised limit MUST generate a fatal
        //# "record_overflow" alert
        if inner.len() > self.limit.inner() {
            //= testvectors/requirements/rfc9846.txt#section-5.4
            //# the full encoded TLSInnerPlaintext MUST NOT exceed 2^14
            return Err(Fault::record_overflow("a record holds more than the record size limit"));
        }
        let (kind, content) = strip_padding(inner)?;
        Ok(Opened::Record(Record { kind, protection, content, consumed }))
    }

    /// Judges a header before its body arrives: type and length.
    fn judge(&self, header: Header) -> Result<Protection, Fault> {
        let protection = match (header.kind, &self.keys, self.skip) {
            (ContentType::APPLICATION_DATA, Some(_), _) => Protection::Sealed,
            (ContentType::APPLICATION_DATA, None, Skip::UntilHello { .. }) => Protection::Sealed,
            (ContentType::CHANGE_CIPHER_SPEC | ContentType::ALERT, _, _) => Protection::Plain,
            (ContentType::HANDSHAKE, None, _) => Protection::Plain,
            (ContentType::HANDSHAKE, Some(_), _) => {
                return Err(Fault::unexpected_message("a handshake record arrived unprotected"));
            }
            (ContentType::APPLICATION_DATA, None, _) => {
                return Err(Fault::unexpected_message("application data arrived before any key"));
            }
            //= testvectors/requirements/rfc9846.txt#section-5
            //# If a TLS implementation receives an unexpected record type, it MUST terminate the connection
            //# with an "unexpected_message" alert.
            //= testvectors/requirements/rfc9846.txt#appendix-E.5
            //# Implementations MUST NOT negotiate TLS 1.3 or later using an SSL version 2.0 compatible
            //# CLIENT-HELLO.
            _ => return Err(Fault::unexpected_message("unknown record type")),
        };
        //= testvectors/requirements/rfc9846.txt#section-5.1
        //# The length MUST NOT exceed 2^14 bytes.
        //= testvectors/requirements/rfc9846.txt#section-5.2
        //# The length MUST NOT exceed 2^14 + 256 bytes.
        let longest = match protection {
            Protection::Plain => MAX_CONTENT,
            Protection::Sealed => MAX_CIPHERTEXT,
        };
        if header.len > longest {
            //= testvectors/requirements/rfc9846.txt#section-5.1
            //# An endpoint that receives a record that exceeds this length MUST terminate the connection
            //# with a "record_overflow" alert.
            //= testvectors/requirements/rfc9846.txt#section-5.2
            //# An endpoint that receives a record that exceeds this length MUST terminate the connection
            //# with a "record_overflow" alert.
            //= testvectors/requirements/rfc9846.txt#section-5.2
            //# An endpoint that receives a record from its peer with TLSCiphertext.length larger than 2^14
            //# + 256 octets MUST terminate the connection with a "record_overflow" alert.
            return Err(Fault::record_overflow("a record is longer than the protocol allows"));
        }
        Ok(protection)
    }

    /// Records that are too short to be protected ones count as the shortest of these: no flood is free.
    fn charge_skipped(&mut self, ciphertext: usize) -> Result<(), Fault> {
        const TOO_MUCH: Fault = Fault::unexpected_message("more refused early data than this server skips");
        self.skipped = Skipped::Some;
        match &mut self.skip {
            Skip::UntilHello { budget } | Skip::UntilOpened { budget } => {
                *budget = budget.checked_sub(ciphertext.max(TAIL_LEN)).ok_or(TOO_MUCH)?;
            }
            Skip::Off => {}
        }
        Ok(())
    }
}

/// Finds the content type behind the content (RFC 9846 section 5.4): the last byte that is not zero.
fn strip_padding(inner: &mut [u8]) -> Result<(ContentType, &mut [u8]), Fault> {
    //= testvectors/requirements/rfc9846.txt#section-5.4
    //# Implementations MUST limit their scanning to the cleartext returned from the AEAD decryption.
    let end = inner.iter().rposition(|byte| *byte != 0);
    let (content, rest) = inner.split_at_mut_checked(end.unwrap_or(usize::MAX)).unwrap_or_default();
    let kind = match rest.first() {
        Some(kind) => ContentType(*kind),
        //= testvectors/requirements/rfc9846.txt#section-5.4
        //# If a receiving implementation does not find a non-zero octet in the cleartext, it MUST terminate
        //# the connection with an "unexpected_message" alert.
        None => return Err(Fault::unexpected_message("a protected record has no content type")),
    };
    match kind {
        ContentType::APPLICATION_DATA => Ok((kind, content)),
        ContentType::HANDSHAKE | ContentType::ALERT if content.is_empty() => {
            //= testvectors/requirements/rfc9846.txt#section-5.4
            //# Implementations MUST NOT send Handshake and Alert records that have a zero-length
            //# TLSInnerPlaintext.content; if such a message is received, the receiving implementation MUST
            //# terminate the connection with an "unexpected_message" alert.
            Err(Fault::unexpected_message("a handshake or alert record may not be empty"))
        }
        ContentType::HANDSHAKE | ContentType::ALERT => Ok((kind, content)),
        _ => Err(Fault::unexpected_message("a protected record of a type that may not be protected")),
    }
}
