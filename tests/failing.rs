//! A crypto provider that stops working: the connection ends, and nothing is sealed under uncertain keys.
#![cfg(feature = "rustcrypto")]

mod support;

use std::cell::Cell;

use support::*;
use symbolon::conn::{Ask, SendBuf};
use symbolon::crypto::{Aead, AeadKey, Failed, Nonce, Suite, TAG_LEN};
use symbolon::{Error, Misuse};

thread_local! {
    /// How many more records may be sealed on this thread, and keys be made.
    static LEFT: Cell<(usize, usize)> = const { Cell::new((usize::MAX, usize::MAX)) };
}

struct Failing(&'static dyn Aead);

struct FailingKey(Box<dyn AeadKey>);

impl Aead for Failing {
    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, Failed> {
        let (seals, keys) = LEFT.get();
        LEFT.set((seals, keys.checked_sub(1).ok_or(Failed::Provider)?));
        Ok(Box::new(FailingKey(self.0.key(key)?)))
    }

    fn record_limit(&self) -> u64 {
        self.0.record_limit()
    }

    fn accelerated(&self) -> bool {
        true
    }
}

impl AeadKey for FailingKey {
    fn seal_in_place(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        body: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), Failed> {
        let (seals, keys) = LEFT.get();
        LEFT.set((seals.checked_sub(1).ok_or(Failed::Provider)?, keys));
        self.0.seal_in_place(nonce, aad, body, tag)
    }

    fn open_in_place(&self, nonce: &Nonce, aad: &[u8], body_and_tag: &mut [u8]) -> Result<usize, Failed> {
        self.0.open_in_place(nonce, aad, body_and_tag)
    }
}

/// An established pair whose client can be made to fail.
fn pair() -> Pair {
    LEFT.set((usize::MAX, usize::MAX));
    let whole = provider().suites[0];
    let aead: &'static Failing = Box::leak(Box::new(Failing(whole.aead)));
    let suite: &'static Suite = Box::leak(Box::new(Suite { id: whole.id, hash: whole.hash, aead }));
    let provider = symbolon::crypto::Provider { suites: Box::leak(Box::new([suite])), ..provider() };
    let config = symbolon::config::ClientConfig::builder(provider).build().unwrap();
    let mut pair = Pair::new(&config, &server_config(|b| b));
    pair.run().unwrap();
    pair
}

const DEAD: Error = Error::Provider(Failed::Provider);

//= testvectors/requirements/rfc9846.txt#section-6.2
//= type=test
//# it SHOULD send an appropriate fatal alert and MUST close the connection without sending or receiving any
//# additional data
#[test]
fn a_connection_whose_provider_fails_is_dead_ever_after() {
    // Sealing fails; then the keys behind a KeyUpdate that was sealed already.
    for left in [(0, usize::MAX), (1, 0)] {
        let mut pair = pair();
        let (conn, out) = (&mut pair.client.conn, &mut pair.client.out);
        LEFT.set(left);
        assert_eq!(conn.update_keys(Ask::Nobody, out).unwrap_err(), DEAD, "{left:?}");
        LEFT.set((usize::MAX, usize::MAX));
        out.advance(usize::MAX);
        assert_eq!(conn.write(&[b"more"], out), Err(DEAD), "{left:?}");
        assert_eq!(conn.seal_frame(&mut [0; 64], 10, out), Err(DEAD));
        assert_eq!(conn.update_keys(Ask::Nobody, out), Err(DEAD));
        assert_eq!(conn.process(&mut [], out).unwrap_err(), DEAD);
        assert_eq!(conn.exporter(b"x", b"", &mut [0; 32]), Err(DEAD));
        conn.close(out);
        assert!(out.is_empty());
    }
    let mut pair = pair();
    LEFT.set((0, usize::MAX));
    pair.client.conn.close(&mut pair.client.out);
    assert_eq!(pair.client.conn.process(&mut [], &mut pair.client.out).unwrap_err(), DEAD);
}

#[test]
fn a_half_whose_provider_fails_sends_nothing_more() {
    let (_, mut send) = pair().client.conn.split().unwrap();
    let mut out = SendBuf::with_limit(LIMIT);
    LEFT.set((1, 0));
    assert_eq!(send.update_keys(Ask::Nobody, &mut out), Err(DEAD));
    LEFT.set((usize::MAX, usize::MAX));
    out.advance(usize::MAX);
    assert_eq!(send.write(&[b"more"], &mut out), Err(Misuse::WriteClosed.into()));
    assert_eq!(send.exporter(b"x", b"", &mut [0; 32]), Err(Misuse::WriteClosed.into()));
    assert!(out.is_empty());
}
