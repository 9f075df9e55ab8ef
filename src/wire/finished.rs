//! Finished: a MAC over the transcript (RFC 9846 section 4.5.3).

use alloc::vec::Vec;

use super::Reader;
use super::message::write_message;
use crate::codepoint::HandshakeType;
use crate::error::{Fault, Misuse};

/// Reads the body of a Finished: verify_data, which must have `hash_len` bytes.
///
/// # Errors
/// `decode_error` for any other length.
pub(crate) fn parse(body: &[u8], hash_len: usize) -> Result<&[u8], Fault> {
    let mut r = Reader::new(body);
    let verify_data = r.take(hash_len)?;
    r.finish()?;
    Ok(verify_data)
}

/// Writes a Finished message, header included.
///
/// # Errors
/// [`Misuse::TooLong`], which no hash is long enough for.
pub(crate) fn write_finished(out: &mut Vec<u8>, verify_data: &[u8]) -> Result<(), Misuse> {
    write_message(out, HandshakeType::FINISHED, |w| {
        w.bytes(verify_data);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::{message_body, truncations_and_extra_byte_are_refused};

    #[test]
    fn verify_data_is_read_back_and_has_the_length_of_the_hash() {
        let body = message_body(HandshakeType::FINISHED, |out| write_finished(out, &[9; 48]));
        assert_eq!(parse(&body, 48), Ok(&[9; 48][..]));
        truncations_and_extra_byte_are_refused(&body, |b| parse(b, 48).map(drop));
    }
}
