//! What can go wrong, and whose fault it is.
//!
//! A [`Fault`] is the peer's: it has its alert from the place of refusal on, so that no error can be without
//! one (RFC 9846 section 6.2). A [`Refusal`] comes from an answer: a policy, a credential, a signer.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use crate::alert::AlertCode;

/// The peer broke a rule: which alert it gets, and the rule in words.
///
/// ```compile_fail,E0451
/// let silent = symbolon::Fault { rule: "no alert", ..loop {} };
/// ```
/// ```
/// let told = symbolon::Fault::decode_error("a length is wrong");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    alert: AlertCode,
    rule: &'static str,
}

macro_rules! faults {
    ($($name:ident = $alert:ident;)*) => {
        impl Fault {
            $(#[doc = concat!("The peer is told `", stringify!($name), "`.")]
            #[must_use]
            pub const fn $name(rule: &'static str) -> Self {
                Self { alert: AlertCode::$alert, rule }
            })*
        }
    };
}

faults! {
    unexpected_message = UNEXPECTED_MESSAGE;
    bad_record_mac = BAD_RECORD_MAC;
    record_overflow = RECORD_OVERFLOW;
    handshake_failure = HANDSHAKE_FAILURE;
    unsupported_certificate = UNSUPPORTED_CERTIFICATE;
    illegal_parameter = ILLEGAL_PARAMETER;
    decode_error = DECODE_ERROR;
    decrypt_error = DECRYPT_ERROR;
    protocol_version = PROTOCOL_VERSION;
    missing_extension = MISSING_EXTENSION;
    unsupported_extension = UNSUPPORTED_EXTENSION;
    unrecognized_name = UNRECOGNIZED_NAME;
    certificate_required = CERTIFICATE_REQUIRED;
    no_application_protocol = NO_APPLICATION_PROTOCOL;
    unknown_psk_identity = UNKNOWN_PSK_IDENTITY;
}

impl Fault {
    /// The alert that the peer gets.
    #[must_use]
    pub const fn alert(&self) -> AlertCode {
        self.alert
    }

    /// The rule that the peer broke: static, lower case.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the peer broke the protocol: {}; it was told {}", self.rule, self.alert)
    }
}

impl core::error::Error for Fault {}

/// An answer refused to go on: which alert the peer gets, and the cause, as text or as structured data.
#[derive(Clone, Debug)]
pub struct Refusal {
    alert: AlertCode,
    cause: Arc<dyn core::error::Error + Send + Sync>,
}

impl Refusal {
    /// Refuses with `alert` for the reason `cause`, which [`Refusal::cause`] gives back for downcasting.
    ///
    /// close_notify and user_canceled become internal_error: they would tell the peer of an orderly end.
    pub fn new(alert: AlertCode, cause: impl core::error::Error + Send + Sync + 'static) -> Self {
        let alert = match alert {
            // RFC 9846 section 6: "Error alerts indicate abortive closure of the connection"
            AlertCode::CLOSE_NOTIFY | AlertCode::USER_CANCELED => AlertCode::INTERNAL_ERROR,
            alert => alert,
        };
        Self { alert, cause: Arc::new(cause) }
    }

    /// Refuses with `alert` for the reason `text`.
    pub fn text(alert: AlertCode, text: impl Into<String>) -> Self {
        Self::new(alert, Text(text.into()))
    }

    /// The alert that the peer gets.
    #[must_use]
    pub fn alert(&self) -> AlertCode {
        self.alert
    }

    /// Why.
    #[must_use]
    pub fn cause(&self) -> &(dyn core::error::Error + Send + Sync + 'static) {
        &*self.cause
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; the peer was told {}", self.cause, self.alert)
    }
}

impl core::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&*self.cause)
    }
}

#[derive(Debug)]
struct Text(String);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Text {}

/// A crypto provider did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The input was refused: a point not on the curve, an all-zero result, a wrong tag, a bad signature.
    Input,
    /// The provider itself could not: no entropy, an algorithm it does not have, a length it cannot handle.
    Provider,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "the crypto provider refused its input",
            Self::Provider => "the crypto provider failed; check its source of randomness and its algorithms",
        })
    }
}

impl core::error::Error for Failed {}

/// The caller asked for something that the connection cannot do in its present state; nothing was harmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The handshake is not complete yet.
    NotEstablished,
    /// The connection has no early data.
    NoEarlyData,
    /// Early data waits that was not read as such.
    EarlyDataWaits,
    /// The client was asked for a certificate and has not proved yet who it is.
    Unauthenticated,
    /// The write side was closed.
    WriteClosed,
    /// The answer belongs to another connection or to another question.
    WrongAnswer,
    /// No question is out.
    NoQuestion,
    /// The frame is too short for its plaintext, its header and its tail, or longer than a record may be.
    FrameSize,
    /// The output buffer or the joiner still holds bytes that the operation would lose.
    BytesPending,
    /// An exporter's label or output is longer than HKDF-Expand-Label can express.
    ExporterLength,
    /// The limit on records under one key was reached and no key update is possible.
    KeyLimit,
    /// A value to be encoded is longer than its field, for example a certificate chain above 2^24-1 bytes.
    TooLong,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotEstablished => "the handshake is not complete; wait for `Established`",
            Self::NoEarlyData => "the connection has no early data",
            Self::EarlyDataWaits => "early data waits; read it as such first, or accept none",
            Self::Unauthenticated => {
                "the client has not proved yet who it is; wait for the end of the handshake, or write to whoever it may be"
            }
            Self::WriteClosed => "the write side was closed before",
            Self::WrongAnswer => "this answer belongs to another connection or to another question",
            Self::NoQuestion => "no question is out on this connection",
            Self::FrameSize => "the frame does not leave room for a header and a tail, or exceeds a record",
            Self::BytesPending => "bytes are still pending that this operation would lose; flush first",
            Self::ExporterLength => "the exporter's label or output is too long",
            Self::KeyLimit => "the limit on records under one key is reached; close the connection",
            Self::TooLong => "a configured value is longer than its field on the wire",
        })
    }
}

