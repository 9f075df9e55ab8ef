//! Sequence numbers and nonces (RFC 9846 section 5.3).

use crate::crypto::{NONCE_LEN, Nonce};

/// The nonces of one key, in order, each given out once.
pub(super) struct Nonces {
    iv: [u8; NONCE_LEN],
    next: u64,
}

impl Nonces {
    pub(super) fn new(iv: [u8; NONCE_LEN]) -> Self {
        //= testvectors/requirements/rfc9846.txt#section-5.3
        //# the first record transmitted under a particular traffic key MUST use sequence number 0
        Self { iv, next: 0 }
    }

    /// The sequence number of the next record: how many records this key has protected.
    pub(super) fn sequence(&self) -> u64 {
        self.next
    }

    /// The nonce of the next record, which [`Nonces::advance`] then uses up.
    pub(super) fn current(&self) -> Nonce {
        let mut nonce = self.iv;
        let sequence = self.next.to_be_bytes();
        // "padded to the left with zeros to iv_length" and "XORed with .. the static .. iv"
        for (byte, of_sequence) in nonce.iter_mut().rev().zip(sequence.iter().rev()) {
            *byte ^= of_sequence;
        }
        Nonce(nonce)
    }

    /// Uses the current nonce up; `None` when the sequence number would wrap, which it must not.
    pub(super) fn advance(&mut self) -> Option<()> {
        //= testvectors/requirements/rfc9846.txt#section-5.3
        //# If a TLS implementation would need to wrap a sequence number, it MUST either rekey (Section
        //# 4.7.3) or terminate the connection.
        self.next = self.next.checked_add(1)?;
        Some(())
    }

    #[cfg(test)]
    pub(super) fn set_sequence(&mut self, sequence: u64) {
        self.next = sequence;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    //= testvectors/requirements/rfc9846.txt#section-5.3
    //= type=test
    //# the first record transmitted under a particular traffic key MUST use sequence number 0
    //= testvectors/requirements/rfc9846.txt#section-5.3
    //= type=test
    //# An AEAD algorithm where N_MAX is less than 8 bytes MUST NOT be used with TLS.
    #[test]
    fn the_sequence_number_is_xored_into_the_right_end() {
        let mut nonces = Nonces::new([0xF0; NONCE_LEN]);
        assert_eq!(nonces.current().0, [0xF0; NONCE_LEN]);
        nonces.set_sequence(0x0102);
        let expected = [0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF1, 0xF2];
        assert_eq!(nonces.current().0, expected);
    }

    //= testvectors/requirements/rfc9846.txt#section-5.3
    //= type=test
    //# If a TLS implementation would need to wrap a sequence number, it MUST either rekey (Section 4.7.3)
    //# or terminate the connection.
    #[test]
    fn the_sequence_number_does_not_wrap() {
        let mut nonces = Nonces::new([0; NONCE_LEN]);
        nonces.set_sequence(u64::MAX);
        assert!(nonces.advance().is_none());
        assert_eq!(nonces.sequence(), u64::MAX);
    }
}
