//! Sealing records into a buffer or where they lie.

use super::frame::{HEADER_LEN, Header};
use super::limits::{Padding, SizeLimit};
use super::nonce::Nonces;
use super::sendbuf::SendBuf;
use crate::codepoint::{ContentType, ProtocolVersion};
use crate::crypto::{AeadKey, TAG_LEN};
use crate::error::Failed;
use crate::schedule::{Direction, Keys};
use alloc::boxed::Box;
use core::marker::PhantomData;

/// What a protected record adds behind its content at least: the content type and the tag.
pub(crate) const TAIL_LEN: usize = 1 + TAG_LEN;

/// How many parts of a gathering write go to the provider as they are; more are copied together first.
const MAX_PARTS: usize = 16;

/// Seals the records of one sender; `D` is whose keys it takes.
pub(crate) struct Sealer<D> {
    keys: Option<SealKeys>,
    ours: SizeLimit,
    peers: SizeLimit,
    padding: Padding,
    plain_version: ProtocolVersion,
    of: PhantomData<fn() -> D>,
}

struct SealKeys {
    aead: Box<dyn AeadKey>,
    nonces: Nonces,
    record_limit: u64,
}

impl<D: Direction> Sealer<D> {
    /// Without keys yet. No record carries more than `ours`. `first_version` is the legacy version of the first record
    /// alone: RFC 9846 section 5.1 wants 0x0301 on an initial ClientHello and 0x0303 on everything else.
    pub(crate) fn plain(padding: Padding, ours: SizeLimit, first_version: ProtocolVersion) -> Self {
        Self {
            keys: None,
            ours,
            peers: SizeLimit::STANDARD,
            padding,
            plain_version: first_version,
            of: PhantomData,
        }
    }

    /// Changes write keys; `record_limit` is how many records they may seal.
    pub(crate) fn rekey(&mut self, keys: Keys<D>, record_limit: u64) {
        self.keys = Some(SealKeys { aead: keys.aead, nonces: Nonces::new(keys.iv), record_limit });
    }

    /// Forgets the key.
    pub(crate) fn forget(&mut self) {
        self.keys = None;
    }

    /// How application data is padded, and the most that a record carries, from now on.
    pub(crate) fn configure(&mut self, padding: Padding, ours: SizeLimit) {
        self.padding = padding;
        self.ours = ours;
    }

    /// What the peer accepts in a protected record from now on.
    pub(crate) fn set_limit(&mut self, limit: SizeLimit) {
        self.peers = limit;
    }

    /// Whether there are keys.
    pub(crate) fn is_protected(&self) -> bool {
        self.keys.is_some()
    }

    /// The sequence number of the next record under the present key; 0 without a key.
    pub(crate) fn sequence(&self) -> u64 {
        self.keys.as_ref().map_or(0, |keys| keys.nonces.sequence())
    }

    /// How many records the present key may still seal.
    pub(crate) fn records_left(&self) -> u64 {
        self.keys.as_ref().map_or(u64::MAX, |keys| keys.record_limit.saturating_sub(keys.nonces.sequence()))
    }

    //= testvectors/requirements/rfc8449.txt#section-4
    //# When the "record_size_limit" extension is negotiated, an endpoint MUST NOT generate a protected
    //# record with plaintext that is larger than the RecordSizeLimit value it receives from its peer.
    /// The most content that one record can carry now, in bytes.
    pub(crate) fn max_content(&self) -> usize {
        self.limit().content()
    }

    /// Our own limit, and for protected records the peer's too.
    fn limit(&self) -> SizeLimit {
        if self.is_protected() { self.ours.min(self.peers) } else { self.ours }
    }

    /// Seals `content` into as many records as it needs.
    pub(crate) fn seal(
        &mut self,
        kind: ContentType,
        content: &[u8],
        out: &mut SendBuf,
    ) -> Result<(), Failed> {
        //= testvectors/requirements/rfc9846.txt#section-5.1
        //# Implementations MUST NOT send zero-length fragments of Handshake types, even if those fragments
        //# contain padding.
        for fragment in content.chunks(self.max_content()) {
            self.seal_record(kind, [fragment], out)?;
        }
        Ok(())
    }

    /// Writes a ChangeCipherSpec, which is never protected (RFC 9846 appendix E.4).
    pub(crate) fn change_cipher_spec(&mut self, out: &mut SendBuf) -> Result<(), Failed> {
        let content: &[u8] = &[1];
        write_plain(ContentType::CHANGE_CIPHER_SPEC, ProtocolVersion::TLS_1_2, [content].into_iter(), 1, out)
    }

