//! Whatever a peer sends as its chain, verification ends without a panic and within its budget, and never trusts without a
//! root.
//!
//! Input: a byte of flags, four bytes of time (seconds since 1970, big-endian), then certificates, leaf first. Each
//! begins with a byte: even, and a length of two bytes and that many bytes follow; odd, and it is one of `POOL`, in
//! which three more bytes say what changes: an offset, and what is added to the byte there.

use std::sync::LazyLock;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use symbolon::pki::{Budget, Chain, Expected, Profile, Purpose, Verifier};

use crate::Script;
use crate::believing::{COUNTING, Signatures, begin, checked};

/// Any signature is believed, so that what lies behind a signature check is reached without a private key.
const BELIEVING: u8 = 1;

/// The chain is a client's.
const OF_CLIENT: u8 = 2;

/// The public web's rules are asked for.
const OF_WEB: u8 = 4;

/// More certificates than any budget lets pass.
const MOST: usize = 80;

static PRIVATE: LazyLock<Verifier> = LazyLock::new(|| {
    let roots = crate::vectors!["pki": "root", "rsa-root", "other-root"];
    Verifier::new(COUNTING.clone(), roots).expect("the roots are sound")
});

static WEB: LazyLock<Verifier> = LazyLock::new(|| PRIVATE.clone().profile(Profile::web()));

static POOL: LazyLock<Vec<CertificateDer<'static>>> = LazyLock::new(|| {
    crate::vectors!["pki": "p256", "intermediate", "second", "under-second", "constrained", "under-constrained",
        "root", "self-signed", "rsa2048", "pss", "fake-ca", "under-fake", "old-ca", "under-old", "client-only",
        "policy", "critical", "ed25519", "other-root", "rsa-root"]
    .into()
});

pub fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let flags = script.byte();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(script.u32().into()));
    let sent = chain(&mut script);
    if let Some(chain) = Chain::of(&sent) {
        begin(if flags & BELIEVING == 0 { Signatures::Checked } else { Signatures::Believed });
        verify(flags, now, &chain);
        let checked = checked();
        assert!(checked <= Budget::default().signatures, "{checked} signature checks");
    }
}

fn verify(flags: u8, now: UnixTime, chain: &Chain<'_>) {
    let name = ServerName::try_from("localhost").expect("a name");
    let (purpose, expected) = match flags & OF_CLIENT {
        0 => (Purpose::Server, Expected::Name(name)),
        _ => (Purpose::Client, Expected::Anyone),
    };
    let verifier = if flags & OF_WEB == 0 { &*PRIVATE } else { &*WEB };
    match verifier.verify(chain, purpose, &expected, now) {
        Ok(path) => {
            let [leaf, .., root] = &*path.chain else { panic!("a trusted leaf is not among the roots") };
            assert!(*leaf == *chain.leaf && verifier.roots().contains(root));
        }
        // Texts and alerts are made of what the peer sent.
        Err(error) => drop((error.to_string(), error.alert())),
    }
}

fn chain(script: &mut Script<'_>) -> Vec<CertificateDer<'static>> {
    let mut chain = Vec::new();
    while chain.len() < MOST && !script.is_empty() {
        let kind = script.byte();
        let number = usize::from(script.u16());
        let certificate = if kind.is_multiple_of(2) {
            script.take(number).to_vec()
        } else {
            let mut certificate = POOL[usize::from(kind / 2) % POOL.len()].to_vec();
            let at = number % certificate.len();
            certificate[at] = certificate[at].wrapping_add(script.byte());
            certificate
        };
        chain.push(certificate.into());
    }
    chain
}
