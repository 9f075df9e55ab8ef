//! Hashes and AEADs. Whether they compute the right thing is Wycheproof's to say.

use symbolon::codepoint::CipherSuite;
use symbolon::crypto::{AeadKey, Expansion, Failed, Nonce, Provider, TAG_LEN};

const NONCE: Nonce = Nonce([7; 12]);
const AAD: &[u8] = b"additional";

pub fn a_sealed_body_opens_again(provider: &Provider) {
    for key in keys(provider) {
        let mut buffer = sealed(&*key, b"attack at dawn");
        assert_ne!(&buffer[..14], b"attack at dawn");
        assert_eq!(key.open_in_place(&NONCE, AAD, &mut buffer), Ok(14));
        assert_eq!(&buffer[..14], b"attack at dawn");
        assert_eq!(key.open_in_place(&NONCE, AAD, &mut sealed(&*key, b"")), Ok(0));
    }
}

pub fn a_changed_byte_anywhere_is_refused(provider: &Provider) {
    for key in keys(provider) {
        let whole = sealed(&*key, b"attack");
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(key.open_in_place(&NONCE, AAD, &mut changed), Err(Failed::Input), "byte {at}");
        }
        assert_eq!(key.open_in_place(&NONCE, b"other", &mut whole.clone()), Err(Failed::Input));
        assert_eq!(key.open_in_place(&Nonce([8; 12]), AAD, &mut whole.clone()), Err(Failed::Input));
    }
}

pub fn a_missing_tag_is_refused(provider: &Provider) {
    for key in keys(provider) {
        assert_eq!(key.open_in_place(&NONCE, AAD, &mut [0; TAG_LEN - 1]), Err(Failed::Input));
    }
}

pub fn a_key_of_another_length_is_refused(provider: &Provider) {
    for suite in provider.suites {
        let len = suite.aead.key_len();
        assert!(len <= 32);
        for wrong in [0, len - 1, len + 1] {
            assert_eq!(suite.aead.key(&vec![1; wrong]).err(), Some(Failed::Provider));
        }
    }
}

pub fn parts_seal_like_their_concatenation(provider: &Provider) {
    for key in keys(provider) {
        let mut out = vec![0; 14 + TAG_LEN];
        key.seal_parts(&NONCE, AAD, &[b"attack", b"", b" at dawn"], &mut out).unwrap();
        assert_eq!(out, sealed(&*key, b"attack at dawn"));
    }
}

pub fn parts_of_another_length_are_refused(provider: &Provider) {
    for key in keys(provider) {
        for len in [0, TAG_LEN, 6 + TAG_LEN - 1, 6 + TAG_LEN + 1] {
            let sealed = key.seal_parts(&NONCE, AAD, &[b"attack"], &mut vec![0; len]);
            assert_eq!(sealed, Err(Failed::Provider), "{len}");
        }
    }
}

pub fn record_limits_are_those_of_the_standard(provider: &Provider) {
    for suite in provider.suites {
        let limit = match suite.id {
            CipherSuite::TLS_CHACHA20_POLY1305_SHA256 => u64::MAX,
            _ => 23_726_566,
        };
        assert_eq!(suite.aead.record_limit(), limit);
    }
}

pub fn hashing_forks_and_goes_on(provider: &Provider) {
    for suite in provider.suites {
        let mut context = suite.hash.start();
        assert_eq!(context.digest(), suite.hash.hash(&[]));
        context.update(b"ab");
        assert_eq!(context.digest_with(b"x"), suite.hash.hash(&[b"abx"]));
        context.update(b"c");
        assert_eq!(context.digest(), suite.hash.hash(&[b"a", b"bc"]));
        assert_eq!(context.digest().as_ref().len(), suite.hash.output_len());
    }
}

pub fn hmac_agrees_with_its_prepared_key(provider: &Provider) {
    for suite in provider.suites {
        let key = suite.hash.hmac_key(b"key");
        let (mut once, mut prepared) = ([0; 64], [0; 64]);
        suite.hash.hmac(b"key", &[b"some", b"thing"], &mut once).unwrap();
        key.sign(&[b"something else"], &mut prepared).unwrap();
        assert_ne!(once, prepared);
        key.sign(&[b"something"], &mut prepared).unwrap();
        assert_eq!(once, prepared);
        assert_eq!(once[suite.hash.output_len()..], [0; 64][suite.hash.output_len()..]);
    }
}

pub fn expansion_is_bounded(provider: &Provider) {
    for suite in provider.suites {
        let most = 255 * suite.hash.output_len();
        let expand = |len: usize| {
            let mut out = vec![0; len];
            let mut first = [0; 5];
            let mut batch =
                [Expansion { info: b"i", out: &mut first }, Expansion { info: b"i", out: &mut out }];
            suite.hash.expand(b"prk", &mut batch).map(|()| (first, out))
        };
        let (first, out) = expand(most).unwrap();
        assert_eq!(first, out[..5]);
        assert_eq!(expand(most + 1).err(), Some(Failed::Provider));
    }
}

pub fn short_outputs_are_refused(provider: &Provider) {
    for suite in provider.suites {
        let mut short = vec![0; suite.hash.output_len() - 1];
        assert_eq!(suite.hash.hmac(b"key", &[], &mut short), Err(Failed::Provider));
        assert_eq!(suite.hash.hmac_key(b"key").sign(&[], &mut short), Err(Failed::Provider));
    }
}

fn keys(provider: &Provider) -> Vec<Box<dyn AeadKey>> {
    let aeads = provider.suites.iter().map(|suite| suite.aead);
    aeads.map(|aead| aead.key(&vec![3; aead.key_len()]).unwrap()).collect()
}

fn sealed(key: &dyn AeadKey, body: &[u8]) -> Vec<u8> {
    let mut buffer = body.to_vec();
    let mut tag = [0; TAG_LEN];
    key.seal_in_place(&NONCE, AAD, &mut buffer, &mut tag).unwrap();
    buffer.extend(tag);
    buffer
}
