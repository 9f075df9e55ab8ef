//! What of the client's offer is taken (RFC 9846 section 4.2.1), and what every ClientHello must satisfy.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::psk::{Candidate, Key};
use super::{Certificates, Choice, Chosen, Serving};
use crate::codepoint::{
    CertificateType, CipherSuite, NamedGroup, ProtocolVersion, PskKeyExchangeMode, SignatureScheme,
};
use crate::config::{ClientAuth, Common, ConfiguredSuite, PskKe, ServerConfig};
use crate::error::Fault;
use crate::moment::Moment;
use crate::psk::NotResumed;
use crate::question::Known;
use crate::wire::client_hello::ClientHello;
use crate::wire::ext::U16Set;
use crate::wire::ext::certificate_type::CertificateTypes;

/// Refuses a ClientHello that breaks a rule on its own, in the standard's order: the version first.
pub(super) fn check(hello: &ClientHello<'_>) -> Result<(), Fault> {
    let extensions = &hello.extensions;
    //= testvectors/requirements/rfc9846.txt#section-4.3.1
    //# servers MUST NOT use the ClientHello.legacy_version value for version negotiation and MUST use only
    //# the "supported_versions" extension to determine client preferences
    //= testvectors/requirements/rfc9846.txt#appendix-E.2
    //# If the "supported_versions" extension is present, the server MUST negotiate using that extension as
    //# described in Section 4.3.1.
    match &extensions.supported_versions {
        //= testvectors/requirements/rfc9846.txt#section-4.3.1
        //# Servers MUST only select a version of TLS present in that extension and MUST ignore any unknown
        //# versions that are present in that extension.
        //= testvectors/requirements/rfc9846.txt#appendix-E.5
        //# they MUST NOT be negotiated for any reason
        Some(versions) if versions.contains(ProtocolVersion::TLS_1_3) => {}
        _ => {
            //= testvectors/requirements/rfc9846.txt#section-4.3.1
            //# Servers MUST be prepared to receive ClientHellos that include this extension but do not
            //# include 0x0304 in the list of versions.
            return Err(Fault::protocol_version(
                //= testvectors/requirements/rfc9846.txt#appendix-E.2
                //# If the "supported_versions" extension is absent and the server only supports versions
                //# greater than ClientHello.legacy_version, the server MUST abort the handshake with a
                //# "protocol_version" alert.
                "the client speaks only TLS 1.2 or older; TLS 1.3 is needed",
            ));
        }
    }
    //= testvectors/requirements/rfc9846.txt#section-4.2.2
    //# A server which receives a legacy_version value not equal to 0x0303 MUST abort the handshake with a
    //# "protocol_version" alert.
    if hello.legacy_version != ProtocolVersion::TLS_1_2 {
        //= testvectors/requirements/rfc9846.txt#appendix-E.5
        //# Implementations receiving Hello messages with other version numbers MUST abort the handshake as
        //# described in Section 4.2.2 and Section 4.2.3.
        return Err(Fault::protocol_version("legacy_version must be 0x0303 in TLS 1.3"));
    }
    //= testvectors/requirements/rfc9846.txt#section-4.2.2
    //# If a TLS 1.3 ClientHello is received with any other value in this field, the server MUST abort the
    //# handshake with an "illegal_parameter" alert.
    if hello.legacy_compression_methods != [0] {
        return Err(Fault::illegal_parameter("legacy_compression_methods must be exactly the null method"));
    }
    // RFC 9846 section 9.2
    //= testvectors/requirements/rfc9846.txt#section-9.2
    //# Such a ClientHello message MUST meet the following requirements:
    //= testvectors/requirements/rfc9846.txt#section-9.2
    //# If not containing a "pre_shared_key" extension, it MUST contain both a "signature_algorithms"
    //# extension and a "supported_groups" extension.
    if extensions.pre_shared_key.is_none() {
        //= testvectors/requirements/rfc9846.txt#section-4.3.3
        //# the server MUST abort the handshake with a "missing_extension" alert
        if extensions.signature_algorithms.is_none() {
            return Err(Fault::missing_extension(
                "a ClientHello without pre_shared_key needs signature_algorithms",
            ));
        }
        if extensions.supported_groups.is_none() {
            return Err(Fault::missing_extension(
                "a ClientHello without pre_shared_key needs supported_groups",
            ));
        }
    //= testvectors/requirements/rfc9846.txt#section-4.3.9
    //# If clients offer "pre_shared_key" without a "psk_key_exchange_modes" extension, servers MUST abort
    //# the handshake.
    } else if extensions.psk_key_exchange_modes.is_none() {
        return Err(Fault::missing_extension("pre_shared_key needs psk_key_exchange_modes"));
    }
    //= testvectors/requirements/rfc9846.txt#section-9.2
    //# If containing a "supported_groups" extension, it MUST also contain a "key_share" extension, and vice
    //# versa.
    if extensions.supported_groups.is_some() != extensions.key_share.is_some() {
        //= testvectors/requirements/rfc9846.txt#section-9.2
        //# Servers receiving a ClientHello which does not conform to these requirements MUST abort the
        //# handshake with a "missing_extension" alert.
        return Err(Fault::missing_extension("supported_groups and key_share need each other"));
    }
    check_shares(hello)
}

