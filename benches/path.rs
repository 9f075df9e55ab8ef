//! Verifying a chain, beside its bare signature checks (budget: 1.05 times these) and beside rustls-webpki.
//!
//! Leaf and intermediate are sent, the root is trusted, all keys are ECDSA P-256: two signatures are checked, each time
//! by the same provider, also on behalf of rustls-webpki.

#[path = "../tests/support/issue.rs"]
mod issue;
mod support;

use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use issue::{Authority, now};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName, SignatureVerificationAlgorithm,
    TrustAnchor, alg_id,
};
use support::*;
use symbolon::crypto::{self, SignatureAlgorithm};
use symbolon::pki::{self, Expected, Purpose, Verifier};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// The most that a verification may cost, in floors.
const ALLOWED: f64 = 1.05;

/// How many verifications are measured together.
const BATCH: usize = 8;

/// Roots in the store: one of our own, and about as many as systems have.
const ROOTS: [usize; 2] = [1, 140];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let chain = Chain::new();
    for roots in ROOTS {
        let (ours, theirs) = (Ours::new(&chain, roots), Webpki::new(&chain, roots));
        let mut group = criterion.benchmark_group(format!("path/{roots} roots"));
        group.bench_function("signatures alone", |b| b.iter(|| chain.check_signatures()));
        group.bench_function("symbolon", |b| b.iter(|| ours.verify()));
        group.bench_function("rustls-webpki", |b| b.iter(|| theirs.verify()));
        group.finish();
    }
    criterion.final_summary();
    println!("a chain of leaf and intermediate, ECDSA P-256, in floors (budget {ALLOWED:.2}):");
    for roots in ROOTS {
        let ours = Ours::new(&chain, roots);
        let compared = against_floor(&chain, || ours.verify());
        let verdict = verdict_of_times(compared.second_by_first <= ALLOWED);
        report("symbolon", roots, &compared, verdict);
        let theirs = Webpki::new(&chain, roots);
        report("rustls-webpki", roots, &against_floor(&chain, || theirs.verify()), "");
    }
}

fn against_floor(chain: &Chain, verify: impl Fn()) -> Compared {
    let batch = |work: &dyn Fn()| time(|| (0..BATCH).for_each(|_| work()));
    let floor = || chain.check_signatures();
    batch(&floor);
    batch(&verify);
    interleave(rounds(400), || batch(&floor), || batch(&verify))
}

fn report(name: &str, roots: usize, compared: &Compared, verdict: &str) {
    let each = |batch: Duration| batch.as_secs_f64() * 1e6 / BATCH as f64;
    let (ours, floor) = (each(compared.second), each(compared.first));
    let ratio = compared.second_by_first;
    println!("{name:14} {roots:3} roots {ratio:6.3}  {verdict:6}  ({ours:6.1} us, floor {floor:6.1} us)");
}

/// The certificates, and what their signatures are made of.
struct Chain {
    leaf: CertificateDer<'static>,
    intermediates: [CertificateDer<'static>; 1],
    root: CertificateDer<'static>,
    signed: [Signed; 2],
    check: &'static dyn crypto::Verifier,
}

impl Chain {
    fn new() -> Self {
        let root = Authority::root("Root");
        let intermediate = root.intermediate("Intermediate", |_| {});
        let leaf = intermediate.leaf(&[SERVER.to_owned(), "www.example.test".to_owned()]);
        let signed = [
            Signed::new(&leaf, &intermediate.certificate),
            Signed::new(&intermediate.certificate, &root.certificate),
        ];
        let intermediates = [intermediate.certificate];
        Self { leaf, intermediates, root: root.certificate, signed, check: ecdsa() }
    }

    /// The floor.
    fn check_signatures(&self) {
        for Signed { issuer_key, message, signature } in &self.signed {
            black_box(self.check.verify(issuer_key, message, signature)).unwrap();
        }
    }

    /// Its own root among as many as `count` says, which come before it.
    fn roots(&self, count: usize) -> Vec<CertificateDer<'static>> {
        let others = (1..count).map(|number| Authority::root(&format!("Root {number}")).certificate);
        others.chain([self.root.clone()]).collect()
    }
}

