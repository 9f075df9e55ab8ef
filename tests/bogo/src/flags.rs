//! The command line: one total parser. A flag that is not known here is not implemented.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use symbolon::AlertCode;
use symbolon::codepoint::{CertificateType, CipherSuite, NamedGroup, SignatureScheme};

use crate::options::{
    Authorities, Compliance, CredentialKind, CredentialSpec, OcspCallback, Options, ServerAlpn, Settings,
};

/// What the runner wants.
pub enum Wanted {
    /// A test.
    Test(Box<Options>),
    /// To know whether the process can be split in two.
    HandshakerSupport,
}

/// Why the command line is not carried out.
#[derive(Debug, PartialEq, Eq)]
pub enum Rejected {
    /// The library does not have what the flag stands for.
    Unimplemented(String),
    /// A value is missing or is not what the flag takes.
    Malformed(String),
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unimplemented(flag) => write!(f, "not implemented: {flag}"),
            Self::Malformed(flag) => write!(f, "missing or malformed value: {flag}"),
        }
    }
}

/// What a flag does.
enum Effect {
    /// It has no value.
    Plain(fn(&mut Settings)),
    /// It has one, which may be refused.
    Valued(fn(&mut Settings, &str) -> Option<()>),
    /// It says nothing that could be otherwise in TLS 1.3, or chooses among ways that are one here.
    Nothing,
    /// The same, with a value.
    NothingValued,
}

/// A flag with a value that is kept as it is read.
macro_rules! valued {
    (|$settings:ident, $value:ident| $keep:expr) => {
        Effect::Valued(|$settings, $value| {
            $keep;
            Some(())
        })
    };
}

/// Which settings a flag is for.
#[derive(Clone, Copy)]
enum Phase {
    All,
    Initial,
    Resume,
    Retry,
}

/// Reads the arguments behind the program's name.
pub fn parse(args: impl Iterator<Item = String>) -> Result<Wanted, Rejected> {
    let mut options = Options::default();
    let mut args = args;
    while let Some(arg) = args.next() {
        let malformed = || Rejected::Malformed(arg.clone());
        let mut value = || args.next().ok_or_else(malformed);
        match arg.as_str() {
            "-is-handshaker-supported" => return Ok(Wanted::HandshakerSupport),
            "-port" => options.port = number(&value()?).ok_or_else(malformed)?,
            "-shim-id" => options.shim_id = number(&value()?).ok_or_else(malformed)?,
            "-resume-count" => options.resume_count = number(&value()?).ok_or_else(malformed)?,
            // What tops out below TLS 1.3 is nothing for this library.
            "-max-version" if number::<u16>(&value()?).ok_or_else(malformed)? < TLS_1_3 => {
                return Err(Rejected::Unimplemented(arg));
            }
            "-max-version" => {}
            "-ipv6" => options.ipv6 = true,
            "-server" => options.server = true,
            flag => {
                let (phase, name) = split(flag).ok_or_else(|| Rejected::Unimplemented(arg.clone()))?;
                let effect = effect(name).ok_or_else(|| Rejected::Unimplemented(arg.clone()))?;
                match effect {
                    Effect::Plain(set) => options.each(phase, set),
                    Effect::Valued(set) => {
                        let value = value()?;
                        let mut taken = Some(());
                        options.each(phase, |settings| taken = taken.and(set(settings, &value)));
                        taken.ok_or_else(malformed)?;
                    }
                    Effect::Nothing => {}
                    Effect::NothingValued => drop(value()?),
                }
            }
        }
    }
    Ok(Wanted::Test(Box::new(options)))
}

impl Options {
    /// Changes the settings of a phase.
    fn each(&mut self, phase: Phase, mut change: impl FnMut(&mut Settings)) {
        match phase {
            Phase::All => [&mut self.initial, &mut self.resume, &mut self.retry].into_iter().for_each(change),
            Phase::Initial => change(&mut self.initial),
            Phase::Resume => change(&mut self.resume),
            Phase::Retry => change(&mut self.retry),
        }
    }
}