//= testvectors/requirements/rfc9846.txt#section-4.3.8
//# Clients MUST NOT offer any KeyShareEntry values for groups not listed in the client's "supported_groups"
//# extension.
/// That shares "MUST appear in the same order" is not enforced: it decides nothing here, and some clients break it.
/// Long lists cost no more than their length.
fn check_shares(hello: &ClientHello<'_>) -> Result<(), Fault> {
    let (Some(groups), Some(shares)) = (&hello.extensions.supported_groups, &hello.extensions.key_share)
    else {
        return Ok(());
    };
    let mut in_order = groups.iter();
    if shares.iter().all(|share| in_order.any(|group| group == share.group)) {
        return Ok(());
    }
    let mut listed = U16Set::default();
    groups.iter().for_each(|group| {
        listed.insert(group.0);
    });
    if shares.iter().any(|share| listed.insert(share.group.0)) {
        return Err(Fault::illegal_parameter("key_share must hold groups of supported_groups alone"));
    }
    Ok(())
}

//= testvectors/requirements/rfc9846.txt#section-4.3.11
//# The server MUST ensure that it selects a compatible PSK (if any) and cipher suite.
/// Chooses a key and the parameters, together: "The server MUST ensure that it selects a compatible PSK (if any) and
/// cipher suite" (RFC 9846 section 4.3.11). What a HelloRetryRequest settled before stays.
pub(super) fn choose(
    hello: &ClientHello<'_>,
    serving: &Serving,
    known: Known,
    settled: Option<(CipherSuite, NamedGroup)>,
) -> Result<(Chosen, Choice), Fault> {
    let common = &serving.config.common;
    let (candidate, not_resumed) = match select(hello, serving, known, settled) {
        Ok(selected) => (Some(selected), NotResumed::NotOffered),
        Err(why) => (None, why),
    };
    let (suite, group, choice) = match candidate {
        Some(Selected { candidate, suite, group }) => (suite, group, Choice::Key(candidate)),
        None => {
            let signature = choose_signature(hello, serving)?;
            let (suite, group) = match settled {
                Some((suite, group)) => (settled_suite(hello, common, suite)?, group),
                None => (choose_suite(hello, common)?, choose_group(hello, common)?),
            };
            (suite, Some(group), Choice::Certificate { signature, not_resumed })
        }
    };
    let chosen = Chosen {
        suite,
        group,
        alpn: choose_alpn(hello, common)?,
        //= testvectors/requirements/rfc9846.txt#section-4.7.1
        //# implementations MUST use the value sent in the resumption ClientHello rather than the value sent
        //# in the previous session
        server_name: hello.extensions.server_name.map(ToOwned::to_owned),
        client_random: *hello.random,
        tickets: count_tickets(hello, &serving.config, &choice),
        certificates: choose_types(hello, serving, &choice)?,
    };
    Ok((chosen, choice))
}

