//! HKDF-Expand-Label (RFC 9846 section 7.1).

use crate::crypto::{Expansion, Failed, Hash, HashSecret};

const PREFIX: &[u8] = b"tls13 ";

/// Room for every label of the standard with a context of one hash: 2 + 1 + 6 + 12 + 1 + 64 bytes, rounded up.
const SHORT: usize = 96;

/// Room for the longest label and context that the encoding can express.
pub(super) const LONGEST: usize = 2 + 1 + 255 + 1 + 255;

/// An encoded `HkdfLabel` structure.
pub(super) struct Label<const ROOM: usize = SHORT> {
    bytes: [u8; ROOM],
    len: usize,
}

impl<const ROOM: usize> Label<ROOM> {
    /// Encodes `struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel`.
    ///
    /// # Errors
    ///
    /// [`Failed::Provider`] when a field does not fit.
    pub(super) fn new(out_len: usize, label: &[u8], context: &[u8]) -> Result<Self, Failed> {
        let mut encoded = Self { bytes: [0; ROOM], len: 0 };
        let label_len = PREFIX.len().saturating_add(label.len());
        encoded.push(&u16::try_from(out_len).map_err(|_| Failed::Provider)?.to_be_bytes())?;
        encoded.push(&[u8::try_from(label_len).map_err(|_| Failed::Provider)?])?;
        encoded.push(PREFIX)?;
        encoded.push(label)?;
        encoded.push(&[u8::try_from(context.len()).map_err(|_| Failed::Provider)?])?;
        encoded.push(context)?;
        Ok(encoded)
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        let end = self.len.checked_add(bytes.len()).ok_or(Failed::Provider)?;
        self.bytes.get_mut(self.len..end).ok_or(Failed::Provider)?.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }
}

impl<const ROOM: usize> AsRef<[u8]> for Label<ROOM> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

/// One `HKDF-Expand-Label`: label, context, and the output whose length is part of the input.
pub(super) type Request<'a> = (&'a [u8], &'a [u8], &'a mut [u8]);

/// `HKDF-Expand-Label(secret, ..)` for several requests under one prepared key.
pub(super) fn expand<const N: usize>(
    hash: &dyn Hash,
    secret: &HashSecret,
    requests: [Request<'_>; N],
) -> Result<(), Failed> {
    let mut labels = [const { Label::<SHORT> { bytes: [0; SHORT], len: 0 } }; N];
    for (encoded, (label, context, out)) in labels.iter_mut().zip(&requests) {
        *encoded = Label::new(out.len(), label, context)?;
    }
    let mut infos = labels.iter().map(AsRef::as_ref);
    let mut batch = requests.map(|(_, _, out)| Expansion { info: infos.next().unwrap_or_default(), out });
    hash.expand(secret.expose(), &mut batch)
}

/// `Derive-Secret(secret, ..)` for several labels and transcript hashes under one prepared key.
pub(super) fn derive<const N: usize>(
    hash: &dyn Hash,
    secret: &HashSecret,
    labels: [(&[u8], &[u8]); N],
) -> Result<[HashSecret; N], Failed> {
    let mut outputs = core::array::from_fn(|_| HashSecret::zeroed(hash.output_len()));
    let mut labels = labels.into_iter();
    let requests = outputs.each_mut().map(|out| {
        let (label, context) = labels.next().unwrap_or_default();
        (label, context, out.expose_mut())
    });
    expand(hash, secret, requests)?;
    Ok(outputs)
}