/// A flag's phase and its name. Processes are never split here: the prefixes for that are unknown.
fn split(flag: &str) -> Option<(Phase, &str)> {
    let name = flag.strip_prefix('-')?;
    let prefixes =
        [("on-initial-", Phase::Initial), ("on-resume-", Phase::Resume), ("on-retry-", Phase::Retry)];
    for (prefix, phase) in prefixes {
        if let Some(name) = name.strip_prefix(prefix) {
            return Some((phase, name));
        }
    }
    Some((Phase::All, name))
}

/// What a flag does; `None` for one that is not implemented.
fn effect(name: &str) -> Option<Effect> {
    credentials(name)
        .or_else(|| authentication(name))
        .or_else(|| negotiation(name))
        .or_else(|| resumption(name))
        .or_else(|| data(name))
        .or_else(|| expectations(name))
        .or_else(|| no_choice(name))
}

/// Flags that belong to the credential that was opened last, or to the default one.
fn credentials(name: &str) -> Option<Effect> {
    use Effect::Plain;
    Some(match name {
        "new-x509-credential" => Plain(|s| open(s, CredentialKind::X509)),
        "new-rpk-credential" => Plain(|s| open(s, CredentialKind::RawPublicKey)),
        "new-psk-credential" => Plain(|s| open(s, CredentialKind::Psk)),
        "cert-file" => valued!(|s, v| s.credential().cert_file = Some(v.to_owned())),
        "key-file" => valued!(|s, v| s.credential().key_file = Some(v.to_owned())),
        "signing-prefs" => {
            valued!(|s, v| s.credential().signing_prefs.push(SignatureScheme(number(v)?)))
        }
        "ocsp-response" => valued!(|s, v| s.credential().ocsp_response = Some(base64(v)?)),
        "signed-cert-timestamps" => valued!(|s, v| s.credential().scts = Some(base64(v)?)),
        "must-match-issuer" => Plain(|s| s.credential().must_match_issuer = true),
        "psk-importer-key" => valued!(|s, v| s.credential().psk_key = base64(v)?),
        "psk-importer-identity" => valued!(|s, v| s.credential().psk_identity = base64(v)?),
        "psk-importer-context" => valued!(|s, v| s.credential().psk_context = base64(v)?),
        "psk-importer-sha256" => Plain(|s| s.credential().psk_sha384 = false),
        "psk-importer-sha384" => Plain(|s| s.credential().psk_sha384 = true),
        _ => return None,
    })
}

impl Settings {
    /// The credential that flags are for at present.
    fn credential(&mut self) -> &mut CredentialSpec {
        self.credentials.last_mut().unwrap_or(&mut self.default_credential)
    }
}

fn open(settings: &mut Settings, kind: CredentialKind) {
    settings.credentials.push(CredentialSpec { kind, ..CredentialSpec::default() });
}

fn authentication(name: &str) -> Option<Effect> {
    use Effect::Plain;
    Some(match name {
        "verify-prefs" => valued!(|s, v| s.verify_prefs.push(SignatureScheme(number(v)?))),
        "verify-peer" => Plain(|s| s.verify_peer = true),
        "require-any-client-certificate" => Plain(|s| s.require_client_certificate = true),
        "verify-fail" => Plain(|s| s.verify_fail = true),
        "use-custom-verify-callback" => Plain(|s| s.custom_verify = true),
        "reverify-on-resume" => Plain(|s| s.reverify_on_resume = true),
        "decline-ocsp-callback" => Plain(|s| s.ocsp_callback = OcspCallback::Declines),
        "fail-ocsp-callback" => Plain(|s| s.ocsp_callback = OcspCallback::Fails),
        "fail-cert-callback" => Plain(|s| s.rejects = Some((AlertCode::INTERNAL_ERROR, "CERT_CB_ERROR"))),
        "fail-early-callback" => {
            Plain(|s| s.rejects = Some((AlertCode::HANDSHAKE_FAILURE, "CONNECTION_REJECTED")))
        }
        "fail-ddos-callback" => {
            Plain(|s| s.rejects = Some((AlertCode::INTERNAL_ERROR, "CONNECTION_REJECTED")))
        }
        "use-client-ca-list" => valued!(|s, v| s.client_authorities = authorities(v)?),
        "max-cert-list" => valued!(|s, v| s.max_cert_list = Some(number(v)?)),
        "accepted-peer-cert-types" => {
            valued!(|s, v| s.accepted_peer_types.push(CertificateType(number(v)?)))
        }
        "available-client-cert-types" => {
            valued!(|s, v| s.available_client_types.push(CertificateType(number(v)?)))
        }
        "enable-ocsp-stapling" => Plain(|s| s.ocsp_stapling = true),
        "enable-signed-cert-timestamps" => Plain(|s| s.scts = true),
        _ => return None,
    })
}

