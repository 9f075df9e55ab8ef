//! Alert descriptions (RFC 9846 section 6).

use core::fmt;

/// An `AlertDescription`: the code of an alert, also of one that this library does not know.
///
/// RFC 9846 section 6: "Unknown Alert types MUST be treated as error alerts."
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AlertCode(pub u8);

macro_rules! alerts {
    ($($(#[$doc:meta])* $id:ident = $value:literal, $name:literal;)*) => {
        impl AlertCode {
            $($(#[$doc])* pub const $id: Self = Self($value);)*

            /// The name in RFC 9846 section 6, for example `handshake_failure`; `None` for an unknown code.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

alerts! {
    /// The sender will not send any more messages on this connection.
    CLOSE_NOTIFY = 0, "close_notify";
    /// An inappropriate message was received.
    UNEXPECTED_MESSAGE = 10, "unexpected_message";
    /// A record could not be deprotected.
    BAD_RECORD_MAC = 20, "bad_record_mac";
    /// A record was too long.
    RECORD_OVERFLOW = 22, "record_overflow";
    /// No acceptable set of parameters could be negotiated.
    HANDSHAKE_FAILURE = 40, "handshake_failure";
    /// A certificate was corrupt or its signatures did not verify.
    BAD_CERTIFICATE = 42, "bad_certificate";
    /// A certificate was of an unsupported type.
    UNSUPPORTED_CERTIFICATE = 43, "unsupported_certificate";
    /// A certificate was revoked by its signer.
    CERTIFICATE_REVOKED = 44, "certificate_revoked";
    /// A certificate has expired or is not currently valid.
    CERTIFICATE_EXPIRED = 45, "certificate_expired";
    /// Some other issue made a certificate unacceptable.
    CERTIFICATE_UNKNOWN = 46, "certificate_unknown";
    /// A field was incorrect or inconsistent with other fields.
    ILLEGAL_PARAMETER = 47, "illegal_parameter";
    /// The certification authority is not known or not trusted.
    UNKNOWN_CA = 48, "unknown_ca";
    /// A valid certificate or PSK was received, but access control refused it.
    ACCESS_DENIED = 49, "access_denied";
    /// A message does not conform to the formal protocol syntax.
    DECODE_ERROR = 50, "decode_error";
    /// A handshake cryptographic operation failed.
    DECRYPT_ERROR = 51, "decrypt_error";
    /// The protocol version is recognized but not supported.
    PROTOCOL_VERSION = 70, "protocol_version";
    /// The server requires parameters more secure than those offered.
    INSUFFICIENT_SECURITY = 71, "insufficient_security";
    /// An error unrelated to the peer.
    INTERNAL_ERROR = 80, "internal_error";
    /// An invalid connection retry attempt (RFC 7507).
    INAPPROPRIATE_FALLBACK = 86, "inappropriate_fallback";
    /// The sender cancels the handshake for a reason unrelated to a protocol failure.
    USER_CANCELED = 90, "user_canceled";
    /// A mandatory extension is missing.
    MISSING_EXTENSION = 109, "missing_extension";
    /// An extension was received that was not offered.
    UNSUPPORTED_EXTENSION = 110, "unsupported_extension";
    /// No server is known by the name given in "server_name".
    UNRECOGNIZED_NAME = 112, "unrecognized_name";
    /// An invalid or unacceptable OCSP response was stapled.
    BAD_CERTIFICATE_STATUS_RESPONSE = 113, "bad_certificate_status_response";
    /// No acceptable PSK identity was offered.
    UNKNOWN_PSK_IDENTITY = 115, "unknown_psk_identity";
    /// A client certificate is desired but none was provided.
    CERTIFICATE_REQUIRED = 116, "certificate_required";
    /// An error with no more specific code, or one that the sender conceals.
    GENERAL_ERROR = 117, "general_error";
    /// No application protocol in common (RFC 7301).
    NO_APPLICATION_PROTOCOL = 120, "no_application_protocol";
}

impl fmt::Display for AlertCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "unknown alert ({})", self.0),
        }
    }
}

impl fmt::Debug for AlertCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn known_and_unknown_codes_print() {
        assert_eq!(format!("{}", AlertCode::GENERAL_ERROR), "general_error (117)");
        assert_eq!(format!("{}", AlertCode(200)), "unknown alert (200)");
    }
}
