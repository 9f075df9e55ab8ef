//! The answer to `VerifyPeer`: path and name, pins, signature, permission, in this order.
//!
//! A peer becomes an identity here and nowhere else.

mod authorize;
mod pins;

pub use authorize::{Authorize, Denied};
pub use pins::{NoBackupPin, NotPin, NotPinned, Pin, Pins};

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::collections::HashSet;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::live::{Trust, TrustStore};
use crate::alert::AlertCode;
use crate::codepoint::SignatureScheme;
use crate::crypto::Provider;
use crate::error::Refusal;
use crate::identity::{Claim, Fingerprint, Identity, Peer};
use crate::pki::{
    Certificate, Chain, Expected, KeyKind, Matched, Purpose, RevocationNote, VerifiedPath, Verifier,
    VerifyError, fingerprint, key_of,
};
use crate::question::{Answer, PeerEvidence, VerifyPeer};

/// How peers are verified, and which of them may connect. Made of a [`Verifier`], of a [`TrustStore`], or of raw public
/// keys.
#[derive(Clone)]
pub struct Verification {
    trust: Option<TrustStore>,
    rotation: Rotation,
    keys: Arc<HashSet<Vec<u8>>>,
    expected: Option<Expected>,
    pins: Option<Arc<Pins>>,
    authorize: Option<Arc<dyn Authorize>>,
    unchecked: Option<OnUnchecked>,
}

/// Who hears of certificates that passed although nobody told whether they were revoked.
type OnUnchecked = Arc<dyn Fn(&RevocationNote) + Send + Sync>;

/// Whether trust may change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rotation {
    Never,
    Possible,
}

impl From<Verifier> for Verification {
    fn from(verifier: Verifier) -> Self {
        Self { trust: Some(TrustStore::new(verifier)), ..Self::by_nobody() }
    }
}

impl From<TrustStore> for Verification {
    /// By whatever the store trusts at the time.
    fn from(trust: TrustStore) -> Self {
        Self { trust: Some(trust), rotation: Rotation::Possible, ..Self::by_nobody() }
    }
}

impl Verification {
    /// By certificates, with a [`Verifier`] or a [`TrustStore`]. A server must speak for the name that the client asks
    /// for; clients may be anyone with a certificate.
    #[must_use]
    pub fn by(trust: impl Into<Self>) -> Self {
        trust.into()
    }