fn negotiation(name: &str) -> Option<Effect> {
    use Effect::{Plain, Valued};
    Some(match name {
        "min-version" => Valued(|_, v| (number::<u16>(v)? <= TLS_1_3).then_some(())),
        "curves" => valued!(|s, v| s.groups.push(NamedGroup(number(v)?))),
        "key-shares" => {
            valued!(|s, v| s.key_shares.get_or_insert_default().push(NamedGroup(number(v)?)))
        }
        "no-key-shares" => Plain(|s| s.key_shares = Some(Vec::new())),
        "server-supported-groups-hint" => valued!(|s, v| s.groups_hint.push(NamedGroup(number(v)?))),
        "fips-202205" => Plain(|s| s.compliance = Some(Compliance::Fips202205)),
        "wpa-202304" => Plain(|s| s.compliance = Some(Compliance::Wpa202304)),
        "cnsa-202407" => Plain(|s| s.compliance = Some(Compliance::Cnsa202407)),
        "cnsa1-202603" => Plain(|s| s.compliance = Some(Compliance::Cnsa1)),
        "cnsa2-202603" => Plain(|s| s.compliance = Some(Compliance::Cnsa2)),
        "host-name" => valued!(|s, v| s.host_name = Some(v.to_owned())),
        "advertise-alpn" => valued!(|s, v| s.advertise_alpn = Some(protocols(v)?)),
        "select-alpn" => valued!(|s, v| s.server_alpn = ServerAlpn::Select(v.as_bytes().to_vec())),
        "decline-alpn" => Plain(|s| s.server_alpn = ServerAlpn::Ignored),
        "select-empty-alpn" => Plain(|s| s.server_alpn = ServerAlpn::Empty),
        "reject-alpn" => Plain(|s| s.server_alpn = ServerAlpn::Refused),
        _ => return None,
    })
}

fn resumption(name: &str) -> Option<Effect> {
    use Effect::Plain;
    Some(match name {
        "no-ticket" => Plain(|s| s.no_ticket = true),
        "enable-early-data" => Plain(|s| s.early_data = true),
        "resumption-delay" => valued!(|s, v| s.resumption_delay = number(v)?),
        "early-write-after-message" => valued!(|s, v| s.early_write_after = Some(number(v)?)),
        _ => return None,
    })
}

fn data(name: &str) -> Option<Effect> {
    use Effect::Plain;
    Some(match name {
        "async" => Plain(|s| s.asynchronous = true),
        "max-send-fragment" => valued!(|s, v| s.max_sent_content = Some(number(v)?)),
        "shim-writes-first" => Plain(|s| s.writes_first = true),
        "shim-initial-write" => valued!(|s, v| s.initial_write = Some(v.to_owned())),
        "repeat-shim-initial-write" => valued!(|s, v| s.repeat_initial_write = Some(number(v)?)),
        "read-with-unfinished-write" => Plain(|s| s.unfinished_write = true),
        "shim-shuts-down" => Plain(|s| s.shuts_down = true),
        "check-close-notify" => Plain(|s| s.check_close_notify = true),
        "send-alert" => Plain(|s| s.send_alert = true),
        "key-update" => Plain(|s| s.key_update = true),
        "export-keying-material" => valued!(|s, v| s.export_len = number(v)?),
        "export-label" => valued!(|s, v| s.export_label = v.to_owned()),
        "export-context" => valued!(|s, v| s.export_context = v.to_owned()),
        "export-traffic-secrets" => Plain(|s| s.export_traffic_secrets = true),
        _ => return None,
    })
}

