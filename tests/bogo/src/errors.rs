//! What the runner calls each error: one total mapping. Faults are told apart by the rule that was broken.

use symbolon::{AlertCode, Error, Fault};

use crate::refusals::name_of;

/// The reference's name for an error.
pub fn name(error: &Error) -> &'static str {
    match error {
        Error::Peer(fault) => of_fault(fault),
        Error::Alert(code) => of_alert(*code),
        Error::Refused(refusal) => name_of(refusal).unwrap_or("INTERNAL_ERROR"),
        Error::Truncated => "UNEXPECTED_EOF",
        Error::ClosedInHandshake => "HANDSHAKE_FAILURE",
        Error::Misuse(_) => "HANDSHAKE_NOT_COMPLETE",
        Error::Provider(_) => "INTERNAL_ERROR",
        _ => UNKNOWN,
    }
}

/// For what has no name; no test expects it.
const UNKNOWN: &str = "UNKNOWN_ERROR";

fn of_fault(fault: &Fault) -> &'static str {
    let row = RULES.iter().find(|(_, rules)| rules.contains(&fault.rule()));
    row.map_or(UNKNOWN, |(name, _)| name)
}

/// The names of received alerts.
fn of_alert(code: AlertCode) -> &'static str {
    match code {
        AlertCode::UNEXPECTED_MESSAGE => "SSLV3_ALERT_UNEXPECTED_MESSAGE",
        AlertCode::BAD_RECORD_MAC => "SSLV3_ALERT_BAD_RECORD_MAC",
        AlertCode::RECORD_OVERFLOW => "TLSV1_ALERT_RECORD_OVERFLOW",
        AlertCode(30) => "SSLV3_ALERT_DECOMPRESSION_FAILURE",
        AlertCode::HANDSHAKE_FAILURE => "SSLV3_ALERT_HANDSHAKE_FAILURE",
        AlertCode::ILLEGAL_PARAMETER => "SSLV3_ALERT_ILLEGAL_PARAMETER",
        AlertCode::DECODE_ERROR => "TLSV1_ALERT_DECODE_ERROR",
        AlertCode::DECRYPT_ERROR => "TLSV1_ALERT_DECRYPT_ERROR",
        AlertCode::PROTOCOL_VERSION => "TLSV1_ALERT_PROTOCOL_VERSION",
        AlertCode::INTERNAL_ERROR => "TLSV1_ALERT_INTERNAL_ERROR",
        _ => "RECEIVED_ALERT",
    }
}

