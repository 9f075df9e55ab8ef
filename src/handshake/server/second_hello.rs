//! The second ClientHello: on the connection that asked for it, or on a fresh one by its cookie.

use alloc::vec::Vec;

use super::cookie::{Facts, open};
use super::hello::{FOREIGN_COOKIE, First, share_of};
use super::negotiate::{check, choose, choose_types, count_tickets};
use super::retry::{WaitSecondHello, write_retry};
use super::server_hello::{Agreed, Basis, Early, Retried};
use super::{Choice, Chosen, Context, ServerNext, Serving};
use crate::codepoint::{ExtensionType, NamedGroup};
use crate::error::{Error, Fault};
use crate::handshake::too_long;
use crate::psk::NoEarlyData;
use crate::question::Known;
use crate::record::{EpochBoundary, Message, Skip, Skipped};
use crate::transcript::Transcript;
use crate::wire::client_hello::ClientHello;
use crate::wire::ext::Framed;
use crate::wire::ext::pre_shared_key::PskIdentity;
use crate::wire::message::HEADER_LEN;

/// What may differ between the two ClientHellos of a connection (RFC 9846 section 4.2.2).
const MAY_DIFFER: [ExtensionType; 5] = [
    ExtensionType::KEY_SHARE,
    ExtensionType::EARLY_DATA,
    ExtensionType::COOKIE,
    ExtensionType::PRE_SHARED_KEY,
    ExtensionType::PADDING,
];

impl WaitSecondHello {
    pub(super) fn on_client_hello(
        self,
        mut message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Self { serving, chosen, choice, group, transcript, first, cookie } = self;
        let hello = ClientHello::parse(message.body)?;
        check(&hello)?;
        let before = ClientHello::parse(first.get(HEADER_LEN..).unwrap_or_default())?;
        check_unchanged(&before, &hello)?;
        check_second(&hello, group)?;
        // RFC 9846 section 4.3.2: "the client MUST copy the contents of the extension".
        if hello.extensions.cookie != cookie.as_deref() {
            return Err(FOREIGN_COOKIE.into());
        }
        let boundary = message.boundary()?;
        cx.carrier.skip_early_data(Skip::Off);
        let choice = surviving(choice, &before, &hello)?;
        let tickets = count_tickets(&hello, &serving.config, &choice);
        let certificates = choose_types(&hello, &serving, &choice)?;
        let chosen = Chosen { tickets, certificates, ..chosen };
        let retried = match before.extensions.early_data {
            Some(()) => Retried::YesAfterEarlyData,
            None => Retried::Yes,
        };
        Second { hello: &hello, raw: message.raw, boundary }
            .answer(serving, chosen, choice, retried, transcript, cx)
    }
}

impl First<'_> {
    /// A first ClientHello with a cookie: this server, or another one with its key, asked for it and kept nothing.
    pub(super) fn resume_stateless(
        self,
        serving: Serving,
        known: Known,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let Self { hello, raw, boundary, now, skipped } = self;
        let hello = &hello;
        let cookie = hello.extensions.cookie.unwrap_or_default();
        let (Some(key), Some(now)) = (&serving.config.retry, now) else {
            return Err(FOREIGN_COOKIE.into());
        };
        let opened = open(cookie, hello.legacy_session_id, now.as_secs(), &serving.config, key)?;
        let Some(Facts { suite, group, skips, hello: first_hash, .. }) = opened else {
            return Err(FOREIGN_COOKIE.into());
        };
        if skipped == Skipped::Some && !skips {
            return Err(Fault::unexpected_message("application data arrived before any key").into());
        }
        check_second(hello, group)?;
        let (chosen, choice) = choose(hello, &serving, known, Some((suite, group)))?;
        if share_of(hello, &chosen).is_none() {
            return Err(WRONG_SHARE.into());
        }

        let mut transcript = Transcript::after_retry(chosen.suite.suite.hash, &first_hash);
        let mut retry = Vec::new();
        write_retry(&mut retry, hello.legacy_session_id, suite, group, Some(cookie)).map_err(too_long)?;
        transcript.absorb(&retry);
        let retried = if skips { Retried::YesAfterEarlyData } else { Retried::Yes };
        let second = Second { hello, raw, boundary };
        second.answer(serving, chosen, choice, retried, transcript, cx)
    }
}