    /// Seals one record whose content is the concatenation of `parts`, at most [`Sealer::max_content`] bytes.
    pub(crate) fn seal_record<'p, I>(
        &mut self,
        kind: ContentType,
        parts: I,
        out: &mut SendBuf,
    ) -> Result<(), Failed>
    where
        I: IntoIterator<Item = &'p [u8]>,
        I::IntoIter: Clone,
    {
        let parts = parts.into_iter();
        let content = parts.clone().map(<[u8]>::len).sum::<usize>();
        let limit = self.limit();
        let Some(keys) = &mut self.keys else {
            //= testvectors/requirements/rfc9846.txt#section-5.1
            //# legacy_record_version: MUST be set to 0x0303 for all records generated by a TLS 1.3
            //# implementation other than an initial ClientHello (i.e., one not generated after a
            //# HelloRetryRequest), where it MAY also be 0x0301 for compatibility purposes.
            //= testvectors/requirements/rfc9846.txt#section-5.1
            //# a record containing a second ClientHello or a ServerHello MUST have version 0x0303
            //# (reflecting TLS 1.2)
            //= testvectors/requirements/rfc9846.txt#appendix-E.5
            //# Implementations MUST NOT send any records with a version less than 0x0300.
            let version = core::mem::replace(&mut self.plain_version, ProtocolVersion::TLS_1_2);
            return write_plain(kind, version, parts, content, out);
        };
        let padding = match kind {
            ContentType::APPLICATION_DATA => self.padding.amount(content.saturating_add(1), limit),
            _ => 0,
        };
        let body = content.saturating_add(TAIL_LEN).saturating_add(padding);
        let header = Header::encode(ContentType::APPLICATION_DATA, ProtocolVersion::TLS_1_2, body)
            .ok_or(Failed::Provider)?;
        let record_len = HEADER_LEN.saturating_add(body);
        let record = out.claim(record_len);
        let sealed = keys.seal_parts(&header, kind, parts, padding, record);
        if sealed.is_err() {
            out.unclaim(record_len);
        }
        sealed
    }

    /// Seals the `content` bytes that lie behind room for a header in `frame`; the rest of `frame`, at least
    /// [`TAIL_LEN`] bytes, takes the content type, padding and the tag.
    pub(crate) fn seal_frame(&mut self, frame: &mut [u8], content: usize) -> Result<(), Failed> {
        let keys = self.keys.as_mut().ok_or(Failed::Provider)?;
        let (header, body) = frame.split_first_chunk_mut::<HEADER_LEN>().ok_or(Failed::Provider)?;
        *header = Header::encode(ContentType::APPLICATION_DATA, ProtocolVersion::TLS_1_2, body.len())
            .ok_or(Failed::Provider)?;
        let (inner, tag) = body.split_last_chunk_mut::<TAG_LEN>().ok_or(Failed::Provider)?;
        let (_, tail) = inner.split_at_mut_checked(content).ok_or(Failed::Provider)?;
        let (kind, padding) = tail.split_first_mut().ok_or(Failed::Provider)?;
        *kind = ContentType::APPLICATION_DATA.0;
        padding.fill(0);
        keys.aead.seal_in_place(&keys.nonces.current(), header, inner, tag)?;
        keys.nonces.advance().ok_or(Failed::Provider)
    }
}

impl SealKeys {
    fn seal_parts<'p>(
        &mut self,
        header: &[u8; HEADER_LEN],
        kind: ContentType,
        parts: impl Iterator<Item = &'p [u8]> + Clone,
        padding: usize,
        record: &mut [u8],
    ) -> Result<(), Failed> {
        let (header_out, body) = record.split_first_chunk_mut::<HEADER_LEN>().ok_or(Failed::Provider)?;
        *header_out = *header;
        let nonce = self.nonces.current();
        let kind = [kind.0];
        let mut parts = parts.map(shortened).chain([&kind[..]]);
        let mut gathered: [&[u8]; MAX_PARTS] = [&[]; MAX_PARTS];
        let whole = parts.clone();
        let mut count = 0_usize;
        for (to, part) in gathered.iter_mut().zip(&mut parts) {
            *to = part;
            count = count.saturating_add(1);
        }
        if padding == 0 && parts.next().is_none() {
            let gathered = gathered.get(..count).unwrap_or_default();
            self.aead.seal_parts(&nonce, header, gathered, body)?;
        } else {
            let (inner, tag) = body.split_last_chunk_mut::<TAG_LEN>().ok_or(Failed::Provider)?;
            //= testvectors/requirements/rfc9846.txt#section-5.4
            //# Implementations MUST set the padding octets to all zeros before encrypting.
            copy_parts(whole, inner)?.fill(0);
            self.aead.seal_in_place(&nonce, header, inner, tag)?;
        }
        self.nonces.advance().ok_or(Failed::Provider)
    }
}

/// The same slice for a shorter time, so that it can stand beside one on the stack.
fn shortened<'short, 'long: 'short>(part: &'long [u8]) -> &'short [u8] {
    part
}

fn write_plain<'p>(
    kind: ContentType,
    version: ProtocolVersion,
    parts: impl Iterator<Item = &'p [u8]>,
    content: usize,
    out: &mut SendBuf,
) -> Result<(), Failed> {
    let header = Header::encode(kind, version, content).ok_or(Failed::Provider)?;
    let record = out.claim(HEADER_LEN.saturating_add(content));
    let (header_out, body) = record.split_first_chunk_mut::<HEADER_LEN>().ok_or(Failed::Provider)?;
    *header_out = header;
    copy_parts(parts, body).map(|_| ())
}

/// Copies `parts` to the front of `out` and gives what is left of it.
fn copy_parts<'p, 'o>(
    parts: impl Iterator<Item = &'p [u8]>,
    mut out: &'o mut [u8],
) -> Result<&'o mut [u8], Failed> {
    for part in parts {
        let (here, rest) = out.split_at_mut_checked(part.len()).ok_or(Failed::Provider)?;
        here.copy_from_slice(part);
        out = rest;
    }
    Ok(out)
}