    /// By raw public keys alone (RFC 7250), each a DER `SubjectPublicKeyInfo` that is known from elsewhere.
    ///
    /// The configuration must name the type too, such as by
    /// [`server_certificate_types`](crate::config::ClientConfigBuilder::server_certificate_types).
    #[must_use]
    pub fn by_raw_public_keys<K: Into<Vec<u8>>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self::by_nobody().raw_public_keys(keys)
    }

    fn by_nobody() -> Self {
        Self {
            trust: None,
            rotation: Rotation::Never,
            keys: Arc::default(),
            expected: None,
            pins: None,
            authorize: None,
            unchecked: None,
        }
    }

    /// Trusts these raw public keys, too, each a DER `SubjectPublicKeyInfo`, in place of those before.
    #[must_use]
    pub fn raw_public_keys<K: Into<Vec<u8>>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.keys = Arc::new(keys.into_iter().map(Into::into).collect());
        self
    }

    /// Wants whoever has a certificate to be this one, whatever name a client asks for.
    #[must_use]
    pub fn expecting(mut self, peer: Expected) -> Self {
        self.expected = Some(peer);
        self
    }

    /// Wants paths and raw public keys to keep these pins.
    #[must_use]
    pub fn pins(mut self, pins: Arc<Pins>) -> Self {
        self.pins = Some(pins);
        self
    }

    /// Calls `report` for each certificate of a verified path that passed only because
    /// [`RevocationPolicy`](crate::pki::RevocationPolicy) fails softly. It must not block.
    #[must_use]
    pub fn on_unchecked(mut self, report: impl Fn(&RevocationNote) + Send + Sync + 'static) -> Self {
        self.unchecked = Some(Arc::new(report));
        self
    }

    /// Asks, once a peer is verified, whether it may connect; a denied one gets `access_denied`. Who is not verified is
    /// not asked about: clients without a certificate, where they may go on, and those with an external key.
    #[must_use]
    pub fn authorize(mut self, rule: impl Authorize + 'static) -> Self {
        self.authorize = Some(Arc::new(rule));
        self
    }

    /// The generation of trust; 0 where it cannot change.
    pub(super) fn generation(&self) -> u64 {
        self.trust.as_ref().map_or(0, TrustStore::generation)
    }

    /// A number that tells what is verified by from what others verify by, so that a store of tickets can be shared. What
    /// may change meanwhile is left out: a store of trust counts its generations, and the rest is asked again.
    pub(super) fn stamp(&self) -> u64 {
        let (expected, pins) = (&self.expected, &self.pins);
        let mut said = format!("{expected:?} {pins:?}");
        let fixed = self.trust.as_ref().filter(|_| self.rotation == Rotation::Never).map(TrustStore::now);
        for verifier in fixed.iter().flat_map(|trust| trust.verifiers()) {
            let mut roots: Vec<Fingerprint> = verifier.roots().iter().map(|root| fingerprint(root)).collect();
            roots.sort_unstable();
            said.push_str(&format!(" {} {roots:?}", verifier.rules()));
        }
        let hash = fingerprint(said.as_bytes());
        // Half of the numbers are left for generations to count.
        u64::from_be_bytes(hash.0.first_chunk().copied().unwrap_or_default()) >> 1
    }

    /// Whether a peer that was verified once may go on, as far as that is told without its certificates.
    pub(super) fn admits_again(&self, peer: &Peer) -> bool {
        let known = match &peer.identity {
            Identity::RawPublicKey { spki } => self.verify_key(spki).is_ok(),
            _ => true,
        };
        known && self.permit(peer).is_ok()
    }

    /// Answers `question`. The peer remembers the generation of trust that vouched for it, counted from `base`.
    pub(super) fn answer(
        &self,
        question: VerifyPeer,
        provider: &Provider,
        base: u64,
        now: UnixTime,
    ) -> Answer {
        // What belongs together must come of one look at the store.
        let trust = self.trust.as_ref().map(TrustStore::now);
        let generation = trust.as_ref().map_or(0, |trust| trust.generation());
        match self.judge(&question, provider, trust.as_deref(), now) {
            Ok(claim) => question.verified(claim.under(base.saturating_add(generation))),
            Err(refusal) => question.refused(refusal),
        }
    }

    fn judge(
        &self,
        question: &VerifyPeer,
        provider: &Provider,
        trust: Option<&Trust>,
        now: UnixTime,
    ) -> Result<Claim, Refusal> {
        let claim = match question.evidence() {
            PeerEvidence::Fresh(presented) => {
                let (chain, staples) = (&presented.chain, &presented.staples);
                let claim = self.verify_chain(trust, chain, Some(staples), question.name(), now)?;
                //= testvectors/requirements/rfc9846.txt#section-4.5.1
                //# The sender's certificate MUST come in the first CertificateEntry in the list.
                let leaf = chain.first().ok_or(VerifyError::NoCertificate).map_err(refusal)?;
                let leaf = Certificate::parse(leaf).map_err(refusal)?;
                let signed = Signed { scheme: presented.scheme, content: &presented.signed };
                signed.check(provider, leaf.spki, &leaf.key, &presented.signature)?;
                claim.sct(presented.sct.clone())
            }
            PeerEvidence::RawPublicKey(presented) => {
                let claim = self.verify_key(&presented.spki)?;
                let (kind, _) = key_of(&presented.spki).ok_or(VerifyError::UnknownKey).map_err(refusal)?;
                let signed = Signed { scheme: presented.scheme, content: &presented.signed };
                signed.check(provider, &presented.spki, &kind, &presented.signature)?;
                claim
            }
            // The signature of the first handshake stands; trust, revocation and time may have changed since.
            PeerEvidence::Resumed(peer) => match &peer.identity {
                Identity::RawPublicKey { spki } => self.verify_key(spki)?,
                _ => self.verify_chain(trust, &peer.chain, None, question.name(), now)?,
            },
        };
        self.permit(claim.peer()).map(|()| claim)
    }

    /// Whether a peer that was verified may connect.
    fn permit(&self, peer: &Peer) -> Result<(), Refusal> {
        match &self.authorize {
            Some(rule) => {
                rule.authorize(peer).map_err(|denied| Refusal::new(AlertCode::ACCESS_DENIED, denied))
            }
            None => Ok(()),
        }
    }

    /// Without `staples` the peer showed them when the session began that is resumed.
    fn verify_chain(
        &self,
        trust: Option<&Trust>,
        chain: &[CertificateDer<'static>],
        staples: Option<&[Option<Vec<u8>>]>,
        name: Option<&ServerName<'static>>,
        now: UnixTime,
    ) -> Result<Claim, Refusal> {
        let trust = trust.ok_or(VerifyError::NoRoots).map_err(refusal)?;
        let sent = Chain::of(chain).ok_or(VerifyError::NoCertificate).map_err(refusal)?;
        let sent = sent.with_staples(staples.unwrap_or_default());
        let (verifier, domain) = trust.select(chain).map_err(refusal)?;
        let later = staples.is_none().then(|| verifier.after_staples());
        let verifier = later.as_ref().unwrap_or(verifier);
        let purpose = if name.is_some() { Purpose::Server } else { Purpose::Client };
        let expected = match (&self.expected, name, &domain) {
            (Some(expected), ..) => expected.clone(),
            (None, Some(name), _) => Expected::Name(name.clone()),
            (None, None, Some(domain)) => Expected::TrustDomain(domain.clone()),
            (None, None, None) => Expected::Anyone,
        };
        let path = verifier.verify(&sent, purpose, &expected, now).map_err(refusal)?;
        // The bundle of a trust domain vouches for the SPIFFE IDs of this domain, and for no other name.
        if domain.is_some() && !matches!(path.matched, Matched::Spiffe(_)) {
            let why = "trust is by trust domain, which vouches for SPIFFE IDs alone: expect one of the peer";
            return Err(Refusal::text(AlertCode::BAD_CERTIFICATE, why));
        }
        if let Some(report) = &self.unchecked {
            path.unchecked.iter().for_each(|note| report(note));
        }
        self.check_pins(&path.certificates, &path.spkis)?;
        let identity = identity_of(&path).map_err(refusal)?;
        Ok(Claim::of(identity, path.expires).chain(chain.to_vec()).names(path.names).certificate(
            path.subject,
            path.serial,
            path.fingerprints,
        ))
    }

    /// A key speaks for nobody but itself: it must be known to the byte.
    fn verify_key(&self, spki: &[u8]) -> Result<Claim, Refusal> {
        if !self.keys.contains(spki) {
            return Err(refusal(VerifyError::UnknownKey));
        }
        self.check_pins(&[], &[fingerprint(spki)])?;
        let never = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
        Ok(Claim::raw_public_key(spki, never))
    }

    fn check_pins(&self, certificates: &[Fingerprint], spkis: &[Fingerprint]) -> Result<(), Refusal> {
        match &self.pins {
            Some(pins) => pins
                .check(certificates, spkis)
                .map_err(|why| Refusal::new(AlertCode::CERTIFICATE_UNKNOWN, why)),
            None => Ok(()),
        }
    }
}

