//! Pre-shared keys: what they go without, and how long early data's key lasts (RFC 9846 sections 4.4.2 and 5.5).

use std::sync::Arc;

use crate::support::flow::record_pair;
use crate::support::forge::*;
use crate::support::resumption::*;
use crate::support::*;
use symbolon::codepoint::NamedGroup;
use symbolon::config::{ClientAuth, ClientConfig};
use symbolon::conn::{Offer, Resumed};
use symbolon::crypto::{Aead, AeadKey, Failed, Provider, Suite};
use symbolon::psk::{ExternalPsk, PskHash};

//= testvectors/requirements/rfc9846.txt#section-4.4.2
//= type=test
//# servers which are authenticating with an external PSK MUST NOT send the CertificateRequest message
//# in the main handshake or request post-handshake authentication
//= testvectors/requirements/rfc9846.txt#appendix-F.1
//= type=test
//# implementations MUST NOT combine external PSKs with certificate-based authentication of either the
//# client or server
#[test]
fn a_server_with_an_external_key_asks_for_no_certificate_and_shows_none() {
    let key = Arc::new(ExternalPsk::new(b"sensor 17", &[0x5A; 32], PskHash::Sha256).unwrap());
    let optional = ClientAuth::Optional { authorities: Vec::new() };
    let scene = Scene::of(AES128).serve(|b| b.suites(&[AES128]).client_auth(optional));
    scene.memory.edit().external = vec![key.clone()];
    let mut client = Puppet::new(scene.client(Offer::fresh().with_psks([key])), Role::Client);
    let mut server = Puppet::new(scene.server(), Role::Server);
    let recorded = record_pair(&mut client, &mut server);
    assert_eq!(server.party.summary.unwrap().resumed, Ok(Resumed::ExternalPsk));
    let kinds: Vec<u8> = recorded.server.iter().map(|message| message[0]).collect();
    assert_eq!(kinds[..3], [SERVER_HELLO, ENCRYPTED_EXTENSIONS, FINISHED]);
    assert!(kinds[3..].iter().all(|kind| *kind == TICKET));
    assert_eq!(recorded.client.last().unwrap()[0], FINISHED);
    assert_eq!(recorded.client.len(), 2);
}

/// A real AEAD whose keys seal five records.
struct Tiring(&'static dyn Aead);

impl Aead for Tiring {
    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        self.0.key(key)
    }

    fn record_limit(&self) -> u64 {
        5
    }

    fn accelerated(&self) -> bool {
        self.0.accelerated()
    }
}

fn tiring() -> Provider {
    let aead: &'static dyn Aead = Box::leak(Box::new(Tiring(suite().aead)));
    let tired: &'static Suite = Box::leak(Box::new(Suite { id: suite().id, hash: suite().hash, aead }));
    Provider { suites: Box::leak(Box::new([tired])), ..provider() }
}

//= testvectors/requirements/rfc9846.txt#section-5.5
//= type=test
//# implementations MUST NOT exceed the limits when sending early data
#[test]
fn early_data_stops_before_the_limit_of_its_key() {
    let scene = Scene::early(AES128);
    let ticket = scene.ticket();
    let client =
        ClientConfig::builder(tiring()).groups(&[NamedGroup::X25519]).reveal_secrets().build().unwrap();
    let scene = Scene { client, ..scene };
    let mut pair = scene.pair(Offer::resume(ticket, NOW).with_early_data());
    let mut writer = pair.client.conn.early_writer().unwrap();
    let written: Vec<usize> =
        (0..6).map(|_| writer.write(&[b"early"], &mut pair.client.out).unwrap()).collect();
    // Of the five records two are kept for EndOfEarlyData and an alert.
    assert_eq!(written, [5, 5, 5, 0, 0, 0]);
    pair.run().unwrap();
    assert_eq!(pair.server.early, b"earlyearlyearly");
    assert!(pair.client.summary.is_some());
}
