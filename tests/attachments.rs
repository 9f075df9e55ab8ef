//! What comes with certificates: OCSP responses and timestamps, for those who ask (RFC 9846 section 4.5.1.1).
#![cfg(feature = "rustcrypto")]

mod support;

use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use support::*;
use symbolon::config::{
    ClientAuth, ClientConfigBuilder as ClientBuilder, Credential, ServerConfigBuilder as ServerBuilder,
};
use symbolon::question::{PeerEvidence, Question};

/// A SignedCertificateTimestampList of one byte.
const SCTS: [u8; 5] = [0, 3, 0, 1, 9];

/// Three certificates, two staples, and timestamps for the leaf.
fn attached() -> Arc<Credential> {
    let key = signing_key(Key::P256);
    let certificate = |bytes: &[u8]| CertificateDer::from(bytes.to_vec());
    let chain = vec![certificate(key.public_key()), certificate(b"issuer"), certificate(b"root")];
    let credential = Credential::new(chain, key).unwrap();
    let credential = credential.with_staples(vec![Some(b"leaf's".to_vec()), None, Some(b"root's".to_vec())]);
    Arc::new(credential.with_scts(SCTS.to_vec()).unwrap())
}

type Attached = (Vec<Option<Vec<u8>>>, Option<Vec<u8>>);

fn nothing() -> Attached {
    (vec![None; 3], None)
}

fn staples() -> Vec<Option<Vec<u8>>> {
    vec![Some(b"leaf's".to_vec()), None, Some(b"root's".to_vec())]
}

/// What came with the certificates of the peer of `party`, which is asked about it.
fn came_with<E: Endpoint>(party: &Party<E>) -> Attached {
    let Some(Question::VerifyPeer(question)) = party.held.first() else { panic!("a question") };
    let PeerEvidence::Fresh(presented) = question.evidence() else { panic!("{question:?}") };
    assert_eq!(presented.chain.len(), 3);
    (presented.staples.clone(), presented.sct.clone())
}

fn servers(change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Attached {
    let mut pair = Pair::new(&client_config(change), &server_config(|b| b.credential(attached())));
    pair.client.hold = vec!["VerifyPeer"];
    pair.run().unwrap();
    let found = came_with(&pair.client);
    pair.client.release().unwrap();
    pair.run().unwrap();
    assert!(pair.server.summary.is_some());
    found
}

fn clients(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Attached {
    let mode = ClientAuth::Required { authorities: Vec::new() };
    let mut pair = Pair::new(&client_config(|b| b), &server_config(|b| change(b.client_auth(mode))));
    pair.client.answers.credential = Some(attached());
    pair.server.hold = vec!["VerifyPeer"];
    pair.run().unwrap();
    let found = came_with(&pair.server);
    pair.server.release().unwrap();
    pair.run().unwrap();
    assert!(pair.server.summary.is_some());
    found
}

#[test]
fn a_server_staples_unless_the_client_does_not_want_it() {
    assert_eq!(servers(|b| b), (staples(), None));
    assert_eq!(servers(|b| b.without_staples()), nothing());
}

#[test]
fn a_server_sends_timestamps_for_its_leaf_to_clients_that_want_them() {
    assert_eq!(servers(|b| b.request_scts()), (staples(), Some(SCTS.to_vec())));
    assert_eq!(servers(|b| b.without_staples().request_scts()), (vec![None; 3], Some(SCTS.to_vec())));
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1
//= type=test
//# Extensions in the Certificate message from the client MUST correspond to extensions in the
//# CertificateRequest message from the server.
#[test]
fn a_client_staples_and_sends_timestamps_where_the_server_wants_them() {
    assert_eq!(clients(|b| b), nothing());
    assert_eq!(clients(|b| b.request_staples()), (staples(), None));
    assert_eq!(clients(|b| b.request_scts()), (vec![None; 3], Some(SCTS.to_vec())));
    assert_eq!(clients(|b| b.request_staples().request_scts()), (staples(), Some(SCTS.to_vec())));
}

#[test]
fn whoever_has_nothing_to_staple_sends_nothing() {
    let mode = ClientAuth::Required { authorities: Vec::new() };
    let server = server_config(|b| b.client_auth(mode).request_staples().request_scts());
    let mut pair = Pair::new(&client_config(|b| b.request_scts()), &server);
    pair.client.answers.credential = Some(credential(Key::P256));
    pair.run().unwrap();
    assert!(pair.client.summary.is_some() && pair.server.summary.is_some());
}
