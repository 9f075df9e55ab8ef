//! The answer to `VerifyPeer`: chain, name, time and signature, in this order.

use alloc::string::ToString;

use crate::error::Refusal;
use crate::pki::{Certificate, KeyKind, Purpose, Verifier, VerifyError};
use crate::question::{Answer, Identity, Peer, PeerEvidence, Presented, VerifyPeer};
use rustls_pki_types::{ServerName, UnixTime};

/// Verifies a peer against the roots of `verifier`.
pub(super) fn verify_peer(question: VerifyPeer, verifier: &Verifier, now: UnixTime) -> Answer {
    let verified = match question.evidence() {
        PeerEvidence::Fresh(presented) => verify(presented, question.name(), verifier, now),
        PeerEvidence::Resumed(peer) => Ok((**peer).clone()),
    };
    match verified {
        Ok(peer) => question.verified(peer),
        Err(error) => question.refused(Refusal::new(error.alert(), error)),
    }
}

fn verify(
    presented: &Presented,
    name: Option<&ServerName<'static>>,
    verifier: &Verifier,
    now: UnixTime,
) -> Result<Peer, VerifyError> {
    let Some((leaf, intermediates)) = presented.chain.split_first() else {
        return Err(VerifyError::Malformed("there is no certificate".to_string()));
    };
    let purpose = name.map_or(Purpose::Client, Purpose::Server);
    let path = verifier.verify(leaf, intermediates, purpose, now)?;
    check_signature(presented, &Certificate::parse(leaf)?, verifier)?;
    let identity = match name {
        Some(ServerName::DnsName(name)) => Identity::Dns(name.as_ref().to_string()),
        Some(ServerName::IpAddress(address)) => Identity::Ip((*address).into()),
        _ => Identity::Subject(path.subject),
    };
    Ok(Peer::new(identity, presented.chain.clone(), path.expires))
}

/// RFC 9846 section 4.5.2: "the signature algorithm MUST be compatible with the key in the sender's end-entity
/// certificate".
fn check_signature(
    presented: &Presented,
    leaf: &Certificate<'_>,
    verifier: &Verifier,
) -> Result<(), VerifyError> {
    let key: &KeyKind = &leaf.key;
    if !key.signs(presented.scheme) {
        return Err(VerifyError::SchemeMismatch { scheme: presented.scheme, key: key.clone() });
    }
    verifier
        .provider()
        .verify(presented.scheme, leaf.spki, &presented.signed, &presented.signature)
        .map_err(|_| VerifyError::BadSignature)
}