/// What a CertificateVerify signs, and how.
struct Signed<'a> {
    scheme: SignatureScheme,
    content: &'a [u8],
}

impl Signed<'_> {
    //= testvectors/requirements/rfc9846.txt#section-4.5.2
    //# the signature algorithm MUST be compatible with the key in the sender's end-entity certificate
    fn check(
        &self,
        provider: &Provider,
        spki: &[u8],
        kind: &KeyKind,
        signature: &[u8],
    ) -> Result<(), Refusal> {
        if !kind.signs(self.scheme) {
            return Err(refusal(VerifyError::SchemeMismatch { scheme: self.scheme, key: kind.clone() }));
        }
        provider
            //= testvectors/requirements/rfc9846.txt#section-4.5.2
            //# The receiver of a CertificateVerify message MUST verify the signature field.
            .verify(self.scheme, spki, self.content, signature)
            //= testvectors/requirements/rfc9846.txt#section-4.5.2
            //# If the verification fails, the receiver MUST terminate the handshake with a "decrypt_error"
            //# alert.
            .map_err(|_| refusal(VerifyError::BadSignature))
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("trust", &self.trust)
            .field("raw_public_keys", &self.keys.len())
            .field("expected", &self.expected)
            .field("pins", &self.pins)
            .finish_non_exhaustive()
    }
}

fn refusal(error: VerifyError) -> Refusal {
    Refusal::new(error.alert(), error)
}

