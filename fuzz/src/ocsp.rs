//! Whatever is stapled to a certificate, judging it ends without a panic and within its budget, and nothing out of its time
//! is good.
//!
//! Input: a byte of flags, four bytes of time (seconds since 1970, big-endian), a byte that chooses the leaf, then the
//! response.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use symbolon::pki::{
    Budget, Chain, Expected, OcspResponse, Purpose, Revocation, RevocationPolicy, Verifier, check_staple,
};

use crate::Script;
use crate::believing::{COUNTING, Signatures, begin, checked};

/// Any signature is believed.
const BELIEVING: u8 = 1;

static LEAVES: LazyLock<Vec<CertificateDer<'static>>> = LazyLock::new(|| {
    crate::vectors!["revocation": "good", "revoked", "must-staple", "second", "pointed", "under-feature-ca"]
        .into()
});

static ISSUERS: LazyLock<[CertificateDer<'static>; 2]> =
    LazyLock::new(|| crate::vectors!["revocation": "intermediate", "feature-ca"]);

fn verifier(policy: RevocationPolicy) -> Verifier {
    let roots = crate::vectors!["revocation": "root"];
    let revocation = Revocation::new(policy).expect_staples();
    Verifier::new(COUNTING.clone(), roots).expect("the root is sound").revocation(Arc::new(revocation))
}

static HARD: LazyLock<Verifier> = LazyLock::new(|| verifier(RevocationPolicy::hard_fail()));

static SOFT: LazyLock<Verifier> = LazyLock::new(|| verifier(RevocationPolicy::soft_fail()));

pub fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let flags = script.byte();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(script.u32().into()));
    let leaf = script.pick(&LEAVES);
    let response = script.rest();
    if let Ok(parsed) = OcspResponse::parse(response) {
        let _ = (parsed.window(), parsed.status());
    }
    begin(if flags & BELIEVING == 0 { Signatures::Checked } else { Signatures::Believed });
    match check_staple(response, leaf, &ISSUERS[0], &COUNTING, now) {
        Ok(info) => assert!(info.this_update <= now && now <= info.next_update, "{info:?} at {now:?}"),
        Err(error) => drop((error.to_string(), error.alert())),
    }
    stapled(flags, leaf, response, now);
}

/// The same as part of a chain.
fn stapled(flags: u8, leaf: &CertificateDer<'static>, response: &[u8], now: UnixTime) {
    let sent = [std::slice::from_ref(leaf), &ISSUERS[..]].concat();
    let staples = [Some(response.to_vec()), None, None];
    let Some(chain) = Chain::of(&sent) else { return };
    let chain = chain.with_staples(&staples);
    let [hard, soft] = [&*HARD, &*SOFT].map(|verifier| {
        begin(if flags & BELIEVING == 0 { Signatures::Checked } else { Signatures::Believed });
        let verdict = verifier.verify(&chain, Purpose::Server, &Expected::Anyone, now);
        assert!(checked() <= Budget::default().signatures);
        verdict.map_err(|error| drop((error.to_string(), error.alert())))
    });
    assert!(hard.is_err() || soft.is_ok(), "who needs more does not accept more");
}
