//! Whatever a peer sends as its chain, verification ends without a panic and within its budget.
//!
//! Input: a byte of flags, four bytes of time (seconds since 1970, big-endian), then certificates, leaf first. Each
//! begins with a byte: even, and a length of two bytes and that many bytes follow; odd, and it is one of `POOL`, in
//! which three more bytes say what changes: an offset, and what is added to the byte there.
#![no_main]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use symbolon::crypto::rustcrypto::provider;
use symbolon::crypto::{self, Failed, Provider, SignatureAlgorithm};
use symbolon::pki::{Budget, Chain, Expected, Profile, Purpose, Verifier};

macro_rules! certificates {
    ($($name:literal),*) => {
        [$(include_bytes!(concat!("../../testvectors/pki/", $name, ".pem")).as_slice()),*]
    };
}

/// Any signature is believed, so that what lies behind a signature check is reached without a private key.
const BELIEVING: u8 = 1;

/// The chain is a client's.
const OF_CLIENT: u8 = 2;

/// The public web's rules are asked for.
const OF_WEB: u8 = 4;

/// More certificates than any budget lets pass.
const MOST: usize = 80;

static PRIVATE: LazyLock<Verifier> = LazyLock::new(|| {
    let roots = certificates!["root", "rsa-root", "other-root"];
    Verifier::new(counting(), roots.iter().map(|pem| der(pem))).unwrap()
});

static WEB: LazyLock<Verifier> = LazyLock::new(|| PRIVATE.clone().profile(Profile::web()));

static POOL: LazyLock<Vec<CertificateDer<'static>>> = LazyLock::new(|| {
    let pool = certificates![
        "p256",
        "intermediate",
        "second",
        "under-second",
        "constrained",
        "under-constrained",
        "root",
        "self-signed",
        "rsa2048",
        "pss",
        "fake-ca",
        "under-fake",
        "old-ca",
        "under-old",
        "client-only",
        "policy",
        "critical",
        "ed25519",
        "other-root",
        "rsa-root"
    ];
    pool.iter().map(|pem| der(pem)).collect()
});

fn der(pem: &[u8]) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem).unwrap()
}

fuzz_target!(|input: &[u8]| {
    if let Some((flags, now, sent)) = parse(input)
        && let Some(chain) = Chain::of(&sent)
    {
        CHECKED.store(0, Ordering::Relaxed);
        BELIEVE.store(flags & BELIEVING != 0, Ordering::Relaxed);
        verify(flags, now, &chain);
        let checked = CHECKED.load(Ordering::Relaxed);
        assert!(checked <= Budget::default().signatures, "{checked} signature checks");
    }
});

fn verify(flags: u8, now: UnixTime, chain: &Chain<'_>) {
    let name = ServerName::try_from("localhost").unwrap();
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

fn parse(input: &[u8]) -> Option<(u8, UnixTime, Vec<CertificateDer<'static>>)> {
    let (&flags, input) = input.split_first()?;
    let (time, mut input) = input.split_first_chunk()?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(u32::from_be_bytes(*time).into()));
    let mut chain = Vec::new();
    while chain.len() < MOST
        && let Some((&kind, rest)) = input.split_first()
        && let Some((number, rest)) = rest.split_first_chunk()
    {
        let number = usize::from(u16::from_be_bytes(*number));
        let mut certificate;
        if kind.is_multiple_of(2) {
            let (bytes, rest) = rest.split_at(number.min(rest.len()));
            (certificate, input) = (bytes.to_vec(), rest);
        } else {
            certificate = POOL[usize::from(kind / 2) % POOL.len()].to_vec();
            let (&change, rest) = rest.split_first()?;
            let at = number % certificate.len();
            certificate[at] = certificate[at].wrapping_add(change);
            input = rest;
        }
        chain.push(certificate.into());
    }
    Some((flags, now, chain))
}

/// Signature checks of this verification.
static CHECKED: AtomicUsize = AtomicUsize::new(0);

static BELIEVE: AtomicBool = AtomicBool::new(false);

/// The provider, with checks that are counted.
fn counting() -> Provider {
    let provider = provider();
    let count = |inner: &&'static dyn crypto::Verifier| -> &'static dyn crypto::Verifier {
        Box::leak(Box::new(Counting(*inner)))
    };
    let counted: Vec<_> = provider.verifiers.iter().map(count).collect();
    Provider { verifiers: counted.leak(), ..provider }
}

struct Counting(&'static dyn crypto::Verifier);

impl crypto::Verifier for Counting {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }

    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Failed> {
        CHECKED.fetch_add(1, Ordering::Relaxed);
        if BELIEVE.load(Ordering::Relaxed) { Ok(()) } else { self.0.verify(spki, message, signature) }
    }
}
