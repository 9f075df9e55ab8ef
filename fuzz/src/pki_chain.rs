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

/// The last certificate is no part of the chain, but the only root.
const OWN_ROOT: u8 = 8;

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

/// Who is expected: the flags' upper four bits choose.
static EXPECTED: LazyLock<Vec<Expected>> = LazyLock::new(|| {
    let name = |name: &'static str| Expected::Name(ServerName::try_from(name).expect("a name"));
    let all = vec![
        name("localhost"),
        name("example.com"),
        name("192.0.2.1"),
        Expected::Spiffe("spiffe://example.org/workload".parse().expect("an identity")),
        Expected::TrustDomain("example.org".parse().expect("a domain")),
        Expected::Uri("https://example.com/".into()),
        Expected::Email("somebody@example.com".into()),
        Expected::Anyone,
    ];
    [&*all, &[Expected::AnyOf(all[..7].to_vec())]].concat()
});

pub fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let flags = script.byte();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(script.u32().into()));
    let mut sent = chain(&mut script);
    let profile = if flags & OF_WEB == 0 { Profile::default() } else { Profile::web() };
    let verifier = match sent.pop_if(|_| flags & OWN_ROOT != 0) {
        Some(root) => match Verifier::new(COUNTING.clone(), [root]) {
            Ok(verifier) => &verifier.profile(profile),
            Err(error) => return drop(error.to_string()),
        },
        None if flags & OF_WEB == 0 => &*PRIVATE,
        None => &*WEB,
    };
    if let Some(chain) = Chain::of(&sent) {
        begin(if flags & BELIEVING == 0 { Signatures::Checked } else { Signatures::Believed });
        verify(verifier, flags, now, &chain);
        let checked = checked();
        assert!(checked <= Budget::default().signatures, "{checked} signature checks");
    }
}

fn verify(verifier: &Verifier, flags: u8, now: UnixTime, chain: &Chain<'_>) {
    let purpose = if flags & OF_CLIENT == 0 { Purpose::Server } else { Purpose::Client };
    let expected = &EXPECTED[usize::from(flags >> 4) % EXPECTED.len()];
    match verifier.verify(chain, purpose, expected, now) {
        Ok(path) => {
            // A leaf that is a root is a path of its own.
            let (Some(leaf), Some(root)) = (path.chain.first(), path.chain.last()) else {
                panic!("a path of nothing");
            };
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