/// A key with what it is used with.
struct Selected {
    candidate: Candidate,
    suite: ConfiguredSuite,
    group: Option<NamedGroup>,
}

/// The first of the known keys, in the client's order, that can be used.
fn select(
    hello: &ClientHello<'_>,
    serving: &Serving,
    known: Known,
    settled: Option<(CipherSuite, NamedGroup)>,
) -> Result<Selected, NotResumed> {
    let Known { mut keys, now, otherwise } = known;
    if keys.is_empty() {
        return Err(otherwise);
    }
    keys.sort_by_key(|(index, _)| *index);
    let fits = Fits::of(hello, serving, settled);
    let mut why = None;
    for (index, key) in keys {
        match try_key(hello, serving, index, key, now, &fits) {
            Ok(selected) => return Ok(selected),
            Err(not) => why = why.or(Some(not)),
        }
    }
    Err(why.unwrap_or(otherwise))
}

/// How many cipher suites two sides can have in common; the standard has five (RFC 9846 appendix B.4).
const MOST_SUITES: usize = 8;

/// What every key is held against. Gathered once: a ClientHello has room for long lists and for many keys, but not for
/// the work of both multiplied.
struct Fits<'a> {
    identities: usize,
    /// Ours that the client has too; after a HelloRetryRequest the one that it settled.
    suites: [Option<&'a ConfiguredSuite>; MOST_SUITES],
    /// `Ok(None)` is `psk_ke`.
    group: Result<Option<NamedGroup>, NotResumed>,
}

impl<'a> Fits<'a> {
    fn of(hello: &ClientHello<'_>, serving: &'a Serving, settled: Option<(CipherSuite, NamedGroup)>) -> Self {
        let mut suites = serving.config.common.suites.iter().filter(|entry| {
            let id = entry.suite.id;
            settled.is_none_or(|(settled, _)| settled == id) && hello.cipher_suites.contains(id)
        });
        Self {
            identities: hello.extensions.pre_shared_key.map_or(0, |psks| psks.identities.len()),
            suites: core::array::from_fn(|_| suites.next()),
            group: choose_mode(hello, serving, settled.map(|(_, group)| group)),
        }
    }
}

fn try_key(
    hello: &ClientHello<'_>,
    serving: &Serving,
    index: usize,
    key: Key,
    now: Moment,
    fits: &Fits<'_>,
) -> Result<Selected, NotResumed> {
    if index >= fits.identities {
        return Err(NotResumed::Unknown);
    }
    let index = u16::try_from(index).map_err(|_| NotResumed::Unknown)?;
    key.check(hello, serving, now)?;
    let suite = key.suite(&fits.suites).cloned().ok_or(NotResumed::NoCommonSuite)?;
    Ok(Selected { candidate: Candidate { index, key, now }, suite, group: fits.group? })
}

//= testvectors/requirements/rfc9846.txt#section-4.2.1
//# If the server selects a PSK, then it MUST also select a key establishment mode from the list
//# indicated by the client's "psk_key_exchange_modes" extension
/// The group of `psk_dhe_ke` wherever that is possible, the one that a HelloRetryRequest settled if there was one; `None`
/// is `psk_ke`.
fn choose_mode(
    hello: &ClientHello<'_>,
    serving: &Serving,
    settled: Option<NamedGroup>,
) -> Result<Option<NamedGroup>, NotResumed> {
    let common = &serving.config.common;
    //= testvectors/requirements/rfc9846.txt#section-4.3.9
    //# Servers MUST NOT select a key exchange mode that is not listed by the client.
    let permits = |mode| hello.extensions.psk_key_exchange_modes.is_some_and(|modes| modes.contains(mode));
    let group = match settled {
        Some(group) => Ok(group),
        None => choose_group(hello, common),
    };
    match (group, common.psk_ke) {
        (Ok(group), _) if permits(PskKeyExchangeMode::PSK_DHE_KE) => Ok(Some(group)),
        // Whoever was asked for another share goes on with it.
        (_, PskKe::Permitted) if settled.is_none() && permits(PskKeyExchangeMode::PSK_KE) => Ok(None),
        _ => Err(NotResumed::NoCommonMode),
    }
}

