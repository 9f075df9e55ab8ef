//! Exporters (RFC 9846 section 7.5) and the channel binding made of one (RFC 9266).
#![cfg(feature = "rustcrypto")]

mod support;

use support::*;
use symbolon::codepoint::CipherSuite;
use symbolon::{Error, Misuse};

const LEN: usize = 40;

fn export(party: &Party<symbolon::conn::Client>, label: &[u8], context: &[u8]) -> Vec<u8> {
    let mut out = vec![0; LEN];
    party.conn.exporter(label, context, &mut out).unwrap();
    out
}

#[test]
fn both_sides_export_the_same() {
    for suite in [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_AES_256_GCM_SHA384] {
        let mut pair = Pair::new(&client_config(|b| b.suites(&[suite])), &server_config(|b| b));
        pair.run().unwrap();
        let mut servers = vec![0; LEN];
        pair.server.conn.exporter(b"label", b"context", &mut servers).unwrap();
        assert_eq!(export(&pair.client, b"label", b"context"), servers);
        assert_ne!(servers, [0; LEN]);
    }
}

#[test]
fn label_context_and_length_all_matter() {
    let pair = Pair::established();
    let mut all = vec![
        export(&pair.client, b"label", b"context"),
        export(&pair.client, b"label", b"contexu"),
        export(&pair.client, b"labem", b"context"),
        export(&pair.client, b"label", b""),
        export(&pair.client, b"labelc", b"ontext"),
    ];
    let mut longer = vec![0; LEN + 1];
    pair.client.conn.exporter(b"label", b"context", &mut longer).unwrap();
    longer.pop();
    all.push(longer);
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn two_connections_export_different_values() {
    let (one, other) = (Pair::established(), Pair::established());
    assert_ne!(export(&one.client, b"label", b""), export(&other.client, b"label", b""));
}

#[test]
fn too_long_labels_and_outputs_are_refused_and_harm_nothing() {
    let pair = Pair::established();
    let refused = Err(Error::Misuse(Misuse::ExporterLength));
    let longest = pair.client.summary.as_ref().unwrap().suite;
    let hash_len = if longest == CipherSuite::TLS_AES_256_GCM_SHA384 { 48 } else { 32 };
    let export = |label: &[u8], len: usize| pair.client.conn.exporter(label, b"", &mut vec![0; len]);
    assert_eq!(export(&[b'x'; 249], 32), Ok(()));
    assert_eq!(export(&[b'x'; 250], 32), refused);
    assert_eq!(export(&[b'x'; 70_000], 32), refused);
    assert_eq!(export(b"x", 255 * hash_len), Ok(()));
    assert_eq!(export(b"x", 255 * hash_len + 1), refused);
    assert_eq!(export(b"x", 70_000), refused);
    assert_eq!(export(b"x", 32), Ok(()));
}

#[test]
fn the_context_may_have_any_length() {
    let pair = Pair::established();
    assert_ne!(export(&pair.client, b"x", &[1; 100_000]), export(&pair.client, b"x", &[1; 100_001]));
}

#[test]
fn nothing_is_exported_before_the_handshake_is_complete() {
    let mut pair = Pair::standard();
    let early = Err(Error::Misuse(Misuse::NotEstablished));
    assert_eq!(pair.client.conn.exporter(b"x", b"", &mut [0; 32]), early);
    pair.server.inbox = pair.client.flush();
    pair.server.run().unwrap();
    // RFC 9846 section 7.5 lets servers export earlier; this one does not, so that the client is known to be there.
    assert_eq!(pair.server.conn.exporter(b"x", b"", &mut [0; 32]), early);
    assert!(matches!(pair.server.conn.channel_binding(), Err(Error::Misuse(Misuse::NotEstablished))));
    pair.run().unwrap();
    assert_eq!(pair.server.conn.exporter(b"x", b"", &mut [0; 32]), Ok(()));
}

#[test]
fn the_channel_binding_is_an_exporter() {
    let pair = Pair::established();
    let mut expected = [0; 32];
    pair.server.conn.exporter(b"EXPORTER-Channel-Binding", b"", &mut expected).unwrap();
    assert_eq!(pair.client.conn.channel_binding(), Ok(expected));
}

#[test]
fn a_failed_connection_exports_nothing() {
    let mut pair = Pair::established();
    pair.client.inbox = vec![23, 3, 3, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let error = pair.client.run().unwrap_err();
    assert_eq!(pair.client.conn.exporter(b"x", b"", &mut [0; 32]), Err(error));
}
