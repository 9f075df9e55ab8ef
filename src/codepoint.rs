//! Code points of the protocol: open enumerations that keep values this library does not know.

use core::fmt;

macro_rules! code_points {
    ($($(#[$doc:meta])* $type:ident($repr:ty), $width:literal { $($id:ident = $value:literal, $name:literal;)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(pub $repr);

        #[allow(missing_docs)] // the names are the standard's own
        impl $type {
            $(pub const $id: Self = Self($value);)*
        }

        impl $type {
            /// The standard's name; `None` for a value that this library does not know.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "0x{:0width$x}", self.0, width = $width),
                }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

code_points! {
    //= testvectors/requirements/rfc9846.txt#section-5
    //# Implementations MUST NOT send record types not defined in this document unless negotiated by some
    //# extension.
    /// `ContentType` of a record (RFC 9846 section 5.1).
    ContentType(u8), 2 {
        CHANGE_CIPHER_SPEC = 20, "change_cipher_spec";
        ALERT = 21, "alert";
        HANDSHAKE = 22, "handshake";
        APPLICATION_DATA = 23, "application_data";
    }

    //= testvectors/requirements/rfc9846.txt#appendix-B
    //# TLS 1.3 implementations MUST NOT send them but might receive them from older TLS implementations.
    /// `HandshakeType` of a handshake message (RFC 9846 section 4).
    HandshakeType(u8), 2 {
        CLIENT_HELLO = 1, "ClientHello";
        SERVER_HELLO = 2, "ServerHello";
        NEW_SESSION_TICKET = 4, "NewSessionTicket";
        END_OF_EARLY_DATA = 5, "EndOfEarlyData";
        ENCRYPTED_EXTENSIONS = 8, "EncryptedExtensions";
        CERTIFICATE = 11, "Certificate";
        CERTIFICATE_REQUEST = 13, "CertificateRequest";
        CERTIFICATE_VERIFY = 15, "CertificateVerify";
        FINISHED = 20, "Finished";
        KEY_UPDATE = 24, "KeyUpdate";
        MESSAGE_HASH = 254, "message_hash";
    }

    /// `ProtocolVersion` (RFC 9846 section 4.3.1).
    ProtocolVersion(u16), 4 {
        SSL_3_0 = 0x0300, "SSL 3.0";
        TLS_1_0 = 0x0301, "TLS 1.0";
        TLS_1_1 = 0x0302, "TLS 1.1";
        TLS_1_2 = 0x0303, "TLS 1.2";
        TLS_1_3 = 0x0304, "TLS 1.3";
    }

    /// `CipherSuite` (RFC 9846 appendix B.4).
    CipherSuite(u16), 4 {
        TLS_AES_128_GCM_SHA256 = 0x1301, "TLS_AES_128_GCM_SHA256";
        TLS_AES_256_GCM_SHA384 = 0x1302, "TLS_AES_256_GCM_SHA384";
        TLS_CHACHA20_POLY1305_SHA256 = 0x1303, "TLS_CHACHA20_POLY1305_SHA256";
        TLS_AES_128_CCM_SHA256 = 0x1304, "TLS_AES_128_CCM_SHA256";
        TLS_AES_128_CCM_8_SHA256 = 0x1305, "TLS_AES_128_CCM_8_SHA256";
    }

    /// `NamedGroup` (RFC 9846 section 4.3.7 and draft-ietf-tls-ecdhe-mlkem).
    NamedGroup(u16), 4 {
        SECP256R1 = 0x0017, "secp256r1";
        SECP384R1 = 0x0018, "secp384r1";
        SECP521R1 = 0x0019, "secp521r1";
        X25519 = 0x001D, "x25519";
        X448 = 0x001E, "x448";
        FFDHE2048 = 0x0100, "ffdhe2048";
        FFDHE3072 = 0x0101, "ffdhe3072";
        FFDHE4096 = 0x0102, "ffdhe4096";
        SECP256R1MLKEM768 = 0x11EB, "SecP256r1MLKEM768";
        X25519MLKEM768 = 0x11EC, "X25519MLKEM768";
        SECP384R1MLKEM1024 = 0x11ED, "SecP384r1MLKEM1024";
    }

    /// `SignatureScheme` (RFC 9846 section 4.3.3).
    SignatureScheme(u16), 4 {
        RSA_PKCS1_SHA1 = 0x0201, "rsa_pkcs1_sha1";
        ECDSA_SHA1 = 0x0203, "ecdsa_sha1";
        RSA_PKCS1_SHA256 = 0x0401, "rsa_pkcs1_sha256";
        RSA_PKCS1_SHA384 = 0x0501, "rsa_pkcs1_sha384";
        RSA_PKCS1_SHA512 = 0x0601, "rsa_pkcs1_sha512";
        ECDSA_SECP256R1_SHA256 = 0x0403, "ecdsa_secp256r1_sha256";
        ECDSA_SECP384R1_SHA384 = 0x0503, "ecdsa_secp384r1_sha384";
        ECDSA_SECP521R1_SHA512 = 0x0603, "ecdsa_secp521r1_sha512";
        RSA_PSS_RSAE_SHA256 = 0x0804, "rsa_pss_rsae_sha256";
        RSA_PSS_RSAE_SHA384 = 0x0805, "rsa_pss_rsae_sha384";
        RSA_PSS_RSAE_SHA512 = 0x0806, "rsa_pss_rsae_sha512";
        ED25519 = 0x0807, "ed25519";
        ED448 = 0x0808, "ed448";
        RSA_PSS_PSS_SHA256 = 0x0809, "rsa_pss_pss_sha256";
        RSA_PSS_PSS_SHA384 = 0x080A, "rsa_pss_pss_sha384";
        RSA_PSS_PSS_SHA512 = 0x080B, "rsa_pss_pss_sha512";
    }

    /// `ExtensionType` (RFC 9846 section 4.3, table 1).
    ExtensionType(u16), 4 {
        SERVER_NAME = 0, "server_name";
        STATUS_REQUEST = 5, "status_request";
        SUPPORTED_GROUPS = 10, "supported_groups";
        SIGNATURE_ALGORITHMS = 13, "signature_algorithms";
        USE_SRTP = 14, "use_srtp";
        HEARTBEAT = 15, "heartbeat";
        ALPN = 16, "application_layer_protocol_negotiation";
        SIGNED_CERTIFICATE_TIMESTAMP = 18, "signed_certificate_timestamp";
        CLIENT_CERTIFICATE_TYPE = 19, "client_certificate_type";
        SERVER_CERTIFICATE_TYPE = 20, "server_certificate_type";
        PADDING = 21, "padding";
        COMPRESS_CERTIFICATE = 27, "compress_certificate";
        RECORD_SIZE_LIMIT = 28, "record_size_limit";
        DELEGATED_CREDENTIAL = 34, "delegated_credential";
        SUPPORTED_EKT_CIPHERS = 39, "supported_ekt_ciphers";
        PRE_SHARED_KEY = 41, "pre_shared_key";
        EARLY_DATA = 42, "early_data";
        SUPPORTED_VERSIONS = 43, "supported_versions";
        COOKIE = 44, "cookie";
        PSK_KEY_EXCHANGE_MODES = 45, "psk_key_exchange_modes";
        CERTIFICATE_AUTHORITIES = 47, "certificate_authorities";
        OID_FILTERS = 48, "oid_filters";
        POST_HANDSHAKE_AUTH = 49, "post_handshake_auth";
        SIGNATURE_ALGORITHMS_CERT = 50, "signature_algorithms_cert";
        KEY_SHARE = 51, "key_share";
        TRANSPARENCY_INFO = 52, "transparency_info";
        EXTERNAL_ID_HASH = 55, "external_id_hash";
        EXTERNAL_SESSION_ID = 56, "external_session_id";
        QUIC_TRANSPORT_PARAMETERS = 57, "quic_transport_parameters";
        TICKET_REQUEST = 58, "ticket_request";
        ECH_OUTER_EXTENSIONS = 0xFD00, "ech_outer_extensions";
        ENCRYPTED_CLIENT_HELLO = 0xFE0D, "encrypted_client_hello";
    }

    /// `CertificateType` (RFC 9846 section 4.5.1, RFC 7250).
    CertificateType(u8), 2 {
        X509 = 0, "X509";
        RAW_PUBLIC_KEY = 2, "RawPublicKey";
    }

    /// `PskKeyExchangeMode` (RFC 9846 section 4.3.9).
    PskKeyExchangeMode(u8), 2 {
        PSK_KE = 0, "psk_ke";
        PSK_DHE_KE = 1, "psk_dhe_ke";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn known_values_print_their_names_and_unknown_ones_their_number() {
        assert_eq!(format!("{}", NamedGroup::X25519MLKEM768), "X25519MLKEM768");
        assert_eq!(format!("{}", CipherSuite(0x0A0A)), "0x0a0a");
        assert_eq!(format!("{:?}", ContentType(99)), "0x63");
    }
}
