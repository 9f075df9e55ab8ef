//! Pre-shared keys and early data (RFC 9846 sections 4.3.10, 4.3.11 and 8): which key, whether the client has it, and
//! whether its early data may be read.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use rustls_pki_types::UnixTime;

use super::server_hello::{Agreed, Basis, Early, Retried};
use super::{Context, ServerNext, Serving, State};
use crate::codepoint::CertificateType;
use crate::config::{ClientAuth, ConfiguredSuite, ReplayGuarded, ResumedPeers, ServerConfig};
use crate::error::{Error, Fault};
use crate::handshake::Next;
use crate::identity::{Identity, Peer};
use crate::moment::Moment;
use crate::psk::{ExternalPsk, NoEarlyData, NotResumed, PskKind, SKEW};
pub(super) use crate::question::KnownPsk as Key;
use crate::question::{CheckReplay, FirstFlight, Fresh, PeerEvidence, Question, Tag, Verified, VerifyPeer};
use crate::record::EpochBoundary;
use crate::schedule::{Claimed, Proven};
use crate::transcript::Transcript;
use crate::wire::client_hello::ClientHello;
use crate::wire::message::HEADER_LEN;

/// A key that the client named, before it proved to have it.
pub(super) struct Candidate {
    /// Its place among the identities.
    pub(super) index: u16,
    pub(super) key: Key,
    /// When it was found.
    pub(super) now: Moment,
}

/// What the machine asks of a key that was found by its identity.
impl Key {
    /// Why the key cannot be used for this client, if it cannot.
    pub(super) fn check(
        &self,
        hello: &ClientHello<'_>,
        serving: &Serving,
        now: Moment,
    ) -> Result<(), NotResumed> {
        let needs_certificate = matches!(serving.config.client_auth, ClientAuth::Required { .. });
        match self {
            Self::Session(session) => {
                session.check_times(now, SKEW)?;
                // RFC 9846 section 4.3.11: the name need not be that of the session. It decides about certificates and
                // early data, though, so that another name gets a handshake of its own.
                if !same_name(session.server_name.as_deref(), hello.extensions.server_name) {
                    return Err(NotResumed::OtherServerName);
                }
                if session.peer.as_ref().is_some_and(|peer| !accepts(&serving.config, peer)) {
                    return Err(NotResumed::PolicyChanged);
                }
                if needs_certificate && !session.peer.as_ref().is_some_and(|peer| peer.was_verified()) {
                    return Err(NotResumed::NoClientCertificate);
                }
            }
            Self::External(_) if needs_certificate => return Err(NotResumed::NoClientCertificate),
            Self::External(_) => {}
        }
        Ok(())
    }

    /// The suite that the key is used with: the session's, else the first of those of the key's hash.
    //= testvectors/requirements/rfc9846.txt#section-4.7.1
    //# Any ticket MUST only be resumed with a cipher suite that has the same KDF hash algorithm as that
    //# used to establish the original connection.
    pub(super) fn suite<'a>(&self, offered: &[Option<&'a ConfiguredSuite>]) -> Option<&'a ConfiguredSuite> {
        let mut offered = offered.iter().copied().flatten();
        let (same, hash_len) = match self {
            Self::Session(session) => {
                (offered.clone().find(|entry| entry.suite.id == session.suite), session.psk.len())
            }
            Self::External(psk) => (None, psk.hash().output_len()),
        };
        same.or_else(|| offered.find(|entry| entry.suite.hash.output_len() == hash_len))
    }

    fn claimed(&self, suite: &ConfiguredSuite) -> Result<Claimed, Error> {
        let (key, kind) = match self {
            Self::Session(session) => (session.psk.expose(), PskKind::Resumption),
            Self::External(psk) => (psk.key(), psk.kind()),
        };
        Ok(Claimed::new(&suite.constants, key, kind)?)
    }

    /// Who has it beside us, as far as it was ever verified.
    fn peer(&self) -> Option<Arc<Peer>> {
        match self {
            Self::Session(session) => session.peer.clone(),
            Self::External(psk) => Some(Arc::new(psk_peer(psk))),
        }
    }
}

