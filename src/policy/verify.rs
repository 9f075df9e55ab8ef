//! The answer to `VerifyPeer`: chain, name, time and signature, in this order.

use alloc::string::ToString;

use crate::error::Refusal;
use crate::identity::{Claim, Identity};
use crate::pki::{Certificate, Chain, Expected, KeyKind, Matched, Purpose, Verifier, VerifyError};
use crate::question::{Answer, PeerEvidence, Presented, VerifyPeer};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// Verifies a peer against the roots of `verifier`.
pub(super) fn verify_peer(question: VerifyPeer, verifier: &Verifier, now: UnixTime) -> Answer {
    let verified = match question.evidence() {
        PeerEvidence::Fresh(presented) => verify_chain(&presented.chain, question.name(), verifier, now)
            .and_then(|claim| check_signature(presented, verifier).map(|()| claim)),
        // The signature of the first handshake stands; roots and time may have changed since.
        PeerEvidence::Resumed(peer) => verify_chain(&peer.chain, question.name(), verifier, now),
    };
    match verified {
        Ok(claim) => question.verified(claim),
        Err(error) => question.refused(Refusal::new(error.alert(), error)),
    }
}

fn verify_chain(
    chain: &[CertificateDer<'static>],
    name: Option<&ServerName<'static>>,
    verifier: &Verifier,
    now: UnixTime,
) -> Result<Claim, VerifyError> {
    let presented = Chain::of(chain).ok_or(VerifyError::NoCertificate)?;
    let (purpose, expected) = match name {
        Some(name) => (Purpose::Server, Expected::Name(name.clone())),
        None => (Purpose::Client, Expected::Anyone),
    };
    let path = verifier.verify(&presented, purpose, &expected, now)?;
    let identity = match path.matched {
        Matched::Dns(name) => Identity::Dns { name },
        Matched::Ip(address) => Identity::Ip { address },
        // All clients without a subject would be one and the same to whoever asks who it is.
        Matched::Anyone if path.subject.is_empty() => {
            let why = "has an empty subject, by which clients are known";
            return Err(VerifyError::Usage { subject: path.subject, why });
        }
        Matched::Anyone => Identity::Subject { name: path.subject },
        _ => return Err(VerifyError::WrongName { wanted: expected.to_string(), presented: path.subject }),
    };
    Ok(Claim::of(identity, path.expires).chain(chain.to_vec()))
}

/// RFC 9846 section 4.5.2: "the signature algorithm MUST be compatible with the key in the sender's end-entity
/// certificate".
fn check_signature(presented: &Presented, verifier: &Verifier) -> Result<(), VerifyError> {
    let Some(leaf) = presented.chain.first() else {
        return Err(VerifyError::NoCertificate);
    };
    let leaf = Certificate::parse(leaf)?;
    let key: &KeyKind = &leaf.key;
    if !key.signs(presented.scheme) {
        return Err(VerifyError::SchemeMismatch { scheme: presented.scheme, key: key.clone() });
    }
    verifier
        .provider()
        .verify(presented.scheme, leaf.spki, &presented.signed, &presented.signature)
        .map_err(|_| VerifyError::BadSignature)
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::crypto::rustcrypto::provider;
    use crate::identity::Peer;
    use crate::question::{Tag, Verdict};
    use alloc::sync::Arc;
    use alloc::vec::Vec;
    use core::time::Duration;
    use rustls_pki_types::pem::PemObject;

    fn certificate(name: &str) -> CertificateDer<'static> {
        let path = [env!("CARGO_MANIFEST_DIR"), "testvectors", "pki", name];
        CertificateDer::from_pem_file(path.iter().collect::<std::path::PathBuf>()).unwrap()
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    /// Asks whether a client, verified once, is still good.
    fn again(chain: Vec<CertificateDer<'static>>, now: u64) -> Result<Identity, AlertCode> {
        let peer = Peer::new(Identity::Subject { name: "as stored".to_string() }, chain, at(u64::MAX));
        let tag = Tag { connection: [0; 16], serial: 0 };
        let question = VerifyPeer { tag, name: None, evidence: PeerEvidence::Resumed(Arc::new(peer)) };
        let verifier = Verifier::new(provider(), [certificate("root.pem")]).unwrap();
        match verify_peer(question, &verifier, at(now)).verdict {
            Verdict::Verified(verified) => Ok(verified.into_peer().identity.clone()),
            Verdict::Refused(refusal) => Err(refusal.alert()),
            _ => panic!("neither verified nor refused"),
        }
    }

    #[test]
    fn a_resumed_peer_is_verified_again_by_roots_and_time() {
        let chain = Vec::from([certificate("client-only.pem")]);
        assert_eq!(
            again(chain.clone(), 1_780_272_000),
            Ok(Identity::Subject { name: "CN=client-only".to_string() })
        );
        assert_eq!(again(chain, 4_922_899_201), Err(AlertCode::CERTIFICATE_EXPIRED));
        let elsewhere = Vec::from([certificate("self-signed.pem")]);
        assert_eq!(again(elsewhere, 1_780_272_000), Err(AlertCode::UNKNOWN_CA));
        assert_eq!(again(Vec::new(), 1_780_272_000), Err(AlertCode::BAD_CERTIFICATE));
    }
}
