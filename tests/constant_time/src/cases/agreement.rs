//! Key exchange in every group: whatever is drawn is secret, shares are public.

use symbolon::codepoint::NamedGroup;
use symbolon::crypto::{Exchange, Group};

use super::Case;
use crate::known::{Known, Why};
use crate::marked::{SecretRng, plain};
use crate::valgrind::{is_secret, make_public, unreported};

/// RFC 9846 section 7.4.2: the all-zero secret ends the handshake. One verdict a side.
const ZERO: Known = Known {
    place: "symbolon/src/crypto/rustcrypto/ec.rs",
    functions: &["agree"],
    most: 2,
    why: Why::Verdict("whether the shared secret is zero, which ends the handshake"),
};

const NIST: &[Known] = &[
    Known {
        place: "elliptic-curve/src/secret_key.rs",
        functions: &["from_bytes"],
        most: 4,
        why: Why::Verdict("whether what was drawn is a scalar; if not, it is thrown away"),
    },
    Known {
        place: "sec1/src/point.rs",
        functions: &["from_u8", "message_len"],
        most: 4,
        why: Why::Public("the first byte of the public key's encoding"),
    },
];

/// FIPS 203 section 5.1: rho is derived from d, and the encapsulation key ends with it. Whoever encapsulates has rho from
/// the wire, and samples the same matrix without a report.
const MATRIX: Known = Known {
    place: "ml-kem/src/algebra.rs",
    functions: &["rej_uniform"],
    most: u64::MAX,
    why: Why::Public("the matrix A, which is sampled from rho; rho is sent"),
};

pub const CASES: &[Case] = &[
    Case { name: "X25519, both sides", run: || both_sides(NamedGroup::X25519), known: &[ZERO] },
    Case { name: "secp256r1, both sides", run: || both_sides(NamedGroup::SECP256R1), known: NIST },
    Case { name: "secp384r1, both sides", run: || both_sides(NamedGroup::SECP384R1), known: NIST },
    Case {
        name: "X25519MLKEM768, the client's key",
        run: || {
            start(HYBRID);
        },
        known: &[MATRIX],
    },
    Case { name: "X25519MLKEM768, encapsulation", run: encapsulate, known: &[ZERO] },
    Case { name: "X25519MLKEM768, decapsulation", run: decapsulate, known: &[ZERO, MATRIX] },
    Case {
        name: "X25519MLKEM768, a ciphertext that is refused implicitly",
        run: refuse,
        known: &[ZERO, MATRIX],
    },
];

const HYBRID: NamedGroup = NamedGroup::X25519MLKEM768;
const CIPHERTEXT_LEN: usize = 1088;

fn group(id: NamedGroup) -> &'static dyn Group {
    plain().group(id).unwrap()
}

fn start(id: NamedGroup) -> (Box<dyn Exchange>, Vec<u8>) {
    let exchange = group(id).start(&SecretRng).unwrap();
    let (_, share) = exchange.shares()[0].unwrap();
    let share = share.to_vec();
    assert!(is_secret(&share[share.len() - 32..]));
    make_public(&share);
    (exchange, share)
}

fn both_sides(id: NamedGroup) {
    let (client, share) = start(id);
    let server = group(id).respond(&SecretRng, &share).unwrap();
    make_public(&server.share);
    let secret = client.complete(id, &server.share).unwrap();
    for secret in [&secret, &server.secret] {
        assert!(is_secret(secret.expose()));
        make_public(secret.expose());
    }
    assert_eq!(secret.expose(), server.secret.expose());
}

fn encapsulate() {
    let (_, share) = unreported(|| start(HYBRID));
    let server = group(HYBRID).respond(&SecretRng, &share).unwrap();
    assert!(is_secret(server.secret.expose()));
}

fn decapsulate() {
    let (client, share) = unreported(|| start(HYBRID));
    let server = unreported(|| group(HYBRID).respond(&SecretRng, &share).unwrap());
    make_public(&server.share);
    let secret = client.complete(HYBRID, &server.share).unwrap();
    assert!(is_secret(secret.expose()));
    make_public(secret.expose());
    make_public(server.secret.expose());
    assert_eq!(secret.expose(), server.secret.expose());
}

/// FIPS 203 section 6.3: a wrong ciphertext gives another secret, and nobody may see that it did.
fn refuse() {
    let (client, share) = unreported(|| start(HYBRID));
    let server = unreported(|| group(HYBRID).respond(&SecretRng, &share).unwrap());
    make_public(&server.share);
    let mut wrong = server.share;
    wrong[CIPHERTEXT_LEN / 2] ^= 1;
    let secret = client.complete(HYBRID, &wrong).unwrap();
    assert!(is_secret(secret.expose()));
    make_public(secret.expose());
    make_public(server.secret.expose());
    assert_ne!(secret.expose(), server.secret.expose());
}