/// Whether the client permits a mode of pre-shared keys that we permit too.
pub(super) fn has_common_mode(hello: &ClientHello<'_>, common: &Common) -> bool {
    hello.extensions.psk_key_exchange_modes.is_some_and(|modes| {
        modes.contains(PskKeyExchangeMode::PSK_DHE_KE)
            || (common.psk_ke == PskKe::Permitted && modes.contains(PskKeyExchangeMode::PSK_KE))
    })
}

/// How many tickets follow: as many as the client wants (RFC 9149), and none that it could not use: "Servers SHOULD NOT
/// send NewSessionTicket with tickets that are not compatible with the advertised modes" (RFC 9846 section 4.3.9).
pub(super) fn count_tickets(hello: &ClientHello<'_>, config: &ServerConfig, choice: &Choice) -> u8 {
    if !has_common_mode(hello, &config.common) {
        return 0;
    }
    match (&hello.extensions.ticket_request, choice) {
        (None, _) => config.tickets.unasked,
        (Some(request), Choice::Certificate { .. }) => request.new_session_count.min(config.tickets.most),
        (Some(request), Choice::Key(_)) => request.resumption_count.min(config.tickets.most),
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.2.4
//# Servers MUST ensure that they negotiate the same cipher suite when receiving a conformant updated
//# ClientHello
fn settled_suite(
    hello: &ClientHello<'_>,
    common: &Common,
    id: CipherSuite,
) -> Result<ConfiguredSuite, Fault> {
    let suite = common.suite(id).filter(|_| hello.cipher_suites.contains(id));
    suite.cloned().ok_or(Fault::illegal_parameter("the second ClientHello lacks the cipher suite agreed on"))
}

//= testvectors/requirements/rfc9846.txt#section-2.1
//# If no common cryptographic parameters can be negotiated, the server MUST abort the handshake with an
//# appropriate alert.
//= testvectors/requirements/rfc9846.txt#section-4.2.1
//# it MUST abort the handshake with either a "handshake_failure" or "insufficient_security" fatal alert
/// Our preference, but ChaCha20 for a client that puts it before all else that we have: it has no AES instructions.
fn choose_suite(hello: &ClientHello<'_>, common: &Common) -> Result<ConfiguredSuite, Fault> {
    //= testvectors/requirements/rfc9846.txt#section-4.2.2
    //# the server MUST ignore those cipher suites and process the remaining ones as usual.
    let clients_first = hello.cipher_suites.iter().find_map(|id| common.suite(id));
    let chosen = match clients_first {
        Some(entry) if entry.suite.id == CipherSuite::TLS_CHACHA20_POLY1305_SHA256 => Some(entry),
        _ => common.suites.iter().find(|entry| hello.cipher_suites.contains(entry.suite.id)),
    };
    chosen.cloned().ok_or(Fault::handshake_failure("no cipher suite in common"))
}

//= testvectors/requirements/rfc9846.txt#section-4.2.1
//# If there is no overlap between the received "supported_groups" and the groups supported by the
//# server, then the server MUST abort the handshake with a "handshake_failure" or an
//# "insufficient_security" alert.
/// Our preference among the groups that the client sent a share of; without one, among all that it supports.
fn choose_group(hello: &ClientHello<'_>, common: &Common) -> Result<NamedGroup, Fault> {
    const NONE: Fault = Fault::handshake_failure("no key exchange group in common");
    let (Some(groups), Some(shares)) = (&hello.extensions.supported_groups, &hello.extensions.key_share)
    else {
        // RFC 9846 section 9.2
        //= testvectors/requirements/rfc9846.txt#section-9.2
        //# "supported_groups" is REQUIRED for ClientHello messages using DHE or ECDHE key exchange.
        //= testvectors/requirements/rfc9846.txt#section-9.2
        //# "key_share" is REQUIRED for DHE or ECDHE key exchange.
        return Err(Fault::missing_extension("supported_groups and key_share are needed for a key exchange"));
    };
    let ours = || common.groups.iter().map(|group| group.id());
    ours()
        .find(|id| shares.iter().any(|share| share.group == *id))
        .or_else(|| ours().find(|id| groups.contains(*id)))
        .ok_or(NONE)
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1.2
//# The end-entity certificate MUST allow the key to be used for signing with a signature scheme indicated
//# in the peer's "signature_algorithms" extension (see Section 4.3.3).
/// The first scheme of the credential that the client accepts (RFC 9846 section 4.5.2).
pub(super) fn choose_signature(hello: &ClientHello<'_>, serving: &Serving) -> Result<SignatureScheme, Fault> {
    let Some(credential) = &serving.credential else {
        return Err(Fault::unknown_psk_identity(
            "the client has no pre-shared key that this server knows, and the server has no certificate",
        ));
    };
    let Some(accepted) = &hello.extensions.signature_algorithms else {
        // RFC 9846 section 4.3.3
        //= testvectors/requirements/rfc9846.txt#section-9.2
        //# "signature_algorithms" is REQUIRED for certificate authentication.
        return Err(Fault::missing_extension("signature_algorithms is needed for a certificate"));
    };
    let chosen = credential.schemes().iter().copied().find(|scheme| accepted.contains(*scheme));
    chosen.ok_or(Fault::handshake_failure("the client accepts no signature scheme of our credential"))
}

/// Which types of certificates the two sides show (RFC 7250 section 4.2); `None` where a key stands for them.
pub(super) fn choose_types(
    hello: &ClientHello<'_>,
    serving: &Serving,
    choice: &Choice,
) -> Result<Option<Certificates>, Fault> {
    let (Choice::Certificate { .. }, Some(credential)) = (choice, &serving.credential) else {
        return Ok(None);
    };
    let server = credential.certificate_type();
    // "it does not have any certificate type in common with the client. Then, the server terminates the session with a fatal
    // alert of type "unsupported_certificate"."
    if !offers(hello.extensions.server_certificate_type, server) {
        return Err(Fault::unsupported_certificate(
            "the client accepts no certificate of our credential's type",
        ));
    }
    Ok(Some(Certificates { server, client: choose_client_type(hello, &serving.config)? }))
}

//= testvectors/requirements/rfc7250.txt#section-4.2
//# The value conveyed in the client_certificate_type extension MUST be selected from one of the values
//# provided in the client_certificate_type extension sent in the client hello.
/// Our preference among the types of which the client has a certificate.
fn choose_client_type(
    hello: &ClientHello<'_>,
    config: &ServerConfig,
) -> Result<Option<CertificateType>, Fault> {
    let offered = hello.extensions.client_certificate_type;
    let mut ours = config.client_certificate_types.as_slice().iter().copied();
    let common = ours.find(|kind| offers(offered, *kind));
    match &config.client_auth {
        ClientAuth::Off => Ok(None),
        // Whoever has nothing to answer a request with is not asked.
        ClientAuth::Optional { .. } | ClientAuth::Migrating { .. } => Ok(common),
        ClientAuth::Required { .. } if common.is_none() => {
            Err(Fault::unsupported_certificate("the client has no certificate of a type that is accepted"))
        }
        ClientAuth::Required { .. } => Ok(common),
    }
}

/// RFC 9846 section 4.5.1.2: "The certificate type MUST be X.509v3 [RFC5280], unless explicitly negotiated otherwise".
fn offers(offered: Option<CertificateTypes<'_>>, kind: CertificateType) -> bool {
    offered.map_or(kind == CertificateType::X509, |offered| offered.contains(kind))
}

/// RFC 7301 section 3.2: our preference; "no_application_protocol" where both have protocols but none in common.
fn choose_alpn(hello: &ClientHello<'_>, common: &Common) -> Result<Option<Vec<u8>>, Fault> {
    let Some(offered) = &hello.extensions.alpn else { return Ok(None) };
    if common.alpn.is_empty() {
        return Ok(None);
    }
    let chosen = common.alpn.iter().find(|ours| offered.iter().any(|name| name == ours.as_slice()));
    match chosen {
        Some(name) => Ok(Some(name.clone())),
        None => Err(Fault::no_application_protocol("no application protocol in common")),
    }
}