/// Who the peer of a verified path is: whom we expected, or else the most telling name of its certificate.
fn identity_of(path: &VerifiedPath) -> Result<Identity, VerifyError> {
    match path.matched.clone() {
        Matched::Dns(name) => return Ok(Identity::Dns { name }),
        Matched::Ip(address) => return Ok(Identity::Ip { address }),
        Matched::Spiffe(id) => return Ok(Identity::Spiffe { id }),
        Matched::Uri(uri) => return Ok(Identity::Uri { uri }),
        Matched::Email(mailbox) => return Ok(Identity::Email { mailbox }),
        Matched::Anyone => {}
    }
    let names = &path.names;
    let first = |names: &[String]| names.first().cloned();
    if let Some(uri) = first(&names.uris) {
        return Ok(Identity::Uri { uri });
    }
    if let Some(mailbox) = first(&names.emails) {
        return Ok(Identity::Email { mailbox });
    }
    if let Some(name) = first(&names.dns) {
        return Ok(Identity::Dns { name });
    }
    if let Some(address) = names.ips.first().copied() {
        return Ok(Identity::Ip { address });
    }
    // All peers without any name would be one and the same to whoever asks who it is.
    if path.subject.is_empty() {
        let why = "has neither an alternative name nor a subject, by which clients are known";
        return Err(VerifyError::Usage { subject: String::new(), why });
    }
    Ok(Identity::Subject { name: path.subject.clone() })
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::crypto::rustcrypto::provider;
    use crate::pki::{Revocation, RevocationPolicy};
    use crate::question::{Tag, Verdict};
    use alloc::string::ToString;
    use rustls_pki_types::pem::PemObject;

    fn certificate(name: &str) -> CertificateDer<'static> {
        let path = [env!("CARGO_MANIFEST_DIR"), "testvectors", name];
        CertificateDer::from_pem_file(path.iter().collect::<std::path::PathBuf>()).unwrap()
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    /// Asks whether a client, verified once, is still good.
    fn again(chain: Vec<CertificateDer<'static>>, now: u64) -> Result<Identity, AlertCode> {
        again_under("pki/root.pem", chain, now)
    }

    fn again_under(root: &str, chain: Vec<CertificateDer<'static>>, now: u64) -> Result<Identity, AlertCode> {
        let peer = Peer::new(Identity::Subject { name: "as stored".to_string() }, chain, at(u64::MAX));
        let tag = Tag { connection: [0; 16], serial: 0 };
        let question = VerifyPeer { tag, name: None, evidence: PeerEvidence::Resumed(Arc::new(peer)) };
        let verifier = Verifier::new(provider(), [certificate(root)]).unwrap();
        match Verification::by(verifier).answer(question, &provider(), 0, at(now)).verdict {
            Verdict::Verified(verified) => Ok(verified.into_peer().identity.clone()),
            Verdict::Refused(refusal) => Err(refusal.alert()),
            _ => panic!("neither verified nor refused"),
        }
    }

    #[test]
    fn a_resumed_peer_is_verified_again_by_roots_and_time() {
        let chain = Vec::from([certificate("pki/client-only.pem")]);
        assert_eq!(again(chain.clone(), 1_780_272_000), Ok(Identity::Dns { name: "localhost".to_string() }));
        assert_eq!(again(chain, 4_922_899_201), Err(AlertCode::CERTIFICATE_EXPIRED));
        let elsewhere = Vec::from([certificate("pki/self-signed.pem")]);
        assert_eq!(again(elsewhere, 1_780_272_000), Err(AlertCode::UNKNOWN_CA));
        assert_eq!(again(Vec::new(), 1_780_272_000), Err(AlertCode::BAD_CERTIFICATE));
    }

    #[test]
    fn what_passes_unchecked_is_told() {
        let roots = [certificate("revocation/root.pem")];
        let soft = Revocation::new(RevocationPolicy::soft_fail()).expect_staples();
        let verifier = Verifier::new(provider(), roots).unwrap().revocation(Arc::new(soft));
        let told = Arc::new(std::sync::Mutex::new(Vec::new()));
        let to = Arc::clone(&told);
        let verification =
            Verification::by(verifier).on_unchecked(move |note| to.lock().unwrap().push(note.to_string()));
        let chain =
            ["good", "intermediate"].map(|name| certificate(&alloc::format!("revocation/{name}.pem")));
        let trust = verification.trust.as_ref().unwrap().now();
        verification.verify_chain(Some(&trust), &chain, Some(&[]), None, at(1_893_456_000)).unwrap();
        let told = told.lock().unwrap();
        assert!(told.iter().any(|note| note.starts_with("\"CN=good\" passed unchecked: ")), "{told:?}");
    }

    #[test]
    fn a_resumed_peer_showed_its_staple_when_its_session_began() {
        const NOW: u64 = 1_893_456_000;
        let chain =
            ["must-staple", "intermediate"].map(|name| certificate(&alloc::format!("revocation/{name}.pem")));
        assert!(again_under("revocation/root.pem", chain.to_vec(), NOW).is_ok());
        let verifier = Verifier::new(provider(), [certificate("revocation/root.pem")]).unwrap();
        let chain = Chain::of(&chain).unwrap();
        let fresh = verifier.verify(&chain, Purpose::Client, &Expected::Anyone, at(NOW));
        assert_eq!(fresh.unwrap_err().alert(), AlertCode::BAD_CERTIFICATE_STATUS_RESPONSE);
    }
}
