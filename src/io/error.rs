//! Between `io::Error` and this library's own.

use std::io::{Error as IoError, ErrorKind};

use crate::error::{Error, Misuse};

/// The error of this library inside an `io::Error`, if there is one.
///
/// ```
/// # use symbolon::{Error, io::tls_error};
/// fn was_cut_short(error: &std::io::Error) -> bool {
///     matches!(tls_error(error), Some(Error::Truncated))
/// }
/// ```
#[must_use]
pub fn tls_error(error: &IoError) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// Wraps an error in the kind that fits: `UnexpectedEof` for a truncation, `InvalidData` for what the peer sent or
/// for what a policy refused, `ConnectionAborted` where the peer ended it, `BrokenPipe` after our own close.
pub(super) fn io_error(error: Error) -> IoError {
    let kind = match &error {
        Error::Truncated => ErrorKind::UnexpectedEof,
        Error::Peer(_) | Error::Refused(_) => ErrorKind::InvalidData,
        Error::Alert(_) | Error::ClosedInHandshake => ErrorKind::ConnectionAborted,
        Error::Misuse(Misuse::WriteClosed) => ErrorKind::BrokenPipe,
        Error::Misuse(_) => ErrorKind::InvalidInput,
        Error::Provider(_) => ErrorKind::Other,
    };
    IoError::new(kind, error)
}

/// Whether the peer is still to be told of this error by an alert of ours.
pub(super) fn has_alert(error: &IoError) -> bool {
    tls_error(error).and_then(Error::alert).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;

    #[test]
    fn the_inner_error_is_found_again() {
        let error = io_error(Error::Truncated);
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(tls_error(&error), Some(&Error::Truncated));
        assert_eq!(tls_error(&IoError::from(ErrorKind::WouldBlock)), None);
    }

    #[test]
    fn only_what_we_decided_has_an_alert_to_deliver() {
        assert!(has_alert(&io_error(Fault::decode_error("x").into())));
        assert!(!has_alert(&io_error(Error::Truncated)));
        assert!(!has_alert(&IoError::from(ErrorKind::BrokenPipe)));
    }
}
