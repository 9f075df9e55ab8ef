//! Fingerprints: which certificate, and which key.

use core::fmt;
use core::str::FromStr;

/// A SHA-256 hash; printed and read as 64 hexadecimal digits, with or without colons between bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

/// The fingerprints of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    /// Of the whole DER certificate.
    pub certificate: Fingerprint,
    /// Of its DER `SubjectPublicKeyInfo`: it stays when a certificate is renewed for the same key.
    pub spki: Fingerprint,
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A text is not 32 bytes in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFingerprint;

impl fmt::Display for NotFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fingerprint is a SHA-256 hash: 64 hexadecimal digits, colons between bytes or not")
    }
}

impl core::error::Error for NotFingerprint {}

impl FromStr for Fingerprint {
    type Err = NotFingerprint;

    fn from_str(text: &str) -> Result<Self, NotFingerprint> {
        let mut digits = text.bytes().filter(|byte| *byte != b':').map(|byte| char::from(byte).to_digit(16));
        let mut bytes = [0; 32];
        for byte in &mut bytes {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(NotFingerprint);
            };
            *byte = u8::try_from(high << 4 | low).map_err(|_| NotFingerprint)?;
        }
        digits.next().map_or(Ok(Self(bytes)), |_| Err(NotFingerprint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_fingerprint_is_read_as_it_is_printed_and_as_openssl_prints_it() {
        let hash = Fingerprint(core::array::from_fn(|at| at as u8 * 7));
        assert_eq!(hash.to_string().parse(), Ok(hash));
        let colons: Vec<_> = hash.0.iter().map(|byte| alloc::format!("{byte:02X}")).collect();
        assert_eq!(colons.join(":").parse(), Ok(hash));
        for bad in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(NotFingerprint), "{bad}");
        }
    }

    use alloc::vec::Vec;
}
