//! Keys by hand (RFC 9846 sections 4.3.11.2, 4.5.3, 5.3 and 7.1): record protection, Finished and binders.

use symbolon::crypto::{AeadKey, Expansion, Nonce};

use super::provider::suite;

/// The PSK of the external key that everybody knows, and that of the ticket.
pub const EXTERNAL: (&[u8], [u8; 32]) = (b"known key", [5; 32]);
pub const TICKET: (&[u8], [u8; 32]) = (b"known ticket", [6; 32]);

/// `HKDF-Expand-Label`.
pub fn expand_label(secret: &[u8], label: &str, context: &[u8], len: usize) -> Vec<u8> {
    let mut info = (len as u16).to_be_bytes().to_vec();
    info.push(6 + label.len() as u8);
    info.extend(b"tls13 ");
    info.extend(label.as_bytes());
    info.push(context.len() as u8);
    info.extend(context);
    let mut out = vec![0; len];
    let expansion = Expansion { info: &info, out: &mut out };
    suite().hash.expand(secret, &mut [expansion]).expect("the null provider expands");
    out
}

pub fn mac(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 32];
    suite().hash.hmac(key, &[bytes], &mut out).expect("the null provider signs");
    out
}

pub fn hash(bytes: &[u8]) -> Vec<u8> {
    suite().hash.hash(&[bytes]).as_ref().to_vec()
}

/// verify_data under a traffic secret.
pub fn verify_data(secret: &[u8], transcript: &[u8]) -> Vec<u8> {
    mac(&expand_label(secret, "finished", b"", 32), &hash(transcript))
}

fn early_secret(psk: &[u8]) -> Vec<u8> {
    mac(&[], psk)
}

/// The binder of a PSK over the truncated ClientHello and what was before it.
pub fn binder(psk: &[u8], label: &str, covered: &[u8]) -> Vec<u8> {
    let base = expand_label(&early_secret(psk), label, &hash(&[]), 32);
    verify_data(&base, covered)
}

/// The secret of early data.
pub fn early_traffic(psk: &[u8], hello: &[u8]) -> Vec<u8> {
    expand_label(&early_secret(psk), "c e traffic", &hash(hello), 32)
}

/// One direction under one traffic secret.
pub struct Lane {
    secret: Vec<u8>,
    key: Box<dyn AeadKey>,
    iv: Vec<u8>,
    sequence: u64,
}

impl Lane {
    pub fn new(secret: &[u8]) -> Self {
        let key = expand_label(secret, "key", b"", suite().aead.key_len());
        let iv = expand_label(secret, "iv", b"", 12);
        let key = suite().aead.key(&key).expect("a key of this length");
        Self { secret: secret.to_vec(), key, iv, sequence: 0 }
    }

    /// The keys behind a KeyUpdate (RFC 9846 section 7.2).
    pub fn update(&mut self) {
        *self = Self::new(&expand_label(&self.secret, "traffic upd", b"", 32));
    }

    /// A record whose `TLSInnerPlaintext` is `inner`.
    pub fn seal(&mut self, inner: &[u8]) -> Vec<u8> {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.sequence.to_be_bytes());
        nonce.iter_mut().zip(&self.iv).for_each(|(a, b)| *a ^= b);
        self.sequence += 1;
        let mut record = record(23, &[inner, &[0; 16]].concat());
        let (header, body) = record.split_at_mut(5);
        let (body, tag) = body.split_last_chunk_mut().expect("a tag");
        self.key.seal_in_place(&Nonce(nonce), header, body, tag).expect("the null provider seals");
        record
    }
}

/// A record in the clear.
pub fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 3, 3];
    record.extend((content.len().min(65_535) as u16).to_be_bytes());
    record.extend(&content[..content.len().min(65_535)]);
    record
}
