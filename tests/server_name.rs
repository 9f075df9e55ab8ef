//! When a server acknowledges the name that a client asks for (RFC 6066 section 3).
#![cfg(feature = "rustcrypto")]

mod support;

use support::resumption::*;
use support::*;
use symbolon::codepoint::HandshakeType;
use symbolon::conn::{MessageKind, Offer};

/// How many bytes of extensions EncryptedExtensions had.
fn extensions(pair: &Pair) -> usize {
    let kind = MessageKind::Handshake(HandshakeType::ENCRYPTED_EXTENSIONS);
    let message = pair.client.messages.iter().find(|message| message.kind == kind).unwrap();
    // Its header, and the length of the block.
    message.len - 6
}

#[test]
fn a_name_is_acknowledged_unless_a_session_is_resumed() {
    let scene = Scene::new(|b| b.report_messages(), |b| b);
    // An empty extension has four bytes.
    assert_eq!(extensions(&scene.connect(Offer::fresh())), 4);
    let ticket = scene.ticket();
    assert_eq!(extensions(&scene.resume(ticket)), 0);
}