/// The reference's names, and the rules of the library that each stands for.
const RULES: &[(&str, &[&str])] = &[
    (
        "UNEXPECTED_MESSAGE",
        &[
            "a handshake message arrived out of order",
            "a handshake message arrived after the handshake",
            "unknown handshake message type",
        ],
    ),
    (
        "UNEXPECTED_RECORD",
        &[
            "an alert arrived unprotected",
            "a record interrupts a handshake message",
            "a ChangeCipherSpec that may not be",
            "application data arrived during the handshake",
            "application data arrived before any key",
            "a plaintext record may not be empty",
            "a handshake or alert record may not be empty",
            "a protected record of a type that may not be protected",
        ],
    ),
    ("INVALID_OUTER_RECORD_TYPE", &["a handshake record arrived unprotected"]),
    ("EXCESS_HANDSHAKE_DATA", &["handshake bytes follow a message that changes keys"]),
    ("TOO_MUCH_READ_EARLY_DATA", &["more early data than the ticket permits"]),
    ("TOO_MUCH_SKIPPED_EARLY_DATA", &["more refused early data than this server skips"]),
    ("BAD_ALERT", &["an alert record must hold exactly one alert"]),
    (
        "TOO_MANY_EMPTY_FRAGMENTS",
        &["too many empty records without data", "too many ChangeCipherSpec records"],
    ),
    ("TOO_MANY_KEY_UPDATES", &["too many KeyUpdates without data"]),
    ("TOO_MANY_WARNING_ALERTS", &["too many user_canceled alerts"]),
    ("TOO_MANY_TICKETS", &["too many tickets without data"]),
    (
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
        &[
            "a record could not be deprotected",
            "the sequence number would wrap",
            "a protected record has no content type",
        ],
    ),
    ("DATA_LENGTH_TOO_LONG", &["a record holds more than the record size limit"]),
    ("ENCRYPTED_LENGTH_TOO_LONG", &["a record is longer than the protocol allows"]),
    ("EXCESSIVE_MESSAGE_SIZE", &["a handshake message is longer than its kind may be"]),
    ("HTTP_REQUEST", &["these bytes are a plain HTTP request, not TLS"]),
    (
        "HTTPS_PROXY_REQUEST",
        &["these bytes are a request to an HTTP proxy, not TLS; connect to the server itself"],
    ),
    ("ALPN_MISMATCH_ON_EARLY_DATA", &["the server accepted early data of another protocol"]),
    ("CIPHER_MISMATCH_ON_EARLY_DATA", &["the server accepted early data of another cipher suite"]),
    (
        "WRONG_VERSION_NUMBER",
        &[
            "unknown record type",
            "these bytes are a plain HTTP response, not TLS",
            "these bytes are an SSH banner, not TLS",
            "these bytes are SMTP or FTP; start TLS only after its command",
            "these bytes are plain HTTP/2, not TLS",
            "these bytes are an SSL 2.0 hello; only TLS 1.3 is spoken here",
        ],
    ),
    (
        "UNSUPPORTED_PROTOCOL",
        &[
            "legacy_version must be 0x0303 in TLS 1.3",
            "the server selected a version that was not offered",
            "the server speaks only TLS 1.2 or older; TLS 1.3 is needed",
            "the client speaks only TLS 1.2 or older; TLS 1.3 is needed",
        ],
    ),
    ("TLS13_DOWNGRADE", &["the connection was downgraded: the server knows TLS 1.3 but was not asked"]),
    ("WRONG_SIGNATURE_TYPE", &["the signature scheme is none that was offered"]),
    (
        "DIGEST_CHECK_FAILED",
        &["Finished does not match the handshake", "the binder does not match the pre-shared key"],
    ),
    ("INVALID_ALPN_PROTOCOL", &["the server chose a protocol that was not offered"]),
    ("NO_APPLICATION_PROTOCOL", &["no application protocol in common"]),
    (
        "UNSUPPORTED_CERTIFICATE",
        &[
            "the server authenticates with X.509 certificates, of which none is accepted",
            "the server chose a type of certificate that was not offered",
            "the client has no certificate of a type that is accepted",
        ],
    ),
    ("UNKNOWN_CERTIFICATE_TYPE", &["the client accepts no certificate of our credential's type"]),
    (
        "UNEXPECTED_EXTENSION",
        &[
            "the server accepted early data that was not for it",
            "an extension must not appear in a message it is not meant for",
            "an extension must not answer what was not offered",
            "early data is not permitted after a HelloRetryRequest",
        ],
    ),
    (
        "PEER_DID_NOT_RETURN_A_CERTIFICATE",
        &[
            "a server's Certificate must hold a certificate",
            "the client sent no certificate, and one is required",
        ],
    ),
    ("EMPTY_HELLO_RETRY_REQUEST", &["a HelloRetryRequest must change the ClientHello"]),
    (
        "WRONG_CURVE",
        &[
            "a HelloRetryRequest names no group to retry with",
            "the server's key share is of no group that was offered",
            "the second ClientHello must hold one share, of the group that was asked for",
            "key_share must hold groups of supported_groups alone",
        ],
    ),
    ("SERVER_ECHOED_INVALID_SESSION_ID", &["legacy_session_id_echo is not what was sent"]),
    (
        "WRONG_CIPHER_RETURNED",
        &[
            "the server chose a cipher suite that was not offered",
            "the server changed the cipher suite after a HelloRetryRequest",
        ],
    ),
    (
        "PSK_IDENTITY_NOT_FOUND",
        &[
            "the server selected a pre-shared key that was not offered",
            "the second ClientHello lacks the pre-shared key that was chosen",
            "the client has no pre-shared key that this server knows, and the server has no certificate",
        ],
    ),
    ("OLD_SESSION_PRF_HASH_MISMATCH", &["the cipher suite does not have the hash of the pre-shared key"]),
    (
        "MISSING_KEY_SHARE",
        &[
            "the server left out the key exchange, which was not permitted",
            "a ServerHello without a pre-shared key needs key_share",
            "a certificate needs key_share",
            "supported_groups and key_share need each other",
            "supported_groups and key_share are needed for a key exchange",
        ],
    ),
    ("BAD_ECPOINT", &["the peer's key share is not a valid one of its group"]),
    ("DUPLICATE_KEY_SHARE", &["key_share must not hold two shares of one group"]),
    ("INVALID_COMPRESSION_LIST", &["legacy_compression_methods must be exactly the null method"]),
    (
        "MISSING_EXTENSION",
        &[
            "the second ClientHello lacks pre_shared_key, of which a key was chosen",
            "pre_shared_key needs psk_key_exchange_modes",
            "the binder of the pre-shared key is missing",
        ],
    ),
    (
        "NO_SHARED_GROUP",
        &["a ClientHello without pre_shared_key needs supported_groups", "no key exchange group in common"],
    ),
    (
        "NO_SHARED_CIPHER",
        &["no cipher suite in common", "the second ClientHello lacks the cipher suite agreed on"],
    ),
    (
        "NO_COMMON_SIGNATURE_ALGORITHMS",
        &[
            "a ClientHello without pre_shared_key needs signature_algorithms",
            "signature_algorithms is needed for a certificate",
            "the client accepts no signature scheme of our credential",
        ],
    ),
    (
        "INCONSISTENT_CLIENT_HELLO",
        &[
            "the second ClientHello changed more than it may",
            "a cookie of another version",
            "the cookie is none that this server gave, or it has expired",
        ],
    ),
    ("PRE_SHARED_KEY_MUST_BE_LAST", &["pre_shared_key must be the last extension"]),
    ("PSK_IDENTITY_BINDER_COUNT_MISMATCH", &["pre_shared_key must hold as many binders as identities"]),
    ("DUPLICATE_EXTENSION", &["an extension must not appear twice in a block"]),
    (
        "DECODE_ERROR",
        &[
            "certificate_request_context must be empty in the handshake",
            "a raw public key must be the only entry of a Certificate",
            "a raw public key must come without the status of a certificate",
            "legacy_compression_method must be 0",
            "a handshake message has another length than its kind",
            "cert_data must not be empty",
            "a CertificateRequest must have signature_algorithms",
            "legacy_session_id must have at most 32 bytes",
            "legacy_session_id_echo must have at most 32 bytes",
            "cipher_suites must hold at least one suite",
            "legacy_compression_methods must hold at least one method",
            "a protocol name must not be empty",
            "the protocol name list must hold at least one name",
            "the server's protocol name list must hold exactly one name",
            "a distinguished name must not be empty",
            "certificate_authorities must hold at least one name",
            "a list of certificate types must hold at least one",
            "a list of certificate types must not hold X.509 alone",
            "a cookie must not be empty",
            "key_exchange must not be empty",
            "certificate_extension_oid must not be empty",
            "a psk identity must not be empty",
            "pre_shared_key must hold at least one identity",
            "a psk binder must have at least 32 bytes",
            "pre_shared_key must hold at least one binder",
            "psk_key_exchange_modes must hold at least one mode",
            "record_size_limit must be at least 64",
            "server_name_list must not be empty",
            "a server name must not be empty",
            "server_name must not hold two names of one type",
            "a host name must be a dns name in ascii",
            "a list of signature schemes must hold at least one",
            "the list of timestamps must not be empty",
            "a signed certificate timestamp must not be empty",
            "a responder id must not be empty",
            "the status of a certificate must be an ocsp response",
            "an ocsp response must not be empty",
            "supported_groups must hold at least one group",
            "supported_versions must hold at least one version",
            "request_update must be 0 or 1",
            "a ticket must not be empty",
            "ticket_lifetime must be at most seven days",
            "no bytes may be left over after a structure",
            "a field must not reach beyond what encloses it",
            "not the encoding of a ring's state",
            "not the encoding of a session",
            "not the encoding of a ticket",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// What is called with the text of a rule.
    const CALLS: [&str; 3] = ["Fault::", "non_empty::<", "List::read::<"];

    /// All rules in the library's sources.
    fn rules_of_the_library() -> BTreeSet<String> {
        let mut rules = BTreeSet::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.ends_with("fuzzing") {
                    // Of fuzz targets alone.
                } else if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    collect(&std::fs::read_to_string(path).unwrap(), &mut rules);
                }
            }
        }
        rules
    }

    /// The texts within calls, in code that is not for tests.
    fn collect(source: &str, rules: &mut BTreeSet<String>) {
        let code: String = source
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(test)]"))
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        for call in CALLS {
            for (at, _) in code.match_indices(call) {
                let Some(open) = code[at..].find('(') else { continue };
                // A path, not a call, where something else comes before the bracket.
                if code[at..at + open].contains([';', '{', '"', '\n']) {
                    continue;
                }
                rules.extend(texts_within(&code[at + open + 1..]));
            }
        }
    }

    /// The string literals before the bracket that closes what came before.
    fn texts_within(code: &str) -> Vec<String> {
        let (mut depth, mut texts, mut text) = (1, Vec::new(), None::<String>);
        for char in code.chars() {
            match (&mut text, char) {
                (Some(_), '"') => texts.extend(text.take()),
                (Some(text), char) => text.push(char),
                (None, '"') => text = Some(String::new()),
                (None, '(') => depth += 1,
                (None, ')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        texts
    }

    #[test]
    fn every_rule_has_one_name_and_every_row_a_rule() {
        let library = rules_of_the_library();
        assert!(library.len() > 100, "{} rules were found", library.len());
        let mut named = BTreeSet::new();
        for (name, rules) in RULES {
            assert!(!rules.is_empty(), "{name} stands for nothing");
            for rule in *rules {
                assert!(named.insert((*rule).to_owned()), "two names: {rule}");
            }
        }
        let missing: Vec<_> = library.difference(&named).collect();
        assert!(missing.is_empty(), "without a name: {missing:#?}");
        let stale: Vec<_> = named.difference(&library).collect();
        assert!(stale.is_empty(), "no rule of the library: {stale:#?}");
    }
}
