//! AEAD, hash, HMAC and HKDF of every suite: key, plaintext and input are secret.

use symbolon::codepoint::CipherSuite;
use symbolon::crypto::{Expansion, Nonce, Suite};

use super::Case;
use crate::known::{Known, Why};
use crate::marked::plain;
use crate::valgrind::{is_secret, make_public, make_secret, publish, secret_bytes};

/// A verdict each for a right and a wrong tag.
const VERDICTS: u64 = 2 * LENGTHS.len() as u64;
const LENGTHS: [usize; 8] = [0, 1, 15, 16, 17, 100, 1_000, 16_385];

const GCM: &[Known] = &[
    Known {
        place: "aes-gcm/src/lib.rs",
        functions: &["decrypt_inout_detached"],
        most: VERDICTS,
        why: Why::Verdict("whether the tag matches"),
    },
    HANDED_ON,
];

/// A compiler may ask once more where it did not merge the branches.
const HANDED_ON: Known = Known {
    place: "symbolon/src/crypto/rustcrypto/aead.rs",
    functions: &["open_in_place"],
    most: VERDICTS,
    why: Why::Verdict("whether the tag matches, as it is handed on"),
};

pub const CASES: &[Case] = &[
    Case { name: "AES-128-GCM, seal and open", run: || aead(AES128), known: GCM },
    Case { name: "AES-256-GCM, seal and open", run: || aead(AES256), known: GCM },
    Case {
        name: "ChaCha20-Poly1305, seal and open",
        run: || aead(CHACHA),
        known: &[
            Known {
                place: "chacha20poly1305/src/cipher.rs",
                functions: &["decrypt_inout_detached"],
                most: VERDICTS,
                why: Why::Verdict("whether the tag matches"),
            },
            HANDED_ON,
        ],
    },
    Case { name: "SHA-256, HMAC and HKDF", run: || hash(AES128), known: &[] },
    Case { name: "SHA-384, HMAC and HKDF", run: || hash(AES256), known: &[] },
];

const AES128: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;
const AES256: CipherSuite = CipherSuite::TLS_AES_256_GCM_SHA384;
const CHACHA: CipherSuite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256;

fn suite(id: CipherSuite) -> &'static Suite {
    plain().suite(id).unwrap()
}

fn aead(id: CipherSuite) {
    let aead = suite(id).aead;
    let mut raw = vec![7_u8; aead.key_len()];
    make_secret(&mut raw);
    let key = aead.key(&raw).unwrap();
    let nonce = Nonce([1; 12]);
    for len in LENGTHS {
        let mut body = vec![5_u8; len];
        let mut tag = [0; 16];
        make_secret(&mut body);
        key.seal_in_place(&nonce, b"header", &mut body, &mut tag).unwrap();
        assert!(secret_bytes(&body) == len && is_secret(&tag));
        make_public(&body);
        make_public(&tag);
        let mut sealed = [&body[..], &tag].concat();
        assert_eq!(publish(key.open_in_place(&nonce, b"header", &mut sealed)), Ok(len));
        assert_eq!(secret_bytes(&sealed[..len]), len);
        let mut forged = [&body[..], &[!tag[0]], &tag[1..]].concat();
        assert!(publish(key.open_in_place(&nonce, b"header", &mut forged)).is_err());
    }
}

fn hash(id: CipherSuite) {
    let hash = suite(id).hash;
    for len in [1, 32, 48, 64, 96, 300] {
        let mut secret = vec![9_u8; len];
        make_secret(&mut secret);
        let mut running = hash.start();
        running.update(&secret);
        assert!(is_secret(running.digest().as_ref()));
        assert!(is_secret(hash.hash(&[&secret, b"more"]).as_ref()));
        let mut mac = [0; 48];
        let mac = &mut mac[..hash.output_len()];
        hash.hmac(&secret, &[b"message"], mac).unwrap();
        assert!(is_secret(mac));
        make_public(mac);
        hash.hmac_key(b"public").sign(&[&secret], mac).unwrap();
        assert!(is_secret(mac));
        let mut okm = [0; 100];
        hash.expand(&secret, &mut [Expansion { info: b"label", out: &mut okm }]).unwrap();
        assert!(is_secret(&okm));
    }
}