/// Whether the client could have authenticated under this configuration in the way in which it once did: a key that nobody
/// certified counts only where such keys do, and certificates only where they do.
fn accepts(config: &ServerConfig, peer: &Peer) -> bool {
    let kind = match &peer.identity {
        Identity::Psk { .. } | Identity::Anonymous => return true,
        Identity::RawPublicKey { .. } => CertificateType::RAW_PUBLIC_KEY,
        _ => CertificateType::X509,
    };
    config.client_certificate_types.contains(kind)
}

/// Whoever has an external key, and nothing more.
pub(in crate::handshake) fn psk_peer(psk: &ExternalPsk) -> Peer {
    let never = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    Peer::new(Identity::Psk { name: psk.name().to_vec() }, Vec::new(), never)
}

/// DNS names are equal without case.
fn same_name(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    }
}

/// A key that the client proved to have.
pub(super) struct Keyed {
    pub(super) index: u16,
    pub(super) key: Key,
    pub(super) proven: Proven,
    pub(super) peer: Option<Arc<Peer>>,
    now: Moment,
}

impl Candidate {
    //= testvectors/requirements/rfc9846.txt#section-4.3.11
    //# Prior to accepting PSK key establishment, the server MUST validate the corresponding binder value
    //# (see Section 4.3.11.2 below).
    /// Checks the binder of this key and of no other (RFC 9846 section 4.3.11). `transcript` ends before the ClientHello,
    /// which is `raw` with its header, and absorbs it.
    pub(super) fn prove(
        self,
        transcript: &mut Transcript,
        hello: &ClientHello<'_>,
        raw: &[u8],
        suite: &ConfiguredSuite,
    ) -> Result<Keyed, Error> {
        const MISSING: Fault = Fault::illegal_parameter("the binder of the pre-shared key is missing");
        let offered = hello.extensions.pre_shared_key.as_ref().ok_or(MISSING)?;
        let binder = offered.binders.iter().nth(usize::from(self.index)).ok_or(MISSING)?;
        let truncated = raw.len().checked_sub(offered.binders_len).ok_or(MISSING)?;
        let (truncated, binders) = raw.split_at_checked(truncated).ok_or(MISSING)?;
        transcript.absorb(truncated);
        let digest = transcript.digest();
        transcript.absorb(binders);
        //= testvectors/requirements/rfc9846.txt#section-4.3.11
        //# If this value is not present or does not validate, the server MUST abort the handshake.
        let proven = self.key.claimed(suite)?.prove(&digest, binder)?;
        let proven = proven.ok_or(Fault::decrypt_error("the binder does not match the pre-shared key"))?;
        let peer = self.key.peer();
        Ok(Keyed { index: self.index, key: self.key, proven, peer, now: self.now })
    }
}

