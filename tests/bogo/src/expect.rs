//! The expectations of the flags, held against what a connection was like.

use sha2::{Digest, Sha256};
use symbolon::codepoint::{CertificateType, CipherSuite};
use symbolon::conn::{EarlyVerdict, NoEarlyData, Resumed, Summary};
use symbolon::crypto::{Provider, Suite};
use symbolon::identity::Identity;
use symbolon::psk::Ticket;

use crate::credentials::{Wallet, certificates};
use crate::drive::{Story, Turn};
use crate::failure::Failure;
use crate::options::{Authorities, Settings};

fn that(holds: bool, text: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::Expectation(text())) }
}

/// Whether a resuming client offers early data.
pub fn early_offer(settings: &Settings, offered: bool) -> Result<(), Failure> {
    let expect = &settings.expect;
    that(!(expect.no_offer_early_data && offered), || "early data was offered".into())?;
    that(offered || !(expect.accept_early_data || expect.reject_early_data), || {
        "no early data was offered".into()
    })
}

/// What can be checked once the handshake is complete.
pub fn established(
    settings: &Settings,
    turn: Turn,
    server: bool,
    (provider, wallet): (&Provider, &Wallet),
    story: &Story,
) -> Result<(), Failure> {
    let Some(summary) = &story.summary else { return Ok(()) };
    parameters(settings, provider, server, summary, story)?;
    resumption(settings, turn, server, summary, story)?;
    peer(settings, summary, story)?;
    credential(settings, wallet, summary, story)
}

/// Whether the processor has instructions for AES.
fn has_aes(provider: &Provider) -> bool {
    provider.suite(CipherSuite::TLS_AES_128_GCM_SHA256).is_some_and(Suite::accelerated)
}

fn parameters(
    settings: &Settings,
    provider: &Provider,
    server: bool,
    summary: &Summary,
    story: &Story,
) -> Result<(), Failure> {
    let expect = &settings.expect;
    that(expect.version.is_none_or(|version| version == 0x0304), || "another version".into())?;
    that(expect.group.is_none_or(|group| summary.group == Some(group)), || {
        format!("group {:?}", summary.group)
    })?;
    that(expect.suite.is_none_or(|suite| summary.suite == suite), || format!("suite {}", summary.suite))?;
    let by_processor = match has_aes(provider) {
        true => expect.suite_with_aes,
        false => expect.suite_without_aes,
    };
    that(by_processor.is_none_or(|suite| summary.suite == suite), || format!("suite {}", summary.suite))?;
    that(expect.hrr.is_none_or(|hrr| summary.retried == hrr), || format!("retried: {}", summary.retried))?;
    // A client that expects no protocol expects that none was chosen.
    let alpn = expect.alpn.as_deref().filter(|name| !name.is_empty());
    that((server && alpn.is_none()) || summary.alpn.as_deref() == alpn, || {
        format!("protocol {:?}", summary.alpn)
    })?;
    if !server {
        return Ok(());
    }
    let learned = &story.learned;
    that(expect.advertised_alpn.as_ref().is_none_or(|names| *names == learned.offered_alpn), || {
        format!("offered protocols {:?}", learned.offered_alpn)
    })?;
    that(expect.server_name.is_none() || expect.server_name == summary.server_name, || {
        format!("server name {:?}", summary.server_name)
    })?;
    that(!expect.no_server_name || summary.server_name.is_none(), || "a server name".into())
}

fn resumption(
    settings: &Settings,
    turn: Turn,
    server: bool,
    summary: &Summary,
    story: &Story,
) -> Result<(), Failure> {
    let expect = &settings.expect;
    let resumed = summary.resumed == Ok(Resumed::Session);
    let wanted = turn == Turn::Later && !expect.session_miss;
    that(resumed == wanted, || format!("resumed: {:?}", summary.resumed))?;
    let accepted =
        if server { summary.early_data.is_ok() } else { story.verdict == Some(EarlyVerdict::Accepted) };
    that(!expect.accept_early_data || accepted, || format!("early data: {:?}", summary.early_data))?;
    that(!(expect.reject_early_data && accepted), || "early data was accepted".into())?;
    if let (Some(wanted), Some(found)) = (&expect.early_data_reason, reason(settings, turn, server, summary))
    {
        that(wanted == found, || format!("early data: {found} for {wanted}"))?;
    }
    let skew = story.learned.age_skew;
    that(turn == Turn::First || expect.ticket_age_skew.is_none_or(|wanted| skew == Some(wanted)), || {
        format!("a skew of {skew:?} s")
    })
}