impl core::error::Error for Misuse {}

/// Why a connection ended, or why a call was refused.
///
/// After every variant but [`Error::Misuse`] the connection is dead: its alert, if one is due, is already in the
/// output buffer, and every further call gives the same error, `process` once it has told what was still to be told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke a rule.
    Peer(Fault),
    /// The peer sent an error alert: it refuses us.
    Alert(AlertCode),
    /// An answer of ours refused to go on.
    Refused(Refusal),
    /// The transport ended without close_notify: data may be missing (RFC 9846 section 6.1).
    Truncated,
    /// The peer sent close_notify, or we closed, before the handshake was complete.
    ClosedInHandshake,
    /// The call does not fit the connection's state; the connection goes on.
    Misuse(Misuse),
    /// Our own crypto provider failed.
    Provider(Failed),
}

impl Error {
    /// The alert that tells the peer of this error, if one does.
    ///
    /// Total by construction: whatever is our decision has an alert. What the peer or the transport ended has none.
    //= testvectors/requirements/rfc9846.txt#section-6.2
    //# The phrases "terminate the connection with an X alert" and "abort the handshake with an X alert"
    //# mean that the implementation MUST send alert X if it sends any alert.
    #[must_use]
    pub fn alert(&self) -> Option<AlertCode> {
        match self {
            Self::Peer(fault) => Some(fault.alert()),
            Self::Refused(refusal) => Some(refusal.alert()),
            Self::Provider(_) => Some(AlertCode::INTERNAL_ERROR),
            Self::Alert(_) | Self::Truncated | Self::ClosedInHandshake | Self::Misuse(_) => None,
        }
    }
}

impl PartialEq for Error {
    /// Refusals are equal when their alerts and their texts are.
    fn eq(&self, other: &Self) -> bool {
        use alloc::string::ToString;
        match (self, other) {
            (Self::Peer(a), Self::Peer(b)) => a == b,
            (Self::Alert(a), Self::Alert(b)) => a == b,
            (Self::Refused(a), Self::Refused(b)) => a.alert == b.alert && a.to_string() == b.to_string(),
            (Self::Misuse(a), Self::Misuse(b)) => a == b,
            (Self::Provider(a), Self::Provider(b)) => a == b,
            (Self::Truncated, Self::Truncated) | (Self::ClosedInHandshake, Self::ClosedInHandshake) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(fault) => fault.fmt(f),
            Self::Alert(code) => write!(f, "the peer refused with the alert {code}"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Truncated => {
                f.write_str("the transport ended without close_notify: what was received may be cut short")
            }
            Self::ClosedInHandshake => f.write_str("the connection was closed during the handshake"),
            Self::Misuse(misuse) => misuse.fmt(f),
            Self::Provider(failed) => failed.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Peer(fault)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        Self::Provider(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    //= testvectors/requirements/rfc9846.txt#section-6.2
    //= type=test
    //# The phrases "terminate the connection with an X alert" and "abort the handshake with an X alert"
    //# mean that the implementation MUST send alert X if it sends any alert.
    #[test]
    fn what_we_decide_has_an_alert_and_what_others_ended_has_none() {
        assert_eq!(Error::from(Fault::decode_error("x")).alert(), Some(AlertCode::DECODE_ERROR));
        assert_eq!(Error::from(Failed::Input).alert(), Some(AlertCode::INTERNAL_ERROR));
        let refusal = Refusal::text(AlertCode::UNKNOWN_CA, "no issuer");
        assert_eq!(Error::from(refusal).alert(), Some(AlertCode::UNKNOWN_CA));
        assert_eq!(Error::Truncated.alert(), None);
    }

    #[test]
    fn no_refusal_looks_like_an_orderly_end() {
        for alert in [AlertCode::CLOSE_NOTIFY, AlertCode::USER_CANCELED] {
            assert_eq!(Refusal::text(alert, "x").alert(), AlertCode::INTERNAL_ERROR);
        }
    }

    #[test]
    fn a_refusal_says_why_and_what_the_peer_was_told() {
        let refusal = Refusal::text(AlertCode::UNKNOWN_CA, "issuer \"X\" is not trusted");
        assert_eq!(refusal.to_string(), "issuer \"X\" is not trusted; the peer was told unknown_ca (48)");
        assert_eq!(refusal.cause().to_string(), "issuer \"X\" is not trusted");
    }
}