fn expectations(name: &str) -> Option<Effect> {
    use Effect::Plain;
    Some(match name.strip_prefix("expect-")? {
        "session-miss" => Plain(|s| s.expect.session_miss = true),
        "no-session" => Plain(|s| s.expect.no_session = true),
        "ticket-supports-early-data" => Plain(|s| s.expect.ticket_supports_early_data = true),
        "accept-early-data" => Plain(|s| s.expect.accept_early_data = true),
        "reject-early-data" => Plain(|s| s.expect.reject_early_data = true),
        "no-offer-early-data" => Plain(|s| s.expect.no_offer_early_data = true),
        "early-data-reason" => valued!(|s, v| s.expect.early_data_reason = Some(v.to_owned())),
        "ticket-age-skew" => valued!(|s, v| s.expect.ticket_age_skew = Some(number(v)?)),
        "version" => valued!(|s, v| s.expect.version = Some(number(v)?)),
        "cipher-aes" => valued!(|s, v| s.expect.suite_with_aes = Some(CipherSuite(number(v)?))),
        "cipher-no-aes" => valued!(|s, v| s.expect.suite_without_aes = Some(CipherSuite(number(v)?))),
        "curve-id" => valued!(|s, v| s.expect.group = Some(NamedGroup(number(v)?))),
        "cipher" => valued!(|s, v| s.expect.suite = Some(CipherSuite(number(v)?))),
        "hrr" => Plain(|s| s.expect.hrr = Some(true)),
        "no-hrr" => Plain(|s| s.expect.hrr = Some(false)),
        "alpn" => valued!(|s, v| s.expect.alpn = Some(v.as_bytes().to_vec())),
        "advertised-alpn" => valued!(|s, v| s.expect.advertised_alpn = Some(protocols(v)?)),
        "server-name" => valued!(|s, v| s.expect.server_name = Some(v.to_owned())),
        "no-server-name" => Plain(|s| s.expect.no_server_name = true),
        "verify-result" => Plain(|s| s.expect.verify_result = true),
        "peer-signature-algorithm" => {
            valued!(|s, v| s.expect.signature = Some(SignatureScheme(number(v)?)))
        }
        "peer-verify-pref" => {
            valued!(|s, v| s.expect.peer_verify_prefs.push(SignatureScheme(number(v)?)))
        }
        "peer-cert-file" => valued!(|s, v| s.expect.peer_cert_file = Some(v.to_owned())),
        "no-peer-cert" => Plain(|s| s.expect.no_peer_cert = true),
        "client-ca-list" => valued!(|s, v| s.expect.client_authorities = authorities(v)?),
        "selected-credential" => valued!(|s, v| s.expect.selected_credential = Some(number(v)?)),
        "ocsp-response" => valued!(|s, v| s.expect.ocsp_response = Some(base64(v)?)),
        "signed-cert-timestamps" => valued!(|s, v| s.expect.scts = Some(base64(v)?)),
        "peer-certificate-type" => {
            valued!(|s, v| s.expect.peer_certificate_type = Some(CertificateType(number(v)?)))
        }
        "peer-rpk-sha256" => valued!(|s, v| s.expect.peer_rpk_sha256 = Some(base64(v)?)),
        _ => return None,
    })
}

/// What is always so here: older versions are absent, and callers' habits do not matter to a machine without I/O.
fn no_choice(name: &str) -> Option<Effect> {
    Some(match name {
        "no-tls1" | "no-tls11" | "no-tls12" => Effect::Nothing,
        // The verifier accepts every chain.
        "trust-cert" => Effect::NothingValued,
        // The library hands out a record at a time, whatever an application reads.
        "read-size" => Effect::NothingValued,
        "implicit-handshake"
        | "use-early-callback"
        // A staple is part of the credential, or it is not.
        | "use-ocsp-callback"
        | "set-ocsp-in-callback"
        | "install-ddos-callback"
        // Data is handed out once, whoever looked at it before.
        | "peek-then-read"
        // Key usage counts in TLS 1.3, whatever it did in TLS 1.2.
        | "ignore-rsa-key-usage"
        | "use-old-client-cert-callback"
        | "use-export-context"
        | "expect-extended-master-secret"
        | "expect-secure-renegotiation"
        | "no-op-extra-handshake"
        | "renegotiate-freely"
        | "expect-no-session-id"
        | "no-legacy-server-connect"
        | "wait-for-debugger" => Effect::Nothing,
        _ => return None,
    })
}