/// The outcome of early data as the runner calls it; `None` for what it has no word for.
fn reason(settings: &Settings, turn: Turn, server: bool, summary: &Summary) -> Option<&'static str> {
    Some(match &summary.early_data {
        Ok(()) => "accept",
        Err(_) if !settings.early_data => "disabled",
        Err(NoEarlyData::SwitchedOff) => "disabled",
        Err(NoEarlyData::NotResumed) if turn == Turn::First => "no_session_offered",
        Err(NoEarlyData::NotResumed) => "session_not_resumed",
        Err(NoEarlyData::Retried) if server && summary.resumed.is_err() => "session_not_resumed",
        Err(NoEarlyData::Declined) if summary.resumed.is_err() => "session_not_resumed",
        Err(NoEarlyData::NotPermitted) => "unsupported_for_session",
        Err(NoEarlyData::OtherProtocol) => "alpn_mismatch",
        Err(NoEarlyData::Retried) => "hello_retry_request",
        Err(NoEarlyData::NotFresh) => "ticket_age_skew",
        Err(NoEarlyData::Declined) => "peer_declined",
        Err(_) => return None,
    })
}

fn peer(settings: &Settings, summary: &Summary, story: &Story) -> Result<(), Failure> {
    let (expect, learned) = (&settings.expect, &story.learned);
    let chain = summary.peer.as_ref().map(|peer| peer.chain.as_slice()).unwrap_or_default();
    if let Some(file) = &expect.peer_cert_file {
        that(chain == certificates(file)?, || format!("a chain of {} certificates", chain.len()))?;
    }
    that(!expect.no_peer_cert || chain.is_empty(), || "a certificate".into())?;
    that(expect.signature.is_none() || expect.signature == learned.signature, || {
        format!("signed by {:?}", learned.signature)
    })?;
    let prefs = &expect.peer_verify_prefs;
    that(prefs.is_empty() || *prefs == learned.peer_schemes, || {
        format!("accepts {:?}", learned.peer_schemes)
    })?;
    if let Some(Authorities(names)) = &expect.client_authorities {
        let found = learned.authorities.as_deref().unwrap_or_default();
        that(found == names.as_slice(), || format!("authorities {found:?}"))?;
    }
    let staple = &expect.ocsp_response;
    that(staple.is_none() || *staple == learned.staple, || format!("staple {:?}", learned.staple))?;
    that(expect.scts.is_none() || expect.scts == learned.scts, || format!("timestamps {:?}", learned.scts))?;
    let is_new = !matches!(summary.resumed, Ok(Resumed::Session));
    let verifications = if is_new || settings.reverify_on_resume { 1 } else { 0 };
    let certified = !chain.is_empty();
    that(!(expect.verify_result && certified) || learned.verified == verifications, || {
        format!("{} verifications", learned.verified)
    })?;
    let spki = summary.peer.as_ref().and_then(|peer| match &peer.identity {
        Identity::RawPublicKey { spki, .. } => Some(spki),
        _ => None,
    });
    let kind = if spki.is_some() { CertificateType::RAW_PUBLIC_KEY } else { CertificateType::X509 };
    that(expect.peer_certificate_type.is_none_or(|wanted| wanted == kind), || format!("{kind:?}"))?;
    let digest = spki.map(|spki| Sha256::digest(spki).to_vec());
    that(expect.peer_rpk_sha256.is_none() || expect.peer_rpk_sha256 == digest, || "another raw key".into())
}

fn credential(settings: &Settings, wallet: &Wallet, summary: &Summary, story: &Story) -> Result<(), Failure> {
    let Some(wanted) = settings.expect.selected_credential else { return Ok(()) };
    let by_psk = summary.peer.as_ref().and_then(|peer| match &peer.identity {
        Identity::Psk { name, .. } => wallet.index_of_psk(name),
        _ => None,
    });
    let found = by_psk.or(story.learned.selected_credential).unwrap_or(-1);
    that(found == wanted, || format!("credential {found}"))
}

/// What a client must have been given by its end.
pub fn tickets(settings: &Settings, tickets: &[Ticket]) -> Result<(), Failure> {
    let expect = &settings.expect;
    if expect.no_session {
        return that(tickets.is_empty(), || "a ticket came".into());
    }
    let Some(ticket) = tickets.last() else { return Err(Failure::Expectation("no ticket came".into())) };
    that((ticket.max_early_data() > 0) == expect.ticket_supports_early_data, || {
        format!("a ticket for {} bytes of early data", ticket.max_early_data())
    })
}
