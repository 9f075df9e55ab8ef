//! X25519, secp256r1 and secp384r1, both sides: the private key is what the replaying `Rng` gives out.

use serde::Deserialize;
use symbolon::codepoint::NamedGroup;
use symbolon::crypto::Provider;

use crate::vectors::{Hex, Replay, Tally, Verdict, load};

#[derive(Deserialize)]
struct Group {
    tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    tc_id: u32,
    flags: Vec<String>,
    public: Hex,
    private: Hex,
    shared: Hex,
    result: Verdict,
}

//= testvectors/requirements/rfc9846.txt#section-7.4.2
//= type=test
//# leading zeros found in this octet string MUST NOT be truncated
pub fn run(provider: &Provider) {
    file(provider, NamedGroup::X25519, 32, "x25519_test", 518);
    file(provider, NamedGroup::SECP256R1, 32, "ecdh_secp256r1_ecpoint_test", 355);
    file(provider, NamedGroup::SECP384R1, 48, "ecdh_secp384r1_ecpoint_test", 790);
}

fn file(provider: &Provider, id: NamedGroup, private_len: usize, name: &str, least: usize) {
    let group = provider.group(id).unwrap();
    let mut tally = Tally::new(name);
    for case in load::<Group>(name).groups.into_iter().flat_map(|group| group.tests) {
        let private = fit(&case.private, private_len);
        let response = group.respond(&Replay::new(&[&private]), &case.public);
        let exchange = group.start(&Replay::new(&[&private])).unwrap();
        let secret = exchange.complete(id, &case.public);

        let wanted = wanted(&case);
        let response = response.map(|response| response.secret.expose() == &case.shared[..]);
        let secret = secret.map(|secret| secret.expose() == &case.shared[..]);
        tally.attempt(format!("{} responding", case.tc_id), wanted, response);
        tally.attempt(format!("{} completing", case.tc_id), wanted, secret);
    }
    tally.finish(2 * least);
}

/// "acceptable" cases of X25519 (points on the twist, non-canonical and small ones) pass as RFC 7748 has it, save
/// those with an all-zero secret, which RFC 9846 section 7.4.2 refuses. Of the curves of NIST only compressed
/// points are "acceptable"; RFC 9846 section 4.3.8.2 knows none.
fn wanted(case: &Case) -> bool {
    let refused = ["ZeroSharedSecret", "CompressedPoint"];
    match case.result {
        Verdict::Valid => true,
        Verdict::Acceptable => !case.flags.iter().any(|flag| refused.contains(&flag.as_str())),
        Verdict::Invalid => false,
    }
}

/// Private keys of the curves of NIST are signed integers in these files: sign bytes go, short ones are padded.
fn fit(private: &[u8], len: usize) -> Vec<u8> {
    let digits = &private[private.len().saturating_sub(len)..];
    [&vec![0; len - digits.len()], digits].concat()
}