const TLS_1_3: u16 = 0x0304;

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Distinguished names in hexadecimal; the inner `None` for no list.
fn authorities(text: &str) -> Option<Option<Authorities>> {
    Some(match text {
        "<NULL>" => None,
        "<EMPTY>" => Some(Authorities(Vec::new())),
        names => Some(Authorities(names.split(',').map(hex).collect::<Option<_>>()?)),
    })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// Protocol names in wire format.
fn protocols(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut rest = text.as_bytes();
    let mut names = Vec::new();
    while let Some((len, behind)) = rest.split_first() {
        let (name, behind) = behind.split_at_checked(usize::from(*len))?;
        names.push(name.to_vec());
        rest = behind;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(args: &[&str]) -> Result<Options, Rejected> {
        match parse(args.iter().map(ToString::to_string))? {
            Wanted::Test(options) => Ok(*options),
            Wanted::HandshakerSupport => panic!("a test"),
        }
    }

    #[test]
    fn a_flag_without_a_prefix_is_for_every_phase() {
        let options = options(&["-async", "-on-resume-shim-writes-first"]).unwrap();
        assert!(options.initial.asynchronous && options.resume.asynchronous && options.retry.asynchronous);
        assert!(!options.initial.writes_first && options.resume.writes_first && !options.retry.writes_first);
    }

    #[test]
    fn an_unknown_flag_and_a_prefix_of_split_processes_are_not_implemented() {
        for flag in ["-dtls", "-on-shim-cert-file", "-on-resume-nonsense", "stray"] {
            assert!(matches!(options(&[flag]), Err(Rejected::Unimplemented(_))), "{flag}");
        }
        assert!(matches!(options(&["-port"]), Err(Rejected::Malformed(_))));
        assert!(matches!(options(&["-curves", "x"]), Err(Rejected::Malformed(_))));
    }

    #[test]
    fn the_last_scalar_counts_and_lists_grow() {
        let options = options(&["-shim-id", "1", "-shim-id", "2", "-curves", "29", "-curves", "23"]).unwrap();
        assert_eq!(options.shim_id, 2);
        assert_eq!(options.initial.groups, [NamedGroup(29), NamedGroup(23)]);
    }

    #[test]
    fn flags_of_credentials_belong_to_the_one_opened_last() {
        let options = options(&[
            "-key-file",
            "default",
            "-new-x509-credential",
            "-key-file",
            "first",
            "-new-rpk-credential",
            "-key-file",
            "second",
        ])
        .unwrap();
        let settings = options.retry;
        assert_eq!(settings.default_credential.key_file.as_deref(), Some("default"));
        let keys = settings.credentials.iter().map(|spec| spec.key_file.as_deref());
        assert!(keys.eq([Some("first"), Some("second")]));
        assert_eq!(settings.credentials[1].kind, CredentialKind::RawPublicKey);
    }

    #[test]
    fn lists_of_names_have_three_forms() {
        assert_eq!(authorities("<NULL>"), Some(None));
        assert_eq!(authorities("<EMPTY>"), Some(Some(Authorities(Vec::new()))));
        assert_eq!(authorities("3000,ff"), Some(Some(Authorities(vec![vec![0x30, 0], vec![0xFF]]))));
        assert_eq!(authorities("3"), None);
        assert_eq!(protocols("\u{2}h2\u{0}"), Some(vec![b"h2".to_vec(), Vec::new()]));
        assert_eq!(protocols("\u{3}h2"), None);
    }

    #[test]
    fn a_version_range_must_contain_1_3() {
        assert!(options(&["-min-version", "771"]).is_ok());
        assert!(options(&["-max-version", "772"]).is_ok());
        assert!(matches!(options(&["-max-version", "771"]), Err(Rejected::Unimplemented(_))));
    }
}
