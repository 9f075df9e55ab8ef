//! Bytes to borrowed views and back: every handshake message and extension of TLS 1.3.
//!
//! A view exists only if its syntax was right; what the values mean is judged above. A parser refuses with the
//! alert that the standard demands, an encoder refuses what does not fit its field. Nothing here negotiates.

pub(crate) mod certificate;
pub(crate) mod certificate_request;
pub(crate) mod certificate_verify;
pub(crate) mod client_hello;
pub(crate) mod encrypted_extensions;
pub(crate) mod ext;
pub(crate) mod finished;
pub(crate) mod key_update;
pub(crate) mod list;
pub(crate) mod message;
pub(crate) mod new_session_ticket;
pub(crate) mod reader;
pub(crate) mod server_hello;
pub(crate) mod writer;

pub use list::{List, U16List};
pub(crate) use reader::{Length, Reader, U8, U16, U24};
pub(crate) use writer::Writer;

/// What the tests of this floor share.
#[cfg(test)]
pub(crate) mod testing {
    use alloc::vec::Vec;

    use super::Writer;
    use super::ext::Extensions;
    use super::message::{HEADER_LEN, parse_header};
    use crate::alert::AlertCode;
    use crate::codepoint::{ExtensionType, HandshakeType};
    use crate::error::{Fault, Misuse};

    /// Holds `parse` against `bytes`, which are right, against each of their beginnings, and against one byte more.
    pub(crate) fn truncations_and_extra_byte_are_refused(
        bytes: &[u8],
        parse: impl Fn(&[u8]) -> Result<(), Fault>,
    ) {
        parse(bytes).unwrap();
        for len in 0..bytes.len() {
            assert_eq!(alert(parse(&bytes[..len])), AlertCode::DECODE_ERROR, "the first {len} bytes");
        }
        let longer = [bytes, &[0]].concat();
        assert_eq!(alert(parse(&longer)), AlertCode::DECODE_ERROR, "one byte more");
    }

    /// The alert of a refusal.
    pub(crate) fn alert<T>(result: Result<T, Fault>) -> AlertCode {
        match result {
            Ok(_) => panic!("this must be refused"),
            Err(fault) => fault.alert(),
        }
    }

    /// What `write` writes.
    pub(crate) fn written(write: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out)).unwrap();
        out
    }

    /// The extension_data of the one extension that `encode` writes, which must be of type `kind`.
    pub(crate) fn extension_data(
        kind: ExtensionType,
        encode: impl FnOnce(&mut Writer<'_>) -> Result<(), Misuse>,
    ) -> Vec<u8> {
        let block = written(encode);
        let all: Vec<_> = Extensions::new(&block).map(Result::unwrap).collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].0, kind);
        all[0].1.to_vec()
    }

    /// The body of the one message that `write` writes, which must be of type `kind`.
    pub(crate) fn message_body(
        kind: HandshakeType,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), Misuse>,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        let header = parse_header(out.first_chunk().unwrap());
        assert_eq!(header.kind, kind);
        let body = out.split_off(HEADER_LEN);
        assert_eq!(header.len, body.len());
        body
    }
}
