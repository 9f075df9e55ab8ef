//! Whatever a CRL holds, reading it and asking it end without a panic and within the budget.
//!
//! Input: a byte of flags, four bytes of time (seconds since 1970, big-endian), then a CRL in DER, or some in PEM.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use symbolon::pki::{Budget, Chain, Crl, Expected, Purpose, Revocation, RevocationPolicy, Verifier};

use crate::Script;
use crate::believing::{COUNTING, Signatures, begin, checked};

/// Any signature is believed.
const BELIEVING: u8 = 1;

static CHAINS: LazyLock<Vec<Vec<CertificateDer<'static>>>> = LazyLock::new(|| {
    let [good, revoked, pointed, under, intermediate, other] = crate::vectors!["revocation": "good", "revoked",
        "pointed", "under-no-key-usage", "intermediate", "no-key-usage"];
    vec![
        vec![good, intermediate.clone()],
        vec![revoked, intermediate.clone()],
        vec![pointed, intermediate],
        vec![under, other],
    ]
});

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let roots = crate::vectors!["revocation": "root"];
    Verifier::new(COUNTING.clone(), roots).expect("the root is sound")
});

pub fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let flags = script.byte();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(script.u32().into()));
    let crls = match Crl::from_pem_or_der(script.rest()) {
        Ok(crls) => crls,
        Err(error) => return drop(error.to_string()),
    };
    for crl in &crls {
        drop((crl.issuer(), crl.number(), crl.this_update(), crl.next_update()));
        let _ = (crl.is_empty(), crl.len());
    }
    let hard = Revocation::new(RevocationPolicy::hard_fail()).crls(crls.clone());
    let soft = Revocation::new(RevocationPolicy::soft_fail()).crls(crls.clone());
    let [hard, soft] = [hard, soft].map(|revocation| VERIFIER.clone().revocation(Arc::new(revocation)));
    for sent in &*CHAINS {
        let Some(chain) = Chain::of(sent) else { continue };
        let [hard, soft] = [&hard, &soft].map(|verifier| {
            begin(if flags & BELIEVING == 0 { Signatures::Checked } else { Signatures::Believed });
            let verdict = verifier.verify(&chain, Purpose::Server, &Expected::Anyone, now);
            assert!(checked() <= Budget::default().signatures);
            verdict.map_err(|error| drop((error.to_string(), error.alert())))
        });
        assert!(hard.is_err() || soft.is_ok(), "who needs more does not accept more");
    }
}
