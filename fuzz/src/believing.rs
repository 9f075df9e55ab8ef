//! The default provider, with signature checks that are counted and may believe anything: what lies behind a check is then
//! reached without a private key.

use std::cell::Cell;
use std::sync::LazyLock;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use symbolon::crypto::rustcrypto::provider;
use symbolon::crypto::{self, Failed, Provider, SignatureAlgorithm};

thread_local! {
    /// Signature checks of this run.
    static CHECKED: Cell<usize> = const { Cell::new(0) };
    static BELIEVES: Cell<bool> = const { Cell::new(false) };
}

/// Whether signatures are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    Checked,
    Believed,
}

/// Begins a run.
pub fn begin(signatures: Signatures) {
    CHECKED.set(0);
    BELIEVES.set(signatures == Signatures::Believed);
}

/// How many signatures were checked since.
pub fn checked() -> usize {
    CHECKED.get()
}

/// The provider.
pub static COUNTING: LazyLock<Provider> = LazyLock::new(|| {
    let provider = provider();
    let count = |inner: &&'static dyn crypto::Verifier| -> &'static dyn crypto::Verifier {
        Box::leak(Box::new(Counting(*inner)))
    };
    let counted: Vec<_> = provider.verifiers.iter().map(count).collect();
    Provider { verifiers: counted.leak(), ..provider }
});

struct Counting(&'static dyn crypto::Verifier);

impl crypto::Verifier for Counting {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }

    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Failed> {
        CHECKED.set(CHECKED.get() + 1);
        if BELIEVES.get() { Ok(()) } else { self.0.verify(spki, message, signature) }
    }
}

/// The certificate of a test vector.
pub fn certificate(pem: &[u8]) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem).expect("a test vector is a certificate")
}