/// A second ClientHello that passed its checks.
struct Second<'a, 'h> {
    hello: &'a ClientHello<'h>,
    /// The message with its header.
    raw: &'a [u8],
    boundary: EpochBoundary,
}

impl Second<'_, '_> {
    /// `transcript` ends with the HelloRetryRequest.
    fn answer(
        self,
        serving: Serving,
        chosen: Chosen,
        choice: Choice,
        retried: Retried,
        mut transcript: Transcript,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let basis = Basis::establish(choice, &mut transcript, self.hello, self.raw, &chosen.suite)?;
        let early = Early::Refused(NoEarlyData::Retried);
        let agreed = Agreed { serving, chosen, basis, retried, early };
        agreed.go_on(transcript, self.hello, self.raw, self.boundary, cx)
    }
}

/// What is authenticated with is chosen once. RFC 9846 section 4.2.2 lets a client take back only "PSKs which are
/// incompatible with the server's indicated cipher suite", and the chosen one is not.
fn surviving(choice: Choice, before: &ClientHello<'_>, hello: &ClientHello<'_>) -> Result<Choice, Fault> {
    let Choice::Key(mut candidate) = choice else { return Ok(choice) };
    let index = identities(before)
        .nth(usize::from(candidate.index))
        .and_then(|chosen| identities(hello).position(|offered| offered.identity == chosen.identity));
    match index.and_then(|index| u16::try_from(index).ok()) {
        Some(index) => {
            candidate.index = index;
            Ok(Choice::Key(candidate))
        }
        None if hello.extensions.pre_shared_key.is_none() => Err(Fault::missing_extension(
            "the second ClientHello lacks pre_shared_key, of which a key was chosen",
        )),
        None => {
            Err(Fault::illegal_parameter("the second ClientHello lacks the pre-shared key that was chosen"))
        }
    }
}

/// The identities of keys in a ClientHello.
fn identities<'a>(hello: &ClientHello<'a>) -> impl Iterator<Item = PskIdentity<'a>> {
    hello.extensions.pre_shared_key.into_iter().flat_map(|psks| psks.identities.iter())
}

const WRONG_SHARE: Fault =
    Fault::illegal_parameter("the second ClientHello must hold one share, of the group that was asked for");

/// What the second ClientHello must be like, whatever the first was.
fn check_second(hello: &ClientHello<'_>, group: NamedGroup) -> Result<(), Fault> {
    if hello.extensions.early_data.is_some() {
        return Err(Fault::illegal_parameter("early data is not permitted after a HelloRetryRequest"));
    }
    let mut shares = hello.extensions.key_share.iter().flat_map(|shares| shares.iter());
    match (shares.next(), shares.next()) {
        (Some(share), None) if share.group == group => Ok(()),
        _ => Err(WRONG_SHARE),
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.2.2
//# In that case, the client MUST send the same ClientHello without modification, except as follows:
fn check_unchanged(first: &ClientHello<'_>, second: &ClientHello<'_>) -> Result<(), Fault> {
    let fields = first.random == second.random
        && first.legacy_session_id == second.legacy_session_id
        && first.cipher_suites == second.cipher_suites;
    if fields && same_extensions(first.extensions.raw, second.extensions.raw) {
        return Ok(());
    }
    Err(Fault::illegal_parameter("the second ClientHello changed more than it may"))
}

/// Whether two blocks hold the same but for what may differ. Their order decides nothing, since "the extensions MAY appear in
/// any order" (RFC 9846 section 4.3), and wolfSSL's clients do not keep it.
fn same_extensions(first: &[u8], second: &[u8]) -> bool {
    if unchanging(first).eq(unchanging(second)) {
        return true;
    }
    let sorted = |block| {
        let mut extensions: Vec<_> = unchanging(block).collect();
        extensions.sort_unstable_by_key(|(kind, _)| kind.0);
        extensions
    };
    sorted(first) == sorted(second)
}

/// The extensions that both ClientHellos must have alike, in order.
fn unchanging(extensions: &[u8]) -> impl Iterator<Item = (ExtensionType, &[u8])> {
    Framed::new(extensions).filter_map(Result::ok).filter(|(kind, _)| !MAY_DIFFER.contains(kind))
}