impl Keyed {
    /// Whether early data may be accepted, but for replays: the first flight to look for and whose guard is to do it, or why
    /// not.
    fn first_flight(
        &self,
        hello: &ClientHello<'_>,
        agreed: &Facts<'_>,
    ) -> Result<(FirstFlight, ReplayGuarded), NoEarlyData> {
        let Facts { serving, suite, alpn } = agreed;
        let Some(policy) = &serving.config.early_data else { return Err(NoEarlyData::SwitchedOff) };
        // "The PSK used to encrypt the early data MUST be the first PSK listed".
        //= testvectors/requirements/rfc9846.txt#section-4.3.10
        //# In order to accept early data, the server MUST have selected the first key offered in the
        //# client's "pre_shared_key" extension.
        if self.index != 0 {
            return Err(NoEarlyData::NotFirst);
        }
        //= testvectors/requirements/rfc9846.txt#section-4.3.11
        //# For identities established externally, an obfuscated_ticket_age of 0 SHOULD be used, and servers
        //# MUST ignore the value.
        let Key::Session(session) = &self.key else { return Err(NoEarlyData::NotPermitted) };
        // More than we would accept now may be on its way already.
        if session.max_early_data == 0 || session.max_early_data > policy.max {
            return Err(NoEarlyData::NotPermitted);
        }
        policy.permits(hello.extensions.server_name, *alpn)?;
        //= testvectors/requirements/rfc9846.txt#section-4.3.10
        //# In addition, it MUST verify that the following values are the same as those associated with the
        //# selected PSK:
        if suite.suite.id != session.suite {
            return Err(NoEarlyData::OtherSuite);
        }
        if *alpn != session.alpn.as_deref() {
            return Err(NoEarlyData::OtherProtocol);
        }
        let Some(offered) =
            hello.extensions.pre_shared_key.as_ref().and_then(|psks| psks.identities.iter().next())
        else {
            return Err(NoEarlyData::NotFirst);
        };
        // RFC 9846 section 8.3: expected_arrival_time = adjusted_creation_time + clients_ticket_age
        //= testvectors/requirements/rfc9846.txt#section-4.3.10
        //# For PSKs provisioned via NewSessionTicket, a server MUST validate that the ticket age for the
        //# selected PSK identity (computed by subtracting ticket_age_add from
        //# PskIdentity.obfuscated_ticket_age modulo 2^32) is within a small tolerance of the time since the
        //# ticket was issued (see Section 8).
        let age = offered.obfuscated_ticket_age.wrapping_sub(session.age_add);
        let expected = session.issued.plus(Duration::from_millis(u64::from(age)));
        let window = policy.proof.window();
        let expires = expected.plus(window);
        if self.now > expires || self.now < expected.minus(window) {
            return Err(NoEarlyData::NotFresh);
        }
        //= testvectors/requirements/rfc9846.txt#section-8.2
        //# The server MUST derive the storage key only from validated sections of the ClientHello.
        let flight = FirstFlight { id: self.proven.id(), issued: session.issued, now: self.now, expires };
        Ok((flight, policy.proof.clone()))
    }
}

/// What early data must agree with.
struct Facts<'a> {
    serving: &'a Serving,
    suite: &'a ConfiguredSuite,
    alpn: Option<&'a [u8]>,
}

/// A handshake whose ClientHello is judged, while a question about its key is out.
pub(super) struct Pending {
    agreed: Agreed,
    /// Ends with the ClientHello.
    transcript: Transcript,
    /// The ClientHello with its header.
    raw: Vec<u8>,
    boundary: EpochBoundary,
}

/// Waits for the verdict on a peer that an earlier connection verified.
pub(crate) struct WaitResumedPeer {
    pending: Pending,
    pub(super) tag: Tag,
}

/// Waits for what the replay guard knows of the first flight.
pub(crate) struct WaitReplay {
    pending: Pending,
    pub(super) tag: Tag,
}

impl Agreed {
    /// The client has its key, if it named one: asks what there is to ask, then sends the flight. `transcript` ends with
    /// the ClientHello.
    pub(super) fn go_on(
        self,
        transcript: Transcript,
        hello: &ClientHello<'_>,
        raw: &[u8],
        boundary: EpochBoundary,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        let again = self.serving.config.common.resumed_peers == ResumedPeers::VerifiedAgain;
        match &self.basis {
            Basis::Key(Keyed { key: Key::Session(_), peer: Some(peer), .. })
                if again && peer.was_verified() =>
            {
                let tag = cx.tags.next();
                let evidence = PeerEvidence::Resumed(Arc::clone(peer));
                let question = VerifyPeer { tag, name: None, evidence };
                let pending = Pending { agreed: self, transcript, raw: raw.to_vec(), boundary };
                let state = State::ResumedPeer(WaitResumedPeer { pending, tag });
                Ok(Next::Ask(state, Question::VerifyPeer(Box::new(question))))
            }
            _ => self.guard(transcript, hello, raw, boundary, cx),
        }
    }