const SERVER: &str = "example.test";

fn server() -> ServerName<'static> {
    SERVER.try_into().unwrap()
}

/// The check that both libraries are to make.
fn ecdsa() -> &'static dyn crypto::Verifier {
    provider().verifier(SignatureAlgorithm::EcdsaP256Sha256).unwrap()
}

/// What one signature check takes.
struct Signed {
    issuer_key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    fn new(certificate: &[u8], issuer: &[u8]) -> Self {
        let (content, _) = element(certificate);
        let (_, tbs_len) = element(content);
        let (_, algorithm_len) = element(&content[tbs_len..]);
        let (bits, _) = element(&content[tbs_len + algorithm_len..]);
        Self {
            issuer_key: spki(issuer).to_vec(),
            message: content[..tbs_len].to_vec(),
            // Behind the count of unused bits.
            signature: bits[1..].to_vec(),
        }
    }
}

/// The SubjectPublicKeyInfo of a certificate, by its well-known head.
fn spki(certificate: &[u8]) -> &[u8] {
    let at = certificate.windows(SPKI_HEAD.len()).position(|bytes| bytes == SPKI_HEAD).unwrap();
    &certificate[at..at + SPKI_LEN]
}

/// The SubjectPublicKeyInfo of a P-256 key, up to its point.
const SPKI_HEAD: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07\x03\x42\x00";

const SPKI_LEN: usize = 91;

/// The content of the DER element in front, and how long the whole element is.
fn element(der: &[u8]) -> (&[u8], usize) {
    let (head, len) = match der[1] {
        0x82 => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
        0x81 => (3, usize::from(der[2])),
        short => (2, usize::from(short)),
    };
    (&der[head..head + len], head + len)
}

struct Ours<'a> {
    chain: &'a Chain,
    verifier: Verifier,
    expected: Expected,
}

impl<'a> Ours<'a> {
    fn new(chain: &'a Chain, roots: usize) -> Self {
        let verifier = Verifier::new(provider(), chain.roots(roots)).unwrap();
        Self { chain, verifier, expected: Expected::Name(server()) }
    }

    fn verify(&self) {
        let Chain { leaf, intermediates, .. } = self.chain;
        let chain = pki::Chain { leaf, intermediates, staples: &[] };
        let path = self.verifier.verify(&chain, Purpose::Server, &self.expected, now());
        black_box(path).unwrap();
    }
}

struct Webpki<'a> {
    chain: &'a Chain,
    anchors: Vec<TrustAnchor<'static>>,
    name: ServerName<'static>,
    algorithm: OurEcdsa,
}

impl<'a> Webpki<'a> {
    fn new(chain: &'a Chain, roots: usize) -> Self {
        let anchor = |der: &CertificateDer<'_>| anchor_from_trusted_cert(der).unwrap().to_owned();
        let anchors = chain.roots(roots).iter().map(anchor).collect();
        Self { chain, anchors, name: server(), algorithm: OurEcdsa(chain.check) }
    }

    fn verify(&self) {
        let Chain { leaf, intermediates, .. } = self.chain;
        let leaf = EndEntityCert::try_from(leaf).unwrap();
        let (algorithms, usage) = ([&self.algorithm as _], KeyUsage::server_auth());
        let path = leaf.verify_for_usage(&algorithms, &self.anchors, intermediates, now(), usage, None, None);
        black_box(path).unwrap();
        black_box(leaf.verify_is_valid_for_subject_name(&self.name)).unwrap();
    }
}

/// The provider's check, as rustls-webpki wants it.
struct OurEcdsa(&'static dyn crypto::Verifier);

impl SignatureVerificationAlgorithm for OurEcdsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let mut spki = [0; SPKI_LEN];
        let (head, point) = spki.split_at_mut(SPKI_HEAD.len());
        if public_key.len() != point.len() {
            return Err(InvalidSignature);
        }
        head.copy_from_slice(SPKI_HEAD);
        point.copy_from_slice(public_key);
        self.0.verify(&spki, message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

impl fmt::Debug for OurEcdsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.algorithm().fmt(f)
    }
}