    /// Early data that could be accepted is checked for replays.
    fn guard(
        mut self,
        transcript: Transcript,
        hello: &ClientHello<'_>,
        raw: &[u8],
        boundary: EpochBoundary,
        cx: &mut Context<'_>,
    ) -> Result<ServerNext, Error> {
        match self.may_accept_early(hello) {
            Ok((flight, proof)) => {
                let tag = cx.tags.next();
                let pending = Pending { agreed: self, transcript, raw: raw.to_vec(), boundary };
                let state = State::Replay(WaitReplay { pending, tag });
                Ok(Next::Ask(state, Question::CheckReplay(CheckReplay { tag, flight, proof })))
            }
            Err(why) => {
                self.early = Early::Refused(why);
                self.send(transcript, hello, boundary, cx)
            }
        }
    }

    fn may_accept_early(&self, hello: &ClientHello<'_>) -> Result<(FirstFlight, ReplayGuarded), NoEarlyData> {
        if hello.extensions.early_data.is_none() {
            // The second ClientHello never has it.
            return Err(match self.retried {
                Retried::YesAfterEarlyData => NoEarlyData::Retried,
                _ => NoEarlyData::NotOffered,
            });
        }
        let facts =
            Facts { serving: &self.serving, suite: &self.chosen.suite, alpn: self.chosen.alpn.as_deref() };
        match &self.basis {
            Basis::Key(keyed) => keyed.first_flight(hello, &facts),
            Basis::Certificate { .. } if self.serving.config.early_data.is_none() => {
                Err(NoEarlyData::SwitchedOff)
            }
            Basis::Certificate { .. } => Err(NoEarlyData::NotResumed),
        }
    }
}

impl Pending {
    /// Reads the ClientHello once more, now that the question is answered.
    fn again(
        self,
        go_on: impl FnOnce(
            Agreed,
            Transcript,
            &ClientHello<'_>,
            &[u8],
            EpochBoundary,
        ) -> Result<ServerNext, Error>,
    ) -> Result<ServerNext, Error> {
        let Self { agreed, transcript, raw, boundary } = self;
        let hello = ClientHello::parse(raw.get(HEADER_LEN..).unwrap_or_default())?;
        go_on(agreed, transcript, &hello, &raw, boundary)
    }
}

impl WaitResumedPeer {
    pub(super) fn on_verified(self, verified: Verified, cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        self.pending.again(|mut agreed, transcript, hello, raw, boundary| {
            if let Basis::Key(keyed) = &mut agreed.basis {
                keyed.peer = Some(verified.into_peer());
            }
            agreed.guard(transcript, hello, raw, boundary, cx)
        })
    }
}

impl WaitReplay {
    pub(super) fn on_fresh(self, fresh: Fresh, cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        self.send(Early::Accepted(fresh), cx)
    }

    /// The early data is refused; the handshake goes on.
    pub(super) fn on_refused(self, why: NoEarlyData, cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        self.send(Early::Refused(why), cx)
    }

    fn send(self, early: Early, cx: &mut Context<'_>) -> Result<ServerNext, Error> {
        self.pending.again(|mut agreed, transcript, hello, _, boundary| {
            agreed.early = early;
            agreed.send(transcript, hello, boundary, cx)
        })
    }
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::crypto::rustcrypto::provider;
    use alloc::borrow::ToOwned;

    #[test]
    fn a_session_counts_where_its_client_could_authenticate_as_it_did() {
        let [x509, raw] = [CertificateType::X509, CertificateType::RAW_PUBLIC_KEY]
            .map(|kind| ServerConfig::builder(provider()).client_certificate_types([kind]).build().unwrap());
        let never = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
        let accepted = |identity: Identity| {
            let peer = Peer::new(identity, Vec::new(), never);
            [&x509, &raw].map(|config| accepts(config, &peer))
        };
        assert_eq!(accepted(Identity::Dns { name: "a.test".to_owned() }), [true, false]);
        assert_eq!(accepted(Identity::RawPublicKey { spki: Vec::new() }), [false, true]);
        // No certificate type says anything of these.
        assert_eq!(accepted(Identity::Psk { name: Vec::new() }), [true, true]);
        assert_eq!(accepted(Identity::Anonymous), [true, true]);
    }
}
